//! The long form of the access matrix: one test for each rule of what a row is.

use rbacsim::ask::matrix::{Filter, Holder, Matrix, Scratch};
use rbacsim::ask::matrix::{holder, preset};
use rbacsim::decide::cluster::Cluster;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use rbacsim::report::statement::Statement;
use rbacsim::report::{matrix_long, matrix_statement};
use serde_json::{Value, json};

pub(crate) fn load_text(text: &str, completeness: Completeness) -> Cluster {
    let input = Input::Text { name: "rbac.yaml".into(), bytes: text.as_bytes().to_vec() };
    let options =
        LoadOptions { defaults: Defaults::Never, completeness: Some(completeness), ..LoadOptions::default() };
    let cluster: Cluster = load(&[input], &options).unwrap().into();
    assert_eq!(cluster.summary().refused, 0, "{:?}", cluster.diagnostics());
    cluster
}

const API: &str = "apiVersion: rbac.authorization.k8s.io/v1";

pub(crate) fn cluster_role(name: &str, rules: &str) -> String {
    format!("{API}\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules: {rules}\n---\n")
}

pub(crate) fn cluster_binding(name: &str, role: &str, subject: &str) -> String {
    format!(
        "{API}\nkind: ClusterRoleBinding\nmetadata: {{name: {name}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\nsubjects: [{subject}]\n---\n"
    )
}

pub(crate) fn binding(namespace: &str, role: &str, subject: &str) -> String {
    format!(
        "{API}\nkind: RoleBinding\nmetadata: {{name: b-{role}, namespace: {namespace}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\nsubjects: [{subject}]\n---\n"
    )
}

pub(crate) const ALICE: &str = "{kind: User, name: alice}";
const EVERYTHING: &str =
    r#"[{verbs: ["*"], apiGroups: ["*"], resources: ["*"]}, {verbs: ["*"], nonResourceURLs: ["*"]}]"#;

fn csv_of(matrix: &Matrix<'_>, holders: &[Holder]) -> Vec<String> {
    let mut out = Vec::new();
    let count = matrix_long::csv(&mut out, matrix, holders, &mut |_, _| {}).unwrap().rows;
    let text = String::from_utf8(out).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(matrix_long::HEADER));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert_eq!(lines.len(), count);
    lines
}

fn csv(text: &str) -> Vec<String> {
    let cluster = load_text(text, Completeness::Complete);
    csv_of(&Matrix::new(&cluster, &Filter::default()), &holder::bound(&cluster))
}

/// The rows of user alice, without what is the same in each.
fn alice(text: &str) -> Vec<String> {
    csv(text).iter().filter_map(|row| row.strip_prefix("User,alice,alice,")).map(str::to_owned).collect()
}

fn has(rows: &[String], row: &str) -> bool {
    rows.iter().any(|own| own == row)
}

#[test]
fn a_cluster_role_binding_grants_everywhere_and_outside_namespaces() {
    let rules = r#"[{verbs: [get], apiGroups: [""], resources: [pods, nodes]}, {verbs: [get], nonResourceURLs: [/metrics]}]"#;
    let text = cluster_role("r", rules) + &cluster_binding("b", "r", ALICE);
    assert_eq!(alice(&text), [",,/metrics,get,", ",,nodes,get,", "*,,pods,get,"]);
}

#[test]
fn a_role_binding_grants_neither_urls_nor_cluster_scoped_types() {
    let rows = alice(&(cluster_role("all", EVERYTHING) + &binding("prod", "all", ALICE)));
    assert!(rows.iter().all(|row| row.starts_with("prod,")), "{rows:?}");
    assert!(!rows.iter().any(|row| row.contains("nodes") || row.contains('/') && row.contains("healthz")));
    let outside: Vec<&String> =
        rows.iter().filter(|row| row.contains("clusterrole") || row.contains(",namespaces")).collect();
    assert_eq!(
        outside,
        [
            "prod,,namespaces,delete,prod",
            "prod,,namespaces,get,prod",
            "prod,,namespaces,patch,prod",
            "prod,,namespaces,update,prod",
            "prod,,namespaces/finalize,update,prod",
            "prod,,namespaces/status,get,prod",
            "prod,,namespaces/status,patch,prod",
            "prod,,namespaces/status,update,prod",
            "prod,rbac.authorization.k8s.io,clusterroles,bind,",
        ]
    );
}

