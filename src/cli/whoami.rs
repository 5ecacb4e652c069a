//! `whoami`: the Kubernetes user behind each ARN.

use std::io::Write;

use rbacsim::cluster::{Cluster, Who};
use rbacsim::report::{json, text};
use serde_json::Value;

use super::inputs::Inputs;
use super::{Exit, Failure, Output};

const EXAMPLES: &str = "\
Examples:
  # The user and groups behind a role session
  rbacsim whoami --arn arn:aws:sts::111122223333:assumed-role/dev/alice -f aws-auth.yaml

  # Several at once, for a script
  rbacsim whoami --arn arn:aws:iam::111122223333:role/dev --arn arn:aws:iam::111122223333:user/bob -o json -f manifests/

Exit code: 0 all are mapped, 1 some are not, 2 it cannot be told.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An IAM ARN; repeatable
    #[arg(long, alias = "as-arn", value_name = "ARN", required = true)]
    arn: Vec<String>,
    /// The session name, where an ARN is that of a role
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    inputs: Inputs,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let cluster = args.inputs.load()?;
    let session = args.session_name.as_deref();
    let found: Vec<(&String, Who)> =
        args.arn.iter().map(|arn| (arn, cluster.identify(arn, session))).collect();
    match args.output {
        Output::Json => {
            let rows = found.iter().map(|(arn, who)| json::identity(&cluster, who, Some(arn))).collect();
            super::print_json(&Value::Array(rows))?;
        }
        Output::Text => {
            for ((arn, who), index) in found.iter().zip(0usize..) {
                if index > 0 {
                    writeln!(out)?;
                }
                print(out, &cluster, arn, who)?;
            }
        }
    }
    Ok(super::exit_of_identities(found.iter().map(|(_, who)| who)))
}

fn print(out: &mut dyn Write, cluster: &Cluster, arn: &str, who: &Who) -> Result<(), Failure> {
    writeln!(out, "{arn}")?;
    text::hops(out, &text::identity_hops(cluster, who), 2)?;
    if let Some(error) = who.error() {
        text::identity_error(out, cluster, error, 2)?;
        text::candidates(out, cluster, error, 2)?;
    }
    Ok(())
}
