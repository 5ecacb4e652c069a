//! Pods that get roles by EKS Pod Identity: every form in which associations are kept, and what each leaves open.

use rbacsim::ask::people::People;
use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::iam::Lenses;
use rbacsim::model::diagnostic::Code;
use rbacsim::model::ternary::Ternary::{self, Unknown, Yes};
use serde_json::{Value, json};

use super::iam_ways::{ACCOUNT, cluster, export, role, statement};

/// The account with a role for pods, beside a form of association.
fn with(form: &str) -> Cluster {
    let eks = statement(
        json!({ "Service": "pods.eks.amazonaws.com" }),
        json!(["sts:AssumeRole", "sts:TagSession"]),
    );
    let roles = [role("app", std::slice::from_ref(&eks), &[]), role("other", &[eks], &[])];
    cluster(&[export(&roles, &[]), ("form.yaml", form.to_owned())])
}

/// Whether the pods of `prod/app` get the role, by each association that may give it.
fn pods_of(cluster: &Cluster) -> Vec<Ternary> {
    let lenses = Lenses::new(cluster.iam());
    let all = People::new(cluster, &lenses).assumable_by(&format!("{ACCOUNT}:role/app"));
    let pods = all.iter().filter(|one| one.who.name() == "system:serviceaccount:prod:app");
    pods.map(|one| one.value).collect()
}

fn ack() -> String {
    format!(
        "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: PodIdentityAssociation\nmetadata: {{name: app, namespace: ack}}\nspec: {{clusterName: shop, namespace: prod, serviceAccount: app, roleARN: '{ACCOUNT}:role/app'}}\n"
    )
}

fn template(role: &str) -> String {
    format!(
        "Resources:\n  App:\n    Type: AWS::EKS::PodIdentityAssociation\n    Properties: {{ClusterName: shop, Namespace: prod, ServiceAccount: app, RoleArn: {role}}}\n"
    )
}

fn eksctl(role: &str) -> String {
    format!(
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: shop, region: eu-west-1}}\niam:\n  podIdentityAssociations:\n  - {{namespace: prod, serviceAccountName: app{role}}}\n"
    )
}

/// A state of Terraform, or a plan, with the values of one resource.
fn terraform(values: &Value) -> Value {
    json!({ "format_version": "1.0", "terraform_version": "1.9.0", "values": { "root_module": { "resources": [
        { "address": "aws_eks_pod_identity_association.app", "mode": "managed",
          "type": "aws_eks_pod_identity_association", "name": "app", "values": values },
    ] } } })
}

#[test]
fn associations_are_read_from_every_form_that_declares_them() {
    let arn = format!("{ACCOUNT}:role/app");
    let state = terraform(
        &json!({ "cluster_name": "shop", "namespace": "prod", "service_account": "app", "role_arn": arn }),
    );
    let crossplane = format!(
        "apiVersion: eks.aws.upbound.io/v1beta1\nkind: PodIdentityAssociation\nmetadata: {{name: app}}\nspec: {{forProvider: {{clusterName: shop, namespace: prod, serviceAccount: app, roleArn: '{arn}'}}}}\n"
    );
    let pulumi = json!({ "version": 3, "deployment": { "resources": [{
        "urn": "x", "type": "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        "outputs": { "clusterName": "shop", "namespace": "prod", "serviceAccount": "app", "roleArn": arn },
    }] } });
    for (form, text) in [
        ("ack", ack()),
        ("cloudformation", template(&format!("'{arn}'"))),
        ("eksctl", eksctl(&format!(", roleARN: '{arn}'"))),
        ("terraform", state.to_string()),
        ("crossplane", crossplane),
        ("pulumi", pulumi.to_string()),
    ] {
        assert_eq!(pods_of(&with(&text)), [Yes], "{form}");
    }
}

#[test]
fn a_role_of_which_a_file_tells_a_part_is_unknown_with_what_it_says() {
    let by_name = with(&eksctl(", roleName: app"));
    assert_eq!(pods_of(&by_name), [Unknown]);
    assert_eq!(
        by_name.pod_roles().0[0].written.as_deref(),
        Some("arn:${partition}:iam::${account}:role/app")
    );
    let by_function = with(&template("!Sub 'arn:aws:iam::${AWS::AccountId}:role/app'"));
    assert_eq!(pods_of(&by_function), [Unknown]);
    // Another name is another role.
    assert!(pods_of(&with(&eksctl(", roleName: elsewhere"))).is_empty());
    // It may be any.
    assert_eq!(pods_of(&with(&template("!GetAtt Role.Arn"))), [Unknown]);
    assert_eq!(pods_of(&with(&eksctl(""))), [Unknown]);
}

#[test]
fn the_account_of_the_cluster_fills_in_what_a_template_leaves_open() {
    let described = json!({ "cluster": {
        "name": "shop", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop",
        "accessConfig": { "authenticationMode": "API" }, "platformVersion": "eks.1",
    } });
    let form = format!("{}---\n{described}\n", template("!Sub 'arn:aws:iam::${AWS::AccountId}:role/app'"));
    assert_eq!(pods_of(&with(&form)), [Yes]);
}

#[test]
fn what_is_declared_and_reported_is_one_association() {
    let reported = json!({ "association": {
        "clusterName": "shop", "namespace": "prod", "serviceAccount": "app", "associationId": "a-1",
        "associationArn": "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/shop/a-1",
        "roleArn": format!("{ACCOUNT}:role/app"),
    } });
    let both = with(&format!("{}---\n{reported}\n", ack()));
    assert_eq!((both.pod_roles().0.len(), pods_of(&both)), (1, vec![Yes]));
    // Those that differ may both be.
    let other = reported.to_string().replace("role/app", "role/other");
    let differ = with(&format!("{}---\n{other}\n", ack()));
    assert_eq!((differ.pod_roles().0.len(), pods_of(&differ)), (2, vec![Yes]));
}

#[test]
fn a_service_account_that_a_template_leaves_open_is_reported() {
    let open = template(&format!("'{ACCOUNT}:role/app'"))
        .replace("ServiceAccount: app", "ServiceAccount: !Ref Name");
    let cluster = with(&open);
    assert!(cluster.pod_roles().0.is_empty());
    let found: Vec<&str> = cluster
        .diagnostics()
        .iter()
        .filter(|found| found.code == Code::AccessInputNotRead)
        .map(|found| &*found.message)
        .collect();
    assert!(found[0].contains("`prod/${Name}` is not told as a whole"), "{found:?}");
}
