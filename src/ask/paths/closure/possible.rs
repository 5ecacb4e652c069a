//! Steps that depend on what the inputs do not tell: objects that are absent, operators, who acts next.

use super::super::checks::{Bits, CUSTOM, Check};
use super::super::identities::Identities;
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, FIRST, Place, World};
use super::beyond::Extra;
use super::{Closure, Fact, RUN};
use crate::knowledge::operators::{APPLIERS, Applier};
use crate::model::names::Name;
use crate::model::policy::Completeness;

/// The checks of objects that the inputs may not hold.
const ABSENT: Bits = Check::ChangePods.bit()
    | Check::Exec.bit()
    | Check::AddContainers.bit()
    | Check::ReachKubelets.bit()
    | Check::ChangeDeployments.bit()
    | Check::ChangeDaemonSets.bit()
    | Check::ChangeStatefulSets.bit()
    | Check::ChangeCronJobs.bit()
    | Check::ChangeReplicaSets.bit()
    | Check::ChangeReplicationControllers.bit()
    | Check::ReadSecrets.bit()
    | Check::Attach.bit();

/// The checks of possible steps for which a rule with names suffices.
const BY_NAME: Bits = ABSENT
    | CUSTOM
    | Check::WriteWebhooks.bit()
    | Check::WriteMutations.bit()
    | Check::BindMutations.bit()
    | Check::WriteValidations.bit()
    | Check::WriteDrivers.bit()
    | Check::MovePods.bit()
    | Check::ChangeDefinitions.bit()
    | Check::ChangeNodes.bit();

/// The steps by objects that the inputs do not hold, with what each takes.
const TO_ABSENT: [(Check, Step); 10] = [
    (Check::ChangePods, Step::ChangePod),
    (Check::Exec, Step::Exec),
    (Check::AddContainers, Step::EphemeralContainer),
    (Check::ReachKubelets, Step::NodeProxy),
    (Check::ChangeDeployments, Step::ChangeWorkload),
    (Check::ChangeDaemonSets, Step::ChangeWorkload),
    (Check::ChangeStatefulSets, Step::ChangeWorkload),
    (Check::ChangeCronJobs, Step::ChangeWorkload),
    (Check::ChangeReplicaSets, Step::ChangeWorkload),
    (Check::ChangeReplicationControllers, Step::ChangeWorkload),
];

impl Closure {
    /// Finds by which names checks of possible steps pass, where not by all.
    pub(super) fn find_names(&mut self, world: &World<'_>, identities: &Identities) {
        self.some_names.clear();
        self.some_named = 0;
        let text = |name: Name| world.policy().names.text(name);
        for pair in self.held.filled() {
            let (role, place) = identities.pair_at(*pair);
            let Some(answers) = world.answers(role).filter(|own| own.named_bits & BY_NAME != 0) else {
                continue;
            };
            let named = answers.named.iter();
            for (check, name) in
                named.filter(|(check, name)| BY_NAME & check.bit() != 0 && *name != Name::EMPTY)
            {
                self.some_named |= check.bit();
                let known = self.some_names.entry((place, *check)).or_insert(*name);
                if text(*name) < text(*known) {
                    *known = *name;
                }
            }
        }
    }

    /// By which name a check of a possible step passes: `UNKNOWN` where by any.
    pub(super) fn may(&self, check: Check, place: Place) -> Option<Name> {
        if self.bits(place) & check.bit() != 0 {
            return Some(Name::UNKNOWN);
        }
        if self.some_named & check.bit() == 0 {
            return None;
        }
        let wider = [(place != CLUSTER).then_some(EVERY), Some(place)].into_iter().flatten();
        [CLUSTER].into_iter().chain(wider).find_map(|at| self.some_names.get(&(at, check)).copied())
    }

    /// By which name a check passes for an object of a name: `UNKNOWN` where by any.
    pub(super) fn may_with(
        &self,
        world: &World<'_>,
        identities: &Identities,
        asked @ (check, name, place): (Check, Name, Place),
    ) -> Option<Name> {
        if self.bits(place) & check.bit() != 0 {
            return Some(Name::UNKNOWN);
        }
        (name != Name::UNKNOWN && self.names(world, identities, asked)).then_some(name)
    }

