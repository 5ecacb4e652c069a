//! The managed control plane of Cluster API for AWS: modes and types in lower case.

use crate::document::Node;
use crate::identity::access_entries::{AuthenticationMode, ClusterFact, EntryFact, Form, Setting, Standing};
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;
use crate::read::version_hints::VersionSource;

use super::{eksctl, values};

/// Takes in an `AWSManagedControlPlane` or a template of one.
pub(super) fn read(found: &mut dyn Sink, node: Node<'_>, origin: Origin) {
    let Some(spec) = node.get("spec") else { return };
    let spec = spec.get("template").and_then(|template| template.get("spec")).unwrap_or(spec);
    values::version(found, VersionSource::ClusterObject, spec.get("version"), origin);
    let name = values::text(spec.get("eksClusterName"));
    let mode = spec.get("accessConfig").and_then(|config| config.get("authenticationMode"));
    let source = origin.source(mode.unwrap_or(node));
    let mode = match values::text(mode) {
        Some(text) => AuthenticationMode::parse(&text).map_or(Setting::Unknown, Setting::Given),
        None => Setting::Given(AuthenticationMode::ConfigMap),
    };
    let object = values::text(node.get("metadata").and_then(|metadata| metadata.get("name")));
    let cluster_object = object.clone();
    let standing = Standing::Declared;
    found.facts().clusters.push(ClusterFact {
        name: name.clone(),
        object,
        account: None,
        mode,
        standing,
        source,
    });
    let entries = spec.get("accessEntries");
    for entry in entries.into_iter().flat_map(Node::items).filter(|entry| entry.is_mapping()) {
        let principal = values::told(entry.get("principalARN"));
        let policies = entry.get("accessPolicies").map_or_else(Vec::new, |list| {
            list.items()
                .map(|one| eksctl::association(one, name.as_deref(), &principal, Form::ClusterApi, origin))
                .collect()
        });
        found.facts().entries.push(EntryFact {
            cluster: name.clone(),
            cluster_object: cluster_object.clone(),
            principal,
            kind: eksctl::upper(values::setting(entry.get("type"))),
            username: values::setting(entry.get("username")),
            groups: values::settings(entry.get("kubernetesGroups")),
            policies: Some(policies),
            created_at: None,
            modified_at: None,
            standing,
            form: Form::ClusterApi,
            is_listed_only: false,
            is_conditional: false,
            source: origin.source(entry),
        });
    }
}
