//! The completeness statement of the access matrix, and what is unknown, in words and as JSON.

use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::ask::matrix::unknown::{Reason, Unknown, UnknownBlock};
use crate::ask::matrix::{Cell, Dense, Holder, Matrix};
use crate::identity::IdentityDoubt;
use crate::model::unread::Unread;
use crate::report::statement::{Asked, Remark, Statement};

use super::phrases::{self, counted, counted_as, titles};
use super::{notes, text, words};

/// Why some access of a holder is unknown, in a sentence.
pub fn reason(matrix: &Matrix<'_>, holder: &Holder, unknown: &Unknown<'_>) -> String {
    let policy = matrix.cluster().graph().policy();
    match &unknown.reason {
        Reason::MissingRole(applied) | Reason::Aggregates(applied) => {
            words::not_in_inputs(matrix.cluster().graph(), applied)
        }
        Reason::UnknownScope(applied) => format!(
            "{} of {} grants types whose scope is unknown; a RoleBinding grants them only if they are namespaced",
            words::binding(policy, applied.binding),
            words::role_ref(policy, applied.binding)
        ),
        Reason::Session(values, applied) => format!(
            "if {}, {} of {} applies",
            text::conditions(values),
            words::binding(policy, applied.binding),
            words::role_ref(policy, applied.binding)
        ),
        Reason::SessionOfMasters(values) => {
            format!("if {}, {}", text::conditions(values), phrases::BYPASSES_RBAC)
        }
        Reason::Node => {
            "the Node authorizer decides, from live objects; at most what ClusterRole `system:node` lists"
                .to_owned()
        }
        Reason::RandomMapping => {
            format!("{}; the rows show what they share", phrases::RANDOM_MAPPING)
        }
        Reason::NoMappings => phrases::NO_MAPPINGS.to_owned(),
        Reason::Unfilled(arn) if *arn == holder.identity => {
            "the ARN of this entry has an unfilled placeholder: whoever it maps may have this access; fill it in, or use --set".to_owned()
        }
        Reason::Unfilled(arn) => {
            format!("{} and may map this identity", phrases::unfilled_entry(arn))
        }
        Reason::UnfilledName(text) => {
            format!("{} and may become any name that a binding grants to", phrases::unfilled_name(text))
        }
        Reason::AccessPolicy(policy, _) => {
            format!("access policy `{policy}` is associated, but its rules or its scope are not all known")
        }
        Reason::NamespaceObject(_) => phrases::NAMESPACE_OBJECT.to_owned(),
        Reason::PoliciesNotRead(_) => phrases::POLICIES_NOT_READ.to_owned(),
        Reason::Unrendered(_) => phrases::UNRENDERED.to_owned(),
        Reason::NothingRead => phrases::NOTHING_READ.to_owned(),
        Reason::SourceForm(form, _) => format!("{}: {}", phrases::SOURCE_FORM, form.sentence),
        Reason::Unread(_) => phrases::UNREAD.to_owned(),
        Reason::Identity(doubt) => doubt.text.clone(),
    }
}

/// The place that an unknown access is about; empty for none.
pub fn place(matrix: &Matrix<'_>, unknown: &Unknown<'_>) -> String {
    match &unknown.reason {
        Reason::MissingRole(applied)
        | Reason::Aggregates(applied)
        | Reason::UnknownScope(applied)
        | Reason::NamespaceObject(applied)
        | Reason::Session(_, applied) => {
            let bound = applied.binding;
            let policy = matrix.cluster().graph().policy();
            words::place(policy, bound.source.at_line(bound.role_ref_line)).to_string()
        }
        Reason::SourceForm(form, _) => {
            words::place(matrix.cluster().graph().policy(), form.source).to_string()
        }
        Reason::Unread(source)
        | Reason::Unrendered(source)
        | Reason::AccessPolicy(_, source)
        | Reason::PoliciesNotRead(source)
        | Reason::Identity(IdentityDoubt { source: Some(source), .. }) => {
            words::place(matrix.cluster().graph().policy(), *source).to_string()
        }
        _ => String::new(),
    }
}

/// Some unknown access, as JSON.
pub fn unknown(matrix: &Matrix<'_>, holder: &Holder, unknown: &Unknown<'_>) -> Value {
    json!({
        "identityKind": holder.kind.as_str(),
        "identity": holder.identity,
        "username": holder.username,
        "namespace": unknown.namespace,
        "reason": reason(matrix, holder, unknown),
        "source": place(matrix, unknown),
    })
}

/// The cells that are unknown, as JSON: which verbs on which resources. The same sets of columns come again and again,
/// so each is made into text once.
#[derive(Debug, Default)]
pub struct UnknownAccess {
    texts: FxHashMap<Dense, String>,
}

