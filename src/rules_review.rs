//! The rules in force for a user in a namespace, as `kubectl auth can-i --list` prints them, without its faults.
//!
//! kubectl's list shows rules that cannot work: URLs and cluster-scoped types of ClusterRoles that a RoleBinding
//! grants. They are left out here. Rules are broken into (group, resource, verb, name), merged where all but the
//! verb agree, and sorted, as `BreakdownRule` and `CompactRules` do it.

use std::collections::BTreeMap;
use std::fmt::Write;

use k8s_openapi::api::authorization::v1::{NonResourceRule, ResourceRule};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::graph::RbacGraph;
use crate::rbac::Scope;
use crate::report::words;
use crate::user::UserInfo;

/// The rules in force for a user in a namespace.
#[derive(Clone, Debug, Default)]
pub struct RulesReview {
    /// Resource rules, each with one group, one resource and at most one name.
    pub resource_rules: Vec<ResourceRule>,
    /// Rules for URLs, each with one URL.
    pub non_resource_rules: Vec<NonResourceRule>,
    /// What the list cannot show.
    pub notes: Vec<String>,
}

/// Collects the rules in force for a user in a namespace.
pub fn rules(cluster: &Cluster, user: &UserInfo, namespace: &str) -> RulesReview {
    let graph: &RbacGraph = cluster.graph();
    let policy = graph.policy();
    let text = |name| policy.names.text(name).to_owned();
    let asker = graph.asker(user);
    let (grants, missing) = graph.rules_for(&asker, namespace);
    let mut resources: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
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
                let names: Vec<String> = if rule.resource_names.is_empty() {
                    vec![String::new()]
                } else {
                    rule.resource_names.iter().map(|name| text(*name)).collect()
                };
                for name in names {
                    let verbs = resources.entry((group.clone(), resource.clone(), name)).or_default();
                    rule.verbs.iter().for_each(|verb| add(verbs, text(*verb)));
                }
            }
        }
    }
    let mut review = RulesReview::default();
    if asker.is_master {
        resources.insert(("*".into(), "*".into(), String::new()), vec!["*".into()]);
        urls.insert("*".into(), vec!["*".into()]);
        review.notes.push("group `system:masters`: everything is allowed before RBAC is asked".to_owned());
    }
    if left_out > 0 {
        review.notes.push(format!("{left_out} cluster-scoped resources and URLs of RoleBindings are left out, for a RoleBinding cannot grant them"));
    }
    for applied in &missing {
        review.notes.push(format!("{}, which is not in the inputs", words::missing_role(policy, applied)));
    }
    review.resource_rules = resources
        .into_iter()
        .map(|((group, resource, name), verbs)| ResourceRule {
            api_groups: Some(vec![group]),
            resources: Some(vec![resource]),
            resource_names: (!name.is_empty()).then(|| vec![name]),
            verbs,
        })
        .collect();
    review.non_resource_rules = urls
        .into_iter()
        .map(|(url, verbs)| NonResourceRule { non_resource_urls: Some(vec![url]), verbs })
        .collect();
    review.resource_rules.sort_by_key(sort_key);
    review
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
    let rest = [&rule.api_groups, &rule.resources, &rule.resource_names];
    let [groups, resources, names] = rest.map(|list| bracketed(list.as_ref()));
    [format!("[{}]", rule.verbs.join(" ")), groups, resources, names]
}

fn bracketed(list: Option<&Vec<String>>) -> String {
    format!("[{}]", list.map(|list| list.join(" ")).unwrap_or_default())
}

/// The list as kubectl prints it.
pub fn table(review: &RulesReview) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]);
    for rule in &review.resource_rules {
        let group = rule.api_groups.iter().flatten().next().map_or("", String::as_str);
        let resource = rule.resources.iter().flatten().next().map_or("", String::as_str);
        table.add_row([
            full_name(resource, group),
            "[]".to_owned(),
            bracketed(rule.resource_names.as_ref()),
            bracketed(Some(&rule.verbs)),
        ]);
    }
    for rule in &review.non_resource_rules {
        table.add_row([
            String::new(),
            bracketed(rule.non_resource_urls.as_ref()),
            "[]".to_owned(),
            bracketed(Some(&rule.verbs)),
        ]);
    }
    let mut text = String::new();
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.strip_prefix(' ').unwrap_or(&line).trim_end());
    }
    text
}

/// `deployments.apps/scale`.
fn full_name(resource: &str, group: &str) -> String {
    if group.is_empty() {
        return resource.to_owned();
    }
    match resource.split_once('/') {
        Some((plural, subresource)) => format!("{plural}.{group}/{subresource}"),
        None => format!("{resource}.{group}"),
    }
}

/// The list for machines, in the shape of a SelfSubjectRulesReview's status.
pub fn document(review: &RulesReview) -> Value {
    json!({
        "resourceRules": review.resource_rules,
        "nonResourceRules": review.non_resource_rules,
        "notes": review.notes,
    })
}
