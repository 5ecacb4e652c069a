//! Whom policies allow which roles, as far as resources say: so that few need be asked about each role.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::account::IamData;
use super::caller::Caller;
use super::context::{Asking, Context, Target};
use super::evaluate::Lens;
use super::ids::{DocId, PrincipalId};
use super::pattern::ArnText;
use super::policy::{Effect, Resources, Statement};
use super::principal::Principal;

/// Users or roles by their account.
type ByAccount<'d> = FxHashMap<&'d str, Vec<PrincipalId>>;

/// Whom policies allow which roles, as far as resources say: the trust policies of roles come on top.
#[derive(Debug, Default)]
pub(super) struct Allowed<'d> {
    /// By role, those who are allowed this one and few others.
    named: FxHashMap<PrincipalId, Vec<PrincipalId>>,
    /// Resources that mean many roles, each once.
    wide: Vec<Wide<'d>>,
    /// Those of whom no resource tells which roles they are allowed: each must be asked about.
    any: ByAccount<'d>,
}

/// Resources that mean many roles, with those who are allowed them.
#[derive(Debug)]
struct Wide<'d> {
    resources: &'d Resources,
    callers: ByAccount<'d>,
}

/// The roles that a statement is about.
#[derive(Clone, Debug)]
enum About {
    /// Many, and nobody knows which before he looks at each.
    Any,
    /// Those that these resources mean.
    Wide(usize),
    These(Rc<[PrincipalId]>),
}

impl<'d> Allowed<'d> {
    pub(super) fn new(lens: &Lens<'d>) -> Self {
        let data = lens.data();
        let mut allowed = Self::default();
        let roles = Roles::new(data);
        let mut known: FxHashMap<(DocId, u32), About> = FxHashMap::default();
        // Resources that are written alike, nearly always in the same way.
        let mut alike: FxHashMap<&'d [Box<str>], Vec<usize>> = FxHashMap::default();
        for (id, principal) in data.principals() {
            let mut is_any = !principal.missing.is_empty();
            let caller = Caller::Known { principal, session: None };
            for (hit, statement) in lens.identity_hits(id, Effect::Allow) {
                if is_any {
                    break;
                }
                let about = if statement.resource.has_variables() {
                    roles.about(statement, &caller).map_or(About::Any, About::These)
                } else {
                    let known = known.entry((hit.doc, hit.statement));
                    let about = known.or_insert_with(|| match roles.about(statement, &caller) {
                        Some(these) => About::These(these),
                        None => About::Wide(allowed.wide(&statement.resource, &mut alike)),
                    });
                    about.clone()
                };
                match about {
                    About::Any => is_any = true,
                    About::Wide(number) => {
                        if let Some(wide) = allowed.wide.get_mut(number) {
                            push(wide.callers.entry(&principal.arn.account).or_default(), id);
                        }
                    }
                    About::These(these) => {
                        these.iter().for_each(|role| push(allowed.named.entry(*role).or_default(), id));
                    }
                }
            }
            if is_any {
                allowed.any.entry(&principal.arn.account).or_default().push(id);
            }
        }
        allowed
    }

    /// The number of resources that mean many roles.
    fn wide(&mut self, resources: &'d Resources, alike: &mut FxHashMap<&'d [Box<str>], Vec<usize>>) -> usize {
        let alike = alike.entry(&resources.written).or_default();
        let is_same =
            |number: &&usize| self.wide.get(**number).is_some_and(|wide| wide.resources == resources);
        if let Some(number) = alike.iter().find(is_same) {
            return *number;
        }
        let number = self.wide.len();
        alike.push(number);
        self.wide.push(Wide { resources, callers: ByAccount::default() });
        number
    }

    /// Adds those of an account, or of all, whose policies may allow a role; some more may be among them.
    pub(super) fn add(&self, role: &Principal, account: Option<&str>, found: &mut Vec<PrincipalId>) {
        let mut of = |callers: &ByAccount<'d>| match account {
            Some(account) => found.extend(callers.get(account).into_iter().flatten()),
            None => found.extend(callers.values().flatten()),
        };
        of(&self.any);
        let arn = ArnText::new(&role.arn.text);
        for wide in &self.wide {
            if arn.as_ref().is_none_or(|arn| wide.resources.may_match(arn)) {
                of(&wide.callers);
            }
        }
        found.extend(self.named.get(&role.number).into_iter().flatten());
    }
}

/// Adds somebody who may be the last already.
fn push(all: &mut Vec<PrincipalId>, id: PrincipalId) {
    if all.last() != Some(&id) {
        all.push(id);
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

    /// The roles that a statement is about; `None` where they are many.
    fn about(&self, statement: &Statement, caller: &Caller<'_>) -> Option<Rc<[PrincipalId]>> {
        if statement.resource.not {
            return None;
        }
        let context = Context::new();
        // Whatever depends on the role is not known before there is one.
        let asking = Asking { caller, target: Target::SomeRole, context: &context };
        let mut found = Vec::new();
        for pattern in &statement.resource.patterns {
            let Some(glob) = pattern.widest(&asking) else { continue };
            let beginning = glob.resource_beginning()?;
            let start = self.0.partition_point(|(arn, _)| arn.resource() < &*beginning);
            let rest = self.0.get(start..).unwrap_or_default();
            let range = rest.iter().take_while(|(arn, _)| arn.resource().starts_with(&*beginning));
            let matching = range.filter(|(arn, _)| glob.matches(arn)).map(|(_, id)| *id);
            found.extend(matching);
            if found.len() > 16 + self.0.len() / 16 {
                return None;
            }
        }
        Some(found.into())
    }
}
