//! The integration tests.

/// The JSON reader and its outline.
mod document_json;
/// The YAML reader.
mod document_yaml;
/// What the tests of the document readers share.
mod trees;
