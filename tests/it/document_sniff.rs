//! Kinds and List items from a look at the lines: never anything that the whole document would not say.

#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "helpers of tests")]

use proptest::prelude::*;
use rbacsim::document::{Node, Tree, block, sniff, split, yaml};

use crate::document_block::{apply, edit, printed, same_but};
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

#[test]
fn kinds_of_items() {
    let rows: &[Row] = &[
        ("plain", "- apiVersion: v1\n  kind: Pod\n  spec:\n  - a\n", Some(("v1", "Pod"))),
        ("indented", "  - apiVersion: v1\n    kind: Pod\n    spec:\n      a: 'b'\n", Some(("v1", "Pod"))),
        ("open_quote_later", "- apiVersion: v1\n  kind: Pod\n  a: \"b\n", None),
        ("open_bracket_later", "- apiVersion: v1\n  kind: Pod\n  a: [b,\n", None),
        ("wide_dash", "-   apiVersion: v1\n    kind: Pod\n", None),
        ("not_an_item", "apiVersion: v1\nkind: Pod\n", None),
        ("outdented", "- apiVersion: v1\n  kind: Pod\n a: b\n", None),
    ];
    for (name, text, expected) in rows {
        assert_eq!(sniff::kind_of_item(text), *expected, "{name}");
    }
}

