//! The access matrix as one page to open in a browser: no network, filters, every cell with its grants.
//!
//! The page's own script shows what stands in it as JSON; rows are numbers that point into tables, for millions of
//! them are to fit into a page that a browser opens.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::BuildHasher;
use std::io::{self, BufWriter, Write};

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde_json::{Value, json};

use crate::ask::matrix::preset;
use crate::ask::matrix::{Cell, Dense, Holder, Matrix, Place, RowGrants, Scratch};
use crate::decide::cluster::{Who, WhoIs};
use crate::decide::graph::{Applied, RbacGraph, RoleRule};
use crate::model::names::{Name, Names};
use crate::model::rbac::{Role, Scope};

use super::matrix_long::{Progress, digits, join_names, narrow};
use super::phrases::{self, titles};
use super::{matrix_people, matrix_reached, matrix_statement, words};

const PAGE: &str = include_str!("matrix.html");

/// How much is gathered before it is written.
const CHUNK: usize = 1 << 16;

/// Texts that come again and again, by number, each stored once.
#[derive(Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
    table: HashTable<usize>,
}

impl Texts {
    fn at<'t>(text: &'t str, ends: &[usize], number: usize) -> &'t str {
        let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        ends.get(number).and_then(|end| text.get(start..*end)).unwrap_or("")
    }

    fn number(&mut self, wanted: &str) -> usize {
        let Self { text, ends, table } = self;
        let hash = |text: &str| FxBuildHasher.hash_one(text);
        if let Some(number) = table.find(hash(wanted), |number| Self::at(text, ends, *number) == wanted) {
            return *number;
        }
        let number = ends.len();
        text.push_str(wanted);
        ends.push(text.len());
        table.insert_unique(hash(wanted), number, |number| hash(Self::at(text, ends, *number)));
        number
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|number| Self::at(&self.text, &self.ends, number))
    }
}

/// The tables to which the blocks of the page point, each entry there once.
///
/// Millions of rows have few shapes: identities that are granted the same roles have the same rows, by the same rules of
/// them. So a block is its holder, its namespace, a shape and the bindings that stand behind it here.
#[derive(Default)]
struct Tables<'c> {
    namespaces: Texts,
    names: Texts,
    /// Rows as (step to the next column, names, set of grants).
    shapes: Texts,
    /// Sets of grants as (which binding of the block, which rule of its role).
    sets: Texts,
    /// A binding and one of its subjects.
    subjects: FxHashMap<(u32, u32), usize>,
    subject_list: Vec<(Applied<'c>, u32)>,
}

impl<'c> Tables<'c> {
    /// The number for the names that a row is limited to: 0 for none, 1 for the one that is the row's own namespace, so
    /// that what is granted alike in thousands of namespaces has one shape, and from 2 on a list of names.
    fn names_number(&mut self, names: &Names, namespace: &str, limited: &[(u32, Name)]) -> u32 {
        match limited {
            [] => 0,
            // As a list it is written like that too, if nothing in it has to be escaped.
            [(_, name)]
                if !namespace.is_empty()
                    && !namespace.contains([';', '\\'])
                    && names.text(*name) == namespace =>
            {
                1
            }
            _ => {
                narrow(self.names.number(&join_names(limited.iter().map(|(_, name)| names.text(*name))))) + 2
            }
        }
    }

    fn subject(&mut self, applied: Applied<'c>, subject: u32) -> usize {
        let next = self.subject_list.len();
        let number = *self.subjects.entry((applied.order(), subject)).or_insert(next);
        if number == next {
            self.subject_list.push((applied, subject));
        }
        number
    }
}

/// What was written.
#[derive(Copy, Clone, Debug)]
pub struct Written {
    /// How many rows the page has.
    pub rows: usize,
    /// How long it is, in bytes.
    pub bytes: u64,
}

