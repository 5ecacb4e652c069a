//! Reading fields of a Kubernetes object from the document tree, as the API server decodes JSON into Go types.
//!
//! `null` stands for the zero value everywhere; any other scalar of the wrong type refuses the whole object, as
//! `json: cannot unmarshal bool into Go struct field … of type string` does in a cluster.

use crate::document::{Kind, Node, ScalarType};

/// Why a field cannot be decoded: the path to it and a sentence.
pub(crate) type FieldError = String;

/// What a node is, in words.
pub(crate) fn describe(node: Node<'_>) -> String {
    let text = node.text();
    match node.kind() {
        Kind::Sequence => "a list".to_owned(),
        Kind::Mapping => "a mapping".to_owned(),
        Kind::Text => format!("the text `{text}`"),
        Kind::Plain => match node.scalar() {
            Some(ScalarType::Bool) => format!("the boolean `{text}`"),
            Some(ScalarType::Int | ScalarType::Float) => format!("the number `{text}`"),
            Some(ScalarType::Null) => "null".to_owned(),
            _ => format!("the text `{text}`"),
        },
    }
}

fn wrong(path: &str, node: Node<'_>, wanted: &str) -> FieldError {
    let hint = match node.scalar() {
        Some(ScalarType::Bool | ScalarType::Int | ScalarType::Float) if wanted == "text" => "; quote it",
        _ => "",
    };
    format!("{path}: expected {wanted}, found {}{hint}", describe(node))
}

/// A text field: null reads as empty.
pub(crate) fn text<'t>(node: Node<'t>, path: &dyn Fn() -> String) -> Result<&'t str, FieldError> {
    match node.scalar() {
        Some(ScalarType::Text) => Ok(node.text()),
        Some(ScalarType::Null) => Ok(""),
        _ => Err(wrong(&path(), node, "text")),
    }
}

/// The items of a list field: null reads as no items.
pub(crate) fn list<'t>(
    node: Node<'t>,
    path: &dyn Fn() -> String,
) -> Result<impl Iterator<Item = Node<'t>> + use<'t>, FieldError> {
    if node.is_sequence() || node.is_null() { Ok(node.items()) } else { Err(wrong(&path(), node, "a list")) }
}

/// The keys and values of a mapping field: null reads as none.
pub(crate) fn mapping<'t>(
    node: Node<'t>,
    path: &dyn Fn() -> String,
) -> Result<impl Iterator<Item = (Node<'t>, Node<'t>)> + use<'t>, FieldError> {
    if node.is_mapping() || node.is_null() {
        Ok(node.pairs())
    } else {
        Err(wrong(&path(), node, "a mapping"))
    }
}
