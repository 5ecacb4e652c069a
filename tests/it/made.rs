//! Documents made at random, in every style of scalar and collection.

#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "helpers of tests")]

use proptest::prelude::*;
use rbacsim::document::Node;

/// A document, and how it is written.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    Scalar(String, u8),
    List(Vec<Made>, bool),
    Map(Vec<(String, Made)>, bool),
}

pub(crate) fn made() -> impl Strategy<Value = Made> {
    let text = prop_oneof![
        "[a-z][a-z0-9./:-]{0,12}",
        "[ -~é€😀]{0,20}",
        "[a-c: #'\"{}\\[\\]\u{7f}]{0,6}",
        "[a-z \n]{0,20}",
        prop::sample::select(vec![
            "true", "null", "0", "17", "1.5", "-3", "yes", "010", "~", "<<x", "a: b", "a #b", "- a", "#"
        ])
        .prop_map(String::from),
    ];
    let scalar = (text, any::<u8>()).prop_map(|(text, style)| Made::Scalar(text, style));
    scalar.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..4), any::<bool>())
                .prop_map(|(items, flow)| Made::List(items, flow)),
            (prop::collection::btree_map("[a-z]{1,6}", inner, 0..4), any::<bool>()).prop_map(
                |(pairs, flow)| Made::Map(
                    pairs.into_iter().map(|(k, v)| (format!("k{k}"), v)).collect(),
                    flow
                )
            ),
        ]
    })
}

impl Made {
    /// What stands after `key:` or `-`, with the space or line before it.
    fn write(&self, indent: usize, flow: bool, out: &mut String) {
        let pad = |indent: usize| format!("\n{}", " ".repeat(indent));
        let separator = if flow { "" } else { " " };
        match self {
            Self::Scalar(text, style) => {
                out.push_str(separator);
                let plain = !text.is_empty()
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./-".contains(&byte))
                    && !text.starts_with('-');
                match style % 4 {
                    0 if plain => out.push_str(text),
                    1 if !text.contains(['\n', '\u{7f}']) => {
                        out.push_str(&format!("'{}'", text.replace('\'', "''")));
                    }
                    2 if !flow
                        && !text.is_empty()
                        && !text.starts_with([' ', '\n'])
                        && !text.contains('\u{7f}') =>
                    {
                        out.push_str(if text.ends_with('\n') { "|+" } else { "|-" });
                        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                            out.push_str(&pad(indent + 1));
                            out.push_str(line);
                        }
                    }
                    _ => out.push_str(
                        &serde_json::to_string(text)
                            .unwrap()
                            .replace('😀', "\\U0001F600")
                            .replace('\u{7f}', "\\x7f"),
                    ),
                }
            }
            Self::List(items, inline) if flow || *inline || items.is_empty() => {
                out.push_str(separator);
                out.push('[');
                for item in items {
                    item.write(indent, true, out);
                    out.push_str(", ");
                }
                out.push(']');
            }
            Self::Map(pairs, inline) if flow || *inline || pairs.is_empty() => {
                out.push_str(separator);
                out.push('{');
                for (key, value) in pairs {
                    out.push_str(&format!("{key}: "));
                    value.write(indent, true, out);
                    out.push_str(", ");
                }
                out.push('}');
            }
            Self::List(items, _) => {
                for item in items {
                    out.push_str(&pad(indent));
                    out.push('-');
                    item.write(indent + 2, false, out);
                }
            }
            Self::Map(pairs, _) => {
                for (key, value) in pairs {
                    out.push_str(&pad(indent));
                    out.push_str(&format!("{key}:"));
                    value.write(indent + 2, false, out);
                }
            }
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::from("---");
        self.write(0, false, &mut out);
        out.push('\n');
        out
    }

    pub(crate) fn agrees(&self, node: Node<'_>) -> bool {
        match self {
            Self::Scalar(text, _) => node.text() == text && node.scalar().is_some(),
            Self::List(items, _) => {
                node.is_sequence()
                    && node.items().count() == items.len()
                    && node.items().zip(items).all(|(node, item)| item.agrees(node))
            }
            Self::Map(pairs, _) => {
                node.is_mapping()
                    && node.pairs().count() == pairs.len()
                    && node
                        .pairs()
                        .zip(pairs)
                        .all(|((key, node), (name, value))| key.text() == name && value.agrees(node))
            }
        }
    }
}
