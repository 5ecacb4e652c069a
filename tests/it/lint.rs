//! lint: every code has an example that triggers it and one that does not; suppressions, forms of output, real trees.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rbacsim::ask::lint::findings;
use rbacsim::decide::cluster::Cluster;
use rbacsim::knowledge::codes::{self, Example};
use rbacsim::model::diagnostic::Code;
use rbacsim::model::finding::Finding;
use rbacsim::read::{Completeness, Input, LoadOptions, load};
use rbacsim::report::explain;
use serde_json::Value;

use crate::ask::text;
use crate::recorded::{data, skipped};

fn cluster(yaml: &str, is_complete: bool) -> Cluster {
    let options =
        LoadOptions { completeness: is_complete.then_some(Completeness::Complete), ..LoadOptions::default() };
    load(&[text("in.yaml", yaml)], &options).unwrap().into()
}

/// The findings in a text, with what its comments ignore.
fn lint(yaml: &str, is_complete: bool) -> Vec<Finding> {
    let cluster = cluster(yaml, is_complete);
    let mut found = findings(&cluster);
    let inputs = [text("in.yaml", yaml)];
    let suppressions = rbacsim::ask::lint::suppress::Suppressions {
        comments: rbacsim::read::comments(&inputs, cluster.sources()),
        ..Default::default()
    };
    rbacsim::ask::lint::suppress::apply(&cluster, &mut found, &suppressions, &|code| codes::is_code(code));
    found
}

fn codes_of(found: &[Finding]) -> BTreeSet<&'static str> {
    found.iter().map(|finding| finding.code).collect()
}

/// Codes that no single text triggers; each has a test of its own, in [`codes_of_other_inputs`].
const OTHER_INPUTS: [Code; 16] = [
    Code::ChartNotRendered,
    Code::UnreadableFile,
    Code::InvalidEncoding,
    Code::NestingTooDeep,
    Code::AliasesTooLarge,
    Code::EmptyDirectory,
    Code::ExportLacksKind,
    Code::IdentityMappingElsewhere,
    Code::SettingNotUsed,
    Code::VersionsDiffer,
    Code::VersionNotKnown,
    Code::ApiResourcesNotRead,
    Code::IamPolicy,
    Code::IamEntityReplaced,
    Code::IamExportTruncated,
    Code::ClusterNotTold,
];

