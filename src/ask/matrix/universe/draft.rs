//! The columns as they are gathered: from the types that are known, from what rules name, and from what is asked for.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Cell, Filter, Place, Universe};
use crate::ask::question::HTTP_METHODS;
use crate::decide::evaluate::matches::non_resource_url_matches;
use crate::knowledge::catalogue::{Catalogue, Verbs};
use crate::model::names::Name;
use crate::model::policy::{Completeness, Policy};
use crate::model::rbac::{PolicyRule, RuleId};

/// Cells before they are numbered.
#[derive(Debug, Default)]
pub(super) struct Draft {
    cells: BTreeMap<(String, String, bool), (BTreeSet<String>, bool)>,
    /// What no request ever is.
    pub(super) matches_nothing: BTreeSet<String>,
    /// What rules name in every group: the resource and the verbs.
    any_group: Vec<(String, BTreeSet<String>)>,
}

/// Whether a name holds a star that is no wildcard.
fn has_literal_star(text: &str) -> bool {
    text != "*" && text.contains('*')
}

impl Draft {
    fn cell(&mut self, group: &str, resource: &str, is_url: bool) -> &mut (BTreeSet<String>, bool) {
        self.cells.entry((group.to_owned(), resource.to_owned(), is_url)).or_default()
    }

    pub(super) fn catalogue(&mut self, catalogue: &Catalogue) {
        for resource in catalogue.iter() {
            let (verbs, known) = self.cell(&resource.group, &resource.plural, false);
            *known = true;
            verbs.extend(resource.verbs.union(resource.special_verbs).iter().map(str::to_owned));
            for part in &resource.subresources {
                let name = format!("{}/{}", resource.plural, part.name);
                let (verbs, known) = self.cell(&resource.group, &name, false);
                *known = true;
                verbs.extend(part.verbs.iter().map(str::to_owned));
            }
        }
    }

    /// What rules name: all of them, or those that are needed and, for a path may cover others, those with URLs.
    pub(super) fn rules(&mut self, policy: &Policy, needed: Option<&FxHashSet<RuleId>>) {
        let used: FxHashSet<RuleId> = policy
            .roles
            .iter()
            .flat_map(|role| policy.rules_of(role))
            .map(|placed| placed.rule)
            .filter(|id| {
                needed.is_none_or(|needed| {
                    needed.contains(id) || !policy.rules.get(*id).non_resource_urls.is_empty()
                })
            })
            .collect();
        for (id, rule) in policy.rules.iter() {
            if !used.contains(&id) {
                continue;
            }
            let texts = |list: &[Name]| list.iter().map(|name| policy.names.text(*name)).collect::<Vec<_>>();
            let named = texts(rule.verbs);
            let mut verbs = BTreeSet::new();
            for verb in named {
                if has_literal_star(verb) {
                    self.matches_nothing.insert(verb.to_owned());
                } else if !verb.is_empty() {
                    verbs.insert(verb.to_owned());
                }
            }
            for url in texts(rule.non_resource_urls) {
                self.cell("", url, true).0.extend(verbs.iter().cloned());
            }
            let (groups, resources) = (texts(rule.api_groups), texts(rule.resources));
            for resource in resources {
                if resource.is_empty() {
                    continue;
                }
                let no_request = resource.starts_with('/') || resource.ends_with('/') || resource == "*/*";
                if no_request || has_literal_star(resource.strip_prefix("*/").unwrap_or(resource)) {
                    self.matches_nothing.insert(resource.to_owned());
                    continue;
                }
                for group in &groups {
                    if has_literal_star(group) {
                        self.matches_nothing.insert((*group).to_owned());
                        continue;
                    }
                    self.cell(group, resource, false).0.extend(verbs.iter().cloned());
                    if *group == "*" && resource != "*" {
                        self.any_group.push((resource.to_owned(), verbs.clone()));
                    }
                }
            }
        }
    }

    /// Gives what rules name in every group to each group that has it, once all rules are in.
    fn spread(&mut self) {
        // Who names a resource in every group names it in each group that has it.
        let mut by_resource: FxHashMap<String, BTreeSet<String>> = FxHashMap::default();
        for (resource, verbs) in std::mem::take(&mut self.any_group) {
            by_resource.entry(resource).or_default().extend(verbs);
        }
        for ((group, resource, is_url), (verbs, _)) in &mut self.cells {
            if let Some(named) = by_resource.get(resource).filter(|_| !is_url && group != "*") {
                verbs.extend(named.iter().cloned());
            }
        }
    }

