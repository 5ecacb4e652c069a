//! The access matrix for people: resources down and verbs across for one identity, identities down for several.
//!
//! A cell says at a glance: yes everywhere, in some namespaces, for some names only, no, or unknown; what needs more words has a number, and the words stand below the table. Nothing is cut.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::ask::matrix::preset::Entry;
use crate::ask::matrix::reachable::Rows;
use crate::ask::matrix::{Access, Cell, Dense, Holder, Matrix, Place, Scratch};

use super::markdown::markdown;
use super::matrix_cards::{self as cards, ASCII, Card, CardAccess, CardPlace, Layout, Signs, UNICODE};
use super::phrases;
use super::visible::visible;
use super::{matrix_people, matrix_statement};

mod draw;

use draw::{Grid, coloured, draw};

/// How a table is drawn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// Aligned text.
    Text {
        /// Whether more than ASCII can be shown.
        unicode: bool,
        /// The width of the terminal, if there is one.
        width: Option<u16>,
    },
    /// For a pull request.
    Markdown,
}

/// What is shown.
#[derive(Copy, Clone, Debug)]
pub struct View<'v> {
    /// The matrix.
    pub matrix: &'v Matrix<'v>,
    /// Whose access.
    pub holders: &'v [Holder],
    /// The preset whose columns these are.
    pub entries: Option<&'v [Entry]>,
    /// Whether rows without any access are shown too.
    pub all_rows: bool,
    /// Whether lists are written whole.
    pub is_wide: bool,
    /// Whether the preset was asked for, rather than chosen because there are several identities.
    pub asked_preset: bool,
}

/// The verbs with a column of their own.
const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// A list of identities is long from here on.
const LONG: usize = 20;

/// What needs words, each once, by number.
#[derive(Default)]
struct Footnotes {
    texts: Vec<String>,
}

impl Footnotes {
    fn number(&mut self, text: String) -> usize {
        if let Some(known) = self.texts.iter().position(|known| *known == text) {
            return known + 1;
        }
        self.texts.push(text);
        self.texts.len()
    }
}

/// What a cell shows, and in a note where that is, with what is reachable elsewhere.
fn sign(
    rows: &[(String, Vec<String>)],
    is_unknown: bool,
    reachable: &[String],
    signs: Signs,
    footnotes: &mut Footnotes,
) -> String {
    if rows.is_empty() {
        return if is_unknown { signs.unknown } else { signs.no }.to_owned();
    }
    if rows.iter().any(|(namespace, names)| names.is_empty() && (namespace == "*" || namespace.is_empty())) {
        return signs.yes.to_owned();
    }
    let mut parts = Vec::new();
    let plain: Vec<String> =
        rows.iter().filter(|(_, names)| names.is_empty()).map(|(namespace, _)| visible(namespace)).collect();
    if !plain.is_empty() {
        parts.push(format!("in {}", plain.join(", ")));
    }
    for (namespace, names) in rows.iter().filter(|(_, names)| !names.is_empty()) {
        let names: Vec<String> = names
            .iter()
            .map(|name| if name.is_empty() { "\"\"".to_owned() } else { visible(name) })
            .collect();
        let place = match namespace.as_str() {
            "" => String::new(),
            "*" => " in every namespace".to_owned(),
            namespace => format!(" in {}", visible(namespace)),
        };
        parts.push(format!("only named {}{place}", names.join(", ")));
    }
    parts.extend(reachable.iter().cloned());
    let mark = if plain.is_empty() { signs.named } else { signs.some };
    let doubt = if is_unknown { signs.unknown } else { "" };
    format!("{mark}{}{doubt}", footnotes.number(parts.join("; ")))
}

