//! Risks: the table against the catalogue, and for every row a case that triggers it and one that must not.

use std::collections::BTreeSet;

use rbacsim::ask::risk::{findings, is_judged};
use rbacsim::knowledge::risks::{self, Ask, At, Names, Risk, Verdict};
use rbacsim::model::finding::{Finding, Level};
use serde_json::{Value, json};

use crate::paths::cluster;
use crate::recorded::{data, skipped};

mod joined; // rights joined with workloads, nodes and IAM roles

const RBAC: &str = "rbac.authorization.k8s.io";

#[test]
fn the_table_is_the_catalogue() {
    let file = data().map(|data| data.join("../reference/risk-catalogue.yaml")).filter(|file| file.is_file());
    let Some(file) = file else {
        skipped("../shared/reference/risk-catalogue.yaml");
        return;
    };
    let catalogue: Value = serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let rows = catalogue["risks"].as_array().unwrap();
    assert_eq!(risks::all().len(), rows.len());
    for (row, risk) in rows.iter().zip(risks::all()) {
        let verdict = format!("{:?}", risk.verdict).to_lowercase();
        assert_eq!((row["id"].as_str(), row["verdict"].as_str()), (Some(risk.code), Some(verdict.as_str())));
        for (key, own) in [("title", risk.title), ("why", risk.why), ("fix", risk.fix)] {
            assert_eq!(row[key].as_str(), Some(own), "{}", risk.code);
        }
        let severity: serde_json::Map<String, Value> =
            risk.severity.iter().map(|(scope, level)| ((*scope).to_owned(), json!(level.as_str()))).collect();
        assert_eq!(row["severity"], Value::Object(severity), "{}", risk.code);
        assert_eq!(row["sink"].as_str(), risk.sink, "{}", risk.code);
        assert_eq!(row.get("step").unwrap_or(&json!([])), &json!(risk.steps), "{}", risk.code);
        let needs = &row["needs"];
        let all = |all: &Vec<Vec<Ask>>| -> Value {
            all.iter().map(|asks| asks.iter().map(ask).collect::<Vec<_>>()).collect::<Vec<_>>().into()
        };
        let plain = |lists: &Value| -> Value {
            let lists = lists.as_array().cloned().unwrap_or_default();
            lists
                .iter()
                .map(|asks| asks.as_array().unwrap().iter().map(expected).collect::<Vec<_>>())
                .collect::<Vec<_>>()
                .into()
        };
        let theirs: Vec<Value> = match needs["any_of"].as_array() {
            Some(alternatives) => alternatives.iter().map(|own| plain(&own["all"])).collect(),
            None if needs["all"].is_array() => vec![plain(&needs["all"])],
            None => Vec::new(),
        };
        assert_eq!(risk.needs.iter().map(all).collect::<Vec<_>>(), theirs, "{}", risk.code);
        assert_eq!(all(&risk.not), plain(&needs["not"]), "{}", risk.code);
        assert_eq!(json!(risk.urls), needs.get("urls").cloned().unwrap_or(json!([])), "{}", risk.code);
        assert_eq!(needs["from_version"].as_str(), risk.from, "{}", risk.code);
        let until = risk.until.as_ref().map(|(until, verbs)| json!({ (*until): verbs }));
        assert_eq!(needs.get("until_version").cloned(), until, "{}", risk.code);
    }
}

fn ask(ask: &Ask) -> Value {
    json!([ask.verbs, ask.group, ask.resources, format!("{:?}", ask.names), format!("{:?}", ask.at)])
}

fn expected(ask: &Value) -> Value {
    let resources = match &ask["resource"] {
        Value::String(one) => json!([one]),
        several => several.clone(),
    };
    let names = match &ask["names"] {
        Value::Null => "Any".to_owned(),
        Value::String(_) => "Some".to_owned(),
        these => format!("These({these})").replace(',', ", "),
    };
    let at = match ask["at"].as_str() {
        None => "Scope",
        Some("cluster") => "Cluster",
        Some("kube-system") => "KubeSystem",
        Some(_) => "Own",
    };
    json!([ask["verbs"], ask["group"], resources, names, at])
}

