//! `risk`: what is risky about the access that there is.

use std::io::Write;

use rbacsim::ask::risk::findings;
use rbacsim::model::finding::Level;
use rbacsim::report::{paths, risk as report, text};

use super::inputs::Inputs;
use super::{Exit, Failure, Output};

const EXAMPLES: &str = "\
Examples:
  # What is risky, the most serious first?
  rbacsim risk -f export.yaml

  # Only what is high or critical, for a script
  rbacsim risk --min-severity high -o json -f export.yaml

  # One risk alone
  rbacsim risk --only E04 -f export.yaml

Exit code: 0 nothing found, 1 something found, 2 the question could not be asked.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show nothing less serious
    #[arg(long, value_enum, default_value_t = Severity::Medium, value_name = "SEVERITY")]
    min_severity: Severity,
    /// Show only findings with this code; repeatable
    #[arg(long, value_name = "CODE")]
    only: Vec<String>,
    /// Leave findings with this code out; repeatable
    #[arg(long, value_name = "CODE")]
    ignore: Vec<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    for code in args.only.iter().chain(&args.ignore) {
        if rbacsim::knowledge::risks::risk(code).is_none() {
            return Err(format!("`{code}` is not the code of a risk").into());
        }
    }
    let cluster = args.inputs.load()?;
    let mut found = findings(&cluster);
    let least = Level::from(args.min_severity);
    found.retain(|finding| {
        let asked = |codes: &[String]| codes.iter().any(|code| code == finding.code);
        finding.severity >= least && (args.only.is_empty() || asked(&args.only)) && !asked(&args.ignore)
    });
    match args.output {
        Output::Text => {
            report::text(out, &cluster, &found)?;
            text::notes(out, &paths::assumptions(&cluster))?;
        }
        Output::Json => super::print_json(&report::document(&cluster, &found))?,
    }
    Ok(if found.is_empty() { Exit::Yes } else { Exit::No })
}
