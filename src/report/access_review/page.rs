//! The whole review as JSON: what the page shows, and what a file of decisions takes over from it. What many identities have
//! in common stands in it once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ask::access_review::decisions::Since;
use crate::ask::access_review::{AccessReview, Cell, Mark, Row};
use crate::ask::matrix::holder::HolderKind;
use crate::knowledge::capabilities::{CAPABILITIES, Capability, Reach};
use crate::report::diagram::Diagram;
use crate::report::statement::LEADS_TO;
use crate::report::{access_graph, matrix_people, phrases};

use super::cards::{self, Card};
use super::ways::{Found, Ways};
use super::{
    Document, basis, decision, groups, headline, kind, left_out, mapping, not_modelled, people, places,
    since, title,
};

/// How many bytes of pictures a page has: what a browser opens at once, with all the rest.
const MOST_PICTURES: usize = 1_500_000;
/// How long a picture may be: a longer one is read better by itself.
const LONGEST_PICTURE: usize = 60_000;

/// What the table leaves to the ways.
const WAYS_APART: &str =
    "the table shows direct access alone; where it leads by steps stands apart, as far as the inputs show";

/// Values, each once, by their numbers.
#[derive(Debug)]
struct Interned<K> {
    numbers: BTreeMap<K, usize>,
    values: Vec<Value>,
}

impl<K> Default for Interned<K> {
    fn default() -> Self {
        Self { numbers: BTreeMap::new(), values: Vec::new() }
    }
}

impl<K: Ord> Interned<K> {
    fn number(&mut self, key: K, value: impl FnOnce() -> Value) -> usize {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.values.len();
        self.values.push(value());
        self.numbers.insert(key, number);
        number
    }
}

/// The cell as JSON.
fn cell_value(review: &AccessReview<'_>, capability: &Capability, cell: &Cell) -> Value {
    json!({
        "mark": cell.mark().as_str(),
        "open": cell.is_open(),
        "everywhere": cell.everywhere.as_str(),
        "namespaces": cell.namespaces,
        "names": cell.named,
        "unknown": cell.unknown,
        "where": places(review, capability, cell),
    })
}

/// A card as JSON; texts by their numbers.
fn card_value(card: &Card, texts: &mut Interned<String>, picture: &Value, ways: &[Value]) -> Value {
    let mut number = |text: &String| texts.number(text.clone(), || json!(text));
    let mut statements = Vec::new();
    for statement in &card.statements {
        let mut grants = Vec::new();
        for granted in &statement.grants {
            let rules: Vec<usize> = granted.rules.iter().map(&mut number).collect();
            let mut roles = Vec::new();
            for through in &granted.roles {
                let numbers: Vec<usize> = through.rules.iter().map(&mut number).collect();
                let bindings: Vec<usize> = through
                    .bindings
                    .iter()
                    .map(|[name, place]| number(&format!("{name} ({place})")))
                    .collect();
                roles.push(json!([number(&through.role), numbers, bindings]));
            }
            grants.push(json!([number(&granted.to), rules, roles]));
        }
        statements.push(json!({
            "capabilities": statement.capabilities,
            "where": statement.place,
            "unknown": statement.is_unknown,
            "grants": grants,
        }));
    }
    let unknown: Vec<Value> =
        card.unknown.iter().map(|one| json!([one.scope, one.reason, one.source])).collect();
    json!({
        "rows": card.rows,
        "statements": statements,
        "unknown": unknown,
        "leadsTo": card.leads_to,
        "picture": picture,
        "ways": ways,
    })
}

/// Where identities of a card get by steps: which of them if not all, the words by their number, and the picture or the
/// command that tells the ways.
fn ways_value(review: &AccessReview<'_>, card: &Card, ways: &Ways, texts: &mut Interned<String>) -> Value {
    let said = texts.number(ways.said.clone(), || json!(ways.said));
    let picture = match (&ways.svg, ways.rows.first().and_then(|number| review.rows.get(*number))) {
        (Some(svg), _) => json!({ "svg": svg }),
        (None, Some(row)) => json!({ "command": format!("rbacsim paths {} -o html", graph_flags(row)) }),
        (None, None) => Value::Null,
    };
    let rows = if ways.rows == card.rows { Value::Null } else { json!(ways.rows) };
    json!([said, rows, picture])
}

/// The flags by which `rbacsim graph` takes an identity; a group stands for any member.
pub fn graph_flags(row: &Row<'_>) -> String {
    let name = &row.holder.identity;
    let flag = match row.holder.kind {
        HolderKind::Iam => "--arn",
        HolderKind::User | HolderKind::ServiceAccount => "--as",
        HolderKind::Group => "--as member --as-group",
    };
    let name = match name.split_once('/') {
        Some((namespace, name)) if row.holder.kind == HolderKind::ServiceAccount => {
            format!("system:serviceaccount:{namespace}:{name}")
        }
        _ => name.clone(),
    };
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:@+=".contains(char);
    if name.chars().all(is_plain) {
        format!("{flag} {name}")
    } else {
        format!("{flag} '{}'", name.replace('\'', "'\\''"))
    }
}

