//! Ways as a picture: who becomes whom, as DOT or Mermaid. What is possible only is dashed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::visible::visible;
use crate::ask::paths::{Reach, Traced};

/// The picture of ways, gathered one by one.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    nodes: BTreeSet<String>,
    starts: BTreeSet<String>,
    sinks: BTreeSet<String>,
    /// From whom to whom: by which steps, and whether one of them is certain.
    edges: BTreeMap<(String, String), (BTreeSet<&'static str>, bool)>,
}

impl Picture {
    /// Adds a way.
    pub fn add(&mut self, traced: &Traced<'_, '_>, reach: &Reach) {
        let start = &traced.from().title;
        self.starts.insert(start.clone());
        self.nodes.insert(start.clone());
        self.sinks.insert(reach.identity.clone());
        self.nodes.insert(reach.identity.clone());
        for hop in traced.hops(reach) {
            let from = if hop.uses.is_empty() { vec![hop.by.clone()] } else { hop.uses.clone() };
            for from in from {
                self.edge(from, hop.becomes.clone(), hop.step.id(), hop.conditions.is_empty());
            }
        }
        if let Some((who, _)) = traced.power(reach) {
            self.edge(who, reach.identity.clone(), "has", true);
        }
    }

    fn edge(&mut self, from: String, to: String, step: &'static str, is_certain: bool) {
        self.nodes.insert(from.clone());
        self.nodes.insert(to.clone());
        let (steps, certain) = self.edges.entry((from, to)).or_default();
        steps.insert(step);
        *certain |= is_certain;
    }

    fn number(&self, node: &str) -> usize {
        self.nodes.iter().position(|own| own == node).unwrap_or(0)
    }

    /// As DOT, for Graphviz.
    pub fn dot(&self) -> String {
        let quoted = |text: &str| visible(text).replace('\\', "\\\\").replace('"', "\\\"");
        let mut text = "digraph paths {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        for (node, number) in self.nodes.iter().zip(0usize..) {
            let style = if self.sinks.contains(node) {
                ", style=filled, fillcolor=\"#f4b6b6\""
            } else if self.starts.contains(node) {
                ", style=rounded"
            } else {
                ""
            };
            let _ = writeln!(text, "  n{number} [label=\"{}\"{style}];", quoted(node));
        }
        for ((from, to), (steps, is_certain)) in &self.edges {
            let steps: Vec<&str> = steps.iter().copied().collect();
            let style = if *is_certain { "" } else { ", style=dashed" };
            let (from, to) = (self.number(from), self.number(to));
            let _ = writeln!(text, "  n{from} -> n{to} [label=\"{}\"{style}];", steps.join(", "));
        }
        text.push_str("}\n");
        text
    }

    /// As Mermaid, for Markdown.
    pub fn mermaid(&self) -> String {
        // A label in quotes takes everything but quotes; `#` begins a character by its number.
        let quoted = |text: &str| visible(text).replace('#', "#35;").replace('"', "#quot;");
        let mut text = "flowchart LR\n".to_owned();
        for (node, number) in self.nodes.iter().zip(0usize..) {
            let class = if self.sinks.contains(node) { ":::sink" } else { "" };
            let label = quoted(node);
            let _ = if self.starts.contains(node) {
                writeln!(text, "  n{number}([\"{label}\"]){class}")
            } else {
                writeln!(text, "  n{number}[\"{label}\"]{class}")
            };
        }
        for ((from, to), (steps, is_certain)) in &self.edges {
            let steps: Vec<&str> = steps.iter().copied().collect();
            let arrow = if *is_certain { "-->" } else { "-.->" };
            let (from, to) = (self.number(from), self.number(to));
            let _ = writeln!(text, "  n{from} {arrow}|{}| n{to}", steps.join(", "));
        }
        text.push_str("  classDef sink fill:#f4b6b6\n");
        text
    }
}
