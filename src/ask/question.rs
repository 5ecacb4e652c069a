//! From the words of a question to the attributes of the request that the API server would really see.
//!
//! Where `kubectl auth can-i` asks for something else than the request would be (a namespace on a cluster-scoped
//! type, the name of a pod `exec`, a `create` with a name), the request decides, and a note says so.

use std::fmt;

use crate::knowledge::catalogue::{
    Catalogue, Resolution, Resource, is_known_resource_verb, is_known_url_verb,
};
use crate::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};

/// The words of a question.
#[derive(Copy, Clone, Debug, Default)]
pub struct Words<'a> {
    /// The verb.
    pub verb: &'a str,
    /// `TYPE`, `TYPE/NAME`, `TYPE/SUBRESOURCE`, `TYPE/NAME/SUBRESOURCE`, or a path that begins with a slash.
    pub target: &'a str,
    /// `--subresource`; then what follows the slash is a name.
    pub subresource: Option<&'a str>,
    /// `-n`; `None` for the default namespace.
    pub namespace: Option<&'a str>,
    /// `-A`.
    pub all_namespaces: bool,
}

/// A question that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The request that is asked about.
    pub request: Request,
    /// How the question was read, where that is not obvious.
    pub notes: Vec<String>,
    /// What looks like a mistake.
    pub warnings: Vec<String>,
    /// Whether objects of the type live in namespaces; `None` if the type is not known.
    pub namespaced: Option<bool>,
    /// The namespace of the question whether or not the request carries one; empty for `-A`.
    pub namespace: String,
}

/// A request, owning its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// For an API resource.
    Resource {
        /// The verb.
        verb: String,
        /// The API group.
        group: String,
        /// The resource.
        resource: String,
        /// The subresource; empty for none.
        subresource: String,
        /// The object's name; empty for none.
        name: String,
        /// The namespace; empty for none.
        namespace: String,
    },
    /// For a path that is no API resource.
    NonResource {
        /// The HTTP method in lower case.
        verb: String,
        /// The path.
        path: String,
    },
}

impl Request {
    /// The attributes to authorize.
    pub fn attributes(&self) -> Attributes<'_> {
        match self {
            Self::Resource { verb, group, resource, subresource, name, namespace } => {
                Attributes::Resource(ResourceAttributes {
                    verb,
                    group,
                    resource,
                    subresource,
                    name,
                    namespace,
                })
            }
            Self::NonResource { verb, path } => Attributes::NonResource(NonResourceAttributes { verb, path }),
        }
    }
}

impl From<Attributes<'_>> for Request {
    fn from(attributes: Attributes<'_>) -> Self {
        match attributes {
            Attributes::Resource(asked) => Self::Resource {
                verb: asked.verb.to_owned(),
                group: asked.group.to_owned(),
                resource: asked.resource.to_owned(),
                subresource: asked.subresource.to_owned(),
                name: asked.name.to_owned(),
                namespace: asked.namespace.to_owned(),
            },
            Attributes::NonResource(asked) => {
                Self::NonResource { verb: asked.verb.to_owned(), path: asked.path.to_owned() }
            }
        }
    }
}

/// Why a question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionError {
    /// A subresource of a path.
    SubresourceOfUrl,
    /// No type at all.
    NoType,
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SubresourceOfUrl => "--subresource cannot be used with a URL; leave it out",
            Self::NoType => {
                "no TYPE was given; write it as `pods`, `deployments.apps`, `pods/exec` or `/healthz`"
            }
        })
    }
}

impl std::error::Error for QuestionError {}

/// A target taken apart: type, name and subresource.
#[derive(Clone, Debug)]
pub struct Target<'c> {
    /// What the type means.
    pub resolution: Resolution<'c>,
    /// The name of the object, if one was given.
    pub name: String,
    /// The subresource, if one was given.
    pub subresource: String,
    /// How the target was read, where that is not obvious.
    pub notes: Vec<String>,
    /// What looks like a mistake.
    pub warnings: Vec<String>,
}

impl<'c> Target<'c> {
    /// Reads a target that is not a path.
    pub fn read(words: &Words<'_>, catalogue: &'c Catalogue) -> Self {
        let (kind, rest) = words.target.split_once('/').unwrap_or((words.target, ""));
        let resolution = catalogue.resolve(kind);
        let mut target = Self {
            name: String::new(),
            subresource: String::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            resolution,
        };
        if let Some(warning) = target.resolution.warning() {
            target.warnings.push(match catalogue.suggest(kind, []) {
                Some(nearest) if target.resolution.known().is_none() => {
                    format!("{warning}; did you mean `{nearest}`?")
                }
                _ => warning,
            });
        }
        if let Some(subresource) = words.subresource {
            rest.clone_into(&mut target.name);
            subresource.clone_into(&mut target.subresource);
            if target.resolution.known().is_some_and(|resource| !resource.has_subresource(subresource))
                && !subresource.is_empty()
            {
                target.warnings.push(format!(
                    "`{}` has no subresource `{subresource}` that is known",
                    target.resolution.resource()
                ));
            }
            return target;
        }
        if rest.is_empty() {
            return target;
        }
        let (name, last) = rest.rsplit_once('/').map_or(("", rest), |(name, last)| (name, last));
        if target.is_subresource(last, catalogue) {
            name.clone_into(&mut target.name);
            last.clone_into(&mut target.subresource);
            if name.is_empty() {
                target.notes.push(format!(
                    "`{}` is read as the subresource `{last}` of `{}`, not as an object named `{last}` as kubectl would; for the object give `--subresource ''`",
                    words.target,
                    target.resolution.resource(),
                ));
            }
        } else {
            rest.clone_into(&mut target.name);
            if rest.contains('/') {
                target.warnings.push(format!(
                    "`{rest}` is read as a name, for `{last}` is no subresource of `{}` that is known",
                    target.resolution.resource()
                ));
            }
        }
        target
    }

