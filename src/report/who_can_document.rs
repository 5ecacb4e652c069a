//! Everyone who can do something, for machines.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::ask::naming::naming;
use crate::ask::who_can::{GrantRef, IdentityAccess, Named, SubjectAccess, WhoCan, grants_of};
use crate::decide::answer::Doubt;
use crate::decide::cluster::Cluster;
use crate::model::ternary::Ternary;

use super::json::Each;
use super::who_can::basis;
use super::{eks_doors, json, people as of_people, phrases, text, words};

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
        let notes: Vec<String> = asked.notes.iter().cloned().chain(basis(cluster, found).lines).collect();
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
        let lacks_entries = found.lacks_entries && found.ternary() == Ternary::Unknown;
        unknown.extend(lacks_entries.then(|| json!({ "reason": phrases::ENTRIES_MAY_LACK })));
        unknown.extend(found.unread.iter().map(|source| {
            json!({
                "reason": text::doubt_sentence(cluster, &Doubt::Unread(*source)),
                "source": words::place(policy, *source).to_string(),
                "sources": json::unread_places(cluster, *source),
            })
        }));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("accounts", &found.accounts)?;
        map.serialize_entry("answer", found.ternary().as_str())?;
        map.serialize_entry("asked", asked.text)?;
        if !cluster.iam().is_empty() {
            map.serialize_entry("eksDoors", &eks_doors::document(cluster, &found.eks_doors))?;
        }
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
        let people = of_people::assumable_by_document(cluster, &can.people);
        parts.insert("assumableBy".to_owned(), Part::Value(people));
        let worth = of_people::naming_document(naming(&can.who, &can.people).as_ref());
        parts.insert("sessionNames".to_owned(), Part::Value(worth));
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
