//! Everything that was loaded, ready to be asked: the graph, the identity mappings and the catalogue together.

use std::sync::OnceLock;

use crate::decide::answer::InputCoverage;
use crate::decide::graph::RbacGraph;
use crate::identity::iam::IamData;
use crate::identity::pod_roles::PodRoles;
use crate::identity::{IamIdentity, IdentityMappings};
use crate::knowledge::catalogue::Catalogue;
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::names::Name;
use crate::model::rbac::{Authorizer, Scope, Subject};
use crate::model::source::Sources;
use crate::model::version::{KubernetesVersion, Platform};
use crate::read::{Change, Completeness, Ignore, Loaded, Summary, VersionFrom};

mod access;
mod aggregated;
pub mod anonymous;
mod answers;
mod possible;
mod uncertain;
pub mod versions;
mod who;

pub use who::{Who, WhoIs};

use uncertain::{ByPrefix, MentionedTypes};

/// A cluster, as far as the inputs show it.
#[derive(Clone, Debug)]
pub struct Cluster {
    graph: RbacGraph,
    identities: IdentityMappings,
    iam: IamData,
    pod_roles: PodRoles,
    catalogue: Catalogue,
    diagnostics: Vec<Diagnostic>,
    summary: Summary,
    completeness: Completeness,
    version: KubernetesVersion,
    version_from: VersionFrom,
    platform: Platform,
    changes: Vec<Change>,
    ignores: Vec<Ignore>,
    nothing_read: bool,
    /// The same with all that objects in source form may be.
    possible: Option<Box<Cluster>>,
    by_prefix: OnceLock<ByPrefix>,
    mentioned_types: OnceLock<MentionedTypes>,
}

/// Rules that aggregated ClusterRoles have of their own and that the controller would replace.
fn replaced_rules(graph: &RbacGraph) -> Vec<Diagnostic> {
    let policy = graph.policy();
    let mut diagnostics = Vec::new();
    for role in policy.roles.iter().filter(|role| role.aggregation.is_some() && !role.rules.is_empty()) {
        let in_force: Vec<_> = graph.rules_in_force(role).map(|rule| rule.placed.rule).collect();
        let lost = policy.rules_of(role).iter().filter(|own| !in_force.contains(&own.rule)).count();
        if lost > 0 {
            let name = policy.names.text(role.name);
            diagnostics.push(Diagnostic::at(
                Code::AggregatedRulesReplaced,
                role.source,
                format!(
                    "ClusterRole `{name}` has an aggregationRule, so the controller replaces its own rules; \
                     {lost} of them come from no selected role and grant nothing"
                ),
            ));
        }
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.source);
    diagnostics
}

impl From<Loaded> for Cluster {
    fn from(mut loaded: Loaded) -> Self {
        let possible = loaded.possible.take().map(|policy| {
            let own = std::mem::take(&mut loaded.policy);
            let mut there = loaded.clone();
            there.policy = policy;
            loaded.policy = own;
            Box::new(Self::from(there))
        });
        let Loaded {
            policy,
            possible: _,
            identities,
            iam,
            pod_roles,
            catalogue,
            mut diagnostics,
            summary,
            completeness,
            version,
            version_from,
            platform,
            changes,
            ignores,
        } = loaded;
        let is_own = |source| !policy.is_builtin(source);
        let nothing_read = completeness == Completeness::Partial
            && possible.is_none()
            && !policy
                .bindings
                .iter()
                .any(|binding| binding.authorizer() == Authorizer::Rbac && is_own(binding.source))
            && !policy.roles.iter().any(|role| is_own(role.source));
        let graph = RbacGraph::build(policy);
        diagnostics.extend(replaced_rules(&graph));
        Self {
            graph,
            identities,
            iam,
            pod_roles,
            catalogue,
            diagnostics,
            summary,
            completeness,
            version,
            version_from,
            platform,
            changes,
            ignores,
            nothing_read,
            possible,
            by_prefix: OnceLock::new(),
            mentioned_types: OnceLock::new(),
        }
    }
}

