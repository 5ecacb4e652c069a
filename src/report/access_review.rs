//! The access review in words: what every form of it says alike.

use serde_json::{Value, json};

use crate::ask::access_review::decisions::{Changes, Decision, Origin, Record, Since, seen};
use crate::ask::access_review::{AccessReview, Cell, Counts, Evidence, Mark, Row};
use crate::ask::matrix::holder::HolderKind;
use crate::ask::matrix::unknown::Unknown;
use crate::decide::cluster::{Who, WhoIs};
use crate::identity::arn::PrincipalType;
use crate::knowledge::capabilities::{CAPABILITIES, Capability, Reach};
use crate::model::finding::{Finding, Level};
use crate::model::user::SYSTEM_NODES;
use crate::report::statement::Statement;

use super::phrases::{self, counted, counted_as};
use super::{matrix_people, matrix_statement, notes, words};

pub mod csv;
pub mod html;
pub mod markdown;
pub mod xlsx;

/// A review with all that goes into its document.
#[derive(Debug)]
pub struct Document<'r, 'c> {
    /// The review.
    pub review: &'r AccessReview<'c>,
    /// Where it comes from.
    pub origin: &'r Origin,
    /// What it rests on.
    pub statement: &'r Statement,
    /// What `risk` finds.
    pub findings: &'r [Finding],
    /// What was signed before, and what changed since.
    pub signed: Option<(&'r Record, &'r Changes)>,
}

/// What a review does not show, whatever the inputs.
const NOT_SHOWN: &[&str] = &[
    "whether anybody uses the access: that is in the audit log",
    "what the live cluster has beyond these files: only an export of the cluster tells",
];

