//! Where in the inputs something stands: file, line, column and, for JSON, the path to it.

use std::fmt;

/// An input file, by its number in [`Sources`].
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// The path to an object inside a JSON file, such as `items[12]`, by its number in [`Sources`].
///
/// The default stands for "no path": YAML is found by its line.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub u32);

/// A place in an input file. Lines and columns count from 1; 0 is "not known".
///
/// The order is that of the inputs: file, then position, which decides who is "later".
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The path inside a JSON file.
    pub path: PathId,
}

impl Source {
    /// The same file and path, at another line of it.
    #[must_use]
    pub fn at_line(self, line: u32) -> Self {
        Self { line, column: 0, ..self }
    }
}

/// How places move when what was read apart is put behind what was read before.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift {
    /// Files before the first.
    pub(crate) files: u32,
    /// Paths before the first.
    pub(crate) paths: u32,
    /// Items of the list that a file is, before the first.
    pub(crate) items: u32,
    /// Lines of the file before the first.
    pub(crate) lines: u32,
    /// Characters before the beginning of the first line.
    pub(crate) columns: u32,
}

impl Shift {
    /// Where a line really is; 0 is not known and stays so.
    pub(crate) fn line(&self, line: u32) -> u32 {
        if line == 0 { 0 } else { line + self.lines }
    }

    /// Where a place really is.
    pub(crate) fn source(&self, source: Source) -> Source {
        let first = source.line == 1 && source.column > 0;
        Source {
            file: FileId(source.file.0 + self.files),
            line: self.line(source.line),
            column: source.column + if first { self.columns } else { 0 },
            path: if source.path == PathId::default() {
                source.path
            } else {
                PathId(source.path.0 + self.paths)
            },
        }
    }
}

/// The names of the input files and the paths inside them.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Box<str>>,
    /// The paths by their number, less one: an item, by its index, of the list at another path.
    paths: Vec<(PathId, u32)>,
}

impl Sources {
    /// Forgets everything, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.files.clear();
        self.paths.clear();
    }

    /// Adds a file under the name that people will see.
    pub fn add_file(&mut self, name: &str) -> FileId {
        self.files.push(name.into());
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// Adds the path of an item of the list at a path, or of the list that a file is.
    pub fn add_item(&mut self, list: PathId, index: u32) -> PathId {
        self.paths.push((list, index));
        PathId(u32::try_from(self.paths.len()).unwrap_or_default())
    }

    /// The name of a file.
    pub fn file(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("?", |name| name)
    }

    /// The list in which the item at a path stands, and its index; `None` for no path.
    fn item(&self, path: PathId) -> Option<(PathId, u32)> {
        let known = (path.0 as usize).checked_sub(1).and_then(|index| self.paths.get(index));
        // INVARIANT: a list stands before its items, so that going up ends.
        known.copied().filter(|(list, _)| list.0 < path.0)
    }

    /// Whether something stands at a path inside its file.
    pub fn has_path(&self, path: PathId) -> bool {
        self.item(path).is_some()
    }

    /// The text of a path, such as `items[3].items[0]`; empty for none.
    pub fn path(&self, path: PathId) -> impl fmt::Display + '_ {
        ShownPath { sources: self, path }
    }

    /// The shift of what comes behind the files and paths that there are.
    pub(crate) fn behind(&self) -> Shift {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Shift { files: number(self.files.len()), paths: number(self.paths.len()), ..Shift::default() }
    }

    /// Moves files to the end of these.
    pub(crate) fn append_files(&mut self, other: &mut Self) {
        self.files.append(&mut other.files);
    }

    /// Moves paths to the end of these.
    pub(crate) fn append_paths(&mut self, other: &mut Self, shift: &Shift) {
        self.paths.extend(other.paths.drain(..).map(|(list, index)| {
            if list == PathId::default() {
                (list, index + shift.items)
            } else {
                (PathId(list.0 + shift.paths), index)
            }
        }));
    }

    /// How many paths there are.
    pub(crate) fn paths(&self) -> usize {
        self.paths.len()
    }

    /// Forgets what was added since there were so many files and paths.
    pub(crate) fn forget_after(&mut self, (files, paths): (usize, usize)) {
        self.files.truncate(files);
        self.paths.truncate(paths);
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether no file was read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The place as people write it: `file:line`, or `file items[12]` inside JSON.
    pub fn show(&self, source: Source) -> impl fmt::Display + '_ {
        Shown { sources: self, source }
    }
}

struct Shown<'a> {
    sources: &'a Sources,
    source: Source,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sources.file(self.source.file))?;
        if self.source.line > 0 {
            write!(f, ":{}", self.source.line)?;
        }
        if self.sources.has_path(self.source.path) {
            write!(f, " {}", self.sources.path(self.source.path))?;
        }
        Ok(())
    }
}

struct ShownPath<'a> {
    sources: &'a Sources,
    path: PathId,
}

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((list, index)) = self.sources.item(self.path) else { return Ok(()) };
        if self.sources.has_path(list) {
            write!(f, "{}.", self.sources.path(list))?;
        }
        write!(f, "items[{index}]")
    }
}
