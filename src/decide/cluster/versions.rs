//! Answers that rest on a default rule which the defaults of other versions lack.
//!
//! The API server adds what a new version's default roles have more when it starts, and takes nothing away. So a
//! cluster that was upgraded has rules that a new one has not.

use super::Cluster;
use crate::decide::answer::Answer;
use crate::decide::evaluate::Grant;
use crate::decide::graph::RbacGraph;
use crate::knowledge::defaults::{self, Change, DefaultBinding, DefaultSubject};
use crate::model::attributes::Attributes;
use crate::model::policy::Policy;
use crate::model::rbac::{PolicyRule, Role, Scope};
use crate::model::source::Source;
use crate::model::ternary::Ternary;
use crate::model::user::UserInfo;
use crate::model::version::KubernetesVersion;
use crate::read::builtin;

/// How the defaults of other versions would change an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherVersions {
    /// It is a yes by default rules alone, and these versions' defaults do not have them.
    Lack(Vec<KubernetesVersion>),
    /// It is a no, and a default rule of these former versions allows it: a cluster that had one of them keeps it.
    /// The role is given by namespace and name.
    Kept(Vec<KubernetesVersion>, Option<String>, String),
}

impl Cluster {
    /// Whether the defaults of other versions matter for an answer, to whoever `certain` is.
    pub fn other_versions(
        &self,
        certain: &UserInfo,
        attributes: &Attributes<'_>,
        answer: &Answer<'_>,
    ) -> Option<OtherVersions> {
        if self.summary().defaults_added == 0 || answer.is_master {
            return None;
        }
        match answer.ternary {
            Ternary::Yes => self.lacking(attributes, answer),
            Ternary::No => self.kept(certain, attributes),
            Ternary::Unknown => None,
        }
    }

    fn lacking(&self, attributes: &Attributes<'_>, answer: &Answer<'_>) -> Option<OtherVersions> {
        // Mostly some grant is of the inputs, or by a rule that every version has.
        let changes: Vec<Change> = defaults::changes().collect();
        let may_lack = |grant: &Grant<'_>| {
            let (role, line) = (grant.rule.owner, self.line(&grant.rule.rule));
            self.is_default(role)
                && changes.iter().any(|change| change.line == line && self.is_of(change, role))
        };
        if answer.grants.is_empty() || !answer.grants.iter().all(may_lack) {
            return None;
        }
        let owners: Vec<&Role> = answer.grants.iter().map(|grant| grant.rule.owner).collect();
        let lacks = |version: &KubernetesVersion| {
            *version != self.version()
                && !owners.iter().any(|role| self.allows_in(*version, role, attributes))
        };
        let lacking: Vec<_> = KubernetesVersion::all().filter(lacks).collect();
        (!lacking.is_empty()).then_some(OtherVersions::Lack(lacking))
    }

    fn kept(&self, certain: &UserInfo, attributes: &Attributes<'_>) -> Option<OtherVersions> {
        let graph = self.graph();
        let names = &graph.policy().names;
        let lost: Vec<Change> =
            defaults::changes().filter(|change| !change.is_new && change.version <= self.version()).collect();
        let has_lost =
            |role: &&Role| self.is_default(role) && lost.iter().any(|change| self.is_of(change, role));
        let namespace = names.lookup(attributes.namespace());
        let asker = graph.asker(certain);
        for principal in asker.principals() {
            for scope in [Scope::Cluster, Scope::Namespace(namespace)] {
                let roles = graph.bindings_of(*principal, scope).filter_map(|applied| applied.role);
                for role in roles.filter(has_lost) {
                    let kept: Vec<_> = KubernetesVersion::all()
                        .filter(|version| {
                            *version < self.version() && self.allows_in(*version, role, attributes)
                        })
                        .collect();
                    if !kept.is_empty() {
                        let text = |name| names.text(name).to_owned();
                        let home = match role.scope {
                            Scope::Cluster => None,
                            Scope::Namespace(namespace) => Some(text(namespace)),
                        };
                        return Some(OtherVersions::Kept(kept, home, text(role.name)));
                    }
                }
            }
        }
        None
    }

    /// Whether a role is one of Kubernetes' defaults, and none of the inputs.
    fn is_default(&self, role: &Role) -> bool {
        self.graph().policy().builtin == Some(role.source.file)
    }

    /// Whether a change is one of a role.
    fn is_of(&self, change: &Change, role: &Role) -> bool {
        self.key(role) == (change.namespace, change.name)
    }

    /// A rule as the tables write it.
    fn line(&self, rule: &PolicyRule<'_>) -> String {
        let names = &self.graph().policy().names;
        let mut line = String::from(" ");
        let lists =
            [rule.verbs, rule.api_groups, rule.resources, rule.resource_names, rule.non_resource_urls];
        for list in lists.into_iter().filter(|list| !list.is_empty()) {
            for (name, mark) in list.iter().zip(std::iter::once(' ').chain(std::iter::repeat(','))) {
                line.push(mark);
                let text = names.text(*name);
                line.push_str(if text.is_empty() { "\"\"" } else { text });
            }
        }
        line
    }

    fn key(&self, role: &Role) -> (Option<&str>, &str) {
        let names = &self.graph().policy().names;
        let namespace = match role.scope {
            Scope::Cluster => None,
            Scope::Namespace(namespace) => Some(names.text(namespace)),
        };
        (namespace, names.text(role.name))
    }

    /// Whether the default role of that name allows a request in another version: asked of a cluster that has this
    /// role and nothing else.
    fn allows_in(&self, version: KubernetesVersion, role: &Role, attributes: &Attributes<'_>) -> bool {
        const SOMEBODY: &str = "somebody";
        let key = self.key(role);
        let mut roles = defaults::roles(version, self.platform());
        let Some(role) = roles.find(|role| (role.namespace, role.name) == key) else { return false };
        let mut policy = Policy::default();
        builtin::add_role(&mut policy, Source::default(), &role);
        let subject = DefaultSubject { kind: "User", namespace: None, name: SOMEBODY };
        let binding = DefaultBinding {
            namespace: role.namespace,
            name: "",
            role_kind: if role.namespace.is_some() { "Role" } else { "ClusterRole" },
            role_name: role.name,
            subjects: vec![subject],
        };
        builtin::add_binding(&mut policy, Source::default(), &binding);
        let graph = RbacGraph::build(policy);
        let asker = graph.asker(&UserInfo::as_given(SOMEBODY, std::iter::empty::<String>()));
        graph.authorize(&asker, attributes).is_allowed()
    }
}
