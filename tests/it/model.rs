//! The reference model: RBAC as plain loops over decoded objects, no index, no interning, nothing shared with the
//! library. Slow and, it is hoped, obvious. It takes the objects to be valid.

use std::collections::{BTreeMap, BTreeSet};

use rbacsim::model::user::UserInfo;
use serde_json::Value;

use crate::ask::Request;

/// Objects by kind, namespace and name; the last of equal ones counts.
pub(crate) struct Model {
    objects: BTreeMap<(String, String, String), Value>,
}

/// What the model says: whether a request is allowed, and else which roles were missing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    pub(crate) missing: BTreeSet<String>,
    /// Whether a role that applies aggregates others, which the inputs need not hold.
    pub(crate) aggregates: bool,
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or("")
}

fn items<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn texts<'v>(value: &'v Value, field: &str) -> Vec<&'v str> {
    items(value, field).iter().filter_map(Value::as_str).collect()
}

impl Model {
    /// Takes YAML streams in order.
    pub(crate) fn read(streams: &[&str]) -> Self {
        use serde::Deserialize;
        let documents = streams.iter().flat_map(|stream| serde_yaml::Deserializer::from_str(stream));
        Self::of(
            documents.map(|document| Value::deserialize(document).unwrap()).filter(|value| !value.is_null()),
        )
    }

    pub(crate) fn of(values: impl Iterator<Item = Value>) -> Self {
        let mut objects = BTreeMap::new();
        for value in values {
            let kind = text(&value, "kind").to_owned();
            let namespace = match (kind.as_str(), text(&value["metadata"], "namespace")) {
                ("ClusterRole" | "ClusterRoleBinding", _) => "",
                (_, "") => "default",
                (_, namespace) => namespace,
            };
            let key = (kind.clone(), namespace.to_owned(), text(&value["metadata"], "name").to_owned());
            objects.insert(key, value);
        }
        let mut model = Self { objects };
        while model.aggregate_once() {}
        model
    }

    /// One run of the aggregation controller over all ClusterRoles; whether any changed.
    fn aggregate_once(&mut self) -> bool {
        let keys: Vec<_> = self.objects.keys().filter(|key| key.0 == "ClusterRole").cloned().collect();
        let mut changed = false;
        for key in &keys {
            let role = &self.objects[key];
            let mut rules: Vec<Value> = Vec::new();
            for selector in items(&role["aggregationRule"], "clusterRoleSelectors") {
                for other in keys.iter().filter(|other| *other != key) {
                    let other = &self.objects[other];
                    if selects(selector, &other["metadata"]["labels"]) {
                        for rule in items(other, "rules") {
                            if !rules.iter().any(|known| same_rule(known, rule)) {
                                rules.push(rule.clone());
                            }
                        }
                    }
                }
            }
            let before = items(role, "rules");
            let same = before.len() == rules.len() && before.iter().zip(&rules).all(|(a, b)| same_rule(a, b));
            if !rules.is_empty() && !same {
                self.objects.get_mut(key).unwrap()["rules"] = Value::Array(rules);
                changed = true;
            }
        }
        changed
    }

    pub(crate) fn decide(&self, user: &UserInfo, request: &Request) -> Verdict {
        let mut missing = BTreeSet::new();
        let mut aggregates = false;
        let mut allowed = user.groups.iter().any(|group| group == "system:masters");
        for ((kind, namespace, _), binding) in &self.objects {
            let counts = kind == "ClusterRoleBinding"
                || (kind == "RoleBinding"
                    && !request.namespace.is_empty()
                    && *namespace == request.namespace);
            let named = items(binding, "subjects").iter().any(|subject| applies_to(subject, namespace, user));
            if !counts || !named {
                continue;
            }
            let (role_kind, role) = (text(&binding["roleRef"], "kind"), text(&binding["roleRef"], "name"));
            let place = if role_kind == "Role" { namespace.as_str() } else { "" };
            match self.objects.get(&(role_kind.to_owned(), place.to_owned(), role.to_owned())) {
                Some(role) => {
                    allowed |= items(role, "rules").iter().any(|rule| rule_allows(rule, request));
                    aggregates |= role["aggregationRule"].is_object();
                }
                None => {
                    missing.insert(format!(
                        "{}.rbac.authorization.k8s.io \"{role}\" not found",
                        role_kind.to_lowercase()
                    ));
                }
            }
        }
        Verdict { allowed, missing: if allowed { BTreeSet::new() } else { missing }, aggregates }
    }
}

fn same_rule(a: &Value, b: &Value) -> bool {
    ["verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"]
        .iter()
        .all(|field| texts(a, field) == texts(b, field))
}

fn selects(selector: &Value, labels: &Value) -> bool {
    let labelled = selector["matchLabels"].as_object().into_iter().flatten();
    labelled.into_iter().all(|(key, value)| labels[key] == *value)
        && items(selector, "matchExpressions").iter().all(|expression| {
            let value = labels[text(expression, "key")].as_str();
            let listed = value.is_some_and(|value| texts(expression, "values").contains(&value));
            match text(expression, "operator") {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}

fn applies_to(subject: &Value, binding_namespace: &str, user: &UserInfo) -> bool {
    let name = text(subject, "name");
    match text(subject, "kind") {
        "User" => user.username == name,
        "Group" => user.groups.iter().any(|group| group == name),
        "ServiceAccount" => {
            let own = text(subject, "namespace");
            let namespace = if own.is_empty() { binding_namespace } else { own };
            user.username == format!("system:serviceaccount:{namespace}:{name}")
        }
        _ => false,
    }
}

pub(crate) fn rule_allows(rule: &Value, request: &Request) -> bool {
    let has =
        |field: &str, wanted: &str| texts(rule, field).into_iter().any(|own| own == "*" || own == wanted);
    if !has("verbs", &request.verb) {
        return false;
    }
    if let Some(path) = &request.path {
        return texts(rule, "nonResourceURLs").into_iter().any(|own| {
            own == "*" || own == path || (own.ends_with('*') && path.starts_with(own.trim_end_matches('*')))
        });
    }
    let sub = &request.subresource;
    let combined =
        if sub.is_empty() { request.resource.clone() } else { format!("{}/{sub}", request.resource) };
    let any_with = format!("*/{sub}");
    let resource = texts(rule, "resources")
        .into_iter()
        .any(|own| own == "*" || own == combined || (!sub.is_empty() && own == any_with));
    let names = texts(rule, "resourceNames");
    has("apiGroups", &request.group)
        && resource
        && (names.is_empty() || names.contains(&request.name.as_str()))
}
