//! The long form of the access matrix: one row per access that is granted, as CSV, NDJSON or one JSON document.
//!
//! What comes before and after the namespace in a row is written once and copied; rows are streamed, subject by
//! subject, so memory does not grow with their number.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::ask::matrix::{Block, Holder, Matrix, RowGrants, Scratch, Universe};
use crate::ask::who_can::GrantRef;
use crate::decide::graph::Applied;
use crate::model::names::{Name, Names};

use super::matrix_people;
use super::matrix_statement::{self, UnknownAccess};
use super::visible::is_hidden;

/// The header of the CSV.
pub const HEADER: &str = "identity_kind,identity,username,namespace,api_group,resource,verb,resource_names";

/// How much is gathered before it is written.
const CHUNK: usize = 1 << 16;

/// Called now and then with the number of holders done and of rows written.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

/// A name as one of several, joined with `;`: the empty one is `""`, a `;` or `\` in it has a `\` before it.
pub fn join_names<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    let mut joined = String::new();
    for (name, index) in names.into_iter().zip(0usize..) {
        if index > 0 {
            joined.push(';');
        }
        if name.is_empty() {
            joined.push_str("\"\"");
        }
        for char in name.chars() {
            if matches!(char, ';' | '\\') {
                joined.push('\\');
            }
            joined.push(char);
        }
    }
    joined
}

/// A field of CSV, quoted where it has to be. Follows RFC 4180: the text itself is never changed, for rows are
/// compared and joined with other data.
pub(super) fn csv_field(out: &mut String, text: &str) {
    if !text.contains(|char: char| matches!(char, ',' | '"') || is_hidden(char)) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for char in text.chars() {
        if char == '"' {
            out.push('"');
        }
        out.push(char);
    }
    out.push('"');
}

fn json_text(text: &str) -> String {
    Value::from(text).to_string()
}

/// The end of every row, by column.
struct Ends {
    text: String,
    ends: Vec<usize>,
}

impl Ends {
    fn of(universe: &Universe, mut write: impl FnMut(&mut String, &str, &str, &str)) -> Self {
        let mut ends = Self { text: String::new(), ends: Vec::with_capacity(universe.columns().len()) };
        for column in 0..u32::try_from(universe.columns().len()).unwrap_or(u32::MAX) {
            if let Some((cell, verb)) = universe.column(column) {
                write(&mut ends.text, &cell.group, &cell.resource, verb);
            }
            ends.ends.push(ends.text.len());
        }
        ends
    }

    fn get(&self, column: u32) -> &[u8] {
        let column = column as usize;
        let start = column.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(column).copied().unwrap_or(start);
        self.text.as_bytes().get(start..end).unwrap_or(&[])
    }
}

fn texts<'n>(names: &'n Names, limited: &'n [(u32, Name)]) -> impl Iterator<Item = &'n str> {
    limited.iter().map(|(_, name)| names.text(*name))
}

/// Writes the rows of all holders through `row`, which gets the buffer, the beginning of the row, and what ends it.
fn stream(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    progress: Progress<'_>,
    mut begin: impl FnMut(&mut String, &Holder, &str),
    mut rows: impl FnMut(&mut Vec<u8>, &str, &Holder, &Block<'_>, &mut dyn Write) -> io::Result<()>,
) -> io::Result<usize> {
    let mut scratch = Scratch::default();
    let mut buffer: Vec<u8> = Vec::with_capacity(CHUNK * 2);
    let mut start = String::new();
    let mut count = 0;
    for (holder, done) in holders.iter().zip(0usize..) {
        matrix.blocks(holder, &mut scratch, |block| {
            start.clear();
            begin(&mut start, holder, block.namespace);
            rows(&mut buffer, &start, holder, block, out)?;
            count += block.len();
            if buffer.len() > CHUNK {
                out.write_all(&buffer)?;
                buffer.clear();
            }
            Ok::<(), io::Error>(())
        })?;
        progress(done + 1, count);
    }
    out.write_all(&buffer)?;
    Ok(count)
}

/// What was written as CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number of rows.
    pub rows: usize,
    /// A text at the beginning of a field that a spreadsheet would take for a formula.
    pub formula: Option<String>,
}

