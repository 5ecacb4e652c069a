//! The ways in an access review: each card says where steps lead as `paths` finds it, and draws it; one picture has all ways
//! to cluster-admin, within bounds.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rbacsim::ask::access_review::{AccessReview, Population};
use rbacsim::ask::matrix::reachable::start_of;
use rbacsim::ask::paths::{Search, Target};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Input, LoadOptions, load};
use rbacsim::report::access_review::page::document;
use serde_json::{Value, json};

use crate::access_review::{folders, with_document};
use crate::ask::{bind, cluster_of, role};

const PODS: &str = "[{apiGroups: [''], resources: [pods], verbs: [create]}]";
const ALL: &str = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
const ACCOUNT: &str =
    "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: deployer\n  namespace: ci\n";

fn page(cluster: &Cluster) -> Value {
    let review = AccessReview::of(cluster, Population::of(cluster, true));
    with_document(&review, document)
}

fn loaded(path: &str) -> Cluster {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path);
    load(&[Input::Path(path)], &LoadOptions::default()).unwrap().into()
}

/// Where a row gets by steps, as its card says it; empty for nowhere.
fn said(page: &Value, number: usize) -> String {
    let holds = |list: &Value| list.as_array().unwrap().contains(&json!(number));
    let card = page["cards"].as_array().unwrap().iter().find(|card| holds(&card["rows"])).unwrap();
    let own = card["ways"].as_array().unwrap().iter().find(|ways| ways[1].is_null() || holds(&ways[1]));
    own.map_or_else(String::new, |ways| {
        let text = usize::try_from(ways[0].as_u64().unwrap()).unwrap();
        page["texts"][text].as_str().unwrap().to_owned()
    })
}

#[test]
fn every_card_says_where_steps_lead_as_paths_finds_it() {
    let clusters = folders().into_iter().chain(["paths/cluster.yaml".to_owned()]).map(|name| loaded(&name));
    let (mut certain, mut possible, mut drawn) = (0, 0, 0);
    for cluster in clusters {
        let review = AccessReview::of(&cluster, Population::of(&cluster, true));
        let page = with_document(&review, document);
        let mut search = Search::new(&cluster);
        for (row, number) in review.rows.iter().zip(0usize..) {
            let from = start_of(&row.holder);
            let overview = search.overview(&from, None);
            let admin = overview.depth("cluster-admin");
            let text = said(&page, number);
            let (sure, open) = text.split_once("if conditions hold ").unwrap_or((&text, ""));
            for (sink, depth) in &overview.sinks {
                let beyond = depth.filter(|depth| {
                    *depth > 0 && (*sink == "cluster-admin" || admin.is_none_or(|admin| *depth < admin))
                });
                let says = sure.contains(&format!("{sink} in "));
                assert_eq!(says, beyond.is_some(), "{} {sink}: {text}", row.key);
                if let Some(depth) = beyond {
                    certain += 1;
                    assert!(sure.contains(&format!("{sink} in {depth} step")), "{}: {text}", row.key);
                }
            }
            for sink in &overview.possible {
                possible += 1;
                let implied = overview.possible.contains(&"cluster-admin") && open == "cluster-admin";
                assert!(open.contains(sink) || implied, "{} {sink}: {text}", row.key);
            }
        }
        for card in page["cards"].as_array().unwrap() {
            for ways in card["ways"].as_array().unwrap() {
                let first = ways[1].get(0).unwrap_or(&card["rows"][0]).as_u64().unwrap();
                let row = &review.rows[usize::try_from(first).unwrap()];
                let Some(svg) = ways[2]["svg"].as_str() else { continue };
                let traced = search.traced_with_possible(&start_of(&row.holder), None);
                for reach in traced.sinks().iter().filter(|reach| reach.depth > 0) {
                    for hop in traced.hops(reach) {
                        drawn += 1;
                        assert!(svg.contains(hop.step.id()), "{}: {svg}", row.key);
                    }
                    assert!(svg.contains(&format!(">{}</text>", reach.identity)), "{}: {svg}", row.key);
                }
            }
        }
    }
    assert!(certain > 30 && possible > 30 && drawn > 30, "{certain} {possible} {drawn}");
}

/// So many users who create pods beside a service account that may do everything, and one who may so herself.
fn many(count: usize) -> Cluster {
    let mut text = [
        role("pods", PODS),
        role("all", ALL),
        bind("deployer", "ClusterRole all", "ServiceAccount ci/deployer"),
        bind("root", "ClusterRole all", "User root"),
        ACCOUNT.to_owned(),
    ]
    .concat();
    for number in 0..count {
        text += &bind(&format!("ci/u{number:03}"), "ClusterRole pods", &format!("User u{number:03}"));
    }
    cluster_of(&[&text], Completeness::Complete)
}

