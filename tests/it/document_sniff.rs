//! Kinds from a look at the lines: never anything that the whole document would not say.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use rbacsim::document::{Node, Tree, sniff, split, yaml};

use crate::document_block::{apply, edit, printed};
use crate::trees::{recorded, yaml_files};

type Row = (&'static str, &'static str, Option<(&'static str, &'static str)>);

#[test]
fn kinds_of_documents() {
    let rows: &[Row] = &[
        ("plain", "apiVersion: v1\nkind: Pod\nspec: {a: \"\n", Some(("v1", "Pod"))),
        (
            "kind_first",
            "# a\n\nkind: Role\napiVersion: rbac.authorization.k8s.io/v1\n",
            Some(("rbac.authorization.k8s.io/v1", "Role")),
        ),
        (
            "kind_after_data",
            "apiVersion: v1\ndata:\n  a: |\n    b: c\n  d: \"e\"\nkind: ConfigMap\n",
            Some(("v1", "ConfigMap")),
        ),
        (
            "kind_after_sequence",
            "aggregationRule:\n- a: 'b'\napiVersion: v1\nkind: ClusterRole\nrules: []\n",
            Some(("v1", "ClusterRole")),
        ),
        ("no_kind", "apiVersion: v1\n", None),
        ("kind_deeper", "apiVersion: v1\na:\n  kind: Pod\n", None),
        ("twice", "apiVersion: v1\nkind: Pod\nkind: Role\n", None),
        ("twice_quoted", "apiVersion: v1\nkind: Pod\n\"kind\": Role\n", None),
        ("twice_spaced", "apiVersion: v1\nkind: Pod\nkind : Role\n", None),
        ("twice_explicit", "apiVersion: v1\nkind: Pod\n? kind\n: Role\n", None),
        ("twice_tagged", "apiVersion: v1\nkind: Pod\n!!str kind: Role\n", None),
        ("merged", "apiVersion: v1\nkind: Pod\n<<: {kind: Role}\n", None),
        ("second_after_carriage_return", "apiVersion: v1\nkind: Pod\na: b\rkind: Role\n", None),
        ("second_after_line_separator", "apiVersion: v1\nkind: Pod\na: b\u{2028}kind: Role\n", None),
        ("text_goes_on", "apiVersion: v1\nkind: Pod\n  Role\n", None),
        ("text_goes_on_after_blank_line", "apiVersion: v1\nkind: Pod\n\n  Role\n", None),
        ("inside_quotes", "apiVersion: v1\na: \"\nkind: Pod\n\"\nkind: Role\n", None),
        ("inside_single_quotes", "apiVersion: v1\na:\n  b: 'c\nkind: Pod\nd: e'\n", None),
        ("inside_escaped_quotes", "apiVersion: v1\na: \"b\\\"\nkind: Pod\nc: d\"\n", None),
        ("inside_brackets", "apiVersion: v1\na: [\nkind: Pod\n]\n", None),
        ("inside_braces", "{apiVersion: v1,\nkind: Pod}\n", None),
        ("json", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}\n", None),
        ("value_quoted", "apiVersion: v1\nkind: \"Pod\"\n", None),
        ("value_with_comment", "apiVersion: v1\nkind: Pod # a\n", None),
        ("value_not_text", "apiVersion: v1\nkind: yes\n", None),
        ("value_anchored", "apiVersion: v1\nkind: &a Pod\n", None),
        ("root_sequence", "- apiVersion: v1\n  kind: Pod\n", None),
        ("after_dots", "apiVersion: v1\n...\nkind: Pod\n", None),
        ("directive", "%YAML 1.1\n---\napiVersion: v1\nkind: Pod\n", None),
        ("indented", "  apiVersion: v1\n  kind: Pod\n", None),
    ];
    for (name, text, expected) in rows {
        assert_eq!(sniff::kind_of_document(text), *expected, "{name}");
    }
}

/// What is said of a document, held against the whole document.
pub(crate) fn check_document(text: &str) -> Result<bool, String> {
    let Some((version, kind)) = sniff::kind_of_document(text) else { return Ok(false) };
    let mut tree = Tree::default();
    if yaml::read(text, &mut tree).is_err() {
        return Ok(true);
    }
    let root = tree.root().unwrap();
    let value = |key| root.get(key).and_then(Node::as_str);
    let right =
        value("kind") == Some(kind) && value("apiVersion") == Some(version) && tree.unread().is_none();
    if right { Ok(true) } else { Err(format!("{version} {kind}\n{text:?}")) }
}

#[test]
fn what_is_said_is_so() {
    let count = std::cell::Cell::new(0);
    let edits = prop::collection::vec(edit(), 0..4);
    let config = ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() };
    proptest::test_runner::TestRunner::new(config)
        .run(&(printed(), edits), |(object, edits)| {
            let object = edits.iter().fold(object, |text, edit| apply(&text, edit));
            let said = check_document(&object).map_err(TestCaseError::fail)?;
            count.set(count.get() + u32::from(said));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(count.get() > 1000, "{} of 3000", count.get());
}

#[test]
#[expect(clippy::print_stderr, reason = "the share is the point")]
fn recorded_files_say_their_kinds() {
    let (mut documents, mut said) = (0, 0);
    for folder in ["manifests", "aws-auth-samples", "kubernetes-defaults-v1.36.2", "replay"] {
        let Some(folder) = recorded(folder) else { return };
        for (name, text) in yaml_files(&folder) {
            for document in split::documents(&text) {
                documents += 1;
                let fail = |error| panic!("{name}:{}: {error}", document.line);
                said += u32::from(check_document(document.text).unwrap_or_else(fail));
            }
        }
    }
    eprintln!("{said} of {documents} documents say their kind");
    assert!(said * 2 > documents);
}
