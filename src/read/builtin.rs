//! The default roles and bindings of Kubernetes, added to a policy as if a file held them.

use crate::knowledge::defaults;
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{
    Binding, Operator, PlacedRule, PlacedSubject, PolicyRule, Requirement, Role, RoleKind, RoleRef, Scope,
    Selector, Subject,
};
use crate::model::source::Source;
use crate::model::version::KubernetesVersion;

/// Adds every default object of whose name the policy has none. Gives how many were added.
pub(super) fn add(policy: &mut Policy, version: KubernetesVersion) -> usize {
    let file = policy.sources.add_file(&format!("built in (Kubernetes {})", defaults::DATA_VERSION));
    policy.builtin = Some(file);
    let source = Source { file, ..Source::default() };
    let scope_of = |policy: &mut Policy, namespace: Option<&str>| match namespace {
        None => Scope::Cluster,
        Some(namespace) => Scope::Namespace(policy.names.intern(namespace)),
    };
    let mut added = 0;
    let known: rustc_hash::FxHashSet<(Scope, Name)> =
        policy.roles.iter().map(|role| (role.scope, role.name)).collect();
    for role in defaults::roles(version) {
        let scope = scope_of(policy, role.namespace);
        let name = policy.names.intern(role.name);
        if known.contains(&(scope, name)) {
            continue;
        }
        let names = &mut policy.names;
        let mut placed = Vec::with_capacity(role.rules.len());
        for rule in &role.rules {
            let mut intern =
                |list: &[&str]| list.iter().map(|text| names.intern(text)).collect::<Vec<Name>>();
            let (verbs, api_groups, resources) =
                (intern(&rule.verbs), intern(&rule.api_groups), intern(&rule.resources));
            let (resource_names, urls) = (intern(&rule.resource_names), intern(&rule.non_resource_urls));
            let rule = PolicyRule {
                verbs: &verbs,
                api_groups: &api_groups,
                resources: &resources,
                resource_names: &resource_names,
                non_resource_urls: &urls,
            };
            placed.push(PlacedRule { rule: policy.rules.intern(&rule), line: 0 });
        }
        let labels =
            role.labels.iter().map(|(key, value)| (names.intern(key), names.intern(value))).collect();
        let selector = |names: &mut crate::model::names::Names, labels: &[(&str, &str)]| -> Selector {
            let requirement = |(key, value): &(&str, &str)| Requirement {
                key: names.intern(key),
                operator: Operator::In,
                values: Box::new([names.intern(value)]),
            };
            labels.iter().map(requirement).collect()
        };
        let selectors: Vec<Selector> =
            role.aggregation.iter().map(|labels| selector(names, labels)).collect();
        let aggregation = (!selectors.is_empty()).then(|| selectors.into_boxed_slice());
        let rules = policy.add_rules(&placed);
        policy.roles.push(Role { scope, name, rules, source, labels, aggregation });
        added += 1;
    }
    let known: rustc_hash::FxHashSet<(Scope, Name)> =
        policy.bindings.iter().map(|binding| (binding.scope, binding.name)).collect();
    for binding in defaults::bindings(version) {
        let scope = scope_of(policy, binding.namespace);
        let name = policy.names.intern(binding.name);
        if known.contains(&(scope, name)) {
            continue;
        }
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
        added += 1;
    }
    added
}
