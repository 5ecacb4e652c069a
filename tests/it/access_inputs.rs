//! Every form of input that holds access entries, as small as it can be: what is read, from which place, and what stays
//! unknown.

use rbacsim::decide::cluster::{Cluster, Who, WhoIs};
use rbacsim::model::ternary::Ternary;
use serde_json::{Value, json};

use crate::access_entries::{cluster, may};

const DEV: &str = "arn:aws:sts::111122223333:assumed-role/dev/run-1";

/// Username, groups without `system:authenticated`, and the place of the entry; or why there are none.
fn dev(cluster: &Cluster) -> String {
    let who = cluster.identify(DEV, None);
    match &who.is {
        WhoIs::Mapped(mapped) => {
            let groups: Vec<String> = mapped.groups.iter().map(ToString::to_string).collect();
            let place = cluster.sources().show(mapped.provenance.source);
            format!("{} [{}] {place}", mapped.username, groups.join(" "))
        }
        WhoIs::Error(error) => error.to_string(),
        WhoIs::User(_) => String::new(),
    }
}

fn list_pods(cluster: &Cluster, namespace: &str) -> Ternary {
    let who: Who = cluster.identify(DEV, None);
    may(cluster, &who, "list", "pods", namespace)
}

/// Some RBAC, so that nobody thinks that a folder was forgotten.
const UNBOUND: &str =
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: unbound}\nrules: []\n";

