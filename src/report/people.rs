//! The people behind identities, in words and as JSON: who may become what, and what a session name is worth.

use std::io::{self, Write};
use std::rc::Rc;

use serde_json::{Value, json};

use super::iam::{
    Hops, conditions, hop_lines, lines_of, place, short, statements, way_conditions, way_documents,
};
use super::text;
use super::words::Hop as Line;
use crate::ask::behind::{Assumer, Who};
use crate::ask::naming::Naming;
use crate::ask::people::Becoming;
use crate::ask::question::Question;
use crate::ask::through::Through;
use crate::decide::cluster::Cluster;
use crate::identity::iam::{Door, DoorKind, Hop};
use crate::identity::pod_roles::PodRole;
use crate::model::source::Source;
use crate::model::ternary::Ternary;

/// A door in words.
pub(super) fn door_title(cluster: &Cluster, door: &Door) -> String {
    match door.kind {
        DoorKind::Anyone => "anyone in AWS".to_owned(),
        DoorKind::Account => format!("whoever account {} lets", door.name),
        DoorKind::Stranger => door.name.to_string(),
        DoorKind::Service if &*door.name == "ec2.amazonaws.com" => {
            let role = cluster.iam().principal_of(door.role);
            let profiles = role.map_or(&[][..], |role| &role.instance_profiles);
            if profiles.is_empty() {
                return "service ec2.amazonaws.com, but no instance profile holds the role".to_owned();
            }
            let names: Vec<&str> = profiles.iter().map(|arn| arn.rsplit('/').next().unwrap_or(arn)).collect();
            format!(
                "service ec2.amazonaws.com: instances with profile {}, and pods on them that reach the instance metadata",
                names.join(", ")
            )
        }
        DoorKind::Service => format!("service {}", door.name),
        DoorKind::WebIdentity => format!("web identity of {}", door.name),
        DoorKind::Saml => format!("SAML identity of {}", door.name),
    }
}

/// What going through a door and on depends on.
pub(super) fn door_conditions(cluster: &Cluster, door: &Door, hops: &[Rc<Hop>]) -> Vec<String> {
    let mut all = Vec::new();
    if door.kind == DoorKind::Account {
        all.push(format!("account {} must allow it to its principals", door.name));
    }
    if door.verdict.value == Ternary::Unknown {
        all.extend(conditions(cluster, &door.verdict.why));
    }
    all.extend(way_conditions(cluster, hops));
    all
}

/// The group of Identity Center through which somebody comes.
pub(super) fn group_of(who: &Who) -> Option<&str> {
    match who {
        Who::Person(person) => person.group.as_deref(),
        _ => None,
    }
}

/// Where it stands that somebody becomes a role.
pub(super) fn source_of(who: &Who) -> Source {
    match who {
        Who::Person(person) => person.source,
        Who::Pods(pods) => pods.source,
        Who::Principal(_) | Who::Door(_) => Source::default(),
    }
}

/// The mapped roles that somebody may become, for machines.
pub fn may_become_document(cluster: &Cluster, ways: &[Becoming]) -> Value {
    let document = |way: &Becoming| {
        json!({
            "arn": way.arn,
            "via": way_documents(cluster, &way.hops),
            "conditions": way_conditions(cluster, &way.hops),
        })
    };
    ways.iter().map(document).collect()
}

/// The mapped roles that somebody may become, for people.
pub fn may_become_lines(cluster: &Cluster, ways: &[Becoming], depth: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for way in ways {
        let when = if way.value.is_yes() { "" } else { ", on conditions" };
        lines.push(Line { depth, text: format!("may become `{}`{when}", way.arn), place: String::new() });
        lines.extend(hop_lines(cluster, &way.hops, depth + 1));
    }
    lines
}

