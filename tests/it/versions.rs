//! Kubernetes versions: answers and types against the facts of each, what differs between them, and which one an
//! answer is for.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its data has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rbacsim::ask::matrix::preset;
use rbacsim::decide::cluster::Cluster;
use rbacsim::knowledge::catalogue::{Catalogue, Verbs};
use rbacsim::knowledge::defaults::BOOTSTRAPPING;
use rbacsim::knowledge::operations::{self, PlanError, StepName, Target};
use rbacsim::model::ternary::Ternary::{self, No, Unknown, Yes};
use rbacsim::model::user::UserInfo;
use rbacsim::model::version::{KubernetesVersion, Platform};
use rbacsim::read::{Defaults, LoadOptions, Loaded, VersionFrom, VersionSource, load};
use rbacsim::report::{notes, text as report};
use serde_json::{Value, json};

use crate::ask::{Request, bind, role, text};
use crate::model::Model;

fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/kubernetes-versions");
    if path.exists() {
        return Some(path);
    }
    note(&format!("skipped: no {}", path.display()));
    None
}

#[expect(clippy::print_stderr, reason = "says in the test's output what was compared, and what was not")]
fn note(text: &str) {
    eprintln!("{text}");
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn of(minor: u8) -> KubernetesVersion {
    KubernetesVersion::from_minor(minor).unwrap()
}

fn text_of<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn items<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn texts<'v>(value: &'v Value, field: &str) -> Vec<&'v str> {
    items(value, field).iter().filter_map(Value::as_str).collect()
}

/// An object of the facts as the API has it, as far as decisions see.
fn object(fact: &Value) -> Value {
    let mut labels = BTreeMap::from([(BOOTSTRAPPING.0.to_owned(), BOOTSTRAPPING.1.to_owned())]);
    for to in texts(fact, "aggregateTo") {
        labels.insert(format!("rbac.authorization.k8s.io/aggregate-to-{to}"), "true".to_owned());
    }
    for (key, value) in fact["labels"].as_object().into_iter().flatten() {
        labels.insert(key.clone(), value.as_str().unwrap().to_owned());
    }
    let mut object = fact.clone();
    object["metadata"] = json!({ "namespace": fact["namespace"], "name": fact["name"], "labels": labels });
    object
}

fn facts(folder: &Path, name: &str) -> Vec<Value> {
    items(&json_of(&folder.join(name)), "objects").iter().map(object).collect()
}

// Answers against plain loops over the facts.

/// A small generator of numbers that are the same on every machine (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % end
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Everybody whom a default binding names, and whoever has one of the aggregated roles.
fn people(objects: &[Value]) -> Vec<UserInfo> {
    let mut people =
        vec![UserInfo::authenticated("somebody", [""; 0]), UserInfo::as_given("nobody", [""; 0])];
    for subject in objects.iter().flat_map(|object| items(object, "subjects")) {
        let name = text_of(subject, "name");
        people.push(match text_of(subject, "kind") {
            "User" => UserInfo::authenticated(name, [""; 0]),
            "Group" => UserInfo::as_given("member", [name]),
            _ => UserInfo::service_account(text_of(subject, "namespace"), name),
        });
    }
    people.extend(["view", "edit", "admin"].map(|role| UserInfo::as_given("u", [role])));
    people
}

/// Bindings of the aggregated roles, which no default binding names.
fn bound_roles() -> String {
    ["view", "edit", "admin"]
        .map(|name| {
            bind(&format!("default/{name}"), &format!("ClusterRole {name}"), &format!("Group {name}"))
        })
        .concat()
}

/// A request near the rules of the facts: their words, each now and then exchanged for another one.
fn request(random: &mut Random, rules: &[&Value], served: &[(String, String)]) -> Request {
    let rule = *random.pick(rules);
    let verbs = ["get", "list", "create", "delete", "patch", "update", "watch", "impersonate", "use"];
    let word = |random: &mut Random, rule: &Value, field: &str| -> String {
        let words = texts(rule, field);
        if words.is_empty() { String::new() } else { (*random.pick(&words)).to_owned() }
    };
    let mut verb = word(random, rule, "verbs");
    if verb == "*" || random.below(4) == 0 {
        (*random.pick(&verbs)).clone_into(&mut verb);
    }
    let namespace = ["", "default", "kube-system", "kube-public"][random.below(4)].to_owned();
    if !items(rule, "nonResourceURLs").is_empty() {
        let path =
            word(random, rule, "nonResourceURLs").replace('*', ["", "x", "ping/etcd"][random.below(3)]);
        let path = if path.is_empty() { "/healthz".to_owned() } else { path };
        return Request { verb, path: Some(path), ..Request::default() };
    }
    let (mut group, mut resource) = (word(random, rule, "apiGroups"), word(random, rule, "resources"));
    if resource.contains('*') || group == "*" || random.below(3) == 0 {
        (group, resource) = random.pick(served).clone();
    }
    let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
    let name = match word(random, rule, "resourceNames") {
        name if random.below(3) > 0 => name,
        _ => ["", "x"][random.below(2)].to_owned(),
    };
    Request {
        verb,
        group,
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        name,
        namespace,
        path: None,
    }
}

