//! Everything that somebody can become, round by round.
//!
//! A request of one check passes if any identity reached holds a role that allows it, so what all of them hold is kept
//! as one set of pairs (role, place), each looked at once. Only requests that need several rights of one identity
//! are asked class by class; that is in [`joined`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::checks::{Bits, Check};
use super::identities::{Class, Identities, Pair};
use super::step::{Step, Steps};
use super::world::{CLUSTER, EVERY, Place, World};
use crate::model::names::Name;
use crate::model::policy::position;

mod apply;
pub(super) mod beyond;
mod by_one;
mod change;
mod choices;
mod cluster_wide;
mod constrained;
mod covering;
mod derive;
mod facts;
mod give;
mod hand_on;
mod joined;
mod nodes;
mod possible;
mod powers;
mod room;
mod single;
pub(super) mod sparse;
pub(super) mod trace;
mod write;

use beyond::Extra;
pub use facts::Round;
pub(super) use facts::{Fact, Goal, NEVER, Reached, Start, Told};
use facts::{Found, Sinks};
use sparse::Sparse;
use trace::Trace;

/// The state, and in the end the result.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says what somebody can do, and none excludes another"
)]
pub(super) struct Closure {
    pub(super) round: Round,
    /// Whether only sinks are asked for: then nothing is looked for that comes no sooner than cluster-admin.
    pub(super) is_quick: bool,
    /// What the search ends with, beside cluster-admin.
    pub(super) goal: Option<Goal>,
    /// When somebody first held a role that allows what is asked.
    asked: Round,
    pub(super) start: Start,
    pub(super) accounts: Sparse<Reached>,
    pub(super) nodes: Sparse<Reached>,
    pub(super) any_node: Reached,
    pub(super) lost_node: Reached,
    pub(super) admin: Reached,
    pub(super) others: FxHashMap<u32, Reached>,
    pub(super) made: FxHashMap<u32, Reached>,
    pub(super) grants: FxHashMap<Pair, Reached>,
    pub(super) grants_at: FxHashMap<Place, Vec<u32>>,
    /// Per place the checks that these answer, if perhaps only for some names.
    pub(super) granted_bits: FxHashMap<Place, Bits>,
    pub(super) changed: FxHashMap<u32, Round>,
    /// Per place the round in which all its Roles were changed.
    pub(super) changed_in: FxHashMap<Place, Round>,
    pub(super) namespace_admins: FxHashMap<Place, Reached>,
    pub(super) sinks: Sinks,
    pub(super) found: Vec<Found>,
    /// Per pair the round in which somebody first held it.
    pub(super) held: Sparse<Round>,
    /// Per pair the first identity that holds it by bindings that are loaded.
    pub(super) owners: Sparse<u32>,
    /// Per class the first identity in it.
    pub(super) first_of: Sparse<u32>,
    /// How everything was found, if that is to be told.
    pub(super) trace: Option<Trace>,
    pub(super) classes: Vec<Class>,
    /// The classes, by position, that hold what matters in whose hands it is; where all roles do, all of them.
    personal: Vec<usize>,
    /// Per place the checks that somebody passes.
    bits: Sparse<Bits>,
    /// Per place of a namespace the steps that give each of its accounts that exist.
    hubs: Sparse<Steps>,
    /// Steps that give an account as soon as it exists.
    waiting: FxHashMap<u32, Steps>,
    pub(super) relabelled: FxHashSet<Place>,
    /// Pods to which containers may be added by name.
    opened_up: FxHashSet<u32>,
    /// Whether somebody may do everything in the cluster in the next round.
    is_admin_next: bool,
    /// Roles that somebody hands on in this round by every binding in namespaces that names them.
    handed_on: FxHashSet<u32>,
    changes_aws_auth: bool,
    deletes_aws_auth: bool,
    /// IAM users and roles.
    pub(super) iam: FxHashMap<u32, Reached>,
    pub(super) logins: FxHashMap<u32, Reached>,
    /// Per account since when its token is had, and since when from inside a pod.
    tokens: Sparse<(Round, Round)>,
    /// Per place and check of what is possible the first name with which it passes, where it does not with all.
    some_names: FxHashMap<(Place, Check), Name>,
    /// The checks of these.
    some_named: Bits,
    /// How facts were found that the state alone does not tell.
    pub(super) extras: FxHashMap<Fact, Extra>,
    /// Accounts that are reached if they exist; the inputs do not hold them.
    pub(super) absent: FxHashSet<u32>,
    /// The last round of certain steps, where others follow.
    pub(super) certain_until: Option<Round>,
    new_pairs: Vec<Pair>,
    new_changed: Vec<u32>,
    new_changed_in: Vec<Place>,
    pub(super) new_classes: usize,
    new_nodes: Vec<u32>,
    new_made: Vec<u32>,
    pub(super) new_grants: Vec<Pair>,
    pub(super) next: Vec<Fact>,
}

