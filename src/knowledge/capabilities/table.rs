//! The capabilities, the gravest first.

use super::{Ask, Capability, Need, Reach};

type Verbs = &'static [&'static str];

const CUP: Verbs = &["create", "update", "patch"];
const CUPDX: Verbs = &["create", "update", "patch", "delete", "deletecollection"];
const UPDX: Verbs = &["update", "patch", "delete", "deletecollection"];
const GCUPD: Verbs = &["get", "create", "update", "patch", "delete"];
const GLW: Verbs = &["get", "list", "watch"];
const UP: Verbs = &["update", "patch"];
const DX: Verbs = &["delete", "deletecollection"];
const CREATE: Verbs = &["create"];
const GET: Verbs = &["get"];
const LIST: Verbs = &["list"];
const DELETE: Verbs = &["delete"];
const BIND: Verbs = &["bind"];
const ESCALATE: Verbs = &["escalate"];
const IMPERSONATE: Verbs = &["impersonate"];

const CORE: &str = "";
const APPS: &str = "apps";
const BATCH: &str = "batch";
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";
const CALICO: &str = "crd.projectcalico.org";
const GATEWAY: &str = "gateway.networking.k8s.io";
const NETWORKING: &str = "networking.k8s.io";

const fn on(verbs: Verbs, group: &'static str, resource: &'static str) -> Ask {
    Ask {
        verbs,
        group,
        resource,
        object: None,
        bound: false,
        itself: false,
        from: 0,
        until: u32::MAX,
        if_known: false,
    }
}

const fn ask(verbs: Verbs, group: &'static str, resource: &'static str) -> Need {
    Need::Ask(on(verbs, group, resource))
}

const fn known(verbs: Verbs, group: &'static str, resource: &'static str) -> Need {
    Need::Ask(Ask { if_known: true, ..on(verbs, group, resource) })
}

const fn until(minor: u32, resource: &'static str) -> Need {
    Need::Ask(Ask { until: minor, ..on(GET, CORE, resource) })
}

const fn from(minor: u32, verbs: Verbs, resource: &'static str) -> Need {
    Need::Ask(Ask { from: minor, ..on(verbs, AUTHENTICATION, resource) })
}

const fn itself(verbs: Verbs) -> Need {
    Need::Ask(Ask { itself: true, ..on(verbs, CORE, "namespaces") })
}

const fn aws_auth(verbs: Verbs, name: &'static str) -> Need {
    Need::Ask(Ask { object: Some(("kube-system", name)), ..on(verbs, CORE, "configmaps") })
}

const BIND_HERE: Need = Need::Ask(Ask { bound: true, ..on(BIND, RBAC, "clusterroles") });

const fn capability(
    reach: Reach,
    by_name: bool,
    id: &'static str,
    name: &'static str,
    sentence: &'static str,
    needs: Need,
) -> Capability {
    Capability { id, name, sentence, reach, by_name, implies: &[], needs }
}

const fn implying(implies: &'static [&'static str], capability: Capability) -> Capability {
    Capability { implies, ..capability }
}

use Need::{All, Any};
use Reach::{Cluster, Namespaces};

