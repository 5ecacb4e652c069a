//! The access matrix as one page to open in a browser: no network, filters, every cell with its grants.
//!
//! The page's own script shows what stands in it as JSON; rows are three numbers each (column, names, set of
//! grants), for a hundred thousand of them are to be usable.

use std::fmt::Write as _;
use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Who, WhoIs};
use crate::evaluate::Grant;
use crate::matrix::{Holder, Matrix, Place, RowGrant, Scratch};

use super::matrix_long::{GrantTable, Progress, join_names};
use super::{matrix_statement, words};

const PAGE: &str = include_str!("matrix.html");

/// Texts that come again and again, by number.
#[derive(Default)]
struct Texts {
    numbers: FxHashMap<String, usize>,
    texts: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len();
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }
}

/// Sets of grants, by number.
#[derive(Default)]
struct Sets {
    numbers: FxHashMap<Vec<usize>, usize>,
    sets: Vec<Vec<usize>>,
}

impl Sets {
    fn number(&mut self, set: Vec<usize>) -> usize {
        let next = self.sets.len();
        let number = *self.numbers.entry(set.clone()).or_insert(next);
        if number == next {
            self.sets.push(set);
        }
        number
    }
}

/// What the rows come to.
#[derive(Default)]
struct Body<'g> {
    blocks: String,
    namespaces: Texts,
    names: Texts,
    sets: Sets,
    grants: GrantTable<'g>,
    rows: usize,
}

/// Writes the page; gives the number of rows.
///
/// # Errors
/// If writing fails.
pub fn page(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    meta: &Value,
    progress: Progress<'_>,
) -> io::Result<usize> {
    let body = body(matrix, holders, progress);
    let (before, after) = PAGE.split_once("@DATA@").unwrap_or((PAGE, ""));
    out.write_all(before.as_bytes())?;
    let cluster = matrix.cluster();
    let grants: Vec<Value> = body.grants.grants.iter().map(|grant| hops(cluster, grant)).collect();
    let unknown: Vec<Value> = holders
        .iter()
        .flat_map(|holder| {
            matrix
                .unknown(holder)
                .into_iter()
                .map(|unknown| matrix_statement::unknown(matrix, holder, &unknown))
                .collect::<Vec<_>>()
        })
        .collect();
    let universe = matrix.universe();
    let cells: Vec<Value> = universe
        .cells()
        .iter()
        .map(|cell| json!([cell.group, cell.resource, u8::from(cell.place == Place::Url)]))
        .collect();
    let columns: Vec<Value> = universe
        .columns()
        .iter()
        .zip(0u32..)
        .map(|(column, number)| json!([column.cell, universe.column(number).map_or("", |(_, verb)| verb)]))
        .collect();
    let parts = [
        ("meta", meta.clone()),
        ("unknown", unknown.into()),
        ("holders", holders.iter().map(|holder| about(cluster, holder)).collect()),
        ("cells", cells.into()),
        ("columns", columns.into()),
        ("namespaces", body.namespaces.texts.into()),
        ("names", body.names.texts.into()),
        ("sets", body.sets.sets.into()),
        ("grants", grants.into()),
    ];
    let mut separator = '{';
    for (name, value) in parts {
        write!(out, "{separator}\"{name}\":{}", harmless(&value.to_string()))?;
        separator = ',';
    }
    write!(out, ",\"blocks\":[{}]}}", body.blocks)?;
    out.write_all(after.as_bytes())?;
    Ok(body.rows)
}

/// JSON that cannot end the element in which it stands: `<` occurs in texts only, where it may be escaped.
fn harmless(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn body<'c>(matrix: &Matrix<'c>, holders: &[Holder], progress: Progress<'_>) -> Body<'c> {
    let names = &matrix.cluster().graph().policy().names;
    let mut body = Body::default();
    let mut scratch = Scratch::default();
    for (holder, number) in holders.iter().zip(0usize..) {
        let walked: Result<(), std::convert::Infallible> = matrix.blocks(holder, &mut scratch, |block| {
            let grants = matrix.grants(holder, block);
            let mut rest = grants.as_slice();
            let comma = if body.blocks.is_empty() { "" } else { "," };
            let namespace = body.namespaces.number(block.namespace);
            let _ = write!(body.blocks, "{comma}\n[{number},{namespace},[");
            let mut last = 0;
            let mut first = true;
            block.rows(|column, limited| {
                let set = take_set(&mut rest, column, &mut body.grants);
                let set = body.sets.number(set);
                let of_names = if limited.is_empty() {
                    0
                } else {
                    body.names.number(&join_names(limited.iter().map(|(_, name)| names.text(*name)))) + 1
                };
                let comma = if first { "" } else { "," };
                first = false;
                let _ = write!(body.blocks, "{comma}{},{of_names},{set}", column - last);
                last = column;
                body.rows += 1;
            });
            body.blocks.push_str("]]");
            Ok(())
        });
        let Ok(()) = walked;
        progress(number + 1, body.rows);
    }
    body
}

/// The numbers of the grants of a column, which come in the order of columns.
fn take_set<'c>(rest: &mut &[RowGrant<'c>], column: u32, table: &mut GrantTable<'c>) -> Vec<usize> {
    let mut set = Vec::new();
    while let Some((row, after)) = rest.split_first().filter(|(row, _)| row.column <= column) {
        *rest = after;
        if row.column == column {
            set.push(table.number(&row.grant));
        }
    }
    set
}

/// Kind, identity, username, groups, how it is mapped and where, and whether everything is allowed to it.
fn about(cluster: &Cluster, holder: &Holder) -> Value {
    let groups = holder.who.as_deref().and_then(Who::shown).map(|user| user.groups).unwrap_or_default();
    let (mapped, place) = match holder.who.as_deref().map(|who| &who.is) {
        Some(WhoIs::Mapped(mapped)) => (
            format!(
                "{}: user {}, groups {}",
                mapped.provenance.kind.as_str(),
                mapped.username,
                groups.join(", ")
            ),
            cluster.sources().show(mapped.provenance.source).to_string(),
        ),
        _ => (String::new(), String::new()),
    };
    json!([
        holder.kind.as_str(),
        holder.identity,
        holder.username,
        groups,
        mapped,
        place,
        u8::from(holder.is_master())
    ])
}

/// The hops of a grant: depth, text and place each.
fn hops(cluster: &Cluster, grant: &Grant<'_>) -> Value {
    words::hops(cluster.graph(), grant)
        .into_iter()
        .map(|hop| json!([hop.depth, hop.text, hop.place]))
        .collect()
}
