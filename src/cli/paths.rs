//! `paths`: what access leads to.

use std::io::Write;

use rbacsim::ask::paths::{From, Overview, Search, Target, starts};
use rbacsim::decide::cluster::Cluster;
use rbacsim::report::paths_graph::Picture;
use rbacsim::report::{notes, paths as report};

use super::inputs::{Identity, Inputs};
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # What can this role become, step by step?
  rbacsim paths --arn arn:aws:iam::111122223333:role/dev -f export.yaml

  # Who can become cluster-admin, and how?
  rbacsim paths --to cluster-admin -f export.yaml

  # Who can become one service account, in at most two steps?
  rbacsim paths --to prod/deployer --max-steps 2 -f export.yaml

  # The picture of all ways to cluster-admin
  rbacsim paths --to cluster-admin -o mermaid -f export.yaml

  # Everything, for a script
  rbacsim paths -o json -f export.yaml

Without --arn and --as every mapped ARN, service account and subject of a binding is a start.
--to takes cluster-admin, node, read-all-secrets, exec-everywhere, edit-aws-auth, NAMESPACE/NAME of a service account, an ARN,
or anything as it is printed, such as 'namespace-admin prod'.
Exit code: 0 nothing found, 1 something certain, 2 the question could not be asked, 3 something possible only.";

/// How many starts that get somewhere only if conditions hold are told for people before the rest is counted.
const SHOWN: usize = 12;

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
    /// Output format; svg, dot and mermaid draw the ways to sinks
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    output: Form,
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

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Text,
    Json,
    Dot,
    Mermaid,
    Svg,
}

