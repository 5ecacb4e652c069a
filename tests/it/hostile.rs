//! Names that would forge lines, move the cursor or turn the reading direction: whatever people read shows them
//! written out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rbacsim::report::visible::is_hidden;

/// A line end and what looks like an answer, a title for the terminal, C1 and bidi controls.
const HOSTILE: &str = "h\nFORGED yes\r\u{1b}]0;t\u{7}\u{7f}\u{9b}31m\u{202e}\u{2028}";
/// The same in double quotes of YAML.
const QUOTED: &str = r#""h\nFORGED yes\r\e]0;t\a\x7f\x9b31m\u202e\u2028""#;
/// The same as people see it.
const SHOWN: &str = r"h\nFORGED yes\r\u{1b}]0;t\u{7}\u{7f}\u{9b}31m\u{202e}\u{2028}";

const POLICY: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: @H, labels: {take: me}}
rules:
- {verbs: [get, list, create, @H], apiGroups: ["", @H], resources: [pods, pods/exec, secrets, @H]}
- {verbs: [get], apiGroups: [""], resources: [configmaps], resourceNames: [@H]}
- {verbs: [get, @H], nonResourceURLs: [/x, @H]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: into}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {take: me}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: refused, labels: {@H: @H}, annotations: {@H: @H}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {@H: @H}, matchExpressions: [{key: @H, operator: @H}]}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: @H}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: into}
subjects: [{kind: User, name: @H}, {kind: Group, name: @H}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: @H, namespace: @H}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: into}
subjects: [{kind: User, name: @H}, {kind: User, name: near}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: @H, namespace: prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: @H}
subjects: [{kind: User, name: @H}, {kind: Group, name: @H}, {kind: User, name: lost}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: @H, namespace: prod, @H: x}
@H: twice
rules: [{verbs: [], apiGroups: [@H], resources: [@H]}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: @H}
spec: {group: @H, names: {plural: @H, kind: @H}, scope: Namespaced, versions: [{name: v1, served: true}]}
---
apiVersion: @H
kind: @H
metadata: {name: @H}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - {rolearn: "arn:aws:iam::111122223333:role/dev", username: @H, groups: [@H, "{{@E}}"]}
    - {rolearn: @H, username: x, @H: y}
    - {rolearn: "arn:aws:iam::111122223333:role/a/dev2", username: "{{SessionName}}", groups: [@H]}
  mapUsers: |
    - {userarn: "arn:aws:iam::111122223333:user/Bob", username: @H}
    - {userarn: "arn:aws:iam::111122223333:user/bob", username: x}
  mapAccounts: |
    - @H
  @H: x
"#;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let policy = POLICY.replace("@H", QUOTED).replace("@E", r"h\nFORGED\e]0;t");
    // Not every file system takes such a name.
    let file = folder.path().join("h\nFORGED\u{1b}]0;t.yaml");
    if std::fs::write(&file, &policy).is_err() {
        std::fs::write(folder.path().join("h.yaml"), &policy).unwrap();
    }
    let path = folder.path().to_owned();
    (folder, path)
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rbacsim")).args(arguments).arg("-f").arg(folder).output().unwrap()
}

/// The text without the colours that are rbacsim's own.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('m') {
            Some((codes, rest)) if codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') => {
                plain.push_str(rest);
            }
            _ => {
                plain.push_str("\u{1b}[");
                plain.push_str(part);
            }
        }
    }
    plain
}

const QUESTIONS: [&[&str]; 24] = [
    &["can-i", "get", "pods", "--as", HOSTILE],
    &["can-i", "get", "pods", "--as", "x", "--as-group", HOSTILE, "-n", HOSTILE],
    &["can-i", "delete", "pods", "--as", HOSTILE, "-n", "prod"],
    &["can-i", "get", "configmaps", "--as", HOSTILE],
    &["can-i", "get", "pods", "--as", "near"],
    &["can-i", "get", "nodes", "--as", "lost", "-n", "prod"],
    &["can-i", HOSTILE, HOSTILE, "--as", HOSTILE, "--subresource", HOSTILE],
    &["can-i", "get", "/h\nFORGED\u{1b}]0;t?x", "--as", HOSTILE],
    &["can-i", "exec", "pods/h\nFORGED\u{1b}]0;t", "--as", HOSTILE, "-n", HOSTILE],
    &["can-i", "create", "pods/h\nFORGED\u{1b}]0;t", "--as", HOSTILE],
    &["can-i", "get", "pods", "--namespaces", "--as", HOSTILE],
    &["can-i", "--list", "--as", HOSTILE, "-n", "prod"],
    &["can-i", "--list", "--arn", HOSTILE],
    &["can-i", "get", "pods", "--arn", "arn:aws:iam::111122223333:role/dev", "--session-name", HOSTILE],
    &["can-i", "get", "pods", "--arn", "arn:aws:iam::111122223333:role/dev2"],
    &["can-i", "get", "pods", "--arn", "arn:aws:iam::111122223333:user/bob"],
    &["whoami", "--arn", HOSTILE, "--arn", "arn:aws:iam::111122223333:role/dev"],
    &["whoami", "--arn", "arn:aws:sts::111122223333:assumed-role/dev/h\nFORGED\u{1b}]0;t"],
    &["whoami", "--arn", "arn:aws:iam::111122223333:user/bob"],
    &["who-can", "get", "pods", "-n", "prod"],
    &["who-can", "exec", "pods/h\nFORGED\u{1b}]0;t", "-A"],
    &["who-can", HOSTILE, HOSTILE],
    &["matrix", "--subjects", "arns,all", "--resources", HOSTILE, "--verbs", HOSTILE],
    &["matrix", "--arn", HOSTILE, "--as", HOSTILE],
];

