//! What a document is, by its first words: whether it bears on answers, lists others, or came from a server.

use crate::document::Node;
use crate::model::workload::WorkloadKind;
use crate::read::rbac::{self, RbacKind};
use crate::read::{eks, identity_forms, operators};

/// The API group of eksctl's own file.
pub(super) const EKSCTL: &str = "eksctl.io";
/// Who refuses most objects.
pub(super) const API_SERVER: &str = "the API server";

/// Whether a list, or the values of a mapping, look like objects.
pub(super) fn holds_objects(node: Node<'_>) -> bool {
    let values = node.pairs().map(|(_, value)| value);
    node.items().chain(values).any(|item| item.get("apiVersion").is_some())
}

/// Whether objects of a kind can bear on an answer: RBAC in any version, what names users and resources, and lists.
pub(in crate::read) fn bears_on_answers(api_version: &str, kind: &str) -> bool {
    match api_version.split_once('/').map_or("", |(group, _)| group) {
        rbac::GROUP => RbacKind::of(kind).is_some(),
        "apiextensions.k8s.io" => kind == "CustomResourceDefinition",
        EKSCTL => kind == "ClusterConfig",
        "operators.coreos.com" => operators::is_operator(api_version, kind),
        "apiregistration.k8s.io" => api_version == "apiregistration.k8s.io/v1" && kind == "APIService",
        _ if identity_forms::is_read(api_version, kind) || eks::is_read(api_version, kind) => true,
        _ => {
            api_version == "v1"
                && matches!(kind, "ServiceAccount" | "Namespace" | "ConfigMap" | "Node" | "Secret")
                || WorkloadKind::of(kind).is_some_and(|kind| kind.api_version() == api_version)
        }
    }
}

/// Whether a document tells kustomize what to do.
pub(in crate::read) fn is_kustomization(api_version: &str) -> bool {
    api_version.starts_with("kustomize.config.k8s.io/")
}

/// The apiVersion and kind that the items of a list need not say; `None` for what is no list.
pub(in crate::read) fn implied_by<'t>(api_version: &'t str, kind: &'t str) -> Option<(&'t str, &'t str)> {
    let item_kind = kind.strip_suffix("List").filter(|_| !api_version.is_empty())?;
    Some(if item_kind.is_empty() { ("", "") } else { (api_version, item_kind) })
}

/// Whether an object was read from a server, which adds fields of its own.
pub(super) fn is_from_server(node: Node<'_>) -> bool {
    let fields = ["uid", "resourceVersion", "creationTimestamp"];
    let metadata = node.get("metadata");
    fields
        .iter()
        .any(|field| metadata.and_then(|metadata| metadata.get(field)).is_some_and(|value| !value.is_null()))
}

/// The names of the subjects of a binding.
pub(super) fn subject_names(node: Node<'_>) -> Vec<String> {
    let subjects = node.get("subjects").into_iter().flat_map(Node::items);
    subjects.filter_map(|subject| Some(subject.get("name")?.text().to_owned())).collect()
}

/// How a diagnostic names an object: kind, namespace and name as far as they can be read.
pub(super) fn title(kind: &str, node: Node<'_>) -> String {
    let metadata = node.get("metadata");
    let field = |name| metadata.and_then(|metadata| metadata.get(name)).map_or("", Node::text);
    match (field("namespace"), field("name")) {
        ("", "") => kind.to_owned(),
        ("", name) => format!("{kind} `{name}`"),
        (namespace, name) => format!("{kind} `{namespace}/{name}`"),
    }
}
