//! What people get wrong in `aws-auth`, found while it is read.

use super::super::MappingKind;
use super::super::arn::{Unreachable, caller};
use super::super::odd_signs;
use super::super::placeholder::{in_angle_brackets, is_encrypted, is_template};
use super::super::repair::repair;
use super::super::template::{PlaceholderKind, unknown_placeholders};
use super::{Entry, Precedence, SectionText, Sso, Written};
use crate::model::diagnostic::{Code, Diagnostic};

/// A key of the ConfigMap that is not read.
pub(super) fn unread_key(key: &str, text: &SectionText<'_>) -> Diagnostic {
    let near = |known: &&str| {
        strsim::levenshtein(&key.to_lowercase().replace(['-', '_'], ""), &known.to_lowercase()) <= 2
    };
    match MappingKind::ALL.map(MappingKind::as_str).into_iter().find(|known| near(known)) {
        Some(known) => Diagnostic::at(
            Code::AwsAuthMisspeltKey,
            text.origin,
            format!("the key `{key}` is ignored with everything under it; write `{known}`"),
        ),
        None if key.eq_ignore_ascii_case("mapGroups") => Diagnostic::at(
            Code::AwsAuthMisspeltKey,
            text.origin,
            format!("the key `{key}` is ignored: IAM groups cannot be mapped"),
        ),
        None => Diagnostic::at(Code::AwsAuthIgnoredKey, text.origin, format!("the key `{key}` is ignored")),
    }
}

/// A field of an entry that is not read.
pub(super) fn unread_field(kind: MappingKind, name: &str) -> String {
    let (arn, other, other_kind) = match kind {
        MappingKind::MapUsers => ("userarn", "rolearn", "mapRoles"),
        _ => ("rolearn", "userarn", "mapUsers"),
    };
    let plain = name.to_lowercase().replace(['-', '_'], "");
    let near = [arn, "username", "groups"].into_iter().find(|known| strsim::levenshtein(&plain, known) <= 2);
    match plain.as_str() {
        _ if plain == other => format!("`{name}` belongs in `{other_kind}`; it is ignored here"),
        "grouparn" => format!("`{name}` is ignored: IAM groups cannot be mapped"),
        "arn" | "principalarn" => format!("`{name}` is ignored; write `{arn}`"),
        _ => match near {
            Some(known) => format!("`{name}` is ignored; write `{known}`"),
            None => format!("`{name}` is ignored"),
        },
    }
}

/// An entry that another one for the same ARN replaces.
pub(super) fn replaced(entry: &Entry, winner: &Entry) -> Diagnostic {
    let arn = &entry.arn.text;
    let (code, message) = match (entry.kind, winner.kind) {
        (MappingKind::MapRoles, _) => (
            Code::DuplicateRoleMapping,
            format!("`{arn}` is mapped again later; only the last entry counts, and groups are not merged"),
        ),
        (_, MappingKind::MapRoles) => (
            Code::ArnInBothSections,
            format!("`{arn}` is also mapped in `mapRoles`; that entry counts, this one does not"),
        ),
        _ => (
            Code::DuplicateUserMapping,
            format!("`{arn}` is mapped again later; only the last entry counts, and groups are not merged"),
        ),
    };
    Diagnostic::at(code, entry.source, message)
}

/// An entry of `mapUsers` that differs from another only in case.
pub(super) fn random(entry: &Entry, first: &Entry) -> Diagnostic {
    Diagnostic::at(
        Code::RandomUserMapping,
        entry.source,
        format!(
            "`{}` and `{}` differ only in case: each login uses a random one",
            entry.arn.text, first.arn.text
        ),
    )
}

