//! Who stands behind a role without being a user or role of an export: people of Identity Center, and pods.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::decide::cluster::Cluster;
use crate::identity::iam::{
    Caller, Context, Door, DoorKind, Hop, Lenses, POD_IDENTITY, Person, PrincipalId, Reach, Step, Verdict,
};
use crate::identity::pod_roles::{PodRole, PodRoleVia};
use crate::model::ternary::Ternary;

/// Somebody who can become a role.
#[derive(Clone, Debug)]
pub struct Assumer {
    /// Who.
    pub who: Who,
    /// Whether it can.
    pub value: Ternary,
    /// The way from the role that it becomes first.
    pub hops: Vec<Rc<Hop>>,
    /// What is known of the name of the session in which it arrives.
    pub session: SessionName,
    /// Whether it may arrive in a session that is named like an EC2 instance.
    pub as_instance: Ternary,
}

/// Who can become a role.
#[derive(Clone, Debug)]
pub enum Who {
    /// A user or role of an export.
    Principal(String),
    /// Somebody who comes in from outside.
    Door(Box<Door>),
    /// Somebody to whom Identity Center gives a permission set.
    Person(Person),
    /// The pods of a service account.
    Pods(PodRole),
}

/// What is known of the name of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionName {
    /// The caller chooses it.
    Chosen,
    /// Conditions leave the caller only names such as this.
    Pinned(String),
    /// Identity Center sets it: the name of the person.
    OfPerson(String),
    /// AWS or the identity provider sets it.
    Set,
}

impl Who {
    /// The ARN, or what stands for it.
    pub fn name(&self) -> String {
        match self {
            Self::Principal(arn) => arn.clone(),
            Self::Door(door) => door.name.to_string(),
            Self::Person(Person { user: Some(user), .. }) => user.to_string(),
            Self::Person(Person { group, .. }) => {
                format!("members of group {}", group.as_deref().unwrap_or_default())
            }
            Self::Pods(pods) => {
                format!("system:serviceaccount:{}:{}", pods.namespace, pods.service_account)
            }
        }
    }

    /// The kind as JSON names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Principal(arn) if arn.contains(":user/") => "user",
            Self::Principal(_) => "role",
            Self::Door(door) => door.kind.as_str(),
            Self::Person(_) => "identityCenter",
            Self::Pods(_) => "serviceAccount",
        }
    }
}

/// A role, and the way from it to the role in question.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The role.
    pub role: PrincipalId,
    /// Who is become from there on.
    pub chain: Vec<Step>,
}

/// A name that nobody would ask for.
const ANY_NAME: &str = "a-name-of-ones-own";

/// The name of a session that is an EC2 instance's.
const INSTANCE: &str = "i-0123456789abcdef0";

/// What is known of the name of the session in which somebody arrives, and whether it may be an instance's.
type Arrival = (SessionName, Ternary);

/// Finds who stands behind roles.
#[derive(Debug)]
pub struct Behind<'b, 'l, 'c> {
    cluster: &'c Cluster,
    lenses: &'b Lenses<'c>,
    reach: &'b Reach<'l, 'c>,
    /// What is known of the session into which a last hop leads: many ways end with the same.
    arrivals: RefCell<FxHashMap<(Box<str>, Step), Arrival>>,
}

impl<'b, 'l, 'c> Behind<'b, 'l, 'c> {
    /// For a cluster, through lenses on its exports of IAM.
    pub fn new(cluster: &'c Cluster, lenses: &'b Lenses<'c>, reach: &'b Reach<'l, 'c>) -> Self {
        Self { cluster, lenses, reach, arrivals: RefCell::default() }
    }

    /// The people and pods that become a role, and go on from there.
    pub fn of(&self, entrance: &Entrance) -> Vec<Assumer> {
        let mut found = self.people(entrance);
        found.extend(self.pods(entrance));
        found
    }

    /// To whom Identity Center gives a role. The name of the session is that of the person.
    fn people(&self, entrance: &Entrance) -> Vec<Assumer> {
        let data = self.cluster.iam();
        let Some(principal) = data.principal_of(entrance.role) else { return Vec::new() };
        let Some(set) = principal.permission_set() else { return Vec::new() };
        let people = data.identity_center().people(&principal.arn.account, set);
        let assumer = |person: Person| {
            let session = person.user.clone();
            let caller = Caller::Known { principal, session: session.clone() };
            let hops = self.reach.hops_of(&caller, &entrance.chain);
            let value = Hop::all(&hops);
            let (session, as_instance) = match (session, entrance.chain.last()) {
                (_, Some(last)) => self.arrival(&hops, last),
                (Some(name), None) => (SessionName::OfPerson(name.to_string()), Ternary::No),
                (None, None) => (SessionName::Set, Ternary::No),
            };
            Assumer { who: Who::Person(person), value, hops, session, as_instance }
        };
        people.into_iter().map(assumer).filter(|found| found.value != Ternary::No).collect()
    }

