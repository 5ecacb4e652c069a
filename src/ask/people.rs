//! From people to mapped roles and back: who stands behind an identity of the cluster, and which identities somebody may
//! become.

use std::rc::Rc;

use crate::ask::assume_role::{self, Action, AtDoor, WhoAssumes};
use crate::ask::behind::{Assumer, Behind, SessionName, Who};
use crate::decide::cluster::Cluster;
use crate::identity::Reach as MappingReach;
use crate::identity::iam::{Caller, DoorKind, Hop, Lenses, PrincipalId, Reach, Step};
use crate::model::ternary::Ternary;

/// The ways between people and the identities that a cluster maps.
#[derive(Debug)]
pub struct People<'l, 'c> {
    cluster: &'c Cluster,
    lenses: &'l Lenses<'c>,
    reach: Reach<'l, 'c>,
    /// The mapped roles that an export holds, each by the ARN of its mapping.
    mapped: Vec<(String, PrincipalId)>,
}

/// A mapped role that somebody may become.
#[derive(Clone, Debug)]
pub struct Becoming {
    /// The ARN as mapped.
    pub arn: String,
    /// The role.
    pub role: PrincipalId,
    /// Whether it may: unknown where conditions decide that it does not choose itself.
    pub value: Ternary,
    /// The way.
    pub hops: Vec<Rc<Hop>>,
    /// The name of the session in which it arrives, where a condition leaves it no choice.
    pub session_name: Option<String>,
}

impl<'l, 'c> People<'l, 'c> {
    /// For a cluster, through lenses on its exports of IAM.
    pub fn new(cluster: &'c Cluster, lenses: &'l Lenses<'c>) -> Self {
        let data = cluster.iam();
        let mut mapped = Vec::new();
        for identity in cluster.identities().identities() {
            if let MappingReach::Callers(_) = identity.reach
                && let Some(role) = assume_role::role(data, identity.arn)
            {
                mapped.push((identity.arn.to_owned(), role));
            }
        }
        Self { cluster, lenses, reach: Reach::new(&lenses.assume, true), mapped }
    }

    /// The mapped roles that somebody may become, in the order of the mappings; nothing for what is no principal.
    pub fn may_become(&self, arn: &str, session: Option<&str>) -> Vec<Becoming> {
        let Ok(caller) = self.cluster.iam().caller(arn, session) else { return Vec::new() };
        self.mapped.iter().filter_map(|(mapped, role)| self.becoming(&caller, mapped, *role)).collect()
    }

    fn becoming(&self, caller: &Caller<'_>, mapped: &str, role: PrincipalId) -> Option<Becoming> {
        let own = caller.principal().and_then(|own| self.cluster.iam().find(&own.arn.text));
        if own == Some(role) {
            return None;
        }
        let mut best: Option<(Ternary, Vec<Step>)> = None;
        let mut consider = |value: Ternary, chain: Vec<Step>| {
            let is_better = best.as_ref().is_none_or(|(known, way)| {
                (value, std::cmp::Reverse(chain.len())) > (*known, std::cmp::Reverse(way.len()))
            });
            if value != Ternary::No && is_better {
                best = Some((value, chain));
            }
        };
        consider(self.reach.first(caller, role), vec![role.into()]);
        for source in self.reach.sources(role) {
            // An ARN of a role stands for any session; one of a session may have a better way.
            let is_own = Some(source.id) == own;
            if is_own && caller.session().is_none() {
                consider(source.value, source.chain.clone());
            }
            if is_own || !self.is_role(source.id) {
                continue;
            }
            let first = self.reach.first(caller, source.id);
            let chain = std::iter::once(source.id.into()).chain(source.chain.iter().cloned()).collect();
            consider(first.and(source.value), chain);
        }
        let (value, chain) = best?;
        let hops = self.reach.hops_of(caller, &chain);
        let session_name = hops.last().and_then(|hop| hop.session_name.clone());
        Some(Becoming { arn: mapped.to_owned(), role, value, hops, session_name })
    }

    /// The same way into a session of another name, as far as the caller may choose it.
    pub fn in_session(&self, way: &Becoming, name: &str) -> Option<Becoming> {
        let (last, before) = way.hops.split_last()?;
        let session = before.last().and_then(|hop| hop.session_name.as_deref());
        let caller = self.cluster.iam().caller(&last.from, session).ok()?;
        let step = Step { role: way.role, session: Some(name.into()) };
        let hop = self.reach.hop(&caller, &step);
        let value = Hop::all(before).and(hop.verdict.value);
        let hops = before.iter().cloned().chain([Rc::new(hop)]).collect();
        let session_name = Some(name.to_owned());
        (value != Ternary::No).then(|| Becoming { value, hops, session_name, ..way.clone() })
    }

    fn is_role(&self, id: PrincipalId) -> bool {
        self.cluster.iam().principal_of(id).is_some_and(|principal| !principal.is_user)
    }

    /// Everybody who can become a mapped role, those who are anybody first; nothing where no export holds it.
    pub fn assumable_by(&self, arn: &str) -> Vec<Assumer> {
        self.cluster.iam().role(arn).map(|role| self.assumers(role)).unwrap_or_default()
    }

    /// Everybody who can become a role, those who are anybody first.
    pub fn assumers(&self, role: PrincipalId) -> Vec<Assumer> {
        let WhoAssumes { principals, doors, others, .. } =
            assume_role::who_of(self.cluster, self.lenses, &self.reach, Action::AssumeRole, role);
        let behind = Behind::new(self.cluster, self.lenses, &self.reach);
        let (mut found, mut outside): (Vec<Assumer>, Vec<Assumer>) = (Vec::new(), Vec::new());
        for (source, hops) in principals {
            let Some(principal) = self.cluster.iam().principal_of(source.id) else { continue };
            let who = Who::Principal(principal.arn.text.to_string());
            let (session, as_instance) = match source.chain.last() {
                Some(last) => behind.arrival(&hops, last),
                None => (SessionName::Set, Ternary::No),
            };
            outside.push(Assumer { who, value: source.value, hops, session, as_instance });
        }
        for AtDoor { door, entrance, hops } in doors {
            let open = if door.kind == DoorKind::Account { Ternary::Unknown } else { Ternary::Yes };
            let value = Hop::all(&hops).and(door.verdict.value).and(open);
            let list = if door.kind == DoorKind::Anyone { &mut found } else { &mut outside };
            let (session, as_instance) = behind.through_door(&door, &entrance, &hops);
            list.push(Assumer { who: Who::Door(Box::new(door)), value, hops, session, as_instance });
        }
        found.append(&mut outside);
        found.extend(others);
        found
    }
}
