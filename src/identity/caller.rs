//! From an IAM ARN to a Kubernetes user, as aws-iam-authenticator v0.7.18 does it with the aws-auth ConfigMap.
//!
//! A source of identity is an [`IdentitySource`]: one caller in, one user and its provenance out. The sources
//! are asked in order, and the first that maps the caller decides; nothing is merged.

use std::fmt;
use std::sync::Arc;

use super::arn::{self, ParseArnError, PrincipalType, Unreachable};
use super::nearest::NearMiss;
use super::placeholder;
use super::template::{self, PlaceholderKind, PlaceholderValues, Sessions, Template};

use crate::model::access::Association;
use crate::model::source::Source;
use crate::model::user::UserInfo;

/// The name of a caller's STS session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// The caller is no session: a user, the root user, a federated user. Templates get the empty text.
    None,
    /// The name.
    Known(String),
    /// A role was asked for, and no session of it.
    Symbolic,
}

impl Session {
    /// The name, where it is known.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Known(name) => Some(name),
            Self::None | Self::Symbolic => None,
        }
    }
}

/// Who calls: what STS tells aws-iam-authenticator of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IamIdentity {
    arn: String,
    canonical: arn::CanonicalArn,
    session: Session,
    access_key_id: Option<String>,
}

impl IamIdentity {
    /// The caller with this ARN.
    ///
    /// STS never reports the ARN of a role: a `role/path/N` stands for the callers `assumed-role/N/SESSION`,
    /// with the path gone, and for the session of the given name, or for any. The name is not needed and not
    /// looked at where the ARN has one already, or is none of a role.
    ///
    /// # Errors
    /// Where no caller can have the ARN, in the words of `arn.Canonicalize`.
    pub fn from_arn(arn: &str, session_name: Option<&str>) -> Result<Self, ParseArnError> {
        let mut canonical = arn::canonicalize(arn)?;
        let session = match (canonical.principal, canonical.session_name.take()) {
            (PrincipalType::Role, _) => {
                let name = arn.rsplit_once('/').map_or("", |(_, name)| name);
                if name.is_empty() {
                    return Err(ParseArnError::NoRoleName(arn.to_owned()));
                }
                canonical.text =
                    format!("arn:{}:iam::{}:role/{name}", canonical.partition, canonical.account);
                session_name.map_or(Session::Symbolic, |name| Session::Known(name.to_owned()))
            }
            (_, Some(name)) => Session::Known(name),
            (_, None) => Session::None,
        };
        Ok(Self { arn: arn.to_owned(), canonical, session, access_key_id: None })
    }

    /// The same caller, using a certain access key.
    #[must_use]
    pub fn with_access_key_id(self, access_key_id: impl Into<String>) -> Self {
        Self { access_key_id: Some(access_key_id.into()), ..self }
    }

    /// The session of this name, where a role was asked for; otherwise the caller as it is.
    #[must_use]
    pub fn with_session(self, session_name: impl Into<String>) -> Self {
        match self.canonical.principal {
            PrincipalType::Role => Self { session: Session::Known(session_name.into()), ..self },
            _ => self,
        }
    }

    /// The ARN as it was given.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The canonical ARN, in the case in which it was given.
    pub fn canonical_arn(&self) -> &str {
        &self.canonical.text
    }

    /// What kind of principal the given ARN names.
    pub fn principal(&self) -> PrincipalType {
        self.canonical.principal
    }

