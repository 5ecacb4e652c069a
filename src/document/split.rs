//! A YAML file into its documents, at the lines at which kubectl splits.
//!
//! `YAMLReader` of apimachinery looks at lines before anything is parsed: a line that starts with `---` ends a
//! document, wherever it stands, and anchors never reach across. After the dashes it allows white space and a
//! comment, and refuses the file for anything else. Here such a line is reported by [`Document::odd`] and read as
//! YAML reads it: `--- {a: b}` and `--- !tag` open a document that holds the rest of the line; `-----BEGIN` and the
//! like belong to the text in which they stand. A line `...` does not split: kubectl reads what stands before it,
//! and drops the rest, which [`Tree::unread`](super::Tree::unread) tells.

/// A part of a file between two `---` lines.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Document<'s> {
    /// The text, without the `---` lines around it.
    pub text: &'s str,
    /// The line of the file at which the text starts, from 1.
    pub line: u32,
    /// The line of a separator that kubectl refuses: something other than a comment follows the dashes.
    pub odd: Option<u32>,
}

/// The documents of a file in order. Parts without any text are left out, as kubectl leaves them out; parts with
/// only comments and white space are not.
pub fn documents(text: &str) -> Documents<'_> {
    Documents { rest: Some(text), line: 1, odd: None, dashes: memchr::memmem::Finder::new(b"\n---") }
}

/// The iterator that [`documents`] gives.
#[derive(Clone, Debug)]
pub struct Documents<'s> {
    rest: Option<&'s str>,
    /// The line at which the rest starts.
    line: u32,
    /// An odd separator before the rest, or in it.
    odd: Option<u32>,
    dashes: memchr::memmem::Finder<'static>,
}

/// What a line that starts with three dashes is.
enum Dashes {
    /// A separator; the document starts at the next line.
    Separator,
    /// A separator with a document after it.
    Inline,
    /// Text.
    Text,
}

fn dashes(line: &str) -> Dashes {
    let after = line.get(3..).unwrap_or_default();
    let trimmed = after.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        // libyaml wants white space before a comment, kubectl does not.
        Dashes::Separator
    } else if after.starts_with([' ', '\t']) {
        Dashes::Inline
    } else {
        Dashes::Text
    }
}

impl<'s> Documents<'s> {
    /// Ends the current document at `at`.
    fn cut(&mut self, rest: &'s str, at: usize) -> (&'s str, &'s str, Option<u32>, u32) {
        let text = rest.get(..at).unwrap_or_default();
        let line = self.line;
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        (text, rest.get(at..).unwrap_or_default(), self.odd.take(), line)
    }
}

impl<'s> Iterator for Documents<'s> {
    type Item = Document<'s>;

