//! `matrix`: who may do what, all of it.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rbacsim::ask::matrix::holder::{self, LeftOut};
use rbacsim::ask::matrix::{Crowd, Holder, Matrix, Scratch, preset};
use rbacsim::ask::question;
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::digests;
use rbacsim::report::question as words;
use rbacsim::report::statement::{Asked, Statement};
use rbacsim::report::visible::visible;
use rbacsim::report::{
    matrix_evidence, matrix_html, matrix_long, matrix_people, matrix_statement, matrix_table,
};

use super::inputs::{Identity, Inputs};
use super::meter::Meter;
use super::selection::{Preset, Subjects, columns};
use super::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  # Everything an IAM role may do, as a table
  rbacsim matrix --arn arn:aws:iam::111122223333:role/dev -f manifests/

  # Who may exec into pods and read secrets, all mapped identities at a glance
  rbacsim matrix --resources pods/exec,secrets --verbs create,get -f manifests/

  # The access that an auditor asks about first
  rbacsim matrix --preset sensitive --exclude-system --subjects arns,all -f manifests/

  # Everything, for a spreadsheet, with what it is based on in a second file
  rbacsim matrix --subjects all -o csv --meta meta.json -f manifests/ > matrix.csv

  # Who the people behind the mapped roles are, from an IAM export
  rbacsim matrix --preset sensitive --people -f manifests/ -f account.json

  # One page to open in a browser, with the grant behind every row
  rbacsim matrix -o html -f manifests/ > matrix.html

Exit code: 0 done, 2 it could not be asked.";

/// From how many bytes on a page is worth a word: what browsers open at once.
const LARGE_PAGE: u64 = 20_000_000;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// Whose access: arns (every mapped IAM identity), all (every subject of a binding), or both
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHOSE", conflicts_with_all = ["arn", "as_user"])]
    subjects: Vec<Subjects>,
    /// Leave out identities that come with Kubernetes or EKS: system: and eks: names, controllers, nodes
    #[arg(long)]
    exclude_system: bool,
    /// Only these namespaces, and access granted in every namespace; repeatable or comma-separated
    #[arg(short, long, value_delimiter = ',', value_name = "NAMESPACE")]
    namespace: Vec<String>,
    /// Only these verbs, comma-separated
    #[arg(long, value_delimiter = ',', value_name = "VERBS")]
    verbs: Vec<String>,
    /// Only these resources, comma-separated: pods, pods/exec, deployments.apps, /healthz
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    resources: Vec<String>,
    /// Only the most sensitive access, with what each column means
    #[arg(long, value_enum, conflicts_with_all = ["verbs", "resources"])]
    preset: Option<Preset>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Name the people behind each IAM identity, from the IAM exports among the inputs
    #[arg(long)]
    people: bool,
    /// In CSV, add a row for each grant, with the binding, the role, the rule and its place
    #[arg(long)]
    grants: bool,
    /// In CSV, add the rows whose answer is unknown, and a column `answer`
    #[arg(long)]
    unknown: bool,
    /// Show apart what they have not and can get by certain steps, with the number of steps
    #[arg(long)]
    reachable: bool,
    /// Write what the matrix is based on, and what is unknown, to this file as JSON
    #[arg(long, value_name = "FILE")]
    meta: Option<PathBuf>,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// The same with every list whole
    Wide,
    /// Long form, one row per access
    Csv,
    /// One document: meta, rows with their grants, unknown
    Json,
    /// Long form, one object a line
    Ndjson,
    /// For a pull request
    Markdown,
    /// One page to open in a browser
    Html,
}

