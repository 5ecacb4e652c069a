//! The matrix told apart: what somebody has, and what it has not and can get by certain steps.

use rbacsim::ask::matrix::{Filter, Holder, Matrix, holder};
use rbacsim::decide::cluster::Cluster;
use rbacsim::model::user::UserInfo;
use rbacsim::read::Completeness;
use rbacsim::report::{matrix_evidence, matrix_html, matrix_long, matrix_table};
use serde_json::{Value, json};

use crate::ask::{bind, cluster_of, role};

const PODS: &str = "[{apiGroups: [''], resources: [pods], verbs: [create]}]";
const ACCOUNT: &str =
    "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: deployer\n  namespace: ci\n";

/// Amy creates pods in `ci`; its deployer reads pods in every namespace, and one Secret in `ci`.
fn objects() -> String {
    [
        role("pods", PODS),
        role("read", "[{apiGroups: [''], resources: [pods], verbs: [get, create]}]"),
        role("ci/one", "[{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [key]}]"),
        bind("ci/amy", "ClusterRole pods", "User amy"),
        bind("deployer", "ClusterRole read", "ServiceAccount ci/deployer"),
        bind("ci/deployer", "Role one", "ServiceAccount ci/deployer"),
        ACCOUNT.to_owned(),
    ]
    .concat()
}

fn user(cluster: &Cluster, name: &str) -> Vec<Holder> {
    vec![holder::of_user(cluster, UserInfo::authenticated(name, std::iter::empty::<String>()))]
}

/// The rows that can be got, as heading, verb, resource and names, with the steps and through what.
fn reached(cluster: &Cluster, who: &str) -> Vec<String> {
    let holders = user(cluster, who);
    let matrix = Matrix::new(cluster, &Filter::default()).with_reachable(&holders);
    let rows = matrix.reached(&holders[0]).unwrap();
    rows.iter()
        .map(|((heading, column, names), reached)| {
            let (cell, verb) = matrix.universe().column(*column).unwrap();
            let (resource, names) = (&cell.resource, names.join(";"));
            format!("{heading} {verb} {resource} {names} {} {}", reached.steps, reached.through)
        })
        .collect()
}

#[test]
fn a_row_that_can_be_got_is_no_row_that_is_held() {
    let cluster = cluster_of(&[&objects()], Completeness::Complete);
    let found = reached(&cluster, "amy");
    // In every namespace, though she creates pods in one; the Secret by its name alone.
    let through = "1 ServiceAccount ci/deployer";
    for row in ["* create pods  ", "* get pods  ", "ci get secrets key "] {
        assert!(found.contains(&format!("{row}{through}")), "{row}: {found:?}");
    }
    // What she has herself is not among it, nor anything of which nobody has it.
    assert!(!found.iter().any(|row| row.starts_with("ci create pods")), "{found:?}");
    assert!(!found.iter().any(|row| row.contains("delete")), "{found:?}");
    // Nobody is named whom the deployer could become.
    assert_eq!(reached(&cluster, "bob"), Vec::<String>::new());
}

#[test]
fn roles_that_can_be_bound_and_powers_count() {
    let binds = "[{apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [create]}, \
                  {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind], resourceNames: [read]}]";
    let bound = objects() + &role("binds", binds) + &bind("ci/carl", "ClusterRole binds", "User carl");
    let cluster = cluster_of(&[&bound], Completeness::Complete);
    let found = reached(&cluster, "carl");
    assert!(found.contains(&"ci get pods  1 ClusterRole read in ci".to_owned()), "{found:?}");
    // What the deployer has elsewhere takes the pods that this role lets him create.
    let elsewhere: Vec<&String> = found.iter().filter(|row| row.starts_with("* ")).collect();
    let through = " 2 ServiceAccount ci/deployer";
    assert!(elsewhere.len() == 2 && elsewhere.iter().all(|row| row.ends_with(through)), "{found:?}");
    // Whoever becomes cluster-admin can get everything, and has the power to thank for it.
    let all = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
    let admin =
        objects() + &role("all", all) + &bind("admin", "ClusterRole all", "ServiceAccount ci/deployer");
    let cluster = cluster_of(&[&admin], Completeness::Complete);
    let found = reached(&cluster, "amy");
    assert!(found.contains(&"* delete secrets  1 cluster-admin".to_owned()), "{found:?}");
    assert!(found.contains(&" get nodes  1 cluster-admin".to_owned()), "{found:?}");
    // Whoever is in system:masters has everything already.
    let masters = vec![holder::of_user(&cluster, UserInfo::as_given("root", ["system:masters"]))];
    let matrix = Matrix::new(&cluster, &Filter::default()).with_reachable(&masters);
    assert!(matrix.reached(&masters[0]).unwrap().is_empty());
}

