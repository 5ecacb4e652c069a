//! What a capability takes, as columns of a matrix; and what they say of one holder at one place.

use std::collections::{BTreeMap, BTreeSet};

use super::has;
use crate::ask::matrix::{Dense, Matrix, Universe};
use crate::decide::cluster::{Cluster, Who};
use crate::knowledge::capabilities::{Ask, Need};
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::ternary::Ternary;
use crate::model::user::UserInfo;

/// Whether a question counts in a cluster: by its version, and by the types that are known.
pub(super) fn counts(ask: &Ask, cluster: &Cluster) -> bool {
    let plural = ask.resource.split('/').next().unwrap_or_default();
    ask.counts_in(cluster.version())
        && (!ask.if_known || cluster.catalogue().find(ask.group, plural).is_some())
}

/// What a capability takes, in the columns of a matrix.
#[derive(Debug)]
pub(super) enum Compiled {
    /// One of these.
    Any(Vec<Compiled>),
    /// All of these.
    All(Vec<Compiled>),
    /// One of these columns.
    Ask(&'static Ask, Vec<u32>),
}

/// What is known of a holder, by namespace heading.
#[derive(Debug)]
pub(super) struct Facts {
    /// Granted for any name.
    pub(super) any: BTreeMap<String, Dense>,
    /// Granted for some names.
    pub(super) named: BTreeMap<String, Vec<(u32, Name)>>,
    /// Unknown.
    pub(super) open: BTreeMap<String, Dense>,
    /// Names of objects for which something may be granted.
    pub(super) in_doubt: BTreeMap<String, BTreeSet<String>>,
    /// Who it is, for what the matrix has no column for.
    pub(super) who: Who,
    /// Whether anything of it is unknown at all.
    pub(super) is_open: bool,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            any: BTreeMap::new(),
            named: BTreeMap::new(),
            open: BTreeMap::new(),
            in_doubt: BTreeMap::new(),
            who: Who::user(UserInfo::default()),
            is_open: false,
        }
    }
}

/// Where a capability is looked at.
#[derive(Copy, Clone, Debug)]
pub(super) enum Spot<'s> {
    /// For the whole cluster, in all namespaces at once.
    Everywhere,
    /// In one namespace.
    In(&'s str),
}

impl<'s> Spot<'s> {
    /// The headings under which stands what counts there.
    pub(super) fn headings(self) -> Vec<&'s str> {
        match self {
            Self::Everywhere => vec!["", "*"],
            Self::In(namespace) => vec!["", "*", namespace],
        }
    }
}

/// Whether requests with a verb on a resource carry the name of an object.
fn carries_a_name(verb: &str, resource: &str) -> bool {
    verb != "deletecollection" && (verb != "create" || resource.contains('/'))
}

impl Compiled {
    /// The columns of what a capability takes, as far as it counts in the cluster.
    pub(super) fn of(need: &'static Need, cluster: &Cluster, universe: &Universe) -> Self {
        let parts = |parts: &'static [Need]| {
            let counting =
                parts.iter().filter(|part| !matches!(part, Need::Ask(ask) if !counts(ask, cluster)));
            counting.map(|part| Self::of(part, cluster, universe)).collect()
        };
        match need {
            Need::Any(list) => Self::Any(parts(list)),
            Need::All(list) => Self::All(parts(list)),
            Need::Ask(ask) => {
                let is_asked = |number: &u32| {
                    universe.column(*number).is_some_and(|(cell, verb)| {
                        cell.group == ask.group && cell.resource == ask.resource && ask.verbs.contains(&verb)
                    })
                };
                let numbers = universe.columns().iter().zip(0u32..).map(|(_, number)| number);
                Self::Ask(ask, numbers.filter(is_asked).collect())
            }
        }
    }

    /// Whether it is had at a place.
    pub(super) fn answer(&self, matrix: &Matrix<'_>, facts: &Facts, spot: Spot<'_>) -> Ternary {
        match self {
            Self::Any(parts) => Ternary::any(parts.iter().map(|part| part.answer(matrix, facts, spot))),
            Self::All(parts) => Ternary::all(parts.iter().map(|part| part.answer(matrix, facts, spot))),
            Self::Ask(ask, columns) => {
                Ternary::any(columns.iter().map(|column| one(matrix, facts, ask, *column, spot)))
            }
        }
    }

    /// The columns because of which it is had at a place; with `by_name` those for some names too.
    pub(super) fn support(
        &self,
        matrix: &Matrix<'_>,
        facts: &Facts,
        spot: Spot<'_>,
        by_name: bool,
        into: &mut Vec<u32>,
    ) {
        let is_had = |part: &Self| {
            part.answer(matrix, facts, spot).is_yes()
                || (by_name && part.names(matrix, facts, spot).is_some())
        };
        match self {
            Self::Any(parts) | Self::All(parts) => {
                for part in parts.iter().filter(|part| is_had(part)) {
                    part.support(matrix, facts, spot, by_name, into);
                }
            }
            Self::Ask(ask, columns) => into.extend(columns.iter().copied().filter(|column| {
                one(matrix, facts, ask, *column, spot).is_yes()
                    || (by_name && !names_of(matrix, facts, *column, spot).is_empty())
            })),
        }
    }

    /// The names of the objects for which it is had at a place; empty for any, `None` for no object.
    pub(super) fn names(&self, matrix: &Matrix<'_>, facts: &Facts, spot: Spot<'_>) -> Option<BTreeSet<Name>> {
        if self.answer(matrix, facts, spot).is_yes() {
            return Some(BTreeSet::new());
        }
        match self {
            Self::Any(parts) => {
                let found = parts.iter().filter_map(|part| part.names(matrix, facts, spot));
                found.reduce(|mut all, more| {
                    all.extend(more);
                    all
                })
            }
            Self::All(parts) => {
                let mut all = BTreeSet::new();
                for part in parts {
                    all.extend(part.names(matrix, facts, spot)?);
                }
                Some(all)
            }
            Self::Ask(ask, _) if ask.itself || ask.object.is_some() => None,
            Self::Ask(_, columns) => {
                let found: BTreeSet<Name> =
                    columns.iter().flat_map(|column| names_of(matrix, facts, *column, spot)).collect();
                (!found.is_empty()).then_some(found)
            }
        }
    }

    /// Whether it is had for an object of a name, asked of the cluster itself.
    pub(super) fn asked(&self, cluster: &Cluster, who: &Who, namespace: &str, name: &str) -> Ternary {
        match self {
            Self::Any(parts) => {
                Ternary::any(parts.iter().map(|part| part.asked(cluster, who, namespace, name)))
            }
            Self::All(parts) => {
                Ternary::all(parts.iter().map(|part| part.asked(cluster, who, namespace, name)))
            }
            Self::Ask(ask, _) => Ternary::any(ask.verbs.iter().map(|verb| {
                let name = if carries_a_name(verb, ask.resource) { name } else { "" };
                direct(cluster, who, ask, verb, name, namespace)
            })),
        }
    }
}

