//! Whether somebody may become a role: trust policy, identity policies, boundary, and every explicit deny.

use crate::model::ternary::Ternary;

use super::account::IamData;
use super::applies::{applies, conditions};
use super::caller::{Caller, NotACaller};
use super::context::{Asking, Context, Target};
use super::ids::{DocId, GroupId, PrincipalId};
use super::logic::{Hit, Leaf, Logic, Verdict};
use super::names::{ALL, Kind, names, names_or_anyone};
use super::policy::{Effect, Principals, Statement};
use super::principal::{Boundary, Principal};
use super::some_arn::SomeArn;

/// Policies, each with the group through which it reaches somebody.
type Policies = Box<[(DocId, Option<GroupId>)]>;

/// Tells whether principals name somebody.
type Names<'n> = &'n dyn Fn(&Principals) -> bool;

/// The statements about one action, found once for all questions about it.
#[derive(Clone, Debug)]
pub struct Lens<'d> {
    pub(super) data: &'d IamData,
    /// The action in lower case.
    action: String,
    docs: Vec<Filtered>,
    /// Of every user and role the policies that say something of the action.
    relevant: Vec<Policies>,
}

/// The statements of a policy about an action.
#[derive(Clone, Debug, Default)]
struct Filtered {
    allow: Box<[u32]>,
    deny: Box<[u32]>,
}

impl Filtered {
    fn new(statements: &[Statement], action: &str) -> Self {
        let about = |effect: Effect| -> Box<[u32]> {
            (0u32..)
                .zip(statements)
                .filter(|(_, statement)| statement.effect == effect && statement.action.matches(action))
                .map(|(number, _)| number)
                .collect()
        };
        Self { allow: about(Effect::Allow), deny: about(Effect::Deny) }
    }
}

/// The action of becoming a role as oneself.
pub const ASSUME_ROLE: &str = "sts:AssumeRole";
/// The action of becoming a role with the token of an OIDC provider.
pub const WITH_WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";
/// The action of becoming a role with the assertion of a SAML provider.
pub const WITH_SAML: &str = "sts:AssumeRoleWithSAML";
/// The service by which pods become a role that EKS associates with their service account.
pub const POD_IDENTITY: &str = "pods.eks.amazonaws.com";

impl<'d> Lens<'d> {
    /// Finds the statements about an action.
    pub fn new(data: &'d IamData, action: &str) -> Self {
        let action = action.to_ascii_lowercase();
        let docs: Vec<Filtered> =
            data.docs().iter().map(|doc| Filtered::new(&doc.policy.statements, &action)).collect();
        let says_something = |(doc, _): &(DocId, Option<GroupId>)| {
            docs.get(doc.0 as usize).is_some_and(|doc| !doc.allow.is_empty() || !doc.deny.is_empty())
        };
        let relevant = data
            .principals()
            .map(|(_, principal)| principal.policies.iter().copied().filter(says_something).collect())
            .collect();
        Self { data, action, docs, relevant }
    }

    /// Finds the statements of trust policies about an action, and no others: enough for whoever is no IAM principal.
    pub fn of_trust_policies(data: &'d IamData, action: &str) -> Self {
        let action = action.to_ascii_lowercase();
        let mut docs = vec![Filtered::default(); data.docs().len()];
        for trust in data.principals().filter_map(|(_, principal)| principal.trust) {
            if let (Some(doc), Some(filtered)) = (data.get(trust), docs.get_mut(trust.0 as usize)) {
                *filtered = Filtered::new(&doc.policy.statements, &action);
            }
        }
        Self { data, action, docs, relevant: Vec::new() }
    }