/// The starts that were asked for.
fn chosen(args: &Args, cluster: &Cluster, search: &Search<'_>) -> Result<Vec<From>, Failure> {
    let named = !args.identity.arn.is_empty() || args.identity.as_user.is_some();
    if !named && args.identity.as_group.is_empty() {
        let mut all = starts(cluster);
        all.extend(search.iam_starts());
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

/// What is found and written while starts are searched one after the other.
struct Run<'a> {
    args: &'a Args,
    target: Option<Target>,
    is_certain: bool,
    is_possible: bool,
    written: usize,
    picture: Picture,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let cluster = args.inputs.load()?;
    let target = args.to.as_deref().map(Target::read);
    let mut search = Search::new(&cluster);
    let froms = chosen(args, &cluster, &search)?;
    if let Some(Target::Arn(arn)) = &target
        && !search.knows_arn(arn)
    {
        return Err(format!(
            "nothing in the inputs leads to `{arn}`: no mapping, no service account and no IAM data names it; give a \
             sink or a Kubernetes identity, or add `aws iam get-account-authorization-details` to the inputs"
        )
        .into());
    }
    let mut run =
        Run { args, target, is_certain: false, is_possible: false, written: 0, picture: Picture::default() };
    if args.output == Form::Json {
        write!(out, "[")?;
    }
    if run.target.is_none() && froms.len() > 1 && args.output == Form::Text {
        run.table(&mut search, froms, out)?;
    } else {
        let (mut possible, mut left_out) = (0, 0);
        for (from, is_certain) in run.promising(&mut search, froms) {
            possible += usize::from(!is_certain);
            if possible > SHOWN && !is_certain && args.output == Form::Text {
                left_out += 1;
                continue;
            }
            run.one(&cluster, &mut search, &from, out)?;
        }
        if left_out > 0 {
            writeln!(out)?;
            writeln!(out, "{left_out} more may get there if conditions hold; -o json lists them")?;
        }
    }
    match args.output {
        Form::Json => writeln!(out, "]")?,
        Form::Dot => write!(out, "{}", run.picture.dot())?,
        Form::Mermaid => write!(out, "{}", run.picture.mermaid())?,
        Form::Svg => {
            let title = format!("ways to {}", args.to.as_deref().unwrap_or("sinks"));
            write!(out, "{}", run.picture.svg(&title))?;
        }
        Form::Text => {
            if run.written == 0 {
                let to = args.to.as_deref().unwrap_or("a sink");
                writeln!(out, "no way to {to} found")?;
            }
            notes::write(out, super::detail(), &[], &report::basis(&cluster))?;
        }
    }
    Ok(match (run.is_certain, run.is_possible) {
        (true, _) => Exit::No,
        (false, true) => Exit::Unknown,
        (false, false) => Exit::Yes,
    })
}

impl Run<'_> {
    /// A line for every start: steps are told only of what is shown.
    fn table(
        &mut self,
        search: &mut Search<'_>,
        froms: Vec<From>,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let mut rows: Vec<(From, Overview)> = Vec::new();
        let overviews = search.overviews(&froms, self.args.max_steps);
        for (from, overview) in froms.into_iter().zip(overviews) {
            self.is_certain |= overview.reached != Some(0);
            self.is_possible |= !overview.possible.is_empty();
            if overview.reaches_a_sink() || !overview.possible.is_empty() {
                rows.push((from, overview));
            }
        }
        let first = |overview: &Overview| overview.sinks.iter().filter_map(|(_, depth)| *depth).min();
        rows.sort_by_key(|(_, overview)| {
            (
                overview.depth("cluster-admin").unwrap_or(u16::MAX),
                first(overview).unwrap_or(u16::MAX),
                std::cmp::Reverse(overview.possible.len()),
            )
        });
        if !rows.is_empty() {
            report::table(out, &rows)?;
        }
        self.written = rows.len();
        Ok(())
    }

    /// Leaves out starts that do not get where the question is: a look costs less than a search that is told.
    /// Says of the others whether they get there for certain, where that is known.
    fn promising(&self, search: &mut Search<'_>, froms: Vec<From>) -> Vec<(From, bool)> {
        let sink = match &self.target {
            Some(Target::Sink(sink)) if froms.len() > 1 && self.args.max_steps.is_none() => *sink,
            _ => return froms.into_iter().map(|from| (from, true)).collect(),
        };
        let overviews = search.overviews(&froms, None);
        let promising = froms.into_iter().zip(overviews).filter(|(_, overview)| overview.may_reach(sink));
        promising.map(|(from, overview)| (from, overview.depth(sink).is_some())).collect()
    }

    /// One start, step by step.
    fn one(
        &mut self,
        cluster: &Cluster,
        search: &mut Search<'_>,
        from: &From,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let most = self.args.max_steps;
        let traced = match &self.target {
            Some(target) => search.traced_to(from, target, most),
            None => search.traced_with_possible(from, most),
        };
        let reach = self.target.as_ref().and_then(|target| traced.to(target));
        let possibly = self.target.as_ref().filter(|_| reach.is_none());
        let possibly = possibly.and_then(|target| traced.possibly_to(target));
        if self.target.is_some() {
            self.is_certain |= reach.is_some();
            self.is_possible |= possibly.is_some();
            if reach.is_none() && possibly.is_none() {
                return Ok(());
            }
        } else {
            self.is_certain |= !traced.paths.is_empty();
            self.is_possible |= !traced.possible.is_empty();
        }
        match self.args.output {
            Form::Json => {
                let separator = if self.written > 0 { ",\n" } else { "\n" };
                write!(out, "{separator}")?;
                super::write_json(out, &report::document(cluster, &traced, reach.as_ref(), possibly))?;
            }
            Form::Text => {
                if self.written > 0 {
                    writeln!(out)?;
                }
                match (&reach, possibly) {
                    (Some(reach), _) => report::way(out, cluster, &traced, reach)?,
                    (None, Some(possible)) => report::possible_way(out, cluster, &traced, possible)?,
                    (None, None) => {
                        report::one(out, cluster, &traced)?;
                        report::possible(out, cluster, &traced)?;
                    }
                }
            }
            Form::Dot | Form::Mermaid | Form::Svg => {
                let own = reach.iter().chain(possibly.map(|own| &own.reach));
                own.for_each(|reach| self.picture.add(&traced, reach));
                if self.target.is_none() {
                    traced.sinks().iter().for_each(|reach| self.picture.add(&traced, reach));
                }
            }
        }
        self.written += 1;
        Ok(())
    }
}
