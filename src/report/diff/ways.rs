//! Ways to sinks that open or close, in words.

use serde_json::{Value, json};

use crate::ask::diff::{Way, Ways};
use crate::report::paths::does;
use crate::report::phrases::counted;

use super::few_by;

/// What a sink is, after "reaches".
fn sink(name: &str) -> &str {
    match name {
        "cluster-admin" => "cluster-admin",
        "edit-aws-auth" => "the right to change aws-auth",
        "exec-everywhere" => "exec in every namespace",
        "node" => "a node",
        "read-all-secrets" => "every Secret",
        other => other,
    }
}

/// Who comes how to a sink, in one line.
fn line(way: &Way) -> String {
    let from = match way.from.split_once(' ') {
        Some(("IAM", arn)) => format!("`{arn}`"),
        Some((kind, name)) => format!("{kind} `{name}`"),
        None => way.from.clone(),
    };
    if way.depth == 0 {
        return format!("{from}: by its own rights");
    }
    let steps = way.steps.iter().map(|(step, becomes)| format!("{} {becomes}", does(*step)));
    let steps: Vec<String> = steps.collect();
    let by = if steps.is_empty() { String::new() } else { format!(": {}", few_by(&steps, 6, ", then ")) };
    format!("{from} in {}{by}", counted(way.depth.into(), "step"))
}

/// A heading and its lines.
pub(super) type Section = (String, Vec<String>);

/// What opens, sink by sink.
pub(super) fn opened(ways: &Ways) -> Vec<Section> {
    sections(&ways.opened, "opens a path to")
}

/// What closes, sink by sink.
pub(super) fn closed(ways: &Ways) -> Vec<Section> {
    let mut sections = sections(&ways.closed, "closes every path to");
    for (_, lines) in &mut sections {
        for line in lines {
            line.insert_str(0, "of ");
        }
    }
    sections
}

fn sections(ways: &[Way], heading: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    let mut last = "";
    for way in ways {
        if way.sink != last {
            last = way.sink;
            found.push((format!("{heading} {}", sink(way.sink)), Vec::new()));
        }
        if let Some((_, lines)) = found.last_mut() {
            lines.push(line(way));
        }
    }
    found
}

/// The first of what opens, for the first line of all.
pub(super) fn headline(ways: &Ways) -> Option<String> {
    let first = ways.opened.first()?;
    let who = ways.opened.iter().filter(|way| way.sink == first.sink).count();
    let for_whom = super::counted_as(who, "identity", "identities");
    // Of those who were not searched some may gain a path too.
    let at_least = if ways.only_touched { "at least " } else { "" };
    Some(format!("opens a path to {} for {at_least}{for_whom}", sink(first.sink)))
}

/// The same for machines.
pub(super) fn document(ways: &Ways) -> Value {
    let list = |ways: &[Way]| -> Vec<Value> {
        let one = |way: &Way| {
            let path = way.steps.iter().map(|(step, becomes)| json!({ "id": step.id(), "becomes": becomes }));
            let path: Vec<Value> = path.collect();
            json!({ "from": way.from, "sink": way.sink, "depth": way.depth, "path": path })
        };
        ways.iter().map(one).collect()
    };
    json!({ "opened": list(&ways.opened), "closed": list(&ways.closed), "everybodySearched": !ways.only_touched })
}
