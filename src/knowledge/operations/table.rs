//! Reading the table of operations and filling in a question.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::version::KubernetesVersion;

use super::Target;

const TEXT: &str = include_str!("table.yaml");

/// The table; its language is explained at the head of `table.yaml`. A test reads every row.
pub(super) static TABLE: LazyLock<Result<Table, String>> =
    LazyLock::new(|| serde_yaml::from_str(TEXT).map_err(|error| error.to_string()));

/// Why an operation cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// No operation has this name.
    UnknownOperation(String),
    /// The operation does not work on this type.
    WrongType {
        /// The operation.
        operation: &'static str,
        /// The type asked about, in kubectl's spelling: `nodes`, `deployments.apps/scale`.
        asked: String,
        /// The types that it works on.
        takes: Vec<String>,
    },
    /// The operation came later, or is gone.
    NotInVersion(&'static str, KubernetesVersion),
    /// The table of operations is broken; a test keeps this from happening.
    BrokenTable(String),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOperation(verb) => write!(f, "`{verb}` is not a kubectl operation known here"),
            Self::WrongType { operation, asked, takes } => {
                write!(f, "`{operation}` does not work on `{asked}`; it works on {}", takes.join(", "))
            }
            Self::NotInVersion(operation, version) => {
                write!(f, "there is no `{operation}` in Kubernetes {version}")
            }
            Self::BrokenTable(row) => write!(f, "the table of operations is broken: {row}"),
        }
    }
}

impl std::error::Error for PlanError {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Table {
    /// Names for several types.
    pub(super) types: BTreeMap<String, Vec<String>>,
    /// API groups of Kubernetes with a dot in them; any other group with a dot is a custom one.
    dotted_groups: Vec<String>,
    /// Needs that several operations share, with `THIS` for the type and name they are about.
    pub(super) templates: BTreeMap<String, Row>,
    /// Notes for every operation that writes whole objects of certain types.
    pub(super) write_notes: Vec<NoteRow>,
    pub(super) operations: Vec<Operation>,
}

/// One row of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    /// The first minor version that has it; none where every known one does.
    pub(super) from: Option<u8>,
    #[serde(default)]
    pub(super) any_client: bool,
    #[serde(default)]
    pub(super) writes: bool,
    pub(super) forms: Vec<Form>,
    #[serde(default)]
    pub(super) notes: Vec<NoteRow>,
}

/// What an operation needs on some types; the first form that fits counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) on: Vec<String>,
    /// Whether the question must name an object, or must not; either if nothing is said.
    pub(super) named: Option<bool>,
    #[serde(default)]
    pub(super) needs: Row,
    #[serde(default)]
    pub(super) kubectl: Row,
    #[serde(default)]
    pub(super) ways: Vec<WayRow>,
    #[serde(default)]
    pub(super) extras: Vec<BranchRow>,
    #[serde(default)]
    pub(super) notes: Vec<NoteRow>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Row {
    Request(String),
    All(Vec<Row>),
    Any(AnyRow),
    Cases(CasesRow),
    Use(UseRow),
}

impl Default for Row {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnyRow {
    pub(super) any: Vec<BranchRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CasesRow {
    pub(super) cases: Vec<BranchRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UseRow {
    #[serde(rename = "use")]
    pub(super) template: String,
    pub(super) of: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BranchRow {
    pub(super) label: String,
    #[serde(default)]
    pub(super) needs: Row,
    pub(super) from: Option<u8>,
    pub(super) until: Option<u8>,
}

/// Another form of the command, with what differs from the plain one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WayRow {
    pub(super) label: String,
    pub(super) needs: Option<Row>,
    pub(super) kubectl: Option<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteRow {
    pub(super) note: String,
    pub(super) from: Option<u8>,
    pub(super) until: Option<u8>,
    pub(super) on: Option<Vec<String>>,
}

/// Every operation; none if the table is broken.
pub(super) fn operations() -> &'static [Operation] {
    TABLE.as_ref().map_or(&[], |table| &table.operations)
}

/// The operation that `text` spells: words joined by dashes, whatever dashes and spaces stand between.
pub(super) fn find(text: &str) -> Option<&'static Operation> {
    let words: Vec<&str> = text.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    operations().iter().find(|operation| operation.name == name || operation.aliases.contains(&name))
}

impl Table {
    pub(super) fn fits(&self, patterns: &[String], target: &Target<'_>) -> bool {
        patterns.iter().any(|pattern| match self.types.get(pattern) {
            Some(types) => self.fits(types, target),
            None => self.matches(pattern, target),
        })
    }

