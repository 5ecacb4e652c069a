//! Tables of cells, drawn as aligned text or as Markdown.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Colour};
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::report::markdown::markdown;
use crate::report::matrix_cards::{ASCII, Signs};

use super::Style;

/// Rows to draw; a row with one cell is a heading.
#[derive(Default)]
pub(super) struct Grid {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// How many columns at the left are text; the others are centred.
    pub(super) left: usize,
}

/// Draws a table.
///
/// # Errors
/// If writing fails.
pub(super) fn draw(out: &mut dyn Write, grid: &Grid, style: &Style, signs: Signs) -> io::Result<()> {
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
pub(super) fn coloured(line: &str, signs: Signs) -> String {
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
