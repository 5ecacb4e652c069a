//! A way to one thing: whoever looks for it alone finds what a whole search finds, and who gets there is known at once.

use rbacsim::ask::can_i;
use rbacsim::ask::indirect::who;
use rbacsim::ask::paths::{From, Gain, Gets, Search, Target, Traced, starts};
use rbacsim::ask::question::{Place, Question};
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::model::ternary::Ternary;
use serde_json::{Value, json};

use super::indirect::asked;
use super::{RBAC, account, all, cluster, from, grant, namespace, rule};

const TARGETS: [&str; 10] = [
    "cluster-admin",
    "node",
    "edit-aws-auth",
    "exec-everywhere",
    "read-all-secrets",
    "apps/a",
    "web/c",
    "namespace-admin web",
    "node *",
    "node node-1",
];

/// What leads to a target: how deep it is, by which steps; `None` beside a condition for what is only possible.
fn way(traced: &Traced<'_, '_>, target: &Target) -> Option<(Option<u16>, Vec<&'static str>)> {
    let ids = |reach| traced.steps(reach).into_iter().map(rbacsim::ask::paths::Step::id).collect();
    match (traced.to(target), traced.possibly_to(target)) {
        (Some(reach), _) => Some((Some(reach.depth), ids(&reach))),
        (None, Some(own)) => Some((None, ids(&own.reach))),
        (None, None) => None,
    }
}

/// Who gets to each target, and how: by a search that ends there, and by a whole one.
#[track_caller]
pub(super) fn ways_are_the_same(cluster: &Cluster, froms: &[From]) {
    for target in TARGETS.map(Target::read) {
        if !Search::new(cluster).knows(&target) {
            continue;
        }
        let gets = Search::of_large(cluster).who_gets_to(froms, &target);
        for (from, gets) in froms.iter().zip(gets) {
            // In a small cluster the search is whole.
            let (mut small, mut large) = (Search::new(cluster), Search::of_large(cluster));
            let (small, large) = (small.traced_to(from, &target, None), large.traced_to(from, &target, None));
            // What becomes of the sinks is told as far as a whole search tells it.
            assert_eq!(large.paths.sinks, small.paths.sinks, "{} to {target:?}", from.title);
            assert_eq!(large.paths.admin, small.paths.admin, "{} to {target:?}", from.title);
            let (whole, short) = (way(&small, &target), way(&large, &target));
            let of = |own: &Option<(Option<u16>, Vec<_>)>| own.as_ref().map(|(depth, _)| *depth);
            assert_eq!(of(&short), of(&whole), "{} to {target:?}: {short:?} {whole:?}", from.title);
            match (of(&whole), gets) {
                (None, Gets::Never) | (Some(None), Gets::Possibly) => {}
                (Some(Some(depth)), Gets::Certainly(most)) if depth <= most => {}
                _ => panic!("{} to {target:?}: {gets:?}, and {whole:?}", from.title),
            }
        }
    }
}

/// Who gets to where something is allowed, by a search of each start alone.
#[track_caller]
pub(super) fn indirect_is_the_same(cluster: &Cluster, question: &Question) {
    let can = |user: &rbacsim::model::user::UserInfo| {
        can_i::ternary(cluster, &Who::user(user.clone()), question, None) == Ternary::Yes
    };
    let here =
        |namespace: &str| namespace.is_empty() || question.place == Place::Namespace(namespace.to_owned());
    let attributes = question.single().unwrap().attributes(None);
    let mut expected = Vec::new();
    for from in starts(cluster).iter().filter(|from| !from.user.as_ref().is_some_and(can)) {
        let mut search = Search::new(cluster);
        let paths = search.paths(from, None);
        let gains = paths.reached.iter().chain(&paths.roles).filter(|own| match search.gain(own) {
            None => false,
            Some(Gain::User(user)) => can(&user),
            Some(Gain::Everything(namespace)) => here(&namespace),
            Some(Gain::Role(role, namespace)) => here(&namespace) && search.role_allows(role, &attributes),
        });
        expected.extend(gains.map(|own| own.depth).min().map(|depth| (depth, from.title.clone())));
    }
    expected.sort();
    let found: Vec<_> = who(cluster, question).into_iter().map(|own| (own.depth, own.from)).collect();
    assert_eq!(found, expected, "{question:?}");
}

