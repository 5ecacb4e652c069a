#![doc = include_str!("../README.md")]
//!
//! # The library
//!
//! Everything that the command line does goes through this interface: [`load::load`] reads files into
//! [`load::Loaded`], [`cluster::Cluster`] makes a graph of it, [`cluster::Cluster::identify`] turns an ARN into somebody who
//! asks, and [`cluster::Cluster::answer`] answers with every reason. [`graph::RbacGraph::authorize`] is the bare
//! decision.
//!
//! ```
//! use rbacsim::attributes::{Attributes, ResourceAttributes};
//! use rbacsim::cluster::Cluster;
//! use rbacsim::load::{Input, LoadOptions, load};
//! use rbacsim::ternary::Ternary;
//!
//! let loaded = load(&[Input::Path("testdata/quickstart".into())], &LoadOptions::default())?;
//! let cluster = Cluster::from(loaded);
//! let who = cluster.identify("arn:aws:sts::111122223333:assumed-role/oncall/alice", None);
//! let exec = Attributes::Resource(ResourceAttributes {
//!     verb: "create",
//!     group: "",
//!     resource: "pods",
//!     subresource: "exec",
//!     name: "web-0",
//!     namespace: "prod",
//! });
//! let answer = cluster.answer(&who, &exec);
//! assert_eq!(answer.ternary, Ternary::Yes);
//! let grant = answer.grants.first().ok_or("allowed without a grant")?;
//! assert_eq!(
//!     cluster.graph().allow_reason(grant).to_string(),
//!     "RBAC: allowed by RoleBinding \"on-call-shell/prod\" of Role \"pod-shell\" to Group \"on-call\"",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod answer;
pub mod attributes;
pub mod catalogue;
pub mod cluster;
mod crew;
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
