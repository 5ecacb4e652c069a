//! The `AccessEntry`, `PodIdentityAssociation` and Cluster of the ACK controller for EKS.

use crate::document::Node;
use crate::identity::access_entries::{AuthenticationMode, ClusterFact, EntryFact, Form, Setting, Standing};
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;
use crate::read::version_hints::VersionSource;

use super::{eksctl, pod_identity, values};

/// Takes in an object of ACK.
pub(super) fn read(found: &mut dyn Sink, node: Node<'_>, origin: Origin, kind: &str) {
    let Some(spec) = node.get("spec") else { return };
    if kind == "Cluster" {
        let object = values::text(node.get("metadata").and_then(|metadata| metadata.get("name")));
        let mode = spec.get("accessConfig").and_then(|config| config.get("authenticationMode"));
        let source = origin.source(mode.unwrap_or(node));
        let mode = match values::text(mode) {
            Some(text) => AuthenticationMode::parse(&text).map_or(Setting::Unknown, Setting::Given),
            None => Setting::Given(AuthenticationMode::ConfigMap),
        };
        values::version(found, VersionSource::ClusterObject, spec.get("version"), origin);
        let name = values::text(spec.get("name"));
        let standing = Standing::Declared;
        found.facts().clusters.push(ClusterFact { name, object, account: None, mode, standing, source });
        return;
    }
    if kind == "PodIdentityAssociation" {
        let told = |node| values::told(Some(node));
        let one = pod_identity::of(&pod_identity::ACK, &|key| spec.get(key), &told, origin.source(node));
        pod_identity::add(found, one);
        return;
    }
    let cluster = values::text(spec.get("clusterName"));
    let reference = spec.get("clusterRef").and_then(|reference| reference.get("from"));
    let cluster_object = values::text(reference.and_then(|from| from.get("name")));
    let principal = values::told(spec.get("principalARN"));
    let policies = spec.get("accessPolicies").map_or_else(Vec::new, |list| {
        list.items()
            .map(|one| eksctl::association(one, cluster.as_deref(), &principal, Form::Ack, origin))
            .collect()
    });
    found.facts().entries.push(EntryFact {
        cluster,
        cluster_object,
        principal,
        kind: eksctl::upper(values::setting(spec.get("type"))),
        username: values::setting(spec.get("username")),
        groups: values::settings(spec.get("kubernetesGroups")),
        policies: Some(policies),
        created_at: None,
        modified_at: None,
        standing: Standing::Declared,
        form: Form::Ack,
        is_listed_only: false,
        is_conditional: false,
        source: origin.source(node),
    });
}
