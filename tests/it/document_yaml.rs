//! The YAML reader: facts one by one, hostile inputs, and the same structure as `serde_yaml` sees.

#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "helpers of tests"
)]

use proptest::prelude::*;
use rbacsim::document::{self, Kind, Node, Position, ScalarType, Tree, split, yaml};
use rbacsim::model::diagnostic::Code;

use crate::made::made;
use crate::trees::{recorded, show, yaml_files};

fn read(text: &str) -> Result<String, rbacsim::document::ReadError> {
    let mut tree = Tree::default();
    yaml::read(text, &mut tree).map(|()| show(&tree))
}

#[test]
fn what_documents_say() {
    let rows: &[(&str, &str, &str)] = &[
        ("nothing", "", ""),
        ("comment_only", "# a\n\n  # b\n", ""),
        ("null_document", "null\n", "=null"),
        ("explicit_empty_document", "---\n", "="),
        ("byte_order_mark", "\u{feff}a: b\n", "{a: b}"),
        ("no_line_end", "a: b", "{a: b}"),
        ("crlf", "a: b\r\nc:\r\n- d\r\n", "{a: b, c: [d]}"),
        ("carriage_returns", "a: b\rc: d\r", "{a: b, c: d}"),
        ("missing_value_is_null", "a:\nb: c\n", "{a: =, b: c}"),
        ("missing_item_is_null", "-\n- a\n", "[=, a]"),
        ("sequence_at_the_column_of_its_key", "a:\n- b\nc: d\n", "{a: [b], c: d}"),
        ("nested_sequences", "- - a\n  - b\n-\n  - c\n", "[[a, b], [c]]"),
        ("flow", "{a: [b, 'c', {d: e}], f: }", "{a: [b, \"c\", {d: e}], f: =}"),
        ("pair_in_flow_sequence", "[a: b]", "[{a: b}]"),
        ("colon_in_plain_text", "a: system:masters:x\n", "{a: system:masters:x}"),
        ("comment_needs_a_space", "a: b#c # d\n", "{a: b#c}"),
        ("plain_text_goes_on", "a: b\n  c\n\n  d\n", "{a: b c\nd}"),
        ("single_quotes", "a: 'it''s: #'\n", "{a: \"it's: #\"}"),
        ("double_quotes", "a: \"\\u00e9\\n\\x41\\/\"\n", "{a: \"é\\nA/\"}"),
        ("quoted_number_is_text", "a: \"1\"\nb: '2'\nc: 3\n", "{a: \"1\", b: \"2\", c: =3}"),
        ("literal", "a: |\n  b\n   c\n\n  d\n\ne: f\n", "{a: \"b\\n c\\n\\nd\\n\", e: f}"),
        ("literal_strip", "a: |-\n  b\n\n", "{a: \"b\"}"),
        ("literal_keep", "a: |+\n  b\n\n", "{a: \"b\\n\\n\"}"),
        ("literal_without_line_end", "a: |\n  b", "{a: \"b\"}"),
        ("literal_keep_without_line_end", "a: |+\n  b", "{a: \"b\"}"),
        ("literal_with_spaces_at_the_end", "a: |\n  b\n  ", "{a: \"b\\n\"}"),
        ("literal_with_line_separator", "a: |\n  b\u{2028}c: d\n", "{a: \"b\\u{2028}\", c: d}"),
        ("literal_ends_with_line_separator", "a: |\n  b\u{2028}", "{a: \"b\\u{2028}\"}"),
        ("literal_indicator", "a: |1\n  b\n", "{a: \" b\\n\"}"),
        ("literal_empty", "a: |\nb: c\n", "{a: \"\", b: c}"),
        ("folded", "a: >\n  b\n  c\n\n  d\n", "{a: \"b c\\nd\\n\"}"),
        ("folded_without_line_end", "a: >-\n  b\n  c", "{a: \"b c\"}"),
        ("explicit_key", "? a\n: b\n", "{a: b}"),
        ("duplicate_keys_stay", "a: 1\na: 2\n", "{a: =1, a: =2}"),
        ("yaml_1_1_words", "a: [yes, n, ON, ~, 010, 1_0]\n", "{a: [=yes, =n, =ON, =~, =010, =1_0]}"),
        ("dates_are_text", "a: [2026-01-01, 12:30:45]\n", "{a: [2026-01-01, 12:30:45]}"),
        ("bool_key_becomes_text", "yes: a\nn: b\n\"on\": c\n", "{true: a, false: b, on: c}"),
        ("number_key_becomes_text", "010: a\n1.50: b\n'010': c\n", "{8: a, 1.5: b, 010: c}"),
        ("tag_str", "a: !!str 1\nb: !!str\n!!str yes: c\n", "{a: \"1\", b: \"\", yes: c}"),
        ("tag_int", "a: !!int 1\nb: !!int \"0x10\"\n", "{a: =1, b: =0x10}"),
        ("tag_bool", "a: !!bool \"yes\"\n", "{a: =yes}"),
        ("tag_null", "a: !!null\nb: !!null ''\n", "{a: =, b: =}"),
        ("tag_float_of_int", "a: !!float 1\n", "{a: =1}"),
        ("tag_binary", "a: !!binary aGVsbG8=\n", "{a: \"hello\"}"),
        ("tag_binary_with_bits_left_over", "a: !!binary aGVsbG9=\n", "{a: \"hello\"}"),
        ("tag_binary_over_lines", "a: !!binary |\n  aGVs\n  bG8=\n", "{a: \"hello\"}"),
        ("tag_binary_not_utf8", "a: !!binary //4=\n", "{a: \"\u{fffd}\u{fffd}\"}"),
        ("tag_not_plain", "a: ! 1\n", "{a: \"1\"}"),
        ("custom_tag_on_scalar_is_text", "a: !Ref 1\nb: !!set yes\n", "{a: \"1\", b: \"yes\"}"),
        ("custom_tag_on_collections_is_ignored", "a: !x [b]\nc: !!str {d: e}\n", "{a: [b], c: {d: e}}"),
        ("tag_directive", "%TAG !k! tag:yaml.org,2002:\n---\na: !k!str 1\n", "{a: \"1\"}"),
        ("yaml_directive", "%YAML 1.1\n---\na: yes\n", "{a: =yes}"),
        ("alias_of_scalar", "a: &x yes\nb: *x\n", "{a: =yes, b: =yes}"),
        ("alias_of_collection", "a: &x [b, {c: d}]\ne: *x\n", "{a: [b, {c: d}], e: [b, {c: d}]}"),
        ("alias_inside_anchor", "a: &x [1]\nb: &y {c: *x}\nd: *y\n", "{a: [=1], b: {c: [=1]}, d: {c: [=1]}}"),
        ("alias_as_key", "a: &x yes\n*x : b\n", "{a: =yes, true: b}"),
        ("anchor_of_key", "&x yes: a\nb: *x\n", "{true: a, b: =yes}"),
        ("anchor_taken_again", "- &x 1\n- *x\n- &x 2\n- *x\n", "[=1, =1, =2, =2]"),
        ("anchor_taken_again_inside", "- &x [&x 1, *x]\n- *x\n", "[[=1, =1], =1]"),
        ("anchor_of_nothing", "a: &x\nb: *x\n", "{a: =, b: =}"),
        ("merge", "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", "{a: {b: =1, c: =2}, d: {b: =1, c: =3}}"),
        ("merge_overrides_keys_before_it", "{c: 3, <<: {b: 1, c: 2}}", "{b: =1, c: =2}"),
        ("merge_list_first_wins", "{<<: [{a: 1}, {a: 2, b: 2}]}", "{b: =2, a: =1}"),
        (
            "merge_list_of_aliases",
            "- &x {a: 1}\n- &y {a: 2}\n- {<<: [*x, *y]}\n",
            "[{a: =1}, {a: =2}, {a: =1}]",
        ),
        ("merge_twice", "{<<: {a: 1, b: 1}, <<: {b: 2}}", "{a: =1, b: =2}"),
        ("merge_in_merge", "{<<: {<<: {a: 1}, b: 2}, c: 3}", "{a: =1, b: =2, c: =3}"),
        ("merge_of_nothing_much", "{<<: {}, a: 1}", "{a: =1}"),
        ("merge_keeps_anchors_inside", "{<<: {a: &x [1, 2]}, b: *x}", "{a: [=1, =2], b: [=1, =2]}"),
        ("quoted_merge_is_a_key", "{'<<': {a: 1}}", "{<<: {a: =1}}"),
        ("merge_as_a_value_is_text", "a: <<\n", "{a: <<}"),
        ("only_the_first_document", "a: 1\n---\nb: 2\n", "{a: =1}"),
        ("only_until_dots", "a: 1\n...\nb: 2\n", "{a: =1}"),
        ("inline_document", "--- {a: 1}\n", "{a: =1}"),
        ("tab_after_colon", "a:\tb\n", "{a: b}"),
        ("template_in_block", "a: admin:{{SessionName}}\n", "{a: admin:{{SessionName}}}"),
        ("question_mark_in_block", "a: b?c\nd: ['e?']\n", "{a: b?c, d: [\"e?\"]}"),
        ("exclamation_in_text", "a: [b, \"!c,d\", e !f, g] # !h,\n", "{a: [b, \"!c,d\", e !f, g]}"),
        ("exclamation_in_flow_text", "[a !b,'c #', d]", "[a !b, \"c #\", d]"),
    ];
    for (name, text, expected) in rows {
        assert_eq!(read(text).as_deref(), Ok(*expected), "{name}: {text:?}");
    }
}

