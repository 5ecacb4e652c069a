//! `can-i`: one question, its answer, and why.

use std::io::Write;

use rbacsim::ask::question::{self, Question, Request, Target, Words};
use rbacsim::ask::steps;
use rbacsim::decide::answer::Answer;
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::identity::IamIdentity;
use rbacsim::knowledge::operations::{self, Need, Plan, Step, StepName};
use rbacsim::model::ternary::Ternary;
use rbacsim::report::visible::visible;
use rbacsim::report::{json, text};
use serde_json::{Value, json};

use super::inputs::{Identity, Inputs};
use super::{Exit, Failure, Output, given, list};

mod namespaces;

const EXAMPLES: &str = "\
Examples:
  # May this IAM role session exec into pods in prod?
  rbacsim can-i exec pods -n prod --arn arn:aws:sts::111122223333:assumed-role/dev/alice -f manifests/

  # May a service account read one secret?
  rbacsim can-i get secrets/db -n prod --as system:serviceaccount:prod:app -f manifests/

  # In which namespaces may a role list secrets?
  rbacsim can-i list secrets --namespaces --arn arn:aws:iam::111122223333:role/dev -f manifests/

  # Everything somebody may do in a namespace
  rbacsim can-i --list -n prod --arn arn:aws:iam::111122223333:role/dev -f manifests/

VERB is a verb of the API or a kubectl operation (exec, logs, port-forward, scale, apply, drain, rollout-restart ...).
Exit code: 0 yes, 1 no, 2 cannot tell or the question could not be asked.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// VERB and TYPE, TYPE/NAME, TYPE/SUBRESOURCE or /URL
    #[arg(value_name = "VERB TYPE", num_args = 0..=3, hide = false)]
    words: Vec<String>,
    /// A subresource such as log or scale; then TYPE/NAME is always a name
    #[arg(long)]
    subresource: Option<String>,
    /// The namespace of the request
    #[arg(short, long, conflicts_with = "all_namespaces")]
    namespace: Option<String>,
    /// Ask for all namespaces at once
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Say in which of the namespaces that the inputs know the answer is yes
    #[arg(long, conflicts_with_all = ["namespace", "all_namespaces", "list"])]
    namespaces: bool,
    /// Ask for VERB itself even if it is the name of a kubectl operation
    #[arg(long)]
    api_verb: bool,
    /// Print every rule in force in the namespace
    #[arg(long, conflicts_with_all = ["quiet", "all_namespaces", "subresource"])]
    list: bool,
    /// Print nothing; the exit code answers
    #[arg(short, long)]
    quiet: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    inputs: Inputs,
}

/// One request of a question, answered.
struct Asked<'g> {
    request: Request,
    answer: Answer<'g>,
    /// What an operation needs it for; empty for the question itself.
    why: String,
    /// Whether it decides; otherwise a refusal is only worth a note.
    decides: bool,
    step: Option<Step>,
}

/// A question for one asker, answered.
struct Answered<'g> {
    ternary: Ternary,
    title: String,
    /// What an operation was asked on.
    on: Option<Value>,
    asked: Vec<Asked<'g>>,
    plan: Option<Plan>,
    notes: Vec<String>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    if args.list {
        if !args.words.is_empty() {
            return Err("--list lists everything; leave VERB and TYPE out".into());
        }
        let cluster = args.inputs.load()?;
        return list::run(&cluster, &args.identity, given(args.namespace.as_deref()), args.output, out);
    }
    let (verb, target) = match args.words.as_slice() {
        [verb, target] => (verb.clone(), target.as_str()),
        [first, second, target] => (format!("{first} {second}"), target.as_str()),
        _ => return Err("give a verb and a type, such as `can-i get pods` or `can-i exec pods/web`".into()),
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
    let askers = args.identity.askers(&cluster)?;
    if args.namespaces {
        return namespaces::run(
            &cluster,
            &askers,
            &words,
            operation.is_some(),
            (args.output, args.quiet),
            out,
        );
    }
    let mut total: Option<Ternary> = None;
    let mut documents = Vec::new();
    for (who, arn) in &askers {
        let (answered, warnings) = match operation {
            Some(_) if !target.starts_with('/') => operate(&cluster, who, &words)?,
            _ => ask(&cluster, who, &words)?,
        };
        if documents.is_empty() && total.is_none() {
            for warning in &warnings {
                super::beside("warning", warning)?;
            }
        }
        // One "no" makes several askers a "no", and one "unknown" an "unknown".
        total = Some(total.map_or(answered.ternary, |total| total.and(answered.ternary)));
        if args.quiet {
            continue;
        }
        match args.output {
            Output::Text => {
                if documents.is_empty() && total.is_some() && who_index(&askers, who) > 0 {
                    writeln!(out)?;
                }
                print(out, &cluster, who, arn.as_deref(), &answered)?;
            }
            Output::Json => documents.push(document(&cluster, who, arn.as_deref(), &answered, &warnings)),
        }
    }
    if args.output == Output::Json && !args.quiet {
        let value = if documents.len() == 1 { documents.remove(0) } else { Value::Array(documents) };
        super::print_json(&value)?;
    }
    Ok(total.unwrap_or(Ternary::Unknown).into())
}

