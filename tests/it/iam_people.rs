//! From people to rules: the account of `testdata/iam` through the binary, and what the library joins.

use std::path::Path;
use std::process::{Command, Output};

use rbacsim::ask::eks_doors::{ClusterArn, eks_doors};
use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::iam::Lenses;
use rbacsim::model::ternary::Ternary;
use rbacsim::read::{Input, LoadOptions, load};
use serde_json::{Value, json};

const ACCOUNT: &str = "arn:aws:iam::111122223333";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("NO_COLOR").args(arguments);
    command.args(["-f", "testdata/iam"]).output().unwrap()
}

#[track_caller]
fn json_of(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["-o", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn arn(name: &str) -> String {
    format!("{ACCOUNT}:{name}")
}

/// Asks whether somebody may open a shell in prod.
fn shell(who: &str, more: &[&str]) -> Value {
    let who = arn(who);
    json_of(&[&["can-i", "create", "pods/exec", "-n", "prod", "--arn", &who], more].concat())
}

fn cluster() -> Cluster {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/iam");
    load(&[Input::Path(folder)], &LoadOptions::default()).unwrap().into()
}

#[test]
fn a_person_who_is_not_mapped_counts_for_the_roles_that_he_may_assume() {
    let alice = shell("user/alice", &[]);
    assert_eq!(alice["answer"], "yes", "{alice}");
    assert_eq!(alice["identity"]["arn"], arn("user/alice"));
    assert_eq!(alice["identity"]["through"], arn("role/oncall"));
    assert_eq!(alice["conditions"], json!([]));
    let statements = alice["via"][0]["statements"].as_array().unwrap();
    assert_eq!(statements[1]["group"], arn("group/platform"));
    assert!(statements[1]["source"].as_str().unwrap().contains("account.json:"));
    let nobody = shell("user/carol", &[]);
    assert_eq!(nobody["answer"], "no");
    let says = |answer: &Value, text: &str| {
        answer["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains(text))
    };
    assert!(says(&nobody, "it may become none of the mapped roles"), "{nobody}");
    assert!(!says(&shell("user/carol", &["--direct"]), "it may become none"));
    let nodes = json_of(&["can-i", "delete", "nodes", "--arn", &arn("user/alice")]);
    assert!(says(&nodes, "may become may not either: `role/oncall`"), "{nodes}");
    assert_eq!(shell("user/alice", &["--direct"])["answer"], "no");
}

#[test]
fn what_the_caller_does_not_choose_makes_the_answer_unknown() {
    let ask = |who: &str| {
        let who = arn(who);
        json_of(&["can-i", "delete", "nodes", "--arn", &who])
    };
    let bob = ask("user/bob");
    assert_eq!(bob["answer"], "unknown", "{bob}");
    let conditions = bob["conditions"].as_array().unwrap();
    assert!(conditions.iter().any(|text| text.as_str().unwrap().contains("aws:MultiFactorAuthPresent")));
}

#[test]
fn whoami_lists_what_an_arn_may_become() {
    let who = arn("user/bob");
    let rows = json_of(&["whoami", "--arn", &who]);
    let become_ = rows[0]["mayBecome"].as_array().unwrap();
    let arns: Vec<&Value> = become_.iter().map(|way| &way["arn"]).collect();
    assert_eq!(arns, [&json!(arn("role/oncall")), &json!(arn("role/break-glass"))]);
    assert_eq!(become_[0]["conditions"], json!([]));
    // The name of the session is the caller's choice, and shown; the rest is not.
    assert_eq!(become_[1]["conditions"].as_array().unwrap().len(), 1);
    assert_eq!(become_[1]["via"][0]["sessionName"], "bob");
    let direct = json_of(&["whoami", "--direct", "--arn", &who]);
    assert!(direct[0].get("mayBecome").is_none());
}

#[test]
fn who_can_names_the_people_behind_each_identity() {
    let found = json_of(&["who-can", "create", "pods/exec", "-n", "prod"]);
    let people = |role: &str| -> Vec<String> {
        let identities = found["identities"].as_array().unwrap();
        let identity = identities.iter().find(|identity| identity["arn"] == arn(role)).unwrap();
        let people = identity["assumableBy"].as_array().unwrap();
        people.iter().map(|one| one["arn"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(people("role/oncall"), [arn("user/alice"), arn("user/bob"), arn("user/root-like")]);
    // Identity Center, by group and directly.
    let center = people("role/AWSReservedSSO_ClusterAdmin_0123456789abcdef");
    assert!(center.contains(&"frank@example.com".to_owned()), "{center:?}");
    assert!(center.contains(&"grace@example.com".to_owned()), "{center:?}");
    // From a pod over its role to a mapped one: `data-admin` is mapped without the path that it has.
    let pods = people("role/data-admin");
    assert!(pods.contains(&"system:serviceaccount:prod:shop".to_owned()), "{pods:?}");
    assert!(pods.contains(&arn("role/shop")), "{pods:?}");
    let text = run(&["who-can", "create", "pods/exec", "-n", "prod", "--people"]);
    let text = String::from_utf8(text.stdout).unwrap();
    for said in
        ["user/alice", "by group `Cluster Admins` (Identity Center)", "pods of service account `prod/shop`"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn questions_of_iam_are_answered_with_exit_codes() {
    let ask = |role: &str, who: &str, more: &[&str]| {
        let (role, who) = (arn(role), arn(who));
        run(&[&["can-i", "sts:AssumeRole", &role, "--arn", &who], more].concat()).status.code().unwrap()
    };
    let mfa = &["--context", "aws:MultiFactorAuthPresent=true", "--context", "sts:RoleSessionName=bob"];
    assert_eq!(ask("role/oncall", "user/alice", &[]), 0);
    assert_eq!(ask("role/oncall", "user/carol", &[]), 1);
    assert_eq!(ask("role/oncall", "user/erin", &[]), 1);
    assert_eq!(ask("role/break-glass", "user/bob", &[]), 3);
    assert_eq!(ask("role/break-glass", "user/bob", mfa), 0);
    assert_eq!(ask("role/break-glass", "user/bob", &["--context-complete"]), 1);
    assert_eq!(ask("role/oncall", "group/platform", &[]), 2);
    assert_eq!(ask("role/oncall", "user/alice", &["--context", "nothing"]), 2);
}

#[test]
fn a_path_that_is_missing_in_the_resource_is_what_comes_nearest() {
    let (role, who) = (arn("role/data/data-admin"), arn("user/dave"));
    let answer = json_of(&["can-i", "sts:AssumeRole", &role, "--arn", &who]);
    assert_eq!(answer["answer"], "no");
    assert!(answer["nearest"][0]["text"].as_str().unwrap().contains("with another path"), "{answer}");
}

#[test]
fn who_can_assume_lists_principals_and_doors() {
    let role = arn("role/data/data-admin");
    let found = json_of(&["who-can", "sts:AssumeRole", &role]);
    let arns: Vec<&str> =
        found["principals"].as_array().unwrap().iter().map(|one| one["arn"].as_str().unwrap()).collect();
    assert_eq!(arns, [arn("user/root-like"), arn("role/shop")]);
    assert_eq!(found["doors"][0]["kind"], "webIdentity");
    let auditor = json_of(&["who-can", "sts:AssumeRole", &arn("role/auditor")]);
    assert_eq!(auditor["answer"], "unknown");
    assert_eq!(auditor["doors"][0]["name"], "444455556666");
    let deployer = json_of(&["who-can", "sts:AssumeRoleWithWebIdentity", &arn("role/deployer")]);
    assert_eq!((&deployer["principals"], &deployer["answer"]), (&json!([]), &json!("unknown")));
}

#[test]
fn the_files_are_told_apart_by_what_they_hold() {
    let cluster = cluster();
    assert!(cluster.diagnostics().is_empty(), "{:?}", cluster.diagnostics());
    assert_eq!(cluster.iam().principals().count(), 14);
    assert_eq!(cluster.iam().identity_center().people("111122223333", "ClusterAdmin").len(), 2);
    assert_eq!(cluster.pod_roles().0.len(), 2);
}

#[test]
fn whoever_may_write_access_entries_is_a_door_of_its_own() {
    let cluster = cluster();
    let arn = ClusterArn::of("arn:aws:eks:eu-west-1:111122223333:cluster/shop").unwrap();
    let doors = eks_doors(cluster.iam(), &arn, None);
    let names: Vec<&str> =
        doors.iter().map(|door| &*cluster.iam().principal_of(door.id).unwrap().name).collect();
    assert_eq!(names, ["root-like"]);
    assert_eq!(doors[0].is_admin(), Ternary::Yes);
    assert_eq!(doors[0].actions.len(), 6);
    assert!(doors[0].actions.iter().all(|allowed| allowed.verdict.value == Ternary::Yes));
    // In who-can, whatever is asked.
    let found = json_of(&["who-can", "get", "pods", "-n", "prod"]);
    assert_eq!(found["eksDoors"][0]["arn"], arn_of_root_like());
    assert_eq!(found["eksDoors"][0]["clusterAdmin"], "yes");
    let text = run(&["who-can", "get", "pods", "-n", "prod", "--people"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("user/root-like: can make itself cluster administrator"), "{text}");
    assert!(text.contains("`eks:CreateAccessEntry` creates an access entry for itself"), "{text}");
}

fn arn_of_root_like() -> String {
    arn("user/root-like")
}

#[test]
fn the_usernames_that_prove_nobody_are_said() {
    let found = json_of(&["who-can", "create", "pods/exec", "-n", "prod"]);
    let identity = |role: &str| {
        let identities = found["identities"].as_array().unwrap();
        identities.iter().find(|identity| identity["arn"] == arn(role)).unwrap().clone()
    };
    let oncall = identity("role/oncall");
    assert_eq!(oncall["sessionNames"]["chosenBy"][0], arn("user/alice"));
    assert!(oncall["sessionNames"]["sentences"][0].as_str().unwrap().contains("proves nobody"), "{oncall}");
    // Identity Center sets the name of the session.
    let center = identity("role/AWSReservedSSO_ClusterAdmin_0123456789abcdef");
    let pinned = center["sessionNames"]["pinned"].as_array().unwrap();
    assert!(pinned.contains(&json!({ "arn": "frank@example.com", "sessionName": "frank@example.com" })));
    assert_eq!(center["sessionNames"]["chosenBy"], json!([]));
    // The trust policy of break-glass pins it.
    let masters = json_of(&["who-can", "delete", "nodes"]);
    let identities = masters["identities"].as_array().unwrap();
    let break_glass = identities.iter().find(|one| one["arn"] == arn("role/break-glass")).unwrap();
    assert_eq!(
        break_glass["sessionNames"]["pinned"],
        json!([
            { "arn": arn("user/bob"), "sessionName": "bob" },
            { "arn": arn("user/root-like"), "sessionName": "root-like" },
        ])
    );
    assert!(break_glass["assumableBy"][0]["conditions"].as_array().unwrap().len() == 1, "{break_glass}");
}

#[test]
fn who_can_assume_lists_people_and_service_accounts_as_doors() {
    let center = format!(
        "{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_ClusterAdmin_0123456789abcdef"
    );
    let found = json_of(&["who-can", "sts:AssumeRole", &center]);
    let of = |found: &Value, kind: &str| -> Vec<String> {
        let doors = found["doors"].as_array().unwrap();
        let doors = doors.iter().filter(|door| door["kind"] == kind);
        doors.map(|door| door["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&found, "identityCenter"), ["frank@example.com", "grace@example.com"]);
    assert_eq!(found["answer"], "yes");
    let shop = json_of(&["who-can", "sts:AssumeRole", &arn("role/data/data-admin")]);
    assert_eq!(of(&shop, "serviceAccount"), ["system:serviceaccount:prod:shop"]);
    let saml = json_of(&["who-can", "sts:AssumeRoleWithSAML", &center]);
    assert_eq!(of(&saml, "identityCenter").len(), 2);
    let web = json_of(&["who-can", "sts:AssumeRoleWithWebIdentity", &arn("role/shop")]);
    assert_eq!(of(&web, "serviceAccount"), ["system:serviceaccount:prod:shop"]);
}

#[test]
fn the_way_in_is_the_same_from_both_sides() {
    let cluster = cluster();
    let lenses = Lenses::new(cluster.iam());
    let people = rbacsim::ask::people::People::new(&cluster, &lenses);
    for (_, principal) in cluster.iam().principals() {
        for way in people.may_become(&principal.arn.text, None) {
            let back = people.assumable_by(&way.arn);
            let found = back.iter().find(|assumer| assumer.who.name() == *principal.arn.text);
            assert_eq!(
                found.map(|assumer| assumer.value),
                Some(way.value),
                "{} {}",
                principal.arn.text,
                way.arn
            );
        }
    }
}

#[test]
fn the_matrix_names_people_in_every_form() {
    let ask = |form: &str, more: &[&str]| {
        let asked = ["matrix", "--resources", "pods/exec", "--verbs", "create", "-o", form];
        let output = run(&[&asked, more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let people = &["--people"];
    let oncall = arn("role/oncall");
    let csv = ask("csv", people);
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().ends_with(",resource_names,people,people_on_conditions"), "{csv}");
    let row = lines.find(|line| line.contains(&format!("iam,{oncall},"))).unwrap();
    let names = [arn("user/alice"), arn("user/bob"), arn("user/root-like")].join(";");
    assert!(row.ends_with(&format!("create,,{names},")), "{row}");
    // Break-glass wants MFA.
    let row = csv.lines().find(|line| line.contains("role/break-glass")).unwrap();
    assert!(row.ends_with(&format!(",,{};{}", arn("user/bob"), arn("user/root-like"))), "{row}");
    let evidence = ask("csv", &["--people", "--grants", "--unknown"]);
    let mut lines = evidence.lines();
    assert!(lines.next().unwrap().ends_with(",answer,people,people_on_conditions"), "{evidence}");
    assert!(lines.any(|line| line.ends_with(&format!(",yes,{names},"))), "{evidence}");
    let ndjson = ask("ndjson", people);
    let row = ndjson.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let row = row.into_iter().find(|row| row["identity"] == oncall).unwrap();
    assert_eq!(row["people"][0], arn("user/alice"));
    assert_eq!(row["peopleOnConditions"], json!([]));
    let whole: Value = serde_json::from_str(&ask("json", people)).unwrap();
    let identities = whole["people"]["identities"].as_array().unwrap();
    let found = identities.iter().find(|one| one["identity"] == oncall).unwrap();
    assert_eq!(found["assumableBy"][0]["arn"], arn("user/alice"));
    assert_eq!(whole["people"]["eksDoors"][0]["clusterAdmin"], "yes");
    for form in ["table", "markdown", "html"] {
        let text = ask(form, people).replace('\\', "");
        for said in [
            "user/alice by group `platform`",
            "proves nobody",
            "user/root-like: can make itself cluster administrator",
        ] {
            assert!(text.contains(said), "{form}: {said}: {text}");
        }
    }
    // Without the flag nothing changes.
    assert!(
        ask("csv", &[]).starts_with(
            "identity_kind,identity,username,namespace,api_group,resource,verb,resource_names\n"
        )
    );
    assert!(!ask("table", &[]).contains("by group"));
}

#[test]
fn without_an_export_people_cannot_be_named() {
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).args(["-f", "testdata/quickstart"]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let said = "add what `aws iam get-account-authorization-details` prints";
    assert!(ask(&["who-can", "get", "pods", "--people"]).contains(said));
    assert!(ask(&["matrix", "--preset", "sensitive", "--people"]).contains(said));
}
