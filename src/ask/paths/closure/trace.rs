//! How each fact was found: the step, who took it, and the rights that it took.
//!
//! Of several ways that are equally short one is told: by the step that comes first, within it by the identity that
//! was found first, within it by names in order of bytes. A way by bindings that are loaded goes before one by
//! bindings and roles that were written on the way.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::checks::Check;
use super::super::identities::{Class, Identities, Pair, Username};
use super::super::step::{Step, Steps};
use super::super::world::{CLUSTER, EVERY, FIRST, Node, Place, World, kind_of};
use super::{Closure, Fact, NEVER, RUN, Round};
use crate::model::names::Name;
use crate::model::rbac::Scope;
use crate::model::workload::WorkloadKind;

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
    ways: Vec<Way>,
    /// Whether it takes several rights of one identity.
    is_by_one: bool,
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
    pub(in crate::ask::paths) derivations: FxHashMap<Fact, Derivation>,
    /// Per place by what everything is allowed there first.
    pub(in crate::ask::paths) powers: FxHashMap<Place, Way>,
    /// Per sink that is a right by what it is had first.
    pub(in crate::ask::paths) rights: FxHashMap<&'static str, Way>,
    /// Facts in the order in which they were found.
    pub(in crate::ask::paths) order: FxHashMap<Fact, u32>,
    known: FxHashMap<(Check, Name, Place), Option<Way>>,
    known_in: Round,
}

