//! What made access come or go: a mapping, a subject, a binding, the rules of a role, a label that aggregates.

use super::{Diff, Pair, Row, mapped};
use crate::ask::matrix::unknown::{Reason, Unknown};
use crate::ask::who_can::GrantRef;
use crate::decide::cluster::Cluster;
use crate::decide::graph::{Applied, Principal};
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Binding, Role, Scope, Subject};
use crate::model::source::Source;
use crate::model::user::SYSTEM_MASTERS;

/// What made access come or go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// In words, such as ``RoleBinding `prod/oncall` added``.
    pub text: String,
    /// Where it stands.
    pub source: Option<Source>,
    /// Whether that is a place in the new inputs.
    pub is_new: bool,
    /// The group that is touched, where access comes by a group that everybody is in: its members gain what it gains.
    pub implied: bool,
}

fn text(policy: &Policy, name: Name) -> &str {
    policy.names.text(name)
}

fn titled(policy: &Policy, kind: &str, scope: Scope, name: Name) -> String {
    match scope {
        Scope::Cluster => format!("{kind} `{}`", text(policy, name)),
        Scope::Namespace(namespace) => format!("{kind} `{}/{}`", text(policy, namespace), text(policy, name)),
    }
}

fn subject_title(policy: &Policy, subject: Subject) -> String {
    match subject {
        Subject::User(name) => titled(policy, "User", Scope::Cluster, name),
        Subject::Group(name) => titled(policy, "Group", Scope::Cluster, name),
        Subject::Caller(name) => titled(policy, "access entry", Scope::Cluster, name),
        Subject::ServiceAccount { namespace, name } => {
            titled(policy, "ServiceAccount", Scope::Namespace(namespace), name)
        }
    }
}

fn same_scope(own: &Policy, scope: Scope, other: &Policy, other_scope: Scope) -> bool {
    text(own, scope.namespace()) == text(other, other_scope.namespace())
}

/// The bindings of a side by name, so that those of the same name are found without a walk over all.
#[derive(Clone, Debug)]
pub(super) struct ByName {
    /// Sorted; those of one name in the order of the policy.
    numbers: Vec<(Name, u32)>,
}

impl ByName {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let bindings = &cluster.graph().policy().bindings;
        let mut numbers: Vec<(Name, u32)> = bindings.iter().map(|binding| binding.name).zip(0..).collect();
        numbers.sort_unstable();
        Self { numbers }
    }

    fn named(&self, name: Name) -> impl Iterator<Item = usize> {
        let from = self.numbers.partition_point(|(own, _)| *own < name);
        let all = self.numbers.get(from..).unwrap_or_default();
        all.iter().take_while(move |(own, _)| *own == name).map(|(_, number)| *number as usize)
    }
}

/// The bindings of the same name on the other side.
fn namesakes<'o>(own: &Policy, binding: &Binding, other: &'o Cluster, by_name: &ByName) -> Vec<&'o Binding> {
    let policy = other.graph().policy();
    by_name
        .named(policy.names.lookup(text(own, binding.name)))
        .filter_map(|number| policy.bindings.get(number))
        .filter(|one| {
            one.authorizer() == binding.authorizer() && same_scope(own, binding.scope, policy, one.scope)
        })
        .collect()
}

pub(super) fn of_row(diff: &Diff<'_>, pair: &Pair, row: &Row<'_>, is_gained: bool) -> Cause {
    let (own, other) = if is_gained { (&diff.new, &diff.old) } else { (&diff.old, &diff.new) };
    let (own, other) = (own.cluster(), other.cluster());
    let by_name = if is_gained { diff.old_bindings() } else { diff.new_bindings() };
    let mut last = None;
    for grant in &row.grants {
        if let Some(cause) = of_grant((own, other), by_name, pair, grant, is_gained) {
            return cause;
        }
        last = Some(grant);
    }
    // Everything is allowed without a binding.
    if row.grants.is_empty() || last.is_none() {
        return of_mapping(pair, is_gained, SYSTEM_MASTERS);
    }
    let text = "what the inputs know of types or versions changed";
    Cause { text: text.to_owned(), source: None, is_new: is_gained, implied: false }
}

