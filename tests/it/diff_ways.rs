//! Ways to sinks that a change opens or closes, in every form, before everything else that is said.

use rbacsim::ask::diff::{MOST_BINDINGS, Selection, Ways, diff};
use rbacsim::ask::matrix::Filter;
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::Completeness;
use rbacsim::report::diff::{findings, headline, markdown, rows, summary, text};

use crate::ask::{bind, cluster_of, role};

const PODS: &str = "[{apiGroups: [''], resources: [pods], verbs: [create]}]";
const ALL: &str = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
const ACCOUNT: &str =
    "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: deployer\n  namespace: ci\n";

/// Amy creates pods in `ci`, where the deployer is; the deployer has nothing yet.
fn base() -> String {
    [role("pods", PODS), role("all", ALL), bind("ci/amy", "ClusterRole pods", "User amy"), ACCOUNT.to_owned()]
        .concat()
}

/// The same with a binding that makes the deployer cluster-admin.
fn with_admin() -> String {
    base() + &bind("deployer", "ClusterRole all", "ServiceAccount ci/deployer")
}

fn everybody() -> Selection {
    Selection { mapped: true, bound: true, ..Selection::default() }
}

fn cluster(text: &str) -> Cluster {
    cluster_of(&[text], Completeness::Complete)
}

fn ways(old: &str, new: &str, selection: &Selection) -> Ways {
    Ways::of(&cluster(old), &cluster(new), selection)
}

fn told(ways: &[rbacsim::ask::diff::Way]) -> Vec<String> {
    let told = |way: &rbacsim::ask::diff::Way| {
        let steps: Vec<String> =
            way.steps.iter().map(|(step, becomes)| format!("{} {becomes}", step.id())).collect();
        format!("{} {} {} {}", way.from, way.sink, way.depth, steps.join(", "))
    };
    ways.iter().map(told).collect()
}

#[test]
fn a_way_opens_also_for_whom_no_change_touches() {
    let found = ways(&base(), &with_admin(), &everybody());
    let expected = [
        "ServiceAccount ci/deployer cluster-admin 0 ",
        "User amy cluster-admin 1 create-pod ServiceAccount ci/deployer",
    ];
    assert_eq!(told(&found.opened), expected);
    assert!(found.closed.is_empty());
    let back = ways(&with_admin(), &base(), &everybody());
    assert!(back.opened.is_empty());
    let closed: Vec<&str> = back.closed.iter().map(|way| way.from.as_str()).collect();
    assert_eq!(closed, ["ServiceAccount ci/deployer", "User amy"]);
}

#[test]
fn a_way_that_was_there_is_not_told_again() {
    // A second way to what is reached already.
    let more = with_admin() + &bind("ci/second", "ClusterRole pods", "User amy");
    assert!(ways(&with_admin(), &more, &everybody()).is_empty());
    // Whoever was cluster-admin reaches no other sink anew.
    let secrets = role("s", "[{apiGroups: [''], resources: [secrets], verbs: [get]}]");
    let more = with_admin() + &secrets + &bind("s", "ClusterRole s", "User amy");
    assert!(ways(&with_admin(), &more, &everybody()).is_empty());
    // Whoever was not reaches that.
    let more = base() + &secrets + &bind("s", "ClusterRole s", "User amy");
    assert_eq!(told(&ways(&base(), &more, &everybody()).opened), ["User amy read-all-secrets 0 "]);
}

#[test]
fn only_who_is_asked_about_is_looked_at() {
    let of_arns = Selection { mapped: true, ..Selection::default() };
    assert!(ways(&base(), &with_admin(), &of_arns).is_empty());
    let amy = rbacsim::model::user::UserInfo::authenticated("amy", std::iter::empty::<String>());
    let of_amy = Selection { users: vec![amy], ..Selection::default() };
    let found = ways(&base(), &with_admin(), &of_amy);
    assert_eq!(found.opened.iter().map(|way| way.from.as_str()).collect::<Vec<_>>(), ["User amy"]);
    // Who came with Kubernetes is left out where that is asked for.
    let own = base() + &bind("own", "ClusterRole all", "ServiceAccount kube-system/coredns");
    let not_own = Selection { exclude_system: true, ..everybody() };
    assert_eq!(ways(&base(), &own, &everybody()).opened.len(), 1);
    assert!(ways(&base(), &own, &not_own).is_empty());
}

