//! Ways as a page: what `-o json` has of them stands in it, no name breaks out, and it takes nothing from elsewhere.

use std::process::Command;

use serde_json::Value;

use super::{account, all, grant, namespace, rule};

fn run(args: &[&str]) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .arg("paths")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

fn page(args: &[&str]) -> (String, i32) {
    let (text, code) = run(&[args, &["-o", "html"]].concat());
    for part in ["<script", "src=", "href=", "url(http", "@import"] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("<section").count(), text.matches("</section>").count(), "{text}");
    assert_eq!(text.matches("<li").count(), text.matches("</li>").count(), "{text}");
    (text, code)
}

/// What stands in a page, without what only lays it out.
fn words(html: &str) -> String {
    let mut words = String::new();
    for part in html.split('<') {
        words.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        words.push(' ');
    }
    let words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_page_tells_every_step_right_and_place_of_each_way() {
    let mut told = 0;
    for (folder, to) in [
        ("testdata/paths/cluster.yaml", "cluster-admin"),
        ("testdata/quickstart", "node"),
        ("testdata/scenarios/people-behind-roles", "node"),
    ] {
        let (text, code) = page(&["--to", to, "-f", folder]);
        let said = words(&text);
        let (json, json_code) = run(&["--to", to, "-o", "json", "-f", folder]);
        assert_eq!(code, json_code);
        let starts: Value = serde_json::from_str(&json).unwrap();
        for start in starts.as_array().unwrap() {
            let title = start["from"].as_str().unwrap();
            assert!(said.contains(title), "{title}: {said}");
            for reach in
                start["reached"].as_array().unwrap().iter().chain(start["possible"].as_array().unwrap())
            {
                for hop in reach["path"].as_array().unwrap() {
                    told += 1;
                    let (id, becomes) = (hop["id"].as_str().unwrap(), hop["becomes"].as_str().unwrap());
                    assert!(said.contains(id) && said.contains(becomes), "{title}: {hop}");
                    // Arrows from one to another share a line: what it says is several steps.
                    let svg = text.split("<svg").nth(1).unwrap().split("</svg>").next().unwrap();
                    assert!(svg.contains(id), "{id} is not drawn: {svg}");
                    for grant in hop["grants"].as_array().unwrap() {
                        for part in [&grant["asked"], &grant["rule"]["source"]] {
                            assert!(part.as_str().is_none_or(|part| said.contains(part)), "{part}: {said}");
                        }
                    }
                    for condition in hop["conditions"].as_array().unwrap() {
                        assert!(said.contains(condition.as_str().unwrap()), "{condition}: {said}");
                    }
                }
            }
        }
    }
    assert!(told > 8, "{told}");
}

#[test]
fn a_page_of_one_start_lists_everything_it_reaches() {
    let asked = ["--as", "system:serviceaccount:ci:deployer", "-f", "testdata/paths/cluster.yaml"];
    let (text, code) = page(&asked);
    assert_eq!(code, 1);
    let said = words(&text);
    let (json, _) = run(&[&asked[..], &["-o", "json"]].concat());
    let start: Value = serde_json::from_str(&json).unwrap();
    for list in ["reached", "possible"] {
        for reach in start[0][list].as_array().unwrap() {
            let identity = reach["identity"].as_str().unwrap();
            assert!(said.contains(identity) || identity.starts_with("node "), "{identity}: {said}");
        }
    }
    assert!(
        said.contains("Ways of ServiceAccount ci/deployer") && said.contains("What this rests on"),
        "{said}"
    );
    // The same bytes again.
    assert_eq!(page(&asked).0, text);
}

#[test]
fn a_page_of_everybody_has_a_table_and_the_ways_to_cluster_admin() {
    let (text, code) = page(&["-f", "testdata/paths/cluster.yaml"]);
    assert_eq!(code, 1);
    let said = words(&text);
    assert!(said.contains("Who reaches which sink") && said.contains("Ways to cluster-admin"), "{said}");
    assert!(said.contains("ServiceAccount ci/deployer 2 steps 1 step 2 steps 2 steps 2 steps"), "{said}");
    assert!(said.contains("ServiceAccount ops/operator 1 step has it"), "{said}");
}

#[test]
fn a_page_without_a_way_says_so_and_with_many_stays_small() {
    let (text, code) = page(&["--to", "exec-everywhere", "--as", "nobody", "-f", "testdata/quickstart"]);
    assert_eq!(code, 0);
    assert!(words(&text).contains("No way found.") && !text.contains("<svg"), "{text}");

    let create = |what: &str| rule(&["create"], "", &[what], &[]);
    let mut list = all(&[
        &[namespace("a", "restricted"), account("a", "one")],
        &grant("", "one", "ServiceAccount a/one", &[rule(&["*"], "*", &["*"], &[])]),
    ]);
    let evil = "User <script>alert(1)</script>\u{202e}&";
    let objects = list.as_array_mut().unwrap();
    objects.extend(grant("a", "evil", evil, &[create("pods")]));
    for number in 0..450 {
        objects.extend(grant("a", &format!("u{number}"), &format!("User u{number}"), &[create("pods")]));
    }
    let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": list });
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    std::fs::write(file.path(), list.to_string()).unwrap();
    let (text, _) = page(&["--to", "cluster-admin", "--complete", "-f", file.path().to_str().unwrap()]);
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !text.contains('\u{202e}'));
    assert_eq!(text.matches("class=\"start\"").count(), 400);
    assert!(words(&text).contains("52 more starts not told here"), "{}", text.len());
    // The users share a box; the account is cluster-admin already.
    assert_eq!(text.matches("<rect ").count(), 4);
}

/// Who becomes a user shows only when each way is told: none is counted unseen, and none is left out.
#[test]
fn a_page_of_ways_to_a_user_has_those_who_get_there_and_no_others() {
    let mut objects = vec![namespace("apps", "")];
    for number in 0..20 {
        let reads = rule(&["get"], "", &["pods"], &[]);
        objects.extend(grant("apps", &format!("r{number:02}"), &format!("User a{number:02}"), &[reads]));
    }
    objects.extend(grant("", "zed", "User zed", &[rule(&["impersonate"], "", &["users"], &["victim"])]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("objects.json");
    let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": all(&[&objects]) });
    std::fs::write(&file, list.to_string()).unwrap();
    let (html, code) = page(&["--to", "User victim", "-f", file.to_str().unwrap()]);
    let words = words(&html);
    assert_eq!(code, 1, "{words}");
    assert!(
        words.contains("User zed") && !words.contains("User a00") && !words.contains("User a19"),
        "{words}"
    );
}
