//! What exports hold: policy documents, groups, users and roles.

use crate::model::source::Source;

use super::export::{EntityArn, Tags};
use super::ids::{DocId, GroupId, PrincipalId};
use super::logic::Leaf;
use super::policy::Policy;

/// A policy document, and what it belongs to.
#[derive(Clone, Debug)]
pub struct Doc {
    /// What it says.
    pub policy: Policy,
    /// What it belongs to.
    pub owner: Owner,
    pub(super) origin: Source,
}

/// What a policy document belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It is a managed policy, with this ARN.
    Managed(Box<str>),
    /// It stands inline in a user, group or role: the ARN of that, and the name of the policy.
    Inline(Box<str>, Box<str>),
    /// It is the trust policy of the role with this ARN.
    Trust(Box<str>),
}

impl Owner {
    /// Whether it is a trust policy.
    pub fn is_trust(&self) -> bool {
        matches!(self, Self::Trust(_))
    }
}

/// A boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    None,
    Doc(DocId),
    Missing(Box<str>),
}

/// A user or a role of an export.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Its ARN, with the path.
    pub arn: EntityArn,
    /// Its name.
    pub name: Box<str>,
    /// Whether it is a user; otherwise it is a role.
    pub is_user: bool,
    /// Where it stands.
    pub source: Source,
    /// The instance profiles with which EC2 instances run as this role.
    pub instance_profiles: Vec<Box<str>>,
    pub(super) number: PrincipalId,
    pub(super) id: Box<str>,
    pub(super) tags: Option<Tags>,
    pub(super) policies: Vec<(DocId, Option<GroupId>)>,
    pub(super) groups: Vec<GroupId>,
    pub(super) boundary: Boundary,
    pub(super) missing: Vec<Leaf>,
    pub(super) trust: Option<DocId>,
    /// Whether whoever assumes the role may pass session tags.
    pub(super) takes_session_tags: bool,
}

impl Principal {
    /// The trust policy of a role.
    pub fn trust(&self) -> Option<DocId> {
        self.trust
    }

    /// Whether it is a role that only its service assumes, and whose trust policy nobody can edit.
    pub fn is_service_linked(&self) -> bool {
        !self.is_user && self.arn.text.contains(":role/aws-service-role/")
    }

    /// The permission set of a role that Identity Center made.
    pub fn permission_set(&self) -> Option<&str> {
        if self.is_user || !self.arn.text.contains(":role/aws-reserved/sso.amazonaws.com/") {
            return None;
        }
        let (name, suffix) = self.name.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?;
        let is_hex = suffix.len() == 16 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then_some(name)
    }
}

/// A group of an export.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its ARN.
    pub arn: EntityArn,
    /// Its name.
    pub name: Box<str>,
    pub(super) policies: Vec<DocId>,
    pub(super) missing: Vec<Leaf>,
}

/// The name of the role that an ARN of a role, or of a session of one, is about.
pub(super) fn role_name(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    if let Some(path) = resource.strip_prefix("role/") {
        return path.rsplit('/').next();
    }
    resource.strip_prefix("assumed-role/")?.split('/').next()
}
