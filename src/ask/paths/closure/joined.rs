//! Requests that need several rights of one identity: impersonation with groups, and writing roles and bindings.
//!
//! Whoever may do everything in a namespace binds a role there that says everything, so that everybody may from the
//! next round on; no other binding and no change of a Role there adds to that, and none is looked for.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::checks::{Answers, Check, JOINED, PERSONAL};
use super::super::identities::{Class, Identities, Other, Pair, Username, joined};
use super::super::step::Step;
use super::super::world::{Account, CLUSTER, EVERY, FIRST, Place, World};
use super::{Closure, Fact, NEVER};
use crate::decide::covers::{covers, parts};
use crate::model::names::{Name, Names};
use crate::model::rbac::{PolicyRule, RuleId, Scope};

/// The rules of a class in a place, and which rules they cover.
struct Owner<'c> {
    rules: Rules<'c>,
    covered: FxHashMap<RuleId, bool>,
}

/// Rules that may cover others, found by what they are about: few of many are about the same.
#[derive(Default)]
struct Rules<'c> {
    /// By each resource as it is written.
    by_resource: FxHashMap<Name, Vec<PolicyRule<'c>>>,
    /// Those about URLs.
    of_urls: Vec<PolicyRule<'c>>,
}

impl<'c> Rules<'c> {
    fn add(&mut self, rule: PolicyRule<'c>) {
        for resource in rule.resources {
            self.by_resource.entry(*resource).or_default().push(rule);
        }
        if !rule.non_resource_urls.is_empty() {
            self.of_urls.push(rule);
        }
    }

    /// Whether every part of a rule is covered by one of them.
    fn cover(&self, names: &Names, rule: PolicyRule<'_>) -> bool {
        parts(rule, names, names).all(|part| match part.resource() {
            Some(resource) => {
                let any_with = resource.split_once('/').map(|(_, own)| names.lookup_joined("*", own));
                let own = [Some(names.lookup(resource)), Some(Name::STAR), any_with];
                let own = own.into_iter().flatten().filter_map(|name| self.by_resource.get(&name));
                own.flatten().any(|own| covers(names, own, &part))
            }
            None => self.of_urls.iter().any(|own| covers(names, own, &part)),
        })
    }
}

impl Owner<'_> {
    /// Whether all rules of a role are covered. There are many roles and few distinct rules.
    fn covers(&mut self, world: &World<'_>, role: u32) -> bool {
        let policy = world.policy();
        let Some(role) = policy.roles.get(role as usize) else { return false };
        let names = &policy.names;
        world.cluster.graph().rules_in_force(role).all(|rule| {
            *self.covered.entry(rule.placed.rule).or_insert_with(|| self.rules.cover(names, rule.rule))
        })
    }
}

/// What a class can hand on in a place: its rights, whether it creates bindings, and its rules once they are needed.
type Sharer<'c> = (Answers, bool, Option<Owner<'c>>);

/// The checks about one kind of binding or role, for the cluster or for namespaces.
struct Kinds {
    create_binding: Check,
    change_binding: Check,
    create_role: Check,
    change_role: Check,
    escalate_role: Check,
}

const IN_CLUSTER: Kinds = Kinds {
    create_binding: Check::CreateClusterBindings,
    change_binding: Check::ChangeClusterBindings,
    create_role: Check::CreateClusterRoles,
    change_role: Check::ChangeClusterRoles,
    escalate_role: Check::EscalateClusterRoles,
};

const IN_NAMESPACES: Kinds = Kinds {
    create_binding: Check::CreateBindings,
    change_binding: Check::ChangeBindings,
    create_role: Check::CreateRoles,
    change_role: Check::ChangeRoles,
    escalate_role: Check::EscalateRoles,
};

impl Kinds {
    /// The checks without one of which nothing can be written.
    const fn writes(&self) -> u64 {
        self.create_binding.bit() | self.change_binding.bit() | self.escalate_role.bit()
    }
}

/// Whether it matters that a role is handed on: if it holds anything that matters in whose hands it is.
///
/// Handing on any other gives nothing to a request that takes several rights, until the role is changed; in a large
/// cluster that is looked at then.
fn matters(world: &World<'_>, role: u32) -> bool {
    world.is_thorough || world.answers(role).is_some_and(|own| (own.any | own.named_bits) & PERSONAL != 0)
}

