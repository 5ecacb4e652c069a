//! Patterns of policies: text with `*`, `?` and `${variables}`, compiled once.

use std::borrow::Cow;

use crate::model::ternary::Ternary;

use super::key::Key;
use super::known::Known;

/// One step of a pattern.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// This character.
    Char(char),
    /// Any character.
    One,
    /// Any characters, or none.
    Any,
}

/// A pattern without variables, over a whole text. Case matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Glob {
    /// `*`.
    All,
    /// No wildcard in it.
    Literal(Box<str>),
    /// One `*`, at its end.
    Prefix(Box<str>),
    /// Everything else.
    Elements(Box<[Element]>),
}

impl Glob {
    pub(super) fn new(elements: &[Element]) -> Self {
        let literal = |elements: &[Element]| -> Option<Box<str>> {
            let text: Option<String> = elements
                .iter()
                .map(|element| match element {
                    Element::Char(char) => Some(*char),
                    Element::One | Element::Any => None,
                })
                .collect();
            text.map(Into::into)
        };
        if let Some(text) = literal(elements) {
            return Self::Literal(text);
        }
        match elements.split_last() {
            Some((Element::Any, [])) => Self::All,
            Some((Element::Any, rest)) => {
                literal(rest).map_or_else(|| Self::Elements(elements.into()), Self::Prefix)
            }
            _ => Self::Elements(elements.into()),
        }
    }

    /// A pattern as it is written, with its wildcards.
    pub(super) fn parse(text: &str) -> Self {
        match wildcard(text) {
            None => Self::Literal(text.into()),
            Some(0) if text == "*" => Self::All,
            Some(_) => match text.strip_suffix('*').filter(|rest| wildcard(rest).is_none()) {
                Some(rest) => Self::Prefix(rest.into()),
                None => Self::Elements(elements(text, true).into()),
            },
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::All => true,
            Self::Literal(literal) => **literal == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Elements(elements) => matches(elements, text),
        }
    }
}

impl Glob {
    /// Whether it matches every text that begins so, none, or some.
    pub(super) fn matches_beginning(&self, beginning: &str) -> Ternary {
        match self {
            Self::All => Ternary::Yes,
            Self::Prefix(prefix) if beginning.starts_with(&**prefix) => Ternary::Yes,
            Self::Literal(text) | Self::Prefix(text) if text.starts_with(beginning) => Ternary::Unknown,
            Self::Literal(_) | Self::Prefix(_) => Ternary::No,
            Self::Elements(elements) => {
                let takes_rest = elements.last() == Some(&Element::Any) && matches(elements, beginning);
                if takes_rest {
                    Ternary::Yes
                } else if could_match_beginning(elements, beginning) {
                    Ternary::Unknown
                } else {
                    Ternary::No
                }
            }
        }
    }
}

/// Whether a pattern matches the whole of a text.
pub(super) fn matches(pattern: &[Element], text: &str) -> bool {
    let (mut rest, mut text) = (pattern, text.chars());
    // Where to go on when the way so far turns out wrong: behind the last `*`, one character later.
    let mut again: Option<(&[Element], std::str::Chars<'_>)> = None;
    loop {
        let mut next = text.clone();
        match (rest.split_first(), next.next()) {
            (Some((Element::Any, behind)), _) => {
                rest = behind;
                again = Some((behind, text.clone()));
                continue;
            }
            (None, None) => return true,
            (Some((Element::One, behind)), Some(_)) => {
                rest = behind;
                text = next;
                continue;
            }
            (Some((Element::Char(wanted), behind)), Some(found)) if *wanted == found => {
                rest = behind;
                text = next;
                continue;
            }
            _ => {}
        }
        let Some((behind, from)) = &mut again else { return false };
        if from.next().is_none() {
            return false;
        }
        (rest, text) = (behind, from.clone());
    }
}

/// Whether a pattern could match some text that begins so.
pub(super) fn could_match_beginning(pattern: &[Element], beginning: &str) -> bool {
    // The places in the pattern where one may stand.
    let mut places = vec![false; pattern.len() + 1];
    let spread = |places: &mut Vec<bool>| {
        for (at, element) in pattern.iter().enumerate() {
            if *element == Element::Any && places.get(at) == Some(&true) {
                set(places, at + 1);
            }
        }
    };
    set(&mut places, 0);
    spread(&mut places);
    for char in beginning.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, element) in pattern.iter().enumerate() {
            if places.get(at) != Some(&true) {
                continue;
            }
            match element {
                Element::Any => set(&mut next, at),
                Element::One => set(&mut next, at + 1),
                Element::Char(wanted) if *wanted == char => set(&mut next, at + 1),
                Element::Char(_) => {}
            }
        }
        places = next;
        spread(&mut places);
    }
    places.contains(&true)
}

