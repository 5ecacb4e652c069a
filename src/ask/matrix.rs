//! The access matrix: who may do what, in which namespaces, on which resources, with which verbs.
//!
//! A *column* is one verb on one resource, subresource or URL of the [`Universe`]; a column with a `*` in it is
//! the literal star, which only a wildcard grants. Per policy rule a set of columns is compiled by asking the
//! authorizer's own matcher about each; per subject and scope the sets are united. So a cell is what
//! [`RbacGraph::authorize`](crate::decide::graph::RbacGraph::authorize) says, by construction.
//!
//! Access comes in blocks, one for each namespace column of the long form:
//!
//! - `""`: what has no namespace: cluster-scoped types and non-resource URLs;
//! - `"*"`: what a ClusterRoleBinding grants in every namespace, and in all of them at once;
//! - a namespace: what RoleBindings in it add. What `*` covers is not repeated there.
//!
//! A RoleBinding grants neither URLs nor cluster-scoped types, with the two exceptions that the API server makes:
//! a Namespace object is authorised inside the namespace that it is, so a RoleBinding can grant `get`, `update`,
//! `patch` and `delete` of that one `namespaces` object; and `bind` on a ClusterRole is checked in the namespace
//! of the new RoleBinding.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::decide::cluster::Cluster;
use crate::decide::cluster::anonymous::OPEN_PATHS;
use crate::decide::evaluate::matches::pattern_matches;
use crate::decide::graph::{Applied, Principal, is_pattern};
use crate::model::names::Name;
use crate::model::rbac::{Authorizer, RuleId, Scope};

pub mod bits;
pub mod crowd;
pub mod holder;
pub mod preset;
pub mod reachable;
mod rows;
mod source_form;
pub mod universe;
pub mod unknown;

pub use self::bits::{Dense, Sparse};
pub use self::crowd::Crowd;
pub use self::holder::Holder;
pub use self::rows::{Block, RowGrants, Scratch};
pub use self::universe::{Cell, Column, Filter, Place, Universe};

/// The access matrix of a cluster, ready to be read subject by subject.
#[derive(Debug)]
pub struct Matrix<'c> {
    cluster: &'c Cluster,
    universe: Universe,
    /// Per rule the columns that it allows; of a rule limited to names, those that it allows for its names.
    rules: Vec<Sparse>,
    /// Per role what its rules come to, once asked for.
    roles: Vec<OnceCell<RoleColumns>>,
    /// Per role that add-ons extend, by its number, the columns on which they may; once asked for.
    additions: RefCell<FxHashMap<usize, Rc<Dense>>>,
    /// The namespaces that are shown; `None` for all.
    namespaces: Option<Vec<(String, Name)>>,
    /// Whether what has no namespace is shown although namespaces were chosen.
    with_cluster_scope: bool,
    /// The columns that are about one object only, by namespace and name.
    objects: FxHashMap<u32, (Name, Name)>,
    /// The columns that stay for who has no credentials, where EKS closes the others.
    open: Option<Dense>,
    /// The people behind the identities, where they are asked for.
    people: Option<Crowd>,
    /// What holders have not and can get, where that is asked for.
    reachable: Option<reachable::OfHolders>,
}

/// The columns of a role.
#[derive(Debug, Default)]
struct RoleColumns {
    /// Allowed for any name.
    any: Sparse,
    /// The rules that are limited to names.
    named: Box<[RuleId]>,
}

impl<'c> Matrix<'c> {
    /// Compiles the matrix of a cluster for the columns that a filter leaves.
    pub fn new(cluster: &'c Cluster, filter: &Filter) -> Self {
        // What objects in source form may grant has its columns too; the rules that are certain have the same numbers.
        let graph = cluster.possible_graph();
        let universe = Universe::of(graph.policy(), cluster.catalogue(), cluster.completeness(), filter);
        Self::with_columns(cluster, universe, None)
    }

