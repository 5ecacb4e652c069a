//! Constrained impersonation: acting as another for chosen requests, from Kubernetes 1.35 on.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::checks::{ACTS, Answers, Bits, CONSTRAINED_FROM, Check, JOINED, OF_ROLES};
use super::super::identities::{Class, Identities, Other, Username};
use super::super::restricted::{Mode, Restricted, Whom};
use super::super::step::Step;
use super::super::world::{Account, CLUSTER, EVERY, FIRST, NODE_USER, Node, Place, World};
use super::beyond::Extra;
use super::choices::Requests;
use super::nodes::{NODES, asking_for_tokens};
use super::{Closure, Fact};
use crate::model::names::Name;

/// The modes, in the order in which the API server tries them.
const MODES: [Mode; 4] = [Mode::AssociatedNode, Mode::ArbitraryNode, Mode::ServiceAccount, Mode::UserInfo];

/// From so many groups on one question with the name `*` stands for all of them.
const MANY_GROUPS: usize = 4;

/// The requests that write roles and bindings.
const WRITES: Bits = JOINED & !OF_ROLES;

/// Somebody as whom one may act, with what that takes.
struct Target {
    whom: Whom,
    class: Class,
    asks: Vec<(Check, Name, Place)>,
    /// The node that it is.
    node: Option<u32>,
}

/// A role that chooses requests, where it holds, and what it would allow if the other could do everything.
type Chosen = (u32, Place, Answers);

/// Where something holds that takes a right in each of two places.
fn meet(one: Place, other: Place) -> Option<Place> {
    let (wide, narrow) = (one.min(other), one.max(other));
    (wide < FIRST || wide == narrow).then_some(narrow)
}

impl Closure {
    /// Everybody who may act as another, and for what.
    pub(super) fn constrained(&mut self, world: &mut World<'_>, identities: &mut Identities) {
        if !world.made.is_needed || world.cluster.version().minor() < CONSTRAINED_FROM {
            return;
        }
        let granted = self.granted_bits.values().fold(0, |all, bits| all | bits);
        let mut made: Option<[(Mode, Requests); 4]> = None;
        for index in 0..self.classes.len() {
            let Some(class) = self.classes.get(index).copied() else { break };
            if identities.is_restricted(class) {
                continue;
            }
            let roles = self.roles_of(world, identities, class);
            let acts = |role: &(u32, Place)| world.answers(role.0).map_or(0, |own| own.any | own.named_bits);
            let checks = roles.iter().fold(granted, |all, role| all | acts(role));
            if checks & ACTS == 0 {
                continue;
            }
            let modes = made.get_or_insert_with(|| MODES.map(|mode| (mode, Requests::new(world, mode))));
            for (mode, requests) in modes.iter() {
                let chosen: Vec<Chosen> = roles
                    .iter()
                    .map(|(role, place)| {
                        (*role, *place, requests.both(world, *role, None, world.all_checks()).0)
                    })
                    .filter(|(.., answers)| answers.any | answers.named_bits != 0)
                    .collect();
                if chosen.is_empty() {
                    continue;
                }
                let mut known: FxHashMap<(u32, Option<u32>), Option<u32>> = FxHashMap::default();
                for target in self.targets(world, identities, class, *mode) {
                    self.act_for_tokens(world, &target, class, *mode, &chosen);
                    if self.first_of.get(target.class) == u32::MAX {
                        self.act_as(
                            world,
                            identities,
                            &target,
                            class,
                            (*mode, requests),
                            &chosen,
                            &mut known,
                        );
                    }
                }
            }
        }
    }

