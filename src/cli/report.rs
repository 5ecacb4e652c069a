//! `report`: the access review for sign-off.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum;
use rbacsim::ask::access_review::decisions::{self, Changes, InputFile, Origin, Record};
use rbacsim::ask::access_review::{AccessReview, Population, of_text};
use rbacsim::ask::risk::findings;
use rbacsim::decide::cluster::Cluster;
use rbacsim::knowledge::capabilities;
use rbacsim::read::{Completeness, digests};
use rbacsim::report::access_review::{Document, csv, html, markdown, selection, xlsx};
use rbacsim::report::statement::Statement;

use super::inputs::Inputs;
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # One page to read, decide on and sign
  rbacsim report -o html --title \"shop cluster\" --date 2026-11-26 -f export.yaml > review.html

  # The next quarter: what changed since the decisions that the page saved comes first
  rbacsim report -o html --decisions decisions.json -f export.yaml > review.html

  # A workbook: summary, identities, access, grants, unknown, and decisions with drop-downs; filled in, it is read again
  rbacsim report -o xlsx -f export.yaml > review.xlsx
  rbacsim report -o html --decisions review.xlsx -f export.yaml > next-review.html

  # For a pull request, or for a program
  rbacsim report -o markdown -f manifests/
  rbacsim report -o csv -f manifests/ > review.csv

Exit code: 0 done, 2 it could not be done.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Html)]
    output: Format,
    /// The name of what is reviewed, for the title
    #[arg(long, default_value = "", value_name = "TEXT")]
    title: String,
    /// The date of the review, printed as it is given; none is printed otherwise
    #[arg(long, default_value = "", value_name = "DATE")]
    date: String,
    /// The decisions of an earlier review: the file that its page saved, or its workbook, filled in. What changed since comes
    /// first
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// List the subjects that come with Kubernetes or EKS, too
    #[arg(long)]
    include_system: bool,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page to open in a browser
    Html,
    /// For a pull request
    Markdown,
    /// One line per identity and capability
    Csv,
    /// A workbook with a sheet of decisions to fill in
    Xlsx,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.output == Format::Xlsx && io::IsTerminal::is_terminal(&io::stdout()) {
        return Err("a workbook is no text for a terminal; write it to a file: rbacsim report -o xlsx ... > review.xlsx".into());
    }
    let record = args.decisions.as_deref().map(record).transpose()?;
    let cluster = args.inputs.load()?;
    let population = Population::of(&cluster, args.include_system);
    let review = AccessReview::of(&cluster, population);
    let holders: Vec<_> = review.rows.iter().map(|row| row.holder.clone()).collect();
    let statement = Statement::of(&review.matrix, &holders, review.left_out.clone());
    let origin = origin(args, &cluster);
    let changes = record.as_ref().map(|record| decisions::changes(&review, &origin, record));
    let findings = findings(&cluster);
    let document = Document {
        review: &review,
        origin: &origin,
        statement: &statement,
        findings: &findings,
        signed: record.as_ref().zip(changes.as_ref()) as Option<(&Record, &Changes)>,
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.output {
        Format::Html => html::write(&mut out, &document)?,
        Format::Markdown => markdown::write(&mut out, &document)?,
        Format::Xlsx => xlsx::write(&mut out, &document)?,
        Format::Csv => {
            super::to_stderr("note", &selection(&document))?;
            if let Some(formula) = csv::write(&mut out, &document)? {
                super::to_stderr(
                    "warning",
                    &format!(
                        "`{formula}` looks like a formula and is written unchanged; import the columns into a spreadsheet as text"
                    ),
                )?;
            }
        }
    }
    io::Write::flush(&mut out)?;
    Ok(Exit::Yes)
}

/// Reads a file of decisions.
fn record(path: &std::path::Path) -> Result<Record, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    Ok(decisions::read_any(&bytes)
        .map_err(|error| format!("`{}` holds no decisions: {error}", path.display()))?)
}

/// Where the review comes from.
fn origin(args: &Args, cluster: &Cluster) -> Origin {
    let policy = cluster.graph().policy();
    let digests = digests(cluster.sources(), |file| policy.is_builtin_file(file));
    let complete = cluster.completeness() == Completeness::Complete;
    Origin {
        title: args.title.clone(),
        date: args.date.clone(),
        command: super::command(),
        inputs: digests
            .into_iter()
            .map(|digest| InputFile { name: digest.file, sha256: digest.sha256 })
            .collect(),
        tool: concat!("rbacsim ", env!("CARGO_PKG_VERSION")).to_owned(),
        kubernetes_version: cluster.version().to_string(),
        capabilities_sha256: of_text(&capabilities::canonical()),
        completeness: if complete { "complete" } else { "partial" }.to_owned(),
    }
}