/// Writes the statement, the table and its legend.
///
/// # Errors
/// If writing fails.
pub fn print(out: &mut dyn Write, view: &View<'_>, style: &Style, statement: &[String]) -> io::Result<()> {
    let signs = match style {
        Style::Text { unicode: false, .. } => ASCII,
        _ => UNICODE,
    };
    for line in statement {
        match style {
            Style::Text { .. } => writeln!(out, "{}", visible(line))?,
            Style::Markdown if line.starts_with("  ") => {
                writeln!(out, "  - {}", markdown(&visible(line.trim_start())))?;
            }
            Style::Markdown => writeln!(out, "- {}", markdown(&visible(line)))?,
        }
    }
    writeln!(out)?;
    let mut footnotes = Footnotes::default();
    let mut key = Vec::new();
    match view.holders {
        [] => writeln!(out, "no identities to show")?,
        [one] => single(out, view, one, style, signs, &mut footnotes)?,
        _ => key = several(out, view, style, signs)?,
    }
    if key.is_empty() {
        legend(out, view, style, signs, &footnotes)?;
    } else {
        let title = match (view.entries, view.asked_preset) {
            (Some(_), false) => {
                "what it means (of --preset sensitive; choose others with --verbs and --resources, or all with -o csv)"
            }
            _ => "what it means",
        };
        lines(out, style, title, &key)?;
    }
    let unknown = matrix_statement::unknown_lines(view.matrix, view.holders);
    if !unknown.is_empty() {
        let unknown: Vec<String> = unknown.iter().map(|line| visible(line)).collect();
        lines(out, style, phrases::UNKNOWN, &unknown)?;
    }
    let people = matrix_people::lines(view.matrix, view.holders);
    if !people.is_empty() {
        let people: Vec<String> = people.iter().map(|line| visible(line)).collect();
        lines(out, style, matrix_people::TITLE, &people)?;
    }
    Ok(())
}

fn lines(out: &mut dyn Write, style: &Style, title: &str, lines: &[String]) -> io::Result<()> {
    writeln!(out)?;
    match style {
        Style::Text { .. } => {
            writeln!(out, "{title}")?;
            lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
        }
        Style::Markdown => {
            writeln!(out, "**{}**", markdown(title))?;
            writeln!(out)?;
            let nested = |line: &String| if line.starts_with("  ") { "  " } else { "" };
            lines.iter().try_for_each(|line| writeln!(out, "{}- {}", nested(line), markdown(line.trim())))
        }
    }
}

fn legend(
    out: &mut dyn Write,
    view: &View<'_>,
    style: &Style,
    signs: Signs,
    footnotes: &Footnotes,
) -> io::Result<()> {
    let in_words = view.holders.len() > 1;
    let Signs { yes, some, named, no, unknown, reachable } = signs;
    let words = format!("{yes} yes, everywhere   {no} no   {unknown} unknown");
    let text = if in_words {
        words
    } else {
        format!(
            "{yes} yes, everywhere   {some} in some namespaces   {named} only some object names   {no} no   {unknown} unknown   (empty: the resource has no such verb)"
        )
    };
    let text = if view.matrix.shows_reachable() {
        let reached = format!(
            "{reachable}2 not directly, but in 2 certain steps, everywhere   {reachable}2:1 the same, where note 1 says"
        );
        format!("{text}\n{reached}; `rbacsim paths` shows them")
    } else {
        text
    };
    writeln!(out)?;
    match style {
        Style::Text { .. } => writeln!(out, "{}", coloured(&text, signs))?,
        Style::Markdown => {
            let lines: Vec<String> = text.lines().map(markdown).collect();
            writeln!(out, "{}", lines.join("\n\n"))?;
        }
    }
    let width = footnotes.texts.len().to_string().len();
    for (text, number) in footnotes.texts.iter().zip(1usize..) {
        match style {
            Style::Text { .. } => writeln!(out, "  {number:>width$}  {text}")?,
            Style::Markdown => writeln!(out, "- {number}: {}", markdown(text))?,
        }
    }
    Ok(())
}

fn reachable(steps: u16, place: CardPlace) -> CardPlace {
    CardPlace::Reachable(steps, Box::new(place))
}

/// What a cell of the table says; `None` where the verb is none of the resource.
struct Reader<'r> {
    matrix: &'r Matrix<'r>,
    access: Access,
    unknown: Dense,
    /// What it can get by certain steps.
    reachable: Option<&'r Rows>,
    signs: Signs,
}

impl<'r> Reader<'r> {
    fn new(view: &View<'r>, holder: &Holder, signs: Signs, scratch: &mut Scratch) -> Self {
        let matrix = view.matrix;
        let mut unknown = Dense::default();
        unknown.reset(matrix.universe().columns().len());
        for block in matrix.unknown_blocks(holder, &matrix.unknown(holder), scratch) {
            block.columns.to_sparse().add_to(&mut unknown);
        }
        let reachable = view.matrix.reached(holder);
        Self { matrix: view.matrix, access: view.matrix.access(holder, scratch), unknown, reachable, signs }
    }

