//! What access entries and access policies say, in sentences.

use crate::decide::answer::{AccessDoubt, AccessGap};
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::identity::access_entries::{AuthenticationMode, EntryList};
use crate::identity::{Mapped, MappingKind, Template};
use crate::knowledge::access_policies;
use crate::model::access::{AccessScope, Association};
use crate::model::source::Sources;

use super::phrases;
use super::words::Hop;

/// What made a user, in words.
pub(super) fn kind(kind: MappingKind) -> &'static str {
    match kind {
        MappingKind::AccessEntry => "access entry",
        MappingKind::ClusterCreator => "creator of the cluster",
        kind => kind.as_str(),
    }
}

/// The access policies of a caller, each with its scope and place; none for who has no access entry.
pub(super) fn hops(sources: &Sources, mapped: &Mapped) -> Vec<Hop> {
    let Some(access) = &mapped.access else { return Vec::new() };
    let line = |text: String, place: String| Hop { depth: 1, text, place };
    let policy = |association: &Association| {
        let text = format!("access policy `{}`, {}", association.title(), scope(association));
        line(text, sources.show(association.source).to_string())
    };
    let mut hops: Vec<Hop> = access.policies.iter().map(policy).collect();
    if !access.has_all_policies {
        hops.push(line(phrases::POLICIES_NOT_READ.to_owned(), String::new()));
    } else if access.policies.is_empty() {
        hops.push(line("no access policies".to_owned(), String::new()));
    }
    hops
}

/// The scope of an association, in words.
fn scope(association: &Association) -> String {
    let one = |scope: &AccessScope| match scope {
        AccessScope::Cluster => "whole cluster".to_owned(),
        AccessScope::Unknown => "unknown scope".to_owned(),
        AccessScope::Namespaces(patterns) => {
            let named = patterns.iter().map(|pattern| match pattern {
                Some(pattern) => format!("`{pattern}`"),
                None => "an unknown one".to_owned(),
            });
            match named.collect::<Vec<String>>().as_slice() {
                [] => "no namespace".to_owned(),
                [one] => format!("namespace {one}"),
                several => format!("namespaces {}", several.join(", ")),
            }
        }
    };
    let scopes: Vec<String> = association.scopes.iter().map(one).collect();
    let certain = if association.is_certain { "" } else { ", if it belongs to this ARN" };
    format!("{}{certain}", scopes.join(" or "))
}

/// Why access policies leave an answer open, in a sentence.
pub(super) fn doubt(doubt: &AccessDoubt<'_>) -> String {
    let policy = &doubt.policy;
    match &doubt.why {
        AccessGap::NotRead => format!(
            "{}; load `aws eks list-associated-access-policies`, or what `rbacsim collect` gathers",
            phrases::POLICIES_NOT_READ
        ),
        AccessGap::RulesNotPublished => {
            format!("access policy `{policy}` is associated here, and AWS does not publish its rules")
        }
        AccessGap::Scope => {
            format!("access policy `{policy}` allows this, but the inputs do not tell in which namespaces")
        }
        AccessGap::Pattern(pattern) => format!(
            "access policy `{policy}` allows this, but AWS does not document what the namespace pattern `{pattern}` matches: only a `*` at the end is documented"
        ),
        AccessGap::NamespaceObject => format!(
            "access policy `{policy}` is associated with namespaces, and AWS does not document whether that includes the Namespace object itself"
        ),
        AccessGap::Principal => format!(
            "access policy `{policy}` allows this, but the inputs do not tell for which principal; it may be this one"
        ),
    }
}

