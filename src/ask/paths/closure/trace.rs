//! How each fact was found: the step, who took it, and the rights that it took.
//!
//! Of several ways that are equally short one is told: by the step that comes first, within it by the identity that
//! was found first, within it by names in order of bytes. A way by bindings that are loaded goes before one by
//! bindings and roles that were written on the way.

use std::borrow::Cow;
use std::cmp::Ordering;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::checks::Check;
use super::super::identities::{Class, Identities, Pair, Username};
use super::super::step::{Step, Steps};
use super::super::world::{Account, CLUSTER, EVERY, FIRST, Place, World};
use super::{Closure, Fact, NEVER, RUN, Round};
use crate::model::names::Name;
use crate::model::rbac::Scope;

/// A check that passes, and by what.
#[derive(Copy, Clone, Debug)]
pub(in crate::ask::paths) struct Way {
    pub(in crate::ask::paths) check: Check,
    /// The name that was asked about; `UNKNOWN` for any.
    pub(in crate::ask::paths) name: Name,
    /// Where it was asked.
    pub(in crate::ask::paths) place: Place,
    /// Who asks, in the order in which identities were found.
    pub(in crate::ask::paths) who: u32,
    /// What allows it.
    pub(in crate::ask::paths) pair: Pair,
    /// Whether everybody holds it by a binding that was written on the way.
    pub(in crate::ask::paths) is_granted: bool,
    /// Whether its role was changed on the way.
    pub(in crate::ask::paths) is_changed: bool,
}

/// How a fact was found.
#[derive(Clone, Debug)]
pub(in crate::ask::paths) struct Derivation {
    pub(in crate::ask::paths) step: Step,
    /// The checks, request by request; of what one identity did, made when it is told.
    pub(super) ways: Vec<Way>,
    /// Whether it takes several rights of one identity.
    pub(super) is_by_one: bool,
    /// Facts that it rests on besides.
    pub(in crate::ask::paths) uses: Vec<Fact>,
    /// The object that it was done to, for people: a pod, a workload, a Secret, a binding; empty for none.
    pub(in crate::ask::paths) object: String,
}

/// How everything was found.
#[derive(Clone, Debug, Default)]
pub(in crate::ask::paths) struct Trace {
    pub(in crate::ask::paths) held_at: FxHashMap<Place, Vec<Pair>>,
    /// Per fact and step the class that did it first, and in which round.
    pub(in crate::ask::paths) givers: FxHashMap<(Fact, Step), (Class, Round)>,
    derivations: Vec<Derivation>,
    /// Per fact when it was found, among all, and how, by number.
    found: FxHashMap<Fact, (u32, u32)>,
    /// How the accounts of a namespace were found in this round that one step gives together.
    shared: FxHashMap<(Step, Place, bool), u32>,
    /// Per place by what everything is allowed there first.
    pub(in crate::ask::paths) powers: FxHashMap<Place, Way>,
    /// Per sink that is a right by what it is had first.
    pub(in crate::ask::paths) rights: FxHashMap<&'static str, Way>,
    known: FxHashMap<(Check, Name, Place), Option<Way>>,
    known_in: Round,
}

impl Trace {
    /// When a fact was found, among all; `None` for what needed no step.
    pub(in crate::ask::paths) fn order(&self, fact: Fact) -> Option<u32> {
        self.found.get(&fact).map(|(order, _)| *order)
    }

    /// How a fact was found, by number: accounts that one step gives together have the same.
    pub(in crate::ask::paths) fn derivation_number(&self, fact: Fact) -> Option<u32> {
        self.found.get(&fact).map(|(_, number)| *number)
    }

    /// How a fact was found.
    pub(in crate::ask::paths) fn derivation(&self, fact: Fact) -> Option<&Derivation> {
        self.derivations.get(self.derivation_number(fact)? as usize)
    }
}

pub(super) type Key = (u32, u8, Round, u32, Pair);

