//! The `aws-auth` ConfigMap as a source of identity: its entries, and which of them decides for a caller.

mod change;
mod lint;
mod section;

use rustc_hash::FxHashMap;

pub use change::NewMapping;

use super::arn::{Unreachable, caller, fold};
use super::nearest::{compare, mentions};
use super::placeholder::{could_become, in_angle_brackets, is_account_word};
use super::template::{
    ACCOUNT_ID, NoInstanceId, PlaceholderKind, Sessions, Template, is_instance_id, render,
};
use super::{
    Field, IamIdentity, IdentityError, IdentitySource, Mapped, MappedIdentity, MappingKind, NearMiss,
    NearReason, Note, Provenance, Reach, Session, Written,
};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::Source;

/// The text under a key of the ConfigMap, with its place.
#[derive(Copy, Clone, Debug)]
pub struct SectionText<'a> {
    /// The text, unescaped.
    pub text: &'a str,
    /// Where the scalar stands.
    pub origin: Source,
    /// For a block scalar, the line of the file on which its content begins. Of other scalars the lines
    /// are not those of the file, and everything in them stands at `origin`.
    pub first_line: Option<u32>,
}

impl SectionText<'_> {
    /// Where a line of the text stands in the file; lines from 1.
    fn at(&self, line: u32) -> Source {
        match self.first_line {
            Some(first) if line > 0 => self.origin.at_line(first + line - 1),
            _ => self.origin,
        }
    }
}

/// An entry of `mapRoles` or `mapUsers` that was accepted.
#[derive(Clone, Debug)]
struct Entry {
    kind: MappingKind,
    /// Empty in an `sso` entry.
    arn: Written,
    sso: Option<Sso>,
    username: Written,
    groups: Vec<Written>,
    source: Source,
    precedence: Precedence,
}

/// The permission set and account of an `sso` entry.
#[derive(Clone, Debug, Default)]
struct Sso {
    permission_set: String,
    account: String,
    partition: String,
}

/// Whether an entry decides for its callers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Precedence {
    /// It does; `replaces` is an entry that would otherwise.
    Decides { replaces: Option<Source> },
    /// The entry at the place does.
    Replaced(Source),
    /// It or the one at the place does: they differ only in case.
    Random(Source),
}

/// Text that is not in force.
#[derive(Clone, Debug)]
struct Ignored {
    folded: String,
    /// Whether it has placeholders that a tool was to fill in before the ConfigMap was applied.
    is_template: bool,
    why: String,
    source: Source,
}

/// The `aws-auth` ConfigMap. Follows `mapper/configmap` of aws-iam-authenticator v0.7.18.
#[derive(Clone, Debug, Default)]
pub struct AwsAuth {
    source: Source,
    /// `mapRoles`, then `mapUsers`.
    entries: Vec<Entry>,
    accounts: Vec<Written>,
    /// Folded ARN to the entries that decide or may.
    deciding: FxHashMap<String, Vec<usize>>,
    ignored: Vec<Ignored>,
}

