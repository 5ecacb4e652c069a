//! A local Kubernetes RBAC permission simulator.

pub mod diagnostic;
pub mod document;
pub mod identity;
pub mod names;
pub mod source;
pub mod user;
pub mod version;
