//! Everyone who can do something, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::ask::system::LeftOut;
use crate::ask::who_can::{GrantRef, IdentityAccess, Named, SubjectAccess, WhoCan, grants_of};
use crate::decide::answer::Doubt;
use crate::decide::cluster::{Cluster, WhoIs};
use crate::decide::evaluate::Grant;

use super::aligned::Aligned;
use super::json::Each;
use super::phrases::{self, counted, counted_as};
use super::visible::visible;
use super::words::Hop;
use super::{iam, json, text, words};

/// ``Group `developers` ``, ``ServiceAccount `prod/app` ``.
fn title(subject: &Named) -> String {
    match subject.kind {
        "ServiceAccount" => format!("ServiceAccount `{}/{}`", subject.namespace, subject.name),
        kind => format!("{kind} `{}`", subject.name),
    }
}

/// The first line: how many can do what.
fn summary(found: &WhoCan<'_>, asked: &str) -> String {
    let subjects = found.subjects.iter().filter(|can| !can.subject.is_masters()).count();
    let identities = found.identities.iter().filter(|can| !can.is_in_masters()).count();
    let besides = "besides Group `system:masters`";
    match (subjects, identities) {
        (0, 0) => format!("no one {besides} can {asked}"),
        (0, _) => format!(
            "{} can {asked}, but no single subject {besides}",
            counted_as(identities, "IAM identity", "IAM identities")
        ),
        _ => {
            let identities = match identities {
                0 => String::new(),
                _ => format!(" and {}", counted_as(identities, "IAM identity", "IAM identities")),
            };
            format!("{}{identities} {besides} can {asked}", counted(subjects, "subject"))
        }
    }
}

/// The limit to some names of objects, behind a title.
fn limit(names: Option<&[String]>) -> String {
    names.map_or(String::new(), |names| format!(", only named {}", text::some_of(names)))
}

/// The binding and the rule of a grant, a line each; with the namespace where it is not plain.
fn grant_lines(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    grant: &Grant<'_>,
    depth: usize,
) -> io::Result<()> {
    let graph = cluster.graph();
    let policy = graph.policy();
    let bound = grant.applied.binding;
    let number = grant.rule.position + 1;
    lines.line(
        depth,
        format_args!("{} of {}", words::binding(policy, bound), words::role_ref(policy, bound)),
        words::subject_place(graph, grant),
    )?;
    if let Some(role) = grant.applied.role {
        for step in graph.provenance(role, &grant.rule) {
            let place = words::place(policy, step.from.source);
            lines.line(depth + 1, words::aggregation(policy, &step), place)?;
        }
    }
    lines.line(
        depth + 1,
        format_args!("rule {number}: {}", words::rule(policy, &grant.rule.rule)),
        words::rule_place(policy, &grant.rule),
    )
}

