//! From whole inputs to who an ARN is: maps that are refused, differ, are encrypted or stand in another form; one test
//! per rule, with inputs small enough to read.

use rbacsim::ask::matrix::{Filter, Matrix, Scratch, holder};
use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::{IdentityError, NearReason};
use rbacsim::model::attributes::{Attributes, ResourceAttributes};
use rbacsim::model::diagnostic::Code;
use rbacsim::model::ternary::Ternary;
use rbacsim::read::{Defaults, Input, LoadOptions, load};

const DEV: &str = "arn:aws:sts::111122223333:assumed-role/dev/s1";
const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\n";
const ENTRY: &str = "    - rolearn: arn:aws:iam::111122223333:role/dev\n      username: dev\n      groups: [system:masters]\n";

fn map() -> String {
    format!("{HEAD}data:\n  mapRoles: |\n{ENTRY}")
}

fn map_of(entries: &str) -> String {
    format!("{HEAD}data:\n  mapRoles: |\n{entries}")
}

fn cluster_with(texts: &[&str], set: &[(&str, &str)]) -> Cluster {
    let inputs: Vec<Input> = texts
        .iter()
        .zip(1..)
        .map(|(text, number)| Input::Text { name: format!("{number}.yaml"), bytes: text.as_bytes().to_vec() })
        .collect();
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(&inputs, &LoadOptions { defaults: Defaults::Never, set, ..LoadOptions::default() }).unwrap().into()
}

fn cluster(texts: &[&str]) -> Cluster {
    cluster_with(texts, &[])
}

fn get<'a>(group: &'a str, resource: &'a str) -> Attributes<'a> {
    Attributes::Resource(ResourceAttributes {
        verb: "get",
        group,
        resource,
        subresource: "",
        name: "",
        namespace: "default",
    })
}

fn answer(cluster: &Cluster, arn: &str) -> Ternary {
    let who = cluster.identify(arn, None);
    let answer = cluster.answer(&who, &get("", "pods")).ternary;
    assert_eq!(answer, cluster.ternary(&who, &get("", "pods")));
    answer
}

fn messages(cluster: &Cluster) -> String {
    let lines = cluster.diagnostics().iter().map(|one| format!("{} {}", one.code.as_str(), one.message));
    lines.collect::<Vec<_>>().join("\n")
}

/// Why the inputs do not tell who an ARN is, each with its place.
fn doubts(cluster: &Cluster, arn: &str) -> Vec<String> {
    let who = cluster.identify(arn, None);
    let doubts = match who.error() {
        Some(IdentityError::Unknown { doubts, .. }) => doubts,
        Some(IdentityError::NotMapped { elsewhere, .. }) => elsewhere,
        other => panic!("{other:?}"),
    };
    let place = |source| cluster.sources().show(source);
    let line = |doubt: &rbacsim::identity::IdentityDoubt| {
        format!("{} {}", doubt.source.map(place).map_or(String::new(), |place| place.to_string()), doubt.text)
    };
    doubts.iter().map(line).collect()
}

#[test]
fn a_map_that_the_api_server_refuses_maps_nobody_and_the_one_before_is_unknown() {
    let section = format!("data:\n  mapRoles: |\n{ENTRY}");
    let large = format!("{HEAD}{section}  other: {}\n", "x".repeat(1 << 20));
    let refused = [
        format!("{HEAD}{section}  \"bad key\": x\n"),
        format!("{HEAD}{section}  ..x: y\n"),
        format!("{HEAD}binaryData: {{mapRoles: Zm9v}}\n{section}"),
        format!("{HEAD}binaryData: {{other: \"no base64!\"}}\n{section}"),
        format!("{HEAD}binaryData: {{\"bad key\": Zm9v}}\n{section}"),
        format!("{HEAD}immutable: \"true\"\n{section}"),
        format!("{HEAD}immutable: 1\n{section}"),
        format!("{HEAD}data: [a]\n"),
        format!("{HEAD}data:\n  mapRoles:\n{ENTRY}"),
        format!("{HEAD}{section}  number: 1\n"),
        large,
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system, labels: {{\"bad key!\": x}}}}\n{section}"),
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system, labels: {{a: \"b c\"}}}}\n{section}"),
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system, labels: {{a: 1}}}}\n{section}"),
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system, annotations: {{\"bad key!\": x}}}}\n{section}"),
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system, finalizers: x}}\n{section}"),
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system, generation: x}}\n{section}"),
        // kubectl refuses these.
        format!("{HEAD}mapRoles: |\n{ENTRY}"),
        format!("{HEAD}Data:\n  mapRoles: |\n{ENTRY}"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: aws-auth\n  namespace: kube-system\n  data: {mapRoles: x}\n".to_owned(),
    ];
    for text in &refused {
        let cluster = cluster(&[text]);
        let shown = text.get(..200).unwrap_or(text);
        assert_eq!(answer(&cluster, DEV), Ternary::Unknown, "{shown}");
        assert!(doubts(&cluster, DEV)[0].starts_with("1.yaml:1 this `aws-auth` is refused"), "{shown}");
        assert!(messages(&cluster).contains("is refused by"), "{shown}");
    }
    for good in ["immutable: true\n", "immutable: null\n", "binaryData: {other: Zm9v}\n", "binaryData:\n"] {
        assert_eq!(answer(&cluster(&[&format!("{HEAD}{good}{section}")]), DEV), Ternary::Yes, "{good}");
    }
    // Beside a good one it is unknown which of the two is in force.
    assert_eq!(answer(&cluster(&[&map(), &refused[0]]), DEV), Ternary::Unknown);
}

