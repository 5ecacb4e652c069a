//! What is worth knowing about how a question was read: a code and its parts, put into words by the reports.

/// A remark on a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// The type is not known; what was probably meant.
    UnknownType {
        /// The resource as written.
        resource: String,
        /// The group as written; empty for none.
        group: String,
        /// A known type that is spelled nearly so.
        nearest: Option<String>,
    },
    /// The type is not known to be served in the version that was written.
    UnservedVersion {
        /// The type.
        of: String,
        /// The version.
        version: String,
    },
    /// Discovery does not list the type, so kubectl asks for something else.
    NotInDiscovery(String),
    /// The same text may mean other types too.
    AlsoMeans {
        /// What it was read as.
        of: String,
        /// Whether that is in the core group.
        core: bool,
        /// What else it may mean.
        others: Vec<String>,
    },
    /// The type has no such subresource that is known.
    NoSuchSubresource {
        /// The type.
        resource: String,
        /// The subresource.
        subresource: String,
    },
    /// What follows the slash was read as a subresource.
    ReadAsSubresource {
        /// The target as written.
        target: String,
        /// The type.
        resource: String,
        /// The subresource.
        subresource: String,
    },
    /// What follows the slash is another form of the word for a subresource, and was read as that.
    MisspeltSubresource {
        /// The target as written.
        target: String,
        /// The type.
        resource: String,
        /// The subresource.
        subresource: String,
        /// What was written for it.
        written: String,
    },
    /// What follows the slash was read as a name, and is nearly a subresource.
    NearSubresource {
        /// The target as written.
        target: String,
        /// The type.
        resource: String,
        /// The subresource.
        subresource: String,
        /// The name.
        name: String,
    },
    /// What follows the slash of a type that is not known was read as a name, and may be a subresource.
    NameOrSubresource {
        /// The target as written.
        target: String,
        /// What follows the slash.
        name: String,
    },
    /// What follows the slash was read as a name, because the last part is no known subresource.
    ReadAsName {
        /// The name.
        name: String,
        /// The last part.
        last: String,
        /// The type.
        resource: String,
    },
    /// A `create` carries no name, so the given one was left out.
    CreateCarriesNoName(String),
    /// The verb carries a name only by a field selector.
    NameBySelector {
        /// The verb.
        verb: String,
        /// The name.
        name: String,
    },
    /// A request for a Namespace itself is authorized inside it.
    InsideNamespace(String),
    /// `bind` on a ClusterRole is checked in the namespace of the new RoleBinding.
    BindInNamespace(String),
    /// The type is cluster-scoped, so the namespace of the question is ignored.
    ClusterScoped {
        /// The type.
        of: String,
        /// The namespace.
        namespace: String,
    },
    /// The verb of a URL is no HTTP method in lower case.
    NoHttpMethod(String),
    /// A path with a query string.
    QueryString,
    /// A path below `/api` or `/apis` that names a resource: the API server takes it for this request.
    ApiPath {
        /// The path as written.
        path: String,
        /// The request that it is.
        request: String,
    },
    /// The path of a resource says itself in which namespace the request is made.
    PathHasNamespace(String),
    /// Verbs are in lower case; the given one has capitals.
    CapitalVerb(String),
    /// No input knows the namespace, though they may not know all.
    UnknownNamespace {
        /// The namespace.
        namespace: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// Kubernetes does not ask for this verb.
    UnknownVerb(String),
    /// A sentence of the table of operations.
    OfOperation(String),
    /// kubectl itself asks more than other clients need, and its answer differs.
    KubectlAsksMore {
        /// What it asks.
        requests: Vec<String>,
        /// Its answer.
        answer: crate::model::ternary::Ternary,
    },
    /// Another form of the operation, which was not asked about, what it needs, and whether it works.
    OtherWay {
        /// The form: `with --copy-to`.
        label: String,
        /// Its requests.
        needs: crate::knowledge::operations::Need<String>,
        /// Its answer.
        answer: crate::model::ternary::Ternary,
    },
    /// The API server checks a role or binding that is written once more: its writer must hold what it grants, or
    /// have this verb.
    EscalationCheck {
        /// `escalate` for a role, `bind` for a binding.
        verb: &'static str,
        /// Whether the asker has that verb, on whatever role.
        holds: crate::model::ternary::Ternary,
    },
    /// Some request names an object, and the question gave no name.
    NoNameGiven,
}

impl Remark {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownType { .. } => "unknown-type",
            Self::UnservedVersion { .. } => "unserved-version",
            Self::NotInDiscovery(_) => "not-in-discovery",
            Self::AlsoMeans { .. } => "type-has-several-meanings",
            Self::NoSuchSubresource { .. } => "unknown-subresource",
            Self::ReadAsSubresource { .. } => "read-as-subresource",
            Self::MisspeltSubresource { .. } => "misspelt-subresource",
            Self::NearSubresource { .. } => "near-subresource",
            Self::NameOrSubresource { .. } => "name-or-subresource",
            Self::ReadAsName { .. } => "read-as-name",
            Self::CreateCarriesNoName(_) => "create-carries-no-name",
            Self::NameBySelector { .. } => "name-by-field-selector",
            Self::InsideNamespace(_) => "authorized-inside-namespace",
            Self::BindInNamespace(_) => "bind-in-namespace",
            Self::ClusterScoped { .. } => "cluster-scoped",
            Self::NoHttpMethod(_) => "no-http-method",
            Self::QueryString => "query-string",
            Self::ApiPath { .. } => "api-path",
            Self::PathHasNamespace(_) => "path-has-namespace",
            Self::CapitalVerb(_) => "capital-verb",
            Self::UnknownNamespace { .. } => "unknown-namespace",
            Self::UnknownVerb(_) => "unknown-verb",
            Self::OfOperation(_) => "operation",
            Self::KubectlAsksMore { .. } => "kubectl-asks-more",
            Self::OtherWay { .. } => "other-way",
            Self::EscalationCheck { .. } => "escalation-check",
            Self::NoNameGiven => "no-name-given",
        }
    }

    /// Whether it looks like a mistake; otherwise it only says how the question was read.
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::UnknownType { .. }
                | Self::UnservedVersion { .. }
                | Self::NotInDiscovery(_)
                | Self::AlsoMeans { .. }
                | Self::NoSuchSubresource { .. }
                | Self::MisspeltSubresource { .. }
                | Self::NearSubresource { .. }
                | Self::NameOrSubresource { .. }
                | Self::ReadAsName { .. }
                | Self::NoHttpMethod(_)
                | Self::QueryString
                | Self::PathHasNamespace(_)
                | Self::CapitalVerb(_)
                | Self::UnknownVerb(_)
                | Self::UnknownNamespace { .. }
        )
    }
}
