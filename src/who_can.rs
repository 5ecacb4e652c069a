//! Who can do something: the subjects that bindings name, and the IAM identities behind them.
//!
//! For one request it follows `SubjectAccessEvaluator.AllowedSubjects`: Group `system:masters` first, then the
//! subjects of every binding in scope whose role has a rule that allows it. Unlike upstream, each subject comes
//! once, with every grant. A kubectl operation may need several requests: then each subject is asked as the user
//! it stands for. IAM identities are asked as whole users, with all their groups together.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::answer::{Answer, Doubt};
use crate::attributes::Attributes;
use crate::cluster::{Cluster, Who, WhoIs};
use crate::evaluate::Grant;
use crate::graph::Applied;
use crate::identity::{MappingKind, Reach};
use crate::names::Name;
use crate::operations::Plan;
use crate::policy::Policy;
use crate::question::Request;
use crate::rbac::{Scope, Subject};
use crate::source::Source;
use crate::steps;
use crate::ternary::Ternary;
use crate::user::{SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_SERVICE_ACCOUNTS, UserInfo};

/// What is asked.
#[derive(Copy, Clone, Debug)]
pub enum Ask<'a> {
    /// One request.
    Request(&'a Request),
    /// A kubectl operation.
    Operation {
        /// What it needs.
        plan: &'a Plan,
        /// The name of its object; empty if none was given.
        name: &'a str,
        /// The namespace; empty for all of them.
        namespace: &'a str,
    },
}

impl Ask<'_> {
    /// The requests that decide, as they are made in another namespace if one is given.
    fn requests(&self, moved: Option<&str>) -> Vec<Request> {
        match self {
            Self::Request(request) => vec![move_to((*request).clone(), moved)],
            Self::Operation { plan, name, namespace } => plan
                .deciding_steps()
                .into_iter()
                .map(|step| steps::request(step, moved.unwrap_or(namespace), name))
                .collect(),
        }
    }

    /// The answer for somebody, with the answer to every request that was asked for it.
    fn answer<'g>(&self, cluster: &'g Cluster, who: &Who, moved: Option<&str>) -> (Ternary, Vec<Answer<'g>>) {
        match self {
            Self::Request(request) => {
                let request = move_to((*request).clone(), moved);
                let answer = cluster.answer_for_type(who, &request.attributes());
                (answer.ternary, vec![answer])
            }
            Self::Operation { plan, name, namespace } => {
                let mut known: Vec<(Request, Answer<'g>)> = Vec::new();
                let ternary = plan.answer(&mut |step| {
                    let request = steps::request(step, moved.unwrap_or(namespace), name);
                    if let Some((_, answer)) = known.iter().find(|(other, _)| *other == request) {
                        return answer.ternary;
                    }
                    let answer = steps::answer(cluster, who, step, &request);
                    let ternary = answer.ternary;
                    known.push((request, answer));
                    ternary
                });
                (ternary, known.into_iter().map(|(_, answer)| answer).collect())
            }
        }
    }
}

fn move_to(mut request: Request, moved: Option<&str>) -> Request {
    if let (Request::Resource { namespace, .. }, Some(moved)) = (&mut request, moved) {
        moved.clone_into(namespace);
    }
    request
}

/// Somebody whom a binding names; Group `system:masters` need not be in any.
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
        };
        Self { kind, namespace, name: text(name) }
    }

    fn masters() -> Self {
        Self { kind: "Group", namespace: String::new(), name: SYSTEM_MASTERS.to_owned() }
    }

    /// Whether this is Group `system:masters`, to whom everything is allowed before RBAC is asked.
    pub fn is_masters(&self) -> bool {
        self.kind == "Group" && self.name == SYSTEM_MASTERS
    }

    /// The username of the one user whom it names; `None` for a group.
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

/// A subject that can, with every grant.
#[derive(Clone, Debug)]
pub struct SubjectCan<'g> {
    /// Who.
    pub subject: Named,
    /// Every rule that allows it, with its binding; of an operation, every rule that allows a request it needs.
    pub grants: Vec<Grant<'g>>,
}

/// A subject that can only in some namespaces.
#[derive(Clone, Debug)]
pub struct SubjectCanIn<'g> {
    /// Who.
    pub subject: Named,
    /// The namespaces, by name.
    pub namespaces: Vec<String>,
    /// The grants in the order of the namespaces.
    pub grants: Vec<Grant<'g>>,
}