#[test]
fn maps_that_differ_leave_unknown_who_is_not_the_same_in_all_of_them() {
    let other = map_of("    - rolearn: arn:aws:iam::111122223333:role/ops\n      username: ops\n");
    let without_namespace = map().replace(", namespace: kube-system", "");
    for texts in
        [[&map(), &other], [&other, &map()], [&without_namespace, &other], [&other, &without_namespace]]
    {
        let cluster = cluster(&[texts[0], texts[1]]);
        assert_eq!(answer(&cluster, DEV), Ternary::Unknown);
        let doubts = doubts(&cluster, DEV);
        assert!(doubts[0].starts_with("1.yaml:1 ") && doubts[1].starts_with("2.yaml:1 "), "{doubts:?}");
        assert!(messages(&cluster).contains("aws-auth-differs"));
        // Nobody anywhere maps this one.
        assert_eq!(answer(&cluster, "arn:aws:iam::111122223333:user/x"), Ternary::No);
    }
    // Equal ones are one, also where a comment differs.
    let commented = map_of(&format!("    # the team\n{ENTRY}"));
    for same in [&map(), &commented, &without_namespace] {
        let cluster = cluster(&[&map(), same]);
        assert_eq!(answer(&cluster, DEV), Ternary::Yes);
        assert!(!messages(&cluster).contains("aws-auth-differs"));
    }
}

#[test]
fn mappings_in_another_form_make_unknown_whom_they_may_map_and_nobody_else() {
    let crd = "apiVersion: iamauthenticator.k8s.aws/v1alpha1\nkind: IAMIdentityMapping\nmetadata: {name: m}\n\
               spec: {arn: arn:aws:iam::111122223333:role/Dev, username: dev}\n";
    let capi = "apiVersion: controlplane.cluster.x-k8s.io/v1beta2\nkind: AWSManagedControlPlane\nmetadata: {name: c}\n\
                spec: {iamAuthenticatorConfig: {mapRoles: [{rolearn: \"arn:aws:iam::111122223333:role/dev\"}]}}\n";
    let merged = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: team, namespace: kube-system}}\ndata:\n  mapRoles: |\n{ENTRY}"
    );
    let server = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: authenticator, namespace: kube-system}\ndata:\n  \
                  config.yaml: |\n    server:\n      mapRoles:\n      - roleARN: arn:aws:iam::111122223333:role/dev\n";
    let bare_server = "clusterID: c\nserver:\n  mapRoles:\n  - roleARN: arn:aws:iam::111122223333:role/dev\n";
    let accounts = "clusterID: c\nserver:\n  mapAccounts:\n  - \"111122223333\"\n";
    let eksctl = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: c}\niamIdentityMappings:\n\
                  - arn: arn:aws:iam::111122223333:role/dev\n  username: dev\n";
    let wrong_kind = map().replace("kind: ConfigMap", "kind: Configmap");
    let wrong_version = map().replace("apiVersion: v1", "apiVersion: apps/v1");
    let no_version = map().replace("apiVersion: v1\n", "");
    let wrong_name = map().replace("name: aws-auth", "name: aws-auth-cm");
    let wrong_namespace = map().replace("namespace: kube-system", "namespace: default");
    let broken = format!("<<EOT\n{}EOT\n", map());
    let other = map_of("    - rolearn: arn:aws:iam::111122223333:role/ops\n      username: ops\n");
    for (form, named) in [
        (crd, "IAMIdentityMapping `m`"),
        (&merged, "ConfigMap `kube-system/team`"),
        (server, "ConfigMap `kube-system/authenticator`"),
        (bare_server, "self-hosted aws-iam-authenticator"),
        (accounts, "self-hosted aws-iam-authenticator"),
        (&wrong_kind, "write `ConfigMap`"),
        (&wrong_version, "write `v1`"),
        (&no_version, "add `apiVersion: v1`"),
        (&wrong_name, "write `name: aws-auth`"),
        (&wrong_namespace, "ConfigMap `default/aws-auth`"),
        (&broken, "`EOT`"),
    ] {
        let alone = cluster(&[form]);
        assert_eq!(answer(&alone, DEV), Ternary::Unknown, "{form}");
        assert!(doubts(&alone, DEV)[0].contains(named), "{named}: {:?}", doubts(&alone, DEV));
        let beside = cluster(&[&other, form]);
        assert_eq!(answer(&beside, DEV), Ternary::Unknown, "{form}");
        assert!(doubts(&beside, DEV)[0].contains(named), "{named}");
        // Whoever stands in neither is refused, but for a document of which nobody knows what it says.
        let nobody = answer(&beside, "arn:aws:iam::999999999999:user/x");
        assert_eq!(nobody, if form == broken { Ternary::Unknown } else { Ternary::No }, "{form}");
    }
    // What eksctl and Cluster API write beside a whole map need not be in it.
    for form in [eksctl, capi] {
        let beside = cluster(&[&other, form]);
        assert_eq!(answer(&beside, DEV), Ternary::Unknown);
        assert!(doubts(&beside, DEV)[0].contains("a tool writes"), "{:?}", doubts(&beside, DEV));
    }
}

