//! IAM ARNs: the canonical form in which identity mappings are compared, and which ARNs a caller can have.

use std::fmt;

/// The partitions that aws-iam-authenticator knows (`endpoints/partitions.go`); case matters.
pub const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// What kind of principal an ARN names.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalType {
    /// An IAM user.
    User,
    /// An IAM role, which is never itself a caller: callers assume it.
    Role,
    /// A session of an assumed role.
    AssumedRole,
    /// The root user of an account.
    Root,
    /// A federated user.
    FederatedUser,
}

/// An ARN in canonical form: an assumed role is its IAM role, everything else is as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalArn {
    /// The canonical text, in the case in which it was given.
    pub text: String,
    /// What kind of principal was given.
    pub principal: PrincipalType,
    /// The partition, such as `aws`.
    pub partition: String,
    /// The account, unchecked.
    pub account: String,
    /// The name of the session, for an assumed role.
    pub session_name: Option<String>,
}

/// Why an ARN is no caller's. Displays in the words of `arn.Canonicalize`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseArnError {
    /// It does not begin with `arn:`.
    Prefix(String),
    /// It has fewer than six sections.
    Sections(String),
    /// Its partition is not one of [`PARTITIONS`].
    Partition(String),
    /// An assumed role without a role or without a session.
    NoRole(String),
    /// An IAM or STS resource that cannot call: a group, an instance profile, a policy.
    Resource {
        /// The resource part of the ARN.
        resource: String,
        /// `iam` or `sts`.
        service: String,
    },
    /// Another service than IAM and STS.
    Service {
        /// The service.
        service: String,
        /// The whole ARN.
        arn: String,
    },
    /// A role ARN without the name of a role: not upstream's, which never sees role ARNs.
    NoRoleName(String),
}

impl fmt::Display for ParseArnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(arn) => write!(f, "arn '{arn}' is invalid: 'arn: invalid prefix'"),
            Self::Sections(arn) => write!(f, "arn '{arn}' is invalid: 'arn: not enough sections'"),
            Self::Partition(arn) => write!(f, "arn '{arn}' does not have a recognized partition"),
            Self::NoRole(arn) => write!(f, "assumed-role arn '{arn}' does not have a role"),
            Self::Resource { resource, service } => {
                write!(f, "unrecognized resource {resource} for service {service}")
            }
            Self::Service { service, arn } => {
                write!(f, "service {service} in arn {arn} is not a valid service for identities")
            }
            Self::NoRoleName(arn) => write!(f, "role arn '{arn}' does not name a role"),
        }
    }
}

impl std::error::Error for ParseArnError {}

/// The sections of an ARN after `arn:`. Follows `arn.Parse` of the AWS SDK: nothing but their number is checked.
#[derive(Copy, Clone, Debug)]
pub(super) struct Sections<'a> {
    pub(super) partition: &'a str,
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

impl<'a> Sections<'a> {
    /// The sections of a text that has six of them; what the first one says is not looked at.
    pub(super) fn split(arn: &'a str) -> Option<Self> {
        let mut sections = arn.splitn(6, ':').skip(1);
        Some(Self {
            partition: sections.next()?,
            service: sections.next()?,
            region: sections.next()?,
            account: sections.next()?,
            resource: sections.next()?,
        })
    }

    fn parse(arn: &'a str) -> Result<Self, ParseArnError> {
        if !arn.starts_with("arn:") {
            return Err(ParseArnError::Prefix(arn.to_owned()));
        }
        let sections = Self::split(arn).ok_or_else(|| ParseArnError::Sections(arn.to_owned()))?;
        if !PARTITIONS.contains(&sections.partition) {
            return Err(ParseArnError::Partition(arn.to_owned()));
        }
        Ok(sections)
    }

    /// The resource without the path of a role: `role/a/b/N` is `role/N`.
    pub(super) fn resource_name(&self) -> &'a str {
        self.resource.rsplit('/').next().unwrap_or("")
    }
}

/// The canonical form of an ARN that STS reports. Follows `arn.Canonicalize`.
///
/// # Errors
/// Where no caller can have the ARN; upstream then refuses the login before any mapping is tried.
pub fn canonicalize(arn: &str) -> Result<CanonicalArn, ParseArnError> {
    let Sections { partition, service, account, resource, .. } = Sections::parse(arn)?;
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let unrecognized =
        || ParseArnError::Resource { resource: resource.to_owned(), service: service.to_owned() };
    let (text, principal, session) = match service {
        "sts" => match kind {
            "federated-user" => (arn.to_owned(), PrincipalType::FederatedUser, None),
            "assumed-role" => {
                let (role, session) =
                    rest.rsplit_once('/').ok_or_else(|| ParseArnError::NoRole(arn.to_owned()))?;
                let text = format!("arn:{partition}:iam::{account}:role/{role}");
                (text, PrincipalType::AssumedRole, Some(session.to_owned()))
            }
            _ => return Err(unrecognized()),
        },
        "iam" => match kind {
            "user" => (arn.to_owned(), PrincipalType::User, None),
            "role" => (arn.to_owned(), PrincipalType::Role, None),
            "root" => (arn.to_owned(), PrincipalType::Root, None),
            _ => return Err(unrecognized()),
        },
        _ => return Err(ParseArnError::Service { service: service.to_owned(), arn: arn.to_owned() }),
    };
    Ok(CanonicalArn {
        text,
        principal,
        partition: partition.to_owned(),
        account: account.to_owned(),
        session_name: session,
    })
}

