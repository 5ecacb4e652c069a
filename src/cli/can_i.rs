//! `can-i`: one question, its answer, and why.

use std::io::Write;
use std::path::PathBuf;

use rbacsim::ask::paths::From;
use rbacsim::ask::question::{self, Words};
use rbacsim::ask::{can_i, indirect, through};
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::model::ternary::Ternary;
use rbacsim::report::can_i::{self as report, Asker};
use rbacsim::report::iam::basis;
use rbacsim::report::people as of_people;

use super::asking::{self, Asking};
use super::inputs::{Identity, Inputs};
use super::{Exit, Failure, Output, given, iam, list, one_or_all};

mod apply;
mod namespaces;

const EXAMPLES: &str = "\
Examples:
  # May this IAM role session exec into pods in prod?
  rbacsim can-i exec pods -n prod --arn arn:aws:sts::111122223333:assumed-role/dev/alice -f manifests/

  # May a service account read one secret?
  rbacsim can-i get secrets/db -n prod --as system:serviceaccount:prod:app -f manifests/

  # In which namespaces may a role list secrets?
  rbacsim can-i list secrets --namespaces --arn arn:aws:iam::111122223333:role/dev -f manifests/

  # Everything an identity may do in a namespace
  rbacsim can-i --list -n prod --arn arn:aws:iam::111122223333:role/dev -f manifests/

  # Would the API server let this role apply these roles and bindings?
  rbacsim can-i apply --object new-binding.yaml --arn arn:aws:iam::111122223333:role/dev -f export.yaml

VERB is a verb of the API or a kubectl operation (exec, logs, port-forward, scale, apply, drain, rollout-restart ...).
Exit code: 0 yes, 1 no, 2 the question could not be asked, 3 unknown.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    /// List the namespaces of the inputs in which the answer is yes
    #[arg(long, conflicts_with_all = ["namespace", "all_namespaces", "list"])]
    namespaces: bool,
    /// Print every rule in force in the namespace
    #[arg(long, conflicts_with_all = ["quiet", "all_namespaces", "subresource"])]
    list: bool,
    /// With `apply`: whether the API server would accept the roles and bindings of this file; repeatable
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "namespaces"])]
    object: Vec<PathBuf>,
    /// Print nothing; the exit code answers
    #[arg(short, long)]
    quiet: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    identity: Identity,
    /// Ask about the ARN itself, not about the roles that it may assume
    #[arg(long)]
    direct: bool,
    #[command(flatten)]
    known: iam::Known,
    #[command(flatten)]
    inputs: Inputs,
}

impl Args {
    /// Whether nothing is to be printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The answer without the changes of what if.
    fn without_changes(
        &self,
        before: &Cluster,
        (who, arn): (&Who, Option<&str>),
        words: &Words<'_>,
    ) -> Result<Ternary, Failure> {
        let question = question::read(words, before)?;
        let who = arn
            .map_or_else(|| who.clone(), |arn| before.identify(arn, self.identity.session_name.as_deref()));
        let own = can_i::ternary(before, &who, &question, None);
        let through = if self.direct { None } else { through::best(before, &who, arn, &question) };
        Ok(through.map_or(own, |through| through.ternary.or(own)))
    }

    /// What a "no" means for the roles that the asker may assume.
    fn no_way(&self, cluster: &Cluster, (who, arn): (&Who, Option<&str>), answer: Ternary) -> Vec<String> {
        let roles =
            if self.direct || answer != Ternary::No { None } else { through::roles(cluster, who, arn) };
        roles.map(|roles| of_people::no_way(&roles)).into_iter().collect()
    }