/// One who may become somebody who may become cluster-admin.
fn two_steps() -> Value {
    let runs = [rule(&["create"], "", &["pods"], &[])];
    all(&[
        &[namespace("apps", "restricted"), account("apps", "a"), account("web", "b")],
        &grant("apps", "may", "User may", &runs),
        &grant("", "all", "ServiceAccount apps/a", &[rule(&["*"], "*", &["*"], &[])]),
    ])
}

#[test]
fn whoever_becomes_cluster_admin_has_every_other_target() {
    let cluster = cluster(&two_steps(), "1.36");
    let may = from(&cluster, "User may");
    for target in ["web/b", "namespace-admin web", "User somebody"] {
        let target = Target::read(target);
        let mut search = Search::new(&cluster);
        assert_eq!(way(&search.traced_to(&may, &target, None), &target).unwrap().0, Some(1), "{target:?}");
    }
    let gets = Search::new(&cluster).who_gets_to(&[may], &Target::read("web/b"));
    assert_eq!(gets, [Gets::Certainly(1)]);
}

#[test]
fn a_target_that_the_inputs_do_not_know_is_no_target() {
    let cluster = cluster(&two_steps(), "1.36");
    let search = Search::new(&cluster);
    let knows = |target: &str| search.knows(&Target::read(target));
    assert!(knows("apps/a") && knows("namespace-admin apps") && knows("node *") && knows("node"));
    assert!(!knows("apps/typo") && !knows("namespace-admin typo") && !knows("node typo") && !knows("typo"));
    assert!(!knows("arn:aws:iam::111122223333:role/typo"));
}

#[test]
fn a_start_is_no_way_to_itself() {
    let cluster = cluster(&two_steps(), "1.36");
    let (own, target) = (from(&cluster, "ServiceAccount apps/a"), Target::read("apps/a"));
    assert_eq!(way(&Search::new(&cluster).traced_to(&own, &target, None), &target), None);
    assert_eq!(Search::new(&cluster).who_gets_to(&[own], &target), [Gets::Never]);
}

/// An apply creates a binding under a name that rules allow, in the namespaces where no binding has it.
#[test]
fn a_binding_by_an_apply_is_new_where_its_name_is_free() {
    let applies = rule(&["create", "patch"], RBAC, &["rolebindings"], &["leader"]);
    let binds = rule(&["bind"], RBAC, &["clusterroles"], &["all"]);
    let mut objects = vec![namespace("apps", "restricted"), namespace("web", "restricted")];
    objects.extend(grant("", "may", "User may", &[applies, binds]));
    objects.extend(grant("", "all", "User nobody", &[rule(&["*"], "*", &["*"], &[])]));
    let reached = |objects: &[Value]| {
        let cluster = cluster(&all(&[objects]), "1.36");
        let paths = Search::of_large(&cluster).paths(&from(&cluster, "User may"), None);
        let admins = paths.reached.into_iter().filter(|own| own.identity.starts_with("namespace-admin "));
        admins.map(|own| own.identity).collect::<Vec<_>>()
    };
    let free = reached(&objects);
    assert!(
        free.contains(&"namespace-admin apps".to_owned()) && free.contains(&"namespace-admin web".to_owned())
    );
    objects.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": { "name": "leader", "namespace": "web" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "may" },
        "subjects": [],
    }));
    let taken = reached(&objects);
    assert!(
        taken.contains(&"namespace-admin apps".to_owned())
            && !taken.contains(&"namespace-admin web".to_owned())
    );
}

#[test]
fn who_gets_to_where_a_request_is_allowed_is_whom_each_search_finds() {
    let cluster = cluster(&two_steps(), "1.36");
    for (verb, resource, namespace) in
        [("delete", "nodes", ""), ("create", "pods", "web"), ("list", "secrets", "")]
    {
        indirect_is_the_same(&cluster, &asked(verb, resource, namespace));
    }
}
