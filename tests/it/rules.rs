//! What Kubernetes decides: one test per rule of meaning, its name the rule. Every question goes to the graph, the
//! explanation, the review and the reference model alike.

use rbacsim::model::user::UserInfo;

use crate::ask::{World, aggregated, bind, role, u};

/// Everything is asked of a ClusterRole that is bound to the user `u`.
fn bound(rules: &str) -> World {
    World::of(&[role("r", rules), bind("b", "ClusterRole r", "User u")])
}

/// One test per row: a rule, the requests that it allows, those that it does not.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $rules:literal, yes [$($yes:literal),*], no [$($no:literal),*];)*) => {$(
        $(#[$doc])*
        #[test]
        fn $name() {
            let world = bound($rules);
            world.yes(&u(), &[$($yes),*]);
            world.no(&u(), &[$($no),*]);
        }
    )*};
}

rules! {
    verb_is_literal: "[{verbs: [get], apiGroups: [''], resources: [pods]}]",
        yes ["get pods", "get pods =x @ns"], no ["Get pods", "GET pods", "list pods", "ge pods", "\"\" pods"];
    verb_has_no_globs: "[{verbs: ['get*', 'lis?'], apiGroups: [''], resources: [pods]}]",
        yes ["get* pods"], no ["get pods", "list pods"];
    star_verb_matches_custom_and_empty_verbs: "[{verbs: ['*'], apiGroups: [''], resources: [pods]}]",
        yes ["get pods", "impersonate pods", "frobnicate pods", "\"\" pods", "* pods"], no ["get pods.apps"];
    star_request_needs_star_rule:
        "[{verbs: [get, list, watch, create], apiGroups: ['', apps], resources: [pods, deployments]}]",
        yes ["get pods"], no ["* pods", "get *", "get pods.*", "* *", "* *.*"];
    star_resource_request_in_the_core_group: "[{verbs: ['*'], apiGroups: [''], resources: ['*']}]",
        yes ["* *"], no ["* *.*", "* *.apps"];
    star_group_matches_every_group: "[{verbs: [get], apiGroups: ['*'], resources: [pods]}]",
        yes ["get pods", "get pods.apps", "get pods.no.such.group", "get pods.*"], no ["get services"];
    empty_group_is_the_core_group: "[{verbs: [get], apiGroups: [''], resources: [pods]}]",
        yes ["get pods"], no ["get pods.apps", "get pods.core", "get pods.v1"];
    group_has_no_globs: "[{verbs: [get], apiGroups: ['*.example.com', 'apps*'], resources: [foos]}]",
        yes ["get foos.*.example.com"], no ["get foos.a.example.com", "get foos.apps", "get foos.example.com"];
    group_is_compared_by_case: "[{verbs: [get], apiGroups: [Apps], resources: [deployments]}]",
        yes ["get deployments.Apps"], no ["get deployments.apps"];
    resource_is_compared_by_case: "[{verbs: [get], apiGroups: [''], resources: [Pods, pod]}]",
        yes ["get Pods", "get pod"], no ["get pods", "get PODS"];
    resource_has_no_globs: "[{verbs: [get], apiGroups: [''], resources: ['pod*', 'p*']}]",
        yes ["get pod*"], no ["get pods", "get po"];
    star_resource_matches_subresources: "[{verbs: [get], apiGroups: [''], resources: ['*']}]",
        yes ["get pods", "get pods/log", "get no-such-thing/whatever"], no ["get pods.apps", "get /pods"];
    resource_does_not_match_its_subresource: "[{verbs: [get], apiGroups: [''], resources: [pods]}]",
        yes ["get pods"], no ["get pods/log", "get pods/pods"];
    subresource_does_not_match_its_resource: "[{verbs: [get], apiGroups: [''], resources: [pods/log]}]",
        yes ["get pods/log", "get pods/log =x @ns"], no ["get pods", "get pods/exec", "get log"];
    pods_star_matches_nothing: "[{verbs: [get], apiGroups: [''], resources: ['pods/*']}]",
        yes ["get pods/*"], no ["get pods", "get pods/log", "get pods/exec"];
    star_slash_subresource: "[{verbs: [get], apiGroups: ['*'], resources: ['*/scale']}]",
        yes ["get deployments.apps/scale", "get anything/scale"],
        no ["get deployments.apps", "get scale", "get deployments.apps/rescale", "get deployments.apps/scale/x", "get deployments/Scale"];
    star_slash_star_is_a_subresource_named_star: "[{verbs: [get], apiGroups: [''], resources: ['*/*']}]",
        yes ["get pods/*"], no ["get pods/log", "get pods"];
    star_slash_is_no_subresource: "[{verbs: [get], apiGroups: [''], resources: ['*/']}]",
        yes [], no ["get pods", "get pods/log"];
    empty_resource_is_a_resource_named_so: "[{verbs: [get], apiGroups: [''], resources: ['']}]",
        yes [], no ["get pods", "get *"];
    no_resource_names_is_any_name: "[{verbs: [get], apiGroups: [''], resources: [secrets], resourceNames: []}]",
        yes ["get secrets", "get secrets =db"], no ["list secrets"];
    resource_names_compare_the_whole_name:
        "[{verbs: [get], apiGroups: [''], resources: [secrets], resourceNames: [db, 'web-*']}]",
        yes ["get secrets =db", "get secrets =web-*"],
        no ["get secrets", "get secrets =db2", "get secrets =web-1", "get secrets =DB"];
    resource_names_star_is_a_name:
        "[{verbs: [get], apiGroups: [''], resources: [secrets], resourceNames: ['*']}]",
        yes ["get secrets =*"], no ["get secrets", "get secrets =db"];
    requests_without_name_are_not_for_named_objects:
        "[{verbs: ['*'], apiGroups: [''], resources: [secrets], resourceNames: [db]}]",
        yes ["get secrets =db", "list secrets =db", "watch secrets =db", "deletecollection secrets =db", "create secrets =db"],
        no ["list secrets", "watch secrets", "deletecollection secrets", "create secrets"];
    empty_resource_name_is_no_name:
        "[{verbs: [list, create, get], apiGroups: [''], resources: [secrets], resourceNames: ['']}]",
        yes ["list secrets", "create secrets"], no ["get secrets =db"];
    resource_names_count_for_subresources:
        "[{verbs: [create], apiGroups: [''], resources: [pods/exec], resourceNames: [web]}]",
        yes ["create pods/exec =web"], no ["create pods/exec", "create pods/exec =db"];
    any_of_several_rules_suffices:
        "[{verbs: [get], apiGroups: [''], resources: [pods]}, {verbs: [list], apiGroups: [''], resources: [services]}]",
        yes ["get pods", "list services"], no ["list pods", "get services"];
    lists_of_a_rule_multiply: "[{verbs: [get, list], apiGroups: ['', apps], resources: [pods, deployments]}]",
        yes ["get pods", "list pods.apps", "list deployments", "get deployments.apps"], no ["watch pods"];

    urls_are_compared_whole: "[{verbs: [get], nonResourceURLs: [/version, healthz]}]",
        yes ["get /version"], no ["get /version/", "get /versio", "get /version?x", "get /healthz", "get /Version", "post /version"];
    star_url_matches_every_path: "[{verbs: [get], nonResourceURLs: ['*']}]",
        yes ["get /", "get /metrics", "get /a/b/c"], no ["get pods", "post /metrics"];
    url_prefix_ends_in_a_star: "[{verbs: [get], nonResourceURLs: ['/api/*', '/logs*']}]",
        yes ["get /api/v1", "get /api/", "get /logs", "get /logsandmore", "get /logs/x"],
        no ["get /api", "get /apis", "get /log"];
    all_stars_at_the_end_of_a_url_are_cut: "[{verbs: [get], nonResourceURLs: ['/logs/**']}]",
        yes ["get /logs/", "get /logs/x"], no ["get /logs"];
    star_inside_a_url_is_literal: "[{verbs: [get], nonResourceURLs: ['/lo*gs', '/a*b/*']}]",
        yes ["get /lo*gs", "get /a*b/c"], no ["get /logs", "get /lo-gs", "get /axb/c"];
    url_verbs_are_methods_in_lower_case: "[{verbs: [head, post], nonResourceURLs: [/x]}]",
        yes ["head /x", "post /x"], no ["get /x", "HEAD /x", "POST /x", "create /x"];
    star_verb_matches_every_method: "[{verbs: ['*'], nonResourceURLs: [/x]}]",
        yes ["get /x", "patch /x", "whatever /x"], no ["get /y"];
    resource_rules_say_nothing_of_urls: "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]",
        yes ["get pods", "* *.*"], no ["get /", "get /metrics"];
    url_rules_say_nothing_of_resources: "[{verbs: ['*'], nonResourceURLs: ['*']}]",
        yes ["get /pods"], no ["get pods", "* *"];
}

