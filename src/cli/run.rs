//! Flags to library calls to exit codes. Uses the library's public interface only.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    can_i, check, collect, completion, diff, environment, explain, graph, lint, matrix, paths, report,
    review, risk, who_can, whoami,
};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use rbacsim::decide::cluster::Who;
use rbacsim::identity::IdentityError;
use rbacsim::model::ternary::Ternary;
use rbacsim::report::notes::Detail;
use rbacsim::report::visible::{EscapedInJson, visible};

const ENVIRONMENT: &str = "\
Environment:
  Every flag under \"Inputs\" can come from a variable: RBACSIM_FILENAME holds paths as PATH does,
  RBACSIM_KUBERNETES_VERSION a version, RBACSIM_COMPLETE true or false, RBACSIM_SET one NAME=VALUE a line.
  A flag on the command line wins.";

/// Local Kubernetes RBAC permission simulator for Amazon EKS: from IAM ARN to rule, offline, exact, explained.
#[derive(Debug, Parser)]
#[command(name = "rbacsim", version, about, after_help = ENVIRONMENT, max_term_width = 110)]
struct Cli {
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, global = true, value_name = "WHEN")]
    color: Colour,
    /// Print every note below an answer, not only two lines
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Copy, Clone, Debug, ValueEnum)]
enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check whether an identity may do something, and why
    #[command(name = "can-i", visible_alias = "cani")]
    CanI(can_i::Args),
    /// Show who may do what: the access matrix
    Matrix(matrix::Args),
    /// List everyone who may do something, and why
    WhoCan(who_can::Args),
    /// Show what access leads to: who can become whom, step by step
    Paths(paths::Args),
    /// Draw an answer or all access of an identity: from ARN to rule, as SVG, Mermaid, DOT or JSON
    Graph(graph::Args),
    /// Write the access review for sign-off: who may do what in plain words, to be decided on and signed
    Report(report::Args),
    /// Show the Kubernetes user behind IAM ARNs
    Whoami(whoami::Args),
    /// Show who gains and who loses access, between two input sets or since a Git revision
    Diff(diff::Args),
    /// Check assertions about access
    Check(check::Args),
    /// Find faults and dangers of the inputs, each with the line and what to do
    Lint(lint::Args),
    /// Show what a code of lint or risk means, with an example
    Explain(explain::Args),
    /// Show what is risky: who holds dangerous access, where, and what to do
    Risk(risk::Args),
    /// Answer a stream of `SubjectAccessReview` objects
    Review(review::Args),
    /// Print a shell script that gathers everything about an EKS cluster
    Collect(collect::Args),
    /// Print what a shell needs to complete commands and flags
    Completion(completion::Args),
    /// Print the manual, for man
    Man(completion::ManArgs),
}

/// How answers are printed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// What a run comes to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Yes, or done and nothing found.
    Yes,
    /// No, or something found.
    No,
    /// The question could not be asked: bad flags, unreadable input.
    NotAsked,
    /// The inputs cannot tell.
    Unknown,
}

impl From<Ternary> for Exit {
    fn from(ternary: Ternary) -> Self {
        match ternary {
            Ternary::Yes => Self::Yes,
            Ternary::No => Self::No,
            Ternary::Unknown => Self::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Yes => 0,
            Exit::No => 1,
            Exit::NotAsked => 2,
            Exit::Unknown => 3,
        })
    }
}

/// How much is gathered before it is printed.
const CHUNK: usize = 1 << 16;

/// Why a command could not do its work: one sentence that tells what to do.
pub(crate) type Failure = Box<dyn std::error::Error>;

pub(crate) fn run() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::NotAsked } else { Exit::Yes };
            // Nothing is left to do if even this cannot be printed.
            let _ = error.print();
            return code.into();
        }
    };
    match cli.color {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    QUIET.store(matches!(&cli.command, Command::CanI(args) if args.is_quiet()), Ordering::Relaxed);
    VERBOSE.store(cli.verbose, Ordering::Relaxed);
    let mut out = printer();
    let result = match &cli.command {
        Command::CanI(args) => can_i::run(args, &mut *out),
        Command::Matrix(args) => matrix::run(args, &mut *out),
        Command::WhoCan(args) => who_can::run(args, &mut *out),
        Command::Paths(args) => paths::run(args, &mut *out),
        Command::Graph(args) => graph::run(args, &mut *out),
        Command::Report(args) => report::run(args),
        Command::Whoami(args) => whoami::run(args, &mut *out),
        Command::Diff(args) => diff::run(args, &mut *out),
        Command::Check(args) => check::run(args, &mut *out),
        Command::Lint(args) => lint::run(args, &mut *out),
        Command::Explain(args) => explain::run(args, &mut *out),
        Command::Risk(args) => risk::run(args, &mut *out),
        Command::Review(args) => review::run(args),
        Command::Collect(args) => collect::run(args, &mut *out),
        Command::Completion(args) => completion::completion(args, Cli::command(), &mut *out),
        Command::Man(args) => completion::man(args, Cli::command(), &mut *out),
    };
    // What was printed before something went wrong comes before the word about it.
    let flushed = out.flush();
    match result.and_then(|exit| Ok(flushed.map(|()| exit)?)) {
        Ok(exit) => exit.into(),
        // The reader has closed the pipe, as `head` does.
        Err(error) if is_broken_pipe(&*error) => Exit::Yes.into(),
        Err(error) => {
            let _ = complain(&*error);
            Exit::NotAsked.into()
        }
    }
}

