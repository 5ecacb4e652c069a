//! `risk`: what is risky about the access that there is.

use std::io::Write;

use rbacsim::ask::risk::findings;
use rbacsim::model::finding::{Level, Scale};
use rbacsim::report::{notes, paths};

use super::findings::{Choice, Finds, Format};
use super::inputs::Inputs;
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # What is risky, the most serious first?
  rbacsim risk -f export.yaml

  # Only what is high or critical, for a script
  rbacsim risk --min-severity high -o json -f export.yaml

  # One risk alone, for code scanning
  rbacsim risk --only E04 -o sarif -f export.yaml

  # Keep what is known today, and show only what is new
  rbacsim risk --write-baseline risks.json -f export.yaml
  rbacsim risk --baseline risks.json -f export.yaml

Exit code: 0 nothing found, 1 something found, 2 the question could not be asked.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show nothing less serious
    #[arg(long, value_enum, default_value_t = Severity::Medium, value_name = "SEVERITY")]
    min_severity: Severity,
    #[command(flatten)]
    choice: Choice,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
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
    let (cluster, inputs) = args.inputs.load_with_inputs()?;
    let least = Level::from(args.min_severity);
    let finds = Finds { command: "risk", scale: Scale::Risks, least, format: args.output };
    let exit = args.choice.show(finds, (&cluster, &inputs), findings(&cluster), out)?;
    if args.output == Format::Text {
        notes::write(out, super::detail(), &[], &paths::basis(&cluster))?;
    }
    Ok(exit)
}