#[test]
fn every_code_has_an_example_that_triggers_it_and_one_that_does_not() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let explained = codes::explanation(*code);
        let name = code.as_str();
        if explained.effect.is_empty() || explained.mend.is_empty() {
            wrong.push(format!("{name}: no effect or no mend in src/knowledge/codes/"));
        }
        // These two are of `diff`; tests/it/pipeline.rs has them.
        let is_other = OTHER_INPUTS.contains(code)
            || [Code::PathOpened, Code::AccessGained, Code::AccessLost].contains(code);
        let (Some(bad), Some(good)) = (&explained.bad, &explained.good) else {
            if !is_other {
                wrong.push(format!("{name}: no example"));
            }
            continue;
        };
        let of = |example: &Example| codes_of(&lint(&example.text, example.is_complete));
        // Two of these are what other texts are made of.
        let is_same = bad == good;
        if is_same && name == "invalid-json" {
            assert!(of(&Example { text: "{\"kind\": ".to_owned(), is_complete: false }).contains(name));
        } else if !of(bad).contains(name) {
            wrong.push(format!("{name}: the bad example gives {:?}", of(bad)));
        }
        if of(good).contains(name) {
            wrong.push(format!("{name}: the good example gives it too"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn load_with(inputs: &[Input], options: &LoadOptions) -> BTreeSet<&'static str> {
    codes_of(&findings(&load(inputs, options).unwrap().into()))
}

/// Default roles as a server gives them.
fn default_roles() -> String {
    let labels = "uid: u, labels: {kubernetes.io/bootstrapping: rbac-defaults}";
    ["cluster-admin", "admin", "edit", "view"]
        .map(|name| format!("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}, {labels}}}\n"))
        .concat()
}

/// What triggers a code, and what is alike and must not: inputs, and how they are read.
type Row = (Code, (Vec<Input>, LoadOptions), (Vec<Input>, LoadOptions));

#[test]
fn codes_of_other_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    };
    let quiet = LoadOptions::default;
    let of = |name: &str, bytes: &[u8]| (vec![Input::Path(file(name, bytes))], quiet());
    let texts = |texts: &[&str]| -> (Vec<Input>, LoadOptions) {
        let names = ["one.yaml", "two.yaml"];
        (texts.iter().zip(names).map(|(content, name)| text(name, content)).collect(), quiet())
    };
    let with = |inputs: &[&str], options: LoadOptions| (texts(inputs).0, options);
    let aliases = |many: usize| {
        let lines = (0..many).map(|n| format!("k{}: &k{} [*k{n}, *k{n}, *k{n}]\n", n + 1, n + 1));
        format!("k0: &k0 [a]\n{}", lines.collect::<Vec<_>>().concat())
    };
    let nested = |deep: usize| format!("a: {}{}", "[".repeat(deep), "]".repeat(deep));
    fs::create_dir(folder.path().join("empty")).unwrap();
    let set = || LoadOptions { set: vec![("TEAM".to_owned(), "dev".to_owned())], ..quiet() };
    let resources =
        |bytes: &[u8], name: &str| LoadOptions { api_resources: vec![file(name, bytes)], ..quiet() };
    let known =
        b"NAME SHORTNAMES APIVERSION NAMESPACED KIND VERBS CATEGORIES\npods po v1 true Pod get,list all\n";
    file("chart/Chart.yaml", b"apiVersion: v2\nname: c\nversion: 1.0.0\n");
    let template = of("chart/templates/a.yaml", b"kind: {{ .x }}\n{{ y");
    let export = default_roles();
    let entries = "cluster: {name: shop, accessConfig: {authenticationMode: API}}\n---\ncluster: {name: office, accessConfig: {authenticationMode: API}}\n---\naccessEntries: [\"arn:aws:iam::111122223333:role/dev\"]\n";
    let of_shop = || LoadOptions { cluster: Some("shop".to_owned()), ..quiet() };
    let mapping = "apiVersion: iamauthenticator.k8s.aws/v1alpha1\nkind: IAMIdentityMapping\nmetadata: {name: dev}\nspec: {arn: 'arn:aws:iam::111122223333:role/dev', username: dev}\n";
    let of_version = |version: &str| format!("cluster: {{name: shop, version: '{version}'}}\n");
    let account = |policy: &str| {
        format!(
            "{{\"UserDetailList\": [{{\"UserName\": \"a\", \"Path\": \"/\", \"Arn\": \"arn:aws:iam::111122223333:user/a\", \"UserPolicyList\": [{{\"PolicyName\": \"p\", \"PolicyDocument\": {policy}}}]}}], \"GroupDetailList\": [], \"RoleDetailList\": [], \"Policies\": []}}"
        )
    };
    let document = |effect: &str| {
        format!(
            "{{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Effect\": \"{effect}\", \"Action\": \"*\", \"Resource\": \"*\"}}]}}"
        )
    };
    let (allows, denies, broken) =
        (account(&document("Allow")), account(&document("Deny")), account("\"%7B\""));
    let truncated = allows
        .replace("\"GroupDetailList\"", "\"IsTruncated\": true, \"Marker\": \"x\", \"GroupDetailList\"");
    let bad_bytes: &[u8] = b"kind: \xff\xfe\xe4 rbac.authorization.k8s.io";
    let mut rows: Vec<Row> = vec![
        (Code::InvalidEncoding, of("a.yaml", bad_bytes), of("a2.yaml", b"kind: rbac.authorization.k8s.io")),
        (Code::NestingTooDeep, of("b.yaml", nested(5000).as_bytes()), of("b2.yaml", nested(50).as_bytes())),
        (Code::AliasesTooLarge, of("c.yaml", aliases(30).as_bytes()), of("c2.yaml", aliases(3).as_bytes())),
        (
            Code::EmptyDirectory,
            (vec![Input::Path(folder.path().join("empty"))], quiet()),
            of("full/x.yaml", b"a: b"),
        ),
        (Code::SettingNotUsed, with(&["a: b"], set()), with(&["a: ${TEAM}"], set())),
        (
            Code::ApiResourcesNotRead,
            with(&["a: b"], resources(b"nothing", "r.txt")),
            with(&["a: b"], resources(known, "known.txt")),
        ),
        // Alone a template is no part of a chart.
        (Code::ChartNotRendered, (vec![Input::Path(folder.path().join("chart"))], quiet()), template),
        (Code::ExportLacksKind, texts(&[&export]), texts(&["a: b"])),
        (Code::ClusterNotTold, with(&[entries], of_shop()), texts(&[entries])),
        (Code::IdentityMappingElsewhere, texts(&[mapping]), texts(&["a: b"])),
        (
            Code::VersionsDiffer,
            texts(&[&of_version("1.33"), &of_version("1.31")]),
            texts(&[&of_version("1.33"), &of_version("1.33")]),
        ),
        (Code::VersionNotKnown, texts(&[&of_version("1.25")]), texts(&[&of_version("1.33")])),
        (Code::IamExportTruncated, texts(&[&truncated]), texts(&[&allows])),
        (Code::IamPolicy, texts(&[&broken]), texts(&[&allows])),
        (Code::IamEntityReplaced, texts(&[&allows, &denies]), texts(&[&allows, &allows])),
    ];
    // A link that leads nowhere; where links need rights of their own, the row is left to other systems.
    #[cfg(unix)]
    {
        let links = folder.path().join("links");
        fs::create_dir(&links).unwrap();
        std::os::unix::fs::symlink("nowhere.yaml", links.join("gone.yaml")).unwrap();
        let bad = (vec![Input::Path(links)], quiet());
        rows.push((Code::UnreadableFile, bad, of("there/x.yaml", b"a: b")));
    }
    for (code, bad, good) in &rows {
        let found = load_with(&bad.0, &bad.1);
        assert!(found.contains(code.as_str()), "{} is not found: {found:?}", code.as_str());
        let found = load_with(&good.0, &good.1);
        assert!(!found.contains(code.as_str()), "{} is found: {found:?}", code.as_str());
    }
    let mut tried: Vec<Code> = rows.iter().map(|(code, ..)| *code).collect();
    let mut all = OTHER_INPUTS.to_vec();
    all.retain(|code| cfg!(unix) || *code != Code::UnreadableFile);
    tried.sort_by_key(|code| code.as_str());
    all.sort_by_key(|code| code.as_str());
    assert_eq!(tried, all);
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A folder with three findings in it: two roles without a binding, and a misspelt verb.
fn folder_of(roles: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let inside = folder.path().join("deploy");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("roles.yaml"), roles).unwrap();
    (folder, inside)
}

