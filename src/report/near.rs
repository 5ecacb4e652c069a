//! What came nearest to a "no", in sentences.

use crate::decide::answer::{Answer, NearMiss};
use crate::decide::cluster::Cluster;
use crate::decide::evaluate::{Grant, Mismatch};
use crate::decide::graph::Applied;
use crate::decide::near::{Field, NearSubject, Slip, SubjectSlip, Why};
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Authorizer, RoleKind};

use super::words::{self, Hop};

/// How many near misses are worth reading.
const NEAR_SHOWN: usize = 5;

/// The near misses of an answer, one a line; of many the first.
pub(super) fn lines(cluster: &Cluster, answer: &Answer<'_>) -> Vec<Hop> {
    let line = |near| {
        let (text, place) = near_sentence(cluster, near);
        Hop { depth: 1, text, place }
    };
    let mut lines: Vec<Hop> = answer.near.iter().take(NEAR_SHOWN).map(line).collect();
    if let Some(more @ 1..) = answer.near.len().checked_sub(NEAR_SHOWN) {
        let text = format!("and {more} more; use -o json to see all");
        lines.push(Hop { depth: 1, text, place: String::new() });
    }
    lines
}

/// In how many namespaces besides the first.
pub(super) fn others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        2 => " (and 1 other namespace)".to_owned(),
        more => format!(" (and {} other namespaces)", more - 1),
    }
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// A near miss in a sentence, and where it stands.
pub fn near_sentence(cluster: &Cluster, near: &NearMiss<'_>) -> (String, String) {
    let graph = cluster.graph();
    let policy = graph.policy();
    let of = |grant: &Grant<'_>| {
        let number = grant.rule.position + 1;
        format!("{}, rule {number}", granted(policy, &grant.applied))
    };
    let rule_place = |grant: &Grant<'_>| words::rule_place(policy, &grant.rule).to_string();
    let binding_place = |grant: &Grant<'_>| words::place(policy, grant.applied.binding.source).to_string();
    match near {
        NearMiss::Rule(grant, mismatch) => (
            format!("{}: {}", of(grant), words::mismatch(policy, &grant.rule.rule, *mismatch)),
            rule_place(grant),
        ),
        NearMiss::Slips(grant, slips) => {
            let slips: Vec<String> = slips.iter().map(|one| slip(policy, one)).collect();
            (format!("{}: {}", of(grant), slips.join(", and ")), rule_place(grant))
        }
        NearMiss::ResourcesForUrl(grant) => (
            format!(
                "{}: a rule for resources grants no URL, even with `*`; it takes a rule with nonResourceURLs",
                of(grant)
            ),
            rule_place(grant),
        ),
        NearMiss::UrlsForResource(grant) => (
            format!(
                "{}: nonResourceURLs grant no resource; it takes a rule with apiGroups and resources",
                of(grant)
            ),
            rule_place(grant),
        ),
        NearMiss::ReplacedRule { .. } | NearMiss::NotAggregated { .. } | NearMiss::Unbound { .. } => {
            lost_rule(policy, near)
        }
        NearMiss::OnlyNames(grant) => {
            let only = Mismatch { resource_name: true, ..Mismatch::default() };
            let only = words::mismatch(policy, &grant.rule.rule, only);
            (
                format!("{}: {only}{}", of(grant), patterns(policy, grant.rule.rule.resource_names)),
                rule_place(grant),
            )
        }
        NearMiss::OtherNamespace { namespace, grant, count } => (
            format!(
                "allowed in {}{}, but not here: {}",
                named(policy.names.text(*namespace)),
                others(*count),
                of(grant)
            ),
            binding_place(grant),
        ),
        NearMiss::OnlyInNamespaces { namespace, grant, count } => (
            format!(
                "allowed in {}{}, but this request has no namespace, so {} does not apply: {}",
                named(policy.names.text(*namespace)),
                others(*count),
                match grant.authorizer() {
                    Authorizer::Rbac => "a RoleBinding",
                    Authorizer::AccessPolicy => "a namespace scope",
                },
                of(grant)
            ),
            binding_place(grant),
        ),
        NearMiss::MissingRole(applied) => (
            format!(
                "{}, which does not exist{}",
                words::missing_role(policy, applied),
                likely_role(cluster, applied)
            ),
            words::place(policy, applied.binding.source.at_line(applied.binding.role_ref_line)).to_string(),
        ),
        NearMiss::ClosedToAnonymous => (
            "EKS answers requests without credentials with 401 before RBAC is asked, but for /healthz, /livez and /readyz"
                .to_owned(),
            String::new(),
        ),
        NearMiss::NoUsername(group) => (
            format!(
                "the API group `{group}` is served by an add-on, which answers 401: the username of this identity is empty, so the API server cannot tell it who asks; give the mapping a `username`"
            ),
            String::new(),
        ),
        NearMiss::NeverBound(groups) if groups.is_empty() => {
            ("no binding names this user".to_owned(), String::new())
        }
        NearMiss::NeverBound(groups) => {
            (format!("no binding names this user or its groups {}", quoted(groups)), String::new())
        }
    }
}

