//! What is asked: the attributes of a request, as in a SubjectAccessReview.

use std::fmt;

/// A request for an API resource.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceAttributes<'a> {
    /// The verb, in lower case as the API server sets it: `get`, `list`, `create` …
    pub verb: &'a str,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The resource, in the plural.
    pub resource: &'a str,
    /// The subresource; empty for none.
    pub subresource: &'a str,
    /// The name of the object; empty for `list`, a POST `create` and their like.
    pub name: &'a str,
    /// The namespace; empty for a cluster-scoped resource, or for all namespaces.
    pub namespace: &'a str,
}

impl<'a> ResourceAttributes<'a> {
    /// A request for a resource as rules spell it, with its subresource behind a slash; outside of namespaces and for no
    /// object by name.
    pub fn of(verb: &'a str, group: &'a str, resource: &'a str) -> Self {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Self { verb, group, resource, subresource, name: "", namespace: "" }
    }
}

/// A request for a path that is no API resource. It has no namespace, so no RoleBinding can allow it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct NonResourceAttributes<'a> {
    /// The HTTP method in lower case.
    pub verb: &'a str,
    /// The path, compared as it is: no slash is added, no query string cut.
    pub path: &'a str,
}

/// The attributes of a request.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attributes<'a> {
    /// For an API resource.
    Resource(ResourceAttributes<'a>),
    /// For a path that is no API resource.
    NonResource(NonResourceAttributes<'a>),
}

impl<'a> Attributes<'a> {
    /// The verb.
    pub fn verb(&self) -> &'a str {
        match self {
            Self::Resource(attributes) => attributes.verb,
            Self::NonResource(attributes) => attributes.verb,
        }
    }

    /// The namespace in which the request is authorised; empty for none.
    pub fn namespace(&self) -> &'a str {
        match self {
            Self::Resource(attributes) => attributes.namespace,
            Self::NonResource(_) => "",
        }
    }
}

/// `create pods/exec in namespace prod`, `get /healthz`.
impl fmt::Display for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NonResource(NonResourceAttributes { verb, path }) => write!(f, "{verb} {path}"),
            Self::Resource(attributes) => {
                let ResourceAttributes { verb, group, resource, subresource, name, namespace } = attributes;
                write!(f, "{verb} {resource}")?;
                if !group.is_empty() {
                    write!(f, ".{group}")?;
                }
                if !subresource.is_empty() {
                    write!(f, "/{subresource}")?;
                }
                if !name.is_empty() {
                    write!(f, " named {name}")?;
                }
                if !namespace.is_empty() {
                    write!(f, " in namespace {namespace}")?;
                }
                Ok(())
            }
        }
    }
}
