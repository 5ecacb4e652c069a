//! Ways between IAM and the cluster that need a few lines each: chains inside of EKS, sessions of a certain name, nodes.

use rbacsim::ask::behind::SessionName;
use rbacsim::ask::eks_doors::{self, ClusterArn};
use rbacsim::ask::naming::naming;
use rbacsim::ask::people::People;
use rbacsim::ask::question::{Place, Question, Request};
use rbacsim::ask::through;
use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::access_entries::AuthenticationMode;
use rbacsim::identity::iam::Lenses;
use rbacsim::model::ternary::Ternary::{self, No, Unknown, Yes};
use rbacsim::read::{Input, LoadOptions, load};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "arn:aws:iam::111122223333";

/// The inputs of a test, each a file.
pub(crate) fn cluster(files: &[(&str, String)]) -> Cluster {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    load(&[Input::Path(folder.path().into())], &LoadOptions::default()).unwrap().into()
}

pub(crate) fn export(roles: &[Value], users: &[Value]) -> (&'static str, String) {
    ("account.json", json!({ "UserDetailList": users, "RoleDetailList": roles }).to_string())
}

pub(crate) fn statement(principal: Value, action: Value) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": action })
}

pub(crate) fn trusts(principal: Value) -> Value {
    statement(principal, json!("sts:AssumeRole"))
}

pub(crate) fn role(name: &str, trust: &[Value], own: &[Value]) -> Value {
    json!({
        "Arn": format!("{ACCOUNT}:role/{name}"), "RoleName": name, "RoleId": format!("AROA{name}"),
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": trust },
        "RolePolicyList": [{ "PolicyName": "own", "PolicyDocument": { "Version": "2012-10-17", "Statement": own } }],
    })
}

pub(crate) fn user(name: &str, own: &[Value]) -> Value {
    json!({
        "Arn": format!("{ACCOUNT}:user/{name}"), "UserName": name, "UserId": format!("AIDA{name}"), "GroupList": [],
        "UserPolicyList": [{ "PolicyName": "own", "PolicyDocument": { "Version": "2012-10-17", "Statement": own } }],
    })
}

pub(crate) fn allows(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

fn aws_auth(role: &str, username: &str, groups: &str) -> (&'static str, String) {
    (
        "aws-auth.yaml",
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system}}\ndata:\n  mapRoles: |\n    - rolearn: {ACCOUNT}:role/{role}\n      username: '{username}'\n      groups: {groups}\n"
        ),
    )
}

fn association(fields: &Value) -> (&'static str, String) {
    let mut association = json!({
        "clusterName": "shop", "namespace": "prod", "serviceAccount": "app", "associationId": "a-1",
        "associationArn": "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/shop/a-1",
    });
    for (key, value) in fields.as_object().unwrap() {
        association[key] = value.clone();
    }
    ("association.json", json!({ "association": association }).to_string())
}

/// Those who can become a role, by name, with the answer.
fn behind(cluster: &Cluster, role: &str) -> Vec<(String, Ternary)> {
    let lenses = Lenses::new(cluster.iam());
    let people = People::new(cluster, &lenses);
    let all = people.assumable_by(&format!("{ACCOUNT}:role/{role}"));
    all.into_iter().map(|one| (one.who.name(), one.value)).collect()
}

fn pods() -> String {
    "system:serviceaccount:prod:app".to_owned()
}

#[test]
fn pod_identity_goes_on_to_the_target_role_with_the_external_id_of_the_association() {
    let eks = statement(
        json!({ "Service": "pods.eks.amazonaws.com" }),
        json!(["sts:AssumeRole", "sts:TagSession"]),
    );
    let target = |id: &str| {
        let mut trust = trusts(json!({ "AWS": format!("{ACCOUNT}:role/first") }));
        trust["Condition"] = json!({ "StringEquals": { "sts:ExternalId": id } });
        role("target", &[trust], &[])
    };
    let ask = |id: &str, fields: &Value| {
        let roles = [role("first", std::slice::from_ref(&eks), &[]), target(id)];
        let cluster =
            cluster(&[export(&roles, &[]), association(fields), aws_auth("target", "target", "[x]")]);
        behind(&cluster, "target").into_iter().find(|(name, _)| *name == pods()).map(|(_, value)| value)
    };
    let first = format!("{ACCOUNT}:role/first");
    let to = format!("{ACCOUNT}:role/target");
    let fields = json!({ "roleArn": first, "targetRoleArn": to, "externalId": "id-1" });
    assert_eq!(ask("id-1", &fields), Some(Yes));
    assert_eq!(ask("id-2", &fields), None);
    // Without a target the chain is one like any other, and nobody knows what the pods say.
    assert_eq!(ask("id-1", &json!({ "roleArn": first })), Some(Unknown));
}

