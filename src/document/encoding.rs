//! From the bytes of a file to text: UTF-8, or UTF-16 with a byte order mark, as `PowerShell` writes it.

use std::borrow::Cow;

use super::{Position, ReadError};
use crate::diagnostic::Code;

/// The text of a file, without its byte order mark.
///
/// # Errors
///
/// When the bytes are not text in the encoding that they claim, or look like UTF-16 without the mark.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
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
            assert_eq!(decode(bytes).as_deref(), Ok(text), "{name}");
        }
        assert_eq!(decode(b"").as_deref(), Ok(""), "nothing");
        assert!(matches!(decode(b"a"), Ok(Cow::Borrowed("a"))), "utf8_is_not_copied");
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
