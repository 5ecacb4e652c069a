//! What the page of the matrix says of what identities have not and can get by certain steps, in lines.

use std::collections::BTreeMap;

use crate::ask::matrix::{Holder, Matrix};

use super::matrix_cards::folded;
use super::paths::in_steps;

/// How many lines a page has: what it shows at once.
const MOST: usize = 2_000;

/// In how many steps, through whom, where, and the names to which it is limited.
type Way<'r> = (u16, &'r str, &'r str, &'r [String]);
/// Types, each with its verbs.
type Types<'r> = BTreeMap<String, Vec<&'r str>>;

/// One line for each identity, place and way to get there: what it can get, verbs on types together.
pub(super) fn lines(matrix: &Matrix<'_>, holders: &[Holder]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left_out = 0;
    for holder in holders {
        let mut found: BTreeMap<Way<'_>, Types<'_>> = BTreeMap::new();
        for ((heading, column, names), reached) in matrix.reached(holder).into_iter().flatten() {
            let Some((cell, verb)) = matrix.universe().column(*column) else { continue };
            // Whoever is cluster-admin has everything: one word says more than all the types.
            let (heading, names) = match reached.through.as_str() {
                "cluster-admin" => ("", &[][..]),
                _ => (heading.as_str(), names.as_slice()),
            };
            let types = found.entry((reached.steps, &reached.through, heading, names)).or_default();
            let name = match cell.group.as_str() {
                "" => cell.resource.clone(),
                group => format!("{}.{group}", cell.resource),
            };
            types.entry(name).or_default().push(verb);
        }
        for ((steps, through, heading, names), types) in found {
            if lines.len() >= MOST {
                left_out += 1;
                continue;
            }
            let place = match heading {
                "" => String::new(),
                "*" => " in every namespace".to_owned(),
                namespace => format!(" in {namespace}"),
            };
            let named =
                if names.is_empty() { String::new() } else { format!(" only named {}", names.join(", ")) };
            let what = if through == "cluster-admin" { "everything".to_owned() } else { together(types) };
            let who = format!("{} {}", holder.kind.as_str(), holder.identity);
            lines.push(format!("{who}{place}{named}, {} as {through}: {what}", in_steps(steps)));
        }
    }
    if left_out > 0 {
        lines.push(format!("and {left_out} more lines; -o csv has every row"));
    }
    lines
}

/// Types with the same verbs together.
fn together(types: Types<'_>) -> String {
    let mut by_verbs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, verbs) in types {
        by_verbs.entry(folded(&verbs)).or_default().push(name);
    }
    let parts = by_verbs.into_iter().map(|(verbs, names)| format!("{verbs} {}", names.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}
