//! Who may enter an EKS cluster: every recorded case, one test a rule, and the laws.

use rbacsim::decide::cluster::{Cluster, Who, WhoIs};
use rbacsim::identity::IdentityError;
use rbacsim::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, kubeconfig, load};
use serde_json::{Value, json};

use crate::recorded::{data, skipped};

fn input(path: &str, content: &str) -> Input {
    Input::Text { name: path.to_owned(), bytes: content.as_bytes().to_vec() }
}

fn recorded_options() -> LoadOptions {
    LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(Completeness::Complete),
        ..LoadOptions::default()
    }
}

/// What a case expects of an identity, as far as we tell it.
fn identity(cluster: &Cluster, arn: &str) -> Value {
    let who = cluster.identify(arn, None);
    match &who.is {
        WhoIs::Mapped(mapped) if mapped.username.is_not_told() && shown_groups(&who).is_null() => {
            json!({ "result": "unknown", "source": source(&who) })
        }
        WhoIs::Mapped(mapped) => {
            let user = mapped.user_info();
            let username = (!mapped.is_username_untold()).then_some(user.username);
            json!({ "result": "mapped", "username": username, "groups": shown_groups(&who), "source": source(&who) })
        }
        WhoIs::Error(error) => {
            let result = match &**error {
                _ if !error.is_refusal() => "unknown",
                IdentityError::NotMapped { .. } => "not-mapped",
                _ => "denied",
            };
            json!({ "result": result })
        }
        WhoIs::User(_) => Value::Null,
    }
}

fn shown_groups(who: &Who) -> Value {
    let WhoIs::Mapped(mapped) = &who.is else { return Value::Null };
    if mapped.groups.iter().any(rbacsim::identity::Template::is_not_told) {
        return Value::Null;
    }
    json!(mapped.user_info().groups)
}

fn source(who: &Who) -> Value {
    let WhoIs::Mapped(mapped) = &who.is else { return Value::Null };
    match mapped.provenance.kind.as_str() {
        "accessEntry" => json!("entry"),
        _ => json!("aws-auth"),
    }
}

