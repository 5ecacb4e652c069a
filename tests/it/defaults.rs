//! The embedded default roles and bindings: what everybody relies on, and every word of upstream's files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its data has failed"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rbacsim::knowledge::defaults::{
    BOOTSTRAPPING, DefaultBinding, DefaultRole, DefaultRule, NODE_ROLE, bindings, roles,
};
use rbacsim::model::version::KubernetesVersion;
use serde_json::{Value, json};

fn all_roles() -> Vec<DefaultRole> {
    roles(KubernetesVersion::NEWEST).collect()
}

fn all_bindings() -> Vec<DefaultBinding> {
    bindings(KubernetesVersion::NEWEST).collect()
}

#[track_caller]
fn cluster_role(name: &str) -> DefaultRole {
    all_roles().into_iter().find(|role| role.namespace.is_none() && role.name == name).unwrap()
}

/// The rules of each `ClusterRole` after aggregation, in a simple way: over and over until nothing changes.
fn aggregated() -> BTreeMap<&'static str, Vec<DefaultRule>> {
    let cluster_roles: Vec<_> = all_roles().into_iter().filter(|role| role.namespace.is_none()).collect();
    let mut rules: BTreeMap<_, _> =
        cluster_roles.iter().map(|role| (role.name, role.rules.clone())).collect();
    loop {
        let before = rules.clone();
        for role in cluster_roles.iter().filter(|role| !role.aggregation.is_empty()) {
            let mut together: Vec<DefaultRule> = Vec::new();
            for selector in &role.aggregation {
                let selected = |name: &str| {
                    let other = cluster_roles.iter().find(|other| other.name == name).unwrap();
                    name != role.name && selector.iter().all(|label| other.labels.contains(label))
                };
                for rule in rules.iter().filter(|(name, _)| selected(name)).flat_map(|(_, rules)| rules) {
                    if !together.contains(rule) {
                        together.push(rule.clone());
                    }
                }
            }
            rules.insert(role.name, together);
        }
        if rules == before {
            return rules;
        }
    }
}

fn allows(rules: &[DefaultRule], verb: &str, group: &str, resource: &str) -> bool {
    let has = |list: &[&str], word: &str| list.contains(&word) || list.contains(&"*");
    rules
        .iter()
        .any(|rule| has(&rule.verbs, verb) && has(&rule.api_groups, group) && has(&rule.resources, resource))
}

#[test]
fn counts() {
    let (roles, bindings) = (all_roles(), all_bindings());
    assert_eq!(roles.iter().filter(|role| role.namespace.is_none()).count(), 70);
    assert_eq!(roles.iter().filter(|role| role.namespace.is_some()).count(), 7);
    assert_eq!(roles.iter().map(|role| role.rules.len()).sum::<usize>(), 326);
    assert_eq!(bindings.iter().filter(|binding| binding.namespace.is_none()).count(), 51);
    assert_eq!(bindings.iter().filter(|binding| binding.namespace.is_some()).count(), 7);
}

#[test]
fn every_version_has_them() {
    for minor in 33..=37 {
        let version = KubernetesVersion::from_minor(minor).unwrap();
        assert_eq!(roles(version).count(), 77, "{version}");
        assert_eq!(bindings(version).count(), 58, "{version}");
    }
}

#[test]
fn every_role_is_labelled() {
    for role in all_roles() {
        assert_eq!(role.labels[0], BOOTSTRAPPING, "{}", role.name);
    }
    let aggregate = |to| (to, "true");
    assert_eq!(
        cluster_role("edit").labels,
        [BOOTSTRAPPING, aggregate("rbac.authorization.k8s.io/aggregate-to-admin")]
    );
    assert_eq!(
        cluster_role("edit").aggregation,
        [[aggregate("rbac.authorization.k8s.io/aggregate-to-edit")]]
    );
}