/// A rule that would allow it and that no binding or aggregation brings to the asker, in a sentence.
fn lost_rule(policy: &Policy, near: &NearMiss<'_>) -> (String, String) {
    match near {
        NearMiss::ReplacedRule { applied, rule } => (
            format!(
                "{}: rule {} of {} would allow this, but the role has an aggregationRule, so the controller replaces its own rules",
                granted(policy, applied),
                rule.position + 1,
                words::role(policy, rule.owner)
            ),
            words::rule_place(policy, rule).to_string(),
        ),
        NearMiss::NotAggregated { applied, into, from, rule, missing } => (
            format!(
                "{}: rule {} of {} would allow this, but that is not aggregated into `{}`: its labels do not match `{}`",
                granted(policy, applied),
                rule.position + 1,
                words::role(policy, from),
                policy.names.text(into.name),
                words::requirement(policy, missing)
            ),
            words::rule_place(policy, rule).to_string(),
        ),
        NearMiss::Unbound { rule } => (
            format!(
                "{}, rule {}, would allow this, but no binding grants that role",
                words::role(policy, rule.owner),
                rule.position + 1
            ),
            words::rule_place(policy, rule).to_string(),
        ),
        _ => (String::new(), String::new()),
    }
}

/// A binding with its role.
fn granted(policy: &Policy, applied: &Applied<'_>) -> String {
    if applied.binding.authorizer() == Authorizer::AccessPolicy {
        return words::binding(policy, applied.binding).to_string();
    }
    format!("{}, {}", words::binding(policy, applied.binding), words::role_ref(policy, applied.binding))
}

/// That names with a star in them are names.
fn patterns(policy: &Policy, resource_names: &[Name]) -> String {
    let literal = resource_names.iter().map(|name| policy.names.text(*name)).find(|name| name.contains('*'));
    literal.map_or(String::new(), |name| {
        format!("; `{name}` is a name like any other: resourceNames are compared as text, without wildcards")
    })
}

/// The role that a binding probably meant whose role is missing, as the end of a sentence.
pub(super) fn likely_role(cluster: &Cluster, applied: &Applied<'_>) -> String {
    let policy = cluster.graph().policy();
    let Some(role) = cluster.graph().likely_role(applied) else { return String::new() };
    let place = words::place(policy, role.source);
    let meant = words::role(policy, role);
    let role_ref = applied.binding.role_ref;
    if role.name == role_ref.name && role.kind() == role_ref.kind {
        return format!(
            "; {meant} ({place}) is in another namespace, and a RoleBinding looks in its own alone"
        );
    }
    if role.name == role_ref.name && role.kind() == RoleKind::ClusterRole {
        return format!("; there is {meant} ({place}), which takes roleRef.kind ClusterRole");
    }
    if role.name == role_ref.name {
        return format!(
            "; there is {meant} ({place}), which takes roleRef.kind Role and a RoleBinding in its namespace"
        );
    }
    format!("; did you mean {meant} ({place})?")
}

