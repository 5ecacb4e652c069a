//! What reading finds: documents become objects of a policy, counts and diagnostics.
//!
//! Findings of a piece of a file, or of a few files, know nothing of what stands before them: places count from the
//! beginning of the piece, names have numbers of their own. What depends on other pieces waits in
//! [`Findings::later`] until the collector joins them.

use crate::document::{Node, Tree};
use crate::identity::access_entries::{Facts, Told};
use crate::identity::pod_roles::{self, PodRole};
use crate::identity::{OtherForm, iam, is_encrypted, is_template};
use crate::knowledge::catalogue::CustomResource;
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::policy::Policy;
use crate::model::source::{FileId, Source};
use crate::model::unread::{Concern, Unread};

use super::eks::Sink;
use super::ignored::{self, Ignore};
use super::kustomize::Kustomization;
use super::operators::{self, Expanded};
use super::origin::Origin;
use super::rbac::RbacKind;
use super::version_hints::{Hints, VersionSource};
use super::{Summary, aws_auth, concern, crd, eks, identity_forms, rbac};

mod core;
mod recognise;
mod trouble;

use recognise::{API_SERVER, EKSCTL, holds_objects, is_from_server, subject_names, title};
pub(super) use recognise::{bears_on_answers, implied_by, is_kustomization};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) policy: Policy,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) summary: Summary,
    /// What tells of the cluster itself.
    pub(super) hints: Hints,
    scratch: rbac::Scratch,
    /// Objects whose namespace was taken to be `default`.
    pub(super) default_namespace: Vec<Source>,
    /// Documents that do not even look like Kubernetes objects: how many, and the first.
    pub(super) other_documents: (usize, Option<Source>),
    /// The names of ClusterRoles with the label of default objects.
    pub(super) labelled: Vec<String>,
    /// What can be judged only when everything before it is known, each with the number of diagnostics before it.
    pub(super) later: Vec<(usize, Later)>,
    /// What the documents say of who may enter the cluster.
    pub(super) access: Facts,
}

/// An object of which what came before decides what becomes of it.
#[derive(Debug)]
pub(super) enum Later {
    AwsAuth(aws_auth::Found),
    /// An `aws-auth` that the API server refuses.
    RefusedAwsAuth(OtherForm),
    OtherForm(OtherForm),
    /// A group that an `APIService` hands on to the server of an add-on.
    ApiService(String),
    CustomResource(CustomResource),
    Iam(Vec<iam::Page>),
    Kustomization(Kustomization),
    Expanded(Expanded),
    /// A service account with its role, and what the file says of the role.
    PodRole(PodRole, Told),
    /// An object whose annotation ignores findings.
    Ignore(Ignore),
}

impl Findings {
    /// Forgets everything, but keeps the memory.
    pub(super) fn clear(&mut self) {
        self.policy.clear();
        self.diagnostics.clear();
        self.summary = Summary::default();
        self.hints = Hints::default();
        self.default_namespace.clear();
        self.other_documents = (0, None);
        self.labelled.clear();
        self.later.clear();
        self.access.clear();
    }

    /// Begins a file.
    pub(super) fn file(&mut self, name: &str) -> FileId {
        self.summary.files += 1;
        self.policy.sources.add_file(name)
    }

    /// Takes in what a document says: an object, or a list of objects.
    pub(super) fn document(&mut self, tree: &Tree<'_>, origin: Origin) {
        if let Some(root) = tree.root() {
            if root.is_null() {
                return;
            }
            let file = self.policy.sources.file(origin.file);
            if let Some(found) = Kustomization::of(root, file, origin.source(root)) {
                self.summary.not_objects += 1;
                self.later.push((self.diagnostics.len(), Later::Kustomization(found)));
                return;
            }
            let first = root.pairs().next();
            let is_object = first.is_some_and(|(key, _)| matches!(key.text(), "apiVersion" | "kind"));
            if !origin.in_json && !is_object && eks::needs_functions(root, tree.source()) {
                let again = eks::with_functions(tree.source());
                if let Some(root) = again.as_ref().and_then(Tree::root) {
                    self.node(root, origin, ("", ""));
                    return;
                }
            }
            self.node(root, origin, ("", ""));
        }
    }

