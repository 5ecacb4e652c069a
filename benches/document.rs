//! How fast documents become trees: RBAC objects as `kubectl get -o yaml` and `-o json` print them.
//!
//! The claim is the throughput that divan prints for 4,000 objects of about 1 kB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_precision_loss,
    clippy::needless_pass_by_value,
    clippy::wildcard_imports,
    reason = "a bench that cannot go on may stop, and its figures are rounded"
)]

use std::fmt::Write;

use divan::Bencher;
use divan::counter::BytesCount;
use rbacsim::document::{Tree, block, json, split, yaml};

fn main() {
    divan::main();
}

const OBJECTS: usize = 4000;

/// A List in JSON, with the indentation given.
fn list(indent: &str) -> String {
    let mut items = Vec::new();
    for number in 0..OBJECTS {
        let mut tree = Tree::default();
        let text = object(number);
        assert!(block::read(&text, &mut tree));
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap_or_default();
        items.push(value);
    }
    let list = serde_json::json!({ "apiVersion": "v1", "items": items, "kind": "List" });
    if indent.is_empty() {
        return list.to_string();
    }
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(&list, &mut serializer).unwrap_or_default();
    String::from_utf8(out).unwrap_or_default()
}

/// A Role as kubectl prints it.
fn object(number: usize) -> String {
    let mut text = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  annotations:\n    \
         meta.helm.sh/release-name: release-{number}\n    meta.helm.sh/release-namespace: team-{}\n  \
         creationTimestamp: \"2024-03-0{}T10:11:12Z\"\n  labels:\n    app.kubernetes.io/managed-by: Helm\n    \
         app.kubernetes.io/name: app-{number}\n  name: app-{number}-reader\n  namespace: team-{}\n  \
         resourceVersion: \"{}\"\n  uid: 6f1f8c5e-0000-4000-8000-{number:012}\nrules:\n",
        number % 97,
        1 + number % 9,
        number % 97,
        100_000 + number,
    );
    for rule in 0..=(number % 4) {
        let groups = ["\"\"", "apps", "batch", "rbac.authorization.k8s.io"];
        let _ = write!(text, "- apiGroups:\n  - {}\n  resources:\n", groups.get(rule).unwrap_or(&"apps"));
        for resource in
            ["configmaps", "deployments/scale", "pods/log", "secrets"].iter().take(1 + (number + rule) % 4)
        {
            let _ = writeln!(text, "  - {resource}");
        }
        if number.is_multiple_of(5) {
            let _ = write!(text, "  resourceNames:\n  - config-{number}\n");
        }
        text.push_str("  verbs:\n");
        for verb in ["get", "list", "watch", "create", "'*'"].iter().take(1 + (number + rule) % 5) {
            let _ = writeln!(text, "  - {verb}");
        }
    }
    text
}

fn documents() -> String {
    (0..OBJECTS).map(object).collect::<Vec<_>>().join("---\n")
}

#[divan::bench]
fn split_documents(bencher: Bencher<'_, '_>) {
    let text = documents();
    bencher.counter(BytesCount::of_str(&text)).bench(|| split::documents(&text).count());
}

#[divan::bench]
fn block_yaml(bencher: Bencher<'_, '_>) {
    let text = documents();
    let mut tree = Tree::default();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        split::documents(&text)
            .filter(|document| block::read_at(document.text, document.line, &mut tree))
            .count()
    });
}

#[divan::bench(sample_count = 10)]
fn yaml_events(bencher: Bencher<'_, '_>) {
    let text = documents();
    let mut tree = Tree::default();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        split::documents(&text).filter(|document| yaml::read(document.text, &mut tree).is_ok()).count()
    });
}

#[divan::bench(args = ["", "    "])]
fn json_whole(bencher: Bencher<'_, '_>, indent: &str) {
    let text = list(indent);
    let mut tree = Tree::default();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| json::read(&text, &mut tree).is_ok());
}

/// The fields of the List, then each item into one tree.
#[divan::bench(args = ["", "    "])]
fn json_by_item(bencher: Bencher<'_, '_>, indent: &str) {
    let text = list(indent);
    let mut tree = Tree::default();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let fields = json::fields(&text, &json::Span::whole(&text)).flatten();
        let mut count = 0;
        for field in fields.filter(|field| field.key == "items") {
            let mut elements = json::elements(&text, &field.value);
            while let Some(Ok(_)) = elements.read_next(&mut tree) {
                count += tree.len();
            }
        }
        count
    });
}

#[divan::bench(args = ["", "    "])]
fn json_skip(bencher: Bencher<'_, '_>, indent: &str) {
    let text = list(indent);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| json::fields(&text, &json::Span::whole(&text)).flatten().count());
}
