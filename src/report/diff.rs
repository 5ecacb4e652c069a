//! The difference in access as people read it: by what changed, who gains or loses what where, sensitive access first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::ask::diff::{Cause, Changes, Diff, HolderKind, ObjectChange, Pair, Row};
use crate::ask::matrix::preset::{self, Entry};
use crate::ask::matrix::{Place, Scratch, Universe};
use crate::model::source::Source;
use crate::model::user::UserInfo;

use super::aligned::DIM;
use super::phrases::counted_as;
use super::visible::visible;
use super::{iam, matrix_statement, words};

pub mod rows;

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
}

impl Summary {
    /// Whether nobody gains or loses anything, and nothing became unknown.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.unknown.is_empty() && self.identities.is_empty()
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
    let groups: Vec<String> = user
        .groups
        .iter()
        .filter(|group| *group != crate::model::user::SYSTEM_AUTHENTICATED)
        .map(|group| format!("`{group}`"))
        .collect();
    let groups =
        if groups.is_empty() { "no groups".to_owned() } else { format!("groups {}", groups.join(", ")) };
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

/// The first line: who gains and who loses.
pub fn headline(summary: &Summary) -> String {
    let identities = |count: usize| counted_as(count, "identity", "identities");
    let (gaining, losing) = (summary.gaining.len(), summary.losing.len());
    let verb =
        |count: usize, one: &str, several: &str| if count == 1 { one.to_owned() } else { several.to_owned() };
    let gain = format!("{} {} access", identities(gaining), verb(gaining, "gains", "gain"));
    let lose = format!("{} {} access", identities(losing), verb(losing, "loses", "lose"));
    let text = match (gaining, losing) {
        (0, 0) if summary.unknown.is_empty() && summary.identities.is_empty() => {
            match summary.objects.len() {
                0 => return "no change of access".to_owned(),
                count => {
                    let titles: Vec<String> =
                        summary.objects.iter().map(|object| object.title.clone()).collect();
                    let objects = counted_as(count, "object differs", "objects differ");
                    return format!("no change of access, though {objects}: {}", few(&titles, 4));
                }
            }
        }
        (0, 0) => "nobody gains or loses access".to_owned(),
        (_, 0) => gain,
        (0, _) => lose,
        (_, _) => format!("{gain}, {lose}"),
    };
    if summary.is_sensitive { format!("{text}; sensitive access is among what is gained") } else { text }
}

/// Writes the difference for people.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "{}", visible(&headline(summary)))?;
    for group in &summary.groups {
        let place = if group.place.is_empty() {
            String::new()
        } else {
            format!("  {DIM}{}{DIM:#}", visible(&group.place))
        };
        writeln!(out, "\n{}{place}", visible(&group.cause.text))?;
        for line in &group.lines {
            let (sign, colour) = if line.is_gained { ("+", AnsiColor::Green) } else { ("-", AnsiColor::Red) };
            let style = colour.on_default();
            let verb = match (line.is_gained, line.holders.len()) {
                (true, 1) => "gains",
                (true, _) => "gain",
                (false, 1) => "loses",
                (false, _) => "lose",
            };
            let who = visible(&few(&line.holders, 5));
            writeln!(out, "  {style}{sign}{style:#} {who} {verb} {}:", visible(&places(&line.places)))?;
            let shown = 8;
            for access in line.access.iter().take(shown) {
                writeln!(out, "      {}", visible(access))?;
            }
            if line.access.len() > shown {
                writeln!(out, "      and {} more", line.access.len() - shown)?;
            }
            let bold = Style::new().bold();
            for (what, means) in line.sensitive.iter().filter(|_| line.is_gained).take(5) {
                writeln!(out, "      {bold}sensitive{bold:#}: {what}: {means}")?;
            }
        }
    }
    let mut list = |heading: &str, lines: &[String]| -> io::Result<()> {
        const SHOWN: usize = 20;
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{heading}")?;
        for line in lines.iter().take(SHOWN) {
            writeln!(out, "  {}", visible(line))?;
        }
        if lines.len() > SHOWN {
            writeln!(out, "  and {} more", lines.len() - SHOWN)?;
        }
        Ok(())
    };
    list("identities", &summary.identities)?;
    list("unknown", &summary.unknown)?;
    list("both sides", &summary.general)
}

/// How many characters a comment may have: GitHub takes 65,536.
pub const MOST: usize = 60_000;

/// A text in Markdown in which nothing is taken for markup, links or mentions.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let shown = visible(text);
    let mut in_code = false;
    for char in shown.chars() {
        match char {
            '`' => in_code = !in_code,
            '<' | '>' | '*' | '_' | '[' | ']' | '|' | '#' | '@' | '\\' | '~' if !in_code => out.push('\\'),
            _ => {}
        }
        out.push(char);
    }
    if in_code {
        out.push('`');
    }
    out
}

