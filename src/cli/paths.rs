//! `paths`: what access leads to.

use std::io::Write;
use std::ops::ControlFlow;

use rbacsim::ask::paths::{From, Gets, Overview, SINKS, Search, Target, Traced, starts};
use rbacsim::decide::cluster::Cluster;
use rbacsim::report::paths_graph::Picture;
use rbacsim::report::paths_html::Page;
use rbacsim::report::paths_many::{self, Brief};
use rbacsim::report::{notes, paths as report, paths_document};

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
or anything as it is printed, such as 'namespace-admin prod'. One way is told of each start; in JSON its `last` need not name every
kind of step that gets there as soon.
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

/// What is found and written while starts are searched.
struct Run<'a> {
    args: &'a Args,
    target: Option<Target>,
    is_certain: bool,
    is_possible: bool,
    written: usize,
    picture: Picture,
    page: Page,
}

/// What one start's way looks like in the form that was asked for.
#[derive(Default)]
struct Way {
    is_certain: bool,
    is_possible: bool,
    /// Whether there is anything to tell.
    is_told: bool,
    text: Vec<u8>,
    brief: Option<Brief>,
    picture: Picture,
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
    if let Some(target) = target.as_ref().filter(|target| !search.knows(target)) {
        return Err(unknown(target).into());
    }
    let page = Page::new(&page_title(to, &froms));
    let picture = Picture::default();
    let mut run = Run { args, target, is_certain: false, is_possible: false, written: 0, picture, page };
    if args.output == Form::Json {
        write!(out, "[")?;
    }
    if is_table && matches!(args.output, Form::Text | Form::Html) {
        run.table(&mut search, &froms, out)?;
    }
    match (args.output, run.target.is_some(), froms.len()) {
        (Form::Text, false, 2..) => {}
        (Form::Text, true, 2..) => run.many(&cluster, &mut search, froms, out)?,
        (Form::Html, ..) => run.fill_page(&cluster, &mut search, froms),
        _ => {
            let (mut all, maybe) = run.promising(&mut search, froms);
            all.extend(maybe);
            all.sort_by(|a, b| a.title.cmp(&b.title));
            run.each(&cluster, &mut search, all, out)?;
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

/// Says that the inputs do not know a target, and what to do.
fn unknown(target: &Target) -> String {
    match target {
        Target::Arn(arn) => format!(
            "nothing in the inputs leads to `{arn}`: no mapping, no service account and no IAM data names it; give a \
             sink or a Kubernetes identity, or add `aws iam get-account-authorization-details` to the inputs"
        ),
        Target::Printed(name) if name.starts_with("ServiceAccount ") => {
            format!(
                "the inputs hold no {name}, and no binding names it; check the name, or add its manifest to the inputs"
            )
        }
        Target::Printed(name) if name.starts_with("namespace-admin ") || name.starts_with("node ") => {
            format!("the inputs do not know what `{name}` names; check the name, or export more objects")
        }
        Target::Printed(name) => format!(
            "`{name}` is nothing that a way leads to; give {}, NAMESPACE/NAME of a service account, an ARN, or \
             what `paths` prints, such as 'namespace-admin prod'",
            SINKS.join(", ")
        ),
        Target::Sink(sink) => format!("the inputs do not know {sink}"),
    }
}

impl Run<'_> {
    /// A line for every start: steps are told only of what is shown.
    fn table(&mut self, search: &mut Search<'_>, froms: &[From], out: &mut dyn Write) -> Result<(), Failure> {
        let mut rows: Vec<(From, Overview)> = Vec::new();
        let overviews = search.overviews(froms, self.args.max_steps);
        for (from, overview) in froms.iter().cloned().zip(overviews) {
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
            paths_many::table(out, &rows)?;
        }
        self.written = rows.len();
        Ok(())
    }

    /// Those of many who get to the target for certain, and those who may; without a target, or alone, everybody.
    fn promising(&self, search: &mut Search<'_>, froms: Vec<From>) -> (Vec<From>, Vec<From>) {
        let Some(target) = self.target.as_ref().filter(|_| froms.len() > 1) else {
            return (froms, Vec::new());
        };
        let gets = search.who_gets_to(&froms, target);
        let (mut near, mut maybe): (Vec<From>, Vec<From>) = Default::default();
        for (from, gets) in froms.into_iter().zip(gets) {
            match gets {
                Gets::Certainly(_) => near.push(from),
                Gets::Possibly => maybe.push(from),
                Gets::Never => {}
            }
        }
        (near, maybe)
    }

    /// Whether it is known who gets to the target, and in how few steps, before a way is told.
    fn is_exact(&self, search: &Search<'_>) -> bool {
        self.args.max_steps.is_none() && self.target.as_ref().is_some_and(|target| search.is_exact(target))
    }

    /// The page: those who get to the target for certain, then some of those who may.
    fn fill_page(&mut self, cluster: &Cluster, search: &mut Search<'_>, froms: Vec<From>) {
        let (near, maybe) = self.promising(search, froms);
        // Where only a way that is told says whether it is one, all are told.
        let shown = if self.is_exact(search) { near.len() + SHOWN } else { usize::MAX };
        for (from, number) in near.into_iter().chain(maybe).zip(0usize..) {
            if number >= shown {
                self.is_possible = true;
                self.page.leave_out(&from);
                continue;
            }
            let most = self.args.max_steps;
            let traced = match &self.target {
                Some(target) => search.traced_to(&from, target, most),
                None => search.traced_with_possible(&from, most),
            };
            let Some(target) = &self.target else {
                self.is_certain |= !traced.paths.is_empty();
                self.is_possible |= !traced.possible.is_empty();
                self.page.add_start(cluster, &traced);
                continue;
            };
            if let Some(reach) = traced.to(target) {
                self.is_certain = true;
                self.page.add_way(cluster, &traced, &reach, None);
            } else if let Some(possible) = traced.possibly_to(target) {
                self.is_possible = true;
                self.page.add_way(cluster, &traced, &possible.reach, Some(possible));
            }
        }
    }

    /// Many starts and one target: the nearest step by step, the others a line each, and what is possible only after them.
    fn many(
        &mut self,
        cluster: &Cluster,
        search: &mut Search<'_>,
        froms: Vec<From>,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let Some(target) = self.target.clone() else { return Ok(()) };
        let (mut near, mut maybe) = self.promising(search, froms);
        let left_out = if self.is_exact(search) { maybe.len().saturating_sub(SHOWN) } else { 0 };
        maybe.truncate(maybe.len() - left_out);
        near.append(&mut maybe);
        let mut certain: Vec<(Brief, Vec<u8>)> = Vec::new();
        let mut possible: Vec<Vec<u8>> = Vec::new();
        let mut failed: Option<String> = None;
        search.each_way(
            near,
            Some(&target),
            self.args.max_steps,
            |traced| self.way(cluster, traced),
            |way| {
                match way {
                    Err(error) => failed = Some(error),
                    Ok(Way { brief: Some(brief), text, .. }) => certain.push((brief, text)),
                    Ok(way) if way.is_possible => possible.push(way.text),
                    Ok(_) => {}
                }
                if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        if let Some(error) = failed {
            return Err(error.into());
        }
        certain.sort_by(|(a, _), (b, _)| (a.depth, &a.from).cmp(&(b.depth, &b.from)));
        self.is_certain = !certain.is_empty();
        self.is_possible = !possible.is_empty();
        self.written = certain.len() + possible.len();
        let are_many = certain.len() > SHOWN;
        if are_many {
            let may = possible.len() + left_out;
            paths_many::counts(out, self.args.to.as_deref().unwrap_or_default(), certain.len(), may)?;
            writeln!(out)?;
        }
        let texts = certain.iter().take(SHOWN).map(|(_, text)| text);
        let texts: Vec<&Vec<u8>> = texts.chain(possible.iter().take(SHOWN)).collect();
        for (text, number) in texts.iter().zip(0usize..) {
            if number > 0 {
                writeln!(out)?;
            }
            out.write_all(text)?;
        }
        if are_many {
            writeln!(out)?;
            paths_many::briefs(out, &certain.into_iter().map(|(brief, _)| brief).collect::<Vec<_>>())?;
        }
        let more = left_out + possible.len().saturating_sub(SHOWN);
        if more > 0 {
            writeln!(out)?;
            writeln!(out, "{more} more may get there if conditions hold; -o json lists them")?;
        }
        Ok(())
    }

    /// Each start, in the order and the form that were asked for.
    fn each(
        &mut self,
        cluster: &Cluster,
        search: &mut Search<'_>,
        froms: Vec<From>,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let (first, separator) = match self.args.output {
            Form::Json => ("\n", ",\n"),
            Form::Text => ("", "\n"),
            Form::Dot | Form::Mermaid | Form::Svg | Form::Html => ("", ""),
        };
        let (mut all, mut written, mut failed) = (Way::default(), 0usize, None);
        search.each_way(
            froms,
            self.target.as_ref(),
            self.args.max_steps,
            |traced| self.way(cluster, traced),
            |way| {
                let done = way.map_err(Failure::from).and_then(|way| {
                    all.is_certain |= way.is_certain;
                    all.is_possible |= way.is_possible;
                    all.picture.join(way.picture);
                    if way.is_told {
                        out.write_all(if written > 0 { separator } else { first }.as_bytes())?;
                        out.write_all(&way.text)?;
                        written += 1;
                    }
                    Ok(())
                });
                match done {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            },
        );
        (self.is_certain, self.is_possible, self.written) = (all.is_certain, all.is_possible, written);
        self.picture = all.picture;
        failed.map_or(Ok(()), Err)
    }

    /// One start's way, or all that it reaches.
    fn way(&self, cluster: &Cluster, traced: &Traced<'_, '_>) -> Result<Way, String> {
        let told = |error: Failure| error.to_string();
        let target = self.target.as_ref();
        let reach = target.and_then(|target| traced.to(target));
        let possibly = target.filter(|_| reach.is_none()).and_then(|target| traced.possibly_to(target));
        let (is_certain, is_possible) = match target {
            Some(_) => (reach.is_some(), possibly.is_some()),
            None => (!traced.paths.is_empty(), !traced.possible.is_empty()),
        };
        let mut way = Way { is_certain, is_possible, ..Way::default() };
        if target.is_some() && !is_certain && !is_possible {
            return Ok(way);
        }
        let text = &mut way.text;
        match self.args.output {
            Form::Json => {
                super::write_json(text, &paths_document::document(cluster, traced, reach.as_ref(), possibly))
                    .map_err(told)?;
            }
            Form::Text => match (&reach, possibly) {
                (Some(reach), _) => {
                    way.brief = Some(paths_many::brief(cluster, traced, reach));
                    report::way_to(text, cluster, traced, reach, target)
                }
                (None, Some(possible)) => report::possible_way(text, cluster, traced, possible, target),
                (None, None) => {
                    report::one(text, cluster, traced).and_then(|()| report::possible(text, cluster, traced))
                }
            }
            .map_err(|error| error.to_string())?,
            Form::Html => {}
            Form::Dot | Form::Mermaid | Form::Svg => {
                let own = reach.iter().chain(possibly.map(|own| &own.reach));
                own.for_each(|reach| way.picture.add(traced, reach));
                if target.is_none() {
                    traced.sinks().iter().for_each(|reach| way.picture.add(traced, reach));
                }
            }
        }
        way.is_told = true;
        Ok(way)
    }
}
