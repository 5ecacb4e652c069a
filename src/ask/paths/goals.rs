//! One thing that ways are to lead to: whether the inputs know it, who gets there, and the way of each.

use std::ops::ControlFlow;
use std::sync::Mutex;

use rustc_hash::FxHashMap;

use super::closure::{Closure, Fact, Goal, NEVER, Round, Start, Told};
use super::identities::Class;
use super::overview::lock;
use super::restricted::RESTRICTED_TO;
use super::{From, Paths, Search, Target, Traced};
use crate::model::attributes::Attributes;
use crate::read::parallel;

/// How a start gets to one thing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Gets {
    /// In so many steps at most, for certain.
    Certainly(Round),
    /// If conditions hold.
    Possibly,
    /// Not.
    Never,
}

/// Work on one thing of many, and what came of it.
struct Job<G, T> {
    item: Option<G>,
    done: Option<T>,
}

impl<G, T> Default for Job<G, T> {
    fn default() -> Self {
        Self { item: None, done: None }
    }
}

impl<'c> Search<'c> {
    /// Does something with each of many on every core, each with a search of its own, and takes the results in order.
    pub(super) fn spread<G: Send, T: Send>(
        &self,
        items: Vec<G>,
        work: impl Fn(&mut Self, G) -> T + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) {
        let searches: Mutex<Vec<Self>> = Mutex::default();
        let mut next = items.into_iter();
        parallel::run(
            |job: &mut Job<G, T>| {
                job.item = next.next();
                job.item.is_some()
            },
            |job| {
                let spare = lock(&searches).pop();
                let mut search = spare.unwrap_or_else(|| self.clone());
                job.done = job.item.take().map(|item| work(&mut search, item));
                lock(&searches).push(search);
            },
            |job| job.done.take().map_or(ControlFlow::Continue(()), &mut take),
        );
    }

    /// What a search for a target ends with; `None` where only a whole search tells.
    pub(super) fn goal(&self, target: &Target) -> Option<Goal> {
        let world = &self.world;
        let name = match target {
            Target::Sink(sink) => return Some(Goal::Sink(sink)),
            Target::Arn(arn) => {
                return world.outside.find(world.cluster, arn).map(|own| Goal::Fact(Fact::Iam(own)));
            }
            Target::Printed(name) => name.as_str(),
        };
        if let Some((namespace, name)) =
            name.strip_prefix("ServiceAccount ").and_then(|account| account.split_once('/'))
        {
            return world.account_numbers.get(&(namespace, name)).map(|own| Goal::Fact(Fact::Account(*own)));
        }
        if let Some(namespace) = name.strip_prefix("namespace-admin ") {
            return world.places.get(namespace).map(|place| Goal::Everything(*place));
        }
        match name.strip_prefix("node ")? {
            "*" => Some(Goal::Fact(Fact::AnyNode)),
            "?" => Some(Goal::Fact(Fact::LostNode)),
            node => {
                let number = world.node_numbers.get(&world.policy().names.lookup(node))?;
                Some(Goal::Fact(Fact::Node(*number)))
            }
        }
    }

    /// Whether the inputs know what a target names, so that somebody could get there.
    pub fn knows(&self, target: &Target) -> bool {
        let is_other = matches!(target, Target::Printed(name)
            if name.starts_with("User ") || name.contains(RESTRICTED_TO));
        is_other || self.goal(target).is_some()
    }

    /// Whether who gets to a target is known before any way is told.
    pub fn is_exact(&self, target: &Target) -> bool {
        self.goal(target).is_some()
    }

    /// Who gets to a target, of many, in their order; each class of starts is searched once, on every core.
    pub fn who_gets_to(&mut self, froms: &[From], target: &Target) -> Vec<Gets> {
        if let Target::Sink(sink) = target {
            let gets = |overview: super::Overview| match overview.depth(sink) {
                Some(depth) => Gets::Certainly(depth),
                None if overview.possible.contains(sink) => Gets::Possibly,
                None => Gets::Never,
            };
            return self.overviews(froms, None).into_iter().map(gets).collect();
        }
        let Some(goal) = self.goal(target) else {
            // Whom only a whole search finds may be anywhere.
            return vec![Gets::Possibly; froms.len()];
        };
        let admin = self.what_admin_gets(target);
        self.who_gets(froms, goal, (admin, true))
    }

    /// In how many steps at most each of many gets to where a request is allowed; `None` for who does not for certain.
    pub fn who_gets_allowed(&mut self, froms: &[From], attributes: &Attributes<'_>) -> Vec<Option<Round>> {
        self.world.ask(attributes);
        let gets = self.who_gets(froms, Goal::Asked, (Gets::Certainly(0), false));
        let certainly = |gets: Gets| if let Gets::Certainly(depth) = gets { Some(depth) } else { None };
        gets.into_iter().map(certainly).collect()
    }