const ROLES: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {namespace: prod, name: a}\nrules:\n  - {apiGroups: [''], resources: [pods], verbs: [gett]}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {namespace: prod, name: b}\nrules:\n  - {apiGroups: [''], resources: [pods/logs], verbs: [get]}\n";

#[test]
fn suppressions_are_counted_and_those_of_nothing_are_found() {
    let all = codes_of(&lint(ROLES, false));
    assert_eq!(Vec::from_iter(all), ["role-never-bound", "unknown-subresource", "unknown-verb"]);
    let suppressed = |yaml: &str| -> Vec<String> {
        let mut all: Vec<String> = lint(yaml, false)
            .iter()
            .map(|finding| format!("{} {}", finding.code, finding.suppressed.as_deref().unwrap_or("-")))
            .collect();
        all.sort();
        all
    };
    let here = |old: &str, new: &str| suppressed(&ROLES.replacen(old, new, 1));
    // On the line, above the line, above the object, and in an annotation.
    for (old, new, by) in [
        ("[gett]}", "[gett]} # rbacsim:ignore unknown-verb as agreed", "comment: as agreed"),
        ("  - {api", "  # rbacsim:ignore unknown-verb\n  - {api", "comment"),
        ("apiVersion", "# rbacsim:ignore unknown-verb as agreed\napiVersion", "comment: as agreed"),
        (
            "name: a}",
            "name: a, annotations: {rbacsim.dev/ignore: unknown-verb as agreed}}",
            "annotation: as agreed",
        ),
    ] {
        let found = here(old, new);
        assert!(found.contains(&format!("unknown-verb {by}")), "{new}: {found:?}");
        assert!(found.contains(&"unknown-subresource -".to_owned()), "{new}: {found:?}");
        assert!(!found.iter().any(|one| one.starts_with("unused-suppression")), "{new}: {found:?}");
    }
    // Elsewhere it is about nothing.
    let found = here("kind: Role", "kind: Role # rbacsim:ignore unknown-verb");
    assert!(
        found.contains(&"unused-suppression -".to_owned()) && found.contains(&"unknown-verb -".to_owned())
    );
    let found = here("name: a}", "name: a, annotations: {rbacsim.dev/ignore: unknown-subresource}}");
    assert!(found.contains(&"unused-suppression -".to_owned()), "{found:?}");
    let misspelt = lint(&ROLES.replacen("[gett]}", "[gett]} # rbacsim:ignore unknown-verbs", 1), false);
    let misspelt = misspelt.iter().find(|finding| finding.code == "unused-suppression").unwrap();
    assert!(misspelt.message.ends_with("did you mean `unknown-verb`?"), "{}", misspelt.message);
    // A code of risk is risk's business.
    assert!(!here("kind: Role", "kind: Role # rbacsim:ignore E04").iter().any(|one| one.contains("E04")));
}