/// Why a word of a rule does not match, in a sentence.
fn slip(policy: &Policy, slip: &Slip) -> String {
    let written = policy.names.text(slip.written);
    let meant = &slip.meant;
    let field = match slip.field {
        Field::Verb => "verb",
        Field::ApiGroup => "API group",
        Field::Resource => "resource",
        Field::ResourceName => "resourceName",
        Field::Url => "URL",
    };
    let because = match slip.why {
        Why::Capitals => format!("is not `{meant}`: capitals count"),
        Why::Singular => format!("is the singular; rules name the plural, `{meant}`"),
        Why::Kind => format!("is the kind; rules name the resource, `{meant}`"),
        Why::ShortName => format!("is a short name; rules name the resource, `{meant}`"),
        Why::Empty => format!("is empty and matches nothing; the resource is `{meant}`"),
        Why::LiteralStar => match (slip.field, meant.split_once('/')) {
            (Field::Resource, Some((_, part))) => format!(
                "is compared as text and matches nothing: only `*` alone and `*/{part}` are wildcards; write `{meant}`"
            ),
            _ => format!("is compared as text: only `*` alone is a wildcard; write `{meant}`"),
        },
        Why::WithGroup => {
            format!("holds the API group, which belongs in apiGroups; the resource is `{meant}`")
        }
        Why::WithVersion if meant.is_empty() => "is a version; the core group is `\"\"`".to_owned(),
        Why::WithVersion => format!("holds the version, which rules do not name; the group is `{meant}`"),
        Why::CoreGroup => "is not how rules name the core group; that is `\"\"`".to_owned(),
        Why::FormerGroup => format!("no longer serves this type; the group is `{meant}`"),
        Why::Beginning => format!("is only the beginning; the group is `{meant}`"),
        Why::NoApiVerb => format!("is no verb of the API; that is `{meant}`"),
        Why::Slashes => format!("is not `{meant}`: slashes count"),
        Why::WholeUrl => format!("holds scheme and host; nonResourceURLs are paths, `{meant}`"),
        Why::Below => format!("covers what is below, but not `{meant}` itself"),
        Why::OnlyItself => {
            format!("covers that path alone, and not `{meant}` below it; that takes `{written}/*`")
        }
        Why::Similar => format!("is not `{meant}`"),
    };
    let written = if written.is_empty() { "\"\"" } else { written };
    format!("its {field} `{written}` {because}")
}

/// A near subject in a sentence, and where it stands.
pub fn subject_sentence(cluster: &Cluster, near: &NearSubject<'_>) -> (String, String) {
    let graph = cluster.graph();
    let policy = graph.policy();
    match near {
        NearSubject::Masters(own) => (
            format!(
                "group `{own}` has no meaning of its own; the group that bypasses RBAC is `system:masters`"
            ),
            String::new(),
        ),
        NearSubject::RoleName { own, role } => (
            format!(
                "group `{own}` is the name of {}, but a group has the rights of a role only through a binding that names the group",
                words::role(policy, role)
            ),
            words::place(policy, role.source).to_string(),
        ),
        NearSubject::Subject { applied, subject, own, why, allows } => {
            let named = policy.subjects_of(applied.binding).get(*subject);
            let named = named.map(|placed| words::subject(policy, placed.subject).to_string());
            let named = named.unwrap_or_default();
            let because = match why {
                SubjectSlip::OtherNamespace => format!("which is in another namespace than `{own}`"),
                SubjectSlip::GroupForServiceAccount => format!(
                    "but `{own}` is a service account: use kind ServiceAccount, or group `system:serviceaccounts:NAMESPACE` for all of a namespace"
                ),
                SubjectSlip::UserForServiceAccount => format!(
                    "but `{own}` is a service account: use kind ServiceAccount with its namespace, or that whole username"
                ),
                SubjectSlip::ServiceAccountForUser => format!("but `{own}` is no service account"),
                SubjectSlip::UserForGroup => format!("but `{own}` is a group: use kind Group"),
                SubjectSlip::GroupForUser => format!("but `{own}` is the username: use kind User"),
                SubjectSlip::Template => {
                    format!("which is compared as text with `{own}`: a binding is no template")
                }
                SubjectSlip::Quotes => format!("which is not `{own}`: quotes and spaces count"),
                SubjectSlip::Commas => format!("which is not `{own}`: a name with commas is one name"),
                SubjectSlip::Capitals => format!("which is not `{own}`: capitals count"),
                SubjectSlip::LiteralStar => {
                    format!("which is compared as text with `{own}`: subjects have no wildcards")
                }
                SubjectSlip::Prefix => format!("which is not `{own}`: a prefix is a part of the name"),
                SubjectSlip::Similar => format!("which is not `{own}`"),
            };
            let would = if *allows { " would allow this and" } else { "" };
            (
                format!("{}{would} names {named}, {because}", words::binding(policy, applied.binding)),
                words::subject_place_of(graph, applied.binding, *subject).to_string(),
            )
        }
    }
}

/// A namespace, or the namespaces of a pattern.
fn named(namespace: &str) -> String {
    let several = if namespace.ends_with('*') { "s" } else { "" };
    format!("namespace{several} `{namespace}`")
}