fn all_grants(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    grants: &[GrantRef<'_>],
    depth: usize,
) -> io::Result<()> {
    grants
        .iter()
        .filter_map(|grant| grant.grant(cluster))
        .try_for_each(|grant| grant_lines(lines, cluster, &grant, depth))
}

/// An IAM identity and its place; `any_session` says that the answer holds for every session name.
fn identity_line(cluster: &Cluster, can: &IdentityAccess<'_>, any_session: bool) -> (String, String) {
    let mut text = format!("IAM {}", can.arn);
    let mut place = String::new();
    if let WhoIs::Mapped(mapped) = &can.who.is {
        text = format!("{text} ({}, user `{}`)", mapped.provenance.kind.as_str(), mapped.username);
        if can.who.only_instances() {
            text.push_str(", only sessions whose name is an EC2 instance ID");
        } else if any_session && mapped.is_symbolic() {
            text.push_str(", any session");
        }
        place = cluster.sources().show(mapped.provenance.source).to_string();
    }
    text.push_str(&limit(can.names.as_deref()));
    (text, place)
}

/// Writes everyone who can, for people.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, cluster: &Cluster, asked: &str, found: &WhoCan<'_>) -> io::Result<()> {
    let style = text::style(found.ternary());
    writeln!(out, "{style}{}{style:#}", visible(&summary(found, asked)))?;
    let mut behind: Vec<Vec<&IdentityAccess<'_>>> = Vec::new();
    behind.resize_with(found.subjects.len(), Vec::new);
    for identity in &found.identities {
        for index in &identity.through {
            behind.get_mut(*index).into_iter().for_each(|behind| behind.push(identity));
        }
    }
    let unknown = unknown_identities(cluster, found);
    Aligned::write(out, 0, |lines| {
        for (can, behind) in found.subjects.iter().zip(&behind) {
            section(lines, format_args!("{}{}", title(&can.subject), limit(can.names.as_deref())))?;
            if can.subject.is_masters() {
                lines.bare(1, phrases::EVERY_REQUEST)?;
            }
            all_grants(lines, cluster, &can.grants, 1)?;
            for identity in behind {
                let (text, place) = identity_line(cluster, identity, true);
                lines.line(1, text, place)?;
                people(lines, cluster, identity)?;
            }
        }
        let mut together = found.identities.iter().filter(|identity| identity.through.is_empty()).peekable();
        if together.peek().is_some() {
            section(lines, "through several subjects together")?;
        }
        for identity in together {
            let (text, place) = identity_line(cluster, identity, true);
            lines.line(1, text, place)?;
            people(lines, cluster, identity)?;
            for grant in grants_of(identity) {
                grant_lines(lines, cluster, &grant, 2)?;
            }
        }
        for account in &found.accounts {
            section(lines, format_args!("every IAM principal of account {account} (mapAccounts)"))?;
        }
        single_namespaces(lines, cluster, found)?;
        unknown_access(lines, cluster, found, &unknown)
    })?;
    writeln!(out)?;
    text::notes(out, &notes(cluster, found))
}

/// The people who can become an identity.
fn people(lines: &mut Aligned<'_>, cluster: &Cluster, can: &IdentityAccess<'_>) -> io::Result<()> {
    let people = iam::assumable_by_lines(cluster, &can.people, 2);
    people.iter().try_for_each(|line| lines.line(line.depth, &line.text, &line.place))
}

fn section(lines: &mut Aligned<'_>, title: impl Display) -> io::Result<()> {
    lines.bare(0, "")?;
    lines.bare(0, title)
}

fn single_namespaces(lines: &mut Aligned<'_>, cluster: &Cluster, found: &WhoCan<'_>) -> io::Result<()> {
    if found.in_namespaces.is_empty() && found.identities_in.is_empty() {
        return Ok(());
    }
    section(lines, "only in some namespaces")?;
    for can in &found.in_namespaces {
        let namespaces = words::joined(can.namespaces.iter());
        lines.bare(
            1,
            format_args!("{}{} in {namespaces}", title(&can.subject), limit(can.names.as_deref())),
        )?;
        all_grants(lines, cluster, &can.grants, 2)?;
    }
    for (identity, namespaces) in &found.identities_in {
        let (text, place) = identity_line(cluster, identity, true);
        lines.line(1, format_args!("{text} in {}", words::joined(namespaces.iter())), place)?;
        people(lines, cluster, identity)?;
    }
    Ok(())
}

/// In how many lines before a reason is not said again.
const LATELY: usize = 8;

/// The IAM identities whose answer is unknown, and why, line by line.
fn unknown_identities(cluster: &Cluster, found: &WhoCan<'_>) -> Vec<Hop> {
    let mut lines = said_before(cluster, found);
    let before = lines.len();
    for identity in &found.unknown_identities {
        let (text, place) = identity_line(cluster, identity, false);
        lines.push(Hop { depth: 1, text, place });
        for doubt in identity.answers.iter().flat_map(|answer| &answer.doubts) {
            let text = text::doubt_sentence(cluster, doubt);
            if !lines.iter().rev().take(LATELY).any(|line| line.text == text) {
                lines.push(Hop { depth: 2, text, place: String::new() });
            }
        }
    }
    lines.split_off(before)
}