#[test]
fn pods_of_an_association_need_tag_session_unless_it_disables_tags() {
    let plain = trusts(json!({ "Service": "pods.eks.amazonaws.com" }));
    let ask = |disabled: bool| {
        let fields = json!({ "roleArn": format!("{ACCOUNT}:role/app"), "disableSessionTags": disabled });
        let roles = [role("app", std::slice::from_ref(&plain), &[])];
        let cluster = cluster(&[export(&roles, &[]), association(&fields), aws_auth("app", "app", "[x]")]);
        behind(&cluster, "app").contains(&(pods(), Yes))
    };
    assert_eq!((ask(false), ask(true)), (false, true));
}

#[test]
fn pods_are_known_by_cluster_namespace_and_service_account() {
    let ask = |key: &str, value: &str| {
        let mut trust = statement(
            json!({ "Service": "pods.eks.amazonaws.com" }),
            json!(["sts:AssumeRole", "sts:TagSession"]),
        );
        trust["Condition"] = json!({ "StringEquals": { key: value } });
        let fields = json!({ "roleArn": format!("{ACCOUNT}:role/app") });
        let roles = [role("app", &[trust], &[])];
        let cluster = cluster(&[export(&roles, &[]), association(&fields), aws_auth("app", "app", "[x]")]);
        behind(&cluster, "app").into_iter().find(|(name, _)| *name == pods()).map(|(_, value)| value)
    };
    assert_eq!(ask("aws:RequestTag/kubernetes-namespace", "prod"), Some(Yes));
    assert_eq!(ask("aws:RequestTag/kubernetes-namespace", "dev"), None);
    assert_eq!(ask("aws:RequestTag/kubernetes-service-account", "app"), Some(Yes));
    assert_eq!(ask("aws:SourceArn", "arn:aws:eks:eu-west-1:111122223333:cluster/shop"), Some(Yes));
    assert_eq!(ask("aws:SourceAccount", "999999999999"), None);
    assert_eq!(ask("aws:RequestTag/kubernetes-pod-name", "web-0"), Some(Unknown));
}

#[test]
fn whoever_becomes_a_role_first_may_choose_the_session_that_the_next_one_trusts() {
    let session = "arn:aws:sts::111122223333:assumed-role/dev/admin";
    let roles =
        |dev: Value| [role("admin", &[trusts(json!({ "AWS": session }))], &[]), role("dev", &[dev], &[])];
    let alice = [user("alice", &[])];
    let named = trusts(json!({ "AWS": format!("{ACCOUNT}:user/alice") }));
    let free = cluster(&[export(&roles(named.clone()), &alice), aws_auth("admin", "admin", "[x]")]);
    let found = behind(&free, "admin");
    assert!(found.contains(&(format!("{ACCOUNT}:user/alice"), Yes)), "{found:?}");
    // The role itself stands for all its sessions.
    assert!(found.contains(&(format!("{ACCOUNT}:role/dev"), Unknown)), "{found:?}");
    let mut pinned = named;
    pinned["Condition"] = json!({ "StringEquals": { "sts:RoleSessionName": "${aws:username}" } });
    let pinned = cluster(&[export(&roles(pinned), &alice), aws_auth("admin", "admin", "[x]")]);
    let found = behind(&pinned, "admin");
    assert!(!found.contains(&(format!("{ACCOUNT}:user/alice"), Yes)), "{found:?}");
}

