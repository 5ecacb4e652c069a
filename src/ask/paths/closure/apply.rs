//! Uncertain steps by what is created: an apply under a name that rules allow, and a bootstrap token.

use super::super::checks::{APPLIED, Check, OF_APPLIES};
use super::super::identities::{Class, Held, Identities, Other, Username};
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, FIRST, Place, World};
use super::beyond::Extra;
use super::{Closure, Fact};
use crate::model::names::Name;

/// What groups begin with in which bootstrap tokens put whoever holds them.
const BOOTSTRAPPERS: &str = "system:bootstrappers";

impl Closure {
    /// An apply of what is not there is a patch and a creation, both checked with the name; so rules for a name suffice.
    pub(super) fn by_apply(&mut self, world: &World<'_>, identities: &Identities) {
        for index in 0..self.classes.len() {
            let Some(class) = self.classes.get(index).copied() else { break };
            if identities.held(class).is_some_and(Held::applies) {
                for place in places_to_apply(world, identities, class) {
                    self.apply_in(world, identities, class, place);
                }
            }
        }
    }

    fn apply_in(&mut self, world: &World<'_>, identities: &Identities, class: Class, place: Place) {
        let rights = self.rights(world, identities, class, place);
        let namespaces = if place < FIRST { world.every() } else { place..place + 1 };
        for (create, patch, kind) in APPLIED {
            let step = if create == Check::ApplySecrets { Step::MintTokenSecret } else { Step::ApplyCreate };
            let names = rights.names_of(create).filter(|name| *name != Name::EMPTY);
            let Some(name) = names.filter(|name| rights.allows(patch, *name)).min() else { continue };
            let text = world.policy().names.text(name);
            for namespace in namespaces.clone() {
                let accounts = world.space(namespace).map_or(&[][..], |space| &space.accounts);
                let at = if place == CLUSTER || place == EVERY { namespace } else { place };
                for account in accounts {
                    if !world.accounts.get(*account as usize).is_some_and(|own| own.exists) {
                        continue;
                    }
                    self.give_beyond(Fact::Account(*account), step, || {
                        let home = world.namespace(namespace);
                        let condition = format!("namespace {home} has no {kind} named {text} yet");
                        let mut extra =
                            Extra::of(step, condition).asking(create, name, at).asking(patch, name, at);
                        extra.object = format!("{kind} {home}/{text}");
                        extra
                    });
                }
            }
        }
    }

    /// A Secret of `kube-system` that is a bootstrap token.
    pub(super) fn bootstrap(&mut self, world: &World<'_>, identities: &mut Identities) {
        if self.bits(world.kube_system) & Check::CreateSecrets.bit() == 0 {
            return;
        }
        let names = &world.policy().names;
        let is_theirs = |group: &Name| names.text(*group).starts_with(BOOTSTRAPPERS);
        let groups: Vec<Name> = world.groups.iter().copied().filter(is_theirs).collect();
        if groups.is_empty() {
            return;
        }
        let groups = identities.groups(&groups);
        let other = Other { username: Username::User(Name::UNKNOWN), groups };
        let number = identities.other(world, &other);
        self.give_beyond(Fact::Other(number), Step::BootstrapToken, || {
            let condition = "the API server accepts bootstrap tokens, which nobody knows of EKS";
            Extra::of(Step::BootstrapToken, condition).asking(
                Check::CreateSecrets,
                Name::UNKNOWN,
                world.kube_system,
            )
        });
    }
}

/// Where a class holds rules for names that an apply takes.
fn places_to_apply(world: &World<'_>, identities: &Identities, class: Class) -> Vec<Place> {
    let own = identities.all_held(class).map(|pair| identities.pair_at(pair));
    let answers = |role: u32| world.answers(role).map_or(0, |own| own.named_bits);
    let mut places: Vec<Place> =
        own.filter(|(role, _)| answers(*role) & OF_APPLIES != 0).map(|(_, place)| place).collect();
    places.sort_unstable();
    places.dedup();
    places
}
