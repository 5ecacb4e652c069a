//! Findings for machines.

use serde_json::{Value, json};

use super::Report;
use crate::model::finding::{Finding, Scale};
use crate::model::source::{Source, Sources};

/// A place: file, line and column, and the path inside JSON.
pub fn place(sources: &Sources, source: Source) -> Value {
    let mut place =
        json!({ "file": sources.file(source.file), "line": source.line, "column": source.column });
    if let Some(place) = place.as_object_mut().filter(|_| sources.has_path(source.path)) {
        place.insert("path".to_owned(), sources.path(source.path).to_string().into());
    }
    place
}

/// What is left and what is suppressed, in the order of the inputs.
pub fn document(report: &Report<'_>) -> Value {
    let mut all: Vec<&Finding> = report.left.iter().chain(&report.suppressed).copied().collect();
    all.sort_by_key(|finding| finding.source);
    let one = |finding: &&Finding| {
        let object = finding
            .object
            .as_ref()
            .map(|about| json!({ "kind": about.kind, "namespace": about.namespace, "name": about.name }));
        let mut value = json!({
            "code": finding.code,
            "severity": report.scale.word(finding.severity),
            "message": finding.message,
            "help": finding.help,
            "object": object,
            "source": finding.source.map(|source| place(report.sources, source)),
            "suppressed": finding.suppressed,
        });
        if report.scale == Scale::Risks
            && let Some(value) = value.as_object_mut()
        {
            value.insert("subject".to_owned(), finding.subject.clone().into());
            value.insert("scope".to_owned(), finding.scope.into());
            value.insert("namespaces".to_owned(), finding.namespaces.clone().into());
            value.insert("holders".to_owned(), finding.holders.clone().into());
        }
        value
    };
    Value::Array(all.iter().map(one).collect())
}
