//! What people get wrong between access entries and `aws-auth`, found once both are there.

use super::super::caller::{MappedIdentity, MappingKind};
use super::resolve::shadows;
use super::{AccessEntries, AuthenticationMode, Entry};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::Source;

impl AccessEntries {
    /// What the mode makes count for nothing, and where entries and `aws-auth` speak of one principal.
    pub(in super::super) fn beside_aws_auth(
        &self,
        aws_auth: Option<(Source, Vec<MappedIdentity<'_>>)>,
        show: &dyn Fn(Source) -> String,
    ) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        let mode_place = || match self.mode_source {
            Some(source) => format!(" ({})", show(source)),
            None => String::new(),
        };
        if self.mode == Some(AuthenticationMode::ConfigMap)
            && let Some(entry) = self.entries.first()
        {
            let message = format!(
                "the authentication mode is CONFIG_MAP{}, in which a cluster has no access entries; they count for nothing here, is one of the files from another time?",
                mode_place()
            );
            diagnostics.push(Diagnostic::at(Code::AccessEntriesIgnored, entry.source(), message));
            return diagnostics;
        }
        let Some((source, identities)) = aws_auth else { return diagnostics };
        if self.mode == Some(AuthenticationMode::Api) {
            let message = format!(
                "the authentication mode is API{}, in which nobody reads `aws-auth`; it counts for nothing",
                mode_place()
            );
            diagnostics.push(Diagnostic::at(Code::AwsAuthIgnored, source, message));
            return diagnostics;
        }
        for mapping in identities {
            if mapping.kind == MappingKind::MapAccounts {
                continue;
            }
            let Some(entry) = shadows(self, mapping.arn) else { continue };
            // EKS and its tools write both for nodes, and both make the same of them.
            if entry.is_for_nodes() {
                continue;
            }
            let place = show(entry.source());
            let message = format!(
                "`{}` is mapped here and has an access entry ({place}); the entry decides, and the groups of this mapping are not added",
                mapping.arn
            );
            diagnostics.push(Diagnostic::at(Code::EntryShadowsAwsAuth, mapping.source, message));
        }
        diagnostics
    }

    /// The entries of nodes' roles, as `aws-auth` shows them, that are not of a type for nodes.
    pub(in super::super) fn standard_node_roles<'a>(
        &'a self,
        node_roles: &'a [(String, Source)],
    ) -> impl Iterator<Item = (&'a Entry, Source)> {
        node_roles.iter().filter_map(|(arn, source)| {
            let entry = shadows(self, arn)?;
            (entry.kind() == Some("STANDARD") && !entry.is_for_nodes() && !entry.kind.is_unknown())
                .then_some((entry, *source))
        })
    }
}