fn ask(cluster: &Cluster, who: &Who, question: &Value) -> Ternary {
    let field = |name: &str| question[name].as_str().unwrap_or_default();
    let attributes = if question["nonResourceURL"].is_string() {
        Attributes::NonResource(NonResourceAttributes { verb: field("verb"), path: field("nonResourceURL") })
    } else {
        Attributes::Resource(ResourceAttributes {
            verb: field("verb"),
            group: field("group"),
            resource: field("resource"),
            subresource: field("subresource"),
            name: field("name"),
            namespace: field("namespace"),
        })
    };
    let answer = cluster.answer(who, &attributes);
    assert_eq!(cluster.ternary(who, &attributes), answer.ternary, "with and without reasons: {question}");
    if answer.ternary == Ternary::Unknown {
        assert!(!answer.doubts.is_empty(), "unknown without a reason: {question}");
    }
    answer.ternary
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_recorded_case_of_access_to_a_cluster_agrees() {
    let Some(data) = data().filter(|data| data.join("eks-access/cases.json").is_file()) else {
        skipped("../shared/data/eks-access");
        return;
    };
    let text = std::fs::read_to_string(data.join("eks-access/cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut wrong, mut questions, mut identities, mut callers) = (Vec::new(), 0, 0, 0);
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let inputs: Vec<Input> = case["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                // To kubectl an unquoted `n` is the boolean false, and the API server refuses that as a name.
                let content = one["content"].as_str().unwrap().replace("name: n}", "name: 'n'}");
                input(one["path"].as_str().unwrap(), &content)
            })
            .collect();
        let expect = &case["expect"];
        if let Some(caller) = expect["caller"].as_str() {
            callers += 1;
            let text = case["inputs"][0]["content"].as_str().unwrap();
            let found = kubeconfig::context_user(text, None).unwrap().caller();
            let found = found.unwrap_or_else(|| "unknown".to_owned());
            if found != caller {
                wrong.push(format!("{name}: expected {caller}, found {found}"));
            }
            continue;
        }
        let cluster: Cluster = load(&inputs, &recorded_options()).unwrap().into();
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let question = &case["question"];
        if question.is_null() {
            identities += 1;
            let found = identity(&cluster, case["arn"].as_str().unwrap());
            let agrees =
                expect.as_object().unwrap().iter().all(|(key, value)| {
                    found[key] == *value || key == "source" && found.get("source").is_none()
                });
            if !agrees {
                wrong.push(format!("{name}: expected {expect}, found {found}"));
            }
            continue;
        }
        questions += 1;
        let who = if let Some(user) = case["as"]["user"].as_str() {
            Who::user(UserInfo::impersonated(user, &texts(&case["as"]["groups"])))
        } else if let Some(user) = case["subject"]["user"].as_str() {
            Who::user(UserInfo::as_given(user, texts(&case["subject"]["groups"])))
        } else {
            cluster.identify(case["arn"].as_str().unwrap(), None)
        };
        let found = ask(&cluster, &who, question);
        if expect.as_str() != Some(found.as_str()) {
            wrong.push(format!("{name}: expected {expect}, found {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    eprintln!(
        "access to a cluster: {} cases agree, {identities} identities, {questions} questions, {callers} kubeconfigs",
        cases.len()
    );
}

const DEV: &str = "arn:aws:sts::111122223333:assumed-role/dev/run-1";
const VIEW: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";

fn loaded(inputs: &[(&str, &str)], options: &LoadOptions) -> Cluster {
    let inputs: Vec<Input> = inputs.iter().map(|(path, content)| input(path, content)).collect();
    load(&inputs, options).unwrap().into()
}

pub(crate) fn cluster(inputs: &[(&str, &str)]) -> Cluster {
    loaded(inputs, &LoadOptions { defaults: Defaults::Never, ..LoadOptions::default() })
}

/// A cluster of this mode.
pub(crate) fn mode(mode: &str) -> String {
    json!({ "cluster": { "name": "shop", "accessConfig": { "authenticationMode": mode } } }).to_string()
}

/// A list of all entries.
pub(crate) fn list(names: &[&str]) -> String {
    let arns: Vec<String> = names.iter().map(|name| format!("arn:aws:iam::111122223333:{name}")).collect();
    json!({ "accessEntries": arns }).to_string()
}

/// An entry as EKS reports it.
pub(crate) fn entry(name: &str, username: &str, groups: &[&str]) -> String {
    let arn = format!("arn:aws:iam::111122223333:{name}");
    json!({ "accessEntry": {
        "clusterName": "shop", "principalArn": arn, "type": "STANDARD", "username": username,
        "kubernetesGroups": groups,
    }})
    .to_string()
}

/// The policies of an entry, each with its namespaces; none for the whole cluster.
pub(crate) fn policies(name: &str, policies: &[(&str, &[&str])]) -> String {
    let list: Vec<Value> = policies
        .iter()
        .map(|(policy, namespaces)| {
            let scope = if namespaces.is_empty() { "cluster" } else { "namespace" };
            json!({
                "policyArn": format!("arn:aws:eks::aws:cluster-access-policy/{policy}"),
                "accessScope": { "type": scope, "namespaces": namespaces },
            })
        })
        .collect();
    json!({
        "clusterName": "shop", "principalArn": format!("arn:aws:iam::111122223333:{name}"),
        "associatedAccessPolicies": list,
    })
    .to_string()
}

const AWS_AUTH: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - {rolearn: 'arn:aws:iam::111122223333:role/dev', username: legacy, groups: ['system:masters']}
    - {rolearn: 'arn:aws:iam::111122223333:role/nodes', username: 'system:node:{{EC2PrivateDNSName}}', groups: ['system:nodes']}
";

/// Asks for a verb on a resource in a namespace.
pub(crate) fn may(cluster: &Cluster, who: &Who, verb: &str, resource: &str, namespace: &str) -> Ternary {
    ask(cluster, who, &json!({ "verb": verb, "group": "", "resource": resource, "namespace": namespace }))
}

fn codes(cluster: &Cluster) -> Vec<&'static str> {
    cluster.diagnostics().iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

#[test]
fn an_entry_goes_before_aws_auth_and_nothing_is_merged() {
    let (mode, list) = (mode("API_AND_CONFIG_MAP"), list(&["role/team/dev"]));
    let entry = entry("role/team/dev", "dev", &["viewers"]);
    let cluster = cluster(&[("c", &mode), ("l", &list), ("e", &entry), ("a.yaml", AWS_AUTH)]);
    assert_eq!(
        identity(&cluster, DEV),
        json!({ "result": "mapped", "username": "dev", "groups": ["viewers", "system:authenticated"], "source": "entry" })
    );
    assert!(codes(&cluster).contains(&"entry-shadows-aws-auth"));
}

#[test]
fn the_mode_decides_who_is_asked() {
    let (list, entry) = (list(&["role/dev"]), entry("role/dev", "dev", &[]));
    for (name, expected, code) in [
        ("CONFIG_MAP", "legacy", "access-entries-ignored"),
        ("API_AND_CONFIG_MAP", "dev", "entry-shadows-aws-auth"),
        ("API", "dev", "aws-auth-ignored"),
    ] {
        let mode = mode(name);
        let cluster = cluster(&[("c", &mode), ("l", &list), ("e", &entry), ("a.yaml", AWS_AUTH)]);
        assert_eq!(identity(&cluster, DEV)["username"], expected, "{name}");
        assert!(codes(&cluster).contains(&code), "{name}: {:?}", codes(&cluster));
    }
}

#[test]
fn without_a_mode_it_is_unknown_whether_aws_auth_counts() {
    let (list, entry) = (list(&["role/ops"]), entry("role/ops", "ops", &[]));
    let cluster = cluster(&[("l", &list), ("e", &entry), ("a.yaml", AWS_AUTH)]);
    assert_eq!(identity(&cluster, DEV)["result"], "unknown");
    // Mapped to the group that bypasses RBAC in one mode, refused in the other.
    let who = cluster.identify(DEV, None);
    assert_eq!(may(&cluster, &who, "list", "pods", "prod"), Ternary::Unknown);
    // In neither mode can this one log in.
    assert_eq!(identity(&cluster, "arn:aws:sts::111122223333:assumed-role/other/x")["result"], "not-mapped");
}

#[test]
fn whoever_is_not_in_an_incomplete_list_is_unknown() {
    for (list, expected) in [
        (json!({ "accessEntries": ["arn:aws:iam::111122223333:role/ops"] }), "not-mapped"),
        (json!({ "accessEntries": ["arn:aws:iam::111122223333:role/ops"], "nextToken": "x" }), "unknown"),
        (json!({ "accessEntries": ["arn:aws:iam::111122223333:role/ops"], "NextToken": "x" }), "unknown"),
    ] {
        let (mode, list) = (mode("API"), list.to_string());
        let cluster = cluster(&[("c", &mode), ("l", &list)]);
        assert_eq!(identity(&cluster, DEV)["result"], expected, "{list}");
    }
}

#[test]
fn a_principal_is_matched_without_the_path_of_its_role_and_in_any_case() {
    let mode = mode("API");
    for (name, arn, expected) in [
        ("role/a/b/dev", DEV, "mapped"),
        ("role/DEV", DEV, "mapped"),
        ("role/dev", "arn:aws-cn:sts::111122223333:assumed-role/dev/run-1", "not-mapped"),
        ("role/dev", "arn:aws:sts::444455556666:assumed-role/dev/run-1", "not-mapped"),
        ("user/a/bob", "arn:aws:iam::111122223333:user/a/bob", "mapped"),
        ("user/a/bob", "arn:aws:iam::111122223333:user/bob", "not-mapped"),
        ("root", "arn:aws:iam::111122223333:root", "mapped"),
        ("root", DEV, "not-mapped"),
        ("role/dev", "arn:aws:sts::111122223333:federated-user/dev", "not-mapped"),
    ] {
        let (list, entry) = (list(&[name]), entry(name, "x:y", &[]));
        let cluster = cluster(&[("c", &mode), ("l", &list), ("e", &entry)]);
        assert_eq!(identity(&cluster, arn)["result"], expected, "{name} and {arn}");
    }
}

#[test]
fn usernames_and_groups_by_type() {
    let mode = mode("API");
    let nodes = json!(["system:nodes", "system:authenticated"]);
    let plain = json!(["system:authenticated"]);
    let instance = "i-0123456789abcdef0";
    for (kind, name, session, username, groups) in [
        ("STANDARD", "role/dev", "run-1", json!("arn:aws:sts::111122223333:assumed-role/dev/run-1"), &plain),
        ("STANDARD", "role/a/dev", "a@b", json!("arn:aws:sts::111122223333:assumed-role/dev/a-b"), &plain),
        ("EC2_LINUX", "role/dev", instance, Value::Null, &nodes),
        ("EC2", "role/dev", instance, json!("system:node:i-0123456789abcdef0"), &nodes),
        ("FARGATE_LINUX", "role/dev", "x1", json!("system:node:x1"), &Value::Null),
    ] {
        let declared = format!(
            "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: AccessEntry\nmetadata: {{name: e}}\nspec:\n  clusterName: shop\n  principalARN: arn:aws:iam::111122223333:{name}\n  type: {kind}\n"
        );
        let cluster = cluster(&[("c", &mode), ("e.yaml", &declared)]);
        let found = identity(&cluster, &format!("arn:aws:sts::111122223333:assumed-role/dev/{session}"));
        assert_eq!((&found["username"], &found["groups"]), (&username, groups), "{kind}");
    }
}

#[test]
fn a_person_cannot_log_in_through_the_entry_of_nodes() {
    let declared = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop}\naccessConfig:\n  authenticationMode: API\n  accessEntries:\n  - {principalARN: 'arn:aws:iam::111122223333:role/dev', type: EC2_LINUX}\n";
    assert_eq!(identity(&cluster(&[("c.yaml", declared)]), DEV)["result"], "denied");
}

#[test]
fn what_eks_refuses_of_a_declared_entry_grants_nothing() {
    let dev = "principalARN: 'arn:aws:iam::111122223333:role/dev'";
    let admin = "accessPolicies: [{policyARN: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSHybridPolicy', accessScope: {type: cluster}}]";
    let none = "accessPolicies: [{policyARN: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy', accessScope: {type: namespace}}]";
    let node_policy = "accessPolicies: [{policyARN: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy', accessScope: {type: cluster}}]";
    for (name, fields, refused) in [
        ("a_plain_one", format!("{dev}, kubernetesGroups: [a]"), false),
        ("a_session", "principalARN: 'arn:aws:sts::111122223333:assumed-role/dev/x'".to_owned(), true),
        (
            "a_service_linked_role",
            "principalARN: 'arn:aws:iam::111122223333:role/aws-service-role/x/dev'".to_owned(),
            true,
        ),
        ("a_group_of_iam", "principalARN: 'arn:aws:iam::111122223333:group/dev'".to_owned(), true),
        ("a_group_that_begins_with_system", format!("{dev}, kubernetesGroups: ['system:masters']"), true),
        ("a_username_that_begins_with_aws", format!("{dev}, kubernetesUsername: 'aws:x'"), true),
        (
            "a_session_name_without_a_colon",
            format!("{dev}, kubernetesUsername: 'x{{{{SessionName}}}}'"),
            true,
        ),
        (
            "a_session_name_behind_a_colon",
            format!("{dev}, kubernetesUsername: 'x:{{{{SessionName}}}}'"),
            false,
        ),
        ("groups_for_nodes", format!("{dev}, type: EC2_LINUX, kubernetesGroups: [a]"), true),
        ("a_username_for_nodes", format!("{dev}, type: EC2, kubernetesUsername: 'a:b'"), true),
        (
            "a_user_for_nodes",
            "principalARN: 'arn:aws:iam::111122223333:user/dev', type: EC2".to_owned(),
            true,
        ),
        ("a_policy_of_service_linked_roles", format!("{dev}, {admin}"), true),
        ("namespaces_without_any", format!("{dev}, {none}"), true),
        ("a_policy_for_nodes", format!("{dev}, type: EC2_LINUX, {node_policy}"), true),
    ] {
        let declared = format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: shop}}\naccessConfig:\n  authenticationMode: API\n  accessEntries:\n  - {{{fields}}}\n"
        );
        let cluster = cluster(&[("c.yaml", &declared)]);
        let codes = codes(&cluster);
        assert_eq!(codes.contains(&"access-entry-refused"), refused, "{name}: {codes:?}");
    }
}

