//! What pieces of one list have in common: the fields beside the items, and what they say of these.

use super::super::findings::{Findings, implied_by};
use super::super::origin::Origin;
use crate::document::Node;

/// The fields of a list beside its items, as far as they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    api_version: Option<String>,
    kind: Option<String>,
    /// How often there are items.
    pub(super) items: usize,
}

impl Fields {
    /// Adds a field.
    pub(super) fn add(&mut self, key: &str, value: &str) {
        match key {
            "apiVersion" => self.api_version = Some(value.to_owned()),
            "kind" => self.kind = Some(value.to_owned()),
            "items" => self.items += 1,
            _ => {}
        }
    }

    /// Adds those of the next piece.
    pub(super) fn extend(&mut self, next: Self) {
        let Self { api_version, kind, items } = next;
        self.items += items;
        self.api_version = api_version.or(self.api_version.take());
        self.kind = kind.or(self.kind.take());
    }

    /// What items may leave out, given these fields.
    pub(super) fn implied(&self) -> Option<Implied> {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let (own_version, own_kind) = (text(&self.api_version), text(&self.kind));
        let (api_version, kind) = implied_by(&own_version, &own_kind)?;
        Some(Implied { api_version: api_version.to_owned(), kind: kind.to_owned() })
    }
}

/// The apiVersion and kind of items that do not say them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Implied {
    api_version: String,
    kind: String,
}

/// What was found in a piece of a list.
pub(super) struct Found<'p> {
    pub(super) findings: &'p mut Findings,
    pub(super) fields: &'p mut Fields,
    pub(super) implied: &'p Implied,
    /// How many items were taken in.
    pub(super) items: &'p mut u32,
}

impl Found<'_> {
    /// Takes in the next item.
    pub(super) fn item(&mut self, item: Node<'_>, origin: Origin) {
        let implied = (self.implied.api_version.as_str(), self.implied.kind.as_str());
        self.findings.item(item, *self.items, origin, implied);
        *self.items += 1;
    }
}
