//! Merge keys (`<<`), as `merge` of go-yaml v2 applies them.
//!
//! Entries are set in the order in which they stand, so that a merge *overrides* the keys that stand before it and
//! is overridden by those after it. (YAML's own rule, and go-yaml v3's, let explicit keys win wherever they stand;
//! kubectl uses v2.)

use std::collections::HashSet;

use super::super::{Entry, Kind, Node, ReadError, Tree, narrow};
use super::{end_of, invalid};

/// Puts the pairs of the mapping or mappings that start at `index`, the last nodes of the tree, in their place.
pub(super) fn apply(tree: &mut Tree<'_>, index: u32, alias: bool) -> Result<(), ReadError> {
    let node = Node { tree, index };
    let wanted = |position| {
        let message = "a merge key (`<<`) takes a mapping, an alias of one, or a list of them";
        Err(invalid(position, message.into()))
    };
    let mut sources = Vec::new();
    match node.kind() {
        Kind::Mapping => sources.push(index),
        Kind::Sequence if !alias => {
            for item in node.items() {
                if item.kind() != Kind::Mapping {
                    return wanted(item.position());
                }
                sources.push(item.index);
            }
        }
        _ => return wanted(node.position()),
    }
    let mut pairs: Vec<Entry> = Vec::new();
    // Earlier mappings of a list take precedence, so they come last.
    for source in sources.into_iter().rev() {
        let from = source + 1;
        let to = end_of(tree, source);
        let start = index + narrow(pairs.len());
        let nodes = tree.entries.get(from as usize..to as usize).unwrap_or_default();
        pairs.extend(nodes.iter().map(|entry| Entry { end: entry.end - from + start, ..*entry }));
    }
    tree.entries.truncate(index as usize);
    tree.entries.extend(pairs);
    Ok(())
}

/// Keeps of each key of the mapping at `index`, the last of the tree, the pair that counts: the last.
pub(super) fn keep_last(tree: &mut Tree<'_>, index: u32) {
    let mapping = Node { tree, index };
    let pairs: Vec<_> = mapping.pairs().collect();
    let mut seen = HashSet::with_capacity(pairs.len());
    let mut kept: Vec<(u32, u32)> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs.into_iter().rev() {
        if seen.insert(key.text()) {
            kept.push((key.index, end_of(tree, value.index)));
        }
    }
    let mut nodes: Vec<Entry> = Vec::with_capacity(tree.entries.len() - index as usize);
    for (from, to) in kept.into_iter().rev() {
        let start = index + 1 + narrow(nodes.len());
        let pair = tree.entries.get(from as usize..to as usize).unwrap_or_default();
        nodes.extend(pair.iter().map(|entry| Entry { end: entry.end - from + start, ..*entry }));
    }
    tree.entries.truncate(index as usize + 1);
    tree.entries.extend(nodes);
    let end = narrow(tree.entries.len());
    if let Some(entry) = tree.entries.get_mut(index as usize) {
        entry.end = end;
    }
}
