//! The fast reader of block YAML: whatever it takes, it reads as the YAML reader does.

#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "helpers of tests"
)]

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rbacsim::document::{Node, Tree, block, split, yaml};

use crate::made::made;
use crate::trees::{recorded, show, yaml_files};

pub(crate) fn same(one: Node<'_>, other: Node<'_>) -> bool {
    same_but(one, other, |_| false)
}

/// Whether two trees are the same, the places of some nodes aside.
pub(crate) fn same_but(one: Node<'_>, other: Node<'_>, aside: fn(Node<'_>) -> bool) -> bool {
    one.kind() == other.kind()
        && one.text() == other.text()
        && (aside(one) || one.position() == other.position() && one.text_line() == other.text_line())
        && one.children().count() == other.children().count()
        && one.children().zip(other.children()).all(|(one, other)| same_but(one, other, aside))
}

/// Whether the fast reader takes a text; what is wrong if the YAML reader reads it otherwise.
pub(crate) fn takes(text: &str) -> Result<bool, String> {
    let mut fast = Tree::default();
    if !block::read(text, &mut fast) {
        return if fast.is_empty() { Ok(false) } else { Err("a void tree is not empty".into()) };
    }
    let mut slow = Tree::default();
    yaml::read(text, &mut slow).map_err(|error| format!("refused: {error}\n{text:?}"))?;
    let equal = match (fast.root(), slow.root()) {
        (None, None) => true,
        (Some(fast), Some(slow)) => same(fast, slow),
        _ => false,
    };
    if !equal || slow.unread().is_some() {
        return Err(format!("fast: {}\nslow: {}\n{text:?}", show(&fast), show(&slow)));
    }
    Ok(true)
}

#[test]
fn what_is_in_the_subset() {
    let rows: &[(&str, &str)] = &[
        ("nothing", ""),
        ("comments", "# a\n\n  # b\n"),
        ("mapping", "a: b\nc: d\n"),
        ("no_line_end", "a: b"),
        ("missing_values", "a:\nb:\n  c:\nd:\n"),
        ("missing_items", "a:\n-\n-\nb:\n  -\n"),
        ("sequence_at_the_column_of_its_key", "a:\n- b\n- c\nd: e\n"),
        ("sequence_indented", "a:\n  - b\n  - c\nd: e\n"),
        ("mappings_in_sequences", "a:\n- b: c\n  d: e\n-   f: g\n    h:\n    - i\n"),
        ("sequences_in_sequences", "- - a\n  - b\n- - - c\n"),
        ("value_on_the_next_line_in_a_sequence", "-\n  a: b\n-\n  - c\n"),
        ("colons_in_text", "a: system:masters:x\nb: http://c:80/d\nf:metadata: {}\n"),
        ("quoted_keys", "\"a b\": c\n'd': e\n'': f\n"),
        ("quotes", "a: 'it''s'\nb: \"c\\\"d\\\\e\\n\\t\\/\"\nc: '\\'\nd: \"\tx\"\n"),
        ("comments_after_values", "a: b # c\nd: # e\n- # f\n"),
        ("comment_after_key_and_quotes", "a: 'b' # c\nd: # e\n  f: [] # g\n"),
        ("empty_collections", "a: {}\nb: []\nc:\n- {}\n- []\n"),
        ("flow_sequences", "a: [\"get\", 'list', watch]\nb: [ \"*\" , a:b ]\nc: [1, y, null]\n"),
        ("plain_over_lines", "a: b\n  c\n\n\n  d # e\nf: g\n"),
        ("plain_over_lines_looks_like_more", "a: b\n  - c\n  'd'\n"),
        ("plain_over_lines_in_sequence", "a:\n- b\n  c\n- d\n"),
        ("quotes_over_lines", "a: 'b\n  c\n\n  d'\ne: \"f  \n    g\\n\n  \"\n"),
        ("literal", "a: |\n  b\n   c\n\n  d\n\ne: f\n"),
        ("literal_chomping", "a: |-\n  b\n\nc: |+\n  d\n\n\ne: |\n  f\n   \n\n"),
        ("literal_with_blank_lines_first", "a: |\n\n\n  b\n"),
        ("literal_without_line_end", "a: |\n  b"),
        ("literal_with_tabs", "a: |\n  b\tc\n  \td\n"),
        ("literal_in_sequence", "- |\n b\n- |-\n  c\n"),
        ("literal_before_comment", "a: |\n  b\n # c\nd: e\n"),
        ("dashes_in_text", "a: -b\nc: --\nd: ---\n"),
        ("not_ascii", "a: é # €\n'b': \"😀\"\n"),
        ("yaml_1_1_words", "a: yes\nb: 010\nc: ~\n"),
        ("indented_root", "  a: b\n  c: d\n"),
        ("duplicate_keys", "a: b\na: c\n"),
    ];
    for (name, text) in rows {
        assert_eq!(takes(text), Ok(true), "{name}");
    }
}

#[test]
fn what_is_left_to_the_yaml_reader() {
    let deep: String = (0..201).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let long = format!("{}: b\n", "a".repeat(1100));
    let rows: &[(&str, &str)] = &[
        ("root_scalar", "a\n"),
        ("flow_mapping", "a: {b: c}\n"),
        ("flow_in_flow", "a: [[b]]\n"),
        ("anchor", "a: &x b\n"),
        ("alias", "a: *x\n"),
        ("alias_in_flow", "a: [*x]\n"),
        ("dash_in_flow", "a: [- b]\n"),
        ("infinity_in_flow", "a: [.inf]\n"),
        ("tag", "a: !!str b\n"),
        ("tag_in_flow", "a: [!b,c]\n"),
        ("explicit_key", "? a\n: b\n"),
        ("merge", "<<: {}\n"),
        ("folded", "a: >\n  b\n"),
        ("literal_indicator", "a: |2\n  b\n"),
        ("literal_empty", "a: |\nb: c\n"),
        ("literal_spaces_before_text", "a: |\n    \n  b\n"),
        ("literal_spaces_first", "a: |\n  \n    b\n"),
        ("literal_tab_as_indentation", "a: |\n  b\n\tc\n"),
        ("tab_as_indentation", "a:\n\tb: c\n"),
        ("tab_after_colon", "a:\tb\n"),
        ("tab_in_plain", "a: b\tc\n"),
        ("tab_before_line_end_in_quotes", "a: 'b\t \n  c'\n"),
        ("two_colons", "a: b: c\n"),
        ("colon_at_the_end", "a: b:\n"),
        ("colon_in_folded_line", "a: b\n  c: d\n"),
        ("dash_after_colon", "a: - b\n"),
        ("sequence_after_value", "a: b\n- c\n"),
        ("key_after_sequence", "- a\nb: c\n"),
        ("key_between_columns", "a:\n    b: c\n  d: e\n"),
        ("deeper_after_quotes", "a: 'b'\n  c: d\n"),
        ("deeper_after_comment", "a: b # c\n  d\n"),
        ("deeper_after_comment_line", "a: b\n# c\n  d\n"),
        ("text_after_quotes", "a: 'b' c\n"),
        ("comment_without_space", "a: 'b'# c\n"),
        ("open_quotes", "a: 'b\n"),
        ("quotes_go_on_in_the_first_column", "a: 'b\nc'\n"),
        ("escapes", "a: \"\\x41\"\n"),
        ("backslash_at_the_end", "a: \"b\\"),
        ("escaped_line_end", "a: \"b\\\n  c\"\n"),
        ("number_key", "1: a\n"),
        ("bool_key", "on: a\n"),
        ("null_key", "~: a\n"),
        ("infinity", "a: -.inf\n"),
        ("at_sign", "a: @b\n"),
        ("percent", "%YAML 1.1\n---\na: b\n"),
        ("document_start", "---\na: b\n"),
        ("document_end", "a: b\n...\n"),
        ("carriage_return", "a: b\r\n"),
        ("next_line", "a: b\u{85}c: d\n"),
        ("line_separator", "a: b\u{2028}c: d\n"),
        ("line_separator_in_quotes", "a: 'b\u{2028}c'\n"),
        ("line_separator_in_comment", "a: b # c\u{2028}d: e\n"),
        ("byte_order_mark", "\u{feff}a: b\n"),
        ("control_character", "a: b\u{1}\n"),
        ("delete", "a: b\u{7f}\n"),
        ("c1_control", "a: b\u{80}\n"),
        ("second_root", "  a: b\nc: d\n"),
        ("deep", &deep),
        ("long_key", &long),
    ];
    for (name, text) in rows {
        assert_eq!(takes(text), Ok(false), "{name}");
    }
}

/// One change of a text that someone might make by hand, or a printer by mistake.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Insert(prop::sample::Index, &'static str),
    Remove(prop::sample::Index),
    Indent(prop::sample::Index, usize),
    Outdent(prop::sample::Index, usize),
    Repeat(prop::sample::Index),
    Join(prop::sample::Index),
    Crlf,
}

