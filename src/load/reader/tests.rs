//! Where the pieces of a file end must not change what it means.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::load::{LoadOptions, Loaded};

const PARTS: [&str; 26] = [
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: r\nrules:\n- apiGroups: ['']\n  resources: [pods]\n  verbs: [get]\n",
    "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: s}, rules: []}\n",
    "{\"apiVersion\": \"rbac.authorization.k8s.io/v1\", \"kind\": \"ClusterRole\", \"metadata\": {\"name\": \"ä\"}}\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: b\nroleRef:\n  kind: ClusterRole\n  name: r\nsubjects:\n- kind: User\n  name: u\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n",
    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: rbac.authorization.k8s.io/v1\n  kind: ClusterRole\n  metadata:\n    name: l\n",
    "- apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    name: item\n    namespace: ns\n  rules: null\n",
    "- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: y\n",
    "- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: flow, namespace: ns}}\n",
    "kind: ClusterRoleList\napiVersion: rbac.authorization.k8s.io/v1\nitems:\n- metadata:\n    name: typed\n  rules: []\n",
    "- metadata:\n    name: typed-item\n",
    "metadata:\n  resourceVersion: \"1\"\n",
    "kind: List\n",
    "---\n",
    "---\n",
    "---\n",
    "--- # comment\n",
    "--- {a: b}\n",
    "...\n",
    "\n",
    "# comment\n",
    "a: [\n",
    "text: |\n  ---\n  kind: ClusterRole\n",
    "\"open\n",
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"j\"}},{\"kind\":\"x\"}]}\n",
    "\u{2028}é\r\n",
];

fn loaded(mut reader: Reader, text: &str) -> Loaded {
    let mut collector = Collector::default();
    reader.bytes(&mut collector, "a", text.as_bytes());
    let defaults = crate::load::Defaults::Never;
    collector.finish(&LoadOptions { defaults, ..LoadOptions::default() })
}

/// Everything that an input said, numbers of names and rules put into words.
fn said(loaded: &Loaded) -> Vec<String> {
    let policy = &loaded.policy;
    let text = |name| policy.names.text(name);
    let at = |source| policy.sources.show(source).to_string();
    let mut said: Vec<String> = Vec::new();
    for role in &policy.roles {
        let rules: Vec<_> =
            policy.rules_of(role).iter().map(|placed| (placed.line, policy.rule(*placed))).collect();
        let verbs: Vec<_> = rules
            .iter()
            .flat_map(|(line, rule)| rule.verbs.iter().map(move |verb| (line, text(*verb))))
            .collect();
        said.push(format!(
            "{} {} {} {verbs:?}",
            at(role.source),
            text(role.scope.namespace()),
            text(role.name)
        ));
    }
    for binding in &policy.bindings {
        let lines: Vec<u32> = policy.subjects_of(binding).iter().map(|placed| placed.line).collect();
        said.push(format!(
            "{} {} {lines:?} {}",
            at(binding.source),
            text(binding.name),
            binding.role_ref_line
        ));
    }
    for diagnostic in &loaded.diagnostics {
        let place = diagnostic.source.map(at);
        said.push(format!("{:?} {place:?} {}", diagnostic.code, diagnostic.message));
    }
    let mut summary = loaded.summary.clone();
    said.push(format!("{:?}", summary.unseen.take().map(at)));
    said.push(format!("{summary:?}"));
    said
}

#[test]
fn pieces_never_change_what_a_file_means() {
    let strategy = (prop::collection::vec(select(&PARTS), 1..12), 1usize..300);
    let config = Config { cases: 4_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, |(parts, size)| {
        let text = parts.concat();
        let (whole, pieces) = (loaded(Reader::default(), &text), loaded(Reader::with_pieces(size), &text));
        prop_assert_eq!(said(&whole), said(&pieces), "{}", text);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
