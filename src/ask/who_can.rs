//! Who can do something: the subjects that bindings name, and the IAM identities behind them.
//!
//! For one request it follows `SubjectAccessEvaluator.AllowedSubjects`: Group `system:masters` first, then the
//! subjects of every binding in scope whose role has a rule that allows it. Unlike upstream, each subject comes
//! once, with every grant. A kubectl operation may need several requests: then each subject is asked as the user
//! it stands for. IAM identities are asked as whole users, with all their groups together.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ask::can_i;
use crate::ask::question::{Part, Place, Question};
use crate::decide::answer::{Answer, Doubt};
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::evaluate::{Asker, Grant};
use crate::decide::graph::Applied;
use crate::identity::{MappingKind, Reach};
use crate::model::attributes::Attributes;
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Scope, Subject};
use crate::model::source::Source;
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_SERVICE_ACCOUNTS, UserInfo};

mod bound;

use bound::{Bound, Found, Reach as InScope, SubjectUsers, bound, other_types};

impl Question {
    /// Whether the answer for somebody is yes, without the reasons.
    ///
    /// Requests combine by "and", "or" and "all the same", so whether the whole is a yes hangs on
    /// which parts are one, and not on what the others are.
    fn is_yes(&self, cluster: &Cluster, asker: &Asker, moved: Option<&str>) -> bool {
        let allows = |part: &Part| part.decides && cluster.is_allowed(asker, &part.attributes(moved));
        if let Some(only) = self.single() {
            return allows(only);
        }
        let answers: Vec<Ternary> = self.parts.iter().map(|part| allows(part).into()).collect();
        self.combine(&answers).is_yes()
    }

    /// The answer for somebody, with the answer to every request that decides.
    fn answer<'g>(&self, cluster: &'g Cluster, who: &Who, moved: Option<&str>) -> (Ternary, Vec<Answer<'g>>) {
        let answered = can_i::answer(cluster, who, self, moved);
        let deciding = self.parts.iter().zip(answered.answers).filter(|(part, _)| part.decides);
        (answered.ternary, deciding.map(|(_, answer)| answer).collect())
    }
}

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

    fn masters() -> Self {
        Self { kind: "Group", namespace: String::new(), name: SYSTEM_MASTERS.to_owned() }
    }

    /// Whether this is Group `system:masters`, which bypasses RBAC.
    pub fn is_masters(&self) -> bool {
        self.kind == "Group" && self.name == SYSTEM_MASTERS
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
    fn users(&self) -> (UserInfo, UserInfo) {
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
    fn without_itself(&self) -> UserInfo {
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
    /// Accounts of `mapAccounts`, all of whose principals can.
    pub accounts: Vec<String>,
    /// A document that could not be read and may grant it to anybody.
    pub unread: Option<Source>,
}

impl WhoCan<'_> {
    /// Yes if anyone besides Group `system:masters` can; unknown if someone may, but no one certainly can.
    pub fn ternary(&self) -> Ternary {
        let somebody = self.subjects.iter().any(|can| !can.subject.is_masters());
        if somebody || !self.identities.is_empty() {
            return Ternary::Yes;
        }
        let doubt = !self.unknown_identities.is_empty()
            || !self.unresolved.is_empty()
            || !self.unknown_subjects.is_empty()
            || self.unread.is_some();
        if doubt { Ternary::Unknown } else { Ternary::No }
    }
}

/// Finds everyone who can; of a question about all namespaces at once also who can in single ones.
pub fn who_can<'g>(cluster: &'g Cluster, question: &Question) -> WhoCan<'g> {
    let all_namespaces = question.place == Place::AllNamespaces;
    let mut who_can = WhoCan {
        subjects: Vec::new(),
        in_namespaces: Vec::new(),
        identities: Vec::new(),
        identities_in: Vec::new(),
        unknown_identities: Vec::new(),
        unresolved: Vec::new(),
        unknown_subjects: Vec::new(),
        accounts: Vec::new(),
        unread: cluster.coverage().unread,
    };
    let Found { bound, unresolved } = bound(cluster, question, InScope::AsAsked);
    who_can.unresolved = unresolved;
    let mut masters = SubjectAccess { subject: Named::masters(), grants: Vec::new() };
    let mut everywhere: FxHashSet<Subject> = FxHashSet::default();
    for Bound { subject, named, grants } in bound {
        let can = SubjectAccess { subject: named, grants };
        if can.subject.is_masters() {
            masters = can;
            continue;
        }
        let ternary = match question.single() {
            Some(part) if only_in_a_namespace(cluster, part, &can.grants) => Ternary::Unknown,
            Some(_) => Ternary::Yes,
            None => SubjectUsers::of(cluster, &can.subject).answer(cluster, question),
        };
        match ternary {
            Ternary::Yes => {
                everywhere.insert(subject);
                who_can.subjects.push(can);
            }
            Ternary::Unknown => who_can.unknown_subjects.push(can),
            Ternary::No => {}
        }
    }
    who_can.subjects.insert(0, masters);
    who_can.unknown_subjects.extend(other_types(cluster, question, &everywhere));
    if all_namespaces {
        in_namespaces(cluster, question, &everywhere, &mut who_can);
    }
    identities(cluster, question, all_namespaces, &mut who_can);
    who_can
}

