//! Who can let himself into the cluster through the API of EKS, without being mapped.

use std::collections::BTreeSet;

use crate::ask::behind::Assumer;
use crate::ask::people::People;
use crate::decide::cluster::Cluster;
use crate::identity::Reach as MappingReach;
use crate::identity::iam::{Caller, Context, IamData, Lens, PrincipalId, SomeArn, Verdict};
use crate::identity::pod_roles::PodRoleVia;
use crate::model::ternary::Ternary;

/// An action that lets a principal in, or lets it decide who is let in, and what it comes to.
pub const ACTIONS: [(&str, &str); 6] = [
    (
        CREATE_ENTRY,
        "creates an access entry for itself, in any Kubernetes group that does not begin with `system:`",
    ),
    (ASSOCIATE_POLICY, "gives an access entry an access policy, such as AmazonEKSClusterAdminPolicy"),
    (
        "eks:UpdateAccessEntry",
        "changes the Kubernetes groups of an access entry, to any that does not begin with `system:`",
    ),
    (
        "eks:AssociateIdentityProviderConfig",
        "lets the users of an OIDC provider of its choice log in, with groups",
    ),
    ("eks:UpdateClusterConfig", "turns access entries on, where the authentication mode is CONFIG_MAP"),
    ("eks:CreatePodIdentityAssociation", "gives pods an IAM role that it may pass (`iam:PassRole`)"),
];

const CREATE_ENTRY: &str = "eks:CreateAccessEntry";
const ASSOCIATE_POLICY: &str = "eks:AssociateAccessPolicy";

/// A cluster, as far as its ARN is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterArn {
    partition: Box<str>,
    region: Option<Box<str>>,
    account: Box<str>,
    name: Option<Box<str>>,
}

/// Somebody whom IAM allows one of the actions.
#[derive(Clone, Debug)]
pub struct EksDoor {
    /// The user or role.
    pub id: PrincipalId,
    /// What it may do, in the order of [`ACTIONS`].
    pub actions: Vec<Allowed>,
    /// Who can become it, where it is a role.
    pub people: Vec<Assumer>,
}

/// An action that somebody may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The action.
    pub action: &'static str,
    /// What it comes to.
    pub effect: &'static str,
    /// Whether, and why.
    pub verdict: Verdict,
}

impl EksDoor {
    /// Whether it can make itself an administrator of the cluster, by these actions alone.
    pub fn is_admin(&self) -> Ternary {
        let may = |wanted: &str| {
            let found = self.actions.iter().find(|allowed| allowed.action == wanted);
            found.map_or(Ternary::No, |allowed| allowed.verdict.value)
        };
        may(CREATE_ENTRY).and(may(ASSOCIATE_POLICY))
    }
}

impl ClusterArn {
    /// The cluster with an ARN; `None` for what is none.
    pub fn of(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, "eks", region, account, resource] = parts.as_slice() else { return None };
        Some(Self {
            partition: (*partition).into(),
            region: Some((*region).into()),
            account: (*account).into(),
            name: Some(resource.strip_prefix("cluster/")?.into()),
        })
    }

    /// The resource that an action is about: some are about an access entry, of which the name is not chosen yet.
    fn resource(&self, action: &str) -> SomeArn {
        let is_entry = matches!(action, ASSOCIATE_POLICY | "eks:UpdateAccessEntry");
        let beginning = match (is_entry, &self.name) {
            (true, Some(name)) => format!("access-entry/{name}/"),
            (true, None) => "access-entry/".to_owned(),
            (false, Some(name)) => format!("cluster/{name}"),
            (false, None) => "cluster/".to_owned(),
        };
        SomeArn {
            partition: self.partition.clone(),
            service: "eks".into(),
            region: self.region.clone(),
            account: self.account.clone(),
            beginning: beginning.into(),
        }
    }

    /// The whole ARN, where it is known.
    fn whole(&self) -> Option<String> {
        let (Some(region), Some(name)) = (&self.region, &self.name) else { return None };
        Some(format!("arn:{}:eks:{region}:{}:cluster/{name}", self.partition, self.account))
    }
}

/// The clusters that the inputs may be of: those whose ARN they say, else any of the accounts of what is mapped.
pub fn clusters(cluster: &Cluster) -> BTreeSet<ClusterArn> {
    let mut found = BTreeSet::new();
    for pods in &cluster.pod_roles().0 {
        let PodRoleVia::Association { cluster: name, arn, .. } = &pods.via else { continue };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        if let ["arn", partition, "eks", region, account, _] = parts.as_slice() {
            found.extend(ClusterArn::of(&format!("arn:{partition}:eks:{region}:{account}:cluster/{name}")));
        }
    }
    if !found.is_empty() {
        return found;
    }
    let mut mapped = Vec::new();
    for identity in cluster.identities().identities() {
        let MappingReach::Callers(_) = identity.reach else { continue };
        let Some(id) = cluster.iam().find(identity.arn) else { continue };
        let Some(principal) = cluster.iam().principal_of(id) else { continue };
        // Nodes are of the account of the cluster.
        let is_node = cluster.identify(identity.arn, None).only_instances();
        let arn = &principal.arn;
        let of = ClusterArn {
            partition: arn.partition.clone(),
            region: None,
            account: arn.account.clone(),
            name: None,
        };
        mapped.push((is_node, of));
    }
    let has_nodes = mapped.iter().any(|(is_node, _)| *is_node);
    mapped.into_iter().filter(|(is_node, _)| *is_node || !has_nodes).map(|(_, of)| of).collect()
}

/// Everybody whom IAM allows, or on conditions allows, any of the actions on a cluster.
pub fn eks_doors(data: &IamData, cluster: &ClusterArn) -> Vec<EksDoor> {
    let context = Context::new();
    let lenses = ACTIONS.map(|(action, effect)| (action, effect, Lens::new(data, action)));
    let mut doors = Vec::new();
    for (id, principal) in data.principals().filter(|(_, principal)| !principal.is_service_linked()) {
        // The policies of other accounts do not reach the cluster: EKS knows no resource policies.
        if cluster.account != principal.arn.account {
            continue;
        }
        let caller = Caller::Known { principal, session: None };
        let mut actions = Vec::new();
        for (action, effect, lens) in lenses.iter().map(|(action, effect, lens)| (*action, *effect, lens)) {
            let resource = cluster.resource(action);
            let verdict = match cluster.whole() {
                Some(arn) if resource.beginning.starts_with("cluster/") => {
                    lens.on_resource(&caller, &arn, &context)
                }
                _ => lens.on_some(&caller, &resource, &context),
            };
            if verdict.value != Ternary::No {
                actions.push(Allowed { action, effect, verdict });
            }
        }
        if !actions.is_empty() {
            doors.push(EksDoor { id, actions, people: Vec::new() });
        }
    }
    doors
}

/// The same for the cluster of the inputs, with the people behind each role; those who become administrators first.
pub fn of_cluster(cluster: &Cluster, people: &People<'_, '_>) -> Vec<EksDoor> {
    let data = cluster.iam();
    let mut doors: Vec<EksDoor> = Vec::new();
    for arn in clusters(cluster) {
        for door in eks_doors(data, &arn) {
            if !doors.iter().any(|known| known.id == door.id && known.is_admin() >= door.is_admin()) {
                doors.retain(|known| known.id != door.id);
                doors.push(door);
            }
        }
    }
    for door in &mut doors {
        if data.principal_of(door.id).is_some_and(|principal| !principal.is_user) {
            door.people = people.assumers(door.id);
        }
    }
    doors.sort_by_key(|door| (std::cmp::Reverse(door.is_admin()), door.id));
    doors
}
