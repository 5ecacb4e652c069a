//! Kustomizations are read for what they do: what they change is neither a yes nor a no, and nothing else is left open.

use std::fs;
use std::path::Path;

use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::model::attributes::{Attributes, ResourceAttributes};
use rbacsim::model::ternary::Ternary::{self, No, Unknown, Yes};
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Input, LoadOptions, load};
use tempfile::TempDir;

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules:
- {apiGroups: [''], resources: [pods], verbs: [get]}
";

const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: u}
";

/// A Role and a RoleBinding of user `u`, without a namespace.
fn open() -> String {
    format!("{ROLE}---\n{BINDING}")
}

/// The same in namespace `a`.
fn placed() -> String {
    open()
        .replace("{name: r}\nrules", "{name: r, namespace: a}\nrules")
        .replace("{name: b}", "{name: b, namespace: a}")
}

pub(crate) fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn cluster(folder: &Path) -> Cluster {
    load(&[Input::Path(folder.to_owned())], &LoadOptions::default()).unwrap().into()
}

fn ask(cluster: &Cluster, user: &str, verb: &str, resource: &str, namespace: &str) -> Ternary {
    let attributes = Attributes::Resource(ResourceAttributes {
        verb,
        group: "",
        resource,
        subresource: "",
        name: "",
        namespace,
    });
    let who = Who::user(UserInfo::authenticated(user, [""; 0]));
    let ternary = cluster.ternary(&who, &attributes);
    assert_eq!(cluster.answer(&who, &attributes).ternary, ternary, "with and without reasons");
    ternary
}

/// Whether `u` may get pods, in the namespaces `a`, `b` and `default`, and whether he may get secrets in `a`.
fn answers(files: &[(&str, &str)]) -> [Ternary; 4] {
    let folder = tree(files);
    let cluster = cluster(folder.path());
    let pods = |namespace| ask(&cluster, "u", "get", "pods", namespace);
    [pods("a"), pods("b"), pods("default"), ask(&cluster, "u", "get", "secrets", "a")]
}

#[test]
fn a_kustomization_that_only_lists_changes_nothing() {
    let placed = placed();
    for kustomization in [
        "resources: [x.yaml]",
        "resources: [x.yaml]\nimages: [{name: i, newTag: '2'}]\nreplicas: [{name: d, count: 3}]",
        "resources: [x.yaml]\ncommonAnnotations: {a: b}\ncommonLabels: {app: x}",
        "resources: [x.yaml]\nnamespace: a",
        "resources: [x.yaml]\nlabels: [{pairs: {team: y}}]",
        "resources: [x.yaml]\npatches: [{target: {kind: Deployment}, patch: '[{op: remove, path: /spec}]'}]",
        "resources: [x.yaml]\nconfigMapGenerator: [{name: other, literals: [a=b]}]",
        "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nbases: [./base]\nresources: [x.yaml]",
    ] {
        let files = [
            ("x.yaml", placed.as_str()),
            ("kustomization.yaml", kustomization),
            ("base/kustomization.yaml", "resources: []"),
        ];
        assert_eq!(answers(&files), [Yes, No, No, No], "{kustomization}");
    }
}

#[test]
fn a_namespace_moves_objects() {
    let open = open();
    let base = ("base/x.yaml", open.as_str());
    let lists = ("base/kustomization.yaml", "resources: [x.yaml]");
    assert_eq!(answers(&[base, lists]), [No, No, Yes, No]);
    let one = ("o/kustomization.yaml", "namespace: a\nresources: [../base]");
    assert_eq!(answers(&[base, lists, one]), [Unknown, No, Unknown, No]);
    let two = ("p/kustomization.yml", "namespace: b\nresources: [../base/]");
    assert_eq!(answers(&[base, lists, one, two]), [Unknown, Unknown, Unknown, No]);
    let upper = ("q/Kustomization", "namespace: b\nresources: [../o]");
    assert_eq!(answers(&[base, lists, one, upper]), [Unknown, Unknown, Unknown, No]);
    let placed = placed();
    let moved = [("x.yaml", placed.as_str()), ("kustomization.yaml", "namespace: b\nresources: [x.yaml]")];
    assert_eq!(answers(&moved), [Unknown, Unknown, No, No]);
}

#[test]
fn prefixes_keep_bindings_and_roles_together() {
    let placed = placed();
    let files = [
        ("x.yaml", placed.as_str()),
        ("kustomization.yaml", "namePrefix: p-\nnameSuffix: -s\nresources: [x.yaml]"),
    ];
    assert_eq!(answers(&files), [Unknown, No, No, No]);
    let account = placed.replace(
        "apiGroup: rbac.authorization.k8s.io, kind: User, name: u",
        "kind: ServiceAccount, name: s, namespace: a",
    );
    let text =
        format!("{account}---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: s, namespace: a}}\n");
    let folder = tree(&[
        ("x.yaml", &text),
        ("kustomization.yaml", "namePrefix: p-\nnamespace: b\nresources: [x.yaml]"),
    ]);
    let cluster = cluster(folder.path());
    let may = |user| ask(&cluster, user, "get", "pods", "b");
    assert_eq!(may("system:serviceaccount:b:p-s"), Unknown);
    assert_eq!(may("system:serviceaccount:b:other"), No);
}

