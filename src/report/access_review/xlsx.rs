//! The access review as a workbook: summary, identities, access, grants, unknown, and decisions to fill in.
//!
//! Every text is written as a string and never as a formula or a link, with the mark that keeps a spreadsheet from taking it
//! for a formula when somebody edits it. The same review gives the same bytes.

use std::collections::BTreeSet;
use std::io::{self, Write};

use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
    XlsxError,
};

use crate::ask::access_review::decisions::{undecided, workbook};
use crate::ask::access_review::{Cell, Counts, Mark};
use crate::knowledge::capabilities::CAPABILITIES;
use crate::report::statement::Remark;
use crate::report::visible::visible;

use super::cards::{Leads, cards, reasons, said, why};
use super::{
    Document, basis, decision, grant, groups, headline, kind, left_out, mapping, matrix_people, names,
    not_modelled, people, phrases, places, since, title,
};

mod sheet;

use sheet::{Columns, Sheet};

/// What a reviewer can decide.
const DECISIONS: [&str; 3] = ["keep", "change", "remove"];

/// The workbook while it is filled.
struct Book {
    workbook: Workbook,
    text: Format,
    head: Format,
    title: Format,
    input: Format,
    number: Format,
    marks: [Format; 5],
}

impl Book {
    fn new() -> Self {
        // The names of the inputs may begin like formulas: the mark keeps them texts after an edit, too.
        let text = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_quote_prefix();
        let mark = Format::new().set_align(FormatAlign::Center).set_align(FormatAlign::Top);
        Self {
            workbook: Workbook::new(),
            head: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Bottom)
                .set_border_bottom(FormatBorder::Thin),
            title: Format::new().set_bold().set_font_size(14),
            number: Format::new().set_align(FormatAlign::Top),
            input: text.clone().set_unlocked().set_border(FormatBorder::Hair),
            marks: [
                mark.clone().set_background_color(0x007A_1F1F).set_font_color(0x00FF_FFFF).set_bold(),
                mark.clone().set_background_color(0x00F2_C98A),
                mark.clone().set_background_color(0x00FB_EED6).set_italic(),
                mark.clone().set_font_color(0x005B_2A86).set_bold(),
                mark.set_font_color(0x0053_5C65),
            ],
            text,
        }
    }

    /// How a cell is drawn.
    fn mark(&self, mark: Mark) -> &Format {
        let [everywhere, namespaces, named, unknown, no] = &self.marks;
        match mark {
            Mark::Everywhere => everywhere,
            Mark::Namespaces => namespaces,
            Mark::Named => named,
            Mark::Unknown => unknown,
            Mark::No => no,
        }
    }
}

/// Writes the workbook.
///
/// # Errors
/// If writing fails.
pub fn write(out: &mut dyn Write, document: &Document<'_, '_>) -> io::Result<()> {
    let bytes = bytes(document).map_err(io::Error::other)?;
    out.write_all(&bytes)?;
    out.flush()
}

fn bytes(document: &Document<'_, '_>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Book::new();
    let origin = document.origin;
    // A workbook carries its date of creation: the one that was given, or one that is always the same.
    let given = origin.date.parse::<jiff::civil::Date>().ok();
    let created = match given.and_then(|_| ExcelDateTime::parse_from_str(&origin.date).ok()) {
        Some(date) => date,
        None => ExcelDateTime::from_ymd(2000, 1, 1)?,
    };
    book.workbook.set_properties(
        &DocProperties::new()
            .set_title(visible(&name(document)))
            .set_author(origin.tool.as_str())
            .set_creation_datetime(&created),
    );
    summary(&mut book, document)?;
    identities(&mut book, document)?;
    access(&mut book, document)?;
    grants(&mut book, document)?;
    unknown(&mut book, document)?;
    decisions(&mut book, document)?;
    record(&mut book, document)?;
    book.workbook.save_to_buffer()
}

/// What was seen, for `--decisions` of a later review: out of sight, for it is no reading for people.
fn record(book: &mut Book, document: &Document<'_, '_>) -> Result<(), XlsxError> {
    let mut sheet = Worksheet::new();
    sheet.set_name(workbook::RECORD)?.set_hidden(true);
    for (piece, row) in workbook::pieces(&undecided(document.review, document.origin)).iter().zip(0..) {
        sheet.write_string(row, 0, piece)?;
    }
    book.workbook.push_worksheet(sheet);
    Ok(())
}

