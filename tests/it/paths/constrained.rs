//! Constrained impersonation: never the other whole, only the requests that both the other and who acts are allowed.

use rbacsim::ask::paths::{Condition, Search, Target};
use rbacsim::decide::cluster::Cluster;
use serde_json::{Value, json};

use super::beyond::{STRONG, is_not_possible, is_possible_by, loaded, loaded_as, strong, way, ways};
use super::{RBAC, account, from, grant, namespace, pod, rule};

const MAY: &str = "User may";
const GROUP: &str = "authentication.k8s.io";

/// The right to act as the strong account, whose namespace is `strong`.
fn as_root() -> Value {
    rule(&["impersonate:serviceaccount"], GROUP, &["serviceaccounts"], &["root"])
}

fn on(mode: &str, verb: &str, group: &str, resource: &str, names: &[&str]) -> Value {
    rule(&[&format!("impersonate-on:{mode}:{verb}")], group, &[resource], names)
}

fn objects(rules: &[Value]) -> Vec<Value> {
    let mut all = strong();
    all.extend(grant("", "may", MAY, rules));
    all
}

fn with(rules: &[Value]) -> Cluster {
    loaded(&Value::Array(objects(rules)), None, true)
}

#[test]
fn only_the_requests_that_are_chosen_and_that_the_other_may() {
    let pods = on("serviceaccount", "create", "", "pods", &[]);
    let cluster = with(&[as_root(), pods.clone()]);
    let restricted = format!("{STRONG}, restricted to create pods");
    is_possible_by(&cluster, MAY, &restricted, &["constrained-impersonation"]);
    // With pods everywhere it gets the account itself.
    is_possible_by(&cluster, MAY, "cluster-admin", &["constrained-impersonation", "create-pod"]);
    // The other alone, the choice alone, another mode, or requests that are no steps lead nowhere.
    is_not_possible(&with(&[as_root()]), MAY, "cluster-admin");
    is_not_possible(&with(std::slice::from_ref(&pods)), MAY, "cluster-admin");
    is_not_possible(&with(&[as_root(), on("user-info", "create", "", "pods", &[])]), MAY, "cluster-admin");
    let views = with(&[as_root(), on("serviceaccount", "get", "", "configmaps", &[])]);
    assert_eq!(ways(&views, MAY), (Vec::new(), Vec::new()));
}

#[test]
fn the_other_must_be_allowed_the_same_request() {
    let update = rule(&["update"], "apps", &["deployments"], &[]);
    let choice = |verb: &str| on("serviceaccount", verb, "apps", "deployments", &[]);
    let with = |verb: &str| {
        let mut all =
            objects(&[rule(&["impersonate:serviceaccount"], GROUP, &["serviceaccounts"], &["web"])]);
        all.push(super::workload("Deployment", "strong", "api", "root"));
        all.extend(grant("strong", "web", "ServiceAccount mine/web", std::slice::from_ref(&update)));
        all.extend(grant("", "choice", MAY, &[choice(verb)]));
        loaded(&Value::Array(all), None, true)
    };
    let steps = ["constrained-impersonation", "change-workload"];
    is_possible_by(&with("update"), MAY, "cluster-admin", &steps);
    // Both change Deployments, but by no verb together.
    is_not_possible(&with("patch"), MAY, "cluster-admin");
}

#[test]
fn names_and_namespaces_of_both_count() {
    let other = |names: &[&str]| rule(&["impersonate:serviceaccount"], GROUP, &["serviceaccounts"], names);
    let tokens = |names: &[&str]| on("serviceaccount", "create", "", "serviceaccounts/token", names);
    let token = |names: &[&str]| rule(&["create"], "", &["serviceaccounts/token"], names);
    let with = |theirs: &[&str], chosen: &[&str], at: &str| {
        let mut all = strong();
        all.extend(grant("strong", "web", "ServiceAccount mine/web", &[token(theirs)]));
        all.extend(grant("mine", "other", MAY, &[other(&["web"])]));
        all.extend(grant(at, "choice", MAY, &[tokens(chosen)]));
        loaded(&Value::Array(all), None, true)
    };
    let steps = ["constrained-impersonation", "create-token"];
    for (theirs, chosen) in
        [(&[][..], &[][..]), (&["root"], &[]), (&[], &["root"]), (&["root", "x"], &["y", "root"])]
    {
        is_possible_by(&with(theirs, chosen, "strong"), MAY, "cluster-admin", &steps);
    }
    is_not_possible(&with(&["root"], &["x"], "strong"), MAY, "cluster-admin");
    is_not_possible(&with(&[], &[], "mine"), MAY, "cluster-admin");
    let mut all = strong();
    all.extend(grant("strong", "web", "ServiceAccount mine/web", &[token(&[])]));
    all.extend(grant("strong", "other", MAY, &[other(&["web"])]));
    all.extend(grant("", "choice", MAY, &[tokens(&[])]));
    // Who may be another is asked in the namespace of that account.
    is_not_possible(&loaded(&Value::Array(all), None, true), MAY, "cluster-admin");
}