    /// `implied` is the apiVersion and kind of an item in a typed list, whose items need not say them.
    fn node(&mut self, node: Node<'_>, origin: Origin, implied: (&str, &str)) {
        let (mut api_version, mut kind) = implied;
        let mut items = None;
        let mut kinds = 0;
        if node.is_mapping() {
            for (key, value) in node.pairs() {
                match key.text() {
                    "apiVersion" => api_version = value.as_str().unwrap_or(""),
                    "kind" => {
                        kind = value.as_str().unwrap_or("");
                        kinds += 1;
                    }
                    "items" => items = Some(value),
                    _ => {}
                }
            }
        }
        // What a large list has before and after its items is not kept.
        if kinds > 1 && items.is_none() && !origin.in_json {
            self.run_together(node, origin, kinds);
        }
        if is_encrypted(kind) || is_encrypted(api_version) {
            let source = origin.source(node);
            self.summary.not_objects += 1;
            let sentence = "SOPS encrypted this document, so what it says is unknown; decrypt the file first, for example with `sops -d`";
            // Whatever else is not encrypted tells what it is.
            if is_encrypted(kind) || RbacKind::of(kind).is_some() || kind.is_empty() {
                self.summary.unread.push(Unread::new(source, Concern::everybody()).told(sentence));
            }
            self.diagnostics.push(Diagnostic::at(Code::EncryptedText, source, sentence));
            return;
        }
        if api_version.is_empty() || kind.is_empty() {
            let tells_version = self.hints.document(node, &|node| origin.source(node));
            self.not_an_object(node, origin, kind, tells_version);
            return;
        }
        if let (Some(implied), Some(items)) = (implied_by(api_version, kind), items)
            && (items.is_sequence() || items.is_null())
        {
            for (item, index) in items.items().zip(0..) {
                self.item(item, index, origin, implied);
            }
            return;
        }
        if kind == "List" {
            let source = origin.source(node);
            self.summary.not_objects += 1;
            if node.pairs().any(|(_, value)| holds_objects(value)) {
                self.unread(source);
            }
            self.diagnostics.push(Diagnostic::at(
                Code::NotAnObject,
                source,
                "a List needs a list under `items`, and kubectl rejects this one; it is skipped",
            ));
            return;
        }
        self.object(node, origin, api_version, kind);
    }

    /// Takes in an item of the list that `origin` tells.
    pub(super) fn item(&mut self, item: Node<'_>, index: u32, mut origin: Origin, implied: (&str, &str)) {
        if origin.in_json {
            origin.path = self.policy.sources.add_item(origin.path, index);
        }
        self.node(item, origin, implied);
    }

    /// Tells what a kustomization would change that stands in a file which kustomize would not find: a text from
    /// elsewhere, say.
    fn kustomization(&mut self, node: Node<'_>, origin: Origin) {
        const CHANGES: [&str; 12] = [
            "namespace",
            "namePrefix",
            "nameSuffix",
            "labels",
            "commonLabels",
            "patches",
            "patchesJson6902",
            "patchesStrategicMerge",
            "replacements",
            "transformers",
            "components",
            "helmCharts",
        ];
        let changes: Vec<&str> = CHANGES.into_iter().filter(|change| node.get(change).is_some()).collect();
        if changes.is_empty() {
            return;
        }
        self.diagnostics.push(Diagnostic::at(
            Code::KustomizationNotApplied,
            origin.source(node),
            format!(
                "this kustomization uses `{}`, which rbacsim does not apply; load the output of `kubectl kustomize` instead",
                changes.join("`, `")
            ),
        ));
    }

    /// Takes in what AWS's command line printed of IAM, Identity Center and Pod Identity; false if it is nothing of it.
    fn of_aws(&mut self, node: Node<'_>, origin: Origin) -> bool {
        if iam::is_export(node) {
            let place = Source { file: origin.file, line: origin.lines_before, column: 0, path: origin.path };
            let pages = iam::read(node, place, &mut self.diagnostics);
            self.later.push((self.diagnostics.len(), Later::Iam(pages)));
            return true;
        }
        if !pod_roles::is_associations(node) {
            return false;
        }
        for role in pod_roles::read(node, &|item| origin.source(item)) {
            let told = Told::known(&*role.role);
            self.later.push((self.diagnostics.len(), Later::PodRole(role, told)));
        }
        true
    }

