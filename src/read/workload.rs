//! Workloads, Secrets, and what ServiceAccounts and Namespaces say beside their names.
//!
//! Only what decides what access leads to is read: service accounts, tokens, what opens a node. Fields that do not
//! decode as in the API count as absent, except names: what these say decides who somebody can become.

use crate::document::{Node, ScalarType};
use crate::model::names::{Name, Names};
use crate::model::source::Source;
use crate::model::workload::{AccountSettings, NamespaceSettings, Opening, Secret, Workload, WorkloadKind};

use super::crd::is_true;
use super::fields::{FieldError, text};
use super::rbac::Metadata;

/// The type of Secrets that hold the token of a service account.
const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";
/// The label that says which pods a namespace lets in.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// Directories of a node from which the tokens of all its pods can be read.
const OPEN_PATHS: [&str; 5] = ["", "/var", "/var/lib", "/var/lib/kubelet", "/var/lib/kubelet/pods"];

/// The namespace of a namespaced object that need not say it.
fn home(metadata: &Metadata<'_>, names: &mut Names) -> Name {
    names.intern(if metadata.namespace.is_empty() { "default" } else { metadata.namespace })
}

fn field<'t>(node: Option<Node<'t>>, key: &str) -> Option<Node<'t>> {
    node.and_then(|node| node.get(key))
}

fn boolean(node: Option<Node<'_>>) -> Option<bool> {
    node.filter(|node| node.scalar() == Some(ScalarType::Bool)).map(is_true)
}

fn annotation<'t>(node: Node<'t>, key: &str) -> &'t str {
    field(field(node.get("metadata"), "annotations"), key).and_then(Node::as_str).unwrap_or("")
}

/// Reads a workload.
///
/// # Errors
/// If the service account is not a text.
pub(super) fn workload(
    kind: WorkloadKind,
    metadata: &Metadata<'_>,
    node: Node<'_>,
    source: Source,
    names: &mut Names,
) -> Result<Workload, FieldError> {
    let spec = node.get("spec");
    let (pod, path) = match kind {
        WorkloadKind::Pod => (spec, "spec"),
        WorkloadKind::PodTemplate => (field(node.get("template"), "spec"), "template.spec"),
        WorkloadKind::CronJob => {
            let job = field(field(spec, "jobTemplate"), "spec");
            (field(field(job, "template"), "spec"), "spec.jobTemplate.spec.template.spec")
        }
        _ => (field(field(spec, "template"), "spec"), "spec.template.spec"),
    };
    let account = |key: &str| match field(pod, key) {
        Some(value) => text(value, &|| format!("{path}.{key}")),
        None => Ok(""),
    };
    // The old name of the field counts where the new one says nothing.
    let account = match (account("serviceAccountName")?, account("serviceAccount")?) {
        ("", "") => "default",
        ("", old) => old,
        (new, _) => new,
    };
    let is_stopped = match kind {
        WorkloadKind::Pod => {
            let phase = field(node.get("status"), "phase").and_then(Node::as_str).unwrap_or("");
            !matches!(phase, "" | "Running")
        }
        WorkloadKind::DaemonSet => false,
        _ => number(field(spec, "replicas")) == Some(0),
    };
    let node_name = if kind == WorkloadKind::Pod { field(pod, "nodeName") } else { None };
    Ok(Workload {
        kind,
        namespace: home(metadata, names),
        name: names.intern(metadata.name),
        service_account: names.intern(account),
        automount: boolean(field(pod, "automountServiceAccountToken")),
        has_token_volume: pod.is_some_and(has_token_volume),
        opening: pod.and_then(opening).map(|opening| match opening {
            "" => Opening::Privileged,
            path => Opening::HostPath(names.intern(path)),
        }),
        node: names.intern(node_name.and_then(Node::as_str).unwrap_or("")),
        is_stopped,
        source,
    })
}

fn number(node: Option<Node<'_>>) -> Option<i64> {
    node.filter(|node| node.scalar() == Some(ScalarType::Int)).and_then(|node| node.text().parse().ok())
}

fn items<'t>(node: Node<'t>, key: &str) -> impl Iterator<Item = Node<'t>> {
    node.get(key).into_iter().flat_map(Node::items)
}

/// Whether a projected volume holds a token that the API server takes.
fn has_token_volume(pod: Node<'_>) -> bool {
    let sources = items(pod, "volumes").filter_map(|volume| volume.get("projected"));
    let mut tokens = sources
        .flat_map(|projected| items(projected, "sources"))
        .filter_map(|source| source.get("serviceAccountToken"));
    tokens.any(|token| token.get("audience").and_then(Node::as_str).unwrap_or("").is_empty())
}

/// What opens the node: the directory, or nothing for a privileged container.
fn opening(pod: Node<'_>) -> Option<&str> {
    let user = |node: Node<'_>| number(field(node.get("securityContext"), "runAsUser"));
    let pod_user = user(pod);
    // Of init containers those that go on running are sidecars.
    let sidecars = items(pod, "initContainers")
        .filter(|own| own.get("restartPolicy").and_then(Node::as_str) == Some("Always"));
    let containers = items(pod, "containers").chain(items(pod, "ephemeralContainers")).chain(sidecars);
    for container in containers {
        if user(container).or(pod_user).unwrap_or(0) != 0 {
            continue;
        }
        if boolean(field(container.get("securityContext"), "privileged")) == Some(true) {
            return Some("");
        }
        for mount in items(container, "volumeMounts") {
            let name = mount.get("name").map_or("", Node::text);
            let volume =
                items(pod, "volumes").find(|volume| volume.get("name").map_or("", Node::text) == name);
            let path = field(field(volume, "hostPath"), "path").and_then(Node::as_str);
            if let Some(path) = path.filter(|path| OPEN_PATHS.contains(&path.trim_end_matches('/')))
                && !path.is_empty()
            {
                return Some(path);
            }
        }
    }
    None
}

/// Reads a Secret: its name, and whose token it holds.
pub(super) fn secret(metadata: &Metadata<'_>, node: Node<'_>, source: Source, names: &mut Names) -> Secret {
    let is_token = node.get("type").and_then(Node::as_str) == Some(TOKEN_TYPE);
    let token_of = if is_token { annotation(node, "kubernetes.io/service-account.name") } else { "" };
    Secret {
        namespace: home(metadata, names),
        name: names.intern(metadata.name),
        token_of: names.intern(token_of),
        source,
    }
}

/// Reads what a ServiceAccount says beside its name.
pub(super) fn account(
    (namespace, name): (Name, Name),
    node: Node<'_>,
    source: Source,
    names: &mut Names,
) -> AccountSettings {
    AccountSettings {
        namespace,
        name,
        automount: boolean(node.get("automountServiceAccountToken")),
        role_arn: names.intern(annotation(node, "eks.amazonaws.com/role-arn")),
        source,
    }
}

/// Reads what a Namespace says beside its name.
pub(super) fn namespace(name: Name, metadata: &Metadata<'_>, names: &mut Names) -> NamespaceSettings {
    let enforce = metadata.labels.iter().find(|(key, _)| *key == ENFORCE).map_or("", |(_, value)| value);
    NamespaceSettings { name, enforce: names.intern(enforce) }
}
