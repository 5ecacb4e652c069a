//! `-k` and `--helm-chart`: programs are run, and each object is shown at its place in its own file.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer}
rules:
- {apiGroups: [''], resources: [pods], verbs: [list]}
- {apiGroups: [''], resources: [secrets], verbs: [get]}
";

const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}
";

/// A base with a Role and a RoleBinding in one file, and an overlay that puts them into `prod`, with a prefix.
fn tree() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("base/rbac.yaml", &format!("# the deployer\n{ROLE}---\n{BINDING}"));
    write("base/kustomization.yaml", "resources: [rbac.yaml]\n");
    write("prod/kustomization.yaml", "namespace: prod\nnamePrefix: prod-\nresources: [../base]\n");
    folder
}

/// Puts a program on a path of its own that holds nothing else but the shell's tools.
fn stand_in(folder: &Path, name: &str, script: &str) -> String {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    bin.display().to_string()
}

fn run(folder: &Path, path: Option<&str>, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(folder).args(args);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

const ASKED: [&str; 7] = ["can-i", "get", "secrets", "-n", "prod", "--as", "alice"];

/// Whether kubectl is there to render; where it is not, the test says that it was skipped.
fn has_kustomize() -> bool {
    let asked = Command::new("kubectl").args(["kustomize", "--help"]).output();
    let there = asked.is_ok_and(|out| out.status.success());
    if !there {
        super::recorded::skipped("kubectl kustomize");
    }
    there
}

fn asked<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ASKED.iter().chain(more).copied().collect()
}

#[test]
fn a_rendered_object_stands_in_its_own_file() {
    if !has_kustomize() {
        return;
    }
    let tree = tree();
    let (stdout, stderr, code) = said(&run(tree.path(), None, &asked(&["-k", "prod"])));
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    for line in [
        "RoleBinding `prod/prod-deployer`  base/rbac.yaml:9",
        "names User `alice`              base/rbac.yaml:14",
        "Role `prod/prod-deployer`         base/rbac.yaml:2",
        "rule 2: get on secrets          base/rbac.yaml:7",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    // The same with a whole path, and beside files.
    let whole = tree.path().join("prod");
    let output = run(Path::new("/"), None, &asked(&["-k", whole.to_str().unwrap()]));
    assert_eq!(output.status.code(), Some(0));
    let more = tree.path().join("more.yaml");
    fs::write(&more, BINDING.replace("deployer}\nroleRef", "more}\nroleRef")).unwrap();
    let output = run(tree.path(), None, &asked(&["-f", "more.yaml", "-k", "prod"]));
    assert_eq!(said(&output).2, Some(0));
    assert!(said(&output).0.contains("from 2 files with 3 RBAC objects"), "{}", said(&output).0);
}

#[test]
fn kustomize_is_asked_where_kubectl_is_not_there() {
    let tree = tree();
    // Without the annotation that tells the origin, an object stands in what the program printed.
    let rendered = format!(
        "{}---\n{}",
        ROLE.replace("deployer}", "deployer, namespace: prod}"),
        BINDING.replace("deployer}\nroleRef", "deployer, namespace: prod}\nroleRef")
    );
    let script = format!(
        "[ \"$1\" = build ] || exit 9\ncase $2 in *rbacsim-*) exit 1;; esac\ncat <<'X'\n{rendered}X\n"
    );
    let path = stand_in(tree.path(), "kustomize", &script) + ":/usr/bin-none:/bin";
    if Path::new("/bin/kubectl").exists() {
        // Then /bin is no path without kubectl; the shell finds `cat` by its whole name.
        let script = script.replace("cat <<", "/bin/cat <<");
        let path = stand_in(tree.path(), "kustomize", &script);
        let (stdout, stderr, code) = said(&run(tree.path(), Some(&path), &asked(&["-k", "prod"])));
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        assert!(stdout.contains("kustomize build prod:8"), "{stdout}");
        return;
    }
    let (stdout, stderr, code) = said(&run(tree.path(), Some(&path), &asked(&["-k", "prod"])));
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("kustomize build prod:8"), "{stdout}");
}

