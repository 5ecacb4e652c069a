//! How kustomizations change what was read: patches are no objects, and what is not applied as it stands is set apart.

use rustc_hash::FxHashSet;

use super::{Collector, Expanded, Outcome, operators};
use crate::document::Tree;
use crate::identity::{IdentityDoubt, OtherForm};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::{FileId, Source};
use crate::model::unread::{Concern, Unread};
use crate::read::kustomize::{self, Originals, Variant, Why};
use crate::read::settings::Settings;
use crate::read::{aws_auth, concern, config_map};

/// The labels by which the default roles select others.
const SELECTED: [&str; 3] = [
    "rbac.authorization.k8s.io/aggregate-to-admin",
    "rbac.authorization.k8s.io/aggregate-to-edit",
    "rbac.authorization.k8s.io/aggregate-to-view",
];

/// Follows the kustomizations of the inputs, and sets apart what is not applied as it stands.
pub(super) fn follow(collector: &mut Collector, settings: Option<&Settings>) -> Outcome {
    let found = std::mem::take(&mut collector.kustomizations);
    if found.is_empty() {
        return Outcome::default();
    }
    let policy = &collector.policy;
    let mut holding: FxHashSet<FileId> = FxHashSet::default();
    holding.extend(policy.roles.iter().map(|role| role.source.file));
    holding.extend(policy.bindings.iter().map(|binding| binding.source.file));
    holding.extend(policy.service_accounts.iter().map(|(.., source)| source.file));
    holding.extend(collector.aws_auth.iter().map(|found| found.source.file));
    // What is refused as it stands may be in order once a kustomization has completed it.
    let refused = collector.diagnostics.iter().filter(|diagnostic| diagnostic.code == Code::InvalidObject);
    holding.extend(refused.filter_map(|diagnostic| diagnostic.source).map(|source| source.file));
    let requirements = policy.roles.iter().flat_map(|role| role.aggregation.iter().flatten().flatten());
    let mut selected: FxHashSet<String> =
        requirements.map(|requirement| policy.names.text(requirement.key).to_owned()).collect();
    selected.extend(SELECTED.map(str::to_owned));
    let outcome = kustomize::follow(found, &policy.sources, &holding, &collector.roots, &selected, settings);
    collector.leave_out(&outcome.no_objects);
    collector.set_apart(&outcome, settings);
    collector.miss(&outcome);
    collector.tell(&outcome);
    outcome
}

/// Adds what operators make of their objects, and counts what RBAC objects may come out of and is not expanded.
pub(super) fn expand(collector: &mut Collector, outcome: &mut Outcome) {
    for expanded in std::mem::take(&mut collector.expanded) {
        let Expanded { source, sentence, objects, unread } = expanded;
        collector.summary.unread.extend(unread);
        let form = outcome.reasons.len();
        outcome.reasons.push(Why { source, sentence });
        let objects = objects.into_iter();
        outcome.variants.extend(objects.map(|(value, source)| Variant {
            value,
            source,
            form,
            is_loose: false,
        }));
    }
    let summary = &mut collector.summary;
    summary.in_source_form = outcome.covered.len();
    summary.not_expanded = operators::carriers(&summary.skipped);
    if summary.manifests_in_config_maps > 0 {
        summary.not_expanded.insert("ConfigMap with manifests".to_owned(), summary.manifests_in_config_maps);
    }
    if !outcome.not_expanded.is_empty() {
        summary
            .not_expanded
            .insert("remote base or chart of a kustomization".to_owned(), outcome.not_expanded.len());
    }
}

impl Collector {
    /// Forgets what was taken for objects and is none.
    fn leave_out(&mut self, files: &FxHashSet<FileId>) {
        if files.is_empty() {
            return;
        }
        let stays = |source: Source| !files.contains(&source.file);
        self.policy.roles.retain(|role| stays(role.source));
        self.policy.bindings.retain(|binding| stays(binding.source));
        self.policy.service_accounts.retain(|(.., source)| stays(*source));
        self.policy.namespaces.retain(|(_, source)| stays(*source));
        self.aws_auth.retain(|found| stays(found.source));
        self.refused_aws_auth.retain(|form| stays(form.source));
        self.other_forms.retain(|form| stays(form.source));
        self.default_namespace.retain(|source| stays(*source));
        self.expanded.retain(|expanded| stays(expanded.source));
        // What would be refused of an object may be right in a patch.
        self.diagnostics.retain(|diagnostic| {
            let goes = diagnostic.source.is_some_and(|source| !stays(source));
            let was_refused = matches!(diagnostic.code, Code::InvalidObject | Code::VersionNotServed);
            self.summary.refused -= usize::from(goes && was_refused && self.summary.refused > 0);
            !goes
        });
        self.summary.unread.retain(|unread| stays(unread.source));
        // Diagnostics were counted before: what is noted between them comes at their end.
        for (place, _) in &mut self.crds {
            *place = (*place).min(self.diagnostics.len());
        }
    }

