#![doc = include_str!("../README.md")]
//!
//! # The library
//!
//! Everything that the command line does goes through this interface: [`read::load`] reads files into
//! [`read::Loaded`], [`decide::cluster::Cluster`] makes a graph of it, [`decide::cluster::Cluster::identify`] turns an ARN into somebody who
//! asks, and [`decide::cluster::Cluster::answer`] answers with every reason. [`decide::graph::RbacGraph::authorize`] is the bare
//! decision.
//!
//! ```
//! use rbacsim::model::attributes::{Attributes, ResourceAttributes};
//! use rbacsim::decide::cluster::Cluster;
//! use rbacsim::read::{Input, LoadOptions, load};
//! use rbacsim::model::ternary::Ternary;
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

/// The vocabulary that every room speaks: names, places, attributes, users, RBAC objects, diagnostics, yes-no-unknown.
///
/// Types and what is true of them alone. No input or output, and no rule about who may do what.
pub mod model {
    pub mod access;
    pub mod attributes;
    pub mod diagnostic;
    pub mod finding;
    pub mod names;
    pub mod policy;
    pub mod rbac;
    pub mod source;
    pub mod ternary;
    pub mod unread;
    pub mod user;
    pub mod version;
    pub mod workload;
}

/// From text to a tree with the place of every node: YAML as kubectl reads it, JSON, encodings.
///
/// Knows no Kubernetes, and opens no file.
pub mod document {
    pub mod block;
    pub mod encoding;
    pub mod json;
    pub mod relocate;
    pub mod scalar;
    pub mod sniff;
    pub mod split;
    mod tree;
    pub mod yaml;

    pub use self::tree::*;
}

/// What Kubernetes ships, built into the program: API resources, default roles and bindings, kubectl's operations.
///
/// Tables of facts and how to look into them. Nothing of what was loaded, except types that CRDs add.
pub mod knowledge {
    pub mod access_policies;
    pub mod aggregated;
    pub mod capabilities;
    pub mod catalogue;
    pub mod codes;
    pub mod defaults;
    pub mod operations;
    pub mod operators;
    pub mod risks;
    pub mod scopes;
    mod tables;
}

/// Who the caller is: from an IAM ARN to the username and the groups that the API server sees.
///
/// One file a source of identity, all behind [`identity::IdentitySource`]. Knows no roles and no bindings.
pub mod identity {
    pub mod access_entries;
    pub mod arn;
    pub mod aws_auth;
    mod caller;
    pub mod iam;
    mod mappings;
    mod maps;
    mod nearest;
    mod odd_signs;
    mod other_forms;
    mod placeholder;
    pub mod pod_roles;
    mod repair;
    pub mod template;

    pub use self::arn::{ParseArnError, PrincipalType, Unreachable};
    pub use self::aws_auth::{AwsAuth, SectionText};
    pub use self::caller::*;
    pub use self::mappings::IdentityMappings;
    pub use self::nearest::{NearMiss, NearReason};
    pub(crate) use self::odd_signs::left_over;
    pub use self::other_forms::OtherForm;
    pub(crate) use self::placeholder::{is_encrypted, is_template, placeholders};
    pub use self::template::{PlaceholderKind, PlaceholderValues, Sessions, Template};
}

/// From files to objects: bytes, documents, and what each of them is. The only room that opens files, starts threads and
/// runs programs.
///
/// Decodes and validates as the API server does; decides nothing about access.
pub mod read {
    mod access;
    mod api_resources;
    pub(crate) mod aws_auth;
    pub(crate) mod builtin;
    mod collect;
    mod concern;
    mod config_map;
    mod crd;
    mod digests;
    mod eks;
    mod exclude;
    mod fields;
    mod findings;
    mod identities;
    mod identity_forms;
    mod ignored;
    mod kustomize;
    mod load;
    mod operators;
    pub(crate) mod origin;
    pub(crate) mod parallel;
    mod path;
    mod possible;
    mod programs;
    mod rbac;
    mod reader;
    mod rendered;
    mod settings;
    mod validate;
    mod version_hints;
    mod what_if;
    mod workload;

    pub use self::digests::{Digest, digests};
    pub use self::eks::kubeconfig;
    pub use self::ignored::{ANNOTATION, Ignore, comments};
    pub use self::load::*;
    pub use self::programs::Revision;
    pub use self::version_hints::VersionSource;
    pub use self::what_if::{Change, ObjectKind, ObjectName, WhatIf, new_mapping};
}

/// The decision: the graph from subjects to rules, the one matcher, and yes, no or unknown with every reason.
///
/// Takes typed requests; reads no words and writes none.
pub mod decide {
    pub mod access_gap;
    pub mod answer;
    pub mod cluster;
    pub mod covers;
    pub mod evaluate;
    pub mod graph;
    pub mod near;
}

/// The questions: a user's words as typed requests, and everything that is asked with them, one file a question.
///
/// Decides through [`decide`] alone, and leaves to [`report`] how an answer looks.
pub mod ask {
    pub mod access_graph;
    pub mod access_review;
    pub mod assume_role;
    pub mod behind;
    pub mod can_i;
    pub mod check;
    pub mod concerns;
    pub mod diff;
    pub mod eks_doors;
    pub mod escalation;
    pub mod indirect;
    pub mod lint;
    pub mod matrix;
    pub mod namespaces;
    pub mod naming;
    pub mod paths;
    pub mod people;
    pub mod question;
    pub mod review;
    pub mod risk;
    pub mod rules_review;
    pub mod system;
    pub mod through;
    pub mod who_can;
}

/// The forms of output: text and tables for people, JSON, CSV and a page. Shows answers and makes none.
pub mod report {
    mod access;
    pub mod access_graph;
    pub mod access_review;
    pub mod aligned;
    pub mod assume_role;
    pub mod can_i;
    pub mod check;
    pub mod diagnostics;
    pub mod diagram;
    pub mod diff;
    pub mod eks_doors;
    pub mod escalation;
    pub mod explain;
    pub mod findings;
    pub mod iam;
    pub mod indirect;
    pub mod json;
    pub mod markdown;
    mod matrix_cards;
    pub mod matrix_evidence;
    pub mod matrix_html;
    pub mod matrix_long;
    pub mod matrix_people;
    mod matrix_reached;
    pub mod matrix_statement;
    pub mod matrix_table;
    pub mod near;
    pub mod notes;
    pub mod paths;
    pub mod paths_document;
    pub mod paths_graph;
    pub mod paths_html;
    pub mod paths_many;
    pub mod people;
    mod phrases;
    pub mod question;
    pub mod risk;
    pub mod rules;
    pub mod statement;
    pub mod text;
    pub mod visible;
    pub mod who_can;
    pub mod who_can_document;
    pub mod who_can_table;
    pub mod words;
}