/// What somebody's becoming a mapped role depends on.
pub(super) fn assumer_conditions(cluster: &Cluster, assumer: &Assumer) -> Vec<String> {
    match &assumer.who {
        Who::Door(door) => door_conditions(cluster, door, &assumer.hops),
        Who::Pods(pods) => {
            let mut all: Vec<String> = role_condition(pods).into_iter().collect();
            all.extend(way_conditions(cluster, &assumer.hops));
            all
        }
        _ => way_conditions(cluster, &assumer.hops),
    }
}

/// What must hold where an association tells only a part of its role.
fn role_condition(pods: &PodRole) -> Option<String> {
    let written = pods.written.as_ref()?;
    Some(format!("the role of the association, `{written}`, must be `{}`", pods.role))
}

/// Who can become a mapped role, for machines.
pub fn assumable_by_document(cluster: &Cluster, people: &[Assumer]) -> Value {
    let document = |assumer: &Assumer| {
        json!({
            "arn": assumer.who.name(),
            "kind": assumer.who.kind(),
            "group": group_of(&assumer.who),
            "via": way_documents(cluster, &assumer.hops),
            "conditions": assumer_conditions(cluster, assumer),
        })
    };
    people.iter().map(document).collect()
}

/// Somebody in words, and the place where that stands.
fn title(cluster: &Cluster, assumer: &Assumer) -> (String, String) {
    let show = |source| cluster.sources().show(source).to_string();
    match &assumer.who {
        Who::Principal(arn) => (short(arn).to_owned(), String::new()),
        Who::Door(door) => (door_title(cluster, door), place(cluster, door.hit)),
        Who::Person(person) => {
            let group = person.user.as_ref().and(person.group.as_ref());
            let group = group.map(|group| format!(" by group `{group}`")).unwrap_or_default();
            (format!("{}{group} (Identity Center)", assumer.who.name()), show(person.source))
        }
        Who::Pods(pods) => (
            format!("pods of service account `{}/{}`", pods.namespace, pods.service_account),
            show(pods.source),
        ),
    }
}

/// Somebody in one line: through which groups and roles, and on what conditions.
pub(super) fn phrase(cluster: &Cluster, assumer: &Assumer) -> String {
    let data = cluster.iam();
    let mut text = title(cluster, assumer).0;
    let mut groups: Vec<&str> = Vec::new();
    for hit in assumer.hops.iter().flat_map(|hop| statements(&hop.verdict.why)) {
        let group = hit.group.and_then(|group| data.group(group)).map(|group| &*group.name);
        groups.extend(group.filter(|group| !groups.contains(group)));
    }
    if !groups.is_empty() {
        text = format!("{text} by group `{}`", groups.join("`, `"));
    }
    let over: Vec<&str> = assumer.hops.iter().skip(1).map(|hop| short(&hop.from)).collect();
    if !over.is_empty() {
        text = format!("{text} over {}", over.join(" and "));
    }
    let conditions = assumer_conditions(cluster, assumer);
    match (conditions.is_empty(), assumer.value) {
        (false, _) => format!("{text}, on conditions: {}", conditions.join("; and ")),
        (true, Ternary::Yes) => text,
        (true, _) => format!("{text}, on conditions"),
    }
}

/// Who can become a mapped role, for people.
pub fn assumable_by_lines(cluster: &Cluster, people: &[Assumer], depth: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut said = Hops::default();
    for assumer in people {
        let (name, place) = title(cluster, assumer);
        let when = if assumer.value.is_yes() { "" } else { ", on conditions" };
        lines.push(Line { depth, text: format!("{name}{when}"), place });
        match (&assumer.who, assumer.hops.as_slice()) {
            (Who::Principal(_), [only]) => {
                said.said(only);
                lines_of(cluster, &only.verdict, depth + 1, &mut lines);
            }
            (who, hops) => {
                if let Who::Door(door) = who {
                    lines_of(cluster, &door.verdict, depth + 1, &mut lines);
                }
                if let Who::Pods(pods) = who {
                    let text = role_condition(pods).map(|condition| format!("condition: {condition}"));
                    lines.extend(text.map(|text| Line { depth: depth + 1, text, place: String::new() }));
                }
                lines.extend(said.lines(cluster, hops, depth + 1));
            }
        }
    }
    lines
}

