//! Who can finally become a role: backwards from it, over everybody who may become somebody on the way.

use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::model::ternary::Ternary;

use super::account::IamData;
use super::caller::Caller;
use super::context::{Asking, Context, Target};
use super::evaluate::Lens;
use super::ids::{DocId, PrincipalId};
use super::logic::Verdict;
use super::pattern::ArnText;
use super::policy::{Effect, Statement};

/// The way from callers to roles: who may become what, found as it is asked for.
#[derive(Debug)]
pub struct Reach<'l, 'd> {
    lens: &'l Lens<'d>,
    context: Context,
    /// Whether a caller chooses the name of its session so that it may.
    chooses: bool,
    allowed: Allowed<'d>,
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
    pub fn all(hops: &[Self]) -> Ternary {
        Ternary::all(hops.iter().map(|hop| hop.verdict.value))
    }
}

impl<'l, 'd> Reach<'l, 'd> {
    /// For questions where nothing but exports is known. With `chooses`, a caller gives its session any name that it
    /// takes.
    pub fn new(lens: &'l Lens<'d>, chooses: bool) -> Self {
        Self { lens, context: Context::new(), chooses, allowed: Allowed::new(lens) }
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
        let candidates = self.candidates(role).into_iter().filter(|caller| *caller != role);
        let edges = candidates.map(|caller| Edge { caller, value: self.edge(caller, role) });
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
    fn candidates(&self, role: PrincipalId) -> Vec<PrincipalId> {
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
                found.extend(self.allowed.of_all_accounts());
            }
            for (_, account) in &principals.accounts {
                found.extend(self.allowed.of_account(account));
            }
            if principals.anyone || !principals.accounts.is_empty() {
                found.extend(self.allowed.by_name(role));
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
        // From everybody who is found, to whom it goes on, and what the way is worth.
        let mut next: FxHashMap<Step, (Step, Ternary)> = FxHashMap::default();
        let mut order: Vec<PrincipalId> = Vec::new();
        // What is not certain waits: whoever has another way needs it not.
        let mut waiting: VecDeque<(PrincipalId, Step)> = VecDeque::new();
        let mut certain = VecDeque::from([end]);
        while let Some(to) = certain.pop_front() {
            for caller in self.candidates(to.role) {
                let from = Step::from(caller);
                if caller == to.role || caller == role || next.contains_key(&from) {
                    continue;
                }
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
                        next.insert(from.clone(), (to.clone(), Ternary::Yes));
                        order.push(caller);
                        if self.is_role(caller) {
                            certain.push_back(from);
                        }
                    }
                }
            }
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
            for further in self.candidates(caller) {
                let is_new = further != caller && further != role && !next.contains_key(&Step::from(further));
                if is_new && self.edge(further, caller) != Ternary::No {
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
    pub fn hops(&self, source: &Source) -> Vec<Hop> {
        self.caller(source.id).map(|caller| self.hops_of(&caller, &source.chain)).unwrap_or_default()
    }

    /// The hops from a caller over these roles.
    pub fn hops_of(&self, caller: &Caller<'_>, chain: &[Step]) -> Vec<Hop> {
        let mut hops = Vec::new();
        let mut from = Some(caller.clone());
        for to in chain {
            let Some(caller) = from else { break };
            hops.push(self.hop(&caller, to));
            let session = to.session.as_deref().map(Into::into);
            from = self.data().principal_of(to.role).map(|principal| Caller::Known { principal, session });
        }
        hops
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

/// The key of the name that a caller gives its session.
const SESSION_NAME: &str = "sts:RoleSessionName";

/// Whom policies allow which roles, as far as resources say: the trust policies of roles come on top.
#[derive(Debug, Default)]
struct Allowed<'d> {
    /// By account, those who are allowed so many roles that each must be asked about.
    broad: FxHashMap<&'d str, Vec<PrincipalId>>,
    /// By role, those who are allowed this one and few others.
    named: FxHashMap<PrincipalId, Vec<PrincipalId>>,
}

/// The roles that a statement is about.
#[derive(Clone, Debug)]
enum About {
    Many,
    These(Rc<[PrincipalId]>),
}

impl<'d> Allowed<'d> {
    fn new(lens: &Lens<'d>) -> Self {
        let data = lens.data();
        let mut allowed = Self::default();
        let roles = Roles::new(data);
        let mut known: FxHashMap<(DocId, u32), About> = FxHashMap::default();
        for (id, principal) in data.principals() {
            let mut is_broad = !principal.missing.is_empty();
            let caller = Caller::Known { principal, session: None };
            for (hit, statement) in lens.identity_hits(id, Effect::Allow) {
                if is_broad {
                    break;
                }
                let about = if statement.resource.has_variables() {
                    roles.about(statement, &caller)
                } else {
                    let known = known.entry((hit.doc, hit.statement));
                    known.or_insert_with(|| roles.about(statement, &caller)).clone()
                };
                match about {
                    About::Many => is_broad = true,
                    About::These(these) => {
                        for role in &*these {
                            let all = allowed.named.entry(*role).or_default();
                            if all.last() != Some(&id) {
                                all.push(id);
                            }
                        }
                    }
                }
            }
            if is_broad {
                allowed.broad.entry(&principal.arn.account).or_default().push(id);
            }
        }
        allowed
    }

    fn of_account(&self, account: &str) -> &[PrincipalId] {
        self.broad.get(account).map_or(&[], |ids| ids)
    }

    fn of_all_accounts(&self) -> impl Iterator<Item = &PrincipalId> {
        self.broad.values().flatten()
    }

    fn by_name(&self, role: PrincipalId) -> &[PrincipalId] {
        self.named.get(&role).map_or(&[], |ids| ids)
    }
}

/// All roles in the order of their resource part, so that those that begin alike stand together.
struct Roles<'d>(Vec<(ArnText<'d>, PrincipalId)>);

impl<'d> Roles<'d> {
    fn new(data: &'d IamData) -> Self {
        let roles = data.principals().filter(|(_, principal)| !principal.is_user);
        let mut roles: Vec<_> =
            roles.filter_map(|(id, role)| Some((ArnText::new(&role.arn.text)?, id))).collect();
        roles.sort_by(|(a, _), (b, _)| a.resource().cmp(b.resource()));
        Self(roles)
    }

    fn about(&self, statement: &Statement, caller: &Caller<'_>) -> About {
        if statement.resource.not {
            return About::Many;
        }
        let context = Context::new();
        // Whatever depends on the role is not known before there is one.
        let asking = Asking { caller, target: Target::SomeRole, context: &context };
        let mut found = Vec::new();
        for pattern in &statement.resource.patterns {
            let Some(glob) = pattern.widest(&asking) else { continue };
            let Some(beginning) = glob.resource_beginning() else { return About::Many };
            let start = self.0.partition_point(|(arn, _)| arn.resource() < beginning.as_str());
            let rest = self.0.get(start..).unwrap_or_default();
            let range = rest.iter().take_while(|(arn, _)| arn.resource().starts_with(&beginning));
            let matching = range.filter(|(arn, _)| glob.matches(arn)).map(|(_, id)| *id);
            found.extend(matching);
            if found.len() > 16 + self.0.len() / 16 {
                return About::Many;
            }
        }
        About::These(found.into())
    }
}
