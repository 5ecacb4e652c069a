//! Manifests that a program rendered: each object is read at the place where it stands in its own file.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::path::normal;
use crate::document::relocate::Original;
use crate::document::{self, Node, Position, Tree, split};
use crate::model::source::{FileId, Shift};

use super::collect::Collector;
use super::findings::Findings;
use super::origin::Origin;
use super::programs::{Origins, Printed, Revision};

/// The annotation by which kustomize tells where an object comes from.
const ORIGIN: &str = "config.kubernetes.io/origin";

/// Reads what a program printed.
pub(super) fn read(collector: &mut Collector, printed: &Printed) {
    let text = String::from_utf8_lossy(&printed.text);
    let mut files = Files::default();
    let mut tree = Tree::default();
    let mut found = Findings::default();
    for part in split::documents(&text) {
        let read = document::read(part.text, 1, &mut tree);
        let own =
            tree.root().filter(|_| read.is_ok()).and_then(|root| origin(root, part.text, &printed.origins));
        let (file, origin) = if let Some(path) = own {
            let file = files.file(collector, &path, printed.revision.as_ref());
            file.place(&mut tree);
            (file.id, Origin::yaml(FileId(0), 0))
        } else {
            (files.command(collector, &printed.command), Origin::yaml(FileId(0), part.line - 1))
        };
        match read {
            Ok(()) => found.document(&tree, origin),
            Err(error) => found.broken(origin, part.text, &error),
        }
        let shift = Shift { files: file.0, paths: collector.paths(), ..Shift::default() };
        collector.join(&mut found, &shift);
        found.clear();
    }
}

/// The file that an object comes from.
fn origin(root: Node<'_>, text: &str, origins: &Origins) -> Option<PathBuf> {
    match origins {
        Origins::None => None,
        Origins::Annotated(folder) => {
            let annotations = root.get("metadata")?.get("annotations")?;
            let lines = annotations.get(ORIGIN)?.text().lines();
            // Of what comes from a remote base the path is one in that repository.
            let mut path = None;
            for line in lines {
                match line.split_once(": ") {
                    Some(("repo", _)) => return None,
                    Some(("path" | "configuredIn", own)) => path = Some(folder.join(own)),
                    _ => {}
                }
            }
            path
        }
        Origins::Commented(chart) => {
            let source = text.lines().find_map(|line| line.strip_prefix("# Source: "))?;
            let (_, inside) = source.trim().split_once('/')?;
            Some(chart.join(inside))
        }
    }
}

/// The files that objects come from.
#[derive(Default)]
struct Files {
    known: FxHashMap<PathBuf, File>,
    command: Option<FileId>,
}

/// A file that objects come from.
struct File {
    id: FileId,
    text: String,
    objects: Vec<Object>,
    /// How many objects of a kind were met.
    met: FxHashMap<String, usize>,
}

/// An object of a file before it was rendered.
struct Object {
    kind: String,
    name: String,
    /// Its document: where its text begins and ends, and the lines before it.
    document: (usize, usize, u32),
    /// Its number among the items, if the document is a list.
    item: Option<usize>,
    line: u32,
}

impl Files {
    fn command(&mut self, collector: &mut Collector, command: &str) -> FileId {
        *self.command.get_or_insert_with(|| collector.file(command))
    }

    fn file(&mut self, collector: &mut Collector, path: &Path, revision: Option<&Revision>) -> &mut File {
        let path = normal(path);
        self.known.entry(path).or_insert_with_key(|path| {
            let name = revision.and_then(|revision| revision.path(path)).unwrap_or_else(|| shown(path));
            let id = collector.file(&name);
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let objects = objects(&text);
            File { id, text, objects, met: FxHashMap::default() }
        })
    }
}

impl File {
    /// Gives an object the places that it has in this file.
    fn place(&mut self, tree: &mut Tree<'_>) {
        let Some(root) = tree.root() else { return };
        let field =
            |node: Node<'_>, key: &str| node.get(key).map_or(String::new(), |node| node.text().to_owned());
        let kind = field(root, "kind");
        let name = root.get("metadata").map_or(String::new(), |metadata| field(metadata, "name"));
        let number = self.met.entry(kind.clone()).or_default();
        *number += 1;
        let of_kind: Vec<&Object> = self.objects.iter().filter(|object| object.kind == kind).collect();
        // Prefixes and suffixes leave the name between them; a template leaves only the order.
        let by_name = of_kind.iter().filter(|object| !object.name.is_empty() && name.contains(&object.name));
        let object = by_name
            .max_by_key(|object| object.name.len())
            .or_else(|| of_kind.get(*number - 1))
            .or(of_kind.last());
        let nowhere = Original { root: None, place: Position::default(), lines_before: 0 };
        let Some(object) = object else {
            // A generated object: the line that names it, where that is in one.
            let names = |line: &&str| line.trim_end().ends_with(&name) && !name.is_empty();
            let line = self.text.lines().zip(1..).find(|(line, _)| names(line)).map_or(0, |(_, line)| line);
            tree.relocate(&Original { place: Position { line, column: 0 }, ..nowhere });
            return;
        };
        let (begin, end, lines_before) = object.document;
        let mut original = Tree::default();
        let text = self.text.get(begin..end).unwrap_or_default();
        let is_read = document::read(text, 1, &mut original).is_ok();
        let root = original.root().filter(|_| is_read);
        let root = match object.item {
            None => root,
            Some(number) => {
                root.and_then(|root| root.get("items")).and_then(|items| items.items().nth(number))
            }
        };
        tree.relocate(&Original { root, place: Position { line: object.line, column: 0 }, lines_before });
    }
}

/// The objects of a file; of one that cannot be read, such as a template, what its lines tell.
fn objects(text: &str) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut tree = Tree::default();
    for part in split::documents(text) {
        let begin = part.text.as_ptr() as usize - text.as_ptr() as usize;
        let document = (begin, begin + part.text.len(), part.line - 1);
        if document::read(part.text, 1, &mut tree).is_err() {
            let kinds = part.text.lines().zip(part.line..);
            objects.extend(kinds.filter_map(|(line, number)| {
                let kind = line.strip_prefix("kind:")?.trim().to_owned();
                Some(Object { kind, name: String::new(), document, item: None, line: number })
            }));
            continue;
        }
        let Some(root) = tree.root() else { continue };
        let items: Vec<Node<'_>> = root.get("items").into_iter().flat_map(Node::items).collect();
        let is_list = !items.is_empty() && root.get("kind").is_some_and(|kind| kind.text().ends_with("List"));
        let roots = if is_list { items } else { vec![root] };
        for (node, number) in roots.into_iter().zip(0..) {
            let field = |node: Node<'_>, key: &str| {
                node.get(key).map_or(String::new(), |node| node.text().to_owned())
            };
            objects.push(Object {
                kind: field(node, "kind"),
                name: node.get("metadata").map_or(String::new(), |metadata| field(metadata, "name")),
                document,
                item: is_list.then_some(number),
                line: node.position().line + part.line - 1,
            });
        }
    }
    objects
}

/// A path as people type it: from where the program runs, if it is below.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let below = here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned()).display().to_string()
}
