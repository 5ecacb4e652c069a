//! What the API server lets a node do: it may ask for the tokens of its pods, by the Node authorizer.

use rustc_hash::FxHashSet;

use super::super::checks::Check;
use super::super::identities::{Identities, Other, Username};
use super::super::step::Step;
use super::super::world::{CLUSTER, NODE_USER, World};
use super::beyond::Extra;
use super::cluster_wide::{APPROVAL, KUBELET};
use super::{Closure, Fact};
use crate::model::names::Name;

/// The group of all nodes.
pub(super) const NODES: &str = "system:nodes";

impl Closure {
    /// Whoever acts as a node.
    pub(super) fn by_nodes(&mut self, world: &World<'_>, identities: &mut Identities) {
        self.impersonate_nodes(world, identities);
        let creates = self.bits(CLUSTER) & Check::CreateCertificates.bit() != 0;
        if creates && self.approves(world, identities, APPROVAL, KUBELET) {
            let condition = "the signer kubernetes.io/kube-apiserver-client-kubelet issues what is approved; by public \
                             reports it does not on EKS";
            let extra = Extra::of(Step::CsrNode, condition)
                .asking(Check::CreateCertificates, Name::UNKNOWN, CLUSTER)
                .asking(Check::ApproveCertificates, Name::UNKNOWN, CLUSTER);
            for node in (0u32..).zip(&world.nodes).map(|(node, _)| node) {
                self.tokens_of(world, node, &extra);
            }
        }
        self.credentials(world, identities);
    }

    /// Nodes that one identity may impersonate, in their group.
    fn impersonate_nodes(&mut self, world: &World<'_>, identities: &Identities) {
        let nodes = world.policy().names.lookup(NODES);
        for index in 0..self.classes.len() {
            let Some(class) = self.classes.get(index).copied() else { break };
            let asks = Check::ImpersonateGroups.bit() | Check::ImpersonateUsers.bit();
            if self.some_rights(world, identities, class, CLUSTER) & asks != asks {
                continue;
            }
            let rights = self.rights(world, identities, class, CLUSTER);
            if !rights.allows(Check::ImpersonateGroups, nodes) {
                continue;
            }
            for node in (0u32..).zip(&world.nodes).map(|(node, _)| node) {
                let user = world.node_user(node);
                if !rights.allows(Check::ImpersonateUsers, user) {
                    continue;
                }
                let mut extra = asking_for_tokens(world, node, Step::ImpersonateNode)
                    .asking(Check::ImpersonateUsers, user, CLUSTER)
                    .asking(Check::ImpersonateGroups, nodes, CLUSTER);
                extra.by = Some(class);
                self.tokens_of(world, node, &extra);
            }
        }
    }

    /// The accounts of the pods on a node.
    fn tokens_of(&mut self, world: &World<'_>, node: u32, extra: &Extra) {
        let on = world.pods_on.get(node as usize).into_iter().flatten();
        for pod in on.filter_map(|number| world.pods.get(*number as usize)) {
            self.give_beyond(Fact::Account(pod.account), extra.step, || {
                let name = world.nodes.get(node as usize).map_or("", |name| world.policy().names.text(*name));
                Extra { object: format!("node {name}"), ..extra.clone() }
            });
        }
    }

    /// What the kubelets of nodes that are held may do besides: what bindings give to nodes, and the tokens of pods that
    /// have none mounted.
    fn credentials(&mut self, world: &World<'_>, identities: &mut Identities) {
        let names = &world.policy().names;
        let all = self.any_node.round <= self.round;
        let mut held: Vec<u32> = if all {
            (0u32..).zip(&world.nodes).map(|(node, _)| node).collect()
        } else {
            let own = self.nodes.filled().iter().copied();
            own.filter(|node| self.nodes.get(*node).round <= self.round).collect()
        };
        held.sort_unstable_by_key(|node| world.nodes.get(*node as usize).map(|name| names.text(*name)));
        let group: Vec<Name> =
            world.groups.iter().copied().filter(|group| names.text(*group) == NODES).collect();
        let groups = identities.groups(&group);
        // By their group alone all nodes are alike: one stands for them.
        let mut is_told = group.is_empty();
        let users: FxHashSet<Name> =
            if held.is_empty() { FxHashSet::default() } else { world.users.iter().copied().collect() };
        for node in held {
            let from = if all { Fact::AnyNode } else { Fact::Node(node) };
            let is_named = users.contains(&world.node_user(node));
            if is_named || !is_told {
                is_told = true;
                let other = Other { username: Username::Node(node), groups };
                let number = identities.other(world, &other);
                self.give_beyond(Fact::Other(number), Step::NodeCredential, || {
                    let name = world.nodes.get(node as usize).map_or("", |name| names.text(*name));
                    let condition = format!(
                        "the kubelet of node {name} is {NODE_USER}{name} in Group {NODES} to the API server"
                    );
                    let mut extra = Extra::of(Step::NodeCredential, condition);
                    extra.uses.push(from);
                    extra
                });
            }
            let on = world.pods_on.get(node as usize).into_iter().flatten();
            for pod in on.filter_map(|number| world.pods.get(*number as usize)).filter(|pod| !pod.has_token) {
                self.give_beyond(Fact::Account(pod.account), Step::NodeCredential, || {
                    let mut extra = asking_for_tokens(world, node, Step::NodeCredential);
                    extra.uses.push(from);
                    extra
                });
            }
        }
    }
}

pub(super) fn asking_for_tokens(world: &World<'_>, node: u32, step: Step) -> Extra {
    let name = world.nodes.get(node as usize).map_or("", |name| world.policy().names.text(*name));
    Extra::of(step, format!("the Node authorizer lets node {name} ask for the tokens of its pods"))
}