/// The ARN of a role without its path; any other ARN as it is. Follows `arn.StripPath`.
///
/// # Errors
/// Where the text is not an ARN of a known partition.
pub fn strip_path(arn: &str) -> Result<String, ParseArnError> {
    let sections = Sections::parse(arn)?;
    let Sections { partition, service, region, account, resource } = sections;
    if !resource.starts_with("role/") {
        return Ok(arn.to_owned());
    }
    Ok(format!("arn:{partition}:{service}:{region}:{account}:role/{}", sections.resource_name()))
}

/// The form in which two ARNs that match are equal: what `strings.EqualFold` ignores is gone.
pub fn fold(arn: &str) -> String {
    arn.chars().map(fold_char).collect()
}

fn fold_char(char: char) -> char {
    match char {
        // The two characters outside ASCII that fold into it.
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ if char.is_ascii() => char.to_ascii_lowercase(),
        _ => {
            let mut lower = char.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(only), None) => only,
                _ => char,
            }
        }
    }
}

/// Why a mapping's ARN can never equal a caller's canonical ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreachable {
    /// Not an ARN at all.
    NotAnArn,
    /// A part that a template or a person should have filled in.
    Placeholder,
    /// A template of aws-iam-authenticator, which fills them in elsewhere, not in ARNs.
    Template,
    /// The ARN of a permission set of IAM Identity Center.
    PermissionSet,
    /// The path of roles that IAM Identity Center makes, and no name of one.
    ReservedPath,
    /// Mistyped; what is wrong, and with the ARN that was meant.
    Misspelt(String, String),
    /// Spaces around it.
    Whitespace,
    /// A partition that does not exist.
    Partition,
    /// A region, which IAM ARNs do not have.
    Region,
    /// The account is not twelve digits.
    Account,
    /// `*` or `?`, which are compared as text.
    Wildcard,
    /// An ARN of IAM or STS that cannot call: a group, an instance profile.
    Resource(String),
    /// Another service than IAM and STS.
    Service(String),
    /// A role with a path, which no caller's ARN carries; with the ARN that would match.
    RolePath(String),
    /// An STS session instead of its role; with the ARN that would match.
    AssumedRole(String),
    /// No name, or a name that IAM does not allow.
    Name,
    /// An `sso:` entry, for which aws-iam-authenticator has a feature gate that is off.
    Sso,
    /// The principal was deleted and made anew after its access entry.
    Recreated,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnArn => f.write_str("it is not an ARN"),
            Self::Placeholder => f.write_str("it has an unfilled placeholder; fill it in, or use --set"),
            Self::Template => f.write_str(
                "ARNs are not templates: aws-iam-authenticator fills in `{{AccountID}}` and its like only in usernames and groups",
            ),
            Self::PermissionSet => f.write_str(
                "a permission set never calls; map the role that IAM Identity Center makes of it, `role/AWSReservedSSO_NAME_HASH` without a path",
            ),
            Self::ReservedPath => f.write_str(
                "it is only the path of the roles of IAM Identity Center; write the name of one instead, `role/AWSReservedSSO_NAME_HASH` without a path",
            ),
            Self::Misspelt(why, better) => write!(f, "{why}; write `{better}`"),
            Self::Whitespace => f.write_str("it has leading or trailing spaces, which count"),
            Self::Partition => f.write_str("its partition does not exist"),
            Self::Region => f.write_str("it has a region, but caller ARNs have none"),
            Self::Account => f.write_str("its account ID is not 12 digits"),
            Self::Wildcard => f.write_str("wildcards are matched literally"),
            Self::Resource(kind) => write!(f, "no caller is a `{kind}`"),
            Self::Service(service) => write!(f, "ARNs of `{service}` are never callers"),
            Self::RolePath(better) => {
                write!(f, "it has a role path, which caller ARNs never have; write `{better}`")
            }
            Self::AssumedRole(better) => {
                write!(
                    f,
                    "it names one session, but callers are matched by role; write `{better}`, which maps every session"
                )
            }
            Self::Name => f.write_str("IAM does not allow this name"),
            Self::Sso => f.write_str("`sso` entries need a feature gate that is off by default"),
            Self::Recreated => f.write_str("its principal was made anew after the entry"),
        }
    }
}

