//! Requests without credentials: EKS refuses most of them before anything is authorised.

use super::Cluster;
use crate::model::attributes::Attributes;
use crate::model::user::{SYSTEM_ANONYMOUS, UserInfo};
use crate::model::version::Platform;

/// The paths that EKS leaves open.
pub const OPEN_PATHS: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// From which version on EKS closes the others.
const CLOSED_FROM: u8 = 32;

impl Cluster {
    /// Whether an anonymous request gets the status 401 but for [`OPEN_PATHS`], whatever RBAC says.
    pub fn closes_out_anonymous(&self) -> bool {
        self.platform() == Platform::Eks && self.version().minor() >= CLOSED_FROM
    }

    /// Whether an anonymous request of these attributes gets the status 401.
    pub fn refuses_anonymous(&self, attributes: &Attributes<'_>) -> bool {
        let is_open = match attributes {
            Attributes::NonResource(url) => OPEN_PATHS.contains(&url.path),
            Attributes::Resource(_) => false,
        };
        self.closes_out_anonymous() && !is_open
    }

    /// The same, asked for a user, who may be anybody.
    pub(super) fn refuses_as_anonymous(&self, user: &UserInfo, attributes: &Attributes<'_>) -> bool {
        user.username == SYSTEM_ANONYMOUS && self.refuses_anonymous(attributes)
    }
}
