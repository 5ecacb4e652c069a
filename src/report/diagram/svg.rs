//! A picture as SVG: a column for each kind of box, in an order that lets few arrows cross.

use std::fmt::Write as _;

use super::{Diagram, Look, Node};

/// The width of a character of the monospaced font, for its size.
const CHAR: f64 = 7.25;
const LINE: f64 = 16.0;
const PAD: f64 = 9.0;
/// How many characters of a line stand beside each other.
const WRAP: usize = 50;
const GAP_X: f64 = 70.0;
const GAP_Y: f64 = 16.0;
/// How high the lane is in which a long arrow passes a column.
const LANE: f64 = 6.0;
const MARGIN: f64 = 14.0;

/// The column behind all others.
const LAST: usize = 8;

/// In which column a kind of box stands, before columns without boxes are left out.
fn column(look: Look) -> usize {
    match look {
        Look::Plain | Look::Start | Look::Arn => 0,
        Look::Becomes => 1,
        Look::User => 2,
        Look::Group => 3,
        Look::Binding => 4,
        Look::Role | Look::Missing => 5,
        Look::Rules | Look::Bypass | Look::Unknown => 6,
        Look::Sink | Look::Yes | Look::No | Look::Open => 7,
    }
}

/// A box or a lane on its place.
struct Spot {
    column: usize,
    node: Option<usize>,
    lines: Vec<(String, bool)>,
    width: f64,
    height: f64,
    x: f64,
    y: f64,
}

impl Spot {
    fn middle(&self) -> f64 {
        self.y + self.height / 2.0
    }
}

/// Cuts a line into pieces of at most [`WRAP`] characters: between words, and inside a word only where it is too long.
fn wrapped(line: &str) -> Vec<String> {
    let length = |text: &str| text.trim_end().chars().count();
    let mut pieces = vec![String::new()];
    let mut add = |part: &str| {
        let Some(last) = pieces.last_mut() else { return };
        if last.is_empty() || last.chars().count() + length(part) <= WRAP {
            last.push_str(part);
        } else {
            let kept = last.trim_end().to_owned();
            *last = kept;
            pieces.push(format!("  {part}"));
        }
    };
    for word in line.split_inclusive(' ') {
        if length(word) + 2 <= WRAP {
            add(word);
            continue;
        }
        for part in word.split_inclusive(['/', ',']) {
            let chars: Vec<char> = part.chars().collect();
            for piece in chars.chunks(WRAP - 2) {
                add(&piece.iter().collect::<String>());
            }
        }
    }
    pieces
}

#[expect(clippy::cast_precision_loss, reason = "lengths of lines are small")]
fn spot(node: &Node, number: usize) -> Spot {
    let mut lines: Vec<(String, bool)> = Vec::new();
    for line in node.shown() {
        lines.extend(wrapped(&line).into_iter().map(|piece| (piece, false)));
    }
    if let Some(line) = node.place() {
        lines.extend(wrapped(&line).into_iter().map(|piece| (piece, true)));
    }
    let longest = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default();
    Spot {
        column: column(node.look),
        node: Some(number),
        width: longest as f64 * CHAR + 2.0 * PAD,
        height: lines.len() as f64 * LINE + 2.0 * PAD - 4.0,
        lines,
        x: 0.0,
        y: 0.0,
    }
}

/// How far columns are from each other: where boxes stand in layers, what arrows say has room between them.
#[expect(clippy::cast_precision_loss, reason = "lengths of labels are small")]
fn gap(diagram: &Diagram) -> f64 {
    const SMALL: f64 = 6.1;
    let labels = diagram.edges.iter().filter(|_| !diagram.layers.is_empty());
    let longest = labels.map(|edge| edge.label.chars().count()).max().unwrap_or_default();
    GAP_X.max(longest as f64 * SMALL + 24.0)
}

/// The spots with the arrows between neighbouring columns, and for each arrow of the picture the spots that it passes.
struct Layout {
    spots: Vec<Spot>,
    columns: Vec<Vec<usize>>,
    links: Vec<(usize, usize)>,
    ways: Vec<Vec<usize>>,
    /// How far columns are from each other.
    gap: f64,
}

