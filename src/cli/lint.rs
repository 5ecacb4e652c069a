//! `lint`: every fault of the inputs and every danger of the policy.

use std::io::Write;

use rbacsim::ask::lint;
use rbacsim::model::diagnostic::Severity;
use rbacsim::model::finding::{Level, Scale};

use super::findings::{Choice, Finds, Format};
use super::inputs::Inputs;
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # What is wrong or dangerous in these manifests?
  rbacsim lint -f manifests/

  # Annotations in a pull request on GitHub
  rbacsim lint -o github -f manifests/

  # Keep what is there today, and show only what is new
  rbacsim lint --write-baseline rbac-baseline.json -f manifests/
  rbacsim lint --baseline rbac-baseline.json -f manifests/

Suppress a finding by a comment on or above its line, with a reason:
  # rbacsim:ignore may-bind only the platform team is in this group
or by the annotation `rbacsim.dev/ignore: may-bind` on the object. `rbacsim explain CODE` says what a code means.
Exit code: 0 nothing found, 1 something found, 2 the question could not be asked.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show nothing less serious
    #[arg(long, value_enum, default_value_t = Least::Warning, value_name = "SEVERITY")]
    min_severity: Least,
    #[command(flatten)]
    choice: Choice,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Least {
    Error,
    Warning,
    Note,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (cluster, inputs) = args.inputs.load_silently()?;
    let least = Level::from(match args.min_severity {
        Least::Error => Severity::Error,
        Least::Warning => Severity::Warning,
        Least::Note => Severity::Note,
    });
    let finds = Finds { command: "lint", scale: Scale::Faults, least, format: args.output };
    args.choice.show(finds, (&cluster, &inputs), lint::findings(&cluster), out)
}
