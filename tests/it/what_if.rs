//! What if: answers for inputs with objects and mappings more or less are those for inputs so written.

use std::process::{Command, Stdio};

use rbacsim::decide::cluster::Cluster;
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Defaults, Input, LoadError, LoadOptions, WhatIf, load, new_mapping};

use crate::ask::{Request, bind, role, text};

const ONCALL: &str = "arn:aws:sts::111122223333:assumed-role/oncall/alice";
const ROLE: &str = "arn:aws:iam::111122223333:role/oncall";

fn what_if(texts: &[&str], what_if: WhatIf, completeness: Completeness) -> Result<Cluster, LoadError> {
    let inputs: Vec<Input> = texts.iter().map(|yaml| text("in.yaml", yaml)).collect();
    let options = LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(completeness),
        what_if,
        ..LoadOptions::default()
    };
    load(&inputs, &options).map(Cluster::from)
}

fn without(names: &[&str]) -> WhatIf {
    WhatIf { without: names.iter().map(|name| name.parse().unwrap()).collect(), ..WhatIf::default() }
}

fn with(yaml: &str) -> WhatIf {
    WhatIf { with: vec![text("new.yaml", yaml)], ..WhatIf::default() }
}

fn ask(cluster: &Cluster, user: &str, request: &str) -> Ternary {
    let who = rbacsim::decide::cluster::Who::user(UserInfo::authenticated(user, ["g"]));
    cluster.answer_for_type(&who, &Request::parse(request).attributes()).ternary
}