impl Layout {
    fn of(diagram: &Diagram) -> Self {
        let mut spots: Vec<Spot> =
            diagram.nodes.iter().zip(0usize..).map(|(node, number)| spot(node, number)).collect();
        // The answer to an operation stands behind those to its requests.
        let is_answer = |number: usize| {
            let look = diagram.nodes.get(number).map(|node| node.look);
            matches!(look, Some(Look::Yes | Look::No | Look::Open))
        };
        for edge in diagram.edges.iter().filter(|edge| is_answer(edge.from)) {
            if let Some(spot) = spots.get_mut(edge.to) {
                spot.column = LAST;
            }
        }
        for (spot, layer) in spots.iter_mut().zip(&diagram.layers) {
            spot.column = *layer;
        }
        let mut used: Vec<usize> = spots.iter().map(|spot| spot.column).collect();
        used.sort_unstable();
        used.dedup();
        for spot in &mut spots {
            spot.column = used.binary_search(&spot.column).unwrap_or_default();
        }
        let (mut links, mut ways) = (Vec::new(), Vec::new());
        for edge in &diagram.edges {
            let column = |number: usize| spots.get(number).map_or(0, |spot| spot.column);
            let (first, last) = (column(edge.from), column(edge.to));
            let mut way = vec![edge.from];
            for between in first + 1..last {
                way.push(spots.len());
                spots.push(Spot {
                    column: between,
                    node: None,
                    lines: Vec::new(),
                    width: 0.0,
                    height: LANE,
                    x: 0.0,
                    y: 0.0,
                });
            }
            way.push(edge.to);
            links.extend(way.iter().copied().zip(way.iter().copied().skip(1)));
            ways.push(way);
        }
        let mut columns = vec![Vec::new(); used.len()];
        for (spot, number) in spots.iter().zip(0usize..) {
            if let Some(column) = columns.get_mut(spot.column) {
                column.push(number);
            }
        }
        Self { spots, columns, links, ways, gap: gap(diagram) }
    }

    /// The mean of the middles of those that arrows join with a spot, in columns before it or behind it.
    #[expect(clippy::cast_precision_loss, reason = "few arrows")]
    fn wanted(&self, number: usize, forward: bool) -> Option<f64> {
        let others = self.links.iter().filter_map(|(from, to)| match forward {
            true if *to == number => Some(*from),
            false if *from == number => Some(*to),
            _ => None,
        });
        let middles: Vec<f64> = others.filter_map(|other| self.spots.get(other)).map(Spot::middle).collect();
        (!middles.is_empty()).then(|| middles.iter().sum::<f64>() / middles.len() as f64)
    }

    /// Puts a column in the order of what its spots want, each as near to it as the others let it.
    fn place(&mut self, column: usize, forward: Option<bool>) {
        let Some(mut own) = self.columns.get(column).cloned() else { return };
        let wanted = |layout: &Self, number: usize| {
            let here = layout.spots.get(number).map_or(0.0, Spot::middle);
            forward.and_then(|forward| layout.wanted(number, forward)).unwrap_or(here)
        };
        if forward.is_some() {
            own.sort_by(|a, b| wanted(self, *a).total_cmp(&wanted(self, *b)));
        }
        // Spots that would overlap form a block, whose place is the mean of what they want.
        let mut blocks: Vec<(f64, f64, Vec<usize>)> = Vec::new();
        for number in &own {
            let height = self.spots.get(*number).map_or(0.0, |spot| spot.height);
            let top = wanted(self, *number) - height / 2.0;
            let mut block = (top, height + GAP_Y, vec![*number]);
            while let Some((before, size, _)) = blocks.last() {
                if before + size <= block.0 {
                    break;
                }
                let Some((before, size, mut members)) = blocks.pop() else { break };
                #[expect(clippy::cast_precision_loss, reason = "few boxes")]
                let (many, more) = (members.len() as f64, block.2.len() as f64);
                let top = (before * many + (block.0 - size) * more) / (many + more);
                members.append(&mut block.2);
                block = (top, size + block.1, members);
            }
            blocks.push(block);
        }
        for (mut top, _, members) in blocks {
            for number in members {
                if let Some(spot) = self.spots.get_mut(number) {
                    spot.y = top;
                    top += spot.height + GAP_Y;
                }
            }
        }
        if let Some(column) = self.columns.get_mut(column) {
            *column = own;
        }
    }

    fn arrange(&mut self) -> (f64, f64) {
        // To begin with each column stands from the top, in the order of the picture.
        for column in self.columns.clone() {
            let mut top = 0.0;
            for number in column {
                if let Some(spot) = self.spots.get_mut(number) {
                    spot.y = top;
                    top += spot.height + GAP_Y;
                }
            }
        }
        let last = self.columns.len();
        for _ in 0..4 {
            (1..last).for_each(|column| self.place(column, Some(true)));
            (0..last.saturating_sub(1)).rev().for_each(|column| self.place(column, Some(false)));
        }
        (1..last).for_each(|column| self.place(column, Some(true)));
        let mut x = MARGIN;
        for column in &self.columns {
            let own = column.iter().filter_map(|number| self.spots.get(*number));
            let width = own.map(|spot| spot.width).fold(0.0, f64::max);
            for number in column {
                if let Some(spot) = self.spots.get_mut(*number) {
                    spot.x = x;
                    if spot.node.is_none() {
                        spot.width = width;
                    }
                }
            }
            x += width + self.gap;
        }
        let top = self.spots.iter().map(|spot| spot.y).fold(f64::INFINITY, f64::min);
        for spot in &mut self.spots {
            spot.y += MARGIN - top;
        }
        let bottom = self.spots.iter().map(|spot| spot.y + spot.height).fold(0.0, f64::max);
        (x - self.gap + MARGIN, bottom + MARGIN)
    }
}

