//! The located document tree: what a YAML document or JSON text says, with the place of every node.
//!
//! One tree serves every reader (events of a YAML parser, JSON, the strings inside `aws-auth`) and every
//! decoder. Nodes lie in one vector in document order; text is kept as ranges of the input, or of a side
//! buffer where it had to be unescaped, so that a tree can be cleared and filled again without allocating.

/// What a node is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scalar written plain: its meaning (text, number, boolean, null) follows from its text.
    Plain,
    /// A scalar that is text whatever it looks like: quoted, a block scalar, or tagged so.
    Text,
    /// A sequence.
    Sequence,
    /// A mapping: keys and values alternate.
    Mapping,
}

/// What kubectl makes of a scalar (YAML 1.1, as go-yaml v2 resolves it; in JSON the types of JSON).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ScalarType {
    /// `~`, `null`, or nothing at all.
    Null,
    /// `true`, `yes`, `on`, `y` and their like.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction, an exponent, or `.inf` and `.nan`.
    Float,
    /// Text.
    Text,
}

/// A position in a document: line and column from 1.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

#[derive(Copy, Clone, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) owned: bool,
    /// Written as a literal block scalar: each line of its text is a line of the source.
    pub(super) literal: bool,
    pub(super) start: u32,
    pub(super) len: u32,
    /// One past the last node of this subtree.
    pub(super) end: u32,
    pub(super) position: Position,
}

/// A located document tree over a text.
#[derive(Clone, Debug, Default)]
pub struct Tree<'s> {
    pub(super) source: &'s str,
    pub(super) owned: String,
    pub(super) entries: Vec<Entry>,
    pub(super) unread: Option<Position>,
}

/// An open collection of a tree that is being filled.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Open(pub(super) u32);

impl<'s> Tree<'s> {
    /// An empty tree over a text; readers fill it.
    pub fn new(source: &'s str) -> Self {
        Self { source, ..Self::default() }
    }

    /// Empties the tree for the next document, over the same or another text, keeping its memory.
    pub fn reset(&mut self, source: &'s str) {
        self.source = source;
        self.owned.clear();
        self.entries.clear();
        self.unread = None;
    }

    /// The tree emptied, over another text that need not live as long, with its memory.
    #[must_use]
    pub fn over(mut self, source: &str) -> Tree<'_> {
        self.owned.clear();
        self.entries.clear();
        Tree { source, owned: self.owned, entries: self.entries, unread: None }
    }

    /// Where a further document begins that was not read: kubectl, too, reads only the first document of what
    /// stands between two `---` lines, so that what follows a `...` line is lost.
    pub fn unread(&self) -> Option<Position> {
        self.unread
    }

    /// The text that the tree was read from.
    pub fn source(&self) -> &'s str {
        self.source
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the document said nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The outermost node, if the document said anything.
    pub fn root(&self) -> Option<Node<'_>> {
        if self.entries.is_empty() { None } else { Some(Node { tree: self, index: 0 }) }
    }

    /// Adds a scalar whose text is a range of the source.
    pub(crate) fn push_borrowed(&mut self, kind: Kind, start: usize, len: usize, position: Position) {
        let end = narrow(self.entries.len() + 1);
        let (start, len) = (narrow(start), narrow(len));
        self.entries.push(Entry { kind, owned: false, literal: false, start, len, end, position });
    }

    /// Adds a scalar whose text is not in the source as it stands.
    pub(crate) fn push_owned(&mut self, kind: Kind, text: &str, position: Position) {
        let end = narrow(self.entries.len() + 1);
        let start = narrow(self.owned.len());
        self.owned.push_str(text);
        let len = narrow(text.len());
        self.entries.push(Entry { kind, owned: true, literal: false, start, len, end, position });
    }

    /// Opens a sequence or mapping; what is pushed until [`Tree::close`] is inside it.
    pub(crate) fn open(&mut self, kind: Kind, position: Position) -> Open {
        let index = narrow(self.entries.len());
        self.entries.push(Entry {
            kind,
            owned: false,
            literal: false,
            start: 0,
            len: 0,
            end: index + 1,
            position,
        });
        Open(index)
    }

    /// Closes the collection.
    pub(crate) fn close(&mut self, open: Open) {
        let end = narrow(self.entries.len());
        if let Some(entry) = self.entries.get_mut(open.0 as usize) {
            entry.end = end;
        }
    }

    /// Says that everything stands at one place: the text was itself a value of another document.
    pub(crate) fn stand_at(&mut self, position: Position) {
        for entry in &mut self.entries {
            entry.position = position;
            entry.literal = false;
        }
    }

    /// The number that the next pushed node will have.
    pub(crate) fn next_index(&self) -> u32 {
        narrow(self.entries.len())
    }

    /// Says that the scalar pushed last was a literal block scalar.
    pub(crate) fn mark_literal(&mut self) {
        if let Some(entry) = self.entries.last_mut() {
            entry.literal = true;
        }
    }
}

pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A node of a [`Tree`].
#[derive(Copy, Clone, Debug)]
pub struct Node<'t> {
    pub(super) tree: &'t Tree<'t>,
    pub(super) index: u32,
}

/// What stands for a node that is not there.
pub(super) const NOTHING: Entry = Entry {
    kind: Kind::Plain,
    owned: false,
    literal: false,
    start: 0,
    len: 0,
    end: u32::MAX,
    position: Position { line: 0, column: 0 },
};

impl<'t> Node<'t> {
    fn entry(self) -> &'t Entry {
        self.tree.entries.get(self.index as usize).unwrap_or(&NOTHING)
    }

    /// What the node is.
    pub fn kind(self) -> Kind {
        self.entry().kind
    }

    /// Where it stands.
    pub fn position(self) -> Position {
        self.entry().position
    }

    /// The text of a scalar as it reads after unescaping; empty for collections.
    pub fn text(self) -> &'t str {
        let entry = self.entry();
        let from: &'t str = if entry.owned { &self.tree.owned } else { self.tree.source };
        from.get(entry.start as usize..(entry.start + entry.len) as usize).unwrap_or("")
    }

    /// The line of the source that holds the first line of the text, where the lines of the text are lines of
    /// the source: literal block scalars, and text that stands verbatim. `None` where lines were folded or
    /// unescaped, and for collections.
    pub fn text_line(self) -> Option<u32> {
        let entry = self.entry();
        match entry.kind {
            Kind::Sequence | Kind::Mapping => None,
            Kind::Plain | Kind::Text if entry.literal => Some(entry.position.line + 1),
            Kind::Plain | Kind::Text => (!entry.owned).then_some(entry.position.line),
        }
    }

    /// Whether this is a literal block scalar: each line of its text is a line of the source.
    pub(super) fn is_literal(self) -> bool {
        self.entry().literal
    }

    /// Its number among the nodes of the tree.
    pub(super) fn index(self) -> u32 {
        self.index
    }

    /// Whether the text is a range of the source as it stands there.
    pub fn is_verbatim(self) -> bool {
        !self.entry().owned
    }

    /// What a scalar means; `None` for collections.
    pub fn scalar(self) -> Option<ScalarType> {
        match self.kind() {
            Kind::Text => Some(ScalarType::Text),
            Kind::Plain => Some(crate::document::scalar::resolve(self.text())),
            Kind::Sequence | Kind::Mapping => None,
        }
    }

    /// Whether this is a null scalar.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Plain && self.scalar() == Some(ScalarType::Null)
    }

    /// The text of a scalar that means text; `None` for anything else.
    pub fn as_str(self) -> Option<&'t str> {
        (self.scalar() == Some(ScalarType::Text)).then(|| self.text())
    }

    /// Whether this is a mapping.
    pub fn is_mapping(self) -> bool {
        self.kind() == Kind::Mapping
    }

    /// Whether this is a sequence.
    pub fn is_sequence(self) -> bool {
        self.kind() == Kind::Sequence
    }

    /// The nodes directly inside: items of a sequence; keys and values, alternating, of a mapping.
    pub fn children(self) -> Children<'t> {
        let entry = self.entry();
        Children { tree: self.tree, next: self.index + 1, end: entry.end }
    }

    /// The items of a sequence; nothing for any other node.
    pub fn items(self) -> Children<'t> {
        if self.is_sequence() { self.children() } else { Children { tree: self.tree, next: 0, end: 0 } }
    }

    /// Keys and values of a mapping, in order; nothing for any other node.
    pub fn pairs(self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let mut children =
            if self.is_mapping() { self.children() } else { Children { tree: self.tree, next: 0, end: 0 } };
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The value of a key of a mapping. The last one counts where a key stands twice, as in Go.
    pub fn get(self, key: &str) -> Option<Node<'t>> {
        self.pairs().filter(|(name, _)| name.text() == key).last().map(|(_, value)| value)
    }
}

/// The nodes directly inside a collection.
#[derive(Clone, Debug)]
pub struct Children<'t> {
    tree: &'t Tree<'t>,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node { tree: self.tree, index: self.next };
        self.next = node.entry().end;
        Some(node)
    }
}

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The code of the diagnostic that it becomes.
    pub code: crate::model::diagnostic::Code,
    /// Where reading stopped.
    pub position: Position,
    /// What was wrong, in lower case.
    pub message: String,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.position.line, self.position.column, self.message)
    }
}

impl std::error::Error for ReadError {}

/// Reads the YAML document that `source` holds into `tree`, which is reset first: by the fast reader where it can,
/// by the event parser otherwise. The document starts at line `first_line` of its file.
///
/// # Errors
///
/// As [`super::yaml::read`].
pub fn read<'s>(source: &'s str, first_line: u32, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    if super::block::read_at(source, first_line, tree) {
        Ok(())
    } else {
        super::yaml::read_at(source, first_line, tree)
    }
}

/// Nesting beyond this is refused. The deepest Kubernetes objects, schemas of custom resources, stay below 70.
pub const MAX_DEPTH: usize = 200;
