//! From the bytes of a file to text: UTF-8, or UTF-16 with a byte order mark, as `PowerShell` writes it.

use std::borrow::Cow;

use super::{Position, ReadError};
use crate::model::diagnostic::Code;

/// The text of a file, without its byte order mark, its lines ended by line feeds alone.
///
/// # Errors
///
/// When the bytes are not text in the encoding that they claim, or look like UTF-16 without the mark.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let text = characters(bytes)?;
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return Ok(text);
    }
    let mut bytes = text.into_owned().into_bytes();
    unify_line_ends(&mut bytes, 0);
    // Nothing but ASCII was taken out.
    Ok(Cow::Owned(String::from_utf8(bytes).unwrap_or_default()))
}

/// Turns each carriage return and line feed from a place on into a line feed, which is the same to YAML and JSON.
///
/// One that stands behind another carriage return stays as it is: without it, that other one would be one with the
/// line feed.
pub(crate) fn unify_line_ends(bytes: &mut Vec<u8>, from: usize) {
    let Some(first) = bytes.get(from..).and_then(|new| memchr::memchr(b'\r', new)) else { return };
    let start = from + first;
    let mut before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let mut to = start;
    for at in start..bytes.len() {
        let (byte, next) = (bytes.get(at).copied().unwrap_or_default(), bytes.get(at + 1));
        let is_half = byte == b'\r' && before != Some(b'\r') && next == Some(&b'\n');
        before = Some(byte);
        if !is_half {
            if let Some(place) = bytes.get_mut(to) {
                *place = byte;
            }
            to += 1;
        }
    }
    bytes.truncate(to);
}

/// Whether a file that begins with these bytes is UTF-8 without a mark, as far as can be seen.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    !matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0xEF, 0xBB, 0xBF, ..] | [0, ..] | [_, 0, ..])
}

/// The characters of a file.
fn characters(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            Err(invalid(Position { line: 1, column: 1 }, "the text is UTF-32: save it as UTF-8".into()))
        }
        [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        [0xEF, 0xBB, 0xBF, rest @ ..] => decode_utf8(rest).map(Cow::Borrowed),
        // The first character of any manifest is ASCII.
        [0, _, ..] | [_, 0, ..] => {
            let message = "the text is UTF-16 without a byte order mark: save it as UTF-8";
            Err(invalid(Position { line: 1, column: 1 }, message.into()))
        }
        _ => decode_utf8(bytes).map(Cow::Borrowed),
    }
}

fn decode_utf8(bytes: &[u8]) -> Result<&str, ReadError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let position = position_after(&String::from_utf8_lossy(valid));
        let found = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        invalid(position, format!("the byte 0x{found:02X} is not UTF-8: save the file as UTF-8"))
    })
}

fn decode_utf16(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Result<String, ReadError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    for unit in char::decode_utf16(pairs.iter().map(|pair| number(*pair))) {
        match unit {
            Ok(char) => text.push(char),
            Err(error) => {
                let unit = error.unpaired_surrogate();
                return Err(invalid(
                    position_after(&text),
                    format!("0x{unit:04X} is not UTF-16: save the file as UTF-8"),
                ));
            }
        }
    }
    if !rest.is_empty() {
        return Err(invalid(position_after(&text), "the text is UTF-16 and ends in half a character".into()));
    }
    Ok(text)
}

fn position_after(text: &str) -> Position {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count();
    Position { line: number(lines).saturating_add(1), column: number(column).saturating_add(1) }
}

fn invalid(position: Position, message: String) -> ReadError {
    ReadError { code: Code::InvalidEncoding, position, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let utf16 = |text: &str, mark: u16, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(mark).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        let text = "kind: Rolé\r\n# 😀\n";
        let rows: &[(&str, Vec<u8>)] = &[
            ("utf8", text.as_bytes().to_vec()),
            ("utf8_with_mark", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
            ("utf16_little_endian", utf16(text, 0xFEFF, u16::to_le_bytes)),
            ("utf16_big_endian", utf16(text, 0xFEFF, u16::to_be_bytes)),
        ];
        for (name, bytes) in rows {
            assert_eq!(decode(bytes).as_deref(), Ok("kind: Rolé\n# 😀\n"), "{name}");
        }
        assert_eq!(decode(b"").as_deref(), Ok(""), "nothing");
        assert!(matches!(decode(b"a"), Ok(Cow::Borrowed("a"))), "utf8_is_not_copied");
    }

    #[test]
    fn line_ends_are_unified() {
        let rows = [
            ("none", "a\nb", "a\nb"),
            ("windows", "a\r\nb\r\n", "a\nb\n"),
            ("lone_returns_are_kept", "a\rb\r", "a\rb\r"),
            ("a_return_before_a_line_end_is_kept", "a\r\r\nb\r\n", "a\r\r\nb\n"),
            ("first", "\r\na", "\na"),
        ];
        for (name, text, expected) in rows {
            assert_eq!(decode(text.as_bytes()).as_deref(), Ok(expected), "{name}");
            // The same in two parts, of which the first does not end in a carriage return.
            for cut in (0..=text.len()).filter(|cut| !text[..*cut].ends_with('\r')) {
                let mut bytes = text.as_bytes()[..cut].to_vec();
                unify_line_ends(&mut bytes, 0);
                let from = bytes.len();
                bytes.extend_from_slice(&text.as_bytes()[cut..]);
                unify_line_ends(&mut bytes, from);
                assert_eq!(bytes, expected.as_bytes(), "{name} cut at {cut}");
            }
        }
    }

    #[test]
    fn invalid_encodings() {
        let rows: &[(&str, &[u8], u32, u32)] = &[
            ("latin1", b"a: 1\nname: caf\xE9\n", 2, 10),
            ("cut_utf8", b"\xEF\xBB\xBFa\xC3", 1, 2),
            ("cut_utf16", b"\xFF\xFEa\0\n\0b", 2, 1),
            ("lone_surrogate", b"\xFF\xFEa\0\0\xD8b\0", 1, 2),
            ("utf16_without_mark", b"a\0:\0", 1, 1),
            ("utf16_big_endian_without_mark", b"\0a\0:", 1, 1),
            ("utf32", b"\xFF\xFE\0\0a\0\0\0", 1, 1),
        ];
        for (name, bytes, line, column) in rows {
            let error = decode(bytes).unwrap_err();
            assert_eq!(error.code, Code::InvalidEncoding, "{name}");
            assert_eq!(error.position, Position { line: *line, column: *column }, "{name}: {error}");
        }
    }
}
