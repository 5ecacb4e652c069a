//! Who can do something: the subjects that bindings name, and the IAM identities behind them.
//!
//! For one request it follows `SubjectAccessEvaluator.AllowedSubjects`: Group `system:masters` first, then the
//! subjects of every binding in scope whose role has a rule that allows it. Unlike upstream, each subject comes
//! once, with every grant. A kubectl operation may need several requests: then each subject is asked as the user
//! it stands for. IAM identities are asked as whole users, with all their groups together.

use rustc_hash::FxHashSet;

use crate::ask::can_i;
use crate::ask::question::{Part, Place, Question};
use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::cluster::{Cluster, Who};
use crate::decide::evaluate::{Asker, Grant};
use crate::model::attributes::Attributes;
use crate::model::rbac::{Scope, Subject};
use crate::model::ternary::Ternary;

mod bound;
mod by_name;
mod found;
mod identities;
mod source_form;

pub use by_name::names_allowed;
pub use found::{
    GrantRef, IdentityAccess, Named, SubjectAccess, SubjectNamespaces, UnresolvedBinding, WhoCan,
};
pub use identities::add_people;
pub(crate) use identities::mapped;

use bound::{Bound, Found, Reach as InScope, SubjectUsers, bound, other_types};
use by_name::{in_namespaces_by_name, names_of};
use identities::identities;

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
