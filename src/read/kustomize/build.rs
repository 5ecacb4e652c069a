//! What kustomize makes of the objects that bear on access: resources, components, generators and transformers, in
//! its own order (`accumulateTarget`, `runGenerators`, `configureBuiltinTransformers`).

use crate::read::path::normal;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::files::Files;
use super::item::Item;
use super::patch;
use super::select::Target;
use super::value::{list, mapping, text, texts};
use super::{Kustomization, names};

/// What a kustomization comes to.
#[derive(Clone, Debug, Default)]
pub(super) struct Built {
    pub(super) items: Vec<Item>,
    /// The folders whose kustomizations it takes in, those of these included.
    pub(super) uses: BTreeSet<PathBuf>,
    /// The files whose objects it takes in, directly or through others.
    pub(super) files: BTreeSet<PathBuf>,
    /// What it takes in and the inputs do not hold.
    pub(super) lacks: Vec<Lack>,
    /// Patches of objects that bear on access and that none of the inputs are.
    pub(super) without_target: Vec<Item>,
}

/// Something that a kustomization takes in and the inputs do not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    /// It is fetched from elsewhere.
    Remote(String),
    /// It is there, but not among the inputs.
    Outside(String),
    /// A program makes it: a generator or a chart.
    Made(String),
}

/// Builds kustomizations, each once.
pub(super) struct Builder<'k> {
    kustomizations: &'k FxHashMap<PathBuf, Kustomization>,
    pub(super) files: Files<'k>,
    built: FxHashMap<PathBuf, Rc<Built>>,
    /// The folders that are being built.
    open: Vec<PathBuf>,
}

impl<'k> Builder<'k> {
    pub(super) fn new(kustomizations: &'k FxHashMap<PathBuf, Kustomization>, files: Files<'k>) -> Self {
        Self { kustomizations, files, built: FxHashMap::default(), open: Vec::new() }
    }

    /// What the kustomization of a folder comes to, with references to names that changed.
    pub(super) fn render(&mut self, folder: &Path) -> Built {
        let mut built = Built::clone(&self.build(folder));
        for item in built.items.iter_mut().filter(|item| item.is_hashed) {
            let hashed = format!("{}-<hash>", item.name());
            item.set("name", hashed);
        }
        names::follow(&mut built.items);
        built
    }

    fn build(&mut self, folder: &Path) -> Rc<Built> {
        if let Some(built) = self.built.get(folder) {
            return Rc::clone(built);
        }
        let mut built = Built::default();
        self.accumulate(folder, &mut built);
        let built = Rc::new(built);
        self.built.insert(folder.to_owned(), Rc::clone(&built));
        built
    }

    /// Does what a kustomization says to the objects that there are: those of its resources, and for a component
    /// those of whoever uses it.
    fn accumulate(&mut self, folder: &Path, built: &mut Built) {
        // Kustomize refuses a circle.
        if self.open.iter().any(|open| open == folder) {
            return;
        }
        let Some(kustomization) = self.kustomizations.get(folder) else { return };
        self.open.push(folder.to_owned());
        let value = &kustomization.value;
        self.files.note_other_uses(folder, value);
        for resource in texts(value, "resources").chain(texts(value, "bases")) {
            self.resource(folder, resource, built);
        }
        for component in texts(value, "components") {
            let path = normal(&folder.join(component));
            if self.kustomizations.contains_key(&path) {
                self.accumulate(&path, built);
            } else {
                self.lack(component, &path, built);
            }
        }
        self.generate(folder, value, built);
        self.transform(folder, value, built);
        self.open.pop();
    }

    fn resource(&mut self, folder: &Path, resource: &str, built: &mut Built) {
        let path = normal(&folder.join(resource));
        if self.kustomizations.contains_key(&path) {
            let base = self.build(&path);
            built.items.extend(base.items.iter().cloned());
            built.uses.extend(base.uses.iter().cloned());
            built.lacks.extend(base.lacks.iter().cloned());
            built.without_target.extend(base.without_target.iter().cloned());
            built.files.extend(base.files.iter().cloned());
            built.uses.insert(path);
        } else if self.files.is_input(&path) {
            built.files.insert(path.clone());
            built.items.extend(self.files.objects(&path).iter().cloned());
        } else {
            self.lack(resource, &path, built);
        }
    }

