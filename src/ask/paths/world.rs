//! What there is to reach: namespaces, service accounts, users, groups, running pods, nodes, roles; indexed once.

mod asked;
mod objects;

use rustc_hash::{FxHashMap, FxHashSet};

use super::checks::{self, ACTS, Answers, Bits, Check, PERSONAL};
use super::outside::Outside;
use super::restricted::Made;
use crate::decide::cluster::Cluster;
use crate::decide::evaluate::matches::pattern_matches;
use crate::decide::graph::{Principal, RbacGraph, is_pattern};
use crate::model::names::Name;
use crate::model::policy::{Completeness, Policy, position};
use crate::model::rbac::{Authorizer, Binding, RoleKind, Scope};
use crate::model::user::{SYSTEM_AUTHENTICATED, SYSTEM_MASTERS};
use crate::model::workload::{Workload, WorkloadKind};
use asked::Asked;

/// Where a right holds, by number: the cluster, every namespace, or one namespace.
pub(super) type Place = u32;
/// The whole cluster.
pub(super) const CLUSTER: Place = 0;
/// Each namespace, as if by a RoleBinding in it; not requests outside of namespaces.
pub(super) const EVERY: Place = 1;
/// The first namespace.
pub(super) const FIRST: Place = 2;

/// What the username of a node begins with.
pub(super) const NODE_USER: &str = "system:node:";

/// Up to so many bindings it is told of each role by which steps it is gained first; beyond it may be that somebody
/// could have handed on a role before the step that is told.
const THOROUGH: usize = 1_000;

/// A service account that is loaded or that some binding names.
#[derive(Clone, Debug)]
pub(super) struct Account<'c> {
    pub(super) namespace: &'c str,
    pub(super) name: &'c str,
    /// Its namespace; [`CLUSTER`] where that does not exist.
    pub(super) place: Place,
    /// Whether it exists.
    pub(super) exists: bool,
}

/// A pod that runs, or one of a workload that keeps some running.
#[derive(Clone, Debug)]
pub(super) struct Pod<'c> {
    pub(super) place: Place,
    /// The workload or Pod that it was made of.
    pub(super) workload: &'c Workload,
    /// Its name; `UNKNOWN` for a pod of a workload.
    pub(super) name: Name,
    pub(super) account: u32,
    pub(super) has_token: bool,
    pub(super) node: Node,
    /// Whether root in it is root on the node.
    pub(super) opens: bool,
}

/// On which node a pod is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A node by its number.
    Known(u32),
    /// One that is not known.
    Unknown,
    /// Fargate, where every pod has a machine of its own.
    Fargate,
}

/// What a namespace holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Space {
    /// Service accounts, by name.
    pub(super) accounts: Vec<u32>,
    pub(super) pods: Vec<u32>,
    /// Workloads that can be changed, as the check that does and their names.
    pub(super) workloads: Vec<(Check, Name)>,
    /// Secrets with tokens: their names and whose.
    pub(super) tokens: Vec<(Name, u32)>,
    /// Roles that are loaded.
    pub(super) roles: Vec<u32>,
    /// Roles that only bindings name.
    pub(super) missing: Vec<u32>,
    /// Bindings, by number.
    pub(super) bindings: Vec<u32>,
    /// Those whose roles hold anything that matters in whose hands it is.
    pub(super) personal_bindings: Vec<u32>,
    /// Whether the Namespace is loaded and lets privileged pods in.
    pub(super) lets_privileged: bool,
    /// Whether it is loaded and lets pods in that run as root.
    pub(super) lets_root: bool,
    /// Whether it is loaded.
    pub(super) is_loaded: bool,
}

