//! diff: the set difference of two matrices, on generated pairs and by hand; what unknown is; how it reads.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rbacsim::ask::diff::{Selection, diff};
use rbacsim::ask::matrix::{Filter, Matrix, holder};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::Completeness;
use rbacsim::report::diff::{MOST, headline, markdown, rows, summary, text as write_text};
use rbacsim::report::matrix_long;
use serde_json::{Value, json};

use crate::ask::{aggregated, bind, cluster_of, role};
use crate::laws::{objects, stream};

fn everybody() -> Selection {
    Selection { mapped: true, bound: true, ..Selection::default() }
}

/// The rows of a difference, as CSV without the header.
fn difference(old: &Cluster, new: &Cluster) -> Vec<String> {
    let found = diff(old, new, &Filter::default(), &everybody());
    let mut out = Vec::new();
    rows::csv(&mut out, &found).unwrap();
    String::from_utf8(out).unwrap().lines().skip(1).map(str::to_owned).collect()
}

/// The rows of the matrix of everybody.
fn matrix(cluster: &Cluster) -> BTreeSet<String> {
    let matrix = Matrix::new(cluster, &Filter::default());
    let mut holders = holder::mapped(cluster);
    holders.extend(holder::bound(cluster));
    holder::sort(&mut holders);
    let mut out = Vec::new();
    matrix_long::csv(&mut out, &matrix, &holders, &mut |_, _| {}).unwrap();
    String::from_utf8(out).unwrap().lines().skip(1).map(str::to_owned).collect()
}

/// Objects with what another set knows besides: its rules in a role that nobody has, its subjects in a binding that
/// grants nothing.
fn knowing(own: &[Value], other: &[Value]) -> Cluster {
    let counts = |objects: &[Value]| -> Vec<Value> {
        let key = |object: &Value| {
            let metadata = &object["metadata"];
            format!("{} {} {}", object["kind"], metadata["namespace"], metadata["name"])
        };
        let later = |object: &Value, rest: &[Value]| rest.iter().any(|other| key(other) == key(object));
        let numbered = objects.iter().zip(1..);
        numbered
            .filter(|(object, next)| !later(object, &objects[*next..]))
            .map(|(object, _)| object.clone())
            .collect()
    };
    // Of objects of one name the last counts, and nobody knows the others.
    let last: Vec<Value> = counts(own).into_iter().chain(counts(other)).collect();
    let all = || last.iter();
    let of = |field: &str| -> Vec<Value> {
        all().filter_map(|object| object[field].as_array()).flatten().cloned().collect()
    };
    let subjects: Vec<Value> = all()
        .filter(|object| object["subjects"].is_array())
        .flat_map(|object| {
            let namespace = object["metadata"]["namespace"].clone();
            object["subjects"].as_array().unwrap().iter().map(move |subject| {
                let mut subject = subject.clone();
                if subject["kind"] == "ServiceAccount" && subject.get("namespace").is_none() {
                    subject["namespace"] = namespace.clone();
                }
                subject
            })
        })
        .collect();
    let more = [
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "zz-known"}, "rules": of("rules")}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "zz-nothing"}, "rules": []}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "zz-everybody"},
            "roleRef": {"kind": "ClusterRole", "name": "zz-nothing"}, "subjects": subjects,
        }),
    ];
    cluster_of(&[&stream(own), &stream(&more)], Completeness::Complete)
}

/// Objects whose aggregation asks for labels that are there: then a role without labels is taken in by none.
fn plain(objects: Vec<Value>) -> Vec<Value> {
    objects.into_iter().filter(|object| !object.to_string().contains("matchExpressions")).collect()
}

