//! Properties that hold in every cluster, asked of generated ones with awkward names; the graph against the model.
//!
//! A property that never meets an allow proves nothing, so every law counts its answers and fails if either is rare.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use rbacsim::decide::cluster::Cluster;
use rbacsim::decide::evaluate::{Decision, Grant};
use rbacsim::model::rbac::{Scope, Subject};
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::Completeness;
use serde_json::{Value, json};

use crate::ask::{Request, cluster_of};
use crate::model::{Model, rule_allows};

const NAMESPACES: [&str; 3] = ["ns1", "ns2", "default"];
const VERBS: [&str; 7] = ["get", "list", "create", "*", "Get", "get", "*"];
const GROUPS: [&str; 5] = ["", "apps", "*", "", "*"];
const RESOURCES: [&str; 11] =
    ["pods", "pods/log", "*/log", "*", "pods/*", "deployments", "*/*", "Pods", "*", "pods", "pods/exec"];
const OBJECT_NAMES: [&str; 3] = ["x", "", "*"];
const URLS: [&str; 6] = ["/x", "/x/*", "/x*", "*", "/y/**", "/x/*/y"];
const USERS: [&str; 4] = ["u", "*", "system:serviceaccount:ns1:sa", "system:serviceaccount:ns2:sa"];
const MEMBERS: [&str; 4] = ["g", "*", "u", "system:serviceaccounts:ns1"];
const ROLES: [&str; 3] = ["r", "a:b", "R"];

fn some(list: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(list, 1..=3).prop_shuffle()
}

fn names() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![4 => Just(Vec::new()), 1 => some(&OBJECT_NAMES)]
}

fn rule() -> impl Strategy<Value = Value> {
    (some(&VERBS), some(&GROUPS), some(&RESOURCES), names()).prop_map(|(verbs, groups, resources, names)| {
        json!({ "verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names })
    })
}

fn any_rule() -> impl Strategy<Value = Value> {
    let url = (some(&["get", "post", "*"]), some(&URLS))
        .prop_map(|(verbs, urls)| json!({ "verbs": verbs, "nonResourceURLs": urls }));
    prop_oneof![3 => rule(), 1 => url]
}

fn object(kind: &str, namespace: Option<&str>, name: &str, body: Value) -> Value {
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": { "name": name },
    });
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = namespace.into();
    }
    object.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    object
}

fn role() -> impl Strategy<Value = Value> {
    (select(&NAMESPACES), select(&ROLES), prop::collection::vec(rule(), 0..4))
        .prop_map(|(namespace, name, rules)| object("Role", Some(namespace), name, json!({ "rules": rules })))
}

/// A ClusterRole, one in three aggregated; own rules of those may be replaced, which `own` says.
fn cluster_role(own: bool) -> impl Strategy<Value = Value> {
    let labels = subsequence(&["a", "b"], 0..=2);
    let expression = select(&["In", "NotIn", "Exists", "DoesNotExist"]).prop_map(|operator| match operator {
        "In" | "NotIn" => {
            json!({ "matchExpressions": [{ "key": "a", "operator": operator, "values": ["1"] }] })
        }
        _ => json!({ "matchExpressions": [{ "key": "b", "operator": operator }] }),
    });
    let selector = prop_oneof![
        3 => select(&["a", "b"]).prop_map(|label| json!({ "matchLabels": { label: "1" } })),
        1 => expression,
    ];
    let selectors = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(selector, 1..3)];
    let rules = prop::collection::vec(any_rule(), 0..4);
    (select(&ROLES), rules, labels, selectors).prop_map(move |(name, rules, labels, selectors)| {
        let labels: Value = labels
            .iter()
            .map(|label| ((*label).to_owned(), json!("1")))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let aggregated = !selectors.is_empty();
        let rules = if aggregated && !own { Vec::new() } else { rules };
        let mut role = object("ClusterRole", None, name, json!({ "rules": rules }));
        role["metadata"]["labels"] = labels;
        if aggregated {
            role["aggregationRule"] = json!({ "clusterRoleSelectors": selectors });
        }
        role
    })
}

fn subject(cluster: bool) -> impl Strategy<Value = Value> {
    let account = (select(&["sa", "sb"]), prop::option::of(select(&["ns1", "ns2"])));
    prop_oneof![
        select(&USERS).prop_map(|name| json!({ "kind": "User", "name": name })),
        select(&MEMBERS).prop_map(|name| json!({ "kind": "Group", "name": name })),
        account.prop_map(move |(name, namespace)| match namespace {
            None if !cluster => json!({ "kind": "ServiceAccount", "name": name }),
            namespace => {
                json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace.unwrap_or("ns1") })
            }
        }),
    ]
}

