//! Who can: exactly the recorded subjects, and what goes beyond them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rbacsim::ask::can_i;
use rbacsim::ask::question::{self, Object, Place, Question, Request, Words};
use rbacsim::ask::who_can::{WhoCan, who_can};
use rbacsim::decide::answer::{Answer, Doubt};
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::decide::graph::Principal;
use rbacsim::knowledge::operations;
use rbacsim::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use rbacsim::model::rbac::Scope;
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::model::version::KubernetesVersion;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::Value;

use crate::recorded::{data, skipped, verdict_sets};

fn cluster(text: &str, completeness: Completeness) -> Cluster {
    let input = Input::Text { name: "rbac.yaml".into(), bytes: text.as_bytes().to_vec() };
    let options =
        LoadOptions { defaults: Defaults::Never, completeness: Some(completeness), ..LoadOptions::default() };
    load(&[input], &options).unwrap().into()
}

fn request(spec: &Value) -> Request {
    let resource = &spec["resourceAttributes"];
    if resource.is_null() {
        let url = &spec["nonResourceAttributes"];
        let text = |field: &str| url[field].as_str().unwrap_or_default().to_owned();
        return Request::NonResource { verb: text("verb"), path: text("path") };
    }
    let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
    Request::Resource {
        verb: text("verb"),
        group: text("group"),
        resource: text("resource"),
        subresource: text("subresource"),
        name: text("name"),
        namespace: text("namespace"),
    }
}

type Row = (String, String, String);

/// Those who may whatever the object is called.
fn rows(found: &WhoCan<'_>) -> Vec<Row> {
    found
        .subjects
        .iter()
        .filter(|can| can.names.is_none())
        .map(|can| (can.subject.kind.to_owned(), can.subject.namespace.clone(), can.subject.name.clone()))
        .collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn exactly_the_recorded_subjects() {
    let sets = verdict_sets();
    if sets.is_empty() {
        skipped("../shared/data/verdicts");
        return;
    }
    let (mut cases, mut subjects, mut only_masters, mut defaulted) = (0, 0, 0, 0);
    for (name, set) in &sets {
        let cluster = super::recorded::cluster(set["objects"]["items"].as_array().unwrap());
        for case in set["cases"].as_array().unwrap() {
            let Some(recorded) = case["subjects"].as_array() else { continue };
            let request = request(&case["spec"]);
            let namespace = case["spec"]["resourceAttributes"]["namespace"].as_str().unwrap_or_default();
            let mut expected: BTreeSet<Row> = BTreeSet::new();
            for row in recorded {
                let text = |index: usize| row[index].as_str().unwrap_or_default().to_owned();
                let mut row = (text(0), text(1), text(2));
                // Upstream repeats what the binding says; a service account without a namespace is in the
                // binding's, and only bindings of this namespace leave it out.
                if row.0 == "ServiceAccount" && row.1.is_empty() {
                    namespace.clone_into(&mut row.1);
                    defaulted += 1;
                }
                expected.insert(row);
            }
            let found = who_can(&cluster, &Question::of_request(request));
            let rows = rows(&found);
            assert_eq!(rows[0], ("Group".into(), String::new(), "system:masters".into()));
            let distinct: BTreeSet<Row> = rows.iter().cloned().collect();
            assert_eq!(distinct.len(), rows.len(), "{name}: no subject twice");
            assert_eq!(distinct, expected, "{name}: {case}");
            for can in found.subjects.iter().skip(1) {
                assert!(!can.grants.is_empty(), "{name}: {:?} without a grant", can.subject);
            }
            cases += 1;
            subjects += expected.len();
            only_masters += usize::from(expected.len() == 1);
        }
    }
    assert!(cases > 1000 && only_masters > 300 && cases - only_masters > 300);
    eprintln!(
        "who-can: {cases} cases with {subjects} subjects agree, {only_masters} of them with system:masters alone, {defaulted} service accounts without namespace"
    );
}

/// Whom the words of a question find, as `Kind:name`.
fn who(cluster: &Cluster, words: &Words<'_>) -> Vec<String> {
    let question = question::read(words, cluster).unwrap();
    let found = who_can(cluster, &question);
    names(&found)
}

fn names(found: &WhoCan<'_>) -> Vec<String> {
    let spell = |(kind, namespace, name): Row| match namespace.as_str() {
        "" => format!("{kind}:{name}"),
        _ => format!("{kind}:{namespace}/{name}"),
    };
    rows(found).into_iter().skip(1).map(spell).collect()
}

#[test]
fn the_integration_test_of_kubectl_who_can() {
    let Some(data) = data() else {
        skipped("../shared/data/replay");
        return;
    };
    let text = std::fs::read_to_string(data.join("replay/who_can_integration.yaml")).unwrap();
    let file: Value = serde_yaml::from_str(&text).unwrap();
    let cluster = cluster(file["manifests"].as_str().unwrap(), Completeness::Complete);
    let ask = |case: &Value| {
        let asked = &case["who_can"];
        let text = |field: &str| asked[field].as_str().unwrap_or_default().to_owned();
        let target = match (text("path"), text("name")) {
            (path, _) if !path.is_empty() => path,
            (_, name) if !name.is_empty() => format!("{}/{name}", text("resource")),
            _ => text("resource"),
        };
        let (verb, namespace) = (text("verb"), text("namespace"));
        who(
            &cluster,
            &Words {
                verb: verb.as_str().into(),
                target: &target,
                subresource: asked["subresource"].as_str(),
                namespace: Some(&namespace),
                all_namespaces: false,
                ..Words::default()
            },
        )
    };
    let (mut expected, mut refused) = (0, 0);
    for case in file["expect"].as_array().unwrap() {
        let found = ask(case);
        for via in case["via"].as_array().unwrap() {
            let subject = via["subject"].as_str().unwrap();
            assert!(found.iter().any(|one| one == subject), "{case}: {found:?}");
            expected += 1;
        }
    }
    for case in file["derived_negatives"].as_array().unwrap() {
        let found = ask(case);
        for subject in case["not"].as_array().unwrap() {
            assert!(!found.iter().any(|one| one == subject.as_str().unwrap()), "{case}: {found:?}");
            refused += 1;
        }
    }
    assert!(expected >= 7 && refused >= 4, "{expected} and {refused}");
}

const EXEC: &str = r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: exec}, rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: read}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: exec, namespace: prod}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: exec}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ops}, {kind: ServiceAccount, name: bot}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: read, namespace: prod}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ghost}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: not-here}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: casper}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - {rolearn: "arn:aws:iam::111122223333:role/ops", username: "ops:{{SessionName}}", groups: [ops]}
    - {rolearn: "arn:aws:iam::111122223333:role/view", username: "view", groups: [readers]}
    - {rolearn: "arn:aws:iam::111122223333:role/admin", username: "admin", groups: ["system:masters"]}
