//! What access leads to: every recorded set and scenario, exactly.

use std::collections::BTreeMap;
use std::io::Read;

use rbacsim::ask::paths::{From, Paths, Search};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::{Value, json};

use crate::recorded::{data, skipped};

pub(crate) fn cluster(objects: &Value, version: &str) -> Cluster {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let input = Input::Text { name: "objects.json".into(), bytes: list.to_string().into_bytes() };
    let options = LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(Completeness::Complete),
        version: version.parse().unwrap(),
    };
    load(&[input], &options).unwrap().into()
}

/// A start as it is printed.
pub(crate) fn from(cluster: &Cluster, subject: &str) -> From {
    let (kind, name) = subject.split_once(' ').unwrap();
    match kind {
        "IAM" => From::iam(name, &cluster.identify(name, None)),
        "ServiceAccount" => {
            let (namespace, name) = name.split_once('/').unwrap();
            From::service_account(namespace, name)
        }
        "User" => From::user(name),
        "Group" => From::group(name),
        other => panic!("{other}"),
    }
}

fn ids(steps: &Value) -> Vec<&str> {
    steps.as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect()
}

/// What differs between what was found and what was recorded.
fn differences(found: &Paths, recorded: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, key, own) in
        [("reached", "identity", &found.reached), ("roles", "role", &found.roles)]
    {
        let theirs: BTreeMap<&str, &Value> = recorded[kind]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (entry[key].as_str().unwrap(), entry))
            .collect();
        let ours: BTreeMap<&str, _> = own.iter().map(|entry| (entry.identity.as_str(), entry)).collect();
        for (name, theirs) in &theirs {
            let Some(ours) = ours.get(name) else {
                wrong.push(format!("{kind}: {name} is missing: {theirs}"));
                continue;
            };
            let mut last: Vec<&str> = ours.last.iter().map(|step| step.id()).collect();
            last.sort_unstable();
            let mut recorded = ids(&theirs["last"]);
            recorded.sort_unstable();
            if u64::from(ours.depth) != theirs["depth"].as_u64().unwrap() || last != recorded {
                wrong.push(format!("{kind}: {name}: {} {last:?}, not {theirs}", ours.depth));
            }
        }
        for (name, ours) in &ours {
            if !theirs.contains_key(name) {
                wrong.push(format!("{kind}: {name} is too much: {ours:?}"));
            }
        }
    }
    if recorded["admin"] != found.admin {
        wrong.push(format!("admin {}", found.admin));
    }
    for (name, depth) in &found.sinks {
        if recorded["sinks"][name] != json!(depth) {
            wrong.push(format!("sink {name}: {depth:?}, not {}", recorded["sinks"][name]));
        }
    }
    wrong
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_recorded_set_agrees() {
    let Some(folder) = data().map(|data| data.join("paths")).filter(|folder| folder.is_dir()) else {
        skipped("../shared/data/paths");
        return;
    };
    let (mut sets, mut subjects, mut entries, mut wrong, mut contradictory) = (0, 0, 0, 0, 0);
    let (mut ways, mut same_ways) = (0, 0);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "gz")) {
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        let set: Value = serde_json::from_str(&text).unwrap();
        let cluster = cluster(&set["objects"], set["kubernetes_version"].as_str().unwrap());
        let mut search = Search::new(&cluster);
        sets += 1;
        for recorded in set["reach"].as_array().unwrap() {
            subjects += 1;
            entries += recorded["reached"].as_array().unwrap().len() + recorded["roles"].as_array().unwrap().len();
            let subject = recorded["subject"].as_str().unwrap();
            let traced = search.traced(&from(&cluster, subject), None);
            let found = &traced.paths;
            let mut differ = differences(found, recorded);
            for (kind, key, own) in [("reached", "identity", &found.reached), ("roles", "role", &found.roles)] {
                for own in own {
                    let theirs = recorded[kind].as_array().unwrap();
                    let Some(theirs) = theirs.iter().find(|entry| entry[key] == own.identity) else { continue };
                    let steps: Vec<&str> = traced.steps(own).iter().map(|step| step.id()).collect();
                    ways += 1;
                    if steps == ids(&theirs["steps"]) {
                        same_ways += 1;
                    } else if std::env::var_os("SHOW").is_some() {
                        eprintln!("{subject}: {}: {steps:?} not {}", own.identity, theirs["steps"]);
                    }
                    let ends = own.depth == 0 || steps.last().is_some_and(|last| own.last.iter().any(|step| step.id() == *last));
                    if !ends || steps.len() < usize::from(own.depth) {
                        differ.push(format!("{kind}: {}: the way {steps:?}", own.identity));
                    }
                }
            }
            // Sets 5 and 9 contradict set 7 and the text about them: in 7 `get nodes/proxy` is exec everywhere, in 9 it
            // is not, in 5 `get` is and `create` is not. Either is.
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let before = differ.len();
            if matches!(name.as_str(), "open-5.json.gz" | "open-9.json.gz") {
                differ.retain(|line| !line.starts_with("sink exec-everywhere"));
            }
            contradictory += before - differ.len();
            wrong += differ.len();
            for line in differ.iter().take(6) {
                eprintln!("{}: {subject}: {line}", path.file_name().unwrap().to_string_lossy());
            }
        }
    }
    eprintln!("paths: {sets} sets, {subjects} subjects, {entries} entries, {wrong} differ, {contradictory} depths of exec-everywhere contradictory in the records; {same_ways} of {ways} ways the same");
    assert_eq!(wrong, 0);
}

/// Scenarios worked out by hand: everything reached, by which steps, and nothing else.
#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_scenario_agrees() {
    let Some(file) = data().map(|data| data.join("paths/scenarios.yaml")).filter(|file| file.is_file()) else {
        skipped("../shared/data/paths/scenarios.yaml");
        return;
    };
    let all: Value = serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let (mut scenarios, mut results) = (0, 0);
    let mut wrong: Vec<String> = Vec::new();
    for scenario in all["scenarios"].as_array().unwrap() {
        scenarios += 1;
        let name = scenario["name"].as_str().unwrap();
        let cluster = cluster(&scenario["objects"], scenario["kubernetes_version"].as_str().unwrap_or("1.36"));
        let mut search = Search::new(&cluster);
        for (subject, expected) in scenario["expected"].as_object().unwrap() {
            let found = search.paths(&from(&cluster, subject), None);
            let theirs = expected.as_object().unwrap();
            let ours: Vec<_> = found.reached.iter().chain(&found.roles).collect();
            results += theirs.len();
            for own in &ours {
                let Some(steps) = theirs.get(&own.identity) else {
                    wrong.push(format!("{name}: {subject}: {} is too much", own.identity));
                    continue;
                };
                let steps = ids(steps);
                let depth = scenario["depths"][subject][&own.identity].as_u64();
                if u64::from(own.depth) != depth.unwrap_or(steps.len() as u64) {
                    wrong.push(format!("{name}: {subject}: {} {}", own.identity, own.depth));
                }
                let is_last = |last: &&str| own.last.iter().any(|step| step.id() == *last);
                if !(own.depth == 0 || steps.last().is_some_and(is_last)) {
                    wrong.push(format!("{name}: {subject}: {} {:?}", own.identity, own.last));
                }
            }
            for identity in theirs.keys() {
                if !ours.iter().any(|own| own.identity == *identity) {
                    wrong.push(format!("{name}: {subject}: {identity} is missing"));
                }
            }
        }
    }
    eprintln!("paths: {scenarios} scenarios, {results} results, {} differ", wrong.len());
    assert_eq!(wrong, [""; 0]);
}
