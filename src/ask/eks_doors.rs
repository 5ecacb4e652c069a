//! Who can let himself into the cluster through the API of EKS, without being mapped.

use std::collections::BTreeSet;

use crate::ask::behind::Assumer;
use crate::ask::people::People;
use crate::decide::cluster::Cluster;
use crate::identity::Reach as MappingReach;
use crate::identity::access_entries::{AccessEntries, AuthenticationMode};
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
        UPDATE_ENTRY,
        "changes the Kubernetes groups of an access entry, to any that does not begin with `system:`",
    ),
    (
        "eks:AssociateIdentityProviderConfig",
        "lets the users of an OIDC provider of its choice log in, with groups",
    ),
    (UPDATE_CONFIG, "turns access entries on, where the authentication mode is CONFIG_MAP"),
    ("eks:CreatePodIdentityAssociation", "gives pods an IAM role that it may pass (`iam:PassRole`)"),
];

const CREATE_ENTRY: &str = "eks:CreateAccessEntry";
const ASSOCIATE_POLICY: &str = "eks:AssociateAccessPolicy";
const UPDATE_ENTRY: &str = "eks:UpdateAccessEntry";
const UPDATE_CONFIG: &str = "eks:UpdateClusterConfig";

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
    /// The authentication mode of the cluster; `None` where it is not known.
    pub mode: Option<AuthenticationMode>,
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
    fn may(&self, wanted: &str) -> Ternary {
        let found = self.actions.iter().find(|allowed| allowed.action == wanted);
        found.map_or(Ternary::No, |allowed| allowed.verdict.value)
    }

    /// Whether it can make itself an administrator of the cluster, by these actions alone.
    pub fn is_admin(&self) -> Ternary {
        self.may(CREATE_ENTRY).and(self.may(ASSOCIATE_POLICY)).and(self.has_entries())
    }

    /// Whether the cluster has access entries, or gets them from it.
    fn has_entries(&self) -> Ternary {
        match self.mode {
            Some(AuthenticationMode::ConfigMap) => self.may(UPDATE_CONFIG),
            Some(_) => Ternary::Yes,
            None => self.may(UPDATE_CONFIG).or(Ternary::Unknown),
        }
    }

    /// Whether it depends on the authentication mode, which is not known, what access entries it writes are worth.
    pub fn depends_on_mode(&self) -> bool {
        let writes = self.actions.iter().any(|allowed| is_about_entries(allowed.action));
        writes && self.mode.is_none() && self.has_entries() != Ternary::Yes
    }

    /// Leaves out what EKS refuses, or what changes nothing, in the mode of the cluster.
    fn in_mode(mut self) -> Self {
        let has_none = self.has_entries() == Ternary::No;
        let is_on = self.mode.is_some_and(|mode| mode != AuthenticationMode::ConfigMap);
        self.actions.retain(|allowed| match allowed.action {
            UPDATE_CONFIG => !is_on,
            action => !(has_none && is_about_entries(action)),
        });
        self
    }
}

/// Whether an action is about access entries, which EKS refuses in the mode `CONFIG_MAP`.
fn is_about_entries(action: &str) -> bool {
    matches!(action, CREATE_ENTRY | ASSOCIATE_POLICY | UPDATE_ENTRY)
}

impl ClusterArn {
    /// The cluster with an ARN, or that to which something with an ARN belongs; `None` for what is neither.
    pub fn of(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, "eks", region, account, resource] = parts.as_slice() else { return None };
        let (kind, rest) = resource.split_once('/')?;
        if !matches!(kind, "cluster" | "access-entry" | "podidentityassociation") {
            return None;
        }
        Some(Self {
            partition: (*partition).into(),
            region: Some((*region).into()),
            account: (*account).into(),
            name: rest.split('/').next().filter(|name| !name.is_empty()).map(Into::into),
        })
    }

    /// The resource that an action is about: some are about an access entry, of which the name is not chosen yet.
    fn resource(&self, action: &str) -> SomeArn {
        let is_entry = matches!(action, ASSOCIATE_POLICY | UPDATE_ENTRY);
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
            is_open: is_entry || self.name.is_none(),
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
    let access = cluster.identities().access();
    let name = access.and_then(AccessEntries::cluster);
    let is_meant = |found: &ClusterArn| name.is_none() || found.name.as_deref() == name;
    let arns = access.map_or(&[][..], AccessEntries::arns);
    let of_pods = cluster.pod_roles().0.iter().filter_map(|pods| match &pods.via {
        PodRoleVia::Association { arn, .. } => Some(&**arn),
        PodRoleVia::Annotation => None,
    });
    let told = arns.iter().map(String::as_str).chain(of_pods);
    let found: BTreeSet<ClusterArn> = told.filter_map(ClusterArn::of).filter(is_meant).collect();
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
            name: name.map(Into::into),
        };
        mapped.push((is_node, of));
    }
    let has_nodes = mapped.iter().any(|(is_node, _)| *is_node);
    mapped.into_iter().filter(|(is_node, _)| *is_node || !has_nodes).map(|(_, of)| of).collect()
}

/// The authentication mode of the cluster; `None` where the inputs do not tell it.
pub fn mode(cluster: &Cluster) -> Option<AuthenticationMode> {
    cluster.identities().access().and_then(AccessEntries::mode)
}

/// Everybody whom IAM allows, or on conditions allows, any of the actions on a cluster with that authentication mode.
pub fn eks_doors(data: &IamData, cluster: &ClusterArn, mode: Option<AuthenticationMode>) -> Vec<EksDoor> {
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
        let door = EksDoor { id, actions, mode, people: Vec::new() }.in_mode();
        if !door.actions.is_empty() {
            doors.push(door);
        }
    }
    doors
}

/// The same for the cluster of the inputs, with the people behind each role; those who become administrators first.
pub fn of_cluster(cluster: &Cluster, people: &People<'_, '_>) -> Vec<EksDoor> {
    let data = cluster.iam();
    let mut doors: Vec<EksDoor> = Vec::new();
    for arn in clusters(cluster) {
        for door in eks_doors(data, &arn, mode(cluster)) {
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
