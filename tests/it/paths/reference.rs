//! The search against the plainest closure, in which everybody reached is asked about everything in each round: on small
//! clusters made at random, and on recorded ones.

use std::collections::{BTreeMap, BTreeSet};

use rbacsim::ask::paths::{Search, Step, starts};
use serde_json::{Value, json};

use self::reach::{Found, Reference};
use super::{RBAC, grant, namespace, object, pod, rule, subject, workload};
use crate::iam_random::random::Random;
use crate::recorded::{data, skipped};

#[path = "../../../benches/support/reach.rs"]
mod reach;

/// What rules of the clusters say: verbs, group, resources, and the names to which some of them are limited.
type Says = (&'static [&'static str], &'static str, &'static [&'static str], &'static [&'static str]);

const SAYS: &[Says] = &[
    (&["impersonate"], "", &["users"], &["u0", "u1", "u9"]),
    (&["impersonate"], "", &["groups"], &["g0", "g1", "system:masters"]),
    (&["impersonate"], "", &["serviceaccounts"], &["one", "two"]),
    (&["impersonate"], "", &["users", "groups"], &["u2", "g0"]),
    (&["create"], "", &["serviceaccounts/token"], &["one", "two"]),
    (&["get", "create"], "", &["secrets"], &["token"]),
    (&["create"], "", &["secrets"], &[]),
    (&["patch"], "", &["secrets"], &["token"]),
    (&["create"], "", &["pods"], &[]),
    (&["create"], "apps", &["deployments"], &[]),
    (&["patch"], "apps", &["deployments", "daemonsets"], &["web"]),
    (&["update"], "", &["pods"], &["p0", "p1"]),
    (&["create"], "", &["pods/exec"], &["p0", "p1"]),
    (&["get"], "", &["pods/exec"], &[]),
    (&["patch"], "", &["pods/ephemeralcontainers"], &["p0", "p1"]),
    (&["get"], "", &["nodes/proxy"], &["n1"]),
    (&["create"], "", &["nodes/proxy"], &["n1", "n2"]),
    (&["update"], "", &["namespaces"], &["a", "b"]),
    (&["create"], "", &["persistentvolumes", "persistentvolumeclaims"], &[]),
    (&["create"], "", &["persistentvolumeclaims", "pods"], &[]),
    (&["create"], "", &["serviceaccounts"], &[]),
    (&["create"], RBAC, &["rolebindings"], &[]),
    (&["create", "patch"], RBAC, &["rolebindings"], &["b0", "new"]),
    (&["update"], RBAC, &["rolebindings", "clusterrolebindings"], &["b0", "b1", "b2"]),
    (&["create"], RBAC, &["clusterrolebindings"], &[]),
    (&["bind"], RBAC, &["clusterroles"], &["r0", "r1", "all"]),
    (&["bind"], RBAC, &["roles", "clusterroles"], &["r2"]),
    (&["create", "bind"], RBAC, &["rolebindings", "roles", "clusterroles"], &[]),
    (&["escalate", "update"], RBAC, &["roles"], &["r2", "r3"]),
    (&["escalate", "patch"], RBAC, &["clusterroles"], &["r0", "r1"]),
    (&["escalate", "create"], RBAC, &["roles"], &["missing"]),
    (&["escalate", "create", "update"], RBAC, &["roles"], &["missing"]),
    (&["create", "bind"], RBAC, &["rolebindings", "roles"], &[]),
    (&["escalate", "create", "update"], RBAC, &["clusterroles"], &["missing", "new"]),
    (&["patch"], "", &["configmaps"], &["aws-auth"]),
    (&["delete", "create"], "", &["configmaps"], &[]),
    (&["list"], "", &["secrets", "pods"], &[]),
];

fn one<'a>(random: &mut Random, of: &[&'a str]) -> &'a str {
    random.pick::<&str>(of)
}