/// A binding of these rules to somebody, for the cluster or a namespace.
fn bound(namespace: &str, name: &str, who: &Value, rules: &[Value]) -> [Value; 2] {
    let (role, binding) =
        if namespace.is_empty() { ("ClusterRole", "ClusterRoleBinding") } else { ("Role", "RoleBinding") };
    let metadata = if namespace.is_empty() {
        json!({ "name": name })
    } else {
        json!({ "name": name, "namespace": namespace })
    };
    let version = format!("{RBAC}/v1");
    [
        json!({ "apiVersion": version, "kind": role, "metadata": metadata, "rules": rules }),
        json!({
            "apiVersion": version, "kind": binding, "metadata": metadata,
            "roleRef": { "apiGroup": RBAC, "kind": role, "name": name }, "subjects": [who],
        }),
    ]
}

fn user() -> Value {
    json!({ "apiGroup": RBAC, "kind": "User", "name": "amy" })
}

fn found(objects: &[Value], version: &str) -> Vec<Finding> {
    findings(&cluster(&Value::Array(objects.to_vec()), version))
}

fn codes(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().map(|finding| finding.code).collect()
}

/// The least rules that meet a risk in one way, for the namespace under test; those for the cluster apart.
fn least(risk: &Risk, alternative: usize, inside: &str) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
    let (mut here, mut cluster, mut kube_system) = (Vec::new(), Vec::new(), Vec::new());
    for asks in risk.needs.get(alternative).into_iter().flatten() {
        // What can be asked where it is asked.
        let ask = asks.iter().find(|ask| ask.at != At::Cluster || inside.is_empty()).unwrap_or(&asks[0]);
        let mut rule = json!({
            "verbs": [ask.verbs[0]], "apiGroups": [ask.group], "resources": [ask.resources[0]],
        });
        if let Names::These(names) = &ask.names {
            rule["resourceNames"] = json!([names[0]]);
        }
        match ask.at {
            At::Cluster => cluster.push(rule),
            At::KubeSystem => kube_system.push(rule),
            At::Scope | At::Own => here.push(rule),
        }
    }
    if let Some(url) = risk.urls.first() {
        cluster.push(json!({ "verbs": ["get"], "nonResourceURLs": [url] }));
    }
    (here, cluster, kube_system)
}

fn with_least(risk: &Risk, alternative: usize, inside: &str) -> Vec<Value> {
    let (here, cluster, kube_system) = least(risk, alternative, inside);
    let mut objects = Vec::new();
    for (at, name, rules) in
        [(inside, "here", here), ("", "cluster", cluster), ("kube-system", "ks", kube_system)]
    {
        if !rules.is_empty() {
            objects.extend(bound(at, name, &user(), &rules));
        }
    }
    objects
}

/// Every row that is judged on effective access, in every scope that it speaks of, by the least that it needs; and
/// without any one of its parts it is not found.
#[test]
fn every_effective_row_is_triggered_by_the_least_that_it_needs_and_by_nothing_less() {
    let (mut triggered, mut not) = (0, 0);
    for risk in risks::all().iter().filter(|risk| risk.verdict == Verdict::Effective) {
        let alternatives = risk.needs.len().max(1);
        for alternative in 0..alternatives {
            for (scope, level) in &risk.severity {
                let inside = match *scope {
                    "cluster" => "",
                    "kube-system" => "kube-system",
                    "namespace" => "x",
                    _ => continue,
                };
                let all = risk.needs.get(alternative);
                let only_cluster =
                    all.is_none_or(|all| all.iter().any(|asks| asks.iter().all(|ask| ask.at == At::Cluster)));
                if only_cluster && !inside.is_empty() && alternatives > 1 {
                    // The other way speaks of namespaces.
                    continue;
                }
                let objects = with_least(risk, alternative, inside);
                let found = found(&objects, "1.36");
                let own: Vec<&Finding> = found.iter().filter(|finding| finding.code == risk.code).collect();
                assert_eq!(own.len(), 1, "{} {scope}: {:?} of {objects:?}", risk.code, codes(&found));
                let everywhere = objects.iter().all(|object| object["metadata"]["namespace"].is_null());
                if (inside.is_empty() && everywhere) || !inside.is_empty() {
                    assert_eq!(own[0].severity, *level, "{} {scope}: {:?}", risk.code, own[0]);
                }
                triggered += 1;
                // In another group it is something else.
                let mut spoilt = objects.clone();
                for object in &mut spoilt {
                    for rule in object["rules"].as_array_mut().into_iter().flatten() {
                        if rule["apiGroups"].is_array() {
                            rule["apiGroups"] = json!(["spoilt.example.com"]);
                        } else {
                            rule["nonResourceURLs"] = json!(["/spoilt"]);
                        }
                    }
                }
                assert!(
                    !codes(&super::risk::found(&spoilt, "1.36")).contains(risk.code),
                    "{} {scope}",
                    risk.code
                );
                not += 1;
                // Without any one of several needs it does not hold.
                let rules: usize =
                    objects.iter().filter_map(|object| object["rules"].as_array()).map(Vec::len).sum();
                if rules < 2 {
                    continue;
                }
                for (at, object) in objects.iter().enumerate() {
                    for rule in 0..object["rules"].as_array().map_or(0, Vec::len) {
                        let mut fewer = objects.clone();
                        fewer[at]["rules"].as_array_mut().unwrap().remove(rule);
                        let found = super::risk::found(&fewer, "1.36");
                        assert!(!codes(&found).contains(risk.code), "{} {scope} without {rule}", risk.code);
                        not += 1;
                    }
                }
            }
        }
    }
    assert!(triggered > 120 && not > 150, "{triggered} {not}");
}

