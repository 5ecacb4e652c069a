//! Yes, no, or unknown: the answer to a request, given how much of the cluster the inputs cover.
//!
//! A decision is exact for the objects that were loaded. A "no" is only as good as they are: a binding that
//! applies may grant a role that is not among the files, a node's requests are decided by another authorizer.
//! Then the answer is "unknown". A "yes" is never anything else, for RBAC only adds.

use rustc_hash::FxHashSet;

pub use crate::decide::access_gap::{AccessDoubt, AccessGap};
use crate::decide::evaluate::{Asker, Decision, Grant, Grants};
use crate::decide::graph::{Applied, RbacGraph, RoleRule};
pub use crate::decide::near::NearMiss;
use crate::identity::{IdentityDoubt, PlaceholderValues, Provenance, could_become};
use crate::knowledge::catalogue::Catalogue;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::Name;
use crate::model::policy::{Completeness, SourceForm};
use crate::model::rbac::Scope;
use crate::model::source::Source;
use crate::model::ternary::Ternary;
use crate::model::unread::{Concern, Shown, Unread};
use crate::model::user::{SYSTEM_NODES, UserInfo, split_service_account};

/// Why a "no" could be a "yes" in the cluster.
#[derive(Clone, Debug)]
pub enum Doubt<'g> {
    /// A binding that applies grants a role that is not among the inputs, or one that takes its rules from roles, and
    /// none of those has any.
    MissingRole(Applied<'g>),
    /// A binding that applies grants a role that takes its rules from roles, of which the inputs need not hold all:
    /// an add-on may bring one for this request.
    Aggregates(Applied<'g>),
    /// The inputs define a binding that applies with several roleRefs. The API server keeps the one that was applied
    /// first, and which that was they do not tell.
    Contested(Applied<'g>),
    /// Only RoleBindings grant it, and the scope of the type is not known: if it is cluster-scoped they do not count.
    UnknownScope(Grant<'g>),
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
    /// Objects that are not applied as they stand may grant it once they are, and why that is not known; what grants it
    /// then, in the cluster as it may be, if anything certainly does.
    SourceForm(&'g SourceForm, Option<Grant<'g>>),
    /// A document at this place could not be read, and RBAC objects may be in it.
    Unread(Source),
    /// Access policies may allow it: why that is not known.
    AccessPolicy(AccessDoubt<'g>),
    /// The inputs are partial and hold no Role, no ClusterRole and no binding: a folder was probably forgotten.
    NothingRead,
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
    /// The inputs do not tell who the caller is; a grant of somebody whom it could be.
    Identity(IdentityDoubt, Option<Grant<'g>>),
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

impl Doubt<'_> {
    /// The reason in a few words, without the objects that it is about.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::MissingRole(_) => "a binding grants a role that is not in the inputs",
            Self::Aggregates(_) => "a binding grants a role that add-ons may extend",
            Self::Contested(_) => "a binding is defined with several roleRefs",
            Self::UnknownScope(_) => "only RoleBindings grant it, and the type may be cluster-scoped",
            Self::NodeAuthorizer(_) => "the Node authorizer decides it from live objects",
            Self::SomeNames(_) => "it is allowed for some names only",
            Self::SomeNamespaces { .. } => "it is allowed in some namespaces only",
            Self::SourceForm(..) => "objects that may allow it are in source form",
            Self::Unread(_) => "a document could not be read, or has unfilled placeholders",
            Self::AccessPolicy(doubt) => doubt.why.summary(),
            Self::NothingRead => "no Role or binding was read",
            Self::NoIdentity => "no identity mapping is in the inputs",
            Self::RandomMapping(_) => "mappings differ only in case, and each login uses a random one",
            Self::OtherType(..) => "the type is not known, and rules mention one that it may be",
            Self::Unfilled(..) | Self::UnfilledName(..) | Self::Unrendered(_) => {
                "the identity mappings have unfilled placeholders"
            }
            Self::Identity(..) => "the inputs do not tell who the caller is",
            Self::Session { .. } => "it depends on the session name",
        }
    }
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
    /// Bindings of roles that collect rules from add-ons, which a "no" takes to be complete: add-ons bring rules for
    /// their own types, and this one is built in, or the rules on it are there.
    pub assumed_complete: Vec<Applied<'g>>,
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
            assumed_complete: Vec::new(),
        }
    }
}

/// How much of the cluster the inputs cover.
#[derive(Copy, Clone, Debug)]
pub struct InputCoverage<'c> {
    /// Whether what is missing may exist.
    pub completeness: Completeness,
    /// Whether the inputs hold any Role: an export without any lacks them all.
    pub has_roles: bool,
    /// A document that could not be read and may hold RBAC objects.
    pub unread: &'c [Unread],
    /// Whether partial inputs hold nothing that could grant anything.
    pub nothing_read: bool,
    /// The types that are known.
    pub catalogue: &'c Catalogue,
    /// Roles that were taken out on purpose, and so do not exist.
    pub(crate) removed_roles: &'c FxHashSet<(Scope, Name)>,
}

