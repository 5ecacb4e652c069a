//! Everything that somebody can become, round by round.
//!
//! A request of one check passes if any identity reached holds a role that allows it, so what all of them hold is kept
//! as one set of pairs (role, place), each looked at once. Only requests that need several rights of one identity
//! are asked class by class; that is in [`joined`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::checks::Check;
use super::identities::{Class, Identities, Other, Pair};
use super::step::{Step, Steps};
use super::world::{CLUSTER, EVERY, FIRST, Node, Place, World, kind_of};
use crate::model::names::Name;
use crate::model::policy::position;
use crate::model::rbac::Scope;

pub(super) mod beyond;
mod joined;
pub(super) mod trace;

use beyond::Extra;
use trace::Trace;

/// A round; also how many steps, of which those that do not wait for each other count once.
pub type Round = u16;
/// The round of what is never reached.
pub(super) const NEVER: Round = Round::MAX;

/// When something was first reached, and by which steps in that round.
#[derive(Copy, Clone, Debug)]
pub(super) struct Reached {
    pub(super) round: Round,
    pub(super) steps: Steps,
}

impl Default for Reached {
    fn default() -> Self {
        Self { round: NEVER, steps: Steps::default() }
    }
}

impl Reached {
    fn give(&mut self, round: Round, steps: Steps) -> bool {
        if self.round == NEVER {
            *self = Self { round, steps };
            return true;
        }
        if self.round == round {
            self.steps = self.steps.and(steps);
        }
        false
    }
}

/// Something that is reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    /// A service account, with its own groups.
    Account(u32),
    /// What impersonation makes.
    Other(u32),
    Node(u32),
    AnyNode,
    /// A node of which nobody knows which it is: it leads nowhere.
    LostNode,
    ClusterAdmin,
    /// A service account that exists from now on.
    Made(u32),
    /// A role that every identity holds.
    Grant(Pair),
    /// A role that says everything from now on.
    Changed(u32),
    /// All Roles of a namespace, or of each, say everything from now on.
    ChangedIn(Place),
    /// An IAM user or role.
    Iam(u32),
    /// The identity as which it logs in.
    Login(u32),
}

/// How much is asked for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The depths of sinks.
    Sinks,
    /// Everything that is reached.
    Reached,
    /// That, with the ways there.
    Ways,
}

/// Who starts.
#[derive(Copy, Clone, Debug)]
pub(super) struct Start {
    pub(super) class: Class,
    /// The fact that it is, where it is one that can be reached.
    pub(super) fact: Option<Fact>,
    pub(super) is_master: bool,
    /// The ARN that it is.
    pub(super) iam: Option<u32>,
    /// Whether it can log in.
    pub(super) is_user: bool,
}

/// An identity in the order in which it was found.
#[derive(Copy, Clone, Debug)]
pub(super) struct Found {
    pub(super) fact: Option<Fact>,
    pub(super) class: Class,
    pub(super) round: Round,
}

/// What is read off the state after each round, apart from powers.
#[derive(Copy, Clone, Debug)]
pub(super) struct Sinks {
    pub(super) read_all_secrets: Round,
    pub(super) exec_everywhere: Round,
    pub(super) edit_aws_auth: Round,
}

