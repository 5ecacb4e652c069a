//! The embedded default roles and bindings: what everybody relies on, and every word of the facts of each version.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its data has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rbacsim::knowledge::defaults::{
    BOOTSTRAPPING, DefaultBinding, DefaultRole, DefaultRule, NODE_ROLE, Words, bindings, changes,
    eks_bindings, eks_roles, roles,
};
use rbacsim::model::version::{KubernetesVersion, Platform};
use serde_json::{Value, json};

fn all_roles() -> Vec<DefaultRole> {
    roles_in(KubernetesVersion::default())
}

fn all_bindings() -> Vec<DefaultBinding> {
    bindings(KubernetesVersion::default()).collect()
}

fn roles_in(version: KubernetesVersion) -> Vec<DefaultRole> {
    roles(version, Platform::Kubernetes).collect()
}

#[track_caller]
fn cluster_role(name: &str) -> DefaultRole {
    all_roles().into_iter().find(|role| role.namespace.is_none() && role.name == name).unwrap()
}

/// The rules of each `ClusterRole` after aggregation, in a simple way: over and over until nothing changes.
fn aggregated() -> BTreeMap<&'static str, Vec<DefaultRule>> {
    aggregated_of(all_roles())
}

fn aggregated_of(roles: Vec<DefaultRole>) -> BTreeMap<&'static str, Vec<DefaultRule>> {
    let cluster_roles: Vec<_> = roles.into_iter().filter(|role| role.namespace.is_none()).collect();
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
                        together.push(*rule);
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
    let has = |list: Words, word: &str| list.contains(word) || list.contains("*");
    rules
        .iter()
        .any(|rule| has(rule.verbs, verb) && has(rule.api_groups, group) && has(rule.resources, resource))
}

/// Per version: ClusterRoles, Roles, their rules, ClusterRoleBindings, RoleBindings.
const COUNTS: [(u8, [usize; 5]); 9] = [
    (29, [63, 7, 280, 44, 7]),
    (30, [64, 7, 282, 45, 7]),
    (31, [64, 7, 286, 45, 7]),
    (32, [64, 7, 283, 45, 7]),
    (33, [66, 7, 295, 47, 7]),
    (34, [68, 7, 316, 49, 7]),
    (35, [68, 7, 314, 49, 7]),
    (36, [69, 7, 322, 50, 7]),
    (37, [73, 7, 337, 54, 7]),
];

#[test]
fn every_version_has_its_own() {
    assert_eq!(KubernetesVersion::all().count(), COUNTS.len());
    for (minor, expected) in COUNTS {
        let version = KubernetesVersion::from_minor(minor).unwrap();
        let (roles, bindings) = (roles_in(version), bindings(version).collect::<Vec<_>>());
        let is_cluster = |namespace: Option<&str>| namespace.is_none();
        let counts = [
            roles.iter().filter(|role| is_cluster(role.namespace)).count(),
            roles.iter().filter(|role| !is_cluster(role.namespace)).count(),
            roles.iter().map(|role| role.rules.len()).sum(),
            bindings.iter().filter(|binding| is_cluster(binding.namespace)).count(),
            bindings.iter().filter(|binding| !is_cluster(binding.namespace)).count(),
        ];
        assert_eq!(counts, expected, "{version}");
    }
}

#[test]
fn what_a_patched_build_adds_is_not_there() {
    for version in KubernetesVersion::all() {
        for role in roles_in(version) {
            assert_ne!(role.name, "system:controller:service-ca-cert-publisher", "{version}");
            let restricted = |rule: &DefaultRule| rule.resources.contains("endpointslices/restricted");
            assert!(!role.rules.iter().any(restricted), "{version}: {}", role.name);
        }
    }
    let restricted = cluster_role("system:controller:endpoint-controller");
    assert!(allows(&restricted.rules, "create", "", "endpoints/restricted"));
}