fn name(document: &Document<'_, '_>) -> String {
    let title = &document.origin.title;
    if title.is_empty() { "Access review".to_owned() } else { format!("Access review: {title}") }
}

/// The widths of the columns of the first sheet.
const WIDTHS: [f64; 2] = [60.0, 110.0];

/// The first sheet while it is written line by line.
struct Lines<'b> {
    sheet: Worksheet,
    row: u32,
    book: &'b Book,
}

impl Lines<'_> {
    fn heading(&mut self, text: &str, beside: &str) -> Result<(), XlsxError> {
        self.row += u32::from(self.row > 0);
        self.sheet.write_string_with_format(self.row, 0, text, &self.book.head)?;
        self.sheet.write_string_with_format(self.row, 1, beside, &self.book.head)?;
        self.row += 1;
        Ok(())
    }

    fn line(&mut self, label: &str, text: &str) -> Result<(), XlsxError> {
        for (text, column) in [(label, 0), (text, 1)] {
            if !text.is_empty() {
                let text = sheet::cell_text(text);
                self.sheet.write_string_with_format(self.row, column, text, &self.book.text)?;
            }
        }
        let [label_width, text_width] = WIDTHS;
        let height = sheet::height(label, label_width).max(sheet::height(text, text_width));
        self.sheet.set_row_height(self.row, height)?;
        self.row += 1;
        Ok(())
    }

    fn number(&mut self, label: &str, number: usize) -> Result<(), XlsxError> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.sheet.write_number_with_format(self.row, 1, number, &self.book.number)?;
        self.line(label, "")
    }

    /// A heading with lines below it; nothing where there are none.
    fn list(&mut self, title: &str, lines: &[String]) -> Result<(), XlsxError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.heading(title, "")?;
        lines.iter().try_for_each(|one| self.line("", one))
    }
}

/// What was reviewed and what it comes to; on top what the first screen of the page says.
fn summary(book: &mut Book, document: &Document<'_, '_>) -> Result<(), XlsxError> {
    let (review, origin) = (document.review, document.origin);
    let mut sheet = Worksheet::new();
    sheet.set_name("summary")?.set_column_width(0, WIDTHS[0])?.set_column_width(1, WIDTHS[1])?;
    sheet::print_setup(&mut sheet);
    sheet.write_string_with_format(0, 0, sheet::cell_text(&name(document)), &book.title)?;
    let mut lines = Lines { sheet, row: 1, book };
    if !origin.date.is_empty() {
        lines.line("Date given", &origin.date)?;
    }
    lines.list("In short", &headline(document))?;
    lines.heading("Cells of the sheet identities", "")?;
    let counts = Counts::of(&review.rows);
    for (label, count) in [
        ("everywhere", counts.everywhere),
        ("in some namespaces", counts.namespaces),
        ("only for names", counts.named),
        ("unknown", counts.unknown),
        ("not", counts.no),
        ("with access, and whether there is more is unknown", counts.open_besides),
    ] {
        lines.number(label, count)?;
    }
    lines.heading("What was reviewed", "")?;
    lines.line("Command", &origin.command)?;
    lines.line("Made by", &origin.tool)?;
    lines.line("SHA-256 of the table of capabilities", &origin.capabilities_sha256)?;
    basis(document).iter().try_for_each(|one| lines.line("", one))?;
    let placed = |list: &[Remark]| -> Vec<String> {
        list.iter().map(|one| format!("{}  {}", one.text, one.source).trim_end().to_owned()).collect()
    };
    lines.list("Not in this review", &not_modelled(document))?;
    lines.list("Not on the list", &left_out(document))?;
    lines.list("Bindings whose role is not in the inputs", &placed(&document.statement.missing_roles))?;
    lines.list("Identity mappings with errors", &placed(&document.statement.mappings_in_error))?;
    lines.list("Who needs no mapping", &matrix_people::through_eks(&review.matrix))?;
    if let Some((_, changes)) = document.signed {
        let gone = changes.gone.iter().map(|(key, last)| {
            let last = last.as_ref().map(|last| format!("; decided then: {}", decision(last)));
            format!("{key}{}", last.unwrap_or_default())
        });
        lines.list("Measured differently than the review that was signed", &changes.measured)?;
        lines.list("Gone since the review that was signed", &gone.collect::<Vec<_>>())?;
    }
    lines.heading("What the capabilities mean", "")?;
    CAPABILITIES.iter().try_for_each(|one| lines.line(one.name, one.sentence))?;
    let leads = Leads::of(document.findings);
    let codes: BTreeSet<&str> =
        review.rows.iter().flat_map(|row| leads.to(row)).map(|one| one.code).collect();
    if !codes.is_empty() {
        lines.heading("Why what access leads to matters", "")?;
        codes.into_iter().try_for_each(|code| lines.line(code, why(code)))?;
    }
    lines.heading("Sign-off", "I read every line. The decisions are mine, and lines about my own access were decided by somebody else.")?;
    ["Name", "Role", "Date", "Signature"].iter().try_for_each(|one| lines.line(one, ""))?;
    lines.heading("Inputs", "SHA-256")?;
    for input in &origin.inputs {
        lines.line(&input.name, input.sha256.as_deref().unwrap_or("not a file, so no hash"))?;
    }
    let sheet = lines.sheet;
    book.workbook.push_worksheet(sheet);
    Ok(())
}

