//! The rules in force, as `kubectl auth can-i --list` prints them, and for machines.

use std::fmt::Write;

use k8s_openapi::api::authorization::v1::{NonResourceRule, ResourceRule};
use serde_json::{Value, json};

use crate::ask::rules_review::RulesReview;
use crate::decide::graph::RbacGraph;
use crate::model::policy::Policy;

use super::phrases;
use super::visible::visible;
use super::words;

/// What the list cannot show.
pub fn notes(graph: &RbacGraph, review: &RulesReview<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if review.is_master {
        notes.push(phrases::BYPASSES_RBAC.to_owned());
    }
    if review.left_out > 0 {
        notes.push(match review.left_out {
            1 => "left out 1 cluster-scoped type or URL: a RoleBinding cannot grant it".to_owned(),
            more => format!("left out {more} cluster-scoped types and URLs: a RoleBinding cannot grant them"),
        });
    }
    for applied in &review.missing {
        notes.push(words::not_in_inputs(graph, applied));
    }
    notes
}

fn bracketed(list: Option<&Vec<String>>) -> String {
    let shown = |text: &String| if text.is_empty() { "\"\"".to_owned() } else { visible(text) };
    let texts: Vec<String> = list.into_iter().flatten().map(shown).collect();
    format!("[{}]", texts.join(" "))
}

/// The list as kubectl prints it; then, apart from it, what access policies allow.
pub fn table(policy: &Policy, review: &RulesReview<'_>) -> String {
    let mut text = rules_table(&review.resource_rules, &review.non_resource_rules);
    for access in &review.access {
        let bound = access.association.binding;
        let place = words::place(policy, bound.source).to_string();
        let _ = write!(
            text,
            "\nby the {} ({}), which kubectl does not list:\n",
            visible(&words::binding(policy, bound).to_string()),
            visible(&place)
        );
        text.push_str(&rules_table(&access.resource_rules, &access.non_resource_rules));
    }
    text
}

fn rules_table(resource_rules: &[ResourceRule], non_resource_rules: &[NonResourceRule]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]);
    for rule in resource_rules {
        let group = rule.api_groups.iter().flatten().next().map_or("", String::as_str);
        let resource = rule.resources.iter().flatten().next().map_or("", String::as_str);
        table.add_row([
            visible(&full_name(resource, group)),
            "[]".to_owned(),
            bracketed(rule.resource_names.as_ref()),
            bracketed(Some(&rule.verbs)),
        ]);
    }
    for rule in non_resource_rules {
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
pub fn document(graph: &RbacGraph, review: &RulesReview<'_>) -> Value {
    let policy = graph.policy();
    json!({
        "resourceRules": review.resource_rules,
        "nonResourceRules": review.non_resource_rules,
        "accessPolicies": review.access.iter().map(|access| {
            let bound = access.association.binding;
            let scope = policy.names.text(bound.scope.namespace());
            json!({
                "policy": words::policy_name(policy.names.text(bound.role_ref.name)),
                "namespace": (!scope.is_empty()).then_some(scope),
                "resourceRules": access.resource_rules,
                "nonResourceRules": access.non_resource_rules,
                "source": words::place(policy, bound.source).to_string(),
            })
        }).collect::<Vec<_>>(),
        "notes": notes(graph, review),
    })
}