#[test]
fn mappings_of_eksctl_are_read_as_the_map_that_they_make() {
    let file = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: c}\niamIdentityMappings:\n\
                - arn: arn:aws:iam::111122223333:role/dev\n  groups: [system:masters]\n  username: dev\n\
                - arn: arn:aws:iam::111122223333:user/kim\n  groups: [system:masters]\n- account: \"444455556666\"\n";
    let file = cluster(&[file]);
    let who = file.identify(DEV, None);
    let rbacsim::decide::cluster::WhoIs::Mapped(mapped) = &who.is else { panic!("{who:?}") };
    assert_eq!(file.sources().show(mapped.provenance.source).to_string(), "1.yaml:5");
    assert_eq!(answer(&file, DEV), Ternary::Yes);
    assert_eq!(answer(&file, "arn:aws:iam::111122223333:user/kim"), Ternary::Yes);
    assert!(file.identify("arn:aws:iam::444455556666:user/x", None).shown().is_some());
    // Node groups write into the map as well.
    assert_eq!(answer(&file, "arn:aws:iam::111122223333:role/other"), Ternary::Unknown);

    let printed =
        "- groups:\n  - system:masters\n  rolearn: arn:aws:iam::111122223333:role/dev\n  username: dev\n";
    let as_json =
        r#"[{"groups":["system:masters"],"rolearn":"arn:aws:iam::111122223333:role/dev","username":"dev"}]"#;
    for printed in [printed, as_json] {
        let cluster = cluster(&[printed]);
        assert_eq!(answer(&cluster, DEV), Ternary::Yes);
        // That is all of the map.
        assert_eq!(answer(&cluster, "arn:aws:iam::111122223333:role/other"), Ternary::No);
    }
}

#[test]
fn what_is_encrypted_may_map_anybody() {
    let secret = "ENC[AES256_GCM,data:aGVsbG8=,iv:aXY=,tag:dGFn,type:str]";
    for text in [
        format!("{HEAD}data:\n  mapRoles: {secret}\n"),
        format!("{HEAD}data:\n  mapAccounts: {secret}\n"),
        map().replace("arn:aws:iam::111122223333:role/dev", secret),
    ] {
        let cluster = cluster(&[&text]);
        assert_eq!(answer(&cluster, DEV), Ternary::Unknown, "{text}");
    }
    let all = format!("apiVersion: {secret}\nkind: {secret}\nsops: {{version: 3.8.1}}\n");
    let cluster = cluster(&[&map().replace("system:masters", "x"), &all]);
    assert_eq!(answer(&cluster, DEV), Ternary::Unknown);
    assert!(messages(&cluster).contains("encrypted-text SOPS encrypted"), "{}", messages(&cluster));
}