/// A small cluster in which everybody is a few steps from somebody else.
fn made(random: &mut Random) -> Vec<Value> {
    let mut objects = Vec::new();
    let spaces: &[&str] = if random.percent(50) { &["a", "b"] } else { &["a", "b", "kube-system"] };
    for space in spaces {
        if random.percent(80) {
            objects.push(namespace(space, one(random, &["", "privileged", "baseline", "restricted"])));
        }
        for name in ["one", "two"] {
            if random.percent(60) {
                let automount = random.percent(80);
                let more = json!({ "automountServiceAccountToken": automount });
                objects.push(object("v1", "ServiceAccount", space, name, more));
            }
        }
        if random.percent(60) {
            let opens = random.percent(30);
            let container = json!({ "name": "c", "securityContext": { "privileged": opens } });
            let node = one(random, &["n1", "n2", "fargate-x", ""]);
            objects.push(pod(
                space,
                one(random, &["p0", "p1"]),
                one(random, &["one", "two"]),
                node,
                container,
            ));
        }
        if random.percent(40) {
            let kind = one(random, &["Deployment", "DaemonSet", "CronJob", "Job"]);
            objects.push(workload(kind, space, "web", one(random, &["one", "default"])));
        }
        if random.percent(30) {
            let more = json!({
                "type": "kubernetes.io/service-account-token",
                "metadata": { "annotations": { "kubernetes.io/service-account.name": "one" } },
            });
            objects.push(object("v1", "Secret", space, "token", more));
        }
    }
    if random.percent(40) {
        objects.push(object("v1", "ConfigMap", "kube-system", "aws-auth", json!({ "data": {} })));
    }
    let everything = [rule(&["*"], "*", &["*"], &[])];
    let all = grant("", "all", "User nobody", &everything);
    if random.percent(50) {
        objects.push(all[0].clone());
    }
    // Roles: `r0` and `r1` of the cluster, `r2` and `r3` in namespaces.
    let mut roles: Vec<(&str, &str)> = Vec::new();
    for name in ["r0", "r1", "r2", "r3", "r4", "r5"] {
        let home = if matches!(name, "r2" | "r3") { one(random, spaces) } else { "" };
        let count = 1 + random.below(3);
        let rules: Vec<Value> = (0..count)
            .map(|_| {
                let (verbs, group, resources, names) = random.pick(SAYS);
                let names: Vec<&str> = names.iter().copied().filter(|_| random.percent(60)).collect();
                rule(verbs, group, resources, if random.percent(40) { &names } else { &[] })
            })
            .collect();
        objects.push(grant(home, name, "User nobody", &rules)[0].clone());
        roles.push((home, name));
    }
    let subjects = [
        "User u0",
        "User u1",
        "User u2",
        "Group g0",
        "Group g1",
        "Group system:serviceaccounts:a",
        "User system:serviceaccount:b:two",
        "ServiceAccount a/one",
        "ServiceAccount a/two",
        "ServiceAccount b/one",
        "ServiceAccount b/default",
        "ServiceAccount kube-system/one",
    ];
    for number in 0..7 + random.below(5) {
        let name = format!("b{number}");
        let (home, role) = if random.percent(8) {
            (one(random, &["", "a"]), "missing")
        } else if random.percent(3) {
            ("", "all")
        } else {
            *random.pick(&roles)
        };
        let place = match home {
            "" if random.percent(45) => "",
            "" => one(random, spaces),
            home => home,
        };
        let mut binding = grant(place, &name, one(random, &subjects), &[])[1].clone();
        let kind = if home.is_empty() { "ClusterRole" } else { "Role" };
        binding["roleRef"] = json!({ "apiGroup": RBAC, "kind": kind, "name": role });
        if random.percent(25) {
            binding["subjects"].as_array_mut().unwrap().push(subject(one(random, &subjects)));
        }
        objects.push(binding);
    }
    objects
}

/// How two results differ.
fn differences(ours: &Found, theirs: &Found) -> Vec<String> {
    let names: BTreeSet<&String> = ours.reached.keys().chain(theirs.reached.keys()).collect();
    let reached = names.into_iter().filter(|name| ours.reached.get(*name) != theirs.reached.get(*name));
    let reached = reached.map(|name| {
        format!("{name}: {:?}, by asking everybody {:?}", ours.reached.get(name), theirs.reached.get(name))
    });
    let sinks = theirs.sinks.iter().filter(|(sink, depth)| ours.sinks.get(*sink) != Some(depth));
    let sinks = sinks.map(|(sink, depth)| {
        format!("sink {sink}: {:?}, by asking everybody {depth:?}", ours.sinks.get(sink).copied().flatten())
    });
    reached.chain(sinks).collect()
}

