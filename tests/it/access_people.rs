//! People who become a role that has an access entry: from the user to the access policy.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::access_entries::{entry, list, mode, policies};

const ACCOUNT: &str = "arn:aws:iam::111122223333";

/// An account in which alice may become `dev`, and bob nobody.
fn account() -> String {
    let dev = format!("{ACCOUNT}:role/dev");
    let user = |name: &str, policies: Value| {
        json!({ "UserName": name, "UserId": name, "Path": "/", "Arn": format!("{ACCOUNT}:user/{name}"),
            "UserPolicyList": policies, "GroupList": [], "AttachedManagedPolicies": [] })
    };
    let become_dev = json!([{ "PolicyName": "become-dev", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": dev }] } }]);
    json!({
        "UserDetailList": [user("alice", become_dev), user("bob", json!([]))],
        "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{ "RoleName": "dev", "RoleId": "dev", "Path": "/", "Arn": dev,
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "AWS": format!("{ACCOUNT}:root") }, "Action": "sts:AssumeRole" }] },
            "RolePolicyList": [], "AttachedManagedPolicies": [] }],
    })
    .to_string()
}

/// What the program answers of a user about pods in prod, from one stream of everything.
fn asked(user: &str, inputs: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    let arn = format!("{ACCOUNT}:user/{user}");
    command.args([
        "can-i",
        "list",
        "pods",
        "-n",
        "prod",
        "--complete",
        "-o",
        "json",
        "-f",
        "-",
        "--arn",
        &arn,
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    running.stdin.take().unwrap().write_all(inputs.join("\n").as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_person_has_the_access_policies_of_the_roles_that_he_may_become() {
    let (account, mode) = (account(), mode("API"));
    let (dev, view) =
        (entry("role/dev", "dev", &[]), policies("role/dev", &[("AmazonEKSViewPolicy", &["prod"])]));
    let ops = entry("role/ops", "ops", &[]);
    let (whole, without) = (list(&["role/dev", "role/ops"]), list(&["role/ops"]));
    let part = json!({ "accessEntries": [format!("{ACCOUNT}:role/ops")], "nextToken": "x" }).to_string();
    for (name, user, inputs, expected) in [
        ("through_the_role", "alice", vec![&whole, &dev, &view], "yes"),
        ("whoever_cannot_become_it_has_nothing", "bob", vec![&whole, &dev, &view], "no"),
        ("a_role_without_an_entry", "alice", vec![&without, &ops], "no"),
        ("a_list_that_is_not_whole_takes_no_yes_away", "alice", vec![&part, &dev, &view], "yes"),
        ("a_role_that_may_be_on_the_next_page", "alice", vec![&part, &ops], "unknown"),
        ("policies_that_were_not_read", "alice", vec![&whole, &dev], "unknown"),
    ] {
        let mut all = vec![account.as_str(), &mode];
        all.extend(inputs.into_iter().map(String::as_str));
        let answer = asked(user, &all);
        assert_eq!(answer["answer"], expected, "{name}: {answer:#}");
        if name == "through_the_role" {
            assert_eq!(answer["identity"]["through"], format!("{ACCOUNT}:role/dev"), "{answer:#}");
            let grants = answer["grants"].to_string();
            assert!(grants.contains("AmazonEKSViewPolicy"), "{answer:#}");
        }
    }
}
