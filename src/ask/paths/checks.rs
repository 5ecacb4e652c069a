//! The questions that steps put to the authorizer, answered once for every role.
//!
//! RBAC joins rules by "or": a request passes if one rule of one role that somebody holds allows it. So what a role
//! answers to each question is found once, by the one matcher, and rights are unions of these answers.

use rustc_hash::FxHashMap;

use crate::decide::evaluate::matches::{Request, Target};
use crate::decide::graph::RbacGraph;
use crate::knowledge::operators;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::rbac::{PolicyRule, RuleId};
use crate::model::version::KubernetesVersion;

/// A set of checks, a bit each.
pub(crate) type Bits = u128;

/// A question: one of some verbs on one of some resources.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Check {
    ImpersonateUsers,
    ImpersonateGroups,
    ImpersonateAccounts,
    CreateTokens,
    ReadSecrets,
    CreateSecrets,
    CreatePods,
    CreateWorkloads,
    ChangeDaemonSets,
    ChangeDeployments,
    ChangeReplicaSets,
    ChangeStatefulSets,
    ChangeCronJobs,
    ChangeReplicationControllers,
    ChangePods,
    Exec,
    AddContainers,
    ReachKubelets,
    ChangeNamespaces,
    CreateVolumes,
    CreateClaims,
    CreateAccounts,
    CreateBindings,
    ChangeBindings,
    CreateClusterBindings,
    ChangeClusterBindings,
    CreateRoles,
    ChangeRoles,
    CreateClusterRoles,
    ChangeClusterRoles,
    BindRoles,
    BindClusterRoles,
    EscalateRoles,
    EscalateClusterRoles,
    ChangeConfigMaps,
    DeleteConfigMaps,
    CreateConfigMaps,
    Everything,
    Attach,
    RunByOperator,
    WriteFlux,
    WriteArgo,
    WriteKyverno,
    WriteEksResources,
    CreateCertificates,
    ApproveCertificates,
    ApproveSigners,
    WriteWebhooks,
    WriteMutations,
    BindMutations,
    MovePods,
    ChangeNodes,
    WriteDrivers,
    SignSigners,
    ChangeCertificates,
    ApplyPods,
    PatchPods,
    ApplyDeployments,
    PatchDeployments,
    ApplySecrets,
    PatchSecrets,
    WriteValidations,
    ChangeDefinitions,
    ApplyDaemonSets,
    PatchDaemonSets,
    ApplyReplicaSets,
    PatchReplicaSets,
    ApplyStatefulSets,
    PatchStatefulSets,
    ApplyJobs,
    PatchJobs,
    ApplyCronJobs,
    PatchCronJobs,
    ApplyReplicationControllers,
    PatchReplicationControllers,
    ActAsUsers,
    ActAsGroups,
    ActAsAccounts,
    ActAsNodes,
    ActAsOwnNode,
}

/// The verbs that show what a Secret holds: patch and deletecollection answer with the objects.
pub(crate) const READ: &[&str] = &["get", "list", "watch", "patch", "deletecollection"];
const CHANGE: &[&str] = &["update", "patch"];
const CREATE: &[&str] = &["create"];
const PATCH: &[&str] = &["patch"];
const IMPERSONATE: &[&str] = &["impersonate"];
const WRITE: &[&str] = &["create", "update", "patch"];
/// The first minor version of Kubernetes that knows constrained impersonation.
pub(crate) const CONSTRAINED_FROM: u8 = 35;
const AUTHENTICATION: &str = "authentication.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const WORKLOADS: &[(&str, &str)] = &[
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("", "replicationcontrollers"),
];

/// What a check asks: verbs, and groups with resources, each of them an alternative.
pub(crate) type Asked = (&'static [&'static str], &'static [(&'static str, &'static str)]);

