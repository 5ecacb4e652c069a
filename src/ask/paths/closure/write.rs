//! What one identity may write in a place: bindings of roles, and the rules of roles.

use super::super::checks::{Answers, Bits, Check, PERSONAL};
use super::super::identities::{Class, Identities};
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, FIRST, Place, World};
use super::covering::Rules;
use super::{Closure, Fact, NEVER};
use crate::model::names::Name;
use crate::model::rbac::Scope;

/// The checks about one kind of binding or role, for the cluster or for namespaces.
pub(super) struct Kinds {
    create_binding: Check,
    pub(super) change_binding: Check,
    create_role: Check,
    change_role: Check,
    escalate_role: Check,
}

pub(super) const IN_CLUSTER: Kinds = Kinds {
    create_binding: Check::CreateClusterBindings,
    change_binding: Check::ChangeClusterBindings,
    create_role: Check::CreateClusterRoles,
    change_role: Check::ChangeClusterRoles,
    escalate_role: Check::EscalateClusterRoles,
};

pub(super) const IN_NAMESPACES: Kinds = Kinds {
    create_binding: Check::CreateBindings,
    change_binding: Check::ChangeBindings,
    create_role: Check::CreateRoles,
    change_role: Check::ChangeRoles,
    escalate_role: Check::EscalateRoles,
};

/// Whether it matters that a role is handed on: if it holds anything that matters in whose hands it is.
///
/// Handing on any other gives nothing to a request that takes several rights, until the role is changed; in a large
/// cluster that is looked at then.
pub(super) fn matters(world: &World<'_>, role: u32) -> bool {
    world.is_thorough || world.answers(role).is_some_and(|own| (own.any | own.named_bits) & PERSONAL != 0)
}

/// Where grants count in a place.
pub(super) fn counting(place: Place) -> impl Iterator<Item = Place> {
    let every = (place != CLUSTER && place != EVERY).then_some(EVERY);
    [(place != CLUSTER).then_some(CLUSTER), every, Some(place)].into_iter().flatten()
}

/// The namespaces in which a class holds something, with what its base holds or without.
pub(super) fn own_places(identities: &Identities, class: Class, with_base: bool) -> Vec<Place> {
    let base = identities.held(class).and_then(|held| held.base).filter(|_| with_base);
    let classes = [Some(class), base].into_iter().flatten();
    let pairs = classes.filter_map(|class| identities.held(class)).flat_map(|held| &held.pairs);
    let mut places: Vec<Place> = pairs.map(|pair| identities.pair_at(*pair).1).collect();
    places.retain(|place| *place >= FIRST);
    if base.is_some() {
        places.sort_unstable();
    }
    places.dedup();
    places
}

/// Whether no binding of a place has a name.
fn is_free(world: &World<'_>, place: Place, name: Name) -> bool {
    let bindings = world.space(place).map_or(&world.cluster_bindings, |space| &space.bindings);
    !bindings.iter().any(|number| world.binding(*number).is_some_and(|binding| binding.name == name))
}

impl Kinds {
    /// The checks without one of which nothing can be written.
    const fn writes(&self) -> Bits {
        self.create_binding.bit() | self.change_binding.bit() | self.escalate_role.bit()
    }
}

impl Closure {
    /// What a class may write in namespaces where it, or everybody, holds something.
    pub(super) fn write_in_spaces(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        class: Class,
        granted: &[Place],
    ) {
        let own = own_places(identities, class, true);
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
    pub(super) fn write(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        class: Class,
        place: Place,
    ) {
        if self.namespace_admins.get(&place).is_some_and(|reached| reached.round <= self.round) {
            return;
        }
        let kinds = if place == CLUSTER { &IN_CLUSTER } else { &IN_NAMESPACES };
        if self.some_rights(world, identities, class, place) & kinds.writes() == 0 {
            return;
        }
        let rights = self.rights(world, identities, class, place);
        if place == EVERY && !rights.allows(kinds.create_binding, Name::EMPTY) {
            self.bind_by_name(world, identities, class, kinds, &rights);
        }
        self.write_in(world, identities, class, place, kinds, &rights);
    }

    pub(super) fn write_in(
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
            self.escalate(world, identities, class, place, kinds, rights);
        }
    }

    /// Whether a binding of a new name can be written: by POST, or by an apply under a name that rules allow.
    pub(super) fn can_create_binding(
        world: &World<'_>,
        place: Place,
        kinds: &Kinds,
        rights: &Answers,
    ) -> bool {
        rights.allows(kinds.create_binding, Name::EMPTY)
            || place != EVERY && Self::names_to_apply(kinds, rights).any(|name| is_free(world, place, name))
    }

    /// The names under which bindings may be created by an apply.
    fn names_to_apply<'a>(kinds: &'a Kinds, rights: &'a Answers) -> impl Iterator<Item = Name> + 'a {
        let names = rights.names_of(kinds.create_binding);
        names.filter(|name| *name != Name::EMPTY && rights.allows(kinds.change_binding, *name))
    }