/// Everything that there is to reach.
#[derive(Clone, Debug)]
pub(super) struct World<'c> {
    pub(super) cluster: &'c Cluster,
    /// Whether every role that anybody could hand on is looked at, not only those that open a way.
    pub(super) is_thorough: bool,
    /// The namespaces that exist, in order of bytes; their place is the position and [`FIRST`].
    pub(super) namespaces: Vec<&'c str>,
    pub(super) places: FxHashMap<&'c str, Place>,
    /// The places of namespaces by the number of their name.
    place_numbers: FxHashMap<Name, Place>,
    pub(super) spaces: Vec<Space>,
    pub(super) accounts: Vec<Account<'c>>,
    pub(super) account_numbers: FxHashMap<(&'c str, &'c str), u32>,
    pub(super) accounts_by_name: FxHashMap<&'c str, Vec<u32>>,
    /// Users that can be impersonated, in order of bytes.
    pub(super) users: Vec<Name>,
    /// Groups that can be impersonated, in order of bytes.
    pub(super) groups: Vec<Name>,
    pub(super) masters: Name,
    pub(super) pods: Vec<Pod<'c>>,
    pub(super) pods_by_name: FxHashMap<Name, Vec<u32>>,
    pub(super) nodes: Vec<Name>,
    pub(super) node_numbers: FxHashMap<Name, u32>,
    pub(super) pods_on: Vec<Vec<u32>>,
    /// Pods of `DaemonSet`s, of which one is on every node.
    pub(super) on_every_node: Vec<u32>,
    pub(super) tokens_by_name: FxHashMap<Name, Vec<u32>>,
    pub(super) workloads_by_name: FxHashMap<(Check, Name), Vec<Place>>,
    /// The namespace `kube-system`.
    pub(super) kube_system: Place,
    /// The name `aws-auth`, if the ConfigMap is loaded.
    pub(super) aws_auth: Option<Name>,
    /// What each loaded role answers.
    pub(super) answers: Vec<Answers>,
    /// ClusterRoles that are loaded, by number.
    pub(super) cluster_roles: Vec<u32>,
    /// ClusterRoles that only bindings name.
    pub(super) missing_cluster_roles: Vec<u32>,
    /// ClusterRoles that say something and everything.
    pub(super) everything: Vec<u32>,
    pub(super) aggregated: Vec<u32>,
    pub(super) cluster_bindings: Vec<u32>,
    /// Per binding its role, by number: loaded roles first, then those that only bindings name.
    pub(super) role_of_binding: Vec<u32>,
    /// Per role the namespaces in which RoleBindings name it.
    pub(super) places_of_role: FxHashMap<u32, Vec<Place>>,
    /// The roles that RoleBindings name, by number.
    pub(super) bound_roles: Vec<u32>,
    /// Roles that are not loaded, behind those that are.
    unloaded: Vec<(Scope, Name, Place)>,
    /// Their numbers; no input need spell a namespace that is always there, so the place tells those apart.
    unloaded_numbers: FxHashMap<(Scope, Name, Place), u32>,
    /// Access policies, which no binding can hand on.
    pub(super) access_policies: FxHashSet<u32>,
    /// Roles that everybody has everywhere.
    pub(super) common: FxHashSet<u32>,
    /// Whether some namespace certainly lets privileged pods in.
    pub(super) lets_privileged_somewhere: bool,
    /// Roles that the search makes of two that are loaded.
    pub(super) made: Made,
    /// What leads out of the cluster and back.
    pub(super) outside: Outside,
    /// The checks about custom resources that are there.
    installed: Bits,
    /// Whether the inputs tell of every custom resource.
    tells_installed: bool,
    /// The request of which it is asked who gets to where it is allowed.
    pub(super) asked: Asked,
}

/// The check that changes a workload of a kind.
fn change_of(kind: WorkloadKind) -> Option<Check> {
    Some(match kind {
        WorkloadKind::DaemonSet => Check::ChangeDaemonSets,
        WorkloadKind::Deployment => Check::ChangeDeployments,
        WorkloadKind::ReplicaSet => Check::ChangeReplicaSets,
        WorkloadKind::StatefulSet => Check::ChangeStatefulSets,
        WorkloadKind::CronJob => Check::ChangeCronJobs,
        WorkloadKind::ReplicationController => Check::ChangeReplicationControllers,
        WorkloadKind::Pod | WorkloadKind::PodTemplate | WorkloadKind::Job => return None,
    })
}

/// The kind of workload that a check changes.
pub(super) fn kind_of(check: Check) -> Option<WorkloadKind> {
    WorkloadKind::ALL.into_iter().find(|kind| change_of(*kind) == Some(check))
}

