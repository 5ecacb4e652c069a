//! The access review in words: what every form of it says alike.

use crate::ask::access_review::decisions::{Changes, Decision, Origin, Record, Since};
use crate::ask::access_review::{AccessReview, Cell, Counts, Evidence, Mark, Row};
use crate::ask::matrix::holder::HolderKind;
use crate::decide::cluster::{Who, WhoIs};
use crate::identity::arn::PrincipalType;
use crate::knowledge::capabilities::{CAPABILITIES, Capability, Reach};
use crate::model::finding::Finding;
use crate::model::user::SYSTEM_NODES;
use crate::report::statement::Statement;

use super::phrases::{self, counted, counted_as};
use super::{matrix_people, notes, words};

pub mod cards;
pub mod csv;
pub mod html;
pub mod markdown;
pub mod page;
pub mod ways;
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

/// Where something is unknown that no capability shows.
const BEYOND: &str = "beyond the capabilities of this review";

/// How many identities a line of the headline names.
const NAMED: usize = 5;

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

/// What changed of an identity, in a few words; empty where nothing was signed before.
pub fn since(document: &Document<'_, '_>, number: usize) -> String {
    let Some(since) = document.signed.and_then(|(_, changes)| changes.rows.get(number)) else {
        return String::new();
    };
    let Since { is_new, gained, lost, unknown, finer, gained_where, lost_where, .. } = since;
    let names = |list: &[&Capability]| list.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
    // What came or went in the same places is one sentence.
    let placed = |list: &[&'static Capability], places: &[String]| {
        let mut by: Vec<(&str, Vec<&'static Capability>)> = Vec::new();
        for (one, place) in list.iter().zip(places) {
            match by.iter_mut().find(|(known, _)| *known == place.as_str()) {
                Some((_, all)) => all.push(one),
                None => by.push((place, vec![one])),
            }
        }
        let texts: Vec<String> =
            by.iter().map(|(place, all)| format!("{} {place}", names(all)).trim_end().to_owned()).collect();
        texts.join("; ")
    };
    let mut parts = Vec::new();
    if *is_new {
        parts.push("new".to_owned());
    }
    if !gained.is_empty() {
        parts.push(format!("gained: {}", placed(gained, gained_where)));
    }
    if !lost.is_empty() {
        parts.push(format!("lost: {}", placed(lost, lost_where)));
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
    // Who it is stands beside the number, where that is short.
    let of = |is: &dyn Fn(&Row<'_>) -> bool| -> (usize, String) {
        let found: Vec<&Row<'_>> = rows.iter().filter(|row| is(row)).collect();
        let names: Vec<&str> = found.iter().take(NAMED).map(|row| title(row)).collect();
        let more = found.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = if names.is_empty() { String::new() } else { format!(": {}{more}", names.join(", ")) };
        (found.len(), named)
    };
    let admins = of(&|row| row.cells.first().is_some_and(|cell| cell.mark() == Mark::Everywhere));
    let may_be = of(&|row| row.cells.first().is_some_and(|cell| cell.mark() == Mark::Unknown));
    let open = of(&|row| row.cells.iter().any(Cell::is_open));
    let none = of(&|row| row.cells.iter().all(|cell| cell.mark() == Mark::No && !cell.is_open()));
    let counts = Counts::of(rows);
    let identity = |count| counted_as(count, "identity", "identities");
    let mut lines = vec![
        match document.review.groups().len() {
            groups if groups == rows.len() => {
                format!("{}, each with access of its own", identity(rows.len()))
            }
            groups => {
                format!("{} in {} with equal access", identity(rows.len()), counted(groups, "group"))
            }
        },
        format!("{} cluster administrator everywhere{}", counted_as(admins.0, "is", "are"), admins.1),
    ];
    if may_be.0 > 0 {
        let may_be = (counted_as(may_be.0, "is", "are"), may_be.1);
        lines.push(format!("{} perhaps cluster administrator, which is unknown{}", may_be.0, may_be.1));
    }
    lines.push(format!("{} something unknown in their access{}", counted_as(open.0, "has", "have"), open.1));
    let more = match counts.open_besides {
        0 => String::new(),
        some => format!("; in {some} of those with access there may be more: unknown"),
    };
    lines.extend([
        format!("{} none of the capabilities below", counted_as(none.0, "has", "have")),
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

/// What was selected, in one line.
pub fn selection(document: &Document<'_, '_>) -> String {
    let but = if document.review.left_out.count > 0 {
        ", without those that come with Kubernetes or EKS"
    } else {
        ""
    };
    format!(
        "selected: every mapped IAM identity and every subject of a binding{but}; all namespaces; {} capabilities",
        CAPABILITIES.len()
    )
}

/// What was read and how it was taken, in lines.
pub fn basis(document: &Document<'_, '_>) -> Vec<String> {
    let cluster = document.review.matrix.cluster();
    let mut lines = vec![selection(document)];
    lines.extend(notes::changes(cluster));
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