#[test]
fn a_baseline_keeps_what_is_known_and_shows_what_is_new() {
    let (folder, inside) = folder_of(ROLES);
    let lint = |more: &[&str]| run(&inside, &[&["lint", "-f", "roles.yaml"][..], more].concat());
    assert_eq!(lint(&[]).status.code(), Some(1));
    assert_eq!(lint(&["--write-baseline", "base.json"]).status.code(), Some(0));
    let with = lint(&["--baseline", "base.json"]);
    assert_eq!(with.status.code(), Some(0), "{}", text_of(&with.stdout));
    assert!(
        text_of(&with.stdout).contains("nothing found; suppressed: 4 by baseline"),
        "{}",
        text_of(&with.stdout)
    );
    // Lines that move change nothing; a new finding is shown, and what is gone is said.
    fs::write(inside.join("roles.yaml"), format!("# moved\n\n{}", ROLES.replace("gett", "lisst"))).unwrap();
    let with = lint(&["--baseline", "base.json"]);
    let shown = text_of(&with.stdout);
    assert!(shown.contains("`lisst`") && !shown.contains("pods/logs`:"), "{shown}");
    assert!(
        shown.contains(
            "[unused-suppression]: the baseline has what is no longer found: unknown-verb Role prod a gett"
        ),
        "{shown}"
    );
    let _ = folder;
}

