//! In a pipeline: a pull request in a real Git repository, and the shell of the files that forges look for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text_of(&output.stderr));
    text_of(&output.stdout).to_owned()
}

/// A repository with the quickstart in `manifests`, committed.
fn repository() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    fs::create_dir(path.join("manifests")).unwrap();
    for entry in fs::read_dir(Path::new(ROOT).join("testdata/quickstart")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension == "yaml") {
            fs::copy(entry.path(), path.join("manifests").join(entry.file_name())).unwrap();
        }
    }
    git(&path, &["init", "-q", "-b", "main"]);
    git(&path, &["add", "."]);
    git(&path, &["commit", "-qm", "base"]);
    (folder, path)
}

/// The change of the quickstart: developers are on call too.
fn change(path: &Path) {
    let file = path.join("manifests/aws-auth.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let changed = text.replacen(
        "      username: dev:{{SessionName}}\n      groups:\n        - developers\n",
        "      username: dev:{{SessionName}}\n      groups:\n        - developers\n        - on-call\n",
        1,
    );
    assert_ne!(text, changed);
    fs::write(file, changed).unwrap();
}

fn rbacsim(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_pull_request_is_compared_with_its_base_without_a_checkout() {
    let (_folder, path) = repository();
    let diff =
        |more: &[&str]| rbacsim(&path, &[&["diff", "--base", "HEAD", "-f", "manifests"][..], more].concat());
    let same = diff(&[]);
    assert_eq!((text_of(&same.stdout), same.status.code()), ("no change of access\n", Some(0)));

    // Comments, order and file names change no access.
    let before = git(&path, &["status", "--porcelain"]);
    fs::rename(path.join("manifests/roles.yaml"), path.join("manifests/renamed.yaml")).unwrap();
    let moved = diff(&[]);
    assert_eq!((text_of(&moved.stdout), moved.status.code()), ("no change of access\n", Some(0)));
    fs::rename(path.join("manifests/renamed.yaml"), path.join("manifests/roles.yaml")).unwrap();
    assert_eq!(git(&path, &["status", "--porcelain"]), before);

    change(&path);
    let changed = diff(&[]);
    let shown = text_of(&changed.stdout);
    assert_eq!(changed.status.code(), Some(1), "{shown}");
    assert!(
        shown.starts_with("1 identity gains access; sensitive access is among what is gained\n"),
        "{shown}"
    );
    assert!(
        shown.contains("group `on-call` added to the mapping of `arn:aws:iam::111122223333:role/dev`"),
        "{shown}"
    );
    assert!(shown.contains("manifests/aws-auth.yaml:22"), "{shown}");
    assert!(shown.contains("+ `role/dev` gains in prod:\n      get, create on pods/exec\n"), "{shown}");
    assert!(shown.contains("sensitive: create pods/exec: Runs commands in running containers"), "{shown}");
    for (fail_on, code) in [("gained", 1), ("lost", 0), ("sensitive", 1), ("never", 0)] {
        assert_eq!(diff(&["--fail-on", fail_on]).status.code(), Some(code), "{fail_on}");
    }
    // From a folder of the repository, and of the other direction.
    let inside = rbacsim(&path.join("manifests"), &["diff", "--base", "HEAD"]);
    assert!(text_of(&inside.stdout).contains("`role/dev` gains in prod"), "{}", text_of(&inside.stdout));
    git(&path, &["commit", "-qam", "on call"]);
    let back = rbacsim(&path, &["diff", "--base", "HEAD~1", "-f", "manifests", "-o", "csv"]);
    let rows = text_of(&back.stdout);
    assert_eq!(
        rows.lines().skip(1).collect::<Vec<_>>(),
        [
            "+,iam,arn:aws:iam::111122223333:role/dev,dev:{{SessionName}},prod,,pods/exec,create,",
            "+,iam,arn:aws:iam::111122223333:role/dev,dev:{{SessionName}},prod,,pods/exec,get,",
        ]
    );
    let json = rbacsim(&path, &["diff", "--base", "HEAD~1", "-f", "manifests", "-o", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json["gained"].as_array().unwrap().len(), &json["lost"]), (2, &Value::Array(Vec::new())));
    assert_eq!(json["identities"]["changed"][0]["arn"], "arn:aws:iam::111122223333:role/dev");
    assert_eq!(json["gained"][0]["grants"].as_array().unwrap().len(), 1);
    let unknown = rbacsim(&path, &["diff", "--base", "no-such-branch", "-f", "manifests"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text_of(&unknown.stderr).contains("`no-such-branch` is no revision"),
        "{}",
        text_of(&unknown.stderr)
    );
}

#[test]
fn what_is_not_read_now_is_not_read_of_the_revision() {
    let (_folder, path) = repository();
    let open = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: old}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects:\n- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: old}\n";
    for folder in ["manifests/node_modules/x", "manifests/examples", "manifests/old", "other"] {
        fs::create_dir_all(path.join(folder)).unwrap();
        fs::write(path.join(folder).join("a.yaml"), open).unwrap();
    }
    fs::write(path.join("manifests/.rbacsimignore"), "examples\n").unwrap();
    git(&path, &["add", "-f", "."]);
    git(&path, &["commit", "-qm", "more"]);
    let diff = |more: &[&str]| {
        let output = rbacsim(&path, &[&["diff", "--base", "HEAD"][..], more].concat());
        text_of(&output.stdout).to_owned()
    };
    for paths in [
        &["-f", "manifests"][..],
        &["-f", "manifests/"],
        &["-f", "./manifests"],
        &["-f", "."],
        &[],
        &["-f", "manifests/old/a.yaml"],
    ] {
        assert_eq!(diff(paths), "no change of access\n", "{paths:?}");
    }
    fs::remove_file(path.join("manifests/examples/a.yaml")).unwrap();
    fs::remove_file(path.join("manifests/node_modules/x/a.yaml")).unwrap();
    assert_eq!(diff(&["-f", "manifests"]), "no change of access\n");
    fs::remove_file(path.join("manifests/old/a.yaml")).unwrap();
    assert!(diff(&["-f", "manifests"]).contains("- Group `old` loses"));
    assert_eq!(diff(&["-f", "manifests", "--exclude", "old"]), "no change of access\n");
}

