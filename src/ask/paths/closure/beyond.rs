//! What lies beyond RBAC: steps through IAM that are certain, and steps that depend on what the inputs do not tell.
//!
//! The certain ones are taken round by round with the rest. The others are taken when nothing certain is left, all at
//! once; from there the certain ones go on.

use std::borrow::Cow;

use super::super::checks::Check;
use super::super::identities::{Class, Identities, Other, Username};
use super::super::outside::{Condition, Edge};
use super::super::step::{Step, Steps};
use super::super::world::{Account, Place, World};
use super::{Closure, Fact, NEVER, RUN, Round};
use crate::model::names::Name;
use crate::model::user::SYSTEM_MASTERS;

/// A step that the state alone does not tell.
#[derive(Clone, Debug)]
pub(in crate::ask::paths) struct Extra {
    pub(in crate::ask::paths) step: Step,
    /// Facts that it rests on.
    pub(in crate::ask::paths) uses: Vec<Fact>,
    /// The rights that it takes.
    pub(in crate::ask::paths) asks: Vec<(Check, Name, Place)>,
    /// Who takes all of them, where it must be one identity.
    pub(in crate::ask::paths) by: Option<Class>,
    /// What it is done to.
    pub(in crate::ask::paths) object: String,
    /// What must hold for it.
    pub(in crate::ask::paths) conditions: Vec<Condition>,
}

impl Extra {
    /// A step of which nothing is told.
    pub(super) fn bare(step: Step) -> Self {
        let (uses, asks, conditions) = Default::default();
        Self { step, uses, asks, by: None, object: String::new(), conditions }
    }

    pub(super) fn of(step: Step, condition: impl Into<String>) -> Self {
        Self { conditions: vec![Condition::says(condition)], ..Self::bare(step) }
    }

    pub(super) fn asking(mut self, check: Check, name: Name, place: Place) -> Self {
        self.asks.push((check, name, place));
        self
    }

    /// With one more thing that must hold.
    pub(super) fn given(mut self, condition: impl Into<String>) -> Self {
        self.conditions.push(Condition::says(condition));
        self
    }

    fn through(step: Step, from: Option<Fact>, edge: &Edge) -> Self {
        let (object, conditions) = (edge.object.clone(), edge.conditions.clone());
        Self { step, uses: from.into_iter().collect(), asks: Vec::new(), by: None, object, conditions }
    }
}

/// Steps that run code in a pod of the account, or of one's own as the account.
const IN_A_POD: Steps = RUN
    .and(Steps::of(Step::ChangePod))
    .and(Steps::of(Step::Exec))
    .and(Steps::of(Step::EphemeralContainer))
    .and(Steps::of(Step::NodeProxy))
    .and(Steps::of(Step::TokenFromNode))
    .and(Steps::of(Step::RunByOperator))
    .and(Steps::of(Step::MutateByWebhook))
    .and(Steps::of(Step::MutateByPolicy))
    .and(Steps::of(Step::StealPods))
    .and(Steps::of(Step::NodeLabels))
    .and(Steps::of(Step::ApplyCreate));

impl Closure {
    /// Remembers that the token of an account is had, and whether from inside a pod; impersonation gives neither.
    pub(super) fn hold_token(&mut self, number: u32, round: Round, steps: Steps) {
        let only = Steps::of(Step::ImpersonateServiceAccount);
        if number as usize >= self.tokens.len() {
            return;
        }
        let (token, pod) = self.tokens.fill(number);
        if !steps.without(only).is_empty() {
            *token = round.min(*token);
        }
        if steps.meets(IN_A_POD) {
            *pod = round.min(*pod);
        }
    }

    pub(super) fn give_beyond(&mut self, fact: Fact, step: Step, extra: impl FnOnce() -> Extra) {
        let (round, steps) = (self.round + 1, Steps::of(step));
        let is_new = match fact {
            Fact::Iam(number) => self.iam.entry(number).or_default().give(round, steps),
            Fact::Login(number) => self.logins.entry(number).or_default().give(round, steps),
            Fact::Other(number) => self.others.entry(number).or_default().give(round, steps),
            Fact::Account(number) => {
                self.hold_token(number, round, steps);
                self.accounts.fill(number).give(round, steps)
            }
            Fact::AnyNode => self.any_node.give(round, steps),
            Fact::ClusterAdmin => self.admin.give(round, steps),
            _ => false,
        };
        if is_new {
            self.next.push(fact);
            if self.trace.is_some() {
                self.extras.insert(fact, extra());
            }
        } else if self.trace.is_some()
            && self.round_of(fact) == round
            && let Some(own) = self.extras.get_mut(&fact)
            && own.step > step
        {
            // Of several steps of one round the one that comes first is told.
            *own = extra();
        }
    }

