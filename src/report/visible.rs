//! Texts from the inputs as people may safely see them: one line, no terminal commands, nothing that hides.
//!
//! RBAC takes nearly any text for a name, so a manifest that is under review can hold line ends that begin a
//! forged answer, escape sequences that colour or move it, and marks that turn the reading direction round.
//! Whatever prints for people sends each line through [`visible`]; JSON, CSV and the page for browsers have rules
//! of their own and keep the text.

use std::fmt::Write;

/// Whether a character would disturb a line of text, or not be seen in it: control characters, ends of lines and
/// paragraphs, marks of direction, and characters without width.
pub fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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

/// JSON that says the same, with what [`is_hidden`] in its strings as escapes. JSON itself asks for that only up to
/// U+001F, but a terminal obeys U+009B too.
pub fn escaped_in_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for char in json.chars() {
        // Line ends stand between strings only.
        if char == '\n' || !is_hidden(char) {
            escaped.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            // Writing into a text does not fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn json_says_the_same_with_less() {
        let value = serde_json::json!({ "a\u{7f}": ["\u{9b}31m\n", "\u{202e}\u{e0041}", "plain \u{e9}"] });
        let escaped = escaped_in_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!escaped.chars().any(|char| char != '\n' && is_hidden(char)), "{escaped:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }

    #[test]
    fn every_other_text_stays_as_it_is() {
        for text in ["", "dev:alice", "Jörg 東京 🦀", r"C:\new", "a b", "=1+1", "\u{a0}"] {
            assert_eq!(visible(text), text);
        }
    }
}