    /// The matrices of two clusters over the columns of both, for holders whose rules are given; `every_rule`: some of
    /// them may do everything, so that all rules of both say what there is.
    pub(crate) fn both(
        (old, of_old): (&'c Cluster, &FxHashSet<RuleId>),
        (new, of_new): (&'c Cluster, &FxHashSet<RuleId>),
        filter: &Filter,
        every_rule: bool,
    ) -> [Self; 2] {
        let side =
            |cluster: &'c Cluster| (cluster.graph().policy(), cluster.catalogue(), cluster.completeness());
        let ((policy, types, completeness), (new_policy, new_types, new_completeness)) =
            (side(old), side(new));
        let [first, second] = Universe::of_both(
            [(policy, types, completeness, of_old), (new_policy, new_types, new_completeness, of_new)],
            filter,
            every_rule,
        );
        [Self::with_columns(old, first, Some(of_old)), Self::with_columns(new, second, Some(of_new))]
    }

    fn with_columns(cluster: &'c Cluster, universe: Universe, needed: Option<&FxHashSet<RuleId>>) -> Self {
        let graph = cluster.graph();
        let rules = universe::compile(&universe, graph, needed);
        let mut roles = Vec::new();
        roles.resize_with(cluster.graph().policy().roles.len(), OnceCell::new);
        let open = cluster.closes_out_anonymous().then(|| open_columns(&universe));
        Self {
            cluster,
            universe,
            rules,
            roles,
            additions: RefCell::default(),
            namespaces: None,
            with_cluster_scope: false,
            objects: FxHashMap::default(),
            open,
            people: None,
            reachable: None,
        }
    }

    /// Shows only these namespaces, with what is granted in every one; what has no namespace is left out.
    #[must_use]
    pub fn in_namespaces<'n>(mut self, namespaces: impl IntoIterator<Item = &'n str>) -> Self {
        let names = &self.cluster.graph().policy().names;
        let named = |namespace: &'n str| (namespace.to_owned(), names.lookup(namespace));
        self.namespaces = Some(namespaces.into_iter().map(named).collect());
        self
    }

    /// Shows what has no namespace too, although namespaces were chosen: its columns were asked for by name.
    #[must_use]
    pub fn with_cluster_scope(mut self) -> Self {
        self.with_cluster_scope = true;
        self
    }

    /// Shows of the columns of a preset that are about one object only access to that object.
    #[must_use]
    pub fn for_objects_of(mut self, entries: &[preset::Entry]) -> Self {
        let names = &self.cluster.graph().policy().names;
        for entry in entries {
            let Some((namespace, name)) = entry.object else { continue };
            let columns = self.universe.columns().iter().zip(0u32..).filter(|(_, number)| {
                self.universe.column(*number).is_some_and(|(cell, verb)| {
                    cell.group == entry.group && cell.resource == entry.resource && verb == entry.verb
                })
            });
            let object = (names.lookup(namespace), names.lookup(name));
            self.objects.extend(columns.map(|(_, number)| (number, object)));
        }
        self
    }

    /// Whether columns without a namespace are shown.
    pub fn shows_without_namespace(&self) -> bool {
        self.namespaces.is_none() || self.with_cluster_scope
    }

    /// Takes out of what stands under a heading what is about other objects than the columns are.
    fn keep_to_objects(&self, heading: &str, any: &mut Dense, named: &mut Vec<(u32, Name)>) {
        let heading = self.cluster.graph().policy().names.lookup(heading);
        for (column, (namespace, name)) in &self.objects {
            if heading != Name::STAR && heading != *namespace {
                any.remove(*column);
            }
            named.retain(|(own, own_name)| {
                own != column || (own_name == name && (heading == Name::STAR || heading == *namespace))
            });
        }
    }

    /// Shows the people behind the identities, too.
    #[must_use]
    pub fn with_people(mut self, people: Crowd) -> Self {
        self.people = Some(people);
        self
    }

    /// The people behind the identities, where they are asked for.
    pub fn people(&self) -> Option<&Crowd> {
        self.people.as_ref()
    }

    /// The cluster.
    pub fn cluster(&self) -> &'c Cluster {
        self.cluster
    }

    /// The columns.
    pub fn universe(&self) -> &Universe {
        &self.universe
    }

    fn role(&self, number: usize) -> Option<&RoleColumns> {
        let cell = self.roles.get(number)?;
        Some(cell.get_or_init(|| self.compile_role(number)))
    }