"#;

fn place(namespace: &str, all: bool) -> Place {
    if all { Place::AllNamespaces } else { Place::Namespace(namespace.to_owned()) }
}

/// A plan as a question about objects of the core group.
fn question_of(plan: &operations::Plan, resource: &str, name: &str, namespace: &str, all: bool) -> Question {
    let object = Object { resource: resource.to_owned(), name: name.to_owned(), ..Object::default() };
    Question::of_plan(plan, object, place(namespace, all), Some(resource != "nodes"))
}

fn operation<'g>(cluster: &'g Cluster, verb: &str, namespace: &str, all: bool) -> WhoCan<'g> {
    let target =
        operations::Target { group: "", resource: "pods", name: None, subresource: None, namespaced: true };
    let plan = operations::plan(verb, &target, KubernetesVersion::NEWEST).unwrap();
    who_can(cluster, &question_of(&plan, "pods", "", namespace, all))
}

fn arns(found: &WhoCan<'_>) -> Vec<String> {
    found.identities.iter().map(|can| can.arn.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn an_operation_is_asked_of_each_subject_and_of_whole_identities() {
    let cluster = cluster(EXEC, Completeness::Complete);
    let found = operation(&cluster, "exec", "prod", false);
    assert_eq!(names(&found), ["Group:ops", "ServiceAccount:prod/bot"]);
    assert_eq!(arns(&found), ["ops", "admin"]);
    let through = &found.identities[0].through;
    assert_eq!(found.subjects[through[0]].subject.name, "ops");
    assert!(names(&operation(&cluster, "exec", "dev", false)).is_empty());
}

#[test]
fn all_namespaces_at_once_and_single_ones_besides() {
    let cluster = cluster(EXEC, Completeness::Complete);
    let found = operation(&cluster, "exec", "", true);
    assert!(names(&found).is_empty());
    let single: Vec<_> =
        found.in_namespaces.iter().map(|can| (can.subject.name.as_str(), can.namespaces.join(","))).collect();
    assert_eq!(single, [("ops", "prod".to_owned()), ("bot", "prod".to_owned())]);
    assert_eq!(arns(&found), ["admin"]);
    assert_eq!(found.identities_in.len(), 1);
    assert_eq!(found.identities_in[0].1, ["prod"]);
}

#[test]
fn a_missing_role_is_listed_apart_where_it_may_exist() {
    let words = Words { verb: "delete".into(), target: "nodes", ..Words::default() };
    for (completeness, expected, apart) in
        [(Completeness::Partial, Ternary::Unknown, 1), (Completeness::Complete, Ternary::No, 0)]
    {
        let cluster = cluster(EXEC, completeness);
        let question = question::read(&words, &cluster).unwrap();
        let found = who_can(&cluster, &question);
        assert_eq!(found.unresolved.len(), apart);
        // That an ARN of `system:masters` can does not make it somebody else.
        assert_eq!(found.ternary(), expected);
        assert_eq!(arns(&found), ["admin"]);
        assert!(names(&found).is_empty());
    }
    let without_identities =
        EXEC.split("\napiVersion: v1").next().unwrap().trim_end().trim_end_matches("---");
    for (completeness, expected) in
        [(Completeness::Partial, Ternary::Unknown), (Completeness::Complete, Ternary::No)]
    {
        let cluster = cluster(without_identities, completeness);
        let question = question::read(&words, &cluster).unwrap();
        let found = who_can(&cluster, &question);
        assert_eq!(found.ternary(), expected, "{completeness:?}");
    }
}

#[test]
fn a_subject_that_needs_the_groups_everybody_has() {
    let text = r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: list}, rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, delete]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: drain}, rules: [{apiGroups: [""], resources: [nodes], verbs: [get, patch]}, {apiGroups: [""], resources: [pods/eviction], verbs: [create]}, {apiGroups: [apps], resources: [daemonsets], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: all}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: list}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: one}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: drain}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]}
