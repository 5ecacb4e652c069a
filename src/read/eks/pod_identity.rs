//! EKS Pod Identity associations where they are declared: ACK, eksctl, `CloudFormation`, Crossplane, Pulumi, Terraform.

use crate::document::Node;
use crate::identity::access_entries::{HoleOf, Told};
use crate::identity::pod_roles::{PodRole, PodRoleVia};
use crate::model::diagnostic::Code;
use crate::model::source::Source;
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;

use super::values;

/// An association as far as a file tells it.
pub(super) struct Association {
    pub(super) cluster: Option<String>,
    pub(super) namespace: Told,
    pub(super) service_account: Told,
    pub(super) role: Told,
    /// The role that the first one assumes then.
    pub(super) target: Option<Told>,
    pub(super) external_id: Option<String>,
    pub(super) disables_session_tags: bool,
    pub(super) id: Option<String>,
    pub(super) arn: Option<String>,
    pub(super) source: Source,
}

/// How a form names the fields that are written alike otherwise.
pub(super) struct Names {
    pub(super) cluster: &'static str,
    pub(super) namespace: &'static str,
    pub(super) service_account: &'static str,
    pub(super) role: &'static str,
    pub(super) target: &'static str,
    pub(super) external_id: &'static str,
    pub(super) disables_session_tags: &'static str,
    pub(super) id: &'static str,
    pub(super) arn: &'static str,
}

/// As ACK writes them.
pub(super) const ACK: Names = Names {
    cluster: "clusterName",
    namespace: "namespace",
    service_account: "serviceAccount",
    role: "roleARN",
    target: "targetRoleARN",
    external_id: "externalID",
    disables_session_tags: "disableSessionTags",
    id: "",
    arn: "",
};

/// As eksctl writes them.
const EKSCTL: Names = Names { cluster: "", service_account: "serviceAccountName", ..ACK };

/// As the API, Crossplane and Pulumi write them.
pub(super) const API: Names = Names {
    role: "roleArn",
    target: "targetRoleArn",
    external_id: "externalId",
    id: "associationId",
    arn: "associationArn",
    ..ACK
};

/// As `CloudFormation` writes them.
pub(super) const CLOUD_FORMATION: Names = Names {
    cluster: "ClusterName",
    namespace: "Namespace",
    service_account: "ServiceAccount",
    role: "RoleArn",
    target: "TargetRoleArn",
    external_id: "ExternalId",
    disables_session_tags: "DisableSessionTags",
    id: "",
    arn: "",
};

/// As Terraform writes them.
pub(super) const TERRAFORM: Names = Names {
    cluster: "cluster_name",
    namespace: "namespace",
    service_account: "service_account",
    role: "role_arn",
    target: "target_role_arn",
    external_id: "external_id",
    disables_session_tags: "disable_session_tags",
    id: "association_id",
    arn: "association_arn",
};

/// The association whose fields are found so; `told` reads a value, which may be a function.
pub(super) fn of<'t>(
    names: &Names,
    get: &dyn Fn(&str) -> Option<Node<'t>>,
    told: &dyn Fn(Node<'t>) -> Told,
    source: Source,
) -> Association {
    let get = |key: &str| if key.is_empty() { None } else { get(key).filter(|node| !node.is_null()) };
    let text = |key: &str| get(key).map(told).and_then(|told| told.text().map(str::to_owned));
    let field = |key: &str| get(key).map_or_else(|| Told::unknown(key), told);
    Association {
        cluster: text(names.cluster),
        namespace: field(names.namespace),
        service_account: field(names.service_account),
        role: field(names.role),
        target: get(names.target).map(told),
        external_id: text(names.external_id),
        disables_session_tags: text(names.disables_session_tags).is_some_and(|text| text == "true"),
        id: text(names.id),
        arn: text(names.arn),
        source,
    }
}

/// Takes in an association.
pub(super) fn add(found: &mut dyn Sink, one: Association) {
    let (Some(namespace), Some(account)) = (one.namespace.text(), one.service_account.text()) else {
        let message = format!(
            "the Pod Identity association of service account `{}/{}` is not told as a whole and is not read; load what `aws eks describe-pod-identity-association` prints",
            one.namespace, one.service_account
        );
        found.report(Code::AccessInputNotRead, one.source, message);
        return;
    };
    if one.target.as_ref().is_some_and(|target| target.text().is_none()) {
        let message = format!(
            "the target role of the Pod Identity association of service account `{namespace}/{account}` is not in the file, so nobody is told who becomes it; load what `aws eks describe-pod-identity-association` prints"
        );
        found.report(Code::AccessInputNotRead, one.source, message);
    }
    let known = |told: &Told| told.text().unwrap_or_default().into();
    let role = PodRole {
        namespace: namespace.into(),
        service_account: account.into(),
        role: known(&one.role),
        written: None,
        via: PodRoleVia::Association {
            cluster: one.cluster.unwrap_or_default().into(),
            id: one.id.unwrap_or_default().into(),
            arn: one.arn.unwrap_or_default().into(),
            target_role: one.target.as_ref().map(known),
            external_id: one.external_id.map(Into::into),
            disables_session_tags: one.disables_session_tags,
        },
        source: one.source,
    };
    found.pod_role(role, one.role);
}

/// Takes in those of a `ClusterConfig`.
pub(super) fn eksctl(found: &mut dyn Sink, node: Node<'_>, cluster: Option<&str>, origin: Origin) {
    let list = node.get("iam").and_then(|iam| iam.get("podIdentityAssociations"));
    for item in list.into_iter().flat_map(Node::items).filter(|item| item.is_mapping()) {
        let mut one =
            of(&EKSCTL, &|key| item.get(key), &|node| values::told(Some(node)), origin.source(item));
        one.cluster = cluster.map(str::to_owned);
        if item.get(EKSCTL.role).is_none() {
            // eksctl makes the role, and chooses its name unless it is given.
            one.role = match values::text(item.get("roleName")) {
                Some(name) => role_of_some_account(&name),
                None => Told::unknown("a role that eksctl makes"),
            };
        }
        add(found, one);
    }
}

fn role_of_some_account(name: &str) -> Told {
    let mut told = Told::known("arn:");
    told.push(Told::hole(HoleOf::Partition, "partition"));
    told.push(Told::known(":iam::"));
    told.push(Told::hole(HoleOf::Account, "account"));
    told.push(Told::known(format!(":role/{name}")));
    told
}
