//! The integration tests, in one binary.

mod catalogue; // the built-in API resources, CRDs, and how a TYPE is read
mod defaults; // the default roles and bindings
mod identity; // from ARN to user: rules by name, and every recorded answer
mod operations; // kubectl operations: the table against what kubectl really sent
