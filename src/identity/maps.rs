//! The `aws-auth` maps of the inputs: usually one; several that differ, one that the API server refuses and mappings in
//! other forms leave it open who a caller is.

use super::arn::fold;
use super::aws_auth::{AwsAuth, same_outcome};
use super::caller::{IamIdentity, IdentityDoubt, IdentityError, IdentitySource, Mapped, MappedIdentity};
use super::other_forms::OtherForm;
use crate::model::source::Source;

/// The maps that may be in force, and what else may map a caller.
#[derive(Clone, Debug, Default)]
pub(super) struct AwsAuthMaps {
    /// Those that differ, in the order of the inputs.
    maps: Vec<AwsAuth>,
    /// Those that the API server refuses: what is in force is the map before each, which is not in the inputs.
    refused: Vec<OtherForm>,
    /// Where it stands that the inputs show only a part of the map.
    partial: Option<Source>,
    others: Vec<OtherForm>,
    /// Why the maps are several: what makes something else of one than it is as it stands.
    forms: Vec<IdentityDoubt>,
}

impl AwsAuthMaps {
    /// Adds a map that may be in force.
    pub(super) fn add(&mut self, map: AwsAuth) {
        self.maps.push(map);
    }

    /// Puts a map in place of all that there were.
    pub(super) fn replace(&mut self, map: AwsAuth) {
        self.maps = vec![map];
    }

    /// Adds a map that the API server refuses.
    pub(super) fn add_refused(&mut self, refused: OtherForm) {
        self.refused.push(refused);
    }

    /// Says that the cluster's own map may hold more than was given.
    pub(super) fn set_partial(&mut self, source: Source) {
        self.partial = Some(source);
    }

    /// Says that a map is not applied as it stands.
    pub(super) fn add_form(&mut self, form: IdentityDoubt) {
        self.forms.push(form);
    }

    /// Adds mappings in another form.
    pub(super) fn add_other(&mut self, other: OtherForm) {
        self.others.push(other);
    }

    /// Leaves out what only a self-hosted aws-iam-authenticator reads: the cluster has that of EKS.
    pub(super) fn leave_out_self_hosted(&mut self) -> Vec<Source> {
        let left_out = self.others.iter().filter(|other| other.is_self_hosted).map(|other| other.source);
        let left_out = left_out.collect();
        self.others.retain(|other| !other.is_self_hosted);
        left_out
    }

    /// The first map.
    pub(super) fn first(&self) -> Option<&AwsAuth> {
        self.maps.first()
    }

    /// Whether nothing was loaded that may map anybody.
    pub(super) fn is_empty(&self) -> bool {
        self.maps.is_empty() && self.refused.is_empty() && self.others.is_empty()
    }

    /// Why the inputs do not tell which map is in force; empty if they do.
    pub(super) fn doubts(&self) -> Vec<IdentityDoubt> {
        let mut doubts: Vec<IdentityDoubt> = self.refused.iter().map(OtherForm::general_doubt).collect();
        if self.maps.len() > 1 && !self.forms.is_empty() {
            doubts.extend(self.forms.iter().cloned());
        } else if let several @ 2.. = self.maps.len() {
            let text = format!(
                "the inputs have {several} `aws-auth` ConfigMaps that differ, and do not show which one is in force; load those of one cluster"
            );
            let places = self.maps.iter().zip(1..);
            doubts.extend(places.map(|(map, number)| IdentityDoubt {
                text: if number == 1 {
                    text.clone()
                } else {
                    "`aws-auth` is also defined, differently, here".to_owned()
                },
                source: Some(map.source()),
            }));
        } else if self.maps.is_empty() {
            doubts.extend(self.others.iter().map(OtherForm::general_doubt));
        }
        doubts
    }

    /// The user that `aws-auth` makes of a caller.
    ///
    /// # Errors
    /// Why there is none, or why the inputs do not tell.
    pub(super) fn user_info(&self, identity: &IamIdentity) -> Result<Mapped, IdentityError> {
        if self.is_empty() {
            return Err(IdentityError::NoMappings);
        }
        let mut outcomes: Vec<_> = self.maps.iter().map(|map| user_of(map, identity)).collect();
        let agree = match outcomes.split_first() {
            Some((first, others)) => others.iter().all(|other| same_outcome(first, other)),
            None => false,
        };
        if !agree || !self.refused.is_empty() {
            let could_be = outcomes.into_iter().flatten().map(Ok).collect();
            return Err(IdentityError::Unknown { doubts: self.doubts(), could_be, is_exhaustive: false });
        }
        let mut outcome = outcomes.swap_remove(0);
        if let Err(IdentityError::NotMapped { elsewhere, .. }) = &mut outcome {
            elsewhere.extend(self.others.iter().filter_map(|other| other.doubt(identity)));
            elsewhere.extend(self.partial.map(|source| IdentityDoubt {
                text: "these mappings are only a part of `aws-auth`, and do not map this ARN; load the ConfigMap `kube-system/aws-auth`".to_owned(),
                source: Some(source),
            }));
        }
        outcome
    }

    /// The entries whose ARN has an unfilled placeholder, each ARN once: see [`AwsAuth::unfilled_entries`].
    pub(super) fn unfilled_entries(&self) -> Vec<(&str, Mapped)> {
        let mut seen = rustc_hash::FxHashSet::default();
        let entries = self.maps.iter().flat_map(AwsAuth::unfilled_entries);
        entries.filter(|(arn, _)| seen.insert(fold(arn))).collect()
    }

    /// Everybody whom a map or another form names, each ARN once.
    pub(super) fn identities(&self) -> Vec<MappedIdentity<'_>> {
        let mut found: Vec<MappedIdentity<'_>> = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        for (map, number) in self.maps.iter().zip(0usize..) {
            for identity in map.identities() {
                if seen.insert(fold(identity.arn)) || number == 0 {
                    found.push(identity);
                }
            }
        }
        let others = self.refused.iter().chain(&self.others).flat_map(OtherForm::identities);
        found.extend(others.filter(|identity| seen.insert(fold(identity.arn))));
        found
    }
}

fn user_of(map: &AwsAuth, identity: &IamIdentity) -> Result<Mapped, IdentityError> {
    map.resolve(identity).unwrap_or_else(|| {
        Err(IdentityError::NotMapped {
            nearest: map.nearest(identity).map(Box::new),
            unfilled: map.unfilled(identity),
            unrendered: map.unrendered(),
            elsewhere: Vec::new(),
        })
    })
}
