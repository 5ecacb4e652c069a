//! `can-i --list`: rules that work, and none that only seem to.

use rbacsim::ask::rules_review;
use rbacsim::model::user::UserInfo;
use rbacsim::read::Completeness;

use crate::ask::{bind, cluster_of, role};

/// The rules of user `u` in namespace `prod`, one a line.
fn listed(rules: &str, binding: &str) -> (Vec<String>, usize) {
    let text = role("r", rules) + &bind(binding, "ClusterRole r", "User u");
    let cluster = cluster_of(&[&text], Completeness::Complete);
    let review = rules_review::rules(&cluster, &UserInfo::as_given("u", [""; 0]), "prod");
    let lines = review.resource_rules.iter().map(|rule| {
        let mut words = vec![rule.verbs.join(",")];
        words.extend(rule.resources.iter().flatten().cloned());
        words.extend(rule.resource_names.iter().flatten().cloned());
        words.join(" ")
    });
    let mut lines: Vec<String> = lines.collect();
    lines.extend(review.non_resource_rules.iter().map(|rule| rule.verbs.join(",") + " url"));
    (lines, review.left_out)
}

#[test]
fn a_role_binding_lists_only_its_own_namespace_of_namespaces() {
    let rule = |verbs: &str, names: &str| {
        format!("[{{verbs: {verbs}, apiGroups: [''], resources: [namespaces]{names}}}]")
    };
    for (verbs, names, lines, left_out) in [
        ("[get, list, watch]", "", vec!["get namespaces prod"], 1),
        ("['*']", "", vec!["delete,get,patch,update namespaces prod"], 1),
        ("[get]", "", vec!["get namespaces prod"], 0),
        ("[create, list]", "", vec![], 1),
        ("[get]", ", resourceNames: [prod, dev]", vec!["get namespaces prod"], 0),
        ("[get]", ", resourceNames: [dev]", vec![], 1),
    ] {
        let said = listed(&rule(verbs, names), "prod/b");
        assert_eq!(said, (lines.into_iter().map(str::to_owned).collect(), left_out), "{verbs} {names}");
    }
    let everywhere = listed(&rule("[get, list]", ""), "b");
    assert_eq!(everywhere, (vec!["get,list namespaces".to_owned()], 0));
}

#[test]
fn a_role_binding_lists_bind_of_cluster_roles_and_nothing_else_of_them() {
    let rule = |verbs: &str| {
        format!("[{{verbs: {verbs}, apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles]}}]")
    };
    assert_eq!(listed(&rule("[bind, get]"), "prod/b"), (vec!["bind clusterroles".to_owned()], 1));
    assert_eq!(listed(&rule("['*']"), "prod/b"), (vec!["bind clusterroles".to_owned()], 1));
    assert_eq!(listed(&rule("[get, escalate]"), "prod/b"), (vec![], 1));
    assert_eq!(listed(&rule("[bind, get]"), "b"), (vec!["bind,get clusterroles".to_owned()], 0));
}

#[test]
fn a_role_binding_lists_no_cluster_scoped_type_and_no_url() {
    let rules = "[{verbs: [get], apiGroups: [''], resources: [nodes, pods]}, {verbs: [get], nonResourceURLs: [/metrics]}]";
    assert_eq!(listed(rules, "prod/b"), (vec!["get pods".to_owned()], 2));
    assert_eq!(listed(rules, "b").0, ["get nodes", "get pods", "get url"]);
}

#[test]
fn a_role_that_aggregates_nothing_is_told() {
    let text = std::fs::read_to_string("testdata/scenarios/aggregation-of-nothing/rbac.yaml").unwrap();
    for (completeness, user, namespace, told) in [
        (Completeness::Partial, "u", "prod", 1),
        (Completeness::Partial, "local", "prod", 1),
        (Completeness::Partial, "local", "dev", 0),
        (Completeness::Complete, "u", "prod", 0),
    ] {
        let cluster = cluster_of(&[&text], completeness);
        let review = rules_review::rules(&cluster, &UserInfo::as_given(user, [""; 0]), namespace);
        assert_eq!(review.missing.len(), told, "{completeness:?} {user} {namespace}");
    }
}