    /// Where an access can be got by certain steps: the nearest first, and of what is wider than another only that which
    /// takes fewer steps; of one object if it is given.
    fn reached(&self, column: u32, object: Option<(&str, &str)>) -> Vec<CardPlace> {
        let is_it = |heading: &str, names: &[String]| {
            object.is_none_or(|(namespace, name)| {
                (heading == "*" || heading == namespace)
                    && (names.is_empty() || names.iter().any(|own| own == name))
            })
        };
        let rows = self.reachable.into_iter().flatten();
        let rows = rows.filter(|((heading, own, names), _)| *own == column && is_it(heading, names));
        let rows: Vec<(&str, &[String], u16)> = rows
            .map(|((heading, _, names), reached)| (heading.as_str(), names.as_slice(), reached.steps))
            .collect();
        if object.is_some() {
            let steps = rows.iter().map(|(.., steps)| *steps).min();
            return steps.map(|steps| reachable(steps, CardPlace::Everywhere)).into_iter().collect();
        }
        let is_wide = |heading: &str| matches!(heading, "*" | "");
        let everywhere = rows.iter().filter(|(heading, names, _)| is_wide(heading) && names.is_empty());
        let everywhere = everywhere.map(|(.., steps)| *steps).min();
        let is_nearer = |steps: u16| everywhere.is_none_or(|everywhere| steps < everywhere);
        let mut namespaces: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        let mut named: Vec<(u16, CardPlace)> = Vec::new();
        for (heading, names, steps) in rows.into_iter().filter(|(.., steps)| is_nearer(*steps)) {
            if names.is_empty() {
                namespaces.entry(steps).or_default().push(visible(heading));
            } else {
                let name = |name: &String| if name.is_empty() { "\"\"".to_owned() } else { visible(name) };
                let place = CardPlace::Named(names.iter().map(name).collect(), visible(heading));
                named.push((steps, place));
            }
        }
        let plain = namespaces.into_iter().map(|(steps, own)| (steps, CardPlace::In(own)));
        let everywhere = everywhere.map(|steps| (steps, CardPlace::Everywhere));
        let mut places: Vec<(u16, CardPlace)> = plain.chain(named).chain(everywhere).collect();
        places.sort();
        places.into_iter().map(|(steps, place)| reachable(steps, place)).collect()
    }

    /// The same in words.
    fn reached_in_words(&self, column: u32) -> Vec<String> {
        let layout = Layout { is_markdown: false, is_wide: true, signs: ASCII };
        self.reached(column, None).iter().map(|place| layout.in_words(place)).collect()
    }

    fn rows(&self, column: u32) -> &[(String, Vec<String>)] {
        self.access.granted.get(&column).map_or(&[], Vec::as_slice)
    }

    fn sign(&self, column: u32, footnotes: &mut Footnotes) -> String {
        let reached = self.reached(column, None);
        if self.rows(column).is_empty()
            && let Some(CardPlace::Reachable(steps, place)) = reached.first()
        {
            let doubt = if self.unknown.contains(column) { self.signs.unknown } else { "" };
            let sign = format!("{}{steps}{doubt}", self.signs.reachable);
            if reached.len() == 1 && **place == CardPlace::Everywhere {
                return sign;
            }
            // A note is told from the steps by what stands between.
            return format!("{sign}:{}", footnotes.number(self.reached_in_words(column).join("; ")));
        }
        let reached = self.reached_in_words(column);
        sign(self.rows(column), self.unknown.contains(column), &reached, self.signs, footnotes)
    }

    /// The sign of a preset's entry: for one object it is yes or no.
    fn entry_sign(&self, entry: Option<&Entry>, column: u32, footnotes: &mut Footnotes) -> String {
        let Some((namespace, name)) = entry.and_then(|entry| entry.object) else {
            return self.sign(column, footnotes);
        };
        let granted = self.rows(column).iter().any(|(heading, names)| {
            (heading == "*" || heading == namespace)
                && (names.is_empty() || names.iter().any(|own| own == name))
        });
        let unknown = self.unknown.contains(column);
        if !granted
            && let Some(CardPlace::Reachable(steps, _)) =
                self.reached(column, Some((namespace, name))).first()
        {
            return format!("{}{steps}", self.signs.reachable);
        }
        let sign = if granted {
            self.signs.yes
        } else if unknown {
            self.signs.unknown
        } else {
            self.signs.no
        };
        sign.to_owned()
    }

