//! One YAML document, from parser events into the tree.
//!
//! The events are libyaml's, whose Go port reads YAML for kubectl, so that the same documents are accepted. What
//! kubectl then does on the way to JSON happens here as well: aliases are copied, merge keys applied, tags
//! obeyed, keys turned into text (`yes:` is the key `true`), and what JSON cannot hold is refused. Followed are
//! `decode.go` of go-yaml v2 and `convertToJSONableObject` of `sigs.k8s.io/yaml`.
//!
//! Known to differ, each a refusal or an escape that no one writes: `[a:]` and `{a:}` are refused here and read as
//! the text `a:` by go-yaml; so is the escape `\'`; the escape `\/` is read here and refused there.

mod base64;
mod events;
mod merge;
pub mod strings;

use std::collections::HashMap;

use libyaml_safer::{EventData, MappingStyle, Mark, ScalarStyle, SequenceStyle};

pub(crate) use self::base64::decode as decode_base64;
use self::events::Events;
use super::{Entry, Kind, MAX_DEPTH, Node, Open, Position, ReadError, ScalarType, Tree, narrow, scalar};
use crate::model::diagnostic::Code;

/// How many nodes aliases may add. go-yaml v2 allows about as many before it speaks of excessive aliasing.
const ALIAS_BUDGET: usize = 400_000;

/// Reads the first YAML document that `source` holds into `tree`, which is reset first.
///
/// An empty document leaves the tree empty. Keys are always [`Kind::Text`]; a key that stands twice is kept
/// twice, except in mappings with a merge key (`<<`), where only what counts in the end is kept. After an error
/// the tree is empty. Where a second document was left unread, [`Tree::unread`] says so.
///
/// # Errors
///
/// When the document does not parse, or says what kubectl cannot turn into JSON.
pub fn read<'s>(source: &'s str, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    read_at(source, 1, tree)
}

/// [`read`], for a document that starts at another line of its file.
///
/// # Errors
///
/// As [`read`].
pub fn read_at<'s>(source: &'s str, first_line: u32, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    build(source, first_line, false, tree)
}

/// [`read`], with the short forms of `CloudFormation` written out: `!Ref x` as `{Ref: x}`, `!Sub x` as `{"Fn::Sub": x}`.
///
/// # Errors
///
/// As [`read`].
pub fn read_with_functions<'s>(source: &'s str, tree: &mut Tree<'s>) -> Result<(), ReadError> {
    build(source, 1, true, tree)
}

fn build<'s>(
    source: &'s str,
    first_line: u32,
    functions: bool,
    tree: &mut Tree<'s>,
) -> Result<(), ReadError> {
    tree.reset(source);
    let result = guarded(first_line, || {
        Events::new(source, first_line).and_then(|mut events| {
            Builder {
                tree,
                frames: Vec::new(),
                anchors: HashMap::new(),
                anchored: Vec::new(),
                budget: ALIAS_BUDGET,
                first_line,
                functions,
            }
            .run(&mut events)
        })
    });
    if result.is_err() {
        tree.reset(source);
    }
    result
}

/// Runs the event parser so that a panic in it is one more document that does not parse. The panics of
/// libyaml-safer 0.3 that are known are kept away from it; this is for those that are not.
fn guarded<T>(first_line: u32, parse: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(parse)).unwrap_or_else(|_| {
        let position = Position { line: first_line, column: 1 };
        Err(invalid(position, "the YAML parser failed on this document: write it in simpler YAML".to_owned()))
    })
}

/// An open collection.
struct Frame {
    open: Open,
    kind: Kind,
    flow: bool,
    at_key: bool,
    merge: Merge,
    anchor: Option<String>,
    /// Levels below this one.
    height: usize,
    /// The mapping of one key that stands around it, for a short form.
    function: Option<Open>,
}

/// How far a mapping is with its merge keys.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Merge {
    /// There was none.
    None,
    /// The value that comes next belongs to one.
    Next,
    /// At least one was applied.
    Done,
}

/// What a name of an anchor stands for.
#[derive(Copy, Clone)]
enum Anchor {
    /// The collection in this frame, not yet closed.
    Open(usize),
    /// A range of the anchored nodes.
    Closed { start: usize, len: usize, height: usize },
}

