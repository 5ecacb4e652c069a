//! Why the inputs do not tell who a caller is, where a cluster has access entries.

use super::super::caller::{IdentityDoubt, IdentityError, Mapped};
use crate::model::source::Source;

/// What the inputs leave open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// The inputs speak of several clusters, and none was chosen.
    SeveralClusters(Vec<(String, Source)>),
    /// The inputs do not hold every access entry, and none of this principal.
    EntryListNotComplete,
    /// `aws-auth` is asked for whoever has no entry, and it is not among the inputs.
    AwsAuthNotLoaded,
    /// `aws-auth` maps the caller; whether it counts hangs on the authentication mode, which no input tells.
    ModeUnknown,
    /// Entries whose principal the inputs do not tell, or that may not exist, may be this caller's.
    PossibleEntry(Vec<Source>),
    /// Whoever created the cluster is allowed everything in the mode `CONFIG_MAP`; no input tells the mode.
    CreatorOfUnknownMode,
}

impl Gap {
    /// What is said of it, each with its place.
    pub(super) fn doubts(&self) -> Vec<IdentityDoubt> {
        let doubt = |text: &str, source| IdentityDoubt { text: text.to_owned(), source };
        match self {
            Self::SeveralClusters(names) => {
                let quoted: Vec<String> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
                let text =
                    format!("the inputs describe several clusters: {}; give --cluster", quoted.join(", "));
                let places = names.iter().zip(&quoted).map(|((_, source), quoted)| {
                    doubt(&format!("cluster {quoted} is described here"), Some(*source))
                });
                std::iter::once(doubt(&text, None)).chain(places).collect()
            }
            Self::EntryListNotComplete => vec![doubt(
                "the inputs do not hold all access entries, and none for this ARN; load `aws eks list-access-entries`, or what `rbacsim collect` gathers",
                None,
            )],
            Self::AwsAuthNotLoaded => vec![doubt(
                "this ARN has no access entry, so the ConfigMap `kube-system/aws-auth` decides, and it is not in the inputs",
                None,
            )],
            Self::ModeUnknown => vec![doubt(
                "`aws-auth` maps this ARN, which counts in authentication mode API_AND_CONFIG_MAP but not in API; the inputs do not tell the mode, so give --authentication-mode",
                None,
            )],
            Self::PossibleEntry(places) => {
                let text = "this access entry may be the one of this ARN: the inputs do not tell its principal, or whether it exists";
                places.iter().map(|place| doubt(text, Some(*place))).collect()
            }
            Self::CreatorOfUnknownMode => vec![doubt(
                "the creator of the cluster may do everything in authentication mode CONFIG_MAP; the inputs do not tell the mode, so give --authentication-mode",
                None,
            )],
        }
    }

    /// The outcome for a caller, with everybody whom it could be.
    pub(super) fn outcome(
        &self,
        could_be: Vec<Result<Mapped, IdentityError>>,
        is_exhaustive: bool,
    ) -> Result<Mapped, IdentityError> {
        Err(IdentityError::Unknown { doubts: self.doubts(), could_be, is_exhaustive })
    }
}