#[test]
fn a_trust_policy_that_names_the_session_of_identity_center_names_one_person() {
    let path = "aws-reserved/sso.amazonaws.com/eu-west-1";
    let name = "AWSReservedSSO_Dev_0123456789abcdef";
    let mut dev = role(
        name,
        &[statement(
            json!({ "Federated": format!("{ACCOUNT}:saml-provider/AWSSSO_1_DO_NOT_DELETE") }),
            json!("sts:AssumeRoleWithSAML"),
        )],
        &[],
    );
    dev["Arn"] = json!(format!("{ACCOUNT}:role/{path}/{name}"));
    let frank = format!("arn:aws:sts::111122223333:assumed-role/{name}/frank@example.com");
    let roles = [role("admin", &[trusts(json!({ "AWS": frank }))], &[]), dev];
    let center = [
        ("assignments.json", json!({ "AccountAssignments": [
            { "AccountId": "111122223333", "PermissionSetArn": "ps-1", "PrincipalType": "USER", "PrincipalId": "u-1" },
            { "AccountId": "111122223333", "PermissionSetArn": "ps-1", "PrincipalType": "USER", "PrincipalId": "u-2" },
        ]}).to_string()),
        ("set.json", json!({ "PermissionSet": { "PermissionSetArn": "ps-1", "Name": "Dev" } }).to_string()),
        ("users.json", json!({ "Users": [
            { "UserId": "u-1", "UserName": "frank@example.com" }, { "UserId": "u-2", "UserName": "grace@example.com" },
        ]}).to_string()),
    ];
    let mut files = vec![export(&roles, &[]), aws_auth("admin", "admin", "[x]")];
    files.extend(center);
    let found = behind(&cluster(&files), "admin");
    assert!(found.contains(&("frank@example.com".to_owned(), Yes)), "{found:?}");
    assert!(!found.iter().any(|(name, _)| name == "grace@example.com"), "{found:?}");
}

#[test]
fn whoever_may_call_the_session_of_a_node_role_like_an_instance_is_that_node() {
    let ask = |condition: Option<Value>| {
        let mut named =
            trusts(json!({ "AWS": format!("{ACCOUNT}:user/alice"), "Service": "ec2.amazonaws.com" }));
        if let Some(condition) = condition {
            named["Condition"] = condition;
        }
        let files = [
            export(&[role("nodes", &[named], &[])], &[user("alice", &[])]),
            aws_auth("nodes", "system:node:{{EC2PrivateDNSName}}", "[system:nodes]"),
        ];
        let cluster = cluster(&files);
        let lenses = Lenses::new(cluster.iam());
        let arn = format!("{ACCOUNT}:role/nodes");
        let people = People::new(&cluster, &lenses).assumable_by(&arn);
        naming(&cluster.identify(&arn, None), &people).unwrap().as_node
    };
    let alice = format!("{ACCOUNT}:user/alice");
    assert_eq!(ask(None), [(alice.clone(), Yes)]);
    let name = |value: &str| Some(json!({ "StringLike": { "sts:RoleSessionName": value } }));
    assert_eq!(ask(name("${aws:username}")), []);
    assert_eq!(ask(name("i-*")), [(alice.clone(), Yes)]);
    assert_eq!(ask(Some(json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }))), [(alice, Unknown)]);
}

#[test]
fn a_session_name_is_pinned_by_a_condition_and_chosen_without_one() {
    let ask = |condition: Option<Value>| {
        let mut named = trusts(json!({ "AWS": format!("{ACCOUNT}:user/alice") }));
        if let Some(condition) = condition {
            named["Condition"] = condition;
        }
        let files = [
            export(&[role("dev", &[named], &[])], &[user("alice", &[])]),
            aws_auth("dev", "dev:{{SessionName}}", "[x]"),
        ];
        let cluster = cluster(&files);
        let lenses = Lenses::new(cluster.iam());
        let people = People::new(&cluster, &lenses).assumable_by(&format!("{ACCOUNT}:role/dev"));
        people[0].session.clone()
    };
    assert_eq!(ask(None), SessionName::Chosen);
    let name = |value: &str| Some(json!({ "StringLike": { "sts:RoleSessionName": value } }));
    assert_eq!(ask(name("${aws:username}")), SessionName::Pinned("alice".to_owned()));
    assert_eq!(ask(name("*")), SessionName::Chosen);
}

fn get_pods() -> Question {
    let request = Request::Resource {
        verb: "get".into(),
        group: String::new(),
        resource: "pods".into(),
        subresource: String::new(),
        name: String::new(),
        namespace: "prod".into(),
    };
    Question { place: Place::Namespace("prod".into()), ..Question::of_request(request) }
}