#[test]
fn what_eks_reports_is_taken_as_it_stands() {
    let (mode, list) = (mode("API"), list(&["role/dev"]));
    let entry = entry("role/dev", "system:odd", &["system:masters"]);
    let cluster = cluster(&[("c", &mode), ("l", &list), ("e", &entry)]);
    assert_eq!(identity(&cluster, DEV)["groups"][0], "system:masters");
    assert_eq!(codes(&cluster), [""; 0]);
}

#[test]
fn what_is_declared_otherwise_than_eks_reports_is_drift_with_both_places() {
    let (mode, list, entry) = (mode("API"), list(&["role/dev"]), entry("role/dev", "dev", &["now"]));
    let declared = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop}\naccessConfig:\n  authenticationMode: API\n  accessEntries:\n  - {principalARN: 'arn:aws:iam::111122223333:role/dev', kubernetesGroups: [then]}\n  - {principalARN: 'arn:aws:iam::111122223333:role/planned'}\n";
    let cluster = cluster(&[("c", &mode), ("l", &list), ("e.json", &entry), ("d.yaml", declared)]);
    assert_eq!(identity(&cluster, DEV)["groups"][0], "now");
    let drift: Vec<&str> = cluster
        .diagnostics()
        .iter()
        .filter(|diagnostic| diagnostic.code.as_str() == "access-entry-drift")
        .map(|diagnostic| diagnostic.message.as_str())
        .collect();
    assert_eq!(drift.len(), 2, "{drift:?}");
    assert!(
        drift.iter().any(|message| message.contains("username and groups") && message.contains("e.json:1")),
        "{drift:?}"
    );
    // What is only planned does not exist.
    assert_eq!(
        identity(&cluster, "arn:aws:sts::111122223333:assumed-role/planned/x")["result"],
        "not-mapped"
    );
}