/// The kind of an identity in a reader's words.
pub fn kind(row: &Row<'_>) -> &'static str {
    let holder = &row.holder;
    match holder.kind {
        HolderKind::Group => "group",
        HolderKind::ServiceAccount => "service account",
        HolderKind::User => "user",
        HolderKind::Iam => {
            let Some(who) = holder.who.as_deref() else { return "AWS account" };
            let is_node = who.shown().is_some_and(|user| user.in_group(SYSTEM_NODES));
            match who.identity.as_ref().map(crate::identity::IamIdentity::principal) {
                _ if is_node => "machines",
                Some(PrincipalType::User) => "IAM user",
                Some(PrincipalType::Root) => "AWS account",
                _ => "IAM role",
            }
        }
    }
}

/// The name of an identity, short: the last part of an ARN.
pub fn title<'r>(row: &'r Row<'_>) -> &'r str {
    let identity = row.holder.identity.as_str();
    match row.holder.kind {
        HolderKind::Iam => {
            identity.rsplit(['/', ':']).next().filter(|last| !last.is_empty()).unwrap_or(identity)
        }
        _ => identity,
    }
}

/// The groups of an identity.
pub fn groups(row: &Row<'_>) -> Vec<String> {
    let shown = row.holder.who.as_deref().and_then(Who::shown);
    shown.map(|user| user.groups).unwrap_or_default()
}

/// How an identity is mapped, and where that stands.
fn mapping(review: &AccessReview<'_>, row: &Row<'_>) -> (String, String) {
    match row.holder.who.as_deref().map(|who| &who.is) {
        Some(WhoIs::Mapped(mapped)) => (
            mapped.provenance.kind.as_str().to_owned(),
            review.matrix.cluster().sources().show(mapped.provenance.source).to_string(),
        ),
        _ => (String::new(), String::new()),
    }
}

/// The people behind an identity, and what is said of them.
pub fn people(review: &AccessReview<'_>, row: &Row<'_>) -> Vec<String> {
    matrix_people::of_holder(&review.matrix, &row.holder)
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Where a capability is had, in words; empty where it is not had and nothing is unknown.
pub fn places(review: &AccessReview<'_>, capability: &Capability, cell: &Cell) -> String {
    let mut parts = Vec::new();
    if cell.everywhere.is_yes() {
        return match capability.reach {
            Reach::Cluster => "for the whole cluster".to_owned(),
            Reach::Namespaces => "everywhere, in later namespaces too".to_owned(),
        };
    }
    match cell.namespaces.len() {
        0 => {}
        count if count > 1 && count == review.namespaces_known => {
            parts.push(format!("in all {count} namespaces that the inputs know, not in later ones"));
        }
        _ => parts.push(format!("in {}", cell.namespaces.join(", "))),
    }
    for (place, names) in &cell.named {
        let place = match (place.as_str(), capability.reach) {
            ("*", Reach::Cluster) => String::new(),
            ("*", Reach::Namespaces) => " everywhere".to_owned(),
            (namespace, _) => format!(" in {namespace}"),
        };
        parts.push(format!("only objects named {}{place}", quoted(names)));
    }
    if cell.everywhere == crate::model::ternary::Ternary::Unknown {
        let beyond = if parts.is_empty() { "" } else { " elsewhere" };
        parts.push(format!("{}{beyond}", phrases::UNKNOWN));
    } else if !cell.unknown.is_empty() {
        parts.push(format!("{} in {}", phrases::UNKNOWN, cell.unknown.join(", ")));
    }
    parts.join("; ")
}

/// A capability with where it is had, as a line of a card.
pub fn sentence(review: &AccessReview<'_>, capability: &Capability, cell: &Cell) -> String {
    let places = places(review, capability, cell);
    if cell.mark() == Mark::Unknown {
        return format!("{}: {places}", capability.name);
    }
    format!("{} {places}", capability.name)
}

/// The capabilities that a card shows: what a stronger one brings along wherever it is had goes without saying.
pub fn shown<'r>(row: &'r Row<'_>) -> Vec<(&'static Capability, &'r Cell, usize)> {
    let everywhere: Vec<&Capability> = row
        .capabilities()
        .filter(|(_, cell)| cell.mark() == Mark::Everywhere)
        .map(|(capability, _)| capability)
        .collect();
    let is_implied = |id: &str| {
        everywhere.iter().any(|own| own.id != id && (own.implies == ["*"] || own.implies.contains(&id)))
    };
    let numbered = row.capabilities().zip(0usize..);
    let had = numbered.filter(|((_, cell), _)| cell.mark() != Mark::No || cell.is_open());
    had.filter(|((capability, _), _)| !is_implied(capability.id))
        .map(|((capability, cell), number)| (capability, cell, number))
        .collect()
}

/// What a card says of capabilities that are unknown and not had otherwise: where, and which, the gravest first. Many are
/// often unknown for one reason in the same places; these are told together.
pub fn unknown_folds(review: &AccessReview<'_>, row: &Row<'_>) -> Vec<(String, Vec<usize>)> {
    let mut folds: Vec<(String, Vec<usize>)> = Vec::new();
    for (capability, cell, number) in shown(row) {
        if cell.mark() != Mark::Unknown {
            continue;
        }
        let place = places(review, capability, cell);
        match folds.iter_mut().find(|(known, _)| *known == place) {
            Some((_, numbers)) => numbers.push(number),
            None => folds.push((place, vec![number])),
        }
    }
    folds
}

/// The names of capabilities by their numbers.
pub fn names(numbers: &[usize]) -> Vec<&'static str> {
    numbers.iter().filter_map(|number| CAPABILITIES.get(*number)).map(|one| one.name).collect()
}

/// The grant behind a capability: binding with role, its place, the rule, its place.
pub fn grant(review: &AccessReview<'_>, evidence: &Evidence<'_>) -> Option<[String; 4]> {
    let cluster = review.matrix.cluster();
    let (graph, policy) = (cluster.graph(), cluster.graph().policy());
    let grant = evidence.grant.grant(cluster)?;
    let bound = grant.applied.binding;
    let named = words::granted_to(policy, &grant).map(|named| words::subject(policy, named).to_string());
    let rule = words::rule(policy, &grant.rule.rule).to_string();
    let via = match grant.applied.role {
        Some(role) if !graph.provenance(role, &grant.rule).is_empty() => {
            format!(" from {}", words::role(policy, grant.rule.owner))
        }
        _ => String::new(),
    };
    Some([
        format!(
            "{} gives {} to {}",
            words::binding(policy, bound),
            words::role_ref(policy, bound),
            named.unwrap_or_default()
        ),
        words::place(policy, bound.source).to_string(),
        format!("rule {}{via}: {rule}", grant.rule.position + 1),
        words::rule_place(policy, &grant.rule).to_string(),
    ])
}

