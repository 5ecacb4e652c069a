//! Questions of IAM, answered for people and for machines: who may become a role, and what comes nearest.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::iam::{
    Hops, arn, condition, conditions, hop_lines, lacking, lines_of, or, place, policy, statement,
    statement_document, statements, way_conditions, way_documents,
};
use super::notes::{self, Basis, Detail};
use super::people::{
    assumable_by_lines, assumer_conditions, door_conditions, door_title, group_of, source_of,
};
use super::phrases::counted;
use super::text;
use super::words::Hop as Line;
use crate::ask::assume_role::{Action, Assumes, AtDoor, WhoAssumes};
use crate::ask::behind::Who;
use crate::decide::cluster::Cluster;
use crate::identity::iam::{Difference, DocId, DoorKind, Effect, Hit, Near, NotACaller};
use crate::model::ternary::Ternary;

/// Why nobody can be called so.
pub fn not_a_caller(principal: &str, why: NotACaller) -> String {
    match why {
        NotACaller::NotAnArn => format!(
            "`{principal}` is no principal; give the ARN of a user, role, session or provider, or a service such as `ec2.amazonaws.com`"
        ),
        NotACaller::Group => {
            format!("`{principal}` is a group, and groups are never principals; ask for a member")
        }
        NotACaller::Root => format!("`{principal}` is a root user, and root users cannot assume roles"),
        NotACaller::FederatedUser => {
            format!("`{principal}` is a federated user, and STS lets none of them assume roles")
        }
        NotACaller::Resource => format!("`{principal}` is no principal of IAM"),
    }
}

/// What comes nearest to a "yes".
fn near_line(cluster: &Cluster, near: &Near) -> Line {
    let data = cluster.iam();
    let differs = |difference: &Difference| match difference {
        Difference::Path => "with another path, or none",
        Difference::Case => "in another case, and case matters",
        Difference::Kind => "which is of another kind",
        Difference::Account => "in another account",
    };
    let (text, hit) = match near {
        Near::Denied(hit) => (format!("denied: {}", statement(data, *hit)), Some(*hit)),
        Near::TrustCondition(hit, number) | Near::Condition(hit, number) => (
            format!("{}: {}, and does not", statement(data, *hit), condition(data, *hit, *number, true)),
            Some(*hit),
        ),
        Near::TrustAction(hit) => {
            let actions = data.statement(*hit).map(|found| or(&found.action.written)).unwrap_or_default();
            (format!("{} names the caller, but for {actions}", statement(data, *hit)), Some(*hit))
        }
        Near::TrustOther(hit, written, difference) => {
            (format!("{} names `{written}`, {}", statement(data, *hit), differs(difference)), Some(*hit))
        }
        Near::NotTrusted(doc) => {
            let hit = Hit { doc: *doc, statement: 0, group: None };
            let named = named_by(cluster, *doc);
            let named = if named.is_empty() { "nobody".to_owned() } else { text::some_of(&named) };
            (
                format!("{} names {named}, and neither the caller nor its account", policy(data, hit)),
                Some(hit),
            )
        }
        Near::OtherResource(hit, written, difference) => {
            (format!("{} is for `{written}`, {}", statement(data, *hit), differs(difference)), Some(*hit))
        }
        Near::OtherGroup(hit, group) => {
            let group = data.group(*group).map_or("", |group| &group.name);
            (
                format!("{} would allow it, but only to members of group `{group}`", statement(data, *hit)),
                Some(*hit),
            )
        }
        Near::NotAllowed => ("no policy of the caller, nor of its groups, allows it".to_owned(), None),
        Near::Boundary(doc) => {
            let hit = Hit { doc: *doc, statement: 0, group: None };
            (format!("the boundary, {}, does not allow it", policy(data, hit)), Some(hit))
        }
    };
    Line { depth: 0, text, place: hit.map(|hit| place(cluster, hit)).unwrap_or_default() }
}

/// Whom the statements of a trust policy name that allow.
fn named_by(cluster: &Cluster, doc: DocId) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let statements = cluster.iam().get(doc).map_or(&[][..], |doc| &doc.policy.statements);
    for principals in statements.iter().filter(|one| one.effect == Effect::Allow).map(|one| &one.principal) {
        let accounts = principals.accounts.iter().map(|(_, account)| account);
        let all = accounts.chain(&principals.principals).chain(&principals.services);
        for name in all.chain(&principals.federated) {
            if !found.iter().any(|known| **known == **name) {
                found.push(name.to_string());
            }
        }
    }
    found
}

/// Who asks for what.
#[derive(Copy, Clone, Debug)]
pub struct Asked<'a> {
    /// The action.
    pub action: Action,
    /// The role.
    pub role: &'a str,
    /// Who asks; nobody in particular for `who-can`.
    pub principal: &'a str,
}

/// Writes whether somebody may become a role.
///
/// # Errors
/// If writing fails.
pub fn can_i(
    out: &mut dyn Write,
    cluster: &Cluster,
    asked: Asked<'_>,
    answer: &Assumes,
    detail: Detail,
) -> io::Result<()> {
    let title = format!("{} {}", asked.action.as_str(), asked.role);
    text::headline(out, answer.verdict.value, &title, asked.principal)?;
    writeln!(out)?;
    let mut lines = Vec::new();
    if answer.verdict.value != Ternary::No {
        lines_of(cluster, &answer.verdict, 0, &mut lines);
    }
    lines.extend(answer.near.iter().map(|near| near_line(cluster, near)));
    text::hops(out, &lines, 2)?;
    writeln!(out)?;
    if !answer.chain.is_empty() {
        writeln!(out, "  over other roles:")?;
        text::hops(out, &hop_lines(cluster, &answer.chain, 0), 4)?;
        writeln!(out)?;
    }
    notes::write(out, detail, &[], &basis(cluster))
}

