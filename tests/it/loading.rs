//! Loading: every form of input, what the API server refuses and in which words, duplicates, and hostile texts.

use rbacsim::decide::cluster::Cluster;
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, Loaded, load};

use crate::ask::{Request, bind, cluster_of, role, text};

const GROUP: &str = "rbac.authorization.k8s.io/v1";

fn options() -> LoadOptions {
    LoadOptions { defaults: Defaults::Never, ..LoadOptions::default() }
}

fn loaded(texts: &[&str]) -> Loaded {
    let inputs: Vec<Input> = texts.iter().map(|yaml| text("a.yaml", yaml)).collect();
    load(&inputs, &options()).unwrap()
}

/// Every diagnostic as `severity[code] place: message`.
fn told(loaded: &Loaded) -> Vec<String> {
    let show = |diagnostic: &rbacsim::model::diagnostic::Diagnostic| {
        let place = diagnostic.source.map(|source| loaded.policy.sources.show(source).to_string());
        format!(
            "{}[{}] {}: {}",
            diagnostic.severity().as_str(),
            diagnostic.code.as_str(),
            place.unwrap_or_default(),
            diagnostic.message
        )
    };
    loaded.diagnostics.iter().map(show).collect()
}

#[track_caller]
fn allowed(cluster: &Cluster, user: &str, request: &str) -> bool {
    let request = Request::parse(request);
    let user = UserInfo::as_given(user, [""; 0]);
    cluster.graph().answer(&user, &request.attributes(), cluster.coverage()).ternary == Ternary::Yes
}

/// A reader of pods and who has it, as two documents.
fn good(name: &str) -> String {
    role(name, "[{verbs: [get], apiGroups: [''], resources: [pods]}]")
        + &bind(name, &format!("ClusterRole {name}"), &format!("User {name}"))
}

fn good_json(name: &str) -> [String; 2] {
    [
        format!(
            r#"{{"apiVersion":"{GROUP}","kind":"ClusterRole","metadata":{{"name":"{name}"}},"rules":[{{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}}]}}"#
        ),
        format!(
            r#"{{"apiVersion":"{GROUP}","kind":"ClusterRoleBinding","metadata":{{"name":"{name}"}},"roleRef":{{"kind":"ClusterRole","name":"{name}"}},"subjects":[{{"kind":"User","name":"{name}"}}]}}"#
        ),
    ]
}

// Forms.

