//! The access review: its cells against the authorizer and the matrix, what changed since a decision, and its forms.

use std::path::{Path, PathBuf};
use std::process::Command;

use rbacsim::ask::access_review::decisions::{self, Decision, Origin, Record};
use rbacsim::ask::access_review::{AccessReview, Mark, Population};
use rbacsim::ask::matrix::unknown::asked_as;
use rbacsim::ask::matrix::{Filter, Matrix, Scratch};
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::identity::IdentityError;
use rbacsim::knowledge::capabilities::{Ask, CAPABILITIES, Need, Reach, canonical, find};
use rbacsim::model::attributes::{Attributes, ResourceAttributes};
use rbacsim::model::ternary::Ternary;
use rbacsim::read::{Completeness, Input, LoadOptions, load};
use rbacsim::report::access_review::cards::{Card, cards, reasons};
use rbacsim::report::access_review::page::{document, graph_flags};
use rbacsim::report::access_review::{Document, csv, html, markdown};
use rbacsim::report::statement::Statement;
use serde_json::Value;

use crate::matrix_rules::{ALICE, binding, cluster_binding, cluster_role, load_text};
use crate::recorded::skipped;

fn review(cluster: &Cluster) -> AccessReview<'_> {
    AccessReview::of(cluster, Population::of(cluster, true))
}

fn folder(name: &str) -> Cluster {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    load(&[Input::Path(path)], &LoadOptions::default()).unwrap().into()
}

/// Whether a question counts, as the table says it.
fn counts(cluster: &Cluster, ask: &Ask) -> bool {
    let plural = ask.resource.split('/').next().unwrap();
    ask.counts_in(cluster.version())
        && (!ask.if_known || cluster.catalogue().find(ask.group, plural).is_some())
}

/// What a capability comes to at a place, asked question by question; `""` for all namespaces at once.
fn asked(cluster: &Cluster, who: &Who, need: &Need, namespace: &str) -> Ternary {
    let counting = |part: &&Need| !matches!(part, Need::Ask(ask) if !counts(cluster, ask));
    match need {
        Need::Any(parts) => {
            Ternary::any(parts.iter().filter(counting).map(|part| asked(cluster, who, part, namespace)))
        }
        Need::All(parts) => {
            Ternary::all(parts.iter().filter(counting).map(|part| asked(cluster, who, part, namespace)))
        }
        Need::Ask(ask) => Ternary::any(ask.verbs.iter().map(|verb| {
            let (resource, subresource) = ask.resource.split_once('/').unwrap_or((ask.resource, ""));
            let is_outside = cluster.catalogue().is_namespaced(ask.group, resource) == Some(false);
            let (namespace, name) = match ask.object {
                Some((namespace, name)) => (namespace, name),
                None if ask.itself => (namespace, namespace),
                None if is_outside && !ask.bound => ("", ""),
                None => (namespace, ""),
            };
            let attributes =
                ResourceAttributes { verb, group: ask.group, resource, subresource, name, namespace };
            cluster.ternary_for_type(who, &Attributes::Resource(attributes))
        })),
    }
}

