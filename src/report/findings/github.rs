//! Findings as commands of a GitHub workflow, which shows them beside the lines.

use std::io::{self, Write};

use super::{Report, severity};
use crate::model::diagnostic::Severity;

/// How many of each kind GitHub shows of one step.
const SHOWN: usize = 10;

/// The text of a message.
pub fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
pub fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// One annotation.
pub fn annotation(severity: Severity, place: Option<(&str, u32)>, title: &str, text: &str) -> String {
    let kind = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = match place {
        Some((file, 0)) => format!("file={},", property(file)),
        Some((file, line)) => format!("file={},line={line},", property(file)),
        None => String::new(),
    };
    format!("::{kind} {place}title={}::{}", property(title), message(text))
}

/// Writes the annotations that GitHub shows, worst first, and in the last line how many there are.
///
/// # Errors
/// If writing fails.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let mut counts = [0usize; 3];
    for finding in report.worst_first() {
        let severity = severity(finding);
        if let Some(count) = counts.get_mut(severity as usize) {
            *count += 1;
            if *count > SHOWN {
                continue;
            }
        }
        let path = finding.source.map(|source| (report.path(source), source.line));
        let place = path.as_ref().map(|(path, line)| (path.as_str(), *line));
        let text = format!("{}. {}", finding.message, finding.help);
        writeln!(out, "{}", annotation(severity, place, &format!("rbacsim {}", finding.code), &text))?;
    }
    let more: usize = counts.iter().map(|count| count.saturating_sub(SHOWN)).sum();
    let more = if more == 0 { String::new() } else { format!("; {more} more than GitHub shows in one step") };
    writeln!(out, "rbacsim {}: {}{more}", report.command, message(&report.summary()))
}