#[test]
fn flags_choose_codes_and_severities() {
    let (_folder, inside) = folder_of(ROLES);
    let lint = |more: &[&str]| run(&inside, &[&["lint", "-f", "roles.yaml"][..], more].concat());
    let shown = |more: &[&str]| text_of(&lint(more).stdout).to_owned();
    assert!(shown(&["--only", "unknown-verb"]).ends_with("1 warning\n"));
    assert!(shown(&["--ignore", "unknown-verb"]).contains("1 warning; suppressed: 1 by flag"));
    assert!(shown(&["--min-severity", "note"]).contains("2 warnings, 2 notes"));
    assert_eq!(lint(&["--min-severity", "error"]).status.code(), Some(0));
    let unknown = lint(&["--only", "unknown-verbs"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text_of(&unknown.stderr).contains("did you mean `unknown-verb`?"));
    let json: Value = serde_json::from_slice(&lint(&["-o", "json"]).stdout).unwrap();
    let first = &json[0];
    assert_eq!(first["code"], "unknown-verb");
    assert_eq!(first["object"], serde_json::json!({"kind": "Role", "namespace": "prod", "name": "a"}));
    assert_eq!((&first["source"]["file"], &first["source"]["line"]), (&"roles.yaml".into(), &5.into()));
    assert_eq!(first["suppressed"], Value::Null);
    let github = shown(&["-o", "github"]);
    assert!(
        github
            .starts_with("::warning file=deploy/roles.yaml,line=5,title=rbacsim unknown-verb::Role `prod/a`"),
        "{github}"
    );
}

#[test]
fn annotations_are_escaped_and_limited() {
    let rules = (0..25)
        .map(|n| format!("  - {{apiGroups: [''], resources: [pods], verbs: ['gett%{n}\\n::error::x']}}\n"))
        .collect::<Vec<_>>()
        .concat();
    let yaml = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{namespace: p, name: a}}\nrules:\n{}",
        rules.replace('\'', "\"")
    );
    let (_folder, inside) = folder_of(&yaml);
    let shown = run(&inside, &["lint", "-f", "roles.yaml", "-o", "github"]);
    let shown = text_of(&shown.stdout);
    assert_eq!(shown.lines().filter(|line| line.starts_with("::warning ")).count(), 10, "{shown}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("::")).count(), 10);
    assert!(
        shown.contains("gett%250%0A::error::x") && shown.contains("15 more than GitHub shows"),
        "{shown}"
    );
}

/// A program that is installed here, where tests may use it.
fn installed(names: &[&str]) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&paths).map(|path| path.join(name)).find(|path| path.is_file())
    })
}

#[test]
fn sarif_is_what_code_scanning_takes() {
    let (_folder, inside) =
        folder_of(&format!("{ROLES}---\n{}", codes::explanation(Code::MayBind).bad.as_ref().unwrap().text));
    let output = run(&inside, &["lint", "-f", "roles.yaml", "-o", "sarif", "--min-severity", "note"]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run_of = &log["runs"][0];
    let rules: Vec<&str> = run_of["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            for field in ["shortDescription", "fullDescription", "help"] {
                let text = rule[field]["text"].as_str().unwrap();
                assert!(!text.is_empty() && text.len() <= 1024, "{rule}");
            }
            rule["id"].as_str().unwrap()
        })
        .collect();
    let results = run_of["results"].as_array().unwrap();
    assert!(results.len() >= 5);
    let mut prints = BTreeSet::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index], result["ruleId"].as_str().unwrap());
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "deploy/roles.yaml");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        assert!(prints.insert(result["partialFingerprints"]["primaryLocationLineHash"].to_string()));
    }
    assert_eq!(run_of["automationDetails"]["id"], "rbacsim/lint/");
    let severity = |id: &str| {
        let rules = run_of["tool"]["driver"]["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["id"] == id).unwrap()["properties"]["security-severity"].clone()
    };
    assert_eq!((severity("may-bind"), severity("unknown-verb")), ("5.5".into(), Value::Null));
    // Lines that move keep the fingerprints.
    let text = fs::read_to_string(inside.join("roles.yaml")).unwrap();
    fs::write(inside.join("roles.yaml"), format!("# one\n# two\n{text}# three\n")).unwrap();
    let moved = run(&inside, &["lint", "-f", "roles.yaml", "-o", "sarif", "--min-severity", "note"]);
    let moved: Value = serde_json::from_slice(&moved.stdout).unwrap();
    let of = |log: &Value| -> BTreeSet<String> {
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|result| result["partialFingerprints"]["rbacsim/v1"].to_string()).collect()
    };
    assert_eq!(of(&log), of(&moved));

    fs::write(inside.join("x.sarif"), &output.stdout).unwrap();
    let Some(multitool) = installed(&["Sarif.Multitool"]) else {
        skipped("a validator of SARIF");
        return;
    };
    let status = Command::new(multitool)
        .current_dir(&inside)
        .args([
            "validate",
            "x.sarif",
            "--rule-kind",
            "Sarif;Ghas",
            "--level",
            "Error;Warning",
            "--output",
            "o.sarif",
            "--log",
            "ForceOverwrite",
        ])
        .output()
        .unwrap();
    assert!(status.status.success());
    let said: Value = serde_json::from_slice(&fs::read(inside.join("o.sarif")).unwrap()).unwrap();
    let errors: Vec<&Value> = said["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["level"] == "error")
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn junit_holds_every_finding_and_nothing_that_xml_cannot_hold() {
    let yaml = ROLES.replace("gett", "ge\\u001btt<&\\\"").replace("verbs: [ge", "verbs: [\"ge").replacen(
        "\\\"]}",
        "\\\"\"]} # rbacsim:ignore unknown-verb x",
        1,
    );
    let (_folder, inside) = folder_of(&yaml);
    let output = run(&inside, &["lint", "-f", "roles.yaml", "-o", "junit"]);
    let shown = text_of(&output.stdout);
    assert!(shown.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\">"), "{shown}");
    assert!(
        shown.contains("<skipped message=\"comment: x\"/>")
            && shown.contains("file=\"deploy/roles.yaml\" line=\"11\""),
        "{shown}"
    );
    assert!(!shown.chars().any(|char| char < ' ' && char != '\n'), "{shown}");
    let clean =
        run(&inside, &["lint", "-f", "roles.yaml", "-o", "junit", "--min-severity", "error", "--no-ignores"]);
    assert_eq!(text_of(&clean.stdout).matches("<testcase ").count(), 1);
}