/// What a cell of the picture shows.
fn sign(cell: &Cell) -> String {
    let sign = match cell.mark() {
        Mark::Everywhere => "everywhere".to_owned(),
        Mark::Namespaces => format!("in {}", cell.namespaces.len()),
        Mark::Named => "names".to_owned(),
        Mark::Unknown => return "?".to_owned(),
        Mark::No => "-".to_owned(),
    };
    if cell.is_open() { format!("{sign} ?") } else { sign }
}

/// Who is on the list, and the picture: a column for each capability.
fn identities(book: &mut Book, document: &Document<'_, '_>) -> Result<(), XlsxError> {
    let review = document.review;
    let mut columns = vec![
        ("identity", 48.0),
        ("kind", 14.0),
        ("title", 24.0),
        ("username", 24.0),
        ("groups", 30.0),
        ("mapped by", 12.0),
        ("source", 30.0),
        ("people", 40.0),
        ("leads to", 50.0),
        ("SHA-256 of all access", 20.0),
    ];
    let first = u16::try_from(columns.len()).unwrap_or_default();
    columns.extend(CAPABILITIES.iter().map(|one| (one.name, 11.0)));
    let mut sheet = Sheet::new("identities", &columns, &book.head)?;
    let leads = Leads::of(document.findings);
    for row in &review.rows {
        sheet.next()?;
        let (mapped, source) = mapping(review, row);
        let (groups, people) = (groups(row).join(", "), people(review, row).join("\n"));
        let leads_to: Vec<String> = leads
            .to(row)
            .into_iter()
            .map(|one| format!("{} ({}): {}", one.code, one.severity, said(one, row)))
            .collect();
        let leads_to = leads_to.join("\n");
        let texts = [
            row.holder.identity.as_str(),
            kind(row),
            title(row),
            row.holder.username.as_str(),
            &groups,
            &mapped,
            &source,
            &people,
            &leads_to,
            &row.access_sha256,
        ];
        sheet.texts(texts, &book.text)?;
        for (cell, column) in row.cells.iter().zip(first..) {
            sheet.text(column, &sign(cell), book.mark(cell.mark()))?;
        }
    }
    sheet.finish(&mut book.workbook)
}

/// A line for each capability that somebody has, or that is unknown.
fn access(book: &mut Book, document: &Document<'_, '_>) -> Result<(), XlsxError> {
    let columns: &Columns = &[
        ("identity", 48.0),
        ("kind", 14.0),
        ("capability", 30.0),
        ("answer", 13.0),
        ("unknown too", 10.0),
        ("where", 60.0),
        ("namespaces", 12.0),
        ("grants", 9.0),
    ];
    let mut sheet = Sheet::new("access", columns, &book.head)?;
    for row in &document.review.rows {
        for ((capability, cell), evidence) in row.capabilities().zip(&row.evidence) {
            if cell.mark() == Mark::No && !cell.is_open() {
                continue;
            }
            sheet.next()?;
            let place = places(document.review, capability, cell);
            let open = if cell.is_open() { "unknown" } else { "" };
            let identity = row.holder.identity.as_str();
            let texts = [identity, kind(row), capability.name, cell.mark().as_str(), open, &place];
            sheet.texts(texts, &book.text)?;
            if cell.mark() == Mark::Namespaces {
                sheet.number(6, cell.namespaces.len(), &book.number)?;
            }
            sheet.number(7, evidence.len(), &book.number)?;
        }
    }
    sheet.finish(&mut book.workbook)
}