    fn lack(&self, written: &str, path: &Path, built: &mut Built) {
        let lack = if path.exists() {
            // What is not read in a folder of the inputs was left out on purpose.
            if self.files.is_below(path) {
                return;
            }
            Lack::Outside(written.to_owned())
        } else if is_remote(written) {
            Lack::Remote(written.to_owned())
        } else {
            // Kustomize fails on it.
            return;
        };
        built.lacks.push(lack);
    }

    fn generate(&mut self, folder: &Path, value: &Value, built: &mut Built) {
        let common = value.get("generatorOptions");
        for generator in list(value, "configMapGenerator") {
            let is_ours = text(generator, "name") == "aws-auth";
            if !is_ours {
                continue;
            }
            let Some(data) = self.files.generated(folder, generator) else {
                built.items.iter_mut().filter(|item| is_aws_auth(item)).for_each(|item| item.is_loose = true);
                continue;
            };
            let off = |options: Option<&Value>| {
                options
                    .is_some_and(|options| options.get("disableNameSuffixHash") == Some(&Value::Bool(true)))
            };
            let is_hashed = !off(common) && !off(generator.get("options"));
            let behavior = text(generator, "behavior");
            if matches!(behavior, "merge" | "replace") {
                for item in built.items.iter_mut().filter(|item| is_aws_auth(item)) {
                    if behavior == "replace" {
                        item.value.as_object_mut().map(|own| (own.remove("data"), own.remove("binaryData")));
                    }
                    if let Some(own) = mapping(&mut item.value, &["data"]) {
                        own.extend(data.clone());
                    }
                    item.is_hashed = is_hashed;
                }
                continue;
            }
            let mut value = serde_json::json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth"}, "data": data,
            });
            let namespace = text(generator, "namespace");
            if !namespace.is_empty() {
                mapping(&mut value, &["metadata"])
                    .map(|metadata| metadata.insert("namespace".to_owned(), namespace.into()));
            }
            built.items.push(Item { is_hashed, ..Item::new(value, None) });
        }
        for generator in list(value, "generators") {
            built.lacks.push(Lack::Made(generator.as_str().unwrap_or("a generator").to_owned()));
        }
        for chart in list(value, "helmCharts").iter().chain(list(value, "helmChartInflationGenerator")) {
            let name = text(chart, "name");
            let name = if name.is_empty() { text(chart, "chartName") } else { name };
            built.lacks.push(Lack::Made(format!("chart {name}")));
        }
    }

    fn transform(&mut self, folder: &Path, value: &Value, built: &mut Built) {
        for entry in texts(value, "patchesStrategicMerge") {
            for patch in self.files.patch(folder, entry) {
                strategic(&patch, built);
            }
        }
        for entry in list(value, "patches") {
            self.patch(folder, entry, built);
        }
        let namespace = text(value, "namespace");
        if !namespace.is_empty() {
            names::set_namespace(&mut built.items, namespace, false);
        }
        names::add(&mut built.items, text(value, "namePrefix"), text(value, "nameSuffix"));
        let sets = list(value, "labels").iter().filter_map(|labels| labels.get("pairs"));
        for labels in value.get("commonLabels").into_iter().chain(sets) {
            set_labels(&mut built.items, labels);
        }
        for entry in list(value, "patchesJson6902") {
            self.patch(folder, entry, built);
        }
        for replacement in list(value, "replacements") {
            for replacement in self.files.replacement(folder, replacement) {
                for target in list(&replacement, "targets") {
                    let select = target.get("select").map(Target::of);
                    let chosen = built
                        .items
                        .iter_mut()
                        .filter(|item| select.as_ref().is_none_or(|it| it.matches(item)));
                    chosen.for_each(|item| item.is_loose = true);
                }
            }
        }
        for entry in texts(value, "transformers") {
            for transformer in self.files.patch(folder, entry) {
                self.transformer(folder, &transformer, built);
            }
        }
    }

    /// A patch with what it is for.
    fn patch(&mut self, folder: &Path, entry: &Value, built: &mut Built) {
        let inline = text(entry, "patch");
        let written = if inline.is_empty() { text(entry, "path") } else { inline };
        let patches = self.files.patch(folder, written);
        let target = entry.get("target").filter(|target| !target.is_null()).map(Target::of);
        for patch in patches {
            let (Some(target), is_operations) = (&target, patch.is_array()) else {
                strategic(&patch, built);
                continue;
            };
            let operations = patch.as_array().map_or(&[][..], Vec::as_slice);
            let mut met = false;
            built.items.retain_mut(|item| {
                if !target.matches(item) {
                    return true;
                }
                met = true;
                if is_operations {
                    if patch::apply(&mut item.value, operations).is_err() {
                        item.is_loose = true;
                    }
                    item.remember();
                    return true;
                }
                item.merge(&patch)
            });
            if !met && target.may_bear_on_access() {
                built.without_target.push(Item::new(target.as_object(&patch), None));
            }
        }
    }

    /// A transformer in a file of its own: those of kustomize are done, any other may do anything.
    fn transformer(&mut self, folder: &Path, transformer: &Value, built: &mut Built) {
        let is_own = text(transformer, "apiVersion") == "builtin";
        match text(transformer, "kind") {
            "NamespaceTransformer" if is_own => {
                let metadata = transformer.get("metadata");
                let namespace = metadata.map_or("", |metadata| text(metadata, "namespace"));
                let only_unset = transformer.get("unsetOnly") == Some(&Value::Bool(true));
                names::set_namespace(&mut built.items, namespace, only_unset);
            }
            "PatchTransformer" | "PatchJson6902Transformer" if is_own => {
                let mut entry = transformer.clone();
                if let (Some(operations), Some(own)) = (transformer.get("jsonOp"), entry.as_object_mut()) {
                    own.insert("patch".to_owned(), operations.clone());
                }
                self.patch(folder, &entry, built);
            }
            "LabelTransformer" if is_own => {
                transformer.get("labels").into_iter().for_each(|labels| set_labels(&mut built.items, labels));
            }
            "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer" if is_own => {
                names::add(&mut built.items, text(transformer, "prefix"), text(transformer, "suffix"));
            }
            "AnnotationsTransformer" | "ImageTagTransformer" | "ReplicaCountTransformer" | "" => {}
            _ => built.items.iter_mut().for_each(|item| item.is_loose = true),
        }
    }
}

/// Merges a patch that names its object itself.
fn strategic(patch: &Value, built: &mut Built) {
    let target = Target::of_patch(patch);
    let mut met = false;
    built.items.retain_mut(|item| {
        if !target.matches(item) {
            return true;
        }
        met = true;
        item.merge(patch)
    });
    if !met && super::bears_on_access(patch) {
        built.without_target.push(Item::new(patch.clone(), None));
    }
}

fn set_labels(items: &mut [Item], labels: &Value) {
    let Some(labels) = labels.as_object() else { return };
    for item in items {
        if let Some(own) = mapping(&mut item.value, &["metadata", "labels"]) {
            own.extend(labels.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
}

pub(super) fn is_aws_auth(item: &Item) -> bool {
    item.kind() == "ConfigMap" && item.known_as.iter().any(|(_, name)| name == "aws-auth")
}

/// Whether kustomize fetches what is written so.
fn is_remote(written: &str) -> bool {
    written.contains("://")
        || written.contains("?ref=")
        || written.contains("//")
        || written.starts_with("git@")
        || written.starts_with("github.com/")
        || written.starts_with("git::")
}
