//! Steps that depend on what the inputs do not tell: objects that are absent, operators, who acts next.

use super::super::checks::{Bits, CUSTOM, Check};
use super::super::identities::{Crowd, Identities};
use super::super::outside::Condition;
use super::super::step::Step;
use super::super::world::{CLUSTER, EVERY, FIRST, Node, Place, World};
use super::beyond::Extra;
use super::{Closure, Fact, NEVER, RUN, Start, Told};
use crate::knowledge::operators::APPLIERS;
use crate::model::names::Name;
use crate::model::policy::Completeness;

/// Whether the cluster knows policies that change what passes.
fn mutates(world: &World<'_>) -> bool {
    world.cluster.version().minor() >= 36
}

/// What approving a request for a certificate takes, and what signing it takes: the request, and the right to its signer.
const APPROVAL: (Check, Check) = (Check::ApproveCertificates, Check::ApproveSigners);
const SIGNATURE: (Check, Check) = (Check::ChangeCertificates, Check::SignSigners);

/// The checks whose objects may be absent from the inputs.
const ABSENT: Bits = Check::ChangePods.bit()
    | Check::Exec.bit()
    | Check::AddContainers.bit()
    | Check::ReachKubelets.bit()
    | Check::ChangeDeployments.bit()
    | Check::ChangeDaemonSets.bit()
    | Check::ChangeStatefulSets.bit()
    | Check::ChangeCronJobs.bit()
    | Check::Attach.bit();

