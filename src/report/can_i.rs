//! The answer to `can-i`, for people and for machines.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::notes::{self, Basis, Detail};
use super::phrases;
use super::visible::visible;
use super::{indirect, json, near, question as words, text};
use crate::ask::can_i::Answered;
use crate::ask::indirect::Indirect;
use crate::ask::question::{Asks, Part, Question};
use crate::decide::answer::{Answer, Doubt};
use crate::decide::cluster::{Cluster, Who};
use crate::identity::{IamIdentity, IdentityError};
use crate::model::ternary::Ternary;

/// Who asks: the identity, and the ARN as it was given.
#[derive(Copy, Clone, Debug)]
pub struct Asker<'a> {
    /// The identity.
    pub who: &'a Who,
    /// The ARN, where one was given.
    pub arn: Option<&'a str>,
    /// What the answer is without the changes of what if, where there are any.
    pub before: Option<Ternary>,
    /// For a "no": whom it can become that can.
    pub indirect: Option<&'a Indirect>,
    /// What else is to be noted.
    pub remarks: &'a [String],
    /// How much stands below the answer.
    pub detail: Detail,
}

/// Writes an answer for people.
///
/// # Errors
/// If writing fails.
pub fn text(
    out: &mut dyn Write,
    cluster: &Cluster,
    asker: Asker<'_>,
    question: &Question,
    answered: &Answered<'_>,
) -> io::Result<()> {
    let Asker { who, arn, before, indirect, .. } = asker;
    text::headline(out, answered.ternary, &words::title(question), &text::asker(who, arn))?;
    if let Some(before) = before {
        writeln!(out, "  {}", compared(cluster, before, answered))?;
    }
    writeln!(out)?;
    text::hops(out, &text::identity_hops(cluster, who), 2)?;
    if let Some(error) = who.error() {
        text::identity_error(out, cluster, error, 2)?;
    }
    let refused = who.error().is_some_and(IdentityError::is_refusal);
    if !refused {
        match (question.single(), answered.answers.as_slice()) {
            (Some(only), [answer]) => {
                text::reasons(out, cluster, &only.request.attributes(), answer, 2)?;
            }
            _ => parts(out, cluster, question, answered)?,
        }
        text::near_subjects(out, cluster, &answered.subjects, 2)?;
    }
    if let Some(indirect) = indirect {
        writeln!(out, "  {}", visible(&indirect::line(indirect)))?;
    }
    writeln!(out)?;
    // Where the login is refused, no detail of the request matters.
    let mut remarks = if refused { Vec::new() } else { remarks(cluster, who, question, answered) };
    remarks.extend_from_slice(asker.remarks);
    remarks.extend(notes::changes(cluster));
    notes::write(out, asker.detail, &remarks, &Basis::of(cluster, who))
}

/// What the changes of what if do to the answer, in a sentence.
fn compared(cluster: &Cluster, before: Ternary, answered: &Answered<'_>) -> String {
    let changes: Vec<&str> = cluster.changes().iter().map(|change| change.text.as_str()).collect();
    let what = visible(&changes.join(", "));
    match (before, answered.ternary) {
        (Ternary::Yes, Ternary::Yes) if answered.answers.iter().any(|answer| answer.is_master) => {
            format!("{what}: still yes, by group `system:masters`")
        }
        (Ternary::Yes, Ternary::Yes) => {
            let least = answered.answers.iter().map(|answer| answer.grants.len()).filter(|count| *count > 0);
            let grants = phrases::counted(least.min().unwrap_or(0), "other grant");
            format!("{what}: still yes, {grants} below allow it")
        }
        (before, now) if before == now => format!("{what}: {now}, as before"),
        (before, now) => format!("{what}: {before} before, {now} now"),
    }
}

/// The requests of a question one by one, each with its reasons.
fn parts(
    out: &mut dyn Write,
    cluster: &Cluster,
    question: &Question,
    answered: &Answered<'_>,
) -> io::Result<()> {
    if question.asks != Asks::Verb {
        writeln!(out, "  needs {}", visible(&words::needs(question, &question.needs)))?;
    }
    let mut said = false;
    for (part, answer) in shown(question, answered) {
        let style = text::style(answer.ternary);
        let aside = if part.decides { "" } else { " (kubectl only)" };
        let why = if part.why.is_empty() { String::new() } else { format!(", {}", part.why) };
        let request = visible(&part.request.attributes().to_string());
        writeln!(out, "  {style}{}{style:#} - {request}{why}{aside}", answer.ternary)?;
        // What every request shares is said once.
        let is_shared = answer.ternary == Ternary::Unknown
            && answer.grants.is_empty()
            && matches!(answer.doubts.as_slice(), [Doubt::NoIdentity]);
        if !(is_shared && said) {
            text::reasons(out, cluster, &part.request.attributes(), answer, 4)?;
        }
        said |= is_shared;
    }
    Ok(())
}

