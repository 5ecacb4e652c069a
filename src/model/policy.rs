//! Everything that was loaded: RBAC objects, identity mappings, API resources, and what to know about them.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::names::{Name, Names};
use crate::model::rbac::{
    Binding, PlacedRule, PlacedSubject, PolicyRule, Role, RoleKind, RoleRef, RuleId, Rules, Scope, Span,
    Subject,
};
use crate::model::source::{FileId, Shift, Source, Sources};
use crate::model::workload::{Inventory, InventoryMark};

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
    /// Bindings that the inputs define with several roleRefs, by scope, name and roleRef: the other roleRef, and where
    /// it stands. A roleRef cannot be changed, so the API server refuses whichever is applied second.
    pub(crate) contested: FxHashMap<(Scope, Name, RoleRef), (RoleRef, Source)>,
    /// What stands beside RBAC: workloads, Secrets by name, settings.
    pub inventory: Inventory,
    /// Roles that were taken out on purpose: they do not exist, also where the inputs are only a part of the cluster.
    pub(crate) removed_roles: FxHashSet<(Scope, Name)>,
    /// Why objects are not applied as they stand: of a policy that shows what they may be.
    pub(crate) forms: Vec<SourceForm>,
    /// The form of each such object, by its place.
    pub(crate) in_form: FxHashMap<Source, u32>,
    /// The pseudo file that the default roles and bindings of Kubernetes stand in, if they were added.
    pub builtin: Option<FileId>,
    /// The pseudo files that the access policies of EKS stand in.
    pub published: Vec<FileId>,
    /// The pseudo file that the roles and bindings of EKS stand in, if they were added.
    pub builtin_of_eks: Option<FileId>,
    /// Objects whose names are prefixes until [`Policy::absorb`] completes them.
    generated: Vec<Generated>,
    moved: Moved,
}

/// Why objects are not applied as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceForm {
    /// Where that is said which makes something else of them.
    pub source: Source,
    /// What it does and what tells the result: a sentence in lower case without a full stop, of which they are the
    /// object.
    pub sentence: String,
}

/// An object with `generateName`.
#[derive(Copy, Clone, Debug)]
struct Generated {
    is_binding: bool,
    index: usize,
    /// How many objects came before.
    objects_before: usize,
}

/// A name that no other object has: two objects with one prefix are two, as the server's names would be.
pub(crate) fn generated_name(prefix: &str, number: usize) -> String {
    format!("{prefix}<generated-{number}>")
}

/// Names and rules of a policy that is taken in, by their numbers there. Kept for their memory only.
#[derive(Clone, Debug, Default)]
struct Moved {
    names: Vec<Name>,
    rules: Vec<RuleId>,
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

    /// Why an object at a place is not applied as it stands; `None` for one that is.
    pub fn form_of(&self, source: Source) -> Option<&SourceForm> {
        self.in_form.get(&source).and_then(|form| self.forms.get(*form as usize))
    }

    /// Whether an object came with Kubernetes or EKS rather than from the inputs.
    pub fn is_builtin(&self, source: Source) -> bool {
        self.is_builtin_file(source.file)
    }

    /// Whether a role is an access policy of EKS, held as a role.
    pub fn is_access_policy(&self, role: &Role) -> bool {
        self.published.contains(&role.source.file)
    }

    /// Whether a file is none of the inputs, but stands for what came with Kubernetes or EKS.
    pub fn is_builtin_file(&self, file: FileId) -> bool {
        self.builtin == Some(file) || self.builtin_of_eks == Some(file) || self.published.contains(&file)
    }

