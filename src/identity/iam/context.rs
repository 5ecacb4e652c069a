//! What is known of a request: the keys that follow from an export, those that were given, and those nobody knows.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::caller::Caller;
use super::key::{Fact, Key};
use super::known::Known;
use super::principal::Principal;
use super::some_arn::SomeArn;

/// What was said of a request beside who makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    values: FxHashMap<String, Vec<String>>,
    is_complete: bool,
    has_no_session_tags: bool,
}

impl Context {
    /// A context in which nothing is said.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value of a key; a key that is given again has several.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        self.values.entry(key.to_lowercase()).or_default().push(value.into());
    }

    /// Says that the request does not carry a key, whatever else was said of it.
    pub fn absent(&mut self, key: &str) {
        self.values.insert(key.to_lowercase(), Vec::new());
    }

    /// Says that the request carries no key that was not given and does not follow from who calls whom; so no session
    /// tags were passed.
    #[must_use]
    pub fn complete(self) -> Self {
        Self { is_complete: true, ..self }
    }

    /// Says that the caller passes no session tags, as EKS does where an association disables them.
    pub fn no_session_tags(&mut self) {
        self.has_no_session_tags = true;
    }

    pub(super) fn has_no_session_tags(&self) -> bool {
        self.has_no_session_tags
    }

    /// Whether everything was said.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn given(&self, key: &Key) -> Option<Known<'_>> {
        self.values.get(key.lower()).map(|values| match values.as_slice() {
            [] => Known::Absent,
            [value] => Known::One(Cow::Borrowed(value)),
            several => Known::Several(several),
        })
    }
}

/// What a request is about, where it is no role: the ARN of a resource, with its account.
#[derive(Clone, Debug)]
pub(super) enum Target<'a> {
    /// A role that is to be assumed.
    Role(&'a Principal),
    /// Some other resource.
    Resource(&'a str),
    /// Some of several resources, and nobody knows which.
    Some(&'a SomeArn),
    /// A role, and nobody knows yet which.
    SomeRole,
}

impl Target<'_> {
    pub(super) fn arn(&self) -> &str {
        match self {
            Self::Role(role) => &role.arn.text,
            Self::Resource(arn) => arn,
            Self::Some(_) | Self::SomeRole => "",
        }
    }

    fn account(&self) -> Option<&str> {
        match self {
            Self::Role(role) => Some(&role.arn.account),
            Self::Resource(arn) => arn.split(':').nth(4),
            Self::Some(some) => Some(&some.account),
            Self::SomeRole => None,
        }
    }
}

/// A request as conditions see it.
#[derive(Clone, Debug)]
pub(super) struct Asking<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) target: Target<'a>,
    pub(super) context: &'a Context,
}

