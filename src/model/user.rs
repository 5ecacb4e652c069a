//! Who asks: the user info that an authenticator hands to the authorizers.

use crate::model::names::{is_dns_label, is_dns_subdomain};

/// The group whose members may do everything, before RBAC is asked.
pub const SYSTEM_MASTERS: &str = "system:masters";
/// The group of every authenticated user.
pub const SYSTEM_AUTHENTICATED: &str = "system:authenticated";
/// The group of requests without credentials.
pub const SYSTEM_UNAUTHENTICATED: &str = "system:unauthenticated";
/// The user of requests without credentials.
pub const SYSTEM_ANONYMOUS: &str = "system:anonymous";
/// The group of every service account.
pub const SYSTEM_SERVICE_ACCOUNTS: &str = "system:serviceaccounts";
/// The group of every node.
pub const SYSTEM_NODES: &str = "system:nodes";

/// A user as the authorizers see it: a name and groups, in order, as given; and who logged in, for a caller that EKS
/// authenticated itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInfo {
    /// The username; may be empty.
    pub username: String,
    /// The groups, in the order in which they were given; duplicates and empty ones are kept.
    pub groups: Vec<String>,
    /// The canonical ARN of the IAM principal, where it logged in itself. RBAC does not look at it; access policies
    /// apply to it, and so never to an impersonated user.
    pub caller: Option<String>,
}

/// The namespace and name in `system:serviceaccount:NAMESPACE:NAME`.
///
/// Follows `serviceaccount.SplitUsername`: exactly one colon after the prefix, between a DNS label and a DNS
/// subdomain. RBAC compares the string whatever it says; this only tells who gets the groups of service accounts.
pub fn split_service_account(username: &str) -> Option<(&str, &str)> {
    let (namespace, name) = username.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (is_dns_label(namespace) && is_dns_subdomain(name)).then_some((namespace, name))
}

impl UserInfo {
    /// A user exactly as given, with no group added: what a SubjectAccessReview describes.
    pub fn as_given(username: &str, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            username: username.to_owned(),
            groups: groups.into_iter().map(Into::into).collect(),
            caller: None,
        }
    }

    /// A user that an authenticator identified, with the group that the API server adds.
    ///
    /// Follows `authentication/group/authenticated_group_adder.go`: `system:authenticated` is added unless
    /// the user is `system:anonymous` or already in `system:authenticated` or `system:unauthenticated`.
    pub fn authenticated(username: &str, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut user = Self::as_given(username, groups);
        let settled = |group: &String| group == SYSTEM_AUTHENTICATED || group == SYSTEM_UNAUTHENTICATED;
        if username != SYSTEM_ANONYMOUS && !user.groups.iter().any(settled) {
            user.groups.push(SYSTEM_AUTHENTICATED.to_owned());
        }
        user
    }

    /// A service account with the groups that its token carries.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::authenticated(
            &format!("system:serviceaccount:{namespace}:{name}"),
            [SYSTEM_SERVICE_ACCOUNTS.to_owned(), format!("{SYSTEM_SERVICE_ACCOUNTS}:{namespace}")],
        )
    }

    /// The user that `--as` and `--as-group` make, with the groups that impersonation adds.
    ///
    /// Follows the impersonation filter: a service account gets its groups only where no group was given;
    /// `system:anonymous` gets `system:unauthenticated`; everybody else `system:authenticated`.
    pub fn impersonated(username: &str, groups: &[String]) -> Self {
        let mut given: Vec<String> = groups.to_vec();
        if username == SYSTEM_ANONYMOUS {
            if !given.iter().any(|group| group == SYSTEM_UNAUTHENTICATED) {
                given.push(SYSTEM_UNAUTHENTICATED.to_owned());
            }
            return Self { username: username.to_owned(), groups: given, caller: None };
        }
        if given.is_empty()
            && let Some((namespace, name)) = split_service_account(username)
        {
            return Self::service_account(namespace, name);
        }
        Self::authenticated(username, given)
    }

    /// The same user, who logged in as this IAM principal.
    #[must_use]
    pub fn logged_in_as(self, canonical_arn: &str) -> Self {
        Self { caller: Some(canonical_arn.to_owned()), ..self }
    }

    /// Whether the user is in a group.
    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}