/// What is odd in an accepted entry.
pub(super) fn entry(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) {
    let mut report = |code, written: &Written, message: String| {
        diagnostics.push(Diagnostic::at(code, written.source, message));
    };
    let arn = &entry.arn;
    let written = if entry.sso.is_some() {
        let message = format!("an `sso` entry never matches: {}", Unreachable::Sso);
        report(Code::SsoMapping, &Written { source: entry.source, text: String::new() }, message);
        None
    } else {
        let reached = caller(&arn.text);
        if let Err(why) = &reached {
            let code = match why {
                Unreachable::RolePath(_) => Code::RoleArnHasPath,
                Unreachable::AssumedRole(_) => Code::AssumedRoleMapped,
                Unreachable::Wildcard => Code::WildcardInArn,
                _ => Code::InvalidMappingArn,
            };
            let why = mistyped(&arn.text, why).unwrap_or_else(|| why.clone());
            report(code, arn, format!("`{}` never matches a caller: {why}", arn.text));
        }
        reached.ok()
    };
    let of_role = written.as_deref().map(|arn| arn.contains(":role/"));
    let in_force = matches!(entry.precedence, Precedence::Decides { .. });
    if in_force && of_role.is_some_and(|of_role| of_role != (entry.kind == MappingKind::MapRoles)) {
        let key = entry.kind.as_str();
        let message = format!("`{}` is in `{key}`; this works, but other tools may not expect it", arn.text);
        report(Code::WrongSection, arn, message);
    }
    if let Some(name) = written.as_deref().and_then(sso_role_without_suffix) {
        let message = format!("`{name}` does not end in the 16 hex digits of an SSO role name");
        report(Code::SsoRoleSuffix, arn, message);
    }
    if entry.username.text.is_empty() {
        let message = "the entry has no `username`; the username is empty, so no User binding applies";
        report(Code::EmptyUsername, &entry.username, message.to_owned());
    }
    if is_node_by_session(entry) {
        let message = format!(
            "`{}` names nodes by their session; the Node authorizer knows an EC2 node by its private DNS name, so write `system:node:{}`; only hybrid nodes and Fargate pods use the session name",
            entry.username.text,
            PlaceholderKind::Ec2PrivateDnsName.as_str()
        );
        report(Code::NodeUsername, &entry.username, message);
    }
    for group in &entry.groups {
        let text = &group.text;
        if let Some(odd) = odd_signs::first(text) {
            let message = format!("the group `{text}` has {odd}, so no binding names it; write it again");
            report(Code::OddGroup, group, message);
            continue;
        }
        if text.is_empty() {
            report(Code::OddGroup, group, "a group is empty".to_owned());
        } else if text.contains(char::is_whitespace) {
            let message = format!("the group `{text}` contains spaces; did YAML fold two lines into one?");
            report(Code::OddGroup, group, message);
        }
    }
    for field in std::iter::once(&entry.username).chain(&entry.groups) {
        for unknown in unknown_placeholders(&field.text) {
            let message = format!("unknown placeholder `{unknown}`: it stays as literal text");
            report(Code::UnknownPlaceholder, field, message);
        }
        if let Some(angle) = in_angle_brackets(&field.text) {
            let message = format!(
                "`{angle}` is in angle brackets, which stay in the name; remove them, or fill in the placeholder"
            );
            report(Code::UnknownPlaceholder, field, message);
        } else if is_encrypted(&field.text) {
            let message =
                "SOPS encrypted this text, so what it says is unknown; decrypt the file first".to_owned();
            report(Code::EncryptedText, field, message);
        } else if unknown_placeholders(&field.text).next().is_none() && is_template(&field.text) {
            let message = format!("`{}` has an unfilled placeholder: it stays as literal text", field.text);
            report(Code::UnknownPlaceholder, field, message);
        }
        if of_role == Some(false) {
            let asks = |placeholder: PlaceholderKind| field.text.contains(placeholder.as_str());
            if asks(PlaceholderKind::Ec2PrivateDnsName) {
                let message = format!("`{}` has no session name, so every login is refused", arn.text);
                report(Code::TemplateRefusesLogin, field, message);
            } else if asks(PlaceholderKind::SessionName) || asks(PlaceholderKind::SessionNameRaw) {
                let message = format!("`{}` has no session, so the session name is empty", arn.text);
                report(Code::NoSessionName, field, message);
            }
        }
    }
}

/// What was meant by an ARN that no caller has, where that can be told.
fn mistyped(arn: &str, why: &Unreachable) -> Option<Unreachable> {
    match why {
        Unreachable::NotAnArn
        | Unreachable::Whitespace
        | Unreachable::Region
        | Unreachable::Account
        | Unreachable::Resource(_)
        | Unreachable::Name => {
            let repaired = repair(arn, None)?;
            Some(Unreachable::Misspelt(repaired.why, repaired.better))
        }
        _ => None,
    }
}

/// Whether an entry is for a node that is known by its session's name, which only hybrid nodes and Fargate are.
fn is_node_by_session(entry: &Entry) -> bool {
    let username = &entry.username.text;
    let by_session = [PlaceholderKind::SessionName, PlaceholderKind::SessionNameRaw];
    username.starts_with("system:node:")
        && by_session.iter().any(|placeholder| username.contains(placeholder.as_str()))
        && entry.groups.iter().any(|group| group.text == "system:nodes")
        && !entry.groups.iter().any(|group| group.text == "system:node-proxier")
}

fn sso_role_without_suffix(arn: &str) -> Option<&str> {
    let (_, name) = arn.rsplit_once(":role/")?;
    let lower = name.to_ascii_lowercase();
    let rest = lower.strip_prefix("awsreservedsso_")?;
    let suffix = rest.rsplit('_').next()?;
    let proper = suffix.len() == 16 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!proper || !rest.contains('_')).then_some(name)
}

/// An account of `mapAccounts`.
pub(super) fn account(account: &Written, diagnostics: &mut Vec<Diagnostic>) {
    let text = &account.text;
    let (code, message) = if is_account(text) {
        (
            Code::AccountMapping,
            format!("every IAM principal in account `{text}` can log in, as a user without groups"),
        )
    } else {
        (Code::InvalidAccount, format!("`{text}` is not a 12-digit account ID"))
    };
    diagnostics.push(Diagnostic::at(code, account.source, message));
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Sso {
    /// Follows the `sso` part of `RoleMapping.Validate`.
    pub(super) fn is_valid(&self) -> bool {
        let set = &self.permission_set;
        is_account(&self.account)
            && (1..=32).contains(&set.len())
            && set.chars().all(super::super::arn::is_name_char)
            && (self.partition.is_empty() || super::super::arn::PARTITIONS.contains(&self.partition.as_str()))
    }
}
