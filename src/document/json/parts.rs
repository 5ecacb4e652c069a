//! A List whose text comes in pieces: its fields and items one by one, without the whole ever being in memory.

use super::super::{Position, Tree};
use super::scan::Scanner;
use super::value;

/// A part of a List.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A field other than `items`, with its key; its value is in the tree.
    Field(String),
    /// An item; it is in the tree.
    Item,
    /// The end of the object, with nothing but white space after it.
    End,
}

/// Reads one JSON object that has an array `items`, part by part.
#[derive(Clone, Debug)]
pub struct Parts {
    state: State,
    position: Position,
    seen_items: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum State {
    Start,
    Field,
    Item,
    AfterItems,
    End,
}

impl Default for Parts {
    fn default() -> Self {
        Self { state: State::Start, position: Position { line: 1, column: 1 }, seen_items: false }
    }
}

impl Parts {
    /// For a text that begins where an item of the array begins.
    pub(crate) fn among_items() -> Self {
        Self { state: State::Item, seen_items: true, ..Self::default() }
    }

    /// Whether an item must come next: one was read, and the comma after it.
    pub(crate) fn is_among_items(&self) -> bool {
        self.state == State::Item
    }

    /// Reads the next part from the byte `at` of `text` on, and moves `at` behind it.
    ///
    /// `None` if the text ends before the part does, or is not such an object: then nothing has moved, and the call
    /// can be repeated with more text.
    pub fn next<'s>(&mut self, text: &'s str, at: &mut usize, tree: &mut Tree<'s>) -> Option<Part> {
        let mut next = self.clone();
        let mut scanner = Scanner::starting_at(text, *at, self.position);
        let part = next.step(&mut scanner, tree)?;
        next.position = scanner.position();
        *at = scanner.offset();
        *self = next;
        Some(part)
    }

    fn step<'s>(&mut self, scanner: &mut Scanner<'s>, tree: &mut Tree<'s>) -> Option<Part> {
        if self.state == State::Start {
            expect(scanner, b'{')?;
            self.state = State::Field;
        }
        if self.state == State::AfterItems {
            self.after(scanner, b'}', State::Field, State::End)?;
        }
        match self.state {
            State::End => scanner.end().ok().map(|()| Part::End),
            State::Item => self.item(scanner, tree),
            _ => self.field(scanner, tree),
        }
    }

    fn field<'s>(&mut self, scanner: &mut Scanner<'s>, tree: &mut Tree<'s>) -> Option<Part> {
        scanner.white_space();
        if scanner.peek() != Some(b'"') {
            return None;
        }
        let quoted = scanner.string().ok().filter(|quoted| !quoted.escaped)?;
        let key = scanner.source().get(quoted.range)?.to_owned();
        scanner.colon().ok()?;
        scanner.white_space();
        if key == "items" {
            if self.seen_items {
                return None;
            }
            self.seen_items = true;
            expect(scanner, b'[')?;
            scanner.white_space();
            if scanner.peek() != Some(b']') {
                return self.item(scanner, tree);
            }
            scanner.advance(1);
            self.after(scanner, b'}', State::Field, State::End)?;
            return self.step(scanner, tree);
        }
        tree.reset(scanner.source());
        value(scanner, tree, 1).ok()?;
        self.after(scanner, b'}', State::Field, State::End)?;
        Some(Part::Field(key))
    }

    fn item<'s>(&mut self, scanner: &mut Scanner<'s>, tree: &mut Tree<'s>) -> Option<Part> {
        tree.reset(scanner.source());
        scanner.white_space();
        value(scanner, tree, 2).ok()?;
        self.after(scanner, b']', State::Item, State::AfterItems)?;
        Some(Part::Item)
    }

    /// A comma, or the bracket that closes.
    fn after(&mut self, scanner: &mut Scanner<'_>, close: u8, more: State, done: State) -> Option<()> {
        scanner.white_space();
        self.state = match scanner.peek()? {
            b',' => more,
            byte if byte == close => done,
            _ => return None,
        };
        scanner.advance(1);
        Some(())
    }
}

fn expect(scanner: &mut Scanner<'_>, byte: u8) -> Option<()> {
    scanner.white_space();
    let found = scanner.peek() == Some(byte);
    scanner.advance(usize::from(found));
    found.then_some(())
}
