//! Where a document stands in the inputs, and so every node of it.

use crate::document::Node;
use crate::model::source::{FileId, PathId, Source};

/// Where a document stands: what the places of its nodes are counted from.
#[derive(Copy, Clone, Debug)]
pub(super) struct Origin {
    pub(super) file: FileId,
    /// Lines of the file before the first line of the document.
    pub(super) lines_before: u32,
    /// Whether it is JSON, in which items of lists have paths.
    pub(super) in_json: bool,
    /// The path of the document, or of the item that it is.
    pub(super) path: PathId,
}

impl Origin {
    /// A document of YAML.
    pub(super) fn yaml(file: FileId, lines_before: u32) -> Self {
        Self { file, lines_before, in_json: false, path: PathId::default() }
    }

    /// A JSON text.
    pub(super) fn json(file: FileId) -> Self {
        Self { in_json: true, ..Self::yaml(file, 0) }
    }

    /// The line of the file at a line of the document.
    pub(super) fn line(self, line: u32) -> u32 {
        self.lines_before + line
    }

    /// Where a node of the document stands.
    pub(super) fn source(self, node: Node<'_>) -> Source {
        let position = node.position();
        let line = self.line(position.line);
        Source { file: self.file, line, column: position.column, path: self.path }
    }
}
