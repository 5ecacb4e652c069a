//! What access leads to: everything that somebody can become, step by step, for certain.

use crate::decide::cluster::{Cluster, Who};
use crate::decide::graph::Principal;
use crate::model::attributes::Attributes;
use crate::model::rbac::Role;
use crate::model::user::{SYSTEM_AUTHENTICATED, SYSTEM_SERVICE_ACCOUNTS, UserInfo, split_service_account};
use crate::model::workload::WorkloadKind;

mod behind;
pub(crate) mod checks;
mod closure;
mod goals;
mod grounds;
mod identities;
mod listing;
mod outside;
mod overview;
mod restricted;
mod starts;
mod step;
mod tell;
mod world;

pub use closure::Round;
use closure::{Closure, Fact, Start, Told};
pub use goals::Gets;
use identities::{Identities, Other, Username};
pub use outside::Condition;
pub use overview::Overview;
use overview::Overviews;
use restricted::Whom;
use rustc_hash::FxHashMap;
pub use starts::starts;
pub use step::{Step, Steps};
pub use tell::{Ground, Hop, Possible, Target, Traced};
use world::{EVERY, Place, World};

/// Somebody whose ways are looked for.
#[derive(Clone, Debug)]
pub struct From {
    /// As printed: `IAM ARN`, `ServiceAccount NS/NAME`, `User NAME`, `Group NAME`.
    pub title: String,
    /// The user, as far as it is certain; `None` if nobody can log in.
    pub user: Option<UserInfo>,
}

impl From {
    /// A service account.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let title = format!("ServiceAccount {namespace}/{name}");
        Self { title, user: Some(UserInfo::service_account(namespace, name)) }
    }

    /// A user known by its name alone.
    pub fn user(name: &str) -> Self {
        let user = UserInfo::authenticated(name, std::iter::empty::<String>());
        Self { title: format!("User {name}"), user: Some(user) }
    }

    /// A member of a group, known by nothing else.
    pub fn group(name: &str) -> Self {
        let mut groups = vec![name];
        if name.strip_prefix(SYSTEM_SERVICE_ACCOUNTS).is_some_and(|rest| rest.starts_with(':')) {
            groups.push(SYSTEM_SERVICE_ACCOUNTS);
        }
        Self { title: format!("Group {name}"), user: Some(UserInfo::authenticated("", groups)) }
    }

    /// An IAM identity.
    pub fn iam(arn: &str, who: &Who) -> Self {
        Self { title: format!("IAM {arn}"), user: who.certain() }
    }

    /// A Kubernetes user with groups.
    pub fn who(user: &UserInfo) -> Self {
        let groups: Vec<&str> =
            user.groups.iter().map(String::as_str).filter(|group| *group != SYSTEM_AUTHENTICATED).collect();
        if let Some((namespace, name)) = split_service_account(&user.username)
            && *user == UserInfo::service_account(namespace, name)
        {
            return Self::service_account(namespace, name);
        }
        let mut title = format!("User {}", user.username);
        for group in groups {
            title.push_str(" + ");
            title.push_str(group);
        }
        Self { title, user: Some(user.clone()) }
    }
}

/// Something that is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// As printed: `ServiceAccount NS/NAME`, `User NAME + GROUP`, `node NAME`, `namespace-admin NS`, `cluster-admin`.
    pub identity: String,
    /// After how many rounds.
    pub depth: Round,
    /// All kinds of steps by which it is reached in that round.
    pub last: Steps,
    of: Of,
}

/// What a reach is, by number.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Of {
    Fact(Fact),
    Everything(Place),
    /// A sink that is a right.
    Right(&'static str),
}

/// What a reach gives to whoever gets there.
#[derive(Clone, Debug)]
pub enum Gain<'c> {
    /// It acts as this user.
    User(UserInfo),
    /// It may do everything in a namespace, or with an empty name in the cluster.
    Everything(String),
    /// It holds a role in a namespace, or with an empty name in the cluster.
    Role(&'c Role, String),
}

/// The sinks, in order of name.
pub const SINKS: [&str; 5] =
    ["cluster-admin", "edit-aws-auth", "exec-everywhere", "node", "read-all-secrets"];

