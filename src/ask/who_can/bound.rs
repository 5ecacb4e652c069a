//! The subjects of the bindings in scope, and what each is granted, in one pass.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{GrantRef, Named, SubjectAccess, UnresolvedBinding};
use crate::ask::question::{Made, Named as NameGiven, Part, Question, Request};
use crate::decide::cluster::{Cluster, Who};
use crate::decide::evaluate::{Asker, matches};
use crate::decide::graph::RbacGraph;
use crate::model::attributes::Attributes;
use crate::model::rbac::{Authorizer, Scope, Subject};
use crate::model::ternary::Ternary;
use crate::model::user::UserInfo;

/// Which bindings reach the requests of a question.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// As asked: the bindings of the cluster count, and those of the request's own namespace.
    AsAsked,
    /// In each namespace in turn: the bindings of that namespace count, and no others.
    EachNamespace,
}

/// A subject and what the bindings in scope grant to it.
pub(super) struct Bound<'g> {
    pub(super) subject: Subject,
    pub(super) named: Named,
    pub(super) grants: Vec<GrantRef<'g>>,
    /// What is granted for some names of objects only.
    pub(super) limited: Vec<GrantRef<'g>>,
}

/// One request that decides, looked up.
struct Asked<'q> {
    request: matches::Request<'q>,
    part: &'q Part,
}

impl Asked<'_> {
    /// Whether a binding of this scope counts for the request; for a Namespace itself each counts for its own.
    fn is_reached(&self, scope: Scope, place: Reach) -> bool {
        match (scope, place) {
            (Scope::Cluster, place) => place == Reach::AsAsked,
            (Scope::Namespace(_), Reach::AsAsked) if self.part.made == Made::InsideObject => true,
            (Scope::Namespace(namespace), Reach::AsAsked) => namespace == self.request.namespace,
            (Scope::Namespace(namespace), Reach::EachNamespace) => {
                self.part.made == Made::InQuestionsNamespace || namespace == self.request.namespace
            }
        }
    }
}

/// What a rule grants of what is asked.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Nothing,
    /// For some names of objects.
    SomeNames,
    Everything,
}

/// What the bindings in scope come to.
#[derive(Default)]
pub(super) struct Found<'g> {
    /// By kind, namespace and name.
    pub(super) bound: Vec<Bound<'g>>,
    pub(super) unresolved: Vec<UnresolvedBinding<'g>>,
}

/// The subjects of the bindings in scope, found in one pass over the bindings: what a rule allows does not hang on
/// the namespace, so that each namespace need not be asked for itself.
pub(super) fn bound<'g>(cluster: &'g Cluster, question: &Question, place: Reach) -> Found<'g> {
    let graph = cluster.graph();
    let policy = graph.policy();
    let asked: Vec<Asked<'_>> = question
        .deciding()
        .map(|part| Asked { request: graph.lexicon.request(&policy.names, &part.request.attributes()), part })
        .collect();
    let mut found = Found::default();
    let mut numbers: FxHashMap<Subject, usize> = FxHashMap::default();
    for applied in graph.bindings() {
        let scope = applied.binding.scope;
        // Whom access policies name is asked as the identity that it is.
        if applied.binding.authorizer() != Authorizer::Rbac
            || !asked.iter().any(|asked| asked.is_reached(scope, place))
        {
            continue;
        }
        let subjects = policy.subjects_of(applied.binding);
        // What no rule here allows, a rule that the inputs lack may.
        let may_be_granted = match applied.role {
            None => cluster.coverage().could_exist(&applied),
            Some(_) if !RbacGraph::is_unfinished(&applied, cluster.coverage()) => false,
            Some(_) => asked.iter().any(|asked| {
                let allows = |id| graph.lexicon.allows(policy, id, &asked.request);
                asked.is_reached(scope, place)
                    && graph.may_hold_more(&applied, &asked.part.request.attributes(), cluster.coverage())
                    && !graph.rules_granted(&applied).iter().any(|id| allows(*id))
            }),
        };
        if may_be_granted {
            let subjects = subjects.iter().map(|placed| Named::of(policy, placed.subject)).collect();
            found.unresolved.push(UnresolvedBinding { binding: applied, subjects });
        }
        for (id, rule) in graph.rules_granted(&applied).iter().zip(0u32..) {
            let extent_of = |asked: &Asked<'_>| {
                let Asked { request, part } = asked;
                if !asked.is_reached(scope, place) {
                    return Extent::Nothing;
                }
                let lacks_name = part.named == NameGiven::NotGiven;
                let some = lacks_name && graph.lexicon.allows_some(policy, *id, request);
                let all = if lacks_name {
                    some && graph.lexicon.allows(policy, *id, request)
                } else {
                    graph.lexicon.allows(policy, *id, request)
                };
                match (all, some) {
                    // A RoleBinding counts for the one Namespace that it is in.
                    (true, _) if part.made == Made::InsideObject && scope != Scope::Cluster => {
                        Extent::SomeNames
                    }
                    (true, _) => Extent::Everything,
                    (false, true) => Extent::SomeNames,
                    (false, false) => Extent::Nothing,
                }
            };
            let extent = asked.iter().map(extent_of).max().unwrap_or(Extent::Nothing);
            if extent == Extent::Nothing {
                continue;
            }
            for (placed, subject) in subjects.iter().zip(0u32..) {
                let number = *numbers.entry(placed.subject).or_insert_with(|| {
                    let named = Named::of(policy, placed.subject);
                    found.bound.push(Bound {
                        subject: placed.subject,
                        named,
                        grants: Vec::new(),
                        limited: Vec::new(),
                    });
                    found.bound.len() - 1
                });
                let Some(Bound { grants, limited, .. }) = found.bound.get_mut(number) else { continue };
                let grants = if extent == Extent::Everything { grants } else { limited };
                // A binding may name somebody twice; its grants stand together at the end.
                let mut of_this =
                    grants.iter().rev().take_while(|grant| grant.applied.order() == applied.order());
                if !of_this.any(|grant| grant.rule == rule) {
                    grants.push(GrantRef { applied, subject, rule });
                }
            }
        }
    }
    found.bound.sort_by(|one, other| one.named.cmp(&other.named));
    found
}

