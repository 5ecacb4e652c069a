//! Requests that need several rights of one identity: impersonation with groups, and writing roles and bindings.
//!
//! Whoever may do everything in a namespace binds a role there that says everything, so that everybody may from the
//! next round on; no other binding and no change of a Role there adds to that, and none is looked for.

use rustc_hash::FxHashSet;

use super::super::checks::{Answers, Bits, Check, JOINED};
use super::super::identities::{Class, Identities, Other, Username, joined};
use super::super::step::Step;
use super::super::world::{Account, CLUSTER, EVERY, FIRST, Place, World};
use super::write::{counting, own_places};
use super::{Closure, Fact, NEVER, Round};
use crate::model::names::Name;

impl Closure {
    /// Every act of this kind that any class may do in this round.
    pub(super) fn joined_acts(&mut self, world: &mut World<'_>, identities: &mut Identities) {
        // Where only sinks are asked for nothing else of this round comes sooner than cluster-admin; of the ways to it
        // impersonation goes before others.
        let writes = !(self.is_quick && self.admin.round != NEVER);
        if !writes && self.trace.is_none() {
            return;
        }
        if writes {
            self.bind_everything(world, identities);
        }
        let mut places: FxHashSet<Place> = FxHashSet::default();
        let mut joined_places: FxHashSet<Place> = FxHashSet::default();
        for pair in &self.new_grants {
            let (role, place) = identities.pair_at(*pair);
            places.insert(place);
            if world.answers(role).is_some_and(|own| (own.any | own.named_bits) & JOINED != 0) {
                joined_places.insert(place);
            }
        }
        // A role that says everything since this round, or that is there since, may be bound by whoever could not before.
        for place in self.places_of_changes(world) {
            places.insert(place);
            joined_places.insert(place);
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
        let mut partly: Vec<Class> = Vec::new();
        let mut writers: Vec<(Class, bool, &[Place])> = Vec::new();
        // What everybody may do who impersonates by a grant, all classes may; else those without any right of the kind can
        // do by grants what the first can, and no more.
        let all: Vec<usize> = if granted & groups != 0 && (news || self.new_classes < self.classes.len()) {
            (0..self.classes.len()).collect()
        } else {
            std::mem::take(&mut self.personal)
        };
        for index in all.iter().copied() {
            let Some(class) = self.classes.get(index).copied() else { break };
            let Some(held) = identities.held(class) else { continue };
            let (is_new, is_joined) = (index >= self.new_classes, held.is_joined());
            let may_be_left_out = !world.is_thorough && !held.is_personal() && index > 0;
            let impersonates = held.impersonates() || granted & groups != 0;
            if !held.is_more_than_base() {
                if !writes {
                    continue;
                }
                // What it impersonates and writes its base does, but for bindings of roles that its own cover.
                if is_new && held.changes_bindings() {
                    partly.push(class);
                }
                continue;
            }
            if impersonates && (is_new || news) {
                self.impersonate(world, identities, class);
            }
            if may_be_left_out || !writes {
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
        if self.personal.is_empty() {
            self.personal = all;
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
        for class in partly {
            if self.is_decided(world, identities) {
                return;
            }
            for place in own_places(identities, class, false) {
                self.write(world, identities, class, place);
            }
        }
        if !world.is_thorough && writes {
            self.share_changed(world, identities);
        }
    }

    /// Where roles can be bound that say everything since this round.
    fn places_of_changes(&self, world: &World<'_>) -> Vec<Place> {
        let is_new = |round: Round| round == self.round;
        let roles = self.changed.iter().filter(|(_, round)| is_new(**round));
        let all = self.changed_in.iter().filter(|(_, round)| is_new(**round)).map(|(place, _)| *place);
        roles.map(|(role, _)| world.home(*role)).chain(all).collect()
    }

    /// Whether nothing that can be written in namespaces brings cluster-admin or a sink sooner, where no more is
    /// asked: everybody gets everything in `kube-system`, and with it aws-auth.
    fn is_decided(&self, world: &World<'_>, identities: &mut Identities) -> bool {
        self.is_quick
            && (self.admin.round != NEVER
                || self.trace.is_none()
                    && (self.is_admin_next
                        || world.aws_auth.is_some()
                            && [EVERY, world.kube_system]
                                .into_iter()
                                .any(|place| self.gives_everything(world, identities, place))))
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
            .filter(|(pair, (_, own))| (*own == place || *own == EVERY) && self.held.get(*pair) <= self.round)
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
        // What everybody holds it may do as itself; as another only what is chosen.
        let counts = counting(place).filter(|_| !identities.is_restricted(class));
        for granted in counts {
            for role in self.grants_at.get(&granted).into_iter().flatten() {
                if let Some(answers) = world.answers(*role) {
                    rights.add(answers);
                }
            }
        }
        rights
    }

    /// The checks that a class passes in a place, if perhaps only for some names.
    pub(super) fn some_rights(
        &self,
        world: &World<'_>,
        identities: &Identities,
        class: Class,
        place: Place,
    ) -> Bits {
        let bits = |role: u32| world.answers(role).map_or(0, |own| own.any | own.named_bits);
        let own = identities.roles_in(class, place).fold(0, |all, role| all | bits(role));
        if identities.is_restricted(class) {
            return own;
        }
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
            let none = identities.groups(&[]);
            for user in users {
                let other = Other { username: Username::User(user), groups: none };
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
        let groups = identities.groups(&groups);
        for username in usernames {
            let other = Other { username, groups };
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
        let own = identities.all_held(class).map(|pair| identities.pair_at(pair));
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

    /// Whether everybody gets everything in a place in this round, or has it.
    pub(super) fn gives_everything(
        &self,
        world: &World<'_>,
        identities: &mut Identities,
        place: Place,
    ) -> bool {
        world.everything.first().is_some_and(|role| {
            let pair = identities.pair(*role, place);
            self.grants.contains_key(&pair)
        })
    }
}