/// The document that could not be read, which may be the reason of an identity as well, and a line without text for
/// each that comes between it and the identities; no more of those than matter.
fn said_before(cluster: &Cluster, found: &WhoCan<'_>) -> Vec<Hop> {
    let Some(source) = found.unread else { return Vec::new() };
    let graph = cluster.graph();
    let of_grant =
        |grant: Grant<'_>| 2 + grant.applied.role.map_or(0, |role| graph.provenance(role, &grant.rule).len());
    let of_subject = |can: &SubjectAccess<'_>| {
        let grants = can.grants.iter().take(LATELY).filter_map(|grant| grant.grant(cluster));
        1 + grants.map(of_grant).sum::<usize>()
    };
    let between =
        found.unresolved.len() + found.unknown_subjects.iter().take(LATELY).map(of_subject).sum::<usize>();
    let hop = |text| Hop { depth: 1, text, place: String::new() };
    let mut lines = vec![hop(text::doubt_sentence(cluster, &Doubt::Unread(source)))];
    lines.resize_with(1 + between.min(LATELY), || hop(String::new()));
    lines
}

fn unknown_access(
    lines: &mut Aligned<'_>,
    cluster: &Cluster,
    found: &WhoCan<'_>,
    unknown: &[Hop],
) -> io::Result<()> {
    let policy = cluster.graph().policy();
    let nothing = found.unresolved.is_empty() && found.unknown_subjects.is_empty() && unknown.is_empty();
    if nothing && found.unread.is_none() && !found.nothing_read {
        return Ok(());
    }
    section(lines, phrases::UNKNOWN)?;
    if found.nothing_read {
        lines.bare(1, phrases::NOTHING_READ)?;
    }
    if let Some(source) = found.unread {
        let sentence = text::doubt_sentence(cluster, &Doubt::Unread(source));
        lines.line(1, sentence, words::place(policy, source))?;
    }
    for unresolved in &found.unresolved {
        let names = words::joined(unresolved.subjects.iter().map(title));
        let none = if unresolved.subjects.is_empty() { "no subjects" } else { "" };
        let why = words::not_in_inputs(cluster.graph(), &unresolved.binding);
        let bound = unresolved.binding.binding;
        lines.line(
            1,
            format_args!("{none}{names}: {why}"),
            words::place(policy, bound.source.at_line(bound.role_ref_line)),
        )?;
    }
    for can in &found.unknown_subjects {
        let title = title(&can.subject);
        lines.bare(1, format_args!("{title}: {}", phrases::QUESTION_LEAVES_OPEN))?;
        all_grants(lines, cluster, &can.grants, 2)?;
    }
    unknown.iter().try_for_each(|hop| lines.line(hop.depth, &hop.text, &hop.place))
}

/// Who was left out as part of the system, in a sentence.
pub fn left_out(left_out: &LeftOut) -> Option<String> {
    let LeftOut { subjects, identities, bound_by_inputs } = left_out;
    let mut counts = Vec::new();
    if *subjects > 0 {
        counts.push(counted(*subjects, "subject"));
    }
    if *identities > 0 {
        counts.push(counted_as(*identities, "IAM identity of nodes", "IAM identities of nodes"));
    }
    let also = if bound_by_inputs.is_empty() {
        String::new()
    } else {
        format!(", of which bindings of the inputs name {}", bound_by_inputs.join(", "))
    };
    (!counts.is_empty()).then(|| format!("left out as part of the system: {}{also}", counts.join(" and ")))
}

/// Who cannot because EKS lets nobody in without credentials, in a sentence.
fn closed_out(found: &WhoCan<'_>) -> Option<String> {
    let names = words::joined(found.closed_out.iter().map(title));
    (!found.closed_out.is_empty()).then(|| {
        format!(
            "bindings would allow {names} this, but EKS answers requests without credentials with 401 before RBAC is asked"
        )
    })
}

/// What the list rests on.
pub fn notes(cluster: &Cluster, found: &WhoCan<'_>) -> Vec<String> {
    let no_user = crate::decide::cluster::Who::user(crate::model::user::UserInfo::default());
    let mut notes = text::assumptions(cluster, &no_user);
    if cluster.identities().is_empty() {
        notes.push(format!("{}, so no IAM identities are listed", phrases::NO_MAPPINGS));
    }
    notes.extend(closed_out(found));
    for doubt in cluster.identities().doubts() {
        notes.push(format!("{} ({})", doubt.text, cluster.sources().show(doubt.source)));
    }
    notes.push(phrases::NOT_IN_INPUTS.to_owned());
    notes
}