/// Whether the form of output can carry what was asked for.
fn check_form(args: &Args) -> Result<(), Failure> {
    if (args.grants || args.unknown) && args.output != Format::Csv {
        return Err(
            "--grants and --unknown add columns to CSV; use them with -o csv (-o json has both already)"
                .to_owned()
                .into(),
        );
    }
    Ok(())
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    check_form(args)?;
    let cluster = args.inputs.load()?;
    let filter = columns(&args.verbs, &args.resources, &cluster)?;
    let mut holders = holders(args, &cluster)?;
    let left_out =
        if args.exclude_system { holder::without_system(&cluster, &mut holders) } else { LeftOut::default() };
    let sensitive = preset::sensitive(cluster.version());
    let sensitive = sensitive.as_slice();
    let entries = match args.preset {
        Some(Preset::Sensitive) => Some(sensitive),
        // Several identities in one table need few columns.
        None if args.verbs.is_empty()
            && args.resources.is_empty()
            && holders.len() > 1
            && matches!(args.output, Format::Table | Format::Wide | Format::Markdown) =>
        {
            Some(sensitive)
        }
        None => None,
    };
    let filter = entries.map_or(filter, preset::filter);
    let matrix = choose(args, Matrix::new(&cluster, &filter), entries)?;
    let matrix = with_people(args, matrix, &holders)?;
    let matrix = if args.reachable { matrix.with_reachable(&holders) } else { matrix };
    let mut statement = Statement::of(&matrix, &holders, left_out);
    statement.asked = asked(args, &cluster, entries.unwrap_or_default());
    if let Some(path) = &args.meta {
        let meta = matrix_statement::document(&matrix, &statement, count(&matrix, &holders));
        write_meta(path, &matrix, &holders, &meta)?;
    }
    let mut meter = Meter::new(holders.len());
    let mut progress = |done, rows| meter.tick(done, rows);
    // Rows by the million: past the filter for colours, straight to standard output.
    let mut raw = io::stdout().lock();
    match args.output {
        Format::Csv => {
            let written = if args.grants || args.unknown || args.reachable {
                let columns = matrix_evidence::Columns { grants: args.grants, unknown: args.unknown };
                matrix_evidence::csv(&mut raw, &matrix, &holders, columns, &mut progress)?
            } else {
                matrix_long::csv(&mut raw, &matrix, &holders, &mut progress)?
            };
            side_notes(args, &matrix, &statement, &holders, written.rows)?;
            if let Some(formula) = written.formula {
                super::to_stderr(
                    "warning",
                    &format!(
                        "`{formula}` looks like a formula and is written unchanged; import the columns into a spreadsheet as text"
                    ),
                )?;
            }
        }
        Format::Ndjson => {
            let rows = matrix_long::ndjson(&mut raw, &matrix, &holders, &mut progress)?;
            side_notes(args, &matrix, &statement, &holders, rows)?;
        }
        Format::Json => {
            let meta = matrix_statement::document(&matrix, &statement, count(&matrix, &holders));
            matrix_long::json(&mut raw, &matrix, &holders, &meta, &mut progress)?;
        }
        Format::Html => {
            let meta = matrix_statement::document(&matrix, &statement, count(&matrix, &holders));
            let written = matrix_html::page(&mut raw, &matrix, &holders, &meta, &mut progress)?;
            if written.bytes > LARGE_PAGE {
                writeln!(
                    anstream::stderr(),
                    "note: the page is {} MB with {} rows and may open slowly; narrow it with --preset sensitive, --exclude-system, -n, --resources or --arn, or use -o csv",
                    written.bytes / 1_000_000,
                    written.rows
                )?;
            }
        }
        Format::Markdown | Format::Table | Format::Wide => {
            drop(raw);
            table(args, out, &matrix, &holders, &statement, entries)?;
        }
    }
    Ok(Exit::Yes)
}

/// Prints the matrix for people.
fn table(
    args: &Args,
    out: &mut dyn Write,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    statement: &Statement,
    entries: Option<&[preset::Entry]>,
) -> Result<(), Failure> {
    let mut lines = matrix_statement::lines(matrix, statement, count(matrix, holders));
    let selection = matrix_statement::selection(&statement.asked);
    let is_markdown = args.output == Format::Markdown;
    if is_markdown {
        lines.push(selection.clone());
        lines.extend(matrix_statement::asked_lines(&statement.asked));
    }
    let style = if is_markdown { matrix_table::Style::Markdown } else { terminal_style() };
    let view = matrix_table::View {
        matrix,
        holders,
        is_wide: args.output == Format::Wide,
        entries,
        all_rows: !args.resources.is_empty() || entries.is_some(),
        asked_preset: args.preset.is_some(),
    };
    matrix_table::print(out, &view, &style, &lines)?;
    if !is_markdown {
        writeln!(out, "\n{}", visible(&selection))?;
    }
    Ok(())
}