/// A text as it stands in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn draw(diagram: &Diagram, title: &str) -> String {
    let title = escaped(&super::visible(title));
    if diagram.nodes.is_empty() {
        return format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"><title>{title}</title></svg>\n"
        );
    }
    let mut layout = Layout::of(diagram);
    let (width, height) = layout.arrange();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\" font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"12\">\n<title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#535c65\"/></marker></defs>\n<g fill=\"none\" stroke=\"#535c65\">\n"
    );
    for (edge, way) in diagram.edges.iter().zip(&layout.ways) {
        let spots: Vec<&Spot> = way.iter().filter_map(|number| layout.spots.get(*number)).collect();
        let Some(first) = spots.first() else { continue };
        let _ = write!(text, "<path d=\"M{:.0} {:.0}", first.x + first.width, first.middle());
        let mut from = (first.x + first.width, first.middle());
        for spot in spots.iter().skip(1) {
            let to = (spot.x, spot.middle());
            let half = (to.0 - from.0) / 2.0;
            let _ = write!(
                text,
                "C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}",
                from.0 + half,
                from.1,
                to.0 - half,
                to.1,
                to.0,
                to.1
            );
            from = (spot.x + spot.width, to.1);
            if spot.node.is_none() {
                let _ = write!(text, "H{:.0}", from.0);
            }
        }
        let dashes = if edge.is_certain { "" } else { " stroke-dasharray=\"5 4\"" };
        let _ = writeln!(text, "\" marker-end=\"url(#a)\"{dashes}/>");
    }
    text.push_str("</g>\n");
    for (edge, way) in diagram.edges.iter().zip(&layout.ways) {
        let pair =
            way.first().zip(way.get(1)).and_then(|(a, b)| layout.spots.get(*a).zip(layout.spots.get(*b)));
        if let Some((from, to)) = pair.filter(|_| !edge.label.is_empty()) {
            let _ = writeln!(
                text,
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\" font-size=\"10\" fill=\"#1a1d21\" stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\">{}</text>",
                f64::midpoint(from.x + from.width, to.x),
                f64::midpoint(from.middle(), to.middle()) - 3.0,
                escaped(&super::visible(&edge.label))
            );
        }
    }
    for spot in &layout.spots {
        let Some(node) = spot.node.and_then(|number| diagram.nodes.get(number)) else { continue };
        let (fill, frame) = node.look.colours().unwrap_or(("#fff", "#535c65"));
        let corner = if node.look.is_round() { 12 } else { 3 };
        let dashes = if node.look.is_dashed() { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(
            text,
            "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\" rx=\"{corner}\" fill=\"{fill}\" stroke=\"{frame}\" stroke-width=\"1.5\"{dashes}/>",
            spot.x, spot.y, spot.width, spot.height
        );
        let mut y = spot.y + PAD + 9.0;
        for (line, is_place) in &spot.lines {
            let colour = if *is_place { "#535c65" } else { "#1a1d21" };
            let _ = writeln!(
                text,
                "<text x=\"{:.0}\" y=\"{y:.0}\" fill=\"{colour}\" xml:space=\"preserve\">{}</text>",
                spot.x + PAD,
                escaped(line)
            );
            y += LINE;
        }
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_no_piece_is_too_long() {
        let line =
            format!("get on {} and RoleBinding `prod/on-call` of {}", "pods, ".repeat(20), "x".repeat(120));
        let pieces = wrapped(&line);
        assert!(pieces.iter().all(|piece| piece.trim_end().chars().count() <= WRAP), "{pieces:?}");
        let squeezed = |text: &str| text.replace(' ', "");
        assert_eq!(squeezed(&pieces.concat()), squeezed(&line));
        assert!(pieces.iter().any(|piece| piece.contains("`prod/on-call`")));
        assert_eq!(wrapped("short"), ["short"]);
    }

    #[test]
    fn no_box_lies_on_another() {
        let mut diagram = Diagram::default();
        let mut add = |look, text: &str| {
            diagram.nodes.push(Node { look, lines: vec![text.to_owned()], places: Vec::new() });
            diagram.nodes.len() - 1
        };
        let user = add(Look::User, "user");
        let groups: Vec<usize> = (0..6).map(|number| add(Look::Group, &format!("group {number}"))).collect();
        let rules: Vec<usize> = (0..9).map(|number| add(Look::Rules, &format!("rule {number}"))).collect();
        for group in &groups {
            diagram.edge(user, *group, "", true);
            rules.iter().step_by(group + 1).for_each(|rule| diagram.edge(*group, *rule, "", true));
        }
        diagram.edge(user, rules[8], "", false);
        let mut layout = Layout::of(&diagram);
        layout.arrange();
        let mut compared = 0;
        for column in &layout.columns {
            for pair in column.windows(2) {
                let (above, below) = (&layout.spots[pair[0]], &layout.spots[pair[1]]);
                assert!(above.y + above.height <= below.y + 0.01, "{} {}", above.y, below.y);
                compared += 1;
            }
        }
        assert_eq!(compared, 6 + 8);
    }
}
