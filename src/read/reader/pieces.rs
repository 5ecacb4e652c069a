//! A large file, cut into pieces that can be read apart from each other.
//!
//! YAML is cut at its last `---` line in sight, lists between items. Cutting looks at as little as it can, for it is
//! the part that one thread does for all; whether a piece really is what the cut took it for, is found by whoever
//! reads it.

use std::io::{self, Read};

use super::super::collect::Collector;
use super::super::findings::Findings;
use super::list::{Fields, Found, Implied};
use super::window::Window;
use super::{json_list, lines, whole, yaml_list};
use crate::document::Tree;
use crate::model::source::{FileId, Shift};

/// A piece of a file, and then what was found in it.
#[derive(Debug, Default)]
pub(super) struct Piece {
    cut: Cut,
    bytes: Vec<u8>,
    implied: Implied,
    /// Lines of the file that were passed over before the piece.
    passed_over: u32,
    found: Findings,
    /// Whether everything in the piece was as expected.
    is_good: bool,
    fields: Fields,
    items: u32,
    /// The lines that end in the piece, and the characters after the last of them.
    extent: (u32, u32),
}

/// What a piece should be.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Cut {
    /// Whole documents of YAML.
    #[default]
    Documents,
    /// Whole values of JSON, one after the other.
    Values,
    /// Whole items of a list.
    List { json: bool, begins: bool, ends: bool },
}

/// Cuts a file into pieces.
pub(super) struct Cutter<'i> {
    window: Window,
    input: &'i mut (dyn Read + Send),
    state: State,
    /// What the items of the present list may leave out.
    implied: Implied,
    /// The key with which the items of a JSON list begin.
    key: Vec<u8>,
    /// Why the file could not be read to its end.
    pub(super) failed: Option<io::Error>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum State {
    Documents,
    Values,
    List { json: bool, begins: bool },
    Over,
}

impl<'i> Cutter<'i> {
    /// For a file of which the window holds the beginning, and the input gives the rest.
    pub(super) fn new(window: Window, input: &'i mut (dyn Read + Send)) -> Self {
        let mut cutter = Self {
            window,
            input,
            state: State::Documents,
            implied: Implied::default(),
            key: Vec::new(),
            failed: None,
        };
        if let Err(error) = cutter.begin() {
            cutter.failed = Some(error);
            cutter.state = State::Over;
        }
        cutter
    }

    fn begin(&mut self) -> io::Result<()> {
        self.window.fill(self.input)?;
        // Two characters of something, for one brace or two are not the same.
        while valid(self.window.bytes()).trim_start().len() < 2 && !self.window.is_last() {
            self.window.more(self.input)?;
        }
        if !whole::is_json(valid(self.window.bytes())) {
            return Ok(());
        }
        loop {
            let text = valid(self.window.bytes());
            if let Some(head) = json_list::head(text) {
                self.implied = head.fields.implied().unwrap_or_default();
                self.key = head.key;
                self.state = State::List { json: true, begins: true };
                return Ok(());
            }
            // No list, or one whose first item is larger than the window.
            let has_begun = json_list::has_items(text);
            if self.window.is_last() || !has_begun {
                self.state = State::Values;
                return Ok(());
            }
            self.window.more(self.input)?;
        }
    }

    /// Cuts the next piece off; `false` if there is none.
    pub(super) fn next(&mut self, piece: &mut Piece) -> bool {
        piece.passed_over = 0;
        match self.cut(piece) {
            Ok(Some((cut, len))) => {
                piece.cut = cut;
                piece.implied.clone_from(&self.implied);
                self.window.take_into(len, &mut piece.bytes);
                true
            }
            Ok(None) => false,
            Err(error) => {
                self.failed = Some(error);
                self.state = State::Over;
                false
            }
        }
    }

