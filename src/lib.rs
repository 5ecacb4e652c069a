//! A local Kubernetes RBAC permission simulator.

pub mod diagnostic;
pub mod document;
pub mod names;
pub mod operations;
pub mod source;
pub mod ternary;
pub mod user;
pub mod version;