/// A question in words and as JSON, and what was said of it.
#[derive(Copy, Clone, Debug)]
pub struct Asked<'a> {
    /// What was asked, in words.
    pub text: &'a str,
    /// The attributes of the request, or the operation.
    pub question: &'a Value,
    /// How it was read.
    pub notes: &'a [String],
    /// What may be wrong with it.
    pub warnings: &'a [String],
}

/// Everyone who can, for machines: made as it is written, as there may be hundreds of thousands of grants.
pub fn document<'a>(cluster: &'a Cluster, asked: Asked<'a>, found: &'a WhoCan<'a>) -> impl Serialize + 'a {
    Document { cluster, asked, found }
}

struct Document<'a> {
    cluster: &'a Cluster,
    asked: Asked<'a>,
    found: &'a WhoCan<'a>,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { cluster, asked, found } = *self;
        let policy = cluster.graph().policy();
        let notes: Vec<String> = asked.notes.iter().cloned().chain(notes(cluster, found)).collect();
        let subjects_in = found.in_namespaces.iter().map(|can| SubjectDocument {
            cluster,
            subject: &can.subject,
            grants: &can.grants,
            namespaces: Some(&can.namespaces),
            names: can.names.as_deref(),
        });
        let identities_in: Vec<Parts<'_>> = found
            .identities_in
            .iter()
            .map(|(can, namespaces)| {
                let mut parts = identity(cluster, found, can);
                parts.insert("namespaces".to_owned(), Part::Texts(namespaces));
                parts
            })
            .collect();
        let mut unknown = unknown_reasons(cluster, found);
        unknown.extend(found.nothing_read.then(|| json!({ "reason": phrases::NOTHING_READ })));
        unknown.extend(found.unread.map(|source| {
            json!({
                "reason": text::doubt_sentence(cluster, &Doubt::Unread(source)),
                "source": words::place(policy, source).to_string(),
            })
        }));
        let mut map = serializer.serialize_map(Some(11))?;
        map.serialize_entry("accounts", &found.accounts)?;
        map.serialize_entry("answer", found.ternary().as_str())?;
        map.serialize_entry("asked", asked.text)?;
        map.serialize_entry("identities", &identities(cluster, found, &found.identities))?;
        map.serialize_entry(
            "inNamespaces",
            &InNamespaces { identities: &identities_in, subjects: Each(subjects_in) },
        )?;
        map.serialize_entry("kubernetesVersion", &cluster.version().to_string())?;
        map.serialize_entry("notes", &notes)?;
        map.serialize_entry("question", asked.question)?;
        map.serialize_entry("subjects", &subjects(cluster, &found.subjects))?;
        map.serialize_entry("unknown", &unknown)?;
        map.serialize_entry("warnings", asked.warnings)?;
        map.end()
    }
}

#[derive(Serialize)]
struct InNamespaces<'a, S> {
    identities: &'a [Parts<'a>],
    subjects: S,
}

/// Everyone whose answer is unknown, each with the reason: subjects, and identities by their ARN.
fn unknown_reasons(cluster: &Cluster, found: &WhoCan<'_>) -> Vec<Value> {
    let policy = cluster.graph().policy();
    let mut reasons = Vec::new();
    for unresolved in &found.unresolved {
        let bound = unresolved.binding.binding;
        let reason = words::not_in_inputs(cluster.graph(), &unresolved.binding);
        let source = words::place(policy, bound.source.at_line(bound.role_ref_line)).to_string();
        reasons.extend(
            unresolved
                .subjects
                .iter()
                .map(|named| json!({ "subject": subject(named), "reason": reason, "source": source })),
        );
    }
    for can in &found.unknown_subjects {
        reasons.push(json!({ "subject": subject(&can.subject), "reason": phrases::QUESTION_LEAVES_OPEN }));
    }
    for can in &found.unknown_identities {
        let doubts = can.answers.iter().flat_map(|answer| &answer.doubts);
        let mut sentences: Vec<String> = doubts.map(|doubt| text::doubt_sentence(cluster, doubt)).collect();
        sentences.dedup();
        let mut row = json!({ "arn": can.arn, "reason": sentences.first(), "reasons": sentences });
        if let (Some(fields), Value::Object(identity)) =
            (row.as_object_mut(), json::identity(cluster, &can.who, Some(&can.arn)))
        {
            for key in ["username", "groups", "via", "source"] {
                fields.extend(identity.get(key).map(|value| (key.to_owned(), value.clone())));
            }
        }
        reasons.push(row);
    }
    reasons
}

