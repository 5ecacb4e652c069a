//! Assertions about access: what must hold of a cluster, test by test.

use crate::ask::can_i::{self, Answered};
use crate::ask::question::{self, Question, Words};
use crate::ask::system;
use crate::ask::through;
use crate::ask::who_can::{Named, WhoCan, who_can};
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::model::ternary::Ternary;
use crate::model::user::UserInfo;

pub mod file;
pub mod freeze;

use file::{Asker, Asserts, Listed, Named as Written, Place, Test};

/// What came of a test.
#[derive(Clone, Debug)]
pub struct Outcome<'t, 'g> {
    /// The test.
    pub test: &'t Test,
    /// What does not hold; empty where all of it does.
    pub failures: Vec<Failure<'t, 'g>>,
}

/// What does not hold.
#[derive(Clone, Debug)]
pub enum Failure<'t, 'g> {
    /// The question cannot be asked: a verb that is none, an ARN that is none.
    NotAsked {
        /// The line that it stands on.
        line: u32,
        /// Why.
        why: String,
    },
    /// An answer is another one than was expected.
    Answer {
        /// The line that it stands on.
        line: u32,
        /// What was expected.
        expected: Ternary,
        /// Who asks.
        who: Box<Who>,
        /// What was asked.
        question: Box<Question>,
        /// The answer.
        answered: Box<Answered<'g>>,
    },
    /// A yes has other grants than `by` says.
    By {
        /// The line that it stands on.
        line: u32,
        /// What was asked.
        question: Box<Question>,
        /// The answer.
        answered: Box<Answered<'g>>,
        /// Bindings that were expected and do not grant it.
        missing: Vec<&'t Written>,
        /// Whether other bindings grant it.
        has_others: bool,
    },
    /// Somebody can who should not, or cannot who should.
    Who {
        /// The line that it stands on.
        line: u32,
        /// What was asked.
        question: Box<Question>,
        /// Who can.
        found: Box<WhoCan<'g>>,
        /// Subjects and identities that can and should not, in words.
        extra: Vec<String>,
        /// Those who should and cannot, in words.
        missing: Vec<String>,
        /// Of whom it is unknown.
        unknown: Vec<String>,
    },
}

/// Runs every test.
pub fn run<'t, 'g>(cluster: &'g Cluster, tests: &'t [Test]) -> Vec<Outcome<'t, 'g>> {
    tests.iter().map(|test| Outcome { test, failures: of_test(cluster, test) }).collect()
}

fn of_test<'t, 'g>(cluster: &'g Cluster, test: &'t Test) -> Vec<Failure<'t, 'g>> {
    let mut failures = Vec::new();
    for place in &test.places {
        match &test.asserts {
            Asserts::Access { asker, expected, by } => {
                let (who, arn) = match who_is(cluster, asker) {
                    Ok(found) => found,
                    Err(why) => {
                        failures.push(Failure::NotAsked { line: asker.line(), why });
                        return failures;
                    }
                };
                for (expected, asked) in expected {
                    let asked = (asked, place, test.allow_unknown);
                    failures.extend(access(cluster, (&who, arn), *expected, asked, by));
                }
            }
            Asserts::Who { asked, listed } => {
                failures.extend(who(cluster, (asked, place, test.allow_unknown), listed));
            }
        }
    }
    failures
}

/// A question as written, where it is asked, and whether unknown will do.
type Asked<'t> = (&'t Written, &'t Place, bool);

fn question(cluster: &Cluster, written: &str, place: &Place) -> Result<Question, String> {
    let words: Vec<&str> = written.split_whitespace().collect();
    let words = Words::of(&words, false).map_err(|error| error.to_string())?;
    let words = match place {
        Place::Default => words,
        Place::All => Words { all_namespaces: true, ..words },
        Place::Namespace(namespace) => Words { namespace: Some(namespace), ..words },
    };
    question::read(&words, cluster).map_err(|error| error.to_string())
}

