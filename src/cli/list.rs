//! `can-i --list`: the rules in force in a namespace.

use std::io::Write;

use rbacsim::ask::rules_review;
use rbacsim::decide::cluster::Cluster;
use rbacsim::report::notes::{self, Basis};
use rbacsim::report::visible::visible;
use rbacsim::report::{json, rules, text};
use serde_json::Value;

use super::inputs::Identity;
use super::{Exit, Failure, Output};

pub(crate) fn run(
    cluster: &Cluster,
    identity: &Identity,
    namespace: Option<&str>,
    output: Output,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let namespace = namespace.unwrap_or("default");
    let askers = identity.askers(cluster)?;
    let mut documents = Vec::new();
    for (who, arn) in &askers {
        let Some(user) = who.certain() else {
            if output == Output::Json {
                documents.push(json::identity(cluster, who, arn.as_deref()));
            } else if let Some(error) = who.error() {
                writeln!(out, "{}", visible(&format!("{}: {error}", text::asker(who, arn.as_deref()))))?;
            }
            continue;
        };
        let review = rules_review::rules(cluster, &user, namespace);
        match output {
            Output::Text => {
                if askers.len() > 1 {
                    writeln!(out, "{}", visible(&text::asker(who, arn.as_deref())))?;
                }
                write!(out, "{}", rules::table(cluster.graph().policy(), &review))?;
                let mut remarks = notes::changes(cluster);
                remarks.extend(rules::notes(cluster.graph(), &review));
                remarks.extend(notes::list_notes(who));
                notes::write(out, crate::cli::detail(), &remarks, &Basis::of(cluster, who))?;
            }
            Output::Json => {
                let mut value = rules::document(cluster.graph(), &review);
                if let Some(all) = value.get_mut("notes").and_then(Value::as_array_mut) {
                    all.extend(notes::list_notes(who).into_iter().map(Value::from));
                    all.extend(notes::changes(cluster).into_iter().map(Value::from));
                    all.extend(Basis::of(cluster, who).lines.into_iter().map(Value::from));
                }
                if let Some(object) = value.as_object_mut() {
                    object.insert("identity".into(), json::identity(cluster, who, arn.as_deref()));
                    object.insert("namespace".into(), namespace.into());
                }
                documents.push(value);
            }
        }
    }
    if output == Output::Json {
        let value = if documents.len() == 1 { documents.remove(0) } else { documents.into() };
        super::print_json(&value)?;
    }
    Ok(super::exit_of_identities(askers.iter().map(|(who, _)| who)))
}