/// The picture of a card, or the command that makes it where a page with all pictures would be too heavy.
fn picture(review: &AccessReview<'_>, card: &Card, left: &mut usize) -> Value {
    let Some(row) = card.rows.first().and_then(|number| review.rows.get(*number)) else { return Value::Null };
    if *left > 0 {
        let mut diagram = Diagram::default();
        access_graph::add_holder(&mut diagram, &review.matrix, &row.holder);
        let svg = diagram.svg(&format!("Access of {}", title(row)));
        if svg.len() <= LONGEST_PICTURE && svg.len() <= *left {
            *left -= svg.len();
            return json!({ "svg": svg });
        }
        // What is too long for a page at all costs the time of a picture: not of many.
        *left = left.saturating_sub(LONGEST_PICTURE / 4);
    }
    json!({ "command": format!("rbacsim graph {} -o svg", graph_flags(row)) })
}

/// The whole review as JSON.
pub fn document(document: &Document<'_, '_>) -> Value {
    let Document { review, origin, statement, .. } = document;
    let cards = cards::cards(document);
    let (mut texts, mut cells) = (Interned::default(), Interned::default());
    let mut left = MOST_PICTURES;
    let mut codes: BTreeMap<&str, &str> = BTreeMap::new();
    let mut shown = Vec::new();
    let mut found = Found::of(review);
    let of_cards = found.cards(review, &cards);
    let to_admin = found.to_admin(review);
    let to_admin = json!({
        "said": to_admin.said,
        "missing": to_admin.missing,
        "ways": to_admin.ways,
        "svg": to_admin.svg,
        "leftOut": to_admin.left_out,
    });
    // What this page shows is not missing from it.
    let here = |text: String| if text == LEADS_TO { WAYS_APART.to_owned() } else { text };
    let not_modelled: Vec<String> = not_modelled(document).into_iter().map(here).collect();
    for (card, ways) in cards.iter().zip(of_cards) {
        codes.extend(card.leads_to.iter().map(|[code, ..]| (code.as_str(), cards::why(code))));
        let picture = picture(review, card, &mut left);
        let ways: Vec<Value> =
            ways.into_iter().map(|ways| ways_value(review, card, &ways, &mut texts)).collect();
        shown.push(card_value(card, &mut texts, &picture, &ways));
    }
    let mut rows = Vec::new();
    for (row, number) in review.rows.iter().zip(0usize..) {
        let (mapped, place) = mapping(review, row);
        let own: Vec<Value> = row
            .capabilities()
            .map(|(capability, cell)| {
                if cell.mark() == Mark::No && !cell.is_open() {
                    return Value::Null;
                }
                let key = (capability.reach == Reach::Cluster, cell);
                json!(cells.number(key, || cell_value(review, capability, cell)))
            })
            .collect();
        let before = document.signed.and_then(|(_, changes)| changes.rows.get(number));
        rows.push(json!({
            "key": row.key,
            "kind": kind(row),
            "identity": row.holder.identity,
            "title": title(row),
            "username": row.holder.username,
            "groups": groups(row),
            "mapped": mapped,
            "source": place,
            "master": row.holder.is_master(),
            "people": people(review, row),
            "cells": own,
            "since": since(document, number),
            "isSame": before.is_none_or(Since::is_same),
            "lastDecision": before.and_then(|before| before.decision.as_ref()).map(decision),
            "isStale": before.is_some_and(|before| before.is_stale),
            "accessSha256": row.access_sha256,
        }));
    }
    let capabilities: Vec<Value> = CAPABILITIES
        .iter()
        .map(|one| json!({ "id": one.id, "name": one.name, "sentence": one.sentence }))
        .collect();
    let signed = document.signed.map(|(record, changes)| {
        let gone: Vec<Value> = changes
            .gone
            .iter()
            .map(|(key, last)| json!({ "identity": key, "lastDecision": last.as_ref().map(decision) }))
            .collect();
        json!({ "title": record.population.title, "date": record.population.date, "gone": gone, "measured": changes.measured })
    });
    json!({
        "origin": origin,
        "headline": headline(document),
        "basis": basis(document),
        "notModelled": not_modelled,
        "leftOut": left_out(document),
        "missingRoles": statement.missing_roles.iter().map(|one| json!([one.text, one.source])).collect::<Vec<_>>(),
        "mappingsInError": statement.mappings_in_error.iter().map(|one| json!([one.text, one.source])).collect::<Vec<_>>(),
        "doors": matrix_people::through_eks(&review.matrix),
        "capabilities": capabilities,
        "groups": review.groups(),
        "rows": rows,
        "cards": shown,
        "toAdmin": to_admin,
        "cells": cells.values,
        "texts": texts.values,
        "codes": codes,
        "signed": signed,
        "bypassesRbac": phrases::BYPASSES_RBAC,
    })
}
