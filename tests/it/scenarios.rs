//! Every folder of `testdata/scenarios`: a cluster in miniature, and what `can-i` says of it.
//!
//! `cases.yaml` holds a `description` and `cases`; a case is a question as it is typed, who asks, and what must come
//! out. It goes through the binary, as text and as JSON, in the scenario's own folder.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    description: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows, where the question does not say it.
    #[serde(default)]
    description: String,
    /// The words after `can-i`, split at spaces.
    ask: String,
    /// The files to read; without it all of the folder.
    files: Option<Vec<String>>,
    arn: Option<String>,
    session: Option<String>,
    #[serde(rename = "as")]
    user: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    /// `yes`, `no` or `unknown`.
    answer: String,
    /// What standard output must hold.
    #[serde(default)]
    says: Vec<String>,
    /// What it must not hold.
    #[serde(default)]
    silent: Vec<String>,
    /// What standard error must hold; nothing at all if there is nothing here.
    #[serde(default)]
    warns: Vec<String>,
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn input_files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "cases.yaml").collect();
    names.sort();
    names
}

fn run(folder: &Path, case: &Case, format: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(folder).env_remove("NO_COLOR").arg("can-i").args(case.ask.split(' '));
    command.args(["-v", "-o", format]);
    for (flag, value) in [("--arn", &case.arn), ("--session-name", &case.session), ("--as", &case.user)] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    for group in &case.groups {
        command.args(["--as-group", group]);
    }
    for file in case.files.clone().unwrap_or_else(|| input_files(folder)) {
        command.arg("-f").arg(file);
    }
    command.output().unwrap()
}

/// What is wrong with the answer to a case; nothing if it is right.
fn wrong(folder: &Path, case: &Case) -> String {
    let mut wrong = String::new();
    let text = run(folder, case, "text");
    let (out, err) = (String::from_utf8(text.stdout).unwrap(), String::from_utf8(text.stderr).unwrap());
    let code = match case.answer.as_str() {
        "yes" => 0,
        "no" => 1,
        "unknown" => 3,
        other => panic!("{}: no answer is `{other}`", folder.display()),
    };
    let first = out.split(' ').next().unwrap_or("");
    if first != case.answer || text.status.code() != Some(code) {
        let _ = writeln!(wrong, "expected `{}`, exit code {code}; got {:?}", case.answer, text.status.code());
    }
    for said in case.says.iter().filter(|said| !out.contains(*said)) {
        let _ = writeln!(wrong, "does not say: {said}");
    }
    for said in case.silent.iter().filter(|said| out.contains(*said)) {
        let _ = writeln!(wrong, "says: {said}");
    }
    for warned in case.warns.iter().filter(|warned| !err.contains(*warned)) {
        let _ = writeln!(wrong, "does not warn: {warned}");
    }
    if case.warns.is_empty() && !err.is_empty() {
        let _ = writeln!(wrong, "warns");
    }
    let json = run(folder, case, "json");
    match serde_json::from_slice::<Value>(&json.stdout) {
        Ok(document) if document["answer"] == case.answer.as_str() && json.status == text.status => {
            let granted = !document["grants"].as_array().unwrap().is_empty();
            if case.answer == "yes" && !granted && document["systemMasters"] != true {
                let _ = writeln!(wrong, "JSON says yes and names no grant");
            }
        }
        Ok(document) => {
            let _ = writeln!(wrong, "JSON says {}, exit code {:?}", document["answer"], json.status.code());
        }
        Err(error) => {
            let _ = writeln!(wrong, "no JSON: {error}");
        }
    }
    if !wrong.is_empty() {
        let _ = write!(wrong, "{out}{err}");
    }
    wrong
}

#[test]
fn every_scenario() {
    let (mut failures, mut cases, mut answers) = (String::new(), 0, [0; 3]);
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("cases.yaml")).unwrap();
        let scenario: Scenario =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!scenario.description.is_empty() && !scenario.cases.is_empty(), "{name}");
        for case in &scenario.cases {
            cases += 1;
            answers
                [["yes", "no", "unknown"].iter().position(|answer| *answer == case.answer).unwrap_or(0)] += 1;
            let wrong = wrong(&folder, case);
            if !wrong.is_empty() {
                let _ = write!(failures, "\n== {name}: {} ({})\n{wrong}", case.ask, case.description);
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(cases > 100 && answers.iter().all(|count| *count > 10), "{cases} cases: {answers:?}");
}