#[test]
fn forms_of_one_and_the_same() {
    let [role, binding] = good_json("u");
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{role},{binding}]}}"#);
    let typed = format!(
        r#"{{"kind":"ClusterRoleList","apiVersion":"{GROUP}","items":[{}]}}"#,
        role.replace(&format!(r#""apiVersion":"{GROUP}","kind":"ClusterRole","#), "")
    );
    let yaml = good("u");
    let forms = [
        yaml.clone(),
        yaml.replace('\n', "\r\n"),
        format!("\u{feff}{yaml}"),
        format!("# nothing\n---\n\n---\n# more\n{yaml}\n---\n"),
        yaml.replace("---\n", "--- # why\n"),
        yaml.replace("---\n", "---   \n"),
        format!("{yaml}...\n"),
        // One JSON value after the other, as `kubectl get -o json` of several things gives it.
        format!("{role}\n{binding}\n"),
        format!("{role}{binding}"),
        format!("{role}\n---\n{binding}\n"),
        format!("---\n{role}\n---\n{binding}\n"),
        list.clone(),
        format!("\n  {list}  \n"),
        format!("\u{feff}{list}"),
        format!("{typed}\n{binding}"),
        format!(r#"{{"items":[{role},{binding}],"kind":"List","apiVersion":"v1"}}"#),
        format!("apiVersion: v1\nkind: List\nitems:\n- {role}\n- {binding}\n"),
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- {list}\n- apiVersion: v1\n  kind: List\n  items: null\n"
        ),
        // JSON that is only YAML: a trailing comma, a comment, a plain key.
        format!("{{apiVersion: v1, kind: List, items: [{role}, {binding},]}} # so\n"),
    ];
    for form in &forms {
        let loaded = loaded(&[form]);
        assert_eq!(told(&loaded), [""; 0], "{form}");
        let cluster = Cluster::from(loaded);
        assert!(allowed(&cluster, "u", "get pods @ns") && !allowed(&cluster, "u", "list pods @ns"), "{form}");
    }
    for (encoding, little) in [("LE", true), ("BE", false)] {
        let units = format!("\u{feff}{yaml}").encode_utf16().collect::<Vec<u16>>();
        let bytes =
            units.iter().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
        let input = Input::Text { name: encoding.into(), bytes: bytes.collect() };
        let cluster = Cluster::from(load(&[input], &options()).unwrap());
        assert!(allowed(&cluster, "u", "get pods @ns"), "UTF-16{encoding}");
    }
}

#[test]
fn objects_are_told_apart_by_version_and_kind() {
    let yaml = good("u")
        + "---\n{apiVersion: iam.aws.crossplane.io/v1beta1, kind: Role, metadata: {name: u}, rules: nonsense}\n\
           ---\n{apiVersion: authorization.openshift.io/v1, kind: ClusterRole, metadata: {name: u}}\n\
           ---\n{apiVersion: v1, kind: ClusterRole, metadata: {name: u}}\n\
           ---\n{apiVersion: apps/v1, kind: ControllerRevision}\n\
           ---\n{apiVersion: apps/v1, kind: ControllerRevision}\n";
    let loaded = loaded(&[&yaml]);
    assert_eq!(told(&loaded), [""; 0]);
    let skipped: Vec<String> = loaded
        .summary
        .skipped
        .iter()
        .map(|((version, kind), count)| format!("{version} {kind} {count}"))
        .collect();
    assert_eq!(
        skipped,
        [
            "apps/v1 ControllerRevision 2",
            "authorization.openshift.io/v1 ClusterRole 1",
            "iam.aws.crossplane.io/v1beta1 Role 1",
            "v1 ClusterRole 1",
        ]
    );
    assert!(allowed(&loaded.into(), "u", "get pods"));
}

#[test]
fn versions_that_are_no_longer_served_are_refused() {
    for version in ["v1beta1", "v1alpha1", "v2"] {
        let yaml = role("r", "[]").replace("k8s.io/v1", &format!("k8s.io/{version}"));
        let loaded = loaded(&[&yaml]);
        assert_eq!((loaded.policy.roles.len(), loaded.summary.refused), (0, 1));
        let [told] = &told(&loaded)[..] else { panic!("{:?}", told(&loaded)) };
        assert!(told.starts_with("error[version-not-served] a.yaml:2: a ClusterRole of"), "{told}");
    }
}

#[test]
fn documents_that_are_no_objects_are_told() {
    let kinds = [
        (
            "kind: ClusterRole\nmetadata: {name: r}\n",
            "error[invalid-object] a.yaml:1: a ClusterRole without apiVersion",
        ),
        ("kind: Any\nmetadata: {name: r}\nrules: []\n", "error[not-an-object] a.yaml:1"),
        ("metadata: {name: r}\nrules: []\n", "note[other-documents] a.yaml:1: skipped 1 document"),
        ("just text\n", "note[other-documents] a.yaml:1: skipped 1 document"),
        ("replicas: 3\n", "note[other-documents] a.yaml:1: skipped 1 document"),
        ("- {apiVersion: v1, kind: Namespace}\n", "error[not-an-object] a.yaml:1: a bare list"),
        ("[{\"apiVersion\": \"v1\", \"kind\": \"Namespace\"}]", "error[not-an-object] a.yaml:1: a bare list"),
        (
            "kind: List\nitems: [{apiVersion: v1, kind: Namespace}]\n",
            "error[not-an-object] a.yaml:1: objects under `items`",
        ),
        (
            "apiVersion: v1\nitems: [{apiVersion: v1, kind: Namespace}]\n",
            "error[not-an-object] a.yaml:1: objects under `items`",
        ),
        ("apiVersion: v1\nkind: List\nItems: []\n", "error[not-an-object] a.yaml:1: a List needs a list"),
        ("apiVersion: v1\nkind: List\nitems: {a: b}\n", "error[not-an-object] a.yaml:1: a List needs a list"),
        (
            "{\"apiVersion\": \"v1\", \"kind\": \"List\"}",
            "error[not-an-object] a.yaml:1: a List needs a list",
        ),
        ("apiVersion: v1\nkind: List\nitems: [null]\n", "note[other-documents] a.yaml:3: skipped 1 document"),
        (
            "apiVersion: v1\nkind: List\nitems: [text, 3]\n",
            "note[other-documents] a.yaml:3: skipped 2 documents",
        ),
    ];
    for (yaml, expected) in kinds {
        let told = told(&loaded(&[yaml]));
        assert!(told.len() == 1 && told[0].starts_with(expected), "{yaml}: {told:?}");
    }
    // An empty document says nothing, and there is nothing to tell.
    for yaml in ["", "\n\n", "# only a comment\n", "---\n---\n", "null\n", "~\n"] {
        assert_eq!(told(&loaded(&[yaml])), [""; 0], "{yaml:?}");
    }
}

/// A kustomization may move every object elsewhere.
#[test]
fn what_kustomize_would_change_is_told() {
    let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    for yaml in [
        format!("{head}resources: [a.yaml]\nnamespace: x\nnamePrefix: y-\n"),
        "resources: [a.yaml]\nnamespace: x\nnamePrefix: y-\n".to_owned(),
    ] {
        let told = told(&loaded(&[&yaml]));
        assert!(told[0].starts_with("warning[kustomization-not-applied] a.yaml:1"), "{told:?}");
        assert!(told[0].contains("uses `namespace`, `namePrefix`"), "{told:?}");
    }
    assert_eq!(told(&loaded(&[&format!("{head}resources: [a.yaml]\n")])), [""; 0]);
}

#[test]
fn not_every_kind_that_ends_in_list_is_one() {
    let yaml = "apiVersion: example.com/v1\nkind: AllowList\nitems: [a, b]\n";
    let loaded = loaded(&[yaml]);
    assert_eq!((loaded.summary.not_objects, loaded.summary.skipped.len()), (0, 1));
}

// What the server refuses, and in which words.

/// An object whose metadata is fine, so that only what the test writes is refused.
fn object(kind: &str, rest: &str) -> String {
    let namespace = if kind.starts_with("Cluster") { "" } else { "namespace: ns, " };
    format!("apiVersion: {GROUP}\nkind: {kind}\nmetadata: {{{namespace}name: x}}\n{rest}\n")
}

macro_rules! refused {
    ($($name:ident: $kind:literal $rest:literal, [$($error:literal),+];)*) => {$(
        #[test]
        fn $name() {
            let loaded = loaded(&[&object($kind, $rest)]);
            let place = if $kind.starts_with("Cluster") { "x" } else { "ns/x" };
            let errors = [$($error),+].join("; ");
            let expected = format!("error[invalid-object] a.yaml:1: {} `{place}` would be refused by the API server: {errors}", $kind);
            assert_eq!(told(&loaded), [expected]);
            assert_eq!((loaded.policy.roles.len(), loaded.policy.bindings.len(), loaded.summary.refused), (0, 0, 1));
        }
    )*};
}

refused! {
    a_rule_needs_verbs: "Role" "rules: [{apiGroups: [''], resources: [pods]}]",
        ["rules[0].verbs: Required value: verbs must contain at least one value"];
    a_rule_needs_groups_and_resources: "ClusterRole" "rules: [{verbs: [get]}]",
        ["rules[0].apiGroups: Required value: resource rules must supply at least one api group",
         "rules[0].resources: Required value: resource rules must supply at least one resource"];
    a_role_has_no_urls: "Role" "rules: [{verbs: [get], nonResourceURLs: [/x]}]",
        ["rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs"];
    a_rule_is_for_resources_or_urls: "ClusterRole" "rules: [{verbs: [get], nonResourceURLs: [/x, /y], resources: [pods]}]",
        ["rules[0].nonResourceURLs: Invalid value: [\"/x\",\"/y\"]: rules cannot apply to both regular resources and non-resource URLs"];
    every_bad_rule_is_named: "ClusterRole" "rules: [{verbs: [get], apiGroups: [''], resources: [a]}, {}, {verbs: [get], apiGroups: []}]",
        ["rules[1].verbs: Required value: verbs must contain at least one value",
         "rules[1].apiGroups: Required value: resource rules must supply at least one api group",
         "rules[1].resources: Required value: resource rules must supply at least one resource",
         "rules[2].apiGroups: Required value: resource rules must supply at least one api group",
         "rules[2].resources: Required value: resource rules must supply at least one resource"];
    no_selectors_are_refused: "ClusterRole" "aggregationRule: {clusterRoleSelectors: []}",
        ["aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"];
    a_cluster_binding_grants_no_role: "ClusterRoleBinding" "roleRef: {kind: Role, name: r}",
        ["roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""];
    a_role_ref_has_a_known_kind: "RoleBinding" "roleRef: {kind: role, name: r}",
        ["roleRef.kind: Unsupported value: \"role\": supported values: \"ClusterRole\", \"Role\""];
    a_role_ref_is_of_the_rbac_group: "RoleBinding" "roleRef: {apiGroup: rbac, kind: Role, name: r}",
        ["roleRef.apiGroup: Unsupported value: \"rbac\": supported values: \"rbac.authorization.k8s.io\""];
    a_role_ref_has_a_name: "RoleBinding" "roleRef: {kind: Role}", ["roleRef.name: Required value"];
    a_role_ref_is_a_path_segment: "RoleBinding" "roleRef: {kind: Role, name: a/b%}",
        ["roleRef.name: Invalid value: \"a/b%\": may not contain '/'", "roleRef.name: Invalid value: \"a/b%\": may not contain '%'"];
    a_subject_has_a_known_kind: "RoleBinding" "roleRef: {kind: Role, name: r}\nsubjects: [{kind: user, name: bob}]",
        ["subjects[0].kind: Unsupported value: \"user\": supported values: \"Group\", \"ServiceAccount\", \"User\""];
    a_subject_has_a_name: "RoleBinding" "roleRef: {kind: Role, name: r}\nsubjects: [{kind: User}]",
        ["subjects[0].name: Required value"];
    a_user_is_of_the_rbac_group: "RoleBinding" "roleRef: {kind: Role, name: r}\nsubjects: [{kind: User, name: bob, apiGroup: v1}]",
        ["subjects[0].apiGroup: Unsupported value: \"v1\": supported values: \"rbac.authorization.k8s.io\""];
    a_service_account_is_of_the_core_group: "RoleBinding" "roleRef: {kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: sa, apiGroup: rbac.authorization.k8s.io}]",
        ["subjects[0].apiGroup: Unsupported value: \"rbac.authorization.k8s.io\": supported values: \"\""];
    a_service_account_of_the_cluster_has_a_namespace: "ClusterRoleBinding" "roleRef: {kind: ClusterRole, name: r}\nsubjects: [{kind: ServiceAccount, name: sa}]",
        ["subjects[0].namespace: Required value"];
    a_plain_boolean_is_no_text: "ClusterRole" "rules: [{verbs: [get, on], apiGroups: [''], resources: [pods]}]",
        ["rules[0].verbs[1]: expected text, found the boolean `on`; quote it"];
    a_number_is_no_text: "RoleBinding" "roleRef: {kind: Role, name: 1e3}",
        ["roleRef.name: expected text, found the number `1e3`; quote it"];
    a_text_is_no_list: "ClusterRole" "rules: [{verbs: get, apiGroups: [''], resources: [pods]}]",
        ["rules[0].verbs: expected a list, found the text `get`"];
    a_mapping_is_no_list: "ClusterRole" "rules: {verbs: [get]}", ["rules: expected a list, found a mapping"];
    a_list_is_no_text: "RoleBinding" "roleRef: {kind: Role, name: [r]}", ["roleRef.name: expected text, found a list"];
}

#[test]
fn names_are_path_segments() {
    let loaded_with = |name: &str| {
        told(&loaded(&[&format!("apiVersion: {GROUP}\nkind: ClusterRole\nmetadata: {{name: \"{name}\"}}\n")]))
    };
    for good in ["a", "A b", "system:x:y", "äöü", "...", "-", "*"] {
        assert_eq!(loaded_with(good), [""; 0], "{good}");
    }
    for (bad, error) in [
        ("", "metadata.name: Required value: name or generateName is required"),
        (".", "metadata.name: Invalid value: \".\": may not be '.'"),
        ("..", "metadata.name: Invalid value: \"..\": may not be '..'"),
        ("a/b", "metadata.name: Invalid value: \"a/b\": may not contain '/'"),
        ("50%", "metadata.name: Invalid value: \"50%\": may not contain '%'"),
    ] {
        let told = loaded_with(bad);
        assert!(told.len() == 1 && told[0].ends_with(error), "{bad}: {told:?}");
    }
}

/// Empty strings, mixtures with a star, unknown verbs and odd URLs are all stored.
#[test]
fn odd_rules_are_accepted() {
    let rules = "[{verbs: [''], apiGroups: ['', '*', 'x y'], resources: ['', '*', 'pods/*', 'a/b/c'], resourceNames: ['', '*']}, \
                  {verbs: ['*', get], nonResourceURLs: [no-slash, '/a*b', '', '**']}]";
    let objects = [
        role("r", rules),
        object("Role", "rules: null"),
        object("RoleBinding", "roleRef: {kind: ClusterRole, name: 'no such role'}\nsubjects: null"),
        object("ClusterRoleBinding", "roleRef: {kind: ClusterRole, name: r}\nsubjects: []"),
    ];
    let loaded = loaded(&[&objects.join("---\n")]);
    assert_eq!(told(&loaded), [""; 0]);
    assert_eq!((loaded.policy.roles.len(), loaded.policy.bindings.len()), (2, 2));
}

#[test]
fn unknown_fields_are_dropped_and_told() {
    let yaml = object(
        "ClusterRole",
        "rules: [{verbs: [get], apigroups: [''], apiGroups: [''], resources: [pods], Verbs: [list]}]\nrule: []",
    );
    let loaded = loaded(&[&yaml]);
    let fields: Vec<String> = told(&loaded);
    assert_eq!(fields.len(), 3, "{fields:?}");
    assert!(fields.iter().all(|told| {
        told.starts_with("warning[unknown-field] a.yaml:1: ClusterRole `x` has an unknown field `")
    }));
    let bound = bind("b", "ClusterRole x", "User u");
    let cluster = cluster_of(&[&yaml, &bound], Completeness::Complete);
    assert!(allowed(&cluster, "u", "get pods") && !allowed(&cluster, "u", "list pods"));
}

#[test]
fn null_reads_as_nothing() {
    let yaml = object("ClusterRole", "rules: null\naggregationRule: null")
        + "---\n"
        + &object("RoleBinding", "roleRef: {kind: Role, name: r, apiGroup: null}\nsubjects: ~");
    let loaded = loaded(&[&yaml]);
    assert_eq!(told(&loaded), [""; 0]);
    assert_eq!((loaded.policy.roles.len(), loaded.policy.bindings.len()), (1, 1));
}

// Which object counts.

#[test]
fn the_later_of_two_different_objects_counts_and_both_places_are_named() {
    let first = role("r", "[{verbs: [get], apiGroups: [''], resources: [pods]}]");
    let second = role("r", "[{verbs: [list], apiGroups: [''], resources: [pods]}]");
    let bound = bind("b", "ClusterRole r", "User u");
    for (texts, request) in [([&first, &second], "list pods"), ([&second, &first], "get pods")] {
        let inputs = [text("one.yaml", texts[0]), text("two.yaml", texts[1]), text("b.yaml", &bound)];
        let loaded = load(&inputs, &options()).unwrap();
        let told = told(&loaded);
        assert!(told.len() == 1 && told[0].starts_with("warning[object-replaced] two.yaml:2"), "{told:?}");
        assert!(told[0].contains("one.yaml:2"), "{told:?}");
        let cluster = Cluster::from(loaded);
        assert!(allowed(&cluster, "u", request));
        assert!(!allowed(&cluster, "u", if request == "get pods" { "list pods" } else { "get pods" }));
    }
}

#[test]
fn equal_objects_are_one_and_nothing_is_told() {
    let loaded = loaded(&[&good("u"), &good("u")]);
    assert_eq!(told(&loaded), [""; 0]);
    assert_eq!((loaded.policy.roles.len(), loaded.policy.bindings.len()), (1, 1));
}

#[test]
fn a_refused_object_replaces_nothing() {
    let loaded = loaded(&[&good("u"), &role("u", "[{verbs: [get]}]")]);
    assert_eq!(loaded.summary.refused, 1);
    assert!(allowed(&loaded.into(), "u", "get pods"));
}

#[test]
fn objects_in_different_namespaces_are_different() {
    let rule = |verb: &str| format!("[{{verbs: [{verb}], apiGroups: [''], resources: [pods]}}]");
    let loaded = loaded(&[&role("a/r", &rule("get")), &role("b/r", &rule("list"))]);
    assert_eq!((told(&loaded), loaded.policy.roles.len()), (Vec::new(), 2));
}

/// The server gives each a name of its own.
#[test]
fn objects_with_generate_name_are_as_many_as_are_written() {
    let one = |user: &str| {
        bind("b", "ClusterRole view", &format!("User {user}")).replace("name: 'b'", "generateName: 'b-'")
    };
    let loaded = load(&[text("a.yaml", &(one("u") + &one("v")))], &LoadOptions::default()).unwrap();
    assert_eq!(told(&loaded), [""; 0]);
    let cluster = Cluster::from(loaded);
    assert!(allowed(&cluster, "u", "get pods") && allowed(&cluster, "v", "get pods"));
}

#[test]
fn what_has_no_namespace_is_in_default_and_that_is_told_once() {
    let yaml = role("default/r", "[{verbs: [get], apiGroups: [''], resources: [pods]}]")
        + &bind("default/b", "Role r", "User u, ServiceAccount sa");
    let yaml = yaml.replace("namespace: 'default', ", "");
    let loaded = loaded(&[&yaml]);
    let told = told(&loaded);
    assert!(
        told.len() == 1 && told[0].starts_with("note[namespace-defaulted] a.yaml:2: 2 objects"),
        "{told:?}"
    );
    let cluster = Cluster::from(loaded);
    assert!(allowed(&cluster, "u", "get pods @default"));
    assert!(allowed(&cluster, "system:serviceaccount:default:sa", "get pods @default"));
}

#[test]
fn a_namespace_on_a_cluster_scoped_kind_is_ignored() {
    let yaml = good("u").replace("namespace: ''", "namespace: 'ns'");
    let loaded = loaded(&[&yaml]);
    assert_eq!(told(&loaded), [""; 0]);
    assert!(allowed(&loaded.into(), "u", "get pods @other"));
}

#[test]
fn an_input_replaces_the_default_of_the_same_name() {
    let yaml = role("view", "[{verbs: [get], apiGroups: [''], resources: [secrets]}]")
        + &bind("b", "ClusterRole view", "User u");
    let loaded = load(&[text("a.yaml", &yaml)], &LoadOptions::default()).unwrap();
    let cluster = Cluster::from(loaded);
    assert!(allowed(&cluster, "u", "get secrets") && !allowed(&cluster, "u", "get pods"));
}

#[test]
fn an_export_is_complete_and_gets_no_defaults() {
    let labelled = |name: &str| {
        role(name, "[]")
            .replace("name:", "labels: {kubernetes.io/bootstrapping: rbac-defaults}, uid: u, name:")
    };
    let export: String =
        ["cluster-admin", "admin", "edit", "view"].iter().map(|name| labelled(name)).collect();
    let export = export + &role("ns/r", "[]");
    let load_with = |texts: &str, defaults| {
        let options = LoadOptions { defaults, ..LoadOptions::default() };
        load(&[text("a.yaml", texts)], &options).unwrap()
    };
    let loaded = load_with(&export, Defaults::Auto);
    assert_eq!((loaded.completeness, loaded.summary.defaults_added), (Completeness::Complete, 0));
    // Roles are there; no cluster is without bindings of both kinds.
    let lacking: Vec<String> = told(&loaded);
    assert_eq!(lacking.len(), 2, "{lacking:?}");
    assert!(lacking.iter().all(|told| told.starts_with("warning[export-lacks-kind]")), "{lacking:?}");
    let whole =
        format!("{export}{}{}", bind("b", "ClusterRole view", "User u"), bind("ns/b", "Role r", "User u"));
    assert_eq!(told(&load_with(&whole, Defaults::Auto)), [""; 0]);
    assert!(load_with(&export, Defaults::Always).summary.defaults_added > 100);
    // One of them alone is a part of a tree.
    let part = load_with(&labelled("view"), Defaults::Auto);
    assert_eq!(part.completeness, Completeness::Partial);
    assert!(part.summary.defaults_added > 100);
    assert_eq!(load_with(&labelled("view"), Defaults::Never).summary.defaults_added, 0);
}

// Broken and hostile texts.

/// Whether the good objects around a text still count, and what is told.
fn beside(text_between: &[u8]) -> (bool, Vec<String>) {
    let mut same_file = good("u").into_bytes();
    same_file.extend_from_slice(b"---\n");
    same_file.extend_from_slice(text_between);
    same_file.extend_from_slice(b"\n---\n");
    same_file.extend_from_slice(good("v").as_bytes());
    let inputs = [
        Input::Text { name: "same.yaml".into(), bytes: same_file },
        Input::Text { name: "own.yaml".into(), bytes: text_between.to_vec() },
        text("other.yaml", &good("w")),
    ];
    let loaded = load(&inputs, &options()).unwrap();
    let told = told(&loaded);
    let cluster = Cluster::from(loaded);
    assert!(allowed(&cluster, "w", "get pods"), "another file");
    (allowed(&cluster, "u", "get pods") && allowed(&cluster, "v", "get pods"), told)
}

#[test]
fn a_broken_document_hides_no_other() {
    for broken in [
        "a: b: c",
        "a: [",
        "key: 'open",
        "- a\nb: c",
        "\tx: y",
        "a: *nowhere",
        "{{- if .Values.x }}\na: b\n{{- end }}",
        "a: &x [*x]",
        "? [a\n: b",
        "\u{1}",
        "a: \"\\q\"",
        "@at",
        "<<: 3",
        "apiVersion: v1\nkind: ConfigMap\n  metadata: {}",
    ] {
        let (good, told) = beside(broken.as_bytes());
        assert!(good, "{broken:?}: {told:?}");
        let errors = told.iter().filter(|told| told.starts_with("error[")).count();
        assert!(errors >= 2, "{broken:?} in two files: {told:?}");
    }
}

#[test]
fn hostile_texts_end_in_a_diagnostic() {
    let laughs = (1..30).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let before = level - 1;
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 9].join(", "))
    });
    let hostile: Vec<(&str, Vec<u8>)> = vec![
        ("brackets", "[".repeat(100_000).into_bytes()),
        ("braces", "{\"a\":".repeat(100_000).into_bytes()),
        ("flow mappings", "{a: ".repeat(20_000).into_bytes()),
        ("question marks", "? ".repeat(20_000).into_bytes()),
        ("dashes", "- ".repeat(20_000).into_bytes()),
        ("indents", (0..2_000).flat_map(|depth| format!("{}a:\n", " ".repeat(depth)).into_bytes()).collect()),
        ("aliases", laughs.into_bytes()),
        ("NUL", b"a: \0\nb: c".to_vec()),
        ("only NUL", vec![0; 5_000]),
        ("control characters", b"a: \x07\x1b[31m".to_vec()),
        ("invalid UTF-8", b"a: \xff\xfe\xfd".to_vec()),
        ("a surrogate", b"a: \xed\xa0\x80".to_vec()),
        ("odd UTF-16", b"\xff\xfea\0b".to_vec()),
        ("a lone surrogate in UTF-16", b"\xff\xfe\x00\xd8a\0".to_vec()),
        ("UTF-32", b"\xff\xfe\0\0a\0\0\0".to_vec()),
        ("truncated JSON", br#"{"apiVersion": "v1", "kind": "List", "items": [{"kind""#.to_vec()),
        ("JSON escape", br#"{"a": "\ud800", "b": "\x"}"#.to_vec()),
        ("quotes", "\"".repeat(99_999).into_bytes()),
        ("anchors", "&a ".repeat(20_000).into_bytes()),
        ("tags", "!a ".repeat(20_000).into_bytes()),
        ("block scalars", "|".repeat(50_000).into_bytes()),
    ];
    for (name, bytes) in &hostile {
        let input = Input::Text { name: "own.yaml".into(), bytes: bytes.clone() };
        let loaded = load(&[input, text("other.yaml", &good("w"))], &options()).unwrap();
        let told = told(&loaded);
        let errors = told.iter().filter(|told| told.starts_with("error[")).count();
        assert!((1..=3).contains(&errors), "{name}: {told:?}");
        assert!(told.iter().all(|told| told.len() < 1_000), "{name}: a message without end");
        assert!(allowed(&loaded.into(), "w", "get pods"), "{name}");
    }
}

#[test]
fn a_cut_json_stream_keeps_what_is_whole() {
    let [role, binding] = good_json("u");
    let text = format!("{role}\n{{\"apiVersion\": \"{GROUP}\", \"kind\":\n{binding}\n");
    let loaded = loaded(&[&text]);
    let told = told(&loaded);
    assert!(told.len() == 1 && told[0].starts_with("error[invalid-json] a.yaml:3"), "{told:?}");
    assert!(allowed(&loaded.into(), "u", "get pods"));
}

#[test]
fn text_after_the_end_of_a_document_is_told() {
    for text in ["a: 1\n...\n", "{a: 1}\n", "\"a\"\n"] {
        let yaml = format!("# no JSON\n{text}{}", good("u").replacen("---\n", "", 1));
        let loaded = loaded(&[&yaml]);
        let told = told(&loaded);
        let tells = |told: &String| {
            told.starts_with("error[text-not-read]") || told.starts_with("error[invalid-yaml]")
        };
        assert!(told.iter().any(tells), "{text:?}: {told:?}");
        let cluster = Cluster::from(loaded);
        let answer = |user: &str| {
            let request = Request::parse("get pods");
            let user = UserInfo::as_given(user, [""; 0]);
            cluster.graph().answer(&user, &request.attributes(), cluster.coverage()).ternary
        };
        // What was not read may hold what allows it.
        assert_eq!(answer("u"), Ternary::Unknown, "{text:?}");
    }
}

#[test]
fn odd_separators_are_told() {
    let yaml = good("u") + "--- {apiVersion: v1, kind: Namespace, metadata: {name: nn}}\n";
    let told = told(&loaded(&[&yaml]));
    assert!(told.len() == 1 && told[0].starts_with("warning[odd-separator] a.yaml:"), "{told:?}");
}

#[test]
fn what_cannot_be_read_makes_a_no_unknown() {
    let cluster = cluster_of(&[&good("u"), &format!("apiVersion: {GROUP}\nkind: [")], Completeness::Complete);
    let request = Request::parse("list pods");
    let ask = |user: &str| {
        let user = UserInfo::as_given(user, [""; 0]);
        cluster.graph().answer(&user, &request.attributes(), cluster.coverage()).ternary
    };
    assert_eq!(ask("u"), Ternary::Unknown);
    assert!(allowed(&cluster, "u", "get pods"));
    let rows = [
        ("something_else", "replicas: [", Ternary::No),
        ("another_kind", "apiVersion: apps/v1\nkind: Deployment\nspec: [", Ternary::No),
        ("a_list_cut_short", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [", Ternary::Unknown),
        ("a_list_cut_short_before_its_kind", "{\"apiVersion\": \"v1\", \"items\": [{", Ternary::Unknown),
        ("a_template_of_who_knows_what", "{{ include \"chart.roles\" . }}\n", Ternary::Unknown),
    ];
    for (name, text, expected) in rows {
        let other = cluster_of(&[&good("u"), text], Completeness::Complete);
        let user = UserInfo::as_given("u", [""; 0]);
        let answer = other.graph().answer(&user, &request.attributes(), other.coverage());
        assert_eq!(answer.ternary, expected, "{name}");
    }
}

// Files.

#[test]
fn directories_are_read_in_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let one = |verb: &str| role("r", &format!("[{{verbs: [{verb}], apiGroups: [''], resources: [pods]}}]"));
    write("b/10.yaml", &one("ten"));
    write("b/9.yml", &one("nine"));
    write("a.json", &good_json("u")[0]);
    write("z/deep/er/bind.yaml", &bind("b", "ClusterRole r", "User u"));
    write("readme.md", "kind: [");
    write("notes.yaml.bak", "kind: [");
    let loaded = load(&[Input::Path(folder.path().to_owned())], &options()).unwrap();
    assert_eq!(loaded.summary.files, 4);
    // `9` comes after `10`, as text.
    assert!(allowed(&loaded.into(), "u", "nine pods"));
}

#[test]
fn a_directory_without_manifests_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("readme.md"), "x").unwrap();
    let loaded = load(&[Input::Path(folder.path().to_owned())], &options()).unwrap();
    let told = told(&loaded);
    assert!(told.len() == 1 && told[0].starts_with("warning[empty-directory] "), "{told:?}");
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let error = load(&[Input::Path("no/such/file.yaml".into())], &options()).unwrap_err();
    assert!(error.to_string().starts_with("cannot read `no/such/file.yaml`: "), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_a_circle_or_nowhere_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), good("u")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
    std::os::unix::fs::symlink("nowhere.yaml", folder.path().join("gone.yaml")).unwrap();
    let loaded = load(&[Input::Path(folder.path().to_owned())], &options()).unwrap();
    let told = told(&loaded);
    assert_eq!(told.iter().filter(|told| told.starts_with("error[unreadable-file]")).count(), 2, "{told:?}");
    assert!(allowed(&loaded.into(), "u", "get pods"));
}

