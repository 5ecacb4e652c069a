//! Pictures of boxes and arrows, as DOT, Mermaid, SVG and JSON: who becomes whom, and what leads from an ARN to a rule.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::visible::visible;

mod svg;

/// What a box is, which decides how it looks and in which column it stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// A plain box.
    Plain,
    /// Where ways begin.
    Start,
    /// Where they should not end.
    Sink,
    /// An ARN.
    Arn,
    /// An IAM role that somebody may become.
    Becomes,
    /// A Kubernetes user.
    User,
    /// A group.
    Group,
    /// Bindings, or associations of access policies.
    Binding,
    /// Roles.
    Role,
    /// Roles that are not in the inputs.
    Missing,
    /// Rules.
    Rules,
    /// What bypasses RBAC.
    Bypass,
    /// What is unknown.
    Unknown,
    /// A question that is answered with yes.
    Yes,
    /// A question that is answered with no.
    No,
    /// A question whose answer is unknown.
    Open,
}

impl Look {
    /// The name, for JSON and for classes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Start => "start",
            Self::Sink => "sink",
            Self::Arn => "arn",
            Self::Becomes => "iamRole",
            Self::User => "user",
            Self::Group => "group",
            Self::Binding => "binding",
            Self::Role => "role",
            Self::Missing => "missingRole",
            Self::Rules => "rules",
            Self::Bypass => "bypass",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
            Self::No => "no",
            Self::Open => "answerUnknown",
        }
    }

    /// The colours of the background and of the frame.
    fn colours(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Plain | Self::Start => return None,
            Self::Arn | Self::Becomes => ("#fdf0d5", "#8a5a00"),
            Self::User | Self::Group => ("#e3edf9", "#0b5394"),
            Self::Binding => ("#f3f5f7", "#535c65"),
            Self::Role | Self::Rules => ("#e6f2e9", "#2c6e3f"),
            Self::Sink | Self::Bypass => ("#f4b6b6", "#7a1f1f"),
            Self::Missing | Self::Unknown | Self::Open => ("#f1e8fa", "#5b2a86"),
            Self::Yes => ("#f2c98a", "#3d2600"),
            Self::No => ("#ffffff", "#535c65"),
        })
    }

    fn is_dashed(self) -> bool {
        matches!(self, Self::Missing | Self::Unknown | Self::Open)
    }

    fn is_round(self) -> bool {
        matches!(self, Self::Start | Self::Arn | Self::Becomes | Self::User)
    }

    /// How many lines of a bundle are shown.
    fn most_lines(self) -> usize {
        if matches!(self, Self::Rules) { 8 } else { 4 }
    }
}

/// A box, alone or for a bundle of equal ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub look: Look,
    /// What it says, a line for each that it stands for.
    pub lines: Vec<String>,
    /// Where these stand in the inputs.
    pub places: Vec<String>,
}

impl Node {
    /// The lines that are shown: of many the first, and how many more there are.
    fn shown(&self) -> Vec<String> {
        let most = self.look.most_lines();
        let mut shown: Vec<String> = self.lines.iter().take(most).map(|line| visible(line)).collect();
        if self.lines.len() > most {
            shown.push(format!("and {} more", self.lines.len() - most));
        }
        shown
    }

    /// The places in one line.
    fn place(&self) -> Option<String> {
        let first = visible(self.places.first()?);
        Some(match self.places.len() {
            1 => first,
            count => format!("{first} and {} more", count - 1),
        })
    }
}

/// An arrow between boxes, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// From which box.
    pub from: usize,
    /// To which.
    pub to: usize,
    /// What stands beside it.
    pub label: String,
    /// Whether it is certain; else it is dashed.
    pub is_certain: bool,
}

/// A picture.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The arrows.
    pub edges: Vec<Edge>,
    /// In which column of a drawing each box stands, where not its look decides.
    pub layers: Vec<usize>,
}