fn binding() -> impl Strategy<Value = Value> {
    let scope = prop_oneof![1 => Just(None), 2 => select(&NAMESPACES).prop_map(Some)];
    scope.prop_flat_map(|namespace| {
        let cluster = namespace.is_none();
        let kinds: &[&str] = if cluster { &["ClusterRole"] } else { &["ClusterRole", "Role"] };
        let subjects = prop::collection::vec(subject(cluster), 0..5);
        (select(kinds), select(&ROLES), select(&["b", "c", "d", "e"]), subjects).prop_map(
            move |(role_kind, role, name, subjects)| {
                let kind = if cluster { "ClusterRoleBinding" } else { "RoleBinding" };
                let body = json!({ "roleRef": { "kind": role_kind, "name": role }, "subjects": subjects });
                object(kind, namespace, name, body)
            },
        )
    })
}

/// A few objects; some of the same name, of which the last counts.
pub(crate) fn objects(own: bool) -> impl Strategy<Value = Vec<Value>> {
    let any = prop_oneof![1 => role(), 2 => cluster_role(own).boxed(), 3 => binding()];
    prop::collection::vec(any, 8..20).prop_map(|mut objects| {
        one_role_ref_each(&mut objects);
        objects
    })
}

/// Gives each binding the roleRef of the first of its name: the API server would refuse another.
fn one_role_ref_each(objects: &mut [Value]) {
    let mut first: BTreeMap<String, Value> = BTreeMap::new();
    for object in objects {
        if object.get("roleRef").is_some() {
            let metadata = &object["metadata"];
            let key = format!("{} {} {}", object["kind"], metadata["namespace"], metadata["name"]);
            let own = object["roleRef"].clone();
            object["roleRef"] = first.entry(key).or_insert(own).clone();
        }
    }
}

fn user() -> impl Strategy<Value = UserInfo> {
    (select(&["u", "u", "*", "nobody", "system:serviceaccount:ns1:sa"]), subsequence(&MEMBERS, 0..=3))
        .prop_map(|(name, groups)| UserInfo::as_given(name, groups))
}

fn request() -> impl Strategy<Value = Request> {
    let resource = (
        select(&["get", "get", "list", "create", "*", "patch", ""]),
        select(&["", "", "apps", "*"]),
        select(&["pods", "pods", "deployments", "*", "Pods"]),
        prop_oneof![3 => Just(""), 2 => select(&["log", "*", "exec"])],
        prop_oneof![3 => Just(""), 1 => select(&["x", "*", "y"])],
        prop_oneof![1 => Just(""), 4 => select(&["ns1", "ns2", "default", "ns1"])],
    )
        .prop_map(|(verb, group, resource, subresource, name, namespace)| Request {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            path: None,
        });
    let url = (select(&["get", "post"]), select(&["/x", "/x/", "/x/a", "/xa", "/y/", "/y", "/x/*/y", "/"]))
        .prop_map(|(verb, path)| Request {
            verb: verb.to_owned(),
            path: Some(path.to_owned()),
            ..Request::default()
        });
    prop_oneof![5 => resource, 1 => url]
}

fn requests() -> impl Strategy<Value = Vec<(UserInfo, Request)>> {
    prop::collection::vec((user(), request()), 12)
}

pub(crate) fn stream(objects: &[Value]) -> String {
    objects.iter().flat_map(|object| ["---\n".to_owned(), object.to_string(), "\n".to_owned()]).collect()
}

fn load(objects: &[Value], completeness: Completeness) -> Cluster {
    let cluster = cluster_of(&[&stream(objects)], completeness);
    assert_eq!(
        (cluster.summary().refused, cluster.summary().unreadable),
        (0, 0),
        "{:?}",
        cluster.diagnostics()
    );
    cluster
}

fn complete(objects: &[Value]) -> Cluster {
    load(objects, Completeness::Complete)
}

fn decide<'g>(cluster: &'g Cluster, user: &UserInfo, request: &Request) -> Decision<'g> {
    let graph = cluster.graph();
    graph.authorize(&graph.asker(user), &request.attributes())
}

fn allows(cluster: &Cluster, user: &UserInfo, request: &Request) -> bool {
    decide(cluster, user, request).is_allowed()
}