fn set(places: &mut [bool], at: usize) {
    if let Some(place) = places.get_mut(at) {
        *place = true;
    }
}

/// Where the first wildcard stands.
fn wildcard(text: &str) -> Option<usize> {
    memchr::memchr2(b'*', b'?', text.as_bytes())
}

fn elements(text: &str, wildcards: bool) -> Vec<Element> {
    text.chars().map(|char| element(char, wildcards)).collect()
}

fn element(char: char, wildcards: bool) -> Element {
    match char {
        '*' if wildcards => Element::Any,
        '?' if wildcards => Element::One,
        _ => Element::Char(char),
    }
}

/// The characters before the first wildcard.
fn beginning(elements: &[Element]) -> String {
    elements
        .iter()
        .map_while(|element| match element {
            Element::Char(char) => Some(*char),
            Element::One | Element::Any => None,
        })
        .collect()
}

/// A pattern over ARNs, split at its first five colons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ArnGlob {
    /// Six parts, and no wildcard in them.
    Literal(Box<str>),
    /// Six parts, and one `*` at their end: then five colons before it are those of the ARN.
    Prefix(Box<str>),
    /// Everything else, part by part.
    Parts(Box<[Glob]>),
}

/// How many parts an ARN has.
pub(super) const ARN_PARTS: usize = 6;

/// An ARN as patterns are compared with it.
#[derive(Clone, Debug)]
pub(super) struct ArnText<'a> {
    /// The whole of it.
    pub(super) whole: &'a str,
    parts: [&'a str; ARN_PARTS],
}

impl<'a> ArnText<'a> {
    /// What stands behind the fifth colon.
    pub(super) fn resource(&self) -> &'a str {
        self.parts.last().copied().unwrap_or("")
    }

    /// `None` for what has fewer than six parts.
    pub(super) fn new(whole: &'a str) -> Option<Self> {
        let mut parts = [""; ARN_PARTS];
        let mut texts = whole.splitn(ARN_PARTS, ':');
        for part in &mut parts {
            *part = texts.next()?;
        }
        Some(Self { whole, parts })
    }
}

impl ArnGlob {
    pub(super) fn new(elements: &[Element]) -> Self {
        let parts = elements.splitn(ARN_PARTS, |element| *element == Element::Char(':'));
        Self::Parts(parts.map(Glob::new).collect())
    }

    /// A pattern as it is written, with its wildcards.
    pub(super) fn parse(text: &str) -> Self {
        let is_whole = text.matches(':').nth(ARN_PARTS - 2).is_some();
        match wildcard(text) {
            None if is_whole => return Self::Literal(text.into()),
            Some(at) if is_whole && at + 1 == text.len() && text.ends_with('*') => {
                return Self::Prefix(text.trim_end_matches('*').into());
            }
            _ => {}
        }
        Self::Parts(text.splitn(ARN_PARTS, ':').map(Glob::parse).collect())
    }

