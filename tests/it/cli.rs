//! The binary: what it prints, byte by byte, and its exit codes.
//!
//! `testdata/cli/*.txt` hold commands and what came of them: lines of standard output as they are, of standard error
//! behind `! `, then the exit code. `RBACSIM_REWRITE=1 cargo test cli` writes them anew, to be read before they are
//! committed.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const QUICKSTART: &str = "testdata/quickstart";
const DEV: &str = "arn:aws:sts::111122223333:assumed-role/dev/alice";

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "TERM", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    binary().args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn run_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = binary();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that refuses its flags reads nothing.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[track_caller]
fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

#[track_caller]
fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

// Snapshots.

/// Words as a shell would split them: single quotes hold together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for sign in line.chars() {
        match sign {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            sign => words.last_mut().unwrap().push(sign),
        }
    }
    words
}

/// Runs a line such as `rbacsim review -f x < y` and writes down what came of it.
fn transcript(line: &str) -> String {
    let (command, input) = line.split_once(" < ").unwrap_or((line, ""));
    let words = words(command.strip_prefix("rbacsim").unwrap().trim_start());
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    let output = if input.is_empty() {
        run(&words)
    } else {
        run_with(&words, &fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(input)).unwrap())
    };
    let mut text = format!("$ {line}\n{}", text_of(&output.stdout));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for line in text_of(&output.stderr).lines() {
        let _ = writeln!(text, "! {line}");
    }
    let _ = writeln!(text, "[exit {}]\n", output.status.code().unwrap());
    text
}

#[test]
fn snapshots() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cli");
    let rewrite = std::env::var_os("RBACSIM_REWRITE").is_some();
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let (mut different, mut commands) = (String::new(), 0);
    for file in &files {
        let before = fs::read_to_string(file).unwrap();
        let head: String =
            before.lines().take_while(|line| !line.starts_with("$ ")).flat_map(|line| [line, "\n"]).collect();
        let lines: Vec<&str> = before.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        commands += lines.len();
        let after: String = [head].into_iter().chain(lines.into_iter().map(transcript)).collect();
        if after == before {
            continue;
        }
        if rewrite {
            fs::write(file, after).unwrap();
            continue;
        }
        let at = before.lines().zip(after.lines()).position(|(before, after)| before != after);
        let line = at.unwrap_or_else(|| before.lines().count().min(after.lines().count()));
        let show = |text: &str| text.lines().nth(line).unwrap_or("").to_owned();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let _ = writeln!(different, "{name}:{}\n  was {}\n  is  {}", line + 1, show(&before), show(&after));
    }
    assert!(different.is_empty(), "{different}RBACSIM_REWRITE=1 writes them anew");
    assert!(commands >= 30, "only {commands} commands");
}

#[test]
fn the_same_bytes_twice() {
    for arguments in [
        &["can-i", "get", "pods", "-n", "prod", "--arn", DEV, "-f", QUICKSTART][..],
        &["can-i", "get", "pods", "-n", "prod", "--arn", DEV, "-f", QUICKSTART, "-o", "json"],
        &["can-i", "--list", "-n", "staging", "--arn", DEV, "-f", QUICKSTART],
        &["whoami", "--arn", DEV, "-f", QUICKSTART, "-o", "json"],
    ] {
        let (first, second) = (run(arguments), run(arguments));
        assert_eq!((first.stdout, first.stderr), (second.stdout, second.stderr), "{arguments:?}");
    }
}

// Exit codes and quiet.

