//! Which input files say something about somebody: what is wrong in them comes before what is wrong elsewhere.

use std::collections::BTreeSet;

use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::identity::IdentityError;
use crate::model::source::FileId;

/// The files of somebody's mapping, of the bindings that name the user or a group, and of the roles that they grant.
pub fn files_about(cluster: &Cluster, who: &Who) -> BTreeSet<FileId> {
    let graph = cluster.graph();
    let mut files = BTreeSet::new();
    if who.identity.is_some() {
        files.extend(cluster.identities().aws_auth().map(|map| map.source().file));
    }
    match &who.is {
        WhoIs::Mapped(mapped) => {
            files.insert(mapped.provenance.source.file);
            let policies = mapped.access.iter().flat_map(|access| &access.policies);
            files.extend(policies.map(|association| association.source.file));
        }
        WhoIs::Error(error) => {
            if let IdentityError::NotMapped { nearest: Some(nearest), .. } = &**error {
                files.insert(nearest.source.file);
            }
        }
        WhoIs::User(_) => {}
    }
    let user = who.shown().unwrap_or_default();
    let asker = graph.asker(&user);
    for principal in asker.principals() {
        for scope in graph.scopes_of(*principal) {
            for applied in graph.bindings_of(*principal, scope) {
                files.insert(applied.binding.source.file);
                files.extend(applied.role.map(|role| role.source.file));
            }
        }
    }
    // What the API server refuses of a binding that names him is not in the graph.
    let account = user
        .username
        .strip_prefix("system:serviceaccount:")
        .and_then(|account| account.split(':').next_back());
    let is_his = |name: &String| {
        *name == user.username || user.groups.contains(name) || account == Some(name.as_str())
    };
    let refused = cluster.diagnostics().iter().filter(|diagnostic| diagnostic.names.iter().any(is_his));
    files.extend(refused.filter_map(|diagnostic| diagnostic.source).map(|source| source.file));
    files
}
