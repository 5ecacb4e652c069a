//! What inputs leave open is open on every surface: can-i, who-can, the matrix and review say unknown together.

use rbacsim::ask::can_i;
use rbacsim::ask::matrix::holder;
use rbacsim::ask::matrix::{Filter, Matrix, Scratch};
use rbacsim::ask::question::{self, Words};
use rbacsim::ask::who_can::who_can;
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, LoadOptions, load};

use serde_json::json;

use crate::ask::{aggregated, bind, role, text};

fn cluster(yaml: &str, completeness: Completeness) -> Cluster {
    let options = LoadOptions { completeness: Some(completeness), ..LoadOptions::default() };
    load(&[text("0.yaml", yaml)], &options).unwrap().into()
}

/// What can-i, who-can, the matrix and review say of user `u` in namespace `ns`.
fn surfaces(cluster: &Cluster, verb: &str, target: &str) -> [Ternary; 4] {
    let words = Words { verb: verb.into(), target, namespace: Some("ns"), ..Words::default() };
    let question = question::read(&words, cluster).unwrap();
    let user = UserInfo::authenticated("u", [""; 0]);
    let can_i = can_i::ternary(cluster, &Who::user(user.clone()), &question, None);

    let found = who_can(cluster, &question);
    let is_u = |kind: &str, name: &str| kind == "User" && name == "u";
    let certain = found.subjects.iter().any(|can| is_u(can.subject.kind, &can.subject.name));
    let doubtful = found.unknown_subjects.iter().map(|can| &can.subject);
    let unresolved = found.unresolved.iter().flat_map(|unresolved| &unresolved.subjects);
    let in_source_form = found.in_source_form.iter().map(|(named, _)| named);
    let open = !found.unread.is_empty()
        || found.nothing_read
        || doubtful.chain(unresolved).chain(in_source_form).any(|named| is_u(named.kind, &named.name));
    let who_can = match (certain, open) {
        (true, _) => Ternary::Yes,
        (false, true) => Ternary::Unknown,
        (false, false) => Ternary::No,
    };

    let object = &question.object;
    let filter = Filter {
        verbs: Some(vec![verb.to_owned()]),
        resources: Some(vec![(object.group.clone(), object.resource.clone())]),
        columns: None,
    };
    let matrix = Matrix::new(cluster, &filter);
    let holder = holder::of_user(cluster, user);
    let mut columns = 0..u32::try_from(matrix.universe().columns().len()).unwrap();
    let is_asked = |number: &u32| matrix.universe().column(*number).is_some_and(|(_, own)| own == verb);
    let column = columns.find(is_asked);
    let column = column.unwrap();
    let mut scratch = Scratch::default();
    let access = matrix.access(&holder, &mut scratch);
    let unknown = matrix.unknown_blocks(&holder, &matrix.unknown(&holder), &mut scratch);
    let in_matrix = if access.granted.contains_key(&column) {
        Ternary::Yes
    } else if unknown.iter().any(|block| block.columns.contains(column)) {
        Ternary::Unknown
    } else {
        Ternary::No
    };
    let asked = json!({
        "user": "u", "groups": ["system:authenticated"],
        "resourceAttributes": {
            "verb": verb, "group": object.group, "resource": object.resource, "namespace": "ns",
        },
    });
    let status = &super::recorded::review(cluster, &[&asked])[0]["status"];
    let review = match (status["allowed"] == true, status["evaluationError"].as_str()) {
        (true, _) => Ternary::Yes,
        (false, Some(error)) if error.starts_with("unknown: ") => Ternary::Unknown,
        (false, _) => Ternary::No,
    };
    [can_i, who_can, in_matrix, review]
}

