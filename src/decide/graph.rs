//! The graph: from subjects, by scope, to bindings, to roles, to rules. Built once, immutable, its own index.
//!
//! ```text
//! subject ──> subject in one scope ──> binding ──> role ──> rule
//!                                              └─> role that is not there
//! ```
//!
//! The vertices lie in that order backwards in one petgraph [`Csr`]: roles, missing roles, bindings, subjects in
//! a scope, subjects, rules. A subject's scopes lie side by side in order, so a decision costs a search among them
//! and the bindings that apply to this user in this namespace, and nothing else.

use petgraph::csr::Csr;
use rustc_hash::FxHashMap;

use crate::decide::evaluate::matches::Lexicon;
use crate::model::names::Name;
use crate::model::policy::{Policy, position};
use crate::model::rbac::{
    Binding, PlacedRule, PlacedSubject, PolicyRule, Role, RoleKind, RoleRef, RuleId, Scope, Subject,
};
use crate::model::source::Source;

mod aggregation;
mod index;

pub(crate) use aggregation::selects;
pub(crate) use index::Granted;
use index::Index;

/// What an authorizer compares: a username (of a user or service account alike) or a group.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A username; a service account's is `system:serviceaccount:NAMESPACE:NAME`.
    Username(Name),
    /// A group.
    Group(Name),
    /// The canonical ARN of an IAM principal that logged in itself: access policies name it, RBAC never does.
    Caller(Name),
}

/// Whether the namespace of an association is a pattern: no namespace has a `*` in its name.
pub(crate) fn is_pattern(namespace: &str) -> bool {
    namespace.contains('*')
}

/// A vertex of the graph, its number telling what else is known of it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Vertex {
    /// A role, by its number in [`Policy::roles`].
    Role(u32),
    /// A role that a binding names and nothing defines.
    Missing(RoleRef, Scope),
    /// The role of a binding that the inputs define with several roleRefs: which of them counts, nothing tells.
    Contested,
    /// A binding, by its number in [`Policy::bindings`].
    Binding(u32),
    /// A principal in one scope.
    Seat(Scope),
    /// A principal.
    Principal(Principal),
    /// A placed rule, by its number in the policy.
    Rule(u32),
    /// Never in a finished graph.
    #[default]
    None,
}

/// How an edge from a role to a rule came about.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Via {
    /// The rule stands in the role itself; also the weight of every edge that leads to no rule.
    #[default]
    Own,
    /// Aggregated from the ClusterRole of this vertex, by the selector of this number.
    Aggregated { from: u32, selector: u32 },
}

/// The RBAC graph.
#[derive(Clone, Debug)]
pub struct RbacGraph {
    policy: Policy,
    csr: Csr<Vertex, Via, petgraph::Directed, u32>,
    index: Index,
    /// The principal that each placed subject is compared as.
    subjects: Vec<Principal>,
    first_binding: u32,
    first_principal: u32,
    first_rule: u32,
    /// Per placed rule the role in which it stands.
    owners: Vec<u32>,
    pub(crate) lexicon: Lexicon,
}

/// A binding that applies to somebody.
#[derive(Copy, Clone, Debug)]
pub struct Applied<'g> {
    /// The binding.
    pub binding: &'g Binding,
    /// The role that it grants, or `None` where nothing defines it, or nothing tells which one it is.
    pub role: Option<&'g Role>,
    /// Whether the inputs define this binding with several roleRefs, one of which the API server refused.
    pub is_contested: bool,
    vertex: u32,
    role_vertex: u32,
}

impl Applied<'_> {
    /// A number that tells bindings of one graph apart, in the order of kind, namespace and name.
    pub fn order(&self) -> u32 {
        self.vertex
    }

    /// The number of the role in [`Policy::roles`]; `None` where nothing defines it.
    pub(crate) fn role_number(&self) -> Option<usize> {
        self.role.map(|_| self.role_vertex as usize)
    }
}

/// A rule that a role has, its own or aggregated.
#[derive(Copy, Clone, Debug)]
pub struct RoleRule<'g> {
    /// The rule.
    pub rule: PolicyRule<'g>,
    /// The rule where it stands.
    pub placed: PlacedRule,
    /// The role in which it stands: the asked one itself, or one that was aggregated into it.
    pub owner: &'g Role,
    /// Its position among the rules of that role, from 0.
    pub position: u32,
}

/// One step of an aggregation: a ClusterRole took in another's rules by a selector.
#[derive(Copy, Clone, Debug)]
pub struct AggregationStep<'g> {
    /// The role that took rules in.
    pub into: &'g Role,
    /// The role whose rules were taken.
    pub from: &'g Role,
    /// The number of the selector in `clusterRoleSelectors`.
    pub selector: u32,
}

