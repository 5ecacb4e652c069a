//! `CloudFormation` templates, and those that the CDK and SAM write: entries, clusters, and the manifests of the CDK.

mod functions;

use crate::document::{Node, Tree, json, yaml};
use crate::identity::access_entries::{
    AssociationFact, AuthenticationMode, ClusterFact, EntryFact, Form, Setting, Standing, Told,
};
use crate::model::access::AccessScope;
use crate::model::diagnostic::Code;
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;
use crate::read::version_hints::VersionSource;

use super::pod_identity;
use functions::Template;

/// Whether a document is a template, or the answer of `get-template`.
pub(super) fn is_one(node: Node<'_>) -> bool {
    node.get("TemplateBody").is_some() && node.get("StagesAvailable").is_some() || is_template(node)
}

fn is_template(node: Node<'_>) -> bool {
    node.get("Resources").is_some_and(|resources| {
        resources
            .pairs()
            .any(|(_, one)| one.get("Type").and_then(Node::as_str).is_some_and(|kind| kind.contains("::")))
    })
}

/// Takes in a template. `false` if it is none.
pub(super) fn read(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    let Some(body) = node.get("TemplateBody").filter(|_| node.get("StagesAvailable").is_some()) else {
        if is_template(node) {
            template(found, node, origin);
            return true;
        }
        return false;
    };
    if let Some(text) = body.as_str() {
        let mut tree = Tree::default();
        if json::read(text, &mut tree).is_ok() || yaml::read_with_functions(text, &mut tree).is_ok() {
            tree.stand_at(body.position());
            if let Some(root) = tree.root() {
                template(found, root, origin);
            }
        } else {
            found.report(
                Code::AccessInputNotRead,
                origin.source(body),
                "the template in `TemplateBody` is neither JSON nor YAML and is not read".to_owned(),
            );
        }
    } else {
        template(found, body, origin);
    }
    true
}

fn template(found: &mut dyn Sink, node: Node<'_>, origin: Origin) {
    let template = Template::of(node);
    for (id, resource) in node.get("Resources").into_iter().flat_map(Node::pairs) {
        let Some(kind) = resource.get("Type").and_then(Node::as_str) else { continue };
        let Some(properties) = resource.get("Properties").filter(|properties| properties.is_mapping()) else {
            continue;
        };
        let one = Resource { template: &template, id, whole: resource, properties, origin };
        match kind {
            "AWS::EKS::AccessEntry" => one.entry(found),
            "AWS::EKS::PodIdentityAssociation" => one.pod_identity(found),
            "AWS::EKS::Cluster" => {
                let config = properties.get("AccessConfig");
                one.cluster(
                    found,
                    "Name",
                    config.and_then(|config| config.get("AuthenticationMode")),
                    config,
                );
            }
            "Custom::AWSCDK-EKS-Cluster" => {
                let config = properties.get("Config");
                let access = config.and_then(|config| config.get("accessConfig"));
                one.cluster(found, "", access.and_then(|access| access.get("authenticationMode")), access);
            }
            "Custom::AWSCDK-EKS-KubernetesResource" => one.manifests(found),
            _ => {}
        }
    }
}

struct Resource<'a, 't> {
    template: &'a Template<'t>,
    id: Node<'t>,
    whole: Node<'t>,
    properties: Node<'t>,
    origin: Origin,
}

impl Resource<'_, '_> {
    fn source(&self) -> crate::model::source::Source {
        self.origin.source(self.id)
    }

    fn cluster(
        &self,
        found: &mut dyn Sink,
        name_key: &str,
        mode: Option<Node<'_>>,
        config: Option<Node<'_>>,
    ) {
        let of_cdk = self.properties.get("Config").and_then(|config| config.get("version"));
        if let Some(version) = self.properties.get("Version").or(of_cdk)
            && let Some(text) = self.template.told(version).text()
        {
            found.version(VersionSource::CloudFormation, text, self.origin.source(version));
        }
        let in_config = self.properties.get("Config").and_then(|config| config.get("name"));
        let name = self.properties.get(name_key).or(in_config).map(|name| self.template.told(name));
        let setting = match (mode.map(|mode| self.template.told(mode)), config) {
            (Some(mode), _) => {
                mode.text().and_then(AuthenticationMode::parse).map_or(Setting::Unknown, Setting::Given)
            }
            // A mapping that some function makes may hold it.
            (None, Some(config)) if Template::is_function(config) => Setting::Unknown,
            (None, _) => Setting::Given(AuthenticationMode::ConfigMap),
        };
        found.facts().clusters.push(ClusterFact {
            name: name.and_then(|name| name.text().map(str::to_owned)),
            object: Some(self.id.text().to_owned()),
            account: None,
            mode: setting,
            standing: Standing::Declared,
            source: self.origin.source(mode.unwrap_or(self.id)),
        });
    }

