//! Access policies are access of whoever logs in, and lead on like roles: not of whoever is impersonated.

use rbacsim::ask::paths::{From, Search};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::{Value, json};

use super::beyond::{iam_role, may_assume, trusts_own};
use super::{account, all, from, grant, namespace, object, rule};
use crate::access_entries::{entry, list, mode, policies};

const DEV: &str = "arn:aws:iam::111122223333:role/dev";

/// A cluster in which the role `dev` logs in as `dev` with these policies.
fn with_policies(objects: &Value, own: &[(&str, &[&str])], iam: Option<&Value>) -> Cluster {
    let objects = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let mut texts = vec![
        ("objects.json", objects.to_string()),
        ("cluster.json", mode("API")),
        ("list.json", list(&["role/dev"])),
        ("entry.json", entry("role/dev", "dev", &[])),
        ("policies.json", policies("role/dev", own)),
    ];
    texts.extend(iam.map(|iam| ("iam.json", iam.to_string())));
    let inputs: Vec<Input> =
        texts.into_iter().map(|(name, text)| Input::Text { name: name.into(), bytes: text.into() }).collect();
    let options = LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(Completeness::Complete),
        version: Some("1.36".parse().unwrap()),
        ..LoadOptions::default()
    };
    load(&inputs, &options).unwrap().into()
}

/// What somebody reaches, each as `identity depth`, by every way to search.
fn reached(cluster: &Cluster, who: &str) -> Vec<String> {
    let start = match who.strip_prefix("IAM ") {
        Some(arn) => From::iam(arn, &cluster.identify(arn, None)),
        None => from(cluster, who),
    };
    let paths = Search::new(cluster).paths(&start, None);
    let overview = Search::of_large(cluster).overview(&start, None);
    assert_eq!(overview.sinks, paths.sinks, "{who}");
    paths.reached.iter().map(|own| format!("{} {}", own.identity, own.depth)).collect()
}

fn dev(objects: &Value, own: &[(&str, &[&str])]) -> Vec<String> {
    reached(&with_policies(objects, own, None), &format!("IAM {DEV}"))
}

fn two_namespaces() -> Vec<Value> {
    vec![
        namespace("shop", "restricted"),
        namespace("web", "restricted"),
        account("shop", "cart"),
        account("web", "site"),
    ]
}

#[test]
fn a_policy_of_everything_in_the_cluster_is_cluster_admin() {
    let objects = all(&[&two_namespaces()]);
    assert_eq!(dev(&objects, &[("AmazonEKSClusterAdminPolicy", &[])]), ["cluster-admin 0"]);
}

#[test]
fn a_policy_of_everything_in_a_namespace_is_its_admin_there_alone() {
    let objects = all(&[&two_namespaces()]);
    let found = dev(&objects, &[("AmazonEKSClusterAdminPolicy", &["shop"])]);
    assert!(found.contains(&"namespace-admin shop 0".to_owned()), "{found:?}");
    assert!(found.contains(&"ServiceAccount shop/cart 1".to_owned()), "{found:?}");
    assert!(!found.iter().any(|own| own.contains(" web")), "{found:?}");
}

#[test]
fn a_policy_that_runs_pods_gives_the_service_accounts_of_its_namespaces() {
    let strong = grant("", "strong", "ServiceAccount shop/cart", &[rule(&["*"], "*", &["*"], &[])]);
    let objects = all(&[&two_namespaces(), &strong]);
    let found = dev(&objects, &[("AmazonEKSEditPolicy", &["sh*"])]);
    assert!(found.contains(&"ServiceAccount shop/cart 1".to_owned()), "{found:?}");
    assert!(found.contains(&"cluster-admin 1".to_owned()), "{found:?}");
    let elsewhere = dev(&objects, &[("AmazonEKSEditPolicy", &["web"])]);
    assert!(elsewhere.contains(&"ServiceAccount web/site 1".to_owned()), "{elsewhere:?}");
    assert!(!elsewhere.iter().any(|own| own.starts_with("cluster-admin")), "{elsewhere:?}");
    assert_eq!(dev(&objects, &[("AmazonEKSViewPolicy", &[])]), [""; 0]);
}

#[test]
fn a_policy_does_not_count_for_whoever_impersonates_its_user() {
    let may = grant("", "may", "User may", &[rule(&["impersonate"], "", &["users"], &["dev"])]);
    let objects = all(&[&two_namespaces(), &may]);
    let cluster = with_policies(&objects, &[("AmazonEKSClusterAdminPolicy", &[])], None);
    assert_eq!(reached(&cluster, "User may"), ["User dev 1"]);
}

#[test]
fn a_role_that_is_assumed_logs_in_with_its_policies() {
    let roles = json!({
        "UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [
            iam_role("first", &trusts_own(), &[may_assume("dev")]),
            iam_role("dev", &trusts_own(), &[]),
        ],
    });
    let objects = all(&[&two_namespaces(), &[object("v1", "ConfigMap", "shop", "other", json!({}))]]);
    let own: &[(&str, &[&str])] = &[("AmazonEKSClusterAdminPolicy", &[])];
    let cluster = with_policies(&objects, own, Some(&roles));
    let found = reached(&cluster, "IAM arn:aws:iam::111122223333:role/first");
    assert!(found.contains(&"cluster-admin 2".to_owned()), "{found:?}");
}
