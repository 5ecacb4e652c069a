//! Rows that the search for paths judges, and rights joined with workloads, nodes and IAM roles: what has each, and what
//! nearly has it.

use std::collections::BTreeSet;

use rbacsim::ask::risk::{findings, is_judged};
use rbacsim::decide::cluster::Cluster;
use rbacsim::knowledge::risks::{self, Verdict};
use rbacsim::model::finding::{Finding, Level};
use serde_json::{Value, json};

use crate::paths::beyond::{
    annotated, aws_auth, export, iam_role, loaded, masters, may_assume, role_arn, trusts_account, trusts_own,
};
use crate::paths::{account, grant, namespace, pod, rule, workload};

/// The rows of the table below, each with how it is told and how it is not.
struct Row {
    code: &'static str,
    subject: &'static str,
    level: Level,
    has: Cluster,
    has_not: Cluster,
}

fn cluster(parts: &[&[Value]], iam: Option<&Value>) -> Cluster {
    loaded(&Value::Array(parts.concat()), iam, true)
}

fn of<'f>(found: &'f [Finding], code: &str) -> Vec<&'f Finding> {
    found.iter().filter(|finding| finding.code == code).collect()
}

fn everything() -> Value {
    rule(&["*"], "*", &["*"], &[])
}

fn container() -> Value {
    json!({ "name": "c" })
}

/// Workloads, nodes, operators.
fn in_the_cluster() -> Vec<Row> {
    let web = "ServiceAccount mine/web";
    let pods = rule(&["create"], "", &["pods"], &[]);
    let reads = rule(&["list"], "", &["secrets"], &[]);
    let on_web = |namespace: &str, rules: &[Value]| grant(namespace, "web", web, rules);
    let running = [account("mine", "web"), pod("mine", "p", "web", "", container())];
    let mut silent = running.clone();
    silent[1]["spec"]["automountServiceAccountToken"] = json!(false);
    let daemon = [account("mine", "web"), workload("DaemonSet", "mine", "agent", "web")];
    let once = [account("mine", "web"), workload("Deployment", "mine", "agent", "web")];
    let developer = grant("mine", "dev", "User dev", std::slice::from_ref(&pods));
    let writes = rule(&["create"], "argoproj.io", &["workflows"], &[]);
    let strong = |namespace: &str| {
        let mut objects = vec![account(namespace, "root")];
        objects.extend(grant("", "root", &format!("ServiceAccount {namespace}/root"), &[everything()]));
        objects
    };
    // One account writes bindings, the other may bind: only both together get everywhere.
    let rbac = "rbac.authorization.k8s.io";
    let binds = grant("", "bind", "ServiceAccount mine/a", &[rule(&["bind"], rbac, &["clusterroles"], &[])]);
    let makes = rule(&["create"], rbac, &["clusterrolebindings"], &[]);
    let makes = grant("", "make", "ServiceAccount mine/b", &[makes]);
    let both = |other: &str| {
        vec![
            account("mine", "a"),
            account("mine", "b"),
            namespace("mine", "restricted"),
            pod("mine", "p", "a", "node-1", container()),
            pod("mine", "q", "b", other, container()),
        ]
    };
    let (together, apart) = (both("node-1"), both("node-2"));
    let row =
        |code, subject, level, has: Cluster, has_not: Cluster| Row { code, subject, level, has, has_not };
    vec![
        row(
            "L01",
            web,
            Level::Critical,
            cluster(&[&running, &on_web("", &[everything()])], None),
            cluster(&[&running, &on_web("", std::slice::from_ref(&reads))], None),
        ),
        row(
            "L02",
            web,
            Level::Critical,
            cluster(&[&running, &on_web("strong", std::slice::from_ref(&pods)), &strong("strong")], None),
            cluster(&[&running, &on_web("other", std::slice::from_ref(&pods)), &strong("strong")], None),
        ),
        row(
            "L03",
            web,
            Level::High,
            cluster(&[&daemon, &on_web("", std::slice::from_ref(&reads))], None),
            cluster(&[&once, &on_web("", std::slice::from_ref(&reads))], None),
        ),
        row(
            "L04",
            "node node-1",
            Level::High,
            cluster(&[&together, &binds, &makes, &strong("else")], None),
            cluster(&[&apart, &binds, &makes, &strong("else")], None),
        ),
        row(
            "L06",
            web,
            Level::Info,
            cluster(&[&running, &on_web("", std::slice::from_ref(&reads))], None),
            cluster(&[&silent, &on_web("", std::slice::from_ref(&reads))], None),
        ),
        row(
            "P03",
            "User dev",
            Level::Critical,
            cluster(&[&[namespace("mine", "")], &developer], None),
            cluster(&[&[namespace("mine", "baseline")], &developer], None),
        ),
        row(
            "P14",
            "User dev",
            Level::Medium,
            cluster(
                &[&grant("mine", "dev", "User dev", std::slice::from_ref(&writes)), &strong("mine")],
                None,
            ),
            cluster(
                &[&grant("other", "dev", "User dev", std::slice::from_ref(&writes)), &strong("mine")],
                None,
            ),
        ),
    ]
}

