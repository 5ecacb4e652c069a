//! The sources of identity together: one caller in, the user that the API server sees out.

use super::aws_auth::{AwsAuth, SectionText};
use super::caller::{IamIdentity, IdentityDoubt, IdentityError, Mapped, MappedIdentity};
use super::maps::AwsAuthMaps;
use super::other_forms::OtherForm;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::Source;

/// The sources of identity that were loaded.
#[derive(Clone, Debug, Default)]
pub struct IdentityMappings {
    maps: AwsAuthMaps,
}

impl IdentityMappings {
    /// Takes the `data` of an `aws-auth` ConfigMap, in place of any earlier one, as the cluster does.
    ///
    /// All keys are to be given, so that a misspelt one can be reported. What is broken in them becomes a
    /// diagnostic and does the damage that it does in a cluster.
    pub fn add_config_map(&mut self, source: Source, data: &[(&str, SectionText<'_>)]) -> Vec<Diagnostic> {
        let (aws_auth, diagnostics) = AwsAuth::read(source, data);
        self.maps.replace(aws_auth);
        diagnostics
    }

    /// Adds an `aws-auth` map; of several that differ any may be in force.
    pub fn add_aws_auth(&mut self, aws_auth: AwsAuth) {
        self.maps.add(aws_auth);
    }

    /// Says that the API server refuses an `aws-auth` ConfigMap, so that the one before it stays in force.
    pub fn add_refused_config_map(&mut self, refused: OtherForm) {
        self.maps.add_refused(refused);
    }

    /// Says that the ConfigMap may hold more than was given.
    pub fn set_partial_aws_auth(&mut self, source: Source) {
        self.maps.set_partial(source);
    }

    /// Adds mappings in another form, which may count or not.
    pub fn add_other_form(&mut self, other: OtherForm) {
        self.maps.add_other(other);
    }

    /// The `aws-auth` ConfigMap, if one was loaded; of several that differ the first.
    pub fn aws_auth(&self) -> Option<&AwsAuth> {
        self.maps.first()
    }

    /// Whether no source of identity was loaded.
    pub fn is_empty(&self) -> bool {
        self.maps.is_empty()
    }

    /// Why the inputs do not tell which mappings are in force; empty if they do.
    pub fn doubts(&self) -> Vec<IdentityDoubt> {
        self.maps.doubts()
    }

    /// The user that the API server sees for a caller. Follows `doMapping`: the first source that maps it
    /// decides, also where it then refuses the login.
    ///
    /// # Errors
    /// Why there is no user, or none that can be told: see [`IdentityError::is_refusal`].
    pub fn user_info(&self, identity: &IamIdentity) -> Result<Mapped, IdentityError> {
        self.maps.user_info(identity)
    }

    /// The user behind an ARN: [`IamIdentity::from_arn`], then [`IdentityMappings::user_info`].
    ///
    /// # Errors
    /// As those.
    pub fn resolve_arn(&self, arn: &str, session_name: Option<&str>) -> Result<Mapped, IdentityError> {
        self.user_info(&IamIdentity::from_arn(arn, session_name)?)
    }

    /// The mappings whose ARN has a placeholder that nobody filled in, as written, each with the user that it makes of
    /// whom it maps once that is done.
    pub fn unfilled_entries(&self) -> Vec<(&str, Mapped)> {
        self.maps.unfilled_entries()
    }

    /// Everybody whom a mapping names, in the order of the sources and of writing.
    pub fn identities(&self) -> impl Iterator<Item = MappedIdentity<'_>> {
        self.maps.identities().into_iter()
    }
}
