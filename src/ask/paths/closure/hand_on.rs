//! Roles that are changed in this round: whether somebody could have handed them on before.

use rustc_hash::FxHashMap;

use super::super::checks::{Answers, Check};
use super::super::identities::{Identities, Pair};
use super::super::step::Step;
use super::super::world::{EVERY, FIRST, Place, World};
use super::covering::Owner;
use super::write::{IN_NAMESPACES, matters};
use super::{Closure, Fact};

/// What a class can hand on in a place: its rights, whether it creates bindings, and its rules once they are needed.
type Sharer<'c> = (Answers, bool, Option<Owner<'c>>);

impl Closure {
    /// Roles that are changed in this round: whether somebody could have handed them on to everybody.
    pub(super) fn share_changed(&mut self, world: &World<'_>, identities: &mut Identities) {
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
