//! What came nearest to a "no": rules, bindings and roles that look as if they allowed a request, and why they do not.
//!
//! Looked for only where the answer is no yes: here nothing is decided.

use std::collections::BTreeSet;

use crate::decide::evaluate::{Asker, Grant, Mismatch};
use crate::decide::graph::{Applied, Principal, RbacGraph};
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::rbac::Scope;
use crate::model::user::UserInfo;

/// A rule that nearly allows the request.
#[derive(Clone, Debug)]
pub enum NearMiss<'g> {
    /// EKS refuses requests without credentials but for a few paths, before RBAC is asked.
    ClosedToAnonymous,
    /// The server of an add-on answers this API group, and takes nobody for a login whose username is empty.
    NoUsername(String),
    /// The rule applies, and one or two things differ.
    Rule(Grant<'g>, Mismatch),
    /// The same request is allowed in other namespaces; the first grant, and in how many.
    OtherNamespace {
        /// A namespace in which it is allowed.
        namespace: Name,
        /// By which grant.
        grant: Grant<'g>,
        /// In how many other namespaces it is allowed.
        count: usize,
    },
    /// RoleBindings grant it, but the request is made outside namespaces, where they do not count.
    OnlyInNamespaces {
        /// A namespace with such a binding.
        namespace: Name,
        /// By which grant.
        grant: Grant<'g>,
        /// How many such namespaces there are.
        count: usize,
    },
    /// It is allowed for these names of objects only.
    OnlyNames(Grant<'g>),
    /// The binding's role does not exist, in inputs that are complete.
    MissingRole(Applied<'g>),
    /// No binding names the group, nor any other group or the username.
    NeverBound(Vec<String>),
}

impl RbacGraph {
    /// What came nearest to allowing a request that is refused, nearest first.
    pub(super) fn near_misses<'g>(
        &'g self,
        user: &UserInfo,
        asker: &Asker,
        attributes: &Attributes<'_>,
        refusing: &[(Grant<'g>, Mismatch)],
        dangling: Vec<Applied<'g>>,
    ) -> Vec<NearMiss<'g>> {
        let mut near = Vec::new();
        let only_name = |mismatch: &Mismatch| mismatch.resource_name && mismatch.count() == 1;
        near.extend(
            refusing
                .iter()
                .filter(|(_, mismatch)| only_name(mismatch))
                .map(|(grant, _)| NearMiss::OnlyNames(*grant)),
        );
        near.extend(self.elsewhere(asker, attributes));
        // Of verb, group and resource only one may differ, or the rule is about something else.
        let is_near = |mismatch: &Mismatch| {
            let differs = [mismatch.verb, mismatch.api_group, mismatch.resource];
            !mismatch.kind
                && !only_name(mismatch)
                && differs.into_iter().filter(|differs| *differs).count() <= 1
        };
        let mut differing: Vec<&(Grant<'g>, Mismatch)> =
            refusing.iter().filter(|(_, mismatch)| is_near(mismatch)).collect();
        differing.sort_by_key(|(_, mismatch)| (mismatch.count(), mismatch.resource, mismatch.api_group));
        let same_parent = |grant: &Grant<'g>| match attributes {
            Attributes::Resource(asked) => grant.rule.rule.resources.iter().any(|resource| {
                let text = self.policy().names.text(*resource);
                text.split('/').next() == asked.resource.split('/').next()
            }),
            Attributes::NonResource(_) => false,
        };
        near.extend(
            differing
                .into_iter()
                .filter(|(grant, mismatch)| {
                    !(mismatch.resource || mismatch.non_resource_url) || same_parent(grant)
                })
                .map(|(grant, mismatch)| NearMiss::Rule(*grant, *mismatch)),
        );
        near.extend(dangling.into_iter().map(NearMiss::MissingRole));
        let bound = asker
            .principals()
            .iter()
            .any(|principal| self.is_bound(*principal) && !self.is_everybody(*principal));
        if !bound {
            let mut unbound: Vec<String> = Vec::new();
            for group in &user.groups {
                if group != crate::model::user::SYSTEM_AUTHENTICATED && !group.is_empty() {
                    unbound.push(group.clone());
                }
            }
            near.push(NearMiss::NeverBound(unbound));
        }
        near
    }

    fn is_everybody(&self, principal: Principal) -> bool {
        let everybody =
            [crate::model::user::SYSTEM_AUTHENTICATED, crate::model::user::SYSTEM_UNAUTHENTICATED];
        matches!(principal, Principal::Group(name) if everybody.contains(&self.policy().names.text(name)))
    }

    /// The same request in the other namespaces in which any binding names the user.
    fn elsewhere<'g>(&'g self, asker: &Asker, attributes: &Attributes<'_>) -> Option<NearMiss<'g>> {
        let policy = self.policy();
        let asked = policy.names.lookup(attributes.namespace());
        let mut namespaces: BTreeSet<(&str, Name)> = BTreeSet::new();
        for principal in asker.principals() {
            for scope in self.scopes_of(*principal) {
                if let Scope::Namespace(namespace) = scope
                    && namespace != asked
                {
                    namespaces.insert((policy.names.text(namespace), namespace));
                }
            }
        }
        let mut found: Option<(Name, Grant<'g>)> = None;
        let mut count = 0;
        for (text, namespace) in namespaces {
            let moved = match attributes {
                // A request for a Namespace itself is made in it: another namespace is another object.
                Attributes::Resource(resource)
                    if resource.name == resource.namespace && resource.resource == "namespaces" =>
                {
                    Attributes::Resource(ResourceAttributes { namespace: text, name: text, ..*resource })
                }
                Attributes::Resource(resource) => {
                    Attributes::Resource(ResourceAttributes { namespace: text, ..*resource })
                }
                // A RoleBinding that seems to grant a URL: asked of its rules, although it never counts.
                Attributes::NonResource(_) => *attributes,
            };
            let request = self.lexicon.request(&policy.names, &moved);
            let grant = asker.principals().iter().find_map(|principal| {
                self.bindings_of(*principal, Scope::Namespace(namespace)).find_map(|applied| {
                    let rule = self
                        .granted_rules(&applied)
                        .find(|rule| self.lexicon.allows(policy, rule.placed.rule, &request))?;
                    Some(Grant { applied, subject: self.first_subject(asker, &applied), rule })
                })
            });
            if let Some(grant) = grant {
                count += 1;
                found.get_or_insert((namespace, grant));
            }
        }
        let (namespace, grant) = found?;
        Some(if asked == Name::EMPTY {
            NearMiss::OnlyInNamespaces { namespace, grant, count }
        } else {
            NearMiss::OtherNamespace { namespace, grant, count }
        })
    }
}
