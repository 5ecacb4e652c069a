//! Who can finally become a role: backwards from it, over everybody who may become somebody on the way.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::model::ternary::Ternary;

use super::account::IamData;
use super::allowed::Allowed;
use super::caller::Caller;
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
    allowed: Allowed<'d>,
    /// Whom roles may admit, of the roles that were looked at.
    candidates: RefCell<FxHashMap<PrincipalId, Rc<[PrincipalId]>>>,
    /// The hops that were looked at, by who becomes whom.
    hops: RefCell<FxHashMap<(Step, Step), Rc<Hop>>>,
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
    pub chain: Vec<Step>,
}

/// A role that is become on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The role.
    pub role: PrincipalId,
    /// The name that the session must have for the way to go on.
    pub session: Option<Rc<str>>,
}

impl From<PrincipalId> for Step {
    fn from(role: PrincipalId) -> Self {
        Self { role, session: None }
    }
}

/// One hop of a chain, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The ARN of who becomes it.
    pub from: Box<str>,
    /// The ARN of the role that is become.
    pub to: Box<str>,
    /// Whether, and why.
    pub verdict: Verdict,
    /// The name that the caller gives its session so that it may.
    pub session_name: Option<String>,
}

impl Hop {
    /// Whether the whole of a way is certain.
    pub fn all(hops: &[Rc<Self>]) -> Ternary {
        Ternary::all(hops.iter().map(|hop| hop.verdict.value))
    }
}

impl<'l, 'd> Reach<'l, 'd> {
    /// For questions where nothing but exports is known. With `chooses`, a caller gives its session any name that it
    /// takes.
    pub fn new(lens: &'l Lens<'d>, chooses: bool) -> Self {
        Self {
            lens,
            context: Context::new(),
            chooses,
            allowed: Allowed::new(lens),
            candidates: RefCell::default(),
            hops: RefCell::default(),
        }
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
    pub fn callers(&self, role: PrincipalId) -> Vec<Edge> {
        let candidates = self.candidates(role);
        let others = candidates.iter().copied().filter(|caller| *caller != role);
        let edges = others.map(|caller| Edge { caller, value: self.edge(caller, role) });
        edges.filter(|edge| edge.value != Ternary::No).collect()
    }

    fn caller(&self, id: PrincipalId) -> Option<Caller<'d>> {
        self.data().principal_of(id).map(|principal| Caller::Known { principal, session: None })
    }

    fn edge(&self, from: PrincipalId, to: PrincipalId) -> Ternary {
        self.caller(from).map_or(Ternary::No, |caller| self.first(&caller, to))
    }

    /// Whether a caller may become a role at once, with whatever session name does it.
    pub fn first(&self, caller: &Caller<'_>, role: PrincipalId) -> Ternary {
        self.step(caller, &role.into())
    }

    /// Whether a caller may become a role at once, in a session of a certain name where one is wanted.
    pub fn step(&self, caller: &Caller<'_>, to: &Step) -> Ternary {
        if let Some(name) = &to.session {
            return self.lens.ternary(caller, to.role, &self.named(name));
        }
        let value = self.lens.ternary(caller, to.role, &self.context);
        match if value == Ternary::Unknown { self.session_name(caller, to.role) } else { None } {
            Some((_, chosen)) => chosen,
            None => value,
        }
    }

    /// The context in which the caller names its session.
    fn named(&self, name: &str) -> Context {
        let mut context = self.context.clone();
        context.absent(SESSION_NAME);
        context.add(SESSION_NAME, name);
        context
    }

    /// Whether a caller may become a role in a session of this name.
    pub fn in_session(&self, caller: &Caller<'_>, role: PrincipalId, name: &str) -> Ternary {
        self.lens.ternary(caller, role, &self.named(name))
    }

