//! Access entries more or less: what `--without-mapping`, `--with-mapping` and `--with` do to them, what a fleet's files
//! say of the cluster that is meant, and what its version is.

use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::access_entries::EntryList;
use rbacsim::model::ternary::Ternary;
use rbacsim::read::{Defaults, Input, LoadError, LoadOptions, VersionFrom, WhatIf, load, new_mapping};

use crate::access_entries::{entry, list, may, mode, policies};

const DEV: &str = "arn:aws:sts::111122223333:assumed-role/dev/run-1";
const ROLE: &str = "arn:aws:iam::111122223333:role/dev";

fn text(name: &str, content: &str) -> Input {
    Input::Text { name: name.to_owned(), bytes: content.as_bytes().to_vec() }
}

fn changed(inputs: &[(&str, &str)], what_if: WhatIf) -> Result<Cluster, LoadError> {
    let inputs: Vec<Input> = inputs.iter().map(|(name, content)| text(name, content)).collect();
    let options = LoadOptions { defaults: Defaults::Never, what_if, ..LoadOptions::default() };
    load(&inputs, &options).map(Into::into)
}

fn without(arn: &str) -> WhatIf {
    WhatIf { without_mapping: vec![arn.to_owned()], ..WhatIf::default() }
}

fn with_mapping(mapping: &str) -> WhatIf {
    WhatIf { with_mapping: vec![new_mapping(mapping).unwrap()], ..WhatIf::default() }
}

fn with(name: &str, content: &str) -> WhatIf {
    WhatIf { with: vec![text(name, content)], ..WhatIf::default() }
}

/// What the role `dev` is, and whether it may list pods in prod.
fn dev(cluster: &Cluster) -> (String, Ternary) {
    let who = cluster.identify(DEV, None);
    let user = match (who.shown(), who.error()) {
        (Some(user), _) => format!("{} {}", user.username, user.groups.join(" ")),
        (None, Some(error)) if error.is_refusal() => "refused".to_owned(),
        _ => "unknown".to_owned(),
    };
    let may = may(cluster, &who, "list", "pods", "prod");
    (user.replace(" system:authenticated", ""), may)
}

const RBAC: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: pods}
rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: pods}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: pods}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}]
";

const AWS_AUTH: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - {rolearn: 'arn:aws:iam::111122223333:role/dev', username: legacy, groups: [readers]}
";

#[test]
fn without_its_entry_a_principal_has_none_whatever_the_inputs_lack() {
    let own = entry("role/dev", "dev", &[]);
    let view = policies("role/dev", &[("AmazonEKSViewPolicy", &[])]);
    let (api, both) = (mode("API"), mode("API_AND_CONFIG_MAP"));
    let base = |mode| [("c", mode), ("e", own.as_str()), ("p", view.as_str()), ("r.yaml", RBAC)];
    assert_eq!(dev(&changed(&base(&api), WhatIf::default()).unwrap()), ("dev".to_owned(), Ternary::Yes));
    // The list of entries is not whole, and still this one is gone; a session stands for its role.
    for arn in [ROLE, DEV] {
        let cluster = changed(&base(&api), without(arn)).unwrap();
        assert_eq!(dev(&cluster), ("refused".to_owned(), Ternary::No), "{arn}");
        assert_eq!(cluster.changes().len(), 1);
        assert!(cluster.changes()[0].text.contains("without the access entry"), "{:?}", cluster.changes());
        let other = cluster.identify("arn:aws:iam::111122223333:role/other", None);
        assert!(!other.error().unwrap().is_refusal());
    }
    // Both mappings go where there are two.
    let two: Vec<(&str, &str)> = base(&both).into_iter().chain([("a.yaml", AWS_AUTH)]).collect();
    let cluster = changed(&two, without(ROLE)).unwrap();
    assert_eq!((dev(&cluster), cluster.changes().len()), (("refused".to_owned(), Ternary::No), 2));
    let error = changed(&base(&api), without("arn:aws:iam::111122223333:role/dve")).unwrap_err().to_string();
    assert!(error.ends_with("did you mean `arn:aws:iam::111122223333:role/dev`?"), "{error}");
}

#[test]
fn a_new_mapping_is_an_entry_where_the_cluster_looks_for_them_there() {
    let (api, all) = (mode("API"), list(&["role/ops"]));
    let ops = entry("role/ops", "ops", &[]);
    let base = [("c", api.as_str()), ("l", &all), ("o", &ops), ("r.yaml", RBAC), ("a.yaml", AWS_AUTH)];
    assert_eq!(dev(&changed(&base, WhatIf::default()).unwrap()).1, Ternary::No);
    let more = with_mapping("arn:aws:iam::111122223333:role/dev=dev,readers");
    let cluster = changed(&base, more.clone()).unwrap();
    assert_eq!(dev(&cluster), ("dev readers".to_owned(), Ternary::Yes));
    assert!(cluster.changes()[0].text.starts_with("with an access entry of"), "{:?}", cluster.changes());
    // The policies of an entry that is there stay.
    let (own, view) = (entry("role/dev", "old", &[]), policies("role/dev", &[("AmazonEKSViewPolicy", &[])]));
    let there = [("c", api.as_str()), ("e", &own), ("p", &view), ("r.yaml", RBAC)];
    let less = with_mapping("arn:aws:iam::111122223333:role/dev=dev");
    assert_eq!(dev(&changed(&there, less).unwrap()), ("dev".to_owned(), Ternary::Yes));
    // In the mode of the ConfigMap it is a mapping as ever.
    let config_map = mode("CONFIG_MAP");
    let cluster = changed(&[("c", &config_map), ("r.yaml", RBAC)], more).unwrap();
    assert_eq!(dev(&cluster).0, "dev readers");
    assert!(cluster.changes()[0].text.starts_with("with a mapping of"), "{:?}", cluster.changes());
}