#[test]
fn every_cell_is_what_the_authorizer_says() {
    let mut folders = vec!["quickstart".to_owned()];
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    for entry in std::fs::read_dir(scenarios).unwrap() {
        folders.push(format!("scenarios/{}", entry.unwrap().file_name().into_string().unwrap()));
    }
    folders.sort();
    let (mut yes, mut unknown, mut wrong) = (0, 0, Vec::new());
    for name in folders {
        let cluster = folder(&name);
        let review = review(&cluster);
        for row in &review.rows {
            let who = asked_as(&row.holder);
            if row.holder.kind.as_str() == "iam" && row.holder.who.is_none() {
                continue;
            }
            for (capability, cell) in row.capabilities() {
                let everywhere = asked(&cluster, &who, &capability.needs, "");
                let mut places = vec![(String::new(), everywhere, cell.everywhere)];
                if capability.reach == Reach::Namespaces {
                    for namespace in cluster.namespaces() {
                        let shown = if cell.everywhere.is_yes()
                            || cell.namespaces.iter().any(|own| own == namespace)
                        {
                            Ternary::Yes
                        } else if cell.is_open()
                            && (cell.unknown.is_empty() || cell.unknown.iter().any(|own| own == namespace))
                        {
                            Ternary::Unknown
                        } else {
                            Ternary::No
                        };
                        let asked = asked(&cluster, &who, &capability.needs, namespace);
                        places.push((namespace.to_owned(), asked, shown));
                    }
                }
                for (place, asked, shown) in places {
                    yes += usize::from(asked == Ternary::Yes);
                    unknown += usize::from(asked == Ternary::Unknown);
                    // What is unknown for objects of some names is unknown here, and no as asked without a name.
                    // So is what each user of a random mapping may by another grant: rows show what they share.
                    let by_chance = matches!(who.error(), Some(IdentityError::RandomMapping { .. }));
                    let is_careful = asked == Ternary::No || (asked == Ternary::Yes && by_chance);
                    if asked != shown && !(is_careful && shown == Ternary::Unknown) {
                        wrong.push(format!(
                            "{name}: {} {} in `{place}`: {asked}, shown {shown}",
                            row.key, capability.id
                        ));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(yes > 1000 && unknown > 1000, "{yes} yes, {unknown} unknown");
}

#[test]
fn every_number_of_the_page_is_that_of_the_matrix() {
    let gone = format!(
        "{}{}",
        signed_text(&binding("staging", "gone", ALICE)),
        binding("staging", "s", BOB).replace("name: b-s", "name: b-s2")
    );
    let mut compared = (0, 0);
    for cluster in [folder("quickstart"), load_text(&gone, Completeness::Partial)] {
        let (all, open) = numbers_are_those_of_the_matrix(&cluster);
        compared = (compared.0 + all, compared.1 + open);
    }
    assert!(compared.0 > 100 && compared.1 > 5, "{compared:?}");
}

/// Gives how many cells were compared, and how many of them have something unknown.
#[expect(clippy::too_many_lines, reason = "one comparison, number by number")]
fn numbers_are_those_of_the_matrix(cluster: &Cluster) -> (usize, usize) {
    let review = review(cluster);
    let page = page(&review, None);
    let data: Value =
        serde_json::from_str(page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0)
            .unwrap();
    let matrix = Matrix::new(cluster, &Filter::default());
    let mut scratch = Scratch::default();
    let (mut compared, mut marks, mut open_besides, mut with_open) = (0, [0usize; 5], 0, 0);
    let mut unknown_compared = 0;
    for (row, shown) in review.rows.iter().zip(data["rows"].as_array().unwrap()) {
        assert_eq!(shown["key"], row.key.as_str());
        let access = matrix.access(&row.holder, &mut scratch);
        // What the matrix calls unknown of the holder, by heading.
        let open = matrix.unknown_blocks(&row.holder, &matrix.unknown(&row.holder), &mut scratch);
        let is_open = |number: u64| data["cells"][usize::try_from(number).unwrap()]["open"] == true;
        with_open +=
            usize::from(shown["cells"].as_array().unwrap().iter().filter_map(Value::as_u64).any(is_open));
        for (capability, number) in CAPABILITIES.iter().zip(shown["cells"].as_array().unwrap()) {
            let none = Value::Null;
            let cell =
                number.as_u64().map_or(&none, |number| &data["cells"][usize::try_from(number).unwrap()]);
            let mark = cell["mark"].as_str().unwrap_or("no");
            marks[["everywhere", "namespaces", "names", "unknown", "no"]
                .iter()
                .position(|own| *own == mark)
                .unwrap()] += 1;
            open_besides += usize::from(cell["open"] == true && mark != "unknown");
            let Need::Ask(ask) = capability.needs else { continue };
            if ask.itself {
                continue;
            }
            let mut headings: Vec<&str> = Vec::new();
            for (number, rows) in &access.granted {
                let (cell, verb) = matrix.universe().column(*number).unwrap();
                if cell.group == ask.group && cell.resource == ask.resource && ask.verbs.contains(&verb) {
                    headings.extend(
                        rows.iter().filter(|(_, names)| names.is_empty()).map(|(place, _)| place.as_str()),
                    );
                }
            }
            headings.sort_unstable();
            headings.dedup();
            let everywhere = headings.iter().any(|heading| matches!(*heading, "" | "*"));
            assert_eq!(mark == "everywhere", everywhere, "{} {}", row.key, capability.id);
            if !everywhere {
                let namespaces: Vec<&str> = cell["namespaces"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| one.as_str().unwrap())
                    .collect();
                assert_eq!(namespaces, headings, "{} {}", row.key, capability.id);
            }
            // What is unknown: the same headings, as far as they are not had.
            let is_asked = |number: u32| {
                let (cell, verb) = matrix.universe().column(number).unwrap();
                cell.group == ask.group && cell.resource == ask.resource && ask.verbs.contains(&verb)
            };
            let columns = || {
                (0..u32::try_from(matrix.universe().columns().len()).unwrap()).filter(|own| is_asked(*own))
            };
            let in_doubt: std::collections::BTreeSet<&str> = open
                .iter()
                .filter(|block| columns().any(|own| block.columns.contains(own)))
                .map(|block| block.namespace.as_str())
                .filter(|heading| !everywhere && !headings.contains(heading))
                .filter(|heading| capability.reach == Reach::Namespaces || matches!(*heading, "" | "*"))
                .collect();
            let anywhere = in_doubt.iter().any(|heading| matches!(*heading, "" | "*"));
            assert_eq!(cell["everywhere"] == "unknown", anywhere, "{} {}", row.key, capability.id);
            let shown_open: std::collections::BTreeSet<&str> =
                cell["unknown"].as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect();
            if !anywhere {
                assert_eq!(shown_open, in_doubt, "{} {}", row.key, capability.id);
            }
            assert_eq!(cell["open"] == true, !in_doubt.is_empty(), "{} {}", row.key, capability.id);
            unknown_compared += usize::from(!in_doubt.is_empty());
            compared += 1;
        }
    }
    assert_eq!(
        marks[3] + open_besides,
        review.rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.is_open()).count()
    );
    let headline = data["headline"].as_array().unwrap();
    let open = format!(
        "{with_open} {} something unknown in their access",
        if with_open == 1 { "has" } else { "have" }
    );
    assert!(headline.iter().any(|line| line.as_str().unwrap().starts_with(&open)), "{open}");
    if open_besides > 0 {
        let more = format!("in {open_besides} of those with access there may be more: unknown");
        assert!(headline.iter().any(|line| line.as_str().unwrap().ends_with(&more)), "{more}");
    }
    let line = format!(
        "{} cells: {} everywhere, {} in some namespaces, {} only for names, {} unknown, {} not",
        review.rows.len() * CAPABILITIES.len(),
        marks[0],
        marks[1],
        marks[2],
        marks[3],
        marks[4]
    );
    assert!(
        data["headline"].as_array().unwrap().iter().any(|own| own.as_str().unwrap().starts_with(&line)),
        "{line}"
    );
    (compared, unknown_compared)
}

fn origin() -> Origin {
    Origin { tool: "rbacsim".into(), ..Origin::default() }
}

fn statement(review: &AccessReview<'_>) -> Statement {
    let holders: Vec<_> = review.rows.iter().map(|row| row.holder.clone()).collect();
    Statement::of(&review.matrix, &holders, review.left_out.clone())
}

fn page(review: &AccessReview<'_>, record: Option<&Record>) -> String {
    let (origin, statement) = (origin(), statement(review));
    let changes = record.map(|record| decisions::changes(review, &origin, record));
    let signed = record.zip(changes.as_ref());
    let document = Document { review, origin: &origin, statement: &statement, findings: &[], signed };
    let mut out = Vec::new();
    html::write(&mut out, &document).unwrap();
    String::from_utf8(out).unwrap()
}

fn record(review: &AccessReview<'_>) -> Record {
    Record {
        api_version: decisions::API_VERSION.into(),
        kind: decisions::KIND.into(),
        population: origin(),
        snapshot: review.rows.iter().map(decisions::seen).collect(),
        decisions: review
            .rows
            .iter()
            .map(|row| Decision {
                identity: row.key.clone(),
                access_sha256: row.access_sha256.clone(),
                decision: "keep".into(),
                by: "m.ruiz".into(),
                on: "2026-11-26".into(),
                remark: String::new(),
            })
            .collect(),
    }
}

const BOB: &str = "{kind: User, name: bob}";

/// Alice may read secrets in some namespaces, bob may read logs.
fn signed(more: &str) -> Cluster {
    load_text(&signed_text(more), Completeness::Complete)
}

fn signed_text(more: &str) -> String {
    let secrets = cluster_role("s", r#"[{verbs: [get], apiGroups: [""], resources: [secrets]}]"#);
    let logs = cluster_role("l", r#"[{verbs: [get], apiGroups: [""], resources: [pods/log]}]"#);
    format!("{secrets}{logs}{}{more}", binding("prod", "s", ALICE))
}

fn since(before: &Cluster, after: &Cluster) -> decisions::Changes {
    let text = serde_json::to_string(&record(&review(before))).unwrap();
    decisions::changes(&review(after), &origin(), &decisions::read(&text).unwrap())
}

#[test]
fn what_did_not_change_is_the_same_and_keeps_its_decision() {
    let before = signed("");
    let changes = since(&before, &before);
    assert!(changes.rows.iter().all(decisions::Since::is_same));
    assert!(changes.rows.iter().all(|row| row.decision.as_ref().unwrap().by == "m.ruiz" && !row.is_stale));
    assert!(changes.gone.is_empty() && changes.measured.is_empty());
}

#[test]
fn another_namespace_is_gained_and_one_less_is_lost() {
    let (one, two) = (signed(""), signed(&binding("staging", "s", ALICE)));
    let gained = since(&one, &two);
    assert_eq!(gained.rows[0].gained.iter().map(|one| one.id).collect::<Vec<_>>(), ["secrets-read"]);
    assert_eq!(gained.rows[0].gained_where, ["in staging"]);
    assert!(gained.rows[0].lost.is_empty() && gained.rows[0].is_stale);
    let lost = since(&two, &one);
    assert_eq!(lost.rows[0].lost.iter().map(|one| one.id).collect::<Vec<_>>(), ["secrets-read"]);
    assert_eq!(lost.rows[0].lost_where, ["in staging"]);
    assert!(lost.rows[0].gained.is_empty());
}

#[test]
fn who_came_is_new_and_who_went_is_gone() {
    let (one, two) = (signed(""), signed(&binding("prod", "l", BOB)));
    let changes = since(&one, &two);
    assert_eq!(changes.rows.iter().filter(|row| row.is_new).count(), 1);
    let changes = since(&two, &one);
    assert_eq!(changes.gone.len(), 1);
    assert_eq!(changes.gone[0].0, "User bob");
    assert_eq!(changes.gone[0].1.as_ref().unwrap().decision, "keep");
}

#[test]
fn what_no_capability_shows_is_a_finer_change() {
    let extra = cluster_role("x", r#"[{verbs: [get], apiGroups: [""], resources: [endpoints]}]"#);
    let changes = since(&signed(""), &signed(&format!("{extra}{}", binding("prod", "x", ALICE))));
    assert!(changes.rows[0].finer && changes.rows[0].is_stale && !changes.rows[0].is_same());
}

#[test]
fn a_role_under_another_name_is_the_same_access() {
    let renamed = cluster_role("t", r#"[{verbs: [get], apiGroups: [""], resources: [secrets]}]"#);
    let after = load_text(&format!("{renamed}{}", binding("prod", "t", ALICE)), Completeness::Complete);
    assert!(since(&signed(""), &after).rows[0].is_same());
}

#[test]
fn a_missing_role_is_unknown_and_never_no() {
    let cluster = load_text(&binding("prod", "gone", ALICE), Completeness::Partial);
    let review = review(&cluster);
    let row = &review.rows[0];
    for (capability, cell) in row.capabilities() {
        let expected = if capability.reach == Reach::Namespaces { Mark::Unknown } else { Mark::No };
        // `aws-auth` lies in another namespace, and what has no namespace a RoleBinding does not grant.
        assert_eq!(cell.mark(), expected, "{}", capability.id);
    }
    let text = page(&review, None);
    assert!(text.contains("\"mark\":\"unknown\"") && text.contains("which is not in the inputs"));
}

#[test]
fn a_role_binding_may_delete_its_own_namespace_only() {
    let role = cluster_role("d", r#"[{verbs: [delete], apiGroups: [""], resources: [namespaces]}]"#);
    let cluster = load_text(&format!("{role}{}", binding("prod", "d", ALICE)), Completeness::Complete);
    let review = review(&cluster);
    let place = CAPABILITIES.iter().position(|one| one.id == "namespace-delete").unwrap();
    let cell = &review.rows[0].cells[place];
    assert_eq!((cell.mark(), cell.namespaces.as_slice()), (Mark::Namespaces, &["prod".to_owned()][..]));
    assert_eq!(review.rows[0].evidence[place].len(), 1);
}

#[test]
fn binding_one_named_cluster_role_is_shown_with_its_name() {
    let role = cluster_role(
        "b",
        r"[{verbs: [bind], apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [cluster-admin]}, {verbs: [create], apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings]}]",
    );
    let cluster = load_text(&format!("{role}{}", cluster_binding("b", "b", ALICE)), Completeness::Complete);
    let review = review(&cluster);
    let cell = &review.rows[0].cells[1];
    assert_eq!(cell.mark(), Mark::Named);
    assert_eq!(cell.named, [("*".to_owned(), vec!["cluster-admin".to_owned()])]);
}

#[test]
fn a_create_that_is_limited_to_names_grants_nothing() {
    let role = cluster_role(
        "c",
        r#"[{verbs: [create], apiGroups: [""], resources: [serviceaccounts], resourceNames: [x]}]"#,
    );
    let cluster = load_text(&format!("{role}{}", binding("prod", "c", ALICE)), Completeness::Complete);
    assert!(review(&cluster).rows[0].cells.iter().all(|cell| cell.mark() == Mark::No));
}

#[test]
fn equal_access_is_one_group_and_each_is_decided_by_itself() {
    let cluster = signed(&format!(
        "{}{}",
        binding("prod", "l", BOB),
        binding("prod", "l", "{kind: User, name: carol}").replace("b-l", "b-l2")
    ));
    let review = review(&cluster);
    let sizes: Vec<usize> = review.groups().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2]);
    assert_eq!(record(&review).decisions.len(), 3);
}

#[test]
fn the_page_needs_no_network_and_holds_no_hostile_name() {
    let hostile = "{kind: User, name: \"</script><img src=x onerror=alert(1)>\"}";
    let cluster = signed(&binding("prod", "l", hostile));
    let html = page(&review(&cluster), None);
    // A namespace of XML is a name, and `url(#...)` points into the picture itself.
    let own = html.replace("http://www.w3.org/2000/svg", "").replace("url(#", "").replace("img src=x", "");
    for outside in ["http://", "https://", " src=", "@import", "url("] {
        assert!(!own.contains(outside), "{outside}");
    }
    assert_eq!(html.matches("</script>").count(), 2);
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn a_name_that_looks_like_a_formula_is_told() {
    let cluster = signed(&binding("prod", "l", "{kind: User, name: \"=1+1\"}"));
    let review = review(&cluster);
    let (origin, statement) = (origin(), statement(&review));
    let whole =
        Document { review: &review, origin: &origin, statement: &statement, findings: &[], signed: None };
    let mut out = Vec::new();
    assert_eq!(csv::write(&mut out, &whole).unwrap().unwrap(), "=1+1");
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with(csv::HEADER));
    let columns = csv::HEADER.split(',').count();
    assert!(
        text.lines().skip(1).any(|line| line.starts_with("alice,user,alice,alice,")
            && line.contains("secrets-read,Read secrets,namespaces,,in prod,")),
        "{text}"
    );
    assert_eq!(columns, 16);
    let mut out = Vec::new();
    markdown::write(&mut out, &whole).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("**Read secrets** in prod"));
    assert_eq!(document(&whole)["rows"].as_array().unwrap().len(), review.rows.len());
}

#[test]
fn a_file_that_holds_no_decisions_is_an_error() {
    let text = serde_json::to_string(&record(&review(&signed("")))).unwrap();
    assert!(decisions::read(&text).is_ok());
    assert!(decisions::read("{}").is_err());
    assert!(decisions::read(&text.replace("\"keep\"", "\"maybe\"")).unwrap_err().contains("maybe"));
    assert!(decisions::read(&text.replace("AccessReview", "Other")).unwrap_err().contains("Other"));
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .args(["report", "-f", "testdata/quickstart", "--decisions", "testdata/quickstart/roles.yaml"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_first_screen_has_the_command_and_the_hashes_of_the_inputs() {
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .args(["report", "-o", "markdown", "--title", "shop", "-f", "testdata/quickstart"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("rbacsim report -o markdown --title shop -f testdata/quickstart"));
    assert!(!text.contains("Date given"));
    let hashed = text.lines().filter(|line| line.starts_with("| testdata/quickstart/") && line.len() > 64);
    assert_eq!(hashed.count(), 6);
    for of in ["oncall | - |", "prod/checkout | - |"] {
        assert!(text.contains(of), "{of}");
    }
}

/// A need in the words of the recorded table.
fn written(need: &Need) -> Value {
    match need {
        Need::Any(parts) => serde_json::json!({ "any": parts.iter().map(written).collect::<Vec<_>>() }),
        Need::All(parts) => serde_json::json!({ "all": parts.iter().map(written).collect::<Vec<_>>() }),
        Need::Ask(ask) => {
            let mut value =
                serde_json::json!({ "verbs": ask.verbs, "group": ask.group, "resource": ask.resource });
            let mut set = |key: &str, own: Value| value.as_object_mut().unwrap().insert(key.into(), own);
            if let Some((namespace, name)) = ask.object {
                set("namespace", namespace.into());
                if !name.is_empty() {
                    set("name", name.into());
                }
            }
            for (key, is) in [("bound", ask.bound), ("itself", ask.itself), ("if_known", ask.if_known)] {
                if is {
                    set(key, true.into());
                }
            }
            if ask.from > 0 {
                set("from", ask.from.into());
            }
            if ask.until < u32::MAX {
                set("until", ask.until.into());
            }
            value
        }
    }
}

#[test]
fn the_table_takes_what_the_recorded_one_takes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/capabilities.yaml");
    let Ok(text) = std::fs::read_to_string(path) else {
        skipped("../shared/reference/capabilities.yaml");
        return;
    };
    let table: Value = serde_yaml::from_str(&text).unwrap();
    let recorded = table["capabilities"].as_array().unwrap();
    assert_eq!(recorded.len(), CAPABILITIES.len());
    for (recorded, own) in recorded.iter().zip(CAPABILITIES) {
        assert_eq!(recorded["id"], own.id);
        assert_eq!(recorded["scope"] == "namespace", own.reach == Reach::Namespaces, "{}", own.id);
        // Who may bind one ClusterRole may hand out that one: here it counts.
        assert_eq!(recorded["named"] == true || own.id == "escalate", own.by_name, "{}", own.id);
        assert_eq!(recorded["needs"], written(&own.needs), "{}", own.id);
        let implied: Vec<&str> = match &recorded["implies"] {
            Value::String(_) => vec!["*"],
            list => list.as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect(),
        };
        assert_eq!(implied, own.implies, "{}", own.id);
    }
}

#[test]
fn capabilities_are_found_by_name_and_each_is_once() {
    for (one, number) in CAPABILITIES.iter().zip(0..) {
        assert_eq!(CAPABILITIES.iter().position(|other| other.id == one.id), Some(number));
        assert_eq!(find(one.id).unwrap().name, one.name);
        assert!(one.sentence.starts_with("May ") && one.sentence.ends_with('.'), "{}", one.id);
    }
    assert!(find("none").is_none());
}

#[test]
fn the_hash_of_the_table_is_of_what_decides_and_of_no_words() {
    let text = canonical();
    assert_eq!(text.lines().count(), CAPABILITIES.len());
    assert!(text.starts_with("cluster-admin cluster implies(*) *:*/*\n"), "{text}");
    for part in [
        "\nlogs namespaces by-name implies() get:/pods/log\n",
        "delete:/namespaces itself",
        "update,patch:/configmaps=kube-system/aws-auth",
        " bound",
        "until-1.34",
        "from-1.36",
        "if-known",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(CAPABILITIES.iter().all(|one| !text.contains(one.sentence)));
    let lines: std::collections::BTreeSet<&str> = text.lines().collect();
    assert_eq!(lines.len(), CAPABILITIES.len());
}

#[test]
fn who_has_only_unknown_access_is_never_said_to_have_none() {
    let cluster = load_text(&binding("prod", "gone", ALICE), Completeness::Partial);
    let review = review(&cluster);
    let (origin, statement) = (origin(), statement(&review));
    let whole =
        Document { review: &review, origin: &origin, statement: &statement, findings: &[], signed: None };
    let mut out = Vec::new();
    markdown::write(&mut out, &whole).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains("none of the capabilities |"), "{text}");
    let open = review.rows[0].cells.iter().filter(|cell| cell.is_open()).count();
    assert!(
        text.contains(&format!("| alice (user) | nothing for certain | {open} of {} |", CAPABILITIES.len()))
    );
    // What is unknown in the same place is one line of the card, on the page too, with every capability in it.
    let page: Value = document(&whole);
    let statements = page["cards"][0]["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["unknown"], true);
    assert_eq!(statements[0]["capabilities"].as_array().unwrap().len(), open);
    assert_eq!(text.matches("**: unknown in prod").count(), 1, "{text}");
    assert!(!text.contains("perhaps cluster administrator"));
}

/// Every folder of examples.
pub(crate) fn folders() -> Vec<String> {
    let mut folders = vec!["quickstart".to_owned()];
    for under in ["scenarios", "reports"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(under);
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_dir() {
                folders.push(format!("{under}/{}", entry.file_name().into_string().unwrap()));
            }
        }
    }
    folders.sort();
    folders
}

pub(crate) fn with_document<T>(review: &AccessReview<'_>, with: impl FnOnce(&Document<'_, '_>) -> T) -> T {
    let (origin, statement) = (origin(), statement(review));
    with(&Document { review, origin: &origin, statement: &statement, findings: &[], signed: None })
}

#[test]
fn the_reasons_of_a_card_name_the_places_of_its_cells() {
    let placeholder = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata:\n  mapRoles: |\n    - rolearn: arn:aws:iam::111122223333:role/x-{{ ENV }}\n      username: x\n      groups: [ops]\n---\n";
    let role = cluster_role("s", r#"[{verbs: [get], apiGroups: [""], resources: [secrets]}]"#);
    let ops = "{kind: Group, name: ops}";
    let unfilled = format!("{placeholder}{role}{}", binding("prod", "s", ops));
    let cluster = load_text(&unfilled, Completeness::Complete);
    let review = AccessReview::of(&cluster, Population::of(&cluster, false));
    let row = review.rows.iter().find(|row| row.key.starts_with("iam ")).unwrap();
    let place = CAPABILITIES.iter().position(|one| one.id == "secrets-read").unwrap();
    assert_eq!(row.cells[place].unknown, ["prod"]);
    assert_eq!(reasons(&review, row).iter().map(|one| one.scope.as_str()).collect::<Vec<_>>(), ["in prod"]);
    let mut compared = 0;
    for cluster in folders().iter().map(|name| folder(name)).chain([cluster_of(&unfilled)]) {
        let review = AccessReview::of(&cluster, Population::of(&cluster, true));
        for row in &review.rows {
            let anywhere = row.cells.iter().any(|cell| cell.everywhere == Ternary::Unknown);
            let open: std::collections::BTreeSet<&str> =
                row.cells.iter().flat_map(|cell| &cell.unknown).map(String::as_str).collect();
            let mut said = std::collections::BTreeSet::new();
            let mut said_anywhere = false;
            for reason in reasons(&review, row) {
                compared += 1;
                if reason.scope == "anywhere" {
                    assert!(anywhere, "{}: {reason:?}", row.key);
                    said_anywhere = true;
                } else if let Some(places) = reason.scope.strip_prefix("in ")
                    && !places.contains(", beyond")
                {
                    for place in places.split(", ") {
                        assert!(anywhere || open.contains(place), "{}: {reason:?}", row.key);
                        said.insert(place.to_owned());
                    }
                }
            }
            // What is unknown in a cell has a reason that names its place.
            assert!(!anywhere || said_anywhere, "{}", row.key);
            for place in open {
                assert!(said_anywhere || said.contains(place), "{} in {place}", row.key);
            }
        }
    }
    assert!(compared > 50, "{compared}");
}

fn cluster_of(text: &str) -> Cluster {
    load_text(text, Completeness::Complete)
}

#[test]
fn a_card_has_every_grant_and_every_cell_of_its_identities_and_each_stands_on_one() {
    let (mut shared, mut grants) = (0, 0);
    for name in folders() {
        let cluster = folder(&name);
        let review = AccessReview::of(&cluster, Population::of(&cluster, true));
        let cards = with_document(&review, cards);
        let mut seen = vec![0; review.rows.len()];
        for card in &cards {
            shared += usize::from(card.rows.len() > 1);
            for number in &card.rows {
                seen[*number] += 1;
                grants += check(&review, card, *number);
            }
        }
        assert!(seen.iter().all(|count| *count == 1), "{name}: {seen:?}");
    }
    assert!(shared > 10 && grants > 1000, "{shared} cards of several, {grants} grants");
}

/// Compares a card with one of its rows; gives how many grants were compared.
fn check(review: &AccessReview<'_>, card: &Card, number: usize) -> usize {
    use rbacsim::report::access_review::{grant, places, shown};
    let row = &review.rows[number];
    let mut compared = 0;
    for (capability, cell, place) in shown(row) {
        let own: Vec<_> =
            card.statements.iter().filter(|statement| statement.capabilities.contains(&place)).collect();
        let [statement] = own.as_slice() else { panic!("{} {}", row.key, capability.id) };
        assert_eq!(statement.place, places(review, capability, cell), "{} {}", row.key, capability.id);
        assert_eq!(statement.is_unknown, cell.mark() == Mark::Unknown);
        for evidence in &row.evidence[place] {
            let [binding, at, rule, rule_at] = grant(review, evidence).unwrap();
            let (_, text) = rule.split_once(": ").unwrap();
            let number = rule.split_once(": ").unwrap().0;
            let is_there = statement.grants.iter().any(|granted| {
                granted.rules.iter().any(|own| own == text)
                    && binding.ends_with(&format!(" to {}", granted.to))
                    && granted.roles.iter().any(|through| {
                        through.rules.contains(&format!("{number} ({rule_at})"))
                            && through.bindings.iter().any(|[own, own_at]| {
                                binding.starts_with(&format!("{own} gives {} to", through.role))
                                    && *own_at == at
                            })
                    })
            });
            assert!(is_there, "{} {}: {binding} {rule}", row.key, capability.id);
            compared += 1;
        }
    }
    let listed: usize = card.statements.iter().map(|statement| statement.capabilities.len()).sum();
    assert_eq!(listed, shown(row).len(), "{}", row.key);
    compared
}

/// What README quotes below the picture.
#[test]
fn the_readme_says_what_the_review_of_the_quickstart_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let quoted = readme.split_once("(docs/review.png)").unwrap().1;
    let quoted = quoted.split_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .args(["report", "-o", "markdown", "-f", "testdata/quickstart"])
        .current_dir(root)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for line in quoted.lines() {
        assert!(said.contains(&format!("- {line}\n")), "{line} in {said}");
    }
    assert_eq!(quoted.lines().count(), 3);
    assert!(root.join("docs/review.png").is_file());
}

#[test]
fn long_rules_of_several_stand_in_markdown_once() {
    let rules: Vec<String> = ["pods", "services", "events", "endpoints", "secrets"]
        .iter()
        .map(|resource| format!("{{verbs: [get, list], apiGroups: [\"\"], resources: [{resource}]}}"))
        .collect();
    let long = cluster_role(
        "long",
        &format!(
            "[{}, {{verbs: [create, delete], apiGroups: [\"\"], resources: [pods, pods/exec, configmaps]}}, {{verbs: [delete], apiGroups: [\"\"], resources: [persistentvolumeclaims, secrets]}}]",
            rules.join(", ")
        ),
    );
    // Their places differ, so they are two cards.
    let text = format!("{long}{}{}", binding("prod", "long", ALICE), binding("staging", "long", BOB));
    let cluster = cluster_of(&text.replace(
        "resources: [secrets]}",
        "resources: [secrets]}, {verbs: [update], apiGroups: [apps], resources: [deployments]}",
    ));
    let review = review(&cluster);
    let said = with_document(&review, |whole| {
        let mut out = Vec::new();
        markdown::write(&mut out, whole).unwrap();
        String::from_utf8(out).unwrap()
    });
    assert!(said.contains("User \\`alice\\` gets: the rules R1"), "{said}");
    assert_eq!(said.matches("get, list on secrets").count(), 1, "{said}");
    assert_eq!(said.matches("- **R1**: ").count(), 1);
    for name in ["prod/b-long", "staging/b-long"] {
        assert!(said.contains(name), "{name}");
    }
}

#[test]
fn what_was_selected_stands_in_every_form_of_the_review() {
    let line = "selected: every mapped IAM identity and every subject of a binding, without those that come with Kubernetes or EKS; all namespaces; 29 capabilities";
    for format in ["html", "markdown", "csv"] {
        let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .args(["report", "-o", format, "-f", "testdata/quickstart"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let place = if format == "csv" { output.stderr } else { output.stdout };
        assert!(String::from_utf8(place).unwrap().contains(line), "{format}");
    }
}

#[test]
fn what_changed_comes_first_and_says_where() {
    let (one, two) = (signed(""), signed(&binding("staging", "s", ALICE)));
    let record = record(&review(&one));
    let review = review(&two);
    let (origin, statement) = (origin(), statement(&review));
    let changes = decisions::changes(&review, &origin, &record);
    let signed = Some((&record, &changes));
    let whole = Document { review: &review, origin: &origin, statement: &statement, findings: &[], signed };
    let mut out = Vec::new();
    markdown::write(&mut out, &whole).unwrap();
    let text = String::from_utf8(out).unwrap();
    let place = |wanted: &str| text.find(wanted).unwrap_or_else(|| panic!("{wanted} in {text}"));
    assert!(place("gained: Read secrets in staging") < place("## What was reviewed"));
    let page = page(&review, Some(&record));
    assert!(page.find("id=\"since\"").unwrap() < page.find("id=\"h-what\"").unwrap());
    assert!(page.contains("gained: Read secrets in staging"));
}

#[test]
fn the_command_that_a_card_gives_for_its_picture_is_understood() {
    let cluster = folder("quickstart");
    let review = review(&cluster);
    let mut kinds = std::collections::BTreeSet::new();
    for row in review.rows.iter().filter(|row| !row.holder.identity.contains(' ')) {
        if !kinds.insert(row.holder.kind.as_str()) {
            continue;
        }
        let flags = graph_flags(row);
        let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
            .arg("graph")
            .args(flags.split(' '))
            .args(["-o", "svg", "-f", "testdata/quickstart"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{flags}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.starts_with(b"<svg "), "{flags}");
    }
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}
