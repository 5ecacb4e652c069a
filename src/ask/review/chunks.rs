//! A stream of lines, cut into chunks that hold one review each.

/// Cuts a stream of lines into chunks that hold one review each.
#[derive(Default)]
pub(super) struct Chunks {
    buffer: Vec<u8>,
    /// How deep in braces and brackets the JSON value is that the buffer begins with.
    depth: usize,
    in_string: bool,
    escaped: bool,
    json: bool,
}

impl Chunks {
    /// Whether no chunk was begun.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Takes the next line (`None` at the end) and gives the chunks that are whole now.
    pub(super) fn push(&mut self, line: Option<&[u8]>) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        let Some(line) = line else {
            whole.extend(self.take());
            return whole;
        };
        if line.trim_ascii().is_empty() && self.is_empty() {
            return whole;
        }
        // What stands behind the dashes, `--- {}`, opens the next review.
        let separator =
            line.strip_prefix(b"---").filter(|rest| rest.first().is_none_or(u8::is_ascii_whitespace));
        // A line that begins a JSON value at the left margin begins the next review, whatever is still open:
        // so a review that was cut short does not swallow its neighbours.
        let next = line.starts_with(b"{") && !self.is_empty();
        if separator.is_some() || next {
            whole.extend(self.take());
        }
        let line = separator.unwrap_or(line);
        let said = line.trim_ascii();
        if separator.is_some() && (said.is_empty() || said.starts_with(b"#")) {
            return whole;
        }
        if self.is_empty() {
            self.json = line.trim_ascii_start().starts_with(b"{");
        }
        self.buffer.extend_from_slice(line);
        if self.json {
            self.scan(line);
            if self.depth == 0 && !self.in_string {
                whole.extend(self.take());
            }
        }
        whole
    }

    fn scan(&mut self, line: &[u8]) {
        for byte in line {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let Self { buffer, .. } = std::mem::take(self);
        (!buffer.trim_ascii().is_empty()).then_some(buffer)
    }
}
