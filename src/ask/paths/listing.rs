//! What a search found, in the order in which it is printed.

use rustc_hash::FxHashMap;

use super::closure::{Closure, Fact, Goal, NEVER, Reached, Round};
use super::identities::Username;
use super::restricted::{RESTRICTED_TO, Whom};
use super::step::{Step, Steps};
use super::world::{CLUSTER, EVERY, NODE_USER, Place};
use super::{From, Of, Paths, Reach, SINKS, Search};
use crate::decide::cluster::Who;

impl Search<'_> {
    /// The username of a node.
    pub(super) fn node_username(&self, node: u32) -> String {
        let name = self.world.nodes.get(node as usize);
        let text = name.map_or("", |name| self.world.policy().names.text(*name));
        format!("{NODE_USER}{text}")
    }

    pub(super) fn show_other(&self, number: u32) -> String {
        let names = &self.world.policy().names;
        let Some((other, _)) = self.identities.others.get(number as usize) else { return String::new() };
        let mut text = match other.username {
            Username::User(name) => format!("User {}", names.text(name)),
            Username::Account(account) => match self.world.accounts.get(account as usize) {
                Some(account) => {
                    format!("User system:serviceaccount:{}:{}", account.namespace, account.name)
                }
                None => String::new(),
            },
            Username::Node(node) => format!("User {}", self.node_username(node)),
            Username::Restricted(own) => {
                let Some(own) = self.identities.restricted.get(own as usize) else { return String::new() };
                let of = match own.of {
                    Whom::Account(number) => match self.world.accounts.get(number as usize) {
                        Some(account) => format!("ServiceAccount {}/{}", account.namespace, account.name),
                        None => String::new(),
                    },
                    Whom::Identity(number) => self.show_other(number),
                };
                return format!("{of}{RESTRICTED_TO}{}", own.requests);
            }
        };
        for group in self.identities.groups_of(other.groups) {
            text.push_str(" + ");
            text.push_str(names.text(*group));
        }
        text
    }

    pub(super) fn report(&self, closure: &Closure) -> Paths {
        self.report_all(closure).0
    }

    /// What is reached for certain, and what uncertain steps add.
    pub(super) fn report_all(&self, closure: &Closure) -> (Paths, Vec<Reach>) {
        let until = closure.certain_until.unwrap_or(NEVER);
        let is_certain = |reach: &Reach| reach.depth <= until;
        let (reached, mut beyond): (Vec<_>, Vec<_>) =
            self.everything_reached(closure).into_iter().partition(is_certain);
        beyond.extend(rights(closure).filter(|reach| !is_certain(reach)));
        let mut roles = self.roles(closure);
        roles.retain(is_certain);
        let admin = closure.admin.round <= until.min(NEVER - 1);
        (Paths { reached, roles, admin, sinks: sinks(closure) }, beyond)
    }

    /// Identities and powers, the certain ones and the others, by depth and name.
    fn everything_reached(&self, closure: &Closure) -> Vec<Reach> {
        let world = &self.world;
        let mut reached: Vec<Reach> = Vec::new();
        let mut add = |identity: String, own: Reached, of: Of| {
            if own.round != NEVER {
                reached.push(Reach { identity, depth: own.round, last: own.steps, of });
            }
        };
        for number in closure.accounts.filled().iter().copied() {
            let own = closure.accounts.get(number);
            if own.round != NEVER
                && closure.start.fact != Some(Fact::Account(number))
                && let Some(account) = world.accounts.get(number as usize)
            {
                add(
                    format!("ServiceAccount {}/{}", account.namespace, account.name),
                    own,
                    Of::Fact(Fact::Account(number)),
                );
            }
        }
        for (number, own) in &closure.others {
            if closure.start.fact != Some(Fact::Other(*number)) {
                add(self.show_other(*number), *own, Of::Fact(Fact::Other(*number)));
            }
        }
        for number in closure.nodes.filled().iter().copied() {
            if let Some(node) = world.nodes.get(number as usize) {
                let text = world.policy().names.text(*node);
                add(format!("node {text}"), closure.nodes.get(number), Of::Fact(Fact::Node(number)));
            }
        }
        for (number, own) in &closure.iam {
            if closure.start.iam != Some(*number) {
                let text = world.outside.arns.get(*number as usize).map_or("", |arn| &arn.text);
                add(format!("IAM {text}"), *own, Of::Fact(Fact::Iam(*number)));
            }
        }
        for (number, own) in &closure.logins {
            add(self.show_login(*number), *own, Of::Fact(Fact::Login(*number)));
        }
        add("node *".to_owned(), closure.any_node, Of::Fact(Fact::AnyNode));
        add("node ?".to_owned(), closure.lost_node, Of::Fact(Fact::LostNode));
        for (place, own) in &closure.namespace_admins {
            add(format!("namespace-admin {}", world.namespace(*place)), *own, Of::Everything(*place));
        }
        add("cluster-admin".to_owned(), closure.admin, Of::Everything(CLUSTER));
        reached.sort_by(|a, b| (a.depth, &a.identity).cmp(&(b.depth, &b.identity)));
        reached
    }

    /// The identity as which an ARN logs in.
    pub(super) fn show_login(&self, number: u32) -> String {
        let login = self.world.outside.arns.get(number as usize).and_then(|arn| arn.login.as_ref());
        login.and_then(Who::shown).map_or_else(String::new, |user| From::who(&user).title)
    }

    pub(super) fn roles(&self, closure: &Closure) -> Vec<Reach> {
        let listed = Steps::of(Step::BindRole).and(Steps::of(Step::ChangeBinding));
        let mut roles: Vec<Reach> = Vec::new();
        // Whether a role said everything when it was given.
        let said_everything = |role: u32, round: Round| {
            self.world.says_everything(role) || closure.changed_round(&self.world, role) < round
        };
        // Since when everybody may do everything in a place.
        let mut open: FxHashMap<Place, Round> = FxHashMap::default();
        for (pair, own) in &closure.grants {
            let (role, place) = self.identities.pair_at(*pair);
            if said_everything(role, own.round) {
                let known = open.entry(place).or_insert(NEVER);
                *known = own.round.min(*known);
            }
        }
        let open = |place: Place| open.get(&place).copied().unwrap_or(NEVER);
        for (pair, own) in &closure.grants {
            let (role, place) = self.identities.pair_at(*pair);
            if !own.steps.meets(listed) || said_everything(role, own.round) {
                continue;
            }
            let places = if place == EVERY { self.world.every() } else { place..place + 1 };
            for place in places {
                let admin = closure.namespace_admins.get(&place).map_or(NEVER, |admin| admin.round);
                let everywhere = if place == CLUSTER { NEVER } else { open(EVERY) };
                if own.round < admin.min(open(place)).min(everywhere) {
                    let identity = self.world.show_role(role, place);
                    let of = Of::Fact(Fact::Grant(*pair));
                    roles.push(Reach { identity, depth: own.round, last: own.steps, of });
                }
            }
        }
        roles.sort_by(|a, b| (a.depth, &a.identity).cmp(&(b.depth, &b.identity)));
        // A binding in every namespace, and one in this: of the same depth both count.
        roles.dedup_by(|other, first| {
            let same = first.identity == other.identity;
            if same && first.depth == other.depth {
                first.last = first.last.and(other.last);
            }
            same
        });
        roles
    }
}

