//! Who can finally become a role: backwards from it, over everybody who may become somebody on the way.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::ternary::Ternary;

use super::account::{Caller, IamData};
use super::context::Context;
use super::evaluate::Lens;
use super::ids::PrincipalId;
use super::logic::Verdict;
use super::policy::Effect;

/// The way from callers to roles: who may become what, found as it is asked for.
#[derive(Debug)]
pub struct Reach<'l, 'd> {
    lens: &'l Lens<'d>,
    context: Context,
    /// Whether a caller chooses the name of its session so that it may.
    chooses: bool,
    /// The callers of each role that was looked at.
    callers: RefCell<FxHashMap<PrincipalId, Rc<[Edge]>>>,
    /// By account, those whom a statement allows roles that it does not name one by one.
    broad: FxHashMap<&'d str, Vec<PrincipalId>>,
    /// By ARN of a role, those whom a statement allows this role.
    named: FxHashMap<String, Vec<PrincipalId>>,
}

/// Somebody who may, or might, become a role at once.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The user or role.
    pub caller: PrincipalId,
    /// Whether it may.
    pub value: Ternary,
}

/// Somebody who can finally become a role, by the best way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The user or role.
    pub id: PrincipalId,
    /// Yes where no hop depends on anything.
    pub value: Ternary,
    /// Who is become, one after the other; the last is the role in question.
    pub chain: Vec<PrincipalId>,
}

/// One hop of a chain, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Who becomes it.
    pub from: PrincipalId,
    /// The role that is become.
    pub to: PrincipalId,
    /// Whether, and why.
    pub verdict: Verdict,
    /// The name that the caller gives its session so that it may.
    pub session_name: Option<String>,
}

impl<'l, 'd> Reach<'l, 'd> {
    /// For questions where nothing but exports is known. With `chooses`, a caller gives its session any name that it
    /// takes.
    pub fn new(lens: &'l Lens<'d>, chooses: bool) -> Self {
        let data = lens.data();
        let mut broad: FxHashMap<&str, Vec<PrincipalId>> = FxHashMap::default();
        let mut named: FxHashMap<String, Vec<PrincipalId>> = FxHashMap::default();
        for (id, principal) in data.principals() {
            let mut is_broad = !principal.missing.is_empty();
            for (_, statement) in lens.identity_hits(id, Effect::Allow) {
                match statement.resource.literals() {
                    Some(arns) => {
                        for arn in arns {
                            let all = named.entry(arn).or_default();
                            if all.last() != Some(&id) {
                                all.push(id);
                            }
                        }
                    }
                    None => is_broad = true,
                }
            }
            if is_broad {
                broad.entry(&principal.arn.account).or_default().push(id);
            }
        }
        let callers = RefCell::default();
        Self { lens, context: Context::new(), chooses, callers, broad, named }
    }

