//! The long form as CSV with evidence: a row for every grant, and rows for what is unknown.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use crate::ask::matrix::{Holder, Matrix, RowGrants, Scratch};
use crate::decide::evaluate::Grant;
use crate::model::policy::Policy;
use crate::model::user::SYSTEM_MASTERS;

use super::matrix_long::{HEADER, Progress, Written, csv_field, is_formula, join_names, people_header};
use super::{matrix_people, words};

/// Which columns come behind those of the long form.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// `granted_by`, `role`, `rule` and `source`: a row for each grant.
    pub grants: bool,
    /// `answer`, with rows for what is unknown.
    pub unknown: bool,
}

/// What grants a row: binding, role, number of the rule, place of the rule.
type Evidence = [String; 4];

/// One row at a time, with what a spreadsheet might take for a formula.
struct Lines<'w> {
    out: BufWriter<&'w mut dyn Write>,
    columns: Columns,
    /// Whether `access`, `steps` and `through` follow.
    shows_reachable: bool,
    line: String,
    written: Written,
}

impl Lines<'_> {
    fn row(
        &mut self,
        (fields, people): (&[&str; 8], &[String]),
        evidence: Option<&Evidence>,
        answer: &str,
        reached: &[&str; 3],
    ) -> io::Result<()> {
        self.line.clear();
        let empty = Evidence::default();
        let evidence = self.columns.grants.then(|| evidence.unwrap_or(&empty)).into_iter().flatten();
        let fields = fields.iter().copied().chain(evidence.map(String::as_str));
        let fields = fields.chain(self.columns.unknown.then_some(answer));
        let reached = self.shows_reachable.then_some(reached).into_iter().flatten();
        let fields = fields.chain(reached.copied());
        for (field, number) in fields.chain(people.iter().map(String::as_str)).zip(0usize..) {
            if number > 0 {
                self.line.push(',');
            }
            if is_formula(field) {
                self.written.formula.get_or_insert_with(|| field.to_owned());
            }
            csv_field(&mut self.line, field);
        }
        self.line.push('\n');
        self.written.rows += 1;
        self.out.write_all(self.line.as_bytes())
    }
}

/// Writes the rows as CSV with more columns.
///
/// # Errors
/// If writing fails.
pub fn csv(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    columns: Columns,
    progress: Progress<'_>,
) -> io::Result<Written> {
    let cluster = matrix.cluster();
    let policy = cluster.graph().policy();
    let written = Written { rows: 0, formula: None };
    let shows_reachable = matrix.shows_reachable();
    let mut rows = Lines { out: BufWriter::new(out), columns, shows_reachable, line: String::new(), written };
    let grants = if columns.grants { ",granted_by,role,rule,source" } else { "" };
    let answer = if columns.unknown { ",answer" } else { "" };
    let reached = if rows.shows_reachable { ",access,steps,through" } else { "" };
    writeln!(rows.out, "{HEADER}{grants}{answer}{reached}{}", people_header(matrix))?;
    let (mut scratch, mut found) = (Scratch::default(), RowGrants::default());
    for (holder, done) in holders.iter().zip(1usize..) {
        let people = matrix_people::names(matrix, holder).into_iter().flatten();
        let people: Vec<String> = people.map(|names| join_names(names.iter().map(String::as_str))).collect();
        let unknown = if columns.unknown {
            matrix.unknown_blocks(holder, &matrix.unknown(holder), &mut scratch)
        } else {
            Vec::new()
        };
        matrix.blocks(holder, &mut scratch, |block| {
            let mut result = Ok(());
            if columns.grants {
                matrix.grants(holder, block, &mut found);
            }
            block.rows(|column, limited| {
                let Some((cell, verb)) = matrix.universe().column(column) else { return };
                let names = join_names(limited.iter().map(|(_, name)| policy.names.text(*name)));
                let fields = [
                    holder.kind.as_str(),
                    &holder.identity,
                    &holder.username,
                    block.namespace,
                    &cell.group,
                    &cell.resource,
                    verb,
                    &names,
                ];
                let mut evidence: Vec<Evidence> = Vec::new();
                if columns.grants {
                    let grants = found.of(column).iter().filter_map(|local| found.grant(*local));
                    let grants = grants.filter_map(|(grant, _)| grant.grant(cluster));
                    evidence.extend(grants.map(|grant| evidence_of(policy, &grant)));
                }
                if evidence.is_empty() {
                    evidence.push([
                        if holder.is_master() { format!("Group {SYSTEM_MASTERS}") } else { String::new() },
                        String::new(),
                        String::new(),
                        String::new(),
                    ]);
                }
                for one in &evidence {
                    if result.is_ok() {
                        result = rows.row((&fields, &people), Some(one), "yes", &["direct", "0", ""]);
                    }
                }
            });
            result
        })?;
        for block in &unknown {
            for column in block.columns.iter() {
                let Some((cell, verb)) = matrix.universe().column(column) else { continue };
                let fields = [
                    holder.kind.as_str(),
                    &holder.identity,
                    &holder.username,
                    &block.namespace,
                    &cell.group,
                    &cell.resource,
                    verb,
                    "",
                ];
                rows.row((&fields, &people), None, "unknown", &["unknown", "", ""])?;
            }
        }
        for ((heading, column, names), reached) in matrix.reached(holder).into_iter().flatten() {
            let Some((cell, verb)) = matrix.universe().column(*column) else { continue };
            let names = join_names(names.iter().map(String::as_str));
            let fields = [
                holder.kind.as_str(),
                &holder.identity,
                &holder.username,
                heading,
                &cell.group,
                &cell.resource,
                verb,
                &names,
            ];
            let steps = reached.steps.to_string();
            rows.row((&fields, &people), None, "no", &["reachable", &steps, &reached.through])?;
        }
        progress(done, rows.written.rows);
    }
    rows.out.flush()?;
    Ok(rows.written)
}

/// Binding, role, rule and place of a grant.
fn evidence_of(policy: &Policy, grant: &Grant<'_>) -> Evidence {
    let role = grant.applied.role.map_or_else(String::new, |role| plain(words::role(policy, role)));
    [
        plain(words::binding(policy, grant.applied.binding)),
        role,
        (grant.rule.position + 1).to_string(),
        words::rule_place(policy, &grant.rule).to_string(),
    ]
}

/// A kind with a name, without the marks around the name.
fn plain(titled: impl Display) -> String {
    let text = titled.to_string().replacen('`', "", 1);
    text.strip_suffix('`').map(str::to_owned).unwrap_or(text)
}