#[test]
fn rights_for_names_are_told_as_that() {
    for risk in risks::all().iter().filter(|risk| risk.severity_in("named").is_some()) {
        let asks = risk.needs.iter().flatten().flatten();
        let Some(ask) = asks.clone().find(|ask| ask.names == Names::Some) else { continue };
        if risk.needs.iter().any(|all| all.len() > 1) {
            continue;
        }
        let rule = json!({
            "verbs": [ask.verbs[0]], "apiGroups": [ask.group], "resources": [ask.resources[0]],
            "resourceNames": ["one"],
        });
        let found = found(&bound("", "a", &user(), &[rule]), "1.36");
        let own = found.iter().find(|finding| finding.code == risk.code);
        let own = own.unwrap_or_else(|| panic!("{}", risk.code));
        assert_eq!((own.scope, own.severity), ("named", risk.severity_in("named").unwrap()), "{}", risk.code);
    }
}

#[test]
fn a_row_that_another_row_says_better_is_not_found() {
    let patch = json!({ "verbs": ["patch"], "apiGroups": [""], "resources": ["secrets"] });
    let get = json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["secrets"] });
    assert!(codes(&found(&bound("x", "a", &user(), std::slice::from_ref(&patch)), "1.36")).contains("S08"));
    assert!(!codes(&found(&bound("x", "a", &user(), &[patch, get]), "1.36")).contains("S08"));
}

#[test]
fn exec_by_get_up_to_134_and_constrained_impersonation_from_136() {
    let get = json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["pods/exec"] });
    let objects = bound("x", "a", &user(), &[get]);
    assert!(codes(&found(&objects, "1.34")).contains("P06"));
    assert!(!codes(&found(&objects, "1.35")).contains("P06"));
    let acts = json!({ "verbs": ["impersonate:user-info"], "apiGroups": ["authentication.k8s.io"], "resources": ["users"] });
    let objects = bound("", "a", &user(), &[acts]);
    assert!(codes(&found(&objects, "1.36")).contains("E08"));
    assert!(!codes(&found(&objects, "1.35")).contains("E08"));
}

#[test]
fn everyone_and_pods_raise_the_severity() {
    let rule = json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["secrets"] });
    let level = |objects: &[Value]| {
        found(objects, "1.36").into_iter().find(|finding| finding.code == "S04").unwrap().severity
    };
    let human = bound("x", "a", &user(), std::slice::from_ref(&rule)).to_vec();
    assert_eq!(level(&human), Level::Medium);
    let group = json!({ "apiGroup": RBAC, "kind": "Group", "name": "system:serviceaccounts" });
    assert_eq!(level(&bound("x", "a", &group, std::slice::from_ref(&rule))), Level::Critical);
    let account = json!({ "kind": "ServiceAccount", "namespace": "x", "name": "app" });
    let mut objects = bound("x", "a", &account, &[rule]).to_vec();
    assert_eq!(level(&objects), Level::Medium);
    let pod = |kind: &str, version: &str| {
        let spec = json!({ "serviceAccountName": "app", "containers": [{ "name": "c" }] });
        let spec = if kind == "Pod" { spec } else { json!({ "template": { "spec": spec } }) };
        json!({ "apiVersion": version, "kind": kind, "metadata": { "namespace": "x", "name": "p" }, "spec": spec })
    };
    objects.push(pod("Pod", "v1"));
    assert_eq!(level(&objects), Level::High);
    objects.push(pod("DaemonSet", "apps/v1"));
    assert_eq!(level(&objects), Level::Critical);
}