#[test]
#[expect(clippy::too_many_lines, reason = "one form after the other")]
fn every_form_of_one_entry_with_one_association() {
    let arn = "arn:aws:iam::111122223333:role/dev";
    let view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";
    let answer = json!({ "accessEntry": { "clusterName": "shop", "principalArn": arn, "type": "STANDARD",
        "username": "dev:{{SessionName}}", "kubernetesGroups": ["developers"] } });
    let policies = json!({ "clusterName": "shop", "principalArn": arn, "associatedAccessPolicies": [
        { "policyArn": view, "accessScope": { "type": "namespace", "namespaces": ["dev-*"] } }] });
    let values = [
        json!({ "cluster_name": "shop", "principal_arn": arn, "type": "STANDARD",
            "user_name": "dev:{{SessionName}}", "kubernetes_groups": ["developers"] }),
        json!({ "cluster_name": "shop", "principal_arn": arn, "policy_arn": view,
            "access_scope": [{ "type": "namespace", "namespaces": ["dev-*"] }] }),
    ];
    let kinds = ["aws_eks_access_entry", "aws_eks_access_policy_association"];
    let shown: Vec<Value> = kinds
        .iter()
        .zip(&values)
        .map(|(kind, values)| json!({ "address": format!("module.eks.{kind}.this"), "mode": "managed", "type": kind, "values": values }))
        .collect();
    let raw: Vec<Value> = kinds
        .iter()
        .zip(&values)
        .map(|(kind, values)| json!({ "mode": "managed", "type": kind, "name": "this", "instances": [
            { "attributes": values }, { "deposed": "00000000", "attributes": { "principal_arn": "arn:aws:iam::111122223333:role/old" } }] }))
        .collect();
    let module = json!({ "child_modules": [{ "address": "module.eks", "resources": shown }] });
    let outputs = [
        json!({ "clusterName": "shop", "principalArn": arn, "type": "STANDARD",
            "userName": "dev:{{SessionName}}", "kubernetesGroups": ["developers"] }),
        json!({ "clusterName": "shop", "principalArn": arn, "policyArn": view,
            "accessScope": { "type": "namespace", "namespaces": ["dev-*"] } }),
    ];
    let stack = json!({ "version": 3, "deployment": { "resources": [
        { "type": "aws:eks/accessEntry:AccessEntry", "outputs": outputs[0] },
        { "type": "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "outputs": outputs[1] }] } });
    let template = json!({ "Resources": { "E": { "Type": "AWS::EKS::AccessEntry", "Properties": {
        "ClusterName": "shop", "PrincipalArn": arn, "Username": "dev:{{SessionName}}", "KubernetesGroups": ["developers"],
        "AccessPolicies": [{ "PolicyArn": view, "AccessScope": { "Type": "namespace", "Namespaces": ["dev-*"] } }] } } } });
    let entry = |arn_key: &str, username: &str| {
        format!(
            "  - {arn_key}: {arn}\n    {username}: dev:{{{{SessionName}}}}\n    kubernetesGroups: [developers]\n    accessPolicies:\n    - policyARN: {view}\n      accessScope: {{type: namespace, namespaces: ['dev-*']}}\n"
        )
    };
    let eksctl = format!(
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: shop}}\naccessConfig:\n  accessEntries:\n{}",
        entry("principalARN", "kubernetesUsername")
    );
    let capa = format!(
        "apiVersion: controlplane.cluster.x-k8s.io/v1beta2\nkind: AWSManagedControlPlane\nmetadata: {{name: cp}}\nspec:\n  accessConfig: {{authenticationMode: api}}\n  accessEntries:\n{}",
        entry("principalARN", "username")
    );
    let ack = format!(
        "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: AccessEntry\nmetadata: {{name: dev}}\nspec:\n  clusterName: shop\n  principalARN: {arn}\n  username: dev:{{{{SessionName}}}}\n  kubernetesGroups: [developers]\n  accessPolicies: [{{policyARN: '{view}', accessScope: {{type: namespace, namespaces: ['dev-*']}}}}]\n"
    );
    let crossplane = format!(
        "apiVersion: eks.aws.m.upbound.io/v1beta1\nkind: AccessEntry\nmetadata: {{name: dev}}\nspec:\n  forProvider: {{clusterName: shop, principalArn: '{arn}', userName: 'dev:{{{{SessionName}}}}', kubernetesGroups: [developers]}}\n---\napiVersion: eks.aws.m.upbound.io/v1beta1\nkind: AccessPolicyAssociation\nmetadata: {{name: view}}\nspec:\n  forProvider: {{clusterName: shop, principalArn: '{arn}', policyArn: '{view}', accessScope: {{type: namespace, namespaces: ['dev-*']}}}}\n"
    );
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let forms = [
        ("stream", format!("{answer}\n{policies}\n"), "f:1"),
        ("concatenated", format!("{}{}", pretty(&answer), pretty(&policies)), "f:2"),
        ("slurped", pretty(&json!([answer, policies])), "f:3"),
        (
            "collected",
            pretty(
                &json!({ "accessEntries": [{ "accessEntry": answer["accessEntry"], "associatedAccessPolicies": policies["associatedAccessPolicies"] }] }),
            ),
            "f:4",
        ),
        (
            "yaml",
            format!(
                "accessEntry:\n  principalArn: {arn}\n  type: STANDARD\n  username: dev:{{{{SessionName}}}}\n  kubernetesGroups:\n  - developers\n---\nprincipalArn: {arn}\nassociatedAccessPolicies:\n- policyArn: {view}\n  accessScope: {{type: namespace, namespaces: ['dev-*']}}\n"
            ),
            "f:2",
        ),
        (
            "terraform_show",
            pretty(
                &json!({ "format_version": "1.0", "terraform_version": "1.9.8", "values": { "root_module": module } }),
            ),
            "f:19",
        ),
        (
            "terraform_plan",
            pretty(
                &json!({ "format_version": "1.2", "terraform_version": "1.9.8", "planned_values": { "root_module": module } }),
            ),
            "f:18",
        ),
        (
            "terraform_state",
            pretty(&json!({ "version": 4, "terraform_version": "1.9.8", "resources": raw })),
            "f:11",
        ),
        ("pulumi", pretty(&stack), "f:10"),
        ("cloudformation", pretty(&template), "f:3"),
        (
            "get_template",
            pretty(&json!({ "TemplateBody": template, "StagesAvailable": ["Original"] })),
            "f:7",
        ),
        ("eksctl", eksctl, "f:6"),
        ("cluster_api", capa, "f:7"),
        ("ack", ack, "f:1"),
        ("crossplane", crossplane, "f:1"),
    ];
    for (name, content, _) in &forms {
        let cluster = cluster(&[("f", content), ("r.yaml", UNBOUND)]);
        let found = dev(&cluster);
        assert!(found.starts_with("dev:run-1 [developers] f:"), "{name}: {found}\n{content}");
        assert_eq!(list_pods(&cluster, "dev-a"), Ternary::Yes, "{name}");
        assert_eq!(list_pods(&cluster, "prod"), Ternary::No, "{name}: {:?}", cluster.diagnostics());
        let lines: u32 = found.rsplit(':').next().unwrap().parse().unwrap();
        let line = content.lines().nth(lines as usize - 1).unwrap();
        assert!(!line.trim().is_empty(), "{name}: {found}");
    }
    let found: Vec<String> = forms
        .iter()
        .map(|(name, content, _)| {
            format!("{name} {}", dev(&cluster(&[("f", content)])).rsplit(' ').next().unwrap())
        })
        .collect();
    let expected: Vec<String> = forms.iter().map(|(name, _, place)| format!("{name} {place}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn resources_of_the_kubernetes_provider_are_the_objects_that_they_stand_for() {
    let resource = |kind: &str, values: Value| json!({ "address": kind, "mode": "managed", "type": kind, "values": values });
    let metadata = |name: &str, namespace: Value| json!([{ "name": name, "namespace": namespace, "labels": null, "generate_name": "" }]);
    let state = json!({ "format_version": "1.0", "terraform_version": "1.9.8", "values": { "root_module": { "resources": [
        resource("kubernetes_role_v1", json!({ "metadata": metadata("r", json!("prod")), "rule": [
            { "api_groups": [null], "resources": ["pods"], "resource_names": null, "verbs": ["list"] }] })),
        resource("kubernetes_role_binding_v1", json!({ "metadata": metadata("r", json!("prod")),
            "role_ref": [{ "api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": "r" }],
            "subject": [{ "api_group": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers", "namespace": "default" }] })),
        resource("kubernetes_config_map_v1", json!({ "metadata": metadata("aws-auth", json!("kube-system")),
            "data": { "mapRoles": "- {rolearn: 'arn:aws:iam::111122223333:role/dev', username: dev, groups: [developers]}\n" } })),
        resource("kubernetes_manifest", json!({ "manifest": {}, "object": { "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "prod", "labels": null } } })),
        resource("kubectl_manifest", json!({ "yaml_body": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: staging\n" })),
    ]}}});
    let cluster = cluster(&[("s.json", &serde_json::to_string_pretty(&state).unwrap())]);
    assert_eq!(cluster.summary().refused, 0, "{:?}", cluster.diagnostics());
    assert_eq!(list_pods(&cluster, "prod"), Ternary::Yes);
    assert_eq!(cluster.namespaces(), ["prod", "staging"]);
}

#[test]
fn a_part_of_aws_auth_says_nothing_of_whom_it_does_not_map() {
    let state = json!({ "format_version": "1.0", "terraform_version": "1.9.8", "values": { "root_module": { "resources": [
        { "type": "aws_eks_cluster", "mode": "managed", "values": { "name": "shop", "access_config": [{ "authentication_mode": "CONFIG_MAP" }] } },
        { "type": "kubernetes_config_map_v1_data", "mode": "managed", "values": {
            "metadata": [{ "name": "aws-auth", "namespace": "kube-system" }],
            "data": { "mapRoles": "- {rolearn: 'arn:aws:iam::111122223333:role/ci', username: ci}\n" } } },
    ]}}})
    .to_string();
    assert_eq!(list_pods(&cluster(&[("s.json", &state)]), "prod"), Ternary::Unknown);
    let whole = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata:\n  mapAccounts: '[]'\n";
    // All of it goes before a part.
    for inputs in
        [[("s.json", state.as_str()), ("a.yaml", whole)], [("a.yaml", whole), ("s.json", state.as_str())]]
    {
        assert_eq!(list_pods(&cluster(&inputs), "prod"), Ternary::No);
    }
}

#[test]
fn a_plan_leaves_to_eks_what_is_only_computed_and_resolves_roles_by_their_names() {
    let resource = |kind: &str, name: &str, values: Value| json!({ "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name, "values": values });
    let plan = json!({ "format_version": "1.2", "terraform_version": "1.9.8",
        "planned_values": { "root_module": { "resources": [
            resource("aws_iam_role", "dev", json!({ "name": "dev", "path": "/team/" })),
            resource("aws_eks_access_entry", "dev", json!({ "cluster_name": "shop", "type": "STANDARD" })),
            resource("aws_eks_access_policy_association", "dev", json!({ "cluster_name": "shop",
                "policy_arn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "access_scope": [{ "type": "cluster", "namespaces": null }] })),
        ]}},
        "resource_changes": [
            { "address": "aws_eks_access_entry.dev", "change": { "after_unknown": { "principal_arn": true, "user_name": true, "kubernetes_groups": true } } },
            { "address": "aws_eks_access_policy_association.dev", "change": { "after_unknown": { "principal_arn": true, "access_scope": [{}] } } },
        ],
        "configuration": { "root_module": { "resources": [
            { "address": "aws_eks_access_entry.dev", "expressions": { "principal_arn": { "references": ["aws_iam_role.dev.arn", "aws_iam_role.dev"] } } },
            { "address": "aws_eks_access_policy_association.dev", "expressions": { "principal_arn": { "references": ["aws_iam_role.dev.arn", "aws_iam_role.dev"] } } },
        ]}},
    })
    .to_string();
    let cluster = cluster(&[("p.json", &plan)]);
    assert_eq!(list_pods(&cluster, "prod"), Ternary::Yes, "{}", dev(&cluster));
    assert_eq!(
        may(
            &cluster,
            &cluster.identify("arn:aws:sts::111122223333:assumed-role/ops/x", None),
            "list",
            "pods",
            "prod"
        ),
        Ternary::Unknown
    );
}

/// A template in YAML with one entry, whose principal is as given.
fn template(principal: &str, rest: &str) -> String {
    format!(
        "Parameters:\n  Name: {{Type: String, Default: dev}}\n  Open: {{Type: String}}\nMappings:\n  M: {{a: {{b: dev}}}}\nResources:\n  R: {{Type: 'AWS::IAM::Role', Properties: {{RoleName: dev, Path: /team/}}}}\n  Q: {{Type: 'AWS::IAM::Role', Properties: {{}}}}\n  E:\n    Type: AWS::EKS::AccessEntry\n{rest}    Properties:\n      ClusterName: shop\n      PrincipalArn: {principal}\n      KubernetesGroups: [developers]\n"
    )
}

#[test]
fn functions_of_templates_are_resolved_as_far_as_the_template_tells() {
    let role = "arn:aws:iam::111122223333:role/";
    for (name, principal, expected) in [
        ("a_literal", format!("{role}dev"), true),
        (
            "the_account_is_taken_to_be_this_one",
            "!Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/dev'".to_owned(),
            true,
        ),
        ("a_parameter_with_a_default", format!("!Sub '{role}${{Name}}'"), true),
        ("the_arn_of_a_role_with_a_name", "!GetAtt R.Arn".to_owned(), true),
        ("the_same_in_the_long_form", "{'Fn::GetAtt': [R, Arn]}".to_owned(), true),
        ("a_join", format!("!Join ['', ['{role}', !Ref Name]]"), true),
        ("a_map", format!("!Join ['', ['{role}', !FindInMap [M, a, b]]]"), true),
        ("a_selection", format!("!Join ['', ['{role}', !Select [1, !Split [',', 'x,dev']]]]"), true),
        ("both_sides_of_a_condition", format!("!If [C, '{role}dev', '{role}dev']"), true),
        ("sides_that_differ", format!("!If [C, '{role}dev', '{role}ops']"), false),
        ("a_parameter_without_a_default", format!("!Sub '{role}${{Open}}'"), false),
        ("the_arn_of_a_role_without_a_name", "!GetAtt Q.Arn".to_owned(), false),
        ("an_import", "!ImportValue dev-arn".to_owned(), false),
        ("a_secret", "'{{resolve:ssm:/dev/arn}}'".to_owned(), false),
    ] {
        let text = template(&principal, "");
        let cluster = cluster(&[("t.yaml", &text)]);
        let found = cluster.identify(DEV, None).certain().is_some_and(|user| user.in_group("developers"));
        assert_eq!(found, expected, "{name}: {}", dev(&cluster));
        if !expected {
            assert_eq!(list_pods(&cluster, "prod"), Ternary::Unknown, "{name}");
        }
    }
    let conditional = template("arn:aws:iam::111122223333:role/dev", "    Condition: C\n");
    assert_eq!(list_pods(&cluster(&[("t.yaml", &conditional)]), "prod"), Ternary::Unknown);
}

#[test]
fn manifests_of_the_cdk_are_read_with_their_holes() {
    let template = json!({ "Resources": {
        "C": { "Type": "Custom::AWSCDK-EKS-Cluster", "Properties": { "Config": {} } },
        "A": { "Type": "Custom::AWSCDK-EKS-KubernetesResource", "Properties": { "Manifest": { "Fn::Join": ["", [
            "[{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"aws-auth\",\"namespace\":\"kube-system\"},\"data\":{\"mapRoles\":\"[{\\\"rolearn\\\":\\\"",
            { "Fn::GetAtt": ["Dev", "Arn"] },
            "\\\",\\\"username\\\":\\\"dev\\\",\\\"groups\\\":[\\\"system:masters\\\"]}]\"}}]"]] } } },
    }})
    .to_string();
    // No mode is CONFIG_MAP there; whom the hole maps is not told.
    assert_eq!(list_pods(&cluster(&[("t.json", &template)]), "prod"), Ternary::Unknown);
}

#[test]
fn secrets_and_deleted_resources_of_pulumi_are_nobody_s_for_certain() {
    let secret =
        json!({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x" });
    let one = |principal: Value, delete: bool| {
        json!({ "type": "aws:eks/accessEntry:AccessEntry", "delete": delete,
            "outputs": { "clusterName": "shop", "principalArn": principal, "type": "STANDARD", "kubernetesGroups": [] } })
    };
    let stack =
        |resources: Vec<Value>| json!({ "version": 3, "deployment": { "resources": resources } }).to_string();
    let hidden = stack(vec![one(secret, false)]);
    assert_eq!(list_pods(&cluster(&[("s.json", &hidden)]), "prod"), Ternary::Unknown);
    let deleted = stack(vec![one(json!("arn:aws:iam::111122223333:role/dev"), true)]);
    assert_eq!(dev(&cluster(&[("s.json", &deleted)])), "no identity mapping in the inputs");
}

#[test]
fn headings_between_answers_are_named_with_the_way_out() {
    let text = "== dev\n{\"accessEntry\": {\"principalArn\": \"arn:aws:iam::111122223333:role/dev\", \"type\": \"STANDARD\"}}\n";
    let cluster = cluster(&[("loop.txt", text)]);
    let message = &cluster.diagnostics()[0].message;
    assert!(message.contains("rbacsim collect"), "{message}");
}

#[test]
fn what_is_too_old_or_not_of_eks_is_named() {
    let old = json!({ "version": 3, "modules": [] }).to_string();
    let mapping = "apiVersion: iamauthenticator.k8s.aws/v1alpha1\nkind: IAMIdentityMapping\nmetadata: {name: dev}\nspec: {arn: 'arn:aws:iam::111122223333:role/dev', username: dev}\n";
    let cluster = cluster(&[("t.tfstate", &old), ("m.yaml", mapping)]);
    let codes: Vec<&str> = cluster.diagnostics().iter().map(|diagnostic| diagnostic.code.as_str()).collect();
    assert_eq!(codes, ["access-input-not-read", "identity-mapping-elsewhere"]);
    // Where the inputs show a mode of EKS, nobody wonders whether another authenticator runs.
    let mode = json!({ "cluster": { "name": "shop", "accessConfig": { "authenticationMode": "API" } } });
    let of_eks = self::cluster(&[("c.json", &mode.to_string()), ("m.yaml", mapping)]);
    assert!(of_eks.diagnostics().iter().any(|one| one.code.as_str() == "identity-mapping-ignored"));
}

#[test]
fn contexts_of_a_kubeconfig() {
    let config = |exec: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: 'arn:aws:eks:us-west-2:111122223333:cluster/shop', user: u}}}}]\nusers:\n- name: u\n  user:\n    {more}exec: {exec}\n"
        )
    };
    let role = "'arn:aws:iam::111122223333:role/team/dev'";
    for (name, exec, expected) in [
        ("the_cli", format!("{{command: aws, args: [eks, get-token, --role-arn, {role}]}}"), Some("EKSGetTokenAuth")),
        ("the_cli_as_update_kubeconfig_writes_it", format!("{{command: /usr/bin/aws, args: [--region, x, eks, get-token, --role, {role}]}}"), Some("EKSGetTokenAuth")),
        ("the_cli_with_an_equals_sign", "{command: aws.exe, args: [eks, get-token, '--role-arn=arn:aws:iam::111122223333:role/team/dev']}".to_owned(), Some("EKSGetTokenAuth")),
        ("the_authenticator", format!("{{command: aws-iam-authenticator, args: [token, -i, shop, -r, {role}, -s, laptop]}}"), Some("laptop")),
        ("the_authenticator_in_one_word", "{command: heptio-authenticator-aws, args: [token, '-rarn:aws:iam::111122223333:role/team/dev', --session-name=laptop]}".to_owned(), Some("laptop")),
        ("no_role", "{command: aws, args: [eks, get-token, --cluster-name, shop]}".to_owned(), None),
        ("another_command", "{command: gke-gcloud-auth-plugin}".to_owned(), None),
    ] {
        let user = rbacsim::read::kubeconfig::context_user(&config(&exec, ""), None).unwrap();
        let expected = expected.map(|session| format!("arn:aws:sts::111122223333:assumed-role/dev/{session}"));
        assert_eq!(user.caller(), expected, "{name}");
        assert_eq!(user.cluster.as_deref(), Some("shop"), "{name}");
    }
    let exec = format!("{{command: aws-iam-authenticator, args: [token, -r, {role}]}}");
    let user =
        rbacsim::read::kubeconfig::context_user(&config(&exec, "as: bot\n    as-groups: [bots]\n    "), None)
            .unwrap();
    assert_eq!(user.caller().as_deref(), Some("arn:aws:iam::111122223333:role/team/dev"), "any session");
    assert_eq!(user.impersonates, Some(("bot".to_owned(), vec!["bots".to_owned()])));
    assert!(rbacsim::read::kubeconfig::context_user(&config("{}", ""), Some("x")).is_err());
    assert!(rbacsim::read::kubeconfig::context_user("a: b", None).is_err());
}

#[test]
fn functions_that_refer_to_each_other_in_a_circle_come_to_an_end() {
    let twenty = "${C}".repeat(20);
    let text = format!(
        "Resources:\n  C: {{Type: 'AWS::EKS::Cluster', Properties: {{Name: !Sub '{twenty}'}}}}\n  E: {{Type: 'AWS::EKS::AccessEntry', Properties: {{ClusterName: !Ref C, PrincipalArn: !Sub 'arn:aws:iam::111122223333:role/{twenty}x'}}}}\n"
    );
    assert_eq!(list_pods(&cluster(&[("t.yaml", &text)]), "prod"), Ternary::Unknown);
}

#[test]
fn namespaces_beside_the_scope_of_the_whole_cluster_are_named() {
    let declared = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop}\naccessConfig:\n  accessEntries:\n  - principalARN: arn:aws:iam::111122223333:role/dev\n    accessPolicies: [{policyARN: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy', accessScope: {type: cluster, namespaces: [dev]}}]\n";
    let cluster = cluster(&[("c.yaml", declared)]);
    let found = cluster.diagnostics().iter().find(|one| one.code.as_str() == "odd-association");
    assert!(found.is_some_and(|one| one.message.contains("whole cluster")), "{:?}", cluster.diagnostics());
    assert_eq!(list_pods(&cluster, "prod"), Ternary::Yes);
}

#[test]
fn principals_without_a_name_are_not_taken_for_one_another() {
    let resource = |kind: &str, name: &str, values: Value| json!({ "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name, "values": values });
    let association = json!({ "cluster_name": "shop", "access_scope": [{ "type": "cluster", "namespaces": null }],
        "policy_arn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy" });
    let plan = json!({ "format_version": "1.2", "terraform_version": "1.9.8",
        "planned_values": { "root_module": { "resources": [
            resource("aws_eks_access_entry", "a", json!({ "cluster_name": "shop", "type": "STANDARD", "kubernetes_groups": ["a"] })),
            resource("aws_eks_access_entry", "b", json!({ "cluster_name": "shop", "type": "STANDARD", "kubernetes_groups": ["b"] })),
            resource("aws_eks_access_policy_association", "a", association),
        ]}},
    })
    .to_string();
    let cluster = cluster(&[("p.json", &plan), ("r.yaml", UNBOUND)]);
    let codes: Vec<&str> = cluster.diagnostics().iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["unknown-principal"], "two entries are no duplicates: {:?}", cluster.diagnostics());
    let access = cluster.identities().access().unwrap();
    assert_eq!(access.entries().len(), 2);
    for entry in access.entries() {
        assert!(entry.policies.iter().all(|policy| !policy.is_certain), "{entry:?}");
    }
    assert_eq!(list_pods(&cluster, "prod"), Ternary::Unknown);
}

#[test]
fn who_can_lists_entries_whose_principal_a_template_does_not_tell() {
    let question = |cluster: &Cluster| {
        let words = rbacsim::ask::question::Words {
            namespace: Some("dev"),
            ..rbacsim::ask::question::Words::of(&["list", "pods"], false).unwrap()
        };
        rbacsim::ask::question::read(&words, cluster).unwrap()
    };
    let text = |principal: &str| {
        format!(
            "Resources:\n  C: {{Type: 'AWS::EKS::Cluster', Properties: {{Name: shop, AccessConfig: {{AuthenticationMode: API}}}}}}\n  E:\n    Type: AWS::EKS::AccessEntry\n    Properties:\n      ClusterName: shop\n      PrincipalArn: {principal}\n      AccessPolicies: [{{PolicyArn: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy', AccessScope: {{Type: cluster}}}}]\n"
        )
    };
    // The account of the deployment is not told: whoever has that role there can.
    let known =
        cluster(&[("t.yaml", &text("!Sub 'arn:aws:iam::${AWS::AccountId}:role/dev'")), ("r.yaml", UNBOUND)]);
    let found = rbacsim::ask::who_can::who_can(&known, &question(&known));
    let arns: Vec<&str> = found.identities.iter().map(|can| can.arn.as_str()).collect();
    assert_eq!(arns, ["arn:aws:iam::${AWS::AccountId}:role/dev"]);
    // Nobody knows whose entry this is, and nobody is told that no one can.
    let open = cluster(&[("t.yaml", &text("!Ref Somebody")), ("r.yaml", UNBOUND)]);
    let found = rbacsim::ask::who_can::who_can(&open, &question(&open));
    let arns: Vec<&str> = found.unknown_identities.iter().map(|can| can.arn.as_str()).collect();
    assert_eq!((arns, found.ternary()), (vec!["${Somebody}"], Ternary::Unknown));
}

#[test]
fn no_one_can_only_where_all_entries_are_known() {
    let entries = |more: &str| format!("{{\"accessEntries\": []{more}}}");
    let mode = crate::access_entries::mode("API");
    for (list, expected) in
        [(entries(""), Ternary::No), (entries(", \"nextToken\": \"x\""), Ternary::Unknown)]
    {
        let cluster = cluster(&[("c", &mode), ("l", &list), ("r.yaml", UNBOUND)]);
        let words = rbacsim::ask::question::Words::of(&["list", "pods"], false).unwrap();
        let question = rbacsim::ask::question::read(&words, &cluster).unwrap();
        assert_eq!(rbacsim::ask::who_can::who_can(&cluster, &question).ternary(), expected, "{list}");
    }
}

#[test]
fn entries_that_could_not_be_read_leave_open_who_somebody_is() {
    let aws_auth = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata:\n  mapRoles: |\n    - {rolearn: 'arn:aws:iam::111122223333:role/ci', username: ci}\n";
    let rest = [("a.yaml", aws_auth), ("r.yaml", UNBOUND)];
    assert_eq!(list_pods(&cluster(&rest), "prod"), Ternary::No);
    for (name, text) in [
        (
            "headings",
            "== dev: all ==\n{\"accessEntry\": {\"principalArn\": \"arn:aws:iam::111122223333:role/other\", \"type\": \"STANDARD\"}}\n",
        ),
        (
            "a_template",
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\naccessConfig:\n  accessEntries:\n  {{- range .entries }}\n  - principalARN: {{ .arn }}\n  {{- end }}\n",
        ),
        (
            "terraform_s_own_language",
            "resource \"aws_eks_access_entry\" \"dev\" {\n  principal_arn = aws_iam_role.dev.arn\n}\n",
        ),
    ] {
        let all: Vec<(&str, &str)> = rest.into_iter().chain([("f", text)]).collect();
        let cluster = cluster(&all);
        assert_eq!(list_pods(&cluster, "prod"), Ternary::Unknown, "{name}: {:?}", cluster.diagnostics());
    }
}
