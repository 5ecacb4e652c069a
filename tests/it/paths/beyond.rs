//! Steps that lead through IAM, and steps that depend on what the inputs do not tell: one test a step.

use rbacsim::ask::paths::{Condition, From, Search};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::{Value, json};

use super::{account, all, from, grant, namespace, object, pod, rule};

const ACCOUNT: &str = "111122223333";
const ISSUER: &str = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE";
pub(crate) const STRONG: &str = "ServiceAccount strong/root";

pub(crate) fn loaded(objects: &Value, iam: Option<&Value>, is_export: bool) -> Cluster {
    loaded_as(objects, iam, is_export, "1.36")
}

pub(crate) fn loaded_as(objects: &Value, iam: Option<&Value>, is_export: bool, version: &str) -> Cluster {
    let text = |name: &str, value: &Value| Input::Text { name: name.into(), bytes: value.to_string().into() };
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let mut inputs = vec![text("objects.json", &list)];
    inputs.extend(iam.map(|iam| text("iam.json", iam)));
    let completeness = if is_export { Completeness::Complete } else { Completeness::Partial };
    let options = LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(completeness),
        version: Some(version.parse().unwrap()),
        ..LoadOptions::default()
    };
    load(&inputs, &options).unwrap().into()
}

/// What is certain and what is possible, each as `identity depth`, the possible with ` if N`.
pub(crate) fn ways(cluster: &Cluster, who: &str) -> (Vec<String>, Vec<String>) {
    let mut search = Search::new(cluster);
    let start = match who.strip_prefix("IAM ") {
        Some(arn) => From::iam(arn, &cluster.identify(arn, None)),
        None => from(cluster, who),
    };
    let traced = search.traced_with_possible(&start, None);
    let certain = traced.paths.reached.iter().map(|own| format!("{} {}", own.identity, own.depth)).collect();
    let possible = traced.possible.iter().map(|own| {
        assert!(!own.conditions.is_empty(), "{who}: {}", own.reach.identity);
        format!("{} {} if {}", own.reach.identity, own.reach.depth, own.conditions.len())
    });
    (certain, possible.collect())
}

/// The steps of a way that is possible, and its conditions.
pub(crate) fn way(cluster: &Cluster, who: &str, to: &str) -> (Vec<&'static str>, Vec<Condition>) {
    let mut search = Search::new(cluster);
    let traced = search.traced_with_possible(&from(cluster, who), None);
    let own = traced.possible.iter().find(|own| own.reach.identity == to);
    let own = own.unwrap_or_else(|| panic!("{to} is not possible: {:?}", ways(cluster, who)));
    let steps = traced.hops(&own.reach).iter().map(|hop| hop.step.id()).collect();
    (steps, own.conditions.clone())
}

#[track_caller]
pub(crate) fn is_possible_by(cluster: &Cluster, who: &str, to: &str, steps: &[&str]) {
    assert_eq!(way(cluster, who, to).0, steps, "{who} to {to}");
}

#[track_caller]
pub(crate) fn is_not_possible(cluster: &Cluster, who: &str, to: &str) {
    let (certain, possible) = ways(cluster, who);
    let named = |own: &String| own.starts_with(to);
    assert!(!certain.iter().chain(&possible).any(named), "{who} to {to}: {certain:?} {possible:?}");
}

/// A namespace with an account that may do everything, and one more namespace for whoever asks.
pub(crate) fn strong() -> Vec<Value> {
    let everything = rule(&["*"], "*", &["*"], &[]);
    let mut objects = vec![namespace("strong", "restricted"), namespace("mine", "restricted")];
    objects.push(account("strong", "root"));
    objects.push(account("mine", "web"));
    objects.extend(grant("", "root", STRONG, &[everything]));
    objects
}

pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

pub(crate) fn iam_role(name: &str, trust: &Value, policies: &[Value]) -> Value {
    let inline: Vec<Value> = policies
        .iter()
        .map(|statement| {
            json!({ "PolicyName": "p", "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] } })
        })
        .collect();
    json!({
        "Path": "/", "RoleName": name, "RoleId": format!("AROA{}", name.to_uppercase()), "Arn": role_arn(name),
        "CreateDate": "2026-01-01T00:00:00Z", "InstanceProfileList": [], "AttachedManagedPolicies": [], "Tags": [],
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trust] },
        "RolePolicyList": inline,
    })
}