/// A request may spell a subresource as a part of the resource; the rule's text is what is compared.
#[test]
fn combined_resource_is_compared_as_text() {
    use rbacsim::model::attributes::{Attributes, ResourceAttributes};
    let world = bound("[{verbs: [get], apiGroups: [''], resources: [pods/log, '*/scale']}]");
    let graph = world.cluster.graph();
    let asker = graph.asker(&u());
    let ask = |resource, subresource| {
        let attributes =
            ResourceAttributes { verb: "get", group: "", resource, subresource, name: "", namespace: "" };
        graph.authorize(&asker, &Attributes::Resource(attributes)).is_allowed()
    };
    assert!(ask("pods", "log") && ask("pods/log", ""));
    // `*/scale` looks at the subresource alone, which is not there.
    assert!(ask("foos", "scale") && !ask("foos/scale", ""));
    assert!(ask("*", "scale"), "a resource that is called *");
}

// Where a binding counts.

const ADMIN: &str =
    "[{verbs: ['*'], apiGroups: ['*'], resources: ['*']}, {verbs: ['*'], nonResourceURLs: ['*']}]";

#[test]
fn cluster_role_binding_counts_everywhere() {
    let world = World::of(&[role("r", ADMIN), bind("b", "ClusterRole r", "User u")]);
    world.yes(
        &u(),
        &["get pods", "get pods @ns1", "get pods @no-such-namespace", "get nodes", "get /metrics"],
    );
}

