//! For a caller that no mapping matches: the mapping that nearly does, and what keeps it from matching.

use std::fmt;

use super::IamIdentity;
use super::arn::{Sections, Unreachable, caller, fold};
use super::placeholder::{has_own, is_account_word};
use super::repair::repair;
use crate::model::source::Source;

/// What keeps a mapping from matching a caller, the likeliest mistake first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NearReason {
    /// The mapping's ARN is that of no caller; corrected, it would match.
    Unreachable(Unreachable),
    /// Same user name, another path: in `userarn` the path counts.
    UserPath,
    /// The text that names the ARN was lost; why.
    Ignored(String),
    /// The caller is of a permission set, and the mapping names one, or the path of such roles: perhaps this one.
    PermissionSet(Unreachable),
    /// The same permission set, another suffix: AWS gives a new one when it makes the role anew.
    SsoSuffix,
    /// Same resource and account, another partition.
    OtherPartition,
    /// Same resource, another account.
    OtherAccount,
    /// Same name, another kind of principal.
    OtherKind,
    /// A few characters differ.
    Typo {
        /// How many.
        distance: usize,
    },
}

/// A mapping that nearly matches a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// What keeps it from matching.
    pub reason: NearReason,
    /// The ARN of the mapping as written; of lost text, the caller's.
    pub arn: String,
    /// Where the mapping stands.
    pub source: Source,
}

impl NearMiss {
    /// The nearer, the smaller.
    pub(super) fn rank(&self) -> (u8, usize) {
        match self.reason {
            NearReason::Unreachable(_) => (0, 0),
            NearReason::UserPath => (1, 0),
            NearReason::Ignored(_) => (2, 0),
            NearReason::SsoSuffix => (3, 0),
            NearReason::PermissionSet(_) => (3, 1),
            NearReason::OtherPartition => (4, 0),
            NearReason::OtherAccount => (5, 0),
            NearReason::OtherKind => (6, 0),
            NearReason::Typo { distance } => (7, distance),
        }
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arn = &self.arn;
        match &self.reason {
            NearReason::Unreachable(Unreachable::Sso) => {
                write!(f, "an `sso` entry names this role: {}", Unreachable::Sso)
            }
            NearReason::Unreachable(why) => write!(f, "`{arn}` is mapped but never matches: {why}"),
            NearReason::PermissionSet(why) => write!(f, "`{arn}` is mapped and may mean this role: {why}"),
            NearReason::UserPath => {
                write!(f, "`{arn}` is mapped, but its path differs, and user paths must match")
            }
            NearReason::Ignored(why) => write!(f, "`{arn}` is in text that is ignored: {why}"),
            NearReason::SsoSuffix => write!(f, "`{arn}` is mapped: same permission set, different role"),
            NearReason::OtherPartition => write!(f, "`{arn}` is mapped: different partition"),
            NearReason::OtherAccount => write!(f, "`{arn}` is mapped: different account"),
            NearReason::OtherKind => write!(f, "`{arn}` is mapped: same name, different kind of principal"),
            NearReason::Typo { .. } => write!(f, "`{arn}` is mapped: is one of them a typo?"),
        }
    }
}

/// What keeps a mapping's ARN from matching a caller, if it comes near at all.
pub(super) fn compare(identity: &IamIdentity, written: &str) -> Option<NearReason> {
    let (ours, theirs) = (fold(identity.canonical_arn()), fold(written));
    if theirs.trim_matches(|sign: char| sign.is_ascii_whitespace()) == ours {
        return Some(NearReason::Unreachable(Unreachable::Whitespace));
    }
    match caller(written) {
        Err(Unreachable::RolePath(better) | Unreachable::AssumedRole(better)) if fold(&better) != ours => {}
        Err(why @ (Unreachable::RolePath(_) | Unreachable::AssumedRole(_))) => {
            return Some(NearReason::Unreachable(why));
        }
        Err(why @ Unreachable::Wildcard) => {
            let fits = wildcard_matches(&theirs, &ours) || wildcard_matches(&theirs, &fold(identity.arn()));
            return fits.then_some(NearReason::Unreachable(why));
        }
        _ => {}
    }
    let repaired =
        repair(written, Some(identity.account())).filter(|repaired| fold(&repaired.better) == ours);
    if let Some(repaired) = repaired {
        return Some(NearReason::Unreachable(Unreachable::Misspelt(repaired.why, repaired.better)));
    }
    if has_own(written) {
        let filled = theirs.replace("{{accountid}}", identity.account());
        return (filled == ours).then_some(NearReason::Unreachable(Unreachable::Template));
    }
    let (our, their) = (Sections::split(&ours)?, Sections::split(&theirs)?);
    let is_sso = our.resource_name().starts_with("awsreservedsso_");
    match caller(written) {
        Err(why @ Unreachable::PermissionSet) => return is_sso.then_some(NearReason::PermissionSet(why)),
        Err(why @ Unreachable::ReservedPath) => {
            return (is_sso && our.account == their.account).then_some(NearReason::PermissionSet(why));
        }
        _ => {}
    }
    let same_account = our.account == their.account;
    let (our_name, their_name) = (our.resource_name(), their.resource_name());
    if our.resource == their.resource {
        if !same_account && !is_account_word(their.account) {
            return Some(NearReason::OtherAccount);
        }
        if our.partition != their.partition {
            return Some(NearReason::OtherPartition);
        }
    } else if our.partition == their.partition && same_account {
        let kind = |sections: Sections<'_>| sections.resource.split('/').next().map(str::to_owned);
        if our_name == their_name && !our_name.is_empty() {
            let same_kind = kind(our) == kind(their);
            return Some(if same_kind { NearReason::UserPath } else { NearReason::OtherKind });
        }
        let set = |name: &'_ str| {
            name.starts_with("awsreservedsso_").then(|| name.rsplit_once('_').map(|(set, _)| set.to_owned()))
        };
        if set(our_name).is_some() && set(our_name) == set(their_name) {
            return Some(NearReason::SsoSuffix);
        }
    }
    let allowed = (our_name.len() / 3).clamp(1, 3);
    if ours.len().abs_diff(theirs.len()) > allowed {
        return None;
    }
    let distance = strsim::levenshtein(&ours, &theirs);
    (distance <= allowed).then_some(NearReason::Typo { distance })
}

/// Whether `text` names an ARN as a whole word; both folded.
pub(super) fn mentions(text: &str, arn: &str) -> bool {
    text.match_indices(arn).any(|(start, _)| {
        let after = text.get(start + arn.len()..).and_then(|rest| rest.chars().next());
        !after.is_some_and(|char| super::arn::is_name_char(char) || char == '/')
    })
}

/// `*` for any text and `?` for any character: what the author of a wildcard hoped for.
fn wildcard_matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    let mut star = None;
    while let Some(char) = text.get(from) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(own) if own == char || *own == '?' => (at, from) = (at + 1, from + 1),
            _ => match star {
                Some((star_at, star_from)) => {
                    star = Some((star_at, star_from + 1));
                    (at, from) = (star_at + 1, star_from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|char| *char == '*')
}
