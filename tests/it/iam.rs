//! Who may assume which role: every recorded answer, when they are there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use rbacsim::document::{Tree, json};
use rbacsim::identity::iam::{self, Context, IamData, Lens};
use rbacsim::model::source::Source;
use rbacsim::model::ternary::Ternary;
use serde_json::Value;

use crate::recorded::{data, skipped};

/// The exports of a set, through the same reader as the command line's.
pub(crate) fn link(exports: &[&Value]) -> IamData {
    let mut pages = Vec::new();
    let mut diagnostics = Vec::new();
    for export in exports {
        let text = serde_json::to_string_pretty(export).unwrap();
        let mut tree = Tree::default();
        json::read(&text, &mut tree).unwrap();
        let root = tree.root().unwrap();
        assert!(iam::is_export(root));
        pages.extend(iam::read(root, Source::default(), &mut diagnostics));
    }
    let data = IamData::link(pages, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    data
}

fn exports(set: &Value) -> Vec<&Value> {
    std::iter::once(&set["export"]).chain(set["others"].as_array().into_iter().flatten()).collect()
}

pub(crate) fn context(value: &Value) -> Context {
    let mut context = Context::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Array(values) if values.is_empty() => context.absent(key),
            Value::Array(values) => {
                for value in values {
                    context.add(key, value.as_str().unwrap());
                }
            }
            value => context.add(key, value.as_str().unwrap()),
        }
    }
    context
}

/// What is not known and matters, as the records name it.
pub(crate) fn keys(verdict: &iam::Verdict) -> BTreeSet<String> {
    let mut open = Vec::new();
    verdict.why.open(&mut open);
    open.iter().flat_map(|leaf| leaf.keys()).map(str::to_lowercase).collect()
}

