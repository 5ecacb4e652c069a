//! Every fault of the inputs and every danger of the policy that can be told without a question.

use std::fmt::Write as _;

use crate::ask::system::System;
use crate::decide::cluster::Cluster;
use crate::knowledge::codes;
use crate::model::diagnostic::{Code, Diagnostic, Severity};
use crate::model::finding::{About, Finding, Level};
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Authorizer, Binding, Role, Scope, Subject};
use crate::model::source::{FileId, Source};
use crate::read::Completeness;

mod aggregation;
mod grants;
mod mappings;
mod rules;
mod subjects;
pub mod suppress;

/// Everything that is found, by file and line.
pub fn findings(cluster: &Cluster) -> Vec<Finding> {
    let mut linter = Linter::new(cluster);
    for diagnostic in cluster.diagnostics() {
        linter.diagnostic(diagnostic);
    }
    linter.join_unfilled();
    linter.mappings();
    linter.bindings();
    linter.subjects();
    linter.rules();
    linter.aggregation();
    linter.grants();
    let mut found = linter.found;
    found.sort_by(|a, b| {
        let place = |finding: &Finding| finding.source;
        place(a).cmp(&place(b)).then_with(|| a.code.cmp(b.code)).then_with(|| a.message.cmp(&b.message))
    });
    found.dedup_by(|a, b| a.code == b.code && a.source == b.source && a.message == b.message);
    found
}

/// What is being gathered.
struct Linter<'c> {
    cluster: &'c Cluster,
    policy: &'c Policy,
    system: System,
    is_complete: bool,
    found: Vec<Finding>,
}

/// What a finding is about, and where it stands.
#[derive(Clone, Debug)]
struct Place {
    about: Option<About>,
    source: Source,
    within: Option<Source>,
}

impl<'c> Linter<'c> {
    fn new(cluster: &'c Cluster) -> Self {
        Self {
            cluster,
            policy: cluster.graph().policy(),
            system: System::of(cluster),
            is_complete: cluster.completeness() == Completeness::Complete,
            found: Vec::new(),
        }
    }

