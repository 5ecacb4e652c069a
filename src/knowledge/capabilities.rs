//! What access comes to in the words of a manager: capabilities, and the questions that decide whether somebody has one.
//!
//! A capability is no permission but what permissions are good for: a shell can be opened by `create` on `pods/exec`, or
//! by writing an ephemeral container. Each is a tree of questions; "any" is as good as its best part, "all" as its worst.

use std::fmt::Write as _;

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
    fn canonical(&self) -> String {
        let mut text = format!("{}:{}/{}", self.verbs.join(","), self.group, self.resource);
        if let Some((namespace, name)) = self.object {
            let _ = write!(text, "={namespace}/{name}");
        }
        for (word, is) in [(" bound", self.bound), (" itself", self.itself), (" if-known", self.if_known)] {
            if is {
                text.push_str(word);
            }
        }
        if self.from > 0 {
            let _ = write!(text, " from-1.{}", self.from);
        }
        if self.until < u32::MAX {
            let _ = write!(text, " until-1.{}", self.until);
        }
        text
    }

    /// Whether the question counts in a version.
    pub fn counts_in(&self, version: KubernetesVersion) -> bool {
        (self.from..=self.until).contains(&u32::from(version.minor()))
    }
}

impl Need {
    fn canonical(&self, text: &mut String) {
        let (word, parts) = match self {
            Self::Any(parts) => ("any", parts),
            Self::All(parts) => ("all", parts),
            Self::Ask(ask) => return text.push_str(&ask.canonical()),
        };
        text.push_str(word);
        text.push('(');
        for (part, number) in parts.iter().zip(0usize..) {
            if number > 0 {
                text.push(' ');
            }
            part.canonical(text);
        }
        text.push(')');
    }

    /// Every question in it.
    pub fn asks(&self) -> Vec<&Ask> {
        match self {
            Self::Ask(ask) => vec![ask],
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Need::asks).collect(),
        }
    }
}

/// The table as text, a line for each capability, as far as it decides answers: names and sentences are not in it.
///
/// Its hash tells whether two reviews measured the same; so nothing that only the program's text decides may enter.
pub fn canonical() -> String {
    let mut text = String::new();
    for one in CAPABILITIES {
        let reach = match one.reach {
            Reach::Cluster => "cluster",
            Reach::Namespaces => "namespaces",
        };
        let names = if one.by_name { " by-name" } else { "" };
        let _ = write!(text, "{} {reach}{names} implies({})", one.id, one.implies.join(","));
        text.push(' ');
        one.needs.canonical(&mut text);
        text.push('\n');
    }
    text
}

/// A capability by its name.
pub fn find(id: &str) -> Option<&'static Capability> {
    CAPABILITIES.iter().find(|capability| capability.id == id)
}
