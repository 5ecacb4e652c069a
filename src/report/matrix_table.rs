//! The access matrix for people: resources down and verbs across for one identity, identities down for several.
//!
//! A cell says at a glance: yes everywhere, in some namespaces, for some names only, no, or unknown; what needs more words has a number, and the words stand below the table. Nothing is cut.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Colour};
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::ask::matrix::preset::Entry;
use crate::ask::matrix::{Access, Cell, Dense, Holder, Matrix, Place, Scratch};

use super::phrases;
use super::visible::{is_hidden, visible};
use super::{matrix_people, matrix_statement};

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
    /// Whether the preset was asked for, rather than chosen because there are several identities.
    pub asked_preset: bool,
}

/// The signs of a cell.
#[derive(Copy, Clone)]
struct Signs {
    yes: &'static str,
    some: &'static str,
    named: &'static str,
    no: &'static str,
    unknown: &'static str,
}

const UNICODE: Signs = Signs { yes: "✔", some: "◐", named: "◆", no: "·", unknown: "?" };
const ASCII: Signs = Signs { yes: "Y", some: "n", named: "#", no: "-", unknown: "?" };

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

/// Rows to draw; a row with one cell is a heading.
#[derive(Default)]
struct Grid {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How many columns at the left are text; the others are centred.
    left: usize,
}

/// A text as Markdown shows it literally, also inside a table.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '|' | '\\' | '*' | '_' | '`' | '[' | ']' | '~' => {
                escaped.push('\\');
                escaped.push(char);
            }
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' => escaped.push_str("<br>"),
            char if is_hidden(char) => escaped.extend(char.escape_default()),
            char => escaped.push(char),
        }
    }
    escaped
}

