//! One JSON text into the tree; and the outline of a large one, so that it can be read item by item.
//!
//! Accepts what Go's `encoding/json` accepts: RFC 8259, with lone surrogates in escapes read as U+FFFD.

mod outline;
mod parts;
mod scan;

pub use self::outline::{Elements, Field, Fields, Span, Values, elements, fields, read_span, values};
pub use self::parts::{Part, Parts};
use self::scan::Scanner;
use super::{Kind, MAX_DEPTH, Open, Position, ReadError, Tree, narrow};
use crate::model::diagnostic::Code;

/// Reads the one JSON value that `source` holds into `tree`, which is reset first.
///
/// Strings and keys are [`Kind::Text`]; numbers, `true`, `false` and `null` are [`Kind::Plain`]. After an error the
/// tree is empty.
///
/// # Errors
///
/// When the text is not one JSON value, or nests deeper than [`MAX_DEPTH`].
pub fn read<'s>(source: &'s str, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    read_at(source, Position { line: 1, column: 1 }, tree)
}

/// [`read`], for a text that starts at another place of its file.
///
/// # Errors
///
/// As [`read`].
pub fn read_at<'s>(source: &'s str, base: Position, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    tree.reset(source);
    let mut scanner = Scanner::new(source, base);
    let result = value(&mut scanner, tree, 0).and_then(|()| scanner.end());
    if result.is_err() {
        tree.reset(source);
    }
    result
}

/// Reads the value at the scanner, which stands so deep in others, into the tree, and leaves the scanner behind it.
fn value<'s>(scanner: &mut Scanner<'s>, tree: &mut Tree<'s>, depth: usize) -> Result<(), ReadError> {
    let mut open: Vec<(Open, Kind)> = Vec::with_capacity(16);
    loop {
        scanner.white_space();
        let position = scanner.position();
        match scanner.peek() {
            Some(first @ (b'{' | b'[')) => {
                if depth + open.len() >= MAX_DEPTH {
                    return Err(too_deep(position));
                }
                scanner.advance(1);
                scanner.white_space();
                let (kind, last) = if first == b'{' { (Kind::Mapping, b'}') } else { (Kind::Sequence, b']') };
                let collection = tree.open(kind, position);
                if scanner.peek() == Some(last) {
                    scanner.advance(1);
                    tree.close(collection);
                } else {
                    open.push((collection, kind));
                    if kind == Kind::Mapping {
                        key(scanner, tree)?;
                    }
                    continue;
                }
            }
            Some(b'"') => string(scanner, tree, position)?,
            _ => {
                let range = scanner.literal()?;
                tree.push_borrowed(Kind::Plain, range.start, range.len(), position);
            }
        }
        // A value is complete: go on with what it stands in.
        loop {
            let Some((collection, kind)) = open.last() else { return Ok(()) };
            scanner.white_space();
            match (kind, scanner.peek()) {
                (Kind::Mapping, Some(b',')) => {
                    scanner.advance(1);
                    scanner.white_space();
                    key(scanner, tree)?;
                    break;
                }
                (Kind::Sequence, Some(b',')) => {
                    scanner.advance(1);
                    break;
                }
                (Kind::Mapping, Some(b'}')) | (Kind::Sequence, Some(b']')) => {
                    scanner.advance(1);
                    tree.close(*collection);
                    open.pop();
                }
                (Kind::Mapping, _) => return Err(scanner.unexpected("`,` or `}`")),
                _ => return Err(scanner.unexpected("`,` or `]`")),
            }
        }
    }
}

/// A key and its colon.
fn key<'s>(scanner: &mut Scanner<'s>, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    if scanner.peek() != Some(b'"') {
        return Err(scanner.unexpected("a key in double quotes"));
    }
    let position = scanner.position();
    string(scanner, tree, position)?;
    scanner.colon()
}

fn string<'s>(scanner: &mut Scanner<'s>, tree: &mut Tree<'s>, position: Position) -> Result<(), ReadError> {
    let text = scanner.string()?;
    if text.escaped {
        let from = tree.owned.len();
        scan::unescape(scanner.source(), &text, position, &mut tree.owned)?;
        let (len, end) = (narrow(tree.owned.len() - from), narrow(tree.entries.len() + 1));
        let (kind, start) = (Kind::Text, narrow(from));
        tree.entries.push(super::Entry { kind, owned: true, literal: false, start, len, end, position });
    } else {
        tree.push_borrowed(Kind::Text, text.range.start, text.range.len(), position);
    }
    Ok(())
}

fn invalid(position: Position, message: impl Into<String>) -> ReadError {
    ReadError { code: Code::InvalidJson, position, message: message.into() }
}

fn too_deep(position: Position) -> ReadError {
    let message = format!("nested more than {MAX_DEPTH} levels deep");
    ReadError { code: Code::NestingTooDeep, position, message }
}
