//! Finds the tags at which the parser would panic: those followed by a comma, as in `[!a,b]`.
//!
//! go-yaml refuses them, so they are refused here before the parser meets them. Such a comma may as well stand in
//! a text or comment; the parser's own scanner is asked, over a copy in which each comma in doubt is replaced by a
//! character that no tag may hold.

use libyaml_safer::{Encoding, ScalarStyle, Scanner, TokenData};

use super::super::super::{Position, ReadError};
use super::super::invalid;
use super::{Input, locate};

const STAND_IN: u8 = b'^';

/// How often a comma in doubt may turn out to be part of plain text in a flow collection.
const ROUNDS: usize = 64;

pub(super) fn refuse_tag_before_comma(text: &str, first_line: u32) -> Result<(), ReadError> {
    let doubtful = commas_in_doubt(text);
    if doubtful.is_empty() {
        return Ok(());
    }
    let refuse = |at: usize| {
        let position: Position = locate(text, at, first_line);
        Err(invalid(
            position,
            "a tag needs a space before the comma: quote a text that starts with `!`".into(),
        ))
    };
    let mut copy = text.as_bytes().to_vec();
    let mut set = |commas: &[usize], byte: u8| {
        for comma in commas {
            if let Some(place) = copy.get_mut(*comma) {
                *place = byte;
            }
        }
        copy.clone()
    };
    let mut scanned = set(&doubtful, STAND_IN);
    let mut rest = doubtful.as_slice();
    for _ in 0..ROUNDS {
        match scan(&scanned, rest) {
            Found::Nothing => return Ok(()),
            Found::Tag(at) => return refuse(at),
            Found::Text(at) => {
                let done = rest.partition_point(|comma| *comma <= at);
                let (before, after) = rest.split_at(done);
                scanned = set(before, b',');
                rest = after;
            }
        }
    }
    rest.first().map_or(Ok(()), |at| refuse(*at))
}

enum Found {
    Nothing,
    /// The comma here ends a tag.
    Tag(usize),
    /// The comma here, if it is read as one, changes what follows.
    Text(usize),
}

/// The tokens are the real ones up to the first comma that stands in plain text of a flow collection.
fn scan(text: &[u8], doubtful: &[usize]) -> Found {
    let mut scanner = Scanner::new();
    scanner.set_encoding(Encoding::Utf8);
    scanner.set_input(Input::new(text));
    let mut rest = doubtful;
    let mut level = 0_usize;
    loop {
        let token = match scanner.next() {
            None => return Found::Nothing,
            Some(Ok(token)) => token,
            Some(Err(error)) => {
                let at = error.problem_mark().map(|mark| mark.index).and_then(|at| usize::try_from(at).ok());
                let Some(at) = at else { return Found::Nothing };
                let tag = matches!(error.context(), Some("while scanning a tag" | "while parsing a tag"));
                if tag && rest.contains(&at) {
                    return Found::Tag(at);
                }
                return rest
                    .first()
                    .filter(|comma| **comma <= at)
                    .map_or(Found::Nothing, |comma| Found::Text(*comma));
            }
        };
        let start = usize::try_from(token.start_mark.index).unwrap_or(usize::MAX);
        let end = usize::try_from(token.end_mark.index).unwrap_or(usize::MAX);
        match token.data {
            TokenData::FlowSequenceStart | TokenData::FlowMappingStart => level += 1,
            TokenData::FlowSequenceEnd | TokenData::FlowMappingEnd => level = level.saturating_sub(1),
            TokenData::Scalar { style: ScalarStyle::Plain, .. } if level > 0 => {
                if let Some(comma) = rest.iter().find(|comma| (start..end).contains(comma)) {
                    return Found::Text(*comma);
                }
            }
            _ => {}
        }
        rest = rest.get(rest.partition_point(|comma| *comma < end)..).unwrap_or_default();
    }
}

/// The commas that follow an exclamation mark, where a token may start, without white space between.
fn commas_in_doubt(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut commas = Vec::new();
    if memchr::memchr2(b'[', b'{', bytes).is_none() {
        return commas;
    }
    let mut from = 0;
    while let Some(found) = bytes.get(from..).and_then(|rest| memchr::memchr(b'!', rest)) {
        let mark = from + found;
        let before = mark.checked_sub(1).and_then(|at| bytes.get(at));
        from = mark + 1;
        if before.is_some_and(|byte| !b" \t\r\n[]{},:?'\"".contains(byte) && byte.is_ascii()) {
            continue;
        }
        for (at, byte) in bytes.iter().enumerate().skip(mark) {
            from = at;
            match byte {
                b',' => commas.push(at),
                b' ' | b'\t' | b'\r' | b'\n' => break,
                _ => {}
            }
        }
        from += 1;
    }
    commas
}
