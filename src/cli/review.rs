//! `review`: a stream of `SubjectAccessReview` objects in, the same with `status` out.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::PathBuf;

use super::inputs::Inputs;
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # One review a line in, one a line out
  rbacsim review -f manifests/ < reviews.ndjson

  # From a file, as YAML
  rbacsim review reviews.yaml -f manifests/

Exit code: 0 all were answered, 2 one is malformed (the others are answered).";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Reviews as NDJSON, JSON or YAML; standard input if left out or -
    #[arg(value_name = "FILE")]
    reviews: Option<PathBuf>,
    #[command(flatten)]
    inputs: Inputs,
}

/// Standard output, without whose reader there is nothing left to do: a stream of reviews may be open for ever.
struct ExitOnBrokenPipe(io::Stdout);

fn or_exit_on_broken_pipe<T>(written: io::Result<T>) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}

impl Write for ExitOnBrokenPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_exit_on_broken_pipe(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        or_exit_on_broken_pipe(self.0.flush())
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let from_stdin = args.reviews.as_ref().is_none_or(|path| path.as_os_str() == "-");
    if from_stdin && args.inputs.filename.iter().any(|path| path.as_os_str() == "-") {
        return Err(
            "standard input cannot hold both the policy and the reviews; give one of them as a file".into()
        );
    }
    let cluster = args.inputs.load()?;
    for change in rbacsim::report::notes::changes(&cluster) {
        super::to_stderr("note", &change)?;
    }
    let mut output = BufWriter::with_capacity(1 << 16, ExitOnBrokenPipe(io::stdout()));
    let mut input: Box<dyn Read + Send> = match &args.reviews {
        Some(path) if !from_stdin => {
            let file =
                File::open(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
            Box::new(file)
        }
        _ => Box::new(io::stdin()),
    };
    let streamed = rbacsim::ask::review::stream(&cluster, &mut *input, &mut output)?;
    output.flush()?;
    if streamed.malformed == 0 {
        return Ok(Exit::Yes);
    }
    let are = if streamed.malformed == 1 { "is" } else { "are" };
    let of = format!("{} of {} reviews {are}", streamed.malformed, streamed.reviews);
    super::to_stderr("error", &format!("{of} malformed: evaluationError says why"))?;
    Ok(Exit::NotAsked)
}
