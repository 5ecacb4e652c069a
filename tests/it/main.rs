//! The integration tests, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests, although clippy cannot see it"
)]

mod catalogue; // the built-in API resources, CRDs, and how a TYPE is read
mod defaults; // the default roles and bindings
mod document_json; // the JSON reader and its outline
mod document_yaml; // the YAML reader
mod identity; // from ARN to user: every recorded answer
mod identity_rules; // from ARN to user: one test per rule
mod matrix; // the access matrix against the authorizer
mod matrix_rules; // the rows of the long form, rule by rule
mod operations; // kubectl operations: the table against what kubectl really sent
mod recorded; // decisions of the real code, when they are there
mod trees; // what the tests of the document readers share
mod who_can; // everyone who may do something