/// Runs a command in colour, so that nothing takes escape sequences away behind its back.
#[track_caller]
fn check(arguments: &[&str], folder: &Path) -> String {
    let output = run(&[arguments, &["--color", "always", "--diagnostics", "all"]].concat(), folder);
    let mut both = String::new();
    for bytes in [&output.stdout, &output.stderr] {
        let text = without_colours(std::str::from_utf8(bytes).unwrap());
        if let Some(bad) = text.chars().find(|char| *char != '\n' && is_hidden(*char)) {
            panic!("{arguments:?} prints {bad:?}:\n{text:?}");
        }
        if let Some(line) = text.lines().find(|line| line.trim_start().starts_with("FORGED")) {
            panic!("{arguments:?} prints {line:?}:\n{text}");
        }
        both.push_str(&text);
    }
    both
}

#[test]
fn no_text_for_people_takes_commands_from_the_inputs() {
    let (_keep, folder) = folder();
    let mut seen = 0;
    for arguments in QUESTIONS {
        seen += usize::from(check(arguments, &folder).contains(SHOWN));
    }
    for format in ["table", "markdown"] {
        for arguments in [
            ["matrix", "--subjects", "arns,all", "-o", format].as_slice(),
            &["matrix", "--as", HOSTILE, "-o", format],
            &["matrix", "--as", HOSTILE, "--preset", "sensitive", "-o", format],
            &["matrix", "--arn", "arn:aws:iam::111122223333:role/dev", "-n", HOSTILE, "-o", format],
        ] {
            check(arguments, &folder);
        }
    }
    // A test that never meets the name proves nothing.
    assert!(seen > 15, "{seen}");
}

#[test]
fn machines_get_the_name_as_it_is() {
    let (_keep, folder) = folder();
    let output = run(&["can-i", "get", "pods", "--as", HOSTILE, "-o", "json"], &folder);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["identity"]["username"], HOSTILE);
    let output = run(&["matrix", "--as", HOSTILE, "-o", "ndjson"], &folder);
    let rows = String::from_utf8(output.stdout).unwrap();
    for row in rows.split_terminator('\n') {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        assert_eq!(row["identity"], HOSTILE);
    }
}

/// The records of a CSV, read as RFC 4180 says.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let record = records.last_mut().unwrap();
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                record.last_mut().unwrap().push(chars.next().unwrap());
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\n' if !quoted => records.push(vec![String::new()]),
            other => record.last_mut().unwrap().push(other),
        }
    }
    assert_eq!(records.pop(), Some(vec![String::new()]));
    records
}

#[test]
fn csv_keeps_the_name_and_its_rows() {
    let (_keep, folder) = folder();
    let output = run(&["matrix", "--as", HOSTILE, "-o", "csv"], &folder);
    let records = records(std::str::from_utf8(&output.stdout).unwrap());
    assert!(records.len() > 20);
    for record in records.iter().skip(1) {
        assert_eq!(record.len(), 8, "{record:?}");
        assert_eq!((record[1].as_str(), record[2].as_str()), (HOSTILE, HOSTILE));
    }
}

#[test]
fn csv_warns_of_what_a_spreadsheet_would_run() {
    let folder = tempfile::tempdir().unwrap();
    let policy = |name: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: r}}\nrules: [{{verbs: [get], apiGroups: [''], resources: [pods]}}]\n---\n\
             apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: b}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}}\nsubjects: [{{kind: User, name: {name:?}}}]\n"
        )
    };
    for (name, warns) in
        [("=cmd|' /C calc'!A0", true), ("@SUM(1)", true), ("+1", true), ("-1", true), ("a=1", false)]
    {
        std::fs::write(folder.path().join("p.yaml"), policy(name)).unwrap();
        let output = run(&["matrix", "--subjects", "all", "-o", "csv"], folder.path());
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        // The text itself is data, and stays.
        assert!(out.contains(&format!("User,{name},{name},")), "{out}");
        assert_eq!(err.contains("looks like a formula"), warns, "{name}: {err}");
    }
}

#[test]
fn html_cannot_be_left_by_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let policy = POLICY.replace("@H", r#""</script><img src=x onerror=FORGED>\e""#).replace("@E", "x");
    std::fs::write(folder.path().join("p.yaml"), policy).unwrap();
    let output = run(&["matrix", "--subjects", "arns,all", "-o", "html"], folder.path());
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("onerror=FORGED"));
    assert!(!page.contains("<img") && page.matches("</script>").count() == 2, "{page}");
    assert!(!page.contains('\u{1b}'));
}