/// How often a law met each answer.
#[derive(Default)]
struct Tally {
    yes: Cell<u32>,
    no: Cell<u32>,
}

impl Tally {
    fn count(&self, allowed: bool) -> bool {
        let counter = if allowed { &self.yes } else { &self.no };
        counter.set(counter.get() + 1);
        allowed
    }

    #[track_caller]
    fn both_are_common(&self) {
        let (yes, no) = (self.yes.get(), self.no.get());
        assert!(yes * 20 > no && no * 20 > yes, "{yes} yes and {no} no: one of them is rare");
    }
}

/// The same cases on every machine and day.
fn hold<S: Strategy>(strategy: S, law: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(&strategy, law) {
        panic!("{error}");
    }
}

#[test]
fn the_graph_agrees_with_the_model() {
    let tally = Tally::default();
    let missing = Cell::new(0);
    hold((objects(true), requests()), |(objects, requests)| {
        let (cluster, model) = (complete(&objects), Model::of(objects.iter().cloned()));
        for (user, request) in &requests {
            let (decision, verdict) = (decide(&cluster, user, request), model.decide(user, request));
            prop_assert_eq!(decision.is_allowed(), verdict.allowed, "{:?} {:?}", user, request);
            tally.count(verdict.allowed);
            if let Decision::NoOpinion(applied) = decision {
                let ours: BTreeSet<String> =
                    applied.iter().map(|applied| cluster.graph().not_found(applied)).collect();
                missing.set(missing.get() + ours.len());
                prop_assert_eq!(ours, verdict.missing);
            }
        }
        Ok(())
    });
    tally.both_are_common();
    assert!(missing.get() > 100, "only {} missing roles", missing.get());
}

#[test]
fn nothing_loaded_allows_nothing() {
    let tally = Tally::default();
    let nothing = complete(&[]);
    let strategy = (objects(true), requests(), prop::collection::vec(any::<bool>(), 12));
    hold(strategy, |(objects, requests, masters)| {
        let only = |kinds: [&str; 2]| {
            let kept = objects.iter().filter(|object| kinds.contains(&object["kind"].as_str().unwrap()));
            complete(&kept.cloned().collect::<Vec<_>>())
        };
        let roles = only(["Role", "ClusterRole"]);
        let bindings = only(["RoleBinding", "ClusterRoleBinding"]);
        for ((user, request), master) in requests.into_iter().zip(masters) {
            let mut user = user;
            if master {
                user.groups.push("system:masters".to_owned());
            }
            for cluster in [&nothing, &roles, &bindings] {
                prop_assert_eq!(tally.count(allows(cluster, &user, &request)), master);
            }
        }
        Ok(())
    });
    tally.both_are_common();
}

/// One object of each kind, namespace and name: the last.
fn without_duplicates(objects: &[Value]) -> Vec<Value> {
    let key = |object: &Value| {
        let metadata = &object["metadata"];
        (object["kind"].to_string(), metadata["namespace"].to_string(), metadata["name"].to_string())
    };
    let mut seen = BTreeSet::new();
    let mut kept: Vec<Value> =
        objects.iter().rev().filter(|object| seen.insert(key(object))).cloned().collect();
    kept.reverse();
    kept
}

/// Everything that an answer says of grants, as a set.
fn reasons(cluster: &Cluster, user: &UserInfo, request: &Request) -> BTreeSet<String> {
    let graph = cluster.graph();
    let grants = graph.grants(&graph.asker(user), &request.attributes());
    grants.allowing.iter().map(|grant| graph.allow_reason(grant).to_string()).collect()
}

#[test]
fn order_and_duplicates_of_objects_do_not_matter() {
    let tally = Tally::default();
    let shuffled = objects(true).prop_map(|objects| without_duplicates(&objects)).prop_flat_map(|objects| {
        (Just(objects.clone()), Just(objects).prop_shuffle(), any::<prop::sample::Index>())
    });
    hold((shuffled, requests()), |((objects, mut other, again), requests)| {
        let twice = other[again.index(other.len())].clone();
        other.insert(again.index(other.len()), twice);
        let (first, second) = (complete(&objects), complete(&other));
        prop_assert!(
            second.diagnostics().iter().all(|diagnostic| diagnostic.code.as_str() != "object-replaced")
        );
        for (user, request) in &requests {
            let allowed = allows(&first, user, request);
            prop_assert_eq!(tally.count(allowed), allows(&second, user, request));
            prop_assert_eq!(reasons(&first, user, request), reasons(&second, user, request));
        }
        Ok(())
    });
    tally.both_are_common();
}