#[test]
fn a_program_that_fails_is_shown_with_its_words() {
    let tree = tree();
    let path = stand_in(tree.path(), "kubectl", "echo 'first line' >&2\necho '  second line' >&2\nexit 3\n");
    let (stdout, stderr, code) = said(&run(tree.path(), Some(&path), &asked(&["-k", "prod"])));
    assert_eq!((stdout.as_str(), code), ("", Some(2)));
    let expected =
        "rbacsim: `kubectl kustomize prod` failed (exit status: 3):\n  first line\n    second line\n";
    assert_eq!(stderr, expected);
    let (_, stderr, code) = said(&run(tree.path(), Some("/nowhere"), &asked(&["-k", "prod"])));
    assert_eq!(code, Some(2));
    assert_eq!(stderr, "rbacsim: -k prod needs kubectl or kustomize on PATH, and neither was found\n");
    let (_, stderr, code) = said(&run(tree.path(), Some("/nowhere"), &asked(&["--helm-chart", "c"])));
    assert_eq!(code, Some(2));
    assert_eq!(stderr, "rbacsim: --helm-chart c needs helm on PATH, and it was not found\n");
}

#[test]
fn no_shell_reads_the_name_of_a_folder() {
    let tree = tree();
    let odd = "a; touch made $(touch made) 'b";
    fs::create_dir(tree.path().join(odd)).unwrap();
    let path = stand_in(
        tree.path(),
        "kubectl",
        "[ \"$2\" = \"a; touch made \\$(touch made) 'b\" ] && exit 4\nexit 5\n",
    );
    let (_, stderr, code) = said(&run(tree.path(), Some(&path), &asked(&["-k", odd])));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("exit status: 4"), "{stderr}");
    assert!(!tree.path().join("made").exists());
}

#[test]
fn a_chart_is_rendered_with_its_values() {
    let tree = tree();
    let template = "{{- if .Values.rbac }}\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: {{ .Values.name }}}\n{{- end }}\n---\nkind: RoleBinding\n";
    fs::create_dir_all(tree.path().join("chart/templates")).unwrap();
    fs::write(tree.path().join("chart/templates/rbac.yaml"), template).unwrap();
    let source = "# Source: shop/templates/rbac.yaml\n";
    let role = ROLE.replace("deployer}", "deployer, namespace: prod}");
    let binding = BINDING.replace("deployer}\nroleRef", "deployer, namespace: prod}\nroleRef");
    let script = format!(
        "[ \"$*\" = 'template chart --values a.yaml --values b.yaml' ] || exit 9\nwhile read -r line; do echo \"$line\"; done <<'X'\n---\n{source}{role}---\n{source}{binding}X\n"
    );
    let path = stand_in(tree.path(), "helm", &script);
    let args = asked(&["--helm-chart", "chart", "--helm-values", "a.yaml", "--helm-values", "b.yaml"]);
    let (stdout, stderr, code) = said(&run(tree.path(), Some(&path), &args));
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("Role `prod/deployer`         chart/templates/rbac.yaml:3"), "{stdout}");
    assert!(stdout.contains("RoleBinding `prod/deployer`  chart/templates/rbac.yaml:7"), "{stdout}");
    // Values without a chart make no sense.
    assert_eq!(run(tree.path(), None, &asked(&["--helm-values", "a.yaml"])).status.code(), Some(2));
}

/// A command of git in a folder, without anybody's settings.
fn git(folder: &Path, args: &[&str]) {
    let status = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .status();
    assert!(status.unwrap().success(), "{args:?}");
}