impl AwsAuth {
    /// Reads the `data` of the ConfigMap: every key with its text. Follows `ParseMap` and `saveMap`.
    pub fn read(source: Source, data: &[(&str, SectionText<'_>)]) -> (Self, Vec<Diagnostic>) {
        let mut this = Self { source, ..Self::default() };
        let mut diagnostics = Vec::new();
        for (key, text) in data {
            if !MappingKind::ALL.map(MappingKind::as_str).contains(key) {
                diagnostics.push(lint::unread_key(key, text));
                this.ignored.push(Ignored {
                    folded: fold(text.text),
                    // Everything under this key is ignored, also once it is filled in.
                    is_template: false,
                    why: format!("the key `{key}` is ignored"),
                    source: text.origin,
                });
            }
        }
        for kind in [MappingKind::MapRoles, MappingKind::MapUsers] {
            if let Some(text) = last(data, kind.as_str()) {
                this.entries.extend(section::entries(kind, text, &mut this.ignored, &mut diagnostics));
            }
        }
        if let Some(text) = last(data, MappingKind::MapAccounts.as_str()) {
            this.accounts = section::accounts(text, &mut this.ignored, &mut diagnostics);
        }
        this.settle(&mut diagnostics);
        for entry in &this.entries {
            lint::entry(entry, &mut diagnostics);
        }
        for account in &this.accounts {
            lint::account(account, &mut diagnostics);
        }
        if this.entries.is_empty() && this.accounts.is_empty() {
            let message = "aws-auth has no entry that counts: no IAM identity can log in through it";
            diagnostics.push(Diagnostic::at(Code::AwsAuthMapsNobody, source, message));
        }
        diagnostics.sort_by_key(|diagnostic| diagnostic.source);
        (this, diagnostics)
    }

    /// Takes in a text under `binaryData`, which aws-iam-authenticator does not read.
    pub fn ignore_binary(&mut self, key: &str, text: &SectionText<'_>) -> Option<Diagnostic> {
        if !MappingKind::ALL.map(MappingKind::as_str).contains(&key) {
            return None;
        }
        self.ignored.push(Ignored {
            folded: fold(text.text),
            is_template: false,
            why: format!("`{key}` is under `binaryData`, which aws-iam-authenticator does not read"),
            source: text.origin,
        });
        let message = format!(
            "`{key}` under `binaryData` is ignored: aws-iam-authenticator reads only `data`; move it there, as text"
        );
        Some(Diagnostic::at(Code::AwsAuthMisspeltKey, text.origin, message))
    }

    /// Whether both map the same callers to the same users, wherever they stand.
    pub fn maps_as(&self, other: &Self) -> bool {
        let same_entry = |one: &Entry, other: &Entry| {
            let sso = |entry: &Entry| entry.sso.as_ref().map(|sso| format!("{sso:?}"));
            one.kind == other.kind
                && one.arn.text == other.arn.text
                && one.username.text == other.username.text
                && one.groups.iter().map(|group| &group.text).eq(other.groups.iter().map(|group| &group.text))
                && sso(one) == sso(other)
        };
        let entries = self.entries.iter().zip(&other.entries);
        let texts = |map: &Self| -> Vec<String> {
            let accounts = map.accounts.iter().map(|account| account.text.clone());
            accounts.chain(map.ignored.iter().map(|ignored| ignored.folded.clone())).collect()
        };
        self.entries.len() == other.entries.len()
            && entries.into_iter().all(|(one, other)| same_entry(one, other))
            && self.accounts.len() == other.accounts.len()
            && texts(self) == texts(other)
    }

    /// Where the ConfigMap stands.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The roles that are mapped for nodes, each with its place.
    pub fn node_roles(&self) -> Vec<(String, Source)> {
        let is_node = |entry: &&Entry| {
            entry.username.text.starts_with("system:node:")
                && entry.groups.iter().any(|group| group.text == "system:nodes")
        };
        self.entries.iter().filter(is_node).map(|entry| (entry.arn.text.clone(), entry.source)).collect()
    }

    /// Whether it has no entries at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.accounts.is_empty()
    }

    /// Finds out which of the entries for one ARN decide.
    ///
    /// Roles are stored by their lower-cased ARN and users by the ARN as written, the last one wins; roles
    /// are looked through first, users in the random order of a Go map.
    fn settle(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        let mut groups: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.sso.is_none() {
                groups.entry(fold(&entry.arn.text)).or_default().push(index);
            }
        }
        for group in groups.values_mut() {
            *group = self.settle_group(group, diagnostics);
        }
        self.deciding = groups;
    }

    fn settle_group(&mut self, group: &[usize], diagnostics: &mut Vec<Diagnostic>) -> Vec<usize> {
        let entries = |index: &usize| self.entries.get(*index).map(|entry| (*index, entry));
        let role = group.iter().filter_map(entries).rfind(|(_, entry)| entry.kind == MappingKind::MapRoles);
        let mut winners: Vec<usize> = Vec::new();
        let mut found: Vec<(usize, Precedence)> = Vec::new();
        let mut losers: FxHashMap<usize, Source> = FxHashMap::default();
        for (index, entry) in group.iter().filter_map(entries) {
            let later = role.or_else(|| {
                group.iter().filter_map(entries).rfind(|(_, other)| other.arn.text == entry.arn.text)
            });
            match later {
                Some((by, winner)) if by != index => {
                    found.push((index, Precedence::Replaced(winner.source)));
                    losers.insert(by, entry.source);
                    diagnostics.push(lint::replaced(entry, winner));
                }
                _ => winners.push(index),
            }
        }
        let first = winners.first().and_then(entries);
        for (index, entry) in winners.iter().filter_map(entries) {
            let replaces = losers.get(&index).copied();
            match first {
                Some((first_index, first)) if first_index != index => {
                    found.push((index, Precedence::Random(first.source)));
                    diagnostics.push(lint::random(entry, first));
                }
                _ => found.push((index, Precedence::Decides { replaces })),
            }
        }
        for (index, precedence) in found {
            if let Some(entry) = self.entries.get_mut(index) {
                entry.precedence = precedence;
            }
        }
        winners
    }

