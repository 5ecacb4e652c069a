//! `explain`: what a code means.

use std::io::Write;

use rbacsim::knowledge::codes;
use rbacsim::report::explain;

use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # What does this code mean, and what should I write instead?
  rbacsim explain role-arn-has-path

  # All codes, as Markdown
  rbacsim explain --list";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A code, such as role-arn-has-path or E04
    #[arg(value_name = "CODE", required_unless_present = "list")]
    code: Option<String>,
    /// Print the list of all codes as Markdown
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    if args.list {
        write!(out, "{}", explain::list())?;
        return Ok(Exit::Yes);
    }
    let code = args.code.as_deref().unwrap_or_default();
    let Some(text) = explain::text(code) else {
        let near = codes::nearest(code).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(format!("`{code}` is not a code{near}; `rbacsim explain --list` prints all").into());
    };
    write!(out, "{text}")?;
    Ok(Exit::Yes)
}
