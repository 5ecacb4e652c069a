//! An export of a Pulumi stack: the outputs of its resources, as EKS and Kubernetes reported them.

use crate::document::Node;
use crate::identity::access_entries::{
    AssociationFact, AuthenticationMode, ClusterFact, EntryFact, Form, Setting, Standing, Told,
};
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;
use crate::read::version_hints::VersionSource;

use super::{pod_identity, values};

/// What a preview writes in place of a value that is not known yet.
const NOT_KNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/// Whether a document is such an export.
pub(super) fn is_one(node: Node<'_>) -> bool {
    node.get("deployment").and_then(|deployment| deployment.get("resources")).is_some_and(Node::is_sequence)
}

/// Takes in an export. `false` if it is none.
pub(super) fn read(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    if !is_one(node) {
        return false;
    }
    let resources = node.get("deployment").and_then(|deployment| deployment.get("resources"));
    for resource in resources.into_iter().flat_map(Node::items) {
        // What is to be deleted is on its way out.
        if resource.get("delete").is_some_and(|delete| delete.text() == "true") {
            continue;
        }
        let kind = values::text(resource.get("type")).unwrap_or_default();
        let outputs = resource.get("outputs").filter(|outputs| outputs.pairs().next().is_some());
        let Some(values) = outputs.or_else(|| resource.get("inputs")).filter(|values| values.is_mapping())
        else {
            continue;
        };
        let standing = if outputs.is_some() { Standing::Observed } else { Standing::Declared };
        match kind.as_str() {
            "aws:eks/accessEntry:AccessEntry" | "aws-native:eks:AccessEntry" => {
                entry(found, values, standing, origin);
            }
            "aws:eks/podIdentityAssociation:PodIdentityAssociation"
            | "aws-native:eks:PodIdentityAssociation" => {
                let (get, told) = (|key: &str| values.get(key), |node| told(Some(node)));
                let place = origin.source(values);
                pod_identity::add(found, pod_identity::of(&pod_identity::API, &get, &told, place));
            }
            "aws:eks/accessPolicyAssociation:AccessPolicyAssociation" => {
                let association = association(values, None, standing, origin);
                found.facts().associations.push(association);
            }
            "aws:eks/cluster:Cluster" | "aws-native:eks:Cluster" => cluster(found, values, standing, origin),
            kind if kind.starts_with("kubernetes:")
                && !kind.contains("Patch")
                && values.get("kind").is_some() =>
            {
                found.value(values, origin);
            }
            _ => {}
        }
    }
    true
}

/// A text, unless it is a secret or not known yet.
fn told(node: Option<Node<'_>>) -> Told {
    match values::text(node) {
        Some(text) if text != NOT_KNOWN => Told::known(text),
        _ => Told::nameless(),
    }
}

fn setting(node: Option<Node<'_>>) -> Setting<String> {
    match values::setting(node) {
        Setting::Given(text) if text == NOT_KNOWN => Setting::Unknown,
        other => other,
    }
}

fn entry(found: &mut dyn Sink, values: Node<'_>, standing: Standing, origin: Origin) {
    let get = |key: &str| values.get(key);
    found.facts().arns.extend(told(get("accessEntryArn")).text().map(str::to_owned));
    let principal = told(get("principalArn"));
    let groups = match values::settings(get("kubernetesGroups")) {
        Setting::Given(groups) if groups.iter().any(|group| group == NOT_KNOWN) => Setting::Unknown,
        groups if standing == Standing::Observed => values::reported(groups),
        groups => groups,
    };
    let policies = get("accessPolicies")
        .filter(|list| list.is_sequence())
        .map(|list| list.items().map(|one| association(one, Some(&principal), standing, origin)).collect());
    let place = get("principalArn").unwrap_or(values);
    found.facts().entries.push(EntryFact {
        cluster: told(get("clusterName")).text().map(str::to_owned),
        cluster_object: None,
        principal,
        kind: setting(get("type")),
        username: setting(get("userName").or_else(|| get("username"))),
        groups,
        policies,
        created_at: values::moment(get("createdAt")),
        modified_at: values::moment(get("modifiedAt")),
        standing,
        form: Form::Pulumi,
        is_listed_only: false,
        is_conditional: false,
        source: origin.source(place),
    });
}

fn association(values: Node<'_>, of: Option<&Told>, standing: Standing, origin: Origin) -> AssociationFact {
    let get = |key: &str| values.get(key);
    let scope = values::block(get("accessScope"));
    let field = |key: &str| scope.and_then(|scope| scope.get(key));
    AssociationFact {
        cluster: told(get("clusterName")).text().map(str::to_owned),
        cluster_object: None,
        principal: of.cloned().unwrap_or_else(|| told(get("principalArn"))),
        policy: told(get("policyArn")),
        scope: values::scope(field("type"), field("namespaces")),
        has_idle_namespaces: values::has_idle_namespaces(field("type"), field("namespaces")),
        modified_at: values::moment(get("modifiedAt")),
        standing,
        form: Form::Pulumi,
        is_one_of_several: false,
        source: origin.source(get("policyArn").unwrap_or(values)),
    }
}

fn cluster(found: &mut dyn Sink, values: Node<'_>, standing: Standing, origin: Origin) {
    found.facts().arns.extend(told(values.get("arn")).text().map(str::to_owned));
    values::version(found, VersionSource::Pulumi, values.get("version"), origin);
    let config = values::block(values.get("accessConfig"));
    let mode = config.and_then(|config| config.get("authenticationMode"));
    let setting = match values::text(mode) {
        Some(text) => AuthenticationMode::parse(&text).map_or(Setting::Unknown, Setting::Given),
        None => Setting::Default,
    };
    found.facts().clusters.push(ClusterFact {
        name: told(values.get("name")).text().map(str::to_owned),
        object: None,
        account: values::account(values::text(values.get("arn")).as_deref()),
        mode: setting,
        standing,
        source: origin.source(mode.unwrap_or(values)),
    });
}
