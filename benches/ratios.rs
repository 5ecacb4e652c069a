//! One table of figures beside their baselines, measured in the same run: `cargo bench --bench ratios`.
//!
//! Every stage runs in a process of its own, so that its peak of memory is its own. Times are the smallest of
//! several runs: the machine only ever adds to them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    clippy::format_push_string,
    reason = "a bench that goes wrong may stop, and its numbers are small"
)]

mod support;

use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use rbacsim::ask::diff::{Selection, Ways, diff};
use rbacsim::ask::matrix::Filter;
use rbacsim::ask::paths::{From, Search, starts};
use rbacsim::ask::people::People;
use rbacsim::decide::cluster::Cluster;
use rbacsim::identity::iam::Lenses;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Input, LoadOptions, Loaded, load};
use rbacsim::report::diff::{markdown, summary};
use serde::de::DeserializeOwned;
use support::account;
use support::cluster::{self, Form};
use support::entries;
use support::model::Model;
use support::questions::{self, Question};
use support::reach::Reference;

const LARGE: usize = 50_000;
const RUNS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["stage", stage, input] => run_stage(stage, Path::new(input)),
        _ => table(),
    }
}

/// What a stage measured of itself: seconds for each thing done, and the peak of memory.
struct Measured {
    seconds: f64,
    peak: Option<f64>,
}

/// Runs a stage in a process of its own, and gives its best run.
fn stage(name: &str, input: &Path) -> Measured {
    let mut best: Option<Measured> = None;
    for _ in 0..RUNS {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["stage", name])
            .arg(input)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut words = text.split_whitespace();
        let seconds: f64 = words.next().unwrap().parse().unwrap();
        let peak = words.next().and_then(|word| word.parse().ok());
        if best.as_ref().is_none_or(|best| seconds < best.seconds) {
            best = Some(Measured { seconds, peak });
        }
    }
    best.unwrap()
}

/// The best of several runs of the program itself, from start to exit.
fn whole_process(args: &[&str], input: &Path) -> f64 {
    let run = || {
        let start = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .args(args)
            .arg("-f")
            .arg(input)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.code().is_some_and(|code| code < 2), "{args:?}");
        start.elapsed().as_secs_f64()
    };
    (0..RUNS * 2).map(|_| run()).fold(f64::INFINITY, f64::min)
}

