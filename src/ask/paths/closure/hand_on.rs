//! Roles that are changed in this round: whether somebody could have handed them on before.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::checks::{Answers, Bits, Check};
use super::super::identities::{Class, Identities, Pair};
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, FIRST, Place, World};
use super::covering::Owner;
use super::write::{IN_NAMESPACES, matters, own_places};
use super::{Closure, Fact};

/// What a class can hand on in places where it holds the same: its rights, and its rules once they are needed.
struct Sharer<'c> {
    rights: Answers,
    owner: Option<Owner<'c>>,
}

/// A role that is changed, a namespace in which bindings name it, and both as a pair.
type Changed = (Place, u32, Pair);

const WRITES: Bits = Check::CreateBindings.bit() | Check::ChangeBindings.bit();

impl Closure {
    /// Roles that are changed in this round: whether somebody could have handed them on to everybody.
    pub(super) fn share_changed(&mut self, world: &World<'_>, identities: &mut Identities) {
        let mut changed = self.changed_next(world, identities);
        let granted = |place: &Place| self.granted_bits.get(place).copied().unwrap_or(0) & WRITES != 0;
        let by_everybody = granted(&CLUSTER) || granted(&EVERY);
        let mut granted_places: Vec<Place> =
            changed.iter().map(|(place, ..)| *place).filter(granted).collect();
        granted_places.dedup();
        // What is held in the whole cluster says of all places the same where nothing is held there.
        let mut seen: FxHashSet<Box<[Pair]>> = FxHashSet::default();
        for index in 0..self.classes.len() {
            if changed.is_empty() {
                break;
            }
            let Some(class) = self.classes.get(index).copied() else { break };
            let Some(held) = identities.held(class) else { continue };
            if !(by_everybody || !granted_places.is_empty() || held.writes_bindings()) {
                continue;
            }
            let own = own_places(identities, class, true);
            let mut shared: Vec<Pair> = Vec::new();
            if by_everybody || held.writes_bindings_everywhere() {
                let key: Box<[Pair]> = identities.held_at(class, CLUSTER).collect();
                if seen.insert(key) {
                    let mut sharer = self.sharer(world, identities, class, CLUSTER);
                    let is_same = |place: &Place| {
                        own.binary_search(place).is_err()
                            && self.grants_at.get(place).is_none_or(Vec::is_empty)
                    };
                    let there = changed.iter().filter(|(place, ..)| is_same(place));
                    shared.extend(self.shared(world, identities, class, &mut sharer, there));
                }
            }
            let mut places = own;
            places.extend(&granted_places);
            if by_everybody {
                places.extend(self.grants_at.keys().filter(|place| **place >= FIRST));
            }
            places.sort_unstable();
            places.dedup();
            for place in places {
                let from = changed.partition_point(|(own, ..)| *own < place);
                let there = changed.get(from..).unwrap_or_default();
                if there.first().is_some_and(|(own, ..)| *own == place)
                    && self.some_rights(world, identities, class, place) & WRITES != 0
                {
                    let mut sharer = self.sharer(world, identities, class, place);
                    let there = there.iter().take_while(|(own, ..)| *own == place);
                    shared.extend(self.shared(world, identities, class, &mut sharer, there));
                }
            }
            for pair in &shared {
                self.give_grant(*pair, Step::ShareRole);
                self.given_by(Fact::Grant(*pair), Step::ShareRole, class);
            }
            if !shared.is_empty() {
                shared.sort_unstable();
                changed.retain(|(_, _, pair)| shared.binary_search(pair).is_err());
            }
        }
    }

    /// The roles that say everything from the next round on and that no search for writers has looked at, by place.
    fn changed_next(&self, world: &World<'_>, identities: &mut Identities) -> Vec<Changed> {
        let mut changed: Vec<Changed> = Vec::new();
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
        changed
    }

    fn sharer<'c>(
        &self,
        world: &World<'c>,
        identities: &Identities,
        class: Class,
        place: Place,
    ) -> Sharer<'c> {
        // In a namespace where nothing is held counts what is held in the cluster and what everybody has in each.
        let at = if place == CLUSTER { EVERY } else { place };
        Sharer { rights: self.rights(world, identities, class, at), owner: None }
    }

    /// Which of some roles a class could have handed on.
    fn shared<'p, 'c>(
        &self,
        world: &World<'c>,
        identities: &Identities,
        class: Class,
        sharer: &mut Sharer<'c>,
        changed: impl Iterator<Item = &'p Changed>,
    ) -> Vec<Pair> {
        let mut shared = Vec::new();
        for (place, role, pair) in changed {
            let rights = &sharer.rights;
            let creates = || Self::can_create_binding(world, *place, &IN_NAMESPACES, rights);
            let holds = identities.roles_behind(class, *place).any(|own| own == *role);
            if holds && creates() {
                shared.push(*pair);
                continue;
            }
            // What covers a role answers at least what it answers.
            let may_cover = world.answers(*role).is_some_and(|own| {
                own.any & !rights.any == 0
                    && own.named.iter().all(|(check, name)| rights.allows(*check, *name))
            });
            if (may_cover || identities.is_restricted(class))
                && Self::changes_binding_of(world, *place, rights, *role)
                && sharer
                    .owner
                    .get_or_insert_with(|| Owner {
                        rules: self.rules(world, identities, class, *place),
                        covered: FxHashMap::default(),
                    })
                    .covers(world, *role)
            {
                shared.push(*pair);
            }
        }
        shared
    }

    /// Whether a binding of a role that is there may be changed.
    pub(super) fn changes_binding_of(world: &World<'_>, place: Place, rights: &Answers, role: u32) -> bool {
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
}
