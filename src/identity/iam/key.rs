//! Condition keys: what each of them is about.

/// A condition key. Case does not matter.
#[derive(Clone, Debug)]
pub struct Key {
    written: Box<str>,
    lower: Box<str>,
    pub(super) fact: Fact,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Eq for Key {}

/// What a key asks for, as far as an export bears on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// `aws:PrincipalArn`
    PrincipalArn,
    /// `aws:PrincipalAccount`
    PrincipalAccount,
    /// `aws:PrincipalType`
    PrincipalType,
    /// `aws:username`
    Username,
    /// `aws:userid`
    UserId,
    /// `aws:PrincipalTag/…`, in lower case
    PrincipalTag(Box<str>),
    /// `aws:ResourceAccount`
    ResourceAccount,
    /// `aws:ResourceTag/…` and `iam:ResourceTag/…`, in lower case
    ResourceTag(Box<str>),
    /// `aws:PrincipalIsAWSService`
    IsService,
    /// `aws:ViaAWSService`
    ViaService,
    /// `aws:SecureTransport`
    SecureTransport,
    /// `aws:PrincipalServiceName` and its list
    ServiceName,
    /// What only a service's call carries.
    OfServices,
    /// `aws:TokenIssueTime`
    TokenIssueTime,
    /// What only a session may carry: `aws:SourceIdentity`, claims of identity providers.
    OfSessions,
    /// What every request carries, although an export cannot say it.
    Always,
    /// `aws:PrincipalOrgID` and its like
    Organisation,
    /// `sts:RoleSessionName`
    SessionName,
    /// What the caller may add to the request as he likes.
    Choice,
    /// Everything else: address, device, network.
    Other,
}

/// Who has a say in a key, for the order in which conditions are shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyGroup {
    /// The caller chooses the value.
    Choice,
    /// It depends on where, when and how the call is made.
    Circumstance,
    /// The identity provider says it, in the token or assertion with which the session began.
    Provider,
    /// It depends on the organisation of the account.
    Organisation,
}

impl KeyGroup {
    /// The group in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Choice => "the caller chooses",
            Self::Circumstance => "circumstances decide",
            Self::Provider => "the identity provider says it",
            Self::Organisation => "the organisation decides",
        }
    }
}

impl Key {
    /// The key as it is written somewhere.
    pub fn new(written: &str) -> Self {
        let lower = written.to_lowercase();
        Self { written: written.into(), fact: Fact::of(&lower), lower: lower.into() }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// In lower case, as it is compared.
    pub fn lower(&self) -> &str {
        &self.lower
    }

    /// Whether it is the name of the session that the caller is to get, which it chooses.
    pub fn is_session_name(&self) -> bool {
        self.fact == Fact::SessionName
    }

    /// Who has a say in it.
    pub fn group(&self) -> KeyGroup {
        match self.fact {
            Fact::SessionName | Fact::Choice => KeyGroup::Choice,
            Fact::Organisation => KeyGroup::Organisation,
            Fact::OfSessions if is_claim(&self.lower) => KeyGroup::Provider,
            _ => KeyGroup::Circumstance,
        }
    }

    pub(super) fn is_tag(&self) -> bool {
        matches!(self.fact, Fact::PrincipalTag(_) | Fact::ResourceTag(_))
            || self.lower.starts_with("aws:requesttag/")
    }
}

impl Fact {
    fn of(lower: &str) -> Self {
        if let Some(tag) = lower.strip_prefix("aws:principaltag/") {
            return Self::PrincipalTag(tag.into());
        }
        let resource_tag =
            lower.strip_prefix("aws:resourcetag/").or_else(|| lower.strip_prefix("iam:resourcetag/"));
        if let Some(tag) = resource_tag {
            return Self::ResourceTag(tag.into());
        }
        match lower {
            "aws:principalarn" => Self::PrincipalArn,
            "aws:principalaccount" => Self::PrincipalAccount,
            "aws:principaltype" => Self::PrincipalType,
            "aws:username" => Self::Username,
            "aws:userid" => Self::UserId,
            "aws:resourceaccount" => Self::ResourceAccount,
            "aws:principalisawsservice" => Self::IsService,
            "aws:viaawsservice" => Self::ViaService,
            "aws:securetransport" => Self::SecureTransport,
            "aws:principalservicename" | "aws:principalservicenameslist" => Self::ServiceName,
            "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast" | "aws:sourcearn"
            | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths" => Self::OfServices,
            "aws:tokenissuetime" => Self::TokenIssueTime,
            "aws:currenttime" | "aws:epochtime" | "aws:requestedregion" => Self::Always,
            "aws:sourceidentity" | "aws:federatedprovider" | "lambda:sourcefunctionarn" => Self::OfSessions,
            "sts:rolesessionname" => Self::SessionName,
            "sts:externalid"
            | "sts:sourceidentity"
            | "aws:tagkeys"
            | "sts:transitivetagkeys"
            | "sts:durationseconds" => Self::Choice,
            _ if lower.starts_with("aws:requesttag/") || lower.starts_with("eks:") => Self::Choice,
            _ if lower.starts_with("aws:principalorg") || lower.starts_with("aws:resourceorg") => {
                Self::Organisation
            }
            _ if lower.starts_with("ec2:") || lower.starts_with("saml:") => Self::OfSessions,
            _ if is_claim(lower) => Self::OfSessions,
            _ => Self::Other,
        }
    }
}

/// Whether a key is a claim of an identity provider: those are named by its host.
fn is_claim(lower: &str) -> bool {
    lower.starts_with("saml:") || lower.rsplit_once(':').is_some_and(|(host, _)| host.contains('.'))
}
