//! Who stands behind a subject: IAM identities that are mapped to it, workloads that run as it.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ask::paths::{From, starts};
use crate::ask::system::System;
use crate::decide::cluster::Cluster;
use crate::decide::graph::Principal;
use crate::model::names::Name;
use crate::model::user::SYSTEM_MASTERS;
use crate::model::workload::WorkloadKind;

/// Groups that everybody is in, or everybody of a kind.
const ANYONE: [&str; 5] = [
    "Group system:unauthenticated",
    "User system:anonymous",
    "Group system:authenticated",
    "Group system:serviceaccounts",
    "Group system:serviceaccounts:",
];

pub(super) struct Holders {
    behind: FxHashMap<String, Vec<String>>,
    workloads: FxHashMap<String, Vec<(WorkloadKind, String)>>,
    /// Service accounts of which some running pod has the token.
    with_token: FxHashSet<String>,
}

impl Holders {
    pub(super) fn new(cluster: &Cluster) -> Self {
        let policy = cluster.graph().policy();
        let mut behind: FxHashMap<String, Vec<String>> = FxHashMap::default();
        for from in starts(cluster).iter().filter(|from| from.title.starts_with("IAM ")) {
            let Some(user) = &from.user else { continue };
            let arn = from.title.trim_start_matches("IAM ");
            for group in &user.groups {
                behind.entry(format!("Group {group}")).or_default().push(arn.to_owned());
            }
            behind.entry(format!("User {}", user.username)).or_default().push(arn.to_owned());
        }
        let mut workloads: FxHashMap<String, Vec<(WorkloadKind, String)>> = FxHashMap::default();
        let mut automount: FxHashMap<(Name, Name), Option<bool>> = FxHashMap::default();
        for account in &policy.inventory.accounts {
            automount.insert((account.namespace, account.name), account.automount);
        }
        let mut with_token: FxHashSet<String> = FxHashSet::default();
        for workload in policy.inventory.workloads.iter().filter(|own| !own.is_stopped) {
            let text = |name| policy.names.text(name);
            let namespace = text(workload.namespace);
            let account = format!("ServiceAccount {namespace}/{}", text(workload.service_account));
            let title = format!("{} {namespace}/{}", workload.kind.as_str(), text(workload.name));
            let own = automount.get(&(workload.namespace, workload.service_account)).copied().flatten();
            if workload.has_token_volume || workload.automount.or(own).unwrap_or(true) {
                with_token.insert(account.clone());
            }
            workloads.entry(account).or_default().push((workload.kind, title));
        }
        Self { behind, workloads, with_token }
    }

    /// Whether a subject is counted and not listed: it comes with Kubernetes or EKS, and nothing was bound to it besides.
    pub(super) fn is_system(cluster: &Cluster, system: &System, from: &From) -> bool {
        let Some((kind, own)) = from.title.split_once(' ') else { return false };
        let names = &cluster.graph().policy().names;
        match kind {
            "ServiceAccount" => own.split_once('/').is_some_and(|(namespace, name)| {
                let username = names.lookup(&format!("system:serviceaccount:{namespace}:{name}"));
                system.is_own(kind, namespace, name)
                    && !system.is_bound_besides(cluster, Principal::Username(username))
            }),
            "User" if own.starts_with("eks:") || own.starts_with("system:kube-") => {
                !system.is_bound_besides(cluster, Principal::Username(names.lookup(own)))
            }
            "Group" if own.starts_with("eks:") => {
                !system.is_bound_besides(cluster, Principal::Group(names.lookup(own)))
            }
            _ => own == SYSTEM_MASTERS,
        }
    }

    /// By how many levels a right is worse in these hands.
    pub(super) fn raise(&self, from: &From) -> usize {
        let anyone =
            ANYONE.iter().any(|own| from.title == *own || own.ends_with(':') && from.title.starts_with(own));
        if anyone {
            return 2;
        }
        match self.workloads.get(&from.title).filter(|_| self.has_token(from)) {
            None => 0,
            Some(own) if own.iter().any(|(kind, _)| *kind == WorkloadKind::DaemonSet) => 2,
            Some(_) => 1,
        }
    }

    /// Whether a running pod has the token of a service account.
    pub(super) fn has_token(&self, from: &From) -> bool {
        self.with_token.contains(&from.title)
    }

    /// Whether it runs on every node.
    pub(super) fn is_on_every_node(&self, from: &From) -> bool {
        let own = self.workloads.get(&from.title).into_iter().flatten();
        own.into_iter().any(|(kind, _)| *kind == WorkloadKind::DaemonSet)
    }

    /// The workloads that run as a service account.
    pub(super) fn workloads(&self, from: &From) -> Vec<String> {
        let own = self.workloads.get(&from.title).into_iter().flatten();
        let mut all: Vec<String> = own.map(|(_, title)| title.clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// IAM identities and workloads behind a subject.
    pub(super) fn behind(&self, from: &From) -> Vec<String> {
        let mut all = self.behind.get(&from.title).cloned().unwrap_or_default();
        if let Some(arn) = from.title.strip_prefix("IAM ") {
            all.push(arn.to_owned());
        }
        all.sort_unstable();
        all.dedup();
        all.extend(self.workloads(from));
        all
    }
}