impl Closure {
    /// Steps whose object is not in the inputs.
    pub(super) fn absent_objects(&mut self, world: &World<'_>, identities: &Identities) {
        let is_export = world.cluster.completeness() == Completeness::Complete;
        let knows_accounts = is_export && !world.policy().service_accounts.is_empty();
        if !knows_accounts {
            self.absent_accounts(world);
        }
        let any = Name::UNKNOWN;
        let inventory = &world.policy().inventory;
        for place in self.places_of_some(world, ABSENT) {
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
                        self.give_beyond(Fact::Account(*account), step, || {
                            let condition = match step {
                                Step::ChangeWorkload => format!("namespace {name} has a workload to change"),
                                _ => format!("{object} runs as ServiceAccount {name}/{}", own.name),
                            };
                            Extra::of(step, condition).asking(check, any, at)
                        });
                    }
                }
            }
            if bits & Check::Attach.bit() != 0 {
                for pod in &space.pods {
                    let Some(own) = world.pods.get(*pod as usize).filter(|own| own.has_token) else {
                        continue;
                    };
                    self.give_beyond(Fact::Account(own.account), Step::Attach, || {
                        let condition = "a container of the pod has `stdin: true` and takes commands from it";
                        Extra::of(Step::Attach, condition).asking(Check::Attach, any, place)
                    });
                }
            }
            if self.hub(place).meets(RUN) && !space.is_loaded && !space.lets_privileged {
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
            let check = match step {
                Step::CreateToken => Check::CreateTokens,
                Step::MintTokenSecret => Check::CreateSecrets,
                Step::CreatePod => Check::CreatePods,
                Step::CreateWorkload => Check::CreateWorkloads,
                Step::ChangeWorkload => Check::ChangeDeployments,
                _ => continue,
            };
            self.give_beyond(Fact::Account(number), step, || {
                let named = world.policy().names.lookup(account.name);
                let name = if step == Step::CreateToken { named } else { Name::UNKNOWN };
                let mut extra = Extra::of(step, "").asking(check, name, account.place);
                let shown = format!("{}/{}", account.namespace, account.name);
                extra.conditions = vec![Condition::AccountExists(shown)];
                extra
            });
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
    fn names(
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
        let any = Name::UNKNOWN;
        for place in self.places_of_some(world, CUSTOM) {
            let bits = self.bits(place);
            let name = world.namespace(place);
            if bits & Check::RunByOperator.bit() != 0 && world.is_installed(Check::RunByOperator) {
                for account in world.space(place).into_iter().flat_map(|space| &space.accounts) {
                    if world.accounts.get(*account as usize).is_some_and(|own| own.exists) {
                        self.give_beyond(Fact::Account(*account), Step::RunByOperator, || {
                            let condition =
                                format!("the controller of that resource runs, and acts in namespace {name}");
                            let extra = Extra::of(Step::RunByOperator, condition);
                            extra.asking(Check::RunByOperator, any, place)
                        });
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
                        self.give_beyond(Fact::Account(*number), Step::ApplyByOperator, || {
                            let condition = format!(
                                "{} runs as ServiceAccount {}/{} and {}",
                                applier.name, own.namespace, own.name, applier.unless
                            );
                            Extra::of(Step::ApplyByOperator, condition).asking(check, any, place)
                        });
                    }
                }
            }
            let check = Check::WriteEksResources;
            if bits & check.bit() != 0 && world.is_installed(check) {
                let condition = "the controller's IAM role may let somebody into this cluster";
                self.give_beyond(Fact::ClusterAdmin, Step::CloudByOperator, || {
                    Extra::of(Step::CloudByOperator, condition).asking(check, any, place)
                });
            }
        }
    }

    /// Steps by rights in the whole cluster.
    pub(super) fn in_cluster(&mut self, world: &World<'_>, identities: &mut Identities) {
        let any = Name::UNKNOWN;
        let bits = self.bits(CLUSTER);
        let has = |check: Check| bits & check.bit() != 0;
        if has(Check::CreateCertificates) && self.approves(world, identities, APPROVAL) {
            let condition = "the signer kubernetes.io/kube-apiserver-client issues what is approved; by public reports \
                             it does not on EKS";
            let extra = Extra::of(Step::Csr, condition)
                .asking(Check::CreateCertificates, any, CLUSTER)
                .asking(Check::ApproveCertificates, any, CLUSTER);
            self.everybody(world, identities, &extra);
        }
        if self.approves(world, identities, SIGNATURE) {
            let condition = "it has the key of a certificate authority that the API server trusts";
            let extra = Extra::of(Step::Sign, condition).asking(Check::ChangeCertificates, any, CLUSTER);
            self.everybody(world, identities, &extra);
        }
        let mutations = has(Check::WriteMutations) && has(Check::BindMutations);
        let mut all = |extra: &Extra| {
            for (account, number) in world.accounts.iter().zip(0u32..) {
                if account.exists {
                    self.give_beyond(Fact::Account(number), extra.step, || extra.clone());
                }
            }
        };
        if has(Check::WriteWebhooks) {
            let condition = "somebody creates a pod with that account after the webhook is there";
            all(&Extra::of(Step::MutateByWebhook, condition).asking(Check::WriteWebhooks, any, CLUSTER));
        }
        if mutations && mutates(world) {
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
                    self.give_beyond(Fact::Account(own.account), Step::StealPods, || {
                        let mut extra = Extra::of(Step::StealPods, condition)
                            .asking(Check::MovePods, any, place)
                            .asking(Check::ChangeNodes, any, CLUSTER);
                        extra.uses.push(node);
                        extra
                    });
                }
            }
        }
        if has(Check::WriteDrivers) {
            let condition = "a driver of that name runs on the nodes and is its own";
            self.give_beyond(Fact::AnyNode, Step::Driver, || {
                Extra::of(Step::Driver, condition).asking(Check::WriteDrivers, any, CLUSTER)
            });
        }
    }

    /// Every user that bindings name, in every group but `system:masters`, and every service account.
    fn everybody(&mut self, world: &World<'_>, identities: &mut Identities, extra: &Extra) {
        self.anybody(world, identities, extra, &[]);
        for number in (0u32..).zip(&world.accounts).map(|(number, _)| number) {
            self.give_beyond(Fact::Account(number), extra.step, || extra.clone());
        }
    }

    /// Whether one identity approves or signs requests for client certificates: the signer is asked of who does.
    pub(super) fn approves(
        &self,
        world: &World<'_>,
        identities: &Identities,
        (request, signer): (Check, Check),
    ) -> bool {
        let names = &world.policy().names;
        let signers =
            ["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"].map(|name| names.lookup(name));
        let both = request.bit() | signer.bit();
        self.classes.iter().any(|class| {
            if self.some_rights(world, identities, *class, CLUSTER) & both != both {
                return false;
            }
            let rights = self.rights(world, identities, *class, CLUSTER);
            let all = rights.any & signer.bit() != 0;
            let known = signers.iter().filter(|name| name.index() < names.len());
            rights.any & request.bit() != 0
                && (all || known.into_iter().any(|name| rights.allows(signer, *name)))
        })
    }

    /// The namespaces where somebody passes one of some checks, or runs pods; perhaps others.
    pub(super) fn places_of_some(&self, world: &World<'_>, checks: Bits) -> Vec<Place> {
        if (self.bits(EVERY) | self.bits(CLUSTER)) & checks != 0 {
            return world.every().collect();
        }
        let filled = self.bits.filled().iter().chain(self.hubs.filled());
        let mut places: Vec<Place> = filled.copied().filter(|place| *place >= FIRST).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whether an uncertain step gives a whole crowd of which it is known that it becomes cluster-admin: then nobody has to
    /// be looked at one by one.
    pub(super) fn crowd_is_admin(&self, world: &World<'_>, identities: &Identities) -> bool {
        let has = |check: Check| self.bits(CLUSTER) & check.bit() != 0;
        let known = |crowd: Crowd| identities.admin_crowds.contains(&crowd);
        let accounts = has(Check::WriteWebhooks)
            || has(Check::RunByOperator) && world.is_installed(Check::RunByOperator)
            || has(Check::WriteMutations) && has(Check::BindMutations) && mutates(world);
        accounts && known(Crowd::Accounts)
            || known(Crowd::Everybody)
                && (has(Check::CreateCertificates) && self.approves(world, identities, APPROVAL)
                    || self.approves(world, identities, SIGNATURE))
    }

    /// Whether a crowd becomes cluster-admin, if conditions hold.
    pub(in crate::ask::paths) fn is_admin_crowd(
        &mut self,
        world: &mut World<'_>,
        identities: &mut Identities,
        crowd: Crowd,
    ) -> bool {
        let class = identities.class_of(world, &[]);
        let nobody = Start { class, fact: None, is_master: false, iam: None, is_user: false };
        self.begin(world, identities, nobody, Told::Sinks);
        let extra = Extra::of(Step::Csr, "");
        for (account, number) in world.accounts.iter().zip(0u32..) {
            if account.exists || crowd == Crowd::Everybody {
                self.give_beyond(Fact::Account(number), Step::Csr, || extra.clone());
            }
        }
        if crowd == Crowd::Everybody {
            self.anybody(world, identities, &extra, &[]);
        }
        self.rounds(world, identities, None, true);
        self.admin.round != NEVER
    }
}