#[test]
fn of_two_reports_the_later_one_counts_and_without_times_what_differs_is_unknown() {
    let report = |groups: &str, modified: Option<&str>| {
        let mut one = json!({ "accessEntry": {
            "clusterName": "shop", "principalArn": "arn:aws:iam::111122223333:role/dev", "type": "STANDARD",
            "username": "a:b", "kubernetesGroups": [groups],
        }});
        if let Some(modified) = modified {
            one["accessEntry"]["modifiedAt"] = json!(modified);
        }
        one.to_string()
    };
    let (new, old) =
        (report("new", Some("2025-06-01T00:00:00Z")), report("old", Some("2025-01-01T00:00:00Z")));
    assert_eq!(identity(&cluster(&[("a", &new), ("b", &old)]), DEV)["groups"][0], "new");
    let (one, other) = (report("one", None), report("other", None));
    let cluster = cluster(&[("a", &one), ("b", &other)]);
    assert_eq!(
        identity(&cluster, DEV),
        json!({ "result": "mapped", "username": "a:b", "groups": null, "source": "entry" })
    );
    assert!(codes(&cluster).contains(&"access-entry-conflict"));
}

#[test]
fn a_second_declared_entry_for_a_principal_is_named() {
    let declared = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop}\naccessConfig:\n  accessEntries:\n  - {principalARN: 'arn:aws:iam::111122223333:role/dev', kubernetesGroups: [a]}\n  - {principalARN: 'arn:aws:iam::111122223333:role/dev', kubernetesGroups: [b]}\n";
    let cluster = cluster(&[("c.yaml", declared)]);
    assert!(codes(&cluster).contains(&"duplicate-access-entry"));
    assert_eq!(identity(&cluster, DEV)["groups"], Value::Null);
}