pub(crate) fn export(roles: &[Value]) -> Value {
    json!({ "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": [], "IsTruncated": false })
}

pub(crate) fn trusts_account(namespace: &str, name: &str) -> Value {
    json!({
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": { "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}") },
        "Condition": { "StringEquals": {
            format!("{ISSUER}:sub"): format!("system:serviceaccount:{namespace}:{name}"),
            format!("{ISSUER}:aud"): "sts.amazonaws.com",
        } },
    })
}

pub(crate) fn trusts_own() -> Value {
    json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") } })
}

pub(crate) fn may_assume(name: &str) -> Value {
    json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn(name) })
}

pub(crate) fn aws_auth(rows: &str) -> Value {
    object("v1", "ConfigMap", "kube-system", "aws-auth", json!({ "data": { "mapRoles": rows } }))
}

pub(crate) fn annotated(namespace: &str, name: &str, role: &str) -> Value {
    object(
        "v1",
        "ServiceAccount",
        namespace,
        name,
        json!({ "metadata": { "annotations": { "eks.amazonaws.com/role-arn": role_arn(role) } } }),
    )
}

pub(crate) fn masters(role: &str) -> Value {
    aws_auth(&format!("- rolearn: {}\n  username: admin\n  groups: [system:masters]\n", role_arn(role)))
}

#[test]
fn irsa_and_map_back_are_certain_with_the_trust_policy_and_possible_without() {
    let creates = grant("mine", "may", "User may", &[rule(&["create"], "", &["pods"], &[])]);
    let objects =
        all(&[&[namespace("mine", "restricted"), annotated("mine", "web", "pod"), masters("pod")], &creates]);
    let admits = export(&[iam_role("pod", &trusts_account("mine", "web"), &[])]);
    let cluster = loaded(&objects, Some(&admits), true);
    let (certain, possible) = ways(&cluster, "User may");
    let role = role_arn("pod");
    assert_eq!(
        certain,
        [
            "ServiceAccount mine/default 1".to_owned(),
            "ServiceAccount mine/web 1".to_owned(),
            format!("IAM {role} 2"),
            "User admin + system:masters 3".to_owned(),
            "cluster-admin 3".to_owned(),
        ]
    );
    assert_eq!(possible, [""; 0]);
    // Without an export of IAM the trust policy decides.
    let cluster = loaded(&objects, None, true);
    assert_eq!(ways(&cluster, "User may").0.len(), 2);
    is_possible_by(&cluster, "User may", "cluster-admin", &["create-pod", "irsa", "map-back"]);
    // One that admits another account does not open the role.
    let other = export(&[iam_role("pod", &trusts_account("mine", "other"), &[])]);
    is_not_possible(&loaded(&objects, Some(&other), true), "User may", "cluster-admin");
}

#[test]
fn a_role_that_trusts_an_account_needs_no_annotation() {
    let token =
        grant("mine", "may", "User may", &[rule(&["create"], "", &["serviceaccounts/token"], &["web"])]);
    let objects = all(&[&[namespace("mine", "restricted"), account("mine", "web"), masters("pod")], &token]);
    let admits = export(&[iam_role("pod", &trusts_account("mine", "web"), &[])]);
    let (certain, _) = ways(&loaded(&objects, Some(&admits), true), "User may");
    assert!(certain.contains(&"cluster-admin 3".to_owned()), "{certain:?}");
}

#[test]
fn impersonation_yields_no_token_and_so_no_iam_role() {
    let acts = grant("mine", "may", "User may", &[rule(&["impersonate"], "", &["serviceaccounts"], &[])]);
    let objects =
        all(&[&[namespace("mine", "restricted"), annotated("mine", "web", "pod"), masters("pod")], &acts]);
    let admits = export(&[iam_role("pod", &trusts_account("mine", "web"), &[])]);
    is_not_possible(&loaded(&objects, Some(&admits), true), "User may", "IAM");
}