/// The state, and in the end the result.
#[derive(Debug)]
pub(super) struct Closure {
    pub(super) round: Round,
    /// Whether only sinks are asked for: then nothing is looked for that comes no sooner than cluster-admin.
    pub(super) is_quick: bool,
    pub(super) start: Start,
    pub(super) accounts: Vec<Reached>,
    pub(super) nodes: Vec<Reached>,
    pub(super) any_node: Reached,
    pub(super) lost_node: Reached,
    pub(super) admin: Reached,
    pub(super) others: FxHashMap<u32, Reached>,
    pub(super) made: FxHashMap<u32, Reached>,
    pub(super) grants: FxHashMap<Pair, Reached>,
    pub(super) grants_at: FxHashMap<Place, Vec<u32>>,
    /// Per place the checks that these answer, if perhaps only for some names.
    pub(super) granted_bits: FxHashMap<Place, u64>,
    pub(super) changed: FxHashMap<u32, Round>,
    /// Per place the round in which all its Roles were changed.
    pub(super) changed_in: FxHashMap<Place, Round>,
    pub(super) namespace_admins: FxHashMap<Place, Reached>,
    pub(super) sinks: Sinks,
    pub(super) found: Vec<Found>,
    /// Per pair the round in which somebody first held it.
    pub(super) held: Vec<Round>,
    held_list: Vec<Pair>,
    /// Per pair the first identity that holds it by bindings that are loaded.
    pub(super) owners: Vec<u32>,
    /// Per class the first identity in it.
    pub(super) first_of: FxHashMap<Class, u32>,
    /// How everything was found, if that is to be told.
    pub(super) trace: Option<Trace>,
    pub(super) classes: Vec<Class>,
    class_seen: FxHashSet<Class>,
    /// Per place the checks that somebody passes.
    bits: Vec<u64>,
    /// Per namespace the steps that give each of its accounts that exist.
    pub(super) hubs: Vec<Steps>,
    /// Steps that give an account as soon as it exists.
    waiting: FxHashMap<u32, Steps>,
    pub(super) relabelled: FxHashSet<Place>,
    /// Pods to which containers may be added by name.
    opened_up: FxHashSet<u32>,
    changes_aws_auth: bool,
    deletes_aws_auth: bool,
    /// IAM users and roles.
    pub(super) iam: FxHashMap<u32, Reached>,
    pub(super) logins: FxHashMap<u32, Reached>,
    /// Per account since when its token is had, and since when from inside a pod.
    tokens: Vec<(Round, Round)>,
    /// How facts were found that the state alone does not tell.
    pub(super) extras: FxHashMap<Fact, Extra>,
    /// The last round of certain steps, where others follow.
    pub(super) certain_until: Option<Round>,
    new_pairs: Vec<Pair>,
    new_changed: Vec<u32>,
    new_changed_in: Vec<Place>,
    pub(super) new_classes: usize,
    pub(super) new_grants: Vec<Pair>,
    pub(super) next: Vec<Fact>,
}

/// Steps that run pods as somebody chooses.
pub(super) const RUN: Steps =
    Steps::of(Step::CreatePod).and(Steps::of(Step::CreateWorkload)).and(Steps::of(Step::ChangeWorkload));

impl Closure {
    pub(super) fn run(
        world: &mut World<'_>,
        identities: &mut Identities,
        start: Start,
        most: Option<Round>,
        told: Told,
        is_possible: bool,
    ) -> Self {
        let traced = told == Told::Ways;
        let mut closure = Self {
            round: 0,
            is_quick: told == Told::Sinks,
            start,
            accounts: vec![Reached::default(); world.accounts.len()],
            nodes: vec![Reached::default(); world.nodes.len()],
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
            sinks: Sinks { read_all_secrets: NEVER, exec_everywhere: NEVER, edit_aws_auth: NEVER },
            found: Vec::new(),
            held: vec![NEVER; identities.pairs.len()],
            held_list: Vec::new(),
            owners: vec![u32::MAX; identities.pairs.len()],
            first_of: FxHashMap::default(),
            trace: traced.then(Trace::default),
            classes: Vec::new(),
            class_seen: FxHashSet::default(),
            bits: vec![0; world.spaces.len() + FIRST as usize],
            hubs: vec![Steps::default(); world.spaces.len()],
            waiting: FxHashMap::default(),
            relabelled: FxHashSet::default(),
            opened_up: FxHashSet::default(),
            changes_aws_auth: false,
            deletes_aws_auth: false,
            iam: FxHashMap::default(),
            logins: FxHashMap::default(),
            tokens: Vec::new(),
            extras: FxHashMap::default(),
            certain_until: None,
            new_pairs: Vec::new(),
            new_changed: Vec::new(),
            new_changed_in: Vec::new(),
            new_classes: 0,
            new_grants: Vec::new(),
            next: Vec::new(),
        };
        if !world.outside.of_account.is_empty() {
            closure.tokens = vec![(NEVER, NEVER); world.accounts.len()];
        }
        closure.rounds(world, identities, most.unwrap_or(NEVER - 1), is_possible);
        closure
    }

