//! How one fact was found: the objects and the rights of its step.

use super::super::checks::Check;
use super::super::identities::Identities;
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, FIRST, Node, Place, World, kind_of};
use super::trace::{Derivation, Trace, Way};
use super::{Closure, Fact, RUN};
use crate::model::names::Name;
use crate::model::workload::WorkloadKind;

impl Closure {
    pub(super) fn derivation(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        fact: Fact,
    ) -> Option<Derivation> {
        let step = self.reached(fact)?.first()?;
        let mut derivation =
            Derivation { step, ways: Vec::new(), is_by_one: false, uses: Vec::new(), object: String::new() };
        if let Fact::Account(number) = fact
            && self.absent.contains(&number)
        {
            derivation.ways.extend(self.to_absent(world, identities, trace, number, step));
            return Some(derivation);
        }
        if let Some(extra) = self.extras.get(&fact).filter(|extra| extra.step == step) {
            derivation.uses.clone_from(&extra.uses);
            derivation.object.clone_from(&extra.object);
            for (check, name, place) in &extra.asks {
                if let Some(class) = extra.by {
                    let by = (class, self.first_of.get(class), self.round);
                    derivation.ways.extend(self.way_of(world, identities, by, (*check, Some(*name), *place)));
                    continue;
                }
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

    /// What leads to an account that is not in the inputs.
    fn to_absent(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &mut Trace,
        number: u32,
        step: Step,
    ) -> Option<Way> {
        let account = world.accounts.get(number as usize)?;
        let check = match step {
            Step::CreateToken => Check::CreateTokens,
            Step::MintTokenSecret => Check::CreateSecrets,
            Step::CreatePod => Check::CreatePods,
            Step::CreateWorkload => Check::CreateWorkloads,
            _ => Check::ChangeDeployments,
        };
        let named = || world.policy().names.lookup(account.name);
        let name = if step == Step::CreateToken { named() } else { Name::UNKNOWN };
        self.best(world, identities, trace, check, name, account.place)
    }

    /// The way of one of some objects, with the identity that was found first.
    pub(super) fn first_of_all<T>(candidates: impl Iterator<Item = (Way, T)>) -> Option<(Way, T)> {
        // Of equals the first is kept.
        let mut best: Option<(Way, T)> = None;
        for (way, of) in candidates {
            if best.as_ref().is_none_or(|(other, _)| way.who < other.who) {
                best = Some((way, of));
            }
        }
        best
    }

    pub(super) fn to_account(
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
                let known = self.new_nodes.iter().filter(|node| daemon || on(Node::Known(**node))).min();
                derivation.uses.push(match known {
                    Some(node) if self.any_node.round != self.round => Fact::Node(*node),
                    _ => Fact::AnyNode,
                });
            }
            _ => {}
        }
    }

    /// The workload of a namespace whose change comes first.
    pub(super) fn by_changed_workload(
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

    pub(super) fn by_pod(
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

    pub(super) fn to_node(
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
    pub(super) fn lets_privileged(&self, world: &World<'_>, place: Place) -> bool {
        world.space(place).is_some_and(|space| space.lets_privileged)
            || self.bits(place) & Check::ChangeNamespaces.bit() != 0
            || self.relabelled.contains(&place)
    }

    /// The change of a namespace's label, where privileged pods need one.
    pub(super) fn add_label(
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

    pub(super) fn to_any_node(
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

    pub(super) fn runs_pods(&self, place: Place) -> bool {
        self.hub(place).meets(RUN)
    }
}
