//! A stream of reviews, answered by several threads in the order in which they came.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::ops::ControlFlow;

use super::chunks::Chunks;
use super::{Streamed, chunk_of};
use crate::decide::cluster::Cluster;
use crate::read::parallel;

/// How much is read at once: some hundred reviews.
const READ: usize = 1 << 16;

/// Reads a stream of reviews (NDJSON, JSON or YAML documents) and writes each back as one line of JSON, in order.
///
/// Holds a few hundred reviews at a time, or those of one line, and answers what has come before it waits for more.
/// Gives how many there were, and how many of them no API server would answer.
///
/// # Errors
/// If reading or writing fails.
pub fn stream(cluster: &Cluster, input: &mut (dyn Read + Send), output: &mut dyn Write) -> Result<Streamed> {
    let mut cutter = Cutter::new(input);
    let mut count = Streamed::default();
    let mut written = Ok(());
    parallel::run(
        |batch: &mut Batch| cutter.next(batch),
        |batch| batch.answer(cluster),
        |batch| {
            count.add(batch.count);
            written = std::mem::replace(&mut batch.result, Ok(()))
                .and_then(|()| output.write_all(&batch.answers))
                .and_then(|()| output.flush());
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        },
    );
    written?;
    cutter.failed.map_or(Ok(count), Err)
}

/// Some reviews, and then their answers.
struct Batch {
    text: Vec<u8>,
    /// Where the chunks of the text end.
    ends: Vec<usize>,
    answers: Vec<u8>,
    count: Streamed,
    result: Result<()>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            ends: Vec::new(),
            answers: Vec::new(),
            count: Streamed::default(),
            result: Ok(()),
        }
    }
}

impl Batch {
    fn answer(&mut self, cluster: &Cluster) {
        self.answers.clear();
        self.count = Streamed::default();
        let mut start = 0;
        for end in &self.ends {
            let chunk = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            match chunk_of(cluster, chunk, &mut self.answers) {
                Ok(count) => self.count.add(count),
                Err(error) => {
                    self.result = Err(error);
                    return;
                }
            }
        }
    }

    fn push(&mut self, chunk: &[u8]) {
        self.text.extend_from_slice(chunk);
        self.ends.push(self.text.len());
    }
}

/// Cuts a stream into batches of whole chunks.
struct Cutter<'i> {
    input: &'i mut (dyn Read + Send),
    /// What was read; the last line of it may not be whole.
    buffer: Vec<u8>,
    /// So much of the buffer, from its beginning, holds no line feed.
    searched: usize,
    chunks: Chunks,
    is_over: bool,
    failed: Option<Error>,
}

impl<'i> Cutter<'i> {
    fn new(input: &'i mut (dyn Read + Send)) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            searched: 0,
            chunks: Chunks::default(),
            is_over: false,
            failed: None,
        }
    }

    /// Reads until there are whole chunks; `false` if there are no more.
    fn next(&mut self, batch: &mut Batch) -> bool {
        batch.text.clear();
        batch.ends.clear();
        while batch.ends.is_empty() && !self.is_over {
            if let Err(error) = self.read() {
                self.failed = Some(error);
                self.is_over = true;
                return false;
            }
            self.lines(batch);
        }
        !batch.ends.is_empty()
    }

    fn read(&mut self) -> Result<()> {
        let before = self.buffer.len();
        self.buffer.resize(before + READ, 0);
        let read = loop {
            match self.input.read(self.buffer.get_mut(before..).unwrap_or_default()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(before + read.as_ref().copied().unwrap_or_default());
        self.is_over = read? == 0;
        Ok(())
    }

    /// Moves the whole lines of the buffer into the batch, as far as they make whole chunks.
    fn lines(&mut self, batch: &mut Batch) {
        let mut start = 0;
        while start < self.buffer.len() {
            let from = start.max(self.searched);
            let rest = self.buffer.get(from..).unwrap_or_default();
            let end = match memchr::memchr(b'\n', rest) {
                Some(feed) => from + feed + 1,
                None if self.is_over => self.buffer.len(),
                None => break,
            };
            let line = self.buffer.get(start..end).unwrap_or_default();
            // A line that begins a review and after which the next begins is one: nobody need count braces.
            if self.chunks.is_empty() && line.starts_with(b"{") && self.buffer.get(end) == Some(&b'{') {
                batch.push(line);
            } else {
                for chunk in self.chunks.push(Some(line)) {
                    batch.push(&chunk);
                }
            }
            start = end;
        }
        self.buffer.drain(..start);
        self.searched = self.buffer.len();
        if self.is_over {
            for chunk in self.chunks.push(None) {
                batch.push(&chunk);
            }
        }
    }
}