#[test]
fn what_is_refused() {
    use Code::{AliasesTooLarge, InvalidYaml, NestingTooDeep};
    let deep = "[".repeat(300);
    let bomb = (1..10).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        let below = level - 1;
        format!("{text}a{level}: &a{level} [{}*a{below}]\n", format!("*a{below},").repeat(9))
    });
    let rows: &[(&str, &str, Code, u32, u32, &str)] = &[
        ("tab_indentation", "a:\n\tb: c\n", InvalidYaml, 2, 1, "use spaces"),
        ("tab_in_literal", "a: |\n\tb\n", InvalidYaml, 2, 1, "use spaces"),
        ("unquoted_template", "a: {{X}}\n", InvalidYaml, 1, 5, "must be quoted"),
        ("unquoted_template_name", "a: {{ .Values.x }}-b\n", InvalidYaml, 1, 5, "must be quoted"),
        ("template_directive", "a: 1\n{{- if .x }}\nb: 2\n", InvalidYaml, 2, 1, "quote the value"),
        ("template_percent", "a: 1\nb: {% x %}\n", InvalidYaml, 2, 5, "quote the value"),
        ("at_sign", "a: @b\n", InvalidYaml, 1, 4, "cannot start with `@`"),
        ("two_colons", "a: b: c\n", InvalidYaml, 1, 5, "quote a value that holds `: `"),
        ("bad_indentation", "a:\n  b: c\n d: e\n", InvalidYaml, 3, 2, "check the indentation"),
        ("key_without_colon", "a: 1\nb\nc: 2\n", InvalidYaml, 2, 1, "without `:`"),
        ("open_quote", "a: 1\nb: 'c\n", InvalidYaml, 2, 4, "does not end"),
        ("escape_cut_short", "a: \"\\", InvalidYaml, 1, 4, "does not end"),
        ("unknown_escape", "a: \"\\q\"\n", InvalidYaml, 1, 5, "unknown escape"),
        ("open_bracket", "a: [b\n", InvalidYaml, 1, 4, "expected ',' or ']'"),
        ("nul", "a: b\nc: d\0e\n", InvalidYaml, 2, 5, "U+0000"),
        ("list_key", "? [a]\n: b\n", InvalidYaml, 1, 3, "a list cannot be a key"),
        ("mapping_key_from_alias", "a: &x {}\n*x : b\n", InvalidYaml, 2, 1, "a mapping cannot be a key"),
        ("null_key", "~: a\n", InvalidYaml, 1, 1, "the key `~`"),
        ("empty_key", "? \n: a\n", InvalidYaml, 1, 2, "an empty key"),
        ("infinity", "a: .inf\n", InvalidYaml, 1, 4, "cannot be written as JSON"),
        ("tag_that_does_not_fit", "a: !!int b\n", InvalidYaml, 1, 4, "`!!int`"),
        ("date_is_no_int", "a: !!int 2026-01-01\n", InvalidYaml, 1, 4, "`!!int`"),
        ("not_base64", "a: !!binary a\n", InvalidYaml, 1, 4, "base64"),
        ("base64_without_padding", "a: !!binary aGVsbG8\n", InvalidYaml, 1, 4, "base64"),
        ("base64_after_padding", "a: !!binary aA==aA==\n", InvalidYaml, 1, 4, "base64"),
        ("undefined_tag_handle", "a: !k!b c\n", InvalidYaml, 1, 4, "undefined tag handle"),
        ("tag_before_comma", "a: [!b,c]\n", InvalidYaml, 1, 7, "a tag needs a space before the comma"),
        (
            "tag_before_comma_after_text",
            "[a !b,'c #', !d,e]",
            InvalidYaml,
            1,
            16,
            "a tag needs a space before the comma",
        ),
        ("unknown_alias", "a: *x\n", InvalidYaml, 1, 4, "no anchor `&x`"),
        ("anchor_holds_itself", "a: &x [*x]\n", InvalidYaml, 1, 8, "contains itself"),
        ("anchor_merges_itself", "a: &x {<<: *x}\n", InvalidYaml, 1, 12, "contains itself"),
        ("merge_of_scalar", "<<: a\n", InvalidYaml, 1, 5, "takes a mapping"),
        ("merge_of_null", "<<:\na: b\n", InvalidYaml, 1, 4, "takes a mapping"),
        ("merge_of_scalars", "<<: [a]\n", InvalidYaml, 1, 6, "takes a mapping"),
        ("merge_of_alias_of_list", "- &x [{a: 1}]\n- <<: *x\n", InvalidYaml, 1, 3, "takes a mapping"),
        ("yaml_1_2", "%YAML 1.2\n---\na: b\n", InvalidYaml, 1, 1, "only YAML 1.1"),
        ("question_mark_in_flow", "a: [b?c]\n", InvalidYaml, 1, 5, "must be quoted"),
        ("question_mark_in_nested_flow", "a: {b: [c ?d]}\n", InvalidYaml, 1, 9, "must be quoted"),
        ("yaml_2", "%YAML 2.0\n---\na: b\n", InvalidYaml, 1, 1, "incompatible"),
        ("deep", &deep, NestingTooDeep, 1, 201, "levels deep"),
        ("alias_bomb", &bomb, AliasesTooLarge, 6, 14, "expand to more than"),
    ];
    for (name, text, code, line, column, words) in rows {
        let error = read(text).expect_err(name);
        assert_eq!(error.code, *code, "{name}: {error}");
        assert!(error.message.contains(words), "{name}: {error}");
        assert_eq!(error.position, Position { line: *line, column: *column }, "{name}: {error}");
    }
}

