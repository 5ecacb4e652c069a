//! From files to a policy: the only module that opens files, and the only one that knows YAML and JSON.
//!
//! What a document is decides how it is read, never its file name. Problems in the inputs are data beside the
//! result: a bad document never hides the good ones.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::catalogue::{Added, Catalogue};
use crate::diagnostic::{Code, Diagnostic};
use crate::document::{Node, ReadError, Tree};
use crate::identity::IdentityMappings;
use crate::policy::Policy;

pub use crate::policy::Completeness;
use crate::rbac::Scope;
use crate::source::{FileId, PathId, Source};
use crate::version::KubernetesVersion;

mod aws_auth;
mod builtin;
mod crd;
mod fields;
mod rbac;
mod reader;
mod validate;

use rbac::RbacKind;

/// Something to read.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file, or a directory that is searched for `*.yaml`, `*.yml` and `*.json`.
    Path(PathBuf),
    /// A text that is there already, such as standard input, under the name that people will see.
    Text {
        /// The name in diagnostics and answers.
        name: String,
        /// The text, in any encoding that a file may have.
        bytes: Vec<u8>,
    },
}

/// Whether the default roles and bindings of Kubernetes are added.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Defaults {
    /// Unless the inputs hold them already.
    #[default]
    Auto,
    /// Always; an object of the inputs replaces the default of the same name.
    Always,
    /// Never.
    Never,
}

/// How to load.
#[derive(Copy, Clone, Debug, Default)]
pub struct LoadOptions {
    /// Whether default roles are added.
    pub defaults: Defaults,
    /// The Kubernetes version whose defaults are added.
    pub version: KubernetesVersion,
    /// What to take the inputs for; `None`: complete if they hold the cluster's own default roles.
    pub completeness: Option<Completeness>,
}

/// What was read, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Files that were read.
    pub files: usize,
    /// Documents and list items that are Kubernetes objects.
    pub objects: usize,
    /// Objects of kinds that do not bear on the answer, by apiVersion and kind.
    pub skipped: BTreeMap<(String, String), usize>,
    /// Documents that are no Kubernetes objects.
    pub not_objects: usize,
    /// Objects that the API server would refuse.
    pub refused: usize,
    /// Files and documents that could not be read.
    pub unreadable: usize,
    /// The first file or document that could not be read and may hold RBAC objects, for its text says so or could
    /// not be seen at all.
    pub unseen: Option<Source>,
    /// Objects of ours that the inputs hold: the label of Kubernetes' default objects is on this many.
    pub labelled_defaults: usize,
    /// Default roles and bindings that were added.
    pub defaults_added: usize,
    /// Whether any Role (not ClusterRole) is among the inputs, or it was said that they are complete: an export
    /// without any Role lacks them all.
    pub has_roles: bool,
}

/// Everything that was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The RBAC objects.
    pub policy: Policy,
    /// The identity mappings; empty where the inputs hold no `kube-system/aws-auth`.
    pub identities: IdentityMappings,
    /// The API resources, built in and from CRDs.
    pub catalogue: Catalogue,
    /// What was wrong or odd, in the order of the inputs.
    pub diagnostics: Vec<Diagnostic>,
    /// What was read, in numbers.
    pub summary: Summary,
    /// Whether what is missing may exist.
    pub completeness: Completeness,
    /// The version that was asked for.
    pub version: KubernetesVersion,
}

/// A path that cannot be read at all.
#[derive(Debug)]
pub struct LoadError {
    path: PathBuf,
    source: std::io::Error,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read `{}`: {}", self.path.display(), self.source)
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Loads inputs in order.
///
/// # Errors
/// If a path that was named does not exist or cannot be opened. Everything else becomes a diagnostic.
pub fn load(inputs: &[Input], options: &LoadOptions) -> Result<Loaded, LoadError> {
    let mut collector = Collector::default();
    for input in inputs {
        match input {
            Input::Text { name, bytes } => collector.text(name, bytes),
            Input::Path(path) => collector.path(path)?,
        }
    }
    Ok(collector.finish(options))
}

/// Where a document stands: what the places of its nodes are counted from.
#[derive(Clone, Debug)]
pub(crate) struct Origin<'s> {
    file: FileId,
    /// The text in which the positions of nodes count.
    text: &'s str,
    /// Lines of the file before the first line of the document.
    lines_before: u32,
    /// The path inside JSON; `None` for YAML.
    path: Option<String>,
}

