//! Kustomizations, read for what they do to objects that bear on access.
//!
//! Nothing that a kustomization changes is answered as if it were applied as it stands. What it may become is worked
//! out here, object by object and kustomization by kustomization, so that a "no" stays one where nothing that the
//! inputs hold could change it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value, json};

use crate::document::Node;
use crate::model::source::{FileId, Source, Sources};
use crate::read::path::normal;

use crate::read::settings::Settings;
use build::{Builder, Lack};
use files::{Files, Walked};
use item::{Item, Origin};
pub(super) use originals::Originals;
use value::text;

mod build;
mod files;
mod item;
mod names;
mod originals;
mod patch;
mod select;
mod value;

/// A kustomization of the inputs.
#[derive(Clone, Debug)]
pub(super) struct Kustomization {
    pub(super) source: Source,
    pub(super) value: Value,
}

impl Kustomization {
    /// Reads the document of a file that kustomize would read; `None` for any other.
    pub(super) fn of(node: Node<'_>, file: &str, source: Source) -> Option<Self> {
        // Every document is asked.
        if !file.ends_with("stomization.yaml")
            && !file.ends_with("stomization.yml")
            && !file.ends_with("stomization")
        {
            return None;
        }
        let name = Path::new(file).file_name()?.to_str()?;
        if !matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization") {
            return None;
        }
        let field = |key: &str| node.get(key).map_or("", Node::text);
        let is_own =
            field("apiVersion").is_empty() || field("apiVersion").starts_with("kustomize.config.k8s.io/");
        let is_kind = matches!(field("kind"), "" | "Kustomization" | "Component");
        (node.is_mapping() && is_own && is_kind).then(|| Self { source, value: value::of(node) })
    }

    fn is_component(&self) -> bool {
        text(&self.value, "kind") == "Component"
    }
}

/// What an object may be once it is applied.
#[derive(Debug)]
pub(super) struct Variant {
    /// The object.
    pub(super) value: Value,
    /// Where it stands as it was written; the kustomization that makes it, if none does.
    pub(super) source: Source,
    /// The number of the form that says why.
    pub(super) form: usize,
    /// Whether it may be anything, for something changes it that is not done here.
    pub(super) is_loose: bool,
}

/// Why objects are not applied as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Why {
    /// Where the kustomization is that changes them.
    pub(super) source: Source,
    /// A sentence in lower case without a full stop, with the command that tells.
    pub(super) sentence: String,
}

/// What came of the kustomizations of the inputs.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Files whose documents are no objects: patches and the like.
    pub(super) no_objects: FxHashSet<FileId>,
    /// Objects that are not applied as they stand, by file, line and column, each with its reason.
    pub(super) covered: FxHashMap<(FileId, u32, u32), usize>,
    /// What they may become, and what is generated.
    pub(super) variants: Vec<Variant>,
    pub(super) reasons: Vec<Why>,
    /// Patches of objects that the inputs do not hold.
    pub(super) without_target: Vec<(Value, Why)>,
    /// Folders and files beside the inputs that kustomizations take in.
    pub(super) outside: Vec<Why>,
    /// Remote bases, charts and generators that are not expanded, each with the first kustomization that has it.
    pub(super) not_expanded: Vec<(String, Source)>,
}

/// A document as a plain value.
pub(super) fn value_of(node: Node<'_>) -> Value {
    value::of(node)
}

/// Whether an object bears on access, so that kustomizations are followed for it.
pub(super) fn bears_on_access(value: &Value) -> bool {
    match (text(value, "apiVersion"), text(value, "kind")) {
        (version, "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding") => {
            version.split('/').next() == Some(super::rbac::GROUP)
        }
        ("v1", "ServiceAccount") => true,
        ("v1", "ConfigMap") => {
            value.get("metadata").is_some_and(|metadata| text(metadata, "name") == "aws-auth")
        }
        _ => false,
    }
}

