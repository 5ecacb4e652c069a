//! One resource of Terraform: what its values say of access to the cluster.

use crate::document::{Node, Tree, split};
use crate::identity::access_entries::{
    AssociationFact, AuthenticationMode, ClusterFact, EntryFact, Form, PrincipalFact, Setting, Standing,
    Told, time,
};
use crate::model::diagnostic::Code;
use crate::model::source::Source;

use super::super::{pod_identity, rewrite, values};
use super::plan::Plan;
use crate::read::aws_auth::{Found, Section};
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;

/// A resource, or an instance of one.
pub(super) struct Resource<'a, 't> {
    pub(super) kind: &'a str,
    pub(super) values: Node<'t>,
    pub(super) standing: Standing,
    pub(super) form: Form,
    /// The plan that it stands in, and its address there.
    pub(super) plan: Option<(&'a Plan<'t>, &'a str)>,
}

/// Whether resources of a type are read at all.
pub(super) fn is_read(kind: &str) -> bool {
    kind.starts_with("aws_eks_")
        || kind.starts_with("awscc_eks_")
        || matches!(kind, "aws_iam_role" | "aws_iam_user" | "kubectl_manifest")
        || kind.starts_with("kubernetes_")
}

impl Resource<'_, '_> {
    /// Takes the resource in, if it is of a type that bears on access.
    pub(super) fn read(&self, found: &mut dyn Sink, origin: Origin) {
        match self.kind {
            "aws_eks_access_entry" | "awscc_eks_access_entry" => self.entry(found, origin),
            "aws_eks_access_policy_association" => self.association(found, origin),
            "aws_eks_pod_identity_association" | "awscc_eks_pod_identity_association" => {
                self.pod_identity(found, origin);
            }
            "aws_eks_cluster" | "awscc_eks_cluster" => self.cluster(found, origin),
            "aws_iam_role" | "aws_iam_user" => self.principal_made(found, origin),
            "kubernetes_manifest" => self.manifest(found, origin),
            "kubectl_manifest" => self.yaml_body(found, origin),
            "kubernetes_config_map_v1_data" => self.config_map_data(found, origin),
            kind => {
                if let Some((api_version, kind)) = rewrite::kind_of(kind) {
                    self.kubernetes(found, origin, api_version, kind);
                }
            }
        }
    }

    /// A value that the plan leaves open for another reason than that EKS fills it in.
    fn is_unknown(&self, key: &str) -> bool {
        self.plan.is_some_and(|(plan, address)| plan.is_unknown(address, key))
    }

    fn principal(&self) -> Told {
        if let Some(arn) = values::text(self.values.get("principal_arn")) {
            return Told::known(arn);
        }
        let from_plan = self.plan.and_then(|(plan, address)| plan.principal(address));
        from_plan.unwrap_or_else(Told::nameless)
    }

    fn place(&self, key: &str, origin: Origin) -> Source {
        origin.source(self.values.get(key).unwrap_or(self.values))
    }

    fn observed(&self) -> bool {
        self.standing == Standing::Observed
    }

    fn entry(&self, found: &mut dyn Sink, origin: Origin) {
        let get = |key: &str| self.values.get(key);
        found.facts().arns.extend(values::text(get("access_entry_arn")));
        let principal = self.principal();
        let cluster = values::text(get("cluster_name"));
        // Computed and not given is left to EKS; given and not known is not.
        let username = values::setting(get("user_name").or_else(|| get("username")));
        let mut groups = values::settings(get("kubernetes_groups"));
        if self.is_unknown("kubernetes_groups") && get("kubernetes_groups").is_some() {
            groups = Setting::Unknown;
        }
        let policies = get("access_policies").filter(|list| list.is_sequence()).map(|list| {
            let of = |one: Node<'_>| {
                let scope = values::block(one.get("access_scope"));
                let field = |key: &str| scope.and_then(|scope| scope.get(key));
                AssociationFact {
                    cluster: cluster.clone(),
                    cluster_object: None,
                    principal: principal.clone(),
                    policy: values::told(one.get("policy_arn")),
                    scope: values::scope(field("type"), field("namespaces")),
                    has_idle_namespaces: values::has_idle_namespaces(field("type"), field("namespaces")),
                    modified_at: None,
                    standing: self.standing,
                    form: self.form,
                    is_one_of_several: false,
                    source: origin.source(one),
                }
            };
            list.items().map(of).collect()
        });
        found.facts().entries.push(EntryFact {
            cluster,
            cluster_object: None,
            principal,
            kind: values::setting(get("type")),
            username,
            groups: if self.observed() { values::reported(groups) } else { groups },
            policies,
            created_at: values::moment(get("created_at")),
            modified_at: values::moment(get("modified_at")),
            standing: self.standing,
            form: self.form,
            is_listed_only: false,
            is_conditional: false,
            source: self.place("principal_arn", origin),
        });
    }

    fn association(&self, found: &mut dyn Sink, origin: Origin) {
        let get = |key: &str| self.values.get(key);
        let scope = values::block(get("access_scope"));
        let field = |key: &str| scope.and_then(|scope| scope.get(key));
        let scope = if self.is_unknown("access_scope") {
            match values::scope(field("type"), field("namespaces")) {
                crate::model::access::AccessScope::Namespaces(_) => {
                    crate::model::access::AccessScope::Namespaces(vec![None])
                }
                _ => crate::model::access::AccessScope::Unknown,
            }
        } else {
            values::scope(field("type"), field("namespaces"))
        };
        found.facts().associations.push(AssociationFact {
            cluster: values::text(get("cluster_name")),
            cluster_object: None,
            principal: self.principal(),
            policy: values::told(get("policy_arn")),
            scope,
            has_idle_namespaces: values::has_idle_namespaces(field("type"), field("namespaces")),
            modified_at: values::moment(get("modified_at")),
            standing: self.standing,
            form: self.form,
            is_one_of_several: false,
            source: self.place("policy_arn", origin),
        });
    }

