//! `can-i --namespaces`: in which of the known namespaces the answer is yes.

use std::collections::BTreeMap;
use std::io::Write;

use rbacsim::ask::namespaces::{InNamespaces, in_namespaces};
use rbacsim::ask::question::{Place, Words};
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::ternary::Ternary;
use rbacsim::report::notes::{self, Basis};
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
    let mut total = Ternary::Yes;
    let mut documents = Vec::new();
    for ((who, arn), index) in askers.iter().zip(0usize..) {
        let found = in_namespaces(cluster, who, &question);
        let InNamespaces { ternary, everywhere, yes, by_name, unknown, no } = &found;
        let (ternary, everywhere) = (*ternary, *everywhere);
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
                "names": by_name.iter().map(|(namespace, names)| ((*namespace).to_owned(), json!(names)))
                    .collect::<serde_json::Map<_, _>>(),
                "notes": notes::changes(cluster).into_iter().chain(Basis::of(cluster, who).lines).collect::<Vec<_>>(),
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
        let mut by_names: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
        for (namespace, names) in by_name {
            by_names.entry(names).or_default().push(namespace);
        }
        for (names, list) in by_names {
            let names = text::some_of(names);
            let count = format!("{} of {}", list.len(), found.known());
            let line = format!("only named {names} in {count} namespaces: {}", list.join(", "));
            writeln!(out, "  {}", visible(&line))?;
        }
        for (title, list) in [("yes", yes), ("unknown", unknown), ("no", no)] {
            if !list.is_empty() {
                let count = format!("{} of {}", list.len(), found.known());
                writeln!(out, "  {title} in {count} namespaces: {}", visible(&list.join(", ")))?;
            }
        }
        writeln!(out)?;
        notes::write(out, crate::cli::detail(), &notes::changes(cluster), &Basis::of(cluster, who))?;
    }
    if output == Output::Json && !quiet {
        super::super::print_json(&one_or_all(documents))?;
    }
    Ok(total.into())
}
