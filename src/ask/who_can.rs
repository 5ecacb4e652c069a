//! Who can do something: the subjects that bindings name, and the IAM identities behind them.
//!
//! For one request it follows `SubjectAccessEvaluator.AllowedSubjects`: Group `system:masters` first, then the
//! subjects of every binding in scope whose role has a rule that allows it. Unlike upstream, each subject comes
//! once, with every grant. A kubectl operation may need several requests: then each subject is asked as the user
//! it stands for. IAM identities are asked as whole users, with all their groups together.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ask::can_i;
use crate::ask::eks_doors::{self};
use crate::ask::people::People;
use crate::ask::question::{Made, Part, Place, Question};
use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::evaluate::{Asker, Grant};
use crate::identity::iam::Lenses;
use crate::identity::{IdentityDoubt, IdentityError, MappingKind, Reach};
use crate::model::attributes::Attributes;
use crate::model::rbac::{Scope, Subject};
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_AUTHENTICATED, UserInfo};

mod bound;
mod found;
mod source_form;

pub use found::{
    GrantRef, IdentityAccess, Named, SubjectAccess, SubjectNamespaces, UnresolvedBinding, WhoCan,
};

use bound::{Bound, Found, Reach as InScope, SubjectUsers, bound, other_types};

impl Question {
    /// Whether the answer for somebody is yes, without the reasons.
    ///
    /// Requests combine by "and", "or" and "all the same", so whether the whole is a yes hangs on
    /// which parts are one, and not on what the others are.
    fn is_yes(&self, cluster: &Cluster, asker: &Asker, moved: Option<&str>) -> bool {
        let allows = |part: &Part| part.decides && cluster.is_allowed(asker, &part.attributes(moved));
        if let Some(only) = self.single() {
            return allows(only);
        }
        let answers: Vec<Ternary> = self.parts.iter().map(|part| allows(part).into()).collect();
        self.combine(&answers).is_yes()
    }

    /// The answer for somebody, with the answer to every request that decides.
    fn answer<'g>(&self, cluster: &'g Cluster, who: &Who, moved: Option<&str>) -> (Ternary, Vec<Answer<'g>>) {
        let answered = can_i::answer(cluster, who, self, moved);
        let deciding = self.parts.iter().zip(answered.answers).filter(|(part, _)| part.decides);
        (answered.ternary, deciding.map(|(_, answer)| answer).collect())
    }
}

/// Finds everyone who can; of a question about all namespaces at once also who can in single ones.
pub fn who_can<'g>(cluster: &'g Cluster, question: &Question) -> WhoCan<'g> {
    let mut who_can = certain(cluster, question);
    source_form::add(cluster, question, &mut who_can);
    close_out_anonymous(cluster, question, &mut who_can);
    identities(cluster, question, question.place == Place::AllNamespaces, &mut who_can);
    who_can
}

/// The subjects that can by what is certain.
fn certain<'g>(cluster: &'g Cluster, question: &Question) -> WhoCan<'g> {
    let all_namespaces = question.place == Place::AllNamespaces;
    let mut who_can = WhoCan {
        subjects: Vec::new(),
        in_namespaces: Vec::new(),
        identities: Vec::new(),
        identities_in: Vec::new(),
        unknown_identities: Vec::new(),
        unresolved: Vec::new(),
        unknown_subjects: Vec::new(),
        in_source_form: Vec::new(),
        accounts: Vec::new(),
        unread: cluster.coverage().unread_for_anybody().map(|unread| unread.source).collect(),
        nothing_read: cluster.coverage().nothing_read,
        lacks_entries: cluster.identities().may_lack_entries(),
        closed_out: Vec::new(),
        eks_doors: Vec::new(),
    };
    let Found { bound, unresolved } = bound(cluster, question, InScope::AsAsked);
    who_can.unresolved = unresolved;
    let mut masters = SubjectAccess { subject: Named::masters(), grants: Vec::new(), names: None };
    let mut everywhere: FxHashSet<Subject> = FxHashSet::default();
    for Bound { subject, named, grants, limited } in bound {
        let mut can = SubjectAccess { subject: named, grants, names: None };
        if can.subject.is_masters() {
            masters = can;
            continue;
        }
        let users = question.single().is_none().then(|| SubjectUsers::of(cluster, &can.subject));
        let ternary = match &users {
            None if only_in_a_namespace(cluster, question, can.grants.iter().chain(&limited)) => {
                can.grants.extend(limited.iter().copied());
                if can.grants.is_empty() { Ternary::No } else { Ternary::Unknown }
            }
            None => Ternary::from(!can.grants.is_empty()),
            Some(users) => users.answer(cluster, question),
        };
        let names = names_of(cluster, &limited, None);
        if ternary != Ternary::Yes && !names.is_empty() {
            let may = |name: &&str| {
                let users = SubjectUsers::of(cluster, &can.subject);
                users.can(cluster, &question.named(name), None)
            };
            let names: Vec<String> = names.iter().copied().filter(may).map(str::to_owned).collect();
            if !names.is_empty() {
                can.grants.extend(limited);
                can.names = Some(names);
                who_can.subjects.push(can);
                continue;
            }
        }
        match ternary {
            Ternary::Yes => {
                everywhere.insert(subject);
                who_can.subjects.push(can);
            }
            Ternary::Unknown => who_can.unknown_subjects.push(can),
            Ternary::No => {}
        }
    }
    who_can.subjects.insert(0, masters);
    who_can.unknown_subjects.extend(other_types(cluster, question, &everywhere));
    if all_namespaces {
        in_namespaces(cluster, question, &everywhere, &mut who_can);
    }
    who_can
}

