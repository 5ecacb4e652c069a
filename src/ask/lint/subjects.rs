//! Bindings: roles and subjects that are not there, subjects of the wrong kind, bindings that do nothing.

use rustc_hash::{FxHashMap, FxHashSet};

use super::mappings::could_be;
use super::{Linter, did_you_mean, nearest};
use crate::identity::{Provenance, is_template};
use crate::knowledge::catalogue::Catalogue;
use crate::model::diagnostic::{Code, Severity};
use crate::model::names::Name;
use crate::model::rbac::{Authorizer, Binding, PolicyRule, RoleKind, Scope, Subject};
use crate::model::user::{
    SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_SERVICE_ACCOUNTS, SYSTEM_UNAUTHENTICATED,
    split_service_account,
};

impl Linter<'_> {
    /// What is wrong with bindings as a whole.
    pub(super) fn bindings(&mut self) {
        let graph = self.cluster.graph();
        let mut bound: FxHashSet<(Scope, Name)> = FxHashSet::default();
        for applied in graph.bindings() {
            let binding = applied.binding;
            if binding.authorizer() == Authorizer::Rbac {
                bound.insert((binding.role_scope(), binding.role_ref.name));
            }
            if self.is_default_binding(binding) {
                continue;
            }
            if binding.subjects.is_empty() {
                let message =
                    format!("{} has no subjects, so it grants nothing", self.title_of_binding(binding));
                let place = self.of_binding(binding, 0);
                self.add(Code::NoSubjects, Severity::Note, &place, message, "subjects");
            }
            match applied.role {
                None if !applied.is_contested && !is_template(self.text(binding.role_ref.name)) => {
                    self.dangling(binding);
                }
                Some(role) if binding.scope != Scope::Cluster && role.scope == Scope::Cluster => {
                    let rules: Vec<PolicyRule<'_>> =
                        graph.granted_rules(&applied).map(|rule| rule.rule).collect();
                    let counts = |rule: &PolicyRule<'_>| counts_in_a_namespace(self, rule);
                    if !rules.is_empty() && !rules.iter().any(counts) {
                        let message = format!(
                            "{} grants {}, of which nothing counts in a namespace: its rules are on cluster-scoped types or URLs",
                            self.title_of_binding(binding),
                            self.title_of_role_ref(binding)
                        );
                        let place = self.of_binding(binding, binding.role_ref_line);
                        let detail = self.text(role.name).to_owned();
                        self.add(Code::NothingByRoleBinding, Severity::Warning, &place, message, &detail);
                    }
                }
                _ => {}
            }
        }
        for role in &self.policy.roles {
            let is_granted = bound.contains(&(role.scope, role.name));
            if is_granted || self.is_default_role(role) || role.kind() == RoleKind::AccessPolicy {
                continue;
            }
            // What another role takes in is granted with that.
            if role.scope == Scope::Cluster && self.is_taken_in(role) {
                continue;
            }
            let message = format!("no binding in the inputs grants {}", self.title_of_role(role));
            let place = self.of_role(role, 0);
            self.add(Code::RoleNeverBound, Severity::Note, &place, message, "bound");
        }
    }

    fn dangling(&mut self, binding: &Binding) {
        let wanted = self.text(binding.role_ref.name);
        let scope = binding.role_scope();
        let there = self.policy.roles.iter().filter(|role| role.scope == scope);
        let near = nearest(wanted, there.map(|role| self.text(role.name)));
        // The other kind of that very name.
        let other = self.policy.roles.iter().find(|role| {
            role.name == binding.role_ref.name
                && match binding.role_ref.kind {
                    RoleKind::Role => role.scope == Scope::Cluster,
                    _ => role.scope == binding.scope,
                }
        });
        let hint = match other {
            Some(role) => format!("; {} exists, and the roleRef has another kind", self.title_of_role(role)),
            None => did_you_mean(near),
        };
        let effect = if self.is_complete {
            "it grants nothing"
        } else {
            "it grants nothing unless the cluster has the role"
        };
        let message = format!(
            "{} grants {}, which is not in the inputs; {effect}{hint}",
            self.title_of_binding(binding),
            self.title_of_role_ref(binding)
        );
        let severity = match self.unless_partial(near.is_some() || other.is_some()) {
            Severity::Warning if self.is_complete || other.is_some() => Severity::Error,
            severity => severity,
        };
        let place = self.of_binding(binding, binding.role_ref_line);
        self.add(Code::DanglingRoleRef, severity, &place, message, wanted);
    }

    /// What is wrong with subjects.
    pub(super) fn subjects(&mut self) {
        let mapped = self.entries();
        let maps = !self.cluster.identities().is_empty();
        let accounts = Accounts::of(self);
        let mut known: FxHashMap<Subject, Option<(Code, Severity, String)>> = FxHashMap::default();
        for binding in &self.policy.bindings {
            if self.is_default_binding(binding) {
                continue;
            }
            for placed in self.policy.subjects_of(binding) {
                let found = known
                    .entry(placed.subject)
                    .or_insert_with(|| self.subject(placed.subject, &mapped, maps, &accounts));
                if let Some((code, severity, why)) = found.clone() {
                    let subject = self.title_of_subject(placed.subject);
                    let message = format!("{} names {subject}, {why}", self.title_of_binding(binding));
                    let place = self.of_binding(binding, placed.line);
                    self.add(code, severity, &place, message, &subject);
                }
            }
        }
    }

    fn subject(
        &self,
        subject: Subject,
        mapped: &[Provenance],
        maps: bool,
        accounts: &Accounts<'_>,
    ) -> Option<(Code, Severity, String)> {
        match subject {
            Subject::Caller(_) => None,
            Subject::ServiceAccount { namespace, name } => {
                let (namespace, name) = (self.text(namespace), self.text(name));
                if self.system.is_own("ServiceAccount", namespace, name) {
                    return None;
                }
                accounts.missing(namespace, name, self.is_complete)
            }
            Subject::Group(name) => {
                let group = self.text(name);
                if split_service_account(group).is_some() {
                    let why =
                        "which is the username of a service account and no group; use kind ServiceAccount";
                    return Some((Code::WrongSubjectKind, Severity::Error, why.to_owned()));
                }
                if is_own(group) || is_template(group) || !maps {
                    return None;
                }
                if mapped.iter().any(|one| one.groups.iter().any(|own| could_be(&own.text, group))) {
                    return None;
                }
                if mapped.iter().any(|one| one.username.text == group) {
                    let why =
                        "which the identity mappings give as a username and not as a group; use kind User";
                    return Some((Code::WrongSubjectKind, Severity::Error, why.to_owned()));
                }
                let groups = mapped.iter().flat_map(|one| &one.groups).map(|group| group.text.as_str());
                Some(not_mapped(group, groups))
            }
            Subject::User(name) => {
                let user = self.text(name);
                let groups =
                    [SYSTEM_MASTERS, SYSTEM_AUTHENTICATED, SYSTEM_UNAUTHENTICATED, SYSTEM_SERVICE_ACCOUNTS];
                if groups.contains(&user) {
                    let why = "which is a group; use kind Group";
                    return Some((Code::WrongSubjectKind, Severity::Error, why.to_owned()));
                }
                if is_own(user) || is_template(user) || !maps {
                    return None;
                }
                if mapped.iter().any(|one| could_be_user(one, user)) {
                    return None;
                }
                if mapped.iter().any(|one| one.groups.iter().any(|group| group.text == user)) {
                    let why =
                        "which the identity mappings give as a group and not as a username; use kind Group";
                    return Some((Code::WrongSubjectKind, Severity::Error, why.to_owned()));
                }
                let dashed = user.replace('@', "-");
                if user.contains('@') && mapped.iter().any(|one| could_be_user(one, &dashed)) {
                    let why = format!(
                        "and `{{{{SessionName}}}}` turns every `@` into `-`; write `{dashed}`, or `{{{{SessionNameRaw}}}}` in the mapping"
                    );
                    return Some((Code::AtSignInUser, Severity::Warning, why));
                }
                let users = mapped.iter().map(|one| one.username.text.as_str());
                Some(not_mapped(user, users))
            }
        }
    }
}

