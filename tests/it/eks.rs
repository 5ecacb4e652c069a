//! What EKS adds to a cluster: where it is added, whom it binds, and who gets in without credentials.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::process::Command;

use rbacsim::ask::matrix::{Filter, Matrix, Scratch, holder};
use rbacsim::ask::question::{Place, Question, Request as Asked};
use rbacsim::ask::system::{self, LeftOut};
use rbacsim::ask::who_can::{SubjectAccess, WhoCan, who_can};
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::model::version::{KubernetesVersion, Platform};
use rbacsim::read::{Defaults, LoadOptions, Loaded, load};
use rbacsim::report::near as report;

use crate::ask::{Request, bind, role, text};

const AWS_AUTH: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\n\
    data:\n  mapRoles: |\n    - rolearn: arn:aws:iam::111122223333:role/nodes\n      \
    username: system:node:{{EC2PrivateDNSName}}\n      groups: [system:bootstrappers, system:nodes, 'system:node-proxier']\n    \
    - rolearn: arn:aws:iam::111122223333:role/windows\n      username: windows\n      groups: ['eks:kube-proxy-windows']\n";

fn loaded(content: &str, options: &LoadOptions) -> Loaded {
    load(&[text("in.yaml", content)], options).unwrap()
}

fn cluster(content: &str, defaults: Defaults, minor: u8) -> Cluster {
    let version = KubernetesVersion::from_minor(minor);
    loaded(content, &LoadOptions { defaults, version, ..LoadOptions::default() }).into()
}

#[test]
fn what_shows_a_cluster_of_eks() {
    let service_account = |metadata: &str| {
        format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: app, namespace: shop, {metadata}}}\n"
        )
    };
    let node = |metadata: &str, version: &str| {
        format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: node-1, {metadata}}}\nstatus: {{nodeInfo: {{kubeletVersion: {version}}}}}\n"
        )
    };
    let shows = [
        AWS_AUTH.to_owned(),
        service_account("annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/s'}"),
        service_account("labels: {eks.amazonaws.com/component: x}"),
        node("labels: {eks.amazonaws.com/nodegroup: a}", "v1.33.0"),
        node("labels: {a: b}", "v1.33.1-eks-113cf36"),
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop}\n".to_owned(),
        "apiVersion: eks.amazonaws.com/v1\nkind: NodeClass\nmetadata: {name: default}\n".to_owned(),
        role("r", "[{verbs: [get], apiGroups: [eks.amazonaws.com], resources: [nodeclasses]}]"),
        bind("b", "ClusterRole view", "User eks:node-manager"),
        "{\"cluster\": {\"name\": \"shop\", \"version\": \"1.33\"}}".to_owned(),
        "{\"terraform_version\": \"1.9\", \"resources\": [{\"type\": \"aws_eks_access_entry\", \"instances\": []}]}"
            .to_owned(),
    ];
    for content in shows {
        let loaded = loaded(&content, &LoadOptions::default());
        assert_eq!(loaded.platform, Platform::Eks, "{content}");
        assert!(loaded.summary.eks_added > 60, "{content}");
    }
    for content in [
        role("r", "[{verbs: [get], apiGroups: [apps], resources: [deployments]}]"),
        service_account("annotations: {note: 'see eks.amazonaws.com/role-arn'}"),
        node("labels: {a: b}", "v1.33.0"),
        role("r", "[{verbs: [get], apiGroups: [notreallyeks.amazonaws.com], resources: [x]}]"),
    ] {
        let loaded = loaded(&content, &LoadOptions::default());
        assert_eq!((loaded.platform, loaded.summary.eks_added), (Platform::Kubernetes, 0), "{content}");
        assert!(loaded.summary.defaults_added > 100, "{content}");
    }
}

#[test]
fn defaults_add_eks_as_they_are_told() {
    let added = |content: &str, defaults| {
        let summary = loaded(content, &LoadOptions { defaults, ..LoadOptions::default() }).summary;
        (summary.defaults_added > 100, summary.eks_added > 60)
    };
    let plain = role("r", "[]");
    assert_eq!(added(&plain, Defaults::Eks), (true, true));
    assert_eq!(added(&plain, Defaults::Auto), (true, false));
    assert_eq!(added(AWS_AUTH, Defaults::Auto), (true, true));
    assert_eq!(added(AWS_AUTH, Defaults::Always), (true, false));
    assert_eq!(added(AWS_AUTH, Defaults::Never), (false, false));
}