impl RbacGraph {
    /// Answers for a user, with every reason.
    pub fn answer<'g>(
        &'g self,
        user: &UserInfo,
        attributes: &Attributes<'_>,
        coverage: InputCoverage<'_>,
    ) -> Answer<'g> {
        self.answer_as(user, user, attributes, coverage)
    }

    /// Answers for a user that is only partly known; `shown` also has the placeholders, which identify a node.
    pub(crate) fn answer_as<'g>(
        &'g self,
        user: &UserInfo,
        shown: &UserInfo,
        attributes: &Attributes<'_>,
        coverage: InputCoverage<'_>,
    ) -> Answer<'g> {
        let asker = self.asker(user);
        let Grants { is_master, allowing, refusing, missing } = self.grants(&asker, attributes);
        if is_master || !allowing.is_empty() {
            return Answer { ternary: Ternary::Yes, is_master, grants: allowing, ..Answer::no() };
        }
        let mut doubts = Vec::new();
        let mut dangling = Vec::new();
        for applied in missing {
            if applied.is_contested {
                doubts.push(Doubt::Contested(applied));
            } else if coverage.could_exist(&applied) {
                doubts.push(Doubt::MissingRole(applied));
            } else {
                dangling.push(applied);
            }
        }
        let mut assumed_complete = Vec::new();
        for applied in self.unfinished(&asker, attributes.namespace(), coverage) {
            if !self.may_hold_more(&applied, attributes, coverage) {
                assumed_complete.push(applied);
            } else if self.rules_granted(&applied).is_empty() {
                doubts.push(Doubt::MissingRole(applied));
            } else {
                doubts.push(Doubt::Aggregates(applied));
            }
        }
        doubts.extend(coverage.unread_for(shown).map(|unread| Doubt::Unread(unread.source)));
        doubts.extend(coverage.nothing_read.then_some(Doubt::NothingRead));
        doubts.extend(self.node_doubt(shown, attributes));
        let near = self.near_misses(coverage.catalogue, user, &asker, attributes, &refusing, dangling);
        let ternary = if doubts.is_empty() { Ternary::No } else { Ternary::Unknown };
        Answer { ternary, is_master, grants: allowing, doubts, near, assumed_complete }
    }

    /// Yes, no or unknown without the reasons; what [`RbacGraph::answer`] says.
    pub fn ternary(
        &self,
        user: &UserInfo,
        asker: &Asker,
        attributes: &Attributes<'_>,
        coverage: InputCoverage<'_>,
    ) -> Ternary {
        match self.authorize(asker, attributes) {
            Decision::NoOpinion(missing) => {
                let unfinished = || self.unfinished(asker, attributes.namespace(), coverage);
                let doubt = coverage.unread_for(user).next().is_some()
                    || coverage.nothing_read
                    || missing.iter().any(|applied| coverage.could_exist(applied))
                    || unfinished().iter().any(|applied| self.may_hold_more(applied, attributes, coverage))
                    || self.node_doubt(user, attributes).is_some();
                if doubt { Ternary::Unknown } else { Ternary::No }
            }
            _ => Ternary::Yes,
        }
    }

    /// Whether a binding grants a role that takes its rules from others, of which the inputs may lack some.
    pub(crate) fn is_unfinished(applied: &Applied<'_>, coverage: InputCoverage<'_>) -> bool {
        coverage.completeness == Completeness::Partial
            && applied.role.is_some_and(|role| role.aggregation.is_some())
    }

    /// Whether such a role may in the cluster have a rule for a request that it has not here.
    ///
    /// Nothing tells what a role of the inputs' own collects. Into `admin`, `edit` and `view` add-ons bring rules for
    /// their own types: what these have for the built-in ones is known, and so it is once rules on a type are there.
    pub(crate) fn may_hold_more(
        &self,
        applied: &Applied<'_>,
        attributes: &Attributes<'_>,
        coverage: InputCoverage<'_>,
    ) -> bool {
        if !Self::is_unfinished(applied, coverage) {
            return false;
        }
        if self.rules_granted(applied).is_empty() || !self.collects_from_add_ons(applied) {
            return true;
        }
        match attributes {
            Attributes::NonResource(_) => false,
            Attributes::Resource(asked) => {
                let resource = asked.resource.split('/').next().unwrap_or_default();
                !coverage.catalogue.is_built_in(asked.group, resource) && !self.names_type(applied, asked)
            }
        }
    }

    /// Whether the rules in force of a role name a type, with whatever verbs: then the ClusterRole that brings them
    /// into it was loaded.
    fn names_type(&self, applied: &Applied<'_>, asked: &ResourceAttributes<'_>) -> bool {
        let policy = self.policy();
        let (group, resource) = (policy.names.lookup(asked.group), policy.names.lookup(asked.resource));
        self.rules_granted(applied).iter().any(|id| {
            let rule = policy.rules.get(*id);
            rule.api_groups.contains(&group)
                && rule.resources.iter().any(|own| *own == Name::STAR || *own == resource)
        })
    }

    /// Whether a binding grants one of the default roles that add-ons extend.
    pub(crate) fn collects_from_add_ons(&self, applied: &Applied<'_>) -> bool {
        applied.role.is_some_and(|role| {
            let name = self.policy().names.text(role.name);
            role.scope == Scope::Cluster && matches!(name, "admin" | "edit" | "view")
        })
    }

    /// The bindings that apply to somebody in a namespace and grant an unfinished role.
    pub(crate) fn unfinished(
        &self,
        asker: &Asker,
        namespace: &str,
        coverage: InputCoverage<'_>,
    ) -> Vec<Applied<'_>> {
        if coverage.completeness == Completeness::Complete {
            return Vec::new();
        }
        let namespace = self.policy().names.lookup(namespace);
        let here = (namespace != Name::EMPTY).then_some(Scope::Namespace(namespace));
        let mut found: Vec<Applied<'_>> = Vec::new();
        for scope in std::iter::once(Scope::Cluster).chain(here) {
            let bindings =
                asker.principals().iter().flat_map(|principal| self.bindings_of(*principal, scope));
            found.extend(bindings.filter(|applied| Self::is_unfinished(applied, coverage)));
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
}

