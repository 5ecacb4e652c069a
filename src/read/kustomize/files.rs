//! The files that kustomizations name: objects, patches, and what goes into generated objects.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value};

use super::item::Item;
use super::value::{self, list, text, texts};
use crate::document::{self, Node, Tree, encoding, json, split};
use crate::read::path::normal;
use crate::read::settings::Settings;

/// What is known of the inputs' files.
#[derive(Debug, Default)]
pub(super) struct Walked<'s> {
    /// Every file that was read.
    pub(super) files: FxHashSet<PathBuf>,
    /// Those in which an object stands that bears on access.
    pub(super) holding: FxHashSet<PathBuf>,
    /// The folders that were walked.
    pub(super) roots: Vec<PathBuf>,
    /// What fills placeholders in.
    pub(super) settings: Option<&'s Settings>,
}

/// The files that kustomizations name, each read once.
pub(super) struct Files<'k> {
    walked: &'k Walked<'k>,
    objects: FxHashMap<PathBuf, Rc<[Item]>>,
    /// Files that some kustomization uses as something else than objects.
    pub(super) other_uses: BTreeSet<PathBuf>,
    /// Files whose objects some kustomization takes in.
    pub(super) resources: BTreeSet<PathBuf>,
}

impl<'k> Files<'k> {
    pub(super) fn new(walked: &'k Walked<'k>) -> Self {
        Self {
            walked,
            objects: FxHashMap::default(),
            other_uses: BTreeSet::new(),
            resources: BTreeSet::new(),
        }
    }

    /// Whether a file is among the inputs, or would be under another name.
    pub(super) fn is_input(&self, path: &Path) -> bool {
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json");
        self.walked.files.contains(path) || (!is_yaml && self.is_below(path) && path.is_file())
    }

    /// Whether a path is below a folder that was walked: what is not read there was left out on purpose.
    pub(super) fn is_below(&self, path: &Path) -> bool {
        self.walked.roots.iter().any(|root| path.starts_with(root))
    }

