//! What a block YAML document is, from a look at its lines: its kind, and the items of a List one by one.
//!
//! Nothing is said unless it is certain. A line in the column of the outermost keys may lie: inside a quoted text
//! or flow collection that goes on over lines, or overridden by a later key, merge key or explicit key. So the
//! lines that count must come before anything that could hold them, and no later line may start like such a key.

use super::{Kind, ScalarType, Tree, block, scalar};

/// The `apiVersion` and `kind` of a document whose outermost mapping starts in the first column.
///
/// Whenever the document reads without an error, it has these; whether it does is not known from here.
pub fn kind_of_document(text: &str) -> Option<(&str, &str)> {
    Sniff::default().run(text, 0, false)
}

/// The `apiVersion` and `kind` of an item that [`list`] gave.
///
/// Whenever the item reads without an error, it has these; and no quote or bracket of it is left open, so that
/// it may be skipped without doubt about the items after it.
pub fn kind_of_item(text: &str) -> Option<(&str, &str)> {
    let column = text.bytes().take_while(|byte| *byte == b' ').count();
    Sniff::default().run(text, column + 2, true)
}

#[derive(Default)]
struct Sniff<'s> {
    api_version: Option<&'s str>,
    kind: Option<&'s str>,
    /// An outermost key was seen.
    started: bool,
    /// A deeper line would go on with the value that was found last.
    open: bool,
}

impl<'s> Sniff<'s> {
    fn run(mut self, text: &'s str, column: usize, item: bool) -> Option<(&'s str, &'s str)> {
        if has_other_line_ends(text) {
            return None;
        }
        let mut first = item;
        for line in lines(text) {
            let line = line.strip_suffix('\n').unwrap_or(line);
            let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
            let mut content = line.get(spaces..)?;
            let mut at = spaces;
            if first {
                content = content.strip_prefix("- ")?;
                at += 2;
                first = false;
            }
            if content.is_empty() {
                continue;
            }
            if content.starts_with('#') {
                self.open = false;
                continue;
            }
            let undecided = self.kind.is_none() || self.api_version.is_none();
            if (item || undecided) && !is_closed(content) {
                return None;
            }
            if at == column {
                self.outermost(content)?;
            } else if at < column || self.open || !self.started {
                return None;
            }
        }
        Some((self.api_version?, self.kind?))
    }

    /// A line in the column of the outermost keys.
    fn outermost(&mut self, line: &'s str) -> Option<()> {
        self.open = false;
        if line == "-" || line.starts_with("- ") {
            return self.started.then_some(());
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        let len = line.bytes().take_while(|byte| is_word(*byte)).count();
        let (key, rest) = line.split_at(len);
        let value = rest.strip_prefix(':')?;
        if !key.starts_with(|char: char| char.is_ascii_alphabetic())
            || !(value.is_empty() || value.starts_with(' '))
        {
            return None;
        }
        self.started = true;
        let found = match key {
            "kind" => &mut self.kind,
            "apiVersion" => &mut self.api_version,
            _ => return Some(()),
        };
        let value = value.strip_prefix(' ')?;
        let simple = !value.is_empty() && value.bytes().all(is_word) && !value.starts_with(['-', '.']);
        if found.is_some() || !simple || scalar::resolve(value) != ScalarType::Text {
            return None;
        }
        *found = Some(value);
        self.open = true;
        Some(())
    }
}

/// Whether a line leaves no quote and no bracket open, if none was open before: it has none, or ends in one
/// quoted text, `{}` or `[]`.
fn is_closed(line: &str) -> bool {
    let Some(at) = line.bytes().position(|byte| matches!(byte, b'"' | b'\'' | b'[' | b'{')) else {
        return true;
    };
    let rest = line.get(at..).unwrap_or_default();
    if matches!(rest, "{}" | "[]") {
        return true;
    }
    match rest.as_bytes() {
        [first @ (b'"' | b'\''), inside @ .., last] => {
            first == last && !inside.contains(first) && !inside.contains(&b'\\')
        }
        _ => false,
    }
}

/// Whether lines end otherwise than by a line feed: YAML 1.1 knows five ways.
fn has_other_line_ends(text: &str) -> bool {
    memchr::memchr(b'\r', text.as_bytes()).is_some()
        || !text.is_ascii()
            && ["\u{85}", "\u{2028}", "\u{2029}", "\u{feff}"].iter().any(|end| text.contains(end))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |feed| feed + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}

/// A List whose items can be read one by one.
#[derive(Clone, Debug)]
pub struct List<'s> {
    /// Its `apiVersion`.
    pub api_version: Box<str>,
    /// Its `kind`.
    pub kind: Box<str>,
    /// The items.
    pub items: Items<'s>,
}