impl Check {
    pub(crate) const ALL: [Self; 80] = [
        Self::ImpersonateUsers,
        Self::ImpersonateGroups,
        Self::ImpersonateAccounts,
        Self::CreateTokens,
        Self::ReadSecrets,
        Self::CreateSecrets,
        Self::CreatePods,
        Self::CreateWorkloads,
        Self::ChangeDaemonSets,
        Self::ChangeDeployments,
        Self::ChangeReplicaSets,
        Self::ChangeStatefulSets,
        Self::ChangeCronJobs,
        Self::ChangeReplicationControllers,
        Self::ChangePods,
        Self::Exec,
        Self::AddContainers,
        Self::ReachKubelets,
        Self::ChangeNamespaces,
        Self::CreateVolumes,
        Self::CreateClaims,
        Self::CreateAccounts,
        Self::CreateBindings,
        Self::ChangeBindings,
        Self::CreateClusterBindings,
        Self::ChangeClusterBindings,
        Self::CreateRoles,
        Self::ChangeRoles,
        Self::CreateClusterRoles,
        Self::ChangeClusterRoles,
        Self::BindRoles,
        Self::BindClusterRoles,
        Self::EscalateRoles,
        Self::EscalateClusterRoles,
        Self::ChangeConfigMaps,
        Self::DeleteConfigMaps,
        Self::CreateConfigMaps,
        Self::Everything,
        Self::Attach,
        Self::RunByOperator,
        Self::WriteFlux,
        Self::WriteArgo,
        Self::WriteKyverno,
        Self::WriteEksResources,
        Self::CreateCertificates,
        Self::ApproveCertificates,
        Self::ApproveSigners,
        Self::WriteWebhooks,
        Self::WriteMutations,
        Self::BindMutations,
        Self::MovePods,
        Self::ChangeNodes,
        Self::WriteDrivers,
        Self::SignSigners,
        Self::ChangeCertificates,
        Self::ApplyPods,
        Self::PatchPods,
        Self::ApplyDeployments,
        Self::PatchDeployments,
        Self::ApplySecrets,
        Self::PatchSecrets,
        Self::WriteValidations,
        Self::ChangeDefinitions,
        Self::ApplyDaemonSets,
        Self::PatchDaemonSets,
        Self::ApplyReplicaSets,
        Self::PatchReplicaSets,
        Self::ApplyStatefulSets,
        Self::PatchStatefulSets,
        Self::ApplyJobs,
        Self::PatchJobs,
        Self::ApplyCronJobs,
        Self::PatchCronJobs,
        Self::ApplyReplicationControllers,
        Self::PatchReplicationControllers,
        Self::ActAsUsers,
        Self::ActAsGroups,
        Self::ActAsAccounts,
        Self::ActAsNodes,
        Self::ActAsOwnNode,
    ];

