//! check: assertions that hold, those that do not and why, and what is wrong in a file of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rbacsim::ask::check::file::{Mistake, parse};
use serde_json::Value;

const QUICKSTART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/quickstart");

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs tests against the quickstart: standard output and the exit code.
fn check(tests: &str, more: &[&str]) -> (String, i32) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.yaml"), format!("inputs: [{QUICKSTART}]\ntests:\n{tests}")).unwrap();
    let output = run(folder.path(), &[&["check", "t.yaml"][..], more].concat());
    let shown = format!("{}{}", text_of(&output.stdout), text_of(&output.stderr));
    (shown, output.status.code().unwrap())
}

#[test]
fn what_holds_passes() {
    let tests = "\
- name: developers cannot read secrets in prod
  arn: arn:aws:sts::111122223333:assumed-role/dev/alice
  namespace: prod
  cannot: [get secrets/db, list secrets, exec pods]
- name: but in staging
  arn: arn:aws:sts::111122223333:assumed-role/dev/alice
  namespaces: [staging]
  can: [get secrets/db, list secrets]
- as: bob
  groups: [auditors]
  allNamespaces: true
  can: list pods
  cannot: [create pods]
- name: only on-call opens a shell in prod
  whoCan: exec pods
  namespace: prod
  only: [{group: on-call}, {arn: \"arn:aws:iam::111122223333:role/oncall\"}, {arn: \"arn:aws:iam::111122223333:role/platform-admin\"}]
- whoCan: get secrets/checkout-db
  namespace: prod
  includes: [{serviceAccount: prod/checkout}]
  excludes: [{group: developers}, {user: bob}]
- name: on-call has it from one binding
  arn: arn:aws:iam::111122223333:role/oncall
  namespace: prod
  can: create pods/exec
  by: RoleBinding prod/on-call-shell
- name: nodes are the Node authorizer's business
  arn: arn:aws:iam::111122223333:role/shop-nodes
  namespace: prod
  unknown: get secrets
";
    assert_eq!(check(tests, &[]), ("7 passed, 0 failed\n".to_owned(), 0));
}

#[test]
fn what_does_not_hold_says_what_was_expected_and_why_it_is_otherwise() {
    let rows: [(&str, &[&str]); 8] = [
        (
            "- {arn: 'arn:aws:iam::111122223333:role/oncall', namespace: prod, cannot: create pods/exec}",
            &[
                "create pods/exec in namespace prod: expected no, got yes; allowed by RoleBinding `prod/on-call-shell`",
                "testdata/quickstart/bindings.yaml:30",
            ],
        ),
        (
            "- {arn: 'arn:aws:iam::111122223333:role/dev', namespace: prod, can: create pods/exec}",
            &["expected yes, got no; nearest: allowed in namespace `staging`, but not here"],
        ),
        (
            "- {arn: 'arn:aws:iam::111122223333:role/shop-nodes', namespace: prod, cannot: get secrets}",
            &["expected no, got unknown; the Node authorizer decides it from live objects"],
        ),
        (
            "- {arn: 'arn:aws:iam::111122223333:role/nobody', can: get pods}",
            &["expected yes, got no; identity is not mapped"],
        ),
        (
            "- {arn: 'arn:aws:iam::111122223333:role/platform-admin', cannot: get pods}",
            &["group `system:masters` bypasses RBAC"],
        ),
        (
            "- {whoCan: exec pods, namespace: prod, only: [{group: admins}]}",
            &[
                "group: on-call can, and should not, by RoleBinding `prod/on-call-shell`",
                "group: admins cannot, and should",
            ],
        ),
        (
            "- {whoCan: get secrets, namespace: prod, excludes: [{serviceAccount: prod/checkout}]}",
            &["serviceAccount: prod/checkout can, and should not"],
        ),
        (
            "- {arn: 'arn:aws:iam::111122223333:role/oncall', namespace: prod, can: list pods, by: RoleBinding prod/on-call-shell}",
            &["also allowed by others: RoleBinding `prod/developers`"],
        ),
    ];
    for (test, expected) in rows {
        let (shown, code) = check(&format!("{test}\n"), &[]);
        assert_eq!(code, 1, "{test}: {shown}");
        for text in expected {
            assert!(shown.contains(text), "{test}: {shown}");
        }
        assert!(
            shown.starts_with("FAIL t.yaml:3 test 1\n  t.yaml:3: ")
                && shown.ends_with("0 passed, 1 failed\n"),
            "{shown}"
        );
    }
    let node = "- {arn: 'arn:aws:iam::111122223333:role/shop-nodes', namespace: prod, cannot: get secrets, allowUnknown: true}\n";
    assert_eq!(check(node, &[]).1, 0);
}

#[test]
fn by_is_this_binding_and_no_other() {
    let wrong = "- {arn: 'arn:aws:iam::111122223333:role/oncall', namespace: prod, can: create pods/exec, by: RoleBinding/prod/other}\n";
    let (shown, code) = check(wrong, &[]);
    assert_eq!(code, 1);
    assert!(shown.contains("not granted by `RoleBinding prod/other`; also allowed by others"), "{shown}");
}

#[test]
fn a_mistake_in_a_file_has_its_place() {
    let rows = [
        (
            "tests:\n- {arn: x, cannott: get pods}\n",
            "2:12",
            "unknown field `cannott`; did you mean `cannot`?",
        ),
        ("test: []\n", "1:1", "unknown field `test`; did you mean `tests`?"),
        (
            "tests:\n- {arn: x, can: pods}\n",
            "2:1",
            "`pods` is no question; write a verb and a type, such as `get pods`",
        ),
        (
            "tests:\n- {arn: x}\n",
            "2:3",
            "a test needs `can`, `cannot` or `unknown`, else nothing would be checked",
        ),
        ("tests:\n- {can: get pods}\n", "2:3", "a test needs one of `arn`, `as` and `whoCan`"),
        (
            "tests:\n- {arn: x, as: y, can: get pods}\n",
            "2:3",
            "a test takes only one of `arn`, `as` and `whoCan`",
        ),
        (
            "tests:\n- {whoCan: get pods, can: get pods}\n",
            "2:22",
            "`can` does not go with `whoCan`, which takes `only`, `includes` and `excludes`",
        ),
        (
            "tests:\n- {whoCan: get pods, only: [on-call]}\n",
            "2:29",
            "expected a mapping with `group`, `user`, `serviceAccount`, `arn`, `account`",
        ),
        (
            "tests:\n- {whoCan: get pods, only: [{serviceAccount: x}]}\n",
            "2:46",
            "write a service account as NAMESPACE/NAME",
        ),
        (
            "tests:\n- {arn: x, can: get pods, namespace: a, allNamespaces: true}\n",
            "2:3",
            "a test takes only one of `namespace`, `namespaces` and `allNamespaces`",
        ),
        (
            "tests:\n- {arn: x, can: get pods, allNamespaces: maybe}\n",
            "2:42",
            "expected `true` or `false`, not `maybe`",
        ),
        (
            "tests:\n- {arn: x, can: get pods, namespaces: []}\n",
            "2:39",
            "`namespaces` is empty, so nothing would be checked",
        ),
        ("tests: x\n", "1:8", "`tests` must be a list; begin each test with `- `"),
        ("", "1:1", "the file is empty; write `tests:` with a list of tests"),
    ];
    for (text, place, message) in rows {
        let Mistake { position, message: said } = parse(text.as_bytes()).unwrap_err();
        assert_eq!(
            (format!("{}:{}", position.line, position.column).as_str(), said.as_str()),
            (place, message),
            "{text}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.yaml"), "tests:\n- {arn: x, cannott: get pods}\n").unwrap();
    let output = run(folder.path(), &["check", "t.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text_of(&output.stderr),
        "rbacsim: t.yaml:2:12: unknown field `cannott`; did you mean `cannot`?\n"
    );
    // What only the cluster can tell is a failure of the test.
    let (shown, code) = check("- {arn: 'dev', can: get pods}\n- {as: x, can: frobnicate pods}\n", &[]);
    assert_eq!(code, 1);
    assert!(
        shown.contains("`dev` is not the ARN of a caller") && shown.contains("`frobnicate pods`: "),
        "{shown}"
    );
}

#[test]
fn results_for_machines() {
    let tests =
        "- {name: 'a <b>', as: x, namespace: prod, can: get pods}\n- {name: c, as: x, cannot: get pods}\n";
    let (json, code) = check(tests, &["-o", "json", "--diagnostics", "none"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["passed"], &json["failed"]), (1, &1.into(), &1.into()));
    assert_eq!((&json["tests"][0]["name"], &json["tests"][0]["passed"]), (&"a <b>".into(), &false.into()));
    assert_eq!(
        (&json["tests"][0]["source"]["line"], &json["tests"][1]["message"]),
        (&3.into(), &Value::Null)
    );
    let (junit, _) = check(tests, &["-o", "junit", "--diagnostics", "none"]);
    assert!(junit.contains("<testsuites tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">"), "{junit}");
    assert!(junit.contains("name=\"a &lt;b&gt;\" file=\"t.yaml\" line=\"3\">\n      <failure type=\"assertion\" message=\"get pods"), "{junit}");
    let (github, _) = check(tests, &["-o", "github", "--diagnostics", "none"]);
    assert!(
        github.starts_with("::error file=t.yaml,line=3,title=rbacsim check%3A a <b>::get pods"),
        "{github}"
    );
}

#[test]
fn write_freezes_who_can_today_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.yaml");
    let before = format!(
        "# Who opens shells.\ninputs: [{QUICKSTART}]\ntests:\n# in prod\n- name: shells\n  whoCan: exec pods # all of them\n  namespace: prod\n- whoCan: get secrets\n  only:\n  - {{group: nobody}}\n  namespace: prod\n- whoCan: list pods\n  includes: [{{group: auditors}}]\n"
    );
    fs::write(&file, before).unwrap();
    let write = run(folder.path(), &["check", "--write", "t.yaml"]);
    assert_eq!(write.status.code(), Some(0), "{}", text_of(&write.stderr));
    let after = fs::read_to_string(&file).unwrap();
    let expected = "# in prod\n- name: shells\n  whoCan: exec pods # all of them\n  only:\n    - {group: on-call}\n    - {arn: \"arn:aws:iam::111122223333:role/platform-admin\"}\n    - {arn: \"arn:aws:iam::111122223333:role/oncall\"}\n  namespace: prod\n- whoCan: get secrets\n  only:\n    - {arn: \"arn:aws:iam::111122223333:role/platform-admin\"}\n  namespace: prod\n- whoCan: list pods\n  includes: [{group: auditors}]\n";
    assert!(after.ends_with(expected), "{after}");
    let check = run(folder.path(), &["check", "t.yaml"]);
    assert_eq!(text_of(&check.stdout), "3 passed, 0 failed\n");
    run(folder.path(), &["check", "--write", "t.yaml"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), after, "a second time changes nothing");
}

#[test]
fn the_schema_knows_every_field() {
    let output = run(Path::new(env!("CARGO_MANIFEST_DIR")), &["check", "--schema"]);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let known = schema["$defs"]["test"]["properties"].as_object().unwrap();
    for field in known.keys() {
        let read = parse(format!("tests:\n- {{{field}: 1}}\n").as_bytes());
        assert!(read.is_ok() || !read.unwrap_err().message.contains("unknown field"), "{field}");
    }
    assert_eq!(known.len(), 17);
}
