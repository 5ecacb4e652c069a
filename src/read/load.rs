//! From files to a policy: the only module that opens files, and the only one that knows YAML and JSON.
//!
//! What a document is decides how it is read, never its file name. Problems in the inputs are data beside the
//! result: a bad document never hides the good ones.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::identity::IdentityMappings;
use crate::identity::access_entries::AuthenticationMode;
use crate::identity::iam::IamData;
use crate::identity::pod_roles::PodRoles;
use crate::knowledge::catalogue::Catalogue;
use crate::model::diagnostic::Diagnostic;
pub use crate::model::policy::Completeness;
use crate::model::policy::Policy;
use crate::model::source::{Shift, Source};
use crate::model::unread::Unread;
use crate::model::version::{KubernetesVersion, Platform};

use super::collect::Collector;
pub use super::exclude::Exclude;
use super::ignored::Ignore;
use super::programs::{self, Revision};
use super::reader::Reader;
use super::rendered;
use super::settings::Settings;
use super::version_hints::VersionSource;
use super::what_if::{Change, WhatIf};

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
    /// A folder with a kustomization: what `kubectl kustomize` or `kustomize build` prints for it.
    Kustomize(PathBuf),
    /// A chart: what `helm template` prints for it.
    Chart {
        /// Its folder.
        folder: PathBuf,
        /// Files with values.
        values: Vec<PathBuf>,
    },
    /// A kustomization or a chart as it was in a revision, whose files stand in a folder apart.
    OfRevision {
        /// It, by its path there.
        input: Box<Input>,
        /// The revision, with the folders that stand for others.
        revision: Revision,
    },
}

impl Input {
    /// What people know it by: the path or the name.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path(path) | Self::Kustomize(path) | Self::Chart { folder: path, .. } => {
                path.display().to_string()
            }
            Self::Text { name, .. } => name.clone(),
            Self::OfRevision { input, revision } => revision.shown(&input.name()),
        }
    }
}

/// Whether the default roles and bindings of Kubernetes are added.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Defaults {
    /// Unless the inputs hold them already; those of EKS too where the inputs show a cluster of EKS.
    #[default]
    Auto,
    /// Always; an object of the inputs replaces the default of the same name.
    Always,
    /// Never.
    Never,
    /// Always, and those of EKS as well.
    Eks,
}

/// Where the version comes from that answers are for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum VersionFrom {
    /// It was asked for.
    Asked,
    /// The inputs tell it, here.
    Input(VersionSource, Source),
    /// Nothing tells it: the newest that EKS offers.
    Default,
}

/// How to load.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Whether default roles are added.
    pub defaults: Defaults,
    /// The Kubernetes version that answers are for; `None`: what the inputs say, else the newest that EKS offers.
    pub version: Option<KubernetesVersion>,
    /// What `kubectl api-resources -o wide`, or discovery, says of the cluster's types.
    pub api_resources: Vec<PathBuf>,
    /// What to take the inputs for; `None`: complete if they hold the cluster's own default roles.
    pub completeness: Option<Completeness>,
    /// The name of the cluster that is meant, where the inputs speak of several.
    pub cluster: Option<String>,
    /// The authentication mode of the cluster, whatever the inputs say of it.
    pub authentication_mode: Option<AuthenticationMode>,
    /// The ARN of the principal that created the cluster.
    pub creator: Option<String>,
    /// Names of placeholders, each with what fills it in, before anything is read.
    pub set: Vec<(String, String)>,
    /// What to change in the inputs.
    pub what_if: WhatIf,
    /// What is not read.
    pub exclude: Exclude,
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
    /// What could not be read and may hold RBAC objects, for its text says so or could not be seen at all; what stands for
    /// most documents first.
    pub unread: Vec<Unread>,
    /// `ConfigMap`s whose values hold RBAC objects as text.
    pub manifests_in_config_maps: usize,
    /// What RBAC objects may come out of and was not expanded, by kind.
    pub not_expanded: BTreeMap<String, usize>,
    /// Objects that are not applied as they stand.
    pub in_source_form: usize,
    /// Objects of ours that the inputs hold: the label of Kubernetes' default objects is on this many.
    pub labelled_defaults: usize,
    /// Default roles and bindings that were added, those of EKS among them.
    pub defaults_added: usize,
    /// Roles and bindings of EKS that were added.
    pub eks_added: usize,
    /// Whether any Role (not ClusterRole) is among the inputs, or it was said that they are complete: an export
    /// without any Role lacks them all.
    pub has_roles: bool,
}