#[test]
fn role_binding_counts_in_its_namespace_only() {
    let world = World::of(&[role("r", ADMIN), bind("ns1/b", "ClusterRole r", "User u")]);
    world.yes(&u(), &["get pods @ns1", "delete secrets =x @ns1", "* *.* @ns1"]);
    world.no(&u(), &["get pods @ns2", "get pods @ns", "get pods @ns11", "get pods @"]);
}

#[test]
fn role_binding_does_not_count_across_namespaces() {
    let everywhere: Vec<String> =
        (0..3).map(|number| bind(&format!("ns{number}/b"), "ClusterRole r", "User u")).collect();
    let world = World::of(&[vec![role("r", ADMIN)], everywhere].concat());
    world.yes(&u(), &["list pods @ns0", "list pods @ns1", "list pods @ns2"]);
    world.no(&u(), &["list pods", "watch pods", "get nodes"]);
}

#[test]
fn role_binding_grants_no_urls() {
    let world = World::of(&[role("r", ADMIN), bind("ns1/b", "ClusterRole r", "User u")]);
    world.no(&u(), &["get /metrics", "get /", "get /healthz"]);
}

/// The authorizer knows no scopes: only the request's namespace counts.
#[test]
fn a_namespace_on_a_cluster_scoped_type_is_taken_as_asked() {
    let world = World::of(&[role("r", ADMIN), bind("ns1/b", "ClusterRole r", "User u")]);
    world.yes(&u(), &["get nodes @ns1", "get namespaces =ns1 @ns1"]);
    world.no(&u(), &["get nodes", "get namespaces =ns1", "get namespaces =ns2 @ns2"]);
}