    fn deciding<'a>(&'a self, identity: &IamIdentity) -> impl Iterator<Item = &'a Entry> {
        let indexes = self.deciding.get(&fold(identity.canonical_arn()));
        indexes.into_iter().flatten().filter_map(|index| self.entries.get(*index))
    }
}

fn last<'d, 'a>(data: &'d [(&str, SectionText<'a>)], key: &str) -> Option<&'d SectionText<'a>> {
    data.iter().rfind(|(own, _)| *own == key).map(|(_, text)| text)
}

impl Entry {
    fn provenance(&self) -> Provenance {
        Provenance {
            kind: self.kind,
            source: self.source,
            arn: self.arn.text.clone(),
            username: self.username.clone(),
            groups: self.groups.clone(),
        }
    }

    fn user(&self, identity: &IamIdentity) -> Result<Mapped, IdentityError> {
        let refused = |field| {
            move |_: NoInstanceId| IdentityError::NoInstanceId {
                field,
                provenance: Box::new(self.provenance()),
            }
        };
        let username = render(&self.username.text, identity).map_err(refused(Field::Username))?;
        let groups = self.groups.iter().enumerate();
        let groups = groups
            .map(|(index, group)| render(&group.text, identity).map_err(refused(Field::Group(index))))
            .collect::<Result<Vec<_>, _>>()?;
        let mut user = Mapped {
            username,
            groups,
            sessions: Sessions::Any,
            provenance: self.provenance(),
            notes: Vec::new(),
            access: None,
        };
        let asks_dns =
            user.symbolic().any(|(_, placeholder)| placeholder == PlaceholderKind::Ec2PrivateDnsName);
        if asks_dns && *identity.session() == Session::Symbolic {
            user.sessions = Sessions::InstanceId;
            user.note(Some(self.source), "only sessions whose name is an EC2 instance ID can log in");
        }
        if user.username.as_literal() == Some("") {
            user.note(Some(self.username.source), "the username is empty, so no User binding applies");
        }
        for field in std::iter::once(&self.username).chain(&self.groups) {
            if let Some(angle) = in_angle_brackets(&field.text) {
                user.note(
                    Some(field.source),
                    &format!("`{angle}` is in angle brackets, which stay in the name"),
                );
            }
        }
        let by_id = user.username.as_literal().and_then(|name| name.strip_prefix("system:node:"));
        let is_node = user.groups.iter().any(|group| group.as_literal() == Some("system:nodes"));
        if is_node && by_id.is_some_and(is_instance_id) {
            let text = "this names the node by its instance ID, but the Node authorizer knows it by its private DNS name; write `system:node:{{EC2PrivateDNSName}}`";
            user.note(Some(self.username.source), text);
        }
        if let Precedence::Decides { replaces: Some(other) } = self.precedence {
            user.note(Some(other), "another entry for the same ARN has no effect");
        }
        Ok(user)
    }
}

impl AwsAuth {
    /// The entries whose ARN has a placeholder that nobody filled in, each with the user that it makes of whom it maps
    /// once that is done.
    pub(super) fn unfilled_entries(&self) -> impl Iterator<Item = (&str, Mapped)> {
        let whoever = IamIdentity::from_arn("arn:aws:iam::000000000000:role/whoever", None).ok();
        let is_unfilled = |entry: &&Entry| {
            entry.sso.is_none()
                && matches!(entry.precedence, Precedence::Decides { .. })
                && caller(&entry.arn.text) == Err(Unreachable::Placeholder)
        };
        self.entries.iter().filter(is_unfilled).filter_map(move |entry| {
            let mut user = entry.user(whoever.as_ref()?).ok()?;
            // The account is not known either.
            let written = |template: &mut Template, written: &Written| {
                if written.text.contains(ACCOUNT_ID) {
                    *template = Template::literal(&written.text);
                }
            };
            written(&mut user.username, &entry.username);
            user.groups.iter_mut().zip(&entry.groups).for_each(|(group, text)| written(group, text));
            Some((entry.arn.text.as_str(), user))
        })
    }
}

impl Mapped {
    fn note(&mut self, source: Option<Source>, text: &str) {
        self.notes.push(Note { source, text: text.to_owned() });
    }
}

