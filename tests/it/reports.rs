//! What users ran into, as whole command lines with one right answer each: ours, and the collected ones when they are
//! there. The head of `testdata/reports/cases.yaml` explains the form.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use regex_lite::Regex;
use serde_json::Value;

use super::recorded::{data, skipped};

/// Cases that need another program (`kubectl` or `kustomize`) and are left out where there is none.
fn is_runnable(case: &Value) -> bool {
    let needs_kustomize = words(case["args"].as_str().unwrap()).contains(&"-k".to_owned());
    let is_there = |program: &str| {
        Command::new(program).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    !needs_kustomize || is_there("kubectl") || is_there("kustomize")
}

/// The words of a command line, single quotes taken off.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for sign in line.chars() {
        match sign {
            '\'' => {
                quoted = !quoted;
                any = true;
            }
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            sign => word.push(sign),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

fn run(folder: &Path, case: &Value) -> Output {
    let place = case["in"].as_str().or(case["name"].as_str()).unwrap();
    let inputs = folder.join("in").join(place);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbacsim"));
    command.current_dir(&inputs).env_remove("NO_COLOR").args(words(case["args"].as_str().unwrap()));
    match case["stdin"].as_str() {
        Some(file) => command.stdin(fs::File::open(inputs.join(file)).unwrap()),
        None => command.stdin(Stdio::null()),
    };
    command.output().unwrap()
}

/// One value or a list of them.
fn list(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_array().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect())
}

/// What a path such as `a.b[k=v;k2=v2].c` or `[0].a` finds; several where a choice has several.
fn find<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![value];
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inside) = rest.strip_prefix('[') {
            let (choice, behind) = inside.split_once(']').unwrap();
            rest = behind;
            if let Ok(index) = choice.parse::<usize>() {
                found = found.into_iter().filter_map(|value| value.get(index)).collect();
                continue;
            }
            let fields: Vec<(&str, &str)> =
                choice.split(';').map(|field| field.split_once('=').unwrap()).collect();
            let fits = |item: &&Value| {
                fields.iter().all(|(key, wanted)| list(&item[*key]) == [(*wanted).to_owned()])
            };
            let items = found.into_iter().flat_map(|value| value.as_array().into_iter().flatten());
            found = items.filter(fits).collect();
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, behind) = rest.split_at(end);
            rest = behind;
            found = found.into_iter().filter_map(|value| value.get(key)).collect();
        }
    }
    found
}

fn json_holds(document: &Value, path: &str, wanted: &Value) -> bool {
    let found = find(document, path);
    if let Some(present) = wanted.get("present") {
        return found.is_empty() != present.as_bool().unwrap();
    }
    let Some(first) = found.first() else { return false };
    if wanted.get("filled").is_some() {
        return match first {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => true,
        };
    }
    if let Some(set) = wanted.get("set") {
        let mut items = (list(first), list(set));
        items.0.sort();
        items.1.sort();
        return items.0 == items.1;
    }
    *first == wanted
}

/// The rows of CSV without quotes that matter, as column and value.
fn rows(csv: &str) -> Vec<Vec<(String, String)>> {
    let mut lines = csv
        .lines()
        .map(|line| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect::<Vec<String>>());
    let header = lines.next().unwrap_or_default();
    lines.map(|cells| header.iter().cloned().zip(cells).collect()).collect()
}

fn has_row(csv: &str, wanted: &Value) -> bool {
    let fits = |row: &Vec<(String, String)>| {
        wanted.as_object().unwrap().iter().all(|(column, value)| {
            row.iter().any(|(own, cell)| own == column && list(value) == [cell.clone()])
        })
    };
    rows(csv).iter().any(fits)
}