impl Closure {
    /// Every act of this kind that any class may do in this round.
    pub(super) fn joined_acts(&mut self, world: &mut World<'_>, identities: &mut Identities) {
        self.bind_everything(world, identities);
        let mut places: FxHashSet<Place> = FxHashSet::default();
        let mut joined_places: FxHashSet<Place> = FxHashSet::default();
        for pair in &self.new_grants {
            let (role, place) = identities.pair_at(*pair);
            places.insert(place);
            if world.answers(role).is_some_and(|own| (own.any | own.named_bits) & JOINED != 0) {
                joined_places.insert(place);
            }
        }
        let granted = self.granted_bits.get(&CLUSTER).copied().unwrap_or(0);
        let groups = Check::ImpersonateGroups.bit() | Check::ImpersonateUsers.bit();
        let news = !self.new_grants.is_empty() || !self.changed.is_empty() || !self.changed_in.is_empty();
        let mut granted_places: Vec<Place> =
            self.grants_at.keys().copied().filter(|place| *place >= FIRST).collect();
        granted_places.sort_unstable();
        let mut touched_places = [Vec::new(), Vec::new()];
        for (sorted, places) in touched_places.iter_mut().zip([&joined_places, &places]) {
            sorted.extend(places.iter().copied());
            sorted.sort_unstable();
        }
        let mut writers: Vec<(Class, bool, &[Place])> = Vec::new();
        for index in 0..self.classes.len() {
            let Some(class) = self.classes.get(index).copied() else { break };
            let Some(held) = identities.held(class) else { continue };
            let (is_new, is_joined) = (index >= self.new_classes, held.is_joined());
            let may_be_left_out = !world.is_thorough && !held.is_personal() && index > 0;
            let impersonates = held.impersonates() || granted & groups != 0;
            if impersonates && (is_new || news) {
                self.impersonate(world, identities, class);
            }
            // Those without any right of the kind can do by grants what the first can, and no more.
            if may_be_left_out {
                continue;
            }
            let [of_joined, of_all] = &touched_places;
            let touched = if is_joined { of_all } else { of_joined };
            let everywhere = is_new || touched.first() == Some(&CLUSTER);
            if everywhere {
                self.write(world, identities, class, CLUSTER);
            }
            if everywhere || !touched.is_empty() {
                writers.push((class, everywhere, touched));
            }
        }
        for (class, everywhere, touched) in writers {
            if self.is_decided(world, identities) {
                return;
            }
            if everywhere {
                self.write(world, identities, class, EVERY);
                self.write_in_spaces(world, identities, class, &granted_places);
                continue;
            }
            for place in touched {
                self.write(world, identities, class, *place);
            }
            if touched.contains(&EVERY) {
                self.write_in_spaces(world, identities, class, &granted_places);
            }
        }
        if !world.is_thorough {
            self.share_changed(world, identities);
        }
    }

    /// Whether nothing that can be written in namespaces brings cluster-admin or a sink sooner, where no more is
    /// asked: everybody gets everything in `kube-system`, and with it aws-auth.
    fn is_decided(&self, world: &World<'_>, identities: &mut Identities) -> bool {
        self.is_quick
            && (self.admin.round != NEVER
                || world.aws_auth.is_some()
                    && [EVERY, world.kube_system]
                        .into_iter()
                        .any(|place| self.gives_everything(world, identities, place)))
    }

    /// Where everything is allowed since this round, it is for everybody in the next.
    fn bind_everything(&mut self, world: &World<'_>, identities: &mut Identities) {
        let mut places: Vec<Place> = self
            .namespace_admins
            .iter()
            .filter(|(_, reached)| reached.round == self.round)
            .map(|(place, _)| *place)
            .collect();
        places.sort_unstable();
        let all = !places.is_empty() && places.len() == world.spaces.len();
        if all && let Some(role) = world.everything.first() {
            let pair = identities.pair(*role, EVERY);
            self.give_grant(pair, Step::BindRole);
            return;
        }
        for place in places {
            let role =
                world.everything.first().copied().or_else(|| self.everything_in(world, identities, place));
            if let Some(role) = role {
                let pair = identities.pair(role, place);
                self.give_grant(pair, Step::BindRole);
            }
        }
    }