    /// Where an access holds, in words.
    fn places(&self, entry: Option<&Entry>, column: u32) -> Vec<CardPlace> {
        let (rows, unknown) = (self.rows(column), self.unknown.contains(column));
        if let Some((namespace, name)) = entry.and_then(|entry| entry.object) {
            let is_it = |(heading, names): &(String, Vec<String>)| {
                (heading == "*" || heading == namespace)
                    && (names.is_empty() || names.iter().any(|own| own == name))
            };
            if rows.iter().any(is_it) {
                return vec![CardPlace::Everywhere];
            }
            let mut places = self.reached(column, Some((namespace, name)));
            places.extend(unknown.then_some(CardPlace::Unknown));
            return places;
        }
        let plain = rows.iter().filter(|(_, names)| names.is_empty());
        let plain: Vec<&str> = plain.map(|(namespace, _)| namespace.as_str()).collect();
        if plain.iter().any(|namespace| matches!(*namespace, "*" | "")) {
            return vec![CardPlace::Everywhere];
        }
        let mut places = Vec::new();
        if !plain.is_empty() {
            places.push(CardPlace::In(plain.into_iter().map(visible).collect()));
        }
        for (namespace, names) in rows.iter().filter(|(_, names)| !names.is_empty()) {
            let name = |name: &String| if name.is_empty() { "\"\"".to_owned() } else { visible(name) };
            places.push(CardPlace::Named(names.iter().map(name).collect(), visible(namespace)));
        }
        places.extend(self.reached(column, None));
        places.extend(unknown.then_some(CardPlace::Unknown));
        places
    }

    /// The columns of every cell, in order.
    fn cells(&self) -> Vec<(&'r Cell, Vec<(u32, &'r str)>)> {
        let universe = self.matrix.universe();
        let mut cells: Vec<(&Cell, Vec<(u32, &str)>)> =
            universe.cells().iter().map(|cell| (cell, Vec::new())).collect();
        for (column, number) in universe.columns().iter().zip(0u32..) {
            if let (Some((_, columns)), Some((_, verb))) =
                (cells.get_mut(column.cell as usize), universe.column(number))
            {
                columns.push((number, verb));
            }
        }
        cells
    }
}

fn group_title(cell: &Cell) -> &str {
    match (cell.place, cell.group.as_str()) {
        (Place::Url, _) => "non-resource URLs",
        (_, "") => "core",
        (_, "*") => "every API group",
        (_, group) => group,
    }
}

fn single(
    out: &mut dyn Write,
    view: &View<'_>,
    holder: &Holder,
    style: &Style,
    signs: Signs,
    footnotes: &mut Footnotes,
) -> io::Result<()> {
    let title = format!("{} {}", holder.kind.as_str(), visible(&holder.identity));
    let user = match holder.who.as_deref().and_then(crate::decide::cluster::Who::shown) {
        Some(user) if !user.groups.is_empty() => {
            let groups: Vec<String> =
                user.groups.iter().map(|group| format!("`{}`", visible(group))).collect();
            format!("user `{}`, groups {}", visible(&user.username), groups.join(", "))
        }
        _ => String::new(),
    };
    match style {
        Style::Text { .. } => {
            writeln!(out, "{title}")?;
            if !user.is_empty() {
                writeln!(out, "  {user}")?;
            }
        }
        Style::Markdown => writeln!(out, "### {}\n\n{}\n", markdown(&title), markdown(&user))?,
    }
    if holder.is_master() {
        writeln!(out, "{}", phrases::BYPASSES_RBAC)?;
    }
    let reader = Reader::new(view, holder, signs, &mut Scratch::default());
    if let Some(entries) = view.entries {
        return preset_table(out, &reader, entries, style, footnotes);
    }
    let mut grid = Grid { left: 1, ..Grid::default() };
    grid.header = std::iter::once("resource").chain(VERBS).map(str::to_owned).collect();
    grid.header.push("*".to_owned());
    grid.header.push("other verbs".to_owned());
    let mut last_group: Option<&str> = None;
    let mut hidden = 0;
    for url in [false, true] {
        for (cell, columns) in
            reader.cells().into_iter().filter(|(cell, _)| (cell.place == Place::Url) == url)
        {
            let says =
                |column: u32| !reader.rows(column).is_empty() || !reader.reached(column, None).is_empty();
            let has_access = columns.iter().any(|(column, _)| says(*column));
            if !has_access && !view.all_rows {
                hidden += 1;
                continue;
            }
            let group = group_title(cell);
            if last_group.replace(group) != Some(group) {
                grid.rows.push(vec![visible(group)]);
            }
            let mut row = vec![format!("  {}", visible(&cell.resource))];
            let mut signed = |wanted: &str| {
                let found = columns.iter().find(|(_, verb)| *verb == wanted);
                found.map(|(column, _)| reader.sign(*column, footnotes)).unwrap_or_default()
            };
            row.extend(VERBS.iter().map(|verb| signed(verb)));
            row.push(signed("*"));
            let others: Vec<String> = columns
                .iter()
                .filter(|(column, verb)| !VERBS.contains(verb) && *verb != "*" && says(*column))
                .map(|(column, verb)| format!("{} {}", visible(verb), reader.sign(*column, footnotes)))
                .collect();
            row.push(others.join(", "));
            grid.rows.push(row);
        }
    }
    // A column in which nothing stands is no help.
    for index in (1..grid.header.len()).rev() {
        let said = |cell: Option<&String>| {
            cell.is_some_and(|cell| !cell.is_empty() && (cell != signs.no || view.all_rows))
        };
        if !grid.rows.iter().any(|row| said(row.get(index))) {
            grid.header.remove(index);
            for row in grid.rows.iter_mut().filter(|row| index < row.len()) {
                row.remove(index);
            }
        }
    }
    if grid.rows.is_empty() {
        writeln!(out, "no access")?;
    } else {
        draw(out, &grid, style, signs)?;
    }
    if hidden > 0 {
        writeln!(out)?;
        writeln!(out, "no access to the other {hidden} known resources and URLs")?;
    }
    Ok(())
}

