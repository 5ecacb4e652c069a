//! Access policies as part of the policy: each one that is associated as a role that AWS publishes, each association as
//! a binding of the principal.
//!
//! Only what is certain becomes a binding. What a file leaves open (a policy without published rules, a pattern of a form
//! that AWS does not document, a principal that is not told) stays with the entry, and makes a "no" unknown.

mod lint;

use rustc_hash::FxHashMap;

use crate::identity::IdentityMappings;
use crate::knowledge::access_policies::{self, AccessPolicy};
use crate::model::access::{AccessScope, Association, is_documented_pattern};
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{
    Binding, PlacedRule, PlacedSubject, PolicyRule, Role, RoleKind, RoleRef, Scope, Subject,
};
use crate::model::source::{FileId, Source};

pub(super) use self::lint::lint;

/// Adds the access policies of every entry that counts.
pub(super) fn add(policy: &mut Policy, identities: &IdentityMappings) {
    let Some(access) = identities.access() else { return };
    let mut roles: FxHashMap<String, Name> = FxHashMap::default();
    let mut files: FxHashMap<&str, FileId> = FxHashMap::default();
    for entry in access.entries_in_force() {
        for association in &entry.policies {
            let published = association.policy.as_deref().and_then(access_policies::find);
            let Some(published) = published.filter(|published| !published.rules.is_empty()) else { continue };
            let arn = match &association.policy_arn {
                arn if arn.contains("${") => format!("{}{}", access_policies::ARN_PREFIX, published.name),
                arn => arn.clone(),
            };
            let role =
                *roles.entry(arn).or_insert_with_key(|arn| add_role(policy, arn, published, &mut files));
            bind(policy, &entry.key, entry.source(), association, role);
        }
    }
}

/// Adds a policy as a role of the cluster, which stands in what AWS publishes.
///
/// Its name is its ARN: no ClusterRole can be called so, for there is a slash in it.
fn add_role(
    policy: &mut Policy,
    arn: &str,
    published: &AccessPolicy,
    files: &mut FxHashMap<&'static str, FileId>,
) -> Name {
    let title = published.published;
    let file = *files.entry(title).or_insert_with(|| {
        let file = policy.sources.add_file(&format!("built in ({title})"));
        policy.published.push(file);
        file
    });
    let name = policy.names.intern(arn);
    let mut placed = Vec::with_capacity(published.rules.len());
    for rule in &published.rules {
        let names = &mut policy.names;
        let mut intern = |list: &[&str]| list.iter().map(|text| names.intern(text)).collect::<Vec<Name>>();
        let (verbs, api_groups) = (intern(&rule.verbs), intern(&rule.api_groups));
        let (resources, urls) = (intern(&rule.resources), intern(&rule.non_resource_urls));
        let rule = PolicyRule {
            verbs: &verbs,
            api_groups: &api_groups,
            resources: &resources,
            resource_names: &[],
            non_resource_urls: &urls,
        };
        placed.push(PlacedRule { rule: policy.rules.intern(&rule), line: 0 });
    }
    let rules = policy.add_rules(&placed);
    let source = Source { file, ..Source::default() };
    policy.roles.push(Role {
        scope: Scope::Cluster,
        name,
        rules,
        source,
        labels: Box::default(),
        aggregation: None,
    });
    name
}

/// Adds an association as bindings, one for the cluster or one for each namespace or pattern.
fn bind(policy: &mut Policy, principal: &str, entry: Source, association: &Association, role: Name) {
    if !association.is_certain {
        return;
    }
    let scopes: Vec<Scope> = if association.scopes.iter().all(|scope| *scope == AccessScope::Cluster) {
        vec![Scope::Cluster]
    } else {
        let mut certain: Vec<&str> = association.scopes.iter().flat_map(documented).collect();
        certain.retain(|pattern| association.scopes.iter().all(|scope| covers(scope, pattern)));
        certain.sort_unstable();
        certain.dedup();
        certain.iter().map(|pattern| Scope::Namespace(policy.names.intern(pattern))).collect()
    };
    let caller = policy.names.intern(principal);
    // As the audit log of EKS names the binding that it makes up.
    let name = policy.names.intern(&format!("{principal}+{}", association.policy_arn));
    for scope in scopes {
        let subjects =
            policy.add_subjects(&[PlacedSubject { subject: Subject::Caller(caller), line: entry.line }]);
        let source = association.source;
        let role_ref = RoleRef { kind: RoleKind::AccessPolicy, name: role };
        policy.bindings.push(Binding { scope, name, role_ref, subjects, source, role_ref_line: source.line });
    }
}

/// The names and patterns of a scope of which it is certain what they match.
fn documented(scope: &AccessScope) -> impl Iterator<Item = &str> {
    let patterns = match scope {
        AccessScope::Namespaces(patterns) => patterns.as_slice(),
        _ => &[],
    };
    patterns.iter().flatten().map(String::as_str).filter(|pattern| is_documented_pattern(pattern))
}

/// Whether a scope holds in every namespace that a name or pattern matches. Where the inputs do not tell which of several
/// associations came last, only what all of them cover is certain.
fn covers(scope: &AccessScope, pattern: &str) -> bool {
    *scope == AccessScope::Cluster
        || documented(scope).any(|own| {
            own == pattern || own.strip_suffix('*').is_some_and(|prefix| pattern.starts_with(prefix))
        })
}