    fn who_gets(&mut self, froms: &[From], goal: Goal, (admin, is_possible): (Gets, bool)) -> Vec<Gets> {
        let mut found = vec![Gets::Never; froms.len()];
        let starts: Vec<Option<Start>> = froms.iter().map(|from| self.start(from)).collect();
        let mut groups: Vec<(Start, Vec<usize>)> = Vec::new();
        let mut of_class: FxHashMap<(Class, bool), usize> = FxHashMap::default();
        for (index, start) in starts.into_iter().enumerate() {
            let Some(start) = start.filter(|start| start.fact.map(Goal::Fact) != Some(goal)) else {
                continue;
            };
            let next = groups.len();
            let number = if self.is_special(start) {
                next
            } else {
                *of_class.entry((start.class, start.is_master)).or_insert(next)
            };
            match groups.get_mut(number) {
                Some((_, members)) => members.push(index),
                None => groups.push((start, vec![index])),
            }
        }
        self.spread(
            groups,
            |search, (start, members)| (members, search.gets(start, goal, (admin, is_possible))),
            |(members, gets)| {
                for index in members {
                    if let Some(own) = found.get_mut(index) {
                        *own = gets;
                    }
                }
                ControlFlow::Continue(())
            },
        );
        found
    }

    /// How one start gets to a goal.
    fn gets(&mut self, start: Start, goal: Goal, (admin, is_possible): (Gets, bool)) -> Gets {
        let start = if self.is_special(start) { start } else { Start { fact: None, ..start } };
        let closure = self.look(start, None, (Told::Depth(goal), is_possible));
        let own = closure.round_of_goal(goal);
        let until = closure.certain_until.unwrap_or(NEVER - 1);
        let by_admin = match closure.admin.round {
            NEVER => Gets::Never,
            round if round <= until => admin,
            _ => {
                if admin == Gets::Never {
                    admin
                } else {
                    Gets::Possibly
                }
            }
        };
        let depth = closure.admin.round;
        self.give_back(closure);
        match (own, by_admin) {
            (own, _) if own <= until => Gets::Certainly(own),
            (_, Gets::Certainly(_)) => Gets::Certainly(depth),
            (NEVER, by_admin) => by_admin,
            _ => Gets::Possibly,
        }
    }

    /// Whether whoever is cluster-admin gets to a target: to everything in the cluster for certain, to an IAM role as far as
    /// service accounts lead there.
    pub(super) fn what_admin_gets(&mut self, target: &Target) -> Gets {
        let Target::Arn(arn) = target else { return Gets::Certainly(0) };
        let Some(goal) = self.goal(target) else { return Gets::Never };
        if let Some((known, gets)) = &self.admin_gets
            && known == arn
        {
            return *gets;
        }
        let gets = self.whoever_is_admin_gets(goal);
        self.admin_gets = Some((arn.clone(), gets));
        gets
    }

    fn whoever_is_admin_gets(&mut self, goal: Goal) -> Gets {
        let class = self.identities.class_of(&self.world, &[]);
        let nobody = Start { class, fact: None, is_master: false, iam: None, is_user: false };
        let mut closure = Box::new(Closure::new(&self.world, &self.identities));
        closure.begin_with_every_account(&self.world, &self.identities, nobody, Told::Depth(goal));
        closure.rounds(&mut self.world, &mut self.identities, None, true);
        match (closure.round_of_goal(goal), closure.certain_until) {
            (NEVER, _) => Gets::Never,
            (own, Some(until)) if own > until => Gets::Possibly,
            _ => Gets::Certainly(0),
        }
    }

    /// What many reach in so many steps at most, each looked at on some core, in their order.
    pub fn each_paths<T: Send>(
        &self,
        froms: Vec<(From, Round)>,
        look: impl Fn(&Self, &From, &Paths) -> T + Sync,
        mut take: impl FnMut(T),
    ) {
        let work = |search: &mut Self, (from, most): (From, Round)| {
            let paths = search.paths(&from, Some(most));
            look(search, &from, &paths)
        };
        self.spread(froms, work, |done| {
            take(done);
            ControlFlow::Continue(())
        });
    }

    /// The ways of many to one thing, or to everything, each told on some core, in their order.
    pub fn each_way<T: Send>(
        &mut self,
        mut froms: Vec<From>,
        target: Option<&Target>,
        most: Option<Round>,
        tell: impl Fn(&Traced<'_, 'c>) -> T + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) {
        let way = |search: &mut Self, from: From| match target {
            Some(target) => tell(&search.traced_to(&from, target, most)),
            None => tell(&search.traced_with_possible(&from, most)),
        };
        if froms.len() > 1 {
            return self.spread(froms, way, take);
        }
        // One needs no search of its own.
        if let Some(only) = froms.pop() {
            let _ = take(way(self, only));
        }
    }
}
