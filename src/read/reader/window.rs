//! A window that moves over a file: the bytes that were read and not yet taken.

use std::io::{self, Read};

use crate::document::encoding;

/// How much is looked at together. It stays in the second level of the cache.
pub(super) const PIECE: usize = 1 << 18;

#[derive(Debug)]
pub(super) struct Window {
    bytes: Vec<u8>,
    is_last: bool,
    piece: usize,
    /// Whether the file is UTF-8 as far as its beginning shows, once that was read.
    is_plain: Option<bool>,
}

impl Window {
    /// An empty window that takes in so many bytes at once.
    pub(super) fn new(piece: usize) -> Self {
        Self { bytes: Vec::new(), is_last: false, piece, is_plain: None }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the window reaches the end of the file.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Reads on unless there is much to look at already.
    pub(super) fn fill(&mut self, input: &mut dyn Read) -> io::Result<()> {
        if self.is_last || self.bytes.len() >= self.piece { Ok(()) } else { self.more(input) }
    }

    /// Reads a piece more, or as much again where there is much already, unless the file ends before.
    pub(super) fn more(&mut self, input: &mut dyn Read) -> io::Result<()> {
        let before = self.bytes.len();
        self.read(input, before.max(self.piece))?;
        // What the line feed after it would say.
        while self.bytes.last() == Some(&b'\r') && !self.is_last {
            self.read(input, 1)?;
        }
        // In UTF-16 the same bytes may be a part of something else.
        if *self.is_plain.get_or_insert_with(|| encoding::is_plain(&self.bytes)) {
            encoding::unify_line_ends(&mut self.bytes, before);
        }
        Ok(())
    }

    fn read(&mut self, input: &mut dyn Read, count: usize) -> io::Result<()> {
        self.bytes.reserve(count + 64);
        let read = input.take(count as u64).read_to_end(&mut self.bytes)?;
        self.is_last = read < count;
        Ok(())
    }

    /// Whether the file is UTF-8 as far as its beginning shows.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain == Some(true)
    }

    /// Lets go of the first part.
    pub(super) fn take(&mut self, len: usize) {
        self.bytes.drain(..len);
    }

    /// Moves the first part elsewhere, where something else may have been before.
    pub(super) fn take_into(&mut self, len: usize, piece: &mut Vec<u8>) {
        piece.clear();
        std::mem::swap(piece, &mut self.bytes);
        self.bytes.extend_from_slice(piece.get(len..).unwrap_or_default());
        piece.truncate(len);
    }
}