"#;
    let cluster = cluster(text, Completeness::Complete);
    let target = operations::Target {
        group: "",
        resource: "nodes",
        name: Some("n"),
        subresource: None,
        namespaced: false,
    };
    let plan = operations::plan("drain", &target, KubernetesVersion::NEWEST).unwrap();
    let found = who_can(&cluster, &question_of(&plan, "nodes", "n", "default", false));
    assert_eq!(names(&found), ["User:alice"]);
}

/// Many small bindings, each of some subjects to some role, in many namespaces and in the cluster.
fn crowd() -> String {
    let rules = [
        r#"{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}"#,
        r#"{apiGroups: [""], resources: [pods/exec, pods/portforward], verbs: [create, get]}"#,
        r#"{apiGroups: [""], resources: ["*"], verbs: [get, patch, delete], resourceNames: [web]}"#,
        r#"{apiGroups: ["*"], resources: [pods, pods/log], verbs: ["*"]}"#,
    ];
    let api = "apiVersion: rbac.authorization.k8s.io/v1, kind:";
    let mut text = String::new();
    for role in 1..16usize {
        let of: Vec<&str> = (0..4).filter(|bit| role >> bit & 1 == 1).map(|bit| rules[bit]).collect();
        writeln!(text, "{{{api} ClusterRole, metadata: {{name: r{role}}}, rules: [{}]}}\n---", of.join(", "))
            .unwrap();
    }
    let subjects = [
        "{kind: Group, name: a}",
        "{kind: Group, name: \"system:authenticated\"}",
        "{kind: Group, name: \"system:masters\"}",
        "{kind: User, name: b}",
        "{kind: User, name: \"system:serviceaccount:n1:s\"}",
        "{kind: ServiceAccount, name: s, namespace: n1}",
        "{kind: Group, name: \"system:serviceaccounts:n1\"}",
    ];
    for number in 0..120usize {
        // A few bindings name a role that is not there.
        let role = number * 7 % 16;
        let of: Vec<&str> =
            (0..3).map(|step| subjects[(number * 5 + step * number) % subjects.len()]).collect();
        let (kind, place) = match number % 40 {
            39 => ("ClusterRoleBinding", String::new()),
            namespace => ("RoleBinding", format!(", namespace: n{namespace}")),
        };
        writeln!(text, "{{{api} {kind}, metadata: {{name: b{number}{place}}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r{role}}}, subjects: [{}]}}\n---", of.join(", ")).unwrap();
    }
    text
}