fn of_grant(
    (own, other): (&Cluster, &Cluster),
    by_name: &ByName,
    pair: &Pair,
    grant: &GrantRef<'_>,
    is_gained: bool,
) -> Option<Cause> {
    let policy = own.graph().policy();
    let binding = grant.applied.binding;
    let title = titled(policy, binding.kind(), binding.scope, binding.name);
    let subject = policy.subjects_of(binding).get(grant.subject as usize);
    let implied = matches!(subject.map(|placed| placed.subject), Some(Subject::Group(name)) if {
        let name = text(policy, name);
        let own = if is_gained { &pair.new } else { &pair.old };
        name.starts_with("system:") && own.identity != name
    });
    let cause =
        |text: String, source: Source| Cause { text, source: Some(source), is_new: is_gained, implied };
    let there = namesakes(policy, binding, other, by_name);
    let verb = |come: &'static str, go: &'static str| if is_gained { come } else { go };
    let Some(first) = there.first() else {
        return Some(cause(format!("{title} {}", verb("added", "removed")), binding.source));
    };
    let other_policy = other.graph().policy();
    let same_role = |one: &&&Binding| {
        one.role_ref.kind == binding.role_ref.kind
            && text(other_policy, one.role_ref.name) == text(policy, binding.role_ref.name)
    };
    let Some(namesake) = there.iter().find(same_role) else {
        let role = |policy: &Policy, one: &Binding| {
            titled(policy, one.role_ref.kind.as_str(), one.role_scope(), one.role_ref.name)
        };
        let (before, after) = if is_gained {
            (role(other_policy, first), role(policy, binding))
        } else {
            (role(policy, binding), role(other_policy, first))
        };
        let (source, is_new) = if is_gained { (binding.source, true) } else { (first.source, true) };
        return Some(Cause {
            text: format!("{title} grants {after} instead of {before}"),
            source: Some(source),
            is_new,
            implied,
        });
    };
    // The subject by which it applies.
    let placed = subject?;
    let is_same = |one: Subject| subject_title(other_policy, one) == subject_title(policy, placed.subject);
    if !other_policy.subjects_of(namesake).iter().any(|one| is_same(one.subject)) {
        let subject = subject_title(policy, placed.subject);
        let source = if placed.line > 0 { binding.source.at_line(placed.line) } else { binding.source };
        return Some(cause(format!("{title} {} {subject}", verb("now names", "no longer names")), source));
    }
    // The name by which the holder is that subject.
    let other_holder = if is_gained { &pair.old } else { &pair.new };
    let principal = match placed.subject {
        Subject::User(name) => Principal::Username(other_policy.names.lookup(text(policy, name))),
        Subject::Group(name) => Principal::Group(other_policy.names.lookup(text(policy, name))),
        Subject::Caller(name) => Principal::Caller(other_policy.names.lookup(text(policy, name))),
        Subject::ServiceAccount { namespace, name } => {
            let username =
                format!("system:serviceaccount:{}:{}", text(policy, namespace), text(policy, name));
            Principal::Username(other_policy.names.lookup(&username))
        }
    };
    if !other_holder.principals().contains(&principal) {
        let name = match placed.subject {
            Subject::User(name)
            | Subject::Group(name)
            | Subject::Caller(name)
            | Subject::ServiceAccount { name, .. } => text(policy, name),
        };
        return Some(of_mapping(pair, is_gained, name));
    }
    of_role(own, other, &grant.applied, grant, is_gained).map(|cause| Cause { implied, ..cause })
}

/// A mapping that makes somebody a member of a group, or a user, on one side only.
fn of_mapping(pair: &Pair, is_gained: bool, name: &str) -> Cause {
    let (own, other) = if is_gained { (&pair.new, &pair.old) } else { (&pair.old, &pair.new) };
    let verb = |come: &'static str, go: &'static str| if is_gained { come } else { go };
    let Some(mapping) = mapped(own) else {
        return Cause {
            text: format!("the identity mapping of `{}` changed", own.identity),
            source: None,
            is_new: is_gained,
            implied: false,
        };
    };
    let provenance = &mapping.provenance;
    if mapped(other).is_none() {
        return Cause {
            text: format!("the mapping of `{}` {}", own.identity, verb("added", "removed")),
            source: Some(provenance.source),
            is_new: is_gained,
            implied: false,
        };
    }
    let group = provenance.groups.iter().find(|group| group.text == name);
    let (what, source) = match group {
        Some(group) => (format!("group `{name}` {}", verb("added to", "removed from")), group.source),
        None => (
            format!("username `{name}` {}", verb("given by", "no longer given by")),
            provenance.username.source,
        ),
    };
    Cause {
        text: format!("{what} the mapping of `{}`", own.identity),
        source: Some(source),
        is_new: is_gained,
        implied: false,
    }
}

