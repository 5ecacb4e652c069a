//! What stands beside RBAC and decides what access leads to: workloads, Secrets by name, settings of accounts and
//! namespaces.
//!
//! Only names, types and switches are kept. What a Secret holds is never read.

use crate::model::names::Name;
use crate::model::source::{Shift, Source};

/// A kind of object that has, or is, a pod template.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    /// A Pod.
    Pod,
    /// A `PodTemplate`, which starts nothing.
    PodTemplate,
    /// A `ReplicationController`.
    ReplicationController,
    /// A `DaemonSet`, which has a pod on every node.
    DaemonSet,
    /// A Deployment.
    Deployment,
    /// A ReplicaSet.
    ReplicaSet,
    /// A `StatefulSet`.
    StatefulSet,
    /// A `CronJob`.
    CronJob,
    /// A Job, whose template cannot be changed.
    Job,
}

impl WorkloadKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Pod,
        Self::PodTemplate,
        Self::ReplicationController,
        Self::DaemonSet,
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::CronJob,
        Self::Job,
    ];

    /// The kind of a name.
    pub fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == kind)
    }

    /// The kind as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::PodTemplate => "PodTemplate",
            Self::ReplicationController => "ReplicationController",
            Self::DaemonSet => "DaemonSet",
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::StatefulSet => "StatefulSet",
            Self::CronJob => "CronJob",
            Self::Job => "Job",
        }
    }

    /// The API group and the resource.
    pub fn resource(self) -> (&'static str, &'static str) {
        match self {
            Self::Pod => ("", "pods"),
            Self::PodTemplate => ("", "podtemplates"),
            Self::ReplicationController => ("", "replicationcontrollers"),
            Self::DaemonSet => ("apps", "daemonsets"),
            Self::Deployment => ("apps", "deployments"),
            Self::ReplicaSet => ("apps", "replicasets"),
            Self::StatefulSet => ("apps", "statefulsets"),
            Self::CronJob => ("batch", "cronjobs"),
            Self::Job => ("batch", "jobs"),
        }
    }

    /// The apiVersion that is served.
    pub fn api_version(self) -> &'static str {
        match self.resource().0 {
            "apps" => "apps/v1",
            "batch" => "batch/v1",
            _ => "v1",
        }
    }

    /// Whether it keeps pods running of which the inputs need not hold any.
    pub fn keeps_pods(self) -> bool {
        matches!(
            self,
            Self::DaemonSet
                | Self::Deployment
                | Self::StatefulSet
                | Self::ReplicaSet
                | Self::ReplicationController
        )
    }

    /// Whether a change of its template runs pods of the changed form.
    pub fn can_be_changed(self) -> bool {
        self.keeps_pods() || self == Self::CronJob
    }
}

/// What lets root in a container take over the node.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A container is privileged.
    Privileged,
    /// A container mounts this directory of the node.
    HostPath(Name),
}

/// A Pod, or something with a pod template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: Name,
    /// Its name; empty where the API server makes one up.
    pub name: Name,
    /// The service account that its pods run as.
    pub service_account: Name,
    /// `automountServiceAccountToken` of the pod.
    pub automount: Option<bool>,
    /// Whether a projected volume holds a token for the API server.
    pub has_token_volume: bool,
    /// What opens the node to root in it.
    pub opening: Option<Opening>,
    /// The node of a Pod; empty where it has none.
    pub node: Name,
    /// Whether it runs nothing: a Pod that is not running, or no replicas.
    pub is_stopped: bool,
    /// Where it stands.
    pub source: Source,
}

/// A Secret: its name and type, and the service account whose token it holds. Never its data.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The account of which it holds a token; empty where it holds none.
    pub token_of: Name,
    /// Where it stands.
    pub source: Source,
}

/// What a ServiceAccount says beside its name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// `automountServiceAccountToken`.
    pub automount: Option<bool>,
    /// The IAM role that the annotation `eks.amazonaws.com/role-arn` names; empty for none.
    pub role_arn: Name,
    /// Where it stands.
    pub source: Source,
}

/// What a Namespace says beside its name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct NamespaceSettings {
    /// Its name.
    pub name: Name,
    /// The label `pod-security.kubernetes.io/enforce`; empty for none.
    pub enforce: Name,
}

/// Everything of this kind that was loaded, in the order of the inputs.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Workloads.
    pub workloads: Vec<Workload>,
    /// Secrets.
    pub secrets: Vec<Secret>,
    /// Service accounts.
    pub accounts: Vec<AccountSettings>,
    /// Namespaces.
    pub namespaces: Vec<NamespaceSettings>,
    /// Namespaces in which other objects stand.
    pub homes: Vec<Name>,
}

/// How much an [`Inventory`] held at a moment.
#[derive(Copy, Clone, Debug)]
pub(crate) struct InventoryMark([usize; 5]);

impl Inventory {
    /// Forgets everything, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.go_back(InventoryMark([0; 5]));
    }

    /// How much there is, to go back to.
    pub(crate) fn mark(&self) -> InventoryMark {
        InventoryMark([
            self.workloads.len(),
            self.secrets.len(),
            self.accounts.len(),
            self.namespaces.len(),
            self.homes.len(),
        ])
    }

    /// Forgets what came after the mark.
    pub(crate) fn go_back(&mut self, InventoryMark([a, b, c, d, e]): InventoryMark) {
        self.workloads.truncate(a);
        self.secrets.truncate(b);
        self.accounts.truncate(c);
        self.namespaces.truncate(d);
        self.homes.truncate(e);
    }

    /// Takes in what was read apart: `name` gives the name here of one there.
    pub(crate) fn absorb(&mut self, other: &mut Self, name: &dyn Fn(Name) -> Name, shift: &Shift) {
        self.workloads.extend(other.workloads.drain(..).map(|workload| Workload {
            namespace: name(workload.namespace),
            name: name(workload.name),
            service_account: name(workload.service_account),
            opening: match workload.opening {
                Some(Opening::HostPath(path)) => Some(Opening::HostPath(name(path))),
                opening => opening,
            },
            node: name(workload.node),
            source: shift.source(workload.source),
            ..workload
        }));
        self.secrets.extend(other.secrets.drain(..).map(|secret| Secret {
            namespace: name(secret.namespace),
            name: name(secret.name),
            token_of: name(secret.token_of),
            source: shift.source(secret.source),
        }));
        self.accounts.extend(other.accounts.drain(..).map(|account| AccountSettings {
            namespace: name(account.namespace),
            name: name(account.name),
            role_arn: name(account.role_arn),
            source: shift.source(account.source),
            ..account
        }));
        self.namespaces.extend(
            other
                .namespaces
                .drain(..)
                .map(|own| NamespaceSettings { name: name(own.name), enforce: name(own.enforce) }),
        );
        self.homes.extend(other.homes.drain(..).map(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in WorkloadKind::ALL {
            assert_eq!(WorkloadKind::of(kind.as_str()), Some(kind));
            assert!(kind.can_be_changed() || !kind.keeps_pods());
        }
        assert_eq!(WorkloadKind::of("pod"), None);
        assert_eq!(WorkloadKind::CronJob.api_version(), "batch/v1");
        assert_eq!(WorkloadKind::ReplicationController.api_version(), "v1");
    }
}