/// An unknown type may really be another one that rules mention: who can with that is unknown, unless it
/// certainly can.
pub(super) fn other_types<'g>(
    cluster: &'g Cluster,
    question: &Question,
    certain: &FxHashSet<Subject>,
) -> Vec<SubjectAccess<'g>> {
    let Some(part) = question.single() else { return Vec::new() };
    let Attributes::Resource(asked) = part.request.attributes() else { return Vec::new() };
    let mut unknown_subjects: BTreeMap<Named, Vec<GrantRef<'g>>> = BTreeMap::new();
    for (group, resource) in cluster.possible_types(asked.group, asked.resource) {
        let other = Request::from(Attributes::Resource(cluster.as_type(&asked, group, &resource)));
        for Bound { subject, named, grants, .. } in
            bound(cluster, &Question::of_request(other), Reach::AsAsked).bound
        {
            if !named.is_masters() && !certain.contains(&subject) {
                unknown_subjects.entry(named).or_default().extend(grants);
            }
        }
    }
    unknown_subjects
        .into_iter()
        .map(|(subject, grants)| SubjectAccess { subject, grants, names: None })
        .collect()
}

/// A subject as users who can be asked: whether it can carry out an operation by itself, or together with the groups
/// that the API server adds, unless those suffice without it.
pub(super) struct SubjectUsers {
    is_masters: bool,
    alone: (UserInfo, Asker),
    together: (UserInfo, Asker),
    without: Asker,
}

impl SubjectUsers {
    pub(super) fn of(cluster: &Cluster, subject: &Named) -> Self {
        let asker = |user: &UserInfo| cluster.graph().asker(user);
        let (alone, together) = subject.users();
        Self {
            is_masters: subject.is_masters(),
            alone: (alone.clone(), asker(&alone)),
            together: (together.clone(), asker(&together)),
            without: asker(&subject.without_itself()),
        }
    }

    /// Whether it certainly can, in another namespace if one is given.
    pub(super) fn can(&self, cluster: &Cluster, question: &Question, moved: Option<&str>) -> bool {
        let is_yes = |asker| question.is_yes(cluster, asker, moved);
        self.is_masters || is_yes(&self.alone.1) || (is_yes(&self.together.1) && !is_yes(&self.without))
    }

    /// Whether it can: yes, no or unknown.
    pub(super) fn answer(&self, cluster: &Cluster, question: &Question) -> Ternary {
        if self.can(cluster, question, None) {
            return Ternary::Yes;
        }
        // Together it can, and the groups that everybody has suffice for that: then only it by itself counts.
        let by_others = question.is_yes(cluster, &self.together.1, None);
        let (user, _) = if by_others { &self.alone } else { &self.together };
        question.answer(cluster, &Who::user(user.clone()), None).0
    }
}