/// The role in which the rule stands, which differs, or is aggregated on one side only.
fn of_role(
    own: &Cluster,
    other: &Cluster,
    applied: &Applied<'_>,
    grant: &GrantRef<'_>,
    is_gained: bool,
) -> Option<Cause> {
    let policy = own.graph().policy();
    let other_policy = other.graph().policy();
    let rule = own.graph().granted_rule(applied, grant.rule as usize)?;
    let owner = rule.owner;
    let find = |role: &Role| -> Option<&Role> {
        let name = other_policy.names.lookup(text(policy, role.name));
        let scope = match role.scope {
            Scope::Cluster => Scope::Cluster,
            Scope::Namespace(namespace) => {
                Scope::Namespace(other_policy.names.lookup(text(policy, namespace)))
            }
        };
        other.graph().role(scope, name)
    };
    let title = titled(policy, owner.kind().as_str(), owner.scope, owner.name);
    let verb = |come: &'static str, go: &'static str| if is_gained { come } else { go };
    let cause = |text: String, source: Source| {
        Some(Cause { text, source: Some(source), is_new: is_gained, implied: false })
    };
    let place = if rule.placed.line > 0 { owner.source.at_line(rule.placed.line) } else { owner.source };
    let Some(namesake) = find(owner) else {
        return cause(format!("{title} {}", verb("added", "removed")), place);
    };
    let words = |policy: &Policy, role: &Role| -> Vec<String> {
        policy.rules_of(role).iter().map(|placed| spelled(policy, placed.rule)).collect()
    };
    let here = spelled(policy, rule.placed.rule);
    if words(other_policy, namesake).contains(&here) {
        let granted = applied.role?;
        if owner.name == granted.name && owner.scope == granted.scope {
            return None;
        }
        let taker = titled(policy, granted.kind().as_str(), granted.scope, granted.name);
        return cause(
            format!("{title} {} aggregated into {taker}", verb("is now", "is no longer")),
            owner.source,
        );
    }
    cause(
        format!("rule {} of {title} {}", rule.position + 1, verb("added or changed", "removed or changed")),
        place,
    )
}

/// A rule as text, to be compared across sides.
fn spelled(policy: &Policy, rule: crate::model::rbac::RuleId) -> String {
    let rule = policy.rules.get(rule);
    let list = |names: &[Name]| names.iter().map(|name| text(policy, *name)).collect::<Vec<_>>().join(",");
    [rule.verbs, rule.api_groups, rule.resources, rule.resource_names, rule.non_resource_urls]
        .map(list)
        .join("|")
}

/// What tells one reason to leave access open from another, whatever side it is of.
pub(super) fn key(cluster: &Cluster, unknown: &Unknown<'_>) -> String {
    let policy = cluster.graph().policy();
    let of = |applied: &Applied<'_>| {
        let binding = applied.binding;
        format!(
            "{} {}",
            titled(policy, binding.kind(), binding.scope, binding.name),
            titled(policy, binding.role_ref.kind.as_str(), binding.role_scope(), binding.role_ref.name)
        )
    };
    let reason = match &unknown.reason {
        Reason::MissingRole(applied) => format!("missing {}", of(applied)),
        Reason::Aggregates(applied) => format!("aggregates {}", of(applied)),
        Reason::UnknownScope(applied) => format!("scope {}", of(applied)),
        Reason::Session(values, applied) => format!("session {values:?} {}", of(applied)),
        Reason::SessionOfMasters(values) => format!("masters {values:?}"),
        Reason::Unfilled(text) | Reason::UnfilledName(text) => format!("unfilled {text}"),
        Reason::Identity(doubt) => format!("identity {}", doubt.text),
        Reason::AccessPolicy(policy, _) => format!("policy {policy}"),
        Reason::NamespaceObject(applied) => format!("namespace object {}", of(applied)),
        Reason::PoliciesNotRead(_) => "policies".to_owned(),
        Reason::Unread(_) => "unread".to_owned(),
        Reason::Unrendered(_) => "unrendered".to_owned(),
        Reason::Node => "node".to_owned(),
        Reason::RandomMapping => "random".to_owned(),
        Reason::NoMappings => "mappings".to_owned(),
        Reason::NothingRead => "nothing".to_owned(),
        other @ Reason::SourceForm(..) => format!("{other:?}"),
    };
    format!("{} {reason}", unknown.namespace)
}