    fn of_iam(&self) -> iam::Asking<'_> {
        iam::Asking {
            principals: &self.identity.arn,
            session: self.identity.session_name.as_deref(),
            context: &self.identity.context,
            known: &self.known,
            inputs: &self.inputs,
            output: self.output,
            quiet: self.quiet,
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    if let Some(question) = iam::question(&args.asking.words)? {
        return iam::can_i(question, &args.of_iam(), out);
    }
    if args.list {
        if !args.asking.words.is_empty() {
            return Err("--list lists everything; leave VERB and TYPE out".into());
        }
        let cluster = args.inputs.load()?;
        let namespace = given(args.asking.namespace.as_deref());
        return list::run(&cluster, &args.identity, namespace, args.output, out);
    }
    if !args.object.is_empty() {
        if !matches!(args.asking.words.as_slice(), [verb] if verb == "apply") {
            return Err("--object is for `can-i apply` without a TYPE".into());
        }
        let (cluster, _, askers) = args.inputs.load_for(&args.identity)?;
        return apply::run(&cluster, &askers, &args.object, (args.output, args.quiet), out);
    }
    let words = args.asking.words()?;
    let (cluster, before, askers) = args.inputs.load_for(&args.identity)?;
    if args.namespaces {
        return namespaces::run(&cluster, &askers, &words, (args.output, args.quiet), out);
    }
    let question = asking::read(&words, &cluster)?;
    let mut total = Ternary::Yes;
    let mut documents = Vec::new();
    for ((who, arn), index) in askers.iter().zip(0usize..) {
        let through =
            if args.direct { None } else { through::best(&cluster, who, arn.as_deref(), &question) };
        if args.quiet {
            let own = can_i::ternary(&cluster, who, &question, None);
            total = total.and(through.map_or(own, |through| through.ternary.or(own)));
            continue;
        }
        let answered = can_i::explain(&cluster, who, &question, None);
        let before = match &before {
            Some(before) => Some(args.without_changes(before, (who, arn.as_deref()), &words)?),
            None => None,
        };
        let of_iam = basis(&cluster);
        if let Some(through) = through.filter(|through| through.ternary > answered.ternary) {
            total = total.and(through.ternary);
            let asker = Asker {
                who: &through.who,
                arn: Some(&through.way.arn),
                before,
                indirect: None,
                remarks: &of_iam,
                detail: super::detail(),
            };
            let own = arn.as_deref().unwrap_or_default();
            if args.output == Output::Text {
                if index > 0 {
                    writeln!(out)?;
                }
                of_people::through(out, &cluster, own, &question, &through)?;
                report::text(out, &cluster, asker, &question, &through.answered)?;
            } else {
                let document = report::document(&cluster, asker, &question, &through.answered);
                documents.push(of_people::through_document(&cluster, own, &through, document));
            }
            continue;
        }
        // One "no" makes the total a "no", and else one "unknown" an "unknown".
        total = total.and(answered.ternary);
        let indirect = if answered.ternary == Ternary::No && !args.direct {
            from(who, arn.as_deref()).and_then(|from| indirect::nearest(&cluster, &from, &question))
        } else {
            None
        };
        let remarks = args.no_way(&cluster, (who, arn.as_deref()), answered.ternary);
        let asker = Asker {
            who,
            arn: arn.as_deref(),
            before,
            indirect: indirect.as_ref(),
            remarks: &remarks,
            detail: super::detail(),
        };
        match args.output {
            Output::Text => {
                if index > 0 {
                    writeln!(out)?;
                }
                report::text(out, &cluster, asker, &question, &answered)?;
            }
            Output::Json => {
                documents.push(report::document(&cluster, asker, &question, &answered));
            }
        }
    }
    if args.output == Output::Json && !args.quiet {
        super::print_json(&one_or_all(documents))?;
    }
    Ok(total.into())
}

/// Where the search for somebody who can begins.
fn from(who: &Who, arn: Option<&str>) -> Option<From> {
    match arn {
        Some(arn) => Some(From::iam(arn, who)),
        None => who.shown().map(|user| From::who(&user)),
    }
}

/// Everybody who asks, with the ARN if one was given.
type Askers = [(Who, Option<String>)];
