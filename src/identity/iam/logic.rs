//! One evaluation, two results: the bare verdict, and the verdict with what it rests on.

use crate::model::ternary::Ternary;

use super::ids::{DocId, GroupId};

/// A statement of a policy, as it bears on somebody.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// The policy.
    pub doc: DocId,
    /// Which of its statements, from 0.
    pub statement: u32,
    /// The group through which the policy reaches the caller.
    pub group: Option<GroupId>,
}

/// Something that the inputs do not tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leaf {
    /// A condition of a statement.
    Condition {
        /// The statement.
        hit: Hit,
        /// Which of its conditions, from 0.
        condition: u32,
        /// The keys that are not known: the condition's own, and those whose values are put into it.
        keys: Box<[OpenKey]>,
    },
    /// A resource of a statement, into which the value of a key is put.
    Resource {
        /// The statement.
        hit: Hit,
        /// The keys whose values are put into it.
        keys: Box<[OpenKey]>,
    },
    /// Whether the caller's session has the name that a trust policy wants.
    Session {
        /// The statement.
        hit: Hit,
        /// The ARN of the session that it names.
        arn: Box<str>,
    },
    /// A statement with `NotPrincipal`, which IAM does not accept in a trust policy.
    NotPrincipal(Hit),
    /// A condition whose operator is none.
    Operator(Hit, u32),
    /// A policy that is attached and not in the export.
    Policy(Box<str>),
    /// A boundary that is not in the export.
    Boundary(Box<str>),
    /// A policy of which a part could not be read.
    Unread(DocId),
    /// A group that is not in the export.
    Group(Box<str>),
    /// An account of which there is no export.
    Account(Box<str>),
    /// A principal that is not in the export of its account.
    Principal(Box<str>),
    /// A role of which the trust policy is not in the inputs.
    Role(Box<str>),
}

/// A key of which the value is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenKey {
    /// The key as it is written.
    pub key: Box<str>,
    /// Whether the name of the caller's own session would tell.
    pub of_session: bool,
}

impl Leaf {
    /// The keys, or `session name`, on which the answer depends; none where it is no matter of the request.
    pub fn keys(&self) -> Vec<&str> {
        match self {
            Self::Session { .. } => vec!["session name"],
            Self::Condition { keys, .. } | Self::Resource { keys, .. } => {
                keys.iter().map(|open| if open.of_session { "session name" } else { &*open.key }).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// Nothing that could be shown.
    #[default]
    Nothing,
    /// A statement that applies.
    Statement(Hit),
    /// Something that is not known, and whether it must hold (or must not) for a "yes".
    Open(Leaf, bool),
    /// All of these together.
    All(Vec<Why>),
    /// One of these is enough.
    Any(Vec<Why>),
}

impl Why {
    /// Calls for every statement.
    pub fn statements(&self, found: &mut Vec<Hit>) {
        match self {
            Self::Statement(hit) if !found.contains(hit) => found.push(*hit),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.statements(found)),
            _ => {}
        }
    }

    /// Everything that is not known.
    pub fn open<'w>(&'w self, found: &mut Vec<&'w Leaf>) {
        match self {
            Self::Open(leaf, _) => found.push(leaf),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.open(found)),
            _ => {}
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Open(leaf, holds) => Self::Open(leaf, !holds),
            Self::All(parts) => {
                parts.into_iter().fold(Self::Nothing, |all, part| all.joined(part.not(), false))
            }
            Self::Any(parts) => {
                parts.into_iter().fold(Self::Nothing, |all, part| all.joined(part.not(), true))
            }
            // A refusal that is not certain: what it depends on is said, and it is no ground for a "yes".
            Self::Statement(_) | Self::Nothing => Self::Nothing,
        }
    }

    fn joined(self, other: Self, all: bool) -> Self {
        let mut parts = Vec::new();
        for side in [self, other] {
            match side {
                Self::Nothing => {}
                Self::All(inside) if all => parts.extend(inside),
                Self::Any(inside) if !all => parts.extend(inside),
                side => parts.push(side),
            }
        }
        match (parts.len(), all) {
            (0, _) => Self::Nothing,
            (1, _) => parts.swap_remove(0),
            (_, true) => Self::All(parts),
            (_, false) => Self::Any(parts),
        }
    }
}

/// What an evaluation computes with.
pub(super) trait Logic: Sized {
    /// What is certain.
    fn certain(value: bool) -> Self;
    /// What is not.
    fn open(leaf: impl FnOnce() -> Leaf) -> Self;
    /// A statement that applies if this holds.
    fn of_statement(self, hit: Hit) -> Self;
    fn and(self, other: impl FnOnce() -> Self) -> Self;
    fn or(self, other: impl FnOnce() -> Self) -> Self;
    fn not(self) -> Self;
}

impl Logic for Ternary {
    fn certain(value: bool) -> Self {
        value.into()
    }

    fn open(_: impl FnOnce() -> Leaf) -> Self {
        Self::Unknown
    }

    fn of_statement(self, _: Hit) -> Self {
        self
    }

    fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::No { self } else { self.min(other()) }
    }

    fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Yes { self } else { self.max(other()) }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::Unknown => Self::Unknown,
            Self::No => Self::Yes,
        }
    }
}

/// A verdict with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Yes, no, or unknown where it depends on conditions.
    pub value: Ternary,
    /// The statements that grant it and what is not known. For a "no": the refusal, or nothing.
    pub why: Why,
}

impl Logic for Verdict {
    fn certain(value: bool) -> Self {
        Self { value: value.into(), why: Why::Nothing }
    }

    fn open(leaf: impl FnOnce() -> Leaf) -> Self {
        Self { value: Ternary::Unknown, why: Why::Open(leaf(), true) }
    }

    fn of_statement(self, hit: Hit) -> Self {
        if self.value == Ternary::No {
            return self;
        }
        Self { value: self.value, why: Why::Statement(hit).joined(self.why, true) }
    }

    fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self.value == Ternary::No {
            return self;
        }
        let other = other();
        match other.value {
            Ternary::No => other,
            _ => Self { value: self.value.min(other.value), why: self.why.joined(other.why, true) },
        }
    }

    fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.value == Ternary::Yes {
            return self;
        }
        let other = other();
        match (self.value, other.value) {
            (_, Ternary::Yes) | (Ternary::No, Ternary::Unknown) => other,
            (Ternary::No | Ternary::Unknown, Ternary::No) => self,
            _ => Self { value: Ternary::Unknown, why: self.why.joined(other.why, false) },
        }
    }

    fn not(self) -> Self {
        match self.value {
            // A certain refusal keeps its statement: that is the reason.
            Ternary::Yes => Self { value: Ternary::No, why: self.why },
            Ternary::Unknown => Self { value: Ternary::Unknown, why: self.why.not() },
            Ternary::No => Self { value: Ternary::Yes, why: Why::Nothing },
        }
    }
}
