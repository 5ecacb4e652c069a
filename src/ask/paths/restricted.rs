//! What constrained impersonation allows: of what another may do, the requests for which somebody may act as the other.
//!
//! The API server asks two things besides whether the other may send the request: whether who acts may be the other, by
//! `impersonate:MODE`, and whether for this request, by `impersonate-on:MODE:VERB` on what it is about. So what comes out
//! is never the other, but what both allow: to the search a role of its own, made of two that are loaded.

use rustc_hash::FxHashMap;

use super::checks::{Answers, Bits, Check};
use crate::model::names::Name;

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
    pub(super) verb: &'static str,
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
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

    /// What roles allow in namespaces, for people: the first requests, and how many others.
    pub(super) fn show<'a>(&self, roles: impl Iterator<Item = (u32, &'a str)>) -> String {
        let mut all: Vec<String> = Vec::new();
        for (role, home) in roles {
            let index = role.checked_sub(FIRST_MADE).map(|index| index as usize);
            for asked in index.and_then(|index| self.requests.get(index)).into_iter().flatten() {
                let dot = if asked.group.is_empty() { "" } else { "." };
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