/// The difference as a comment: most important first, cut where it would be too long, and then what was left out.
pub fn markdown(summary: &Summary) -> String {
    let mut text = format!("### rbacsim: {}\n", plain(&headline(summary)));
    // Room for the last sentence.
    let room = MOST - 400;
    let mut left_out = 0;
    let mut add = |text: &mut String, more: &str| {
        if left_out > 0 || text.chars().count() + more.chars().count() > room {
            left_out += 1;
        } else {
            text.push_str(more);
        }
    };
    for group in &summary.groups {
        let place = if group.place.is_empty() {
            String::new()
        } else {
            format!(" (`{}`)", group.place.replace('`', "'"))
        };
        let mut head = format!("\n**{}**{place}\n\n", plain(&group.cause.text));
        for line in &group.lines {
            let verb = match (line.is_gained, line.holders.len()) {
                (true, 1) => "gains",
                (true, _) => "gain",
                (false, 1) => "loses",
                (false, _) => "lose",
            };
            let sign = if line.is_gained { "➕" } else { "➖" };
            let who = few(&line.holders, 5);
            let access = few_by(&line.access, 8, "; ");
            let mut entry = format!(
                "- {sign} {} {verb} {}: {}\n",
                plain(&who),
                plain(&places(&line.places)),
                plain(&access)
            );
            for (what, means) in line.sensitive.iter().filter(|_| line.is_gained).take(5) {
                let _ = writeln!(entry, "  - ⚠️ **{}**: {means}", plain(what));
            }
            add(&mut text, &format!("{head}{entry}"));
            head.clear();
        }
    }
    for (heading, lines) in
        [("Identities", &summary.identities), ("Unknown", &summary.unknown), ("Both sides", &summary.general)]
    {
        let mut head = format!("\n**{heading}**\n\n");
        for line in lines {
            add(&mut text, &format!("{head}- {}\n", plain(line)));
            head.clear();
        }
    }
    if left_out > 0 {
        let _ = write!(
            text,
            "\n{} left out here, because a comment cannot be longer; `rbacsim diff` shows all.\n",
            counted_as(left_out, "line is", "lines are")
        );
    }
    text
}

/// The groups as findings: one for each change, at the place where it stands.
pub fn findings(
    summary: &Summary,
    diff: &Diff<'_>,
) -> (Vec<crate::model::finding::Finding>, crate::model::source::Sources) {
    use crate::model::diagnostic::{Code, Severity};
    use crate::model::finding::{Finding, Level};
    let mut sources = crate::model::source::Sources::default();
    let mut files: BTreeMap<String, crate::model::source::FileId> = BTreeMap::new();
    let mut found = Vec::new();
    for group in &summary.groups {
        let matrix = if group.cause.is_new { &diff.new } else { &diff.old };
        let own = matrix.cluster().sources();
        let source = group.cause.source.map(|source| {
            let name = own.file(source.file);
            // What a revision of Git held stood at the same path.
            let name = name.rsplit_once(" at ").map_or(name, |(path, _)| path).to_owned();
            let file = *files.entry(name.clone()).or_insert_with(|| sources.add_file(&name));
            Source { file, path: crate::model::source::PathId::default(), ..source }
        });
        for is_gained in [true, false] {
            let lines: Vec<&Line> = group.lines.iter().filter(|line| line.is_gained == is_gained).collect();
            let Some(first) = lines.first() else { continue };
            let is_sensitive = is_gained && lines.iter().any(|line| !line.sensitive.is_empty());
            let code = if is_gained { Code::AccessGained } else { Code::AccessLost };
            let verb = match (is_gained, first.holders.len()) {
                (true, 1) => "gains",
                (true, _) => "gain",
                (false, 1) => "loses",
                (false, _) => "lose",
            };
            let what = format!(
                "{} {verb} {}: {}",
                few(&first.holders, 3),
                places(&first.places),
                few_by(&first.access, 3, "; ")
            );
            let more = match lines.len() {
                1 => String::new(),
                count => format!("; and {} more", count - 1),
            };
            found.push(Finding {
                code: code.as_str(),
                severity: Level::from(if is_sensitive { Severity::Warning } else { Severity::Note }),
                message: format!("{}: {what}{more}", group.cause.text),
                help: crate::knowledge::codes::explanation(code).mend.to_owned(),
                object: None,
                source,
                suppressed: None,
                subject: String::new(),
                scope: "",
                namespaces: Vec::new(),
                holders: Vec::new(),
                within: None,
                detail: format!("{} {}", group.cause.text, code.as_str()),
            });
        }
    }
    (found, sources)
}