#[test]
fn cluster_admin_may_do_everything() {
    let star = || vec!["*"];
    let everything =
        DefaultRule { verbs: star(), api_groups: star(), resources: star(), ..DefaultRule::default() };
    let urls = DefaultRule { verbs: star(), non_resource_urls: star(), ..DefaultRule::default() };
    assert_eq!(cluster_role("cluster-admin").rules, [everything, urls]);
    let binding = all_bindings().into_iter().find(|binding| binding.name == "cluster-admin").unwrap();
    assert_eq!((binding.role_kind, binding.role_name), ("ClusterRole", "cluster-admin"));
    let subjects: Vec<_> = binding.subjects.iter().map(|subject| (subject.kind, subject.name)).collect();
    assert_eq!(subjects, [("Group", "system:masters")]);
}

#[test]
fn aggregated_roles_come_without_rules() {
    let without: Vec<_> = all_roles().into_iter().filter(|role| role.rules.is_empty()).collect();
    assert_eq!(without.iter().map(|role| role.name).collect::<Vec<_>>(), ["admin", "edit", "view"]);
    assert!(without.iter().all(|role| role.aggregation.len() == 1));
    let rules = aggregated();
    assert_eq!((rules["admin"].len(), rules["edit"].len(), rules["view"].len()), (29, 27, 12));
}

#[test]
fn view_edit_and_admin_differ_where_it_matters() {
    let rules = aggregated();
    let (view, edit, admin) = (&rules["view"], &rules["edit"], &rules["admin"]);
    assert!(allows(view, "list", "", "pods") && !allows(view, "list", "", "secrets"));
    assert!(allows(view, "get", "", "pods/log") && !allows(view, "get", "", "pods/exec"));
    assert!(allows(edit, "get", "", "secrets") && allows(edit, "create", "", "pods/exec"));
    assert!(allows(edit, "impersonate", "", "serviceaccounts"));
    assert!(!allows(edit, "create", "rbac.authorization.k8s.io", "rolebindings"));
    assert!(allows(admin, "create", "rbac.authorization.k8s.io", "rolebindings"));
    assert!(!allows(admin, "escalate", "rbac.authorization.k8s.io", "roles"));
    assert!(!allows(admin, "bind", "rbac.authorization.k8s.io", "roles"));
    // The core group is empty text and stands beside others.
    let events = &cluster_role("system:kube-scheduler").rules[0];
    assert_eq!(events.api_groups, ["", "events.k8s.io"]);
}

#[test]
fn node_role_is_bound_to_nobody() {
    let nobody: Vec<_> = all_bindings().into_iter().filter(|binding| binding.subjects.is_empty()).collect();
    assert_eq!(nobody.len(), 1);
    assert_eq!((nobody[0].name, nobody[0].role_name), (NODE_ROLE, NODE_ROLE));
    assert!(!cluster_role(NODE_ROLE).rules.is_empty());
}

#[test]
fn every_binding_names_a_default_role() {
    let roles = all_roles();
    for binding in all_bindings() {
        let namespace = if binding.role_kind == "Role" { binding.namespace } else { None };
        let there = roles.iter().any(|role| role.name == binding.role_name && role.namespace == namespace);
        assert!(there, "{}", binding.name);
    }
}

// Against upstream's own files and what a live API server held.

fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/kubernetes-defaults-v1.36.2");
    if path.exists() {
        return Some(path);
    }
    skipped(&path);
    None
}

#[expect(clippy::print_stderr, reason = "says in the test's output what was not compared")]
fn skipped(path: &Path) {
    eprintln!("skipped: no {}", path.display());
}

fn items(folder: &Path, names: &[&str]) -> Vec<Value> {
    let mut items = Vec::new();
    for name in names {
        let list: Value = serde_yaml::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        items.extend(list["items"].as_array().unwrap().iter().cloned());
    }
    items
}

fn object(kind: &str, namespace: Option<&str>, name: &str, labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    let annotations = json!({ "rbac.authorization.kubernetes.io/autoupdate": "true" });
    let mut metadata = json!({ "name": name, "labels": labels, "annotations": annotations });
    if let Some(namespace) = namespace {
        metadata["namespace"] = namespace.into();
    }
    json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata })
}

