//! What comes nearest to a "no": one row for each slip in a rule, a subject, an aggregation or a roleRef.

use rbacsim::ask::can_i;
use rbacsim::ask::question::{self, Words};
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::decide::near::{NearMiss, NearSubject, SubjectSlip, Why};
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::Completeness;
use rbacsim::report::near::{near_sentence, subject_sentence};

use crate::ask::{aggregated, bind, cluster_of, role, u};

/// The answer to `VERB TYPE` in namespace `ns` for a user.
fn near(cluster: &Cluster, user: &UserInfo, asked: &str) -> (Ternary, Vec<String>, Vec<Why>) {
    let words: Vec<&str> = asked.split(' ').collect();
    let words = Words { namespace: Some("ns"), ..Words::of(&words, false).unwrap() };
    let question = question::read(&words, cluster).unwrap();
    let answered = can_i::answer(cluster, &Who::user(user.clone()), &question, None);
    let answer = &answered.answers[0];
    let whys = answer.near.iter().flat_map(|near| match near {
        NearMiss::Slips(_, slips) => slips.iter().map(|slip| slip.why).collect(),
        _ => Vec::new(),
    });
    let said = answer.near.iter().map(|near| near_sentence(cluster, near).0).collect();
    (answered.ternary, said, whys.collect())
}

#[track_caller]
fn slips_of(rule: &str, asked: &str) -> Vec<Why> {
    let texts = [role("r", &format!("[{rule}]")), bind("b", "ClusterRole r", "User u")].concat();
    let cluster = cluster_of(&[&texts], Completeness::Complete);
    let (ternary, _, whys) = near(&cluster, &u(), asked);
    assert_eq!(ternary, Ternary::No, "{asked} by {rule}");
    whys
}

#[test]
fn each_slip_in_a_rule_is_told() {
    let of = |groups: &str, resources: &str, verbs: &str| {
        format!("{{apiGroups: [{groups}], resources: [{resources}], verbs: [{verbs}]}}")
    };
    let core = "''";
    for (rule, asked, why) in [
        (of(core, "pod", "get"), "get pods", Why::Singular),
        (of(core, "Pods", "get"), "get pods", Why::Capitals),
        (of(core, "Pod", "get"), "get pods", Why::Kind),
        (of(core, "po", "get"), "get pods", Why::ShortName),
        (of("apps", "deploy", "get"), "get deployments", Why::ShortName),
        (of(core, "pdos", "get"), "get pods", Why::Similar),
        (of(core, "''", "get"), "get pods", Why::Empty),
        (of(core, "nodes, 'nodes/*'", "get"), "get nodes/metrics", Why::LiteralStar),
        (of(core, "'*/*'", "get"), "get pods/log", Why::LiteralStar),
        (of(core, "'pod*'", "get"), "get pods", Why::LiteralStar),
        (of(core, "'pods/*'", "get"), "get pods", Why::LiteralStar),
        (of(core, "pods/logs", "get"), "get pods/log", Why::Similar),
        (of(core, "pod/log", "get"), "get pods/log", Why::Singular),
        (of(core, "/pods", "get"), "get pods", Why::Slashes),
        (of("apps", "deployments.apps", "get"), "get deployments", Why::WithGroup),
        (of("apps/v1", "deployments", "get"), "get deployments", Why::WithVersion),
        (of("v1", "services", "get"), "get services", Why::WithVersion),
        (of("core", "endpoints", "get"), "get endpoints", Why::CoreGroup),
        (of("app", "daemonsets", "get"), "get daemonsets", Why::Similar),
        (of("Apps", "daemonsets", "get"), "get daemonsets", Why::Capitals),
        (of("networking", "ingresses", "get"), "get ingresses", Why::Beginning),
        (of("'*.k8s.io'", "ingresses", "get"), "get ingresses", Why::LiteralStar),
        (of("extensions", "deployments", "get"), "get deployments", Why::FormerGroup),
        (of(core, "pods", "GET"), "get pods", Why::Capitals),
        (of(core, "pods", "read"), "get pods", Why::NoApiVerb),
        (of(core, "pods", "describe"), "get pods", Why::NoApiVerb),
        (of(core, "pods/exec", "exec"), "create pods/exec", Why::NoApiVerb),
        (of(core, "pods", "all"), "delete pods", Why::NoApiVerb),
        (of(core, "pods", "'get*'"), "get pods", Why::LiteralStar),
        (of(core, "pods", "wacth"), "watch pods", Why::Similar),
        (of("example.com", "widget", "get"), "get widgets.example.com", Why::Singular),
    ] {
        assert_eq!(slips_of(&rule, asked), [why], "{asked} by {rule}");
    }
    let both = of("core", "pod", "read");
    assert_eq!(slips_of(&both, "get pods"), [Why::NoApiVerb, Why::CoreGroup, Why::Singular]);
}