/// What the search finds, in the form of the reference, and the kinds of steps.
fn found(paths: &rbacsim::ask::paths::Paths, steps: &mut BTreeSet<&'static str>) -> Found {
    let own = paths.reached.iter().chain(&paths.roles);
    steps.extend(own.flat_map(|reach| reach.last.iter()).map(Step::id));
    let reached: BTreeMap<String, u16> =
        paths.reached.iter().map(|reach| (reach.identity.clone(), reach.depth)).collect();
    Found { reached, sinks: paths.sinks.iter().copied().collect() }
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn small_clusters_are_searched_as_by_asking_everybody_everything() {
    const CLUSTERS: u64 = 200;
    let seeds = match std::env::var("REACH_SEED") {
        Ok(seed) => seed.parse().unwrap()..seed.parse::<u64>().unwrap() + 1,
        Err(_) => 0..CLUSTERS,
    };
    let (mut compared, mut deep, mut admins) = (0, 0, 0);
    let (mut steps, mut wrong) = (BTreeSet::new(), Vec::new());
    for seed in seeds {
        let objects = made(&mut Random::new(seed));
        let version = if seed % 5 == 0 { "1.34" } else { "1.36" };
        if std::env::var_os("REACH_SEED").is_some() {
            eprintln!("{}", serde_yaml::to_string(&objects).unwrap());
        }
        let reference = Reference::new(&objects, version);
        let mut search = Search::new(reference.cluster());
        let mut large = Search::of_large(reference.cluster());
        let mut random = Random::new(seed);
        let mut froms = starts(reference.cluster());
        while froms.len() > 4 {
            froms.remove(random.below(froms.len()));
        }
        for from in froms {
            let Some(user) = &from.user else { continue };
            let ours = found(&search.paths(&from, None), &mut steps);
            let theirs = reference.reach(user);
            // A large cluster is searched in another way.
            let in_large = large.overview(&from, None);
            let in_large: BTreeMap<&str, Option<u16>> = in_large.sinks.into_iter().collect();
            if in_large != theirs.sinks {
                wrong.push(format!("seed {seed}: {}: in a large cluster {in_large:?}", from.title));
            }
            compared += 1;
            deep += usize::from(ours.reached.values().any(|depth| *depth > 2));
            admins += usize::from(ours.reached.contains_key("cluster-admin"));
            let differ = differences(&ours, &theirs);
            wrong.extend(differ.into_iter().map(|line| format!("seed {seed}: {}: {line}", from.title)));
        }
    }
    eprintln!(
        "paths by asking everybody: {compared} starts, {deep} deeper than 2, {admins} become cluster-admin, {} kinds of steps, {} differ",
        steps.len(),
        wrong.len()
    );
    assert_eq!(wrong, [""; 0]);
    if std::env::var_os("REACH_SEED").is_none() {
        assert!(deep > 50 && admins > 50, "{deep} {admins}");
        assert!(steps.len() >= 20, "{steps:?}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn recorded_clusters_are_searched_as_by_asking_everybody_everything() {
    let Some(folder) = data().map(|data| data.join("paths")).filter(|folder| folder.is_dir()) else {
        skipped("../shared/data/paths");
        return;
    };
    let sets: Vec<u32> = match std::env::var("REACH_SETS") {
        Ok(sets) => sets.split(',').map(|set| set.parse().unwrap()).collect(),
        Err(_) => vec![1, 7],
    };
    let (mut compared, mut wrong) = (0, Vec::new());
    for set in sets {
        let file = std::fs::File::open(folder.join(format!("open-{set}.json.gz"))).unwrap();
        let recorded: Value = serde_json::from_reader(flate2::read::GzDecoder::new(file)).unwrap();
        let objects = recorded["objects"].as_array().unwrap();
        let version = recorded["kubernetes_version"].as_str().unwrap();
        let reference = Reference::new(objects, version);
        let cluster = reference.cluster();
        for expected in recorded["reach"].as_array().unwrap() {
            let subject = expected["subject"].as_str().unwrap();
            let from = super::from(cluster, subject);
            let Some(user) = &from.user else { continue };
            let theirs = reference.reach(user);
            let reached = expected["reached"].as_array().unwrap().iter();
            let depth = |value: &Value| u16::try_from(value.as_u64().unwrap()).unwrap();
            let reached: BTreeMap<String, u16> = reached
                .map(|entry| (entry["identity"].as_str().unwrap().to_owned(), depth(&entry["depth"])))
                .collect();
            // How far exec everywhere is, the records contradict each other; the search is compared with both.
            let ours = found(&Search::new(cluster).paths(&from, None), &mut BTreeSet::new());
            let recorded = Found { reached, sinks: ours.sinks.clone() };
            compared += 1;
            let differ = differences(&recorded, &theirs);
            wrong.extend(differ.into_iter().map(|line| format!("set {set}: {subject}: {line}")));
        }
    }
    eprintln!("paths by asking everybody: {compared} recorded starts, {} differ", wrong.len());
    assert_eq!(wrong, [""; 0]);
}