fn who_is<'t>(cluster: &Cluster, asker: &'t Asker) -> Result<(Who, Option<&'t str>), String> {
    match asker {
        Asker::User { name, groups, .. } => Ok((Who::user(UserInfo::impersonated(name, groups)), None)),
        Asker::Arn { arn, session, .. } => {
            let who = cluster.identify(arn, session.as_deref());
            if let WhoIs::Error(error) = &who.is
                && let crate::identity::IdentityError::Arn(error) = &**error
            {
                return Err(format!("`{arn}` is not the ARN of a caller: {error}"));
            }
            if let Some(why) = who.identity.as_ref().and_then(crate::identity::IamIdentity::no_callers_arn) {
                return Err(format!("`{arn}` is not the ARN of a caller: {why}"));
            }
            Ok((who, Some(arn)))
        }
    }
}

fn access<'t, 'g>(
    cluster: &'g Cluster,
    (who, arn): (&Who, Option<&str>),
    expected: Ternary,
    (asked, place, allow_unknown): Asked<'t>,
    by: &'t [Written],
) -> Option<Failure<'t, 'g>> {
    let line = asked.line;
    let question = match question(cluster, &asked.text, place) {
        Ok(question) => question,
        Err(why) => return Some(Failure::NotAsked { line, why: format!("`{}`: {why}", asked.text) }),
    };
    let mut answered = can_i::explain(cluster, who, &question, None);
    if let Some(through) = through::best(cluster, who, arn, &question)
        && through.ternary > answered.ternary
    {
        answered = Answered { ternary: through.ternary, ..through.answered };
    }
    let holds = answered.ternary == expected || (answered.ternary == Ternary::Unknown && allow_unknown);
    if !holds {
        return Some(Failure::Answer {
            line,
            expected,
            who: Box::new(who.clone()),
            question: Box::new(question),
            answered: Box::new(answered),
        });
    }
    if by.is_empty() || answered.ternary != Ternary::Yes || expected != Ternary::Yes {
        return None;
    }
    let names = &cluster.graph().policy().names;
    let title = |grant: &crate::decide::evaluate::Grant<'_>| {
        let binding = grant.applied.binding;
        let namespace = names.text(binding.scope.namespace());
        let slash = if namespace.is_empty() { "" } else { "/" };
        format!("{} {namespace}{slash}{}", binding.kind(), names.text(binding.name))
    };
    let mut granting: Vec<String> =
        answered.answers.iter().flat_map(|answer| &answer.grants).map(title).collect();
    granting.sort_unstable();
    granting.dedup();
    let missing: Vec<&Written> = by.iter().filter(|one| !granting.contains(&one.text)).collect();
    let has_others = granting.iter().any(|title| by.iter().all(|one| one.text != *title))
        || answered.answers.iter().any(|answer| answer.is_master);
    (has_others || !missing.is_empty()).then(|| Failure::By {
        line,
        question: Box::new(question),
        answered: Box::new(answered),
        missing,
        has_others,
    })
}

/// How a subject is written in lists: `group: on-call`.
pub(crate) fn shown(subject: &Named) -> String {
    match subject.kind {
        "ServiceAccount" => format!("serviceAccount: {}/{}", subject.namespace, subject.name),
        "Group" => format!("group: {}", subject.name),
        _ => format!("user: {}", subject.name),
    }
}

