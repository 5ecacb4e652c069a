//! Whose access the matrix shows: IAM identities, and the subjects that bindings name.

use rustc_hash::FxHashSet;

use crate::ask::system::System;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::evaluate::Asker;
use crate::decide::graph::Principal;
use crate::identity::{IdentityError, Reach};
use crate::model::rbac::{Authorizer, Subject};
use crate::model::user::{
    SYSTEM_ANONYMOUS, SYSTEM_AUTHENTICATED, SYSTEM_UNAUTHENTICATED, UserInfo, split_service_account,
};

/// What a holder is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HolderKind {
    /// A group: it stands for a member known by nothing else.
    Group,
    /// A service account, with the groups that its token carries.
    ServiceAccount,
    /// A user, in the groups that the API server adds.
    User,
    /// An IAM identity: its user with all groups.
    Iam,
}

impl HolderKind {
    /// The kind as the long form spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "Group",
            Self::ServiceAccount => "ServiceAccount",
            Self::User => "User",
            Self::Iam => "iam",
        }
    }
}

/// Somebody with access.
#[derive(Clone, Debug)]
pub struct Holder {
    /// What it is.
    pub kind: HolderKind,
    /// The ARN, `namespace/name` of a service account, or the name.
    pub identity: String,
    /// The username; empty for a group.
    pub username: String,
    /// Looked up in the graph: what is certain of it.
    pub(super) asker: Asker,
    /// The identity as asked or mapped; `None` for a subject of a binding.
    pub who: Option<Box<Who>>,
}

impl Holder {
    /// The username and groups that some input spells.
    pub fn principals(&self) -> &[Principal] {
        self.asker.principals()
    }

    /// The user that it is, with the groups that everybody of its kind has.
    pub(super) fn user(&self) -> UserInfo {
        if let Some(shown) = self.who.as_deref().and_then(Who::shown) {
            return shown;
        }
        let none = std::iter::empty::<String>;
        match self.kind {
            HolderKind::Group => UserInfo::authenticated("", [self.identity.as_str()]),
            HolderKind::ServiceAccount => {
                let (namespace, name) = self.identity.split_once('/').unwrap_or(("", &self.identity));
                UserInfo::service_account(namespace, name)
            }
            HolderKind::User | HolderKind::Iam => UserInfo::authenticated(&self.username, none()),
        }
    }

    /// Whether everything is allowed before RBAC is asked.
    pub fn is_master(&self) -> bool {
        self.asker.is_master
    }

    /// Whether it is who sends no credentials.
    pub fn is_anonymous(&self) -> bool {
        match self.kind {
            HolderKind::User => self.username == SYSTEM_ANONYMOUS,
            HolderKind::Group => self.identity == SYSTEM_UNAUTHENTICATED,
            HolderKind::ServiceAccount | HolderKind::Iam => false,
        }
    }

    /// How the graph knows it.
    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Whether no binding names it, nor any of its groups but those that everybody has.
    pub fn is_bound_nowhere(&self, cluster: &Cluster) -> bool {
        let graph = cluster.graph();
        let names = &graph.policy().names;
        let everybody = [SYSTEM_AUTHENTICATED, SYSTEM_UNAUTHENTICATED];
        let counts = |principal: &&Principal| !matches!(principal, Principal::Group(name) if everybody.contains(&names.text(*name)));
        !self.is_master()
            && !self.principals().iter().filter(counts).any(|principal| graph.is_bound(*principal))
    }

    /// Whether it came with Kubernetes or EKS: `system:` and `eks:` names, service accounts of controllers and
    /// of what EKS installs, nodes.
    pub fn is_system(&self, system: &System) -> bool {
        match self.kind {
            HolderKind::Group | HolderKind::User => system.is_own(self.kind.as_str(), "", &self.identity),
            HolderKind::ServiceAccount => {
                let (namespace, name) = self.identity.split_once('/').unwrap_or(("", &self.identity));
                system.is_own(self.kind.as_str(), namespace, name)
            }
            HolderKind::Iam => System::is_node(&self.username),
        }
    }

    fn order(&self) -> (&'static str, &str, &str) {
        (self.kind.as_str(), &self.identity, &self.username)
    }
}

