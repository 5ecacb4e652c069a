//! The columns of the matrix: which verbs on which resources, and which rules allow them.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ask::question::HTTP_METHODS;
use crate::decide::evaluate::matches::non_resource_url_matches;
use crate::knowledge::catalogue::{Catalogue, Verbs};
use crate::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::policy::{Completeness, Policy};
use crate::model::rbac::{PolicyRule, RuleId};

use super::bits::Dense;

mod compile;

pub(super) use compile::compile;

/// Where requests for a resource are made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In namespaces; also of a type that is not known, and of the star, for either may be.
    Namespaced,
    /// Outside namespaces.
    Cluster,
    /// `namespaces` themselves: outside, but for requests about one of them, which are made inside it.
    Namespaces,
    /// A path that is no API resource.
    Url,
}

/// A resource, subresource or URL with the verbs that are asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The API group; empty for the core group and for URLs.
    pub group: String,
    /// `pods`, `pods/exec`, `*`, `*/scale`, or the path.
    pub resource: String,
    /// Where it is asked.
    pub place: Place,
    /// The verbs, sorted.
    pub verbs: Vec<String>,
    /// Whether the catalogue has it; otherwise only some rule, or the question, names it.
    pub known: bool,
}

impl Cell {
    /// Resource and subresource, as a request has them.
    pub fn parts(&self) -> (&str, &str) {
        self.resource.split_once('/').unwrap_or((&self.resource, ""))
    }

    /// The attributes of a request for a verb on it.
    pub fn attributes<'a>(&'a self, verb: &'a str, name: &'a str, namespace: &'a str) -> Attributes<'a> {
        if self.place == Place::Url {
            return Attributes::NonResource(NonResourceAttributes { verb, path: &self.resource });
        }
        let (resource, subresource) = self.parts();
        Attributes::Resource(ResourceAttributes {
            verb,
            group: &self.group,
            resource,
            subresource,
            name,
            namespace,
        })
    }

    /// `deployments.apps/scale`, as kubectl spells it.
    pub fn title(&self) -> String {
        match (self.group.is_empty(), self.resource.split_once('/')) {
            (true, _) => self.resource.clone(),
            (false, Some((resource, subresource))) => format!("{resource}.{}/{subresource}", self.group),
            (false, None) => format!("{}.{}", self.resource, self.group),
        }
    }
}

/// One verb of one cell.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The number of the cell.
    pub cell: u32,
    /// The number of the verb among the cell's.
    pub verb: u32,
}

/// Which columns are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these verbs; `None` for all.
    pub verbs: Option<Vec<String>>,
    /// Only these resources, each as API group and `resource` or `resource/subresource`, or as a path with an
    /// empty group; `None` for all. They need not be known.
    pub resources: Option<Vec<(String, String)>>,
    /// Only these exact columns, as group, resource and verb; for a preset.
    pub columns: Option<Vec<(String, String, String)>>,
}

/// Every column, in the order of API group, resource and verb.
#[derive(Clone, Debug, Default)]
pub struct Universe {
    cells: Vec<Cell>,
    columns: Vec<Column>,
    without_namespace: Dense,
    in_every_namespace: Dense,
    in_a_namespace: Dense,
    own_namespace: Dense,
    of_add_ons: Dense,
    of_open_scope: Dense,
    /// What rules name and no request ever is, such as `pods/*`: it is compared as text, and so matches nothing.
    pub matches_nothing: Vec<String>,
}

#[derive(Debug, Default)]
struct Draft {
    cells: BTreeMap<(String, String, bool), (BTreeSet<String>, bool)>,
    matches_nothing: BTreeSet<String>,
    /// What rules name in every group: the resource and the verbs.
    any_group: Vec<(String, BTreeSet<String>)>,
}

/// Whether a name holds a star that is no wildcard.
fn has_literal_star(text: &str) -> bool {
    text != "*" && text.contains('*')
}

impl Draft {
    fn cell(&mut self, group: &str, resource: &str, is_url: bool) -> &mut (BTreeSet<String>, bool) {
        self.cells.entry((group.to_owned(), resource.to_owned(), is_url)).or_default()
    }

    fn catalogue(&mut self, catalogue: &Catalogue) {
        for resource in catalogue.iter() {
            let (verbs, known) = self.cell(&resource.group, &resource.plural, false);
            *known = true;
            verbs.extend(resource.verbs.union(resource.special_verbs).iter().map(str::to_owned));
            for part in &resource.subresources {
                let name = format!("{}/{}", resource.plural, part.name);
                let (verbs, known) = self.cell(&resource.group, &name, false);
                *known = true;
                verbs.extend(part.verbs.iter().map(str::to_owned));
            }
        }
    }

