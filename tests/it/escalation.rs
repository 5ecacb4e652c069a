//! Whether a role or a binding could be written: the table of Kubernetes, and one test a rule.

use rbacsim::ask::escalation::{Check, attempts};
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::decide::covers::uncovered;
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, Loaded, load};
use serde_json::{Value, json};

use crate::recorded::{data, skipped};

fn loaded(objects: &[Value], completeness: Completeness) -> Loaded {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let input = Input::Text { name: "objects.json".into(), bytes: list.to_string().into_bytes() };
    let options =
        LoadOptions { defaults: Defaults::Never, completeness: Some(completeness), ..LoadOptions::default() };
    load(&[input], &options).unwrap()
}

fn object(kind: &str, namespace: &str, name: &str, more: Value) -> Value {
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": { "name": name },
    });
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn rules(rules: Value) -> Value {
    json!({ "rules": rules })
}

fn bound(kind: &str, name: &str) -> Value {
    json!({
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "amy" }],
    })
}

/// Amy's rights in `x`: what she may write, and what else she has.
fn amy(has: Value) -> Vec<Value> {
    vec![object("Role", "x", "amy", rules(has)), object("RoleBinding", "x", "amy", bound("Role", "amy"))]
}

/// What becomes of each object that amy applies, and what she lacks.
fn applied(cluster: &[Value], wanted: &[Value], completeness: Completeness) -> Vec<(Ternary, Vec<String>)> {
    let cluster = Cluster::from(loaded(cluster, completeness));
    let wanted = loaded(wanted, Completeness::Partial);
    let who = Who::user(UserInfo::authenticated("amy", std::iter::empty::<String>()));
    attempts(&cluster, &who, &wanted.policy)
        .into_iter()
        .map(|attempt| {
            let lacks = match attempt.check {
                Some(Check::Lacks(lacks, _)) => lacks,
                _ => Vec::new(),
            };
            (attempt.ternary, lacks)
        })
        .collect()
}

const WRITE: &[&str] = &["create", "update", "patch"];

fn writes() -> Value {
    json!({ "verbs": WRITE, "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"] })
}

fn pods(verbs: &[&str]) -> Value {
    json!({ "verbs": verbs, "apiGroups": [""], "resources": ["pods"] })
}

#[test]
#[expect(clippy::print_stderr, reason = "the count is what the reader wants to see")]
fn covers_as_kubernetes_has_it() {
    let Some(file) = data().map(|data| data.join("replay/k8s_covers.json")).filter(|file| file.is_file())
    else {
        skipped("../shared/data/replay/k8s_covers.json");
        return;
    };
    let table: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let (mut covered, mut not) = (0, 0);
    for case in table["tests"].as_array().unwrap() {
        let role = |name: &str, key: &str| object("ClusterRole", "", name, rules(case[key].clone()));
        let objects = [role("owner", "owner"), role("servant", "servant")];
        let loaded = loaded(&objects, Completeness::Complete);
        if loaded.policy.roles.len() < 2 {
            // What the API server would refuse to store never comes to be compared.
            continue;
        }
        let policy = &loaded.policy;
        let of = |name: &str| {
            let name = policy.names.lookup(name);
            let role = policy.roles.iter().find(|role| role.name == name).unwrap();
            policy.rules_of(role).iter().map(|placed| policy.rule(*placed)).collect::<Vec<_>>()
        };
        let (owner, servant) = (of("owner"), of("servant"));
        let lacks: Vec<String> = uncovered(&policy.names, &owner, servant.into_iter(), &policy.names)
            .map(|part| part.to_string())
            .collect();
        assert_eq!(lacks.is_empty(), case["covered"].as_bool().unwrap(), "{case}: {lacks:?}");
        if lacks.is_empty() { covered += 1 } else { not += 1 }
    }
    eprintln!("covers: {covered} covered and {not} not, as recorded");
    assert!(covered > 3 && not > 3);
}

