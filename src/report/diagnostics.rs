//! What is wrong in the inputs, for people: the most serious first, and what concerns the asker before everything else.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::diagnostic::{Code, Diagnostic, Severity};
use crate::model::source::{FileId, Sources};

use super::visible::visible;

const BOLD: Style = Style::new().bold();

/// How many diagnostics are worth reading before anything else.
const DIAGNOSTICS_SHOWN: usize = 5;

/// From how many diagnostics of one kind in one file on only the first is written, where there are more than a few.
const FOLDED: usize = 3;

/// Writes diagnostics, worst first: the first few and a summary of the rest, or all of them. What stands in a file that
/// says something about the asker comes before everything else, and many of one kind in a file are one line.
///
/// # Errors
/// If writing fails.
pub fn text(
    out: &mut dyn Write,
    sources: &Sources,
    diagnostics: &[Diagnostic],
    concerned: &BTreeSet<FileId>,
    all: bool,
) -> io::Result<()> {
    let file = |diagnostic: &Diagnostic| diagnostic.source.map(|source| source.file);
    let is_concerned =
        |diagnostic: &Diagnostic| file(diagnostic).is_some_and(|file| concerned.contains(&file));
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (!all && !is_concerned(diagnostic), diagnostic.severity()));
    let mut alike: FxHashMap<(Code, Option<FileId>), usize> = FxHashMap::default();
    if !all && sorted.len() > DIAGNOSTICS_SHOWN {
        for diagnostic in &sorted {
            *alike.entry((diagnostic.code, file(diagnostic))).or_default() += 1;
        }
        alike.retain(|_, count| *count >= FOLDED);
        let mut said = FxHashSet::default();
        sorted.retain(|diagnostic| {
            let key = (diagnostic.code, file(diagnostic));
            !alike.contains_key(&key) || said.insert(key)
        });
    }
    let shown = if all { sorted.len() } else { DIAGNOSTICS_SHOWN };
    for diagnostic in sorted.iter().take(shown) {
        let severity = diagnostic.severity();
        let style = match severity {
            Severity::Error => AnsiColor::Red.on_default().bold(),
            Severity::Warning => AnsiColor::Yellow.on_default().bold(),
            Severity::Note => BOLD,
        };
        write!(out, "{style}{}{style:#}[{}]", severity.as_str(), diagnostic.code.as_str())?;
        if let Some(source) = diagnostic.source {
            write!(out, " {}", visible(&sources.show(source).to_string()))?;
        }
        write!(out, ": {}", visible(&diagnostic.message))?;
        if let Some(count) = alike.get(&(diagnostic.code, file(diagnostic))) {
            write!(out, " (and {} more of this kind in the file)", count - 1)?;
        }
        writeln!(out)?;
    }
    let rest: Vec<&&Diagnostic> = sorted.iter().skip(shown).collect();
    if !rest.is_empty() {
        let number =
            |diagnostic: &Diagnostic| alike.get(&(diagnostic.code, file(diagnostic))).copied().unwrap_or(1);
        let count = |severity| -> usize {
            let of_it = rest.iter().filter(|diagnostic| diagnostic.severity() == severity);
            of_it.map(|diagnostic| number(diagnostic)).sum()
        };
        let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .filter(|severity| count(*severity) > 0)
            .map(|severity| match count(severity) {
                1 => format!("1 {}", severity.as_str()),
                more => format!("{more} {}s", severity.as_str()),
            })
            .collect();
        writeln!(out, "{} not shown; use --diagnostics all to see them", parts.join(", "))?;
    }
    Ok(())
}
