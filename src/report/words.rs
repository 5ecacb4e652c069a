//! How objects, rules and places are named in answers, for text and JSON alike.

use std::fmt::{self, Display, Write};

use crate::decide::evaluate::{Grant, Mismatch};
use crate::decide::graph::{AggregationStep, Applied, RbacGraph, RoleRule};
use crate::model::attributes::Attributes;
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Authorizer, Binding, Operator, PolicyRule, Requirement, Role, Scope, Subject};
use crate::model::source::Source;
use crate::model::user::{SYSTEM_AUTHENTICATED, UserInfo};

/// A text that is formatted only when it is written, so that hundreds of thousands of them need no memory.
pub(super) struct FormatWith<F>(pub(super) F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> Display for FormatWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

/// Texts with commas between them.
pub(super) fn joined<T: Display>(texts: impl Iterator<Item = T> + Clone) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        for (text, index) in texts.clone().zip(0usize..) {
            if index > 0 {
                f.write_str(", ")?;
            }
            text.fmt(f)?;
        }
        Ok(())
    })
}

/// A place as people write it; for what came with Kubernetes, that.
pub fn place(policy: &Policy, source: Source) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        if policy.is_builtin(source) {
            return f.write_str(policy.sources.file(source.file));
        }
        policy.sources.show(source).fmt(f)
    })
}

/// A kind with a name, and the namespace before the name where there is one.
fn scoped(policy: &Policy, kind: &'static str, scope: Scope, name: Name) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        f.write_str(kind)?;
        f.write_str(" `")?;
        if let Scope::Namespace(namespace) = scope {
            f.write_str(policy.names.text(namespace))?;
            f.write_str("/")?;
        }
        f.write_str(policy.names.text(name))?;
        f.write_str("`")
    })
}

/// ``RoleBinding `prod/developers` ``.
///
/// The association of an access policy has no name: it is told by the policy and its scope.
pub fn binding(policy: &Policy, binding: &Binding) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        if binding.authorizer() == Authorizer::Rbac {
            return scoped(policy, binding.kind(), binding.scope, binding.name).fmt(f);
        }
        write!(f, "association of `{}` with ", policy_name(policy.names.text(binding.role_ref.name)))?;
        match binding.scope {
            Scope::Cluster => f.write_str("the whole cluster"),
            Scope::Namespace(namespace) => write!(f, "namespace `{}`", policy.names.text(namespace)),
        }
    })
}

/// The name of an access policy, the last part of its ARN.
pub(super) fn policy_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// ``ClusterRole `view` ``.
pub fn role(policy: &Policy, role: &Role) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        if policy.is_access_policy(role) {
            return write!(f, "access policy `{}`", policy_name(policy.names.text(role.name)));
        }
        scoped(policy, role.kind().as_str(), role.scope, role.name).fmt(f)
    })
}

/// The role that a binding names, whether or not it is there.
pub fn role_ref(policy: &Policy, binding: &Binding) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        if binding.authorizer() == Authorizer::AccessPolicy {
            return write!(f, "access policy `{}`", policy_name(policy.names.text(binding.role_ref.name)));
        }
        scoped(policy, binding.role_ref.kind.as_str(), binding.role_scope(), binding.role_ref.name).fmt(f)
    })
}

/// ``Group `developers` ``.
pub fn subject(policy: &Policy, subject: Subject) -> impl Display {
    match subject {
        Subject::User(name) => scoped(policy, "User", Scope::Cluster, name),
        Subject::Group(name) => scoped(policy, "Group", Scope::Cluster, name),
        Subject::ServiceAccount { namespace, name } => {
            scoped(policy, "ServiceAccount", Scope::Namespace(namespace), name)
        }
        Subject::Caller(arn) => scoped(policy, "IAM principal", Scope::Cluster, arn),
    }
}

/// The subject of a grant.
pub fn granted_to(policy: &Policy, grant: &Grant<'_>) -> Option<Subject> {
    policy.subjects_of(grant.applied.binding).get(grant.subject).map(|placed| placed.subject)
}

/// A place, and in JSON the position in a list of the object that stands there.
fn place_in(policy: &Policy, source: Source, list: &'static str, position: impl Display) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        place(policy, source).fmt(f)?;
        if policy.sources.has_path(source.path) {
            write!(f, ".{list}[{position}]")?;
        }
        Ok(())
    })
}

/// The place of a rule; in JSON with its position in the role.
pub fn rule_place(policy: &Policy, rule: &RoleRule<'_>) -> impl Display {
    place_in(policy, rule.owner.source.at_line(rule.placed.line), "rules", rule.position)
}

/// The place of a subject; in JSON with its position in the binding.
pub fn subject_place(graph: &RbacGraph, grant: &Grant<'_>) -> impl Display {
    subject_place_of(graph, grant.applied.binding, grant.subject)
}

