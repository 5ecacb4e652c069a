//! From findings to everything that was loaded: pieces and files are joined in their order.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use crate::identity::access_entries::{Facts, FactsMark, JoinOptions, Told};
use crate::identity::iam::{IamData, Page};
use crate::identity::pod_roles::{PodRole, PodRoles};
use crate::identity::{IdentityDoubt, IdentityMappings, OtherForm};
use crate::knowledge::access_policies;
use crate::knowledge::catalogue::CustomResource;
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::names::Name;
use crate::model::policy::{Policy, PolicyMark};
use crate::model::rbac::{RoleRef, Scope};
use crate::model::source::{FileId, Shift, Source};
use crate::model::version::{KubernetesVersion, Platform};

use super::findings::{Findings, Later};
use super::ignored::Ignore;
use super::kustomize::{Kustomization, Outcome};
use super::operators::{self, Expanded};
use super::settings::Settings;
use super::version_hints::Hints;
use super::what_if::{Change, Removal};
use super::{
    Completeness, Defaults, Input, LoadError, LoadOptions, Loaded, Summary, VersionFrom, access,
    api_resources, aws_auth, builtin, identities, possible,
};

/// Everything that was taken in so far.
#[derive(Debug, Default)]
pub(super) struct Collector {
    policy: Policy,
    access: Facts,
    /// The principals of access entries that are only supposed.
    supposed: Vec<String>,
    /// CustomResourceDefinitions, each with the number of diagnostics before it.
    crds: Vec<(usize, CustomResource)>,
    hints: Hints,
    /// The groups that an `APIService` hands on.
    api_services: Vec<String>,
    aws_auth: Vec<aws_auth::Found>,
    refused_aws_auth: Vec<OtherForm>,
    /// Why maps are not applied as they stand.
    aws_auth_forms: Vec<IdentityDoubt>,
    other_forms: Vec<OtherForm>,
    diagnostics: Vec<Diagnostic>,
    summary: Summary,
    default_namespace: Vec<Source>,
    other_documents: (usize, Option<Source>),
    labelled: Vec<String>,
    iam: Vec<Page>,
    pod_roles: Vec<(PodRole, Told)>,
    kustomizations: Vec<Kustomization>,
    expanded: Vec<Expanded>,
    /// The folders that were walked.
    roots: Vec<PathBuf>,
    changes: Vec<Change>,
    ignores: Vec<Ignore>,
}

/// A state of a [`Collector`] to go back to.
#[derive(Debug)]
pub(super) struct Mark {
    policy: PolicyMark,
    access: FactsMark,
    crds: usize,
    hints: Hints,
    api_services: usize,
    aws_auth: usize,
    refused_aws_auth: usize,
    other_forms: usize,
    diagnostics: usize,
    summary: Summary,
    default_namespace: usize,
    other_documents: (usize, Option<Source>),
    labelled: usize,
    iam: usize,
    pod_roles: usize,
    ignores: usize,
    kustomizations: usize,
    expanded: usize,
}

/// How much was taken in.
#[derive(Debug)]
pub(super) struct Counts {
    roles: usize,
    bindings: usize,
    aws_auth: usize,
    crds: usize,
    others: usize,
    access: FactsMark,
}

