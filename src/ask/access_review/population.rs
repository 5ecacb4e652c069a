//! Who is reviewed: everybody whom a mapping lets in or a binding names, each once.

use std::collections::BTreeSet;

use crate::ask::matrix::holder::{self, Holder, HolderKind, LeftOut};
use crate::decide::cluster::{Cluster, Who};

/// Who is reviewed, and who is not.
#[derive(Clone, Debug, Default)]
pub struct Population {
    /// The identities.
    pub holders: Vec<Holder>,
    /// Subjects of bindings that stand for nobody else than an identity of the review.
    pub covered: Vec<String>,
    /// Who was left out as part of Kubernetes or EKS.
    pub left_out: LeftOut,
}

impl Population {
    /// Everybody; without what comes with Kubernetes and EKS, unless that is wanted. IAM identities all stay, those of
    /// machines too.
    pub fn of(cluster: &Cluster, with_system: bool) -> Self {
        let mut mapped = holder::mapped(cluster);
        let (mut names, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for user in mapped.iter().filter_map(|holder| holder.who.as_deref().and_then(Who::shown)) {
            names.insert(user.username);
            groups.extend(user.groups);
        }
        let mut bound = holder::bound(cluster);
        let left_out =
            if with_system { LeftOut::default() } else { holder::without_system(cluster, &mut bound) };
        let mut covered = Vec::new();
        bound.retain(|holder| {
            let is_covered = match holder.kind {
                HolderKind::Group => groups.contains(&holder.identity),
                HolderKind::User => names.contains(&holder.identity),
                HolderKind::ServiceAccount | HolderKind::Iam => false,
            };
            if is_covered {
                covered.push(format!("{} {}", holder.kind.as_str(), holder.identity));
            }
            !is_covered
        });
        mapped.append(&mut bound);
        holder::sort(&mut mapped);
        Self { holders: mapped, covered, left_out }
    }
}
