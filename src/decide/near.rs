//! What came nearest to a "no": rules, bindings and roles that look as if they allowed a request, and why they do not.
//!
//! Looked for only where the answer is no yes: here nothing is decided.

use std::collections::BTreeSet;

use crate::decide::evaluate::matches::pattern_matches;
use crate::decide::evaluate::{Asker, Grant, Mismatch};
use crate::decide::graph::{Applied, Principal, RbacGraph, RoleRule, is_pattern};
use crate::knowledge::catalogue::Catalogue;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::rbac::{Authorizer, Requirement, Role, Scope};
use crate::model::user::{SYSTEM_AUTHENTICATED, SYSTEM_SERVICE_ACCOUNTS, SYSTEM_UNAUTHENTICATED, UserInfo};

mod aggregated;
mod role;
mod slip;
mod subject;

pub use slip::{Field, Slip, Why};
pub use subject::{NearSubject, SubjectSlip};

/// A rule that nearly allows the request.
#[derive(Clone, Debug)]
pub enum NearMiss<'g> {
    /// EKS refuses requests without credentials but for a few paths, before RBAC is asked.
    ClosedToAnonymous,
    /// The server of an add-on answers this API group, and takes nobody for a login whose username is empty.
    NoUsername(String),
    /// The rule applies, and one or two things differ.
    Rule(Grant<'g>, Mismatch),
    /// The rule applies and looks as if it allowed the request, but for words that do not mean what they seem to.
    Slips(Grant<'g>, Vec<Slip>),
    /// A rule for resources, as if it covered the URL.
    ResourcesForUrl(Grant<'g>),
    /// A rule for URLs, as if it covered the resource.
    UrlsForResource(Grant<'g>),
    /// A rule of an aggregated role's own, which those of the selected roles replace.
    ReplacedRule {
        /// The binding, with its role.
        applied: Applied<'g>,
        /// The rule.
        rule: RoleRule<'g>,
    },
    /// A ClusterRole that an aggregation nearly selects, and whose rule would allow it.
    NotAggregated {
        /// The binding, with its role.
        applied: Applied<'g>,
        /// The role that aggregates.
        into: &'g Role,
        /// The role that is not selected.
        from: &'g Role,
        /// Its rule.
        rule: RoleRule<'g>,
        /// The first requirement of the selector that it does not meet.
        missing: &'g Requirement,
    },
    /// A Role of the namespace that would allow it, and that no binding grants to anybody.
    Unbound {
        /// The rule, with its role.
        rule: RoleRule<'g>,
    },
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
        catalogue: &Catalogue,
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
        let slips = self.slips(catalogue, attributes, refusing);
        let explained: Vec<usize> = slips.iter().map(|(number, _)| *number).collect();
        near.extend(slips.into_iter().map(|(_, slips)| slips));
        near.extend(self.nearly_aggregated(asker, attributes));
        near.extend(self.elsewhere(asker, attributes));
        // Of verb, group and resource only one may differ, or the rule is about something else.
        let is_near = |mismatch: &Mismatch| {
            let differs = [mismatch.verb, mismatch.api_group, mismatch.resource];
            !mismatch.kind
                && !only_name(mismatch)
                && differs.into_iter().filter(|differs| *differs).count() <= 1
        };
        let not_explained = refusing.iter().zip(0usize..).filter(|(_, number)| !explained.contains(number));
        let mut differing: Vec<&(Grant<'g>, Mismatch)> =
            not_explained.map(|(one, _)| one).filter(|(_, mismatch)| is_near(mismatch)).collect();
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
        near.extend(self.unbound_role(attributes).map(|rule| NearMiss::Unbound { rule }));
        let bound = asker
            .principals()
            .iter()
            .any(|principal| self.is_bound(*principal) && !self.is_everybody(*principal));
        if !bound {
            let of_all = [SYSTEM_AUTHENTICATED, SYSTEM_UNAUTHENTICATED, SYSTEM_SERVICE_ACCOUNTS, ""];
            let own = user.groups.iter().filter(|group| !of_all.contains(&group.as_str()));
            near.push(NearMiss::NeverBound(own.cloned().collect()));
        }
        near
    }

    fn is_everybody(&self, principal: Principal) -> bool {
        let everybody = [SYSTEM_AUTHENTICATED, SYSTEM_UNAUTHENTICATED, SYSTEM_SERVICE_ACCOUNTS];
        matches!(principal, Principal::Group(name) if everybody.contains(&self.policy().names.text(name)))
    }

    /// The refusing rules that look as if they allowed the request, by their number, those with the fewest slips first.
    fn slips<'g>(
        &'g self,
        catalogue: &Catalogue,
        attributes: &Attributes<'_>,
        refusing: &[(Grant<'g>, Mismatch)],
    ) -> Vec<(usize, NearMiss<'g>)> {
        let names = &self.policy().names;
        let mut found = Vec::new();
        for ((grant, mismatch), number) in refusing.iter().zip(0usize..) {
            // The default roles hold no slips.
            let is_builtin = self.policy().is_builtin(grant.rule.owner.source);
            if is_builtin || (mismatch.resource_name && mismatch.count() == 1) {
                continue;
            }
            if mismatch.kind {
                let near = self.other_kind(grant, attributes, *mismatch);
                found.extend(near.map(|near| ((1, 1), number, near)));
                continue;
            }
            let (slips, others) = slip::slips(names, catalogue, &grant.rule.rule, attributes, *mismatch);
            // Beside a slip in the type one more thing may differ: the rule is about this type all the same.
            let of_type = slips.iter().any(|slip| matches!(slip.field, Field::Resource | Field::Url));
            if !slips.is_empty() && (others == 0 || (of_type && others == 1 && !mismatch.api_group)) {
                found.push(((others, slips.len()), number, NearMiss::Slips(*grant, slips)));
            }
        }
        found.sort_by_key(|(rank, number, _)| (*rank, *number));
        found.into_iter().map(|(_, number, near)| (number, near)).collect()
    }

    /// A rule for resources where a URL is asked, or the other way round, if it seems to cover it.
    fn other_kind<'g>(
        &self,
        grant: &Grant<'g>,
        attributes: &Attributes<'_>,
        mismatch: Mismatch,
    ) -> Option<NearMiss<'g>> {
        if mismatch.verb {
            return None;
        }
        let names = &self.policy().names;
        match attributes {
            Attributes::NonResource(url) => {
                let path = url.path.trim_matches('/');
                let covers = |name: &Name| *name == Name::STAR || names.text(*name).trim_matches('/') == path;
                let seems = grant.rule.rule.resources.iter().any(covers);
                seems.then_some(NearMiss::ResourcesForUrl(*grant))
            }
            Attributes::Resource(asked) => {
                let seems = |name: &Name| {
                    let text = names.text(*name).trim_end_matches('*');
                    text.is_empty() || text.split('/').any(|part| part == asked.resource)
                };
                let seems = grant.rule.rule.non_resource_urls.iter().any(seems);
                seems.then_some(NearMiss::UrlsForResource(*grant))
            }
        }
    }

    /// A Role of the request's namespace that would allow it, and that no binding grants.
    fn unbound_role(&self, attributes: &Attributes<'_>) -> Option<RoleRule<'_>> {
        let policy = self.policy();
        let request = self.lexicon.request(&policy.names, attributes);
        if request.namespace == Name::EMPTY || request.namespace == Name::UNKNOWN {
            return None;
        }
        let scope = Scope::Namespace(request.namespace);
        let from = policy.roles.partition_point(|role| role.scope < scope);
        let there = policy.roles.iter().skip(from).take_while(|role| role.scope == scope);
        let found = there.filter_map(|role| {
            self.rules_in_force(role).find(|rule| self.lexicon.allows(policy, rule.placed.rule, &request))
        });
        let is_granted = |rule: &RoleRule<'_>| {
            self.bindings().any(|applied| applied.role.is_some_and(|role| std::ptr::eq(role, rule.owner)))
        };
        // Each of them costs a look at every binding.
        found.take(4).find(|rule| !is_granted(rule))
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
                    let text = policy.names.text(namespace);
                    // A pattern that holds here is not elsewhere.
                    if !(is_pattern(text) && pattern_matches(text, attributes.namespace())) {
                        namespaces.insert((text, namespace));
                    }
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
            // Whether an access policy holds for Namespace objects is not known there either.
            let of_namespace = matches!(&moved, Attributes::Resource(own) if own.group.is_empty() && own.resource == "namespaces");
            let counts = |applied: &Applied<'_>| {
                !(of_namespace && applied.binding.authorizer() == Authorizer::AccessPolicy)
            };
            let grant = asker.principals().iter().find_map(|principal| {
                self.bindings_of(*principal, Scope::Namespace(namespace)).filter(counts).find_map(|applied| {
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
