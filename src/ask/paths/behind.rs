//! What lies behind what is reached: the steps before it, and the conditions of all of them. Ways have most of their steps
//! in common, so each step is looked at once.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Search;
use super::closure::{Closure, Fact, Round};
use super::outside::Condition;

/// What was looked at already.
pub(super) struct Behind<'a, 'c> {
    search: &'a Search<'c>,
    closure: &'a Closure,
    /// Per derivation the facts on which it rests at once.
    before: FxHashMap<u32, Rc<[Fact]>>,
    /// Per derivation how many steps it takes.
    depths: FxHashMap<u32, Round>,
}

impl<'a, 'c> Behind<'a, 'c> {
    pub(super) fn new(search: &'a Search<'c>, closure: &'a Closure) -> Self {
        Self { search, closure, before: FxHashMap::default(), depths: FxHashMap::default() }
    }

    /// The number of the derivation of a fact; `None` for what needed no step.
    fn number(&self, fact: Fact) -> Option<u32> {
        self.closure.trace.as_ref().and_then(|trace| trace.derivation_number(fact))
    }

    fn before(&mut self, number: u32, fact: Fact) -> Rc<[Fact]> {
        let made = || self.closure.before(&self.search.world, &self.search.identities, fact).into();
        Rc::clone(self.before.entry(number).or_insert_with(made))
    }

    /// How many steps a fact takes: those that do not wait for each other count once.
    pub(super) fn depth(&mut self, fact: Fact) -> Round {
        let Some(number) = self.number(fact) else { return 0 };
        if let Some(known) = self.depths.get(&number) {
            return *known;
        }
        self.depths.insert(number, 0);
        let before = self.before(number, fact);
        let depth = before.iter().map(|fact| self.depth(*fact)).max().unwrap_or(0) + 1;
        self.depths.insert(number, depth);
        depth
    }

    /// What must hold for the steps to some facts, in their order, each thing once.
    pub(super) fn conditions(&mut self, ends: &[Fact]) -> Vec<Condition> {
        let mut seen: FxHashSet<Fact> = FxHashSet::default();
        let mut open: Vec<Fact> = ends.to_vec();
        let mut steps: Vec<(u32, Fact)> = Vec::new();
        while let Some(fact) = open.pop() {
            let Some(number) = self.number(fact) else { continue };
            if seen.insert(fact) {
                open.extend(self.before(number, fact).iter());
                if self.closure.is_conditional(fact) {
                    let order = self.closure.trace.as_ref().and_then(|trace| trace.order(fact));
                    steps.extend(order.map(|order| (order, fact)));
                }
            }
        }
        steps.sort_unstable_by_key(|(order, _)| *order);
        let mut conditions: Vec<Condition> = Vec::new();
        for (_, fact) in steps {
            for condition in self.closure.conditions_of(&self.search.world, fact).iter() {
                if !conditions.contains(condition) {
                    conditions.push(condition.clone());
                }
            }
        }
        conditions
    }
}