#[test]
fn asking_for_single_namespaces_is_asking_in_each() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/quickstart");
    let quickstart: Cluster = load(&[Input::Path(path)], &LoadOptions::default()).unwrap().into();
    let (mut somebody, mut nobody) = (0, 0);
    for cluster in
        [&quickstart, &cluster(&crowd(), Completeness::Partial), &cluster(EXEC, Completeness::Complete)]
    {
        for verb in ["exec", "logs", "get", "delete", "edit", "port-forward"] {
            let target = operations::Target {
                group: "",
                resource: "pods",
                name: None,
                subresource: None,
                namespaced: true,
            };
            let plan = operations::plan(verb, &target, KubernetesVersion::NEWEST).ok();
            let request = |namespace: &str| Request::Resource {
                verb: verb.into(),
                group: String::new(),
                resource: "pods".into(),
                subresource: String::new(),
                name: String::new(),
                namespace: namespace.into(),
            };
            let ask = |namespace: &str, all: bool| -> WhoCan<'_> {
                let mut question = match &plan {
                    Some(plan) => question_of(plan, "pods", "", namespace, all),
                    None => Question::of_request(request(namespace)),
                };
                question.place = place(namespace, all);
                who_can(cluster, &question)
            };
            let all = ask("", true);
            let everywhere: BTreeSet<Row> = rows(&all).into_iter().collect();
            for namespace in cluster.namespaces() {
                // Whom a binding in the namespace gives a part of it.
                let here: BTreeSet<Row> = ask(namespace, false)
                    .subjects
                    .iter()
                    .filter(|can| {
                        can.names.is_none()
                            && can.grants.iter().any(|grant| grant.applied.binding.scope != Scope::Cluster)
                    })
                    .map(|can| {
                        (can.subject.kind.to_owned(), can.subject.namespace.clone(), can.subject.name.clone())
                    })
                    .filter(|row| !everywhere.contains(row))
                    .collect();
                let found: BTreeSet<Row> = all
                    .in_namespaces
                    .iter()
                    .filter(|can| can.names.is_none() && can.namespaces.contains(&namespace))
                    .map(|can| {
                        (can.subject.kind.to_owned(), can.subject.namespace.clone(), can.subject.name.clone())
                    })
                    .collect();
                assert_eq!(found, here, "{verb} in {namespace}");
                somebody += found.len();
                nobody += usize::from(found.is_empty());
            }
        }
    }
    assert!(somebody > 200 && nobody > 50, "{somebody} and {nobody}");
}

/// Access by name: who may for some objects is listed with their names, and never counts for others.
#[test]
fn who_may_for_some_names_is_listed_with_them() {
    let api = "apiVersion: rbac.authorization.k8s.io/v1, kind:";
    let text = format!(
        r#"
{{{api} ClusterRole, metadata: {{name: one}}, rules: [{{apiGroups: [""], resources: [secrets], verbs: [get, list], resourceNames: [db, web]}}]}}
---
{{{api} ClusterRole, metadata: {{name: shell}}, rules: [{{apiGroups: [""], resources: [pods/exec], verbs: [create], resourceNames: [web-0]}}]}}
---
{{{api} ClusterRole, metadata: {{name: space}}, rules: [{{apiGroups: [""], resources: [namespaces], verbs: [delete]}}]}}
---
{{{api} RoleBinding, metadata: {{name: one, namespace: prod}}, roleRef: {{kind: ClusterRole, name: one}}, subjects: [{{kind: User, name: alice}}]}}
---
{{{api} RoleBinding, metadata: {{name: shell, namespace: prod}}, roleRef: {{kind: ClusterRole, name: shell}}, subjects: [{{kind: User, name: alice}}]}}
---
{{{api} RoleBinding, metadata: {{name: space, namespace: prod}}, roleRef: {{kind: ClusterRole, name: space}}, subjects: [{{kind: User, name: bob}}]}}
"#
    );
    let cluster = cluster(&text, Completeness::Complete);
    let ask = |verb: &str, target: &str, all_namespaces: bool| {
        let namespace = if all_namespaces { None } else { Some("prod") };
        let words =
            Words { verb: verb.to_owned().into(), target, namespace, all_namespaces, ..Words::default() };
        who_can(&cluster, &question::read(&words, &cluster).unwrap())
    };
    let by_name = |found: &WhoCan<'_>| -> Vec<String> {
        let limited = found.subjects.iter().filter_map(|can| Some((&can.subject, can.names.as_ref()?)));
        limited.map(|(subject, names)| format!("{} {}", subject.name, names.join(","))).collect()
    };
    for (verb, target, expected) in [
        ("get", "secrets", &["alice db,web"][..]),
        ("create", "pods/exec", &["alice web-0"]),
        ("exec", "pods", &["alice web-0"]),
        ("delete", "namespaces", &["bob prod"]),
        // These requests carry no name of themselves.
        ("list", "secrets", &[]),
        ("create", "secrets", &[]),
        ("get", "secrets/other", &[]),
        ("delete", "namespaces/other", &[]),
    ] {
        let found = ask(verb, target, false);
        assert_eq!(by_name(&found), expected, "{verb} {target}");
        assert!(rows(&found).len() == 1, "{verb} {target}: only system:masters may for any name");
        let ternary = if expected.is_empty() { Ternary::No } else { Ternary::Yes };
        assert_eq!(found.ternary(), ternary, "{verb} {target}");
    }
    let found = ask("get", "secrets", true);
    let single: Vec<_> = found
        .in_namespaces
        .iter()
        .map(|can| (can.subject.name.as_str(), can.namespaces.join(","), can.names.clone()))
        .collect();
    let names = Some(vec!["db".to_owned(), "web".to_owned()]);
    assert_eq!(single, [("alice", "prod".to_owned(), names)]);
}

#[test]
fn a_binding_that_names_somebody_twice_grants_once() {
    let text = r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: read}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}, {apiGroups: [""], resources: [pods], verbs: [get, list]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: read, namespace: prod}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read}, subjects: [{kind: User, name: a}, {kind: User, name: b}, {kind: User, name: b}, {kind: User, name: a}]}