/// A large file is read in pieces; where the pieces end must not matter.
#[test]
fn large_files_read_as_small_ones_do() {
    let [role, binding] = good_json("last");
    let filler = |number: usize| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":"p{number}"}},"spec":{{"note":"{}"}}}}"#,
            "x".repeat(400)
        )
    };
    let many: Vec<String> = (0..3_000).map(filler).collect();
    let list =
        format!(r#"{{"apiVersion":"v1","kind":"List","items":[{},{role},{binding}]}}"#, many.join(","));
    let stream = format!("{}\n{role}\n{binding}\n", many.join("\n"));
    let yaml = format!("---\n{}\n---\n{role}\n---\n{binding}\n", many.join("\n---\n"));
    let items =
        format!("apiVersion: v1\nkind: List\nitems:\n- {}\n- {role}\n- {binding}\n", many.join("\n- "));
    let trailing = format!("{list}\n{}", good_json("after").join("\n"));
    for (name, text_of) in
        [("list", &list), ("stream", &stream), ("yaml", &yaml), ("items", &items), ("trailing", &trailing)]
    {
        let loaded = loaded(&[text_of]);
        assert_eq!(told(&loaded), [""; 0], "{name}");
        assert_eq!(loaded.summary.skipped.values().sum::<usize>(), 3_000, "{name}");
        let cluster = Cluster::from(loaded);
        assert!(allowed(&cluster, "last", "get pods"), "{name}");
        assert_eq!(allowed(&cluster, "after", "get pods"), name == "trailing", "{name}");
    }
}