#[test]
fn role_is_looked_up_in_the_namespace_of_its_binding() {
    let rules = "[{verbs: [get], apiGroups: [''], resources: [pods]}]";
    let world = World::of(&[
        role("ns1/r", rules),
        bind("ns1/b", "Role r", "User u"),
        bind("ns2/b", "Role r", "User u"),
    ]);
    world.yes(&u(), &["get pods @ns1"]);
    assert_eq!(world.ask(&u(), "get pods @ns2"), (false, not_found("role", "r")));
}

#[test]
fn role_and_cluster_role_of_one_name_are_two() {
    let pods = "[{verbs: [get], apiGroups: [''], resources: [pods]}]";
    let secrets = "[{verbs: [get], apiGroups: [''], resources: [secrets]}]";
    let world = World::of(&[
        role("ns1/r", pods),
        role("r", secrets),
        bind("ns1/b", "Role r", "User u"),
        bind("ns2/b", "ClusterRole r", "User u"),
    ]);
    world.yes(&u(), &["get pods @ns1", "get secrets @ns2"]);
    world.no(&u(), &["get secrets @ns1", "get pods @ns2"]);
}

// Order and reasons.

fn not_found(kind: &str, name: &str) -> String {
    format!("RBAC: {kind}.rbac.authorization.k8s.io \"{name}\" not found")
}

#[test]
fn masters_are_allowed_everything_without_a_reason() {
    let world = World::of(&[bind("b", "ClusterRole nope", "Group system:masters")]);
    let master = UserInfo::as_given("m", ["system:masters"]);
    for request in ["get pods", "* *.*", "\"\" pods @ns", "get /metrics"] {
        assert_eq!(world.ask(&master, request), (true, String::new()));
    }
}

#[test]
fn masters_is_a_group_and_not_a_user() {
    let world = World::of(&[]);
    world.no(&UserInfo::as_given("system:masters", ["System:Masters", "system:master"]), &["get pods"]);
}

#[test]
fn a_plain_denial_has_no_reason() {
    assert_eq!(bound(ADMIN).ask(&UserInfo::as_given("v", [""; 0]), "get pods"), (false, String::new()));
}

#[test]
fn reasons_are_the_servers_words() {
    let all = "User u, Group g, ServiceAccount ns2/sa";
    let world = World::of(&[
        role("cr", "[{verbs: [get], apiGroups: [''], resources: [nodes]}]"),
        role("ns1/r", "[{verbs: [get], apiGroups: [''], resources: [pods]}]"),
        bind("cb", "ClusterRole cr", all),
        bind("ns1/rb", "Role r", all),
    ]);
    let (user, group) = (u(), UserInfo::as_given("v", ["x", "g"]));
    let account = UserInfo::as_given("system:serviceaccount:ns2:sa", [""; 0]);
    let reason = |user, request| world.ask(user, request).1;
    let of_cluster = "RBAC: allowed by ClusterRoleBinding \"cb\" of ClusterRole \"cr\" to";
    let of_namespace = "RBAC: allowed by RoleBinding \"rb/ns1\" of Role \"r\" to";
    assert_eq!(reason(&user, "get nodes"), format!("{of_cluster} User \"u\""));
    assert_eq!(reason(&group, "get nodes"), format!("{of_cluster} Group \"g\""));
    assert_eq!(reason(&account, "get nodes"), format!("{of_cluster} ServiceAccount \"sa/ns2\""));
    assert_eq!(reason(&user, "get pods @ns1"), format!("{of_namespace} User \"u\""));
    assert_eq!(reason(&account, "get pods @ns1"), format!("{of_namespace} ServiceAccount \"sa/ns2\""));
}

#[test]
fn the_reason_names_the_first_subject_that_matches() {
    let world = World::of(&[role("r", ADMIN), bind("b", "ClusterRole r", "Group g2, Group g1, User u")]);
    let user = UserInfo::as_given("u", ["g1", "g2"]);
    assert!(world.ask(&user, "get pods").1.ends_with("to Group \"g2\""));
}

#[test]
fn cluster_role_bindings_come_first() {
    let world = World::of(&[
        role("r", ADMIN),
        bind("ns1/a", "ClusterRole r", "User u"),
        bind("z", "ClusterRole r", "User u"),
    ]);
    assert!(world.ask(&u(), "get pods @ns1").1.contains("ClusterRoleBinding \"z\""));
}

