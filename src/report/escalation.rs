//! Whether roles and bindings could be written, for people and machines.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::aligned::Aligned;
use super::visible::visible;
use super::{json as documents, text, words};
use crate::ask::escalation::{Attempt, Check};
use crate::decide::cluster::{Cluster, Who};
use crate::model::source::Sources;
use crate::model::ternary::Ternary;

fn title(attempt: &Attempt<'_>) -> String {
    let slash = if attempt.namespace.is_empty() { "" } else { "/" };
    format!("{} {}{slash}{}", attempt.kind, attempt.namespace, attempt.name)
}

/// What became of the check against escalation, in words.
fn check_text(check: &Check<'_>) -> String {
    match check {
        Check::Masters => "members of Group system:masters may write any role and binding".to_owned(),
        Check::ByVerb("bind", _) => "may `bind` the role".to_owned(),
        Check::ByVerb(verb, _) => format!("may `{verb}` it"),
        Check::Covered => "has every right in it already".to_owned(),
        Check::Lacks(lacks, more) => {
            let more = if *more == 0 { String::new() } else { format!(" and {more} more") };
            format!("would grant rights that the writer does not have: {}{more}", lacks.join(", "))
        }
        Check::NoRole => "the role that it names is not in the inputs".to_owned(),
    }
}

/// The attempts of one writer.
///
/// # Errors
/// If writing fails.
pub fn text(
    out: &mut dyn Write,
    cluster: &Cluster,
    asker: (&Who, Option<&str>),
    sources: &Sources,
    attempts: &[Attempt<'_>],
) -> io::Result<()> {
    let asker = text::asker(asker.0, asker.1);
    for attempt in attempts {
        let style = text::style(attempt.ternary);
        let (verb, title) = (attempt.verb, title(attempt));
        let place = sources.show(attempt.source).to_string();
        writeln!(
            out,
            "{style}{}{style:#} - {verb} {} as {}  {}",
            attempt.ternary,
            visible(&title),
            visible(&asker),
            visible(&place)
        )?;
        Aligned::write(out, 2, |lines| {
            if attempt.write.ternary != Ternary::Yes {
                lines.bare(0, format_args!("the {verb} request itself: {}", attempt.write.ternary))?;
            }
            if let Some(grant) = attempt.write.grants.first() {
                let (text, _) = words::grant_line(cluster.graph(), grant);
                let place = words::rule_place(cluster.graph().policy(), &grant.rule);
                lines.line(0, text, place)?;
            }
            if let Some(check) = &attempt.check {
                lines.bare(0, check_text(check))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// An attempt as JSON.
pub fn document(cluster: &Cluster, sources: &Sources, attempt: &Attempt<'_>) -> Value {
    let check = attempt.check.as_ref().map(|check| {
        json!({
            "text": check_text(check),
            "lacks": match check { Check::Lacks(lacks, _) => json!(lacks), _ => json!([]) },
            "by": match check {
                Check::ByVerb(_, answer) => documents::reasons(cluster, answer),
                _ => Value::Null,
            },
        })
    });
    json!({
        "answer": attempt.ternary.as_str(),
        "object": { "kind": attempt.kind, "namespace": attempt.namespace, "name": attempt.name },
        "verb": attempt.verb,
        "source": sources.show(attempt.source).to_string(),
        "write": documents::reasons(cluster, &attempt.write),
        "escalation": check,
    })
}