/// Puts random questions and one on each type to a cluster and to the model of the facts. Gives yes and no.
fn agree(cluster: &Cluster, objects: &[Value], served: &[(String, String)], seed: u64) -> (usize, usize) {
    use serde::Deserialize;
    let bound = bound_roles();
    let own =
        serde_yaml::Deserializer::from_str(&bound).map(|document| Value::deserialize(document).unwrap());
    let model = Model::of(objects.iter().cloned().chain(own.filter(|value| !value.is_null())));
    let people = people(objects);
    let rules: Vec<&Value> = objects.iter().flat_map(|object| items(object, "rules")).collect();
    let mut random = Random(seed);
    let (mut yes, mut no) = (0, 0);
    let mut put = |user: &UserInfo, request: &Request| {
        let asker = cluster.graph().asker(user);
        let allowed = cluster.graph().authorize(&asker, &request.attributes()).is_allowed();
        assert_eq!(
            allowed,
            model.decide(user, request).allowed,
            "{}: {user:?} {request:?}",
            cluster.version()
        );
        *(if allowed { &mut yes } else { &mut no }) += 1;
    };
    for _ in 0..2500 {
        // Mostly whoever is bound to a role of whose rules the request is near.
        let request = request(&mut random, &rules, served);
        put(random.pick(&people), &request);
    }
    for binding in objects.iter().filter(|object| !items(object, "subjects").is_empty()) {
        let name = text_of(&binding["roleRef"], "name");
        let rules: Vec<&Value> = objects
            .iter()
            .filter(|object| text_of(object, "name") == name)
            .flat_map(|object| items(object, "rules"))
            .collect();
        let bound = self::people(std::slice::from_ref(binding));
        for _ in 0..if rules.is_empty() { 0 } else { 12 } {
            let mut request = request(&mut random, &rules, served);
            if let Some(namespace) = binding["namespace"].as_str() {
                namespace.clone_into(&mut request.namespace);
            }
            put(&bound[2], &request);
        }
    }
    for (group, resource) in served {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        for verb in ["get", "list", "create", "delete"] {
            let request = Request {
                verb: verb.to_owned(),
                group: group.clone(),
                resource: resource.to_owned(),
                subresource: subresource.to_owned(),
                namespace: "default".to_owned(),
                ..Request::default()
            };
            for user in people.iter().rev().take(5) {
                put(user, &request);
            }
        }
    }
    (yes, no)
}

/// Every resource and subresource that the facts say is served.
fn served(folder: &Path, version: KubernetesVersion) -> Vec<(String, String)> {
    let resources = json_of(&folder.join(format!("resources-{version}.json")));
    let mut served = BTreeSet::new();
    for fact in resources.as_array().unwrap() {
        let (group, resource) = (text_of(fact, "group"), text_of(fact, "resource"));
        served.insert((group.to_owned(), resource.to_owned()));
        for part in items(fact, "subresources") {
            served.insert((group.to_owned(), format!("{resource}/{}", text_of(part, "name"))));
        }
    }
    served.into_iter().collect()
}

fn cluster_of(version: KubernetesVersion, defaults: Defaults) -> Cluster {
    let options = LoadOptions { defaults, version: Some(version), ..LoadOptions::default() };
    load(&[text("bound.yaml", &bound_roles())], &options).unwrap().into()
}

#[test]
fn answers_in_every_version_are_those_of_plain_loops_over_the_facts() {
    let Some(folder) = shared() else { return };
    for version in KubernetesVersion::all() {
        let objects = facts(&folder, &format!("defaults-{version}.json"));
        let served = served(&folder, version);
        let cluster = cluster_of(version, Defaults::Always);
        let (yes, no) = agree(&cluster, &objects, &served, u64::from(version.minor()));
        note(&format!(
            "{version}: {} questions on {} types and parts agree, {yes} yes and {no} no",
            yes + no,
            served.len()
        ));
        assert!(yes > 600 && no > 600, "{version}: {yes} yes, {no} no");
    }
}

