//! Flow sequences of simple scalars in one line: `[]`, `["get", "list"]`, `[system:masters]`.

use super::{Kind, Position, Reader};

impl Reader<'_, '_> {
    pub(super) fn flow_sequence(&mut self, start: usize, position: Position) -> Option<()> {
        let open = self.open(Kind::Sequence, position)?;
        let mut at = start + 1;
        if self.byte(at) != Some(b']') {
            loop {
                at += self.spaces(at);
                at = self.flow_item(at)?;
                at += self.spaces(at);
                match self.byte(at)? {
                    b',' => at += 1,
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.tree.close(open);
        self.finish(at + 1)
    }

    /// An item; gives where it ends.
    fn flow_item(&mut self, start: usize) -> Option<usize> {
        // Columns count characters: beyond ASCII nothing is taken.
        let position = self.position(start);
        if let quote @ (b'"' | b'\'') = self.byte(start)? {
            let rest = self.bytes.get(start + 1..)?;
            let len = rest.iter().position(|byte| !super::is_in_quoted_key(*byte) || *byte == quote)?;
            let end = start + 1 + len;
            if self.byte(end) != Some(quote) || self.byte(end + 1) == Some(quote) {
                return None;
            }
            self.tree.push_borrowed(Kind::Text, start + 1, len, position);
            return Some(end + 1);
        }
        let mut at = start;
        loop {
            match self.byte(at)? {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'/' => {}
                b'.' | b'-' | b'*' if at > start => {}
                b':' if at > start && self.byte(at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric()) => {}
                _ => break,
            }
            at += 1;
        }
        if at == start {
            return None;
        }
        self.tree.push_borrowed(Kind::Plain, start, at - start, position);
        Some(at)
    }
}
