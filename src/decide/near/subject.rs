//! Subjects of bindings that nearly name somebody whom none names, and groups that are no groups.
//!
//! Every binding is looked at, so this is for one answer that is shown to somebody, and not for thousands.

use rustc_hash::FxHashMap;

use crate::decide::evaluate::matches::pattern_matches;
use crate::decide::graph::{Applied, RbacGraph};
use crate::model::attributes::Attributes;
use crate::model::names::{Name, Names};
use crate::model::rbac::{Authorizer, Role, Scope, Subject};
use crate::model::user::{
    SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_SERVICE_ACCOUNTS, SYSTEM_UNAUTHENTICATED, UserInfo,
    split_service_account,
};

use super::slip::is_similar;

/// Something that nearly names somebody.
#[derive(Clone, Debug)]
pub enum NearSubject<'g> {
    /// A subject of a binding.
    Subject {
        /// The binding, with its role.
        applied: Applied<'g>,
        /// The number of the subject.
        subject: usize,
        /// The username or group that it nearly is.
        own: String,
        /// What is in the way.
        why: SubjectSlip,
        /// Whether the role of the binding would allow the request.
        allows: bool,
    },
    /// A group, or the username, is the name of a role: that gives it no rights.
    RoleName {
        /// The group or username.
        own: String,
        /// The role.
        role: &'g Role,
    },
    /// A group that nearly is `system:masters`.
    Masters(String),
}

/// What keeps a subject from naming somebody.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectSlip {
    /// It is a service account of another namespace.
    OtherNamespace,
    /// It is a Group, and a service account is named so.
    GroupForServiceAccount,
    /// It is a User, and a service account is named so.
    UserForServiceAccount,
    /// It is a ServiceAccount, and a user is named so.
    ServiceAccountForUser,
    /// It is a User, and a group is named so.
    UserForGroup,
    /// It is a Group, and the user is named so.
    GroupForUser,
    /// It has a placeholder, and bindings are no templates.
    Template,
    /// One of the two has quotes, spaces or the like in it.
    Quotes,
    /// One of the two is several names with commas between them.
    Commas,
    /// They differ in capitals.
    Capitals,
    /// It has a `*`, which is no wildcard.
    LiteralStar,
    /// One of the two has a prefix that the other lacks.
    Prefix,
    /// They are spelled nearly alike.
    Similar,
}

/// How many are worth reading.
const SHOWN: usize = 4;

/// The names of somebody.
struct Own<'u> {
    username: &'u str,
    groups: Vec<&'u str>,
    account: Option<(&'u str, &'u str)>,
}

impl RbacGraph {
    /// What nearly names somebody to whom requests are refused, what would allow one of them first.
    pub fn near_subjects<'g>(&'g self, user: &UserInfo, asked: &[Attributes<'_>]) -> Vec<NearSubject<'g>> {
        let policy = self.policy();
        let names = &policy.names;
        let of_all = |group: &str| {
            matches!(group, "" | SYSTEM_AUTHENTICATED | SYSTEM_UNAUTHENTICATED | SYSTEM_SERVICE_ACCOUNTS)
        };
        let account = split_service_account(&user.username);
        let groups = user.groups.iter().map(String::as_str).filter(|group| !of_all(group));
        // The groups that a token carries follow from the account.
        let groups = groups.filter(|group| account.is_none() || !group.starts_with(SYSTEM_SERVICE_ACCOUNTS));
        let own = Own { username: &user.username, groups: groups.collect(), account };
        let mut found: Vec<NearSubject<'g>> = own
            .groups
            .iter()
            .filter(|group| is_nearly_masters(group))
            .map(|group| NearSubject::Masters((*group).to_owned()))
            .collect();
        found.extend(own.groups.iter().filter_map(|group| {
            let role = self.role_named(names.lookup(group))?;
            Some(NearSubject::RoleName { own: (*group).to_owned(), role })
        }));
        let requests: Vec<_> = asked.iter().map(|asked| self.lexicon.request(names, asked)).collect();
        let mut known: FxHashMap<Subject, Option<(String, SubjectSlip)>> = FxHashMap::default();
        let mut near = Vec::new();
        for applied in self.bindings() {
            if applied.binding.authorizer() != Authorizer::Rbac {
                continue;
            }
            for (placed, subject) in policy.subjects_of(applied.binding).iter().zip(0usize..) {
                if matches!(placed.subject, Subject::Group(name) if names.text(name) == SYSTEM_MASTERS) {
                    // Told of the group itself.
                    continue;
                }
                let slip = known.entry(placed.subject).or_insert_with(|| own.slip(names, placed.subject));
                let Some((named, why)) = slip else { continue };
                let allows = requests.iter().any(|request| {
                    let counts = match applied.binding.scope {
                        Scope::Cluster => true,
                        Scope::Namespace(namespace) => namespace == request.namespace,
                    };
                    let mut rules = self.rules_granted(&applied).iter();
                    counts && rules.any(|rule| self.lexicon.allows(policy, *rule, request))
                });
                // A name that is only similar may well be another's.
                let is_certain = *why != SubjectSlip::Similar && !policy.is_builtin(applied.binding.source);
                if allows || is_certain {
                    let (own, why) = (named.clone(), *why);
                    near.push(NearSubject::Subject { applied, subject, own, why, allows });
                }
            }
        }
        let rank = |near: &NearSubject<'_>| match near {
            NearSubject::Subject { applied, subject, why, allows, .. } => {
                (!allows, *why, applied.order(), *subject)
            }
            _ => (false, SubjectSlip::OtherNamespace, 0, 0),
        };
        near.sort_by_key(rank);
        if near.iter().any(|near| matches!(near, NearSubject::Subject { allows: true, .. })) {
            near.retain(|near| matches!(near, NearSubject::Subject { allows: true, .. }));
        }
        near.truncate(SHOWN);
        found.truncate(SHOWN);
        found.extend(near);
        found
    }