#[test]
fn pod_identity_takes_a_pod_and_not_only_a_token() {
    let association = json!({ "associations": [{
        "clusterName": "c", "namespace": "mine", "serviceAccount": "web", "associationId": "a-1",
        "associationArn": "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/c/a-1", "roleArn": role_arn("pod"),
    }] });
    let wants = |verb: &str, resource: &str| {
        let may = grant("mine", "may", "User may", &[rule(&[verb], "", &[resource], &[])]);
        all(&[&[namespace("mine", "restricted"), account("mine", "web"), masters("pod")], &may])
    };
    let text = |name: &str, value: &Value| Input::Text { name: name.into(), bytes: value.to_string().into() };
    let search = |objects: &Value| {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        let options = LoadOptions {
            defaults: Defaults::Never,
            completeness: Some(Completeness::Complete),
            ..LoadOptions::default()
        };
        let inputs = [text("objects.json", &list), text("associations.json", &association)];
        ways(&load(&inputs, &options).unwrap().into(), "User may").0
    };
    let by_pod = search(&wants("create", "pods"));
    assert!(by_pod.contains(&"cluster-admin 3".to_owned()), "{by_pod:?}");
    let by_token = search(&wants("create", "serviceaccounts/token"));
    assert!(!by_token.iter().any(|own| own.starts_with("IAM")), "{by_token:?}");
}

#[test]
fn assume_role_goes_on_from_role_to_role() {
    let objects = json!([masters("admin"), namespace("mine", "")]);
    let roles = export(&[
        iam_role("first", &trusts_own(), &[may_assume("second")]),
        iam_role("second", &trusts_own(), &[may_assume("admin")]),
        iam_role("admin", &trusts_own(), &[]),
        iam_role("other", &trusts_own(), &[]),
    ]);
    let cluster = loaded(&objects, Some(&roles), true);
    let (certain, _) = ways(&cluster, &format!("IAM {}", role_arn("first")));
    assert!(certain.contains(&"cluster-admin 3".to_owned()), "{certain:?}");
    let (certain, possible) = ways(&cluster, &format!("IAM {}", role_arn("other")));
    assert_eq!((certain, possible), (Vec::new(), Vec::new()));
    // Whoever may become one of them is a start too.
    let titles: Vec<String> =
        Search::new(&cluster).iam_starts().into_iter().map(|start| start.title).collect();
    assert_eq!(titles, [format!("IAM {}", role_arn("first")), format!("IAM {}", role_arn("second"))]);
}

#[test]
fn assume_role_with_a_condition_is_possible() {
    let mut trust = trusts_own();
    trust["Condition"] = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let roles =
        export(&[iam_role("first", &trusts_own(), &[may_assume("admin")]), iam_role("admin", &trust, &[])]);
    let cluster = loaded(&json!([masters("admin")]), Some(&roles), true);
    let (certain, possible) = ways(&cluster, &format!("IAM {}", role_arn("first")));
    assert_eq!(certain, [""; 0]);
    assert_eq!(possible.first().map(String::as_str), Some("cluster-admin 2 if 1"));
}

#[test]
fn eks_api_lets_in_whoever_may_make_an_entry_and_give_it_a_policy() {
    let objects = json!([masters("admin"), namespace("mine", "")]);
    let allows = |actions: &[&str]| json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    let roles = export(&[
        iam_role("admin", &trusts_own(), &[]),
        iam_role("both", &trusts_own(), &[allows(&["eks:CreateAccessEntry", "eks:AssociateAccessPolicy"])]),
        iam_role("half", &trusts_own(), &[allows(&["eks:AssociateAccessPolicy"])]),
    ]);
    let cluster = loaded(&objects, Some(&roles), true);
    let (certain, possible) = ways(&cluster, &format!("IAM {}", role_arn("both")));
    assert_eq!(certain, [""; 0]);
    assert!(possible[0].starts_with("cluster-admin 1 if"), "{possible:?}");
    assert_eq!(ways(&cluster, &format!("IAM {}", role_arn("half"))).1, [""; 0]);
}

#[test]
fn an_identity_provider_of_ones_own_names_anybody_but_the_systems() {
    let everything = rule(&["*"], "*", &["*"], &[]);
    let objects = |who: &str| {
        let mut objects = vec![masters("admin"), namespace("mine", "")];
        objects.extend(grant("", "root", who, std::slice::from_ref(&everything)));
        Value::Array(objects)
    };
    let allows = |action: &str| json!({ "Effect": "Allow", "Action": [action], "Resource": "*" });
    let roles = export(&[
        iam_role("admin", &trusts_own(), &[]),
        iam_role("oidc", &trusts_own(), &[allows("eks:AssociateIdentityProviderConfig")]),
        iam_role("reads", &trusts_own(), &[allows("eks:DescribeIdentityProviderConfig")]),
    ]);
    let reaches = |who: &str, role: &str| {
        let cluster = loaded(&objects(who), Some(&roles), true);
        let (certain, possible) = ways(&cluster, &format!("IAM {}", role_arn(role)));
        certain.into_iter().chain(possible).any(|own| own.starts_with("cluster-admin "))
    };
    assert!(reaches("Group ops", "oidc") && reaches("User eks:ann", "oidc"));
    assert!(!reaches("Group system:ops", "oidc") && !reaches("Group ops", "reads"));
}

