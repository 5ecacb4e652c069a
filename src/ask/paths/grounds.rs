//! The rights that the steps of somebody take who acts as another for chosen requests: the choice, and the other's right.

use super::Search;
use super::checks::OF_ROLES;
use super::closure::Fact;
use super::closure::trace::Way;
use super::identities::Username;
use super::restricted::is_made;
use super::tell::{Ground, Traced};
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::user::UserInfo;

impl Search<'_> {
    /// Whether somebody acts as another for chosen requests alone.
    pub(super) fn is_restricted(&self, fact: Fact) -> bool {
        let Fact::Other(number) = fact else { return false };
        let other = self.identities.others.get(number as usize);
        other.is_some_and(|(other, _)| matches!(other.username, Username::Restricted(_)))
    }
}

impl<'c> Traced<'_, 'c> {
    /// The rights of a way: where somebody acts as another for chosen requests, the choice and the right of the other.
    pub(super) fn grounds(&self, way: &Way) -> Vec<Ground<'c>> {
        let own = |way: &Way| vec![self.ground(way)];
        let search = self.search;
        let (role, _) = search.identities.pair_at(way.pair);
        let Some(closure) = self.closure.as_ref().filter(|_| is_made(role)) else { return own(way) };
        let Some(fact) = closure.found.get(way.who as usize).and_then(|found| found.fact) else {
            return own(way);
        };
        let (Fact::Other(number), Some(other)) = (fact, search.user_of(fact)) else { return own(way) };
        let identity = search.identities.others.get(number as usize).map(|(other, _)| other.username);
        let Some(Username::Restricted(number)) = identity else { return own(way) };
        let Some(mode) = search.identities.restricted.get(number as usize).map(|own| own.mode) else {
            return own(way);
        };
        let by = closure.extras.get(&fact).and_then(|extra| extra.by);
        let by = by.and_then(|class| self.user(closure.first_of.get(class)));
        let graph = search.world.cluster.graph();
        let names = &search.world.policy().names;
        let namespace = search.world.namespace(way.place);
        let name = if way.name == Name::UNKNOWN { "" } else { names.text(way.name) };
        let ask = |user: &Option<UserInfo>, verb: &str, group: &str, whole: &str| {
            let (resource, subresource) = whole.split_once('/').unwrap_or((whole, ""));
            let asked = ResourceAttributes { verb, group, resource, subresource, name, namespace };
            let asked = Attributes::Resource(asked);
            let grants = user.as_ref().map(|user| graph.grants(&graph.asker(user), &asked));
            let grant = grants.and_then(|grants| grants.allowing.into_iter().next());
            Ground { asked: asked.to_string(), grant, role: None, is_changed: false }
        };
        let (verbs, resources) = way.check.asked(search.world.cluster.version());
        let other = Some(other);
        let mut first: Option<Vec<Ground<'c>>> = None;
        for (group, resource) in resources {
            for verb in verbs {
                let itself = ask(&other, verb, group, resource);
                if OF_ROLES & way.check.bit() != 0 {
                    return vec![itself];
                }
                let chosen = ask(&by, &mode.verb(verb), group, resource);
                let is_it = itself.grant.is_some() && chosen.grant.is_some();
                let both = vec![chosen, itself];
                if is_it {
                    return both;
                }
                first.get_or_insert(both);
            }
        }
        first.unwrap_or_else(|| own(way))
    }
}
