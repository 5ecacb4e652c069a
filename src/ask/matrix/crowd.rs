//! The people behind the identities of a matrix.

use std::collections::BTreeMap;

use crate::ask::behind::Assumer;
use crate::ask::eks_doors::{self, EksDoor};
use crate::ask::matrix::holder::{Holder, HolderKind};
use crate::ask::naming::{Naming, naming};
use crate::ask::people::People;
use crate::decide::cluster::Cluster;
use crate::identity::iam::Lenses;

/// The people behind identities, as far as exports of IAM tell.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    of: BTreeMap<String, (Vec<Assumer>, Option<Naming>)>,
    /// Who can let himself in through the API of EKS.
    pub eks_doors: Vec<EksDoor>,
}

impl Crowd {
    /// Finds those behind these holders.
    pub fn of(cluster: &Cluster, holders: &[Holder]) -> Self {
        let mut crowd = Self::default();
        if cluster.iam().is_empty() {
            return crowd;
        }
        let lenses = Lenses::new(cluster.iam());
        let people = People::new(cluster, &lenses);
        for holder in holders.iter().filter(|holder| holder.kind == HolderKind::Iam) {
            let found = people.assumable_by(&holder.identity);
            let worth = holder.who.as_deref().and_then(|who| naming(who, &found));
            crowd.of.insert(holder.identity.clone(), (found, worth));
        }
        crowd.eks_doors = eks_doors::of_cluster(cluster, &people);
        crowd
    }

    /// Who can become an identity; nobody for what is none.
    pub fn behind(&self, holder: &Holder) -> &[Assumer] {
        self.known(holder).map_or(&[], |(people, _)| people)
    }

    /// What the session name in its username is worth.
    pub fn naming(&self, holder: &Holder) -> Option<&Naming> {
        self.known(holder)?.1.as_ref()
    }

    fn known(&self, holder: &Holder) -> Option<&(Vec<Assumer>, Option<Naming>)> {
        self.of.get(&holder.identity).filter(|_| holder.kind == HolderKind::Iam)
    }
}
