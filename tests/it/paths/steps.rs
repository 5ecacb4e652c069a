//! One test a step: what it needs, what it gives, and what is not enough.

use super::*;

#[test]
fn impersonate_user_is_asked_in_the_cluster() {
    let bob = rule(&["impersonate"], "", &["users"], &["bob"]);
    let objects = all(&[&grant("", "a", MAY, std::slice::from_ref(&bob)), &grant("x", "b", NOT, &[bob])]);
    reaches(&objects, MAY, &["User bob 1 impersonate-user"]);
    reaches(&objects, NOT, &[]);
}

#[test]
fn impersonate_group_takes_a_username_and_all_groups_that_may_be_impersonated() {
    let users = rule(&["impersonate"], "", &["users"], &["bob"]);
    let groups = rule(&["impersonate"], "", &["groups"], &["red", "blue", "unbound"]);
    let objects = all(&[
        &grant("", "a", MAY, &[users, groups.clone()]),
        &grant("", "b", NOT, &[groups]),
        &grant("x", "c", "Group red", &[rule(&["create"], "", &["pods"], &[])]),
        &grant("", "d", "Group blue", &[rule(&["get"], "", &["nodes"], &[])]),
    ]);
    let expected = ["User bob + blue + red 1 impersonate-group", "ServiceAccount x/default 2 create-pod"];
    reaches(&objects, MAY, &expected);
    // Without a user the API server refuses the groups.
    reaches(&objects, NOT, &[]);
}

#[test]
fn impersonating_system_masters_is_cluster_admin() {
    let all_groups = rule(&["impersonate"], "", &["users", "groups"], &[]);
    reaches(&all(&[&grant("", "a", MAY, &[all_groups])]), MAY, &["cluster-admin 1 impersonate-group"]);
}

