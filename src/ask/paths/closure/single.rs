//! Steps whose requests take one right each, whoever of those reached holds it.

use super::super::checks::Check;
use super::super::identities::Identities;
use super::super::step::{Step, Steps};
use super::super::world::{CLUSTER, EVERY, FIRST, Node, Place, World, kind_of};
use super::{Closure, Fact, News, RUN};
use crate::model::names::Name;
use crate::model::workload::WorkloadKind;

impl Closure {
    /// What follows from requests of one check.
    pub(super) fn single(&mut self, world: &World<'_>, identities: &Identities, news: &News) {
        let mut dirty: Vec<Place> = Vec::new();
        let mut all_dirty = false;
        for (place, bits) in &news.bits {
            let places = match *place {
                CLUSTER | EVERY => world.every(),
                place => place..place + 1,
            };
            for check in Check::ALL.into_iter().filter(|check| bits & check.bit() != 0) {
                if *place == CLUSTER {
                    self.outside_namespaces(world, check);
                }
                for place in places.clone() {
                    self.in_namespace(world, place, check);
                }
            }
            match *place {
                CLUSTER | EVERY => all_dirty = true,
                place => dirty.push(place),
            }
        }
        for pair in &news.named {
            let (role, place) = identities.pair_at(*pair);
            let Some(answers) = world.answers(role) else { continue };
            for (check, name) in &answers.named {
                self.named(world, place, *check, *name);
            }
            match place {
                CLUSTER | EVERY => all_dirty = true,
                place => dirty.push(place),
            }
        }
        if all_dirty {
            dirty = world.every().collect();
        } else {
            dirty.sort_unstable();
            dirty.dedup();
        }
        self.together(world, &dirty);
        self.deletes_aws_auth |= Self::names_aws_auth(world, identities, news, Check::DeleteConfigMaps);
        if world.aws_auth.is_some() {
            let at = world.kube_system;
            let replaces = (self.deletes_aws_auth || self.passes(at, Check::DeleteConfigMaps))
                && self.passes(at, Check::CreateConfigMaps);
            if replaces || self.changes_aws_auth || self.passes(at, Check::ChangeConfigMaps) {
                self.give_admin(Step::EditAwsAuth);
            }
        }
    }

