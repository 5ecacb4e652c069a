//! What a search of many starts may share, and what it may not.

use rbacsim::ask::paths::{Search, Target};
use serde_json::{Value, json};

use super::goals::{indirect_is_the_same, ways_are_the_same};
use super::indirect::asked;
use super::{RBAC, account, all, cluster, from, grant, namespace, pod, rule, workload};

/// The sinks that a start reaches and may reach, by the search for one and by the one for many.
#[track_caller]
fn same(objects: &Value, starts: &[&str]) {
    same_sinks(objects, starts);
    same_goals(objects, starts);
}

/// The ways to one thing, and who gets to where something is allowed, by searches that end there and by whole ones.
#[track_caller]
fn same_goals(objects: &Value, starts: &[&str]) {
    let cluster = cluster(objects, "1.36");
    let froms: Vec<_> = starts.iter().map(|start| from(&cluster, start)).collect();
    ways_are_the_same(&cluster, &froms);
    for (verb, resource, namespace) in [("delete", "nodes", ""), ("get", "secrets", "web")] {
        indirect_is_the_same(&cluster, &asked(verb, resource, namespace));
    }
}

#[track_caller]
fn same_sinks(objects: &Value, starts: &[&str]) {
    let cluster = cluster(objects, "1.36");
    assert_eq!(cluster.diagnostics(), []);
    let froms: Vec<_> = starts.iter().map(|start| from(&cluster, start)).collect();
    let overviews = Search::of_large(&cluster).overviews(&froms, None);
    // However high a bound is, what is certain is the same.
    let bounded = Search::of_large(&cluster).overviews(&froms, Some(u16::MAX / 2));
    for ((from, overview), bounded) in froms.iter().zip(overviews).zip(bounded) {
        assert_eq!(bounded.sinks, overview.sinks, "{}", from.title);
        let one = Search::of_large(&cluster).overview(from, Some(u16::MAX / 2));
        assert_eq!(one.sinks, overview.sinks, "{}", from.title);
        let mut search = Search::of_large(&cluster);
        let traced = search.traced_with_possible(from, None);
        assert_eq!(overview.sinks, traced.paths.sinks, "{}", from.title);
        let reached = (!traced.paths.admin).then_some(traced.paths.reached.len());
        assert_eq!(overview.reached, reached, "{}", from.title);
        for (sink, certain) in &overview.sinks {
            let possible = certain.is_none() && traced.possibly_to(&Target::Sink(sink)).is_some();
            assert_eq!(overview.possible.contains(sink), possible, "{}: {sink}", from.title);
        }
    }
}

fn nobody_else() -> Vec<Value> {
    vec![namespace("apps", ""), namespace("web", "restricted"), account("apps", "a"), account("web", "b")]
}

/// Both starts hold a role that allows nothing of interest; somebody whom both become rewrites the role of one.
#[test]
fn starts_that_are_alike_are_told_apart_where_a_role_is_changed() {
    let runs = [rule(&["create"], "", &["pods"], &[])];
    let objects = all(&[
        &nobody_else(),
        &grant("apps", "first-runs", "User first", &runs),
        &grant("apps", "second-runs", "User second", &runs),
        &grant("", "first-looks", "User first", &[rule(&["get"], "", &["services"], &[])]),
        &grant("", "second-looks", "User second", &[rule(&["get"], "", &["endpoints"], &[])]),
        &grant(
            "",
            "rewrites",
            "ServiceAccount apps/a",
            &[rule(&["update", "escalate"], RBAC, &["clusterroles"], &["first-looks"])],
        ),
    ]);
    same(&objects, &["User first", "User second"]);
    let cluster = cluster(&objects, "1.36");
    let mut search = Search::of_large(&cluster);
    assert_eq!(search.overview(&from(&cluster, "User first"), None).depth("cluster-admin"), Some(2));
    assert_eq!(search.overview(&from(&cluster, "User second"), None).depth("cluster-admin"), None);
}

/// Whoever runs pods everywhere gets nothing more by exec where no pod opens its node, and more where one does.
#[test]
fn a_right_that_makes_no_difference_makes_starts_alike_and_one_that_does_does_not() {
    let opens = json!({ "name": "c", "securityContext": { "privileged": true } });
    let objects = all(&[
        &nobody_else(),
        &[workload("Deployment", "apps", "site", "a"), pod("web", "root", "b", "node-1", opens)],
        &grant("", "plain", "User plain", &[rule(&["create"], "", &["pods"], &[])]),
        &grant("", "one", "User one", &[rule(&["create"], "", &["pods"], &[])]),
        &grant("apps", "one-exec", "User one", &[rule(&["create"], "", &["pods/exec"], &[])]),
        &grant("", "two", "User two", &[rule(&["create"], "", &["pods"], &[])]),
        &grant("web", "two-exec", "User two", &[rule(&["create"], "", &["pods/exec"], &[])]),
    ]);
    same(&objects, &["User plain", "User one", "User two"]);
    let cluster = cluster(&objects, "1.36");
    let mut search = Search::of_large(&cluster);
    let mut reached = |start: &str| search.overview(&from(&cluster, start), None).reached;
    assert_eq!(reached("User plain"), reached("User one"));
    assert_ne!(reached("User plain"), reached("User two"));
}

