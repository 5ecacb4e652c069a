//! Risks of objects as they are written: bindings, roles, identity mappings.

use rustc_hash::{FxHashMap, FxHashSet};

use super::subject_title;
use crate::decide::cluster::{Cluster, WhoIs};
use crate::decide::graph::Applied;
use crate::knowledge::{defaults, risks};
use crate::model::diagnostic::Code;
use crate::model::finding::{About, Finding};
use crate::model::names::Name;
use crate::model::policy::{Completeness, Policy};
use crate::model::rbac::{Authorizer, Binding, Role, RoleKind, Scope, Subject};
use crate::model::source::Source;
use crate::model::user::{
    SYSTEM_AUTHENTICATED, SYSTEM_MASTERS, SYSTEM_SERVICE_ACCOUNTS, SYSTEM_UNAUTHENTICATED,
};

/// The codes that are judged here.
pub(super) const CODES: [&str; 23] = [
    "W05", "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11", "B13", "B14", "B15",
    "B16", "I01", "I03", "I04", "I05", "I06", "I07", "I08",
];

/// Every finding of this kind.
pub(super) fn findings(cluster: &Cluster) -> Vec<Finding> {
    let mut shapes = Shapes { cluster, policy: cluster.graph().policy(), found: Vec::new() };
    shapes.bindings();
    shapes.roles();
    shapes.mappings();
    shapes.found
}

struct Shapes<'c> {
    cluster: &'c Cluster,
    policy: &'c Policy,
    found: Vec<Finding>,
}

/// The names of what a scope is called.
fn scope_word(namespace: &str) -> &'static str {
    match namespace {
        "" => "cluster",
        "kube-system" => "kube-system",
        _ => "namespace",
    }
}

