//! A window that moves over a file: the text that was read and not yet taken.

use std::io::{self, Read};

use super::Stop;

/// How much text is looked at together. It stays in the second level of the cache.
const PIECE: usize = 1 << 18;

/// How much is read at once.
const READ: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Window {
    text: String,
    /// What was read last; its beginning may be that of a character that is not complete.
    raw: Vec<u8>,
    incomplete: usize,
    is_last: bool,
    piece: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { text: String::new(), raw: Vec::new(), incomplete: 0, is_last: false, piece: PIECE }
    }
}

impl Window {
    #[cfg(test)]
    pub(super) fn with_pieces(piece: usize) -> Self {
        Self { piece, ..Self::default() }
    }

    /// Begins a file.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.incomplete = 0;
        self.is_last = false;
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text reaches the end of the file.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Lets go of the first part of the text.
    pub(super) fn take(&mut self, len: usize) {
        self.text.drain(..len);
    }

    /// Reads a piece more, or as much again where the text is long already, unless the file ends before.
    pub(super) fn more(&mut self, input: &mut dyn Read) -> Result<(), Stop> {
        let goal = self.text.len() + self.text.len().max(self.piece);
        let first = self.text.is_empty();
        self.raw.resize(READ.min(self.piece) + 4, 0);
        while self.text.len() < goal && !self.is_last {
            let space = self.raw.get_mut(self.incomplete..).unwrap_or_default();
            let read = match input.read(space) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.is_last = read == 0;
            let bytes = self.raw.get(..self.incomplete + read).unwrap_or_default();
            let valid = match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.text.push_str(text);
                    bytes.len()
                }
                Err(error) if error.error_len().is_none() && !self.is_last => {
                    let valid = error.valid_up_to();
                    self.text.push_str(
                        std::str::from_utf8(bytes.get(..valid).unwrap_or_default()).unwrap_or_default(),
                    );
                    valid
                }
                Err(_) => return Err(Stop::Odd),
            };
            self.incomplete = bytes.len() - valid;
            self.raw.copy_within(valid..valid + self.incomplete, 0);
        }
        // A mark of the encoding, or UTF-16 that happens to be UTF-8 as well.
        let is_utf16 = || self.text.bytes().take(2).any(|byte| byte == 0);
        if first && (self.text.starts_with('\u{feff}') || is_utf16()) {
            return Err(Stop::Odd);
        }
        Ok(())
    }

    /// Where the text may be cut: after the last `---` line in it, or at the end of the file; 0 if nowhere.
    pub(super) fn documents_end(&self) -> usize {
        if self.is_last {
            return self.text.len();
        }
        let bytes = self.text.as_bytes();
        let mut end = bytes.len();
        while let Some(at) = bytes.get(..end).and_then(|text| memchr::memmem::rfind(text, b"\n---")) {
            let line = bytes.get(at + 4..).unwrap_or_default();
            // Anything but the dashes alone is left to those who know what it means.
            if line.starts_with(b"\n") {
                return at + 5;
            }
            end = at + 3;
        }
        0
    }
}