#[test]
fn session_name_is_chosen_where_the_username_is_only_that() {
    let objects = |username: &str| {
        let row = format!("- rolearn: {}\n  username: {username}\n  groups: [devs]\n", role_arn("dev"));
        let everything = rule(&["*"], "*", &["*"], &[]);
        all(&[&[aws_auth(&row), namespace("mine", "")], &grant("", "boss", "User boss", &[everything])])
    };
    let roles = export(&[iam_role("dev", &trusts_own(), &[])]);
    let dev = format!("IAM {}", role_arn("dev"));
    let found = ways(&loaded(&objects("\"{{SessionName}}\""), Some(&roles), true), &dev).1;
    assert_eq!(found[0], "cluster-admin 1 if 1");
    // With a prefix of its own no bound name comes out.
    assert_eq!(ways(&loaded(&objects("\"dev:{{SessionName}}\""), Some(&roles), true), &dev).1, [""; 0]);
}

#[test]
fn node_role_of_a_node_that_is_held() {
    let row = format!(
        "- rolearn: {}\n  username: \"system:node:{{{{EC2PrivateDNSName}}}}\"\n  groups: [system:nodes]\n",
        role_arn("nodes")
    );
    let admin = json!({ "rolearn": role_arn("admin"), "username": "admin", "groups": ["system:masters"] });
    let may = grant("mine", "may", "User may", &[rule(&["create"], "", &["pods"], &[])]);
    let objects = all(&[&[namespace("mine", ""), aws_auth(&format!("{row}- {admin}\n"))], &may]);
    let roles = export(&[
        iam_role("nodes", &trusts_own(), &[may_assume("admin")]),
        iam_role("admin", &trusts_own(), &[]),
    ]);
    let cluster = loaded(&objects, Some(&roles), true);
    is_possible_by(
        &cluster,
        "User may",
        "cluster-admin",
        &["privileged-pod", "node-role", "assume-role", "map-back"],
    );
}

#[test]
fn an_account_that_only_bindings_name_may_exist_in_partial_inputs() {
    let mut objects = strong();
    objects.retain(|own| own["metadata"]["name"] != "root" || own["kind"] != "ServiceAccount");
    objects.extend(grant("strong", "may", "User may", &[rule(&["create"], "", &["pods"], &[])]));
    let objects = Value::Array(objects);
    let cluster = loaded(&objects, None, false);
    assert_eq!(
        way(&cluster, "User may", "cluster-admin"),
        (vec!["create-pod"], vec![Condition::AccountExists("strong/root".to_owned())])
    );
    // An export with accounts tells that it does not.
    is_not_possible(&loaded(&objects, None, true), "User may", "cluster-admin");
}

#[test]
fn pods_that_the_inputs_do_not_hold() {
    for (verb, resource, step) in [
        ("create", "pods/exec", "exec"),
        ("patch", "pods", "change-pod"),
        ("update", "pods/ephemeralcontainers", "ephemeral-container"),
    ] {
        let mut objects = strong();
        objects.extend(grant("strong", "may", "User may", &[rule(&[verb], "", &[resource], &[])]));
        let cluster = loaded(&Value::Array(objects.clone()), None, true);
        is_possible_by(&cluster, "User may", "cluster-admin", &[step]);
        // Where pods are loaded, those are all.
        objects.push(pod("mine", "web", "web", "", json!({ "name": "c" })));
        is_not_possible(&loaded(&Value::Array(objects), None, true), "User may", "cluster-admin");
    }
    let mut objects = strong();
    objects.extend(grant("strong", "may", "User may", &[rule(&["patch"], "apps", &["deployments"], &[])]));
    let cluster = loaded(&Value::Array(objects), None, true);
    is_possible_by(&cluster, "User may", "cluster-admin", &["change-workload"]);
    let mut objects = strong();
    objects.extend(grant("", "may", "User may", &[rule(&["get"], "", &["nodes/proxy"], &[])]));
    let cluster = loaded(&Value::Array(objects), None, true);
    is_possible_by(&cluster, "User may", "cluster-admin", &["node-proxy"]);
}