    /// A role of that name: a ClusterRole, or else the first Role.
    fn role_named(&self, name: Name) -> Option<&Role> {
        if name == Name::UNKNOWN {
            return None;
        }
        self.role(Scope::Cluster, name).or_else(|| self.policy().roles.iter().find(|role| role.name == name))
    }
}

impl Own<'_> {
    /// The name that a subject nearly is, and what is in the way; nothing where it applies.
    fn slip(&self, names: &Names, subject: Subject) -> Option<(String, SubjectSlip)> {
        let username = || self.username.to_owned();
        match subject {
            Subject::User(name) => {
                let text = names.text(name);
                if text == self.username {
                    return None;
                }
                if let Some((namespace, account)) = self.account {
                    let written = text.replace('/', ":");
                    let spelled = [account.to_owned(), format!("{namespace}:{account}")];
                    let is_own = spelled.contains(&written)
                        || written.ends_with(&format!(":{namespace}:{account}"))
                        || text.eq_ignore_ascii_case(self.username);
                    return is_own.then(|| (username(), SubjectSlip::UserForServiceAccount));
                }
                if let Some(group) = self.groups.iter().find(|group| **group == text) {
                    return Some(((*group).to_owned(), SubjectSlip::UserForGroup));
                }
                between(text, self.username).map(|why| (username(), why))
            }
            Subject::Group(name) => {
                let text = names.text(name);
                if self.groups.contains(&text) {
                    return None;
                }
                if let Some((namespace, account)) = self.account {
                    let written = text.replace('/', ":").to_lowercase();
                    let rest = written.strip_prefix("system:").unwrap_or(&written);
                    let rest = rest
                        .strip_prefix("serviceaccount")
                        .map(|rest| rest.strip_prefix('s').unwrap_or(rest));
                    let is_own = rest == Some(&*format!(":{namespace}:{account}"))
                        || (rest == Some(&*format!(":{namespace}"))
                            && text != format!("{SYSTEM_SERVICE_ACCOUNTS}:{namespace}"))
                        || (rest == Some("") && text != SYSTEM_SERVICE_ACCOUNTS)
                        || text == account;
                    return is_own.then(|| (username(), SubjectSlip::GroupForServiceAccount));
                }
                if text == self.username {
                    return Some((username(), SubjectSlip::GroupForUser));
                }
                let slips = self.groups.iter().filter_map(|group| Some((between(text, group)?, *group)));
                slips.min_by_key(|(why, _)| *why).map(|(why, group)| (group.to_owned(), why))
            }
            Subject::ServiceAccount { namespace, name } => {
                let (namespace, name) = (names.text(namespace), names.text(name));
                match self.account {
                    Some((own, account)) if name == account && namespace != own => {
                        Some((username(), SubjectSlip::OtherNamespace))
                    }
                    Some((own, account)) if namespace == own && name != account => {
                        (is_similar(name, account) && !is_numbered(name, account))
                            .then(|| (username(), SubjectSlip::Similar))
                    }
                    Some(_) => None,
                    None if name == self.username => Some((username(), SubjectSlip::ServiceAccountForUser)),
                    None => {
                        let group = self.groups.iter().find(|group| **group == name)?;
                        Some(((*group).to_owned(), SubjectSlip::ServiceAccountForUser))
                    }
                }
            }
            Subject::Caller(_) => None,
        }
    }
}