#[test]
fn a_namespace_is_granted_inside_itself_only_by_its_own_name() {
    let rule = |names: &str| {
        format!(
            "[{{verbs: [get, list], apiGroups: [''], resources: [namespaces], resourceNames: [{names}]}}]"
        )
    };
    let rows = |names: &str| alice(&(cluster_role("r", &rule(names)) + &binding("prod", "r", ALICE)));
    assert_eq!(rows("prod, other"), ["prod,,namespaces,get,prod"]);
    assert!(rows("other").is_empty());
    let everywhere = cluster_role("r", &rule("prod, other")) + &cluster_binding("b", "r", ALICE);
    assert_eq!(alice(&everywhere), [",,namespaces,get,other;prod", ",,namespaces,list,other;prod"]);
    // What is granted everywhere is not repeated.
    let both = everywhere + &binding("prod", "r", ALICE);
    assert_eq!(alice(&both).len(), 2);
}

#[test]
fn names_are_joined_sorted_and_dropped_where_any_name_is_granted() {
    let named = r#"[{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [tls, db]}, {verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [api, db]}]"#;
    let any = r#"[{verbs: [get], apiGroups: [""], resources: [secrets]}]"#;
    let text = cluster_role("named", named) + &cluster_role("any", any) + &binding("prod", "named", ALICE);
    assert_eq!(alice(&text), ["prod,,secrets,get,api;db;tls"]);
    let dropped = text.clone() + &binding("prod", "any", ALICE);
    assert_eq!(alice(&dropped), ["prod,,secrets,get,"]);
    // Names in one namespace, any name in another; what `*` covers is not repeated.
    let beside = text.clone() + &binding("dev", "any", ALICE);
    assert_eq!(alice(&beside), ["dev,,secrets,get,", "prod,,secrets,get,api;db;tls"]);
    let covered = text + &cluster_binding("b", "any", ALICE);
    assert_eq!(alice(&covered), ["*,,secrets,get,"]);
}

#[test]
fn a_namespace_repeats_no_name_that_is_granted_everywhere() {
    let one = r#"[{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [db]}]"#;
    let two = r#"[{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [db, tls]}]"#;
    let text = cluster_role("one", one)
        + &cluster_role("two", two)
        + &cluster_binding("b", "one", ALICE)
        + &binding("prod", "two", ALICE);
    assert_eq!(alice(&text), ["*,,secrets,get,db", "prod,,secrets,get,tls"]);
}

#[test]
fn what_is_granted_everywhere_is_not_repeated_for_a_namespace() {
    let rules = r#"[{verbs: [get], apiGroups: [""], resources: [pods]}]"#;
    let more = r#"[{verbs: [get, list], apiGroups: [""], resources: [pods]}]"#;
    let text = cluster_role("r", rules)
        + &cluster_role("more", more)
        + &cluster_binding("b", "r", ALICE)
        + &binding("prod", "more", ALICE);
    assert_eq!(alice(&text), ["*,,pods,get,", "prod,,pods,list,"]);
}