/// `ValidateLabels` and `ValidateAnnotations`, behind `ValidateObjectMeta`, and the same of selectors.
#[test]
fn labels_annotations_and_selectors_are_spelled_as_the_server_wants_them() {
    let with = |metadata: &str, rest: &str| {
        let text =
            format!("apiVersion: {GROUP}\nkind: ClusterRole\nmetadata: {{name: x{metadata}}}\n{rest}\n");
        let loaded = loaded(&[&text]);
        assert_eq!(loaded.summary.refused + loaded.policy.roles.len(), 1);
        told(&loaded)
    };
    let long = "x".repeat(64);
    let name = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    let value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    let labels = |key: &str, value: &str| format!(", labels: {{\"{key}\": \"{value}\"}}");
    for (key, text) in [("a", ""), ("A.b_c-d", "X.y_z-1"), ("x.io/a", "1"), (&long[1..], &long[1..])] {
        assert_eq!(with(&labels(key, text), ""), [""; 0], "{key} {text}");
        let selectors = format!(
            "aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{\"{key}\": \"{text}\"}}}}]}}"
        );
        assert_eq!(with("", &selectors), [""; 0], "{key} {text}");
    }
    for (key, text, error) in [
        ("bad key!", "", format!("\"bad key!\": {name}")),
        ("-a", "", format!("\"-a\": {name}")),
        ("", "x", "\"\": name part must be non-empty".to_owned()),
        ("/a", "x", "\"/a\": prefix part must be non-empty".to_owned()),
        ("X.io/a", "x", "\"X.io/a\": prefix part a lowercase RFC 1123 subdomain must consist".to_owned()),
        ("a/b/c", "x", "\"a/b/c\": a qualified name must consist".to_owned()),
        (&long, "x", format!("\"{long}\": name part must be no more than 63 bytes")),
        ("a", "b c", format!("\"b c\": {value}")),
        ("a", "b/c", format!("\"b/c\": {value}")),
        ("a", &long, format!("\"{long}\": must be no more than 63 bytes")),
    ] {
        for (told, path) in [
            (with(&labels(key, text), ""), "metadata.labels"),
            (
                with(
                    "",
                    &format!(
                        "aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{\"{key}\": \"{text}\"}}}}]}}"
                    ),
                ),
                "aggregationRule.clusterRoleSelectors[0].matchLabels",
            ),
        ] {
            let expected = format!("would be refused by the API server: {path}: Invalid value: {error}");
            assert!(told.len() == 1 && told[0].contains(&expected), "{key} {text}: {told:?}");
        }
    }
    let expression = |key: &str, value: &str| {
        with(
            "",
            &format!(
                "aggregationRule: {{clusterRoleSelectors: [{{matchExpressions: [{{key: \"{key}\", operator: In, values: [\"{value}\"]}}]}}]}}"
            ),
        )
    };
    assert_eq!(expression("x.io/a", "b"), [""; 0]);
    assert!(expression("a b", "c")[0].contains("matchExpressions[0].key: Invalid value: \"a b\""));
    assert!(expression("a", "b c")[0].contains("matchExpressions[0].values[0]: Invalid value: \"b c\""));
    assert_eq!(with(", annotations: {X.io/A: 'any text: at all'}", ""), [""; 0]);
    assert!(
        with(", annotations: {'a b': x}", "")[0].contains("metadata.annotations: Invalid value: \"a b\"")
    );
}