#[test]
fn exit_codes() {
    let partial =
        ["can-i", "get", "pods", "--as", "bob", "-f", "testdata/scenarios/missing-role", "-n", "shop"];
    let cases: [(&[&str], i32); 19] = [
        (&["can-i", "get", "pods", "-n", "prod", "--arn", DEV, "-f", QUICKSTART], 0),
        (&["can-i", "delete", "pods", "-n", "prod", "--arn", DEV, "-f", QUICKSTART], 1),
        (&["can-i", "get", "pods", "--arn", DEV, "-f", "testdata/quickstart/roles.yaml"], 3),
        (&partial, 1),
        (&["can-i", "get", "pods", "--as", "bob", "-f", "no/such/file"], 2),
        (&["can-i", "get", "pods", "--as", "bob"], 2),
        (&["can-i", "get", "pods", "-f", QUICKSTART], 2),
        (&["can-i", "get", "-f", QUICKSTART, "--as", "bob"], 2),
        (&["can-i", "get", "pods", "--no-such-flag"], 2),
        (&["no-such-command"], 2),
        (&["whoami", "--arn", DEV, "-f", QUICKSTART], 0),
        (&["whoami", "--arn", DEV, "--arn", "arn:aws:iam::111122223333:role/x", "-f", QUICKSTART], 1),
        (&["whoami", "--arn", DEV, "-f", "testdata/quickstart/roles.yaml"], 3),
        (&["whoami", "--arn", "", "-f", QUICKSTART], 2),
        (&["can-i", "--list", "--arn", "dev", "-f", QUICKSTART], 2),
        (&["can-i", "frobnicate", "pods", "--arn", DEV, "-f", QUICKSTART], 2),
        (&["can-i", "list", "/healthz", "--arn", DEV, "-f", QUICKSTART], 2),
        (&["who-can", "gte", "pods", "-f", QUICKSTART], 2),
        (&["--version"], 0),
    ];
    for (arguments, code) in cases {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text_of(&output.stderr));
    }
}

#[test]
fn quiet_prints_nothing_on_standard_output() {
    for (verb, code) in [("get", 0), ("delete", 1)] {
        for format in ["text", "json"] {
            let output = run(&[
                "can-i", verb, "pods", "-n", "prod", "-q", "-o", format, "--arn", DEV, "-f", QUICKSTART,
            ]);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{verb} {format}");
        }
    }
}

/// Whoever reads the first line only still gets the answer of the exit code.
#[test]
fn a_closed_pipe_does_not_change_the_answer() {
    for (verb, code) in [("get", 0), ("delete", 1)] {
        let mut command = binary();
        command.args(["can-i", verb, "pods", "-n", "prod", "-o", "json", "--arn", DEV, "-f", QUICKSTART]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(code), ""), "{verb}");
    }
}

#[test]
fn review_into_a_closed_pipe_just_ends() {
    let mut command = binary();
    command
        .args(["review", "-f", QUICKSTART])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let review =
        json!({ "spec": { "user": "u", "resourceAttributes": { "verb": "get", "resource": "pods" } } });
    let many = format!("{review}\n").repeat(50_000);
    let _ = stdin.write_all(many.as_bytes());
    drop(stdin);
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}

// Colour.