fn who_index(askers: &[(Who, Option<String>)], who: &Who) -> usize {
    askers.iter().position(|(other, _)| std::ptr::eq(other, who)).unwrap_or(0)
}

fn ask<'g>(
    cluster: &'g Cluster,
    who: &Who,
    words: &Words<'_>,
) -> Result<(Answered<'g>, Vec<String>), Failure> {
    let Question { request, notes, warnings, .. } = question::read(words, cluster.catalogue())?;
    let answer = cluster.answer_for_type(who, &request.attributes());
    let answered = Answered {
        ternary: answer.ternary,
        title: request.attributes().to_string(),
        asked: vec![Asked { request, answer, why: String::new(), decides: true, step: None }],
        on: None,
        plan: None,
        notes,
    };
    Ok((answered, warnings))
}

fn operate<'g>(
    cluster: &'g Cluster,
    who: &Who,
    words: &Words<'_>,
) -> Result<(Answered<'g>, Vec<String>), Failure> {
    let Target { resolution, name, subresource, notes, warnings } = Target::read(words, cluster.catalogue());
    let namespaced = resolution.known().is_none_or(|known| known.namespaced);
    // `exec pods/exec` and the like: the operation has its subresource already.
    let target = operations::Target {
        group: resolution.group(),
        resource: resolution.resource(),
        name: Some(name.as_str()).filter(|name| !name.is_empty()),
        subresource: Some(subresource.as_str()).filter(|subresource| !subresource.is_empty()),
        namespaced,
    };
    let plan = operations::plan(words.verb, &target, cluster.version())?;
    let mut asked: Vec<Asked<'g>> = Vec::new();
    let deciding: Vec<Step> = plan.deciding_steps().into_iter().cloned().collect();
    let namespace = if words.all_namespaces { "" } else { words.namespace.unwrap_or("default") };
    let mut gather = |step: &Step, decides: bool| -> Ternary {
        let request = steps::request(step, namespace, &name);
        let same = |known: &&Asked<'_>| {
            known.step.as_ref().is_some_and(|known| known == step) || known.request == request
        };
        if let Some(known) = asked.iter().find(same) {
            return known.answer.ternary;
        }
        let answer = steps::answer(cluster, who, step, &request);
        let ternary = answer.ternary;
        asked.push(Asked { request, answer, why: step.why.clone(), decides, step: Some(step.clone()) });
        ternary
    };
    for step in &deciding {
        gather(step, true);
    }
    let ternary = plan.answer(&mut |step| gather(step, true));
    let mut notes = notes;
    if plan.any_client && !plan.kubectl.is_nothing() {
        let kubectl = plan.answer_for_kubectl(&mut |step| gather(step, false));
        if kubectl != ternary {
            notes.push(format!(
                "kubectl itself asks more first ({}), and its answer is {kubectl}",
                step_names(&plan.kubectl)
            ));
        }
    }
    if ternary != Ternary::Yes
        && name.is_empty()
        && deciding.iter().any(|step| step.name == StepName::NotGiven)
    {
        notes.push("no name was given, so rules limited by resourceNames do not count; ask for TYPE/NAME to count them".to_owned());
    }
    notes.extend(plan.notes.iter().cloned());
    let place = match (plan.operation, words.all_namespaces) {
        _ if !namespaced => String::new(),
        (_, true) => " in all namespaces".to_owned(),
        _ => format!(" in namespace {}", words.namespace.unwrap_or("default")),
    };
    let dot = if resolution.group().is_empty() { String::new() } else { format!(".{}", resolution.group()) };
    let part = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
    let named = if name.is_empty() { String::new() } else { format!(" named {name}") };
    let title = format!(
        "{} {}{dot}{part}{named}{place} (Kubernetes {})",
        plan.operation,
        resolution.resource(),
        cluster.version()
    );
    let on = json!({
        "group": resolution.group(), "resource": resolution.resource(), "subresource": subresource, "name": name,
        "namespace": if namespaced && !words.all_namespaces { words.namespace.unwrap_or("default") } else { "" },
    });
    Ok((Answered { ternary, title, on: Some(on), asked, plan: Some(plan), notes }, warnings))
}

