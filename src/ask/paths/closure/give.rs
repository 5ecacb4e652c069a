//! What a step gives is kept for the next round, each thing once.

use super::super::identities::{Class, Identities, Other, Pair};
use super::super::step::{Step, Steps};
use super::super::world::{FIRST, Node, Place, World};
use super::{Closure, Fact, NEVER};

impl Closure {
    /// Gives a service account; one that does not exist only to whom that does not matter.
    pub(super) fn give_account(&mut self, world: &World<'_>, number: u32, steps: Steps) {
        let exists = world.accounts.get(number as usize).is_some_and(|account| account.exists)
            || self.made.get(&number).is_some_and(|made| made.round <= self.round);
        if exists || steps.meets(Step::ImpersonateServiceAccount.into()) {
            self.reach_account(number, steps);
        } else {
            let waiting = self.waiting.entry(number).or_default();
            *waiting = waiting.and(steps);
        }
    }

    pub(super) fn reach_account(&mut self, number: u32, steps: Steps) {
        let round = self.round + 1;
        self.hold_token(number, round, steps);
        if self.accounts.fill(number).give(round, steps) {
            self.next.push(Fact::Account(number));
        }
    }

    pub(super) fn give_other(&mut self, number: u32, steps: Steps) {
        let round = self.round + 1;
        if self.others.entry(number).or_default().give(round, steps) {
            self.next.push(Fact::Other(number));
        }
    }

    /// Keeps who did something that takes several rights of one identity: the first that could.
    pub(super) fn given_by(&mut self, fact: Fact, step: Step, class: Class) {
        if let Some(trace) = &mut self.trace {
            trace.givers.entry((fact, step)).or_insert((class, self.round));
        }
    }

    pub(super) fn give_admin(&mut self, step: Step) {
        if self.admin.give(self.round + 1, step.into()) {
            self.next.push(Fact::ClusterAdmin);
        }
    }

    pub(super) fn give_grant(&mut self, pair: Pair, step: Step) {
        let round = self.round + 1;
        if self.grants.entry(pair).or_default().give(round, step.into()) {
            self.next.push(Fact::Grant(pair));
        }
    }

    pub(super) fn give_changed(&mut self, role: u32) {
        let round = self.round + 1;
        let known = self.changed.entry(role).or_insert(NEVER);
        if *known == NEVER {
            *known = round;
            self.next.push(Fact::Changed(role));
        }
    }

    /// All Roles of a namespace, or of every one, those that only bindings name as well.
    pub(super) fn give_changed_in(&mut self, place: Place) {
        let round = self.round + 1;
        let known = self.changed_in.entry(place).or_insert(NEVER);
        if *known == NEVER {
            *known = round;
            self.next.push(Fact::ChangedIn(place));
        }
    }

    pub(super) fn give_node(&mut self, node: Node, step: Step) {
        let round = self.round + 1;
        let (fact, reached) = match node {
            Node::Known(number) => (Fact::Node(number), self.nodes.fill(number)),
            Node::Unknown => (Fact::LostNode, &mut self.lost_node),
            Node::Fargate => return,
        };
        if reached.give(round, step.into()) {
            self.next.push(fact);
        }
    }

    pub(super) fn give_any_node(&mut self, step: Step) {
        if self.any_node.give(self.round + 1, step.into()) {
            self.next.push(Fact::AnyNode);
        }
    }

    /// What a pod gives to whoever runs code in it.
    pub(super) fn give_pod(&mut self, world: &World<'_>, number: u32, step: Step) {
        let Some(pod) = world.pods.get(number as usize) else { return };
        if step == Step::NodeProxy && pod.node == Node::Fargate {
            return;
        }
        if pod.has_token {
            self.give_account(world, pod.account, step.into());
        }
        if step == Step::EphemeralContainer {
            self.opened_up.insert(number);
        } else if pod.opens {
            self.give_node(pod.node, step);
        }
    }

    /// Gives every account of a namespace that exists.
    pub(super) fn give_space(&mut self, world: &World<'_>, place: Place, step: Step) {
        if place < FIRST {
            return;
        }
        let hub = self.hubs.fill(place);
        if hub.meets(step.into()) {
            return;
        }
        *hub = hub.and(step.into());
        let accounts = world.space(place).map_or(&[][..], |space| &space.accounts);
        for number in accounts {
            let exists = world.accounts.get(*number as usize).is_some_and(|account| account.exists);
            if exists || self.made.get(number).is_some_and(|made| made.round <= self.round) {
                self.reach_account(*number, step.into());
            }
        }
    }

    /// The number of an identity by impersonation.
    pub(super) fn give_impersonated(
        &mut self,
        world: &World<'_>,
        identities: &mut Identities,
        other: &Other,
        (class, step): (Class, Step),
    ) {
        let number = identities.other(world, other);
        self.give_other(number, step.into());
        self.given_by(Fact::Other(number), step, class);
    }
}
