//! From bytes to documents: encoding, YAML or JSON, one document after the other through one tree.
//!
//! A large file is read in pieces that stay in the processor's cache: YAML up to the last `---` line of a piece,
//! lists item by item. Whatever is not as kubectl prints it (another encoding, a List that is no List after all,
//! an error in the middle of one) makes the collector go back and the whole file be read at once, so that the
//! pieces never change what a file means.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::document::{self, Tree, encoding, json, sniff, split, yaml};
use crate::source::FileId;

use super::collect::{Collector, Origin, bears_on_answers, is_kustomization};
use super::rbac::RbacKind;
use window::Window;

mod json_list;
#[cfg(test)]
mod tests;
mod window;
mod yaml_list;

/// Why a file cannot be read in pieces.
#[derive(Debug)]
enum Stop {
    /// It must be looked at as a whole.
    Odd,
    /// It cannot be read at all.
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Reads files, with the memory of one for the next.
#[derive(Debug, Default)]
pub(super) struct Reader {
    window: Window,
    tree: Tree<'static>,
}

impl Reader {
    /// A reader whose pieces have another size than usual.
    #[cfg(test)]
    fn with_pieces(size: usize) -> Self {
        Self { window: Window::with_pieces(size), tree: Tree::default() }
    }

    /// Reads a file; what is no regular file, such as a pipe, cannot be read twice.
    ///
    /// # Errors
    /// If it cannot be opened or read.
    pub(super) fn file(&mut self, collector: &mut Collector, path: &Path, regular: bool) -> io::Result<()> {
        let name = path.display().to_string();
        if regular {
            let mut file = File::open(path)?;
            return self.read(collector, &name, &mut file, &|| std::fs::read(path).map(Cow::Owned));
        }
        let bytes = std::fs::read(path)?;
        self.bytes(collector, &name, &bytes);
        Ok(())
    }

    /// Reads bytes that are there already.
    pub(super) fn bytes(&mut self, collector: &mut Collector, name: &str, bytes: &[u8]) {
        let mut rest = bytes;
        // Reading from memory does not fail.
        let _ = self.read(collector, name, &mut rest, &|| Ok(Cow::Borrowed(bytes)));
    }

