//! The RBAC objects, in the API's words: policy rules, roles, bindings, subjects.
//!
//! Only what the API server would store can be held here: a ClusterRoleBinding cannot name a Role, a subject
//! of unknown kind does not exist. Names are interned; equal policy rules are stored once.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::model::names::Name;
use crate::model::source::Source;

/// Where a role or binding holds: the whole cluster, or one namespace.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// ClusterRole and ClusterRoleBinding.
    Cluster,
    /// Role and RoleBinding.
    Namespace(Name),
}

impl Scope {
    /// The namespace as a name; empty for the cluster.
    pub fn namespace(self) -> Name {
        match self {
            Self::Cluster => Name::EMPTY,
            Self::Namespace(name) => name,
        }
    }
}

/// Who decides: each authorizer may allow, none denies.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authorizer {
    /// Kubernetes RBAC: Roles and ClusterRoles, by bindings.
    Rbac,
    /// EKS: access policies, by their associations with access entries.
    AccessPolicy,
}

/// The kind of what a binding grants.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleKind {
    /// A Role of the binding's own namespace.
    Role,
    /// A ClusterRole.
    ClusterRole,
    /// An access policy of EKS, by its ARN: rules that AWS publishes, held as a role of the cluster.
    AccessPolicy,
}

impl RoleKind {
    /// The kind as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
            Self::AccessPolicy => "access policy",
        }
    }
}

/// The role that a binding grants.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleRef {
    /// Role or ClusterRole.
    pub kind: RoleKind,
    /// Its name.
    pub name: Name,
}

/// A subject of a binding.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user, by username.
    User(Name),
    /// A group, by name.
    Group(Name),
    /// A service account; the namespace is never empty.
    ServiceAccount {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        name: Name,
    },
    /// An IAM principal, by its canonical ARN: only associations of access policies name one.
    Caller(Name),
}

impl Subject {
    /// The names that it spells.
    pub(crate) fn names(self) -> impl Iterator<Item = Name> {
        let (namespace, name) = match self {
            Self::User(name) | Self::Group(name) | Self::Caller(name) => (None, name),
            Self::ServiceAccount { namespace, name } => (Some(namespace), name),
        };
        namespace.into_iter().chain([name])
    }
}

/// A subject where it stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PlacedSubject {
    /// The subject.
    pub subject: Subject,
    /// The line in the binding's file.
    pub line: u32,
}

/// A policy rule, by its number in [`Rules`]: equal numbers mean equal lists in equal order.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(crate) u32);

impl RuleId {
    /// The number, for indexing side tables.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A policy rule where it stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PlacedRule {
    /// The rule.
    pub rule: RuleId,
    /// The line in the role's file.
    pub line: u32,
}

/// A policy rule: `verbs` on `api_groups`/`resources` (limited to `resource_names`, if any), or on
/// `non_resource_urls`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct PolicyRule<'p> {
    /// The verbs.
    pub verbs: &'p [Name],
    /// The API groups.
    pub api_groups: &'p [Name],
    /// The resources, as written: `pods`, `pods/log`, `*/scale`, `*`.
    pub resources: &'p [Name],
    /// The names of objects that the rule is limited to; empty for any.
    pub resource_names: &'p [Name],
    /// The URLs, as written.
    pub non_resource_urls: &'p [Name],
}

impl<'p> PolicyRule<'p> {
    /// The names that it spells.
    pub(crate) fn names(self) -> impl Iterator<Item = Name> + use<'p> {
        self.lists().into_iter().flatten().copied()
    }

    fn lists(&self) -> [&'p [Name]; 5] {
        [self.verbs, self.api_groups, self.resources, self.resource_names, self.non_resource_urls]
    }
}

fn hash_rule(rule: &PolicyRule<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    rule.hash(&mut hasher);
    hasher.finish()
}

/// All policy rules, each distinct one stored once.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pool: Vec<Name>,
    /// Per rule where its five lists begin in the pool, and where the last ends.
    bounds: Vec<[u32; 6]>,
    table: HashTable<u32>,
}

fn rule_at<'p>(pool: &'p [Name], bounds: &[[u32; 6]], index: u32) -> PolicyRule<'p> {
    let [a, b, c, d, e, f] = bounds.get(index as usize).copied().unwrap_or_default();
    let list = |from: u32, to: u32| pool.get(from as usize..to as usize).unwrap_or(&[]);
    PolicyRule {
        verbs: list(a, b),
        api_groups: list(b, c),
        resources: list(c, d),
        resource_names: list(d, e),
        non_resource_urls: list(e, f),
    }
}

impl Rules {
    /// The number of a rule, stored now if no equal one was.
    pub fn intern(&mut self, rule: &PolicyRule<'_>) -> RuleId {
        let hash = hash_rule(rule);
        let Self { pool, bounds, table } = self;
        if let Some(found) = table.find(hash, |index| rule_at(pool, bounds, *index) == *rule) {
            return RuleId(*found);
        }
        let index = u32::try_from(bounds.len()).unwrap_or(u32::MAX);
        let mut bound = [0; 6];
        let mut slots = bound.iter_mut();
        let position = |pool: &Vec<Name>| u32::try_from(pool.len()).unwrap_or(u32::MAX);
        for list in rule.lists() {
            if let Some(slot) = slots.next() {
                *slot = position(pool);
            }
            pool.extend_from_slice(list);
        }
        if let Some(slot) = slots.next() {
            *slot = position(pool);
        }
        bounds.push(bound);
        table.insert_unique(hash, index, |index| hash_rule(&rule_at(pool, bounds, *index)));
        RuleId(index)
    }

