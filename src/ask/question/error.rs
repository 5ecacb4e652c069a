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
            Self::SeveralTypes(target) => {
                write!(f, "`{target}` cannot be asked with other types; ask for one type at a time")
            }
        }
    }
}

impl std::error::Error for QuestionError {}

impl From<PlanError> for QuestionError {
    fn from(error: PlanError) -> Self {
        Self::Operation(error)
    }
}