    fn read<'b>(
        &mut self,
        collector: &mut Collector,
        name: &str,
        input: &mut dyn Read,
        again: &dyn Fn() -> io::Result<Cow<'b, [u8]>>,
    ) -> io::Result<()> {
        self.window.clear();
        match self.window.more(input) {
            Ok(()) if self.window.is_last() => {
                let file = collector.file(name);
                whole_text(collector, file, self.window.text());
                return Ok(());
            }
            Ok(()) => {}
            Err(Stop::Odd) => {
                let bytes = again()?;
                let file = collector.file(name);
                whole(collector, file, &bytes);
                return Ok(());
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
        let mark = collector.mark();
        let file = collector.file(name);
        let result = match self.window.text().trim_start().as_bytes().first() {
            Some(b'{') => self.json_list(collector, file, input),
            Some(b'[') => Err(Stop::Odd),
            _ => self.yaml(collector, file, input),
        };
        let Err(stop) = result else { return Ok(()) };
        collector.go_back(mark);
        match stop {
            Stop::Failed(error) => Err(error),
            Stop::Odd => {
                let bytes = again()?;
                let file = collector.file(name);
                whole(collector, file, &bytes);
                Ok(())
            }
        }
    }

    /// Reads YAML in pieces that end with a separator.
    fn yaml(&mut self, collector: &mut Collector, file: FileId, input: &mut dyn Read) -> Result<(), Stop> {
        let mut lines_before = 0;
        loop {
            if self.window.text().starts_with("---\n") {
                self.window.take(4);
                lines_before += 1;
            }
            let end = self.window.documents_end();
            if end == 0 {
                if self.window.is_last() {
                    return Ok(());
                }
                // One document is larger than the window.
                if let Some(list) = yaml_list::Head::of(self.window.text()) {
                    lines_before =
                        self.yaml_list(collector, Origin::yaml(file, lines_before), &list, input)?;
                } else {
                    self.window.more(input)?;
                }
                continue;
            }
            let text = self.window.text().get(..end).unwrap_or_default();
            let mut tree = std::mem::take(&mut self.tree).over(text);
            yaml_documents(collector, file, text, lines_before, &mut tree);
            self.tree = tree.over("");
            lines_before += lines(text);
            self.window.take(end);
            self.window.more(input)?;
        }
    }
}

/// How many lines end in a text.
fn lines(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

/// Reads all of a file.
fn whole(collector: &mut Collector, file: FileId, bytes: &[u8]) {
    match encoding::decode(bytes) {
        Ok(text) => whole_text(collector, file, &text),
        Err(error) => collector.broken(Origin::yaml(file, 0), "", &error),
    }
}

/// Reads the text of a file.
fn whole_text(collector: &mut Collector, file: FileId, text: &str) {
    let mut tree = Tree::default();
    // Two braces begin a template, which is neither.
    if !text.trim_start().starts_with(['{', '[']) || text.trim_start().starts_with("{{") {
        yaml_documents(collector, file, text, 0, &mut tree);
        return;
    }
    let Err(error) = json::read(text, &mut tree) else {
        collector.document(&tree, Origin::json(file));
        return;
    };
    if let Some(values) = stream_of_values(text, &mut tree) {
        for value in &values {
            if json::read_span(text, value, &mut tree).is_ok() {
                collector.document(&tree, Origin::json(file));
            }
        }
        return;
    }
    // JSON is YAML, nearly: what is not JSON may still be a flow mapping, or several with `---` between them.
    let mut documents = split::documents(text);
    let several = documents.clone().nth(1).is_some();
    if several || documents.all(|document| is_all_of_it(document.text, &mut tree)) {
        yaml_documents(collector, file, text, 0, &mut tree);
        return;
    }
    let chunks = lines_of_values(text);
    if chunks.len() < 2 {
        collector.broken(Origin::json(file), text, &error);
        return;
    }
    let mut lines_before = 0;
    for chunk in chunks {
        let origin = Origin { lines_before, ..Origin::json(file) };
        match json::read(chunk, &mut tree) {
            Ok(()) => collector.document(&tree, origin),
            Err(error) => collector.broken(origin, chunk, &error),
        }
        lines_before += lines(chunk);
    }
}

/// The values of a text that holds one JSON value after the other, all of them good.
fn stream_of_values<'s>(text: &'s str, tree: &mut Tree<'s>) -> Option<Vec<json::Span>> {
    let values: Vec<json::Span> = json::values(text).collect::<Result<_, _>>().ok()?;
    values.iter().all(|value| json::read_span(text, value, tree).is_ok()).then_some(values)
}

/// Whether a text is one YAML document and nothing else.
fn is_all_of_it<'s>(text: &'s str, tree: &mut Tree<'s>) -> bool {
    yaml::read(text, tree).is_ok() && tree.unread().is_none()
}

/// A text cut before each line that begins with a brace: so a value that was cut short does not swallow the next.
fn lines_of_values(text: &str) -> Vec<&str> {
    let begins = text.match_indices("\n{").map(|(at, _)| at + 1);
    let bounds: Vec<usize> = [0].into_iter().chain(begins).chain([text.len()]).collect();
    bounds.windows(2).filter_map(|bound| text.get(*bound.first()?..*bound.last()?)).collect()
}

/// Reads the YAML documents of a text that begins after some lines of its file.
fn yaml_documents<'s>(
    collector: &mut Collector,
    file: FileId,
    text: &'s str,
    lines_before: u32,
    tree: &mut Tree<'s>,
) {
    for document in split::documents(text) {
        if let Some(line) = document.odd {
            collector.odd_separator(file, lines_before + line);
        }
        if may_be_skipped(document.text)
            && let Some((api_version, kind)) = sniff::kind_of_document(document.text)
            && is_skipped(api_version, kind)
        {
            collector.skip(api_version, kind);
            continue;
        }
        let origin = Origin::yaml(file, lines_before + document.line - 1);
        match document::read(document.text, 1, tree) {
            Ok(()) => {
                collector.document(tree, origin);
                if let Some(position) = tree.unread() {
                    collector.text_not_read(origin, document.text, position.line);
                }
            }
            Err(error) => collector.broken(origin, document.text, &error),
        }
    }
}

/// Whether the first thing in a text that looks like a kind is none that must be read: only then is it worth finding
/// out what kind it really is.
fn may_be_skipped(text: &str) -> bool {
    let first = memchr::memmem::find(text.as_bytes(), b"kind: ").and_then(|at| text.get(at + 6..));
    let word = first.and_then(|rest| rest.split(['\n', ' ']).next()).unwrap_or_default();
    !matches!(word, "ServiceAccount" | "Namespace" | "ConfigMap" | "CustomResourceDefinition")
        && RbacKind::of(word).is_none()
}

/// Whether a document of a kind need not be read: neither does it bear on answers, nor can it hold what does.
fn is_skipped(api_version: &str, kind: &str) -> bool {
    !kind.ends_with("List") && !bears_on_answers(api_version, kind) && !is_kustomization(api_version)
}