#[test]
fn answers_on_eks_are_those_of_plain_loops_over_the_objects_of_a_real_cluster() {
    let Some(folder) = shared() else { return };
    let version = of(32);
    let mut objects = facts(&folder, "defaults-1.32.json");
    objects.extend(facts(&folder, "eks-1.32-objects.json"));
    let served = served(&folder, version);
    let (yes, no) = agree(&cluster_of(version, Defaults::Eks), &objects, &served, 1);
    note(&format!("EKS {version}: {} questions agree, {yes} yes and {no} no", yes + no));
    assert!(yes > 600 && no > 600, "{yes} yes, {no} no");
}

#[test]
fn every_type_of_every_version_is_the_facts() {
    let Some(folder) = shared() else { return };
    for version in KubernetesVersion::all() {
        let catalogue = Catalogue::of(version, Platform::Kubernetes);
        let facts = json_of(&folder.join(format!("resources-{version}.json")));
        let (mut found, mut parts) = (BTreeMap::new(), 0);
        for fact in facts.as_array().unwrap() {
            let (group, plural) = (text_of(fact, "group"), text_of(fact, "resource"));
            let known = catalogue.find(group, plural).unwrap_or_else(|| panic!("{version} {plural}.{group}"));
            assert!(known.discovered, "{version} {plural}.{group}");
            assert_eq!(fact["namespaced"], known.namespaced, "{version} {plural}.{group}");
            assert_eq!(fact["kind"], *known.kind);
            assert_eq!(fact["singular"], *known.singular);
            assert_eq!(texts(fact, "shortNames"), known.short_names);
            assert_eq!(texts(fact, "categories"), known.categories);
            assert_eq!(verbs(&texts(fact, "verbs")), known.verbs, "{version} {plural}.{group}");
            let served: Vec<_> = known.subresources.iter().filter(|part| part.discovered).collect();
            assert_eq!(served.len(), items(fact, "subresources").len(), "{version} {plural}.{group}");
            for part in items(fact, "subresources") {
                let known = known.subresource(text_of(part, "name")).unwrap();
                assert_eq!(verbs(&texts(part, "verbs")), known.verbs, "{version} {plural}: {}", known.name);
            }
            let versions: &mut Vec<&str> = found.entry((group, plural)).or_default();
            if versions.is_empty() {
                parts += served.len();
            }
            versions.push(text_of(fact, "version"));
        }
        let ours: BTreeMap<_, _> = catalogue
            .iter()
            .filter(|known| known.discovered)
            .map(|known| {
                let mut versions: Vec<&str> = known.versions.iter().map(|version| &**version).collect();
                versions.sort_unstable();
                ((&*known.group, &*known.plural), versions)
            })
            .collect();
        for versions in found.values_mut() {
            versions.sort_unstable();
        }
        assert_eq!(ours, found, "{version}");
        note(&format!("{version}: {} types and {parts} subresources are those of the facts", ours.len()));
    }
}

fn verbs(list: &[&str]) -> Verbs {
    list.iter().fold(Verbs::NONE, |all, verb| all.union(Verbs::of(verb).unwrap()))
}

// What differs between versions.

/// Whether a catalogue knows `TYPE[/SUBRESOURCE] [VERB]`, served or not.
fn knows(catalogue: &Catalogue, text: &str) -> bool {
    let (of, verb) = text.split_once(' ').unwrap_or((text, ""));
    let (kind, part) = of.split_once('/').unwrap_or((of, ""));
    let (plural, group) = kind.split_once('.').unwrap_or((kind, ""));
    let Some(known) = catalogue.find(group, plural) else { return false };
    let of = if part.is_empty() {
        known.verbs.union(known.special_verbs)
    } else {
        let Some(part) = known.subresource(part) else { return false };
        part.verbs
    };
    verb.is_empty() || of.contains(verb)
}

