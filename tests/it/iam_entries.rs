//! From people to rules over access entries: a role that somebody may become has an entry, or may have one.

use rbacsim::ask::can_i;
use rbacsim::ask::people::People;
use rbacsim::ask::question::{Place, Question, Request};
use rbacsim::ask::through;
use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::iam::Lenses;
use rbacsim::model::ternary::Ternary::{self, No, Unknown, Yes};
use serde_json::{Value, json};

use super::iam_ways::{ACCOUNT, cluster, export, role, trusts, user};

/// A binding that is nobody's here: without any the inputs would hold no RBAC, and a "no" would not be certain.
const RBAC: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: others}\nsubjects: [{kind: Group, name: others, apiGroup: rbac.authorization.k8s.io}]\nroleRef: {kind: ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io}\n";

/// alice may become role/dev; a cluster in the mode API, with these documents about its entries.
fn with(entries: &[Value]) -> Cluster {
    let trust = trusts(json!({ "AWS": format!("{ACCOUNT}:user/alice") }));
    let described = json!({ "cluster": {
        "name": "shop", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop",
        "accessConfig": { "authenticationMode": "API" }, "platformVersion": "eks.1",
    } });
    let mut files = vec![
        ("account.json".to_owned(), export(&[role("dev", &[trust], &[])], &[user("alice", &[])]).1),
        ("cluster.json".to_owned(), described.to_string()),
        ("rbac.yaml".to_owned(), RBAC.to_owned()),
    ];
    let entries = entries.iter().zip(0..);
    files.extend(entries.map(|(entry, number)| (format!("entry-{number}.json"), entry.to_string())));
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (&**name, text.clone())).collect();
    cluster(&files)
}

fn entry(groups: &[&str]) -> Value {
    json!({ "accessEntry": {
        "clusterName": "shop", "principalArn": format!("{ACCOUNT}:role/dev"), "kubernetesGroups": groups,
        "username": format!("arn:aws:sts::111122223333:assumed-role/dev/{{{{SessionName}}}}"), "type": "STANDARD",
        "accessEntryArn": "arn:aws:eks:eu-west-1:111122223333:access-entry/shop/role/111122223333/dev/1",
    } })
}

fn policies(list: &Value) -> Value {
    json!({
        "clusterName": "shop", "principalArn": format!("{ACCOUNT}:role/dev"), "associatedAccessPolicies": list,
    })
}

fn viewer() -> Value {
    json!([{
        "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        "accessScope": { "type": "namespace", "namespaces": ["prod"] },
    }])
}

fn list(next: Option<&str>) -> Value {
    json!({ "accessEntries": [format!("{ACCOUNT}:role/other")], "nextToken": next })
}

/// What alice may: over a role, or else by herself.
fn may(cluster: &Cluster, verb: &str, namespace: &str) -> Ternary {
    let request = Request::Resource {
        verb: verb.into(),
        group: String::new(),
        resource: "pods".into(),
        subresource: String::new(),
        name: String::new(),
        namespace: namespace.into(),
    };
    let question = Question { place: Place::Namespace(namespace.into()), ..Question::of_request(request) };
    let arn = format!("{ACCOUNT}:user/alice");
    let who = cluster.identify(&arn, None);
    let own = can_i::ternary(cluster, &who, &question, None);
    through::best(cluster, &who, Some(&arn), &question).map_or(own, |through| through.ternary.or(own))
}

#[test]
fn a_role_with_an_access_entry_and_a_policy_passes_it_on_to_whoever_becomes_it() {
    let cluster = with(&[entry(&[]), policies(&viewer())]);
    assert_eq!(may(&cluster, "list", "prod"), Yes);
    // The policy views, and only there. Whether others have entries, nobody said.
    assert_eq!(may(&cluster, "delete", "prod"), Unknown);
    let lenses = Lenses::new(cluster.iam());
    let people = People::new(&cluster, &lenses);
    let ways = people.may_become(&format!("{ACCOUNT}:user/alice"), None);
    assert_eq!(ways.iter().map(|way| &*way.arn).collect::<Vec<_>>(), [format!("{ACCOUNT}:role/dev")]);
    let behind = people.assumable_by(&format!("{ACCOUNT}:role/dev"));
    assert_eq!(behind[0].who.name(), format!("{ACCOUNT}:user/alice"));
}

#[test]
fn with_every_entry_known_the_rest_is_a_no() {
    let complete = json!({ "accessEntries": [format!("{ACCOUNT}:role/dev")] });
    let cluster = with(&[complete, entry(&[]), policies(&viewer())]);
    assert_eq!(may(&cluster, "list", "prod"), Yes);
    assert_eq!(may(&cluster, "delete", "prod"), No);
    assert_eq!(may(&cluster, "list", "dev"), No);
}

#[test]
fn a_list_of_entries_that_goes_on_leaves_open_what_somebody_may_over_roles() {
    assert_eq!(may(&with(&[list(Some("more"))]), "list", "prod"), Unknown);
    assert_eq!(may(&with(&[list(None)]), "list", "prod"), No);
}

#[test]
fn an_entry_of_which_only_the_name_is_known_leaves_it_open_too() {
    let listed = json!({ "accessEntries": [format!("{ACCOUNT}:role/dev")] });
    assert_eq!(may(&with(&[listed]), "list", "prod"), Unknown);
}