#[test]
fn what_is_no_slip_is_not_taken_for_one() {
    let of = |groups: &str, resources: &str, verbs: &str| {
        format!("{{apiGroups: [{groups}], resources: [{resources}], verbs: [{verbs}]}}")
    };
    for (rule, asked) in [
        (of("''", "secrets", "get"), "get pods"),
        (of("''", "nodes", "get"), "get pods"),
        (of("''", "pods", "list"), "get pods"),
        (of("''", "pods/exec", "get"), "get pods/log"),
        (of("batch", "pods", "get"), "get pods"),
        (of("''", "services", "get"), "get pods"),
        (of("''", "'secrets/*'", "get"), "get pods/log"),
    ] {
        assert!(slips_of(&rule, asked).is_empty(), "{asked} by {rule}");
    }
}

#[test]
fn each_slip_in_a_url_is_told() {
    for (written, asked, why) in [
        ("/metrics/", "/metrics", Why::Slashes),
        ("metrics", "/metrics", Why::Slashes),
        ("//metrics", "/metrics", Why::Slashes),
        ("/metrics", "/metrics/", Why::Slashes),
        ("https://cluster.example.com/metrics", "/metrics", Why::WholeUrl),
        ("/Metrics", "/metrics", Why::Capitals),
        ("/metrics/*", "/metrics", Why::Below),
        ("/metrics", "/metrics/cadvisor", Why::OnlyItself),
        ("/met*cs", "/metrics", Why::LiteralStar),
        ("/metrcis", "/metrics", Why::Similar),
    ] {
        let rule = format!("{{nonResourceURLs: ['{written}'], verbs: [get]}}");
        assert_eq!(slips_of(&rule, &format!("get {asked}")), [why], "{asked} by {written}");
    }
    let other = "{nonResourceURLs: [/healthz], verbs: [get]}";
    assert!(slips_of(other, "get /metrics").is_empty());
}

fn said(texts: &[String], user: &UserInfo, asked: &str) -> Vec<String> {
    let cluster = cluster_of(&[&texts.concat()], Completeness::Complete);
    let (ternary, said, _) = near(&cluster, user, asked);
    assert_eq!(ternary, Ternary::No);
    said
}

#[test]
fn rules_of_the_other_kind_are_told() {
    let bound = bind("b", "ClusterRole r", "User u");
    let star = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
    let urls = said(&[role("r", star), bound.clone()], &u(), "get /metrics");
    assert!(urls[0].contains("grants no URL, even with `*`"), "{urls:?}");
    let all = "[{nonResourceURLs: ['*'], verbs: [get]}]";
    let resources = said(&[role("r", all), bound.clone()], &u(), "get pods");
    assert!(resources[0].contains("nonResourceURLs grant no resource"), "{resources:?}");
    let other = "[{apiGroups: [''], resources: [pods], verbs: ['*']}]";
    assert!(said(&[role("r", other), bound], &u(), "get /metrics").is_empty());
}

#[test]
fn a_star_among_resource_names_is_said_to_be_a_name() {
    let rule = "[{apiGroups: [''], resources: [pods], resourceNames: [a, 'web-*'], verbs: [get]}]";
    let near = said(&[role("r", rule), bind("b", "ClusterRole r", "User u")], &u(), "get pods/web-1");
    assert!(near[0].contains("only objects named a, web-*; `web-*` is a name like any other"), "{near:?}");
}

#[test]
fn an_aggregation_tells_what_it_nearly_takes_in() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";
    let services = "[{apiGroups: [''], resources: [services], verbs: [get]}]";
    let both = "[{matchLabels: {part: x, of: main}}]";
    let bound = || bind("b", "ClusterRole whole", "User u");
    let part = |labels: &str, rules: &str, name: &str| aggregated(name, labels, rules, "");
    let whole = || aggregated("whole", "{}", "[]", both);
    let taken = || part("{part: x, of: main}", services, "taken");
    // One of two labels; another value; a key that is misspelt.
    for (labels, missing) in
        [("{part: x}", "of=main"), ("{part: x, of: side}", "of=main"), ("{Part: x}", "part=x")]
    {
        let near = said(&[whole(), taken(), part(labels, pods, "left"), bound()], &u(), "get pods");
        let told = near.iter().any(|near| {
            near.contains("ClusterRole `left`") && near.contains(&format!("do not match `{missing}`"))
        });
        assert!(told, "{labels}: {near:?}");
    }
    let unrelated = said(&[whole(), taken(), part("{team: z}", pods, "left"), bound()], &u(), "get pods");
    assert!(!unrelated.iter().any(|near| near.contains("`left`")), "{unrelated:?}");
    // Its own rules give way to those that it takes in.
    let own = said(&[aggregated("whole", "{}", pods, both), taken(), bound()], &u(), "get pods");
    assert!(own[0].contains("the controller replaces its own rules"), "{own:?}");
    // A role that it takes from lacks a part.
    let outer = aggregated("outer", "{}", "[]", "[{matchLabels: {inner: yes-it-is}}]");
    let inner = aggregated("whole", "{inner: yes-it-is}", "[]", both);
    let texts =
        [outer, inner, taken(), part("{part: x}", pods, "left"), bind("b", "ClusterRole outer", "User u")];
    let nested = said(&texts, &u(), "get pods");
    assert!(nested.iter().any(|near| near.contains("is not aggregated into `whole`")), "{nested:?}");
}