/// Why username, groups or policies of somebody who can log in are unknown; `None` where they are known.
pub(super) fn unknown(mapped: &Mapped) -> Option<String> {
    let mut gaps = Vec::new();
    if mapped.username.is_not_told() {
        gaps.push("the username is not in the inputs");
    } else if mapped.is_username_untold() {
        gaps.push("the username is the private DNS name of the instance, which only EC2 knows");
    }
    if mapped.groups.iter().any(Template::is_not_told) {
        gaps.push("the groups are not all in the inputs");
    }
    if mapped.access.as_ref().is_some_and(|access| !access.has_all_policies) {
        gaps.push(phrases::POLICIES_NOT_READ);
    }
    (!gaps.is_empty()).then(|| gaps.join("; "))
}

/// What a list of rules leaves out of somebody's access policies.
pub(super) fn list_notes(who: &Who) -> Vec<String> {
    let WhoIs::Mapped(mapped) = &who.is else { return Vec::new() };
    let Some(access) = &mapped.access else { return Vec::new() };
    let is_unpublished = |association: &&Association| {
        let named = association.policy.as_deref().and_then(access_policies::find);
        named.is_none_or(|policy| policy.rules.is_empty())
    };
    let unpublished = access.policies.iter().filter(is_unpublished);
    let unpublished: Vec<String> =
        unpublished.map(|association| format!("`{}`", association.title())).collect();
    let mut notes = Vec::new();
    if !unpublished.is_empty() {
        notes.push(format!(
            "AWS does not publish the rules of {}, so what they allow is left out",
            unpublished.join(", ")
        ));
    }
    if !access.has_all_policies {
        notes.push(format!("{}, so what they allow is left out", phrases::POLICIES_NOT_READ));
    }
    notes
}

/// What the inputs tell of who may enter the cluster, and what they do not.
pub(super) fn basis(cluster: &Cluster) -> Vec<String> {
    let Some(access) = cluster.identities().access() else {
        return vec![phrases::NOT_IN_INPUTS.to_owned()];
    };
    let place = access.mode_source().map_or_else(
        || "--authentication-mode".to_owned(),
        |source| cluster.sources().show(source).to_string(),
    );
    let mut lines = match access.mode() {
        Some(AuthenticationMode::ConfigMap) => {
            vec![format!("authentication mode CONFIG_MAP ({place}): only `aws-auth` counts")]
        }
        Some(AuthenticationMode::Api) => {
            vec![format!("authentication mode API ({place}): only access entries count")]
        }
        Some(AuthenticationMode::ApiAndConfigMap) => {
            vec![format!(
                "authentication mode API_AND_CONFIG_MAP ({place}): access entries count, then `aws-auth`"
            )]
        }
        None => vec!["the authentication mode is unknown; give --authentication-mode".to_owned()],
    };
    if access.mode() == Some(AuthenticationMode::ConfigMap) {
        if !access.has_creator() {
            lines.push(
                "the creator of the cluster may do everything, and no file shows who that is; give --creator"
                    .to_owned(),
            );
        }
    } else {
        lines.push(match access.list() {
            EntryList::Complete(_) => "access entries are matched by ARN; EKS matches the ID of the principal, which changes when the role or user is created anew".to_owned(),
            EntryList::Partial => "the inputs may not hold all access entries".to_owned(),
            EntryList::Absent => phrases::NOT_IN_INPUTS.to_owned(),
        });
    }
    lines
}

/// The same for one line that says what an answer rests on; empty where nothing is missing.
pub(super) fn basis_in_short(cluster: &Cluster) -> String {
    let access = cluster.identities().access();
    let text = match access {
        None => phrases::NOT_IN_INPUTS_SHORT,
        Some(access) => match (access.mode(), access.list()) {
            (None, _) => "; the authentication mode is unknown",
            (Some(AuthenticationMode::ConfigMap), _) if access.has_creator() => "",
            (Some(AuthenticationMode::ConfigMap), _) => "; the cluster creator is not told",
            (_, EntryList::Complete(_)) => "",
            (_, EntryList::Partial) => "; access entries may be missing",
            (_, EntryList::Absent) => phrases::NOT_IN_INPUTS_SHORT,
        },
    };
    text.to_owned()
}