/// Follows the kustomizations of the inputs. `holding` are the files in which objects stand that bear on access.
pub(super) fn follow(
    found: Vec<Kustomization>,
    sources: &Sources,
    holding: &FxHashSet<FileId>,
    roots: &[PathBuf],
    selected: &FxHashSet<String>,
    settings: Option<&Settings>,
) -> Outcome {
    let mut ids: FxHashMap<PathBuf, FileId> = FxHashMap::default();
    let mut walked =
        Walked { roots: roots.iter().map(|root| normal(root)).collect(), settings, ..Walked::default() };
    for number in 0..u32::try_from(sources.len()).unwrap_or(u32::MAX) {
        let file = FileId(number);
        let path = normal(Path::new(sources.file(file)));
        if holding.contains(&file) {
            walked.holding.insert(path.clone());
        }
        ids.insert(path.clone(), file);
        walked.files.insert(path);
    }
    let mut kustomizations: FxHashMap<PathBuf, Kustomization> = FxHashMap::default();
    for kustomization in found {
        let file = normal(Path::new(sources.file(kustomization.source.file)));
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        kustomizations.entry(folder).or_insert(kustomization);
    }
    let mut work = Work {
        sources,
        selected,
        builder: Builder::new(&kustomizations, Files::new(&walked)),
        kustomizations: &kustomizations,
        rendered: Vec::new(),
        outcome: Outcome::default(),
    };
    work.render();
    work.decide(&ids);
    work.lacks();
    work.outcome
}

/// A kustomization with what it comes to.
struct Rendered<'k> {
    folder: &'k Path,
    built: build::Built,
    /// What became of each object that was written somewhere.
    by_origin: BTreeMap<Origin, Vec<usize>>,
}

struct Work<'k> {
    sources: &'k Sources,
    /// The labels by which ClusterRoles are selected anywhere.
    selected: &'k FxHashSet<String>,
    builder: Builder<'k>,
    kustomizations: &'k FxHashMap<PathBuf, Kustomization>,
    rendered: Vec<Rendered<'k>>,
    outcome: Outcome,
}

