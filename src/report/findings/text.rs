//! Findings for people: what, where, and what to do.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Report, severity};
use crate::model::diagnostic::Severity;
use crate::report::aligned::DIM;
use crate::report::visible::visible;

/// Writes findings, and in the last line how many there are.
///
/// # Errors
/// If writing fails.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let mut mend = "";
    for (finding, number) in report.left.iter().zip(0usize..) {
        // The same mend is said once for findings that follow one another.
        if number > 0 && finding.help != mend {
            writeln!(out, "  {DIM}mend: {mend}{DIM:#}")?;
        }
        mend = &finding.help;
        let style = match severity(finding) {
            Severity::Error => AnsiColor::Red.on_default().bold(),
            Severity::Warning => AnsiColor::Yellow.on_default().bold(),
            Severity::Note => Style::new().bold(),
        };
        let word = report.scale.word(finding.severity);
        write!(out, "{style}{word}{style:#}[{}]", finding.code)?;
        if let Some(source) = finding.source {
            write!(out, " {}", visible(&report.sources.show(source).to_string()))?;
        }
        writeln!(out, ": {}", visible(&finding.message))?;
    }
    if !report.left.is_empty() {
        writeln!(out, "  {DIM}mend: {mend}{DIM:#}\n")?;
    }
    writeln!(out, "{}", report.summary())
}