    /// What the next piece is and how long; `None` at the end.
    fn cut(&mut self, piece: &mut Piece) -> io::Result<Option<(Cut, usize)>> {
        if self.state == State::Over {
            return Ok(None);
        }
        self.window.fill(self.input)?;
        loop {
            let text = self.window.bytes();
            let is_last = self.window.is_last();
            let found = match self.state {
                State::Documents => {
                    let separator = b"---\n";
                    let count = text.chunks(separator.len()).take_while(|line| line == separator).count();
                    if count > 0 {
                        self.window.take(count * separator.len());
                        piece.passed_over += u32::try_from(count).unwrap_or(u32::MAX);
                        self.window.fill(self.input)?;
                        continue;
                    }
                    let end = documents_end(text, is_last);
                    if end == 0 && is_last {
                        return Ok(None);
                    }
                    // One document is larger than the window.
                    if end == 0
                        && let Some((_, fields)) = yaml_list::head(valid(text))
                    {
                        self.implied = fields.implied().unwrap_or_default();
                        self.state = State::List { json: false, begins: true };
                        continue;
                    }
                    (end > 0).then_some((Cut::Documents, end))
                }
                State::Values if is_last => {
                    if text.trim_ascii().is_empty() {
                        return Ok(None);
                    }
                    Some((Cut::Values, text.len()))
                }
                State::Values => memchr::memmem::rfind(text, b"\n{").map(|last| (Cut::Values, last + 1)),
                State::List { json: true, begins } => {
                    let len = if is_last { text.len() } else { json_list::cut(text, &self.key) };
                    (len > 0).then_some((Cut::List { json: true, begins, ends: is_last }, len))
                }
                State::List { json: false, begins } => {
                    if let Some(len) = list_end(text, is_last) {
                        Some((Cut::List { json: false, begins, ends: true }, len))
                    } else {
                        let head =
                            if begins { yaml_list::head(valid(text)).map(|(len, _)| len) } else { None };
                        let last = memchr::memmem::rfind(text, b"\n- ");
                        last.filter(|last| head.is_none_or(|head| *last >= head))
                            .map(|last| (Cut::List { json: false, begins, ends: false }, last + 1))
                    }
                }
                State::Over => return Ok(None),
            };
            let Some((cut, len)) = found else {
                self.window.more(self.input)?;
                continue;
            };
            self.state = match cut {
                Cut::List { json: true, ends: true, .. } => State::Over,
                Cut::Values if is_last => State::Over,
                Cut::Values => State::Values,
                Cut::Documents | Cut::List { ends: true, .. } => State::Documents,
                Cut::List { json, .. } => State::List { json, begins: false },
            };
            return Ok(Some((cut, len)));
        }
    }
}

/// What of some bytes is text.
fn valid(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    }
}

/// Where documents may be cut: after the last `---` line, or at the end of the file; 0 if nowhere.
fn documents_end(text: &[u8], is_last: bool) -> usize {
    if is_last {
        return text.len();
    }
    let mut end = text.len();
    while let Some(at) = text.get(..end).and_then(|text| memchr::memmem::rfind(text, b"\n---")) {
        // Anything but the dashes alone is left to those who know what it means.
        if text.get(at + 4) == Some(&b'\n') {
            return at + 5;
        }
        end = at + 3;
    }
    0
}

/// Where a list of YAML ends: before the first `---` line, or at the end of the file.
fn list_end(text: &[u8], is_last: bool) -> Option<usize> {
    let finder = memchr::memmem::Finder::new(b"\n---");
    let at = finder.find_iter(text).find(|at| text.get(at + 4).is_none_or(|next| *next == b'\n'));
    match at {
        Some(at) if is_last || at + 4 < text.len() => Some(at + 1),
        _ => is_last.then_some(text.len()),
    }
}

impl Piece {
    /// Reads the piece.
    pub(super) fn read(&mut self) {
        let Self { cut, bytes, implied, found, fields, items, .. } = self;
        found.clear();
        *fields = Fields::default();
        *items = 0;
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.is_good = false;
            return;
        };
        let mut list = Found { findings: found, fields, implied, items };
        let read = match *cut {
            Cut::Documents => {
                whole::yaml_documents(list.findings, FileId::default(), text, &mut Tree::default());
                Some(())
            }
            Cut::Values => whole::values(list.findings, FileId::default(), text, &mut Tree::default()),
            Cut::List { json: true, begins, ends } => json_list::read(&mut list, text, begins, ends),
            Cut::List { json: false, begins, ends } => yaml_list::read(&mut list, text, begins, ends),
        };
        self.is_good = read.is_some();
        self.extent = (lines(text), columns(text));
    }
}

/// How many characters stand after the last line feed.
fn columns(text: &str) -> u32 {
    let last = memchr::memrchr(b'\n', text.as_bytes()).map_or(0, |feed| feed + 1);
    u32::try_from(text.get(last..).unwrap_or_default().chars().count()).unwrap_or(u32::MAX)
}

/// Puts the pieces of a file together again.
#[derive(Debug)]
pub(super) struct Joiner {
    shift: Shift,
    fields: Fields,
}

impl Joiner {
    pub(super) fn new(file: FileId) -> Self {
        Self { shift: Shift { files: file.0, ..Shift::default() }, fields: Fields::default() }
    }

    /// Hands what was found in the next piece on. `None` if the file must be looked at as a whole.
    pub(super) fn join(&mut self, collector: &mut Collector, piece: &mut Piece) -> Option<()> {
        if !piece.is_good {
            return None;
        }
        self.shift.lines += piece.passed_over;
        self.shift.paths = collector.paths();
        collector.join(&mut piece.found, &self.shift);
        let (lines, columns) = piece.extent;
        self.shift.columns = if lines == 0 { self.shift.columns + columns } else { columns };
        self.shift.lines += lines;
        if let Cut::List { json, begins, ends } = piece.cut {
            self.fields.extend(std::mem::take(&mut piece.fields));
            self.shift.items = if ends { 0 } else { self.shift.items + piece.items };
            if ends {
                // Those after the items must not say anything else of them than those before.
                let fields = std::mem::take(&mut self.fields);
                let as_assumed = fields.implied().is_some_and(|implied| implied == piece.implied);
                return (as_assumed && (json || fields.items == 1)).then_some(());
            }
            debug_assert!(!begins || self.shift.items == piece.items, "a list begins with its first item");
        }
        Some(())
    }
}
