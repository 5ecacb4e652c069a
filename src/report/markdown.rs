//! Text in Markdown.

use super::visible::is_hidden;

/// A text as Markdown shows it literally, also inside a table.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '|' | '\\' | '*' | '_' | '`' | '[' | ']' | '~' => {
                escaped.push('\\');
                escaped.push(char);
            }
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' => escaped.push_str("<br>"),
            char if is_hidden(char) => escaped.extend(char.escape_default()),
            char => escaped.push(char),
        }
    }
    escaped
}