/// Everything that is reached from one start.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Identities and powers, by depth and name.
    pub reached: Vec<Reach>,
    /// Roles gained by bindings, by depth and name.
    pub roles: Vec<Reach>,
    /// Whether it is cluster-admin.
    pub admin: bool,
    /// The sinks in order of name, each with its depth.
    pub sinks: Vec<(&'static str, Option<Round>)>,
}

impl Paths {
    /// Whether nothing is reached.
    pub fn is_empty(&self) -> bool {
        self.reached.is_empty()
            && self.roles.is_empty()
            && self.sinks.iter().all(|(_, depth)| depth.is_none())
    }
}

/// The search for paths in a cluster.
#[derive(Clone, Debug)]
pub struct Search<'c> {
    world: World<'c>,
    identities: Identities,
    /// What starts reach, as far as it was asked.
    overviews: Overviews,
    /// Of the ARN that was asked about last, whether whoever is cluster-admin gets there.
    admin_gets: Option<(String, Gets)>,
}

impl<'c> Search<'c> {
    /// Prepares a search.
    pub fn new(cluster: &'c Cluster) -> Self {
        Self {
            world: World::new(cluster),
            identities: Identities::default(),
            overviews: Overviews::default(),
            admin_gets: None,
        }
    }

    /// A search as in a large cluster: it finds the same identities in the same rounds.
    pub fn of_large(cluster: &'c Cluster) -> Self {
        let mut search = Self::new(cluster);
        search.world.is_thorough = false;
        search
    }

    /// Where a search begins; `None` if nobody can log in, and nothing is known of the ARN.
    fn start(&mut self, from: &From) -> Option<Start> {
        let arn = from.title.strip_prefix("IAM ");
        let iam = arn.and_then(|arn| self.world.outside.find(self.world.cluster, arn));
        let Some(user) = from.user.as_ref() else {
            let class = self.identities.class_of(&self.world, &[]);
            return iam.map(|_| Start { class, fact: None, is_master: false, iam, is_user: false });
        };
        let asker = self.world.cluster.graph().asker(user);
        let class = self.identities.class_of(&self.world, asker.principals());
        let fact = self.fact_of(user);
        Some(Start { class, fact, is_master: asker.is_master, iam, is_user: true })
    }