    fn compile_role(&self, number: usize) -> RoleColumns {
        let graph = self.cluster.graph();
        let Some(role) = graph.policy().roles.get(number) else { return RoleColumns::default() };
        let mut any = Dense::default();
        any.reset(self.universe.columns().len());
        let mut named = Vec::new();
        for rule in graph.rules_in_force(role) {
            if rule.rule.resource_names.is_empty() {
                self.rule(rule.placed.rule).add_to(&mut any);
            } else if !self.rule(rule.placed.rule).is_empty() {
                named.push(rule.placed.rule);
            }
        }
        named.sort_unstable();
        named.dedup();
        RoleColumns { any: any.to_sparse(), named: named.into() }
    }

    fn rule(&self, rule: RuleId) -> &Sparse {
        const NONE: &Sparse = &Sparse::EMPTY;
        self.rules.get(rule.index()).unwrap_or(NONE)
    }

    /// Whether a namespace is shown.
    fn shows(&self, namespace: Name) -> bool {
        self.namespaces.as_ref().is_none_or(|shown| shown.iter().any(|(_, own)| *own == namespace))
    }

    /// The bindings that apply to a holder in a scope, each once.
    fn bindings(&self, holder: &Holder, scope: Scope) -> impl Iterator<Item = Applied<'c>> {
        let graph = self.cluster.graph();
        let mut seen = FxHashSet::default();
        let several = holder.principals().len() > 1;
        holder
            .principals()
            .iter()
            .flat_map(move |principal| graph.bindings_of(*principal, scope))
            .filter(move |applied| !several || seen.insert(applied.order()))
    }

    /// The bindings that apply to a holder in a namespace; where single namespaces are shown, those of access policies
    /// by a pattern too.
    fn bindings_in(&self, holder: &Holder, namespace: Name, text: &str) -> Vec<Applied<'c>> {
        let graph = self.cluster.graph();
        let mut found: Vec<Applied<'c>> = self.bindings(holder, Scope::Namespace(namespace)).collect();
        if self.namespaces.is_some() {
            for principal in holder.principals() {
                if !matches!(principal, Principal::Caller(_)) {
                    continue;
                }
                let patterns = graph.scopes_of(*principal).filter(|scope| {
                    let own = graph.policy().names.text(scope.namespace());
                    is_pattern(own) && pattern_matches(own, text)
                });
                found.extend(patterns.flat_map(|scope| graph.bindings_of(*principal, scope)));
            }
        }
        found
    }

    /// The namespaces in which a binding names a holder and which are shown, by name.
    ///
    /// A pattern of an access policy stands for itself, as namespaces that do not exist yet may match it; where single
    /// namespaces are shown, for those among them that it matches.
    fn namespaces_of(&self, holder: &Holder) -> BTreeMap<String, Name> {
        let graph = self.cluster.graph();
        let mut namespaces = BTreeMap::new();
        for principal in holder.principals() {
            for scope in graph.scopes_of(*principal) {
                let Scope::Namespace(namespace) = scope else { continue };
                let text = graph.policy().names.text(namespace);
                match &self.namespaces {
                    None => {
                        namespaces.insert(text.to_owned(), namespace);
                    }
                    Some(shown) => {
                        let is_pattern = matches!(principal, Principal::Caller(_)) && is_pattern(text);
                        let fits = |own: &str| own == text || (is_pattern && pattern_matches(text, own));
                        let fitting = shown.iter().filter(|(own, _)| fits(own)).cloned();
                        namespaces.extend(fitting);
                    }
                }
            }
        }
        namespaces
    }

    /// Gives what is granted to a holder, block by block in the order of the namespace heading.
    ///
    /// # Errors
    /// What `each` gives.
    pub fn blocks<E>(
        &self,
        holder: &Holder,
        scratch: &mut Scratch,
        mut each: impl FnMut(&Block<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let universe = &self.universe;
        let width = universe.columns().len();
        let Scratch { cluster, here, rbac, shown, cluster_named, named } = scratch;
        cluster.reset(width);
        cluster_named.clear();
        // An add-on's server takes nobody for a login whose username is empty.
        let refused = self.refused_columns(holder);
        if holder.is_master() {
            cluster.fill(width);
        } else {
            for applied in self.bindings(holder, Scope::Cluster) {
                self.unite(&applied, cluster, cluster_named);
            }
        }
        let open = self.open.as_ref().filter(|_| holder.is_anonymous());
        if let Some(open) = open {
            here.clone_from(cluster);
            cluster.intersection_of(here, open);
            cluster_named.retain(|(column, _)| open.contains(*column));
        }
        cluster_named.retain(|(column, _)| !cluster.contains(*column));
        self.sort_named(cluster_named);
        for (namespace, columns) in [("", universe.without_namespace()), ("*", universe.in_every_namespace())]
        {
            if namespace.is_empty() && !self.shows_without_namespace() {
                continue;
            }
            shown.intersection_of(cluster, columns);
            named.clear();
            named.extend(cluster_named.iter().filter(|(column, _)| columns.contains(*column)));
            if let Some(refused) = &refused {
                shown.subtract(refused);
                named.retain(|(column, _)| !refused.contains(*column));
            }
            self.keep_to_objects(namespace, shown, named);
            let block = Block { namespace, any: shown, named };
            if !block.is_empty() {
                each(&block)?;
            }
        }
        // No path is in a namespace.
        if holder.is_master() || open.is_some() {
            return Ok(());
        }
        for (text, namespace) in self.namespaces_of(holder) {
            here.reset(width);
            named.clear();
            let mut has_policies = false;
            for applied in self.bindings_in(holder, namespace, &text) {
                has_policies |= applied.binding.authorizer() == Authorizer::AccessPolicy;
                self.unite(&applied, here, named);
            }
            let allowed = universe.in_a_namespace();
            let (own, open) = (universe.own_namespace(), universe.of_open_scope());
            // Whether an access policy of namespaces grants the Namespace objects themselves is not documented.
            rbac.reset(width);
            if has_policies {
                for applied in self.bindings_in(holder, namespace, &text) {
                    if applied.binding.authorizer() == Authorizer::Rbac {
                        self.unite(&applied, rbac, &mut Vec::new());
                    }
                }
            }
            let own_here: &Dense = if has_policies { rbac } else { here };
            let new = |column: u32, name: Name| {
                cluster_named.binary_search_by(|probe| self.order_named(probe, &(column, name))).is_err()
            };
            // A rule limited to names grants the namespace itself where it is among them.
            named.retain(|(column, name)| {
                !cluster.contains(*column)
                    && new(*column, *name)
                    && if own.contains(*column) {
                        *name == namespace
                    } else {
                        allowed.contains(*column) && !here.contains(*column) && !open.contains(*column)
                    }
            });
            for column in own.iter() {
                if own_here.contains(column) && !cluster.contains(column) && new(column, namespace) {
                    named.push((column, namespace));
                }
            }
            self.sort_named(named);
            shown.intersection_of(here, allowed);
            shown.subtract(cluster);
            shown.subtract(open);
            if let Some(refused) = &refused {
                shown.subtract(refused);
                named.retain(|(column, _)| !refused.contains(*column));
            }
            self.keep_to_objects(&text, shown, named);
            let block = Block { namespace: &text, any: shown, named };
            if !block.is_empty() {
                each(&block)?;
            }
        }
        Ok(())
    }

    /// The columns that are refused to a holder although rules grant them; `None` for nearly everybody.
    fn refused_columns(&self, holder: &Holder) -> Option<Dense> {
        let who = holder.who.as_deref().filter(|who| who.has_no_username())?;
        let mut refused = Dense::default();
        refused.reset(self.universe.columns().len());
        for (column, number) in self.universe.columns().iter().zip(0u32..) {
            let Some(cell) = self.universe.cells().get(column.cell as usize) else { continue };
            if cell.group != "*"
                && self.cluster.refused_by_aggregated(who, &cell.attributes("", "", "")).is_some()
            {
                refused.insert(number);
            }
        }
        (!refused.is_empty()).then_some(refused)
    }

    /// Adds what a binding grants to the sets of its scope.
    fn unite(&self, applied: &Applied<'_>, any: &mut Dense, named: &mut Vec<(u32, Name)>) {
        let Some(role) = applied.role_number().and_then(|number| self.role(number)) else { return };
        role.any.add_to(any);
        let rules = &self.cluster.graph().policy().rules;
        for rule in &role.named {
            let columns = self.rule(*rule);
            for name in rules.get(*rule).resource_names {
                named.extend(columns.iter().map(|column| (column, *name)));
            }
        }
    }

    fn order_named(&self, a: &(u32, Name), b: &(u32, Name)) -> std::cmp::Ordering {
        let names = &self.cluster.graph().policy().names;
        a.0.cmp(&b.0).then_with(|| names.text(a.1).cmp(names.text(b.1)))
    }

    fn sort_named(&self, named: &mut Vec<(u32, Name)>) {
        if named.len() > 1 {
            named.sort_unstable_by(|a, b| self.order_named(a, b));
            named.dedup();
        }
    }

    /// Finds everything that grants a row of a block.
    pub fn grants(&self, holder: &Holder, block: &Block<'_>, found: &mut RowGrants<'c>) {
        let graph = self.cluster.graph();
        let policy = graph.policy();
        let scope = match block.namespace {
            "" | "*" => Scope::Cluster,
            namespace => Scope::Namespace(policy.names.lookup(namespace)),
        };
        let RowGrants { applied: all, bindings, grants, found: pairs, .. } = found;
        bindings.clear();
        grants.clear();
        pairs.clear();
        all.clear();
        match scope {
            Scope::Cluster => all.extend(self.bindings(holder, scope)),
            Scope::Namespace(namespace) => all.extend(self.bindings_in(holder, namespace, block.namespace)),
        }
        all.sort_by_key(Applied::order);
        let number_of = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        for applied in &*all {
            let binding = number_of(bindings.len());
            let first = grants.len();
            for (id, rule) in graph.rules_granted(applied).iter().zip(0u32..) {
                let (before, number) = (pairs.len(), number_of(grants.len()));
                let rule_lists = policy.rules.get(*id);
                block.columns_by(&rule_lists, self.rule(*id), |column| pairs.push((column, number)));
                if pairs.len() > before {
                    grants.push((binding, rule));
                }
            }
            if grants.len() > first {
                bindings.push((*applied, number_of(graph.first_subject(&holder.asker, applied))));
            }
        }
        found.sort(self.universe.columns().len());
    }

    /// How many rows the long form has for a holder.
    pub fn count(&self, holder: &Holder, scratch: &mut Scratch) -> usize {
        let mut rows = 0;
        let counted: Result<(), std::convert::Infallible> = self.blocks(holder, scratch, |block| {
            rows += block.len();
            Ok(())
        });
        let Ok(()) = counted;
        rows
    }
}