/// The ARN of the callers that a mapping with this ARN matches; a role stands for all its sessions.
///
/// The parts of which there is only one spelling are put into it, since matching ignores case.
///
/// # Errors
/// Why there can be no such caller.
pub fn caller(written: &str) -> Result<String, Unreachable> {
    if written.trim() != written {
        return Err(Unreachable::Whitespace);
    }
    if super::placeholder::has_own(written) {
        return Err(Unreachable::Template);
    }
    if written.contains(['<', '>', '{', '}', '$', '%']) || super::placeholder::is_template(written) {
        return Err(Unreachable::Placeholder);
    }
    let sections = Sections::split(written).ok_or(Unreachable::NotAnArn)?;
    let lower = |text: &str| text.to_ascii_lowercase();
    let (partition, service) = (lower(sections.partition), lower(sections.service));
    let Sections { account, resource, .. } = sections;
    if !written.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("arn:")) {
        return Err(Unreachable::NotAnArn);
    }
    if written.contains(['*', '?']) {
        return Err(Unreachable::Wildcard);
    }
    if !PARTITIONS.contains(&partition.as_str()) {
        return Err(Unreachable::Partition);
    }
    let (kind, rest) = resource.split_once('/').map_or((resource, None), |(kind, rest)| (kind, Some(rest)));
    let (kind, name) = (lower(kind), sections.resource_name());
    if is_permission_set(written) {
        return Err(Unreachable::PermissionSet);
    }
    match (service.as_str(), kind.as_str()) {
        ("iam", "user" | "role" | "root") | ("sts", "assumed-role" | "federated-user") => {}
        ("iam" | "sts", _) => return Err(Unreachable::Resource(kind)),
        _ => return Err(Unreachable::Service(service)),
    }
    if super::placeholder::is_account_word(account) {
        return Err(Unreachable::Placeholder);
    }
    let is_reserved = rest.is_some_and(|rest| lower(rest).starts_with("aws-reserved"));
    if kind == "role" && is_reserved && !lower(name).starts_with("awsreservedsso_") {
        return Err(Unreachable::ReservedPath);
    }
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unreachable::Account);
    }
    let role = |name: &str| format!("arn:{partition}:iam::{account}:role/{name}");
    match (kind.as_str(), rest) {
        ("root", None) => {}
        ("root", _) | (_, None) => return Err(Unreachable::Name),
        ("assumed-role", Some(rest)) => {
            let of_role = rest.rsplit('/').nth(1).unwrap_or(rest);
            return Err(Unreachable::AssumedRole(role(of_role)));
        }
        (_, Some(_)) if !is_name(name) => return Err(Unreachable::Name),
        ("role", Some(rest)) if rest.contains('/') => return Err(Unreachable::RolePath(role(name))),
        _ => {}
    }
    if !sections.region.is_empty() {
        return Err(Unreachable::Region);
    }
    let rest = rest.map(|rest| format!("/{rest}")).unwrap_or_default();
    Ok(format!("arn:{partition}:{service}::{account}:{kind}{rest}"))
}

/// Whether an ARN is that of a permission set.
fn is_permission_set(arn: &str) -> bool {
    Sections::split(arn).is_some_and(|sections| {
        sections.service.eq_ignore_ascii_case("sso")
            && sections.resource.to_ascii_lowercase().starts_with("permissionset/")
    })
}