/// The place of a subject of a binding, by its number.
pub fn subject_place_of(graph: &RbacGraph, binding: &Binding, subject: usize) -> impl Display {
    let source = graph.subject_source(binding, subject);
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        // The principal of an association stands with it.
        if binding.authorizer() == Authorizer::AccessPolicy {
            return place(graph.policy(), binding.source).fmt(f);
        }
        place_in(graph.policy(), source, "subjects", subject).fmt(f)
    })
}

fn list(policy: &Policy, names: &[Name]) -> impl Display {
    joined(names.iter().map(|name| match policy.names.text(*name) {
        "" => "\"\"",
        text => text,
    }))
}

/// A rule in one line: ``get, list on pods, pods/log``.
pub fn rule(policy: &Policy, rule: &PolicyRule<'_>) -> impl Display {
    FormatWith(move |f: &mut fmt::Formatter<'_>| {
        list(policy, rule.verbs).fmt(f)?;
        if !rule.non_resource_urls.is_empty() {
            write!(f, " on {}", list(policy, rule.non_resource_urls))?;
        }
        if !rule.resources.is_empty() {
            write!(f, " on {}", list(policy, rule.resources))?;
            if rule.api_groups != [Name::EMPTY] {
                write!(f, " in {}", groups(policy, rule.api_groups))?;
            }
        }
        if !rule.resource_names.is_empty() {
            write!(f, ", only named {}", list(policy, rule.resource_names))?;
        }
        Ok(())
    })
}

fn groups(policy: &Policy, groups: &[Name]) -> impl Display {
    joined(groups.iter().map(|name| match policy.names.text(*name) {
        "" => "core",
        "*" => "all API groups",
        text => text,
    }))
}

/// What differs between a rule and a request, in words.
pub fn mismatch(policy: &Policy, rule: &PolicyRule<'_>, mismatch: Mismatch) -> String {
    let mut parts = Vec::new();
    if mismatch.verb {
        parts.push(format!("its verbs are {}", list(policy, rule.verbs)));
    }
    if mismatch.api_group {
        parts.push(format!("its API group is {}", groups(policy, rule.api_groups)));
    }
    if mismatch.resource {
        parts.push(format!("its resources are {}", list(policy, rule.resources)));
    }
    if mismatch.resource_name {
        parts.push(format!("it allows only objects named {}", list(policy, rule.resource_names)));
    }
    if mismatch.non_resource_url {
        parts.push(format!("its URLs are {}", list(policy, rule.non_resource_urls)));
    }
    parts.join(" and ")
}

/// A requirement of a label selector: `team=parts`.
pub fn requirement(policy: &Policy, requirement: &Requirement) -> String {
    let key = policy.names.text(requirement.key);
    let values = list(policy, &requirement.values);
    match requirement.operator {
        Operator::In if requirement.values.len() == 1 => format!("{key}={values}"),
        Operator::In => format!("{key} in ({values})"),
        Operator::NotIn => format!("{key} not in ({values})"),
        Operator::Exists => key.to_owned(),
        Operator::DoesNotExist => format!("no {key}"),
    }
}

/// How an aggregation took a role's rules in: the label that did it.
pub fn aggregation(policy: &Policy, step: &AggregationStep<'_>) -> String {
    let selector = step.into.aggregation.as_ref().and_then(|selectors| selectors.get(step.selector as usize));
    let labels: Vec<String> =
        selector.into_iter().flatten().map(|requirement| self::requirement(policy, requirement)).collect();
    let labels = if labels.is_empty() {
        "the empty selector".to_owned()
    } else {
        format!("label `{}`", labels.join(","))
    };
    format!(
        "{} is aggregated into `{}` by {labels}",
        role(policy, step.from),
        policy.names.text(step.into.name)
    )
}

/// A hop of an explanation: what, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// How deep it is indented.
    pub depth: usize,
    /// What it is.
    pub text: String,
    /// Where it stands; empty if nowhere.
    pub place: String,
}

/// The hops of a grant from the binding to the rule.
pub fn hops(graph: &RbacGraph, grant: &Grant<'_>) -> Vec<Hop> {
    hops_for(graph, grant, None)
}

/// How many entries of a list are shown where only one of them matters.
const LIST_SHOWN: usize = 6;

/// A list in which what was asked about is shown, and how many more entries there are.
fn short_list(policy: &Policy, names: &[Name], asked: &[&str]) -> String {
    if names.len() <= LIST_SHOWN {
        return list(policy, names).to_string();
    }
    let matters = |name: &&Name| asked.contains(&policy.names.text(**name));
    let shown: Vec<Name> = match names.iter().find(matters) {
        Some(name) => vec![*name],
        None => names.iter().take(LIST_SHOWN - 1).copied().collect(),
    };
    format!("{} and {} more", list(policy, &shown), names.len() - shown.len())
}

