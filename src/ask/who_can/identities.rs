//! The IAM identities that can, each asked as the whole user that it is, and the people behind them.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::by_name::names_for;
use super::{IdentityAccess, WhoCan};
use crate::ask::can_i;
use crate::ask::eks_doors;
use crate::ask::people::People;
use crate::ask::question::Question;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::graph::Principal;
use crate::identity::iam::Lenses;
use crate::identity::{IdentityDoubt, IdentityError, MappingKind, Reach};
use crate::model::rbac::Scope;
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_AUTHENTICATED, UserInfo};

/// The IAM identities that can: each is asked as the whole user that it is.
pub(super) fn identities<'g>(
    cluster: &'g Cluster,
    question: &Question,
    all_namespaces: bool,
    who_can: &mut WhoCan<'g>,
) {
    let positions: FxHashMap<(bool, String), Vec<usize>> = {
        let mut positions: FxHashMap<(bool, String), Vec<usize>> = FxHashMap::default();
        for (can, index) in who_can.subjects.iter().zip(0usize..) {
            let key = match can.subject.username() {
                Some(username) => (false, username),
                None => (true, can.subject.name.clone()),
            };
            positions.entry(key).or_default().push(index);
        }
        positions
    };
    for (arn, who) in mapped(cluster) {
        // What comes nearest to a "no" is looked for only where it is read.
        let is_refused =
            !question.lacks_name() && can_i::ternary(cluster, &who, question, None) == Ternary::No;
        let (ternary, answers) =
            if is_refused { (Ternary::No, Vec::new()) } else { question.answer(cluster, &who, None) };
        let names = if ternary != Ternary::Yes && question.lacks_name() {
            names_for(cluster, question, &who, &answers, None)
        } else {
            Vec::new()
        };
        if ternary != Ternary::Yes && all_namespaces && names.is_empty() {
            let found = can_in(cluster, question, &arn, &who);
            if !found.is_empty() {
                who_can.identities_in.extend(found);
                if ternary == Ternary::No {
                    continue;
                }
            }
        }
        if ternary == Ternary::No && names.is_empty() {
            continue;
        }
        let mut through = Vec::new();
        if let Some(user) = who.certain() {
            through.extend(positions.get(&(false, user.username.clone())).into_iter().flatten());
            for group in &user.groups {
                through.extend(positions.get(&(true, group.clone())).into_iter().flatten());
            }
        }
        through.sort_unstable();
        through.dedup();
        let names = (!names.is_empty()).then_some(names);
        let by_name = names.is_some();
        let can = IdentityAccess { arn, who, answers, through, names, people: Vec::new() };
        if ternary == Ternary::Yes || by_name {
            who_can.identities.push(can);
        } else {
            who_can.unknown_identities.push(can);
        }
    }
    for identity in cluster.identities().identities() {
        if identity.reach == Reach::Account {
            let anybody = UserInfo::as_given("", [SYSTEM_AUTHENTICATED]);
            if question.answer(cluster, &Who::user(anybody), None).0 == Ternary::Yes {
                who_can.accounts.push(identity.arn.to_owned());
            }
        }
    }
}

/// The namespaces in which an identity can: those in which a binding names it are asked, each.
fn can_in<'g>(
    cluster: &'g Cluster,
    question: &Question,
    arn: &str,
    who: &Who,
) -> Vec<(IdentityAccess<'g>, Vec<&'g str>)> {
    let graph = cluster.graph();
    let Some(user) = who.certain() else { return Vec::new() };
    let asker = graph.asker(&user);
    let scopes = asker.principals().iter().flat_map(|principal| graph.scopes_of(*principal));
    let namespaces: BTreeSet<&str> = scopes
        .filter_map(|scope| match scope {
            Scope::Cluster => None,
            Scope::Namespace(namespace) => Some(graph.policy().names.text(namespace)),
        })
        .collect();
    let nothing = IdentityAccess {
        arn: arn.to_owned(),
        who: who.clone(),
        answers: Vec::new(),
        through: Vec::new(),
        names: None,
        people: Vec::new(),
    };
    let (mut any, mut by_name) = ((nothing.clone(), Vec::new()), (nothing, Vec::new()));
    let mut allowed = BTreeSet::new();
    for namespace in namespaces {
        if question.is_yes(cluster, &asker, Some(namespace)) {
            // Asked as the identity that it is: the server of an add-on may refuse it all the same.
            let (ternary, answers) = question.answer(cluster, who, Some(namespace));
            if ternary == Ternary::Yes {
                any.1.push(namespace);
                any.0.answers.extend(answers);
            }
        } else if question.lacks_name() {
            let answers = question.answer(cluster, who, Some(namespace)).1;
            let names = names_for(cluster, question, who, &answers, Some(namespace));
            if !names.is_empty() {
                by_name.1.push(namespace);
                by_name.0.answers.extend(answers);
                allowed.extend(names);
            }
        }
    }
    by_name.0.names = Some(allowed.into_iter().collect());
    [any, by_name].into_iter().filter(|(_, namespaces)| !namespaces.is_empty()).collect()
}

