//! `check`: assertions about access.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rbacsim::ask::check::{self, file, freeze};
use rbacsim::report::check as report;

use super::findings::root;
use super::inputs::Inputs;
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # Check what must hold, in a pipeline
  rbacsim check rbac-tests.yaml

  # The same for other manifests, as test results
  rbacsim check rbac-tests.yaml -f rendered/ -o junit > rbac.xml

  # Write who can today into the `only` lists
  rbacsim check --write rbac-tests.yaml

A file:
  inputs: [manifests/]
  tests:
  - name: developers cannot read secrets in prod
    arn: arn:aws:sts::111122223333:assumed-role/dev/alice
    namespace: prod
    cannot: [get secrets/db, exec pods]
  - name: only on-call opens a shell in prod
    whoCan: exec pods
    namespace: prod
    only: [{group: on-call}, {arn: \"arn:aws:iam::111122223333:role/oncall\"}]

Exit code: 0 all tests pass, 1 some fail, 2 a file cannot be run.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files of assertions
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    files: Vec<PathBuf>,
    /// Write who can today into the `only` lists of the files
    #[arg(long)]
    write: bool,
    /// Print the JSON schema of such files, for editors
    #[arg(long)]
    schema: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines
    Json,
    /// Test results
    Junit,
    /// Annotations of a GitHub workflow
    Github,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    if args.schema {
        write!(out, "{}", report::SCHEMA)?;
        return Ok(Exit::Yes);
    }
    // Every file is read before any is run: a mistake in one is found at once.
    let mut files = Vec::new();
    for path in &args.files {
        let bytes =
            std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let parsed = file::parse(&bytes).map_err(|mistake| {
            let file::Mistake { position, message } = mistake;
            format!("{}:{}:{}: {message}", path.display(), position.line, position.column)
        })?;
        files.push((path, bytes, parsed));
    }
    let mut all = Vec::new();
    for (path, bytes, parsed) in &files {
        let folder = path.parent().unwrap_or(Path::new(""));
        let inputs: Vec<PathBuf> = parsed.inputs.iter().map(|input| folder.join(input)).collect();
        if inputs.is_empty() && args.inputs.filename.is_empty() {
            return Err(format!("{} has no `inputs`; add them, or use -f", path.display()).into());
        }
        let cluster = args.inputs.load_with(&inputs)?;
        for change in report::notes(&cluster) {
            super::to_stderr("note", &change)?;
        }
        if args.write {
            let text = String::from_utf8_lossy(bytes);
            let (text, lists) = freeze::freeze(&cluster, &text, &parsed.tests)
                .map_err(|why| format!("{}: {why}", path.display()))?;
            std::fs::write(path, text)
                .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
            super::to_stderr("note", &format!("wrote {lists} lists into {}", path.display()))?;
            continue;
        }
        let outcomes = check::run(&cluster, &parsed.tests);
        all.push(report::ran(&cluster, &path.display().to_string(), &outcomes));
    }
    if args.write {
        return Ok(Exit::Yes);
    }
    match args.output {
        Format::Text => report::text(out, &all)?,
        Format::Json => super::print_json(&report::document(&all))?,
        Format::Junit => io::stdout().write_all(report::junit(&all, &root()).as_bytes())?,
        Format::Github => report::annotations(out, &all, &root())?,
    }
    let (_, failed) = report::counts(&all);
    Ok(if failed == 0 { Exit::Yes } else { Exit::No })
}
