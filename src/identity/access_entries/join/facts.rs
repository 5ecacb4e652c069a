//! Facts of one principal: made alike, joined, and compared.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::super::entry::{Entry, default_username, key_of};
use super::super::facts::{AssociationFact, EntryFact};
use super::super::told::{Setting, Told};
use crate::model::access::{AccessScope, Association};
use crate::model::source::Source;

/// An entry of which nothing is known but that it exists.
pub(super) fn bare(principal: Told, source: Source) -> Entry {
    Entry {
        key: match principal.text() {
            Some(arn) => key_of(arn),
            None => key_of_told(&principal, source),
        },
        principal,
        kind: Setting::Unknown,
        username: Setting::Unknown,
        groups: Setting::Unknown,
        policies: Vec::new(),
        has_all_policies: false,
        is_observed: false,
        is_conditional: false,
        created_at: None,
        places: vec![source],
        shared: OnceLock::new(),
    }
}

/// What tells a principal apart that is not wholly told: as its file speaks of it. What has no name is alone.
pub(super) fn key_of_told(principal: &Told, source: Source) -> String {
    let file = if principal.is_open() { format!("#{}", source.file.0) } else { String::new() };
    let line =
        if principal.is_nameless() { format!(":{}:{}", source.line, source.column) } else { String::new() };
    format!("{principal}{file}{line}")
}

/// What an association tells of the entry: that it exists.
pub(super) fn only_associated(fact: &AssociationFact) -> EntryFact {
    let listed = EntryFact::listed(fact.principal.clone(), fact.standing, fact.form, fact.source);
    EntryFact { cluster: fact.cluster.clone(), ..listed }
}

/// What EKS would fill in itself is left to it: a username or groups that are the default of the type.
pub(super) fn normalise(fact: &mut EntryFact) {
    let kind = match &fact.kind {
        Setting::Given(kind) => kind.clone(),
        Setting::Default => "STANDARD".to_owned(),
        Setting::Unknown => return,
    };
    if fact
        .username
        .given()
        .is_some_and(|text| default_username(&kind, &fact.principal).as_ref() == Some(text))
    {
        fact.username = Setting::Default;
    }
    if kind == "STANDARD" {
        fact.kind = Setting::Given(kind);
        if fact.groups == Setting::Default {
            fact.groups = Setting::Given(Vec::new());
        }
    }
}

/// Joins what another fact says of a field; whether it says something else.
pub(super) fn merge<T: Clone + PartialEq>(own: &mut Setting<T>, other: &Setting<T>, is_later: bool) -> bool {
    if own.is_unknown() && !other.is_unknown() {
        *own = other.clone();
        return false;
    }
    let differs = differ(own, other);
    if differs && !is_later {
        *own = Setting::Unknown;
    }
    differs
}

pub(super) fn differ<T: PartialEq>(one: &Setting<T>, other: &Setting<T>) -> bool {
    !one.is_unknown() && !other.is_unknown() && one != other
}

/// As [`merge`], for lists whose order does not count.
pub(super) fn merge_groups(
    own: &mut Setting<Vec<String>>,
    other: &Setting<Vec<String>>,
    is_later: bool,
) -> bool {
    if differ_groups(own, other) {
        if !is_later {
            *own = Setting::Unknown;
        }
        return true;
    }
    if own.is_unknown() {
        *own = other.clone();
    }
    false
}

pub(super) fn differ_groups(one: &Setting<Vec<String>>, other: &Setting<Vec<String>>) -> bool {
    let sorted = |groups: &Setting<Vec<String>>| match groups {
        Setting::Given(groups) => Setting::Given(groups.iter().cloned().collect::<BTreeSet<_>>()),
        Setting::Default => Setting::Default,
        Setting::Unknown => Setting::Unknown,
    };
    differ(&sorted(one), &sorted(other))
}

pub(super) fn association(fact: &AssociationFact) -> Association {
    Association {
        policy_arn: fact.policy.to_string(),
        policy: fact.policy.last_part().map(str::to_owned),
        scopes: vec![fact.scope.clone()],
        is_certain: true,
        source: fact.source,
    }
}

/// The associations of one principal, each policy once: EKS keeps one association for each, the last.
pub(super) fn by_policy(facts: &[AssociationFact]) -> Vec<Association> {
    let mut found: Vec<(Association, Option<i64>)> = Vec::new();
    for fact in facts {
        let own = association(fact);
        // A policy that is not known may be any: it stays apart from every other.
        let same = found.iter_mut().find(|(other, _)| own.policy.is_some() && other.policy == own.policy);
        match same {
            None => found.push((own, fact.modified_at)),
            Some((other, time)) => match (*time, fact.modified_at) {
                (Some(before), Some(now)) if before < now => {
                    *other = own;
                    *time = fact.modified_at;
                }
                (Some(before), Some(now)) if before > now => {}
                _ if other.scopes.contains(&fact.scope) => {}
                _ => other.scopes.push(fact.scope.clone()),
            },
        }
    }
    found.into_iter().map(|(association, _)| association).collect()
}

pub(super) fn content(association: &Association) -> (Option<String>, Vec<AccessScope>) {
    let mut scopes: Vec<AccessScope> = association
        .scopes
        .iter()
        .map(|scope| match scope {
            AccessScope::Namespaces(namespaces) => {
                let mut namespaces = namespaces.clone();
                namespaces.sort();
                AccessScope::Namespaces(namespaces)
            }
            other => other.clone(),
        })
        .collect();
    scopes.sort();
    (association.policy.clone(), scopes)
}

pub(super) fn dedup(places: &mut Vec<Source>) {
    let mut seen = BTreeSet::new();
    places.retain(|place| seen.insert(*place));
}