impl RbacGraph {
    /// Builds the graph. A role that nothing defines becomes a vertex that grants nothing: rules are purely
    /// additive, so what remains is still right, and every answer can say what was missing.
    #[must_use]
    pub fn build(mut policy: Policy) -> Self {
        let subjects = subject_principals(&mut policy);
        sort(&mut policy);

        let mut vertices: Vec<Vertex> = (0..position(policy.roles.len())).map(Vertex::Role).collect();
        let roles: FxHashMap<(Scope, Name), u32> =
            policy.roles.iter().zip(0..).map(|(role, vertex)| ((role.scope, role.name), vertex)).collect();

        let mut missing: FxHashMap<(RoleKind, Scope, Name), u32> = FxHashMap::default();
        let mut granted = Vec::with_capacity(policy.bindings.len());
        let contested = (!policy.contested.is_empty()).then(|| {
            vertices.push(Vertex::Contested);
            position(vertices.len() - 1)
        });
        for binding in &policy.bindings {
            if let Some(vertex) = contested
                && policy.contested_with(binding).is_some()
            {
                granted.push(vertex);
                continue;
            }
            let scope = binding.role_scope();
            let vertex = roles.get(&(scope, binding.role_ref.name)).copied().unwrap_or_else(|| {
                *missing.entry((binding.role_ref.kind, scope, binding.role_ref.name)).or_insert_with(|| {
                    vertices.push(Vertex::Missing(binding.role_ref, scope));
                    position(vertices.len() - 1)
                })
            });
            granted.push(vertex);
        }

        let first_binding = position(vertices.len());
        let mut grants = Vec::with_capacity(policy.placed_subjects.len());
        for ((binding, role), number) in policy.bindings.iter().zip(&granted).zip(0..) {
            vertices.push(Vertex::Binding(number));
            for principal in binding.subjects.of(&subjects) {
                let granted = Granted { binding: number, role: *role };
                grants.push(((*principal, binding.scope), granted));
            }
        }
        grants.sort_unstable_by_key(|(seat, granted)| (*seat, granted.binding));
        grants.dedup_by_key(|(seat, granted)| (*seat, granted.binding));

        let mut seat_edges = Vec::with_capacity(grants.len());
        let mut seat_owner: Vec<Principal> = Vec::new();
        let first_seat = position(vertices.len());
        let mut last = None;
        for (seat, granted) in &grants {
            if last != Some(*seat) {
                last = Some(*seat);
                vertices.push(Vertex::Seat(seat.1));
                seat_owner.push(seat.0);
            }
            seat_edges.push((position(vertices.len() - 1), first_binding + granted.binding, Via::Own));
        }

        let first_principal = position(vertices.len());
        let mut principal_edges = Vec::with_capacity(seat_owner.len());
        let mut last = None;
        for (principal, seat) in seat_owner.iter().zip(first_seat..) {
            if last != Some(*principal) {
                last = Some(*principal);
                vertices.push(Vertex::Principal(*principal));
            }
            principal_edges.push((position(vertices.len() - 1), seat, Via::Own));
        }

        let first_rule = position(vertices.len());
        vertices.extend((0..position(policy.placed_rules.len())).map(Vertex::Rule));

        let mut edges = aggregation::role_edges(&policy, first_rule);
        let rule_of = |vertex: u32| policy.placed_rules.get((vertex - first_rule) as usize);
        let rules = edges.iter().filter_map(|(role, rule, _)| Some((*role, rule_of(*rule)?.rule)));
        let index = Index::new(policy.names.len(), &grants, rules, policy.roles.len());
        drop(grants);
        edges.extend(granted.iter().zip(first_binding..).map(|(role, binding)| (binding, *role, Via::Own)));
        edges.append(&mut seat_edges);
        edges.append(&mut principal_edges);
        // INVARIANT: by construction sorted by source, then target, without duplicates; the sort makes it so
        // even if a later change breaks that, for `from_sorted_edges` refuses anything else.
        edges.sort_by_key(|(from, to, _)| (*from, *to));
        edges.dedup_by_key(|(from, to, _)| (*from, *to));
        let mut csr = Csr::from_sorted_edges(&edges).unwrap_or_default();
        while csr.node_count() < vertices.len() {
            csr.add_node(Vertex::None);
        }
        for (vertex, index) in vertices.into_iter().zip(0u32..) {
            csr[index] = vertex;
        }
        let mut owners = vec![u32::MAX; policy.placed_rules.len()];
        for (role, index) in policy.roles.iter().zip(0..) {
            if let Some(own) = owners.get_mut(role.rules.start as usize..role.rules.end as usize) {
                own.fill(index);
            }
        }
        let lexicon = Lexicon::of(&policy);
        Self { policy, csr, index, subjects, first_binding, first_principal, first_rule, owners, lexicon }
    }