    fn pod_identity(&self, found: &mut dyn Sink, origin: Origin) {
        let (get, told) = (|key: &str| self.values.get(key), |node| values::told(Some(node)));
        let names = &pod_identity::TERRAFORM;
        let mut one = pod_identity::of(names, &get, &told, self.place(names.role, origin));
        if one.role.text().is_none()
            && let Some((plan, address)) = self.plan
            && let Some(role) = plan.arn_of(address, names.role)
        {
            one.role = role;
        }
        pod_identity::add(found, one);
    }

    fn cluster(&self, found: &mut dyn Sink, origin: Origin) {
        found.facts().arns.extend(values::text(self.values.get("arn")));
        let config = values::block(self.values.get("access_config"));
        let mode = config.and_then(|config| config.get("authentication_mode"));
        let setting = match values::text(mode) {
            Some(text) => AuthenticationMode::parse(&text).map_or(Setting::Unknown, Setting::Given),
            None => Setting::Default,
        };
        found.facts().clusters.push(ClusterFact {
            name: values::text(self.values.get("name")),
            object: None,
            account: values::account(values::text(self.values.get("arn")).as_deref()),
            mode: setting,
            standing: self.standing,
            source: origin.source(mode.unwrap_or(self.values)),
        });
    }

    /// When a role or user was made: an access entry that is older is dead.
    fn principal_made(&self, found: &mut dyn Sink, origin: Origin) {
        let made = values::text(self.values.get("create_date")).and_then(|text| time::parse(&text));
        if let (Some(arn), Some(created_at)) = (values::text(self.values.get("arn")), made) {
            let source = self.place("create_date", origin);
            found.facts().principals.push(PrincipalFact { arn, created_at, source });
        }
    }

    /// An object of the Kubernetes provider.
    fn kubernetes(&self, found: &mut dyn Sink, origin: Origin, api_version: &str, kind: &str) {
        let metadata = values::block(self.values.get("metadata"));
        let named = |key: &str| metadata.is_some_and(|metadata| values::text(metadata.get(key)).is_some());
        let parts = ["metadata", "rule", "role_ref", "subject", "data", "aggregation_rule"];
        // Some of metadata is always filled in by the server.
        let open = parts.iter().skip(1).any(|part| self.is_unknown(part));
        if kind == "ConfigMap" && !metadata.is_some_and(is_aws_auth) {
            return;
        }
        if (!named("name") && !named("generate_name")) || open {
            self.left_open(found, origin, &format!("{kind} of the Kubernetes provider"));
            return;
        }
        let tree = rewrite::object(self.values, api_version, kind);
        if let Some(root) = tree.root() {
            found.value(root, origin);
        }
    }

    /// An object as it was written, or as the server holds it.
    fn manifest(&self, found: &mut dyn Sink, origin: Origin) {
        let object = ["object", "manifest"]
            .into_iter()
            .find_map(|key| self.values.get(key).filter(|object| object.get("kind").is_some()));
        if let Some(object) = object {
            found.value(object, origin);
        } else {
            self.left_open(found, origin, "kubernetes_manifest");
        }
    }

    /// Manifests as a text.
    fn yaml_body(&self, found: &mut dyn Sink, origin: Origin) {
        let body = self.values.get("yaml_body_parsed").filter(|body| body.as_str().is_some());
        let Some(body) = body.or_else(|| self.values.get("yaml_body")).filter(|body| body.as_str().is_some())
        else {
            self.left_open(found, origin, "kubectl_manifest");
            return;
        };
        for document in split::documents(body.text()) {
            let mut tree = Tree::default();
            if crate::document::read(document.text, 1, &mut tree).is_ok() {
                tree.stand_at(body.position());
                if let Some(root) = tree.root() {
                    found.value(root, origin);
                }
            }
        }
    }

    /// The keys of `aws-auth` that Terraform owns; there may be others.
    fn config_map_data(&self, found: &mut dyn Sink, origin: Origin) {
        if !values::block(self.values.get("metadata")).is_some_and(is_aws_auth) {
            return;
        }
        let Some(data) = self.values.get("data").filter(|data| data.is_mapping()) else {
            self.left_open(found, origin, "ConfigMap `aws-auth`");
            return;
        };
        let sections = data
            .pairs()
            .filter(|(_, value)| value.as_str().is_some())
            .map(|(key, value)| Section {
                key: key.text().to_owned(),
                text: value.text().to_owned(),
                source: origin.source(value),
                first_line: None,
            })
            .collect();
        let source = origin.source(data);
        let config_map = Found { source, is_partial: true, sections, ..Found::default() };
        found.aws_auth(config_map);
    }

    /// Says that a resource bears on access and is not told.
    fn left_open(&self, found: &mut dyn Sink, origin: Origin, what: &str) {
        let source = origin.source(self.values);
        found.unseen(source);
        found.report(Code::AccessInputNotRead,
            source,
            format!("{what}: a part of it is known only after apply, so nobody can tell whom it allows what; load the state after the apply"),
        );
    }
}

fn is_aws_auth(metadata: Node<'_>) -> bool {
    let is = |key: &str, wanted: &str| values::text(metadata.get(key)).as_deref() == Some(wanted);
    is("name", "aws-auth") && (is("namespace", "kube-system") || metadata.get("namespace").is_none())
}
