//! What leads out of the cluster and back: service accounts that are IAM roles, roles that assume others, ARNs that are
//! mapped, and the API of EKS.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Step;
use crate::ask::assume_role;
use crate::ask::eks_doors;
use crate::decide::cluster::{Cluster, Who};
use crate::identity::Reach as Mapping;
use crate::identity::iam::{Caller, Context, DoorKind, Lenses, PrincipalId, Reach, Why};
use crate::identity::pod_roles::{PodRole, PodRoleVia};
use crate::model::policy::position;
use crate::model::ternary::Ternary;

/// Namespace and name of a service account.
type Account<'c> = (&'c str, &'c str);

/// So many pairs of roles and service accounts are asked about; beyond it only those that an annotation joins.
const MOST_PAIRS: usize = 200_000;

/// Prefixes of names that access entries refuse.
const NOT_IN_ENTRIES: &[&str] = &["system:", "eks:", "aws:", "amazon:", "iam:"];
/// Prefixes of names that no OIDC provider may give.
const NOT_BY_OIDC: &[&str] = &["system:"];

/// What must hold for a step that is not certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// In words, as they follow "if".
    Says(String),
    /// What IAM leaves open.
    Iam(Why),
    /// A service account, as `NS/NAME`, that bindings name and the inputs do not hold, exists.
    AccountExists(String),
}

impl Condition {
    pub(super) fn says(text: impl Into<String>) -> Self {
        Self::Says(text.into())
    }
}

/// A step to an ARN.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) step: Step,
    /// The ARN that is become, by number.
    pub(super) to: u32,
    /// Whether it takes a pod: a token that was only asked for is not enough.
    pub(super) takes_a_pod: bool,
    /// What must hold; nothing where it is certain.
    pub(super) conditions: Vec<Condition>,
    /// Where it stands, for people.
    pub(super) object: String,
}

/// What an ARN can make of itself by the API of EKS.
#[derive(Clone, Debug)]
pub(super) struct EksPower {
    /// Whether it becomes cluster-admin; else any user and group without a reserved prefix.
    pub(super) is_admin: bool,
    /// Prefixes of the names that it cannot take.
    pub(super) reserved: &'static [&'static str],
    pub(super) conditions: Vec<Condition>,
    pub(super) object: String,
}

/// An ARN, and what it leads to.
#[derive(Clone, Debug)]
pub(super) struct Arn {
    pub(super) text: String,
    /// The identity as which it logs in, if it is mapped.
    pub(super) login: Option<Who>,
    pub(super) edges: Vec<Edge>,
    pub(super) powers: Vec<EksPower>,
}

/// Everything outside of RBAC that a way can lead through.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    pub(super) arns: Vec<Arn>,
    numbers: FxHashMap<String, u32>,
    /// Per service account the roles of its pods.
    pub(super) of_account: FxHashMap<u32, Vec<Edge>>,
    /// The roles of nodes: those mapped with the name of an instance.
    pub(super) node_roles: Vec<u32>,
}

