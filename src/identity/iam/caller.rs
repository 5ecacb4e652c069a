//! Whoever asks to become a role.

use std::fmt;

use super::export::{EntityArn, Tags};
use super::logic::Leaf;
use super::principal::Principal;

/// Why somebody cannot call.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NotACaller {
    /// It is no ARN of IAM or STS, no service and no provider.
    NotAnArn,
    /// Groups are never principals.
    Group,
    /// The root user cannot assume roles.
    Root,
    /// STS refuses sessions of `GetFederationToken`.
    FederatedUser,
    /// Some other resource.
    Resource,
}

/// Whoever asks to become a role.
#[derive(Clone, Debug)]
pub enum Caller<'a> {
    /// A user or role of an export; for a role with the name of the session, if it is known.
    Known {
        /// The user or role.
        principal: &'a Principal,
        /// The name of the session.
        session: Option<Box<str>>,
    },
    /// A user or role that no export holds.
    Stranger(Box<Stranger>),
    /// An AWS service.
    Service(Box<str>),
    /// Somebody whom an identity provider vouches for.
    Provider(Box<str>),
    /// Any user or role of an account, or of any account.
    Anybody(Option<Box<str>>),
}

/// A user or role that no export holds.
#[derive(Clone, Debug)]
pub struct Stranger {
    pub(super) arn: EntityArn,
    pub(super) name: Box<str>,
    pub(super) is_user: bool,
    pub(super) session: Option<Box<str>>,
    /// Whether the ARN is that of the user or role itself, not that of a session.
    pub(super) is_own_arn: bool,
    pub(super) has_export: bool,
}

impl fmt::Display for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.arn(), self.session()) {
            (Self::Known { principal, .. }, _, Some(session)) => write!(
                f,
                "arn:{}:sts::{}:assumed-role/{}/{session}",
                principal.arn.partition, principal.arn.account, principal.name
            ),
            (_, Some(arn), _) => f.write_str(&arn.text),
            _ => f.write_str(self.name()),
        }
    }
}

impl Caller<'_> {
    pub(super) fn is_user(&self) -> bool {
        match self {
            Self::Known { principal, .. } => principal.is_user,
            Self::Stranger(stranger) => stranger.is_user,
            Self::Service(_) | Self::Provider(_) | Self::Anybody(_) => false,
        }
    }

    /// The ARN that `aws:PrincipalArn` has.
    pub(super) fn principal_arn(&self) -> Option<&str> {
        match self {
            Self::Known { principal, .. } => Some(&principal.arn.text),
            Self::Stranger(stranger) => stranger.is_own_arn.then_some(&stranger.arn.text),
            Self::Service(_) | Self::Provider(_) | Self::Anybody(_) => None,
        }
    }

    fn arn(&self) -> Option<&EntityArn> {
        match self {
            Self::Known { principal, .. } => Some(&principal.arn),
            Self::Stranger(stranger) => Some(&stranger.arn),
            Self::Service(_) | Self::Provider(_) | Self::Anybody(_) => None,
        }
    }

    pub(super) fn account(&self) -> &str {
        match self {
            Self::Anybody(Some(account)) => account,
            _ => self.arn().map_or("", |arn| &arn.account),
        }
    }

    pub(super) fn partition(&self) -> &str {
        self.arn().map_or("", |arn| &arn.partition)
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Known { principal, .. } => &principal.name,
            Self::Stranger(stranger) => &stranger.name,
            Self::Service(name) | Self::Provider(name) => name,
            Self::Anybody(_) => "",
        }
    }

    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Known { principal, .. } if !principal.id.is_empty() => Some(&principal.id),
            _ => None,
        }
    }

    /// The name of its session, where it is known.
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Known { session, .. } => session.as_deref(),
            Self::Stranger(stranger) => stranger.session.as_deref(),
            Self::Service(_) | Self::Provider(_) | Self::Anybody(_) => None,
        }
    }

    pub(super) fn tags(&self) -> Option<&Tags> {
        match self {
            Self::Known { principal, .. } => principal.tags.as_ref(),
            _ => None,
        }
    }

    pub(super) fn may_have_session_tags(&self) -> bool {
        match self {
            Self::Known { principal, .. } => !principal.is_user && principal.takes_session_tags,
            Self::Stranger(stranger) => !stranger.is_user,
            Self::Service(_) | Self::Provider(_) | Self::Anybody(_) => false,
        }
    }

    /// The user or role, where an export holds it.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Known { principal, .. } => Some(principal),
            _ => None,
        }
    }

    /// What is not known of a stranger.
    pub(super) fn missing(&self) -> Option<Leaf> {
        match self {
            Self::Stranger(stranger) if stranger.has_export => {
                Some(Leaf::Principal(stranger.arn.text.clone()))
            }
            Self::Stranger(stranger) => Some(Leaf::Account(stranger.arn.account.clone())),
            _ => None,
        }
    }
}