    fn entry(&self, found: &mut dyn Sink) {
        let get = |key: &str| self.properties.get(key);
        let told = |node: Node<'_>| self.template.told(node);
        let setting = |key: &str| match get(key) {
            None => Setting::Default,
            Some(node) if node.is_null() || Template::is_no_value(node) => Setting::Default,
            Some(node) => told(node).text().map_or(Setting::Unknown, |text| Setting::Given(text.to_owned())),
        };
        let principal = get("PrincipalArn").map_or_else(Told::nameless, told);
        let cluster = get("ClusterName").map(told).and_then(|name| name.text().map(str::to_owned));
        let cluster_object =
            get("ClusterName").and_then(|name| name.get("Ref")).map(|id| id.text().to_owned());
        let mut policies = Some(Vec::new());
        if let Some(list) =
            get("AccessPolicies").filter(|list| !list.is_null() && !Template::is_no_value(*list))
        {
            // A list that a function makes is not told.
            policies = list.is_sequence().then(|| {
                list.items().map(|one| self.association(one, cluster.as_deref(), &principal)).collect()
            });
        }
        found.facts().entries.push(EntryFact {
            cluster,
            cluster_object,
            principal,
            kind: setting("Type"),
            username: setting("Username"),
            groups: match get("KubernetesGroups") {
                None => Setting::Default,
                Some(node) if node.is_null() || Template::is_no_value(node) => Setting::Default,
                Some(node) => self.template.texts(node),
            },
            policies,
            created_at: None,
            modified_at: None,
            standing: Standing::Declared,
            form: Form::CloudFormation,
            is_listed_only: false,
            is_conditional: self.whole.get("Condition").is_some(),
            source: self.source(),
        });
    }

    fn pod_identity(&self, found: &mut dyn Sink) {
        let (get, told) = (|key: &str| self.properties.get(key), |node: Node<'_>| self.template.told(node));
        let names = &pod_identity::CLOUD_FORMATION;
        pod_identity::add(found, pod_identity::of(names, &get, &told, self.source()));
    }

    fn association(&self, node: Node<'_>, cluster: Option<&str>, principal: &Told) -> AssociationFact {
        let scope = node.get("AccessScope").filter(|scope| !Template::is_function(*scope));
        let kind = scope.and_then(|scope| scope.get("Type")).map(|kind| self.template.told(kind));
        let namespaces = scope.and_then(|scope| scope.get("Namespaces"));
        let scope = match kind.as_ref().and_then(Told::text).map(str::to_ascii_lowercase).as_deref() {
            Some("cluster") => AccessScope::Cluster,
            Some("namespace") => match namespaces {
                None => AccessScope::Namespaces(Vec::new()),
                Some(list) => AccessScope::Namespaces(self.template.items(list)),
            },
            _ => AccessScope::Unknown,
        };
        let policy = node.get("PolicyArn").map_or_else(Told::nameless, |arn| self.template.told(arn));
        AssociationFact {
            cluster: cluster.map(str::to_owned),
            cluster_object: None,
            principal: principal.clone(),
            policy,
            has_idle_namespaces: scope == AccessScope::Cluster
                && namespaces.is_some_and(|list| list.items().next().is_some()),
            scope,
            modified_at: None,
            standing: Standing::Declared,
            form: Form::CloudFormation,
            is_one_of_several: false,
            source: self.origin.source(node),
        }
    }

    /// The manifests that the CDK hands to kubectl: JSON as a text, with holes where functions stand.
    fn manifests(&self, found: &mut dyn Sink) {
        let Some(manifest) = self.properties.get("Manifest") else { return };
        let text = self.template.told(manifest).to_string();
        let mut tree = Tree::default();
        if json::read(&text, &mut tree).is_err() {
            found.unseen(self.source());
            found.report(Code::AccessInputNotRead,
                self.source(),
                "the manifest of this resource is not in the template and is not read; load what it is made from".to_owned(),
            );
            return;
        }
        tree.stand_at(manifest.position());
        let Some(root) = tree.root() else { return };
        if root.is_sequence() {
            for item in root.items() {
                found.value(item, self.origin);
            }
        } else {
            found.value(root, self.origin);
        }
    }
}
