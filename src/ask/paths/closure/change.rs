//! Bindings that are there and that somebody may change: who adds a subject hands on the role.

use rustc_hash::FxHashMap;

use super::super::checks::{Answers, Check};
use super::super::identities::{Class, Identities};
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, FIRST, Place, World};
use super::Closure;
use super::covering::Owner;
use super::write::{Kinds, counting, matters};
use crate::model::rbac::Scope;

/// Somebody who changes bindings in a place.
struct Changer<'a, 'c> {
    class: Class,
    place: Place,
    rights: &'a Answers,
    /// Whether everybody gets everything there in this round.
    is_open: bool,
    /// Whether what is covered is kept for other searches.
    is_known: bool,
    /// The rules, once they are needed.
    owner: Option<Owner<'c>>,
}

impl Closure {
    /// Subjects added to bindings that are there.
    pub(super) fn change_bindings(
        &mut self,
        world: &World<'_>,
        identities: &mut Identities,
        class: Class,
        place: Place,
        kinds: &Kinds,
        rights: &Answers,
    ) {
        // What a class covers by its own roles is the same whoever reaches it.
        let is_known =
            place < FIRST && counting(place).all(|at| self.grants_at.get(&at).is_none_or(Vec::is_empty));
        // Where everybody gets everything in this round nothing else is worth writing.
        let mut open = vec![place];
        open.extend((place >= FIRST).then_some(EVERY));
        let is_open = open.iter().any(|place| self.gives_everything(world, identities, *place));
        // Who may bind nothing hands on what he has; of that only some roles matter.
        let binds = Check::BindRoles.bit() | Check::BindClusterRoles.bit();
        let looks_at_all =
            world.is_thorough || place == CLUSTER || (rights.any | rights.named_bits) & binds != 0;
        let mut changer = Changer { class, place, rights, is_open, is_known, owner: None };
        if place == EVERY && !world.is_thorough && rights.any & kinds.change_binding.bit() != 0 {
            self.change_every_binding(world, identities, &mut changer, looks_at_all);
        } else {
            // Many bindings name few roles.
            let mut known: FxHashMap<u32, (bool, bool)> = FxHashMap::default();
            for at in self.places_in(world, place) {
                let bindings = match world.space(at) {
                    None => &world.cluster_bindings,
                    Some(space) if looks_at_all => &space.bindings,
                    Some(space) => &space.personal_bindings,
                };
                for number in bindings {
                    let Some(binding) = world.binding(*number) else { continue };
                    if !rights.allows(kinds.change_binding, binding.name) {
                        continue;
                    }
                    let Some(role) = world.role_of_binding.get(*number as usize).copied() else { continue };
                    let (binds, shares) = *known
                        .entry(role)
                        .or_insert_with(|| self.hands_on(world, identities, &mut changer, role));
                    if binds {
                        self.grant(world, identities, (class, Step::ChangeBinding), role, at);
                    }
                    if shares {
                        self.grant(world, identities, (class, Step::ShareRole), role, at);
                    }
                }
            }
        }
        if let Some(own) = changer.owner.filter(|_| is_known) {
            identities.covered.insert((class, place), own.covered);
        }
    }

    /// The same of whoever may change every binding in namespaces: role by role, each until somebody hands it on.
    fn change_every_binding<'c>(
        &mut self,
        world: &World<'c>,
        identities: &mut Identities,
        changer: &mut Changer<'_, 'c>,
        looks_at_all: bool,
    ) {
        for role in &world.bound_roles {
            if self.handed_on.contains(role) || !looks_at_all && !matters(world, *role) {
                continue;
            }
            let step = match self.hands_on(world, identities, changer, *role) {
                (true, _) => Step::ChangeBinding,
                (_, true) => Step::ShareRole,
                _ => continue,
            };
            self.handed_on.insert(*role);
            for at in world.places_of_role.get(role).into_iter().flatten() {
                let is_admin = self.namespace_admins.get(at).is_some_and(|own| own.round <= self.round);
                if !is_admin {
                    self.grant(world, identities, (changer.class, step), *role, *at);
                }
            }
        }
    }

    /// Whether somebody who may change a binding gives its role to others: by the right to bind it, or because he has what
    /// it gives.
    fn hands_on<'c>(
        &self,
        world: &World<'c>,
        identities: &mut Identities,
        changer: &mut Changer<'_, 'c>,
        role: u32,
    ) -> (bool, bool) {
        let rights = changer.rights;
        if !self.can_be_bound(world, role) || changer.is_open && !self.is_everything(world, role) {
            return (false, false);
        }
        let binds = world.role(role).is_some_and(|(scope, name)| {
            let bind = match scope {
                Scope::Cluster => Check::BindClusterRoles,
                Scope::Namespace(_) => Check::BindRoles,
            };
            rights.allows(bind, name)
        });
        if binds && (self.is_quick || !world.is_thorough)
            || world.common.contains(&role)
            || self.changed_round(world, role) <= self.round
            || !matters(world, role)
        {
            return (binds, false);
        }
        // What covers a role answers at least what it answers.
        let may_cover = |own: &Answers| {
            let mut named = own.named.iter();
            own.any & !rights.any == 0 && named.all(|(check, name)| rights.allows(*check, *name))
        };
        // Not so whoever acts as another for chosen requests: it may hand on what that other has.
        let is_whole = !identities.is_restricted(changer.class);
        if is_whole && !world.answers(role).is_some_and(may_cover) {
            return (binds, false);
        }
        let (class, place) = (changer.class, changer.place);
        let own = changer.owner.get_or_insert_with(|| {
            let rules = self.rules(world, identities, class, place);
            let covered = if changer.is_known { identities.covered.remove(&(class, place)) } else { None };
            Owner { rules, covered: covered.unwrap_or_default() }
        });
        (binds, own.covers(world, role))
    }
}
