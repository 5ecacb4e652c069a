//! Questions of IAM: `can-i sts:AssumeRole ROLE` and `who-can sts:AssumeRole ROLE`.

use std::io::Write;

use rbacsim::ask::assume_role::{self, Action};
use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::iam::Context;
use rbacsim::model::ternary::Ternary;
use rbacsim::report::assume_role as report;

use super::inputs::Inputs;
use super::{Exit, Failure, Output};

/// What is known of the request beside who asks.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Questions of IAM")]
pub(crate) struct Known {
    /// Every condition key that is not given and does not follow from the inputs is absent
    #[arg(long)]
    context_complete: bool,
}

impl Known {
    fn context(&self, given: &[String]) -> Result<Context, Failure> {
        let mut context = Context::new();
        for given in given {
            let (key, value) = given
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| format!("`--context {given}` is not KEY=VALUE"))?;
            if value.is_empty() {
                context.absent(key);
            } else {
                context.add(key, value);
            }
        }
        Ok(if self.context_complete { context.complete() } else { context })
    }
}

/// The action and the role, if the words of a question are one of IAM.
pub(crate) fn question(words: &[String]) -> Result<Option<(Action, &str)>, Failure> {
    let Some(action) = words.first().and_then(|word| Action::of(word)) else { return Ok(None) };
    match words {
        [_, role] if role.starts_with("arn:") && role.contains(":role/") => Ok(Some((action, role))),
        _ => Err(format!(
            "give the ARN of one role, such as `{} arn:aws:iam::111122223333:role/oncall`",
            action.as_str()
        )
        .into()),
    }
}

/// What a question of IAM comes with.
pub(crate) struct Asking<'a> {
    pub(crate) principals: &'a [String],
    pub(crate) session: Option<&'a str>,
    pub(crate) context: &'a [String],
    pub(crate) known: &'a Known,
    pub(crate) inputs: &'a Inputs,
    pub(crate) output: Output,
    pub(crate) quiet: bool,
}

/// Answers whether principals may become a role.
pub(crate) fn can_i(
    (action, role): (Action, &str),
    asking: &Asking<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if asking.principals.is_empty() {
        return Err("nobody asks; give --arn with a principal of IAM".into());
    }
    let context = asking.known.context(asking.context)?;
    let cluster = asking.inputs.load()?;
    note_changes(&cluster)?;
    let mut total = Ternary::Yes;
    let mut documents = Vec::new();
    for (principal, index) in asking.principals.iter().zip(0usize..) {
        let answer = assume_role::may(&cluster, action, principal, role, asking.session, &context)
            .map_err(|why| report::not_a_caller(principal, why))?;
        total = total.and(answer.verdict.value);
        let asked = report::Asked { action, role, principal };
        match asking.output {
            _ if asking.quiet => {}
            Output::Text => {
                if index > 0 {
                    writeln!(out)?;
                }
                report::can_i(out, &cluster, asked, &answer, super::detail())?;
            }
            Output::Json => documents.push(report::can_i_document(&cluster, asked, &answer)),
        }
    }
    if asking.output == Output::Json && !asking.quiet {
        super::print_json(&super::one_or_all(documents))?;
    }
    Ok(total.into())
}

/// Answers who can become a role.
pub(crate) fn who_can(
    (action, role): (Action, &str),
    inputs: &Inputs,
    output: Output,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let cluster = inputs.load()?;
    note_changes(&cluster)?;
    let Some(id) = assume_role::role(cluster.iam(), role) else {
        return Err(format!(
            "role `{role}` is in no IAM export among the inputs; give -f with what `aws iam get-account-authorization-details` prints"
        )
        .into());
    };
    let found = assume_role::who(&cluster, action, id);
    let asked = report::Asked { action, role, principal: "" };
    match output {
        Output::Text => report::who_can(out, &cluster, asked, &found, super::detail())?,
        Output::Json => super::print_json(&report::who_can_document(&cluster, asked, &found))?,
    }
    Ok(found.ternary().into())
}

/// Says what was changed in the inputs before the question is answered.
fn note_changes(cluster: &Cluster) -> Result<(), Failure> {
    for change in rbacsim::report::notes::changes(cluster) {
        super::to_stderr("note", &change)?;
    }
    Ok(())
}
