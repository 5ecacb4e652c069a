//! Who asks: the user that an ARN is, or why it is none.

use crate::identity::{IamIdentity, IdentityError, Mapped, Sessions, Template};
use crate::model::user::UserInfo;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Who {
    /// The ARN, where one was given.
    pub identity: Option<IamIdentity>,
    /// What became of it.
    pub is: WhoIs,
}

/// The Kubernetes user that asks, as far as it is known.
#[derive(Clone, Debug)]
pub enum WhoIs {
    /// A user that was given as such.
    User(UserInfo),
    /// The user that an identity mapping makes of an ARN.
    Mapped(Box<Mapped>),
    /// No user: the ARN cannot log in, or whether it can is unknown.
    Error(Box<IdentityError>),
}

impl Who {
    /// A Kubernetes user.
    pub fn user(user: UserInfo) -> Self {
        Self { identity: None, is: WhoIs::User(user) }
    }

    /// The user as far as it is certain: what stayed symbolic in an identity mapping is left out, for no
    /// binding may match a placeholder. `None` if there is no user.
    pub fn certain(&self) -> Option<UserInfo> {
        match &self.is {
            WhoIs::User(user) => Some(user.clone()),
            WhoIs::Mapped(mapped) => Some(certain(mapped)),
            WhoIs::Error(_) => None,
        }
    }

    /// The user as people read it, placeholders as written. `None` if there is no user.
    pub fn shown(&self) -> Option<UserInfo> {
        match &self.is {
            WhoIs::User(user) => Some(user.clone()),
            WhoIs::Mapped(mapped) => Some(mapped.user_info()),
            WhoIs::Error(_) => None,
        }
    }

    /// Whether no input tells the username or the groups, although there is a user.
    pub fn is_untold(&self) -> bool {
        match &self.is {
            WhoIs::Mapped(mapped) => {
                mapped.username.is_not_told() || mapped.groups.iter().any(Template::is_not_told)
            }
            _ => false,
        }
    }

    /// Whether the identity mapping makes a user whose name is empty.
    pub fn has_no_username(&self) -> bool {
        matches!(&self.is, WhoIs::Mapped(mapped) if mapped.username.as_literal() == Some(""))
    }

    /// Whether only some sessions of the role that asks can log in: those that are named after an EC2 instance.
    pub fn only_instances(&self) -> bool {
        matches!(&self.is, WhoIs::Mapped(mapped) if mapped.sessions == Sessions::InstanceId)
    }

    /// Why there is no user.
    pub fn error(&self) -> Option<&IdentityError> {
        match &self.is {
            WhoIs::Error(error) => Some(error),
            _ => None,
        }
    }
}

/// Access policies apply to whoever logged in through an access entry, and to nobody else of that name or group.
pub(super) fn certain(mapped: &Mapped) -> UserInfo {
    let user = UserInfo::authenticated(
        mapped.username.as_literal().unwrap_or(""),
        mapped.groups.iter().filter_map(|group| group.as_literal()),
    );
    match &mapped.access {
        Some(access) => user.logged_in_as(&access.principal),
        None => user,
    }
}