#[test]
fn impersonate_service_account_needs_no_object() {
    let ghost = rule(&["impersonate"], "", &["serviceaccounts"], &["ghost"]);
    let objects = all(&[
        &grant("x", "a", MAY, std::slice::from_ref(&ghost)),
        &grant("y", "b", NOT, &[ghost]),
        &grant("x", "c", "ServiceAccount x/ghost", &[rule(&["get"], "", &["pods"], &[])]),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/ghost 1 impersonate-service-account"]);
    reaches(&objects, NOT, &[]);
}

#[test]
fn create_token_needs_the_account() {
    let token = |name: &str| rule(&["create"], "", &["serviceaccounts/token"], &[name]);
    let objects = all(&[
        &[account("x", "robot")],
        &grant("x", "a", MAY, &[token("robot")]),
        &grant("x", "b", NOT, &[token("ghost"), rule(&["create"], "", &["serviceaccounts/*"], &[])]),
        &grant("x", "c", "ServiceAccount x/ghost", &[rule(&["get"], "", &["pods"], &[])]),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/robot 1 create-token"]);
    reaches(&objects, NOT, &[]);
}

#[test]
fn read_token_secret_by_every_verb_that_shows_it() {
    let secret = object(
        "v1",
        "Secret",
        "x",
        "t",
        json!({ "type": "kubernetes.io/service-account-token",
            "metadata": { "annotations": { "kubernetes.io/service-account.name": "robot" } } }),
    );
    for (verb, reads) in [
        ("get", true),
        ("list", true),
        ("watch", true),
        ("patch", true),
        ("deletecollection", true),
        ("update", false),
        ("delete", false),
        ("create", false),
    ] {
        for (name, is_it) in [("t", true), ("other", false)] {
            let objects = all(&[
                &[account("x", "robot"), secret.clone()],
                &grant("x", "a", MAY, &[rule(&[verb], "", &["secrets"], &[name])]),
            ]);
            let expected: &[&str] =
                if reads && is_it { &["ServiceAccount x/robot 1 read-token-secret"] } else { &[] };
            reaches(&objects, MAY, expected);
        }
    }
}

#[test]
fn mint_token_secret_takes_both_halves_of_anyone() {
    let (make, read) = (rule(&["create"], "", &["secrets"], &[]), rule(&["list"], "", &["secrets"], &[]));
    let objects = all(&[
        &[account("x", "robot")],
        &grant("x", "a", MAY, &[make.clone(), read.clone()]),
        &grant("x", "b", NOT, std::slice::from_ref(&make)),
        &grant("x", "c", "User reader", &[read]),
        &grant("x", "d", "User two", &[make]),
        &grant("", "e", "User two", &[rule(&["impersonate"], "", &["users"], &["reader"])]),
    ]);
    let both = ["ServiceAccount x/default 1 mint-token-secret", "ServiceAccount x/robot 1 mint-token-secret"];
    reaches(&objects, MAY, &both);
    reaches(&objects, NOT, &[]);
    reaches(
        &objects,
        "User two",
        &[
            "User reader 1 impersonate-user",
            "ServiceAccount x/default 2 mint-token-secret",
            "ServiceAccount x/robot 2 mint-token-secret",
        ],
    );
}

#[test]
fn create_pod_gives_every_account_of_the_namespace() {
    let objects = all(&[
        &[account("x", "robot"), account("y", "other")],
        &grant("x", "a", MAY, &[rule(&["create"], "", &["pods"], &[])]),
        &grant(
            "x",
            "b",
            NOT,
            &[
                rule(&["create"], "", &["pods"], &["p"]),
                rule(&["create"], "", &["pods/*", "podtemplates"], &[]),
            ],
        ),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/default 1 create-pod", "ServiceAccount x/robot 1 create-pod"]);
    reaches(&objects, NOT, &[]);
}

#[test]
fn create_workload_of_every_kind_in_its_group() {
    for (group, resource, starts) in [
        ("apps", "deployments", true),
        ("apps", "daemonsets", true),
        ("apps", "statefulsets", true),
        ("apps", "replicasets", true),
        ("batch", "jobs", true),
        ("batch", "cronjobs", true),
        ("", "replicationcontrollers", true),
        ("", "deployments", false),
        ("apps", "jobs", false),
        ("", "podtemplates", false),
    ] {
        let objects = all(&[&grant("x", "a", MAY, &[rule(&["create"], group, &[resource], &[])])]);
        let expected: &[&str] = if starts { &["ServiceAccount x/default 1 create-workload"] } else { &[] };
        reaches(&objects, MAY, expected);
    }
}

#[test]
fn change_workload_but_never_a_job() {
    for (kind, resource, group, changes) in [
        ("Deployment", "deployments", "apps", true),
        ("CronJob", "cronjobs", "batch", true),
        ("Job", "jobs", "batch", false),
    ] {
        let change = |name: &str| [rule(&["patch"], group, &[resource], &[name])];
        let mut object = workload(kind, "x", "w", "default");
        if kind == "CronJob" {
            object["spec"] = json!({ "jobTemplate": { "spec": object["spec"] } });
        }
        let objects =
            all(&[&[object], &grant("x", "a", MAY, &change("w")), &grant("x", "b", NOT, &change("v"))]);
        let expected: &[&str] = if changes { &["ServiceAccount x/default 1 change-workload"] } else { &[] };
        reaches(&objects, MAY, expected);
        reaches(&objects, NOT, &[]);
    }
}

/// Who may do something to pods of `x`, where `p` runs as `robot` on `n1`.
fn to_pods(verb: &str, resource: &str, container: Value, more: &[Value]) -> Value {
    let pods = [
        account("x", "robot"),
        pod("x", "p", "robot", "n1", container.clone()),
        pod("x", "f", "farther", "fargate-1", container),
    ];
    all(&[&pods, more, &grant("x", "a", MAY, &[rule(&[verb], "", &[resource], &["p"])])])
}

#[test]
fn change_pod_and_exec_give_the_token_and_a_privileged_pod_its_node() {
    let root = json!({ "name": "c", "securityContext": { "privileged": true } });
    let user = json!({ "name": "c", "securityContext": { "privileged": true, "runAsUser": 1000 } });
    for (verb, resource, step) in [("patch", "pods", "change-pod"), ("create", "pods/exec", "exec")] {
        let token = format!("ServiceAccount x/robot 1 {step}");
        let node = format!("node n1 1 {step}");
        reaches(&to_pods(verb, resource, json!({ "name": "c" }), &[]), MAY, &[&token]);
        reaches(&to_pods(verb, resource, root.clone(), &[]), MAY, &[&token, &node]);
        reaches(&to_pods(verb, resource, user.clone(), &[]), MAY, &[&token]);
    }
}

#[test]
fn exec_by_get_up_to_134() {
    let objects = to_pods("get", "pods/exec", json!({ "name": "c" }), &[]);
    assert_eq!(reached_in(&objects, MAY, "1.34"), ["ServiceAccount x/robot 1 exec"]);
    assert_eq!(reached_in(&objects, MAY, "1.35"), [""; 0]);
}

#[test]
fn a_pod_has_a_token_as_volume_pod_and_account_say() {
    let token = |audience: Value| json!([{ "name": "t", "projected": { "sources": [{ "serviceAccountToken": audience }] } }]);
    for (of_pod, of_account, volumes, has) in [
        (Value::Null, Value::Null, Value::Null, true),
        (json!(false), Value::Null, Value::Null, false),
        (Value::Null, json!(false), Value::Null, false),
        (json!(true), json!(false), Value::Null, true),
        (json!(false), Value::Null, token(json!({ "path": "t" })), true),
        (json!(false), Value::Null, token(json!({ "path": "t", "audience": "vault" })), false),
    ] {
        let mut pod = pod("x", "p", "robot", "n1", json!({ "name": "c" }));
        let mut account = account("x", "robot");
        pod["spec"]["automountServiceAccountToken"] = of_pod;
        pod["spec"]["volumes"] = volumes;
        account["automountServiceAccountToken"] = of_account;
        let exec = grant("x", "a", MAY, &[rule(&["create"], "", &["pods/exec"], &[])]);
        let objects = all(&[&[account, pod.clone()], &exec]);
        let expected: &[&str] = if has { &["ServiceAccount x/robot 1 exec"] } else { &[] };
        assert_eq!(reached_in(&objects, MAY, "1.36"), expected, "{pod}");
    }
}

#[test]
fn only_pods_that_run_and_directories_that_hold_tokens() {
    let exec = grant("x", "a", MAY, &[rule(&["create"], "", &["pods/exec"], &[])]);
    for (phase, runs) in [("Running", true), ("Pending", false), ("Succeeded", false), ("Failed", false)] {
        let mut pod = pod("x", "p", "robot", "n1", json!({ "name": "c" }));
        pod["status"]["phase"] = json!(phase);
        let expected: &[&str] = if runs { &["ServiceAccount x/robot 1 exec"] } else { &[] };
        reaches(&all(&[&[pod], &exec]), MAY, expected);
    }
    for (path, opens) in
        [("/", true), ("/var/", true), ("/var/lib/kubelet/pods", true), ("/var/log", false), ("/tmp", false)]
    {
        let mount = json!({ "name": "c", "volumeMounts": [{ "name": "h", "mountPath": "/h" }] });
        let mut pod = pod("x", "p", "robot", "n1", mount);
        pod["spec"]["volumes"] = json!([{ "name": "h", "hostPath": { "path": path } }]);
        let both: &[&str] = &["ServiceAccount x/robot 1 exec", "node n1 1 exec"];
        reaches(&all(&[&[pod], &exec]), MAY, if opens { both } else { &both[..1] });
    }
}

#[test]
fn pods_of_workloads_have_no_name() {
    let deployment = workload("Deployment", "x", "w", "default");
    let exec = |names: &[&str]| [rule(&["create"], "", &["pods/exec"], names)];
    let objects = all(&[
        std::slice::from_ref(&deployment),
        &grant("x", "a", MAY, &exec(&[])),
        &grant("x", "b", NOT, &exec(&["w"])),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/default 1 exec"]);
    reaches(&objects, NOT, &[]);
    let mut stopped = deployment;
    stopped["spec"]["replicas"] = json!(0);
    reaches(&all(&[&[stopped], &grant("x", "a", MAY, &exec(&[]))]), MAY, &[]);
}

#[test]
fn ephemeral_container_gives_the_token_and_a_privileged_one_the_node() {
    let container = json!({ "name": "c", "securityContext": { "privileged": true } });
    let objects = |level: &[Value]| to_pods("patch", "pods/ephemeralcontainers", container.clone(), level);
    let token = "ServiceAccount x/robot 1 ephemeral-container";
    reaches(&objects(&[]), MAY, &[token]);
    reaches(&objects(&[namespace("x", "baseline")]), MAY, &[token]);
    reaches(&objects(&[namespace("x", "")]), MAY, &[token, "node n1 1 privileged-ephemeral-container"]);
}

#[test]
fn node_proxy_by_get_on_one_node_and_never_on_fargate() {
    let pods = [
        pod("x", "p", "one", "n1", json!({ "name": "c" })),
        pod("x", "q", "two", "n2", json!({ "name": "c" })),
        pod("x", "f", "far", "fargate-1", json!({ "name": "c" })),
    ];
    let proxy = |names: &[&str]| [rule(&["get"], "", &["nodes/proxy"], names)];
    let objects = all(&[
        &pods,
        &grant("", "a", MAY, &proxy(&["n1"])),
        &grant("", "b", "User all", &proxy(&[])),
        &grant("x", "c", NOT, &proxy(&[])),
        &grant("", "d", NOT, &proxy(&["fargate-1"])),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/one 1 node-proxy"]);
    reaches(
        &objects,
        "User all",
        &["ServiceAccount x/one 1 node-proxy", "ServiceAccount x/two 1 node-proxy"],
    );
    reaches(&objects, NOT, &[]);
}

#[test]
fn privileged_pod_where_the_namespace_lets_it_in_or_its_label_can_be_changed() {
    let pods = rule(&["create"], "", &["pods"], &[]);
    for (level, label, opens) in [
        ("", None, true),
        ("privileged", None, true),
        ("baseline", None, false),
        ("restricted", None, false),
        ("restricted", Some("x"), true),
        ("restricted", Some("y"), false),
    ] {
        let mut rules = vec![pods.clone()];
        rules.extend(label.map(|name| rule(&["patch"], "", &["namespaces"], &[name])));
        let objects = all(&[&[namespace("x", level)], &grant("x", "a", MAY, &rules)]);
        let both: &[&str] = &["ServiceAccount x/default 1 create-pod", "node * 1 privileged-pod"];
        reaches(&objects, MAY, if opens { both } else { &both[..1] });
    }
    // Of a namespace that is not loaded nothing is certain.
    reaches(&all(&[&grant("x", "a", MAY, &[pods])]), MAY, &["ServiceAccount x/default 1 create-pod"]);
}

#[test]
fn host_path_volume_under_baseline() {
    for (level, opens) in [("baseline", true), ("restricted", false)] {
        let objects = all(&[
            &[namespace("x", level)],
            &grant("", "v", MAY, &[rule(&["create"], "", &["persistentvolumes"], &[])]),
            &grant("x", "a", MAY, &[rule(&["create"], "", &["pods", "persistentvolumeclaims"], &[])]),
        ]);
        let both: &[&str] = &["ServiceAccount x/default 1 create-pod", "node * 1 host-path-volume"];
        reaches(&objects, MAY, if opens { both } else { &both[..1] });
    }
}

#[test]
fn token_from_node_of_its_pods_and_of_every_daemon_set() {
    let root = json!({ "name": "c", "securityContext": { "privileged": true } });
    let objects = all(&[
        &[
            pod("x", "p", "robot", "n1", root),
            pod("y", "q", "near", "n1", json!({ "name": "c" })),
            pod("y", "r", "away", "n2", json!({ "name": "c" })),
            account("y", "agent"),
            workload("DaemonSet", "y", "d", "agent"),
        ],
        &grant("x", "a", MAY, &[rule(&["create"], "", &["pods/exec"], &["p"])]),
    ]);
    reaches(
        &objects,
        MAY,
        &[
            "ServiceAccount x/robot 1 exec",
            "node n1 1 exec",
            "ServiceAccount y/agent 2 token-from-node",
            "ServiceAccount y/near 2 token-from-node",
        ],
    );
}

#[test]
fn create_service_account_that_a_binding_waits_for() {
    let objects = all(&[
        &grant("x", "c", "ServiceAccount x/ghost", &[rule(&["get"], "", &["pods"], &[])]),
        &grant("x", "a", MAY, &[rule(&["create"], "", &["serviceaccounts", "serviceaccounts/token"], &[])]),
        &grant("x", "b", NOT, &[rule(&["create"], "", &["serviceaccounts/token"], &[])]),
    ]);
    reaches(
        &objects,
        MAY,
        &["ServiceAccount x/default 1 create-token", "ServiceAccount x/ghost 2 create-token"],
    );
    reaches(&objects, NOT, &["ServiceAccount x/default 1 create-token"]);
}

/// `strong` in `x` may create pods; nobody holds it.
fn strong() -> Value {
    let rules = [rule(&["create"], "", &["pods"], &[])];
    let [role, _] = grant("x", "strong", MAY, &rules);
    role
}

#[test]
fn bind_role_needs_the_write_and_bind_on_the_role() {
    let write = rule(&["create"], RBAC, &["rolebindings"], &[]);
    let bind = rule(&["bind"], RBAC, &["roles"], &["strong"]);
    let objects = all(&[
        &[strong()],
        &grant("x", "a", MAY, &[write.clone(), bind.clone()]),
        &grant("x", "b", NOT, &[write.clone(), rule(&["bind"], RBAC, &["rolebindings"], &[])]),
        &grant("x", "c", "User binds", &[bind]),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/default 2 create-pod", "Role strong in x 1 bind-role"]);
    reaches(&objects, NOT, &[]);
    reaches(&objects, "User binds", &[]);
}

#[test]
fn bind_role_by_an_apply_under_a_name_that_is_free() {
    let bind = rule(&["bind"], RBAC, &["roles"], &["strong"]);
    let write = |verbs: &[&str], name: &str| rule(verbs, RBAC, &["rolebindings"], &[name]);
    let objects = all(&[
        &[strong()],
        &grant("x", "a", MAY, &[write(&["create", "patch"], "mine"), bind.clone()]),
        // `a` is there: it can be changed, but its role is not to be bound.
        &grant("x", "b", NOT, &[write(&["create", "patch"], "a"), bind.clone()]),
        &grant("x", "c", "User create", &[write(&["create"], "mine"), bind]),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/default 2 create-pod", "Role strong in x 1 bind-role"]);
    reaches(&objects, NOT, &[]);
    reaches(&objects, "User create", &[]);
}

#[test]
fn change_binding_only_where_its_role_may_be_bound() {
    let [role, binding] = grant("x", "strong", "User other", &[rule(&["create"], "", &["pods"], &[])]);
    let change = rule(&["update"], RBAC, &["rolebindings"], &["strong"]);
    let objects = all(&[
        &[role, binding],
        &grant("x", "a", MAY, &[change.clone(), rule(&["bind"], RBAC, &["roles"], &["strong"])]),
        &grant("x", "b", NOT, &[change, rule(&["bind"], RBAC, &["roles"], &["weak"])]),
    ]);
    reaches(&objects, MAY, &["ServiceAccount x/default 2 create-pod", "Role strong in x 1 change-binding"]);
    reaches(&objects, NOT, &[]);
}

#[test]
fn share_role_lets_one_request_use_rights_of_two() {
    let creates = rule(&["create"], RBAC, &["rolebindings"], &[]);
    let as_binder = rule(&["impersonate"], "", &["users"], &["binder"]);
    let objects = all(&[
        &[strong()],
        &grant("", "as", MAY, std::slice::from_ref(&as_binder)),
        &grant("x", "creates", MAY, &[creates]),
        &grant("x", "binds", "User binder", &[rule(&["bind"], RBAC, &["roles"], &["strong"])]),
        &grant("", "as-2", NOT, &[as_binder]),
        &grant("x", "only-changes", NOT, &[rule(&["update"], RBAC, &["rolebindings"], &[])]),
    ]);
    reaches(
        &objects,
        MAY,
        &[
            "User binder 1 impersonate-user",
            "ServiceAccount x/default 3 create-pod",
            "Role strong in x 2 bind-role",
        ],
    );
    let objects =
        all(&[&[strong()], &grant("x", "creates", NOT, &[rule(&["create"], RBAC, &["rolebindings"], &[])])]);
    reaches(&objects, NOT, &[]);
}

#[test]
fn escalate_role_that_one_holds() {
    let own = |verbs: &[&str]| [rule(verbs, RBAC, &["roles"], &["a"])];
    let objects = all(&[&grant("x", "a", MAY, &own(&["patch", "escalate"]))]);
    reaches(
        &objects,
        MAY,
        &[
            "namespace-admin x 1 escalate-role",
            "ServiceAccount x/default 2 impersonate-service-account,create-token,mint-token-secret,create-pod,create-workload",
            // Everything in a namespace includes its own label.
            "node * 2 privileged-pod",
        ],
    );
    for verbs in [&["patch"][..], &["escalate"]] {
        reaches(&all(&[&grant("x", "a", MAY, &own(verbs))]), MAY, &[]);
    }
}

#[test]
fn escalate_role_that_a_binding_waits_for() {
    let [_, waits] = grant("x", "ghost", MAY, &[]);
    let makes = [rule(&["create", "escalate"], RBAC, &["roles"], &[])];
    let objects = all(&[std::slice::from_ref(&waits), &grant("x", "a", MAY, &makes)]);
    let found = reached_in(&objects, MAY, "1.36");
    assert_eq!(found[0], "namespace-admin x 1 escalate-role");
    // A name never matches a POST; an apply needs create and patch under it.
    let named = |verbs: &[&str]| [rule(verbs, RBAC, &["roles"], &["ghost"])];
    let objects =
        all(&[std::slice::from_ref(&waits), &grant("x", "a", MAY, &named(&["create", "escalate"]))]);
    reaches(&objects, MAY, &[]);
    let objects = all(&[&[waits], &grant("x", "a", MAY, &named(&["create", "patch", "escalate"]))]);
    assert_eq!(reached_in(&objects, MAY, "1.36")[0], "namespace-admin x 1 escalate-role");
}

#[test]
fn a_cluster_role_that_takes_rules_from_others_is_changed_by_any_of_them() {
    let version = format!("{RBAC}/v1");
    let aggregated = json!({
        "apiVersion": version, "kind": "ClusterRole", "metadata": { "name": "taker" },
        "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { "into": "taker" } }] }, "rules": [],
    });
    let binding = json!({
        "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": { "name": "taker" },
        "roleRef": { "apiGroup": RBAC, "kind": "ClusterRole", "name": "taker" }, "subjects": [subject(MAY)],
    });
    let makes = [rule(&["create", "escalate"], RBAC, &["clusterroles"], &[])];
    let objects = all(&[&[aggregated, binding], &grant("", "a", MAY, &makes)]);
    reaches(&objects, MAY, &["cluster-admin 1 escalate-role"]);
}

#[test]
fn edit_aws_auth_by_a_change_or_by_delete_and_create() {
    let aws_auth = object(
        "v1",
        "ConfigMap",
        "kube-system",
        "aws-auth",
        json!({ "data": { "mapUsers": "- userarn: arn:aws:iam::111122223333:user/a\n  username: a\n" } }),
    );
    let maps = |verbs: &[&str], names: &[&str]| rule(verbs, "", &["configmaps"], names);
    for (rules, edits) in [
        (vec![maps(&["patch"], &["aws-auth"])], true),
        (vec![maps(&["update"], &["coredns"])], false),
        (vec![maps(&["delete"], &["aws-auth"]), maps(&["create"], &[])], true),
        (vec![maps(&["delete", "create"], &["aws-auth"])], false),
        (vec![maps(&["create"], &[])], false),
    ] {
        let objects = all(&[std::slice::from_ref(&aws_auth), &grant("kube-system", "a", MAY, &rules)]);
        let expected: &[&str] = if edits { &["cluster-admin 1 edit-aws-auth"] } else { &[] };
        reaches(&objects, MAY, expected);
        // Without the ConfigMap nothing is certain.
        reaches(&all(&[&grant("kube-system", "a", MAY, &rules)]), MAY, &[]);
    }
}

#[test]
fn everything_is_three_stars_and_nothing_less() {
    for (rules, power) in [
        (rule(&["*"], "*", &["*"], &[]), "cluster-admin 0"),
        (rule(&["*"], "", &["*"], &[]), ""),
        (rule(&["get"], "*", &["*"], &[]), ""),
    ] {
        let found = reached_in(&all(&[&grant("", "a", MAY, &[rules])]), MAY, "1.36");
        assert_eq!(found.first().is_some_and(|first| first == power), !power.is_empty(), "{found:?}");
    }
}

/// Who could bind roles before has nothing new when one is written; the role is new, and says everything.
#[test]
fn a_role_that_is_written_on_the_way_is_bound_by_whoever_could_bind_before() {
    let objects = all(&[
        &[namespace("a", "restricted")],
        &grant(
            "a",
            "may",
            MAY,
            &[rule(&["create", "bind"], RBAC, &["rolebindings", "roles", "clusterroles"], &[])],
        ),
        // It is there to be bound, and nobody holds it.
        &grant("", "writes", "User nobody", &[rule(&["escalate", "create"], RBAC, &["roles"], &[])])[..1],
    ]);
    let reached = reached_in(&objects, MAY, "1.36");
    assert!(reached.contains(&"namespace-admin a 3 bind-role".to_owned()), "{reached:?}");
}

#[test]
fn who_writes_roles_in_every_namespace_writes_new_ones_where_there_are_none() {
    let objects = all(&[
        &[namespace("a", "restricted")],
        &grant(
            "",
            "may",
            MAY,
            &[
                rule(&["escalate", "create", "update"], RBAC, &["roles"], &[]),
                rule(&["create", "bind"], RBAC, &["rolebindings", "roles"], &[]),
            ],
        ),
    ]);
    let reached = reached_in(&objects, MAY, "1.36");
    assert!(reached.contains(&"namespace-admin a 2 bind-role".to_owned()), "{reached:?}");
}