    /// A possible step with one more check that it takes, if that passes; by a rule for names the object must be there.
    pub(super) fn extra(
        &self,
        world: &World<'_>,
        extra: impl FnOnce() -> Extra,
        check: Check,
        place: Place,
    ) -> Option<Extra> {
        let name = self.may(check, place)?;
        let extra = extra();
        if self.trace.is_none() {
            return Some(extra);
        }
        let extra = extra.asking(check, name, place);
        if name == Name::UNKNOWN {
            return Some(extra);
        }
        Some(extra.given(format!("an object named {} is there to change", world.policy().names.text(name))))
    }

    /// Steps whose object is not in the inputs.
    pub(super) fn absent_objects(&mut self, world: &World<'_>, identities: &Identities) {
        let is_export = world.cluster.completeness() == Completeness::Complete;
        let knows_accounts = is_export && !world.policy().service_accounts.is_empty();
        if !knows_accounts {
            self.absent_accounts(world);
        }
        let any = Name::UNKNOWN;
        for place in self.places_of_some(world, ABSENT) {
            let Some(space) = world.space(place) else { continue };
            let name = world.namespace(place);
            self.absent_pods(world, place);
            let attaches = self.may(Check::Attach, place);
            for pod in attaches.into_iter().flat_map(|_| &space.pods) {
                let Some(own) = world.pods.get(*pod as usize).filter(|own| own.has_token) else {
                    continue;
                };
                let asked = (Check::Attach, own.name, place);
                let Some(name) = attaches.and_then(|_| self.may_with(world, identities, asked)) else {
                    continue;
                };
                self.give_beyond(Fact::Account(own.account), Step::Attach, || {
                    let condition = "a container of the pod has `stdin: true` and takes commands from it";
                    Extra::of(Step::Attach, condition).asking(Check::Attach, name, place)
                });
            }
            if self.hub(place).meets(RUN) && !space.is_loaded && !space.lets_privileged {
                let bits = self.bits(place);
                self.give_beyond(Fact::AnyNode, Step::PrivilegedPod, || {
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
                    extra
                });
            }
        }
        self.absent_aws_auth(world, identities);
    }

    /// Pods, workloads and Secrets of a namespace, where the inputs hold none at all.
    fn absent_pods(&mut self, world: &World<'_>, place: Place) {
        let inventory = &world.policy().inventory;
        let Some(space) = world.space(place) else { return };
        let namespace = world.namespace(place);
        let text = |name: Name| world.policy().names.text(name);
        let exists = |number: &&u32| world.accounts.get(**number as usize).is_some_and(|own| own.exists);
        let steps = TO_ABSENT.into_iter().filter(|_| inventory.workloads.is_empty());
        let secrets = (Check::ReadSecrets, Step::ReadTokenSecret);
        for (check, step) in steps.chain(inventory.secrets.is_empty().then_some(secrets)) {
            let at = if check == Check::ReachKubelets { CLUSTER } else { place };
            let Some(name) = self.may(check, at) else { continue };
            for number in space.accounts.iter().filter(exists) {
                self.give_beyond(Fact::Account(*number), step, || {
                    let own = world.accounts.get(*number as usize).map_or("", |own| own.name);
                    let named = |what: &str| match name {
                        Name::UNKNOWN => format!("a {what}"),
                        name => format!("the {what} {}", text(name)),
                    };
                    let condition = match step {
                        Step::ChangeWorkload if name == Name::UNKNOWN => {
                            format!("namespace {namespace} has a workload to change")
                        }
                        Step::ChangeWorkload => {
                            format!("namespace {namespace} has a workload named {}", text(name))
                        }
                        Step::ReadTokenSecret => {
                            format!("{} holds a token of ServiceAccount {namespace}/{own}", named("Secret"))
                        }
                        Step::NodeProxy if name != Name::UNKNOWN => {
                            format!("a pod on node {} runs as ServiceAccount {namespace}/{own}", text(name))
                        }
                        _ => format!("{} runs as ServiceAccount {namespace}/{own}", named("pod")),
                    };
                    Extra::of(step, condition).asking(check, name, at)
                });
            }
        }
    }

