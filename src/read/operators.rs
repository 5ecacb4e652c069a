//! Objects out of which others make RBAC objects: OLM's `ClusterServiceVersion`s are expanded, other kinds are named.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kustomize::value_of;
use crate::document::Node;
use crate::model::source::{Shift, Source};
use crate::model::unread::{Concern, Unread};

/// The API group of OLM.
const OLM: &str = "operators.coreos.com";

/// Whether an object is a `ClusterServiceVersion`.
pub(super) fn is_operator(api_version: &str, kind: &str) -> bool {
    kind == "ClusterServiceVersion" && api_version.split('/').next() == Some(OLM)
}

/// What a `ClusterServiceVersion` comes to once it is installed.
#[derive(Debug)]
pub(super) struct Expanded {
    /// Where it stands.
    pub(super) source: Source,
    /// What makes objects of it.
    pub(super) sentence: String,
    /// The objects, each with the place of what it is made of.
    pub(super) objects: Vec<(Value, Source)>,
    /// Its service accounts, where nothing tells their namespace.
    pub(super) unread: Option<Unread>,
}

impl Expanded {
    /// Moves it to where it really stands.
    pub(super) fn shift(&mut self, shift: &Shift) {
        self.source = shift.source(self.source);
        for (_, source) in &mut self.objects {
            *source = shift.source(*source);
        }
        self.unread = self.unread.take().map(|unread| unread.shifted(shift));
    }
}

/// Expands a `ClusterServiceVersion`; `None` if it asks for no access.
///
/// What it asks for in single namespaces OLM grants in those of the `OperatorGroup`, which may be all: so it is taken.
pub(super) fn expand(node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) -> Option<Expanded> {
    let field =
        |node: Node<'_>, key: &str| node.get(key).map_or(String::new(), |node| node.text().to_owned());
    let metadata = node.get("metadata");
    let name = metadata.map_or(String::new(), |metadata| field(metadata, "name"));
    let namespace = metadata.map_or(String::new(), |metadata| field(metadata, "namespace"));
    let spec = node.get("spec")?.get("install")?.get("spec")?;
    let is_told = !matches!(namespace.as_str(), "" | "placeholder");
    let mut objects = Vec::new();
    let mut concern = Concern::default();
    let parts = ["permissions", "clusterPermissions"].into_iter().filter_map(|key| spec.get(key));
    for (permission, number) in parts.flat_map(Node::items).zip(1..) {
        let account = field(permission, "serviceAccountName");
        let rules = permission.get("rules").map_or(Value::Null, value_of);
        if account.is_empty() || rules.as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        concern.service_accounts_named(&account);
        let own = format!("{name}-{number}");
        let source = place(permission);
        let group = "rbac.authorization.k8s.io";
        objects.push((
            json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": own}, "rules": rules}),
            source,
        ));
        objects.push((
            json!({
                "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": own},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": own},
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
            }),
            source,
        ));
    }
    if objects.is_empty() {
        return None;
    }
    let source = place(node);
    let sentence = format!(
        "OLM makes RBAC objects of ClusterServiceVersion `{name}` when it installs it, where its OperatorGroup says; load those of the cluster"
    );
    let unread = (!is_told).then(|| Unread::new(source, concern).told(sentence.clone()));
    let objects = if is_told { objects } else { Vec::new() };
    Some(Expanded { source, sentence, objects, unread })
}

/// Kinds out of which RBAC objects may come, by API group.
const CARRIERS: [(&str, &str); 10] = [
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("helm.cattle.io", "HelmChart"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("operators.coreos.com", "Subscription"),
    ("policy.open-cluster-management.io", "Policy"),
    ("template.openshift.io", "Template"),
    ("apps.open-cluster-management.io", "Subscription"),
    ("work.open-cluster-management.io", "ManifestWork"),
];

/// Those that were met, with how many of each.
pub(super) fn carriers(skipped: &BTreeMap<(String, String), usize>) -> BTreeMap<String, usize> {
    let mut met = BTreeMap::new();
    for ((api_version, kind), count) in skipped {
        let group = api_version.split('/').next().unwrap_or_default();
        let old_template = kind == "Template" && api_version == "v1";
        if CARRIERS.contains(&(group, kind.as_str())) || old_template {
            *met.entry(kind.clone()).or_default() += count;
        }
    }
    met
}

/// Whether a value of a ConfigMap holds RBAC objects as text.
pub(super) fn holds_manifests(node: Node<'_>) -> bool {
    let values = node.get("data").into_iter().flat_map(Node::pairs);
    values.into_iter().any(|(_, value)| {
        let text = value.text();
        text.contains(super::rbac::GROUP) && text.contains("kind:") && text.contains("roleRef")
    })
}