    /// What rules name: all of them, or those that are needed and, for a path may cover others, those with URLs.
    fn rules(&mut self, policy: &Policy, needed: Option<&FxHashSet<RuleId>>) {
        let used: FxHashSet<RuleId> = policy
            .roles
            .iter()
            .flat_map(|role| policy.rules_of(role))
            .map(|placed| placed.rule)
            .filter(|id| {
                needed.is_none_or(|needed| {
                    needed.contains(id) || !policy.rules.get(*id).non_resource_urls.is_empty()
                })
            })
            .collect();
        for (id, rule) in policy.rules.iter() {
            if !used.contains(&id) {
                continue;
            }
            let texts = |list: &[Name]| list.iter().map(|name| policy.names.text(*name)).collect::<Vec<_>>();
            let named = texts(rule.verbs);
            let mut verbs = BTreeSet::new();
            for verb in named {
                if has_literal_star(verb) {
                    self.matches_nothing.insert(verb.to_owned());
                } else if !verb.is_empty() {
                    verbs.insert(verb.to_owned());
                }
            }
            for url in texts(rule.non_resource_urls) {
                self.cell("", url, true).0.extend(verbs.iter().cloned());
            }
            let (groups, resources) = (texts(rule.api_groups), texts(rule.resources));
            for resource in resources {
                if resource.is_empty() {
                    continue;
                }
                let no_request = resource.starts_with('/') || resource.ends_with('/') || resource == "*/*";
                if no_request || has_literal_star(resource.strip_prefix("*/").unwrap_or(resource)) {
                    self.matches_nothing.insert(resource.to_owned());
                    continue;
                }
                for group in &groups {
                    if has_literal_star(group) {
                        self.matches_nothing.insert((*group).to_owned());
                        continue;
                    }
                    self.cell(group, resource, false).0.extend(verbs.iter().cloned());
                    if *group == "*" && resource != "*" {
                        self.any_group.push((resource.to_owned(), verbs.clone()));
                    }
                }
            }
        }
    }

    /// Gives what rules name in every group to each group that has it, once all rules are in.
    fn spread(&mut self) {
        // Who names a resource in every group names it in each group that has it.
        let mut by_resource: FxHashMap<String, BTreeSet<String>> = FxHashMap::default();
        for (resource, verbs) in std::mem::take(&mut self.any_group) {
            by_resource.entry(resource).or_default().extend(verbs);
        }
        for ((group, resource, is_url), (verbs, _)) in &mut self.cells {
            if let Some(named) = by_resource.get(resource).filter(|_| !is_url && group != "*") {
                verbs.extend(named.iter().cloned());
            }
        }
    }

    /// A path that is asked for: `get`, the verbs of rules whose paths cover it, and those that are asked for.
    fn path(&mut self, policy: &Policy, path: &str, filter: &Filter) {
        let text = |name: &Name| policy.names.text(*name);
        let covers = |rule: &PolicyRule<'_>| non_resource_url_matches(&policy.names, rule, path);
        let rules = policy.rules.iter().map(|(_, rule)| rule).filter(covers);
        let verbs: BTreeSet<String> = rules
            .flat_map(|rule| rule.verbs.iter().map(text).map(str::to_owned).collect::<Vec<_>>())
            .chain(["get".to_owned()])
            .chain(
                filter.verbs.iter().flatten().filter(|verb| HTTP_METHODS.contains(&verb.as_str())).cloned(),
            )
            .filter(|verb| !verb.is_empty() && !has_literal_star(verb))
            .collect();
        self.cell("", path, true).0.extend(verbs);
    }

    /// Every cell has a column for the verb `*`; what is not in the catalogue gets the verbs that it may serve.
    fn complete(&mut self) {
        self.cell("*", "*", false);
        self.cell("", "*", true).0.insert("get".to_owned());
        for ((group, resource, is_url), (verbs, known)) in &mut self.cells {
            verbs.insert("*".to_owned());
            if *known || *is_url || group == "*" || resource.starts_with('*') {
                continue;
            }
            let serves = match resource.split_once('/') {
                Some((_, "status" | "scale")) => Verbs::PART,
                Some((_, "finalizers")) => Verbs::of("update").unwrap_or_default(),
                // The star is there already; a rule names a verb besides.
                Some(_) if verbs.len() > 1 => Verbs::NONE,
                Some(_) | None => Verbs::STORED,
            };
            verbs.extend(serves.iter().map(str::to_owned));
        }
    }

