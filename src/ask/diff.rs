//! The difference in effective access between two input sets: the set difference of their matrices, both made over the
//! identities, namespaces, resources and verbs of both.
//!
//! Only whom a change can touch is looked at: bindings, roles and mappings are compared first, name by name and rule by
//! rule, and rows are made for the holders of those that differ. What is the same on both sides has the same rows.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ask::matrix::unknown::{Reason, Unknown};
use crate::ask::matrix::{Filter, Holder, Matrix, RowGrants, Scratch, Sparse, holder};
use crate::ask::system::System;
use crate::ask::who_can::GrantRef;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::graph::Principal;
use crate::identity::Mapped;
use crate::model::names::Name;
use crate::model::rbac::RuleId;
use crate::model::user::{SYSTEM_AUTHENTICATED, SYSTEM_SERVICE_ACCOUNTS, SYSTEM_UNAUTHENTICATED, UserInfo};

mod causes;
pub mod structure;
mod ways;

use self::causes::ByName;

pub use self::causes::Cause;
pub use self::holder::HolderKind;
pub use self::structure::{ObjectChange, Structure};
pub use self::ways::{MOST_BINDINGS, Way, Ways};

/// Whose access is compared.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// These ARNs, each with the session for the ARN of a role, and users, and nobody else; where both are empty, this
    /// says nothing.
    pub arns: Vec<(String, Option<String>)>,
    /// See there.
    pub users: Vec<UserInfo>,
    /// Every mapped IAM identity.
    pub mapped: bool,
    /// Every subject of a binding.
    pub bound: bool,
    /// Not who came with Kubernetes or EKS.
    pub exclude_system: bool,
    /// Only these namespaces; empty for all.
    pub namespaces: Vec<String>,
}

/// Somebody on both sides.
#[derive(Clone, Debug)]
pub struct Pair {
    /// In the old inputs.
    pub old: Holder,
    /// In the new ones.
    pub new: Holder,
}

/// The two sides, ready to be compared pair by pair.
#[derive(Debug)]
pub struct Diff<'c> {
    /// The old side.
    pub old: Matrix<'c>,
    /// The new side.
    pub new: Matrix<'c>,
    /// Whoever may have other access on one side than on the other, in the order of the long form.
    pub pairs: Vec<Pair>,
    /// Which objects differ.
    pub structure: Structure,
    /// The identities that are mapped on one side, or otherwise on the other: the ARN, and the user on each side.
    pub identities: Vec<(String, Option<UserInfo>, Option<UserInfo>)>,
    /// The bindings of each side by name, made when the first cause is asked for.
    by_name: [OnceCell<ByName>; 2],
}

/// A row that one side has and the other has not.
#[derive(Clone, Debug)]
pub struct Row<'c> {
    /// The heading: a namespace, `*`, or empty.
    pub namespace: String,
    /// The column.
    pub column: u32,
    /// The names that it is limited to; empty for any.
    pub names: Vec<String>,
    /// What grants it.
    pub grants: Vec<GrantRef<'c>>,
}

/// The rows of one side of a pair, by heading: the columns for any name, and those for some, with the names.
#[derive(Clone, Debug, Default)]
struct Rows {
    headings: BTreeMap<String, (Sparse, Limited)>,
}

/// Columns that are limited to names, each with them.
type Limited = Vec<(u32, Vec<String>)>;

impl Rows {
    /// The names of a row, none for any; `None` where there is no such row.
    fn get(&self, heading: &str, column: u32) -> Option<&[String]> {
        let (any, named) = self.headings.get(heading)?;
        if any.contains(column) {
            return Some(&[]);
        }
        let at = named.binary_search_by_key(&column, |(own, _)| *own).ok()?;
        named.get(at).map(|(_, names)| names.as_slice())
    }

    /// Every row under a heading.
    fn under(&self, heading: &str) -> impl Iterator<Item = (u32, &[String])> {
        let (any, named) = self.headings.get(heading).map(|(any, named)| (any, named.as_slice())).unzip();
        let any = any.into_iter().flat_map(Sparse::iter).map(|column| (column, &[][..]));
        any.chain(named.into_iter().flatten().map(|(column, names)| (*column, names.as_slice())))
    }
}

