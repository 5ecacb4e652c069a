//! The access entries of a large cluster, as the AWS CLI prints them.

use std::fmt::Write as _;

/// How many entries there are.
pub(crate) const ENTRIES: usize = 2_000;

/// The policies that are associated with each.
const POLICIES: [&str; 5] = [
    "AmazonEKSViewPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSSecretReaderPolicy",
];

/// The ARN with which the principal of an entry calls.
pub(crate) fn caller(number: usize) -> String {
    format!("arn:aws:sts::111122223333:assumed-role/team-{number}/run-1")
}

/// What the policies of an entry do not cover any more.
pub(crate) const OUTSIDE: &str = "elsewhere";

/// A namespace in which the policies of an entry hold.
pub(crate) fn namespace(number: usize) -> String {
    format!("payments-dev-{:04}", number % 200)
}

/// Mode, list, entries and their policies: one JSON value a line.
pub(crate) fn stream() -> String {
    let arn = |number: usize| format!("arn:aws:iam::111122223333:role/teams/team-{number}");
    let mut text = String::from(
        "{\"cluster\":{\"name\":\"shop\",\"accessConfig\":{\"authenticationMode\":\"API_AND_CONFIG_MAP\"}}}\n",
    );
    let all: Vec<String> = (0..ENTRIES).map(|number| format!("\"{}\"", arn(number))).collect();
    let _ = writeln!(text, "{{\"accessEntries\":[{}]}}", all.join(","));
    for number in 0..ENTRIES {
        let arn = arn(number);
        let _ = writeln!(
            text,
            "{{\"accessEntry\":{{\"clusterName\":\"shop\",\"principalArn\":\"{arn}\",\"type\":\"STANDARD\",\"username\":\"team-{number}:{{{{SessionName}}}}\",\"kubernetesGroups\":[\"platform:observers\"]}}}}"
        );
        let associations = POLICIES.map(|policy| {
            format!(
                "{{\"policyArn\":\"arn:aws:eks::aws:cluster-access-policy/{policy}\",\"accessScope\":{{\"type\":\"namespace\",\"namespaces\":[\"{}\",\"team-{number}-*\"]}}}}",
                namespace(number)
            )
        });
        let _ = writeln!(
            text,
            "{{\"clusterName\":\"shop\",\"principalArn\":\"{arn}\",\"associatedAccessPolicies\":[{}]}}",
            associations.join(",")
        );
    }
    text
}
