//! Templates in usernames and groups: filled in for a caller, or kept as placeholders where the caller is not fully known.

use std::fmt;

use super::arn::is_name_char;
use super::{IamIdentity, Session};

/// Something that a template asks for and the caller's ARN alone does not tell.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceholderKind {
    /// The private DNS name of the EC2 instance whose id is the session name.
    Ec2PrivateDnsName,
    /// The session name with every `@` as `-`.
    SessionName,
    /// The session name as it is.
    SessionNameRaw,
    /// The id of the access key that signed the request.
    AccessKeyId,
    /// The whole username, which no input tells.
    Username,
    /// A group, or several, which no input tells.
    Group,
}

impl PlaceholderKind {
    /// The placeholder as written in `aws-auth`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ec2PrivateDnsName => EC2_PRIVATE_DNS_NAME,
            Self::SessionName => SESSION_NAME,
            Self::SessionNameRaw => SESSION_NAME_RAW,
            Self::AccessKeyId => ACCESS_KEY_ID,
            Self::Username => "<username not known>",
            Self::Group => "<groups not known>",
        }
    }

    /// Whether it stands for something that no input tells, rather than for what a caller brings along.
    pub fn is_not_told(self) -> bool {
        matches!(self, Self::Username | Self::Group)
    }
}

const EC2_PRIVATE_DNS_NAME: &str = "{{EC2PrivateDNSName}}";
pub(super) const ACCOUNT_ID: &str = "{{AccountID}}";
const SESSION_NAME: &str = "{{SessionName}}";
const SESSION_NAME_RAW: &str = "{{SessionNameRaw}}";
const ACCESS_KEY_ID: &str = "{{AccessKeyID}}";

/// The placeholders that are filled in; every other one stays as text.
pub const PLACEHOLDERS: [&str; 5] =
    [EC2_PRIVATE_DNS_NAME, ACCOUNT_ID, SESSION_NAME, SESSION_NAME_RAW, ACCESS_KEY_ID];

/// A piece of a filled-in template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Known text.
    Literal(String),
    /// Something that is not known.
    Placeholder(PlaceholderKind),
}

/// A username or group after its template was filled in: text, with placeholders where something is not known.
///
/// Displays as the text with the placeholders still in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// The session names with which a login succeeds at all.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Sessions {
    /// Any.
    #[default]
    Any,
    /// Those that are the id of an EC2 instance, for `{{EC2PrivateDNSName}}`.
    InstanceId,
}

/// What the placeholders would have to be for a template to make a certain text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceholderValues {
    /// A session name that does it.
    pub session_name: Option<String>,
    /// The id of an access key.
    pub access_key_id: Option<String>,
    /// The private DNS name of an instance.
    pub private_dns_name: Option<String>,
    /// A username that no input tells.
    pub username: Option<String>,
    /// A group that no input tells.
    pub group: Option<String>,
}

/// A template asks for `{{EC2PrivateDNSName}}`, and the session is not an instance's: the login is refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct NoInstanceId;

/// Fills in a template. Follows `renderTemplate`: one plain replacement after the other, in its order.
pub(super) fn render(template: &str, identity: &IamIdentity) -> Result<Template, NoInstanceId> {
    if !template.contains("{{") {
        return Ok(Template::literal(template));
    }
    let session = match identity.session() {
        Session::None => Some(""),
        Session::Known(name) => Some(name.as_str()),
        Session::Symbolic => None,
    };
    if template.contains(EC2_PRIVATE_DNS_NAME) && session.is_some_and(|name| !is_instance_id(name)) {
        return Err(NoInstanceId);
    }
    let normal = session.map(|name| name.replace('@', "-"));
    let mut parts = vec![Part::Literal(template.to_owned())];
    replace(&mut parts, EC2_PRIVATE_DNS_NAME, None, PlaceholderKind::Ec2PrivateDnsName);
    for part in &mut parts {
        if let Part::Literal(text) = part {
            *text = text.replace(ACCOUNT_ID, identity.account());
        }
    }
    replace(&mut parts, SESSION_NAME, normal.as_deref(), PlaceholderKind::SessionName);
    replace(&mut parts, SESSION_NAME_RAW, session, PlaceholderKind::SessionNameRaw);
    replace(&mut parts, ACCESS_KEY_ID, identity.access_key_id(), PlaceholderKind::AccessKeyId);
    parts.retain(|part| *part != Part::Literal(String::new()));
    Ok(Template { parts })
}

fn replace(parts: &mut Vec<Part>, spelled: &str, value: Option<&str>, kind: PlaceholderKind) {
    let mut done = Vec::with_capacity(parts.len());
    for part in parts.drain(..) {
        match (part, value) {
            (Part::Literal(text), Some(value)) => done.push(Part::Literal(text.replace(spelled, value))),
            (Part::Literal(text), None) => {
                for (index, piece) in text.split(spelled).enumerate() {
                    if index > 0 {
                        done.push(Part::Placeholder(kind));
                    }
                    done.push(Part::Literal(piece.to_owned()));
                }
            }
            (other, _) => done.push(other),
        }
    }
    *parts = done;
}