/// Whether a mapping could make this user. No session name has an `@` once it is `{{SessionName}}`.
fn could_be_user(one: &Provenance, user: &str) -> bool {
    let keeps_at = !one.username.text.contains("{{SessionName}}");
    could_be(&one.username.text, user) && (keeps_at || one.username.text.contains('@') || !user.contains('@'))
}

/// Names that Kubernetes and EKS give, to whomever.
fn is_own(name: &str) -> bool {
    name.starts_with("system:") || name.starts_with("eks:")
}

fn not_mapped<'t>(name: &str, there: impl Iterator<Item = &'t str>) -> (Code, Severity, String) {
    let near = nearest(name, there);
    // Certificates and OIDC providers are not in the inputs.
    let severity = if near.is_some() { Severity::Warning } else { Severity::Note };
    let why = format!("which no identity mapping in the inputs gives{}", did_you_mean(near));
    (Code::SubjectNotMapped, severity, why)
}

/// Whether some of a rule counts in a namespace.
fn counts_in_a_namespace(linter: &Linter<'_>, rule: &PolicyRule<'_>) -> bool {
    let catalogue = linter.cluster.catalogue();
    rule.resources.iter().any(|resource| {
        let resource = linter.text(*resource);
        rule.api_groups.iter().any(|group| {
            let verbs = rule.verbs.iter().map(|verb| linter.text(*verb));
            is_in_namespaces(catalogue, linter.text(*group), resource, verbs)
        })
    })
}