    fn text(&self, name: Name) -> &'c str {
        self.policy.names.text(name)
    }

    /// Adds a finding with the mend that is always the same; `detail` tells it from others about the same object.
    fn add(&mut self, code: Code, severity: Severity, place: &Place, message: String, detail: &str) {
        let help = codes::explanation(code).mend;
        self.found.push(Finding {
            object: place.about.clone(),
            source: Some(place.source),
            within: place.within,
            detail: detail.to_owned(),
            ..Finding::new(code.as_str(), Level::from(severity), message, help)
        });
    }

    /// A diagnostic of reading, with the object that its sentence begins with.
    fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        let about = titled(&diagnostic.message).or_else(|| {
            diagnostic.code.as_str().starts_with("aws-auth").then(|| About {
                kind: "ConfigMap".to_owned(),
                namespace: "kube-system".to_owned(),
                name: "aws-auth".to_owned(),
            })
        });
        let of_map = self.cluster.identities().aws_auth().map(crate::identity::AwsAuth::source);
        let within = match (&about, diagnostic.source) {
            (Some(about), source) if about.kind != "ConfigMap" => source,
            (_, source) => of_map.filter(|map| source.is_some_and(|source| source.file == map.file)),
        };
        let (code, severity) = (diagnostic.code, Level::from(diagnostic.severity()));
        let help = codes::explanation(code).mend;
        self.found.push(Finding {
            object: about,
            source: diagnostic.source,
            within,
            ..Finding::new(code.as_str(), severity, diagnostic.message.clone(), help)
        });
    }

    /// Mappings with unfilled placeholders are one finding a file: a tool is still to fill in all of them.
    fn join_unfilled(&mut self) {
        const SIGN: &str = "has an unfilled placeholder";
        let is_one = |finding: &Finding| {
            finding.code == Code::InvalidMappingArn.as_str() && finding.message.contains(SIGN)
        };
        let mut counts: Vec<(FileId, usize)> = Vec::new();
        self.found.retain(|finding| {
            let Some(file) = finding.source.map(|source| source.file).filter(|_| is_one(finding)) else {
                return true;
            };
            if let Some((_, count)) = counts.iter_mut().find(|(own, _)| *own == file) {
                *count += 1;
                return false;
            }
            counts.push((file, 1));
            true
        });
        for finding in self.found.iter_mut().filter(|finding| is_one(finding)) {
            let count = counts.iter().find(|(file, _)| finding.source.is_some_and(|own| own.file == *file));
            finding.severity = Level::from(Severity::Warning);
            if let Some((_, count @ 2..)) = count {
                let _ = write!(finding.message, " ({} more mappings here are like it)", count - 1);
            }
        }
    }

    /// Whether an object came with Kubernetes or EKS, also where an export holds it.
    fn is_default_role(&self, role: &Role) -> bool {
        let name = self.text(role.name);
        self.policy.is_builtin(role.source)
            || name.starts_with("system:")
            || name.starts_with("eks:")
            || role.labels.iter().any(|(key, value)| {
                self.text(*key) == "kubernetes.io/bootstrapping" && self.text(*value) == "rbac-defaults"
            })
    }

    fn is_default_binding(&self, binding: &Binding) -> bool {
        self.policy.is_builtin(binding.source)
            || binding.authorizer() != Authorizer::Rbac
            || self.system.is_default_binding(self.text(binding.scope.namespace()), self.text(binding.name))
    }

    fn of_role(&self, role: &Role, line: u32) -> Place {
        let about = self.about(role.kind().as_str(), role.scope, role.name);
        Place { about: Some(about), source: at(role.source, line), within: Some(role.source) }
    }

    fn of_binding(&self, binding: &Binding, line: u32) -> Place {
        let about = self.about(binding.kind(), binding.scope, binding.name);
        Place { about: Some(about), source: at(binding.source, line), within: Some(binding.source) }
    }

    fn about(&self, kind: &str, scope: Scope, name: Name) -> About {
        About {
            kind: kind.to_owned(),
            namespace: self.text(scope.namespace()).to_owned(),
            name: self.text(name).to_owned(),
        }
    }

    fn title(&self, kind: &str, scope: Scope, name: Name) -> String {
        match scope {
            Scope::Cluster => format!("{kind} `{}`", self.text(name)),
            Scope::Namespace(namespace) => format!("{kind} `{}/{}`", self.text(namespace), self.text(name)),
        }
    }

    fn title_of_role(&self, role: &Role) -> String {
        self.title(role.kind().as_str(), role.scope, role.name)
    }

    fn title_of_binding(&self, binding: &Binding) -> String {
        self.title(binding.kind(), binding.scope, binding.name)
    }

    fn title_of_role_ref(&self, binding: &Binding) -> String {
        self.title(binding.role_ref.kind.as_str(), binding.role_scope(), binding.role_ref.name)
    }

    fn title_of_subject(&self, subject: Subject) -> String {
        match subject {
            Subject::User(name) => self.title("User", Scope::Cluster, name),
            Subject::Group(name) => self.title("Group", Scope::Cluster, name),
            Subject::Caller(name) => self.title("IAM principal", Scope::Cluster, name),
            Subject::ServiceAccount { namespace, name } => {
                self.title("ServiceAccount", Scope::Namespace(namespace), name)
            }
        }
    }

    /// What stands in the inputs and may be more than them: a warning if nothing else can exist, else a note.
    fn unless_partial(&self, is_near: bool) -> Severity {
        if self.is_complete || is_near { Severity::Warning } else { Severity::Note }
    }
}

/// A line of an object, if it is known.
fn at(source: Source, line: u32) -> Source {
    if line == 0 || line == source.line { source } else { source.at_line(line) }
}

/// ``Kind `namespace/name` `` at the beginning of a sentence.
fn titled(message: &str) -> Option<About> {
    let (kind, rest) = message.split_once(" `")?;
    let (name, _) = rest.split_once('`')?;
    let is_kind = kind.starts_with(|char: char| char.is_ascii_uppercase()) && !kind.contains(' ');
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    is_kind.then(|| About { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() })
}

/// The name among some that is nearly this one; equal names do not count.
fn nearest<'t>(written: &str, there: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let allowed = match written.len() {
        0..=3 => 0,
        4..=7 => 1,
        8..=14 => 2,
        _ => 3,
    };
    let plain =
        |text: &str| text.to_lowercase().replace(['-', '_', ' '], "").trim_end_matches('s').to_owned();
    let own = plain(written);
    there
        .filter(|text| *text != written)
        .filter_map(|text| {
            let distance = if plain(text) == own { 0 } else { strsim::osa_distance(written, text) };
            (distance <= allowed).then_some((distance, text))
        })
        .min()
        .map(|(_, text)| text)
}

/// ``; did you mean `x`?``, or nothing.
fn did_you_mean(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

/// Texts in backticks, with commas.
fn quoted<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