/// Whether only RoleBindings grant a request whose type may be cluster-scoped.
fn only_in_a_namespace(cluster: &Cluster, part: &Part, grants: &[GrantRef<'_>]) -> bool {
    let Attributes::Resource(asked) = part.request.attributes() else { return false };
    cluster.scope_is_open(&asked) && grants.iter().all(|grant| grant.applied.binding.scope != Scope::Cluster)
}

/// Who can in single namespaces, besides those who can in all of them at once.
fn in_namespaces<'g>(
    cluster: &'g Cluster,
    question: &Question,
    everywhere: &FxHashSet<Subject>,
    who_can: &mut WhoCan<'g>,
) {
    let names = &cluster.graph().policy().names;
    let Found { bound, unresolved } = bound(cluster, question, InScope::EachNamespace);
    who_can.unresolved.extend(unresolved);
    for Bound { subject, named, mut grants } in bound {
        if named.is_masters() || everywhere.contains(&subject) {
            continue;
        }
        if question.single().is_some_and(|part| {
            matches!(part.attributes(Some("-")), Attributes::Resource(asked) if cluster.scope_is_open(&asked))
        }) {
            who_can.unknown_subjects.push(SubjectAccess { subject: named, grants });
            continue;
        }
        let users = question.single().is_none().then(|| SubjectUsers::of(cluster, &named));
        // The grants come in the order of the namespaces.
        let (mut last, mut kept) = (None, false);
        let mut namespaces = Vec::new();
        grants.retain(|grant| {
            let namespace = grant.applied.binding.scope.namespace();
            if last.replace(namespace) != Some(namespace) {
                let text = names.text(namespace);
                kept = users.as_ref().is_none_or(|users| users.can(cluster, question, Some(text)));
                namespaces.extend(kept.then_some(text));
            }
            kept
        });
        if !namespaces.is_empty() {
            grants.shrink_to_fit();
            who_can.in_namespaces.push(SubjectNamespaces { subject: named, namespaces, grants });
        }
    }
}

/// The IAM identities that can: each is asked as the whole user that it is.
fn identities<'g>(cluster: &'g Cluster, question: &Question, all_namespaces: bool, who_can: &mut WhoCan<'g>) {
    let positions: FxHashMap<(bool, String), Vec<usize>> = {
        let mut positions: FxHashMap<(bool, String), Vec<usize>> = FxHashMap::default();
        for (can, index) in who_can.subjects.iter().zip(0usize..) {
            let key = match can.subject.username() {
                Some(username) => (false, username),
                None => (true, can.subject.name.clone()),
            };
            positions.entry(key).or_default().push(index);
        }
        positions
    };
    for (arn, who) in mapped(cluster) {
        let (ternary, answers) = question.answer(cluster, &who, None);
        if ternary != Ternary::Yes
            && all_namespaces
            && let Some(can) = can_in(cluster, question, &arn, &who)
        {
            who_can.identities_in.push(can);
            continue;
        }
        if ternary == Ternary::No {
            continue;
        }
        let mut through = Vec::new();
        if let Some(user) = who.certain() {
            through.extend(positions.get(&(false, user.username.clone())).into_iter().flatten());
            for group in &user.groups {
                through.extend(positions.get(&(true, group.clone())).into_iter().flatten());
            }
        }
        through.sort_unstable();
        through.dedup();
        let can = IdentityAccess { arn, who, answers, through };
        if ternary == Ternary::Yes {
            who_can.identities.push(can);
        } else {
            who_can.unknown_identities.push(can);
        }
    }
    for identity in cluster.identities().identities() {
        if identity.reach == Reach::Account {
            let anybody = UserInfo::as_given("", [SYSTEM_AUTHENTICATED]);
            if question.answer(cluster, &Who::user(anybody), None).0 == Ternary::Yes {
                who_can.accounts.push(identity.arn.to_owned());
            }
        }
    }
}