/// One uncertain step gives every service account; whether one of them is cluster-admin is looked at once.
#[test]
fn a_crowd_is_judged_once_and_not_mistaken() {
    let webhooks = "admissionregistration.k8s.io";
    let hooks = [rule(&["create"], webhooks, &["mutatingwebhookconfigurations"], &[])];
    let certificates = [
        rule(&["create"], "certificates.k8s.io", &["certificatesigningrequests"], &[]),
        rule(&["update"], "certificates.k8s.io", &["certificatesigningrequests/approval"], &[]),
        rule(&["approve"], "certificates.k8s.io", &["signers"], &[]),
    ];
    let few = all(&[
        &nobody_else(),
        &grant("", "hooks", "User hooks", &hooks),
        &grant("", "signs", "User signs", &certificates),
        &grant("apps", "reads", "User hooks", &[rule(&["get"], "", &["secrets"], &[])]),
        &grant("", "all", "User all", &[rule(&["*"], "*", &["*"], &[])]),
    ]);
    same(&few, &["User hooks", "User signs"]);
    let strong = grant("", "strong", "ServiceAccount web/b", &[rule(&["*"], "*", &["*"], &[])]);
    let more = all(&[few.as_array().unwrap(), &strong]);
    same(&more, &["User hooks", "User signs"]);
}

/// Identities of the same groups share what the groups give; what a user has besides still counts together with it.
#[test]
fn what_a_user_and_its_groups_have_counts_together() {
    let objects = all(&[
        &nobody_else(),
        &grant(
            "",
            "may",
            "User may",
            &[
                rule(&["impersonate"], "", &["users"], &["binder"]),
                rule(&["impersonate"], "", &["groups"], &["writers", "readers"]),
            ],
        ),
        // One may bind any role, the other writes bindings: only together do they give a role away.
        &grant("apps", "binds", "User binder", &[rule(&["bind"], RBAC, &["clusterroles"], &[])]),
        &grant("", "writes", "Group writers", &[rule(&["create"], RBAC, &["rolebindings"], &[])]),
        &grant("", "reads", "Group readers", &[rule(&["get"], "", &["pods"], &[])]),
        &grant("", "all", "User all", &[rule(&["*"], "*", &["*"], &[])]),
    ]);
    same(&objects, &["User may"]);
    let cluster = cluster(&objects, "1.36");
    let mut search = Search::of_large(&cluster);
    let reached = search.paths(&from(&cluster, "User may"), None).reached;
    assert!(reached.iter().any(|own| own.identity == "namespace-admin apps"), "{reached:?}");
}