    /// The account.
    pub fn account(&self) -> &str {
        &self.canonical.account
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The id of the access key, if one was given.
    pub fn access_key_id(&self) -> Option<&str> {
        self.access_key_id.as_deref()
    }

    /// Why no caller can have this ARN, if so.
    pub fn no_callers_arn(&self) -> Option<Unreachable> {
        match arn::caller(&self.arn) {
            Ok(_) | Err(Unreachable::RolePath(_)) => None,
            // A role and a session are given in more than one form, all of them read.
            Err(Unreachable::AssumedRole(_)) => {
                (self.session == Session::Known(String::new())).then_some(Unreachable::Name)
            }
            Err(why) => Some(why),
        }
    }

    /// Why STS would never report this caller, if so. It is resolved all the same, as aws-iam-authenticator would,
    /// which checks none of it.
    pub fn never_reported(&self) -> Option<String> {
        if let Some(why) = self.no_callers_arn() {
            return Some(format!("no caller has the ARN `{}`: {why}", self.arn));
        }
        match &self.session {
            Session::Known(name) if !template::is_session_name(name) => Some(format!(
                "no session can be named `{name}`: session names have 2 to 64 letters, digits or `_+=,.@-`"
            )),
            _ => None,
        }
    }

    /// The ARN that STS reports for the caller; the session of a bare role stays `{{SessionName}}`.
    pub fn sts_arn(&self) -> String {
        if self.canonical.principal != PrincipalType::Role {
            return self.arn.clone();
        }
        let name = self.canonical.text.rsplit('/').next().unwrap_or("");
        let session = match &self.session {
            Session::Known(name) => name,
            Session::None | Session::Symbolic => PlaceholderKind::SessionName.as_str(),
        };
        format!("arn:{}:sts::{}:assumed-role/{name}/{session}", self.canonical.partition, self.account())
    }
}

/// Which mapping made a user.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MappingKind {
    /// An entry of `mapRoles`.
    MapRoles,
    /// An entry of `mapUsers`.
    MapUsers,
    /// An account in `mapAccounts`.
    MapAccounts,
    /// An access entry of EKS.
    AccessEntry,
    /// Nothing that any file shows: the principal created the cluster.
    ClusterCreator,
}

impl MappingKind {
    /// Those of the ConfigMap.
    pub const ALL: [Self; 3] = [Self::MapRoles, Self::MapUsers, Self::MapAccounts];

    /// The key in the ConfigMap, or what else made the user.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MapRoles => "mapRoles",
            Self::MapUsers => "mapUsers",
            Self::MapAccounts => "mapAccounts",
            Self::AccessEntry => "accessEntry",
            Self::ClusterCreator => "clusterCreator",
        }
    }
}

/// A text as written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub source: Source,
}

/// The mapping that made a user, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Which mapping.
    pub kind: MappingKind,
    /// Where the entry stands.
    pub source: Source,
    /// The ARN of the entry; for `mapAccounts` the account.
    pub arn: String,
    /// The template of the username.
    pub username: Written,
    /// The templates of the groups.
    pub groups: Vec<Written>,
}

/// Something to know about an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The place that it is about.
    pub source: Option<Source>,
    /// A sentence in lower case without a full stop.
    pub text: String,
}

/// Why the inputs do not tell who a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityDoubt {
    /// A sentence in lower case without a full stop.
    pub text: String,
    /// What it is about, if that stands anywhere.
    pub source: Option<Source>,
}

/// Which field of a user.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The username.
    Username,
    /// The group of this index.
    Group(usize),
}

/// A Kubernetes user that an IAM identity was mapped to, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The username; may be empty.
    pub username: Template,
    /// The groups of the mapping: `system:authenticated` is not yet among them.
    pub groups: Vec<Template>,
    /// The sessions that can log in, where the session is not known.
    pub sessions: Sessions,
    /// The mapping.
    pub provenance: Provenance,
    /// Notes on the mapping.
    pub notes: Vec<Note>,
    /// The access policies of the principal, where its access entry made the user.
    pub access: Option<Arc<Access>>,
}

/// The access policies of a principal. They are its own: nobody else has them who is in the same groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// What tells the principal apart, as associations name it.
    pub principal: String,
    /// The policies that the inputs show.
    pub policies: Vec<Association>,
    /// Whether these are all.
    pub has_all_policies: bool,
    /// Where the entry stands.
    pub source: Source,
}

