//! The access matrix: each row, and each cell without one, is what `authorize` says.

use rbacsim::ask::matrix::{Access, Cell, Filter, Holder, Matrix, Place, Scratch, holder};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::{Value, json};

use crate::recorded::{skipped, verdict_sets};

/// A small generator of numbers; the same seed gives the same clusters.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn some(&mut self, list: &[&str], at_most: usize) -> Vec<String> {
        let count = 1 + self.below(at_most);
        (0..count).map(|_| (*self.pick(list)).to_owned()).collect()
    }
}

const NAMESPACES: &[&str] = &["prod", "dev", "kube-system", "team-a"];
const VERBS: &[&str] =
    &["get", "list", "watch", "create", "delete", "patch", "bind", "impersonate", "frob", "*", "get*"];
const GROUPS: &[&str] =
    &["", "", "", "apps", "rbac.authorization.k8s.io", "example.com", "*", "*.example.com"];
const RESOURCES: &[&str] = &[
    "pods",
    "pods/log",
    "pods/exec",
    "secrets",
    "namespaces",
    "namespaces",
    "namespaces/status",
    "nodes",
    "nodes/proxy",
    "deployments",
    "deployments/scale",
    "clusterroles",
    "roles",
    "foos",
    "foos/status",
    "*/scale",
    "*/log",
    "*",
    "pods/*",
];
const OBJECTS: &[&str] = &["prod", "dev", "db", "", "*"];
const URLS: &[&str] = &["/healthz", "/healthz/*", "/metrics", "/api*", "*", "/api", "/lo*gs"];

fn rule(random: &mut Random, cluster: bool) -> Value {
    if cluster && random.below(6) == 0 {
        return json!({ "verbs": random.some(&["get", "post", "*"], 2), "nonResourceURLs": random.some(URLS, 2) });
    }
    let mut rule = json!({
        "verbs": random.some(VERBS, 3), "apiGroups": random.some(GROUPS, 2), "resources": random.some(RESOURCES, 3),
    });
    if random.below(4) == 0 {
        rule["resourceNames"] = random.some(OBJECTS, 2).into();
    }
    rule
}

fn objects(random: &mut Random) -> Vec<Value> {
    let mut objects = vec![json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "foos.example.com" },
        "spec": { "group": "example.com", "scope": "Namespaced", "names": { "plural": "foos", "kind": "Foo" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "subresources": { "status": {} } }] },
    })];
    let name = |kind: &str, number: usize| format!("{kind}-{number}");
    for number in 0..4 + random.below(4) {
        let rules: Vec<Value> = (0..=random.below(3)).map(|_| rule(random, true)).collect();
        objects.push(json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": name("c", number), "labels": { "l": (*random.pick(&["x", "y"])) } }, "rules": rules }));
    }
    objects.push(json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "c-8" },
        "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { "l": "x" } }] } }));
    for number in 0..4 {
        let rules: Vec<Value> = (0..=random.below(2)).map(|_| rule(random, false)).collect();
        objects.push(json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": { "name": name("r", number), "namespace": (*random.pick(NAMESPACES)) }, "rules": rules }));
    }
    for number in 0..8 {
        let cluster = random.below(3) == 0;
        let role = if cluster || random.below(2) == 0 { "ClusterRole" } else { "Role" };
        let target = if role == "Role" { name("r", random.below(5)) } else { name("c", random.below(10)) };
        let subjects: Vec<Value> = (0..=random.below(3))
            .map(|_| match random.below(3) {
                0 => json!({ "kind": "User", "name": (*random.pick(&["alice", "bob", "system:serviceaccount:prod:app"])), "apiGroup": "rbac.authorization.k8s.io" }),
                1 => json!({ "kind": "Group", "name": (*random.pick(&["devs", "ops", "system:authenticated", "system:serviceaccounts", "system:masters"])), "apiGroup": "rbac.authorization.k8s.io" }),
                _ => json!({ "kind": "ServiceAccount", "name": "app", "namespace": (*random.pick(NAMESPACES)) }),
            })
            .collect();
        let mut binding = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": { "name": name("b", number) },
            "kind": if cluster { "ClusterRoleBinding" } else { "RoleBinding" }, "subjects": subjects,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": target } });
        if !cluster {
            binding["metadata"]["namespace"] = (*random.pick(NAMESPACES)).into();
        }
        objects.push(binding);
    }
    objects
}

fn cluster(objects: &[Value]) -> Cluster {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let input = Input::Text { name: "objects.json".into(), bytes: list.to_string().into_bytes() };
    let options = LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(Completeness::Complete),
        ..LoadOptions::default()
    };
    load(&[input], &options).unwrap().into()
}

#[derive(Default, Debug)]
struct Counts {
    rows: usize,
    asked: usize,
    granted: usize,
    refused: usize,
}