type Key = (u32, u8, Round, u32, Pair);

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
        let mut found: Vec<((Step, u32, String), Fact, Derivation)> = Vec::new();
        for fact in facts.drain(..) {
            let Some(derivation) = self.derivation(world, identities, &mut trace, fact) else { continue };
            let giver = trace.givers.get(&(fact, derivation.step));
            let giver = giver.and_then(|(class, _)| self.first_of.get(class)).copied();
            let who = derivation.ways.first().map(|way| way.who).or(giver).unwrap_or(0);
            let key = (derivation.step, who, bytes_of(world, identities, fact));
            found.push((key, fact, derivation));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, fact, derivation) in found {
            let number = u32::try_from(trace.order.len()).unwrap_or(u32::MAX);
            trace.order.insert(fact, number);
            trace.derivations.insert(fact, derivation);
            facts.push(fact);
        }
        self.trace = Some(trace);
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

    fn reached(&self, fact: Fact) -> Option<Steps> {
        Some(match fact {
            Fact::Account(_) | Fact::Other(_) | Fact::Login(_) => self.steps_of(Some(fact)),
            Fact::Iam(number) => self.iam.get(&number)?.steps,
            Fact::Node(number) => self.nodes.get(number as usize)?.steps,
            Fact::AnyNode => self.any_node.steps,
            Fact::LostNode => self.lost_node.steps,
            Fact::ClusterAdmin => self.admin.steps,
            Fact::Made(_) => Step::CreateServiceAccount.into(),
            Fact::Grant(pair) => self.grants.get(&pair)?.steps,
            Fact::Changed(_) | Fact::ChangedIn(_) => Step::EscalateRole.into(),
        })
    }

    fn derivation(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        fact: Fact,
    ) -> Option<Derivation> {
        let step = self.reached(fact)?.first()?;
        let mut derivation =
            Derivation { step, ways: Vec::new(), is_by_one: false, uses: Vec::new(), object: String::new() };
        if let Some(extra) = self.extras.get(&fact).filter(|extra| extra.step == step) {
            derivation.uses.clone_from(&extra.uses);
            derivation.object.clone_from(&extra.object);
            for (check, name, place) in &extra.asks {
                derivation.ways.extend(self.best(world, identities, trace, *check, *name, *place));
            }
            return Some(derivation);
        }
        match fact {
            Fact::Iam(_) | Fact::Login(_) => {}
            Fact::Account(number) => self.to_account(world, identities, trace, number, &mut derivation),
            Fact::Made(number) => {
                let place = world.accounts.get(number as usize)?.place;
                let way = self.best(world, identities, trace, Check::CreateAccounts, Name::UNKNOWN, place);
                derivation.ways.extend(way);
            }
            Fact::Node(_) | Fact::LostNode => {
                self.to_node(world, identities, trace, fact, &mut derivation);
            }
            Fact::AnyNode => self.to_any_node(world, identities, trace, &mut derivation),
            Fact::ClusterAdmin if step == Step::EditAwsAuth => {
                let (place, name) = (world.kube_system, world.aws_auth?);
                let mut best = |check, name| self.best(world, identities, trace, check, name, place);
                if let Some(way) = best(Check::ChangeConfigMaps, name) {
                    derivation.ways.push(way);
                } else {
                    derivation.ways.extend(best(Check::DeleteConfigMaps, name));
                    derivation.ways.extend(best(Check::CreateConfigMaps, Name::UNKNOWN));
                }
            }
            // Whoever may do everything in a place binds a role there that says everything.
            Fact::Grant(pair) if !trace.givers.contains_key(&(fact, step)) => {
                let (role, place) = identities.pair_at(pair);
                let place = if place == EVERY { FIRST } else { place };
                let way = self.best(world, identities, trace, Check::Everything, Name::UNKNOWN, place);
                derivation.ways.extend(way);
                derivation.object = world.show_role(role, place);
            }
            Fact::ClusterAdmin | Fact::Other(_) | Fact::Grant(_) | Fact::Changed(_) | Fact::ChangedIn(_) => {
                derivation.is_by_one = true;
            }
        }
        Some(derivation)
    }

    /// The checks that a fact took, and what it was done to.
    pub(in crate::ask::paths) fn told(
        &self,
        world: &World<'_>,
        identities: &Identities,
        fact: Fact,
    ) -> (Vec<Way>, String) {
        let Some(trace) = &self.trace else { return Default::default() };
        match trace.derivations.get(&fact) {
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
            let owner = self.owners.get(*pair as usize).copied().unwrap_or(u32::MAX);
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

    fn key_of(&self, world: &World<'_>, role: u32, way: &Way) -> Key {
        let changed = if way.is_changed { self.changed_round(world, role) } else { 0 };
        let granted =
            if way.is_granted { self.grants.get(&way.pair).map_or(0, |grant| grant.round) } else { 0 };
        (way.who, u8::from(way.is_granted || way.is_changed), changed.max(granted), 0, way.pair)
    }

    /// The way of one of some objects, with the identity that was found first.
    fn first_of_all<T>(candidates: impl Iterator<Item = (Way, T)>) -> Option<(Way, T)> {
        // Of equals the first is kept.
        let mut best: Option<(Way, T)> = None;
        for (way, of) in candidates {
            if best.as_ref().is_none_or(|(other, _)| way.who < other.who) {
                best = Some((way, of));
            }
        }
        best
    }

    fn to_account(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        number: u32,
        derivation: &mut Derivation,
    ) {
        let Some(account) = world.accounts.get(number as usize) else { return };
        let (place, names) = (account.place, &world.policy().names);
        let name = names.lookup(account.name);
        if !account.exists && derivation.step != Step::ImpersonateServiceAccount {
            derivation.uses.push(Fact::Made(number));
        }
        let mut best = |check, name| self.best(world, identities, trace, check, name, place);
        match derivation.step {
            Step::ImpersonateServiceAccount => {
                derivation.ways.extend(best(Check::ImpersonateAccounts, name));
            }
            Step::CreateToken => derivation.ways.extend(best(Check::CreateTokens, name)),
            Step::ReadTokenSecret => {
                let tokens = world.space(place).into_iter().flat_map(|space| &space.tokens);
                let own = tokens.filter(|(_, account)| *account == number);
                let ways = own.filter_map(|(secret, _)| Some((best(Check::ReadSecrets, *secret)?, *secret)));
                if let Some((way, secret)) = Self::first_of_all(ways) {
                    derivation.ways.push(way);
                    derivation.object = format!("secret {}/{}", account.namespace, names.text(secret));
                }
            }
            Step::MintTokenSecret => {
                derivation.ways.extend(best(Check::CreateSecrets, Name::UNKNOWN));
                derivation.ways.extend(best(Check::ReadSecrets, Name::UNKNOWN));
            }
            Step::CreatePod => derivation.ways.extend(best(Check::CreatePods, Name::UNKNOWN)),
            Step::CreateWorkload => derivation.ways.extend(best(Check::CreateWorkloads, Name::UNKNOWN)),
            Step::ChangeWorkload => self.by_changed_workload(world, identities, trace, place, derivation),
            Step::ChangePod | Step::Exec | Step::EphemeralContainer | Step::NodeProxy => {
                let pods = world.space(place).map_or(&[][..], |space| &space.pods);
                let own = pods.iter().copied().filter(|pod| {
                    world.pods.get(*pod as usize).is_some_and(|pod| pod.account == number && pod.has_token)
                });
                self.by_pod(world, identities, trace, own, derivation);
            }
            Step::TokenFromNode => {
                let on = |node: Node| {
                    world.pods.iter().any(|pod| pod.account == number && pod.has_token && pod.node == node)
                };
                let daemon = world.pods.iter().any(|pod| {
                    pod.account == number && pod.has_token && pod.workload.kind == WorkloadKind::DaemonSet
                });
                let known = self.nodes.iter().zip(0u32..).find(|(reached, node)| {
                    reached.round == self.round && (daemon || on(Node::Known(*node)))
                });
                derivation.uses.push(match known {
                    Some((_, node)) if self.any_node.round != self.round => Fact::Node(node),
                    _ => Fact::AnyNode,
                });
            }
            _ => {}
        }
    }

    /// The workload of a namespace whose change comes first.
    fn by_changed_workload(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        place: Place,
        derivation: &mut Derivation,
    ) {
        let workloads = world.space(place).map_or(&[][..], |space| &space.workloads);
        let names = &world.policy().names;
        let mut sorted: Vec<_> = workloads.iter().collect();
        sorted.sort_by_key(|(check, name)| (*check, names.text(*name)));
        let ways = sorted.into_iter().filter_map(|own @ (check, name)| {
            Some((self.best(world, identities, trace, *check, *name, place)?, *own))
        });
        if let Some((way, (check, name))) = Self::first_of_all(ways) {
            derivation.ways.push(way);
            let kind = kind_of(check).map_or("", |kind| kind.resource().1);
            derivation.object = format!("{kind} {}/{}", world.namespace(place), names.text(name));
        }
    }

    fn by_pod(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        pods: impl Iterator<Item = u32>,
        derivation: &mut Derivation,
    ) {
        let names = &world.policy().names;
        let check = match derivation.step {
            Step::ChangePod => Check::ChangePods,
            Step::Exec => Check::Exec,
            Step::NodeProxy => Check::ReachKubelets,
            _ => Check::AddContainers,
        };
        let mut own: Vec<u32> = pods.collect();
        let text = |number: &u32| {
            world
                .pods
                .get(*number as usize)
                .map(|pod| (world.namespace(pod.place), names.text(pod.workload.name)))
        };
        own.sort_by_key(text);
        let ways = own.into_iter().filter_map(|number| {
            let pod = world.pods.get(number as usize)?;
            let way = if check == Check::ReachKubelets {
                let node = match pod.node {
                    Node::Known(node) => *world.nodes.get(node as usize)?,
                    Node::Unknown => Name::UNKNOWN,
                    Node::Fargate => return None,
                };
                self.best(world, identities, trace, check, node, CLUSTER)?
            } else {
                self.best(world, identities, trace, check, pod.name, pod.place)?
            };
            Some((way, number))
        });
        if let Some((way, number)) = Self::first_of_all(ways)
            && let Some(pod) = world.pods.get(number as usize)
        {
            derivation.ways.push(way);
            let name = names.text(pod.workload.name);
            derivation.object = match pod.workload.kind {
                WorkloadKind::Pod => format!("pod {}/{name}", world.namespace(pod.place)),
                kind => format!("a pod of {} {}/{name}", kind.as_str(), world.namespace(pod.place)),
            };
        }
    }

    fn to_node(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        fact: Fact,
        derivation: &mut Derivation,
    ) {
        let is_there = |node: Node| match fact {
            Fact::Node(number) => node == Node::Known(number),
            _ => node == Node::Unknown,
        };
        let adds = derivation.step == Step::PrivilegedEphemeralContainer;
        let pods: Vec<u32> = (0u32..)
            .zip(&world.pods)
            .filter(|(_, pod)| is_there(pod.node) && (adds || pod.opens))
            .filter(|(_, pod)| !adds || self.lets_privileged(world, pod.place))
            .map(|(number, _)| number)
            .collect();
        self.by_pod(world, identities, trace, pods.iter().copied(), derivation);
        if adds && let Some(way) = derivation.ways.first().copied() {
            self.add_label(world, identities, trace, way.place, derivation);
        }
    }

    /// Whether privileged pods get into a namespace, now or after a change of its label.
    fn lets_privileged(&self, world: &World<'_>, place: Place) -> bool {
        world.space(place).is_some_and(|space| space.lets_privileged)
            || self.bits(place) & Check::ChangeNamespaces.bit() != 0
            || self.relabelled.contains(&place)
    }

    /// The change of a namespace's label, where privileged pods need one.
    fn add_label(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        place: Place,
        derivation: &mut Derivation,
    ) {
        if world.space(place).is_some_and(|space| space.lets_privileged) {
            return;
        }
        let name = world.policy().names.lookup(world.namespace(place));
        derivation.ways.extend(self.best(world, identities, trace, Check::ChangeNamespaces, name, place));
    }

    fn to_any_node(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        derivation: &mut Derivation,
    ) {
        let mut best: Option<(u32, Derivation)> = None;
        let volume = derivation.step == Step::HostPathVolume;
        for place in world.every() {
            if !self.runs_pods(place) {
                continue;
            }
            let mut own = derivation.clone();
            if volume {
                let fits = world.space(place).is_some_and(|space| space.lets_root);
                let create =
                    self.best(world, identities, trace, Check::CreateVolumes, Name::UNKNOWN, CLUSTER);
                let claim = self.best(world, identities, trace, Check::CreateClaims, Name::UNKNOWN, place);
                let (true, Some(create), Some(claim)) = (fits, create, claim) else { continue };
                own.ways.extend([create, claim]);
            } else if !self.lets_privileged(world, place) {
                continue;
            }
            let mut runs = Vec::new();
            for check in [Check::CreatePods, Check::CreateWorkloads] {
                runs.extend(self.best(world, identities, trace, check, Name::UNKNOWN, place));
            }
            let mut changed = own.clone();
            changed.ways.clear();
            self.by_changed_workload(world, identities, trace, place, &mut changed);
            runs.extend(changed.ways.first().copied());
            let Some((way, ())) = Self::first_of_all(runs.into_iter().map(|way| (way, ()))) else { continue };
            own.ways.push(way);
            if !volume {
                self.add_label(world, identities, trace, place, &mut own);
            }
            own.object = format!("namespace {}", world.namespace(place));
            if best.as_ref().is_none_or(|(who, _)| way.who < *who) {
                best = Some((way.who, own));
            }
        }
        if let Some((_, own)) = best {
            *derivation = own;
        }
    }

    fn runs_pods(&self, place: Place) -> bool {
        let hub = place.checked_sub(FIRST).and_then(|index| self.hubs.get(index as usize));
        hub.is_some_and(|hub| hub.meets(RUN))
    }

    /// What takes several rights of one identity: what gave each of them.
    fn by_one(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &Trace,
        fact: Fact,
        step: Step,
    ) -> (Vec<Way>, String) {
        let (mut ways, mut object) = (Vec::new(), String::new());
        let Some((class, round)) = trace.givers.get(&(fact, step)).copied() else { return (ways, object) };
        let who = self.first_of.get(&class).copied().unwrap_or(0);
        let names = &world.policy().names;
        let mut asked: Vec<(Check, Option<Name>, Place)> = Vec::new();
        match fact {
            Fact::Other(_) | Fact::ClusterAdmin => {
                let other = match fact {
                    Fact::Other(number) => identities.others.get(number as usize).map(|(other, _)| other),
                    _ => None,
                };
                if let Some(other) = other {
                    for group in &other.groups {
                        asked.push((Check::ImpersonateGroups, Some(*group), CLUSTER));
                    }
                    asked.push(match other.username {
                        Username::User(name) => (Check::ImpersonateUsers, Some(name), CLUSTER),
                        Username::Account(number) => {
                            let account = world.accounts.get(number as usize);
                            let name = account.map_or(Name::UNKNOWN, |own| names.lookup(own.name));
                            let place = account.map_or(CLUSTER, |own| own.place);
                            (Check::ImpersonateAccounts, Some(name), place)
                        }
                    });
                } else {
                    asked.push((Check::ImpersonateGroups, Some(world.masters), CLUSTER));
                    asked.push(self.username_for(world, identities, trace, (class, who, round)));
                }
            }
            Fact::Grant(pair) => {
                let (role, place) = identities.pair_at(pair);
                let in_cluster = place == CLUSTER;
                let (create, change) = if in_cluster {
                    (Check::CreateClusterBindings, Check::ChangeClusterBindings)
                } else {
                    (Check::CreateBindings, Check::ChangeBindings)
                };
                let (scope, name) = world.role(role).unwrap_or((Scope::Cluster, Name::UNKNOWN));
                let bind = match scope {
                    Scope::Cluster => Check::BindClusterRoles,
                    Scope::Namespace(_) => Check::BindRoles,
                };
                asked.push((if step == Step::ChangeBinding { change } else { create }, None, place));
                if step != Step::ShareRole {
                    asked.push((bind, Some(name), place));
                }
                object = world.show_role(role, place);
            }
            Fact::Changed(role) => {
                let (scope, name) = world.role(role).unwrap_or((Scope::Cluster, Name::UNKNOWN));
                let (change, create, escalate, place) = match scope {
                    Scope::Cluster => (
                        Check::ChangeClusterRoles,
                        Check::CreateClusterRoles,
                        Check::EscalateClusterRoles,
                        CLUSTER,
                    ),
                    Scope::Namespace(namespace) => {
                        (Check::ChangeRoles, Check::CreateRoles, Check::EscalateRoles, world.place(namespace))
                    }
                };
                let is_loaded = world.answers(role).is_some();
                asked.push((if is_loaded { change } else { create }, Some(name), place));
                asked.push((escalate, Some(name), place));
                object = world.show_role(role, place);
            }
            Fact::ChangedIn(place) => {
                asked.push((Check::ChangeRoles, None, place));
                asked.push((Check::EscalateRoles, None, place));
            }
            _ => {}
        }
        for (check, name, place) in asked {
            let named = |check, name| {
                self.way_of(world, identities, trace, (class, who, round), (check, name, place))
            };
            // Whoever writes one ClusterRole changes by its label those that take rules from others.
            let way = |check| named(check, name).or_else(|| named(check, None));
            // A role is handed on by a new binding, or by one that is there.
            let other = match check {
                Check::CreateBindings => Some(Check::ChangeBindings),
                Check::CreateClusterBindings => Some(Check::ChangeClusterBindings),
                Check::ChangeClusterRoles => Some(Check::CreateClusterRoles),
                _ => None,
            };
            ways.extend(way(check).or_else(|| way(other?)));
        }
        (ways, object)
    }

    /// A username that one identity may impersonate, whosever it is.
    fn username_for(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &Trace,
        by: (Class, u32, Round),
    ) -> (Check, Option<Name>, Place) {
        let user = world.users.iter().map(|user| (Check::ImpersonateUsers, Some(*user), CLUSTER));
        let names = &world.policy().names;
        let account = world
            .accounts
            .iter()
            .map(|own| (Check::ImpersonateAccounts, Some(names.lookup(own.name)), own.place));
        user.chain(account)
            .find(|asked| self.way_of(world, identities, trace, by, *asked).is_some())
            .unwrap_or((Check::ImpersonateUsers, None, CLUSTER))
    }

    /// By what one identity passes a check; with any name that will do where none is given.
    fn way_of(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &Trace,
        (class, who, asked_in): (Class, u32, Round),
        (check, name, place): (Check, Option<Name>, Place),
    ) -> Option<Way> {
        let mut best: Option<(Key, Way)> = None;
        let own = identities.held(class).into_iter().flat_map(|held| held.pairs.iter().copied());
        let own = own.map(|pair| (pair, false));
        let places = [CLUSTER, EVERY, place];
        let held = places.iter().filter(|at| **at != EVERY || place != CLUSTER);
        let held = held.flat_map(|place| trace.held_at.get(place).into_iter().flatten());
        let granted = held.filter(|pair| self.grants.get(pair).is_some_and(|grant| grant.round <= asked_in));
        let granted = granted.map(|pair| (*pair, true));
        for (pair, is_granted) in own.chain(granted) {
            let (role, at) = identities.pair_at(pair);
            if at != CLUSTER && at != place && !(at == EVERY && place != CLUSTER) {
                continue;
            }
            let passes = world.answers(role).is_some_and(|answers| match name {
                Some(name) => answers.allows(check, name),
                None => (answers.any | answers.named_bits) & check.bit() != 0,
            });
            let changed = self.changed_round(world, role) <= asked_in;
            if !passes && !changed {
                continue;
            }
            let name = name.unwrap_or_else(|| {
                let any = world.answers(role).is_none_or(|answers| answers.any & check.bit() != 0);
                let first = world.answers(role).and_then(|answers| answers.names_of(check).next());
                if any { Name::UNKNOWN } else { first.unwrap_or(Name::UNKNOWN) }
            });
            let way = Way { check, name, place, who, pair, is_granted, is_changed: !passes };
            let key = self.key_of(world, role, &way);
            if best.as_ref().is_none_or(|(other, _)| key < *other) {
                best = Some((key, way));
            }
        }
        best.map(|(_, way)| way)
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
            if let Some(derivation) = trace.derivations.get(&fact) {
                open.extend(&derivation.uses);
                for way in self.told(world, identities, fact).0 {
                    open.extend(self.facts_of(world, identities, &way));
                }
            }
        }
        let mut all: Vec<Fact> =
            seen.into_iter().filter(|fact| trace.derivations.contains_key(fact)).collect();
        all.sort_by_key(|fact| trace.order.get(fact).copied());
        all
    }
}

