//! Findings in every form of output: what `lint` and `risk` find, and what `check` and `diff` say of single lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, PathBuf};

use crate::knowledge::{codes, risks};
use crate::model::diagnostic::{Code, Severity};
use crate::model::finding::{Finding, Scale};
use crate::model::source::{Source, Sources};

pub mod github;
pub mod json;
pub mod junit;
pub mod sarif;
pub mod text;

/// Findings, and what is needed to show them.
#[derive(Clone, Debug)]
pub struct Report<'r> {
    /// The command, such as `lint`.
    pub command: &'static str,
    /// How severities are called.
    pub scale: Scale,
    /// The files that places are in.
    pub sources: &'r Sources,
    /// What is left: at or above the severity that was asked for, and not suppressed.
    pub left: Vec<&'r Finding>,
    /// What is suppressed.
    pub suppressed: Vec<&'r Finding>,
    /// How many are below the severity that was asked for.
    pub below: usize,
    /// Where paths are counted from.
    pub root: Root,
}

/// Where a command runs, and where the repository begins: forges know paths from there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Root {
    /// The working directory.
    pub here: PathBuf,
    /// The root of the repository; the working directory where there is none.
    pub repository: PathBuf,
}

impl Root {
    /// The path of an input from the root of the repository; of what is outside it the name as it is.
    pub fn path(&self, name: &str) -> String {
        let mut whole = PathBuf::new();
        for part in self.here.join(name).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    whole.pop();
                }
                part => whole.push(part),
            }
        }
        let inside = whole.strip_prefix(&self.repository).map(|path| path.display().to_string());
        inside.unwrap_or_else(|_| name.to_owned()).replace('\\', "/")
    }
}

/// What a code stands for, in the words of the rule that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// A sentence.
    pub title: String,
    /// What it does.
    pub effect: String,
    /// What to do.
    pub mend: String,
}

/// What a code stands for.
pub fn rule(code: &str) -> Rule {
    if let Some(known) = Code::ALL.iter().find(|known| known.as_str() == code) {
        let explained = codes::explanation(*known);
        let effect = if explained.effect.is_empty() { known.title() } else { explained.effect };
        return Rule {
            title: known.title().to_owned(),
            effect: effect.to_owned(),
            mend: explained.mend.to_owned(),
        };
    }
    if let Some(risk) = risks::risk(code) {
        return Rule { title: risk.title.to_owned(), effect: risk.why.to_owned(), mend: risk.fix.to_owned() };
    }
    Rule { title: code.replace('-', " "), ..Rule::default() }
}

/// A number and the word for a severity: `1 error`, `2 warnings`.
fn counted(count: usize, word: &str) -> String {
    match (count, word) {
        (1, word) => format!("1 {word}"),
        (count, "error" | "warning" | "note") => format!("{count} {word}s"),
        (count, word) => format!("{count} {word}"),
    }
}

impl Report<'_> {
    /// The last line: how many of each severity, and what was suppressed by what.
    pub fn summary(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut words: Vec<&str> = Vec::new();
        let mut sorted = self.left.clone();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        for finding in &sorted {
            let word = self.scale.word(finding.severity);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        for word in words {
            let count = sorted.iter().filter(|finding| self.scale.word(finding.severity) == word).count();
            parts.push(counted(count, word));
        }
        let mut text = if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") };
        let mut by: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &self.suppressed {
            let what = finding.suppressed.as_deref().unwrap_or_default();
            *by.entry(what.split(':').next().unwrap_or(what)).or_default() += 1;
        }
        if !by.is_empty() {
            let parts: Vec<String> = by.iter().map(|(what, count)| format!("{count} by {what}")).collect();
            let _ = write!(text, "; suppressed: {}", parts.join(", "));
        }
        if self.below > 0 {
            let _ = write!(text, "; {} below the severity asked for are not shown", self.below);
        }
        text
    }

    /// What is left, worst first.
    pub fn worst_first(&self) -> Vec<&Finding> {
        let mut sorted = self.left.clone();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        sorted
    }

    /// The path of a place from the root of the repository.
    fn path(&self, source: Source) -> String {
        self.root.path(self.sources.file(source.file))
    }
}

/// The severity in the words of annotations and SARIF.
fn severity(finding: &Finding) -> Severity {
    Severity::from(finding.severity)
}