/// The user that `mapAccounts` makes of a caller.
fn user_of_account(account: &Written, identity: &IamIdentity) -> Mapped {
    Mapped {
        // The canonical ARN is no template.
        username: Template::literal(identity.canonical_arn()),
        groups: Vec::new(),
        sessions: Sessions::Any,
        provenance: Provenance {
            kind: MappingKind::MapAccounts,
            source: account.source,
            arn: account.text.clone(),
            username: Written::default(),
            groups: Vec::new(),
        },
        notes: Vec::new(),
        access: None,
    }
}

/// Whether two outcomes of a random mapping are the same for Kubernetes.
pub(super) fn same_outcome(
    one: &Result<Mapped, IdentityError>,
    other: &Result<Mapped, IdentityError>,
) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one.username == other.username && one.groups == other.groups,
        (Err(one), Err(other)) => one.is_refusal() == other.is_refusal(),
        _ => false,
    }
}

impl IdentitySource for AwsAuth {
    fn resolve(&self, identity: &IamIdentity) -> Option<Result<Mapped, IdentityError>> {
        let mut outcomes: Vec<_> = self.deciding(identity).map(|entry| entry.user(identity)).collect();
        let Some((first, others)) = outcomes.split_first() else {
            let account = self.accounts.iter().find(|account| account.text == identity.account())?;
            return Some(Ok(user_of_account(account, identity)));
        };
        if others.iter().any(|other| !same_outcome(first, other)) {
            return Some(Err(IdentityError::RandomMapping { candidates: outcomes }));
        }
        Some(outcomes.swap_remove(0))
    }

    fn nearest(&self, identity: &IamIdentity) -> Option<NearMiss> {
        let ours = fold(identity.canonical_arn());
        let entries = self.entries.iter().filter_map(|entry| {
            let reason = match &entry.sso {
                Some(sso) => {
                    let role = format!(":iam::{}:role/AWSReservedSSO_{}_", sso.account, sso.permission_set);
                    let named = ours.contains(&fold(&role));
                    named.then_some(NearReason::Unreachable(Unreachable::Sso))
                }
                None => compare(identity, &entry.arn.text),
            };
            Some(NearMiss { reason: reason?, arn: entry.arn.text.clone(), source: entry.source })
        });
        let ignored =
            self.ignored.iter().filter(|ignored| mentions(&ignored.folded, &ours)).map(|ignored| NearMiss {
                reason: NearReason::Ignored(ignored.why.clone()),
                arn: identity.canonical_arn().to_owned(),
                source: ignored.source,
            });
        entries.chain(ignored).min_by_key(NearMiss::rank)
    }

    fn unfilled(&self, identity: &IamIdentity) -> Vec<Mapped> {
        let ours = fold(identity.canonical_arn());
        let could_match = |entry: &&Entry| entry.sso.is_none() && could_become(&fold(&entry.arn.text), &ours);
        let entries = self.entries.iter().filter(could_match).filter_map(|entry| entry.user(identity).ok());
        let accounts = self.accounts.iter().filter(|account| {
            could_become(&account.text, identity.account()) || is_account_word(&account.text)
        });
        entries.chain(accounts.map(|account| user_of_account(account, identity))).collect()
    }

    fn unrendered(&self) -> Option<Source> {
        self.ignored.iter().find(|ignored| ignored.is_template).map(|ignored| ignored.source)
    }

    fn identities(&self) -> Vec<MappedIdentity<'_>> {
        let entries = self.entries.iter().map(|entry| {
            let callers = || caller(&entry.arn.text);
            let reach = match (entry.precedence, &entry.sso) {
                (_, Some(_)) => Reach::Nobody(Unreachable::Sso),
                (Precedence::Replaced(by), _) => Reach::Replaced(by),
                (Precedence::Random(with), _) => Reach::SameCallers(with),
                (Precedence::Decides { .. }, None) => match callers() {
                    Ok(arn) => IamIdentity::from_arn(&arn, None)
                        .map_or(Reach::Nobody(Unreachable::NotAnArn), Reach::Callers),
                    Err(why) => Reach::Nobody(why),
                },
            };
            MappedIdentity { arn: &entry.arn.text, kind: entry.kind, source: entry.source, reach }
        });
        let accounts = self.accounts.iter().map(|account| MappedIdentity {
            arn: &account.text,
            kind: MappingKind::MapAccounts,
            source: account.source,
            reach: Reach::Account,
        });
        entries.chain(accounts).collect()
    }
}