/// The reasons why something is unknown of an identity: where, why, and the place; each once.
pub fn unknown_reasons(review: &AccessReview<'_>, row: &Row<'_>) -> Vec<(String, String, String)> {
    let matrix = &review.matrix;
    let mut found: Vec<(String, String, String)> = Vec::new();
    for one in &row.unknown {
        let one: &Unknown<'_> = one;
        let place =
            if one.namespace == "*" { "anywhere".to_owned() } else { format!("in {}", one.namespace) };
        let reason = matrix_statement::reason(matrix, &row.holder, one);
        let entry = (place, reason, matrix_statement::place(matrix, one));
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}

/// What `risk` says of an identity, the gravest first.
pub fn leads_to(document: &Document<'_, '_>, row: &Row<'_>) -> Vec<String> {
    let identity = &row.holder.identity;
    let of_iam = format!("IAM {identity}");
    let own = |finding: &&Finding| {
        finding.severity >= Level::High
            && (finding.holders.iter().any(|holder| holder == identity)
                || finding.subject == of_iam
                || finding.subject == row.key)
    };
    let mut found: Vec<&Finding> = document.findings.iter().filter(own).collect();
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.code.cmp(b.code)));
    let mut lines: Vec<String> = found
        .iter()
        .map(|finding| format!("{} ({}): {}", finding.code, finding.severity, finding.message))
        .collect();
    lines.dedup();
    lines
}

/// What changed of an identity, in a few words; empty where nothing was signed before.
pub fn since(document: &Document<'_, '_>, number: usize) -> String {
    let Some(since) = document.signed.and_then(|(_, changes)| changes.rows.get(number)) else {
        return String::new();
    };
    let Since { is_new, gained, lost, unknown, finer, .. } = since;
    let names = |list: &[&Capability]| list.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    if *is_new {
        parts.push("new".to_owned());
    }
    if !gained.is_empty() {
        parts.push(format!("gained: {}", names(gained)));
    }
    if !lost.is_empty() {
        parts.push(format!("lost: {}", names(lost)));
    }
    if !unknown.is_empty() {
        parts.push(format!("unknown in another way: {}", names(unknown)));
    }
    if *finer {
        parts.push("single permissions changed that no capability shows".to_owned());
    }
    if parts.is_empty() { "same".to_owned() } else { parts.join("; ") }
}

/// A decision in words.
pub fn decision(decision: &Decision) -> String {
    let part =
        |before: &str, text: &str| if text.is_empty() { String::new() } else { format!("{before}{text}") };
    format!(
        "{}{}{}{}",
        decision.decision,
        part(" by ", &decision.by),
        part(" on ", &decision.on),
        part(": ", &decision.remark)
    )
}

/// What is not in the review.
pub fn not_modelled(document: &Document<'_, '_>) -> Vec<String> {
    let modelled = document.statement.not_modelled.iter().chain(NOT_SHOWN);
    modelled.map(|text| (*text).to_owned()).collect()
}

