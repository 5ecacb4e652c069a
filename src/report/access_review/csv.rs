//! The access review as CSV: a line for every capability that an identity has, or that is unknown; one line for who has none.

use std::io::{self, Write};

use crate::ask::access_review::Mark;
use crate::report::matrix_long::{csv_field, is_formula, join_names};

use super::cards::reasons;
use super::{Document, grant, groups, kind, people, places, since, title};

/// The header.
pub const HEADER: &str = "identity,kind,title,username,groups,people,capability_id,capability,answer,unknown_too,where,why_unknown,granted_by,source,since_signed,last_decision";

/// Writes the review; gives a text that a spreadsheet would take for a formula, if there is one.
///
/// # Errors
/// If writing fails.
pub fn write(out: &mut dyn Write, document: &Document<'_, '_>) -> io::Result<Option<String>> {
    let review = document.review;
    writeln!(out, "{HEADER}")?;
    let mut formula = None;
    for (row, number) in review.rows.iter().zip(0usize..) {
        let texts = |list: Vec<String>| join_names(list.iter().map(String::as_str));
        let last = document.signed.and_then(|(_, changes)| changes.rows.get(number)?.decision.as_ref());
        let who = [
            row.holder.identity.clone(),
            kind(row).to_owned(),
            title(row).to_owned(),
            row.holder.username.clone(),
            texts(groups(row)),
            texts(people(review, row)),
        ];
        let why: Vec<String> = reasons(review, row)
            .into_iter()
            .map(|one| format!("{}: {} {}", one.scope, one.reason, one.source).trim_end().to_owned())
            .collect();
        let rest = [since(document, number), last.map(super::decision).unwrap_or_default()];
        let mut line = |cells: [String; 8]| -> io::Result<()> {
            let mut text = String::new();
            for field in who.iter().chain(&cells).chain(&rest) {
                if !text.is_empty() {
                    text.push(',');
                }
                if is_formula(field) && formula.is_none() {
                    formula = Some(field.clone());
                }
                csv_field(&mut text, field);
            }
            writeln!(out, "{text}")
        };
        let mut lines = 0;
        for ((capability, cell), evidence) in row.capabilities().zip(&row.evidence) {
            if cell.mark() == Mark::No && !cell.is_open() {
                continue;
            }
            lines += 1;
            let grants: Vec<[String; 4]> = evidence.iter().filter_map(|one| grant(review, one)).collect();
            let of = |parts: fn(&[String; 4]) -> String| texts(grants.iter().map(parts).collect());
            line([
                capability.id.to_owned(),
                capability.name.to_owned(),
                cell.mark().as_str().to_owned(),
                if cell.is_open() { "unknown".to_owned() } else { String::new() },
                places(review, capability, cell),
                if cell.is_open() { texts(why.clone()) } else { String::new() },
                of(|[binding, _, rule, _]| format!("{binding}, {rule}")),
                of(|[_, binding, _, rule]| format!("{binding} {rule}")),
            ])?;
        }
        if lines == 0 {
            line(none(&why))?;
        }
    }
    Ok(formula)
}

/// The line of somebody who has none of the capabilities.
fn none(why: &[String]) -> [String; 8] {
    let mut cells: [String; 8] = std::array::from_fn(|_| String::new());
    let [_, name, answer, _, _, reasons, ..] = &mut cells;
    "none of the capabilities".clone_into(name);
    "no".clone_into(answer);
    *reasons = join_names(why.iter().map(String::as_str));
    cells
}