#[test]
fn whoever_may_do_everything_has_no_other_finding() {
    let everything = json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] });
    let found = found(&bound("", "a", &user(), &[everything]), "1.36");
    let own: BTreeSet<&str> =
        found.iter().filter(|finding| finding.object.is_none()).map(|finding| finding.code).collect();
    assert_eq!(own, BTreeSet::from(["W01"]));
}

fn of_shape(kind: &str, namespace: &str, role: (&str, &str), subject: Value) -> Value {
    let mut object = json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": { "name": "b" },
        "roleRef": { "apiGroup": RBAC, "kind": role.0, "name": role.1 }, "subjects": [subject],
    });
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

fn role(kind: &str, namespace: &str, name: &str, rules: Value) -> Value {
    let mut object = json!({ "apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": { "name": name }, "rules": rules });
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// Rows about objects as they are written: what has it, and what nearly has it.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_row_about_shapes_is_triggered_and_is_not() {
    let star = json!([{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }]);
    let get = json!([{ "verbs": ["get"], "apiGroups": [""], "resources": ["pods"] }]);
    let group = |name: &str| json!({ "apiGroup": RBAC, "kind": "Group", "name": name });
    let account = |name: &str| json!({ "kind": "ServiceAccount", "namespace": "x", "name": name });
    let crb = |subject: Value| of_shape("ClusterRoleBinding", "", ("ClusterRole", "r"), subject);
    let rb = |subject: Value| of_shape("RoleBinding", "x", ("ClusterRole", "r"), subject);
    let plain = role("ClusterRole", "", "r", get.clone());
    let all = role("ClusterRole", "", "r", star.clone());
    let edit = role("ClusterRole", "", "edit", get.clone());
    let bind_edit = |kind: &str, namespace: &str| of_shape(kind, namespace, ("ClusterRole", "edit"), user());
    let mut labelled = role("ClusterRole", "", "r", get.clone());
    labelled["metadata"]["labels"] = json!({ "rbac.authorization.k8s.io/aggregate-to-edit": "true" });
    let mut other_label = labelled.clone();
    other_label["metadata"]["labels"] = json!({ "rbac.authorization.k8s.io/aggregate-to-edit": "false" });
    let mut aggregated = role("ClusterRole", "", "taker", get.clone());
    aggregated["aggregationRule"] =
        json!({ "clusterRoleSelectors": [{ "matchLabels": { "into": "taker" } }] });
    let mut given = role(
        "ClusterRole",
        "",
        "given",
        json!([{ "verbs": ["list"], "apiGroups": [""], "resources": ["nodes"] }]),
    );
    given["metadata"]["labels"] = json!({ "into": "taker" });
    let aws_auth = |key: &str, text: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "aws-auth", "namespace": "kube-system" }, "data": { key: text } });
    let map = |arn: &str, group: &str| format!("- rolearn: {arn}\n  username: u\n  groups: [{group}]\n");
    let arn = "arn:aws:iam::111122223333:role/dev";
    let there = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "namespace": "x", "name": "there" } });
    let cases: Vec<(&str, Vec<Value>, Vec<Value>)> = vec![
        (
            "W05",
            vec![role(
                "ClusterRole",
                "",
                "r",
                json!([{ "verbs": ["*"], "apiGroups": [""], "resources": ["pods"] }]),
            )],
            vec![plain.clone()],
        ),
        ("B01", vec![all.clone(), crb(user())], vec![plain.clone(), crb(user())]),
        ("B02", vec![all.clone(), rb(user())], vec![all.clone(), crb(user())]),
        ("B03", vec![edit.clone(), bind_edit("RoleBinding", "x")], vec![plain.clone(), rb(user())]),
        (
            "B04",
            vec![plain.clone(), rb(group("system:unauthenticated"))],
            vec![plain.clone(), rb(group("system:authenticated"))],
        ),
        (
            "B05",
            vec![plain.clone(), rb(group("system:authenticated"))],
            vec![plain.clone(), rb(group("devs"))],
        ),
        ("B06", vec![plain.clone(), rb(group("system:masters"))], vec![plain.clone(), rb(group("devs"))]),
        (
            "B07",
            vec![plain.clone(), rb(group("system:serviceaccounts:x"))],
            vec![plain.clone(), rb(group("serviceaccounts"))],
        ),
        ("B08", vec![plain.clone(), rb(account("default"))], vec![plain.clone(), rb(account("app"))]),
        ("B09", vec![rb(user())], vec![plain.clone(), rb(user())]),
        (
            "B10",
            vec![plain.clone(), there.clone(), rb(account("ghost"))],
            vec![plain.clone(), there, rb(account("there"))],
        ),
        ("B11", vec![plain.clone()], vec![plain.clone(), rb(user())]),
        (
            "B13",
            vec![
                role("Role", "default", "r", get.clone()),
                of_shape("RoleBinding", "default", ("Role", "r"), user()),
            ],
            vec![plain.clone(), rb(user())],
        ),
        ("B14", vec![aggregated.clone(), given.clone()], vec![given]),
        ("B15", vec![labelled], vec![other_label]),
        ("B16", vec![plain.clone(), rb(group("system:nodes"))], vec![plain.clone(), rb(group("nodes"))]),
        (
            "I01",
            vec![aws_auth("mapRoles", &map(arn, "system:masters"))],
            vec![aws_auth("mapRoles", &map(arn, "masters"))],
        ),
        ("I03", vec![aws_auth("mapRoles", "- {")], vec![aws_auth("mapRoles", &map(arn, "devs"))]),
        (
            "I04",
            vec![aws_auth("mapRoles", &(map(arn, "a") + &map(arn, "b")))],
            vec![aws_auth("mapRoles", &map(arn, "a"))],
        ),
        (
            "I05",
            vec![aws_auth("mapRoles", &map("arn:aws:iam::111122223333:role/team/dev", "a"))],
            vec![aws_auth("mapRoles", &map(arn, "a"))],
        ),
        (
            "I06",
            vec![aws_auth("mapAccounts", "- \"111122223333\"\n")],
            vec![aws_auth("mapRoles", &map(arn, "a"))],
        ),
        (
            "I07",
            vec![plain.clone(), rb(group("devs")), aws_auth("mapRoles", &map(arn, "ops"))],
            vec![plain.clone(), rb(group("devs")), aws_auth("mapRoles", &map(arn, "devs"))],
        ),
    ];
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (code, has, has_not) in &cases {
        assert!(codes(&found(has, "1.36")).contains(code), "{code}: {:?}", codes(&found(has, "1.36")));
        assert!(!codes(&found(has_not, "1.36")).contains(code), "{code} of {has_not:?}");
        told.insert(code);
    }
    let judged: BTreeSet<&str> = risks::all()
        .iter()
        // I08 is among the rows that are joined.
        .filter(|risk| is_judged(risk) && matches!(risk.verdict, Verdict::Shape | Verdict::Mapping))
        .filter(|risk| risk.code != "I08")
        .map(|risk| risk.code)
        .collect();
    assert!(judged.is_subset(&told), "{:?}", judged.difference(&told));
}

