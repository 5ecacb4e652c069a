//! From bytes to documents: encoding, YAML or JSON, one document after the other through one tree.

use crate::document::{ReadError, Tree, encoding, json, split, yaml};
use crate::source::FileId;

use super::{Collector, Origin};

/// Reads one file.
pub(super) fn read(collector: &mut Collector, file: FileId, bytes: &[u8]) {
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            collector.broken(&Origin { file, text: "", lines_before: 0, path: None }, &error);
            return;
        }
    };
    let first = text.trim_start().as_bytes().first();
    if matches!(first, Some(b'{' | b'[')) {
        if let Err(error) = read_json(collector, file, &text) {
            // JSON is YAML, nearly: what is not JSON may still be a flow mapping.
            if !read_yaml_if_valid(collector, file, &text) {
                collector.broken(
                    &Origin { file, text: &text, lines_before: 0, path: Some(String::new()) },
                    &error,
                );
            }
        }
        return;
    }
    read_yaml(collector, file, &text);
}

fn read_json(collector: &mut Collector, file: FileId, text: &str) -> Result<(), ReadError> {
    let mut tree = Tree::default();
    json::read(text, &mut tree)?;
    collector.document(&tree, &Origin { file, text, lines_before: 0, path: Some(String::new()) });
    Ok(())
}

fn read_yaml_if_valid(collector: &mut Collector, file: FileId, text: &str) -> bool {
    let mut tree = Tree::default();
    let good = split::documents(text).all(|document| yaml::read(document.text, &mut tree).is_ok());
    if good {
        read_yaml(collector, file, text);
    }
    good
}

fn read_yaml(collector: &mut Collector, file: FileId, text: &str) {
    let mut tree = Tree::default();
    for document in split::documents(text) {
        let origin = Origin { file, text: document.text, lines_before: document.line - 1, path: None };
        match yaml::read(document.text, &mut tree) {
            Ok(()) => collector.document(&tree, &origin),
            Err(error) => collector.broken(&origin, &error),
        }
    }
}
