//! Which columns each rule allows.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::bits::{Dense, Sparse};
use super::{Place, Universe};
use crate::decide::evaluate::matches::{Lexicon, Request, Target, api_group_matches};
use crate::decide::graph::RbacGraph;
use crate::model::names::Name;
use crate::model::rbac::RuleId;

/// Asks the authorizer's matcher which columns each rule allows. What a rule is not asked about, it cannot
/// match: its resources are other texts and no wildcards.
pub(in crate::ask::matrix) fn compile(
    universe: &Universe,
    graph: &RbacGraph,
    needed: Option<&FxHashSet<RuleId>>,
) -> Vec<Sparse> {
    let policy = graph.policy();
    let names = &policy.names;
    let mut first_column = Vec::with_capacity(universe.cells.len());
    let mut requests: Vec<Request<'_>> = Vec::with_capacity(universe.columns.len());
    let mut urls = Vec::new();
    let mut resources = Vec::new();
    let mut by_resource: FxHashMap<Name, Vec<usize>> = FxHashMap::default();
    let mut by_subresource: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (cell, number) in universe.cells.iter().zip(0usize..) {
        first_column.push(requests.len());
        requests.extend(
            cell.verbs.iter().map(|verb| graph.lexicon.request(names, &cell.attributes(verb, "", ""))),
        );
        if cell.place == Place::Url {
            urls.push(number);
            continue;
        }
        resources.push(number);
        by_resource.entry(names.lookup(&cell.resource)).or_default().push(number);
        let (_, subresource) = cell.parts();
        if !subresource.is_empty() {
            by_subresource.entry(subresource).or_default().push(number);
        }
    }
    let mut set = Dense::default();
    let mut candidates: Vec<usize> = Vec::new();
    let mut compiled = Vec::with_capacity(policy.rules.len());
    for (id, rule) in policy.rules.iter() {
        if needed.is_some_and(|needed| !needed.contains(&id)) {
            compiled.push(Sparse::EMPTY);
            continue;
        }
        candidates.clear();
        if !rule.non_resource_urls.is_empty() {
            candidates.extend_from_slice(&urls);
        }
        for resource in rule.resources {
            let of: &[usize] = if *resource == Name::STAR {
                &resources
            } else {
                by_resource.get(resource).map_or(&[], Vec::as_slice)
            };
            candidates.extend_from_slice(of);
            if let Some(subresource) = names.text(*resource).strip_prefix("*/") {
                candidates.extend_from_slice(by_subresource.get(subresource).map_or(&[], Vec::as_slice));
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        set.reset(universe.columns.len());
        for number in &candidates {
            let first = first_column.get(*number).copied().unwrap_or(usize::MAX);
            let verbs = universe.cells.get(*number).map_or(0, |cell| cell.verbs.len());
            let Some(asked) = requests.get(first..first.saturating_add(verbs)) else { continue };
            // All verbs of a cell have one group: asked once.
            if let Some(Request { target: Target::Resource { group, .. }, .. }) = asked.first()
                && !api_group_matches(&rule, *group)
            {
                continue;
            }
            for (request, column) in asked.iter().zip(first..) {
                let mut request = *request;
                if let (Target::Resource { name, .. }, Some(limited)) =
                    (&mut request.target, rule.resource_names.first())
                {
                    *name = *limited;
                }
                if Lexicon::rule_allows(names, &rule, &request) {
                    set.insert(u32::try_from(column).unwrap_or(u32::MAX));
                }
            }
        }
        compiled.push(set.to_sparse());
    }
    compiled
}
