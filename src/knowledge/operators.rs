//! Custom resources by which a controller acts for whoever writes them: API groups, resources, and as whom it acts.
//!
//! One row an operator; a row more is all that another one takes.

/// An API group and a resource of it.
pub type Kind = (&'static str, &'static str);

/// What runs pods as the service account that the resource names.
pub const RUN_PODS: &[Kind] = &[
    ("argoproj.io", "workflows"),
    ("argoproj.io", "cronworkflows"),
    ("argoproj.io", "rollouts"),
    ("tekton.dev", "taskruns"),
    ("tekton.dev", "pipelineruns"),
    ("batch.volcano.sh", "jobs"),
    ("jobset.x-k8s.io", "jobsets"),
    ("leaderworkerset.x-k8s.io", "leaderworkersets"),
    ("ray.io", "rayclusters"),
    ("ray.io", "rayjobs"),
    ("sparkoperator.k8s.io", "sparkapplications"),
    ("flink.apache.org", "flinkdeployments"),
    ("kubeflow.org", "notebooks"),
    ("serving.knative.dev", "services"),
    ("keda.sh", "scaledjobs"),
    ("actions.github.com", "autoscalingrunnersets"),
    ("apps.kruise.io", "statefulsets"),
    ("apps.kruise.io", "clonesets"),
    ("apps.kruise.io", "daemonsets"),
    ("monitoring.coreos.com", "prometheuses"),
    ("monitoring.coreos.com", "alertmanagers"),
];

/// What Flux applies.
pub const FLUX: &[Kind] =
    &[("kustomize.toolkit.fluxcd.io", "kustomizations"), ("helm.toolkit.fluxcd.io", "helmreleases")];

/// What Argo CD applies.
pub const ARGO: &[Kind] =
    &[("argoproj.io", "applications"), ("argoproj.io", "applicationsets"), ("argoproj.io", "appprojects")];

/// Policies of Kyverno that generate and change objects.
pub const KYVERNO: &[Kind] = &[("kyverno.io", "clusterpolicies"), ("kyverno.io", "policies")];

/// What becomes calls of the EKS API that let somebody in.
pub const EKS: &[Kind] = &[
    ("eks.services.k8s.aws", "accessentries"),
    ("eks.services.k8s.aws", "clusters"),
    ("eks.aws.upbound.io", "accesspolicyassociations"),
    ("eks.aws.upbound.io", "clusters"),
    ("eks.aws.m.upbound.io", "accesspolicyassociations"),
    ("eks.aws.m.upbound.io", "clusters"),
    ("controlplane.cluster.x-k8s.io", "awsmanagedcontrolplanes"),
];

/// A controller that applies what it is told, and the service accounts as which it does.
#[derive(Copy, Clone, Debug)]
pub struct Applier {
    /// Its name, for people.
    pub name: &'static str,
    /// What it applies.
    pub kinds: &'static [Kind],
    /// The names of its service accounts.
    pub accounts: &'static [&'static str],
    /// Whether only resources of its own namespace count by default.
    pub is_at_home: bool,
    /// What may keep it from acting as itself.
    pub unless: &'static str,
}

/// Every controller of this kind.
pub const APPLIERS: &[Applier] = &[
    Applier {
        name: "Flux",
        kinds: FLUX,
        accounts: &["kustomize-controller", "helm-controller"],
        is_at_home: false,
        unless: "its controllers run without --default-service-account",
    },
    Applier {
        name: "Argo CD",
        kinds: ARGO,
        accounts: &["argocd-application-controller"],
        is_at_home: true,
        unless: "the AppProject allows the destination",
    },
    Applier {
        name: "Kyverno",
        kinds: KYVERNO,
        accounts: &["kyverno-background-controller"],
        is_at_home: false,
        unless: "the policy generates or changes what its role allows",
    },
];