/// What orders facts that are found by one step of one identity.
fn bytes_of(world: &World<'_>, identities: &Identities, fact: Fact) -> String {
    let names = &world.policy().names;
    match fact {
        Fact::Account(number) | Fact::Made(number) => world
            .accounts
            .get(number as usize)
            .map_or_else(String::new, |own| format!("{}\0{}", own.namespace, own.name)),
        Fact::Other(number) => {
            match identities.others.get(number as usize).map(|(other, _)| other.username) {
                Some(Username::User(name)) => names.text(name).to_owned(),
                Some(Username::Account(number)) => {
                    world.accounts.get(number as usize).map_or_else(String::new, |own| {
                        format!("system:serviceaccount:{}:{}", own.namespace, own.name)
                    })
                }
                None => String::new(),
            }
        }
        Fact::Node(number) => {
            world.nodes.get(number as usize).map_or("", |name| names.text(*name)).to_owned()
        }
        Fact::Grant(pair) => {
            let (role, place) = identities.pair_at(pair);
            format!("{}\0{}", world.namespace(place), world.show_role(role, place))
        }
        Fact::Changed(role) => world.role(role).map_or("", |(_, name)| names.text(name)).to_owned(),
        Fact::Iam(number) | Fact::Login(number) => {
            world.outside.arns.get(number as usize).map_or_else(String::new, |arn| arn.text.clone())
        }
        _ => String::new(),
    }
}
