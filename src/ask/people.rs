//! From people to mapped roles and back: who stands behind an identity of the cluster, and which identities somebody may
//! become.

use crate::ask::assume_role::{self, Action, WhoAssumes};
use crate::decide::cluster::Cluster;
use crate::identity::Reach as MappingReach;
use crate::identity::iam::{
    Caller, Context, Door, DoorKind, Hop, Lenses, POD_IDENTITY, Person, PrincipalId, Reach,
};
use crate::identity::pod_roles::{PodRole, PodRoleVia};
use crate::model::ternary::Ternary;

/// The ways between people and the identities that a cluster maps.
#[derive(Debug)]
pub struct People<'l, 'c> {
    cluster: &'c Cluster,
    lenses: &'l Lenses<'c>,
    reach: Reach<'l, 'c>,
    /// The mapped roles that an export holds, each by the ARN of its mapping.
    mapped: Vec<(String, PrincipalId)>,
}

/// A mapped role that somebody may become.
#[derive(Clone, Debug)]
pub struct Becoming {
    /// The ARN as mapped.
    pub arn: String,
    /// Whether it may: unknown where conditions decide that it does not choose itself.
    pub value: Ternary,
    /// The way.
    pub hops: Vec<Hop>,
    /// The name of the session in which it arrives, where a condition leaves it no choice.
    pub session_name: Option<String>,
}

/// Somebody who can become a mapped role.
#[derive(Clone, Debug)]
pub struct Assumer {
    /// Who.
    pub who: Who,
    /// Whether it can.
    pub value: Ternary,
    /// The way from the role that it becomes first.
    pub hops: Vec<Hop>,
}

/// Who can become a mapped role.
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

impl<'l, 'c> People<'l, 'c> {
    /// For a cluster, through lenses on its exports of IAM.
    pub fn new(cluster: &'c Cluster, lenses: &'l Lenses<'c>) -> Self {
        let data = cluster.iam();
        let mut mapped = Vec::new();
        for identity in cluster.identities().identities() {
            if let MappingReach::Callers(_) = identity.reach
                && let Some(role) = assume_role::role(data, identity.arn)
            {
                mapped.push((identity.arn.to_owned(), role));
            }
        }
        Self { cluster, lenses, reach: Reach::new(&lenses.assume, true), mapped }
    }

    /// The mapped roles that somebody may become, in the order of the mappings; nothing for what is no principal.
    pub fn may_become(&self, arn: &str, session: Option<&str>) -> Vec<Becoming> {
        let Ok(caller) = self.cluster.iam().caller(arn, session) else { return Vec::new() };
        self.mapped.iter().filter_map(|(mapped, role)| self.becoming(&caller, mapped, *role)).collect()
    }

    fn becoming(&self, caller: &Caller<'_>, mapped: &str, role: PrincipalId) -> Option<Becoming> {
        let own = caller.principal().and_then(|own| self.cluster.iam().find(&own.arn.text));
        if own == Some(role) {
            return None;
        }
        let mut best: Option<(Ternary, Vec<PrincipalId>)> = None;
        let mut consider = |value: Ternary, chain: Vec<PrincipalId>| {
            let is_better = best.as_ref().is_none_or(|(known, way)| {
                (value, std::cmp::Reverse(chain.len())) > (*known, std::cmp::Reverse(way.len()))
            });
            if value != Ternary::No && is_better {
                best = Some((value, chain));
            }
        };
        consider(self.reach.first(caller, role).0, vec![role]);
        for source in self.reach.sources(role) {
            if Some(source.id) == own || !self.is_role(source.id) {
                continue;
            }
            let first = self.reach.first(caller, source.id).0;
            let chain = std::iter::once(source.id).chain(source.chain.iter().copied()).collect();
            consider(first.and(source.value), chain);
        }
        let (value, chain) = best?;
        let hops = self.reach.hops_of(caller, &chain);
        let session_name = hops.last().and_then(|hop| hop.session_name.clone());
        Some(Becoming { arn: mapped.to_owned(), value, hops, session_name })
    }

    fn is_role(&self, id: PrincipalId) -> bool {
        self.cluster.iam().principal_of(id).is_some_and(|principal| !principal.is_user)
    }

