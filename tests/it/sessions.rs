//! A role ARN without a session name: what is answered for it must hold for every session.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::ternary::Ternary;
use rbacsim::read::Completeness;

use crate::ask::{Request, bind, cluster_of, role};

const ROLE: &str = "arn:aws:iam::111122223333:role/Dev";
const SESSIONS: [&str; 6] = ["al", "bo", "x@y", "x-y", "i-0123456789abcdef0", "prod"];

const TEMPLATES: [&str; 8] = [
    "dev",
    "{{SessionName}}",
    "{{SessionNameRaw}}",
    "dev:{{SessionName}}",
    "{{SessionName}}-{{SessionName}}",
    "team-{{SessionNameRaw}}-{{AccountID}}",
    "{{Unknown}}",
    "system:{{SessionName}}",
];
const NAMES: [&str; 12] = [
    "dev",
    "al",
    "dev:al",
    "dev:x-y",
    "x@y",
    "x-y",
    "al-al",
    "al-bo",
    "team-bo-111122223333",
    "{{SessionName}}",
    "{{Unknown}}",
    "system:masters",
];

fn world(username: &str, groups: &[&str], bindings: &[(bool, &str)]) -> Cluster {
    let groups: Vec<String> = groups.iter().map(|group| format!("\"{group}\"")).collect();
    let aws_auth = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system}}\ndata:\n  mapRoles: |\n    - rolearn: {ROLE}\n      username: \"{username}\"\n      groups: [{}]\n",
        groups.join(", ")
    );
    let mut rbac = role("r", "[{verbs: [get], apiGroups: [''], resources: [pods]}]");
    for (number, (is_user, name)) in bindings.iter().enumerate() {
        let kind = if *is_user { "User" } else { "Group" };
        // One in four names a role that is not there.
        let granted = if number % 4 == 3 { "ClusterRole nope" } else { "ClusterRole r" };
        rbac += &bind(&format!("b{number}"), granted, &format!("{kind} {name}"));
    }
    cluster_of(&[&aws_auth, &rbac], Completeness::Partial)
}

#[test]
fn the_answer_without_a_session_name_holds_for_every_session() {
    let counts: [Cell<u32>; 3] = Default::default();
    let bindings = prop::collection::vec((any::<bool>(), select(&NAMES)), 1..7);
    let strategy = (select(&TEMPLATES), subsequence(&TEMPLATES, 0..=2), bindings);
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, |(username, groups, bindings)| {
        let cluster = world(username, &groups, &bindings);
        let request = Request::parse("get pods @ns");
        let ask = |session| {
            let who = cluster.identify(ROLE, session);
            cluster.answer(&who, &request.attributes()).ternary
        };
        let symbolic = ask(None);
        let count = &counts[symbolic as usize];
        count.set(count.get() + 1);
        let sessions: Vec<Ternary> = SESSIONS.iter().map(|session| ask(Some(session))).collect();
        match symbolic {
            Ternary::Yes => prop_assert!(sessions.iter().all(|answer| *answer == Ternary::Yes)),
            Ternary::No => prop_assert!(sessions.iter().all(|answer| *answer == Ternary::No)),
            // Something makes it so: a session that is allowed or in doubt, among those that could be.
            Ternary::Unknown => {}
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(counts.iter().all(|count| count.get() > 80), "{counts:?}");
}

/// A review by ARN is answered where the session's name does not matter, and only there.
#[test]
fn a_review_of_a_role_is_answered_where_its_session_does_not_matter() {
    let text = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - rolearn: arn:aws:iam::111122223333:role/dev
      username: dev:{{SessionName}}
      groups: [developers]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: developers}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: Group, name: developers}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: alice}
roleRef: {kind: ClusterRole, name: edit}
subjects: [{kind: User, name: "dev:alice"}]
"#;
    let input = rbacsim::read::Input::Text { name: "cluster.yaml".into(), bytes: text.into() };
    let cluster = rbacsim::decide::cluster::Cluster::from(
        rbacsim::read::load(&[input], &rbacsim::read::LoadOptions::default()).unwrap(),
    );
    let status = |verb: &str, arn: &str| {
        let spec = serde_json::json!({
            "extra": { "arn": [arn] },
            "resourceAttributes": { "verb": verb, "resource": "pods", "namespace": "prod" },
        });
        crate::recorded::review(&cluster, &[&spec])[0]["status"].clone()
    };
    let role = "arn:aws:iam::111122223333:role/dev";
    assert_eq!(status("list", role)["allowed"], true);
    assert_eq!(status("approve", role)["evaluationError"], serde_json::Value::Null);
    assert_eq!(status("delete", role)["allowed"], false);
    assert!(status("delete", role)["evaluationError"].as_str().unwrap().starts_with("unknown: "));
    let session = |name: &str| format!("arn:aws:sts::111122223333:assumed-role/dev/{name}");
    assert_eq!(status("delete", &session("alice"))["allowed"], true);
    assert_eq!(status("delete", &session("bob"))["allowed"], false);
    assert_eq!(status("delete", &session("bob"))["evaluationError"], serde_json::Value::Null);
}