impl UnknownAccess {
    /// Writes what is unknown of a holder under one heading.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(
        &mut self,
        out: &mut dyn Write,
        matrix: &Matrix<'_>,
        holder: &Holder,
        block: &UnknownBlock,
    ) -> io::Result<()> {
        let mut head = json!({
            "identityKind": holder.kind.as_str(),
            "identity": holder.identity,
            "username": holder.username,
            "namespace": block.namespace,
            "everythingElse": block.all,
        })
        .to_string();
        head.pop();
        let text = if block.all {
            "[]"
        } else {
            self.texts.entry(block.columns.clone()).or_insert_with(|| access_text(matrix, &block.columns))
        };
        write!(out, "{head},\"access\":{text}}}")
    }
}

fn access_text(matrix: &Matrix<'_>, columns: &Dense) -> String {
    let mut access: Vec<(&Cell, Vec<&str>)> = Vec::new();
    for (cell, verb) in columns.iter().filter_map(|column| matrix.universe().column(column)) {
        match access.last_mut() {
            Some((last, verbs)) if std::ptr::eq(*last, cell) => verbs.push(verb),
            _ => access.push((cell, vec![verb])),
        }
    }
    let access = access
        .iter()
        .map(|(cell, verbs)| json!({ "apiGroup": cell.group, "resource": cell.resource, "verbs": verbs }));
    Value::Array(access.collect()).to_string()
}

fn remarks(list: &[Remark]) -> Value {
    list.iter().map(|one| json!({ "text": one.text, "source": one.source })).collect()
}

/// The statement as JSON.
pub fn document(matrix: &Matrix<'_>, statement: &Statement, rows: usize) -> Value {
    let counts: serde_json::Map<String, Value> =
        statement.counts.iter().map(|(name, count)| ((*name).to_owned(), (*count).into())).collect();
    let skipped: serde_json::Map<String, Value> =
        statement.skipped.iter().map(|(kind, count)| (kind.clone(), (*count).into())).collect();
    json!({
        "tool": concat!("rbacsim ", env!("CARGO_PKG_VERSION")),
        "kubernetesVersion": matrix.cluster().version().to_string(),
        "inputs": statement.files,
        "asked": asked(&statement.asked),
        "whatIf": notes::changes(matrix.cluster()),
        "completeness": if statement.complete { "complete" } else { "partial" },
        "defaultsAdded": { "count": statement.defaults_added.0, "ofEks": statement.defaults_added.1 },
        "counts": counts,
        "rows": rows,
        "otherKinds": skipped,
        "missingRoles": remarks(&statement.missing_roles),
        "mappingsInError": remarks(&statement.mappings_in_error),
        "mappedButBoundNowhere": remarks(&statement.bound_nowhere),
        "boundButNotMapped": remarks(&statement.unmapped_groups),
        "matchesNothing": statement.matches_nothing,
        "unreadDocuments": remarks(&unread(matrix)),
        "leftOut": { "count": statement.left_out.count, "boundByInputs": statement.left_out.bound_by_inputs },
        "notModelled": statement.not_modelled,
    })
}

/// What was asked for, as JSON.
fn asked(asked: &Asked) -> Value {
    let preset = asked.preset.as_ref().map(|(name, columns)| {
        let columns = columns.iter().map(|(access, means)| json!({ "access": access, "means": means }));
        json!({ "name": name, "columns": columns.collect::<Vec<_>>() })
    });
    let inputs = asked.inputs.iter().map(|(name, sha256)| json!({ "name": name, "sha256": sha256 }));
    json!({
        "command": asked.command,
        "selection": selection(asked),
        "identities": asked.identities,
        "namespaces": asked.namespaces,
        "verbs": asked.verbs,
        "resources": asked.resources,
        "preset": preset,
        "inputs": inputs.collect::<Vec<_>>(),
    })
}

/// What was selected, in one line: every form that has room for a line says it.
pub fn selection(asked: &Asked) -> String {
    let list = |all: &str, one: &str, several: &str, given: &[String]| match given {
        [] => all.to_owned(),
        [own] => format!("{one} {own}"),
        own => format!("{several} {}", own.join(", ")),
    };
    let mut parts =
        vec![asked.identities.clone(), list("all namespaces", "namespace", "namespaces", &asked.namespaces)];
    if let Some((name, columns)) = &asked.preset {
        parts.push(format!("preset {name}, {} kinds of access", columns.len()));
    } else {
        parts.push(list("all resources", "resource", "resources", &asked.resources));
        parts.push(list("all verbs", "verb", "verbs", &asked.verbs));
    }
    format!("selected: {}", parts.join("; "))
}

/// What was asked for, in lines for people.
pub fn asked_lines(asked: &Asked) -> Vec<String> {
    let mut lines = vec![format!("command: {}", asked.command)];
    for (name, sha256) in &asked.inputs {
        lines.push(format!(
            "input {name}: SHA-256 {}",
            sha256.as_deref().unwrap_or("none, for it is not a file")
        ));
    }
    lines
}