    /// What it asks in a version of Kubernetes.
    pub(crate) fn asked(self, version: KubernetesVersion) -> Asked {
        match self {
            Self::ImpersonateUsers => (IMPERSONATE, &[("", "users")]),
            // Constrained impersonation came with 1.35.
            Self::ActAsUsers
            | Self::ActAsGroups
            | Self::ActAsAccounts
            | Self::ActAsNodes
            | Self::ActAsOwnNode
                if version.minor() < CONSTRAINED_FROM =>
            {
                (&[], &[])
            }
            Self::ActAsUsers => (&["impersonate:user-info"], &[(AUTHENTICATION, "users")]),
            Self::ActAsGroups => (&["impersonate:user-info"], &[(AUTHENTICATION, "groups")]),
            Self::ActAsAccounts => (&["impersonate:serviceaccount"], &[(AUTHENTICATION, "serviceaccounts")]),
            Self::ActAsNodes => (&["impersonate:arbitrary-node"], &[(AUTHENTICATION, "nodes")]),
            Self::ActAsOwnNode => (&["impersonate:associated-node"], &[(AUTHENTICATION, "nodes")]),
            Self::ImpersonateGroups => (IMPERSONATE, &[("", "groups")]),
            Self::ImpersonateAccounts => (IMPERSONATE, &[("", "serviceaccounts")]),
            Self::CreateTokens => (CREATE, &[("", "serviceaccounts/token")]),
            Self::ReadSecrets => (READ, &[("", "secrets")]),
            // What is applied under a name that is free is created under it, and checked with it.
            Self::CreateSecrets | Self::ApplySecrets => (CREATE, &[("", "secrets")]),
            Self::CreatePods | Self::ApplyPods => (CREATE, &[("", "pods")]),
            Self::CreateWorkloads => (CREATE, WORKLOADS),
            Self::ChangeDaemonSets => (CHANGE, &[("apps", "daemonsets")]),
            Self::ChangeDeployments => (CHANGE, &[("apps", "deployments")]),
            Self::ChangeReplicaSets => (CHANGE, &[("apps", "replicasets")]),
            Self::ChangeStatefulSets => (CHANGE, &[("apps", "statefulsets")]),
            Self::ChangeCronJobs => (CHANGE, &[("batch", "cronjobs")]),
            Self::ChangeReplicationControllers => (CHANGE, &[("", "replicationcontrollers")]),
            Self::ChangePods => (CHANGE, &[("", "pods")]),
            // From 1.35 on a WebSocket's GET asks for create as well.
            Self::Exec if version.minor() <= 34 => (&["create", "get"], &[("", "pods/exec")]),
            Self::Exec => (CREATE, &[("", "pods/exec")]),
            Self::AddContainers => (CHANGE, &[("", "pods/ephemeralcontainers")]),
            Self::ReachKubelets => (&["get", "create"], &[("", "nodes/proxy")]),
            Self::ChangeNamespaces => (CHANGE, &[("", "namespaces")]),
            Self::CreateVolumes => (CREATE, &[("", "persistentvolumes")]),
            Self::CreateClaims => (CREATE, &[("", "persistentvolumeclaims")]),
            Self::CreateAccounts => (CREATE, &[("", "serviceaccounts")]),
            Self::CreateBindings => (CREATE, &[(RBAC, "rolebindings")]),
            Self::ChangeBindings => (CHANGE, &[(RBAC, "rolebindings")]),
            Self::CreateClusterBindings => (CREATE, &[(RBAC, "clusterrolebindings")]),
            Self::ChangeClusterBindings => (CHANGE, &[(RBAC, "clusterrolebindings")]),
            Self::CreateRoles => (CREATE, &[(RBAC, "roles")]),
            Self::ChangeRoles => (CHANGE, &[(RBAC, "roles")]),
            Self::CreateClusterRoles => (CREATE, &[(RBAC, "clusterroles")]),
            Self::ChangeClusterRoles => (CHANGE, &[(RBAC, "clusterroles")]),
            Self::BindRoles => (&["bind"], &[(RBAC, "roles")]),
            Self::BindClusterRoles => (&["bind"], &[(RBAC, "clusterroles")]),
            Self::EscalateRoles => (&["escalate"], &[(RBAC, "roles")]),
            Self::EscalateClusterRoles => (&["escalate"], &[(RBAC, "clusterroles")]),
            Self::ChangeConfigMaps => (CHANGE, &[("", "configmaps")]),
            Self::DeleteConfigMaps => (&["delete", "deletecollection"], &[("", "configmaps")]),
            Self::CreateConfigMaps => (CREATE, &[("", "configmaps")]),
            Self::Everything => (&["*"], &[("*", "*")]),
            Self::Attach if version.minor() <= 34 => (&["create", "get"], &[("", "pods/attach")]),
            Self::Attach => (CREATE, &[("", "pods/attach")]),
            Self::RunByOperator => (WRITE, operators::RUN_PODS),
            Self::WriteFlux => (WRITE, operators::FLUX),
            Self::WriteArgo => (WRITE, operators::ARGO),
            Self::WriteKyverno => (WRITE, operators::KYVERNO),
            Self::WriteEksResources => (WRITE, operators::EKS),
            Self::CreateCertificates => (CREATE, &[(CERTIFICATES, "certificatesigningrequests")]),
            Self::ApproveCertificates => (CHANGE, &[(CERTIFICATES, "certificatesigningrequests/approval")]),
            Self::ApproveSigners => (&["approve"], &[(CERTIFICATES, "signers")]),
            Self::WriteWebhooks => (WRITE, &[(ADMISSION, "mutatingwebhookconfigurations")]),
            Self::WriteValidations => (WRITE, &[(ADMISSION, "validatingwebhookconfigurations")]),
            Self::ChangeDefinitions => (CHANGE, &[("apiextensions.k8s.io", "customresourcedefinitions")]),
            Self::WriteMutations => (WRITE, &[(ADMISSION, "mutatingadmissionpolicies")]),
            Self::BindMutations => (WRITE, &[(ADMISSION, "mutatingadmissionpolicybindings")]),
            Self::MovePods => (&["delete", "create"], &[("", "pods"), ("", "pods/eviction")]),
            Self::ChangeNodes => (CHANGE, &[("", "nodes"), ("", "nodes/status")]),
            Self::WriteDrivers => (WRITE, &[("storage.k8s.io", "csidrivers")]),
            Self::SignSigners => (&["sign"], &[(CERTIFICATES, "signers")]),
            Self::ChangeCertificates => (CHANGE, &[(CERTIFICATES, "certificatesigningrequests/status")]),
            Self::PatchPods => (PATCH, &[("", "pods")]),
            Self::ApplyDeployments => (CREATE, &[("apps", "deployments")]),
            Self::PatchDeployments => (PATCH, &[("apps", "deployments")]),
            Self::PatchSecrets => (PATCH, &[("", "secrets")]),
            Self::ApplyDaemonSets => (CREATE, &[("apps", "daemonsets")]),
            Self::PatchDaemonSets => (PATCH, &[("apps", "daemonsets")]),
            Self::ApplyReplicaSets => (CREATE, &[("apps", "replicasets")]),
            Self::PatchReplicaSets => (PATCH, &[("apps", "replicasets")]),
            Self::ApplyStatefulSets => (CREATE, &[("apps", "statefulsets")]),
            Self::PatchStatefulSets => (PATCH, &[("apps", "statefulsets")]),
            Self::ApplyJobs => (CREATE, &[("batch", "jobs")]),
            Self::PatchJobs => (PATCH, &[("batch", "jobs")]),
            Self::ApplyCronJobs => (CREATE, &[("batch", "cronjobs")]),
            Self::PatchCronJobs => (PATCH, &[("batch", "cronjobs")]),
            Self::ApplyReplicationControllers => (CREATE, &[("", "replicationcontrollers")]),
            Self::PatchReplicationControllers => (PATCH, &[("", "replicationcontrollers")]),
        }
    }