/// Whether a spreadsheet takes a field for a formula, whether or not it is quoted.
pub(super) fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Writes the rows as CSV; gives their number, and a text to be careful with.
///
/// # Errors
/// If writing fails.
pub fn csv(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    progress: Progress<'_>,
) -> io::Result<Written> {
    let names = &matrix.cluster().graph().policy().names;
    let formula = OnceCell::new();
    let write_field = |out: &mut String, text: &str| {
        if is_formula(text) {
            formula.get_or_init(|| text.to_owned());
        }
        csv_field(out, text);
    };
    let ends = Ends::of(matrix.universe(), |text, group, resource, verb| {
        for field in [group, resource, verb] {
            write_field(text, field);
            text.push(',');
        }
    });
    writeln!(out, "{HEADER}{}", people_header(matrix))?;
    // What ends a row: the people behind its identity, where they are asked for.
    let mut tail = String::new();
    let begin = |start: &mut String, holder: &Holder, namespace: &str| {
        for field in [holder.kind.as_str(), &holder.identity, &holder.username, namespace] {
            write_field(start, field);
            start.push(',');
        }
    };
    let mut joined = String::new();
    let rows = stream(out, matrix, holders, progress, begin, |buffer, start, holder, block, out| {
        tail.clear();
        for names in matrix_people::names(matrix, holder).into_iter().flatten() {
            tail.push(',');
            write_field(&mut tail, &join_names(names.iter().map(String::as_str)));
        }
        tail.push('\n');
        if block.named.is_empty() {
            for column in block.any.iter() {
                buffer.extend_from_slice(start.as_bytes());
                buffer.extend_from_slice(ends.get(column));
                buffer.extend_from_slice(tail.as_bytes());
            }
            return Ok(());
        }
        let mut result = Ok(());
        block.rows(|column, limited| {
            buffer.extend_from_slice(start.as_bytes());
            buffer.extend_from_slice(ends.get(column));
            if !limited.is_empty() {
                joined.clear();
                write_field(&mut joined, &join_names(texts(names, limited)));
                buffer.extend_from_slice(joined.as_bytes());
            }
            buffer.extend_from_slice(tail.as_bytes());
            if buffer.len() > CHUNK && result.is_ok() {
                result = out.write_all(buffer);
                buffer.clear();
            }
        });
        result
    })?;
    Ok(Written { rows, formula: formula.into_inner() })
}

/// The columns for people, with a comma before each.
pub(super) fn people_header(matrix: &Matrix<'_>) -> String {
    matrix.people().map_or_else(String::new, |_| format!(",{}", matrix_people::COLUMNS.join(",")))
}

/// Begins a row of JSON.
fn json_begin<'m>(matrix: &'m Matrix<'_>) -> impl FnMut(&mut String, &Holder, &str) + 'm {
    |start: &mut String, holder: &Holder, namespace: &str| {
        let _ = write!(
            start,
            "{{\"identityKind\":{},\"identity\":{},\"username\":{},{}\"namespace\":{},",
            json_text(holder.kind.as_str()),
            json_text(&holder.identity),
            json_text(&holder.username),
            matrix_people::json_fields(matrix, holder),
            json_text(namespace)
        );
    }
}

fn json_ends(universe: &Universe) -> Ends {
    Ends::of(universe, |text, group, resource, verb| {
        let _ = write!(
            text,
            "\"apiGroup\":{},\"resource\":{},\"verb\":{},\"resourceNames\":[",
            json_text(group),
            json_text(resource),
            json_text(verb)
        );
    })
}

fn json_names(buffer: &mut Vec<u8>, names: &Names, limited: &[(u32, Name)]) {
    for (name, index) in texts(names, limited).zip(0usize..) {
        if index > 0 {
            buffer.push(b',');
        }
        buffer.extend_from_slice(json_text(name).as_bytes());
    }
    buffer.push(b']');
}