fn rules_json(rules: &[DefaultRule]) -> Value {
    let rule = |rule: &DefaultRule| {
        let fields = [
            ("verbs", &rule.verbs),
            ("apiGroups", &rule.api_groups),
            ("resources", &rule.resources),
            ("resourceNames", &rule.resource_names),
            ("nonResourceURLs", &rule.non_resource_urls),
        ];
        fields
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(key, list)| (key, json!(list)))
            .collect::<Value>()
    };
    rules.iter().map(rule).collect()
}

fn role_json(role: &DefaultRole, rules: &[DefaultRule]) -> Value {
    let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
    let mut value = object(kind, role.namespace, role.name, &role.labels);
    value["rules"] = rules_json(rules);
    if !role.aggregation.is_empty() {
        let selector =
            |labels: &Vec<_>| json!({ "matchLabels": labels.iter().copied().collect::<BTreeMap<_, _>>() });
        value["aggregationRule"] =
            json!({ "clusterRoleSelectors": role.aggregation.iter().map(selector).collect::<Vec<_>>() });
    }
    value
}

fn binding_json(binding: &DefaultBinding) -> Value {
    let kind = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    let mut value = object(kind, binding.namespace, binding.name, &[BOOTSTRAPPING]);
    let rbac = "rbac.authorization.k8s.io";
    value["roleRef"] = json!({ "apiGroup": rbac, "kind": binding.role_kind, "name": binding.role_name });
    let subjects = binding.subjects.iter().map(|subject| match subject.namespace {
        Some(namespace) => json!({ "kind": subject.kind, "namespace": namespace, "name": subject.name }),
        None => json!({ "apiGroup": rbac, "kind": subject.kind, "name": subject.name }),
    });
    if !binding.subjects.is_empty() {
        value["subjects"] = subjects.collect();
    }
    value
}

#[test]
fn same_roles_as_upstreams_files() {
    let Some(folder) = shared() else { return };
    let upstream = items(&folder, &["cluster-roles.yaml", "controller-roles.yaml", "namespace-roles.yaml"]);
    let ours = all_roles();
    assert_eq!(ours.len(), upstream.len());
    for (role, mut theirs) in ours.iter().zip(upstream) {
        if theirs["rules"].is_null() {
            theirs["rules"] = json!([]);
        }
        assert_eq!(role_json(role, &role.rules), theirs, "{}", role.name);
    }
}

#[test]
fn same_bindings_as_upstreams_files() {
    let Some(folder) = shared() else { return };
    let names =
        ["cluster-role-bindings.yaml", "controller-role-bindings.yaml", "namespace-role-bindings.yaml"];
    let upstream = items(&folder, &names);
    let ours = all_bindings();
    assert_eq!(ours.len(), upstream.len());
    for (binding, theirs) in ours.iter().zip(upstream) {
        assert_eq!(binding_json(binding), theirs, "{}", binding.name);
    }
}

#[test]
fn same_objects_as_a_live_api_server_after_aggregation() {
    let Some(folder) = shared() else { return };
    let key = |object: &Value| {
        let metadata = &object["metadata"];
        [&object["kind"], &metadata["namespace"], &metadata["name"]].map(ToString::to_string)
    };
    let live: BTreeMap<_, _> =
        items(&folder, &["all-aggregated.json"]).into_iter().map(|object| (key(&object), object)).collect();
    let together = aggregated();
    let roles = all_roles();
    let roles = roles.iter().map(|role| {
        let cluster = role.namespace.is_none().then(|| together[role.name].as_slice());
        role_json(role, cluster.unwrap_or(&role.rules))
    });
    let bindings = all_bindings();
    let ours: BTreeMap<_, _> =
        roles.chain(bindings.iter().map(binding_json)).map(|object| (key(&object), object)).collect();
    assert_eq!(ours.len(), 135);
    for (key, object) in &ours {
        assert_eq!(Some(object), live.get(key), "{key:?}");
    }
    assert_eq!(ours.len(), live.len());
}
