//! What the API server, or kubectl before it, refuses of a ConfigMap: `ValidateConfigMap` and the types of its fields.

use crate::document::yaml::decode_base64;
use crate::document::{Node, ScalarType};
use crate::identity::{MappingKind, is_template};

use super::fields::{FieldError, describe, mapping, text};

/// `MaxSecretSize`, which holds for the values of a ConfigMap together.
const MOST_BYTES: usize = 1 << 20;

/// `TotalAnnotationSizeLimitB`.
const MOST_ANNOTATION_BYTES: usize = 256 << 10;

/// Why the API server refuses a ConfigMap, its labels and annotations aside; empty if it does not.
pub(crate) fn problems(node: Node<'_>) -> Vec<FieldError> {
    let mut problems = Vec::new();
    if let Some(immutable) = node.get("immutable").filter(|value| !value.is_null())
        && immutable.scalar() != Some(ScalarType::Bool)
    {
        problems.push(format!("immutable: expected a boolean, found {}", describe(immutable)));
    }
    if let Some(metadata) = node.get("metadata") {
        of_metadata(metadata, &mut problems);
    }
    let binary = node.get("binaryData");
    let mut size = 0;
    for (field, values) in [("data", node.get("data")), ("binaryData", binary)] {
        let Some(values) = values else { continue };
        let pairs = match mapping(values, &|| field.into()) {
            Ok(pairs) => pairs,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        for (key, value) in pairs {
            let key = key.text();
            let path = || format!("{field}[{key}]");
            problems.extend(
                key_problem(key).map(|problem| format!("{}: Invalid value: \"{key}\": {problem}", path())),
            );
            match text(value, &path) {
                Err(problem) => problems.push(with_hint(problem, key, value)),
                Ok(text) if field == "data" => {
                    size += text.len();
                    if binary.is_some_and(|binary| binary.get(key).is_some()) {
                        problems.push(format!(
                            "{}: Invalid value: \"{key}\": duplicate of key present in binaryData",
                            path()
                        ));
                    }
                }
                Ok(text) => match decode_base64(text) {
                    Some(_) => size += text.len() / 4 * 3,
                    None if is_template(text) => {}
                    None => problems.push(format!("{}: the value is not base64", path())),
                },
            }
        }
    }
    if size > MOST_BYTES {
        problems.push(format!("Too long: may not be more than {MOST_BYTES} bytes"));
    }
    problems
}

/// Metadata fields of a wrong type, and what `ValidateObjectMeta` says of those that the names of objects share.
fn of_metadata(metadata: Node<'_>, problems: &mut Vec<FieldError>) {
    let texts =
        ["name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "creationTimestamp"];
    for (key, value) in metadata.pairs() {
        let path = || format!("metadata.{}", key.text());
        match key.text() {
            "annotations" => {
                let size: usize =
                    value.pairs().map(|(key, value)| key.text().len() + value.text().len()).sum();
                if size > MOST_ANNOTATION_BYTES {
                    problems.push(format!(
                        "{}: Too long: may not be more than {MOST_ANNOTATION_BYTES} bytes",
                        path()
                    ));
                }
            }
            "generation" | "deletionGracePeriodSeconds"
                if !value.is_null() && value.scalar() != Some(ScalarType::Int) =>
            {
                problems.push(format!("{}: expected a whole number, found {}", path(), describe(value)));
            }
            "finalizers" | "ownerReferences" | "managedFields" => {
                if !value.is_null() && !value.is_sequence() {
                    problems.push(format!("{}: expected a list, found {}", path(), describe(value)));
                }
                for (item, index) in value.items().zip(0usize..) {
                    if key.text() == "finalizers" {
                        problems.extend(text(item, &|| format!("{}[{index}]", path())).err());
                    } else if key.text() == "ownerReferences" {
                        for wanted in ["apiVersion", "kind", "name", "uid"] {
                            if item.get(wanted).is_none_or(|field| field.text().is_empty()) {
                                problems.push(format!("{}[{index}].{wanted}: must not be empty", path()));
                            }
                        }
                    }
                }
            }
            field if texts.contains(&field) => problems.extend(text(value, &path).err()),
            _ => {}
        }
    }
}

/// What to do about a value that is no text: for a list of mappings the sign that makes a text of it.
fn with_hint(problem: FieldError, key: &str, value: Node<'_>) -> FieldError {
    if value.is_sequence() { format!("{problem}; write `{key}: |` above the list") } else { problem }
}

/// `IsConfigMapKey`.
fn key_problem(key: &str) -> Option<&'static str> {
    if is_template(key) {
        return None;
    }
    if key.len() > 253 {
        return Some("must be no more than 253 bytes");
    }
    match key {
        "." => return Some("must not be '.'"),
        ".." => return Some("must not be '..'"),
        _ if key.starts_with("..") => return Some("must not start with '..'"),
        _ => {}
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (key.is_empty() || !key.bytes().all(fits))
        .then_some("a valid config key must consist of alphanumeric characters, '-', '_' or '.'")
}

/// Mappings that stand beside `data` or elsewhere in the object, or a `data` that is not where it belongs: kubectl
/// refuses fields that a ConfigMap has not. Each with what to do.
pub(crate) fn misplaced(node: Node<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let is_section = |key: &str| {
        MappingKind::ALL.iter().any(|kind| kind.as_str().eq_ignore_ascii_case(&key.replace(['-', '_'], "")))
    };
    for (key, _) in node.pairs() {
        let name = key.text();
        if is_section(name) {
            found.push(format!("unknown field `{name}`; move `{name}` under `data`"));
        } else if !matches!(name, "data" | "binaryData")
            && ["data", "binarydata", "stringdata"].contains(&&*name.to_lowercase())
        {
            found.push(format!("unknown field `{name}`; write `data`"));
        }
    }
    for (key, _) in node.get("metadata").into_iter().flat_map(Node::pairs) {
        let name = key.text();
        if is_section(name) || matches!(name, "data" | "binaryData") {
            found.push(format!(
                "unknown field `metadata.{name}`; `{name}` is indented too far, move it out of `metadata`"
            ));
        }
    }
    found
}

/// All text in a node, lines apart: in it ARNs are looked for.
pub(crate) fn all_text(node: Node<'_>) -> String {
    let mut all = String::new();
    collect(node, &mut all);
    all
}

fn collect(node: Node<'_>, all: &mut String) {
    all.push_str(node.text());
    all.push('\n');
    for child in node.children() {
        collect(child, all);
    }
}