/// Each must come back at once; a slow one shows in the run of the tests.
#[test]
fn hostile_inputs_end() {
    let rows: &[(&str, String, bool)] = &[
        ("brackets", "[".repeat(100_000), false),
        ("braces", "{".repeat(100_000), false),
        ("flow_levels_over_lines", "[\n".repeat(100_000), false),
        ("question_marks", "? ".repeat(20_000), false),
        ("dashes", "- ".repeat(50_000), false),
        ("block_levels", (0..2000).map(|level| format!("{}a:\n", " ".repeat(level))).collect(), false),
        (
            "flow_map",
            format!("{{{}}}", (0..50_000).map(|key| format!("k{key}: {key}, ")).collect::<String>()),
            true,
        ),
        ("nul_bytes", "\0".repeat(100_000), false),
        ("long_plain_text", format!("a: {}\n", "b ".repeat(500_000)), true),
        ("long_plain_lines", format!("a: b\n{}", "  c\n".repeat(100_000)), true),
        ("open_quote", format!("a: \"{}", "b\n".repeat(100_000)), false),
        ("anchors", (0..50_000).map(|key| format!("- &a{key} x\n- *a{key}\n")).collect(), true),
        (
            "nested_anchors",
            (0..190).map(|key| format!("&a{key} [")).collect::<String>() + &"x,".repeat(5000),
            false,
        ),
        ("merges", format!("- &a {{b: 1}}\n- {{{}}}\n", "<<: *a, ".repeat(50_000)), true),
        ("aliases_of_much", format!("- &a [{}]\n{}", "x,".repeat(1000), "- *a\n".repeat(1000)), false),
        ("exclamations", format!("[{}]", "!,".repeat(50_000)), false),
        ("exclamations_in_flow_text", format!("[{}]", "a !b,c ".repeat(20_000)), false),
        ("exclamations_in_literal", format!("a: []\nb: |\n{}", "  (!a, !b)\n".repeat(20_000)), true),
        ("backslashes", format!("a: \"{}", "\\".repeat(100_001)), false),
        ("percent", "%".repeat(100_000), false),
        (
            "deep_aliases",
            (1..400).fold("- &a0 [x]\n".to_owned(), |text, level| {
                format!("{text}- &a{level} [*a{}]\n", level - 1)
            }),
            false,
        ),
    ];
    let mut tree = Tree::default();
    for (name, text, good) in rows {
        assert_eq!(yaml::read(text, &mut tree).is_ok(), *good, "{name}");
    }
}

