//! The command line of rbacsim: parse, run, exit.

use std::process::ExitCode;

mod cli;

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