    /// Takes out what is not applied as it stands.
    fn set_apart(&mut self, outcome: &Outcome, settings: Option<&Settings>) {
        let is_covered =
            |source: Source| outcome.covered.contains_key(&(source.file, source.line, source.column));
        self.policy.roles.retain(|role| !is_covered(role.source));
        self.policy.bindings.retain(|binding| !is_covered(binding.source));
        self.default_namespace.retain(|source| !is_covered(*source));
        self.aws_auth.retain(|found| !is_covered(found.source));
        self.diagnostics.retain(|diagnostic| {
            let goes = diagnostic.code == Code::InvalidObject && diagnostic.source.is_some_and(is_covered);
            self.summary.refused -= usize::from(goes && self.summary.refused > 0);
            !goes
        });
        for (place, _) in &mut self.crds {
            *place = (*place).min(self.diagnostics.len());
        }
        for variant in &outcome.variants {
            let Some(why) = outcome.reasons.get(variant.form) else { continue };
            self.map(variant, why, settings);
        }
        for (value, why) in &outcome.without_target {
            if value.get("kind").is_some_and(|kind| kind == "ConfigMap") {
                let sentence = format!("an `aws-auth` is in source form: {}", why.sentence);
                self.refused_aws_auth.push(OtherForm::of_text(sentence, why.source, &value.to_string()));
            } else {
                let concern = concern::of_value(value);
                self.summary.unread.push(Unread::new(why.source, concern).told(why.sentence.clone()));
            }
        }
    }

    /// An `aws-auth` as it may be.
    fn map(&mut self, variant: &Variant, why: &Why, settings: Option<&Settings>) {
        if variant.value.get("kind").is_none_or(|kind| kind != "ConfigMap") {
            return;
        }
        let sentence = format!("this `aws-auth` is in source form: {}", why.sentence);
        let text = variant.value.to_string();
        let mut tree = Tree::default();
        if !Originals::new(&self.policy.sources, settings).read(&text, &mut tree, variant.source) {
            return;
        }
        let Some(root) = tree.root() else { return };
        let metadata = |key: &str| {
            root.get("metadata").and_then(|metadata| metadata.get(key)).map_or("", |node| node.text())
        };
        if metadata("name") != "aws-auth" || !matches!(metadata("namespace"), "" | "kube-system") {
            return;
        }
        let is_generated = variant.source == why.source;
        if variant.is_loose || is_generated {
            self.refused_aws_auth.push(OtherForm::of_text(
                sentence.clone(),
                why.source,
                &config_map::all_text(root),
            ));
        }
        // What the API server refuses in this form is not in force.
        if let Ok(mut found) = aws_auth::read(root, variant.source, &|line| line) {
            found.assumed = metadata("namespace").is_empty();
            self.aws_auth.push(found);
        }
        let form = IdentityDoubt { text: sentence, source: Some(why.source) };
        if !self.aws_auth_forms.contains(&form) {
            self.aws_auth_forms.push(form);
        }
    }

    /// What kustomizations take in that is there and not among the inputs may hold anything.
    fn miss(&mut self, outcome: &Outcome) {
        for why in &outcome.outside {
            let unread = Unread::new(why.source, Concern::everybody());
            self.summary.unread.push(unread.told(why.sentence.clone()));
        }
        // A binding that nobody can tell what becomes of may name anybody.
        for variant in outcome.variants.iter().filter(|variant| variant.is_loose) {
            let kind = variant.value.get("kind").and_then(serde_json::Value::as_str);
            if let (Some("RoleBinding" | "ClusterRoleBinding"), Some(why)) =
                (kind, outcome.reasons.get(variant.form))
            {
                let unread = Unread::new(variant.source, Concern::everybody());
                self.summary
                    .unread
                    .push(unread.told(format!("a binding is in source form: {}", why.sentence)));
            }
        }
    }

    /// Says once per reason what is in source form, and what kustomizations take in that is not there.
    fn tell(&mut self, outcome: &Outcome) {
        for (why, number) in outcome.reasons.iter().zip(0usize..) {
            let objects = outcome.covered.values().filter(|form| **form == number).count();
            let message = match objects {
                0 => format!("an object is in source form, so what rests on it is unknown: {}", why.sentence),
                1 => format!("1 object is in source form, so what rests on it is unknown: {}", why.sentence),
                count => format!(
                    "{count} objects are in source form, so what rests on them is unknown: {}",
                    why.sentence
                ),
            };
            self.diagnostics.push(Diagnostic::at(Code::KustomizationNotApplied, why.source, message));
        }
        for why in outcome.without_target.iter().map(|(_, why)| why).chain(&outcome.outside) {
            let message = format!("what this kustomization applies is unknown: {}", why.sentence);
            self.diagnostics.push(Diagnostic::at(Code::KustomizationNotApplied, why.source, message));
        }
    }
}