/// The requests that a row speaks of, as (name, namespace).
fn requests(cell: &Cell, namespace: &str, names: &[String]) -> Vec<(String, String)> {
    let namespaces: Vec<&str> = match namespace {
        "*" => ["", "never-seen"].into_iter().chain(NAMESPACES.iter().copied()).collect(),
        namespace => vec![namespace],
    };
    let names: Vec<&str> =
        if names.is_empty() { vec!["", "whatever"] } else { names.iter().map(String::as_str).collect() };
    let mut requests = Vec::new();
    for namespace in namespaces {
        for name in &names {
            if cell.place == Place::Namespaces && !namespace.is_empty() {
                assert_eq!(*name, namespace, "a Namespace is granted inside itself as itself");
            }
            requests.push(((*name).to_owned(), namespace.to_owned()));
        }
    }
    requests
}

/// Whether rows grant a request.
fn is_covered(access: &Access, column: u32, name: &str, namespace: &str) -> bool {
    let rows = access.granted.get(&column).map_or(&[][..], Vec::as_slice);
    rows.iter().any(|(heading, names)| {
        let here = heading == namespace || heading == "*" || heading.is_empty();
        here && (names.is_empty() || names.iter().any(|own| own == name))
    })
}

fn compare(matrix: &Matrix<'_>, holder: &Holder, random: &mut Random, samples: usize, counts: &mut Counts) {
    let graph = matrix.cluster().graph();
    let universe = matrix.universe();
    let access = matrix.access(holder, &mut Scratch::default());
    let is_allowed = |cell: &Cell, verb: &str, name: &str, namespace: &str| {
        graph.authorize(holder.asker(), &cell.attributes(verb, name, namespace)).is_allowed()
    };
    for (column, rows) in &access.granted {
        let (cell, verb) = universe.column(*column).unwrap();
        for (namespace, names) in rows {
            assert_eq!(namespace.is_empty(), cell.place != Place::Namespaced && namespace.is_empty());
            counts.rows += 1;
            // Of a large set of rows a share is asked, never the same one.
            if samples < 100 && random.below(40) > 0 {
                continue;
            }
            counts.asked += 1;
            for (name, namespace) in requests(cell, namespace, names) {
                assert!(
                    is_allowed(cell, verb, &name, &namespace),
                    "row without access: {} {} {verb} {}/{} named {name:?} in {namespace:?}",
                    holder.kind.as_str(),
                    holder.identity,
                    cell.group,
                    cell.resource
                );
            }
        }
    }
    let mut namespaces: Vec<&str> = matrix.cluster().namespaces();
    namespaces.push("never-seen");
    for _ in 0..samples {
        let column = u32::try_from(random.below(universe.columns().len())).unwrap();
        let (cell, verb) = universe.column(column).unwrap();
        let mut namespace = *random.pick(&namespaces);
        let mut name = *random.pick(OBJECTS);
        let inside = match cell.place {
            Place::Namespaced => random.below(8) > 0,
            Place::Namespaces => {
                !matches!(verb, "*" | "create" | "list" | "watch" | "deletecollection") && random.below(2) > 0
            }
            Place::Cluster => verb == "bind" && cell.resource == "clusterroles" && random.below(2) > 0,
            Place::Url => false,
        };
        if !inside {
            namespace = "";
        } else if cell.place == Place::Namespaces {
            name = namespace;
        }
        let allowed = is_allowed(cell, verb, name, namespace);
        assert_eq!(
            is_covered(&access, column, name, namespace),
            allowed,
            "{} {}: {verb} {}/{} named {name:?} in {namespace:?}",
            holder.kind.as_str(),
            holder.identity,
            cell.group,
            cell.resource
        );
        if allowed { counts.granted += 1 } else { counts.refused += 1 }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn each_cell_is_what_authorize_says_on_generated_clusters() {
    let mut random = Random(0x5eed_1234_abcd);
    let mut counts = Counts::default();
    for _ in 0..300 {
        let cluster = cluster(&objects(&mut random));
        assert_eq!(cluster.summary().refused, 0, "{:?}", cluster.diagnostics());
        let matrix = Matrix::new(&cluster, &Filter::default());
        for holder in holder::bound(&cluster) {
            compare(&matrix, &holder, &mut random, 400, &mut counts);
        }
    }
    assert!(counts.rows > 10_000 && counts.granted > 10_000 && counts.refused > 10_000, "{counts:?}");
    eprintln!("generated clusters: {counts:?}");
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn each_cell_is_what_authorize_says_on_recorded_sets() {
    let sets = verdict_sets();
    if sets.is_empty() {
        skipped("../shared/data/verdicts");
        return;
    }
    let mut random = Random(0xfeed_4321);
    let mut counts = Counts::default();
    for (_, set) in &sets {
        let cluster = super::recorded::cluster(set["objects"]["items"].as_array().unwrap());
        let matrix = Matrix::new(&cluster, &Filter::default());
        for holder in holder::bound(&cluster) {
            compare(&matrix, &holder, &mut random, 60, &mut counts);
        }
    }
    assert!(counts.asked > 10_000 && counts.granted > 1_000 && counts.refused > 1_000, "{counts:?}");
    eprintln!("recorded sets: {counts:?}");
}
