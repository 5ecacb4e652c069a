//! The commands matrix, who-can and can-i --namespaces through the binary.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args).args(["-f", "testdata/quickstart"]);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const ONCALL: &str = "arn:aws:iam::111122223333:role/oncall";

#[test]
fn rows_go_to_standard_output_and_what_they_rest_on_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let meta = folder.path().join("meta.json");
    let output = run(&[
        "matrix",
        "-o",
        "csv",
        "--meta",
        meta.to_str().unwrap(),
        "--arn",
        ONCALL,
        "-n",
        "prod,staging",
        "--verbs",
        "create",
        "--resources",
        "pods/exec,po",
    ]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        "identity_kind,identity,username,namespace,api_group,resource,verb,resource_names\n\
         iam,arn:aws:iam::111122223333:role/oncall,oncall:{{SessionName}},prod,,pods/exec,create,\n\
         iam,arn:aws:iam::111122223333:role/oncall,oncall:{{SessionName}},staging,,pods,create,\n\
         iam,arn:aws:iam::111122223333:role/oncall,oncall:{{SessionName}},staging,,pods/exec,create,\n"
    );
    assert!(
        text(&output.stderr).starts_with("note: 3 rows for 1 identity, from 6 files"),
        "{}",
        text(&output.stderr)
    );
    let meta: serde_json::Value = serde_json::from_slice(&std::fs::read(meta).unwrap()).unwrap();
    assert_eq!(meta["meta"]["rows"], 3);
    assert_eq!(meta["unknown"], serde_json::json!([]));
}

#[test]
fn identities_are_the_mapped_ones_unless_there_are_none() {
    let kinds = |args: &[&str]| -> Vec<String> {
        let output = run(&[&["matrix", "-o", "csv", "--resources", "pods", "--verbs", "get"], args].concat());
        let mut kinds: Vec<String> = text(&output.stdout)
            .lines()
            .skip(1)
            .map(|row| row.split(',').next().unwrap().to_owned())
            .collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(&[]), ["iam"]);
    assert_eq!(kinds(&["--subjects", "all"]), ["Group", "ServiceAccount", "User"]);
    assert_eq!(kinds(&["--subjects", "arns,all", "--exclude-system"]), ["Group", "iam"]);
}

#[test]
fn every_format_is_the_same_twice_and_none_is_empty() {
    for format in ["table", "csv", "json", "ndjson", "markdown", "html"] {
        let once = run(&["matrix", "-o", format, "--subjects", "arns,all"]);
        let again = run(&["matrix", "-o", format, "--subjects", "arns,all"]);
        assert_eq!(once.status.code(), Some(0), "{format}");
        assert!(once.stdout.len() > 1000 && once.stdout == again.stdout, "{format}");
    }
    let table = text(&run(&["matrix", "--preset", "sensitive"]).stdout);
    assert!(table.is_ascii(), "no terminal, so ASCII only");
}

#[test]
fn an_object_is_no_column() {
    let output = run(&["matrix", "--resources", "pods/web"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`pods/web` names the object `web`"));
}

#[test]
fn namespaces_in_which_the_answer_is_yes() {
    let output = run(&["can-i", "exec", "pods", "--namespaces", "--arn", ONCALL, "-o", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["answer"], "yes");
    assert_eq!(answer["allNamespaces"], "no");
    assert_eq!(answer["namespaces"]["yes"], serde_json::json!(["prod", "staging"]));
    let nowhere =
        run(&["can-i", "exec", "pods", "--namespaces", "--arn", "arn:aws:iam::111122223333:role/ci-deploy"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(&nowhere.stdout).starts_with("no - exec pods"), "{}", text(&nowhere.stdout));
    let cluster_scoped = run(&["can-i", "get", "nodes", "--namespaces", "--arn", ONCALL]);
    assert_eq!(cluster_scoped.status.code(), Some(2));
}

#[test]
fn who_can_says_nobody_with_exit_code_one() {
    let output = run(&["who-can", "update", "configmaps/aws-auth", "-n", "kube-system", "--exclude-system"]);
    assert_eq!(output.status.code(), Some(1), "an ARN in system:masters is nobody else");
    let exec = run(&["who-can", "exec", "pods", "-n", "prod", "-o", "json"]);
    let exec: serde_json::Value = serde_json::from_slice(&exec.stdout).unwrap();
    let arns: Vec<&str> =
        exec["identities"].as_array().unwrap().iter().map(|one| one["arn"].as_str().unwrap()).collect();
    assert_eq!(arns, ["arn:aws:iam::111122223333:role/platform-admin", ONCALL]);
    assert_eq!(exec["subjects"][0]["name"], "system:masters");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args([
        "who-can",
        "get",
        "pods",
        "-n",
        "prod",
        "--defaults",
        "never",
        "--complete",
        "-f",
        "testdata/quickstart/crd.yaml",
    ]);
    let nobody = command.output().unwrap();
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stdout).starts_with("no one besides Group `system:masters` can get pods"));
}

#[test]
fn an_empty_namespace_is_none_given() {
    for arguments in [
        &["can-i", "get", "pods", "--as", "oncall"][..],
        &["can-i", "exec", "pods", "--as", "oncall"],
        &["can-i", "--list", "--as", "oncall"],
        &["who-can", "get", "pods"],
        &["who-can", "exec", "pods"],
        &["matrix", "-o", "csv"],
    ] {
        let plain = run(arguments);
        let empty = run(&[arguments, &["-n", ""]].concat());
        assert_eq!(text(&empty.stdout), text(&plain.stdout), "{arguments:?}");
        assert_eq!(empty.status, plain.status, "{arguments:?}");
    }
}