impl Mapped {
    /// The user as the API server sees it; what is symbolic stays as its placeholder.
    pub fn user_info(&self) -> UserInfo {
        UserInfo::authenticated(&self.username.to_string(), self.groups.iter().map(ToString::to_string))
    }

    /// Whether something in it stayed symbolic.
    pub fn is_symbolic(&self) -> bool {
        self.symbolic().next().is_some()
    }

    /// Whether the username is not known and no session tells it: no input has it, or only EC2 does.
    pub fn is_username_untold(&self) -> bool {
        let needs_ec2 = |hole| hole == PlaceholderKind::Ec2PrivateDnsName && self.access.is_some();
        self.username.placeholders().any(|hole| hole.is_not_told() || needs_ec2(hole))
    }

    /// What stayed symbolic, and in which field.
    pub fn symbolic(&self) -> impl Iterator<Item = (Field, PlaceholderKind)> + '_ {
        let username = self.username.placeholders().map(|placeholder| (Field::Username, placeholder));
        let groups = self.groups.iter().enumerate();
        let groups = groups.flat_map(|(index, group)| {
            group.placeholders().map(move |placeholder| (Field::Group(index), placeholder))
        });
        username.chain(groups)
    }

    /// The username and groups with placeholders that are not aws-iam-authenticator's, such as `${TEAM}`: some tool was
    /// to fill them in.
    pub fn unfilled(&self) -> impl Iterator<Item = (Field, &str)> {
        let groups = self.groups.iter().zip(0..).map(|(group, index)| (Field::Group(index), group));
        std::iter::once((Field::Username, &self.username))
            .chain(groups)
            .filter_map(|(field, template)| Some((field, template.as_literal()?)))
            .filter(|(_, text)| placeholder::is_template(text))
    }

    /// What the placeholders would have to be for the user to have this name, if they can be that.
    pub fn could_be_user(&self, name: &str) -> Option<PlaceholderValues> {
        self.username.matches(name, self.sessions)
    }

    /// What the placeholders would have to be for the user to be in this group, if they can be that.
    ///
    /// A group without placeholders is preferred: then nothing has to be anything.
    pub fn could_be_in_group(&self, group: &str) -> Option<PlaceholderValues> {
        let found = self.groups.iter().find(|own| own.as_literal() == Some(group));
        found
            .map(|_| PlaceholderValues::default())
            .or_else(|| self.groups.iter().find_map(|own| own.matches(group, self.sessions)))
    }
}

/// Whether a text with unfilled placeholders could become this one.
pub fn could_become(written: &str, name: &str) -> bool {
    placeholder::is_template(written) && placeholder::could_become(written, name)
}

/// Why an IAM identity has no user. Displays in the words of aws-iam-authenticator, where it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The ARN is no caller's.
    Arn(ParseArnError),
    /// No mapping has the ARN.
    NotMapped {
        /// What came nearest.
        nearest: Option<Box<NearMiss>>,
        /// The users of mappings whose ARN has an unfilled placeholder and may match once it is filled in: then
        /// the user is unknown.
        unfilled: Vec<Mapped>,
        /// The place of text in which anybody could be mapped, once its placeholders are filled in.
        unrendered: Option<Source>,
        /// What else may map the caller, although `aws-auth` does not.
        elsewhere: Vec<IdentityDoubt>,
    },
    /// The inputs do not tell who the caller is.
    Unknown {
        /// Why.
        doubts: Vec<IdentityDoubt>,
        /// Who the caller could be, or why it could be nobody.
        could_be: Vec<Result<Mapped, IdentityError>>,
        /// Whether it is certainly one of these.
        is_exhaustive: bool,
    },
    /// The mapping asks for the DNS name of an EC2 instance, and the session is not an instance's.
    ///
    /// The login is refused: no other mapping is tried.
    NoInstanceId {
        /// The first field that asks.
        field: Field,
        /// The mapping.
        provenance: Box<Provenance>,
    },
    /// Entries of `mapUsers` that differ only in case: at each login Go's order of maps picks one.
    RandomMapping {
        /// What each of them makes of the caller; at least two differ.
        candidates: Vec<Result<Mapped, IdentityError>>,
    },
    /// No source of identity was loaded at all.
    NoMappings,
}

