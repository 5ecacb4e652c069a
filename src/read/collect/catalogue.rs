//! The API resources of the version and of the inputs, and whether the inputs show a cluster of EKS.

use super::Collector;
use crate::knowledge::catalogue::{Added, Catalogue};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::version::{KubernetesVersion, Platform};
use crate::read::version_hints::is_name_of_eks;

impl Collector {
    /// The resources of a version and of the inputs; what is odd about a CRD is said where it was met.
    pub(super) fn catalogue(&mut self, version: KubernetesVersion, platform: Platform) -> Catalogue {
        let mut catalogue = Catalogue::of(version, platform);
        let (crds, said) = (std::mem::take(&mut self.crds), std::mem::take(&mut self.diagnostics));
        self.diagnostics.reserve(said.len());
        let (mut said, mut before) = (said.into_iter(), 0);
        for (place, crd) in crds {
            self.diagnostics.extend(said.by_ref().take(place - before));
            before = place;
            let (source, name) = (crd.source, format!("{}.{}", crd.plural, crd.group));
            let message = match catalogue.add_crd(crd) {
                Added::New | Added::Replaced(_) => continue,
                Added::BuiltIn => {
                    format!(
                        "CustomResourceDefinition `{name}` names a built-in resource, so it has no effect"
                    )
                }
                Added::NotServed => {
                    format!("CustomResourceDefinition `{name}` serves no version, so `{name}` does not exist")
                }
            };
            self.diagnostics.push(Diagnostic::at(Code::CrdWithoutEffect, source, message));
        }
        self.diagnostics.extend(said);
        catalogue
    }

    /// Whether anything of the inputs shows a cluster of EKS.
    pub(super) fn shows_eks(&self) -> bool {
        let mut groups = self.summary.skipped.keys().map(|(api_version, _)| api_version.as_str());
        !self.aws_auth.is_empty()
            || !self.refused_aws_auth.is_empty()
            || self.hints.eks.is_some()
            || groups.any(is_name_of_eks)
            || self.policy.names.iter().any(|(_, name)| is_name_of_eks(name) || name.starts_with("eks:"))
    }
}