#[test]
fn types_come_and_go_with_versions() {
    // From which version on, until which.
    let rows = [
        ("pods/resize patch", 33, 37),
        ("ipaddresses.networking.k8s.io", 33, 37),
        ("resourceclaims.resource.k8s.io/status", 34, 37),
        ("volumeattributesclasses.storage.k8s.io", 34, 37),
        ("mutatingadmissionpolicies.admissionregistration.k8s.io", 36, 37),
        ("validatingadmissionpolicies.admissionregistration.k8s.io/status", 30, 37),
        ("clustertrustbundles.certificates.k8s.io", 37, 37),
        ("podcertificaterequests.certificates.k8s.io/status", 37, 37),
        ("storageversionmigrations.storagemigration.k8s.io", 37, 37),
        // What the kubelet asks for.
        ("nodes/proxy create", 29, 37),
        ("nodes/checkpoint create", 30, 37),
        ("nodes/pods get", 33, 37),
        ("nodes/healthz get", 33, 37),
        ("nodes/configz get", 33, 37),
        ("nodes/statusz get", 33, 37),
        // What is asked beside a request.
        ("resourceclaims.resource.k8s.io/binding update", 36, 37),
        ("resourceclaims.resource.k8s.io/driver arbitrary-node:patch", 36, 37),
        ("users impersonate", 29, 37),
        ("users.authentication.k8s.io impersonate:user-info", 36, 37),
        ("nodes.authentication.k8s.io impersonate:associated-node", 36, 37),
        ("userextras.authentication.k8s.io impersonate", 29, 37),
        // Only a patched build knows it.
        ("endpointslices.discovery.k8s.io/restricted", 99, 0),
        ("endpoints/restricted create", 29, 37),
    ];
    for version in KubernetesVersion::all() {
        let catalogue = Catalogue::of(version, Platform::Kubernetes);
        for (what, from, until) in rows {
            let expected = (from..=until).contains(&version.minor());
            assert_eq!(knows(&catalogue, what), expected, "{version} {what}");
        }
        let flowschemas = catalogue.find("flowcontrol.apiserver.k8s.io", "flowschemas").unwrap();
        assert_eq!(flowschemas.versions.len(), if version.minor() <= 31 { 2 } else { 1 }, "{version}");
    }
}

#[test]
fn eks_serves_some_beta_types() {
    for (minor, vac, claims) in [(30, false, false), (31, true, false), (32, true, false), (33, true, true)] {
        let catalogue = Catalogue::of(of(minor), Platform::Eks);
        assert_eq!(knows(&catalogue, "volumeattributesclasses.storage.k8s.io"), vac, "{minor}");
        assert_eq!(knows(&catalogue, "resourceclaims.resource.k8s.io/status"), claims, "{minor}");
        assert!(!knows(
            &Catalogue::of(of(minor), Platform::Kubernetes),
            "volumeattributesclasses.storage.k8s.io"
        ));
    }
    let catalogue = Catalogue::of(of(33), Platform::Eks);
    assert_eq!(catalogue.find("storage.k8s.io", "volumeattributesclasses").unwrap().versions, ["v1beta1"]);
    assert_eq!(catalogue.find("storage.k8s.io", "storageclasses").unwrap().versions, ["v1"]);
    // From 1.34 on Kubernetes itself serves them, once.
    let catalogue = Catalogue::of(of(34), Platform::Eks);
    assert_eq!(catalogue.iter().filter(|known| known.plural == "volumeattributesclasses").count(), 1);
}

#[test]
fn verbs_that_are_asked_beside_requests_come_with_versions() {
    let rows = [
        ("request-serviceaccounts-token-audience", 33),
        ("impersonate-on:user-info:get", 36),
        ("impersonate-on:arbitrary-node:list", 36),
        ("unsafe-delete-ignore-read-errors", 37),
        ("request-podcertificate-signer", 37),
        ("impersonate-on:user-info:", 99),
        ("frobnicate", 99),
    ];
    for version in KubernetesVersion::all() {
        let catalogue = Catalogue::of(version, Platform::Kubernetes);
        for (verb, from) in rows {
            assert_eq!(catalogue.asks_for(verb), version.minor() >= from, "{version} {verb}");
        }
    }
}

/// The answer to an operation where just these requests are allowed, for any name and anywhere.
fn answer(verb: &str, on: &str, minor: u8, granted: &[&str]) -> Ternary {
    let (of_type, name) = on.split_once(' ').map_or((on, None), |(of, name)| (of, Some(name)));
    let (resource, group) = of_type.split_once('.').unwrap_or((of_type, ""));
    let target = Target {
        group,
        resource,
        name,
        subresource: None,
        namespaced: !matches!(resource, "nodes" | "users" | "groups"),
    };
    let plan = operations::plan(verb, &target, of(minor)).unwrap();
    plan.answer(&mut |step| {
        let nameless = operations::Step { name: StepName::Absent, ..step.clone() };
        Ternary::from(granted.contains(&nameless.to_string().as_str()))
    })
}

