//! The integration tests.

/// The JSON reader and its outline.
mod document_json;
/// The YAML reader.
mod document_yaml;
/// From ARN to user: recorded answers of aws-iam-authenticator, and real aws-auth maps.
mod identity;
/// From ARN to user: one test per rule.
mod identity_rules;
/// What the tests of the document readers share.
mod trees;