#[test]
fn patches_are_no_objects_and_change_what_they_are_for() {
    let placed = placed();
    let more = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: a}\nrules:\n- {apiGroups: [''], resources: [secrets], verbs: [get]}\n";
    let label = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: a, labels: {x: y}}\n";
    let operations = "- {op: add, path: /rules/0/resources/-, value: secrets}";
    for (patches, patch, expected) in [
        // The rules are replaced, so what they were is unknown too.
        ("patches: [{path: p.yaml}]", more, [Unknown, No, No, Unknown]),
        ("patchesStrategicMerge: [p.yaml]", more, [Unknown, No, No, Unknown]),
        ("patches: [{path: p.yaml, target: {kind: Role, name: 'r.*'}}]", more, [Unknown, No, No, Unknown]),
        ("patches: [{path: p.yaml, target: {kind: Role, name: other}}]", more, [Yes, No, No, No]),
        ("patches: [{path: p.yaml, target: {kind: Role, labelSelector: 'x=z'}}]", more, [Yes, No, No, No]),
        ("patches: [{path: p.yaml, target: {kind: Role}}]", operations, [Unknown, No, No, Unknown]),
        (
            "patchesJson6902: [{path: p.yaml, target: {kind: Role, name: r, group: rbac.authorization.k8s.io, version: v1}}]",
            operations,
            [Unknown, No, No, Unknown],
        ),
        ("patches: [{path: p.yaml}]", label, [Yes, No, No, No]),
        (
            "patches: [{path: p.yaml}]",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: a}\n$patch: delete\n",
            [Unknown, No, No, No],
        ),
        (
            "patches: [{path: p.yaml}]",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: a}\nsubjects: []\n",
            [Unknown, No, No, No],
        ),
        // What nothing here does may do anything to the role.
        (
            "transformers: [p.yaml]",
            "apiVersion: example.com/v1\nkind: Any\nmetadata: {name: x}\n",
            [Unknown; 4],
        ),
        (
            "replacements: [{source: {kind: ConfigMap}, targets: [{select: {kind: Role}, fieldPaths: [rules]}]}]",
            "a: b",
            [Unknown, No, No, Unknown],
        ),
    ] {
        let kustomization = format!("resources: [x.yaml]\n{patches}\n");
        let files =
            [("x.yaml", placed.as_str()), ("p.yaml", patch), ("kustomization.yaml", kustomization.as_str())];
        assert_eq!(answers(&files), expected, "{patches}\n{patch}");
    }
}

#[test]
fn a_patch_inside_the_kustomization_counts() {
    let placed = placed();
    let strategic = "resources: [x.yaml]\npatches:\n- patch: |\n    apiVersion: rbac.authorization.k8s.io/v1\n    kind: RoleBinding\n    metadata: {name: b, namespace: a}\n    subjects:\n    - {apiGroup: rbac.authorization.k8s.io, kind: User, name: v}\n";
    let folder = tree(&[("x.yaml", &placed), ("kustomization.yaml", strategic)]);
    let cluster = cluster(folder.path());
    let may = |user| ask(&cluster, user, "get", "pods", "a");
    assert_eq!([may("u"), may("v"), may("w")], [Unknown, Unknown, No]);
}

#[test]
fn a_patch_that_is_refused_as_an_object_is_no_error() {
    let placed = placed();
    let patch = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: a}\nsubjects: []\n";
    let folder = tree(&[
        ("x.yaml", &placed),
        ("p.yaml", patch),
        ("kustomization.yaml", "resources: [x.yaml]\npatches: [{path: p.yaml}]"),
    ]);
    let loaded = load(&[Input::Path(folder.path().to_owned())], &LoadOptions::default()).unwrap();
    assert_eq!(loaded.summary.refused, 0);
    assert!(!loaded.diagnostics.iter().any(|one| one.code.as_str() == "invalid-object"));
}

/// A ClusterRoleBinding of a service account without its namespace is refused, and kustomize writes the namespace.
#[test]
fn what_is_refused_as_it_stands_may_be_completed() {
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects:\n- {kind: ServiceAccount, name: s}\n";
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s}\n";
    let folder = tree(&[
        ("sub/b.yaml", binding),
        ("sub/s.yaml", account),
        ("sub/kustomization.yaml", "resources: [b.yaml, s.yaml]"),
        ("kustomization.yaml", "namespace: ops\nresources: [sub]"),
    ]);
    let cluster = cluster(folder.path());
    let may = |user| ask(&cluster, user, "get", "pods", "a");
    assert_eq!(may("system:serviceaccount:ops:s"), Unknown);
    assert_eq!(may("system:serviceaccount:other:s"), No);
    assert_eq!(cluster.summary().refused, 0);
}

