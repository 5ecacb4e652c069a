//! `diff`: who gains and who loses what, between two input sets or since a Git revision.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use rbacsim::ask::diff::{Selection, Ways, diff};
use rbacsim::ask::matrix::{Filter, Scratch};
use rbacsim::ask::matrix::{holder, preset};
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::finding::Scale;
use rbacsim::model::user::UserInfo;
use rbacsim::read::Input;
use rbacsim::report::diff::{self as report, rows};
use rbacsim::report::findings::{Report, github, sarif};

use super::findings::root;
use super::inputs::{Identity, Inputs};
use super::selection::{Preset, Subjects, columns};
use super::{Exit, Failure, git};

const EXAMPLES: &str = "\
Examples:
  # Who gains and loses what, since the main branch?
  rbacsim diff --base origin/main -f manifests/

  # The same of what an overlay renders
  rbacsim diff --base origin/main -k overlays/prod

  # The comment of a pull request
  rbacsim diff --base origin/main -f manifests/ -o markdown > comment.md

  # Two exports of one cluster, row by row
  rbacsim diff monday.yaml friday.yaml --subjects all -o csv

Exit code: 0 nothing found, 1 something found (see --fail-on), 2 the question could not be asked.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The old and the new inputs: files or directories
    #[arg(value_name = "OLD NEW", num_args = 2, required_unless_present = "base", conflicts_with_all = ["base", "filename", "kustomize", "helm_chart"])]
    sides: Vec<PathBuf>,
    /// Compare with what stood in this Git revision at the paths of -f, -k and --helm-chart (default: this directory)
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Any, value_name = "WHAT")]
    fail_on: FailOn,
    /// Whose access: arns (every mapped IAM identity), all (every subject of a binding), or both
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHOSE", conflicts_with_all = ["arn", "as_user"])]
    subjects: Vec<Subjects>,
    /// Leave out identities that come with Kubernetes or EKS
    #[arg(long)]
    exclude_system: bool,
    /// Only these namespaces, and access granted in every namespace; repeatable or comma-separated
    #[arg(short, long, value_delimiter = ',', value_name = "NAMESPACE")]
    namespace: Vec<String>,
    /// Only these verbs, comma-separated
    #[arg(long, value_delimiter = ',', value_name = "VERBS")]
    verbs: Vec<String>,
    /// Only these resources, comma-separated: pods, pods/exec, deployments.apps, /healthz
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    resources: Vec<String>,
    /// Only the most sensitive access
    #[arg(long, value_enum, conflicts_with_all = ["verbs", "resources"])]
    preset: Option<Preset>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Any change of access or of identities, also to or from unknown
    Any,
    /// Access that is gained
    Gained,
    /// Access that is lost
    Lost,
    /// Sensitive access that is gained
    Sensitive,
    /// Nothing
    Never,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, by what changed
    Text,
    /// One document: gained, lost, identities, unknown, summary
    Json,
    /// The rows of the matrix that are gained (+) and lost (-)
    Csv,
    /// The comment of a pull request, at most 60,000 characters
    Markdown,
    /// For code scanning
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (old, new) = sides(args)?;
    let filter = filter(args, &old, &new)?;
    let selection = selection(args, &old, &new)?;
    let diff = diff(&old, &new, &filter, &selection);
    let mut documents = rows::Documents::default();
    let mut scratch = Scratch::default();
    let wants_rows = args.output == Format::Json;
    let mut summary = report::summary(&diff, |pair, changes| {
        if wants_rows && !changes.is_empty() {
            // Rows as the long form has them, usernames too.
            documents.add(&diff, pair, &diff.changes(pair, true, &mut scratch));
        }
        Ok::<(), Failure>(())
    })?;
    summary.add_ways(Ways::of_diff(&diff, &selection));
    match args.output {
        Format::Text => report::text(out, &summary)?,
        Format::Markdown => write!(out, "{}", report::markdown(&summary))?,
        Format::Json => super::print_json(&documents.document(&diff, &summary))?,
        Format::Csv => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            rows::csv(&mut out, &diff)?;
            out.flush()?;
            for line in &summary.unknown {
                super::to_stderr("unknown", line)?;
            }
        }
        Format::Sarif | Format::Github => {
            let (findings, sources) = report::findings(&summary, &diff);
            let report = Report {
                command: "diff",
                scale: Scale::Faults,
                sources: &sources,
                left: findings.iter().collect(),
                suppressed: Vec::new(),
                below: 0,
                root: root(),
            };
            if args.output == Format::Sarif {
                super::print_json(&sarif::document(&report))?;
            } else {
                github::write(out, &report)?;
            }
        }
    }
    let found = match args.fail_on {
        FailOn::Any => !summary.is_empty(),
        FailOn::Gained => !summary.gaining.is_empty() || !summary.ways.opened.is_empty(),
        FailOn::Lost => !summary.losing.is_empty(),
        FailOn::Sensitive => summary.is_sensitive || !summary.ways.opened.is_empty(),
        FailOn::Never => false,
    };
    Ok(if found { Exit::No } else { Exit::Yes })
}