/// What of the expectations does not hold.
fn failures(output: &Output, expect: &Value) -> Vec<String> {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let both = format!("{stdout}\n{stderr}");
    let exit = i64::from(output.status.code().unwrap_or(-1));
    let mut failed = Vec::new();
    for (key, wanted) in expect.as_object().unwrap() {
        let where_ = match key.split('_').next().unwrap() {
            "stdout" => &stdout,
            "stderr" => &stderr,
            _ => &both,
        };
        let matches = |pattern: &String| {
            let pattern = Regex::new(pattern).unwrap();
            where_.lines().any(|line| pattern.is_match(line))
        };
        let holds = match key.as_str() {
            "answer" => list(wanted).iter().any(|answer| {
                let code = ["yes", "no", "", "unknown"].iter().position(|word| word == answer).unwrap();
                stdout.starts_with(&format!("{answer} - ")) && exit == i64::try_from(code).unwrap()
            }),
            "exit" => wanted.as_i64() == Some(exit),
            "silent" => stdout.is_empty() && stderr.is_empty(),
            "any" => wanted.as_array().unwrap().iter().any(|one| failures(output, one).is_empty()),
            "ndjson" => true,
            "json" => {
                let document = if expect["ndjson"] == true {
                    let lines = stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_default());
                    Value::Array(lines.collect())
                } else {
                    serde_json::from_str(&stdout).unwrap_or_default()
                };
                wanted.as_object().unwrap().iter().all(|(path, wanted)| json_holds(&document, path, wanted))
            }
            "csv_has" => wanted.as_array().unwrap().iter().all(|row| has_row(&stdout, row)),
            "csv_lacks" => !wanted.as_array().unwrap().iter().any(|row| has_row(&stdout, row)),
            key if key.ends_with("_contains") => list(wanted).iter().all(|text| where_.contains(text)),
            key if key.ends_with("_lacks") => !list(wanted).iter().any(|text| where_.contains(text)),
            key if key.ends_with("_matches") => list(wanted).iter().all(matches),
            key if key.ends_with("_unlike") => !list(wanted).iter().any(matches),
            other => panic!("no expectation is called {other}"),
        };
        if !holds {
            failed.push(format!("{key}: {wanted}"));
        }
    }
    failed
}

fn check(folder: &Path, known_to_fail: &[&str]) -> (usize, usize) {
    let text = fs::read_to_string(folder.join("cases.yaml")).unwrap();
    let cases: Vec<Value> = serde_yaml::from_str(&text).unwrap();
    let (mut passed, mut left_out, mut report) = (0, 0, String::new());
    let mut still_failing = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if !is_runnable(case) {
            left_out += 1;
            continue;
        }
        let output = run(folder, case);
        let failed = failures(&output, &case["expect"]);
        if failed.is_empty() {
            passed += 1;
        } else if known_to_fail.contains(&name) {
            still_failing.push(name);
        } else {
            let shown =
                |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().take(30).collect::<Vec<_>>().join("\n");
            writeln!(
                report,
                "\n== {name}: {}\n{}\nexit {:?}\n{}\n-- stderr\n{}",
                case["args"].as_str().unwrap(),
                failed.join("\n"),
                output.status.code(),
                shown(&output.stdout),
                shown(&output.stderr),
            )
            .unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
    let passes: Vec<&&str> = known_to_fail.iter().filter(|name| !still_failing.contains(name)).collect();
    assert!(passes.is_empty(), "no longer known to fail: {passes:?}");
    (passed, left_out)
}

#[test]
fn every_report_of_ours_is_answered_rightly() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/reports");
    let (passed, left_out) = check(&folder, &[]);
    assert!(passed > 10 && left_out == 0, "{passed} pass, {left_out} are left out");
}

/// Cases that wait for a part that is not built yet.
const WAITING: [&str; 0] = [];

#[test]
fn every_collected_report_is_answered_rightly() {
    let Some(folder) = data().map(|data| data.join("reports")) else {
        skipped("../shared/data/reports");
        return;
    };
    let (passed, left_out) = check(&folder, &WAITING);
    #[expect(clippy::print_stderr, reason = "how much was compared")]
    {
        eprintln!(
            "reports: {passed} cases pass, {} wait, {left_out} need kubectl or kustomize",
            WAITING.len()
        );
    }
    assert!(passed + WAITING.len() > 80);
}