#[test]
fn set_fills_placeholders_in_before_anything_is_read() {
    for written in [
        "ACCOUNT",
        "${ACCOUNT}",
        "$(ACCOUNT)",
        "{{ ACCOUNT }}",
        "{{ .ACCOUNT }}",
        "<ACCOUNT>",
        "%ACCOUNT%",
        "@ACCOUNT@",
    ] {
        let text = map().replace("111122223333", written);
        assert_eq!(answer(&cluster(&[&text]), DEV), Ternary::Unknown, "{written}");
        let filled = cluster_with(&[&text], &[("ACCOUNT", "111122223333")]);
        assert_eq!(answer(&filled, DEV), Ternary::Yes, "{written}");
        assert!(!messages(&filled).contains("setting-not-used"), "{written}");
        let other = cluster_with(&[&text], &[("ACCOUNT", "444455556666")]);
        assert_eq!(answer(&other, DEV), Ternary::No, "{written}");
    }
    let rbac = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n\
                rules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]\n---\n\
                apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n\
                roleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: Group, name: \"<TEAM>\"}]\n";
    let team = map().replace("system:masters", "blue");
    assert_eq!(answer(&cluster(&[&team, rbac]), DEV), Ternary::Unknown);
    let filled = cluster_with(&[&team, rbac], &[("TEAM", "blue"), ("OTHER", "x")]);
    assert_eq!(answer(&filled, DEV), Ternary::Yes);
    assert!(messages(&filled).contains("setting-not-used --set OTHER"), "{}", messages(&filled));
}

