//! What is found: subjects and IAM identities with their grants, and what is unknown.

use crate::ask::behind::Assumer;
use crate::ask::eks_doors::EksDoor;
use crate::decide::answer::Answer;
use crate::decide::cluster::{Cluster, Who};
use crate::decide::evaluate::Grant;
use crate::decide::graph::Applied;
use crate::model::names::Name;
use crate::model::policy::{Policy, SourceForm};
use crate::model::rbac::Subject;
use crate::model::source::Source;
use crate::model::ternary::Ternary;
use crate::model::user::{
    SYSTEM_ANONYMOUS, SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_SERVICE_ACCOUNTS, SYSTEM_UNAUTHENTICATED,
    UserInfo,
};

/// A subject of a binding, or Group `system:masters`, which needs no binding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: &'static str,
    /// The namespace of a service account, else empty.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Named {
    /// How answers name a subject.
    pub fn of(policy: &Policy, subject: Subject) -> Self {
        let text = |name: Name| policy.names.text(name).to_owned();
        let (kind, namespace, name) = match subject {
            Subject::User(name) => ("User", String::new(), name),
            Subject::Group(name) => ("Group", String::new(), name),
            Subject::ServiceAccount { namespace, name } => ("ServiceAccount", text(namespace), name),
            Subject::Caller(arn) => ("IAM principal", String::new(), arn),
        };
        Self { kind, namespace, name: text(name) }
    }

    pub(super) fn masters() -> Self {
        Self { kind: "Group", namespace: String::new(), name: SYSTEM_MASTERS.to_owned() }
    }

    /// Whether this is Group `system:masters`, which bypasses RBAC.
    pub fn is_masters(&self) -> bool {
        self.kind == "Group" && self.name == SYSTEM_MASTERS
    }

    /// Whether this is who sends no credentials.
    pub fn is_anonymous(&self) -> bool {
        matches!(
            (self.kind, self.name.as_str()),
            ("User", SYSTEM_ANONYMOUS) | ("Group", SYSTEM_UNAUTHENTICATED)
        )
    }

    /// The username, if it names one user; `None` for a group.
    pub fn username(&self) -> Option<String> {
        match self.kind {
            "User" => Some(self.name.clone()),
            "ServiceAccount" => Some(format!("system:serviceaccount:{}:{}", self.namespace, self.name)),
            _ => None,
        }
    }

    /// A user that is this subject and nothing else, and one with the groups that the API server adds.
    pub(super) fn users(&self) -> (UserInfo, UserInfo) {
        let none = std::iter::empty::<String>;
        match (self.kind, self.username()) {
            ("ServiceAccount", Some(username)) => (
                UserInfo::as_given(&username, none()),
                UserInfo::service_account(&self.namespace, &self.name),
            ),
            (_, Some(username)) => {
                (UserInfo::as_given(&username, none()), UserInfo::authenticated(&username, none()))
            }
            (_, None) => (
                UserInfo::as_given("", [self.name.as_str()]),
                UserInfo::authenticated("", [self.name.as_str()]),
            ),
        }
    }

    /// A user that has only the groups that the API server adds to this subject.
    pub(super) fn without_itself(&self) -> UserInfo {
        match self.kind {
            "ServiceAccount" => UserInfo::as_given(
                "",
                [
                    SYSTEM_SERVICE_ACCOUNTS.to_owned(),
                    format!("{SYSTEM_SERVICE_ACCOUNTS}:{}", self.namespace),
                    SYSTEM_AUTHENTICATED.to_owned(),
                ],
            ),
            _ => UserInfo::as_given("", [SYSTEM_AUTHENTICATED]),
        }
    }
}

/// A grant as numbers, as a large cluster has hundreds of thousands: binding, subject and rule.
#[derive(Copy, Clone, Debug)]
pub struct GrantRef<'g> {
    /// The binding, with its role.
    pub applied: Applied<'g>,
    /// The number of the subject in the binding.
    pub subject: u32,
    /// The number of the rule among those in force of the role.
    pub rule: u32,
}

impl<'g> GrantRef<'g> {
    /// The grant itself.
    pub fn grant(&self, cluster: &'g Cluster) -> Option<Grant<'g>> {
        let rule = cluster.graph().granted_rule(&self.applied, self.rule as usize)?;
        Some(Grant { applied: self.applied, subject: self.subject as usize, rule })
    }
}

/// A subject that can, with every grant.
#[derive(Clone, Debug)]
pub struct SubjectAccess<'g> {
    /// Who.
    pub subject: Named,
    /// Every rule that allows it, with its binding; of an operation, every rule that allows a request it needs.
    pub grants: Vec<GrantRef<'g>>,
    /// The names of objects to which it is limited, in order; `None` for any.
    pub names: Option<Vec<String>>,
}

