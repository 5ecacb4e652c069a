//! Access entries as they would be with one more or less, before facts are joined.

use rustc_hash::FxHashSet;

use super::super::aws_auth::NewMapping;
use super::entry::key_of;
use super::facts::{AuthenticationMode, EntryFact, Facts, FactsMark, Form, Standing};
use super::told::{Setting, Told};
use crate::model::source::Source;

/// What tells the principal of an ARN apart, also where the ARN is one of its sessions.
pub(super) fn key_of_caller(arn: &str) -> String {
    let canonical = super::super::IamIdentity::from_arn(arn, None);
    key_of(canonical.as_ref().map_or(arn, super::super::IamIdentity::canonical_arn))
}

fn key(principal: &Told) -> Option<String> {
    principal.text().map(key_of)
}

/// Whether something is said of the cluster that is meant, or of none in particular.
fn is_of(cluster: Option<&String>, meant: Option<&str>) -> bool {
    meant.is_none() || cluster.is_none_or(|own| Some(own.as_str()) == meant)
}

impl Facts {
    /// Forgets everything that is said of a principal in a cluster. Gives the first place, if there is any.
    pub(crate) fn remove_principal(&mut self, arn: &str, cluster: Option<&str>) -> Option<Source> {
        let removed = key_of_caller(arn);
        let mut places = Vec::new();
        self.entries.retain(|fact| {
            let goes =
                is_of(fact.cluster.as_ref(), cluster) && key(&fact.principal).as_ref() == Some(&removed);
            places.extend(goes.then_some((fact.is_listed_only, fact.source)));
            !goes
        });
        self.associations.retain(|fact| {
            let goes =
                is_of(fact.cluster.as_ref(), cluster) && key(&fact.principal).as_ref() == Some(&removed);
            places.extend(goes.then_some((true, fact.source)));
            !goes
        });
        places.into_iter().min().map(|(_, source)| source)
    }

    /// The principals of entries, as written.
    pub(crate) fn principals_of_entries(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|fact| fact.principal.text())
    }

    /// Whether a new mapping is one of an access entry: the mode reads them, or the inputs hold some.
    pub(crate) fn maps_by_entries(&self, mode: Option<AuthenticationMode>, has_aws_auth: bool) -> bool {
        let told = self.clusters.iter().find_map(|cluster| cluster.mode.given().copied());
        match mode.or(told) {
            Some(AuthenticationMode::ConfigMap) => false,
            Some(AuthenticationMode::Api) => true,
            Some(AuthenticationMode::ApiAndConfigMap) => !self.entries.is_empty() || !has_aws_auth,
            None => !self.entries.is_empty(),
        }
    }

    /// Adds a mapping as the access entry of its principal; the access policies of an entry that is there stay.
    pub(crate) fn add_mapping(&mut self, mapping: &NewMapping, source: Source, cluster: Option<&str>) {
        let own = key_of_caller(&mapping.arn);
        let form = self.entries.first().map_or(Form::TerraformState, |fact| fact.form);
        let settle = |fact: &mut EntryFact| {
            fact.kind = Setting::Given("STANDARD".to_owned());
            fact.username = Setting::Given(mapping.username.clone());
            fact.groups = Setting::Given(mapping.groups.clone());
            fact.standing = Standing::Observed;
            fact.is_conditional = false;
            fact.is_listed_only = false;
            fact.source = source;
        };
        let mut is_there = false;
        for fact in &mut self.entries {
            if is_of(fact.cluster.as_ref(), cluster) && key(&fact.principal).as_ref() == Some(&own) {
                settle(fact);
                is_there = true;
            }
        }
        if is_there {
            return;
        }
        let mut fact = EntryFact {
            policies: Some(Vec::new()),
            is_listed_only: false,
            ..EntryFact::listed(Told::known(mapping.arn.clone()), Standing::Observed, form, source)
        };
        settle(&mut fact);
        fact.cluster = cluster.map(str::to_owned).or_else(|| self.only_cluster());
        self.entries.push(fact);
    }

    fn only_cluster(&self) -> Option<String> {
        let named = self.clusters.iter().filter_map(|cluster| cluster.name.clone());
        named.chain(self.entries.iter().filter_map(|entry| entry.cluster.clone())).next()
    }

    /// What came since a mark is there in place of what was said before of the same principals, and of the same policies
    /// of them. Gives the principals, and how much came.
    pub(crate) fn replace_since(&mut self, FactsMark(before): FactsMark) -> (Vec<String>, usize) {
        let [clusters, entries, associations, ..] = before;
        let new_clusters = self.clusters.split_off(clusters.min(self.clusters.len()));
        let new_entries = self.entries.split_off(entries.min(self.entries.len()));
        let new_associations = self.associations.split_off(associations.min(self.associations.len()));
        let count = new_clusters.len() + new_entries.len() + new_associations.len();

        let whole = new_entries.iter().filter(|fact| !fact.is_listed_only);
        let of_entries: FxHashSet<String> = whole.filter_map(|fact| key(&fact.principal)).collect();
        let with_policies: FxHashSet<String> = new_entries
            .iter()
            .filter(|fact| fact.policies.is_some())
            .filter_map(|fact| key(&fact.principal))
            .collect();
        let nested = new_entries.iter().flat_map(|fact| fact.policies.iter().flatten());
        let pairs: FxHashSet<(String, String)> = nested
            .chain(&new_associations)
            .filter_map(|fact| Some((key(&fact.principal)?, fact.policy.last_part()?.to_owned())))
            .collect();
        self.clusters.retain(|old| {
            !new_clusters.iter().any(|new| new.name.is_none() || old.name.is_none() || new.name == old.name)
        });
        let is_replaced = |fact: &super::AssociationFact| {
            key(&fact.principal).is_some_and(|own| {
                with_policies.contains(&own)
                    || fact.policy.last_part().is_some_and(|policy| pairs.contains(&(own, policy.to_owned())))
            })
        };
        self.associations.retain(|fact| !is_replaced(fact));
        self.entries.retain_mut(|fact| {
            let Some(own) = key(&fact.principal) else { return true };
            if with_policies.contains(&own) {
                fact.policies = None;
            }
            if !of_entries.contains(&own) {
                return true;
            }
            fact.is_listed_only = true;
            fact.policies.is_some()
        });
        for fact in &mut self.entries {
            if let Some(policies) = &mut fact.policies {
                policies.retain(|policy| !is_replaced(policy));
            }
        }
        let principals = new_entries.iter().map(|fact| &fact.principal);
        let principals = principals.chain(new_associations.iter().map(|fact| &fact.principal));
        let principals = principals.filter_map(|told| told.text().map(str::to_owned)).collect();
        self.clusters.extend(new_clusters);
        self.entries.extend(new_entries);
        self.associations.extend(new_associations);
        (principals, count)
    }
}