#[test]
fn users_with_groups_but_never_masters() {
    let user = |names: &[&str]| rule(&["impersonate:user-info"], GROUP, &["users"], names);
    let group = |names: &[&str]| rule(&["impersonate:user-info"], GROUP, &["groups"], names);
    let pods = on("user-info", "create", "", "pods", &[]);
    let creates = rule(&["create"], "", &["pods"], &[]);
    let bound = |who: &str, rules: &[Value]| {
        let mut all = objects(rules);
        all.extend(grant("strong", "team", who, std::slice::from_ref(&creates)));
        loaded(&Value::Array(all), None, true)
    };
    let steps = ["constrained-impersonation", "create-pod"];
    is_possible_by(&bound("User ann", &[user(&["ann"]), pods.clone()]), MAY, "cluster-admin", &steps);
    is_possible_by(
        &bound("Group ops", &[user(&["bob"]), group(&["ops"]), pods.clone()]),
        MAY,
        "cluster-admin",
        &steps,
    );
    // A group without a user is refused; an account is no user in this mode.
    is_not_possible(&bound("Group ops", &[group(&["ops"]), pods.clone()]), MAY, "cluster-admin");
    is_not_possible(&bound("User ann", &[user(&["bob"]), pods.clone()]), MAY, "cluster-admin");
    let name = "system:serviceaccount:strong:root";
    is_not_possible(&with(&[user(&[name]), pods.clone()]), MAY, "cluster-admin");
    let masters = [user(&["bob"]), group(&["system:masters"]), pods.clone()];
    is_not_possible(&bound("Group system:masters", &masters), MAY, "cluster-admin");
    // Of four groups and more the literal name `*` stands for all.
    let four = |who: &[&str]| {
        let mut all = objects(&[user(&["bob"]), group(&["*"]), pods.clone()]);
        for who in who {
            all.extend(grant("strong", "team", who, std::slice::from_ref(&creates)));
        }
        loaded(&Value::Array(all), None, true)
    };
    is_possible_by(&four(&["Group a", "Group b", "Group c", "Group ops"]), MAY, "cluster-admin", &steps);
}

#[test]
fn a_node_asks_for_the_tokens_of_its_pods() {
    let node = |name: &str| rule(&["impersonate:arbitrary-node"], GROUP, &["nodes"], &[name]);
    let tokens = |mode: &str| on(mode, "create", "", "serviceaccounts/token", &["root"]);
    let with = |rules: &[Value]| {
        let mut all = objects(rules);
        all.push(pod("strong", "p", "root", "node-1", json!({ "name": "c" })));
        loaded(&Value::Array(all), None, true)
    };
    let cluster = with(&[node("node-1"), tokens("arbitrary-node")]);
    is_possible_by(&cluster, MAY, "cluster-admin", &["constrained-impersonation"]);
    is_not_possible(&with(&[node("node-2"), tokens("arbitrary-node")]), MAY, "cluster-admin");
    is_not_possible(&with(&[node("node-1"), tokens("user-info")]), MAY, "cluster-admin");
    // What bindings give to nodes counts as well.
    let mut all = objects(&[node("node-1"), on("arbitrary-node", "create", "", "pods", &[])]);
    all.push(pod("mine", "p", "web", "node-1", json!({ "name": "c" })));
    all.extend(grant("strong", "nodes", "Group system:nodes", &[rule(&["create"], "", &["pods"], &[])]));
    let cluster = loaded(&Value::Array(all), None, true);
    is_possible_by(&cluster, MAY, "cluster-admin", &["constrained-impersonation", "create-pod"]);
    // A pod acts as the node that it is on: that is asked of the name `*`.
    let own = |names: &[&str], where_it_is: &str| {
        let rules =
            [rule(&["impersonate:associated-node"], GROUP, &["nodes"], names), tokens("associated-node")];
        let mut all = strong();
        all.extend(grant("", "agent", "ServiceAccount mine/web", &rules));
        all.push(pod("mine", "agent", "web", where_it_is, json!({ "name": "c" })));
        all.push(pod("strong", "p", "root", "node-1", json!({ "name": "c" })));
        loaded(&Value::Array(all), None, true)
    };
    let agent = "ServiceAccount mine/web";
    for names in [&[][..], &["*"]] {
        is_possible_by(&own(names, "node-1"), agent, "cluster-admin", &["constrained-impersonation"]);
        is_not_possible(&own(names, "node-2"), agent, "cluster-admin");
    }
    is_not_possible(&own(&["node-1"], "node-1"), agent, "cluster-admin");
}

