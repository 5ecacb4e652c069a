//! Whether the API server would let somebody create or change a role or a binding.
//!
//! Follows `policybased/storage.go` and `escalation_check.go`: after the request itself, a role's rules must be
//! covered by the rules that RBAC grants to the writer there, unless he may `escalate` it; a binding's role must be so
//! covered, unless he may `bind` it. Access policies count for the requests and never as rules that cover.

use crate::decide::answer::Answer;
use crate::decide::cluster::{Cluster, Who};
use crate::decide::covers::{parts, uncovered};
use crate::decide::evaluate::Grant;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::{Name, Names};
use crate::model::policy::{Completeness, Policy};
use crate::model::rbac::{Authorizer, Binding, PolicyRule, Role, RoleKind, Scope};
use crate::model::source::Source;
use crate::model::ternary::Ternary;

const RBAC: &str = "rbac.authorization.k8s.io";
/// How many uncovered rights are listed.
const LISTED: usize = 8;

/// An object that is to be written.
#[derive(Copy, Clone, Debug)]
pub enum Object<'p> {
    /// A Role or ClusterRole.
    Role(&'p Role),
    /// A RoleBinding or ClusterRoleBinding.
    Binding(&'p Binding),
}

/// What the API server would say.
#[derive(Clone, Debug)]
pub struct Attempt<'g> {
    /// The kind of the object.
    pub kind: &'static str,
    /// Its namespace; empty in the cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    /// `create`, or `patch` where an object of that name is there.
    pub verb: &'static str,
    /// Whether it would be let through.
    pub ternary: Ternary,
    /// The request itself.
    pub write: Answer<'g>,
    /// What became of the check against escalation; `None` where the request itself is refused.
    pub check: Option<Check<'g>>,
}

/// What the check against escalation comes to.
#[derive(Clone, Debug)]
pub enum Check<'g> {
    /// The writer is in `system:masters`.
    Masters,
    /// The writer may escalate, or bind the role.
    ByVerb(&'static str, Box<Answer<'g>>),
    /// The writer has all the rights himself.
    Covered,
    /// The writer lacks rights: the first of them, and how many more.
    Lacks(Vec<String>, usize),
    /// The role that the binding names is not there.
    NoRole,
}

/// Every RBAC object of a policy, as if it were applied: roles first, for a binding needs its role.
pub fn attempts<'g>(cluster: &'g Cluster, who: &Who, wanted: &Policy) -> Vec<Attempt<'g>> {
    let mut objects: Vec<(Source, Object<'_>)> = Vec::new();
    objects.extend(wanted.roles.iter().map(|role| (role.source, Object::Role(role))));
    objects.extend(wanted.bindings.iter().map(|binding| (binding.source, Object::Binding(binding))));
    objects.sort_by_key(|(source, _)| *source);
    objects.into_iter().map(|(_, object)| attempt(cluster, who, wanted, object)).collect()
}

fn kind_of(object: Object<'_>) -> (&'static str, &'static str, Scope, Name, Source) {
    match object {
        Object::Role(role) => {
            let resource = if role.scope == Scope::Cluster { "clusterroles" } else { "roles" };
            (role.kind().as_str(), resource, role.scope, role.name, role.source)
        }
        Object::Binding(binding) => {
            let in_cluster = binding.scope == Scope::Cluster;
            let resource = if in_cluster { "clusterrolebindings" } else { "rolebindings" };
            (binding.kind(), resource, binding.scope, binding.name, binding.source)
        }
    }
}

/// What the API server would say to one object.
pub fn attempt<'g>(cluster: &'g Cluster, who: &Who, wanted: &Policy, object: Object<'_>) -> Attempt<'g> {
    let (kind, resource, scope, name, source) = kind_of(object);
    let (namespace, name) = (wanted.names.text(scope.namespace()), wanted.names.text(name));
    let here = Here { cluster, who, wanted, namespace };
    let is_there = here.is_there(object, namespace, name);
    let verb = if is_there { "patch" } else { "create" };
    // A POST carries no name.
    let asked_name = if is_there { name } else { "" };
    let write = here.ask(verb, resource, asked_name);
    let check = (write.ternary != Ternary::No).then(|| match object {
        Object::Role(role) => here.check_role(role, asked_name),
        Object::Binding(binding) => here.check_binding(binding),
    });
    let checked = match &check {
        None | Some(Check::Masters | Check::Covered | Check::ByVerb(..)) => Ternary::Yes,
        Some(Check::Lacks(..) | Check::NoRole) => here.unless_hidden(),
    };
    Attempt {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        source,
        verb,
        ternary: write.ternary.and(checked),
        write,
        check,
    }
}

/// Who writes where.
struct Here<'a, 'g> {
    cluster: &'g Cluster,
    who: &'a Who,
    wanted: &'a Policy,
    namespace: &'a str,
}