#[test]
fn aggregated_roles_lose_nothing_from_version_to_version() {
    // So only roles that are bound themselves can have kept a rule of a former version.
    for version in KubernetesVersion::all().skip(1) {
        let before = KubernetesVersion::from_minor(version.minor() - 1).unwrap();
        let (before, after) = (aggregated_of(roles_in(before)), aggregated_of(roles_in(version)));
        for name in ["view", "edit", "admin"] {
            for rule in &before[name] {
                for (verb, group, resource) in requests(rule) {
                    assert!(
                        allows(&after[name], verb, group, resource),
                        "{version} {name}: {verb} {resource}.{group}"
                    );
                }
            }
        }
    }
}

fn requests(
    rule: &DefaultRule,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> + use<'_> {
    rule.verbs.iter().flat_map(move |verb| {
        rule.api_groups
            .iter()
            .flat_map(move |group| rule.resources.iter().map(move |resource| (verb, group, resource)))
    })
}

#[test]
fn every_rule_that_a_version_changed_is_known() {
    for version in KubernetesVersion::all() {
        let changed = |is_new: bool| {
            let changes = changes().filter(|change| change.version == version && change.is_new == is_new);
            changes.map(|change| (change.namespace, change.name, change.line)).collect::<Vec<_>>()
        };
        let before = KubernetesVersion::from_minor(version.minor() - 1);
        let rules = |version: Option<KubernetesVersion>| -> BTreeSet<_> {
            let roles = version.into_iter().flat_map(roles_in);
            roles
                .flat_map(|role| {
                    role.rules.into_iter().map(move |rule| (role.namespace, role.name, rule.line))
                })
                .collect()
        };
        let (before, after) =
            (before.map_or_else(BTreeSet::new, |before| rules(Some(before))), rules(Some(version)));
        let (new, gone) = (changed(true), changed(false));
        if version == KubernetesVersion::OLDEST {
            assert!(new.is_empty() && gone.is_empty());
            continue;
        }
        assert!(after.difference(&before).all(|rule| new.contains(rule)), "{version}");
        assert!(before.difference(&after).all(|rule| gone.contains(rule)), "{version}");
        // What only moved stands in both.
        assert!(new.iter().all(|rule| after.contains(rule) || !rule.2.starts_with(' ')), "{version}");
        assert!(gone.iter().all(|rule| before.contains(rule) || !rule.2.starts_with(' ')), "{version}");
    }
    assert!(changes().count() > 100);
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

/// The lists of a rule, each as one text.
fn words(rule: &DefaultRule) -> [String; 5] {
    let lists = [rule.verbs, rule.api_groups, rule.resources, rule.resource_names, rule.non_resource_urls];
    lists.map(|list| list.iter().collect::<Vec<_>>().join(","))
}

#[test]
fn cluster_admin_may_do_everything() {
    let rules: Vec<[String; 5]> = cluster_role("cluster-admin").rules.iter().map(words).collect();
    assert_eq!(rules, [["*", "*", "*", "", ""], ["*", "", "", "", "*"]]);
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
    assert_eq!(events.api_groups.iter().collect::<Vec<_>>(), ["", "events.k8s.io"]);
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

// Against the facts of each version, and what a live API server held.

fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
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
            ("verbs", rule.verbs),
            ("apiGroups", rule.api_groups),
            ("resources", rule.resources),
            ("resourceNames", rule.resource_names),
            ("nonResourceURLs", rule.non_resource_urls),
        ];
        fields
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(key, list)| (key, json!(list.iter().collect::<Vec<_>>())))
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

/// An object as the files of facts write it: `aggregateTo` for the labels, no other ones.
fn facts_of(folder: &Path, name: &str) -> Vec<Value> {
    let facts: Value = serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    facts["objects"].as_array().unwrap().clone()
}

