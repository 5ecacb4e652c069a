//! What a block YAML document is, from a look at its lines: its kind.
//!
//! Nothing is said unless it is certain. A line in the column of the outermost keys may lie: inside a quoted text
//! or flow collection that goes on over lines, or overridden by a later key, merge key or explicit key. So the
//! lines that count must come before anything that could hold them, and no later line may start like such a key.

use super::{ScalarType, scalar};

/// The `apiVersion` and `kind` of a document whose outermost mapping starts in the first column.
///
/// Whenever the document reads without an error, it has these; whether it does is not known from here.
pub fn kind_of_document(text: &str) -> Option<(&str, &str)> {
    Sniff::default().run(text)
}

#[derive(Default)]
struct Sniff<'s> {
    api_version: Option<&'s str>,
    kind: Option<&'s str>,
    /// An outermost key was seen.
    started: bool,
    /// A deeper line would go on with the value that was found last.
    open: bool,
}

impl<'s> Sniff<'s> {
    fn run(mut self, text: &'s str) -> Option<(&'s str, &'s str)> {
        if has_other_line_ends(text) {
            return None;
        }
        for line in lines(text) {
            let line = line.strip_suffix('\n').unwrap_or(line);
            let content = line.trim_start_matches(' ');
            if content.is_empty() {
                continue;
            }
            if content.starts_with('#') {
                self.open = false;
                continue;
            }
            if (self.kind.is_none() || self.api_version.is_none()) && !is_closed(content) {
                return None;
            }
            if content.len() == line.len() {
                self.outermost(content)?;
            } else if self.open || !self.started {
                return None;
            }
        }
        Some((self.api_version?, self.kind?))
    }

    /// A line in the column of the outermost keys.
    fn outermost(&mut self, line: &'s str) -> Option<()> {
        self.open = false;
        if line == "-" || line.starts_with("- ") {
            return self.started.then_some(());
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        let len = line.bytes().take_while(|byte| is_word(*byte)).count();
        let (key, rest) = line.split_at(len);
        let value = rest.strip_prefix(':')?;
        if !key.starts_with(|char: char| char.is_ascii_alphabetic())
            || !(value.is_empty() || value.starts_with(' '))
        {
            return None;
        }
        self.started = true;
        let found = match key {
            "kind" => &mut self.kind,
            "apiVersion" => &mut self.api_version,
            _ => return Some(()),
        };
        let value = value.strip_prefix(' ')?;
        let simple = !value.is_empty() && value.bytes().all(is_word) && !value.starts_with(['-', '.']);
        if found.is_some() || !simple || scalar::resolve(value) != ScalarType::Text {
            return None;
        }
        *found = Some(value);
        self.open = true;
        Some(())
    }
}

/// Whether a line leaves no quote and no bracket open, if none was open before: it has none, or ends in one
/// quoted text, `{}` or `[]`.
fn is_closed(line: &str) -> bool {
    let Some(at) = line.bytes().position(|byte| matches!(byte, b'"' | b'\'' | b'[' | b'{')) else {
        return true;
    };
    let rest = line.get(at..).unwrap_or_default();
    if matches!(rest, "{}" | "[]") {
        return true;
    }
    match rest.as_bytes() {
        [first @ (b'"' | b'\''), inside @ .., last] => {
            first == last && !inside.contains(first) && !inside.contains(&b'\\')
        }
        _ => false,
    }
}

/// Whether lines end otherwise than by a line feed: YAML 1.1 knows five ways.
fn has_other_line_ends(text: &str) -> bool {
    memchr::memchr(b'\r', text.as_bytes()).is_some()
        || !text.is_ascii()
            && ["\u{85}", "\u{2028}", "\u{2029}", "\u{feff}"].iter().any(|end| text.contains(end))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |feed| feed + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}
