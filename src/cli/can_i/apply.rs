//! `can-i apply --object FILE`: whether the API server would let somebody write the roles and bindings of a file.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use rbacsim::ask::escalation::attempts;
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::ternary::Ternary;
use rbacsim::read::{Defaults, Input, LoadOptions, load};
use rbacsim::report::{diagnostics, escalation as report};

use super::Askers;
use crate::cli::{Exit, Failure, Output};

pub(super) fn run(
    cluster: &Cluster,
    askers: &Askers,
    files: &[PathBuf],
    (output, quiet): (Output, bool),
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let inputs: Vec<Input> = files.iter().cloned().map(Input::Path).collect();
    let options =
        LoadOptions { defaults: Defaults::Never, version: Some(cluster.version()), ..LoadOptions::default() };
    let wanted = load(&inputs, &options)?;
    let mut err = anstream::stderr();
    diagnostics::text(&mut err, &wanted.policy.sources, &wanted.diagnostics, &BTreeSet::new(), false)?;
    if wanted.policy.roles.is_empty() && wanted.policy.bindings.is_empty() {
        return Err("no Role, ClusterRole, RoleBinding or ClusterRoleBinding in the files of --object".into());
    }
    let mut total = if wanted.summary.refused > 0 { Ternary::No } else { Ternary::Yes };
    let mut documents = Vec::new();
    for (who, arn) in askers {
        let found = attempts(cluster, who, &wanted.policy);
        total = found.iter().fold(total, |total, attempt| total.and(attempt.ternary));
        if quiet {
            continue;
        }
        let sources = &wanted.policy.sources;
        match output {
            Output::Text => report::text(out, cluster, (who, arn.as_deref()), sources, &found)?,
            Output::Json => {
                documents.extend(found.iter().map(|attempt| report::document(cluster, sources, attempt)));
            }
        }
    }
    if output == Output::Json && !quiet {
        crate::cli::print_json(&documents)?;
    }
    Ok(total.into())
}