/// What keeps a written name from being another, if it nearly is that.
fn between(written: &str, own: &str) -> Option<SubjectSlip> {
    if written == own || written.is_empty() || own.is_empty() {
        return None;
    }
    let pattern = without_placeholders(written);
    if pattern
        .as_ref()
        .is_some_and(|pattern| !pattern.trim_matches('*').is_empty() && pattern_matches(pattern, own))
    {
        return Some(SubjectSlip::Template);
    }
    let bare = |text: &str| {
        text.chars()
            .filter(|sign| {
                !sign.is_whitespace() && !matches!(sign, '"' | '\'' | '`' | '\\' | '\u{200b}' | '\u{feff}')
            })
            .collect::<String>()
    };
    if bare(written) == bare(own) {
        return Some(SubjectSlip::Quotes);
    }
    let parts = |text: &str, one: &str| {
        let separators = [',', ';', ' ', '\n'];
        text.contains(separators) && text.split(separators).any(|part| bare(part) == one)
    };
    if parts(written, own) || parts(own, written) {
        return Some(SubjectSlip::Commas);
    }
    if written.eq_ignore_ascii_case(own) {
        return Some(SubjectSlip::Capitals);
    }
    if written.contains('*') && !written.trim_matches('*').is_empty() && pattern_matches(written, own) {
        return Some(SubjectSlip::LiteralStar);
    }
    let is_prefixed = |long: &str, short: &str| {
        let rest = long.strip_suffix(short).filter(|_| short.len() > 2);
        rest.is_some_and(|prefix| prefix.ends_with([':', '/', '#']))
    };
    if is_prefixed(written, own) || is_prefixed(own, written) {
        return Some(SubjectSlip::Prefix);
    }
    (is_similar(written, own) && !is_numbered(written, own)).then_some(SubjectSlip::Similar)
}

/// Whether two names differ only in their numbers, or in one last letter: `team-a` and `team-b` are two, and meant so.
fn is_numbered(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|sign| !sign.is_ascii_digit()).collect::<String>();
    let stem = |text: &str| {
        text.rsplit_once(['-', '_', '.', ':'])
            .filter(|(_, end)| end.len() == 1)
            .map(|(stem, _)| stem.to_owned())
    };
    plain(one) == plain(other) || stem(one).is_some_and(|own| stem(other) == Some(own))
}

/// A text with `*` in place of what some tool was to fill in; nothing where there is no such thing.
fn without_placeholders(text: &str) -> Option<String> {
    let marks = [("{{", "}}"), ("${", "}"), ("$(", ")"), ("<", ">"), ("%", "%")];
    let (mut pattern, mut rest, mut any) = (String::new(), text, false);
    while !rest.is_empty() {
        let next = marks.iter().filter_map(|(open, close)| {
            let at = rest.find(open)?;
            let inner = rest.get(at + open.len()..)?;
            let end = inner.find(close)?;
            Some((at, at + open.len() + end + close.len()))
        });
        let Some((start, end)) = next.min() else { break };
        pattern.push_str(rest.get(..start).unwrap_or_default());
        pattern.push('*');
        rest = rest.get(end..).unwrap_or_default();
        any = true;
    }
    pattern.push_str(rest);
    any.then_some(pattern)
}

/// Whether a group was probably meant for `system:masters`.
fn is_nearly_masters(group: &str) -> bool {
    if group == SYSTEM_MASTERS {
        return false;
    }
    let lower = group.to_lowercase();
    let bare = |text: &str| -> String {
        text.chars().filter(|sign| sign.is_alphanumeric() || *sign == ':').collect()
    };
    let near = |part: &str| {
        let part = bare(part);
        part == SYSTEM_MASTERS
            || matches!(&*part, "masters" | "systemmasters" | "system:admins" | "system:admin")
            || strsim::osa_distance(&part, SYSTEM_MASTERS) <= 2
    };
    near(&lower) || lower.split([',', ';', ' ']).any(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_name_from_being_another() {
        for (written, own, expected) in [
            ("dev:{{SessionName}}", "dev:alice", Some(SubjectSlip::Template)),
            ("dev:${NAME}", "dev:alice", Some(SubjectSlip::Template)),
            ("{{SessionName}}", "alice", None),
            ("team-alice", "team-\"alice\"", Some(SubjectSlip::Quotes)),
            ("devs", "devs ", Some(SubjectSlip::Quotes)),
            ("ops", "devs,ops", Some(SubjectSlip::Commas)),
            ("devs, ops", "ops", Some(SubjectSlip::Commas)),
            ("Devs", "devs", Some(SubjectSlip::Capitals)),
            ("dev-*", "dev-1", Some(SubjectSlip::LiteralStar)),
            ("oidc:devs", "devs", Some(SubjectSlip::Prefix)),
            ("developers", "developrs", Some(SubjectSlip::Similar)),
            ("team-a", "team-b", None),
            ("node-1", "node-2", None),
            ("devs", "ops", None),
            ("devs", "devs", None),
            ("*", "devs", None),
        ] {
            assert_eq!(between(written, own), expected, "{written} {own}");
        }
    }

    #[test]
    fn what_was_meant_for_system_masters() {
        for group in [
            "system:master",
            "System:Masters",
            "masters",
            "system:masters,ops",
            "sytem:masters",
            "\"system:masters\"",
        ] {
            assert!(is_nearly_masters(group), "{group}");
        }
        for group in ["system:masters", "system:nodes", "admins", "mastery", ""] {
            assert!(!is_nearly_masters(group), "{group}");
        }
    }
}
