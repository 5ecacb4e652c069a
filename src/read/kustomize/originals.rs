//! Where an object stood before a kustomization changed it: the made one takes its places, node by node.

use std::ops::Range;
use std::path::Path;

use super::{files, value};
use crate::document::relocate::Original;
use crate::document::{self, Node, Position, Tree, json};
use crate::model::source::{FileId, Source, Sources};
use crate::read::settings::Settings;

/// The file that was looked at last, cut into documents: objects of one file come one after the other.
pub(in crate::read) struct Originals<'o> {
    sources: &'o Sources,
    settings: Option<&'o Settings>,
    file: Option<FileId>,
    text: String,
    /// Each document with the line at which it starts.
    documents: Vec<(u32, Range<usize>)>,
}

impl<'o> Originals<'o> {
    pub(in crate::read) fn new(sources: &'o Sources, settings: Option<&'o Settings>) -> Self {
        Self { sources, settings, file: None, text: String::new(), documents: Vec::new() }
    }

    /// Reads an object into a tree whose nodes stand where they stood before.
    pub(in crate::read) fn read<'s>(&mut self, text: &'s str, tree: &mut Tree<'s>, source: Source) -> bool {
        if !value::read(text, tree) {
            return false;
        }
        self.open(source.file);
        let place = Position { line: source.line, column: source.column };
        let mut other = Tree::default();
        let lines_before = self.document(source.line, &mut other);
        let stands_there = |node: &Node<'_>| {
            let position = node.position();
            (position.line + lines_before, position.column) == (source.line, source.column)
        };
        let found = other.root().and_then(|root| {
            let mut items = root.get("items").into_iter().flat_map(Node::items);
            Some(root).filter(stands_there).or_else(|| items.find(stands_there))
        });
        let lines_before = if found.is_some() { lines_before } else { 0 };
        tree.relocate(&Original { root: found, place, lines_before });
        true
    }

    fn open(&mut self, file: FileId) {
        if self.file == Some(file) {
            return;
        }
        self.file = Some(file);
        self.text = files::text_of(Path::new(self.sources.file(file)), self.settings).unwrap_or_default();
        self.documents.clear();
        if files::is_json(&self.text) {
            self.documents.push((1, 0..self.text.len()));
            return;
        }
        let start = self.text.as_ptr().addr();
        self.documents.extend(document::split::documents(&self.text).map(|part| {
            let from = part.text.as_ptr().addr() - start;
            (part.line, from..from + part.text.len())
        }));
    }

    /// Reads the document in which a line stands. Gives the number of lines before it.
    fn document<'t>(&'t self, line: u32, tree: &mut Tree<'t>) -> u32 {
        let after = self.documents.partition_point(|(first, _)| *first <= line);
        let Some((first, range)) = after.checked_sub(1).and_then(|at| self.documents.get(at)) else {
            return 0;
        };
        let text = self.text.get(range.clone()).unwrap_or_default();
        let is_read = if files::is_json(text) && json::read(text, tree).is_ok() {
            true
        } else {
            document::read(text, 1, tree).is_ok()
        };
        if !is_read {
            *tree = Tree::default();
        }
        first - 1
    }
}
