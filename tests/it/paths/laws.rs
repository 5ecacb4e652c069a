//! Laws of the search for paths, on recorded clusters and small ones.

use super::*;

/// Clusters of the recorded sets, or nothing where they are not there.
fn recorded_objects() -> Vec<(Vec<Value>, String)> {
    let Some(folder) = data().map(|data| data.join("paths")).filter(|folder| folder.is_dir()) else {
        return Vec::new();
    };
    (1..4)
        .map(|number| {
            let path = folder.join(format!("open-{number}.json.gz"));
            let mut text = String::new();
            flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
                .read_to_string(&mut text)
                .unwrap();
            let set: Value = serde_json::from_str(&text).unwrap();
            (
                set["objects"].as_array().unwrap().clone(),
                set["kubernetes_version"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn paths_of_all(objects: &[Value], version: &str) -> Vec<(String, Paths)> {
    let cluster = cluster(&Value::Array(objects.to_vec()), version);
    let mut search = Search::new(&cluster);
    rbacsim::ask::paths::starts(&cluster)
        .into_iter()
        .map(|from| (from.title.clone(), search.paths(&from, None)))
        .collect()
}

#[test]
fn the_order_of_objects_does_not_matter() {
    for (mut objects, version) in recorded_objects() {
        let before = paths_of_all(&objects, &version);
        objects.reverse();
        let after = paths_of_all(&objects, &version);
        let show = |all: &[(String, Paths)]| format!("{all:?}");
        let plain = |all: Vec<(String, Paths)>| {
            all.into_iter()
                .map(|(title, paths)| {
                    let entry = |reach: &rbacsim::ask::paths::Reach| {
                        format!("{} {} {:?}", reach.identity, reach.depth, reach.last)
                    };
                    let reached: Vec<String> = paths.reached.iter().chain(&paths.roles).map(entry).collect();
                    (title, reached, paths.sinks)
                })
                .collect::<Vec<_>>()
        };
        assert!(!show(&before).is_empty());
        assert_eq!(plain(before), plain(after));
    }
}

#[test]
fn more_rights_never_reach_less() {
    let mut less = 0;
    let sets = recorded_objects();
    for (objects, version) in &sets {
        let (objects, version) = (objects.clone(), version.as_str());
        let whole = paths_of_all(&objects, version);
        // Without every third binding of its own.
        let mut number = 0;
        let fewer: Vec<Value> = objects
            .iter()
            .filter(|object| {
                let is_default = object["metadata"]["labels"]["kubernetes.io/bootstrapping"].is_string();
                let is_binding = object["kind"].as_str().unwrap().ends_with("Binding") && !is_default;
                number += usize::from(is_binding);
                !(is_binding && number % 3 == 0)
            })
            .cloned()
            .collect();
        for (title, paths) in paths_of_all(&fewer, version) {
            let Some((_, more)) = whole.iter().find(|(other, _)| *other == title) else { continue };
            for ((sink, of_less), (_, of_more)) in paths.sinks.iter().zip(&more.sinks) {
                let rank = |depth: &Option<u16>| depth.unwrap_or(u16::MAX);
                assert!(rank(of_more) <= rank(of_less), "{title}: {sink}: {of_more:?} {of_less:?}");
                less += usize::from(rank(of_more) < rank(of_less));
            }
        }
    }
    assert!(sets.is_empty() || less > 10, "only {less} sinks came later");
}

#[test]
fn without_the_last_grant_of_every_way_the_sink_is_gone() {
    let pods = rule(&["create"], "", &["pods"], &[]);
    let everything = rule(&["*"], "*", &["*"], &[]);
    let parts = [
        grant("ci", "dev", MAY, std::slice::from_ref(&pods)),
        grant("ops", "deploy", "ServiceAccount ci/default", &[pods]),
        grant("", "root", "ServiceAccount ops/default", &[everything]),
    ];
    let admin = |parts: &[[Value; 2]]| {
        let objects = Value::Array(parts.concat());
        reached_in(&objects, MAY, "1.36").iter().any(|reach| reach.starts_with("cluster-admin"))
    };
    assert!(admin(&parts));
    for left_out in 0..parts.len() {
        let rest: Vec<_> = parts
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, part)| part.clone())
            .collect();
        assert!(!admin(&rest), "{left_out}");
    }
}

#[test]
fn at_most_so_many_steps() {
    let pods = rule(&["create"], "", &["pods"], &[]);
    let objects = all(&[
        &grant("a", "one", MAY, std::slice::from_ref(&pods)),
        &grant("b", "two", "ServiceAccount a/default", std::slice::from_ref(&pods)),
        &grant("c", "three", "ServiceAccount b/default", &[pods]),
    ]);
    let cluster = cluster(&objects, "1.36");
    let mut search = Search::new(&cluster);
    for most in 0..4u16 {
        let paths = search.paths(&from(&cluster, MAY), Some(most));
        assert_eq!(paths.reached.len(), usize::from(most));
    }
}
