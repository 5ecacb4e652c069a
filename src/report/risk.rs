//! Findings, for people and machines.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::aligned::Aligned;
use super::phrases::counted;
use crate::decide::cluster::Cluster;
use crate::model::finding::{Finding, Level};

/// The findings with their places, and how many of each level.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, cluster: &Cluster, findings: &[Finding]) -> io::Result<()> {
    let policy = cluster.graph().policy();
    let place = |finding: &Finding| {
        finding.source.map_or_else(String::new, |source| super::words::place(policy, source).to_string())
    };
    Aligned::write(out, 0, |lines| {
        for finding in findings {
            lines.line(0, format_args!("{}[{}]", finding.severity, finding.code), place(finding))?;
            lines.bare(1, &finding.message)?;
            if !finding.namespaces.is_empty() && finding.namespaces.len() < 12 {
                lines.bare(1, format_args!("namespaces: {}", finding.namespaces.join(", ")))?;
            }
            if !finding.holders.is_empty() {
                lines.bare(1, format_args!("held by: {}", finding.holders.join(", ")))?;
            }
            lines.bare(1, format_args!("do: {}", finding.help))?;
        }
        let count = |level: Level| findings.iter().filter(|finding| finding.severity == level).count();
        let counts: Vec<String> = Level::ALL
            .into_iter()
            .rev()
            .filter(|level| count(*level) > 0)
            .map(|level| format!("{} {level}", count(level)))
            .collect();
        lines.bare(0, format_args!("{}: {}", counted(findings.len(), "finding"), counts.join(", ")))
    })
}

/// The findings as JSON.
pub fn document(cluster: &Cluster, findings: &[Finding]) -> Value {
    let sources = cluster.sources();
    let one = |finding: &Finding| {
        let object = finding
            .object
            .as_ref()
            .map(|about| json!({ "kind": about.kind, "namespace": about.namespace, "name": about.name }));
        let source = finding.source.map(|source| {
            let mut place = json!({
                "file": sources.file(source.file), "line": source.line, "column": source.column,
            });
            if let Some(place) = place.as_object_mut().filter(|_| sources.has_path(source.path)) {
                place.insert("path".to_owned(), sources.path(source.path).to_string().into());
            }
            place
        });
        json!({
            "code": finding.code,
            "severity": finding.severity.as_str(),
            "message": finding.message,
            "help": finding.help,
            "object": object,
            "source": source,
            "suppressed": finding.suppressed,
            "subject": finding.subject,
            "scope": finding.scope,
            "namespaces": finding.namespaces,
            "holders": finding.holders,
        })
    };
    Value::Array(findings.iter().map(one).collect())
}
