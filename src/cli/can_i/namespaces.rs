//! `can-i --namespaces`: in which of the known namespaces the answer is yes.

use std::io::Write;

use rbacsim::ask::question::{self, Question, Target, Words};
use rbacsim::ask::steps;
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::knowledge::operations::Plan;
use rbacsim::model::ternary::Ternary;
use rbacsim::report::visible::visible;
use rbacsim::report::{json, text};
use serde_json::json;

use super::super::{Exit, Failure, Output};
use super::{ask, operate};

/// Answers in every known namespace, and for all of them at once.
pub(super) fn run(
    cluster: &Cluster,
    askers: &[(Who, Option<String>)],
    words: &Words<'_>,
    is_operation: bool,
    (output, quiet): (Output, bool),
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let is_url = words.target.starts_with('/');
    let namespaced = !is_url && Target::read(words, cluster.catalogue()).namespaced() != Some(false);
    if !namespaced {
        return Err(format!("`{}` is not in a namespace; leave --namespaces out", words.target).into());
    }
    let known = cluster.namespaces();
    let mut total = Ternary::Yes;
    let mut documents = Vec::new();
    let mut warned = false;
    for ((who, arn), index) in askers.iter().zip(0usize..) {
        let all = Words { namespace: None, all_namespaces: true, ..*words };
        let (answered, warnings) =
            if is_operation { operate(cluster, who, &all)? } else { ask(cluster, who, &all)? };
        if !warned {
            warned = true;
            for warning in &warnings {
                super::super::beside("warning", warning)?;
            }
        }
        let (everywhere, asked) = (answered.ternary, answered.title);
        let plan = answered.plan.as_ref();
        let mut namespaces: [Vec<&str>; 3] = Default::default();
        for namespace in &known {
            let ternary = ternary(cluster, who, &Words { namespace: Some(namespace), ..*words }, plan)?;
            let [yes, unknown, no] = &mut namespaces;
            match ternary {
                Ternary::Yes => yes.push(namespace),
                Ternary::Unknown => unknown.push(namespace),
                Ternary::No => no.push(namespace),
            }
        }
        let [yes, unknown, no] = &namespaces;
        let ternary = match (yes.is_empty(), unknown.is_empty()) {
            _ if everywhere == Ternary::Yes => Ternary::Yes,
            (false, _) => Ternary::Yes,
            (true, false) => Ternary::Unknown,
            (true, true) => everywhere,
        };
        total = total.and(ternary);
        if quiet {
            continue;
        }
        if output == Output::Json {
            documents.push(json!({
                "answer": ternary.as_str(),
                "asked": asked,
                "identity": json::identity(cluster, who, arn.as_deref()),
                "allNamespaces": everywhere.as_str(),
                "namespaces": { "yes": yes, "unknown": unknown, "no": no },
                "notes": text::assumptions(cluster, who),
            }));
            continue;
        }
        if index > 0 {
            writeln!(out)?;
        }
        let asked = asked.replace(" in all namespaces", "");
        text::headline(out, ternary, &asked, &text::asker(who, arn.as_deref()))?;
        writeln!(out)?;
        writeln!(out, "  all namespaces at once: {everywhere}")?;
        for (title, list) in [("yes", yes), ("unknown", unknown), ("no", no)] {
            if !list.is_empty() {
                let count = format!("{} of {}", list.len(), known.len());
                writeln!(out, "  {title} in {count} namespaces: {}", visible(&list.join(", ")))?;
            }
        }
        writeln!(out)?;
        text::notes(out, &text::assumptions(cluster, who))?;
    }
    if output == Output::Json && !quiet {
        let value = if documents.len() == 1 { documents.remove(0) } else { documents.into() };
        super::super::print_json(&value)?;
    }
    Ok(total.into())
}

/// The answer in one namespace, without the reasons: what [`ask`] and [`operate`] come to.
fn ternary(cluster: &Cluster, who: &Who, words: &Words<'_>, plan: Option<&Plan>) -> Result<Ternary, Failure> {
    if let Some(plan) = plan {
        let name = Target::read(words, cluster.catalogue()).name;
        return Ok(steps::operation(cluster, who, plan, words.namespace.unwrap_or("default"), &name));
    }
    let Question { request, .. } = question::read(words, cluster.catalogue())?;
    Ok(cluster.ternary_for_type(who, &request.attributes()))
}
