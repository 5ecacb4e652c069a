//! What comes nearest where the answer is no: which statement, and what it lacks.

use crate::model::ternary::Ternary;

use super::applies::{applies, is_named, is_resource};
use super::caller::Caller;
use super::context::{Asking, Context, Target};
use super::evaluate::Lens;
use super::export::EntityArn;
use super::ids::{DocId, GroupId, PrincipalId};
use super::logic::{Hit, Verdict};
use super::policy::{Effect, Statement};
use super::principal::{Boundary, role_name};

/// Why somebody may not, at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Near {
    /// This statement denies it.
    Denied(Hit),
    /// The trust policy names the caller, and this condition does not hold.
    TrustCondition(Hit, u32),
    /// The trust policy names the caller, for other actions.
    TrustAction(Hit),
    /// The trust policy names somebody who is nearly the caller.
    TrustOther(Hit, Box<str>, Difference),
    /// The trust policy names nobody who is like the caller.
    NotTrusted(DocId),
    /// A statement of the caller allows a role that is nearly this one.
    OtherResource(Hit, Box<str>, Difference),
    /// A statement of the caller would allow it, and this condition does not hold.
    Condition(Hit, u32),
    /// A statement would allow it to the members of a group that the caller is not in.
    OtherGroup(Hit, GroupId),
    /// No policy of the caller allows it.
    NotAllowed,
    /// The boundary of the caller does not allow it.
    Boundary(DocId),
}

/// In what two ARNs differ.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The path, or its absence.
    Path,
    /// Upper and lower case.
    Case,
    /// A user and a role of one name.
    Kind,
    /// The account.
    Account,
}

/// In what an ARN differs from another that it may have been meant for.
fn difference(written: &str, meant: &str) -> Option<Difference> {
    if written == meant {
        return None;
    }
    if written.eq_ignore_ascii_case(meant) {
        return Some(Difference::Case);
    }
    let (one, other) = (EntityArn::new(written), EntityArn::new(meant));
    let name = |arn: &EntityArn| arn.name().to_ascii_lowercase();
    let kind =
        |arn: &str| arn.splitn(6, ':').nth(5).and_then(|rest| rest.split('/').next()).map(str::to_owned);
    if name(&one) != name(&other) || one.name().is_empty() {
        return None;
    }
    if one.account != other.account {
        return Some(Difference::Account);
    }
    if kind(written) != kind(meant) {
        return Some(Difference::Kind);
    }
    Some(Difference::Path)
}

impl Lens<'_> {
    /// What comes nearest to a "yes" where the answer is no; nothing where it is not.
    pub fn nearest(&self, caller: &Caller<'_>, role: PrincipalId, context: &Context) -> Vec<Near> {
        let verdict = self.of(caller, role, context);
        let Some(target) = self.data().principal_of(role) else { return Vec::new() };
        let Some(trust) = target.trust() else { return Vec::new() };
        if verdict.value != Ternary::No {
            return Vec::new();
        }
        let mut denied = Vec::new();
        verdict.why.statements(&mut denied);
        denied.retain(|hit| self.data().statement(*hit).is_some_and(|found| found.effect == Effect::Deny));
        if !denied.is_empty() {
            return denied.into_iter().map(Near::Denied).collect();
        }
        let asking = Asking { caller, target: Target::Role(target), context };
        let mut found = Vec::new();
        if !self.is_trusted(trust, &asking) {
            self.near_trust(trust, &asking, &mut found);
            if found.is_empty() {
                found.push(Near::NotTrusted(trust));
            }
            return found;
        }
        let Some(principal) = caller.principal() else { return found };
        if !self.is_allowed(&asking) {
            self.near_identity(&asking, &mut found);
            if found.is_empty() {
                found.push(Near::NotAllowed);
            }
        } else if let Boundary::Doc(doc) = principal.boundary {
            found.push(Near::Boundary(doc));
        }
        found
    }

    /// Statements of the trust policy that name the caller, or nearly.
    fn near_trust(&self, trust: DocId, asking: &Asking<'_>, found: &mut Vec<Near>) {
        let Some(doc) = self.data().get(trust) else { return };
        let own = asking.caller.principal_arn().unwrap_or_default().to_owned();
        for (number, statement) in (0u32..).zip(&doc.policy.statements) {
            let hit = Hit { doc: trust, statement: number, group: None };
            if statement.effect != Effect::Allow {
                continue;
            }
            if is_named(hit, statement, asking.caller) {
                if self.is_about(statement) {
                    found.extend(failing(statement, asking).map(|number| Near::TrustCondition(hit, number)));
                } else {
                    found.push(Near::TrustAction(hit));
                }
                continue;
            }
            for written in &statement.principal.principals {
                if let Some(difference) = difference(written, &own) {
                    found.push(Near::TrustOther(hit, written.clone(), difference));
                }
            }
        }
    }

    /// Statements that would allow it, if one thing were otherwise.
    fn near_identity(&self, asking: &Asking<'_>, found: &mut Vec<Near>) {
        let Some(principal) = asking.caller.principal() else { return };
        for (hit, statement) in self.identity_hits(principal.number, Effect::Allow) {
            if is_resource(hit, statement, asking) {
                found.extend(failing(statement, asking).map(|number| Near::Condition(hit, number)));
                continue;
            }
            for written in statement.resource.written.iter().filter(|_| !statement.resource.not) {
                let near = difference(written, asking.target.arn());
                // A pattern without the path, where the role has one.
                let near = near.or_else(|| {
                    let name = role_name(written)?.trim_matches('*');
                    let own = role_name(asking.target.arn())?;
                    (!name.is_empty() && own.starts_with(name)).then_some(Difference::Path)
                });
                if let Some(difference) = near {
                    found.push(Near::OtherResource(hit, written.clone(), difference));
                }
            }
        }
        for (group, other) in self.data().all_groups() {
            if !principal.is_user
                || other.arn.account != principal.arn.account
                || principal.groups.contains(&group)
            {
                continue;
            }
            let hits = super::account::IamData::policies_of(other)
                .iter()
                .flat_map(|doc| self.hits(*doc, Some(group), Effect::Allow));
            for (hit, statement) in hits {
                let applies: Verdict = applies(hit, statement, asking);
                if applies.value != Ternary::No {
                    found.push(Near::OtherGroup(hit, group));
                    break;
                }
            }
        }
    }
}

/// The conditions of a statement that do not hold.
fn failing<'s>(statement: &'s Statement, asking: &'s Asking<'_>) -> impl Iterator<Item = u32> + 's {
    (0u32..)
        .zip(&statement.conditions)
        .filter(|(_, condition)| condition.holds(asking, &mut Vec::new()) == Ternary::No)
        .map(|(number, _)| number)
}