pub(crate) const STRAY: &[&str] = &[
    ":", ": ", " ", "  ", "\n", "\n\n", "-", "- ", "#", " #", " # x", "\t", "'", "\"", "\\", "[", "]", "{",
    "}", ", ", "|", "|-\n", "|+\n", ">", "&a ", "*a", "!", "!x ", "?", "? ", "%", "@", "`", "---", "\n---\n",
    "...", "\r", "\u{85}", "\u{2028}", "\u{feff}", "é", "0", ".", "~", "<<: ", "y", "\u{0}",
];

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => (index(), prop::sample::select(STRAY)).prop_map(|(at, text)| Edit::Insert(at, text)),
        3 => index().prop_map(Edit::Remove),
        2 => (index(), 1_usize..4).prop_map(|(line, spaces)| Edit::Indent(line, spaces)),
        2 => (index(), 1_usize..4).prop_map(|(line, spaces)| Edit::Outdent(line, spaces)),
        1 => index().prop_map(Edit::Repeat),
        1 => index().prop_map(Edit::Join),
        1 => Just(Edit::Crlf),
    ]
}

pub(crate) fn apply(text: &str, edit: &Edit) -> String {
    let chars: Vec<char> = text.chars().collect();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let with_line = |index: &prop::sample::Index, change: &dyn Fn(&str) -> String| {
        if lines.is_empty() {
            return text.to_owned();
        }
        let chosen = index.index(lines.len());
        let changed =
            |(at, line): (usize, &&str)| if at == chosen { change(line) } else { (*line).to_owned() };
        lines.iter().enumerate().map(changed).collect()
    };
    match edit {
        Edit::Insert(at, stray) => {
            let at = at.index(chars.len() + 1);
            chars
                .iter()
                .take(at)
                .copied()
                .chain(stray.chars())
                .chain(chars.iter().skip(at).copied())
                .collect()
        }
        Edit::Remove(at) => {
            let at = at.index(chars.len() + 1);
            chars.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, char)| *char).collect()
        }
        Edit::Indent(line, spaces) => with_line(line, &|line| format!("{}{line}", " ".repeat(*spaces))),
        Edit::Outdent(line, spaces) => with_line(line, &|line| {
            let indentation = line.len() - line.trim_start_matches(' ').len();
            line.chars().skip(indentation.min(*spaces)).collect()
        }),
        Edit::Repeat(line) => with_line(line, &|line| line.repeat(2)),
        Edit::Join(line) => with_line(line, &|line| line.trim_end_matches('\n').to_owned()),
        Edit::Crlf => text.replace('\n', "\r\n"),
    }
}