#[test]
fn colour_only_where_it_is_wanted() {
    let question = ["can-i", "get", "pods", "-n", "prod", "--arn", DEV, "-f", QUICKSTART];
    let with = |more: &[&str], variables: &[(&str, &str)]| {
        let output = binary().args(question).args(more).envs(variables.iter().copied()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!with(&[], &[]), "a pipe");
    assert!(!with(&["--color", "auto"], &[("NO_COLOR", "1")]));
    assert!(!with(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(with(&["--color", "always"], &[]));
    assert!(with(&["--color", "always"], &[("NO_COLOR", "1")]), "a flag is stronger");
    let plain = binary().args(question).output().unwrap().stdout;
    let coloured = binary().args(question).args(["--color", "always"]).output().unwrap().stdout;
    let mut stripped = String::new();
    let mut inside = false;
    for sign in text_of(&coloured).chars() {
        match sign {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            sign if !inside => stripped.push(sign),
            _ => {}
        }
    }
    assert_eq!(stripped.as_bytes(), plain);
}

// Standard input and diagnostics.

#[test]
fn policy_from_standard_input() {
    let policy =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/quickstart/roles.yaml")).unwrap();
    let arguments = [
        "can-i",
        "get",
        "secrets/checkout-db",
        "-n",
        "prod",
        "-f",
        "-",
        "-f",
        "testdata/quickstart/bindings.yaml",
        "--as",
        "system:serviceaccount:prod:checkout",
    ];
    let output = run_with(&arguments, &policy);
    assert_eq!(output.status.code(), Some(0));
    assert!(text_of(&output.stdout).contains("<stdin>:"), "{}", text_of(&output.stdout));
}

#[test]
fn policy_and_reviews_cannot_both_be_standard_input() {
    let output = run_with(&["review", "-f", "-"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(text_of(&output.stderr).contains("standard input cannot hold both"));
}

#[test]
fn diagnostics_are_few_all_or_none_and_worst_first() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..9 {
        let group = "rbac.authorization.k8s.io/v1";
        let text = format!(
            "apiVersion: {group}\nkind: Role\nmetadata: {{name: r{number}}}\nrule: []\n---\napiVersion: {group}\nkind: ClusterRole\nmetadata: {{name: c}}\nrules: [{{verbs: []}}]\n"
        );
        fs::write(folder.path().join(format!("{number}.yaml")), text).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let told = |how: &[&str]| {
        let output = run(&[&["can-i", "get", "pods", "--as", "bob", "-f", path][..], how].concat());
        text_of(&output.stderr).to_owned()
    };
    let few = told(&[]);
    assert_eq!(few.lines().count(), 6, "{few}");
    assert!(few.lines().take(5).all(|line| line.starts_with("error[invalid-object]")), "{few}");
    assert!(few.contains("4 errors, 9 warnings, 1 note not shown; use --diagnostics all"), "{few}");
    let all = told(&["--diagnostics", "all"]);
    assert_eq!(all.lines().count(), 19, "{all}");
    let words: Vec<&str> = all.lines().filter_map(|line| line.split('[').next()).collect();
    assert!(
        words.is_sorted_by_key(|word| ["error", "warning", "note"].iter().position(|known| known == word))
    );
    assert_eq!(told(&["--diagnostics", "none"]), "");
}

#[test]
fn many_diagnostics_of_one_kind_in_a_file_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let entry =
        |number| format!("    - {{rolearn: 'arn:aws:iam::${{ACCOUNT}}:role/r{number}', username: u}}\n");
    let entries = (0..32).map(entry).collect::<Vec<String>>().concat();
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system}}\ndata:\n  mapRoles: |\n{entries}"
    );
    fs::write(folder.path().join("aws-auth.yaml"), map).unwrap();
    let output = run(&["who-can", "get", "pods", "-f", folder.path().to_str().unwrap()]);
    let told = text_of(&output.stderr);
    let lines = told.lines().filter(|line| line.starts_with("error[invalid-mapping-arn]")).count();
    assert_eq!(lines, 1, "{told}");
    assert!(told.contains("(and 31 more of this kind in the file)"), "{told}");
}

#[test]
fn diagnostics_in_files_about_the_asker_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let group = "rbac.authorization.k8s.io";
    for number in 0..9 {
        let text = format!("apiVersion: {group}/v1\nkind: Role\nmetadata: {{namespace: n{number}}}\n");
        fs::write(folder.path().join(format!("{number}.yaml")), text).unwrap();
    }
    let about = format!(
        "apiVersion: {group}/v1\nkind: ClusterRoleBinding\nmetadata: {{name: b}}\nsubject: []\nroleRef: {{apiGroup: {group}, kind: ClusterRole, name: view}}\nsubjects: [{{kind: User, name: bob}}]\n"
    );
    fs::write(folder.path().join("z.yaml"), about).unwrap();
    let first = |user: &str| {
        let output = run(&["can-i", "get", "pods", "--as", user, "-f", folder.path().to_str().unwrap()]);
        text_of(&output.stderr).lines().next().unwrap().to_owned()
    };
    assert!(first("bob").starts_with("warning[unknown-field]"), "{}", first("bob"));
    assert!(first("ann").starts_with("error[invalid-object]"), "{}", first("ann"));
}

// Shapes of JSON.