/// An operation, on what, what is granted, and the answer in some versions.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [(u8, Ternary)]);

#[test]
fn operations_need_what_their_version_asks() {
    let rows: &[Row] = &[
        // The kubelet asks for a subresource of its own, or for nodes/proxy.
        ("kubelet-pods", "nodes n", &["get nodes/proxy"], &[(29, Yes), (32, Yes), (33, Yes), (37, Yes)]),
        ("kubelet-pods", "nodes n", &["get nodes/pods"], &[(29, No), (32, No), (33, Yes), (36, Yes)]),
        ("kubelet-healthz", "nodes n", &["get nodes/healthz"], &[(32, No), (33, Yes)]),
        ("kubelet-configz", "nodes n", &["get nodes/configz"], &[(32, No), (33, Yes)]),
        ("kubelet-checkpoint", "nodes n", &["create nodes/proxy"], &[(29, Yes), (30, No), (36, No)]),
        ("kubelet-checkpoint", "nodes n", &["create nodes/checkpoint"], &[(29, No), (30, Yes), (36, Yes)]),
        ("kubelet-exec", "nodes n", &["get nodes/proxy"], &[(29, Yes), (36, Yes)]),
        // The allocation of a claim is checked for itself, outside namespaces.
        (
            "allocate-claim",
            "resourceclaims.resource.k8s.io c",
            &["update resourceclaims.resource.k8s.io/status"],
            &[(34, Yes), (35, Yes), (36, No), (37, No)],
        ),
        (
            "allocate-claim",
            "resourceclaims.resource.k8s.io c",
            &["update resourceclaims.resource.k8s.io/status", "patch resourceclaims.resource.k8s.io/binding"],
            &[(35, Yes), (36, Yes)],
        ),
        // Constrained impersonation: it depends on the requests that are made as the other.
        ("act-as", "users bob", &["impersonate users"], &[(29, Yes), (35, Yes), (36, Yes), (37, Yes)]),
        (
            "act-as",
            "users bob",
            &["impersonate:user-info users.authentication.k8s.io"],
            &[(35, No), (36, Unknown), (37, Unknown)],
        ),
        ("act-as", "groups g", &["impersonate groups"], &[(29, Yes), (36, Yes)]),
        (
            "act-as",
            "serviceaccounts s",
            &["impersonate:serviceaccount serviceaccounts.authentication.k8s.io"],
            &[(35, No), (36, Unknown)],
        ),
        // An object that cannot be read is deleted only with a verb of its own.
        ("unsafe-delete", "secrets s", &["delete secrets"], &[(37, No)]),
        (
            "unsafe-delete",
            "secrets s",
            &["delete secrets", "unsafe-delete-ignore-read-errors secrets"],
            &[(37, Yes)],
        ),
        // WebSocket streams.
        ("exec", "pods p", &["get pods/exec"], &[(29, Yes), (34, Yes), (35, No), (37, No)]),
        ("exec", "pods p", &["create pods/exec"], &[(29, Yes), (34, Yes), (35, Yes), (37, Yes)]),
    ];
    for (verb, on, granted, expected) in rows {
        for (minor, expected) in *expected {
            assert_eq!(answer(verb, on, *minor, granted), *expected, "{verb} {on} {granted:?} in 1.{minor}");
        }
    }
    let secrets = Target { group: "", resource: "secrets", name: None, subresource: None, namespaced: true };
    assert_eq!(
        operations::plan("unsafe-delete", &secrets, of(36)),
        Err(PlanError::NotInVersion("unsafe-delete", of(36)))
    );
}

#[test]
fn a_star_covers_unsafe_delete_and_delete_does_not() {
    let texts = role("all", "[{verbs: ['*'], apiGroups: [''], resources: [secrets]}]")
        + &role("del", "[{verbs: [delete], apiGroups: [''], resources: [secrets]}]")
        + &bind("all", "ClusterRole all", "User all")
        + &bind("del", "ClusterRole del", "User del");
    let cluster = Cluster::from(load(&[text("a.yaml", &texts)], &LoadOptions::default()).unwrap());
    let request = Request::parse("unsafe-delete-ignore-read-errors secrets =s @ns");
    for (user, expected) in [("all", true), ("del", false)] {
        let asker = cluster.graph().asker(&UserInfo::as_given(user, [""; 0]));
        assert_eq!(cluster.graph().authorize(&asker, &request.attributes()).is_allowed(), expected, "{user}");
    }
}