/// Through IAM.
fn through_iam() -> Vec<Row> {
    let shop = "ServiceAccount mine/web";
    let annotated = [annotated("mine", "web", "pod")];
    let admits = export(&[iam_role("pod", &trusts_account("mine", "web"), &[])]);
    let other = export(&[iam_role("pod", &trusts_account("mine", "other"), &[])]);
    let mapped = [masters("pod")];
    let elsewhere = [masters("admin")];
    let allows = |actions: &[&str]| json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    let door = |actions: &[&str]| {
        export(&[
            iam_role("admin", &trusts_own(), &[]),
            iam_role("ci", &trusts_own(), &[allows(actions)]),
            iam_role("next", &trusts_own(), &[may_assume("none")]),
        ])
    };
    let open = door(&["eks:CreateAccessEntry", "eks:AssociateAccessPolicy"]);
    let closed = door(&["eks:ListAccessEntries"]);
    let session = |username: &str| {
        let row = format!("- rolearn: {}\n  username: {username}\n  groups: [devs]\n", role_arn("dev"));
        let mut objects = vec![aws_auth(&row)];
        objects.extend(grant("mine", "boss", "User boss", &[rule(&["get"], "", &["pods"], &[])]));
        cluster(&[&objects], None)
    };
    let developers = |namespace_of_bound: &str| {
        let row = format!("- rolearn: {}\n  username: dev\n  groups: [devs]\n", role_arn("dev"));
        let mut objects = vec![aws_auth(&row), account("mine", "root")];
        objects.extend(grant("", "root", "ServiceAccount mine/root", &[everything()]));
        let pods = rule(&["create"], "", &["pods"], &[]);
        objects.extend(grant(namespace_of_bound, "devs", "Group devs", &[pods]));
        cluster(&[&objects], None)
    };
    let row =
        |code, subject, level, has: Cluster, has_not: Cluster| Row { code, subject, level, has, has_not };
    vec![
        row(
            "I02",
            "IAM arn:aws:iam::111122223333:role/dev",
            Level::Critical,
            developers("mine"),
            developers("other"),
        ),
        row(
            "I08",
            "IAM arn:aws:iam::111122223333:role/dev",
            Level::High,
            session("\"{{SessionName}}\""),
            session("\"dev:{{SessionName}}\""),
        ),
        row(
            "I09",
            shop,
            Level::Info,
            cluster(&[&annotated], Some(&admits)),
            cluster(&[&annotated], Some(&other)),
        ),
        row(
            "I10",
            shop,
            Level::Critical,
            cluster(&[&annotated, &mapped], Some(&admits)),
            cluster(&[&annotated, &elsewhere], Some(&admits)),
        ),
        row(
            "I14",
            "IAM arn:aws:iam::111122223333:role/ci",
            Level::Medium,
            cluster(&[&elsewhere], Some(&open)),
            cluster(&[&elsewhere], Some(&closed)),
        ),
    ]
}

#[test]
fn every_row_that_is_joined_is_triggered_and_is_not() {
    let rows: Vec<Row> = in_the_cluster().into_iter().chain(through_iam()).collect();
    for row in &rows {
        let found = findings(&row.has);
        let own: Vec<&Finding> =
            of(&found, row.code).into_iter().filter(|own| own.subject == row.subject).collect();
        assert_eq!(own.len(), 1, "{}: {found:#?}", row.code);
        assert_eq!(own[0].severity, row.level, "{}: {:?}", row.code, own[0]);
        let found = findings(&row.has_not);
        let own: Vec<&Finding> =
            of(&found, row.code).into_iter().filter(|own| own.subject == row.subject).collect();
        assert!(own.is_empty(), "{}: {own:?}", row.code);
    }
    let told: BTreeSet<&str> = rows.iter().map(|row| row.code).collect();
    let all: BTreeSet<&str> = risks::all()
        .iter()
        .filter(|risk| {
            matches!(risk.verdict, Verdict::Path | Verdict::Objects) && is_judged(risk) && risk.code != "B10"
        })
        .map(|risk| risk.code)
        .collect();
    assert!(all.is_subset(&told), "{:?}", all.difference(&told));
}

/// Nothing of the catalogue is left out but what needs an audit log and what it says to drop.
#[test]
fn every_row_of_the_catalogue_is_judged() {
    let left: Vec<&str> = risks::all().iter().filter(|risk| !is_judged(risk)).map(|risk| risk.code).collect();
    for code in left {
        let verdict = risks::risk(code).unwrap().verdict;
        assert!(matches!(verdict, Verdict::Usage | Verdict::Drop), "{code}");
    }
}

/// What comes with Kubernetes is counted and not listed, unless somebody bound more to it; a name alone is nothing.
#[test]
fn the_platforms_own_are_left_out_unless_more_is_bound_to_them() {
    let reads = rule(&["list"], "", &["secrets"], &[]);
    let with = |binding: &str, who: &str| {
        let found = findings(&cluster(&[&grant("", binding, who, std::slice::from_ref(&reads))], None));
        found.iter().any(|own| own.code == "S01" && own.subject == who)
    };
    let own = "ServiceAccount kube-system/namespace-controller";
    assert!(!with("system:controller:namespace-controller", own));
    assert!(with("more", own));
    assert!(with("alb", "ServiceAccount kube-system/alb-ingress-controller"));
}
