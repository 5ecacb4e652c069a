//! The difference in access as people read it: by what changed, who gains or loses what where, sensitive access first.

use std::collections::{BTreeMap, BTreeSet};

use crate::ask::diff::{Cause, Changes, Diff, HolderKind, MOST_BINDINGS, ObjectChange, Pair, Row, Ways};
use crate::ask::matrix::preset::{self, Entry};
use crate::ask::matrix::{Place, Scratch, Universe};
use crate::model::source::Source;
use crate::model::user::UserInfo;

use super::phrases::counted_as;
use super::{iam, matrix_statement, words};

pub mod rows;
mod ways;
mod write;

pub use write::{MOST, findings, headline, markdown, text};

/// Lines of access that come or go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether it is gained.
    pub is_gained: bool,
    /// Who, in words, each once.
    pub holders: Vec<String>,
    /// The headings: namespaces, `*`, or empty.
    pub places: Vec<String>,
    /// What, in words.
    pub access: Vec<String>,
    /// What of it is sensitive, with what it means.
    pub sensitive: Vec<(String, &'static str)>,
    /// How many rows it stands for.
    pub rows: usize,
}

/// Everything that one change does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The change.
    pub cause: Cause,
    /// Where it stands; empty where that is not known.
    pub place: String,
    /// What it does.
    pub lines: Vec<Line>,
}

impl Group {
    fn is_sensitive(&self) -> bool {
        self.lines.iter().any(|line| line.is_gained && !line.sensitive.is_empty())
    }
}

/// The difference, ready to be shown.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// What changed, most important first.
    pub groups: Vec<Group>,
    /// Who gains anything.
    pub gaining: BTreeSet<String>,
    /// Who loses anything.
    pub losing: BTreeSet<String>,
    /// How many rows are gained and lost, as the long form counts them.
    pub rows: (usize, usize),
    /// Whether something sensitive is gained.
    pub is_sensitive: bool,
    /// What is unknown on one side only, and what was: in sentences.
    pub unknown: Vec<String>,
    /// Identities whose mapping changed, in sentences.
    pub identities: Vec<String>,
    /// Roles and bindings that changed.
    pub objects: Vec<ObjectChange>,
    /// What touches everybody.
    pub general: Vec<String>,
    /// Ways to sinks that open or close, where they were looked for.
    pub ways: Ways,
}

impl Summary {
    /// Whether nobody gains or loses anything, and nothing became unknown.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.unknown.is_empty()
            && self.identities.is_empty()
            && self.ways.is_empty()
    }

    /// Takes in the ways that open or close, and says for whom they were not looked for.
    pub fn add_ways(&mut self, ways: Ways) {
        if ways.only_touched {
            self.general.push(format!(
                "paths were searched only from identities whose own access may change, for a side has more than {MOST_BINDINGS} bindings; run `rbacsim paths` on each side to see everybody's"
            ));
        }
        self.ways = ways;
    }
}

fn place(diff: &Diff<'_>, source: Option<Source>, is_new: bool) -> String {
    let matrix = if is_new { &diff.new } else { &diff.old };
    let policy = matrix.cluster().graph().policy();
    source.map_or_else(String::new, |source| words::place(policy, source).to_string())
}

/// The name of somebody: of an ARN without the account, where all are of one.
fn title(kind: HolderKind, identity: &str, is_one_account: bool) -> String {
    match kind {
        HolderKind::Iam if is_one_account => format!("`{}`", iam::short(identity)),
        HolderKind::Iam => format!("`{identity}`"),
        kind => format!("{} `{identity}`", kind.as_str()),
    }
}

fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

/// A column as the long form has it: group, resource, verb.
fn column(universe: &Universe, number: u32) -> (&str, &str, &str) {
    universe.column(number).map_or(("", "", ""), |(cell, verb)| (&*cell.group, &*cell.resource, verb))
}

/// Whether a column with a star in it covers another.
fn covers(star: (&str, &str, &str), other: (&str, &str, &str)) -> bool {
    let (group, resource, verb) = star;
    let is_url = resource.starts_with('/') || (resource == "*" && group.is_empty());
    let group_fits = group == "*" || group == other.0;
    let resource_fits = resource == "*"
        || resource == other.1
        || resource
            .strip_prefix("*/")
            .is_some_and(|part| other.1.split_once('/').is_some_and(|(_, own)| own == part));
    let other_is_url = other.1.starts_with('/');
    // `*` in the core group stands for its resources, and for every URL.
    let same_kind = !other_is_url || is_url || group == "*";
    star != other && same_kind && group_fits && resource_fits && (verb == "*" || verb == other.2)
}