    /// Leaves what is wanted, with the verbs that each has.
    fn choose(&mut self, filter: &Filter, policies: &[&Policy]) {
        self.spread();
        if let Some(wanted) = &filter.resources {
            for (group, resource) in wanted {
                if resource.starts_with('/') {
                    for policy in policies {
                        self.path(policy, resource, filter);
                    }
                } else {
                    self.cell(group, resource, false);
                }
            }
        }
        self.complete();
        if let Some(wanted) = &filter.resources {
            self.cells.retain(|(group, resource, is_url), _| {
                let same =
                    |(g, r): &(String, String)| r == resource && g == group && r.starts_with('/') == *is_url;
                wanted.iter().any(same)
            });
        }
        self.filter(filter);
    }

    /// The columns, numbered.
    fn universe(&self, types: Types<'_>, completeness: Completeness) -> Universe {
        let mut universe = Universe::default();
        for ((group, resource, is_url), (verbs, known)) in &self.cells {
            let place = if *is_url { Place::Url } else { types.place(group, resource) };
            universe.cells.push(Cell {
                group: group.clone(),
                resource: resource.clone(),
                place,
                verbs: verbs.iter().cloned().collect(),
                known: *known,
            });
        }
        universe.number(types, completeness);
        universe
    }

    fn filter(&mut self, filter: &Filter) {
        if let Some(columns) = &filter.columns {
            for (group, resource, verb) in columns {
                self.cell(group, resource, resource.starts_with('/')).0.insert(verb.clone());
            }
            self.cells.retain(|(group, resource, _), (verbs, _)| {
                verbs.retain(|verb| columns.iter().any(|(g, r, v)| g == group && r == resource && v == verb));
                !verbs.is_empty()
            });
        }
        if let Some(wanted) = &filter.verbs {
            self.cells.retain(|_, (verbs, _)| {
                verbs.retain(|verb| wanted.contains(verb));
                !verbs.is_empty()
            });
        }
    }
}

impl Universe {
    /// The columns that are known of, or that some rule names, as far as a filter leaves them.
    pub(super) fn of(
        policy: &Policy,
        catalogue: &Catalogue,
        completeness: Completeness,
        filter: &Filter,
    ) -> Self {
        let mut draft = Draft::default();
        draft.catalogue(catalogue);
        draft.rules(policy, None);
        draft.choose(filter, &[policy]);
        let matches_nothing = std::mem::take(&mut draft.matches_nothing).into_iter().collect();
        let types = Types { own: catalogue, other: None };
        Self { matches_nothing, ..draft.universe(types, completeness) }
    }

    /// The columns of two sides: those that either knows of, each with the place that the side knows, or else the
    /// other. Rules that are not needed are left out where no star covers what they name.
    pub(super) fn of_both(
        sides: [(&Policy, &Catalogue, Completeness, &FxHashSet<RuleId>); 2],
        filter: &Filter,
        every_rule: bool,
    ) -> [Self; 2] {
        let has_star = |policy: &Policy, id: &RuleId| {
            let rule = policy.rules.get(*id);
            let mut names = rule.verbs.iter().chain(rule.api_groups).chain(rule.resources);
            names.any(|name| policy.names.text(*name).contains('*'))
        };
        let is_open = every_rule
            || sides.iter().any(|(policy, _, _, needed)| needed.iter().any(|id| has_star(policy, id)));
        let mut draft = Draft::default();
        for (policy, catalogue, _, needed) in sides {
            draft.catalogue(catalogue);
            draft.rules(policy, (!is_open).then_some(needed));
        }
        draft.choose(filter, &sides.map(|(policy, ..)| policy));
        let [(_, old, of_old, _), (_, new, of_new, _)] = sides;
        [
            draft.universe(Types { own: old, other: Some(new) }, of_old),
            draft.universe(Types { own: new, other: Some(old) }, of_new),
        ]
    }