#[test]
fn can_i_as_json() {
    let output =
        run(&["can-i", "get", "widgets", "-n", "prod", "-o", "json", "--arn", DEV, "-f", QUICKSTART]);
    let document = json_of(&output);
    assert_eq!(document["answer"], "yes");
    assert_eq!(
        document["question"],
        json!({
            "verb": "get", "group": "shop.example.com", "resource": "widgets", "subresource": "", "name": "",
            "namespace": "prod",
        })
    );
    let identity = &document["identity"];
    assert_eq!(identity["arn"], DEV);
    assert_eq!(identity["canonicalArn"], "arn:aws:iam::111122223333:role/dev");
    assert_eq!(identity["username"], "dev:alice");
    assert_eq!(identity["groups"], json!(["developers", "system:authenticated"]));
    assert_eq!(identity["source"], "testdata/quickstart/aws-auth.yaml:18");
    assert_eq!(identity["error"], Value::Null);
    assert!(document["notes"].as_array().is_some_and(|notes| notes.iter().all(Value::is_string)));
    let [grant] = &document["grants"].as_array().unwrap()[..] else { panic!("{document}") };
    assert_eq!(grant["source"], "testdata/quickstart/roles.yaml:9");
    assert_eq!(grant["binding"]["kind"], "RoleBinding");
    assert_eq!(grant["binding"]["namespace"], "prod");
    assert_eq!(grant["role"]["builtin"], true);
    assert_eq!(grant["subject"]["name"], "developers");
    assert_eq!(grant["aggregation"][0]["from"], "widgets-view");
    assert_eq!(
        grant["reason"],
        "RBAC: allowed by RoleBinding \"developers/prod\" of ClusterRole \"view\" to Group \"developers\""
    );
}

#[test]
fn can_i_of_an_operation_as_json() {
    let output =
        run(&["can-i", "exec", "pods/web", "-n", "prod", "-o", "json", "--arn", DEV, "-f", QUICKSTART]);
    let document = json_of(&output);
    assert_eq!((&document["answer"], &document["question"]["operation"]), (&json!("no"), &json!("exec")));
    assert_eq!(document["grants"], json!([]));
    let requests = document["requests"].as_array().unwrap();
    let deciding: Vec<&Value> = requests.iter().filter(|request| request["decides"] == true).collect();
    assert_eq!(deciding.len(), 1);
    assert_eq!(deciding[0]["question"]["subresource"], "exec");
    assert_eq!(deciding[0]["answer"], "no");
    assert!(!deciding[0]["nearest"].as_array().unwrap().is_empty());
}

#[test]
fn several_askers_are_an_array() {
    let other = "arn:aws:sts::111122223333:assumed-role/oncall/bob";
    let output = run(&[
        "can-i", "exec", "pods", "-n", "prod", "-o", "json", "--arn", DEV, "--arn", other, "-f", QUICKSTART,
    ]);
    let document = json_of(&output);
    let answers: Vec<&Value> = document.as_array().unwrap().iter().map(|one| &one["answer"]).collect();
    assert_eq!(answers, ["no", "yes"]);
    assert_eq!(output.status.code(), Some(1), "not all of them may");
}

#[test]
fn whoami_as_json() {
    let arns =
        [DEV, "arn:aws:iam::111122223333:role/nobody", "nonsense", "arn:aws:iam::111122223333:role/dev"];
    let flags: Vec<&str> = arns.iter().flat_map(|arn| ["--arn", arn]).collect();
    let output = run(&[&["whoami", "-o", "json", "-f", QUICKSTART][..], &flags].concat());
    // One is not the ARN of a caller; the others are answered all the same.
    assert_eq!(output.status.code(), Some(2));
    let document = json_of(&output);
    let rows = document.as_array().unwrap();
    let asked: Vec<&Value> = rows.iter().map(|row| &row["arn"]).collect();
    assert_eq!(asked, arns);
    assert_eq!(rows[0]["username"], "dev:alice");
    assert_eq!(rows[0]["error"], Value::Null);
    for row in &rows[1..3] {
        assert_eq!((&row["username"], row["error"].is_string()), (&Value::Null, true), "{row}");
    }
    assert_eq!(rows[3]["username"], "dev:{{SessionName}}");
    let fields = ["arn", "canonicalArn", "username", "groups", "source", "error"];
    assert!(rows.iter().all(|row| fields.iter().all(|field| row.get(field).is_some())));
}