    /// A path that is asked for: `get`, the verbs of rules whose paths cover it, and those that are asked for.
    fn path(&mut self, policy: &Policy, path: &str, filter: &Filter) {
        let text = |name: &Name| policy.names.text(*name);
        let covers = |rule: &PolicyRule<'_>| non_resource_url_matches(&policy.names, rule, path);
        let rules = policy.rules.iter().map(|(_, rule)| rule).filter(covers);
        let verbs: BTreeSet<String> = rules
            .flat_map(|rule| rule.verbs.iter().map(text).map(str::to_owned).collect::<Vec<_>>())
            .chain(["get".to_owned()])
            .chain(
                filter.verbs.iter().flatten().filter(|verb| HTTP_METHODS.contains(&verb.as_str())).cloned(),
            )
            .filter(|verb| !verb.is_empty() && !has_literal_star(verb))
            .collect();
        self.cell("", path, true).0.extend(verbs);
    }

    /// Every cell has a column for the verb `*`; what is not in the catalogue gets the verbs that it may serve.
    fn complete(&mut self) {
        self.cell("*", "*", false);
        self.cell("", "*", true).0.insert("get".to_owned());
        for ((group, resource, is_url), (verbs, known)) in &mut self.cells {
            verbs.insert("*".to_owned());
            if *known || *is_url || group == "*" || resource.starts_with('*') {
                continue;
            }
            let serves = match resource.split_once('/') {
                Some((_, "status" | "scale")) => Verbs::PART,
                Some((_, "finalizers")) => Verbs::of("update").unwrap_or_default(),
                // The star is there already; a rule names a verb besides.
                Some(_) if verbs.len() > 1 => Verbs::NONE,
                Some(_) | None => Verbs::STORED,
            };
            verbs.extend(serves.iter().map(str::to_owned));
        }
    }

    /// Leaves what is wanted, with the verbs that each has.
    pub(super) fn choose(&mut self, filter: &Filter, policies: &[&Policy]) {
        self.spread();
        if let Some(wanted) = &filter.resources {
            for (group, resource) in wanted {
                if resource.starts_with('/') {
                    for policy in policies {
                        self.path(policy, resource, filter);
                    }
                } else {
                    self.cell(group, resource, false);
                }
            }
        }
        self.complete();
        if let Some(wanted) = &filter.resources {
            self.cells.retain(|(group, resource, is_url), _| {
                let same =
                    |(g, r): &(String, String)| r == resource && g == group && r.starts_with('/') == *is_url;
                wanted.iter().any(same)
            });
        }
        self.filter(filter);
    }

    /// The columns, numbered.
    pub(super) fn universe(&self, types: Types<'_>, completeness: Completeness) -> Universe {
        let mut universe = Universe::default();
        for ((group, resource, is_url), (verbs, known)) in &self.cells {
            let place = if *is_url { Place::Url } else { types.place(group, resource) };
            universe.cells.push(Cell {
                group: group.clone(),
                resource: resource.clone(),
                place,
                verbs: verbs.iter().cloned().collect(),
                known: *known,
            });
        }
        universe.number(types, completeness);
        universe
    }

    fn filter(&mut self, filter: &Filter) {
        if let Some(columns) = &filter.columns {
            for (group, resource, verb) in columns {
                self.cell(group, resource, resource.starts_with('/')).0.insert(verb.clone());
            }
            self.cells.retain(|(group, resource, _), (verbs, _)| {
                verbs.retain(|verb| columns.iter().any(|(g, r, v)| g == group && r == resource && v == verb));
                !verbs.is_empty()
            });
        }
        if let Some(wanted) = &filter.verbs {
            self.cells.retain(|_, (verbs, _)| {
                verbs.retain(|verb| wanted.contains(verb));
                !verbs.is_empty()
            });
        }
    }
}

/// What is known of types: what a side knows itself, or else what the other side knows.
#[derive(Copy, Clone)]
pub(super) struct Types<'c> {
    pub(super) own: &'c Catalogue,
    pub(super) other: Option<&'c Catalogue>,
}

impl<'c> Types<'c> {
    pub(super) fn all(self) -> impl Iterator<Item = &'c Catalogue> {
        std::iter::once(self.own).chain(self.other)
    }

    pub(super) fn is_built_in(self, group: &str, plural: &str) -> bool {
        self.all().any(|catalogue| catalogue.is_built_in(group, plural))
    }

    pub(super) fn is_served(self, group: &str) -> bool {
        self.all().any(|catalogue| catalogue.is_served(group))
    }

    pub(super) fn is_namespaced(self, group: &str, plural: &str) -> Option<bool> {
        self.all().find_map(|catalogue| catalogue.is_namespaced(group, plural))
    }

    /// Where requests for a resource are made.
    pub(super) fn place(self, group: &str, resource: &str) -> Place {
        let plural = resource.split('/').next().unwrap_or(resource);
        let known = self.all().find_map(|catalogue| catalogue.find(group, plural));
        match known {
            Some(known) if known.namespaced => Place::Namespaced,
            Some(_) if group.is_empty() && plural == "namespaces" => Place::Namespaces,
            Some(_) => Place::Cluster,
            None if self.is_namespaced(group, plural) == Some(false) => Place::Cluster,
            None => Place::Namespaced,
        }
    }
}