impl Work<'_> {
    /// Works out what every kustomization comes to that can be applied.
    fn render(&mut self) {
        let mut folders: Vec<&PathBuf> = self.kustomizations.keys().collect();
        folders.sort();
        for folder in folders {
            if self.kustomizations.get(folder).is_none_or(Kustomization::is_component) {
                continue;
            }
            let built = self.builder.render(folder);
            let mut by_origin: BTreeMap<Origin, Vec<usize>> = BTreeMap::new();
            for (item, number) in built.items.iter().zip(0..) {
                if let Some(origin) = &item.origin {
                    by_origin.entry(origin.clone()).or_default().push(number);
                }
            }
            self.rendered.push(Rendered { folder, built, by_origin });
        }
    }

    /// Finds the objects that are not applied as they stand, and what they may become.
    fn decide(&mut self, ids: &FxHashMap<PathBuf, FileId>) {
        let files = std::mem::take(&mut self.builder.files.resources);
        let no_objects = self.builder.files.other_uses.iter().filter(|path| !files.contains(*path));
        self.outcome.no_objects = no_objects.filter_map(|path| ids.get(path).copied()).collect();
        let groups = self.alternatives();
        for file in &files {
            let Some(objects) = self.builder.files.known(file) else { continue };
            for raw in objects.iter() {
                let Some(origin) = &raw.origin else { continue };
                self.object(raw, origin, ids.get(file).copied(), &groups);
            }
        }
        self.not_listed(ids, &files);
        self.generated();
    }

    /// What an object is in all kustomizations that take its file in.
    fn object(&mut self, raw: &Item, origin: &Origin, file: Option<FileId>, groups: &[BTreeSet<usize>]) {
        let plain = self.essence(&raw.value);
        let mut changed: BTreeSet<usize> = BTreeSet::new();
        let mut takers: BTreeSet<usize> = BTreeSet::new();
        let mut values: Vec<(Value, Value, bool)> = vec![(plain.clone(), raw.value.clone(), false)];
        for (rendered, number) in self.rendered.iter().zip(0usize..) {
            if !rendered.built.files.contains(&*origin.0) {
                continue;
            }
            takers.insert(number);
            let Some(items) = rendered.by_origin.get(origin) else {
                changed.insert(number);
                continue;
            };
            for item in items.iter().filter_map(|item| rendered.built.items.get(*item)) {
                let essence = self.essence(&item.value);
                if essence != plain || item.is_loose {
                    changed.insert(number);
                }
                if !values.iter().any(|(known, _, loose)| *known == essence && *loose == item.is_loose) {
                    values.push((essence, item.value.clone(), item.is_loose));
                }
            }
        }
        // Of several overlays of one base some have it and some have not.
        let torn = groups.iter().find(|group| {
            group.intersection(&takers).next().is_some() && group.difference(&takers).next().is_some()
        });
        let why = match (changed.is_empty(), torn) {
            (false, _) => self.changed(&changed, &takers),
            (true, Some(group)) => self.torn(group, &takers),
            (true, None) => return,
        };
        let form = self.reason(why);
        let Some(file) = file else { return };
        self.outcome.covered.insert((file, origin.1, origin.2), form);
        let source = Source { file, line: origin.1, column: origin.2, ..Source::default() };
        for (_, value, is_loose) in values {
            self.outcome.variants.push(Variant { value, source, form, is_loose });
        }
    }

    /// What of an object bears on access.
    fn essence(&self, value: &Value) -> Value {
        let metadata = value.get("metadata").unwrap_or(&Value::Null);
        let kind = text(value, "kind");
        let namespace = if matches!(kind, "ClusterRole" | "ClusterRoleBinding") {
            ""
        } else {
            text(metadata, "namespace")
        };
        let labels: BTreeMap<&String, &Value> =
            match (kind, metadata.get("labels").and_then(Value::as_object)) {
                ("ClusterRole", Some(labels)) => {
                    labels.iter().filter(|(key, _)| self.selected.contains(*key)).collect()
                }
                _ => BTreeMap::new(),
            };
        let parts = ["rules", "aggregationRule", "roleRef", "subjects", "data", "binaryData"];
        let parts: Vec<&Value> = parts.iter().map(|key| value.get(key).unwrap_or(&Value::Null)).collect();
        json!([kind, namespace, text(metadata, "name"), labels, parts])
    }

    /// Kustomizations that nothing takes in and that have a base in common: one of each group is what is applied.
    fn alternatives(&self) -> Vec<BTreeSet<usize>> {
        let used: BTreeSet<&PathBuf> =
            self.rendered.iter().flat_map(|rendered| &rendered.built.uses).collect();
        let mut by_base: BTreeMap<&PathBuf, BTreeSet<usize>> = BTreeMap::new();
        for (rendered, number) in self.rendered.iter().zip(0usize..) {
            if !used.contains(&rendered.folder.to_owned()) {
                for base in &rendered.built.uses {
                    by_base.entry(base).or_default().insert(number);
                }
            }
        }
        let mut groups: Vec<BTreeSet<usize>> =
            by_base.into_values().filter(|group| group.len() > 1).collect();
        groups.sort();
        groups.dedup();
        groups
    }

    /// The kustomizations among these that no other of them takes in: what is applied in the end.
    fn outermost(&self, takers: &BTreeSet<usize>) -> Vec<&Path> {
        let of = |number: &usize| self.rendered.get(*number);
        let used: BTreeSet<&Path> = takers
            .iter()
            .filter_map(of)
            .flat_map(|one| one.built.uses.iter().map(PathBuf::as_path))
            .collect();
        takers.iter().filter_map(of).map(|one| one.folder).filter(|folder| !used.contains(folder)).collect()
    }

    fn file_of(&self, number: usize) -> (String, Source) {
        let folder = self.rendered.get(number).map_or(Path::new(""), |rendered| rendered.folder);
        self.file_of_folder(folder)
    }

    fn file_of_folder(&self, folder: &Path) -> (String, Source) {
        let source = self.kustomizations.get(folder).map(|one| one.source).unwrap_or_default();
        (self.sources.file(source.file).to_owned(), source)
    }

    fn changed(&self, changed: &BTreeSet<usize>, takers: &BTreeSet<usize>) -> Why {
        let first = changed.iter().next().copied().unwrap_or_default();
        let (file, source) = self.file_of(first);
        let changes = match changed.len() {
            1 => format!("{file} changes it"),
            2 => format!(
                "{file} and {} change it",
                self.file_of(changed.iter().nth(1).copied().unwrap_or_default()).0
            ),
            count => format!("{file} and {} other kustomizations change it", count - 1),
        };
        Why {
            source,
            sentence: format!("{changes} before it is applied; {}", commands(&self.outermost(takers))),
        }
    }

    fn torn(&self, group: &BTreeSet<usize>, takers: &BTreeSet<usize>) -> Why {
        let first = takers.intersection(group).next().copied().unwrap_or_default();
        let (file, source) = self.file_of(first);
        let all = self.outermost(group);
        let sentence =
            format!("{file} applies it, and other overlays of the same base do not; {}", commands(&all));
        Why { source, sentence }
    }

    fn reason(&mut self, why: Why) -> usize {
        if let Some(known) = self.outcome.reasons.iter().position(|known| *known == why) {
            return known;
        }
        self.outcome.reasons.push(why);
        self.outcome.reasons.len() - 1
    }

    /// Objects in the folder of a kustomization that does not list their file, nor does any other.
    fn not_listed(&mut self, ids: &FxHashMap<PathBuf, FileId>, files: &BTreeSet<PathBuf>) {
        let mut paths: Vec<(&PathBuf, FileId)> = ids.iter().map(|(path, id)| (path, *id)).collect();
        paths.sort();
        for (path, id) in paths {
            let Some(folder) = path.parent() else { continue };
            if !self.kustomizations.contains_key(folder)
                || files.contains(path)
                || self.outcome.no_objects.contains(&id)
            {
                continue;
            }
            let objects = self.builder.files.objects(path);
            let (file, source) = self.file_of_folder(folder);
            for raw in objects.iter() {
                let Some((_, line, column)) = raw.origin else { continue };
                let sentence = format!(
                    "{file} is in the same folder and does not list its file; list it, or leave it out with --exclude"
                );
                let form = self.reason(Why { source, sentence });
                self.outcome.covered.insert((id, line, column), form);
                let own = Source { file: id, line, column, ..Source::default() };
                let value = raw.value.clone();
                self.outcome.variants.push(Variant { value, source: own, form, is_loose: false });
            }
        }
    }

    /// What generators make, and what patches make of it.
    fn generated(&mut self) {
        let mut known: Vec<Value> = Vec::new();
        for number in 0..self.rendered.len() {
            let items = self.rendered.get(number).map_or(&[][..], |rendered| &rendered.built.items);
            let generated: Vec<Item> = items.iter().filter(|item| item.origin.is_none()).cloned().collect();
            for item in generated {
                let essence = self.essence(&item.value);
                let (file, source) = self.file_of(number);
                let takers = self.takers_of(number);
                let sentence = format!("{file} generates it; {}", commands(&self.outermost(&takers)));
                if !known.contains(&essence) {
                    known.push(essence);
                    let form = self.reason(Why { source, sentence });
                    let value = item.value;
                    self.outcome.variants.push(Variant { value, source, form, is_loose: item.is_loose });
                }
            }
        }
    }

    /// A kustomization and those that take it in.
    fn takers_of(&self, number: usize) -> BTreeSet<usize> {
        let folder = self.rendered.get(number).map_or(Path::new(""), |rendered| rendered.folder);
        let mut takers = BTreeSet::from([number]);
        for (rendered, other) in self.rendered.iter().zip(0usize..) {
            if rendered.built.uses.contains(folder) {
                takers.insert(other);
            }
        }
        takers
    }

    /// What kustomizations take in that is not among the inputs, each once.
    fn lacks(&mut self) {
        let mut seen: BTreeSet<Lack> = BTreeSet::new();
        let mut patches: Vec<Value> = Vec::new();
        for number in 0..self.rendered.len() {
            let Some(rendered) = self.rendered.get(number) else { continue };
            let (lacks, patched) = (rendered.built.lacks.clone(), rendered.built.without_target.clone());
            let (file, source) = self.file_of(number);
            let command = commands(&self.outermost(&self.takers_of(number)));
            let is_incomplete = lacks.iter().any(|lack| !matches!(lack, Lack::Made(_)));
            for lack in lacks.into_iter().filter(|lack| seen.insert(lack.clone())) {
                match lack {
                    Lack::Outside(written) => {
                        let sentence = format!(
                            "{file} takes in `{written}`, which is not in the inputs; add it, or {command}"
                        );
                        self.outcome.outside.push(Why { source, sentence });
                    }
                    Lack::Remote(written) | Lack::Made(written) => {
                        self.outcome.not_expanded.push((written, source));
                    }
                }
            }
            // Without a target kustomize fails, unless the object comes from what is not there.
            for item in patched.into_iter().filter(|_| is_incomplete) {
                if !patches.contains(&item.value) {
                    let title = format!("{} `{}`", item.kind(), item.name());
                    let sentence = format!(
                        "{file} patches {title}, which is not in the inputs; add its base, or {command}"
                    );
                    patches.push(item.value.clone());
                    self.outcome.without_target.push((item.value, Why { source, sentence }));
                }
            }
        }
    }
}

/// What to give for what is really applied.
fn commands(folders: &[&Path]) -> String {
    let shown = |folder: &&Path| {
        let folder = folder.display().to_string();
        format!("-k {}", if folder.is_empty() { "." } else { &folder })
    };
    match folders {
        [] => "use -k".to_owned(),
        [one] => format!("use {}", shown(one)),
        [one, two] => format!("use {} or {}, whichever is meant", shown(one), shown(two)),
        [one, two, rest @ ..] => {
            format!(
                "use {}, {} or another of {} overlays, whichever is meant",
                shown(one),
                shown(two),
                rest.len() + 2
            )
        }
    }
}
