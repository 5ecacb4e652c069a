//! `paths`: what access leads to.

use std::io::Write;

use rbacsim::ask::paths::{From, Overview, Search, Target, starts};
use rbacsim::decide::cluster::Cluster;
use rbacsim::report::paths_graph::Picture;
use rbacsim::report::paths_html::Page;
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

  # One page to open in a browser: the picture, and each way step by step
  rbacsim paths --to cluster-admin -o html -f export.yaml > ways.html

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
    /// Output format; svg, dot and mermaid draw the ways to sinks, html has the picture and each way step by step
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
    /// One page to open in a browser: the picture, and each way step by step
    Html,
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

/// What a page is about: where the ways lead, or where they begin.
fn page_title(to: Option<&str>, froms: &[From]) -> String {
    match (to, froms) {
        (Some(to), [from]) => format!("Ways of {} to {to}", from.title),
        (Some(to), _) => format!("Ways to {to}"),
        (None, [from]) => format!("Ways of {}", from.title),
        (None, _) => "Ways".to_owned(),
    }
}

/// What is found and written while starts are searched one after the other.
struct Run<'a> {
    args: &'a Args,
    target: Option<Target>,
    is_certain: bool,
    is_possible: bool,
    written: usize,
    picture: Picture,
    page: Page,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let cluster = args.inputs.load()?;
    let mut search = Search::new(&cluster);
    let froms = chosen(args, &cluster, &search)?;
    let is_page = args.output == Form::Html;
    // A page of many starts has a table, and tells the ways to what matters most.
    let is_table = args.to.is_none() && froms.len() > 1;
    let to = args.to.as_deref().or_else(|| (is_page && is_table).then_some("cluster-admin"));
    let target = to.map(Target::read);
    if let Some(Target::Arn(arn)) = &target
        && !search.knows_arn(arn)
    {
        return Err(format!(
            "nothing in the inputs leads to `{arn}`: no mapping, no service account and no IAM data names it; give a \
             sink or a Kubernetes identity, or add `aws iam get-account-authorization-details` to the inputs"
        )
        .into());
    }
    let page = Page::new(&page_title(to, &froms));
    let mut run = Run {
        args,
        target,
        is_certain: false,
        is_possible: false,
        written: 0,
        picture: Picture::default(),
        page,
    };
    if args.output == Form::Json {
        write!(out, "[")?;
    }
    if is_table && is_page {
        run.table(&mut search, froms.clone(), out)?;
    }
    if is_table && args.output == Form::Text {
        run.table(&mut search, froms, out)?;
    } else {
        let (mut possible, mut left_out) = (0, 0);
        let mut promising = run.promising(&mut search, froms);
        promising.sort_by_key(|(_, is_certain)| is_page && !is_certain);
        for (from, is_certain) in promising {
            possible += usize::from(!is_certain);
            if possible > SHOWN && !is_certain && matches!(args.output, Form::Text | Form::Html) {
                left_out += 1;
                run.page.leave_out(&from);
                continue;
            }
            run.one(&cluster, &mut search, &from, out)?;
        }
        if left_out > 0 && !is_page {
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
        Form::Html => {
            let tool = concat!("rbacsim ", env!("CARGO_PKG_VERSION"));
            run.page.write(out, &cluster, (tool, &super::command()))?;
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
        if self.args.output == Form::Html {
            self.page.add_table(&rows);
            return Ok(());
        }
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
            Form::Html => match (&reach, possibly) {
                (Some(reach), _) => self.page.add_way(cluster, &traced, reach, None),
                (None, Some(possible)) => {
                    self.page.add_way(cluster, &traced, &possible.reach, Some(possible));
                }
                (None, None) => self.page.add_start(cluster, &traced),
            },
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