"#;
    let cluster = cluster(text, Completeness::Complete);
    let words = Words { verb: "get".into(), target: "pods", all_namespaces: true, ..Words::default() };
    let question = question::read(&words, &cluster).unwrap();
    let found = who_can(&cluster, &question);
    let granted: Vec<_> = found
        .in_namespaces
        .iter()
        .map(|can| {
            let grants: Vec<_> = can.grants.iter().map(|grant| (grant.subject, grant.rule)).collect();
            (can.subject.name.as_str(), grants)
        })
        .collect();
    assert_eq!(granted, [("a", vec![(0, 0), (0, 1)]), ("b", vec![(1, 0), (1, 1)])]);
}

/// Whom a template could be is looked for among the names that begin like it, however short its beginning is.
#[test]
fn a_session_could_be_whoever_begins_like_its_template() {
    let mut text = r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: read}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: read}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read}, subjects: [{kind: User, name: "d:alice"}, {kind: User, name: "team-x:bob"}, {kind: Group, name: "squad:carol"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
"#
    .to_owned();
    let mappings = [
        ("short", "d:{{SessionName}}", "x"),
        ("long", "team-x:{{SessionName}}", "x"),
        ("none", "team-y:{{SessionName}}", "x"),
        ("group", "fixed", "squad:{{SessionName}}"),
        ("short-group", "fixed-too", "s{{SessionName}}"),
    ];
    for (role, username, group) in mappings {
        writeln!(text, "    - {{rolearn: \"arn:aws:iam::111122223333:role/{role}\", username: \"{username}\", groups: [\"{group}\"]}}").unwrap();
    }
    let cluster = cluster(&text, Completeness::Complete);
    let words = Words { verb: "get".into(), target: "pods", namespace: Some("prod"), ..Words::default() };
    let question = question::read(&words, &cluster).unwrap();
    let found = who_can(&cluster, &question);
    let unknown: Vec<_> =
        found.unknown_identities.iter().map(|can| can.arn.rsplit('/').next().unwrap()).collect();
    // `squad:carol` begins with `s`, but no session is named `quad:carol`.
    assert_eq!(unknown, ["short", "long", "group"]);
}

/// What the requests of a test come to, without reasons and with them.
#[derive(Default)]
struct Compared {
    /// How many answers were no, yes and unknown.
    counts: [usize; 3],
    /// The doubts that alone made an answer unknown, by name.
    alone: BTreeSet<String>,
}

impl Compared {
    fn count(&mut self, answer: &Answer<'_>) {
        let ternary = answer.ternary;
        let index = usize::from(ternary == Ternary::Yes) + 2 * usize::from(ternary == Ternary::Unknown);
        self.counts[index] += 1;
        let name = |doubt: &Doubt<'_>| match doubt {
            Doubt::MissingRole(applied) if applied.role.is_some() => "AggregatesNothing".to_owned(),
            doubt => format!("{doubt:?}").split(['(', ' ']).next().unwrap().to_owned(),
        };
        let names: BTreeSet<String> = answer.doubts.iter().map(name).collect();
        if names.len() == 1 {
            self.alone.extend(names);
        }
    }

    fn request(&mut self, cluster: &Cluster, who: &Who, attributes: &Attributes<'_>) {
        let long = cluster.answer(who, attributes);
        self.count(&long);
        assert_eq!(cluster.ternary(who, attributes), long.ternary, "{attributes} for {who:?}");
        let long = cluster.answer_for_type(who, attributes);
        self.count(&long);
        assert_eq!(cluster.ternary_for_type(who, attributes), long.ternary, "{attributes} for {who:?}");
    }

    fn operation(&mut self, cluster: &Cluster, who: &Who, plan: &operations::Plan, namespace: &str) {
        let question = question_of(plan, "pods", "", namespace, false);
        let long = can_i::answer(cluster, who, &question, None);
        for (part, answer) in question.parts.iter().zip(&long.answers) {
            self.request(cluster, who, &part.attributes(None));
            self.count(answer);
        }
        let short = can_i::ternary(cluster, who, &question, None);
        assert_eq!(short, long.ternary, "{} in {namespace} for {who:?}", plan.operation);
        // Asked in another namespace it is the question of that namespace.
        let moved =
            can_i::ternary(cluster, who, &question_of(plan, "pods", "", "elsewhere", false), Some(namespace));
        assert_eq!(moved, short, "{} moved to {namespace} for {who:?}", plan.operation);
    }

    /// Operations on types that everybody knows and on one that nobody does, and a few requests.
    fn everything(&mut self, cluster: &Cluster, askers: &[Who], namespaces: &[&str]) {
        let plan = |verb: &str, resource: &str| {
            let namespaced = resource != "nodes";
            let target =
                operations::Target { group: "", resource, name: None, subresource: None, namespaced };
            operations::plan(verb, &target, KubernetesVersion::NEWEST).ok()
        };
        let plans = [
            ("exec", "pods"),
            ("edit", "pods"),
            ("logs", "pods"),
            ("drain", "nodes"),
            ("delete", "pods"),
            ("edit", "widgets"),
        ];
        let plans: Vec<_> = plans.iter().filter_map(|(verb, resource)| plan(verb, resource)).collect();
        for who in askers {
            for namespace in namespaces {
                for plan in &plans {
                    self.operation(cluster, who, plan, namespace);
                }
                for (verb, resource) in [("get", "pods"), ("get", "widgets"), ("get", "widget"), ("get", "*")]
                {
                    let asked = ResourceAttributes {
                        verb,
                        group: "",
                        resource,
                        subresource: "",
                        name: "",
                        namespace,
                    };
                    self.request(cluster, who, &Attributes::Resource(asked));
                }
            }
            let url = NonResourceAttributes { verb: "get", path: "/metrics" };
            self.request(cluster, who, &Attributes::NonResource(url));
        }
    }
}