#[test]
fn of_a_label_that_stands_twice_the_last_counts() {
    let role = |labels: &str, selector: &str, rules: &str| {
        format!(
            "---\napiVersion: {GROUP}\nkind: ClusterRole\nmetadata: {{name: n{}{labels}}}\n{selector}\nrules: {rules}\n",
            labels.len()
        )
    };
    let get = "[{verbs: [get], apiGroups: [''], resources: [pods]}]";
    let bound = |labels: &str, selector: &str| {
        let text = role(labels, "", get)
            + &role("", &format!("aggregationRule: {{clusterRoleSelectors: [{selector}]}}"), "[]")
            + &format!(
                "---\napiVersion: {GROUP}\nkind: ClusterRoleBinding\nmetadata: {{name: b}}\nroleRef: {{kind: ClusterRole, name: n0}}\nsubjects: [{{kind: User, name: u}}]\n"
            );
        allowed(&cluster_of(&[&text], Completeness::Complete), "u", "get pods")
    };
    for (labels, selector, expected) in [
        ("{a: x}", "{matchLabels: {a: b, a: x}}", true),
        ("{a: x}", "{matchLabels: {a: x, a: b}}", false),
        ("{a: b, a: x}", "{matchLabels: {a: x}}", true),
        ("{a: x, a: b}", "{matchLabels: {a: x}}", false),
        ("{a: x}", "{matchLabels: {c: d}, matchLabels: {a: x}}", true),
        (
            "{a: x}",
            "{matchExpressions: [{key: a, operator: DoesNotExist}], matchExpressions: [{key: a, operator: Exists}]}",
            true,
        ),
        ("{a: x}", "{matchLabels: {a: x}, matchExpressions: [{key: a, operator: DoesNotExist}]}", false),
    ] {
        assert_eq!(bound(&format!(", labels: {labels}"), selector), expected, "{labels} {selector}");
    }
}