fn subject(named: &Named) -> Value {
    json!({ "kind": named.kind, "namespace": named.namespace, "name": named.name })
}

/// A subject with its grants.
struct SubjectDocument<'a> {
    cluster: &'a Cluster,
    subject: &'a Named,
    grants: &'a [GrantRef<'a>],
    /// Where it can; `None` where the question says it.
    namespaces: Option<&'a [&'a str]>,
    /// The names of objects to which it is limited; `None` for any.
    names: Option<&'a [String]>,
}

impl Serialize for SubjectDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { cluster, subject, grants, namespaces, names } = self;
        let grants = grants.iter().filter_map(|grant| grant.grant(cluster));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("grants", &Each(grants.map(|grant| json::grant_document(cluster, grant))))?;
        map.serialize_entry("kind", subject.kind)?;
        map.serialize_entry("name", &subject.name)?;
        map.serialize_entry("names", names)?;
        map.serialize_entry("namespace", &subject.namespace)?;
        if let Some(namespaces) = namespaces {
            map.serialize_entry("namespaces", namespaces)?;
        }
        map.serialize_entry("systemMasters", &subject.is_masters())?;
        map.end()
    }
}

fn subjects<'a>(cluster: &'a Cluster, list: &'a [SubjectAccess<'a>]) -> impl Serialize + 'a {
    Each(list.iter().map(move |can| SubjectDocument {
        cluster,
        subject: &can.subject,
        grants: &can.grants,
        namespaces: None,
        names: can.names.as_deref(),
    }))
}

/// An object whose parts are made in different ways.
type Parts<'a> = BTreeMap<String, Part<'a>>;

enum Part<'a> {
    Value(Value),
    Texts(&'a [&'a str]),
    Grants(&'a Cluster, &'a IdentityAccess<'a>),
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Grants(cluster, can) => serializer
                .collect_seq(grants_of(can).into_iter().map(|grant| json::grant_document(cluster, grant))),
        }
    }
}

fn identity<'a>(cluster: &'a Cluster, found: &WhoCan<'_>, can: &'a IdentityAccess<'a>) -> Parts<'a> {
    let mut parts = Parts::new();
    if let Value::Object(object) = json::identity(cluster, &can.who, Some(&can.arn)) {
        parts.extend(object.into_iter().map(|(key, value)| (key, Part::Value(value))));
    }
    let through = can.through.iter().filter_map(|index| found.subjects.get(*index));
    let through = through.map(|can| subject(&can.subject)).collect();
    let doubts = can.answers.iter().flat_map(|answer| &answer.doubts);
    let doubts = doubts.map(|doubt| Value::from(text::doubt_sentence(cluster, doubt))).collect();
    if !cluster.iam().is_empty() {
        let people = iam::assumable_by_document(cluster, &can.people);
        parts.insert("assumableBy".to_owned(), Part::Value(people));
    }
    parts.insert("through".to_owned(), Part::Value(through));
    parts.insert("grants".to_owned(), Part::Grants(cluster, can));
    parts.insert("names".to_owned(), Part::Value(json!(can.names)));
    parts.insert("systemMasters".to_owned(), Part::Value(can.is_in_masters().into()));
    parts.insert("unknown".to_owned(), Part::Value(doubts));
    parts
}

fn identities<'a>(
    cluster: &'a Cluster,
    found: &WhoCan<'_>,
    list: &'a [IdentityAccess<'a>],
) -> Vec<Parts<'a>> {
    list.iter().map(|can| identity(cluster, found, can)).collect()
}