/// The texts that could not be read and may grant something to somebody.
fn unread(matrix: &Matrix<'_>) -> Vec<Remark> {
    let cluster = matrix.cluster();
    let text = |unread: &Unread| match unread.sentence.as_str() {
        "" => phrases::UNREAD.to_owned(),
        sentence => sentence.to_owned(),
    };
    let remarks = |unread: &'_ Unread| {
        let place = |source| cluster.sources().show(source).to_string();
        let remark = |source| Remark { text: text(unread), source: place(source) };
        unread.sources().map(remark).collect::<Vec<_>>()
    };
    cluster.coverage().unread_for_anybody().flat_map(remarks).collect()
}

/// The statement in lines for people.
pub fn lines(matrix: &Matrix<'_>, statement: &Statement, rows: usize) -> Vec<String> {
    let count =
        |name: &str| statement.counts.iter().find(|(own, _)| *own == name).map_or(0, |(_, count)| *count);
    let mut lines = vec![format!(
        "{} for {}, from {}: {}, {}, {}, {}, {}",
        counted(rows, "row"),
        counted_as(count("subjectsShown"), "identity", "identities"),
        counted(statement.files.len(), "file"),
        counted(count("clusterRoles"), "ClusterRole"),
        counted(count("roles"), "Role"),
        counted(count("clusterRoleBindings"), "ClusterRoleBinding"),
        counted(count("roleBindings"), "RoleBinding"),
        counted(count("identityMappings"), "identity mapping"),
    )];
    lines.extend(notes::changes(matrix.cluster()));
    let defaults = match statement.defaults_added {
        (0, _) => String::new(),
        (added, 0) => format!("; added {added} default roles and bindings of Kubernetes"),
        (added, eks) => format!("; added {added} default roles and bindings of Kubernetes and EKS ({eks})"),
    };
    lines.push(format!("{}{defaults}", phrases::treated_as(statement.complete)));
    lines.push(notes::version(matrix.cluster()));
    let mut list = |title: &str, remarks: &[Remark]| {
        const SHOWN: usize = 5;
        if remarks.is_empty() {
            return;
        }
        lines.push(format!("{title}: {}", remarks.len()));
        for remark in remarks.iter().take(SHOWN) {
            let place =
                if remark.source.is_empty() { String::new() } else { format!(" ({})", remark.source) };
            lines.push(format!("  {}{place}", remark.text));
        }
        if remarks.len() > SHOWN {
            lines.push(format!(
                "  and {} more; use -o json or --meta FILE to list them",
                remarks.len() - SHOWN
            ));
        }
    };
    list(titles::UNREAD, &unread(matrix));
    list(titles::MISSING_ROLES, &statement.missing_roles);
    list(titles::BROKEN_MAPPINGS, &statement.mappings_in_error);
    list(titles::BOUND_NOWHERE, &statement.bound_nowhere);
    list(titles::UNMAPPED_GROUPS, &statement.unmapped_groups);
    if statement.left_out.count > 0 {
        let bound = &statement.left_out.bound_by_inputs;
        let also = if bound.is_empty() {
            String::new()
        } else {
            format!(", {} of them named by bindings in the inputs: {}", bound.len(), bound.join(", "))
        };
        lines.push(format!("{}: {}{also}", titles::LEFT_OUT, statement.left_out.count));
    }
    if !statement.matches_nothing.is_empty() {
        lines.push(format!("{}: {}", titles::MATCHES_NOTHING, statement.matches_nothing.join(", ")));
    }
    let unusable = count("refusedObjects") + count("unreadableDocuments");
    if unusable > 0 {
        lines.push(format!("refused objects and unreadable documents, which grant nothing: {unusable}"));
    }
    if !matrix.shows_without_namespace() {
        lines.push(phrases::ONLY_IN_NAMESPACES.to_owned());
    }
    lines.push(format!("{}: {}", titles::NOT_MODELLED, statement.not_modelled.join("; ")));
    lines
}

/// What is unknown, in lines for people: who, where, why.
pub fn unknown_lines(matrix: &Matrix<'_>, holders: &[Holder]) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut said, mut said_of_objects) = (false, false);
    for holder in holders {
        for unknown in matrix.unknown(holder) {
            // What holds of every policy of namespaces is said once.
            if matches!(unknown.reason, Reason::NamespaceObject(_)) {
                if !said_of_objects {
                    lines.push(format!(
                        "whoever has an access policy of namespaces: {}",
                        reason(matrix, holder, &unknown)
                    ));
                }
                said_of_objects = true;
                continue;
            }
            // What holds of everybody is said once.
            let of_all = matches!(unknown.reason, Reason::Unread(_) | Reason::NothingRead);
            if of_all && said {
                continue;
            }
            said |= of_all;
            let place = place(matrix, &unknown);
            let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
            let scope = match unknown.namespace.as_str() {
                "*" => "anywhere".to_owned(),
                namespace => format!("in {namespace}"),
            };
            let who = if of_all {
                "anyone".to_owned()
            } else {
                format!("{} {}", holder.kind.as_str(), holder.identity)
            };
            lines.push(format!("{who} {scope}: {}{place}", reason(matrix, holder, &unknown)));
        }
    }
    lines
}
