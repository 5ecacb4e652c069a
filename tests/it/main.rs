//! The integration tests.

/// The fast reader of block YAML against the YAML reader.
mod document_block;
/// The same for as long as one likes.
mod document_block_fuzz;
/// The JSON reader and its outline.
mod document_json;
/// Kinds and items from a look at the lines.
mod document_sniff;
/// The YAML reader.
mod document_yaml;
/// Documents made at random.
mod made;
/// What the tests of the document readers share.
mod trees;