struct Builder<'t, 's> {
    tree: &'t mut Tree<'s>,
    frames: Vec<Frame>,
    anchors: HashMap<String, Anchor>,
    /// Copies of what bears an anchor, ends counted from the start of each: merging moves the nodes of the tree.
    anchored: Vec<Entry>,
    /// How many nodes may still be copied.
    budget: usize,
    first_line: u32,
    /// Whether the short forms of `CloudFormation` are written out.
    functions: bool,
}

struct Scalar {
    tag: Option<String>,
    value: String,
    plain_implicit: bool,
    style: ScalarStyle,
    /// Nothing stands before it: neither anchor nor tag.
    bare: bool,
    start: usize,
    end: usize,
    position: Position,
}

impl Builder<'_, '_> {
    fn run(mut self, events: &mut Events<'_>) -> Result<(), ReadError> {
        loop {
            let event = events.next()?;
            let position = self.position(event.start_mark);
            match event.data {
                // libyaml takes 1.2 as well, go-yaml v2 does not.
                EventData::DocumentStart { version_directive: Some(version), .. } if version.minor != 1 => {
                    return Err(invalid(
                        position,
                        "kubectl reads only YAML 1.1: remove the %YAML line".into(),
                    ));
                }
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::StreamEnd => return Ok(()),
                EventData::DocumentEnd { .. } => {
                    self.tree.unread = events.unread();
                    return Ok(());
                }
                EventData::Alias { anchor } => self.alias(&anchor, position)?,
                EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                    let (start, end) = (events.offset(event.start_mark), events.offset(event.end_mark));
                    let bare = anchor.is_none() && tag.is_none();
                    let scalar = Scalar { tag, value, plain_implicit, style, bare, start, end, position };
                    self.scalar(anchor, scalar)?;
                }
                EventData::SequenceStart { anchor, tag, style, .. } => {
                    let flow = style == SequenceStyle::Flow;
                    self.open(Kind::Sequence, anchor, tag.as_deref(), flow, position)?;
                }
                EventData::MappingStart { anchor, tag, style, .. } => {
                    let flow = style == MappingStyle::Flow;
                    self.open(Kind::Mapping, anchor, tag.as_deref(), flow, position)?;
                }
                EventData::SequenceEnd | EventData::MappingEnd => self.close()?,
            }
        }
    }

    fn position(&self, mark: Mark) -> Position {
        events::position(mark, self.first_line)
    }

    fn at_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.at_key)
    }

    fn open(
        &mut self,
        kind: Kind,
        anchor: Option<String>,
        tag: Option<&str>,
        flow: bool,
        position: Position,
    ) -> Result<(), ReadError> {
        if self.at_key() {
            return Err(collection_as_key(kind, position));
        }
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(position));
        }
        if let Some(anchor) = &anchor {
            self.anchors.insert(anchor.clone(), Anchor::Open(self.frames.len()));
        }
        let function = self.function(tag, position);
        let open = self.tree.open(kind, position);
        let at_key = kind == Kind::Mapping;
        self.frames.push(Frame { open, kind, flow, at_key, merge: Merge::None, anchor, height: 0, function });
        Ok(())
    }

    fn close(&mut self) -> Result<(), ReadError> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        self.tree.close(frame.open);
        if frame.merge == Merge::Done {
            merge::keep_last(self.tree, frame.open.0);
        }
        if let Some(name) = frame.anchor {
            // A name taken again inside the collection already stands for that.
            if matches!(self.anchors.get(&name), Some(Anchor::Open(depth)) if *depth == self.frames.len()) {
                self.keep_anchored(name, frame.open.0, frame.height)?;
            }
        }
        match frame.function {
            Some(function) => {
                self.tree.close(function);
                self.child_done(function.0, frame.height + 1, false)
            }
            None => self.child_done(frame.open.0, frame.height, false),
        }
    }

    /// Opens the mapping that a short form stands for, up to its value.
    fn function(&mut self, tag: Option<&str>, position: Position) -> Option<Open> {
        let name = tag.filter(|_| self.functions)?.strip_prefix('!').filter(|name| !name.is_empty())?;
        let open = self.tree.open(Kind::Mapping, position);
        let key = if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
        self.tree.push_owned(Kind::Text, &key, position);
        Some(open)
    }

    /// The node that starts at `start` is complete.
    fn child_done(&mut self, start: u32, height: usize, alias: bool) -> Result<(), ReadError> {
        let Some(parent) = self.frames.last_mut() else { return Ok(()) };
        parent.height = parent.height.max(height + 1);
        if parent.kind != Kind::Mapping {
            return Ok(());
        }
        parent.at_key = !parent.at_key;
        if parent.at_key && parent.merge == Merge::Next {
            parent.merge = Merge::Done;
            return merge::apply(self.tree, start, alias);
        }
        Ok(())
    }

    fn keep_anchored(&mut self, name: String, start: u32, height: usize) -> Result<(), ReadError> {
        let nodes = self.tree.entries.get(start as usize..).unwrap_or_default();
        self.budget = self.budget.checked_sub(nodes.len()).ok_or_else(|| {
            aliases_too_large(nodes.first().map(|entry| entry.position).unwrap_or_default())
        })?;
        let closed = Anchor::Closed { start: self.anchored.len(), len: nodes.len(), height };
        self.anchored.extend(nodes.iter().map(|entry| Entry { end: entry.end - start, ..*entry }));
        self.anchors.insert(name, closed);
        Ok(())
    }

    fn alias(&mut self, name: &str, position: Position) -> Result<(), ReadError> {
        let (from, len, height) = match self.anchors.get(name) {
            None => return Err(invalid(position, format!("no anchor `&{name}` before this alias"))),
            Some(Anchor::Open(_)) => {
                return Err(invalid(position, format!("the anchor `&{name}` contains itself")));
            }
            Some(Anchor::Closed { start, len, height }) => (*start, *len, *height),
        };
        self.budget = self.budget.checked_sub(len).ok_or_else(|| aliases_too_large(position))?;
        if self.frames.len() + height > MAX_DEPTH {
            return Err(too_deep(position));
        }
        let start = self.tree.next_index();
        for entry in self.anchored.get(from..from + len).unwrap_or_default() {
            self.tree.entries.push(Entry { end: entry.end + start, ..*entry });
        }
        if self.at_key() {
            self.make_key(start, position)?;
        }
        self.child_done(start, height, true)
    }

    fn scalar(&mut self, anchor: Option<String>, scalar: Scalar) -> Result<(), ReadError> {
        if !self.at_key()
            && let Some(function) = self.function(scalar.tag.as_deref(), scalar.position)
        {
            self.push(scalar)?;
            self.tree.close(function);
            return self.child_done(function.0, 1, false);
        }
        let start = self.tree.next_index();
        let position = scalar.position;
        let merge_key = self.at_key() && is_merge_key(&scalar);
        let literal = scalar.style == ScalarStyle::Literal && scalar.bare;
        let in_flow = self.frames.last().is_some_and(|frame| frame.flow);
        if in_flow && scalar.style == ScalarStyle::Plain && scalar.value.contains('?') {
            // To libyaml this is text; to go-yaml v2 it is a key where none may stand.
            return Err(invalid(position, "text with `?` inside brackets must be quoted".into()));
        }
        self.push(scalar)?;
        if literal {
            self.tree.mark_literal();
        }
        if let Some(anchor) = anchor {
            self.keep_anchored(anchor, start, 0)?;
        }
        if merge_key {
            self.tree.entries.pop();
            if let Some(frame) = self.frames.last_mut() {
                frame.merge = Merge::Next;
                frame.at_key = false;
            }
            return Ok(());
        }
        if self.at_key() {
            self.make_key(start, position)?;
        } else if let Some(text) = self.not_finite(start) {
            return Err(invalid(
                position,
                format!("`{text}` cannot be written as JSON; quote it if it is text"),
            ));
        }
        self.child_done(start, 0, false)
    }

    fn not_finite(&self, index: u32) -> Option<&str> {
        let node = Node { tree: self.tree, index };
        (node.kind() == Kind::Plain && scalar::is_not_finite(node.text())).then(|| node.text())
    }

    /// Pushes a scalar as its tag and style say: `decoder.scalar` and `resolve` of go-yaml v2.
    fn push(&mut self, scalar: Scalar) -> Result<(), ReadError> {
        let Scalar { tag, mut value, plain_implicit, style, bare, start, end, position } = scalar;
        // Only a block scalar can reach beyond the source, by the line end that was added to it.
        if end > self.tree.source.len() && value.ends_with(events::END) {
            value.pop();
        }
        let kind = match tag.as_deref().map(|tag| tag.strip_prefix("tag:yaml.org,2002:")) {
            None if plain_implicit => Kind::Plain,
            Some(Some("binary")) => {
                let Some(text) = base64::decode(&value) else {
                    return Err(invalid(position, "the value tagged `!!binary` is not base64".into()));
                };
                self.tree.push_owned(Kind::Text, &text, position);
                return Ok(());
            }
            Some(Some(name @ ("null" | "bool" | "int" | "float"))) => {
                let fits = match scalar::resolve(&value) {
                    ScalarType::Null => name == "null",
                    ScalarType::Bool => name == "bool",
                    ScalarType::Int => name == "int" || name == "float",
                    ScalarType::Float => name == "float",
                    ScalarType::Text => false,
                };
                if !fits {
                    return Err(invalid(
                        position,
                        format!("`{value}` is tagged `!!{name}` but is not of that type"),
                    ));
                }
                Kind::Plain
            }
            // Quoted, `!!str`, `!!timestamp`, the tags of others, and `!`, which says "not plain".
            _ => Kind::Text,
        };
        let quote = usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
        // What stands between anchor or tag and value is not known.
        let text = if bare { start + quote..end.saturating_sub(quote) } else { 0..0 };
        if self.tree.source.get(text.clone()) == Some(&value) {
            self.tree.push_borrowed(kind, text.start, value.len(), position);
        } else {
            self.tree.push_owned(kind, &value, position);
        }
        Ok(())
    }

    /// Makes a key of the node that starts at `index`, the last of the tree.
    fn make_key(&mut self, index: u32, position: Position) -> Result<(), ReadError> {
        let node = Node { tree: self.tree, index };
        match node.kind() {
            Kind::Text => return Ok(()),
            Kind::Plain => {}
            kind => return Err(collection_as_key(kind, position)),
        }
        let text = node.text();
        let Some(key) = scalar::key_text(text) else {
            let what = if text.is_empty() { "an empty key".into() } else { format!("the key `{text}`") };
            return Err(invalid(
                position,
                format!("{what} cannot be written as JSON; quote it if it is text"),
            ));
        };
        let changed = (key != text).then(|| key.into_owned());
        if let Some(text) = changed {
            let position = node.position();
            self.tree.entries.pop();
            self.tree.push_owned(Kind::Text, &text, position);
        } else if let Some(entry) = self.tree.entries.last_mut() {
            entry.kind = Kind::Text;
        }
        Ok(())
    }
}