/// The capabilities, the gravest first.
pub const CAPABILITIES: &[Capability] = &[
    implying(
        &["*"],
        capability(
            Cluster,
            false,
            "cluster-admin",
            "Be cluster administrator",
            "May do everything everywhere, and with everything that the cluster gets later.",
            ask(&["*"], "*", "*"),
        ),
    ),
    implying(
        &["manage-access"],
        capability(
            Namespaces,
            true,
            "escalate",
            "Give anybody any right",
            "May hand out rights that it does not have itself, up to those of an administrator.",
            Any(&[
                All(&[BIND_HERE, ask(CUP, RBAC, "rolebindings")]),
                All(&[ask(BIND, RBAC, "clusterroles"), ask(CUP, RBAC, "clusterrolebindings")]),
                All(&[ask(ESCALATE, RBAC, "roles"), ask(CUP, RBAC, "roles")]),
                All(&[ask(ESCALATE, RBAC, "clusterroles"), ask(CUP, RBAC, "clusterroles")]),
            ]),
        ),
    ),
    capability(
        Cluster,
        true,
        "impersonate",
        "Act as somebody else",
        "May send requests under the name of another person or machine, and with their rights.",
        Any(&[
            ask(IMPERSONATE, CORE, "users"),
            ask(IMPERSONATE, CORE, "groups"),
            from(36, &["impersonate:user-info"], "users"),
            from(36, &["impersonate:user-info"], "groups"),
            from(36, &["impersonate:arbitrary-node", "impersonate:associated-node"], "nodes"),
        ]),
    ),
    capability(
        Cluster,
        false,
        "aws-auth",
        "Decide who of AWS gets in",
        "May rewrite the list that lets AWS roles and users into the cluster, and so make anybody an administrator.",
        Any(&[aws_auth(UP, "aws-auth"), All(&[aws_auth(DELETE, "aws-auth"), aws_auth(CREATE, "")])]),
    ),
    capability(
        Cluster,
        true,
        "nodes-reach",
        "Reach into the machines",
        "May talk to the agent on each machine: read logs and run commands in any container, unseen by the audit log.",
        ask(GCUPD, CORE, "nodes/proxy"),
    ),
    capability(
        Cluster,
        true,
        "admission",
        "Change the checks on every change",
        "May add, change or remove the checks that every change to the cluster passes, and see or alter what passes.",
        Any(&[
            ask(CUPDX, ADMISSION, "mutatingwebhookconfigurations"),
            ask(CUPDX, ADMISSION, "validatingwebhookconfigurations"),
            ask(CUPDX, ADMISSION, "validatingadmissionpolicies"),
            ask(CUPDX, ADMISSION, "validatingadmissionpolicybindings"),
            known(CUPDX, ADMISSION, "mutatingadmissionpolicies"),
            known(CUPDX, ADMISSION, "mutatingadmissionpolicybindings"),
        ]),
    ),
    capability(
        Cluster,
        true,
        "api-extend",
        "Change what the cluster offers",
        "May add, change or delete whole types of objects with all that they hold, or hand part of the API to another server.",
        Any(&[
            ask(CUPDX, "apiextensions.k8s.io", "customresourcedefinitions"),
            ask(CUPDX, "apiregistration.k8s.io", "apiservices"),
        ]),
    ),
    capability(
        Cluster,
        true,
        "certificates",
        "Approve certificates",
        "May approve or issue certificates with which machines, and on some clusters people, log in.",
        Any(&[
            All(&[
                ask(UP, CERTIFICATES, "certificatesigningrequests/approval"),
                ask(&["approve"], CERTIFICATES, "signers"),
            ]),
            All(&[
                ask(UP, CERTIFICATES, "certificatesigningrequests/status"),
                ask(&["sign"], CERTIFICATES, "signers"),
            ]),
        ]),
    ),
    capability(
        Cluster,
        true,
        "machine-disk",
        "Mount the disks of the machines",
        "May define storage that is really a folder of a machine, or any disk of the AWS account.",
        ask(CUP, CORE, "persistentvolumes"),
    ),
    capability(
        Namespaces,
        true,
        "tokens",
        "Become a program of the cluster",
        "May act as service accounts, or make keys for them, and so has the rights of the programs that use them.",
        Any(&[
            ask(CREATE, CORE, "serviceaccounts/token"),
            ask(IMPERSONATE, CORE, "serviceaccounts"),
            from(36, &["impersonate:serviceaccount"], "serviceaccounts"),
            All(&[ask(CREATE, CORE, "secrets"), ask(GLW, CORE, "secrets")]),
        ]),
    ),
    capability(
        Namespaces,
        true,
        "secrets-read",
        "Read secrets",
        "May see the passwords, keys and certificates that the cluster stores.",
        ask(GLW, CORE, "secrets"),
    ),
    capability(
        Namespaces,
        true,
        "shell",
        "Open a shell in containers",
        "May run commands inside programs that run, and so do and learn whatever these can.",
        Any(&[
            ask(CREATE, CORE, "pods/exec"),
            ask(CREATE, CORE, "pods/attach"),
            until(34, "pods/exec"),
            until(34, "pods/attach"),
            ask(UP, CORE, "pods/ephemeralcontainers"),
        ]),
    ),
    implying(
        &["stop"],
        capability(
            Namespaces,
            true,
            "run",
            "Change what runs",
            "May start programs of its choice or change those that run, as any service account there and with its AWS role.",
            Any(&[
                ask(CUP, CORE, "pods"),
                ask(CUP, CORE, "replicationcontrollers"),
                ask(CUP, APPS, "deployments"),
                ask(CUP, APPS, "statefulsets"),
                ask(CUP, APPS, "daemonsets"),
                ask(CUP, APPS, "replicasets"),
                ask(CUP, BATCH, "jobs"),
                ask(CUP, BATCH, "cronjobs"),
            ]),
        ),
    ),
    capability(
        Namespaces,
        true,
        "manage-access",
        "Change who has access",
        "May give rights to others, or take them away, as far as its own rights go.",
        Any(&[
            ask(CUPDX, RBAC, "rolebindings"),
            ask(CUPDX, RBAC, "roles"),
            ask(CUPDX, RBAC, "clusterrolebindings"),
            ask(CUPDX, RBAC, "clusterroles"),
        ]),
    ),
    capability(
        Namespaces,
        false,
        "namespace-delete",
        "Delete a whole namespace",
        "May delete a namespace with everything in it, data too.",
        itself(DELETE),
    ),
    capability(
        Namespaces,
        false,
        "namespace-rules",
        "Loosen the safety rules of a namespace",
        "May change the labels of a namespace, which switch rules such as \"no privileged programs\" on and off.",
        itself(UP),
    ),
    capability(
        Namespaces,
        true,
        "aws-role",
        "Give programs another AWS role",
        "May create or change service accounts, on which it stands which AWS role a program has.",
        ask(CUP, CORE, "serviceaccounts"),
    ),
    capability(
        Namespaces,
        true,
        "secrets-write",
        "Change secrets",
        "May create, overwrite or delete passwords, keys and certificates.",
        ask(CUPDX, CORE, "secrets"),
    ),
    capability(
        Namespaces,
        true,
        "data-delete",
        "Delete stored data",
        "May delete disks and claims on them; the data goes too where the storage is set up so.",
        Any(&[ask(DX, CORE, "persistentvolumeclaims"), ask(DX, CORE, "persistentvolumes")]),
    ),
    capability(
        Namespaces,
        true,
        "network-rules",
        "Change network rules",
        "May open or close the ways between programs.",
        Any(&[
            ask(CUPDX, NETWORKING, "networkpolicies"),
            known(CUPDX, CALICO, "networkpolicies"),
            known(CUPDX, CALICO, "globalnetworkpolicies"),
            known(CUPDX, "cilium.io", "ciliumnetworkpolicies"),
            known(CUPDX, "vpcresources.k8s.aws", "securitygrouppolicies"),
        ]),
    ),
    capability(
        Namespaces,
        true,
        "publish",
        "Publish to the network",
        "May put programs behind an AWS load balancer, an open one too, or send traffic elsewhere.",
        Any(&[
            ask(CUP, CORE, "services"),
            ask(CUP, NETWORKING, "ingresses"),
            known(CUP, GATEWAY, "httproutes"),
            known(CUP, GATEWAY, "gateways"),
        ]),
    ),
    capability(
        Namespaces,
        true,
        "forward",
        "Forward ports",
        "May connect from outside to programs in the cluster, past its network rules.",
        Any(&[
            ask(CREATE, CORE, "pods/portforward"),
            until(34, "pods/portforward"),
            ask(GCUPD, CORE, "pods/proxy"),
            ask(GCUPD, CORE, "services/proxy"),
        ]),
    ),
    capability(
        Cluster,
        true,
        "nodes-manage",
        "Take machines in and out",
        "May change, mark or remove the machines that programs run on.",
        ask(CUPDX, CORE, "nodes"),
    ),
    capability(
        Namespaces,
        true,
        "settings",
        "Change settings",
        "May change or delete the settings that programs read.",
        ask(CUPDX, CORE, "configmaps"),
    ),
    capability(
        Namespaces,
        true,
        "stop",
        "Stop or restart what runs",
        "May stop, restart or resize programs.",
        Any(&[
            ask(DX, CORE, "pods"),
            ask(CREATE, CORE, "pods/eviction"),
            ask(UPDX, APPS, "deployments"),
            ask(UP, APPS, "deployments/scale"),
            ask(DX, APPS, "statefulsets"),
            ask(UP, APPS, "statefulsets/scale"),
            ask(DX, APPS, "daemonsets"),
            ask(DX, BATCH, "jobs"),
            ask(DX, BATCH, "cronjobs"),
        ]),
    ),
    capability(
        Namespaces,
        true,
        "limits",
        "Lift limits",
        "May change how much a namespace may use.",
        Any(&[ask(CUPDX, CORE, "resourcequotas"), ask(CUPDX, CORE, "limitranges")]),
    ),
    capability(
        Namespaces,
        true,
        "logs",
        "Read logs",
        "May read what programs write to their logs, personal data too where they log it.",
        ask(GET, CORE, "pods/log"),
    ),
    capability(
        Namespaces,
        false,
        "access-read",
        "See who has access",
        "May read who has which rights.",
        All(&[ask(GLW, RBAC, "roles"), ask(GLW, RBAC, "rolebindings")]),
    ),
    capability(
        Namespaces,
        false,
        "view",
        "See everything but secrets",
        "May look at programs, settings, services and events; at secrets not by this right alone.",
        All(&[
            ask(LIST, CORE, "pods"),
            ask(LIST, CORE, "services"),
            ask(LIST, CORE, "configmaps"),
            ask(LIST, CORE, "events"),
            ask(LIST, APPS, "deployments"),
            ask(LIST, BATCH, "jobs"),
        ]),
    ),
];
