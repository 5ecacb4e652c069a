//! Trees that people have: charts, encrypted and binary files, operators, vendored data. Doubt only where it is justified.

use std::path::Path;

use rbacsim::decide::answer::Doubt;
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::model::attributes::{Attributes, ResourceAttributes};
use rbacsim::model::ternary::Ternary::{self, No, Unknown};
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Input, LoadOptions, load};
use rbacsim::report::text;

use crate::kustomize::tree;

const CERTAIN: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: r}
rules:
- {apiGroups: [''], resources: [pods], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}
";

const TEMPLATE: &str = "{{- if .Values.rbac }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .Release.Name }}
roleRef:
  kind: ClusterRole
  name: cluster-admin
subjects:
- kind: ServiceAccount
  name: op
  namespace: {{ .Release.Namespace }}
{{- end }}
";

fn cluster(folder: &Path) -> Cluster {
    load(&[Input::Path(folder.to_owned())], &LoadOptions::default()).unwrap().into()
}

const SECRETS: Attributes<'static> = Attributes::Resource(ResourceAttributes {
    verb: "get",
    group: "",
    resource: "secrets",
    subresource: "",
    name: "",
    namespace: "prod",
});

fn who(user: &str) -> Who {
    Who::user(match user.strip_prefix("sa:") {
        Some(account) => {
            let (namespace, name) = account.split_once('/').unwrap();
            UserInfo::service_account(namespace, name)
        }
        None => UserInfo::authenticated(user, [""; 0]),
    })
}

/// Whether each of these may get secrets in `prod`, by the certain objects and one more file.
fn secrets(file: &str, text: &str, users: &[&str]) -> Vec<Ternary> {
    let folder = tree(&[("a.yaml", CERTAIN), (file, text)]);
    let cluster = cluster(folder.path());
    let all = users.iter().map(|user| {
        let (who, ternary) = (who(user), cluster.ternary(&who(user), &SECRETS));
        assert_eq!(cluster.answer(&who, &SECRETS).ternary, ternary, "{user}");
        ternary
    });
    all.collect()
}

#[test]
fn a_template_concerns_those_whom_it_shows() {
    let users = ["alice", "sa:ops/op", "sa:elsewhere/op", "sa:ops/other"];
    assert_eq!(secrets("t.yaml", TEMPLATE, &users), [No, Unknown, Unknown, No]);
    let anybody =
        TEMPLATE.replace("- kind: ServiceAccount\n  name: op\n", "- kind: {{ .kind }}\n  name: op\n");
    assert_eq!(secrets("t.yaml", &anybody, &users), [Unknown; 4]);
    // A role alone grants nothing to whoever has no binding to it.
    let role = "kind: ClusterRole\nmetadata:\n  name: {{ .x }}\nrules:\n- verbs: [get]\n";
    assert_eq!(secrets("t.yaml", role, &users), [No; 4]);
    // It reads as YAML, and its namespace is to be filled in.
    let quoted = TEMPLATE.lines().filter(|line| !line.contains("{{-")).collect::<Vec<_>>().join("\n");
    let quoted = quoted
        .replace("{{ .Release.Name }}", "x")
        .replace("{{ .Release.Namespace }}", "'{{ .Release.Namespace }}'");
    assert_eq!(secrets("t.yaml", &quoted, &users), [No, Unknown, Unknown, No]);
}

#[test]
fn what_is_no_rbac_leaves_nothing_open() {
    for (file, text) in [
        (
            "crd.yaml",
            "{{ if .x }}\nkind: CustomResourceDefinition\nspec:\n  names: {kind: Foo, listKind: FooList}\n{{ end }}\n",
        ),
        ("helpers.yaml", "{{ define \"x\" }}{{ end }}\n"),
        ("release.yml", "builds:\n  - ldflags: {{ .Version }}\n  {{ x\n"),
        (
            "task.yml",
            "- name: make it\n  k8s:\n    state: {{ x }}\n    definition:\n      kind: ClusterRole\n  {{ y\n",
        ),
        ("values.yaml", "metadata: {}\nimage: a\n"),
        (
            "sealed.yaml",
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec: {encryptedData: {a: AgB}}\n",
        ),
        (
            "secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 'ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]'}\nsops: {version: 3.8.1}\n",
        ),
    ] {
        assert_eq!(secrets(file, text, &["alice", "sa:ops/op"]), [No, No], "{file}");
    }
}

#[test]
fn encrypted_and_binary_files_are_named_as_what_they_are() {
    let folder = tree(&[("a.yaml", CERTAIN)]);
    std::fs::write(folder.path().join("locked.yaml"), b"\0GITCRYPT\0\x01\x02\xff\xfe").unwrap();
    let locked = cluster(folder.path());
    assert_eq!(locked.ternary(&who("alice"), &SECRETS), Unknown);
    let told: Vec<&str> = locked.diagnostics().iter().map(|one| one.message.as_str()).collect();
    assert!(told.iter().any(|told| told.starts_with("git-crypt encrypted this file")), "{told:?}");
    let answer = locked.answer(&who("alice"), &SECRETS);
    assert!(text::doubt_sentence(&locked, &answer.doubts[0]).starts_with("git-crypt encrypted this file"));
    std::fs::write(folder.path().join("locked.yaml"), b"\x89PNG\0\0\xff\xfe\x80rest").unwrap();
    let binary = cluster(folder.path());
    assert_eq!(binary.ternary(&who("alice"), &SECRETS), No);
    assert!(binary.diagnostics().iter().any(|one| one.code.as_str() == "invalid-encoding"));
    // Another encoding is no other meaning.
    let latin = [b"# caf\xe9\n".as_slice(), CERTAIN.as_bytes()].concat();
    std::fs::write(folder.path().join("locked.yaml"), latin).unwrap();
    assert_eq!(cluster(folder.path()).ternary(&who("alice"), &SECRETS), Unknown);
}