#[test]
fn a_role_that_no_binding_grants_is_told() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";
    let near = said(&[role("ns/forgotten", pods)], &u(), "get pods");
    assert!(near[0].contains("Role `ns/forgotten`, rule 1, would allow this, but no binding"), "{near:?}");
    let bound = [role("ns/used", pods), bind("ns/b", "Role used", "User other")];
    let near = said(&bound, &u(), "get pods");
    assert!(!near.iter().any(|near| near.contains("no binding grants that role")), "{near:?}");
}

#[test]
fn a_missing_role_tells_which_was_meant() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";
    for (existing, granted, meant) in [
        ("other/reader", "Role reader", "Role `other/reader` (0.yaml:2) is in another namespace"),
        ("reader", "Role reader", "there is ClusterRole `reader` (0.yaml:2)"),
        ("ns/reader", "ClusterRole reader", "there is Role `ns/reader` (0.yaml:2)"),
        ("ns/reader", "Role raeder", "did you mean Role `ns/reader` (0.yaml:2)?"),
        ("reader", "ClusterRole Reader", "did you mean ClusterRole `reader` (0.yaml:2)?"),
    ] {
        let near = said(&[role(existing, pods), bind("ns/b", granted, "User u")], &u(), "get pods");
        assert!(near.iter().any(|near| near.contains(meant)), "{granted}: {near:?}");
    }
    let near = said(&[role("ns/writer", pods), bind("ns/b", "Role reader", "User u")], &u(), "get pods");
    assert!(near.iter().any(|near| near.ends_with("which does not exist")), "{near:?}");
}

/// What nearly names a user, where a binding in `ns` names this subject.
fn named(subject: &str, user: &UserInfo) -> Vec<(String, Option<(SubjectSlip, bool)>)> {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";
    let texts = [role("reader", pods), bind("ns/b", "ClusterRole reader", subject)].concat();
    let cluster = cluster_of(&[&texts], Completeness::Complete);
    let words = Words { verb: "get".into(), target: "pods", namespace: Some("ns"), ..Words::default() };
    let question = question::read(&words, &cluster).unwrap();
    let answered = can_i::explain(&cluster, &Who::user(user.clone()), &question, None);
    let of = |near: &NearSubject<'_>| {
        let slip = match near {
            NearSubject::Subject { why, allows, .. } => Some((*why, *allows)),
            _ => None,
        };
        (subject_sentence(&cluster, near).0, slip)
    };
    answered.subjects.iter().map(of).collect()
}

#[test]
fn each_slip_in_a_subject_is_told() {
    let account = UserInfo::service_account("ns", "bot");
    let user = UserInfo::as_given("dev:alice", ["team", "o'ps"]);
    for (subject, who, why) in [
        ("ServiceAccount default/bot", &account, SubjectSlip::OtherNamespace),
        ("Group system:serviceaccount:ns", &account, SubjectSlip::GroupForServiceAccount),
        ("Group system:serviceaccounts:ns:bot", &account, SubjectSlip::GroupForServiceAccount),
        ("Group system:serviceaccount:ns:bot", &account, SubjectSlip::GroupForServiceAccount),
        ("User ns:bot", &account, SubjectSlip::UserForServiceAccount),
        ("User bot", &account, SubjectSlip::UserForServiceAccount),
        ("User team", &user, SubjectSlip::UserForGroup),
        ("Group dev:alice", &user, SubjectSlip::GroupForUser),
        ("ServiceAccount ns/team", &user, SubjectSlip::ServiceAccountForUser),
        ("User dev:{{SessionName}}", &user, SubjectSlip::Template),
        ("Group ops", &user, SubjectSlip::Quotes),
        ("Group Team", &user, SubjectSlip::Capitals),
        ("Group a,team", &user, SubjectSlip::Commas),
        ("User dev:*", &user, SubjectSlip::LiteralStar),
        ("Group oidc:team", &user, SubjectSlip::Prefix),
        ("User dev:alcie", &user, SubjectSlip::Similar),
    ] {
        let found = named(subject, who);
        assert_eq!(found.iter().map(|(_, slip)| *slip).collect::<Vec<_>>(), [Some((why, true))], "{subject}");
    }
    for subject in ["User bob", "Group other", "Group tean-b", "ServiceAccount ns/other"] {
        assert!(named(subject, &user).is_empty() && named(subject, &account).is_empty(), "{subject}");
    }
    // Whoever may is not told what nearly names him.
    assert!(named("Group team", &user).is_empty());
}

#[test]
fn a_group_that_is_a_role_or_nearly_system_masters_is_told() {
    let found = named("User bob", &UserInfo::as_given("u", ["reader"]));
    assert!(found[0].0.contains("group `reader` is the name of ClusterRole `reader`"), "{found:?}");
    let found = named("User bob", &UserInfo::as_given("u", ["system:master"]));
    assert!(found[0].0.contains("`system:masters`"), "{found:?}");
}
