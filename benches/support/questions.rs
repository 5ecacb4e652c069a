//! Questions about the generated cluster: half of them taken from what it grants, half at random.

use rbacsim::model::attributes::{Attributes, ResourceAttributes};
use rbacsim::model::user::UserInfo;
use serde_json::{Value, json};

use super::cluster::{self, GROUPS, LEGACY, OBSERVERS, RESOURCES, Shape};
use super::random::Random;

/// A user and a request.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) user: UserInfo,
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl Question {
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes::Resource(ResourceAttributes {
            verb: &self.verb,
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            name: &self.name,
            namespace: &self.namespace,
        })
    }
}

const VERBS: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete"];

/// So many questions, about half of which are answered yes.
pub(crate) fn mixed(size: usize, count: usize) -> Vec<Question> {
    let mut random = Random::new(0xA5C);
    let random = &mut random;
    let (roles, bindings) = grants(size);
    let shape = Shape::of(size);
    (0..count)
        .map(|_| {
            if random.percent(50) {
                granted(random, &roles, &bindings)
            } else {
                let near = random.pick(&bindings);
                anything(random, shape, near)
            }
        })
        .collect()
}

type Roles = std::collections::HashMap<(String, String), Value>;

/// What the cluster grants, kept as plain objects.
fn grants(size: usize) -> (Roles, Vec<Value>) {
    let mut roles = Roles::new();
    let mut bindings = Vec::new();
    cluster::objects(size, &mut |object| {
        let metadata = &object["metadata"];
        match object["kind"].as_str() {
            Some("Role" | "ClusterRole") => {
                roles.insert(
                    (text(&metadata["namespace"]), text(&metadata["name"])),
                    object["rules"].clone(),
                );
            }
            Some("RoleBinding" | "ClusterRoleBinding") => bindings.push(json!({
                "namespace": metadata["namespace"], "roleRef": object["roleRef"], "subjects": object["subjects"],
            })),
            _ => {}
        }
    });
    (roles, bindings)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn user_of(subject: &Value) -> UserInfo {
    let name = text(&subject["name"]);
    match subject["kind"].as_str() {
        Some("Group") => UserInfo::authenticated("someone@example.com", ["all:staff".to_owned(), name]),
        Some("ServiceAccount") => UserInfo::service_account(&text(&subject["namespace"]), &name),
        _ => UserInfo::authenticated(&name, ["all:staff"]),
    }
}

/// A question that a random rule of a random binding answers.
fn granted(random: &mut Random, roles: &Roles, bindings: &[Value]) -> Question {
    loop {
        let binding = random.pick(bindings);
        let namespace = text(&binding["namespace"]);
        let role = &binding["roleRef"];
        let scope = if role["kind"] == "Role" { namespace.clone() } else { String::new() };
        let Some(rules) = roles.get(&(scope, text(&role["name"]))).and_then(Value::as_array) else {
            continue;
        };
        let rule = random.pick(rules);
        let one = |random: &mut Random, list: &Value| {
            list.as_array().filter(|list| !list.is_empty()).map(|list| text(random.pick(list)))
        };
        let resource = one(random, &rule["resources"]).unwrap();
        let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
        let verb = one(random, &rule["verbs"]).unwrap();
        return Question {
            user: user_of(random.pick(binding["subjects"].as_array().unwrap())),
            verb: if verb == "*" { "deletecollection".to_owned() } else { verb },
            group: one(random, &rule["apiGroups"]).unwrap(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name: one(random, &rule["resourceNames"]).unwrap_or_default(),
            namespace,
        };
    }
}

/// A question of somebody who is bound somewhere, about anything anywhere.
fn anything(random: &mut Random, shape: Shape, binding: &Value) -> Question {
    let (group, resources) = *random.pick(RESOURCES);
    let resource = *random.pick(resources);
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let near = random.percent(50);
    Question {
        user: user_of(random.pick(binding["subjects"].as_array().unwrap())),
        verb: (*random.pick(VERBS)).to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        name: String::new(),
        namespace: if near {
            text(&binding["namespace"])
        } else {
            cluster::namespace(random.below(shape.namespaces))
        },
    }
}

fn special(
    user: &UserInfo,
    verb: &str,
    (group, resource): (&str, &str),
    namespaces: impl Iterator<Item = usize>,
) -> Vec<Question> {
    let question = |number| Question {
        user: user.clone(),
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: String::new(),
        name: String::new(),
        namespace: cluster::namespace(number),
    };
    namespaces.map(question).collect()
}

/// A member of the group that is bound in every namespace, in all of them in turn.
pub(crate) fn observers(size: usize, allowed: bool) -> Vec<Question> {
    let user = UserInfo::authenticated("observer@example.com", [OBSERVERS]);
    let verb = if allowed { "get" } else { "delete" };
    special(&user, verb, ("", "pods"), 0..Shape::of(size).namespaces)
}

/// The user in 200 groups.
pub(crate) fn many_groups(size: usize) -> Vec<Question> {
    let user = UserInfo::authenticated("manager@example.com", (0..GROUPS).map(cluster::team));
    special(&user, "escalate", ("", "pods"), 0..Shape::of(size).namespaces.min(1000))
}

/// The user of the role with 400 rules; the last rule of it allows, or none does.
pub(crate) fn many_rules(size: usize, allowed: bool) -> Vec<Question> {
    let user = UserInfo::authenticated("operator@example.com", [LEGACY]);
    let resource = if allowed { "things399" } else { "things400" };
    special(&user, "get", ("legacy.example.com", resource), 0..Shape::of(size).namespaces.min(1000))
}

/// Questions as a stream of SubjectAccessReviews, one a line.
pub(crate) fn reviews(questions: &[Question]) -> String {
    let mut out = String::new();
    for question in questions {
        let mut attributes = json!({ "verb": question.verb, "group": question.group, "resource": question.resource, "namespace": question.namespace, "version": "v1" });
        for (field, value) in [("subresource", &question.subresource), ("name", &question.name)] {
            if !value.is_empty() {
                attributes[field] = json!(value);
            }
        }
        let spec = json!({ "user": question.user.username, "groups": question.user.groups, "resourceAttributes": attributes });
        let review =
            json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec });
        out.push_str(&review.to_string());
        out.push('\n');
    }
    out
}