#[test]
fn the_later_of_two_objects_counts() {
    let tally = Tally::default();
    hold((objects(true), requests()), |(objects, requests)| {
        let (all, last) = (complete(&objects), complete(&without_duplicates(&objects)));
        for (user, request) in &requests {
            prop_assert_eq!(tally.count(allows(&all, user, request)), allows(&last, user, request));
        }
        Ok(())
    });
    tally.both_are_common();
}

/// An aggregated role's own rules aside: a rule that it takes in replaces them.
#[test]
fn adding_never_takes_an_allow_away() {
    let tally = Tally::default();
    let gained = Cell::new(0);
    let more = (cluster_role(false), role(), binding(), any_rule(), rule(), select(&MEMBERS));
    hold((objects(false), more, requests()), |(objects, more, requests)| {
        let (mut cluster_role, mut role, mut binding, any_rule, rule, group) = more;
        let before = complete(&objects);
        let renamed = |object: &mut Value| object["metadata"]["name"] = "new".into();
        renamed(&mut cluster_role);
        renamed(&mut role);
        renamed(&mut binding);
        let mut with_rules = objects.clone();
        for object in &mut with_rules {
            let added = if object["kind"] == "ClusterRole" { &any_rule } else { &rule };
            if object.get("aggregationRule").is_none()
                && let Some(rules) = object.get_mut("rules").and_then(Value::as_array_mut)
            {
                rules.push(added.clone());
            }
        }
        let bigger = [cluster_role, role, binding]
            .into_iter()
            .map(|added| [&objects[..], &[added]].concat())
            .chain([with_rules])
            .map(|objects| complete(&objects));
        let bigger: Vec<Cluster> = bigger.collect();
        for (user, request) in &requests {
            let allowed = tally.count(allows(&before, user, request));
            for after in &bigger {
                let now = allows(after, user, request);
                prop_assert!(now || !allowed, "{:?} {:?}", user, request);
                gained.set(gained.get() + usize::from(now && !allowed));
            }
            let mut member = user.clone();
            member.groups.push(group.to_owned());
            prop_assert!(allows(&before, &member, request) || !allowed);
        }
        Ok(())
    });
    tally.both_are_common();
    assert!(gained.get() > 100, "only {} gained", gained.get());
}

#[test]
fn allowed_across_the_cluster_is_allowed_in_every_namespace() {
    let tally = Tally::default();
    hold((objects(true), requests()), |(objects, requests)| {
        let cluster = complete(&objects);
        for (user, request) in &requests {
            let everywhere = Request { namespace: String::new(), ..request.clone() };
            if tally.count(allows(&cluster, user, &everywhere)) {
                for namespace in ["ns1", "ns2", "default", "unheard-of"] {
                    let there = Request { namespace: namespace.to_owned(), ..request.clone() };
                    prop_assert!(allows(&cluster, user, &there), "{:?} {:?}", user, there);
                }
            }
        }
        Ok(())
    });
    tally.both_are_common();
}

/// Whether a grant is one: its subject is the user, its binding counts here, its rule allows the request.
fn holds(cluster: &Cluster, grant: &Grant<'_>, user: &UserInfo, request: &Request) -> bool {
    let policy = cluster.graph().policy();
    let text = |name| policy.names.text(name);
    let texts =
        |names: &[rbacsim::model::names::Name]| names.iter().map(|name| text(*name)).collect::<Vec<_>>();
    let subject = policy.subjects_of(grant.applied.binding)[grant.subject].subject;
    let applies = match subject {
        Subject::User(name) => user.username == text(name),
        Subject::Group(name) => user.in_group(text(name)),
        Subject::ServiceAccount { namespace, name } => {
            user.username == format!("system:serviceaccount:{}:{}", text(namespace), text(name))
        }
        Subject::Caller(arn) => user.caller.as_deref() == Some(text(arn)),
    };
    let counts = match grant.applied.binding.scope {
        Scope::Cluster => true,
        Scope::Namespace(namespace) => text(namespace) == request.namespace,
    };
    let rule = &grant.rule.rule;
    let rule = json!({
        "verbs": texts(rule.verbs), "apiGroups": texts(rule.api_groups), "resources": texts(rule.resources),
        "resourceNames": texts(rule.resource_names), "nonResourceURLs": texts(rule.non_resource_urls),
    });
    assert!(applies && counts, "a grant of somebody else, or of elsewhere");
    rule_allows(&rule, request)
}