/// What must hold for a "yes", where that hangs on something that the question does not tell.
fn conditions(who: &Who, answered: &Answered<'_>) -> Vec<String> {
    let mut conditions = Vec::new();
    if answered.ternary == Ternary::No {
        return conditions;
    }
    if who.only_instances() {
        conditions.push(phrases::ONLY_INSTANCES.to_owned());
    }
    let mut alternatives: Vec<String> = Vec::new();
    for doubt in answered.answers.iter().flat_map(|answer| &answer.doubts) {
        let alternative = match doubt {
            Doubt::Session { values, .. } => text::conditions(values),
            Doubt::Unfilled(provenance, _) => {
                format!("`{}` is filled in so that it maps this ARN", provenance.arn)
            }
            Doubt::UnfilledName(written, name, _) => format!("`{written}` becomes `{name}`"),
            _ => continue,
        };
        if !alternatives.contains(&alternative) {
            alternatives.push(alternative);
        }
    }
    if answered.ternary == Ternary::Unknown && !alternatives.is_empty() {
        conditions.push(alternatives.join(", or "));
    }
    conditions
}

/// The requests with their answers; those that only kubectl asks where its answer differs.
fn shown<'q, 'a, 'g>(
    question: &'q Question,
    answered: &'a Answered<'g>,
) -> impl Iterator<Item = (&'q Part, &'a Answer<'g>)> {
    question.parts.iter().zip(&answered.answers)
}

/// What is to be known beside the reasons; what a "no" takes for granted comes first.
fn remarks(cluster: &Cluster, who: &Who, question: &Question, answered: &Answered<'_>) -> Vec<String> {
    let mut remarks = taken_for_granted(cluster, who, question, answered);
    let read = words::notes(question.remarks.iter().chain(&answered.remarks));
    let at = if answered.ternary == Ternary::No { remarks.len() } else { 0 };
    remarks.splice(at..at, read);
    remarks
}

fn taken_for_granted(
    cluster: &Cluster,
    who: &Who,
    question: &Question,
    answered: &Answered<'_>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (part, answer) in shown(question, answered).filter(|(part, _)| part.decides) {
        let said = text::other_versions(cluster, who, &part.request.attributes(), answer);
        notes.extend(said.filter(|said| !notes.contains(said)));
    }
    // What a "no" takes for granted, once for all requests.
    let names = &cluster.graph().policy().names;
    let refused = answered.answers.iter().filter(|answer| answer.ternary == Ternary::No);
    let roles: BTreeSet<&str> = refused
        .flat_map(|answer| &answer.assumed_complete)
        .map(|applied| names.text(applied.binding.role_ref.name))
        .collect();
    if !roles.is_empty() {
        let roles: Vec<String> = roles.into_iter().map(|role| format!("`{role}`")).collect();
        notes.push(format!(
            "assumed: ClusterRole {} holds no rule on this type that the inputs lack; add-ons may extend it",
            roles.join(", ")
        ));
    }
    notes
}

/// An answer for machines.
pub fn document(cluster: &Cluster, asker: Asker<'_>, question: &Question, answered: &Answered<'_>) -> Value {
    let Asker { who, arn, before, indirect, .. } = asker;
    let mut notes = remarks(cluster, who, question, answered);
    notes.extend_from_slice(asker.remarks);
    notes.extend(notes::changes(cluster));
    notes.extend(Basis::of(cluster, who).lines);
    let mut warnings = words::warnings(&question.remarks);
    warnings.extend(who.identity.as_ref().and_then(IamIdentity::never_reported));
    let mut value = json!({
        "answer": answered.ternary.as_str(),
        "asked": words::title(question),
        "identity": json::identity(cluster, who, arn),
        "notes": notes,
        "warnings": warnings,
        "kubernetesVersion": cluster.version().to_string(),
        "question": words::document(question),
    });
    let Some(object) = value.as_object_mut() else { return value };
    let subjects = answered.subjects.iter().map(|one| {
        let (sentence, source) = near::subject_sentence(cluster, one);
        json!({ "text": sentence, "source": source })
    });
    if let Some(before) = before {
        let changes = notes::changes(cluster);
        object.insert("whatIf".into(), json!({ "changes": changes, "before": before.as_str() }));
    }
    if let Some(indirect) = indirect {
        object.insert("indirect".into(), indirect::document(indirect));
    }
    object.insert("nearestSubjects".into(), subjects.collect());
    object.insert("conditions".into(), conditions(who, answered).into());
    if let (Some(_), [answer]) = (question.single(), answered.answers.as_slice()) {
        if let Value::Object(reasons) = json::reasons(cluster, answer) {
            object.extend(reasons);
        }
        return value;
    }
    let requests: Vec<Value> =
        shown(question, answered).map(|(part, answer)| request(cluster, part, answer)).collect();
    let grants: Vec<Value> = shown(question, answered)
        .filter(|(part, _)| part.decides)
        .flat_map(|(_, answer)| &answer.grants)
        .map(|grant| json::grant(cluster, grant))
        .collect();
    object.insert("requests".into(), requests.into());
    object.insert("grants".into(), grants.into());
    value
}

fn request(cluster: &Cluster, part: &Part, answer: &Answer<'_>) -> Value {
    let mut request = json::reasons(cluster, answer);
    if let Some(fields) = request.as_object_mut() {
        fields.insert("question".into(), json::attributes(&part.request.attributes()));
        fields.insert("for".into(), part.why.clone().into());
        fields.insert("decides".into(), part.decides.into());
    }
    request
}
