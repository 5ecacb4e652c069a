//! `can-i --namespaces`: in which of the known namespaces the answer is yes.

use std::io::Write;

use rbacsim::ask::can_i;
use rbacsim::ask::question::{Place, Words};
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::ternary::Ternary;
use rbacsim::report::visible::visible;
use rbacsim::report::{json, question as words, text};
use serde_json::json;

use super::super::{Exit, Failure, Output, asking};
use super::{Askers, one_or_all};

/// Answers in every known namespace, and for all of them at once.
pub(super) fn run(
    cluster: &Cluster,
    askers: &Askers,
    asked: &Words<'_>,
    (output, quiet): (Output, bool),
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let all = Words { namespace: None, all_namespaces: true, ..asked.clone() };
    let question = asking::read(&all, cluster)?;
    if question.place != Place::AllNamespaces {
        return Err(format!("`{}` is not in a namespace; leave --namespaces out", asked.target).into());
    }
    let known = cluster.namespaces();
    let mut total = Ternary::Yes;
    let mut documents = Vec::new();
    for ((who, arn), index) in askers.iter().zip(0usize..) {
        let everywhere = can_i::ternary(cluster, who, &question, None);
        let mut namespaces: [Vec<&str>; 3] = Default::default();
        for namespace in &known {
            let [yes, unknown, no] = &mut namespaces;
            match can_i::ternary(cluster, who, &question, Some(namespace)) {
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
                "asked": words::title(&question),
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
        let title = words::title_without_place(&question);
        text::headline(out, ternary, &title, &text::asker(who, arn.as_deref()))?;
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
        super::super::print_json(&one_or_all(documents))?;
    }
    Ok(total.into())
}