impl Origin<'_> {
    fn line(&self, line: u32) -> u32 {
        self.lines_before + line
    }
}

#[derive(Debug, Default)]
struct Collector {
    policy: Policy,
    catalogue: Catalogue,
    aws_auth: Option<aws_auth::Found>,
    diagnostics: Vec<Diagnostic>,
    summary: Summary,
    scratch: rbac::Scratch,
    default_namespace: (usize, Option<Source>),
    /// Documents that do not even look like Kubernetes objects: how many, and the first.
    other_documents: (usize, Option<Source>),
    labelled: Vec<String>,
}

impl Collector {
    fn path(&mut self, path: &Path) -> Result<(), LoadError> {
        let fail = |source| LoadError { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(fail)?;
        if !metadata.is_dir() {
            let bytes = std::fs::read(path).map_err(fail)?;
            self.text(&path.display().to_string(), &bytes);
            return Ok(());
        }
        let wanted = |path: &Path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
        };
        for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && wanted(entry.path()) => {
                    match std::fs::read(entry.path()) {
                        Ok(bytes) => self.text(&entry.path().display().to_string(), &bytes),
                        Err(error) => self.unreadable(entry.path(), &error.to_string()),
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let at = error.path().unwrap_or(path).to_owned();
                    let message = error.to_string();
                    self.unreadable(&at, &message);
                }
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &Path, error: &str) {
        let file = self.policy.sources.add_file(&path.display().to_string());
        let source = Source { file, ..Source::default() };
        self.summary.unreadable += 1;
        self.summary.unseen.get_or_insert(source);
        self.diagnostics.push(Diagnostic::at(
            Code::UnreadableFile,
            source,
            format!("cannot be read: {error}"),
        ));
    }

    fn text(&mut self, name: &str, bytes: &[u8]) {
        let file = self.policy.sources.add_file(name);
        self.summary.files += 1;
        reader::read(self, file, bytes);
    }

    /// A document that could not be read.
    fn broken(&mut self, origin: &Origin<'_>, error: &ReadError) {
        self.summary.unreadable += 1;
        let source = Source {
            file: origin.file,
            line: origin.line(error.position.line),
            column: error.position.column,
            path: self.path_id(origin),
        };
        if error.code == Code::InvalidEncoding || origin.text.contains(rbac::GROUP) {
            self.summary.unseen.get_or_insert(source);
        }
        self.diagnostics.push(Diagnostic::at(error.code, source, error.message.clone()));
    }

    fn path_id(&mut self, origin: &Origin<'_>) -> PathId {
        match &origin.path {
            Some(path) if !path.is_empty() => self.policy.sources.add_path(path),
            _ => PathId::default(),
        }
    }

    /// Takes in what a document says: an object, or a list of objects.
    fn document(&mut self, tree: &Tree<'_>, origin: &Origin<'_>) {
        if let Some(root) = tree.root() {
            if root.is_null() {
                return;
            }
            self.node(root, origin, ("", ""));
        }
    }

    /// `implied` is the apiVersion and kind of an item in a typed list, whose items need not say them.
    fn node(&mut self, node: Node<'_>, origin: &Origin<'_>, implied: (&str, &str)) {
        let (mut api_version, mut kind) = implied;
        let mut items = None;
        if node.is_mapping() {
            for (key, value) in node.pairs() {
                match key.text() {
                    "apiVersion" => api_version = value.as_str().unwrap_or(""),
                    "kind" => kind = value.as_str().unwrap_or(""),
                    "items" => items = Some(value),
                    _ => {}
                }
            }
        }
        if api_version.is_empty() || kind.is_empty() {
            self.not_an_object(node, origin, kind);
            return;
        }
        if let (Some(item_kind), Some(items)) = (kind.strip_suffix("List"), items)
            && (items.is_sequence() || items.is_null())
        {
            let implied = if item_kind.is_empty() { ("", "") } else { (api_version, item_kind) };
            for (item, index) in items.items().zip(0usize..) {
                let path = origin.path.as_ref().map(|path| {
                    if path.is_empty() { format!("items[{index}]") } else { format!("{path}.items[{index}]") }
                });
                self.node(item, &Origin { path, ..*origin }, implied);
            }
            return;
        }
        self.object(node, origin, api_version, kind);
    }

    fn not_an_object(&mut self, node: Node<'_>, origin: &Origin<'_>, kind: &str) {
        if RbacKind::of(kind).is_some() {
            let source = self.source(node, origin);
            self.summary.refused += 1;
            self.diagnostics.push(Diagnostic::at(
                Code::InvalidObject,
                source,
                format!("{kind} without apiVersion is refused by the API server and grants nothing; add `apiVersion: rbac.authorization.k8s.io/v1`"),
            ));
            return;
        }
        self.summary.not_objects += 1;
        let source = self.source(node, origin);
        let meant = node.get("kind").or_else(|| node.get("metadata")).or_else(|| node.get("data"));
        if meant.is_some() && node.get("apiVersion").is_none_or(|version| version.as_str().is_none()) {
            self.diagnostics.push(Diagnostic::at(
                Code::NotAnObject,
                source,
                "a document without `apiVersion` is no Kubernetes object, and kubectl refuses it; it is skipped",
            ));
        } else {
            self.other_documents.1.get_or_insert(source);
            self.other_documents.0 += 1;
        }
    }

    fn source(&mut self, node: Node<'_>, origin: &Origin<'_>) -> Source {
        let position = node.position();
        let path = self.path_id(origin);
        Source { file: origin.file, line: origin.line(position.line), column: position.column, path }
    }

    fn object(&mut self, node: Node<'_>, origin: &Origin<'_>, api_version: &str, kind: &str) {
        self.summary.objects += 1;
        match (api_version, kind) {
            ("rbac.authorization.k8s.io/v1", _) => {
                if let Some(kind) = RbacKind::of(kind) {
                    self.rbac(kind, node, origin);
                    return;
                }
            }
            ("v1", "ServiceAccount" | "Namespace" | "ConfigMap") => {
                let done = match rbac::metadata_of(node) {
                    Ok(metadata) => self.core(kind, &metadata, node, origin),
                    Err(error) => {
                        self.refuse(kind, node, origin, &[error]);
                        true
                    }
                };
                if done {
                    return;
                }
            }
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => {
                self.custom_resource(node, origin);
                return;
            }
            _ => {
                let group = api_version.split_once('/').map_or("", |(group, _)| group);
                let ours = group == rbac::GROUP && RbacKind::of(kind).is_some();
                if ours || (group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition") {
                    let source = self.source(node, origin);
                    self.summary.refused += 1;
                    let effect = if ours { "it grants nothing" } else { "its resources are not known" };
                    self.diagnostics.push(Diagnostic::at(
                        Code::VersionNotServed,
                        source,
                        format!("{kind} of `{api_version}` is refused: only `{group}/v1` is served since Kubernetes 1.22; {effect}"),
                    ));
                    return;
                }
            }
        }
        *self.summary.skipped.entry((api_version.to_owned(), kind.to_owned())).or_default() += 1;
    }

    fn rbac(&mut self, kind: RbacKind, node: Node<'_>, origin: &Origin<'_>) {
        let source = self.source(node, origin);
        let line_of = |line| origin.line(line);
        match rbac::add(&mut self.policy, &mut self.scratch, kind, node, source, &line_of) {
            Err(errors) => self.refuse(kind.as_str(), node, origin, &errors),
            Ok(decoded) => {
                self.summary.has_roles |= kind == RbacKind::Role;
                if decoded.is_default {
                    self.summary.labelled_defaults += 1;
                    if kind == RbacKind::ClusterRole {
                        let name =
                            self.policy.roles.last().map(|role| self.policy.names.text(role.name).to_owned());
                        self.labelled.extend(name);
                    }
                }
                if decoded.in_default_namespace {
                    self.default_namespace.0 += 1;
                    self.default_namespace.1.get_or_insert(source);
                }
                for (key, line) in decoded.duplicate_keys {
                    let title = title(kind.as_str(), node);
                    self.diagnostics.push(Diagnostic::at(
                        Code::DuplicateKey,
                        source.at_line(line),
                        format!(
                            "{title} has the key `{key}` twice in one mapping; only this last one counts"
                        ),
                    ));
                }
                for field in decoded.unknown_fields {
                    self.diagnostics.push(Diagnostic::at(
                        Code::UnknownField,
                        source,
                        format!(
                            "{} has a field `{field}` that the API does not know; the API server drops it",
                            title(kind.as_str(), node)
                        ),
                    ));
                }
            }
        }
    }

    fn refuse(&mut self, kind: &str, node: Node<'_>, origin: &Origin<'_>, errors: &[String]) {
        let source = self.source(node, origin);
        self.summary.refused += 1;
        self.diagnostics.push(Diagnostic::at(
            Code::InvalidObject,
            source,
            format!("{} is refused by the API server: {}", title(kind, node), errors.join("; ")),
        ));
    }

    /// Takes in an object of the core group; false if it does not bear on any answer.
    fn core(
        &mut self,
        kind: &str,
        metadata: &rbac::Metadata<'_>,
        node: Node<'_>,
        origin: &Origin<'_>,
    ) -> bool {
        let source = self.source(node, origin);
        match kind {
            "Namespace" => {
                let name = self.policy.names.intern(metadata.name);
                self.policy.namespaces.push((name, source));
                true
            }
            "ServiceAccount" => {
                let namespace = if metadata.namespace.is_empty() { "default" } else { metadata.namespace };
                let namespace = self.policy.names.intern(namespace);
                let name = self.policy.names.intern(metadata.name);
                self.policy.service_accounts.push((namespace, name, source));
                true
            }
            _ => self.config_map(metadata, node, origin, source),
        }
    }

    fn config_map(
        &mut self,
        metadata: &rbac::Metadata<'_>,
        node: Node<'_>,
        origin: &Origin<'_>,
        source: Source,
    ) -> bool {
        if metadata.name != "aws-auth" {
            return false;
        }
        if !matches!(metadata.namespace, "" | "kube-system") {
            self.diagnostics.push(Diagnostic::at(
                Code::AwsAuthElsewhere,
                source,
                format!("ConfigMap `aws-auth` has namespace `{}`; aws-iam-authenticator reads only `kube-system/aws-auth`, so this one maps nobody", metadata.namespace),
            ));
            return true;
        }
        let assumed = metadata.namespace.is_empty();
        if assumed {
            self.diagnostics.push(Diagnostic::at(
                Code::AwsAuthNamespaceAssumed,
                source,
                "ConfigMap `aws-auth` has no namespace and is taken for `kube-system/aws-auth`, the only one that is read; write `namespace: kube-system`",
            ));
            if self.aws_auth.as_ref().is_some_and(|before| !before.assumed) {
                return true;
            }
        }
        let line_of = |line| origin.line(line);
        match aws_auth::read(node, origin.text, source, &line_of) {
            Err(error) => self.refuse("ConfigMap", node, origin, &[error]),
            Ok(mut found) => {
                found.assumed = assumed;
                if let Some(before) = self.aws_auth.as_ref().filter(|before| before.assumed == assumed)
                    && !before.says_the_same_as(&found)
                {
                    let place = self.policy.sources.show(before.source).to_string();
                    self.diagnostics.push(Diagnostic::at(
                            Code::ObjectReplaced,
                            source,
                            format!("ConfigMap `kube-system/aws-auth` stands at {place} too and says something else there; this later one counts, nothing is merged"),
                        ));
                }
                self.aws_auth = Some(found);
            }
        }
        true
    }

    fn custom_resource(&mut self, node: Node<'_>, origin: &Origin<'_>) {
        let source = self.source(node, origin);
        match crd::decode(node, source) {
            Err(error) => self.refuse("CustomResourceDefinition", node, origin, &[error]),
            Ok(crd) => {
                let name = format!("{}.{}", crd.plural, crd.group);
                let message = match self.catalogue.add_crd(crd) {
                    Added::New | Added::Replaced(_) => return,
                    Added::BuiltIn => format!(
                        "CustomResourceDefinition `{name}` names a resource that the API server serves itself; it changes nothing here"
                    ),
                    Added::NotServed => format!(
                        "CustomResourceDefinition `{name}` serves no version, so `{name}` does not exist"
                    ),
                };
                self.diagnostics.push(Diagnostic::at(Code::CrdWithoutEffect, source, message));
            }
        }
    }

    fn finish(mut self, options: &LoadOptions) -> Loaded {
        self.note_default_namespace();
        if let (count @ 1.., Some(first)) = self.other_documents {
            let documents =
                if count == 1 { "1 document is".to_owned() } else { format!("{count} documents are") };
            self.diagnostics.push(Diagnostic::at(
                Code::OtherDocuments,
                first,
                format!("{documents} no Kubernetes object (this is the first) and skipped"),
            ));
        }
        for superseded in self.policy.keep_last() {
            let names = &self.policy.names;
            let name = names.text(superseded.name);
            let name = match superseded.scope {
                Scope::Cluster => name.to_owned(),
                Scope::Namespace(namespace) => format!("{}/{name}", names.text(namespace)),
            };
            let place = self.policy.sources.show(superseded.dropped).to_string();
            self.diagnostics.push(Diagnostic::at(
                Code::ObjectReplaced,
                superseded.kept,
                format!("{} `{name}` stands at {place} too and says something else there; this later one counts, as `kubectl apply` in this order would have it", superseded.kind),
            ));
        }
        // Whoever says that the inputs are complete means the Roles as well, also if there are none.
        self.summary.has_roles |= options.completeness == Some(Completeness::Complete);
        // The roles that make everything else work: whoever exports a cluster's roles exports these.
        let is_export = ["cluster-admin", "admin", "edit", "view"]
            .iter()
            .all(|name| self.labelled.iter().any(|labelled| labelled == name));
        let completeness = options.completeness.unwrap_or(if is_export {
            Completeness::Complete
        } else {
            Completeness::Partial
        });
        let add = match options.defaults {
            Defaults::Always => true,
            Defaults::Never => false,
            Defaults::Auto => !is_export,
        };
        if add {
            self.summary.defaults_added = builtin::add(&mut self.policy, options.version);
        }
        let mut identities = IdentityMappings::default();
        if let Some(found) = &self.aws_auth {
            let data: Vec<_> =
                found.sections.iter().map(|section| (section.key.as_str(), section.text())).collect();
            self.diagnostics.extend(identities.add_config_map(found.source, &data));
        }
        Loaded {
            policy: self.policy,
            identities,
            catalogue: self.catalogue,
            diagnostics: self.diagnostics,
            summary: self.summary,
            completeness,
            version: options.version,
        }
    }

    fn note_default_namespace(&mut self) {
        if let (count @ 1.., Some(first)) = self.default_namespace {
            let objects = if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
            self.diagnostics.push(Diagnostic::at(
                Code::NamespaceDefaulted,
                first,
                format!("{objects} without `metadata.namespace` (this is the first) taken to be in `default`, where kubectl without a context would put them"),
            ));
        }
    }
}

/// How a diagnostic names an object: kind, namespace and name as far as they can be read.
fn title(kind: &str, node: Node<'_>) -> String {
    let metadata = node.get("metadata");
    let field = |name| metadata.and_then(|metadata| metadata.get(name)).map_or("", Node::text);
    match (field("namespace"), field("name")) {
        ("", "") => kind.to_owned(),
        ("", name) => format!("{kind} `{name}`"),
        (namespace, name) => format!("{kind} `{namespace}/{name}`"),
    }
}