impl Cluster {
    /// The RBAC graph.
    pub fn graph(&self) -> &RbacGraph {
        &self.graph
    }

    /// The identity mappings.
    pub fn identities(&self) -> &IdentityMappings {
        &self.identities
    }

    /// What exports of IAM say.
    pub fn iam(&self) -> &IamData {
        &self.iam
    }

    /// The service accounts whose pods are IAM roles.
    pub fn pod_roles(&self) -> &PodRoles {
        &self.pod_roles
    }

    /// The API resources.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What was wrong or odd in the inputs.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What was read, in numbers.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The input files.
    pub fn sources(&self) -> &Sources {
        &self.graph.policy().sources
    }

    /// Whether what is missing may exist.
    pub fn completeness(&self) -> Completeness {
        self.completeness
    }

    /// The Kubernetes version that answers are for.
    pub fn version(&self) -> KubernetesVersion {
        self.version
    }

    /// Where that version comes from.
    pub fn version_from(&self) -> VersionFrom {
        self.version_from
    }

    /// Whose cluster it is, as far as the inputs show.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// What was changed in the inputs before anything is asked: the answers are for them as changed.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The findings that annotations of objects ask to be ignored.
    pub fn ignores(&self) -> &[Ignore] {
        &self.ignores
    }

    /// Every namespace that the inputs know, by name: declared, or the home of a role, binding or service account.
    pub fn namespaces(&self) -> Vec<&str> {
        let policy = self.possible_graph().policy();
        let rbac = policy.bindings.iter().filter(|binding| binding.authorizer() == Authorizer::Rbac);
        let homes = policy.roles.iter().map(|role| role.scope);
        let homes = homes.chain(rbac.map(|binding| binding.scope));
        let named = policy.bindings.iter().flat_map(|binding| policy.subjects_of(binding));
        let named = named.filter_map(|placed| match placed.subject {
            Subject::ServiceAccount { namespace, .. } => Some(namespace),
            _ => None,
        });
        // The namespaces of access policies are patterns, or may not exist.
        let mut names: Vec<Name> = homes.map(Scope::namespace).chain(named).collect();
        names.extend(policy.namespaces.iter().map(|(name, _)| *name));
        names.extend(policy.service_accounts.iter().map(|(namespace, ..)| *namespace));
        names.retain(|name| *name != Name::EMPTY);
        names.sort_unstable();
        names.dedup();
        let mut texts: Vec<&str> = names.into_iter().map(|name| policy.names.text(name)).collect();
        texts.sort_unstable();
        texts
    }

    /// Whether the inputs have a service account, or a binding that names it.
    pub fn knows_service_account(&self, namespace: &str, name: &str) -> bool {
        let policy = self.graph.policy();
        let (namespace, name) = (policy.names.lookup(namespace), policy.names.lookup(name));
        let subject = Subject::ServiceAccount { namespace, name };
        policy.service_accounts.iter().any(|account| (account.0, account.1) == (namespace, name))
            || policy
                .bindings
                .iter()
                .flat_map(|binding| policy.subjects_of(binding))
                .any(|placed| placed.subject == subject)
    }

    /// How much of the cluster the inputs cover.
    pub fn coverage(&self) -> InputCoverage<'_> {
        InputCoverage {
            completeness: self.completeness,
            has_roles: self.summary.has_roles,
            unread: &self.summary.unread,
            nothing_read: self.nothing_read,
            catalogue: &self.catalogue,
            removed_roles: &self.graph.policy().removed_roles,
        }
    }

    /// Who an ARN is.
    pub fn identify(&self, arn: &str, session_name: Option<&str>) -> Who {
        match IamIdentity::from_arn(arn, session_name) {
            Err(error) => Who { identity: None, is: WhoIs::Error(Box::new(error.into())) },
            Ok(identity) => {
                let is = match self.identities.user_info(&identity) {
                    Ok(mapped) => WhoIs::Mapped(Box::new(mapped)),
                    Err(error) => WhoIs::Error(Box::new(error)),
                };
                Who { identity: Some(identity), is }
            }
        }
    }
}
