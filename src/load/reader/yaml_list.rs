//! A YAML List as kubectl prints it, item by item.
//!
//! The items of such a list stand at the left margin, each begun by `- `. The text is cut there, and every part
//! must be in the subset of [`block`], where nothing reaches from one line at the left margin into the next. A
//! List of which any part is outside that subset is read as one document instead.

use std::io::Read;

use super::super::collect::{Collector, Origin, implied_by};
use super::{Reader, Stop, is_skipped, lines, may_be_skipped};
use crate::document::{Node, Tree, block, sniff};

/// What stands before the items of a list.
#[derive(Debug)]
pub(super) struct Head {
    len: usize,
    api_version: String,
    kind: String,
}

impl Head {
    /// The head of the list that a document begins with, if it is one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let items = "items:\n";
        let at = if text.starts_with(items) {
            0
        } else {
            memchr::memmem::find(text.as_bytes(), b"\nitems:\n- ")? + 1
        };
        let len = at + items.len();
        let mut fields = Fields::default();
        // The key stands alone here: it says null, and takes its items from what follows.
        fields.read(text.get(..len)?)?;
        let Fields { api_version, kind, items } = fields;
        (items == 1 && text.get(len..)?.starts_with("- ")).then_some(Self { len, api_version, kind })
    }
}

/// The fields of a list beside its items.
#[derive(Debug, Default)]
struct Fields {
    api_version: String,
    kind: String,
    items: usize,
}

impl Fields {
    /// Reads a part of the mapping that a list is.
    fn read(&mut self, text: &str) -> Option<()> {
        let mut tree = Tree::default();
        if !block::read(text, &mut tree) {
            return None;
        }
        let Some(root) = tree.root() else { return Some(()) };
        if !root.is_mapping() {
            return None;
        }
        for (key, value) in root.pairs() {
            let text = value.as_str().unwrap_or_default();
            match key.text() {
                "apiVersion" => text.clone_into(&mut self.api_version),
                "kind" => text.clone_into(&mut self.kind),
                "items" => self.items += 1,
                _ => {}
            }
        }
        Some(())
    }
}

/// What ends an item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Next {
    /// Another item.
    Item,
    /// The fields after the items, or the end of the document.
    Tail,
}

/// The length of the item that a text begins with, and what comes then; `None` if the text ends before.
fn item(text: &str) -> Option<(usize, Next)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let feed = from + memchr::memchr(b'\n', bytes.get(from..)?)?;
        match bytes.get(feed + 1)? {
            b' ' | b'\n' | b'#' => from = feed + 1,
            b'-' => match bytes.get(feed + 2)? {
                b' ' | b'\n' => return Some((feed + 1, Next::Item)),
                _ => return Some((feed + 1, Next::Tail)),
            },
            _ => return Some((feed + 1, Next::Tail)),
        }
    }
}

impl Reader {
    /// Reads the list whose head the window begins with. Gives the lines of the file up to what the window then
    /// begins with: the next document, or nothing.
    pub(super) fn yaml_list(
        &mut self,
        collector: &mut Collector,
        origin: Origin,
        head: &Head,
        input: &mut dyn Read,
    ) -> Result<u32, Stop> {
        let mut fields = Fields { api_version: head.api_version.clone(), kind: head.kind.clone(), items: 1 };
        let (item_version, item_kind) = implied_by(&head.api_version, &head.kind)
            .map(|(version, kind)| (version.to_owned(), kind.to_owned()))
            .unwrap_or_default();
        let implied = (item_version.as_str(), item_kind.as_str());

        let mut lines_before =
            origin.lines_before + lines(self.window.text().get(..head.len).unwrap_or_default());
        let mut at = head.len;
        let mut index = 0;
        loop {
            let text = self.window.text();
            let mut tree = std::mem::take(&mut self.tree).over(text);
            let mut more = true;
            while let Some(rest) = text.get(at..) {
                let found = item(rest).or_else(|| self.window.is_last().then_some((rest.len(), Next::Tail)));
                let Some((len, next)) = found else { break };
                let part = rest.get(..len).unwrap_or_default();
                let kind = if may_be_skipped(part) { sniff::kind_of_item(part) } else { None };
                match kind.filter(|(api_version, kind)| is_skipped(api_version, kind)) {
                    Some((api_version, kind)) => collector.skip(api_version, kind),
                    None if block::read(part, &mut tree) => {
                        let item = only_item(&tree).ok_or(Stop::Odd)?;
                        collector.item(item, index, Origin { lines_before, ..origin }, implied);
                    }
                    None => return Err(Stop::Odd),
                }
                index += 1;
                at += len;
                lines_before += lines(part);
                if next == Next::Tail {
                    more = false;
                    break;
                }
            }
            self.tree = tree.over("");
            self.window.take(at);
            at = 0;
            if !more {
                break;
            }
            self.window.more(input)?;
        }
        let tail = loop {
            let text = self.window.text();
            match memchr::memmem::find(text.as_bytes(), b"\n---") {
                _ if text.starts_with("---") => break 0,
                Some(at) => break at + 1,
                None if self.window.is_last() => break text.len(),
                None => self.window.more(input)?,
            }
        };
        let text = self.window.text().get(..tail).unwrap_or_default();
        lines_before += lines(text);
        fields.read(text).ok_or(Stop::Odd)?;
        self.window.take(tail);
        let as_assumed = implied_by(&fields.api_version, &fields.kind) == Some(implied) && fields.items == 1;
        if as_assumed { Ok(lines_before) } else { Err(Stop::Odd) }
    }
}

/// The one item of a list of one.
fn only_item<'t>(tree: &'t Tree<'_>) -> Option<Node<'t>> {
    let mut items = tree.root()?.items();
    let item = items.next()?;
    items.next().is_none().then_some(item)
}