/// A line for each grant behind a capability.
fn grants(book: &mut Book, document: &Document<'_, '_>) -> Result<(), XlsxError> {
    let columns: &Columns = &[
        ("identity", 48.0),
        ("capability", 30.0),
        ("where", 22.0),
        ("granted by", 60.0),
        ("source of the binding", 34.0),
        ("rule", 60.0),
        ("source of the rule", 34.0),
    ];
    let mut sheet = Sheet::new("grants", columns, &book.head)?;
    for row in &document.review.rows {
        let identity = row.holder.identity.as_str();
        for ((capability, cell), evidence) in row.capabilities().zip(&row.evidence) {
            if row.holder.is_master() && cell.mark() == Mark::Everywhere {
                sheet.next()?;
                let texts = [identity, capability.name, "everywhere", phrases::BYPASSES_RBAC];
                sheet.texts(texts, &book.text)?;
            }
            for one in evidence {
                let Some([binding, place, rule, rule_place]) = grant(document.review, one) else { continue };
                let heading = match one.heading.as_str() {
                    "" => "the cluster",
                    "*" => "every namespace",
                    namespace => namespace,
                };
                sheet.next()?;
                let texts = [identity, capability.name, heading, &binding, &place, &rule, &rule_place];
                sheet.texts(texts, &book.text)?;
            }
        }
    }
    sheet.finish(&mut book.workbook)
}

/// A line for each reason why something is unknown of somebody.
fn unknown(book: &mut Book, document: &Document<'_, '_>) -> Result<(), XlsxError> {
    let columns: &Columns =
        &[("identity", 48.0), ("kind", 14.0), ("where", 26.0), ("why", 100.0), ("source", 34.0)];
    let mut sheet = Sheet::new("unknown", columns, &book.head)?;
    for row in &document.review.rows {
        for one in reasons(document.review, row) {
            sheet.next()?;
            let texts = [row.holder.identity.as_str(), kind(row), &one.scope, &one.reason, &one.source];
            sheet.texts(texts, &book.text)?;
        }
    }
    sheet.finish(&mut book.workbook)
}

/// A line for each identity, with columns that the reviewer fills in.
fn decisions(book: &mut Book, document: &Document<'_, '_>) -> Result<(), XlsxError> {
    let [decided, by, on, remark, hash, line] = workbook::COLUMNS;
    let columns: &Columns = &[
        ("identity", 48.0),
        ("kind", 14.0),
        ("may, the gravest first", 60.0),
        ("unknown", 10.0),
        ("since the review that was signed", 30.0),
        ("decided then", 30.0),
        (decided, 12.0),
        (by, 18.0),
        (on, 12.0),
        (remark, 40.0),
        (hash, 20.0),
        (line, 9.0),
    ];
    let mut sheet = Sheet::new(workbook::DECISIONS, columns, &book.head)?;
    let review = document.review;
    // What is had in the same places by the same grants is one line.
    let mut texts: Vec<String> = vec![String::new(); review.rows.len()];
    for card in cards(document) {
        let said = card.statements.iter().map(|one| {
            let colon = if one.is_unknown { ":" } else { "" };
            format!("{}{colon} {}", names(&one.capabilities).join("; "), one.place)
        });
        let said = said.collect::<Vec<_>>().join("\n");
        for number in &card.rows {
            if let Some(own) = texts.get_mut(*number) {
                own.clone_from(&said);
            }
        }
    }
    for ((row, may), number) in review.rows.iter().zip(&texts).zip(0usize..) {
        sheet.next()?;
        let may = if may.is_empty() { "none of the capabilities" } else { may };
        let open = if row.cells.iter().any(Cell::is_open) { "unknown" } else { "" };
        let last = document.signed.and_then(|(_, changes)| changes.rows.get(number)?.decision.as_ref());
        let last = last.map(decision).unwrap_or_default();
        let since = since(document, number);
        let texts = [row.holder.identity.as_str(), kind(row), may, open, &since, &last];
        sheet.texts(texts, &book.text)?;
        for column in 6..10 {
            sheet.text(column, "", &book.input)?;
        }
        sheet.text(10, &row.access_sha256, &book.text)?;
        sheet.number(11, number + 1, &book.number)?;
    }
    let choice = DataValidation::new()
        .allow_list_strings(&DECISIONS)?
        .set_error_title("Decision")?
        .set_error_message("A decision is keep, change or remove.")?;
    let (own, last) = sheet.sheet();
    own.add_data_validation(1, 6, last.max(1), 6, &choice)?;
    sheet.finish(&mut book.workbook)
}