    fn next(&mut self) -> Option<Document<'s>> {
        loop {
            let rest = self.rest.take()?;
            // A separator in the first line is found by itself; an inline document stays with its dashes.
            let mut from = 0;
            let mut first = true;
            let found = loop {
                let at = if first && rest.starts_with("---") {
                    Some(0)
                } else {
                    rest.as_bytes()
                        .get(from..)
                        .and_then(|tail| self.dashes.find(tail))
                        .map(|at| from + at + 1)
                };
                first = false;
                let Some(at) = at else { break None };
                let line = rest.get(at..).unwrap_or_default();
                let line = line.split_once('\n').map_or(line, |(line, _)| line);
                from = at + 3;
                let odd_line = || {
                    let lines =
                        rest.get(..at).map_or(0, |text| memchr::memchr_iter(b'\n', text.as_bytes()).count());
                    self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX))
                };
                match dashes(line) {
                    Dashes::Separator => break Some((at, line.len())),
                    // The dashes of an inline document open the text.
                    Dashes::Inline if at == 0 => self.odd = self.odd.or_else(|| Some(odd_line())),
                    Dashes::Inline => break Some((at, 0)),
                    Dashes::Text => self.odd = self.odd.or_else(|| Some(odd_line())),
                }
            };
            let (at, separator) = found.unwrap_or((rest.len(), 0));
            let (text, after, odd, line) = self.cut(rest, at);
            if found.is_some() {
                let mut after = after.get(separator..).unwrap_or_default();
                if separator > 0
                    && let Some(next) = after.strip_prefix('\n')
                {
                    after = next;
                    self.line = self.line.saturating_add(1);
                }
                self.rest = Some(after);
            }
            if !text.is_empty() {
                return Some(Document { text, line, odd });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_splits_at_dashes() {
        type Row = (&'static str, &'static str, &'static [(&'static str, u32, Option<u32>)]);
        let rows: &[Row] = &[
            ("nothing", "", &[]),
            ("one", "a: 1\n", &[("a: 1\n", 1, None)]),
            ("one_without_line_end", "a: 1", &[("a: 1", 1, None)]),
            ("two", "a: 1\n---\nb: 2\n", &[("a: 1\n", 1, None), ("b: 2\n", 3, None)]),
            ("separator_first", "---\na: 1\n", &[("a: 1\n", 2, None)]),
            ("separator_last", "a: 1\n---\n", &[("a: 1\n", 1, None)]),
            ("separator_at_the_very_end", "a: 1\n---", &[("a: 1\n", 1, None)]),
            ("separators_in_a_row", "---\n---\n\n---\na: 1\n", &[("\n", 3, None), ("a: 1\n", 5, None)]),
            ("comment_after_dashes", "a: 1\n--- # b\nb: 2\n", &[("a: 1\n", 1, None), ("b: 2\n", 3, None)]),
            ("comment_without_space", "a: 1\n---#b\nb: 2\n", &[("a: 1\n", 1, None), ("b: 2\n", 3, None)]),
            ("white_space_after_dashes", "a: 1\n--- \t\nb: 2\n", &[("a: 1\n", 1, None), ("b: 2\n", 3, None)]),
            ("crlf", "a: 1\r\n---\r\nb: 2\r\n", &[("a: 1\r\n", 1, None), ("b: 2\r\n", 3, None)]),
            ("byte_order_mark_is_text", "\u{feff}a: 1\n", &[("\u{feff}a: 1\n", 1, None)]),
            ("comment_only", "# a\n---\n# b\n", &[("# a\n", 1, None), ("# b\n", 3, None)]),
            ("indented_dashes_are_text", "a: |\n  ---\n  b\n", &[("a: |\n  ---\n  b\n", 1, None)]),
            ("dashes_in_a_line_are_text", "a: ---\nb: 1\n", &[("a: ---\nb: 1\n", 1, None)]),
            ("two_dashes_are_text", "--\n", &[("--\n", 1, None)]),
            ("dots_do_not_split", "a: 1\n...\nb: 2\n", &[("a: 1\n...\nb: 2\n", 1, None)]),
            ("inline_document", "a: 1\n--- {b: 2}\n", &[("a: 1\n", 1, None), ("--- {b: 2}\n", 2, Some(2))]),
            (
                "inline_document_first",
                "--- !x\nb: 2\n---\nc: 3\n",
                &[("--- !x\nb: 2\n", 1, Some(1)), ("c: 3\n", 4, None)],
            ),
            ("inline_documents", "--- a\n--- b\n", &[("--- a\n", 1, Some(1)), ("--- b\n", 2, Some(2))]),
            (
                "more_dashes_are_text",
                "a: '\n-----BEGIN\n'\n---\nb: 1\n",
                &[("a: '\n-----BEGIN\n'\n", 1, Some(2)), ("b: 1\n", 5, None)],
            ),
            ("more_dashes_first", "----\n", &[("----\n", 1, Some(1))]),
        ];
        for (name, text, expected) in rows {
            let found: Vec<_> =
                documents(text).map(|document| (document.text, document.line, document.odd)).collect();
            assert_eq!(found, *expected, "{name}");
        }
    }
}
