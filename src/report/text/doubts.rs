//! Why an answer is unknown, in sentences with their places.

use std::io::{self, Write};

use crate::decide::answer::Doubt;
use crate::decide::cluster::Cluster;
use crate::identity::PlaceholderValues;
use crate::model::attributes::Attributes;
use crate::model::rbac::RoleKind;
use crate::model::source::Source;
use crate::model::user::{SYSTEM_MASTERS, UserInfo};
use crate::read::Completeness;
use crate::report::words::{self, Hop};
use crate::report::{access, near, phrases};

use super::{hops, identity_place, quoted_or_none};

/// What would have to hold, in words.
pub(crate) fn conditions(values: &PlaceholderValues) -> String {
    let mut parts = Vec::new();
    if let Some(name) = &values.session_name {
        parts.push(format!("the session name is `{name}`"));
    }
    if let Some(key) = &values.access_key_id {
        parts.push(format!("the access key ID is `{key}`"));
    }
    if let Some(name) = &values.private_dns_name {
        parts.push(format!("the instance's private DNS name is `{name}`"));
    }
    if let Some(name) = &values.username {
        parts.push(format!("the username is `{name}`"));
    }
    if let Some(group) = &values.group {
        parts.push(format!("a group is `{group}`"));
    }
    if parts.is_empty() { "the placeholders match".to_owned() } else { parts.join(" and ") }
}

/// How many places of documents that could not be read stand in a line.
const UNREAD_SHOWN: usize = 3;

/// The documents that could not be read besides the first, in a line.
pub(in crate::report) fn other_unread(cluster: &Cluster, others: &[Source]) -> Option<String> {
    let shown = others.iter().take(UNREAD_SHOWN);
    let places: Vec<String> = shown.map(|source| cluster.sources().show(*source).to_string()).collect();
    let documents = phrases::counted(others.len(), "more document");
    let rest = if others.len() > UNREAD_SHOWN { ", ...; -o json lists all" } else { "" };
    (!others.is_empty()).then(|| format!("and {documents} that may allow this: {}{rest}", places.join(", ")))
}

fn unread_sentence(cluster: &Cluster, source: Source) -> String {
    let told = cluster.summary().unread.iter().find(|unread| unread.source == source);
    match told.filter(|unread| !unread.sentence.is_empty()) {
        Some(unread) if unread.more.is_empty() => {
            format!("{}; it may allow this", unread.sentence)
        }
        Some(unread) => format!("{}; they may allow this", unread.sentence),
        None => format!("{}, and may allow this; fix or render it, or leave its file out", phrases::UNREAD),
    }
}

/// What follows if the session, or what else is not told of a user, is the right one.
fn session_sentence(user: &UserInfo, values: &PlaceholderValues, is_granted: bool) -> String {
    let effect = if is_granted || user.in_group(SYSTEM_MASTERS) {
        "the request is allowed"
    } else {
        "the answer is still unknown"
    };
    let groups = quoted_or_none(&user.groups);
    let then = if user.username.is_empty() {
        format!("the groups are {groups}")
    } else {
        format!("the user is `{}` with groups {groups}", user.username)
    };
    let mend = if values.username.is_some() || values.group.is_some() {
        "load the access entry, with `rbacsim collect`"
    } else {
        "give --session-name"
    };
    format!("if {}, {then}, and {effect}; {mend}", conditions(values))
}