#[test]
fn several_clusters_need_a_choice() {
    let other =
        json!({ "cluster": { "name": "other", "accessConfig": { "authenticationMode": "CONFIG_MAP" } } })
            .to_string();
    let (mode, entry) = (mode("API"), entry("role/dev", "dev", &[]));
    let inputs = [("c", mode.as_str()), ("o", other.as_str()), ("e", entry.as_str())];
    let undecided = cluster(&inputs);
    assert_eq!(identity(&undecided, DEV)["result"], "unknown");
    assert!(codes(&undecided).contains(&"several-clusters"));
    let options =
        LoadOptions { cluster: Some("shop".to_owned()), defaults: Defaults::Never, ..LoadOptions::default() };
    assert_eq!(identity(&loaded(&inputs, &options), DEV)["username"], "dev");
}

#[test]
fn entries_that_eks_reports_show_that_a_declared_mode_of_the_config_map_is_old() {
    let declared = "Resources:\n  C: {Type: 'AWS::EKS::Cluster', Properties: {Name: shop}}\n";
    let (list, dev) = (list(&["role/dev"]), entry("role/dev", "dev", &[]));
    let cluster = cluster(&[("t.yaml", declared), ("l", &list), ("e", &dev), ("a.yaml", AWS_AUTH)]);
    assert_eq!(cluster.identities().mode(), None);
    assert!(codes(&cluster).contains(&"access-entry-drift"), "{:?}", codes(&cluster));
    assert_eq!(identity(&cluster, DEV)["source"], "entry");
}

