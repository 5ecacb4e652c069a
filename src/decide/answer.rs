//! Yes, no, or unknown: the answer to a request, given how much of the cluster the inputs cover.
//!
//! A decision is exact for the objects that were loaded. A "no" is only as good as they are: a binding that
//! applies may grant a role that is not among the files, a node's requests are decided by another authorizer.
//! Then the answer is "unknown". A "yes" is never anything else, for RBAC only adds.

use std::collections::BTreeSet;

use crate::decide::evaluate::{Asker, Grant, Grants, Mismatch};
use crate::decide::graph::{Applied, Principal, RbacGraph, RoleRule};
use crate::identity::{IdentityDoubt, PlaceholderValues, Provenance};
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::policy::Completeness;
use crate::model::rbac::Scope;
use crate::model::source::Source;
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_NODES, UserInfo};

/// Why a "no" could be a "yes" in the cluster.
#[derive(Clone, Debug)]
pub enum Doubt<'g> {
    /// A binding that applies grants a role that is not among the inputs, or one that takes its rules from roles, and
    /// none of those has any.
    MissingRole(Applied<'g>),
    /// The Node authorizer decides this from live objects; the rule of `system:node` shows that it may allow it.
    /// `None` where the inputs have no such role: the authorizer works without it.
    NodeAuthorizer(Option<RoleRule<'g>>),
    /// It is allowed for some names of objects, and the question does not tell which one it is about.
    SomeNames(Grant<'g>),
    /// It is allowed in some namespaces, and the question does not tell which ones it is about.
    SomeNamespaces {
        /// A namespace in which it is allowed.
        namespace: Name,
        /// By which grant.
        grant: Grant<'g>,
        /// In how many namespaces it is allowed.
        count: usize,
    },
    /// A document at this place could not be read, and RBAC objects may be in it.
    Unread(Source),
    /// No identity mapping was loaded, so the user of the ARN is unknown.
    NoIdentity,
    /// Entries differ only in case, each login picks one at random, and they do not agree; a grant of one of them.
    RandomMapping(Option<Grant<'g>>),
    /// The type is not known, and as this one, which rules name or cover, it is not refused: a CRD that is not among
    /// the inputs may define it so. What allows it then, if anything certainly does.
    OtherType(String, Option<Grant<'g>>),
    /// No mapping matches, but this one would if the placeholder in its ARN were filled in so, and it would then not
    /// be refused. What allows it then, if anything certainly does.
    Unfilled(Box<Provenance>, Option<Grant<'g>>),
    /// A username or group of the mapping has an unfilled placeholder, could become this name, and with
    /// that it is not refused. What allows it then, if anything certainly does.
    UnfilledName(String, String, Option<Grant<'g>>),
    /// No mapping matches, but text at this place counts for nothing only because placeholders in it were not filled
    /// in: what it would map is unknown.
    Unrendered(Source),
    /// The inputs do not tell who the caller is.
    Identity(IdentityDoubt),
    /// It depends on the session's name, or on something else that the ARN does not tell.
    Session {
        /// A user that it could be.
        user: UserInfo,
        /// What would have to hold for that.
        values: PlaceholderValues,
        /// What then allows it; `None` for `system:masters`, or where that user's answer is unknown too.
        grant: Option<Grant<'g>>,
    },
}

/// A rule that nearly allows the request.
#[derive(Clone, Debug)]
pub enum NearMiss<'g> {
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
    /// EKS refuses requests without credentials but for a few paths, before RBAC is asked.
    ClosedToAnonymous,
    /// The server of an add-on answers this API group, and takes nobody for a login whose username is empty.
    NoUsername(String),
    /// No binding names the group, nor any other group or the username.
    NeverBound(Vec<String>),
}

/// An answer with its reasons.
#[derive(Clone, Debug)]
pub struct Answer<'g> {
    /// Yes, no, or unknown.
    pub ternary: Ternary,
    /// Whether the user is in `system:masters`.
    pub is_master: bool,
    /// Every grant that allows it.
    pub grants: Vec<Grant<'g>>,
    /// Why it is unknown; also beside a "yes" nothing.
    pub doubts: Vec<Doubt<'g>>,
    /// What came nearest, nearest first; only for what is not a "yes".
    pub near: Vec<NearMiss<'g>>,
}

impl Answer<'_> {
    /// A plain no.
    pub fn no() -> Self {
        Self {
            ternary: Ternary::No,
            is_master: false,
            grants: Vec::new(),
            doubts: Vec::new(),
            near: Vec::new(),
        }
    }
}

/// How much of the cluster the inputs cover.
#[derive(Copy, Clone, Debug)]
pub struct InputCoverage {
    /// Whether what is missing may exist.
    pub completeness: Completeness,
    /// Whether the inputs hold any Role: an export without any lacks them all.
    pub has_roles: bool,
    /// A document that could not be read and may hold RBAC objects.
    pub unread: Option<Source>,
}

impl RbacGraph {
    /// Answers for a user, with every reason.
    pub fn answer<'g>(
        &'g self,
        user: &UserInfo,
        attributes: &Attributes<'_>,
        coverage: InputCoverage,
    ) -> Answer<'g> {
        self.answer_as(user, user, attributes, coverage)
    }

    /// Answers for a user that is only partly known; `shown` also has the placeholders, which identify a node.
    pub(crate) fn answer_as<'g>(
        &'g self,
        user: &UserInfo,
        shown: &UserInfo,
        attributes: &Attributes<'_>,
        coverage: InputCoverage,
    ) -> Answer<'g> {
        let asker = self.asker(user);
        let Grants { is_master, allowing, refusing, missing } = self.grants(&asker, attributes);
        if is_master || !allowing.is_empty() {
            return Answer {
                ternary: Ternary::Yes,
                is_master,
                grants: allowing,
                doubts: Vec::new(),
                near: Vec::new(),
            };
        }
        let mut doubts = Vec::new();
        let mut dangling = Vec::new();
        for applied in missing {
            if coverage.could_exist(&applied) {
                doubts.push(Doubt::MissingRole(applied));
            } else {
                dangling.push(applied);
            }
        }
        doubts.extend(
            self.aggregating_nothing(&asker, attributes.namespace(), coverage)
                .into_iter()
                .map(Doubt::MissingRole),
        );
        doubts.extend(coverage.unread.map(Doubt::Unread));
        doubts.extend(self.node_doubt(shown, attributes));
        let near = self.near_misses(user, &asker, attributes, &refusing, dangling);
        let ternary = if doubts.is_empty() { Ternary::No } else { Ternary::Unknown };
        Answer { ternary, is_master, grants: allowing, doubts, near }
    }

    /// Yes, no or unknown without the reasons; what [`RbacGraph::answer`] says.
    pub fn ternary(
        &self,
        user: &UserInfo,
        asker: &Asker,
        attributes: &Attributes<'_>,
        coverage: InputCoverage,
    ) -> Ternary {
        match self.authorize(asker, attributes) {
            crate::decide::evaluate::Decision::NoOpinion(missing) => {
                let doubt = coverage.unread.is_some()
                    || missing.iter().any(|applied| coverage.could_exist(applied))
                    || !self.aggregating_nothing(asker, attributes.namespace(), coverage).is_empty()
                    || self.node_doubt(user, attributes).is_some();
                if doubt { Ternary::Unknown } else { Ternary::No }
            }
            _ => Ternary::Yes,
        }
    }

    /// Whether a binding grants a role that aggregates others, none of which is among the inputs, although they may
    /// be in the cluster: the controller would then have filled it.
    pub(crate) fn aggregates_nothing(&self, applied: &Applied<'_>, coverage: InputCoverage) -> bool {
        coverage.completeness == Completeness::Partial
            && applied.role.is_some_and(|role| role.aggregation.is_some())
            && self.rules_granted(applied).is_empty()
    }

    /// The bindings that apply to somebody in a namespace and of which that holds.
    pub(crate) fn aggregating_nothing(
        &self,
        asker: &Asker,
        namespace: &str,
        coverage: InputCoverage,
    ) -> Vec<Applied<'_>> {
        let namespace = self.policy().names.lookup(namespace);
        let here = (namespace != Name::EMPTY).then_some(Scope::Namespace(namespace));
        let mut found: Vec<Applied<'_>> = Vec::new();
        for scope in std::iter::once(Scope::Cluster).chain(here) {
            let bindings =
                asker.principals().iter().flat_map(|principal| self.bindings_of(*principal, scope));
            found.extend(bindings.filter(|applied| self.aggregates_nothing(applied, coverage)));
        }
        found.sort_by_key(Applied::order);
        found.dedup_by_key(|applied| applied.order());
        found
    }

    /// What the default role `system:node` would allow a node. No binding names that role: the Node authorizer
    /// decides, from live objects and not from RBAC.
    fn node_doubt(&self, user: &UserInfo, attributes: &Attributes<'_>) -> Option<Doubt<'_>> {
        if !user.in_group(SYSTEM_NODES) || !user.username.starts_with("system:node:") {
            return None;
        }
        let policy = self.policy();
        let Some(role) = self.role(Scope::Cluster, policy.names.lookup("system:node")) else {
            return Some(Doubt::NodeAuthorizer(None));
        };
        let request = self.lexicon.request(&policy.names, attributes);
        let allows = |rule: &RoleRule<'_>| self.lexicon.allows(policy, rule.placed.rule, &request);
        self.rules_in_force(role).find(allows).map(|rule| Doubt::NodeAuthorizer(Some(rule)))
    }

    fn near_misses<'g>(
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

impl InputCoverage {
    /// Whether the role that a binding grants may exist in the cluster although no input defines it.
    pub fn could_exist(self, applied: &Applied<'_>) -> bool {
        self.completeness == Completeness::Partial
            || (applied.binding.role_ref.kind == crate::model::rbac::RoleKind::Role && !self.has_roles)
    }
}