/// Runs a strategy of texts through both readers, and gives how many of them the fast one took.
fn count_taken(cases: u32, texts: &impl Strategy<Value = String>) -> u32 {
    let taken = std::cell::Cell::new(0_u32);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(texts, |text| {
            let took = takes(&text).map_err(TestCaseError::fail)?;
            taken.set(taken.get() + u32::from(took));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    taken.get()
}

/// An object as kubectl prints it.
pub(crate) fn printed() -> impl Strategy<Value = String> {
    let word = "[a-z][a-z0-9.-]{0,8}";
    let rule = (
        prop::collection::vec(word, 1..4),
        prop::collection::vec("('\\*'|\"\"|[a-z/]{1,9})", 1..4),
        any::<bool>(),
    );
    let entry = (
        "[a-z]{1,5}(\\.io/[a-z]{1,4})?",
        "(\"[a-z {}:]{0,9}\"|[a-z0-9]{1,9}|\\|\n    [a-z][a-z:# -]{0,9}\n    x)",
    );
    (word, prop::collection::vec(rule, 0..4), prop::collection::vec(entry, 0..3)).prop_map(
        |(name, rules, labels)| {
            let mut text =
                format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: {name}\n");
            if !labels.is_empty() {
                text.push_str("  annotations:\n");
                for (key, value) in &labels {
                    text.push_str(&format!("    k{key}: {}\n", value.replace("\n    ", "\n      ")));
                }
            }
            text.push_str(if rules.is_empty() { "rules: []\n" } else { "rules:\n" });
            for (verbs, resources, inline) in rules {
                text.push_str("- apiGroups:\n  - \"\"\n  resources:\n");
                for resource in &resources {
                    text.push_str(&format!("  - {resource}\n"));
                }
                if inline {
                    text.push_str(&format!("  verbs: [{}]\n", verbs.join(", ")));
                } else {
                    text.push_str("  verbs:\n");
                    for verb in &verbs {
                        text.push_str(&format!("  - {verb}\n"));
                    }
                }
            }
            text
        },
    )
}

#[test]
fn printed_objects_are_taken() {
    let taken = count_taken(500, &printed());
    assert_eq!(taken, 500);
}

#[test]
fn what_is_taken_reads_the_same() {
    let edits = || prop::collection::vec(edit(), 0..4);
    let change =
        |(text, edits): (String, Vec<Edit>)| edits.iter().fold(text, |text, edit| apply(&text, edit));
    let of_printed = (printed(), edits()).prop_map(change);
    let of_made = (made().prop_map(|made| made.text().replacen("---\n", "", 1)), edits()).prop_map(change);
    let (printed, made) = (count_taken(3000, &of_printed), count_taken(3000, &of_made));
    assert!(printed > 800 && made > 200, "the fast reader took {printed} and {made} of 3000 each");
}

#[test]
#[expect(clippy::print_stderr, reason = "the share is the point")]
fn recorded_files_are_mostly_taken() {
    let (mut documents, mut left) = (0, Vec::new());
    for folder in ["manifests", "aws-auth-samples", "kubernetes-defaults-v1.36.2", "replay"] {
        let Some(folder) = recorded(folder) else { return };
        for (name, text) in yaml_files(&folder) {
            for document in split::documents(&text) {
                documents += 1;
                if !takes(document.text).unwrap_or_else(|error| panic!("{name}:{}: {error}", document.line)) {
                    left.push(format!("{name}:{}", document.line));
                }
            }
        }
    }
    eprintln!("{} of {documents} documents are left to the YAML reader: {left:#?}", left.len());
    assert!(left.len() * 10 < documents);
}
