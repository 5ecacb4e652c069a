//! What people get wrong between access entries and the rest of the inputs: groups that nobody binds, patterns that match
//! no namespace, policies that do less than they seem to.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::IdentityMappings;
use crate::identity::access_entries::Entry;
use crate::model::access::{AccessScope, namespace_matches};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::policy::{Completeness, Policy};
use crate::model::rbac::{Authorizer, Subject};
use crate::model::source::Source;
use crate::model::ternary::Ternary;

/// Whoever has this policy may write role bindings, as far as the authorizers are asked.
const ADMIN_POLICY: &str = "AmazonEKSAdminPolicy";

/// What is odd in the entries that count, given everything else that was loaded.
pub(in crate::read) fn lint(
    policy: &Policy,
    identities: &IdentityMappings,
    completeness: Completeness,
) -> Vec<Diagnostic> {
    let Some(access) = identities.access() else { return Vec::new() };
    let own_bindings = policy
        .bindings
        .iter()
        .filter(|binding| binding.authorizer() == Authorizer::Rbac && !policy.is_builtin(binding.source));
    let has_own_bindings = own_bindings.clone().next().is_some();
    let bound: BTreeSet<&str> = policy
        .bindings
        .iter()
        .flat_map(|binding| policy.subjects_of(binding))
        .filter_map(|placed| match placed.subject {
            Subject::Group(name) => Some(policy.names.text(name)),
            _ => None,
        })
        .collect();
    let namespaces: BTreeSet<&str> =
        policy.namespaces.iter().map(|(name, _)| policy.names.text(*name)).collect();
    let mut found = Found::default();
    for entry in access.entries_in_force() {
        if has_own_bindings {
            groups(entry, &bound, &mut found);
        }
        if completeness == Completeness::Complete && !namespaces.is_empty() {
            patterns(entry, &namespaces, &mut found);
        }
        let admin = entry.policies.iter().find(|one| one.policy.as_deref() == Some(ADMIN_POLICY));
        if let Some(admin) = admin {
            found.add(Code::EscalationCheckSeesRbacOnly, ADMIN_POLICY, admin.source);
        }
    }
    found.diagnostics(&bound)
}

/// What is odd, each thing once, with its first place and how often it is there.
#[derive(Default)]
struct Found(BTreeMap<(Code, String), (Source, usize)>);

impl Found {
    fn add(&mut self, code: Code, what: &str, source: Source) {
        let (first, count) = self.0.entry((code, what.to_owned())).or_insert((source, 0));
        *first = (*first).min(source);
        *count += 1;
    }

    fn diagnostics(self, bound: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let message = |code: Code, what: &str, count: usize| {
            let several = |one: &str, more: &str| {
                if count == 1 { one.to_owned() } else { format!("{count} {more}, the first of them here,") }
            };
            match code {
                Code::GroupNeverBound => {
                    let near = bound
                        .iter()
                        .map(|own| (strsim::levenshtein(own, what), *own))
                        .filter(|(distance, own)| *distance <= (own.len() / 3).clamp(1, 3))
                        .min();
                    let hint = near.map(|(_, own)| format!("; is `{own}` meant?")).unwrap_or_default();
                    let who = several("this access entry gives", "access entries");
                    let give = if count == 1 { "" } else { " give" };
                    format!(
                        "{who}{give} the group `{what}`, which no binding in the inputs names, so it grants nothing{hint}"
                    )
                }
                Code::NamespacePatternUnused => {
                    let who = several("an access policy is associated", "access policies");
                    let are = if count == 1 { "" } else { " are associated" };
                    format!(
                        "{who}{are} with `{what}`, which matches no namespace in the inputs, and grants nothing by it; EKS does not check that the namespace exists"
                    )
                }
                _ => {
                    let who = several("a principal", "principals");
                    format!(
                        "{who} may write roles and role bindings by `{what}`; the API server then compares with their rights by RBAC alone, so they cannot grant what they hold by access policies"
                    )
                }
            }
        };
        let diagnostics = self.0.iter().map(|((code, what), (source, count))| {
            Diagnostic::at(*code, *source, message(*code, what, *count))
        });
        diagnostics.collect()
    }
}

/// Groups of an entry that no binding names: EKS does not check that they exist.
fn groups(entry: &Entry, bound: &BTreeSet<&str>, found: &mut Found) {
    for group in entry.groups.given().into_iter().flatten() {
        let is_reserved = group.starts_with("system:") || group.starts_with("eks:");
        if !is_reserved && !bound.contains(group.as_str()) {
            found.add(Code::GroupNeverBound, group, entry.source());
        }
    }
}

/// Namespace names and patterns that match none of all namespaces.
fn patterns(entry: &Entry, namespaces: &BTreeSet<&str>, found: &mut Found) {
    for association in &entry.policies {
        for scope in &association.scopes {
            let AccessScope::Namespaces(patterns) = scope else { continue };
            for pattern in patterns.iter().flatten() {
                let matches = |namespace: &&str| namespace_matches(pattern, namespace) != Ternary::No;
                if !namespaces.iter().any(matches) {
                    found.add(Code::NamespacePatternUnused, pattern, association.source);
                }
            }
        }
    }
}