#[test]
fn the_explanation_agrees_with_the_decision() {
    let tally = Tally::default();
    let aggregated = Cell::new(0);
    hold((objects(true), requests()), |(objects, requests)| {
        let cluster = complete(&objects);
        let graph = cluster.graph();
        for (user, request) in &requests {
            let asker = graph.asker(user);
            let grants = graph.grants(&asker, &request.attributes());
            let decision = graph.authorize(&asker, &request.attributes());
            prop_assert_eq!(tally.count(decision.is_allowed()), !grants.allowing.is_empty());
            for grant in &grants.allowing {
                prop_assert!(holds(&cluster, grant, user, request));
                let role = grant.applied.role.unwrap();
                let steps = graph.provenance(role, &grant.rule);
                // The hops lead from the role that is bound to the one in which the rule stands.
                let end = steps.last().map_or(role, |step| step.from);
                prop_assert_eq!((end.scope, end.name), (grant.rule.owner.scope, grant.rule.owner.name));
                aggregated.set(aggregated.get() + usize::from(!steps.is_empty()));
            }
            for (grant, mismatch) in &grants.refusing {
                prop_assert!(!holds(&cluster, grant, user, request) && !mismatch.is_none());
            }
            let (rules, missing) = graph.rules_for(&asker, &request.namespace);
            prop_assert_eq!(rules.len(), grants.allowing.len() + grants.refusing.len());
            prop_assert_eq!(missing.len(), grants.missing.len());
            match &decision {
                Decision::Allow(first) => {
                    let reason = graph.allow_reason(first).to_string();
                    prop_assert_eq!(reason, graph.allow_reason(&grants.allowing[0]).to_string());
                }
                Decision::NoOpinion(missing) => prop_assert_eq!(missing.len(), grants.missing.len()),
                Decision::Masters => prop_assert!(false, "nobody is a master here"),
            }
        }
        Ok(())
    });
    tally.both_are_common();
    assert!(aggregated.get() > 100, "only {} grants by aggregation", aggregated.get());
}

#[test]
fn the_short_answer_is_the_long_one() {
    let counts: [Cell<u32>; 3] = Default::default();
    hold((objects(true), requests()), |(objects, requests)| {
        for completeness in [Completeness::Complete, Completeness::Partial] {
            let cluster = load(&objects, completeness);
            let model = Model::of(objects.iter().cloned());
            let graph = cluster.graph();
            for (user, request) in &requests {
                let attributes = request.attributes();
                let short = graph.ternary(user, &graph.asker(user), &attributes, cluster.coverage());
                let long = graph.answer(user, &attributes, cluster.coverage());
                prop_assert_eq!(short, long.ternary);
                let verdict = model.decide(user, request);
                let expected = match (verdict.allowed, completeness) {
                    (true, _) => Ternary::Yes,
                    (false, Completeness::Partial) if !verdict.missing.is_empty() || verdict.aggregates => {
                        Ternary::Unknown
                    }
                    _ => Ternary::No,
                };
                prop_assert_eq!(short, expected);
                prop_assert_eq!(short == Ternary::Unknown, !long.doubts.is_empty());
                prop_assert!(short != Ternary::Yes || long.near.is_empty());
                let count = &counts[short as usize];
                count.set(count.get() + 1);
            }
        }
        Ok(())
    });
    assert!(counts.iter().all(|count| count.get() > 300), "{counts:?}");
}

/// What is written once as JSON, as a List and as YAML in blocks is the same cluster.
#[test]
fn the_form_of_the_input_does_not_matter() {
    let tally = Tally::default();
    hold((objects(true), requests()), |(objects, requests)| {
        let block = |object: &Value| ["---\n".to_owned(), serde_yaml::to_string(object).unwrap()];
        let blocks: String = objects.iter().flat_map(block).collect();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        let pretty = serde_json::to_string_pretty(&list).unwrap();
        let forms =
            [stream(&objects), blocks.clone(), blocks.replace('\n', "\r\n"), list.to_string(), pretty];
        let clusters: Vec<Cluster> =
            forms.iter().map(|form| cluster_of(&[form], Completeness::Complete)).collect();
        for (user, request) in &requests {
            let expected = reasons(&clusters[0], user, request);
            tally.count(!expected.is_empty());
            for cluster in &clusters[1..] {
                prop_assert_eq!(&reasons(cluster, user, request), &expected);
            }
        }
        Ok(())
    });
    tally.both_are_common();
}
