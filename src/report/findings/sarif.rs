//! Findings as SARIF 2.1.0, as GitHub code scanning takes it.
//!
//! What is suppressed is left out: GitHub shows it as open. The fingerprint is made of what a finding means, so that it
//! survives lines that move.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Report, rule, severity};
use crate::knowledge::risks;
use crate::model::diagnostic::{Code, Severity};
use crate::model::finding::{Finding, Level};

/// What GitHub takes of one run, and shows of it.
const MOST: usize = 5000;

/// A path as a relative URI reference: everything but letters, digits and a few signs is encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// FNV-1a, in 64 bits: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// The number that GitHub turns into low to critical; only for what is about access.
fn security_severity(level: Level) -> &'static str {
    match level {
        Level::Critical => "9.5",
        Level::High => "8.0",
        Level::Medium => "5.5",
        Level::Low => "2.0",
        Level::Info => "0.0",
    }
}

/// The rule of a code, with the worst level that was found.
fn descriptor(code: &str, worst: Level) -> Value {
    let text = rule(code);
    let help = format!("{} {}\n\nMend: {}", text.title, text.effect, text.mend);
    let mut properties = json!({
        "tags": ["security", "kubernetes", "rbac"],
        "precision": "high",
        "problem.severity": match Severity::from(worst) {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "recommendation",
        },
    });
    let is_known = Code::ALL.iter().find(|known| known.as_str() == code);
    if (risks::risk(code).is_some()
        || is_known.is_some_and(|known| {
            (Code::AnonymousAccess..=Code::MayImpersonate).contains(known)
                || [Code::PathOpened, Code::AccessGained].contains(known)
        }))
        && let Some(properties) = properties.as_object_mut()
    {
        properties.insert("security-severity".to_owned(), security_severity(worst).into());
    }
    json!({
        "id": code,
        "name": code,
        "shortDescription": { "text": text.title },
        "fullDescription": { "text": text.effect },
        "help": { "text": help, "markdown": help },
        "defaultConfiguration": { "level": level(is_known.map_or(Severity::from(worst), |code| code.severity())) },
        "properties": properties,
    })
}

/// The log of one run.
pub fn document(report: &Report<'_>) -> Value {
    let mut codes: BTreeMap<&str, Level> = BTreeMap::new();
    let findings = report.worst_first();
    for finding in &findings {
        let worst = codes.entry(finding.code).or_insert(finding.severity);
        *worst = (*worst).max(finding.severity);
    }
    let rules: Vec<Value> = codes.iter().map(|(code, worst)| descriptor(code, *worst)).collect();
    let index_of = |code: &str| codes.keys().position(|own| *own == code).unwrap_or_default();
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    let results: Vec<Value> = findings
        .iter()
        .take(MOST)
        .map(|finding| {
            let key = hash(&finding.key());
            let times = seen.entry(key).or_default();
            *times += 1;
            let print = format!("{key:016x}:{times}");
            json!({
                "ruleId": finding.code,
                "ruleIndex": index_of(finding.code),
                "level": level(severity(finding)),
                "message": { "text": format!("{}. {}", finding.message, finding.help) },
                "locations": [location(report, finding)],
                "partialFingerprints": { "primaryLocationLineHash": print, "rbacsim/v1": print },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "rbacsim",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://crates.io/crates/rbacsim",
                "rules": rules,
            } },
            "automationDetails": { "id": format!("rbacsim/{}/", report.command) },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// One line: an alert shows in a pull request only if all of its lines are in the diff. What has no place stands at the
/// beginning of the first input.
fn location(report: &Report<'_>, finding: &Finding) -> Value {
    let source = finding.source.unwrap_or_default();
    let line = source.line.max(1);
    let mut region = json!({ "startLine": line });
    if source.column > 0
        && let Some(region) = region.as_object_mut()
    {
        region.insert("startColumn".to_owned(), source.column.into());
    }
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&report.path(source)) },
        "region": region,
    } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(uri("./a b/ü#%:x.yaml"), "a%20b/%C3%BC%23%25%3Ax.yaml");
        assert_eq!(uri("dir\\file.yaml"), "dir/file.yaml");
    }
}