/// Every namespace that exists, in order of bytes.
fn namespaces(policy: &Policy) -> Vec<&str> {
    let inventory = &policy.inventory;
    let mut found: FxHashSet<Name> = FxHashSet::default();
    found.extend(policy.roles.iter().map(|role| role.scope.namespace()));
    found.extend(policy.bindings.iter().map(|binding| binding.scope.namespace()));
    found.extend(policy.namespaces.iter().map(|(name, _)| *name));
    found.extend(policy.service_accounts.iter().map(|(namespace, ..)| *namespace));
    found.extend(inventory.workloads.iter().map(|workload| workload.namespace));
    found.extend(inventory.secrets.iter().map(|secret| secret.namespace));
    found.extend(inventory.homes.iter().copied());
    found.remove(&Name::EMPTY);
    let mut texts: Vec<&str> = found.into_iter().map(|name| policy.names.text(name)).collect();
    texts.extend(["default", "kube-system", "kube-public", "kube-node-lease"]);
    texts.retain(|text| !is_pattern(text));
    texts.sort_unstable();
    texts.dedup();
    texts
}

impl<'c> World<'c> {
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        let graph = cluster.graph();
        let policy = graph.policy();
        let aws_auth = cluster.identities().aws_auth().map(|_| policy.names.lookup("aws-auth"));
        let namespaces = namespaces(policy);
        let places: FxHashMap<&str, Place> = namespaces.iter().copied().zip(FIRST..).collect();
        let numbers = namespaces.iter().map(|text| policy.names.lookup(text)).zip(FIRST..);
        let place_numbers = numbers.filter(|(name, _)| *name != Name::UNKNOWN).collect();
        let (installed, tells_installed) = Self::installed(cluster);
        let mut world = Self {
            cluster,
            is_thorough: policy.bindings.len() <= THOROUGH,
            spaces: vec![Space::default(); namespaces.len()],
            kube_system: places.get("kube-system").copied().unwrap_or(CLUSTER),
            namespaces,
            places,
            place_numbers,
            accounts: Vec::new(),
            account_numbers: FxHashMap::default(),
            accounts_by_name: FxHashMap::default(),
            users: Vec::new(),
            groups: Vec::new(),
            masters: policy.names.lookup(SYSTEM_MASTERS),
            pods: Vec::new(),
            pods_by_name: FxHashMap::default(),
            nodes: Vec::new(),
            node_numbers: FxHashMap::default(),
            pods_on: Vec::new(),
            on_every_node: Vec::new(),
            tokens_by_name: FxHashMap::default(),
            workloads_by_name: FxHashMap::default(),
            aws_auth,
            answers: checks::of_roles(graph, cluster.version(), installed),
            cluster_roles: Vec::new(),
            missing_cluster_roles: Vec::new(),
            everything: Vec::new(),
            aggregated: Vec::new(),
            cluster_bindings: Vec::new(),
            role_of_binding: Vec::new(),
            places_of_role: FxHashMap::default(),
            bound_roles: Vec::new(),
            unloaded: Vec::new(),
            unloaded_numbers: FxHashMap::default(),
            access_policies: FxHashSet::default(),
            common: FxHashSet::default(),
            lets_privileged_somewhere: false,
            made: Made::default(),
            outside: Outside::default(),
            installed,
            tells_installed,
            asked: Asked::default(),
        };
        world.made.is_needed =
            world.answers.iter().any(|own| (own.any | own.named_bits) & ACTS != 0 && !own.is_everything());
        world.levels(policy);
        world.lets_privileged_somewhere = world.spaces.iter().any(|space| space.lets_privileged);
        world.find_accounts(policy);
        world.find_named(policy);
        world.find_pods(policy);
        world.find_tokens(policy);
        world.find_roles(graph);
        let accounts: Vec<(&str, &str)> =
            world.accounts.iter().map(|own| (own.namespace, own.name)).collect();
        world.outside = Outside::new(cluster, &accounts);
        world
    }

    /// The checks about custom resources of which some are there, and whether the inputs tell that others are not.
    fn installed(cluster: &Cluster) -> (Bits, bool) {
        let catalogue = cluster.catalogue();
        let is_known = |(group, plural): &(&str, &str)| catalogue.find(group, plural).is_some();
        let tells = cluster.completeness() == Completeness::Complete
            && catalogue.iter().any(|own| own.from_crd.is_some());
        let asked = |check: &Check| check.asked(cluster.version()).1.iter().any(is_known);
        let all = Check::ALL.into_iter().filter(asked);
        (all.fold(0, |bits, check| bits | check.bit()), tells)
    }

    /// Whether custom resources of a check may be there.
    pub(super) fn is_installed(&self, check: Check) -> bool {
        self.installed & check.bit() != 0 || !self.tells_installed
    }

    /// What a role that says everything answers: nothing of custom resources of which nobody knows that they are there.
    pub(super) fn all_checks(&self) -> Bits {
        checks::ALL & !(checks::CUSTOM & !self.installed)
    }

    pub(super) fn policy(&self) -> &'c Policy {
        self.cluster.graph().policy()
    }

    /// The place of a namespace; [`CLUSTER`] if it does not exist.
    pub(super) fn place(&self, namespace: Name) -> Place {
        self.place_numbers.get(&namespace).copied().unwrap_or(CLUSTER)
    }

    pub(super) fn space(&self, place: Place) -> Option<&Space> {
        self.spaces.get(place.checked_sub(FIRST)? as usize)
    }

    /// The places of a scope: one, or for a pattern of an access policy every namespace that fits.
    pub(super) fn places_of(&self, scope: Scope) -> Vec<Place> {
        let namespace = match scope {
            Scope::Cluster => return vec![CLUSTER],
            Scope::Namespace(namespace) => self.policy().names.text(namespace),
        };
        if is_pattern(namespace) {
            let all = self.every().zip(&self.namespaces);
            return all
                .filter(|(_, name)| pattern_matches(namespace, name))
                .map(|(place, _)| place)
                .collect();
        }
        self.places.get(namespace).copied().into_iter().collect()
    }

    fn space_mut(&mut self, place: Place) -> Option<&mut Space> {
        self.spaces.get_mut(place.checked_sub(FIRST)? as usize)
    }

    /// The name of a namespace; empty for the cluster.
    pub(super) fn namespace(&self, place: Place) -> &'c str {
        let index = place.checked_sub(FIRST).map(|index| index as usize);
        index.and_then(|index| self.namespaces.get(index)).copied().unwrap_or("")
    }

    /// The username of a node; `UNKNOWN` if nothing names it.
    pub(super) fn node_user(&self, node: u32) -> Name {
        let names = &self.policy().names;
        let node = self.nodes.get(node as usize);
        node.map_or(Name::UNKNOWN, |node| names.lookup(&format!("{NODE_USER}{}", names.text(*node))))
    }

    /// The places of all namespaces.
    pub(super) fn every(&self) -> std::ops::Range<Place> {
        FIRST..FIRST + position(self.spaces.len())
    }

    /// What Pod Security lets in; nothing is certain of a namespace that is not loaded.
    fn levels(&mut self, policy: &'c Policy) {
        for (name, _) in &policy.namespaces {
            let place = self.place(*name);
            if let Some(space) = self.space_mut(place) {
                space.is_loaded = true;
                (space.lets_privileged, space.lets_root) = (true, true);
            }
        }
        for settings in &policy.inventory.namespaces {
            let place = self.place(settings.name);
            let enforce = policy.names.text(settings.enforce);
            if let Some(space) = self.space_mut(place) {
                space.lets_privileged = matches!(enforce, "" | "privileged");
                space.lets_root = matches!(enforce, "" | "privileged" | "baseline");
            }
        }
    }

    fn find_roles(&mut self, graph: &'c RbacGraph) {
        let policy = graph.policy();
        let by_policies = graph.bindings().filter(|own| own.binding.authorizer() != Authorizer::Rbac);
        self.access_policies = by_policies.filter_map(|own| own.role_number().map(position)).collect();
        for (role, number) in policy.roles.iter().zip(0..) {
            match role.scope {
                Scope::Cluster if self.access_policies.contains(&number) => {}
                Scope::Cluster => {
                    self.cluster_roles.push(number);
                    if role.aggregation.is_some() {
                        self.aggregated.push(number);
                    }
                    if self.answers.get(number as usize).is_some_and(Answers::is_everything) {
                        self.everything.push(number);
                    }
                }
                Scope::Namespace(namespace) => {
                    let place = self.place(namespace);
                    if let Some(space) = self.space_mut(place) {
                        space.roles.push(number);
                    }
                }
            }
        }
        let by_name =
            |number: &u32| policy.roles.get(*number as usize).map_or("", |role| policy.names.text(role.name));
        self.cluster_roles.sort_by_key(by_name);
        self.everything.sort_by_key(by_name);
        for space in &mut self.spaces {
            space.roles.sort_by_key(by_name);
        }
        for (applied, number) in graph.bindings().zip(0u32..) {
            let binding = applied.binding;
            let place = match binding.scope {
                Scope::Cluster => CLUSTER,
                Scope::Namespace(namespace) => self.place(namespace),
            };
            let role = match applied.role_number() {
                Some(role) => position(role),
                None => self.unloaded(binding.role_scope(), binding.role_ref.name),
            };
            self.role_of_binding.push(role);
            if binding.authorizer() != Authorizer::Rbac {
                continue;
            }
            let is_personal =
                self.answers(role).is_some_and(|own| (own.any | own.named_bits) & PERSONAL != 0);
            match self.space_mut(place) {
                Some(space) => {
                    space.bindings.push(number);
                    space.personal_bindings.extend(is_personal.then_some(number));
                    self.places_of_role.entry(role).or_default().push(place);
                }
                None => self.cluster_bindings.push(number),
            }
        }
        self.bound_roles = self.places_of_role.keys().copied().collect();
        self.bound_roles.sort_unstable();
        let everybody = policy.names.lookup(SYSTEM_AUTHENTICATED);
        for applied in graph.bindings_of(Principal::Group(everybody), Scope::Cluster) {
            self.common.extend(applied.role_number().map(position));
        }
    }

    /// The number of a role that is not loaded.
    fn unloaded(&mut self, scope: Scope, name: Name) -> u32 {
        self.unloaded_at(self.place_of(scope), name)
    }

    /// The number of a role that is not loaded and that some binding or step names.
    pub(super) fn unloaded_number(&self, scope: Scope, name: Name) -> Option<u32> {
        self.unloaded_numbers.get(&(scope, name, self.place_of(scope))).copied()
    }

    /// The number of a role of a name that is not loaded in a place.
    pub(super) fn unloaded_at(&mut self, place: Place, name: Name) -> u32 {
        let scope = match place {
            CLUSTER => Scope::Cluster,
            place => Scope::Namespace(self.policy().names.lookup(self.namespace(place))),
        };
        let next = position(self.answers.len() + self.unloaded.len());
        let number = *self.unloaded_numbers.entry((scope, name, place)).or_insert(next);
        if number != next {
            return number;
        }
        self.unloaded.push((scope, name, place));
        match self.space_mut(place) {
            Some(space) => space.missing.push(number),
            None => self.missing_cluster_roles.push(number),
        }
        number
    }

    fn place_of(&self, scope: Scope) -> Place {
        match scope {
            Scope::Cluster => CLUSTER,
            Scope::Namespace(namespace) => self.place(namespace),
        }
    }

    /// Scope and name of a role.
    pub(super) fn role(&self, number: u32) -> Option<(Scope, Name)> {
        let loaded = self.policy().roles.get(number as usize).map(|role| (role.scope, role.name));
        let unloaded = || self.unloaded.get((number as usize).checked_sub(self.answers.len())?);
        loaded.or_else(|| unloaded().map(|own| (own.0, own.1)))
    }

    /// Where a role is: its namespace, or the cluster.
    pub(super) fn home(&self, number: u32) -> Place {
        match self.policy().roles.get(number as usize) {
            Some(role) => self.place_of(role.scope),
            None => self.unloaded.get(number as usize - self.answers.len()).map_or(CLUSTER, |own| own.2),
        }
    }

    /// What a role answers as it is loaded: nothing where it is not.
    pub(super) fn answers(&self, role: u32) -> Option<&Answers> {
        self.answers.get(role as usize).or_else(|| self.made.answers(role))
    }

    pub(super) fn says_everything(&self, role: u32) -> bool {
        self.answers(role).is_some_and(Answers::is_everything)
    }

    pub(super) fn says_something(&self, role: u32) -> bool {
        self.answers(role).is_some_and(|answers| answers.says_something)
    }

    pub(super) fn binding(&self, number: u32) -> Option<&'c Binding> {
        self.policy().bindings.get(number as usize)
    }

    /// `ClusterRole edit cluster-wide`, `Role x in NS`.
    pub(super) fn show_role(&self, role: u32, place: Place) -> String {
        let Some((scope, name)) = self.role(role) else { return String::new() };
        let kind = if scope == Scope::Cluster { RoleKind::ClusterRole } else { RoleKind::Role };
        let name = if name == Name::UNKNOWN { "of a new name" } else { self.policy().names.text(name) };
        if place == CLUSTER {
            format!("{} {name} cluster-wide", kind.as_str())
        } else {
            format!("{} {name} in {}", kind.as_str(), self.namespace(place))
        }
    }
}
