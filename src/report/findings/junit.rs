//! Results as XML of `JUnit`, which many forges show as tests.

use std::fmt::Write as _;

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold: the kind and the message.
    Failed(String, String),
    /// It was suppressed: by what.
    Skipped(String),
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is called; made unique where several are called so.
    pub name: String,
    /// The file, from the root of the repository; empty for none.
    pub file: String,
    /// The line; 0 for none.
    pub line: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// A text in XML: what XML 1.0 cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

/// The document of one suite.
pub fn document(suite: &str, cases: &[Case]) -> String {
    let count = |is: &dyn Fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.outcome)).count();
    let failures = count(&|outcome| matches!(outcome, Outcome::Failed(..)));
    let skipped = count(&|outcome| matches!(outcome, Outcome::Skipped(_)));
    let totals =
        format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"", cases.len());
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuites {totals}>\n  <testsuite name=\"{}\" {totals}>", escaped(suite));
    let mut seen: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for case in cases {
        let times = seen.entry(&case.name).or_default();
        *times += 1;
        let name = if *times == 1 { case.name.clone() } else { format!("{} ({times})", case.name) };
        let _ = write!(text, "    <testcase classname=\"{}\" name=\"{}\"", escaped(suite), escaped(&name));
        if !case.file.is_empty() {
            let _ = write!(text, " file=\"{}\"", escaped(&case.file));
        }
        if case.line > 0 {
            let _ = write!(text, " line=\"{}\"", case.line);
        }
        let _ = match &case.outcome {
            Outcome::Passed => writeln!(text, "/>"),
            // Some readers look at the attribute, some at the text.
            Outcome::Failed(kind, message) => writeln!(
                text,
                ">\n      <failure type=\"{}\" message=\"{message}\">{message}</failure>\n    </testcase>",
                escaped(kind),
                message = escaped(message)
            ),
            Outcome::Skipped(why) => {
                writeln!(text, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(why))
            }
        };
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// Findings as tests: each that is left fails, each that is suppressed is skipped; nothing found is one that passes.
pub fn of_findings(report: &super::Report<'_>) -> String {
    let case = |finding: &crate::model::finding::Finding, outcome: Outcome| {
        let object = finding.object.as_ref().map_or(String::new(), |about| {
            let slash = if about.namespace.is_empty() { "" } else { "/" };
            format!(" {} {}{slash}{}", about.kind, about.namespace, about.name)
        });
        Case {
            name: format!("{}{object}", finding.code),
            file: finding.source.map(|source| report.path(source)).unwrap_or_default(),
            line: finding.source.map_or(0, |source| source.line),
            outcome,
        }
    };
    let mut cases: Vec<Case> = report
        .left
        .iter()
        .map(|finding| {
            let place =
                finding.source.map_or(String::new(), |source| format!("{}: ", report.sources.show(source)));
            let message = format!("{place}{}. {}", finding.message, finding.help);
            case(finding, Outcome::Failed(report.scale.word(finding.severity).to_owned(), message))
        })
        .collect();
    cases.extend(
        report
            .suppressed
            .iter()
            .map(|finding| case(finding, Outcome::Skipped(finding.suppressed.clone().unwrap_or_default()))),
    );
    if cases.is_empty() {
        let name = "nothing found".to_owned();
        cases.push(Case { name, file: String::new(), line: 0, outcome: Outcome::Passed });
    }
    document(&format!("rbacsim {}", report.command), &cases)
}