    /// Bindings in namespaces under names that only an apply may create: such a name is free in some namespaces and not in
    /// others.
    fn bind_by_name(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        class: Class,
        kinds: &Kinds,
        rights: &Answers,
    ) {
        let names: Vec<Name> = Self::names_to_apply(kinds, rights).collect();
        let free_in = |place: Place| names.iter().any(|name| is_free(world, place, *name));
        let free: Vec<Place> = world.every().filter(|place| free_in(*place)).collect();
        let all = free.len() == world.spaces.len();
        for place in if all { vec![EVERY] } else { free } {
            self.bind(world, identities, class, place, rights);
            self.share(world, identities, class, place);
        }
    }

    /// The namespaces of a place in which somebody may not yet do everything; the cluster itself.
    pub(super) fn places_in(&self, world: &World<'_>, place: Place) -> Vec<Place> {
        let places = if place == EVERY { world.every() } else { place..place + 1 };
        let is_admin =
            |place: &Place| self.namespace_admins.get(place).is_some_and(|own| own.round <= self.round);
        places.filter(|place| !is_admin(place)).collect()
    }

    pub(super) fn grant(
        &mut self,
        world: &World<'_>,
        identities: &mut Identities,
        (class, step): (Class, Step),
        role: u32,
        place: Place,
    ) {
        let pair = identities.pair(role, place);
        self.is_admin_next |= place == CLUSTER && self.is_everything(world, role);
        self.give_grant(pair, step);
        self.given_by(Fact::Grant(pair), step, class);
    }

    /// Whether somebody holds a role in the whole cluster.
    pub(super) fn is_held_in_cluster(&self, identities: &Identities, role: u32) -> bool {
        let pairs = identities.pairs_of_role.get(&role).into_iter().flatten();
        pairs.into_iter().any(|pair| identities.pair_at(*pair).1 == CLUSTER && self.held.get(*pair) != NEVER)
    }

    /// Whether a role is there to be bound and says something.
    pub(super) fn can_be_bound(&self, world: &World<'_>, role: u32) -> bool {
        world.says_something(role) || self.changed_round(world, role) <= self.round
    }

    /// Roles by the right to bind them.
    pub(super) fn bind(
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
            self.grant(world, identities, (class, Step::BindRole), *role, place);
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
                    self.grant(world, identities, (class, Step::BindRole), role, place);
                }
            }
        }
    }

    pub(super) fn role_named(world: &World<'_>, scope: Scope, name: Name) -> Option<u32> {
        let policy = world.policy();
        let loaded = policy.roles.binary_search_by_key(&(scope, name), |role| (role.scope, role.name));
        let loaded = loaded.ok().and_then(|index| u32::try_from(index).ok());
        loaded.or_else(|| world.unloaded_number(scope, name))
    }

    /// Roles that one holds, handed on: the API server lets everybody give what he has.
    pub(super) fn share(
        &mut self,
        world: &World<'_>,
        identities: &mut Identities,
        class: Class,
        place: Place,
    ) {
        let roles: Vec<u32> = identities.roles_behind(class, place).collect();
        for role in roles {
            let given = world.common.contains(&role) || world.access_policies.contains(&role);
            if !given && world.says_something(role) && matters(world, role) {
                self.grant(world, identities, (class, Step::ShareRole), role, place);
            }
        }
    }

    /// The rules that a class has in a place.
    pub(super) fn rules<'c>(
        &self,
        world: &World<'c>,
        identities: &Identities,
        class: Class,
        place: Place,
    ) -> Rules<'c> {
        let own = identities.roles_behind(class, place);
        let own = own.filter(|role| !world.access_policies.contains(role));
        let granted = counting(place).flat_map(|place| self.grants_at.get(&place).into_iter().flatten());
        let graph = world.cluster.graph();
        let mut rules = Rules::default();
        for rule in own.chain(granted.copied()).flat_map(|role| graph.rules_of_number(role)) {
            if rules.all.insert(rule.placed.rule) {
                rules.add(rule.rule);
            }
        }
        rules
    }

    /// Roles into which any rule can be written.
    pub(super) fn escalate(
        &mut self,
        world: &mut World<'_>,
        identities: &Identities,
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
            // A role of a new name too, where somebody may bind what he names.
            for place in world.every() {
                world.unloaded_at(place, Name::UNKNOWN);
            }
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
                changed.push(world.unloaded_at(place, Name::UNKNOWN));
            }
            for name in &new_names {
                if world.cluster.graph().role(scope, *name).is_none() {
                    changed.push(world.unloaded_at(place, *name));
                }
            }
        }
        if place == CLUSTER && !changed.is_empty() {
            changed.extend(&world.aggregated);
            self.is_admin_next |= changed.iter().any(|role| self.is_held_in_cluster(identities, *role));
        }
        for role in changed {
            self.give_changed(role);
            self.given_by(Fact::Changed(role), Step::EscalateRole, class);
        }
    }
}