#[test]
fn a_missing_role_never_blocks_another_binding() {
    let world = World::of(&[
        role("r", ADMIN),
        bind("a", "ClusterRole nope", "User u"),
        bind("b", "ClusterRole r", "User u"),
    ]);
    assert!(world.ask(&u(), "get pods").1.contains("ClusterRoleBinding \"b\""));
}

#[test]
fn missing_roles_are_the_reason_of_a_denial() {
    let one = World::of(&[bind("a", "ClusterRole nope", "User u"), bind("b", "ClusterRole nope", "User u")]);
    assert_eq!(one.ask(&u(), "get pods").1, not_found("clusterrole", "nope"), "equal messages once");
    let several = World::of(&[bind("a", "ClusterRole nope", "User u"), bind("ns1/b", "Role nada", "User u")]);
    let messages = "RBAC: [clusterrole.rbac.authorization.k8s.io \"nope\" not found, role.rbac.authorization.k8s.io \"nada\" not found]";
    assert_eq!(several.ask(&u(), "get pods @ns1").1, messages);
    assert_eq!(several.ask(&u(), "get pods @ns2").1, not_found("clusterrole", "nope"));
}

#[test]
fn only_bindings_that_name_the_user_report_their_missing_role() {
    let world = World::of(&[bind("a", "ClusterRole nope", "User v")]);
    assert_eq!(world.ask(&u(), "get pods"), (false, String::new()));
}

// Subjects.

fn named(subjects: &str) -> World {
    World::of(&[role("r", ADMIN), bind("ns1/b", "ClusterRole r", subjects)])
}

fn groups(groups: &[&str]) -> UserInfo {
    UserInfo::as_given("someone", groups.iter().copied())
}

#[test]
fn usernames_are_compared_whole_and_by_case() {
    let world = named("User alice, User arn:aws:iam::111122223333:role/Dev");
    world.yes(&UserInfo::as_given("alice", [""; 0]), &["get pods @ns1"]);
    world.yes(&UserInfo::as_given("arn:aws:iam::111122223333:role/Dev", [""; 0]), &["get pods @ns1"]);
    for other in ["Alice", "alice ", "alic", "alice:x", "", "arn:aws:iam::111122223333:role/dev"] {
        world.no(&UserInfo::as_given(other, ["alice"]), &["get pods @ns1"]);
    }
}

#[test]
fn star_is_a_name_of_a_user_or_group() {
    let world = named("User *, Group *");
    world.no(&groups(&["g"]), &["get pods @ns1"]);
    world.yes(&groups(&["*"]), &["get pods @ns1"]);
    world.yes(&UserInfo::as_given("*", [""; 0]), &["get pods @ns1"]);
}

#[test]
fn a_user_is_no_group_and_a_group_no_user() {
    let world = named("User x, Group y");
    world.no(&groups(&["x"]), &["get pods @ns1"]);
    world.no(&UserInfo::as_given("y", [""; 0]), &["get pods @ns1"]);
    world.yes(&groups(&["z", "y"]), &["get pods @ns1"]);
}

#[test]
fn service_account_is_compared_by_its_username() {
    let world = named("ServiceAccount ns2/sa");
    // Whoever it really is, and whatever groups it has: an IAM identity may be mapped to such a username.
    world.yes(&UserInfo::as_given("system:serviceaccount:ns2:sa", [""; 0]), &["get pods @ns1"]);
    world.yes(&UserInfo::service_account("ns2", "sa"), &["get pods @ns1"]);
    for other in [
        "system:serviceaccount:ns2:sb",
        "system:serviceaccount:ns1:sa",
        "sa",
        "ns2:sa",
        "system:serviceaccount:ns2:sa:x",
    ] {
        world.no(&UserInfo::as_given(other, [""; 0]), &["get pods @ns1"]);
    }
}

#[test]
fn a_user_subject_can_name_a_service_account() {
    named("User system:serviceaccount:ns2:sa")
        .yes(&UserInfo::service_account("ns2", "sa"), &["get pods @ns1"]);
}