/// Whose access is asked for, in words.
fn whose(args: &Args, cluster: &Cluster) -> String {
    let identity = &args.identity;
    let mut named: Vec<String> = identity.arn.clone();
    named.extend(identity.as_user.iter().map(|user| format!("User {user}")));
    named.extend(identity.as_group.iter().map(|group| format!("Group {group}")));
    if !named.is_empty() {
        return named.join(", ");
    }
    let arns = "every mapped IAM identity";
    let all = "every subject of a binding";
    let whose = match subjects(args, || holder::mapped(cluster).is_empty()).as_slice() {
        [Subjects::Arns] => arns.to_owned(),
        [Subjects::All] => all.to_owned(),
        _ => format!("{arns} and {all}"),
    };
    let but = if args.exclude_system { ", without those that come with Kubernetes or EKS" } else { "" };
    format!("{whose}{but}")
}

/// Whose access is asked for where nobody is named.
fn subjects(args: &Args, is_nobody_mapped: impl FnOnce() -> bool) -> Vec<Subjects> {
    let mut given = args.subjects.clone();
    given.dedup();
    match given.as_slice() {
        [] if is_nobody_mapped() => vec![Subjects::All],
        [] => vec![Subjects::Arns],
        _ => given,
    }
}

/// What the matrix is asked for, for its statement.
fn asked(args: &Args, cluster: &Cluster, entries: &[preset::Entry]) -> Asked {
    let columns = entries.iter().map(|entry| {
        let group = if entry.group.is_empty() { String::new() } else { format!(".{}", entry.group) };
        let object = entry.object.map(|(namespace, name)| format!(" {name} in {namespace}"));
        let access = format!("{} {}{group}{}", entry.verb, entry.resource, object.unwrap_or_default());
        (access, entry.means)
    });
    // Forms that cannot carry what was asked need no hashes of the inputs.
    let is_carried =
        args.meta.is_some() || matches!(args.output, Format::Json | Format::Html | Format::Markdown);
    let digests = if is_carried {
        digests(cluster.sources(), |file| cluster.graph().policy().is_builtin_file(file))
    } else {
        Vec::new()
    };
    Asked {
        command: super::command(),
        identities: whose(args, cluster),
        namespaces: args.namespace.clone(),
        verbs: args.verbs.clone(),
        resources: args.resources.clone(),
        preset: (!entries.is_empty()).then(|| ("sensitive", columns.collect())),
        inputs: digests.into_iter().map(|one| (one.file, one.sha256)).collect(),
    }
}

/// Writes what the matrix is based on, what is unknown, and the people where they are asked for.
fn write_meta(
    path: &Path,
    matrix: &Matrix<'_>,
    holders: &[Holder],
    meta: &serde_json::Value,
) -> Result<(), Failure> {
    let unknown = matrix_long::unknown(matrix, holders);
    let mut document = serde_json::json!({ "meta": meta, "unknown": unknown });
    if matrix.people().is_some()
        && let Some(object) = document.as_object_mut()
    {
        object.insert("people".to_owned(), matrix_people::document(matrix, holders));
    }
    let mut file =
        std::fs::File::create(path).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    super::write_json(&mut file, &document)
}

/// The matrix with the people behind the identities, where they are asked for.
fn with_people<'c>(args: &Args, matrix: Matrix<'c>, holders: &[Holder]) -> Result<Matrix<'c>, Failure> {
    if !args.people {
        return Ok(matrix);
    }
    let cluster = matrix.cluster();
    if cluster.iam().is_empty()
        && !matches!(args.output, Format::Table | Format::Wide | Format::Markdown | Format::Html)
    {
        super::to_stderr("note", matrix_people::NOBODY)?;
    }
    Ok(matrix.with_people(Crowd::of(cluster, holders)))
}

