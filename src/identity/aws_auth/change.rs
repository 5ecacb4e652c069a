//! An `aws-auth` map as it would be with an entry more or less.

use super::super::arn::{canonicalize, fold};
use super::super::{MappingKind, Provenance, Written};
use super::{AwsAuth, Entry, Precedence};
use crate::model::source::Source;

/// An identity mapping as one would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMapping {
    /// The ARN of a role or user.
    pub arn: String,
    /// The template of the username.
    pub username: String,
    /// The templates of the groups.
    pub groups: Vec<String>,
}

impl AwsAuth {
    /// Takes out every entry for an ARN, and the account of that number. Gives where they stand.
    pub fn remove_mapping(&mut self, arn: &str) -> Vec<Source> {
        let written = fold(arn);
        let canonical = canonicalize(arn).map_or_else(|_| written.clone(), |found| fold(&found.text));
        let is_it = |text: &str| {
            let own = fold(text);
            own == written || own == canonical
        };
        let mut removed = Vec::new();
        self.entries.retain(|entry| {
            let goes = entry.sso.is_none() && is_it(&entry.arn.text);
            removed.extend(goes.then_some(entry.source));
            !goes
        });
        self.accounts.retain(|account| {
            let goes = account.text == arn;
            removed.extend(goes.then_some(account.source));
            !goes
        });
        // What is odd about the entries was said when they were read.
        self.settle(&mut Vec::new());
        removed
    }

    /// Adds an entry in place of all others for its ARN.
    pub fn add_mapping(&mut self, mapping: &NewMapping, source: Source) {
        self.remove_mapping(&mapping.arn);
        let written = |text: &String| Written { text: text.clone(), source };
        let kind = if mapping.arn.contains(":role/") { MappingKind::MapRoles } else { MappingKind::MapUsers };
        let entry = Entry {
            kind,
            arn: written(&mapping.arn),
            sso: None,
            username: written(&mapping.username),
            groups: mapping.groups.iter().map(written).collect(),
            source,
            precedence: Precedence::Decides { replaces: None },
        };
        self.entries.push(entry);
        self.settle(&mut Vec::new());
    }

    /// A map of nobody, at a place.
    pub fn empty(source: Source) -> Self {
        Self { source, ..Self::default() }
    }

    /// Every entry as written, whether or not it matches a caller.
    pub fn written(&self) -> impl Iterator<Item = Provenance> {
        self.entries.iter().map(Entry::provenance)
    }

    /// The ARNs of all entries, as written.
    pub fn mapped_arns(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter().map(|entry| entry.arn.text.as_str());
        entries.chain(self.accounts.iter().map(|account| account.text.as_str()))
    }
}
