//! eksctl: the access entries of its `ClusterConfig`, and what `eksctl get accessentry` prints.

use crate::document::Node;
use crate::identity::access_entries::{
    AssociationFact, AuthenticationMode, ClusterFact, EntryFact, Form, ListFact, Setting, Standing, Told,
};
use crate::model::diagnostic::Code;
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;

use super::{pod_identity, values};

/// How many entries one page of the list holds: eksctl asks for the first one alone.
const PAGE: usize = 100;

/// Takes in a `ClusterConfig`.
pub(super) fn config(found: &mut dyn Sink, node: Node<'_>, origin: Origin) {
    let metadata = node.get("metadata");
    let name = values::text(metadata.and_then(|metadata| metadata.get("name")));
    let access = node.get("accessConfig").filter(|access| access.is_mapping());
    let mode = access.and_then(|access| access.get("authenticationMode"));
    let source = origin.source(mode.or(access).unwrap_or(node));
    let mode = match values::text(mode) {
        Some(text) => AuthenticationMode::parse(&text).map_or(Setting::Unknown, Setting::Given),
        // On Outposts there are no access entries.
        None if node.get("outpost").is_some() => Setting::Given(AuthenticationMode::ConfigMap),
        None => Setting::Given(AuthenticationMode::ApiAndConfigMap),
    };
    let standing = Standing::Declared;
    found.facts().clusters.push(ClusterFact {
        name: name.clone(),
        object: None,
        account: None,
        mode,
        standing,
        source,
    });
    let entries = access.and_then(|access| access.get("accessEntries"));
    for entry in entries.into_iter().flat_map(Node::items).filter(|entry| entry.is_mapping()) {
        let entry = self::entry(entry, name.as_deref(), Form::EksctlConfig, origin);
        found.facts().entries.push(entry);
    }
    service_mappings(found, node, origin);
    pod_identity::eksctl(found, node, name.as_deref(), origin);
}

/// One entry of the file, or of what `eksctl get` prints.
fn entry(node: Node<'_>, cluster: Option<&str>, form: Form, origin: Origin) -> EntryFact {
    let standing = if form == Form::EksctlGet { Standing::Observed } else { Standing::Declared };
    let source = origin.source(node);
    let principal = values::told(node.get("principalARN").or_else(|| node.get("principalArn")));
    let policies = node.get("accessPolicies").map_or_else(Vec::new, |list| {
        list.items().map(|one| association(one, cluster, &principal, form, origin)).collect()
    });
    let observed = standing == Standing::Observed;
    let groups = values::settings(node.get("kubernetesGroups"));
    let given = |key: &str| values::setting(node.get(key));
    EntryFact {
        cluster: cluster.map(str::to_owned),
        cluster_object: None,
        principal,
        kind: if observed { Setting::Unknown } else { upper(given("type")) },
        username: if observed { Setting::Unknown } else { given("kubernetesUsername") },
        groups: if observed { values::reported(groups) } else { groups },
        policies: Some(policies),
        created_at: None,
        modified_at: None,
        standing,
        form,
        is_listed_only: false,
        is_conditional: false,
        source,
    }
}

/// A type as the API spells it.
pub(super) fn upper(kind: Setting<String>) -> Setting<String> {
    match kind {
        Setting::Given(kind) => Setting::Given(kind.to_ascii_uppercase()),
        other => other,
    }
}

/// An association as eksctl, ACK and Cluster API write it.
pub(super) fn association(
    node: Node<'_>,
    cluster: Option<&str>,
    principal: &Told,
    form: Form,
    origin: Origin,
) -> AssociationFact {
    let scope = node.get("accessScope");
    let field = |key: &str| scope.and_then(|scope| scope.get(key));
    AssociationFact {
        cluster: cluster.map(str::to_owned),
        cluster_object: None,
        principal: principal.clone(),
        policy: values::told(node.get("policyARN").or_else(|| node.get("policyArn"))),
        scope: values::scope(field("type"), field("namespaces")),
        has_idle_namespaces: values::has_idle_namespaces(field("type"), field("namespaces")),
        modified_at: None,
        standing: if form == Form::EksctlGet { Standing::Observed } else { Standing::Declared },
        form,
        is_one_of_several: false,
        source: origin.source(node),
    }
}

/// Takes in what `eksctl get accessentry` prints. `false` if it is something else.
pub(super) fn entries(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    if !node.items().all(|item| item.get("principalARN").is_some_and(|arn| arn.as_str().is_some())) {
        return false;
    }
    let count = node.items().count();
    for item in node.items() {
        let entry = entry(item, None, Form::EksctlGet, origin);
        found.facts().entries.push(entry);
    }
    found.facts().lists.push(ListFact {
        cluster: None,
        // One alone may be the answer about one principal; a full page may have others behind it.
        is_complete: (2..PAGE).contains(&count),
        source: origin.source(node),
    });
    true
}

/// Says which mappings of the file stand for objects that it does not hold.
fn service_mappings(found: &mut dyn Sink, node: Node<'_>, origin: Origin) {
    let Some(list) = node.get("iamIdentityMappings") else { return };
    for item in list.items() {
        let Some(service) = values::text(item.get("serviceName")) else { continue };
        let message = format!(
            "eksctl writes a mapping, a Role and a RoleBinding for the service `{service}`, which this file does not hold; load `aws-auth` and the RBAC objects of the cluster"
        );
        found.report(Code::AccessInputNotRead, origin.source(item), message);
    }
}
