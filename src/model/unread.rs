//! Texts that could not be read and may hold what grants access: where they stand, and whom they could concern.

use crate::model::source::{Shift, Source};

/// Names that a text shows, of one kind of subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// None.
    #[default]
    Nobody,
    /// These, of which some may have placeholders in them.
    These(Vec<String>),
    /// The text does not tell which.
    Anybody,
}

impl Shown {
    /// Adds a name.
    pub(crate) fn add(&mut self, name: &str) {
        match self {
            Self::Nobody => *self = Self::These(vec![name.to_owned()]),
            Self::These(names) if !names.iter().any(|known| known == name) => names.push(name.to_owned()),
            _ => {}
        }
    }

    fn join(&mut self, other: &Self) {
        match other {
            Self::Nobody => {}
            Self::Anybody => *self = Self::Anybody,
            Self::These(names) => names.iter().for_each(|name| self.add(name)),
        }
    }
}

/// Whom a text could grant something to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concern {
    /// Users.
    pub users: Shown,
    /// Groups.
    pub groups: Shown,
    /// Service accounts, by name in any namespace.
    pub service_accounts: Shown,
    /// Whether it shows roles alone: who has one of them has a binding to a role that is missing, and that is told of the
    /// binding. Only in complete inputs, where what is missing does not exist, the text concerns everybody.
    pub roles_alone: bool,
}

impl Concern {
    /// Everybody.
    pub fn everybody() -> Self {
        Self {
            users: Shown::Anybody,
            groups: Shown::Anybody,
            service_accounts: Shown::Anybody,
            roles_alone: false,
        }
    }

    /// Those who have the roles that a text shows.
    pub(crate) fn of_roles() -> Self {
        Self { roles_alone: true, ..Self::default() }
    }

    /// Adds whom another text concerns.
    pub(crate) fn join(&mut self, other: &Self) {
        self.users.join(&other.users);
        self.groups.join(&other.groups);
        self.service_accounts.join(&other.service_accounts);
        self.roles_alone |= other.roles_alone;
    }

    /// Adds service accounts of a name.
    pub(crate) fn service_accounts_named(&mut self, name: &str) {
        self.service_accounts.add(name);
    }

    /// Adds a subject by its kind.
    pub(crate) fn add(&mut self, kind: &str, name: &str) {
        match kind {
            "User" => self.users.add(name),
            "Group" => self.groups.add(name),
            "ServiceAccount" => self.service_accounts.add(name),
            _ => self.join(&Self::everybody()),
        }
    }
}

/// Something that could not be read and may hold what grants access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where it stands; of several the first.
    pub source: Source,
    /// Whom it could grant something to.
    pub concern: Concern,
    /// What it is, and what to do: a sentence in lower case without a full stop. Empty for a document that could not be
    /// read, as its own diagnostic tells.
    pub sentence: String,
    /// Where the other documents stand that it stands for.
    pub more: Vec<Source>,
    /// Whether it is a template that some tool renders.
    pub is_template: bool,
}

impl Unread {
    /// One document.
    pub(crate) fn new(source: Source, concern: Concern) -> Self {
        Self { source, concern, sentence: String::new(), more: Vec::new(), is_template: false }
    }

    /// How many documents it stands for.
    pub fn documents(&self) -> usize {
        1 + self.more.len()
    }

    /// Where each of its documents stands.
    pub fn sources(&self) -> impl Iterator<Item = Source> + '_ {
        std::iter::once(self.source).chain(self.more.iter().copied())
    }

    /// The same with what it is.
    #[must_use]
    pub(crate) fn told(self, sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), ..self }
    }

    /// The same where it really stands.
    pub(crate) fn shifted(self, shift: &Shift) -> Self {
        Self { source: shift.source(self.source), ..self }
    }
}