/// Who can, as lists are compared with it: nobody who comes with Kubernetes or EKS, and not Group `system:masters`,
/// which always can. First those who can for any name, then those for some names.
pub(crate) fn holders(cluster: &Cluster, found: &mut WhoCan<'_>) -> (Vec<String>, Vec<String>) {
    system::leave_out(cluster, found);
    let (mut any, mut named) = (Vec::new(), Vec::new());
    let subjects = found.subjects.iter().filter(|can| !can.subject.is_masters());
    for (title, names) in subjects.map(|can| (shown(&can.subject), &can.names)) {
        if names.is_none() { any.push(title) } else { named.push(title) }
    }
    for can in &found.identities {
        let title = format!("arn: {}", can.arn);
        if can.names.is_none() { any.push(title) } else { named.push(title) }
    }
    any.extend(found.accounts.iter().map(|account| format!("account: {account}")));
    any.dedup();
    named.retain(|title| !any.contains(title));
    (any, named)
}

fn who<'t, 'g>(
    cluster: &'g Cluster,
    (asked, place, allow_unknown): Asked<'t>,
    listed: &'t Listed,
) -> Option<Failure<'t, 'g>> {
    let line = asked.line;
    let question = match question(cluster, &asked.text, place) {
        Ok(question) => question,
        Err(why) => return Some(Failure::NotAsked { line, why: format!("`{}`: {why}", asked.text) }),
    };
    let mut found = who_can(cluster, &question);
    let (any, named) = holders(cluster, &mut found);
    // What the ARN of a mapping says is what counts, in whatever case.
    let is_same = |one: &str, other: &str| {
        one == other || (one.starts_with("arn: ") && one.eq_ignore_ascii_case(other))
    };
    let has = |list: &[String], one: &str| list.iter().any(|own| is_same(own, one));
    let (mut extra, mut missing) = (Vec::new(), Vec::new());
    if let Some(only) = &listed.only {
        let lists_arns = only.iter().any(|one| one.text.starts_with("arn: "));
        let covered = |title: &str| {
            let identity = found.identities.iter().find(|can| title == format!("arn: {}", can.arn));
            identity.is_some_and(|can| {
                !can.through.is_empty()
                    && can.through.iter().all(|subject| {
                        let subject = found.subjects.get(*subject).map(|can| shown(&can.subject));
                        subject.is_some_and(|subject| only.iter().any(|one| one.text == subject))
                    })
            })
        };
        let is_listed = |title: &&String| only.iter().any(|one| is_same(&one.text, title));
        let all = any.iter().filter(|title| !is_listed(title) && (lists_arns || !covered(title)));
        extra.extend(all.cloned());
        missing.extend(only.iter().filter(|one| !has(&any, &one.text)).map(|one| one.text.clone()));
    }
    missing.extend(listed.includes.iter().filter(|one| !has(&any, &one.text)).map(|one| one.text.clone()));
    let excluded = listed.excludes.iter().filter(|one| has(&any, &one.text) || has(&named, &one.text));
    extra.extend(excluded.map(|one| one.text.clone()));
    let mut unknown = unknown_of(&found);
    let matters = listed.only.is_some() || !listed.excludes.is_empty();
    if !matters || allow_unknown {
        unknown.clear();
    }
    if listed.only.is_none() {
        let everyone = |one: &String| one == "everyone";
        unknown.retain(|one| everyone(one) || listed.excludes.iter().any(|other| is_same(&other.text, one)));
    }
    if extra.is_empty() && missing.is_empty() && unknown.is_empty() {
        return None;
    }
    let (question, found) = (Box::new(question), Box::new(found));
    Some(Failure::Who { line, question, found, extra, missing, unknown })
}

/// Of whom it is unknown whether they can.
fn unknown_of(found: &WhoCan<'_>) -> Vec<String> {
    let subjects = found.unknown_subjects.iter().map(|can| shown(&can.subject));
    let unresolved = found.unresolved.iter().flat_map(|binding| &binding.subjects).map(shown);
    let identities = found.unknown_identities.iter().map(|can| format!("arn: {}", can.arn));
    let everyone = (!found.unread.is_empty() || found.nothing_read).then(|| "everyone".to_owned());
    let mut all: Vec<String> = subjects.chain(unresolved).chain(identities).chain(everyone).collect();
    all.sort();
    all.dedup();
    all
}