#[test]
fn every_form_tells_it_apart_and_only_where_it_is_asked() {
    let cluster = cluster_of(&[&objects()], Completeness::Complete);
    let holders = user(&cluster, "amy");
    let plain = Matrix::new(&cluster, &Filter::default());
    let columns = matrix_evidence::Columns { grants: false, unknown: false };
    let csv = |matrix: &Matrix<'_>| {
        let mut out = Vec::new();
        matrix_evidence::csv(&mut out, matrix, &holders, columns, &mut |_, _| {}).unwrap();
        String::from_utf8(out).unwrap()
    };
    let document = |matrix: &Matrix<'_>| -> Value {
        let mut out = Vec::new();
        matrix_long::json(&mut out, matrix, &holders, &json!({}), &mut |_, _| {}).unwrap();
        serde_json::from_slice(&out).unwrap()
    };
    let table = |matrix: &Matrix<'_>| {
        let view = matrix_table::View {
            matrix,
            holders: &holders,
            entries: None,
            all_rows: false,
            is_wide: false,
            asked_preset: false,
        };
        let mut out = Vec::new();
        let style = matrix_table::Style::Text { unicode: false, width: None };
        matrix_table::print(&mut out, &view, &style, &[]).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(!csv(&plain).contains("reachable"));
    assert!(document(&plain).get("reachable").is_none());
    assert!(!table(&plain).contains("secrets") && !table(&plain).contains("certain steps"));

    let asked = Matrix::new(&cluster, &Filter::default()).with_reachable(&holders);
    let shown = csv(&asked);
    assert!(shown.lines().next().unwrap().ends_with(",resource_names,access,steps,through"), "{shown}");
    assert!(shown.contains("User,amy,amy,ci,,pods,create,,direct,0,\n"), "{shown}");
    assert!(
        shown.contains("User,amy,amy,ci,,secrets,get,key,reachable,1,ServiceAccount ci/deployer\n"),
        "{shown}"
    );
    let shown = document(&asked);
    let secret =
        shown["reachable"].as_array().unwrap().iter().find(|row| row["resource"] == "secrets").unwrap();
    assert_eq!((&secret["steps"], &secret["through"]), (&json!(1), &json!("ServiceAccount ci/deployer")));
    assert_eq!(secret["resourceNames"], json!(["key"]));
    // The rows that are held stand as before.
    assert_eq!(shown["rows"], document(&plain)["rows"]);
    let shown = table(&asked);
    let line = |resource: &str| shown.lines().find(|line| line.trim_start().starts_with(resource)).unwrap();
    assert!(line("secrets").contains(">1"), "{shown}");
    assert!(shown.contains(">2 not directly, but in 2 certain steps"), "{shown}");
    let ndjson = |matrix: &Matrix<'_>| {
        let mut out = Vec::new();
        let rows = matrix_long::ndjson(&mut out, matrix, &holders, &mut |_, _| {}).unwrap();
        let text = String::from_utf8(out).unwrap();
        let values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(values.len(), rows);
        values
    };
    assert!(ndjson(&plain).iter().all(|row| row.get("access").is_none()));
    let rows = ndjson(&asked);
    let of = |access: &str| rows.iter().filter(|row| row["access"] == access).cloned().collect::<Vec<_>>();
    assert_eq!(of("direct").len(), document(&plain)["rows"].as_array().unwrap().len());
    let mut reachable = of("reachable");
    for row in &mut reachable {
        row.as_object_mut().unwrap().remove("access");
    }
    assert_eq!(json!(reachable), document(&asked)["reachable"]);
    // The page says it in lines, and the plain one has none.
    let page = |matrix: &Matrix<'_>| -> Value {
        let mut out = Vec::new();
        matrix_html::page(&mut out, matrix, &holders, &json!({}), &mut |_, _| {}).unwrap();
        let text = String::from_utf8(out).unwrap();
        let data = text.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        serde_json::from_str(data).unwrap()
    };
    assert_eq!(page(&plain)["reached"], json!([]));
    let lines = page(&asked)["reached"].clone();
    let secret = "User amy in ci only named key, in 1 step as ServiceAccount ci/deployer: get secrets";
    assert!(lines.as_array().unwrap().contains(&json!(secret)), "{lines:#}");
    let pods = "User amy in every namespace, in 1 step as ServiceAccount ci/deployer: create, get pods";
    assert!(lines.as_array().unwrap().contains(&json!(pods)), "{lines:#}");
}