/// `ValidateCustomResourceDefinition`, as far as it decides what a type is.
#[test]
fn a_custom_resource_has_a_scope_and_the_name_of_its_type() {
    let crd = |name: &str, scope: &str| {
        let text = format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}}}\nspec: {{group: x.io, {scope}names: {{plural: things, kind: Thing}}, versions: [{{name: v1, served: true}}]}}\n"
        );
        let loaded = loaded(&[&text]);
        assert_eq!(loaded.catalogue.find("x.io", "things").is_some(), loaded.summary.refused == 0);
        told(&loaded).join("")
    };
    assert_eq!(crd("things.x.io", "scope: Namespaced, "), "");
    assert_eq!(crd("things.x.io", "scope: Cluster, "), "");
    assert!(crd("things.x.io", "").ends_with("spec.scope: Required value"));
    assert!(
        crd("things.x.io", "scope: namespaced, ").contains("spec.scope: Unsupported value: \"namespaced\"")
    );
    assert!(
        crd("thing", "scope: Cluster, ")
            .contains("metadata.name: Invalid value: \"thing\": must be spec.names.plural")
    );
}

/// kubectl reads some of these and refuses others: either way they may be in the cluster.
#[test]
fn objects_that_are_not_read_make_a_no_unknown() {
    let object = format!("{{apiVersion: {GROUP}, kind: ClusterRole, metadata: {{name: r}}}}");
    for (text, unread) in [
        (format!("[{object}]"), true),
        (format!("kind: List\nitems: [{object}]"), true),
        (format!("apiVersion: v1\nitems: [{object}]"), true),
        (format!("apiVersion: v1\nkind: List\nItems: [{object}]"), true),
        (format!("apiVersion: v1\nkind: List\nitems: {{a: {object}}}"), true),
        ("apiVersion: v1\nkind: List\nitem: [a]".to_owned(), false),
        ("items: [a, b]".to_owned(), false),
        (format!("kept: {object}"), false),
    ] {
        assert_eq!(loaded(&[&text]).summary.unread.is_empty(), !unread, "{text}");
    }
}
