//! Answers of the AWS CLI, JSON or YAML, in every packaging: single objects, streams, lists, and what `--query` leaves.

use crate::document::Node;
use crate::identity::access_entries::{
    AssociationFact, AuthenticationMode, ClusterFact, EntryFact, Form, ListFact, Setting, Standing, Told,
};
use crate::model::source::Source;
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;

use super::values;

/// Whether a document is an answer of the AWS CLI about EKS.
pub(super) fn is_one(node: Node<'_>) -> bool {
    let is = |key: &str, fits: &dyn Fn(Node<'_>) -> bool| node.get(key).is_some_and(fits);
    let (is_mapping, is_sequence) = (|one: Node<'_>| one.is_mapping(), |one: Node<'_>| one.is_sequence());
    is("accessEntry", &is_mapping)
        || is("associatedAccessPolicies", &is_sequence)
        || is("associatedAccessPolicy", &is_mapping)
        || is("accessEntries", &is_sequence)
        || is("accessPolicies", &is_sequence) && node.get("principalARN").is_none()
        || is("cluster", &|cluster| {
            cluster.get("accessConfig").is_some() || cluster.get("platformVersion").is_some()
        })
        || is("accessConfig", &|config| config.get("authenticationMode").is_some())
        || is("authenticationMode", &|mode| mode.as_str().and_then(AuthenticationMode::parse).is_some())
        || is("principalArn", &|arn| arn.as_str().is_some())
            && ["kubernetesGroups", "username", "type"].iter().any(|key| node.get(key).is_some())
}

/// Takes in an answer. `false` if it is none.
pub(super) fn read(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    if !is_one(node) {
        return false;
    }
    let mut cluster_name = values::text(node.get("clusterName"));
    if let Some(cluster) = node.get("cluster").filter(|cluster| cluster.is_mapping()) {
        cluster_name = cluster_name.or_else(|| values::text(cluster.get("name")));
        self::cluster(found, cluster, origin);
    }
    if node.get("accessConfig").is_some() {
        self::cluster(found, node, origin);
    }
    if let Some(mode) = node.get("authenticationMode") {
        add_cluster(found, None, None, Some(mode), origin.source(node));
    }
    if let Some(list) = node.get("accessEntries").filter(|list| list.is_sequence()) {
        entries(found, node, list, cluster_name.as_deref(), origin);
    }
    let source = origin.source(node);
    let principal = values::text(node.get("principalArn"));
    if let Some(one) = node.get("accessEntry").filter(|one| one.is_mapping()) {
        // A collector puts the policies beside the entry.
        let beside = node.get("associatedAccessPolicies").filter(|_| principal.is_none());
        entry(found, one, beside, origin);
        if beside.is_some() {
            return true;
        }
    }
    if let Some(principal) = principal {
        let own = Facts { cluster: cluster_name.clone(), principal: Told::known(principal), source };
        let is_part = has_more(node);
        if let Some(list) = node.get("associatedAccessPolicies").filter(|list| list.is_sequence()) {
            let policies: Vec<AssociationFact> =
                list.items().map(|one| own.association(one, origin, is_part)).collect();
            if is_part {
                found.facts().associations.extend(policies);
            } else {
                found.facts().entries.push(EntryFact { policies: Some(policies), ..own.listed() });
            }
        } else if let Some(one) = node.get("associatedAccessPolicy") {
            let association = own.association(one, origin, true);
            found.facts().associations.push(association);
        } else {
            entry(found, node, None, origin);
        }
    }
    true
}

/// Whether more follows on another page.
fn has_more(node: Node<'_>) -> bool {
    ["nextToken", "NextToken"].iter().any(|key| node.get(key).is_some_and(|token| !token.is_null()))
}

/// The principals that `--query accessEntries` leaves of the list. `false` if it holds anything else.
pub(super) fn bare_list(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    let is_principal = |item: Node<'_>| item.as_str().is_some_and(|text| text.contains(":iam:"));
    if !node.items().all(is_principal) {
        return false;
    }
    for item in node.items() {
        list_one(found, item, None, origin);
    }
    true
}

fn list_one(found: &mut dyn Sink, item: Node<'_>, cluster: Option<&str>, origin: Origin) {
    let own = Facts {
        cluster: cluster.map(str::to_owned),
        principal: Told::known(item.text()),
        source: origin.source(item),
    };
    found.facts().entries.push(own.listed());
}

/// The answer of `list-access-entries`; or entries in full, as collectors write them.
fn entries(found: &mut dyn Sink, node: Node<'_>, list: Node<'_>, cluster: Option<&str>, origin: Origin) {
    let mut in_full = false;
    for item in list.items() {
        if item.as_str().is_some() {
            list_one(found, item, cluster, origin);
        } else if item.is_mapping() {
            in_full = true;
            read(found, item, origin);
        }
    }
    found.facts().lists.push(ListFact {
        cluster: cluster.map(str::to_owned),
        is_complete: !in_full && !has_more(node),
        source: origin.source(node),
    });
}

/// The cluster as `describe-cluster` shows it.
fn cluster(found: &mut dyn Sink, node: Node<'_>, origin: Origin) {
    let arn = values::text(node.get("arn"));
    found.facts().arns.extend(arn.clone());
    let name = values::text(node.get("name"));
    let mode = node.get("accessConfig").and_then(|config| config.get("authenticationMode"));
    let source = origin.source(mode.unwrap_or(node));
    add_cluster(found, name, values::account(arn.as_deref()), mode, source);
}

fn add_cluster(
    found: &mut dyn Sink,
    name: Option<String>,
    account: Option<(String, String)>,
    mode: Option<Node<'_>>,
    source: Source,
) {
    let mode = match values::text(mode) {
        Some(text) => AuthenticationMode::parse(&text).map_or(Setting::Unknown, Setting::Given),
        None => Setting::Default,
    };
    let standing = Standing::Observed;
    found.facts().clusters.push(ClusterFact { name, object: None, account, mode, standing, source });
}

/// An entry in full.
fn entry(found: &mut dyn Sink, node: Node<'_>, policies: Option<Node<'_>>, origin: Origin) {
    let Some(principal) = values::text(node.get("principalArn")) else { return };
    let cluster = values::text(node.get("clusterName"));
    found.facts().arns.extend(values::text(node.get("accessEntryArn")));
    let own = Facts { cluster, principal: Told::known(principal), source: origin.source(node) };
    let policies = policies
        .or_else(|| node.get("associatedAccessPolicies"))
        .filter(|list| list.is_sequence())
        .map(|list| list.items().map(|one| own.association(one, origin, false)).collect());
    let unless_absent = |setting: Setting<String>| match setting {
        // What `--query` left out is not told.
        Setting::Default => Setting::Unknown,
        other => other,
    };
    found.facts().entries.push(EntryFact {
        kind: unless_absent(values::setting(node.get("type"))),
        username: unless_absent(values::setting(node.get("username"))),
        groups: match node.get("kubernetesGroups") {
            None if node.get("accessEntryArn").is_none() && node.get("type").is_none() => Setting::Unknown,
            groups => values::reported(values::settings(groups)),
        },
        policies,
        created_at: values::moment(node.get("createdAt")),
        modified_at: values::moment(node.get("modifiedAt")),
        is_listed_only: false,
        ..own.listed()
    });
}

/// What all facts of one principal share.
struct Facts {
    cluster: Option<String>,
    principal: Told,
    source: Source,
}

impl Facts {
    /// That an entry exists.
    fn listed(&self) -> EntryFact {
        let listed = EntryFact::listed(self.principal.clone(), Standing::Observed, Form::AwsCli, self.source);
        EntryFact { cluster: self.cluster.clone(), ..listed }
    }

    fn association(&self, node: Node<'_>, origin: Origin, is_part: bool) -> AssociationFact {
        let scope = node.get("accessScope");
        let field = |key: &str| scope.and_then(|scope| scope.get(key));
        AssociationFact {
            cluster: self.cluster.clone(),
            cluster_object: None,
            principal: self.principal.clone(),
            policy: values::told(node.get("policyArn")),
            scope: values::scope(field("type"), field("namespaces")),
            has_idle_namespaces: values::has_idle_namespaces(field("type"), field("namespaces")),
            modified_at: values::moment(node.get("modifiedAt")),
            standing: Standing::Observed,
            form: Form::AwsCli,
            is_one_of_several: is_part,
            source: origin.source(node),
        }
    }
}