#[test]
fn every_surface_leaves_open_what_the_inputs_leave_open() {
    let rule = |group: &str, resource: &str| {
        format!("[{{apiGroups: ['{group}'], resources: [{resource}], verbs: [get]}}]")
    };
    let view = bind("ns/b", "ClusterRole view", "User u");
    let parts = [
        aggregated("whole", "{}", "[]", "[{matchLabels: {part: x}}]"),
        aggregated("part", "{part: x}", &rule("", "services"), ""),
        bind("ns/b", "ClusterRole whole", "User u"),
    ]
    .concat();
    let things = role("r", &rule("example.com", "things")) + &bind("ns/b", "ClusterRole r", "User u");
    let everywhere = role("r", &rule("example.com", "things")) + &bind("b", "ClusterRole r", "User u");
    let issuers = role("r", &rule("cert-manager.io", "clusterissuers, issuers"))
        + &bind("ns/b", "ClusterRole r", "User u");
    let contested = [
        role("r", &rule("", "pods")),
        role("q", &rule("", "secrets")),
        bind("ns/b", "ClusterRole r", "User u"),
        bind("ns/b", "ClusterRole q", "User u"),
    ]
    .concat();
    let nested = bind("ns/b", "ClusterRole admin", "User u") + &bind("ns/b", "ClusterRole view", "User u");
    let unread = role("r", &rule("", "pods")) + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: [\n";
    let missing = bind("ns/b", "ClusterRole gone", "User u");
    let nothing = "{apiVersion: v1, kind: Namespace, metadata: {name: ns}}\n".to_owned();
    let (partial, complete) = (Completeness::Partial, Completeness::Complete);
    for (yaml, completeness, verb, target, expected) in [
        (&view, partial, "get", "certificates.cert-manager.io", Ternary::Unknown),
        (&view, partial, "get", "pods.metrics.k8s.io", Ternary::Unknown),
        (&view, partial, "delete", "pods", Ternary::No),
        (&view, partial, "get", "pods", Ternary::Yes),
        (&view, complete, "get", "pods.metrics.k8s.io", Ternary::No),
        (&parts, partial, "get", "pods", Ternary::Unknown),
        (&parts, partial, "get", "services", Ternary::Yes),
        (&parts, complete, "get", "pods", Ternary::No),
        (&things, partial, "get", "things.example.com", Ternary::Unknown),
        (&things, complete, "get", "things.example.com", Ternary::Yes),
        (&everywhere, partial, "get", "things.example.com", Ternary::Yes),
        (&issuers, partial, "get", "clusterissuers.cert-manager.io", Ternary::No),
        (&issuers, partial, "get", "issuers.cert-manager.io", Ternary::Yes),
        (&contested, complete, "get", "pods", Ternary::Unknown),
        (&contested, partial, "get", "secrets", Ternary::Unknown),
        (&unread, complete, "delete", "pods", Ternary::Unknown),
        (&missing, partial, "get", "pods", Ternary::Unknown),
        (&missing, complete, "get", "pods", Ternary::No),
        (&nothing, partial, "get", "pods", Ternary::Unknown),
        (&nothing, complete, "get", "pods", Ternary::No),
        (&nested, partial, "get", "pods", Ternary::Yes),
        (&nested, partial, "delete", "pods", Ternary::Unknown),
    ] {
        let cluster = cluster(yaml, completeness);
        let said = surfaces(&cluster, verb, target);
        // A review names its namespace, and the API server takes that as it is, whatever the scope of the type.
        let by_role_binding = yaml == &things || target == "clusterissuers.cert-manager.io";
        let of_review = if by_role_binding { Ternary::Yes } else { expected };
        assert_eq!(
            said,
            [expected, expected, expected, of_review],
            "{verb} {target}, {completeness:?}:\n{yaml}"
        );
    }
}

#[test]
fn every_surface_leaves_open_what_is_in_source_form() {
    let rule = |resource: &str| format!("[{{apiGroups: [''], resources: [{resource}], verbs: [get]}}]");
    let bound = |name: &str, role: &str| bind(&format!("ns/{name}"), role, "User u");
    let objects =
        [role("r", &rule("pods")), bound("b", "ClusterRole r"), role("q", &rule("secrets"))].concat();
    let elsewhere = [role("r", &rule("pods")), bind("x/b", "ClusterRole r", "User u")].concat();
    let certain = [objects.clone(), role("s", &rule("services")), bound("c", "ClusterRole s")].concat();
    let aggregating = [
        aggregated("whole", "{}", "[]", "[{matchLabels: {part: x}}]"),
        role("part", &rule("pods")),
        bound("b", "ClusterRole whole"),
    ]
    .concat();
    let patched = "patches: [{target: {kind: ClusterRole, name: r}, patch: '[{op: add, path: /rules/0/resources/-, value: nodes}]'}]";
    for (objects, kustomization, verb, target, expected) in [
        (&objects, "", "get", "pods", Ternary::Yes),
        (&objects, "namespace: ns", "get", "pods", Ternary::Yes),
        (&objects, "namespace: x", "get", "pods", Ternary::Unknown),
        (&objects, "namespace: x", "delete", "pods", Ternary::No),
        (&elsewhere, "namespace: ns", "get", "pods", Ternary::Unknown),
        (&elsewhere, "namespace: ns", "get", "secrets", Ternary::No),
        (&objects, "namePrefix: p-", "get", "pods", Ternary::Unknown),
        (&objects, patched, "get", "pods", Ternary::Unknown),
        (&objects, patched, "get", "secrets", Ternary::No),
        (&certain, patched, "get", "services", Ternary::Yes),
        (&aggregating, "commonLabels: {part: x}", "get", "pods", Ternary::Unknown),
        (&aggregating, "commonLabels: {part: z}", "delete", "pods", Ternary::Unknown),
    ] {
        let kustomization = format!("resources: [x.yaml]\n{kustomization}\n");
        let folder = crate::kustomize::tree(&[("x.yaml", objects), ("kustomization.yaml", &kustomization)]);
        let input = rbacsim::read::Input::Path(folder.path().to_owned());
        let options = LoadOptions { completeness: Some(Completeness::Partial), ..LoadOptions::default() };
        let cluster = load(&[input], &options).unwrap().into();
        let said = surfaces(&cluster, verb, target);
        assert_eq!(said, [expected; 4], "{verb} {target}: {kustomization}{objects}");
    }
}