    /// The name that a caller gives its session, where conditions ask for one, and what remains open with it.
    fn session_name(&self, caller: &Caller<'_>, role: PrincipalId) -> Option<(String, Ternary)> {
        if !self.chooses {
            return None;
        }
        let verdict = self.lens.of(caller, role, &self.context);
        let names = self.lens.session_names(caller, role, &self.context, &verdict);
        let judged = names.into_iter().map(|name| {
            let value = self.in_session(caller, role, &name);
            (name, value)
        });
        let mut best: Option<(String, Ternary)> = None;
        for (name, value) in judged {
            if value > best.as_ref().map_or(Ternary::No, |(_, value)| *value) {
                best = Some((name, value));
            }
        }
        best
    }

    /// The names of its own session with which a role may become another, where that depends on nothing else.
    fn own_sessions(&self, role: PrincipalId, to: &Step) -> Vec<Step> {
        let Some(principal) = self.data().principal_of(role).filter(|_| self.chooses) else {
            return Vec::new();
        };
        let context = to.session.as_ref().map_or_else(|| self.context.clone(), |name| self.named(name));
        let any = Caller::Known { principal, session: None };
        let verdict = self.lens.of(&any, to.role, &context);
        let names = self.lens.own_session_names(&any, to.role, &context, &verdict);
        let may = |name: &String| {
            let session = Some(name.as_str().into());
            self.step(&Caller::Known { principal, session }, to).is_yes()
        };
        let step = |name: String| Step { role, session: Some(name.into()) };
        names.into_iter().filter(may).map(step).collect()
    }

    /// Whom a look at the trust policy of a role, and at what policies allow, does not rule out; in their order.
    fn candidates(&self, role: PrincipalId) -> Rc<[PrincipalId]> {
        let known = self.candidates.borrow().get(&role).cloned();
        known.unwrap_or_else(|| {
            let found: Rc<[PrincipalId]> = self.admitted(role).into();
            self.candidates.borrow_mut().insert(role, Rc::clone(&found));
            found
        })
    }

