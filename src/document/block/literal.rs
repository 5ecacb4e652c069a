//! Literal block scalars: `|`, `|-` and `|+`.

use super::{Kind, Position, Reader, narrow};

impl Reader<'_, '_> {
    pub(super) fn literal(&mut self, start: usize, position: Position) -> Option<()> {
        let chomping = self.byte(start + 1)?;
        let header = if matches!(chomping, b'+' | b'-') { start + 2 } else { start + 1 };
        if self.byte(header)? != b'\n' {
            return None;
        }
        let outer = self.levels.last().map(|level| level.column)?;
        self.end_line(header);

        // Blank lines before the first line of text take part in finding its indentation, if they hold spaces.
        let mut blank = 0;
        while self.byte(self.at)? == b'\n' {
            blank += 1;
            self.end_line(self.at);
        }
        let indentation = self.spaces(self.at);
        let first = self.byte(self.at + indentation)?;
        if indentation <= outer || matches!(first, b'\n' | b'\t') {
            return None;
        }

        let from = self.tree.owned.len();
        // Line ends that are text only if more text follows.
        let mut held = blank;
        while self.at < self.bytes.len() {
            let spaces = self.spaces(self.at);
            let end = self.line_end(self.at);
            let whole = self.bytes.get(end).is_some();
            if spaces < indentation {
                match self.byte(self.at + spaces) {
                    Some(b'\n') => {
                        held += 1;
                        self.end_line(end);
                        continue;
                    }
                    // Spaces at the end of the file.
                    None => return None,
                    Some(_) => break,
                }
            }
            let text = self.tree.source.get(self.at + indentation..end)?;
            if text.is_empty() {
                if !whole {
                    return None;
                }
                held += 1;
                self.end_line(end);
                continue;
            }
            self.tree.owned.extend(std::iter::repeat_n('\n', held));
            self.tree.owned.push_str(text);
            held = usize::from(whole);
            self.end_line(end);
        }
        let kept = match chomping {
            b'+' => held,
            b'-' => 0,
            _ => held.min(1),
        };
        self.tree.owned.extend(std::iter::repeat_n('\n', kept));
        let end = narrow(self.tree.entries.len() + 1);
        let (start, len) = (narrow(from), narrow(self.tree.owned.len() - from));
        let entry =
            super::super::Entry { kind: Kind::Text, owned: true, literal: true, start, len, end, position };
        self.tree.entries.push(entry);
        Some(())
    }
}
