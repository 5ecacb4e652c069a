//! The sources of identity together: access entries and `aws-auth`, asked as the authentication mode has it.

use super::access_entries::{AccessEntries, AuthenticationMode, EntryList, Facts, JoinOptions};
use super::aws_auth::{AwsAuth, SectionText};
use super::caller::{
    IamIdentity, IdentityDoubt, IdentityError, IdentitySource, Mapped, MappedIdentity, MappingKind, Reach,
};
use super::maps::AwsAuthMaps;
use super::other_forms::OtherForm;
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::Source;

/// The sources of identity that were loaded.
#[derive(Clone, Debug, Default)]
pub struct IdentityMappings {
    maps: AwsAuthMaps,
    access: Option<AccessEntries>,
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

    /// Says that an `aws-auth` map is not applied as it stands, so that of several any may be in force.
    pub fn add_form(&mut self, form: IdentityDoubt) {
        self.maps.add_form(form);
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

    /// Joins everything that inputs say of access entries, and tells what is odd in it and beside `aws-auth`.
    pub fn add_access_entries(&mut self, facts: Facts, options: &JoinOptions<'_>) -> Vec<Diagnostic> {
        let (access, mut diagnostics) = AccessEntries::join(facts, options);
        if access.as_ref().is_some_and(|access| access.mode().is_some()) {
            for source in self.maps.leave_out_self_hosted() {
                let message = "only a self-hosted aws-iam-authenticator reads this, and this cluster has an authentication mode of EKS; it maps nobody";
                diagnostics.push(Diagnostic::at(Code::IdentityMappingIgnored, source, message));
            }
        }
        if let Some(access) = &access {
            let aws_auth = self.maps.first();
            let beside = aws_auth.map(|aws_auth| (aws_auth.source(), self.maps.identities()));
            diagnostics.extend(access.beside_aws_auth(beside, options.show));
            let node_roles = aws_auth.map(AwsAuth::node_roles).unwrap_or_default();
            for (entry, place) in access.standard_node_roles(&node_roles) {
                let message = format!(
                    "the access entry of `{}` has the type STANDARD, and `aws-auth` maps that role for nodes ({}); nodes cannot join through it, give the entry the type EC2_LINUX",
                    entry.principal,
                    (options.show)(place)
                );
                diagnostics.push(Diagnostic::at(Code::StandardNodeRole, entry.source(), message));
            }
        }
        self.access = access;
        diagnostics
    }

    /// The `aws-auth` ConfigMap, if one was loaded; of several that differ the first.
    pub fn aws_auth(&self) -> Option<&AwsAuth> {
        self.maps.first()
    }

    /// The access configuration of the cluster, if any input speaks of it.
    pub fn access(&self) -> Option<&AccessEntries> {
        self.access.as_ref()
    }

    /// Whether no source of identity was loaded that counts.
    pub fn is_empty(&self) -> bool {
        !(self.reads_entries() || self.reads_aws_auth() && !self.maps.is_empty())
    }

    fn reads_entries(&self) -> bool {
        self.access.as_ref().is_some_and(AccessEntries::reads_entries)
    }

    fn reads_aws_auth(&self) -> bool {
        self.access.as_ref().is_none_or(AccessEntries::reads_aws_auth)
    }

    /// Whether the cluster looks for access entries, and the inputs may not hold all of them.
    pub fn may_lack_entries(&self) -> bool {
        self.access.as_ref().is_some_and(|access| {
            access.reads_entries()
                && match access.list() {
                    EntryList::Complete(_) => false,
                    EntryList::Partial => true,
                    EntryList::Absent => access.mode().is_some(),
                }
        })
    }

    /// Why the inputs do not tell which mappings are in force; empty if they do.
    pub fn doubts(&self) -> Vec<IdentityDoubt> {
        let mut doubts = self.access.as_ref().map(AccessEntries::doubts).unwrap_or_default();
        if self.reads_aws_auth() {
            doubts.extend(self.maps.doubts());
        }
        doubts
    }

    /// The user that the API server sees for a caller. Follows `doMapping`: the first source that maps it
    /// decides, also where it then refuses the login.
    ///
    /// # Errors
    /// Why there is no user, or none that can be told: see [`IdentityError::is_refusal`].
    pub fn user_info(&self, identity: &IamIdentity) -> Result<Mapped, IdentityError> {
        match &self.access {
            Some(access) => access.user_info(identity, self),
            None => self.by_aws_auth(identity),
        }
    }

    /// The user that `aws-auth` alone makes of a caller.
    pub(super) fn by_aws_auth(&self, identity: &IamIdentity) -> Result<Mapped, IdentityError> {
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
        if self.reads_aws_auth() { self.maps.unfilled_entries() } else { Vec::new() }
    }

    /// The access entries whose principal the inputs do not wholly tell: how they speak of it, the user that the entry
    /// makes of it, and whether only the account or partition is not told.
    pub fn untold_entries(&self) -> Vec<(String, Mapped, bool)> {
        let access = self.access.as_ref().filter(|access| access.reads_entries());
        access.map(AccessEntries::untold).unwrap_or_default()
    }

    /// Everybody whom a mapping names, in the order of the sources and of writing. A mapping of `aws-auth` for a
    /// principal that has an access entry reaches nobody.
    pub fn identities(&self) -> impl Iterator<Item = MappedIdentity<'_>> {
        let access = self.access.as_ref().filter(|access| access.reads_entries());
        let entries = access.map(IdentitySource::identities).unwrap_or_default();
        let maps = if self.reads_aws_auth() { self.maps.identities() } else { Vec::new() };
        entries.into_iter().chain(maps.into_iter().map(move |mut mapped| {
            if mapped.kind != MappingKind::AccessEntry
                && let Reach::Callers(caller) = &mapped.reach
                && let Some(source) = access.and_then(|access| access.entry_source(caller))
            {
                mapped.reach = Reach::Replaced(source);
            }
            mapped
        }))
    }

    /// The authentication mode, where the inputs or the question tell it.
    pub fn mode(&self) -> Option<AuthenticationMode> {
        self.access.as_ref().and_then(AccessEntries::mode)
    }
}