/// Why it is a "no" also for the roles that somebody may become, in a sentence.
pub fn no_way(roles: &[String]) -> String {
    if roles.is_empty() {
        return "by the IAM exports it may become none of the mapped roles; `can-i sts:AssumeRole ROLE --arn ARN` says what comes nearest".to_owned();
    }
    let names: Vec<String> = roles.iter().map(|arn| short(arn).to_owned()).collect();
    format!("the mapped roles that it may become may not either: {}", text::some_of(&names))
}

/// Writes that an answer holds through a mapped role, before that role's own answer.
///
/// # Errors
/// If writing fails.
pub fn through(
    out: &mut dyn Write,
    cluster: &Cluster,
    own: &str,
    question: &Question,
    found: &Through<'_>,
) -> io::Result<()> {
    let title = super::question::title(question);
    text::headline(out, found.ternary, &title, own)?;
    writeln!(out)?;
    let mut lines = vec![Line {
        depth: 0,
        text: format!("through `{}`, which it may become", found.way.arn),
        place: String::new(),
    }];
    lines.extend(hop_lines(cluster, &found.way.hops, 1));
    text::hops(out, &lines, 2)?;
    writeln!(out)
}

/// An answer through a mapped role, for machines: that role's own answer, with the way to it.
pub fn through_document(cluster: &Cluster, own: &str, found: &Through<'_>, mut document: Value) -> Value {
    let conditions = way_conditions(cluster, &found.way.hops);
    if let Some(object) = document.as_object_mut() {
        object.insert("answer".into(), found.ternary.as_str().into());
        if let Some(identity) = object.get_mut("identity").and_then(Value::as_object_mut) {
            identity.insert("arn".into(), own.into());
            identity.insert("through".into(), found.way.arn.clone().into());
        }
        object.insert("via".into(), way_documents(cluster, &found.way.hops).into());
        object.insert("conditions".into(), conditions.into());
    }
    document
}

/// What the session name in a username is worth, in sentences; what is a finding, first.
pub fn naming_sentences(naming: &Naming) -> Vec<String> {
    let mut sentences = Vec::new();
    if !naming.as_node.is_empty() {
        let names: Vec<String> = naming.as_node.iter().map(|(name, _)| short(name).to_owned()).collect();
        let certain = naming.as_node.iter().any(|(_, value)| value.is_yes());
        sentences.push(format!(
            "finding: {} may choose an instance ID as session name{} and then is that node",
            text::some_of(&names),
            if certain { "" } else { ", on conditions," },
        ));
    }
    if !naming.chosen_by.is_empty() {
        let names: Vec<String> = naming.chosen_by.iter().map(|name| short(name).to_owned()).collect();
        sentences.push(format!(
            "the session name in the username proves nobody: {} may choose any",
            text::some_of(&names)
        ));
    } else if !naming.pinned.is_empty() {
        sentences.push(
            "the session name in the username names the person: the trust policy or Identity Center fixes it"
                .to_owned(),
        );
    }
    sentences
}

/// The same, for machines.
pub fn naming_document(naming: Option<&Naming>) -> Value {
    let Some(naming) = naming else { return Value::Null };
    let pinned = naming.pinned.iter().map(|(arn, name)| json!({ "arn": arn, "sessionName": name }));
    let nodes = naming.as_node.iter().map(|(arn, value)| json!({ "arn": arn, "answer": value.as_str() }));
    json!({
        "chosenBy": naming.chosen_by,
        "pinned": pinned.collect::<Vec<_>>(),
        "asNode": nodes.collect::<Vec<_>>(),
        "sentences": naming_sentences(naming),
    })
}