/// Access in a few words: verbs that go together on resources that go together, what a star covers left out.
fn access(universe: &Universe, columns: &[(u32, Vec<String>)]) -> Vec<String> {
    let stars: Vec<(&str, &str, &str)> = columns
        .iter()
        .filter(|(_, names)| names.is_empty())
        .map(|(number, _)| column(universe, *number))
        .filter(|(group, resource, verb)| *group == "*" || *verb == "*" || resource.starts_with('*'))
        .collect();
    // Verbs by resource and names.
    let mut verbs: BTreeMap<(String, Vec<String>), Vec<&str>> = BTreeMap::new();
    for (number, names) in columns {
        let own = column(universe, *number);
        if stars.iter().any(|star| covers(*star, own)) {
            continue;
        }
        let resource = match universe.column(*number) {
            Some((cell, _)) if cell.place == Place::Url && cell.resource == "*" => "all URLs".to_owned(),
            Some((cell, _)) if cell.group == "*" && cell.resource == "*" => "everything".to_owned(),
            Some((cell, _)) if cell.group == "*" => format!("{} in all API groups", cell.resource),
            Some((cell, _)) if cell.resource == "*" && !cell.group.is_empty() => {
                format!("everything in {}", cell.group)
            }
            Some((cell, _)) => cell.title(),
            None => String::new(),
        };
        verbs.entry((resource, names.clone())).or_default().push(own.2);
    }
    let mut resources: BTreeMap<(Vec<&str>, Vec<String>), Vec<String>> = BTreeMap::new();
    for ((resource, names), mut verbs) in verbs {
        verbs.sort_by_key(|verb| (order(verb), *verb));
        verbs.dedup();
        resources.entry((verbs, names)).or_default().push(resource);
    }
    let mut lines: Vec<String> = resources
        .into_iter()
        .map(|((verbs, names), resources)| {
            let verbs = if verbs == ["*"] { "every verb".to_owned() } else { verbs.join(", ") };
            let names = if names.is_empty() {
                String::new()
            } else if names == [OWN] {
                " (its own)".to_owned()
            } else {
                format!(" named {}", super::text::some_of(&names))
            };
            format!("{verbs} on {}{names}", few(&resources, 6))
        })
        .collect();
    lines.sort_by_key(|line| (!line.contains("everything"), line.clone()));
    lines
}

fn order(verb: &str) -> usize {
    const USUAL: [&str; 8] =
        ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    USUAL.iter().position(|usual| *usual == verb).unwrap_or(USUAL.len())
}

/// The first of some texts, and how many more there are.
fn few(texts: &[String], shown: usize) -> String {
    few_by(texts, shown, ", ")
}

fn few_by(texts: &[String], shown: usize, separator: &str) -> String {
    let head = texts.iter().take(shown).cloned().collect::<Vec<_>>().join(separator);
    match texts.len().checked_sub(shown) {
        Some(more @ 1..) => format!("{head} and {more} more"),
        _ => head,
    }
}

/// What of some columns is sensitive.
fn sensitive(
    universe: &Universe,
    entries: &[Entry],
    columns: &[(u32, Vec<String>)],
) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| entry.object.is_none()) {
        let is_it = |(number, names): &(u32, Vec<String>)| {
            let (group, resource, verb) = column(universe, *number);
            names.is_empty() && group == entry.group && resource == entry.resource && verb == entry.verb
        };
        if columns.iter().any(is_it) {
            let resource = if entry.resource == "*" { "everything" } else { entry.resource };
            found.push((format!("{} {resource}", entry.verb), entry.means));
        }
    }
    // Everything is said by the first.
    if found.first().is_some_and(|(what, _)| what == "* everything") {
        found.truncate(1);
    }
    found
}

/// Stands for the name of a namespace under its own heading.
const OWN: &str = "its own";

/// The heading of everything, in namespaces and outside.
const EVERYWHERE: &str = "everywhere/";

/// What of the rows of a pair counts where: by cause and sign, the headings with their columns.
type ByCause = BTreeMap<(Cause, bool), BTreeMap<String, Vec<(u32, Vec<String>)>>>;

/// Cause, sign, access and headings: whoever has exactly these is told together.
type Key = (Cause, bool, Vec<(u32, Vec<String>)>, Vec<String>);

