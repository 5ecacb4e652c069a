//! `graph`: the picture of an answer, or of all access of an identity.

use std::io::Write;

use clap::ValueEnum;
use rbacsim::ask::{can_i, through};
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::ternary::Ternary;
use rbacsim::report::access_graph::{add_access, add_answer, add_way};
use rbacsim::report::diagram::Diagram;
use rbacsim::report::question as words;

use super::asking::{self, Asking};
use super::inputs::{Identity, Inputs};
use super::{Exit, Failure, given};

const EXAMPLES: &str = "\
Examples:
  # What leads from this role to its rules?
  rbacsim graph --arn arn:aws:iam::111122223333:role/oncall -o svg -f manifests/ > oncall.svg

  # Why may it open a shell? For a pull request
  rbacsim graph exec pods -n prod --arn arn:aws:iam::111122223333:role/oncall -o mermaid -f manifests/

Equal things share a box: bindings of the same subjects to roles with the same rules. -o json names them all.
Without VERB and TYPE: all access of the identity; with -n, what counts in that namespace. What is unknown is dashed.
Exit code: with VERB and TYPE that of can-i; else 0 done, 2 it could not be done.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Form::Mermaid)]
    output: Form,
    #[command(flatten)]
    identity: Identity,
    /// Draw the ARN itself, not the roles that it may assume
    #[arg(long)]
    direct: bool,
    #[command(flatten)]
    inputs: Inputs,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For Graphviz
    Dot,
    /// For Markdown; GitHub shows it
    Mermaid,
    /// A picture
    Svg,
    /// Nodes and edges
    Json,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (cluster, _, askers) = args.inputs.load_for(&args.identity)?;
    let mut diagram = Diagram::default();
    let who = askers.iter().map(|(who, arn)| rbacsim::report::text::asker(who, arn.as_deref()));
    let who = who.collect::<Vec<_>>().join(", ");
    let (title, exit) = if args.asking.words.is_empty() {
        let namespace = given(args.asking.namespace.as_deref());
        for (who, arn) in &askers {
            add_access(&mut diagram, &cluster, who, arn.as_deref(), namespace);
            let ways = if args.direct { None } else { through::ways(&cluster, who, arn.as_deref()) };
            for way in ways.into_iter().flatten() {
                let is_certain = way.value.is_yes();
                add_way(&mut diagram, arn.as_deref().unwrap_or_default(), &way.arn, is_certain);
                let own = cluster.identify(&way.arn, None);
                add_access(&mut diagram, &cluster, &own, Some(&way.arn), namespace);
            }
        }
        let place = namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
        (format!("Access of {who}{place}"), Exit::Yes)
    } else {
        let (title, answer) = answers(args, &cluster, &askers, &mut diagram)?;
        (format!("{answer} - {title} as {who}"), answer.into())
    };
    match args.output {
        Form::Dot => write!(out, "{}", diagram.dot("access"))?,
        Form::Mermaid => write!(out, "{}", diagram.mermaid())?,
        Form::Svg => write!(out, "{}", diagram.svg(&title))?,
        Form::Json => super::write_json(out, &diagram.document())?,
    }
    Ok(exit)
}

/// Draws the answers; gives what was asked, and what it comes to.
fn answers(
    args: &Args,
    cluster: &Cluster,
    askers: &[(rbacsim::decide::cluster::Who, Option<String>)],
    diagram: &mut Diagram,
) -> Result<(String, Ternary), Failure> {
    let question = asking::read(&args.asking.words()?, cluster)?;
    let mut total = Ternary::Yes;
    for (who, arn) in askers {
        let answered = can_i::answer(cluster, who, &question, None);
        let way = if args.direct { None } else { through::best(cluster, who, arn.as_deref(), &question) };
        if let Some(way) = way.filter(|way| way.ternary > answered.ternary) {
            total = total.and(way.ternary);
            let role = way.way.arn.as_str();
            add_way(diagram, arn.as_deref().unwrap_or_default(), role, way.way.value.is_yes());
            add_answer(diagram, cluster, (&way.who, Some(role)), &question, &way.answered);
        } else {
            total = total.and(answered.ternary);
            add_answer(diagram, cluster, (who, arn.as_deref()), &question, &answered);
        }
    }
    Ok((words::title(&question), total))
}