    /// Service accounts that bindings name and the inputs do not hold.
    pub(super) fn absent_accounts(&mut self, world: &World<'_>) {
        let spaces = self.hubs.filled().iter().filter_map(|place| world.space(*place));
        let mut candidates: Vec<u32> = spaces.flat_map(|space| space.accounts.iter().copied()).collect();
        candidates.extend(self.waiting.keys());
        candidates.sort_unstable();
        candidates.dedup();
        for number in candidates {
            let Some(account) = world.accounts.get(number as usize) else { continue };
            if account.exists || self.made.contains_key(&number) {
                continue;
            }
            let waiting = self.waiting.get(&number).copied().unwrap_or_default();
            let Some(step) = self.hub(account.place).and(waiting).first() else { continue };
            let is_known = matches!(
                step,
                Step::CreateToken
                    | Step::MintTokenSecret
                    | Step::CreatePod
                    | Step::CreateWorkload
                    | Step::ChangeWorkload
            );
            if is_known {
                self.give_absent(number, step);
            }
        }
    }

    /// The ConfigMap `aws-auth` where the inputs do not hold it.
    pub(super) fn absent_aws_auth(&mut self, world: &World<'_>, identities: &Identities) {
        if world.aws_auth.is_some() {
            return;
        }
        let (place, any) = (world.kube_system, Name::UNKNOWN);
        let named = world.policy().names.lookup("aws-auth");
        let is_named = named.index() < world.policy().names.len()
            && self.names(world, identities, (Check::ChangeConfigMaps, named, place));
        let passes = |check: Check| self.bits(place) & check.bit() != 0;
        for (check, name, passes) in [
            (Check::ChangeConfigMaps, any, passes(Check::ChangeConfigMaps)),
            (Check::ChangeConfigMaps, named, is_named),
            (Check::CreateConfigMaps, any, passes(Check::CreateConfigMaps)),
        ] {
            if passes {
                let condition = "the cluster reads aws-auth (authentication mode CONFIG_MAP or API_AND_CONFIG_MAP); \
                                 the inputs do not hold it";
                self.give_beyond(Fact::ClusterAdmin, Step::EditAwsAuth, || {
                    Extra::of(Step::EditAwsAuth, condition).asking(check, name, place)
                });
            }
        }
    }

    /// Whether a role that somebody holds allows a check with this name.
    pub(super) fn names(
        &self,
        world: &World<'_>,
        identities: &Identities,
        (check, name, place): (Check, Name, Place),
    ) -> bool {
        self.held.filled().iter().any(|pair| {
            let (role, at) = identities.pair_at(*pair);
            (at == place || at == CLUSTER || at == EVERY && place != CLUSTER)
                && world.answers(role).is_some_and(|own| own.allows(check, name))
        })
    }

    /// Custom resources by which a controller acts.
    pub(super) fn by_operators(&mut self, world: &World<'_>) {
        let installed = CUSTOM_CHECKS.into_iter().filter(|check| world.is_installed(*check));
        let installed = installed.fold(0, |all, check| all | check.bit());
        let is_installed = |check: Check| installed & check.bit() != 0;
        for place in self.places_of_some(world, installed) {
            let name = world.namespace(place);
            let is_told = self.trace.is_some();
            let runs = || {
                if !is_told {
                    return Extra::bare(Step::RunByOperator);
                }
                let condition = format!("the controller of that resource runs, and acts in namespace {name}");
                Extra::of(Step::RunByOperator, condition)
            };
            if is_installed(Check::RunByOperator)
                && let Some(extra) = self.extra(world, runs, Check::RunByOperator, place)
            {
                for account in world.space(place).into_iter().flat_map(|space| &space.accounts) {
                    if world.accounts.get(*account as usize).is_some_and(|own| own.exists) {
                        self.give_beyond(Fact::Account(*account), Step::RunByOperator, || extra.clone());
                    }
                }
            }
            for (applier, check) in APPLIERS.iter().zip(APPLIED_BY) {
                if !is_installed(check) || self.may(check, place).is_none() {
                    continue;
                }
                for (number, extra) in appliers(world, applier, Step::ApplyByOperator) {
                    let home = world.accounts.get(number as usize).map_or(CLUSTER, |own| own.place);
                    if (!applier.is_at_home || home == place)
                        && let Some(extra) = self.extra(world, || extra, check, place)
                    {
                        self.give_beyond(Fact::Account(number), Step::ApplyByOperator, || extra);
                    }
                }
            }
            let check = Check::WriteEksResources;
            let lets_in = || Extra::of(Step::CloudByOperator, LETS_IN);
            if is_installed(check)
                && let Some(extra) = self.extra(world, lets_in, check, place)
            {
                self.give_beyond(Fact::ClusterAdmin, Step::CloudByOperator, || extra);
            }
        }
    }

