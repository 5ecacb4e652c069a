//! Ways as a picture: who becomes whom, as DOT or Mermaid. What is possible only is dashed.

use std::collections::{BTreeMap, BTreeSet};

use super::diagram::{Diagram, Look, Node};
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

    /// Adds the ways of another picture.
    pub fn join(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
        self.starts.extend(other.starts);
        self.sinks.extend(other.sinks);
        for (ends, (steps, is_certain)) in other.edges {
            let (own, certain) = self.edges.entry(ends).or_default();
            own.extend(steps);
            *certain |= is_certain;
        }
    }

    fn edge(&mut self, from: String, to: String, step: &'static str, is_certain: bool) {
        self.nodes.insert(from.clone());
        self.nodes.insert(to.clone());
        let (steps, certain) = self.edges.entry((from, to)).or_default();
        steps.insert(step);
        *certain |= is_certain;
    }

    fn look(&self, name: &str) -> Look {
        if self.sinks.contains(name) {
            Look::Sink
        } else if self.starts.contains(name) {
            Look::Start
        } else {
            Look::Plain
        }
    }

    /// Nodes by the boxes in which they stand: those of one look with the same arrows share one, if they are to.
    fn numbers(&self, is_bundled: bool) -> (BTreeMap<&str, usize>, Vec<Vec<&str>>) {
        type Arrows<'p> = Vec<(&'p str, &'p BTreeSet<&'static str>, bool)>;
        let mut arrows: BTreeMap<&str, (Arrows<'_>, Arrows<'_>)> = BTreeMap::new();
        for ((from, to), (steps, is_certain)) in self.edges.iter().filter(|_| is_bundled) {
            arrows.entry(from).or_default().0.push((to, steps, *is_certain));
            arrows.entry(to).or_default().1.push((from, steps, *is_certain));
        }
        let mut known = BTreeMap::new();
        let (mut numbers, mut boxes) = (BTreeMap::new(), Vec::<Vec<&str>>::new());
        for name in &self.nodes {
            let next = boxes.len();
            let equal = arrows.get(name.as_str()).map(|arrows| (self.look(name), arrows));
            let number = equal.map_or(next, |equal| *known.entry(equal).or_insert(next));
            match boxes.get_mut(number) {
                Some(own) => own.push(name),
                None => boxes.push(vec![name]),
            }
            numbers.insert(name.as_str(), number);
        }
        (numbers, boxes)
    }

    /// As a diagram, nodes in the order of their names.
    fn diagram(&self, is_bundled: bool) -> Diagram {
        let (numbers, boxes) = self.numbers(is_bundled);
        let mut diagram = Diagram::default();
        for names in boxes {
            let look = names.first().map_or(Look::Plain, |name| self.look(name));
            let lines = names.into_iter().map(str::to_owned).collect();
            diagram.nodes.push(Node { look, lines, places: Vec::new() });
        }
        let number = |node: &str| numbers.get(node).copied().unwrap_or_default();
        for ((from, to), (steps, is_certain)) in &self.edges {
            let steps: Vec<&str> = steps.iter().copied().collect();
            diagram.edge(number(from), number(to), &steps.join(", "), *is_certain);
        }
        diagram
    }

    /// How many boxes it has where equal ones share one.
    pub fn boxes(&self) -> usize {
        self.numbers(true).1.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// As SVG: those who start at the left, each behind whom it takes to get there.
    pub fn svg(&self, title: &str) -> String {
        drawn(self.diagram(false), title)
    }

    /// The same, where those from and to whom the same arrows lead share a box.
    pub fn bundled_svg(&self, title: &str) -> String {
        drawn(self.diagram(true), title)
    }

    /// As DOT, for Graphviz.
    pub fn dot(&self) -> String {
        self.diagram(false).dot("paths")
    }

    /// As Mermaid, for Markdown.
    pub fn mermaid(&self) -> String {
        self.diagram(false).mermaid()
    }
}

fn drawn(mut diagram: Diagram, title: &str) -> String {
    diagram.layers = layers(&diagram);
    diagram.svg(title)
}

/// How many steps after a start each box stands, as far as ways do not go round; what is reached last, behind all.
fn layers(diagram: &Diagram) -> Vec<usize> {
    let count = diagram.nodes.len();
    let (mut layers, mut open) = (vec![0usize; count], vec![0usize; count]);
    for edge in &diagram.edges {
        if let Some(own) = open.get_mut(edge.to) {
            *own += 1;
        }
    }
    let is_end = |number: usize| !diagram.edges.iter().any(|edge| edge.from == number);
    let mut left: BTreeSet<usize> = (0..count).collect();
    while !left.is_empty() {
        // Where ways go round, one of the nearest begins.
        let waits = |number: &usize| open.get(*number).copied().unwrap_or_default();
        let layer = |number: &usize| layers.get(*number).copied().unwrap_or_default();
        let is_later =
            |number: &usize| diagram.nodes.get(*number).is_none_or(|node| node.look != Look::Start);
        let next = left.iter().copied().min_by_key(|number| {
            (waits(number) > 0, waits(number) > 0 && is_later(number), layer(number), *number)
        });
        let Some(next) = next else { break };
        left.remove(&next);
        let own = layer(&next);
        for edge in diagram.edges.iter().filter(|edge| edge.from == next && left.contains(&edge.to)) {
            if let Some(layer) = layers.get_mut(edge.to) {
                *layer = (*layer).max(own + 1);
            }
            if let Some(waits) = open.get_mut(edge.to) {
                *waits -= 1;
            }
        }
    }
    let last = layers.iter().copied().max().unwrap_or_default();
    let sinks = diagram.nodes.iter().zip(0usize..).filter(|(node, _)| node.look == Look::Sink);
    for (_, number) in sinks.filter(|(_, number)| is_end(*number)) {
        if let Some(layer) = layers.get_mut(number) {
            *layer = last;
        }
    }
    layers
}