impl Outside {
    pub(super) fn new(cluster: &Cluster, accounts: &[Account<'_>]) -> Self {
        let mut outside = Self::default();
        let annotated = cluster.graph().policy().inventory.accounts.iter();
        let is_bare = cluster.iam().is_empty()
            && cluster.pod_roles().0.is_empty()
            && annotated.clone().all(|own| own.role_arn == crate::model::names::Name::EMPTY);
        if is_bare {
            return outside;
        }
        let lenses = Lenses::new(cluster.iam());
        let reach = Reach::new(&lenses.assume, true);
        let mut open: Vec<PrincipalId> = Vec::new();
        for mapped in cluster.identities().identities() {
            let Mapping::Callers(_) = mapped.reach else { continue };
            let number = outside.number(cluster, mapped.arn);
            let who = cluster.identify(mapped.arn, None);
            if who.only_instances() {
                outside.node_roles.push(number);
            }
            if who.shown().is_some()
                && let Some(arn) = outside.arns.get_mut(number as usize)
            {
                arn.login = Some(who);
            }
            open.extend(assume_role::role(cluster.iam(), mapped.arn));
        }
        open.extend(outside.eks(cluster));
        outside.by_pods(cluster, &lenses, accounts);
        let (number_of, data) = (&outside.numbers, cluster.iam());
        open.extend(number_of.keys().filter_map(|arn| assume_role::role(data, arn)));
        outside.assumed(cluster, &reach, open);
        outside.node_roles.sort_unstable();
        outside.node_roles.dedup();
        outside
    }

    pub(super) fn is_empty(&self) -> bool {
        self.arns.is_empty()
    }

    /// The number of an ARN that is known.
    pub(super) fn find(&self, cluster: &Cluster, arn: &str) -> Option<u32> {
        self.numbers.get(&canonical(cluster, arn)).copied()
    }

    fn number(&mut self, cluster: &Cluster, arn: &str) -> u32 {
        let text = canonical(cluster, arn);
        let next = position(self.arns.len());
        let number = *self.numbers.entry(text.clone()).or_insert(next);
        if number == next {
            self.arns.push(Arn { text, login: None, edges: Vec::new(), powers: Vec::new() });
        }
        number
    }

    /// Who assumes whom, backwards from the roles that lead somewhere.
    fn assumed(&mut self, cluster: &Cluster, reach: &Reach<'_, '_>, mut open: Vec<PrincipalId>) {
        let data = cluster.iam();
        let mut seen: FxHashSet<PrincipalId> = FxHashSet::default();
        while let Some(role) = open.pop() {
            if !seen.insert(role) {
                continue;
            }
            let Some(target) = data.principal_of(role).filter(|own| !own.is_user) else { continue };
            let to = self.number(cluster, &target.arn.text);
            for edge in reach.callers(role) {
                let Some(principal) = data.principal_of(edge.caller) else { continue };
                let from = self.number(cluster, &principal.arn.text);
                let caller = Caller::Known { principal, session: None };
                let conditions = match edge.value {
                    Ternary::Yes => Vec::new(),
                    _ => vec![Condition::Iam(reach.hop(&caller, &role.into()).verdict.why)],
                };
                if let Some(arn) = self.arns.get_mut(from as usize) {
                    let (step, object) = (Step::AssumeRole, String::new());
                    arn.edges.push(Edge { step, to, takes_a_pod: false, conditions, object });
                }
                open.push(edge.caller);
            }
        }
    }

    /// The roles that pods get.
    fn by_pods(&mut self, cluster: &Cluster, lenses: &Lenses<'_>, accounts: &[Account<'_>]) {
        let numbers: FxHashMap<(&str, &str), u32> = accounts.iter().copied().zip(0u32..).collect();
        let mut told: FxHashSet<(u32, u32)> = FxHashSet::default();
        for pods in &cluster.pod_roles().0 {
            let Some(account) = numbers.get(&(&*pods.namespace, &*pods.service_account)) else { continue };
            if pods.role.is_empty() {
                continue;
            }
            let to = self.number(cluster, &pods.role);
            let (step, conditions) = match &pods.via {
                PodRoleVia::Annotation => (Step::Irsa, by_token(cluster, lenses, pods)),
                PodRoleVia::Association { .. } => (Step::PodIdentity, Some(Vec::new())),
            };
            let Some(mut conditions) = conditions else { continue };
            if let Some(written) = &pods.written {
                conditions.push(Condition::says(format!("`{written}` is `{}`", pods.role)));
            }
            told.insert((*account, to));
            let takes_a_pod = step == Step::PodIdentity;
            let object = match &pods.via {
                PodRoleVia::Annotation => "annotation eks.amazonaws.com/role-arn".to_owned(),
                PodRoleVia::Association { id, .. } => format!("Pod Identity association {id}"),
            };
            self.of_account.entry(*account).or_default().push(Edge {
                step,
                to,
                takes_a_pod,
                conditions,
                object,
            });
            if let PodRoleVia::Association { target_role: Some(target), .. } = &pods.via {
                let (from, to) = (to, self.number(cluster, target));
                if let Some(arn) = self.arns.get_mut(from as usize) {
                    let object = "target role of the Pod Identity association".to_owned();
                    let (step, conditions) = (Step::AssumeRole, Vec::new());
                    arn.edges.push(Edge { step, to, takes_a_pod: false, conditions, object });
                }
            }
        }
        self.by_trust_alone(cluster, lenses, accounts, &told);
    }