/// Sorts holders in the order of the long form, each once.
pub fn sort(holders: &mut Vec<Holder>) {
    holders.sort_by(|a, b| a.order().cmp(&b.order()));
    holders.dedup_by(|a, b| a.order() == b.order());
}

/// An IAM identity, as far as its user is certain.
///
/// Where each login picks one of several mappings at random, certain is what they share.
pub fn of_identity(cluster: &Cluster, arn: &str, who: Who) -> Holder {
    let graph = cluster.graph();
    let (certain, username) = match (&who.is, who.certain(), who.shown()) {
        (WhoIs::Mapped(mapped), Some(certain), _) if mapped.username.is_not_told() => {
            (certain, String::new())
        }
        (_, Some(certain), Some(shown)) => (certain, shown.username),
        (WhoIs::Error(error), ..) => match &**error {
            IdentityError::RandomMapping { candidates }
            | IdentityError::Unknown { could_be: candidates, is_exhaustive: true, .. } => {
                (shared(cluster, candidates, &who), String::new())
            }
            _ => (UserInfo::default(), String::new()),
        },
        _ => (UserInfo::default(), String::new()),
    };
    Holder {
        kind: HolderKind::Iam,
        identity: arn.to_owned(),
        username,
        asker: graph.asker(&certain),
        who: Some(Box::new(who)),
    }
}

/// The username and groups that all outcomes of a random mapping share; nothing where one of them is no login.
fn shared(
    cluster: &Cluster,
    candidates: &[Result<crate::identity::Mapped, IdentityError>],
    who: &Who,
) -> UserInfo {
    let mut users = Vec::new();
    for candidate in candidates {
        let is = match candidate {
            Ok(mapped) => WhoIs::Mapped(Box::new(mapped.clone())),
            Err(error) => WhoIs::Error(Box::new(error.clone())),
        };
        let user = of_identity(cluster, "", Who { identity: who.identity.clone(), is });
        users.push(user.who.and_then(|who| who.certain()).unwrap_or_default());
    }
    let Some((first, others)) = users.split_first() else { return UserInfo::default() };
    let username = if others.iter().all(|other| other.username == first.username) {
        first.username.as_str()
    } else {
        ""
    };
    let groups = first.groups.iter().filter(|group| others.iter().all(|other| other.in_group(group)));
    UserInfo::as_given(username, groups.cloned())
}

/// Somebody who was asked for as a Kubernetes user.
pub fn of_user(cluster: &Cluster, user: UserInfo) -> Holder {
    let (kind, identity) = match split_service_account(&user.username) {
        Some((namespace, name)) => (HolderKind::ServiceAccount, format!("{namespace}/{name}")),
        None => (HolderKind::User, user.username.clone()),
    };
    Holder {
        kind,
        identity,
        username: user.username.clone(),
        asker: cluster.graph().asker(&user),
        who: Some(Box::new(Who::user(user))),
    }
}

/// Every IAM identity that the mappings let in.
///
/// An account of `mapAccounts` stands for its principals without an entry of their own, under its number and
/// without a username; those of them whom a binding names stand under their ARN too.
pub fn mapped(cluster: &Cluster) -> Vec<Holder> {
    let mut holders: Vec<Holder> = crate::ask::who_can::mapped(cluster)
        .into_iter()
        .filter(|(_, who)| who.error().is_none_or(|error| !error.is_refusal()))
        .map(|(arn, who)| of_identity(cluster, &arn, who))
        .collect();
    for identity in cluster.identities().identities() {
        if identity.reach == Reach::Account {
            let user = UserInfo::as_given("", [SYSTEM_AUTHENTICATED]);
            holders.push(Holder {
                kind: HolderKind::Iam,
                identity: identity.arn.to_owned(),
                username: String::new(),
                asker: cluster.graph().asker(&user),
                who: None,
            });
        }
    }
    sort(&mut holders);
    holders
}

