//! The completeness statement: what the matrix rests on, and what it cannot show.

use std::collections::BTreeSet;

use super::words;
use crate::decide::cluster::Cluster;
use crate::identity::Reach;
use crate::model::diagnostic::{Code, Severity};
use crate::model::rbac::{Authorizer, RoleKind, Scope, Subject};
use crate::read::Completeness;

use crate::ask::matrix::Matrix;
use crate::ask::matrix::holder::{Holder, LeftOut};

/// A sentence and the place that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The sentence.
    pub text: String,
    /// The place; empty for none.
    pub source: String,
}

/// What a matrix was asked for, so that it can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The command.
    pub command: String,
    /// Whose access, in words.
    pub identities: String,
    /// The namespaces, where not all.
    pub namespaces: Vec<String>,
    /// The verbs, where not all.
    pub verbs: Vec<String>,
    /// The resources, where not all.
    pub resources: Vec<String>,
    /// The preset, and what each of its columns means.
    pub preset: Option<(&'static str, Vec<(String, &'static str)>)>,
    /// The input files with their SHA-256; `None` for what is no file.
    pub inputs: Vec<(String, Option<String>)>,
}

/// What a matrix rests on.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// The names of the input files.
    pub files: Vec<String>,
    /// What was counted, as (name, number).
    pub counts: Vec<(&'static str, usize)>,
    /// Objects that do not bear on RBAC, by apiVersion and kind.
    pub skipped: Vec<(String, usize)>,
    /// Whether the inputs are taken as complete.
    pub complete: bool,
    /// How many default roles and bindings were added, and how many of them are those of EKS.
    pub defaults_added: (usize, usize),
    /// Bindings whose role is not among the inputs.
    pub missing_roles: Vec<Remark>,
    /// Identity mappings that match no caller, or not the one they seem to.
    pub mappings_in_error: Vec<Remark>,
    /// Identities that are mapped and that no binding names.
    pub bound_nowhere: Vec<Remark>,
    /// Groups that bindings name and no mapping gives; only where identity mappings were loaded.
    pub unmapped_groups: Vec<Remark>,
    /// What rules name and no request ever is: most look like wildcards and are none.
    pub matches_nothing: Vec<String>,
    /// Who was left out as part of the system.
    pub left_out: LeftOut,
    /// What no input can show.
    pub not_modelled: Vec<&'static str>,
    /// What was asked for, where a command asked.
    pub asked: Asked,
}

/// Without the people behind the identities.
const WHO_MAY_ASSUME: &str = "IAM: who may assume a role, SCPs, permission boundaries";

/// With them.
const CONTROL_POLICIES: &str =
    "IAM: service and resource control policies, session policies, VPC endpoint policies";

fn not_modelled(with_people: bool, with_reachable: bool) -> Vec<&'static str> {
    let in_place = |text: &&'static str| match *text {
        WHO_MAY_ASSUME if with_people => CONTROL_POLICIES,
        LEADS_TO if with_reachable => ONLY_CERTAIN_STEPS,
        text => text,
    };
    NOT_MODELLED.iter().map(in_place).collect()
}

/// Where what access leads to is not shown.
pub(super) const LEADS_TO: &str = "what access leads to: anyone who may create pods, impersonate or create tokens can do more than the rows show";
const ONLY_CERTAIN_STEPS: &str =
    "what access leads to by steps that are not certain: `rbacsim paths` shows them, with their conditions";

const NOT_MODELLED: &[&str] = &[
    "other authorizers: the Node authorizer, webhooks",
    "the cluster creator's admin access, unless --creator names it, and anyone who logs in with a client certificate",
    WHO_MAY_ASSUME,
    "admission: webhooks, Pod Security, and the checks of bind and escalate beyond the verb itself",
    LEADS_TO,
];