impl Closure {
    /// Says how the facts of the next round were found, and puts them in order.
    pub(in crate::ask::paths) fn derive(
        &mut self,
        world: &World<'_>,
        identities: &Identities,
        facts: &mut Vec<Fact>,
    ) {
        let Some(mut trace) = self.trace.take() else { return };
        trace.known.clear();
        trace.shared.clear();
        let mut found: Vec<(Step, u32, Fact, u32)> = Vec::with_capacity(facts.len());
        for fact in facts.drain(..) {
            let Some(number) = self.number_of_derivation(world, identities, &mut trace, fact) else {
                continue;
            };
            let Some(own) = trace.derivations.get(number as usize) else { continue };
            let giver = || {
                let (class, _) = trace.givers.get(&(fact, own.step))?;
                Some(self.first_of.get(*class)).filter(|who| *who != u32::MAX)
            };
            let who = own.ways.first().map(|way| way.who).or_else(giver).unwrap_or(0);
            found.push((own.step, who, fact, number));
        }
        found.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| in_order(world, identities, a.2, b.2)));
        trace.found.reserve(found.len());
        for (_, _, fact, number) in found {
            let order = u32::try_from(trace.found.len()).unwrap_or(u32::MAX);
            trace.found.insert(fact, (order, number));
            facts.push(fact);
        }
        self.trace = Some(trace);
    }

    /// How a fact was found, by number.
    fn number_of_derivation(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        fact: Fact,
    ) -> Option<u32> {
        let shared = self.shared_by(world, fact);
        if let Some(known) = shared.and_then(|key| trace.shared.get(&key)) {
            return Some(*known);
        }
        let derivation = self.derivation(world, identities, trace, fact)?;
        let number = u32::try_from(trace.derivations.len()).ok()?;
        trace.derivations.push(derivation);
        if let Some(key) = shared {
            trace.shared.insert(key, number);
        }
        Some(number)
    }

    /// What an account has in common with others of its namespace that are found in the same way: the step, the place,
    /// and whether the inputs hold them.
    fn shared_by(&self, world: &World<'_>, fact: Fact) -> Option<(Step, Place, bool)> {
        let Fact::Account(number) = fact else { return None };
        let step = self.accounts.get(number).steps.first()?;
        let together = RUN.and(Step::MintTokenSecret.into()).meets(step.into());
        let account = world.accounts.get(number as usize).filter(|_| together)?;
        if self.absent.contains(&number) {
            return Some((step, account.place, false));
        }
        (account.exists && !self.extras.contains_key(&fact)).then_some((step, account.place, true))
    }

    /// Says by what everything is allowed in a place.
    pub(in crate::ask::paths) fn derive_power(
        &mut self,
        world: &World<'_>,
        identities: &Identities,
        place: Place,
    ) {
        let Some(mut trace) = self.trace.take() else { return };
        let way = self.best(world, identities, &mut trace, Check::Everything, Name::UNKNOWN, place);
        if let Some(way) = way {
            trace.powers.entry(place).or_insert(way);
        }
        self.trace = Some(trace);
    }

    /// Says by what a sink is had that is a right.
    pub(in crate::ask::paths) fn derive_right(
        &mut self,
        world: &World<'_>,
        identities: &Identities,
        sink: &'static str,
        (check, name, place): (Check, Name, Place),
    ) {
        let Some(mut trace) = self.trace.take() else { return };
        if let Some(way) = self.best(world, identities, &mut trace, check, name, place) {
            trace.rights.insert(sink, way);
        }
        self.trace = Some(trace);
    }

    pub(super) fn reached(&self, fact: Fact) -> Option<Steps> {
        Some(match fact {
            Fact::Account(_) | Fact::Other(_) | Fact::Login(_) => self.steps_of(Some(fact)),
            Fact::Iam(number) => self.iam.get(&number)?.steps,
            Fact::Node(number) => self.nodes.get(number).steps,
            Fact::AnyNode => self.any_node.steps,
            Fact::LostNode => self.lost_node.steps,
            Fact::ClusterAdmin => self.admin.steps,
            Fact::Made(_) => Step::CreateServiceAccount.into(),
            Fact::Grant(pair) => self.grants.get(&pair)?.steps,
            Fact::Changed(_) | Fact::ChangedIn(_) => Step::EscalateRole.into(),
        })
    }

    /// The checks that a fact took, and what it was done to.
    pub(in crate::ask::paths) fn told(
        &self,
        world: &World<'_>,
        identities: &Identities,
        fact: Fact,
    ) -> (Vec<Way>, String) {
        let Some(trace) = &self.trace else { return Default::default() };
        match trace.derivation(fact) {
            None => Default::default(),
            Some(own) if own.is_by_one => self.by_one(world, identities, trace, fact, own.step),
            Some(own) => (own.ways.clone(), own.object.clone()),
        }
    }

    /// The way by which a check passes in this round that comes first.
    pub(in crate::ask::paths) fn best(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        check: Check,
        name: Name,
        place: Place,
    ) -> Option<Way> {
        if trace.known_in != self.round {
            trace.known_in = self.round;
            trace.known.clear();
        }
        if let Some(known) = trace.known.get(&(check, name, place)) {
            return *known;
        }
        let here = self.best_held_at(world, identities, trace, (check, name), place, place);
        let wider = match place {
            CLUSTER => None,
            EVERY => self.best(world, identities, trace, check, name, CLUSTER),
            _ => self.best(world, identities, trace, check, name, EVERY),
        };
        let wider = wider.map(|way| Way { place, ..way });
        let best = here.into_iter().chain(wider).min_by_key(|way| self.key(way));
        trace.known.insert((check, name, place), best);
        best
    }

    /// The same among what is held at one place itself.
    fn best_held_at(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &Trace,
        (check, name): (Check, Name),
        place: Place,
        held_at: Place,
    ) -> Option<Way> {
        let mut best: Option<(Key, Way)> = None;
        for pair in trace.held_at.get(&held_at).into_iter().flatten() {
            let (role, _) = identities.pair_at(*pair);
            let loaded = world.answers(role).is_some_and(|answers| answers.allows(check, name));
            if !loaded && self.changed_round(world, role) > self.round {
                continue;
            }
            let owner = self.owners.get(*pair);
            let granted = self.grants.get(pair).is_some_and(|grant| grant.round <= self.round);
            let way =
                Way { check, name, place, who: owner, pair: *pair, is_granted: false, is_changed: !loaded };
            let own = (owner != u32::MAX).then_some(way);
            let by_grant = granted.then_some(Way { who: 0, is_granted: true, ..way });
            for way in own.into_iter().chain(by_grant) {
                let key = self.key_of(world, role, &way);
                if best.as_ref().is_none_or(|(other, _)| key < *other) {
                    best = Some((key, way));
                }
            }
        }
        best.map(|(_, way)| way)
    }

    fn key(&self, way: &Way) -> (u32, u8, Round, Pair) {
        let granted =
            if way.is_granted { self.grants.get(&way.pair).map_or(0, |grant| grant.round) } else { 0 };
        (way.who, u8::from(way.is_granted || way.is_changed), granted, way.pair)
    }

    pub(super) fn key_of(&self, world: &World<'_>, role: u32, way: &Way) -> Key {
        let changed = if way.is_changed { self.changed_round(world, role) } else { 0 };
        let granted =
            if way.is_granted { self.grants.get(&way.pair).map_or(0, |grant| grant.round) } else { 0 };
        (way.who, u8::from(way.is_granted || way.is_changed), changed.max(granted), 0, way.pair)
    }

    /// The facts on which a way rests.
    pub(in crate::ask::paths) fn facts_of(
        &self,
        world: &World<'_>,
        identities: &Identities,
        way: &Way,
    ) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        facts.extend(self.found.get(way.who as usize).filter(|_| way.who != 0).and_then(|found| found.fact));
        if way.is_granted {
            facts.push(Fact::Grant(way.pair));
        }
        if way.is_changed {
            facts.extend(self.change_of(world, identities.pair_at(way.pair).0));
        }
        facts
    }

    /// The fact that changed a role.
    fn change_of(&self, world: &World<'_>, role: u32) -> Option<Fact> {
        let round = self.changed_round(world, role);
        if self.changed.get(&role) == Some(&round) {
            return Some(Fact::Changed(role));
        }
        (round != NEVER).then_some(Fact::ChangedIn(EVERY))
    }

    /// The facts on which one rests at once.
    pub(in crate::ask::paths) fn before(
        &self,
        world: &World<'_>,
        identities: &Identities,
        fact: Fact,
    ) -> Vec<Fact> {
        let Some(trace) = &self.trace else { return Vec::new() };
        let Some(derivation) = trace.derivation(fact) else { return Vec::new() };
        let mut facts = derivation.uses.clone();
        let by_one =
            derivation.is_by_one.then(|| self.by_one(world, identities, trace, fact, derivation.step).0);
        for way in by_one.as_ref().unwrap_or(&derivation.ways) {
            facts.extend(self.facts_of(world, identities, way));
        }
        facts
    }

    /// Every fact on the way to some, in the order in which they were found.
    pub(in crate::ask::paths) fn way_to(
        &self,
        world: &World<'_>,
        identities: &Identities,
        from: &[Fact],
    ) -> Vec<Fact> {
        let Some(trace) = &self.trace else { return Vec::new() };
        let mut seen: FxHashSet<Fact> = FxHashSet::default();
        let mut open: Vec<Fact> = from.to_vec();
        while let Some(fact) = open.pop() {
            if !seen.insert(fact) {
                continue;
            }
            open.extend(self.before(world, identities, fact));
        }
        let mut all: Vec<(u32, Fact)> =
            seen.into_iter().filter_map(|fact| Some((trace.order(fact)?, fact))).collect();
        all.sort_unstable_by_key(|(order, _)| *order);
        all.into_iter().map(|(_, fact)| fact).collect()
    }
}

