//! The fast reader for block YAML as kubectl, kustomize and helm print it.
//!
//! It takes a subset of YAML, checked on the way, and gives the tree that [`yaml`](super::yaml) gives. Anything
//! else (anchors, tags, flow mappings, tabs between tokens, `? ` keys, folded scalars, errors) makes it give up,
//! and the caller reads the document with the event parser instead.
//!
//! The subset: block mappings with plain or quoted keys in one line; block sequences, indented or at the column
//! of their key; plain and quoted scalars, also over several lines; literal block scalars; `{}`, `[]` and
//! sequences of simple scalars in one line; comments and blank lines.

mod flow;
mod literal;
mod scalars;

use super::{Kind, MAX_DEPTH, Open, Position, ScalarType, Tree, narrow, scalar};

/// A key must end within 1024 characters. This is less, so there is no need to count exactly.
const MAX_KEY: usize = 512;

/// Reads the YAML document that `source` holds into `tree`, which is reset first, if the document is in the
/// subset: then the tree is what [`yaml::read`](super::yaml::read) would make of it. Otherwise the answer is
/// `false` and the tree is empty.
pub fn read<'s>(source: &'s str, tree: &mut Tree<'s>) -> bool {
    read_at(source, 1, tree)
}

/// [`read`], for a document that starts at another line of its file.
pub fn read_at<'s>(source: &'s str, first_line: u32, tree: &mut Tree<'s>) -> bool {
    read_inside(source, first_line, 0, tree)
}

/// [`read_at`], for a part of a document that stands so deep in it.
pub(crate) fn read_inside<'s>(source: &'s str, first_line: u32, depth: usize, tree: &mut Tree<'s>) -> bool {
    tree.reset(source);
    let in_subset = is_clean(source)
        && Reader {
            bytes: source.as_bytes(),
            tree,
            levels: Vec::with_capacity(16),
            depth,
            pending: None,
            plain: false,
            at: 0,
            line: first_line,
            line_start: 0,
        }
        .document()
        .is_some();
    if !in_subset {
        tree.reset(source);
    }
    in_subset
}

/// Whether a text holds only what is the same to everyone: no control characters but tab and line feed, and none
/// of the characters that YAML 1.1 takes for line ends, or for a byte order mark.
fn is_clean(text: &str) -> bool {
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    let mut odd = rest.iter().fold(0, |odd, byte| odd | u8::from(!is_usual(*byte)));
    for chunk in chunks {
        odd |= chunk.iter().fold(0, |odd, byte| odd | u8::from(!is_usual(*byte)));
    }
    odd == 0
        || text.chars().all(|char| {
            matches!(char, '\t' | '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}')
                || matches!(char, '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
        })
}

fn is_usual(byte: u8) -> bool {
    byte.wrapping_sub(b' ') < 0x5F || byte == b'\n'
}

/// A set of bytes, to find the next of them.
struct Bytes([bool; 256]);

impl Bytes {
    /// The first byte of a text that is in the set. Called, not inlined, so that the loop has registers to itself.
    #[inline(never)]
    fn find(&self, text: &[u8]) -> Option<usize> {
        text.iter().position(|byte| self.0.get(usize::from(*byte)).copied().unwrap_or_default())
    }

    const fn of(bytes: &[u8]) -> Self {
        Self(marked(bytes, true))
    }

    const fn all_but(bytes: &[u8]) -> Self {
        Self(marked(bytes, false))
    }
}

const fn marked(bytes: &[u8], mark: bool) -> [bool; 256] {
    let mut set = [!mark; 256];
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        if let Some((_, [place, ..])) = set.split_at_mut_checked(*byte as usize) {
            *place = mark;
        }
        rest = after;
    }
    set
}

