//! Who may enter an EKS cluster: every form of input in which access entries, policies, modes and mappings are kept.
//!
//! One file a form. A form is told by its content, never by a file name; each of them leaves facts, which
//! [`identity::access_entries`](crate::identity::access_entries) joins. What a file cannot say stays unknown.

mod ack;
mod aws_cli;
mod cloudformation;
mod cluster_api;
mod crossplane;
mod eksctl;
pub mod kubeconfig;
mod pod_identity;
mod pulumi;
mod rewrite;
mod sink;
mod terraform;
mod values;

use crate::document::{Node, Tree, yaml};
use crate::read::origin::Origin;

pub(super) use self::sink::Sink;

/// Takes in a document that is no Kubernetes object. `false` if it is none of these forms.
pub(super) fn document(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    if node.is_sequence() {
        return sequence(found, node, origin);
    }
    if !node.is_mapping() {
        return false;
    }
    aws_cli::read(found, node, origin)
        || terraform::read(found, node, origin)
        || cloudformation::read(found, node, origin)
        || pulumi::read(found, node, origin)
}

/// Takes in a list of such documents, as `jq -s` makes it. `false` if none of them is any.
fn sequence(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    let Some(first) = node.items().next() else { return false };
    if first.is_mapping() && eksctl::entries(found, node, origin) {
        return true;
    }
    if first.as_str().is_some_and(|text| text.starts_with("arn:")) && aws_cli::bare_list(found, node, origin)
    {
        return true;
    }
    if !node.items().any(|item| looks_like_one(item)) {
        return false;
    }
    for item in node.items() {
        found.value(item, origin);
    }
    true
}

/// Whether an item of a list is of one of these forms: then the list was made by a tool that knows no Kubernetes List.
fn looks_like_one(item: Node<'_>) -> bool {
    aws_cli::is_one(item) || terraform::is_one(item) || cloudformation::is_one(item) || pulumi::is_one(item)
}

/// Takes in a Kubernetes object of a kind that [`is_read`] knows.
pub(super) fn object(found: &mut dyn Sink, node: Node<'_>, origin: Origin, api_version: &str, kind: &str) {
    match group_of(api_version) {
        "eksctl.io" => eksctl::config(found, node, origin),
        "eks.services.k8s.aws" => ack::read(found, node, origin, kind),
        "controlplane.cluster.x-k8s.io" => cluster_api::read(found, node, origin),
        _ => crossplane::read(found, node, origin, kind),
    }
}

/// Whether objects of a kind tell who may enter a cluster.
pub(super) fn is_read(api_version: &str, kind: &str) -> bool {
    match group_of(api_version) {
        "eksctl.io" => kind == "ClusterConfig",
        "eks.services.k8s.aws" => matches!(kind, "AccessEntry" | "Cluster" | "PodIdentityAssociation"),
        "eks.aws.upbound.io" | "eks.aws.m.upbound.io" => {
            matches!(kind, "AccessEntry" | "AccessPolicyAssociation" | "Cluster" | "PodIdentityAssociation")
        }
        "controlplane.cluster.x-k8s.io" => {
            matches!(kind, "AWSManagedControlPlane" | "AWSManagedControlPlaneTemplate")
        }
        _ => false,
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether a text has the short forms of `CloudFormation`, so that it must be read again with them written out.
pub(super) fn needs_functions(root: Node<'_>, text: &str) -> bool {
    root.get("Resources").is_some_and(Node::is_mapping)
        && [
            "!Ref",
            "!Sub",
            "!GetAtt",
            "!Join",
            "!Select",
            "!Split",
            "!If",
            "!ImportValue",
            "!FindInMap",
            "!Transform",
        ]
        .iter()
        .any(|short| text.contains(short))
}

/// Reads a document again with the short forms of `CloudFormation` written out.
pub(super) fn with_functions(text: &str) -> Option<Tree<'_>> {
    let mut tree = Tree::default();
    yaml::read_with_functions(text, &mut tree).ok()?;
    Some(tree)
}