    fn rounds(&mut self, world: &mut World<'_>, identities: &mut Identities, most: Round, is_possible: bool) {
        if let Some(number) = self.start.iam {
            self.iam.entry(number).or_default().give(0, Steps::default());
        }
        if self.start.is_master {
            self.admin.give(0, Steps::default());
        }
        match self.start.fact {
            Some(Fact::Account(number)) => {
                if let Some(own) = self.accounts.get_mut(number as usize) {
                    own.give(0, Steps::default());
                }
                self.hold_token(number, 0, Steps::of(Step::CreatePod));
            }
            Some(Fact::Other(number)) => {
                self.others.entry(number).or_default().give(0, Steps::default());
            }
            Some(Fact::Node(number)) => {
                if let Some(own) = self.nodes.get_mut(number as usize) {
                    own.give(0, Steps::default());
                }
            }
            _ => {}
        }
        self.add_identity(identities, self.start.fact, self.start.class);
        loop {
            let news = self.take_in(world, identities);
            self.read_powers(world, identities, &news);
            if self.admin.round <= self.round || self.round >= most {
                return;
            }
            self.single(world, identities, &news);
            self.nodes_reached(world);
            self.made_accounts(world);
            self.beyond(world, identities);
            // What else this round brings comes no sooner than cluster-admin.
            if !(self.is_quick && self.admin.round != NEVER) {
                self.joined_acts(world, identities);
            }
            if self.next.is_empty() {
                if !is_possible {
                    return;
                }
                self.certain_until.get_or_insert(self.round);
                self.uncertain(world, identities);
                if self.next.is_empty() {
                    return;
                }
            }
            self.advance(world, identities);
        }
    }

    fn add_identity(&mut self, identities: &Identities, fact: Option<Fact>, class: Class) {
        let number = position(self.found.len());
        self.found.push(Found { fact, class, round: self.round });
        if !self.class_seen.insert(class) {
            return;
        }
        self.classes.push(class);
        self.first_of.insert(class, number);
        for pair in identities.held(class).into_iter().flat_map(|held| &held.pairs) {
            let (_, place) = identities.pair_at(*pair);
            self.hold(*pair, place);
            if self.owners.len() <= *pair as usize {
                self.owners.resize(*pair as usize + 1, u32::MAX);
            }
            if let Some(owner) = self.owners.get_mut(*pair as usize) {
                *owner = number.min(*owner);
            }
        }
    }

    fn hold(&mut self, pair: Pair, place: Place) {
        if self.held.len() <= pair as usize {
            self.held.resize(pair as usize + 1, NEVER);
        }
        if let Some(round) = self.held.get_mut(pair as usize)
            && *round == NEVER
        {
            *round = self.round;
            self.held_list.push(pair);
            self.new_pairs.push(pair);
            if let Some(trace) = &mut self.trace {
                trace.held_at.entry(place).or_default().push(pair);
            }
        }
    }

    /// The round in which a role began to say everything.
    pub(super) fn changed_round(&self, world: &World<'_>, role: u32) -> Round {
        let own = self.changed.get(&role).copied().unwrap_or(NEVER);
        if self.changed_in.is_empty() {
            return own;
        }
        let at = |place: Place| self.changed_in.get(&place).copied().unwrap_or(NEVER);
        match world.role(role) {
            Some((Scope::Namespace(namespace), _)) => own.min(at(EVERY)).min(at(world.place(namespace))),
            _ => own,
        }
    }

    pub(super) fn is_everything(&self, world: &World<'_>, role: u32) -> bool {
        world.says_everything(role) || self.changed_round(world, role) <= self.round
    }

    /// What everybody together passes in a place.
    pub(super) fn bits(&self, place: Place) -> u64 {
        let at = |place: Place| self.bits.get(place as usize).copied().unwrap_or(0);
        match place {
            CLUSTER => at(CLUSTER),
            EVERY => at(CLUSTER) | at(EVERY),
            place => at(CLUSTER) | at(EVERY) | at(place),
        }
    }

