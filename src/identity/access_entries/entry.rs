//! One access entry: a principal, what EKS makes of it, and the policies that are associated with it.

use std::sync::{Arc, OnceLock};

use super::super::arn::{Sections, fold};
use super::super::caller::Access;
use super::super::template::{PlaceholderKind, Template, unknown_placeholders};
use super::told::{Setting, Told};
use crate::model::access::Association;
use crate::model::source::Source;

/// An access entry, joined from everything that the inputs say of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The ARN of the principal.
    pub principal: Told,
    /// What tells it apart: the principal without the path of a role, folded.
    pub key: String,
    /// The type.
    pub kind: Setting<String>,
    /// The username.
    pub username: Setting<String>,
    /// The groups.
    pub groups: Setting<Vec<String>>,
    /// The policies that the inputs show.
    pub policies: Vec<Association>,
    /// Whether these are all of its policies.
    pub has_all_policies: bool,
    /// Whether EKS reported it.
    pub is_observed: bool,
    /// Whether it may not exist, for a condition in a template decides.
    pub is_conditional: bool,
    /// When it was made, in microseconds since 1970.
    pub created_at: Option<i64>,
    /// Where it stands, the place that counts first.
    pub places: Vec<Source>,
    /// The policies as every caller of the principal has them: made once, for each question resolves somebody.
    pub(super) shared: OnceLock<Arc<Access>>,
}

/// What tells a principal apart from every other: partition, account, kind and name, and of a user the path.
pub(super) fn key_of(arn: &str) -> String {
    let folded = fold(arn);
    let Some(sections) = Sections::split(&folded) else { return folded };
    if !sections.resource.starts_with("role/") {
        return folded;
    }
    let Sections { partition, service, region, account, .. } = sections;
    format!("arn:{partition}:{service}:{region}:{account}:role/{}", sections.resource_name())
}

/// Whether an entry of this type is for nodes.
pub(super) fn is_node_type(kind: &str) -> bool {
    matches!(kind, "EC2_LINUX" | "EC2_WINDOWS" | "EC2" | "FARGATE_LINUX" | "HYBRID_LINUX" | "HYPERPOD_LINUX")
}

/// The username that EKS gives an entry of this type for which none was given, as far as that is known.
pub(super) fn default_username(kind: &str, principal: &Told) -> Option<String> {
    match kind {
        "EC2_LINUX" | "EC2_WINDOWS" => {
            Some(format!("system:node:{}", PlaceholderKind::Ec2PrivateDnsName.as_str()))
        }
        "EC2" | "FARGATE_LINUX" | "HYBRID_LINUX" => {
            Some(format!("system:node:{}", PlaceholderKind::SessionName.as_str()))
        }
        "STANDARD" => {
            let arn = principal.text()?;
            let sections = Sections::split(arn)?;
            if sections.resource.starts_with("role/") {
                let (partition, account) = (sections.partition, sections.account);
                let (name, session) = (sections.resource_name(), PlaceholderKind::SessionName.as_str());
                Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"))
            } else {
                sections.resource.starts_with("user/").then(|| arn.to_owned())
            }
        }
        _ => None,
    }
}

/// The groups that EKS gives an entry of this type, and whether there are surely no others.
fn default_groups(kind: &str) -> (&'static [&'static str], bool) {
    match kind {
        "STANDARD" => (&[], true),
        "EC2_LINUX" | "EC2" => (&["system:nodes"], true),
        "EC2_WINDOWS" | "FARGATE_LINUX" | "HYBRID_LINUX" => (&["system:nodes"], false),
        _ => (&[], false),
    }
}

impl Entry {
    /// Where it stands.
    pub fn source(&self) -> Source {
        self.places.first().copied().unwrap_or_default()
    }

    /// The policies as the callers of the principal have them.
    pub(super) fn access(&self) -> Arc<Access> {
        let access = self.shared.get_or_init(|| {
            Arc::new(Access {
                principal: self.key.clone(),
                policies: self.policies.clone(),
                has_all_policies: self.has_all_policies,
                source: self.source(),
            })
        });
        Arc::clone(access)
    }

    /// The type, as far as it is known: what eksctl does not tell shows in the groups.
    pub fn kind(&self) -> Option<&str> {
        match &self.kind {
            Setting::Given(kind) => Some(kind),
            Setting::Default => Some("STANDARD"),
            Setting::Unknown => None,
        }
    }

    /// Whether it is certainly for nodes.
    pub fn is_for_nodes(&self) -> bool {
        self.kind().is_some_and(is_node_type)
            || (self.kind.is_unknown()
                && self.groups.given().is_some_and(|groups| *groups == ["system:nodes"]))
    }

    /// The template of the username; `None` where it is not known.
    pub fn username(&self) -> Option<String> {
        match &self.username {
            Setting::Given(text) => (!has_undocumented_placeholder(text)).then(|| text.clone()),
            Setting::Default => self.kind().and_then(|kind| default_username(kind, &self.principal)),
            Setting::Unknown => None,
        }
    }

    /// The groups that are certain, and whether they are all.
    pub fn groups(&self) -> (Vec<String>, bool) {
        match &self.groups {
            Setting::Given(groups) => {
                let (odd, plain): (Vec<_>, Vec<_>) =
                    groups.iter().cloned().partition(|group| group.contains("{{"));
                (plain, odd.is_empty())
            }
            Setting::Default => {
                let (groups, all) = self.kind().map_or((&[][..], false), default_groups);
                (groups.iter().map(|group| (*group).to_owned()).collect(), all)
            }
            Setting::Unknown => (Vec::new(), false),
        }
    }
}

/// Whether a username has a placeholder of which nobody knows what EKS makes: documented are those of sessions and of
/// nodes.
pub(super) fn has_undocumented_placeholder(text: &str) -> bool {
    unknown_placeholders(text).next().is_some()
        || text.contains("{{AccountID}}")
        || text.contains("{{AccessKeyID}}")
}

/// A name that no input tells.
pub(super) fn not_told(kind: PlaceholderKind) -> Template {
    Template::unknown(kind)
}
