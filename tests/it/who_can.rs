//! Who can: exactly the recorded subjects, and what goes beyond them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rbacsim::cluster::{Cluster, Who};
use rbacsim::load::{Completeness, Defaults, Input, LoadOptions, load};
use rbacsim::operations;
use rbacsim::question::{self, Request, Words};
use rbacsim::rbac::Scope;
use rbacsim::steps;
use rbacsim::ternary::Ternary;
use rbacsim::user::UserInfo;
use rbacsim::version::KubernetesVersion;
use rbacsim::who_can::{Ask, WhoCan, who_can};
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

fn rows(found: &WhoCan<'_>) -> Vec<Row> {
    found
        .subjects
        .iter()
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
            let found = who_can(&cluster, &Ask::Request(&request), false);
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
    let question = question::read(words, cluster.catalogue()).unwrap();
    let found = who_can(cluster, &Ask::Request(&question.request), false);
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
                verb: &verb,
                target: &target,
                subresource: asked["subresource"].as_str(),
                namespace: Some(&namespace),
                all_namespaces: false,
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

fn operation<'g>(cluster: &'g Cluster, verb: &str, namespace: &str, all: bool) -> WhoCan<'g> {
    let target =
        operations::Target { group: "", resource: "pods", name: None, subresource: None, namespaced: true };
    let plan = operations::plan(verb, &target, KubernetesVersion::NEWEST).unwrap();
    who_can(cluster, &Ask::Operation { plan: &plan, name: "", namespace }, all)
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
    let words = Words { verb: "delete", target: "nodes", ..Words::default() };
    for (completeness, expected, apart) in
        [(Completeness::Partial, Ternary::Yes, 1), (Completeness::Complete, Ternary::Yes, 0)]
    {
        let cluster = cluster(EXEC, completeness);
        let question = question::read(&words, cluster.catalogue()).unwrap();
        let found = who_can(&cluster, &Ask::Request(&question.request), false);
        assert_eq!(found.untold.len(), apart);
        // The ARN of `system:masters` can.
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
        let question = question::read(&words, cluster.catalogue()).unwrap();
        let found = who_can(&cluster, &Ask::Request(&question.request), false);
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
    let found = who_can(&cluster, &Ask::Operation { plan: &plan, name: "n", namespace: "default" }, false);
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
                match &plan {
                    Some(plan) => who_can(cluster, &Ask::Operation { plan, name: "", namespace }, all),
                    None => who_can(cluster, &Ask::Request(&request(namespace)), all),
                }
            };
            let all = ask("", true);
            let everywhere: BTreeSet<Row> = rows(&all).into_iter().collect();
            for namespace in cluster.namespaces() {
                // Whom a binding in the namespace gives a part of it.
                let here: BTreeSet<Row> = ask(namespace, false)
                    .subjects
                    .iter()
                    .filter(|can| {
                        can.grants.iter().any(|grant| grant.applied.binding.scope != Scope::Cluster)
                    })
                    .map(|can| {
                        (can.subject.kind.to_owned(), can.subject.namespace.clone(), can.subject.name.clone())
                    })
                    .filter(|row| !everywhere.contains(row))
                    .collect();
                let found: BTreeSet<Row> = all
                    .in_namespaces
                    .iter()
                    .filter(|can| can.namespaces.contains(&namespace))
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

#[test]
fn a_binding_that_names_somebody_twice_grants_once() {
    let text = r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: read}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}, {apiGroups: [""], resources: [pods], verbs: [get, list]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: read, namespace: prod}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read}, subjects: [{kind: User, name: a}, {kind: User, name: b}, {kind: User, name: b}, {kind: User, name: a}]}
"#;
    let cluster = cluster(text, Completeness::Complete);
    let words = Words { verb: "get", target: "pods", all_namespaces: true, ..Words::default() };
    let question = question::read(&words, cluster.catalogue()).unwrap();
    let found = who_can(&cluster, &Ask::Request(&question.request), true);
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
    let words = Words { verb: "get", target: "pods", namespace: Some("prod"), ..Words::default() };
    let question = question::read(&words, cluster.catalogue()).unwrap();
    let found = who_can(&cluster, &Ask::Request(&question.request), false);
    let unknown: Vec<_> =
        found.unknown_identities.iter().map(|can| can.arn.rsplit('/').next().unwrap()).collect();
    // `squad:carol` begins with `s`, but no session is named `quad:carol`.
    assert_eq!(unknown, ["short", "long", "group"]);
}

/// `can-i --namespaces` asks for answers without reasons: they are those of the answers with them.
#[test]
fn answers_without_reasons_are_the_answers() {
    let mut text = crowd();
    text += "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata:\n  mapRoles: |\n";
    let mappings = [
        ("sure", "b", "a"),
        ("session", "system:serviceaccount:{{SessionName}}:s", "nobody"),
        ("any", "{{SessionName}}", "nobody"),
        ("node", "system:node:{{EC2PrivateDNSName}}", "system:nodes"),
        ("group", "fixed", "{{SessionName}}"),
    ];
    for (role, username, group) in mappings {
        writeln!(text, "    - {{rolearn: \"arn:aws:iam::111122223333:role/{role}\", username: \"{username}\", groups: [\"{group}\"]}}").unwrap();
    }
    let mut counts = [0; 3];
    for completeness in [Completeness::Partial, Completeness::Complete] {
        let cluster = cluster(&text, completeness);
        let mut askers: Vec<Who> = mappings
            .iter()
            .map(|(role, ..)| cluster.identify(&format!("arn:aws:iam::111122223333:role/{role}"), None))
            .collect();
        askers.push(cluster.identify("arn:aws:iam::111122223333:role/unknown", None));
        askers.push(Who::user(UserInfo::authenticated("b", ["a"])));
        for verb in ["exec", "edit", "logs", "drain", "delete"] {
            let target = operations::Target {
                group: "",
                resource: if verb == "drain" { "nodes" } else { "pods" },
                name: None,
                subresource: None,
                namespaced: verb != "drain",
            };
            let Ok(plan) = operations::plan(verb, &target, KubernetesVersion::NEWEST) else { continue };
            for (who, namespace) in
                askers.iter().flat_map(|who| ["", "n1", "n7", "n38", "far"].map(|n| (who, n)))
            {
                for step in plan.deciding_steps() {
                    let request = steps::request(step, namespace, "");
                    let long = cluster.answer(who, &request.attributes()).ternary;
                    assert_eq!(cluster.ternary(who, &request.attributes()), long, "{step} in {namespace}");
                    let long = steps::answer(&cluster, who, step, &request).ternary;
                    assert_eq!(steps::ternary(&cluster, who, step, &request), long, "{step} in {namespace}");
                    counts[usize::from(long == Ternary::Yes) + 2 * usize::from(long == Ternary::Unknown)] +=
                        1;
                }
                let whole = plan.answer(&mut |step| {
                    steps::answer(&cluster, who, step, &steps::request(step, namespace, "")).ternary
                });
                assert_eq!(
                    steps::operation(&cluster, who, &plan, namespace, ""),
                    whole,
                    "{verb} in {namespace}"
                );
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}