/// Every caller that the identity mappings let in and the inputs name: the callers of every entry that decides, and
/// the users that bindings name by an ARN of an account in `mapAccounts`; last the mappings whose ARN has an unfilled
/// placeholder, for nobody knows whom they will let in.
pub(crate) fn mapped(cluster: &Cluster) -> Vec<(String, Who)> {
    let mappings = cluster.identities();
    let mut found = Vec::new();
    let mut accounts = false;
    for identity in mappings.identities() {
        match identity.reach {
            Reach::Callers(caller) => {
                let is = match mappings.user_info(&caller) {
                    Ok(mapped) => WhoIs::Mapped(Box::new(mapped)),
                    Err(error) => WhoIs::Error(Box::new(error)),
                };
                found.push((identity.arn.to_owned(), Who { identity: Some(caller), is }));
            }
            Reach::Account => accounts = true,
            _ => {}
        }
    }
    for (arn, mapped) in mappings.unfilled_entries() {
        let error = IdentityError::NotMapped {
            nearest: None,
            unfilled: vec![mapped],
            unrendered: None,
            elsewhere: Vec::new(),
        };
        found.push((arn.to_owned(), Who { identity: None, is: WhoIs::Error(Box::new(error)) }));
    }
    for (principal, mapped, is_certain) in mappings.untold_entries() {
        let is = if is_certain {
            WhoIs::Mapped(Box::new(mapped))
        } else {
            let doubts = vec![IdentityDoubt {
                text: "the inputs do not tell the principal of this access entry, or whether it exists"
                    .to_owned(),
                source: Some(mapped.provenance.source),
            }];
            let nobody = IdentityError::NotMapped {
                nearest: None,
                unfilled: Vec::new(),
                unrendered: None,
                elsewhere: Vec::new(),
            };
            let could_be = vec![Ok(mapped), Err(nobody)];
            WhoIs::Error(Box::new(IdentityError::Unknown { doubts, could_be, is_exhaustive: true }))
        };
        found.push((principal, Who { identity: None, is }));
    }
    if accounts {
        let graph = cluster.graph();
        let names = &graph.policy().names;
        let mut bound: Vec<&str> = graph
            .principals()
            .filter_map(|principal| match principal {
                Principal::Username(name) => Some(names.text(name)),
                Principal::Group(_) | Principal::Caller(_) => None,
            })
            .filter(|name| name.starts_with("arn:"))
            .collect();
        bound.sort_unstable();
        for arn in bound {
            let who = cluster.identify(arn, None);
            let WhoIs::Mapped(mapped) = &who.is else { continue };
            if mapped.provenance.kind == MappingKind::MapAccounts && mapped.username.as_literal() == Some(arn)
            {
                found.push((arn.to_owned(), who));
            }
        }
    }
    found
}

/// Finds the people who can become each of the identities, and those who need not become one.
pub fn add_people(cluster: &Cluster, found: &mut WhoCan<'_>) {
    if cluster.iam().is_empty() {
        return;
    }
    let lenses = Lenses::new(cluster.iam());
    let people = People::new(cluster, &lenses);
    let some = found.identities_in.iter_mut().map(|(identity, _)| identity);
    for identity in found.identities.iter_mut().chain(some).chain(&mut found.unknown_identities) {
        identity.people = people.assumable_by(&identity.arn);
    }
    found.eks_doors = eks_doors::of_cluster(cluster, &people);
}