#[test]
fn the_creator_of_a_cluster_in_the_mode_of_the_config_map_may_do_everything() {
    let mode = mode("CONFIG_MAP");
    let options = |creator: &str| LoadOptions {
        creator: Some(format!("arn:aws:iam::111122223333:role/team/{creator}")),
        defaults: Defaults::Never,
        ..LoadOptions::default()
    };
    let inputs = [("c", mode.as_str()), ("a.yaml", AWS_AUTH)];
    let ops = "arn:aws:sts::111122223333:assumed-role/ops/x";
    for (creator, expected) in [("ops", Ternary::Yes), ("other", Ternary::No)] {
        let cluster = loaded(&inputs, &options(creator));
        assert_eq!(may(&cluster, &cluster.identify(ops, None), "delete", "nodes", ""), expected, "{creator}");
    }
}

#[test]
fn an_entry_older_than_its_principal_is_dead() {
    let state = |created: &str| {
        json!({ "version": 4, "terraform_version": "1.9.8", "serial": 1, "lineage": "x", "resources": [
            { "mode": "managed", "type": "aws_eks_cluster", "name": "c", "instances": [{ "attributes": {
                "name": "shop", "access_config": [{ "authentication_mode": "API" }] } }] },
            { "mode": "managed", "type": "aws_iam_role", "name": "r", "instances": [{ "attributes": {
                "arn": "arn:aws:iam::111122223333:role/dev", "create_date": created } }] },
            { "mode": "managed", "type": "aws_eks_access_entry", "name": "e", "instances": [{ "attributes": {
                "cluster_name": "shop", "principal_arn": "arn:aws:iam::111122223333:role/dev", "type": "STANDARD",
                "created_at": "2025-02-03T10:20:00Z" } }] },
        ]})
        .to_string()
    };
    for (created, expected) in [("2025-01-01T00:00:00Z", "mapped"), ("2025-03-01T00:00:00Z", "not-mapped")] {
        let state = state(created);
        assert_eq!(identity(&cluster(&[("s.json", &state)]), DEV)["result"], expected, "{created}");
    }
}

#[test]
fn an_entry_of_type_standard_for_nodes_is_named() {
    let (mode, list) = (mode("API_AND_CONFIG_MAP"), list(&["role/nodes"]));
    let entry = entry("role/nodes", "x:{{SessionName}}", &[]);
    let cluster = cluster(&[("c", &mode), ("l", &list), ("e", &entry), ("a.yaml", AWS_AUTH)]);
    assert!(codes(&cluster).contains(&"standard-node-role"), "{:?}", codes(&cluster));
}

/// A cluster in which the role `dev` has these policies.
fn with_policies(own: &[(&str, &[&str])]) -> Cluster {
    let (mode, list) = (mode("API"), list(&["role/dev"]));
    let (entry, policies) = (entry("role/dev", "dev", &["developers"]), policies("role/dev", own));
    cluster(&[("c", &mode), ("l", &list), ("e", &entry), ("p", &policies), ("r.yaml", UNBOUND)])
}

