//! What stands below an answer: remarks on it, and what it rests on. At most two lines, or all of it where more is asked
//! for.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::access;
use super::aligned::DIM;
use super::phrases::{self, counted};
use super::visible::visible;
use super::words;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::model::user::SYSTEM_NODES;
use crate::read::{Change, Completeness, VersionFrom};

/// What the answer leaves out, where somebody's user is not wholly known.
pub fn list_notes(who: &Who) -> Vec<String> {
    let mut notes = Vec::new();
    if let WhoIs::Mapped(mapped) = &who.is
        && mapped.is_symbolic()
    {
        notes.push("rules that depend on the session name, or on anything else that the ARN does not show, are left out; give --session-name".to_owned());
    }
    notes.extend(access::list_notes(who));
    if who
        .shown()
        .is_some_and(|user| user.in_group(SYSTEM_NODES) && user.username.starts_with("system:node:"))
    {
        notes.push("what the Node authorizer allows this node, from live objects, is left out".to_owned());
    }
    notes
}

/// What was changed in the inputs before the question was answered, a line each.
pub fn changes(cluster: &Cluster) -> Vec<String> {
    let policy = cluster.graph().policy();
    let line = |change: &Change| match change.source {
        Some(source) => format!("what if: {} ({})", change.text, words::place(policy, source)),
        None => format!("what if: {}", change.text),
    };
    cluster.changes().iter().map(line).collect()
}

/// What was read, in one line.
pub fn inputs(cluster: &Cluster) -> String {
    let summary = cluster.summary();
    let ours = cluster.rbac_objects() - summary.defaults_added;
    let skipped: usize = summary.skipped.values().sum();
    let mut text = format!("read {}: {}", counted(summary.files, "file"), counted(ours, "RBAC object"));
    if skipped > 0 {
        let kinds = counted(summary.skipped.len(), "other kind");
        let _ = write!(text, "; skipped {} of {kinds}", counted(skipped, "object"));
    }
    text
}

/// The Kubernetes version that an answer is for, and why that one: said once in every answer.
pub fn version(cluster: &Cluster) -> String {
    let version = cluster.version();
    match cluster.version_from() {
        VersionFrom::Asked => format!("answered for Kubernetes {version}, as --kubernetes-version says"),
        VersionFrom::Input(from, source) => {
            format!(
                "answered for Kubernetes {version}, {} ({})",
                from.as_str(),
                cluster.sources().show(source)
            )
        }
        VersionFrom::Default => format!(
            "answered for Kubernetes {version}, the newest that EKS offers, for no input tells the version; give --kubernetes-version"
        ),
    }
}

/// How much is written below an answer.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// At most two lines.
    #[default]
    Short,
    /// Everything.
    Full,
}

/// What an answer rests on.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Everything that there is to say, a line each.
    pub lines: Vec<String>,
    /// The same in one line.
    pub short: String,
}

impl Basis {
    /// What an answer about somebody rests on.
    pub fn of(cluster: &Cluster, who: &Who) -> Self {
        let is_iam = who.identity.is_some() || who.error().is_some();
        let mut lines = about_inputs(cluster);
        let mut short = short(cluster);
        if is_iam {
            lines.extend(access::basis(cluster));
            short.push_str(&access::basis_in_short(cluster));
        }
        Self { lines, short }
    }

    /// What an answer about everybody rests on.
    pub fn of_all(cluster: &Cluster) -> Self {
        let mut lines = about_inputs(cluster);
        lines.extend(access::basis(cluster));
        let short = format!("{}{}", short(cluster), access::basis_in_short(cluster));
        Self { lines, short }
    }
}

/// The inputs in one line: version, number, completeness and what is wrong with them.
pub(super) fn short(cluster: &Cluster) -> String {
    let summary = cluster.summary();
    let ours = cluster.rbac_objects() - summary.defaults_added;
    let mut text = format!(
        "for Kubernetes {}, from {} with {}, treated as {}",
        cluster.version(),
        counted(summary.files, "file"),
        counted(ours, "RBAC object"),
        match cluster.completeness() {
            Completeness::Complete => "complete",
            Completeness::Partial => "partial",
        },
    );
    let unusable = summary.unreadable + summary.refused;
    let not_expanded: usize = summary.not_expanded.values().sum();
    for (count, what) in [
        (unusable, "unreadable or refused"),
        (summary.in_source_form, "in source form"),
        (not_expanded, "not expanded"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text
}

/// What the inputs are and how they are taken, a line each.
fn about_inputs(cluster: &Cluster) -> Vec<String> {
    let mut lines = vec![inputs(cluster)];
    let summary = cluster.summary();
    lines.push(match cluster.completeness() {
        Completeness::Complete => {
            format!("{}: a role that is not in them does not exist", phrases::treated_as(true))
        }
        Completeness::Partial if summary.defaults_added > 0 => format!(
            "{}; added the default roles and bindings of {}",
            phrases::treated_as(false),
            if summary.eks_added > 0 { "Kubernetes and EKS" } else { "Kubernetes" }
        ),
        Completeness::Partial => phrases::treated_as(false).to_owned(),
    });
    lines.push(version(cluster));
    if summary.in_source_form > 0 {
        lines.push(format!(
            "{} in source form: kustomizations change them before they are applied",
            if summary.in_source_form == 1 {
                "1 object is".to_owned()
            } else {
                format!("{} objects are", summary.in_source_form)
            },
        ));
    }
    if !summary.not_expanded.is_empty() {
        let kinds: Vec<String> =
            summary.not_expanded.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
        lines.push(format!(
            "not expanded, and may bring RBAC objects: {}; render them and add the output with -f",
            kinds.join(", ")
        ));
    }
    let unusable = summary.unreadable + summary.refused;
    if unusable > 0 {
        lines.push(format!(
            "{} unreadable or refused by the API server; {} nothing",
            if unusable == 1 { "1 document is".to_owned() } else { format!("{unusable} documents are") },
            if unusable == 1 { "it grants" } else { "they grant" },
        ));
    }
    lines
}

/// Writes what stands below an answer: remarks on it, the weightiest first, and what it rests on.
///
/// # Errors
/// If writing fails.
pub fn write(out: &mut dyn Write, detail: Detail, remarks: &[String], basis: &Basis) -> io::Result<()> {
    let all = remarks.len() + basis.lines.len();
    if detail == Detail::Full || all <= 2 {
        return remarks.iter().chain(&basis.lines).try_for_each(|note| line(out, note));
    }
    if let Some(first) = remarks.first() {
        line(out, first)?;
    }
    line(out, &format!("{}; -v for all {all} notes", basis.short))
}

/// Writes one note.
///
/// # Errors
/// If writing fails.
pub fn line(out: &mut dyn Write, note: &str) -> io::Result<()> {
    writeln!(out, "{DIM}note: {}{DIM:#}", visible(note))
}
