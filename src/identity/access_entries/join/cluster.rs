//! Which cluster is meant, its account and authentication mode, and how whole the list of its entries is.

use std::collections::{BTreeMap, BTreeSet};

use super::super::EntryList;
use super::super::facts::{AuthenticationMode, ClusterFact, Facts, Form, Standing};
use super::{Join, counted};
use crate::model::diagnostic::Code;
use crate::model::source::Source;

impl Join<'_> {
    /// Leaves the facts of one cluster: the one that was meant, or the only one. Otherwise the names of all.
    pub(super) fn choose_cluster(
        &mut self,
        facts: &mut Facts,
    ) -> Result<Option<String>, Vec<(String, Source)>> {
        let mut names: BTreeMap<&str, Source> = BTreeMap::new();
        let told = facts.clusters.iter().map(|cluster| (&cluster.name, cluster.source));
        let told = told.chain(facts.entries.iter().map(|entry| (&entry.cluster, entry.source)));
        let told = told.chain(facts.associations.iter().map(|one| (&one.cluster, one.source)));
        let told = told.chain(facts.lists.iter().map(|list| (&list.cluster, list.source)));
        for (name, source) in told {
            if let Some(name) = name {
                let first = names.entry(name).or_insert(source);
                *first = (*first).min(source);
            }
        }
        let chosen = match (self.options.cluster, names.len()) {
            (Some(meant), _) => meant.to_owned(),
            (None, 0) => return Ok(None),
            (None, 1) => return Ok(names.keys().next().map(|name| (*name).to_owned())),
            (None, _) => {
                let several: Vec<(String, Source)> =
                    names.into_iter().map(|(name, source)| (name.to_owned(), source)).collect();
                let listed: Vec<String> = several
                    .iter()
                    .map(|(name, source)| format!("`{name}` ({})", self.show(*source)))
                    .collect();
                if let Some((_, source)) = several.first() {
                    let message = format!(
                        "the inputs speak of several clusters: {}; give --cluster, until then no ARN can be resolved",
                        listed.join(", ")
                    );
                    self.report(Code::SeveralClusters, *source, message);
                }
                return Err(several);
            }
        };
        let is_only = names.keys().all(|name| **name == chosen);
        let mut lost: Vec<Source> = Vec::new();
        let mut keep = |name: &Option<String>, source: Source| match name {
            Some(name) => *name == chosen,
            None if is_only => true,
            None => {
                lost.push(source);
                false
            }
        };
        facts.clusters.retain(|cluster| keep(&cluster.name, cluster.source));
        facts.entries.retain(|entry| keep(&entry.cluster, entry.source));
        facts.associations.retain(|association| keep(&association.cluster, association.source));
        facts.lists.retain(|list| keep(&list.cluster, list.source));
        if let Some(first) = lost.iter().min() {
            let message = format!(
                "{} do not say to which of several clusters they belong, the first of them here; they are left out",
                counted(lost.len(), "fact")
            );
            self.report(Code::ClusterNotTold, *first, message);
        }
        Ok(Some(chosen))
    }

    /// The account and partition of the cluster, if one is told.
    pub(super) fn account(clusters: &[ClusterFact]) -> Option<(String, String)> {
        let told: BTreeSet<&(String, String)> =
            clusters.iter().filter_map(|cluster| cluster.account.as_ref()).collect();
        (told.len() == 1).then(|| told.into_iter().next().cloned()).flatten()
    }

    /// The mode: as given with the question, else observed, else declared. Unknown where inputs differ.
    ///
    /// What EKS reports of entries shows that the mode is not `CONFIG_MAP`, whatever somebody declared.
    pub(super) fn mode(
        &mut self,
        clusters: &[ClusterFact],
        reported: Option<Source>,
    ) -> (Option<AuthenticationMode>, Option<Source>) {
        if self.options.mode.is_some() {
            return (self.options.mode, None);
        }
        let of = |standing| {
            let told = clusters.iter().filter(move |cluster| cluster.standing == standing);
            told.filter_map(|cluster| Some((*cluster.mode.given()?, cluster.source))).collect::<Vec<_>>()
        };
        let (observed, declared) = (of(Standing::Observed), of(Standing::Declared));
        let deciding = if observed.is_empty() { &declared } else { &observed };
        let Some((mode, source)) = deciding.first().copied() else { return (None, None) };
        if let Some((other, place)) = deciding.iter().find(|(other, _)| *other != mode) {
            let message = format!(
                "the authentication mode is {} here and {} at {}; it is not known which holds, give --authentication-mode",
                other.as_str(),
                mode.as_str(),
                self.show(source)
            );
            self.report(Code::AuthenticationModeConflict, *place, message);
            return (None, None);
        }
        if let (AuthenticationMode::ConfigMap, true, Some(entry)) = (mode, observed.is_empty(), reported) {
            let message = format!(
                "the authentication mode is declared as {} here, in which a cluster has no access entries, and EKS reports some ({}); the mode is not known, give --authentication-mode",
                mode.as_str(),
                self.show(entry)
            );
            self.report(Code::AccessEntryDrift, source, message);
            return (None, None);
        }
        if let Some((other, place)) = declared.iter().find(|(other, _)| *other != mode) {
            let message = format!(
                "the authentication mode is declared as {} here, and EKS reports {} ({}); what EKS reports counts",
                other.as_str(),
                mode.as_str(),
                self.show(source)
            );
            self.report(Code::AccessEntryDrift, *place, message);
        }
        (Some(mode), Some(source))
    }

    pub(super) fn list(&self, facts: &Facts) -> EntryList {
        if let Some(list) = facts.lists.iter().find(|list| list.is_complete) {
            return EntryList::Complete(Some(list.source));
        }
        if facts.lists.is_empty() && facts.entries.is_empty() && facts.associations.is_empty() {
            return EntryList::Absent;
        }
        // Answers of the AWS CLI that are no whole list stay a part, whoever says that the inputs are everything.
        let is_read_in_parts =
            facts.entries.iter().any(|entry| entry.form == Form::AwsCli) || !facts.lists.is_empty();
        if self.options.is_complete && !is_read_in_parts {
            return EntryList::Complete(None);
        }
        EntryList::Partial
    }
}