#[expect(clippy::print_stdout, reason = "what a stage measured, for the process that started it")]
fn run_stage(stage: &str, input: &Path) {
    let size = || input.to_str().unwrap().parse::<usize>().unwrap();
    let seconds = match stage {
        "nothing" => 0.0,
        "load" => time(|| load_path(input)),
        "answer" => time(|| Cluster::from(load_path(input))),
        "build" => {
            let loaded = load_path(input);
            time(|| Cluster::from(loaded))
        }
        "people" => time(|| {
            let cluster = Cluster::from(load_path(input));
            let lenses = Lenses::new(cluster.iam());
            let people = People::new(&cluster, &lenses);
            let identities = cluster.identities().identities();
            identities.map(|identity| people.assumable_by(identity.arn).len()).sum::<usize>()
        }),
        "serde-json-values" => time(|| {
            let text = std::fs::read_to_string(input.join("account.json")).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        }),
        "serde-yaml" => time(|| typed_yaml(input)),
        "serde-json" => time(|| typed_json(input)),
        "review" => {
            let cluster = cluster_of(LARGE);
            let asked = questions::mixed(LARGE, 200_000);
            let stream = questions::reviews(&asked);
            let mut out = Vec::with_capacity(stream.len() * 2);
            let start = Instant::now();
            rbacsim::ask::review::stream(&cluster, &mut stream.as_bytes(), &mut out).unwrap();
            black_box(&out);
            start.elapsed().as_secs_f64() / asked.len() as f64
        }
        "mixed" => decide(size(), &questions::mixed(size(), 50_000)),
        "mixed-beside-entries" => decide_in(&cluster_with_entries(size()), &questions::mixed(size(), 50_000)),
        "callers-with-entries" => {
            let cluster = cluster_with_entries(size());
            let asked = of_callers(&cluster);
            decide_in(&cluster, &asked)
        }
        "observers-yes" => decide(size(), &questions::observers(size(), true)),
        "observers-no" => decide(size(), &questions::observers(size(), false)),
        "many-groups" => decide(size(), &questions::many_groups(size())),
        "many-rules-yes" => decide(size(), &questions::many_rules(size(), true)),
        "many-rules-no" => decide(size(), &questions::many_rules(size(), false)),
        "model" => {
            let model = Model::of(size());
            let asked = questions::mixed(size(), 500);
            let start = Instant::now();
            for question in &asked {
                black_box(model.allows(question));
            }
            start.elapsed().as_secs_f64() / asked.len() as f64
        }
        "paths" => {
            let cluster = cluster_of(size());
            time(|| admins_together(&cluster))
        }
        "paths-alone" => {
            let cluster = cluster_of(size());
            let mut found = 0;
            let seconds = time(|| found = admins_alone(&cluster));
            assert_eq!(found, admins_together(&cluster));
            seconds
        }
        "paths-few" => {
            let reference = reference(size());
            time(|| admins_of_few(&reference))
        }
        "paths-asked" => {
            let reference = reference(size());
            let mut found = 0;
            let seconds = time(|| {
                let asked = few(&reference).into_iter().filter_map(|from| from.user);
                let admin = |user: &UserInfo| reference.reach(user).reached.contains_key("cluster-admin");
                found = asked.filter(admin).count();
            });
            assert_eq!(found, admins_of_few(&reference));
            seconds
        }
        "paths-of-one" => {
            let cluster = Cluster::from(load_path(input));
            let from = starts(&cluster).into_iter().find(|from| from.title == FAR).unwrap();
            time(|| Search::new(&cluster).traced_with_possible(&from, None).possible.len())
        }
        "diff" => {
            let changed = input.with_extension("changed.yaml");
            time(|| {
                let (old, new) = (Cluster::from(load_path(input)), Cluster::from(load_path(&changed)));
                let everybody = Selection { mapped: true, bound: true, ..Selection::default() };
                let found = diff(&old, &new, &Filter::default(), &everybody);
                let Ok(mut summary) = summary(&found, |_, _| Ok::<(), std::convert::Infallible>(()));
                summary.add_ways(Ways::of_diff(&found, &everybody));
                assert!(!summary.gaining.is_empty() && !summary.losing.is_empty());
                markdown(&summary)
            })
        }
        other => panic!("no stage {other}"),
    };
    println!("{seconds} {}", peak_memory().map_or_else(String::new, |megabytes| megabytes.to_string()));
}

/// How many starts are searched by asking everybody everything.
const FEW: usize = 40;

/// Somebody in the generated cluster who reaches much.
const FAR: &str = "User user11807@example.com";

/// How many become cluster-admin, searched as the program does: those who are alike once.
fn admins_together(cluster: &Cluster) -> usize {
    let overviews = Search::new(cluster).overviews(&starts(cluster), None);
    overviews.iter().filter(|own| own.depth("cluster-admin").is_some()).count()
}

/// The same searched round by round from each start alone, with nothing kept from one to the next.
fn admins_alone(cluster: &Cluster) -> usize {
    starts(cluster).iter().filter(|from| Search::new(cluster).paths(from, None).admin).count()
}

/// The cluster and what it takes to ask everybody everything.
fn reference(size: usize) -> Reference {
    let mut objects = Vec::new();
    cluster::objects(size, &mut |object| objects.push(object.clone()));
    Reference::new(&objects, "1.36")
}

/// Every so many of its starts.
fn few(reference: &Reference) -> Vec<From> {
    let all = starts(reference.cluster());
    let step = all.len().div_ceil(FEW).max(1);
    all.into_iter().step_by(step).collect()
}

fn admins_of_few(reference: &Reference) -> usize {
    let overviews = Search::new(reference.cluster()).overviews(&few(reference), None);
    overviews.iter().filter(|own| own.depth("cluster-admin").is_some()).count()
}

fn time<T>(what: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    let result = black_box(what());
    let elapsed = start.elapsed();
    drop(result);
    elapsed.as_secs_f64()
}

/// The most memory that this process held, in MB, where the system says.
fn peak_memory() -> Option<f64> {
    peak_memory_of(Path::new("/proc/self/status"))
}

fn peak_memory_of(status: &Path) -> Option<f64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

fn load_path(path: &Path) -> Loaded {
    load(&[Input::Path(path.to_owned())], &LoadOptions::default()).unwrap()
}

fn cluster_of(size: usize) -> Cluster {
    let bytes = cluster::text(size, Form::Json).into_bytes();
    load(&[Input::Text { name: "cluster.json".into(), bytes }], &LoadOptions::default()).unwrap().into()
}