#[test]
fn an_export_of_eks_is_left_as_it_is() {
    let labelled = |name: &str| {
        role(name, "[]")
            .replace("name:", "labels: {kubernetes.io/bootstrapping: rbac-defaults}, uid: u, name:")
    };
    let mut export: String =
        ["cluster-admin", "admin", "edit", "view"].iter().map(|name| labelled(name)).collect();
    export.push_str("---\n");
    export.push_str(AWS_AUTH);
    let loaded = loaded(&export, &LoadOptions::default());
    assert_eq!((loaded.platform, loaded.summary.defaults_added), (Platform::Eks, 0));
    assert_eq!(loaded.policy.roles.len(), 4);
}

#[test]
fn an_object_of_the_inputs_takes_the_place_of_that_of_eks() {
    let own = role("eks:node-manager", "[{verbs: [get], apiGroups: [''], resources: [pods]}]");
    let cluster = cluster(&own, Defaults::Eks, 36);
    let manager = Who::user(UserInfo::authenticated("eks:node-manager", [""; 0]));
    let ask = |request: &str| cluster.answer(&manager, &Request::parse(request).attributes()).ternary;
    assert_eq!((ask("get pods @n"), ask("delete pods @n")), (Ternary::Yes, Ternary::No));
}

#[test]
fn groups_that_eks_binds_are_bound() {
    let eks = cluster(AWS_AUTH, Defaults::Auto, 36);
    let plain = cluster(AWS_AUTH, Defaults::Always, 36);
    let unbound = |cluster: &Cluster| {
        let holders = holder::mapped(cluster);
        holders.iter().filter(|holder| holder.is_bound_nowhere(cluster)).count()
    };
    assert_eq!((unbound(&eks), unbound(&plain)), (0, 2));
    let allowed = |group: &str, request: &str| {
        let who = Who::user(UserInfo::authenticated("x", [group]));
        let answer = eks.answer(&who, &Request::parse(request).attributes());
        answer.ternary == Ternary::Yes
    };
    for (group, request) in [
        ("system:node-proxier", "list endpointslices.discovery.k8s.io"),
        ("eks:kube-proxy-windows", "list endpointslices.discovery.k8s.io"),
        ("system:bootstrappers", "create certificatesigningrequests.certificates.k8s.io/selfnodeserver"),
        ("system:nodes", "create certificatesigningrequests.certificates.k8s.io/selfnodeserver"),
        ("eks:service-operations", "delete configmaps =aws-auth @kube-system"),
        ("eks:service-operations", "list pods @anywhere"),
    ] {
        assert!(allowed(group, request), "{group} {request}");
    }
    assert!(!allowed("eks:service-operations", "get secrets @anywhere"));
    assert!(!allowed("eks:service-operations", "delete configmaps =aws-auth @default"));
}

fn question(request: &str) -> Question {
    let Request { verb, group, resource, subresource, name, namespace, path } = Request::parse(request);
    Question::of_request(match path {
        Some(path) => Asked::NonResource { verb, path },
        None => Asked::Resource { verb, group, resource, subresource, name, namespace },
    })
}

fn subjects(found: &WhoCan<'_>) -> Vec<String> {
    found.subjects.iter().map(|can| format!("{} {}", can.subject.kind, can.subject.name)).collect()
}

#[test]
fn who_can_change_aws_auth_names_the_principals_of_eks() {
    let cluster = cluster(AWS_AUTH, Defaults::Auto, 36);
    let request = question("update configmaps =aws-auth @kube-system");
    let mut found = who_can(&cluster, &request);
    assert_eq!(
        subjects(&found),
        [
            "Group system:masters",
            "Group eks:service-operations",
            "ServiceAccount generic-garbage-collector",
            "ServiceAccount root-ca-cert-publisher",
            "User eks:addon-manager",
            "User eks:fargate-manager",
            "User eks:node-manager",
        ]
    );
    let policy = cluster.graph().policy();
    let place = |can: &SubjectAccess<'_>| {
        rbacsim::report::words::place(policy, can.grants.first().unwrap().applied.binding.source).to_string()
    };
    let places: Vec<String> = found.subjects.iter().map(place).collect();
    assert_eq!(places.iter().filter(|place| *place == "built in (EKS)").count(), 4, "{places:?}");
    assert_eq!(places.iter().filter(|place| *place == "built in (Kubernetes)").count(), 3, "{places:?}");
    let left_out = system::leave_out(&cluster, &mut found);
    // The identity is a node's, and unknown: these inputs hold no Role and no binding.
    assert_eq!(left_out, LeftOut { subjects: 6, identities: 1, ..LeftOut::default() });
    assert_eq!(subjects(&found), ["Group system:masters"]);
}

