//! What lies beyond RBAC: steps through IAM that are certain, and steps that depend on what the inputs do not tell.
//!
//! The certain ones are taken round by round with the rest. The others are taken when nothing certain is left, all at
//! once; from there the certain ones go on.

use super::super::checks::Check;
use super::super::identities::{Identities, Other, Username};
use super::super::outside::{Condition, Edge};
use super::super::step::{Step, Steps};
use super::super::world::{CLUSTER, FIRST, Node, Place, World};
use super::{Closure, Fact, NEVER, RUN, Round};
use crate::knowledge::operators::APPLIERS;
use crate::model::names::Name;
use crate::model::policy::Completeness;
use crate::model::user::SYSTEM_MASTERS;

/// A step that the state alone does not tell.
#[derive(Clone, Debug)]
pub(in crate::ask::paths) struct Extra {
    pub(in crate::ask::paths) step: Step,
    /// Facts that it rests on.
    pub(in crate::ask::paths) uses: Vec<Fact>,
    /// The rights that it takes.
    pub(in crate::ask::paths) asks: Vec<(Check, Name, Place)>,
    /// What it is done to.
    pub(in crate::ask::paths) object: String,
    /// What must hold for it.
    pub(in crate::ask::paths) conditions: Vec<Condition>,
}

impl Extra {
    fn of(step: Step, condition: impl Into<String>) -> Self {
        let conditions = vec![Condition::says(condition)];
        Self { step, uses: Vec::new(), asks: Vec::new(), object: String::new(), conditions }
    }

    fn asking(mut self, check: Check, name: Name, place: Place) -> Self {
        self.asks.push((check, name, place));
        self
    }

