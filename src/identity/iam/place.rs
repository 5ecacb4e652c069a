//! Places inside a document.

use crate::document::Position;
use crate::model::source::Source;

/// The place of what is counted from the beginning of a document.
pub(super) fn place(origin: Source, position: Position) -> Source {
    Source { line: origin.line + position.line, column: position.column, ..origin }
}
