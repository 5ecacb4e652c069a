//! The ConfigMap `kube-system/aws-auth`: its sections as texts, each with the place where it stands.

use crate::document::Node;
use crate::document::yaml::decode_base64;
use crate::identity::SectionText;
use crate::model::source::{Shift, Source};

use super::config_map;
use super::fields::FieldError;

/// A section of the ConfigMap that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) source: Source,
    pub(crate) first_line: Option<u32>,
}

/// The ConfigMap that was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) source: Source,
    /// Whether the namespace was not written, only assumed.
    pub(crate) assumed: bool,
    /// Whether the cluster's own may hold more.
    pub(crate) is_partial: bool,
    /// The name of the cluster, where the form tells it.
    pub(crate) cluster: Option<String>,
    pub(crate) sections: Vec<Section>,
    /// What stands under `binaryData`, decoded: aws-iam-authenticator does not read it.
    pub(crate) binary: Vec<Section>,
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
        for section in self.sections.iter_mut().chain(&mut self.binary) {
            section.source = shift.source(section.source);
            section.first_line = section.first_line.map(|line| shift.line(line));
        }
    }

    /// Every key with its text, as the identity mappings want it.
    pub(crate) fn data(&self) -> Vec<(&str, SectionText<'_>)> {
        self.sections.iter().map(|section| (section.key.as_str(), section.text())).collect()
    }

    /// All of its text, one section after the other.
    pub(crate) fn text(&self) -> String {
        self.sections.iter().flat_map(|section| [section.key.as_str(), "\n", &section.text, "\n"]).collect()
    }
}

/// Reads `data` and `binaryData`.
///
/// # Errors
/// Why the API server refuses the whole ConfigMap.
pub(crate) fn read(
    node: Node<'_>,
    source: Source,
    line_of: &dyn Fn(u32) -> u32,
) -> Result<Found, Vec<FieldError>> {
    let problems = config_map::problems(node);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut found = Found { source, ..Found::default() };
    for (key, value) in node.get("data").into_iter().flat_map(Node::pairs) {
        let line = value.position().line;
        // Only the lines of a literal block scalar, which begin below it, are lines of the file.
        let first_line = value.text_line().filter(|first| *first > line).map(line_of);
        let source = source.at_line(line_of(line));
        found.sections.retain(|section: &Section| section.key != key.text());
        let text = if value.is_null() { String::new() } else { value.text().to_owned() };
        found.sections.push(Section { key: key.text().to_owned(), text, source, first_line });
    }
    for (key, value) in node.get("binaryData").into_iter().flat_map(Node::pairs) {
        let source = source.at_line(line_of(value.position().line));
        let text = decode_base64(value.text()).unwrap_or_default();
        found.binary.push(Section { key: key.text().to_owned(), text, source, first_line: None });
    }
    Ok(found)
}