/// The columns of a preset down, each with what it means.
fn preset_table(
    out: &mut dyn Write,
    reader: &Reader<'_>,
    entries: &[Entry],
    style: &Style,
    footnotes: &mut Footnotes,
) -> io::Result<()> {
    let mut grid = Grid { left: 1, ..Grid::default() };
    grid.header = ["access", "", "what it means"].map(str::to_owned).to_vec();
    for (entry, column) in in_order(reader.matrix, entries) {
        let title = format!("{} {}", entry.verb, entry_title(reader.matrix, Some(entry), column));
        let sign = reader.entry_sign(Some(entry), column, footnotes);
        grid.rows.push(vec![title, sign, entry.means.to_owned()]);
    }
    draw(out, &grid, style, reader.signs)
}

fn title(matrix: &Matrix<'_>, column: u32) -> String {
    matrix.universe().column(column).map(|(cell, _)| visible(&cell.title())).unwrap_or_default()
}

fn entry_title(matrix: &Matrix<'_>, entry: Option<&Entry>, column: u32) -> String {
    match entry.and_then(|entry| entry.object) {
        Some((namespace, name)) => format!("{}/{name} in {namespace}", title(matrix, column)),
        None => title(matrix, column),
    }
}

/// The entries of a preset with their columns, in the order of the preset.
fn in_order<'e>(matrix: &Matrix<'_>, entries: &'e [Entry]) -> Vec<(&'e Entry, u32)> {
    let universe = matrix.universe();
    let columns = || 0..u32::try_from(universe.columns().len()).unwrap_or(u32::MAX);
    entries
        .iter()
        .filter_map(|entry| {
            let column = columns().find(|column| {
                universe.column(*column).is_some_and(|(cell, verb)| {
                    cell.group == entry.group && cell.resource == entry.resource && verb == entry.verb
                })
            })?;
            Some((entry, column))
        })
        .collect()
}

