//! Recorded decisions of Kubernetes v1.36.2, when they are there: every verdict, every denial's reason.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use rbacsim::decide::cluster::Cluster;
use rbacsim::model::attributes::{Attributes, ResourceAttributes};
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::{Value, json};

/// The folder of recorded data beside the project, if it is there.
pub(crate) fn data() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    path.is_dir().then_some(path)
}

#[expect(clippy::print_stderr, reason = "a test that compares nothing must say so")]
pub(crate) fn skipped(what: &str) {
    eprintln!("skipped: {what} is not there");
}

pub(crate) fn cluster(objects: &[Value]) -> Cluster {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let input = Input::Text { name: "objects.json".into(), bytes: list.to_string().into_bytes() };
    let options = LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(Completeness::Complete),
        ..LoadOptions::default()
    };
    load(&[input], &options).unwrap().into()
}

/// Sends reviews through the same stream as the command line does.
pub(crate) fn review(cluster: &Cluster, specs: &[&Value]) -> Vec<Value> {
    let mut input = String::new();
    for spec in specs {
        let review =
            json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec });
        input.push_str(&review.to_string());
        input.push('\n');
    }
    let mut output = Vec::new();
    rbacsim::ask::review::stream(cluster, &mut input.as_bytes(), &mut output).unwrap();
    output
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// Messages joined as `[a, b]` come in the order of a Go map: compare them as sets.
fn messages(reason: &str) -> BTreeSet<String> {
    reason.trim_start_matches("RBAC: ").trim_matches(['[', ']']).split(", ").map(str::to_owned).collect()
}

pub(crate) fn verdict_sets() -> Vec<(String, Value)> {
    let Some(data) = data() else { return Vec::new() };
    let mut sets = Vec::new();
    for entry in std::fs::read_dir(data.join("verdicts")).unwrap() {
        let path = entry.unwrap().path();
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
        sets.push((
            path.file_name().unwrap().to_string_lossy().into_owned(),
            serde_json::from_str(&text).unwrap(),
        ));
    }
    sets.sort_by(|a, b| a.0.cmp(&b.0));
    sets
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn every_recorded_verdict_agrees() {
    let sets = verdict_sets();
    if sets.is_empty() {
        skipped("../shared/data/verdicts");
        return;
    }
    let (mut allowed, mut denied, mut exact_order, mut several) = (0, 0, 0, 0);
    for (name, set) in &sets {
        let cluster = cluster(set["objects"]["items"].as_array().unwrap());
        assert_eq!(cluster.summary().refused, 0, "{name}: {:?}", cluster.diagnostics());
        let cases = set["cases"].as_array().unwrap();
        let specs: Vec<&Value> = cases.iter().map(|case| &case["spec"]).collect();
        let answers = review(&cluster, &specs);
        assert_eq!(answers.len(), cases.len(), "{name}");
        for (case, answer) in cases.iter().zip(&answers) {
            let status = &answer["status"];
            assert_eq!(status["allowed"], case["allowed"], "{name}: {case}\n{answer}");
            if case["allowed"] == true {
                allowed += 1;
                continue;
            }
            denied += 1;
            let (ours, theirs) = (status["reason"].as_str().unwrap(), case["reason"].as_str().unwrap());
            assert_eq!(messages(ours), messages(theirs), "{name}: {case}");
            if theirs.contains('[') {
                several += 1;
                exact_order += usize::from(ours == theirs);
            }
        }
    }
    assert!(allowed > 1000 && denied > 1000, "both answers must be common");
    eprintln!(
        "verdicts: {} sets, {allowed} allowed and {denied} denied agree; of {several} denials with several messages {exact_order} in the same order",
        sets.len()
    );
}

/// Everything on the walk agrees: the decision, all grants, and the reason among them.
#[test]
fn the_explanation_agrees_with_the_decision_on_recorded_cases() {
    for (name, set) in &verdict_sets() {
        let cluster = cluster(set["objects"]["items"].as_array().unwrap());
        let graph = cluster.graph();
        for case in set["cases"].as_array().unwrap() {
            let spec = &case["spec"];
            let text = |value: &'_ Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
            let resource = &spec["resourceAttributes"];
            if resource.is_null() {
                continue;
            }
            let (verb, group, kind) =
                (text(resource, "verb"), text(resource, "group"), text(resource, "resource"));
            let (part, object, namespace) =
                (text(resource, "subresource"), text(resource, "name"), text(resource, "namespace"));
            let attributes = Attributes::Resource(ResourceAttributes {
                verb: &verb,
                group: &group,
                resource: &kind,
                subresource: &part,
                name: &object,
                namespace: &namespace,
            });
            let groups = spec["groups"].as_array().cloned().unwrap_or_default();
            let user = text(spec, "user");
            let asker = graph.asker_of(&user, groups.iter().filter_map(Value::as_str));
            let decision = graph.authorize(&asker, &attributes);
            let grants = graph.grants(&asker, &attributes);
            let explained = grants.is_master || !grants.allowing.is_empty();
            assert_eq!(decision.is_allowed(), explained, "{name}: {case}");
            if let rbacsim::decide::evaluate::Decision::Allow(_) = &decision {
                let first = grants.allowing.first().unwrap();
                assert_eq!(graph.reason(&decision), graph.allow_reason(first).to_string(), "{name}: {case}");
            }
        }
    }
}

#[test]
fn objects_that_the_api_server_refuses_are_refused_in_its_words() {
    let sets = verdict_sets();
    let mut compared = 0;
    for (name, set) in &sets {
        for invalid in set["invalid"].as_array().unwrap_or(&Vec::new()) {
            let cluster = cluster(std::slice::from_ref(&invalid["object"]));
            assert_eq!(cluster.summary().refused, 1, "{name}: {invalid}");
            let message = &cluster.diagnostics()[0].message;
            let errors: Vec<&str> =
                invalid["errors"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(message.ends_with(&errors.join("; ")), "{name}: {message}\n{errors:?}");
            compared += 1;
        }
    }
    if sets.is_empty() {
        skipped("../shared/data/verdicts");
    } else {
        assert!(compared > 50, "only {compared} compared");
    }
}
