//! The rules in force for a user in a namespace, as `kubectl auth can-i --list` prints them, without its faults.
//!
//! kubectl's list shows rules that cannot work: URLs and cluster-scoped types of ClusterRoles that a RoleBinding
//! grants. They are left out here. Rules are broken into (group, resource, verb, name), merged where all but the
//! verb agree, and sorted, as `BreakdownRule` and `CompactRules` do it.

use std::collections::BTreeMap;

use k8s_openapi::api::authorization::v1::{NonResourceRule, ResourceRule};

use crate::decide::cluster::Cluster;
use crate::decide::evaluate::Grant;
use crate::decide::graph::{Applied, RbacGraph};
use crate::model::rbac::{Authorizer, Scope};
use crate::model::user::UserInfo;

/// The rules in force for a user in a namespace.
#[derive(Clone, Debug, Default)]
pub struct RulesReview<'g> {
    /// Resource rules, each with one group, one resource and at most one name.
    pub resource_rules: Vec<ResourceRule>,
    /// Rules for URLs, each with one URL.
    pub non_resource_rules: Vec<NonResourceRule>,
    /// Whether the user is in `system:masters`, which bypasses RBAC.
    pub is_master: bool,
    /// How many cluster-scoped types and URLs were left out, because a RoleBinding cannot grant them.
    pub left_out: usize,
    /// The bindings that apply and whose role is missing, or aggregates nothing that the inputs hold.
    pub missing: Vec<Applied<'g>>,
    /// What the access policies of the caller allow, which kubectl never lists: the rules of each association in
    /// force.
    pub access: Vec<AccessRules<'g>>,
}

/// The rules of an access policy, by one association.
#[derive(Clone, Debug)]
pub struct AccessRules<'g> {
    /// The association.
    pub association: Applied<'g>,
    /// Its rules for resources, merged and sorted as those of RBAC are.
    pub resource_rules: Vec<ResourceRule>,
    /// Its rules for URLs.
    pub non_resource_rules: Vec<NonResourceRule>,
}

/// Collects the rules in force for a user in a namespace.
pub fn rules<'g>(cluster: &'g Cluster, user: &UserInfo, namespace: &str) -> RulesReview<'g> {
    let graph: &'g RbacGraph = cluster.graph();
    let asker = graph.asker(user);
    let (grants, mut missing) = graph.rules_for(&asker, namespace);
    let unfinished = graph.unfinished(&asker, namespace, cluster.coverage());
    missing.extend(unfinished.into_iter().filter(|applied| graph.rules_granted(applied).is_empty()));
    let (rbac, access): (Vec<_>, Vec<_>) =
        grants.into_iter().partition(|grant| grant.authorizer() == Authorizer::Rbac);
    let (resource_rules, non_resource_rules, left_out) =
        breakdown(cluster, &rbac, asker.is_master, namespace);
    let access = access
        .chunk_by(|one, other| one.applied.order() == other.applied.order())
        .filter_map(|grants| {
            let association = grants.first()?.applied;
            let (resource_rules, non_resource_rules, _) = breakdown(cluster, grants, false, namespace);
            Some(AccessRules { association, resource_rules, non_resource_rules })
        })
        .collect();
    RulesReview { resource_rules, non_resource_rules, is_master: asker.is_master, left_out, missing, access }
}

