//! API groups that add-ons serve behind the API server's proxy, without a CRD: their own servers authenticate the caller
//! again, by the header in which the proxy names it.

/// Groups that well-known add-ons serve in this way. Sources: the `APIService` manifests of each.
const KNOWN: [&str; 19] = [
    // Metrics.
    "custom.metrics.k8s.io",
    "external.metrics.k8s.io",
    "metrics.eks.amazonaws.com",
    "metrics.k8s.io",
    // Antrea.
    "controlplane.antrea.io",
    "stats.antrea.io",
    "system.antrea.io",
    // KubeVirt.
    "subresources.kubevirt.io",
    "upload.cdi.kubevirt.io",
    // Operator Lifecycle Manager, kapp-controller, Calico, Karmada, open-cluster-management, vCluster, Pinniped.
    "packages.operators.coreos.com",
    "data.packaging.carvel.dev",
    "projectcalico.org",
    "cluster.karmada.io",
    "search.karmada.io",
    "proxy.open-cluster-management.io",
    "clusterview.open-cluster-management.io",
    "management.loft.sh",
    "identity.concierge.pinniped.dev",
    "login.concierge.pinniped.dev",
];

/// Whether a well-known add-on serves a group in this way.
pub fn is_known(group: &str) -> bool {
    KNOWN.contains(&group)
}
