//! A question for somebody who is not mapped: asked for the mapped roles that he may become.

use crate::ask::can_i::{self, Answered};
use crate::ask::people::{Becoming, People};
use crate::ask::question::Question;
use crate::decide::answer::Doubt;
use crate::decide::cluster::{Cluster, Who};
use crate::identity::IdentityError;
use crate::identity::iam::Lenses;
use crate::model::ternary::Ternary;

/// The answer through a mapped role.
#[derive(Clone, Debug)]
pub struct Through<'g> {
    /// What it comes to: what the role may, as far as becoming it is certain.
    pub ternary: Ternary,
    /// The way to the role.
    pub way: Becoming,
    /// The role as it logs in.
    pub who: Who,
    /// What it may.
    pub answered: Answered<'g>,
}

/// The best answer through a mapped role; `None` for whoever is mapped himself, or may become none that may.
pub fn best<'g>(
    cluster: &'g Cluster,
    who: &Who,
    arn: Option<&str>,
    question: &Question,
) -> Option<Through<'g>> {
    if cluster.iam().is_empty() || !is_not_mapped(who) {
        return None;
    }
    let session = who.identity.as_ref()?.session().name();
    let lenses = Lenses::new(cluster.iam());
    let people = People::new(cluster, &lenses);
    let mut best: Option<Through<'g>> = None;
    let better = |known: &Option<Through<'g>>, ternary: Ternary| {
        known.as_ref().is_none_or(|known| ternary > known.ternary)
    };
    for way in people.may_become(arn?, session) {
        let found = through(cluster, way, question);
        // What only a session of a certain name may, the caller may who chooses that name.
        for name in wanted_sessions(&found.answered) {
            let Some(way) = people.in_session(&found.way, &name) else { continue };
            let named = through(cluster, way, question);
            if named.ternary > found.ternary && better(&best, named.ternary) {
                best = Some(named);
            }
        }
        if better(&best, found.ternary) {
            best = Some(found);
        }
    }
    best.filter(|through| through.ternary != Ternary::No)
}

/// Whether somebody is not mapped himself, as far as the inputs tell.
fn is_not_mapped(who: &Who) -> bool {
    matches!(who.error(), Some(IdentityError::NotMapped { .. } | IdentityError::Unknown { .. }))
}

/// The mapped roles that somebody may become who is not mapped himself; `None` where no export could tell.
pub fn roles(cluster: &Cluster, who: &Who, arn: Option<&str>) -> Option<Vec<String>> {
    Some(ways(cluster, who, arn)?.into_iter().map(|way| way.arn).collect())
}

/// The ways to these roles, each with whether it is certain.
pub fn ways(cluster: &Cluster, who: &Who, arn: Option<&str>) -> Option<Vec<Becoming>> {
    if cluster.iam().is_empty() || !is_not_mapped(who) {
        return None;
    }
    let session = who.identity.as_ref()?.session().name();
    let lenses = Lenses::new(cluster.iam());
    Some(People::new(cluster, &lenses).may_become(arn?, session))
}

fn through<'g>(cluster: &'g Cluster, way: Becoming, question: &Question) -> Through<'g> {
    let who = cluster.identify(&way.arn, way.session_name.as_deref());
    let answered = can_i::answer(cluster, &who, question, None);
    let ternary = answered.ternary.and(way.value);
    Through { ternary, way, who, answered }
}

/// The names of sessions on which an answer depends.
fn wanted_sessions(answered: &Answered<'_>) -> Vec<String> {
    let doubts = answered.answers.iter().flat_map(|answer| &answer.doubts);
    let mut names: Vec<String> = doubts
        .filter_map(|doubt| match doubt {
            Doubt::Session { values, .. } => values.session_name.clone(),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
