//! The way of a decision, laid out as it is walked: name, scopes of the principal, bindings, rules.
//!
//! It says what the edges of the graph say. A decision about a large cluster costs as many waits for memory as it
//! has steps, so each step here is one look into one table, and what is looked at together lies together.

use rustc_hash::FxHashMap;

use super::Principal;
use crate::model::names::Name;
use crate::model::policy::position;
use crate::model::rbac::{RuleId, Scope};

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Per name where its entries begin, as a username and as a group; 0 where no binding names it.
    heads: Vec<[u32; 2]>,
    /// The same of the few callers that access policies name.
    callers: FxHashMap<Name, u32>,
    /// The entries of one principal after the other, each run behind an entry that holds its length.
    entries: Vec<ScopeEntry>,
    /// The bindings of one entry after the other, in their order.
    grants: Vec<Granted>,
    /// Per role where its rules in force begin, and where the last ends.
    roles: Vec<u32>,
    rules: Vec<RuleId>,
}

/// A principal in one scope.
#[derive(Copy, Clone, Debug)]
struct ScopeEntry {
    /// The namespace, empty for the cluster; or the number of entries that follow.
    namespace: Name,
    /// Where its bindings begin; they end where those of the next entry begin.
    grants: u32,
}

/// A binding, and the vertex of the role that it grants.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) binding: u32,
    pub(crate) role: u32,
}

impl Index {
    /// An index of grants in the order of principal, scope and binding.
    pub(super) fn new(
        names: usize,
        grants: &[((Principal, Scope), Granted)],
        rules_of_roles: impl Iterator<Item = (u32, RuleId)>,
        roles: usize,
    ) -> Self {
        let mut index = Self { heads: vec![[0; 2]; names], ..Self::default() };
        index.grants.reserve_exact(grants.len());
        let mut rest = grants;
        while let Some(((principal, _), _)) = rest.first() {
            let (own, after) = rest.split_at(rest.partition_point(|((other, _), _)| other == principal));
            index.add(*principal, own);
            rest = after;
        }
        index.entries.push(ScopeEntry { namespace: Name::EMPTY, grants: position(index.grants.len()) });

        index.roles = vec![0; roles + 1];
        for (role, rule) in rules_of_roles {
            if let Some(count) = index.roles.get_mut(role as usize + 1) {
                *count += 1;
                index.rules.push(rule);
            }
        }
        let mut end = 0;
        for count in &mut index.roles {
            end += *count;
            *count = end;
        }
        index
    }

    fn add(&mut self, principal: Principal, grants: &[((Principal, Scope), Granted)]) {
        let head = self.entries.len();
        // No run begins at 0, which says that there is none.
        let head = if head == 0 {
            self.entries.push(ScopeEntry { namespace: Name::EMPTY, grants: 0 });
            1
        } else {
            head
        };
        let head_of = match principal {
            Principal::Username(name) => self.heads.get_mut(name.index()).map(|[user, _]| user),
            Principal::Group(name) => self.heads.get_mut(name.index()).map(|[_, group]| group),
            Principal::Caller(name) => Some(self.callers.entry(name).or_default()),
        };
        if let Some(place) = head_of {
            *place = position(head);
        }
        self.entries.push(ScopeEntry { namespace: Name::EMPTY, grants: position(self.grants.len()) });
        let mut last = None;
        for ((_, scope), granted) in grants {
            if last != Some(*scope) {
                last = Some(*scope);
                self.entries
                    .push(ScopeEntry { namespace: scope.namespace(), grants: position(self.grants.len()) });
            }
            self.grants.push(*granted);
        }
        let count = position(self.entries.len() - head - 1);
        if let Some(entry) = self.entries.get_mut(head) {
            entry.namespace = Name::from_raw(count);
        }
    }

    /// The entries of a principal, and the entry after them.
    fn entries(&self, principal: Principal) -> &[ScopeEntry] {
        let head = match principal {
            Principal::Username(name) => self.heads.get(name.index()).map(|[user, _]| *user),
            Principal::Group(name) => self.heads.get(name.index()).map(|[_, group]| *group),
            Principal::Caller(name) => self.callers.get(&name).copied(),
        };
        let head = head.unwrap_or_default();
        if head == 0 {
            return &[];
        }
        let first = head as usize + 1;
        let count = self.entries.get(head as usize).map_or(0, |entry| entry.namespace.index());
        self.entries.get(first..first + count + 1).unwrap_or_default()
    }

    /// The namespaces in which bindings name a principal, the cluster as the empty one; in order.
    pub(super) fn namespaces(&self, principal: Principal) -> impl Iterator<Item = Name> + '_ {
        let entries = self.entries(principal);
        entries.iter().take(entries.len().saturating_sub(1)).map(|entry| entry.namespace)
    }

    /// The bindings that name a principal in a scope.
    pub(super) fn bindings(&self, principal: Principal, scope: Scope) -> &[Granted] {
        let entries = self.entries(principal);
        let Some((_, own)) = entries.split_last() else { return &[] };
        let at = match scope {
            // The empty name comes before all others.
            Scope::Cluster => own.first().and_then(|entry| (entry.namespace == Name::EMPTY).then_some(0)),
            Scope::Namespace(name) => own.binary_search_by_key(&name, |entry| entry.namespace).ok(),
        };
        let Some(at) = at else { return &[] };
        match entries.get(at..at + 2) {
            Some([entry, next]) => {
                self.grants.get(entry.grants as usize..next.grants as usize).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The rules in force of the role at a vertex; none of one that is missing.
    pub(super) fn rules(&self, role: u32) -> &[RuleId] {
        match self.roles.get(role as usize..role as usize + 2) {
            Some([start, end]) => self.rules.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}