#[test]
fn list_as_json() {
    let output = run(&["can-i", "--list", "-n", "prod", "-o", "json", "--arn", DEV, "-f", QUICKSTART]);
    let document = json_of(&output);
    let rules = document["resourceRules"].as_array().unwrap();
    assert!(
        rules.iter().any(|rule| rule["resources"] == json!(["widgets"])
            && rule["apiGroups"] == json!(["shop.example.com"]))
    );
    assert!(rules.iter().all(|rule| rule["verbs"].as_array().is_some_and(|verbs| !verbs.is_empty())));
    assert!(document["nonResourceRules"].as_array().is_some_and(|rules| !rules.is_empty()));
}

// Reviews.

fn statuses(input: &str) -> Vec<Value> {
    let output = run_with(&["review", "-f", QUICKSTART], input.as_bytes());
    let malformed = text_of(&output.stderr).contains("malformed");
    assert_eq!(output.status.code(), Some(if malformed { 2 } else { 0 }), "{}", text_of(&output.stderr));
    text_of(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn review_of(user: &str, verb: &str) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": user, "groups": ["developers"],
            "resourceAttributes": { "verb": verb, "resource": "pods", "namespace": "prod" },
        },
    })
}

#[test]
fn every_form_of_stream() {
    let (yes, no) = (review_of("a", "get"), review_of("b", "delete"));
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let yaml = |value: &Value| serde_yaml::to_string(value).unwrap();
    let streams = [
        format!("{yes}\n{no}\n"),
        format!("{yes}\n\n\n{no}"),
        format!("{yes}\r\n{no}\r\n"),
        format!("{yes}{no}"),
        format!("{yes} {no}\n"),
        format!("{}\n{}\n", pretty(&yes), pretty(&no)),
        format!("{}{}", pretty(&yes), pretty(&no)),
        format!("---\n{}---\n{}", yaml(&yes), yaml(&no)),
        format!("{}---\n# comment\n{}...\n---\n", yaml(&yes), yaml(&no)),
        format!("--- {yes}\n--- # and\n{}", yaml(&no)),
        format!("{}---\n{no}\n", yaml(&yes)),
        format!("\u{feff}{yes}\n{no}\n"),
    ];
    for stream in &streams {
        let answers = statuses(stream);
        let allowed: Vec<&Value> = answers.iter().map(|answer| &answer["status"]["allowed"]).collect();
        assert_eq!(allowed, [true, false], "{stream}: {answers:?}");
        let users: Vec<&Value> = answers.iter().map(|answer| &answer["spec"]["user"]).collect();
        assert_eq!(users, ["a", "b"], "{stream}");
    }
}

#[test]
fn a_review_comes_back_with_its_status() {
    let mut review = review_of("a", "get");
    review["metadata"] = json!({ "name": "mine", "labels": { "x": "y" } });
    let [answer] = &statuses(&review.to_string())[..] else { panic!() };
    assert_eq!((&answer["apiVersion"], &answer["kind"]), (&review["apiVersion"], &review["kind"]));
    assert_eq!(answer["metadata"], review["metadata"]);
    assert_eq!(answer["spec"]["resourceAttributes"]["namespace"], "prod");
    let reason =
        "RBAC: allowed by RoleBinding \"developers/prod\" of ClusterRole \"view\" to Group \"developers\"";
    assert_eq!(answer["status"], json!({ "allowed": true, "reason": reason }));
    let [denied] = &statuses(&review_of("a", "delete").to_string())[..] else { panic!() };
    assert_eq!(denied["status"], json!({ "allowed": false, "reason": "" }));
}