fn read(path: &Path) -> Value {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn sets() -> Vec<(String, Value)> {
    let Some(folder) = data().map(|data| data.join("iam")).filter(|folder| folder.is_dir()) else {
        skipped("../shared/data/iam");
        return Vec::new();
    };
    let mut sets = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".json.gz") && name != "real-account.json.gz" {
            sets.push((name, read(&path)));
        }
    }
    sets.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!sets.is_empty());
    sets
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn expected(verdict: &str) -> Ternary {
    match verdict {
        "yes" => Ternary::Yes,
        "no" => Ternary::No,
        "conditional" => Ternary::Unknown,
        other => panic!("{other}"),
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_recorded_question_agrees() {
    let (mut allowed, mut denied, mut wrong) = (0, 0, Vec::new());
    for (name, set) in sets() {
        let data = link(&exports(&set));
        let mut lenses: BTreeMap<String, Lens<'_>> = BTreeMap::new();
        for question in set["questions"].as_array().unwrap() {
            let action = question["action"].as_str().unwrap_or(iam::ASSUME_ROLE);
            let lens = lenses.entry(action.to_owned()).or_insert_with(|| Lens::new(&data, action));
            let context = context(&question["context"]).complete();
            let (principal, role) = (text(&question["principal"]), text(&question["role"]));
            let verdict = lens.may(principal, role, None, &context).unwrap();
            let right = question["allowed"].as_bool().unwrap();
            if verdict.value != Ternary::from(right) {
                wrong.push(format!("{name}: {question}: {verdict:?}"));
            }
            if right { allowed += 1 } else { denied += 1 }
        }
    }
    eprintln!("questions of IAM: {allowed} allowed, {denied} not, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_open_question_agrees() {
    let (mut count, mut exactly, mut wrong) = ([0; 3], 0, Vec::new());
    for (name, set) in sets() {
        let data = link(&exports(&set));
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        for question in set["open"].as_array().unwrap() {
            let (principal, role) = (text(&question["principal"]), text(&question["role"]));
            let verdict = lens.may(principal, role, None, &Context::new()).unwrap();
            let right = expected(text(&question["verdict"]));
            count[right as usize] += 1;
            let accepted: Vec<Ternary> = match question["accept"].as_array() {
                Some(accepted) => accepted.iter().map(|verdict| expected(text(verdict))).collect(),
                None => vec![right],
            };
            let named = keys(&verdict);
            let wanted =
                question["keys"].as_array().into_iter().flatten().map(|key| text(key).to_lowercase());
            let missing: Vec<String> = wanted.filter(|key| !named.contains(key)).collect();
            if !accepted.contains(&verdict.value) || !missing.is_empty() {
                wrong.push(format!("{name}: {question}: {missing:?} {verdict:?}"));
            }
            exactly += usize::from(verdict.value == right);
        }
    }
    let [no, conditional, yes] = count;
    eprintln!(
        "open questions of IAM: {yes} yes, {no} no, {conditional} conditional; {exactly} exactly, {} differ",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_documented_corner_case() {
    let path = data().map(|data| data.join("iam/doc-cases.json")).filter(|path| path.is_file());
    let Some(path) = path else { return skipped("../shared/data/iam/doc-cases.json") };
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for case in cases["cases"].as_array().unwrap() {
        let exports: Vec<&Value> = case["exports"].as_array().unwrap().iter().collect();
        let data = link(&exports);
        let lens = Lens::new(&data, case["action"].as_str().unwrap_or(iam::ASSUME_ROLE));
        let mut context = context(&case["context"]);
        if case["context_is_complete"] == true {
            context = context.complete();
        }
        let verdict = lens.may(text(&case["principal"]), text(&case["role"]), None, &context).unwrap();
        let named = keys(&verdict);
        let wanted = case["keys"].as_array().into_iter().flatten().map(|key| text(key).to_lowercase());
        let missing: Vec<String> = wanted.filter(|key| !named.contains(key)).collect();
        let mut open = Vec::new();
        verdict.why.open(&mut open);
        let facts = open.iter().filter(|leaf| leaf.keys().is_empty()).count();
        let wants_fact = case["why"].is_string();
        if verdict.value != expected(text(&case["expect"]))
            || !missing.is_empty()
            || (wants_fact && facts == 0)
        {
            wrong.push(format!("{}: expect {}: {missing:?} {verdict:?}", case["name"], case["expect"]));
        }
        count += 1;
    }
    eprintln!("corner cases of IAM: {count}, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn a_real_account_agrees() {
    let path = data().map(|data| data.join("iam/real-account.json.gz")).filter(|path| path.is_file());
    let Some(path) = path else { return skipped("../shared/data/iam/real-account.json.gz") };
    let set = read(&path);
    let data = link(&[&set["export"]]);
    let lens = Lens::new(&data, iam::ASSUME_ROLE);
    let context = context(&set["context"]).complete();
    let mut allowed = BTreeSet::new();
    let mut pairs = 0;
    for caller in set["callers"].as_array().unwrap() {
        for role in set["roles"].as_array().unwrap() {
            pairs += 1;
            let verdict = lens.may(text(caller), text(role), None, &context).unwrap();
            assert_ne!(verdict.value, Ternary::Unknown, "{caller} {role} {verdict:?}");
            if verdict.value.is_yes() {
                allowed.insert((text(caller).to_owned(), text(role).to_owned()));
            }
        }
    }
    let right: BTreeSet<(String, String)> = set["allowed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (text(&pair[0]).to_owned(), text(&pair[1]).to_owned()))
        .collect();
    eprintln!("a real account: {pairs} pairs, {} allowed", allowed.len());
    assert_eq!(allowed, right);
}

/// The ARNs of a list, of a map that need not have it.
fn set_of(map: &Value, role: &str) -> Option<BTreeSet<String>> {
    map.get(role)?.as_array().map(|arns| arns.iter().map(|arn| text(arn).to_owned()).collect())
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_recorded_set_of_those_who_can_become_a_role() {
    let (mut count, mut members, mut wrong) = (0, 0, Vec::new());
    for (name, set) in sets() {
        let data = link(&exports(&set));
        let lens = Lens::new(&data, iam::ASSUME_ROLE);
        let reach = iam::Reach::new(&lens, false);
        for (sets, bounds, least) in
            [("reach", "reach_floor", Ternary::Yes), ("reach_if", "reach_if_ceiling", Ternary::Unknown)]
        {
            for role in set[sets].as_object().unwrap().keys() {
                let sources = reach.sources(data.find(role).unwrap());
                let found: BTreeSet<String> = sources
                    .iter()
                    .filter(|source| source.value >= least)
                    .map(|source| data.principal_of(source.id).unwrap().arn.text.to_string())
                    .collect();
                let recorded = set_of(&set[sets], role).unwrap();
                let bound = set_of(&set[bounds], role).unwrap_or_else(|| recorded.clone());
                let right = if least == Ternary::Yes {
                    bound.is_subset(&found) && found.is_subset(&recorded)
                } else {
                    recorded.is_subset(&found) && found.is_subset(&bound)
                };
                if !right {
                    let differ: Vec<_> = found.symmetric_difference(&recorded).collect();
                    wrong.push(format!("{name}: {sets} of {role}: {differ:?}"));
                }
                count += 1;
                members += found.len();
                for source in &sources {
                    let hops = reach.hops(source);
                    let value = Ternary::all(hops.iter().map(|hop| hop.verdict.value));
                    assert_eq!(value, source.value, "{name}: {role}: {source:?}");
                }
            }
        }
    }
    eprintln!("sets of those who can become a role: {count} with {members} members, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
