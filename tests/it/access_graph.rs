//! `graph`: the picture has every hop of the answer and no other, bundles what is equal, and hides nothing unknown.

use std::fmt::Write as _;
use std::process::Command;

use rbacsim::report::diagram::{Diagram, Look, Node};
use serde_json::Value;

fn graph(args: &[&str]) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .arg("graph")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

fn json(args: &[&str]) -> (Value, i32) {
    let mut all = args.to_vec();
    all.extend(["-o", "json"]);
    let (text, code) = graph(&all);
    (serde_json::from_str(&text).unwrap(), code)
}

/// The names of the boxes of a kind.
fn names<'v>(value: &'v Value, kind: &str) -> Vec<&'v str> {
    let nodes = value["nodes"].as_array().unwrap().iter().filter(|node| node["kind"] == kind);
    nodes.flat_map(|node| node["names"].as_array().unwrap()).map(|name| name.as_str().unwrap()).collect()
}

/// Whether arrows lead from a box of one kind to one of another.
fn leads(value: &Value, from: &str, to: &str) -> bool {
    let nodes = value["nodes"].as_array().unwrap();
    let kind = |id: &Value| nodes.iter().find(|node| node["id"] == *id).unwrap()["kind"].as_str().unwrap();
    value["edges"]
        .as_array()
        .unwrap()
        .iter()
        .any(|edge| kind(&edge["from"]) == from && kind(&edge["to"]) == to)
}

const ONCALL: &str = "arn:aws:sts::111122223333:assumed-role/oncall/alice";
const QUICKSTART: &str = "testdata/quickstart";

#[test]
fn the_picture_of_a_yes_has_every_hop_of_can_i() {
    let (picture, code) = json(&["create", "pods/exec", "-n", "prod", "--arn", ONCALL, "-f", QUICKSTART]);
    assert_eq!(code, 0);
    assert_eq!(names(&picture, "arn"), [ONCALL]);
    assert_eq!(names(&picture, "user"), ["User oncall:alice"]);
    assert_eq!(names(&picture, "binding"), ["RoleBinding `prod/on-call-shell`"]);
    assert_eq!(names(&picture, "role"), ["Role `prod/pod-shell`"]);
    assert_eq!(names(&picture, "rules"), ["get, create on pods/exec"]);
    assert_eq!(names(&picture, "yes").len(), 1);
    for (from, to) in [
        ("arn", "user"),
        ("user", "group"),
        ("group", "binding"),
        ("binding", "role"),
        ("role", "rules"),
        ("rules", "yes"),
    ] {
        assert!(leads(&picture, from, to), "{from} {to}");
    }
    let sources = picture["nodes"].as_array().unwrap().iter().find(|node| node["kind"] == "binding").unwrap();
    assert_eq!(sources["sources"][0], "testdata/quickstart/bindings.yaml:30");
    let edges = picture["edges"].as_array().unwrap();
    assert!(edges.iter().all(|edge| edge["certain"] == true));
}

#[test]
fn the_picture_answers_as_can_i_does() {
    let dev = "arn:aws:iam::111122223333:role/dev";
    let (no, code) = json(&["create", "pods/exec", "-n", "prod", "--arn", dev, "-f", QUICKSTART]);
    assert_eq!((code, names(&no, "no").len(), names(&no, "binding").len()), (1, 1, 0));
    let node = "arn:aws:iam::111122223333:role/shop-nodes";
    let (open, code) = json(&["get", "secrets", "-n", "prod", "--arn", node, "-f", QUICKSTART]);
    assert_eq!((code, names(&open, "answerUnknown").len()), (3, 1));
    assert!(leads(&open, "unknown", "answerUnknown"));
    assert!(names(&open, "unknown")[0].contains("Node authorizer"));
    let admin = "arn:aws:iam::111122223333:role/platform-admin";
    let (all, code) = json(&["get", "secrets", "-n", "prod", "--arn", admin, "-f", QUICKSTART]);
    assert_eq!(code, 0);
    assert!(leads(&all, "bypass", "yes") && leads(&all, "group", "bypass"));
}

#[test]
fn all_access_of_somebody_has_every_binding_and_what_is_unknown() {
    let (picture, code) = json(&["--arn", "arn:aws:iam::111122223333:role/oncall", "-f", QUICKSTART]);
    assert_eq!(code, 0);
    for binding in [
        "RoleBinding `staging/developers`",
        "RoleBinding `prod/on-call-shell`",
        "ClusterRoleBinding `system:discovery`",
    ] {
        assert!(names(&picture, "binding").contains(&binding), "{binding} in {picture:#}");
    }
    let (picture, _) =
        json(&["--arn", "arn:aws:iam::111122223333:role/oncall", "-n", "prod", "-f", QUICKSTART]);
    assert!(!names(&picture, "binding").contains(&"RoleBinding `staging/developers`"));
    let (node, _) = json(&["--arn", "arn:aws:iam::111122223333:role/shop-nodes", "-f", QUICKSTART]);
    assert!(names(&node, "unknown").iter().any(|line| line.contains("Node authorizer")), "{node:#}");
}

