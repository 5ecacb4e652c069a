//! `who-can`: everyone who may do something.

use std::io::Write;

use rbacsim::ask::question::{Asks, Place};
use rbacsim::ask::who_can::{add_people, who_can};
use rbacsim::ask::{indirect, system};
use rbacsim::report::question as words;
use rbacsim::report::{indirect as told, notes, who_can as report, who_can_document, who_can_table};

use super::asking::{self, Asking};
use super::inputs::Inputs;
use super::{Exit, Failure, Output, iam};

const EXAMPLES: &str = "\
Examples:
  # Who may read secrets in prod, and which IAM identities are behind them?
  rbacsim who-can get secrets -n prod -f manifests/

  # Who may exec into pods of prod, counting everything that kubectl exec needs?
  rbacsim who-can exec pods -n prod -f manifests/

  # Who may delete nodes, or read /metrics?
  rbacsim who-can delete nodes -f manifests/
  rbacsim who-can get /metrics -f manifests/

  # The same with every grant and its place
  rbacsim who-can exec pods -n prod -o wide -f manifests/

  # Which people are behind the roles that may, from an IAM export?
  rbacsim who-can exec pods -n prod --people -f manifests/ -f account.json

  # Who may list secrets in all namespaces at once, and who only in some?
  rbacsim who-can list secrets -A -f manifests/ -o json

  # Who may not read secrets of prod, but can become somebody who may?
  rbacsim who-can get secrets -n prod --indirect -f export.yaml

Without -n and -A the question is about namespace default.
Exit code: 0 someone besides Group system:masters may, 1 no one may, 2 the question could not be asked, 3 unknown.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    /// Leave out what came with Kubernetes or EKS: system: and eks: names, controllers, nodes
    #[arg(long)]
    exclude_system: bool,
    /// Name the people behind each IAM identity, from the IAM exports among the inputs
    #[arg(long)]
    people: bool,
    /// List apart those who cannot and can become somebody who can, in certain steps
    #[arg(long)]
    indirect: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    output: Form,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A table: who, where, through what, the IAM identities behind it
    Text,
    /// Every grant with its place
    Wide,
    /// For machines
    Json,
}

impl From<Form> for Output {
    fn from(form: Form) -> Self {
        match form {
            Form::Text | Form::Wide => Self::Text,
            Form::Json => Self::Json,
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    if let Some(question) = iam::question(&args.asking.words)? {
        return iam::who_can(question, &args.inputs, args.output.into(), out);
    }
    let asked = args.asking.words()?;
    let cluster = args.inputs.load()?;
    let question = asking::read(&asked, &cluster)?;
    let mut found = who_can(&cluster, &question);
    if args.people || args.output == Form::Json {
        add_people(&cluster, &mut found);
    }
    let mut remarks = words::notes(&question.remarks);
    if args.people && cluster.iam().is_empty() {
        remarks.push(rbacsim::report::matrix_people::NOBODY.to_owned());
    }
    if args.exclude_system {
        remarks.extend(report::left_out(&system::leave_out(&cluster, &mut found)));
    }
    if let Asks::Operation(name) = question.asks {
        remarks.insert(0, format!("`{name}` needs {}", words::needs(&question, &question.needs)));
        if !question.any_client && !question.kubectl.is_nothing() {
            remarks
                .insert(1, format!("kubectl also asks for {}", words::needs(&question, &question.kubectl)));
        }
    }
    let mut title = words::title(&question);
    if question.place == Place::AllNamespaces {
        title = format!("{} in all namespaces at once", words::title_without_place(&question));
    }
    remarks.splice(0..0, notes::changes(&cluster));
    let indirect = args.indirect.then(|| indirect::who(&cluster, &question));
    match args.output {
        Form::Text | Form::Wide => {
            let mut basis = report::basis(&cluster, &found);
            if args.output == Form::Wide || args.people {
                report::text(out, &cluster, &title, &found)?;
            } else {
                who_can_table::text(out, &cluster, &title, &found)?;
                basis.short.push_str("; -o wide shows every grant with its place");
            }
            if let Some(indirect) = &indirect {
                told::table(out, indirect)?;
                writeln!(out)?;
            }
            notes::write(out, super::detail(), &remarks, &basis)?;
        }
        Form::Json => {
            let (document, warnings) = (words::document(&question), words::warnings(&question.remarks));
            let asked = who_can_document::Asked {
                text: &title,
                question: &document,
                notes: &remarks,
                warnings: &warnings,
            };
            let document = who_can_document::document(&cluster, asked, &found);
            let Some(indirect) = &indirect else {
                super::print_json(&document)?;
                return Ok(found.ternary().into());
            };
            let mut document = serde_json::to_value(&document)?;
            if let Some(object) = document.as_object_mut() {
                let all = indirect.iter().map(told::document).collect();
                object.insert("indirect".to_owned(), all);
            }
            super::print_json(&document)?;
        }
    }
    Ok(found.ternary().into())
}
