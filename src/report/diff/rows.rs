//! The rows that differ, in the long form of the matrix: as CSV and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::ask::diff::{Changes, Diff, Pair, Row};
use crate::ask::matrix::{Matrix, Scratch};
use crate::model::user::UserInfo;
use crate::report::matrix_long::{HEADER, csv_field, join_names};
use crate::report::{json as of_json, matrix_statement};

use super::Summary;

/// Writes the rows as CSV: `+` before what is gained, `-` before what is lost, in the order of the long form. Gives how
/// many there are.
///
/// # Errors
/// If writing fails.
pub fn csv(out: &mut dyn Write, diff: &Diff<'_>) -> io::Result<(usize, usize)> {
    writeln!(out, "change,{HEADER}")?;
    let mut scratch = Scratch::default();
    let mut counts = (0, 0);
    let mut line = String::new();
    for pair in &diff.pairs {
        let changes = diff.changes(pair, true, &mut scratch);
        let lost = changes.lost.iter().map(|row| (row, '-'));
        let mut rows: Vec<(&Row<'_>, char)> =
            lost.chain(changes.gained.iter().map(|row| (row, '+'))).collect();
        rows.sort_by(|(a, _), (b, _)| (&a.namespace, a.column).cmp(&(&b.namespace, b.column)));
        for (row, sign) in rows {
            let (matrix, holder) = if sign == '+' { (&diff.new, &pair.new) } else { (&diff.old, &pair.old) };
            let Some((cell, verb)) = matrix.universe().column(row.column) else { continue };
            line.clear();
            line.push(sign);
            let names = join_names(row.names.iter().map(String::as_str));
            let fields = [
                holder.kind.as_str(),
                &holder.identity,
                &holder.username,
                &row.namespace,
                &cell.group,
                &cell.resource,
                verb,
                &names,
            ];
            for field in fields {
                line.push(',');
                csv_field(&mut line, field);
            }
            writeln!(out, "{line}")?;
            if sign == '+' { counts.0 += 1 } else { counts.1 += 1 }
        }
    }
    Ok(counts)
}

fn row(matrix: &Matrix<'_>, holder: &crate::ask::matrix::Holder, row: &Row<'_>) -> Value {
    let cluster = matrix.cluster();
    let (group, resource, verb) = super::column(matrix.universe(), row.column);
    let grants: Vec<Value> = row
        .grants
        .iter()
        .filter_map(|grant| grant.grant(cluster))
        .map(|grant| of_json::grant(cluster, &grant))
        .collect();
    json!({
        "identityKind": holder.kind.as_str(),
        "identity": holder.identity,
        "username": holder.username,
        "namespace": row.namespace,
        "apiGroup": group,
        "resource": resource,
        "verb": verb,
        "resourceNames": row.names,
        "grants": grants,
    })
}

/// The rows of a pair: those that are gained, those that are lost, and what is unknown on one side.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    gained: Vec<Value>,
    lost: Vec<Value>,
    unknown: Vec<Value>,
}

impl Documents {
    /// Adds what differs for a pair.
    pub fn add(&mut self, diff: &Diff<'_>, pair: &Pair, changes: &Changes<'_>) {
        self.gained.extend(changes.gained.iter().map(|one| row(&diff.new, &pair.new, one)));
        self.lost.extend(changes.lost.iter().map(|one| row(&diff.old, &pair.old, one)));
        let mut unknown =
            |matrix: &Matrix<'_>, holder, list: &[crate::ask::matrix::unknown::Unknown<'_>], change: &str| {
                for one in list {
                    let mut value = matrix_statement::unknown(matrix, holder, one);
                    if let Some(object) = value.as_object_mut() {
                        object.insert("change".to_owned(), change.into());
                    }
                    self.unknown.push(value);
                }
            };
        unknown(&diff.new, &pair.new, &changes.became, "became unknown");
        unknown(&diff.old, &pair.old, &changes.stopped, "no longer unknown");
        let masked = |matrix: &Matrix<'_>, holder, rows: &[Row<'_>], change: &str| -> Vec<Value> {
            rows.iter()
                .map(|one| {
                    let mut value = row(matrix, holder, one);
                    if let Some(object) = value.as_object_mut() {
                        object.insert("change".to_owned(), change.into());
                    }
                    value
                })
                .collect()
        };
        self.unknown.extend(masked(&diff.new, &pair.new, &changes.now_known, "unknown before, granted now"));
        self.unknown.extend(masked(
            &diff.old,
            &pair.old,
            &changes.now_unknown,
            "granted before, unknown now",
        ));
    }

    /// The whole difference.
    pub fn document(self, diff: &Diff<'_>, summary: &Summary) -> Value {
        let user = |user: &Option<UserInfo>| {
            user.as_ref().map(|user| json!({ "username": user.username, "groups": user.groups }))
        };
        let (mut added, mut removed, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for (arn, before, after) in &diff.identities {
            match (before, after) {
                (None, Some(_)) => added.push(json!({ "arn": arn, "after": user(after) })),
                (Some(_), None) => removed.push(json!({ "arn": arn, "before": user(before) })),
                _ => changed.push(json!({ "arn": arn, "before": user(before), "after": user(after) })),
            }
        }
        let causes: Vec<Value> = summary
            .groups
            .iter()
            .map(|group| {
                let lines = group.lines.iter().map(|line| {
                    json!({
                        "change": if line.is_gained { "gained" } else { "lost" },
                        "identities": line.holders,
                        "namespaces": line.places,
                        "access": line.access,
                        "sensitive": line.sensitive.iter().map(|(what, means)| json!({ "access": what, "means": means })).collect::<Vec<_>>(),
                    })
                });
                json!({ "cause": group.cause.text, "source": group.place, "changes": lines.collect::<Vec<_>>() })
            })
            .collect();
        let summed = json!({
            "text": super::headline(summary),
            "gained": self.gained.len(),
            "lost": self.lost.len(),
            "gaining": summary.gaining,
            "losing": summary.losing,
            "sensitive": summary.is_sensitive,
            "causes": causes,
            "objects": summary.objects.iter().map(|object| object.title.as_str()).collect::<Vec<_>>(),
            "general": summary.general,
        });
        json!({
            "gained": self.gained,
            "lost": self.lost,
            "identities": { "added": added, "removed": removed, "changed": changed },
            "unknown": self.unknown,
            "paths": super::ways::document(&summary.ways),
            "summary": summed,
        })
    }
}