impl<'c> Shapes<'c> {
    fn text(&self, name: Name) -> &'c str {
        let policy: &'c Policy = self.policy;
        policy.names.text(name)
    }

    fn add(&mut self, code: &str, about: About, source: Source, subject: String, message: &str) {
        let scope = scope_word(&about.namespace);
        let Some(risk) = risks::risk(code) else { return };
        let Some(severity) = risk.severity_in(scope) else { return };
        let slash = if about.namespace.is_empty() { "" } else { "/" };
        let title = format!("{} `{}{slash}{}`", about.kind, about.namespace, about.name);
        let namespaces = if about.namespace.is_empty() { Vec::new() } else { vec![about.namespace.clone()] };
        let message = format!("{title} {message}. {}", risk.why);
        self.found.push(Finding {
            object: Some(about),
            source: Some(source),
            subject,
            scope,
            namespaces,
            ..Finding::new(risk.code, severity, message, risk.fix)
        });
    }

    fn about_binding(&self, binding: &Binding) -> About {
        About {
            kind: binding.kind().to_owned(),
            namespace: self.text(binding.scope.namespace()).to_owned(),
            name: self.text(binding.name).to_owned(),
        }
    }

    fn about_role(&self, role: &Role) -> About {
        About {
            kind: role.kind().as_str().to_owned(),
            namespace: self.text(role.scope.namespace()).to_owned(),
            name: self.text(role.name).to_owned(),
        }
    }

    fn bindings(&mut self) {
        let graph = self.cluster.graph();
        let names = &self.policy.names;
        let mut own: FxHashSet<(&str, &str, String)> = FxHashSet::default();
        let version = self.cluster.version();
        for binding in defaults::bindings(version).chain(defaults::eks_bindings(version)) {
            for subject in &binding.subjects {
                let namespace = subject.namespace.map(|own| format!("{own}/")).unwrap_or_default();
                own.insert((
                    binding.namespace.unwrap_or(""),
                    binding.name,
                    format!("{} {namespace}{}", subject.kind, subject.name),
                ));
            }
        }
        let accounts: FxHashSet<(Name, Name)> =
            self.policy.service_accounts.iter().map(|(namespace, name, _)| (*namespace, *name)).collect();
        for applied in graph.bindings().filter(|own| own.binding.authorizer() == Authorizer::Rbac) {
            let binding = applied.binding;
            if self.policy.is_builtin(binding.source) {
                continue;
            }
            let home = self.text(binding.scope.namespace());
            let name = self.text(binding.name);
            let about = self.about_binding(binding);
            let subjects = self.policy.subjects_of(binding);
            if subjects.is_empty() && name != defaults::NODE_ROLE {
                self.add("B11", about.clone(), binding.source, String::new(), "names nobody");
            }
            if applied.role.is_none() {
                let role = format!(
                    "names {} `{}`, which is not there",
                    binding.role_ref.kind.as_str(),
                    self.text(binding.role_ref.name)
                );
                self.add("B09", about.clone(), binding.source, String::new(), &role);
            }
            if home == "default" {
                self.add("B13", about.clone(), binding.source, String::new(), "stands in namespace default");
            }
            for (placed, number) in subjects.iter().zip(0usize..) {
                let Some(title) = subject_title(names, placed.subject) else { continue };
                if own.contains(&(home, name, title.clone())) {
                    continue;
                }
                let source = graph.subject_source(binding, number);
                self.subject(&applied, placed.subject, &title, source, &accounts);
            }
        }
    }

    fn subject(
        &mut self,
        applied: &Applied<'_>,
        subject: Subject,
        title: &str,
        source: Source,
        accounts: &FxHashSet<(Name, Name)>,
    ) {
        let binding = applied.binding;
        let about = self.about_binding(binding);
        let role_name = self.text(binding.role_ref.name);
        let is_cluster_role = binding.role_ref.kind == RoleKind::ClusterRole;
        let grants = format!("grants {} `{role_name}` to {title}", binding.role_ref.kind.as_str());
        let everything = applied.role.is_some_and(|role| says_everything(self.cluster, role));
        let in_cluster = binding.scope == Scope::Cluster;
        let is_masters = title == format!("Group {SYSTEM_MASTERS}");
        let mut codes: Vec<&str> = Vec::new();
        if is_masters {
            codes.push("B06");
        } else if everything && in_cluster {
            codes.push("B01");
        } else if everything {
            codes.push("B02");
        } else if is_cluster_role && matches!(role_name, "admin" | "edit") {
            codes.push("B03");
        }
        if title == format!("Group {SYSTEM_UNAUTHENTICATED}") || title == "User system:anonymous" {
            codes.push("B04");
        }
        if title == format!("Group {SYSTEM_AUTHENTICATED}") {
            codes.push("B05");
        }
        let group = title.strip_prefix("Group ").unwrap_or("");
        if group == SYSTEM_SERVICE_ACCOUNTS || group.starts_with("system:serviceaccounts:") {
            codes.push("B07");
        }
        if matches!(group, "system:nodes" | "system:bootstrappers") {
            codes.push("B16");
        }
        if title.starts_with("ServiceAccount ") && title.ends_with("/default") {
            codes.push("B08");
        }
        for code in codes {
            self.add(code, about.clone(), source, title.to_owned(), &grants);
        }
        // In a part of the inputs the account may only be missing here.
        let is_export = self.cluster.completeness() == Completeness::Complete;
        if let Subject::ServiceAccount { namespace, name } = subject
            && is_export
            && !accounts.is_empty()
            && !accounts.contains(&(namespace, name))
            && self.policy.names.text(name) != "default"
        {
            let message = format!("grants to {title}, which does not exist");
            self.add("B10", about, source, title.to_owned(), &message);
        }
    }

    fn roles(&mut self) {
        let graph = self.cluster.graph();
        let bound: FxHashSet<(Scope, Name)> = self
            .policy
            .bindings
            .iter()
            .map(|binding| (binding.role_scope(), binding.role_ref.name))
            .collect();
        let own: FxHashSet<&str> = defaults::roles(self.cluster.version(), self.cluster.platform())
            .chain(defaults::eks_roles(self.cluster.version()))
            .map(|role| role.name)
            .collect();
        let replaced: FxHashSet<Source> = self
            .cluster
            .diagnostics()
            .iter()
            .filter(|diagnostic| diagnostic.code == Code::AggregatedRulesReplaced)
            .filter_map(|diagnostic| diagnostic.source)
            .collect();
        for role in &self.policy.roles {
            let name = self.text(role.name);
            if self.policy.is_builtin(role.source) || own.contains(name) {
                continue;
            }
            let about = self.about_role(role);
            let into: Vec<&str> = role
                .labels
                .iter()
                .filter_map(|(key, value)| {
                    let key = self.text(*key).strip_prefix("rbac.authorization.k8s.io/aggregate-to-")?;
                    (self.text(*value) == "true" && matches!(key, "admin" | "edit" | "view")).then_some(key)
                })
                .collect();
            if !bound.contains(&(role.scope, role.name)) && role.labels.is_empty() {
                self.add("B11", about.clone(), role.source, String::new(), "is bound to nobody");
            }
            if !into.is_empty() {
                let message = format!("is added to the built-in {}", into.join(", "));
                self.add("B15", about.clone(), role.source, String::new(), &message);
            }
            if replaced.contains(&role.source) {
                self.add(
                    "B14",
                    about.clone(),
                    role.source,
                    String::new(),
                    "is aggregated and has rules of its own",
                );
            }
            let star = graph.rules_in_force(role).find(|rule| {
                let lists = [rule.rule.verbs, rule.rule.api_groups, rule.rule.resources];
                rule.owner.name == role.name && lists.iter().any(|list| list.contains(&Name::STAR))
            });
            if let Some(rule) = star {
                let source = role.source.at_line(rule.placed.line);
                self.add("W05", about, source, String::new(), "has a `*` in a rule");
            }
        }
    }

    fn mappings(&mut self) {
        let about = || About {
            kind: "ConfigMap".to_owned(),
            namespace: "kube-system".to_owned(),
            name: "aws-auth".to_owned(),
        };
        let by_code = |code: Code| match code {
            Code::AwsAuthSyntax | Code::AwsAuthNotAList => Some("I03"),
            Code::DuplicateRoleMapping | Code::DuplicateUserMapping | Code::ArnInBothSections => Some("I04"),
            Code::RoleArnHasPath
            | Code::AssumedRoleMapped
            | Code::InvalidMappingArn
            | Code::WildcardInArn => Some("I05"),
            Code::AccountMapping => Some("I06"),
            _ => None,
        };
        for diagnostic in self.cluster.diagnostics() {
            if let (Some(code), Some(source)) = (by_code(diagnostic.code), diagnostic.source) {
                self.mapping(code, about(), source, String::new(), &diagnostic.message);
            }
        }
        self.session_names();
        let graph = self.cluster.graph();
        let cluster = self.cluster;
        let mut mapped: FxHashMap<&str, Source> = FxHashMap::default();
        for identity in cluster.identities().identities() {
            mapped.entry(identity.arn).or_insert(identity.source);
        }
        for from in crate::ask::paths::starts(cluster) {
            let (Some(arn), Some(user)) = (from.title.strip_prefix("IAM "), &from.user) else { continue };
            let Some(source) = mapped.get(arn).copied() else { continue };
            if user.in_group(SYSTEM_MASTERS) {
                let message = format!("maps {arn} to Group system:masters");
                self.mapping("I01", about(), source, from.title.clone(), &message);
            }
            for group in &user.groups {
                let name = self.policy.names.lookup(group);
                let principal = crate::decide::graph::Principal::Group(name);
                if !group.starts_with("system:")
                    && (name.index() >= self.policy.names.len() || !graph.is_bound(principal))
                {
                    let message = format!("maps {arn} to Group {group}, which no binding names");
                    self.mapping("I07", about(), source, from.title.clone(), &message);
                }
            }
        }
    }

    /// Usernames that the caller makes up from the name of its session, and that are somebody's who is bound.
    fn session_names(&mut self) {
        let subjects = self.policy.bindings.iter().flat_map(|binding| self.policy.subjects_of(binding));
        let users = subjects.filter_map(|placed| match placed.subject {
            Subject::User(name) => Some(self.text(name)),
            _ => None,
        });
        let mut users: Vec<&str> = users.collect();
        users.sort_unstable();
        users.dedup();
        for mapped in self.cluster.identities().identities() {
            let who = self.cluster.identify(mapped.arn, None);
            let WhoIs::Mapped(own) = &who.is else { continue };
            let hit = users.iter().find(|name| own.is_symbolic() && own.could_be_user(name).is_some());
            // The name of an instance is not the caller's to choose.
            let Some(name) = hit.filter(|_| !who.only_instances()) else { continue };
            let message = format!(
                "{} logs in as `{}`, which a session name makes to User {name}, whom a binding names",
                mapped.arn, own.username
            );
            let about = About {
                kind: "ConfigMap".to_owned(),
                namespace: "kube-system".to_owned(),
                name: "aws-auth".to_owned(),
            };
            self.mapping("I08", about, mapped.source, format!("IAM {}", mapped.arn), &message);
        }
    }

    /// A finding about aws-auth, which is a matter of the whole cluster.
    fn mapping(&mut self, code: &str, about: About, source: Source, subject: String, message: &str) {
        let Some(risk) = risks::risk(code) else { return };
        let Some(severity) = risk.severity_in("cluster") else { return };
        let message = format!("aws-auth: {message}. {}", risk.why);
        self.found.push(Finding {
            object: Some(about),
            source: Some(source),
            subject,
            scope: "cluster",
            ..Finding::new(risk.code, severity, message, risk.fix)
        });
    }
}

fn says_everything(cluster: &Cluster, role: &Role) -> bool {
    cluster.graph().rules_in_force(role).any(|rule| {
        let lists = [rule.rule.verbs, rule.rule.api_groups, rule.rule.resources];
        rule.rule.resource_names.is_empty() && lists.iter().all(|list| list.contains(&Name::STAR))
    })
}