/// A fact as an object of the API.
fn expected(fact: &Value, labels: &BTreeMap<String, Value>) -> Value {
    let kind = fact["kind"].as_str().unwrap();
    let mut value = object(kind, fact["namespace"].as_str(), fact["name"].as_str().unwrap(), &[]);
    value["metadata"]["labels"] = json!(labels);
    if kind.ends_with("Binding") {
        let rbac = "rbac.authorization.k8s.io";
        value["roleRef"] =
            json!({ "apiGroup": rbac, "kind": fact["roleRef"]["kind"], "name": fact["roleRef"]["name"] });
        if let Some(subjects) = fact["subjects"].as_array().filter(|subjects| !subjects.is_empty()) {
            let subject = |subject: &Value| match subject.get("namespace") {
                Some(_) => subject.clone(),
                None => json!({ "apiGroup": rbac, "kind": subject["kind"], "name": subject["name"] }),
            };
            value["subjects"] = subjects.iter().map(subject).collect();
        }
    } else {
        value["rules"] = fact.get("rules").cloned().unwrap_or_else(|| json!([]));
        if let Some(rule) = fact.get("aggregationRule") {
            value["aggregationRule"] = rule.clone();
        }
    }
    value
}

fn default_labels(fact: &Value) -> BTreeMap<String, Value> {
    let to = fact.get("aggregateTo").and_then(Value::as_array).into_iter().flatten();
    let to = to.map(|to| {
        (format!("rbac.authorization.k8s.io/aggregate-to-{}", to.as_str().unwrap()), json!("true"))
    });
    to.chain([(BOOTSTRAPPING.0.to_owned(), json!(BOOTSTRAPPING.1))]).collect()
}

/// Compares objects with those of a file, in their order. Gives how many there are.
fn compare(ours: Vec<Value>, theirs: &[Value], version: &str) -> usize {
    assert_eq!(ours.len(), theirs.len(), "{version}");
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs, "{version}");
    }
    ours.len()
}