#[test]
fn pods_and_arns_that_reach_everything() {
    let everything = json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] });
    let pods = json!({ "verbs": ["create"], "apiGroups": [""], "resources": ["pods"] });
    let account = |name: &str| json!({ "kind": "ServiceAccount", "namespace": "x", "name": name });
    let pod = |name: &str| {
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": "x", "name": name },
            "spec": { "serviceAccountName": name, "containers": [{ "name": "c" }] } })
    };
    let mut objects = bound("", "root", &account("strong"), &[everything]).to_vec();
    objects.extend(bound("x", "maker", &account("maker"), std::slice::from_ref(&pods)));
    objects.extend([pod("strong"), pod("maker"), pod("weak")]);
    let group = json!({ "apiGroup": RBAC, "kind": "Group", "name": "devs" });
    objects.extend(bound("x", "devs", &group, &[pods]));
    let text = "- rolearn: arn:aws:iam::111122223333:role/dev\n  username: dev\n  groups: [devs]\n";
    objects.push(json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "aws-auth", "namespace": "kube-system" }, "data": { "mapRoles": text } }));
    let found = found(&objects, "1.36");
    let of = |code: &str| -> Vec<&str> {
        found.iter().filter(|finding| finding.code == code).map(|finding| finding.subject.as_str()).collect()
    };
    assert_eq!(of("L01"), ["ServiceAccount x/strong"]);
    assert_eq!(of("L02"), ["ServiceAccount x/maker"]);
    assert_eq!(of("I02"), ["IAM arn:aws:iam::111122223333:role/dev"]);
    let devs = found.iter().find(|finding| finding.code == "P01" && finding.subject == "Group devs").unwrap();
    assert_eq!(devs.holders, ["arn:aws:iam::111122223333:role/dev"]);
}