/// What a cell shows.
fn sign(rows: &[(String, Vec<String>)], is_unknown: bool, signs: Signs, footnotes: &mut Footnotes) -> String {
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
        _ => key = several(out, view, style, signs, &mut footnotes)?,
    }
    legend(out, style, signs, &footnotes)?;
    if !key.is_empty() {
        let title = match (view.entries, view.asked_preset) {
            (Some(_), false) => {
                "columns (from --preset sensitive; choose others with --verbs and --resources, or all with -o csv)"
            }
            _ => "columns",
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

fn legend(out: &mut dyn Write, style: &Style, signs: Signs, footnotes: &Footnotes) -> io::Result<()> {
    let Signs { yes, some, named, no, unknown } = signs;
    let text = format!(
        "{yes} yes, everywhere   {some} in some namespaces   {named} only some object names   {no} no   {unknown} unknown   (empty: the resource has no such verb)"
    );
    writeln!(out)?;
    match style {
        Style::Text { .. } => writeln!(out, "{}", coloured(&text, signs))?,
        Style::Markdown => writeln!(out, "{}", markdown(&text))?,
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

/// What a cell of the table says; `None` where the verb is none of the resource.
struct Reader<'r> {
    matrix: &'r Matrix<'r>,
    access: Access,
    unknown: Dense,
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
        Self { matrix: view.matrix, access: view.matrix.access(holder, scratch), unknown, signs }
    }

    fn rows(&self, column: u32) -> &[(String, Vec<String>)] {
        self.access.granted.get(&column).map_or(&[], Vec::as_slice)
    }

    fn sign(&self, column: u32, footnotes: &mut Footnotes) -> String {
        sign(self.rows(column), self.unknown.contains(column), self.signs, footnotes)
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
        let sign = if granted {
            self.signs.yes
        } else if unknown {
            self.signs.unknown
        } else {
            self.signs.no
        };
        sign.to_owned()
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
            let has_access = columns.iter().any(|(column, _)| !reader.rows(*column).is_empty());
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
                .filter(|(column, verb)| {
                    !VERBS.contains(verb) && *verb != "*" && !reader.rows(*column).is_empty()
                })
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

/// Identities down, columns across; gives the key of the columns where they are numbered.
fn several(
    out: &mut dyn Write,
    view: &View<'_>,
    style: &Style,
    signs: Signs,
    footnotes: &mut Footnotes,
) -> io::Result<Vec<String>> {
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
    let spelled: usize =
        heads.iter().map(|(verb, title)| verb.chars().count().max(title.chars().count()) + 2).sum();
    let numbered = view.entries.is_some() || widest + spelled > limit;
    // So many numbered columns fit beside the names; the rest goes into further tables.
    let per_table = if numbered {
        ((limit.saturating_sub(widest.min(limit / 2))) / 5).max(4)
    } else {
        columns.len().max(1)
    };
    let mut scratch = Scratch::default();
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for holder in view.holders {
        let reader = Reader::new(view, holder, signs, &mut scratch);
        let cells = columns.iter().map(|(entry, column)| reader.entry_sign(*entry, *column, footnotes));
        let cells = cells.collect();
        rows.push((name(holder), cells));
    }
    // Who has none of it needs no line in a long list, only a mention.
    let is_empty = |cells: &Vec<String>| cells.iter().all(|cell| cell == signs.no);
    let mut without: Vec<String> = Vec::new();
    if rows.len() > LONG {
        without = rows.iter().filter(|(_, cells)| is_empty(cells)).map(|(name, _)| name.clone()).collect();
        rows.retain(|(_, cells)| !is_empty(cells));
    }
    for start in (0..columns.len().max(1)).step_by(per_table) {
        let here = start..(start + per_table).min(columns.len());
        let mut grid = Grid { left: 1, ..Grid::default() };
        grid.header.push("identity".to_owned());
        for index in here.clone() {
            grid.header.push(match heads.get(index) {
                Some((verb, title)) if !numbered => format!("{verb}\n{title}"),
                _ => format!("c{}", index + 1),
            });
        }
        for (name, cells) in &rows {
            let mut row = vec![name.clone()];
            row.extend(cells.get(here.clone()).unwrap_or_default().iter().cloned());
            grid.rows.push(row);
        }
        if start > 0 {
            writeln!(out)?;
        }
        draw(out, &grid, style, signs)?;
    }
    if !without.is_empty() {
        let title = format!("no access in these columns: {} identities", without.len());
        let list = [without.join(", ")];
        lines(out, style, &title, &list)?;
    }
    if !numbered {
        return Ok(Vec::new());
    }
    let width = heads.iter().map(|(verb, title)| verb.chars().count() + title.chars().count() + 1).max();
    let key = heads.iter().zip(&columns).zip(1usize..).map(|(((verb, title), (entry, _)), number)| {
        let means = entry.map(|entry| entry.means);
        let spelled = format!("{verb} {title}");
        match means {
            Some(means) => format!("c{number:<3} {spelled:<width$}  {means}", width = width.unwrap_or(0)),
            None => format!("c{number:<3} {spelled}"),
        }
    });
    Ok(key.collect())
}

fn draw(out: &mut dyn Write, grid: &Grid, style: &Style, signs: Signs) -> io::Result<()> {
    match style {
        Style::Text { width, .. } => draw_text(out, grid, *width, signs),
        Style::Markdown => draw_markdown(out, grid),
    }
}

fn draw_text(out: &mut dyn Write, grid: &Grid, width: Option<u16>, signs: Signs) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(&grid.header);
    for row in &grid.rows {
        let mut row = row.clone();
        row.resize(grid.header.len(), String::new());
        table.add_row(row);
    }
    for (column, index) in table.column_iter_mut().zip(0usize..) {
        column.set_padding((0, 2));
        if index >= grid.left && grid.header.get(index).is_some_and(|head| !head.contains("means")) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", coloured(line.trim_end(), signs))?;
    }
    Ok(())
}

/// A line with its signs coloured; signs of ASCII may be anything and stay as they are.
fn coloured(line: &str, signs: Signs) -> String {
    if signs.yes == ASCII.yes {
        return line.to_owned();
    }
    let mut text = line.to_owned();
    for (sign, colour) in
        [(signs.yes, AnsiColor::Green), (signs.some, AnsiColor::Cyan), (signs.named, AnsiColor::Blue)]
    {
        let style: Colour = colour.on_default().bold();
        text = text.replace(sign, &format!("{style}{sign}{style:#}"));
    }
    let unknown = AnsiColor::Yellow.on_default().bold();
    text.replace(" ? ", &format!(" {unknown}?{unknown:#} "))
}

fn draw_markdown(out: &mut dyn Write, grid: &Grid) -> io::Result<()> {
    let line = |cells: &[String]| -> String {
        let mut text = String::from("|");
        for index in 0..grid.header.len() {
            let cell = cells.get(index).map_or("", String::as_str);
            text.push(' ');
            text.push_str(&markdown(cell.trim()));
            text.push_str(" |");
        }
        text
    };
    writeln!(out, "{}", line(&grid.header))?;
    writeln!(out, "|{}", " --- |".repeat(grid.header.len()))?;
    for row in &grid.rows {
        match row.as_slice() {
            [heading] => writeln!(
                out,
                "| **{}** |{}",
                markdown(heading),
                " |".repeat(grid.header.len().saturating_sub(1))
            )?,
            row => writeln!(out, "{}", line(row))?,
        }
    }
    Ok(())
}