impl Summary {
    /// Adds what was read elsewhere.
    pub(super) fn add(&mut self, other: &mut Self, shift: &Shift) {
        let Self {
            files,
            objects,
            skipped,
            not_objects,
            refused,
            unreadable,
            unread,
            manifests_in_config_maps,
            not_expanded: _,
            in_source_form: _,
            labelled_defaults,
            defaults_added,
            eks_added,
            has_roles,
        } = std::mem::take(other);
        self.files += files;
        self.objects += objects;
        for (kind, count) in skipped {
            *self.skipped.entry(kind).or_default() += count;
        }
        self.not_objects += not_objects;
        self.refused += refused;
        self.unreadable += unreadable;
        self.unread.extend(unread.into_iter().map(|unread| unread.shifted(shift)));
        self.manifests_in_config_maps += manifests_in_config_maps;
        self.labelled_defaults += labelled_defaults;
        self.defaults_added += defaults_added;
        self.eks_added += eks_added;
        self.has_roles |= has_roles;
    }
}

/// Everything that was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The RBAC objects.
    pub policy: Policy,
    /// These, and all that objects in source form may be once they are applied; `None` where there are none such.
    pub possible: Option<Policy>,
    /// The identity mappings; empty where the inputs hold no `kube-system/aws-auth`.
    pub identities: IdentityMappings,
    /// What exports of IAM say; empty where there are none.
    pub iam: IamData,
    /// The service accounts whose pods are IAM roles.
    pub pod_roles: PodRoles,
    /// The API resources, built in and from CRDs.
    pub catalogue: Catalogue,
    /// What was wrong or odd, in the order of the inputs.
    pub diagnostics: Vec<Diagnostic>,
    /// What was read, in numbers.
    pub summary: Summary,
    /// Whether what is missing may exist.
    pub completeness: Completeness,
    /// The version that answers are for.
    pub version: KubernetesVersion,
    /// Where that comes from.
    pub version_from: VersionFrom,
    /// Whose cluster it is, as far as the inputs show.
    pub platform: Platform,
    /// What was changed in the inputs.
    pub changes: Vec<Change>,
    /// The findings that annotations ask to be ignored.
    pub ignores: Vec<Ignore>,
}

/// Why nothing was loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// A path that cannot be read at all.
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A change that cannot be made: what it names is not there.
    WhatIf(String),
    /// A program that was to render an input is not there or failed; in its own words.
    Program(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(f, "cannot read `{}`: {source}", path.display()),
            Self::WhatIf(why) | Self::Program(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::WhatIf(_) | Self::Program(_) => None,
        }
    }
}

/// Loads inputs in order.
///
/// # Errors
/// If a path that was named does not exist or cannot be opened, a change names what is not there, or a program that
/// renders an input is not there or fails. Everything else becomes a diagnostic.
pub fn load(inputs: &[Input], options: &LoadOptions) -> Result<Loaded, LoadError> {
    let mut collector = Collector::default();
    let settings = Settings::new(&options.set);
    let reader = Reader::with_settings(settings.as_ref());
    let printed = |input: &Input| match input {
        Input::Kustomize(folder) => Some(programs::kustomize(folder)),
        Input::Chart { folder, values } => Some(programs::helm(folder, values)),
        _ => None,
    };
    let read = |collector: &mut Collector, input: &Input| match input {
        Input::Text { name, bytes } => {
            reader.bytes(collector, name, bytes);
            Ok(())
        }
        Input::Kustomize(_) | Input::Chart { .. } => {
            if let Some(printed) = printed(input) {
                rendered::read(collector, &printed.map_err(LoadError::Program)?);
            }
            Ok(())
        }
        Input::OfRevision { input, revision } => {
            if let Some(printed) = printed(input) {
                let printed = match printed {
                    Ok(printed) => printed.of_revision(revision.clone()),
                    Err(error) => return Err(LoadError::Program(revision.shown(&error))),
                };
                rendered::read(collector, &printed);
            }
            Ok(())
        }
        Input::Path(path) => reader
            .path(collector, path, &options.exclude)
            .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source }),
    };
    for input in inputs {
        read(&mut collector, input)?;
    }
    for input in &options.what_if.with {
        let before = collector.count();
        read(&mut collector, input)?;
        collector.replace_since(&before, input)?;
    }
    let mut lists = Vec::with_capacity(options.api_resources.len());
    for path in &options.api_resources {
        let bytes =
            std::fs::read(path).map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
        lists.push((path.display().to_string(), bytes));
    }
    let mut loaded = collector.finish(options, &lists)?;
    loaded.diagnostics.extend(settings.iter().flat_map(Settings::unused));
    Ok(loaded)
}