#[test]
fn in_large_inputs_only_those_are_searched_whom_a_change_touches_and_that_is_said() {
    let more: String =
        (0..=MOST_BINDINGS).map(|one| bind(&format!("more-{one}"), "ClusterRole pods", "User bob")).collect();
    let (old, new) = (cluster(&(base() + &more)), cluster(&(with_admin() + &more)));
    let found = diff(&old, &new, &Filter::default(), &everybody());
    let ways = Ways::of_diff(&found, &everybody());
    assert_eq!(told(&ways.opened), ["ServiceAccount ci/deployer cluster-admin 0 "]);
    let Ok(mut summary) = summary(&found, |_, _| Ok::<(), std::convert::Infallible>(()));
    summary.add_ways(ways);
    let at_least = "opens a path to cluster-admin for at least 1 identity";
    assert!(headline(&summary).starts_with(at_least), "{}", headline(&summary));
    let mut shown = Vec::new();
    text(&mut shown, &summary).unwrap();
    assert!(
        String::from_utf8(shown)
            .unwrap()
            .contains("searched only from identities whose own access may change")
    );
    let document = rows::Documents::default().document(&found, &summary);
    assert_eq!(document["paths"]["everybodySearched"], false);
    // With no more than that many, everybody is.
    let (old, new) = (cluster(&base()), cluster(&with_admin()));
    let found = diff(&old, &new, &Filter::default(), &everybody());
    let ways = Ways::of_diff(&found, &everybody());
    assert_eq!(ways.opened.len(), 2);
    assert!(!ways.only_touched);
}

#[test]
fn every_form_says_first_what_opens() {
    let (old, new) = (cluster(&base()), cluster(&with_admin()));
    let found = diff(&old, &new, &Filter::default(), &everybody());
    let Ok(mut summary) = summary(&found, |_, _| Ok::<(), std::convert::Infallible>(()));
    summary.ways = Ways::of(&old, &new, &everybody());
    let first = "opens a path to cluster-admin for 2 identities; 1 identity gains access";
    assert!(headline(&summary).starts_with(first), "{}", headline(&summary));

    let mut out = Vec::new();
    text(&mut out, &summary).unwrap();
    let shown = String::from_utf8(out).unwrap();
    let opens = shown.find("  User `amy` in 1 step: creates a pod as ServiceAccount ci/deployer\n").unwrap();
    assert!(opens < shown.find("ClusterRoleBinding `deployer` added").unwrap(), "{shown}");
    assert!(shown.contains("  ServiceAccount `ci/deployer`: by its own rights\n"), "{shown}");

    let shown = markdown(&summary);
    let opens = shown.find("⚠️ **opens a path to cluster-admin**").unwrap();
    assert!(opens < shown.find("**ClusterRoleBinding `deployer` added**").unwrap(), "{shown}");

    let document = rows::Documents::default().document(&found, &summary);
    assert_eq!(document["paths"]["opened"][1]["from"], "User amy");
    assert_eq!(document["paths"]["opened"][1]["sink"], "cluster-admin");
    assert_eq!(document["paths"]["opened"][1]["path"][0]["id"], "create-pod");
    assert_eq!(document["paths"]["closed"].as_array().unwrap().len(), 0);

    let (found, _) = findings(&summary, &found);
    assert_eq!(found[0].code, "path-opened");
    assert!(found[0].message.contains("User `amy` in 1 step"), "{}", found[0].message);

    // The other way round it closes.
    summary.ways = Ways::of(&new, &old, &everybody());
    let mut out = Vec::new();
    text(&mut out, &summary).unwrap();
    let shown = String::from_utf8(out).unwrap();
    assert!(shown.contains("closes every path to cluster-admin\n"), "{shown}");
    assert!(shown.contains("  of User `amy` in 1 step\n"), "{shown}");
}
