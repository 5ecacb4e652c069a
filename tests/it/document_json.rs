//! The JSON reader: facts one by one, the same values as `serde_json`, and reading a List item by item.

#![allow(clippy::unwrap_used, clippy::format_collect, reason = "helpers of tests")]

use proptest::prelude::*;
use rbacsim::document::{Kind, Node, Position, ReadError, ScalarType, Tree, json};
use rbacsim::model::diagnostic::Code;
use serde_json::Value;

use crate::trees::show;

fn read(text: &str) -> Result<String, ReadError> {
    let mut tree = Tree::default();
    json::read(text, &mut tree).map(|()| show(&tree))
}

#[test]
fn what_texts_say() {
    let rows: &[(&str, &str, &str)] = &[
        (
            "object",
            r#"{"a": "b", "c": [1, true, null, {}, []]}"#,
            r#"{a: "b", c: [=1, =true, =null, {}, []]}"#,
        ),
        ("scalar", " \t\r\n17 ", "=17"),
        (
            "numbers",
            "[0, -0, 1.5, -1e10, 1E+2, 123456789012345678901234567890]",
            "[=0, =-0, =1.5, =-1e10, =1E+2, =123456789012345678901234567890]",
        ),
        (
            "strings_are_text_whatever_they_look_like",
            r#"["yes", "1", "null", ""]"#,
            r#"["yes", "1", "null", ""]"#,
        ),
        ("escapes", r#"["\"\\\/\b\f\n\r\t\u00e9"]"#, r#"["\"\\/\u{8}\u{c}\n\r\té"]"#),
        ("escaped_key", r#"{"\u0061": 1}"#, "{a: =1}"),
        ("surrogate_pair", r#"["\ud83d\ude00"]"#, r#"["😀"]"#),
        ("lone_high_surrogate", r#"["\ud83dx"]"#, "[\"\u{fffd}x\"]"),
        ("lone_low_surrogate", r#"["\ude00"]"#, "[\"\u{fffd}\"]"),
        ("high_surrogate_before_other", r#"["\ud83d\u0041"]"#, "[\"\u{fffd}A\"]"),
        ("two_high_surrogates", r#"["\ud83d\ud83d\ude00"]"#, "[\"\u{fffd}😀\"]"),
        ("not_ascii", "[\"é€😀 long enough for words\"]", "[\"é€😀 long enough for words\"]"),
        ("duplicate_keys_stay", r#"{"a": 1, "a": 2}"#, "{a: =1, a: =2}"),
    ];
    for (name, text, expected) in rows {
        assert_eq!(read(text).as_deref(), Ok(*expected), "{name}");
    }
}

#[test]
fn what_is_refused() {
    let deep = "[".repeat(201);
    let rows: &[(&str, &str, u32, u32, &str)] = &[
        ("nothing", "", 1, 1, "expected a value, found the end"),
        ("white_space_only", "\n ", 2, 2, "the end of the text"),
        ("trailing_text", "{} x", 1, 4, "expected the end of the text, found `x`"),
        ("second_value", "1 2", 1, 3, "the end of the text"),
        ("leading_zero", "01", 1, 2, "the end of the text"),
        ("plus_sign", "+1", 1, 1, "a value"),
        ("minus_alone", "-", 1, 2, "a digit"),
        ("point_without_digits", "[1.]", 1, 4, "a digit"),
        ("exponent_without_digits", "1e", 1, 3, "a digit"),
        ("number_out_of_range", "[1e999]", 1, 2, "out of range"),
        ("word", "nul", 1, 1, "a value"),
        ("word_goes_on", "truely", 1, 5, "the end of the text"),
        ("single_quotes", "['a']", 1, 2, "a value, found `'`"),
        ("comment", "// a", 1, 1, "a value"),
        ("trailing_comma_in_array", "[1,]", 1, 4, "a value, found `]`"),
        ("trailing_comma_in_object", "{\"a\": 1,}", 1, 9, "a key"),
        ("missing_comma", "[1 2]", 1, 4, "`,` or `]`"),
        ("missing_colon", "{\"a\" 1}", 1, 6, "`:`"),
        ("bare_key", "{a: 1}", 1, 2, "a key in double quotes, found `a`"),
        ("wrong_bracket", "{\"a\": [1}", 1, 9, "`,` or `]`, found `}`"),
        ("open_array", "[1,\n 2", 2, 3, "`,` or `]`, found the end"),
        ("open_string", "[\n \"ab", 2, 2, "does not end"),
        ("open_string_after_backslash", "\"ab\\", 1, 1, "does not end"),
        ("line_feed_in_string", "\"a\nb\"", 1, 3, "U+000A must be escaped"),
        ("tab_in_long_string", "\"abcdefghijkl\tm\"", 1, 14, "U+0009 must be escaped"),
        ("unknown_escape", "\"é\\x\"", 1, 3, "an escape that JSON does not allow"),
        ("short_unicode_escape", "\"\\u12\"", 1, 2, "an escape that JSON does not allow"),
        ("signed_unicode_escape", "\"\\u+123\"", 1, 2, "an escape that JSON does not allow"),
    ];
    for (name, text, line, column, words) in rows {
        let error = read(text).expect_err(name);
        assert_eq!(error.code, Code::InvalidJson, "{name}: {error}");
        assert!(error.message.contains(words), "{name}: {error}");
        assert_eq!(error.position, Position { line: *line, column: *column }, "{name}: {error}");
    }
    assert_eq!(read(&deep).unwrap_err().code, Code::NestingTooDeep);
    assert!(read(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_ok());
}

fn walk(node: Node<'_>, found: &mut Vec<(u32, u32)>) {
    found.push((node.position().line, node.position().column));
    node.children().for_each(|child| walk(child, found));
}

#[test]
fn positions() {
    let text = "{\"é\": [1,\n  {\"b\":\"ü\", \"c\": \"abcdefghäijklm\",\"d\":null}]}";
    let mut tree = Tree::default();
    json::read_at(text, Position { line: 5, column: 10 }, &mut tree).unwrap();
    let mut found = Vec::new();
    walk(tree.root().unwrap(), &mut found);
    let expected =
        [(5, 10), (5, 11), (5, 16), (5, 17), (6, 3), (6, 4), (6, 8), (6, 13), (6, 18), (6, 35), (6, 39)];
    assert_eq!(found, expected);
}

const LIST: &str = "{\n  \"apiVersion\": \"v1\",\n  \"items\": [\n    {\"a\": \"}]é\\\"{\"},\n    {\"b\": [1, {\"c\": null}]}, 3,\n    \"x\"\n  ],\n  \"k\\u0069nd\": \"List\"\n}\n";

#[test]
fn a_list_item_by_item() {
    let fields: Vec<_> = json::fields(LIST, &json::Span::whole(LIST)).map(Result::unwrap).collect();
    let found: Vec<_> = fields
        .iter()
        .map(|field| (field.key.as_ref(), field.value.position.line, field.value.position.column))
        .collect();
    assert_eq!(found, [("apiVersion", 2, 17), ("items", 3, 12), ("kind", 8, 16)]);
    assert_eq!(fields[2].value.text(LIST), "\"List\"");

    let items = &fields[1].value;
    let mut tree = Tree::default();
    let mut skipped = Vec::new();
    for span in json::elements(LIST, items) {
        let span = span.unwrap();
        json::read_span(LIST, &span, &mut tree).unwrap();
        assert_eq!(tree.root().unwrap().position(), span.position);
        skipped.push((show(&tree), span.position.line, span.position.column));
    }
    let mut read = Vec::new();
    let mut elements = json::elements(LIST, items);
    while let Some(position) = elements.read_next(&mut tree) {
        let position = position.unwrap();
        assert_eq!(tree.root().unwrap().position(), position);
        read.push((show(&tree), position.line, position.column));
    }
    let expected = [
        ("{a: \"}]é\\\"{\"}".to_owned(), 4, 5),
        ("{b: [=1, {c: =null}]}".to_owned(), 5, 5),
        ("=3".to_owned(), 5, 30),
        ("\"x\"".to_owned(), 6, 5),
    ];
    assert_eq!(skipped, expected);
    assert_eq!(read, expected);
}

#[test]
fn outlines_refuse() {
    let rows: &[(&str, &str, &str)] = &[
        ("not_an_object", "[1]", "an object, found `[`"),
        ("nothing", "", "an object, found the end"),
        ("bare_key", "{a: 1}", "a key in double quotes"),
        ("missing_colon", "{\"a\"}", "`:`"),
        ("missing_value", "{\"a\":}", "a value"),
        ("trailing_comma", "{\"a\":1,}", "a key"),
        ("missing_comma", "{\"a\":{} \"b\":1}", "`,` or `}`"),
        ("trailing_text", "{} {}", "the end of the text"),
        ("open", "{\"a\":[{}", "not closed"),
        ("wrong_bracket", "{\"a\":[{]}", "the other closing bracket, found `]`"),
        ("open_string", "{\"a\":[\"}]", "not closed"),
        ("closing_twice", "{\"a\":[]]}", "`,` or `}`, found `]`"),
    ];
    for (name, text, words) in rows {
        let errors: Vec<_> = json::fields(text, &json::Span::whole(text)).filter_map(Result::err).collect();
        assert_eq!(errors.len(), 1, "{name}");
        assert!(errors[0].message.contains(words), "{name}: {}", errors[0]);
    }
    let deep = format!("{{\"a\":{}", "[".repeat(300));
    let error = json::fields(&deep, &json::Span::whole(&deep)).next().unwrap().unwrap_err();
    assert_eq!(error.code, Code::NestingTooDeep);
    assert!(json::elements("{}", &json::Span::whole("{}")).next().unwrap().is_err());
}

/// What an outline passes over is refused when it is read.
#[test]
fn what_is_skipped_is_checked_when_read() {
    let text = "[{\"a\" 1}]";
    let span = json::elements(text, &json::Span::whole(text)).next().unwrap().unwrap();
    let mut tree = Tree::default();
    assert!(json::read_span(text, &span, &mut tree).is_err());
    let mut elements = json::elements(text, &json::Span::whole(text));
    assert!(elements.read_next(&mut tree).unwrap().is_err());
    assert!(tree.is_empty());
    assert!(elements.next().is_none(), "an error ends the walk");
}

#[test]
fn values_one_after_the_other() {
    let text = "{\"a\":1}{\"b\":2}\n[3] 4\n";
    let found: Vec<_> = json::values(text)
        .map(|span| span.map(|span| (span.text(text), span.position.line)).unwrap())
        .collect();
    assert_eq!(found, [("{\"a\":1}", 1), ("{\"b\":2}", 1), ("[3]", 2), ("4", 2)]);
    assert_eq!(json::values("1 x").filter(Result::is_err).count(), 1);
    assert_eq!(json::values(" ").count(), 0);
}

#[test]
fn hostile_inputs_end() {
    for text in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "\\".repeat(100_000),
        "\"".repeat(99_999),
        format!("\"{}", "\\\"".repeat(100_000)),
    ] {
        assert!(read(&text).is_err());
        assert!(json::values(&text).any(|value| value.is_err()));
    }
    let wide =
        format!("{{{}\"z\":0}}", (0..50_000).map(|key| format!("\"k{key}\":{key},")).collect::<String>());
    assert!(read(&wide).is_ok());
}

/// `serde_json` rounds in the last place.
fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= one.abs() * 1e-12
}

fn agrees(node: Node<'_>, value: &Value) -> bool {
    match value {
        Value::Null => node.is_null(),
        Value::Bool(value) => node.scalar() == Some(ScalarType::Bool) && node.text() == value.to_string(),
        Value::Number(value) => {
            matches!(node.scalar(), Some(ScalarType::Int | ScalarType::Float))
                && close(node.text().parse().unwrap(), value.as_f64().unwrap())
        }
        Value::String(text) => node.kind() == Kind::Text && node.text() == text,
        Value::Array(items) => {
            node.is_sequence()
                && node.items().count() == items.len()
                && node.items().zip(items).all(|(node, value)| agrees(node, value))
        }
        Value::Object(fields) => {
            node.is_mapping()
                && fields.iter().all(|(key, value)| node.get(key).is_some_and(|node| agrees(node, value)))
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        "[a-z:/*.-]{0,24}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-zé\"\\\\]{0,6}", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_read_as_serde_json_reads_them(value in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let mut tree = Tree::default();
        prop_assert_eq!(json::read(&text, &mut tree), Ok(()));
        prop_assert!(agrees(tree.root().unwrap(), &value), "{}", text);
        let span = json::values(&text).next().unwrap().unwrap();
        prop_assert_eq!(span.text(&text), text.as_str());
    }

    /// Both take, or both refuse, a text that was changed at random; what `serde_json` takes beyond our limits
    /// (depth, numbers out of range) does not arise.
    #[test]
    fn mutated_texts_are_taken_by_both_or_none(
        value in value(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:,\"\\\\0-9eE.+tnu \n\u{1}]"), 1..4),
    ) {
        let mut text: Vec<char> = value.to_string().chars().collect();
        for (index, edit) in edits {
            let at = index.index(text.len().max(1)).min(text.len());
            text.splice(at..(at + 1).min(text.len()), edit.chars());
        }
        let text: String = text.into_iter().collect();
        let theirs = serde_json::from_str::<Value>(&text);
        let mut tree = Tree::default();
        let ours = json::read(&text, &mut tree);
        match (theirs, ours) {
            (Ok(value), Ok(())) => prop_assert!(agrees(tree.root().unwrap(), &value), "{}", text),
            (Err(_), Err(_)) => {}
            // serde_json refuses lone surrogates, Go does not.
            (Err(error), Ok(())) if error.to_string().contains("surrogate") || error.to_string().contains("hex escape") => {}
            (theirs, ours) => prop_assert!(false, "{text}\n{theirs:?}\n{ours:?}"),
        }
    }
}
