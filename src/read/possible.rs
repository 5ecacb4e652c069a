//! Objects as they may be once kustomize or an operator has made of them what is applied.

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value, json};

use crate::document::Tree;
use crate::model::names::Name;
use crate::model::policy::{Policy, SourceForm};
use crate::model::rbac::{PlacedRule, PlacedSubject, RoleRef, Scope};
use crate::model::source::Source;

use super::kustomize::{Originals, Variant, Why};
use super::rbac::{self, RbacKind, Scratch};
use super::settings::Settings;

/// The policy with all that objects in source form may be; the certain one loses what any of them may replace.
pub(super) fn of(
    certain: &mut Policy,
    variants: &[Variant],
    reasons: &[Why],
    settings: Option<&Settings>,
) -> Policy {
    let mut policy = certain.clone();
    let form = |why: &Why| SourceForm { source: why.source, sentence: why.sentence.clone() };
    policy.forms = reasons.iter().map(form).collect();
    let mut scratch = Scratch::default();
    let mut originals = Originals::new(&certain.sources, settings);
    for variant in variants {
        add(&mut policy, &mut scratch, variant, &mut originals);
    }
    let roles: FxHashSet<(Scope, Name)> = policy
        .roles
        .iter()
        .filter(|role| policy.in_form.contains_key(&role.source))
        .map(|role| (role.scope, role.name))
        .collect();
    let bindings: FxHashSet<(Scope, Name)> = policy
        .bindings
        .iter()
        .filter(|binding| policy.in_form.contains_key(&binding.source))
        .map(|binding| (binding.scope, binding.name))
        .collect();
    certain.roles.retain(|role| !roles.contains(&(role.scope, role.name)));
    certain.bindings.retain(|binding| !bindings.contains(&(binding.scope, binding.name)));
    unite_roles(&mut policy);
    unite_bindings(&mut policy);
    policy
}

fn add(policy: &mut Policy, scratch: &mut Scratch, variant: &Variant, originals: &mut Originals<'_>) {
    let mut value = variant.value.clone();
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some(kind) = RbacKind::of(kind) else { return };
    if variant.is_loose
        && let Some(own) = value.as_object_mut()
        && matches!(kind, RbacKind::Role | RbacKind::ClusterRole)
    {
        let mut all = vec![json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})];
        if kind == RbacKind::ClusterRole {
            all.push(json!({"nonResourceURLs": ["*"], "verbs": ["*"]}));
        }
        own.insert("rules".to_owned(), all.into());
    }
    let text = value.to_string();
    let mut tree = Tree::default();
    if !originals.read(&text, &mut tree, variant.source) {
        return;
    }
    let Some(root) = tree.root() else { return };
    // What the API server would refuse grants nothing in this form.
    if rbac::add(policy, scratch, kind, root, variant.source, &|line| line).is_ok() {
        let form = u32::try_from(variant.form).unwrap_or(u32::MAX);
        policy.in_form.entry(variant.source).or_insert(form);
    }
}

/// Roles of one name are one, with the rules of all. Where labels differ there is one more for each, which no binding
/// can name: other roles may select it.
fn unite_roles(policy: &mut Policy) {
    let mut by_key: FxHashMap<(Scope, Name), Vec<usize>> = FxHashMap::default();
    for (role, index) in policy.roles.iter().zip(0..) {
        by_key.entry((role.scope, role.name)).or_default().push(index);
    }
    let mut several: Vec<Vec<usize>> = by_key.into_values().filter(|same| same.len() > 1).collect();
    several.sort_unstable();
    let mut gone: FxHashSet<usize> = FxHashSet::default();
    for same in several {
        let roles: Vec<_> = same.iter().filter_map(|index| policy.roles.get(*index).cloned()).collect();
        let mut rules: Vec<PlacedRule> = Vec::new();
        for role in &roles {
            for placed in policy.rules_of(role).to_vec() {
                if !rules.iter().any(|known| known.rule == placed.rule) {
                    rules.push(placed);
                }
            }
        }
        let Some(mut united) =
            roles.iter().find(|role| policy.in_form.contains_key(&role.source)).or(roles.first()).cloned()
        else {
            continue;
        };
        united.rules = policy.add_rules(&rules);
        let selectors: Vec<_> = roles
            .iter()
            .filter_map(|role| role.aggregation.as_ref())
            .flat_map(|all| all.iter().cloned())
            .collect();
        united.aggregation = roles.iter().any(|role| role.aggregation.is_some()).then(|| selectors.into());
        let mut labels: Vec<_> =
            roles.iter().map(|role| role.labels.clone()).filter(|labels| *labels != united.labels).collect();
        labels.sort();
        labels.dedup();
        for (labels, number) in labels.into_iter().zip(2..) {
            let name = format!("{} (form {number})", policy.names.text(united.name));
            let name = policy.names.intern(&name);
            policy.roles.push(crate::model::rbac::Role { name, labels, aggregation: None, ..united.clone() });
        }
        gone.extend(&same);
        policy.roles.push(united);
    }
    let mut index = 0;
    policy.roles.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

/// Bindings of one name and role are one, with the subjects of all.
fn unite_bindings(policy: &mut Policy) {
    let mut by_key: FxHashMap<(Scope, Name, RoleRef), Vec<usize>> = FxHashMap::default();
    for (binding, index) in policy.bindings.iter().zip(0..) {
        by_key.entry((binding.scope, binding.name, binding.role_ref)).or_default().push(index);
    }
    let mut several: Vec<Vec<usize>> = by_key.into_values().filter(|same| same.len() > 1).collect();
    several.sort_unstable();
    let mut gone: FxHashSet<usize> = FxHashSet::default();
    for same in several {
        let bindings: Vec<_> = same.iter().filter_map(|index| policy.bindings.get(*index).cloned()).collect();
        let is_open = |source: Source| policy.in_form.contains_key(&source);
        if !bindings.iter().any(|binding| is_open(binding.source)) {
            continue;
        }
        let Some(mut united) = bindings.iter().find(|binding| is_open(binding.source)).cloned() else {
            continue;
        };
        let mut subjects: Vec<PlacedSubject> = Vec::new();
        for binding in &bindings {
            for placed in policy.subjects_of(binding) {
                if !subjects.iter().any(|known| known.subject == placed.subject) {
                    subjects.push(*placed);
                }
            }
        }
        united.subjects = policy.add_subjects(&subjects);
        gone.extend(&same);
        policy.bindings.push(united);
    }
    let mut index = 0;
    policy.bindings.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}