    /// The bit of the check in a set of answers.
    pub(crate) const fn bit(self) -> Bits {
        1 << self as u8
    }

    /// Whether what is created is not asked about by name, where a change is.
    pub(crate) fn takes_no_name(self, verbs: &[&str], verb: &str) -> bool {
        self.is_post() || verbs == WRITE && verb == "create"
    }

    /// Whether it is only ever asked with the empty name of a POST.
    pub(crate) fn is_post(self) -> bool {
        matches!(
            self,
            Self::CreateSecrets
                | Self::CreatePods
                | Self::CreateWorkloads
                | Self::CreateVolumes
                | Self::CreateClaims
                | Self::CreateAccounts
                | Self::CreateConfigMaps
                | Self::CreateCertificates
        )
    }
}

/// Every answer there is: what a role says that says everything.
pub(crate) const ALL: Bits = Bits::MAX >> (Bits::BITS as usize - Check::ALL.len());

/// The checks of which one request needs several, so that who holds what matters.
pub(crate) const JOINED: Bits = Check::CreateBindings.bit()
    | Check::ChangeBindings.bit()
    | Check::CreateClusterBindings.bit()
    | Check::ChangeClusterBindings.bit()
    | Check::CreateRoles.bit()
    | Check::ChangeRoles.bit()
    | Check::CreateClusterRoles.bit()
    | Check::ChangeClusterRoles.bit()
    | Check::BindRoles.bit()
    | Check::BindClusterRoles.bit()
    | Check::EscalateRoles.bit()
    | Check::EscalateClusterRoles.bit();

