//! A document that go-yaml v2 decodes straight into a list of texts, without the detour over JSON.

use std::collections::HashMap;

use libyaml_safer::{EventData, ScalarStyle};

use super::events::{self, Events};
use super::{Position, ReadError, ScalarType, base64, invalid, scalar};

/// What such a document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strings {
    /// Nothing, or null.
    Nothing,
    /// Something that is no list, at this position.
    NotAList(Position),
    /// A list.
    List(Vec<Item>),
}

/// An item of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it stands.
    pub position: Position,
    /// The text of a scalar as it is written, numbers too; null is empty. `None` for what has no text.
    pub text: Option<String>,
}

/// Reads the first document of `source` as go-yaml v2 does for a Go `[]string`.
///
/// Unlike [`super::read`], it accepts what JSON cannot hold: such items have no text, and the others stay.
///
/// # Errors
///
/// When the document does not parse.
pub fn read_strings(source: &str) -> Result<Strings, ReadError> {
    super::guarded(1, || read(source))
}

fn read(source: &str) -> Result<Strings, ReadError> {
    let mut events = Events::new(source, 1)?;
    let mut anchors: HashMap<String, Option<String>> = HashMap::new();
    let mut strings = Strings::Nothing;
    let mut depth = 0_usize;
    loop {
        let event = events.next()?;
        let position = events::position(event.start_mark, 1);
        let is_sequence = matches!(event.data, EventData::SequenceStart { .. });
        let is_mapping = matches!(event.data, EventData::MappingStart { .. });
        let text = match event.data {
            EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
            EventData::StreamEnd | EventData::DocumentEnd { .. } => return Ok(strings),
            EventData::SequenceEnd | EventData::MappingEnd => {
                depth = depth.saturating_sub(1);
                continue;
            }
            EventData::SequenceStart { anchor, .. } | EventData::MappingStart { anchor, .. } => {
                anchors.extend(anchor.map(|anchor| (anchor, None)));
                None
            }
            EventData::Alias { anchor } => match anchors.get(&anchor) {
                Some(text) => text.clone(),
                None => {
                    return Err(invalid(position, format!("no anchor `&{anchor}` before this alias")));
                }
            },
            EventData::Scalar { anchor, tag, mut value, plain_implicit, style, .. } => {
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) && value.ends_with(events::END)
                {
                    value.pop();
                }
                let text = text(tag.as_deref(), value, plain_implicit);
                anchors.extend(anchor.map(|anchor| (anchor, text.clone())));
                text
            }
        };
        match (depth, &mut strings) {
            (0, _) if is_sequence => strings = Strings::List(Vec::new()),
            (0, _) if text.as_deref() != Some("") => strings = Strings::NotAList(position),
            (1, Strings::List(items)) => items.push(Item { position, text }),
            _ => {}
        }
        depth += usize::from(is_sequence || is_mapping);
    }
}

fn text(tag: Option<&str>, value: String, plain: bool) -> Option<String> {
    match tag {
        None if plain && scalar::resolve(&value) == ScalarType::Null => Some(String::new()),
        Some("tag:yaml.org,2002:null") => Some(String::new()),
        Some("tag:yaml.org,2002:binary") => base64::decode(&value),
        _ => Some(value),
    }
}