#[test]
fn the_picture_of_all_ways_bundles_who_gets_there_alike() {
    let cluster = many(9);
    let page = page(&cluster);
    let all = &page["toAdmin"];
    assert_eq!(all["said"], "9 identities get to cluster-admin in 1 step");
    let svg = all["svg"].as_str().unwrap();
    for text in [">User u000</text>", ">User u003</text>", ">and 5 more</text>", ">cluster-admin</text>"] {
        assert!(svg.contains(text), "{text}: {svg}");
    }
    // Whoever is cluster-admin already has no way there, and what a picture has in a box the words name one by one.
    assert!(!svg.contains("root") && !svg.contains("User u004"), "{svg}");
    assert_eq!(all["ways"].as_array().unwrap().len(), 9);
    assert_eq!(
        all["ways"][8],
        "User u008 in 1 step: create-pod \u{2192} ServiceAccount ci/deployer, and ServiceAccount ci/deployer has cluster-admin"
    );
    assert_eq!(all["leftOut"], "");
    assert_eq!(
        all["missing"],
        "The inputs have no pods, no Namespaces, no IAM data, so ways through these are missing."
    );
}

#[test]
fn what_the_picture_of_all_ways_leaves_out_is_counted() {
    let page = page(&many(70));
    let all = &page["toAdmin"];
    assert_eq!(all["said"], "70 identities get to cluster-admin in 1 step");
    assert_eq!(all["ways"].as_array().unwrap().len(), 40);
    assert!(all["leftOut"].as_str().unwrap().starts_with("40 of 70 are drawn"), "{}", all["leftOut"]);
    // The cards have the others.
    let cards: BTreeSet<String> = (0..page["rows"].as_array().unwrap().len())
        .filter(|number| page["rows"][*number]["title"].as_str().unwrap().starts_with('u'))
        .map(|number| said(&page, number))
        .collect();
    assert_eq!(cards, BTreeSet::from(["cluster-admin in 1 step".to_owned()]));
}

#[test]
fn a_picture_with_many_boxes_stays_small() {
    // Each has a namespace and an account of her own: nothing to bundle but the end.
    let mut text = [role("pods", PODS), role("all", ALL)].concat();
    for number in 0..60 {
        let _ = writeln!(
            text,
            "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: own, namespace: n{number:02}}}"
        );
        text += &bind(&format!("n{number:02}/u"), "ClusterRole pods", &format!("User u{number:02}"));
        text +=
            &bind(&format!("own{number:02}"), "ClusterRole all", &format!("ServiceAccount n{number:02}/own"));
    }
    let page = page(&cluster_of(&[&text], Completeness::Complete));
    let all = &page["toAdmin"];
    let svg = all["svg"].as_str().unwrap();
    // One rectangle is the background.
    assert!(svg.matches("<rect ").count() <= 37, "{}", svg.matches("<rect ").count());
    let drawn = all["ways"].as_array().unwrap().len();
    assert!(drawn > 10 && all["leftOut"].as_str().unwrap().starts_with(&format!("{drawn} of 60 ")));
    // The pictures of the cards have a limit together; a card without one says which command draws it.
    let ways = page["cards"].as_array().unwrap().iter().flat_map(|card| card["ways"].as_array().unwrap());
    let (svgs, commands): (Vec<&Value>, Vec<&Value>) =
        ways.map(|own| &own[2]).partition(|own| own.get("svg").is_some());
    assert!(svgs.len() >= 60, "{}", svgs.len());
    for own in commands {
        assert!(own["command"].as_str().unwrap().starts_with("rbacsim paths --as "), "{own}");
    }
}

#[test]
fn nobody_on_the_way_is_said_with_what_is_missing() {
    let text = [role("pods", PODS), bind("ci/amy", "ClusterRole pods", "User amy")].concat();
    let page = page(&cluster_of(&[&text], Completeness::Complete));
    let all = &page["toAdmin"];
    assert_eq!(all["said"], "no way to cluster-admin found for those who are not cluster-admin already");
    assert!(all["svg"].is_null() && all["missing"].as_str().unwrap().contains("no pods"));
    // What the page shows is not among what is not in it.
    let not = page["notModelled"].as_array().unwrap();
    assert!(
        !not.iter().any(|own| own.as_str().unwrap().contains("can do more than the rows show")),
        "{not:?}"
    );
}

#[test]
fn a_way_that_depends_on_conditions_is_dashed_and_comes_last() {
    let cluster = loaded("paths/cluster.yaml");
    let mut search = Search::new(&cluster);
    let page = page(&cluster);
    for way in page["toAdmin"]["ways"].as_array().unwrap() {
        let text = way.as_str().unwrap();
        let name = text.split(" in ").next().unwrap();
        let row = page["rows"]
            .as_array()
            .unwrap()
            .iter()
            .zip(0usize..)
            .find(|(row, _)| name.ends_with(row["identity"].as_str().unwrap()));
        assert!(row.is_some(), "{text}");
        let from = crate::paths::from(&cluster, name);
        let traced = search.traced_with_possible(&from, None);
        let is_certain = traced.to(&Target::Sink("cluster-admin")).is_some();
        assert_eq!(!is_certain, text.contains(", if conditions hold:"), "{text}");
    }
}