/// Verbs, API group, resources and names.
type Right = (&'static [&'static str], &'static str, &'static [&'static str], &'static [&'static str]);

/// What rules are made of at random: what paths are made of, with names and without.
const RIGHTS: [Right; 39] = [
    (&["create"], "", &["pods"], &[]),
    (&["create"], "", &["pods/exec"], &[]),
    (&["get"], "", &["pods/exec"], &[]),
    (&["patch"], "", &["pods/ephemeralcontainers"], &[]),
    (&["create"], "apps", &["deployments"], &[]),
    (&["update"], "apps", &["deployments"], &["site"]),
    (&["patch"], "apps", &["daemonsets"], &[]),
    (&["create"], "batch", &["jobs", "cronjobs"], &[]),
    (&["get", "list"], "", &["secrets"], &[]),
    (&["get"], "", &["secrets"], &["a-token"]),
    (&["create"], "", &["secrets"], &[]),
    (&["create"], "", &["serviceaccounts/token"], &[]),
    (&["create"], "", &["serviceaccounts/token"], &["a"]),
    (&["impersonate"], "", &["users"], &[]),
    (&["impersonate"], "", &["users"], &["two"]),
    (&["impersonate"], "", &["groups"], &["team"]),
    (&["impersonate"], "", &["serviceaccounts"], &[]),
    (&["create", "update"], RBAC, &["rolebindings"], &[]),
    (&["create"], RBAC, &["clusterrolebindings"], &[]),
    (&["bind"], RBAC, &["clusterroles"], &[]),
    (&["bind"], RBAC, &["clusterroles"], &["cluster-admin"]),
    (&["update", "escalate"], RBAC, &["roles"], &[]),
    (&["update", "escalate"], RBAC, &["clusterroles"], &[]),
    (&["update"], RBAC, &["clusterroles"], &["r0"]),
    (&["create"], "admissionregistration.k8s.io", &["mutatingwebhookconfigurations"], &[]),
    (&["create"], "certificates.k8s.io", &["certificatesigningrequests"], &[]),
    (&["update"], "certificates.k8s.io", &["certificatesigningrequests/approval"], &[]),
    (&["get", "create"], "", &["nodes/proxy"], &[]),
    (&["get"], "", &["services"], &[]),
    (&["update", "create"], "", &["configmaps"], &[]),
    (&["create"], "", &["pods/attach"], &[]),
    (&["create"], "", &["serviceaccounts"], &[]),
    (&["create"], "", &["persistentvolumes", "persistentvolumeclaims"], &[]),
    (&["patch"], "", &["namespaces"], &[]),
    (&["create"], "", &["pods/binding", "pods/eviction"], &[]),
    (&["create", "patch"], RBAC, &["rolebindings"], &["leader"]),
    (&["update"], RBAC, &["rolebindings"], &[]),
    (&["update"], RBAC, &["rolebindings"], &["r1"]),
    (&["*"], "*", &["*"], &[]),
];

const WHO: [&str; 7] = [
    "User one",
    "User two",
    "User three",
    "Group team",
    "ServiceAccount apps/a",
    "ServiceAccount web/b",
    "ServiceAccount web/c",
];

/// Clusters made at random: whoever is searched together with others reaches what it reaches when it is searched alone.
#[test]
fn searches_that_share_find_what_each_finds_alone() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    // Of rights that give everything away few, or nothing else is ever tried.
    let right = prop_oneof![20 => 0..RIGHTS.len() - 1, 1 => Just(RIGHTS.len() - 1)];
    let held =
        (0..WHO.len(), prop::sample::select(vec!["", "", "apps", "web"]), prop::collection::vec(right, 1..4));
    let made = (prop::collection::vec(held, 1..9), any::<[bool; 3]>());
    let cases = std::env::var("RBACSIM_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let (apart, together, tried) =
        <(std::cell::Cell<u32>, std::cell::Cell<u32>, std::cell::Cell<u32>)>::default();
    let mut runner = TestRunner::new_with_rng(
        config.clone(),
        proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm),
    );
    runner
        .run(&made, |(held, [opens, runs, restricted])| {
            let mut objects = vec![
                namespace("apps", ""),
                namespace("web", if restricted { "restricted" } else { "" }),
                account("apps", "a"),
                account("web", "b"),
                account("web", "c"),
            ];
            if runs {
                objects.push(workload("Deployment", "apps", "site", "a"));
            }
            if opens {
                let opens = json!({ "name": "c", "securityContext": { "privileged": true } });
                objects.push(pod("web", "root", "b", "node-1", opens));
            }
            for ((who, place, rights), number) in held.iter().zip(0..) {
                let rules: Vec<Value> = rights
                    .iter()
                    .map(|right| {
                        let (verbs, group, resources, names) = RIGHTS[*right];
                        rule(verbs, group, resources, names)
                    })
                    .collect();
                objects.extend(grant(place, &format!("r{number}"), WHO[*who], &rules));
            }
            // Two hold what one holds: they are alike, or nearly.
            let (_, place, rights) = &held[0];
            let (verbs, group, resources, names) = RIGHTS[rights[0]];
            for who in ["User one", "User three"] {
                let name = format!("like-{}", &who[5..]);
                objects.extend(grant(place, &name, who, &[rule(verbs, group, resources, names)]));
            }
            let objects = all(&[&objects]);
            same_sinks(&objects, &WHO);
            // Ways to one thing take longer: they are looked for in some.
            if tried.replace(tried.get() + 1) % 8 == 0 {
                same_goals(&objects, &WHO);
            }
            let cluster = cluster(&objects, "1.36");
            let froms: Vec<_> = WHO.iter().map(|who| from(&cluster, who)).collect();
            for overview in Search::of_large(&cluster).overviews(&froms, None) {
                let count = if overview.reached == Some(0) { &apart } else { &together };
                count.set(count.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    // Some reach nothing and some do, or nothing was tried.
    assert!(apart.get() > 20 && together.get() > 20, "{apart:?} {together:?}");
}