/// A rule in one line, long lists cut down to what was asked about and the number of what else there is.
pub fn short_rule(policy: &Policy, rule: &PolicyRule<'_>, asked: &Attributes<'_>) -> String {
    let mut text = short_list(policy, rule.verbs, &["*", asked.verb()]);
    match asked {
        Attributes::NonResource(url) => {
            let _ = write!(text, " on {}", short_list(policy, rule.non_resource_urls, &["*", url.path]));
        }
        Attributes::Resource(resource) => {
            let combined = format!("{}/{}", resource.resource, resource.subresource);
            let any = format!("*/{}", resource.subresource);
            let wanted = if resource.subresource.is_empty() { resource.resource } else { &combined };
            let _ = write!(text, " on {}", short_list(policy, rule.resources, &["*", wanted, &any]));
            if rule.api_groups != [Name::EMPTY] {
                let _ = write!(text, " in {}", groups(policy, rule.api_groups));
            }
            if !rule.resource_names.is_empty() {
                let _ = write!(
                    text,
                    ", only named {}",
                    short_list(policy, rule.resource_names, &[resource.name])
                );
            }
        }
    }
    text
}

/// [`hops`], with the rule cut down to what matters for a request.
pub fn hops_for(graph: &RbacGraph, grant: &Grant<'_>, asked: Option<&Attributes<'_>>) -> Vec<Hop> {
    let policy = graph.policy();
    let mut hops = Vec::new();
    let mut hop = |depth, text: &dyn Display, place: &dyn Display| {
        hops.push(Hop { depth, text: text.to_string(), place: place.to_string() });
    };
    let bound = grant.applied.binding;
    hop(0, &binding(policy, bound), &place(policy, bound.source));
    if let Some(named) = granted_to(policy, grant).filter(|_| grant.authorizer() == Authorizer::Rbac) {
        hop(1, &format_args!("names {}", subject(policy, named)), &subject_place(graph, grant));
    }
    if let Some(granted) = grant.applied.role {
        hop(0, &role(policy, granted), &place(policy, granted.source));
        for step in graph.provenance(granted, &grant.rule) {
            hop(1, &aggregation(policy, &step), &place(policy, step.from.source));
        }
    }
    let number = grant.rule.position + 1;
    let said = match asked {
        Some(asked) => short_rule(policy, &grant.rule.rule, asked),
        None => rule(policy, &grant.rule.rule).to_string(),
    };
    hop(1, &format_args!("rule {number}: {said}"), &rule_place(policy, &grant.rule));
    hops
}

/// One line for a grant that is not shown in full.
pub fn grant_line(graph: &RbacGraph, grant: &Grant<'_>) -> (String, String) {
    let policy = graph.policy();
    let bound = grant.applied.binding;
    let number = grant.rule.position + 1;
    if grant.authorizer() == Authorizer::AccessPolicy {
        let text = format!("{}, rule {number}", binding(policy, bound));
        return (text, place(policy, bound.source).to_string());
    }
    let named = granted_to(policy, grant).map(|named| subject(policy, named).to_string());
    let named = named.unwrap_or_default();
    (
        format!("{} of {} to {named}, rule {number}", binding(policy, bound), role_ref(policy, bound)),
        place(policy, bound.source).to_string(),
    )
}

/// A binding that grants nothing here because the inputs lack its role or the roles that it aggregates.
pub fn not_in_inputs(graph: &RbacGraph, applied: &Applied<'_>) -> String {
    let policy = graph.policy();
    if applied.is_contested {
        return contested(policy, applied);
    }
    let grants = missing_role(policy, applied);
    if applied.role.is_some() && graph.rules_granted(applied).is_empty() {
        return format!("{grants}, which aggregates other ClusterRoles, but none in the inputs adds a rule");
    }
    if applied.role.is_some() && graph.collects_from_add_ons(applied) {
        return format!("{grants}, which add-ons extend by ClusterRoles that the inputs may lack");
    }
    if applied.role.is_some() {
        return format!(
            "{grants}, which aggregates other ClusterRoles, and the inputs may lack some of them"
        );
    }
    format!("{grants}, which is not in the inputs")
}

/// A binding that the inputs define with several roleRefs.
pub fn contested(policy: &Policy, applied: &Applied<'_>) -> String {
    let binding = self::binding(policy, applied.binding);
    let own = role_ref(policy, applied.binding);
    let Some((other, source)) = policy.contested_with(applied.binding) else {
        return missing_role(policy, applied);
    };
    format!(
        "{binding} grants {own} here and {} `{}` at {}; a roleRef cannot be changed, so only the one that was applied first counts",
        other.kind.as_str(),
        policy.names.text(other.name),
        place(policy, source)
    )
}

/// A binding whose role is missing, in one line.
pub fn missing_role(policy: &Policy, applied: &Applied<'_>) -> String {
    format!("{} grants {}", binding(policy, applied.binding), role_ref(policy, applied.binding))
}

/// The groups of a user that a mapping or a token gives it, `system:authenticated` aside, which everybody has.
pub fn own_groups(user: &UserInfo) -> String {
    let own = user.groups.iter().filter(|group| *group != SYSTEM_AUTHENTICATED);
    own.map(|group| format!("`{group}`")).collect::<Vec<_>>().join(", ")
}