/// Steps that run pods as somebody chooses.
pub(super) const RUN: Steps =
    Steps::of(Step::CreatePod).and(Steps::of(Step::CreateWorkload)).and(Steps::of(Step::ChangeWorkload));

impl Closure {
    /// Everything from one start.
    pub(super) fn run(
        world: &mut World<'_>,
        identities: &mut Identities,
        start: Start,
        most: Option<Round>,
        told: Told,
        is_possible: bool,
    ) -> Self {
        let mut closure = Self::new(world, identities);
        closure.begin(world, identities, start, told);
        closure.rounds(world, identities, most, is_possible);
        closure
    }

    /// The depths of sinks from one start, or of one thing, in the room of an earlier search.
    pub(super) fn look(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        start: Start,
        most: Option<Round>,
        (told, is_possible): (Told, bool),
    ) {
        self.begin(world, identities, start, told);
        self.rounds(world, identities, most, is_possible);
    }

    pub(super) fn rounds(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        most: Option<Round>,
        is_possible: bool,
    ) {
        let most = most.unwrap_or(NEVER - 1);
        loop {
            let news = self.take_in(world, identities);
            self.read_powers(world, identities, &news);
            if self.admin.round <= self.round || self.round >= most || self.is_at_goal() {
                return;
            }
            self.single(world, identities, &news);
            self.nodes_reached(world);
            self.made_accounts(world);
            self.beyond(world, identities);
            self.joined_acts(world, identities);
            if self.is_admin_at_once() {
                return;
            }
            if self.next.is_empty() {
                if !is_possible {
                    return;
                }
                self.certain_until.get_or_insert(self.round);
                self.uncertain(world, identities);
                if self.next.is_empty() || self.is_admin_at_once() {
                    return;
                }
            }
            self.advance(world, identities);
        }
    }

    /// Whether only sinks are asked for, and the next round has them all: then nobody need be looked at in it.
    fn is_admin_at_once(&mut self) -> bool {
        let is_enough = self.is_quick && self.trace.is_none();
        if is_enough && self.is_admin_next {
            self.admin.give(self.round + 1, Steps::default());
        }
        is_enough && self.admin.round != NEVER
    }

    /// Whether what the search is for is reached.
    fn is_at_goal(&self) -> bool {
        self.goal.is_some_and(|goal| self.round_of_goal(goal) <= self.round)
    }

    /// When a goal was reached, other than by being cluster-admin.
    pub(super) fn round_of_goal(&self, goal: Goal) -> Round {
        match goal {
            Goal::Sink("node") => {
                let nodes = self.nodes.filled().iter().map(|number| self.nodes.get(*number).round);
                nodes.min().unwrap_or(NEVER).min(self.any_node.round).min(self.lost_node.round)
            }
            Goal::Sink("edit-aws-auth") => self.sinks.edit_aws_auth,
            Goal::Sink("exec-everywhere") => self.sinks.exec_everywhere,
            Goal::Sink("read-all-secrets") => self.sinks.read_all_secrets,
            Goal::Sink(_) => self.admin.round,
            Goal::Fact(fact) => self.round_of(fact),
            Goal::Everything(place) => self.namespace_admins.get(&place).map_or(NEVER, |own| own.round),
            Goal::Asked => self.asked,
        }
    }

