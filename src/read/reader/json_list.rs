//! A JSON List, item by item.
//!
//! Where an item ends can only be known by reading everything before it. So a piece is cut where an item seems to
//! begin, and is good only if reading it comes out at the cut, with an item to follow.

use super::super::origin::Origin;
use super::list::{Fields, Found};
use crate::document::json::{Part, Parts};
use crate::document::{Node, Tree};
use crate::model::source::FileId;

/// How the list that a text begins with goes on, as far as its first item shows.
pub(super) struct Head {
    /// The fields before the items.
    pub(super) fields: Fields,
    /// The first key of the first item, in its quotes.
    pub(super) key: Vec<u8>,
}

/// The head of a list; `None` where the text does not reach beyond the first item, or is no list.
pub(super) fn head(text: &str) -> Option<Head> {
    let mut tree = Tree::default();
    let (mut parts, mut at, mut fields) = (Parts::default(), 0, Fields::default());
    loop {
        match parts.next(text, &mut at, &mut tree)? {
            Part::Field(key) => fields.add(&key, tree.root().and_then(Node::as_str).unwrap_or_default()),
            Part::Item => {
                let (key, _) = tree.root()?.pairs().next()?;
                return Some(Head { fields, key: format!("\"{}\"", key.text()).into_bytes() });
            }
            Part::End => return None,
        }
    }
}

/// Whether a text looks as if it were a list whose items begin in it.
pub(super) fn has_items(text: &str) -> bool {
    let key = "\"items\"";
    let after = |at: usize| text.get(at + key.len()..).unwrap_or_default().trim_start().strip_prefix(':');
    memchr::memmem::find_iter(text.as_bytes(), key)
        .any(|at| after(at).is_some_and(|value| value.trim_start().starts_with('[')))
}

/// Where the last item but one of a text seems to end: behind the comma before an object that begins with the key
/// with which the first one began; 0 if nowhere.
pub(super) fn cut(text: &[u8], key: &[u8]) -> usize {
    let mut end = text.len();
    while let Some(at) = text.get(..end).and_then(|text| memchr::memmem::rfind(text, key)) {
        let before = text.get(..at).unwrap_or_default().trim_ascii_end();
        let comma = before.strip_suffix(b"{").unwrap_or_default().trim_ascii_end();
        if comma.strip_suffix(b",").is_some_and(|item| item.trim_ascii_end().ends_with(b"}"))
            && (key != b"\"apiVersion\"" || is_before_kind(text.get(at + key.len()..).unwrap_or_default()))
        {
            return comma.len();
        }
        end = at;
    }
    0
}

/// Whether a text goes on with a simple value and the key `kind`, as objects do, and references and managed fields
/// do not.
fn is_before_kind(text: &[u8]) -> bool {
    let kind_follows = || {
        let value = text.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let after = value.get(memchr::memchr(b'"', value)? + 1..)?.trim_ascii_start();
        Some(after.strip_prefix(b",")?.trim_ascii_start().starts_with(b"\"kind\""))
    };
    kind_follows().unwrap_or(false)
}

/// Reads a piece of a list. `None` if it is none, or was not cut between items.
pub(super) fn read(found: &mut Found<'_>, text: &str, begins: bool, ends: bool) -> Option<()> {
    let mut tree = Tree::default();
    let mut parts = if begins { Parts::default() } else { Parts::among_items() };
    let mut at = 0;
    while ends || at < text.len() {
        match parts.next(text, &mut at, &mut tree)? {
            Part::Item => found.item(tree.root()?, Origin::json(FileId::default())),
            Part::Field(key) => {
                found.fields.add(&key, tree.root().and_then(Node::as_str).unwrap_or_default());
            }
            Part::End => return ends.then_some(()),
        }
    }
    parts.is_among_items().then_some(())
}