impl Diagram {
    /// The number of a box; one that is there already is not added again.
    pub fn node(&mut self, node: Node) -> usize {
        if let Some(number) = self.nodes.iter().position(|own| *own == node) {
            return number;
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds an arrow, once.
    pub fn edge(&mut self, from: usize, to: usize, label: &str, is_certain: bool) {
        let edge = Edge { from, to, label: label.to_owned(), is_certain };
        if !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }

    /// As DOT, for Graphviz.
    pub fn dot(&self, name: &str) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut text = format!("digraph {name} {{\n  rankdir=LR;\n  node [shape=box];\n");
        for (node, number) in self.nodes.iter().zip(0usize..) {
            let mut style: Vec<&str> = Vec::new();
            if node.look.is_round() {
                style.push("rounded");
            }
            if node.look.colours().is_some() {
                style.push("filled");
            }
            if node.look.is_dashed() {
                style.push("dashed");
            }
            let style = match style.as_slice() {
                [] => String::new(),
                [one] => format!(", style={one}"),
                several => format!(", style=\"{}\"", several.join(",")),
            };
            let fill = node.look.colours().map(|(fill, _)| format!(", fillcolor=\"{fill}\""));
            let lines = node.shown().into_iter().chain(node.place());
            let label: Vec<String> = lines.map(|line| quoted(&line)).collect();
            // `\l` ends a line that stands on the left; a single line stands in the middle.
            let label = if label.len() == 1 { label.concat() } else { label.join("\\l") + "\\l" };
            let _ = writeln!(text, "  n{number} [label=\"{label}\"{style}{}];", fill.unwrap_or_default());
        }
        for Edge { from, to, label, is_certain } in &self.edges {
            let mut parts = Vec::new();
            if !label.is_empty() {
                parts.push(format!("label=\"{}\"", quoted(&visible(label))));
            }
            if !is_certain {
                parts.push("style=dashed".to_owned());
            }
            let parts = if parts.is_empty() { String::new() } else { format!(" [{}]", parts.join(", ")) };
            let _ = writeln!(text, "  n{from} -> n{to}{parts};");
        }
        text.push_str("}\n");
        text
    }

    /// As Mermaid, for Markdown.
    pub fn mermaid(&self) -> String {
        // A label in quotes takes everything but quotes; `#` begins a character by its number.
        let quoted = |text: &str| {
            text.replace('#', "#35;")
                .replace('"', "#quot;")
                .replace('<', "#lt;")
                .replace('>', "#gt;")
                .replace('`', "#96;")
        };
        let mut text = "flowchart LR\n".to_owned();
        for (node, number) in self.nodes.iter().zip(0usize..) {
            let class = if node.look.colours().is_some() {
                format!(":::{}", node.look.as_str())
            } else {
                String::new()
            };
            let lines: Vec<String> =
                node.shown().into_iter().chain(node.place()).map(|line| quoted(&line)).collect();
            let label = lines.join("<br>");
            let _ = if node.look.is_round() {
                writeln!(text, "  n{number}([\"{label}\"]){class}")
            } else {
                writeln!(text, "  n{number}[\"{label}\"]{class}")
            };
        }
        for Edge { from, to, label, is_certain } in &self.edges {
            let arrow = if *is_certain { "-->" } else { "-.->" };
            let is_plain = label.chars().all(|char| char.is_ascii_alphanumeric() || "-, ".contains(char));
            let label = match label.as_str() {
                "" => String::new(),
                plain if is_plain => format!("|{plain}|"),
                other => format!("|\"{}\"|", quoted(&visible(other))),
            };
            let _ = writeln!(text, "  n{from} {arrow}{label} n{to}");
        }
        let looks: BTreeSet<Look> = self.nodes.iter().map(|node| node.look).collect();
        for look in looks {
            let Some((fill, frame)) = look.colours() else { continue };
            let dashes = if look.is_dashed() { ",stroke-dasharray:4 3" } else { "" };
            let _ =
                writeln!(text, "  classDef {} fill:{fill},stroke:{frame},color:#000{dashes}", look.as_str());
        }
        text
    }

    /// As SVG, laid out in columns from left to right.
    pub fn svg(&self, title: &str) -> String {
        svg::draw(self, title)
    }

    /// As JSON: bundles whole.
    pub fn document(&self) -> Value {
        let nodes: Vec<Value> = self
            .nodes
            .iter()
            .zip(0usize..)
            .map(|(node, number)| {
                json!({ "id": format!("n{number}"), "kind": node.look.as_str(), "names": node.lines, "sources": node.places })
            })
            .collect();
        let edges: Vec<Value> = self
            .edges
            .iter()
            .map(|Edge { from, to, label, is_certain }| {
                json!({ "from": format!("n{from}"), "to": format!("n{to}"), "label": label, "certain": is_certain })
            })
            .collect();
        json!({ "nodes": nodes, "edges": edges })
    }
}