fn walk(node: Node<'_>, found: &mut Vec<(String, u32, u32)>) {
    let name = if node.kind() == Kind::Plain || node.kind() == Kind::Text { node.text() } else { "-" };
    found.push((name.to_owned(), node.position().line, node.position().column));
    node.children().for_each(|child| walk(child, found));
}

#[test]
fn positions() {
    let text = "# x\na: é b\nç:\n  - d: 'e'\n    f:\n  - &x |\n    g\nh: *x\nempty:\n";
    let mut tree = Tree::default();
    yaml::read_at(text, 10, &mut tree).unwrap();
    let mut found = Vec::new();
    walk(tree.root().unwrap(), &mut found);
    let found: Vec<_> = found.iter().map(|(name, line, column)| (name.as_str(), *line, *column)).collect();
    let expected = [
        ("-", 11, 1),
        ("a", 11, 1),
        ("é b", 11, 4),
        ("ç", 12, 1),
        ("-", 13, 3),
        ("-", 13, 5),
        ("d", 13, 5),
        ("e", 13, 8),
        ("f", 14, 5),
        ("", 14, 7),
        ("g\n", 15, 5),
        ("h", 17, 1),
        ("g\n", 15, 5),
        ("empty", 18, 1),
        ("", 18, 7),
    ];
    assert_eq!(found, expected);
}