/// Writes the rows as JSON objects, one a line; gives their number.
///
/// # Errors
/// If writing fails.
pub fn ndjson(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    progress: Progress<'_>,
) -> io::Result<usize> {
    let names = &matrix.cluster().graph().policy().names;
    let ends = json_ends(matrix.universe());
    let end: &[u8] = if matrix.shows_reachable() {
        b",\"access\":\"direct\",\"steps\":0,\"through\":\"\"}\n"
    } else {
        b"}\n"
    };
    let mut count =
        stream(out, matrix, holders, progress, json_begin(matrix), |buffer, start, _, block, out| {
            let mut result = Ok(());
            block.rows(|column, limited| {
                buffer.extend_from_slice(start.as_bytes());
                buffer.extend_from_slice(ends.get(column));
                json_names(buffer, names, limited);
                buffer.extend_from_slice(end);
                if buffer.len() > CHUNK && result.is_ok() {
                    result = out.write_all(buffer);
                    buffer.clear();
                }
            });
            result
        })?;
    let mut out = BufWriter::with_capacity(CHUNK, out);
    for mut row in reachable_rows(matrix, holders) {
        if let Some(row) = row.as_object_mut() {
            row.insert("access".to_owned(), "reachable".into());
        }
        writeln!(out, "{row}")?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

/// The decimal digits of a number.
pub(super) fn digits(number: u32, buffer: &mut [u8; 10]) -> &str {
    let mut rest = number;
    let mut start = buffer.len();
    for digit in buffer.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        start -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    buffer.get(start..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// The number of a binding among those that grant anything, and the numbers of its grants by its rules; [`u32::MAX`]
/// for none yet.
type Numbers = (u32, Box<[u32]>);

/// Grants that rows point to, each stored once, numbered as they come: there may be a million.
#[derive(Default)]
struct GrantTable<'g> {
    /// Per binding that grants anything, and subject of it, the grants by each of its rules.
    numbers: FxHashMap<(u32, u32), Numbers>,
    bindings: Vec<Applied<'g>>,
    /// Binding, subject and rule of each grant.
    grants: Vec<[u32; 3]>,
    /// The numbers of the grants of the block at hand, by their number there.
    here: Vec<u32>,
}

pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'g> GrantTable<'g> {
    /// Comes to a block.
    fn begin(&mut self, block: &RowGrants<'g>) {
        self.here.clear();
        self.here.resize(block.len(), u32::MAX);
    }

    /// The number of a grant of the block: binding, subject and rule settle it.
    fn number(&mut self, block: &RowGrants<'g>, local: u32) -> u32 {
        let Self { numbers, bindings, grants, here } = self;
        let Some(here) = here.get_mut(local as usize) else { return u32::MAX };
        if *here == u32::MAX
            && let Some((GrantRef { applied, subject, rule }, _)) = block.grant(local)
        {
            let (binding, rules) = numbers.entry((applied.order(), subject)).or_insert_with(|| {
                bindings.push(applied);
                (narrow(bindings.len() - 1), Box::default())
            });
            if rules.len() <= rule as usize {
                let mut longer = std::mem::take(rules).into_vec();
                longer.resize(rule as usize + 1, u32::MAX);
                *rules = longer.into();
            }
            if let Some(number) = rules.get_mut(rule as usize) {
                if *number == u32::MAX {
                    *number = narrow(grants.len());
                    grants.push([*binding, subject, rule]);
                }
                *here = *number;
            }
        }
        *here
    }

    fn grants(&self) -> impl Iterator<Item = GrantRef<'g>> {
        self.grants.iter().filter_map(|[binding, subject, rule]| {
            let applied = *self.bindings.get(*binding as usize)?;
            Some(GrantRef { applied, subject: *subject, rule: *rule })
        })
    }
}

/// Writes the whole matrix as one JSON document: `meta`, then `rows`, each with the numbers of its grants, then
/// the `grants` and what is `unknown`; gives the number of rows.
///
/// # Errors
/// If writing fails.
pub fn json(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    meta: &Value,
    progress: Progress<'_>,
) -> io::Result<usize> {
    let cluster = matrix.cluster();
    let names = &cluster.graph().policy().names;
    let ends = json_ends(matrix.universe());
    let mut table = GrantTable::default();
    let mut grants = RowGrants::default();
    write!(out, "{{\"meta\":{meta},\n\"rows\":[")?;
    let mut first = true;
    let count =
        stream(out, matrix, holders, progress, json_begin(matrix), |buffer, start, holder, block, out| {
            matrix.grants(holder, block, &mut grants);
            table.begin(&grants);
            let mut result = Ok(());
            block.rows(|column, limited| {
                buffer.extend_from_slice(if first { b"\n" } else { b",\n" });
                first = false;
                buffer.extend_from_slice(start.as_bytes());
                buffer.extend_from_slice(ends.get(column));
                json_names(buffer, names, limited);
                buffer.extend_from_slice(b",\"grants\":[");
                for (local, index) in grants.of(column).iter().zip(0usize..) {
                    if index > 0 {
                        buffer.push(b',');
                    }
                    let number = table.number(&grants, *local);
                    buffer.extend_from_slice(digits(number, &mut [0; 10]).as_bytes());
                }
                buffer.extend_from_slice(b"]}");
                if buffer.len() > CHUNK && result.is_ok() {
                    result = out.write_all(buffer);
                    buffer.clear();
                }
            });
            result
        })?;
    // What follows comes in small pieces.
    let mut out = BufWriter::with_capacity(CHUNK, out);
    write!(out, "\n],\n\"grants\":[")?;
    let listed = table.grants().filter_map(|grant| grant.grant(cluster));
    let mut lines = super::json::GrantLines::default();
    let mut line = Vec::new();
    for (grant, index) in listed.zip(0usize..) {
        line.clear();
        line.extend_from_slice(if index > 0 { b",\n" } else { b"\n" });
        lines.write(&mut line, cluster, &grant)?;
        out.write_all(&line)?;
    }
    write!(out, "\n],\n\"unknown\":[")?;
    let mut first = true;
    for holder in holders {
        for unknown in matrix.unknown(holder) {
            let comma = if first { "\n" } else { ",\n" };
            first = false;
            write!(out, "{comma}{}", matrix_statement::unknown(matrix, holder, &unknown))?;
        }
    }
    write!(out, "\n],\n\"unknownAccess\":[")?;
    let (mut scratch, mut access, mut comma) = (Scratch::default(), UnknownAccess::default(), "\n");
    for holder in holders {
        for block in matrix.unknown_blocks(holder, &matrix.unknown(holder), &mut scratch) {
            write!(out, "{comma}")?;
            access.write(&mut out, matrix, holder, &block)?;
            comma = ",\n";
        }
    }
    write!(out, "\n]")?;
    if matrix.shows_reachable() {
        write_reachable(&mut out, matrix, holders)?;
    }
    if matrix.people().is_some() {
        write!(out, ",\n\"people\":{}", matrix_people::document(matrix, holders))?;
    }
    writeln!(out, "}}")?;
    out.flush()?;
    Ok(count)
}

/// What the holders have not and can get by certain steps, a row each.
fn reachable_rows(matrix: &Matrix<'_>, holders: &[Holder]) -> impl Iterator<Item = Value> {
    let of_holder = move |holder| {
        let rows = matrix.reached(holder).into_iter().flatten();
        rows.filter_map(move |((heading, column, names), reached)| {
            let (cell, verb) = matrix.universe().column(*column)?;
            Some(json!({
                "identityKind": holder.kind.as_str(),
                "identity": holder.identity,
                "username": holder.username,
                "namespace": heading,
                "apiGroup": cell.group,
                "resource": cell.resource,
                "verb": verb,
                "resourceNames": names,
                "steps": reached.steps,
                "through": reached.through,
            }))
        })
    };
    holders.iter().flat_map(of_holder)
}

fn write_reachable(out: &mut dyn Write, matrix: &Matrix<'_>, holders: &[Holder]) -> io::Result<()> {
    write!(out, ",\n\"reachable\":[")?;
    let mut comma = "\n";
    for row in reachable_rows(matrix, holders) {
        write!(out, "{comma}{row}")?;
        comma = ",\n";
    }
    write!(out, "\n]")
}

/// Everything that is unknown, for a side file.
pub fn unknown(matrix: &Matrix<'_>, holders: &[Holder]) -> Value {
    let mut list = Vec::new();
    for holder in holders {
        for unknown in matrix.unknown(holder) {
            list.push(matrix_statement::unknown(matrix, holder, &unknown));
        }
    }
    json!(list)
}