/// Breaks rules down and merges them; with how many cluster-scoped types and URLs were left out.
fn breakdown(
    cluster: &Cluster,
    grants: &[Grant<'_>],
    is_master: bool,
    namespace: &str,
) -> (Vec<ResourceRule>, Vec<NonResourceRule>, usize) {
    let policy = cluster.graph().policy();
    let text = |name| policy.names.text(name).to_owned();
    let mut resources: BTreeMap<(String, String, Option<String>), Vec<String>> = BTreeMap::new();
    let mut urls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let add = |verbs: &mut Vec<String>, verb: String| {
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    };
    let mut left_out = 0usize;
    for grant in grants {
        let rule = &grant.rule.rule;
        let is_policy = grant.authorizer() == Authorizer::AccessPolicy;
        let in_namespace = grant.applied.binding.scope != Scope::Cluster;
        if in_namespace && !rule.non_resource_urls.is_empty() {
            left_out += 1;
        } else {
            for url in rule.non_resource_urls {
                let verbs = urls.entry(text(*url)).or_default();
                rule.verbs.iter().for_each(|verb| add(verbs, text(*verb)));
            }
        }
        for group in rule.api_groups {
            for resource in rule.resources {
                let (group, resource) = (text(*group), text(*resource));
                let all: Vec<String> = rule.verbs.iter().map(|verb| text(*verb)).collect();
                // The empty name is one, too: a rule for it is no rule for any name.
                let mut names: Vec<Option<String>> = if rule.resource_names.is_empty() {
                    vec![None]
                } else {
                    rule.resource_names.iter().map(|name| Some(text(*name))).collect()
                };
                let in_force = match cluster_scoped(cluster, &group, &resource).filter(|_| in_namespace) {
                    None => all.clone(),
                    // Not documented for the scope of an access policy.
                    Some(ClusterScoped::Namespace) if is_policy => Vec::new(),
                    Some(ClusterScoped::Namespace) => {
                        let own = Some(namespace.to_owned());
                        let is_named = names.contains(&None) || names.contains(&own);
                        names = if is_named { vec![own] } else { Vec::new() };
                        verbs_among(&all, &VERBS_ON_A_NAMESPACE, |verb| !VERBS_ON_NAMESPACES.contains(&verb))
                    }
                    Some(ClusterScoped::ClusterRole) => verbs_among(&all, &["bind"], |verb| verb == "bind"),
                    Some(ClusterScoped::Other) => Vec::new(),
                };
                if in_force != all || names.is_empty() {
                    left_out += 1;
                }
                if in_force.is_empty() {
                    continue;
                }
                for name in names {
                    let verbs = resources.entry((group.clone(), resource.clone(), name)).or_default();
                    for verb in &in_force {
                        add(verbs, verb.clone());
                    }
                }
            }
        }
    }
    if is_master {
        resources.insert(("*".into(), "*".into(), None), vec!["*".into()]);
        urls.insert("*".into(), vec!["*".into()]);
    }
    let mut resource_rules: Vec<ResourceRule> = resources
        .into_iter()
        .map(|((group, resource, name), verbs)| ResourceRule {
            api_groups: Some(vec![group]),
            resources: Some(vec![resource]),
            resource_names: name.map(|name| vec![name]),
            verbs,
        })
        .collect();
    let non_resource_rules = urls
        .into_iter()
        .map(|(url, verbs)| NonResourceRule { non_resource_urls: Some(vec![url]), verbs })
        .collect();
    resource_rules.sort_by_key(sort_key);
    (resource_rules, non_resource_rules, left_out)
}

/// A type that is known to be cluster-scoped, so that a RoleBinding cannot grant it, with two exceptions.
enum ClusterScoped {
    /// A Namespace itself is authorised inside it.
    Namespace,
    /// `bind` on a ClusterRole is asked in the namespace of the RoleBinding that is written.
    ClusterRole,
    Other,
}

/// What is asked about one Namespace, and so inside it; and about all of them, and so not.
const VERBS_ON_A_NAMESPACE: [&str; 4] = ["delete", "get", "patch", "update"];
const VERBS_ON_NAMESPACES: [&str; 4] = ["create", "deletecollection", "list", "watch"];

fn cluster_scoped(cluster: &Cluster, group: &str, resource: &str) -> Option<ClusterScoped> {
    let plural = resource.split('/').next().unwrap_or(resource);
    cluster.catalogue().find(group, plural).filter(|known| !known.namespaced)?;
    Some(match (group, resource) {
        ("", _) if plural == "namespaces" => ClusterScoped::Namespace,
        ("rbac.authorization.k8s.io", "clusterroles") => ClusterScoped::ClusterRole,
        _ => ClusterScoped::Other,
    })
}

/// The verbs that count, of all; a star stands for those of a list.
fn verbs_among(all: &[String], star: &[&str], counts: impl Fn(&str) -> bool) -> Vec<String> {
    if all.iter().any(|verb| verb == "*") {
        return star.iter().map(|verb| (*verb).to_owned()).collect();
    }
    all.iter().filter(|verb| counts(verb)).cloned().collect()
}

/// kubectl sorts by the text of the Go struct, which begins with the verbs.
fn sort_key(rule: &ResourceRule) -> [String; 4] {
    let bracketed = |list: &[String]| format!("[{}]", list.join(" "));
    let rest = [&rule.api_groups, &rule.resources, &rule.resource_names];
    let [groups, resources, names] = rest.map(|list| bracketed(list.as_deref().unwrap_or_default()));
    [bracketed(&rule.verbs), groups, resources, names]
}
