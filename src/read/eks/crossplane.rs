//! `AccessEntry`, `AccessPolicyAssociation` and Cluster of Crossplane's provider for EKS, cluster-scoped and namespaced.

use crate::document::Node;
use crate::identity::access_entries::{
    AssociationFact, AuthenticationMode, ClusterFact, EntryFact, Form, Setting, Standing, Told,
};
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;
use crate::read::version_hints::VersionSource;

use super::{pod_identity, values};

/// The fields of an object: what the provider reported, what is wanted, and what is wanted at first.
struct Parts<'t> {
    reported: Option<Node<'t>>,
    wanted: Option<Node<'t>>,
    initial: Option<Node<'t>>,
}

impl<'t> Parts<'t> {
    fn of(node: Node<'t>) -> Self {
        let part = |outer: &str, inner: &str| {
            node.get(outer).and_then(|outer| outer.get(inner)).filter(|part| part.is_mapping())
        };
        Self {
            reported: part("status", "atProvider").filter(|part| part.pairs().next().is_some()),
            wanted: part("spec", "forProvider"),
            initial: part("spec", "initProvider"),
        }
    }

    fn get(&self, key: &str) -> Option<Node<'t>> {
        let parts = [self.reported, self.wanted, self.initial];
        parts.into_iter().flatten().find_map(|part| part.get(key).filter(|value| !value.is_null()))
    }

    fn standing(&self) -> Standing {
        if self.reported.is_some() { Standing::Observed } else { Standing::Declared }
    }

    /// A field that may be given by reference instead.
    fn told(&self, key: &str) -> Told {
        if let Some(text) = values::text(self.get(key)) {
            return Told::known(text);
        }
        let references = [format!("{key}Ref"), format!("{key}FromRoleRef")];
        let named = references.iter().find_map(|reference| {
            let name = values::text(self.get(reference)?.get("name"))?;
            Some(Told::unknown(format!("{reference} {name}")))
        });
        named.unwrap_or_else(Told::nameless)
    }

    fn cluster_object(&self) -> Option<String> {
        values::text(self.get("clusterNameRef").and_then(|reference| reference.get("name")))
    }
}

/// Takes in an object of Crossplane.
pub(super) fn read(found: &mut dyn Sink, node: Node<'_>, origin: Origin, kind: &str) {
    let parts = Parts::of(node);
    let standing = parts.standing();
    let source = origin.source(node);
    match kind {
        "Cluster" => {
            let metadata = node.get("metadata");
            let object = values::text(metadata.and_then(|metadata| metadata.get("name")));
            let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
            let external = annotations.and_then(|annotations| annotations.get("crossplane.io/external-name"));
            let name = values::text(external).or_else(|| object.clone());
            values::version(found, VersionSource::ClusterObject, parts.get("version"), origin);
            let config = values::block(parts.get("accessConfig"));
            let mode = config.and_then(|config| config.get("authenticationMode"));
            let source = origin.source(mode.unwrap_or(node));
            let mode = match values::text(mode) {
                Some(text) => AuthenticationMode::parse(&text).map_or(Setting::Unknown, Setting::Given),
                None => Setting::Default,
            };
            found.facts().clusters.push(ClusterFact { name, object, account: None, mode, standing, source });
        }
        "PodIdentityAssociation" => {
            let told = |node| values::told(Some(node));
            pod_identity::add(
                found,
                pod_identity::of(&pod_identity::API, &|key| parts.get(key), &told, source),
            );
        }
        "AccessEntry" => {
            let groups = values::settings(parts.get("kubernetesGroups"));
            found.facts().entries.push(EntryFact {
                cluster: values::text(parts.get("clusterName")),
                cluster_object: parts.cluster_object(),
                principal: parts.told("principalArn"),
                kind: values::setting(parts.get("type")),
                username: values::setting(parts.get("userName")),
                groups: if standing == Standing::Observed { values::reported(groups) } else { groups },
                policies: None,
                created_at: values::moment(parts.get("createdAt")),
                modified_at: values::moment(parts.get("modifiedAt")),
                standing,
                form: Form::Crossplane,
                is_listed_only: false,
                is_conditional: false,
                source,
            });
        }
        _ => {
            let scope = values::block(parts.get("accessScope"));
            let field = |key: &str| scope.and_then(|scope| scope.get(key));
            found.facts().associations.push(AssociationFact {
                cluster: values::text(parts.get("clusterName")),
                cluster_object: parts.cluster_object(),
                principal: parts.told("principalArn"),
                policy: parts.told("policyArn"),
                scope: values::scope(field("type"), field("namespaces")),
                has_idle_namespaces: values::has_idle_namespaces(field("type"), field("namespaces")),
                modified_at: values::moment(parts.get("modifiedAt")),
                standing,
                form: Form::Crossplane,
                is_one_of_several: false,
                source,
            });
        }
    }
}