/// The table of some users, with what they can get.
fn printed(cluster: &Cluster, names: &[&str], markdown: bool) -> String {
    let holders: Vec<Holder> = names.iter().flat_map(|name| user(cluster, name)).collect();
    let matrix = Matrix::new(cluster, &Filter::default()).with_reachable(&holders);
    let view = matrix_table::View {
        matrix: &matrix,
        holders: &holders,
        entries: None,
        all_rows: false,
        is_wide: false,
        asked_preset: false,
    };
    let mut out = Vec::new();
    let style = if markdown {
        matrix_table::Style::Markdown
    } else {
        matrix_table::Style::Text { unicode: false, width: Some(80) }
    };
    matrix_table::print(&mut out, &view, &style, &[]).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn cards_and_tables_say_where_something_is_reachable() {
    let more = [
        role("moves", "[{apiGroups: [''], resources: [configmaps], verbs: [get]}]"),
        bind("ci/moves", "ClusterRole moves", "ServiceAccount ci/deployer"),
        bind("ops/moves", "ClusterRole moves", "User amy"),
    ]
    .concat();
    let cluster = cluster_of(&[&(objects() + &more)], Completeness::Complete);
    // One identity: notes below the table say where.
    let shown = printed(&cluster, &["amy"], false);
    let line = |resource: &str| shown.lines().find(|line| line.trim_start().starts_with(resource)).unwrap();
    let note = |text: &str| {
        let line = shown.lines().find(|line| line.trim_start_matches([' ', '0', '1', '2', '3', '4']) == text);
        let line = line.unwrap_or_else(|| panic!("{text}: {shown}"));
        line.split_whitespace().next().unwrap().to_owned()
    };
    let secret = note("reachable in 1 step, only named key in ci");
    assert!(line("secrets").contains(&format!(">1:{secret}")), "{shown}");
    // What she has in one namespace stands with what she can get in another.
    let both = note("in ops; reachable in 1 step, in ci");
    assert!(line("configmaps").contains(&format!("n{both}")), "{shown}");
    // Everywhere needs no note, and beside what she has in a namespace it is told.
    let pods = note("in ci; reachable in 1 step, everywhere");
    assert!(line("pods").contains(&format!("n{pods}")) && line("pods").contains(">1 "), "{shown}");
    // Several: cards, in text and for a pull request.
    for markdown in [false, true] {
        let shown = printed(&cluster, &["amy", "bob"], markdown);
        for place in [
            "reachable in 1 step, only named key in ci",
            "reachable in 1 step, in ci",
            "reachable in 1 step, everywhere",
            "in ops",
        ] {
            assert!(shown.contains(place), "{place}: {shown}");
        }
        assert!(shown.contains("reachable = not directly, but by certain steps"), "{shown}");
    }
}