    fn number(&mut self, catalogue: Types<'_>, completeness: Completeness) {
        for (cell, number) in self.cells.iter().zip(0u32..) {
            let verbs = 0..u32::try_from(cell.verbs.len()).unwrap_or(u32::MAX);
            self.columns.extend(verbs.map(|verb| Column { cell: number, verb }));
        }
        let width = self.columns.len();
        for set in [
            &mut self.without_namespace,
            &mut self.in_every_namespace,
            &mut self.in_a_namespace,
            &mut self.own_namespace,
            &mut self.of_add_ons,
            &mut self.of_open_scope,
        ] {
            set.reset(width);
        }
        for (column, number) in self.columns.iter().zip(0u32..) {
            let Some(cell) = self.cells.get(column.cell as usize) else { continue };
            let verb = cell.verbs.get(column.verb as usize).map_or("", String::as_str);
            let (plural, _) = cell.parts();
            if cell.place != Place::Url && !catalogue.is_built_in(&cell.group, plural) {
                self.of_add_ons.insert(number);
            }
            if completeness == Completeness::Partial
                && cell.place == Place::Namespaced
                && plural != "*"
                && !catalogue.is_served(&cell.group)
                && catalogue.is_namespaced(&cell.group, plural).is_none()
            {
                self.of_open_scope.insert(number);
            }
            match cell.place {
                Place::Namespaced => {
                    self.in_every_namespace.insert(number);
                    self.in_a_namespace.insert(number);
                    continue;
                }
                Place::Namespaces
                    if !matches!(verb, "*" | "create" | "list" | "watch" | "deletecollection") =>
                {
                    self.own_namespace.insert(number);
                }
                Place::Cluster
                    if verb == "bind"
                        && cell.group == "rbac.authorization.k8s.io"
                        && cell.resource == "clusterroles" =>
                {
                    self.in_a_namespace.insert(number);
                }
                _ => {}
            }
            self.without_namespace.insert(number);
        }
    }

    /// The resources and URLs.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The columns, sorted by API group, resource and verb.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The cell and the verb of a column.
    pub fn column(&self, number: u32) -> Option<(&Cell, &str)> {
        let column = self.columns.get(number as usize)?;
        let cell = self.cells.get(column.cell as usize)?;
        Some((cell, cell.verbs.get(column.verb as usize)?))
    }

    /// The columns of requests without a namespace.
    pub fn without_namespace(&self) -> &Dense {
        &self.without_namespace
    }

    /// The columns that a binding of the cluster grants in every namespace.
    pub fn in_every_namespace(&self) -> &Dense {
        &self.in_every_namespace
    }

    /// The columns that a RoleBinding can grant in its namespace.
    pub fn in_a_namespace(&self) -> &Dense {
        &self.in_a_namespace
    }

    /// The columns of requests that are made inside a namespace: those that a RoleBinding can grant there, and those
    /// about the Namespace object itself.
    pub fn inside_a_namespace(&self) -> Dense {
        let mut inside = self.in_a_namespace.clone();
        self.own_namespace.to_sparse().add_to(&mut inside);
        inside
    }

    /// The columns of types that Kubernetes itself does not serve: add-ons bring them, and rules on them.
    pub fn of_add_ons(&self) -> &Dense {
        &self.of_add_ons
    }

    /// The columns of types whose scope nothing tells: a RoleBinding grants them if they are namespaced.
    pub fn of_open_scope(&self) -> &Dense {
        &self.of_open_scope
    }

    /// The columns that a RoleBinding can grant for its own namespace as an object.
    pub fn own_namespace(&self) -> &Dense {
        &self.own_namespace
    }
}

/// What is known of types: what a side knows itself, or else what the other side knows.
#[derive(Copy, Clone)]
struct Types<'c> {
    own: &'c Catalogue,
    other: Option<&'c Catalogue>,
}

impl<'c> Types<'c> {
    fn all(self) -> impl Iterator<Item = &'c Catalogue> {
        std::iter::once(self.own).chain(self.other)
    }

    fn is_built_in(self, group: &str, plural: &str) -> bool {
        self.all().any(|catalogue| catalogue.is_built_in(group, plural))
    }

    fn is_served(self, group: &str) -> bool {
        self.all().any(|catalogue| catalogue.is_served(group))
    }

    fn is_namespaced(self, group: &str, plural: &str) -> Option<bool> {
        self.all().find_map(|catalogue| catalogue.is_namespaced(group, plural))
    }

    /// Where requests for a resource are made.
    fn place(self, group: &str, resource: &str) -> Place {
        let plural = resource.split('/').next().unwrap_or(resource);
        let known = self.all().find_map(|catalogue| catalogue.find(group, plural));
        match known {
            Some(known) if known.namespaced => Place::Namespaced,
            Some(_) if group.is_empty() && plural == "namespaces" => Place::Namespaces,
            Some(_) => Place::Cluster,
            None if self.is_namespaced(group, plural) == Some(false) => Place::Cluster,
            None => Place::Namespaced,
        }
    }
}
