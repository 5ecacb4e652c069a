//! Who cannot do something and can become somebody who can: a "no" that is only a few steps away from a yes.

use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use crate::ask::can_i;
use crate::ask::paths::{From, Gain, Paths, Reach, Round, Search, Step, starts};
use crate::ask::question::{Place, Question};
use crate::decide::cluster::{Cluster, Who};
use crate::model::ternary::Ternary;

/// Up to so many steps away a "no" says that it is near a yes.
const NEAR: Round = 2;

/// Somebody who can get to where the answer is yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indirect {
    /// Who, as starts of paths are printed.
    pub from: String,
    /// What is reached by which the answer is yes.
    pub identity: String,
    /// In how many steps.
    pub depth: Round,
    /// The last step, of several that reach it the first.
    pub last: Option<Step>,
}

/// What makes a question a yes, asked of each thing that is reached once.
struct Asked<'c> {
    cluster: &'c Cluster,
    question: &'c Question,
    known: Mutex<FxHashMap<String, bool>>,
}

impl Asked<'_> {
    /// The first of what is reached by which the answer is yes.
    fn first<'p>(&self, search: &Search<'_>, paths: &'p Paths) -> Option<&'p Reach> {
        let mut reached: Vec<&Reach> = paths.reached.iter().chain(&paths.roles).collect();
        reached.sort_by_key(|own| (own.depth, own.identity != "cluster-admin"));
        reached.into_iter().find(|own| self.is_yes(search, own))
    }

    fn is_yes(&self, search: &Search<'_>, reach: &Reach) -> bool {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&reach.identity) {
            return *known;
        }
        let yes = match search.gain(reach) {
            None => false,
            Some(Gain::User(user)) => {
                can_i::ternary(self.cluster, &Who::user(user), self.question, None) == Ternary::Yes
            }
            Some(Gain::Everything(namespace)) => self.counts_in(&namespace),
            Some(Gain::Role(role, namespace)) => {
                self.counts_in(&namespace)
                    && self
                        .question
                        .single()
                        .is_some_and(|part| search.role_allows(role, &part.attributes(None)))
            }
        };
        known().insert(reach.identity.clone(), yes);
        yes
    }

    /// Whether what counts in a namespace, or in the cluster, counts where the question is asked.
    fn counts_in(&self, namespace: &str) -> bool {
        namespace.is_empty() || self.question.place == Place::Namespace(namespace.to_owned())
    }
}

/// Where a "no" is at most two certain steps away from a yes: the nearest.
pub fn nearest(cluster: &Cluster, from: &From, question: &Question) -> Option<Indirect> {
    let mut search = Search::new(cluster);
    let paths = search.paths(from, Some(NEAR));
    let asked = Asked { cluster, question, known: Mutex::default() };
    let own = asked.first(&search, &paths)?;
    Some(indirect(from, own))
}

/// Everybody who cannot and can get there, by the number of steps.
pub fn who(cluster: &Cluster, question: &Question) -> Vec<Indirect> {
    let mut search = Search::new(cluster);
    let cannot = |from: &From| {
        from.user.as_ref().is_none_or(|user| {
            can_i::ternary(cluster, &Who::user(user.clone()), question, None) != Ternary::Yes
        })
    };
    let froms: Vec<From> = starts(cluster).into_iter().chain(search.iam_starts()).filter(cannot).collect();
    // Of one request it is soon known who gets there; of several that one identity must pass together only a whole search
    // tells.
    let depths = match question.single() {
        Some(part) => search.who_gets_allowed(&froms, &part.attributes(None)),
        None => vec![Some(Round::MAX); froms.len()],
    };
    let near = froms.into_iter().zip(depths).filter_map(|(from, depth)| Some((from, depth?))).collect();
    let asked = Asked { cluster, question, known: Mutex::default() };
    let mut found = Vec::new();
    search.each_paths(
        near,
        |search, from, paths| asked.first(search, paths).map(|own| indirect(from, own)),
        |own| found.extend(own),
    );
    found.sort_by(|a, b| (a.depth, &a.from).cmp(&(b.depth, &b.from)));
    found
}

fn indirect(from: &From, own: &Reach) -> Indirect {
    Indirect {
        from: from.title.clone(),
        identity: own.identity.clone(),
        depth: own.depth,
        last: own.last.first(),
    }
}