#[test]
#[expect(clippy::print_stderr, reason = "says how much was compared")]
fn every_object_and_rule_of_every_version_is_the_facts() {
    let Some(folder) = shared("kubernetes-versions") else { return };
    for version in KubernetesVersion::all() {
        let facts = facts_of(&folder, &format!("defaults-{version}.json"));
        let of = |binding: bool| {
            let ours =
                facts.iter().filter(|fact| fact["kind"].as_str().unwrap().ends_with("Binding") == binding);
            ours.map(|fact| expected(fact, &default_labels(fact))).collect::<Vec<_>>()
        };
        let roles = roles_in(version);
        let rules: usize = roles.iter().map(|role| role.rules.len()).sum();
        let roles = roles.iter().map(|role| role_json(role, &role.rules)).collect();
        let roles = compare(roles, &of(false), &version.to_string());
        let bindings = bindings(version).map(|binding| binding_json(&binding)).collect();
        let bindings = compare(bindings, &of(true), &version.to_string());
        eprintln!(
            "{version}: {roles} roles with {rules} rules and {bindings} bindings are those of the facts"
        );
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says how much was compared")]
fn every_object_of_eks_is_that_of_a_real_cluster() {
    let Some(folder) = shared("kubernetes-versions") else { return };
    let version = KubernetesVersion::from_minor(32).unwrap();
    let facts = facts_of(&folder, "eks-1.32-objects.json");
    let key = |object: &Value| {
        ["kind", "namespace", "name"].map(|field| object[field].as_str().unwrap_or_default().to_owned())
    };
    let facts: BTreeMap<_, _> = facts
        .iter()
        .map(|fact| {
            let labels = fact.get("labels").and_then(Value::as_object).into_iter().flatten();
            let labels = labels.map(|(key, value)| (key.clone(), value.clone())).collect();
            let mut value = expected(fact, &labels);
            if value.get("roleRef").is_some() {
                // Labels of bindings say nothing and are not kept.
                value["metadata"]["labels"] = json!({});
            }
            (key(fact), value)
        })
        .collect();
    let mut ours: BTreeMap<[String; 3], Value> = BTreeMap::new();
    let named = |kind: &str, namespace: Option<&str>, name: &str| {
        [kind, namespace.unwrap_or_default(), name].map(ToOwned::to_owned)
    };
    for role in eks_roles(version) {
        let kind = if role.namespace.is_some() { "Role" } else { "ClusterRole" };
        ours.insert(named(kind, role.namespace, role.name), role_json(&role, &role.rules));
    }
    for binding in eks_bindings(version) {
        let kind = if binding.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        let mut value = binding_json(&binding);
        value["metadata"]["labels"] = json!({});
        ours.insert(named(kind, binding.namespace, binding.name), value);
    }
    assert_eq!(ours, facts);
    eprintln!("{} objects of EKS are those of a real cluster", ours.len());
    assert_eq!(ours.len(), 66);
}

#[test]
fn eks_has_each_of_its_objects_in_the_versions_that_had_it() {
    let has = |minor: u8, name: &str| {
        let version = KubernetesVersion::from_minor(minor).unwrap();
        let (role, binding) = (
            eks_roles(version).any(|role| role.name == name),
            eks_bindings(version).any(|one| one.name == name),
        );
        assert!(role == binding || name == "eks:extension-metrics-apiserver", "{minor} {name}");
        role
    };
    for minor in 29..=37 {
        assert!(has(minor, "eks:node-manager"));
        assert_eq!(has(minor, "eks:cloud-provider-extraction-migration"), minor <= 33);
        assert_eq!(has(minor, "eks:extension-metrics-apiserver"), minor <= 33);
        let vac = "system:controller:volumeattributesclass-protection-controller";
        assert_eq!(has(minor, vac), (32..=33).contains(&minor));
        assert_eq!(has(minor, "system:controller:resource-claim-controller"), minor == 33);
        // Nothing of EKS is a default of Kubernetes too.
        let version = KubernetesVersion::from_minor(minor).unwrap();
        let own = roles_in(version);
        assert!(eks_roles(version).all(|eks| own.iter().all(|role| role.name != eks.name)));
    }
}

#[test]
fn eks_with_dynamic_resource_allocation_lets_view_see_claims() {
    let version = KubernetesVersion::from_minor(33).unwrap();
    let sees = |platform| {
        let rules = aggregated_of(roles(version, platform).collect());
        let list = |name: &str, verb| allows(&rules[name], verb, "resource.k8s.io", "resourceclaims");
        [list("view", "list"), list("edit", "create"), list("view", "create")]
    };
    assert_eq!(sees(Platform::Kubernetes), [false; 3]);
    assert_eq!(sees(Platform::Eks), [true, true, false]);
}

/// What the patched build has of which the facts was recorded.
fn is_carried(object: &Value) -> bool {
    object["metadata"]["name"] == "system:controller:service-ca-cert-publisher"
}

#[test]
fn same_objects_as_a_live_api_server_after_aggregation() {
    let Some(folder) = shared("kubernetes-defaults-v1.36.2") else { return };
    let key = |object: &Value| {
        let metadata = &object["metadata"];
        [&object["kind"], &metadata["namespace"], &metadata["name"]].map(ToString::to_string)
    };
    let live: Value =
        serde_json::from_slice(&std::fs::read(folder.join("all-aggregated.json")).unwrap()).unwrap();
    let live: BTreeMap<_, _> = live["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|object| !is_carried(object))
        .map(|object| {
            let mut object = object.clone();
            if let Some(rules) = object.get_mut("rules").and_then(Value::as_array_mut) {
                rules.retain(|rule| rule["resources"] != json!(["endpointslices/restricted"]));
            }
            (key(&object), object)
        })
        .collect();
    let together = aggregated();
    let roles = all_roles();
    let roles = roles.iter().map(|role| {
        let cluster = role.namespace.is_none().then(|| together[role.name].as_slice());
        role_json(role, cluster.unwrap_or(&role.rules))
    });
    let bindings = all_bindings();
    let ours: BTreeMap<_, _> =
        roles.chain(bindings.iter().map(binding_json)).map(|object| (key(&object), object)).collect();
    assert_eq!(ours.len(), 133);
    for (key, object) in &ours {
        assert_eq!(Some(object), live.get(key), "{key:?}");
    }
    assert_eq!(ours.len(), live.len());
}
