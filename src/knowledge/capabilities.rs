//! What access comes to in the words of a manager: capabilities, and the questions that decide whether somebody has one.
//!
//! A capability is no permission but what permissions are good for: a shell can be opened by `create` on `pods/exec`, or
//! by writing an ephemeral container. Each is a tree of questions; "any" is as good as its best part, "all" as its worst.

mod table;

pub use table::CAPABILITIES;

use crate::model::version::KubernetesVersion;

/// How far a capability reaches.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is had for the whole cluster or not at all.
    Cluster,
    /// It can be had in single namespaces.
    Namespaces,
}

/// Something that access is good for.
#[derive(Copy, Clone, Debug)]
pub struct Capability {
    /// The stable name.
    pub id: &'static str,
    /// What one may do, as a short phrase.
    pub name: &'static str,
    /// The same in one sentence.
    pub sentence: &'static str,
    /// How far it reaches.
    pub reach: Reach,
    /// Whether having it for objects of certain names only is worth telling.
    pub by_name: bool,
    /// The capabilities that go without saying beside this one; `["*"]` for all.
    pub implies: &'static [&'static str],
    /// What decides.
    pub needs: Need,
}

/// What a capability takes.
#[derive(Copy, Clone, Debug)]
pub enum Need {
    /// One of these.
    Any(&'static [Need]),
    /// All of these.
    All(&'static [Need]),
    /// One of the verbs on a type.
    Ask(Ask),
}

/// A question: whether one of some verbs is allowed on a type.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The verbs, one of which is enough.
    pub verbs: &'static [&'static str],
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// Only this object or this namespace, as namespace and name; an empty name is any.
    pub object: Option<(&'static str, &'static str)>,
    /// Whether it is asked inside the namespace although the type has none: `bind`, which is checked where the new
    /// RoleBinding is.
    pub bound: bool,
    /// Whether the object is the namespace itself.
    pub itself: bool,
    /// The first minor version in which it counts.
    pub from: u32,
    /// The last one.
    pub until: u32,
    /// Whether it counts only where the type is known.
    pub if_known: bool,
}

impl Ask {
    /// Whether the question counts in a version.
    pub fn counts_in(&self, version: KubernetesVersion) -> bool {
        (self.from..=self.until).contains(&u32::from(version.minor()))
    }
}

impl Need {
    /// Every question in it.
    pub fn asks(&self) -> Vec<&Ask> {
        match self {
            Self::Ask(ask) => vec![ask],
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Need::asks).collect(),
        }
    }
}

/// A capability by its name.
pub fn find(id: &str) -> Option<&'static Capability> {
    CAPABILITIES.iter().find(|capability| capability.id == id)
}