    /// Everybody who can become a mapped role, those who are anybody first; nothing where no export holds it.
    pub fn assumable_by(&self, arn: &str) -> Vec<Assumer> {
        let Some(role) = assume_role::role(self.cluster.iam(), arn) else { return Vec::new() };
        let WhoAssumes { principals, doors } =
            assume_role::who_of(self.lenses, &self.reach, Action::AssumeRole, role);
        let (mut found, mut outside): (Vec<Assumer>, Vec<Assumer>) = (Vec::new(), Vec::new());
        let mut behind = vec![(role, Ternary::Yes, Vec::new())];
        for (source, hops) in principals {
            let Some(principal) = self.cluster.iam().principal_of(source.id) else { continue };
            if !principal.is_user {
                behind.push((source.id, source.value, hops.clone()));
            }
            let who = Who::Principal(principal.arn.text.to_string());
            outside.push(Assumer { who, value: source.value, hops });
        }
        for (door, hops) in doors {
            let way = Ternary::all(hops.iter().map(|hop| hop.verdict.value));
            let open = if door.kind == DoorKind::Account { Ternary::Unknown } else { Ternary::Yes };
            let value = way.and(door.verdict.value).and(open);
            let list = if door.kind == DoorKind::Anyone { &mut found } else { &mut outside };
            list.push(Assumer { who: Who::Door(Box::new(door)), value, hops });
        }
        found.append(&mut outside);
        for (role, value, hops) in behind {
            found.extend(self.people(role, value, &hops));
            found.extend(self.pods(role, value, &hops));
        }
        found
    }

    /// To whom Identity Center gives a role.
    fn people(&self, role: PrincipalId, value: Ternary, hops: &[Hop]) -> Vec<Assumer> {
        let data = self.cluster.iam();
        let Some(principal) = data.principal_of(role) else { return Vec::new() };
        let Some(set) = principal.permission_set() else { return Vec::new() };
        let people = data.identity_center().people(&principal.arn.account, set);
        let assumer = |person| Assumer { who: Who::Person(person), value, hops: hops.to_vec() };
        people.into_iter().map(assumer).collect()
    }

    /// The service accounts whose pods get a role.
    fn pods(&self, role: PrincipalId, value: Ternary, hops: &[Hop]) -> Vec<Assumer> {
        let data = self.cluster.iam();
        let of_role = |pods: &&PodRole| assume_role::role(data, &pods.role) == Some(role);
        let mut found = Vec::new();
        for pods in self.cluster.pod_roles().0.iter().filter(of_role) {
            let admitted = match &pods.via {
                PodRoleVia::Annotation => self.by_token(role, pods),
                PodRoleVia::Association { .. } => self.by_association(role, pods),
            };
            if admitted != Ternary::No {
                found.push(Assumer {
                    who: Who::Pods(pods.clone()),
                    value: value.and(admitted),
                    hops: hops.to_vec(),
                });
            }
        }
        found
    }

    /// Whether the token of a service account opens a role: one of the providers that it trusts must be the cluster's,
    /// and only EKS's are.
    fn by_token(&self, role: PrincipalId, pods: &PodRole) -> Ternary {
        let doors = self.lenses.doors(role);
        let providers = doors.iter().filter(|door| {
            door.kind == DoorKind::WebIdentity && door.name.contains(":oidc-provider/oidc.eks.")
        });
        Ternary::any(providers.map(|door| {
            let host = door.name.split_once(":oidc-provider/").map_or("", |(_, host)| host);
            let mut context = Context::new();
            let subject = format!("system:serviceaccount:{}:{}", pods.namespace, pods.service_account);
            context.add(&format!("{host}:sub"), subject);
            context.add(&format!("{host}:aud"), "sts.amazonaws.com");
            self.lenses.web().ternary(&Caller::Provider(door.name.clone()), role, &context)
        }))
    }

    fn by_association(&self, role: PrincipalId, pods: &PodRole) -> Ternary {
        let context = association_context(pods);
        self.reach.lens().ternary(&Caller::Service(POD_IDENTITY.into()), role, &context)
    }
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
    let PodRoleVia::Association { cluster, disables_session_tags, .. } = &pods.via else { return context };
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
    context
}
