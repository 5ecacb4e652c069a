//! The file of decisions: what was seen when a review was signed, and what was decided; and what changed since.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AccessReview, Cell, Row};
use crate::knowledge::capabilities::{CAPABILITIES, Capability};

pub mod workbook;

/// What the file says it is.
pub const API_VERSION: &str = "rbacsim/v1";
/// What the file says it is.
pub const KIND: &str = "AccessReview";

/// A file of decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// [`API_VERSION`].
    pub api_version: String,
    /// [`KIND`].
    pub kind: String,
    /// What was reviewed and from what.
    pub population: Origin,
    /// What was seen of each identity.
    pub snapshot: Vec<Seen>,
    /// What was decided.
    #[serde(default)]
    pub decisions: Vec<Decision>,
}

/// Where a review comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Origin {
    /// The name that the user gave to the review.
    pub title: String,
    /// The date that the user gave.
    pub date: String,
    /// The command.
    pub command: String,
    /// The input files.
    pub inputs: Vec<InputFile>,
    /// The program and its version.
    pub tool: String,
    /// The version of Kubernetes for which it was answered.
    pub kubernetes_version: String,
    /// The hash of the table of capabilities.
    pub capabilities_sha256: String,
    /// How the inputs were taken.
    pub completeness: String,
}

/// An input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Its name.
    pub name: String,
    /// Its hash; `None` for standard input and what programs rendered.
    pub sha256: Option<String>,
}

/// What was seen of one identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Which, by [`Row::key`].
    pub identity: String,
    /// The capabilities that it has, or that are unknown, by their names.
    pub access: BTreeMap<String, Access>,
    /// The hash of all its access.
    pub access_sha256: String,
}

/// A capability as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Access {
    /// `yes`, `no` or `unknown`.
    pub everywhere: String,
    /// The namespaces.
    pub namespaces: Vec<String>,
    /// The names, by namespace.
    pub names: BTreeMap<String, Vec<String>>,
    /// The namespaces in which it is unknown.
    pub unknown: Vec<String>,
}

/// A decision about one identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Which, by [`Row::key`].
    pub identity: String,
    /// The hash of the access that was decided on.
    #[serde(default)]
    pub access_sha256: String,
    /// `keep`, `change` or `remove`.
    pub decision: String,
    /// Who decided.
    #[serde(default)]
    pub by: String,
    /// When.
    #[serde(default)]
    pub on: String,
    /// Why.
    #[serde(default)]
    pub remark: String,
}

impl From<&Cell> for Access {
    fn from(cell: &Cell) -> Self {
        Self {
            everywhere: cell.everywhere.as_str().to_owned(),
            namespaces: cell.namespaces.clone(),
            names: cell.named.iter().cloned().collect(),
            unknown: cell.unknown.clone(),
        }
    }
}

impl Access {
    fn is_none(&self) -> bool {
        matches!(self.everywhere.as_str(), "" | "no")
            && self.namespaces.is_empty()
            && self.names.is_empty()
            && self.unknown.is_empty()
    }

    fn is_everywhere(&self) -> bool {
        self.everywhere == "yes"
    }

    /// Whether the other has something that this has not, as far as it is certain.
    fn lacks_of(&self, other: &Self) -> bool {
        if self.is_everywhere() {
            return false;
        }
        let names_lack = || {
            other.names.iter().any(|(place, names)| {
                let own = self.names.get(place);
                !self.namespaces.contains(place)
                    && names.iter().any(|name| own.is_none_or(|own| !own.contains(name)))
            })
        };
        other.is_everywhere()
            || other.namespaces.iter().any(|namespace| !self.namespaces.contains(namespace))
            || names_lack()
    }

    /// Where it is had and another is not, in words.
    fn beyond(&self, other: &Self) -> String {
        if self.is_everywhere() {
            return "everywhere".to_owned();
        }
        let mut parts = Vec::new();
        let new = |namespace: &&String| !other.namespaces.contains(namespace);
        let namespaces: Vec<&str> = self.namespaces.iter().filter(new).map(String::as_str).collect();
        if !namespaces.is_empty() {
            parts.push(format!("in {}", namespaces.join(", ")));
        }
        for (place, names) in self.names.iter().filter(|(place, _)| !other.namespaces.contains(place)) {
            let known = other.names.get(place);
            let new = |name: &&String| known.is_none_or(|known| !known.contains(name));
            let names: Vec<&str> = names.iter().filter(new).map(String::as_str).collect();
            if !names.is_empty() {
                let place = if place == "*" { String::new() } else { format!(" in {place}") };
                parts.push(format!("for {}{place}", names.join(", ")));
            }
        }
        parts.join(" and ")
    }

    fn is_unknown_alike(&self, other: &Self) -> bool {
        self.unknown == other.unknown && (self.everywhere == "unknown") == (other.everywhere == "unknown")
    }
}

/// What was seen of a row.
pub fn seen(row: &Row<'_>) -> Seen {
    let access = row.capabilities().map(|(capability, cell)| (capability.id.to_owned(), Access::from(cell)));
    Seen {
        identity: row.key.clone(),
        access: access.filter(|(_, access)| !access.is_none()).collect(),
        access_sha256: row.access_sha256.clone(),
    }
}