    /// Counts an object that does not bear on any answer, whatever it says.
    pub(super) fn skip(&mut self, api_version: &str, kind: &str) {
        self.summary.objects += 1;
        *self.summary.skipped.entry((api_version.to_owned(), kind.to_owned())).or_default() += 1;
    }

    fn object(&mut self, node: Node<'_>, origin: Origin, api_version: &str, kind: &str) {
        // Most of a large input.
        if let ("rbac.authorization.k8s.io/v1", Some(kind)) = (api_version, RbacKind::of(kind)) {
            self.rbac(kind, node, origin);
            self.summary.objects += 1;
            return;
        }
        if is_kustomization(api_version) {
            self.kustomization(node, origin);
        }
        if !bears_on_answers(api_version, kind) {
            self.skip(api_version, kind);
            return;
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let place = |node: Node<'_>| origin.source(node);
        if operators::is_operator(api_version, kind) {
            if let Some(expanded) = operators::expand(node, &place) {
                self.later.push((self.diagnostics.len(), Later::Expanded(expanded)));
            }
            self.skip(api_version, kind);
            return;
        }
        if group == EKSCTL {
            self.hints.eksctl(node, &place);
        }
        let is_access = eks::is_read(api_version, kind);
        if is_access {
            eks::object(self, node, origin, api_version, kind);
            self.hints.eks(place(node));
            self.summary.objects += 1;
        }
        if identity_forms::is_read(api_version, kind) {
            let line = |line| origin.line(line);
            match identity_forms::of_object(node, api_version, kind, place(node), &line) {
                Some(form) => self.identity_form(form),
                None if !is_access => self.skip(api_version, kind),
                None => {}
            }
            return;
        }
        if is_access {
            return;
        }
        if (api_version, kind) == ("v1", "Node") {
            self.hints.node(node, &place);
        }
        if group == EKSCTL || (api_version, kind) == ("v1", "Node") {
            self.skip(api_version, kind);
            return;
        }
        match (api_version, RbacKind::of(kind)) {
            ("apiextensions.k8s.io/v1", _) => self.custom_resource(node, origin),
            ("apiregistration.k8s.io/v1", _) => {
                let spec = node.get("spec");
                let service = spec.and_then(|spec| spec.get("service")).filter(|service| !service.is_null());
                let group = spec.and_then(|spec| spec.get("group")).and_then(Node::as_str);
                if let (Some(_), Some(group)) = (service, group) {
                    self.later.push((self.diagnostics.len(), Later::ApiService(group.to_owned())));
                }
                self.skip(api_version, kind);
                return;
            }
            ("apps/v1" | "batch/v1", _) => match rbac::metadata_of(node, &mut self.scratch.keys) {
                Ok(metadata) => self.workload(kind, &metadata, node, origin),
                Err(error) => self.refuse(kind, node, origin, &[error]),
            },
            ("v1", _) => {
                let done = match rbac::metadata_of(node, &mut self.scratch.keys) {
                    Ok(metadata) => self.core(kind, &metadata, node, origin),
                    Err(error) => {
                        let name = node.get("metadata").and_then(|metadata| metadata.get("name"));
                        if kind == "ConfigMap" && name.is_some_and(|name| name.text() == "aws-auth") {
                            self.refuse_aws_auth(API_SERVER, node, origin, &[error]);
                        } else {
                            self.refuse(kind, node, origin, &[error]);
                        }
                        true
                    }
                };
                if !done {
                    self.skip(api_version, kind);
                    return;
                }
            }
            (_, ours) => {
                self.summary.refused += 1;
                let effect = if ours.is_some() { "it grants nothing" } else { "its resources are unknown" };
                self.diagnostics.push(Diagnostic::at(
                    Code::VersionNotServed,
                    origin.source(node),
                    format!("a {kind} of `{api_version}` would be refused by the API server: Kubernetes 1.22 and later serve only `{group}/v1`; {effect}"),
                ));
            }
        }
        self.summary.objects += 1;
    }

    fn rbac(&mut self, kind: RbacKind, node: Node<'_>, origin: Origin) {
        let source = origin.source(node);
        let line_of = |line| origin.line(line);
        match rbac::add(&mut self.policy, &mut self.scratch, kind, node, source, &line_of) {
            Err(errors) => self.refuse(kind.as_str(), node, origin, &errors),
            Ok(decoded) => {
                self.summary.has_roles |= kind == RbacKind::Role;
                if decoded.is_ignored {
                    self.ignore(node, source);
                }
                if decoded.is_default {
                    self.summary.labelled_defaults += 1;
                    // Vendored test data has the label too; what the server adds only an export has.
                    if kind == RbacKind::ClusterRole && is_from_server(node) {
                        let name =
                            self.policy.roles.last().map(|role| self.policy.names.text(role.name).to_owned());
                        self.labelled.extend(name);
                    }
                }
                if decoded.in_default_namespace {
                    self.default_namespace.push(source);
                }
                for (key, line) in decoded.duplicate_keys {
                    let title = title(kind.as_str(), node);
                    self.diagnostics.push(Diagnostic::at(
                        Code::DuplicateKey,
                        source.at_line(line),
                        format!(
                            "{title} has the key `{key}` twice in one mapping; only the last one, here, counts"
                        ),
                    ));
                }
                for field in decoded.unknown_fields {
                    self.diagnostics.push(Diagnostic::at(
                        Code::UnknownField,
                        source,
                        format!(
                            "{} has an unknown field `{field}`, which the API server drops",
                            title(kind.as_str(), node)
                        ),
                    ));
                }
            }
        }
    }

    fn ignore(&mut self, node: Node<'_>, source: Source) {
        let ignored = ignored::of_object(node, source);
        self.later.extend(ignored.map(|ignored| (self.diagnostics.len(), Later::Ignore(ignored))));
    }

    fn refuse(&mut self, kind: &str, node: Node<'_>, origin: Origin, errors: &[String]) {
        let source = origin.source(node);
        self.ignore(node, source);
        self.summary.refused += 1;
        // What is refused as it stands may be in order once some tool has filled it in.
        let hint = if errors.iter().any(|error| is_template(error)) {
            let concern = concern::of_object(kind, node);
            self.summary.unread.push(Unread { is_template: true, ..Unread::new(source, concern) });
            "; if a tool fills in the placeholder, load its output"
        } else {
            ""
        };
        self.diagnostics.push(
            Diagnostic::at(
                Code::InvalidObject,
                source,
                format!(
                    "{} would be refused by the API server: {}{hint}",
                    title(kind, node),
                    errors.join("; ")
                ),
            )
            .naming(subject_names(node)),
        );
    }

    /// Takes in identity mappings in another form.
    fn identity_form(&mut self, form: identity_forms::Form) {
        let later = match form {
            identity_forms::Form::Map(found) => Later::AwsAuth(found),
            identity_forms::Form::Other(other) => Later::OtherForm(other),
        };
        self.later.push((self.diagnostics.len(), later));
    }

    fn custom_resource(&mut self, node: Node<'_>, origin: Origin) {
        match crd::decode(node, origin.source(node)) {
            Err(error) => self.refuse("CustomResourceDefinition", node, origin, &[error]),
            Ok(crd) => self.later.push((self.diagnostics.len(), Later::CustomResource(crd))),
        }
    }
}

impl Sink for Findings {
    fn facts(&mut self) -> &mut Facts {
        &mut self.access
    }

    fn value(&mut self, node: Node<'_>, origin: Origin) {
        self.node(node, origin, ("", ""));
    }

    fn aws_auth(&mut self, found: aws_auth::Found) {
        self.later.push((self.diagnostics.len(), Later::AwsAuth(found)));
    }

    fn pod_role(&mut self, role: PodRole, told: Told) {
        self.later.push((self.diagnostics.len(), Later::PodRole(role, told)));
    }

    fn version(&mut self, from: VersionSource, text: &str, source: Source) {
        self.hints.told_by(from, text, source);
    }

    fn report(&mut self, code: Code, source: Source, message: String) {
        self.diagnostics.push(Diagnostic::at(code, source, message));
    }

    fn unseen(&mut self, source: Source) {
        self.unread(source);
    }
}