/// Why an answer is unknown, in a sentence.
pub fn doubt_sentence(cluster: &Cluster, doubt: &Doubt<'_>) -> String {
    let policy = cluster.graph().policy();
    match doubt {
        Doubt::MissingRole(applied) => {
            if applied.role.is_some() {
                return format!(
                    "{}; load the ClusterRoles that it selects, or use --complete if there are none",
                    words::not_in_inputs(cluster.graph(), applied)
                );
            }
            let kind = applied.binding.role_ref.kind;
            let missing = if cluster.completeness() == Completeness::Complete && kind == RoleKind::Role {
                "which is not in the inputs, as they have no Roles at all; export `roles` as well"
            } else {
                "which is not in the inputs; load it, or use --complete if it does not exist"
            };
            let likely = near::likely_role(cluster, applied);
            format!("{}, {missing}{likely}", words::missing_role(policy, applied))
        }
        Doubt::Aggregates(applied) => format!(
            "{}; load those for this type, or use --complete if there are none",
            words::not_in_inputs(cluster.graph(), applied)
        ),
        Doubt::Contested(applied) => format!(
            "{}; which one that was is unknown: leave one of them out",
            words::contested(policy, applied)
        ),
        Doubt::UnknownScope(_) => {
            "only a RoleBinding allows this, and the scope of this type is unknown: if it is cluster-scoped, the RoleBinding does not apply; load its CRD".to_owned()
        }
        Doubt::NodeAuthorizer(rule) => {
            let may = if rule.is_some() {
                "; ClusterRole `system:node` lists this request, so it may be allowed"
            } else {
                ""
            };
            format!(
                "the Node authorizer decides what a node may do, from live objects that are not in the inputs{may}"
            )
        }
        Doubt::SomeNames(_) => "allowed only for some object names, and the name is not known".to_owned(),
        Doubt::SomeNamespaces { namespace, count, .. } => {
            let others = near::others(*count);
            format!(
                "allowed in namespace `{}`{others}, but the namespace is not known",
                policy.names.text(*namespace)
            )
        }
        Doubt::NothingRead => phrases::NOTHING_READ.to_owned(),
        Doubt::SourceForm(form, _) => format!("{}: {}", phrases::SOURCE_FORM, form.sentence),
        Doubt::Unread(source) => unread_sentence(cluster, *source),
        Doubt::AccessPolicy(doubt) => access::doubt(doubt),
        Doubt::NoIdentity => {
            format!(
                "{}, so the user of this ARN is unknown; load ConfigMap `kube-system/aws-auth`, or use --as and --as-group",
                phrases::NO_MAPPINGS
            )
        }
        Doubt::RandomMapping(_) => {
            format!("{}, with different answers", phrases::RANDOM_MAPPING)
        }
        Doubt::OtherType(name, _) => format!(
            "the resource type is unknown and was checked as written; if it is `{name}`, which rules mention, the request may be allowed: ask for that name, or load its CRD"
        ),
        Doubt::Unfilled(provenance, _) => {
            let user = match provenance.username.text.as_str() {
                "" => String::new(),
                user => format!(" to user `{user}`"),
            };
            format!(
                "{}; if it maps this ARN{user}, the request may be allowed",
                phrases::unfilled_entry(&provenance.arn)
            )
        }
        Doubt::UnfilledName(written, name, _) => {
            format!("{}; if it becomes `{name}`, the request may be allowed", phrases::unfilled_name(written))
        }
        Doubt::Unrendered(_) => {
            format!("{}; render or decrypt them first", phrases::UNRENDERED)
        }
        Doubt::Identity(doubt, grant) => {
            let then = if grant.is_some() { "; as one user that it could be, this is allowed" } else { "" };
            format!("{}{then}", doubt.text)
        }
        Doubt::Session { user, values, grant } => session_sentence(user, values, grant.is_some()),
    }
}

pub(super) fn doubt_text(
    out: &mut dyn Write,
    cluster: &Cluster,
    asked: &Attributes<'_>,
    doubt: &Doubt<'_>,
    indent: usize,
) -> io::Result<()> {
    let policy = cluster.graph().policy();
    let place = match doubt {
        Doubt::MissingRole(applied) | Doubt::Aggregates(applied) | Doubt::Contested(applied) => {
            words::place(policy, applied.binding.source.at_line(applied.binding.role_ref_line)).to_string()
        }
        Doubt::NodeAuthorizer(Some(rule)) => words::rule_place(policy, rule).to_string(),
        Doubt::SourceForm(form, _) => policy.sources.show(form.source).to_string(),
        Doubt::Unread(source) | Doubt::Unrendered(source) => policy.sources.show(*source).to_string(),
        Doubt::Unfilled(provenance, _) => policy.sources.show(provenance.source).to_string(),
        Doubt::AccessPolicy(doubt) => policy.sources.show(doubt.source).to_string(),
        Doubt::Identity(doubt, _) => identity_place(&policy.sources, doubt),
        _ => String::new(),
    };
    hops(out, &[Hop { depth: 0, text: doubt_sentence(cluster, doubt), place }], indent)?;
    if let Doubt::SourceForm(_, Some(grant)) = doubt {
        hops(out, &words::hops_for(cluster.possible_graph(), grant, Some(asked)), indent + 2)?;
    }
    if let Doubt::Session { grant: Some(grant), .. }
    | Doubt::RandomMapping(Some(grant))
    | Doubt::Identity(_, Some(grant))
    | Doubt::OtherType(_, Some(grant))
    | Doubt::Unfilled(_, Some(grant))
    | Doubt::UnfilledName(_, _, Some(grant))
    | Doubt::SomeNames(grant)
    | Doubt::UnknownScope(grant)
    | Doubt::SomeNamespaces { grant, .. } = doubt
    {
        hops(out, &words::hops_for(cluster.graph(), grant, Some(asked)), indent + 2)?;
    }
    Ok(())
}