#[test]
fn the_difference_is_the_set_difference_of_the_matrices() {
    let pair = (objects(false), objects(false), prop::collection::vec(any::<bool>(), 40));
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (gained, lost) = (Cell::new(0usize), Cell::new(0usize));
    runner
        .run(&pair, |(first, second, kept)| {
            let old = plain(first);
            // Now another set, now the same with some objects of another.
            let second = plain(second);
            let new: Vec<Value> = if kept[0] {
                second
            } else {
                let own = old.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(object, _)| object.clone());
                let more: Vec<Value> = second.into_iter().take(3).collect();
                // A binding with two roleRefs would leave it open which of them counts.
                let is_new = |object: &Value| {
                    let name = |object: &Value| {
                        (
                            object["kind"].clone(),
                            object["metadata"]["namespace"].clone(),
                            object["metadata"]["name"].clone(),
                        )
                    };
                    more.iter().all(|other| name(other) != name(object))
                };
                own.filter(is_new).chain(more.iter().cloned()).collect()
            };
            let (known_old, known_new) = (knowing(&old, &new), knowing(&new, &old));
            let (before, after) = (matrix(&known_old), matrix(&known_new));
            let mut expected: BTreeSet<String> =
                after.difference(&before).map(|row| format!("+,{row}")).collect();
            expected.extend(before.difference(&after).map(|row| format!("-,{row}")));
            let one = cluster_of(&[&stream(&old)], Completeness::Complete);
            let other = cluster_of(&[&stream(&new)], Completeness::Complete);
            let found = difference(&one, &other);
            let set: BTreeSet<String> = found.iter().cloned().collect();
            prop_assert_eq!(set.len(), found.len(), "a row stands twice");
            let differ: Vec<&String> = set.symmetric_difference(&expected).collect();
            prop_assert!(differ.is_empty(), "{:?}", differ);
            gained.set(gained.get() + found.iter().filter(|row| row.starts_with('+')).count());
            lost.set(lost.get() + found.iter().filter(|row| row.starts_with('-')).count());
            // The other way round it is its mirror, and a set differs in nothing from itself.
            let mirror: BTreeSet<String> =
                difference(&other, &one)
                    .into_iter()
                    .map(|row| {
                        if row.starts_with('+') {
                            row.replacen('+', "-", 1)
                        } else {
                            row.replacen('-', "+", 1)
                        }
                    })
                    .collect();
            prop_assert_eq!(&mirror, &set);
            prop_assert_eq!(difference(&one, &one), Vec::<String>::new());
            Ok(())
        })
        .unwrap();
    assert!(gained.get() > 500 && lost.get() > 500, "{gained:?} {lost:?}");
}

fn pair(old: &str, new: &str, completeness: Completeness) -> (Cluster, Cluster) {
    (cluster_of(&[old], completeness), cluster_of(&[new], completeness))
}

/// How a difference reads.
fn read(old: &str, new: &str, completeness: Completeness) -> String {
    let (old, new) = pair(old, new, completeness);
    let found = diff(&old, &new, &Filter::default(), &everybody());
    let Ok(summary) = summary(&found, |_, _| Ok::<(), std::convert::Infallible>(()));
    let mut out = Vec::new();
    write_text(&mut out, &summary).unwrap();
    let text = String::from_utf8(out).unwrap();
    // Colours are taken out where they are not wanted.
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[rest.find('m').unwrap() + 1..];
    }
    plain + rest
}

const READ: &str = "[{apiGroups: [''], resources: [pods], verbs: [get, list]}]";

#[test]
fn each_kind_of_change_is_named() {
    let complete = Completeness::Complete;
    let base = [role("r", READ), bind("ns/b", "ClusterRole r", "Group g")].concat();
    // A binding, a subject, a rule, a roleRef.
    let more =
        [base.clone(), bind("x/c", "ClusterRole r", "Group g"), bind("y/d", "ClusterRole r", "Group g")]
            .concat();
    let shown = read(&base, &more, complete);
    assert!(shown.starts_with("1 identity gains access\n"), "{shown}");
    assert!(shown.contains("RoleBinding `x/c` added  0.yaml:"), "{shown}");
    assert!(shown.contains("+ Group `g` gains in x:\n      get, list on pods\n"), "{shown}");
    let shown = read(&more, &base, complete);
    assert!(
        shown.contains("RoleBinding `y/d` removed") && shown.contains("- Group `g` loses in y:"),
        "{shown}"
    );
    let subject = [role("r", READ), bind("ns/b", "ClusterRole r", "Group g, User u")].concat();
    assert!(read(&base, &subject, complete).contains("RoleBinding `ns/b` now names User `u`  0.yaml:"));
    let rule = [role("r", "[{apiGroups: [''], resources: [pods], verbs: [get, list]}, {apiGroups: [''], resources: [secrets], verbs: [get]}]"), bind("ns/b", "ClusterRole r", "Group g")].concat();
    let shown = read(&base, &rule, complete);
    assert!(shown.contains("rule 2 of ClusterRole `r` added or changed"), "{shown}");
    assert!(shown.contains("sensitive: get secrets: Reads a secret by its name"), "{shown}");
    let other = [
        role("r", READ),
        role("s", "[{apiGroups: [''], resources: [pods], verbs: [get, delete]}]"),
        bind("ns/b", "ClusterRole s", "Group g"),
    ]
    .concat();
    let shown = read(&base, &other, complete);
    assert!(
        shown.contains("RoleBinding `ns/b` grants ClusterRole `s` instead of ClusterRole `r`"),
        "{shown}"
    );
    assert!(
        shown.contains(
            "+ Group `g` gains in ns:\n      delete on pods\n  - Group `g` loses in ns:\n      list on pods\n"
        ),
        "{shown}"
    );
    // A label that aggregates.
    let collects = |labels: &str| {
        [
            aggregated("all", "{}", "[]", "[{matchLabels: {add: 'true'}}]"),
            aggregated("part", labels, READ, ""),
            bind("ns/b", "ClusterRole all", "Group g"),
        ]
        .concat()
    };
    let shown = read(&collects("{}"), &collects("{add: 'true'}"), complete);
    assert!(shown.contains("ClusterRole `part` is now aggregated into ClusterRole `all`"), "{shown}");
}

