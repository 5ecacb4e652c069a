//! Everyone who can do something, for people and for machines.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::answer::Doubt;
use crate::cluster::{Cluster, WhoIs};
use crate::evaluate::Grant;
use crate::who_can::{IdentityCan, Named, SubjectCan, WhoCan, grants_of};

use super::words::Hop;
use super::{json, text, visible, words};

/// ``Group `developers` ``, ``ServiceAccount `prod/app` ``.
fn title(subject: &Named) -> String {
    match subject.kind {
        "ServiceAccount" => format!("ServiceAccount `{}/{}`", subject.namespace, subject.name),
        kind => format!("{kind} `{}`", subject.name),
    }
}

fn count(number: usize, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {more}") }
}

/// The first line: how many can do what.
fn summary(found: &WhoCan<'_>, asked: &str) -> String {
    let subjects = found.subjects.iter().filter(|can| !can.subject.is_masters()).count();
    let identities = found.identities.len();
    let besides = "besides Group `system:masters`";
    match (subjects, identities) {
        (0, 0) => format!("nobody {besides} can {asked}"),
        (0, _) => format!(
            "{} can {asked}; no subject {besides}",
            count(identities, "IAM identity", "IAM identities")
        ),
        _ => {
            let identities = match identities {
                0 => String::new(),
                _ => format!(" and {}", count(identities, "IAM identity", "IAM identities")),
            };
            format!("{}{identities} {besides} can {asked}", count(subjects, "subject", "subjects"))
        }
    }
}

fn hop(depth: usize, text: String, place: String) -> Hop {
    Hop { depth, text, place }
}

/// The binding and the rule of a grant, a line each; with the namespace where it is not plain.
fn grant_hops(cluster: &Cluster, grant: &Grant<'_>, depth: usize, lines: &mut Vec<Hop>) {
    let graph = cluster.graph();
    let policy = graph.policy();
    let bound = grant.applied.binding;
    let number = grant.rule.position + 1;
    lines.push(hop(
        depth,
        format!("{} of {}", words::binding(policy, bound), words::role_ref(policy, bound)),
        words::subject_place(graph, grant),
    ));
    if let Some(role) = grant.applied.role {
        for step in graph.provenance(role, &grant.rule) {
            lines.push(hop(
                depth + 1,
                words::aggregation(policy, &step),
                words::place(policy, step.from.source),
            ));
        }
    }
    lines.push(hop(
        depth + 1,
        format!("rule {number}: {}", words::rule(policy, &grant.rule.rule)),
        words::rule_place(policy, &grant.rule),
    ));
}

fn identity_hop(cluster: &Cluster, can: &IdentityCan<'_>, depth: usize) -> Hop {
    let mut text = format!("IAM {}", can.arn);
    let mut place = String::new();
    if let WhoIs::Mapped(mapped) = &can.who.is {
        text = format!("{text} ({}, user `{}`)", mapped.provenance.kind.as_str(), mapped.username);
        if mapped.is_symbolic() {
            text.push_str(", whatever the session is named");
        }
        place = cluster.sources().show(mapped.provenance.source).to_string();
    }
    hop(depth, text, place)
}

/// Writes everyone who can, for people.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, cluster: &Cluster, asked: &str, found: &WhoCan<'_>) -> io::Result<()> {
    let style = text::style(found.ternary());
    writeln!(out, "{style}{}{style:#}", visible::visible(&summary(found, asked)))?;
    let mut lines = Vec::new();
    for (can, index) in found.subjects.iter().zip(0usize..) {
        lines.push(hop(0, String::new(), String::new()));
        lines.push(hop(0, title(&can.subject), String::new()));
        if can.subject.is_masters() {
            lines.push(hop(1, "everything is allowed before RBAC is asked".to_owned(), String::new()));
        }
        subject_lines(cluster, can, &mut lines);
        for identity in found.identities.iter().filter(|identity| identity.through.contains(&index)) {
            lines.push(identity_hop(cluster, identity, 1));
        }
    }
    let together: Vec<_> = found.identities.iter().filter(|identity| identity.through.is_empty()).collect();
    if !together.is_empty() {
        section(&mut lines, "by several subjects together");
        for identity in together {
            lines.push(identity_hop(cluster, identity, 1));
            for grant in grants_of(identity) {
                grant_hops(cluster, &grant, 2, &mut lines);
            }
        }
    }
    for account in &found.accounts {
        section(&mut lines, &format!("every IAM principal of account {account}, by mapAccounts"));
    }
    single_namespaces(cluster, found, &mut lines);
    cannot_be_told(cluster, found, &mut lines);
    text::hops(out, &lines, 0)?;
    writeln!(out)?;
    text::notes(out, &notes(cluster))
}

fn section(lines: &mut Vec<Hop>, title: &str) {
    lines.push(hop(0, String::new(), String::new()));
    lines.push(hop(0, title.to_owned(), String::new()));
}

fn subject_lines(cluster: &Cluster, can: &SubjectCan<'_>, lines: &mut Vec<Hop>) {
    for grant in &can.grants {
        grant_hops(cluster, grant, 1, lines);
    }
}

fn single_namespaces(cluster: &Cluster, found: &WhoCan<'_>, lines: &mut Vec<Hop>) {
    if found.in_namespaces.is_empty() && found.identities_in.is_empty() {
        return;
    }
    section(lines, "only in single namespaces");
    for can in &found.in_namespaces {
        let title = format!("{} in {}", title(&can.subject), can.namespaces.join(", "));
        lines.push(hop(1, title, String::new()));
        for grant in &can.grants {
            grant_hops(cluster, grant, 2, lines);
        }
    }
    for (identity, namespaces) in &found.identities_in {
        let mut line = identity_hop(cluster, identity, 1);
        line.text = format!("{} in {}", line.text, namespaces.join(", "));
        lines.push(line);
    }
}