    /// The number of a rule, if an equal one is stored.
    pub(crate) fn find(&self, rule: &PolicyRule<'_>) -> Option<RuleId> {
        let Self { pool, bounds, table } = self;
        table
            .find(hash_rule(rule), |index| rule_at(pool, bounds, *index) == *rule)
            .map(|index| RuleId(*index))
    }

    /// Makes room for so many rules more.
    pub(crate) fn reserve(&mut self, more: usize) {
        let Self { pool, bounds, table } = self;
        table.reserve(more, |index| hash_rule(&rule_at(pool, bounds, *index)));
        bounds.reserve(more);
    }

    /// Forgets all rules, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.pool.clear();
        self.bounds.clear();
        self.table.clear();
    }

    /// Interns all rules of others, whose names are found by their numbers there; gives, by their numbers there, the
    /// rules here.
    pub(crate) fn absorb(&mut self, others: &Self, names: &[Name], here: &mut Vec<RuleId>) {
        here.clear();
        let pool: Vec<Name> =
            others.pool.iter().map(|name| names.get(name.index()).copied().unwrap_or(*name)).collect();
        for index in 0..others.bounds.len() {
            let rule = rule_at(&pool, &others.bounds, u32::try_from(index).unwrap_or(u32::MAX));
            here.push(self.intern(&rule));
        }
    }

    /// The rule of a number.
    pub fn get(&self, rule: RuleId) -> PolicyRule<'_> {
        rule_at(&self.pool, &self.bounds, rule.0)
    }

    /// Forgets the rules that were interned since there were so many.
    pub(crate) fn forget_after(&mut self, count: usize) {
        self.table.retain(|index| (*index as usize) < count);
        self.bounds.truncate(count);
        self.pool.truncate(self.bounds.last().map_or(0, |[.., end]| *end as usize));
    }

    /// How many distinct rules there are.
    pub fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    /// Every distinct rule.
    pub fn iter(&self) -> impl Iterator<Item = (RuleId, PolicyRule<'_>)> {
        (0..u32::try_from(self.bounds.len()).unwrap_or(u32::MAX))
            .map(|index| (RuleId(index), self.get(RuleId(index))))
    }
}

/// A range of a pool.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// The same part of what was put behind so many others.
    pub(crate) fn behind(self, others: usize) -> Self {
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        Self { start: self.start + others, end: self.end + others }
    }

    /// The part of the pool.
    pub(crate) fn of<T>(self, pool: &[T]) -> &[T] {
        pool.get(self.start as usize..self.end as usize).unwrap_or(&[])
    }

    /// How many entries.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.end == self.start
    }
}

/// How a requirement of a label selector compares.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label has none of the values, or is not there.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

/// One requirement of a label selector; an entry of `matchLabels` is an `In` with one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The label's key.
    pub key: Name,
    /// How it compares.
    pub operator: Operator,
    /// The values of `In` and `NotIn`.
    pub values: Box<[Name]>,
}

/// A label selector: all its requirements must hold; none at all matches everything.
pub type Selector = Box<[Requirement]>;

/// A Role or ClusterRole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Cluster for a ClusterRole.
    pub scope: Scope,
    /// Its name.
    pub name: Name,
    /// Its rules, a part of the pool of placed rules.
    pub rules: Span,
    /// Where it stands.
    pub source: Source,
    /// Labels; kept only for ClusterRoles, the only objects whose labels are read.
    pub labels: Box<[(Name, Name)]>,
    /// The selectors of a ClusterRole's aggregationRule.
    pub aggregation: Option<Box<[Selector]>>,
}

impl Role {
    /// Role or ClusterRole.
    pub fn kind(&self) -> RoleKind {
        match self.scope {
            Scope::Cluster => RoleKind::ClusterRole,
            Scope::Namespace(_) => RoleKind::Role,
        }
    }
}

/// A RoleBinding or ClusterRoleBinding; or the association of an access policy, whose namespace may be a pattern with
/// `*` in it, as no real one can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Cluster for a ClusterRoleBinding.
    pub scope: Scope,
    /// Its name.
    pub name: Name,
    /// The role that it grants.
    pub role_ref: RoleRef,
    /// Its subjects, a part of the pool of placed subjects.
    pub subjects: Span,
    /// Where it stands.
    pub source: Source,
    /// The line of the roleRef.
    pub role_ref_line: u32,
}

impl Binding {
    /// The kind as the API spells it.
    pub fn kind(&self) -> &'static str {
        match (self.authorizer(), self.scope) {
            (Authorizer::AccessPolicy, _) => "access policy association",
            (Authorizer::Rbac, Scope::Cluster) => "ClusterRoleBinding",
            (Authorizer::Rbac, Scope::Namespace(_)) => "RoleBinding",
        }
    }

    /// The authorizer that reads it.
    pub fn authorizer(&self) -> Authorizer {
        match self.role_ref.kind {
            RoleKind::Role | RoleKind::ClusterRole => Authorizer::Rbac,
            RoleKind::AccessPolicy => Authorizer::AccessPolicy,
        }
    }

    /// Where the role is looked up: only a Role has a namespace, and it is the binding's.
    pub fn role_scope(&self) -> Scope {
        match self.role_ref.kind {
            RoleKind::ClusterRole | RoleKind::AccessPolicy => Scope::Cluster,
            RoleKind::Role => self.scope,
        }
    }
}