#[test]
fn a_file_of_entries_replaces_those_of_the_same_principals() {
    let (api, all) = (mode("API"), list(&["role/ops", "role/dev"]));
    let (own, none) = (entry("role/dev", "dev", &[]), policies("role/dev", &[]));
    let base = [("c", api.as_str()), ("l", &all), ("e", &own), ("p", &none), ("r.yaml", RBAC)];
    assert_eq!(dev(&changed(&base, WhatIf::default()).unwrap()).1, Ternary::No);
    let planned = |arn: &str| {
        format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: shop}}\naccessConfig:\n  authenticationMode: API\n  accessEntries:\n  - principalARN: {arn}\n    kubernetesUsername: planned\n    accessPolicies: [{{policyARN: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy', accessScope: {{type: cluster}}}}]\n"
        )
    };
    let cluster = changed(&base, with("plan.yaml", &planned(ROLE))).unwrap();
    assert_eq!(dev(&cluster), ("planned".to_owned(), Ternary::Yes));
    assert_eq!(cluster.diagnostics().len(), 0, "{:?}", cluster.diagnostics());
    assert!(matches!(cluster.identities().access().unwrap().list(), EntryList::Complete(Some(_))));
    // Whoever is new is there although the list of today does not hold him.
    let cluster = changed(&base, with("plan.yaml", &planned("arn:aws:iam::111122223333:role/new"))).unwrap();
    assert!(cluster.identify("arn:aws:iam::111122223333:role/new", None).shown().is_some());
    assert_eq!(dev(&cluster), ("dev".to_owned(), Ternary::No));
    // An association alone leaves the entry as it is.
    let view = policies("role/dev", &[("AmazonEKSViewPolicy", &["prod"])]);
    assert_eq!(dev(&changed(&base, with("p.json", &view)).unwrap()), ("dev".to_owned(), Ternary::Yes));
    let groups = entry("role/dev", "dev", &["readers"]);
    assert_eq!(
        dev(&changed(&base, with("e.json", &groups)).unwrap()),
        ("dev readers".to_owned(), Ternary::Yes)
    );
    let both = mode("API_AND_CONFIG_MAP");
    let cluster = changed(&base, with("c.json", &both)).unwrap();
    assert_eq!(cluster.identities().mode().unwrap().as_str(), "API_AND_CONFIG_MAP");
}

#[test]
fn parts_of_aws_auth_belong_to_the_cluster_of_their_file() {
    let file = |name: &str, groups: &str| {
        format!(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: {name}}}\naccessConfig: {{authenticationMode: CONFIG_MAP}}\niamIdentityMappings:\n- {{arn: '{ROLE}', username: of-{name}, groups: [{groups}]}}\n"
        )
    };
    let (blue, green) = (file("blue", "readers"), file("green", "nobody"));
    for (meant, expected) in [("blue", "of-blue readers"), ("green", "of-green nobody")] {
        let options = LoadOptions {
            cluster: Some(meant.to_owned()),
            defaults: Defaults::Never,
            ..LoadOptions::default()
        };
        let inputs = [text("b.yaml", &blue), text("g.yaml", &green), text("r.yaml", RBAC)];
        let cluster: Cluster = load(&inputs, &options).unwrap().into();
        assert_eq!(dev(&cluster).0, expected);
    }
}

#[test]
fn every_form_that_tells_the_version_of_the_cluster_is_heard() {
    let template = |kind: &str, properties: &str| {
        format!("Resources:\n  C: {{Type: '{kind}', Properties: {properties}}}\n")
    };
    for (name, content) in [
        ("cloud_formation", template("AWS::EKS::Cluster", "{Name: shop, Version: '1.31'}")),
        ("cdk", template("Custom::AWSCDK-EKS-Cluster", "{Config: {name: shop, version: '1.31'}}")),
        ("ack", "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: Cluster\nmetadata: {name: c}\nspec: {name: shop, version: '1.31'}\n".to_owned()),
        ("crossplane", "apiVersion: eks.aws.upbound.io/v1beta2\nkind: Cluster\nmetadata: {name: shop}\nspec: {forProvider: {version: '1.31'}}\n".to_owned()),
        ("cluster_api", "apiVersion: controlplane.cluster.x-k8s.io/v1beta2\nkind: AWSManagedControlPlane\nmetadata: {name: c}\nspec: {eksClusterName: shop, version: v1.31.2}\n".to_owned()),
        ("pulumi", "{\"version\": 3, \"deployment\": {\"resources\": [{\"type\": \"aws:eks/cluster:Cluster\", \"outputs\": {\"name\": \"shop\", \"version\": \"1.31\"}}]}}".to_owned()),
    ] {
        let loaded = load(&[text("f", &content)], &LoadOptions::default()).unwrap();
        assert_eq!(loaded.version.to_string(), "1.31", "{name}");
        assert!(matches!(loaded.version_from, VersionFrom::Input(..)), "{name}");
        let cluster: Cluster = loaded.into();
        assert_eq!(cluster.identities().access().unwrap().cluster(), Some("shop"), "{name}");
    }
}