/// Whether a character may stand in the name of a user, a role or a session.
pub(super) fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || "_+=,.@-".contains(char)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_name_char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn canonical(arn: &str) -> String {
        canonicalize(arn).unwrap().text
    }

    #[track_caller]
    fn refused(arn: &str) -> String {
        canonicalize(arn).unwrap_err().to_string()
    }

    #[test]
    fn assumed_role_is_its_role() {
        let arn = canonicalize("arn:aws:sts::111122223333:assumed-role/Dev/me@x.com").unwrap();
        assert_eq!(arn.text, "arn:aws:iam::111122223333:role/Dev");
        assert_eq!(arn.principal, PrincipalType::AssumedRole);
        assert_eq!(arn.session_name.as_deref(), Some("me@x.com"));
        assert_eq!((arn.partition.as_str(), arn.account.as_str()), ("aws", "111122223333"));
        assert_eq!(
            canonical("arn:aws-cn:sts:eu-west-1:1:assumed-role/a/b/N/S"),
            "arn:aws-cn:iam::1:role/a/b/N"
        );
    }

    #[test]
    fn user_path_and_case_are_kept() {
        assert_eq!(canonical("arn:aws:iam::1:user/Path/Me"), "arn:aws:iam::1:user/Path/Me");
        assert_eq!(canonical("arn:aws:iam::1:root"), "arn:aws:iam::1:root");
        assert_eq!(canonical("arn:aws:sts::1:federated-user/Bob"), "arn:aws:sts::1:federated-user/Bob");
    }

    #[test]
    fn only_the_first_part_of_root_counts() {
        assert_eq!(canonicalize("arn:aws:iam::1:root/x").unwrap().principal, PrincipalType::Root);
        assert!(canonicalize("arn:aws:iam::1:rooty").is_err());
    }

    #[test]
    fn refusals_in_upstreams_words() {
        assert_eq!(refused("foo"), "arn 'foo' is invalid: 'arn: invalid prefix'");
        assert_eq!(refused("arn:aws:iam"), "arn 'arn:aws:iam' is invalid: 'arn: not enough sections'");
        assert_eq!(
            refused("arn:AWS:iam::1:user/x"),
            "arn 'arn:AWS:iam::1:user/x' does not have a recognized partition"
        );
        assert_eq!(
            refused("arn:aws:sts::1:assumed-role/N"),
            "assumed-role arn 'arn:aws:sts::1:assumed-role/N' does not have a role"
        );
        assert_eq!(refused("arn:aws:iam::1:group/g"), "unrecognized resource group/g for service iam");
        assert_eq!(refused("arn:aws:sts::1:self"), "unrecognized resource self for service sts");
        assert_eq!(
            refused("arn:aws:s3:::b"),
            "service s3 in arn arn:aws:s3:::b is not a valid service for identities"
        );
    }

    #[test]
    fn every_partition_is_known_and_no_other() {
        for partition in PARTITIONS {
            assert!(canonicalize(&format!("arn:{partition}:iam::1:user/x")).is_ok(), "{partition}");
        }
        assert!(canonicalize("arn:aws-iso-z:iam::1:user/x").is_err());
    }

    #[test]
    fn strip_path_touches_roles_only() {
        assert_eq!(strip_path("arn:aws:iam::1:role/a/b/N").unwrap(), "arn:aws:iam::1:role/N");
        assert_eq!(strip_path("arn:aws:iam::1:user/a/N").unwrap(), "arn:aws:iam::1:user/a/N");
    }

    #[test]
    fn fold_is_equal_fold() {
        assert_eq!(fold("ARN:aws:IAM::1:role/\u{212a}ube\u{17f}"), "arn:aws:iam::1:role/kubes");
    }

    #[test]
    fn mapping_arn_reaches_callers_in_any_case() {
        assert_eq!(
            caller("ARN:AWS:IAM::444455556666:USER/Team/Me").unwrap(),
            "arn:aws:iam::444455556666:user/Team/Me"
        );
        assert_eq!(
            caller("arn:aws:iam::444455556666:role/Dev").unwrap(),
            "arn:aws:iam::444455556666:role/Dev"
        );
        assert_eq!(caller("arn:aws:iam::444455556666:root").unwrap(), "arn:aws:iam::444455556666:root");
        assert!(caller("arn:aws:sts::444455556666:federated-user/Bob").is_ok());
    }

    #[test]
    fn mapping_arn_that_no_caller_has() {
        let role = |name: &str| format!("arn:aws:iam::444455556666:role/{name}");
        for (arn, why) in [
            ("NODE_INSTANCE_ROLE".to_owned(), Unreachable::NotAnArn),
            ("<ARN of the role>".to_owned(), Unreachable::Placeholder),
            ("arn:aws:iam::${ACCOUNT}:role/x".to_owned(), Unreachable::Placeholder),
            (role("Dev "), Unreachable::Whitespace),
            ("arn:awz:iam::444455556666:role/x".to_owned(), Unreachable::Partition),
            ("arn:aws:iam:eu-west-1:444455556666:role/x".to_owned(), Unreachable::Region),
            ("arn:aws:iam::4444:role/x".to_owned(), Unreachable::Account),
            (role("teams/*"), Unreachable::Wildcard),
            ("arn:aws:iam::444455556666:group/g".to_owned(), Unreachable::Resource("group".to_owned())),
            ("arn:aws:ec2::444455556666:role/g".to_owned(), Unreachable::Service("ec2".to_owned())),
            (role("a/b/N"), Unreachable::RolePath(role("N"))),
            ("arn:aws:sts::444455556666:assumed-role/N/s".to_owned(), Unreachable::AssumedRole(role("N"))),
            ("arn:aws:sts::444455556666:assumed-role/N".to_owned(), Unreachable::AssumedRole(role("N"))),
            (role("a b"), Unreachable::Name),
            (role(""), Unreachable::Name),
            ("arn:aws:iam::444455556666:user".to_owned(), Unreachable::Name),
        ] {
            assert_eq!(caller(&arn), Err(why), "{arn}");
        }
    }
}
