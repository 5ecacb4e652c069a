//! The objects of the inputs that steps are done to: service accounts, pods and workloads, nodes, Secrets with tokens.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::checks::Check;
use super::{Account, CLUSTER, Node, Pod, World, change_of};
use crate::model::names::Name;
use crate::model::policy::{Policy, position};
use crate::model::rbac::Subject;
use crate::model::user::{
    SYSTEM_ANONYMOUS, SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_UNAUTHENTICATED, split_service_account,
};
use crate::model::workload::WorkloadKind;

impl<'c> World<'c> {
    pub(super) fn find_accounts(&mut self, policy: &'c Policy) {
        let text = |name: Name| policy.names.text(name);
        let mut found: FxHashMap<(&str, &str), bool> = FxHashMap::default();
        for (namespace, name, _) in &policy.service_accounts {
            found.insert((text(*namespace), text(*name)), true);
        }
        for namespace in &self.namespaces {
            found.insert((namespace, "default"), true);
        }
        // A pod is not admitted without its account.
        let pods = policy.inventory.workloads.iter().filter(|own| own.kind == WorkloadKind::Pod);
        for pod in pods {
            found.insert((text(pod.namespace), text(pod.service_account)), true);
        }
        for placed in policy.bindings.iter().flat_map(|binding| policy.subjects_of(binding)) {
            let named = match placed.subject {
                Subject::ServiceAccount { namespace, name } => Some((text(namespace), text(name))),
                Subject::User(name) => split_service_account(text(name)),
                Subject::Group(_) | Subject::Caller(_) => None,
            };
            if let Some(named) = named {
                found.entry(named).or_insert(false);
            }
        }
        let mut all: Vec<((&str, &str), bool)> = found.into_iter().collect();
        all.sort_unstable();
        for ((namespace, name), exists) in all {
            let number = position(self.accounts.len());
            let place = self.places.get(namespace).copied().unwrap_or(CLUSTER);
            self.accounts.push(Account { namespace, name, place, exists });
            self.account_numbers.insert((namespace, name), number);
            self.accounts_by_name.entry(name).or_default().push(number);
            if let Some(space) = self.space_mut(place) {
                space.accounts.push(number);
            }
        }
    }

    pub(super) fn find_named(&mut self, policy: &'c Policy) {
        let text = |name: &Name| policy.names.text(*name);
        let (mut users, mut groups): (FxHashSet<Name>, FxHashSet<Name>) = Default::default();
        for placed in policy.bindings.iter().flat_map(|binding| policy.subjects_of(binding)) {
            match placed.subject {
                Subject::User(name) => {
                    users.insert(name);
                }
                Subject::Group(name) => {
                    groups.insert(name);
                }
                Subject::ServiceAccount { .. } | Subject::Caller(_) => {}
            }
        }
        // A name to which a rule limits impersonation is a user that can be impersonated.
        for answers in &self.answers {
            users.extend(answers.names_of(Check::ImpersonateUsers));
        }
        users.retain(|name| {
            let text = text(name);
            !matches!(text, "" | SYSTEM_ANONYMOUS) && split_service_account(text).is_none()
        });
        groups.retain(|name| !matches!(text(name), SYSTEM_AUTHENTICATED | SYSTEM_UNAUTHENTICATED));
        groups.insert(self.masters);
        self.users = users.into_iter().collect();
        self.users.sort_unstable_by_key(text);
        self.groups = groups.into_iter().collect();
        self.groups.sort_unstable_by_key(
            |name| {
                if *name == self.masters { SYSTEM_MASTERS } else { text(name) }
            },
        );
    }

    pub(super) fn account_number(&self, namespace: Name, name: Name) -> Option<u32> {
        let names = &self.policy().names;
        self.account_numbers.get(&(names.text(namespace), names.text(name))).copied()
    }

    pub(super) fn node(&mut self, name: Name) -> Node {
        if name == Name::EMPTY {
            return Node::Unknown;
        }
        if self.policy().names.text(name).starts_with("fargate-") {
            return Node::Fargate;
        }
        let next = position(self.nodes.len());
        let number = *self.node_numbers.entry(name).or_insert(next);
        if number == next {
            self.nodes.push(name);
            self.pods_on.push(Vec::new());
        }
        Node::Known(number)
    }

    pub(super) fn find_pods(&mut self, policy: &'c Policy) {
        // Of one object that is there twice the last counts.
        let mut last: FxHashMap<(WorkloadKind, Name, Name), usize> = FxHashMap::default();
        for (workload, index) in policy.inventory.workloads.iter().zip(0usize..) {
            if workload.name != Name::EMPTY {
                last.insert((workload.kind, workload.namespace, workload.name), index);
            }
        }
        let mut automount: FxHashMap<(Name, Name), Option<bool>> = FxHashMap::default();
        for account in &policy.inventory.accounts {
            automount.insert((account.namespace, account.name), account.automount);
        }
        for (workload, index) in policy.inventory.workloads.iter().zip(0usize..) {
            let key = (workload.kind, workload.namespace, workload.name);
            if last.get(&key).is_some_and(|last| *last != index) {
                continue;
            }
            let place = self.place(workload.namespace);
            if let Some(check) = change_of(workload.kind) {
                let own = (check, workload.name);
                if let Some(space) = self.space_mut(place) {
                    space.workloads.push(own);
                }
                self.workloads_by_name.entry(own).or_default().push(place);
            }
            let is_pod = workload.kind == WorkloadKind::Pod;
            if workload.is_stopped || !(is_pod || workload.kind.keeps_pods()) {
                continue;
            }
            let Some(account) = self.account_number(workload.namespace, workload.service_account) else {
                continue;
            };
            if !self.accounts.get(account as usize).is_some_and(|account| account.exists) {
                continue;
            }
            let own = automount.get(&(workload.namespace, workload.service_account)).copied().flatten();
            let has_token = workload.has_token_volume || workload.automount.or(own).unwrap_or(true);
            let node = if is_pod { self.node(workload.node) } else { Node::Unknown };
            let opens = workload.opening.is_some() && node != Node::Fargate;
            let has_name = is_pod && workload.name != Name::EMPTY;
            let name = if has_name { workload.name } else { Name::UNKNOWN };
            let number = position(self.pods.len());
            self.pods.push(Pod { place, workload, name, account, has_token, node, opens });
            self.pods_by_name.entry(name).or_default().push(number);
            if node == Node::Unknown && workload.kind == WorkloadKind::DaemonSet {
                self.on_every_node.push(number);
            }
            if let Node::Known(node) = node
                && let Some(on) = self.pods_on.get_mut(node as usize)
            {
                on.push(number);
            }
            if let Some(space) = self.space_mut(place) {
                space.pods.push(number);
            }
        }
    }

    pub(super) fn find_tokens(&mut self, policy: &'c Policy) {
        let mut last: FxHashMap<(Name, Name), Name> = FxHashMap::default();
        for secret in &policy.inventory.secrets {
            last.insert((secret.namespace, secret.name), secret.token_of);
        }
        let mut all: Vec<_> = last.into_iter().filter(|(_, account)| *account != Name::EMPTY).collect();
        all.sort_unstable_by_key(|((namespace, name), _)| {
            (policy.names.text(*namespace), policy.names.text(*name))
        });
        for ((namespace, name), account) in all {
            let Some(account) = self.account_number(namespace, account) else { continue };
            let place = self.place(namespace);
            if let Some(space) = self.space_mut(place) {
                space.tokens.push((name, account));
            }
            self.tokens_by_name.entry(name).or_default().push(account);
        }
    }
}