/// What differs for a pair.
#[derive(Clone, Debug, Default)]
pub struct Changes<'c> {
    /// Rows of the new side that the old one has not.
    pub gained: Vec<Row<'c>>,
    /// Rows of the old side that the new one has not.
    pub lost: Vec<Row<'c>>,
    /// Rows that were unknown before, and are granted now.
    pub now_known: Vec<Row<'c>>,
    /// Rows that were granted before, and are unknown now.
    pub now_unknown: Vec<Row<'c>>,
    /// What is unknown now and was not before.
    pub became: Vec<Unknown<'c>>,
    /// What was unknown before and is not now.
    pub stopped: Vec<Unknown<'c>>,
    old: Rows,
    new: Rows,
}

impl Changes<'_> {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty()
            && self.lost.is_empty()
            && self.now_known.is_empty()
            && self.now_unknown.is_empty()
            && self.became.is_empty()
            && self.stopped.is_empty()
    }

    /// Whether a side has a row in effect, also by a wider heading.
    fn has(rows: &Rows, row: &Row<'_>) -> bool {
        ["*", "", row.namespace.as_str()].into_iter().any(|heading| {
            rows.get(heading, row.column).is_some_and(|names| {
                names.is_empty()
                    || (!row.names.is_empty() && row.names.iter().all(|name| names.contains(name)))
            })
        })
    }

    /// The gained rows that are more access: not those that a wider row of before held.
    pub fn more(&self) -> impl Iterator<Item = &Row<'_>> {
        self.gained.iter().filter(|row| !Self::has(&self.old, row))
    }

    /// The lost rows that are less access: not those that a wider row of now holds.
    pub fn less(&self) -> impl Iterator<Item = &Row<'_>> {
        self.lost.iter().filter(|row| !Self::has(&self.new, row))
    }
}

/// Compares two clusters.
pub fn diff<'c>(old: &'c Cluster, new: &'c Cluster, filter: &Filter, selection: &Selection) -> Diff<'c> {
    let structure = Structure::of(old, new);
    let mut pairs = pairs(old, new, &structure, selection);
    pairs.sort_by(|a, b| {
        let order = |pair: &Pair| (pair.new.kind.as_str(), pair.new.identity.clone());
        order(a).cmp(&order(b))
    });
    let (of_old, of_new) =
        (needed(old, pairs.iter().map(|pair| &pair.old)), needed(new, pairs.iter().map(|pair| &pair.new)));
    let masters = pairs.iter().any(|pair| pair.old.is_master() || pair.new.is_master());
    let [mut old_matrix, mut new_matrix] = Matrix::both((old, &of_old), (new, &of_new), filter, masters);
    if !selection.namespaces.is_empty() {
        let namespaces = || selection.namespaces.iter().map(String::as_str);
        old_matrix = old_matrix.in_namespaces(namespaces());
        new_matrix = new_matrix.in_namespaces(namespaces());
    }
    let identities = identities(old, new);
    Diff { old: old_matrix, new: new_matrix, pairs, structure, identities, by_name: Default::default() }
}

/// The rules that are granted to holders.
fn needed<'h>(cluster: &Cluster, holders: impl Iterator<Item = &'h Holder>) -> FxHashSet<RuleId> {
    let graph = cluster.graph();
    let mut principals: FxHashSet<Principal> = FxHashSet::default();
    principals.extend(holders.flat_map(Holder::principals).copied());
    let mut rules = FxHashSet::default();
    let mut seen: FxHashSet<usize> = FxHashSet::default();
    for principal in principals {
        for scope in graph.scopes_of(principal) {
            for applied in graph.bindings_of(principal, scope) {
                if applied.role_number().is_some_and(|role| seen.insert(role)) {
                    rules.extend(graph.rules_granted(&applied).iter().copied());
                }
            }
        }
    }
    // What the Node authorizer allows a node is unknown, and at most what this role lists.
    let policy = graph.policy();
    let name = policy.names.lookup("system:node");
    if let Some(role) = graph.role(crate::model::rbac::Scope::Cluster, name) {
        rules.extend(policy.rules_of(role).iter().map(|placed| placed.rule));
    }
    rules
}