    fn passes(&self, place: Place, check: Check) -> bool {
        self.bits(place) & check.bit() != 0
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
            let affected = |pair: &Pair| match world.role(identities.pair_at(*pair).0) {
                Some((Scope::Namespace(namespace), _)) => {
                    places.contains(&EVERY) || places.contains(&world.place(namespace))
                }
                _ => false,
            };
            pairs.extend(self.held_list.iter().copied().filter(affected));
        }
        let mut news = News::default();
        for pair in pairs {
            let (role, place) = identities.pair_at(pair);
            let is_everything = self.is_everything(world, role);
            let bits = if is_everything {
                world.all_checks()
            } else {
                world.answers(role).map_or(0, |answers| answers.any)
            };
            let before = self.bits(place);
            if let Some(own) = self.bits.get_mut(place as usize) {
                *own |= bits;
            }
            if bits & !before != 0 {
                news.bits.push((place, bits & !before));
            }
            if !is_everything && world.answers(role).is_some_and(|answers| answers.named_bits & !before != 0)
            {
                news.named.push(pair);
            }
        }
        news
    }

    fn is_held(&self, pair: Pair) -> bool {
        self.held.get(pair as usize).is_some_and(|round| *round != NEVER)
    }

    fn read_powers(&mut self, world: &World<'_>, identities: &Identities, news: &News) {
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
    fn steps_to(&self, world: &World<'_>, identities: &Identities, place: Place) -> Steps {
        self.steps_to_namespaces(world, identities).get(&place).copied().unwrap_or_default()
    }

    /// Per place the steps of facts of this round that have a part in everything there.
    fn steps_to_namespaces(&self, world: &World<'_>, identities: &Identities) -> FxHashMap<Place, Steps> {
        let mut steps: FxHashMap<Place, Steps> = FxHashMap::default();
        let mut seen: FxHashMap<Class, Steps> = FxHashMap::default();
        for found in &self.found {
            let own = if found.round == self.round { self.steps_of(found.fact) } else { Steps::default() };
            let known = seen.entry(found.class).or_default();
            *known = known.and(own);
        }
        for (class, own) in seen {
            for pair in identities.held(class).into_iter().flat_map(|held| &held.pairs) {
                let (role, place) = identities.pair_at(*pair);
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
    fn add_way(&self, world: &World<'_>, role: u32, own: Steps, into: &mut Steps) {
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

    pub(super) fn steps_of(&self, fact: Option<Fact>) -> Steps {
        match fact {
            Some(Fact::Account(number)) => self.accounts.get(number as usize).copied().unwrap_or_default(),
            Some(Fact::Other(number)) => self.others.get(&number).copied().unwrap_or_default(),
            Some(Fact::Login(number)) => self.logins.get(&number).copied().unwrap_or_default(),
            _ => Reached::default(),
        }
        .steps
    }

    fn names_aws_auth(world: &World<'_>, identities: &Identities, news: &News, check: Check) -> bool {
        let Some(name) = world.aws_auth else { return false };
        news.named.iter().any(|pair| {
            let (role, place) = identities.pair_at(*pair);
            let there = place < FIRST || place == world.kube_system;
            there && world.answers(role).is_some_and(|answers| answers.allows(check, name))
        })
    }

    /// Gives a service account; one that does not exist only to whom that does not matter.
    fn give_account(&mut self, world: &World<'_>, number: u32, steps: Steps) {
        let exists = world.accounts.get(number as usize).is_some_and(|account| account.exists)
            || self.made.get(&number).is_some_and(|made| made.round <= self.round);
        if exists || steps.meets(Step::ImpersonateServiceAccount.into()) {
            self.reach_account(number, steps);
        } else {
            let waiting = self.waiting.entry(number).or_default();
            *waiting = waiting.and(steps);
        }
    }

    fn reach_account(&mut self, number: u32, steps: Steps) {
        let round = self.round + 1;
        self.hold_token(number, round, steps);
        if self.accounts.get_mut(number as usize).is_some_and(|own| own.give(round, steps)) {
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

    fn give_node(&mut self, node: Node, step: Step) {
        let round = self.round + 1;
        let (fact, reached) = match node {
            Node::Known(number) => (Fact::Node(number), self.nodes.get_mut(number as usize)),
            Node::Unknown => (Fact::LostNode, Some(&mut self.lost_node)),
            Node::Fargate => return,
        };
        if reached.is_some_and(|reached| reached.give(round, step.into())) {
            self.next.push(fact);
        }
    }

    fn give_any_node(&mut self, step: Step) {
        if self.any_node.give(self.round + 1, step.into()) {
            self.next.push(Fact::AnyNode);
        }
    }

    /// What a pod gives to whoever runs code in it.
    fn give_pod(&mut self, world: &World<'_>, number: u32, step: Step) {
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
    fn give_space(&mut self, world: &World<'_>, place: Place, step: Step) {
        let Some(hub) = self.hubs.get_mut((place - FIRST) as usize) else { return };
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

    /// What follows from requests of one check.
    fn single(&mut self, world: &World<'_>, identities: &Identities, news: &News) {
        let mut dirty: Vec<Place> = Vec::new();
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
            dirty.extend(places);
        }
        for pair in &news.named {
            let (role, place) = identities.pair_at(*pair);
            let Some(answers) = world.answers(role) else { continue };
            for (check, name) in &answers.named {
                self.named(world, place, *check, *name);
            }
            match place {
                CLUSTER | EVERY => dirty.extend(world.every()),
                place => dirty.push(place),
            }
        }
        dirty.sort_unstable();
        dirty.dedup();
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

    fn outside_namespaces(&mut self, world: &World<'_>, check: Check) {
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

    fn in_namespace(&mut self, world: &World<'_>, place: Place, check: Check) {
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
    fn named(&mut self, world: &World<'_>, place: Place, check: Check, name: Name) {
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
    fn together(&mut self, world: &World<'_>, dirty: &[Place]) {
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
            let runs = self.hubs.get((place - FIRST) as usize).is_some_and(|hub| hub.meets(RUN));
            if runs && lets {
                self.give_any_node(Step::PrivilegedPod);
            }
            if runs && volumes && space.lets_root && all(&[Check::CreateClaims]) {
                self.give_any_node(Step::HostPathVolume);
            }
        }
    }

    /// The tokens on nodes that were reached in this round.
    fn nodes_reached(&mut self, world: &World<'_>) {
        let any = self.any_node.round == self.round;
        let known = self.nodes.iter().any(|node| node.round == self.round);
        if !any && !known {
            return;
        }
        let step = Steps::from(Step::TokenFromNode);
        for pod in world.pods.iter().filter(|pod| pod.has_token) {
            let is_there = match pod.node {
                Node::Known(node) => {
                    any || self.nodes.get(node as usize).is_some_and(|node| node.round == self.round)
                }
                // One of every DaemonSet is on every node.
                Node::Unknown => pod.workload.kind == crate::model::workload::WorkloadKind::DaemonSet,
                Node::Fargate => false,
            };
            if is_there {
                self.give_account(world, pod.account, step);
            }
        }
    }

    /// Service accounts that exist since this round: what waited for them.
    fn made_accounts(&mut self, world: &World<'_>) {
        let mut made: Vec<u32> = self
            .made
            .iter()
            .filter(|(_, reached)| reached.round == self.round)
            .map(|(number, _)| *number)
            .collect();
        made.sort_unstable();
        for number in made {
            let place = world.accounts.get(number as usize).map_or(CLUSTER, |account| account.place);
            let hub = place.checked_sub(FIRST).and_then(|index| self.hubs.get(index as usize));
            let steps =
                hub.copied().unwrap_or_default().and(self.waiting.get(&number).copied().unwrap_or_default());
            if !steps.is_empty() {
                self.reach_account(number, steps);
            }
        }
    }

    /// Begins the next round with what this one found.
    fn advance(&mut self, world: &World<'_>, identities: &mut Identities) {
        let mut facts = std::mem::take(&mut self.next);
        if self.trace.is_some() {
            self.derive(world, identities, &mut facts);
        }
        self.round += 1;
        self.new_classes = self.classes.len();
        self.new_grants.clear();
        for fact in facts {
            match fact {
                Fact::Account(number) => {
                    let class = identities.class_of_account(world, number);
                    self.add_identity(identities, Some(fact), class);
                }
                Fact::Other(number) => {
                    let class = identities.others.get(number as usize).map_or(0, |(_, class)| *class);
                    self.add_identity(identities, Some(fact), class);
                }
                Fact::Login(number) => {
                    let login = world.outside.arns.get(number as usize).and_then(|arn| arn.login.as_ref());
                    if let Some(user) = login.and_then(crate::decide::cluster::Who::certain) {
                        let asker = world.cluster.graph().asker(&user);
                        let class = identities.class_of(world, asker.principals());
                        self.add_identity(identities, Some(fact), class);
                    }
                }
                Fact::Grant(pair) => {
                    let (role, place) = identities.pair_at(pair);
                    self.grants_at.entry(place).or_default().push(role);
                    let bits = world.answers(role).map_or(0, |own| own.any | own.named_bits);
                    *self.granted_bits.entry(place).or_default() |= bits;
                    self.new_grants.push(pair);
                    self.hold(pair, place);
                }
                Fact::Changed(role) => self.new_changed.push(role),
                Fact::ChangedIn(place) => self.new_changed_in.push(place),
                _ => {}
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

/// What a round begins with.
#[derive(Debug, Default)]
struct News {
    /// Per place the checks that pass since this round.
    bits: Vec<(Place, u64)>,
    /// Pairs whose roles say something for names alone.
    named: Vec<Pair>,
}
