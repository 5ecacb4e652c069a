//! What is no object that can be read: texts that are broken, encrypted or cut short, and documents that are something else.

use std::path::Path;

use crate::document::{Node, ReadError};
use crate::identity::{OtherForm, left_over};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::{FileId, Source};
use crate::model::unread::{Concern, Unread};
use crate::read::origin::Origin;
use crate::read::rbac::RbacKind;
use crate::read::{concern, eks, identity_forms, rbac};

use super::{Findings, Later, holds_objects};

/// The keys under which forms of access entries name a principal.
const PRINCIPAL_KEYS: [&str; 4] = ["principalArn", "principalARN", "PrincipalArn", "principal_arn"];

impl Findings {
    /// A file that cannot be read.
    pub(in crate::read) fn unreadable(&mut self, path: &Path, error: &str) {
        let file = self.policy.sources.add_file(&path.display().to_string());
        let source = Source { file, ..Source::default() };
        self.summary.unreadable += 1;
        self.unread(source);
        self.diagnostics.push(Diagnostic::at(
            Code::UnreadableFile,
            source,
            format!("cannot be read: {error}"),
        ));
    }

    /// A link that leads to no file: nothing is missed.
    pub(in crate::read) fn leads_nowhere(&mut self, path: &Path, error: &str) {
        let file = self.policy.sources.add_file(&path.display().to_string());
        let source = Source { file, ..Source::default() };
        let message = format!("cannot be read: {error}");
        self.diagnostics.push(Diagnostic::at(Code::UnreadableFile, source, message));
    }

    /// A document that could not be read.
    pub(in crate::read) fn broken(&mut self, origin: Origin, text: &str, error: &ReadError) {
        self.summary.unreadable += 1;
        let source = Source {
            file: origin.file,
            line: origin.line(error.position.line),
            column: error.position.column,
            path: origin.path,
        };
        if let Some(concern) = concern::of_text(text) {
            let is_template = text.contains("{{");
            self.summary.unread.push(Unread { is_template, ..Unread::new(source, concern) });
        }
        let hint = if ["\"accessEntr", "\"associatedAccessPolic"].iter().any(|key| text.contains(key)) {
            "; something other than answers of the AWS CLI stands in this file, such as a heading that a loop prints, so access entries are missing; gather them with `rbacsim collect`"
        } else if error.code == Code::InvalidYaml && text.contains("{{") {
            "; render the template first, for example with `helm template`"
        } else {
            ""
        };
        let sign = left_over(text).map(|found| format!("; {found}"));
        let then = sign.clone().unwrap_or_else(|| "; fix it, or render the template".to_owned());
        let sign = sign.unwrap_or_default();
        self.diagnostics.push(Diagnostic::at(error.code, source, format!("{}{sign}{hint}", error.message)));
        if text.contains("mapRoles") || text.contains("mapUsers") || text.contains("mapAccounts") {
            let sentence = format!("a document with identity mappings could not be read{then}");
            let form = OtherForm::of_text(sentence, source, text);
            let form = OtherForm { maps_anybody: text.contains("aws-auth"), ..form };
            self.later.push((self.diagnostics.len(), Later::OtherForm(form)));
        } else if PRINCIPAL_KEYS.iter().any(|key| text.contains(key)) {
            let sentence =
                "a document with access entries could not be read; gather them with `rbacsim collect`";
            let form = OtherForm { maps_anybody: true, ..OtherForm::of_text(sentence, source, text) };
            self.later.push((self.diagnostics.len(), Later::OtherForm(form)));
        }
    }

    /// A file that is no text.
    pub(in crate::read) fn undecodable(&mut self, file: FileId, bytes: &[u8], error: &ReadError) {
        let source = Source { file, ..Source::default() };
        self.summary.unreadable += 1;
        if bytes.starts_with(b"\0GITCRYPT\0") {
            let sentence = "git-crypt encrypted this file, so what it says is unknown; unlock it first with `git-crypt unlock`";
            self.summary.unread.push(Unread::new(source, Concern::everybody()).told(sentence));
            self.diagnostics.push(Diagnostic::at(Code::EncryptedText, source, sentence));
            return;
        }
        // kubectl reads none of it. Where the encoding alone is wrong, the words tell what it was meant for.
        let concern = concern::of_text(&String::from_utf8_lossy(bytes));
        self.summary.unread.extend(concern.map(|concern| Unread::new(source, concern)));
        let what = if bytes.contains(&0) { "; this is no text file" } else { "" };
        self.diagnostics.push(Diagnostic::at(error.code, source, format!("{}{what}", error.message)));
    }

