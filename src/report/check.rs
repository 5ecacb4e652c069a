//! What came of assertions: for people, for machines, as test results and as annotations.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::findings::junit::{self, Case};
use super::findings::{Root, github};
use super::visible::visible;
use super::{near, notes, question as words, words as names};
use crate::ask::can_i::Answered;
use crate::ask::check::{Failure, Outcome};
use crate::ask::question::Question;
use crate::ask::who_can::{WhoCan, grants_of};
use crate::decide::cluster::Cluster;
use crate::model::diagnostic::Severity;
use crate::model::ternary::Ternary;

/// A file of assertions, as it was run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The name of the file.
    pub file: String,
    /// Per test its name, its line and what does not hold of it, each with its line.
    pub tests: Vec<(String, u32, Failures)>,
}

/// What does not hold of a test, each with its line.
pub type Failures = Vec<(u32, String)>;

/// How many grants or near misses a message shows.
const SHOWN: usize = 3;

/// Puts what came of a file into sentences.
pub fn ran(cluster: &Cluster, file: &str, outcomes: &[Outcome<'_, '_>]) -> Ran {
    let tests = outcomes.iter().map(|outcome| {
        let failures = outcome.failures.iter().map(|failure| sentence(cluster, failure)).collect();
        (outcome.test.name.clone(), outcome.test.line, failures)
    });
    Ran { file: file.to_owned(), tests: tests.collect() }
}

fn placed((text, place): (String, String)) -> String {
    if place.is_empty() { text } else { format!("{text} ({place})") }
}

/// The first of some lines, and how many more there are.
fn some(lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(SHOWN);
    let mut text = lines.into_iter().take(SHOWN).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text.push_str("; and ");
        text.push_str(&more.to_string());
        text.push_str(" more");
    }
    text
}

fn grants(cluster: &Cluster, answered: &Answered<'_>) -> String {
    if answered.answers.iter().any(|answer| answer.is_master) {
        return super::phrases::BYPASSES_RBAC.to_owned();
    }
    let mut lines: Vec<String> = answered
        .answers
        .iter()
        .flat_map(|answer| &answer.grants)
        .map(|grant| placed(names::grant_line(cluster.graph(), grant)))
        .collect();
    lines.dedup();
    some(lines)
}

/// Why an answer is what it is: the grants of a yes, what is missing for an unknown, what comes near to a no.
fn why(cluster: &Cluster, who: &crate::decide::cluster::Who, answered: &Answered<'_>) -> String {
    match answered.ternary {
        Ternary::Yes => format!("allowed by {}", grants(cluster, answered)),
        Ternary::Unknown => {
            let mut doubts: Vec<String> = answered
                .answers
                .iter()
                .flat_map(|answer| &answer.doubts)
                .map(|doubt| doubt.summary().to_owned())
                .collect();
            doubts.dedup();
            some(doubts)
        }
        Ternary::No => {
            if let Some(error) = who.error() {
                return error.to_string();
            }
            let near = answered.answers.iter().flat_map(|answer| &answer.near);
            let mut lines: Vec<String> =
                near.map(|near| placed(near::near_sentence(cluster, near))).collect();
            lines.extend(answered.subjects.iter().map(|one| placed(near::subject_sentence(cluster, one))));
            lines.dedup();
            if lines.is_empty() {
                "no similar rule found".to_owned()
            } else {
                format!("nearest: {}", some(lines))
            }
        }
    }
}

fn sentence(cluster: &Cluster, failure: &Failure<'_, '_>) -> (u32, String) {
    match failure {
        Failure::NotAsked { line, why } => (*line, why.clone()),
        Failure::Answer { line, expected, who, question, answered } => {
            let title = words::title(question);
            let because = why(cluster, who, answered);
            (*line, format!("{title}: expected {expected}, got {}; {because}", answered.ternary))
        }
        Failure::By { line, question, answered, missing, has_others } => {
            let title = words::title(question);
            let missing: Vec<String> = missing.iter().map(|one| format!("`{}`", one.text)).collect();
            let mut parts = Vec::new();
            if !missing.is_empty() {
                parts.push(format!("not granted by {}", missing.join(", ")));
            }
            if *has_others {
                parts.push(format!("also allowed by others: {}", grants(cluster, answered)));
            } else {
                parts.push(format!("allowed by {}", grants(cluster, answered)));
            }
            (*line, format!("{title}: {}", parts.join("; ")))
        }
        Failure::Who { line, question, found, extra, missing, unknown } => {
            (*line, who_sentence(cluster, question, found, [extra, missing, unknown]))
        }
    }
}

fn who_sentence(
    cluster: &Cluster,
    question: &Question,
    found: &WhoCan<'_>,
    lists: [&Vec<String>; 3],
) -> String {
    let [extra, missing, unknown] = lists;
    let mut parts = Vec::new();
    for one in extra.iter().take(SHOWN) {
        let by = granting(cluster, found, one);
        let by = if by.is_empty() { String::new() } else { format!(", by {by}") };
        parts.push(format!("{one} can, and should not{by}"));
    }
    if extra.len() > SHOWN {
        parts.push(format!("{} more can, and should not", extra.len() - SHOWN));
    }
    parts.extend(missing.iter().take(SHOWN).map(|one| format!("{one} cannot, and should")));
    if missing.len() > SHOWN {
        parts.push(format!("{} more cannot, and should", missing.len() - SHOWN));
    }
    if !unknown.is_empty() {
        parts.push(format!("unknown for {}", some(unknown.clone())));
    }
    format!("{}: {}", words::title(question), parts.join("; "))
}

