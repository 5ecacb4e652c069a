//! A directory: its files in the order of their names, many small ones at once.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::exclude::{Exclude, Excluded};
use super::super::findings::Findings;
use super::super::settings::Settings;
use super::whole;
use super::window::PIECE;
use crate::document::Tree;

/// How many files are read together.
const TOGETHER: usize = 64;

/// What cannot be read of a directory.
#[derive(Debug)]
struct Missed {
    path: PathBuf,
    error: String,
    /// Whether a file may be behind it.
    may_be_file: bool,
}

/// A few files of a directory, and then what was found in them.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// What is not read yet, the last first.
    paths: Vec<Result<PathBuf, Missed>>,
    bytes: Vec<u8>,
    tree: Tree<'static>,
    pub(super) found: Findings,
    /// A file that is too large to be read together with others, and comes next.
    pub(super) large: Option<PathBuf>,
}

/// Walks a directory.
pub(super) struct Walk<'p> {
    root: &'p Path,
    entries: walkdir::IntoIter,
    excluded: Excluded,
    /// Whether nothing was found so far.
    pub(super) is_empty: bool,
}

impl<'p> Walk<'p> {
    pub(super) fn new(root: &'p Path, exclude: &Exclude) -> Self {
        let entries = walkdir::WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        Self { root, entries, excluded: Excluded::below(root, exclude), is_empty: true }
    }

    /// Names the next few files; `false` if there are none.
    pub(super) fn next(&mut self, files: &mut Files) -> bool {
        let paths = &mut files.paths;
        paths.clear();
        while paths.len() < TOGETHER {
            match self.entries.next() {
                None => break,
                Some(Ok(entry)) => {
                    let (path, kind) = (entry.path(), entry.file_type());
                    if kind.is_dir() {
                        if entry.depth() > 0 && self.excluded.leaves_out(path, true) {
                            self.entries.skip_current_dir();
                        } else {
                            self.excluded.enter(path);
                        }
                    } else if kind.is_file() && is_wanted(path) && !self.excluded.leaves_out(path, false) {
                        // As people write it: from where they are.
                        let path = entry.into_path();
                        paths.push(Ok(path.strip_prefix("./").map(Path::to_owned).unwrap_or(path)));
                    }
                }
                Some(Err(error)) => {
                    let path = error.path().unwrap_or(self.root);
                    if !self.excluded.leaves_out(path, false) {
                        let may_be_file = !is_link_to_nowhere(&error, path);
                        paths.push(Err(Missed {
                            path: path.to_owned(),
                            error: error.to_string(),
                            may_be_file,
                        }));
                    }
                }
            }
        }
        paths.reverse();
        self.is_empty &= paths.is_empty();
        !paths.is_empty()
    }
}

/// Whether a link leads back to a folder that is being walked, to itself or to nothing: no file is missed.
fn is_link_to_nowhere(error: &walkdir::Error, path: &Path) -> bool {
    let may_be_read = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    error.loop_ancestor().is_some() || (path.is_symlink() && !error.io_error().is_some_and(may_be_read))
}

fn is_wanted(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
        || path.file_name().is_some_and(|name| name == "Kustomization")
}

impl Files {
    /// Reads the files that are not read yet, up to a large one.
    pub(super) fn read(&mut self, settings: Option<&Settings>) {
        let Self { paths, bytes, tree, found, large } = self;
        found.clear();
        *large = None;
        while let Some(path) = paths.pop() {
            let unreadable = |found: &mut Findings, path: &Path, error: &str| found.unreadable(path, error);
            match path {
                Err(Missed { path, error, may_be_file: true }) => unreadable(found, &path, &error),
                Err(Missed { path, error, .. }) => found.leads_nowhere(&path, &error),
                Ok(path) => match contents(&path, bytes) {
                    Err(error) => unreadable(found, &path, &error.to_string()),
                    Ok(()) if bytes.len() > PIECE => {
                        *large = Some(path);
                        return;
                    }
                    Ok(()) => {
                        let file = found.file(&path.display().to_string());
                        match settings.and_then(|settings| settings.fill_bytes(bytes)) {
                            Some(filled) => whole::bytes(found, file, filled.as_bytes(), tree),
                            None => whole::bytes(found, file, bytes, tree),
                        }
                    }
                },
            }
        }
    }
}

/// Reads a file, or so much of it that it is known to be large.
fn contents(path: &Path, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    bytes.reserve(1 << 14);
    File::open(path)?.take(PIECE as u64 + 1).read_to_end(bytes).map(|_| ())
}
