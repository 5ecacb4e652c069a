//! Who may become an IAM role: `sts:AssumeRole` and its siblings, asked of the exports among the inputs.

use std::rc::Rc;

use crate::ask::behind::{Assumer, Behind, Entrance, Who};
use crate::decide::cluster::Cluster;
use crate::identity::iam::{
    Context, Door, DoorKind, Hop, IamData, Leaf, Lens, Lenses, Near, NotACaller, PrincipalId, Reach, Source,
    Verdict, Why,
};
use crate::identity::pod_roles::PodRoleVia;
use crate::model::ternary::Ternary;

/// By which action a role is assumed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// As oneself.
    AssumeRole,
    /// With the token of an OIDC provider.
    WithWebIdentity,
    /// With the assertion of a SAML provider.
    WithSaml,
}

impl Action {
    /// The action that a word means, in any case; `None` for what is no question of IAM.
    pub fn of(word: &str) -> Option<Self> {
        [Self::AssumeRole, Self::WithWebIdentity, Self::WithSaml]
            .into_iter()
            .find(|action| action.as_str().eq_ignore_ascii_case(word))
    }

    /// As IAM writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssumeRole => crate::identity::iam::ASSUME_ROLE,
            Self::WithWebIdentity => crate::identity::iam::WITH_WEB_IDENTITY,
            Self::WithSaml => crate::identity::iam::WITH_SAML,
        }
    }
}

/// Whether somebody may become a role, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumes {
    /// The verdict, with what it rests on.
    pub verdict: Verdict,
    /// For a "no": what comes nearest.
    pub near: Vec<Near>,
    /// For what is not "yes": the way over other roles, if there is one.
    pub chain: Vec<Rc<Hop>>,
}

/// Everybody who can finally become a role.
#[derive(Clone, Debug)]
pub struct WhoAssumes {
    /// Users and roles, each with the hops of its best way.
    pub principals: Vec<(Source, Vec<Rc<Hop>>)>,
    /// The ways in from outside.
    pub doors: Vec<AtDoor>,
    /// People of Identity Center, and pods.
    pub others: Vec<Assumer>,
    /// Whether pages of an export are missing, so that there may be more.
    pub may_be_more: bool,
}

/// A way in from outside.
#[derive(Clone, Debug)]
pub struct AtDoor {
    /// The door.
    pub door: Door,
    /// The role behind it, and who is become from there on.
    pub entrance: Entrance,
    /// The hops from that role.
    pub hops: Vec<Rc<Hop>>,
}

impl WhoAssumes {
    /// Yes where somebody certainly can, no where nobody can.
    pub fn ternary(&self) -> Ternary {
        let principals = self.principals.iter().map(|(source, _)| source.value);
        // Of another account only its own export can tell whom it lets.
        let own = |door: &Door| match door.kind {
            DoorKind::Account => door.verdict.value.and(Ternary::Unknown),
            _ => door.verdict.value,
        };
        let doors = self.doors.iter().map(|at| Hop::all(&at.hops).and(own(&at.door)));
        let others = self.others.iter().map(|other| other.value);
        let missing = self.may_be_more.then_some(Ternary::Unknown);
        Ternary::any(principals.chain(doors).chain(others).chain(missing))
    }
}

/// The role with an ARN; `None` where it is in no export.
pub fn role(data: &IamData, arn: &str) -> Option<PrincipalId> {
    data.role(arn)
}

/// Asks whether somebody may become a role.
///
/// # Errors
/// Where the principal is none that could call.
pub fn may(
    cluster: &Cluster,
    action: Action,
    principal: &str,
    arn: &str,
    session: Option<&str>,
    context: &Context,
) -> Result<Assumes, NotACaller> {
    let data = cluster.iam();
    let lens = Lens::new(data, action.as_str());
    let caller = lens.caller(principal, session)?;
    let Some(role) = role(data, arn) else {
        let verdict = Verdict { value: Ternary::Unknown, why: Why::Open(Leaf::Role(arn.into()), true) };
        return Ok(Assumes { verdict, near: Vec::new(), chain: Vec::new() });
    };
    let verdict = lens.of(&caller, role, context);
    let near = lens.nearest(&caller, role, context);
    let mut chain = Vec::new();
    if verdict.value != Ternary::Yes
        && action == Action::AssumeRole
        && let Some(id) = caller.principal().and_then(|own| data.find(&own.arn.text))
    {
        let reach = Reach::new(&lens, false);
        let ways = reach.sources(role).into_iter().find(|source| source.id == id && source.chain.len() > 1);
        chain = ways.map(|way| reach.hops(&way)).unwrap_or_default();
    }
    Ok(Assumes { verdict, near, chain })
}

/// Asks who can finally become a role.
pub fn who(cluster: &Cluster, action: Action, role: PrincipalId) -> WhoAssumes {
    let lenses = Lenses::new(cluster.iam());
    let reach = Reach::new(&lenses.assume, false);
    who_of(cluster, &lenses, &reach, action, role)
}

/// [`who`], for several roles of which the ways have much in common.
pub fn who_of(
    cluster: &Cluster,
    lenses: &Lenses<'_>,
    reach: &Reach<'_, '_>,
    action: Action,
    role: PrincipalId,
) -> WhoAssumes {
    let data = reach.data();
    let here = Entrance { role, chain: Vec::new() };
    let at = |door: Door, entrance: &Entrance, hops: &[Rc<Hop>]| AtDoor {
        door,
        entrance: entrance.clone(),
        hops: hops.to_vec(),
    };
    let mut doors: Vec<AtDoor> = lenses.doors(role).into_iter().map(|door| at(door, &here, &[])).collect();
    let behind = Behind::new(cluster, lenses, reach);
    let mut others = behind.of(&here);
    let may_be_more = !data.incomplete_accounts().is_empty();
    if action != Action::AssumeRole {
        let wanted = if action == Action::WithSaml { DoorKind::Saml } else { DoorKind::WebIdentity };
        doors.retain(|at| at.door.kind == wanted);
        others.retain(|other| match &other.who {
            Who::Person(_) => action == Action::WithSaml,
            Who::Pods(pods) => action == Action::WithWebIdentity && pods.via == PodRoleVia::Annotation,
            Who::Principal(_) | Who::Door(_) => false,
        });
        return WhoAssumes { principals: Vec::new(), doors, others, may_be_more: false };
    }
    let mut principals: Vec<(Source, Vec<Rc<Hop>>)> = Vec::new();
    for source in reach.sources(role) {
        let hops = reach.hops(&source);
        if data.principal_of(source.id).is_some_and(|principal| !principal.is_user) {
            let entrance = Entrance { role: source.id, chain: source.chain.clone() };
            doors.extend(lenses.doors(source.id).into_iter().map(|door| at(door, &entrance, &hops)));
            others.extend(behind.of(&entrance));
        }
        principals.push((source, hops));
    }
    let arn = |id| data.principal_of(id).map(|principal| (!principal.is_user, &*principal.arn.text));
    principals.sort_by(|(a, _), (b, _)| (b.value, arn(a.id)).cmp(&(a.value, arn(b.id))));
    doors.sort_by(|a, b| {
        let order = |at: &AtDoor| (at.door.kind, at.hops.len());
        (order(a), &a.door.name, arn(a.door.role)).cmp(&(order(b), &b.door.name, arn(b.door.role)))
    });
    WhoAssumes { principals, doors, others, may_be_more }
}