#[test]
fn what_only_a_session_of_a_certain_name_may_its_chooser_may() {
    const BOUND: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: prod}\nsubjects: [{kind: User, name: 'dev:bob', apiGroup: rbac.authorization.k8s.io}]\nroleRef: {kind: ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io}\n";
    let ask = |condition: Option<&str>| {
        let mut named = trusts(json!({ "AWS": format!("{ACCOUNT}:user/alice") }));
        if let Some(value) = condition {
            named["Condition"] = json!({ "StringEquals": { "sts:RoleSessionName": value } });
        }
        let files = [
            export(&[role("dev", &[named], &[])], &[user("alice", &[])]),
            aws_auth("dev", "dev:{{SessionName}}", "[x]"),
            ("rbac.yaml", BOUND.to_owned()),
        ];
        let cluster = cluster(&files);
        let arn = format!("{ACCOUNT}:user/alice");
        let who = cluster.identify(&arn, None);
        let found = through::best(&cluster, &who, Some(&arn), &get_pods());
        found.map(|found| (found.ternary, found.way.session_name))
    };
    assert_eq!(ask(None), Some((Yes, Some("bob".to_owned()))));
    assert_eq!(ask(Some("bob")), Some((Yes, Some("bob".to_owned()))));
    // Pinned to her own name, she is not bob.
    let own = ask(Some("${aws:username}"));
    assert!(own.is_none_or(|(answer, _)| answer != Yes));
}