/// The checks that matter in whose hands they are: these, and those of impersonation, which takes groups and a
/// username together.
pub(crate) const PERSONAL: Bits = JOINED
    | Check::ImpersonateUsers.bit()
    | Check::ImpersonateGroups.bit()
    | Check::ImpersonateAccounts.bit()
    | ACTS;

/// The checks of constrained impersonation: as whom somebody may act for chosen requests.
pub(crate) const ACTS: Bits = Check::ActAsUsers.bit()
    | Check::ActAsGroups.bit()
    | Check::ActAsAccounts.bit()
    | Check::ActAsNodes.bit()
    | Check::ActAsOwnNode.bit();

/// The checks that the API server puts to whoever writes a role or a binding, besides the request itself.
pub(crate) const OF_ROLES: Bits = Check::BindRoles.bit()
    | Check::BindClusterRoles.bit()
    | Check::EscalateRoles.bit()
    | Check::EscalateClusterRoles.bit();

/// What a role answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// The checks that pass with any name, in a namespace where the role holds.
    pub(crate) any: Bits,
    /// The checks that pass with a name, sorted.
    pub(crate) named: Vec<(Check, Name)>,
    /// The checks among these.
    pub(crate) named_bits: Bits,
    /// Whether the role has any rule in force.
    pub(crate) says_something: bool,
}

impl Answers {
    /// Whether everything is allowed.
    pub(crate) fn is_everything(&self) -> bool {
        self.any & Check::Everything.bit() != 0
    }

    /// Adds what another role answers.
    pub(crate) fn add(&mut self, other: &Self) {
        self.any |= other.any;
        self.named_bits |= other.named_bits;
        self.named.extend_from_slice(&other.named);
    }

    /// Whether a check passes with a name.
    pub(crate) fn allows(&self, check: Check, name: Name) -> bool {
        self.any & check.bit() != 0
            || self.named_bits & check.bit() != 0 && self.named.contains(&(check, name))
    }

    /// The names with which a check passes because rules say them.
    pub(crate) fn names_of(&self, check: Check) -> impl Iterator<Item = Name> + '_ {
        let named = if self.named_bits & check.bit() == 0 { &[][..] } else { &self.named };
        named.iter().filter(move |(own, _)| *own == check).map(|(_, name)| *name)
    }
}

/// What an apply may create: the right to create under a name, the right to patch it, and what it is called.
pub(crate) const APPLIED: [(Check, Check, &str); 9] = [
    (Check::ApplyPods, Check::PatchPods, "pod"),
    (Check::ApplyDeployments, Check::PatchDeployments, "Deployment"),
    (Check::ApplyDaemonSets, Check::PatchDaemonSets, "DaemonSet"),
    (Check::ApplyReplicaSets, Check::PatchReplicaSets, "ReplicaSet"),
    (Check::ApplyStatefulSets, Check::PatchStatefulSets, "StatefulSet"),
    (Check::ApplyJobs, Check::PatchJobs, "Job"),
    (Check::ApplyCronJobs, Check::PatchCronJobs, "CronJob"),
    (Check::ApplyReplicationControllers, Check::PatchReplicationControllers, "ReplicationController"),
    (Check::ApplySecrets, Check::PatchSecrets, "Secret"),
];

/// The checks without one of which an apply creates nothing.
pub(crate) const APPLIES: Bits = of_applied(true);
/// The checks that matter only for what an apply may create.
pub(crate) const OF_APPLIES: Bits = of_applied(true) | of_applied(false);

