//! Whether the rules that somebody has cover those of a role: then he may hand it on.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::world::World;
use crate::decide::covers::{covers, parts};
use crate::model::names::{Name, Names};
use crate::model::rbac::{PolicyRule, RuleId};

/// The rules of a class in a place, and which rules they cover.
pub(super) struct Owner<'c> {
    pub(super) rules: Rules<'c>,
    pub(super) covered: FxHashMap<RuleId, bool>,
}

/// Rules that may cover others, found by what they are about: few of many are about the same.
#[derive(Default)]
pub(super) struct Rules<'c> {
    /// By each resource as it is written.
    by_resource: FxHashMap<Name, Vec<PolicyRule<'c>>>,
    /// Those about URLs.
    of_urls: Vec<PolicyRule<'c>>,
    /// All of them: a rule covers itself.
    pub(super) all: FxHashSet<RuleId>,
}

impl<'c> Rules<'c> {
    pub(super) fn add(&mut self, rule: PolicyRule<'c>) {
        for resource in rule.resources {
            self.by_resource.entry(*resource).or_default().push(rule);
        }
        if !rule.non_resource_urls.is_empty() {
            self.of_urls.push(rule);
        }
    }

    /// Whether every part of a rule is covered by one of them.
    fn cover(&self, names: &Names, rule: PolicyRule<'_>) -> bool {
        parts(rule, names, names).all(|part| match part.resource() {
            Some(resource) => {
                let any_with = resource.split_once('/').map(|(_, own)| names.lookup_joined("*", own));
                let own = [Some(names.lookup(resource)), Some(Name::STAR), any_with];
                let own = own.into_iter().flatten().filter_map(|name| self.by_resource.get(&name));
                own.flatten().any(|own| covers(names, own, &part))
            }
            None => self.of_urls.iter().any(|own| covers(names, own, &part)),
        })
    }
}

impl Owner<'_> {
    /// Whether all rules of a role are covered. There are many roles and few distinct rules.
    pub(super) fn covers(&mut self, world: &World<'_>, role: u32) -> bool {
        if world.answers(role).is_none() {
            return false;
        }
        let names = &world.policy().names;
        world.cluster.graph().rules_of_number(role).all(|rule| {
            *self.covered.entry(rule.placed.rule).or_insert_with(|| {
                self.rules.all.contains(&rule.placed.rule) || self.rules.cover(names, rule.rule)
            })
        })
    }
}
