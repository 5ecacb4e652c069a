//! Who can for some names of objects only: what rules with `resourceNames` grant.

use std::collections::BTreeSet;

use super::bound::SubjectUsers;
use super::{GrantRef, Named, SubjectNamespaces};
use crate::ask::can_i;
use crate::ask::question::{Made, Question};
use crate::decide::answer::{Answer, NearMiss};
use crate::decide::cluster::{Cluster, Who};
use crate::model::ternary::Ternary;

/// Where a subject can for some names of objects, besides the namespaces in which it can for any.
pub(super) fn in_namespaces_by_name<'g>(
    cluster: &'g Cluster,
    question: &Question,
    named: &Named,
    besides: &[&str],
    mut limited: Vec<GrantRef<'g>>,
) -> Option<SubjectNamespaces<'g>> {
    let names = &cluster.graph().policy().names;
    let namespace_of = |grant: &GrantRef<'g>| names.text(grant.applied.binding.scope.namespace());
    let users = SubjectUsers::of(cluster, named);
    let (mut namespaces, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    let all: BTreeSet<&str> = limited.iter().map(namespace_of).collect();
    for namespace in all.into_iter().filter(|namespace| !besides.contains(namespace)) {
        for name in names_of(cluster, &limited, Some(namespace)) {
            if users.can(cluster, &question.named(name), Some(namespace)) {
                namespaces.insert(namespace);
                allowed.insert(name.to_owned());
            }
        }
    }
    limited.retain(|grant| namespaces.contains(namespace_of(grant)));
    (!namespaces.is_empty()).then(|| SubjectNamespaces {
        subject: named.clone(),
        namespaces: namespaces.into_iter().collect(),
        grants: limited,
        names: Some(allowed.into_iter().collect()),
    })
}

/// The names of objects for which grants hold that are limited, in one namespace or in all.
pub(super) fn names_of<'g>(
    cluster: &'g Cluster,
    limited: &[GrantRef<'g>],
    namespace: Option<&str>,
) -> BTreeSet<&'g str> {
    let names = &cluster.graph().policy().names;
    let mut found = BTreeSet::new();
    for grant in limited {
        let own = names.text(grant.applied.binding.scope.namespace());
        if namespace.is_some_and(|namespace| namespace != own) {
            continue;
        }
        let Some(rule) = cluster.graph().granted_rule(&grant.applied, grant.rule as usize) else { continue };
        // A RoleBinding of the rights to a Namespace itself holds for the one that it is in.
        if rule.rule.resource_names.is_empty() {
            found.insert(own);
        }
        found.extend(rule.rule.resource_names.iter().map(|name| names.text(*name)));
    }
    found.remove("");
    found
}

/// The names of objects for which an identity can, where it cannot for any: those that rules which apply to it spell.
pub(super) fn names_for<'g>(
    cluster: &'g Cluster,
    question: &Question,
    who: &Who,
    answers: &[Answer<'g>],
    moved: Option<&str>,
) -> Vec<String> {
    let graph = cluster.graph();
    let names = &graph.policy().names;
    let mut candidates: BTreeSet<&str> = BTreeSet::new();
    for near in answers.iter().flat_map(|answer| &answer.near) {
        match near {
            NearMiss::OnlyNames(grant) => {
                candidates.extend(grant.rule.rule.resource_names.iter().map(|name| names.text(*name)));
            }
            _ if question.parts.iter().any(|part| part.made == Made::InsideObject) => {
                if let Some(user) = who.certain() {
                    let asker = graph.asker(&user);
                    let scopes = asker.principals().iter().flat_map(|one| graph.scopes_of(*one));
                    candidates.extend(scopes.map(|scope| names.text(scope.namespace())));
                }
            }
            _ => {}
        }
    }
    candidates.remove("");
    let may = |name: &&str| can_i::ternary(cluster, who, &question.named(name), moved) == Ternary::Yes;
    candidates.into_iter().filter(may).map(str::to_owned).collect()
}

/// The names of objects for which somebody can in a namespace, where a question lacks the name; none where it can for
/// any or for none.
pub fn names_allowed(cluster: &Cluster, question: &Question, who: &Who, namespace: &str) -> Vec<String> {
    if !question.lacks_name() {
        return Vec::new();
    }
    let answers = question.answer(cluster, who, Some(namespace)).1;
    names_for(cluster, question, who, &answers, Some(namespace))
}