/// A principal as text: what it is, and its name.
pub(crate) type Known = (u8, String);

fn known(cluster: &Cluster, principal: Principal) -> Known {
    let text = |name: Name| cluster.graph().policy().names.text(name).to_owned();
    match principal {
        Principal::Username(name) => (b'u', text(name)),
        Principal::Group(name) => (b'g', text(name)),
        Principal::Caller(name) => (b'c', text(name)),
    }
}

fn pairs(old: &Cluster, new: &Cluster, structure: &Structure, selection: &Selection) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let Selection { arns, users, .. } = selection;
    if !arns.is_empty() || !users.is_empty() {
        for (arn, session) in arns {
            let of = |cluster: &Cluster| {
                holder::of_identity(cluster, arn, cluster.identify(arn, session.as_deref()))
            };
            pairs.push(Pair { old: of(old), new: of(new) });
        }
        for user in users {
            pairs.push(Pair {
                old: holder::of_user(old, user.clone()),
                new: holder::of_user(new, user.clone()),
            });
        }
        return pairs;
    }
    // Groups that everybody is in touch everybody.
    let is_implied = |(kind, name): &Known| {
        *kind == b'g'
            && ([SYSTEM_AUTHENTICATED, SYSTEM_UNAUTHENTICATED].contains(&name.as_str())
                || name.starts_with(SYSTEM_SERVICE_ACCOUNTS))
    };
    let touches_all = structure.touches_all || structure.touched.iter().any(is_implied);
    if selection.mapped {
        let (of_old, of_new) = (holder::mapped(old), holder::mapped(new));
        // Of several mappings of one ARN the first.
        let (old_by_arn, new_by_arn) = (by_arn(&of_old), by_arn(&of_new));
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for one in of_old.iter().chain(&of_new).filter(|one| seen.insert(&one.identity)) {
            let on = |side: &FxHashMap<&str, &Holder>, cluster: &Cluster| {
                let own = side.get(one.identity.as_str()).map(|own| Holder::clone(own));
                own.unwrap_or_else(|| holder::absent(cluster, &one.identity))
            };
            let pair = Pair { old: on(&old_by_arn, old), new: on(&new_by_arn, new) };
            if touches_all || differs(old, new, &pair, structure) {
                pairs.push(pair);
            }
        }
    }
    if selection.bound {
        let mut all: BTreeSet<(HolderKind, String)> = BTreeSet::new();
        if touches_all {
            for cluster in [old, new] {
                all.extend(holder::bound(cluster).into_iter().map(|one| (one.kind, one.identity)));
            }
        } else {
            all.extend(structure.touched_subjects.iter().cloned());
        }
        for (kind, identity) in all {
            let of = |cluster: &Cluster| holder::named(cluster, kind, &identity);
            pairs.push(Pair { old: of(old), new: of(new) });
        }
    }
    if selection.exclude_system {
        let (of_old, of_new) = (System::of(old), System::of(new));
        pairs.retain(|pair| !pair.old.is_system(&of_old) && !pair.new.is_system(&of_new));
    }
    pairs
}

/// Mapped identities by their ARN.
fn by_arn(side: &[Holder]) -> FxHashMap<&str, &Holder> {
    side.iter().rev().map(|own| (own.identity.as_str(), own)).collect()
}