/// Gathers everything that differs; `each` sees the changes of each pair as the long form has them.
///
/// # Errors
/// What `each` gives.
pub fn summary<'c, E>(
    diff: &Diff<'c>,
    mut each: impl FnMut(&Pair, &Changes<'c>) -> Result<(), E>,
) -> Result<Summary, E> {
    let mut summary = Summary::default();
    let accounts: BTreeSet<&str> = diff
        .pairs
        .iter()
        .filter(|pair| pair.new.kind == HolderKind::Iam)
        .filter_map(|pair| account(&pair.new.identity))
        .chain(diff.identities.iter().filter_map(|(arn, ..)| account(arn)))
        .collect();
    let is_one_account = accounts.len() <= 1;
    let entries = preset::sensitive(diff.new.cluster().version());
    let mut scratch = Scratch::default();
    let mut lines: BTreeMap<Key, Vec<(usize, String)>> = BTreeMap::new();
    for pair in &diff.pairs {
        let changes = diff.changes(pair, false, &mut scratch);
        each(pair, &changes)?;
        summary.rows.0 += changes.gained.len();
        summary.rows.1 += changes.lost.len();
        unknown(diff, pair, &changes, is_one_account, &mut summary.unknown);
        let who = title(pair.new.kind, &pair.new.identity, is_one_account);
        let mut by_cause: ByCause = BTreeMap::new();
        let more = changes.more().map(|row| (row, true));
        for (row, is_gained) in more.chain(changes.less().map(|row| (row, false))) {
            let cause = diff.cause(pair, row, is_gained);
            if cause.implied {
                continue;
            }
            let places = by_cause.entry((cause, is_gained)).or_default();
            // Of each namespace the same: its own object.
            let is_own = row.names.len() == 1 && row.names.first() == Some(&row.namespace);
            let names = if is_own { vec![OWN.to_owned()] } else { row.names.clone() };
            places.entry(row.namespace.clone()).or_default().push((row.column, names));
        }
        for ((cause, is_gained), mut places) in by_cause {
            let universe = if is_gained { diff.new.universe() } else { diff.old.universe() };
            let is_everything = |(number, names): &(u32, Vec<String>)| {
                names.is_empty() && column(universe, *number) == ("*", "*", "*")
            };
            if places.get("*").is_some_and(|columns| columns.iter().any(is_everything)) {
                places.remove("");
                let everywhere = places.remove("*").unwrap_or_default();
                places.insert(EVERYWHERE.to_owned(), everywhere);
            }
            if is_gained {
                summary.gaining.insert(who.clone())
            } else {
                summary.losing.insert(who.clone())
            };
            // What is the same in several namespaces is one line.
            let mut by_access: BTreeMap<Vec<(u32, Vec<String>)>, Vec<String>> = BTreeMap::new();
            for (place, mut columns) in places {
                columns.sort();
                by_access.entry(columns).or_default().push(place);
            }
            for (columns, places) in by_access {
                let rank = usize::from(pair.new.kind == HolderKind::Iam);
                lines
                    .entry((cause.clone(), is_gained, columns, places))
                    .or_default()
                    .push((rank, who.clone()));
            }
        }
    }
    let mut groups: BTreeMap<Cause, Vec<Line>> = BTreeMap::new();
    for ((cause, is_gained, columns, places), mut holders) in lines {
        holders.sort();
        let universe = if is_gained { diff.new.universe() } else { diff.old.universe() };
        let line = Line {
            is_gained,
            holders: holders.into_iter().map(|(_, who)| who).collect(),
            access: access(universe, &columns),
            sensitive: sensitive(universe, &entries, &columns),
            rows: columns.len() * places.len(),
            places,
        };
        groups.entry(cause).or_default().push(line);
    }
    summary.groups = groups
        .into_iter()
        .map(|(cause, mut lines)| {
            lines.sort_by_key(|line| {
                (!line.is_gained, line.sensitive.is_empty(), std::cmp::Reverse(line.rows))
            });
            let place = place(diff, cause.source, cause.is_new);
            Group { cause, place, lines }
        })
        .collect();
    summary.groups = merged(std::mem::take(&mut summary.groups));
    summary.groups.sort_by_key(|group| {
        let gains = group.lines.iter().any(|line| line.is_gained);
        let holders: usize = group.lines.iter().map(|line| line.holders.len()).sum();
        (!group.is_sensitive(), !gains, std::cmp::Reverse(holders))
    });
    summary.is_sensitive = summary.groups.iter().any(Group::is_sensitive);
    summary.identities = diff.identities.iter().map(|one| identity(one, is_one_account)).collect();
    summary.objects.clone_from(&diff.structure.objects);
    summary.general.clone_from(&diff.structure.general);
    Ok(summary)
}

