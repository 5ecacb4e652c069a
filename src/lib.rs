//! A local Kubernetes RBAC permission simulator.

pub mod catalogue;
pub mod defaults;
pub mod diagnostic;
pub mod document;
pub mod names;
pub mod source;
pub mod user;
pub mod version;