/// All but what may stand anywhere in a plain key.
static NOT_IN_KEY: Bytes =
    Bytes::all_but(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/$");

/// What may end a line of a plain scalar, or is not for this reader.
static ENDS_PLAIN: Bytes = Bytes::of(b"\n\t: ");

/// An open block collection.
struct Level {
    column: usize,
    sequence: bool,
    open: Open,
}

struct Reader<'t, 's> {
    bytes: &'s [u8],
    tree: &'t mut Tree<'s>,
    levels: Vec<Level>,
    /// Levels around the text.
    depth: usize,
    /// The innermost collection waits for a value: null, at this place, if none comes.
    pending: Option<Position>,
    /// The last thing read was a plain scalar, which a deeper line would go on with.
    plain: bool,
    at: usize,
    line: u32,
    line_start: usize,
}

/// Where a key ends, or rather: what stands before its colon.
struct Key {
    start: usize,
    len: usize,
    colon: usize,
}

impl Reader<'_, '_> {
    /// Reads to the end; `None` as soon as anything is outside the subset.
    fn document(mut self) -> Option<()> {
        let mut blank = 0;
        loop {
            let column = self.spaces(self.at);
            let at = self.at + column;
            match self.byte(at) {
                None => break,
                Some(b'\n') => {
                    blank += 1;
                    self.end_line(at);
                }
                Some(b'#') => {
                    self.plain = false;
                    self.end_line(self.line_end(at));
                }
                Some(_) if self.plain && self.levels.last().is_some_and(|top| column > top.column) => {
                    self.go_on(at, blank)?;
                    blank = 0;
                }
                Some(_) => {
                    blank = 0;
                    self.plain = false;
                    self.content(at, column)?;
                }
            }
        }
        while !self.levels.is_empty() {
            self.close_top();
        }
        Some(())
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// How many spaces stand at a place.
    fn spaces(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let (words, tail) = rest.as_chunks::<8>();
        for (word, before) in words.iter().zip((0..).step_by(8)) {
            let others = u64::from_le_bytes(*word) ^ u64::from_le_bytes([b' '; 8]);
            if others != 0 {
                return before + others.trailing_zeros() as usize / 8;
            }
        }
        rest.len() - tail.len() + tail.iter().take_while(|byte| **byte == b' ').count()
    }

    /// Whether a token ends here: a space, a line feed, or nothing.
    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\n'))
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |feed| at + feed)
    }

    /// Moves to the line after the line feed at `feed`, or to the end.
    fn end_line(&mut self, feed: usize) {
        self.at = (feed + 1).min(self.bytes.len());
        self.line += 1;
        self.line_start = self.at;
    }

    fn position(&self, at: usize) -> Position {
        Position { line: self.line, column: narrow(at - self.line_start) + 1 }
    }

    /// What follows a complete value in its line may only be a comment.
    fn finish(&mut self, at: usize) -> Option<()> {
        let spaces = self.spaces(at);
        match self.byte(at + spaces) {
            None | Some(b'\n') => self.end_line(at + spaces),
            Some(b'#') if spaces > 0 => self.end_line(self.line_end(at + spaces)),
            Some(_) => return None,
        }
        Some(())
    }

    /// A line with its dashes, key and value.
    fn content(&mut self, mut at: usize, mut column: usize) -> Option<()> {
        while self.byte(at) == Some(b'-') && self.is_blank(at + 1) {
            self.entry(column, at)?;
            let spaces = self.spaces(at + 1);
            self.pending = Some(self.position(at + 1));
            at += 1 + spaces;
            column += 1 + spaces;
            if matches!(self.byte(at), None | Some(b'\n' | b'#')) {
                return self.finish(at - spaces);
            }
        }
        match self.key(at) {
            Some(key) => {
                self.open_key(column, at, &key)?;
                self.pending = Some(self.position(key.colon + 1));
                let spaces = self.spaces(key.colon + 1);
                let at = key.colon + 1 + spaces;
                if matches!(self.byte(at), None | Some(b'\n' | b'#')) {
                    return self.finish(at - spaces);
                }
                self.value(at)
            }
            // A scalar in a line of its own is outside the subset.
            None if at == self.line_start + self.spaces(self.line_start) => None,
            None => self.value(at),
        }
    }

    /// The key that starts here, if one does.
    fn key(&self, start: usize) -> Option<Key> {
        if let Some(quote @ (b'"' | b'\'')) = self.byte(start) {
            let rest = self.bytes.get(start + 1..)?;
            let end = start
                + 1
                + rest.iter().take(MAX_KEY).position(|byte| *byte == quote || !is_in_quoted_key(*byte))?;
            let is_key =
                self.byte(end) == Some(quote) && self.byte(end + 1) == Some(b':') && self.is_blank(end + 2);
            return is_key.then_some(Key { start: start + 1, len: end - start - 1, colon: end + 1 });
        }
        let rest = self.bytes.get(start..)?;
        let mut len = 0;
        loop {
            len += NOT_IN_KEY.find(rest.get(len..)?)?;
            match rest.get(len)? {
                b'.' if len > 0 || rest.get(1) != Some(&b'.') => {}
                b':' if len > 0 && self.is_blank(start + len + 1) => break,
                b'-' | b':' if len > 0 => {}
                _ => return None,
            }
            len += 1;
        }
        Some(Key { start, len, colon: start + len })
    }

    /// Makes the sequence at a column the innermost collection, ready for its next item.
    fn entry(&mut self, column: usize, at: usize) -> Option<()> {
        self.close_deeper(column);
        match self.levels.last() {
            Some(top) if top.column == column && top.sequence => self.settle(),
            // A sequence at the column of its key.
            Some(top) if top.column == column => {
                self.pending.take()?;
                self.open_level(Kind::Sequence, column, at)?;
            }
            Some(_) => {
                self.pending.take()?;
                self.open_level(Kind::Sequence, column, at)?;
            }
            None if self.tree.is_empty() => self.open_level(Kind::Sequence, column, at)?,
            None => return None,
        }
        Some(())
    }

    /// Makes the mapping at a column the innermost collection, and adds a key to it.
    fn open_key(&mut self, column: usize, at: usize, key: &Key) -> Option<()> {
        self.close_deeper(column);
        if let [.., below, top] = self.levels.as_slice()
            && top.sequence
            && top.column == column
            && below.column == column
        {
            self.close_top();
        }
        match self.levels.last() {
            Some(top) if top.column == column && top.sequence => return None,
            Some(top) if top.column == column => self.settle(),
            Some(_) => {
                self.pending.take()?;
                self.open_level(Kind::Mapping, column, at)?;
            }
            None if self.tree.is_empty() => self.open_level(Kind::Mapping, column, at)?,
            None => return None,
        }
        if key.len > MAX_KEY {
            return None;
        }
        if key.start == at {
            let text = self.tree.source.get(key.start..key.start + key.len)?;
            // `yes`, `1` and the like become other keys, or none.
            if scalar::resolve(text) != ScalarType::Text {
                return None;
            }
        }
        let position = self.position(at);
        self.tree.push_borrowed(Kind::Text, key.start, key.len, position);
        Some(())
    }

    fn open_level(&mut self, kind: Kind, column: usize, at: usize) -> Option<()> {
        let open = self.open(kind, self.position(at))?;
        self.levels.push(Level { column, sequence: kind == Kind::Sequence, open });
        Some(())
    }

    fn open(&mut self, kind: Kind, position: Position) -> Option<Open> {
        (self.depth + self.levels.len() < MAX_DEPTH).then(|| self.tree.open(kind, position))
    }

    /// Gives the innermost collection the null that it was left with.
    fn settle(&mut self) {
        if let Some(position) = self.pending.take() {
            self.tree.push_borrowed(Kind::Plain, 0, 0, position);
        }
    }

    fn close_deeper(&mut self, column: usize) {
        while self.levels.last().is_some_and(|top| top.column > column) {
            self.close_top();
        }
    }

    fn close_top(&mut self) {
        self.settle();
        if let Some(level) = self.levels.pop() {
            self.tree.close(level.open);
        }
    }
}

/// Printable ASCII without a backslash; the quote ends the key before it comes to this.
fn is_in_quoted_key(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte) && byte != b'\\'
}