/// Some RBAC, so that nobody thinks that a folder was forgotten.
const UNBOUND: &str =
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: unbound}\nrules: []\n";

#[test]
fn a_policy_of_namespaces_counts_in_them_alone() {
    let cluster = with_policies(&[("AmazonEKSClusterAdminPolicy", &["dev-*", "staging"])]);
    let who = cluster.identify(DEV, None);
    for (resource, namespace, expected) in [
        ("pods", "dev-a", Ternary::Yes),
        ("pods", "staging", Ternary::Yes),
        ("pods", "prod", Ternary::No),
        ("pods", "", Ternary::No),
        ("nodes", "", Ternary::No),
        ("namespaces", "", Ternary::No),
        ("namespaces", "dev-a", Ternary::Unknown),
        ("namespaces", "prod", Ternary::No),
    ] {
        assert_eq!(may(&cluster, &who, "get", resource, namespace), expected, "{resource} in {namespace}");
    }
}

#[test]
fn a_policy_without_published_rules_is_unknown_within_its_scope() {
    let cluster = with_policies(&[("AmazonEKSArgoCDPolicy", &["argocd"])]);
    let who = cluster.identify(DEV, None);
    assert_eq!(may(&cluster, &who, "get", "secrets", "argocd"), Ternary::Unknown);
    assert_eq!(may(&cluster, &who, "get", "secrets", "prod"), Ternary::No);
    assert_eq!(may(&cluster, &who, "list", "secrets", ""), Ternary::No);
}

#[test]
fn an_undocumented_pattern_is_unknown_where_it_would_match() {
    let cluster = with_policies(&[("AmazonEKSViewPolicy", &["*-dev"])]);
    let who = cluster.identify(DEV, None);
    assert_eq!(may(&cluster, &who, "list", "pods", "a-dev"), Ternary::Unknown);
    assert_eq!(may(&cluster, &who, "list", "pods", "prod"), Ternary::No);
    assert_eq!(may(&cluster, &who, "delete", "pods", "a-dev"), Ternary::No);
}

#[test]
fn a_grant_by_a_policy_shows_every_hop() {
    let cluster = with_policies(&[("AmazonEKSViewPolicy", &["dev-*"])]);
    let who = cluster.identify(DEV, None);
    let asked = Attributes::Resource(ResourceAttributes {
        verb: "list",
        group: "",
        resource: "pods",
        subresource: "",
        name: "",
        namespace: "dev-a",
    });
    let answer = cluster.answer(&who, &asked);
    let hops = rbacsim::report::words::hops(cluster.graph(), answer.grants.first().unwrap());
    let texts: Vec<(&str, &str)> = hops.iter().map(|hop| (hop.text.as_str(), hop.place.as_str())).collect();
    assert_eq!(texts[0], ("association of `AmazonEKSViewPolicy` with namespace `dev-*`", "p:1"));
    assert_eq!(texts[1], ("access policy `AmazonEKSViewPolicy`", "built in (EKS user guide, 2024-12-18)"));
    assert!(texts[2].0.starts_with("rule 8: get, list, watch on configmaps"), "{texts:?}");
    assert_eq!(
        cluster.graph().allow_reason(answer.grants.first().unwrap()).to_string(),
        format!(
            "EKS Access Policy: allowed by RoleBinding \"arn:aws:iam::111122223333:role/dev+{VIEW}\" of ClusterRole \"{VIEW}\""
        )
    );
}

#[test]
fn a_review_sees_policies_by_arn_and_never_by_username() {
    let cluster = with_policies(&[("AmazonEKSViewPolicy", &["dev-*"])]);
    let review = |mut spec: Value, namespace: &str| {
        spec["resourceAttributes"] = json!({ "verb": "list", "resource": "pods", "namespace": namespace });
        let status = crate::recorded::review(&cluster, &[&spec])[0]["status"].clone();
        (status["allowed"].as_bool().unwrap(), status["evaluationError"].is_string())
    };
    let arn = json!({ "extra": { "arn": [DEV] } });
    assert_eq!(review(arn.clone(), "dev-a"), (true, false));
    assert_eq!(review(arn, "prod"), (false, false));
    assert_eq!(review(json!({ "user": "dev", "groups": ["developers"] }), "dev-a"), (false, false));
    let by_id = json!({ "user": "dev", "extra": { "principalId": ["AROAEXAMPLE"] } });
    assert_eq!(review(by_id, "dev-a"), (false, true));
}