fn step_names(need: &Need) -> String {
    need.steps().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn print(
    out: &mut dyn Write,
    cluster: &Cluster,
    who: &Who,
    arn: Option<&str>,
    answered: &Answered<'_>,
) -> Result<(), Failure> {
    text::headline(out, answered.ternary, &answered.title, &text::asker(who, arn))?;
    let identity = text::identity_hops(cluster, who);
    writeln!(out)?;
    text::hops(out, &identity, 2)?;
    if let Some(error) = who.error() {
        text::identity_error(out, cluster, error, 2)?;
    }
    let nobody = who.error().is_some_and(rbacsim::identity::IdentityError::is_refusal);
    match (&answered.plan, nobody) {
        (_, true) => {}
        (None, _) => {
            for asked in &answered.asked {
                text::reasons(out, cluster, &asked.request.attributes(), &asked.answer, 2)?;
            }
        }
        (Some(plan), _) => print_plan(out, cluster, plan, &answered.asked)?,
    }
    writeln!(out)?;
    // To whom nobody can be, no detail of the request matters.
    let mut notes = if nobody { Vec::new() } else { answered.notes.clone() };
    notes.extend(text::assumptions(cluster, who));
    text::notes(out, &notes)?;
    Ok(())
}

fn print_plan(
    out: &mut dyn Write,
    cluster: &Cluster,
    plan: &Plan,
    asked: &[Asked<'_>],
) -> Result<(), Failure> {
    writeln!(out, "  needs {}", visible(&need_sentence(&plan.needs)))?;
    for (one, index) in asked.iter().zip(0usize..) {
        let style = text::style(one.answer.ternary);
        let aside = if one.decides { "" } else { " (kubectl only)" };
        let why = if one.why.is_empty() { String::new() } else { format!(", {}", one.why) };
        let request = visible(&one.request.attributes().to_string());
        writeln!(out, "  {style}{}{style:#} - {request}{why}{aside}", one.answer.ternary)?;
        // What every request shares is said once.
        let same = |other: &&Asked<'_>| {
            other.answer.ternary == Ternary::Unknown
                && other.answer.grants.is_empty()
                && matches!(other.answer.doubts.as_slice(), [rbacsim::decide::answer::Doubt::NoIdentity])
        };
        if same(&one) && index > 0 {
            continue;
        }
        text::reasons(out, cluster, &one.request.attributes(), &one.answer, 4)?;
    }
    Ok(())
}

/// How the requests of an operation combine, in words.
pub(super) fn need_sentence(need: &Need) -> String {
    match need {
        Need::Request(step) => step.to_string(),
        Need::All(needs) if needs.is_empty() => "nothing".to_owned(),
        Need::All(needs) => needs.iter().map(inner_sentence).collect::<Vec<_>>().join(" and "),
        Need::Any(ways) => {
            let ways: Vec<String> =
                ways.iter().map(|way| format!("{} ({})", inner_sentence(&way.need), way.label)).collect();
            ways.join(" or ")
        }
        Need::Cases(cases) => {
            let cases: Vec<String> =
                cases.iter().map(|case| format!("{}: {}", case.label, inner_sentence(&case.need))).collect();
            cases.join("; ")
        }
    }
}

fn inner_sentence(need: &Need) -> String {
    match need {
        Need::Any(ways) if ways.len() > 1 => format!("({})", need_sentence(need)),
        Need::Cases(cases) if cases.len() > 1 => format!("({})", need_sentence(need)),
        _ => need_sentence(need),
    }
}

fn document(
    cluster: &Cluster,
    who: &Who,
    arn: Option<&str>,
    answered: &Answered<'_>,
    warnings: &[String],
) -> Value {
    let mut notes = answered.notes.clone();
    notes.extend(text::assumptions(cluster, who));
    let mut warnings = warnings.to_vec();
    warnings.extend(who.identity.as_ref().and_then(IamIdentity::never_reported));
    let mut value = json!({
        "answer": answered.ternary.as_str(),
        "asked": answered.title,
        "identity": json::identity(cluster, who, arn),
        "notes": notes,
        "warnings": warnings,
        "kubernetesVersion": cluster.version().to_string(),
    });
    let Some(object) = value.as_object_mut() else { return value };
    if let (None, [only]) = (&answered.plan, answered.asked.as_slice()) {
        object.insert("question".into(), json::attributes(&only.request.attributes()));
        if let Value::Object(reasons) = json::reasons(cluster, &only.answer) {
            object.extend(reasons);
        }
    } else {
        let requests: Vec<Value> = answered
            .asked
            .iter()
            .map(|asked| {
                let mut request = json::reasons(cluster, &asked.answer);
                if let Some(fields) = request.as_object_mut() {
                    fields.insert("question".into(), json::attributes(&asked.request.attributes()));
                    fields.insert("for".into(), asked.why.clone().into());
                    fields.insert("decides".into(), asked.decides.into());
                }
                request
            })
            .collect();
        let grants: Vec<Value> = answered
            .asked
            .iter()
            .filter(|asked| asked.decides)
            .flat_map(|asked| &asked.answer.grants)
            .map(|grant| json::grant(cluster, grant))
            .collect();
        let plan = answered.plan.as_ref();
        let mut question = answered.on.clone().unwrap_or_default();
        if let (Some(fields), Some(plan)) = (question.as_object_mut(), plan) {
            fields.insert("operation".into(), plan.operation.into());
            fields.insert("needs".into(), need_sentence(&plan.needs).into());
        }
        object.insert("question".into(), question);
        object.insert("requests".into(), requests.into());
        object.insert("grants".into(), grants.into());
    }
    value
}
