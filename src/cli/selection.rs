//! What `matrix` and `diff` are asked to show: whose access, and which columns.

use clap::ValueEnum;
use rbacsim::ask::matrix::Filter;
use rbacsim::ask::question::{self, Object};
use rbacsim::decide::cluster::Cluster;
use rbacsim::knowledge::catalogue::Resolution;
use rbacsim::knowledge::operations;
use rbacsim::report::question as words;

use super::Failure;

/// Whose access.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Subjects {
    Arns,
    All,
}

/// Access that is asked for by one word.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// Secrets, exec, impersonation, binding, webhooks and the like
    Sensitive,
}

/// Which columns are wanted.
pub(super) fn columns(
    verbs: &[String],
    resources_asked: &[String],
    cluster: &Cluster,
) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    if !verbs.is_empty() {
        for verb in verbs {
            if operations::is_operation(verb) {
                super::to_stderr(
                    "warning",
                    &format!(
                        "`{verb}` is a kubectl operation, not a verb; use who-can for operations, or give the matrix the requests that it needs, such as --resources pods/exec --verbs create"
                    ),
                )?;
            }
        }
        filter.verbs = Some(verbs.to_vec());
    }
    if resources_asked.is_empty() {
        return Ok(filter);
    }
    let mut resources = Vec::new();
    for target in resources_asked {
        if target.starts_with('/') {
            resources.push(match question::read_path(target) {
                None => (String::new(), target.clone()),
                Some(of_api) => type_of_path(target, &of_api.object)?,
            });
            continue;
        }
        let read = question::read_type(target, cluster);
        for warning in words::warnings(&read.remarks) {
            super::to_stderr("warning", &warning)?;
        }
        let unknown = matches!(read.resolution, Resolution::Unknown { .. });
        let (group, resource) = (read.resolution.group(), read.resolution.resource());
        let others = if unknown { cluster.possible_types(group, resource) } else { Vec::new() };
        let part = match (read.subresource.as_str(), read.name.as_str()) {
            ("", "") => String::new(),
            ("", part) if unknown => format!("/{part}"),
            ("", name) => {
                return Err(format!("`{target}` names the object `{name}`; the matrix takes resource types and subresources, such as `pods` or `pods/exec`").into());
            }
            (part, _) => format!("/{part}"),
        };
        resources.push((group.to_owned(), format!("{resource}{part}")));
        // Rules speak of it in another group: a CRD outside the inputs may define it there.
        resources.extend(
            others.into_iter().map(|(group, resource)| (group.to_owned(), format!("{resource}{part}"))),
        );
    }
    filter.resources = Some(resources);
    Ok(filter)
}

/// The type that a path of the API stands for.
fn type_of_path(path: &str, object: &Object) -> Result<(String, String), Failure> {
    if !object.name.is_empty() {
        return Err(format!(
            "`{path}` is the path of the object `{}`; the matrix takes resource types and subresources, such as `pods` or `pods/exec`",
            object.name
        )
        .into());
    }
    let part = if object.subresource.is_empty() { String::new() } else { format!("/{}", object.subresource) };
    let resource = format!("{}{part}", object.resource);
    super::to_stderr(
        "note",
        &format!(
            "`{path}` is a path of the API; the matrix shows its resource, `{resource}`; use -n to choose namespaces"
        ),
    )?;
    Ok((object.group.clone(), resource))
}