/// The columns of the paths that EKS leaves open to requests without credentials.
fn open_columns(universe: &Universe) -> Dense {
    let mut open = Dense::default();
    open.reset(universe.columns().len());
    for (column, number) in universe.columns().iter().zip(0u32..) {
        let cell = universe.cells().get(column.cell as usize);
        if cell.is_some_and(|cell| cell.place == Place::Url && OPEN_PATHS.contains(&cell.resource.as_str())) {
            open.insert(number);
        }
    }
    open
}

/// The rows of one holder, by column: what a table shows in a cell.
#[derive(Debug, Default)]
pub struct Access {
    /// Per column the namespace headings under which it is granted, in order, each with its names; none for any.
    pub granted: FxHashMap<u32, Vec<(String, Vec<String>)>>,
}

impl Matrix<'_> {
    /// Gathers the rows of a holder by column.
    pub fn access(&self, holder: &Holder, scratch: &mut Scratch) -> Access {
        let names = &self.cluster.graph().policy().names;
        let mut access = Access::default();
        let gathered: Result<(), std::convert::Infallible> = self.blocks(holder, scratch, |block| {
            block.rows(|column, limited| {
                let limited = limited.iter().map(|(_, name)| names.text(*name).to_owned()).collect();
                access.granted.entry(column).or_default().push((block.namespace.to_owned(), limited));
            });
            Ok(())
        });
        let Ok(()) = gathered;
        access
    }
}
