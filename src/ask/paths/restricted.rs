//! What constrained impersonation allows: of what another may do, the requests for which somebody may act as the other.
//!
//! The API server asks two things besides whether the other may send the request: whether who acts may be the other, by
//! `impersonate:MODE`, and whether for this request, by `impersonate-on:MODE:VERB` on what it is about. So what comes out
//! is never the other, but what both allow: to the search a role of its own, made of two that are loaded.

use rustc_hash::FxHashMap;

use super::Search;
use super::checks::{ACTS, Answers, Bits, Check, OF_ROLES};
use super::closure::Fact;
use super::closure::trace::Way;
use super::identities::Username;
use super::tell::{Ground, Traced};
use super::world::{Place, World};
use crate::decide::evaluate::matches::Request;
use crate::decide::graph::RbacGraph;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::rbac::Role;
use crate::model::user::UserInfo;

/// What stands between another and the requests for which somebody acts as the other.
pub(super) const RESTRICTED_TO: &str = ", restricted to ";

/// As what somebody acts.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// A user, in groups.
    UserInfo,
    /// A service account.
    ServiceAccount,
    /// A node.
    ArbitraryNode,
    /// The node on which its pod runs.
    AssociatedNode,
}

impl Mode {
    /// As verbs spell it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::UserInfo => "user-info",
            Self::ServiceAccount => "serviceaccount",
            Self::ArbitraryNode => "arbitrary-node",
            Self::AssociatedNode => "associated-node",
        }
    }

    /// The verb that is asked for a request by acting as another.
    pub(super) fn verb(self, verb: &str) -> String {
        format!("impersonate-on:{}:{verb}", self.as_str())
    }
}

/// As whom somebody acts.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whom {
    /// A service account, with its groups.
    Account(u32),
    /// A user or node, by the number of its identity.
    Identity(u32),
}

/// An identity for chosen requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Restricted {
    pub(super) of: Whom,
    pub(super) mode: Mode,
    /// Its requests, for people.
    pub(super) requests: String,
}

/// A request that a check may be.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Asked {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
}

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

/// What a role that is made answers, and by which requests.
type Content = (Bits, Box<[(Check, Name)]>, Vec<Asked>);

/// Roles that the search makes, by number behind all others.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    /// Whether any role but those that say everything lets somebody act as another for chosen requests.
    pub(super) is_needed: bool,
    answers: Vec<Answers>,
    numbers: FxHashMap<Content, u32>,
    requests: Vec<Vec<Asked>>,
}

/// The number of the first role that is made.
const FIRST_MADE: u32 = 1 << 31;

/// Whether a role was made here.
pub(super) fn is_made(role: u32) -> bool {
    role >= FIRST_MADE && role != u32::MAX
}

impl Made {
    pub(super) fn answers(&self, role: u32) -> Option<&Answers> {
        self.answers.get(role.checked_sub(FIRST_MADE)? as usize)
    }

    /// The role that answers so.
    pub(super) fn role(&mut self, answers: Answers, requests: Vec<Asked>) -> u32 {
        let next = FIRST_MADE.saturating_add(u32::try_from(self.answers.len()).unwrap_or(u32::MAX));
        let key = (answers.any, answers.named.clone().into_boxed_slice(), requests.clone());
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.answers.push(answers);
            self.requests.push(requests);
        }
        number
    }

    /// What roles allow in places, for people: the first request, and how many others.
    pub(super) fn show(&self, world: &World<'_>, pairs: &[(u32, Place)]) -> String {
        let mut all: Vec<String> = Vec::new();
        for (role, place) in pairs {
            let index = role.checked_sub(FIRST_MADE).map(|index| index as usize);
            for asked in index.and_then(|index| self.requests.get(index)).into_iter().flatten() {
                let dot = if asked.group.is_empty() { "" } else { "." };
                let home = world.namespace(*place);
                let home = if home.is_empty() { String::new() } else { format!(" in namespace {home}") };
                all.push(format!("{} {}{dot}{}{home}", asked.verb, asked.resource, asked.group));
            }
        }
        all.sort_unstable();
        all.dedup();
        match all.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [one, two] => format!("{one}, {two}"),
            [one, two, others @ ..] => format!("{one}, {two} and {} more", others.len()),
        }
    }
}

impl Search<'_> {
    /// Whether somebody acts as another for chosen requests alone.
    pub(super) fn is_restricted(&self, fact: Fact) -> bool {
        let Fact::Other(number) = fact else { return false };
        let other = self.identities.others.get(number as usize);
        other.is_some_and(|(other, _)| matches!(other.username, Username::Restricted(_)))
    }
}

impl<'c> Traced<'_, 'c> {
    /// The rights of a way: where somebody acts as another for chosen requests, the choice and the right of the other.
    pub(super) fn grounds(&self, way: &Way) -> Vec<Ground<'c>> {
        let own = |way: &Way| vec![self.ground(way)];
        let search = self.search;
        let (role, _) = search.identities.pair_at(way.pair);
        let Some(closure) = self.closure.as_ref().filter(|_| is_made(role)) else { return own(way) };
        let Some(fact) = closure.found.get(way.who as usize).and_then(|found| found.fact) else {
            return own(way);
        };
        let (Fact::Other(number), Some(other)) = (fact, search.user_of(fact)) else { return own(way) };
        let identity = search.identities.others.get(number as usize).map(|(other, _)| other.username);
        let Some(Username::Restricted(number)) = identity else { return own(way) };
        let Some(mode) = search.identities.restricted.get(number as usize).map(|own| own.mode) else {
            return own(way);
        };
        let by = closure.extras.get(&fact).and_then(|extra| extra.by);
        let by = by.and_then(|class| self.user(closure.first_of.get(class)));
        let graph = search.world.cluster.graph();
        let names = &search.world.policy().names;
        let namespace = search.world.namespace(way.place);
        let name = if way.name == Name::UNKNOWN { "" } else { names.text(way.name) };
        let ask = |user: &Option<UserInfo>, verb: &str, group: &str, whole: &str| {
            let (resource, subresource) = whole.split_once('/').unwrap_or((whole, ""));
            let asked = ResourceAttributes { verb, group, resource, subresource, name, namespace };
            let asked = Attributes::Resource(asked);
            let grants = user.as_ref().map(|user| graph.grants(&graph.asker(user), &asked));
            let grant = grants.and_then(|grants| grants.allowing.into_iter().next());
            Ground { asked: asked.to_string(), grant, role: None, is_changed: false }
        };
        let (verbs, resources) = way.check.asked(search.world.cluster.version());
        let other = Some(other);
        let mut first: Option<Vec<Ground<'c>>> = None;
        for (group, resource) in resources {
            for verb in verbs {
                let itself = ask(&other, verb, group, resource);
                if OF_ROLES & way.check.bit() != 0 {
                    return vec![itself];
                }
                let chosen = ask(&by, &mode.verb(verb), group, resource);
                let is_it = itself.grant.is_some() && chosen.grant.is_some();
                let both = vec![chosen, itself];
                if is_it {
                    return both;
                }
                first.get_or_insert(both);
            }
        }
        first.unwrap_or_else(|| own(way))
    }
}