    /// What the graph was built from.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn targets(&self, vertex: u32) -> &[u32] {
        self.csr.neighbors_slice(vertex)
    }

    pub(crate) fn vertex(&self, vertex: u32) -> Vertex {
        if (vertex as usize) < self.csr.node_count() { self.csr[vertex] } else { Vertex::None }
    }

    pub(crate) fn role_of_vertex(&self, vertex: u32) -> Option<&Role> {
        // Roles are the first vertices, so number and vertex agree.
        self.policy.roles.get(vertex as usize)
    }

    /// The bindings that name a principal in one scope, in the order of their names.
    pub fn bindings_of(
        &self,
        principal: Principal,
        scope: Scope,
    ) -> impl Iterator<Item = Applied<'_>> + Clone {
        self.granted_to(principal, scope).iter().filter_map(|granted| self.applied(*granted))
    }

    /// The same bindings by their numbers, for a decision, which looks at most of them only in passing.
    pub(crate) fn granted_to(&self, principal: Principal, scope: Scope) -> &[Granted] {
        self.index.bindings(principal, scope)
    }

    /// The rules in force of the role that a binding grants; `None` where nothing defines it.
    pub(crate) fn rules_of_granted(&self, granted: Granted) -> Option<&[RuleId]> {
        // Roles are the first vertices.
        ((granted.role as usize) < self.policy.roles.len()).then(|| self.index.rules(granted.role))
    }

    /// The binding and the role of a number.
    pub(crate) fn applied(&self, granted: Granted) -> Option<Applied<'_>> {
        let Granted { binding: number, role: role_vertex } = granted;
        let binding = self.policy.bindings.get(number as usize)?;
        let vertex = self.first_binding + number;
        let role = self.role_of_vertex(role_vertex);
        let is_contested = role.is_none() && self.vertex(role_vertex) == Vertex::Contested;
        Some(Applied { binding, role, is_contested, vertex, role_vertex })
    }

    /// Every binding with its role, those of the cluster first, then by namespace and name.
    pub fn bindings(&self) -> impl Iterator<Item = Applied<'_>> {
        (0..).zip(&self.policy.bindings).filter_map(|(binding, _)| {
            let role = *self.targets(self.first_binding + binding).first()?;
            self.applied(Granted { binding, role })
        })
    }

    /// The scopes in which any binding names a principal: the cluster first, then namespaces.
    pub fn scopes_of(&self, principal: Principal) -> impl Iterator<Item = Scope> + '_ {
        self.index.namespaces(principal).map(|namespace| match namespace {
            Name::EMPTY => Scope::Cluster,
            namespace => Scope::Namespace(namespace),
        })
    }

    /// Every principal that some binding names.
    pub fn principals(&self) -> impl Iterator<Item = Principal> + '_ {
        (self.first_principal..self.first_rule).filter_map(|vertex| match self.vertex(vertex) {
            Vertex::Principal(principal) => Some(principal),
            _ => None,
        })
    }

    /// Whether any binding names the principal.
    pub fn is_bound(&self, principal: Principal) -> bool {
        self.index.namespaces(principal).next().is_some()
    }

    /// The rules in force of the role that a binding grants: none where the role is missing.
    pub(crate) fn rules_granted(&self, applied: &Applied<'_>) -> &[RuleId] {
        self.index.rules(applied.role_vertex)
    }

    /// A rule among [`RbacGraph::rules_granted`], by its number there.
    pub(crate) fn granted_rule<'g>(&'g self, applied: &Applied<'g>, number: usize) -> Option<RoleRule<'g>> {
        let owner = applied.role?;
        if owner.aggregation.is_some() {
            return self.role_rule(*self.targets(applied.role_vertex).get(number)?);
        }
        // What is in force of any other role are its own rules, in order.
        let placed = *self.policy.rules_of(owner).get(number)?;
        Some(RoleRule { rule: self.policy.rules.get(placed.rule), placed, owner, position: position(number) })
    }

    /// The rules in force of a role: an aggregated one's are those it took in.
    pub fn rules_in_force<'g>(&'g self, role: &Role) -> impl Iterator<Item = RoleRule<'g>> + use<'g> {
        let vertex = self.role_vertex(role);
        let rules = vertex.map_or(&[][..], |vertex| self.targets(vertex));
        rules.iter().filter_map(|vertex| self.role_rule(*vertex))
    }

    /// The same of a role by its number.
    pub(crate) fn rules_of_number(&self, role: u32) -> impl Iterator<Item = RoleRule<'_>> {
        let is_role = (role as usize) < self.policy.roles.len();
        let rules = if is_role { self.targets(role) } else { &[] };
        rules.iter().filter_map(|vertex| self.role_rule(*vertex))
    }

    /// The rules in force of the role that a binding grants.
    pub fn granted_rules<'g>(
        &'g self,
        applied: &Applied<'g>,
    ) -> impl Iterator<Item = RoleRule<'g>> + use<'g> {
        self.targets(applied.role_vertex).iter().filter_map(|vertex| self.role_rule(*vertex))
    }

    /// A role by scope and name.
    pub fn role(&self, scope: Scope, name: Name) -> Option<&Role> {
        self.policy
            .roles
            .binary_search_by_key(&(scope, name), |role| (role.scope, role.name))
            .ok()
            .and_then(|index| self.policy.roles.get(index))
    }

    fn role_vertex(&self, role: &Role) -> Option<u32> {
        self.policy
            .roles
            .binary_search_by_key(&(role.scope, role.name), |role| (role.scope, role.name))
            .ok()
            .map(position)
    }

    pub(crate) fn role_rule(&self, vertex: u32) -> Option<RoleRule<'_>> {
        let index = vertex.checked_sub(self.first_rule)?;
        let placed = *self.policy.placed_rules.get(index as usize)?;
        let owner = self.policy.roles.get(*self.owners.get(index as usize)? as usize)?;
        Some(RoleRule {
            rule: self.policy.rules.get(placed.rule),
            placed,
            owner,
            position: index - owner.rules.start,
        })
    }

    /// How a rule came into a role: empty when it is the role's own, else every aggregation from the role down to
    /// the one in which the rule stands.
    pub fn provenance<'g>(&'g self, role: &'g Role, rule: &RoleRule<'g>) -> Vec<AggregationStep<'g>> {
        let mut steps = Vec::new();
        let mut into = role;
        let target = self.first_rule + rule.owner.rules.start + rule.position;
        // Roles may take from each other in a circle; the way ends where the rule stands.
        while (into.scope, into.name) != (rule.owner.scope, rule.owner.name)
            && steps.len() <= self.policy.roles.len()
        {
            let Some(vertex) = self.role_vertex(into) else { break };
            let Ok(at) = self.targets(vertex).binary_search(&target) else { break };
            let Some(Via::Aggregated { from, selector }) =
                self.csr.edges(vertex).nth(at).map(|edge| *edge.weight())
            else {
                break;
            };
            let Some(from) = self.role_of_vertex(from) else { break };
            steps.push(AggregationStep { into, from, selector });
            into = from;
        }
        steps
    }

    /// The principals that the subjects of a binding are compared as.
    pub(crate) fn principals_of(&self, binding: &Binding) -> &[Principal] {
        binding.subjects.of(&self.subjects)
    }

    /// Where a subject of a binding stands.
    pub fn subject_source(&self, binding: &Binding, subject: usize) -> Source {
        let line =
            self.policy.subjects_of(binding).get(subject).map_or(binding.source.line, |placed| placed.line);
        binding.source.at_line(line)
    }

    /// How many vertices and edges there are.
    pub fn size(&self) -> (usize, usize) {
        (self.csr.node_count(), self.csr.edge_count())
    }
}

