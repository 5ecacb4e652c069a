//! Why access policies leave an answer open.

use crate::decide::graph::RoleRule;
use crate::model::source::Source;

/// Why access policies may allow a request that they do not certainly allow.
#[derive(Clone, Debug)]
pub struct AccessDoubt<'g> {
    /// What is not known.
    pub why: AccessGap,
    /// The name of the policy, or its ARN; empty where it is about all of them.
    pub policy: String,
    /// Where the association stands, or the entry.
    pub source: Source,
    /// The rule that would allow it, where the rules are known.
    pub rule: Option<RoleRule<'g>>,
}

/// What is not known of access policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessGap {
    /// The inputs do not hold the policies of the entry.
    NotRead,
    /// AWS does not publish the rules of the policy, or it is not one that is known.
    RulesNotPublished,
    /// The scope is not in the inputs, or hangs on which of several associations came last.
    Scope,
    /// The scope has a pattern of a form that AWS does not document.
    Pattern(String),
    /// Whether a Namespace object belongs to the scope of its own name is not documented.
    NamespaceObject,
    /// The principal of the association is not in the inputs, and may be this one.
    Principal,
}

impl AccessGap {
    /// The reason in a few words.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::NotRead => "the inputs do not hold the access policies of the entry",
            Self::RulesNotPublished => "AWS does not publish the rules of an access policy",
            Self::Scope => "the inputs do not tell the scope of an access policy",
            Self::Pattern(_) => "AWS does not document what a namespace pattern matches",
            Self::NamespaceObject => {
                "AWS does not document whether a namespace scope includes the Namespace object"
            }
            Self::Principal => "the inputs do not tell whose an access policy is",
        }
    }
}