/// A subject that can only in some namespaces.
#[derive(Clone, Debug)]
pub struct SubjectNamespaces<'g> {
    /// Who.
    pub subject: Named,
    /// The namespaces, by name.
    pub namespaces: Vec<&'g str>,
    /// The grants in the order of the namespaces.
    pub grants: Vec<GrantRef<'g>>,
    /// The names of objects to which it is limited there, in order; `None` for any.
    pub names: Option<Vec<String>>,
}

/// An IAM identity that can, or that may.
#[derive(Clone, Debug)]
pub struct IdentityAccess<'g> {
    /// The ARN as mapped.
    pub arn: String,
    /// The identity and its user.
    pub who: Who,
    /// Its answers, one for each request that was asked.
    pub answers: Vec<Answer<'g>>,
    /// The subjects among those that can which name this user, by their position.
    pub through: Vec<usize>,
    /// The names of objects to which it is limited, in order; `None` for any.
    pub names: Option<Vec<String>>,
    /// Who can become it, as far as exports of IAM tell; empty unless that was asked.
    pub people: Vec<Assumer>,
}

impl IdentityAccess<'_> {
    /// Whether it is in Group `system:masters`.
    pub fn is_in_masters(&self) -> bool {
        self.who.certain().is_some_and(|user| user.in_group(SYSTEM_MASTERS))
    }
}

/// A binding whose role is not in the inputs, so what its subjects can do is unknown.
#[derive(Clone, Debug)]
pub struct UnresolvedBinding<'g> {
    /// The binding.
    pub binding: Applied<'g>,
    /// Its subjects.
    pub subjects: Vec<Named>,
}

/// Everyone who can.
#[derive(Clone, Debug)]
pub struct WhoCan<'g> {
    /// The subjects: Group `system:masters` first, then by kind, namespace and name.
    pub subjects: Vec<SubjectAccess<'g>>,
    /// For a question about all namespaces at once: who can in single ones, besides.
    pub in_namespaces: Vec<SubjectNamespaces<'g>>,
    /// The IAM identities, in the order of the mappings.
    pub identities: Vec<IdentityAccess<'g>>,
    /// For a question about all namespaces at once: the IAM identities that can in single ones, and in which.
    pub identities_in: Vec<(IdentityAccess<'g>, Vec<&'g str>)>,
    /// IAM identities whose answer is unknown.
    pub unknown_identities: Vec<IdentityAccess<'g>>,
    /// Bindings whose role is missing.
    pub unresolved: Vec<UnresolvedBinding<'g>>,
    /// Subjects whose answer is unknown for another reason: a name that the question does not give, or a type that
    /// is not known and that CRDs may define where these subjects can.
    pub unknown_subjects: Vec<SubjectAccess<'g>>,
    /// Subjects that may once objects in source form are applied, each with why that is not known.
    pub in_source_form: Vec<(Named, &'g SourceForm)>,
    /// Accounts of `mapAccounts`, all of whose principals can.
    pub accounts: Vec<String>,
    /// A document that could not be read and may grant it to anybody.
    pub unread: Vec<Source>,
    /// Whether partial inputs hold nothing that could grant anything.
    pub nothing_read: bool,
    /// Whether an access entry that the inputs lack may grant it, by its access policies.
    pub lacks_entries: bool,
    /// Who is anonymous, and whom a binding would allow it, did EKS let such requests through.
    pub closed_out: Vec<Named>,
    /// Who can let himself in through the API of EKS, as far as exports of IAM tell; empty unless that was asked.
    pub eks_doors: Vec<EksDoor>,
}

impl WhoCan<'_> {
    /// Yes if anyone besides Group `system:masters` can; unknown if someone may, but no one certainly can.
    pub fn ternary(&self) -> Ternary {
        let somebody = self.subjects.iter().any(|can| !can.subject.is_masters());
        let besides = self.identities.iter().any(|can| !can.is_in_masters());
        if somebody || besides || !self.accounts.is_empty() {
            return Ternary::Yes;
        }
        let doubt = !self.unknown_identities.is_empty()
            || !self.unresolved.is_empty()
            || !self.unknown_subjects.is_empty()
            || !self.in_source_form.is_empty()
            || !self.unread.is_empty()
            || self.nothing_read
            || self.lacks_entries;
        if doubt { Ternary::Unknown } else { Ternary::No }
    }
}