#[test]
fn a_group_subject_can_name_the_service_accounts_of_a_namespace() {
    let world = named("Group system:serviceaccounts:ns2");
    world.yes(&UserInfo::service_account("ns2", "any"), &["get pods @ns1"]);
    world.no(&UserInfo::service_account("ns1", "any"), &["get pods @ns1"]);
    // The username alone does not make a member.
    world.no(&UserInfo::as_given("system:serviceaccount:ns2:any", [""; 0]), &["get pods @ns1"]);
}

#[test]
fn service_account_without_namespace_is_of_the_bindings_namespace() {
    let world = named("ServiceAccount sa");
    world.yes(&UserInfo::service_account("ns1", "sa"), &["get pods @ns1"]);
    world.no(&UserInfo::service_account("ns2", "sa"), &["get pods @ns1"]);
    let reason = world.ask(&UserInfo::service_account("ns1", "sa"), "get pods @ns1").1;
    assert!(reason.ends_with("to ServiceAccount \"sa/ns1\""), "{reason}");
}

#[test]
fn namespace_of_a_user_or_group_subject_is_not_looked_at() {
    let yaml = role("r", ADMIN)
        + "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, \
           roleRef: {kind: ClusterRole, name: r}, subjects: [{kind: User, name: u, namespace: ns9}]}\n";
    World::of(&[yaml]).yes(&u(), &["get pods @ns1"]);
}

#[test]
fn a_review_adds_no_groups() {
    let world = named("Group system:authenticated, Group system:serviceaccounts");
    world.no(&u(), &["get pods @ns1"]);
    world.no(&UserInfo::as_given("system:serviceaccount:ns1:sa", [""; 0]), &["get pods @ns1"]);
    world.yes(&UserInfo::authenticated("u", [""; 0]), &["get pods @ns1"]);
}

#[test]
fn everybody_who_logs_in_is_authenticated() {
    let groups = |user: UserInfo| user.groups.join(" ");
    assert_eq!(groups(UserInfo::authenticated("u", ["g"])), "g system:authenticated");
    assert_eq!(groups(UserInfo::authenticated("u", ["system:authenticated", "g"])), "system:authenticated g");
    // An aws-auth mapping to system:unauthenticated does not get system:authenticated.
    assert_eq!(groups(UserInfo::authenticated("u", ["system:unauthenticated"])), "system:unauthenticated");
    assert_eq!(groups(UserInfo::authenticated("system:anonymous", [""; 0])), "");
    assert_eq!(groups(UserInfo::authenticated("", [""; 0])), "system:authenticated");
}

#[test]
fn impersonation_adds_groups() {
    let groups = |user: &str, given: &[&str]| {
        let given: Vec<String> = given.iter().map(|&group| group.to_owned()).collect();
        UserInfo::impersonated(user, &given).groups.join(" ")
    };
    assert_eq!(groups("bob", &["g1"]), "g1 system:authenticated");
    assert_eq!(
        groups("system:serviceaccount:ns1:sa", &[]),
        "system:serviceaccounts system:serviceaccounts:ns1 system:authenticated"
    );
    // With any group given, a service account loses its own.
    assert_eq!(groups("system:serviceaccount:ns1:sa", &["g1"]), "g1 system:authenticated");
    // What cannot be the name of a service account is a user's, as `SplitUsername` has it.
    for user in ["ns1:a:b", "ns1:", ":sa", "NS:sa", "ns.1:sa", "ns1:Sa", "ns1"] {
        assert_eq!(groups(&format!("system:serviceaccount:{user}"), &[]), "system:authenticated", "{user}");
    }
    assert!(groups("system:serviceaccount:ns1:a.b", &[]).starts_with("system:serviceaccounts "));
    assert_eq!(groups("system:anonymous", &[]), "system:unauthenticated");
    assert_eq!(groups("bob", &["system:unauthenticated"]), "system:unauthenticated");
}

// Aggregation.

fn get(resource: &str) -> String {
    format!("[{{verbs: [get], apiGroups: [''], resources: [{resource}]}}]")
}