#[test]
fn lists() {
    let text = "apiVersion: v1\nitems:\n# a\n\n- a: b\n  c:\n  - d\n\n- e\n-\n  f: g\nkind: List\nmetadata:\n  resourceVersion: \"\"\n";
    let list = sniff::list(text, 10).unwrap();
    assert_eq!((&*list.api_version, &*list.kind), ("v1", "List"));
    let items: Vec<_> = list.items.map(|item| (item.text, item.line)).collect();
    assert_eq!(items, [("- a: b\n  c:\n  - d\n\n", 14), ("- e\n", 18), ("-\n  f: g\n", 19)]);

    let indented = "kind: RoleList\napiVersion: v1\nitems:\n  - a: b\n  - c: d";
    let list = sniff::list(indented, 1).unwrap();
    assert_eq!(&*list.kind, "RoleList");
    assert_eq!(list.items.map(|item| item.text).collect::<Vec<_>>(), ["  - a: b\n", "  - c: d"]);

    let rows: &[(&str, &str)] = &[
        ("no_items", "apiVersion: v1\nkind: List\n"),
        ("empty_items", "apiVersion: v1\nitems: []\nkind: List\n"),
        ("null_items", "apiVersion: v1\nitems:\nkind: List\n"),
        ("items_twice", "apiVersion: v1\nitems:\n- a\nitems:\n- b\nkind: List\n"),
        ("items_in_quotes", "a: \"\nitems:\n- b\n\"\nkind: List\napiVersion: v1\n"),
        ("merge_after", "apiVersion: v1\nitems:\n- a\n<<: {items: []}\nkind: List\n"),
        ("anchor_before", "apiVersion: &a v1\nitems:\n- a\nkind: List\n"),
        ("kind_quoted", "apiVersion: v1\nitems:\n- a\nkind: 'List'\n"),
        ("kind_not_text", "apiVersion: v1\nitems:\n- a\nkind: 1\n"),
        ("tail_between_columns", "apiVersion: v1\nkind: List\nitems:\n  - a\n b: c\n"),
        ("second_document", "apiVersion: v1\nkind: List\nitems:\n- a\n---\nb: c\n"),
        ("carriage_returns", "apiVersion: v1\r\nkind: List\r\nitems:\r\n- a\r\n"),
    ];
    for (name, text) in rows {
        assert!(sniff::list(text, 1).is_none(), "{name}");
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

/// The place of the value that a `? key` lacks is that of the next token, wherever it stands.
fn is_left_out(node: Node<'_>) -> bool {
    node.is_null() && node.text().is_empty()
}

/// A List read item by item, as a caller would, held against the whole document.
pub(crate) fn check_list(text: &str) -> Result<bool, String> {
    let Some(list) = sniff::list(text, 1) else { return Ok(false) };
    let mut whole = Tree::default();
    let read = yaml::read(text, &mut whole);
    let whole_items = whole.root().and_then(|root| root.get("items"));
    let mut expected = whole_items.iter().flat_map(|items| items.items());
    let wrong = |what: &str| Err(format!("{what}\n{text:?}"));
    let mut tree = Tree::default();
    let mut skipped = false;
    for item in list.items {
        if let Some((version, kind)) = sniff::kind_of_item(item.text) {
            skipped = true;
            if read.is_ok() {
                let node = expected.next();
                let value = |key| node.and_then(|node| node.get(key)).and_then(Node::as_str);
                if value("kind") != Some(kind) || value("apiVersion") != Some(version) {
                    return wrong("kind");
                }
            }
            continue;
        }
        let alone = block::read_at(item.text, item.line, &mut tree)
            || yaml::read_at(item.text, item.line, &mut tree).is_ok() && tree.unread().is_none();
        if !alone {
            // Now a caller reads the whole document.
            return Ok(true);
        }
        let items: Vec<_> = tree.root().unwrap().items().collect();
        let [node] = items.as_slice() else { return wrong("not one item") };
        if read.is_ok() && !expected.next().is_some_and(|expected| same_but(*node, expected, is_left_out)) {
            return wrong("item");
        }
    }
    if read.is_ok() {
        if expected.next().is_some() || whole.unread().is_some() {
            return wrong("more items");
        }
        let kind = whole.root().and_then(|root| root.get("kind")).and_then(Node::as_str);
        if kind != Some(&*list.kind) {
            return wrong("kind of the list");
        }
    } else if !skipped {
        return wrong("only the whole is refused");
    }
    Ok(true)
}

/// Objects as a List.
fn list_of(objects: &[String], indent: &str, kind_first: bool) -> String {
    let mut text = String::from(if kind_first {
        "kind: List\napiVersion: v1\nitems:\n"
    } else {
        "apiVersion: v1\nitems:\n"
    });
    for object in objects {
        for (number, line) in object.lines().enumerate() {
            text.push_str(&format!("{indent}{}{line}\n", if number == 0 { "- " } else { "  " }));
        }
    }
    if !kind_first {
        text.push_str("kind: List\nmetadata:\n  resourceVersion: \"\"\n");
    }
    text
}

#[test]
fn what_is_said_is_so() {
    use std::cell::Cell;
    let counts = [Cell::new(0), Cell::new(0)];
    let edits = || prop::collection::vec(edit(), 0..4);
    let lists = (prop::collection::vec(printed(), 1..4), prop::sample::select(vec!["", "  "]), any::<bool>())
        .prop_map(|(objects, indent, kind_first)| list_of(&objects, indent, kind_first));
    let config = ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() };
    proptest::test_runner::TestRunner::new(config)
        .run(&(printed(), lists, edits()), |(object, list, edits)| {
            let object = edits.iter().fold(object, |text, edit| apply(&text, edit));
            let list = edits.iter().fold(list, |text, edit| apply(&text, edit));
            for (text, check, count) in
                [(object, check_document as fn(&str) -> _, &counts[0]), (list, check_list, &counts[1])]
            {
                let said = check(&text).map_err(TestCaseError::fail)?;
                count.set(count.get() + u32::from(said));
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let counts = counts.map(Cell::into_inner);
    assert!(counts[0] > 1000 && counts[1] > 1000, "{counts:?} of 3000");
}

#[test]
#[expect(clippy::print_stderr, reason = "the share is the point")]
fn recorded_files_say_their_kinds() {
    let (mut documents, mut said, mut lists) = (0, 0, 0);
    for folder in ["manifests", "aws-auth-samples", "kubernetes-defaults-v1.36.2", "replay"] {
        let Some(folder) = recorded(folder) else { return };
        for (name, text) in yaml_files(&folder) {
            for document in split::documents(&text) {
                documents += 1;
                let fail = |error| panic!("{name}:{}: {error}", document.line);
                said += u32::from(check_document(document.text).unwrap_or_else(fail));
                lists += u32::from(check_list(document.text).unwrap_or_else(fail));
            }
        }
    }
    eprintln!("{said} of {documents} documents say their kind, {lists} are lists");
    assert!(said * 2 > documents && lists > 2);
}