#[test]
fn both_sides_of_a_revision_are_rendered() {
    let tree = tree();
    // The folder is given from where the command runs, and both sides read the base that the overlay names.
    let script = "[ \"$2\" != . ] && [ -f \"$2/kustomization.yaml\" ] && [ -d \"$2/../base\" ] || exit 7\nwhile read -r line; do echo \"$line\"; done < \"$2/../base/rbac.yaml\"\n";
    let bin = stand_in(tree.path(), "kubectl", script);
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let rbac = tree.path().join("base/rbac.yaml");
    let text = fs::read_to_string(&rbac).unwrap();
    let flat = text.replace("deployer}\nr", "deployer, namespace: prod}\nr");
    fs::write(&rbac, &flat).unwrap();
    fs::write(tree.path().join(".gitignore"), "bin\n").unwrap();
    git(tree.path(), &["init", "-q"]);
    git(tree.path(), &["add", "."]);
    git(tree.path(), &["commit", "-qm", "base"]);
    let diff = |folder: &Path, dir: &str| {
        let args = ["diff", "--base", "HEAD", "-k", dir, "--defaults", "never"];
        let (stdout, stderr, code) = said(&run(folder, Some(&path), &args));
        assert!(stderr.is_empty(), "{stderr}");
        (stdout, code)
    };
    assert_eq!(diff(tree.path(), "prod"), ("no change of access\n".to_owned(), Some(0)));
    fs::write(&rbac, flat.replace("verbs: [get]", "verbs: [get, list]")).unwrap();
    let whole = tree.path().canonicalize().unwrap().join("prod");
    for (folder, dir) in [
        (tree.path(), "prod"),
        (&tree.path().join("base"), "../prod"),
        (tree.path(), whole.to_str().unwrap()),
    ] {
        let (stdout, code) = diff(folder, dir);
        assert_eq!(code, Some(1), "{dir}: {stdout}");
        assert!(stdout.contains("User `alice` gains in prod:\n      list on secrets"), "{dir}: {stdout}");
    }
    // What went is of the revision, and says so.
    fs::write(&rbac, flat.replace("secrets", "configmaps")).unwrap();
    let (stdout, _) = diff(tree.path(), "prod");
    assert!(stdout.contains("kubectl kustomize prod at HEAD:"), "{stdout}");
    // An overlay that is new was nothing before.
    fs::rename(tree.path().join("prod"), tree.path().join("stage")).unwrap();
    let (stdout, _) = diff(tree.path(), "stage");
    assert!(stdout.contains("RoleBinding `prod/deployer` added"), "{stdout}");
    // Nothing is written in the repository, and what is outside is not guessed.
    let args = ["diff", "--base", "HEAD", "-k", "/"];
    let (_, stderr, code) = said(&run(tree.path(), Some(&path), &args));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("`/` is outside the Git repository"), "{stderr}");
}

#[test]
fn values_that_a_revision_did_not_have_are_no_part_of_it() {
    let tree = tree();
    // Without values the chart grants list, with them get.
    let script = "verb=list; [ \"$3\" = --values ] && verb=get\nwhile read -r line; do echo \"$line\"; done <<X\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: prod}\nrules: [{apiGroups: [''], resources: [secrets], verbs: [$verb]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: r, namespace: prod}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]\nX\n";
    let bin = stand_in(tree.path(), "helm", script);
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    fs::create_dir(tree.path().join("chart")).unwrap();
    fs::write(tree.path().join("chart/Chart.yaml"), "name: c\n").unwrap();
    git(tree.path(), &["init", "-q"]);
    git(tree.path(), &["add", "."]);
    git(tree.path(), &["commit", "-qm", "base"]);
    let args = ["diff", "--base", "HEAD", "--helm-chart", "chart", "--helm-values", "own.yaml"];
    fs::write(tree.path().join("own.yaml"), "get: true\n").unwrap();
    let (stdout, stderr, _) = said(&run(tree.path(), Some(&path), &args));
    assert!(stdout.contains("User `alice` gains in prod:\n      get on secrets"), "{stdout}{stderr}");
    git(tree.path(), &["add", "."]);
    git(tree.path(), &["commit", "-qm", "values"]);
    let (stdout, stderr, _) = said(&run(tree.path(), Some(&path), &args));
    assert_eq!(stdout, "no change of access\n", "{stderr}");
}

#[test]
fn a_file_of_a_revision_is_named_by_its_place_in_the_repository() {
    if !has_kustomize() {
        return;
    }
    let tree = tree();
    git(tree.path(), &["init", "-q"]);
    git(tree.path(), &["add", "."]);
    git(tree.path(), &["commit", "-qm", "base"]);
    let rbac = tree.path().join("base/rbac.yaml");
    fs::write(&rbac, fs::read_to_string(&rbac).unwrap().replace("[get]", "[list]")).unwrap();
    let top = tree.path().canonicalize().unwrap();
    for (folder, dir, place) in [
        (top.clone(), "prod", "base/rbac.yaml at HEAD:7".to_owned()),
        (top.join("prod"), ".", format!("{}/base/rbac.yaml at HEAD:7", top.display())),
    ] {
        let (stdout, stderr, _) = said(&run(&folder, None, &["diff", "--base", "HEAD", "-k", dir]));
        assert!(stdout.contains(&format!("removed or changed  {place}\n")), "{place}\n{stdout}{stderr}");
    }
}
