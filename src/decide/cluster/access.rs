//! What access policies leave open: everything about them that is certain stands in the graph, the rest is weighed here.

use super::{Cluster, Who, WhoIs};
use crate::decide::answer::{AccessDoubt, AccessGap, Answer, Doubt};
use crate::decide::graph::RoleRule;
use crate::identity::{IdentityDoubt, IdentityError, Mapped};
use crate::knowledge::access_policies::ARN_PREFIX;
use crate::model::access::{AccessScope, Association, is_documented_pattern, namespace_matches};
use crate::model::attributes::Attributes;
use crate::model::rbac::{Authorizer, Scope};
use crate::model::ternary::Ternary;

/// Whether a request is for a Namespace object, which Kubernetes authorises inside the namespace that it is.
fn is_namespace_object(attributes: &Attributes<'_>) -> bool {
    matches!(attributes, Attributes::Resource(asked) if asked.group.is_empty() && asked.resource == "namespaces")
}

/// What is not known of the scope of an association, for a namespace in which it may hold.
fn gap(association: &Association, namespace: &str) -> AccessGap {
    if !association.is_certain {
        return AccessGap::Principal;
    }
    let patterns = association.scopes.iter().filter_map(|scope| match scope {
        AccessScope::Namespaces(patterns) => Some(patterns.iter().flatten()),
        _ => None,
    });
    let odd = patterns.flatten().find(|pattern| {
        !is_documented_pattern(pattern) && namespace_matches(pattern, namespace) == Ternary::Unknown
    });
    odd.map_or(AccessGap::Scope, |pattern| AccessGap::Pattern(pattern.clone()))
}

impl Cluster {
    /// Why access policies may allow a request that they do not certainly allow.
    pub(super) fn access_doubts<'g>(
        &'g self,
        mapped: &Mapped,
        attributes: &Attributes<'_>,
    ) -> Vec<Doubt<'g>> {
        let Some(access) = &mapped.access else { return Vec::new() };
        let mut doubts = Vec::new();
        let namespace = attributes.namespace();
        for association in &access.policies {
            let holds = association.holds(namespace);
            if holds == Ternary::No {
                continue;
            }
            let mut doubt = |why, rule| {
                let (policy, source) = (association.title().to_owned(), association.source);
                doubts.push(Doubt::AccessPolicy(AccessDoubt { why, policy, source, rule }));
            };
            let Some(rules) = self.rules_of_policy(association) else {
                doubt(AccessGap::RulesNotPublished, None);
                continue;
            };
            let Some(rule) = self.allowing(&rules, attributes) else { continue };
            let in_namespaces = association.scopes.iter().any(|scope| *scope != AccessScope::Cluster);
            if holds == Ternary::Unknown {
                doubt(gap(association, namespace), Some(rule));
            } else if in_namespaces && is_namespace_object(attributes) {
                doubt(AccessGap::NamespaceObject, Some(rule));
            }
        }
        if !access.has_all_policies {
            doubts.push(Doubt::AccessPolicy(AccessDoubt {
                why: AccessGap::NotRead,
                policy: String::new(),
                source: access.source,
                rule: None,
            }));
        }
        doubts
    }

    /// The rules of the policy of an association; `None` where they are not published.
    fn rules_of_policy<'g>(&'g self, association: &Association) -> Option<Vec<RoleRule<'g>>> {
        let name = association.policy.as_deref()?;
        let names = &self.graph.policy().names;
        let role = |arn: &str| self.graph.role(Scope::Cluster, names.lookup(arn));
        let role = role(&association.policy_arn).or_else(|| role(&format!("{ARN_PREFIX}{name}")))?;
        Some(self.graph.rules_in_force(role).collect())
    }

    fn allowing<'g>(&self, rules: &[RoleRule<'g>], attributes: &Attributes<'_>) -> Option<RoleRule<'g>> {
        let policy = self.graph.policy();
        let request = self.graph.lexicon.request(&policy.names, attributes);
        rules.iter().find(|rule| self.graph.lexicon.allows(policy, rule.placed.rule, &request)).copied()
    }

    /// Answers for a caller of whom the inputs do not tell who it is: what all agree on that it could be.
    pub(super) fn answer_for_anybody<'g>(
        &'g self,
        who: &Who,
        why: &[IdentityDoubt],
        could_be: &[Result<Mapped, IdentityError>],
        is_exhaustive: bool,
        attributes: &Attributes<'_>,
    ) -> Answer<'g> {
        let mut answers = Vec::new();
        for candidate in could_be {
            let is = match candidate {
                Ok(mapped) => WhoIs::Mapped(Box::new(mapped.clone())),
                Err(error) => WhoIs::Error(Box::new(error.clone())),
            };
            answers.push(self.answer(&Who { identity: who.identity.clone(), is }, attributes));
        }
        let ternary = if is_exhaustive {
            Ternary::whichever(answers.iter().map(|answer| answer.ternary))
        } else {
            Ternary::Unknown
        };
        let mut answer = answers.into_iter().max_by_key(|answer| answer.ternary).unwrap_or_else(Answer::no);
        if ternary == Ternary::Unknown {
            answer.ternary = Ternary::Unknown;
            let grants = std::mem::take(&mut answer.grants);
            answer.is_master = false;
            answer.near.clear();
            let grant = grants.into_iter().next();
            let why = why.iter().zip(std::iter::once(grant).chain(std::iter::repeat(None)));
            answer.doubts.splice(0..0, why.map(|(doubt, grant)| Doubt::Identity(doubt.clone(), grant)));
        }
        answer
    }

    /// How many roles and bindings there are, without what stands for access policies.
    pub fn rbac_objects(&self) -> usize {
        let policy = self.graph.policy();
        let roles = policy.roles.iter().filter(|role| !policy.is_access_policy(role)).count();
        roles + policy.bindings.iter().filter(|binding| binding.authorizer() == Authorizer::Rbac).count()
    }
}