impl<'a> Asking<'a> {
    /// What is known of a key.
    pub(super) fn look(&self, key: &Key) -> Known<'a> {
        if let Some(given) = self.context.given(key) {
            return given;
        }
        let derived = self.derived(key);
        match derived {
            Known::Unknown { of_session: false, .. } if self.context.is_complete && !self.lacks_fact(key) => {
                Known::Absent
            }
            derived => derived,
        }
    }

    /// Whether a key has the value that an export gives it, and that export is not among the inputs.
    fn lacks_fact(&self, key: &Key) -> bool {
        match &key.fact {
            Fact::PrincipalArn | Fact::PrincipalTag(_) | Fact::UserId => {
                matches!(self.caller, Caller::Stranger(_))
            }
            Fact::ResourceAccount | Fact::ResourceTag(_) => !matches!(self.target, Target::Role(_)),
            _ => false,
        }
    }

    /// Whether the caller's session may carry tags that its role has not.
    fn may_have_session_tags(&self) -> bool {
        !self.context.is_complete && self.caller.may_have_session_tags()
    }

    fn derived(&self, key: &Key) -> Known<'a> {
        let one = |text: &'a str| Known::One(Cow::Borrowed(text));
        match &key.fact {
            Fact::ResourceAccount => {
                self.target.account().map_or(Known::SOME, |account| Known::One(account.to_owned().into()))
            }
            Fact::ResourceTag(tag) => {
                let Target::Role(role) = self.target else { return Known::ANY };
                let Some(tags) = &role.tags else { return Known::ANY };
                match tags.get(tag) {
                    _ if self.may_have_session_tags() => Known::ANY,
                    Some(value) => one(value),
                    None => Known::Absent,
                }
            }
            Fact::SecureTransport => one("true"),
            Fact::ViaService => one("false"),
            Fact::Always => Known::SOME,
            _ => match self.caller {
                Caller::Service(name) => Self::of_service(key, name),
                Caller::Provider(provider) => self.of_provider(key, provider),
                Caller::Anybody(account) => Self::of_anybody(key, account.as_deref()),
                _ => self.of_principal(key),
            },
        }
    }

    fn of_principal(&self, key: &Key) -> Known<'a> {
        let one = |text: &'a str| Known::One(Cow::Borrowed(text));
        let caller = self.caller;
        let is_user = caller.is_user();
        match &key.fact {
            Fact::PrincipalArn => caller.principal_arn().map_or(Known::SOME, one),
            Fact::PrincipalAccount => one(caller.account()),
            Fact::PrincipalType => one(if is_user { "User" } else { "AssumedRole" }),
            Fact::Username if is_user => one(caller.name()),
            Fact::Username | Fact::ServiceName | Fact::OfServices => Known::Absent,
            Fact::UserId => match (caller.id(), is_user, caller.session()) {
                (Some(id), true, _) => one(id),
                (Some(id), false, Some(session)) => Known::One(format!("{id}:{session}").into()),
                (Some(id), false, None) => {
                    Known::Unknown { beginning: format!("{id}:").into(), optional: false, of_session: true }
                }
                (None, ..) => Known::SOME,
            },
            Fact::PrincipalTag(tag) => {
                let Some(tags) = caller.tags() else { return Known::ANY };
                match tags.get(tag) {
                    _ if self.may_have_session_tags() => Known::ANY,
                    Some(value) => one(value),
                    None => Known::Absent,
                }
            }
            Fact::IsService => one("false"),
            Fact::TokenIssueTime if is_user => Known::ANY,
            Fact::TokenIssueTime | Fact::SessionName => Known::SOME,
            Fact::OfSessions if is_user => Known::Absent,
            _ => Known::ANY,
        }
    }

    fn of_service(key: &Key, name: &'a str) -> Known<'a> {
        match &key.fact {
            Fact::IsService => Known::One("true".into()),
            Fact::ServiceName => Known::One(name.into()),
            Fact::SessionName => Known::SOME,
            Fact::PrincipalTag(_) | Fact::Username => Known::Absent,
            _ => Known::ANY,
        }
    }

    fn of_anybody(key: &Key, account: Option<&'a str>) -> Known<'a> {
        match (&key.fact, account) {
            (Fact::PrincipalAccount, Some(account)) => Known::One(account.into()),
            (
                Fact::PrincipalArn
                | Fact::PrincipalAccount
                | Fact::PrincipalType
                | Fact::UserId
                | Fact::SessionName,
                _,
            ) => Known::SOME,
            (Fact::IsService, _) => Known::One("false".into()),
            (Fact::ServiceName | Fact::OfServices, _) => Known::Absent,
            _ => Known::ANY,
        }
    }

    fn of_provider(&self, key: &Key, provider: &str) -> Known<'a> {
        // Where browsers sign in, unless the assertion is for somebody else; who says everything says this too.
        if key.lower() == "saml:aud" && provider.contains(":saml-provider/") && !self.context.is_complete {
            return Known::One(Cow::Borrowed(match provider.split(':').nth(1) {
                Some("aws-cn") => "https://signin.amazonaws.cn/saml",
                Some("aws-us-gov") => "https://signin.amazonaws-us-gov.com/saml",
                _ => "https://signin.aws.amazon.com/saml",
            }));
        }
        match &key.fact {
            Fact::IsService => Known::One("false".into()),
            Fact::SessionName => Known::SOME,
            Fact::ServiceName | Fact::Username => Known::Absent,
            _ if key.lower().ends_with(":sub") || key.lower().ends_with(":aud") => Known::SOME,
            _ => Known::ANY,
        }
    }
}