/// Writes the page.
///
/// # Errors
/// If writing fails.
pub fn page(
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    meta: &Value,
    progress: Progress<'_>,
) -> io::Result<Written> {
    let mut out = Counted { out: BufWriter::with_capacity(CHUNK, out), bytes: 0 };
    let (before, after) = PAGE.split_once("@DATA@").unwrap_or((PAGE, ""));
    out.write_all(before.as_bytes())?;
    let mut tables = Tables::default();
    let rows = blocks(&mut out, matrix, holders, &mut tables, progress)?;
    unknown_blocks(&mut out, matrix, holders, &mut tables)?;
    write_tables(&mut out, matrix, &tables)?;
    let universe = matrix.universe();
    list(
        &mut out,
        "unknown",
        holders.iter().flat_map(|holder| {
            let unknown = matrix.unknown(holder).into_iter();
            unknown.map(move |unknown| matrix_statement::unknown(matrix, holder, &unknown))
        }),
    )?;
    list(&mut out, "holders", holders.iter().map(|holder| about(matrix, holder)))?;
    list(&mut out, "people", matrix_people::lines(matrix, holders).into_iter().map(Value::from))?;
    list(&mut out, "reached", matrix_reached::lines(matrix, holders).into_iter().map(Value::from))?;
    let is_url = |cell: &Cell| u8::from(cell.place == Place::Url);
    let cells = universe.cells().iter();
    list(&mut out, "cells", cells.map(|cell| json!([cell.group, cell.resource, is_url(cell)])))?;
    // The columns of the preset: what matters most stands first.
    let grave = preset::sensitive(matrix.cluster().version());
    let is_grave = |number: &u32| {
        universe.column(*number).is_some_and(|(cell, verb)| {
            grave.iter().any(|one| {
                one.object.is_none()
                    && one.group == cell.group
                    && one.resource == cell.resource
                    && one.verb == verb
            })
        })
    };
    let numbers = universe.columns().iter().zip(0u32..).map(|(_, number)| number);
    list(&mut out, "sensitive", numbers.filter(is_grave).map(Value::from))?;
    let columns = universe.columns().iter().zip(0u32..);
    let verb = |number| universe.column(number).map_or("", |(_, verb)| verb);
    list(&mut out, "columns", columns.map(|(column, number)| json!([column.cell, verb(number)])))?;
    write!(out, ",\n\"phrases\":{}", harmless(&phrases().to_string()))?;
    write!(out, ",\"meta\":{}}}", harmless(&meta.to_string()))?;
    out.write_all(after.as_bytes())?;
    out.flush()?;
    Ok(Written { rows, bytes: out.bytes })
}

/// The phrases that the page shares with other reports; those that are titles begin with a capital letter there.
fn phrases() -> Value {
    let title = |text: &str| {
        let mut chars = text.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>())
    };
    json!({
        "unknown": title(phrases::UNKNOWN),
        "missingRoles": title(titles::MISSING_ROLES),
        "mappingsInError": title(titles::BROKEN_MAPPINGS),
        "mappedButBoundNowhere": title(titles::BOUND_NOWHERE),
        "boundButNotMapped": title(titles::UNMAPPED_GROUPS),
        "matchesNothing": title(titles::MATCHES_NOTHING),
        "leftOut": title(titles::LEFT_OUT),
        "notModelled": title(titles::NOT_MODELLED),
        "bypassesRbac": phrases::BYPASSES_RBAC,
    })
}

/// A writer that knows how much went through it.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes one more list of the page's data.
fn list(out: &mut impl Write, name: &str, values: impl Iterator<Item = Value>) -> io::Result<()> {
    write!(out, ",\n\"{name}\":[")?;
    for (value, index) in values.zip(0usize..) {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}\n{}", harmless(&value.to_string()))?;
    }
    write!(out, "]")
}

/// JSON that cannot end the element in which it stands: `<` occurs in texts only, where it may be escaped.
pub(super) fn harmless(json: &str) -> Cow<'_, str> {
    if !json.contains(['<', '\u{2028}', '\u{2029}']) {
        return Cow::Borrowed(json);
    }
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029").into()
}

/// Writes the blocks as they come; gives the number of rows.
fn blocks<'c>(
    out: &mut impl Write,
    matrix: &Matrix<'c>,
    holders: &[Holder],
    tables: &mut Tables<'c>,
    progress: Progress<'_>,
) -> io::Result<usize> {
    let names = &matrix.cluster().graph().policy().names;
    let mut scratch = Scratch::default();
    let mut grants = RowGrants::default();
    let (mut shape, mut set) = (String::new(), String::new());
    let mut rows = 0;
    write!(out, "{{\"blocks\":[")?;
    let mut comma = "";
    for (holder, number) in holders.iter().zip(0usize..) {
        matrix.blocks(holder, &mut scratch, |block| {
            matrix.grants(holder, block, &mut grants);
            shape.clear();
            let mut last = 0;
            block.rows(|column, limited| {
                let push = |text: &mut String, number: u32| {
                    if !text.is_empty() {
                        text.push(',');
                    }
                    text.push_str(digits(number, &mut [0; 10]));
                };
                set.clear();
                for (grant, binding) in grants.of(column).iter().filter_map(|local| grants.grant(*local)) {
                    push(&mut set, binding);
                    push(&mut set, grant.rule);
                }
                push(&mut shape, column - last);
                push(&mut shape, tables.names_number(names, block.namespace, limited));
                push(&mut shape, narrow(tables.sets.number(&set)));
                last = column;
                rows += 1;
            });
            let namespace = tables.namespaces.number(block.namespace);
            write!(out, "{comma}\n[{number},{namespace},{}", tables.shapes.number(&shape))?;
            comma = ",";
            for (applied, subject) in grants.bindings() {
                write!(out, ",{}", tables.subject(applied, subject))?;
            }
            write!(out, "]")
        })?;
        progress(number + 1, rows);
    }
    write!(out, "]")?;
    Ok(rows)
}

