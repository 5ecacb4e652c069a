//! The command line of rbacsim: parse, run, exit.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::run()
}