    pub(super) fn outside_namespaces(&mut self, world: &World<'_>, check: Check) {
        match check {
            Check::ReachKubelets => {
                for (number, _) in (0..).zip(&world.pods) {
                    self.give_pod(world, number, Step::NodeProxy);
                }
            }
            Check::ImpersonateAccounts => {
                for (account, number) in world.accounts.iter().zip(0..) {
                    if account.place == CLUSTER {
                        self.reach_account(number, Step::ImpersonateServiceAccount.into());
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn in_namespace(&mut self, world: &World<'_>, place: Place, check: Check) {
        let Some(space) = world.space(place) else { return };
        let pods = |closure: &mut Self, step: Step| {
            for pod in &space.pods {
                closure.give_pod(world, *pod, step);
            }
        };
        match check {
            Check::ImpersonateAccounts => {
                for number in &space.accounts {
                    self.reach_account(*number, Step::ImpersonateServiceAccount.into());
                }
            }
            Check::CreateTokens => self.give_space(world, place, Step::CreateToken),
            Check::ReadSecrets => {
                for (_, account) in &space.tokens {
                    self.give_account(world, *account, Step::ReadTokenSecret.into());
                }
            }
            Check::CreatePods => self.give_space(world, place, Step::CreatePod),
            Check::CreateWorkloads => self.give_space(world, place, Step::CreateWorkload),
            Check::ChangePods => pods(self, Step::ChangePod),
            Check::Exec => pods(self, Step::Exec),
            Check::AddContainers => pods(self, Step::EphemeralContainer),
            Check::CreateAccounts => {
                for number in &space.accounts {
                    if world.accounts.get(*number as usize).is_some_and(|account| !account.exists)
                        && self
                            .made
                            .entry(*number)
                            .or_default()
                            .give(self.round + 1, Step::CreateServiceAccount.into())
                    {
                        self.next.push(Fact::Made(*number));
                    }
                }
            }
            check if kind_of(check).is_some() && space.workloads.iter().any(|(own, _)| *own == check) => {
                self.give_space(world, place, Step::ChangeWorkload);
            }
            _ => {}
        }
    }

    /// What follows from a check that passes with one name.
    pub(super) fn named(&mut self, world: &World<'_>, place: Place, check: Check, name: Name) {
        let covers = |other: Place| place < FIRST || place == other;
        let text = world.policy().names.text(name);
        let accounts = |number: &u32| {
            world.accounts.get(*number as usize).is_some_and(|account| {
                covers(account.place) && (account.place != CLUSTER || place == CLUSTER)
            })
        };
        let by_name = || world.accounts_by_name.get(text).into_iter().flatten().copied().filter(accounts);
        match check {
            Check::ImpersonateAccounts => {
                for number in by_name() {
                    self.reach_account(number, Step::ImpersonateServiceAccount.into());
                }
            }
            Check::CreateTokens => {
                for number in by_name() {
                    self.give_account(world, number, Step::CreateToken.into());
                }
            }
            Check::ReadSecrets => {
                for number in world.tokens_by_name.get(&name).into_iter().flatten() {
                    if accounts(number) {
                        self.give_account(world, *number, Step::ReadTokenSecret.into());
                    }
                }
            }
            Check::ChangePods | Check::Exec | Check::AddContainers => {
                let step = match check {
                    Check::ChangePods => Step::ChangePod,
                    Check::Exec => Step::Exec,
                    _ => Step::EphemeralContainer,
                };
                for number in world.pods_by_name.get(&name).into_iter().flatten() {
                    if world.pods.get(*number as usize).is_some_and(|pod| covers(pod.place)) {
                        self.give_pod(world, *number, step);
                    }
                }
            }
            Check::ReachKubelets if place == CLUSTER => {
                let node = world.node_numbers.get(&name);
                let on = node.and_then(|node| world.pods_on.get(*node as usize));
                for number in on.into_iter().flatten() {
                    self.give_pod(world, *number, Step::NodeProxy);
                }
            }
            Check::ChangeNamespaces => {
                if let Some(own) = world.places.get(text).filter(|own| covers(**own)) {
                    self.relabelled.insert(*own);
                }
            }
            check if kind_of(check).is_some() => {
                for own in world.workloads_by_name.get(&(check, name)).into_iter().flatten() {
                    if covers(*own) {
                        self.give_space(world, *own, Step::ChangeWorkload);
                    }
                }
            }
            _ => {}
        }
    }

    /// Acts of several requests, each of which any identity may send.
    pub(super) fn together(&mut self, world: &World<'_>, dirty: &[Place]) {
        let volumes = self.passes(CLUSTER, Check::CreateVolumes);
        for place in dirty {
            let Some(space) = world.space(*place) else { continue };
            let bits = self.bits(*place);
            let all = |checks: &[Check]| checks.iter().all(|check| bits & check.bit() != 0);
            if all(&[Check::CreateSecrets, Check::ReadSecrets]) {
                self.give_space(world, *place, Step::MintTokenSecret);
            }
            let lets =
                space.lets_privileged || all(&[Check::ChangeNamespaces]) || self.relabelled.contains(place);
            if lets {
                for pod in &space.pods {
                    if all(&[Check::AddContainers]) || self.opened_up.contains(pod) {
                        let node = world.pods.get(*pod as usize).map_or(Node::Fargate, |pod| pod.node);
                        self.give_node(node, Step::PrivilegedEphemeralContainer);
                    }
                }
            }
            let runs = self.hub(*place).meets(RUN);
            if runs && lets {
                self.give_any_node(Step::PrivilegedPod);
            }
            if runs && volumes && space.lets_root && all(&[Check::CreateClaims]) {
                self.give_any_node(Step::HostPathVolume);
            }
        }
    }

    /// The tokens on nodes that were reached in this round.
    pub(super) fn nodes_reached(&mut self, world: &World<'_>) {
        let any = self.any_node.round == self.round;
        if !any && self.new_nodes.is_empty() {
            return;
        }
        let step = Steps::from(Step::TokenFromNode);
        let mut on: Vec<u32> = Vec::new();
        if any {
            on.extend((0u32..).zip(&world.pods).map(|(number, _)| number));
        } else {
            // One of every DaemonSet is on every node.
            on.extend(&world.on_every_node);
            for node in &self.new_nodes {
                on.extend(world.pods_on.get(*node as usize).into_iter().flatten());
            }
        }
        for pod in on.into_iter().filter_map(|number| world.pods.get(number as usize)) {
            let is_there = match pod.node {
                Node::Known(_) => true,
                Node::Unknown => pod.workload.kind == WorkloadKind::DaemonSet,
                Node::Fargate => false,
            };
            if pod.has_token && is_there {
                self.give_account(world, pod.account, step);
            }
        }
    }

    /// Service accounts that exist since this round: what waited for them.
    pub(super) fn made_accounts(&mut self, world: &World<'_>) {
        let mut made = std::mem::take(&mut self.new_made);
        made.sort_unstable();
        for number in made {
            let place = world.accounts.get(number as usize).map_or(CLUSTER, |account| account.place);
            let steps = self.hub(place).and(self.waiting.get(&number).copied().unwrap_or_default());
            if !steps.is_empty() {
                self.reach_account(number, steps);
            }
        }
    }
}
