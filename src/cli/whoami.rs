//! `whoami`: the Kubernetes user behind each ARN.

use std::io::Write;

use rbacsim::ask::people::People;
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::identity::iam::Lenses;
use rbacsim::report::visible::visible;
use rbacsim::report::{json, notes, people as of_people, text};

use super::inputs::{Inputs, context_arn, context_user, identify, not_a_caller};
use super::{Exit, Failure, Output};

const EXAMPLES: &str = "\
Examples:
  # The user and groups behind a role session
  rbacsim whoami --arn arn:aws:sts::111122223333:assumed-role/dev/alice -f aws-auth.yaml

  # Several at once, for a script
  rbacsim whoami --arn arn:aws:iam::111122223333:role/dev --arn arn:aws:iam::111122223333:user/bob -o json -f manifests/

Exit code: 0 all are mapped, 1 some are not, 2 one is not the ARN of a caller, 3 unknown.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An IAM ARN; repeatable
    #[arg(long, alias = "as-arn", value_name = "ARN", required_unless_present = "kubeconfig")]
    arn: Vec<String>,
    /// A kubeconfig: check the identity behind its context
    #[arg(long, value_name = "FILE", conflicts_with = "arn")]
    kubeconfig: Option<std::path::PathBuf>,
    /// The context of the kubeconfig; default: its current context
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    context: Option<String>,
    /// The session name, for the ARN of a role
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,
    /// Only the ARN itself, not the roles that it may assume
    #[arg(long)]
    direct: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    inputs: Inputs,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let cluster = args.inputs.load()?;
    let mut arns = args.arn.clone();
    let mut session = args.session_name.clone();
    if let Some(path) = &args.kubeconfig {
        let user = context_user(path, args.context.as_deref())?;
        let (arn, own) = context_arn(&user)?;
        session = session.or(own);
        // The caller as STS reports it: the path of its role is gone.
        arns.push(if args.session_name.is_none() { user.caller().unwrap_or(arn) } else { arn });
    }
    let mut found: Vec<(&String, Who, Vec<String>)> = Vec::new();
    for arn in &arns {
        let needed = session.as_deref().filter(|_| args.session_name.is_some() || !arn.contains(":sts:"));
        let (who, warnings) = identify(&cluster, arn, needed)?;
        found.push((arn, who, warnings));
    }
    let lenses = Lenses::new(cluster.iam());
    let people = (!args.direct && !cluster.iam().is_empty()).then(|| People::new(&cluster, &lenses));
    let may_become = |arn: &str| people.as_ref().map(|people| people.may_become(arn, session.as_deref()));
    match args.output {
        Output::Json => {
            let row = |(arn, who, warnings): &(&String, Who, Vec<String>)| {
                let mut row = json::identity(&cluster, who, Some(arn));
                if let Some(object) = row.as_object_mut() {
                    if let Some(ways) = may_become(arn) {
                        object.insert("mayBecome".into(), of_people::may_become_document(&cluster, &ways));
                    }
                    object.insert("warnings".into(), warnings.clone().into());
                    if !cluster.changes().is_empty() {
                        object.insert("whatIf".into(), notes::changes(&cluster).into());
                    }
                }
                row
            };
            super::print_json(&found.iter().map(row).collect::<Vec<_>>())?;
        }
        Output::Text => {
            for ((arn, who, _), index) in found.iter().zip(0usize..) {
                if index > 0 {
                    writeln!(out)?;
                }
                print(out, &cluster, arn, who)?;
                let ways = may_become(arn).unwrap_or_default();
                text::hops(out, &of_people::may_become_lines(&cluster, &ways, 0), 2)?;
            }
        }
    }
    if args.output == Output::Text && !cluster.changes().is_empty() {
        writeln!(out)?;
        for change in notes::changes(&cluster) {
            notes::line(out, &change)?;
        }
    }
    let mut malformed = found.iter().filter_map(|(arn, who, _)| not_a_caller(who, arn));
    if let Some(error) = malformed.next() {
        return Err(error.into());
    }
    let exit = super::exit_of_identities(found.iter().map(|(_, who, _)| who));
    let is_untold = |(_, who, _): &(&String, Who, Vec<String>)| who.is_untold();
    Ok(if exit == Exit::Yes && found.iter().any(is_untold) { Exit::Unknown } else { exit })
}

fn print(out: &mut dyn Write, cluster: &Cluster, arn: &str, who: &Who) -> Result<(), Failure> {
    writeln!(out, "{}", visible(arn))?;
    text::hops(out, &text::identity_hops(cluster, who), 2)?;
    if let Some(error) = who.error() {
        text::identity_error(out, cluster, error, 2)?;
        text::candidates(out, cluster, error, 2)?;
    }
    Ok(())
}
