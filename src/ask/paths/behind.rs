//! What lies behind what is reached: the steps before it, and the conditions of all of them. Ways have most of their steps
//! in common, so each step is looked at once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Search;
use super::closure::{Closure, Fact, Round};
use super::outside::Condition;

/// What was looked at already.
pub(super) struct Behind<'a, 'c> {
    search: &'a Search<'c>,
    closure: &'a Closure,
    /// Per fact those on which it rests at once.
    before: FxHashMap<Fact, Box<[Fact]>>,
    depths: FxHashMap<Fact, Round>,
}

impl<'a, 'c> Behind<'a, 'c> {
    pub(super) fn new(search: &'a Search<'c>, closure: &'a Closure) -> Self {
        Self { search, closure, before: FxHashMap::default(), depths: FxHashMap::default() }
    }

    fn before(&mut self, fact: Fact) -> &[Fact] {
        self.before.entry(fact).or_insert_with(|| {
            self.closure.before(&self.search.world, &self.search.identities, fact).into_boxed_slice()
        })
    }

    /// When a fact was found, among all; `None` for what needed no step.
    fn order(&self, fact: Fact) -> Option<u32> {
        self.closure.trace.as_ref().and_then(|trace| trace.order.get(&fact).copied())
    }

    /// How many steps a fact takes: those that do not wait for each other count once.
    pub(super) fn depth(&mut self, fact: Fact) -> Round {
        if let Some(known) = self.depths.get(&fact) {
            return *known;
        }
        if self.order(fact).is_none() {
            return 0;
        }
        self.depths.insert(fact, 0);
        let before = self.before(fact).to_vec();
        let depth = before.into_iter().map(|fact| self.depth(fact)).max().unwrap_or(0) + 1;
        self.depths.insert(fact, depth);
        depth
    }

    /// What must hold for the steps to some facts, in their order, each thing once.
    pub(super) fn conditions(&mut self, ends: &[Fact]) -> Vec<Condition> {
        let mut seen: FxHashSet<Fact> = FxHashSet::default();
        let mut open: Vec<Fact> = ends.to_vec();
        let mut steps: Vec<(u32, Fact)> = Vec::new();
        while let Some(fact) = open.pop() {
            if seen.insert(fact) {
                open.extend(self.before(fact));
                if self.closure.extras.contains_key(&fact) {
                    steps.extend(self.order(fact).map(|order| (order, fact)));
                }
            }
        }
        steps.sort_unstable_by_key(|(order, _)| *order);
        let mut conditions: Vec<Condition> = Vec::new();
        for (_, fact) in steps {
            for condition in self.closure.extras.get(&fact).into_iter().flat_map(|own| &own.conditions) {
                if !conditions.contains(condition) {
                    conditions.push(condition.clone());
                }
            }
        }
        conditions
    }
}