    /// The service accounts whose pods get a role.
    fn pods(&self, entrance: &Entrance) -> Vec<Assumer> {
        let mut found = Vec::new();
        for pods in &self.cluster.pod_roles().0 {
            let Some((first, is_set)) = self.admitted(entrance.role, pods) else { continue };
            let Some(principal) = self.cluster.iam().principal_of(entrance.role) else { continue };
            let caller = Caller::Known { principal, session: None };
            let further = self.reach.hops_of(&caller, &entrance.chain);
            let is_told = if pods.written.is_some() { Ternary::Unknown } else { Ternary::Yes };
            let value = is_told.and(Hop::all(&first)).and(Hop::all(&further));
            if value == Ternary::No {
                continue;
            }
            let (session, as_instance) = match entrance.chain.last() {
                Some(last) => self.arrival(&further, last),
                None if is_set => (SessionName::Set, Ternary::No),
                None => self.chosen_by_token(entrance.role, pods),
            };
            let hops = first.into_iter().chain(further).collect();
            found.push(Assumer { who: Who::Pods(pods.clone()), value, hops, session, as_instance });
        }
        found
    }

    /// The hops by which pods get a role, and whether the name of their session is set for them.
    fn admitted(&self, role: PrincipalId, pods: &PodRole) -> Option<(Vec<Rc<Hop>>, bool)> {
        let data = self.cluster.iam();
        let PodRoleVia::Association { target_role, external_id, disables_session_tags, .. } = &pods.via
        else {
            if data.role(&pods.role) != Some(role) {
                return None;
            }
            let hop = hop_of_pods(pods, &data.principal_of(role)?.arn.text, self.by_token(role, pods)?);
            return Some((vec![hop], false));
        };
        let own = data.role(&pods.role)?;
        let target = match target_role {
            Some(target) => data.role(target)?,
            None => own,
        };
        if target != role {
            return None;
        }
        let context = association_context(pods);
        let admitted = self.reach.lens().of(&Caller::Service(POD_IDENTITY.into()), own, &context);
        if admitted.value == Ternary::No {
            return None;
        }
        let principal = data.principal_of(own)?;
        let first = hop_of_pods(pods, &principal.arn.text, admitted);
        if target_role.is_none() {
            return Some((vec![first], true));
        }
        // EKS goes on from the one role to the other, with the external id of the association.
        let mut context = Context::new();
        match external_id {
            Some(id) => context.add("sts:ExternalId", &**id),
            None => context.absent("sts:ExternalId"),
        }
        if !disables_session_tags {
            context.add("aws:PrincipalTag/kubernetes-namespace", &*pods.namespace);
            context.add("aws:PrincipalTag/kubernetes-service-account", &*pods.service_account);
        }
        let verdict = self.reach.lens().of(&Caller::Known { principal, session: None }, role, &context);
        let to = data.principal_of(role)?.arn.text.clone();
        let hop = Hop { from: principal.arn.text.clone(), to, verdict, session_name: None };
        Some((vec![first, Rc::new(hop)], true))
    }

    /// Whether the token of a service account opens a role: one of the providers that it trusts must be the cluster's,
    /// and only EKS's are.
    fn by_token(&self, role: PrincipalId, pods: &PodRole) -> Option<Verdict> {
        let verdicts =
            self.of_token(role, pods).map(|(caller, context)| self.lenses.web().of(&caller, role, &context));
        verdicts.filter(|verdict| verdict.value != Ternary::No).max_by_key(|verdict| verdict.value)
    }

    /// The providers of EKS that a role trusts, each with what the token of a service account says there.
    fn of_token(&self, role: PrincipalId, pods: &PodRole) -> impl Iterator<Item = (Caller<'c>, Context)> {
        let subject = format!("system:serviceaccount:{}:{}", pods.namespace, pods.service_account);
        self.lenses.doors(role).into_iter().filter_map(move |door| {
            let (_, host) = door.name.split_once(":oidc-provider/")?;
            if door.kind != DoorKind::WebIdentity || !host.starts_with("oidc.eks.") {
                return None;
            }
            let mut context = Context::new();
            context.add(&format!("{host}:sub"), subject.as_str());
            context.add(&format!("{host}:aud"), "sts.amazonaws.com");
            Some((Caller::Provider(door.name), context))
        })
    }

