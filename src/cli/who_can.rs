//! `who-can`: everyone who may do something.

use std::io::Write;

use rbacsim::ask::question::{self, Question, Target, Words};
use rbacsim::ask::who_can::{Ask, WhoCan, who_can};
use rbacsim::decide::cluster::Cluster;
use rbacsim::knowledge::operations;
use rbacsim::report::{json, who_can as report};
use serde_json::{Value, json};

use super::can_i::need_sentence;
use super::inputs::Inputs;
use super::{Exit, Failure, Output, given};

const EXAMPLES: &str = "\
Examples:
  # Who may read secrets in prod, and behind which ARN?
  rbacsim who-can get secrets -n prod -f manifests/

  # Who may exec into pods of prod, counting everything that kubectl exec needs?
  rbacsim who-can exec pods -n prod -f manifests/

  # Who may delete nodes, or read /metrics?
  rbacsim who-can delete nodes -f manifests/
  rbacsim who-can get /metrics -f manifests/

  # Who may list secrets in all namespaces at once, and who in single ones?
  rbacsim who-can list secrets -A -f manifests/ -o json

Without -n and -A the question is about namespace default.
Exit code: 0 somebody besides Group system:masters may, 1 nobody, 2 cannot tell.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// VERB and TYPE, TYPE/NAME, TYPE/SUBRESOURCE or /URL
    #[arg(value_name = "VERB TYPE", num_args = 2..=3, required = true)]
    words: Vec<String>,
    /// A subresource such as log or scale; then TYPE/NAME is always a name
    #[arg(long)]
    subresource: Option<String>,
    /// The namespace of the request
    #[arg(short, long, conflicts_with = "all_namespaces")]
    namespace: Option<String>,
    /// Ask for all namespaces at once, and for single ones besides
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Ask for VERB itself even if it is the name of a kubectl operation
    #[arg(long)]
    api_verb: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    inputs: Inputs,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (verb, target) = match args.words.as_slice() {
        [verb, target] => (verb.clone(), target.as_str()),
        [first, second, target] => (format!("{first} {second}"), target.as_str()),
        _ => return Err("give a verb and a type, such as `who-can get secrets`".into()),
    };
    let operation = if args.api_verb { None } else { operations::canonical_name(&verb) };
    if operation.is_none() && args.words.len() == 3 {
        return Err(
            format!("`{verb}` is no operation of kubectl known here; give one VERB and one TYPE").into()
        );
    }
    let words = Words {
        verb: operation.unwrap_or(&verb),
        target,
        subresource: args.subresource.as_deref(),
        namespace: given(args.namespace.as_deref()),
        all_namespaces: args.all_namespaces,
    };
    let cluster = args.inputs.load()?;
    match operation {
        Some(_) if !target.starts_with('/') => operate(args, &cluster, &words, out),
        _ => ask(args, &cluster, &words, out),
    }
}

fn warn(warnings: &[String]) -> Result<(), Failure> {
    for warning in warnings {
        super::beside("warning", warning)?;
    }
    Ok(())
}

fn ask(args: &Args, cluster: &Cluster, words: &Words<'_>, out: &mut dyn Write) -> Result<Exit, Failure> {
    let Question { request, notes, warnings, namespaced, .. } = question::read(words, cluster.catalogue())?;
    warn(&warnings)?;
    let in_namespaces = words.all_namespaces && namespaced != Some(false);
    let found = who_can(cluster, &Ask::Request(&request), in_namespaces);
    let mut asked = request.attributes().to_string();
    if in_namespaces {
        asked.push_str(" in all namespaces at once");
    }
    let question = json::attributes(&request.attributes());
    print(args, cluster, &asked, &question, (&notes, &warnings), &found, out)
}

fn operate(args: &Args, cluster: &Cluster, words: &Words<'_>, out: &mut dyn Write) -> Result<Exit, Failure> {
    let Target { resolution, name, subresource, mut notes, warnings } =
        Target::read(words, cluster.catalogue());
    warn(&warnings)?;
    let namespaced = resolution.known().is_none_or(|known| known.namespaced);
    let target = operations::Target {
        group: resolution.group(),
        resource: resolution.resource(),
        name: Some(name.as_str()).filter(|name| !name.is_empty()),
        subresource: Some(subresource.as_str()).filter(|subresource| !subresource.is_empty()),
        namespaced,
    };
    let plan = operations::plan(words.verb, &target, cluster.version())?;
    let namespace = if words.all_namespaces { "" } else { words.namespace.unwrap_or("default") };
    let operation = Ask::Operation { plan: &plan, name: &name, namespace };
    let found = who_can(cluster, &operation, words.all_namespaces && namespaced);
    notes.push(format!("`{}` needs {}", plan.operation, need_sentence(&plan.needs)));
    if !plan.any_client && !plan.kubectl.is_nothing() {
        notes.push(format!("kubectl asks besides {}", need_sentence(&plan.kubectl)));
    }
    notes.extend(plan.notes.iter().cloned());
    let place = match (namespaced, words.all_namespaces) {
        (false, _) => String::new(),
        (true, true) => " in all namespaces at once".to_owned(),
        (true, false) => format!(" in namespace {namespace}"),
    };
    let dot = if resolution.group().is_empty() { String::new() } else { format!(".{}", resolution.group()) };
    let part = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
    let named = if name.is_empty() { String::new() } else { format!(" named {name}") };
    let asked = format!("{} {}{dot}{part}{named}{place}", plan.operation, resolution.resource());
    let question = json!({
        "operation": plan.operation, "needs": need_sentence(&plan.needs),
        "group": resolution.group(), "resource": resolution.resource(), "subresource": subresource,
        "name": name, "namespace": namespace,
    });
    print(args, cluster, &asked, &question, (&notes, &warnings), &found, out)
}

fn print(
    args: &Args,
    cluster: &Cluster,
    asked: &str,
    question: &Value,
    (notes, warnings): (&[String], &[String]),
    found: &WhoCan<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    match args.output {
        Output::Text => {
            report::text(out, cluster, asked, found)?;
            rbacsim::report::text::notes(out, notes)?;
        }
        Output::Json => {
            let asked = report::Asked { text: asked, question, notes, warnings };
            super::print_json(&report::document(cluster, asked, found))?;
        }
    }
    Ok(found.ternary().into())
}