/// `can-i --namespaces` asks for answers without reasons: they are those of the answers with them.
#[test]
fn answers_without_reasons_are_the_answers() {
    let api = "apiVersion: rbac.authorization.k8s.io/v1, kind:";
    let mut text = crowd();
    // A type that no catalogue has, and a role that is made of others, none of which is there.
    writeln!(
        text,
        r#"{{{api} ClusterRole, metadata: {{name: custom}}, rules: [{{apiGroups: [shop.example.com], resources: [widgets], verbs: [get, patch]}}]}}
---
{{{api} ClusterRole, metadata: {{name: sum}}, aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{sum: "yes"}}}}]}}, rules: []}}
---
{{{api} ClusterRole, metadata: {{name: named}}, rules: [{{apiGroups: ["", apps], resources: [nodes, pods, daemonsets], verbs: ["*"]}}, {{apiGroups: [""], resources: [pods/eviction], verbs: [create], resourceNames: [web]}}]}}
---
{{{api} ClusterRoleBinding, metadata: {{name: named}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: named}}, subjects: [{{kind: User, name: nat}}]}}
---
{{{api} ClusterRoleBinding, metadata: {{name: lost}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: lost}}, subjects: [{{kind: User, name: lou}}]}}
---
{{{api} RoleBinding, metadata: {{name: custom, namespace: n7}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: custom}}, subjects: [{{kind: User, name: uma}}, {{kind: Group, name: shop}}]}}
---
{{{api} RoleBinding, metadata: {{name: sum, namespace: n7}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sum}}, subjects: [{{kind: User, name: ada}}]}}
---
{{{api} ClusterRoleBinding, metadata: {{name: sum}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sum}}, subjects: [{{kind: Group, name: sums}}]}}
---"#
    )
    .unwrap();
    let mappings = [
        ("sure", "b", "a"),
        ("session", "system:serviceaccount:{{SessionName}}:s", "nobody"),
        ("any", "{{SessionName}}", "nobody"),
        ("node", "system:node:{{EC2PrivateDNSName}}", "system:nodes"),
        ("group", "fixed", "{{SessionName}}"),
        ("sums", "fixed", "sums"),
        ("unfilled-user", "${TEAM}", "nobody"),
        ("unfilled-part", "u${REST}", "nobody"),
        ("unfilled-group", "fixed", "sh{{ .Values.rest }}"),
        ("unfilled-masters", "fixed", "${GROUP}"),
        ("unfilled-and-session", "{{SessionName}}", "${GROUP}"),
        ("unfilled-in-vain", "fixed", "nobody-${GROUP}"),
        ("${NAME}-late", "b", "a"),
    ];
    let mut aws_auth = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata:\n  mapRoles: |\n".to_owned();
    for (role, username, group) in mappings {
        writeln!(aws_auth, "    - {{rolearn: \"arn:aws:iam::111122223333:role/{role}\", username: \"{username}\", groups: [\"{group}\"]}}").unwrap();
    }
    let whole = text.clone() + &aws_auth;
    let unrendered = whole.clone() + "  mapUsers: |\n    ${USERS}\n";
    let unread = whole.clone() + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: [\n";
    let mut compared = Compared::default();
    for text in [text, whole, unrendered, unread] {
        for completeness in [Completeness::Partial, Completeness::Complete] {
            let cluster = cluster(&text, completeness);
            let arn = |role: &str| cluster.identify(&format!("arn:aws:iam::111122223333:role/{role}"), None);
            let mut askers: Vec<Who> = mappings.iter().map(|(role, ..)| arn(role)).collect();
            askers.extend(["unknown", "very-late"].map(arn));
            askers.push(Who::user(UserInfo::authenticated("b", ["a"])));
            askers.extend(
                ["uma", "ada", "nat", "lou", "u"].map(|name| Who::user(UserInfo::authenticated(name, ["x"]))),
            );
            compared.everything(&cluster, &askers, &["", "n1", "n7", "n38", "far"]);
        }
    }
    assert!(compared.counts.iter().all(|count| *count > 20), "{:?}", compared.counts);
    let alone: Vec<&str> = compared.alone.iter().map(String::as_str).collect();
    let expected = [
        "AggregatesNothing",
        "MissingRole",
        "NoIdentity",
        "NodeAuthorizer",
        "OtherType",
        "Session",
        "SomeNames",
        "SomeNamespaces",
        "Unfilled",
        "UnfilledName",
        "Unread",
        "Unrendered",
    ];
    assert_eq!(alone, expected);
}