impl Collector {
    /// The present state.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            policy: self.policy.mark(),
            access: self.access.mark(),
            crds: self.crds.len(),
            hints: self.hints,
            api_services: self.api_services.len(),
            aws_auth: self.aws_auth.len(),
            refused_aws_auth: self.refused_aws_auth.len(),
            other_forms: self.other_forms.len(),
            diagnostics: self.diagnostics.len(),
            summary: self.summary.clone(),
            default_namespace: self.default_namespace.len(),
            kustomizations: self.kustomizations.len(),
            expanded: self.expanded.len(),
            other_documents: self.other_documents,
            labelled: self.labelled.len(),
            iam: self.iam.len(),
            pod_roles: self.pod_roles.len(),
            ignores: self.ignores.len(),
        }
    }

    /// Forgets what was taken in since the mark.
    pub(super) fn go_back(&mut self, mark: Mark) {
        self.policy.go_back(&mark.policy);
        self.access.go_back(mark.access);
        self.crds.truncate(mark.crds);
        self.hints = mark.hints;
        self.api_services.truncate(mark.api_services);
        self.aws_auth.truncate(mark.aws_auth);
        self.refused_aws_auth.truncate(mark.refused_aws_auth);
        self.other_forms.truncate(mark.other_forms);
        self.diagnostics.truncate(mark.diagnostics);
        self.summary = mark.summary;
        self.default_namespace.truncate(mark.default_namespace);
        self.kustomizations.truncate(mark.kustomizations);
        self.expanded.truncate(mark.expanded);
        self.other_documents = mark.other_documents;
        self.labelled.truncate(mark.labelled);
        self.iam.truncate(mark.iam);
        self.pod_roles.truncate(mark.pod_roles);
        self.ignores.truncate(mark.ignores);
    }

    /// Begins a file.
    pub(super) fn file(&mut self, name: &str) -> FileId {
        self.summary.files += 1;
        self.policy.sources.add_file(name)
    }

    /// How many paths there are.
    pub(super) fn paths(&self) -> u32 {
        self.policy.sources.behind().paths
    }

    /// Takes in what was found in files of its own.
    pub(super) fn take(&mut self, found: &mut Findings) {
        let shift = self.policy.sources.behind();
        self.policy.sources.append_files(&mut found.policy.sources);
        self.join(found, &shift);
    }

    /// Takes in what was found in a piece of a file that was begun before.
    pub(super) fn join(&mut self, found: &mut Findings, shift: &Shift) {
        self.policy.absorb(&mut found.policy, shift);
        self.access.absorb(&mut found.access, shift);
        let mut diagnostics = found.diagnostics.drain(..).map(|mut diagnostic| {
            diagnostic.source = diagnostic.source.map(|source| shift.source(source));
            diagnostic
        });
        let mut before = 0;
        for (count, later) in found.later.drain(..) {
            self.diagnostics.extend(diagnostics.by_ref().take(count - before));
            before = count;
            match later {
                Later::AwsAuth(mut found) => {
                    found.shift(shift);
                    self.aws_auth.push(found);
                }
                Later::RefusedAwsAuth(mut refused) => {
                    refused.shift(shift);
                    self.refused_aws_auth.push(refused);
                }
                Later::ApiService(group) => self.api_services.push(group),
                Later::OtherForm(mut other) => {
                    other.shift(shift);
                    self.other_forms.push(other);
                }
                Later::Iam(mut pages) => {
                    for page in &mut pages {
                        page.shift(shift);
                    }
                    self.iam.append(&mut pages);
                }
                Later::Ignore(ignore) => {
                    self.ignores.push(Ignore { source: shift.source(ignore.source), ..ignore });
                }
                Later::Expanded(mut expanded) => {
                    expanded.shift(shift);
                    self.expanded.push(expanded);
                }
                Later::Kustomization(mut kustomization) => {
                    kustomization.source = shift.source(kustomization.source);
                    self.kustomizations.push(kustomization);
                }
                Later::PodRole(mut role, told) => {
                    role.shift(shift);
                    self.pod_roles.push((role, told));
                }
                Later::CustomResource(mut crd) => {
                    crd.source = shift.source(crd.source);
                    self.crds.push((self.diagnostics.len(), crd));
                }
            }
        }
        self.diagnostics.extend(diagnostics);
        self.summary.add(&mut found.summary, shift);
        self.hints.join(std::mem::take(&mut found.hints), shift);
        self.default_namespace.extend(found.default_namespace.drain(..).map(|source| shift.source(source)));
        add_first(&mut self.other_documents, std::mem::take(&mut found.other_documents), shift);
        self.labelled.append(&mut found.labelled);
    }

    /// A directory is walked.
    pub(super) fn root(&mut self, path: &Path) {
        self.roots.push(path.to_owned());
    }

    /// A directory without any file that is looked for.
    pub(super) fn empty_directory(&mut self, path: &Path) {
        let file = self.policy.sources.add_file(&path.display().to_string());
        self.diagnostics.push(Diagnostic::at(
            Code::EmptyDirectory,
            Source { file, ..Source::default() },
            "has no *.yaml, *.yml or *.json file, so nothing was read from it",
        ));
    }

    /// Keeps the last of objects that are defined twice, and says which were replaced.
    fn note_superseded(&mut self) {
        for superseded in self.policy.keep_last() {
            let names = &self.policy.names;
            let name = names.text(superseded.name);
            let name = match superseded.scope {
                Scope::Cluster => name.to_owned(),
                Scope::Namespace(namespace) => format!("{}/{name}", names.text(namespace)),
            };
            let place = self.policy.sources.show(superseded.dropped).to_string();
            if let Some((other, own)) = superseded.role_refs {
                let role = |role: RoleRef| format!("{} `{}`", role.kind.as_str(), names.text(role.name));
                self.diagnostics.push(Diagnostic::at(
                    Code::RoleRefDiffers,
                    superseded.kept,
                    format!(
                        "{} `{name}` grants {} here and {} at {place}; a roleRef cannot be changed, so the API server refuses whichever is applied second, and what only one of them grants is unknown",
                        superseded.kind,
                        role(own),
                        role(other)
                    ),
                ));
                continue;
            }
            self.diagnostics.push(Diagnostic::at(
                Code::ObjectReplaced,
                superseded.kept,
                format!("{} `{name}` is also defined, differently, at {place}; this later one counts, as with `kubectl apply` in this order", superseded.kind),
            ));
        }
    }

    /// How much was taken in, to be compared with later.
    pub(super) fn count(&self) -> Counts {
        Counts {
            roles: self.policy.roles.len(),
            bindings: self.policy.bindings.len(),
            aws_auth: self.aws_auth.len(),
            crds: self.crds.len(),
            others: self.refused_aws_auth.len()
                + self.other_forms.len()
                + self.iam.len()
                + self.pod_roles.len(),
            access: self.access.mark(),
        }
    }

    /// Objects that came since are there in place of those of the same name before.
    pub(super) fn replace_since(&mut self, before: &Counts, input: &Input) -> Result<(), LoadError> {
        let name = input.name();
        let Policy { roles, bindings, .. } = &mut self.policy;
        let (new_roles, new_bindings) = (roles.len() - before.roles, bindings.len() - before.bindings);
        let (maps, crds) = (self.aws_auth.len() - before.aws_auth, self.crds.len() - before.crds);
        let (principals, facts) = self.access.replace_since(before.access);
        self.supposed.extend(principals);
        let count = new_roles + new_bindings + maps + crds + facts;
        if count == 0 && self.count().others == before.others {
            let problem = self.diagnostics.last().map_or(String::new(), |last| format!(": {}", last.message));
            return Err(LoadError::WhatIf(format!(
                "--with {name}: it holds nothing that bears on access{problem}"
            )));
        }
        let Policy { roles, bindings, .. } = &mut self.policy;
        let added: FxHashSet<(Scope, Name)> =
            roles.iter().skip(before.roles).map(|role| (role.scope, role.name)).collect();
        let mut index = 0;
        roles.retain(|role| {
            index += 1;
            index > before.roles || !added.contains(&(role.scope, role.name))
        });
        let added: FxHashSet<(Scope, Name)> =
            bindings.iter().skip(before.bindings).map(|binding| (binding.scope, binding.name)).collect();
        let mut index = 0;
        bindings.retain(|binding| {
            index += 1;
            index > before.bindings || !added.contains(&(binding.scope, binding.name))
        });
        let is_whole = |found: &aws_auth::Found| !found.is_partial;
        if self.aws_auth.iter().skip(before.aws_auth).any(is_whole) {
            self.aws_auth.drain(..before.aws_auth);
            self.refused_aws_auth.clear();
        }
        let objects = if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
        self.changes.push(Change { text: format!("with {objects} from {name}"), source: None });
        Ok(())
    }

    pub(super) fn finish(
        mut self,
        options: &LoadOptions,
        api_resources: &[(String, Vec<u8>)],
    ) -> Result<Loaded, LoadError> {
        let settings = Settings::new(&options.set);
        let mut outcome = source_form::follow(&mut self, settings.as_ref());
        source_form::expand(&mut self, &mut outcome);
        let platform = if options.defaults == Defaults::Eks || self.shows_eks() {
            Platform::Eks
        } else {
            Platform::Kubernetes
        };
        let told = if options.version.is_none() {
            self.hints.conclude(&self.policy.sources, &mut self.diagnostics)
        } else {
            None
        };
        let (version, version_from) = match (options.version, told) {
            (Some(version), _) => (version, VersionFrom::Asked),
            (None, Some((version, from, source))) => (version, VersionFrom::Input(from, source)),
            (None, None) => (KubernetesVersion::default(), VersionFrom::Default),
        };
        let mut catalogue = self.catalogue(version, platform);
        for group in &self.api_services {
            catalogue.add_api_service(group);
        }
        for (name, bytes) in api_resources {
            let file = self.policy.sources.add_file(name);
            self.diagnostics.extend(api_resources::add(&mut catalogue, file, bytes));
        }
        self.note_default_namespace();
        self.note_other_documents();
        self.note_superseded();
        let mut removal = Removal::new(&options.what_if.without);
        removal.apply(&mut self.policy);
        self.note_placeholders();
        unread::group(&mut self);
        // `--complete` covers the Roles as well, also if there are none.
        self.summary.has_roles |= options.completeness == Some(Completeness::Complete);
        // Every export of the roles of a cluster has these.
        let is_export = ["cluster-admin", "admin", "edit", "view"]
            .iter()
            .all(|name| self.labelled.iter().any(|labelled| labelled == name));
        if is_export && options.completeness.is_none() {
            self.note_missing_kinds();
        }
        let completeness = options.completeness.unwrap_or(if is_export {
            Completeness::Complete
        } else {
            Completeness::Partial
        });
        let add = match options.defaults {
            Defaults::Always => Some(Platform::Kubernetes),
            Defaults::Eks => Some(Platform::Eks),
            Defaults::Never => None,
            Defaults::Auto => (!is_export).then_some(platform),
        };
        if let Some(platform) = add {
            let (of_kubernetes, of_eks) = builtin::add(&mut self.policy, version, platform);
            self.summary.defaults_added = of_kubernetes + of_eks;
            self.summary.eks_added = of_eks;
        }
        let fewer = removal.apply(&mut self.policy);
        self.summary.defaults_added = self.summary.defaults_added.saturating_sub(fewer);
        self.changes.extend(removal.finish(&self.policy).map_err(LoadError::WhatIf)?);
        let iam = IamData::link(std::mem::take(&mut self.iam), &mut self.diagnostics);
        let gone = self.change_entries(options);
        let mut identities = identities::join(
            &self.aws_auth,
            std::mem::take(&mut self.refused_aws_auth),
            std::mem::take(&mut self.other_forms),
            &mut self.policy.sources,
            &mut self.diagnostics,
            (&options.what_if, &gone, &mut self.changes),
        )
        .map_err(LoadError::WhatIf)?;
        for form in std::mem::take(&mut self.aws_auth_forms) {
            identities.add_form(form);
        }
        self.access_entries(&mut identities, options);
        let mut pod_roles = PodRoles::default();
        for (role, told) in std::mem::take(&mut self.pod_roles) {
            for role in role.resolve(told, &iam, identities.access()) {
                pod_roles.add(role);
            }
        }
        access::add(&mut self.policy, &identities);
        self.diagnostics.extend(access::lint(&self.policy, &identities, completeness));
        let possible = (!outcome.variants.is_empty())
            .then(|| possible::of(&mut self.policy, &outcome.variants, &outcome.reasons, settings.as_ref()));
        Ok(Loaded {
            policy: self.policy,
            possible,
            identities,
            iam,
            pod_roles,
            catalogue,
            diagnostics: self.diagnostics,
            summary: self.summary,
            completeness,
            version,
            version_from,
            platform,
            changes: self.changes,
            ignores: self.ignores,
        })
    }

    /// Leaves out what is said of other clusters than the one that is meant, and makes what if of access entries.
    fn change_entries(&mut self, options: &LoadOptions) -> identities::ChangedEntries {
        if let Some(meant) = &options.cluster {
            self.aws_auth.retain(|found| found.cluster.as_ref().is_none_or(|cluster| cluster == meant));
        }
        let has_aws_auth = !self.aws_auth.is_empty();
        let (sources, changes) = (&mut self.policy.sources, &mut self.changes);
        identities::change_entries(&mut self.access, has_aws_auth, sources, options, changes)
    }

    /// Joins what the inputs say of access entries.
    fn access_entries(&mut self, identities: &mut IdentityMappings, options: &LoadOptions) {
        let sources = &self.policy.sources;
        let only =
            |name: &str| access_policies::find(name).is_some_and(|policy| policy.is_service_linked_only);
        let joined = JoinOptions {
            cluster: options.cluster.as_deref(),
            mode: options.authentication_mode,
            creator: options.creator.as_deref(),
            without: &options.what_if.without_mapping,
            supposed: &self.supposed,
            is_complete: options.completeness == Some(Completeness::Complete),
            is_service_linked_only: &only,
            show: &|source| sources.show(source).to_string(),
        };
        self.diagnostics.extend(identities.add_access_entries(std::mem::take(&mut self.access), &joined));
    }
}

/// The API resources, and whose cluster it is.
mod catalogue;

/// What the inputs as a whole call for a word about.
mod notes;

/// What could not be read, chart by chart and folder by folder.
mod unread;

/// How kustomizations change what was read.
mod source_form;

/// Adds to a count with the place of the first.
fn add_first(all: &mut (usize, Option<Source>), more: (usize, Option<Source>), shift: &Shift) {
    all.0 += more.0;
    all.1 = all.1.or(more.1.map(|source| shift.source(source)));
}