#[test]
fn on_from_136_with_a_gate_in_135_and_unknown_before() {
    let all = Value::Array(objects(&[as_root(), on("serviceaccount", "create", "", "pods", &[])]));
    let gate = |version: &str| {
        let cluster = loaded_as(&all, None, true, version);
        let conditions = way(&cluster, MAY, "cluster-admin").1;
        match conditions.as_slice() {
            [Condition::Says(text)] => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(gate("1.36"), "the feature gate ConstrainedImpersonation is on, as by default from 1.36");
    assert_eq!(
        gate("1.35"),
        "the feature gate ConstrainedImpersonation is on, which by default it is not in 1.35"
    );
    is_not_possible(&loaded_as(&all, None, true, "1.34"), MAY, "cluster-admin");
}

#[test]
fn rights_are_of_one_identity_and_not_handed_on_through_another() {
    // Who may be the other and who chooses are two.
    let mut all = objects(&[as_root(), rule(&["create"], "", &["serviceaccounts/token"], &["web"])]);
    let choice = on("serviceaccount", "create", "", "pods", &[]);
    all.extend(grant("", "web", "ServiceAccount mine/web", &[choice]));
    is_not_possible(&loaded(&Value::Array(all), None, true), MAY, "cluster-admin");
    // Impersonation by whom one impersonates is no request.
    let mut all = objects(&[
        rule(&["impersonate:serviceaccount"], GROUP, &["serviceaccounts"], &["web"]),
        rule(&["*"], "", &["serviceaccounts"], &[]),
    ]);
    let acts = rule(&["impersonate"], "", &["serviceaccounts"], &["root"]);
    all.retain(|own| own["metadata"]["name"] != "may" || own["kind"] != "ClusterRole");
    let rules = [rule(&["impersonate:serviceaccount"], GROUP, &["serviceaccounts"], &["web"])];
    all.push(grant("", "may", MAY, &rules)[0].clone());
    all.extend(grant("", "web", "ServiceAccount mine/web", &[acts]));
    let choice = on("serviceaccount", "impersonate", "", "serviceaccounts", &[]);
    all.extend(grant("", "choice", MAY, &[choice]));
    is_not_possible(&loaded(&Value::Array(all), None, true), MAY, "cluster-admin");
}

#[test]
fn bindings_are_written_with_the_rights_of_the_other() {
    let writes = |verb: &str, resource: &str| on("serviceaccount", verb, RBAC, resource, &[]);
    let steps = ["constrained-impersonation", "bind-role"];
    // Whether it may bind is asked of the other alone.
    is_possible_by(
        &with(&[as_root(), writes("create", "clusterrolebindings")]),
        MAY,
        "cluster-admin",
        &steps,
    );
    is_not_possible(&with(&[as_root(), writes("bind", "clusterroles")]), MAY, "cluster-admin");
    is_not_possible(&with(&[as_root(), writes("get", "clusterrolebindings")]), MAY, "cluster-admin");
    // The roles that the other holds it may hand on, and no others.
    let team = |binds: bool| {
        let mut all = strong();
        let mut rules = vec![rule(&["create"], RBAC, &["rolebindings"], &[])];
        if binds {
            rules.push(rule(&["create"], "", &["pods"], &[]));
        }
        all.extend(grant("strong", "team", "ServiceAccount mine/web", &rules));
        let other = rule(&["impersonate:serviceaccount"], GROUP, &["serviceaccounts"], &["web"]);
        all.extend(grant("", "may", MAY, &[other, writes("create", "rolebindings")]));
        loaded(&Value::Array(all), None, true)
    };
    let shared = ["constrained-impersonation", "share-role", "create-pod"];
    is_possible_by(&team(true), MAY, "cluster-admin", &shared);
    is_not_possible(&team(false), MAY, "cluster-admin");
}

#[test]
fn what_everybody_was_given_is_no_choice() {
    // It may create bindings, and shares that right with everybody. The strong account may bind every role and change the
    // binding x, which is not there; of it only the change is chosen, so that as it nobody creates a binding.
    let everything = rule(&["*"], "*", &["*"], &[]);
    let of_bindings = |verb: &str, names: &[&str]| rule(&[verb], RBAC, &["rolebindings"], names);
    let mut all = vec![namespace("strong", "restricted"), account("strong", "root")];
    all.push(json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": { "name": "all" }, "rules": [everything],
    }));
    let binds = rule(&["bind"], RBAC, &["clusterroles"], &[]);
    all.extend(grant("strong", "binder", STRONG, &[binds, of_bindings("update", &["x"])]));
    let chosen = on("serviceaccount", "update", RBAC, "rolebindings", &["x"]);
    all.extend(grant("strong", "may", MAY, &[as_root(), chosen, of_bindings("create", &[])]));
    let reaches = |all: &[Value]| {
        let (certain, possible) = ways(&loaded(&Value::Array(all.to_vec()), None, true), MAY);
        assert!(possible.iter().any(|own| own.contains("restricted to update rolebindings")), "{possible:?}");
        certain.into_iter().chain(possible).any(|own| own.starts_with("namespace-admin strong"))
    };
    assert!(!reaches(&all));
    // With a binding of that name to the strong role it is another matter.
    let mut bound = grant("strong", "x", "User nobody", &[])[1].clone();
    bound["roleRef"] = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": "all" });
    all.push(bound);
    assert!(reaches(&all));
}