#[test]
fn the_list_of_codes_is_that_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
    if std::env::var_os("RBACSIM_REWRITE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, explain::list()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == explain::list(), "docs/codes.md is old; RBACSIM_REWRITE=1 writes it anew");
    for code in codes::all() {
        let text = explain::text(code).unwrap();
        assert!(text.contains("effect: ") && text.contains("mend: "), "{text}");
    }
    assert!(explain::text("no-such-code").is_none());
}

#[test]
fn default_roles_and_the_quickstart_are_clean() {
    // Nothing of what Kubernetes and EKS ship is a finding, also where an export holds it.
    let nothing = lint("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", false);
    assert_eq!(codes_of(&nothing), BTreeSet::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = run(root, &["lint", "-f", "testdata/quickstart"]);
    let shown = text_of(&output.stdout);
    assert!(shown.contains("[mapped-to-masters] testdata/quickstart/aws-auth.yaml:17"), "{shown}");
    assert!(shown.ends_with("1 warning\n"), "{shown}");
}

/// What was judged by hand in real manifests: each of these is true, and nothing else is at or above a warning.
#[test]
fn real_trees_have_the_faults_that_were_judged() {
    let Some(trees) = data().map(|data| data.join("manifests")) else {
        skipped("../shared/data/manifests");
        return;
    };
    let faults = |tree: &str| -> Vec<String> {
        let output =
            run(&trees, &["lint", "-f", tree, "-o", "json", "--ignore", "kustomization-not-applied"]);
        let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let left = found.iter().filter(|finding| finding["suppressed"].is_null());
        left.map(|finding| {
            format!(
                "{} {}",
                finding["code"].as_str().unwrap(),
                finding["object"]["name"].as_str().unwrap_or("")
            )
        })
        .collect()
    };
    let known = |tree: &str| {
        faults(tree).into_iter().filter(|fault| !fault.starts_with("object-replaced")).collect::<Vec<_>>()
    };
    assert_eq!(known("argo-cd"), ["everything-granted argocd-application-controller"]);
    assert_eq!(known("cert-manager"), Vec::<String>::new());
    assert_eq!(known("eks-tenants"), Vec::<String>::new());
    assert_eq!(
        known("kube-prometheus"),
        ["cluster-scoped-in-role prometheus-frontend", "every-verb-on-secrets prometheus-operator"]
    );
    let gitops = known("eks-gitops");
    for fault in [
        "unknown-resource eks-readonly",
        "unknown-verb jenkins-schedule-agents",
        "aws-auth-namespace-assumed aws-auth",
    ] {
        assert!(gitops.contains(&fault.to_owned()), "{gitops:?}");
    }
}
