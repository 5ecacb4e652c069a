//! Pods that are IAM roles: what service accounts are annotated with, and what EKS Pod Identity associates with them.

use crate::document::Node;
use crate::model::source::{Shift, Source};

/// The annotation by which the pod identity webhook finds the role of a service account.
pub const ANNOTATION: &str = "eks.amazonaws.com/role-arn";

/// A service account whose pods get the credentials of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodRole {
    /// The namespace of the service account.
    pub namespace: Box<str>,
    /// Its name.
    pub service_account: Box<str>,
    /// The role; empty where the inputs do not say it, as the list of associations does not.
    pub role: Box<str>,
    /// How its pods come by the role.
    pub via: PodRoleVia,
    /// Where that stands.
    pub source: Source,
}

/// How pods come by a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodRoleVia {
    /// IAM roles for service accounts: the annotation, which the trust policy must bear out.
    Annotation,
    /// EKS Pod Identity.
    Association {
        /// The cluster, by its name.
        cluster: Box<str>,
        /// The association.
        id: Box<str>,
        /// Its ARN.
        arn: Box<str>,
        /// The role that the first one assumes then.
        target_role: Option<Box<str>>,
        /// What is said then as the external id.
        external_id: Option<Box<str>>,
        /// Whether no session tags are passed.
        disables_session_tags: bool,
    },
}

/// Everything that the inputs say of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodRoles(pub Vec<PodRole>);

impl PodRole {
    /// Moves it to where it really stands.
    pub(crate) fn shift(&mut self, shift: &Shift) {
        self.source = shift.source(self.source);
    }
}

/// Whether a document is what `aws eks list-pod-identity-associations` or `describe-pod-identity-association` prints.
pub fn is_associations(node: Node<'_>) -> bool {
    let is_one = |item: Node<'_>| item.get("serviceAccount").is_some() && item.get("associationId").is_some();
    node.pairs().any(|(key, value)| match key.text() {
        "associations" => value.items().next().is_some() && value.items().all(is_one),
        "association" => is_one(value),
        _ => false,
    })
}

/// Reads a document that [`is_associations`]; `at` tells where a node stands.
pub fn read(node: Node<'_>, at: &dyn Fn(Node<'_>) -> Source) -> Vec<PodRole> {
    let text = |node: Node<'_>, key: &str| -> Box<str> { node.get(key).map_or("", Node::text).into() };
    let some = |node: Node<'_>, key: &str| -> Option<Box<str>> {
        node.get(key).filter(|text| !text.is_null() && !text.text().is_empty()).map(|text| text.text().into())
    };
    let mut found = Vec::new();
    for (_, value) in node.pairs() {
        let items: Vec<Node<'_>> = if value.is_mapping() { vec![value] } else { value.items().collect() };
        found.extend(items.into_iter().map(|item| PodRole {
            namespace: text(item, "namespace"),
            service_account: text(item, "serviceAccount"),
            role: text(item, "roleArn"),
            via: PodRoleVia::Association {
                cluster: text(item, "clusterName"),
                id: text(item, "associationId"),
                arn: text(item, "associationArn"),
                target_role: some(item, "targetRoleArn"),
                external_id: some(item, "externalId"),
                disables_session_tags: item.get("disableSessionTags").is_some_and(|is| is.text() == "true"),
            },
            source: at(item),
        }));
    }
    found
}

impl PodRoles {
    /// Takes in more; a description replaces what a list says of the same association.
    pub fn add(&mut self, role: PodRole) {
        let id = |role: &PodRole| match &role.via {
            PodRoleVia::Association { id, .. } => Some(id.clone()),
            PodRoleVia::Annotation => None,
        };
        let own = id(&role);
        match self.0.iter_mut().find(|known| own.is_some() && id(known) == own) {
            Some(known) if known.role.is_empty() => *known = role,
            Some(_) => {}
            None => self.0.push(role),
        }
    }
}
