//! Everything that was loaded: RBAC objects, identity mappings, API resources, and what to know about them.

use rustc_hash::FxHashMap;

use crate::names::{Name, Names};
use crate::rbac::{Binding, PlacedRule, PlacedSubject, PolicyRule, Role, Rules, Scope, Span};
use crate::source::{FileId, Source, Sources};

/// The RBAC objects of a cluster, or of a part of one.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The texts of all names.
    pub names: Names,
    /// The input files.
    pub sources: Sources,
    /// All policy rules.
    pub rules: Rules,
    /// Roles and ClusterRoles.
    pub roles: Vec<Role>,
    /// RoleBindings and ClusterRoleBindings.
    pub bindings: Vec<Binding>,
    pub(crate) placed_rules: Vec<PlacedRule>,
    pub(crate) placed_subjects: Vec<PlacedSubject>,
    /// The ServiceAccounts of the inputs, as (namespace, name).
    pub service_accounts: Vec<(Name, Name, Source)>,
    /// The namespaces that the inputs declare.
    pub namespaces: Vec<(Name, Source)>,
    /// The pseudo file that the built-in roles and bindings stand in, if they were added.
    pub builtin: Option<FileId>,
}

impl Policy {
    /// The rules of a role where they stand. An aggregated role's are those written, not those in force.
    pub fn rules_of(&self, role: &Role) -> &[PlacedRule] {
        role.rules.of(&self.placed_rules)
    }

    /// The subjects of a binding.
    pub fn subjects_of(&self, binding: &Binding) -> &[PlacedSubject] {
        binding.subjects.of(&self.placed_subjects)
    }

    /// The rule that a placed rule stands for.
    pub fn rule(&self, placed: PlacedRule) -> PolicyRule<'_> {
        self.rules.get(placed.rule)
    }

    /// Whether an object came with Kubernetes rather than from the inputs.
    pub fn is_builtin(&self, source: Source) -> bool {
        self.builtin == Some(source.file)
    }

    pub(crate) fn add_rules(&mut self, rules: &[PlacedRule]) -> Span {
        let start = position(self.placed_rules.len());
        self.placed_rules.extend_from_slice(rules);
        Span { start, end: position(self.placed_rules.len()) }
    }

    pub(crate) fn add_subjects(&mut self, subjects: &[PlacedSubject]) -> Span {
        let start = position(self.placed_subjects.len());
        self.placed_subjects.extend_from_slice(subjects);
        Span { start, end: position(self.placed_subjects.len()) }
    }

    /// How much there is, to go back to.
    pub(crate) fn mark(&self) -> PolicyMark {
        PolicyMark {
            names: self.names.len(),
            sources: (self.sources.len(), self.sources.paths()),
            rules: self.rules.len(),
            roles: self.roles.len(),
            bindings: self.bindings.len(),
            placed_rules: self.placed_rules.len(),
            placed_subjects: self.placed_subjects.len(),
            service_accounts: self.service_accounts.len(),
            namespaces: self.namespaces.len(),
        }
    }

    /// Forgets what came after the mark.
    pub(crate) fn go_back(&mut self, mark: &PolicyMark) {
        self.names.forget_after(mark.names);
        self.sources.forget_after(mark.sources);
        self.rules.forget_after(mark.rules);
        self.roles.truncate(mark.roles);
        self.bindings.truncate(mark.bindings);
        self.placed_rules.truncate(mark.placed_rules);
        self.placed_subjects.truncate(mark.placed_subjects);
        self.service_accounts.truncate(mark.service_accounts);
        self.namespaces.truncate(mark.namespaces);
    }

    /// Keeps the last of several roles, and of several bindings, with the same scope and name, as
    /// `kubectl apply` of the files in order would have it. Gives the pairs (dropped, kept) that differ.
    pub(crate) fn keep_last(&mut self) -> Vec<Superseded> {
        let mut superseded = Vec::new();
        let same_role = |policy: &Self, a: &Role, b: &Role| {
            let (a_rules, b_rules) = (policy.rules_of(a), policy.rules_of(b));
            a.aggregation == b.aggregation
                && a.labels == b.labels
                && a_rules.len() == b_rules.len()
                && a_rules.iter().zip(b_rules).all(|(a, b)| a.rule == b.rule)
        };
        let dropped = later_wins(self.roles.iter().map(|role| (role.scope, role.name)));
        for (old, new) in &dropped {
            if let (Some(a), Some(b)) = (self.roles.get(*old), self.roles.get(*new))
                && !same_role(self, a, b)
                && !self.is_builtin(a.source)
            {
                superseded.push(Superseded {
                    kind: a.kind().as_str(),
                    scope: a.scope,
                    name: a.name,
                    dropped: a.source,
                    kept: b.source,
                });
            }
        }
        remove(&mut self.roles, &dropped);
        let dropped = later_wins(self.bindings.iter().map(|binding| (binding.scope, binding.name)));
        for (old, new) in &dropped {
            if let (Some(a), Some(b)) = (self.bindings.get(*old), self.bindings.get(*new)) {
                let (a_subjects, b_subjects) = (self.subjects_of(a), self.subjects_of(b));
                let same = a.role_ref == b.role_ref
                    && a_subjects.len() == b_subjects.len()
                    && a_subjects.iter().zip(b_subjects).all(|(a, b)| a.subject == b.subject);
                if !same && !self.is_builtin(a.source) {
                    superseded.push(Superseded {
                        kind: a.kind(),
                        scope: a.scope,
                        name: a.name,
                        dropped: a.source,
                        kept: b.source,
                    });
                }
            }
        }
        remove(&mut self.bindings, &dropped);
        superseded
    }
}

/// Whether what is not in the inputs does not exist.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// The inputs are everything, as an export of a cluster is: a missing role does not exist.
    Complete,
    /// The inputs are a part, as a Git tree is: a missing role may exist in the cluster.
    Partial,
}

/// How much a [`Policy`] held at a moment.
#[derive(Debug)]
pub(crate) struct PolicyMark {
    names: usize,
    sources: (usize, usize),
    rules: usize,
    roles: usize,
    bindings: usize,
    placed_rules: usize,
    placed_subjects: usize,
    service_accounts: usize,
    namespaces: usize,
}

/// An object that a later one of the same name replaced with something else.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Superseded {
    pub(crate) kind: &'static str,
    pub(crate) scope: Scope,
    pub(crate) name: Name,
    pub(crate) dropped: Source,
    pub(crate) kept: Source,
}

fn later_wins(keys: impl Iterator<Item = (Scope, Name)>) -> Vec<(usize, usize)> {
    let mut last: FxHashMap<(Scope, Name), usize> = FxHashMap::default();
    let mut dropped = Vec::new();
    for (index, key) in keys.enumerate() {
        if let Some(before) = last.insert(key, index) {
            dropped.push((before, index));
        }
    }
    dropped
}

fn remove<T>(list: &mut Vec<T>, dropped: &[(usize, usize)]) {
    if dropped.is_empty() {
        return;
    }
    let gone: rustc_hash::FxHashSet<usize> = dropped.iter().map(|(old, _)| *old).collect();
    let mut index = 0;
    list.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

pub(crate) fn position(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