#[test]
fn text_stands_in_the_source_where_it_can() {
    let text = "a: b\nc: 'd'\ne: \"f\"\ng: 'h''i'\nj: |\n  k\n  l\nm: n\n  o\np: [q]\n";
    let mut tree = Tree::default();
    yaml::read(text, &mut tree).unwrap();
    let root = tree.root().unwrap();
    let found: Vec<_> = root.pairs().map(|(_, value)| (value.is_verbatim(), value.text_line())).collect();
    let expected = [
        (true, Some(1)),
        (true, Some(2)),
        (true, Some(3)),
        (false, None),
        (false, Some(6)),
        (false, None),
        (true, None),
    ];
    assert_eq!(found, expected);
    assert!(root.pairs().all(|(key, _)| key.is_verbatim()));
}

#[test]
fn what_was_not_read_is_told() {
    type Row = (&'static str, &'static str, Option<(u32, u32)>);
    let rows: &[Row] = &[
        ("one_document", "a: 1\n", None),
        ("end_marked", "a: 1\n...\n", None),
        ("empty", "", None),
        ("second_document", "a: 1\n---\nb: 2\n", Some((2, 1))),
        ("after_dots", "a: 1\n...\n# b\nb: 2\n", Some((4, 1))),
        ("after_flow", "[a]\n]\n", Some((2, 1))),
    ];
    let mut tree = Tree::default();
    for (name, text, expected) in rows {
        yaml::read(text, &mut tree).unwrap();
        let found = tree.unread().map(|position| (position.line, position.column));
        assert_eq!(found, *expected, "{name}");
    }
}

#[test]
fn get_gives_the_last_of_a_key() {
    let mut tree = Tree::default();
    yaml::read("a: 1\nb: 2\na: 3\n", &mut tree).unwrap();
    let root = tree.root().unwrap();
    assert_eq!(root.get("a").map(Node::text), Some("3"));
    assert_eq!(root.get("c").map(Node::text), None);
}