#[test]
fn answers_without_reasons_are_the_answers_of_every_scenario() {
    let mut compared = Compared::default();
    for folder in std::fs::read_dir("testdata/scenarios").unwrap() {
        let files = std::fs::read_dir(folder.unwrap().path()).unwrap().map(|file| file.unwrap().path());
        let mut inputs: Vec<_> = files.filter(|path| !path.ends_with("cases.yaml")).collect();
        inputs.sort();
        let inputs: Vec<Input> = inputs.into_iter().map(Input::Path).collect();
        for completeness in [Completeness::Partial, Completeness::Complete] {
            let options = LoadOptions { completeness: Some(completeness), ..LoadOptions::default() };
            let cluster: Cluster = load(&inputs, &options).unwrap().into();
            let names = &cluster.graph().policy().names;
            let mut askers: Vec<Who> = cluster
                .identities()
                .identities()
                .map(|identity| cluster.identify(identity.arn, None))
                .collect();
            askers.push(cluster.identify("arn:aws:iam::999988887777:role/far", None));
            let users = cluster.graph().principals().map(|principal| match principal {
                Principal::Username(name) => UserInfo::authenticated(names.text(name), ["x"]),
                Principal::Group(name) => UserInfo::authenticated("x", [names.text(name)]),
                Principal::Caller(arn) => UserInfo::authenticated("x", ["x"]).logged_in_as(names.text(arn)),
            });
            askers.extend(users.take(12).map(Who::user));
            let mut namespaces = cluster.namespaces();
            namespaces.truncate(2);
            namespaces.extend(["", "far"]);
            compared.everything(&cluster, &askers, &namespaces);
        }
    }
    assert!(compared.counts.iter().all(|count| *count > 100), "{:?}", compared.counts);
    assert!(compared.alone.contains("RandomMapping"), "{:?}", compared.alone);
}

const UNSURE: &str = r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: custom}, rules: [{apiGroups: [shop.example.com], resources: [widgets], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: custom}, subjects: [{kind: User, name: uma}]}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: aws-auth, namespace: kube-system}, data: {mapUsers: '[{"userarn": "arn:aws:iam::111122223333:user/uma", "username": "uma"}]'}}
"#;

#[test]
fn a_type_that_nobody_knows_may_be_one_of_which_rules_speak() {
    let cluster = cluster(UNSURE, Completeness::Complete);
    for (target, unclear) in [("widgets", 1), ("widget", 1), ("gadgets", 0), ("pods", 0)] {
        let words = Words { verb: "get".into(), target, ..Words::default() };
        let question = question::read(&words, &cluster).unwrap();
        let found = who_can(&cluster, &question);
        assert_eq!(
            (found.unknown_subjects.len(), found.unknown_identities.len()),
            (unclear, unclear),
            "{target}"
        );
        let expected = if unclear > 0 { Ternary::Unknown } else { Ternary::No };
        assert_eq!(found.ternary(), expected, "{target}");
    }
}

