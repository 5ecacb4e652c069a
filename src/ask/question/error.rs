//! Why a question cannot be asked.

use std::fmt;

use crate::knowledge::operations::PlanError;

/// Why a question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuestionError {
    /// Too few words, or too many.
    Words,
    /// A subresource of a path.
    SubresourceOfUrl,
    /// No type at all.
    NoType,
    /// An operation of kubectl on a path.
    OperationOnUrl(&'static str),
    /// The operation is not one of this type.
    Operation(PlanError),
    /// Several words that are neither an operation nor `VERB TYPE NAME`.
    NoOperation(String),
    /// A name beside several types, or beside `TYPE/NAME`.
    NameTwice {
        /// The type as written.
        target: String,
        /// The name as written.
        name: String,
    },
    /// Kubernetes never asks for this verb, and no kubectl operation has its name.
    UnknownVerb {
        /// The verb as written.
        verb: String,
        /// What was probably meant.
        nearest: Option<String>,
        /// Whether a rule of the inputs names it all the same.
        in_rules: bool,
    },
    /// A URL is asked with something that is no HTTP method in lower case.
    NoHttpMethod {
        /// The verb as written.
        verb: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// Inputs that are complete know no such namespace.
    UnknownNamespace {
        /// The namespace as written.
        namespace: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// Several types, of which one cannot be asked with the others.
    SeveralTypes(String),
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words => {
                f.write_str("give a verb and a type, such as `get pods`, `get secret db` or `exec pods/web`")
            }
            Self::SubresourceOfUrl => f.write_str("--subresource cannot be used with a URL; leave it out"),
            Self::NoType => f.write_str(
                "no TYPE was given; write it as `pods`, `deployments.apps`, `pods/exec` or `/healthz`",
            ),
            Self::OperationOnUrl(name) => write!(
                f,
                "`{name}` is a kubectl operation and takes a type, not a URL; for a URL give an HTTP method such as `get`"
            ),
            Self::Operation(error) => error.fmt(f),
            Self::NoOperation(words) => write!(
                f,
                "`{words}` is not a kubectl operation known here; give one VERB and one TYPE, such as `get pods` or `get secret db`"
            ),
            Self::NameTwice { target, name } => {
                write!(f, "`{target} {name}` names an object twice; write `TYPE/NAME` or `TYPE NAME`")
            }
            Self::UnknownVerb { verb, nearest, in_rules } => {
                write!(f, "Kubernetes has no verb `{verb}`, and kubectl no such operation")?;
                did_you_mean(f, nearest.as_deref())?;
                let named = if *in_rules { "a rule in the inputs names it; " } else { "" };
                write!(f, " ({named}give --api-verb to ask for it as it stands)")
            }
            Self::NoHttpMethod { verb, nearest } => {
                write!(f, "a URL is asked with an HTTP method in lower case, and `{verb}` is none")?;
                did_you_mean(f, nearest.as_deref())?;
                f.write_str(" (give --api-verb to ask for it as it stands)")
            }
            Self::UnknownNamespace { namespace, nearest } => {
                write!(f, "the inputs are complete and know no namespace `{namespace}`")?;
                did_you_mean(f, nearest.as_deref())?;
                f.write_str(" (give --partial if the namespace exists)")
            }
            Self::SeveralTypes(target) => {
                write!(f, "`{target}` cannot be asked with other types; ask for one type at a time")
            }
        }
    }
}

fn did_you_mean(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    nearest.map_or(Ok(()), |nearest| write!(f, "; did you mean `{nearest}`?"))
}

impl std::error::Error for QuestionError {}

impl From<PlanError> for QuestionError {
    fn from(error: PlanError) -> Self {
        Self::Operation(error)
    }
}