#[test]
fn attach_takes_a_container_that_listens() {
    let mut objects = strong();
    objects.push(pod("strong", "p", "root", "", json!({ "name": "c" })));
    objects.extend(grant("strong", "may", "User may", &[rule(&["create"], "", &["pods/attach"], &[])]));
    let cluster = loaded(&Value::Array(objects), None, true);
    is_possible_by(&cluster, "User may", "cluster-admin", &["attach"]);
}

#[test]
fn a_namespace_that_is_not_loaded_may_let_privileged_pods_in() {
    let may = grant("mine", "may", "User may", &[rule(&["create"], "", &["pods"], &[])]);
    let cluster = loaded(&Value::Array(may.to_vec()), None, true);
    is_possible_by(&cluster, "User may", "node *", &["privileged-pod"]);
    let restricted = all(&[&may, &[namespace("mine", "restricted")]]);
    is_not_possible(&loaded(&restricted, None, true), "User may", "node");
}

#[test]
fn aws_auth_that_is_not_loaded() {
    let may = grant("kube-system", "may", "User may", &[rule(&["patch"], "", &["configmaps"], &[])]);
    let cluster = loaded(&Value::Array(may.to_vec()), None, true);
    is_possible_by(&cluster, "User may", "cluster-admin", &["edit-aws-auth"]);
    // Rules for its name suffice: it is there, or an apply makes it.
    let named = |name: &str| {
        let may = grant("kube-system", "may", "User may", &[rule(&["patch"], "", &["configmaps"], &[name])]);
        loaded(&Value::Array(may.to_vec()), None, true)
    };
    is_possible_by(&named("aws-auth"), "User may", "cluster-admin", &["edit-aws-auth"]);
    is_not_possible(&named("coredns"), "User may", "cluster-admin");
    let elsewhere = grant("mine", "may", "User may", &[rule(&["patch"], "", &["configmaps"], &["aws-auth"])]);
    is_not_possible(&loaded(&Value::Array(elsewhere.to_vec()), None, true), "User may", "cluster-admin");
    let elsewhere = grant("mine", "may", "User may", &[rule(&["patch"], "", &["configmaps"], &[])]);
    is_not_possible(&loaded(&Value::Array(elsewhere.to_vec()), None, true), "User may", "cluster-admin");
}

pub(crate) fn crd(group: &str, plural: &str, kind: &str) -> Value {
    object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "",
        &format!("{plural}.{group}"),
        json!({ "spec": {
            "group": group, "scope": "Namespaced",
            "names": { "plural": plural, "singular": kind.to_lowercase(), "kind": kind },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object" } } }],
        } }),
    )
}

#[test]
fn run_by_operator_needs_the_resource_to_be_there_or_to_be_named() {
    let may = |group: &str| {
        let mut objects = strong();
        objects.extend(grant("strong", "may", "User may", &[rule(&["create"], group, &["workflows"], &[])]));
        objects
    };
    let cluster = loaded(&Value::Array(may("argoproj.io")), None, false);
    is_possible_by(&cluster, "User may", "cluster-admin", &["run-by-operator"]);
    // A star says nothing of what is not known to be there.
    is_not_possible(&loaded(&Value::Array(may("*")), None, false), "User may", "cluster-admin");
    let mut objects = may("*");
    objects.push(crd("argoproj.io", "workflows", "Workflow"));
    is_possible_by(
        &loaded(&Value::Array(objects), None, false),
        "User may",
        "cluster-admin",
        &["run-by-operator"],
    );
    // An export with other CRDs tells that it is not there.
    let mut objects = may("argoproj.io");
    objects.push(crd("example.com", "things", "Thing"));
    is_not_possible(&loaded(&Value::Array(objects), None, true), "User may", "cluster-admin");
}

#[test]
fn apply_by_operator_acts_as_the_controller() {
    let everything = rule(&["*"], "*", &["*"], &[]);
    let flux = "ServiceAccount flux-system/kustomize-controller";
    let mut objects = strong();
    objects.push(account("flux-system", "kustomize-controller"));
    objects.extend(grant("", "cluster-reconciler", flux, &[everything]));
    let writes = rule(&["create"], "kustomize.toolkit.fluxcd.io", &["kustomizations"], &[]);
    objects.extend(grant("mine", "may", "User may", &[writes]));
    let cluster = loaded(&Value::Array(objects), None, false);
    is_possible_by(&cluster, "User may", "cluster-admin", &["apply-by-operator"]);
}