/// Identities down and columns across where these fit; else those with equal access together, each with what they may.
/// Gives the key to what stands there.
fn several(out: &mut dyn Write, view: &View<'_>, style: &Style, signs: Signs) -> io::Result<Vec<String>> {
    let universe = view.matrix.universe();
    let verb_of = |column: u32| universe.column(column).map_or("", |(_, verb)| verb);
    let all = || 0..u32::try_from(universe.columns().len()).unwrap_or(u32::MAX);
    // The verb `*` has columns where it alone is asked.
    let only_star = all().all(|column| verb_of(column) == "*");
    let columns: Vec<(Option<&Entry>, u32)> = if let Some(entries) = view.entries {
        in_order(view.matrix, entries).into_iter().map(|(entry, column)| (Some(entry), column)).collect()
    } else {
        let shown = all().filter(|column| only_star || verb_of(*column) != "*");
        shown.map(|column| (None, column)).collect()
    };
    let name = |holder: &Holder| format!("{} {}", holder.kind.as_str(), visible(&holder.identity));
    let heads: Vec<(String, String)> = columns
        .iter()
        .map(|(entry, column)| (visible(verb_of(*column)), entry_title(view.matrix, *entry, *column)))
        .collect();
    let widest = view.holders.iter().map(|holder| name(holder).chars().count()).max().unwrap_or(0);
    let limit = match style {
        Style::Text { width, .. } => usize::from(width.unwrap_or(160)),
        Style::Markdown => 160,
    };
    let layout = Layout { is_markdown: matches!(style, Style::Markdown), is_wide: view.is_wide, signs };
    let mut scratch = Scratch::default();
    let everybody: Vec<(String, Vec<Vec<CardPlace>>)> = view
        .holders
        .iter()
        .map(|holder| {
            let reader = Reader::new(view, holder, signs, &mut scratch);
            let places = columns.iter().map(|(entry, column)| reader.places(*entry, *column));
            (name(holder), places.collect())
        })
        .collect();
    let width_of = |((verb, title), index): (&(String, String), usize)| {
        let cells = everybody.iter().filter_map(|(_, places)| places.get(index));
        let cells = cells.map(|places| layout.cell(places).chars().count()).max().unwrap_or(0);
        verb.chars().count().max(title.chars().count()).max(cells) + 2
    };
    let spelled: usize = heads.iter().zip(0usize..).map(width_of).sum();
    let fits = view.entries.is_none() && widest + spelled <= limit;
    if !fits {
        let cards = cards::together(everybody.into_iter().map(|(name, places)| {
            let access = places.into_iter().zip(&heads).filter(|(places, _)| !places.is_empty());
            let access = access.map(|(places, (verb, target))| CardAccess {
                verb: verb.clone(),
                target: target.clone(),
                places,
            });
            (name, access.collect())
        }));
        layout.write(out, &cards)?;
        let means = columns.iter().zip(&heads).filter_map(|((entry, _), (verb, target))| {
            let is_shown = |card: &Card| {
                card.access.iter().any(|access| access.verb == *verb && access.target == *target)
            };
            let means = entry.filter(|_| cards.iter().any(is_shown))?.means;
            Some((format!("{verb} {target}"), means))
        });
        let means: Vec<(String, &str)> = means.collect();
        let width = means.iter().map(|(access, _)| access.chars().count()).max().unwrap_or(0);
        let mut key = Vec::from([cards::FOLDED.to_owned()]);
        if view.matrix.shows_reachable() {
            key.push("reachable = not directly, but by certain steps; `rbacsim paths` shows them".to_owned());
        }
        key.extend(means.iter().map(|(access, means)| format!("{access:<width$}  {means}")));
        return Ok(key);
    }
    let cells = |places: &[Vec<CardPlace>]| places.iter().map(|places| layout.cell(places)).collect();
    let mut rows: Vec<(String, Vec<String>)> =
        everybody.into_iter().map(|(name, places)| (name, cells(&places))).collect();
    // Who has none of it needs no line in a long list, only a mention.
    let is_empty = |cells: &Vec<String>| cells.iter().all(|cell| cell == signs.no);
    let mut without: Vec<String> = Vec::new();
    if rows.len() > LONG {
        without = rows.iter().filter(|(_, cells)| is_empty(cells)).map(|(name, _)| name.clone()).collect();
        rows.retain(|(_, cells)| !is_empty(cells));
    }
    let mut grid = Grid { left: 1, ..Grid::default() };
    grid.header.push("identity".to_owned());
    grid.header.extend(heads.iter().map(|(verb, title)| format!("{verb}\n{title}")));
    for (name, cells) in &rows {
        grid.rows.push(std::iter::once(name.clone()).chain(cells.iter().cloned()).collect());
    }
    draw(out, &grid, style, signs)?;
    if !without.is_empty() {
        let title = format!("no access in these columns: {} identities", without.len());
        let list = [without.join(", ")];
        lines(out, style, &title, &list)?;
    }
    Ok(Vec::new())
}
