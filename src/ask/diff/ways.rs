//! Ways to sinks that open or close between two input sets. Whoever is touched by no change may gain one too, by becoming
//! somebody who is; so every start is looked at on both sides.

use std::collections::BTreeMap;

use super::{Diff, HolderKind, Selection};
use crate::ask::paths::{From, Round, SINKS, Search, Step, Target, starts};
use crate::ask::system::System;
use crate::decide::cluster::Cluster;
use crate::model::user::split_service_account;
use crate::read::parallel;

/// More steps than any way has.
const CERTAIN: Round = Round::MAX / 2;

/// So few starts are searched one after the other: a search that is copied for another core costs as much.
const FEW: usize = 32;

/// Of so many ways that open the steps are told.
const TOLD: usize = 50;

/// In inputs with more bindings only those are starts whose own access may change: a search from everybody takes seconds.
pub const MOST_BINDINGS: usize = 5_000;

/// A certain way to a sink that one side has and the other has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Who, as starts of paths are printed.
    pub from: String,
    /// Where it leads.
    pub sink: &'static str,
    /// In how many steps; none where it is a right of one's own.
    pub depth: Round,
    /// Each step, and what it gives; empty where there are too many ways to tell.
    pub steps: Vec<(Step, String)>,
}

/// What opens and what closes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// Ways that the new side alone has, by sink, those to cluster-admin first, and by the number of steps.
    pub opened: Vec<Way>,
    /// Ways that the old side alone has.
    pub closed: Vec<Way>,
    /// Whether only those were searched from whose own access may change.
    pub only_touched: bool,
}

impl Ways {
    /// Compares who reaches which sink: everybody who is selected, or in large inputs whoever a change touches.
    pub fn of_diff(diff: &Diff<'_>, selection: &Selection) -> Self {
        let (old, new) = (diff.old.cluster(), diff.new.cluster());
        let bindings = |cluster: &Cluster| cluster.graph().policy().bindings.len();
        if bindings(old).max(bindings(new)) <= MOST_BINDINGS {
            return Self::of(old, new, selection);
        }
        let is_chosen = !selection.arns.is_empty() || !selection.users.is_empty();
        let touched = |cluster: &Cluster| {
            if is_chosen {
                return chosen(cluster, selection);
            }
            let froms = diff.pairs.iter().map(|pair| start(cluster, pair.new.kind, &pair.new.identity));
            froms.map(|from| (from.title.clone(), from)).collect()
        };
        let sides = (touched(old), touched(new));
        Self { only_touched: true, ..Self::between((old, &sides.0), (new, &sides.1)) }
    }

    /// Compares who reaches which sink: everybody who is selected.
    pub fn of(old: &Cluster, new: &Cluster, selection: &Selection) -> Self {
        Self::between((old, &chosen(old, selection)), (new, &chosen(new, selection)))
    }

    fn between((old, of_old): Side<'_>, (new, of_new): Side<'_>) -> Self {
        if of_old.is_empty() && of_new.is_empty() {
            return Self::default();
        }
        let (before, after) = parallel::both(|| depths(old, of_old), || depths(new, of_new));
        let mut opened = missing(&after, &before);
        if opened.iter().all(|way| way.depth == 0) {
            return Self { opened, closed: missing(&before, &after), only_touched: false };
        }
        let mut search = Search::new(new);
        for way in opened.iter_mut().filter(|way| way.depth > 0).take(TOLD) {
            let Some(from) = of_new.get(&way.from) else { continue };
            let traced = search.traced(from, Some(way.depth));
            let reach = traced.to(&Target::Sink(way.sink));
            let hops = reach.map(|reach| traced.hops(&reach)).unwrap_or_default();
            way.steps = hops.into_iter().map(|hop| (hop.step, hop.becomes)).collect();
        }
        Self { opened, closed: missing(&before, &after), only_touched: false }
    }

    /// Whether nothing opens and nothing closes.
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty()
    }
}

/// A cluster, and whose ways are compared, by title.
type Side<'a> = (&'a Cluster, &'a BTreeMap<String, From>);

/// Whose ways are compared, by title.
fn chosen(cluster: &Cluster, selection: &Selection) -> BTreeMap<String, From> {
    let Selection { arns, users, .. } = selection;
    let mut found: Vec<From> = Vec::new();
    if arns.is_empty() && users.is_empty() {
        let system = selection.exclude_system.then(|| System::of(cluster));
        let all = starts(cluster).into_iter();
        found.extend(all.filter(|from| {
            let is_iam = from.title.starts_with("IAM ");
            let is_wanted = if is_iam { selection.mapped } else { selection.bound };
            is_wanted && !system.as_ref().is_some_and(|system| is_own(system, from))
        }));
    }
    for (arn, session) in arns {
        found.push(From::iam(arn, &cluster.identify(arn, session.as_deref())));
    }
    found.extend(users.iter().map(From::who));
    found.into_iter().map(|from| (from.title.clone(), from)).collect()
}

/// The start that a holder of the matrix is.
fn start(cluster: &Cluster, kind: HolderKind, identity: &str) -> From {
    match kind {
        HolderKind::Iam => From::iam(identity, &cluster.identify(identity, None)),
        HolderKind::Group => From::group(identity),
        HolderKind::User => From::user(identity),
        HolderKind::ServiceAccount => {
            let (namespace, name) = identity.split_once('/').unwrap_or(("", identity));
            From::service_account(namespace, name)
        }
    }
}

/// Whether somebody came with Kubernetes or EKS.
fn is_own(system: &System, from: &From) -> bool {
    let Some((kind, name)) = from.title.split_once(' ') else { return false };
    let user = from.user.as_ref();
    match user.and_then(|user| split_service_account(&user.username)) {
        Some((namespace, name)) => system.is_own("ServiceAccount", namespace, name),
        None => system.is_own(kind, "", name),
    }
}

/// Per start the sinks that it reaches.
type Depths = BTreeMap<String, Vec<(&'static str, Option<Round>)>>;

fn depths(cluster: &Cluster, froms: &BTreeMap<String, From>) -> Depths {
    let list: Vec<From> = froms.values().cloned().collect();
    // With a bound, however high, only what is certain is looked for.
    let mut search = Search::new(cluster);
    let overviews = if list.len() <= FEW {
        list.iter().map(|from| search.overview(from, Some(CERTAIN))).collect()
    } else {
        search.overviews(&list, Some(CERTAIN))
    };
    list.into_iter().zip(overviews).map(|(from, overview)| (from.title, overview.sinks)).collect()
}

/// The ways of one side that the other has not. Whoever is cluster-admin has the rest at once.
fn missing(own: &Depths, other: &Depths) -> Vec<Way> {
    let mut found = Vec::new();
    for (from, sinks) in own {
        let depth_there = |sink: &str| {
            let sinks = other.get(from).into_iter().flatten();
            sinks.filter(|(name, _)| *name == sink).find_map(|(_, depth)| *depth)
        };
        let new = |sink: &'static str| {
            let depth = sinks.iter().find(|(name, _)| *name == sink).and_then(|(_, depth)| *depth)?;
            let steps = Vec::new();
            depth_there(sink).is_none().then(|| Way { from: from.clone(), sink, depth, steps })
        };
        match new(SINKS[0]) {
            Some(admin) => found.push(admin),
            None => found.extend(SINKS.into_iter().filter_map(new)),
        }
    }
    found.sort_by_key(|way| (SINKS.iter().position(|sink| *sink == way.sink), way.depth));
    found
}