impl Statement {
    /// Gathers the statement of a matrix of these holders.
    pub fn of(matrix: &Matrix<'_>, holders: &[Holder], left_out: LeftOut) -> Self {
        let cluster = matrix.cluster();
        let policy = cluster.graph().policy();
        let summary = cluster.summary();
        let of_kind = |kind: RoleKind| {
            policy.roles.iter().filter(|role| role.kind() == kind && !policy.is_access_policy(role)).count()
        };
        let rbac = policy.bindings.iter().filter(|binding| binding.authorizer() == Authorizer::Rbac);
        let all_bindings = rbac.clone().count();
        let cluster_bindings = rbac.filter(|binding| binding.scope == Scope::Cluster).count();
        let custom = cluster.catalogue().iter().filter(|resource| resource.from_crd.is_some()).count();
        let universe = matrix.universe();
        let mut statement = Self {
            counts: vec![
                ("objects", summary.objects),
                ("clusterRoles", of_kind(RoleKind::ClusterRole)),
                ("roles", of_kind(RoleKind::Role)),
                ("clusterRoleBindings", cluster_bindings),
                ("roleBindings", all_bindings - cluster_bindings),
                ("serviceAccounts", policy.service_accounts.len()),
                ("namespacesKnown", cluster.namespaces().len()),
                ("customResources", custom),
                ("refusedObjects", summary.refused),
                ("unreadableDocuments", summary.unreadable),
                ("identityMappings", cluster.identities().identities().count()),
                ("subjectsShown", holders.len()),
                ("resources", universe.cells().len()),
                ("columns", universe.columns().len()),
            ],
            skipped: summary
                .skipped
                .iter()
                .map(|((api_version, kind), count)| (format!("{api_version} {kind}"), *count))
                .collect(),
            complete: cluster.completeness() == Completeness::Complete,
            defaults_added: (summary.defaults_added, summary.eks_added),
            matches_nothing: universe.matches_nothing.clone(),
            left_out,
            not_modelled: not_modelled(matrix.people().is_some(), matrix.shows_reachable()),
            ..Self::default()
        };
        let sources = cluster.sources();
        for file in 0..sources.len() {
            let id = crate::model::source::FileId(u32::try_from(file).unwrap_or(u32::MAX));
            if !policy.is_builtin_file(id) {
                statement.files.push(sources.file(id).to_owned());
            }
        }
        statement.roles(cluster);
        statement.identities(cluster);
        statement
    }

    fn roles(&mut self, cluster: &Cluster) {
        let policy = cluster.graph().policy();
        for applied in cluster.graph().bindings().filter(|applied| applied.role.is_none()) {
            let place = applied.binding.source.at_line(applied.binding.role_ref_line);
            self.missing_roles.push(Remark {
                text: words::not_in_inputs(cluster.graph(), &applied),
                source: words::place(policy, place).to_string(),
            });
        }
    }

    fn identities(&mut self, cluster: &Cluster) {
        let sources = cluster.sources();
        for identity in cluster.identities().identities() {
            let source = sources.show(identity.source).to_string();
            let text = match identity.reach {
                Reach::Callers(_) | Reach::Account => continue,
                Reach::Replaced(by) => format!(
                    "`{}` in {} has no effect: the entry at {} replaces it",
                    identity.arn,
                    identity.kind.as_str(),
                    sources.show(by)
                ),
                Reach::SameCallers(with) => format!(
                    "`{}` in {} differs from the entry at {} only in case, and each login uses a random one",
                    identity.arn,
                    identity.kind.as_str(),
                    sources.show(with)
                ),
                Reach::Nobody(why) => {
                    format!("`{}` in {} matches no caller: {why}", identity.arn, identity.kind.as_str())
                }
            };
            self.mappings_in_error.push(Remark { text, source });
        }
        let lost = [
            Code::AwsAuthSyntax,
            Code::AwsAuthNotAList,
            Code::AwsAuthWrongType,
            Code::AwsAuthDroppedEntry,
            Code::AwsAuthMisspeltKey,
            Code::AwsAuthElsewhere,
        ];
        for diagnostic in cluster.diagnostics() {
            if lost.contains(&diagnostic.code) && diagnostic.severity() == Severity::Error {
                let source = diagnostic.source.map(|source| sources.show(source).to_string());
                let source = source.unwrap_or_default();
                self.mappings_in_error.push(Remark { text: diagnostic.message.clone(), source });
            }
        }
        if cluster.identities().is_empty() {
            return;
        }
        let mut mapped_groups: BTreeSet<String> = BTreeSet::new();
        let identities = crate::ask::matrix::holder::mapped(cluster);
        for holder in &identities {
            let Some(user) = holder.who.as_deref().and_then(crate::decide::cluster::Who::shown) else {
                continue;
            };
            mapped_groups.extend(user.groups.iter().cloned());
            if holder.is_bound_nowhere(cluster) {
                let source = match holder.who.as_deref().map(|who| &who.is) {
                    Some(crate::decide::cluster::WhoIs::Mapped(mapped)) => {
                        sources.show(mapped.provenance.source).to_string()
                    }
                    _ => String::new(),
                };
                let groups = words::own_groups(&user);
                let groups = if groups.is_empty() { groups } else { format!(", groups {groups}") };
                self.bound_nowhere.push(Remark {
                    text: format!("{}: user `{}`{groups}", holder.identity, user.username),
                    source,
                });
            }
        }
        let policy = cluster.graph().policy();
        let mut seen = BTreeSet::new();
        for binding in &policy.bindings {
            for placed in policy.subjects_of(binding) {
                let Subject::Group(name) = placed.subject else { continue };
                let group = policy.names.text(name);
                if group.starts_with("system:") || mapped_groups.contains(group) || !seen.insert(group) {
                    continue;
                }
                self.unmapped_groups.push(Remark {
                    text: format!("group `{group}`, named by {}", words::binding(policy, binding)),
                    source: words::place(policy, binding.source.at_line(placed.line)).to_string(),
                });
            }
        }
    }
}