/// The same with 2,000 access entries, each with five policies.
fn cluster_with_entries(size: usize) -> Cluster {
    let input = |name: &str, bytes: Vec<u8>| Input::Text { name: name.into(), bytes };
    let inputs = [
        input("cluster.json", cluster::text(size, Form::Json).into_bytes()),
        input("export.json", entries::stream().into_bytes()),
    ];
    load(&inputs, &LoadOptions::default()).unwrap().into()
}

/// Questions of callers with access entries: half of them within the scope of their policies.
fn of_callers(cluster: &Cluster) -> Vec<Question> {
    let mut asked = questions::mixed(LARGE, 50_000);
    for (question, number) in asked.iter_mut().zip(0..) {
        let who = cluster.identify(&entries::caller(number % entries::ENTRIES), None);
        question.user = who.certain().unwrap();
        question.namespace = if number % 2 == 0 {
            entries::namespace(number % entries::ENTRIES)
        } else {
            entries::OUTSIDE.into()
        };
    }
    asked
}

/// Seconds for a decision: the user looked up and the request decided.
fn decide(size: usize, asked: &[Question]) -> f64 {
    decide_in(&cluster_of(size), asked)
}

fn decide_in(cluster: &Cluster, asked: &[Question]) -> f64 {
    let graph = cluster.graph();
    let (mut count, mut allowed) = (0usize, 0usize);
    let mut spent = Duration::ZERO;
    while spent < Duration::from_millis(300) {
        let start = Instant::now();
        for question in asked {
            let asker = graph.asker(&question.user);
            allowed += usize::from(graph.authorize(&asker, &question.attributes()).is_allowed());
        }
        spent += start.elapsed();
        count += asked.len();
    }
    black_box(allowed);
    spent.as_secs_f64() / count as f64
}

/// What a reader without an index does: every document by its kind into the types of the API.
fn typed_yaml(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let mut kept: Vec<Box<dyn std::any::Any>> = Vec::new();
    if text.starts_with("apiVersion: v1\nitems:") {
        let list: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        for item in list["items"].as_sequence().unwrap() {
            kept.extend(typed(item["kind"].as_str().unwrap(), || item.clone()));
        }
    } else {
        for document in text.split("---\n") {
            let kind = document.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap_or_default();
            kept.extend(typed_text(kind, document));
        }
    }
    kept.len()
}

fn typed(kind: &str, value: impl Fn() -> serde_yaml::Value) -> Option<Box<dyn std::any::Any>> {
    fn read<T: DeserializeOwned + 'static>(value: serde_yaml::Value) -> Box<dyn std::any::Any> {
        Box::new(serde_yaml::from_value::<T>(value).unwrap())
    }
    Some(match kind {
        "ClusterRole" => read::<ClusterRole>(value()),
        "Role" => read::<Role>(value()),
        "ClusterRoleBinding" => read::<ClusterRoleBinding>(value()),
        "RoleBinding" => read::<RoleBinding>(value()),
        _ => return None,
    })
}

fn typed_text(kind: &str, text: &str) -> Option<Box<dyn std::any::Any>> {
    fn read<T: DeserializeOwned + 'static>(text: &str) -> Box<dyn std::any::Any> {
        Box::new(serde_yaml::from_str::<T>(text).unwrap())
    }
    Some(match kind {
        "ClusterRole" => read::<ClusterRole>(text),
        "Role" => read::<Role>(text),
        "ClusterRoleBinding" => read::<ClusterRoleBinding>(text),
        "RoleBinding" => read::<RoleBinding>(text),
        _ => return None,
    })
}

fn typed_json(path: &Path) -> usize {
    #[derive(serde::Deserialize)]
    struct Kind<'a> {
        #[serde(borrow)]
        kind: std::borrow::Cow<'a, str>,
    }
    #[derive(serde::Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        items: Vec<&'a serde_json::value::RawValue>,
    }
    fn read<T: DeserializeOwned + 'static>(text: &str) -> Box<dyn std::any::Any> {
        Box::new(serde_json::from_str::<T>(text).unwrap())
    }
    let text = std::fs::read_to_string(path).unwrap();
    let list: List<'_> = serde_json::from_str(&text).unwrap();
    let mut kept: Vec<Box<dyn std::any::Any>> = Vec::new();
    for item in list.items {
        let Kind { kind } = serde_json::from_str(item.get()).unwrap();
        kept.extend(match &*kind {
            "ClusterRole" => Some(read::<ClusterRole>(item.get())),
            "Role" => Some(read::<Role>(item.get())),
            "ClusterRoleBinding" => Some(read::<ClusterRoleBinding>(item.get())),
            "RoleBinding" => Some(read::<RoleBinding>(item.get())),
            _ => None,
        });
    }
    kept.len()
}