const TO_VIEW: &str = "[{matchLabels: {to: view}}]";

/// `r` is aggregated by the selectors, and bound to `u`.
fn with_selectors(selectors: &str, others: &[String]) -> World {
    let own = [aggregated("r", "{}", "null", selectors), bind("b", "ClusterRole r", "User u")];
    World::of(&[&own[..], others].concat())
}

#[test]
fn rules_of_labelled_roles_are_taken_in() {
    let world = with_selectors(
        TO_VIEW,
        &[
            aggregated("a", "{to: view}", &get("pods"), ""),
            aggregated("c", "{to: edit}", &get("secrets"), ""),
            aggregated("d", "{To: view, to: View}", &get("nodes"), ""),
        ],
    );
    world.yes(&u(), &["get pods"]);
    world.no(&u(), &["get secrets", "get nodes"]);
}

#[test]
fn selectors_are_alternatives_and_their_parts_are_not() {
    let world = with_selectors(
        "[{matchLabels: {a: '1', b: '2'}}, {matchLabels: {c: '3'}, matchExpressions: [{key: d, operator: Exists}]}]",
        &[
            aggregated("x", "{a: '1'}", &get("a"), ""),
            aggregated("y", "{a: '1', b: '2'}", &get("ab"), ""),
            aggregated("z", "{c: '3'}", &get("c"), ""),
            aggregated("w", "{c: '3', d: ''}", &get("cd"), ""),
        ],
    );
    world.yes(&u(), &["get ab", "get cd"]);
    world.no(&u(), &["get a", "get c"]);
}

#[test]
fn match_expressions() {
    for (expression, with, other, without) in [
        ("{key: k, operator: In, values: [v, w]}", true, false, false),
        ("{key: k, operator: NotIn, values: [v, w]}", false, true, true),
        ("{key: k, operator: Exists}", true, true, false),
        ("{key: k, operator: DoesNotExist}", false, false, true),
    ] {
        let world = with_selectors(
            &format!("[{{matchExpressions: [{expression}, {{key: source, operator: Exists}}]}}]"),
            &[
                aggregated("x", "{source: '', k: v}", &get("with"), ""),
                aggregated("y", "{source: '', k: z}", &get("other"), ""),
                aggregated("z", "{source: ''}", &get("without"), ""),
            ],
        );
        for (resource, expected) in [("with", with), ("other", other), ("without", without)] {
            assert_eq!(world.ask(&u(), &format!("get {resource}")).0, expected, "{expression} {resource}");
        }
    }
}

#[test]
fn the_empty_selector_matches_every_cluster_role() {
    let world =
        with_selectors("[{}]", &[role("x", &get("pods")), aggregated("y", "{a: b}", &get("nodes"), "")]);
    world.yes(&u(), &["get pods", "get nodes"]);
}

#[test]
fn roles_are_never_aggregated() {
    let yaml =
        role("ns1/x", &get("pods")).replace("namespace: 'ns1'", "labels: {to: view}, namespace: 'ns1'");
    with_selectors(TO_VIEW, &[yaml]).no(&u(), &["get pods", "get pods @ns1"]);
}

#[test]
fn aggregated_rules_replace_the_roles_own() {
    let world = World::of(&[
        aggregated("r", "{}", &get("secrets"), TO_VIEW),
        aggregated("a", "{to: view}", &get("pods"), ""),
        bind("b", "ClusterRole r", "User u"),
    ]);
    world.yes(&u(), &["get pods"]);
    world.no(&u(), &["get secrets"]);
}

/// Server-side apply of an empty list takes nothing away that somebody else wrote.
#[test]
fn own_rules_stay_where_nothing_is_aggregated() {
    let world = World::of(&[
        aggregated("r", "{}", &get("secrets"), TO_VIEW),
        aggregated("a", "{to: view}", "[]", ""),
        bind("b", "ClusterRole r", "User u"),
    ]);
    world.yes(&u(), &["get secrets"]);
}

