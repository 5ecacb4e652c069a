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

/// What was selected, in every form: its one line, and in the forms for machines the fields.
#[test]
fn what_was_selected_stands_in_every_form() {
    let asked = ["-n", "prod", "--resources", "secrets", "--verbs", "get", "--exclude-system"];
    let line = "selected: every mapped IAM identity, without those that come with Kubernetes or EKS; namespace prod; resource secrets; verb get";
    for format in ["table", "wide", "markdown", "json", "html", "csv", "ndjson"] {
        let mut args = vec!["matrix", "-o", format];
        args.extend(asked);
        let output = run(&args);
        let out = text(&output.stdout);
        // Long forms are rows and nothing else: readers of CSV and NDJSON find it in `--meta`, people on standard error.
        let place = if matches!(format, "csv" | "ndjson") { text(&output.stderr) } else { out };
        assert!(place.contains(line), "{format}: {place}");
    }
    let meta = tempfile::NamedTempFile::new().unwrap();
    let path = meta.path().to_str().unwrap();
    let output = run(&["matrix", "-o", "csv", "--preset", "sensitive", "--arn", ONCALL, "--meta", path]);
    assert_eq!(output.status.code(), Some(0));
    let meta: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let asked = &meta["meta"]["asked"];
    assert_eq!(asked["identities"], ONCALL);
    assert_eq!(asked["preset"]["name"], "sensitive");
    let columns = asked["preset"]["columns"].as_array().unwrap();
    let line =
        format!("selected: {ONCALL}; all namespaces; preset sensitive, {} kinds of access", columns.len());
    assert_eq!(asked["selection"], line.as_str());
    assert!(columns.iter().all(|one| one["means"].as_str().unwrap().ends_with('.')));
    // Forms with room for sentences have one for each kind of access.
    for format in ["wide", "table", "markdown", "html", "json"] {
        let output = text(&run(&["matrix", "-o", format, "--preset", "sensitive"]).stdout);
        for column in columns {
            let whole = column["means"].as_str().unwrap();
            // Tables break sentences into lines.
            let words = if matches!(format, "html" | "json") { usize::MAX } else { 2 };
            let first = whole.split(' ').take(words).collect::<Vec<_>>().join(" ");
            assert!(output.contains(&first), "{format}: {first}");
        }
    }
}

/// `sensitive` asks about `aws-auth` alone, whatever the form.
#[test]
fn the_preset_shows_access_to_aws_auth_and_to_no_other_config_map_in_every_form() {
    let rule = |name: &str, object: &str| {
        format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: {name}, namespace: kube-system}}\nrules: [{{verbs: [update], apiGroups: [\"\"], resources: [configmaps], resourceNames: [{object}]}}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: {name}, namespace: kube-system}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}\nsubjects: [{{kind: User, apiGroup: rbac.authorization.k8s.io, name: {name}}}]\n"
        )
    };
    let elsewhere = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules: [{verbs: [update], apiGroups: [\"\"], resources: [configmaps]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: carol, namespace: prod}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}\nsubjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: carol}]\n";
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), format!("{}{}{elsewhere}", rule("alice", "aws-auth"), rule("bob", "other")))
        .unwrap();
    let path = file.path().to_str().unwrap();
    let of = |format: &str, who: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .args(["matrix", "--preset", "sensitive", "--as", who, "--complete", "-o", format, "-f", path])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        text(&output.stdout).clone()
    };
    for format in ["csv", "ndjson"] {
        let rows = |who: &str| of(format, who).lines().filter(|line| line.contains("configmaps")).count();
        assert_eq!(["alice", "bob", "carol"].map(rows), [1, 0, 0], "{format}");
    }
    let rows = |who: &str| {
        let json: serde_json::Value = serde_json::from_str(&of("json", who)).unwrap();
        let rows = json["rows"].as_array().unwrap();
        rows.iter().filter(|row| row["resource"] == "configmaps").count()
    };
    assert_eq!(["alice", "bob", "carol"].map(rows), [1, 0, 0]);
    for format in ["table", "wide", "markdown"] {
        let row = |who: &str| {
            let text = of(format, who);
            let line =
                text.lines().find(|line| line.contains("update configmaps/aws-auth")).map(str::to_owned);
            line.unwrap_or_else(|| panic!("{format}: {text}"))
        };
        assert_eq!(row("bob"), row("carol"), "{format}");
        assert_ne!(row("alice"), row("bob"), "{format}");
    }
    let blocks = |who: &str| {
        let page = of("html", who);
        let data = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0.to_owned();
        let data: serde_json::Value = serde_json::from_str(&data).unwrap();
        data["blocks"].as_array().unwrap().len()
    };
    assert_eq!([blocks("alice"), blocks("bob"), blocks("carol")], [1, 0, 0]);
}