/// What the review says in numbers.
pub fn headline(document: &Document<'_, '_>) -> Vec<String> {
    let rows = &document.review.rows;
    let of = |is: &dyn Fn(&Row<'_>) -> bool| rows.iter().filter(|row| is(row)).count();
    let admins = of(&|row| row.cells.first().is_some_and(|cell| cell.mark() == Mark::Everywhere));
    let may_be = of(&|row| row.cells.first().is_some_and(|cell| cell.mark() == Mark::Unknown));
    let open = of(&|row| row.cells.iter().any(Cell::is_open));
    let none = of(&|row| row.cells.iter().all(|cell| cell.mark() == Mark::No && !cell.is_open()));
    let counts = Counts::of(rows);
    let identity = |count| counted_as(count, "identity", "identities");
    let mut lines = vec![
        format!(
            "{} in {} with equal access",
            identity(rows.len()),
            counted(document.review.groups().len(), "group")
        ),
        format!("{} cluster administrator everywhere", counted_as(admins, "is", "are")),
        format!("{} something unknown in their access", counted_as(open, "has", "have")),
    ];
    if may_be > 0 {
        let who = counted_as(may_be, "identity", "identities");
        lines.push(format!("{who} may be cluster administrator: unknown"));
    }
    let more = match counts.open_besides {
        0 => String::new(),
        some => format!("; in {some} of those with access there may be more: unknown"),
    };
    lines.extend([
        format!("{} none of the capabilities below", counted_as(none, "has", "have")),
        format!(
            "{}: {} everywhere, {} in some namespaces, {} only for names, {} unknown, {} not{}",
            counted(rows.len() * CAPABILITIES.len(), "cell"),
            counts.everywhere,
            counts.namespaces,
            counts.named,
            counts.unknown,
            counts.no,
            more
        ),
    ]);
    if let Some((record, changes)) = document.signed {
        let count = |is: &dyn Fn(&Since) -> bool| changes.rows.iter().filter(|since| is(since)).count();
        lines.push(format!(
            "since the review that was signed{}: {} new, {} gained, {} lost, {} unknown in another way, {} changed in detail only, {} gone, {} the same",
            if record.population.date.is_empty() { String::new() } else { format!(" on {}", record.population.date) },
            count(&|since| since.is_new),
            count(&|since| !since.gained.is_empty()),
            count(&|since| !since.lost.is_empty()),
            count(&|since| !since.unknown.is_empty()),
            count(&|since| since.finer),
            changes.gone.len(),
            count(&Since::is_same)
        ));
    }
    lines
}

/// What was read and how it was taken, in lines.
pub fn basis(document: &Document<'_, '_>) -> Vec<String> {
    let cluster = document.review.matrix.cluster();
    let mut lines = notes::changes(cluster);
    lines.push(notes::inputs(cluster));
    let (added, eks) = document.statement.defaults_added;
    let defaults = match (added, eks) {
        (0, _) => String::new(),
        (added, 0) => format!("; added {added} default roles and bindings of Kubernetes"),
        (added, eks) => format!("; added {added} default roles and bindings of Kubernetes and EKS ({eks})"),
    };
    let meaning = if document.statement.complete {
        "what is not in them does not exist"
    } else {
        "roles and bindings that are not in them may exist"
    };
    lines.push(format!("{}: {meaning}{defaults}", phrases::treated_as(document.statement.complete)));
    lines.push(notes::version(cluster));
    let summary = cluster.summary();
    let unusable = summary.refused + summary.unreadable;
    if unusable > 0 {
        lines.push(format!("refused objects and unreadable documents, which grant nothing: {unusable}"));
    }
    let missing = document.statement.missing_roles.len();
    if missing > 0 {
        lines.push(format!("bindings whose role is not in the inputs: {missing}"));
    }
    lines
}

/// Who is not on the list, in lines.
pub fn left_out(document: &Document<'_, '_>) -> Vec<String> {
    let review = document.review;
    let mut lines = Vec::new();
    if review.left_out.count > 0 {
        lines.push(format!(
            "{} that come with Kubernetes or EKS; --include-system lists them",
            counted(review.left_out.count, "subject")
        ));
    }
    for one in &review.left_out.bound_by_inputs {
        lines.push(format!("among these, and named by a binding in the inputs: {one}"));
    }
    if !review.covered.is_empty() {
        lines.push(format!(
            "{} without a line of their own, for identities on the list act as them: {}",
            counted(review.covered.len(), "subject"),
            review.covered.join(", ")
        ));
    }
    lines
}

/// The cell as JSON; `null` for a plain no.
fn cell_value(review: &AccessReview<'_>, capability: &Capability, cell: &Cell) -> Value {
    if cell.mark() == Mark::No && !cell.is_open() {
        return Value::Null;
    }
    json!({
        "mark": cell.mark().as_str(),
        "open": cell.is_open(),
        "everywhere": cell.everywhere.as_str(),
        "namespaces": cell.namespaces,
        "names": cell.named,
        "unknown": cell.unknown,
        "where": places(review, capability, cell),
    })
}

/// The whole review as JSON: what the page shows, and what a file of decisions takes over from it.
pub fn document(document: &Document<'_, '_>) -> Value {
    let Document { review, origin, statement, .. } = document;
    let mut grants: Vec<[String; 4]> = Vec::new();
    let mut numbers = std::collections::BTreeMap::new();
    let mut number_of = |evidence: &Evidence<'_>| -> Option<usize> {
        let key = (evidence.grant.applied.order(), evidence.grant.subject, evidence.grant.rule);
        if let Some(number) = numbers.get(&key) {
            return Some(*number);
        }
        grants.push(grant(review, evidence)?);
        numbers.insert(key, grants.len() - 1);
        Some(grants.len() - 1)
    };
    let mut rows = Vec::new();
    for (row, number) in review.rows.iter().zip(0usize..) {
        let (mapped, place) = mapping(review, row);
        let cells: Vec<Value> =
            row.capabilities().map(|(capability, cell)| cell_value(review, capability, cell)).collect();
        let shown: Vec<usize> = shown(row).into_iter().map(|(_, _, number)| number).collect();
        let folds: Vec<Value> = unknown_folds(review, row)
            .into_iter()
            .map(|(place, numbers)| json!({ "where": place, "capabilities": numbers }))
            .collect();
        let evidence: Vec<Value> = row
            .evidence
            .iter()
            .map(|list| list.iter().filter_map(|one| Some(json!([one.heading, number_of(one)?]))).collect())
            .collect();
        let unknown: Vec<Value> = unknown_reasons(review, row)
            .into_iter()
            .map(|(place, reason, source)| json!({ "where": place, "reason": reason, "source": source }))
            .collect();
        let before = document.signed.and_then(|(_, changes)| changes.rows.get(number));
        rows.push(json!({
            "key": row.key,
            "kind": kind(row),
            "identity": row.holder.identity,
            "title": title(row),
            "username": row.holder.username,
            "groups": groups(row),
            "mapped": mapped,
            "source": place,
            "master": row.holder.is_master(),
            "people": people(review, row),
            "cells": cells,
            "shown": shown,
            "folds": folds,
            "evidence": evidence,
            "unknown": unknown,
            "leadsTo": leads_to(document, row),
            "since": since(document, number),
            "isSame": before.is_none_or(Since::is_same),
            "lastDecision": before.and_then(|before| before.decision.as_ref()).map(decision),
            "isStale": before.is_some_and(|before| before.is_stale),
            "seen": seen(row),
        }));
    }
    let capabilities: Vec<Value> = CAPABILITIES
        .iter()
        .map(|one| json!({ "id": one.id, "name": one.name, "sentence": one.sentence }))
        .collect();
    let signed = document.signed.map(|(record, changes)| {
        let gone: Vec<Value> = changes
            .gone
            .iter()
            .map(|(key, last)| json!({ "identity": key, "lastDecision": last.as_ref().map(decision) }))
            .collect();
        json!({ "title": record.population.title, "date": record.population.date, "gone": gone, "measured": changes.measured })
    });
    json!({
        "origin": origin,
        "headline": headline(document),
        "basis": basis(document),
        "notModelled": not_modelled(document),
        "leftOut": left_out(document),
        "missingRoles": statement.missing_roles.iter().map(|one| json!([one.text, one.source])).collect::<Vec<_>>(),
        "mappingsInError": statement.mappings_in_error.iter().map(|one| json!([one.text, one.source])).collect::<Vec<_>>(),
        "doors": matrix_people::through_eks(&review.matrix),
        "capabilities": capabilities,
        "groups": review.groups(),
        "rows": rows,
        "grants": grants,
        "signed": signed,
        "bypassesRbac": phrases::BYPASSES_RBAC,
    })
}
