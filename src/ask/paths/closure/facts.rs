//! What a search finds and what it is asked for.

use super::super::identities::{Class, Pair};
use super::super::step::Steps;
use super::super::world::Place;

/// A round; also how many steps, of which those that do not wait for each other count once.
pub type Round = u16;
/// The round of what is never reached.
pub(in crate::ask::paths) const NEVER: Round = Round::MAX;

/// When something was first reached, and by which steps in that round.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ask::paths) struct Reached {
    pub(in crate::ask::paths) round: Round,
    pub(in crate::ask::paths) steps: Steps,
}

impl Default for Reached {
    fn default() -> Self {
        Self { round: NEVER, steps: Steps::default() }
    }
}

impl Reached {
    pub(super) fn give(&mut self, round: Round, steps: Steps) -> bool {
        if self.round == NEVER {
            *self = Self { round, steps };
            return true;
        }
        if self.round == round {
            self.steps = self.steps.and(steps);
        }
        false
    }
}

/// Something that is reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::ask::paths) enum Fact {
    /// A service account, with its own groups.
    Account(u32),
    /// What impersonation makes.
    Other(u32),
    Node(u32),
    AnyNode,
    /// A node of which nobody knows which it is: it leads nowhere.
    LostNode,
    ClusterAdmin,
    /// A service account that exists from now on.
    Made(u32),
    /// A role that every identity holds.
    Grant(Pair),
    /// A role that says everything from now on.
    Changed(u32),
    /// All Roles of a namespace, or of each, say everything from now on.
    ChangedIn(Place),
    /// An IAM user or role.
    Iam(u32),
    /// The identity as which it logs in.
    Login(u32),
}

/// How much is asked for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ask::paths) enum Told {
    /// The depths of sinks.
    Sinks,
    /// Everything that is reached.
    Reached,
    /// That, with the ways there.
    Ways,
    /// When one thing is reached, and no more.
    Depth(Goal),
    /// The way to one thing, and no more.
    WayTo(Goal),
}

/// One thing that is looked for: a search for it ends where it is reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ask::paths) enum Goal {
    Sink(&'static str),
    Fact(Fact),
    /// The right to do everything in a namespace.
    Everything(Place),
    /// A role that allows what is asked, where that is asked.
    Asked,
}

/// Who starts.
#[derive(Copy, Clone, Debug)]
pub(in crate::ask::paths) struct Start {
    pub(in crate::ask::paths) class: Class,
    /// The fact that it is, where it is one that can be reached.
    pub(in crate::ask::paths) fact: Option<Fact>,
    pub(in crate::ask::paths) is_master: bool,
    /// The ARN that it is.
    pub(in crate::ask::paths) iam: Option<u32>,
    /// Whether it can log in.
    pub(in crate::ask::paths) is_user: bool,
}

/// An identity in the order in which it was found.
#[derive(Copy, Clone, Debug)]
pub(in crate::ask::paths) struct Found {
    pub(in crate::ask::paths) fact: Option<Fact>,
    pub(in crate::ask::paths) class: Class,
    pub(in crate::ask::paths) round: Round,
}

/// What is read off the state after each round, apart from powers.
#[derive(Copy, Clone, Debug)]
pub(in crate::ask::paths) struct Sinks {
    pub(in crate::ask::paths) read_all_secrets: Round,
    pub(in crate::ask::paths) exec_everywhere: Round,
    pub(in crate::ask::paths) edit_aws_auth: Round,
}

impl Default for Sinks {
    fn default() -> Self {
        Self { read_all_secrets: NEVER, exec_everywhere: NEVER, edit_aws_auth: NEVER }
    }
}
