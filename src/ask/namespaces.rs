//! One question in every namespace that the inputs know, and in all of them at once.

use crate::ask::can_i;
use crate::ask::question::Question;
use crate::ask::who_can::names_allowed;
use crate::decide::cluster::{Cluster, Who};
use crate::model::ternary::Ternary;

/// Where the answer is what.
#[derive(Clone, Debug)]
pub struct InNamespaces<'c> {
    /// The answer over all: yes if it is yes anywhere.
    pub ternary: Ternary,
    /// The answer for all namespaces at once, also those that the inputs do not know.
    pub everywhere: Ternary,
    /// The namespaces of a yes.
    pub yes: Vec<&'c str>,
    /// The namespaces in which it is a yes for objects of some names only, and the names.
    pub by_name: Vec<(&'c str, Vec<String>)>,
    /// The namespaces in which it is unknown for another reason.
    pub unknown: Vec<&'c str>,
    /// The namespaces of a no.
    pub no: Vec<&'c str>,
}

impl InNamespaces<'_> {
    /// How many namespaces the inputs know.
    pub fn known(&self) -> usize {
        self.yes.len() + self.by_name.len() + self.unknown.len() + self.no.len()
    }
}

/// Answers a question about all namespaces in each of them.
pub fn in_namespaces<'c>(cluster: &'c Cluster, who: &Who, question: &Question) -> InNamespaces<'c> {
    let everywhere = can_i::ternary(cluster, who, question, None);
    let mut found = InNamespaces {
        ternary: everywhere,
        everywhere,
        yes: Vec::new(),
        by_name: Vec::new(),
        unknown: Vec::new(),
        no: Vec::new(),
    };
    for namespace in cluster.namespaces() {
        let ternary = can_i::ternary(cluster, who, question, Some(namespace));
        if ternary == Ternary::Yes {
            found.yes.push(namespace);
            continue;
        }
        let names = names_allowed(cluster, question, who, namespace);
        match ternary {
            _ if !names.is_empty() => found.by_name.push((namespace, names)),
            Ternary::No => found.no.push(namespace),
            _ => found.unknown.push(namespace),
        }
    }
    let some_open = !found.unknown.is_empty() || !found.by_name.is_empty();
    found.ternary = match everywhere {
        Ternary::Yes => Ternary::Yes,
        _ if !found.yes.is_empty() => Ternary::Yes,
        _ if some_open => Ternary::Unknown,
        everywhere => everywhere,
    };
    found
}
