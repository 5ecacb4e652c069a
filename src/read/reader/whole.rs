//! A text that is there as a whole: its documents, YAML or JSON, one after the other.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::document::{self, Tree, encoding, json, sniff, split, yaml};
use crate::model::source::FileId;
use crate::model::workload::WorkloadKind;

use super::super::findings::{Findings, bears_on_answers, is_kustomization};
use super::super::origin::Origin;
use super::super::rbac::RbacKind;
use super::lines;

/// Reads the bytes of a file, into a tree of which only the memory matters.
pub(super) fn bytes(found: &mut Findings, file: FileId, bytes: &[u8], tree: &mut Tree<'static>) {
    match encoding::decode(bytes) {
        Ok(decoded) => {
            let mut over = std::mem::take(tree).over(&decoded);
            text(found, file, &decoded, &mut over);
            *tree = over.over("");
        }
        Err(error) => found.undecodable(file, bytes, &error),
    }
}

/// Reads the text of a file.
pub(super) fn text<'s>(found: &mut Findings, file: FileId, text: &'s str, tree: &mut Tree<'s>) {
    if !is_json(text) {
        yaml_documents(found, file, text, tree);
        return;
    }
    let Err(error) = json::read(text, tree) else {
        found.document(tree, Origin::json(file));
        return;
    };
    if values(found, file, text, tree).is_some() {
        return;
    }
    // JSON is YAML, nearly: what is not JSON may still be a flow mapping, or several with `---` between them.
    let mut documents = split::documents(text);
    let several = documents.clone().nth(1).is_some();
    if several || documents.all(|document| is_all_of_it(document.text, tree)) {
        yaml_documents(found, file, text, tree);
        return;
    }
    let chunks = lines_of_values(text);
    if chunks.len() < 2 {
        found.broken(Origin::json(file), text, &error);
        return;
    }
    let mut lines_before = 0;
    for chunk in chunks {
        let origin = Origin { lines_before, ..Origin::json(file) };
        match json::read(chunk, tree) {
            Ok(()) => found.document(tree, origin),
            Err(error) => found.broken(origin, chunk, &error),
        }
        lines_before += lines(chunk);
    }
}

/// Whether a text is taken for JSON at first. White space is what it is to kubectl, `hasJSONPrefix`; two braces begin
/// a template, which is neither JSON nor YAML.
pub(super) fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['{', '[']) && !text.starts_with("{{")
}

/// Reads a text that holds one JSON value after the other; `None`, and nothing read, if any of them is not good.
pub(super) fn values<'s>(
    found: &mut Findings,
    file: FileId,
    text: &'s str,
    tree: &mut Tree<'s>,
) -> Option<()> {
    // Most texts hold one value: it is read once.
    if json::read(text, tree).is_ok() {
        found.document(tree, Origin::json(file));
        return Some(());
    }
    let values: Vec<json::Span> = json::values(text).collect::<Result<_, _>>().ok()?;
    if !values.iter().all(|value| json::read_span(text, value, tree).is_ok()) {
        return None;
    }
    for value in &values {
        if json::read_span(text, value, tree).is_ok() {
            found.document(tree, Origin::json(file));
        }
    }
    Some(())
}

/// Whether a text is one YAML document and nothing else.
fn is_all_of_it<'s>(text: &'s str, tree: &mut Tree<'s>) -> bool {
    yaml::read(text, tree).is_ok() && tree.unread().is_none()
}

/// A text cut before each line that begins with a brace: so a value that was cut short does not swallow the next.
fn lines_of_values(text: &str) -> Vec<&str> {
    let begins = text.match_indices("\n{").map(|(at, _)| at + 1);
    let bounds: Vec<usize> = [0].into_iter().chain(begins).chain([text.len()]).collect();
    bounds.windows(2).filter_map(|bound| text.get(*bound.first()?..*bound.last()?)).collect()
}

/// Reads the YAML documents of a text.
pub(super) fn yaml_documents<'s>(found: &mut Findings, file: FileId, text: &'s str, tree: &mut Tree<'s>) {
    for document in split::documents(text) {
        if let Some(line) = document.odd {
            found.odd_separator(file, line);
        }
        if may_be_skipped(document.text)
            && let Some((api_version, kind)) = sniff::kind_of_document(document.text)
            && is_skipped(api_version, kind)
        {
            found.skip(api_version, kind);
            continue;
        }
        let origin = Origin::yaml(file, document.line - 1);
        match document::read(document.text, 1, tree) {
            Ok(()) => {
                found.document(tree, origin);
                if let Some(position) = tree.unread() {
                    found.text_not_read(origin, document.text, position.line);
                }
            }
            Err(error) => found.broken(origin, document.text, &error),
        }
    }
}

static KIND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"kind: "));

/// Whether the first thing in a text that looks like a kind is none that must be read: only then is it worth finding
/// out what kind it really is.
pub(super) fn may_be_skipped(text: &str) -> bool {
    let first = KIND.find(text.as_bytes()).and_then(|at| text.get(at + 6..));
    let word = first.and_then(|rest| rest.split(['\n', ' ']).next()).unwrap_or_default();
    !matches!(word, "ServiceAccount" | "Namespace" | "ConfigMap" | "Secret" | "CustomResourceDefinition")
        && RbacKind::of(word).is_none()
        && WorkloadKind::of(word).is_none()
}

/// Whether a document of a kind need not be read: neither does it bear on answers, nor can it hold what does.
pub(super) fn is_skipped(api_version: &str, kind: &str) -> bool {
    !kind.ends_with("List") && !bears_on_answers(api_version, kind) && !is_kustomization(api_version)
}
