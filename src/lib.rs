//! A local Kubernetes RBAC permission simulator.

pub mod answer;
pub mod attributes;
pub mod catalogue;
pub mod cluster;
pub mod defaults;
pub mod diagnostic;
pub mod document;
pub mod evaluate;
pub mod graph;
pub mod identity;
pub mod load;
pub mod matrix;
pub mod names;
pub mod operations;
pub mod policy;
pub mod question;
pub mod rbac;
pub mod report;
pub mod review;
pub mod rules_review;
pub mod source;
pub mod steps;
pub mod ternary;
pub mod user;
pub mod version;
pub mod who_can;