    fn through(step: Step, from: Option<Fact>, edge: &Edge) -> Self {
        let (object, conditions) = (edge.object.clone(), edge.conditions.clone());
        Self { step, uses: from.into_iter().collect(), asks: Vec::new(), object, conditions }
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
    .and(Steps::of(Step::StealPods));

/// Names that access entries refuse.
fn is_reserved(name: &str) -> bool {
    ["system:", "eks:", "aws:", "amazon:", "iam:"].iter().any(|prefix| name.starts_with(prefix))
}

impl Closure {
    /// Remembers that the token of an account is had, and whether from inside a pod; impersonation gives neither.
    pub(super) fn hold_token(&mut self, number: u32, round: Round, steps: Steps) {
        let only = Steps::of(Step::ImpersonateServiceAccount);
        let Some((token, pod)) = self.tokens.get_mut(number as usize) else { return };
        if !steps.without(only).is_empty() {
            *token = round.min(*token);
        }
        if steps.meets(IN_A_POD) {
            *pod = round.min(*pod);
        }
    }

    fn give_beyond(&mut self, fact: Fact, extra: Extra) {
        let (round, step) = (self.round + 1, Steps::of(extra.step));
        let is_new = match fact {
            Fact::Iam(number) => self.iam.entry(number).or_default().give(round, step),
            Fact::Login(number) => self.logins.entry(number).or_default().give(round, step),
            Fact::Other(number) => self.others.entry(number).or_default().give(round, step),
            Fact::Account(number) => {
                self.hold_token(number, round, step);
                self.accounts.get_mut(number as usize).is_some_and(|own| own.give(round, step))
            }
            Fact::AnyNode => self.any_node.give(round, step),
            Fact::ClusterAdmin => self.admin.give(round, step),
            _ => false,
        };
        if is_new {
            self.next.push(fact);
            self.extras.insert(fact, extra);
        }
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
        let mut accounts: Vec<u32> = world.outside.of_account.keys().copied().collect();
        accounts.sort_unstable();
        for account in accounts {
            let (token, pod) = self.tokens.get(account as usize).copied().unwrap_or((NEVER, NEVER));
            for edge in world.outside.of_account.get(&account).into_iter().flatten() {
                let held = if edge.takes_a_pod { pod } else { token };
                if edge.conditions.is_empty() == is_certain && is_due(held) {
                    let extra = Extra::through(edge.step, Some(Fact::Account(account)), edge);
                    self.give_beyond(Fact::Iam(edge.to), extra);
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
                    self.give_beyond(Fact::Iam(edge.to), Extra::through(edge.step, Some(from), edge));
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
                    object: power.object.clone(),
                    conditions: power.conditions.clone(),
                };
                if power.is_admin {
                    self.give_beyond(Fact::ClusterAdmin, extra);
                } else {
                    self.anybody(world, identities, &extra, true);
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
            object: object.to_owned(),
            conditions: Vec::new(),
        };
        self.give_beyond(Fact::Login(number), extra(""));
        if user.in_group(SYSTEM_MASTERS) {
            self.give_beyond(Fact::ClusterAdmin, extra("mapped to Group system:masters"));
        }
    }

    /// Every user that bindings name, in every group that they name but `system:masters`.
    fn anybody(
        &mut self,
        world: &World<'_>,
        identities: &mut Identities,
        extra: &Extra,
        without_reserved: bool,
    ) {
        let text = |name: Name| world.policy().names.text(name);
        let fits = |name: &Name| !without_reserved || !is_reserved(text(*name));
        let groups = world.groups.iter().copied();
        let groups: Box<[Name]> = groups.filter(|group| *group != world.masters && fits(group)).collect();
        let mut users: Vec<Name> = world.users.iter().copied().filter(fits).collect();
        if users.is_empty() && !groups.is_empty() {
            users.push(Name::UNKNOWN);
        }
        for user in users {
            let other = Other { username: Username::User(user), groups: groups.clone() };
            let number = identities.other(world, &other);
            self.give_beyond(Fact::Other(number), extra.clone());
        }
    }

    /// Everything that depends on what the inputs do not tell.
    pub(super) fn uncertain(&mut self, world: &World<'_>, identities: &mut Identities) {
        if !world.outside.is_empty() {
            self.through_iam(world, identities, false);
            self.node_roles(world);
            self.session_names(world, identities);
        }
        self.absent_objects(world);
        self.by_operators(world);
        self.in_cluster(world, identities);
    }

    /// The IAM roles of nodes that are held.
    fn node_roles(&mut self, world: &World<'_>) {
        let held = self.held_node();
        let Some(node) = held else { return };
        for number in &world.outside.node_roles {
            let Some(arn) = world.outside.arns.get(*number as usize) else { continue };
            let mut extra = Extra::of(
                Step::NodeRole,
                format!("the node runs with {}, and pods reach its credentials", arn.text),
            );
            extra.uses.push(node);
            self.give_beyond(Fact::Iam(*number), extra);
        }
    }

    /// A node of which it is known which it is.
    fn held_node(&self) -> Option<Fact> {
        let known = (0u32..).zip(&self.nodes).find(|(_, own)| own.round <= self.round);
        let known = known.map(|(number, _)| Fact::Node(number));
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
            for name in &world.users {
                let text = names.text(*name);
                if mapped.could_be_user(text).is_none() {
                    continue;
                }
                let other = Other { username: Username::User(*name), groups: groups.clone().into() };
                let number_of_user = identities.other(world, &other);
                let mut extra = Extra::of(
                    Step::SessionName,
                    format!("the trust policy of {} lets the caller choose its session name", arn.text),
                );
                extra.uses.push(Fact::Iam(number));
                self.give_beyond(Fact::Other(number_of_user), extra);
            }
        }
    }

    /// Steps whose object is not in the inputs.
    fn absent_objects(&mut self, world: &World<'_>) {
        let is_export = world.cluster.completeness() == Completeness::Complete;
        let knows_accounts = is_export && !world.policy().service_accounts.is_empty();
        if !knows_accounts {
            self.absent_accounts(world);
        }
        let any = Name::UNKNOWN;
        let inventory = &world.policy().inventory;
        for place in world.every() {
            let Some(space) = world.space(place) else { continue };
            let name = world.namespace(place);
            let bits = self.bits(place);
            if inventory.workloads.is_empty() {
                for (check, step) in [
                    (Check::ChangePods, Step::ChangePod),
                    (Check::Exec, Step::Exec),
                    (Check::AddContainers, Step::EphemeralContainer),
                    (Check::ReachKubelets, Step::NodeProxy),
                    (Check::ChangeDeployments, Step::ChangeWorkload),
                    (Check::ChangeDaemonSets, Step::ChangeWorkload),
                    (Check::ChangeStatefulSets, Step::ChangeWorkload),
                    (Check::ChangeCronJobs, Step::ChangeWorkload),
                ] {
                    let at = if check == Check::ReachKubelets { CLUSTER } else { place };
                    if self.bits(at) & check.bit() == 0 {
                        continue;
                    }
                    let object = if step == Step::ChangeWorkload { "a workload" } else { "a pod" };
                    for account in &space.accounts {
                        let Some(own) = world.accounts.get(*account as usize).filter(|own| own.exists) else {
                            continue;
                        };
                        let condition = match step {
                            Step::ChangeWorkload => format!("namespace {name} has a workload to change"),
                            _ => format!("{object} runs as ServiceAccount {name}/{}", own.name),
                        };
                        self.give_beyond(
                            Fact::Account(*account),
                            Extra::of(step, condition).asking(check, any, at),
                        );
                    }
                }
            }
            if bits & Check::Attach.bit() != 0 {
                for pod in &space.pods {
                    let Some(own) = world.pods.get(*pod as usize).filter(|own| own.has_token) else {
                        continue;
                    };
                    let condition = "a container of the pod has `stdin: true` and takes commands from it";
                    let extra = Extra::of(Step::Attach, condition).asking(Check::Attach, any, place);
                    self.give_beyond(Fact::Account(own.account), extra);
                }
            }
            let runs = self.hubs.get((place - FIRST) as usize).is_some_and(|hub| hub.meets(RUN));
            if runs && !space.is_loaded && !space.lets_privileged {
                let condition = format!(
                    "no policy keeps privileged pods out of namespace {name}; its Namespace is not in the inputs"
                );
                let mut extra = Extra::of(Step::PrivilegedPod, condition);
                extra.object = format!("namespace {name}");
                extra.asks = [Check::CreatePods, Check::CreateWorkloads, Check::ChangeDeployments]
                    .into_iter()
                    .find(|check| bits & check.bit() != 0)
                    .map(|check| (check, any, place))
                    .into_iter()
                    .collect();
                self.give_beyond(Fact::AnyNode, extra);
            }
        }
        self.absent_aws_auth(world);
    }

    /// Service accounts that bindings name and the inputs do not hold.
    fn absent_accounts(&mut self, world: &World<'_>) {
        for (account, number) in world.accounts.iter().zip(0u32..) {
            if account.exists || self.made.contains_key(&number) {
                continue;
            }
            let hub = account.place.checked_sub(FIRST).and_then(|index| self.hubs.get(index as usize));
            let waiting = self.waiting.get(&number).copied().unwrap_or_default();
            let Some(step) = hub.copied().unwrap_or_default().and(waiting).first() else { continue };
            let check = match step {
                Step::CreateToken => Check::CreateTokens,
                Step::MintTokenSecret => Check::CreateSecrets,
                Step::CreatePod => Check::CreatePods,
                Step::CreateWorkload => Check::CreateWorkloads,
                Step::ChangeWorkload => Check::ChangeDeployments,
                _ => continue,
            };
            let named = world.policy().names.lookup(account.name);
            let name = if step == Step::CreateToken { named } else { Name::UNKNOWN };
            let mut extra = Extra::of(step, "").asking(check, name, account.place);
            extra.conditions =
                vec![Condition::AccountExists(format!("{}/{}", account.namespace, account.name))];
            self.give_beyond(Fact::Account(number), extra);
        }
    }

    /// The ConfigMap `aws-auth` where the inputs do not hold it.
    fn absent_aws_auth(&mut self, world: &World<'_>) {
        if world.aws_auth.is_some() {
            return;
        }
        let place = world.kube_system;
        for check in [Check::ChangeConfigMaps, Check::CreateConfigMaps] {
            if self.bits(place) & check.bit() != 0 {
                let condition = "the cluster reads aws-auth (authentication mode CONFIG_MAP or API_AND_CONFIG_MAP); \
                                 the inputs do not hold it";
                let extra = Extra::of(Step::EditAwsAuth, condition).asking(check, Name::UNKNOWN, place);
                self.give_beyond(Fact::ClusterAdmin, extra);
            }
        }
    }

    /// Custom resources by which a controller acts.
    fn by_operators(&mut self, world: &World<'_>) {
        let any = Name::UNKNOWN;
        for place in world.every() {
            let bits = self.bits(place);
            let name = world.namespace(place);
            if bits & Check::RunByOperator.bit() != 0 && world.is_installed(Check::RunByOperator) {
                for account in world.space(place).into_iter().flat_map(|space| &space.accounts) {
                    if world.accounts.get(*account as usize).is_some_and(|own| own.exists) {
                        let condition =
                            format!("the controller of that resource runs, and acts in namespace {name}");
                        let extra = Extra::of(Step::RunByOperator, condition);
                        let extra = extra.asking(Check::RunByOperator, any, place);
                        self.give_beyond(Fact::Account(*account), extra);
                    }
                }
            }
            for (applier, check) in
                APPLIERS.iter().zip([Check::WriteFlux, Check::WriteArgo, Check::WriteKyverno])
            {
                if bits & check.bit() == 0 || !world.is_installed(check) {
                    continue;
                }
                for account in applier.accounts.iter().filter_map(|name| world.accounts_by_name.get(name)) {
                    for number in account {
                        let Some(own) = world.accounts.get(*number as usize) else { continue };
                        if applier.is_at_home && own.place != place {
                            continue;
                        }
                        let condition = format!(
                            "{} runs as ServiceAccount {}/{} and {}",
                            applier.name, own.namespace, own.name, applier.unless
                        );
                        let extra = Extra::of(Step::ApplyByOperator, condition).asking(check, any, place);
                        self.give_beyond(Fact::Account(*number), extra);
                    }
                }
            }
            let check = Check::WriteEksResources;
            if bits & check.bit() != 0 && world.is_installed(check) {
                let condition = "the controller's IAM role may let somebody into this cluster";
                let extra = Extra::of(Step::CloudByOperator, condition).asking(check, any, place);
                self.give_beyond(Fact::ClusterAdmin, extra);
            }
        }
    }

    /// Steps by rights in the whole cluster.
    fn in_cluster(&mut self, world: &World<'_>, identities: &mut Identities) {
        let any = Name::UNKNOWN;
        let bits = self.bits(CLUSTER);
        let has = |check: Check| bits & check.bit() != 0;
        if has(Check::CreateCertificates) && self.approves(world, identities) {
            let condition = "the signer kubernetes.io/kube-apiserver-client issues what is approved; by public reports \
                             it does not on EKS";
            let extra = Extra::of(Step::Csr, condition)
                .asking(Check::CreateCertificates, any, CLUSTER)
                .asking(Check::ApproveCertificates, any, CLUSTER);
            self.anybody(world, identities, &extra, false);
            for number in (0u32..).zip(&world.accounts).map(|(number, _)| number) {
                self.give_beyond(Fact::Account(number), extra.clone());
            }
        }
        let mutations = has(Check::WriteMutations) && has(Check::BindMutations);
        let mut all = |extra: &Extra| {
            for (account, number) in world.accounts.iter().zip(0u32..) {
                if account.exists {
                    self.give_beyond(Fact::Account(number), extra.clone());
                }
            }
        };
        if has(Check::WriteWebhooks) {
            let condition = "somebody creates a pod with that account after the webhook is there";
            all(&Extra::of(Step::MutateByWebhook, condition).asking(Check::WriteWebhooks, any, CLUSTER));
        }
        if mutations && world.cluster.version().minor() >= 36 {
            let condition = "somebody creates a pod with that account after the policy is there";
            let extra = Extra::of(Step::MutateByPolicy, condition);
            all(&extra.asking(Check::WriteMutations, any, CLUSTER).asking(
                Check::BindMutations,
                any,
                CLUSTER,
            ));
        }
        if has(Check::ChangeNodes)
            && let Some(node) = self.held_node()
        {
            let moved = |place: &Place| self.bits(*place) & Check::MovePods.bit() != 0;
            for place in world.every().filter(moved).collect::<Vec<_>>() {
                for pod in world.space(place).into_iter().flat_map(|space| &space.pods) {
                    let own = world.pods.get(*pod as usize);
                    let Some(own) = own.filter(|own| own.has_token && own.node != Node::Fargate) else {
                        continue;
                    };
                    let condition = "the scheduler moves the pod to the node";
                    let mut extra = Extra::of(Step::StealPods, condition)
                        .asking(Check::MovePods, any, place)
                        .asking(Check::ChangeNodes, any, CLUSTER);
                    extra.uses.push(node);
                    self.give_beyond(Fact::Account(own.account), extra);
                }
            }
        }
        if has(Check::WriteDrivers) {
            let condition = "a driver of that name runs on the nodes and is its own";
            let extra = Extra::of(Step::Driver, condition).asking(Check::WriteDrivers, any, CLUSTER);
            self.give_beyond(Fact::AnyNode, extra);
        }
    }

    /// Whether one identity approves requests for client certificates: the signer is asked of who approves.
    fn approves(&self, world: &World<'_>, identities: &Identities) -> bool {
        let names = &world.policy().names;
        let signers =
            ["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"].map(|name| names.lookup(name));
        self.classes.iter().any(|class| {
            let rights = self.rights(world, identities, *class, CLUSTER);
            let all = rights.any & Check::ApproveSigners.bit() != 0;
            let known = signers.iter().filter(|name| name.index() < names.len());
            rights.any & Check::ApproveCertificates.bit() != 0
                && (all || known.into_iter().any(|name| rights.allows(Check::ApproveSigners, *name)))
        })
    }
}
