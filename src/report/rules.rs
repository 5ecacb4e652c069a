//! The rules in force, as `kubectl auth can-i --list` prints them, and for machines.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::ask::rules_review::RulesReview;
use crate::decide::graph::RbacGraph;

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

/// The list as kubectl prints it.
pub fn table(review: &RulesReview<'_>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]);
    for rule in &review.resource_rules {
        let group = rule.api_groups.iter().flatten().next().map_or("", String::as_str);
        let resource = rule.resources.iter().flatten().next().map_or("", String::as_str);
        table.add_row([
            visible(&full_name(resource, group)),
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
pub fn document(graph: &RbacGraph, review: &RulesReview<'_>) -> Value {
    json!({
        "resourceRules": review.resource_rules,
        "nonResourceRules": review.non_resource_rules,
        "notes": notes(graph, review),
    })
}
