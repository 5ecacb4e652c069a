//! A YAML List as kubectl prints it, item by item.
//!
//! The items of such a list stand at the left margin, each begun by `- `. The text is cut there, and every part
//! must be in the subset of [`block`], where nothing reaches from one line at the left margin into the next. A
//! List of which any part is outside that subset is read as one document instead.

use super::super::origin::Origin;
use super::lines;
use super::list::{Fields, Found};
use crate::document::{Node, Tree, block};
use crate::model::source::FileId;

/// The length of what stands before the items of the list that a document begins with, if it is one, and what it
/// says of them.
pub(super) fn head(text: &str) -> Option<(usize, Fields)> {
    let items = "items:\n";
    let at =
        if text.starts_with(items) { 0 } else { memchr::memmem::find(text.as_bytes(), b"\nitems:\n- ")? + 1 };
    let len = at + items.len();
    let mut fields = Fields::default();
    // The key stands alone here: it says null, and takes its items from what follows.
    read_fields(text.get(..len)?, &mut fields)?;
    (fields.items == 1 && text.get(len..)?.starts_with("- ")).then_some((len, fields))
}

/// Reads a part of the mapping that a list is.
fn read_fields(text: &str, fields: &mut Fields) -> Option<()> {
    let mut tree = Tree::default();
    if !block::read(text, &mut tree) {
        return None;
    }
    let Some(root) = tree.root() else { return Some(()) };
    if !root.is_mapping() {
        return None;
    }
    for (key, value) in root.pairs() {
        fields.add(key.text(), value.as_str().unwrap_or_default());
    }
    Some(())
}

/// What ends an item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Next {
    /// Another item.
    Item,
    /// The fields after the items.
    Tail,
    /// The end of the text.
    End,
}

/// The length of the item that a text begins with, and what comes then.
fn item(text: &str) -> (usize, Next) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(feed) = bytes.get(from..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        from += feed + 1;
        match (bytes.get(from), bytes.get(from + 1)) {
            (None, _) => break,
            (Some(b' ' | b'\n' | b'#'), _) => {}
            (Some(b'-'), None | Some(b' ' | b'\n')) => return (from, Next::Item),
            _ => return (from, Next::Tail),
        }
    }
    (bytes.len(), Next::End)
}

/// Reads a piece of a list: whole items, with the head before them in the first piece, and the fields after them in
/// the last. `None` if any of it is not as kubectl prints it.
pub(super) fn read(found: &mut Found<'_>, text: &str, begins: bool, ends: bool) -> Option<()> {
    let mut tree = Tree::default();
    let mut at = 0;
    if begins {
        (at, *found.fields) = head(text)?;
    }
    let mut lines_before = lines(text.get(..at)?);
    loop {
        let rest = text.get(at..)?;
        let (len, next) = item(rest);
        let part = rest.get(..len)?;
        // Also of a kind that is not needed: one item that does not read spoils the list.
        if !block::read_inside(part, 1, 1, &mut tree) {
            return None;
        }
        found.item(only_item(&tree)?, Origin::yaml(FileId::default(), lines_before));
        at += len;
        lines_before += lines(part);
        match next {
            Next::Item => {}
            Next::Tail if ends => break,
            Next::Tail => return None,
            Next::End => break,
        }
    }
    if ends { read_fields(text.get(at..)?, found.fields) } else { Some(()) }
}

/// The one item of a list of one.
fn only_item<'t>(tree: &'t Tree<'_>) -> Option<Node<'t>> {
    let mut items = tree.root()?.items();
    let item = items.next()?;
    items.next().is_none().then_some(item)
}