/// The words of the command line, with those that the environment adds.
static WORDS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Reads the command line and the environment.
fn parse() -> Result<Cli, clap::Error> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let mut command = Cli::command();
    let mut matches = command.try_get_matches_from_mut(&words)?;
    let given = environment::given(&command, &matches, &|name| std::env::var_os(name))
        .map_err(|error| command.error(ErrorKind::InvalidValue, error))?;
    if !given.words.is_empty() {
        // Behind `--` stands no flag.
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        words.splice(end..end, given.words);
        matches = command.try_get_matches_from_mut(&words).inspect_err(|_| {
            let _ = to_stderr("note", &format!("the environment sets {}", given.variables.join(", ")));
        })?;
    }
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    let _ = WORDS.set(words);
    Ok(cli)
}

/// Writes why nothing was answered; what a program said keeps its lines.
fn complain(error: &(dyn std::error::Error + 'static)) -> io::Result<()> {
    let text = error.to_string();
    if !matches!(error.downcast_ref(), Some(rbacsim::read::LoadError::Program(_))) {
        return to_stderr("rbacsim", &text);
    }
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    to_stderr("rbacsim", first)?;
    for line in rest.lines().filter(|_| !is_quiet()) {
        writeln!(anstream::stderr(), "  {}", visible(line))?;
    }
    Ok(())
}

/// A writer that ignores a closed pipe, as after `| head -1`: the exit code still answers.
struct IgnoringBrokenPipe<W>(W);

impl<W: Write> Write for IgnoringBrokenPipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// A writer that takes colours out. Only ours are there, for texts are made visible: from an escape character to `m`.
struct WithoutColours<W> {
    out: W,
    /// What is left of what is being written: it goes on at once, for standard output looks at the ends of lines.
    plain: Vec<u8>,
    is_inside: bool,
}

impl<W: Write> Write for WithoutColours<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        self.plain.clear();
        while !rest.is_empty() {
            let end = memchr::memchr(if self.is_inside { b'm' } else { 0x1b }, rest);
            let (piece, behind) = rest.split_at(end.unwrap_or(rest.len()));
            if !self.is_inside {
                self.plain.extend_from_slice(piece);
            }
            if end.is_some() {
                self.is_inside = !self.is_inside;
            }
            rest = behind.get(1..).unwrap_or_default();
        }
        self.out.write_all(&self.plain)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether `-q` was given: then the exit code alone answers, and nothing at all is printed.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Whether nothing at all is to be printed.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Whether `-v` was given.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// How much stands below an answer.
pub(crate) fn detail() -> Detail {
    if VERBOSE.load(Ordering::Relaxed) { Detail::Full } else { Detail::Short }
}

/// Writes one line to standard error: a label such as `note`, and a text that may hold anything.
pub(crate) fn to_stderr(label: &str, text: &str) -> io::Result<()> {
    if is_quiet() {
        return Ok(());
    }
    writeln!(anstream::stderr(), "{label}: {}", visible(text))
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let json = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind).or(json);
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// No where an identity cannot log in, unknown where that is not known.
pub(crate) fn exit_of_identities<'w>(who: impl Iterator<Item = &'w Who>) -> Exit {
    let errors: Vec<bool> = who.filter_map(Who::error).map(IdentityError::is_refusal).collect();
    match (errors.contains(&true), errors.is_empty()) {
        (true, _) => Exit::No,
        (false, false) => Exit::Unknown,
        (false, true) => Exit::Yes,
    }
}

/// A namespace that was given: an empty one is none, as kubectl has it for `-n "$NAMESPACE"` with nothing in it.
pub(crate) fn given(namespace: Option<&str>) -> Option<&str> {
    namespace.filter(|namespace| !namespace.is_empty())
}

/// Standard output for people, in chunks and not line by line: colours are taken out unless they are wanted.
fn printer() -> Box<dyn Write> {
    let stdout = io::stdout();
    if anstream::AutoStream::choice(&stdout) == anstream::ColorChoice::Never {
        let plain = WithoutColours { out: IgnoringBrokenPipe(stdout), plain: Vec::new(), is_inside: false };
        return Box::new(BufWriter::with_capacity(CHUNK, plain));
    }
    Box::new(BufWriter::with_capacity(CHUNK, IgnoringBrokenPipe(anstream::AutoStream::auto(stdout))))
}

/// The document of one asker, or those of several as an array.
pub(crate) fn one_or_all(mut documents: Vec<serde_json::Value>) -> serde_json::Value {
    if documents.len() == 1 { documents.remove(0) } else { serde_json::Value::Array(documents) }
}

/// Prints a value as JSON with a line end, without the filter for colours, as it has none.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    write_json(&mut IgnoringBrokenPipe(io::stdout().lock()), value)
}

/// Writes something as JSON and a line end.
pub(crate) fn write_json(out: &mut dyn Write, value: &impl serde::Serialize) -> Result<(), Failure> {
    // A document comes in millions of small pieces.
    let mut out = BufWriter::with_capacity(CHUNK, out);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, EscapedInJson::default()))?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// The command that was given, as a shell takes it, with the flags that the environment gave.
pub(crate) fn command() -> String {
    let words = WORDS.get().into_iter().flatten().skip(1);
    let words = words.map(|word| shell_word(&word.to_string_lossy()));
    std::iter::once("rbacsim".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=,@%+".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