#[test]
fn a_tree_serves_several_texts() {
    let mut tree = Tree::default();
    {
        let text = String::from("a: &x 1\nb: *x\n");
        let mut first = tree.over("");
        document::read(&text, 1, &mut first).unwrap();
        assert_eq!(show(&first), "{a: =1, b: =1}");
        document::read("c: d\n", 5, &mut first).unwrap();
        assert_eq!(show(&first), "{c: d}");
        assert_eq!(first.root().map(|root| root.position().line), Some(5));
        tree = first.over("");
    }
    assert!(tree.is_empty());
    assert!(document::read("a: [b", 1, &mut tree).is_err());
    assert!(tree.is_empty(), "after an error nothing is left");
}

/// Whether the tree says what `serde_yaml` reads, where YAML 1.1 and 1.2 agree.
fn agree(node: Node<'_>, value: &serde_yaml::Value) -> Result<(), String> {
    use serde_yaml::Value;
    let differ = || Err(format!("{}:{}: {value:?}", node.position().line, node.position().column));
    match value {
        Value::Null if node.is_null() => Ok(()),
        Value::Bool(_) if node.scalar() == Some(ScalarType::Bool) => Ok(()),
        Value::Number(_) if matches!(node.scalar(), Some(ScalarType::Int | ScalarType::Float)) => Ok(()),
        Value::String(text) if node.scalar().is_some() && node.text() == text => Ok(()),
        Value::Sequence(items) if node.is_sequence() && node.items().count() == items.len() => {
            node.items().zip(items).try_for_each(|(node, value)| agree(node, value))
        }
        Value::Mapping(pairs) if node.is_mapping() && node.pairs().count() == pairs.len() => {
            node.pairs().zip(pairs).try_for_each(|((key, node), (name, value))| {
                let name = match name {
                    Value::String(name) => name.clone(),
                    Value::Bool(name) => name.to_string(),
                    Value::Number(name) => name.to_string(),
                    _ => return differ(),
                };
                // `yes` and `010` are text to YAML 1.2.
                let same =
                    key.text() == name || rbacsim::document::scalar::resolve(&name) != ScalarType::Text;
                if same { agree(node, value) } else { differ() }
            })
        }
        Value::Tagged(tagged) => agree(node, &tagged.value),
        _ => differ(),
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the count is the point")]
fn recorded_files_read_as_serde_yaml_reads_them() {
    let mut compared = 0;
    let mut refused = Vec::new();
    for folder in ["manifests", "aws-auth-samples", "kubernetes-defaults-v1.36.2", "replay"] {
        let Some(folder) = recorded(folder) else { return };
        for (name, text) in yaml_files(&folder) {
            let mut tree = Tree::default();
            for document in split::documents(&text) {
                let value = serde_yaml::from_str::<serde_yaml::Value>(document.text);
                let read = yaml::read_at(document.text, document.line, &mut tree);
                match (value, read) {
                    (Ok(mut value), Ok(())) => {
                        let _ = value.apply_merge();
                        match tree.root() {
                            Some(root) => {
                                agree(root, &value).unwrap_or_else(|error| panic!("{name}: {error}"));
                            }
                            None => assert_eq!(value, serde_yaml::Value::Null, "{name}"),
                        }
                        compared += 1;
                    }
                    (Err(_), Err(error)) => refused.push(format!("{name}:{error}")),
                    (Err(theirs), Ok(())) => panic!("{name}: only serde_yaml refuses: {theirs}"),
                    (Ok(_), Err(ours)) => panic!("{name}: only this reader refuses: {ours}"),
                }
            }
        }
    }
    eprintln!("{compared} documents compared, {} refused by both: {refused:#?}", refused.len());
    assert!(compared > 500);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_read_as_they_were_made(made in made()) {
        let text = made.text();
        let mut tree = Tree::default();
        yaml::read(&text, &mut tree).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let root = tree.root().ok_or_else(|| TestCaseError::fail(text.clone()))?;
        prop_assert!(made.agrees(root), "{}\n{}", text, show(&tree));
        if let Ok(value) = serde_yaml::from_str::<serde_yaml::Value>(&text) {
            agree(root, &value).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-c:\\-? \\[\\]{},!&*|>'\"#%@\n\t\r\\\\.<é\u{2028}\u{85}]{0,40}") {
        let mut tree = Tree::default();
        if yaml::read(&text, &mut tree).is_ok() && !text.contains('\u{2028}') {
            let shown = show(&tree);
            prop_assert!(!shown.contains('\u{2028}'), "{}", shown);
        }
    }
}