/// Standard output and error, and the exit code.
fn run(arguments: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .args(["-f", "testdata/quickstart"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

const READ: &str = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";

#[test]
fn without_a_binding_its_access_is_gone_and_no_other() {
    let two = [
        role("r", READ),
        bind("a", "ClusterRole r", "User u"),
        bind("ns/b", "ClusterRole r", "User u, User v"),
    ]
    .concat();
    for (name, u_here, u_there, v_here) in [
        ("ClusterRoleBinding/a", Ternary::Yes, Ternary::No, Ternary::Yes),
        ("RoleBinding/ns/b", Ternary::Yes, Ternary::Yes, Ternary::No),
        ("rolebindings/b", Ternary::Yes, Ternary::Yes, Ternary::No),
        ("ClusterRole/r", Ternary::No, Ternary::No, Ternary::No),
    ] {
        // A role that was taken out does not exist, also where the inputs are a part of the cluster.
        for completeness in [Completeness::Complete, Completeness::Partial] {
            let cluster = what_if(&[&two], without(&[name]), completeness).unwrap();
            let found = [
                ask(&cluster, "u", "get pods @ns"),
                ask(&cluster, "u", "get pods @other"),
                ask(&cluster, "v", "get pods @ns"),
            ];
            assert_eq!(found, [u_here, u_there, v_here], "{name} {completeness:?}");
            assert_eq!(cluster.changes().len(), 1);
        }
    }
}

#[test]
fn what_is_not_there_is_an_error_with_the_nearest_name() {
    let one = [role("r", READ), bind("ns/reader", "ClusterRole r", "User u")].concat();
    let error =
        |names: &[&str]| what_if(&[&one], without(names), Completeness::Complete).unwrap_err().to_string();
    assert!(error(&["RoleBinding/ns/readers"]).ends_with("did you mean RoleBinding/ns/reader?"));
    assert!(error(&["RoleBinding/other/reader"]).ends_with("did you mean RoleBinding/ns/reader?"));
    assert!(
        error(&["ClusterRole/quite-another"]).ends_with("the inputs have no ClusterRole `quite-another`")
    );
    let twice = [bind("a/x", "ClusterRole r", "User u"), bind("b/x", "ClusterRole r", "User u")].concat();
    let error = what_if(&[&twice], without(&["RoleBinding/x"]), Completeness::Complete).unwrap_err();
    assert!(error.to_string().contains("write one of RoleBinding/a/x, RoleBinding/b/x"), "{error}");
    let error = what_if(&[&one], with("a: b"), Completeness::Complete).unwrap_err();
    assert!(error.to_string().contains("holds nothing that bears on access"), "{error}");
}

#[test]
fn with_a_file_its_objects_replace_those_of_the_same_name() {
    let old =
        [role("r", READ), bind("a", "ClusterRole r", "User u"), bind("ns/b", "ClusterRole r", "User u")]
            .concat();
    // Another roleRef too: the binding is deleted and made again.
    let new = [
        role("s", "[{apiGroups: [''], resources: [secrets], verbs: [get]}]"),
        bind("a", "ClusterRole s", "User u"),
    ]
    .concat();
    let cluster = what_if(&[&old], with(&new), Completeness::Complete).unwrap();
    assert_eq!(ask(&cluster, "u", "get secrets @other"), Ternary::Yes);
    assert_eq!(ask(&cluster, "u", "get pods @other"), Ternary::No);
    assert_eq!(ask(&cluster, "u", "get pods @ns"), Ternary::Yes);
    assert!(cluster.diagnostics().is_empty(), "{:?}", cluster.diagnostics());
}

#[test]
fn a_mapping_more_or_less() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata:\n  mapRoles: |\n    - {rolearn: 'arn:aws:iam::111122223333:role/oncall', username: u, groups: [g]}\n    - {rolearn: 'arn:aws:iam::111122223333:role/oncall', username: v, groups: [h]}\n  mapAccounts: |\n    - '444455556666'\n";
    let user = |cluster: &Cluster, arn: &str| {
        cluster.identify(arn, None).shown().map(|user| format!("{} {}", user.username, user.groups.join(" ")))
    };
    let less = |arn: &str| WhatIf { without_mapping: vec![arn.to_owned()], ..WhatIf::default() };
    let more = |text: &str| WhatIf { with_mapping: vec![new_mapping(text).unwrap()], ..WhatIf::default() };
    let load = |change| what_if(&[map], change, Completeness::Complete);
    assert_eq!(user(&load(WhatIf::default()).unwrap(), ROLE).unwrap(), "v h system:authenticated");
    // All entries for the ARN go, and the session's ARN names its role's.
    for arn in [ROLE, ONCALL, "ARN:aws:iam::111122223333:ROLE/OnCall"] {
        assert_eq!(user(&load(less(arn)).unwrap(), ROLE), None, "{arn}");
    }
    let account = "arn:aws:iam::444455556666:user/x";
    assert!(user(&load(WhatIf::default()).unwrap(), account).is_some());
    assert!(user(&load(less("444455556666")).unwrap(), account).is_none());
    let error = load(less("arn:aws:iam::111122223333:role/on-call")).unwrap_err().to_string();
    assert!(error.ends_with("did you mean `arn:aws:iam::111122223333:role/oncall`?"), "{error}");

    let cluster = load(more("arn:aws:iam::111122223333:role/oncall=w,a,b")).unwrap();
    assert_eq!(user(&cluster, ROLE).unwrap(), "w a b system:authenticated");
    let cluster = load(more("arn:aws:iam::111122223333:user/team/bob=bob")).unwrap();
    assert_eq!(
        user(&cluster, "arn:aws:iam::111122223333:user/team/bob").unwrap(),
        "bob system:authenticated"
    );
    assert!(new_mapping("arn:aws:iam::111122223333:role/a/path=x").is_err());
    assert!(new_mapping("dev=x").is_err() && new_mapping(ROLE).is_err());

    // Without a map among the inputs nobody else is known to be unmapped.
    let cluster =
        what_if(&[], more("arn:aws:iam::111122223333:role/oncall=w"), Completeness::Partial).unwrap();
    assert_eq!(user(&cluster, ROLE).unwrap(), "w system:authenticated");
    assert!(!cluster.identify("arn:aws:iam::111122223333:role/dev", None).error().unwrap().is_refusal());
    let cluster = load(without(&["ConfigMap/kube-system/aws-auth"])).unwrap();
    assert!(cluster.identify(ROLE, None).error().unwrap().is_refusal());
}

#[test]
fn the_answer_says_what_was_changed_and_what_still_grants_it() {
    let exec = ["can-i", "create", "pods/exec", "-n", "prod", "--arn", ONCALL];
    let with = |more: &[&'static str]| run(&[&exec[..], more].concat());
    let (out, _, code) = with(&["--without", "RoleBinding/prod/on-call-shell"]);
    assert_eq!(code, 1);
    assert!(out.contains("\n  without RoleBinding `prod/on-call-shell`: yes before, no now\n"), "{out}");
    let (out, _, _) = with(&["--without", "RoleBinding/prod/on-call-shell", "-v"]);
    assert!(out.contains(
        "note: what if: without RoleBinding `prod/on-call-shell` (testdata/quickstart/bindings.yaml:30)"
    ));
    let (out, _, code) = with(&["--without", "RoleBinding/prod/developers"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("without RoleBinding `prod/developers`: still yes, 1 other grant below allow"),
        "{out}"
    );
    let (out, _, _) = with(&["--without", "RoleBinding/prod/on-call-shell", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["answer"], &json["whatIf"]["before"]), (&"no".into(), &"yes".into()));
    let (_, error, code) = with(&["--without", "RoleBinding/prod/on-call-shel"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean RoleBinding/prod/on-call-shell?"), "{error}");
}

#[test]
fn every_command_that_answers_takes_the_change() {
    let change = ["--without", "RoleBinding/prod/on-call-shell", "--without-mapping", ROLE];
    let says = "without RoleBinding `prod/on-call-shell`";
    for command in [
        &["who-can", "exec", "pods", "-n", "prod"][..],
        &["who-can", "exec", "pods", "-n", "prod", "-o", "json"],
        &["whoami", "--arn", "arn:aws:iam::111122223333:role/dev"],
        &["whoami", "--arn", "arn:aws:iam::111122223333:role/dev", "-o", "json"],
        &["can-i", "get", "pods", "--namespaces", "--as", "x"],
        &["can-i", "--list", "--as", "x"],
        &["matrix", "--preset", "sensitive"],
        &["matrix", "--preset", "sensitive", "-o", "json"],
        &["matrix", "--preset", "sensitive", "-o", "csv"],
        &["matrix", "--preset", "sensitive", "-o", "html"],
        &["review"],
    ] {
        let (out, error, _) = run(&[command, &change[..]].concat());
        assert!(out.contains(says) || error.contains(says), "{command:?}: {out}{error}");
        // Some forms record the command, too.
        let grants = out.replace(says, "").replace(&change[..2].join(" "), "");
        assert!(!grants.contains("on-call-shell"), "{command:?}: {out}");
    }
}

#[test]
fn placeholders_are_filled_in_what_a_kustomization_changes_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("kustomization.yaml", "namespace: kube-system\nresources: [aws-auth.yaml]\n");
    write(
        "aws-auth.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth}\ndata:\n  mapRoles: |\n    - rolearn: arn:aws:iam::{{ ACCOUNT }}:role/dev\n      username: dev\n",
    );
    let whoami = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .args(["whoami", "--arn", "arn:aws:iam::111122223333:role/dev", "-f"])
            .arg(folder.path())
            .args(more)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(whoami(&[]).contains("if `arn:aws:iam::{{ ACCOUNT }}:role/dev` maps this ARN: user `dev`"));
    let filled = whoami(&["--set", "ACCOUNT=111122223333"]);
    assert!(filled.contains("user `dev`") && !filled.contains("{{ ACCOUNT }}"), "{filled}");
    // The mapping stands where it was written.
    assert!(filled.contains("aws-auth.yaml:6"), "{filled}");
}