const fn of_applied(creates: bool) -> Bits {
    let (mut bits, mut rest) = (0, APPLIED.as_slice());
    while let [(create, patch, _), others @ ..] = rest {
        bits |= if creates { create.bit() } else { patch.bit() };
        rest = others;
    }
    bits
}

/// The checks about custom resources, which are there only where somebody installed them.
pub(crate) const CUSTOM: Bits = Check::RunByOperator.bit()
    | Check::WriteFlux.bit()
    | Check::WriteArgo.bit()
    | Check::WriteKyverno.bit()
    | Check::WriteEksResources.bit();

/// The answers of every role of a policy, by its number. Of custom resources that are not known to be there only rules
/// that name their group count: a `*` says nothing of them.
pub(crate) fn of_roles(graph: &RbacGraph, version: KubernetesVersion, installed: Bits) -> Vec<Answers> {
    let policy = graph.policy();
    let star = policy.names.lookup("*");
    // By verb, for most rules have few.
    let mut requests: FxHashMap<Name, Vec<(Check, Request<'static>, bool)>> = FxHashMap::default();
    for check in Check::ALL {
        let (verbs, resources) = check.asked(version);
        for verb in verbs {
            // A rule for names creates nothing of these: the name of what is created is not asked about.
            let takes_no_name = check.takes_no_name(verbs, verb);
            for (group, resource) in resources {
                let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
                let attributes = Attributes::Resource(ResourceAttributes {
                    verb,
                    group,
                    resource,
                    subresource,
                    name: "",
                    namespace: "",
                });
                let request = graph.lexicon.request(&policy.names, &attributes);
                let verb = policy.names.lookup(verb);
                requests.entry(verb).or_default().push((check, request, takes_no_name));
            }
        }
    }
    let mut known: FxHashMap<RuleId, Bits> = FxHashMap::default();
    let mut matched = |rule: RuleId| {
        *known.entry(rule).or_insert_with(|| {
            let PolicyRule { verbs, resource_names: names, .. } = policy.rules.get(rule);
            let limited = names.first().copied();
            let is_post = names.is_empty() || names.contains(&Name::EMPTY);
            let mut bits = 0;
            let has_verb = |verb: &Name| verbs.contains(&star) || verbs.contains(verb);
            let asked = requests.iter().filter(|(verb, _)| has_verb(verb)).flat_map(|(_, asked)| asked);
            for (check, request, takes_no_name) in asked {
                if *takes_no_name && !is_post {
                    continue;
                }
                let mut request = *request;
                if let Target::Resource { name, .. } = &mut request.target {
                    *name = limited.unwrap_or(Name::UNKNOWN);
                }
                let is_bare = CUSTOM & !installed & check.bit() != 0
                    && policy.rules.get(rule).api_groups.contains(&star);
                if bits & check.bit() == 0 && !is_bare && graph.lexicon.allows(policy, rule, &request) {
                    bits |= check.bit();
                }
            }
            bits
        })
    };
    let answers = |rules: &mut dyn Iterator<Item = RuleId>| {
        let mut answers = Answers::default();
        for rule in rules {
            answers.says_something = true;
            let bits = matched(rule);
            let names = policy.rules.get(rule).resource_names;
            if names.is_empty() {
                answers.any |= bits;
                continue;
            }
            for check in Check::ALL.into_iter().filter(|check| bits & check.bit() != 0) {
                if check == Check::Everything {
                    continue;
                }
                if check.is_post() {
                    if names.contains(&Name::EMPTY) {
                        answers.any |= check.bit();
                    }
                    continue;
                }
                answers.named_bits |= check.bit();
                answers.named.extend(names.iter().map(|name| (check, *name)));
            }
        }
        answers.named.sort_unstable();
        answers.named.dedup();
        answers
    };
    let mut answers = answers;
    policy
        .roles
        .iter()
        .map(|role| answers(&mut graph.rules_in_force(role).map(|rule| rule.placed.rule)))
        .collect()
}
