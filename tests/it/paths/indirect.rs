//! A "no" that is a few steps from a yes, and those who can get there.

use rbacsim::ask::indirect::{nearest, who};
use rbacsim::ask::question::{Question, Request};
use serde_json::Value;

use super::{account, all, cluster, from, grant, pod, rule};

pub(super) fn asked(verb: &str, resource: &str, namespace: &str) -> Question {
    Question::of_request(Request::Resource {
        verb: verb.to_owned(),
        group: String::new(),
        resource: resource.to_owned(),
        subresource: String::new(),
        name: String::new(),
        namespace: namespace.to_owned(),
    })
}

fn near(objects: &Value, who: &str, question: &Question) -> Option<(String, u16)> {
    let cluster = cluster(objects, "1.36");
    nearest(&cluster, &from(&cluster, who), question).map(|own| (own.identity, own.depth))
}

const MAY: &str = "User may";

/// Accounts one behind the other, each of which creates pods where the next one is; the last lists secrets of `d`.
fn chain() -> Value {
    let pods = rule(&["create"], "", &["pods"], &[]);
    let mut parts = vec![account("a", "one"), account("b", "two"), account("c", "three")];
    parts.extend(grant("a", "may", MAY, std::slice::from_ref(&pods)));
    parts.extend(grant("b", "one", "ServiceAccount a/one", std::slice::from_ref(&pods)));
    parts.extend(grant("c", "two", "ServiceAccount b/two", &[pods]));
    parts.extend(grant("d", "two", "ServiceAccount b/two", &[rule(&["list"], "", &["secrets"], &[])]));
    parts.extend(grant("d", "three", "ServiceAccount c/three", &[rule(&["list"], "", &["configmaps"], &[])]));
    Value::Array(parts)
}

#[test]
fn a_no_names_who_is_at_most_two_certain_steps_away() {
    let objects = chain();
    let two = ("ServiceAccount b/two".to_owned(), 2);
    assert_eq!(near(&objects, MAY, &asked("list", "secrets", "d")), Some(two));
    assert_eq!(near(&objects, MAY, &asked("list", "secrets", "a")), None);
    // Three steps are too far.
    assert_eq!(near(&objects, MAY, &asked("list", "configmaps", "d")), None);
}

#[test]
fn a_role_that_is_bound_on_the_way_counts_where_it_is_bound() {
    let rbac = "rbac.authorization.k8s.io";
    let reads = rule(&["list"], "", &["secrets"], &[]);
    let binds = [
        rule(&["create"], rbac, &["rolebindings"], &[]),
        rule(&["bind"], rbac, &["clusterroles"], &["reader"]),
    ];
    let mut parts = grant("x", "may", MAY, &binds).to_vec();
    parts.extend(grant("", "reader", "User nobody", &[reads]));
    let objects = Value::Array(parts);
    let found = near(&objects, MAY, &asked("list", "secrets", "x"));
    assert_eq!(found, Some(("ClusterRole reader in x".to_owned(), 1)));
    assert_eq!(near(&objects, MAY, &asked("list", "secrets", "y")), None);
    assert_eq!(near(&objects, MAY, &asked("get", "secrets", "x")), None);
}

#[test]
fn everybody_who_can_get_there_and_nobody_who_can_already() {
    let cluster = cluster(&chain(), "1.36");
    let found = who(&cluster, &asked("list", "secrets", "d"));
    let found: Vec<(String, String, u16)> =
        found.into_iter().map(|own| (own.from, own.identity, own.depth)).collect();
    let two = "ServiceAccount b/two".to_owned();
    assert_eq!(found, [("ServiceAccount a/one".to_owned(), two.clone(), 1), (MAY.to_owned(), two, 2)]);
}

#[test]
fn what_is_only_possible_is_not_told() {
    let objects = all(&[
        &[account("a", "one"), pod("z", "p", "default", "", serde_json::json!({ "name": "c" }))],
        &grant("a", "may", MAY, &[rule(&["create"], "", &["pods/exec"], &[])]),
        &grant("d", "one", "ServiceAccount a/one", &[rule(&["list"], "", &["secrets"], &[])]),
    ]);
    assert_eq!(near(&objects, MAY, &asked("list", "secrets", "d")), None);
}