/// An item of a [`List`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Item<'s> {
    /// Whole lines of the document: a sequence with this one item.
    pub text: &'s str,
    /// The line of the first of them.
    pub line: u32,
}

/// The items of a document that kubectl printed as a List, if it is one: `items:` in the first column, and nothing
/// but simple lines before and after the items. `first_line` is the line at which the document starts.
///
/// Each item reads as a sequence of one item, at its place, like the same item of the whole document. An item that
/// does not read, or leaves something unread, says that the document must be read as a whole: an item may hold
/// aliases of earlier ones, or text in quotes that goes on over what looks like the next item.
pub fn list(text: &str, first_line: u32) -> Option<List<'_>> {
    if has_other_line_ends(text) {
        return None;
    }
    let mut offset = 0;
    let mut start = None;
    let mut column = None;
    let mut end = text.len();
    for line in lines(text) {
        let at = offset;
        offset += line.len();
        let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
        let content = line.get(spaces..)?.trim_end_matches('\n');
        if start.is_none() {
            if line.trim_end_matches('\n') == "items:" {
                start = Some(offset);
            }
            continue;
        }
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let dash = content == "-" || content.starts_with("- ");
        match column {
            None if dash => column = Some(spaces),
            None => return None,
            Some(column) if spaces < column || spaces == column && !dash => {
                end = at;
                break;
            }
            Some(_) => {}
        }
    }
    let (start, column) = (start?, column?);
    let mut tree = Tree::default();
    let head = text.get(..start)?;
    let (mut api_version, mut kind) = frame(head, &mut tree, true)?;
    let tail = text.get(end..)?;
    if !tail.is_empty() {
        let (later_version, later_kind) = frame(tail, &mut tree, false)?;
        api_version = later_version.or(api_version);
        kind = later_kind.or(kind);
    }
    let before = memchr::memchr_iter(b'\n', head.as_bytes()).count();
    let line = first_line.checked_add(u32::try_from(before).ok()?)?;
    let items = Items { rest: text.get(start..end)?, column, line };
    Some(List { api_version: api_version?, kind: kind?, items })
}

type Names = (Option<Box<str>>, Option<Box<str>>);

/// The names in what stands before or after the items.
fn frame<'s>(text: &'s str, tree: &mut Tree<'s>, before: bool) -> Option<Names> {
    if text.starts_with(' ') || !block::read(text, tree) {
        return None;
    }
    let root = tree.root()?;
    let items = root.pairs().filter(|(key, _)| key.text() == "items").count();
    let last = root.pairs().last()?;
    let fits = if before { items == 1 && last.0.text() == "items" && last.1.is_null() } else { items == 0 };
    let text_of = |key| match root.get(key) {
        None => Some(None),
        Some(node) => node.as_str().filter(|_| node.kind() == Kind::Plain).map(|text| Some(Box::from(text))),
    };
    if fits { Some((text_of("apiVersion")?, text_of("kind")?)) } else { None }
}

/// The iterator of the items of a [`List`].
#[derive(Clone, Debug)]
pub struct Items<'s> {
    rest: &'s str,
    column: usize,
    line: u32,
}

impl<'s> Iterator for Items<'s> {
    type Item = Item<'s>;

    fn next(&mut self) -> Option<Item<'s>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut end = 0;
        let mut count = 0;
        let mut within = false;
        for line in lines(self.rest) {
            let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
            let dash = matches!(line.as_bytes().get(spaces..), Some([b'-'] | [b'-', b' ' | b'\n', ..]));
            if dash && spaces == self.column {
                if within {
                    break;
                }
                within = true;
            }
            if !within {
                // Comments and blank lines before the first item.
                self.line += 1;
                self.rest = self.rest.get(line.len()..).unwrap_or_default();
                continue;
            }
            end += line.len();
            count += 1;
        }
        let (text, rest) = self.rest.split_at(end);
        let item = Item { text, line: self.line };
        self.rest = rest;
        self.line += count;
        Some(item)
    }
}