/// The sinks that are rights, as far as they are reached; whoever is cluster-admin has them all.
fn rights(closure: &Closure) -> impl Iterator<Item = Reach> {
    let own = &closure.sinks;
    let rights = [
        ("edit-aws-auth", own.edit_aws_auth),
        ("exec-everywhere", own.exec_everywhere),
        ("read-all-secrets", own.read_all_secrets),
    ];
    let is_admin = closure.admin.round != NEVER;
    rights.into_iter().filter(move |(_, round)| *round != NEVER && !is_admin).map(|(sink, depth)| Reach {
        identity: sink.to_owned(),
        depth,
        last: Steps::default(),
        of: Of::Right(sink),
    })
}

/// The certain ones of the sinks, in order of name, each with its depth.
pub(super) fn sinks(closure: &Closure) -> Vec<(&'static str, Option<Round>)> {
    sinks_until(closure, closure.certain_until.unwrap_or(NEVER - 1))
}

/// The same of those that are reached up to a round.
pub(super) fn sinks_until(closure: &Closure, until: Round) -> Vec<(&'static str, Option<Round>)> {
    SINKS
        .into_iter()
        .map(|name| {
            // Whoever is cluster-admin has the rest.
            let round = closure.round_of_goal(Goal::Sink(name)).min(closure.admin.round);
            (name, (round <= until).then_some(round))
        })
        .collect()
}