impl<'c> InputCoverage<'c> {
    /// The texts that could not be read and may grant something to somebody.
    pub fn unread_for(self, user: &UserInfo) -> impl Iterator<Item = &'c Unread> {
        self.unread.iter().filter(move |unread| self.may_concern(&unread.concern, user))
    }

    /// The texts that could not be read and may grant something to anybody at all.
    pub fn unread_for_anybody(self) -> impl Iterator<Item = &'c Unread> {
        self.unread.iter().filter(move |unread| {
            let Concern { users, groups, service_accounts, .. } = &unread.concern;
            [users, groups, service_accounts].into_iter().any(|shown| *shown != Shown::Nobody)
                || self.is_about_roles(&unread.concern)
        })
    }

    fn is_about_roles(self, concern: &Concern) -> bool {
        concern.roles_alone && self.completeness == Completeness::Complete
    }

    fn may_concern(self, concern: &Concern, user: &UserInfo) -> bool {
        let is_among = |shown: &Shown, name: &str| match shown {
            Shown::Nobody => false,
            Shown::Anybody => true,
            // A name with placeholders, on either side, may be any that it could become.
            Shown::These(names) => {
                name.contains("{{") || names.iter().any(|known| known == name || could_become(known, name))
            }
        };
        let by_name = match split_service_account(&user.username) {
            Some((_, name)) => is_among(&concern.service_accounts, name),
            None => !user.username.is_empty() && is_among(&concern.users, &user.username),
        };
        by_name
            || user.groups.iter().any(|group| is_among(&concern.groups, group))
            || self.is_about_roles(concern)
    }

    /// Whether the role that a binding grants may exist in the cluster although no input defines it, or is one of
    /// several.
    pub fn could_exist(self, applied: &Applied<'_>) -> bool {
        if self.removed_roles.contains(&(applied.binding.role_scope(), applied.binding.role_ref.name)) {
            return false;
        }
        applied.is_contested
            || self.completeness == Completeness::Partial
            || (applied.binding.role_ref.kind == crate::model::rbac::RoleKind::Role && !self.has_roles)
    }
}