    /// Roles that trust a service account which no annotation gives them: the token is enough.
    fn by_trust_alone(
        &mut self,
        cluster: &Cluster,
        lenses: &Lenses<'_>,
        accounts: &[Account<'_>],
        told: &FxHashSet<(u32, u32)>,
    ) {
        let data = cluster.iam();
        let mut trusting: Vec<(PrincipalId, String, Box<str>)> = Vec::new();
        let mut providers: FxHashSet<Box<str>> = FxHashSet::default();
        for (id, principal) in data.principals().filter(|(_, own)| !own.is_user) {
            for door in lenses.doors(id).into_iter().filter(|door| is_of_eks(&door.name, door.kind)) {
                providers.insert(door.name.clone());
                trusting.push((id, principal.arn.text.to_string(), door.name));
            }
        }
        if trusting.len().saturating_mul(accounts.len()) > MOST_PAIRS {
            return;
        }
        for (id, arn, provider) in trusting {
            for (account, number) in accounts.iter().zip(0u32..) {
                let known = self.numbers.get(&canonical(cluster, &arn));
                if known.is_some_and(|to| told.contains(&(number, *to))) {
                    continue;
                }
                let value = admits(lenses, &provider, id, *account);
                let mut conditions = match value {
                    Ternary::No => continue,
                    Ternary::Yes => Vec::new(),
                    Ternary::Unknown => {
                        vec![Condition::says(format!("the conditions of the trust policy of {arn} hold"))]
                    }
                };
                if providers.len() > 1 {
                    conditions.push(Condition::says(format!("{provider} is the provider of this cluster")));
                }
                let to = self.number(cluster, &arn);
                self.of_account.entry(number).or_default().push(Edge {
                    step: Step::Irsa,
                    to,
                    takes_a_pod: false,
                    conditions,
                    object: "its trust policy admits the service account".to_owned(),
                });
            }
        }
    }

    /// Whom the API of EKS makes an administrator; the roles among them.
    fn eks(&mut self, cluster: &Cluster) -> Vec<PrincipalId> {
        let data = cluster.iam();
        let mut found: Vec<PrincipalId> = Vec::new();
        let (clusters, mode) = (eks_doors::clusters(cluster), eks_doors::mode(cluster));
        let mut needs_mode: FxHashSet<PrincipalId> = FxHashSet::default();
        // Where several accounts are mapped, the inputs do not tell in which of them the cluster is.
        let is_known = clusters.len() == 1;
        for own in &clusters {
            let mut allowed: FxHashMap<PrincipalId, Vec<(&'static str, Ternary, Why)>> = FxHashMap::default();
            for door in eks_doors::eks_doors(data, own, mode) {
                needs_mode.extend(door.depends_on_mode().then_some(door.id));
                let actions = door.actions.into_iter();
                let actions = actions.map(|own| (own.action, own.verdict.value, own.verdict.why));
                allowed.entry(door.id).or_default().extend(actions);
            }
            let mut sorted: Vec<_> = allowed.into_iter().collect();
            sorted.sort_by_key(|(id, _)| *id);
            for (id, actions) in sorted {
                let Some(principal) = data.principal_of(id) else { continue };
                let of = |action: &str| actions.iter().find(|(own, ..)| *own == action);
                if let Some((action, value, why)) = of("eks:AssociateIdentityProviderConfig") {
                    let mut conditions: Vec<Condition> = Vec::new();
                    if *value != Ternary::Yes {
                        conditions.push(Condition::Iam(why.clone()));
                    }
                    if !is_known {
                        let account = &principal.arn.account;
                        conditions.push(Condition::says(format!("the cluster is in account {account}")));
                    }
                    let object = (*action).to_owned();
                    let number = self.number(cluster, &principal.arn.text);
                    if let Some(arn) = self.arns.get_mut(number as usize) {
                        arn.powers.push(EksPower {
                            is_admin: false,
                            reserved: NOT_BY_OIDC,
                            conditions,
                            object,
                        });
                    }
                    found.push(id);
                }
                let (creates, associates) = (of("eks:CreateAccessEntry"), of("eks:AssociateAccessPolicy"));
                let Some((_, _, why)) = creates.or_else(|| of("eks:UpdateAccessEntry")) else { continue };
                let is_admin = creates.is_some() && associates.is_some();
                let mut conditions: Vec<Condition> = Vec::new();
                let turns_on = of("eks:UpdateClusterConfig").filter(|_| mode.is_some());
                let used = [creates, associates.filter(|_| is_admin), turns_on];
                for (_, value, why) in used.into_iter().flatten() {
                    if *value != Ternary::Yes {
                        conditions.push(Condition::Iam(why.clone()));
                    }
                }
                if creates.is_none() {
                    conditions.push(Condition::Iam(why.clone()));
                }
                if !is_known {
                    let account = &principal.arn.account;
                    conditions.push(Condition::says(format!("the cluster is in account {account}")));
                }
                if needs_mode.contains(&id) {
                    conditions.push(Condition::says("the authentication mode is API or API_AND_CONFIG_MAP"));
                }
                let object = if is_admin {
                    "eks:CreateAccessEntry, eks:AssociateAccessPolicy".to_owned()
                } else if creates.is_some() {
                    "eks:CreateAccessEntry".to_owned()
                } else {
                    "eks:UpdateAccessEntry".to_owned()
                };
                let number = self.number(cluster, &principal.arn.text);
                if let Some(arn) = self.arns.get_mut(number as usize) {
                    arn.powers.push(EksPower { is_admin, reserved: NOT_IN_ENTRIES, conditions, object });
                }
                found.push(id);
            }
        }
        found
    }
}

/// One spelling for all ways to name a user or role.
fn canonical(cluster: &Cluster, arn: &str) -> String {
    if let Some(own) = cluster.iam().find(arn).and_then(|id| cluster.iam().principal_of(id)) {
        return own.arn.text.to_string();
    }
    crate::identity::IamIdentity::from_arn(arn, None)
        .map_or_else(|_| arn.to_owned(), |identity| identity.canonical_arn().to_owned())
}

fn is_of_eks(name: &str, kind: DoorKind) -> bool {
    kind == DoorKind::WebIdentity && name.contains(":oidc-provider/oidc.eks.")
}

fn admits(lenses: &Lenses<'_>, provider: &str, role: PrincipalId, account: (&str, &str)) -> Ternary {
    let host = provider.split_once(":oidc-provider/").map_or("", |(_, host)| host);
    let mut context = Context::new();
    context.add(&format!("{host}:sub"), format!("system:serviceaccount:{}:{}", account.0, account.1));
    context.add(&format!("{host}:aud"), "sts.amazonaws.com");
    lenses.web().ternary(&Caller::Provider(provider.into()), role, &context)
}

/// On what it depends that the token of an annotated account opens its role; `None` where it does not.
fn by_token(cluster: &Cluster, lenses: &Lenses<'_>, pods: &PodRole) -> Option<Vec<Condition>> {
    let subject = format!("system:serviceaccount:{}:{}", pods.namespace, pods.service_account);
    let Some(role) = assume_role::role(cluster.iam(), &pods.role) else {
        let text = format!("the trust policy of {} admits {subject}", pods.role);
        return Some(vec![Condition::Says(text)]);
    };
    let doors = lenses.doors(role);
    let own = doors.iter().filter(|door| is_of_eks(&door.name, door.kind));
    let account = (&*pods.namespace, &*pods.service_account);
    let value = Ternary::any(own.map(|door| admits(lenses, &door.name, role, account)));
    match value {
        Ternary::Yes => Some(Vec::new()),
        Ternary::No => None,
        Ternary::Unknown => {
            let text = format!("the conditions of the trust policy of {} hold for {subject}", pods.role);
            Some(vec![Condition::Says(text)])
        }
    }
}