    fn admitted(&self, role: PrincipalId) -> Vec<PrincipalId> {
        let mut found = Vec::new();
        let data = self.data();
        let Some(target) = data.principal_of(role) else { return found };
        let Some(trust) = target.trust() else { return found };
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
                self.allowed.add(target, None, &mut found);
            }
            for (_, account) in &principals.accounts {
                self.allowed.add(target, Some(account), &mut found);
            }
            for principal in &principals.principals {
                found.extend(data.by_arn(principal).or_else(|| data.by_id(principal)));
                if principal.contains(":assumed-role/") {
                    found.extend(data.find(principal));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Everybody who can finally become a role, each by the best way: a certain one, then a short one.
    pub fn sources(&self, role: PrincipalId) -> Vec<Source> {
        let end = Step::from(role);
        // Who is found already, with a session of any name.
        let mut met = Marks::new(self.data());
        // From everybody who is found, to whom it goes on, and what the way is worth.
        let mut next: FxHashMap<Step, (Step, Ternary)> = FxHashMap::default();
        let mut order: Vec<PrincipalId> = Vec::new();
        // What is not certain waits: whoever has another way needs it not.
        let mut waiting: VecDeque<(PrincipalId, Step)> = VecDeque::new();
        let mut certain = VecDeque::from([end]);
        while let Some(to) = certain.pop_front() {
            for caller in self.candidates(to.role).iter().copied() {
                if caller == to.role || caller == role || met.has(caller) {
                    continue;
                }
                let from = Step::from(caller);
                let Some(known) = self.caller(caller) else { continue };
                match self.step(&known, &to) {
                    Ternary::No => {}
                    Ternary::Unknown => {
                        waiting.push_back((caller, to.clone()));
                        // Whoever becomes that role first may choose the name that its session must have.
                        for own in self.own_sessions(caller, &to) {
                            if self.is_role(caller) && !next.contains_key(&own) {
                                next.insert(own.clone(), (to.clone(), Ternary::Yes));
                                certain.push_back(own);
                            }
                        }
                    }
                    Ternary::Yes => {
                        met.add(caller);
                        next.insert(from.clone(), (to.clone(), Ternary::Yes));
                        order.push(caller);
                        if self.is_role(caller) {
                            certain.push_back(from);
                        }
                    }
                }
            }
        }
        // Whoever waits already has the better way by it.
        for (caller, _) in &waiting {
            met.add(*caller);
        }
        while let Some((caller, to)) = waiting.pop_front() {
            let from = Step::from(caller);
            if next.contains_key(&from) {
                continue;
            }
            next.insert(from.clone(), (to, Ternary::Unknown));
            order.push(caller);
            if !self.is_role(caller) {
                continue;
            }
            for further in self.candidates(caller).iter().copied() {
                let is_new = further != caller && further != role && !met.has(further);
                if is_new && self.edge(further, caller) != Ternary::No {
                    met.add(further);
                    waiting.push_back((further, from.clone()));
                }
            }
        }
        let source = |id: &PrincipalId| {
            let (mut chain, mut at) = (Vec::new(), Step::from(*id));
            let value = next.get(&at).map_or(Ternary::No, |(_, value)| *value);
            while let Some((to, _)) = next.get(&at) {
                chain.push(to.clone());
                at = to.clone();
            }
            Source { id: *id, value, chain }
        };
        order.iter().map(source).collect()
    }

    fn is_role(&self, id: PrincipalId) -> bool {
        self.data().principal_of(id).is_some_and(|principal| !principal.is_user)
    }

    /// The hops of a chain, each with what it rests on.
    pub fn hops(&self, source: &Source) -> Vec<Rc<Hop>> {
        self.caller(source.id).map(|caller| self.hops_of(&caller, &source.chain)).unwrap_or_default()
    }

    /// The hops from a caller over these roles.
    pub fn hops_of(&self, caller: &Caller<'_>, chain: &[Step]) -> Vec<Rc<Hop>> {
        let Some((first, rest)) = chain.split_first() else { return Vec::new() };
        let own = match caller {
            Caller::Known { principal, session } => {
                Some(Step { role: principal.number, session: session.as_deref().map(Into::into) })
            }
            _ => None,
        };
        let mut hops = vec![match own {
            Some(own) => self.hop_of(own, caller, first),
            None => Rc::new(self.hop(caller, first)),
        }];
        for (from, to) in chain.iter().zip(rest) {
            let Some(principal) = self.data().principal_of(from.role) else { break };
            let session = from.session.as_deref().map(Into::into);
            hops.push(self.hop_of(from.clone(), &Caller::Known { principal, session }, to));
        }
        hops
    }

    /// A hop from a caller of the exports: many ways have hops in common.
    fn hop_of(&self, from: Step, caller: &Caller<'_>, to: &Step) -> Rc<Hop> {
        let both = (from, to.clone());
        if let Some(known) = self.hops.borrow().get(&both) {
            return Rc::clone(known);
        }
        let hop = Rc::new(self.hop(caller, to));
        self.hops.borrow_mut().insert(both, Rc::clone(&hop));
        hop
    }

    /// One hop, with what it rests on.
    pub fn hop(&self, caller: &Caller<'_>, to: &Step) -> Hop {
        let target = self.data().principal_of(to.role).map_or("", |role| &role.arn.text);
        let (from, to_arn) = (caller.to_string().into(), target.into());
        let chosen = match &to.session {
            Some(name) => Some(name.to_string()),
            None if self.lens.ternary(caller, to.role, &self.context) == Ternary::Unknown => {
                self.session_name(caller, to.role).map(|(name, _)| name)
            }
            None => None,
        };
        let verdict = match &chosen {
            Some(name) => self.lens.of(caller, to.role, &self.named(name)),
            None => self.lens.of(caller, to.role, &self.context),
        };
        Hop { from, to: to_arn, verdict, session_name: chosen }
    }
}

/// Users and roles that were met.
struct Marks(Vec<bool>);

impl Marks {
    fn new(data: &IamData) -> Self {
        Self(vec![false; data.principals().count()])
    }

    fn has(&self, id: PrincipalId) -> bool {
        self.0.get(id.0 as usize).copied().unwrap_or(false)
    }

    fn add(&mut self, id: PrincipalId) {
        if let Some(mark) = self.0.get_mut(id.0 as usize) {
            *mark = true;
        }
    }
}

/// The key of the name that a caller gives its session.
const SESSION_NAME: &str = "sts:RoleSessionName";
