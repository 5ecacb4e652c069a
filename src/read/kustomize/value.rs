//! Documents as plain values, for what changes them.

use serde_json::{Map, Value};

use crate::document::{Kind, Node, ScalarType, Tree, json};

/// A node as a value, scalars as kubectl reads them.
pub(super) fn of(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Mapping => {
            Value::Object(node.pairs().map(|(key, value)| (key.text().to_owned(), of(value))).collect())
        }
        Kind::Sequence => node.items().map(of).collect(),
        Kind::Plain | Kind::Text => scalar(node),
    }
}

fn scalar(node: Node<'_>) -> Value {
    let text = node.text();
    match node.scalar() {
        Some(ScalarType::Null) | None => Value::Null,
        Some(ScalarType::Bool) => {
            let is_true = ["true", "yes", "on", "y"].iter().any(|word| text.eq_ignore_ascii_case(word));
            Value::Bool(is_true)
        }
        Some(ScalarType::Int | ScalarType::Float) => {
            text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Number)
        }
        Some(ScalarType::Text) => Value::String(text.to_owned()),
    }
}

/// Reads a value as a document again.
pub(super) fn read<'s>(text: &'s str, tree: &mut Tree<'s>) -> bool {
    json::read(text, tree).is_ok()
}

/// The text of a field; empty for any other value.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The values of a list field.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list field.
pub(super) fn texts<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> + use<'v> {
    list(value, key).iter().filter_map(Value::as_str)
}

/// The mapping below a path, made where there is none; `None` where something else stands there.
pub(super) fn mapping<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Map<String, Value>> {
    let mut at = value;
    for key in path {
        let mapping = at.as_object_mut()?;
        at = mapping.entry((*key).to_owned()).or_insert(Value::Null);
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
    }
    at.as_object_mut()
}