/// Whether only RoleBindings grant the one request of a question, whose type may be cluster-scoped.
fn only_in_a_namespace<'a, 'g: 'a>(
    cluster: &Cluster,
    question: &Question,
    mut grants: impl Iterator<Item = &'a GrantRef<'g>>,
) -> bool {
    let Some(part) = question.single() else { return false };
    let Attributes::Resource(asked) = part.request.attributes() else { return false };
    cluster.scope_is_open(&asked) && grants.all(|grant| grant.applied.binding.scope != Scope::Cluster)
}

/// Takes out whoever has no credentials, where EKS lets no such request through.
fn close_out_anonymous(cluster: &Cluster, question: &Question, who_can: &mut WhoCan<'_>) {
    let is_closed = |part: &Part| cluster.refuses_anonymous(&part.attributes(None));
    if !question.deciding().any(is_closed) {
        return;
    }
    let WhoCan { subjects, in_namespaces, unknown_subjects, unresolved, in_source_form, closed_out, .. } =
        who_can;
    let mut stays = |named: &Named| {
        if named.is_anonymous() && !closed_out.contains(named) {
            closed_out.push(named.clone());
        }
        !named.is_anonymous()
    };
    subjects.retain(|can| stays(&can.subject));
    in_namespaces.retain(|can| stays(&can.subject));
    unknown_subjects.retain(|can| !can.subject.is_anonymous());
    in_source_form.retain(|(named, _)| !named.is_anonymous());
    for binding in &mut *unresolved {
        binding.subjects.retain(|named| !named.is_anonymous());
    }
    unresolved.retain(|binding| !binding.subjects.is_empty());
}

/// Who can in single namespaces, besides those who can in all of them at once.
fn in_namespaces<'g>(
    cluster: &'g Cluster,
    question: &Question,
    everywhere: &FxHashSet<Subject>,
    who_can: &mut WhoCan<'g>,
) {
    let names = &cluster.graph().policy().names;
    let Found { bound, unresolved } = bound(cluster, question, InScope::EachNamespace);
    who_can.unresolved.extend(unresolved);
    for Bound { subject, named, mut grants, limited } in bound {
        if named.is_masters() || everywhere.contains(&subject) {
            continue;
        }
        if question.single().is_some_and(|part| {
            matches!(part.attributes(Some("-")), Attributes::Resource(asked) if cluster.scope_is_open(&asked))
        }) {
            grants.extend(limited);
            who_can.unknown_subjects.push(SubjectAccess { subject: named, grants, names: None });
            continue;
        }
        let users = question.single().is_none().then(|| SubjectUsers::of(cluster, &named));
        // The grants come in the order of the namespaces.
        let (mut last, mut kept) = (None, false);
        let mut namespaces = Vec::new();
        grants.retain(|grant| {
            let namespace = grant.applied.binding.scope.namespace();
            if last.replace(namespace) != Some(namespace) {
                let text = names.text(namespace);
                kept = users.as_ref().is_none_or(|users| users.can(cluster, question, Some(text)));
                namespaces.extend(kept.then_some(text));
            }
            kept
        });
        let by_name = if limited.is_empty() {
            None
        } else {
            in_namespaces_by_name(cluster, question, &named, &namespaces, limited)
        };
        if !namespaces.is_empty() {
            grants.shrink_to_fit();
            who_can.in_namespaces.push(SubjectNamespaces { subject: named, namespaces, grants, names: None });
        }
        who_can.in_namespaces.extend(by_name);
    }
}

/// Where a subject can for some names of objects, besides the namespaces in which it can for any.
fn in_namespaces_by_name<'g>(
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
fn names_of<'g>(
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
fn names_for<'g>(
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

/// The IAM identities that can: each is asked as the whole user that it is.
fn identities<'g>(cluster: &'g Cluster, question: &Question, all_namespaces: bool, who_can: &mut WhoCan<'g>) {
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
                crate::decide::graph::Principal::Username(name) => Some(names.text(name)),
                crate::decide::graph::Principal::Group(_) | crate::decide::graph::Principal::Caller(_) => {
                    None
                }
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

/// The grants of an identity: all that allow any of the requests, each once.
pub fn grants_of<'g>(can: &IdentityAccess<'g>) -> Vec<Grant<'g>> {
    let session = |doubt: &Doubt<'g>| match doubt {
        Doubt::Session { grant, .. } | Doubt::RandomMapping(grant) => *grant,
        _ => None,
    };
    let limited = |near: &NearMiss<'g>| match near {
        NearMiss::OnlyNames(grant) if can.names.is_some() => Some(*grant),
        _ => None,
    };
    let mut seen = FxHashSet::default();
    can.answers
        .iter()
        .flat_map(|answer| {
            let grants = answer.grants.iter().copied();
            let of_sessions = answer.doubts.iter().filter_map(session);
            grants.chain(of_sessions).chain(answer.near.iter().filter_map(limited))
        })
        .filter(|grant| {
            let owner = std::ptr::from_ref(grant.rule.owner);
            seen.insert((grant.applied.order(), owner, grant.rule.position))
        })
        .collect()
}
