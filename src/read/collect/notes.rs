//! What the inputs as a whole call for a word about: placeholders, kinds that an export lacks, other documents.

use rustc_hash::FxHashSet;

use super::Collector;
use crate::identity::is_template;
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::names::{Name, Names};
use crate::model::policy::Policy;
use crate::model::rbac::{PolicyRule, Role, Scope, Subject};
use crate::model::unread::{Concern, Unread};

impl Collector {
    /// A subject or rule with a placeholder may become any other once some tool fills it in.
    pub(super) fn note_placeholders(&mut self) {
        let Policy { names, .. } = &self.policy;
        let unfilled: FxHashSet<Name> =
            names.iter().filter(|(_, text)| is_template(text)).map(|(name, _)| name).collect();
        if unfilled.is_empty() {
            return;
        }
        let first_of =
            |mut names: Box<dyn Iterator<Item = Name> + '_>| names.find(|name| unfilled.contains(name));
        let bindings = self.policy.bindings.iter().map(|binding| {
            let subjects = self.policy.subjects_of(binding).iter();
            let found = first_of(Box::new(subjects.flat_map(|placed| placed.subject.names())));
            let mut concern = Concern::default();
            let own = self.policy.subjects_of(binding).iter().map(|placed| placed.subject);
            own.for_each(|subject| add_subject(&mut concern, names, subject));
            (binding.kind(), binding.scope, binding.name, binding.source, found, concern)
        });
        let roles = self.policy.roles.iter().map(|role| {
            let rules = self.policy.rules_of(role).iter().map(|placed| self.policy.rule(*placed));
            let labels = role.labels.iter().flat_map(|(key, value)| [*key, *value]);
            let found = first_of(Box::new(rules.flat_map(PolicyRule::names).chain(labels)));
            let concern = if found.is_some() { self.holders_of(role) } else { Concern::default() };
            (role.kind().as_str(), role.scope, role.name, role.source, found, concern)
        });
        let all: Vec<_> = bindings.chain(roles).collect();
        for (kind, scope, name, source, found, concern) in all {
            let Some(found) = found else { continue };
            let place = match scope {
                Scope::Cluster => String::new(),
                Scope::Namespace(namespace) => format!("{}/", names.text(namespace)),
            };
            self.summary.unread.push(Unread { is_template: true, ..Unread::new(source, concern) });
            self.diagnostics.push(Diagnostic::at(
                Code::UnfilledPlaceholder,
                source,
                format!(
                    "{kind} `{place}{}` has the unfilled placeholder `{}`, so what it allows is unknown; load the rendered manifest",
                    names.text(name),
                    names.text(found)
                ),
            ));
        }
    }

    /// Whoever has a role, as far as the inputs bind it. What another role may take in of it is told of that one.
    fn holders_of(&self, role: &Role) -> Concern {
        let mut concern = Concern::of_roles();
        for binding in &self.policy.bindings {
            if binding.role_ref.name == role.name && binding.role_scope() == role.scope {
                for placed in self.policy.subjects_of(binding) {
                    add_subject(&mut concern, &self.policy.names, placed.subject);
                }
            }
        }
        concern
    }

    /// Every cluster has default objects of each kind: an export without any of one was not asked for them.
    pub(super) fn note_missing_kinds(&mut self) {
        let bindings = |in_cluster: bool| {
            self.policy.bindings.iter().any(|binding| (binding.scope == Scope::Cluster) == in_cluster)
        };
        let kinds = [
            (self.summary.has_roles, "Role", "roles"),
            (bindings(false), "RoleBinding", "rolebindings"),
            (bindings(true), "ClusterRoleBinding", "clusterrolebindings"),
        ];
        for (is_there, kind, resource) in kinds {
            if !is_there {
                self.diagnostics.push(Diagnostic::general(
                    Code::ExportLacksKind,
                    format!("the inputs look like a cluster export but have no {kind}, and every cluster has some; export `{resource}` as well"),
                ));
            }
        }
    }

    pub(super) fn note_other_documents(&mut self) {
        if let (count @ 1.., Some(first)) = self.other_documents {
            let skipped = if count == 1 {
                "skipped 1 document that is not a Kubernetes object".to_owned()
            } else {
                format!("skipped {count} documents that are not Kubernetes objects; this is the first")
            };
            self.diagnostics.push(Diagnostic::at(Code::OtherDocuments, first, skipped));
        }
    }

    pub(super) fn note_default_namespace(&mut self) {
        if let (count @ 1.., Some(first)) =
            (self.default_namespace.len(), self.default_namespace.first().copied())
        {
            let objects = if count == 1 {
                "1 object has no `metadata.namespace` and is".to_owned()
            } else {
                format!("{count} objects (this is the first) have no `metadata.namespace` and are")
            };
            self.diagnostics.push(Diagnostic::at(
                Code::NamespaceDefaulted,
                first,
                format!(
                    "{objects} treated as in `default`, the namespace that kubectl uses without a context"
                ),
            ));
        }
    }
}

fn add_subject(concern: &mut Concern, names: &Names, subject: Subject) {
    match subject {
        Subject::User(name) => concern.users.add(names.text(name)),
        Subject::Group(name) => concern.groups.add(names.text(name)),
        Subject::ServiceAccount { name, .. } => concern.service_accounts.add(names.text(name)),
        Subject::Caller(_) => {}
    }
}
