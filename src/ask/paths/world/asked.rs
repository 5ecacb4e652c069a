//! The request of which it is asked who gets to where it is allowed.

use super::{CLUSTER, EVERY, Place, World};
use crate::model::attributes::Attributes;
use crate::model::policy::position;

/// A request of which it is asked who gets to where it is allowed.
#[derive(Clone, Debug, Default)]
pub(in crate::ask::paths) struct Asked {
    /// Per role whether it allows it.
    roles: Vec<bool>,
    /// The namespace in which it is asked, if in one.
    place: Option<Place>,
}

impl Asked {
    pub(in crate::ask::paths) fn is_allowed_by(&self, role: u32) -> bool {
        self.roles.get(role as usize).is_some_and(|allows| *allows)
    }

    /// Whether what holds in a place counts where it is asked.
    pub(in crate::ask::paths) fn counts_in(&self, place: Place) -> bool {
        place == CLUSTER || self.place.is_some_and(|own| own == place || place == EVERY)
    }
}

impl World<'_> {
    /// Sets the request of which it is asked who gets to where it is allowed.
    pub(in crate::ask::paths) fn ask(&mut self, attributes: &Attributes<'_>) {
        let graph = self.cluster.graph();
        let policy = graph.policy();
        let request = graph.lexicon.request(&policy.names, attributes);
        let allows = |role: u32| {
            graph.rules_of_number(role).any(|rule| graph.lexicon.allows(policy, rule.placed.rule, &request))
        };
        let roles = (0..position(policy.roles.len())).map(allows).collect();
        let place = match attributes {
            Attributes::Resource(own) => self.places.get(own.namespace).copied(),
            Attributes::NonResource(_) => None,
        };
        self.asked = Asked { roles, place };
    }
}