#[test]
fn cloud_by_operator_lets_in_through_the_eks_api() {
    let mut objects = strong();
    let writes = rule(&["create"], "eks.services.k8s.aws", &["accessentries"], &[]);
    objects.extend(grant("mine", "may", "User may", &[writes]));
    let cluster = loaded(&Value::Array(objects), None, false);
    is_possible_by(&cluster, "User may", "cluster-admin", &["cloud-by-operator"]);
}

#[test]
fn csr_takes_creation_and_approval_by_one_who_may_approve_for_the_signer() {
    let group = "certificates.k8s.io";
    let creates = rule(&["create"], group, &["certificatesigningrequests"], &[]);
    let approves = rule(&["update"], group, &["certificatesigningrequests/approval"], &[]);
    let signer = |name: &str| rule(&["approve"], group, &["signers"], &[name]);
    let with = |rules: &[Value]| {
        let mut objects = strong();
        objects.extend(grant("", "may", "User may", rules));
        loaded(&Value::Array(objects), None, true)
    };
    let client = signer("kubernetes.io/kube-apiserver-client");
    let cluster = with(&[creates.clone(), approves.clone(), client.clone()]);
    is_possible_by(&cluster, "User may", "cluster-admin", &["csr"]);
    is_not_possible(&with(&[creates.clone(), client]), "User may", "cluster-admin");
    is_not_possible(&with(&[creates, approves, signer("example.com/own")]), "User may", "cluster-admin");
}

#[test]
fn sign_takes_the_signer_and_the_status_by_one() {
    let group = "certificates.k8s.io";
    let status = rule(&["update"], group, &["certificatesigningrequests/status"], &[]);
    let signer = |verb: &str| rule(&[verb], group, &["signers"], &["kubernetes.io/*"]);
    let with = |rules: &[Value]| {
        let mut objects = strong();
        objects.extend(grant("", "may", "User may", rules));
        loaded(&Value::Array(objects), None, true)
    };
    is_possible_by(&with(&[status.clone(), signer("sign")]), "User may", "cluster-admin", &["sign"]);
    is_not_possible(&with(&[status.clone(), signer("approve")]), "User may", "cluster-admin");
    is_not_possible(&with(&[signer("sign")]), "User may", "cluster-admin");
}

#[test]
fn bootstrap_token_takes_secrets_of_kube_system_and_a_group_that_is_bound() {
    let creates = rule(&["create"], "", &["secrets"], &[]);
    let everything = rule(&["*"], "*", &["*"], &[]);
    let with = |place: &str, group: &str| {
        let mut objects = strong();
        objects.extend(grant("", "boot", group, std::slice::from_ref(&everything)));
        objects.extend(grant(place, "may", "User may", std::slice::from_ref(&creates)));
        loaded(&Value::Array(objects), None, true)
    };
    let bound = "Group system:bootstrappers:kubeadm";
    is_possible_by(&with("kube-system", bound), "User may", "cluster-admin", &["bootstrap-token"]);
    is_not_possible(&with("mine", bound), "User may", "cluster-admin");
    is_not_possible(&with("kube-system", "Group others"), "User may", "cluster-admin");
}