/// An IAM identity that can, or of whom it cannot be told.
#[derive(Clone, Debug)]
pub struct IdentityCan<'g> {
    /// The ARN as mapped.
    pub arn: String,
    /// The identity and its user.
    pub who: Who,
    /// Its answers, one for each request that was asked.
    pub answers: Vec<Answer<'g>>,
    /// The subjects among those that can which name this user, by their position.
    pub through: Vec<usize>,
}

/// Subjects of whom it cannot be told, for the role that they are granted is not among the inputs.
#[derive(Clone, Debug)]
pub struct Untold<'g> {
    /// The binding.
    pub binding: Applied<'g>,
    /// Its subjects.
    pub subjects: Vec<Named>,
}

/// Everyone who can.
#[derive(Clone, Debug)]
pub struct WhoCan<'g> {
    /// The subjects: Group `system:masters` first, then by kind, namespace and name.
    pub subjects: Vec<SubjectCan<'g>>,
    /// For a question about all namespaces at once: who can in single ones, besides.
    pub in_namespaces: Vec<SubjectCanIn<'g>>,
    /// The IAM identities, in the order of the mappings.
    pub identities: Vec<IdentityCan<'g>>,
    /// For a question about all namespaces at once: the IAM identities that can in single ones, and in which.
    pub identities_in: Vec<(IdentityCan<'g>, Vec<String>)>,
    /// IAM identities of whom it cannot be told.
    pub unknown_identities: Vec<IdentityCan<'g>>,
    /// Bindings whose subjects cannot be told, for the role is missing.
    pub untold: Vec<Untold<'g>>,
    /// Subjects of whom it cannot be told for another reason: a name that the question does not tell, or a type that
    /// is not known and that CRDs may define where these subjects can.
    pub unclear: Vec<SubjectCan<'g>>,
    /// Accounts of `mapAccounts`, all of whose principals can.
    pub accounts: Vec<String>,
    /// A document that could not be read and may grant it to anybody.
    pub unread: Option<Source>,
}

impl WhoCan<'_> {
    /// Yes if anybody can besides Group `system:masters`; unknown if nobody can for sure.
    pub fn ternary(&self) -> Ternary {
        let somebody = self.subjects.iter().any(|can| !can.subject.is_masters());
        if somebody || !self.identities.is_empty() {
            return Ternary::Yes;
        }
        let doubt = !self.unknown_identities.is_empty()
            || !self.untold.is_empty()
            || !self.unclear.is_empty()
            || self.unread.is_some();
        if doubt { Ternary::Unknown } else { Ternary::No }
    }
}

/// Finds everyone who can.
///
/// `all_namespaces` asks, for a request outside namespaces, also who can in single namespaces.
pub fn who_can<'g>(cluster: &'g Cluster, ask: &Ask<'_>, all_namespaces: bool) -> WhoCan<'g> {
    let mut who_can = WhoCan {
        subjects: Vec::new(),
        in_namespaces: Vec::new(),
        identities: Vec::new(),
        identities_in: Vec::new(),
        unknown_identities: Vec::new(),
        untold: Vec::new(),
        unclear: Vec::new(),
        accounts: Vec::new(),
        unread: cluster.worth().unseen,
    };
    let mut found = subjects(cluster, ask, None);
    other_types(cluster, ask, &mut found);
    let masters = Named::masters();
    let mut can = found.can;
    let grants = can.remove(&masters).unwrap_or_default();
    who_can.subjects.push(SubjectCan { subject: masters, grants });
    who_can.subjects.extend(can.into_iter().map(|(subject, grants)| SubjectCan { subject, grants }));
    who_can.unclear =
        found.unclear.into_iter().map(|(subject, grants)| SubjectCan { subject, grants }).collect();
    who_can.untold = found.untold;
    if all_namespaces {
        who_can.in_namespaces = in_namespaces(cluster, ask, &mut who_can);
    }
    identities(cluster, ask, all_namespaces, &mut who_can);
    who_can
}

/// What the bindings in scope come to.
#[derive(Default)]
struct Found<'g> {
    can: BTreeMap<Named, Vec<Grant<'g>>>,
    unclear: BTreeMap<Named, Vec<Grant<'g>>>,
    untold: Vec<Untold<'g>>,
}

