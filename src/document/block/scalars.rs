//! Scalars: plain and quoted, in one line or folded over several.

use super::{ENDS_PLAIN, Kind, Position, Reader, scalar};

/// What ends a line of a plain scalar.
enum End {
    Line,
    Comment,
}

impl Reader<'_, '_> {
    /// The value that starts here, for the innermost collection.
    pub(super) fn value(&mut self, at: usize) -> Option<()> {
        self.pending = None;
        let position = self.position(at);
        match self.byte(at)? {
            quote @ (b'\'' | b'"') => self.quoted(at, quote, position),
            b'|' => self.literal(at, position),
            b'{' if self.byte(at + 1) == Some(b'}') => {
                let open = self.open(Kind::Mapping, position)?;
                self.tree.close(open);
                self.finish(at + 2)
            }
            b'[' => self.flow_sequence(at, position),
            b'-' if self.is_blank(at + 1) => None,
            b'?' | b':' | b',' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'>' | b'%' | b'@'
            | b'`' => None,
            first => {
                let (end, how, line_end) = self.plain_line(at)?;
                if matches!(first, b'.' | b'+' | b'-')
                    && scalar::is_not_finite(self.tree.source.get(at..end).unwrap_or_default())
                {
                    return None;
                }
                self.tree.push_borrowed(Kind::Plain, at, end - at, position);
                self.plain = matches!(how, End::Line);
                self.end_line(line_end);
                Some(())
            }
        }
    }

    /// The end of the text of a plain scalar in this line, what ended it, and the end of the line.
    fn plain_line(&self, start: usize) -> Option<(usize, End, usize)> {
        let mut at = start;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            at += ENDS_PLAIN.find(rest).unwrap_or(rest.len());
            match self.byte(at) {
                None | Some(b'\n') => return Some((at, End::Line, at)),
                Some(b'\t') => return None,
                Some(b':') if self.is_blank(at + 1) => return None,
                Some(b' ') => {
                    let next = at + self.spaces(at);
                    match self.byte(next) {
                        None | Some(b'\n') => return Some((at, End::Line, next)),
                        Some(b'#') => return Some((at, End::Comment, self.line_end(next))),
                        Some(_) => at = next,
                    }
                }
                Some(_) => at += 1,
            }
        }
    }

    /// A deeper line after a plain scalar goes on with its text, and so do those after it.
    pub(super) fn go_on(&mut self, at: usize, blank: usize) -> Option<()> {
        let (end, how, line_end) = self.plain_line(at)?;
        let text = self.tree.source.get(at..end)?;
        let entry = self.tree.entries.last_mut()?;
        if !entry.owned {
            let start = entry.start as usize;
            let first = self.tree.source.get(start..start + entry.len as usize)?;
            entry.owned = true;
            entry.start = super::narrow(self.tree.owned.len());
            self.tree.owned.push_str(first);
        }
        fold(&mut self.tree.owned, blank);
        self.tree.owned.push_str(text);
        entry.len = super::narrow(self.tree.owned.len()) - entry.start;
        self.plain = matches!(how, End::Line);
        self.end_line(line_end);
        Some(())
    }

    fn quoted(&mut self, at: usize, quote: u8, position: Position) -> Option<()> {
        let start = at + 1;
        let rest = self.bytes.get(start..)?;
        let end = match quote {
            b'"' => memchr::memchr3(quote, b'\\', b'\n', rest)?,
            _ => memchr::memchr2(quote, b'\n', rest)?,
        };
        let end = start + end;
        let plain_end = self.byte(end) == Some(quote) && (quote == b'"' || self.byte(end + 1) != Some(quote));
        if plain_end {
            self.tree.push_borrowed(Kind::Text, start, end - start, position);
            return self.finish(end + 1);
        }
        self.quoted_with_more(start, quote, position)
    }

    /// A quoted scalar with escapes or over several lines.
    fn quoted_with_more(&mut self, start: usize, quote: u8, position: Position) -> Option<()> {
        let from = self.tree.owned.len();
        let mut at = start;
        loop {
            let rest = self.bytes.get(at..)?;
            let len = match quote {
                b'"' => memchr::memchr3(quote, b'\\', b'\n', rest)?,
                _ => memchr::memchr2(quote, b'\n', rest)?,
            };
            let text = self.tree.source.get(at..at + len)?;
            self.tree.owned.push_str(text);
            at += len;
            match (self.byte(at)?, self.byte(at + 1)) {
                (b'\n', _) => {
                    // Tabs count as white space around the line end.
                    let kept = text.trim_end_matches(' ');
                    if kept.ends_with('\t') {
                        return None;
                    }
                    self.tree.owned.truncate(self.tree.owned.len() - (text.len() - kept.len()));
                    at = self.fold_quoted(at)?;
                }
                (b'\'', Some(b'\'')) if quote == b'\'' => {
                    self.tree.owned.push('\'');
                    at += 2;
                }
                (b'\\', Some(escaped)) => {
                    let char = match escaped {
                        b'"' | b'\\' | b'/' => char::from(escaped),
                        b'n' => '\n',
                        b't' => '\t',
                        _ => return None,
                    };
                    self.tree.owned.push(char);
                    at += 2;
                }
                (byte, _) if byte == quote => break,
                _ => return None,
            }
        }
        let end = super::narrow(self.tree.entries.len() + 1);
        let start = super::narrow(from);
        let len = super::narrow(self.tree.owned.len() - from);
        let entry =
            super::super::Entry { kind: Kind::Text, owned: true, literal: false, start, len, end, position };
        self.tree.entries.push(entry);
        self.finish(at + 1)
    }

    /// Folds the line ends at `feed`; gives where the text goes on.
    fn fold_quoted(&mut self, feed: usize) -> Option<usize> {
        let mut blank = 0;
        self.end_line(feed);
        loop {
            let column = self.spaces(self.at);
            let at = self.at + column;
            match self.byte(at)? {
                b'\n' => {
                    blank += 1;
                    self.end_line(at);
                }
                b'\t' => return None,
                // A line without indentation may be a document marker.
                _ if column == 0 => return None,
                _ => {
                    fold(&mut self.tree.owned, blank);
                    return Some(at);
                }
            }
        }
    }
}

/// One line end is a space; each blank line is a line feed.
fn fold(text: &mut String, blank: usize) {
    if blank == 0 {
        text.push(' ');
    } else {
        text.extend(std::iter::repeat_n('\n', blank));
    }
}