/// What was seen in a review, before anything is decided.
pub fn undecided(review: &AccessReview<'_>, origin: &Origin) -> Record {
    Record {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        population: origin.clone(),
        snapshot: review.rows.iter().map(seen).collect(),
        decisions: Vec::new(),
    }
}

/// Reads a file of decisions, or a workbook with decisions.
///
/// # Errors
/// A sentence that says what to do.
pub fn read_any(bytes: &[u8]) -> Result<Record, String> {
    if workbook::is_workbook(bytes) {
        return workbook::read(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NEITHER.to_owned())?;
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return Err(NEITHER.to_owned());
    }
    read(text)
}

/// What to do where a file is none of those that hold decisions.
const NEITHER: &str = "it is neither the file that the page saved nor a workbook; give one of these, and save a sheet as .xlsx, not as CSV";

/// Reads a file of decisions.
///
/// # Errors
/// A sentence, if it is none.
pub fn read(text: &str) -> Result<Record, String> {
    let record: Record = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if record.api_version != API_VERSION || record.kind != KIND {
        return Err(format!(
            "it says `apiVersion: {}` and `kind: {}`; a file of decisions says `{API_VERSION}` and `{KIND}`",
            record.api_version, record.kind
        ));
    }
    for decision in &record.decisions {
        if !matches!(decision.decision.as_str(), "keep" | "change" | "remove") {
            return Err(format!(
                "the decision on `{}` is `{}`; it can be keep, change or remove",
                decision.identity, decision.decision
            ));
        }
    }
    Ok(record)
}

/// What became of an identity since the review that was signed.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// It was not there.
    pub is_new: bool,
    /// The capabilities of which it has more.
    pub gained: Vec<&'static Capability>,
    /// The capabilities of which it has less.
    pub lost: Vec<&'static Capability>,
    /// Where it has more, for each of the former.
    pub gained_where: Vec<String>,
    /// Where it has less, for each of the latter.
    pub lost_where: Vec<String>,
    /// The capabilities of which something else is unknown.
    pub unknown: Vec<&'static Capability>,
    /// Whether all that is the same, and single permissions are not.
    pub finer: bool,
    /// What was decided then.
    pub decision: Option<Decision>,
    /// Whether that was decided on other access than there is now.
    pub is_stale: bool,
}

impl Since {
    /// Whether nothing changed.
    pub fn is_same(&self) -> bool {
        !self.is_new
            && !self.finer
            && self.gained.is_empty()
            && self.lost.is_empty()
            && self.unknown.is_empty()
    }
}

/// What changed between a review that was signed and this one.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Per row of the review.
    pub rows: Vec<Since>,
    /// Who was there and is not any more, each with what was decided.
    pub gone: Vec<(String, Option<Decision>)>,
    /// Why the two may differ although access does not: other versions, another table.
    pub measured: Vec<String>,
}

/// Compares a review with what was signed.
pub fn changes(review: &AccessReview<'_>, now: &Origin, record: &Record) -> Changes {
    let before: BTreeMap<&str, &Seen> =
        record.snapshot.iter().map(|seen| (seen.identity.as_str(), seen)).collect();
    let decided = |key: &str| record.decisions.iter().rev().find(|one| one.identity == key).cloned();
    let mut changes = Changes::default();
    for row in &review.rows {
        let mut since = Since { decision: decided(&row.key), ..Since::default() };
        since.is_stale =
            since.decision.as_ref().is_some_and(|decision| decision.access_sha256 != row.access_sha256);
        match before.get(row.key.as_str()) {
            None => since.is_new = true,
            Some(seen) => compare(row, seen, &mut since),
        }
        changes.rows.push(since);
    }
    let is_gone = |seen: &&Seen| review.rows.iter().all(|row| row.key != seen.identity);
    changes.gone = record
        .snapshot
        .iter()
        .filter(is_gone)
        .map(|seen| (seen.identity.clone(), decided(&seen.identity)))
        .collect();
    let then = &record.population;
    for (what, old, new) in [
        ("the program", &then.tool, &now.tool),
        ("the Kubernetes version", &then.kubernetes_version, &now.kubernetes_version),
        ("how the inputs are taken", &then.completeness, &now.completeness),
    ] {
        if old != new {
            changes.measured.push(format!("{what}: {old} then, {new} now"));
        }
    }
    if then.capabilities_sha256 != now.capabilities_sha256 {
        changes.measured.push("the table of capabilities is another one".to_owned());
    }
    changes
}

fn compare(row: &Row<'_>, seen: &Seen, since: &mut Since) {
    let none = Access::default();
    for (capability, cell) in CAPABILITIES.iter().zip(&row.cells) {
        let now = Access::from(cell);
        let then = seen.access.get(capability.id).unwrap_or(&none);
        if then.lacks_of(&now) {
            since.gained.push(capability);
            since.gained_where.push(now.beyond(then));
        }
        if now.lacks_of(then) {
            since.lost.push(capability);
            since.lost_where.push(then.beyond(&now));
        }
        if !now.is_unknown_alike(then) {
            since.unknown.push(capability);
        }
    }
    since.finer = since.is_same() && seen.access_sha256 != row.access_sha256;
}