    fn chosen_by_token(&self, role: PrincipalId, pods: &PodRole) -> Arrival {
        let in_session = |name: &str| {
            Ternary::any(self.of_token(role, pods).map(|(caller, mut context)| {
                context.add("sts:RoleSessionName", name);
                self.lenses.web().ternary(&caller, role, &context)
            }))
        };
        let is_free = in_session(ANY_NAME) != Ternary::No;
        (if is_free { SessionName::Chosen } else { SessionName::Set }, in_session(INSTANCE))
    }

    /// What the name of the session may be that the last hop of a way leads into.
    pub fn arrival(&self, hops: &[Rc<Hop>], last: &Step) -> Arrival {
        let Some(hop) = hops.last() else { return (SessionName::Set, Ternary::No) };
        let known = self.arrivals.borrow().get(&(hop.from.clone(), last.clone())).cloned();
        known.unwrap_or_else(|| {
            let found = match self.cluster.iam().caller(&hop.from, None) {
                Ok(caller) => self.arrival_of(&caller, hop, last),
                Err(_) => (SessionName::Set, Ternary::No),
            };
            self.arrivals.borrow_mut().insert((hop.from.clone(), last.clone()), found.clone());
            found
        })
    }

    fn arrival_of(&self, caller: &Caller<'_>, hop: &Hop, last: &Step) -> Arrival {
        let as_instance = self.reach.in_session(caller, last.role, INSTANCE);
        if self.reach.in_session(caller, last.role, ANY_NAME) != Ternary::No {
            return (SessionName::Chosen, as_instance);
        }
        let chosen = hop.session_name.clone();
        (chosen.map_or(SessionName::Set, SessionName::Pinned), as_instance)
    }

    /// What the name of the session may be that a door leads into, and from there on.
    pub fn through_door(&self, door: &Door, entrance: &Entrance, hops: &[Rc<Hop>]) -> Arrival {
        if let Some(last) = entrance.chain.last() {
            return self.arrival(hops, last);
        }
        match door.kind {
            DoorKind::Service | DoorKind::Saml => (SessionName::Set, Ternary::No),
            _ => {
                let value = |name| self.lenses.in_session(door, name);
                let is_free = value(ANY_NAME) != Ternary::No;
                (if is_free { SessionName::Chosen } else { SessionName::Set }, value(INSTANCE))
            }
        }
    }
}

/// The hop from the pods of a service account to their role.
fn hop_of_pods(pods: &PodRole, role: &str, verdict: Verdict) -> Rc<Hop> {
    let from = format!("system:serviceaccount:{}:{}", pods.namespace, pods.service_account);
    Rc::new(Hop { from: from.into(), to: role.into(), verdict, session_name: None })
}

/// What EKS says of the pods of an association when it assumes their role: session tags, unless they are disabled.
fn association_context(pods: &PodRole) -> Context {
    const TAGS: [&str; 6] = [
        "eks-cluster-arn",
        "eks-cluster-name",
        "kubernetes-namespace",
        "kubernetes-service-account",
        "kubernetes-pod-name",
        "kubernetes-pod-uid",
    ];
    let mut context = Context::new();
    let PodRoleVia::Association { cluster, arn, disables_session_tags, .. } = &pods.via else {
        return context;
    };
    let parts: Vec<&str> = arn.split(':').collect();
    let cluster_arn = match parts.as_slice() {
        ["arn", partition, "eks", region, account, _] => {
            context.add("aws:SourceAccount", *account);
            Some(format!("arn:{partition}:eks:{region}:{account}:cluster/{cluster}"))
        }
        _ => None,
    };
    if let Some(arn) = &cluster_arn {
        context.add("aws:SourceArn", arn.as_str());
    }
    if *disables_session_tags {
        context.no_session_tags();
        context.absent("aws:TagKeys");
        context.absent("sts:TransitiveTagKeys");
        for tag in TAGS {
            context.absent(&format!("aws:RequestTag/{tag}"));
        }
        return context;
    }
    for tag in TAGS {
        context.add("aws:TagKeys", tag);
        context.add("sts:TransitiveTagKeys", tag);
    }
    context.add("aws:RequestTag/kubernetes-namespace", &*pods.namespace);
    context.add("aws:RequestTag/kubernetes-service-account", &*pods.service_account);
    context.add("aws:RequestTag/eks-cluster-name", &**cluster);
    if let Some(arn) = cluster_arn {
        context.add("aws:RequestTag/eks-cluster-arn", arn);
    }
    context
}