/// The matrix of the namespaces and objects that are wanted.
fn choose<'c>(
    args: &Args,
    mut matrix: Matrix<'c>,
    entries: Option<&[preset::Entry]>,
) -> Result<Matrix<'c>, Failure> {
    let namespaces: Vec<&str> =
        args.namespace.iter().filter_map(|namespace| super::given(Some(namespace))).collect();
    for namespace in &namespaces {
        for warning in words::warnings(&question::check_namespace(namespace, matrix.cluster())?) {
            super::to_stderr("warning", &warning)?;
        }
    }
    if !namespaces.is_empty() {
        matrix = matrix.in_namespaces(namespaces);
        if entries.is_some() || !args.resources.is_empty() {
            matrix = matrix.with_cluster_scope();
        }
    }
    if let Some(entries) = entries {
        matrix = matrix.for_objects_of(entries);
    }
    Ok(matrix)
}

/// How a table is drawn here: the width of the terminal, and ASCII unless it is known to show more.
fn terminal_style() -> matrix_table::Style {
    let is_terminal = io::stdout().is_terminal();
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    let utf8 = locale.to_uppercase().replace('-', "").contains("UTF8");
    let columns = set("COLUMNS").and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| {
        let (terminal_size::Width(width), _) = terminal_size::terminal_size()?;
        is_terminal.then_some(width)
    });
    matrix_table::Style::Text { unicode: is_terminal && utf8, width }
}

fn count(matrix: &Matrix<'_>, holders: &[Holder]) -> usize {
    let mut scratch = Scratch::default();
    holders.iter().map(|holder| matrix.count(holder, &mut scratch)).sum()
}

/// Whose access is shown.
fn holders(args: &Args, cluster: &Cluster) -> Result<Vec<Holder>, Failure> {
    let identity = &args.identity;
    if !identity.arn.is_empty() || identity.as_user.is_some() || !identity.as_group.is_empty() {
        let mut holders = Vec::new();
        for (who, arn) in identity.askers(cluster)? {
            if let Some(error) = who.error() {
                let arn = arn.as_deref().unwrap_or_default();
                super::to_stderr("warning", &format!("{arn}: {error}"))?;
            }
            holders.push(match (arn, &who.is) {
                (None, rbacsim::decide::cluster::WhoIs::User(user)) => holder::of_user(cluster, user.clone()),
                (arn, _) => holder::of_identity(cluster, &arn.unwrap_or_default(), who),
            });
        }
        holder::sort(&mut holders);
        return Ok(holders);
    }
    let mapped = holder::mapped(cluster);
    let subjects = subjects(args, || mapped.is_empty());
    let mut holders = Vec::new();
    if subjects.contains(&Subjects::Arns) {
        if mapped.is_empty() {
            let text = "no identity mapping in the inputs lets anyone log in; use --subjects all to show the subjects that bindings name";
            super::to_stderr("note", text)?;
        }
        holders.extend(mapped);
    }
    if subjects.contains(&Subjects::All) {
        holders.extend(holder::bound(cluster));
    }
    holder::sort(&mut holders);
    Ok(holders)
}

/// The notes for output without a heading: how many rows there are, who was left out, what is unknown.
fn side_notes(
    args: &Args,
    matrix: &Matrix<'_>,
    statement: &Statement,
    holders: &[Holder],
    rows: usize,
) -> Result<(), Failure> {
    const SHOWN: usize = 20;
    for line in matrix_statement::lines(matrix, statement, rows) {
        super::to_stderr("note", &line)?;
    }
    super::to_stderr("note", &matrix_statement::selection(&statement.asked))?;
    let unknown = matrix_statement::unknown_lines(matrix, holders);
    for line in unknown.iter().take(SHOWN) {
        super::to_stderr("unknown", line)?;
    }
    if let Some(more @ 1..) = unknown.len().checked_sub(SHOWN) {
        let place =
            if args.meta.is_some() { "the --meta file has them" } else { "use --meta FILE to list them" };
        super::to_stderr("unknown", &format!("and {more} more; {place}"))?;
    }
    Ok(())
}