/// Whether somebody may become a role, for machines.
pub fn can_i_document(cluster: &Cluster, asked: Asked<'_>, answer: &Assumes) -> Value {
    let verdict = &answer.verdict;
    let is_open = verdict.value == Ternary::Unknown;
    let grants = if verdict.value == Ternary::No { Vec::new() } else { statements(&verdict.why) };
    let near = answer.near.iter().map(|near| {
        let line = near_line(cluster, near);
        json!({ "text": line.text, "source": line.place })
    });
    json!({
        "answer": verdict.value.as_str(),
        "question": { "action": asked.action.as_str(), "role": asked.role, "principal": asked.principal },
        "identity": { "arn": asked.principal },
        "grants": grants.into_iter().map(|hit| statement_document(cluster, hit)).collect::<Vec<_>>(),
        "conditions": if is_open { conditions(cluster, &verdict.why) } else { Vec::new() },
        "unknown": if is_open { lacking(cluster, &verdict.why) } else { Vec::new() },
        "nearest": near.collect::<Vec<_>>(),
        "via": way_documents(cluster, &answer.chain),
        "notes": basis(cluster).lines,
    })
}

/// Writes who can become a role.
///
/// # Errors
/// If writing fails.
pub fn who_can(
    out: &mut dyn Write,
    cluster: &Cluster,
    asked: Asked<'_>,
    found: &WhoAssumes,
    detail: Detail,
) -> io::Result<()> {
    let data = cluster.iam();
    let style = text::style(found.ternary());
    writeln!(
        out,
        "{style}{}{style:#} - who can {} {}: {}, {}",
        found.ternary(),
        asked.action.as_str(),
        super::visible::visible(asked.role),
        counted(found.principals.len(), "principal"),
        counted(found.doors.len() + found.others.len(), "door"),
    )?;
    let mut lines: Vec<Line> = Vec::new();
    let mut said = Hops::default();
    let doors = |kinds: &[DoorKind], lines: &mut Vec<Line>, said: &mut Hops| {
        for at in found.doors.iter().filter(|at| kinds.contains(&at.door.kind)) {
            let place = place(cluster, at.door.hit);
            lines.push(Line { depth: 0, text: door_title(cluster, &at.door), place });
            lines_of(cluster, &at.door.verdict, 1, lines);
            lines.extend(said.lines(cluster, &at.hops, 1));
        }
    };
    doors(&[DoorKind::Anyone], &mut lines, &mut said);
    for (source, hops) in &found.principals {
        let when = if source.value.is_yes() { "" } else { ", on conditions" };
        lines.push(Line { depth: 0, text: format!("{}{when}", arn(data, source.id)), place: String::new() });
        match hops.as_slice() {
            [only] => {
                said.said(only);
                lines_of(cluster, &only.verdict, 1, &mut lines);
            }
            several => lines.extend(said.lines(cluster, several, 1)),
        }
    }
    doors(
        &[DoorKind::Service, DoorKind::WebIdentity, DoorKind::Saml, DoorKind::Account, DoorKind::Stranger],
        &mut lines,
        &mut said,
    );
    lines.extend(assumable_by_lines(cluster, &found.others, 0));
    writeln!(out)?;
    text::hops(out, &lines, 2)?;
    writeln!(out)?;
    notes::write(out, detail, &[], &basis(cluster))
}

/// What an answer rests on.
fn basis(cluster: &Cluster) -> Basis {
    let lines = super::iam::basis(cluster);
    Basis { short: lines.join("; "), lines }
}

/// Who can become a role, for machines.
pub fn who_can_document(cluster: &Cluster, asked: Asked<'_>, found: &WhoAssumes) -> Value {
    let data = cluster.iam();
    let principals = found.principals.iter().map(|(source, hops)| {
        json!({
            "arn": arn(data, source.id),
            "via": way_documents(cluster, hops),
            "conditions": way_conditions(cluster, hops),
        })
    });
    let doors = found.doors.iter().map(|AtDoor { door, hops, .. }| {
        json!({
            "kind": door.kind.as_str(),
            "name": door.name,
            "role": arn(data, door.role),
            "via": way_documents(cluster, hops),
            "conditions": door_conditions(cluster, door, hops),
            "source": place(cluster, door.hit),
        })
    });
    let others = found.others.iter().map(|other| {
        let role = match (&other.who, other.hops.first()) {
            (Who::Pods(_), Some(first)) => &first.to,
            (_, Some(first)) => &first.from,
            (_, None) => asked.role,
        };
        json!({
            "kind": other.who.kind(),
            "name": other.who.name(),
            "role": role,
            "group": group_of(&other.who),
            "via": way_documents(cluster, &other.hops),
            "conditions": assumer_conditions(cluster, other),
            "source": cluster.sources().show(source_of(&other.who)).to_string(),
        })
    });
    json!({
        "answer": found.ternary().as_str(),
        "question": { "action": asked.action.as_str(), "role": asked.role },
        "principals": principals.collect::<Vec<_>>(),
        "doors": doors.chain(others).collect::<Vec<_>>(),
        "notes": basis(cluster).lines,
    })
}
