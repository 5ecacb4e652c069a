//! Which requests somebody may send as another: those that the other may send and that are chosen for who acts.

use super::super::checks::{ACTS, Answers, Bits, Check, OF_ROLES};
use super::super::restricted::{Asked, Mode};
use super::super::world::World;
use crate::decide::evaluate::matches::Request;
use crate::decide::graph::RbacGraph;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::rbac::Role;

/// The requests of all checks, as themselves and as who acts as another must be allowed them.
pub(super) struct Requests {
    all: Vec<(Check, Asked, Request<'static>, Request<'static>)>,
}

/// The names with which something is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    Any,
    Some(Vec<Name>),
}

impl Names {
    fn both(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Any, other) => other.clone(),
            (own, Self::Any) => own,
            (Self::Some(own), Self::Some(other)) => {
                Self::Some(own.into_iter().filter(|name| other.contains(name)).collect())
            }
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Some(names) if names.is_empty())
    }
}

/// What constrained impersonation cannot do: act as yet another, or everything.
const NEVER_BY: Bits = ACTS
    | OF_ROLES
    | Check::ImpersonateUsers.bit()
    | Check::ImpersonateGroups.bit()
    | Check::ImpersonateAccounts.bit()
    | Check::Everything.bit();

impl Requests {
    pub(super) fn new(world: &World<'_>, mode: Mode) -> Self {
        let graph = world.cluster.graph();
        let names = &world.policy().names;
        let mut all = Vec::new();
        for check in Check::ALL.into_iter().filter(|check| NEVER_BY & check.bit() == 0) {
            let (verbs, resources) = check.asked(world.cluster.version());
            for verb in verbs {
                for (group, whole) in resources {
                    let (resource, subresource) = whole.split_once('/').unwrap_or((whole, ""));
                    let (name, namespace) = ("", "");
                    let ask = |verb: &str| {
                        let asked =
                            ResourceAttributes { verb, group, resource, subresource, name, namespace };
                        graph.lexicon.request(names, &Attributes::Resource(asked)).of_resource()
                    };
                    let asked = Asked { verb, group, resource: whole };
                    if let (Some(itself), Some(on)) = (ask(verb), ask(&mode.verb(verb))) {
                        all.push((check, asked, itself, on));
                    }
                }
            }
        }
        Self { all }
    }

    /// What two roles allow together: the one whoever acts, the other as whom; without the other everything.
    pub(super) fn both(
        &self,
        world: &World<'_>,
        by: u32,
        other: Option<u32>,
        checks: Bits,
    ) -> (Answers, Vec<Asked>) {
        let graph = world.cluster.graph();
        let roles = &world.policy().roles;
        let (mut answers, mut told) = (Answers::default(), Vec::new());
        let Some(by) = roles.get(by as usize) else { return (answers, told) };
        let other = match other {
            Some(role) => match roles.get(role as usize) {
                Some(role) => Some(role),
                None => return (answers, told),
            },
            None => None,
        };
        for (check, asked, itself, on) in self.all.iter().filter(|(check, ..)| checks & check.bit() != 0) {
            let takes_no_name = check.takes_no_name(check.asked(world.cluster.version()).0, asked.verb);
            let allowed = |role: &Role, request: &Request<'_>| names_of(graph, role, request, takes_no_name);
            let by = allowed(by, on);
            if by.is_none() {
                continue;
            }
            match by.both(&other.map_or(Names::Any, |role| allowed(role, itself))) {
                Names::Any => answers.any |= check.bit(),
                Names::Some(names) if names.is_empty() => continue,
                Names::Some(names) => {
                    answers.named_bits |= check.bit();
                    answers.named.extend(names.into_iter().map(|name| (*check, name)));
                }
            }
            told.push(*asked);
        }
        answers.named.sort_unstable();
        answers.named.dedup();
        told.sort_unstable();
        told.dedup();
        (answers, told)
    }
}

/// The names with which a role allows a request.
fn names_of(graph: &RbacGraph, role: &Role, request: &Request<'_>, takes_no_name: bool) -> Names {
    let policy = graph.policy();
    let mut found: Vec<Name> = Vec::new();
    for rule in graph.rules_in_force(role).map(|rule| rule.placed.rule) {
        let names = policy.rules.get(rule).resource_names;
        let named = request.named(names.first().copied().unwrap_or(Name::UNKNOWN));
        if !graph.lexicon.allows(policy, rule, &named) {
            continue;
        }
        if names.is_empty() || takes_no_name && names.contains(&Name::EMPTY) {
            return Names::Any;
        }
        if !takes_no_name {
            found.extend_from_slice(names);
        }
    }
    Names::Some(found)
}