#[test]
fn kubectl_opens_streams_by_post_alone_before_it_knew_websockets() {
    let kubectl = |verb: &str, minor: u8| {
        let pods = Target { group: "", resource: "pods", name: None, subresource: None, namespaced: true };
        let plan = operations::plan(verb, &pods, of(minor)).unwrap();
        let part = if verb == "port-forward" { "portforward" } else { "exec" };
        let granted = ["get pods".to_owned(), format!("get pods/{part}")];
        plan.answer_for_kubectl(&mut |step| {
            let nameless = operations::Step { name: StepName::Absent, ..step.clone() };
            Ternary::from(granted.contains(&nameless.to_string()))
        })
    };
    for (verb, first) in [("exec", 30), ("cp", 30), ("port-forward", 31)] {
        for minor in 29..=34 {
            assert_eq!(kubectl(verb, minor), Ternary::from(minor >= first), "{verb} 1.{minor}");
        }
    }
}

#[test]
fn no_note_of_an_operation_names_a_version() {
    for (name, _) in operations::names() {
        for version in KubernetesVersion::all() {
            for on in
                ["pods", "nodes", "configmaps", "users", "deployments.apps", "resourceclaims.resource.k8s.io"]
            {
                let (resource, group) = on.split_once('.').unwrap_or((on, ""));
                let target = Target { group, resource, name: None, subresource: None, namespaced: true };
                let Ok(plan) = operations::plan(name, &target, version) else { continue };
                let labels = plan.extras.iter().map(|extra| &extra.label);
                for said in plan.notes.iter().chain(labels) {
                    assert!(!said.contains("1.3") && !said.contains("1.2"), "{name} {version}: {said}");
                }
            }
        }
    }
}

#[test]
fn a_websocket_by_get_alone_is_sensitive_up_to_1_34() {
    for version in KubernetesVersion::all() {
        let entries = preset::sensitive(version);
        let get = entries.iter().any(|entry| (entry.resource, entry.verb) == ("pods/exec", "get"));
        assert_eq!(get, version.minor() <= 34, "{version}");
        assert_eq!(entries.len(), preset::SENSITIVE.len() - usize::from(!get), "{version}");
    }
}

// Which version an answer is for.

fn loaded(inputs: &[(&str, &str)]) -> Loaded {
    let inputs: Vec<_> = inputs.iter().map(|(name, content)| text(name, content)).collect();
    load(&inputs, &LoadOptions::default()).unwrap()
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

const DESCRIBE: &str = r#"{"cluster": {"name": "shop", "arn": "arn:aws:eks:us-west-2:111122223333:cluster/shop",
  "version": "1.33", "platformVersion": "eks.9"}}"#;
const EKSCTL: &str = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: us-west-2, version: '1.32'}\n";
const STATE: &str = r#"{"version": 4, "terraform_version": "1.9.8", "resources": [{"mode": "managed",
  "type": "aws_eks_cluster", "name": "this", "instances": [{"attributes": {"name": "shop", "version": "1.31"}}]}]}"#;
const SHOWN: &str = r#"{"format_version": "1.0", "terraform_version": "1.9.8", "values": {"root_module":
  {"resources": [], "child_modules": [{"address": "module.eks", "resources": [{"mode": "managed",
  "type": "aws_eks_cluster", "values": {"name": "shop", "version": "1.34"}}]}]}}}"#;
const PLAN: &str = r#"{"format_version": "1.2", "terraform_version": "1.9.8", "planned_values": {"root_module":
  {"resources": [{"mode": "managed", "type": "aws_eks_cluster", "values": {"name": "shop", "version": "1.35"}}]}}}"#;
const PRIOR: &str = r#"{"format_version": "1.2", "terraform_version": "1.9.8", "planned_values": {"root_module": {}},
  "prior_state": {"values": {"root_module": {"resources": [{"mode": "data", "type": "aws_eks_cluster",
  "values": {"name": "shop", "version": "1.34"}}]}}}}"#;
const KUBECTL: &str = r#"{"clientVersion": {"gitVersion": "v1.36.2"}, "kustomizeVersion": "v5.8.0",
  "serverVersion": {"major": "1", "minor": "31+", "gitVersion": "v1.31.5-eks-7f9249a"}}"#;

fn node(version: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: node-1}}\nstatus: {{nodeInfo: {{kubeletVersion: {version}}}}}\n"
    )
}

