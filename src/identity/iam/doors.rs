//! Whom a trust policy admits beside users and roles of the exports: services, providers, other accounts, anyone.

use crate::model::ternary::Ternary;

use super::caller::Caller;
use super::context::Context;
use super::evaluate::{Lens, WITH_SAML, WITH_WEB_IDENTITY};
use super::ids::PrincipalId;
use super::logic::{Hit, Verdict};
use super::policy::Effect;

/// What kind of door it is, in the order in which doors are shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DoorKind {
    /// `*`: everybody in AWS.
    Anyone,
    /// An account of which there is no export: whoever it lets.
    Account,
    /// A user or role that no export holds.
    Stranger,
    /// An AWS service.
    Service,
    /// An OIDC provider.
    WebIdentity,
    /// A SAML provider.
    Saml,
}

impl DoorKind {
    /// The kind as JSON names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Account => "account",
            Self::Stranger => "principal",
            Self::Service => "service",
            Self::WebIdentity => "webIdentity",
            Self::Saml => "saml",
        }
    }
}

/// Somebody outside the exports, whom a trust policy admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// What kind it is.
    pub kind: DoorKind,
    /// The account, service, provider or ARN; `*` for anyone.
    pub name: Box<str>,
    /// The role that it leads to.
    pub role: PrincipalId,
    /// Whether it is open, and on what that depends.
    pub verdict: Verdict,
    /// The statement that names it.
    pub hit: Hit,
}

/// The lenses for the three actions by which roles are assumed.
#[derive(Clone, Debug)]
pub struct Lenses<'d> {
    /// `sts:AssumeRole`
    pub assume: Lens<'d>,
    web: Lens<'d>,
    saml: Lens<'d>,
}

impl<'d> Lenses<'d> {
    /// For everything that exports say.
    pub fn new(data: &'d super::account::IamData) -> Self {
        let only_trust = |action| Lens::of_trust_policies(data, action);
        Self {
            assume: Lens::new(data, super::evaluate::ASSUME_ROLE),
            web: only_trust(WITH_WEB_IDENTITY),
            saml: only_trust(WITH_SAML),
        }
    }

    /// For `sts:AssumeRoleWithWebIdentity`.
    pub fn web(&self) -> &Lens<'d> {
        &self.web
    }

    /// Whether a door is open for a session of this name.
    pub fn in_session(&self, door: &Door, name: &str) -> Ternary {
        let mut context = Context::new();
        context.add("sts:RoleSessionName", name);
        let lens = match door.kind {
            DoorKind::WebIdentity => &self.web,
            DoorKind::Saml => &self.saml,
            _ => &self.assume,
        };
        lens.caller_at(door).map_or(Ternary::No, |caller| lens.at(door, &caller, &context).value)
    }

    /// The doors to a role, those for everybody first.
    pub fn doors(&self, role: PrincipalId) -> Vec<Door> {
        let mut doors = Vec::new();
        for (lens, is_open_to) in [
            (&self.assume, &[DoorKind::Anyone, DoorKind::Account, DoorKind::Stranger, DoorKind::Service][..]),
            (&self.web, &[DoorKind::WebIdentity]),
            (&self.saml, &[DoorKind::Saml]),
        ] {
            doors.extend(lens.doors(role).into_iter().filter(|door| is_open_to.contains(&door.kind)));
        }
        doors.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        // The certain one of two statements that name the same.
        doors.dedup_by(|later, kept| {
            let same = (later.kind, &later.name) == (kept.kind, &kept.name);
            if same && later.verdict.value > kept.verdict.value {
                std::mem::swap(later, kept);
            }
            same
        });
        doors
    }
}

impl Lens<'_> {
    /// Who comes through a door.
    fn caller_at(&self, door: &Door) -> Option<Caller<'_>> {
        Some(match door.kind {
            DoorKind::Anyone => Caller::Anybody(None),
            DoorKind::Account => Caller::Anybody(Some(door.name.clone())),
            DoorKind::Stranger => self.data().caller(&door.name, None).ok()?,
            DoorKind::Service => Caller::Service(door.name.clone()),
            DoorKind::WebIdentity | DoorKind::Saml => Caller::Provider(door.name.clone()),
        })
    }

    /// Whether a door is open to a caller.
    fn at(&self, door: &Door, caller: &Caller<'_>, context: &Context) -> Verdict {
        match door.kind {
            DoorKind::Anyone | DoorKind::Account => self.through(door.hit, caller, door.role, context),
            _ => self.of(caller, door.role, context),
        }
    }

    /// The doors to a role by this action.
    fn doors(&self, role: PrincipalId) -> Vec<Door> {
        let data = self.data();
        let mut doors = Vec::new();
        let Some(target) = data.principal_of(role) else { return doors };
        let Some(trust) = target.trust() else { return doors };
        let context = Context::new();
        for (hit, statement) in self.hits(trust, None, Effect::Allow) {
            let mut add = |kind: DoorKind, name: &str, caller: Caller<'_>| {
                let verdict = match kind {
                    DoorKind::Anyone | DoorKind::Account => self.through(hit, &caller, role, &context),
                    _ => self.of(&caller, role, &context),
                };
                if verdict.value != Ternary::No {
                    doors.push(Door { kind, name: name.into(), role, verdict, hit });
                }
            };
            let principals = &statement.principal;
            if principals.not {
                continue;
            }
            if principals.anyone {
                add(DoorKind::Anyone, "*", Caller::Anybody(None));
            }
            for (_, account) in &principals.accounts {
                if data.account(account).is_none() {
                    add(DoorKind::Account, account, Caller::Anybody(Some(account.clone())));
                }
            }
            for principal in &principals.principals {
                let is_known = data.find(principal).is_some() || data.by_id(principal).is_some();
                // A unique id without a principal is what a deleted one leaves behind.
                if !is_known
                    && principal.starts_with("arn:")
                    && let Ok(caller) = data.caller(principal, None)
                {
                    add(DoorKind::Stranger, principal, caller);
                }
            }
            for service in &principals.services {
                add(DoorKind::Service, service, Caller::Service(service.clone()));
            }
            for provider in &principals.federated {
                let kind =
                    if provider.contains(":saml-provider/") { DoorKind::Saml } else { DoorKind::WebIdentity };
                add(kind, provider, Caller::Provider(provider.clone()));
            }
        }
        doors
    }
}