/// What orders facts that are found by one step of one identity: namespace and name, or one text alone. No name contains
/// what would come before its end.
type Bytes<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Which of two facts comes first by namespace and name, in order of bytes.
fn in_order(world: &World<'_>, identities: &Identities, a: Fact, b: Fact) -> Ordering {
    match (a, b) {
        // Accounts are numbered in this order.
        (Fact::Account(a) | Fact::Made(a), Fact::Account(b) | Fact::Made(b)) => a.cmp(&b),
        (Fact::Grant(a), Fact::Grant(b)) => {
            let key = |pair: Pair| {
                let (role, place) = identities.pair_at(pair);
                let named = world.role(role);
                let name = named.map_or("", |(_, name)| world.policy().names.text(name));
                let is_of_namespace = named.is_some_and(|(scope, _)| scope != Scope::Cluster);
                // Namespaces are numbered in order of their names, and what holds in all of them comes first.
                (if place < FIRST { 0 } else { place }, is_of_namespace, name, place)
            };
            key(a).cmp(&key(b))
        }
        _ => bytes_of(world, identities, a).cmp(&bytes_of(world, identities, b)),
    }
}

fn bytes_of<'a>(world: &'a World<'_>, identities: &Identities, fact: Fact) -> Bytes<'a> {
    let names = &world.policy().names;
    let first = match fact {
        Fact::Account(number) | Fact::Made(number) => {
            let account = world.accounts.get(number as usize);
            return account.map_or_else(Bytes::default, |own| (own.namespace.into(), own.name.into()));
        }
        Fact::Grant(pair) => {
            let (role, place) = identities.pair_at(pair);
            return (world.namespace(place).into(), world.show_role(role, place).into());
        }
        Fact::Other(number) => {
            match identities.others.get(number as usize).map(|(other, _)| other.username) {
                Some(Username::User(name)) => names.text(name).into(),
                Some(Username::Restricted(own)) => {
                    let requests = identities.restricted.get(own as usize).map(|own| own.requests.clone());
                    requests.unwrap_or_default().into()
                }
                Some(Username::Node(node)) => {
                    world.nodes.get(node as usize).map_or("", |name| names.text(*name)).into()
                }
                Some(Username::Account(number)) => {
                    let account = world.accounts.get(number as usize);
                    let text =
                        |own: &Account<'_>| format!("system:serviceaccount:{}:{}", own.namespace, own.name);
                    account.map(text).unwrap_or_default().into()
                }
                None => Cow::default(),
            }
        }
        Fact::Node(number) => world.nodes.get(number as usize).map_or("", |name| names.text(*name)).into(),
        Fact::Changed(role) => world.role(role).map_or("", |(_, name)| names.text(name)).into(),
        Fact::Iam(number) | Fact::Login(number) => {
            world.outside.arns.get(number as usize).map_or("", |arn| arn.text.as_str()).into()
        }
        _ => Cow::default(),
    };
    (first, Cow::default())
}