#[test]
fn mappings_are_identities_and_causes() {
    let map = |groups: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system}}\ndata:\n  mapRoles: |\n    - rolearn: arn:aws:iam::111122223333:role/dev\n      username: dev\n      groups: {groups}\n"
        )
    };
    let base = [role("r", READ), bind("ns/b", "ClusterRole r", "Group g")].concat();
    let with = |groups: &str| format!("{base}{}", map(groups));
    let shown = read(&with("[]"), &with("[g]"), Completeness::Complete);
    assert!(
        shown.contains("group `g` added to the mapping of `arn:aws:iam::111122223333:role/dev`"),
        "{shown}"
    );
    assert!(shown.contains("`role/dev` was user `dev`, no groups and is user `dev`, groups `g`"), "{shown}");
    let shown = read(&with("[g]"), &base, Completeness::Complete);
    assert!(shown.contains("`role/dev` can no longer log in; it was user `dev`, groups `g`"), "{shown}");
    let shown = read(&with("[]"), &with("['system:masters']"), Completeness::Complete);
    assert!(
        shown.contains("every verb on everything") && shown.contains("sensitive: * everything"),
        "{shown}"
    );
    // Thousands of rows are a line.
    assert!(shown.lines().count() < 16, "{shown}");
}

#[test]
fn wider_and_narrower_headings_are_no_loss() {
    let narrow = [role("r", READ), bind("ns/b", "ClusterRole r", "Group g")].concat();
    let wide = [narrow.clone(), bind("all", "ClusterRole r", "Group g")].concat();
    let (old, new) = pair(&narrow, &wide, Completeness::Complete);
    // As rows it is both: `*` covers what stood under `ns`.
    assert_eq!(difference(&old, &new).iter().filter(|row| row.starts_with('-')).count(), 2);
    let shown = read(&narrow, &wide, Completeness::Complete);
    assert!(shown.contains("+ Group `g` gains in every namespace:") && !shown.contains("loses"), "{shown}");
    let shown = read(&wide, &narrow, Completeness::Complete);
    assert!(shown.contains("- Group `g` loses in every namespace:") && !shown.contains("gains"), "{shown}");
}

#[test]
fn what_one_side_leaves_open_is_neither_gained_nor_lost() {
    let binding = bind("ns/b", "Role r", "Group g");
    let whole = [role("ns/r", READ), binding.clone()].concat();
    let shown = read(&binding, &whole, Completeness::Partial);
    assert!(shown.starts_with("nobody gains or loses access\n"), "{shown}");
    assert!(
        shown.contains("Group `g` in ns: no longer unknown: ")
            && shown.contains("2 accesses unknown before, granted now"),
        "{shown}"
    );
    let shown = read(&whole, &binding, Completeness::Partial);
    assert!(
        shown.contains("Group `g` in ns: unknown now: ")
            && shown.contains("2 accesses granted before, unknown now"),
        "{shown}"
    );
    // Of complete inputs a missing role does not exist.
    assert!(read(&binding, &whole, Completeness::Complete).contains("+ Group `g` gains in ns:"));
    // What is open on both sides hides nothing.
    let open = bind("ns/open", "Role gone", "Group g");
    let (old, new) = (
        [open.clone(), role("s", READ)].concat(),
        [open, role("s", READ), bind("ns/c", "ClusterRole s", "Group g")].concat(),
    );
    assert!(read(&old, &new, Completeness::Partial).contains("+ Group `g` gains in ns:"));
}