/// The subjects of the bindings in scope; with a namespace, only of the bindings in it.
fn subjects<'g>(cluster: &'g Cluster, ask: &Ask<'_>, moved: Option<&str>) -> Found<'g> {
    let graph = cluster.graph();
    let policy = graph.policy();
    let requests = ask.requests(moved);
    let attributes: Vec<_> = requests.iter().map(Request::attributes).collect();
    let asked: Vec<_> = attributes.iter().map(|one| graph.lexicon.request(&policy.names, one)).collect();
    let here = moved.map(|moved| Scope::Namespace(policy.names.lookup(moved)));
    let in_scope = |scope: Scope, request: &crate::evaluate::matches::Request<'_>| match scope {
        Scope::Cluster => true,
        Scope::Namespace(namespace) => namespace == request.namespace,
    };
    let mut found = Found::default();
    let mut named: BTreeMap<Named, Vec<Grant<'g>>> = BTreeMap::new();
    for applied in graph.bindings() {
        let scope = applied.binding.scope;
        if here.is_some_and(|here| here != scope) || !asked.iter().any(|request| in_scope(scope, request)) {
            continue;
        }
        let takes_nothing = graph.takes_nothing(&applied, cluster.worth());
        if applied.role.is_none() || takes_nothing {
            if takes_nothing || cluster.worth().could_exist(&applied) {
                let subjects = policy.subjects_of(applied.binding);
                let subjects = subjects.iter().map(|placed| Named::of(policy, placed.subject)).collect();
                found.untold.push(Untold { binding: applied, subjects });
            }
            continue;
        }
        for rule in graph.granted_rules(&applied) {
            let allows = asked.iter().any(|request| {
                in_scope(scope, request) && graph.lexicon.allows(policy, rule.placed.rule, request)
            });
            if !allows {
                continue;
            }
            for (placed, subject) in policy.subjects_of(applied.binding).iter().zip(0usize..) {
                let grants = named.entry(Named::of(policy, placed.subject)).or_default();
                let new = Grant { applied, subject, rule };
                // A binding may name somebody twice; its grants stand together at the end.
                let mut of_this =
                    grants.iter().rev().take_while(|grant| grant.applied.order() == applied.order());
                if !of_this.any(|grant| same_rule(grant, &new)) {
                    grants.push(new);
                }
            }
        }
    }
    match ask {
        Ask::Request(_) => found.can = named,
        Ask::Operation { .. } => {
            for (subject, grants) in named {
                match stands(cluster, ask, &subject, moved) {
                    Ternary::Yes => drop(found.can.insert(subject, grants)),
                    Ternary::Unknown => drop(found.unclear.insert(subject, grants)),
                    Ternary::No => {}
                }
            }
        }
    }
    found
}

/// A type that nobody knows may really be another, of which rules speak: who can with that is not clear.
fn other_types<'g>(cluster: &'g Cluster, ask: &Ask<'_>, found: &mut Found<'g>) {
    let Ask::Request(request) = ask else { return };
    let Attributes::Resource(asked) = request.attributes() else { return };
    for (group, resource) in cluster.could_be(asked.group, asked.resource) {
        let mut other = (*request).clone();
        if let Request::Resource { group: own_group, resource: own_resource, .. } = &mut other {
            group.clone_into(own_group);
            *own_resource = resource;
        }
        for (subject, grants) in subjects(cluster, &Ask::Request(&other), None).can {
            if !subject.is_masters() && !found.can.contains_key(&subject) {
                found.unclear.entry(subject).or_default().extend(grants);
            }
        }
    }
}

fn same_rule(one: &Grant<'_>, other: &Grant<'_>) -> bool {
    one.rule.position == other.rule.position && std::ptr::eq(one.rule.owner, other.rule.owner)
}

/// Whether a subject can carry out an operation: by itself, or together with the groups that the API server adds,
/// unless those suffice without it.
fn stands(cluster: &Cluster, ask: &Ask<'_>, subject: &Named, moved: Option<&str>) -> Ternary {
    if subject.is_masters() {
        return Ternary::Yes;
    }
    let (alone, with_groups) = subject.users();
    let answer = |user: UserInfo| ask.answer(cluster, &Who::user(user), moved).0;
    let by_itself = answer(alone);
    if by_itself == Ternary::Yes {
        return Ternary::Yes;
    }
    let together = answer(with_groups);
    if together == Ternary::Yes && answer(subject.without_itself()) == Ternary::Yes {
        return by_itself;
    }
    together
}