    /// A role that says everything and that somebody holds in a namespace.
    fn everything_in(&self, world: &World<'_>, identities: &Identities, place: Place) -> Option<u32> {
        let mut roles: Vec<u32> = (0u32..)
            .zip(&identities.pairs)
            .filter(|(pair, (_, own))| {
                (*own == place || *own == EVERY)
                    && self.held.get(*pair as usize).is_some_and(|round| *round <= self.round)
            })
            .map(|(_, (role, _))| *role)
            .filter(|role| self.is_everything(world, *role))
            .collect();
        roles.sort_unstable();
        roles.first().copied()
    }

    /// What a class answers in a place; roles that were changed are looked at elsewhere.
    pub(super) fn rights(
        &self,
        world: &World<'_>,
        identities: &Identities,
        class: Class,
        place: Place,
    ) -> Answers {
        let own = identities.roles_in(class, place);
        let mut rights = joined(own.filter_map(|role| world.answers(role)));
        for granted in counting(place) {
            for role in self.grants_at.get(&granted).into_iter().flatten() {
                if let Some(answers) = world.answers(*role) {
                    rights.add(answers);
                }
            }
        }
        rights
    }

    /// The checks that a class passes in a place, if perhaps only for some names.
    fn some_rights(&self, world: &World<'_>, identities: &Identities, class: Class, place: Place) -> u64 {
        let bits = |role: u32| world.answers(role).map_or(0, |own| own.any | own.named_bits);
        let own = identities.roles_in(class, place).fold(0, |all, role| all | bits(role));
        counting(place).fold(own, |all, at| all | self.granted_bits.get(&at).copied().unwrap_or(0))
    }

    fn impersonate(&mut self, world: &World<'_>, identities: &mut Identities, class: Class) {
        let rights = self.rights(world, identities, class, CLUSTER);
        let groups: Vec<Name> = world
            .groups
            .iter()
            .copied()
            .filter(|group| rights.allows(Check::ImpersonateGroups, *group))
            .collect();
        let users: Vec<Name> = world
            .users
            .iter()
            .copied()
            .filter(|user| rights.allows(Check::ImpersonateUsers, *user))
            .collect();
        if groups.is_empty() {
            for user in users {
                let other = Other { username: Username::User(user), groups: Box::default() };
                self.give_impersonated(world, identities, &other, (class, Step::ImpersonateUser));
            }
            return;
        }
        let mut usernames: Vec<Username> = users.into_iter().map(Username::User).collect();
        usernames
            .extend(self.impersonated_accounts(world, identities, class, &rights).map(Username::Account));
        if groups.contains(&world.masters) {
            if !usernames.is_empty() {
                self.give_admin(Step::ImpersonateGroup);
                self.given_by(Fact::ClusterAdmin, Step::ImpersonateGroup, class);
            }
            return;
        }
        let groups: Box<[Name]> = groups.into();
        for username in usernames {
            let other = Other { username, groups: groups.clone() };
            self.give_impersonated(world, identities, &other, (class, Step::ImpersonateGroup));
        }
    }

