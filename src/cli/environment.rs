//! The flags of the inputs by environment: `RBACSIM_FILENAME` stands for `--filename`, and so on. A flag wins.

use std::ffi::{OsStr, OsString};

use clap::builder::ValueRange;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The heading of the flags that the environment may give.
const HEADING: &str = "Inputs";

/// Flags that hold paths: their variables hold several as `PATH` does; those of other lists hold one a line.
const PATHS: [&str; 5] = ["filename", "kustomize", "helm_chart", "helm_values", "api_resources"];

/// Where one of these is on the command line, none of them comes from the environment.
const TOGETHER: [&[&str]; 2] =
    [&["filename", "kustomize", "helm_chart", "helm_values", "sides"], &["complete", "partial"]];

/// The variable of a flag.
fn variable(long: &str) -> String {
    format!("RBACSIM_{}", long.to_ascii_uppercase().replace('-', "_"))
}

/// The flags that the environment gives and the command line does not, as words of a command line, with the variables
/// that hold them.
pub(super) struct Given {
    pub(super) words: Vec<OsString>,
    pub(super) variables: Vec<String>,
}

/// Looks for the flags of the command that was given.
pub(super) fn given(
    command: &Command,
    matches: &ArgMatches,
    value_of: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Given, String> {
    let mut given = Given { words: Vec::new(), variables: Vec::new() };
    let Some((name, matches)) = matches.subcommand() else { return Ok(given) };
    let Some(command) = command.find_subcommand(name) else { return Ok(given) };
    let is_flag = |id: &str| {
        matches.try_contains_id(id).unwrap_or(false)
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let wins = |id: &str| {
        is_flag(id) || TOGETHER.iter().any(|ids| ids.contains(&id) && ids.iter().any(|other| is_flag(other)))
    };
    for arg in command.get_arguments().filter(|arg| arg.get_help_heading() == Some(HEADING)) {
        let Some(long) = arg.get_long() else { continue };
        let name = variable(long);
        let Some(value) = value_of(&name).filter(|value| !value.is_empty()) else { continue };
        if wins(arg.get_id().as_str()) {
            continue;
        }
        let words = words_of(arg, long, &name, &value)?;
        if !words.is_empty() {
            given.words.extend(words);
            given.variables.push(name);
        }
    }
    // Values are for charts: without one they are for some other command.
    let has_chart = |words: &[OsString]| {
        is_flag("helm_chart") || words.iter().any(|word| word.to_string_lossy().starts_with("--helm-chart="))
    };
    if !has_chart(&given.words) {
        given.words.retain(|word| !word.to_string_lossy().starts_with("--helm-values="));
        given.variables.retain(|name| *name != variable("helm-values"));
    }
    Ok(given)
}

/// What a variable says, as words of a command line.
fn words_of(arg: &Arg, long: &str, name: &str, value: &OsStr) -> Result<Vec<OsString>, String> {
    let word = |value: &OsStr| {
        let mut word = OsString::from(format!("--{long}="));
        word.push(value);
        word
    };
    if !arg.get_num_args().unwrap_or(ValueRange::SINGLE).takes_values() {
        return match value.to_string_lossy().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Ok(vec![format!("--{long}").into()]),
            "0" | "false" | "no" => Ok(Vec::new()),
            other => Err(format!("{name} is `{other}`; set it to true or to false")),
        };
    }
    Ok(match arg.get_action() {
        ArgAction::Append if PATHS.contains(&arg.get_id().as_str()) => std::env::split_paths(value)
            .filter(|path| !path.as_os_str().is_empty())
            .map(|path| word(path.as_os_str()))
            .collect(),
        ArgAction::Append => {
            let text = value.to_string_lossy();
            text.lines().filter(|line| !line.is_empty()).map(|line| word(OsStr::new(line))).collect()
        }
        _ => vec![word(value)],
    })
}