#[test]
fn a_document_that_cannot_be_read_makes_nobody_unknown() {
    // Without the identity, of whom it cannot be told either.
    let (objects, _) = UNSURE.rsplit_once("---").unwrap();
    let text = objects.to_owned() + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: [";
    let cluster = cluster(&text, Completeness::Complete);
    for (verb, target, expected) in [
        ("delete", "pods", Ternary::Unknown),
        ("get", "/metrics", Ternary::Unknown),
        ("get", "widgets.shop.example.com", Ternary::Yes),
    ] {
        let words = Words { verb: verb.into(), target, ..Words::default() };
        let question = question::read(&words, &cluster).unwrap();
        let found = who_can(&cluster, &question);
        assert_eq!(found.ternary(), expected, "{verb} {target}");
    }
}

#[test]
fn a_role_that_aggregates_nothing_is_listed_apart_where_it_may_exist() {
    let text = std::fs::read_to_string("testdata/scenarios/aggregation-of-nothing/rbac.yaml").unwrap();
    for (completeness, apart, expected) in
        [(Completeness::Partial, 1, Ternary::Unknown), (Completeness::Complete, 0, Ternary::No)]
    {
        let cluster = cluster(&text, completeness);
        let words = Words { verb: "get".into(), target: "pods", ..Words::default() };
        let question = question::read(&words, &cluster).unwrap();
        let found = who_can(&cluster, &question);
        assert_eq!((found.unresolved.len(), found.ternary()), (apart, expected));
    }
}

/// In the list for people an unread document stands once, not again with each identity that it makes unknown.
#[test]
fn an_unread_document_is_told_once() {
    let unread = UNSURE.to_owned() + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: [";
    let cluster = cluster(&unread, Completeness::Complete);
    let words = Words { verb: "delete".into(), target: "pods", ..Words::default() };
    let question = question::read(&words, &cluster).unwrap();
    let found = who_can(&cluster, &question);
    assert_eq!(
        (found.unknown_identities.len(), found.unresolved.len(), found.unknown_subjects.len()),
        (1, 0, 0)
    );
    let mut out = Vec::new();
    rbacsim::report::who_can::text(&mut out, &cluster, "delete pods", &found).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("a document could not be read").count(), 1, "{text}");
}

// The table for people.

#[test]
fn the_table_names_everyone_whom_json_names_and_the_names_to_which_access_is_limited() {
    let text = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: one}
rules: [{apiGroups: [''], resources: [secrets], resourceNames: [db, tls], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
subjects: [{kind: ServiceAccount, name: app, namespace: prod}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: one, namespace: prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: one}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}]
";
    let table = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rbacsim"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rbac.yaml"), text).unwrap();
        command.arg("who-can").args(words).args(["--defaults", "never", "-f"]).arg(folder.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = table(&["get", "secrets", "-n", "prod"]).lines().map(words).collect();
    for row in [
        "WHO WHERE THROUGH",
        "Group system:masters everywhere bypasses RBAC",
        "Group readers, only named db, tls prod RoleBinding prod/one (ClusterRole one)",
        "ServiceAccount prod/app everywhere ClusterRoleBinding all (ClusterRole all)",
    ] {
        assert!(lines.iter().any(|line| line == row), "{row}: {lines:#?}");
    }
    let everywhere = table(&["get", "secrets", "-A"]);
    assert!(everywhere.contains("; 1 subject only in some namespaces"), "{everywhere}");
    assert!(table(&["get", "secrets", "-n", "prod", "-o", "wide"]).contains("rule 1: get on secrets"));
}

#[test]
fn the_table_has_iam_identities_beside_those_whose_grants_they_use_and_policies_with_their_scope() {
    let table = |words: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["who-can", "create", "pods", "--exclude-system"])
            .args(words)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect::<Vec<_>>()
    };
    let has =
        |lines: &[String], row: &str| assert!(lines.iter().any(|line| line == row), "{row}: {lines:#?}");
    let quickstart = table(&["-A", "-f", "testdata/quickstart"]);
    has(
        &quickstart,
        "Group developers staging RoleBinding staging/developers (ClusterRole edit) role/dev, role/oncall",
    );
    assert!(
        quickstart[0].ends_with("; 1 subject and 2 IAM identities only in some namespaces"),
        "{}",
        quickstart[0]
    );
    let entry = "cluster: {name: shop, accessConfig: {authenticationMode: API}}
---
accessEntry: {clusterName: shop, principalArn: \"arn:aws:iam::111122223333:role/dev\", username: dev, kubernetesGroups: [], type: STANDARD}
---
clusterName: shop
principalArn: \"arn:aws:iam::111122223333:role/dev\"
associatedAccessPolicies:
- {policyArn: \"arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy\", accessScope: {type: namespace, namespaces: [prod]}}
";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("entry.yaml"), entry).unwrap();
    let path = folder.path().to_str().unwrap();
    for scope in [&["-n", "prod"][..], &["-A"]] {
        let lines = table(&[scope, &["-f", path]].concat());
        has(&lines, "User dev prod association of AmazonEKSEditPolicy with namespace prod role/dev");
    }
    // Beside what a group of it has, what its own policy allows stays in sight.
    let bound = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: staging}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: dev}]
";
    std::fs::write(folder.path().join("rbac.yaml"), bound).unwrap();
    let both = table(&["-A", "-f", path]);
    has(&both, "User dev staging RoleBinding staging/b (ClusterRole edit) role/dev");
    has(&both, "User dev prod association of AmazonEKSEditPolicy with namespace prod role/dev");
    let wide = table(&["-A", "-o", "wide", "-f", path]);
    assert!(wide.iter().any(
        |line| line.starts_with("association of `AmazonEKSEditPolicy`") && line.ends_with("entry.yaml:8")
    ));
}