/// Both sides. The changes of what if are made to the new one.
fn sides(args: &Args) -> Result<(Cluster, Cluster), Failure> {
    if let [old, new] = args.sides.as_slice() {
        let old = args.inputs.load_side(&[Input::Path(old.clone())])?;
        return Ok((old, args.inputs.load_with(std::slice::from_ref(new))?));
    }
    let base = args.base.as_deref().unwrap_or_default();
    let rendered = args.inputs.rendered();
    let here = [PathBuf::from(".")];
    let is_bare = args.inputs.filename.is_empty() && rendered.is_empty();
    let paths = if is_bare { &here[..] } else { &args.inputs.filename };
    let mut inputs =
        if paths.is_empty() { Vec::new() } else { git::inputs(base, paths, &args.inputs.exclude()?)? };
    let extracted = if rendered.is_empty() { None } else { Some(git::Extracted::of(base)?) };
    for input in &rendered {
        inputs.extend(extracted.as_ref().map(|files| files.input(input)).transpose()?.flatten());
    }
    let old = args.inputs.load_side(&inputs)?;
    let new = if is_bare { args.inputs.load_with(&here)? } else { args.inputs.load()? };
    Ok((old, new))
}

/// Which columns are compared: the words are read as both sides know them.
fn filter(args: &Args, old: &Cluster, new: &Cluster) -> Result<Filter, Failure> {
    if args.preset.is_some() {
        return Ok(preset::filter(&preset::sensitive(new.version())));
    }
    let mut filter = columns(&args.verbs, &args.resources, new)?;
    let of_old = columns(&[], &args.resources, old)?;
    if let (Some(resources), Some(more)) = (&mut filter.resources, of_old.resources) {
        resources.extend(more.into_iter().filter(|one| !resources.contains(one)).collect::<Vec<_>>());
    }
    Ok(filter)
}

fn selection(args: &Args, old: &Cluster, new: &Cluster) -> Result<Selection, Failure> {
    let mut selection = Selection {
        exclude_system: args.exclude_system,
        namespaces: args.namespace.iter().filter(|namespace| !namespace.is_empty()).cloned().collect(),
        ..Selection::default()
    };
    let identity = &args.identity;
    if !identity.arn.is_empty() || identity.as_user.is_some() || !identity.as_group.is_empty() {
        // Whatever is wrong with the question is said once.
        let askers = identity.askers(new)?;
        for (who, arn) in askers {
            match arn {
                Some(arn) => selection.arns.push((arn, identity.session_name.clone())),
                None => selection.users.push(who.shown().unwrap_or_else(UserInfo::default)),
            }
        }
        return Ok(selection);
    }
    let maps = !holder::mapped(old).is_empty() || !holder::mapped(new).is_empty();
    // Rows are those of the matrix, whose default is one or the other; a reader wants to see everybody.
    let by_rows = matches!(args.output, Format::Csv | Format::Json);
    (selection.mapped, selection.bound) = match args.subjects.as_slice() {
        [] if by_rows => (maps, !maps),
        [] => (true, true),
        given => (given.contains(&Subjects::Arns), given.contains(&Subjects::All)),
    };
    Ok(selection)
}