    /// The service accounts whose usernames a class may impersonate.
    fn impersonated_accounts(
        &self,
        world: &World<'_>,
        identities: &Identities,
        class: Class,
        in_cluster: &Answers,
    ) -> impl Iterator<Item = u32> + use<> {
        let check = Check::ImpersonateAccounts;
        let mut found: Vec<u32> = Vec::new();
        let names = &world.policy().names;
        let name_of = |account: &Account<'_>| names.lookup(account.name);
        if (in_cluster.any | in_cluster.named_bits) & check.bit() != 0 {
            let all = world.accounts.iter().zip(0u32..);
            let allowed = all.filter(|(account, _)| in_cluster.allows(check, name_of(account)));
            found.extend(allowed.map(|(_, number)| number));
        }
        let own = identities.held(class).into_iter().flat_map(|held| &held.pairs);
        let own = own.map(|pair| identities.pair_at(*pair));
        let granted =
            self.grants_at.iter().flat_map(|(place, roles)| roles.iter().map(|role| (*role, *place)));
        for (role, place) in own.chain(granted).filter(|(_, place)| *place != CLUSTER) {
            let everything = self.is_everything(world, role);
            let Some(answers) =
                world.answers(role).filter(|own| (own.any | own.named_bits) & check.bit() != 0)
            else {
                if everything {
                    found.extend(world.space(place).into_iter().flat_map(|space| &space.accounts));
                }
                continue;
            };
            let places = if place == EVERY { world.every() } else { place..place + 1 };
            for number in places.filter_map(|place| world.space(place)).flat_map(|space| &space.accounts) {
                let account = world.accounts.get(*number as usize);
                if everything || account.is_some_and(|own| answers.allows(check, name_of(own))) {
                    found.push(*number);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter()
    }

    /// What a class may write in namespaces where it, or everybody, holds something.
    fn write_in_spaces(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        class: Class,
        granted: &[Place],
    ) {
        let own = own_places(identities, class);
        for place in &own {
            self.write(world, identities, class, *place);
        }
        let wide = self.some_rights(world, identities, class, EVERY);
        let writes = IN_NAMESPACES.writes();
        for place in granted {
            let here = self.granted_bits.get(place).copied().unwrap_or(0);
            if (wide | here) & writes != 0 && own.binary_search(place).is_err() {
                self.write(world, identities, class, *place);
            }
        }
    }

    /// What a class may write in a place.
    fn write(&mut self, world: &mut World<'_>, identities: &mut Identities, class: Class, place: Place) {
        if self.namespace_admins.get(&place).is_some_and(|reached| reached.round <= self.round) {
            return;
        }
        let kinds = if place == CLUSTER { &IN_CLUSTER } else { &IN_NAMESPACES };
        if self.some_rights(world, identities, class, place) & kinds.writes() == 0 {
            return;
        }
        let rights = self.rights(world, identities, class, place);
        // A name that only an apply may create is free in some namespaces and not in others.
        let by_name = [kinds.create_binding, kinds.create_role, kinds.escalate_role];
        if place == EVERY && by_name.iter().any(|check| rights.named_bits & check.bit() != 0) {
            for place in world.every() {
                self.write_in(world, identities, class, place, kinds, &rights);
            }
        }
        self.write_in(world, identities, class, place, kinds, &rights);
    }

    fn write_in(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        class: Class,
        place: Place,
        kinds: &Kinds,
        rights: &Answers,
    ) {
        if Self::can_create_binding(world, place, kinds, rights) {
            self.bind(world, identities, class, place, rights);
            self.share(world, identities, class, place);
        }
        if (rights.any | rights.named_bits) & kinds.change_binding.bit() != 0 {
            self.change_bindings(world, identities, class, place, kinds, rights);
        }
        if (rights.any | rights.named_bits) & kinds.escalate_role.bit() != 0 {
            self.escalate(world, class, place, kinds, rights);
        }
    }

    /// Whether a binding of a new name can be written: by POST, or by an apply under a name that rules allow.
    fn can_create_binding(world: &World<'_>, place: Place, kinds: &Kinds, rights: &Answers) -> bool {
        let free = |name: &Name| {
            let bindings = world.space(place).map_or(&world.cluster_bindings, |space| &space.bindings);
            *name != Name::EMPTY
                && !bindings
                    .iter()
                    .any(|number| world.binding(*number).is_some_and(|binding| binding.name == *name))
        };
        rights.allows(kinds.create_binding, Name::EMPTY)
            || place != EVERY
                && rights
                    .names_of(kinds.create_binding)
                    .any(|name| rights.allows(kinds.change_binding, name) && free(&name))
    }

    /// The namespaces of a place in which somebody may not yet do everything; the cluster itself.
    fn places_in(&self, world: &World<'_>, place: Place) -> Vec<Place> {
        let places = if place == EVERY { world.every() } else { place..place + 1 };
        let is_admin =
            |place: &Place| self.namespace_admins.get(place).is_some_and(|own| own.round <= self.round);
        places.filter(|place| !is_admin(place)).collect()
    }

    /// Whether everybody gets everything in a place in this round, or has it.
    fn gives_everything(&self, world: &World<'_>, identities: &mut Identities, place: Place) -> bool {
        world.everything.first().is_some_and(|role| {
            let pair = identities.pair(*role, place);
            self.grants.contains_key(&pair)
        })
    }

    fn grant(&mut self, identities: &mut Identities, (class, step): (Class, Step), role: u32, place: Place) {
        let pair = identities.pair(role, place);
        self.give_grant(pair, step);
        self.given_by(Fact::Grant(pair), step, class);
    }

    /// Whether a role is there to be bound and says something.
    fn can_be_bound(&self, world: &World<'_>, role: u32) -> bool {
        world.says_something(role) || self.changed_round(world, role) <= self.round
    }

    /// Roles by the right to bind them.
    fn bind(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        class: Class,
        place: Place,
        rights: &Answers,
    ) {
        let (any, clusters) = (rights.any, Check::BindClusterRoles);
        let mut roles: Vec<u32> = Vec::new();
        if any & clusters.bit() != 0 {
            roles.extend(&world.cluster_roles);
            roles.extend(&world.missing_cluster_roles);
        } else {
            roles.extend(
                rights.names_of(clusters).filter_map(|name| Self::role_named(world, Scope::Cluster, name)),
            );
        }
        roles.retain(|role| self.can_be_bound(world, *role));
        if roles.iter().any(|role| self.is_everything(world, *role)) {
            roles.retain(|role| self.is_everything(world, *role));
        }
        for role in &roles {
            self.grant(identities, (class, Step::BindRole), *role, place);
        }
        if place == CLUSTER || (any | rights.named_bits) & Check::BindRoles.bit() == 0 {
            return;
        }
        for place in self.places_in(world, place) {
            let Some(space) = world.space(place) else { continue };
            let own: Vec<u32> = space.roles.iter().chain(&space.missing).copied().collect();
            for role in own {
                let allowed = world.role(role).is_some_and(|(_, name)| rights.allows(Check::BindRoles, name));
                if allowed && self.can_be_bound(world, role) {
                    self.grant(identities, (class, Step::BindRole), role, place);
                }
            }
        }
    }

    fn role_named(world: &World<'_>, scope: Scope, name: Name) -> Option<u32> {
        let policy = world.policy();
        let loaded = policy.roles.binary_search_by_key(&(scope, name), |role| (role.scope, role.name));
        let loaded = loaded.ok().and_then(|index| u32::try_from(index).ok());
        loaded.or_else(|| world.unloaded_numbers.get(&(scope, name)).copied())
    }

    /// Roles that one holds, handed on: the API server lets everybody give what he has.
    fn share(&mut self, world: &World<'_>, identities: &mut Identities, class: Class, place: Place) {
        let roles: Vec<u32> = identities.roles_in(class, place).collect();
        for role in roles {
            let given = world.common.contains(&role) || world.access_policies.contains(&role);
            if !given && world.says_something(role) && matters(world, role) {
                self.grant(identities, (class, Step::ShareRole), role, place);
            }
        }
    }

    /// Subjects added to bindings that are there.
    fn change_bindings(
        &mut self,
        world: &World<'_>,
        identities: &mut Identities,
        class: Class,
        place: Place,
        kinds: &Kinds,
        rights: &Answers,
    ) {
        let mut own: Option<Owner<'_>> = None;
        // What a class covers by its own roles is the same whoever reaches it.
        let is_known =
            place < FIRST && counting(place).all(|at| self.grants_at.get(&at).is_none_or(Vec::is_empty));
        // Where everybody gets everything in this round nothing else is worth writing.
        let mut open = vec![place];
        open.extend((place >= FIRST).then_some(EVERY));
        let is_open = open.iter().any(|place| self.gives_everything(world, identities, *place));
        // Who may bind nothing hands on what he has; of that only some roles matter.
        let binds = Check::BindRoles.bit() | Check::BindClusterRoles.bit();
        let all = world.is_thorough || place == CLUSTER || (rights.any | rights.named_bits) & binds != 0;
        for at in self.places_in(world, place) {
            let bindings = match world.space(at) {
                None => &world.cluster_bindings,
                Some(space) if all => &space.bindings,
                Some(space) => &space.personal_bindings,
            };
            for number in bindings {
                let Some(binding) = world.binding(*number) else { continue };
                if !rights.allows(kinds.change_binding, binding.name) {
                    continue;
                }
                let Some(role) = world.role_of_binding.get(*number as usize).copied() else { continue };
                if !self.can_be_bound(world, role) || is_open && !self.is_everything(world, role) {
                    continue;
                }
                let bind = match binding.role_scope() {
                    Scope::Cluster => Check::BindClusterRoles,
                    Scope::Namespace(_) => Check::BindRoles,
                };
                if rights.allows(bind, binding.role_ref.name) {
                    self.grant(identities, (class, Step::ChangeBinding), role, at);
                }
                if world.common.contains(&role)
                    || self.changed_round(world, role) <= self.round
                    || !matters(world, role)
                {
                    continue;
                }
                let Some(answers) = world.answers(role) else { continue };
                // What covers a role answers at least what it answers.
                if answers.any & !rights.any != 0 {
                    continue;
                }
                let own = own.get_or_insert_with(|| {
                    let rules = self.rules(world, identities, class, place);
                    let known = if is_known { identities.covered.remove(&(class, place)) } else { None };
                    Owner { rules, covered: known.unwrap_or_default() }
                });
                if own.covers(world, role) {
                    self.grant(identities, (class, Step::ShareRole), role, at);
                }
            }
        }
        if let Some(own) = own.filter(|_| is_known) {
            identities.covered.insert((class, place), own.covered);
        }
    }

    /// Roles that are changed in this round: whether somebody could have handed them on to everybody.
    fn share_changed(&mut self, world: &World<'_>, identities: &mut Identities) {
        let mut changed: Vec<(Place, u32, Pair)> = Vec::new();
        for fact in &self.next {
            match *fact {
                Fact::Changed(role) => {
                    for place in world.places_of_role.get(&role).into_iter().flatten() {
                        changed.push((*place, role, identities.pair(role, *place)));
                    }
                }
                Fact::ChangedIn(at) => {
                    let places = if at == EVERY { world.every() } else { at..at + 1 };
                    for place in places {
                        let roles = world.space(place).map_or(&[][..], |space| &space.roles);
                        changed
                            .extend(roles.iter().map(|role| (place, *role, identities.pair(*role, place))));
                    }
                }
                _ => {}
            }
        }
        let round = self.round;
        changed.retain(|(place, role, pair)| {
            let given = world.common.contains(role)
                || self.grants.contains_key(pair)
                || self.changed_round(world, *role) <= round;
            *place >= FIRST && !given && world.says_something(*role) && !matters(world, *role)
        });
        changed.sort_unstable();
        changed.dedup();
        for index in 0..self.classes.len() {
            if changed.is_empty() {
                break;
            }
            let Some(class) = self.classes.get(index).copied() else { break };
            let mut shared: Vec<Pair> = Vec::new();
            let mut last: Option<(Place, Option<Sharer<'_>>)> = None;
            let writes = Check::CreateBindings.bit() | Check::ChangeBindings.bit();
            for (place, role, pair) in &changed {
                if last.as_ref().is_none_or(|(at, _)| at != place) {
                    let may = self.some_rights(world, identities, class, *place) & writes != 0;
                    let rights = may.then(|| self.rights(world, identities, class, *place));
                    let own = rights.map(|rights| {
                        let creates = Self::can_create_binding(world, *place, &IN_NAMESPACES, &rights);
                        (rights, creates, None)
                    });
                    last = Some((*place, own));
                }
                let Some((_, Some((rights, creates, owner)))) = &mut last else { continue };
                let holds = identities.roles_in(class, *place).any(|own| own == *role);
                let shares = holds && *creates
                    || Self::changes_binding_of(world, *place, rights, *role)
                        && owner
                            .get_or_insert_with(|| {
                                let rules = self.rules(world, identities, class, *place);
                                Owner { rules, covered: FxHashMap::default() }
                            })
                            .covers(world, *role);
                if shares {
                    shared.push(*pair);
                }
            }
            for pair in &shared {
                self.give_grant(*pair, Step::ShareRole);
                self.given_by(Fact::Grant(*pair), Step::ShareRole, class);
            }
            changed.retain(|(_, _, pair)| !shared.contains(pair));
        }
    }

    /// Whether a binding of a role that is there may be changed.
    fn changes_binding_of(world: &World<'_>, place: Place, rights: &Answers, role: u32) -> bool {
        let change = Check::ChangeBindings;
        if (rights.any | rights.named_bits) & change.bit() == 0 {
            return false;
        }
        let bindings = world.space(place).map_or(&[][..], |space| &space.bindings);
        bindings.iter().any(|number| {
            world.role_of_binding.get(*number as usize) == Some(&role)
                && world.binding(*number).is_some_and(|own| rights.allows(change, own.name))
        })
    }

    /// The rules that a class has in a place.
    fn rules<'c>(&self, world: &World<'c>, identities: &Identities, class: Class, place: Place) -> Rules<'c> {
        let own = identities.roles_in(class, place);
        let own = own.filter(|role| !world.access_policies.contains(role));
        let granted = counting(place).flat_map(|place| self.grants_at.get(&place).into_iter().flatten());
        let graph = world.cluster.graph();
        let mut rules = Rules::default();
        let mut known: FxHashSet<RuleId> = FxHashSet::default();
        let all = own.chain(granted.copied()).filter_map(|role| world.policy().roles.get(role as usize));
        for rule in all.flat_map(|role| graph.rules_in_force(role)) {
            if known.insert(rule.placed.rule) {
                rules.add(rule.rule);
            }
        }
        rules
    }

    /// Roles into which any rule can be written.
    fn escalate(
        &mut self,
        world: &mut World<'_>,
        class: Class,
        place: Place,
        kinds: &Kinds,
        rights: &Answers,
    ) {
        let both = kinds.change_role.bit() | kinds.escalate_role.bit();
        let changes_all = rights.any & both == both;
        let creates =
            rights.allows(kinds.create_role, Name::EMPTY) && rights.allows(kinds.escalate_role, Name::EMPTY);
        let allows =
            |name: Name| rights.allows(kinds.change_role, name) && rights.allows(kinds.escalate_role, name);
        let mut changed: Vec<u32> = Vec::new();
        let mut new_names: Vec<Name> = Vec::new();
        for check in [kinds.create_role, kinds.change_role, kinds.escalate_role] {
            new_names.extend(
                rights
                    .names_of(check)
                    .filter(|name| *name != Name::EMPTY)
                    .filter(|name| allows(*name) && rights.allows(kinds.create_role, *name)),
            );
        }
        if place == EVERY && changes_all && creates {
            self.give_changed_in(EVERY);
            self.given_by(Fact::ChangedIn(EVERY), Step::EscalateRole, class);
            return;
        }
        for place in self.places_in(world, place) {
            let scope = match place {
                CLUSTER => Scope::Cluster,
                place => Scope::Namespace(world.policy().names.lookup(world.namespace(place))),
            };
            let (loaded, missing) = match world.space(place) {
                Some(space) => (&space.roles, &space.missing),
                None => (&world.cluster_roles, &world.missing_cluster_roles),
            };
            changed.extend(
                loaded.iter().filter(|role| world.role(**role).is_some_and(|(_, name)| allows(name))),
            );
            if creates {
                changed.extend(missing);
                changed.push(world.unloaded(scope, Name::UNKNOWN));
            }
            for name in &new_names {
                if world.cluster.graph().role(scope, *name).is_none() {
                    changed.push(world.unloaded(scope, *name));
                }
            }
        }
        if place == CLUSTER && !changed.is_empty() {
            changed.extend(&world.aggregated);
        }
        for role in changed {
            self.give_changed(role);
            self.given_by(Fact::Changed(role), Step::EscalateRole, class);
        }
    }
}

/// Where grants count in a place.
fn counting(place: Place) -> impl Iterator<Item = Place> {
    let every = (place != CLUSTER && place != EVERY).then_some(EVERY);
    [(place != CLUSTER).then_some(CLUSTER), every, Some(place)].into_iter().flatten()
}

/// The namespaces in which a class holds something itself.
fn own_places(identities: &Identities, class: Class) -> Vec<Place> {
    let pairs = identities.held(class).into_iter().flat_map(|held| &held.pairs);
    let mut places: Vec<Place> = pairs.map(|pair| identities.pair_at(*pair).1).collect();
    places.retain(|place| *place >= FIRST);
    places.dedup();
    places
}