/// A cause without the namespace of its object: `RoleBinding prod/x added` as of any namespace.
fn anywhere(text: &str) -> Option<(String, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (namespace, after) = rest.split_once('/')?;
    let is_namespace = !namespace.is_empty() && !namespace.contains(['`', ':', ' ']);
    is_namespace.then(|| (format!("{before}`*/{after}"), namespace))
}

/// Changes that do the same in several namespaces are one.
fn merged(groups: Vec<Group>) -> Vec<Group> {
    let mut kept: Vec<Group> = Vec::new();
    let mut known: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for group in groups {
        let does: Vec<_> = group
            .lines
            .iter()
            .map(|line| (line.is_gained, &line.holders, &line.access, &line.sensitive))
            .collect();
        let is_local = |namespace: &str| group.lines.iter().all(|line| line.places == [namespace]);
        let key = anywhere(&group.cause.text)
            .filter(|(_, namespace)| is_local(namespace))
            .map(|(text, _)| (text, format!("{does:?}")));
        let Some(key) = key else {
            kept.push(group);
            continue;
        };
        let (at, count) = known.entry(key.clone()).or_insert((kept.len(), 0));
        *count += 1;
        if *count == 1 {
            kept.push(group);
            continue;
        }
        let Some(first) = kept.get_mut(*at) else { continue };
        for (line, more) in first.lines.iter_mut().zip(group.lines) {
            line.places.extend(more.places);
            line.rows += more.rows;
        }
        first.cause.text = format!("{} in {count} namespaces", key.0);
    }
    kept
}

fn user(user: &UserInfo) -> String {
    let groups = words::own_groups(user);
    let groups = if groups.is_empty() { "no groups".to_owned() } else { format!("groups {groups}") };
    format!("user `{}`, {groups}", user.username)
}

fn identity(
    (arn, before, after): &(String, Option<UserInfo>, Option<UserInfo>),
    is_one_account: bool,
) -> String {
    let who = title(HolderKind::Iam, arn, is_one_account);
    match (before, after) {
        (None, Some(after)) => format!("{who} can log in now: {}", user(after)),
        (Some(before), None) => format!("{who} can no longer log in; it was {}", user(before)),
        (Some(before), Some(after)) => format!("{who} was {} and is {}", user(before), user(after)),
        (None, None) => format!("{who} is mapped otherwise"),
    }
}

/// What is unknown on one side only.
fn unknown(
    diff: &Diff<'_>,
    pair: &Pair,
    changes: &Changes<'_>,
    is_one_account: bool,
    lines: &mut Vec<String>,
) {
    let who = title(pair.new.kind, &pair.new.identity, is_one_account);
    let scope = |namespace: &str| match namespace {
        "*" => String::new(),
        namespace => format!(" in {namespace}"),
    };
    for one in &changes.became {
        let reason = matrix_statement::reason(&diff.new, &pair.new, one);
        lines.push(format!("{who}{}: unknown now: {reason}", scope(&one.namespace)));
    }
    for one in &changes.stopped {
        let reason = matrix_statement::reason(&diff.old, &pair.old, one);
        lines.push(format!("{who}{}: no longer unknown: {reason}", scope(&one.namespace)));
    }
    let count = |rows: &[Row<'_>], what: &str| {
        (!rows.is_empty()).then(|| format!("{who}: {} {what}", counted_as(rows.len(), "access", "accesses")))
    };
    lines.extend(count(&changes.now_known, "unknown before, granted now"));
    lines.extend(count(&changes.now_unknown, "granted before, unknown now"));
}

/// Where, in words.
fn places(places: &[String]) -> String {
    match places {
        [one] if one.is_empty() => "in the cluster".to_owned(),
        [one] if one == "*" => "in every namespace".to_owned(),
        [one] if one == EVERYWHERE => "everywhere".to_owned(),
        [one] => format!("in {one}"),
        several => {
            let named: Vec<String> = several
                .iter()
                .map(|place| match place.as_str() {
                    "" => "the cluster".to_owned(),
                    "*" => "every namespace".to_owned(),
                    place => place.to_owned(),
                })
                .collect();
            if named.len() > 4 {
                format!("in {} namespaces ({})", named.len(), few(&named, 3))
            } else {
                format!("in {}", named.join(", "))
            }
        }
    }
}
