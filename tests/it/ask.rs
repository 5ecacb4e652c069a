//! What the tests of decisions share: small clusters from text, and requests in one line.

use rbacsim::decide::cluster::Cluster;
use rbacsim::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::{Value, json};

use crate::model::Model;
use crate::recorded::review;

/// A request, written `VERB RESOURCE[.GROUP][/SUBRESOURCE] [=NAME] [@NAMESPACE]` or `VERB /PATH`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) path: Option<String>,
}

impl Request {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let mut words = text.split(' ');
        let verb = words.next().unwrap().trim_matches('"').to_owned();
        let target = words.next().unwrap();
        if target.starts_with('/') {
            return Self { verb, path: Some(target.to_owned()), ..Self::default() };
        }
        let (kind, subresource) = target.split_once('/').unwrap_or((target, ""));
        let (resource, group) = kind.split_once('.').unwrap_or((kind, ""));
        let mut request = Self {
            verb,
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            ..Self::default()
        };
        for word in words {
            match word.split_at(1) {
                ("=", name) => name.clone_into(&mut request.name),
                ("@", namespace) => namespace.clone_into(&mut request.namespace),
                _ => panic!("`{word}` in `{text}`"),
            }
        }
        request
    }

    pub(crate) fn attributes(&self) -> Attributes<'_> {
        let Self { verb, group, resource, subresource, name, namespace, path } = self;
        match path {
            Some(path) => Attributes::NonResource(NonResourceAttributes { verb, path }),
            None => Attributes::Resource(ResourceAttributes {
                verb,
                group,
                resource,
                subresource,
                name,
                namespace,
            }),
        }
    }

    /// As the `spec` of a SubjectAccessReview.
    pub(crate) fn spec(&self, user: &UserInfo) -> Value {
        let mut spec = json!({ "user": user.username, "groups": user.groups });
        let attributes = match &self.path {
            Some(path) => ("nonResourceAttributes", json!({ "verb": self.verb, "path": path })),
            None => (
                "resourceAttributes",
                json!({
                    "verb": self.verb, "group": self.group, "resource": self.resource,
                    "subresource": self.subresource, "name": self.name, "namespace": self.namespace,
                }),
            ),
        };
        spec[attributes.0] = attributes.1;
        spec
    }
}

pub(crate) fn text(name: &str, text: &str) -> Input {
    Input::Text { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// A cluster from text, with nothing added.
pub(crate) fn cluster_of(texts: &[&str], completeness: Completeness) -> Cluster {
    let inputs: Vec<Input> =
        texts.iter().enumerate().map(|(index, yaml)| text(&format!("{index}.yaml"), yaml)).collect();
    let options =
        LoadOptions { defaults: Defaults::Never, completeness: Some(completeness), ..LoadOptions::default() };
    load(&inputs, &options).unwrap().into()
}

fn document(kind: &str, place: &str, body: &str) -> String {
    let (namespace, name) = place.rsplit_once('/').unwrap_or(("", place));
    let kind = if namespace.is_empty() { format!("Cluster{kind}") } else { kind.to_owned() };
    let (metadata, body) = body.split_once(" | ").unwrap_or(("", body));
    format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n\
         metadata: {{namespace: '{namespace}', name: '{name}'{metadata}}}\n{body}\n"
    )
}

/// A ClusterRole `NAME`, or a Role `NAMESPACE/NAME`, with rules as a flow sequence.
pub(crate) fn role(place: &str, rules: &str) -> String {
    document("Role", place, &format!("rules: {rules}"))
}

/// A ClusterRole with labels, rules, and an aggregationRule's selectors.
pub(crate) fn aggregated(name: &str, labels: &str, rules: &str, selectors: &str) -> String {
    let aggregation = match selectors {
        "" => String::new(),
        selectors => format!("aggregationRule: {{clusterRoleSelectors: {selectors}}}"),
    };
    document("Role", name, &format!(", labels: {labels} | rules: {rules}\n{aggregation}"))
}

/// A ClusterRoleBinding `NAME`, or a RoleBinding `NAMESPACE/NAME`, of a role (`Role r`) to subjects
/// (`User u, Group g, ServiceAccount ns/sa`).
pub(crate) fn bind(place: &str, role: &str, subjects: &str) -> String {
    let (kind, role) = role.split_once(' ').unwrap();
    let subjects: Vec<String> = subjects
        .split(", ")
        .map(|subject| {
            let (kind, name) = subject.split_once(' ').unwrap();
            match name.split_once('/').filter(|_| kind == "ServiceAccount") {
                Some((namespace, name)) => {
                    format!("{{kind: {kind}, namespace: '{namespace}', name: '{name}'}}")
                }
                None => format!("{{kind: {kind}, name: '{name}'}}"),
            }
        })
        .collect();
    let subjects = subjects.join(", ");
    document(
        "RoleBinding",
        place,
        &format!("roleRef: {{kind: {kind}, name: '{role}'}}\nsubjects: [{subjects}]"),
    )
}

/// A cluster beside the model of it: every question goes to both, by every way there is, and all must agree.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    model: Model,
}

impl World {
    /// A complete cluster of objects that the API server takes.
    #[track_caller]
    pub(crate) fn of(documents: &[String]) -> Self {
        let text = documents.concat();
        let cluster = cluster_of(&[&text], Completeness::Complete);
        assert_eq!(cluster.summary().refused, 0, "{:#?}", cluster.diagnostics());
        assert_eq!(cluster.summary().unreadable, 0, "{:#?}", cluster.diagnostics());
        Self { cluster, model: Model::read(&[&text]) }
    }

    /// Whether a request is allowed, and the API server's reason.
    #[track_caller]
    pub(crate) fn ask(&self, user: &UserInfo, request: &str) -> (bool, String) {
        self.put(user, &Request::parse(request))
    }

    /// The same for a request that is there already.
    #[track_caller]
    pub(crate) fn put(&self, user: &UserInfo, asked: &Request) -> (bool, String) {
        let request = format!("{asked:?}");
        let (graph, attributes) = (self.cluster.graph(), asked.attributes());
        let asker = graph.asker(user);
        let decision = graph.authorize(&asker, &attributes);
        let allowed = decision.is_allowed();
        let grants = graph.grants(&asker, &attributes);
        assert_eq!(grants.is_master || !grants.allowing.is_empty(), allowed, "grants: {request}");
        let answer = graph.answer(user, &attributes, self.cluster.coverage());
        assert_eq!(answer.ternary, Ternary::from(allowed), "answer: {request}");
        let reviewed = &review(&self.cluster, &[&asked.spec(user)])[0]["status"];
        assert_eq!(reviewed["allowed"], allowed, "review: {request}");
        assert_eq!(reviewed["reason"], graph.reason(&decision), "review: {request}");
        let verdict = self.model.decide(user, asked);
        assert_eq!(verdict.allowed, allowed, "model: {request}");
        (allowed, graph.reason(&decision))
    }

    #[track_caller]
    pub(crate) fn yes(&self, user: &UserInfo, requests: &[&str]) {
        for request in requests {
            assert!(self.ask(user, request).0, "refused: {request}");
        }
    }

    #[track_caller]
    pub(crate) fn no(&self, user: &UserInfo, requests: &[&str]) {
        for request in requests {
            assert!(!self.ask(user, request).0, "allowed: {request}");
        }
    }
}

/// The user `u`, and nothing else.
pub(crate) fn u() -> UserInfo {
    UserInfo::as_given("u", [""; 0])
}