/// Every subject of a binding.
pub fn bound(cluster: &Cluster) -> Vec<Holder> {
    let graph = cluster.graph();
    let policy = graph.policy();
    let text = |name| policy.names.text(name);
    let none = std::iter::empty::<String>;
    let mut seen: FxHashSet<Subject> = FxHashSet::default();
    let mut holders = Vec::new();
    let rbac = policy.bindings.iter().filter(|binding| binding.authorizer() == Authorizer::Rbac);
    for placed in rbac.flat_map(|binding| policy.subjects_of(binding)) {
        if !seen.insert(placed.subject) {
            continue;
        }
        let (kind, identity, user) = match placed.subject {
            Subject::User(name) if text(name) == SYSTEM_ANONYMOUS => (
                HolderKind::User,
                text(name).to_owned(),
                UserInfo::as_given(SYSTEM_ANONYMOUS, [SYSTEM_UNAUTHENTICATED]),
            ),
            Subject::User(name) => {
                (HolderKind::User, text(name).to_owned(), UserInfo::authenticated(text(name), none()))
            }
            Subject::Group(name) => {
                (HolderKind::Group, text(name).to_owned(), UserInfo::authenticated("", [text(name)]))
            }
            Subject::ServiceAccount { namespace, name } => (
                HolderKind::ServiceAccount,
                format!("{}/{}", text(namespace), text(name)),
                UserInfo::service_account(text(namespace), text(name)),
            ),
            // The identities stand for themselves, with their access policies.
            Subject::Caller(_) => continue,
        };
        let asker = graph.asker(&user);
        holders.push(Holder { kind, identity, username: user.username, asker, who: None });
    }
    sort(&mut holders);
    holders
}

/// A subject of a binding by its kind and name, whether or not a binding names it.
pub(crate) fn named(cluster: &Cluster, kind: HolderKind, identity: &str) -> Holder {
    let none = std::iter::empty::<String>;
    let user = match kind {
        HolderKind::Group => UserInfo::authenticated("", [identity]),
        HolderKind::ServiceAccount => {
            let (namespace, name) = identity.split_once('/').unwrap_or(("", identity));
            UserInfo::service_account(namespace, name)
        }
        HolderKind::User | HolderKind::Iam if identity == SYSTEM_ANONYMOUS => {
            UserInfo::as_given(SYSTEM_ANONYMOUS, [SYSTEM_UNAUTHENTICATED])
        }
        HolderKind::User | HolderKind::Iam => UserInfo::authenticated(identity, none()),
    };
    let asker = cluster.graph().asker(&user);
    Holder { kind, identity: identity.to_owned(), username: user.username, asker, who: None }
}

/// An IAM identity that the inputs do not map under this ARN: it may be mapped all the same, by its account.
pub(crate) fn absent(cluster: &Cluster, arn: &str) -> Holder {
    if arn.starts_with("arn:") {
        return of_identity(cluster, arn, cluster.identify(arn, None));
    }
    let asker = cluster.graph().asker(&UserInfo::default());
    let (identity, username) = (arn.to_owned(), String::new());
    Holder { kind: HolderKind::Iam, identity, username, asker, who: None }
}

/// Who was left out by [`without_system`].
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// How many.
    pub count: usize,
    /// Those that a binding of the inputs names, besides the default bindings: still worth a look.
    pub bound_by_inputs: Vec<String>,
}

/// Leaves out the identities that come with Kubernetes or EKS.
pub fn without_system(cluster: &Cluster, holders: &mut Vec<Holder>) -> LeftOut {
    let graph = cluster.graph();
    let policy = graph.policy();
    let system = System::of(cluster);
    let mut left_out = LeftOut::default();
    let ours = |holder: &Holder| {
        let own = match holder.kind {
            HolderKind::Group => policy.names.lookup(&holder.identity),
            _ => policy.names.lookup(&holder.username),
        };
        let is_own = |principal: &Principal| match principal {
            Principal::Group(name) => holder.kind == HolderKind::Group && *name == own,
            Principal::Username(name) => holder.kind != HolderKind::Group && *name == own,
            Principal::Caller(_) => false,
        };
        holder
            .principals()
            .iter()
            .filter(|principal| is_own(principal))
            .any(|principal| system.is_bound_besides(cluster, *principal))
    };
    holders.retain(|holder| {
        if !holder.is_system(&system) {
            return true;
        }
        left_out.count += 1;
        if ours(holder) {
            left_out.bound_by_inputs.push(format!("{} {}", holder.kind.as_str(), holder.identity));
        }
        false
    });
    left_out
}