#[test]
fn exclude_system_keeps_ones_own_and_names_what_was_bound_besides() {
    let content = role("get", "[{verbs: [get], apiGroups: [''], resources: [secrets]}]")
        + &bind(
            "mine",
            "ClusterRole get",
            "User alice, User eks:mine, ServiceAccount kube-system/autoscaler, ServiceAccount kube-system/aws-node",
        )
        + "---\n"
        + AWS_AUTH
        + "  mapUsers: |\n    - userarn: arn:aws:iam::111122223333:user/alice\n      username: alice\n";
    let cluster = cluster(&content, Defaults::Auto, 36);
    let request = question("get secrets @n");
    let mut found = who_can(&cluster, &request);
    let before = found.subjects.len();
    let through: Vec<String> = found
        .identities
        .iter()
        .flat_map(|can| &can.through)
        .map(|at| found.subjects.get(*at).unwrap().subject.name.clone())
        .collect();
    assert_eq!(through, ["alice"]);
    let left_out = system::leave_out(&cluster, &mut found);
    assert_eq!(subjects(&found), ["Group system:masters", "ServiceAccount autoscaler", "User alice"]);
    assert_eq!(left_out.subjects, before - 3);
    assert_eq!(left_out.bound_by_inputs, ["ServiceAccount `kube-system/aws-node`", "User `eks:mine`"]);
    // Whoever is behind a subject is still behind it.
    let through: Vec<&str> = found
        .identities
        .iter()
        .flat_map(|can| &can.through)
        .map(|at| found.subjects.get(*at).unwrap().subject.name.as_str())
        .collect();
    assert_eq!(through, ["alice"]);
}

#[test]
fn who_is_left_out_of_two_lists_is_counted_once() {
    let secrets = |name: &str, names: &str| {
        role(name, &format!("[{{verbs: [get], apiGroups: [''], resources: [secrets]{names}}}]"))
    };
    let content = secrets("all", "")
        + &secrets("one", ", resourceNames: [db]")
        + &bind("here/all", "ClusterRole all", "User eks:mine")
        + &bind("there/one", "ClusterRole one", "User eks:mine");
    let cluster = cluster(&content, Defaults::Never, 36);
    let question = Question { place: Place::AllNamespaces, ..question("get secrets") };
    let mut found = who_can(&cluster, &question);
    assert_eq!(found.in_namespaces.len(), 2);
    let left_out = system::leave_out(&cluster, &mut found);
    assert_eq!((left_out.subjects, found.in_namespaces.len()), (1, 0));
    assert_eq!(left_out.bound_by_inputs, ["User `eks:mine`"]);
}

// Without credentials.

#[test]
fn anonymous_requests_get_three_paths_on_eks_from_1_32() {
    let open = role(
        "open",
        "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}, {verbs: ['*'], nonResourceURLs: ['*']}]",
    ) + &bind("open", "ClusterRole open", "User system:anonymous, Group system:unauthenticated");
    let anonymous = Who::user(UserInfo::as_given("system:anonymous", ["system:unauthenticated"]));
    let rows = [
        ("get /healthz", true),
        ("get /livez", true),
        ("get /readyz", true),
        ("get /healthz/etcd", false),
        ("get /version", false),
        ("get /metrics", false),
        ("get pods @n", false),
        ("create pods/exec @n", false),
    ];
    for (defaults, minor, closed) in [
        (Defaults::Eks, 32, true),
        (Defaults::Eks, 36, true),
        (Defaults::Eks, 31, false),
        (Defaults::Always, 36, false),
    ] {
        let cluster = cluster(&open, defaults, minor);
        for (request, is_open) in rows {
            let request = Request::parse(request);
            let expected = Ternary::from(is_open || !closed);
            let answer = cluster.answer(&anonymous, &request.attributes());
            assert_eq!(answer.ternary, expected, "1.{minor} {request:?}");
            assert_eq!(cluster.ternary(&anonymous, &request.attributes()), expected, "1.{minor} {request:?}");
            if expected == Ternary::No {
                let (said, _) = report::near_sentence(&cluster, answer.near.first().unwrap());
                assert!(said.starts_with("EKS answers requests without credentials with 401"), "{said}");
            }
        }
        // Somebody else is not concerned.
        let open = Who::user(UserInfo::authenticated("bob", ["system:unauthenticated"]));
        assert_eq!(cluster.answer(&open, &Request::parse("get pods @n").attributes()).ternary, Ternary::Yes);
        // Nor is the reason of the API server, which is asked about a user.
        let asker = cluster.graph().asker(&UserInfo::as_given("system:anonymous", [""; 0]));
        assert!(cluster.graph().authorize(&asker, &Request::parse("get pods @n").attributes()).is_allowed());
    }
}

