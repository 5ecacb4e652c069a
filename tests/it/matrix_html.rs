//! The page of the access matrix, opened in a headless browser where one is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use rbacsim::cluster::Cluster;
use rbacsim::load::{Completeness, Input, LoadOptions, load};
use rbacsim::matrix::holder::{self, LeftOut};
use rbacsim::matrix::statement::Statement;
use rbacsim::matrix::{Filter, Matrix};
use rbacsim::report::{matrix_html, matrix_statement};

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
    assert!(dom.contains(">1 of 1 rows, on 1 lines<"));
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