#[test]
fn the_same_in_many_namespaces_is_one_line_and_a_wildcard_too() {
    let base = role("r", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]");
    let many: String =
        (0..37).map(|n| bind(&format!("ns{n}/b"), "ClusterRole r", "Group g")).collect::<Vec<_>>().concat();
    // One binding each, which do the same.
    let shown = read(&base, &[base.clone(), many.clone()].concat(), Completeness::Complete);
    assert!(shown.contains("RoleBinding `*/b` added in 37 namespaces  0.yaml:"), "{shown}");
    assert!(shown.contains("+ Group `g` gains in 37 namespaces (ns0, ns1, ns10 and 34 more):\n      every verb on everything\n"), "{shown}");
    assert!(shown.lines().count() < 10, "{shown}");
    // One change, by a rule of the role: one line.
    let old = [role("r", READ), many.clone()].concat();
    let shown = read(&old, &[base, many].concat(), Completeness::Complete);
    assert!(shown.contains("+ Group `g` gains in 37 namespaces (ns0, ns1, ns10 and 34 more):\n      every verb on everything\n"), "{shown}");
}

#[test]
fn files_that_differ_without_a_change_of_access_say_so() {
    let one = [role("r", READ), bind("ns/b", "ClusterRole r", "Group g")].concat();
    let split = [
        role("r", "[{apiGroups: [''], resources: [pods], verbs: [list]}, {apiGroups: [''], resources: [pods], verbs: [get]}]"),
        bind("ns/b", "ClusterRole r", "Group g"),
    ]
    .concat();
    assert_eq!(
        read(&one, &split, Completeness::Complete),
        "no change of access, though 1 object differs: ClusterRole `r`\n"
    );
    let renamed = [role("other", READ), bind("ns/c", "ClusterRole other", "Group g")].concat();
    assert!(
        read(&one, &renamed, Completeness::Complete)
            .starts_with("no change of access, though 4 objects differ: ")
    );
    assert_eq!(read(&one, &one, Completeness::Complete), "no change of access\n");
}

#[test]
fn a_comment_is_never_too_long_and_names_are_no_markup() {
    let many: String = (0..900)
        .map(|n| {
            [
                role(
                    &format!("role-{n}"),
                    &format!("[{{apiGroups: [''], resources: [pods], verbs: [get, verb{n}]}}]"),
                ),
                bind(
                    &format!("namespace-with-a-long-name-{n}/b"),
                    &format!("ClusterRole role-{n}"),
                    &format!("Group <b>@team/{n}</b> [x](y)"),
                ),
            ]
            .concat()
        })
        .collect::<Vec<_>>()
        .concat();
    let secret = [
        role("zz", "[{apiGroups: [''], resources: [secrets], verbs: [get]}]"),
        bind("zz/zz", "ClusterRole zz", "Group zz"),
    ]
    .concat();
    let (old, new) = pair(&role("r", READ), &[many, secret].concat(), Completeness::Complete);
    let found = diff(&old, &new, &Filter::default(), &everybody());
    let Ok(summary) = summary(&found, |_, _| Ok::<(), std::convert::Infallible>(()));
    let text = markdown(&summary);
    assert!(text.chars().count() <= MOST && text.chars().count() > MOST / 2, "{}", text.chars().count());
    // Most important first, and what was left out is counted.
    let first = text.lines().find(|line| line.starts_with("**")).unwrap();
    assert!(first.contains("zz/zz"), "{first}");
    assert!(
        text.ends_with("`rbacsim diff` shows all.\n") && text.contains(" lines are left out here"),
        "{}",
        &text[text.len() - 200..]
    );
    assert!(headline(&summary).contains("sensitive access is among what is gained"));
}

#[test]
fn the_first_objects_are_gained_and_the_last_are_lost() {
    let base = [role("r", READ), bind("ns/b", "ClusterRole r", "Group g")].concat();
    let shown = read("", &base, Completeness::Partial);
    assert!(shown.contains("Group `g` gains in ns:") && !shown.contains("unknown"), "{shown}");
    assert!(shown.contains("the old side holds no Role and no binding"), "{shown}");
    let shown = read(&base, "", Completeness::Partial);
    assert!(shown.contains("Group `g` loses in ns:") && !shown.contains("unknown"), "{shown}");
    assert!(shown.contains("the new side holds no Role and no binding"), "{shown}");
}
