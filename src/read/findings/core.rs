//! Objects of the core group and of workloads: namespaces, service accounts, secrets, config maps, pod templates.

use crate::document::Node;
use crate::identity::OtherForm;
use crate::identity::access_entries::Told;
use crate::identity::pod_roles::{self, PodRole, PodRoleVia};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::Source;
use crate::model::workload::WorkloadKind;
use crate::read::origin::Origin;
use crate::read::{aws_auth, config_map, identity_forms, operators, rbac, workload};

use super::{API_SERVER, Findings, Later, title};

impl Findings {
    /// Takes in an object of the core group; false if it does not bear on any answer.
    pub(super) fn core(
        &mut self,
        kind: &str,
        metadata: &rbac::Metadata<'_>,
        node: Node<'_>,
        origin: Origin,
    ) -> bool {
        let source = origin.source(node);
        match kind {
            "Namespace" => {
                let name = self.policy.names.intern(metadata.name);
                self.policy.namespaces.push((name, source));
                let settings = workload::namespace(name, metadata, &mut self.policy.names);
                self.policy.inventory.namespaces.push(settings);
                true
            }
            "ServiceAccount" => {
                let namespace = if metadata.namespace.is_empty() { "default" } else { metadata.namespace };
                let namespace = self.policy.names.intern(namespace);
                let name = self.policy.names.intern(metadata.name);
                self.policy.service_accounts.push((namespace, name, source));
                self.hints.metadata(node, &|_| source);
                self.pod_role(metadata, node, source);
                let settings = workload::account((namespace, name), node, source, &mut self.policy.names);
                self.policy.inventory.accounts.push(settings);
                true
            }
            "Secret" => {
                let secret = workload::secret(metadata, node, source, &mut self.policy.names);
                self.policy.inventory.secrets.push(secret);
                true
            }
            "ConfigMap" => {
                if !metadata.namespace.is_empty() {
                    let home = self.policy.names.intern(metadata.namespace);
                    self.policy.inventory.homes.push(home);
                }
                self.config_map(metadata, node, origin, source)
            }
            _ => {
                self.workload(kind, metadata, node, origin);
                true
            }
        }
    }

    /// Takes in something with a pod template.
    pub(super) fn workload(
        &mut self,
        kind: &str,
        metadata: &rbac::Metadata<'_>,
        node: Node<'_>,
        origin: Origin,
    ) {
        let Some(of) = WorkloadKind::of(kind) else { return };
        let source = origin.source(node);
        match workload::workload(of, metadata, node, source, &mut self.policy.names) {
            Ok(workload) => self.policy.inventory.workloads.push(workload),
            Err(error) => self.refuse(kind, node, origin, &[error]),
        }
    }

    /// A service account that is annotated with a role.
    fn pod_role(&mut self, metadata: &rbac::Metadata<'_>, node: Node<'_>, source: Source) {
        let annotations = node.get("metadata").and_then(|metadata| metadata.get("annotations"));
        let Some(role) = annotations.and_then(|all| all.get(pod_roles::ANNOTATION)) else { return };
        let namespace = if metadata.namespace.is_empty() { "default" } else { metadata.namespace };
        let role = PodRole {
            namespace: namespace.into(),
            service_account: metadata.name.into(),
            role: role.text().into(),
            written: None,
            via: PodRoleVia::Annotation,
            source,
        };
        let told = Told::known(&*role.role);
        self.later.push((self.diagnostics.len(), Later::PodRole(role, told)));
    }

    fn config_map(
        &mut self,
        metadata: &rbac::Metadata<'_>,
        node: Node<'_>,
        origin: Origin,
        source: Source,
    ) -> bool {
        if metadata.name != "aws-auth" {
            self.summary.manifests_in_config_maps += usize::from(operators::holds_manifests(node));
            let form = identity_forms::of_config_map(node, metadata.namespace, metadata.name, source);
            let is_form = form.is_some();
            self.later.extend(form.map(|form| (self.diagnostics.len(), Later::OtherForm(form))));
            return is_form;
        }
        if !matches!(metadata.namespace, "" | "kube-system") {
            self.diagnostics.push(Diagnostic::at(
                Code::AwsAuthElsewhere,
                source,
                format!("ConfigMap `aws-auth` in namespace `{}` has no effect: aws-iam-authenticator reads only `kube-system/aws-auth`", metadata.namespace),
            ));
            let form = identity_forms::of_config_map(node, metadata.namespace, metadata.name, source);
            self.later.extend(form.map(|form| (self.diagnostics.len(), Later::OtherForm(form))));
            return true;
        }
        self.ignore(node, source);
        let assumed = metadata.namespace.is_empty();
        if assumed {
            self.diagnostics.push(Diagnostic::at(
                Code::AwsAuthNamespaceAssumed,
                source,
                "ConfigMap `aws-auth` has no namespace and is treated as `kube-system/aws-auth`; write `namespace: kube-system`",
            ));
        }
        let line_of = |line| origin.line(line);
        let misplaced = config_map::misplaced(node);
        if !misplaced.is_empty() {
            self.refuse_aws_auth("kubectl", node, origin, &misplaced);
            return true;
        }
        let mut errors = metadata.problems.clone();
        match aws_auth::read(node, source, &line_of) {
            Ok(mut found) if errors.is_empty() => {
                found.assumed = assumed;
                self.later.push((self.diagnostics.len(), Later::AwsAuth(found)));
            }
            Ok(_) => self.refuse_aws_auth(API_SERVER, node, origin, &errors),
            Err(more) => {
                errors.extend(more);
                self.refuse_aws_auth(API_SERVER, node, origin, &errors);
            }
        }
        true
    }

    /// An `aws-auth` that the API server, or kubectl before it, refuses: the one before it stays in force.
    pub(super) fn refuse_aws_auth(&mut self, by: &str, node: Node<'_>, origin: Origin, errors: &[String]) {
        let source = origin.source(node);
        self.summary.refused += 1;
        self.diagnostics.push(Diagnostic::at(
            Code::InvalidObject,
            source,
            format!(
                "{} is refused by {by}, so an earlier `aws-auth` stays in force: {}",
                title("ConfigMap", node),
                errors.join("; ")
            ),
        ));
        let sentence = format!(
            "this `aws-auth` is refused by {by} ({}), so an earlier one stays in force, which is not in the inputs; fix it, or load the one of the cluster",
            errors.first().map_or("", String::as_str)
        );
        let refused = OtherForm::of_text(sentence, source, &config_map::all_text(node));
        self.later.push((self.diagnostics.len(), Later::RefusedAwsAuth(refused)));
    }
}
