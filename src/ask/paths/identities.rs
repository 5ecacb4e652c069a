//! Identities, and classes of them that hold the same roles in the same places.

use rustc_hash::{FxHashMap, FxHashSet};

use super::checks::{APPLIES, Answers, Bits, Check, JOINED, PERSONAL};
use super::restricted::Restricted;
use super::world::{CLUSTER, Place, World};
use crate::decide::graph::{Principal, RbacGraph};
use crate::model::names::Name;
use crate::model::policy::position;
use crate::model::rbac::RuleId;
use crate::model::user::{SYSTEM_AUTHENTICATED, SYSTEM_SERVICE_ACCOUNTS};

/// A role that is held in a place, by number.
pub(super) type Pair = u32;
/// A class of identities that hold the same, by number.
pub(super) type Class = u32;

/// The username of an identity that impersonation makes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Username {
    User(Name),
    /// That of a service account, without its groups.
    Account(u32),
    /// That of a node that pods name.
    Node(u32),
    /// That of another, for chosen requests alone.
    Restricted(u32),
}

/// An identity that is no service account with its own groups.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Other {
    pub(super) username: Username,
    pub(super) groups: Groups,
}

/// A set of groups, by number: many identities are in the same ones.
pub(super) type Groups = u32;

/// The roles that a class holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// What groups give that many identities share: another class, whose roles it holds as well.
    pub(super) base: Option<Class>,
    /// As whom it acts, where it does so for chosen requests alone: what it holds is made of what that class holds.
    pub(super) acts_as: Option<Class>,
    /// The other roles, sorted by place.
    pub(super) pairs: Box<[Pair]>,
    /// The checks that it passes anywhere by these, if perhaps only for some names.
    own: Bits,
    /// The same by all its roles.
    anywhere: Bits,
    /// The same in the whole cluster.
    in_cluster: Bits,
    /// Whether any of its own roles holds in the whole cluster.
    is_in_cluster: bool,
}

impl Held {
    /// Whether it can do part of what several checks of one request need.
    pub(super) fn is_joined(&self) -> bool {
        self.anywhere & JOINED != 0
    }

    /// Whether it holds anything that matters in whose hands it is.
    pub(super) fn is_personal(&self) -> bool {
        self.anywhere & PERSONAL != 0
    }

    /// Whether it can write what its base cannot, but for bindings of roles that both cover only together.
    pub(super) fn is_more_than_base(&self) -> bool {
        self.base.is_none() || self.own & PERSONAL != 0 || self.is_in_cluster
    }

    /// Whether it may create something under a name by an apply.
    pub(super) fn applies(&self) -> bool {
        self.anywhere & APPLIES != 0
    }

    /// Whether it may write a binding in some namespace.
    pub(super) fn writes_bindings(&self) -> bool {
        self.anywhere & (Check::CreateBindings.bit() | Check::ChangeBindings.bit()) != 0
    }

    /// Whether it may write a binding in every namespace.
    pub(super) fn writes_bindings_everywhere(&self) -> bool {
        self.in_cluster & (Check::CreateBindings.bit() | Check::ChangeBindings.bit()) != 0
    }

    /// Whether it may change a binding in namespaces.
    pub(super) fn changes_bindings(&self) -> bool {
        self.anywhere & Check::ChangeBindings.bit() != 0
    }

    /// Whether it may impersonate some user or group.
    pub(super) fn impersonates(&self) -> bool {
        self.in_cluster & (Check::ImpersonateUsers.bit() | Check::ImpersonateGroups.bit()) != 0
    }
}

/// Many who are reached at once by one uncertain step.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Every service account that exists.
    Accounts,
    /// Every user, in all groups but `system:masters`, and every service account.
    Everybody,
}

