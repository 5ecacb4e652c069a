//! Laws of the search for paths, on recorded clusters and small ones.

use super::*;

/// Clusters of the recorded sets, or nothing where they are not there.
fn recorded_objects() -> Vec<(Vec<Value>, String)> {
    let Some(folder) = data().map(|data| data.join("paths")).filter(|folder| folder.is_dir()) else {
        return Vec::new();
    };
    (1..4)
        .map(|number| {
            let path = folder.join(format!("open-{number}.json.gz"));
            let mut text = String::new();
            flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
                .read_to_string(&mut text)
                .unwrap();
            let set: Value = serde_json::from_str(&text).unwrap();
            (
                set["objects"].as_array().unwrap().clone(),
                set["kubernetes_version"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn paths_of_all(objects: &[Value], version: &str) -> Vec<(String, Paths)> {
    let cluster = cluster(&Value::Array(objects.to_vec()), version);
    let mut search = Search::new(&cluster);
    rbacsim::ask::paths::starts(&cluster)
        .into_iter()
        .map(|from| (from.title.clone(), search.paths(&from, None)))
        .collect()
}

#[test]
fn the_order_of_objects_does_not_matter() {
    for (mut objects, version) in recorded_objects() {
        let before = paths_of_all(&objects, &version);
        objects.reverse();
        let after = paths_of_all(&objects, &version);
        let show = |all: &[(String, Paths)]| format!("{all:?}");
        let plain = |all: Vec<(String, Paths)>| {
            all.into_iter()
                .map(|(title, paths)| {
                    let entry = |reach: &rbacsim::ask::paths::Reach| {
                        format!("{} {} {:?}", reach.identity, reach.depth, reach.last)
                    };
                    let reached: Vec<String> = paths.reached.iter().chain(&paths.roles).map(entry).collect();
                    (title, reached, paths.sinks)
                })
                .collect::<Vec<_>>()
        };
        assert!(!show(&before).is_empty());
        assert_eq!(plain(before), plain(after));
    }
}

#[test]
fn more_rights_never_reach_less() {
    let mut less = 0;
    let sets = recorded_objects();
    for (objects, version) in &sets {
        let (objects, version) = (objects.clone(), version.as_str());
        let whole = paths_of_all(&objects, version);
        // Without every third binding of its own.
        let mut number = 0;
        let fewer: Vec<Value> = objects
            .iter()
            .filter(|object| {
                let is_default = object["metadata"]["labels"]["kubernetes.io/bootstrapping"].is_string();
                let is_binding = object["kind"].as_str().unwrap().ends_with("Binding") && !is_default;
                number += usize::from(is_binding);
                !(is_binding && number % 3 == 0)
            })
            .cloned()
            .collect();
        for (title, paths) in paths_of_all(&fewer, version) {
            let Some((_, more)) = whole.iter().find(|(other, _)| *other == title) else { continue };
            for ((sink, of_less), (_, of_more)) in paths.sinks.iter().zip(&more.sinks) {
                let rank = |depth: &Option<u16>| depth.unwrap_or(u16::MAX);
                assert!(rank(of_more) <= rank(of_less), "{title}: {sink}: {of_more:?} {of_less:?}");
                less += usize::from(rank(of_more) < rank(of_less));
            }
        }
    }
    assert!(sets.is_empty() || less > 10, "only {less} sinks came later");
}

#[test]
fn without_the_last_grant_of_every_way_the_sink_is_gone() {
    let pods = rule(&["create"], "", &["pods"], &[]);
    let everything = rule(&["*"], "*", &["*"], &[]);
    let parts = [
        grant("ci", "dev", MAY, std::slice::from_ref(&pods)),
        grant("ops", "deploy", "ServiceAccount ci/default", &[pods]),
        grant("", "root", "ServiceAccount ops/default", &[everything]),
    ];
    let admin = |parts: &[[Value; 2]]| {
        let objects = Value::Array(parts.concat());
        reached_in(&objects, MAY, "1.36").iter().any(|reach| reach.starts_with("cluster-admin"))
    };
    assert!(admin(&parts));
    for left_out in 0..parts.len() {
        let rest: Vec<_> = parts
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, part)| part.clone())
            .collect();
        assert!(!admin(&rest), "{left_out}");
    }
}

#[test]
fn at_most_so_many_steps() {
    let pods = rule(&["create"], "", &["pods"], &[]);
    let objects = all(&[
        &grant("a", "one", MAY, std::slice::from_ref(&pods)),
        &grant("b", "two", "ServiceAccount a/default", std::slice::from_ref(&pods)),
        &grant("c", "three", "ServiceAccount b/default", &[pods]),
    ]);
    let cluster = cluster(&objects, "1.36");
    let mut search = Search::new(&cluster);
    for most in 0..4u16 {
        let paths = search.paths(&from(&cluster, MAY), Some(most));
        assert_eq!(paths.reached.len(), usize::from(most));
    }
}

/// A cluster in which every possible step leads somewhere, as parts of which each may be left out.
fn parts_of_possible_steps() -> Vec<Vec<Value>> {
    let authentication = "authentication.k8s.io";
    let strong = "ServiceAccount strong/root";
    let everything = rule(&["*"], "*", &["*"], &[]);
    let privileged = json!({ "name": "c", "securityContext": { "privileged": true } });
    let admission = |resource: &str| rule(&["create"], "admissionregistration.k8s.io", &[resource], &[]);
    let certificates =
        |verb: &str, resource: &str, name: &[&str]| rule(&[verb], "certificates.k8s.io", &[resource], name);
    let of = |name: &str, who: &str, rules: &[Value]| grant("", name, who, rules).to_vec();
    vec![
        vec![namespace("strong", "restricted"), namespace("mine", "restricted")],
        vec![account("strong", "root"), account("mine", "web")],
        of("root", strong, &[everything]),
        vec![pod("strong", "p", "root", "node-2", json!({ "name": "c" }))],
        vec![pod("mine", "agent", "web", "node-1", privileged)],
        of("exec", MAY, &[rule(&["create"], "", &["pods/exec"], &["agent"])]),
        of(
            "acts",
            MAY,
            &[rule(&["impersonate:serviceaccount"], authentication, &["serviceaccounts"], &["root"])],
        ),
        of("pods", MAY, &[rule(&["impersonate-on:serviceaccount:create"], "", &["pods"], &[])]),
        of("reads", "User ann", &[rule(&["impersonate-on:serviceaccount:get"], "", &["secrets"], &[])]),
        of(
            "ann",
            "User ann",
            &[rule(&["impersonate:serviceaccount"], authentication, &["serviceaccounts"], &[])],
        ),
        of("node", "User bob", &[rule(&["impersonate:arbitrary-node"], authentication, &["nodes"], &[])]),
        of(
            "tokens",
            "User bob",
            &[rule(&["impersonate-on:arbitrary-node:create"], "", &["serviceaccounts/token"], &[])],
        ),
        of("users", "User cat", &[rule(&["impersonate"], "", &["users"], &["system:node:node-2"])]),
        of("groups", "User cat", &[rule(&["impersonate"], "", &["groups"], &["system:nodes"])]),
        of("labels", MAY, &[rule(&["patch"], "", &["nodes"], &["node-1"])]),
        of("sees", "User dan", &[admission("validatingwebhookconfigurations")]),
        of("asks", "User eve", &[certificates("create", "certificatesigningrequests", &[])]),
        of(
            "approves",
            "User eve",
            &[
                certificates("update", "certificatesigningrequests/approval", &[]),
                certificates("approve", "signers", &["kubernetes.io/kube-apiserver-client-kubelet"]),
            ],
        ),
        of("applies", "User fay", &[rule(&["create", "patch"], "batch", &["jobs"], &["x"])]),
        of(
            "binds",
            "User gus",
            &[
                rule(&["impersonate:serviceaccount"], authentication, &["serviceaccounts"], &[]),
                rule(&["impersonate-on:serviceaccount:create"], RBAC, &["clusterrolebindings"], &[]),
            ],
        ),
    ]
}

/// What everybody reaches, for certain and if conditions hold: sinks, and identities with their conditions counted.
fn possible_of_all(objects: &[Value]) -> Vec<(String, Vec<&'static str>, Vec<String>)> {
    let cluster = super::beyond::loaded(&Value::Array(objects.to_vec()), None, true);
    let mut search = Search::new(&cluster);
    let starts = rbacsim::ask::paths::starts(&cluster);
    let mut found = Vec::new();
    for from in &starts {
        let overview = search.overview(from, None);
        let sinks = rbacsim::ask::paths::SINKS.into_iter().filter(|sink| overview.may_reach(sink)).collect();
        let traced = search.traced_with_possible(from, None);
        let certain = traced.paths.reached.iter().map(|own| format!("{} {}", own.identity, own.depth));
        let possible = traced.possible.iter().map(|own| {
            let steps: Vec<&str> = traced.steps(&own.reach).iter().map(|step| step.id()).collect();
            format!("{} {} {steps:?} {}", own.reach.identity, own.reach.depth, own.conditions.len())
        });
        found.push((from.title.clone(), sinks, certain.chain(possible).collect()));
    }
    found
}

#[test]
fn the_order_of_objects_does_not_matter_for_possible_steps() {
    let mut objects: Vec<Value> = parts_of_possible_steps().concat();
    let before = possible_of_all(&objects);
    let by_step =
        |step: &str| before.iter().flat_map(|(.., ways)| ways).filter(|way| way.contains(step)).count();
    for step in [
        "constrained-impersonation",
        "impersonate-node",
        "node-labels",
        "see-by-webhook",
        "csr-node",
        "apply-create",
        "bind-role",
    ] {
        assert!(by_step(step) > 0, "{step}: {before:#?}");
    }
    objects.reverse();
    assert_eq!(before, possible_of_all(&objects));
}

#[test]
fn more_rights_never_reach_fewer_sinks_even_if_conditions_hold() {
    let parts = parts_of_possible_steps();
    let whole = possible_of_all(&parts.concat());
    let mut fewer = 0;
    // Rights alone: a pod or an account more is no right more.
    let is_right =
        |part: &&Vec<Value>| part.iter().all(|own| own["kind"].as_str().unwrap().starts_with("ClusterRole"));
    for left_out in parts.iter().filter(is_right) {
        let rest: Vec<Value> = parts.iter().filter(|part| *part != left_out).flatten().cloned().collect();
        for (title, sinks, _) in possible_of_all(&rest) {
            let Some((_, more, _)) = whole.iter().find(|(other, ..)| *other == title) else { continue };
            assert!(sinks.iter().all(|sink| more.contains(sink)), "{title}: {sinks:?} {more:?}");
            fewer += more.len() - sinks.len();
        }
    }
    assert!(fewer > 10, "only {fewer} sinks were lost");
}
