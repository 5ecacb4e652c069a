//! The default roles and bindings of Kubernetes and those of EKS, added to a policy as if a file held them.

use rustc_hash::FxHashSet;

use crate::knowledge::defaults::{self, DefaultBinding, DefaultRole};
use crate::model::names::{Name, Names};
use crate::model::policy::Policy;
use crate::model::rbac::{
    Binding, Operator, PlacedRule, PlacedSubject, PolicyRule, Requirement, Role, RoleKind, RoleRef, Scope,
    Selector, Subject,
};
use crate::model::source::Source;
use crate::model::version::{KubernetesVersion, Platform};

/// About how many names and rules are added: fewer than that is no harm.
const NAMES: usize = 800;
const RULES: usize = 400;

/// Adds every default object of whose name the policy has none. Gives how many were added: those of Kubernetes, and
/// those of EKS.
pub(super) fn add(policy: &mut Policy, version: KubernetesVersion, platform: Platform) -> (usize, usize) {
    policy.names.reserve(NAMES);
    policy.rules.reserve(RULES);
    let file = policy.sources.add_file("built in (Kubernetes)");
    policy.builtin = Some(file);
    let source = Source { file, ..Source::default() };
    let roles = defaults::roles(version, platform);
    let of_kubernetes = add_objects(policy, source, roles, defaults::bindings(version));
    if platform == Platform::Kubernetes {
        return (of_kubernetes, 0);
    }
    let file = policy.sources.add_file("built in (EKS)");
    policy.builtin_of_eks = Some(file);
    let source = Source { file, ..Source::default() };
    let of_eks = add_objects(policy, source, defaults::eks_roles(version), defaults::eks_bindings(version));
    (of_kubernetes, of_eks)
}

fn add_objects(
    policy: &mut Policy,
    source: Source,
    roles: impl Iterator<Item = DefaultRole>,
    bindings: impl Iterator<Item = DefaultBinding>,
) -> usize {
    let mut added = 0;
    let known: FxHashSet<(Scope, Name)> = policy.roles.iter().map(|role| (role.scope, role.name)).collect();
    for role in roles {
        let key = (scope_of(policy, role.namespace), policy.names.intern(role.name));
        if !known.contains(&key) {
            add_role(policy, source, &role);
            added += 1;
        }
    }
    let known: FxHashSet<(Scope, Name)> =
        policy.bindings.iter().map(|binding| (binding.scope, binding.name)).collect();
    for binding in bindings {
        let key = (scope_of(policy, binding.namespace), policy.names.intern(binding.name));
        if !known.contains(&key) {
            add_binding(policy, source, &binding);
            added += 1;
        }
    }
    added
}

fn scope_of(policy: &mut Policy, namespace: Option<&str>) -> Scope {
    match namespace {
        None => Scope::Cluster,
        Some(namespace) => Scope::Namespace(policy.names.intern(namespace)),
    }
}

/// Adds a role that stands at a place.
pub(crate) fn add_role(policy: &mut Policy, source: Source, role: &DefaultRole) {
    let scope = scope_of(policy, role.namespace);
    let name = policy.names.intern(role.name);
    let names = &mut policy.names;
    let mut placed = Vec::with_capacity(role.rules.len());
    let mut lists: [Vec<Name>; 5] = Default::default();
    for rule in &role.rules {
        let words =
            [rule.verbs, rule.api_groups, rule.resources, rule.resource_names, rule.non_resource_urls];
        for (list, words) in lists.iter_mut().zip(words) {
            list.clear();
            list.extend(words.iter().map(|text| names.intern(text)));
        }
        let [verbs, api_groups, resources, resource_names, non_resource_urls] = &lists;
        let rule = PolicyRule { verbs, api_groups, resources, resource_names, non_resource_urls };
        placed.push(PlacedRule { rule: policy.rules.intern(&rule), line: 0 });
    }
    let labels = role.labels.iter().map(|(key, value)| (names.intern(key), names.intern(value))).collect();
    let selector = |names: &mut Names, labels: &[(&str, &str)]| -> Selector {
        let requirement = |(key, value): &(&str, &str)| Requirement {
            key: names.intern(key),
            operator: Operator::In,
            values: Box::new([names.intern(value)]),
        };
        labels.iter().map(requirement).collect()
    };
    let selectors: Vec<Selector> = role.aggregation.iter().map(|labels| selector(names, labels)).collect();
    let aggregation = (!selectors.is_empty()).then(|| selectors.into_boxed_slice());
    let rules = policy.add_rules(&placed);
    policy.roles.push(Role { scope, name, rules, source, labels, aggregation });
}

/// Adds a binding that stands at a place.
pub(crate) fn add_binding(policy: &mut Policy, source: Source, binding: &DefaultBinding) {
    let scope = scope_of(policy, binding.namespace);
    let name = policy.names.intern(binding.name);
    let mut placed = Vec::with_capacity(binding.subjects.len());
    for subject in &binding.subjects {
        let name = policy.names.intern(subject.name);
        let subject = match subject.kind {
            "User" => Subject::User(name),
            "Group" => Subject::Group(name),
            _ => Subject::ServiceAccount {
                namespace: policy.names.intern(subject.namespace.unwrap_or_default()),
                name,
            },
        };
        placed.push(PlacedSubject { subject, line: 0 });
    }
    let kind = if binding.role_kind == "Role" { RoleKind::Role } else { RoleKind::ClusterRole };
    let role_ref = RoleRef { kind, name: policy.names.intern(binding.role_name) };
    let subjects = policy.add_subjects(&placed);
    policy.bindings.push(Binding { scope, name, role_ref, subjects, source, role_ref_line: 0 });
}