struct Row {
    what: String,
    figure: String,
    baseline: String,
    ratio: String,
    peak: String,
}

fn table() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut rows = Vec::new();
    for form in Form::ALL {
        let path = folder.join(format!("cluster.{}", form.name()));
        let text = cluster::text(LARGE, form);
        std::fs::write(&path, &text).unwrap();
        load_rows(&path, form, text.len() as f64 / 1e6, &mut rows);
    }
    directory_rows(&folder.join("cluster"), &mut rows);
    decision_rows(&mut rows);
    matrix_rows(&folder.join("cluster.yaml"), &mut rows);
    account_rows(&folder.join("account"), &mut rows);
    paths_rows(&folder.join("cluster.yaml"), &mut rows);
    diff_rows(&folder.join("cluster.yaml"), &mut rows);

    let small = folder.join("small.yaml");
    std::fs::write(&small, cluster::text(20, Form::Yaml)).unwrap();
    rows.push(plain("a small question, whole process", milliseconds(whole_process(QUESTION, &small))));
    print(&rows);
}

const QUESTION: &[&str] =
    &["can-i", "get", "pods", "-n", "payments-dev-0000", "--as", "bob", "--as-group", "platform:observers"];

fn load_rows(path: &Path, form: Form, megabytes: f64, rows: &mut Vec<Row>) {
    let process = whole_process(QUESTION, path);
    let inside = stage("answer", path);
    let baseline = match form {
        Form::Yaml | Form::YamlList => ("serde_yaml into k8s-openapi", stage("serde-yaml", path)),
        Form::Json | Form::JsonIndented => ("serde_json into k8s-openapi", stage("serde-json", path)),
    };
    rows.push(Row {
        what: format!("{} of {megabytes:.0} MB to the first answer, whole process", form.name()),
        figure: format!("{} ({:.0} MB/s)", milliseconds(process), megabytes / process),
        baseline: format!("{}: {}{}", baseline.0, milliseconds(baseline.1.seconds), in_memory(&baseline.1)),
        ratio: times(baseline.1.seconds / process),
        peak: memory(&inside),
    });
    if form == Form::Json {
        let loaded = stage("load", path);
        let built = stage("build", path);
        rows.push(plain("the graph built from it", milliseconds(built.seconds)).with_peak(&built));
        rows.push(plain("reading it, without the graph", milliseconds(loaded.seconds)).with_peak(&loaded));
    }
}

/// Two large clusters that differ as a pull request makes them differ: a binding more, a rule less, a group renamed.
fn diff_rows(path: &Path, rows: &mut Vec<Row>) {
    const BINDING: &str = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: added\n  namespace: payments-dev-0000\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: edit\nsubjects:\n- apiGroup: rbac.authorization.k8s.io\n  kind: Group\n  name: team:payments-0000\n";
    let text = std::fs::read_to_string(path).unwrap();
    let changed =
        text.replacen("things399", "other399", 1).replacen("name: team:search-0003", "name: team:renamed", 1);
    std::fs::write(path.with_extension("changed.yaml"), changed + BINDING).unwrap();
    let (one, both) = (stage("answer", path), stage("diff", path));
    rows.push(Row {
        what: "diff of two of them, as the comment of a pull request".to_owned(),
        figure: milliseconds(both.seconds),
        baseline: format!("loading one: {}{}", milliseconds(one.seconds), in_memory(&one)),
        ratio: format!(
            "{} the time, {} the memory",
            times(both.seconds / one.seconds),
            times(both.peak.unwrap_or_default() / one.peak.unwrap_or(1.0))
        ),
        peak: memory(&both),
    });
}