#[test]
fn odd_names_can_be_told_apart() {
    let rules = r#"[{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: ["", "a;b", 'c\d', "e,f"]}]"#;
    let text = cluster_role("r", rules) + &cluster_binding("b", "r", ALICE);
    assert_eq!(alice(&text), [r#"*,,secrets,get,""""";a\;b;c\\d;e,f""#]);
}

#[test]
fn wildcards_expand_and_keep_a_row_of_their_own() {
    let rows = alice(&(cluster_role("all", EVERYTHING) + &cluster_binding("b", "all", ALICE)));
    for row in [
        "*,*,*,*,",
        ",,*,*,",
        "*,,pods,get,",
        "*,,pods,*,",
        "*,,pods/exec,create,",
        ",,nodes/proxy,get,",
        "*,apps,deployments/scale,patch,",
        ",rbac.authorization.k8s.io,clusterroles,escalate,",
        ",,users,impersonate,",
        "*,,serviceaccounts/token,create,",
    ] {
        assert!(has(&rows, row), "{row}");
    }
    let some = r#"[{verbs: ["*"], apiGroups: [apps], resources: ["*/scale"]}, {verbs: [get], apiGroups: ["*"], resources: [pods]}]"#;
    let rows = alice(&(cluster_role("r", some) + &cluster_binding("b", "r", ALICE)));
    for row in [
        "*,apps,*/scale,*,",
        "*,apps,deployments/scale,get,",
        "*,apps,deployments/scale,*,",
        "*,*,pods,get,",
        "*,,pods,get,",
        "*,metrics.k8s.io,pods,get,",
    ] {
        assert!(has(&rows, row), "{row} in {rows:?}");
    }
    assert!(!rows.iter().any(|row| row.contains("autoscaling") || row.contains(",deployments,")));
}

#[test]
fn what_only_looks_like_a_wildcard_is_no_row() {
    let rules =
        r#"[{verbs: [get, "get*"], apiGroups: ["", "*.example.com"], resources: ["pods/*", "po*", pods]}]"#;
    let text = cluster_role("r", rules) + &cluster_binding("b", "r", ALICE);
    assert_eq!(alice(&text), ["*,,pods,get,"]);
    let cluster = load_text(&text, Completeness::Complete);
    let matrix = Matrix::new(&cluster, &Filter::default());
    assert_eq!(matrix.universe().matches_nothing, ["*.example.com", "get*", "po*", "pods/*"]);
}

#[test]
fn what_a_rule_names_is_known_with_its_verbs() {
    let rules = r"[{verbs: [frobnicate], apiGroups: [example.com], resources: [things, things/part]}]";
    let all =
        cluster_role("r", rules) + &cluster_role("all", EVERYTHING) + &cluster_binding("b", "all", ALICE);
    let rows = alice(&all);
    for row in [
        "*,example.com,things,frobnicate,",
        "*,example.com,things,list,",
        "*,example.com,things/part,frobnicate,",
        "*,example.com,things,*,",
    ] {
        assert!(has(&rows, row), "{row}");
    }
}

#[test]
fn masters_may_do_everything_though_no_binding_names_them() {
    let text = cluster_role("r", "[]") + &cluster_binding("b", "r", "{kind: Group, name: 'system:masters'}");
    let rows = csv(&text);
    for row in [
        "Group,system:masters,,*,*,*,*,",
        "Group,system:masters,,,,*,*,",
        "Group,system:masters,,*,,secrets,get,",
    ] {
        assert!(has(&rows, row), "{row}");
    }
}

#[test]
fn subjects_have_the_groups_that_the_api_server_adds() {
    let rule = |verb: &str| format!("[{{verbs: [{verb}], apiGroups: [''], resources: [pods]}}]");
    let text = cluster_role("get", &rule("get"))
        + &cluster_role("list", &rule("list"))
        + &cluster_role("watch", &rule("watch"))
        + &cluster_binding("b1", "get", "{kind: Group, name: 'system:authenticated'}")
        + &cluster_binding("b2", "list", "{kind: Group, name: 'system:serviceaccounts:prod'}")
        + &cluster_binding(
            "b3",
            "watch",
            "{kind: ServiceAccount, name: app, namespace: prod}, {kind: User, name: bob}, {kind: Group, name: ops}, {kind: User, name: 'system:anonymous'}, {kind: Group, name: 'system:unauthenticated'}",
        );
    assert_eq!(
        csv(&text),
        [
            "Group,ops,,*,,pods,get,",
            "Group,ops,,*,,pods,watch,",
            "Group,system:authenticated,,*,,pods,get,",
            "Group,system:serviceaccounts:prod,,*,,pods,get,",
            "Group,system:serviceaccounts:prod,,*,,pods,list,",
            "Group,system:unauthenticated,,*,,pods,watch,",
            "ServiceAccount,prod/app,system:serviceaccount:prod:app,*,,pods,get,",
            "ServiceAccount,prod/app,system:serviceaccount:prod:app,*,,pods,list,",
            "ServiceAccount,prod/app,system:serviceaccount:prod:app,*,,pods,watch,",
            "User,bob,bob,*,,pods,get,",
            "User,bob,bob,*,,pods,watch,",
            "User,system:anonymous,system:anonymous,*,,pods,watch,",
        ]
    );
}

#[test]
fn fields_are_quoted_where_csv_asks_for_it() {
    let subject = r#"{kind: User, name: "a,b \"c\"\nd"}"#;
    let rules = r#"[{verbs: [get], apiGroups: [""], resources: [pods]}]"#;
    let cluster =
        load_text(&(cluster_role("r", rules) + &cluster_binding("b", "r", subject)), Completeness::Complete);
    let mut out = Vec::new();
    let matrix = Matrix::new(&cluster, &Filter::default());
    matrix_long::csv(&mut out, &matrix, &holder::bound(&cluster), &mut |_, _| {}).unwrap();
    let text = String::from_utf8(out).unwrap();
    let quoted = "\"a,b \"\"c\"\"\nd\"";
    assert_eq!(text, format!("{}\nUser,{quoted},{quoted},*,,pods,get,\n", matrix_long::HEADER));
}

#[test]
fn filters_choose_columns_and_namespaces() {
    let text = cluster_role("all", EVERYTHING) + &cluster_binding("b", "all", ALICE);
    let text = text
        + &cluster_role("get", "[{verbs: [get], apiGroups: [''], resources: [pods]}]")
        + &binding("prod", "get", "{kind: User, name: bob}")
        + &binding("dev", "get", "{kind: User, name: bob}");
    let cluster = load_text(&text, Completeness::Complete);
    let pair = |group: &str, resource: &str| (group.to_owned(), resource.to_owned());
    let filter = Filter {
        verbs: Some(vec!["get".into(), "create".into()]),
        resources: Some(vec![
            pair("", "pods/exec"),
            pair("", "nodes"),
            pair("nowhere.io", "things"),
            pair("", "/foo"),
        ]),
        columns: None,
    };
    let rows = csv_of(&Matrix::new(&cluster, &filter), &holder::bound(&cluster));
    let alice: Vec<&str> = rows.iter().filter_map(|row| row.strip_prefix("User,alice,alice,")).collect();
    assert_eq!(
        alice,
        [
            ",,/foo,get,",
            ",,nodes,create,",
            ",,nodes,get,",
            "*,,pods/exec,create,",
            "*,,pods/exec,get,",
            "*,nowhere.io,things,create,",
            "*,nowhere.io,things,get,"
        ]
    );
    let matrix = Matrix::new(&cluster, &Filter { verbs: Some(vec!["get".into()]), ..filter });
    let rows = csv_of(&matrix.in_namespaces(["prod"]), &holder::bound(&cluster));
    assert_eq!(rows, ["User,alice,alice,*,,pods/exec,get,", "User,alice,alice,*,nowhere.io,things,get,"]);
    let pods =
        Filter { resources: Some(vec![pair("", "pods")]), verbs: Some(vec!["get".into()]), columns: None };
    let rows = csv_of(&Matrix::new(&cluster, &pods).in_namespaces(["prod"]), &holder::bound(&cluster));
    assert_eq!(rows, ["User,alice,alice,*,,pods,get,", "User,bob,bob,prod,,pods,get,"]);
}

const AWS_AUTH: &str = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - {rolearn: "arn:aws:iam::111122223333:role/dev", username: "dev:{{SessionName}}", groups: [devs]}
    - {rolearn: "arn:aws:iam::111122223333:role/idle", username: idle, groups: [nobody-binds-this]}
    - {rolearn: "arn:aws:iam::111122223333:role/team/path", username: path, groups: [devs]}
    - {rolearn: "arn:aws:iam::111122223333:role/node", username: "system:node:{{EC2PrivateDNSName}}", groups: ["system:nodes"]}
  mapAccounts: |
    - "444455556666"
---
"#;

fn arns() -> Cluster {
    load_text(&arns_text(), Completeness::Partial)
}

fn arns_text() -> String {
    let get = "[{verbs: [get], apiGroups: [''], resources: [pods]}]";
    let text = cluster_role("get", get)
        + &binding("prod", "get", "{kind: Group, name: devs}, {kind: Group, name: unmapped}")
        + &binding(
            "dev",
            "get",
            "{kind: User, name: 'dev:carol'}, {kind: User, name: 'arn:aws:iam::444455556666:user/eve'}",
        )
        + &binding("team", "not-here", "{kind: Group, name: devs}");
    text + AWS_AUTH
}

#[test]
fn an_arn_stands_for_its_user_with_all_groups() {
    let cluster = arns();
    let rows = csv_of(&Matrix::new(&cluster, &Filter::default()), &holder::mapped(&cluster));
    assert_eq!(
        rows,
        [
            "iam,arn:aws:iam::111122223333:role/dev,dev:{{SessionName}},prod,,pods,get,",
            "iam,arn:aws:iam::444455556666:user/eve,arn:aws:iam::444455556666:user/eve,dev,,pods,get,",
        ]
    );
}

#[test]
fn access_that_cannot_be_told_is_listed_apart() {
    let cluster = arns();
    let holders = holder::mapped(&cluster);
    let matrix = Matrix::new(&cluster, &Filter::default());
    assert_eq!(
        matrix_statement::unknown_lines(&matrix, &holders),
        [
            "iam arn:aws:iam::111122223333:role/dev in dev: if the session name is `carol`, RoleBinding `dev/b-get` of ClusterRole `get` applies (rbac.yaml:15)",
            "iam arn:aws:iam::111122223333:role/dev in team: RoleBinding `team/b-not-here` grants ClusterRole `not-here`, which is not in the inputs (rbac.yaml:21)",
            // No input holds the role `system:node`: the Node authorizer is there without it.
            "iam arn:aws:iam::111122223333:role/node anywhere: the Node authorizer decides, from live objects; at most what ClusterRole `system:node` lists",
        ]
    );
    let complete = load_text("{}", Completeness::Complete);
    assert!(matrix_statement::unknown_lines(&Matrix::new(&complete, &Filter::default()), &[]).is_empty());
}

#[test]
fn the_statement_says_what_the_matrix_rests_on() {
    let cluster = arns();
    let mut holders = holder::mapped(&cluster);
    let before = holders.len();
    let left_out = holder::without_system(&cluster, &mut holders);
    assert_eq!((left_out.count, before - holders.len()), (1, 1), "the node role");
    let matrix = Matrix::new(&cluster, &Filter::default());
    let statement = Statement::of(&matrix, &holders, left_out);
    let document = matrix_statement::document(&matrix, &statement, 2);
    let texts = |field: &str| -> Vec<String> {
        let list = document[field].as_array().unwrap();
        list.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        texts("missingRoles"),
        ["RoleBinding `team/b-not-here` grants ClusterRole `not-here`, which is not in the inputs"]
    );
    assert_eq!(
        texts("mappingsInError"),
        [
            "`arn:aws:iam::111122223333:role/team/path` in mapRoles matches no caller: it has a role path, which caller ARNs never have; write `arn:aws:iam::111122223333:role/path`"
        ]
    );
    assert_eq!(
        texts("mappedButBoundNowhere"),
        [
            "arn:aws:iam::111122223333:role/idle: user `idle`, groups `nobody-binds-this`",
            "arn:aws:iam::111122223333:role/node: user `system:node:{{EC2PrivateDNSName}}`, groups `system:nodes`",
        ]
    );
    assert_eq!(texts("boundButNotMapped"), ["group `unmapped`, named by RoleBinding `prod/b-get`"]);
    assert_eq!(document["completeness"], "partial");
    assert_eq!(document["rows"], 2);
    assert_eq!(document["leftOut"]["count"], 1);
    assert_eq!(document["counts"]["roleBindings"], 3);
}

#[test]
fn system_subjects_are_left_out_and_counted_and_odd_ones_named() {
    let get = "[{verbs: [get], apiGroups: [''], resources: [pods]}]";
    let text = cluster_role("get", get)
        + &cluster_binding(
            "wide-open",
            "get",
            "{kind: Group, name: 'system:authenticated'}, {kind: ServiceAccount, name: aws-node, namespace: kube-system}, {kind: ServiceAccount, name: autoscaler, namespace: kube-system}",
        )
        + &cluster_binding("system:basic-user", "get", "{kind: Group, name: 'system:nodes'}")
        + &cluster_binding("eks", "get", "{kind: User, name: 'eks:node-manager'}");
    let cluster = load_text(&text, Completeness::Complete);
    let mut holders = holder::bound(&cluster);
    let left_out = holder::without_system(&cluster, &mut holders);
    let kept: Vec<&str> = holders.iter().map(|holder| holder.identity.as_str()).collect();
    assert_eq!(kept, ["kube-system/autoscaler"]);
    assert_eq!(left_out.count, 4);
    assert_eq!(
        left_out.bound_by_inputs,
        ["Group system:authenticated", "ServiceAccount kube-system/aws-node", "User eks:node-manager"]
    );
}

#[test]
fn all_machine_formats_hold_the_same_rows_and_json_its_grants() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/quickstart");
    let cluster: Cluster = load(&[Input::Path(path)], &LoadOptions::default()).unwrap().into();
    let mut holders = holder::mapped(&cluster);
    holders.extend(holder::bound(&cluster));
    holder::sort(&mut holders);
    let matrix = Matrix::new(&cluster, &Filter::default());
    let rows = csv_of(&matrix, &holders);
    let (mut lines, mut whole) = (Vec::new(), Vec::new());
    matrix_long::ndjson(&mut lines, &matrix, &holders, &mut |_, _| {}).unwrap();
    matrix_long::json(&mut whole, &matrix, &holders, &json!({}), &mut |_, _| {}).unwrap();
    let lines: Vec<Value> =
        String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    let spell = |row: &Value| {
        let field = |name: &str| row[name].as_str().unwrap().to_owned();
        let names = row["resourceNames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        [
            field("identityKind"),
            field("identity"),
            field("username"),
            field("namespace"),
            field("apiGroup"),
            field("resource"),
            field("verb"),
            matrix_long::join_names(names),
        ]
    };
    let of_lines: Vec<[String; 8]> = lines.iter().map(spell).collect();
    let of_whole: Vec<[String; 8]> = whole["rows"].as_array().unwrap().iter().map(spell).collect();
    assert_eq!(of_lines, of_whole);
    assert_eq!(of_lines.iter().map(|row| row.join(",")).collect::<Vec<_>>(), rows);
    assert!(of_lines.windows(2).all(|pair| pair[0] < pair[1]), "sorted, and each row once");
    assert!(rows.len() > 1000);
    // Every row has the grants that the explanation of its request has.
    let grants = whole["grants"].as_array().unwrap();
    let mut scratch = Scratch::default();
    for row in whole["rows"].as_array().unwrap() {
        let text = |name: &str| row[name].as_str().unwrap();
        let one = holders
            .iter()
            .find(|holder| {
                holder.identity == text("identity") && holder.kind.as_str() == text("identityKind")
            })
            .unwrap();
        let own = row["grants"].as_array().unwrap();
        assert!(one.is_master() || !own.is_empty(), "{row}");
        for number in own {
            let grant = &grants[usize::try_from(number.as_u64().unwrap()).unwrap()];
            let kind = grant["binding"]["kind"].as_str().unwrap();
            let outside = matches!(text("namespace"), "" | "*");
            assert_eq!(kind == "ClusterRoleBinding", outside, "{row} {grant}");
        }
    }
    let counted: usize = holders.iter().map(|holder| matrix.count(holder, &mut scratch)).sum();
    assert_eq!(counted, rows.len());
}

/// Two whom one binding names share its rules, and each is named as itself.
#[test]
fn the_grants_of_a_row_name_the_subject_that_its_holder_is() {
    let text = r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: read}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: read}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read}, subjects: [{kind: User, name: ann}, {kind: Group, name: devs}, {kind: User, name: bob}]}
