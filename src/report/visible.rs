//! Texts from the inputs as people may safely see them: one line, no terminal commands, nothing that hides.
//!
//! RBAC takes nearly any text for a name, so a manifest that is under review can hold line ends that begin a
//! forged answer, escape sequences that colour or move it, and marks that turn the reading direction round.
//! Whatever prints for people sends each line through [`visible`]; JSON, CSV and the page for browsers have rules
//! of their own and keep the text.

use std::io::{self, Write};

use serde_json::ser::{Formatter, PrettyFormatter};

/// Whether a character would disturb a line of text, or not be seen in it: control characters, ends of lines and
/// paragraphs, marks of direction, and characters without width.
pub fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether nothing in a text can be hidden, by a look at its bytes alone.
fn is_plain(text: &str) -> bool {
    // Without an end at the first find, many bytes are looked at in one go.
    text.bytes().fold(true, |plain, byte| plain & (0x20..0x7f).contains(&byte))
}

/// A text with what [`is_hidden`] in it written out: `\n`, `\u{1b}`, `\u{202e}`.
///
/// A backslash stays as it is, for paths have them; where a name may really hold the text `\n`, `-o json` tells.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hidden(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// Makes of a text from the byte `start` on what [`visible`] does; where nothing is hidden, nothing is copied.
pub fn make_visible(text: &mut String, start: usize) {
    let Some(own) = text.get(start..) else { return };
    if is_plain(own) || !own.contains(is_hidden) {
        return;
    }
    let shown = visible(own);
    text.truncate(start);
    text.push_str(&shown);
}

/// Writes JSON with indents, and what [`is_hidden`] in its strings as escapes. JSON itself asks for that only up to
/// U+001F, but a terminal obeys U+009B too, and what takes colours away takes DEL for a part of them.
///
/// It gets whole pieces of strings, so that no character is ever cut in two.
#[derive(Default)]
pub struct EscapedInJson(PrettyFormatter<'static>);

impl Formatter for EscapedInJson {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if is_plain(fragment) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| is_hidden(*char)) {
            let (before, from) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = from.split_at(char.len_utf8()).1;
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn what_would_disturb_a_line_is_written_out() {
        for (text, shown) in [
            ("a\nyes - all", r"a\nyes - all"),
            ("a\r\tb", r"a\r\tb"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{7f}\u{9b}2J\u{85}", r"\u{7f}\u{9b}2J\u{85}"),
            ("a\u{202e}b\u{2066}c\u{200f}", r"a\u{202e}b\u{2066}c\u{200f}"),
            ("a\u{2028}b\u{200b}c\u{feff}", r"a\u{2028}b\u{200b}c\u{feff}"),
            ("\0", r"\u{0}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    /// As people and terminals get it.
    fn json(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        let mut json = serde_json::Serializer::with_formatter(&mut out, EscapedInJson::default());
        value.serialize(&mut json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_says_the_same_with_less() {
        let value = serde_json::json!({ "a\u{7f}": ["\u{9b}31m\n", "\u{202e}\u{e0041}", "plain \u{e9}", "\"\u{7f}\\"] });
        let escaped = json(&value);
        assert!(!escaped.chars().any(|char| char != '\n' && is_hidden(char)), "{escaped:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        for expected in [
            r#""a\u007f""#,
            r#""\u009b31m\n""#,
            r#""\u202e\udb40\udc41""#,
            "\"plain \u{e9}\"",
            r#""\"\u007f\\""#,
        ] {
            assert!(escaped.contains(expected), "{expected} in {escaped}");
        }
    }

    #[test]
    fn json_with_nothing_hidden_is_as_serde_json_prints_it() {
        let value =
            serde_json::json!({ "a": [], "b": {}, "c": [1, "J\u{f6}rg \n", [null, {"d": [true, 2.5]}]] });
        assert_eq!(json(&value), serde_json::to_string_pretty(&value).unwrap());
    }

    /// A text that comes in pieces, as one that is made while it is written.
    #[test]
    fn pieces_are_escaped_as_the_whole() {
        struct Pieces(&'static str);
        impl std::fmt::Display for Pieces {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.chars().try_for_each(|char| write!(f, "{char}"))
            }
        }
        impl Serialize for Pieces {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        let text = "\u{7f}a\u{85}\u{6771}\u{1f980}\u{e0041}\n\u{feff}";
        assert_eq!(json(&Pieces(text)), json(&text));
        assert!(json(&text).is_ascii() || !json(&text).contains(is_hidden));
    }

    #[test]
    fn only_the_end_of_a_text_is_made_visible() {
        for text in ["", "plain", "\u{f6}", "a\nb", "\u{7f}", "\u{1f980}\u{202e}"] {
            let mut line = "\u{1b}[2m".to_owned();
            let start = line.len();
            line += text;
            make_visible(&mut line, start);
            assert_eq!(line, format!("\u{1b}[2m{}", visible(text)));
        }
    }

    #[test]
    fn every_other_text_stays_as_it_is() {
        for text in ["", "dev:alice", "Jörg 東京 🦀", r"C:\new", "a b", "=1+1", "\u{a0}"] {
            assert_eq!(visible(text), text);
        }
    }
}