/// What access leads to.
fn paths_rows(path: &Path, rows: &mut Vec<Row>) {
    const ALONE: usize = 2_000;
    const ASKED: usize = 2_000;
    let all = printing(&["paths"], path, RUNS);
    rows.push(Row {
        peak: all.peak.map_or_else(String::new, |peak| format!("{peak:.0} MB")),
        baseline: format!("loading it: {}", milliseconds(stage("answer", path).seconds)),
        ..plain(&format!("paths of every start, {LARGE} objects, whole process"), milliseconds(all.seconds))
    });
    let one = stage("paths-of-one", path);
    rows.push(
        plain(
            &format!("paths of one start that reaches much, {LARGE} objects, beyond loading"),
            milliseconds(one.seconds),
        )
        .with_peak(&one),
    );
    let size = PathBuf::from(ALONE.to_string());
    let (together, alone) = (stage("paths", &size), stage("paths-alone", &size));
    rows.push(Row {
        what: format!("who becomes cluster-admin, {ALONE} objects"),
        figure: milliseconds(together.seconds),
        baseline: format!("round by round, each start alone: {}", milliseconds(alone.seconds)),
        ratio: times(alone.seconds / together.seconds),
        peak: memory(&together),
    });
    let size = PathBuf::from(ASKED.to_string());
    let (few, asked) = (stage("paths-few", &size), stage("paths-asked", &size));
    rows.push(Row {
        what: format!("who of {FEW} becomes cluster-admin, {ASKED} objects"),
        figure: milliseconds(few.seconds),
        baseline: format!("asking everybody everything in each round: {}", milliseconds(asked.seconds)),
        ratio: times(asked.seconds / few.seconds),
        peak: memory(&few),
    });
}

fn directory_rows(folder: &Path, rows: &mut Vec<Row>) {
    if !folder.is_dir() {
        cluster::directory(LARGE, folder);
    }
    // The first time brings the files into memory.
    let (_, files) = reading(folder);
    let reading = (0..RUNS).map(|_| reading(folder).0).fold(f64::INFINITY, f64::min);
    let process = whole_process(QUESTION, folder);
    rows.push(Row {
        what: format!("a directory of {files} files to the first answer, whole process"),
        figure: milliseconds(process),
        baseline: format!("reading the files and no more: {}", milliseconds(reading)),
        ratio: times(reading / process),
        peak: memory(&stage("answer", folder)),
    });
}

/// Reading every file of a folder and no more: seconds, and how many files.
fn reading(folder: &Path) -> (f64, usize) {
    let mut files = 0;
    let start = Instant::now();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                black_box(std::fs::read(entry.path()).unwrap());
                files += 1;
            }
        }
    }
    (start.elapsed().as_secs_f64(), files)
}

fn decision_rows(rows: &mut Vec<Row>) {
    for size in cluster::SIZES {
        let input = PathBuf::from(size.to_string());
        let (ours, model) = (stage("mixed", &input), stage("model", &input));
        rows.push(Row {
            what: format!("one decision, mixed yes and no, {size} objects"),
            figure: nanoseconds(ours.seconds),
            baseline: format!("plain loops: {}", nanoseconds(model.seconds)),
            ratio: times(model.seconds / ours.seconds),
            peak: String::new(),
        });
    }
    let large = PathBuf::from(LARGE.to_string());
    for (what, name) in [
        ("yes, of a group bound in 10,000 namespaces", "observers-yes"),
        ("no, of a group bound in 10,000 namespaces", "observers-no"),
        ("no, of a user in 200 groups", "many-groups"),
        ("yes, by the last of 400 rules of a role", "many-rules-yes"),
        ("no, after 400 rules of a role", "many-rules-no"),
    ] {
        rows.push(plain(&format!("one decision: {what}"), nanoseconds(stage(name, &large).seconds)));
    }
    let alone = stage("mixed", &large);
    for (what, name) in [
        (
            "the same at 50,000 objects beside 2,000 access entries with 5 policies each",
            "mixed-beside-entries",
        ),
        ("of a caller with an access entry and 5 policies", "callers-with-entries"),
    ] {
        let beside = stage(name, &large);
        rows.push(Row {
            what: format!("one decision: {what}"),
            figure: nanoseconds(beside.seconds),
            baseline: format!("the cluster without entries: {}", nanoseconds(alone.seconds)),
            ratio: times(alone.seconds / beside.seconds),
            peak: String::new(),
        });
    }
    let review = stage("review", &large);
    rows.push(plain("one review read, decided and written", nanoseconds(review.seconds)));
}