#[test]
fn a_role_may_say_what_its_writer_has() {
    let cluster = amy(json!([writes(), pods(&["get", "list"])]));
    let role = |verbs| [object("Role", "x", "new", rules(json!([pods(verbs)])))];
    assert_eq!(applied(&cluster, &role(&["get"]), Completeness::Complete), [(Ternary::Yes, vec![])]);
    let refused = applied(&cluster, &role(&["get", "delete"]), Completeness::Complete);
    assert_eq!(refused, [(Ternary::No, vec!["delete pods".to_owned()])]);
    // The same in a namespace where she has nothing: the request itself is refused.
    let elsewhere = [object("Role", "y", "new", rules(json!([pods(&["get"])])))];
    assert_eq!(applied(&cluster, &elsewhere, Completeness::Complete), [(Ternary::No, vec![])]);
}

#[test]
fn escalate_by_name_counts_for_a_change_and_not_for_a_post() {
    let escalate = json!({
        "verbs": ["escalate"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"],
        "resourceNames": ["there", "new"],
    });
    let mut cluster = amy(json!([writes(), escalate]));
    cluster.push(object("Role", "x", "there", rules(json!([]))));
    let role = |name: &str| object("Role", "x", name, rules(json!([pods(&["delete"])])));
    let found = applied(&cluster, &[role("there"), role("new")], Completeness::Complete);
    let answers: Vec<Ternary> = found.into_iter().map(|(ternary, _)| ternary).collect();
    assert_eq!(answers, [Ternary::Yes, Ternary::No]);
}

#[test]
fn a_binding_takes_bind_on_its_role_or_all_its_rights() {
    let bind = json!({
        "verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"],
        "resourceNames": ["strong", "ghost"],
    });
    let mut cluster = amy(json!([writes(), bind, pods(&["get"])]));
    cluster.push(object("Role", "x", "strong", rules(json!([pods(&["delete"])]))));
    cluster.push(object("Role", "x", "other", rules(json!([pods(&["delete"])]))));
    cluster.push(object("Role", "x", "weak", rules(json!([pods(&["get"])]))));
    for (role, answer) in [
        ("strong", Ternary::Yes),
        ("other", Ternary::No),
        ("weak", Ternary::Yes),
        // With bind the role need not be there; without it there is nothing to compare.
        ("ghost", Ternary::Yes),
        ("gone", Ternary::No),
    ] {
        let binding = [object("RoleBinding", "x", "new", bound("Role", role))];
        assert_eq!(applied(&cluster, &binding, Completeness::Complete)[0].0, answer, "{role}");
    }
}

#[test]
fn a_binding_may_bring_its_role() {
    let cluster = amy(json!([writes(), pods(&["get"])]));
    let both = [
        object("Role", "x", "new", rules(json!([pods(&["get"])]))),
        object("RoleBinding", "x", "new", bound("Role", "new")),
    ];
    let answers: Vec<Ternary> =
        applied(&cluster, &both, Completeness::Complete).into_iter().map(|(ternary, _)| ternary).collect();
    assert_eq!(answers, [Ternary::Yes, Ternary::Yes]);
}

#[test]
fn an_aggregation_rule_takes_everything() {
    let cluster = [
        object(
            "ClusterRole",
            "",
            "amy",
            rules(json!([
                { "verbs": ["create"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"] },
            ])),
        ),
        object("ClusterRoleBinding", "", "amy", bound("ClusterRole", "amy")),
    ];
    let selectors = json!({ "clusterRoleSelectors": [{ "matchLabels": { "a": "b" } }] });
    let role = [object("ClusterRole", "", "new", json!({ "aggregationRule": selectors, "rules": [] }))];
    let found = applied(&cluster, &role, Completeness::Complete);
    assert_eq!(found, [(Ternary::No, vec!["* *.*".to_owned(), "* *".to_owned()])]);
}

#[test]
fn a_role_outside_the_inputs_may_cover_it() {
    let mut cluster = amy(json!([writes()]));
    cluster.push(object("RoleBinding", "x", "more", bound("Role", "elsewhere")));
    let role = [object("Role", "x", "new", rules(json!([pods(&["get"])])))];
    assert_eq!(applied(&cluster, &role, Completeness::Partial)[0].0, Ternary::Unknown);
    assert_eq!(applied(&cluster, &role, Completeness::Complete)[0].0, Ternary::No);
}