#[test]
fn apply_creates_under_a_name_that_rules_allow() {
    let with = |rules: &[Value]| {
        let mut objects = strong();
        // Pods and Secrets are known: those named x are none of them.
        objects.push(pod("mine", "web", "web", "", json!({ "name": "c" })));
        objects.push(object("v1", "Secret", "mine", "web", json!({ "type": "Opaque" })));
        objects.extend(grant("strong", "may", "User may", rules));
        loaded(&Value::Array(objects), None, true)
    };
    let may =
        |verb: &str, group: &str, resource: &str, name: &str| rule(&[verb], group, &[resource], &[name]);
    let both = |group: &str, resource: &str| {
        with(&[may("create", group, resource, "x"), may("patch", group, resource, "x")])
    };
    is_possible_by(&both("", "pods"), "User may", STRONG, &["apply-create"]);
    for (group, resource) in [
        ("apps", "deployments"),
        ("apps", "daemonsets"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("batch", "jobs"),
        ("batch", "cronjobs"),
        ("", "replicationcontrollers"),
    ] {
        is_possible_by(&both(group, resource), "User may", STRONG, &["apply-create"]);
    }
    is_possible_by(&both("", "secrets"), "User may", STRONG, &["mint-token-secret"]);
    // One of the two, two names, or another kind is nothing.
    is_not_possible(&with(&[may("create", "", "pods", "x")]), "User may", STRONG);
    is_not_possible(
        &with(&[may("create", "", "pods", "x"), may("patch", "", "pods", "y")]),
        "User may",
        STRONG,
    );
    let kinds = [may("create", "batch", "jobs", "x"), may("patch", "apps", "deployments", "x")];
    is_not_possible(&with(&kinds), "User may", STRONG);
    is_not_possible(&both("", "configmaps"), "User may", STRONG);
    is_not_possible(&both("batch", "deployments"), "User may", STRONG);
}

#[test]
fn mutate_by_webhook_and_by_policy() {
    let group = "admissionregistration.k8s.io";
    let with = |rules: &[Value]| {
        let mut objects = strong();
        objects.extend(grant("", "may", "User may", rules));
        loaded(&Value::Array(objects), None, true)
    };
    let cluster = with(&[rule(&["create"], group, &["mutatingwebhookconfigurations"], &[])]);
    is_possible_by(&cluster, "User may", "cluster-admin", &["mutate-by-webhook"]);
    let policies = rule(&["create"], group, &["mutatingadmissionpolicies"], &[]);
    let bindings = rule(&["create"], group, &["mutatingadmissionpolicybindings"], &[]);
    let cluster = with(&[policies.clone(), bindings]);
    is_possible_by(&cluster, "User may", "cluster-admin", &["mutate-by-policy"]);
    is_not_possible(&with(&[policies]), "User may", "cluster-admin");
}

#[test]
fn steal_pods_takes_a_node_and_both_rights() {
    let with = |rules: &[Value]| {
        let mut objects = strong();
        let privileged = json!({ "name": "c", "securityContext": { "privileged": true } });
        objects.push(pod("mine", "agent", "web", "node-1", privileged));
        objects.push(pod("strong", "p", "root", "node-2", json!({ "name": "c" })));
        objects.extend(grant("mine", "exec", "User may", &[rule(&["create"], "", &["pods/exec"], &[])]));
        objects.extend(grant("", "may", "User may", rules));
        loaded(&Value::Array(objects), None, true)
    };
    let evicts = rule(&["create"], "", &["pods/eviction"], &[]);
    let steers = rule(&["patch"], "", &["nodes"], &[]);
    let cluster = with(&[evicts.clone(), steers]);
    is_possible_by(&cluster, "User may", "cluster-admin", &["exec", "steal-pods"]);
    is_not_possible(&with(&[evicts]), "User may", "cluster-admin");
}

#[test]
fn driver_opens_nodes_if_it_runs() {
    let mut objects = strong();
    objects.extend(grant(
        "",
        "may",
        "User may",
        &[rule(&["create"], "storage.k8s.io", &["csidrivers"], &[])],
    ));
    is_possible_by(&loaded(&Value::Array(objects), None, true), "User may", "node *", &["driver"]);
}

#[test]
fn what_is_certain_is_not_possible_besides_and_conditions_add_up() {
    let everything = rule(&["*"], "*", &["*"], &[]);
    let certain = Value::Array(grant("", "may", "User may", &[everything]).to_vec());
    assert_eq!(ways(&loaded(&certain, None, false), "User may").1, [""; 0]);
    // Two steps, each with a condition of its own.
    let mut objects = strong();
    objects.extend(grant("mine", "may", "User may", &[rule(&["create"], "", &["pods/attach"], &[])]));
    objects.push(pod("mine", "p", "web", "", json!({ "name": "c" })));
    let web = "ServiceAccount mine/web";
    let writes = rule(&["create"], "argoproj.io", &["workflows"], &[]);
    objects.extend(grant("strong", "web", web, &[writes]));
    let cluster = loaded(&Value::Array(objects), None, false);
    let (steps, conditions) = way(&cluster, "User may", "cluster-admin");
    assert_eq!((steps.as_slice(), conditions.len()), (&["attach", "run-by-operator"][..], 2));
}