/// One verb of a question, asked of the cluster itself.
fn direct(cluster: &Cluster, who: &Who, ask: &Ask, verb: &str, name: &str, namespace: &str) -> Ternary {
    let asked = ResourceAttributes::of(verb, ask.group, ask.resource);
    let in_cluster = cluster.catalogue().is_namespaced(ask.group, asked.resource) == Some(false);
    let namespace = if in_cluster && !ask.bound && !ask.itself { "" } else { namespace };
    cluster.ternary_for_type(who, &Attributes::Resource(ResourceAttributes { name, namespace, ..asked }))
}

/// What one column says at a place.
fn one(matrix: &Matrix<'_>, facts: &Facts, ask: &Ask, column: u32, spot: Spot<'_>) -> Ternary {
    let names = &matrix.cluster().graph().policy().names;
    let Some((_, verb)) = matrix.universe().column(column) else { return Ternary::No };
    let named = |heading: &str, name: &str| {
        let name = names.lookup(name);
        facts.named.get(heading).is_some_and(|list| list.contains(&(column, name)))
    };
    let asked = |name: &str, namespace: &str| {
        if facts.is_open {
            direct(matrix.cluster(), &facts.who, ask, verb, name, namespace)
        } else {
            Ternary::No
        }
    };
    if let Some((namespace, name)) = ask.object {
        let is_granted = ["*", namespace]
            .iter()
            .any(|heading| has(&facts.any, heading, column) || (!name.is_empty() && named(heading, name)));
        return if is_granted { Ternary::Yes } else { asked(name, namespace) };
    }
    match spot {
        Spot::In(namespace) if ask.itself => {
            let is_granted =
                has(&facts.any, "", column) || named("", namespace) || named(namespace, namespace);
            if is_granted { Ternary::Yes } else { asked(namespace, namespace) }
        }
        _ => {
            // What a binding in a namespace grants of a type without namespaces counts for `bind` alone.
            let counts = |heading: &&str| {
                matches!(*heading, "" | "*")
                    || ask.bound
                    || matrix.universe().in_every_namespace().contains(column)
            };
            let headings: Vec<&str> = spot.headings().into_iter().filter(|heading| counts(heading)).collect();
            if headings.iter().any(|heading| has(&facts.any, heading, column)) {
                Ternary::Yes
            } else if headings.iter().any(|heading| has(&facts.open, heading, column)) {
                Ternary::Unknown
            } else {
                Ternary::No
            }
        }
    }
}

/// The names for which a column is granted at a place.
fn names_of(matrix: &Matrix<'_>, facts: &Facts, column: u32, spot: Spot<'_>) -> BTreeSet<Name> {
    let Some((cell, verb)) = matrix.universe().column(column) else { return BTreeSet::new() };
    if !carries_a_name(verb, &cell.resource) {
        return BTreeSet::new();
    }
    let lists = spot.headings().into_iter().filter_map(|heading| facts.named.get(heading));
    lists.flatten().filter(|(own, _)| *own == column).map(|(_, name)| *name).collect()
}
