//! Suppression: by comment, annotation, flag and baseline; what suppresses nothing is a finding itself.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::decide::cluster::Cluster;
use crate::knowledge::codes;
use crate::model::diagnostic::{Code, Severity};
use crate::model::finding::{Finding, Level};
use crate::model::source::Source;
use crate::read::Ignore;

/// What the user wants to be ignored.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    /// Comments in the inputs.
    pub comments: Vec<Ignore>,
    /// Codes given by flag.
    pub flags: Vec<String>,
    /// Findings that were there before.
    pub baseline: Option<Baseline>,
    /// Whether comments, annotations and the baseline count at all.
    pub none: bool,
}

/// Findings that were there before: how many of each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    counts: BTreeMap<String, usize>,
}

impl Baseline {
    /// What there is now.
    pub fn of(findings: &[Finding]) -> Self {
        let mut baseline = Self::default();
        for finding in findings {
            *baseline.counts.entry(finding.key()).or_default() += 1;
        }
        baseline
    }

    /// As a document to be kept.
    pub fn document(&self) -> Value {
        let entries = self.counts.iter().map(|(key, count)| json!({ "key": key, "count": count }));
        json!({ "version": 1, "findings": entries.collect::<Vec<_>>() })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Where it is no baseline.
    pub fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let entries = value.get("findings").and_then(Value::as_array).ok_or("it has no `findings`")?;
        if value.get("version").and_then(Value::as_u64) != Some(1) {
            return Err("its version is not 1".to_owned());
        }
        let mut counts = BTreeMap::new();
        for entry in entries {
            let key = entry.get("key").and_then(Value::as_str).ok_or("an entry has no `key`")?;
            let count = entry.get("count").and_then(Value::as_u64).unwrap_or(1);
            *counts.entry(key.to_owned()).or_default() += usize::try_from(count).unwrap_or(usize::MAX);
        }
        Ok(Self { counts })
    }
}

/// Marks what is suppressed, and adds a finding for each suppression that suppresses nothing. Codes that are no codes of
/// the command that asks (`is_ours`) are another command's business.
pub fn apply(
    cluster: &Cluster,
    findings: &mut Vec<Finding>,
    suppressions: &Suppressions,
    is_ours: &dyn Fn(&str) -> bool,
) {
    for finding in findings.iter_mut() {
        if suppressions.flags.iter().any(|code| code == finding.code) {
            finding.suppressed = Some("flag".to_owned());
        }
    }
    if suppressions.none {
        return;
    }
    let mut unused = Vec::new();
    for ignore in suppressions.comments.iter().chain(cluster.ignores()) {
        let by = if ignore.line.is_some() { "comment" } else { "annotation" };
        if ignore.codes.is_empty() {
            let message = format!("a {by} ignores findings, and names no code");
            unused.push(note(ignore.source, message));
        }
        for code in &ignore.codes {
            if !is_ours(code) {
                if !codes::is_code(code) {
                    let near = codes::nearest(code);
                    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    let message = format!("a {by} ignores `{code}`, which is not a code{near}");
                    unused.push(note(ignore.source, message));
                }
                continue;
            }
            let mut is_used = false;
            for finding in findings.iter_mut().filter(|finding| finding.code == code) {
                if is_about(ignore, finding) {
                    is_used = true;
                    let why =
                        if ignore.reason.is_empty() { String::new() } else { format!(": {}", ignore.reason) };
                    finding.suppressed.get_or_insert_with(|| format!("{by}{why}"));
                }
            }
            if !is_used {
                let message = format!("a {by} ignores `{code}`, and nothing with this code is found there");
                unused.push(note(ignore.source, message));
            }
        }
    }
    if let Some(baseline) = &suppressions.baseline {
        let mut left = baseline.counts.clone();
        for finding in findings.iter_mut() {
            if let Some(count @ 1..) = left.get_mut(&finding.key()) {
                *count -= 1;
                finding.suppressed.get_or_insert_with(|| "baseline".to_owned());
            }
        }
        for (key, count) in left.into_iter().filter(|(_, count)| *count > 0) {
            let what = key.split('|').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            let times = if count == 1 { String::new() } else { format!(" {count} times") };
            let message = format!("the baseline has{times} what is no longer found: {what}; write it anew");
            unused.push(Finding { source: None, ..note(Source::default(), message) });
        }
    }
    for mut finding in unused {
        if suppressions.flags.iter().any(|code| code == finding.code) {
            finding.suppressed = Some("flag".to_owned());
        }
        findings.push(finding);
    }
}

/// Whether a wish is about a finding: on its line, or at the beginning of the object in which it stands.
fn is_about(ignore: &Ignore, finding: &Finding) -> bool {
    let Some(source) = finding.source else { return false };
    let places = [Some(source), finding.within];
    match ignore.line {
        Some(line) => {
            let mut here = places.into_iter().flatten();
            here.any(|place| place.file == ignore.source.file && place.line == line)
        }
        None => places.into_iter().flatten().any(|place| place == ignore.source),
    }
}

fn note(source: Source, message: String) -> Finding {
    let code = Code::UnusedSuppression;
    let help = codes::explanation(code).mend;
    let severity = Level::from(Severity::Warning);
    Finding { source: Some(source), ..Finding::new(code.as_str(), severity, message, help) }
}
