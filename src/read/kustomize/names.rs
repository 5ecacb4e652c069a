//! Namespaces, prefixes and suffixes, and the references that follow them.

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::item::Item;
use super::value::text;

fn is_in_cluster(kind: &str) -> bool {
    matches!(kind, "ClusterRole" | "ClusterRoleBinding")
}

fn is_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}

/// Puts objects into a namespace; of the subjects of bindings only the service account `default` goes along, the
/// others follow their own objects.
pub(super) fn set_namespace(items: &mut [Item], namespace: &str, only_unset: bool) {
    for item in items {
        let kind = item.kind().to_owned();
        if !is_in_cluster(&kind) && (!only_unset || item.namespace().is_empty()) {
            item.set("namespace", namespace.to_owned());
        }
        if is_binding(&kind) {
            for subject in subjects(&mut item.value) {
                let is_default =
                    text(subject, "kind") == "ServiceAccount" && text(subject, "name") == "default";
                let is_set = !text(subject, "namespace").is_empty();
                if is_default
                    && !(only_unset && is_set)
                    && let Some(own) = subject.as_object_mut()
                {
                    own.insert("namespace".to_owned(), namespace.into());
                }
            }
        }
        item.remember();
    }
}

fn subjects(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten()
}

/// Adds a prefix and a suffix to the names of objects.
pub(super) fn add(items: &mut [Item], prefix: &str, suffix: &str) {
    if prefix.is_empty() && suffix.is_empty() {
        return;
    }
    for item in items {
        let name = format!("{prefix}{}{suffix}", item.name());
        item.set("name", name);
        item.remember();
    }
}

/// What bindings name: roles and service accounts, by their kind and every name that they had or have.
struct Named {
    items: Vec<Item>,
    by_name: FxHashMap<(String, String), Vec<usize>>,
}

impl Named {
    fn of(items: &[Item]) -> Self {
        let is_named = |item: &&Item| matches!(item.kind(), "Role" | "ClusterRole" | "ServiceAccount");
        let items: Vec<Item> = items.iter().filter(is_named).cloned().collect();
        let mut by_name: FxHashMap<(String, String), Vec<usize>> = FxHashMap::default();
        for (item, number) in items.iter().zip(0..) {
            for (_, known) in &item.known_as {
                let numbers = by_name.entry((item.kind().to_owned(), known.clone())).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
        }
        Self { items, by_name }
    }

    /// Those of a kind that have a name, or had it.
    fn known(&self, kind: &str, name: &str) -> impl Iterator<Item = &Item> {
        let numbers = self.by_name.get(&(kind.to_owned(), name.to_owned()));
        numbers.into_iter().flatten().filter_map(|number| self.items.get(*number))
    }
}

/// Changes the names of roles and service accounts in bindings to those that they have now.
pub(super) fn follow(items: &mut Vec<Item>) {
    let all = Named::of(items);
    let mut more = Vec::new();
    for item in items.iter_mut().filter(|item| is_binding(item.kind())) {
        follow_role(item, &all, &mut more);
        let own_namespace = item.namespace().to_owned();
        for subject in subjects(&mut item.value) {
            if text(subject, "kind") != "ServiceAccount" {
                continue;
            }
            let (name, namespace) = (text(subject, "name").to_owned(), text(subject, "namespace").to_owned());
            let is_meant = |account: &&Item| {
                account.known_as.iter().any(|(space, known)| {
                    *known == name && (namespace.is_empty() || *space == namespace || space.is_empty())
                })
            };
            let mut candidates = all.known("ServiceAccount", &name).filter(is_meant);
            let first = candidates.next();
            let same = candidates.find(|account| account.namespace() == own_namespace);
            let Some(account) = first.filter(|first| first.namespace() == own_namespace).or(same).or(first)
            else {
                continue;
            };
            if let Some(own) = subject.as_object_mut() {
                own.insert("name".to_owned(), account.name().into());
                let space = account.namespace();
                if !space.is_empty() {
                    own.insert("namespace".to_owned(), space.into());
                }
            }
        }
    }
    items.append(&mut more);
}

/// Changes the roleRef of a binding; where it may be one of several, there is a binding for each.
fn follow_role(item: &mut Item, all: &Named, more: &mut Vec<Item>) {
    let Some(role_ref) = item.value.get("roleRef") else { return };
    let (kind, name) = (text(role_ref, "kind").to_owned(), text(role_ref, "name").to_owned());
    let namespace = item.namespace().to_owned();
    let mut names: Vec<String> = all
        .known(&kind, &name)
        .filter(|role| kind != "Role" || role.namespace() == namespace)
        .map(|role| role.name().to_owned())
        .collect();
    names.sort();
    names.dedup();
    let with = |item: &mut Item, name: &str| {
        if let Some(own) = item.value.get_mut("roleRef").and_then(Value::as_object_mut) {
            own.insert("name".to_owned(), name.into());
        }
    };
    let mut names = names.into_iter();
    let Some(first) = names.next() else { return };
    for name in names {
        let mut other = item.clone();
        with(&mut other, &name);
        more.push(other);
    }
    with(item, &first);
}