#[test]
fn components_and_generators_are_followed() {
    let placed = placed();
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamespace: b\n";
    let files = [
        ("x.yaml", placed.as_str()),
        ("c/kustomization.yaml", component),
        ("kustomization.yaml", "resources: [x.yaml]\ncomponents: [c]"),
    ];
    assert_eq!(answers(&files), [Unknown, Unknown, No, No]);
    // The files of a generated ConfigMap are no objects.
    let files = [
        ("x.yaml", placed.as_str()),
        ("more/y.yaml", ROLE),
        ("kustomization.yaml", "configMapGenerator: [{name: manifests, files: [x.yaml]}]"),
    ];
    assert_eq!(answers(&files), [No, No, No, No]);
}

#[test]
fn of_several_overlays_only_what_all_apply_is_certain() {
    let placed = placed();
    let other = placed.replace("namespace: a", "namespace: b");
    let files = [
        ("base/x.yaml", placed.as_str()),
        ("base/kustomization.yaml", "resources: [x.yaml]"),
        ("dev/y.yaml", other.as_str()),
        ("dev/kustomization.yaml", "resources: [../base, y.yaml]"),
        ("prod/kustomization.yaml", "resources: [../base]"),
    ];
    assert_eq!(answers(&files), [Yes, Unknown, No, No]);
    // Without a base in common both are applied.
    let files = [
        ("dev/y.yaml", other.as_str()),
        ("dev/kustomization.yaml", "resources: [y.yaml]"),
        ("prod/x.yaml", placed.as_str()),
        ("prod/kustomization.yaml", "resources: [x.yaml]"),
    ];
    assert_eq!(answers(&files), [Yes, Yes, No, No]);
}

#[test]
fn a_file_that_the_kustomization_beside_it_does_not_list_is_open() {
    let placed = placed();
    let files =
        [("x.yaml", placed.as_str()), ("kustomization.yaml", "resources: [y.yaml]"), ("y.yaml", "a: b")];
    assert_eq!(answers(&files), [Unknown, No, No, No]);
    // Below it nothing is asked of its files.
    let files = [("sub/x.yaml", placed.as_str()), ("kustomization.yaml", "resources: []")];
    assert_eq!(answers(&files), [Yes, No, No, No]);
}

#[test]
fn a_base_beside_the_inputs_leaves_everything_open() {
    let placed = placed();
    let folder = tree(&[
        ("base/x.yaml", &placed),
        ("base/kustomization.yaml", "resources: [x.yaml]"),
        ("o/kustomization.yaml", "resources: [../base]"),
        ("o/y.yaml", &placed.replace("name: u", "name: v")),
    ]);
    let cluster = cluster(&folder.path().join("o"));
    assert_eq!(ask(&cluster, "u", "get", "pods", "a"), Unknown);
}

#[test]
fn labels_count_where_a_role_selects_by_them() {
    let view = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\nrules:\n- {apiGroups: [''], resources: [nodes], verbs: [get]}\n";
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects:\n- {apiGroup: rbac.authorization.k8s.io, kind: User, name: u}\n";
    for (labels, expected) in
        [("rbac.authorization.k8s.io/aggregate-to-view: 'true'", Unknown), ("team: x", No)]
    {
        let kustomization = format!("resources: [x.yaml, b.yaml]\ncommonLabels: {{{labels}}}\n");
        let folder = tree(&[("x.yaml", view), ("b.yaml", binding), ("kustomization.yaml", &kustomization)]);
        let cluster = cluster(folder.path());
        assert_eq!(ask(&cluster, "u", "get", "nodes", ""), expected, "{labels}");
        assert_eq!(ask(&cluster, "u", "get", "pods", "a"), Yes);
    }
}

#[test]
fn a_doubt_names_the_kustomization_and_the_command() {
    let open = open();
    let folder = tree(&[
        ("base/x.yaml", &open),
        ("base/kustomization.yaml", "resources: [x.yaml]"),
        ("dev/kustomization.yaml", "namespace: a\nresources: [../base]"),
        ("prod/kustomization.yaml", "namespace: b\nresources: [../base]"),
    ]);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .current_dir(folder.path())
        .args(["can-i", "get", "pods", "-n", "a", "--as", "u", "-f", "."])
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(stdout.starts_with("unknown - "), "{stdout}");
    assert!(stdout.contains("use -k dev or -k prod, whichever is meant"), "{stdout}");
    assert!(stdout.contains("dev/kustomization.yaml:1"), "{stdout}");
    assert!(stdout.contains("base/x.yaml:7"), "{stdout}");
    assert!(stderr.contains("2 objects are in source form"), "{stderr}");
}
