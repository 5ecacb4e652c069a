//! The words of JSON: white space, strings, numbers and literals, with their places.

use std::ops::Range;

use super::super::{MAX_DEPTH, Position, ReadError, narrow};
use super::{invalid, too_deep};

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const SPACES: [u8; 8] = [b' '; 8];

/// A place in a JSON text that moves on.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'s> {
    source: &'s str,
    at: usize,
    line: u32,
    /// Where columns are counted from, the column there, and the bytes since that begin no character.
    line_start: usize,
    line_column: u32,
    continuations: usize,
}

/// A string: what stands between its quotes.
#[derive(Debug)]
pub(super) struct Quoted {
    pub(super) range: Range<usize>,
    pub(super) escaped: bool,
}

impl<'s> Scanner<'s> {
    pub(super) fn new(source: &'s str, base: Position) -> Self {
        Self { source, at: 0, line: base.line, line_start: 0, line_column: base.column, continuations: 0 }
    }

    /// The same, at a byte of the source.
    pub(super) fn starting_at(source: &'s str, at: usize, base: Position) -> Self {
        Self { at, line_start: at, ..Self::new(source, base) }
    }

    pub(super) fn source(&self) -> &'s str {
        self.source
    }

    fn rest(&self) -> &'s [u8] {
        self.source.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    /// Moves on over what is neither a line feed nor outside ASCII.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The byte of the source that is next.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn position(&self) -> Position {
        let column = narrow(self.at - self.line_start - self.continuations).saturating_add(self.line_column);
        Position { line: self.line, column }
    }

    pub(super) fn white_space(&mut self) {
        loop {
            match self.peek() {
                Some(b' ') => {
                    self.at += 1;
                    while self.rest().starts_with(&SPACES) {
                        self.at += SPACES.len();
                    }
                }
                Some(b'\n') => {
                    self.at += 1;
                    self.line = self.line.saturating_add(1);
                    self.line_start = self.at;
                    self.line_column = 1;
                    self.continuations = 0;
                    while self.rest().starts_with(&SPACES) {
                        self.at += SPACES.len();
                    }
                }
                Some(b'\r' | b'\t') => self.at += 1,
                _ => return,
            }
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), ReadError> {
        self.white_space();
        if self.peek().is_none() { Ok(()) } else { Err(self.unexpected("the end of the text")) }
    }

    pub(super) fn colon(&mut self) -> Result<(), ReadError> {
        self.white_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:` after the key"));
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn unexpected(&self, wanted: &str) -> ReadError {
        let found = self.source.get(self.at..).and_then(|rest| rest.chars().next());
        let message = match found {
            Some(found) if !found.is_control() => format!("expected {wanted}, found `{found}`"),
            Some(found) => format!("expected {wanted}, found U+{:04X}", u32::from(found)),
            None => format!("expected {wanted}, found the end of the text"),
        };
        invalid(self.position(), message)
    }

    /// The string whose opening quote is next; the scanner moves behind the closing one.
    pub(super) fn string(&mut self) -> Result<Quoted, ReadError> {
        let start = self.at + 1;
        let opened = self.position();
        self.at = start;
        let mut escaped = false;
        loop {
            let rest = self.rest();
            if let Some(word) = rest.first_chunk::<8>() {
                let word = u64::from_le_bytes(*word);
                if special(word) == 0 {
                    self.at += 8;
                    if word & HIGH != 0 {
                        // Bytes 10xxxxxx.
                        self.continuations += ((word >> 7) & !(word >> 6) & LOW).count_ones() as usize;
                    }
                    continue;
                }
                // Everything before the first special byte can be passed at once when it is ASCII.
                if word & HIGH == 0 {
                    self.at += (special(word).trailing_zeros() / 8) as usize;
                }
            }
            match self.peek() {
                Some(b'"') => {
                    let range = start..self.at;
                    self.at += 1;
                    return Ok(Quoted { range, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    // What is escaped is looked at later; a quote must not end the string.
                    self.at += 1;
                    if self.peek().is_some_and(|byte| matches!(byte, b'"' | b'\\')) {
                        self.at += 1;
                    }
                }
                Some(byte @ ..0x20) => {
                    let message = format!("the control character U+{byte:04X} must be escaped in a string");
                    return Err(invalid(self.position(), message));
                }
                Some(byte) => {
                    self.at += 1;
                    self.continuations += usize::from(byte & 0xC0 == 0x80);
                }
                None => return Err(invalid(opened, "the string that starts here does not end")),
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    pub(super) fn literal(&mut self) -> Result<Range<usize>, ReadError> {
        let start = self.at;
        let rest = self.rest();
        if let Some(b'-' | b'0'..=b'9') = rest.first() {
            let len = number(rest).map_err(|at| {
                self.at += at;
                self.unexpected("a digit")
            })?;
            let text = self.source.get(start..start + len).unwrap_or_default();
            // Anything shorter is within the range of a float.
            if (len > 300 || text.contains(['e', 'E'])) && !text.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err(invalid(self.position(), "the number is out of range"));
            }
            self.at += len;
        } else {
            let words: [&[u8]; 3] = [b"true", b"false", b"null"];
            let Some(word) = words.into_iter().find(|word| rest.starts_with(word)) else {
                return Err(self.unexpected("a value"));
            };
            self.at += word.len();
        }
        Ok(start..self.at)
    }

    /// Moves behind the value that is next, looking at strings and brackets only.
    pub(super) fn skip(&mut self) -> Result<Range<usize>, ReadError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                self.string()?;
            }
            Some(b'{' | b'[') => {
                let opened = self.position();
                let end = match closing(self.rest()) {
                    Ok(len) => start + len,
                    Err(Mismatch::Open) => {
                        return Err(invalid(opened, "the bracket that opens here is not closed"));
                    }
                    Err(Mismatch::Bracket(at)) => {
                        self.pass(start + at);
                        return Err(self.unexpected("the other closing bracket"));
                    }
                    Err(Mismatch::Depth(at)) => {
                        self.pass(start + at);
                        return Err(too_deep(self.position()));
                    }
                };
                self.pass(end);
            }
            _ => {
                self.literal()?;
            }
        }
        Ok(start..self.at)
    }

    /// Moves to a later byte, over anything.
    fn pass(&mut self, to: usize) {
        let passed = self.source.as_bytes().get(self.at..to).unwrap_or_default();
        let mut tail = passed;
        if let Some(feed) = memchr::memrchr(b'\n', passed) {
            let feeds = memchr::memchr_iter(b'\n', passed).count();
            self.line = self.line.saturating_add(narrow(feeds));
            self.line_start = self.at + feed + 1;
            self.line_column = 1;
            self.continuations = 0;
            tail = passed.get(feed + 1..).unwrap_or_default();
        }
        if !tail.is_ascii() {
            self.continuations += tail.iter().filter(|byte| **byte & 0xC0 == 0x80).count();
        }
        self.at = to;
    }
}

/// Marks the bytes of a word that end a run of plain text in a string. The lowest mark is always right.
fn special(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
    zero(word ^ (LOW * u64::from(b'"'))) | zero(word ^ (LOW * u64::from(b'\\'))) | control
}

/// The length of a number, or where it breaks off.
fn number(text: &[u8]) -> Result<usize, usize> {
    let byte = |at: usize| text.get(at).copied();
    let digits = |from: usize| {
        let mut at = from;
        while byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
            at += 1;
        }
        if at == from { Err(at) } else { Ok(at) }
    };
    let mut at = usize::from(byte(0) == Some(b'-'));
    at = if byte(at) == Some(b'0') { at + 1 } else { digits(at)? };
    if byte(at) == Some(b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = byte(at) {
        let sign = matches!(byte(at + 1), Some(b'+' | b'-'));
        at = digits(at + 1 + usize::from(sign))?;
    }
    Ok(at)
}

/// What is wrong with a run of brackets, and where.
enum Mismatch {
    Open,
    Bracket(usize),
    Depth(usize),
}

/// The length of the collection that opens a text.
fn closing(text: &[u8]) -> Result<usize, Mismatch> {
    let mut open = [0_u8; MAX_DEPTH];
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => loop {
                let found = text
                    .get(at..)
                    .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
                    .ok_or(Mismatch::Open)?;
                at += found + 1;
                if text.get(at - 1) == Some(&b'"') {
                    break;
                }
                at += 1;
            },
            b'{' | b'[' => {
                // The closing bracket of each is two after it in ASCII.
                *open.get_mut(depth).ok_or(Mismatch::Depth(at - 1))? = byte + 2;
                depth += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if open.get(depth) != Some(byte) {
                    return Err(Mismatch::Bracket(at - 1));
                }
                if depth == 0 {
                    return Ok(at);
                }
            }
            _ => {}
        }
    }
    Err(Mismatch::Open)
}

/// Appends the text of a string with its escapes resolved.
pub(super) fn unescape(
    source: &str,
    text: &Quoted,
    opened: Position,
    out: &mut String,
) -> Result<(), ReadError> {
    let raw = source.get(text.range.clone()).unwrap_or_default();
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let wrong = || {
            let done = raw.len() - after.len();
            let columns = raw.get(..done).map_or(0, |text| text.chars().count());
            let column = opened.column.saturating_add(1).saturating_add(narrow(columns));
            invalid(
                Position { line: opened.line, column },
                "this string has an escape that JSON does not allow",
            )
        };
        let (char, len) = match after.as_bytes().get(1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => (char::from(*byte), 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => {
                let first = unit(after).ok_or_else(wrong)?;
                let pair = after.get(6..).and_then(unit).and_then(|second| {
                    char::decode_utf16([first, second]).next()?.ok().filter(|char| char.len_utf16() == 2)
                });
                match (pair, char::from_u32(u32::from(first))) {
                    (Some(char), _) => (char, 12),
                    (None, Some(char)) => (char, 6),
                    (None, None) => (char::REPLACEMENT_CHARACTER, 6),
                }
            }
            _ => return Err(wrong()),
        };
        out.push(char);
        rest = after.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(())
}

/// The number of an escape such as `\u00e9`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}
