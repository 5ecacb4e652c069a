//! The ConfigMap `kube-system/aws-auth`: its sections as texts, each with the place where it stands.

use crate::document::Node;
use crate::identity::SectionText;
use crate::model::source::{Shift, Source};

use super::fields::{FieldError, mapping, text};

/// A section of the ConfigMap that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) source: Source,
    pub(crate) first_line: Option<u32>,
}

/// The ConfigMap that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) source: Source,
    /// Whether the namespace was not written, only assumed.
    pub(crate) assumed: bool,
    pub(crate) sections: Vec<Section>,
}

impl Section {
    /// The section as the identity mappings want it.
    pub(crate) fn text(&self) -> SectionText<'_> {
        SectionText { text: &self.text, origin: self.source, first_line: self.first_line }
    }
}

impl Found {
    /// Moves it to where it really stands.
    pub(crate) fn shift(&mut self, shift: &Shift) {
        self.source = shift.source(self.source);
        for section in &mut self.sections {
            section.source = shift.source(section.source);
            section.first_line = section.first_line.map(|line| shift.line(line));
        }
    }

    /// Whether both map the same, wherever they stand.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let texts = |found: &Self| -> Vec<(String, String)> {
            found.sections.iter().map(|section| (section.key.clone(), section.text.clone())).collect()
        };
        texts(self) == texts(other)
    }
}

/// Reads `data`. Every value must be text, or the API server refuses the whole ConfigMap.
pub(crate) fn read(
    node: Node<'_>,
    source: Source,
    line_of: &dyn Fn(u32) -> u32,
) -> Result<Found, FieldError> {
    let mut sections = Vec::new();
    if let Some(data) = node.get("data") {
        for (key, value) in mapping(data, &|| "data".into())? {
            let text = text(value, &|| format!("data.{}", key.text()))?;
            let line = value.position().line;
            // Only the lines of a literal block scalar, which begin below it, are lines of the file.
            let first_line = value.text_line().filter(|first| *first > line).map(line_of);
            let source = source.at_line(line_of(line));
            sections.retain(|section: &Section| section.key != key.text());
            sections.push(Section { key: key.text().to_owned(), text: text.to_owned(), source, first_line });
        }
    }
    Ok(Found { source, assumed: false, sections })
}
