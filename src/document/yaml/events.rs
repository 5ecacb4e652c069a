//! The event parser, with what it stumbles over kept away from it and its complaints put into helpful words.

mod tags;

use std::io::{BufRead, Read};

use libyaml_safer::{Encoding, Error, ErrorKind, Event, EventData, Mark, Parser};

use super::super::{Position, ReadError};
use super::invalid;

/// Closes a last line that is open. The parser panics at a block scalar whose last line is not closed; libyaml keeps this
/// line separator apart from a line feed, so that it can be taken off the scalar again.
pub(super) const END: char = '\u{2028}';

/// How much is decoded at once.
const CHUNK: usize = 8192;

/// The events of the text before the first error.
pub(super) struct Events<'s> {
    parser: Parser<Input<'s>>,
    source: &'s str,
    /// Bytes before the text that the parser sees: a byte order mark.
    skipped: usize,
    first_line: u32,
}

impl<'s> Events<'s> {
    pub(super) fn new(source: &'s str, first_line: u32) -> Result<Self, ReadError> {
        let text = source.strip_prefix('\u{feff}').unwrap_or(source);
        tags::refuse_tag_before_comma(text, first_line)?;
        let mut parser = Parser::new();
        parser.set_encoding(Encoding::Utf8);
        parser.set_input(Input::new(text.as_bytes()));
        Ok(Self { parser, source, skipped: source.len() - text.len(), first_line })
    }

    pub(super) fn next(&mut self) -> Result<Event, ReadError> {
        self.parser.parse().map_err(|error| self.explain(&error))
    }

    /// After the end of a document: where something further begins.
    pub(super) fn unread(&mut self) -> Option<Position> {
        match self.parser.parse() {
            Ok(event) if event.data == EventData::StreamEnd => None,
            Ok(event) => Some(position(event.start_mark, self.first_line)),
            Err(error) => Some(self.explain(&error).position),
        }
    }

    /// Where a mark stands in the source, in bytes.
    pub(super) fn offset(&self, mark: Mark) -> usize {
        usize::try_from(mark.index).unwrap_or(usize::MAX).saturating_add(self.skipped)
    }

    fn explain(&self, error: &Error) -> ReadError {
        if error.kind() == ErrorKind::Reader {
            let at = self.source.find(|char| !is_allowed(char)).unwrap_or(self.source.len());
            let found = self.source.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
            let message = format!("the control character U+{:04X} is not allowed", u32::from(found));
            return invalid(locate(self.source, at, self.first_line), message);
        }
        let problem = error.problem();
        let mark = error.problem_mark().unwrap_or_default();
        let context = error.context_mark().filter(|_| error.context().is_some());
        let found = self.source.get(self.offset(mark)..).and_then(|rest| rest.chars().next());
        let line = self.line(mark);
        let context_line = context.map(|mark| self.line(mark)).unwrap_or_default();
        // These are noticed long after what causes them.
        let late = found.is_none()
            || matches!(problem, "could not find expected ':'" | "found unexpected document indicator");
        let at = if late { context.unwrap_or(mark) } else { mark };
        let message = match (problem, found) {
            _ if [line, context_line].iter().any(|line| line.contains("{{") || line.contains("{%")) => {
                format!("{problem}: quote the value, or render the template first")
            }
            ("found character that cannot start any token", Some('\t'))
            | (
                "found a tab character that violates indentation"
                | "found a tab character where an indentation space is expected",
                _,
            ) => "a tab is used for indentation: use spaces".into(),
            ("found character that cannot start any token", Some(found)) => {
                format!("a value cannot start with `{found}`: quote it")
            }
            ("mapping values are not allowed in this context", _) => {
                "a mapping cannot start here: check the indentation, or quote a value that holds `: `".into()
            }
            ("did not find expected key" | "did not find expected '-' indicator", _) => {
                format!("{problem}: check the indentation of this line")
            }
            ("could not find expected ':'", _) => "a key without `:`: check the indentation".into(),
            ("found unexpected end of stream" | "found unexpected document indicator", _) => {
                "the quoted text that starts here does not end".into()
            }
            ("did not find expected <document start>", _) => {
                "there is text after the end of the document".into()
            }
            _ => match error.context() {
                Some(context) => format!("{problem} {context}"),
                None => problem.into(),
            },
        };
        invalid(position(at, self.first_line), message)
    }

    fn line(&self, mark: Mark) -> &str {
        let at = self.offset(mark).min(self.source.len());
        let start = self.source.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |feed| feed + 1);
        self.source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }
}

/// The characters that libyaml's reader lets pass.
fn is_allowed(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

pub(super) fn position(mark: Mark, first_line: u32) -> Position {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Position {
        line: number(mark.line).saturating_add(first_line),
        column: number(mark.column).saturating_add(1),
    }
}

/// The position of a byte, by line feeds.
fn locate(source: &str, at: usize, first_line: u32) -> Position {
    let before = source.get(..at).unwrap_or_default();
    let lines = memchr::memchr_iter(b'\n', before.as_bytes()).count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Position { line: number(lines).saturating_add(first_line), column: number(column) }
}

/// A text in pieces, and a line end after it where it has none. The parser decodes all that it is given at once.
pub(super) struct Input<'s> {
    rest: &'s [u8],
    end: &'static [u8],
}

impl<'s> Input<'s> {
    pub(super) fn new(rest: &'s [u8]) -> Self {
        let ends: [&[u8]; 5] =
            [b"\n", b"\r", "\u{85}".as_bytes(), "\u{2028}".as_bytes(), "\u{2029}".as_bytes()];
        let closed = ends.iter().any(|end| rest.ends_with(end));
        Self { rest, end: if closed { &[] } else { "\u{2028}".as_bytes() } }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.rest.is_empty() {
            return Ok(self.end);
        }
        let mut len = CHUNK.min(self.rest.len());
        while self.rest.get(len).is_some_and(|byte| byte & 0xC0 == 0x80) {
            len -= 1;
        }
        Ok(self.rest.get(..len).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if self.rest.is_empty() {
            self.end = self.end.get(amount..).unwrap_or_default();
        } else {
            self.rest = self.rest.get(amount..).unwrap_or_default();
        }
    }
}