    /// Definitions of these resources that are known to be there: whoever changes one puts a webhook before the objects of
    /// all, which converts them as it likes.
    pub(super) fn by_definitions(&mut self, world: &World<'_>, identities: &Identities) {
        let change = Check::ChangeDefinitions;
        let any = self.bits(CLUSTER) & change.bit() != 0;
        if !any && self.some_named & change.bit() == 0 {
            return;
        }
        let catalogue = world.cluster.catalogue();
        let by = |closure: &Self, check: Check| -> Option<(Name, String)> {
            let kinds = check.asked(world.cluster.version()).1.iter();
            let mut known = kinds.filter(|(group, plural)| catalogue.find(group, plural).is_some());
            known.find_map(|(group, plural)| {
                let text = format!("{plural}.{group}");
                let name = world.policy().names.lookup(&text);
                let named = || {
                    name.index() < world.policy().names.len()
                        && closure.names(world, identities, (change, name, CLUSTER))
                };
                (any || named()).then_some((if any { Name::UNKNOWN } else { name }, text))
            })
        };
        let extra = |(name, kind): (Name, String)| {
            let condition = format!("the objects of {kind} are read or written after the webhook is there");
            Extra::of(Step::ConvertCrd, condition).asking(change, name, CLUSTER)
        };
        if let Some(by) = by(self, Check::RunByOperator) {
            let extra = extra(by).given("the controller of that resource runs pods with that account");
            for (account, number) in world.accounts.iter().zip(0u32..) {
                if account.exists {
                    self.give_beyond(Fact::Account(number), Step::ConvertCrd, || extra.clone());
                }
            }
        }
        for (applier, check) in APPLIERS.iter().zip(APPLIED_BY) {
            let Some(by) = by(self, check) else { continue };
            let extra = extra(by);
            for (number, own) in appliers(world, applier, Step::ConvertCrd) {
                self.give_beyond(Fact::Account(number), Step::ConvertCrd, || {
                    let conditions = extra.conditions.iter().chain(&own.conditions).cloned().collect();
                    Extra { conditions, ..extra.clone() }
                });
            }
        }
        if let Some(by) = by(self, Check::WriteEksResources) {
            let extra = extra(by).given(LETS_IN);
            self.give_beyond(Fact::ClusterAdmin, Step::ConvertCrd, || extra);
        }
    }

    /// The namespaces where somebody passes one of some checks, or runs pods; perhaps others.
    pub(super) fn places_of_some(&self, world: &World<'_>, checks: Bits) -> Vec<Place> {
        if (self.bits(EVERY) | self.bits(CLUSTER)) & checks != 0 {
            return world.every().collect();
        }
        let named = self.some_names.keys().filter(|(_, check)| checks & check.bit() != 0);
        if named.clone().any(|(place, _)| *place < FIRST) {
            return world.every().collect();
        }
        let filled = self.bits.filled().iter().chain(self.hubs.filled());
        let filled = filled.chain(named.map(|(place, _)| place));
        let mut places: Vec<Place> = filled.copied().filter(|place| *place >= FIRST).collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// The checks about custom resources.
const CUSTOM_CHECKS: [Check; 5] =
    [Check::RunByOperator, Check::WriteFlux, Check::WriteArgo, Check::WriteKyverno, Check::WriteEksResources];

/// What must hold where a controller calls the EKS API.
const LETS_IN: &str = "the controller's IAM role may let somebody into this cluster";

/// The checks about what each of [`APPLIERS`] applies.
const APPLIED_BY: [Check; 3] = [Check::WriteFlux, Check::WriteArgo, Check::WriteKyverno];

/// The service accounts as which a controller may apply, each with what must hold.
fn appliers(world: &World<'_>, applier: &Applier, step: Step) -> Vec<(u32, Extra)> {
    let accounts = applier.accounts.iter().filter_map(|name| world.accounts_by_name.get(name));
    let own = accounts.flatten().filter_map(|number| {
        let own = world.accounts.get(*number as usize)?;
        let condition = format!(
            "{} runs as ServiceAccount {}/{} and {}",
            applier.name, own.namespace, own.name, applier.unless
        );
        Some((*number, Extra::of(step, condition)))
    });
    own.collect()
}
