//! The workbook of a review, read again: what was seen stands in a sheet of its own, what was decided in another.
//!
//! A reviewer sorts, filters and types dates; so the columns are found by their titles, the lines by the number that each
//! has in the record, and what was seen is compared with the hash beside it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Cursor;

use calamine::{Data, DataType, Range, Reader, Xlsx};
use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::{Decision, Record};

/// The sheet of what was seen: its lines, one after another, are a file of decisions without any.
pub const RECORD: &str = "record";
/// The sheet that the reviewer fills in.
pub const DECISIONS: &str = "decisions";
/// The titles of its columns that are read.
pub const COLUMNS: [&str; 6] =
    ["decision", "by", "on", "remark", "SHA-256 of all access", "line of the record"];
/// How many signs of the record a cell has: fewer than a cell can hold.
const SIGNS: usize = 30_000;
/// What to do where a workbook is not what it should be.
const MEND: &str =
    "give the workbook that `rbacsim report -o xlsx` wrote, filled in and saved as .xlsx with all its sheets";

/// Whether bytes are those of a workbook, or of another archive.
pub fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The record in pieces that cells can hold: plain ASCII, and nothing in it that a spreadsheet takes for the number of a sign.
pub fn pieces(record: &Record) -> Vec<String> {
    let json = serde_json::to_string(record).unwrap_or_default();
    let mut ascii = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() && char != '_' {
            ascii.push(char);
            continue;
        }
        // In JSON `_` and all that is not ASCII can only stand in texts.
        for unit in char.encode_utf16(&mut [0; 2]) {
            let _ = write!(ascii, "\\u{unit:04x}");
        }
    }
    let mut pieces = Vec::new();
    let mut rest = ascii.as_str();
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.len().min(SIGNS));
        pieces.push(piece.to_owned());
        rest = more;
    }
    pieces
}

/// Reads what was seen and what was decided.
///
/// # Errors
/// A sentence that says what to do.
pub fn read(bytes: &[u8]) -> Result<Record, String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes))
        .map_err(|error| format!("it cannot be read as a workbook ({error}); {MEND}"))?;
    let names = book.sheet_names();
    let mut sheet = |name: &str| -> Result<Range<Data>, String> {
        if !names.iter().any(|own| own == name) {
            return Err(format!("it has no sheet `{name}`; {MEND}"));
        }
        book.worksheet_range(name)
            .map_err(|error| format!("its sheet `{name}` cannot be read ({error}); {MEND}"))
    };
    let pieces = sheet(RECORD)?;
    let json: String = pieces.rows().filter_map(|row| row.first()?.as_string()).collect();
    let mut record = super::read(&json).map_err(|_| format!("its sheet `{RECORD}` was changed; {MEND}"))?;
    // A long list goes on in `decisions 2`.
    let lists: Vec<String> = names
        .iter()
        .filter(|name| {
            name.as_str() == DECISIONS
                || name.strip_prefix(DECISIONS).is_some_and(|rest| rest.starts_with(' '))
        })
        .cloned()
        .collect();
    if lists.is_empty() {
        return Err(format!("it has no sheet `{DECISIONS}`; {MEND}"));
    }
    let mut decided: BTreeMap<usize, Decision> = BTreeMap::new();
    for name in lists {
        decisions(&name, &sheet(&name)?, &record, &mut decided)?;
    }
    record.decisions = decided.into_values().collect();
    Ok(record)
}

/// Reads one sheet of decisions.
fn decisions(
    name: &str,
    sheet: &Range<Data>,
    record: &Record,
    decided: &mut BTreeMap<usize, Decision>,
) -> Result<(), String> {
    let mut rows = sheet.rows().zip(1usize..);
    let head = rows.next().map_or(&[][..], |(row, _)| row);
    let mut at = [0; COLUMNS.len()];
    for (title, place) in COLUMNS.iter().zip(&mut at) {
        let found = head.iter().position(|cell| text(cell) == *title);
        *place = found.ok_or_else(|| format!("its sheet `{name}` has no column `{title}`; {MEND}"))?;
    }
    for (row, number) in rows {
        let [decision, by, on, remark, hash, line] =
            at.map(|column| row.get(column).map(text).unwrap_or_default());
        if [&decision, &by, &on, &remark].iter().all(|text| text.is_empty()) {
            continue;
        }
        let decision = decision.to_lowercase();
        if decision.is_empty() {
            return Err(format!(
                "row {number} of its sheet `{name}` has a name, a date or a remark and no decision; choose keep, change or remove there, or empty the row"
            ));
        }
        if !matches!(decision.as_str(), "keep" | "change" | "remove") {
            return Err(format!(
                "row {number} of its sheet `{name}` says `{decision}`; choose keep, change or remove there"
            ));
        }
        let seen = line
            .parse()
            .ok()
            .and_then(|line: usize| Some((line, record.snapshot.get(line.checked_sub(1)?)?)));
        let Some((line, seen)) = seen.filter(|(_, seen)| seen.access_sha256 == hash) else {
            return Err(format!(
                "row {number} of its sheet `{name}` does not match the review, because its last two columns were changed; {MEND}"
            ));
        };
        let own = Decision { identity: seen.identity.clone(), access_sha256: hash, decision, by, on, remark };
        if decided.insert(line, own).is_some_and(|before| decided.get(&line) != Some(&before)) {
            return Err(format!(
                "row {number} of its sheet `{name}` decides on `{}` a second time, in another way; keep one of the rows",
                seen.identity
            ));
        }
    }
    Ok(())
}

/// What a cell says; a date as people write it to machines.
fn text(cell: &Data) -> String {
    let date = cell.get_datetime().and_then(|date| day(date.as_f64()));
    let text = match (date, cell.get_datetime_iso()) {
        (Some(date), _) => date.to_string(),
        (None, Some(iso)) => iso.split('T').next().unwrap_or(iso).to_owned(),
        (None, None) => cell.as_string().unwrap_or_default(),
    };
    text.trim().to_owned()
}

/// The day of a number of days, as spreadsheets count them.
fn day(days: f64) -> Option<Date> {
    #[expect(clippy::cast_possible_truncation, reason = "bounded before")]
    let days = (0.0..3_000_000.0).contains(&days).then_some(days as i32)?;
    let span: Span = days.days();
    jiff::civil::date(1899, 12, 30).checked_add(span).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_counted_as_spreadsheets_do() {
        assert_eq!(day(46_352.0).unwrap().to_string(), "2026-11-26");
        assert_eq!(day(46_352.9).unwrap().to_string(), "2026-11-26");
        assert!(day(-1.0).is_none() && day(f64::NAN).is_none() && day(1e12).is_none());
    }
}
