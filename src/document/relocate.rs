//! The places of a document that a program made out of another: those that the same nodes have in the original.

use super::tree::{Node, Position, Tree};

/// The document that another was made of.
#[derive(Copy, Clone, Debug)]
pub struct Original<'o> {
    /// Its root; `None` where only its place is known.
    pub root: Option<Node<'o>>,
    /// Where it begins in its file; line 0 where that is not known.
    pub place: Position,
    /// The lines of the file before the first that its places count.
    pub lines_before: u32,
}

/// A new place of a node, and whether it is a literal block scalar there.
type Moved = (u32, Position, bool);

impl Tree<'_> {
    /// Gives every node the place of the node at the same path in the original, or where there is none, that of the
    /// nearest node above it.
    pub fn relocate(&mut self, original: &Original<'_>) {
        let mut moved: Vec<Moved> = Vec::with_capacity(self.len());
        if let Some(root) = self.root() {
            relocate(root, original.root, original.place, original.lines_before, &mut moved);
        }
        for (index, position, literal) in moved {
            if let Some(entry) = self.entries.get_mut(index as usize) {
                entry.position = position;
                entry.literal = literal;
            }
        }
    }
}

fn relocate(
    node: Node<'_>,
    original: Option<Node<'_>>,
    above: Position,
    lines_before: u32,
    moved: &mut Vec<Moved>,
) {
    let place = |original: Option<Node<'_>>, above: Position| {
        original.map_or(above, |original| {
            let Position { line, column } = original.position();
            Position { line: line + lines_before, column }
        })
    };
    let own = place(original, above);
    let is_literal = |original: &Node<'_>| original.is_literal() && original.text() == node.text();
    moved.push((node.index(), own, original.as_ref().is_some_and(is_literal)));
    for (key, value) in node.pairs() {
        let there =
            original.into_iter().flat_map(Node::pairs).filter(|(other, _)| other.text() == key.text());
        let there = there.last();
        let key_place = place(there.map(|(key, _)| key), own);
        moved.push((key.index(), key_place, false));
        relocate(value, there.map(|(_, value)| value), key_place, lines_before, moved);
    }
    let same_length = original.filter(|original| original.items().count() == node.items().count());
    let mut others = same_length.into_iter().flat_map(Node::items);
    for item in node.items() {
        relocate(item, others.next(), own, lines_before, moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn nodes_take_the_place_of_the_same_path() {
        let mut original = Tree::default();
        document::read(
            "# a comment\nkind: X\n\nlist:\n\n- 1\n\n- 2\ndata:\n  k: |\n    a\n    b\n",
            1,
            &mut original,
        )
        .unwrap();
        let mut made = Tree::default();
        document::read(
            "data:\n  k: |\n    a\n    b\n  new: 1\nkind: X\nlist: [1, 3]\nmore: [7]\n",
            1,
            &mut made,
        )
        .unwrap();
        let place = Position { line: 12, column: 1 };
        made.relocate(&Original { root: original.root(), place, lines_before: 10 });
        let root = made.root().unwrap();
        let line = |path: &[&str]| path.iter().fold(root, |node, key| node.get(key).unwrap()).position().line;
        assert_eq!((line(&["kind"]), line(&["data"]), line(&["data", "k"])), (12, 20, 20));
        assert_eq!(root.get("data").unwrap().get("k").unwrap().text_line(), Some(21));
        // What the original has not stands where the nearest node above it does.
        assert_eq!((line(&["data", "new"]), line(&["more"])), (20, 12));
        let items: Vec<u32> = root.get("list").unwrap().items().map(|item| item.position().line).collect();
        assert_eq!(items, [16, 18]);
    }

    #[test]
    fn without_the_original_all_stand_where_it_begins() {
        let mut made = Tree::default();
        document::read("kind: X\nlist: [1]\n", 1, &mut made).unwrap();
        let place = Position { line: 7, column: 1 };
        made.relocate(&Original { root: None, place, lines_before: 0 });
        let item = made.root().unwrap().get("list").unwrap().items().next().unwrap();
        assert_eq!(item.position(), place);
    }
}
