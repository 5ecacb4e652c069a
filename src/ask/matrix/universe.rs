//! The columns of the matrix: which verbs on which resources, and which rules allow them.

use rustc_hash::FxHashSet;

use crate::knowledge::catalogue::Catalogue;
use crate::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use crate::model::policy::{Completeness, Policy};
use crate::model::rbac::RuleId;

use super::bits::Dense;

mod compile;
mod draft;

pub(super) use compile::compile;
use draft::{Draft, Types};

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
        let asked = ResourceAttributes::of(verb, &self.group, &self.resource);
        Attributes::Resource(ResourceAttributes { name, namespace, ..asked })
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