#[test]
fn a_malformed_review_gets_an_error_and_the_rest_go_on() {
    let good = review_of("a", "get");
    let both = json!({ "spec": { "user": "a", "resourceAttributes": {}, "nonResourceAttributes": {} } });
    let malformed = [
        "{\"spec\": ".to_owned(),
        "{\"spec\": []}".to_owned(),
        "{\"spec\": {\"user\": 3}}".to_owned(),
        "{}".to_owned(),
        json!({ "apiVersion": "v1", "kind": "Pod", "spec": {} }).to_string(),
        both.to_string(),
        json!({ "spec": { "user": "a" } }).to_string(),
        json!({ "spec": { "resourceAttributes": { "verb": "get" } } }).to_string(),
        json!({ "spec": { "extra": { "arn": ["arn:aws:iam::1:role/nobody"] }, "resourceAttributes": {} } })
            .to_string(),
        "{\"a\": }".to_owned(),
    ];
    for bad in &malformed {
        let answers = statuses(&format!("{good}\n{bad}\n{good}\n"));
        assert_eq!(answers.len(), 3, "{bad}: {answers:?}");
        let status = &answers[1]["status"];
        assert!(status["evaluationError"].is_string() && status["allowed"] == false, "{bad}: {status}");
        assert!(answers[0] == answers[2] && answers[0]["status"]["allowed"] == true, "{bad}");
    }
    for bad in ["a: [\n", "- x\n", "just text\n", "spec: {user: [x]}\n"] {
        let answers = statuses(&format!("{good}\n---\n{bad}---\n{good}\n"));
        assert_eq!(answers.len(), 3, "{bad}: {answers:?}");
        assert!(answers[1]["status"]["evaluationError"].is_string(), "{bad}");
    }
}

#[test]
fn a_review_of_an_arn_is_resolved() {
    let spec = |arn: &str| {
        json!({ "spec": {
            "extra": { "arn": [arn] },
            "resourceAttributes": { "verb": "get", "resource": "pods", "namespace": "prod" },
        } })
    };
    let answers = statuses(&format!("{}\n{}\n", spec(DEV), spec("arn:aws:iam::111122223333:role/dev")));
    assert_eq!(answers[0]["status"]["allowed"], true);
    // Which session it is, nobody knows; here it does not matter.
    assert_eq!(answers[1]["status"]["allowed"], true);
}

/// One review in, one out, before the next is written: nothing waits for the end of the stream.
#[test]
fn reviews_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reviews.ndjson");
    fs::write(&path, format!("{}\n{}\n", review_of("a", "get"), review_of("b", "delete"))).unwrap();
    let output = run(&["review", path.to_str().unwrap(), "-f", QUICKSTART]);
    assert_eq!(text_of(&output.stdout).lines().count(), 2);
    let missing = run(&["review", "no/such/file", "-f", QUICKSTART]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text_of(&missing.stderr).contains("cannot read `no/such/file`"));
}

#[test]
fn at_most_two_notes_stand_below_an_answer_and_all_of_them_with_v() {
    let inputs = ["-f", "testdata/quickstart"];
    let notes = |words: &[&str]| {
        let output = run(&[words, &inputs].concat());
        text_of(&output.stdout).lines().filter(|line| line.starts_with("note: ")).count()
    };
    let mut more = 0;
    for words in [
        &["can-i", "exec", "pods", "-n", "prod", "--as", "x"][..],
        &["can-i", "--list", "--arn", "arn:aws:iam::111122223333:role/dev"],
        &["can-i", "get", "pods", "--namespaces", "--as", "x"],
        &["who-can", "exec", "pods", "-n", "prod", "--people"],
        &["paths", "--as", "x"],
        &["risk"],
    ] {
        let all = notes(&[words, &["-v"]].concat());
        assert!((1..=2).contains(&notes(words)), "{words:?}");
        more += usize::from(all > 2);
    }
    assert_eq!(more, 6);
}

#[test]
fn every_unread_document_that_matters_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..5 {
        let text = format!("kind: RoleBinding\nmetadata: {{name: b{number}\nsubjects: [\n");
        fs::write(folder.path().join(format!("{number}.yaml")), text).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let answer = |words: &[&str]| text_of(&run(&[words, &["-f", path]].concat()).stdout).to_owned();
    let asked = ["can-i", "get", "pods", "-n", "prod", "--as", "x"];
    for words in [
        &[&asked[..], &["-o", "json"]].concat()[..],
        &["who-can", "get", "pods", "-n", "prod", "-o", "json"],
        &["matrix", "--as", "x", "-o", "json"],
    ] {
        let text = answer(words);
        for number in 0..5 {
            assert!(text.contains(&format!("{number}.yaml:")), "{words:?} {number}: {text}");
        }
    }
    assert!(answer(&asked).contains("5 documents in 5 files of"), "{}", answer(&asked));
}