#[test]
fn who_can_leaves_out_whoever_eks_lets_in_nowhere() {
    let open = role(
        "open",
        "[{verbs: [get], apiGroups: [''], resources: [pods]}, {verbs: [get], nonResourceURLs: ['*']}]",
    ) + &bind(
        "open",
        "ClusterRole open",
        "User system:anonymous, Group system:unauthenticated, User bob",
    );
    let closed = |minor: u8, request: &str| {
        let cluster = cluster(&open, Defaults::Eks, minor);
        let request = question(request);
        let found = who_can(&cluster, &request);
        let listed = subjects(&found)
            .iter()
            .filter(|name| name.contains("anonymous") || name.contains("unauth"))
            .count();
        (listed, found.closed_out.len())
    };
    assert_eq!(closed(36, "get pods @n"), (0, 2));
    assert_eq!(closed(31, "get pods @n"), (2, 0));
    assert_eq!(closed(36, "get /healthz"), (2, 0));
    assert_eq!(closed(36, "get /version"), (0, 2));
}

#[test]
fn the_matrix_of_who_has_no_credentials_is_three_paths() {
    let rows = |minor: u8| -> Vec<String> {
        let open = role("open", "[{verbs: [get], apiGroups: [''], resources: [pods]}]")
            + &bind("n/open", "ClusterRole open", "Group system:unauthenticated")
            + &bind("open", "ClusterRole open", "Group system:unauthenticated");
        let cluster = cluster(&open, Defaults::Eks, minor);
        let matrix = Matrix::new(&cluster, &Filter::default());
        let holders = holder::bound(&cluster);
        let group = holders.iter().find(|holder| holder.identity == "system:unauthenticated").unwrap();
        let access = matrix.access(group, &mut Scratch::default());
        let mut rows: Vec<String> = access
            .granted
            .keys()
            .map(|column| {
                let (cell, verb) = matrix.universe().column(*column).unwrap();
                format!("{verb} {}", cell.resource)
            })
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(36), ["get /healthz", "get /livez", "get /readyz"]);
    let before: Vec<String> = rows(31);
    assert!(
        before.contains(&"get pods".to_owned()) && before.contains(&"get /version".to_owned()),
        "{before:?}"
    );
}

// Through the binary.

fn run(args: &[&str]) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .args(["-f", "testdata/quickstart"])
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn who_can_says_how_many_it_leaves_out() {
    let (text, code) =
        run(&["who-can", "update", "configmaps/aws-auth", "-n", "kube-system", "--exclude-system"]);
    assert!(text.contains("note: left out as part of the system: 6 subjects\n"), "{text}");
    assert!(!text.contains("built in (EKS)") && code == 1, "{text}");
    let (text, _) = run(&["who-can", "update", "configmaps/aws-auth", "-n", "kube-system"]);
    assert!(text.contains("built in (EKS)") && !text.contains("left out"), "{text}");
    let (text, _) = run(&[
        "who-can",
        "update",
        "configmaps",
        "-n",
        "kube-system",
        "--exclude-system",
        "--defaults",
        "never",
    ]);
    assert!(text.contains("note: left out as part of the system: 1 IAM identity of nodes\n"), "{text}");
}

#[test]
fn the_version_of_a_question_decides_its_answer() {
    for (version, code) in [("1.31", 1), ("1.33", 0), ("1.34", 0)] {
        let (text, exit) = run(&[
            "can-i",
            "list",
            "resourceclaims.resource.k8s.io",
            "-n",
            "staging",
            "--as",
            "x",
            "--as-group",
            "developers",
            "--kubernetes-version",
            version,
        ]);
        // EKS has dynamic resource allocation on in 1.33.
        assert_eq!(exit, code, "{version}: {text}");
        let named = text.lines().filter(|line| !line.contains("default rules alone")).collect::<String>();
        assert_eq!(named.matches("1.3").count(), 1, "{text}");
    }
}