fn is_merge_key(scalar: &Scalar) -> bool {
    let tagged = matches!(scalar.tag.as_deref(), Some("!" | "tag:yaml.org,2002:merge"));
    scalar.value == "<<" && (scalar.plain_implicit || tagged)
}

fn invalid(position: Position, message: String) -> ReadError {
    ReadError { code: Code::InvalidYaml, position, message }
}

fn collection_as_key(kind: Kind, position: Position) -> ReadError {
    let message = if kind == Kind::Mapping {
        "a mapping cannot be a key; a value that starts with `{{` must be quoted"
    } else {
        "a list cannot be a key; quote the key if it is text"
    };
    invalid(position, message.into())
}

fn too_deep(position: Position) -> ReadError {
    let message = format!("nested more than {MAX_DEPTH} levels deep");
    ReadError { code: Code::NestingTooDeep, position, message }
}

fn aliases_too_large(position: Position) -> ReadError {
    let message = format!("anchors and aliases expand to more than {ALIAS_BUDGET} nodes");
    ReadError { code: Code::AliasesTooLarge, position, message }
}

/// The index after the subtree that starts at `index`.
fn end_of(tree: &Tree<'_>, index: u32) -> u32 {
    tree.entries.get(index as usize).map_or_else(|| narrow(tree.entries.len()), |entry| entry.end)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_in_the_parser_is_one_more_document_that_does_not_parse() {
        let result = super::guarded::<()>(7, || panic!("the parser broke"));
        assert_eq!(
            result.map_err(|error| (error.code.as_str(), error.position.line)),
            Err(("invalid-yaml", 7))
        );
    }
}