impl IdentityError {
    /// Whether the login fails for certain: the answer to every question is then `no`, otherwise `unknown`.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::RandomMapping { .. } | Self::NoMappings | Self::Unknown { .. } => false,
            Self::NotMapped { unfilled, unrendered, elsewhere, .. } => {
                unfilled.is_empty() && unrendered.is_none() && elsewhere.is_empty()
            }
            Self::Arn(_) | Self::NoInstanceId { .. } => true,
        }
    }
}

impl From<ParseArnError> for IdentityError {
    fn from(error: ParseArnError) -> Self {
        Self::Arn(error)
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(error) => write!(f, "sts getCallerIdentity failed: {error}"),
            Self::NotMapped { .. } => f.write_str("identity is not mapped"),
            Self::NoInstanceId { field, provenance } => {
                let (kind, template) = match field {
                    Field::Username => ("username", Some(&provenance.username)),
                    Field::Group(index) => ("group", provenance.groups.get(*index)),
                };
                let template = template.map_or("", |written| written.text.as_str());
                if provenance.kind == MappingKind::AccessEntry {
                    return write!(
                        f,
                        "the {kind} of the access entry is {template:?}, and the session is not named after an EC2 instance"
                    );
                }
                write!(
                    f,
                    "mapper EKSConfigMap renderTemplates error: error rendering {kind} template {template:?}: \
                     SessionName did not contain an instance id"
                )
            }
            Self::RandomMapping { candidates } => write!(
                f,
                "{} entries differ only in case, and each login uses a random one",
                candidates.len()
            ),
            Self::NoMappings => f.write_str("no identity mapping in the inputs"),
            Self::Unknown { doubts, .. } => {
                f.write_str("the user of this ARN is unknown")?;
                doubts.first().map_or(Ok(()), |doubt| write!(f, ": {}", doubt.text))
            }
        }
    }
}

impl std::error::Error for IdentityError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Arn(error) => Some(error),
            _ => None,
        }
    }
}

/// An identity that a mapping names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedIdentity<'a> {
    /// The ARN as written; for `mapAccounts` the account, for `sso` entries empty.
    pub arn: &'a str,
    /// Which mapping.
    pub kind: MappingKind,
    /// Where it stands.
    pub source: Source,
    /// The callers that it applies to.
    pub reach: Reach,
}

/// The callers that a mapping applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// These callers; for a role, all its sessions. Resolving it gives what the mapping makes of them.
    Callers(IamIdentity),
    /// Every principal of the account that has no entry of its own.
    Account,
    /// None: the entry at this place decides for the same callers.
    Replaced(Source),
    /// The callers of the entry at this place, which differs only in case; resolved there.
    SameCallers(Source),
    /// None: no caller has this ARN.
    Nobody(Unreachable),
}

/// A source of identity: one caller in, one user and its provenance out.
pub trait IdentitySource {
    /// What the source makes of a caller; `None` where it has no mapping, so that the next source is asked.
    fn resolve(&self, identity: &IamIdentity) -> Option<Result<Mapped, IdentityError>>;

    /// The mapping that nearly matches a caller without any match.
    fn nearest(&self, identity: &IamIdentity) -> Option<NearMiss>;

    /// The users of mappings that would match a caller if the placeholders in their ARNs were filled in so.
    fn unfilled(&self, identity: &IamIdentity) -> Vec<Mapped>;

    /// The place of text that is ignored as it is, and has unfilled placeholders: what it maps is unknown.
    fn unrendered(&self) -> Option<Source>;

    /// Every identity that the source names, in its order.
    fn identities(&self) -> Vec<MappedIdentity<'_>>;
}
