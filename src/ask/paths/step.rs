//! The steps by which one identity becomes another, in the order in which ties are broken.

use std::fmt;

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        /// A step. Up to `edit-aws-auth` RBAC and the loaded objects suffice; the rest leads through IAM or is possible.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Step { $($(#[$doc])* $name,)* }

        impl Step {
            /// Every step, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable id.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

steps! {
    /// Impersonates a user.
    ImpersonateUser = "impersonate-user";
    /// Impersonates groups together with a username.
    ImpersonateGroup = "impersonate-group";
    /// Impersonates a service account.
    ImpersonateServiceAccount = "impersonate-service-account";
    /// Asks for a token of a service account.
    CreateToken = "create-token";
    /// Reads a Secret that holds a token.
    ReadTokenSecret = "read-token-secret";
    /// Makes a Secret that is filled with a token, and reads it.
    MintTokenSecret = "mint-token-secret";
    /// Creates a pod that runs as a service account.
    CreatePod = "create-pod";
    /// Creates a workload whose pods run as a service account.
    CreateWorkload = "create-workload";
    /// Changes the template of a workload.
    ChangeWorkload = "change-workload";
    /// Changes the image of a running pod.
    ChangePod = "change-pod";
    /// Executes a command in a running pod.
    Exec = "exec";
    /// Adds a container to a running pod.
    EphemeralContainer = "ephemeral-container";
    /// Executes a command in a running pod by way of the kubelet.
    NodeProxy = "node-proxy";
    /// Runs a privileged pod, which opens its node.
    PrivilegedPod = "privileged-pod";
    /// Adds a privileged container to a running pod.
    PrivilegedEphemeralContainer = "privileged-ephemeral-container";
    /// Runs a pod with a directory of the node behind a volume claim.
    HostPathVolume = "host-path-volume";
    /// Reads the tokens of the pods on a node.
    TokenFromNode = "token-from-node";
    /// Creates a service account that bindings name already.
    CreateServiceAccount = "create-service-account";
    /// Binds a role by the right to bind it.
    BindRole = "bind-role";
    /// Adds a subject to a binding by the right to bind its role.
    ChangeBinding = "change-binding";
    /// Hands on a role that one holds.
    ShareRole = "share-role";
    /// Writes any rule into a role.
    EscalateRole = "escalate-role";
    /// Maps an IAM principal to `system:masters`.
    EditAwsAuth = "edit-aws-auth";
    /// Takes the IAM role of a service account by its token.
    Irsa = "irsa";
    /// Takes the IAM role that EKS Pod Identity gives to a pod.
    PodIdentity = "pod-identity";
    /// Takes the IAM role of a node.
    NodeRole = "node-role";
    /// Assumes an IAM role.
    AssumeRole = "assume-role";
    /// Logs in as an IAM identity that is mapped.
    MapBack = "map-back";
    /// Lets itself in through the API of EKS.
    EksApi = "eks-api";
    /// Attaches to a running pod.
    Attach = "attach";
    /// Makes an operator run pods.
    RunByOperator = "run-by-operator";
    /// Makes an operator apply manifests.
    ApplyByOperator = "apply-by-operator";
    /// Makes a controller call the EKS or IAM API.
    CloudByOperator = "cloud-by-operator";
    /// Makes a client certificate.
    Csr = "csr";
    /// Changes the pods of others by a webhook.
    MutateByWebhook = "mutate-by-webhook";
    /// Changes the pods of others by a policy.
    MutateByPolicy = "mutate-by-policy";
    /// Drives pods to a node that it holds.
    StealPods = "steal-pods";
    /// Registers a storage driver that opens nodes.
    Driver = "driver";
    /// Chooses a session name that is somebody's username.
    SessionName = "session-name";
    /// Signs a client certificate with a key of its own.
    Sign = "sign";
    /// Makes a bootstrap token.
    BootstrapToken = "bootstrap-token";
    /// Creates by an apply, under a name that rules allow.
    ApplyCreate = "apply-create";
    /// Impersonates a node, which may ask for the tokens of its pods.
    ImpersonateNode = "impersonate-node";
    /// Takes what the kubelet of a node may do.
    NodeCredential = "node-credential";
    /// Makes a client certificate of a node, which may ask for the tokens of its pods.
    CsrNode = "csr-node";
    /// Reads tokens that pass by a webhook.
    SeeByWebhook = "see-by-webhook";
    /// Changes custom resources of others by a conversion webhook.
    ConvertCrd = "convert-crd";
    /// Has pods scheduled on a node that it holds.
    NodeLabels = "node-labels";
    /// Acts as another, for chosen requests alone.
    ConstrainedImpersonation = "constrained-impersonation";
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A set of steps.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps(u64);

impl Steps {
    /// The set of one step.
    pub const fn of(step: Step) -> Self {
        Self(1 << step as u64)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The steps that are not in the other set.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a step of the other set is in this one.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The steps, in order.
    pub fn iter(self) -> impl Iterator<Item = Step> {
        Step::ALL.iter().copied().filter(move |step| self.meets(Self::of(*step)))
    }

    /// The step that comes first.
    pub fn first(self) -> Option<Step> {
        Step::ALL.get(self.0.trailing_zeros() as usize).copied()
    }
}

impl From<Step> for Steps {
    fn from(step: Step) -> Self {
        Self::of(step)
    }
}
