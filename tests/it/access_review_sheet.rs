//! The workbook of the access review, read again: its cells are those of the page, its texts are texts, its bytes the same.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::process::Command;

use rbacsim::ask::access_review::decisions::{self, Origin, workbook};
use rbacsim::ask::access_review::{AccessReview, Population, Row};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Input, LoadOptions, load};
use rbacsim::report::access_review::cards::reasons;
use rbacsim::report::access_review::page::document;
use rbacsim::report::access_review::{Document, xlsx};
use rbacsim::report::statement::Statement;
use serde_json::Value;

use crate::matrix_rules::{binding, cluster_role, load_text};

/// A workbook as it lies in its archive.
struct Book(BTreeMap<String, String>);

impl Book {
    fn of(bytes: &[u8]) -> Self {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut parts = BTreeMap::new();
        for number in 0..archive.len() {
            let mut file = archive.by_index(number).unwrap();
            let name = file.name().unwrap().into_owned();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            parts.insert(name, text);
        }
        Self(parts)
    }

    /// The XML of the sheet of a name.
    fn xml(&self, name: &str) -> &str {
        let sheets = self.0["xl/workbook.xml"].split("<sheet ").skip(1);
        let place = sheets.map(|one| between(one, "name=\"", "\"")).position(|own| own == name).unwrap();
        &self.0[&format!("xl/worksheets/sheet{}.xml", place + 1)]
    }

    /// The rows of a sheet by the letters of the columns.
    fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let shared: Vec<String> = self.0["xl/sharedStrings.xml"]
            .split("<si>")
            .skip(1)
            .map(|one| unescaped(&one[one.find('>').unwrap() + 1..one.find("</t>").unwrap()]))
            .collect();
        let mut rows = Vec::new();
        for row in self.xml(name).split("<row ").skip(1) {
            let mut cells = BTreeMap::new();
            for cell in row.split("<c ").skip(1).filter(|cell| cell.contains("<v>")) {
                let place = between(cell, "r=\"", "\"").trim_end_matches(|char: char| char.is_ascii_digit());
                let value = between(cell, "<v>", "</v>");
                let is_text = cell[..cell.find('>').unwrap()].contains("t=\"s\"");
                let value =
                    if is_text { shared[value.parse::<usize>().unwrap()].clone() } else { value.to_owned() };
                cells.insert(place.to_owned(), value);
            }
            rows.push(cells);
        }
        rows
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The workbook, the page, and how many grants and reasons there are.
fn all(cluster: &Cluster, date: &str) -> (Vec<u8>, Value, [usize; 2]) {
    let review = AccessReview::of(cluster, Population::of(cluster, true));
    let holders: Vec<_> = review.rows.iter().map(|row| row.holder.clone()).collect();
    let statement = Statement::of(&review.matrix, &holders, review.left_out.clone());
    let origin = Origin { tool: "rbacsim".into(), date: date.into(), ..Origin::default() };
    let whole =
        Document { review: &review, origin: &origin, statement: &statement, findings: &[], signed: None };
    let mut out = Vec::new();
    xlsx::write(&mut out, &whole).unwrap();
    let grants = |row: &Row<'_>| {
        let lists = row.evidence.iter().map(|list| list.len() + usize::from(row.holder.is_master()));
        lists.sum::<usize>()
    };
    let counts = [
        review.rows.iter().map(grants).sum(),
        review.rows.iter().map(|row| reasons(&review, row).len()).sum(),
    ];
    (out, document(&whole), counts)
}

fn written(cluster: &Cluster, date: &str) -> (Vec<u8>, Value) {
    let (bytes, page, _) = all(cluster, date);
    (bytes, page)
}

fn folder(name: &str) -> Cluster {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    load(&[Input::Path(path)], &LoadOptions::default()).unwrap().into()
}

/// The letters of a column by its number from 0.
fn letters(number: usize) -> String {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number).unwrap());
    if number < 26 {
        letter(number).into()
    } else {
        format!("{}{}", letter(number / 26 - 1), letter(number % 26))
    }
}

