//! The room of a search: made once, emptied at the cost of what it holds.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::identities::Identities;
use super::super::step::{Step, Steps};
use super::super::world::{FIRST, World};
use super::{Closure, Fact, Goal, NEVER, Reached, Sinks, Sparse, Start, Told, Trace};

impl Closure {
    /// Room for a search from anybody.
    pub(in crate::ask::paths) fn new(world: &World<'_>, identities: &Identities) -> Self {
        let with_tokens = if world.outside.of_account.is_empty() { 0 } else { world.accounts.len() };
        Self {
            round: 0,
            is_quick: false,
            goal: None,
            asked: NEVER,
            start: Start { class: 0, fact: None, is_master: false, iam: None, is_user: false },
            accounts: Sparse::new(world.accounts.len(), Reached::default()),
            nodes: Sparse::new(world.nodes.len(), Reached::default()),
            any_node: Reached::default(),
            lost_node: Reached::default(),
            admin: Reached::default(),
            others: FxHashMap::default(),
            made: FxHashMap::default(),
            grants: FxHashMap::default(),
            grants_at: FxHashMap::default(),
            granted_bits: FxHashMap::default(),
            changed: FxHashMap::default(),
            changed_in: FxHashMap::default(),
            namespace_admins: FxHashMap::default(),
            sinks: Sinks::default(),
            found: Vec::new(),
            held: Sparse::new(identities.pairs.len(), NEVER),
            owners: Sparse::new(identities.pairs.len(), u32::MAX),
            first_of: Sparse::new(identities.classes.len(), u32::MAX),
            trace: None,
            classes: Vec::new(),
            personal: Vec::new(),
            bits: Sparse::new(world.spaces.len() + FIRST as usize, 0),
            hubs: Sparse::new(world.spaces.len() + FIRST as usize, Steps::default()),
            waiting: FxHashMap::default(),
            relabelled: FxHashSet::default(),
            opened_up: FxHashSet::default(),
            is_admin_next: false,
            handed_on: FxHashSet::default(),
            changes_aws_auth: false,
            deletes_aws_auth: false,
            iam: FxHashMap::default(),
            logins: FxHashMap::default(),
            tokens: Sparse::new(with_tokens, (NEVER, NEVER)),
            some_names: FxHashMap::default(),
            some_named: 0,
            extras: FxHashMap::default(),
            absent: FxHashSet::default(),
            certain_until: None,
            new_pairs: Vec::new(),
            new_changed: Vec::new(),
            new_changed_in: Vec::new(),
            new_classes: 0,
            new_nodes: Vec::new(),
            new_made: Vec::new(),
            new_grants: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Empties everything, at the cost of what is filled.
    pub(super) fn clear(&mut self) {
        self.accounts.clear();
        self.nodes.clear();
        self.held.clear();
        self.owners.clear();
        self.first_of.clear();
        self.bits.clear();
        self.hubs.clear();
        self.tokens.clear();
        for map in [&mut self.others, &mut self.made, &mut self.grants, &mut self.iam, &mut self.logins] {
            map.clear();
        }
        self.grants_at.clear();
        self.granted_bits.clear();
        self.changed.clear();
        self.changed_in.clear();
        self.namespace_admins.clear();
        self.waiting.clear();
        self.relabelled.clear();
        self.opened_up.clear();
        self.some_names.clear();
        self.some_named = 0;
        self.extras.clear();
        self.absent.clear();
        self.found.clear();
        self.classes.clear();
        self.personal.clear();
        for list in [
            &mut self.new_pairs,
            &mut self.new_changed,
            &mut self.new_changed_in,
            &mut self.new_grants,
            &mut self.new_nodes,
            &mut self.new_made,
        ] {
            list.clear();
        }
        self.next.clear();
        (self.any_node, self.lost_node, self.admin) = Default::default();
        self.sinks = Sinks::default();
        (self.changes_aws_auth, self.deletes_aws_auth) = (false, false);
        self.is_admin_next = false;
        self.asked = NEVER;
        self.handed_on.clear();
        (self.round, self.new_classes, self.certain_until, self.trace) = (0, 0, None, None);
    }

    /// Begins with everybody's tokens: what whoever is cluster-admin can take.
    pub(in crate::ask::paths) fn begin_with_every_account(
        &mut self,
        world: &World<'_>,
        identities: &Identities,
        start: Start,
        told: Told,
    ) {
        self.begin(world, identities, start, told);
        for (account, number) in world.accounts.iter().zip(0u32..) {
            if account.exists {
                self.reach_account(number, Step::CreatePod.into());
            }
        }
    }

    pub(super) fn begin(&mut self, world: &World<'_>, identities: &Identities, start: Start, told: Told) {
        self.clear();
        self.start = start;
        // Whoever is cluster-admin has every sink, and everything in the cluster; what IAM gives he may have by other ways.
        self.is_quick = match told {
            Told::Sinks | Told::WayTo(Goal::Sink(_)) => true,
            Told::Depth(goal) => !matches!(goal, Goal::Fact(Fact::Iam(_))),
            _ => false,
        };
        self.goal = match told {
            Told::Depth(goal) | Told::WayTo(goal) => Some(goal),
            _ => None,
        };
        self.trace = matches!(told, Told::Ways | Told::WayTo(_)).then(Trace::default);
        let none = Steps::default();
        if let Some(number) = start.iam {
            self.iam.entry(number).or_default().give(0, none);
        }
        if start.is_master {
            self.admin.give(0, none);
        }
        match start.fact {
            Some(Fact::Account(number)) => {
                self.accounts.fill(number).give(0, none);
                self.hold_token(number, 0, Steps::of(Step::CreatePod));
            }
            Some(Fact::Other(number)) => {
                self.others.entry(number).or_default().give(0, none);
            }
            Some(Fact::Node(number)) => {
                self.nodes.fill(number).give(0, none);
                self.new_nodes.push(number);
            }
            _ => {}
        }
        self.add_identity(world, identities, start.fact, start.class);
    }
}