    /// Gives an account that bindings name and the inputs do not hold: of these there may be many.
    pub(super) fn give_absent(&mut self, number: u32, step: Step) {
        let (round, steps) = (self.round + 1, Steps::of(step));
        self.hold_token(number, round, steps);
        if self.accounts.fill(number).give(round, steps) {
            self.next.push(Fact::Account(number));
            if self.trace.is_some() {
                self.absent.insert(number);
            }
        }
    }

    /// Whether a fact was found by a step that may depend on conditions.
    pub(in crate::ask::paths) fn is_conditional(&self, fact: Fact) -> bool {
        self.extras.contains_key(&fact)
            || matches!(fact, Fact::Account(number) if self.absent.contains(&number))
    }

    /// What must hold for the step by which a fact was found; nothing where it is certain.
    pub(in crate::ask::paths) fn conditions_of(&self, world: &World<'_>, fact: Fact) -> Cow<'_, [Condition]> {
        if let Some(extra) = self.extras.get(&fact) {
            return Cow::Borrowed(&extra.conditions);
        }
        let account = match fact {
            Fact::Account(number) if self.absent.contains(&number) => world.accounts.get(number as usize),
            _ => None,
        };
        let condition =
            |own: &Account<'_>| Condition::AccountExists(format!("{}/{}", own.namespace, own.name));
        account.map(condition).into_iter().collect::<Vec<_>>().into()
    }

    /// What follows for certain through IAM from what was found in this round.
    pub(super) fn beyond(&mut self, world: &World<'_>, identities: &mut Identities) {
        if world.outside.is_empty() {
            return;
        }
        self.through_iam(world, identities, true);
    }

    fn through_iam(&mut self, world: &World<'_>, identities: &mut Identities, is_certain: bool) {
        let round = self.round;
        // What is not certain is looked at once, of everything there is.
        let is_due = |own: Round| own != NEVER && (if is_certain { own == round } else { own <= round });
        let held = self.tokens.filled().iter().copied();
        let mut accounts: Vec<u32> =
            held.filter(|account| world.outside.of_account.contains_key(account)).collect();
        accounts.sort_unstable();
        for account in accounts {
            let (token, pod) = self.tokens.get(account);
            for edge in world.outside.of_account.get(&account).into_iter().flatten() {
                let held = if edge.takes_a_pod { pod } else { token };
                if edge.conditions.is_empty() == is_certain && is_due(held) {
                    self.give_beyond(Fact::Iam(edge.to), edge.step, || {
                        Extra::through(edge.step, Some(Fact::Account(account)), edge)
                    });
                }
            }
        }
        let mut reached: Vec<(u32, Round)> =
            self.iam.iter().map(|(number, own)| (*number, own.round)).collect();
        reached.sort_unstable();
        for (number, own) in reached {
            if !is_due(own) {
                continue;
            }
            let Some(arn) = world.outside.arns.get(number as usize) else { continue };
            let from = Fact::Iam(number);
            for edge in &arn.edges {
                if edge.conditions.is_empty() == is_certain {
                    self.give_beyond(Fact::Iam(edge.to), edge.step, || {
                        Extra::through(edge.step, Some(from), edge)
                    });
                }
            }
            if is_certain {
                self.log_in(world, number);
            }
            for power in arn.powers.iter().filter(|power| power.conditions.is_empty() == is_certain) {
                let extra = Extra {
                    step: Step::EksApi,
                    uses: vec![from],
                    asks: Vec::new(),
                    by: None,
                    object: power.object.clone(),
                    conditions: power.conditions.clone(),
                };
                if power.is_admin {
                    self.give_beyond(Fact::ClusterAdmin, Step::EksApi, || extra);
                } else {
                    self.anybody(world, identities, &extra, power.reserved);
                }
            }
        }
    }

    /// An ARN that is mapped logs in; the start has done that.
    fn log_in(&mut self, world: &World<'_>, number: u32) {
        if self.start.iam == Some(number) && self.start.is_user {
            return;
        }
        let login = world.outside.arns.get(number as usize).and_then(|arn| arn.login.as_ref());
        let Some(user) = login.and_then(crate::decide::cluster::Who::certain) else { return };
        let extra = |object: &str| Extra {
            step: Step::MapBack,
            uses: vec![Fact::Iam(number)],
            asks: Vec::new(),
            by: None,
            object: object.to_owned(),
            conditions: Vec::new(),
        };
        self.give_beyond(Fact::Login(number), Step::MapBack, || extra(""));
        if user.in_group(SYSTEM_MASTERS) {
            self.give_beyond(Fact::ClusterAdmin, Step::MapBack, || extra("mapped to Group system:masters"));
        }
    }

    /// Every user that bindings name, in every group that they name but `system:masters`.
    pub(super) fn anybody(
        &mut self,
        world: &World<'_>,
        identities: &mut Identities,
        extra: &Extra,
        reserved: &[&str],
    ) {
        let text = |name: Name| world.policy().names.text(name);
        let fits = |name: &Name| !reserved.iter().any(|prefix| text(*name).starts_with(prefix));
        let groups = world.groups.iter().copied();
        let groups: Vec<Name> = groups.filter(|group| *group != world.masters && fits(group)).collect();
        let mut users: Vec<Name> = world.users.iter().copied().filter(fits).collect();
        if users.is_empty() && !groups.is_empty() {
            users.push(Name::UNKNOWN);
        }
        let groups = identities.groups(&groups);
        for user in users {
            let other = Other { username: Username::User(user), groups };
            let number = identities.other(world, &other);
            self.give_beyond(Fact::Other(number), extra.step, || extra.clone());
        }
    }

    /// Everything that depends on what the inputs do not tell.
    pub(super) fn uncertain(&mut self, world: &mut World<'_>, identities: &mut Identities) {
        self.find_names(world, identities);
        if self.is_quick && self.trace.is_none() && self.crowd_is_admin(world, identities) {
            self.give_beyond(Fact::ClusterAdmin, Step::Csr, || Extra::bare(Step::Csr));
            return;
        }
        if !world.outside.is_empty() {
            self.through_iam(world, identities, false);
            self.node_roles(world);
            self.session_names(world, identities);
        }
        self.absent_objects(world, identities);
        self.by_operators(world);
        self.in_cluster(world, identities);
        self.by_definitions(world, identities);
        self.by_nodes(world, identities);
        self.by_apply(world, identities);
        self.bootstrap(world, identities);
        self.constrained(world, identities);
    }

    /// The IAM roles of nodes that are held.
    fn node_roles(&mut self, world: &World<'_>) {
        let held = self.held_node();
        let Some(node) = held else { return };
        for number in &world.outside.node_roles {
            let Some(arn) = world.outside.arns.get(*number as usize) else { continue };
            self.give_beyond(Fact::Iam(*number), Step::NodeRole, || {
                let condition = format!("the node runs with {}, and pods reach its credentials", arn.text);
                let mut extra = Extra::of(Step::NodeRole, condition);
                extra.uses.push(node);
                extra
            });
        }
    }

    /// A node of which it is known which it is.
    pub(super) fn held_node(&self) -> Option<Fact> {
        let known = self.nodes.filled().iter().filter(|node| self.nodes.get(**node).round <= self.round);
        let known = known.min().map(|number| Fact::Node(*number));
        let any = (self.any_node.round <= self.round).then_some(Fact::AnyNode);
        any.or(known)
    }

    /// Usernames that a caller makes up, because the mapping takes them from the name of its session.
    fn session_names(&mut self, world: &World<'_>, identities: &mut Identities) {
        let mut reached: Vec<u32> = self.iam.keys().copied().collect();
        reached.sort_unstable();
        for number in reached {
            let Some(arn) = world.outside.arns.get(number as usize) else { continue };
            let Some(who) = &arn.login else { continue };
            let crate::decide::cluster::WhoIs::Mapped(mapped) = &who.is else { continue };
            if !mapped.is_symbolic() {
                continue;
            }
            let Some(user) = who.certain() else { continue };
            let names = &world.policy().names;
            let mut groups: Vec<Name> = user.groups.iter().map(|group| names.lookup(group)).collect();
            groups.retain(|group| {
                group.index() < names.len() && names.text(*group) != crate::model::user::SYSTEM_AUTHENTICATED
            });
            groups.sort_unstable_by_key(|group| names.text(*group));
            groups.dedup();
            let groups = identities.groups(&groups);
            for name in &world.users {
                let text = names.text(*name);
                if mapped.could_be_user(text).is_none() {
                    continue;
                }
                let other = Other { username: Username::User(*name), groups };
                let number_of_user = identities.other(world, &other);
                self.give_beyond(Fact::Other(number_of_user), Step::SessionName, || {
                    let condition =
                        format!("the trust policy of {} lets the caller choose its session name", arn.text);
                    let mut extra = Extra::of(Step::SessionName, condition);
                    extra.uses.push(Fact::Iam(number));
                    extra
                });
            }
        }
    }
}
