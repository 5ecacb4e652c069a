//! The page of the access matrix, opened in a headless browser where one is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use rbacsim::ask::matrix::holder::{self, LeftOut};
use rbacsim::ask::matrix::{Filter, Matrix};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Input, LoadOptions, load};
use rbacsim::report::statement::Statement;
use rbacsim::report::{matrix_html, matrix_long, matrix_statement};
use serde_json::{Value, json};

use crate::matrix_rules::{ALICE, binding, cluster_binding, cluster_role, load_text};

fn page(cluster: &Cluster) -> String {
    let mut holders = holder::mapped(cluster);
    holders.extend(holder::bound(cluster));
    holder::sort(&mut holders);
    let matrix = Matrix::new(cluster, &Filter::default());
    let statement = Statement::of(&matrix, &holders, LeftOut::default());
    let meta = matrix_statement::document(&matrix, &statement, 0);
    let mut out = Vec::new();
    matrix_html::page(&mut out, &matrix, &holders, &meta, &mut |_, _| {}).unwrap();
    String::from_utf8(out).unwrap()
}

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|candidate| candidate.is_file())
}

/// The document after the page's script ran; `None` where no browser is installed.
#[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
fn open(html: &str, filters: &str) -> Option<String> {
    let Some(browser) = browser() else {
        eprintln!("skipped: no browser is installed");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file: &Path = &folder.path().join("matrix.html");
    std::fs::write(file, html).unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=10000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}#{filters}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !dom.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    // What was embedded for the script is not what the script made of it.
    let (before, data) = dom.split_once("<script type=\"application/json\"").unwrap();
    Some(before.to_owned() + data.split_once("</script>").map_or("", |(_, rest)| rest))
}

fn quickstart() -> Cluster {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/quickstart");
    load(&[Input::Path(path)], &LoadOptions::default()).unwrap().into()
}