#[test]
fn a_chart_counts_once_and_names_the_command() {
    let anybody = TEMPLATE.replace("- kind: ServiceAccount", "- kind: {{ .kind }}");
    let folder = tree(&[
        ("a.yaml", CERTAIN),
        ("0/broken.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: [\n"),
        ("charts/op/Chart.yaml", "apiVersion: v2\nname: op\nversion: 1.0.0\n"),
        ("charts/op/templates/a.yaml", &anybody),
        ("charts/op/templates/b.yaml", TEMPLATE),
        ("charts/op/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
        ("charts/op/charts/sub/templates/c.yaml", TEMPLATE),
    ]);
    let cluster = cluster(folder.path());
    let told: Vec<String> =
        cluster.diagnostics().iter().map(|one| format!("{} {}", one.code.as_str(), one.message)).collect();
    assert_eq!(told.iter().filter(|told| told.starts_with("chart-not-rendered")).count(), 1, "{told:?}");
    let answer = cluster.answer(&who("alice"), &SECRETS);
    // What stands for most documents comes first.
    let first = text::doubt_sentence(&cluster, &answer.doubts[0]);
    assert!(first.contains("3 templates with RBAC objects") && first.contains("--helm-chart "), "{first}");
    assert!(matches!(answer.doubts[0], Doubt::Unread(_)));
}

#[test]
fn an_operator_brings_what_its_csv_asks_for() {
    let csv = "apiVersion: operators.coreos.com/v1alpha1\nkind: ClusterServiceVersion\nmetadata: {name: op.v1, namespace: ops}\nspec:\n  install:\n    strategy: deployment\n    spec:\n      clusterPermissions:\n      - serviceAccountName: op\n        rules:\n        - {apiGroups: [''], resources: [secrets], verbs: [get]}\n      permissions:\n      - serviceAccountName: local\n        rules:\n        - {apiGroups: [''], resources: [secrets], verbs: [list]}\n";
    let users = ["sa:ops/op", "sa:ops/local", "sa:else/op", "alice"];
    assert_eq!(secrets("csv.yaml", csv, &users), [Unknown, No, No, No]);
    // Where the namespace is not written, the account may be in any.
    let anywhere = csv.replace(", namespace: ops", ", namespace: placeholder");
    assert_eq!(secrets("csv.yaml", &anywhere, &users), [Unknown, Unknown, Unknown, No]);
    let folder = tree(&[("a.yaml", CERTAIN), ("csv.yaml", csv)]);
    let cluster = cluster(folder.path());
    let answer = cluster.answer(&who("sa:ops/op"), &SECRETS);
    let told = text::doubt_sentence(&cluster, &answer.doubts[0]);
    assert!(told.contains("OLM makes RBAC objects of ClusterServiceVersion `op.v1`"), "{told}");
}

#[test]
fn kinds_that_bring_objects_are_counted() {
    let more = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: b}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: c}\n---\napiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: d}\nobjects: []\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\ndata:\n  x.yaml: |\n    apiVersion: rbac.authorization.k8s.io/v1\n    kind: RoleBinding\n    roleRef: {}\n";
    let folder = tree(&[
        ("a.yaml", CERTAIN),
        ("b.yaml", more),
        ("k/kustomization.yaml", "resources: ['https://example.com/x.yaml']"),
    ]);
    let summary = cluster(folder.path()).summary().clone();
    let met: Vec<(&str, usize)> =
        summary.not_expanded.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    let expected = [
        ("Application", 1),
        ("ConfigMap with manifests", 1),
        ("HelmRelease", 2),
        ("Template", 1),
        ("remote base or chart of a kustomization", 1),
    ];
    assert_eq!(met, expected);
    assert_eq!(cluster(folder.path()).ternary(&who("alice"), &SECRETS), No);
}

#[test]
fn only_what_a_server_wrote_is_an_export() {
    let defaults = |metadata: &str| -> String {
        ["cluster-admin", "admin", "edit", "view"]
            .map(|name| format!("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}, labels: {{kubernetes.io/bootstrapping: rbac-defaults}}{metadata}}}\nrules: []\n"))
            .concat()
    };
    for (metadata, expected) in [
        ("", Completeness::Partial),
        (", creationTimestamp: null", Completeness::Partial),
        (", uid: 1f0c", Completeness::Complete),
        (", resourceVersion: '12'", Completeness::Complete),
        (", creationTimestamp: '2026-01-01T00:00:00Z'", Completeness::Complete),
    ] {
        let folder = tree(&[("a.yaml", CERTAIN), ("b.yaml", &defaults(metadata))]);
        assert_eq!(cluster(folder.path()).completeness(), expected, "{metadata}");
    }
}

#[test]
fn what_was_wrong_with_the_askers_own_binding_is_told_first() {
    let refused = |user: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: b, namespace: prod}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}}\nsubjects:\n- {{kind: User, name: {user}, apiGroup: wrong}}\n"
        )
    };
    let files: Vec<(String, String)> = (0..8)
        .map(|number| (format!("{number}.yaml"), refused(&format!("user-{number}"))))
        .chain([("z.yaml".to_owned(), refused("kim"))])
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let folder = tree(&files);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_rbacsim"))
        .current_dir(folder.path())
        .args(["can-i", "get", "pods", "-n", "prod", "--as", "kim", "-f", "."])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.lines().next().unwrap().contains("z.yaml"), "{stderr}");
}