/// Runs that print much: what is printed is read and counted.
fn matrix_rows(path: &Path, rows: &mut Vec<Row>) {
    let all = |form| ["matrix", "--subjects", "all", "-o", form];
    let who_can = ["who-can", "get", "pods", "-A"];
    for (what, args, runs) in [
        ("the full matrix of every subject, of CSV", &all("csv")[..], RUNS),
        ("the same with its grants, of JSON", &all("json"), 2),
        ("the same with its grants, as one page of HTML", &all("html"), 2),
        ("who-can in every namespace, of text", &who_can, RUNS),
        ("the same, of JSON", &[&who_can[..], &["-o", "json"]].concat(), RUNS),
        ("who-can in one namespace, of text", &["who-can", "get", "pods", "-n", "payments-dev-0000"], RUNS),
    ] {
        let printed = printing(args, path, runs);
        let megabytes = printed.bytes as f64 / 1e6;
        let (what, form) = what.split_once(", ").unwrap();
        let size =
            if megabytes < 1.0 { format!("{:.0} KB", megabytes * 1e3) } else { format!("{megabytes:.0} MB") };
        rows.push(Row {
            peak: printed.peak.map_or_else(String::new, |peak| format!("{peak:.0} MB")),
            ..plain(
                &format!("{what}, {size} {form}, whole process"),
                if megabytes < 1.0 {
                    milliseconds(printed.seconds)
                } else {
                    format!("{} ({:.0} MB/s)", milliseconds(printed.seconds), megabytes / printed.seconds)
                },
            )
        });
    }
}

/// From people to rules, in a large account.
fn account_rows(folder: &Path, rows: &mut Vec<Row>) {
    let (export, statements) = account::export();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("account.json"), &export).unwrap();
    std::fs::write(folder.join("cluster.yaml"), account::cluster()).unwrap();
    let (roles, users) = (account::ROLES, account::USERS);
    let printed = printing(&["who-can", "create", "pods/exec", "-n", "prod", "--people"], folder, RUNS);
    rows.push(Row {
        peak: memory(&stage("people", folder)),
        ..plain(
            &format!(
                "who-can --people, account of {roles} roles, {users} users, {statements} statements ({:.0} MB), whole process",
                export.len() as f64 / 1e6
            ),
            format!("{} ({:.0} KB of text)", milliseconds(printed.seconds), printed.bytes as f64 / 1e3),
        )
    });
    rows.push(Row {
        baseline: format!(
            "serde_json into values: {}",
            milliseconds(stage("serde-json-values", folder).seconds)
        ),
        ..plain("loading that account", milliseconds(stage("load", folder).seconds))
    });
}

/// What a run of the program came to.
struct Printed {
    seconds: f64,
    bytes: u64,
    /// The most memory that it was seen to hold, in MB: looked at while it prints, so a little less than the peak.
    peak: Option<f64>,
}

/// The best of several runs of the program, and how much it printed.
fn printing(args: &[&str], input: &Path, runs: usize) -> Printed {
    let run = || {
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .args(args)
            .arg("-f")
            .arg(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut out = child.stdout.take().unwrap();
        let mut buffer = vec![0; 1 << 16];
        let (mut bytes, mut looked, mut peak) = (0, 0, None);
        loop {
            let read = out.read(&mut buffer).unwrap();
            bytes += read as u64;
            if read == 0 {
                break;
            }
            // Now and then, for looking takes time too.
            if bytes >= looked {
                looked = bytes + bytes / 8;
                peak = peak_memory_of(Path::new(&status)).or(peak);
            }
        }
        child.wait().unwrap();
        Printed { seconds: start.elapsed().as_secs_f64(), bytes, peak }
    };
    (0..runs).map(|_| run()).min_by(|a, b| a.seconds.total_cmp(&b.seconds)).unwrap()
}

fn plain(what: &str, figure: String) -> Row {
    let empty = String::new;
    Row { what: what.to_owned(), figure, baseline: empty(), ratio: empty(), peak: empty() }
}

impl Row {
    fn with_peak(mut self, measured: &Measured) -> Self {
        self.peak = memory(measured);
        self
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

fn nanoseconds(seconds: f64) -> String {
    if seconds < 1e-5 { format!("{:.0} ns", seconds * 1e9) } else { format!("{:.1} us", seconds * 1e6) }
}

fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}x") } else { format!("{ratio:.0}x") }
}

fn memory(measured: &Measured) -> String {
    measured.peak.map_or_else(String::new, |peak| format!("{peak:.0} MB"))
}

fn in_memory(measured: &Measured) -> String {
    measured.peak.map_or_else(String::new, |peak| format!(", {peak:.0} MB"))
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn print(rows: &[Row]) {
    println!("| what | rbacsim | baseline | ratio | peak memory |");
    println!("| --- | ---: | --- | ---: | ---: |");
    for Row { what, figure, baseline, ratio, peak } in rows {
        println!("| {what} | {figure} | {baseline} | {ratio} | {peak} |");
    }
}
