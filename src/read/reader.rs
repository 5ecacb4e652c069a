//! From bytes to documents: encoding, YAML or JSON, one document after the other.
//!
//! A small file is read as it is. A large one is cut into [`pieces`] and a directory into a few files at a time, which
//! threads read apart and the collector takes in in order. Whatever is not as kubectl prints it (another encoding,
//! a List that is no List after all, an error in the middle of one) makes the collector go back and the whole file
//! be read at once, so that the pieces never change what a file means.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use super::collect::Collector;
use super::exclude::Exclude;
use super::findings::Findings;
use super::settings::Settings;
use crate::document::{Tree, encoding};
use crate::read::parallel;
use folder::{Files, Walk};
use pieces::{Cutter, Joiner, Piece};
use window::{PIECE, Window};

mod folder;
mod json_list;
mod list;
mod pieces;
#[cfg(test)]
mod tests;
mod whole;
mod window;
mod yaml_list;

/// Reads inputs into a collector.
#[derive(Copy, Clone, Debug)]
pub(super) struct Reader<'s> {
    /// What is larger is read in pieces of about this size.
    piece: usize,
    /// What fills placeholders in.
    settings: Option<&'s Settings>,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Self { piece: PIECE, settings: None }
    }
}

impl<'s> Reader<'s> {
    /// A reader that fills placeholders in.
    pub(super) fn with_settings(settings: Option<&'s Settings>) -> Self {
        Self { settings, ..Self::default() }
    }

    /// A reader whose pieces have another size than usual.
    #[cfg(test)]
    fn with_pieces(piece: usize) -> Self {
        Self { piece, ..Self::default() }
    }

    /// Reads a file, or every file of a directory that is looked for.
    ///
    /// # Errors
    /// If it cannot be opened or read; files inside a directory that cannot be read become diagnostics.
    pub(super) fn path(self, collector: &mut Collector, path: &Path, exclude: &Exclude) -> io::Result<()> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            self.directory(collector, path, exclude);
            return Ok(());
        }
        if exclude.excludes_file(path) {
            return Ok(());
        }
        if metadata.is_file() {
            return self.file(collector, path);
        }
        // What is no regular file, such as a pipe, cannot be read twice.
        let bytes = std::fs::read(path)?;
        self.bytes(collector, &path.display().to_string(), &bytes);
        Ok(())
    }

    fn directory(self, collector: &mut Collector, path: &Path, exclude: &Exclude) {
        collector.root(path);
        let mut walk = Walk::new(path, exclude);
        parallel::run(
            |files: &mut Files| walk.next(files),
            |files: &mut Files| files.read(self.settings),
            |files| {
                collector.take(&mut files.found);
                while let Some(path) = files.large.take() {
                    if let Err(error) = self.file(collector, &path) {
                        files.found.unreadable(&path, &error.to_string());
                        collector.take(&mut files.found);
                    }
                    files.read(self.settings);
                    collector.take(&mut files.found);
                }
                ControlFlow::Continue(())
            },
        );
        if walk.is_empty {
            collector.empty_directory(path);
        }
    }

    fn file(self, collector: &mut Collector, path: &Path) -> io::Result<()> {
        let name = path.display().to_string();
        if self.settings.is_some() {
            self.bytes(collector, &name, &std::fs::read(path)?);
            return Ok(());
        }
        let mut file = File::open(path)?;
        let mut window = Window::new(self.piece);
        window.more(&mut file)?;
        if window.is_last() {
            self.bytes(collector, &name, window.bytes());
            return Ok(());
        }
        if !window.is_plain() {
            self.bytes(collector, &name, &std::fs::read(path)?);
            return Ok(());
        }
        Self::pieces(collector, &name, window, &mut file, &|| std::fs::read(path).map(Cow::Owned))
    }

    /// Reads bytes that are there already.
    pub(super) fn bytes(self, collector: &mut Collector, name: &str, bytes: &[u8]) {
        if let Some(filled) = self.settings.and_then(|settings| settings.fill_bytes(bytes)) {
            Self::whole(collector, name, filled.as_bytes());
            return;
        }
        match encoding::decode(bytes) {
            Ok(text) if text.len() > self.piece => {
                let again = || Ok(Cow::Borrowed(bytes));
                // Reading from memory does not fail.
                let _ = Self::pieces(collector, name, Window::new(self.piece), &mut text.as_bytes(), &again);
            }
            // What is decoded twice loses two marks of the encoding.
            _ => Self::whole(collector, name, bytes),
        }
    }

    /// Reads a file of which the window holds the beginning and the input gives the rest.
    fn pieces<'b>(
        collector: &mut Collector,
        name: &str,
        window: Window,
        input: &mut (dyn Read + Send),
        again: &dyn Fn() -> io::Result<Cow<'b, [u8]>>,
    ) -> io::Result<()> {
        let mark = collector.mark();
        let file = collector.file(name);
        let mut cutter = Cutter::new(window, input);
        let mut joiner = Joiner::new(file);
        let mut is_odd = false;
        parallel::run(
            |piece: &mut Piece| cutter.next(piece),
            Piece::read,
            |piece| {
                is_odd = joiner.join(collector, piece).is_none();
                if is_odd { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        let failed = cutter.failed;
        if !is_odd && failed.is_none() {
            return Ok(());
        }
        collector.go_back(mark);
        if let Some(error) = failed {
            return Err(error);
        }
        Self::whole(collector, name, &again()?);
        Ok(())
    }

    /// Reads a file as it is.
    fn whole(collector: &mut Collector, name: &str, bytes: &[u8]) {
        let mut found = Findings::default();
        let file = found.file(name);
        whole::bytes(&mut found, file, bytes, &mut Tree::default());
        collector.take(&mut found);
    }
}

/// How many lines end in a text.
fn lines(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}