    /// When an identity or a node was reached.
    pub(super) fn round_of(&self, fact: Fact) -> Round {
        let of_map =
            |map: &FxHashMap<u32, Reached>, number: u32| map.get(&number).copied().unwrap_or_default();
        match fact {
            Fact::Account(number) => self.accounts.get(number),
            Fact::Node(number) => self.nodes.get(number),
            Fact::AnyNode => self.any_node,
            Fact::LostNode => self.lost_node,
            Fact::ClusterAdmin => self.admin,
            Fact::Other(number) => of_map(&self.others, number),
            Fact::Iam(number) => of_map(&self.iam, number),
            Fact::Login(number) => of_map(&self.logins, number),
            Fact::Made(_) | Fact::Grant(_) | Fact::Changed(_) | Fact::ChangedIn(_) => Reached::default(),
        }
        .round
    }

    fn add_identity(&mut self, world: &World<'_>, identities: &Identities, fact: Option<Fact>, class: Class) {
        let number = position(self.found.len());
        self.found.push(Found { fact, class, round: self.round });
        // Whoever is more than others has what they have.
        if let Some(base) = identities.held(class).and_then(|held| held.base) {
            self.add_class(world, identities, base, number);
        }
        self.add_class(world, identities, class, number);
    }

    fn add_class(&mut self, world: &World<'_>, identities: &Identities, class: Class, number: u32) {
        let first = self.first_of.fill(class);
        if *first != u32::MAX {
            return;
        }
        *first = number;
        // Where only sinks are asked for, uncertain steps have no depth: what is known of a class is enough.
        if self.is_quick
            && self.trace.is_none()
            && self.certain_until.is_some()
            && identities.admin_classes.contains(&class)
        {
            self.admin.give(self.round, Steps::default());
        }
        let Some(held) = identities.held(class) else { return };
        if world.is_thorough || self.classes.is_empty() || held.is_personal() {
            self.personal.push(self.classes.len());
        }
        self.classes.push(class);
        for pair in &held.pairs {
            self.hold(identities, *pair);
            let owner = self.owners.fill(*pair);
            *owner = number.min(*owner);
        }
    }

    fn hold(&mut self, identities: &Identities, pair: Pair) {
        let round = self.held.fill(pair);
        if *round != NEVER {
            return;
        }
        *round = self.round;
        self.new_pairs.push(pair);
        if let Some(trace) = &mut self.trace {
            let (_, place) = identities.pair_at(pair);
            trace.held_at.entry(place).or_default().push(pair);
        }
    }

    /// The round in which a role began to say everything.
    pub(super) fn changed_round(&self, world: &World<'_>, role: u32) -> Round {
        let own = self.changed.get(&role).copied().unwrap_or(NEVER);
        if self.changed_in.is_empty() {
            return own;
        }
        let at = |place: Place| self.changed_in.get(&place).copied().unwrap_or(NEVER);
        match world.home(role) {
            CLUSTER => own,
            place => own.min(at(EVERY)).min(at(place)),
        }
    }

    pub(super) fn is_everything(&self, world: &World<'_>, role: u32) -> bool {
        world.says_everything(role) || self.changed_round(world, role) <= self.round
    }

    /// What everybody together passes in a place.
    pub(super) fn bits(&self, place: Place) -> Bits {
        let at = |place: Place| self.bits.get(place);
        match place {
            CLUSTER => at(CLUSTER),
            EVERY => at(CLUSTER) | at(EVERY),
            place => at(CLUSTER) | at(EVERY) | at(place),
        }
    }

    fn passes(&self, place: Place, check: Check) -> bool {
        self.bits(place) & check.bit() != 0
    }

    /// The steps that give each account of a namespace that exists.
    fn hub(&self, place: Place) -> Steps {
        self.hubs.get(place)
    }

