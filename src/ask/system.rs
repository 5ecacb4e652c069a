//! Whoever came with Kubernetes or EKS: left out where people ask who of their own can.

use rustc_hash::FxHashSet;

use super::who_can::{Named, WhoCan};
use crate::decide::cluster::{Cluster, WhoIs};
use crate::decide::graph::Principal;
use crate::knowledge::defaults;
use crate::model::source::Source;

/// The service accounts that EKS installs in `kube-system` beside those that its bindings name.
const EKS_ACCOUNTS: [&str; 9] = [
    "aws-node",
    "coredns",
    "eks-admin",
    "eks-certificates-controller",
    "eks-nodewatcher",
    "eks-vpc-resource-controller",
    "kube-proxy",
    "tagging-controller",
    "vpc-resource-controller",
];

/// Whom a cluster's own defaults know.
#[derive(Clone, Debug)]
pub struct System {
    accounts: FxHashSet<&'static str>,
    /// The default bindings, as namespace and name.
    bindings: FxHashSet<(&'static str, &'static str)>,
}

impl System {
    /// What came with a cluster, whether or not it was added to the inputs.
    pub fn of(cluster: &Cluster) -> Self {
        let version = cluster.version();
        let all = || defaults::bindings(version).chain(defaults::eks_bindings(version));
        let accounts = all().flat_map(|binding| binding.subjects);
        let accounts =
            accounts.filter(|subject| subject.kind == "ServiceAccount").map(|subject| subject.name);
        Self {
            accounts: accounts.chain(EKS_ACCOUNTS).collect(),
            bindings: all().map(|binding| (binding.namespace.unwrap_or_default(), binding.name)).collect(),
        }
    }

    /// Whether a subject is one of these: `system:` and `eks:` names, the service accounts of controllers and of what
    /// EKS installs. The namespace is that of a service account.
    pub fn is_own(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let system = name.starts_with("system:") || name.starts_with("eks:");
        match kind {
            "ServiceAccount" => namespace == "kube-system" && (system || self.accounts.contains(name)),
            _ => system,
        }
    }

    /// Whether a user is a node.
    pub fn is_node(username: &str) -> bool {
        username.starts_with("system:node:")
    }

    /// Whether a binding is one of the defaults.
    pub fn is_default_binding(&self, namespace: &str, name: &str) -> bool {
        self.bindings.contains(&(namespace, name))
    }

    /// Whether a binding that is none of the defaults names a principal.
    pub fn is_bound_besides(&self, cluster: &Cluster, principal: Principal) -> bool {
        let graph = cluster.graph();
        let text = |name| graph.policy().names.text(name);
        graph.scopes_of(principal).any(|scope| {
            graph.bindings_of(principal, scope).any(|applied| {
                let bound = applied.binding;
                !self.is_default_binding(text(scope.namespace()), text(bound.name))
            })
        })
    }
}

/// How many were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Subjects.
    pub subjects: usize,
    /// IAM identities: nodes.
    pub identities: usize,
    /// Those of the subjects whom a binding of the inputs names: worth a look all the same.
    pub bound_by_inputs: Vec<String>,
}

/// Leaves out whoever came with Kubernetes or EKS, but for Group `system:masters`.
pub fn leave_out(cluster: &Cluster, found: &mut WhoCan<'_>) -> LeftOut {
    let system = System::of(cluster);
    let policy = cluster.graph().policy();
    let of_inputs = |source: Source| !policy.is_builtin(source);
    let is_own =
        |named: &Named| !named.is_masters() && system.is_own(named.kind, &named.namespace, &named.name);
    let mut left_out = LeftOut::default();
    // Of one subject there may be several entries: for any name, and for some.
    let mut counted: FxHashSet<Named> = FxHashSet::default();
    let mut out = |named: &Named, mut bound: &mut dyn Iterator<Item = (Source, &str, &str)>| {
        if !is_own(named) {
            return false;
        }
        left_out.subjects += usize::from(counted.insert(named.clone()));
        if Iterator::any(&mut bound, |(source, namespace, name)| {
            of_inputs(source) && !system.is_default_binding(namespace, name)
        }) {
            let title = match named.namespace.as_str() {
                "" => format!("{} `{}`", named.kind, named.name),
                namespace => format!("{} `{namespace}/{}`", named.kind, named.name),
            };
            if !left_out.bound_by_inputs.contains(&title) {
                left_out.bound_by_inputs.push(title);
            }
        }
        true
    };
    let text = |name| policy.names.text(name);
    let place = |grant: &super::who_can::GrantRef<'_>| {
        let bound = grant.applied.binding;
        (bound.source, text(bound.scope.namespace()), text(bound.name))
    };
    // Where those stand who stay.
    let mut stay = 0;
    let moved: Vec<Option<usize>> = found
        .subjects
        .iter()
        .map(|can| {
            let stays = !out(&can.subject, &mut can.grants.iter().map(place));
            stays.then(|| {
                stay += 1;
                stay - 1
            })
        })
        .collect();
    let mut kept = moved.iter().map(Option::is_some);
    found.subjects.retain(|_| kept.next() == Some(true));
    found.in_namespaces.retain(|can| !out(&can.subject, &mut can.grants.iter().map(place)));
    found.unknown_subjects.retain(|can| !out(&can.subject, &mut can.grants.iter().map(place)));
    for binding in &mut found.unresolved {
        binding.subjects.retain(|named| !is_own(named));
    }
    found.unresolved.retain(|binding| !binding.subjects.is_empty());
    let is_node = |is: &WhoIs| match is {
        WhoIs::Mapped(mapped) => System::is_node(&mapped.user_info().username),
        _ => false,
    };
    let before = found.identities.len() + found.identities_in.len() + found.unknown_identities.len();
    found.identities.retain(|can| !is_node(&can.who.is));
    found.identities_in.retain(|(can, _)| !is_node(&can.who.is));
    found.unknown_identities.retain(|can| !is_node(&can.who.is));
    let identities = found
        .identities
        .iter_mut()
        .chain(found.identities_in.iter_mut().map(|(can, _)| can))
        .chain(&mut found.unknown_identities);
    for can in identities {
        can.through = can.through.iter().filter_map(|index| moved.get(*index).copied().flatten()).collect();
    }
    let after = found.identities.len() + found.identities_in.len() + found.unknown_identities.len();
    left_out.identities = before - after;
    left_out
}
