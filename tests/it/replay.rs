//! The test tables of Kubernetes' own authorizer and resolver, when they are there.
//!
//! They hold rules that the API server would not store, for resources and URLs at once: such a rule is here two, for a
//! request is only ever about one of both.

use std::fs;

use rbacsim::model::user::UserInfo;
use serde_json::{Value, json};

use crate::ask::{Request, World};
use crate::trees::recorded;

fn table(name: &str) -> Option<Vec<Value>> {
    let text = fs::read_to_string(recorded("replay")?.join(name)).unwrap();
    let table: Value = serde_json::from_str(&text).unwrap();
    Some(table["tests"].as_array().unwrap().clone())
}

fn rules(rules: &Value) -> Value {
    let mut split = Vec::new();
    for rule in rules.as_array().unwrap() {
        let part = |fields: [&str; 4]| {
            let field = |name: &&str| Some((name.to_string(), rule.get(*name)?.clone()));
            Value::Object(fields.iter().filter_map(field).collect())
        };
        for part in [
            part(["verbs", "apiGroups", "resources", "resourceNames"]),
            part(["verbs", "nonResourceURLs", "", ""]),
        ] {
            if part.as_object().unwrap().len() > 1 {
                split.push(part);
            }
        }
    }
    Value::Array(split)
}

/// Objects as JSON, one document each.
fn world(objects: &[Value]) -> World {
    let documents: Vec<String> = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    World::of(&documents)
}

fn object(kind: &str, namespace: &str, name: &str, body: Value) -> Value {
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": { "name": name, "namespace": namespace },
    });
    object.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    object
}

/// Requests go through text elsewhere; here they are built, for the tables have empty fields.
fn ask(world: &World, asked: &Value) -> bool {
    let field = |name: &str| asked[name].as_str().unwrap_or("").to_owned();
    let groups: Vec<String> = asked["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| group.as_str().unwrap().to_owned())
        .collect();
    let request = Request {
        verb: field("verb"),
        group: field("apiGroup"),
        resource: field("resource"),
        subresource: field("subresource"),
        name: field("name"),
        namespace: field("namespace"),
        path: (asked["kind"] == "nonresource").then(|| field("path")),
    };
    world.put(&UserInfo::as_given(&field("user"), groups), &request).0
}

#[test]
fn rule_matches() {
    let Some(tests) = table("k8s_rule_matches.json") else { return };
    let mut asked = 0;
    for test in &tests {
        let subject = json!([{ "kind": "User", "name": "u" }]);
        let world = world(&[
            object("ClusterRole", "", "r", json!({ "rules": rules(&json!([test["rule"]])) })),
            object(
                "ClusterRoleBinding",
                "",
                "b",
                json!({ "roleRef": { "kind": "ClusterRole", "name": "r" }, "subjects": subject }),
            ),
        ]);
        for case in test["cases"].as_array().unwrap() {
            let mut request = case["request"].clone();
            request["user"] = "u".into();
            assert_eq!(ask(&world, &request), case["allowed"] == true, "{}: {case}", test["name"]);
            asked += 1;
        }
    }
    assert!(asked >= 60, "only {asked} asked");
}

#[test]
fn authorizer() {
    let Some(tests) = table("k8s_authorizer.json") else { return };
    let mut asked = 0;
    for test in &tests {
        let mut objects = Vec::new();
        for (kind, list) in [("ClusterRole", "clusterRoles"), ("Role", "roles")] {
            for role in test[list].as_array().unwrap() {
                let (namespace, name) =
                    (role["namespace"].as_str().unwrap_or(""), role["name"].as_str().unwrap());
                objects.push(object(kind, namespace, name, json!({ "rules": rules(&role["rules"]) })));
            }
        }
        for (kind, list) in [("ClusterRoleBinding", "clusterRoleBindings"), ("RoleBinding", "roleBindings")] {
            for (number, binding) in test[list].as_array().unwrap().iter().enumerate() {
                let body = json!({ "roleRef": binding["roleRef"], "subjects": binding["subjects"] });
                let namespace = binding["namespace"].as_str().unwrap_or("");
                objects.push(object(kind, namespace, &format!("b{number}"), body));
            }
        }
        let world = world(&objects);
        for (list, allowed) in [("allowed", true), ("denied", false)] {
            for case in test[list].as_array().unwrap() {
                assert_eq!(ask(&world, case), allowed, "{case}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 30, "only {asked} asked");
}

#[test]
fn applies_to() {
    let Some(tests) = table("k8s_applies_to.json") else { return };
    for test in &tests {
        let namespace = test["namespace"].as_str().unwrap();
        let rule = json!([{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }]);
        let kind = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
        let world = world(&[
            object("ClusterRole", "", "r", json!({ "rules": rule })),
            object(
                kind,
                namespace,
                "b",
                json!({ "roleRef": { "kind": "ClusterRole", "name": "r" }, "subjects": test["subjects"] }),
            ),
        ]);
        let asked = json!({
            "verb": "get", "resource": "pods", "namespace": namespace, "user": test["user"], "groups": test["groups"],
        });
        assert_eq!(ask(&world, &asked), test["appliesTo"] == true, "{}", test["name"]);
    }
    assert!(tests.len() >= 9, "only {} rows", tests.len());
}