#[test]
fn each_right_is_told_with_the_binding_that_gives_it() {
    let cluster = with(&[as_root(), on("serviceaccount", "create", "", "pods", &[])]);
    let mut search = Search::new(&cluster);
    let traced = search.traced_with_possible(&from(&cluster, MAY), None);
    let own = traced.possible.iter().find(|own| own.reach.identity == "cluster-admin").unwrap();
    let hops = traced.hops(&own.reach);
    let asked: Vec<Vec<(&str, &str)>> = hops
        .iter()
        .map(|hop| {
            let binding = |ground: &rbacsim::ask::paths::Ground<'_>| {
                ground
                    .grant
                    .as_ref()
                    .map(|grant| cluster.graph().policy().names.text(grant.applied.binding.name).to_owned())
            };
            let grounds = hop.grounds.iter();
            grounds.map(|ground| (ground.asked.as_str(), binding(ground).unwrap().leak() as &str)).collect()
        })
        .collect();
    assert_eq!(
        asked,
        [
            vec![(
                "impersonate:serviceaccount serviceaccounts.authentication.k8s.io named root in namespace strong",
                "may"
            )],
            vec![
                ("impersonate-on:serviceaccount:create pods in namespace strong", "may"),
                ("create pods in namespace strong", "root"),
            ],
        ]
    );
    assert_eq!(hops[1].by, format!("{STRONG}, restricted to create pods"));
    // It is not the other: the search does not say that it acts as the other.
    let restricted =
        traced.possible.iter().find(|own| own.reach.identity.contains("restricted")).unwrap().reach.clone();
    drop(traced);
    assert!(search.gain(&restricted).is_none());
    // It can be asked for as it is printed.
    let target = Target::read(&restricted.identity);
    assert!(search.knows(&target) && !search.knows(&Target::read("ServiceAccount strong/none")));
    let traced = search.traced_to(&from(&cluster, MAY), &target, None);
    assert_eq!(traced.possibly_to(&target).map(|own| own.reach.identity.clone()), Some(restricted.identity));
}
