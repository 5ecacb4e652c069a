//! What is read off the state after each round: powers, and sinks that are rights.

use rustc_hash::FxHashMap;

use super::super::checks::Check;
use super::super::identities::{Class, Identities};
use super::super::step::{Step, Steps};
use super::super::world::{CLUSTER, EVERY, FIRST, Place, World};
use super::{Closure, Fact, NEVER, News, Reached, Round};
use crate::model::names::Name;

impl Closure {
    pub(super) fn read_powers(&mut self, world: &World<'_>, identities: &Identities, news: &News) {
        let round = self.round;
        let named_aws_auth = Self::names_aws_auth(world, identities, news, Check::ChangeConfigMaps);
        self.changes_aws_auth |= named_aws_auth;
        if self.passes(CLUSTER, Check::Everything) {
            let steps = self.steps_to(world, identities, CLUSTER);
            self.admin.give(round, steps);
            self.derive_power(world, identities, CLUSTER);
        }
        let mut new: Vec<(&'static str, Check, Name, Place)> = Vec::new();
        let mut first = |sink: &mut Round, holds: bool, asked: (&'static str, Check, Name, Place)| {
            if holds && *sink == NEVER {
                *sink = round;
                new.push(asked);
            }
        };
        let (reads, execs) = (
            self.passes(CLUSTER, Check::ReadSecrets),
            self.passes(CLUSTER, Check::Exec) || self.passes(CLUSTER, Check::ReachKubelets),
        );
        let changes = self.passes(world.kube_system, Check::ChangeConfigMaps) || self.changes_aws_auth;
        // RoleBindings in every namespace count in a namespace that nobody knows yet for nothing.
        let any = Name::UNKNOWN;
        let by = if self.passes(CLUSTER, Check::Exec) { Check::Exec } else { Check::ReachKubelets };
        let (at, aws_auth) = (world.kube_system, world.aws_auth);
        first(
            &mut self.sinks.read_all_secrets,
            reads,
            ("read-all-secrets", Check::ReadSecrets, any, CLUSTER),
        );
        first(&mut self.sinks.exec_everywhere, execs, ("exec-everywhere", by, any, CLUSTER));
        first(
            &mut self.sinks.edit_aws_auth,
            changes && aws_auth.is_some(),
            ("edit-aws-auth", Check::ChangeConfigMaps, aws_auth.unwrap_or(any), at),
        );
        for (sink, check, name, place) in new {
            self.derive_right(world, identities, sink, (check, name, place));
        }
        if self.admin.round <= round {
            return;
        }
        let mut places: Vec<Place> = Vec::new();
        for (place, bits) in &news.bits {
            match (bits & Check::Everything.bit() != 0, *place) {
                (false, _) | (true, CLUSTER) => {}
                (true, EVERY) => places.extend(world.every()),
                (true, place) => places.push(place),
            }
        }
        places.retain(|place| !self.namespace_admins.contains_key(place));
        if !places.is_empty() {
            let steps = self.steps_to_namespaces(world, identities);
            for place in places {
                self.derive_power(world, identities, place);
                let own = steps.get(&place).copied().unwrap_or_default();
                let everywhere = steps.get(&EVERY).copied().unwrap_or_default();
                let reached = Reached { round, steps: own.and(everywhere) };
                self.namespace_admins.entry(place).or_insert(reached);
            }
        }
    }

    /// The steps of facts of this round that have a part in everything in the cluster.
    pub(super) fn steps_to(&self, world: &World<'_>, identities: &Identities, place: Place) -> Steps {
        self.steps_to_namespaces(world, identities).get(&place).copied().unwrap_or_default()
    }

    /// Per place the steps of facts of this round that have a part in everything there.
    pub(super) fn steps_to_namespaces(
        &self,
        world: &World<'_>,
        identities: &Identities,
    ) -> FxHashMap<Place, Steps> {
        let mut steps: FxHashMap<Place, Steps> = FxHashMap::default();
        if self.is_quick && self.trace.is_none() {
            return steps;
        }
        let mut seen: FxHashMap<Class, Steps> = FxHashMap::default();
        for found in &self.found {
            let own = if found.round == self.round { self.steps_of(found.fact) } else { Steps::default() };
            let known = seen.entry(found.class).or_default();
            *known = known.and(own);
        }
        for (class, own) in seen {
            for pair in identities.all_held(class) {
                let (role, place) = identities.pair_at(pair);
                self.add_way(world, role, own, steps.entry(place).or_default());
            }
        }
        // By a grant everybody has it, also who was found in this round.
        let new = self.found.iter().filter(|found| found.round == self.round);
        let all = new.fold(Steps::default(), |all, found| all.and(self.steps_of(found.fact)));
        for (pair, reached) in &self.grants {
            let (role, place) = identities.pair_at(*pair);
            let own = if reached.round == self.round { reached.steps } else { Steps::default() };
            self.add_way(world, role, own.and(all), steps.entry(place).or_default());
        }
        steps
    }

    /// Adds the steps of a way to everything by a role: those that gave the role, and the one that changed it.
    pub(super) fn add_way(&self, world: &World<'_>, role: u32, own: Steps, into: &mut Steps) {
        if world.says_everything(role) {
            *into = into.and(own);
            return;
        }
        let changed = self.changed_round(world, role);
        if changed <= self.round {
            *into = into.and(own);
            if changed == self.round {
                *into = into.and(Step::EscalateRole.into());
            }
        }
    }

    pub(in crate::ask::paths) fn steps_of(&self, fact: Option<Fact>) -> Steps {
        match fact {
            Some(Fact::Account(number)) => self.accounts.get(number),
            Some(Fact::Other(number)) => self.others.get(&number).copied().unwrap_or_default(),
            Some(Fact::Login(number)) => self.logins.get(&number).copied().unwrap_or_default(),
            _ => Reached::default(),
        }
        .steps
    }

    pub(super) fn names_aws_auth(
        world: &World<'_>,
        identities: &Identities,
        news: &News,
        check: Check,
    ) -> bool {
        let Some(name) = world.aws_auth else { return false };
        news.named.iter().any(|pair| {
            let (role, place) = identities.pair_at(*pair);
            let there = place < FIRST || place == world.kube_system;
            there && world.answers(role).is_some_and(|answers| answers.allows(check, name))
        })
    }
}
