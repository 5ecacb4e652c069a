//! The outline of a JSON text: the fields of an object and the elements of an array as ranges, not yet read.
//!
//! What is passed over is looked at for strings and brackets only; each part is checked when it is read. A List of
//! any size is so read item by item into one tree.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{Scanner, unescape};
use super::{Position, ReadError, Tree, value};

/// A JSON value in a text, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The bytes of the value, without white space around it.
    pub range: Range<usize>,
    /// Where it starts.
    pub position: Position,
}

impl Span {
    /// All of a text, from line 1 and column 1.
    pub fn whole(source: &str) -> Self {
        Self { range: 0..source.len(), position: Position { line: 1, column: 1 } }
    }

    /// The text of the value.
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        source.get(self.range.clone()).unwrap_or_default()
    }
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'s> {
    /// The key.
    pub key: Cow<'s, str>,
    /// The value.
    pub value: Span,
}

/// Reads the value of a span into `tree`, which is reset first.
///
/// # Errors
///
/// As [`read`](super::read).
pub fn read_span<'s>(source: &'s str, span: &Span, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    super::read_at(span.text(source), span.position, tree)
}

/// The fields of the object in a span, in order. A span that holds anything else, or more, gives an error.
pub fn fields<'s>(source: &'s str, span: &Span) -> Fields<'s> {
    Fields(Walk::new(source, span))
}

/// The elements of the array in a span, in order. A span that holds anything else, or more, gives an error.
pub fn elements<'s>(source: &'s str, span: &Span) -> Elements<'s> {
    Elements(Walk::new(source, span))
}

/// The values of a text that holds one after the other, as a stream of objects does.
pub fn values(source: &str) -> Values<'_> {
    Values(Some(Scanner::new(source, Position { line: 1, column: 1 })))
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum State {
    Before,
    Inside,
    Done,
}

/// A walk over the parts of one collection.
#[derive(Clone, Debug)]
struct Walk<'s> {
    scanner: Scanner<'s>,
    state: State,
}

impl<'s> Walk<'s> {
    fn new(source: &'s str, span: &Span) -> Self {
        let text = source.get(..span.range.end).unwrap_or(source);
        Self { scanner: Scanner::starting_at(text, span.range.start, span.position), state: State::Before }
    }

    /// Moves to the next part; `false` at the end.
    fn next(&mut self, open: u8, close: u8) -> Result<bool, ReadError> {
        self.scanner.white_space();
        let wanted = match self.state {
            State::Done => return Ok(false),
            State::Before if self.scanner.peek() == Some(open) => {
                self.state = State::Inside;
                self.scanner.advance(1);
                self.scanner.white_space();
                if self.scanner.peek() != Some(close) {
                    return Ok(true);
                }
                ""
            }
            State::Before if open == b'{' => "an object",
            State::Before => "an array",
            State::Inside if self.scanner.peek() == Some(b',') => {
                self.scanner.advance(1);
                self.scanner.white_space();
                return Ok(true);
            }
            State::Inside if open == b'{' => "`,` or `}`",
            State::Inside => "`,` or `]`",
        };
        if self.state == State::Inside && self.scanner.peek() == Some(close) {
            self.state = State::Done;
            self.scanner.advance(1);
            return self.scanner.end().map(|()| false);
        }
        Err(self.scanner.unexpected(wanted))
    }

    /// One step of an iterator, which ends after the first error.
    fn step<T>(
        &mut self,
        [open, close]: [u8; 2],
        part: impl FnOnce(&mut Scanner<'s>) -> Result<T, ReadError>,
    ) -> Option<Result<T, ReadError>> {
        let result = match self.next(open, close) {
            Ok(false) => return None,
            Ok(true) => part(&mut self.scanner),
            Err(error) => Err(error),
        };
        if result.is_err() {
            self.state = State::Done;
        }
        Some(result)
    }
}

fn skip(scanner: &mut Scanner<'_>) -> Result<Span, ReadError> {
    scanner.white_space();
    let position = scanner.position();
    let range = scanner.skip()?;
    Ok(Span { range, position })
}

/// The iterator that [`fields`] gives.
#[derive(Clone, Debug)]
pub struct Fields<'s>(Walk<'s>);

impl<'s> Iterator for Fields<'s> {
    type Item = Result<Field<'s>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.step(*b"{}", |scanner| {
            if scanner.peek() != Some(b'"') {
                return Err(scanner.unexpected("a key in double quotes"));
            }
            let position = scanner.position();
            let quoted = scanner.string()?;
            let source = scanner.source();
            let key = if quoted.escaped {
                let mut key = String::new();
                unescape(source, &quoted, position, &mut key)?;
                Cow::Owned(key)
            } else {
                Cow::Borrowed(source.get(quoted.range).unwrap_or_default())
            };
            scanner.colon()?;
            Ok(Field { key, value: skip(scanner)? })
        })
    }
}

/// The iterator that [`elements`] gives.
#[derive(Clone, Debug)]
pub struct Elements<'s>(Walk<'s>);

impl<'s> Elements<'s> {
    /// Reads the next element into `tree`, which is reset first, and tells where it starts: the same as taking the
    /// next span and reading it, in one pass.
    pub fn read_next(&mut self, tree: &mut Tree<'s>) -> Option<Result<Position, ReadError>> {
        tree.reset(self.0.scanner.source());
        let result = self.0.step(*b"[]", |scanner| {
            let position = scanner.position();
            value(scanner, tree, 0).map(|()| position)
        });
        if matches!(result, Some(Err(_))) {
            tree.reset(self.0.scanner.source());
        }
        result
    }
}

impl Iterator for Elements<'_> {
    type Item = Result<Span, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.step(*b"[]", skip)
    }
}

/// The iterator that [`values`] gives.
#[derive(Clone, Debug)]
pub struct Values<'s>(Option<Scanner<'s>>);

impl Iterator for Values<'_> {
    type Item = Result<Span, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let scanner = self.0.as_mut()?;
        scanner.white_space();
        if scanner.peek().is_none() {
            self.0 = None;
            return None;
        }
        let result = skip(scanner);
        if result.is_err() {
            self.0 = None;
        }
        Some(result)
    }
}