/// Whether somebody who is mapped may have other access on one side.
fn differs(old: &Cluster, new: &Cluster, pair: &Pair, structure: &Structure) -> bool {
    let principals = |cluster: &Cluster, holder: &Holder| -> BTreeSet<Known> {
        holder.principals().iter().map(|principal| known(cluster, *principal)).collect()
    };
    let (of_old, of_new) = (principals(old, &pair.old), principals(new, &pair.new));
    let user = |holder: &Holder| holder.who.as_deref().map(shown);
    pair.old.is_master() != pair.new.is_master()
        || of_old != of_new
        || user(&pair.old) != user(&pair.new)
        || of_old.iter().chain(&of_new).any(|principal| structure.touched.contains(principal))
}

/// Who somebody is, as far as it can be compared.
fn shown(who: &Who) -> (Option<UserInfo>, Option<String>) {
    (who.shown(), who.error().map(ToString::to_string))
}

/// The mapped identities that are other users on one side, or none.
fn identities(old: &Cluster, new: &Cluster) -> Vec<(String, Option<UserInfo>, Option<UserInfo>)> {
    let users = |cluster: &Cluster| -> BTreeMap<String, Option<UserInfo>> {
        holder::mapped(cluster)
            .into_iter()
            .map(|one| {
                let user = one
                    .who
                    .as_deref()
                    .map_or_else(|| Some(UserInfo::as_given("", [SYSTEM_AUTHENTICATED])), Who::shown);
                (one.identity, user)
            })
            .collect()
    };
    let (of_old, of_new) = (users(old), users(new));
    let arns: BTreeSet<&String> = of_old.keys().chain(of_new.keys()).collect();
    arns.into_iter()
        .filter_map(|arn| {
            let user = |side: &BTreeMap<String, Option<UserInfo>>| side.get(arn).cloned().flatten();
            let (before, after) = (user(&of_old), user(&of_new));
            (before != after).then(|| (arn.clone(), before, after))
        })
        .collect()
}

/// The mapping of a holder.
fn mapped(holder: &Holder) -> Option<&Mapped> {
    match holder.who.as_deref().map(|who| &who.is) {
        Some(WhoIs::Mapped(mapped)) => Some(mapped),
        _ => None,
    }
}

fn rows(matrix: &Matrix<'_>, holder: &Holder, scratch: &mut Scratch) -> Rows {
    let names = &matrix.cluster().graph().policy().names;
    let mut rows = Rows::default();
    let done: Result<(), Infallible> = matrix.blocks(holder, scratch, |block| {
        let mut named = Limited::new();
        for (column, name) in block.named.iter().filter(|(column, _)| !block.any.contains(*column)) {
            let name = names.text(*name).to_owned();
            match named.last_mut() {
                Some((last, list)) if last == column => list.push(name),
                _ => named.push((*column, vec![name])),
            }
        }
        rows.headings.insert(block.namespace.to_owned(), (block.any.to_sparse(), named));
        Ok(())
    });
    let Ok(()) = done;
    rows
}

/// The rows of one side that the other has not, each with its grants.
fn only<'c>(
    matrix: &Matrix<'c>,
    holder: &Holder,
    own: &Rows,
    other: &Rows,
    scratch: &mut Scratch,
) -> Vec<Row<'c>> {
    let is_missing = |heading: &str, column: u32, names: &[String]| other.get(heading, column) != Some(names);
    let differing: BTreeSet<&str> = own
        .headings
        .iter()
        .filter(|(heading, access)| {
            // Most are the same as they stand.
            other.headings.get(*heading) != Some(*access)
                && own.under(heading).any(|(column, names)| is_missing(heading, column, names))
        })
        .map(|(heading, _)| heading.as_str())
        .collect();
    if differing.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut grants = RowGrants::default();
    let done: Result<(), Infallible> = matrix.blocks(holder, scratch, |block| {
        let heading = block.namespace;
        if !differing.contains(heading) {
            return Ok(());
        }
        matrix.grants(holder, block, &mut grants);
        for (column, names) in
            own.under(heading).filter(|(column, names)| is_missing(heading, *column, names))
        {
            let of_row = grants.of(column).iter().filter_map(|number| grants.grant(*number));
            let of_row = of_row.map(|(grant, _)| grant).collect();
            found.push(Row { namespace: heading.to_owned(), column, names: names.to_vec(), grants: of_row });
        }
        Ok(())
    });
    let Ok(()) = done;
    found.sort_by(|a, b| (&a.namespace, a.column).cmp(&(&b.namespace, b.column)));
    found
}