    /// The exports that it looks at.
    pub fn data(&self) -> &'d IamData {
        self.data
    }

    pub(super) fn hits(
        &self,
        doc: DocId,
        group: Option<GroupId>,
        effect: Effect,
    ) -> impl Iterator<Item = (Hit, &'d Statement)> + use<'_, 'd> {
        let filtered = self.docs.get(doc.0 as usize);
        let numbers = filtered.map_or(&[][..], |doc| match effect {
            Effect::Allow => &doc.allow,
            Effect::Deny => &doc.deny,
        });
        numbers.iter().filter_map(move |number| {
            let hit = Hit { doc, statement: *number, group };
            Some((hit, self.data.statement(hit)?))
        })
    }

    /// The statements of somebody's own policies and those of his groups.
    pub(super) fn identity_hits(
        &self,
        id: PrincipalId,
        effect: Effect,
    ) -> impl Iterator<Item = (Hit, &'d Statement)> + use<'_, 'd> {
        let relevant = self.relevant.get(id.0 as usize);
        let policies = relevant.map_or(&[][..], |policies| policies);
        policies.iter().flat_map(move |(doc, group)| self.hits(*doc, *group, effect))
    }

    /// Whether somebody may become a role, with what that rests on.
    ///
    /// # Errors
    /// Where the principal is none that could call.
    pub fn may(
        &self,
        principal: &str,
        role: &str,
        session: Option<&str>,
        context: &Context,
    ) -> Result<Verdict, NotACaller> {
        let caller = self.caller(principal, session)?;
        let Some(id) = self.data.find(role).filter(|id| self.is_role(*id)) else {
            return Ok(Verdict::open(|| Leaf::Role(role.into())));
        };
        Ok(self.of(&caller, id, context))
    }

    /// Who calls. Some providers are named by their host, as services are.
    ///
    /// # Errors
    /// For what cannot call.
    pub fn caller(&self, principal: &str, session: Option<&str>) -> Result<Caller<'d>, NotACaller> {
        Ok(match self.data.caller(principal, session)? {
            Caller::Service(name) if self.action != "sts:assumerole" => Caller::Provider(name),
            caller => caller,
        })
    }

    fn is_role(&self, id: PrincipalId) -> bool {
        self.data.principal_of(id).is_some_and(|principal| !principal.is_user)
    }

    /// Whether a caller may become a role, with what that rests on.
    pub fn of(&self, caller: &Caller<'_>, role: PrincipalId, context: &Context) -> Verdict {
        self.decide(caller, role, context)
    }

    /// Whether a caller may become a role.
    pub fn ternary(&self, caller: &Caller<'_>, role: PrincipalId, context: &Context) -> Ternary {
        self.decide(caller, role, context)
    }

    /// Whether a caller may do the action to some other resource, as far as its own policies say.
    pub fn on_resource(&self, caller: &Caller<'_>, resource: &str, context: &Context) -> Verdict {
        self.on(&Asking { caller, target: Target::Resource(resource), context })
    }

    /// The same for a resource of which only a part of the ARN is known.
    pub fn on_some(&self, caller: &Caller<'_>, some: &SomeArn, context: &Context) -> Verdict {
        self.on(&Asking { caller, target: Target::Some(some), context })
    }

    fn on(&self, asking: &Asking<'_>) -> Verdict {
        let allowed: Verdict = self.identity::<Verdict>(asking).and(|| self.boundary(asking));
        allowed.and(|| self.identity_deny::<Verdict>(asking).not())
    }

    fn decide<L: Logic>(&self, caller: &Caller<'_>, role: PrincipalId, context: &Context) -> L {
        let Some(target) = self.data.principal_of(role) else { return L::certain(false) };
        let Some(trust) = target.trust else {
            return L::open(|| Leaf::Role(target.arn.text.clone()));
        };
        let asking = Asking { caller, target: Target::Role(target), context };
        let unread = self.data.get(trust).is_some_and(|doc| doc.policy.is_incomplete);
        // What could not be read of a trust policy may allow, and may deny.
        let unread = || if unread { L::open(|| Leaf::Unread(trust)) } else { L::certain(false) };
        match caller {
            Caller::Service(name) => {
                let granted = self.service::<L>(trust, &asking, name, &unread);
                // EKS Pod Identity passes session tags, for which a session needs a permission of its own.
                if &**name == POD_IDENTITY
                    && self.action == "sts:assumerole"
                    && !context.has_no_session_tags()
                {
                    return granted.and(|| self.tag_session::<L>(trust, &asking, name, &unread));
                }
                granted
            }
            Caller::Provider(arn) => {
                let names =
                    |principals: &Principals| principals.federated.iter().any(|other| **other == **arn);
                self.by_trust_alone::<L>(trust, &asking, (&names, &names_or_anyone(&names)), &unread)
            }
            Caller::Anybody(_) => L::certain(false),
            Caller::Known { .. } | Caller::Stranger(_) => self.principal(trust, target, &asking, &unread),
        }
    }

    /// Whether a user or role may become a role.
    fn principal<L: Logic>(
        &self,
        trust: DocId,
        target: &Principal,
        asking: &Asking<'_>,
        unread: &dyn Fn() -> L,
    ) -> L {
        let caller = asking.caller;
        let same = *caller.account() == *target.arn.account && *caller.partition() == *target.arn.partition;
        let by = |kinds: &[Kind]| -> L { self.trusted::<L>(trust, Effect::Allow, kinds, asking).or(unread) };
        let own = || self.identity::<L>(asking).and(|| self.boundary(asking));
        let granted = if !same {
            by(&ALL).and(own)
        } else if caller.is_user() {
            by(&[Kind::Exact, Kind::Anyone]).or(|| by(&[Kind::Account]).and(own))
        } else {
            by(&[Kind::Exact, Kind::Anyone])
                .or(|| by(&[Kind::Role]).and(|| self.boundary(asking)))
                .or(|| by(&[Kind::Account]).and(own))
        };
        granted.and(|| {
            let denied: L = self.trusted(trust, Effect::Deny, &ALL, asking);
            denied.or(unread).or(|| self.identity_deny(asking)).not()
        })
    }

    /// Whether somebody who is named by a statement as one of many passes its conditions and every deny that is for all
    /// of them.
    pub(super) fn through(
        &self,
        hit: Hit,
        caller: &Caller<'_>,
        role: PrincipalId,
        context: &Context,
    ) -> Verdict {
        let target = self.data.principal_of(role);
        let (Some(statement), Some(target)) = (self.data.statement(hit), target) else {
            return Verdict::certain(false);
        };
        let asking = Asking { caller, target: Target::Role(target), context };
        let passes: Verdict = conditions::<Verdict>(hit, statement, &asking).of_statement(hit);
        passes.and(|| self.trusted::<Verdict>(hit.doc, Effect::Deny, &ALL, &asking).not())
    }

    /// Whether any statement of a trust policy lets the caller in, as far as that policy goes.
    pub(super) fn is_trusted(&self, trust: DocId, asking: &Asking<'_>) -> bool {
        self.trusted::<Ternary>(trust, Effect::Allow, &ALL, asking) != Ternary::No
    }

    /// Whether the caller's own policies may allow it.
    pub(super) fn is_allowed(&self, asking: &Asking<'_>) -> bool {
        self.identity::<Ternary>(asking) != Ternary::No
    }

    /// Whether a statement is about the action.
    pub(super) fn is_about(&self, statement: &Statement) -> bool {
        statement.action.matches(&self.action)
    }

    /// "Or" over the statements of a trust policy that name a caller in one of these ways.
    fn trusted<L: Logic>(&self, trust: DocId, effect: Effect, kinds: &[Kind], asking: &Asking<'_>) -> L {
        let mut found = L::certain(false);
        for (hit, statement) in self.hits(trust, None, effect) {
            found = found.or(|| {
                let named: L = names(hit, statement, kinds, asking.caller);
                named.and(|| conditions(hit, statement, asking)).of_statement(hit)
            });
        }
        found
    }

    /// What nobody knows of a caller's policies: each may allow, and may deny.
    fn missing<L: Logic>(caller: &Caller<'_>) -> L {
        let stranger = caller.missing();
        let known = caller.principal().map_or(&[][..], |principal| &principal.missing);
        let mut found = L::certain(false);
        for leaf in stranger.iter().chain(known) {
            found = found.or(|| L::open(|| leaf.clone()));
        }
        found
    }

    /// Whether the caller's own policies allow it.
    fn identity<L: Logic>(&self, asking: &Asking<'_>) -> L {
        let mut found = L::certain(false);
        if let Some(id) = asking.caller.principal().map(|principal| principal.number) {
            for (hit, statement) in self.identity_hits(id, Effect::Allow) {
                found = found.or(|| applies(hit, statement, asking));
            }
        }
        found.or(|| Self::missing(asking.caller))
    }

    /// Whether the caller's own policies, or its boundary, deny it.
    fn identity_deny<L: Logic>(&self, asking: &Asking<'_>) -> L {
        let mut found = L::certain(false);
        if let Some(id) = asking.caller.principal().map(|principal| principal.number) {
            for (hit, statement) in self.identity_hits(id, Effect::Deny) {
                found = found.or(|| applies(hit, statement, asking));
            }
        }
        let boundary = asking.caller.principal().map_or(&Boundary::None, |principal| &principal.boundary);
        match boundary {
            Boundary::None => {}
            Boundary::Missing(arn) => found = found.or(|| L::open(|| Leaf::Boundary(arn.clone()))),
            Boundary::Doc(doc) => {
                for (hit, statement) in self.hits(*doc, None, Effect::Deny) {
                    found = found.or(|| applies(hit, statement, asking));
                }
                found = found.or(|| self.unread(*doc));
            }
        }
        found.or(|| Self::missing(asking.caller))
    }

    /// Whether the caller's boundary allows it; where there is none, yes.
    fn boundary<L: Logic>(&self, asking: &Asking<'_>) -> L {
        let boundary = asking.caller.principal().map_or(&Boundary::None, |principal| &principal.boundary);
        match boundary {
            Boundary::None => L::certain(true),
            Boundary::Missing(arn) => L::open(|| Leaf::Boundary(arn.clone())),
            Boundary::Doc(doc) => {
                let mut found = L::certain(false);
                for (hit, statement) in self.hits(*doc, None, Effect::Allow) {
                    found = found.or(|| applies(hit, statement, asking));
                }
                found.or(|| self.unread(*doc))
            }
        }
    }

    fn unread<L: Logic>(&self, doc: DocId) -> L {
        let is_unread = self.data.get(doc).is_some_and(|doc| doc.policy.is_incomplete);
        if is_unread { L::open(|| Leaf::Unread(doc)) } else { L::certain(false) }
    }

    /// Whether a trust policy admits a service.
    fn service<L: Logic>(&self, trust: DocId, asking: &Asking<'_>, name: &str, unread: &dyn Fn() -> L) -> L {
        let names = |principals: &Principals| names_service(principals, name);
        self.by_trust_alone(trust, asking, (&names, &names), unread)
    }

    fn tag_session<L: Logic>(
        &self,
        trust: DocId,
        asking: &Asking<'_>,
        name: &str,
        unread: &dyn Fn() -> L,
    ) -> L {
        let names = |principals: &Principals| names_service(principals, name);
        let Some(doc) = self.data.get(trust) else { return L::certain(false) };
        let any = |effect: Effect| -> L {
            let about = (0u32..).zip(&doc.policy.statements).filter(|(_, statement)| {
                statement.effect == effect && statement.action.matches("sts:tagsession")
            });
            let hits =
                about.map(|(number, found)| (Hit { doc: trust, statement: number, group: None }, found));
            any_naming(hits, asking, &names)
        };
        any(Effect::Allow).or(unread).and(|| any(Effect::Deny).or(unread).not())
    }

    /// Who is no IAM principal has no policies of his own. `names` tells whom statements that allow name, and whom
    /// those that deny.
    fn by_trust_alone<L: Logic>(
        &self,
        trust: DocId,
        asking: &Asking<'_>,
        names: (Names<'_>, Names<'_>),
        unread: &dyn Fn() -> L,
    ) -> L {
        let any = |effect: Effect, names| any_naming(self.hits(trust, None, effect), asking, names);
        let allowed: L = any(Effect::Allow, names.0);
        allowed.or(unread).and(|| any(Effect::Deny, names.1).or(unread).not())
    }
}

fn names_service(principals: &Principals, name: &str) -> bool {
    principals.anyone || principals.services.iter().any(|service| **service == *name)
}

/// "Or" over statements that name somebody.
fn any_naming<'s, L: Logic>(
    hits: impl Iterator<Item = (Hit, &'s Statement)>,
    asking: &Asking<'_>,
    names: Names<'_>,
) -> L {
    let mut found = L::certain(false);
    for (hit, statement) in hits {
        found = found.or(|| {
            let named = if statement.principal.not {
                L::open(|| Leaf::NotPrincipal(hit))
            } else {
                L::certain(names(&statement.principal))
            };
            named.and(|| conditions(hit, statement, asking)).of_statement(hit)
        });
    }
    found
}
