//! Steps that take several rights of one identity: what gave it each of them.

use super::super::checks::Check;
use super::super::identities::{Class, Identities, Username};
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, Place, World};
use super::trace::{Key, Trace, Way};
use super::{Closure, Fact, Round};
use crate::model::names::Name;
use crate::model::rbac::Scope;

impl Closure {
    /// What takes several rights of one identity: what gave each of them.
    pub(super) fn by_one(
        &self,
        world: &World<'_>,
        identities: &Identities,
        trace: &Trace,
        fact: Fact,
        step: Step,
    ) -> (Vec<Way>, String) {
        let (mut ways, mut object) = (Vec::new(), String::new());
        let Some((class, round)) = trace.givers.get(&(fact, step)).copied() else { return (ways, object) };
        let who = self.first_of.get(class);
        let names = &world.policy().names;
        let mut asked: Vec<(Check, Option<Name>, Place)> = Vec::new();
        match fact {
            Fact::Other(_) | Fact::ClusterAdmin => {
                let other = match fact {
                    Fact::Other(number) => identities.others.get(number as usize).map(|(other, _)| other),
                    _ => None,
                };
                if let Some(other) = other {
                    for group in identities.groups_of(other.groups) {
                        asked.push((Check::ImpersonateGroups, Some(*group), CLUSTER));
                    }
                    asked.push(match other.username {
                        Username::User(name) => (Check::ImpersonateUsers, Some(name), CLUSTER),
                        Username::Node(node) => {
                            (Check::ImpersonateUsers, Some(world.node_user(node)), CLUSTER)
                        }
                        Username::Restricted(_) => (Check::ActAsUsers, None, CLUSTER),
                        Username::Account(number) => {
                            let account = world.accounts.get(number as usize);
                            let name = account.map_or(Name::UNKNOWN, |own| names.lookup(own.name));
                            let place = account.map_or(CLUSTER, |own| own.place);
                            (Check::ImpersonateAccounts, Some(name), place)
                        }
                    });
                } else {
                    asked.push((Check::ImpersonateGroups, Some(world.masters), CLUSTER));
                    asked.push(self.username_for(world, identities, (class, who, round)));
                }
            }
            Fact::Grant(pair) => {
                let (role, place) = identities.pair_at(pair);
                let in_cluster = place == CLUSTER;
                let (create, change) = if in_cluster {
                    (Check::CreateClusterBindings, Check::ChangeClusterBindings)
                } else {
                    (Check::CreateBindings, Check::ChangeBindings)
                };
                let (scope, name) = world.role(role).unwrap_or((Scope::Cluster, Name::UNKNOWN));
                let bind = match scope {
                    Scope::Cluster => Check::BindClusterRoles,
                    Scope::Namespace(_) => Check::BindRoles,
                };
                asked.push((if step == Step::ChangeBinding { change } else { create }, None, place));
                if step != Step::ShareRole {
                    asked.push((bind, Some(name), place));
                }
                object = world.show_role(role, place);
            }
            Fact::Changed(role) => {
                let (scope, name) = world.role(role).unwrap_or((Scope::Cluster, Name::UNKNOWN));
                let (change, create, escalate, place) = match scope {
                    Scope::Cluster => (
                        Check::ChangeClusterRoles,
                        Check::CreateClusterRoles,
                        Check::EscalateClusterRoles,
                        CLUSTER,
                    ),
                    Scope::Namespace(_) => {
                        (Check::ChangeRoles, Check::CreateRoles, Check::EscalateRoles, world.home(role))
                    }
                };
                let is_loaded = world.answers(role).is_some();
                asked.push((if is_loaded { change } else { create }, Some(name), place));
                asked.push((escalate, Some(name), place));
                object = world.show_role(role, place);
            }
            Fact::ChangedIn(place) => {
                asked.push((Check::ChangeRoles, None, place));
                asked.push((Check::EscalateRoles, None, place));
            }
            _ => {}
        }
        for (check, name, place) in asked {
            let named =
                |check, name| self.way_of(world, identities, (class, who, round), (check, name, place));
            // Whoever writes one ClusterRole changes by its label those that take rules from others.
            let way = |check| named(check, name).or_else(|| named(check, None));
            // A role is handed on by a new binding, or by one that is there.
            let other = match check {
                Check::CreateBindings => Some(Check::ChangeBindings),
                Check::CreateClusterBindings => Some(Check::ChangeClusterBindings),
                Check::ChangeClusterRoles => Some(Check::CreateClusterRoles),
                _ => None,
            };
            ways.extend(way(check).or_else(|| way(other?)));
        }
        (ways, object)
    }

    /// A username that one identity may impersonate, whosever it is.
    pub(super) fn username_for(
        &self,
        world: &World<'_>,
        identities: &Identities,
        by: (Class, u32, Round),
    ) -> (Check, Option<Name>, Place) {
        let user = world.users.iter().map(|user| (Check::ImpersonateUsers, Some(*user), CLUSTER));
        let names = &world.policy().names;
        let account = world
            .accounts
            .iter()
            .map(|own| (Check::ImpersonateAccounts, Some(names.lookup(own.name)), own.place));
        user.chain(account).find(|asked| self.way_of(world, identities, by, *asked).is_some()).unwrap_or((
            Check::ImpersonateUsers,
            None,
            CLUSTER,
        ))
    }

    /// By what one identity passes a check; with any name that will do where none is given.
    pub(super) fn way_of(
        &self,
        world: &World<'_>,
        identities: &Identities,
        (class, who, asked_in): (Class, u32, Round),
        (check, name, place): (Check, Option<Name>, Place),
    ) -> Option<Way> {
        let mut best: Option<(Key, Way)> = None;
        let own = identities.all_held(class).map(|pair| (pair, false));
        let places = [CLUSTER, EVERY, place];
        let counting = places.iter().filter(|at| **at != EVERY || place != CLUSTER);
        let granted = counting.flat_map(|at| {
            let roles = self.grants_at.get(at).into_iter().flatten();
            roles.filter_map(|role| identities.known_pair(*role, *at))
        });
        let granted =
            granted.filter(|pair| self.grants.get(pair).is_some_and(|grant| grant.round <= asked_in));
        let granted = granted.map(|pair| (pair, true));
        for (pair, is_granted) in own.chain(granted) {
            let (role, at) = identities.pair_at(pair);
            if at != CLUSTER && at != place && !(at == EVERY && place != CLUSTER) {
                continue;
            }
            let passes = world.answers(role).is_some_and(|answers| match name {
                Some(name) => answers.allows(check, name),
                None => (answers.any | answers.named_bits) & check.bit() != 0,
            });
            let changed = self.changed_round(world, role) <= asked_in;
            if !passes && !changed {
                continue;
            }
            let name = name.unwrap_or_else(|| {
                let any = world.answers(role).is_none_or(|answers| answers.any & check.bit() != 0);
                let first = world.answers(role).and_then(|answers| answers.names_of(check).next());
                if any { Name::UNKNOWN } else { first.unwrap_or(Name::UNKNOWN) }
            });
            let way = Way { check, name, place, who, pair, is_granted, is_changed: !passes };
            let key = self.key_of(world, role, &way);
            if best.as_ref().is_none_or(|(other, _)| key < *other) {
                best = Some((key, way));
            }
        }
        best.map(|(_, way)| way)
    }
}