#[test]
fn of_a_cluster_without_an_arn_only_its_account_is_known() {
    let ask = |resource: &str| {
        let own = [allows("eks:CreateAccessEntry", resource), allows("eks:AssociateAccessPolicy", "*")];
        let nodes = role("nodes", &[trusts(json!({ "Service": "ec2.amazonaws.com" }))], &[]);
        let files = [
            export(&[nodes], &[user("alice", &own)]),
            aws_auth("nodes", "system:node:{{EC2PrivateDNSName}}", "[system:nodes]"),
        ];
        let cluster = cluster(&files);
        let arn = eks_doors::clusters(&cluster).into_iter().next().unwrap();
        eks_doors::eks_doors(cluster.iam(), &arn, Some(AuthenticationMode::Api))[0].is_admin()
    };
    assert_eq!(ask("*"), Yes);
    assert_eq!(ask("arn:aws:eks:*:111122223333:cluster/*"), Yes);
    assert_eq!(ask("arn:aws:eks:*:*:*"), Yes);
    assert_eq!(ask("arn:aws:eks"), Yes);
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/*"), Unknown);
    assert_eq!(ask("arn:aws:eks:*:111122223333:cluster/prod-?*"), Unknown);
    assert_eq!(ask("arn:aws:eks:*:999999999999:cluster/*"), No);
    assert_eq!(ask("arn:aws:eks:*:111122223333:nodegroup/*"), No);
    assert_eq!(ask("arn:aws:s3:::*"), No);
}

#[test]
fn of_a_cluster_with_an_arn_everything_is_known() {
    let own = |resource: &str| [allows("eks:*", resource)];
    let ask = |resource: &str| {
        let cluster = cluster(&[export(&[], &[user("alice", &own(resource))])]);
        let shop = ClusterArn::of("arn:aws:eks:eu-west-1:111122223333:cluster/shop").unwrap();
        eks_doors::eks_doors(cluster.iam(), &shop, Some(AuthenticationMode::Api))
            .first()
            .map(eks_doors::EksDoor::is_admin)
    };
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:*"), Some(Yes));
    // The cluster alone is not its access entries.
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/shop"), Some(No));
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/other"), None);
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:access-entry/shop/*"), Some(No));
}

/// What `aws eks describe-cluster` prints, and an administrator of access entries of one resource.
fn described(mode: &str, own: &[Value]) -> Cluster {
    let described = json!({ "cluster": {
        "name": "shop", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop",
        "accessConfig": { "authenticationMode": mode }, "platformVersion": "eks.1",
    } });
    cluster(&[export(&[], &[user("alice", own)]), ("cluster.json", described.to_string())])
}

fn doors(cluster: &Cluster) -> Vec<(Ternary, Vec<&'static str>)> {
    let lenses = Lenses::new(cluster.iam());
    let doors = eks_doors::of_cluster(cluster, &People::new(cluster, &lenses));
    let actions =
        |door: &eks_doors::EksDoor| door.actions.iter().map(|allowed| &allowed.action[4..]).collect();
    doors.iter().map(|door| (door.is_admin(), actions(door))).collect()
}

#[test]
fn the_arn_of_the_cluster_tells_which_policies_are_doors() {
    let ask = |resource: &str| doors(&described("API", &[allows("eks:CreateAccessEntry", resource)])).len();
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/shop"), 1);
    assert_eq!(ask("arn:aws:eks:*:*:cluster/shop"), 1);
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/other"), 0);
    assert_eq!(ask("arn:aws:eks:eu-west-2:111122223333:cluster/shop"), 0);
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/sho"), 0);
}

#[test]
fn an_access_entry_tells_the_arn_of_its_cluster_too() {
    let entry = json!({ "accessEntry": {
        "clusterName": "shop", "principalArn": format!("{ACCOUNT}:role/x"), "kubernetesGroups": [],
        "accessEntryArn": "arn:aws:eks:eu-west-1:111122223333:access-entry/shop/role/111122223333/x/1",
        "type": "STANDARD",
    } });
    let ask = |resource: &str| {
        let own = [allows("eks:CreateAccessEntry", resource)];
        doors(&cluster(&[export(&[], &[user("alice", &own)]), ("entry.json", entry.to_string())])).len()
    };
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/shop"), 1);
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/other"), 0);
}

#[test]
fn a_name_without_a_region_tells_which_policies_are_doors() {
    let config = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop}\n";
    let ask = |resource: &str| {
        let own = [allows("eks:CreateAccessEntry", resource), allows("eks:AssociateAccessPolicy", "*")];
        let nodes = role("nodes", &[trusts(json!({ "Service": "ec2.amazonaws.com" }))], &[]);
        let files = [
            export(&[nodes], &[user("alice", &own)]),
            aws_auth("nodes", "system:node:{{EC2PrivateDNSName}}", "[system:nodes]"),
            ("config.yaml", config.to_owned()),
        ];
        doors(&cluster(&files)).first().map_or(No, |(is_admin, _)| *is_admin)
    };
    assert_eq!(ask("arn:aws:eks:*:111122223333:cluster/shop"), Yes);
    assert_eq!(ask("arn:aws:eks:eu-west-1:111122223333:cluster/shop"), Unknown);
    assert_eq!(ask("arn:aws:eks:*:111122223333:cluster/other"), No);
    assert_eq!(ask("arn:aws:eks:*:111122223333:cluster/shop-2"), No);
}

#[test]
fn an_action_that_the_authentication_mode_refuses_is_no_door() {
    let entries = [allows("eks:CreateAccessEntry", "*"), allows("eks:AssociateAccessPolicy", "*")];
    let mut all = entries.to_vec();
    all.push(allows("eks:UpdateClusterConfig", "*"));
    let both = vec!["CreateAccessEntry", "AssociateAccessPolicy"];
    assert_eq!(doors(&described("API_AND_CONFIG_MAP", &entries)), [(Yes, both.clone())]);
    assert_eq!(doors(&described("CONFIG_MAP", &entries)), []);
    let three = [both.clone(), vec!["UpdateClusterConfig"]].concat();
    assert_eq!(doors(&described("CONFIG_MAP", &all)), [(Yes, three.clone())]);
    // Where entries are on, turning them on changes nothing.
    assert_eq!(doors(&described("API", &all)), [(Yes, both.clone())]);
    // Where nobody knows the mode, it depends on it, unless one may change it.
    let unknown = |own: &[Value]| {
        let nodes = role("nodes", &[trusts(json!({ "Service": "ec2.amazonaws.com" }))], &[]);
        let auth = aws_auth("nodes", "system:node:{{EC2PrivateDNSName}}", "[system:nodes]");
        doors(&cluster(&[export(&[nodes], &[user("alice", own)]), auth]))
    };
    assert_eq!(unknown(&entries), [(Unknown, both)]);
    assert_eq!(unknown(&all), [(Yes, three)]);
}