    fn is_subresource(&self, name: &str, catalogue: &Catalogue) -> bool {
        match &self.resolution {
            Resolution::Known { resource, .. } => resource.has_subresource(name),
            Resolution::Every { .. } => {
                name == "*" || catalogue.iter().any(|resource| resource.subresource(name).is_some())
            }
            // Of a type that is not known, only what every type may have.
            Resolution::Unknown { .. } => matches!(name, "status" | "scale" | "finalizers"),
        }
    }

    /// The type's scope; `None` if it is not known.
    pub fn namespaced(&self) -> Option<bool> {
        self.resolution.known().map(|resource| resource.namespaced)
    }
}

/// Reads a question.
///
/// # Errors
/// If it makes no sense: a subresource of a path, no type.
pub fn read(words: &Words<'_>, catalogue: &Catalogue) -> Result<Question, QuestionError> {
    if words.target.starts_with('/') {
        return read_url(words);
    }
    if words.target.is_empty() {
        return Err(QuestionError::NoType);
    }
    let Target { resolution, mut name, subresource, mut notes, mut warnings } =
        Target::read(words, catalogue);
    let known = resolution.known();
    let (group, resource) = (resolution.group(), resolution.resource());
    warn_about_verb(words.verb, known, &subresource, &mut warnings);
    let namespace = if words.all_namespaces { "" } else { words.namespace.unwrap_or("default") };
    let mut carried = namespace.to_owned();
    if let Some(known) = known.filter(|known| !known.namespaced) {
        carried = cluster_scoped(words, known, &name, &mut notes);
    }
    if words.verb == "create" && !name.is_empty() && subresource.is_empty() {
        notes.push(format!(
            "a POST `create` carries no name, so `{name}` is left out and rules limited by resourceNames do not count; only an upsert (server-side apply or PUT of a new object) is checked with the name"
        ));
        name.clear();
    } else if matches!(words.verb, "list" | "watch" | "deletecollection") && !name.is_empty() {
        notes.push(format!(
            "`{}` carries a name only with the field selector `metadata.name={name}`; that is what is asked",
            words.verb
        ));
    }
    Ok(Question {
        namespaced: known.map(|known| known.namespaced),
        namespace: namespace.to_owned(),
        request: Request::Resource {
            verb: words.verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource,
            name,
            namespace: carried,
        },
        notes,
        warnings,
    })
}

/// The namespace that a request for a cluster-scoped type carries: mostly none.
fn cluster_scoped(words: &Words<'_>, known: &Resource, name: &str, notes: &mut Vec<String>) -> String {
    if known.plural == "namespaces" && known.group.is_empty() {
        if name.is_empty() || matches!(words.verb, "create" | "list" | "watch" | "deletecollection") {
            return String::new();
        }
        notes.push(format!("a request for namespace `{name}` itself is authorised inside that namespace, so RoleBindings in it count"));
        return name.to_owned();
    }
    if let (Some(namespace), false, "bind", "clusterroles") =
        (words.namespace, words.all_namespaces, words.verb, &*known.plural)
    {
        notes.push(format!("`bind` on a ClusterRole is checked in the namespace of the new RoleBinding, here `{namespace}`; for a ClusterRoleBinding leave `-n` out"));
        return namespace.to_owned();
    }
    if let (Some(namespace), false) = (words.namespace, words.all_namespaces) {
        notes.push(format!(
            "`{}` is cluster-scoped, so the request carries no namespace: `-n {namespace}` is ignored and RoleBindings do not count",
            known.full_name()
        ));
    }
    String::new()
}

fn read_url(words: &Words<'_>) -> Result<Question, QuestionError> {
    if words.subresource.is_some() {
        return Err(QuestionError::SubresourceOfUrl);
    }
    let mut warnings = Vec::new();
    if !is_known_url_verb(words.verb) {
        warnings.push(format!(
            "`{}` is no HTTP method in lower case, so only a rule with verb `*` could match",
            words.verb
        ));
    }
    if words.target.contains('?') {
        warnings.push("a query string is no part of the path that is authorised; leave it out".to_owned());
    }
    Ok(Question {
        request: Request::NonResource { verb: words.verb.to_owned(), path: words.target.to_owned() },
        notes: Vec::new(),
        warnings,
        namespaced: Some(false),
        namespace: String::new(),
    })
}

fn warn_about_verb(verb: &str, known: Option<&Resource>, subresource: &str, warnings: &mut Vec<String>) {
    let lower = verb.to_lowercase();
    if is_known_resource_verb(verb) {
        return;
    }
    if lower != verb && is_known_resource_verb(&lower) {
        warnings
            .push(format!("verbs are compared exactly, and the API server asks in lower case: `{lower}`"));
        return;
    }
    let served = known.is_some_and(|known| {
        let verbs = if subresource.is_empty() {
            Some(&known.special_verbs)
        } else {
            known.subresource(subresource).map(|part| &part.verbs)
        };
        verbs.is_some_and(|verbs| verbs.contains(verb))
    });
    if !served {
        warnings.push(format!("`{verb}` is not a verb that Kubernetes asks for"));
    }
}
