//! A local Kubernetes RBAC permission simulator.

pub mod attributes;
pub mod diagnostic;
pub mod document;
pub mod evaluate;
pub mod graph;
pub mod names;
pub mod policy;
pub mod rbac;
pub mod source;
pub mod user;
pub mod version;