fn cannot_be_told(cluster: &Cluster, found: &WhoCan<'_>, lines: &mut Vec<Hop>) {
    let policy = cluster.graph().policy();
    let nothing = found.untold.is_empty() && found.unclear.is_empty() && found.unknown_identities.is_empty();
    if nothing && found.unread.is_none() {
        return;
    }
    section(lines, "cannot be told");
    if let Some(source) = found.unread {
        let sentence = text::doubt_sentence(cluster, &Doubt::Unread(source));
        lines.push(hop(1, sentence, words::place(policy, source)));
    }
    for untold in &found.untold {
        let names: Vec<String> = untold.subjects.iter().map(title).collect();
        let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        let bound = untold.binding.binding;
        lines.push(hop(
            1,
            format!("{names}: {}", words::not_in_inputs(policy, &untold.binding)),
            words::place(policy, bound.source.at_line(bound.role_ref_line)),
        ));
    }
    for can in &found.unclear {
        let title = format!(
            "{}: it depends on a name, a namespace or a type that the question does not tell",
            title(&can.subject)
        );
        lines.push(hop(1, title, String::new()));
        for grant in &can.grants {
            grant_hops(cluster, grant, 2, lines);
        }
    }
    for identity in &found.unknown_identities {
        lines.push(identity_hop(cluster, identity, 1));
        if let Some(last) = lines.last_mut() {
            last.text = last.text.replace(", whatever the session is named", "");
        }
        for doubt in identity.answers.iter().flat_map(|answer| &answer.doubts) {
            let sentence = text::doubt_sentence(cluster, doubt);
            if !lines.iter().rev().take(8).any(|line| line.text == sentence) {
                lines.push(hop(2, sentence, String::new()));
            }
        }
    }
}

/// What the list rests on.
pub fn notes(cluster: &Cluster) -> Vec<String> {
    let nobody = crate::cluster::Who::user(crate::user::UserInfo::default());
    let mut notes = text::assumptions(cluster, &nobody);
    if cluster.identities().is_empty() {
        notes.push("no identity mapping is among the inputs, so no IAM identity is listed".to_owned());
    }
    notes.push(
        "EKS access entries and the hidden cluster creator are not in the inputs; either may allow more"
            .to_owned(),
    );
    notes
}

fn subject(named: &Named) -> Value {
    json!({ "kind": named.kind, "namespace": named.namespace, "name": named.name })
}

fn with_grants(cluster: &Cluster, named: &Named, grants: &[Grant<'_>]) -> Value {
    let mut value = subject(named);
    if let Some(object) = value.as_object_mut() {
        let grants: Vec<Value> = grants.iter().map(|grant| json::grant(cluster, grant)).collect();
        object.insert("grants".into(), grants.into());
        object.insert("systemMasters".into(), named.is_masters().into());
    }
    value
}

fn identity(cluster: &Cluster, found: &WhoCan<'_>, can: &IdentityCan<'_>) -> Value {
    let mut value = json::identity(cluster, &can.who, Some(&can.arn));
    if let Some(object) = value.as_object_mut() {
        let through = can.through.iter().filter_map(|index| found.subjects.get(*index));
        object.insert("through".into(), through.map(|can| subject(&can.subject)).collect::<Vec<_>>().into());
        let grants: Vec<Value> = grants_of(can).iter().map(|grant| json::grant(cluster, grant)).collect();
        object.insert("grants".into(), grants.into());
        let doubts = can.answers.iter().flat_map(|answer| &answer.doubts);
        let doubts: Vec<Value> = doubts.map(|doubt| text::doubt_sentence(cluster, doubt).into()).collect();
        object.insert("unknown".into(), doubts.into());
    }
    value
}

/// Everyone who can, for machines.
pub fn document(cluster: &Cluster, found: &WhoCan<'_>) -> Value {
    let policy = cluster.graph().policy();
    let subjects = |list: &[SubjectCan<'_>]| -> Vec<Value> {
        list.iter().map(|can| with_grants(cluster, &can.subject, &can.grants)).collect()
    };
    let in_namespaces: Vec<Value> = found
        .in_namespaces
        .iter()
        .map(|can| {
            let mut value = with_grants(cluster, &can.subject, &can.grants);
            if let Some(object) = value.as_object_mut() {
                object.insert("namespaces".into(), can.namespaces.clone().into());
            }
            value
        })
        .collect();
    let identities_in: Vec<Value> = found
        .identities_in
        .iter()
        .map(|(can, namespaces)| {
            let mut value = identity(cluster, found, can);
            if let Some(object) = value.as_object_mut() {
                object.insert("namespaces".into(), namespaces.clone().into());
            }
            value
        })
        .collect();
    let untold: Vec<Value> = found
        .untold
        .iter()
        .map(|untold| {
            let bound = untold.binding.binding;
            json!({
                "subjects": untold.subjects.iter().map(subject).collect::<Vec<_>>(),
                "text": words::not_in_inputs(policy, &untold.binding),
                "source": words::place(policy, bound.source.at_line(bound.role_ref_line)),
            })
        })
        .collect();
    json!({
        "answer": found.ternary().as_str(),
        "subjects": subjects(&found.subjects),
        "identities": found.identities.iter().map(|can| identity(cluster, found, can)).collect::<Vec<_>>(),
        "accounts": found.accounts,
        "inNamespaces": { "subjects": in_namespaces, "identities": identities_in },
        "unknown": {
            "missingRoles": untold,
            "unread": found.unread.map(|source| words::place(policy, source)),
            "subjects": subjects(&found.unclear),
            "identities": found.unknown_identities.iter().map(|can| identity(cluster, found, can)).collect::<Vec<_>>(),
        },
    })
}
