//! Everybody from whom a way can begin: mapped IAM identities, service accounts, subjects of bindings.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::From;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::identity::Reach;
use crate::knowledge::defaults;
use crate::model::rbac::{Authorizer, Scope, Subject};
use crate::model::user::split_service_account;

/// Every start, by title: the subjects that Kubernetes' own bindings name are left out unless they are loaded.
pub fn starts(cluster: &Cluster) -> Vec<From> {
    let policy = cluster.graph().policy();
    let text = |name| policy.names.text(name);
    let mut found: BTreeMap<String, From> = BTreeMap::new();
    let mut add = |from: From| {
        found.entry(from.title.clone()).or_insert(from);
    };
    iam(cluster).into_iter().for_each(&mut add);
    for (namespace, name, _) in &policy.service_accounts {
        add(From::service_account(text(*namespace), text(*name)));
    }
    // Somebody who was added to a binding of Kubernetes' own is no part of Kubernetes.
    let mut own: FxHashSet<(&str, &str, &str, &str, &str)> = FxHashSet::default();
    let version = cluster.version();
    for binding in defaults::bindings(version).chain(defaults::eks_bindings(version)) {
        for subject in binding.subjects {
            let namespace = subject.namespace.unwrap_or("");
            own.insert((
                binding.namespace.unwrap_or(""),
                binding.name,
                subject.kind,
                namespace,
                subject.name,
            ));
        }
    }
    for binding in policy.bindings.iter().filter(|binding| binding.authorizer() == Authorizer::Rbac) {
        let home = match binding.scope {
            Scope::Cluster => "",
            Scope::Namespace(namespace) => text(namespace),
        };
        for placed in policy.subjects_of(binding) {
            let (kind, namespace, name) = match placed.subject {
                Subject::User(name) => ("User", "", text(name)),
                Subject::Group(name) => ("Group", "", text(name)),
                Subject::ServiceAccount { namespace, name } => {
                    ("ServiceAccount", text(namespace), text(name))
                }
                Subject::Caller(_) => continue,
            };
            if own.contains(&(home, text(binding.name), kind, namespace, name)) {
                continue;
            }
            add(match kind {
                "Group" => From::group(name),
                "ServiceAccount" => From::service_account(namespace, name),
                _ => match split_service_account(name) {
                    Some((namespace, name)) => From::service_account(namespace, name),
                    None => From::user(name),
                },
            });
        }
    }
    found.into_values().collect()
}

/// Every IAM identity that some mapping names and that can log in.
fn iam(cluster: &Cluster) -> Vec<From> {
    let mut all = Vec::new();
    for mapped in cluster.identities().identities() {
        if let Reach::Callers(identity) = mapped.reach {
            let is = match cluster.identities().user_info(&identity) {
                Ok(user) => WhoIs::Mapped(Box::new(user)),
                Err(error) => WhoIs::Error(Box::new(error)),
            };
            let who = Who { identity: Some(identity), is };
            all.push(From::iam(mapped.arn, &who));
        }
    }
    all
}
