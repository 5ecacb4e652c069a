//! The flags of commands that find something: which findings, how they are suppressed, and how they are shown.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rbacsim::ask::lint::suppress::{self, Baseline, Suppressions};
use rbacsim::decide::cluster::Cluster;
use rbacsim::knowledge::codes;
use rbacsim::model::finding::{Finding, Level, Scale};
use rbacsim::read::{Input, comments};
use rbacsim::report::findings::{Report, Root, github, json, junit, sarif, text};
use rbacsim::report::risk;

use super::{Exit, Failure};

/// Which findings are shown, and what suppresses them.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Show only findings with this code; repeatable
    #[arg(long, value_name = "CODE")]
    only: Vec<String>,
    /// Suppress findings with this code; repeatable
    #[arg(long, value_name = "CODE")]
    ignore: Vec<String>,
    /// Suppress the findings that this file lists, and show new ones
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the findings of today to this file, for --baseline
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// Show also what comments, annotations and the baseline suppress
    #[arg(long)]
    no_ignores: bool,
}

/// How findings are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines
    Json,
    /// For code scanning
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
    /// Test results
    Junit,
}

/// Where paths are counted from: the folder above this one that is a Git repository.
pub(crate) fn root() -> Root {
    let here = std::env::current_dir().unwrap_or_default();
    let repository = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here);
    Root { repository: repository.to_owned(), here: here.clone() }
}

/// A command that finds something.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Finds {
    /// Its name.
    pub(crate) command: &'static str,
    /// How its severities are called.
    pub(crate) scale: Scale,
    /// What it shows at least.
    pub(crate) least: Level,
    /// How.
    pub(crate) format: Format,
}

impl Choice {
    /// Suppresses and shows; the exit code says whether anything is left.
    pub(crate) fn show(
        &self,
        finds: Finds,
        (cluster, inputs): (&Cluster, &[Input]),
        mut findings: Vec<Finding>,
        out: &mut dyn Write,
    ) -> Result<Exit, Failure> {
        let Finds { command, scale, least, format } = finds;
        for code in self.only.iter().chain(&self.ignore) {
            if !codes::is_code(code) {
                let near =
                    codes::nearest(code).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err(format!("`{code}` is not a code{near}").into());
            }
        }
        let is_fault = |code: &str| rbacsim::knowledge::risks::risk(code).is_none();
        let is_ours = move |code: &str| codes::is_code(code) && is_fault(code) == (scale == Scale::Faults);
        let suppressions = Suppressions {
            comments: comments(inputs, cluster.sources()),
            flags: self.ignore.clone(),
            baseline: match &self.baseline {
                None => None,
                Some(path) => Some(read_baseline(path)?),
            },
            none: self.no_ignores,
        };
        suppress::apply(cluster, &mut findings, &suppressions, &is_ours);
        if !self.only.is_empty() {
            findings.retain(|finding| self.only.iter().any(|code| code == finding.code));
        }
        let (suppressed, left): (Vec<&Finding>, Vec<&Finding>) =
            findings.iter().partition(|finding| finding.suppressed.is_some());
        if let Some(path) = &self.write_baseline {
            let kept: Vec<Finding> = left.iter().map(|finding| (*finding).clone()).collect();
            let mut file = std::fs::File::create(path)
                .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
            super::write_json(&mut file, &Baseline::of(&kept).document())?;
            super::to_stderr("note", &format!("wrote {} findings to {}", kept.len(), path.display()))?;
            return Ok(Exit::Yes);
        }
        let below = left.iter().filter(|finding| finding.severity < least).count();
        let left: Vec<&Finding> = left.into_iter().filter(|finding| finding.severity >= least).collect();
        let is_clean = left.is_empty();
        let report =
            Report { command, scale, sources: cluster.sources(), left, suppressed, below, root: root() };
        match format {
            // What one subject holds stands together: there are many risks of one and the same.
            Format::Text if scale == Scale::Risks => risk::text(out, cluster, &report.left)?,
            Format::Text => text::write(out, &report)?,
            Format::Json => super::print_json(&json::document(&report))?,
            Format::Sarif => super::print_json(&sarif::document(&report))?,
            Format::Github => github::write(out, &report)?,
            Format::Junit => io::stdout().write_all(junit::of_findings(&report).as_bytes())?,
        }
        if !matches!(format, Format::Text | Format::Github) {
            super::to_stderr("note", &report.summary())?;
        }
        Ok(if is_clean { Exit::Yes } else { Exit::No })
    }
}

fn read_baseline(path: &std::path::Path) -> Result<Baseline, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the baseline `{}`: {error}", path.display()))?;
    Ok(Baseline::read(&text).map_err(|error| format!("`{}` is no baseline: {error}", path.display()))?)
}