    /// Whether it has all six parts, without which a condition on ARNs never holds.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Prefix(_) => true,
            Self::Parts(parts) => parts.len() == ARN_PARTS,
        }
    }

    /// Its parts, six or fewer.
    pub(super) fn parts(&self) -> Cow<'_, [Glob]> {
        let split = |text: &str| text.splitn(ARN_PARTS, ':').map(Glob::parse).collect();
        match self {
            Self::Literal(text) => Cow::Owned(split(text)),
            Self::Prefix(text) => Cow::Owned(split(&format!("{text}*"))),
            Self::Parts(parts) => Cow::Borrowed(parts),
        }
    }

    /// With what the last of six parts begins, before any wildcard; `None` where there are fewer.
    pub(super) fn resource_beginning(&self) -> Option<Cow<'_, str>> {
        let last = match self {
            Self::Literal(text) | Self::Prefix(text) => {
                return text.splitn(ARN_PARTS, ':').nth(ARN_PARTS - 1).map(Cow::Borrowed);
            }
            Self::Parts(parts) => parts.get(ARN_PARTS - 1)?,
        };
        Some(match last {
            Glob::All => Cow::Borrowed(""),
            Glob::Literal(text) | Glob::Prefix(text) => Cow::Borrowed(text),
            Glob::Elements(elements) => Cow::Owned(beginning(elements)),
        })
    }

    /// Whether each part matches its part. AWS completes an ARN with fewer than six by a `*` for each that is missing
    /// (IAM User Guide, "Resource").
    pub(super) fn matches(&self, arn: &ArnText<'_>) -> bool {
        match self {
            Self::Literal(text) => **text == *arn.whole,
            Self::Prefix(text) => arn.whole.starts_with(&**text),
            Self::Parts(parts) => parts.iter().zip(arn.parts).all(|(part, text)| part.matches(text)),
        }
    }
}

/// A piece of a text that variables are put into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text and wildcards.
    Elements(Vec<Element>),
    /// `${key}` or `${key, 'default'}`.
    Variable(Key, Option<Box<str>>),
}

/// A text of a policy: fixed, or with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

/// A template with what is known put into it.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved<'k> {
    /// The pattern; what is not known may be anything.
    pub(super) elements: Vec<Element>,
    /// The variables that are not known.
    pub(super) unknown: Vec<&'k Key>,
    /// Whether a variable has no value, so that nothing matches.
    pub(super) matches_nothing: bool,
}

impl Template {
    /// Compiles a text. Variables are only such where the version of the policy has them.
    pub(super) fn parse(text: &str, wildcards: bool, variables: bool) -> Self {
        let mut parts = Vec::new();
        let mut plain: Vec<Element> = Vec::new();
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            let inside = rest.strip_prefix("${").filter(|_| variables);
            if let Some((name, behind)) = inside.and_then(|inside| inside.split_once('}')) {
                rest = behind;
                match name {
                    "*" | "?" | "$" => plain.extend(elements(name, false)),
                    _ => {
                        let (name, default) = match name.split_once(',') {
                            Some((name, default)) => (name, Some(unquoted(default.trim()).into())),
                            None => (name, None),
                        };
                        if !plain.is_empty() {
                            parts.push(Part::Elements(std::mem::take(&mut plain)));
                        }
                        parts.push(Part::Variable(Key::new(name.trim()), default));
                    }
                }
                continue;
            }
            plain.push(element(char, wildcards));
            rest = rest.get(char.len_utf8()..).unwrap_or("");
        }
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Elements(plain));
        }
        Self(parts)
    }

    /// The pattern, where there are no variables in it.
    pub(super) fn fixed(&self) -> Option<&[Element]> {
        match self.0.as_slice() {
            [Part::Elements(elements)] => Some(elements),
            _ => None,
        }
    }

    /// Puts in what is known. Text that is put in is no pattern.
    pub(super) fn resolve<'k, 'v>(&'k self, look: &dyn Fn(&Key) -> Known<'v>) -> Resolved<'k> {
        let mut resolved = Resolved::default();
        for part in &self.0 {
            let (key, default) = match part {
                Part::Elements(elements) => {
                    resolved.elements.extend_from_slice(elements);
                    continue;
                }
                Part::Variable(key, default) => (key, default),
            };
            match look(key) {
                Known::One(value) if value.is_empty() && key.is_tag() => {
                    // Whether an empty tag is a value is not documented: it adds no character, or the default.
                    resolved.unknown.push(key);
                    if default.is_some() {
                        resolved.elements.push(Element::Any);
                    }
                }
                Known::One(value) => resolved.elements.extend(elements(&value, false)),
                Known::Absent => match default {
                    Some(default) => resolved.elements.extend(elements(default, false)),
                    None => resolved.matches_nothing = true,
                },
                Known::Unknown { beginning, optional, .. } => {
                    resolved.unknown.push(key);
                    if !(optional && default.is_some()) {
                        resolved.elements.extend(elements(&beginning, false));
                    }
                    resolved.elements.push(Element::Any);
                }
                Known::Several(_) => {
                    resolved.unknown.push(key);
                    resolved.elements.push(Element::Any);
                }
            }
        }
        resolved
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text)
}
