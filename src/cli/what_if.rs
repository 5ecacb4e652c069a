//! The flags of what if: inputs with objects and mappings more or less, on every command that answers.

use std::path::PathBuf;

use clap::Args;
use rbacsim::identity::aws_auth::NewMapping;
use rbacsim::read::{ObjectName, new_mapping};

/// What to change in the inputs before the question is answered.
#[derive(Debug, Args)]
#[command(next_help_heading = "What if")]
pub(crate) struct WhatIfFlags {
    /// Answer as if this object did not exist, such as RoleBinding/prod/oncall; repeatable
    #[arg(long, value_name = "KIND/[NAMESPACE/]NAME")]
    pub(crate) without: Vec<ObjectName>,
    /// Answer as if this ARN (or account number) were not mapped; repeatable
    #[arg(long, value_name = "ARN")]
    pub(crate) without_mapping: Vec<String>,
    /// Answer as if the objects of this file existed, in place of those of the same name; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
    /// Answer as if this ARN were mapped so; repeatable
    #[arg(long, value_name = "ARN=USERNAME[,GROUP...]", value_parser = new_mapping)]
    pub(crate) with_mapping: Vec<NewMapping>,
}
