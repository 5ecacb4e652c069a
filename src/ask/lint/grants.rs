//! Dangerous grants, judged by the rules in force of what a binding grants: the widest reach of each is told.

use super::{Linter, quoted};
use crate::ask::matrix::preset;
use crate::decide::graph::Applied;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::diagnostic::{Code, Severity};
use crate::model::names::Name;
use crate::model::rbac::{Scope, Subject};
use crate::model::user::{
    SYSTEM_ANONYMOUS, SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_SERVICE_ACCOUNTS, SYSTEM_UNAUTHENTICATED,
};

const RBAC: &str = "rbac.authorization.k8s.io";

/// How many subjects a sentence names.
const SHOWN: usize = 3;

fn ask<'a>(verb: &'a str, group: &'a str, resource: &'a str) -> Attributes<'a> {
    Attributes::Resource(ResourceAttributes::of(verb, group, resource))
}

impl Linter<'_> {
    pub(super) fn grants(&mut self) {
        let graph = self.cluster.graph();
        for applied in graph.bindings() {
            if self.is_default_binding(applied.binding) || graph.rules_granted(&applied).is_empty() {
                continue;
            }
            self.everybody(&applied);
            let holders = self.holders(&applied);
            // That `admin` acts as the service accounts of its namespace is how Kubernetes means it.
            let is_wide = self.is_wide(applied.binding.scope);
            let is_usual = !is_wide && applied.role.is_some_and(|role| self.is_default_role(role));
            let is_everything = || self.allows(&applied, &ask("*", "*", "*"));
            if holders.is_empty() || (is_usual && !is_everything()) {
                continue;
            }
            self.of_powers(&applied, &holders);
        }
    }

    /// The subjects that are not part of the system, in words.
    fn holders(&self, applied: &Applied<'_>) -> String {
        let subjects = self.policy.subjects_of(applied.binding);
        let own = subjects.iter().filter(|placed| match placed.subject {
            Subject::ServiceAccount { namespace, name } => {
                !self.system.is_own("ServiceAccount", self.text(namespace), self.text(name))
            }
            Subject::Group(name) => {
                let name = self.text(name);
                name.starts_with(SYSTEM_SERVICE_ACCOUNTS)
                    || name == SYSTEM_AUTHENTICATED
                    || !self.system.is_own("Group", "", name)
            }
            Subject::User(name) => {
                let name = self.text(name);
                name.starts_with("system:serviceaccount:") || !self.system.is_own("User", "", name)
            }
            Subject::Caller(_) => false,
        });
        let titles: Vec<String> = own.map(|placed| self.title_of_subject(placed.subject)).collect();
        match titles.len().checked_sub(SHOWN) {
            Some(more @ 1..) => {
                format!("{} and {more} more", titles.get(..SHOWN).unwrap_or_default().join(", "))
            }
            _ => titles.join(", "),
        }
    }

    fn allows(&self, applied: &Applied<'_>, attributes: &Attributes<'_>) -> bool {
        let graph = self.cluster.graph();
        let request = graph.lexicon.request(&self.policy.names, attributes);
        graph.rules_granted(applied).iter().any(|rule| graph.lexicon.allows(self.policy, *rule, &request))
    }

    /// Whether what a binding grants leads to other people's rights, to secrets or to running code.
    fn is_sensitive(&self, applied: &Applied<'_>) -> bool {
        preset::SENSITIVE
            .iter()
            .filter(|entry| entry.object.is_none())
            .any(|entry| self.allows(applied, &ask(entry.verb, entry.group, entry.resource)))
    }

    /// Bindings to groups that everybody is in.
    fn everybody(&mut self, applied: &Applied<'_>) {
        let binding = applied.binding;
        let role = self.title_of_role_ref(binding);
        let mut lines: Vec<(Name, u32, bool)> = Vec::new();
        for placed in self.policy.subjects_of(binding) {
            match placed.subject {
                Subject::Group(name) => lines.push((name, placed.line, false)),
                Subject::User(name) => lines.push((name, placed.line, true)),
                _ => {}
            }
        }
        for (name, line, is_user) in lines {
            let name = self.text(name);
            let (code, who, mild, grave) = match (is_user, name) {
                (true, SYSTEM_ANONYMOUS) | (false, SYSTEM_UNAUTHENTICATED) => (
                    Code::AnonymousAccess,
                    "everyone who reaches the API server, without any credentials",
                    Severity::Error,
                    Severity::Error,
                ),
                (false, SYSTEM_AUTHENTICATED) => (
                    Code::EveryoneHasAccess,
                    "every mapped IAM principal and every service account",
                    Severity::Warning,
                    Severity::Error,
                ),
                (false, SYSTEM_SERVICE_ACCOUNTS) => (
                    Code::AllServiceAccounts,
                    "every pod in every namespace",
                    Severity::Warning,
                    Severity::Error,
                ),
                (false, name) if name.starts_with("system:serviceaccounts:") => (
                    Code::AllServiceAccounts,
                    "every pod of the namespace",
                    Severity::Note,
                    Severity::Warning,
                ),
                _ => continue,
            };
            let severity = if self.is_sensitive(applied) { grave } else { mild };
            let message = format!(
                "{} grants {role} to `{name}`: {who} has this access{}",
                self.title_of_binding(binding),
                self.place_of(binding.scope)
            );
            let place = self.of_binding(binding, line);
            self.add(code, severity, &place, message, name);
        }
    }

    fn place_of(&self, scope: Scope) -> String {
        match scope {
            Scope::Cluster => " in the whole cluster".to_owned(),
            Scope::Namespace(namespace) => format!(" in namespace `{}`", self.text(namespace)),
        }
    }

    /// Whether access there reaches the whole cluster.
    fn is_wide(&self, scope: Scope) -> bool {
        match scope {
            Scope::Cluster => true,
            Scope::Namespace(namespace) => self.text(namespace) == "kube-system",
        }
    }

    /// Powers that lead to all others.
    fn of_powers(&mut self, applied: &Applied<'_>, holders: &str) {
        let binding = applied.binding;
        let severity = if self.is_wide(binding.scope) { Severity::Warning } else { Severity::Note };
        let (title, role, at) =
            (self.title_of_binding(binding), self.title_of_role_ref(binding), self.place_of(binding.scope));
        let place = self.of_binding(binding, binding.role_ref_line);
        if self.allows(applied, &ask("*", "*", "*")) {
            if holders.contains(SYSTEM_MASTERS) {
                return;
            }
            let message = format!("{title} grants {role} to {holders}: every verb on every resource{at}");
            self.add(Code::EverythingGranted, severity, &place, message, &role);
            return;
        }
        if self.allows(applied, &ask("*", "", "secrets")) {
            let message = format!("{title} grants every verb on Secrets by {role} to {holders}{at}");
            self.add(Code::EveryVerbOnSecrets, severity, &place, message, &role);
        }
        let of_roles = |verb: &str| -> Vec<&str> {
            let kinds = ["clusterroles", "roles"].into_iter();
            // By a RoleBinding `escalate` on ClusterRoles counts nowhere.
            kinds
                .filter(|kind| verb == "bind" || *kind == "roles" || binding.scope == Scope::Cluster)
                .filter(|kind| self.allows(applied, &ask(verb, RBAC, kind)))
                .collect()
        };
        let (binds, escalates) = (of_roles("bind"), of_roles("escalate"));
        if !binds.is_empty() {
            let message = format!(
                "{title} grants `bind` on {} by {role} to {holders}{at}: with any write of bindings that hands out roles which the holder does not have",
                quoted(binds)
            );
            self.add(Code::MayBind, severity, &place, message, &role);
        }
        if !escalates.is_empty() {
            let message = format!(
                "{title} grants `escalate` on {} by {role} to {holders}{at}: with any write of roles that adds rules which the holder does not have",
                quoted(escalates)
            );
            self.add(Code::MayEscalate, severity, &place, message, &role);
        }
        let others: Vec<&str> = ["users", "groups", "serviceaccounts"]
            .into_iter()
            .filter(|kind| *kind == "serviceaccounts" || binding.scope == Scope::Cluster)
            .filter(|kind| self.allows(applied, &ask("impersonate", "", kind)))
            .collect();
        if !others.is_empty() {
            let message = format!(
                "{title} grants `impersonate` on {} by {role} to {holders}{at}: the holder acts as any of them",
                quoted(others)
            );
            self.add(Code::MayImpersonate, severity, &place, message, &role);
        }
    }
}
