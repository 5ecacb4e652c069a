//! The picture of access as data: which bindings lead from somebody to which rules, equal ones in bundles.

use std::collections::{BTreeMap, BTreeSet};

use crate::ask::can_i::Answered;
use crate::ask::matrix::Holder;
use crate::decide::cluster::Cluster;
use crate::decide::evaluate::Grant;
use crate::decide::graph::{Applied, Principal, RbacGraph, RoleRule};
use crate::model::names::Name;
use crate::model::rbac::{RuleId, Subject};
use crate::model::user::SYSTEM_AUTHENTICATED;

/// A binding with the rules that are looked at.
#[derive(Clone, Debug)]
struct Item<'g> {
    applied: Applied<'g>,
    principals: BTreeSet<Principal>,
    rules: Vec<RoleRule<'g>>,
    requests: BTreeSet<usize>,
}

/// Bindings of the same principals to roles with the same rules.
#[derive(Clone, Debug)]
pub struct Bundle<'g> {
    /// Through which usernames and groups they apply.
    pub principals: Vec<Principal>,
    /// The bindings, in order.
    pub applied: Vec<Applied<'g>>,
    /// The rules of one of their roles; of the roles that everybody has by default, of all of them.
    pub rules: Vec<RoleRule<'g>>,
    /// The requests that these rules allow, by their numbers; empty for the picture of all access.
    pub requests: Vec<usize>,
}

/// All that bindings give to somebody; in one namespace if one is given.
pub fn of_access<'g>(cluster: &'g Cluster, holder: &Holder, namespace: Option<&str>) -> Vec<Bundle<'g>> {
    let graph = cluster.graph();
    let counting: Option<BTreeSet<u32>> = namespace.map(|namespace| {
        let (grants, missing) = graph.rules_for(holder.asker(), namespace);
        let applied = grants.iter().map(|grant| &grant.applied).chain(&missing);
        applied.map(Applied::order).collect()
    });
    let mut items: BTreeMap<u32, Item<'g>> = BTreeMap::new();
    for principal in holder.principals() {
        for scope in graph.scopes_of(*principal) {
            for applied in graph.bindings_of(*principal, scope) {
                if counting.as_ref().is_some_and(|counting| !counting.contains(&applied.order())) {
                    continue;
                }
                let item = items.entry(applied.order()).or_insert_with(|| Item {
                    applied,
                    principals: BTreeSet::new(),
                    rules: graph.granted_rules(&applied).collect(),
                    requests: BTreeSet::new(),
                });
                item.principals.insert(*principal);
            }
        }
    }
    bundled(graph, items)
}

/// The bindings and rules that allow what was asked.
pub fn of_answer<'g>(cluster: &'g Cluster, answered: &Answered<'g>) -> Vec<Bundle<'g>> {
    let graph = cluster.graph();
    let mut items: BTreeMap<u32, Item<'g>> = BTreeMap::new();
    for (answer, number) in answered.answers.iter().zip(0usize..) {
        for grant in &answer.grants {
            let item = items.entry(grant.applied.order()).or_insert_with(|| Item {
                applied: grant.applied,
                principals: BTreeSet::new(),
                rules: Vec::new(),
                requests: BTreeSet::new(),
            });
            item.principals.extend(principal(graph, grant));
            item.requests.insert(number);
            let is_same = |own: &RoleRule<'_>| {
                own.placed.rule == grant.rule.placed.rule && own.position == grant.rule.position
            };
            if !item.rules.iter().any(is_same) {
                item.rules.push(grant.rule);
            }
        }
    }
    bundled(graph, items)
}

/// Whom a grant names.
fn principal(graph: &RbacGraph, grant: &Grant<'_>) -> Option<Principal> {
    let policy = graph.policy();
    let placed = policy.subjects_of(grant.applied.binding).get(grant.subject)?;
    Some(match placed.subject {
        Subject::User(name) => Principal::Username(name),
        Subject::Group(name) => Principal::Group(name),
        Subject::Caller(arn) => Principal::Caller(arn),
        Subject::ServiceAccount { namespace, name } => {
            let text = |name| policy.names.text(name);
            let username = format!("system:serviceaccount:{}:{}", text(namespace), text(name));
            Principal::Username(policy.names.lookup(&username))
        }
    })
}

/// Whether bindings give everybody roles of Kubernetes itself, such as `system:discovery`.
pub fn is_everybodys(graph: &RbacGraph, bundle: &Bundle<'_>) -> bool {
    gives_everybody(graph, bundle.principals.iter(), bundle.applied.iter())
}

fn gives_everybody<'g>(
    graph: &RbacGraph,
    mut principals: impl Iterator<Item = &'g Principal>,
    mut applied: impl Iterator<Item = &'g Applied<'g>>,
) -> bool {
    let names = &graph.policy().names;
    let is_all = |principal: &Principal| matches!(principal, Principal::Group(name) if names.text(*name) == SYSTEM_AUTHENTICATED);
    principals.all(is_all)
        && applied.all(|applied| {
            applied.role.is_some() && names.text(applied.binding.role_ref.name).starts_with("system:")
        })
}

/// What makes bindings equal: whom they name, the rules, the role where it is missing, and what they allow.
type Key = (bool, BTreeSet<Principal>, Vec<RuleId>, Option<Name>, BTreeSet<usize>);

fn bundled<'g>(graph: &'g RbacGraph, items: BTreeMap<u32, Item<'g>>) -> Vec<Bundle<'g>> {
    let mut bundles: BTreeMap<Key, Bundle<'g>> = BTreeMap::new();
    for item in items.into_values() {
        let is_everybodys = item.requests.is_empty()
            && gives_everybody(graph, item.principals.iter(), std::iter::once(&item.applied));
        let mut rules: Vec<RuleId> = Vec::new();
        if !is_everybodys {
            rules.extend(item.rules.iter().map(|rule| rule.placed.rule));
            rules.sort_unstable();
            rules.dedup();
        }
        // Roles without a rule in the inputs have nothing in common but that.
        let named = rules.is_empty() && !is_everybodys;
        let missing = named.then_some(item.applied.binding.role_ref.name);
        let key = (is_everybodys, item.principals.clone(), rules, missing, item.requests.clone());
        if let Some(bundle) = bundles.get_mut(&key) {
            bundle.applied.push(item.applied);
            if is_everybodys {
                bundle.rules.extend(item.rules);
            }
            continue;
        }
        let bundle = Bundle {
            principals: item.principals.into_iter().collect(),
            applied: vec![item.applied],
            rules: item.rules,
            requests: item.requests.into_iter().collect(),
        };
        bundles.insert(key, bundle);
    }
    let mut bundles: Vec<Bundle<'g>> = bundles.into_values().collect();
    bundles.sort_by_key(|bundle| bundle.applied.first().map(Applied::order));
    bundles
}