/// All pairs, classes and identities that were met.
#[derive(Clone, Debug, Default)]
pub(super) struct Identities {
    pub(super) pairs: Vec<(u32, Place)>,
    pair_numbers: FxHashMap<(u32, Place), Pair>,
    /// Per role the pairs with it.
    pub(super) pairs_of_role: FxHashMap<u32, Vec<Pair>>,
    pub(super) classes: Vec<Held>,
    class_numbers: FxHashMap<(Option<Class>, Box<[Pair]>), Class>,
    /// Every set of groups: in order of bytes, `system:authenticated` is not among them.
    groups: Vec<Box<[Name]>>,
    group_numbers: FxHashMap<Box<[Name]>, Groups>,
    /// Per set of groups the class of whoever is in them.
    class_of_groups: FxHashMap<Groups, Class>,
    pub(super) account_classes: Vec<Option<Class>>,
    pub(super) others: Vec<(Other, Class)>,
    pub(super) other_numbers: FxHashMap<Other, u32>,
    /// Those for chosen requests alone.
    pub(super) restricted: Vec<Restricted>,
    restricted_numbers: FxHashMap<(Restricted, Box<[Pair]>), u32>,
    /// Per class and place which rules its own roles cover there.
    pub(super) covered: FxHashMap<(Class, Place), FxHashMap<RuleId, bool>>,
    /// The crowds of which it is known that they become cluster-admin, if conditions hold.
    pub(super) admin_crowds: Vec<Crowd>,
    /// Classes of which it is known that they become cluster-admin, if conditions hold.
    pub(super) admin_classes: FxHashSet<Class>,
    /// What a principal holds.
    of_principal: FxHashMap<Principal, Box<[Pair]>>,
}

impl Identities {
    pub(super) fn pair(&mut self, role: u32, place: Place) -> Pair {
        let next = position(self.pairs.len());
        let number = *self.pair_numbers.entry((role, place)).or_insert(next);
        if number == next {
            self.pairs.push((role, place));
            self.pairs_of_role.entry(role).or_default().push(number);
        }
        number
    }

    /// The number of a role in a place, if anybody has met it.
    pub(super) fn known_pair(&self, role: u32, place: Place) -> Option<Pair> {
        self.pair_numbers.get(&(role, place)).copied()
    }

    pub(super) fn pair_at(&self, pair: Pair) -> (u32, Place) {
        self.pairs.get(pair as usize).copied().unwrap_or((u32::MAX, CLUSTER))
    }

    pub(super) fn held(&self, class: Class) -> Option<&Held> {
        self.classes.get(class as usize)
    }