#[test]
fn the_page_needs_no_network() {
    let html = page(&quickstart());
    for outside in ["http://", "https://", "src=", "href=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn filters_find_rows_and_a_cell_shows_its_grants() {
    let html = page(&quickstart());
    let Some(dom) = open(&html, "who=role/oncall&ns=prod&res=pods/exec&verb=create&open=1") else { return };
    assert!(dom.contains(">1 of "), "one row is left: {dom}");
    assert!(dom.contains("arn:aws:iam::111122223333:role/oncall"));
    for hop in [
        "mapRoles: user oncall:",
        "RoleBinding `prod/on-call-shell`",
        "names Group `on-call`",
        "Role `prod/pod-shell`",
        "testdata/quickstart/roles.yaml:",
    ] {
        assert!(dom.contains(hop), "{hop}");
    }
    assert!(dom.contains("aria-expanded=\"true\""));
    let nothing = open(&html, "who=role/oncall&ns=prod&res=secrets&verb=delete").unwrap();
    assert!(nothing.contains(">0 of "));
}

#[test]
fn what_the_inputs_say_is_text_and_nothing_else() {
    let odd = r#"{kind: User, name: "</script><script>document.title='pwned'</script><b>"}"#;
    let rules = r#"[{verbs: [get], apiGroups: [""], resources: [pods]}]"#;
    let cluster =
        load_text(&(cluster_role("r", rules) + &cluster_binding("b", "r", odd)), Completeness::Complete);
    let html = page(&cluster);
    assert!(!html.contains("pwned'</script>"));
    let Some(dom) = open(&html, "") else { return };
    assert!(dom.contains("<title>Access matrix</title>"));
    assert!(dom.contains("&lt;/script&gt;&lt;script&gt;document.title='pwned'"));
    // The script ran to its end. A name in angle brackets may be a placeholder, so that everything is listed as unknown.
    assert!(dom.contains(" rows, in ") && dom.contains("still has placeholders"), "{dom}");
}

#[test]
fn a_hundred_thousand_rows_can_be_filtered() {
    let mut text = cluster_role("all", r#"[{verbs: ["*"], apiGroups: ["*"], resources: ["*"]}]"#);
    for number in 0..250 {
        text += &binding(&format!("ns-{number}"), "all", ALICE);
    }
    let cluster = load_text(&text, Completeness::Complete);
    let html = page(&cluster);
    let Some(dom) = open(&html, "ns=ns-77&res=secrets&verb=get,list&open=2") else { return };
    let rows: String =
        dom.split_once("id=\"summary\">").unwrap().1.chars().take_while(|char| *char != ' ').collect();
    let rows: usize = rows.replace(',', "").parse().unwrap();
    assert!(rows > 100_000, "{rows}");
    assert!(dom.contains(">2 of "), "get and list of secrets in one namespace");
    assert!(dom.contains("RoleBinding `ns-77/b-all`"));
}

/// What a page holds for its script.
fn data(html: &str) -> Value {
    let (_, from) = html.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap()
}

fn numbers(list: &Value) -> Vec<usize> {
    list.as_array().unwrap().iter().map(|number| usize::try_from(number.as_u64().unwrap()).unwrap()).collect()
}

/// The rows of a page as its script makes them: identity, namespace, resource, verb and names, and the hops of each
/// grant.
fn rows(data: &Value) -> Vec<(String, Vec<Vec<String>>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut rows = Vec::new();
    for block in data["blocks"].as_array().unwrap() {
        let block = numbers(block);
        let (holder, namespace) = (&data["holders"][block[0]], text(&data["namespaces"][block[1]]));
        let mut column = 0;
        for row in numbers(&data["shapes"][block[2]]).chunks(3) {
            column += row[0];
            let cell = &data["cells"][numbers(&json!([data["columns"][column][0]]))[0]];
            let names = match row[1] {
                0 => String::new(),
                1 => namespace.clone(),
                list => text(&data["names"][list - 2]),
            };
            let mut grants = Vec::new();
            for grant in numbers(&data["sets"][row[2]]).chunks(2) {
                let subject = &data["subjects"][block[3 + grant[0]]];
                let bound = &data["bindings"][numbers(&json!([subject[0]]))[0]];
                let role = &data["roles"][numbers(&json!([bound[2]]))[0]];
                let rule = role[2][grant[1]].as_array().unwrap();
                let hops = [&bound[0], &bound[1], &subject[1], &subject[2], &role[0], &role[1]];
                grants.push(hops.into_iter().chain(rule).map(text).collect());
            }
            let said = [&holder[0], &holder[1], &cell[0], &cell[1], &data["columns"][column][1]].map(text);
            rows.push((format!("{} in {namespace}, only {names}", said.join(" ")), grants));
        }
    }
    rows
}

#[test]
fn the_page_holds_the_rows_of_the_long_form_with_their_grants() {
    let cluster = quickstart();
    let mut holders = holder::mapped(&cluster);
    holders.extend(holder::bound(&cluster));
    holder::sort(&mut holders);
    let matrix = Matrix::new(&cluster, &Filter::default());
    let mut whole = Vec::new();
    matrix_long::json(&mut whole, &matrix, &holders, &json!({}), &mut |_, _| {}).unwrap();
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    let expected: Vec<(String, Vec<String>)> = whole["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let field = |name: &str| row[name].as_str().unwrap();
            let names = row["resourceNames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let said = ["identityKind", "identity", "apiGroup", "resource", "verb"].map(field).join(" ");
            let said = format!("{said} in {}, only {}", field("namespace"), matrix_long::join_names(names));
            let place = |number: &Value| {
                let grant = &whole["grants"][numbers(&json!([number]))[0]];
                let field = |place: &Value| place.as_str().unwrap().to_owned();
                field(&grant["binding"]["source"]) + " " + &field(&grant["rule"]["source"])
            };
            (said, row["grants"].as_array().unwrap().iter().map(place).collect())
        })
        .collect();
    let found: Vec<(String, Vec<String>)> = rows(&data(&page(&cluster)))
        .into_iter()
        .map(|(said, grants)| {
            (said, grants.iter().map(|hops| format!("{} {}", hops[1], hops.last().unwrap())).collect())
        })
        .collect();
    assert!(found.len() > 1000 && found.iter().any(|(_, grants)| grants.len() > 1));
    assert_eq!(found, expected);
}

#[test]
fn who_is_granted_alike_shares_the_rows_and_is_named_itself() {
    let rules = r#"[{verbs: [get, update], apiGroups: [""], resources: [pods, namespaces]}]"#;
    let mut text = cluster_role("r", rules);
    for namespace in ["one", "two", "three"] {
        text += &binding(namespace, "r", "{kind: Group, name: ops}, {kind: Group, name: devs}");
    }
    let cluster = load_text(&text, Completeness::Complete);
    let data = data(&page(&cluster));
    assert_eq!(data["blocks"].as_array().unwrap().len(), 6);
    assert_eq!(
        data["shapes"].as_array().unwrap().len(),
        1,
        "a namespace's own name is no reason for another"
    );
    let rows = rows(&data);
    assert_eq!(rows.len(), 24);
    for (row, grants) in rows {
        let group = row.split(' ').nth(1).unwrap();
        assert_eq!(grants[0][2], format!("names Group `{group}`"), "{row}");
        let limited = row.contains(" namespaces ");
        let (namespace, names) = row.split_once(" in ").unwrap().1.split_once(", only ").unwrap();
        assert_eq!(names, if limited { namespace } else { "" }, "{row}");
    }
}