#[test]
fn annotations_stand_on_the_line_that_changed() {
    let (_folder, path) = repository();
    change(&path);
    let diff = |format: &str| rbacsim(&path, &["diff", "--base", "HEAD", "-f", "manifests", "-o", format]);
    let shown = diff("github");
    let shown = text_of(&shown.stdout).to_owned();
    assert!(
        shown
            .starts_with("::warning file=manifests/aws-auth.yaml,line=22,title=rbacsim access-gained::group"),
        "{shown}"
    );
    let log: Value = serde_json::from_slice(&diff("sarif").stdout).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 22);
    assert_eq!(
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "manifests/aws-auth.yaml"
    );
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "rbacsim/diff/");
}

#[test]
fn readme_shows_the_comment_that_the_tool_makes() {
    let (_folder, path) = repository();
    change(&path);
    let comment = rbacsim(&path, &["diff", "--base", "HEAD", "-f", "manifests", "-o", "markdown"]);
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let shown = format!("```markdown\n{}```\n", text_of(&comment.stdout));
    assert!(readme.contains(&shown), "README must hold:\n{shown}");
}

/// The action's script, with the binary of this build on the path.
fn action(folder: &Path, environment: &[(&str, &str)]) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_rbacsim")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([binary].into_iter().chain(std::env::split_paths(&path))).unwrap();
    Command::new("bash")
        .arg(Path::new(ROOT).join(".ci/action"))
        .current_dir(folder)
        .env("PATH", path)
        .env("GITHUB_OUTPUT", folder.join("out"))
        .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_shell_of_the_action_runs() {
    let (_folder, path) = repository();
    change(&path);
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
    let diff = [("RUN_COMMAND", "diff"), ("RUN_BASE", "HEAD"), ("RUN_PATHS", "manifests\n")];
    let run = action(&path, &diff);
    let shown = text_of(&run.stdout);
    assert_eq!(run.status.code(), Some(0), "{shown}{}", text_of(&run.stderr));
    assert!(shown.contains("::warning file=manifests/aws-auth.yaml,line=22"), "{shown}");
    assert!(read("summary").starts_with("### rbacsim: 1 identity gains access"), "{}", read("summary"));
    assert_eq!(read("out"), "file=rbacsim.md\ncode=0\n");
    let failing = action(&path, &[&diff[..], &[("RUN_FAIL_ON", "sensitive")]].concat());
    assert_eq!(failing.status.code(), Some(1));

    let lint = action(&path, &[("RUN_COMMAND", "lint"), ("RUN_PATHS", "manifests"), ("RUN_FILE", "x.sarif")]);
    assert_eq!(lint.status.code(), Some(1));
    assert!(
        text_of(&lint.stdout)
            .contains("::warning file=manifests/aws-auth.yaml,line=17,title=rbacsim mapped-to-masters"),
        "{}",
        text_of(&lint.stdout)
    );
    let log: Value = serde_json::from_str(&read("x.sarif")).unwrap();
    assert_eq!(log["version"], "2.1.0");

    fs::write(
        path.join("tests.yaml"),
        "inputs: [manifests]\ntests:\n- name: only on-call opens a shell\n  arn: arn:aws:iam::111122223333:role/dev\n  namespace: prod\n  cannot: exec pods\n",
    )
    .unwrap();
    let check = action(&path, &[("RUN_COMMAND", "check"), ("RUN_PATHS", "tests.yaml"), ("RUN_ARGS", "")]);
    assert_eq!(check.status.code(), Some(1), "{}", text_of(&check.stderr));
    assert!(
        text_of(&check.stdout)
            .contains("::error file=tests.yaml,line=6,title=rbacsim check%3A only on-call opens a shell::"),
        "{}",
        text_of(&check.stdout)
    );
    assert!(read("rbacsim.xml").contains("failures=\"1\""));
    let unknown = action(&path, &[("RUN_COMMAND", "frob")]);
    assert_eq!(unknown.status.code(), Some(2));
}

