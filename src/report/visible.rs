//! Texts from the inputs as people may safely see them: one line, no terminal commands, nothing that hides.
//!
//! RBAC takes nearly any text for a name, so a manifest that is under review can hold line ends that begin a
//! forged answer, escape sequences that colour or move it, and marks that turn the reading direction round.
//! Whatever prints for people sends each line through [`visible`]; JSON, CSV and the page for browsers have rules
//! of their own and keep the text.

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
    fn every_other_text_stays_as_it_is() {
        for text in ["", "dev:alice", "Jörg 東京 🦀", r"C:\new", "a b", "=1+1", "\u{a0}"] {
            assert_eq!(visible(text), text);
        }
    }
}