impl<'g> Here<'_, 'g> {
    fn names(&self) -> &'g Names {
        &self.cluster.graph().policy().names
    }

    fn ask(&self, verb: &str, resource: &str, name: &str) -> Answer<'g> {
        let attributes = Attributes::Resource(ResourceAttributes {
            verb,
            group: RBAC,
            resource,
            subresource: "",
            name,
            namespace: self.namespace,
        });
        self.cluster.answer(self.who, &attributes)
    }

    /// Whether an object of that kind, namespace and name is in the cluster.
    fn is_there(&self, object: Object<'_>, namespace: &str, name: &str) -> bool {
        let policy = self.cluster.graph().policy();
        let (scope, name) = (self.scope(namespace), self.names().lookup(name));
        match object {
            Object::Role(_) => self.cluster.graph().role(scope, name).is_some(),
            Object::Binding(_) => policy
                .bindings
                .iter()
                .any(|own| own.scope == scope && own.name == name && own.authorizer() == Authorizer::Rbac),
        }
    }

    fn scope(&self, namespace: &str) -> Scope {
        match namespace {
            "" => Scope::Cluster,
            namespace => Scope::Namespace(self.names().lookup(namespace)),
        }
    }

    /// A "no" that hangs on rules which may exist outside the inputs is unknown.
    fn unless_hidden(&self) -> Ternary {
        if self.cluster.completeness() == Completeness::Complete {
            return Ternary::No;
        }
        let Some(user) = self.who.certain() else { return Ternary::No };
        let graph = self.cluster.graph();
        let (_, missing) = graph.rules_for(&graph.asker(&user), self.namespace);
        if missing.is_empty() { Ternary::No } else { Ternary::Unknown }
    }

    /// The rules that RBAC grants to the writer here.
    fn own_rules(&self) -> Vec<PolicyRule<'g>> {
        let Some(user) = self.who.certain() else { return Vec::new() };
        let graph = self.cluster.graph();
        let (grants, _) = graph.rules_for(&graph.asker(&user), self.namespace);
        let by_rbac = |grant: &Grant<'_>| grant.authorizer() == Authorizer::Rbac;
        grants.iter().filter(|grant| by_rbac(grant)).map(|grant| grant.rule.rule).collect()
    }

    fn is_master(&self) -> bool {
        let graph = self.cluster.graph();
        self.who.certain().is_some_and(|user| graph.asker(&user).is_master)
    }

    fn check_role(&self, role: &Role, asked_name: &str) -> Check<'g> {
        if self.is_master() {
            return Check::Masters;
        }
        let resource = if role.scope == Scope::Cluster { "clusterroles" } else { "roles" };
        let escalate = self.ask("escalate", resource, asked_name);
        if escalate.ternary == Ternary::Yes {
            return Check::ByVerb("escalate", Box::new(escalate));
        }
        let own = self.own_rules();
        let rules = self.wanted.rules_of(role).iter().map(|placed| self.wanted.rule(*placed));
        let mut lacks = self.lacks(&own, rules, &self.wanted.names);
        let before = self.cluster.graph().role(self.scope(self.namespace), self.lookup(role.name));
        if role.aggregation.is_some() || before.is_some_and(|role| role.aggregation.is_some()) {
            lacks.extend(self.lacks_of_everything(&own));
        }
        Self::checked(lacks)
    }

    fn lookup(&self, name: Name) -> Name {
        self.names().lookup(self.wanted.names.text(name))
    }

    /// Whoever writes an aggregation rule must be allowed everything.
    fn lacks_of_everything(&self, own: &[PolicyRule<'g>]) -> Vec<String> {
        let star = [Name::STAR];
        let none = PolicyRule {
            verbs: &star,
            api_groups: &[],
            resources: &[],
            resource_names: &[],
            non_resource_urls: &[],
        };
        let everything = [
            PolicyRule { api_groups: &star, resources: &star, ..none },
            PolicyRule { non_resource_urls: &star, ..none },
        ];
        let names = self.names();
        uncovered(names, own, everything.into_iter(), names).map(|part| part.to_string()).collect()
    }

    fn check_binding(&self, binding: &Binding) -> Check<'g> {
        if self.is_master() {
            return Check::Masters;
        }
        let name = self.wanted.names.text(binding.role_ref.name);
        let resource = match binding.role_ref.kind {
            RoleKind::Role => "roles",
            RoleKind::ClusterRole | RoleKind::AccessPolicy => "clusterroles",
        };
        let bind = self.ask("bind", resource, name);
        if bind.ternary == Ternary::Yes {
            return Check::ByVerb("bind", Box::new(bind));
        }
        let own = self.own_rules();
        // A role that comes with the binding counts as it is written there.
        let scope = binding.role_scope();
        let mut with_it = self.wanted.roles.iter();
        let with_it = with_it.rfind(|role| role.scope == scope && role.name == binding.role_ref.name);
        if let Some(role) = with_it {
            let rules = self.wanted.rules_of(role).iter().map(|placed| self.wanted.rule(*placed));
            return Self::checked(self.lacks(&own, rules, &self.wanted.names));
        }
        let graph = self.cluster.graph();
        let scope = match scope {
            Scope::Cluster => Scope::Cluster,
            Scope::Namespace(_) => self.scope(self.namespace),
        };
        let Some(role) = graph.role(scope, self.names().lookup(name)) else { return Check::NoRole };
        let rules = graph.rules_in_force(role).map(|rule| rule.rule);
        Self::checked(self.lacks(&own, rules, self.names()))
    }

    fn lacks<'r>(
        &self,
        own: &[PolicyRule<'_>],
        rules: impl Iterator<Item = PolicyRule<'r>>,
        theirs: &Names,
    ) -> Vec<String> {
        let names = self.names();
        let mut lacks = Vec::new();
        for rule in rules {
            for part in parts(rule, theirs, names) {
                if !own.iter().any(|own| crate::decide::covers::covers(names, own, &part)) {
                    lacks.push(part.to_string());
                }
            }
        }
        lacks
    }

    fn checked(mut lacks: Vec<String>) -> Check<'g> {
        if lacks.is_empty() {
            return Check::Covered;
        }
        let more = lacks.len().saturating_sub(LISTED);
        lacks.truncate(LISTED);
        Check::Lacks(lacks, more)
    }
}