impl<'c> Diff<'c> {
    /// Whether the usernames count: rows of the long form hold them.
    fn is_other_user(pair: &Pair) -> bool {
        pair.old.username != pair.new.username
            && !pair.old.username.is_empty()
            && !pair.new.username.is_empty()
    }

    /// What differs for a pair. `strict`: rows are compared with the username in them, as the long form has it.
    pub fn changes(&self, pair: &Pair, strict: bool, scratch: &mut Scratch) -> Changes<'c> {
        let old = rows(&self.old, &pair.old, scratch);
        let new = rows(&self.new, &pair.new, scratch);
        let mut changes = Changes::default();
        let nothing = Rows::default();
        let all_differ = strict && Self::is_other_user(pair);
        let (before, after) = if all_differ { (&nothing, &nothing) } else { (&old, &new) };
        let gained = only(&self.new, &pair.new, &new, before, scratch);
        let lost = only(&self.old, &pair.old, &old, after, scratch);
        // What was open on both sides is open still; what only one side leaves open is neither gained nor lost.
        let (mut of_old, mut of_new) = (self.old.unknown(&pair.old), self.new.unknown(&pair.new));
        // A side without any role or binding has none of those of the other side: a change that adds the first, or
        // removes the last, is one.
        let is_read =
            |list: &[Unknown<'_>]| !list.iter().any(|one| matches!(one.reason, Reason::NothingRead));
        if is_read(&of_old) != is_read(&of_new) {
            for list in [&mut of_old, &mut of_new] {
                list.retain(|one| !matches!(one.reason, Reason::NothingRead));
            }
        }
        let keys = |matrix: &Matrix<'_>, list: &[Unknown<'_>]| -> Vec<String> {
            list.iter().map(|one| causes::key(matrix.cluster(), one)).collect()
        };
        let (old_keys, new_keys) = (keys(&self.old, &of_old), keys(&self.new, &of_new));
        let but = |list: Vec<Unknown<'c>>, keys: Vec<String>, other: &[String]| -> Vec<Unknown<'c>> {
            list.into_iter().zip(keys).filter(|(_, key)| !other.contains(key)).map(|(one, _)| one).collect()
        };
        changes.stopped = but(of_old, old_keys.clone(), &new_keys);
        changes.became = but(of_new, new_keys, &old_keys);
        (changes.gained, changes.now_known) = parted(&self.old, gained, &changes.stopped);
        (changes.lost, changes.now_unknown) = parted(&self.new, lost, &changes.became);
        (changes.old, changes.new) = (old, new);
        changes
    }

    fn old_bindings(&self) -> &ByName {
        let [old, _] = &self.by_name;
        old.get_or_init(|| ByName::of(self.old.cluster()))
    }

    fn new_bindings(&self) -> &ByName {
        let [_, new] = &self.by_name;
        new.get_or_init(|| ByName::of(self.new.cluster()))
    }

    /// What made a row come or go: the first grant whose binding, role or subject differs.
    pub fn cause(&self, pair: &Pair, row: &Row<'c>, is_gained: bool) -> Cause {
        causes::of_row(self, pair, row, is_gained)
    }
}

/// Rows that are certain, and those that the other side leaves open.
fn parted<'c>(other: &Matrix<'_>, rows: Vec<Row<'c>>, open: &[Unknown<'_>]) -> (Vec<Row<'c>>, Vec<Row<'c>>) {
    if open.is_empty() {
        return (rows, Vec::new());
    }
    let columns: Vec<_> = open.iter().map(|one| (one.namespace.as_str(), other.columns_of(one))).collect();
    rows.into_iter().partition(|row| {
        !columns.iter().any(|(namespace, set)| {
            (*namespace == "*" || *namespace == row.namespace) && set.contains(row.column)
        })
    })
}