/// A group that is bound in some namespaces to one role, and in one to a role that is not there.
fn bundles() -> tempfile::NamedTempFile {
    let mut text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: read}\nrules: [{verbs: [get], apiGroups: [\"\"], resources: [pods]}]\n".to_owned();
    for namespace in ["a", "b", "c", "d", "e", "f"] {
        let _ = write!(
            text,
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: own, namespace: {namespace}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {}}}\nsubjects: [{{kind: Group, apiGroup: rbac.authorization.k8s.io, name: team}}]\n",
            if namespace == "f" { "gone" } else { "read" }
        );
    }
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn equal_bindings_share_a_box_and_a_missing_role_is_dashed() {
    let file = bundles();
    let path = file.path().to_str().unwrap();
    let asked = ["--as", "x", "--as-group", "team", "--partial", "-f", path];
    let (picture, _) = json(&asked);
    let nodes = picture["nodes"].as_array().unwrap();
    let bindings: Vec<usize> = nodes
        .iter()
        .filter(|node| node["kind"] == "binding" && node["sources"][0].as_str().unwrap().contains(path))
        .map(|node| node["names"].as_array().unwrap().len())
        .collect();
    assert_eq!(bindings, [5, 1]);
    assert_eq!(names(&picture, "missingRole")[0], "ClusterRole `gone`");
    assert!(picture["edges"].as_array().unwrap().iter().any(|edge| edge["certain"] == false));
    let (mermaid, _) = graph(&asked);
    assert!(mermaid.contains("and 1 more") && mermaid.contains(" -.-> "), "{mermaid}");
}

#[test]
fn forms_say_the_same_and_no_name_breaks_out_of_them() {
    let evil = "x\"]]></text><script>\u{202e}`#;\\";
    let mut diagram = Diagram::default();
    let one = diagram.node(Node { look: Look::Group, lines: vec![evil.into()], places: Vec::new() });
    let two =
        diagram.node(Node { look: Look::Rules, lines: vec!["get".into()], places: vec!["a.yaml:1".into()] });
    diagram.edge(one, two, evil, false);
    let svg = diagram.svg(evil);
    assert!(
        !svg.contains("<script>") && !svg.contains('\u{202e}') && svg.contains("&lt;script&gt;"),
        "{svg}"
    );
    assert_eq!(svg.matches("<rect ").count(), 3);
    assert!(svg.contains("stroke-dasharray"));
    let mermaid = diagram.mermaid();
    assert!(mermaid.contains("#quot;]]#gt;#lt;/text#gt;") && !mermaid.contains('\u{202e}'), "{mermaid}");
    assert!(
        mermaid.lines().any(|line| line.starts_with("  n0 -.->|\"") && line.ends_with("\"| n1")),
        "{mermaid}"
    );
    let dot = diagram.dot("access");
    assert!(dot.contains("x\\\"]]") && dot.contains("style=dashed") && dot.contains("\\\\"), "{dot}");
}

#[test]
fn who_must_be_named() {
    let (_, code) = graph(&["-f", QUICKSTART]);
    assert_eq!(code, 2);
}

/// The picture that README shows.
#[test]
fn the_picture_of_the_readme_is_what_the_command_draws() {
    let (svg, code) =
        graph(&["create", "pods/exec", "-n", "prod", "--arn", ONCALL, "-o", "svg", "-f", QUICKSTART]);
    assert_eq!(code, 0);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/quickstart/graph.svg");
    if std::env::var_os("RBACSIM_REWRITE").is_some() {
        std::fs::write(&path, &svg).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), svg);
}

/// The ways of the picture against `paths`: what is certain there is a solid line here, and nothing else is.
#[test]
fn a_role_that_one_certainly_becomes_is_a_solid_line() {
    let folder = "testdata/scenarios/people-behind-roles";
    let mut seen = [0, 0];
    for user in ["alice", "bob"] {
        let arn = format!("arn:aws:iam::111122223333:user/{user}");
        let (picture, _) = json(&["--arn", &arn, "-f", folder]);
        let edges = picture["edges"].as_array().unwrap();
        let ways: Vec<&Value> = edges.iter().filter(|edge| edge["label"] == "may become").collect();
        assert!(!ways.is_empty(), "{picture:#}");
        let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .args(["paths", "--arn", &arn, "-o", "json", "-f", folder])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let paths: Value = serde_json::from_slice(&output.stdout).unwrap();
        let reached: Vec<&str> = paths[0]["reached"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["identity"].as_str().unwrap())
            .collect();
        let nodes = picture["nodes"].as_array().unwrap();
        for way in ways {
            let to = nodes.iter().find(|node| node["id"] == way["to"]).unwrap()["names"][0].as_str().unwrap();
            let is_reached = reached.contains(&format!("IAM {to}").as_str());
            assert_eq!(way["certain"], is_reached, "{user} {to}: {reached:?}");
            seen[usize::from(is_reached)] += 1;
        }
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}