    /// The namespaces that certainly let privileged pods in.
    pub fn namespaces_for_privileged_pods(&self) -> Vec<String> {
        let spaces = self.world.namespaces.iter().zip(&self.world.spaces);
        spaces.filter(|(_, space)| space.lets_privileged).map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The service accounts that are IAM roles, with the ARNs of these.
    pub fn accounts_with_roles(&self) -> Vec<(From, Vec<String>)> {
        let outside = &self.world.outside;
        let mut numbers: Vec<u32> = outside.of_account.keys().copied().collect();
        numbers.sort_unstable();
        let mut found = Vec::new();
        for number in numbers {
            let Some(account) = self.world.accounts.get(number as usize) else { continue };
            let edges = outside.of_account.get(&number).into_iter().flatten();
            let arns = edges.filter_map(|edge| outside.arns.get(edge.to as usize));
            let mut arns: Vec<String> = arns.map(|arn| arn.text.clone()).collect();
            arns.sort_unstable();
            arns.dedup();
            found.push((From::service_account(account.namespace, account.name), arns));
        }
        found
    }

    /// The nodes that pods name, each with the service accounts whose tokens lie on it; of nodes with the same ones the
    /// first.
    pub fn nodes(&self) -> Vec<(String, Vec<From>)> {
        let world = &self.world;
        let on_all = world.pods.iter().filter(|pod| pod.workload.kind == WorkloadKind::DaemonSet);
        let on_all: Vec<u32> = on_all.filter(|pod| pod.has_token).map(|pod| pod.account).collect();
        let mut known: FxHashMap<Vec<u32>, String> = FxHashMap::default();
        for (node, pods) in world.nodes.iter().zip(&world.pods_on) {
            let pods = pods.iter().filter_map(|pod| world.pods.get(*pod as usize));
            let own = pods.filter(|pod| pod.has_token).map(|pod| pod.account);
            let mut accounts: Vec<u32> = own.chain(on_all.iter().copied()).collect();
            accounts.sort_unstable();
            accounts.dedup();
            let name = world.policy().names.text(*node).to_owned();
            let first = known.entry(accounts).or_insert_with(|| name.clone());
            if name < *first {
                *first = name;
            }
        }
        let start = |number: &u32| {
            let account = world.accounts.get(*number as usize)?;
            Some(From::service_account(account.namespace, account.name))
        };
        let mut found: Vec<(String, Vec<From>)> = known
            .into_iter()
            .map(|(accounts, node)| (node, accounts.iter().filter_map(start).collect()))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// IAM users and roles that nothing maps, and that may become somebody who is mapped: starts besides [`starts`].
    pub fn iam_starts(&self) -> Vec<From> {
        let leads =
            |arn: &&outside::Arn| arn.login.is_none() && !(arn.edges.is_empty() && arn.powers.is_empty());
        let mut texts: Vec<&str> =
            self.world.outside.arns.iter().filter(leads).map(|arn| arn.text.as_str()).collect();
        texts.sort_unstable();
        texts.into_iter().map(|text| From { title: format!("IAM {text}"), user: None }).collect()
    }

    /// The fact that a user is, if it is one that can be reached.
    fn fact_of(&mut self, user: &UserInfo) -> Option<Fact> {
        let names = &self.world.policy().names;
        let account = split_service_account(&user.username)
            .and_then(|key| self.world.account_numbers.get(&key).copied());
        if let Some((namespace, name)) = split_service_account(&user.username)
            && *user == UserInfo::service_account(namespace, name)
        {
            return account.map(Fact::Account);
        }
        // Whoever has access policies is more than the username and the groups.
        let has_policies = user.caller.as_deref().map(|caller| Principal::Caller(names.lookup(caller)));
        if user.username.is_empty()
            || has_policies.is_some_and(|own| self.world.cluster.graph().is_bound(own))
        {
            return None;
        }
        let username = match account {
            Some(account) => Username::Account(account),
            None => {
                Username::User(Some(names.lookup(&user.username)).filter(|name| name.index() < names.len())?)
            }
        };
        let mut groups: Vec<&str> =
            user.groups.iter().map(String::as_str).filter(|group| *group != SYSTEM_AUTHENTICATED).collect();
        groups.sort_unstable();
        groups.dedup();
        let groups: Option<Vec<_>> = groups
            .into_iter()
            .map(|group| Some(names.lookup(group)).filter(|name| name.index() < names.len()))
            .collect();
        let other = Other { username, groups: self.identities.groups(&groups?) };
        Some(Fact::Other(self.identities.other(&self.world, &other)))
    }

    /// Everything that somebody can become, in at most so many steps.
    pub fn paths(&mut self, from: &From, most: Option<Round>) -> Paths {
        let Some(start) = self.start(from) else { return nothing() };
        let (world, identities) = (&mut self.world, &mut self.identities);
        let closure = Closure::run(world, identities, start, most, Told::Reached, false);
        self.report(&closure)
    }

    /// Everything that somebody can become, ready to be told step by step.
    pub fn traced<'s>(&'s mut self, from: &From, most: Option<Round>) -> Traced<'s, 'c> {
        self.told(from, most, (Told::Ways, false), None)
    }

    /// The same with what uncertain steps may add; those that they add are in [`Traced::possible`].
    pub fn traced_with_possible<'s>(&'s mut self, from: &From, most: Option<Round>) -> Traced<'s, 'c> {
        self.told(from, most, (Told::Ways, true), None)
    }