#[test]
fn the_inputs_tell_the_version() {
    use VersionSource::{DescribeCluster, Eksctl, KubectlVersion, Kubelet, Terraform};
    let a_node = node("v1.30.4-eks-036c24b");
    let yaml = "cluster:\n  name: shop\n  version: '1.33'\n";
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", node("v1.30.4").replace('\n', "\n  "));
    let rows = [
        (DESCRIBE, DescribeCluster, 33),
        (yaml, DescribeCluster, 33),
        (EKSCTL, Eksctl, 32),
        (STATE, Terraform, 31),
        (SHOWN, Terraform, 34),
        (PLAN, Terraform, 35),
        (PRIOR, Terraform, 34),
        (KUBECTL, KubectlVersion, 31),
        (&a_node, Kubelet, 30),
        (&list, Kubelet, 30),
    ];
    for (content, from, minor) in rows {
        let loaded = loaded(&[("cluster.json", content)]);
        assert_eq!(loaded.version, of(minor), "{content}");
        let VersionFrom::Input(told, source) = loaded.version_from else { panic!("{content}") };
        assert_eq!(told, from, "{content}");
        assert!(loaded.policy.sources.show(source).to_string().starts_with("cluster.json"), "{content}");
        assert_eq!(codes(&loaded), [""; 0], "{content}");
    }
}

