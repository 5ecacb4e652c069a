//! The rules in force for a user in a namespace, as `kubectl auth can-i --list` prints them, without its faults.
//!
//! kubectl's list shows rules that cannot work: URLs and cluster-scoped types of ClusterRoles that a RoleBinding
//! grants. They are left out here. Rules are broken into (group, resource, verb, name), merged where all but the
//! verb agree, and sorted, as `BreakdownRule` and `CompactRules` do it.

use std::collections::BTreeMap;

use k8s_openapi::api::authorization::v1::{NonResourceRule, ResourceRule};

use crate::cluster::Cluster;
use crate::graph::{Applied, RbacGraph};
use crate::rbac::Scope;
use crate::user::UserInfo;

/// The rules in force for a user in a namespace.
#[derive(Clone, Debug, Default)]
pub struct RulesReview<'g> {
    /// Resource rules, each with one group, one resource and at most one name.
    pub resource_rules: Vec<ResourceRule>,
    /// Rules for URLs, each with one URL.
    pub non_resource_rules: Vec<NonResourceRule>,
    /// Whether the user is in `system:masters`, to whom everything is allowed before RBAC is asked.
    pub is_master: bool,
    /// How many cluster-scoped types and URLs were left out, for a RoleBinding cannot grant them.
    pub left_out: usize,
    /// The bindings that apply and whose role is missing.
    pub missing: Vec<Applied<'g>>,
}

/// Collects the rules in force for a user in a namespace.
pub fn rules<'g>(cluster: &'g Cluster, user: &UserInfo, namespace: &str) -> RulesReview<'g> {
    let graph: &'g RbacGraph = cluster.graph();
    let policy = graph.policy();
    let text = |name| policy.names.text(name).to_owned();
    let asker = graph.asker(user);
    let (grants, missing) = graph.rules_for(&asker, namespace);
    let mut resources: BTreeMap<(String, String, Option<String>), Vec<String>> = BTreeMap::new();
    let mut urls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let add = |verbs: &mut Vec<String>, verb: String| {
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    };
    let mut left_out = 0usize;
    for grant in &grants {
        let rule = &grant.rule.rule;
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
                if in_namespace && is_cluster_scoped(cluster, &group, &resource) {
                    left_out += 1;
                    continue;
                }
                // The empty name is one, too: a rule for it is no rule for any name.
                let names: Vec<Option<String>> = if rule.resource_names.is_empty() {
                    vec![None]
                } else {
                    rule.resource_names.iter().map(|name| Some(text(*name))).collect()
                };
                for name in names {
                    let verbs = resources.entry((group.clone(), resource.clone(), name)).or_default();
                    rule.verbs.iter().for_each(|verb| add(verbs, text(*verb)));
                }
            }
        }
    }
    if asker.is_master {
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
    RulesReview { resource_rules, non_resource_rules, is_master: asker.is_master, left_out, missing }
}

/// Whether a type is known to be cluster-scoped, so that a RoleBinding cannot grant it. `namespaces` are the
/// exception: the namespace itself is authorised inside it.
fn is_cluster_scoped(cluster: &Cluster, group: &str, resource: &str) -> bool {
    let plural = resource.split('/').next().unwrap_or(resource);
    let is_namespace = group.is_empty() && plural == "namespaces";
    !is_namespace && cluster.catalogue().find(group, plural).is_some_and(|known| !known.namespaced)
}

/// kubectl sorts by the text of the Go struct, which begins with the verbs.
fn sort_key(rule: &ResourceRule) -> [String; 4] {
    let bracketed = |list: &[String]| format!("[{}]", list.join(" "));
    let rest = [&rule.api_groups, &rule.resources, &rule.resource_names];
    let [groups, resources, names] = rest.map(|list| bracketed(list.as_deref().unwrap_or_default()));
    [bracketed(&rule.verbs), groups, resources, names]
}