/// The principal that every placed subject is compared as: a service account as its username, which is interned.
fn subject_principals(policy: &mut Policy) -> Vec<Principal> {
    let Policy { names, placed_subjects, .. } = policy;
    let mut text = String::new();
    let principal = |placed: &PlacedSubject| match placed.subject {
        Subject::User(name) => Principal::Username(name),
        Subject::Group(name) => Principal::Group(name),
        Subject::Caller(arn) => Principal::Caller(arn),
        Subject::ServiceAccount { namespace, name } => {
            text.clear();
            text.push_str("system:serviceaccount:");
            text.push_str(names.text(namespace));
            text.push(':');
            text.push_str(names.text(name));
            Principal::Username(names.intern(&text))
        }
    };
    placed_subjects.iter().map(principal).collect()
}

/// Sorts roles for lookup, and bindings by kind, namespace and name: the order in which answers name them.
fn sort(policy: &mut Policy) {
    policy.roles.sort_by_key(|role| (role.scope, role.name));
    let names = &policy.names;
    let mut spaces: Vec<Name> = policy.bindings.iter().map(|binding| binding.scope.namespace()).collect();
    spaces.sort_unstable();
    spaces.dedup();
    spaces.sort_by_key(|space| names.text(*space));
    // The cluster, which has no namespace, comes first by itself.
    let mut ranks = vec![0_u32; names.len()];
    for (space, rank) in spaces.iter().zip(0..) {
        if let Some(slot) = ranks.get_mut(space.index()) {
            *slot = rank;
        }
    }
    let rank = |binding: &Binding| ranks.get(binding.scope.namespace().index()).copied();
    policy
        .bindings
        .sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| names.text(a.name).cmp(names.text(b.name))));
}
