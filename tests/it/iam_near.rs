//! What a "no" about a role says: the statement that comes nearest, and what it lacks.

use rbacsim::ask::assume_role::{self, Action};
use rbacsim::identity::iam::Context;
use rbacsim::report::assume_role::{self as report, Asked};
use serde_json::{Value, json};

use crate::iam_ways::{ACCOUNT, allows, cluster, export, role, trusts, user};

/// The sentences of a "no" to whether somebody may become a role.
fn nearest(files: &[(&str, String)], who: &str, to: &str) -> Vec<String> {
    let cluster = cluster(files);
    let (who, to) = (format!("{ACCOUNT}:{who}"), format!("{ACCOUNT}:{to}"));
    let answer = assume_role::may(&cluster, Action::AssumeRole, &who, &to, None, &Context::new()).unwrap();
    let asked = Asked { action: Action::AssumeRole, role: &to, principal: &who };
    let document = report::can_i_document(&cluster, asked, &answer);
    assert_eq!(document["answer"], "no", "{document}");
    let nearest = document["nearest"].as_array().unwrap();
    assert!(nearest.iter().all(|near| near["source"].as_str().is_some()));
    nearest.iter().map(|near| near["text"].as_str().unwrap().to_owned()).collect()
}

fn root() -> Value {
    trusts(json!({ "AWS": format!("{ACCOUNT}:root") }))
}

fn assume(name: &str) -> Value {
    allows("sts:AssumeRole", &format!("{ACCOUNT}:role/{name}"))
}

/// A role below a path.
fn below(path: &str, mut role: Value) -> Value {
    let name = role["RoleName"].as_str().unwrap().to_owned();
    role["Arn"] = json!(format!("{ACCOUNT}:role/{path}/{name}"));
    role
}

#[test]
fn the_path_is_missing_in_the_resource() {
    let files =
        [export(&[below("data", role("admin", &[root()], &[]))], &[user("alice", &[assume("admin")])])];
    assert_eq!(
        nearest(&files, "user/alice", "role/data/admin"),
        [format!(
            "Allow in policy `own` of user/alice, statement 1 is for `{ACCOUNT}:role/admin`, with another path, or none"
        )]
    );
}

#[test]
fn the_resource_is_in_another_case() {
    let files = [export(&[role("admin", &[root()], &[])], &[user("alice", &[assume("Admin")])])];
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        [format!(
            "Allow in policy `own` of user/alice, statement 1 is for `{ACCOUNT}:role/Admin`, in another case, and case matters"
        )]
    );
}

#[test]
fn the_trust_policy_names_another_role() {
    let other = trusts(json!({ "AWS": format!("{ACCOUNT}:role/other"), "Service": "ec2.amazonaws.com" }));
    let files = [export(&[role("admin", &[other], &[]), role("dev", &[], &[assume("admin")])], &[])];
    assert_eq!(
        nearest(&files, "role/dev", "role/admin"),
        [format!(
            "the trust policy of role/admin names `{ACCOUNT}:role/other`, `ec2.amazonaws.com`, and neither the caller nor its account"
        )]
    );
    let kind = trusts(json!({ "AWS": format!("{ACCOUNT}:role/alice") }));
    let files = [export(&[role("admin", &[kind], &[])], &[user("alice", &[])])];
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        [format!(
            "Allow in the trust policy of role/admin, statement 1 names `{ACCOUNT}:role/alice`, which is of another kind"
        )]
    );
}

#[test]
fn the_trust_policy_names_the_caller_for_another_action() {
    let mut tags = trusts(json!({ "AWS": format!("{ACCOUNT}:user/alice") }));
    tags["Action"] = json!("sts:TagSession");
    let files = [export(&[role("admin", &[tags], &[])], &[user("alice", &[])])];
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        ["Allow in the trust policy of role/admin, statement 1 names the caller, but for `sts:TagSession`"]
    );
}

#[test]
fn the_boundary_does_not_allow_it() {
    let mut alice = user("alice", &[assume("admin")]);
    let arn = format!("{ACCOUNT}:policy/limit");
    alice["PermissionsBoundary"] = json!({ "PermissionsBoundaryArn": arn });
    let mut files = vec![export(&[role("admin", &[root()], &[])], &[alice])];
    let document = json!({ "Version": "2012-10-17", "Statement": [allows("s3:*", "*")] });
    let limit = json!({ "Policies": [{ "Arn": arn, "DefaultVersionId": "v1",
        "PolicyVersionList": [{ "VersionId": "v1", "Document": document }] }] });
    files.push(("policies.json", limit.to_string()));
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        ["the boundary, policy `limit`, does not allow it"]
    );
}

#[test]
fn the_group_is_not_attached() {
    let group = json!({ "Arn": format!("{ACCOUNT}:group/platform"), "GroupName": "platform", "GroupPolicyList": [{
        "PolicyName": "assume", "PolicyDocument": { "Version": "2012-10-17", "Statement": [assume("admin")] } }] });
    let mut files = vec![export(&[role("admin", &[root()], &[])], &[user("alice", &[])])];
    files.push(("groups.json", json!({ "GroupDetailList": [group] }).to_string()));
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        [
            "Allow in policy `assume` of group/platform, statement 1 would allow it, but only to members of group `platform`"
        ]
    );
}

#[test]
fn a_condition_does_not_hold_or_a_statement_denies_it() {
    let mut only_bob = root();
    only_bob["Condition"] = json!({ "StringEquals": { "aws:username": "bob" } });
    let files = [export(&[role("admin", &[only_bob], &[])], &[user("alice", &[assume("admin")])])];
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        [
            "Allow in the trust policy of role/admin, statement 1: `aws:username` must satisfy `StringEquals` `bob`, and does not"
        ]
    );
    let mut deny = assume("admin");
    deny["Effect"] = json!("Deny");
    let files = [export(&[role("admin", &[root()], &[])], &[user("alice", &[assume("admin"), deny])])];
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        ["denied: Deny in policy `own` of user/alice, statement 2"]
    );
}

#[test]
fn nothing_comes_near() {
    let files = [export(&[role("admin", &[root()], &[])], &[user("alice", &[])])];
    assert_eq!(
        nearest(&files, "user/alice", "role/admin"),
        ["no policy of the caller, nor of its groups, allows it"]
    );
}
