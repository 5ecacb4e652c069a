//! The plain model: every binding, every subject, every rule, compared as text. What the index must earn.

use rbacsim::model::attributes::Attributes;
use serde_json::Value;

use super::cluster;
use super::questions::Question;

struct Role {
    namespace: String,
    name: String,
    rules: Vec<Rule>,
}

struct Rule {
    verbs: Vec<String>,
    groups: Vec<String>,
    resources: Vec<String>,
    names: Vec<String>,
}

struct Binding {
    namespace: String,
    role: (String, String),
    subjects: Vec<(bool, String)>,
}

/// A cluster as lists. Knows no aggregation and no URLs: the generated questions need neither.
pub(crate) struct Model {
    roles: Vec<Role>,
    bindings: Vec<Binding>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().map_or_else(Vec::new, |list| list.iter().map(text).collect())
}

impl Model {
    pub(crate) fn of(size: usize) -> Self {
        let mut model = Self { roles: Vec::new(), bindings: Vec::new() };
        cluster::objects(size, &mut |object| {
            let (namespace, name) =
                (text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
            match object["kind"].as_str() {
                Some("Role" | "ClusterRole") => {
                    let rules = object["rules"].as_array().unwrap().iter().map(|rule| Rule {
                        verbs: texts(&rule["verbs"]),
                        groups: texts(&rule["apiGroups"]),
                        resources: texts(&rule["resources"]),
                        names: texts(&rule["resourceNames"]),
                    });
                    model.roles.push(Role { namespace, name, rules: rules.collect() });
                }
                Some("RoleBinding" | "ClusterRoleBinding") => {
                    let subjects = object["subjects"].as_array().unwrap().iter().map(|subject| {
                        let name = text(&subject["name"]);
                        match subject["kind"].as_str() {
                            Some("Group") => (true, name),
                            Some("ServiceAccount") => (
                                false,
                                format!("system:serviceaccount:{}:{name}", text(&subject["namespace"])),
                            ),
                            _ => (false, name),
                        }
                    });
                    let role = &object["roleRef"];
                    let scope = if role["kind"] == "Role" { namespace.clone() } else { String::new() };
                    model.bindings.push(Binding {
                        namespace,
                        role: (scope, text(&role["name"])),
                        subjects: subjects.collect(),
                    });
                }
                _ => {}
            }
        });
        // Maps would be an index; a sorted list is the least that makes a role findable at all.
        model.roles.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        model
    }

    pub(crate) fn allows(&self, question: &Question) -> bool {
        let Attributes::Resource(asked) = question.attributes() else { return false };
        let combined = if asked.subresource.is_empty() {
            asked.resource.to_owned()
        } else {
            format!("{}/{}", asked.resource, asked.subresource)
        };
        self.bindings.iter().any(|binding| {
            if !(binding.namespace.is_empty() || binding.namespace == asked.namespace) {
                return false;
            }
            let user = &question.user;
            let applies = binding
                .subjects
                .iter()
                .any(|(is_group, name)| if *is_group { user.in_group(name) } else { user.username == *name });
            applies
                && self
                    .roles
                    .binary_search_by(|role| {
                        (&role.namespace, &role.name).cmp(&(&binding.role.0, &binding.role.1))
                    })
                    .is_ok_and(|index| {
                        self.roles[index].rules.iter().any(|rule| {
                            let has = |list: &[String], text: &str| {
                                list.iter().any(|own| own == "*" || own == text)
                            };
                            has(&rule.verbs, asked.verb)
                                && has(&rule.groups, asked.group)
                                && has(&rule.resources, &combined)
                                && (rule.names.is_empty() || rule.names.iter().any(|name| name == asked.name))
                        })
                    })
        })
    }
}