/// Whether requests for a resource with some of these verbs may carry a namespace.
pub(super) fn is_in_namespaces<'t>(
    catalogue: &Catalogue,
    group: &str,
    resource: &str,
    mut verbs: impl Iterator<Item = &'t str>,
) -> bool {
    let plural = resource.split('/').next().unwrap_or_default();
    if plural == "*" || group == "*" || catalogue.is_namespaced(group, plural) != Some(false) {
        return true;
    }
    match (group, plural) {
        // A namespace is authorised inside itself, and `bind` in the namespace of the new binding.
        ("", "namespaces") => {
            resource.contains('/')
                || verbs.any(|verb| !matches!(verb, "create" | "list" | "watch" | "deletecollection"))
        }
        ("rbac.authorization.k8s.io", "clusterroles") => verbs.any(|verb| matches!(verb, "bind" | "*")),
        _ => false,
    }
}

/// The service accounts that the inputs declare.
struct Accounts<'c> {
    declared: FxHashSet<(&'c str, &'c str)>,
    by_name: FxHashMap<&'c str, Vec<&'c str>>,
}

impl<'c> Accounts<'c> {
    fn of(linter: &Linter<'c>) -> Self {
        let mut accounts = Self { declared: FxHashSet::default(), by_name: FxHashMap::default() };
        for (namespace, name, _) in &linter.policy.service_accounts {
            let (namespace, name) = (linter.text(*namespace), linter.text(*name));
            accounts.declared.insert((namespace, name));
            accounts.by_name.entry(name).or_default().push(namespace);
        }
        accounts
    }

    fn missing(&self, namespace: &str, name: &str, is_complete: bool) -> Option<(Code, Severity, String)> {
        if name == "default" || is_template(name) || is_template(namespace) {
            return None;
        }
        if self.declared.is_empty() || self.declared.contains(&(namespace, name)) {
            return None;
        }
        let elsewhere = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        // An account without a namespace gets one when it is applied.
        if !is_complete && elsewhere.contains(&"default") {
            return None;
        }
        let here = self.declared.iter().filter(|(own, _)| *own == namespace).map(|(_, name)| *name);
        let near = nearest(name, here);
        let hint = match (near, elsewhere) {
            (Some(near), _) => format!("; did you mean `{namespace}/{near}`?"),
            (None, [one]) => format!("; namespace `{one}` has one of that name"),
            (None, _) => String::new(),
        };
        let severity = if is_complete || near.is_some() || elsewhere.len() == 1 {
            Severity::Warning
        } else {
            Severity::Note
        };
        let why = format!("which is not in the inputs{hint}");
        Some((Code::UnknownServiceAccount, severity, why))
    }
}