/// The namespaces in which an identity can: those in which a binding names it are asked, each.
fn can_in<'g>(
    cluster: &'g Cluster,
    question: &Question,
    arn: &str,
    who: &Who,
) -> Option<(IdentityAccess<'g>, Vec<&'g str>)> {
    let graph = cluster.graph();
    let asker = graph.asker(&who.certain()?);
    let scopes = asker.principals().iter().flat_map(|principal| graph.scopes_of(*principal));
    let namespaces: BTreeSet<&str> = scopes
        .filter_map(|scope| match scope {
            Scope::Cluster => None,
            Scope::Namespace(namespace) => Some(graph.policy().names.text(namespace)),
        })
        .collect();
    let mut can =
        IdentityAccess { arn: arn.to_owned(), who: who.clone(), answers: Vec::new(), through: Vec::new() };
    let mut found = Vec::new();
    for namespace in namespaces {
        if question.is_yes(cluster, &asker, Some(namespace)) {
            found.push(namespace);
            can.answers.extend(question.answer(cluster, who, Some(namespace)).1);
        }
    }
    (!found.is_empty()).then_some((can, found))
}

/// Every caller that the identity mappings let in and the inputs name: the callers of every entry that decides, and
/// the users that bindings name by an ARN of an account in `mapAccounts`.
pub(crate) fn mapped(cluster: &Cluster) -> Vec<(String, Who)> {
    let mappings = cluster.identities();
    let mut found = Vec::new();
    let mut accounts = false;
    for identity in mappings.identities() {
        match identity.reach {
            Reach::Callers(caller) => {
                let is = match mappings.user_info(&caller) {
                    Ok(mapped) => WhoIs::Mapped(Box::new(mapped)),
                    Err(error) => WhoIs::Error(Box::new(error)),
                };
                found.push((identity.arn.to_owned(), Who { identity: Some(caller), is }));
            }
            Reach::Account => accounts = true,
            _ => {}
        }
    }
    if accounts {
        let graph = cluster.graph();
        let names = &graph.policy().names;
        let mut bound: Vec<&str> = graph
            .principals()
            .filter_map(|principal| match principal {
                crate::decide::graph::Principal::Username(name) => Some(names.text(name)),
                crate::decide::graph::Principal::Group(_) | crate::decide::graph::Principal::Caller(_) => {
                    None
                }
            })
            .filter(|name| name.starts_with("arn:"))
            .collect();
        bound.sort_unstable();
        for arn in bound {
            let who = cluster.identify(arn, None);
            let WhoIs::Mapped(mapped) = &who.is else { continue };
            if mapped.provenance.kind == MappingKind::MapAccounts && mapped.username.as_literal() == Some(arn)
            {
                found.push((arn.to_owned(), who));
            }
        }
    }
    found
}

/// The grants of an identity: all that allow any of the requests, each once.
pub fn grants_of<'g>(can: &IdentityAccess<'g>) -> Vec<Grant<'g>> {
    let session = |doubt: &Doubt<'g>| match doubt {
        Doubt::Session { grant, .. } | Doubt::RandomMapping(grant) => *grant,
        _ => None,
    };
    let mut seen = FxHashSet::default();
    can.answers
        .iter()
        .flat_map(|answer| answer.grants.iter().copied().chain(answer.doubts.iter().filter_map(session)))
        .filter(|grant| {
            let owner = std::ptr::from_ref(grant.rule.owner);
            seen.insert((grant.applied.order(), owner, grant.rule.position))
        })
        .collect()
}
