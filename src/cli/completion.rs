//! `completion` and `man`: what a shell completes, and the manual.

use std::io::Write;

use clap::Command;
use clap_complete::{Generator, Shell};

use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # bash, for this user
  rbacsim completion bash > ~/.local/share/bash-completion/completions/rbacsim

  # zsh: in a folder of $fpath
  rbacsim completion zsh > _rbacsim";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const MAN_EXAMPLES: &str = "\
Examples:
  # Read it
  rbacsim man > rbacsim.1 && man ./rbacsim.1

  # The page of a command
  rbacsim man can-i > rbacsim-can-i.1";

#[derive(Debug, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// The command whose page to print; default: that of rbacsim itself
    command: Option<String>,
}

/// Prints what a shell reads to complete words.
pub(crate) fn completion(args: &Args, mut command: Command, out: &mut dyn Write) -> Result<Exit, Failure> {
    command.set_bin_name("rbacsim");
    command.build();
    args.shell.try_generate(&command, &mut &mut *out)?;
    Ok(Exit::Yes)
}

/// Prints a page of the manual, in the language of man.
pub(crate) fn man(args: &ManArgs, mut command: Command, out: &mut dyn Write) -> Result<Exit, Failure> {
    command.build();
    let page = match &args.command {
        None => command,
        Some(name) => {
            let Some(found) = command.find_subcommand(name) else {
                return Err(
                    format!("rbacsim has no command `{name}`; `rbacsim --help` lists the commands").into()
                );
            };
            found.clone().version(env!("CARGO_PKG_VERSION"))
        }
    };
    clap_mangen::Man::new(page).render(&mut &mut *out)?;
    Ok(Exit::Yes)
}