#[test]
fn without_a_word_it_is_the_newest_that_eks_offers() {
    let nothing = loaded(&[("a.yaml", &role("r", "[]"))]);
    assert_eq!((nothing.version, nothing.version_from), (of(36), VersionFrom::Default));
    let options = LoadOptions { version: Some(of(30)), ..LoadOptions::default() };
    let asked = load(&[text("d.json", DESCRIBE)], &options).unwrap();
    assert_eq!((asked.version, asked.version_from), (of(30), VersionFrom::Asked));
    // What tells only of a client tells nothing of the server, and is no odd document.
    let client = loaded(&[("v.json", r#"{"clientVersion": {"gitVersion": "v1.31.0"}}"#)]);
    assert_eq!((client.version_from, codes(&client)), (VersionFrom::Default, vec![]));
}

#[test]
fn what_was_seen_counts_before_what_was_wanted_and_kubelets_may_be_older() {
    let nodes = node("v1.31.0") + "---\n" + &node("v1.32.1") + "---\n" + &node("v1.30.0");
    let newest = loaded(&[("nodes.yaml", &nodes)]);
    assert_eq!((newest.version, codes(&newest)), (of(32), vec![]));
    let behind = loaded(&[("nodes.yaml", &nodes), ("d.json", DESCRIBE)]);
    assert_eq!((behind.version, codes(&behind)), (of(33), vec![]));
    for (inputs, minor) in [
        ([("a", EKSCTL), ("b", DESCRIBE)], 33),
        ([("b", DESCRIBE), ("a", EKSCTL)], 33),
        ([("a", DESCRIBE), ("b", KUBECTL)], 31),
        ([("a", SHOWN), ("b", EKSCTL)], 34),
    ] {
        let loaded = loaded(&inputs);
        assert_eq!((loaded.version, codes(&loaded)), (of(minor), vec!["versions-differ"]), "{inputs:?}");
    }
    // A kubelet is never newer than the API server.
    let ahead = loaded(&[("n.yaml", &node("v1.34.0")), ("d.json", DESCRIBE)]);
    assert_eq!((ahead.version, codes(&ahead)), (of(33), vec!["versions-differ"]));
    // A plan that upgrades the cluster says both, and the version that will be counts.
    let upgrade = PLAN.replace(
        "\"planned_values\"",
        &format!("{}, \"planned_values\"", &PRIOR[PRIOR.find("\"prior_state\"").unwrap()..PRIOR.len() - 1]),
    );
    let upgraded = loaded(&[("plan.json", &upgrade)]);
    assert_eq!((upgraded.version, codes(&upgraded)), (of(35), vec!["versions-differ"]));
    let two = loaded(&[("a.json", DESCRIBE), ("b.json", &DESCRIBE.replace("1.33", "1.31"))]);
    assert_eq!((two.version, codes(&two)), (of(33), vec!["versions-differ"]));
}

#[test]
fn a_version_that_is_not_known_is_told_and_the_nearest_taken() {
    for (told, minor) in [("1.25", 29), ("1.44", 37)] {
        let loaded = loaded(&[("d.json", &DESCRIBE.replace("1.33", told))]);
        assert_eq!((loaded.version, codes(&loaded)), (of(minor), vec!["version-not-known"]), "{told}");
    }
}

#[test]
fn objects_in_a_bare_list_are_not_hidden_by_what_tells_the_version() {
    let pair =
        format!("[{DESCRIBE}, {{\"apiVersion\": \"rbac.authorization.k8s.io/v1\", \"kind\": \"Role\"}}]");
    let loaded = loaded(&[("a.json", &pair)]);
    // What AWS printed stands in the list, as `jq -s` makes it: each value is read for itself.
    assert_eq!((loaded.version, codes(&loaded)), (of(33), vec!["invalid-object"]));
}

#[test]
fn an_answer_names_one_version_once() {
    let inputs = [text("d.json", DESCRIBE), text("b.yaml", &bound_roles())];
    let cluster = Cluster::from(load(&inputs, &LoadOptions::default()).unwrap());
    assert_eq!(
        notes::version(&cluster),
        "answered for Kubernetes 1.33, as `aws eks describe-cluster` said (d.json:2)"
    );
    let who = rbacsim::decide::cluster::Who::user(UserInfo::as_given("u", ["view"]));
    let notes = notes::Basis::of(&cluster, &who).lines.join("\n");
    assert_eq!(notes.matches("1.3").count(), 1, "{notes}");
}

// Upgraded clusters.

fn said(minor: u8, user: &UserInfo, request: &str) -> (Ternary, Option<String>) {
    let cluster = cluster_of(of(minor), Defaults::Always);
    let request = Request::parse(request);
    let who = rbacsim::decide::cluster::Who::user(user.clone());
    let answer = cluster.answer(&who, &request.attributes());
    (answer.ternary, report::other_versions(&cluster, &who, &request.attributes(), &answer))
}

#[test]
fn a_yes_by_a_default_rule_that_other_versions_lack_says_so() {
    let view = UserInfo::as_given("u", ["view"]);
    let claims = "list resourceclaims.resource.k8s.io @default";
    assert_eq!(
        said(34, &view, claims),
        (
            Yes,
            Some("this rests on default rules alone, which the defaults of Kubernetes 1.29 to 1.33 do not have".to_owned())
        )
    );
    assert_eq!(said(33, &view, claims).0, No);
    // The rule changed, and what it allows did not.
    assert_eq!(said(36, &view, "list events @default"), (Yes, None));
    let lacks =
        "this rests on default rules alone, which the defaults of Kubernetes 1.29 to 1.34 do not have";
    assert_eq!(said(36, &view, "list events.events.k8s.io @default"), (Yes, Some(lacks.to_owned())));
    assert_eq!(said(36, &view, "list pods @default"), (Yes, None));
    let expand = UserInfo::service_account("kube-system", "expand-controller");
    let later = "this rests on default rules alone, which the defaults of Kubernetes 1.32 to 1.37 do not have; a cluster that is upgraded keeps them";
    assert_eq!(said(31, &expand, "get secrets @default"), (Yes, Some(later.to_owned())));
}

#[test]
fn a_no_where_a_former_default_rule_allows_it_says_so() {
    let expand = UserInfo::service_account("kube-system", "expand-controller");
    let (ternary, note) = said(34, &expand, "get secrets @default");
    assert_eq!(ternary, No);
    assert_eq!(
        note.unwrap(),
        "a default rule of ClusterRole `system:controller:expand-controller` in Kubernetes 1.29 to 1.31 allows this, and a cluster that was upgraded from there keeps it; export the cluster's own roles to be sure"
    );
    assert_eq!(said(34, &expand, "delete secrets @default"), (No, None));
    let scheduler = UserInfo::authenticated("system:kube-scheduler", [""; 0]);
    let (ternary, note) = said(35, &scheduler, "watch configmaps @kube-system");
    assert_eq!(ternary, No);
    assert!(note.unwrap().starts_with("a default rule of Role `kube-system/system::leader-locking-kube-scheduler` in Kubernetes 1.29 to 1.34 allows"));
    assert_eq!(said(29, &expand, "get secrets @default").0, Yes);
    // An export says what the cluster has.
    let cluster = cluster_of(of(34), Defaults::Never);
    let who = rbacsim::decide::cluster::Who::user(expand);
    let request = Request::parse("get secrets @default");
    let answer = cluster.answer(&who, &request.attributes());
    assert_eq!(report::other_versions(&cluster, &who, &request.attributes(), &answer), None);
}
