//! `paths`: what access leads to.

use std::io::Write;

use rbacsim::ask::paths::{From, Overview, Search, Target, starts};
use rbacsim::decide::cluster::Cluster;
use rbacsim::report::{paths as report, text};

use super::inputs::{Identity, Inputs};
use super::{Exit, Failure, Output};

const EXAMPLES: &str = "\
Examples:
  # What can this role become, step by step?
  rbacsim paths --arn arn:aws:iam::111122223333:role/dev -f export.yaml

  # Who can become cluster-admin, and how?
  rbacsim paths --to cluster-admin -f export.yaml

  # Who can become one service account, in at most two steps?
  rbacsim paths --to prod/deployer --max-steps 2 -f export.yaml

  # Everything, for a script
  rbacsim paths -o json -f export.yaml

Without --arn and --as every mapped ARN, service account and subject of a binding is a start.
--to takes cluster-admin, node, read-all-secrets, exec-everywhere, edit-aws-auth, NAMESPACE/NAME of a service account,
or anything as it is printed, such as 'namespace-admin prod'.
Exit code: 0 nothing found, 1 something certain, 2 the question could not be asked, 3 something possible only.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show only ways that lead to this
    #[arg(long, value_name = "SINK")]
    to: Option<String>,
    /// Stop after so many steps
    #[arg(long, value_name = "N")]
    max_steps: Option<u16>,
    /// Which starts, where none is named
    #[arg(long, value_enum, default_value_t = Subjects::All, value_name = "WHICH")]
    subjects: Subjects,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Subjects {
    /// Mapped IAM identities
    Arns,
    /// Everybody
    All,
}

/// The starts that were asked for.
fn chosen(args: &Args, cluster: &Cluster) -> Result<Vec<From>, Failure> {
    let named = !args.identity.arn.is_empty() || args.identity.as_user.is_some();
    if !named && args.identity.as_group.is_empty() {
        let mut all = starts(cluster);
        if args.subjects == Subjects::Arns {
            all.retain(|from| from.title.starts_with("IAM "));
        }
        return Ok(all);
    }
    let askers = args.identity.askers(cluster)?;
    Ok(askers
        .iter()
        .filter_map(|(who, arn)| match (arn, who.shown()) {
            (Some(arn), _) => Some(From::iam(arn, who)),
            (None, user) => user.map(|user| From::who(&user)),
        })
        .collect())
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let cluster = args.inputs.load()?;
    let target = args.to.as_deref().map(Target::read);
    if let Some(Target::Arn(arn)) = &target {
        return Err(format!(
            "`{arn}` can only be reached through IAM, and the inputs hold no IAM data; give a sink or a Kubernetes identity"
        )
        .into());
    }
    let froms = chosen(args, &cluster)?;
    let several = froms.len() > 1;
    let mut search = Search::new(&cluster);
    let (mut found, mut maybe) = (false, false);
    let mut rows = Vec::new();
    let json = args.output == Output::Json;
    if json {
        write!(out, "[")?;
    }
    let mut written = 0usize;
    for from in froms {
        // Steps are told only of what is shown.
        if target.is_none() && several && !json {
            let overview = search.overview(&from, args.max_steps);
            found |= overview.reached != Some(0);
            if overview.reaches_a_sink() {
                rows.push((from, overview));
            }
            continue;
        }
        // Most starts do not get there: a look costs less than a search that is told.
        if several
            && let Some(Target::Sink(sink)) = &target
            && search.overview(&from, args.max_steps).depth(sink).is_none()
        {
            continue;
        }
        let possible = search.possible(&from);
        let traced = search.traced(&from, args.max_steps);
        let reach = target.as_ref().and_then(|target| traced.to(target));
        if target.is_some() && reach.is_none() {
            continue;
        }
        found |= !traced.paths.is_empty();
        maybe |= !possible.is_empty();
        if json {
            let separator = if written > 0 { ",\n" } else { "\n" };
            write!(out, "{separator}")?;
            super::write_json(out, &report::document(&cluster, &traced, reach.as_ref(), &possible))?;
        } else {
            if written > 0 {
                writeln!(out)?;
            }
            if let Some(reach) = &reach {
                report::way(out, &cluster, &traced, reach)?;
            } else {
                report::one(out, &cluster, &traced)?;
                report::possible(out, &possible)?;
            }
        }
        written += 1;
    }
    if json {
        writeln!(out, "]")?;
    } else {
        if !rows.is_empty() {
            let first = |overview: &Overview| overview.sinks.iter().filter_map(|(_, depth)| *depth).min();
            rows.sort_by_key(|(_, overview)| {
                (overview.depth("cluster-admin").unwrap_or(u16::MAX), first(overview))
            });
            report::table(out, &rows)?;
        } else if written == 0 {
            let to = args.to.as_deref().unwrap_or("a sink");
            writeln!(out, "no certain way to {to} found")?;
        }
        text::notes(out, &report::assumptions(&cluster))?;
    }
    Ok(match (found, maybe) {
        (true, _) => Exit::No,
        (false, true) => Exit::Unknown,
        (false, false) => Exit::Yes,
    })
}