#[test]
fn an_empty_username_is_no_login_to_aggregated_apis() {
    let rbac = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n\
                rules: [{apiGroups: [\"*\"], resources: [\"*\"], verbs: [\"*\"]}]\n---\n\
                apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n\
                roleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: Group, name: ops}]\n";
    let service = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.example.com}\n\
                   spec: {group: example.com, version: v1, service: {name: s, namespace: n}}\n";
    let local = service
        .replace("example.com", "local.com")
        .replace("service: {name: s, namespace: n}", "service: null");
    let entry = |group: &str, username: &str| {
        map_of(&format!(
            "    - rolearn: arn:aws:iam::111122223333:role/dev\n      groups: [{group}]\n{username}"
        ))
    };
    for group in ["system:masters", "ops"] {
        for (username, has_name) in [
            ("", false),
            ("      username: \"\"\n", false),
            ("      username: 12\n", false),
            ("      username: x\n", true),
        ] {
            let cluster = cluster(&[&entry(group, username), rbac, service, &local]);
            let who = cluster.identify(DEV, None);
            for (api_group, aggregated) in [
                ("metrics.k8s.io", true),
                ("custom.metrics.k8s.io", true),
                ("example.com", true),
                ("local.com", false),
                ("", false),
                ("apps", false),
            ] {
                let expected = Ternary::from(has_name || !aggregated);
                let asked = get(api_group, "pods");
                assert_eq!(
                    cluster.answer(&who, &asked).ternary,
                    expected,
                    "{group} {username:?} {api_group}"
                );
                assert_eq!(cluster.ternary(&who, &asked), expected, "{group} {username:?} {api_group}");
            }
            let matrix = Matrix::new(&cluster, &Filter::default());
            let holder = holder::of_identity(&cluster, DEV, who);
            let mut groups = std::collections::BTreeSet::new();
            matrix
                .blocks(&holder, &mut Scratch::default(), |block| {
                    block.rows(|column, _| {
                        groups.extend(matrix.universe().column(column).map(|(cell, _)| cell.group.clone()));
                    });
                    Ok::<(), ()>(())
                })
                .unwrap();
            assert_eq!(groups.contains("metrics.k8s.io"), has_name, "{group} {username:?}");
            assert!(groups.contains("apps"));
        }
    }
}

#[test]
fn a_mistyped_arn_is_named_for_the_caller_whom_it_means() {
    for (written, wrong) in [
        ("arn:aws:iam:111122223333:role/dev", "a colon is missing"),
        ("arn:aws:iam::111122223333::role/dev", "a colon too many"),
        ("arn:aws:sts::111122223333:role/dev", "not of `sts`"),
        ("arn:aws:iam::111122223333:role/dev/", "ends in a slash"),
        ("arn:aws:iam::111122223333:role/dev\u{200b}", "U+200B"),
        ("\u{a0}arn:aws:iam::111122223333:role/dev", "U+00A0"),
        ("arn:aws:sts::111122223333:assumed-role/dev/ann", "every session"),
        ("arn:aws:iam::111122223333:instance-profile/dev", "instance profile"),
    ] {
        let text = map_of(&format!("    - rolearn: {written}\n      username: dev\n"));
        let cluster = cluster(&[&text]);
        let who = cluster.identify(DEV, None);
        let Some(IdentityError::NotMapped { nearest: Some(near), .. }) = who.error() else {
            panic!("{written}: {who:?}")
        };
        assert!(matches!(near.reason, NearReason::Unreachable(_)), "{written}: {near}");
        let told = near.to_string();
        assert!(
            told.contains(wrong) && told.contains("`arn:aws:iam::111122223333:role/dev`"),
            "{written}: {told}"
        );
        assert_eq!(cluster.sources().show(near.source).to_string(), "1.yaml:6");
        assert_eq!(answer(&cluster, DEV), Ternary::No, "{written}");
        // Somebody else's mistake is not this one's.
        let other = cluster.identify("arn:aws:iam::999999999999:role/unrelated", None);
        assert!(
            matches!(other.error(), Some(IdentityError::NotMapped { nearest: None, .. })),
            "{written}: {other:?}"
        );
    }
}

#[test]
fn permission_sets_and_templates_in_arns_are_explained() {
    for (written, why) in [
        ("arn:aws:sso:::permissionSet/ssoins-1/ps-1", "AWSReservedSSO_"),
        ("arn:aws:iam::111122223333:role/aws-reserved/", "AWSReservedSSO_"),
        ("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1", "AWSReservedSSO_"),
        ("arn:aws:iam::{{AccountID}}:role/dev", "ARNs are not templates"),
    ] {
        let cluster = cluster(&[&map_of(&format!("    - rolearn: \"{written}\"\n      username: dev\n"))]);
        assert!(messages(&cluster).contains(why), "{written}: {}", messages(&cluster));
        assert_eq!(answer(&cluster, DEV), Ternary::No, "{written}");
    }
}

#[test]
fn nodes_that_are_named_by_their_session_are_reported_unless_they_are_fargate() {
    let nodes = |username: &str, more: &str| {
        map_of(&format!(
            "    - rolearn: arn:aws:iam::111122223333:role/dev\n      username: {username}\n      groups: [system:bootstrappers, system:nodes{more}]\n"
        ))
    };
    for (text, reported) in [
        (nodes("system:node:{{SessionName}}", ""), true),
        (nodes("system:node:{{SessionNameRaw}}", ""), true),
        (nodes("system:node:{{SessionName}}", ", system:node-proxier"), false),
        (nodes("system:node:{{EC2PrivateDNSName}}", ""), false),
    ] {
        let cluster = cluster(&[&text]);
        let found = cluster.diagnostics().iter().any(|one| one.code == Code::NodeUsername);
        assert_eq!(found, reported, "{text}");
        assert!(!found || messages(&cluster).contains("{{EC2PrivateDNSName}}"));
    }
}

#[test]
fn text_in_angle_brackets_is_reported_and_may_become_any_name() {
    let cluster = cluster(&[&map().replace("system:masters", "<system:masters>")]);
    assert!(
        messages(&cluster).contains("unknown-placeholder `<system:masters>` is in angle brackets"),
        "{}",
        messages(&cluster)
    );
    assert_eq!(answer(&cluster, DEV), Ternary::Unknown);
}

#[test]
fn a_mapping_for_instances_holds_for_instance_sessions_only() {
    let text = map().replace("username: dev", "username: system:node:{{EC2PrivateDNSName}}");
    let cluster = cluster(&[&text]);
    assert_eq!(answer(&cluster, DEV), Ternary::No);
    assert_eq!(
        answer(&cluster, "arn:aws:sts::111122223333:assumed-role/dev/i-0123456789abcdef0"),
        Ternary::Yes
    );
    let any = cluster.identify("arn:aws:iam::111122223333:role/dev", None);
    assert!(any.only_instances());
    let spec = serde_json::json!({
        "extra": {"arn": ["arn:aws:iam::111122223333:role/dev"]},
        "resourceAttributes": {"verb": "get", "resource": "pods"},
    });
    let status = rbacsim::ask::review::review(&cluster, &serde_json::from_value(spec).unwrap());
    assert!(!status.allowed && status.evaluation_error.unwrap().contains("EC2 instance ID"));
}