fn yaml(path: &str) -> serde_yaml::Value {
    serde_yaml::from_str(&fs::read_to_string(Path::new(ROOT).join(path)).unwrap()).unwrap()
}

#[test]
fn action_passes_everything_by_environment() {
    let action = yaml("action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    let inputs: Vec<&str> =
        action["inputs"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
    let mut passed = String::new();
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step:?}");
        assert_eq!(step["shell"], "bash");
        for (_, value) in step["env"].as_mapping().into_iter().flatten() {
            passed.push_str(value.as_str().unwrap());
        }
    }
    for input in inputs {
        assert!(passed.contains(&format!("inputs.{input} ")), "{input} reaches nobody");
    }
}

#[test]
fn hooks_and_snippets_name_commands_that_there_are() {
    for hook in yaml(".pre-commit-hooks.yaml").as_sequence().unwrap() {
        assert_eq!((&hook["language"], &hook["pass_filenames"]), (&"rust".into(), &false.into()));
        let entry = hook["entry"].as_str().unwrap().strip_prefix("rbacsim ").unwrap();
        let help = rbacsim(Path::new(ROOT), &[entry, "--help"]);
        assert!(help.status.success(), "{entry}");
    }
    // The script of the GitLab job, run as it stands.
    let docs = fs::read_to_string(Path::new(ROOT).join("docs/pipelines.md")).unwrap();
    let snippets: Vec<serde_yaml::Value> = docs
        .split("```yaml\n")
        .skip(1)
        .map(|rest| serde_yaml::from_str(rest.split("```").next().unwrap()).unwrap())
        .collect();
    let job = snippets.iter().find(|snippet| snippet["rbac"]["script"].is_sequence()).unwrap();
    let (_folder, path) = repository();
    change(&path);
    fs::write(path.join("rbac-tests.yaml"), "tests: []\ninputs: [manifests]\n").unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_rbacsim")).parent().unwrap().to_owned();
    let search = std::env::var_os("PATH").unwrap();
    let search = std::env::join_paths([binary].into_iter().chain(std::env::split_paths(&search))).unwrap();
    for line in job["rbac"]["script"].as_sequence().unwrap() {
        let line = line.as_str().unwrap();
        let output = Command::new("bash")
            .args(["-c", line])
            .current_dir(&path)
            .env("PATH", &search)
            .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", "HEAD")
            .output()
            .unwrap();
        assert!(output.status.code().unwrap() < 2, "{line}: {}", text_of(&output.stderr));
    }
    for (file, sign) in
        [("rbacsim.md", "### rbacsim: "), ("rbacsim-lint.xml", "<?xml"), ("rbacsim-check.xml", "<?xml")]
    {
        assert!(fs::read_to_string(path.join(file)).unwrap().starts_with(sign), "{file}");
    }
    let hooks = snippets.iter().find(|snippet| snippet["repos"].is_sequence()).unwrap();
    assert_eq!(hooks["repos"][0]["hooks"].as_sequence().unwrap().len(), 2);
    let assertions = docs.split("```yaml\n").last().unwrap().split("```").next().unwrap();
    let parsed = rbacsim::ask::check::file::parse(assertions.as_bytes()).unwrap();
    assert_eq!(parsed.tests.len(), 3);
}

#[test]
fn no_side_of_a_difference_is_rendered_alone() {
    let (_folder, path) = repository();
    // No kustomization stands there, and what the program says is of the revision.
    let rendered = rbacsim(&path, &["diff", "--base", "HEAD", "-k", "manifests"]);
    assert_eq!((rendered.status.code(), text_of(&rendered.stdout)), (Some(2), ""));
    assert!(
        text_of(&rendered.stderr).contains("-k manifests")
            || text_of(&rendered.stderr).contains("at HEAD: `kubectl kustomize manifests` failed")
            || text_of(&rendered.stderr).contains("at HEAD: `kustomize build manifests` failed"),
        "{}",
        text_of(&rendered.stderr)
    );
    let one = rbacsim(&path, &["diff", "manifests", "manifests", "-k", "manifests"]);
    assert_eq!((one.status.code(), text_of(&one.stdout)), (Some(2), ""));
}

#[test]
fn lost_access_is_a_finding_too() {
    let (_folder, path) = repository();
    change(&path);
    git(&path, &["commit", "-qam", "on call"]);
    let before = git(&path, &["rev-parse", "HEAD~1"]);
    git(&path, &["checkout", "-q", before.trim(), "--", "manifests"]);
    let lost = rbacsim(&path, &["diff", "--base", "HEAD", "-f", "manifests", "-o", "github"]);
    assert!(text_of(&lost.stdout).contains("title=rbacsim access-lost::"), "{}", text_of(&lost.stdout));
}