    /// Something that could not be read and may grant anything to anybody.
    pub(super) fn unread(&mut self, source: Source) {
        self.summary.unread.push(Unread::new(source, Concern::everybody()));
    }

    /// A document after whose end, at a line of it, more text follows.
    pub(in crate::read) fn text_not_read(&mut self, origin: Origin, text: &str, line: u32) {
        let source = Source { file: origin.file, line: origin.line(line), ..Source::default() };
        if text.lines().skip(line as usize - 1).any(|line| line.contains(rbac::GROUP)) {
            self.unread(source);
        }
        self.diagnostics.push(Diagnostic::at(
            Code::TextNotRead,
            source,
            "the document ends before this text, and kubectl drops the text; start a new document with `---`",
        ));
    }

    /// A line that begins with dashes and is no plain separator.
    pub(in crate::read) fn odd_separator(&mut self, file: FileId, line: u32) {
        self.diagnostics.push(Diagnostic::at(
            Code::OddSeparator,
            Source { file, line, ..Source::default() },
            "kubectl rejects a `---` line with anything but a comment after it; the file is read anyway",
        ));
    }

    /// Says that one document holds the keys of several objects.
    pub(super) fn run_together(&mut self, node: Node<'_>, origin: Origin, objects: usize) {
        let source = origin.source(node);
        if node.pairs().any(|(_, value)| value.as_str().is_some_and(|text| RbacKind::of(text).is_some())) {
            self.unread(source);
        }
        self.diagnostics.push(Diagnostic::at(
            Code::ObjectsRunTogether,
            source,
            format!(
                "{objects} objects stand in one document without a `---` line between them, and only the last is read; put `---` between them, or give each file with -f"
            ),
        ));
    }

    /// Takes in what is no Kubernetes object; whether it already told the version of the cluster.
    pub(super) fn not_an_object(&mut self, node: Node<'_>, origin: Origin, kind: &str, tells_version: bool) {
        if RbacKind::of(kind).is_some() {
            let source = origin.source(node);
            self.summary.refused += 1;
            self.diagnostics.push(Diagnostic::at(
                Code::InvalidObject,
                source,
                format!("a {kind} without apiVersion would be refused by the API server, so it grants nothing; add `apiVersion: rbac.authorization.k8s.io/v1`"),
            ));
            return;
        }
        if self.of_aws(node, origin) {
            return;
        }
        let source = origin.source(node);
        if let Some(form) = identity_forms::of_document(node, source, &|line| origin.line(line)) {
            self.summary.objects += 1;
            self.identity_form(form);
            return;
        }
        if eks::document(self, node, origin) {
            self.hints.eks(source);
            self.summary.objects += 1;
            return;
        }
        if tells_version {
            return;
        }
        self.summary.not_objects += 1;
        if node.get("resources").is_some_and(Node::is_sequence) {
            self.kustomization(node, origin);
        }
        if node.get("items").is_some_and(holds_objects) {
            self.unread(source);
            self.diagnostics.push(Diagnostic::at(
                Code::NotAnObject,
                source,
                "objects under `items` are read only in a List; add `apiVersion: v1` and `kind: List`",
            ));
            return;
        }
        if node.is_sequence() && holds_objects(node) {
            self.unread(source);
            self.diagnostics.push(Diagnostic::at(
                Code::NotAnObject,
                source,
                "a bare list is not a Kubernetes object, and kubectl rejects it; put the objects under `items` of a `kind: List`",
            ));
            return;
        }
        if let Some(text) = node.as_str().filter(|text| text.contains("aws_eks_access_")) {
            let sentence = "access entries in Terraform's own language are not read; load what `terraform show -json` prints";
            self.diagnostics.push(Diagnostic::at(Code::AccessInputNotRead, source, sentence));
            let form = OtherForm { maps_anybody: true, ..OtherForm::of_text(sentence, source, text) };
            self.later.push((self.diagnostics.len(), Later::OtherForm(form)));
            return;
        }
        // What says neither kind nor apiVersion is something else: values, settings, schemas.
        if node.get("kind").is_some()
            && node.get("apiVersion").is_none_or(|version| version.as_str().is_none())
        {
            self.diagnostics.push(Diagnostic::at(
                Code::NotAnObject,
                source,
                "a document without `apiVersion` is not a Kubernetes object, and kubectl rejects it; it is skipped",
            ));
        } else {
            self.other_documents.1.get_or_insert(source);
            self.other_documents.0 += 1;
        }
    }
}