    /// Whether a pattern is the target: `deployments.apps`, `pods/exec`, `any`, `any/any` or `custom`.
    fn matches(&self, pattern: &str, target: &Target<'_>) -> bool {
        let (of, subresource) = split_subresource(pattern);
        let fits = match of {
            "any" => true,
            "custom" => {
                target.group.contains('.') && !self.dotted_groups.iter().any(|own| own == target.group)
            }
            _ => split_group(of) == (target.resource, target.group),
        };
        let asked = target.subresource.filter(|asked| !asked.is_empty());
        fits && (subresource == asked || (subresource == Some("any") && asked.is_some()))
    }
}

/// `deployments.apps` as resource and group.
pub(super) fn split_group(of: &str) -> (&str, &str) {
    of.split_once('.').unwrap_or((of, ""))
}

/// `pods/exec` as type and subresource.
pub(super) fn split_subresource(of: &str) -> (&str, Option<&str>) {
    of.split_once('/').map_or((of, None), |(of, subresource)| (of, Some(subresource)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::version::KubernetesVersion;

    /// A target that a pattern stands for.
    fn example(pattern: &str) -> Target<'_> {
        let (of, subresource) = split_subresource(pattern);
        let (resource, group) = match of {
            "any" => ("configmaps", ""),
            "custom" => ("widgets", "example.com"),
            of => split_group(of),
        };
        let subresource = subresource.map(|own| if own == "any" { "status" } else { own });
        Target { group, resource, name: Some("x"), subresource, namespaced: true }
    }

    /// The same, with a name or without one as the form wants it.
    fn example_for<'a>(form: &Form, pattern: &'a str) -> Target<'a> {
        let name = Some("x").filter(|_| form.named != Some(false));
        Target { name, ..example(pattern) }
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let table = TABLE.as_ref().unwrap();
        let mut used = BTreeSet::new();
        for operation in &table.operations {
            for form in &operation.forms {
                for pattern in &form.on {
                    let one = std::slice::from_ref(pattern);
                    for pattern in table.types.get(pattern).map_or(one, Vec::as_slice) {
                        let target = example_for(form, pattern);
                        assert!(table.fits(&form.on, &target), "{}: {pattern}", operation.name);
                        for version in KubernetesVersion::all() {
                            if operation.from.is_some_and(|from| version.minor() < from) {
                                continue;
                            }
                            let plan = operation.plan(&target, version).unwrap();
                            assert!(!plan.needs.is_nothing(), "{}: {pattern}", operation.name);
                            let extras = plan.extras.iter().map(|extra| &extra.need);
                            let ways = plan.ways.iter().flat_map(|way| [&way.needs, &way.kubectl]);
                            for need in extras.chain(ways).chain([&plan.needs, &plan.kubectl]) {
                                used.extend(need.steps().into_iter().cloned());
                            }
                        }
                    }
                }
            }
        }
        for step in used {
            let words = [&step.verb, &step.resource, &step.group, &step.subresource];
            let lower = |word: &String| word.chars().all(|c| c.is_ascii_lowercase() || "8.:-".contains(c));
            assert!(words.into_iter().all(lower), "{step:?}");
            assert!(!step.why.is_empty() && !step.why.contains("--"), "{step:?}");
        }
    }

    #[test]
    fn names_and_aliases_are_no_others_and_no_verbs_of_the_api() {
        let table = TABLE.as_ref().unwrap();
        let verbs = super::super::API_VERBS.map(ToOwned::to_owned);
        let mut seen: BTreeSet<&String> = verbs.iter().collect();
        for operation in &table.operations {
            assert!(seen.insert(&operation.name), "{}", operation.name);
            for alias in &operation.aliases {
                assert!(seen.insert(alias), "{alias}");
            }
        }
        for name in table.types.keys() {
            assert!(!name.contains('.') && !table.types.values().flatten().any(|of| of == name), "{name}");
        }
    }
}
