//! Steps that depend on what the inputs do not tell, by rights in the whole cluster: certificates, admission, drivers.

use super::super::checks::Check;
use super::super::identities::{Crowd, Identities};
use super::super::step::Step;
use super::super::world::{CLUSTER, Node, World};
use super::beyond::Extra;
use super::{Closure, Fact, NEVER, Start, Told};
use crate::model::names::Name;

/// Whether the cluster knows policies that change what passes.
fn mutates(world: &World<'_>) -> bool {
    world.cluster.version().minor() >= 36
}

/// What approving a request for a certificate takes, and what signing it takes: the request, and the right to its signer.
pub(super) const APPROVAL: (Check, Check) = (Check::ApproveCertificates, Check::ApproveSigners);
const SIGNATURE: (Check, Check) = (Check::ChangeCertificates, Check::SignSigners);
/// The names of the signer of client certificates, and of that for kubelets, by which a rule may allow them.
const CLIENT: [&str; 2] = ["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];
pub(super) const KUBELET: [&str; 2] = ["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/*"];

impl Closure {
    /// Steps by rights in the whole cluster.
    pub(super) fn in_cluster(&mut self, world: &World<'_>, identities: &mut Identities) {
        let any = Name::UNKNOWN;
        let bits = self.bits(CLUSTER);
        let has = |check: Check| bits & check.bit() != 0;
        if has(Check::CreateCertificates) && self.approves(world, identities, APPROVAL, CLIENT) {
            let condition = "the signer kubernetes.io/kube-apiserver-client issues what is approved; by public reports \
                             it does not on EKS";
            let extra = Extra::of(Step::Csr, condition)
                .asking(Check::CreateCertificates, any, CLUSTER)
                .asking(Check::ApproveCertificates, any, CLUSTER);
            self.everybody(world, identities, &extra);
        }
        if self.approves(world, identities, SIGNATURE, CLIENT) {
            let condition = "it has the key of a certificate authority that the API server trusts";
            let extra = Extra::of(Step::Sign, condition).asking(Check::ChangeCertificates, any, CLUSTER);
            self.everybody(world, identities, &extra);
        }
        let condition = "somebody creates a pod with that account after the webhook is there";
        let webhooks =
            self.extra(world, || Extra::of(Step::MutateByWebhook, condition), Check::WriteWebhooks, CLUSTER);
        let condition = "somebody creates a pod with that account after the policy is there";
        let policies =
            self.extra(world, || Extra::of(Step::MutateByPolicy, condition), Check::WriteMutations, CLUSTER);
        let policies = policies.and_then(|extra| self.extra(world, || extra, Check::BindMutations, CLUSTER));
        let mut all = |step: Step, extra: &Extra| {
            for (account, number) in world.accounts.iter().zip(0u32..) {
                if account.exists {
                    self.give_beyond(Fact::Account(number), step, || extra.clone());
                }
            }
        };
        if let Some(extra) = webhooks {
            all(Step::MutateByWebhook, &extra);
        }
        if let Some(extra) = policies.filter(|_| mutates(world)) {
            all(Step::MutateByPolicy, &extra);
        }
        self.by_validations(world);
        self.by_scheduling(world, identities);
        let condition = "a driver of that name runs on the nodes and is its own";
        if let Some(extra) =
            self.extra(world, || Extra::of(Step::Driver, condition), Check::WriteDrivers, CLUSTER)
        {
            self.give_beyond(Fact::AnyNode, Step::Driver, || extra);
        }
    }

    /// Webhooks that only look at what passes: tokens lie in the Secrets that are written for accounts.
    fn by_validations(&mut self, world: &World<'_>) {
        let condition = "a Secret with a token of that account is written after the webhook is there";
        let extra = || Extra::of(Step::SeeByWebhook, condition);
        let Some(extra) = self.extra(world, extra, Check::WriteValidations, CLUSTER) else { return };
        let tells = !world.policy().inventory.secrets.is_empty();
        let with_secrets = world.tokens_by_name.values().flatten().copied();
        let all = (0u32..).zip(&world.accounts).map(|(number, _)| number).filter(|_| !tells);
        for number in with_secrets.chain(all) {
            if world.accounts.get(number as usize).is_some_and(|own| own.exists) {
                self.give_beyond(Fact::Account(number), Step::SeeByWebhook, || extra.clone());
            }
        }
    }

    /// Pods that come to a node that is held: those that are driven there, and those that are made anew.
    fn by_scheduling(&mut self, world: &World<'_>, identities: &Identities) {
        let (Some(steers), Some(node)) = (self.may(Check::ChangeNodes, CLUSTER), self.held_node()) else {
            return;
        };
        for place in world.every() {
            let moves = self.may(Check::MovePods, place);
            for pod in world.space(place).into_iter().flat_map(|space| &space.pods) {
                let own = world.pods.get(*pod as usize);
                let Some(own) = own.filter(|own| own.has_token && own.node != Node::Fargate) else {
                    continue;
                };
                let asked = (Check::MovePods, own.name, place);
                let is_moved = moves.and_then(|_| self.may_with(world, identities, asked));
                let step = if is_moved.is_some() { Step::StealPods } else { Step::NodeLabels };
                self.give_beyond(Fact::Account(own.account), step, || {
                    let mut extra = match is_moved {
                        Some(name) => Extra::of(step, "the scheduler moves the pod to the node").asking(
                            Check::MovePods,
                            name,
                            place,
                        ),
                        None => Extra::of(step, "the scheduler puts a new pod of that account on the node"),
                    };
                    extra = extra.asking(Check::ChangeNodes, steers, CLUSTER);
                    extra.uses.push(node);
                    extra
                });
            }
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
        signers: [&str; 2],
    ) -> bool {
        let names = &world.policy().names;
        let signers = signers.map(|name| names.lookup(name));
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

    /// Whether an uncertain step gives a whole crowd of which it is known that it becomes cluster-admin: then nobody has to
    /// be looked at one by one.
    pub(super) fn crowd_is_admin(&self, world: &World<'_>, identities: &Identities) -> bool {
        let has = |check: Check| self.bits(CLUSTER) & check.bit() != 0;
        let known = |crowd: Crowd| identities.admin_crowds.contains(&crowd);
        let may = |check: Check| self.may(check, CLUSTER).is_some();
        let accounts = may(Check::WriteWebhooks)
            || may(Check::RunByOperator) && world.is_installed(Check::RunByOperator)
            || may(Check::WriteMutations) && may(Check::BindMutations) && mutates(world)
            || may(Check::WriteValidations) && world.policy().inventory.secrets.is_empty();
        accounts && known(Crowd::Accounts)
            || known(Crowd::Everybody)
                && (has(Check::CreateCertificates) && self.approves(world, identities, APPROVAL, CLIENT)
                    || self.approves(world, identities, SIGNATURE, CLIENT))
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