    /// Forgets everything, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.sources.clear();
        self.rules.clear();
        self.roles.clear();
        self.bindings.clear();
        self.placed_rules.clear();
        self.placed_subjects.clear();
        self.service_accounts.clear();
        self.namespaces.clear();
        self.inventory.clear();
        self.generated.clear();
        self.contested.clear();
        self.removed_roles.clear();
    }

    /// The other roleRef with which the inputs define a binding too, and where that stands.
    pub(crate) fn contested_with(&self, binding: &Binding) -> Option<(RoleRef, Source)> {
        self.contested.get(&(binding.scope, binding.name, binding.role_ref)).copied()
    }

    /// Takes in all objects of a policy that was read apart, as if they had been read here. Its files must have a
    /// place among these already; of its objects nothing is left there.
    pub(crate) fn absorb(&mut self, other: &mut Self, shift: &Shift) {
        let Moved { names, rules } = &mut self.moved;
        self.names.absorb(&other.names, names);
        self.rules.absorb(&other.rules, names, rules);
        self.sources.append_paths(&mut other.sources, shift);
        let name = |name: Name| names.get(name.index()).copied().unwrap_or(name);
        let scope = |scope: Scope| match scope {
            Scope::Cluster => Scope::Cluster,
            Scope::Namespace(namespace) => Scope::Namespace(name(namespace)),
        };
        let (roles_before, bindings_before) = (self.roles.len(), self.bindings.len());
        let (rules_before, subjects_before) = (self.placed_rules.len(), self.placed_subjects.len());
        self.placed_rules.extend(other.placed_rules.drain(..).map(|placed| PlacedRule {
            rule: rules.get(placed.rule.index()).copied().unwrap_or(placed.rule),
            line: shift.line(placed.line),
        }));
        self.placed_subjects.extend(other.placed_subjects.drain(..).map(|placed| PlacedSubject {
            subject: match placed.subject {
                Subject::User(user) => Subject::User(name(user)),
                Subject::Group(group) => Subject::Group(name(group)),
                Subject::Caller(arn) => Subject::Caller(name(arn)),
                Subject::ServiceAccount { namespace, name: account } => {
                    Subject::ServiceAccount { namespace: name(namespace), name: name(account) }
                }
            },
            line: shift.line(placed.line),
        }));
        self.roles.extend(other.roles.drain(..).map(|mut role| {
            for (key, value) in &mut role.labels {
                (*key, *value) = (name(*key), name(*value));
            }
            for requirement in role.aggregation.iter_mut().flatten().flatten() {
                requirement.key = name(requirement.key);
                for value in &mut requirement.values {
                    *value = name(*value);
                }
            }
            let rules = role.rules.behind(rules_before);
            let source = shift.source(role.source);
            Role { scope: scope(role.scope), name: name(role.name), rules, source, ..role }
        }));
        self.bindings.extend(other.bindings.drain(..).map(|binding| Binding {
            scope: scope(binding.scope),
            name: name(binding.name),
            role_ref: RoleRef { name: name(binding.role_ref.name), ..binding.role_ref },
            subjects: binding.subjects.behind(subjects_before),
            source: shift.source(binding.source),
            role_ref_line: shift.line(binding.role_ref_line),
        }));
        self.service_accounts.extend(
            other
                .service_accounts
                .drain(..)
                .map(|(namespace, account, source)| (name(namespace), name(account), shift.source(source))),
        );
        self.namespaces.extend(
            other.namespaces.drain(..).map(|(namespace, source)| (name(namespace), shift.source(source))),
        );
        self.inventory.absorb(&mut other.inventory, &name, shift);
        for generated in other.generated.drain(..) {
            let number = roles_before + bindings_before + generated.objects_before;
            let place = if generated.is_binding {
                self.bindings.get_mut(bindings_before + generated.index).map(|binding| &mut binding.name)
            } else {
                self.roles.get_mut(roles_before + generated.index).map(|role| &mut role.name)
            };
            if let Some(place) = place {
                let complete = generated_name(self.names.text(*place), number);
                *place = self.names.intern(&complete);
            }
        }
    }

    /// Says that the object that is added next has a prefix for a name, for the API server to complete.
    pub(crate) fn next_is_generated(&mut self, is_binding: bool) {
        let objects_before = self.roles.len() + self.bindings.len();
        let index = if is_binding { self.bindings.len() } else { self.roles.len() };
        self.generated.push(Generated { is_binding, index, objects_before });
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
            inventory: self.inventory.mark(),
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
        self.inventory.go_back(mark.inventory);
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
                    role_refs: None,
                });
            }
        }
        remove(&mut self.roles, &dropped);
        self.contest(&mut superseded);
        // Of those that are left, one binding has several roleRefs only where nothing tells which of them counts.
        let keys = self.bindings.iter().map(|binding| (binding.scope, binding.name, binding.role_ref));
        let dropped = later_wins(keys);
        for (old, new) in &dropped {
            if let (Some(a), Some(b)) = (self.bindings.get(*old), self.bindings.get(*new)) {
                let (a_subjects, b_subjects) = (self.subjects_of(a), self.subjects_of(b));
                let same = a_subjects.len() == b_subjects.len()
                    && a_subjects.iter().zip(b_subjects).all(|(a, b)| a.subject == b.subject);
                if !same && !self.is_builtin(a.source) {
                    superseded.push(Superseded {
                        kind: a.kind(),
                        scope: a.scope,
                        name: a.name,
                        dropped: a.source,
                        kept: b.source,
                        role_refs: None,
                    });
                }
            }
        }
        remove(&mut self.bindings, &dropped);
        superseded
    }

    /// Finds the bindings that stand there with several roleRefs. What holds whichever is applied first stays a
    /// binding like any other: the narrowest of the roles that Kubernetes nests, for the same subjects.
    fn contest(&mut self, superseded: &mut Vec<Superseded>) {
        let mut last: FxHashMap<(Scope, Name), Vec<usize>> = FxHashMap::default();
        for (binding, index) in self.bindings.iter().zip(0..) {
            if binding.role_ref.kind != RoleKind::AccessPolicy && !self.is_builtin(binding.source) {
                last.entry((binding.scope, binding.name)).or_default().push(index);
            }
        }
        let mut all: Vec<Vec<usize>> = last.into_values().filter(|same| same.len() > 1).collect();
        all.sort_unstable();
        for same in all {
            // The last of each roleRef, in order: what an apply of the same roleRef leaves.
            let mut variants: Vec<&Binding> = Vec::new();
            for binding in same.iter().filter_map(|index| self.bindings.get(*index)) {
                variants.retain(|known| known.role_ref != binding.role_ref);
                variants.push(binding);
            }
            let [.., before, kept] = variants.as_slice() else { continue };
            superseded.push(Superseded {
                kind: kept.kind(),
                scope: kept.scope,
                name: kept.name,
                dropped: before.source,
                kept: kept.source,
                role_refs: Some((before.role_ref, kept.role_ref)),
            });
            let subjects = |binding: &Binding| {
                let mut own: Vec<Subject> =
                    self.subjects_of(binding).iter().map(|placed| placed.subject).collect();
                own.sort_unstable();
                own.dedup();
                own
            };
            let rank = |binding: &Binding| nested_rank(&self.names, binding.role_ref);
            let all_nested =
                variants.iter().all(|variant| rank(variant).is_some() && subjects(variant) == subjects(kept));
            let narrowest = variants.iter().filter(|_| all_nested).min_by_key(|variant| rank(variant));
            let certain = narrowest.map(|variant| variant.role_ref);
            let mut found = Vec::new();
            for variant in variants.iter().filter(|variant| Some(variant.role_ref) != certain) {
                let other = variants.iter().find(|other| other.role_ref != variant.role_ref);
                found.extend(other.map(|other| {
                    ((variant.scope, variant.name, variant.role_ref), (other.role_ref, other.source))
                }));
            }
            self.contested.extend(found);
        }
    }
}

/// The place of a default role among those that hold each other's rules, narrowest first.
fn nested_rank(names: &Names, role_ref: RoleRef) -> Option<usize> {
    let nested = ["view", "edit", "admin", "cluster-admin"];
    let rank = nested.iter().position(|name| *name == names.text(role_ref.name));
    rank.filter(|_| role_ref.kind == RoleKind::ClusterRole)
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
    inventory: InventoryMark,
}

/// An object that a later one of the same name replaced with something else.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Superseded {
    pub(crate) kind: &'static str,
    pub(crate) scope: Scope,
    pub(crate) name: Name,
    pub(crate) dropped: Source,
    pub(crate) kept: Source,
    /// The roleRefs, dropped and kept, where these differ: then neither replaces the other.
    pub(crate) role_refs: Option<(RoleRef, RoleRef)>,
}

fn later_wins<K: Eq + std::hash::Hash>(keys: impl Iterator<Item = K>) -> Vec<(usize, usize)> {
    let mut last: FxHashMap<K, usize> = FxHashMap::default();
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
