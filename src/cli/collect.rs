//! `collect`: prints a shell script that gathers a cluster's export. rbacsim itself never goes online.

use std::io::Write;

use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # Everything about one cluster, then a question
  rbacsim collect --cluster shop | sh > export.json
  rbacsim who-can exec pods -n prod -f export.json

  # With options for the AWS CLI
  rbacsim collect | sh -s shop --region eu-west-1 --profile work > export.json

The script needs aws, jq and kubectl, and only reads. Its own exit code: 0 everything was read, 3 something is missing.";

const SCRIPT: &str = include_str!("collect.sh");

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The cluster; without it the script takes the name as its first argument
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let name = args.cluster.as_deref().unwrap_or_default();
    // EKS: letters, digits, `-` and `_`, and a letter or digit first.
    let is_name = name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))
        && !name.starts_with(['-', '_']);
    if !is_name || name.len() > 100 {
        return Err(format!("`{name}` is not the name of an EKS cluster").into());
    }
    write!(out, "{}", SCRIPT.replacen("__CLUSTER__", &format!("'{name}'"), 1))?;
    Ok(Exit::Yes)
}
