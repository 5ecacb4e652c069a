//! The integration tests.

// From ARN to user: recorded answers of aws-iam-authenticator, and real aws-auth maps.
mod identity;
// From ARN to user: one test per rule.
mod identity_rules;