#[test]
fn the_sheets_say_what_the_page_says() {
    let (bytes, page, [grants, unknown]) = all(&folder("quickstart"), "");
    let book = Book::of(&bytes);
    let rows = page["rows"].as_array().unwrap();
    let identities = book.rows("identities");
    assert_eq!(identities.len(), rows.len() + 1);
    let first = identities[0].iter().find(|(_, title)| *title == "Be cluster administrator").unwrap().0;
    let first = (0..99).position(|number| letters(number) == *first).unwrap();
    let (mut counts, mut lines) = ([0; 5], 0);
    for (row, sheet) in rows.iter().zip(&identities[1..]) {
        assert_eq!(sheet["A"], row["identity"].as_str().unwrap());
        for (cell, number) in row["cells"].as_array().unwrap().iter().zip(first..) {
            let none = Value::Null;
            let cell = cell.as_u64().map_or(&none, |cell| &page["cells"][usize::try_from(cell).unwrap()]);
            let sign = match cell["mark"].as_str().unwrap_or("no") {
                "everywhere" => (0, "everywhere".to_owned()),
                "namespaces" => (1, format!("in {}", cell["namespaces"].as_array().unwrap().len())),
                "names" => (2, "names".to_owned()),
                "unknown" => (3, "?".to_owned()),
                _ => (4, "-".to_owned()),
            };
            counts[sign.0] += 1;
            lines += usize::from(!cell.is_null());
            let open = if sign.0 < 3 && cell["open"] == true { " ?" } else { "" };
            assert_eq!(sheet[&letters(number)], format!("{}{open}", sign.1));
        }
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert_eq!(book.rows("access").len(), lines + 1);
    assert_eq!(book.rows("grants").len(), grants + 1);
    assert_eq!(book.rows("unknown").len(), unknown + 1);
    assert_eq!(book.rows("decisions").len(), rows.len() + 1);
    let summary = book.rows("summary");
    let selected =
        "selected: every mapped IAM identity and every subject of a binding; all namespaces; 29 capabilities";
    assert!(summary.iter().any(|row| row.get("B").is_some_and(|own| own == selected)), "{summary:?}");
    let labels = ["everywhere", "in some namespaces", "only for names", "unknown", "not"];
    for (label, count) in labels.iter().zip(counts) {
        let row = summary.iter().find(|row| row.get("A").is_some_and(|own| own == label)).unwrap();
        assert_eq!(row["B"], count.to_string(), "{label}");
    }
}

#[test]
fn a_decision_is_chosen_from_a_list() {
    let (bytes, page) = written(&folder("quickstart"), "");
    let book = Book::of(&bytes);
    let xml = book.xml("decisions");
    let last = page["rows"].as_array().unwrap().len() + 1;
    assert!(xml.contains(&format!("sqref=\"G2:G{last}\"")), "{xml}");
    assert!(xml.contains("<formula1>\"keep,change,remove\"</formula1>"));
    assert_eq!(book.rows("decisions")[0]["G"], "decision");
    for name in ["identities", "access", "grants", "unknown", "decisions"] {
        assert!(
            book.xml(name).contains("state=\"frozen\"") && book.xml(name).contains("<autoFilter "),
            "{name}"
        );
    }
}

#[test]
fn a_name_in_a_sheet_is_never_a_formula_or_a_link() {
    let role = cluster_role("l", r#"[{verbs: [get], apiGroups: [""], resources: [pods/log]}]"#);
    let names = ["=1+1", "+1", "-1", "@SUM(1)", "=HYPERLINK(1)", "{=1}", "http://x.example/", "_x0041_"];
    let mut text = role;
    for (name, number) in names.iter().zip(0..) {
        let user = format!("{{kind: User, name: \"{name}\"}}");
        text.push_str(&binding("prod", "l", &user).replace("name: b-l", &format!("name: b-{number}")));
    }
    let (bytes, _) = written(&load_text(&text, Completeness::Complete), "");
    let book = Book::of(&bytes);
    for (part, xml) in &book.0 {
        assert!(!xml.contains("<f>") && !xml.contains("<hyperlink"), "{part}");
    }
    let shown: Vec<String> = book.rows("decisions").iter().map(|row| row["A"].clone()).collect();
    for name in names.iter().filter(|name| **name != "_x0041_") {
        assert!(shown.contains(&(*name).to_owned()), "{name} in {shown:?}");
    }
    // What Excel would read as the number of a character is kept as text.
    assert!(shown.contains(&"_x005F_x0041_".to_owned()), "{shown:?}");
    assert!(book.0["xl/styles.xml"].contains("quotePrefix=\"1\""));
}

#[test]
fn a_workbook_is_the_same_twice_and_bears_the_date_that_was_given() {
    let cluster = folder("quickstart");
    assert_eq!(written(&cluster, "").0, written(&cluster, "").0);
    let date = |date| {
        between(&Book::of(&written(&cluster, date).0).0["docProps/core.xml"], "W3CDTF\">", "<").to_owned()
    };
    assert_eq!(date("2026-11-26"), "2026-11-26T00:00:00Z");
    assert_eq!(date("last Thursday"), date(""));
}

/// The workbook as somebody filled it in: cells of the sheet of decisions that were blank, or numbers that were changed.
fn filled(bytes: &[u8], cells: &[(&str, &str)]) -> Vec<u8> {
    let mut book = Book::of(bytes);
    let xml = book.xml("decisions").to_owned();
    let mut new = xml.clone();
    for (place, value) in cells {
        let start = new.find(&format!("<c r=\"{place}\"")).unwrap();
        let end = start + new[start..].find('>').unwrap() + 1;
        let style = between(&new[start..end], "s=\"", "\"").to_owned();
        let end = if new[start..end].ends_with("/>") {
            end
        } else {
            start + new[start..].find("</c>").unwrap() + 4
        };
        let cell = format!("<c r=\"{place}\" s=\"{style}\" t=\"inlineStr\"><is><t>{value}</t></is></c>");
        new.replace_range(start..end, &cell);
    }
    book.0.values_mut().filter(|part| **part == xml).for_each(|part| part.clone_from(&new));
    archived(&book)
}

fn archived(book: &Book) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in &book.0 {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_that_was_filled_in_is_read_again() {
    let cluster = folder("quickstart");
    let (bytes, _) = written(&cluster, "2026-11-26");
    let said = [
        ("G2", "keep"),
        ("H2", " m.ruiz"),
        ("I2", "2026-11-27"),
        ("J2", "rota_x0041_ of six"),
        ("G4", "Remove"),
    ];
    let record = decisions::read_any(&filled(&bytes, &said)).unwrap();
    let review = AccessReview::of(&cluster, Population::of(&cluster, true));
    assert_eq!(record.decisions.len(), 2);
    let [first, second] = record.decisions.as_slice() else { panic!() };
    assert_eq!((first.identity.as_str(), first.decision.as_str()), (review.rows[0].key.as_str(), "keep"));
    assert_eq!((first.by.as_str(), first.on.as_str()), ("m.ruiz", "2026-11-27"));
    assert_eq!(first.access_sha256, review.rows[0].access_sha256);
    assert_eq!((second.identity.as_str(), second.decision.as_str()), (review.rows[2].key.as_str(), "remove"));
    // What was seen is what the page saves, so nothing has changed.
    let origin = Origin { tool: "rbacsim".into(), ..Origin::default() };
    let changes = decisions::changes(&review, &origin, &record);
    assert!(changes.rows.iter().all(decisions::Since::is_same) && changes.gone.is_empty());
    assert_eq!(changes.rows[0].decision.as_ref().unwrap().by, "m.ruiz");
    assert!(!changes.rows[0].is_stale && changes.rows[1].decision.is_none());
    assert_eq!(record.snapshot, decisions::undecided(&review, &origin).snapshot);
    assert_eq!(record.population.date, "2026-11-26");
    // A second time through a workbook that bears the first decisions.
    let blank = decisions::read_any(&bytes).unwrap();
    assert!(blank.decisions.is_empty());
}

#[test]
fn names_that_a_spreadsheet_would_change_come_back_as_they_were() {
    let role = cluster_role("l", r#"[{verbs: [get], apiGroups: [""], resources: [pods/log]}]"#);
    let name = "_x0041_ \u{202e}\u{e9} \u{1f600} =1+1";
    let text = format!("{role}{}", binding("prod", "l", &format!("{{kind: User, name: \"{name}\"}}")));
    let (bytes, _) = written(&load_text(&text, Completeness::Complete), "");
    let record = decisions::read_any(&filled(&bytes, &[("G2", "keep")])).unwrap();
    assert!(record.snapshot.iter().any(|seen| seen.identity == format!("User {name}")), "{record:?}");
}

#[test]
fn a_wrong_sheet_is_one_sentence_that_says_what_to_do() {
    let (bytes, _) = written(&folder("quickstart"), "");
    let wrong = |cells: &[(&str, &str)]| decisions::read_any(&filled(&bytes, cells)).unwrap_err();
    assert_eq!(
        wrong(&[("G3", "maybe")]),
        "row 3 of its sheet `decisions` says `maybe`; choose keep, change or remove there"
    );
    assert!(
        wrong(&[("H3", "m.ruiz")])
            .contains("row 3 of its sheet `decisions` has a name, a date or a remark and no decision")
    );
    assert!(
        wrong(&[("G3", "keep"), ("L3", "4")])
            .contains("row 3 of its sheet `decisions` does not match the review")
    );
    assert!(wrong(&[("G1", "verdict")]).contains("its sheet `decisions` has no column `decision`"));
    let mut other = Book::of(&bytes);
    let list = other.0.get_mut("xl/workbook.xml").unwrap();
    *list = list.replace("name=\"record\"", "name=\"notes\"");
    let error = decisions::read_any(&archived(&other)).unwrap_err();
    assert!(
        error.starts_with("it has no sheet `record`; give the workbook that `rbacsim report -o xlsx` wrote"),
        "{error}"
    );
    assert!(decisions::read_any(b"PK\x03\x04").unwrap_err().contains("cannot be read as a workbook"));
    for text in ["identity,kind\na,b\n", "# Access review"] {
        assert!(
            decisions::read_any(text.as_bytes()).unwrap_err().contains("save a sheet as .xlsx, not as CSV")
        );
    }
    assert!(decisions::read_any(&[0xff, 0xfe]).is_err());
    let file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    std::fs::write(file.path(), "identity,decision\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .args(["report", "-f", "testdata/quickstart", "--decisions"])
        .arg(file.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("holds no decisions: it is neither the file that the page saved nor a workbook"),
        "{error}"
    );
    assert_eq!(workbook::COLUMNS[0], "decision");
}
