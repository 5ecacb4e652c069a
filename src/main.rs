//! The command line of rbacsim: parse, run, exit.

use std::process::ExitCode;

/// From flags to library calls to exit codes, one file a command. Uses the library's public interface only.
mod cli {
    mod asking;
    mod can_i;
    mod check;
    mod collect;
    mod completion;
    mod diff;
    mod environment;
    mod explain;
    mod findings;
    mod git;
    mod graph;
    mod iam;
    mod inputs;
    mod lint;
    mod list;
    mod matrix;
    mod meter;
    mod paths;
    mod report;
    mod review;
    mod risk;
    mod run;
    mod selection;
    mod what_if;
    mod who_can;
    mod whoami;

    pub(crate) use self::run::*;
}

fn main() -> ExitCode {
    // A panic in the YAML parser becomes a diagnostic; its own report would only frighten.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|place| place.file().contains("libyaml-safer")) {
            report(info);
        }
    }));
    cli::run()
}
