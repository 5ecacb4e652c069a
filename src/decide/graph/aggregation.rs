//! ClusterRole aggregation, as the controller in a cluster would leave the stored rules.
//!
//! Follows `clusterroleaggregation.syncClusterRole` for every ClusterRole by name, repeated until nothing changes: selectors in order; per
//! selector the matching ClusterRoles by name, the role itself left out; a rule is taken in unless an equal one is
//! there. The result replaces the role's own rules, unless it is empty (a server-side apply of nothing leaves
//! rules that somebody else wrote).

use rustc_hash::{FxHashMap, FxHashSet};

use super::Via;
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Operator, Requirement, Role, RuleId, Scope};

/// Whether a label selector matches labels, as `LabelSelectorAsSelector` has it.
pub(crate) fn selects(selector: &[Requirement], labels: &[(Name, Name)]) -> bool {
    selector.iter().all(|requirement| {
        let value = labels.iter().find(|(key, _)| *key == requirement.key).map(|(_, value)| *value);
        let listed = value.is_some_and(|value| requirement.values.contains(&value));
        match requirement.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    })
}

/// A rule in force: its number among the placed rules, and how it came in.
type InForce = Vec<(u32, Via)>;

/// The edges from every role to its rules in force, sorted.
pub(super) fn role_edges(policy: &Policy, first_rule: u32) -> Vec<(u32, u32, Via)> {
    let aggregated = fixed_point(policy);
    let mut edges = Vec::with_capacity(policy.placed_rules.len());
    let mut next = aggregated.iter().peekable();
    for (role, vertex) in policy.roles.iter().zip(0u32..) {
        if let Some((_, rules)) = next.next_if(|(index, _)| *index == vertex) {
            let from = edges.len();
            edges.extend(rules.iter().map(|(rule, via)| (vertex, first_rule + rule, *via)));
            if let Some(added) = edges.get_mut(from..) {
                added.sort_unstable_by_key(|(_, rule, _)| *rule);
            }
        } else {
            edges
                .extend((role.rules.start..role.rules.end).map(|rule| (vertex, first_rule + rule, Via::Own)));
        }
    }
    edges
}

/// The rules in force of every ClusterRole with an aggregation rule, by the number of the role.
fn fixed_point(policy: &Policy) -> Vec<(u32, InForce)> {
    // No selector sees an access policy, which is no object of the cluster.
    let is_cluster_role = |role: &Role| role.scope == Scope::Cluster && !policy.is_access_policy(role);
    let mut by_name: Vec<(u32, &Role)> =
        (0u32..).zip(&policy.roles).filter(|(_, role)| is_cluster_role(role)).collect();
    by_name.sort_by_key(|(_, role)| policy.names.text(role.name));

    // Labels alone decide which role aggregates which; only the rules take several rounds.
    let mut takers: Vec<(u32, Vec<(u32, u32)>)> = Vec::new();
    for (index, role) in &by_name {
        let (index, Some(selectors)) = (*index, &role.aggregation) else { continue };
        let mut sources = Vec::new();
        for (number, selector) in (0u32..).zip(selectors) {
            for (from, source) in &by_name {
                if *from != index && selects(selector, &source.labels) {
                    sources.push((*from, number));
                }
            }
        }
        takers.push((index, sources));
    }

    let own = |index: u32| -> InForce {
        let span = policy.roles.get(index as usize).map(|role| role.rules).unwrap_or_default();
        (span.start..span.end).map(|rule| (rule, Via::Own)).collect()
    };
    let mut in_force: Vec<(u32, InForce)> = takers.iter().map(|(index, _)| (*index, own(*index))).collect();
    let id = |rule: u32| policy.placed_rules.get(rule as usize).map(|placed| placed.rule);
    let ids = |rules: &InForce| rules.iter().filter_map(|(rule, _)| id(*rule)).collect::<Vec<RuleId>>();
    let number: FxHashMap<u32, usize> = takers.iter().map(|(index, _)| *index).zip(0..).collect();
    // A rule needs one round for every role on its way, and written rules one to give way. The bound only
    // matters where roles take from each other in a circle and the order of rules would never settle.
    for _ in 0..takers.len() * 2 + 2 {
        let mut changed = false;
        for (taker, (_, sources)) in (0usize..).zip(&takers) {
            let mut taken: InForce = Vec::new();
            let mut there: FxHashSet<RuleId> = FxHashSet::default();
            for (from, selector) in sources {
                let via = Via::Aggregated { from: *from, selector: *selector };
                let known = number.get(from).and_then(|at| in_force.get(*at));
                let stored;
                let rules = if let Some((_, rules)) = known {
                    rules
                } else {
                    stored = own(*from);
                    &stored
                };
                for (rule, _) in rules {
                    if id(*rule).is_some_and(|id| there.insert(id)) {
                        taken.push((*rule, via));
                    }
                }
            }
            keep_first_ways(&mut taken, taker, &in_force, &number, &id);
            let Some((_, before)) = in_force.get_mut(taker) else { continue };
            if !taken.is_empty() && ids(&taken) != ids(before) {
                *before = taken;
                changed = true;
            } else if !taken.is_empty() {
                *before = taken;
            }
        }
        if !changed {
            break;
        }
    }
    in_force.sort_unstable_by_key(|(index, _)| *index);
    in_force
}

/// Leaves rules that were there before as they first came in, as long as they still could: where roles take from each
/// other, the latest way would lead in a circle and never to the role in which the rule stands.
fn keep_first_ways(
    taken: &mut InForce,
    taker: usize,
    in_force: &[(u32, InForce)],
    number: &FxHashMap<u32, usize>,
    id: &dyn Fn(u32) -> Option<RuleId>,
) {
    let rules_of = |role: u32| number.get(&role).and_then(|at| in_force.get(*at)).map(|(_, rules)| rules);
    let before = in_force.get(taker).map_or(&[][..], |(_, rules)| rules);
    let first: FxHashMap<RuleId, (u32, Via)> =
        before.iter().filter_map(|entry| Some((id(entry.0)?, *entry))).collect();
    for entry in taken {
        let Some((rule, via @ Via::Aggregated { from, .. })) = id(entry.0).and_then(|id| first.get(&id))
        else {
            continue;
        };
        // A role that takes nothing itself never loses a rule.
        if rules_of(*from).is_none_or(|rules| rules.iter().any(|(known, _)| known == rule)) {
            *entry = (*rule, *via);
        }
    }
}
