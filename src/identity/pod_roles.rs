//! Pods that are IAM roles: what service accounts are annotated with, and what EKS Pod Identity associates with them.

use super::access_entries::{AccessEntries, Told};
use super::iam::IamData;
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
    /// What the file says of the role, where that only may be this one.
    pub written: Option<Box<str>>,
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

/// The ARN of a role without its path, as access entries are compared.
fn canonical(arn: &str) -> String {
    match arn.split_once(":role/") {
        Some((account, path)) => format!("{account}:role/{}", path.rsplit('/').next().unwrap_or(path)),
        None => arn.to_owned(),
    }
}

/// Everything that the inputs say of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodRoles(pub Vec<PodRole>);

/// How many roles an association may be of before none of them is worth a mention.
const MOST: usize = 16;

impl PodRole {
    /// Each role that it may be, by what the file says of it: one, where that is the whole ARN or the exports hold no
    /// other; none is said where there are too many.
    pub fn resolve(self, told: Told, data: &IamData, access: Option<&AccessEntries>) -> Vec<Self> {
        if told.text().is_some() {
            return vec![self];
        }
        let arn = access.and_then(|access| access.arns().first());
        let mut sections = arn.map_or("", String::as_str).splitn(6, ':').skip(1);
        let (partition, account) = (sections.next(), sections.nth(2));
        let told = told.within(account, partition);
        if let Some(role) = told.text() {
            return vec![Self { role: role.into(), ..self }];
        }
        let roles = data.principals().filter(|(_, principal)| !principal.is_user);
        let may_be = roles.filter(|(_, principal)| told.could_be_principal(&canonical(&principal.arn.text)));
        let found: Vec<Self> = may_be
            .take(MOST + 1)
            .map(|(_, principal)| Self {
                role: principal.arn.text.clone(),
                written: Some(told.to_string().into()),
                ..self.clone()
            })
            .collect();
        if found.is_empty() || found.len() > MOST { vec![self] } else { found }
    }

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
            written: None,
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
    /// Takes in more; a description replaces what a list says of the same association, and what is declared too: there
    /// is one for each service account in a cluster.
    pub fn add(&mut self, role: PodRole) {
        let same = self.0.iter().position(|known| is_same_association(known, &role));
        match same.and_then(|at| self.0.get_mut(at)) {
            Some(known) if known.role.is_empty() => *known = role,
            Some(known) if known.role == role.role || role.role.is_empty() => {}
            // Declared twice and differently, or a part of it is not told: it may be either.
            _ => self.0.push(role),
        }
    }
}

fn is_same_association(one: &PodRole, other: &PodRole) -> bool {
    let (
        PodRoleVia::Association { id, cluster, .. },
        PodRoleVia::Association { id: other_id, cluster: other_cluster, .. },
    ) = (&one.via, &other.via)
    else {
        return false;
    };
    if !id.is_empty() && !other_id.is_empty() {
        return id == other_id;
    }
    let of = |role: &PodRole| (role.namespace.clone(), role.service_account.clone());
    let may_be_one = cluster == other_cluster || cluster.is_empty() || other_cluster.is_empty();
    of(one) == of(other) && may_be_one
}