    /// The objects of a file that bear on access.
    pub(super) fn objects(&mut self, path: &Path) -> Rc<[Item]> {
        self.resources.insert(path.to_owned());
        if self.walked.files.contains(path) && !self.walked.holding.contains(path) {
            return Rc::new([]);
        }
        if let Some(objects) = self.objects.get(path) {
            return Rc::clone(objects);
        }
        let mut items = Vec::new();
        let file: Rc<Path> = path.into();
        for_each_document(path, self.walked.settings, &mut |root, lines_before| {
            let mut take = |node: Node<'_>| {
                let value = value::of(node);
                if super::bears_on_access(&value) {
                    let position = node.position();
                    let origin = (Rc::clone(&file), position.line + lines_before, position.column);
                    items.push(Item::new(value, Some(origin)));
                }
            };
            let listed = root.get("items").filter(|items| items.is_sequence());
            match listed.filter(|_| root.get("kind").is_some_and(|kind| kind.text().ends_with("List"))) {
                Some(listed) => listed.items().for_each(take),
                None => take(root),
            }
        });
        let items: Rc<[Item]> = items.into();
        self.objects.insert(path.to_owned(), Rc::clone(&items));
        items
    }

    /// The objects of a file, if it was read.
    pub(super) fn known(&self, path: &Path) -> Option<Rc<[Item]>> {
        self.objects.get(path).map(Rc::clone)
    }

    /// Notes that a file is something else than objects.
    pub(super) fn other_use(&mut self, folder: &Path, written: &str) {
        self.other_uses.insert(normal(&folder.join(written)));
    }

    /// The patches of a file, or of the text itself where no file is called so.
    pub(super) fn patch(&mut self, folder: &Path, written: &str) -> Vec<Value> {
        let path = normal(&folder.join(written));
        let mut values = Vec::new();
        if !written.contains('\n') && path.is_file() {
            let settings = self.walked.settings;
            for_each_document(&path, settings, &mut |root, _| values.push(value::of(root)));
            self.other_uses.insert(path);
        } else {
            of_text(written, &mut |root, _| values.push(value::of(root)));
        }
        values.retain(|value| value.is_object() || value.is_array());
        values
    }

    /// What a replacement says, or the file that it names.
    pub(super) fn replacement(&mut self, folder: &Path, entry: &Value) -> Vec<Value> {
        let path = text(entry, "path");
        if path.is_empty() {
            return vec![entry.clone()];
        }
        let told = self.patch(folder, path).into_iter();
        told.flat_map(|value| match value {
            Value::Array(items) => items,
            other => vec![other],
        })
        .collect()
    }

    /// The data of a generated ConfigMap; `None` if a file of it cannot be read.
    pub(super) fn generated(&mut self, folder: &Path, generator: &Value) -> Option<Map<String, Value>> {
        let mut data = Map::new();
        for entry in texts(generator, "files") {
            let (key, file) = match entry.split_once('=') {
                Some((key, file)) => (key.to_owned(), file),
                None => (Path::new(entry).file_name()?.to_str()?.to_owned(), entry),
            };
            data.insert(key, Value::String(self.content(folder, file)?));
        }
        let literals = texts(generator, "literals").map(str::to_owned);
        let mut pairs: Vec<String> = literals.collect();
        for file in texts(generator, "envs").chain(generator.get("env").and_then(Value::as_str)) {
            let content = self.content(folder, file)?;
            let lines =
                content.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            pairs.extend(lines.map(str::to_owned));
        }
        for pair in pairs {
            let (key, written) = pair.split_once('=')?;
            let unquoted =
                ['"', '\''].into_iter().find_map(|quote| written.strip_prefix(quote)?.strip_suffix(quote));
            data.insert(key.to_owned(), unquoted.unwrap_or(written).into());
        }
        Some(data)
    }

    fn content(&mut self, folder: &Path, file: &str) -> Option<String> {
        let path = normal(&folder.join(file));
        let content = std::fs::read_to_string(&path).ok();
        self.other_uses.insert(path);
        content
    }

    /// Notes every file that a kustomization uses for something that is not done here.
    pub(super) fn note_other_uses(&mut self, folder: &Path, value: &Value) {
        for key in ["configurations", "crds", "transformers", "generators", "validators"] {
            for entry in texts(value, key) {
                self.other_use(folder, entry);
            }
        }
        for generator in list(value, "configMapGenerator").iter().chain(list(value, "secretGenerator")) {
            for entry in texts(generator, "files").chain(texts(generator, "envs")) {
                self.other_use(folder, entry.split_once('=').map_or(entry, |(_, file)| file));
            }
        }
        for chart in list(value, "helmCharts") {
            for file in
                texts(chart, "additionalValuesFiles").chain(chart.get("valuesFile").and_then(Value::as_str))
            {
                self.other_use(folder, file);
            }
        }
        if let Some(path) =
            value.get("openapi").map(|openapi| text(openapi, "path")).filter(|path| !path.is_empty())
        {
            self.other_use(folder, path);
        }
    }
}

/// The text of a file with placeholders filled in.
pub(super) fn text_of(path: &Path, settings: Option<&Settings>) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let decoded = encoding::decode(&bytes).ok()?;
    let filled = settings.and_then(|settings| settings.fill_bytes(&bytes));
    Some(filled.unwrap_or_else(|| decoded.into_owned()))
}

/// Whether a text may be JSON.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Reads the documents of a file, each with the number of lines before it.
pub(super) fn for_each_document(
    path: &Path,
    settings: Option<&Settings>,
    each: &mut dyn FnMut(Node<'_>, u32),
) {
    if let Some(text) = text_of(path, settings) {
        of_text(&text, each);
    }
}

fn of_text(text: &str, each: &mut dyn FnMut(Node<'_>, u32)) {
    let mut tree = Tree::default();
    if is_json(text) && json::read(text, &mut tree).is_ok() {
        tree.root().into_iter().for_each(|root| each(root, 0));
        return;
    }
    for part in split::documents(text) {
        if document::read(part.text, 1, &mut tree).is_ok()
            && let Some(root) = tree.root()
        {
            each(root, part.line - 1);
        }
    }
}