#[test]
fn the_list_of_kubectl_leaves_policies_out_and_shows_them_apart() {
    let cluster = with_policies(&[("AmazonEKSSecretReaderPolicy", &["dev-*"])]);
    let user = cluster.identify(DEV, None).certain().unwrap();
    let review = rbacsim::ask::rules_review::rules(&cluster, &user, "dev-a");
    assert_eq!((review.resource_rules.len(), review.access.len()), (0, 1));
    assert_eq!(review.access[0].resource_rules[0].resources.as_deref(), Some(&["secrets".to_owned()][..]));
    assert!(rbacsim::ask::rules_review::rules(&cluster, &user, "prod").access.is_empty());
}

#[test]
fn no_aggregation_takes_an_access_policy_in() {
    let cluster = {
        let (mode, list) = (mode("API"), list(&["role/dev"]));
        let (entry, policies) =
            (entry("role/dev", "dev", &[]), policies("role/dev", &[("AmazonEKSClusterAdminPolicy", &[])]));
        let rbac = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
aggregationRule: {clusterRoleSelectors: [{}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: bob}]
";
        let options = recorded_options();
        loaded(&[("c", &mode), ("l", &list), ("e", &entry), ("p", &policies), ("r.yaml", rbac)], &options)
    };
    let bob = Who::user(UserInfo::authenticated("bob", std::iter::empty::<String>()));
    assert_eq!(may(&cluster, &bob, "list", "pods", "prod"), Ternary::No);
}

#[test]
fn groups_and_patterns_that_nothing_has_are_named() {
    let (mode, list) = (mode("API"), list(&["role/dev"]));
    let (entry, policies) = (
        entry("role/dev", "dev", &["developer"]),
        policies("role/dev", &[("AmazonEKSAdminPolicy", &["qa-*"])]),
    );
    let rbac = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: dev}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: developers}]
---
apiVersion: v1
kind: Namespace
metadata: {name: prod}
";
    let inputs = [("c", mode.as_str()), ("l", &list), ("e", &entry), ("p", &policies), ("r.yaml", rbac)];
    let cluster = loaded(&inputs, &recorded_options());
    let found = codes(&cluster);
    for code in ["group-never-bound", "namespace-pattern-unused", "escalation-check-sees-rbac-only"] {
        assert!(found.contains(&code), "{code}: {found:?}");
    }
    assert!(
        cluster.diagnostics().iter().any(|diagnostic| diagnostic.message.contains("`developers` meant?"))
    );
}

#[test]
fn who_can_lists_whoever_can_by_a_policy_and_whoever_may() {
    let (mode, list) = (mode("API"), list(&["role/dev", "role/ops", "role/listed"]));
    let (dev, ops) = (entry("role/dev", "dev", &[]), entry("role/ops", "ops", &[]));
    let view = policies("role/dev", &[("AmazonEKSViewPolicy", &["dev-*"])]);
    let none = policies("role/ops", &[]);
    let cluster = cluster(&[
        ("c", &mode),
        ("l", &list),
        ("d", &dev),
        ("o", &ops),
        ("v", &view),
        ("n", &none),
        ("r.yaml", UNBOUND),
    ]);
    let words = rbacsim::ask::question::Words {
        namespace: Some("dev-a"),
        ..rbacsim::ask::question::Words::of(&["list", "pods"], false).unwrap()
    };
    let question = rbacsim::ask::question::read(&words, &cluster).unwrap();
    let found = rbacsim::ask::who_can::who_can(&cluster, &question);
    let arns = |list: &[rbacsim::ask::who_can::IdentityAccess<'_>]| -> Vec<String> {
        list.iter().map(|can| can.arn.rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(arns(&found.identities), ["dev"]);
    assert_eq!(arns(&found.unknown_identities), ["listed"]);
}