    /// Looks at the roles that are held since this round: per place the checks that now pass.
    fn take_in(&mut self, world: &World<'_>, identities: &Identities) -> News {
        let mut pairs = std::mem::take(&mut self.new_pairs);
        for role in std::mem::take(&mut self.new_changed) {
            let known = identities.pairs_of_role.get(&role);
            pairs.extend(known.into_iter().flatten().copied().filter(|pair| self.is_held(*pair)));
        }
        let places = std::mem::take(&mut self.new_changed_in);
        if !places.is_empty() {
            let affected = |pair: &Pair| match world.home(identities.pair_at(*pair).0) {
                CLUSTER => false,
                place => places.contains(&EVERY) || places.contains(&place),
            };
            pairs.extend(self.held.filled().iter().copied().filter(affected));
        }
        let mut news = News::default();
        for pair in pairs {
            let (role, place) = identities.pair_at(pair);
            let is_everything = self.is_everything(world, role);
            if self.goal == Some(Goal::Asked)
                && self.asked == NEVER
                && world.asked.counts_in(place)
                && (is_everything || world.asked.is_allowed_by(role))
            {
                self.asked = self.round;
            }
            let bits = if is_everything {
                world.all_checks()
            } else {
                world.answers(role).map_or(0, |answers| answers.any)
            };
            let before = self.bits(place);
            if bits & !before != 0 {
                *self.bits.fill(place) |= bits;
                news.bits.push((place, bits & !before));
            }
            if !is_everything && world.answers(role).is_some_and(|answers| answers.named_bits & !before != 0)
            {
                news.named.push(pair);
            }
        }
        news
    }

    /// Whether roles were handed on or changed on the way, so that it matters which ones somebody holds.
    pub(super) fn hands_on_roles(&self) -> bool {
        !(self.grants.is_empty() && self.changed.is_empty() && self.changed_in.is_empty())
    }

    fn is_held(&self, pair: Pair) -> bool {
        self.held.get(pair) != NEVER
    }

    /// Begins the next round with what this one found.
    fn advance(&mut self, world: &World<'_>, identities: &mut Identities) {
        let mut facts = std::mem::take(&mut self.next);
        if self.trace.is_some() {
            // Who asks for cluster-admin is told nothing else of the round in which it is reached.
            if self.goal == Some(Goal::Sink("cluster-admin")) && facts.contains(&Fact::ClusterAdmin) {
                facts.retain(|fact| *fact == Fact::ClusterAdmin);
            }
            self.derive(world, identities, &mut facts);
        }
        self.round += 1;
        self.handed_on.clear();
        self.new_classes = self.classes.len();
        self.new_grants.clear();
        self.new_nodes.clear();
        self.new_made.clear();
        for fact in facts {
            match fact {
                Fact::Account(number) => {
                    let class = identities.class_of_account(world, number);
                    self.add_identity(world, identities, Some(fact), class);
                }
                Fact::Other(number) => {
                    let class = identities.others.get(number as usize).map_or(0, |(_, class)| *class);
                    self.add_identity(world, identities, Some(fact), class);
                }
                Fact::Login(number) => {
                    let login = world.outside.arns.get(number as usize).and_then(|arn| arn.login.as_ref());
                    if let Some(user) = login.and_then(crate::decide::cluster::Who::certain) {
                        let asker = world.cluster.graph().asker(&user);
                        let class = identities.class_of(world, asker.principals());
                        self.add_identity(world, identities, Some(fact), class);
                    }
                }
                Fact::Grant(pair) => {
                    let (role, place) = identities.pair_at(pair);
                    self.grants_at.entry(place).or_default().push(role);
                    let bits = world.answers(role).map_or(0, |own| own.any | own.named_bits);
                    *self.granted_bits.entry(place).or_default() |= bits;
                    self.new_grants.push(pair);
                    self.hold(identities, pair);
                }
                Fact::Node(number) => self.new_nodes.push(number),
                Fact::Made(number) => self.new_made.push(number),
                Fact::Changed(role) => self.new_changed.push(role),
                Fact::ChangedIn(place) => self.new_changed_in.push(place),
                _ => {}
            }
        }
    }
}

/// What a round begins with.
#[derive(Debug, Default)]
struct News {
    /// Per place the checks that pass since this round.
    bits: Vec<(Place, Bits)>,
    /// Pairs whose roles say something for names alone.
    named: Vec<Pair>,
}
