//! What is not read: `--exclude`, files named `.rbacsimignore`, and folders that never hold manifests.

use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The name of a file that says what is not read in its folder and below.
const IGNORE_FILE: &str = ".rbacsimignore";

/// Folders of tools, in which nothing is a manifest of the tree.
const NEVER: [&str; 3] = [".git", "node_modules", ".terraform"];

/// Patterns in the syntax of `.gitignore`: what they match is not read.
#[derive(Clone, Debug)]
pub struct Exclude {
    patterns: Gitignore,
}

impl Default for Exclude {
    fn default() -> Self {
        Self { patterns: Gitignore::empty() }
    }
}

impl Exclude {
    /// Patterns, of which a later one can take back what an earlier one excludes, with `!` in front.
    ///
    /// # Errors
    /// If one of them is no pattern.
    pub fn new(globs: &[String]) -> Result<Self, String> {
        let mut builder = GitignoreBuilder::new("");
        for glob in globs {
            let told = |error: ignore::Error| format!("`{glob}` is not a pattern of .gitignore: {error}");
            builder.add_line(None, glob).map_err(told)?;
        }
        let patterns = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { patterns })
    }

    /// Whether a file of a tree that is no folder, such as a revision of Git, is left out when `root` is read;
    /// `text_of` gives the text of a file of that tree.
    pub fn leaves_out_of_tree(
        &self,
        root: &Path,
        path: &Path,
        text_of: &dyn Fn(&Path) -> Option<String>,
    ) -> bool {
        if root == path {
            return self.excludes_file(path);
        }
        let mut excluded =
            Excluded { root: root.to_owned(), given: self.patterns.clone(), files: Vec::new() };
        let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
        folders.reverse();
        for folder in folders {
            let is_below = folder != root && (root == Path::new(".") || folder.starts_with(root));
            if is_below && !folder.as_os_str().is_empty() && excluded.leaves_out(folder, true) {
                return true;
            }
            if let Some(text) = text_of(&folder.join(IGNORE_FILE)) {
                excluded.add(folder, &text);
            }
        }
        excluded.leaves_out(path, false)
    }

    /// Whether a file that was named itself is excluded.
    pub(super) fn excludes_file(&self, path: &Path) -> bool {
        !self.patterns.is_empty() && matched(&self.patterns, path, false) == Some(true)
    }
}

/// What the patterns say of a path: excluded, taken back, or nothing.
fn matched(patterns: &Gitignore, path: &Path, is_dir: bool) -> Option<bool> {
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.as_os_str().is_empty() || path.has_root() {
        return None;
    }
    match patterns.matched(path, is_dir) {
        Match::None => None,
        Match::Ignore(_) => Some(true),
        Match::Whitelist(_) => Some(false),
    }
}

/// What is not read below one folder.
#[derive(Debug)]
pub(super) struct Excluded {
    root: PathBuf,
    given: Gitignore,
    /// The ignore files of the folders that are walked, each with its folder, outermost first.
    files: Vec<(PathBuf, Gitignore)>,
}

impl Excluded {
    /// For the walk of a folder: an ignore file above it, up to where the program was started, counts too.
    pub(super) fn below(root: &Path, exclude: &Exclude) -> Self {
        let mut excluded = Self { root: root.to_owned(), given: exclude.patterns.clone(), files: Vec::new() };
        if root.is_relative() {
            let mut above: Vec<&Path> = root.ancestors().skip(1).collect();
            above.reverse();
            for folder in above {
                excluded.enter(folder);
            }
        }
        excluded
    }

    /// Reads the ignore file of a folder, if it has one.
    pub(super) fn enter(&mut self, folder: &Path) {
        if let Ok(text) = std::fs::read_to_string(folder.join(IGNORE_FILE)) {
            self.add(folder, &text);
        }
    }

    /// Takes in the text of the ignore file of a folder.
    fn add(&mut self, folder: &Path, text: &str) {
        let file = folder.join(IGNORE_FILE);
        let mut builder = GitignoreBuilder::new("");
        for line in text.lines() {
            // What is no pattern excludes nothing, as with git.
            let _ = builder.add_line(Some(file.clone()), line);
        }
        if let Ok(patterns) = builder.build() {
            self.files.push((folder.to_owned(), patterns));
        }
    }

    /// Whether something below the folder is left out.
    pub(super) fn leaves_out(&mut self, path: &Path, is_dir: bool) -> bool {
        if is_dir && path.file_name().is_some_and(|name| NEVER.iter().any(|never| name == *never)) {
            return true;
        }
        if self.given.is_empty() && self.files.is_empty() {
            return false;
        }
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let given = matched(&self.given, below, is_dir).or_else(|| matched(&self.given, path, is_dir));
        // A pattern of the command line wins over a file, a file over those further out.
        let of_file = || {
            let mut files = self.files.iter().rev();
            files.find_map(|(folder, patterns)| matched(patterns, path.strip_prefix(folder).ok()?, is_dir))
        };
        given.or_else(of_file).unwrap_or(false)
    }
}