/// Who can in single namespaces, besides those who can in all of them at once.
fn in_namespaces<'g>(cluster: &'g Cluster, ask: &Ask<'_>, who_can: &mut WhoCan<'g>) -> Vec<SubjectCanIn<'g>> {
    let policy = cluster.graph().policy();
    let mut last = None;
    let everywhere: FxHashSet<Named> = who_can.subjects.iter().map(|can| can.subject.clone()).collect();
    let mut by_subject: BTreeMap<Named, (Vec<String>, Vec<Grant<'g>>)> = BTreeMap::new();
    // Sorted by namespace, so that each comes once.
    for binding in &policy.bindings {
        let Scope::Namespace(namespace) = binding.scope else { continue };
        if last.replace(namespace) == Some(namespace) {
            continue;
        }
        let text = policy.names.text(namespace);
        let found = subjects(cluster, ask, Some(text));
        for (subject, grants) in found.can {
            if !everywhere.contains(&subject) {
                let entry = by_subject.entry(subject).or_default();
                entry.0.push(text.to_owned());
                entry.1.extend(grants);
            }
        }
        who_can.untold.extend(found.untold);
    }
    by_subject
        .into_iter()
        .map(|(subject, (namespaces, grants))| SubjectCanIn { subject, namespaces, grants })
        .collect()
}

/// The IAM identities that can: each is asked as the whole user that it is.
fn identities<'g>(cluster: &'g Cluster, ask: &Ask<'_>, all_namespaces: bool, who_can: &mut WhoCan<'g>) {
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
        let (ternary, answers) = ask.answer(cluster, &who, None);
        if ternary != Ternary::Yes
            && all_namespaces
            && let Some(can) = can_in(cluster, ask, &arn, &who)
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
        let can = IdentityCan { arn, who, answers, through };
        if ternary == Ternary::Yes {
            who_can.identities.push(can);
        } else {
            who_can.unknown_identities.push(can);
        }
    }
    for identity in cluster.identities().identities() {
        if identity.reach == Reach::Account {
            let anybody = UserInfo::as_given("", [SYSTEM_AUTHENTICATED]);
            if ask.answer(cluster, &Who::user(anybody), None).0 == Ternary::Yes {
                who_can.accounts.push(identity.arn.to_owned());
            }
        }
    }
}

/// The namespaces in which an identity can: those in which a binding names it are asked, each.
fn can_in<'g>(
    cluster: &'g Cluster,
    ask: &Ask<'_>,
    arn: &str,
    who: &Who,
) -> Option<(IdentityCan<'g>, Vec<String>)> {
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
        IdentityCan { arn: arn.to_owned(), who: who.clone(), answers: Vec::new(), through: Vec::new() };
    let mut found = Vec::new();
    for namespace in namespaces {
        let (ternary, answers) = ask.answer(cluster, who, Some(namespace));
        if ternary == Ternary::Yes {
            found.push(namespace.to_owned());
            can.answers.extend(answers);
        }
    }
    (!found.is_empty()).then_some((can, found))
}

/// Everybody whom the identity mappings let in and the inputs name: the callers of every entry that decides, and
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
                crate::graph::Principal::Username(name) => Some(names.text(name)),
                crate::graph::Principal::Group(_) => None,
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
pub fn grants_of<'g>(can: &IdentityCan<'g>) -> Vec<Grant<'g>> {
    let mut grants: Vec<Grant<'g>> = Vec::new();
    let session = |doubt: &Doubt<'g>| match doubt {
        Doubt::Session { grant, .. } | Doubt::CoinToss(grant) => *grant,
        _ => None,
    };
    let all = can
        .answers
        .iter()
        .flat_map(|answer| answer.grants.iter().copied().chain(answer.doubts.iter().filter_map(session)));
    for grant in all {
        let same =
            |other: &Grant<'_>| other.applied.order() == grant.applied.order() && same_rule(other, &grant);
        if !grants.iter().any(same) {
            grants.push(grant);
        }
    }
    grants
}
