//! Which role a binding probably meant whose role nothing defines.

use crate::decide::graph::{Applied, RbacGraph};
use crate::model::rbac::{Role, RoleKind, Scope};

use super::slip::is_similar;

impl RbacGraph {
    /// The role that was probably meant by a binding whose role is missing: of the same name and the other kind, of
    /// the same name in another namespace, or spelled nearly so.
    pub fn likely_role(&self, applied: &Applied<'_>) -> Option<&Role> {
        let role_ref = applied.binding.role_ref;
        if applied.role.is_some() || applied.is_contested || role_ref.kind == RoleKind::AccessPolicy {
            return None;
        }
        let policy = self.policy();
        let other_kind = match role_ref.kind {
            RoleKind::Role => self.role(Scope::Cluster, role_ref.name),
            _ => self.role(applied.binding.scope, role_ref.name),
        };
        let text = |role: &Role| policy.names.text(role.scope.namespace());
        let elsewhere = || {
            let of_name = policy.roles.iter().filter(|role| role.name == role_ref.name);
            of_name.filter(|role| role.kind() == RoleKind::Role).min_by_key(|role| text(role))
        };
        let own = policy.names.text(role_ref.name);
        let similar = || {
            let there = policy.roles.iter().filter(|role| role.scope == applied.binding.role_scope());
            there
                .filter_map(|role| {
                    let name = policy.names.text(role.name);
                    let near = name.eq_ignore_ascii_case(own) || is_similar(name, own);
                    near.then(|| ((strsim::osa_distance(name, own), name), role))
                })
                .min_by_key(|(distance, _)| *distance)
                .map(|(_, role)| role)
        };
        other_kind.or_else(elsewhere).or_else(similar)
    }
}