/// Whether a session name is the id of an EC2 instance: `^i-(\w{8}|\w{17})$`.
pub fn is_instance_id(session: &str) -> bool {
    session.strip_prefix("i-").is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether STS accepts a session name: `[\w+=,.@-]{2,64}`.
pub fn is_session_name(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.chars().all(is_name_char)
}

/// The placeholders of a template that nothing fills in, such as `{{UserID}}` or `{{ SessionName }}`.
pub fn unknown_placeholders(template: &str) -> impl Iterator<Item = &str> {
    let mut rest = template;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find("{{")?;
            let from = rest.get(start..)?;
            let len = from.find("}}")? + 2;
            let found = from.get(..len)?;
            rest = from.get(len..)?;
            if !PLACEHOLDERS.contains(&found) {
                return Some(found);
            }
        }
    })
}

impl Template {
    /// A text without placeholders.
    pub fn literal(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self { parts: vec![Part::Literal(text.to_owned())] } }
    }

    /// Something that is not known, and nothing else.
    pub fn unknown(kind: PlaceholderKind) -> Self {
        Self { parts: vec![Part::Placeholder(kind)] }
    }

    /// Whether a part of it is told by no input.
    pub fn is_not_told(&self) -> bool {
        self.placeholders().any(PlaceholderKind::is_not_told)
    }

    /// The pieces, in order; no literal among them is empty.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text, if there are no placeholders.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text before the first placeholder: whatever is filled in, the result begins with it.
    pub fn prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(text)) => text,
            _ => "",
        }
    }

    /// The placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = PlaceholderKind> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(kind) => Some(*kind),
            Part::Literal(_) => None,
        })
    }

    /// Whether there are placeholders.
    pub fn is_symbolic(&self) -> bool {
        self.placeholders().next().is_some()
    }

    /// What the placeholders would have to be to make this text, if there is anything that they could be.
    ///
    /// The session names are those that STS issues and that `sessions` lets in. A template without placeholders
    /// matches its own text.
    pub fn matches(&self, text: &str, sessions: Sessions) -> Option<PlaceholderValues> {
        let mut search = Search {
            sessions,
            session: Candidate::Open,
            access_key: None,
            dns_name: None,
            username: None,
            group: None,
        };
        if !search.fits(&self.parts, text) {
            return None;
        }
        Some(PlaceholderValues {
            session_name: match search.session {
                Candidate::Open => None,
                Candidate::Normal(name) | Candidate::Raw(name) => Some(name.to_owned()),
            },
            access_key_id: search.access_key.map(str::to_owned),
            private_dns_name: search.dns_name.map(str::to_owned),
            username: search.username.map(str::to_owned),
            group: search.group.map(str::to_owned),
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            f.write_str(match part {
                Part::Literal(text) => text,
                Part::Placeholder(kind) => kind.as_str(),
            })?;
        }
        Ok(())
    }
}

/// What is known of the session name while a template is laid over a text.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Candidate<'a> {
    Open,
    /// With every `@` as `-`.
    Normal(&'a str),
    Raw(&'a str),
}

#[derive(Copy, Clone)]
struct Search<'a> {
    sessions: Sessions,
    session: Candidate<'a>,
    access_key: Option<&'a str>,
    dns_name: Option<&'a str>,
    username: Option<&'a str>,
    group: Option<&'a str>,
}

impl<'a> Search<'a> {
    fn fits(&mut self, parts: &[Part], text: &'a str) -> bool {
        let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
        let kind = match first {
            Part::Literal(literal) => {
                return text.strip_prefix(literal.as_str()).is_some_and(|text| self.fits(rest, text));
            }
            Part::Placeholder(kind) => *kind,
        };
        for end in 1..=text.len() {
            let Some((value, after)) = text.split_at_checked(end) else { continue };
            let mut next = *self;
            if next.bind(kind, value) && next.fits(rest, after) {
                *self = next;
                return true;
            }
        }
        false
    }

    fn bind(&mut self, kind: PlaceholderKind, value: &'a str) -> bool {
        match kind {
            PlaceholderKind::AccessKeyId => {
                let known = *self.access_key.get_or_insert(value);
                known == value
                    && (16..=128).contains(&value.len())
                    && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            }
            PlaceholderKind::Ec2PrivateDnsName => {
                let known = *self.dns_name.get_or_insert(value);
                known == value
                    && value.len() <= 253
                    && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
            }
            PlaceholderKind::SessionName => {
                let before = self.session;
                if before == Candidate::Open {
                    self.session = Candidate::Normal(value);
                }
                let agrees = match before {
                    Candidate::Open => true,
                    Candidate::Normal(known) => known == value,
                    Candidate::Raw(known) => known.replace('@', "-") == value,
                };
                agrees && !value.contains('@') && self.lets_in(value)
            }
            PlaceholderKind::SessionNameRaw => {
                let before = std::mem::replace(&mut self.session, Candidate::Raw(value));
                let agrees = match before {
                    Candidate::Open => true,
                    Candidate::Normal(known) => known == value.replace('@', "-"),
                    Candidate::Raw(known) => known == value,
                };
                agrees && self.lets_in(value)
            }
            PlaceholderKind::Username => {
                self.username = Some(value);
                // EKS takes no other username that begins so.
                let reserved = ["system:", "eks:", "aws:", "amazon:", "iam:"];
                value.starts_with("system:node:") || !reserved.iter().any(|prefix| value.starts_with(prefix))
            }
            PlaceholderKind::Group => {
                self.group = Some(value);
                matches!(value, "system:nodes" | "system:bootstrappers" | "eks:kube-proxy-windows")
                    || !value.starts_with("system:")
            }
        }
    }

    fn lets_in(&self, session: &str) -> bool {
        is_session_name(session) && (self.sessions == Sessions::Any || is_instance_id(session))
    }
}