/// The first grant of somebody who can.
fn granting(cluster: &Cluster, found: &WhoCan<'_>, one: &str) -> String {
    let of_subject = found.subjects.iter().find(|can| crate::ask::check::shown(&can.subject) == one);
    let grant = of_subject.and_then(|can| can.grants.first()).and_then(|grant| grant.grant(cluster));
    let of_identity = found.identities.iter().find(|can| one == format!("arn: {}", can.arn));
    if of_identity.is_some_and(crate::ask::who_can::IdentityAccess::is_in_masters) {
        return "group `system:masters`".to_owned();
    }
    let grant = grant.or_else(|| of_identity.and_then(|can| grants_of(can).first().copied()));
    grant.map(|grant| placed(names::grant_line(cluster.graph(), &grant))).unwrap_or_default()
}

/// How many tests of some files hold, and how many do not.
pub fn counts(all: &[Ran]) -> (usize, usize) {
    let tests = || all.iter().flat_map(|ran| &ran.tests);
    let failed = tests().filter(|(_, _, failures)| !failures.is_empty()).count();
    (tests().count() - failed, failed)
}

/// Writes what does not hold, and how many tests do.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, all: &[Ran]) -> io::Result<()> {
    let red = AnsiColor::Red.on_default().bold();
    let plain = Style::new();
    for ran in all {
        for (name, line, failures) in ran.tests.iter().filter(|(_, _, failures)| !failures.is_empty()) {
            let place = format!("{}:{line}", ran.file);
            writeln!(out, "{red}FAIL{red:#} {} {}", visible(&place), visible(name))?;
            for (line, failure) in failures {
                writeln!(
                    out,
                    "  {plain}{}: {}{plain:#}",
                    visible(&format!("{}:{line}", ran.file)),
                    visible(failure)
                )?;
            }
        }
    }
    let (passed, failed) = counts(all);
    writeln!(out, "{passed} passed, {failed} failed")
}

/// The result for machines.
pub fn document(all: &[Ran]) -> Value {
    let (passed, failed) = counts(all);
    let tests = all.iter().flat_map(|ran| {
        ran.tests.iter().map(|(name, line, failures)| {
            let messages: Vec<&str> = failures.iter().map(|(_, message)| message.as_str()).collect();
            let message = if messages.is_empty() { Value::Null } else { messages.join("\n").into() };
            json!({
                "name": name,
                "passed": failures.is_empty(),
                "message": message,
                "source": { "file": ran.file, "line": line },
            })
        })
    });
    json!({ "tests": tests.collect::<Vec<_>>(), "passed": passed, "failed": failed })
}

/// The result as test cases.
pub fn junit(all: &[Ran], root: &Root) -> String {
    let cases = all.iter().flat_map(|ran| {
        ran.tests.iter().map(|(name, line, failures)| {
            let messages: Vec<&str> = failures.iter().map(|(_, message)| message.as_str()).collect();
            let outcome = match messages.as_slice() {
                [] => junit::Outcome::Passed,
                messages => junit::Outcome::Failed("assertion".to_owned(), messages.join("\n")),
            };
            Case { name: name.clone(), file: root.path(&ran.file), line: *line, outcome }
        })
    });
    junit::document("rbacsim check", &cases.collect::<Vec<_>>())
}

/// Writes what does not hold as annotations of a GitHub workflow.
///
/// # Errors
/// If writing fails.
pub fn annotations(out: &mut dyn Write, all: &[Ran], root: &Root) -> io::Result<()> {
    const SHOWN: usize = 10;
    let failures = all.iter().flat_map(|ran| {
        let file = root.path(&ran.file);
        let tests = ran.tests.iter();
        tests.flat_map(move |(name, _, failures)| {
            let file = file.clone();
            failures.iter().map(move |(line, message)| (file.clone(), *line, name, message))
        })
    });
    let mut count = 0;
    for (file, line, name, message) in failures {
        count += 1;
        if count <= SHOWN {
            let title = format!("rbacsim check: {name}");
            writeln!(out, "{}", github::annotation(Severity::Error, Some((&file, line)), &title, message))?;
        }
    }
    let (passed, failed) = counts(all);
    let more =
        if count > SHOWN { format!("; {} more than GitHub shows", count - SHOWN) } else { String::new() };
    writeln!(out, "rbacsim check: {passed} passed, {failed} failed{more}")
}

/// What was changed in the inputs before the tests ran.
pub fn notes(cluster: &Cluster) -> Vec<String> {
    notes::changes(cluster)
}

/// The schema of assertion files, for editors.
pub const SCHEMA: &str = include_str!("check/schema.json");
