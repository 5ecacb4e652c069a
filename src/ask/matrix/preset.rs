//! The most sensitive columns, each with what it means.

use super::universe::Filter;
use crate::model::version::KubernetesVersion;

/// One column of a preset.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The API group.
    pub group: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// The verb.
    pub verb: &'static str,
    /// Only for this object, as namespace and name; `None` for any.
    pub object: Option<(&'static str, &'static str)>,
    /// What this access allows, in one sentence.
    pub means: &'static str,
}

const fn entry(
    group: &'static str,
    resource: &'static str,
    verb: &'static str,
    means: &'static str,
) -> Entry {
    Entry { group, resource, verb, object: None, means }
}

const fn of_aws_auth(verb: &'static str) -> Entry {
    Entry {
        object: Some(("kube-system", "aws-auth")),
        ..entry(
            "",
            "configmaps",
            verb,
            "Changes which IAM identities log in as whom: gains any access that a binding grants.",
        )
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// What leads to other people's rights, to secrets or to running code.
pub const SENSITIVE: &[Entry] = &[
    entry("*", "*", "*", "Everything: any verb on any resource, including future ones."),
    entry("", "secrets", "get", "Reads a secret by its name: passwords, keys, tokens."),
    entry("", "secrets", "list", "Reads all secrets with their contents: a list returns the values too."),
    entry("", "secrets", "create", "Creates a token for any service account, through a secret of that type."),
    entry("", "pods", "create", "Runs any image as any service account in the namespace."),
    entry(
        "",
        "pods/exec",
        "create",
        "Runs commands in running containers, with their access and their secrets.",
    ),
    entry("", "pods/exec", "get", "Runs commands in running containers, through a WebSocket."),
    entry("", "pods/attach", "create", "Talks to the main process of running containers."),
    entry("", "pods/portforward", "create", "Reaches ports of pods, bypassing network policies and ingress."),
    entry("", "pods/ephemeralcontainers", "patch", "Puts a debug container into a running pod."),
    entry("apps", "deployments", "create", "Runs any image as any service account in the namespace."),
    entry(
        "apps",
        "deployments",
        "patch",
        "Changes the image, command or service account of running workloads.",
    ),
    entry("apps", "daemonsets", "create", "Runs an image on every node."),
    entry("batch", "jobs", "create", "Runs any image as any service account in the namespace."),
    entry(
        "batch",
        "cronjobs",
        "create",
        "Runs any image on a schedule, as any service account in the namespace.",
    ),
    entry("", "serviceaccounts/token", "create", "Creates a token for a service account and acts as it."),
    entry("", "serviceaccounts", "impersonate", "Acts as any service account in the namespace."),
    entry("", "users", "impersonate", "Acts as another user."),
    entry(
        "",
        "groups",
        "impersonate",
        "Acts as a member of another group, together with a user to impersonate.",
    ),
    entry(RBAC, "roles", "escalate", "Writes a Role with more access than the writer has."),
    entry(RBAC, "clusterroles", "escalate", "Writes a ClusterRole with more access than the writer has."),
    entry(RBAC, "clusterroles", "bind", "Binds any ClusterRole, including cluster-admin, to anyone."),
    entry(RBAC, "roles", "bind", "Binds any Role in the namespace to anyone."),
    entry(RBAC, "rolebindings", "create", "Grants access in the namespace, up to the writer's own."),
    entry(
        RBAC,
        "clusterrolebindings",
        "create",
        "Grants access in the whole cluster, up to the writer's own.",
    ),
    of_aws_auth("update"),
    of_aws_auth("patch"),
    entry(
        "",
        "nodes/proxy",
        "get",
        "Reaches the kubelet of a node and runs commands in any of its pods, bypassing audit logs.",
    ),
    entry("", "nodes/proxy", "create", "Reaches the kubelet of a node and runs commands in any of its pods."),
    entry("", "nodes", "patch", "Changes labels and taints, and so where pods run."),
    entry("", "persistentvolumes", "create", "Mounts files of a node, through a hostPath volume."),
    entry(
        ADMISSION,
        "validatingwebhookconfigurations",
        "create",
        "Sees every object that is written, and can reject any of them.",
    ),
    entry(
        ADMISSION,
        "mutatingwebhookconfigurations",
        "create",
        "Sees every object that is written, and can change it.",
    ),
    entry(
        ADMISSION,
        "mutatingwebhookconfigurations",
        "patch",
        "Sees every object that is written, and can change it.",
    ),
    entry("apiextensions.k8s.io", "customresourcedefinitions", "create", "Adds types to the API."),
    entry(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "delete",
        "Deletes a type with all its objects.",
    ),
    entry(
        "certificates.k8s.io",
        "certificatesigningrequests/approval",
        "update",
        "Approves client certificates, also for other users, together with `approve` on the signer.",
    ),
    entry("certificates.k8s.io", "signers", "approve", "Approves client certificates for a signer."),
    entry("", "namespaces", "delete", "Deletes a namespace with everything in it."),
    entry("", "namespaces", "patch", "Changes labels, and with them Pod Security and network policies."),
];

/// What leads to other people's rights in a version.
pub fn sensitive(version: KubernetesVersion) -> Vec<Entry> {
    // From 1.35 on a WebSocket needs `create` as well, which stands for itself.
    let counts =
        |entry: &&Entry| (entry.resource, entry.verb) != ("pods/exec", "get") || version.minor() < 35;
    SENSITIVE.iter().filter(counts).copied().collect()
}

/// The names of the presets.
pub const NAMES: &[&str] = &["sensitive"];

/// A preset by its name.
pub fn find(name: &str) -> Option<&'static [Entry]> {
    (name == "sensitive").then_some(SENSITIVE)
}

/// The columns of a preset.
pub fn filter(entries: &[Entry]) -> Filter {
    let column = |entry: &Entry| (entry.group.to_owned(), entry.resource.to_owned(), entry.verb.to_owned());
    Filter { columns: Some(entries.iter().map(column).collect()), ..Filter::default() }
}