/// Writes the blocks of what is unknown: holder, namespace and shape, as those of what is granted.
fn unknown_blocks(
    out: &mut impl Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    tables: &mut Tables<'_>,
) -> io::Result<()> {
    let (mut scratch, mut shapes, mut comma) = (Scratch::default(), FxHashMap::default(), "");
    write!(out, ",\n\"open\":[")?;
    for (holder, number) in holders.iter().zip(0usize..) {
        for block in matrix.unknown_blocks(holder, &matrix.unknown(holder), &mut scratch) {
            let namespace = tables.namespaces.number(&block.namespace);
            // The same columns come again and again.
            let shape = *shapes
                .entry(block.columns)
                .or_insert_with_key(|columns| tables.shapes.number(&shape_of(columns)));
            write!(out, "{comma}\n[{number},{namespace},{shape}]")?;
            comma = ",";
        }
    }
    write!(out, "]")
}

/// Columns as the page has them: each as its distance from the last, without names and grants.
fn shape_of(columns: &Dense) -> String {
    let (mut shape, mut last) = (String::new(), 0);
    for column in columns.iter() {
        let comma = if shape.is_empty() { "" } else { "," };
        let _ = write!(shape, "{comma}{},0,0", column - last);
        last = column;
    }
    shape
}

/// Writes what the blocks point to: namespaces, names, shapes and sets; subjects, bindings, and roles with their rules.
fn write_tables(out: &mut impl Write, matrix: &Matrix<'_>, tables: &Tables<'_>) -> io::Result<()> {
    let graph = matrix.cluster().graph();
    let policy = graph.policy();
    list(out, "namespaces", tables.namespaces.texts().map(Value::from))?;
    list(out, "names", tables.names.texts().map(Value::from))?;
    for (name, texts) in [("shapes", &tables.shapes), ("sets", &tables.sets)] {
        write!(out, ",\n\"{name}\":[")?;
        for (text, index) in texts.texts().zip(0usize..) {
            let comma = if index > 0 { "," } else { "" };
            write!(out, "{comma}\n[{text}]")?;
        }
        write!(out, "]")?;
    }
    let mut bindings: FxHashMap<u32, usize> = FxHashMap::default();
    let mut binding_list = Vec::new();
    list(
        out,
        "subjects",
        tables.subject_list.iter().map(|(applied, subject)| {
            let next = binding_list.len();
            let number = *bindings.entry(applied.order()).or_insert(next);
            if number == next {
                binding_list.push(*applied);
            }
            let subject = *subject as usize;
            let named = policy.subjects_of(applied.binding).get(subject);
            let text = named.map(|named| words::subject(policy, named.subject).to_string());
            let place = words::subject_place_of(graph, applied.binding, subject).to_string();
            json!([number, format!("names {}", text.unwrap_or_default()), place])
        }),
    )?;
    let mut roles: FxHashMap<(Scope, Name), usize> = FxHashMap::default();
    let mut role_list = Vec::new();
    list(
        out,
        "bindings",
        binding_list.iter().map(|applied| {
            let next = role_list.len();
            let bound = applied.binding;
            let number = applied.role.map(|role| *roles.entry((role.scope, role.name)).or_insert(next));
            if number == Some(next) {
                role_list.push(*applied);
            }
            let place = words::place(policy, bound.source).to_string();
            json!([words::binding(policy, bound).to_string(), place, number])
        }),
    )?;
    list(
        out,
        "roles",
        role_list.iter().filter_map(|applied| {
            let role = applied.role?;
            let rules: Value =
                graph.granted_rules(applied).map(|rule| rule_hops(graph, role, &rule)).collect();
            let place = words::place(policy, role.source).to_string();
            Some(json!([words::role(policy, role).to_string(), place, rules]))
        }),
    )
}

/// How a rule came into a role, and the rule: text and place of each, one after the other.
fn rule_hops(graph: &RbacGraph, role: &Role, rule: &RoleRule<'_>) -> Value {
    let policy = graph.policy();
    let mut hops: Vec<Value> = Vec::new();
    for step in graph.provenance(role, rule) {
        hops.push(words::aggregation(policy, &step).into());
        hops.push(words::place(policy, step.from.source).to_string().into());
    }
    hops.push(format!("rule {}: {}", rule.position + 1, words::rule(policy, &rule.rule)).into());
    hops.push(words::rule_place(policy, rule).to_string().into());
    hops.into()
}

/// Kind, identity, username, groups, how it is mapped and where, whether everything is allowed to it, and the people
/// behind it.
fn about(matrix: &Matrix<'_>, holder: &Holder) -> Value {
    let cluster = matrix.cluster();
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
        u8::from(holder.is_master()),
        matrix_people::of_holder(matrix, holder)
    ])
}