#[test]
fn aggregation_of_aggregated_roles_is_a_fixed_point() {
    // In no order of names: the chain is z -> m -> a -> r.
    let world = with_selectors(
        "[{matchLabels: {to: r}}]",
        &[
            aggregated("a", "{to: r}", "[]", "[{matchLabels: {to: a}}]"),
            aggregated("m", "{to: a}", "[]", "[{matchLabels: {to: m}}]"),
            aggregated("z", "{to: m}", &get("pods"), ""),
        ],
    );
    world.yes(&u(), &["get pods"]);
}

#[test]
fn roles_that_aggregate_each_other_converge() {
    let world = World::of(&[
        aggregated("a", "{to: b}", "[]", "[{matchLabels: {to: a}}]"),
        aggregated("b", "{to: a}", "[]", "[{matchLabels: {to: b}}]"),
        aggregated("p", "{to: a}", &get("pods"), ""),
        aggregated("s", "{to: b}", &get("services"), ""),
        bind("x", "ClusterRole a", "User u"),
        bind("y", "ClusterRole b", "User v"),
    ]);
    world.yes(&u(), &["get pods", "get services"]);
    world.yes(&UserInfo::as_given("v", [""; 0]), &["get pods", "get services"]);
}

/// The way of a rule leads to the role in which it stands, and never round in the circle.
#[test]
fn an_aggregation_in_a_circle_has_an_origin() {
    let world = World::of(&[
        aggregated("a", "{to: b}", &get("nodes"), "[{matchLabels: {to: a}}]"),
        aggregated("b", "{to: a}", "[]", "[{matchLabels: {to: b}}]"),
        aggregated("p", "{to: a}", &get("pods"), ""),
        aggregated("s", "{to: b}", &get("services"), ""),
    ]);
    let graph = world.cluster.graph();
    let name = |role: &rbacsim::model::rbac::Role| graph.policy().names.text(role.name).to_owned();
    let mut ways = Vec::new();
    for role in graph.policy().roles.iter().filter(|role| role.aggregation.is_some()) {
        for rule in graph.rules_in_force(role) {
            let from: Vec<String> =
                graph.provenance(role, &rule).iter().map(|step| name(step.from)).collect();
            ways.push(format!("{} <- {}", name(role), from.join(" <- ")));
        }
    }
    ways.sort();
    assert_eq!(ways, ["a <- b <- s", "a <- p", "b <- a <- p", "b <- s"]);
}

#[test]
fn a_role_does_not_aggregate_itself() {
    let world = World::of(&[
        aggregated("r", "{to: view}", &get("secrets"), TO_VIEW),
        aggregated("a", "{to: view}", &get("pods"), ""),
        bind("b", "ClusterRole r", "User u"),
    ]);
    world.no(&u(), &["get secrets"]);
}

#[test]
fn aggregating_what_was_aggregated_changes_nothing() {
    let world = World::of(&[
        aggregated("r", "{}", &get("pods"), TO_VIEW),
        aggregated("a", "{to: view}", &get("pods"), ""),
        bind("b", "ClusterRole r", "User u"),
    ]);
    let graph = world.cluster.graph();
    let role = graph.policy().roles.iter().find(|role| role.aggregation.is_some()).unwrap();
    assert_eq!(graph.rules_in_force(role).count(), 1);
    world.yes(&u(), &["get pods"]);
}

#[test]
fn an_equal_rule_is_taken_in_once_and_another_order_is_another_rule() {
    let world = with_selectors(
        TO_VIEW,
        &[
            aggregated("a", "{to: view}", "[{verbs: [get, list], apiGroups: [''], resources: [pods]}]", ""),
            aggregated(
                "c",
                "{to: view}",
                "[{verbs: [get, list], apiGroups: [''], resources: [pods], resourceNames: []}]",
                "",
            ),
            aggregated("d", "{to: view}", "[{verbs: [list, get], apiGroups: [''], resources: [pods]}]", ""),
        ],
    );
    let graph = world.cluster.graph();
    let role = graph.policy().roles.iter().find(|role| role.aggregation.is_some()).unwrap();
    assert_eq!(graph.rules_in_force(role).count(), 2);
}
