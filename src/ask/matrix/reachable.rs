//! What a holder has not and can get: the rows of everybody whom it can become by certain steps, and of every role that it
//! can have bound.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::holder::{HolderKind, of_user};
use super::{Dense, Holder, Matrix, Scratch};
use crate::ask::paths::{From, Gain, Reach, Round, Search};
use crate::model::rbac::Role;
use crate::model::user::{SYSTEM_MASTERS, UserInfo};

/// A row of the long form: the heading, the column, and the names that it is limited to.
pub type Key = (String, u32, Vec<String>);

/// How somebody gets a row that it has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// In how many steps.
    pub steps: Round,
    /// As whom, or by which power, of those that are as near the first.
    pub through: String,
}

/// The rows that somebody can get, by heading and column.
pub type Rows = BTreeMap<Key, Reached>;

/// The rows of what is reached, looked at once for everybody who reaches it.
#[derive(Debug, Default)]
struct Known {
    rows: FxHashMap<String, Rc<Vec<Key>>>,
    scratch: Scratch,
}

/// The start of ways that a holder is.
pub fn start_of(holder: &Holder) -> From {
    match (holder.kind, holder.who.as_deref()) {
        (HolderKind::Iam, Some(who)) => From::iam(&holder.identity, who),
        (HolderKind::Group, _) => From::group(&holder.identity),
        _ => From::who(&holder.user()),
    }
}

/// What each holder can get, by how it is listed.
pub(super) type OfHolders = FxHashMap<(HolderKind, String, String), Rows>;

fn key_of(holder: &Holder) -> (HolderKind, String, String) {
    (holder.kind, holder.identity.clone(), holder.username.clone())
}

impl Matrix<'_> {
    /// The matrix with what each of some holders has not and can get by certain steps.
    #[must_use]
    pub fn with_reachable(mut self, holders: &[Holder]) -> Self {
        let (mut search, mut known) = (Search::new(self.cluster), Known::default());
        let found = holders
            .iter()
            .map(|holder| (key_of(holder), self.reachable(&mut search, holder, &mut known)))
            .collect();
        self.reachable = Some(found);
        self
    }

    /// Whether it was asked what can be got.
    pub fn shows_reachable(&self) -> bool {
        self.reachable.is_some()
    }

    /// What a holder has not and can get; `None` where that was not asked.
    pub fn reached(&self, holder: &Holder) -> Option<&Rows> {
        self.reachable.as_ref()?.get(&key_of(holder))
    }

    /// The rows that a holder has not and can get by certain steps.
    fn reachable(&self, search: &mut Search<'_>, holder: &Holder, known: &mut Known) -> Rows {
        if holder.is_master() {
            return Rows::default();
        }
        let paths = search.paths(&start_of(holder), None);
        let mut reached: Vec<&Reach> = paths.reached.iter().chain(&paths.roles).collect();
        reached.sort_by_key(|own| (own.depth, own.identity != "cluster-admin"));
        let own = self.rows_of(holder, &mut known.scratch);
        let mut direct: FxHashMap<u32, Vec<Key>> = FxHashMap::default();
        for key in own {
            direct.entry(key.1).or_default().push(key);
        }
        let mut rows = Rows::default();
        for reach in reached {
            let found = if let Some(found) = known.rows.get(&reach.identity) {
                Rc::clone(found)
            } else {
                let Some(gain) = search.gain(reach) else { continue };
                let found = Rc::new(self.rows_of_gain(&gain, &mut known.scratch));
                known.rows.insert(reach.identity.clone(), Rc::clone(&found));
                found
            };
            for key in found.iter() {
                let has = direct.get(&key.1).into_iter().flatten().any(|own| covers(own, key));
                if !has && !rows.contains_key(key) {
                    let own = Reached { steps: reach.depth, through: reach.identity.clone() };
                    rows.insert(key.clone(), own);
                }
            }
        }
        rows
    }

    fn rows_of(&self, holder: &Holder, scratch: &mut Scratch) -> Vec<Key> {
        let names = &self.cluster.graph().policy().names;
        let mut rows = Vec::new();
        let done: Result<(), Infallible> = self.blocks(holder, scratch, |block| {
            block.rows(|column, limited| {
                let limited = limited.iter().map(|(_, name)| names.text(*name).to_owned()).collect();
                rows.push((block.namespace.to_owned(), column, limited));
            });
            Ok(())
        });
        let Ok(()) = done;
        rows
    }

    fn rows_of_gain(&self, gain: &Gain<'_>, scratch: &mut Scratch) -> Vec<Key> {
        match gain {
            Gain::User(user) => self.rows_of(&of_user(self.cluster, user.clone()), scratch),
            Gain::Everything(namespace) => {
                let masters = UserInfo::as_given("", [SYSTEM_MASTERS]);
                let all = self.rows_of(&of_user(self.cluster, masters), scratch);
                self.in_namespace(all, namespace)
            }
            Gain::Role(role, namespace) => self.in_namespace(self.rows_of_role(role), namespace),
        }
    }

    /// What a role grants in the whole cluster.
    fn rows_of_role(&self, role: &Role) -> Vec<Key> {
        let graph = self.cluster.graph();
        let names = &graph.policy().names;
        let mut any = Dense::default();
        any.reset(self.universe.columns().len());
        let mut limited: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for rule in graph.rules_in_force(role) {
            let columns = self.rule(rule.placed.rule);
            if rule.rule.resource_names.is_empty() {
                columns.add_to(&mut any);
                continue;
            }
            for column in columns.iter() {
                let texts = rule.rule.resource_names.iter().map(|name| names.text(*name).to_owned());
                limited.entry(column).or_default().extend(texts);
            }
        }
        let mut rows: Vec<Key> = Vec::new();
        for (heading, columns) in
            [("", self.universe.without_namespace()), ("*", self.universe.in_every_namespace())]
        {
            let here = any.iter().filter(|column| columns.contains(*column));
            rows.extend(here.map(|column| (heading.to_owned(), column, Vec::new())));
            for (column, texts) in &limited {
                if columns.contains(*column) && !any.contains(*column) {
                    let mut texts = texts.clone();
                    texts.sort_unstable();
                    texts.dedup();
                    rows.push((heading.to_owned(), *column, texts));
                }
            }
        }
        rows
    }

    /// What is granted in every namespace, in one of them; in the cluster all of it.
    fn in_namespace(&self, rows: Vec<Key>, namespace: &str) -> Vec<Key> {
        if namespace.is_empty() {
            let shows_cluster = self.shows_without_namespace();
            return rows.into_iter().filter(|(heading, ..)| shows_cluster || heading == "*").collect();
        }
        let name = self.cluster.graph().policy().names.lookup(namespace);
        if !self.shows(name) {
            return Vec::new();
        }
        let here = rows.into_iter().filter(|(heading, ..)| heading == "*");
        here.map(|(_, column, names)| (namespace.to_owned(), column, names)).collect()
    }
}

/// Whether a row holds all that another holds.
fn covers(own: &Key, other: &Key) -> bool {
    let (heading, column, names) = own;
    let is_there = *column == other.1 && (*heading == other.0 || heading == "*" || heading.is_empty());
    is_there && (names.is_empty() || !other.2.is_empty() && other.2.iter().all(|name| names.contains(name)))
}