    /// The same where only the way to one thing is asked for. In a large cluster the search ends there: what is reached
    /// besides is not whole, and of several steps that reach it at last only those that go before the others are known.
    pub fn traced_to<'s>(&'s mut self, from: &From, target: &Target, most: Option<Round>) -> Traced<'s, 'c> {
        let goal = self.goal(target).filter(|_| !self.world.is_thorough);
        // What becomes of sinks that are reached later is no part of the search.
        let certain = most.unwrap_or(closure::NEVER - 1);
        let overview = goal.map(|_| self.overview(from, Some(certain)));
        let admin_gets = self.what_admin_gets(target);
        let told = goal.map_or(Told::Ways, Told::WayTo);
        let mut traced = self.told(from, most, (told, true), Some(target));
        traced.admin_gets = admin_gets;
        if let Some(overview) = overview {
            traced.paths.admin = overview.depth("cluster-admin").is_some();
            traced.paths.sinks = overview.sinks;
        }
        traced
    }

    fn told<'s>(
        &'s mut self,
        from: &From,
        most: Option<Round>,
        (told, is_possible): (Told, bool),
        only: Option<&Target>,
    ) -> Traced<'s, 'c> {
        let start = self.start(from);
        let (world, identities) = (&mut self.world, &mut self.identities);
        // Uncertain steps come after all certain ones: how many a way has is counted when it is known.
        let bound = most.filter(|_| !is_possible);
        let closure = start.map(|start| Closure::run(world, identities, start, bound, told, is_possible));
        let (mut paths, beyond) = match &closure {
            Some(closure) => self.report_all(closure),
            None => (nothing(), Vec::new()),
        };
        if let Some(most) = most {
            paths.cut(most);
        }
        let admin_gets = Gets::Certainly(0);
        let (from, possible) = (from.clone(), Vec::new());
        let mut traced = Traced { search: self, closure, from, paths, possible, admin_gets };
        let wanted = |reach: &Reach| only.is_none_or(|only| traced.could_be(only, reach));
        let beyond = beyond.into_iter().filter(wanted).collect();
        traced.find_possible(beyond, most);
        traced
    }

    /// What a reach gives; `None` for a node and for an IAM role, which are no users of the cluster.
    pub fn gain(&self, reach: &Reach) -> Option<Gain<'c>> {
        match reach.of {
            Of::Everything(place) => Some(Gain::Everything(self.world.namespace(place).to_owned())),
            Of::Fact(Fact::ClusterAdmin) => Some(Gain::Everything(String::new())),
            Of::Fact(Fact::Grant(pair)) => {
                let (role, place) = self.identities.pair_at(pair);
                let role = self.world.policy().roles.get(role as usize)?;
                // What is bound in every namespace is listed namespace by namespace.
                let namespace = match place {
                    EVERY => reach.identity.rsplit_once(" in ").map_or("", |(_, own)| own),
                    place => self.world.namespace(place),
                };
                Some(Gain::Role(role, namespace.to_owned()))
            }
            // Who acts as another for chosen requests is not that other.
            Of::Fact(fact) if self.is_restricted(fact) => None,
            Of::Fact(fact) => self.user_of(fact).map(Gain::User),
            Of::Right(_) => None,
        }
    }

    /// Whether a role allows a request, wherever it holds.
    pub fn role_allows(&self, role: &Role, attributes: &Attributes<'_>) -> bool {
        let graph = self.world.cluster.graph();
        let policy = graph.policy();
        let request = graph.lexicon.request(&policy.names, attributes);
        graph.rules_in_force(role).any(|rule| graph.lexicon.allows(policy, rule.placed.rule, &request))
    }

    /// The user that a fact is.
    fn user_of(&self, fact: Fact) -> Option<UserInfo> {
        let account = |number: u32| self.world.accounts.get(number as usize);
        match fact {
            Fact::Account(number) => {
                account(number).map(|own| UserInfo::service_account(own.namespace, own.name))
            }
            Fact::Other(number) => {
                let (other, _) = self.identities.others.get(number as usize)?;
                let names = &self.world.policy().names;
                let username = match other.username {
                    Username::User(name) => names.text(name).to_owned(),
                    Username::Node(node) => self.node_username(node),
                    Username::Restricted(number) => {
                        return match self.identities.restricted.get(number as usize)?.of {
                            Whom::Account(account) => self.user_of(Fact::Account(account)),
                            Whom::Identity(other) => self.user_of(Fact::Other(other)),
                        };
                    }
                    Username::Account(number) => account(number)
                        .map(|own| UserInfo::service_account(own.namespace, own.name).username)?,
                };
                let groups = self.identities.groups_of(other.groups).iter().map(|group| names.text(*group));
                Some(UserInfo::authenticated(&username, groups))
            }
            Fact::Login(number) => self.world.outside.arns.get(number as usize)?.login.as_ref()?.certain(),
            _ => None,
        }
    }
}

impl Paths {
    /// Leaves out what takes more steps.
    fn cut(&mut self, most: Round) {
        self.reached.retain(|reach| reach.depth <= most);
        self.roles.retain(|reach| reach.depth <= most);
        for (sink, depth) in &mut self.sinks {
            *depth = depth.filter(|depth| *depth <= most);
            self.admin = self.admin && (*sink != "cluster-admin" || depth.is_some());
        }
    }
}

fn nothing() -> Paths {
    Paths {
        reached: Vec::new(),
        roles: Vec::new(),
        admin: false,
        sinks: SINKS.into_iter().map(|name| (name, None)).collect(),
    }
}
