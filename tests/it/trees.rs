//! What the tests of the document readers share: trees as text, and recorded files.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rbacsim::document::{Kind, Node, Tree};

/// A tree as one line: text in quotes, other scalars bare; keys are always text and stand bare.
pub(crate) fn show(tree: &Tree<'_>) -> String {
    fn write_node(node: Node<'_>, out: &mut String) {
        match node.kind() {
            Kind::Plain if node.as_str().is_some() => write!(out, "{}", node.text()).unwrap(),
            Kind::Plain => write!(out, "={}", node.text()).unwrap(),
            Kind::Text => write!(out, "{:?}", node.text()).unwrap(),
            Kind::Sequence => {
                out.push('[');
                for (index, item) in node.items().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    write_node(item, out);
                }
                out.push(']');
            }
            Kind::Mapping => {
                out.push('{');
                for (index, (key, value)) in node.pairs().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    assert_eq!(key.kind(), Kind::Text, "keys are text");
                    write!(out, "{}: ", key.text()).unwrap();
                    write_node(value, out);
                }
                out.push('}');
            }
        }
    }
    let mut out = String::new();
    if let Some(root) = tree.root() {
        write_node(root, &mut out);
    }
    out
}

/// The recorded data beside the crate, where it exists.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn recorded(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    if !path.exists() {
        eprintln!("skipped: no recorded data ({folder})");
        return None;
    }
    Some(path)
}

/// The YAML files below a folder that are UTF-8, in order of their names.
pub(crate) fn yaml_files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|name| name == "yaml" || name == "yml"))
        .filter_map(|path| {
            let text = String::from_utf8(std::fs::read(&path).unwrap()).ok()?;
            Some((path.strip_prefix(folder).unwrap().display().to_string(), text))
        })
        .collect();
    files.sort();
    files
}
