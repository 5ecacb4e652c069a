//! Who can make himself an administrator of the cluster through the API of EKS, without being mapped.

use crate::identity::iam::{Caller, Context, IamData, Lens, PrincipalId, Verdict};
use crate::model::ternary::Ternary;

/// The actions that let a principal in, or let it decide who is let in.
pub const ACTIONS: [&str; 5] = [
    "eks:CreateAccessEntry",
    "eks:AssociateAccessPolicy",
    "eks:UpdateAccessEntry",
    "eks:UpdateClusterConfig",
    "eks:CreatePodIdentityAssociation",
];

/// Somebody whom IAM allows one of the actions.
#[derive(Clone, Debug)]
pub struct EksDoor {
    /// The user or role.
    pub id: PrincipalId,
    /// The action.
    pub action: &'static str,
    /// Whether, and on what it depends.
    pub verdict: Verdict,
}

/// Everybody whom IAM allows, or on conditions allows, any of the actions on a cluster, by its ARN.
pub fn eks_doors(data: &IamData, cluster_arn: &str) -> Vec<EksDoor> {
    let context = Context::new();
    let mut doors = Vec::new();
    for action in ACTIONS {
        let lens = Lens::new(data, action);
        let resource = resource_of(action, cluster_arn);
        for (id, principal) in data.principals().filter(|(_, principal)| !principal.is_service_linked()) {
            // The policies of other accounts do not reach the cluster: EKS knows no resource policies.
            if cluster_arn.split(':').nth(4) != Some(&principal.arn.account) {
                continue;
            }
            let caller = Caller::Known { principal, session: None };
            let verdict = lens.on_resource(&caller, &resource, &context);
            if verdict.value != Ternary::No {
                doors.push(EksDoor { id, action, verdict });
            }
        }
    }
    doors.sort_by_key(|door| (door.id, ACTIONS.iter().position(|action| *action == door.action)));
    doors
}

/// The resource that an action is about: some are about an access entry, of which the name is not chosen yet.
fn resource_of(action: &str, cluster_arn: &str) -> String {
    match action {
        "eks:AssociateAccessPolicy" | "eks:UpdateAccessEntry" => {
            format!("{}/any", cluster_arn.replacen(":cluster/", ":access-entry/", 1))
        }
        _ => cluster_arn.to_owned(),
    }
}