    /// The roles by which a class may act: its own, and those that everybody holds.
    fn roles_of(&self, world: &World<'_>, identities: &Identities, class: Class) -> Vec<(u32, Place)> {
        let own = identities.all_held(class).map(|pair| identities.pair_at(pair));
        let granted =
            self.grants_at.iter().flat_map(|(place, roles)| roles.iter().map(|role| (*role, *place)));
        // Whoever may do everything in a place can do no more there as another.
        let mut all: Vec<(u32, Place)> =
            own.chain(granted).filter(|(role, _)| !world.says_everything(*role)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// As whom a class may act, of those with equal rights the first.
    fn targets(
        &self,
        world: &World<'_>,
        identities: &mut Identities,
        class: Class,
        mode: Mode,
    ) -> Vec<Target> {
        match mode {
            Mode::ServiceAccount => self.accounts_to_be(world, identities, class),
            Mode::UserInfo => self.users_to_be(world, identities, class),
            Mode::ArbitraryNode | Mode::AssociatedNode => self.nodes_to_be(world, identities, class, mode),
        }
    }

    fn accounts_to_be(&self, world: &World<'_>, identities: &mut Identities, class: Class) -> Vec<Target> {
        let check = Check::ActAsAccounts;
        let roles = self.roles_of(world, identities, class);
        let may = |account: &Account<'_>, name: Name| {
            roles.iter().any(|(role, place)| {
                let covers = *place == CLUSTER
                    || account.place != CLUSTER && (*place == EVERY || *place == account.place);
                covers && world.answers(*role).is_some_and(|own| own.allows(check, name))
            })
        };
        let bits = |role: &(u32, Place)| world.answers(role.0).map_or(0, |own| own.any | own.named_bits);
        if !roles.iter().any(|role| bits(role) & check.bit() != 0) {
            return Vec::new();
        }
        let (mut found, mut seen) = (Vec::new(), FxHashSet::default());
        for (account, number) in world.accounts.iter().zip(0u32..) {
            let name = world.policy().names.lookup(account.name);
            if may(account, name) {
                let class = identities.class_of_account(world, number);
                if seen.insert(class) {
                    let asks = vec![(check, name, account.place)];
                    found.push(Target { whom: Whom::Account(number), class, asks, node: None });
                }
            }
        }
        found
    }

    fn users_to_be(&self, world: &World<'_>, identities: &mut Identities, class: Class) -> Vec<Target> {
        let rights = self.rights(world, identities, class, CLUSTER);
        let names = &world.policy().names;
        let mut users: Vec<Name> =
            world.users.iter().copied().chain(rights.names_of(Check::ActAsUsers)).collect();
        users.retain(|user| {
            let text = names.text(*user);
            // Nodes and service accounts have modes of their own.
            let is_other =
                text.starts_with(NODE_USER) || crate::model::user::split_service_account(text).is_some();
            !text.is_empty() && !is_other && rights.allows(Check::ActAsUsers, *user)
        });
        users.sort_unstable_by_key(|user| names.text(*user));
        users.dedup();
        if users.is_empty() && rights.any & Check::ActAsUsers.bit() != 0 {
            users.push(Name::UNKNOWN);
        }
        // Of many groups at once one question with the literal name `*` is asked first.
        let all = rights.allows(Check::ActAsGroups, Name::STAR);
        let groups = world.groups.iter().copied();
        let groups: Vec<Name> = groups
            .filter(|group| *group != world.masters && (all || rights.allows(Check::ActAsGroups, *group)))
            .collect();
        let mut asks: Vec<(Check, Name, Place)> = Vec::new();
        if all && groups.len() >= MANY_GROUPS {
            asks.push((Check::ActAsGroups, Name::STAR, CLUSTER));
        } else {
            asks.extend(groups.iter().map(|group| (Check::ActAsGroups, *group, CLUSTER)));
        }
        let groups = identities.groups(&groups);
        let (mut found, mut seen) = (Vec::new(), FxHashSet::default());
        for user in users {
            let other = Other { username: Username::User(user), groups };
            let number = identities.other(world, &other);
            let class = identities.others.get(number as usize).map_or(0, |(_, class)| *class);
            if seen.insert(class) {
                let mut asks = asks.clone();
                asks.insert(0, (Check::ActAsUsers, user, CLUSTER));
                found.push(Target { whom: Whom::Identity(number), class, asks, node: None });
            }
        }
        found
    }

    fn nodes_to_be(
        &self,
        world: &World<'_>,
        identities: &mut Identities,
        class: Class,
        mode: Mode,
    ) -> Vec<Target> {
        let rights = self.rights(world, identities, class, CLUSTER);
        let names = &world.policy().names;
        let mut nodes: Vec<(u32, Name)> = (0u32..).zip(world.nodes.iter().copied()).collect();
        let check = if mode == Mode::ArbitraryNode {
            nodes.retain(|(_, name)| rights.allows(Check::ActAsNodes, *name));
            Check::ActAsNodes
        } else {
            // Of its own node it is asked by the literal name `*`.
            if !rights.allows(Check::ActAsOwnNode, Name::STAR) {
                return Vec::new();
            }
            let own = self.found.iter().filter(|found| found.class == class).filter_map(|found| found.fact);
            let own: FxHashSet<Fact> = own.collect();
            let pods =
                world.pods.iter().filter(|pod| pod.has_token && own.contains(&Fact::Account(pod.account)));
            let on: FxHashSet<u32> = pods
                .filter_map(|pod| match pod.node {
                    Node::Known(node) => Some(node),
                    Node::Unknown | Node::Fargate => None,
                })
                .collect();
            nodes.retain(|(node, _)| on.contains(node));
            Check::ActAsOwnNode
        };
        nodes.sort_unstable_by_key(|(_, name)| names.text(*name));
        let group = names.lookup(NODES);
        let groups: Vec<Name> = Some(group).filter(|group| group.index() < names.len()).into_iter().collect();
        let groups = identities.groups(&groups);
        let to_target = |(node, name): (u32, Name)| {
            let other = Other { username: Username::Node(node), groups };
            let number = identities.other(world, &other);
            let class = identities.others.get(number as usize).map_or(0, |(_, class)| *class);
            let name = if check == Check::ActAsNodes { name } else { Name::STAR };
            let asks = vec![(check, name, CLUSTER)];
            Target { whom: Whom::Identity(number), class, asks, node: Some(node) }
        };
        nodes.into_iter().map(to_target).collect()
    }

    /// A node may ask for the tokens of its pods, whatever RBAC says.
    fn act_for_tokens(
        &mut self,
        world: &World<'_>,
        target: &Target,
        class: Class,
        mode: Mode,
        chosen: &[Chosen],
    ) {
        let Some(node) = target.node else { return };
        let names = &world.policy().names;
        for pod in world.pods_on.get(node as usize).into_iter().flatten() {
            let Some(own) = world.pods.get(*pod as usize) else { continue };
            let Some(account) = world.accounts.get(own.account as usize) else { continue };
            let name = names.lookup(account.name);
            let is_chosen = chosen.iter().any(|(_, place, answers)| {
                meet(*place, account.place) == Some(account.place)
                    && answers.allows(Check::CreateTokens, name)
            });
            if is_chosen {
                self.give_beyond(Fact::Account(own.account), Step::ConstrainedImpersonation, || {
                    let waits = asking_for_tokens(world, node, Step::ConstrainedImpersonation).conditions;
                    let node = world.nodes.get(node as usize).map_or("", |name| names.text(*name));
                    let mut extra = by_constrained(world, target, class, mode);
                    extra.conditions.extend(waits);
                    extra.object =
                        format!("node {node}, by {} on serviceaccounts/token", mode.verb("create"));
                    extra
                });
            }
        }
    }

    /// What a class gains by acting as another: the requests that both allow.
    #[expect(clippy::too_many_arguments, reason = "whoever acts, as whom, by which roles")]
    fn act_as(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        target: &Target,
        class: Class,
        (mode, requests): (Mode, &Requests),
        chosen: &[Chosen],
        known: &mut FxHashMap<(u32, Option<u32>), Option<u32>>,
    ) {
        let theirs: Vec<(u32, Place)> =
            identities.all_held(target.class).map(|pair| identities.pair_at(pair)).collect();
        let mut pairs: Vec<(u32, Place)> = Vec::new();
        let mut writes = false;
        for (by, at, answers) in chosen {
            for (role, place) in &theirs {
                let Some(place) = meet(*at, *place) else { continue };
                let everything = self.is_everything(world, *role);
                let role = (!everything).then_some(*role);
                let allowed = match role {
                    None => world.all_checks(),
                    Some(role) => world.answers(role).map_or(0, |own| own.any | own.named_bits),
                };
                let checks = allowed & (answers.any | answers.named_bits);
                if checks == 0 {
                    continue;
                }
                let made = *known.entry((*by, role)).or_insert_with(|| {
                    let (answers, asked) = requests.both(world, *by, role, checks);
                    (answers.any | answers.named_bits != 0).then(|| world.made.role(answers, asked))
                });
                let Some(made) = made else { continue };
                let bits = world.answers(made).map_or(0, |own| own.any | own.named_bits);
                writes |= bits & WRITES != 0;
                pairs.push((made, place));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        if !(writes || pairs.iter().any(|pair| self.gains(world, identities, *pair))) {
            return;
        }
        let roles = pairs.iter().map(|(role, place)| (*role, world.namespace(*place)));
        let own = Restricted { of: target.whom, mode, requests: world.made.show(roles) };
        if writes {
            // Whether the other may bind and escalate is asked of the other alone.
            for (role, place) in theirs {
                let mut answers = Answers::default();
                if self.is_everything(world, role) {
                    answers.any = OF_ROLES;
                } else if let Some(own) = world.answers(role) {
                    answers.any = own.any & OF_ROLES;
                    answers.named_bits = own.named_bits & OF_ROLES;
                    let of_roles = |(check, _): &&(Check, Name)| check.bit() & OF_ROLES != 0;
                    answers.named.extend(own.named.iter().filter(of_roles));
                }
                if answers.any | answers.named_bits != 0 {
                    pairs.push((world.made.role(answers, Vec::new()), place));
                }
            }
        }
        let number = identities.restricted(world, own, target.class, &pairs);
        self.give_beyond(Fact::Other(number), Step::ConstrainedImpersonation, || {
            by_constrained(world, target, class, mode)
        });
    }

    /// Whether a role allows anything in a place that nobody reached so far may do.
    fn gains(&self, world: &World<'_>, identities: &Identities, (role, place): (u32, Place)) -> bool {
        let Some(own) = world.answers(role) else { return false };
        let has = self.bits(place);
        own.any & !has != 0
            || own.named_bits & !has != 0
                && own.named.iter().any(|(check, name)| {
                    has & check.bit() == 0 && !self.names(world, identities, (*check, *name, place))
                })
    }
}

/// The step, with what must hold.
fn by_constrained(world: &World<'_>, target: &Target, class: Class, mode: Mode) -> Extra {
    let gate = "the feature gate ConstrainedImpersonation is on";
    let default = if world.cluster.version().minor() > CONSTRAINED_FROM {
        "as by default from 1.36"
    } else {
        "which by default it is not in 1.35"
    };
    let mut extra = Extra::of(Step::ConstrainedImpersonation, format!("{gate}, {default}"));
    if let Some(node) = target.node.filter(|_| mode == Mode::AssociatedNode) {
        let node = world.nodes.get(node as usize).map_or("", |name| world.policy().names.text(*name));
        extra = extra.given(format!("it holds the token of one of its pods on node {node}"));
    }
    extra.asks.clone_from(&target.asks);
    extra.by = Some(class);
    extra
}