    /// What a class and its base hold in a place itself.
    pub(super) fn held_at(&self, class: Class, place: Place) -> impl Iterator<Item = Pair> + '_ {
        let in_place = move |held: &Held| {
            let start = held.pairs.partition_point(|pair| self.pair_at(*pair).1 < place);
            let end = held.pairs.partition_point(|pair| self.pair_at(*pair).1 <= place);
            start..end
        };
        let parts = [self.held(class), self.base_of(class)].into_iter().flatten();
        parts.flat_map(move |held| held.pairs.get(in_place(held)).unwrap_or_default().iter().copied())
    }

    fn base_of(&self, class: Class) -> Option<&Held> {
        self.held(class)?.base.and_then(|base| self.held(base))
    }

    /// Everything that a class and its base hold.
    pub(super) fn all_held(&self, class: Class) -> impl Iterator<Item = Pair> + '_ {
        let parts = [self.held(class), self.base_of(class)].into_iter().flatten();
        parts.flat_map(|held| held.pairs.iter().copied())
    }

    /// The roles that a class holds and that count in a place: those of the cluster, and those of the place.
    pub(super) fn roles_in(&self, class: Class, place: Place) -> impl Iterator<Item = u32> + '_ {
        let here = (place != CLUSTER).then(|| self.held_at(class, place)).into_iter().flatten();
        self.held_at(class, CLUSTER).chain(here).map(|pair| self.pair_at(pair).0)
    }

    /// What bindings grant to a principal.
    fn of_principal(&mut self, world: &World<'_>, graph: &RbacGraph, principal: Principal) -> Box<[Pair]> {
        if let Some(known) = self.of_principal.get(&principal) {
            return known.clone();
        }
        let mut found = Vec::new();
        for scope in graph.scopes_of(principal) {
            let places = world.places_of(scope);
            for applied in graph.bindings_of(principal, scope) {
                let role = match applied.role_number() {
                    Some(role) => Some(position(role)),
                    None => {
                        world.unloaded_number(applied.binding.role_scope(), applied.binding.role_ref.name)
                    }
                };
                for place in &places {
                    found.extend(role.map(|role| self.pair(role, *place)));
                }
            }
        }
        let found: Box<[Pair]> = found.into();
        if matches!(principal, Principal::Group(_)) {
            self.of_principal.insert(principal, found.clone());
        }
        found
    }

    /// The class of whoever has these names.
    pub(super) fn class_of(&mut self, world: &World<'_>, principals: &[Principal]) -> Class {
        self.class_with(world, principals, None)
    }

    fn class_with(&mut self, world: &World<'_>, principals: &[Principal], base: Option<Class>) -> Class {
        let graph = world.cluster.graph();
        let mut all: Vec<Pair> = Vec::new();
        for principal in principals {
            all.extend(self.of_principal(world, graph, *principal));
        }
        if let Some(base) = base {
            let held = |pair: &Pair| self.held_at(base, self.pair_at(*pair).1).any(|own| own == *pair);
            all.retain(|pair| !held(pair));
            if all.is_empty() {
                return base;
            }
        }
        all.sort_unstable_by_key(|pair| (self.pair_at(*pair).1, *pair));
        all.dedup();
        let key = (base, all.into_boxed_slice());
        if let Some(known) = self.class_numbers.get(&key) {
            return *known;
        }
        let held = self.held_by(world, base, key.1.clone());
        let number = position(self.classes.len());
        self.classes.push(held);
        self.class_numbers.insert(key, number);
        number
    }

    fn held_by(&self, world: &World<'_>, base: Option<Class>, pairs: Box<[Pair]>) -> Held {
        let mut held = Held { base, pairs, ..Held::default() };
        for pair in &held.pairs {
            let (role, place) = self.pair_at(*pair);
            held.is_in_cluster |= place == CLUSTER;
            let Some(answers) = world.answers(role) else { continue };
            let bits = answers.any | answers.named_bits;
            held.own |= bits;
            if place == CLUSTER {
                held.in_cluster |= bits;
            }
        }
        held.anywhere = held.own;
        if let Some(base) = base.and_then(|base| self.held(base)) {
            held.anywhere |= base.anywhere;
            held.in_cluster |= base.in_cluster;
        }
        held
    }

    /// An identity for chosen requests, with the roles that are made for these.
    pub(super) fn restricted(
        &mut self,
        world: &World<'_>,
        own: Restricted,
        acts_as: Class,
        pairs: &[(u32, Place)],
    ) -> u32 {
        let mut pairs: Vec<Pair> = pairs.iter().map(|(role, place)| self.pair(*role, *place)).collect();
        pairs.sort_unstable_by_key(|pair| (self.pair_at(*pair).1, *pair));
        pairs.dedup();
        let key = (own.clone(), pairs.into_boxed_slice());
        if let Some(known) = self.restricted_numbers.get(&key) {
            return *known;
        }
        let held = Held { acts_as: Some(acts_as), ..self.held_by(world, None, key.1.clone()) };
        let class = position(self.classes.len());
        self.classes.push(held);
        let username = Username::Restricted(position(self.restricted.len()));
        self.restricted.push(own);
        let other = Other { username, groups: self.groups(&[]) };
        let number = position(self.others.len());
        self.others.push((other, class));
        self.restricted_numbers.insert(key, number);
        number
    }

    /// The loaded roles in a place that stand behind a class: its own, or those of whom it acts as.
    pub(super) fn roles_behind(&self, class: Class, place: Place) -> impl Iterator<Item = u32> + '_ {
        let acts_as = self.held(class).and_then(|held| held.acts_as);
        self.roles_in(acts_as.unwrap_or(class), place)
    }

    /// Whether a class acts as another for chosen requests alone.
    pub(super) fn is_restricted(&self, class: Class) -> bool {
        self.held(class).is_some_and(|held| held.acts_as.is_some())
    }

    /// The number of a set of groups, in order of bytes.
    pub(super) fn groups(&mut self, groups: &[Name]) -> Groups {
        if let Some(known) = self.group_numbers.get(groups) {
            return *known;
        }
        let number = position(self.groups.len());
        self.groups.push(groups.into());
        self.group_numbers.insert(groups.into(), number);
        number
    }

    /// The groups of a set.
    pub(super) fn groups_of(&self, groups: Groups) -> &[Name] {
        self.groups.get(groups as usize).map_or(&[], |own| own)
    }

    /// The class of a user in groups. In a large cluster those of the same groups share what these give.
    fn class_in_groups(&mut self, world: &World<'_>, username: Name, groups: Groups) -> Class {
        let everybody = world.policy().names.lookup(SYSTEM_AUTHENTICATED);
        let user = [Principal::Username(username)];
        let user = user.into_iter().filter(is_spelt);
        let own = self.groups_of(groups).to_vec();
        let is_shared = !world.is_thorough && !own.is_empty();
        let all = own.into_iter().chain([everybody]).map(Principal::Group).filter(is_spelt);
        if !is_shared {
            return self.class_of(world, &user.chain(all).collect::<Vec<_>>());
        }
        let known = self.class_of_groups.get(&groups).copied();
        let base = known.unwrap_or_else(|| self.class_of(world, &all.collect::<Vec<_>>()));
        self.class_of_groups.insert(groups, base);
        self.class_with(world, &user.collect::<Vec<_>>(), Some(base))
    }

    /// The class of a service account with its own groups.
    pub(super) fn class_of_account(&mut self, world: &World<'_>, number: u32) -> Class {
        if self.account_classes.len() < world.accounts.len() {
            self.account_classes.resize(world.accounts.len(), None);
        }
        if let Some(Some(known)) = self.account_classes.get(number as usize) {
            return *known;
        }
        let Some(account) = world.accounts.get(number as usize) else { return 0 };
        let names = &world.policy().names;
        let mut principals = Vec::with_capacity(4);
        let username = format!("system:serviceaccount:{}:{}", account.namespace, account.name);
        let own_group = format!("{SYSTEM_SERVICE_ACCOUNTS}:{}", account.namespace);
        principals.push(Principal::Username(names.lookup(&username)));
        for group in [SYSTEM_SERVICE_ACCOUNTS, &own_group, SYSTEM_AUTHENTICATED] {
            principals.push(Principal::Group(names.lookup(group)));
        }
        principals.retain(is_spelt);
        let class = self.class_of(world, &principals);
        if let Some(place) = self.account_classes.get_mut(number as usize) {
            *place = Some(class);
        }
        class
    }

    /// The number of an identity that impersonation makes.
    pub(super) fn other(&mut self, world: &World<'_>, other: &Other) -> u32 {
        if let Some(known) = self.other_numbers.get(other) {
            return *known;
        }
        let names = &world.policy().names;
        let username = match other.username {
            Username::User(name) => name,
            Username::Account(account) => match world.accounts.get(account as usize) {
                Some(account) => {
                    names.lookup(&format!("system:serviceaccount:{}:{}", account.namespace, account.name))
                }
                None => Name::UNKNOWN,
            },
            Username::Node(node) => world.node_user(node),
            Username::Restricted(_) => Name::UNKNOWN,
        };
        let class = self.class_in_groups(world, username, other.groups);
        let number = position(self.others.len());
        self.others.push((*other, class));
        self.other_numbers.insert(*other, number);
        number
    }
}

fn is_spelt(principal: &Principal) -> bool {
    match principal {
        Principal::Username(name) | Principal::Group(name) | Principal::Caller(name) => {
            *name != Name::UNKNOWN
        }
    }
}

/// What a set of roles answers together.
pub(super) fn joined<'a>(roles: impl Iterator<Item = &'a Answers>) -> Answers {
    let mut all = Answers::default();
    for answers in roles {
        all.add(answers);
    }
    all
}
