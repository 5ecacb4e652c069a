//! Findings: what is wrong or risky, as data that every form of output shares.

use std::fmt;

use crate::model::diagnostic::Severity;
use crate::model::source::Source;

/// How much a finding matters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// As much as can be.
    Critical,
}

impl Level {
    /// Every level, from the least on.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// So many levels up, at most critical.
    #[must_use]
    pub fn raised(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|level| *level == self).unwrap_or(0);
        Self::ALL.get(at + by).copied().unwrap_or(Self::Critical)
    }
}

impl Level {
    /// So many levels down, at least low.
    #[must_use]
    pub fn lowered(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|level| *level == self).unwrap_or(0);
        Self::ALL.get(at.saturating_sub(by).max(1)).copied().unwrap_or(Self::Low)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The object that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty in the cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Level,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do, in another.
    pub help: String,
    /// The object that it is about.
    pub object: Option<About>,
    /// Where that stands.
    pub source: Option<Source>,
    /// By what it is suppressed.
    pub suppressed: Option<String>,
    /// Whose risk it is, as starts of paths are printed; empty for none.
    pub subject: String,
    /// `cluster`, `kube-system`, `namespace` or `named`; empty where there is no scope.
    pub scope: &'static str,
    /// The namespaces in which it holds; empty for all.
    pub namespaces: Vec<String>,
    /// IAM identities and workloads behind the subject.
    pub holders: Vec<String>,
    /// Where the object begins that it is about, or in which it stands.
    pub within: Option<Source>,
    /// What tells it from other findings with the same code about the same object, whatever line it stands on; empty:
    /// the message does.
    pub detail: String,
}

impl Finding {
    /// A finding about nothing in particular yet.
    pub fn new(code: &'static str, severity: Level, message: String, help: &str) -> Self {
        Self {
            code,
            severity,
            message,
            help: help.to_owned(),
            object: None,
            source: None,
            suppressed: None,
            subject: String::new(),
            scope: "",
            namespaces: Vec::new(),
            holders: Vec::new(),
            within: None,
            detail: String::new(),
        }
    }

    /// What stays the same when lines move and files are renamed: the code, the object and the detail.
    pub fn key(&self) -> String {
        let About { kind, namespace, name } = self.object.clone().unwrap_or_default();
        let detail = if self.detail.is_empty() { without_lines(&self.message) } else { self.detail.clone() };
        format!("{}|{kind}|{namespace}|{name}|{}|{detail}", self.code, self.subject)
    }
}

/// A text without the numbers of lines: the digits behind a colon.
fn without_lines(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut in_line = false;
    for char in text.chars() {
        in_line = char.is_ascii_digit() && (in_line || kept.ends_with(':'));
        if !in_line {
            kept.push(char);
        }
    }
    kept
}

/// How the words for severities are chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Scale {
    /// `error`, `warning`, `note`.
    Faults,
    /// From `critical` to `info`.
    Risks,
}

impl Scale {
    /// The word for a level.
    pub fn word(self, level: Level) -> &'static str {
        match self {
            Self::Faults => Severity::from(level).as_str(),
            Self::Risks => level.as_str(),
        }
    }
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Critical | Level::High => Self::Error,
            Level::Medium => Self::Warning,
            Level::Low | Level::Info => Self::Note,
        }
    }
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::High,
            Severity::Warning => Self::Medium,
            Severity::Note => Self::Info,
        }
    }
}