"#;
    let cluster = load_text(text, Completeness::Complete);
    let mut holders = holder::bound(&cluster);
    holder::sort(&mut holders);
    let matrix = Matrix::new(&cluster, &Filter::default());
    let mut out = Vec::new();
    matrix_long::json(&mut out, &matrix, &holders, &json!({}), &mut |_, _| {}).unwrap();
    let whole: Value = serde_json::from_slice(&out).unwrap();
    let mut named = Vec::new();
    for row in whole["rows"].as_array().unwrap() {
        for number in row["grants"].as_array().unwrap() {
            let grant = &whole["grants"][usize::try_from(number.as_u64().unwrap()).unwrap()];
            named.push((row["identity"].as_str().unwrap(), grant["subject"]["name"].as_str().unwrap()));
        }
    }
    assert_eq!(named, [("devs", "devs"), ("ann", "ann"), ("bob", "bob")]);
}

#[test]
fn what_cannot_be_read_leaves_no_cell_a_no() {
    let text = arns_text() + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: [";
    let cluster = load_text(&text, Completeness::Complete);
    let matrix = Matrix::new(&cluster, &Filter::default());
    let holders = holder::bound(&cluster);
    assert!(holders.len() > 2);
    let lines = matrix_statement::unknown_lines(&matrix, &holders);
    let said = lines.iter().filter(|line| line.starts_with("anyone anywhere: a document could not be read"));
    assert_eq!(said.count(), 1, "{lines:?}");
    for holder in holders.iter().filter(|holder| !holder.is_master()) {
        let mut scratch = Scratch::default();
        let access = matrix.access(holder, &mut scratch);
        let unknown = matrix.unknown_blocks(holder, &matrix.unknown(holder), &mut scratch);
        let columns = u32::try_from(matrix.universe().columns().len()).unwrap();
        let is_open = |column| unknown.iter().any(|block| block.columns.contains(column));
        let is_no = |column: &u32| !is_open(*column) && !access.granted.contains_key(column);
        assert_eq!((0..columns).find(is_no), None, "{}", holder.identity);
    }
}

#[test]
fn an_arn_that_a_placeholder_could_become_cannot_be_told() {
    let text = arns_text().replace("role/dev\"", "role/${NAME}\"");
    let cluster = load_text(&text, Completeness::Complete);
    let who = cluster.identify("arn:aws:iam::111122223333:role/dev", None);
    let holder = holder::of_identity(&cluster, "arn:aws:iam::111122223333:role/dev", who);
    let matrix = Matrix::new(&cluster, &Filter::default());
    assert_eq!(
        matrix_statement::unknown_lines(&matrix, &[holder]),
        [
            "iam arn:aws:iam::111122223333:role/dev anywhere: the entry `arn:aws:iam::111122223333:role/${NAME}` has an unfilled placeholder and may map this identity"
        ]
    );
}

#[test]
fn a_role_that_aggregates_nothing_cannot_be_told_where_it_may_exist() {
    let text = std::fs::read_to_string("testdata/scenarios/aggregation-of-nothing/rbac.yaml").unwrap();
    for (completeness, said) in [(Completeness::Partial, 2), (Completeness::Complete, 0)] {
        let cluster = load_text(&text, completeness);
        let matrix = Matrix::new(&cluster, &Filter::default());
        let lines = matrix_statement::unknown_lines(&matrix, &holder::bound(&cluster));
        let about =
            lines.iter().filter(|line| line.contains("which aggregates other ClusterRoles, but none"));
        assert_eq!(about.count(), said, "{lines:?}");
    }
}

#[test]
fn a_path_that_no_rule_names_has_a_column_where_it_is_asked_for() {
    let text = cluster_role("docs", "[{verbs: [get], nonResourceURLs: ['/openapi*']}]")
        + &cluster_binding("docs", "docs", "{kind: User, name: ann}");
    let cluster = load_text(&text, Completeness::Complete);
    let resources = Some(vec![(String::new(), "/openapi/v3".to_owned())]);
    let rows =
        csv_of(&Matrix::new(&cluster, &Filter { resources, ..Filter::default() }), &holder::bound(&cluster));
    assert!(rows.contains(&"User,ann,ann,,,/openapi/v3,get,".to_owned()), "{rows:?}");
}

#[test]
fn of_some_namespaces_only_cluster_scoped_columns_that_were_asked_for_are_shown() {
    let text = cluster_role("nodes", "[{verbs: [get], apiGroups: [''], resources: [nodes]}]")
        + &cluster_binding("nodes", "nodes", "{kind: User, name: ann}");
    let cluster = load_text(&text, Completeness::Complete);
    let of_prod = || Matrix::new(&cluster, &Filter::default()).in_namespaces(["prod"]);
    let row = "User,ann,ann,,,nodes,get,".to_owned();
    assert!(!csv_of(&of_prod(), &holder::bound(&cluster)).contains(&row));
    assert!(csv_of(&of_prod().with_cluster_scope(), &holder::bound(&cluster)).contains(&row));
}

#[test]
fn a_preset_about_one_object_shows_access_to_no_other() {
    let text = cluster_role("write", "[{verbs: [update], apiGroups: [''], resources: [configmaps]}]")
        + &cluster_role(
            "other",
            "[{verbs: [update], apiGroups: [''], resources: [configmaps], resourceNames: [other]}]",
        )
        + &binding("prod", "write", "{kind: User, name: in-prod}")
        + &binding("kube-system", "write", "{kind: User, name: in-kube-system}")
        + &binding("kube-system", "other", "{kind: User, name: of-another}")
        + &cluster_binding("write", "write", "{kind: User, name: everywhere}");
    let cluster = load_text(&text, Completeness::Complete);
    let entries = preset::sensitive(cluster.version());
    let matrix = Matrix::new(&cluster, &preset::filter(&entries)).for_objects_of(&entries);
    let rows = csv_of(&matrix, &holder::bound(&cluster));
    let writers: Vec<&String> = rows.iter().filter(|row| row.contains(",configmaps,")).collect();
    assert_eq!(
        writers,
        [
            "User,everywhere,everywhere,*,,configmaps,update,",
            "User,in-kube-system,in-kube-system,kube-system,,configmaps,update,"
        ]
    );
}
