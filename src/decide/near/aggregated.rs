//! What an aggregated role nearly holds: rules of its own, which are replaced, and ClusterRoles that its selectors
//! nearly select.

use crate::decide::evaluate::Asker;
use crate::decide::evaluate::matches::Request;
use crate::decide::graph::{Applied, RbacGraph, RoleRule, selects};
use crate::model::attributes::Attributes;
use crate::model::names::Name;
use crate::model::policy::position;
use crate::model::rbac::{Operator, Requirement, Role, Scope};

use super::NearMiss;
use super::slip::is_similar;

impl RbacGraph {
    /// The near misses of the aggregated roles that are granted to somebody.
    pub(super) fn nearly_aggregated<'g>(
        &'g self,
        asker: &Asker,
        attributes: &Attributes<'_>,
    ) -> Vec<NearMiss<'g>> {
        let names = &self.policy().names;
        let request = self.lexicon.request(names, attributes);
        let here = (request.namespace != Name::EMPTY).then_some(Scope::Namespace(request.namespace));
        let mut near = Vec::new();
        let mut seen: Vec<u32> = Vec::new();
        for scope in std::iter::once(Scope::Cluster).chain(here) {
            for applied in asker.principals().iter().flat_map(|principal| self.bindings_of(*principal, scope))
            {
                let aggregates = applied.role.is_some_and(|role| role.aggregation.is_some());
                if aggregates && !seen.contains(&applied.order()) {
                    seen.push(applied.order());
                    self.of_aggregated(applied, &request, &mut near);
                }
            }
        }
        near
    }

    fn of_aggregated<'g>(
        &'g self,
        applied: Applied<'g>,
        request: &Request<'_>,
        near: &mut Vec<NearMiss<'g>>,
    ) {
        let policy = self.policy();
        let cluster_roles = || policy.roles.iter().filter(|role| role.scope == Scope::Cluster);
        // The role, and those that it takes from which take from others.
        let mut takers: Vec<&Role> = applied.role.into_iter().collect();
        let mut at = 0;
        while let Some(taker) = takers.get(at).copied() {
            at += 1;
            for role in cluster_roles().filter(|role| role.aggregation.is_some()) {
                let known = takers.iter().any(|known| known.name == role.name);
                if !known && takes(taker, role) {
                    takers.push(role);
                }
            }
        }
        for taker in takers {
            near.extend(self.own_rule(taker, request).map(|rule| NearMiss::ReplacedRule { applied, rule }));
            for from in cluster_roles().filter(|role| role.name != taker.name && !role.labels.is_empty()) {
                if takes(taker, from) {
                    continue;
                }
                let Some(missing) = nearly_selected(taker, from, &|name| policy.names.text(name)) else {
                    continue;
                };
                let mut rules = self.rules_in_force(from);
                let found = rules.find(|rule| self.lexicon.allows(policy, rule.placed.rule, request));
                near.extend(found.map(|rule| NearMiss::NotAggregated {
                    applied,
                    into: taker,
                    from,
                    rule,
                    missing,
                }));
            }
        }
    }

    /// A rule that stands in an aggregated role itself and would allow a request.
    fn own_rule<'g>(&'g self, role: &'g Role, request: &Request<'_>) -> Option<RoleRule<'g>> {
        let policy = self.policy();
        let own = policy.rules_of(role).iter().zip(0usize..);
        own.filter(|(placed, _)| self.lexicon.allows(policy, placed.rule, request))
            .map(|(placed, number)| RoleRule {
                rule: policy.rules.get(placed.rule),
                placed: *placed,
                owner: role,
                position: position(number),
            })
            .next()
    }
}

fn takes(taker: &Role, from: &Role) -> bool {
    taker.aggregation.iter().flatten().any(|selector| selects(selector, &from.labels))
}

/// The first requirement that keeps a role out of an aggregation into which its other labels nearly bring it.
fn nearly_selected<'g, 't>(
    taker: &'g Role,
    from: &Role,
    text: &dyn Fn(Name) -> &'t str,
) -> Option<&'g Requirement> {
    taker.aggregation.iter().flatten().find_map(|selector| {
        let holds = |requirement: &Requirement| selects(std::slice::from_ref(requirement), &from.labels);
        let (met, unmet): (Vec<_>, Vec<_>) = selector.iter().partition(|requirement| holds(requirement));
        let nearly = |requirement: &&&Requirement| {
            requirement.operator == Operator::In
                && from.labels.iter().any(|(key, _)| {
                    let (key, wanted) = (text(*key), text(requirement.key));
                    key.eq_ignore_ascii_case(wanted) || is_similar(key, wanted)
                })
        };
        if met.iter().any(|requirement| requirement.operator == Operator::In) {
            return unmet.first().copied();
        }
        unmet.iter().find(nearly).copied()
    })
}