    /// The exports.
    pub fn data(&self) -> &'d IamData {
        self.lens.data()
    }

    /// The statements about the action.
    pub fn lens(&self) -> &'l Lens<'d> {
        self.lens
    }

    /// Everybody who may, or might, become a role at once.
    pub fn callers(&self, role: PrincipalId) -> Rc<[Edge]> {
        if let Some(known) = self.callers.borrow().get(&role) {
            return Rc::clone(known);
        }
        let mut edges: Vec<Edge> = self
            .candidates(role)
            .into_iter()
            .filter(|caller| *caller != role)
            .map(|caller| Edge { caller, value: self.edge(caller, role) })
            .filter(|edge| edge.value != Ternary::No)
            .collect();
        edges.sort_by_key(|edge| edge.caller);
        let edges: Rc<[Edge]> = edges.into();
        self.callers.borrow_mut().insert(role, Rc::clone(&edges));
        edges
    }

    fn caller(&self, id: PrincipalId) -> Option<Caller<'d>> {
        self.data().principal_of(id).map(|principal| Caller::Known { principal, session: None })
    }

    fn edge(&self, from: PrincipalId, to: PrincipalId) -> Ternary {
        let Some(caller) = self.caller(from) else { return Ternary::No };
        let value = self.lens.ternary(&caller, to, &self.context);
        if value == Ternary::Unknown && self.chooses && self.session_name(&caller, to).is_some() {
            return Ternary::Yes;
        }
        value
    }

    /// A name of the session with which a caller may become a role, where it depends on nothing else.
    fn session_name(&self, caller: &Caller<'_>, role: PrincipalId) -> Option<String> {
        let verdict = self.lens.of(caller, role, &self.context);
        let names = self.lens.session_names(caller, role, &self.context, &verdict);
        names.into_iter().find(|name| {
            let mut context = self.context.clone();
            context.add("sts:RoleSessionName", name.as_str());
            self.lens.ternary(caller, role, &context).is_yes()
        })
    }

    /// Whom a look at the trust policy of a role does not rule out.
    fn candidates(&self, role: PrincipalId) -> FxHashSet<PrincipalId> {
        let mut found = FxHashSet::default();
        let data = self.data();
        let Some(target) = data.principal_of(role) else { return found };
        let Some(trust) = target.trust() else { return found };
        let named = self.named.get(&*target.arn.text).map_or(&[][..], |ids| ids);
        let everybody = || data.principals().map(|(id, _)| id);
        let of_account = |account: &str| data.account(account).map_or(&[][..], |account| &account.principals);
        if data.get(trust).is_some_and(|doc| doc.policy.is_incomplete) {
            return everybody().collect();
        }
        for (_, statement) in self.lens.hits(trust, None, Effect::Allow) {
            let principals = &statement.principal;
            if principals.not {
                return everybody().collect();
            }
            if principals.anyone {
                found.extend(of_account(&target.arn.account));
                found.extend(self.broad.values().flatten());
                found.extend(named);
            }
            for (_, account) in &principals.accounts {
                found.extend(self.broad.get(&**account).into_iter().flatten());
                found.extend(named);
            }
            for principal in &principals.principals {
                found.extend(data.by_arn(principal).or_else(|| data.by_id(principal)));
                if principal.contains(":assumed-role/") {
                    found.extend(data.find(principal));
                }
            }
        }
        found
    }

    /// Everybody who can finally become a role, each by the best way: a certain one, then a short one.
    pub fn sources(&self, role: PrincipalId) -> Vec<Source> {
        let mut found = Vec::new();
        let mut certain = FxHashSet::default();
        for least in [Ternary::Yes, Ternary::Unknown] {
            // From everybody who is found, to whom it goes on.
            let mut next: FxHashMap<PrincipalId, PrincipalId> = FxHashMap::default();
            let mut order = Vec::new();
            let mut queue = VecDeque::from([role]);
            while let Some(to) = queue.pop_front() {
                for edge in self.callers(to).iter().filter(|edge| edge.value >= least) {
                    if edge.caller == role || next.contains_key(&edge.caller) {
                        continue;
                    }
                    next.insert(edge.caller, to);
                    order.push(edge.caller);
                    if self.data().principal_of(edge.caller).is_some_and(|caller| !caller.is_user) {
                        queue.push_back(edge.caller);
                    }
                }
            }
            for id in order {
                if least == Ternary::Yes {
                    certain.insert(id);
                } else if certain.contains(&id) {
                    continue;
                }
                let mut chain = Vec::new();
                let mut at = id;
                while let Some(to) = next.get(&at) {
                    chain.push(*to);
                    at = *to;
                }
                found.push(Source { id, value: least, chain });
            }
        }
        found
    }

    /// The hops of a chain, each with what it rests on.
    pub fn hops(&self, source: &Source) -> Vec<Hop> {
        let mut from = source.id;
        source
            .chain
            .iter()
            .filter_map(|to| {
                let hop = self.hop(from, *to);
                from = *to;
                hop
            })
            .collect()
    }

    /// One hop, with what it rests on.
    pub fn hop(&self, from: PrincipalId, to: PrincipalId) -> Option<Hop> {
        let caller = self.caller(from)?;
        let verdict = self.lens.of(&caller, to, &self.context);
        let is_open = verdict.value == Ternary::Unknown;
        let session_name = if is_open && self.chooses { self.session_name(&caller, to) } else { None };
        Some(Hop { from, to, verdict, session_name })
    }
}
