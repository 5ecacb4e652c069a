//! Everything that was loaded, ready to be asked: the graph, the identity mappings and the catalogue together.

use std::sync::OnceLock;

use crate::decide::answer::{Answer, Doubt, InputCoverage, NearMiss};
use crate::decide::evaluate::Asker;
use crate::decide::graph::RbacGraph;
use crate::identity::iam::IamData;
use crate::identity::pod_roles::PodRoles;
use crate::identity::{IamIdentity, IdentityError, IdentityMappings, Mapped, Sessions, Template};
use crate::knowledge::catalogue::Catalogue;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::names::Name;
use crate::model::rbac::{Authorizer, Scope, Subject};
use crate::model::source::Sources;
use crate::model::ternary::Ternary;
use crate::model::user::UserInfo;
use crate::model::version::{KubernetesVersion, Platform};
use crate::read::{Change, Completeness, Ignore, Loaded, Summary, VersionFrom};

mod access;
mod aggregated;
pub mod anonymous;
mod possible;
mod uncertain;
pub mod versions;

use uncertain::{ByPrefix, MentionedTypes};

/// A cluster, as far as the inputs show it.
#[derive(Clone, Debug)]
pub struct Cluster {
    graph: RbacGraph,
    identities: IdentityMappings,
    iam: IamData,
    pod_roles: PodRoles,
    catalogue: Catalogue,
    diagnostics: Vec<Diagnostic>,
    summary: Summary,
    completeness: Completeness,
    version: KubernetesVersion,
    version_from: VersionFrom,
    platform: Platform,
    changes: Vec<Change>,
    ignores: Vec<Ignore>,
    nothing_read: bool,
    /// The same with all that objects in source form may be.
    possible: Option<Box<Cluster>>,
    by_prefix: OnceLock<ByPrefix>,
    mentioned_types: OnceLock<MentionedTypes>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Who {
    /// The ARN, where one was given.
    pub identity: Option<IamIdentity>,
    /// What became of it.
    pub is: WhoIs,
}

/// The Kubernetes user that asks, as far as it is known.
#[derive(Clone, Debug)]
pub enum WhoIs {
    /// A user that was given as such.
    User(UserInfo),
    /// The user that an identity mapping makes of an ARN.
    Mapped(Box<Mapped>),
    /// No user: the ARN cannot log in, or whether it can is unknown.
    Error(Box<IdentityError>),
}

impl Who {
    /// A Kubernetes user.
    pub fn user(user: UserInfo) -> Self {
        Self { identity: None, is: WhoIs::User(user) }
    }

    /// The user as far as it is certain: what stayed symbolic in an identity mapping is left out, for no
    /// binding may match a placeholder. `None` if there is no user.
    pub fn certain(&self) -> Option<UserInfo> {
        match &self.is {
            WhoIs::User(user) => Some(user.clone()),
            WhoIs::Mapped(mapped) => Some(certain(mapped)),
            WhoIs::Error(_) => None,
        }
    }

    /// The user as people read it, placeholders as written. `None` if there is no user.
    pub fn shown(&self) -> Option<UserInfo> {
        match &self.is {
            WhoIs::User(user) => Some(user.clone()),
            WhoIs::Mapped(mapped) => Some(mapped.user_info()),
            WhoIs::Error(_) => None,
        }
    }

    /// Whether no input tells the username or the groups, although there is a user.
    pub fn is_untold(&self) -> bool {
        match &self.is {
            WhoIs::Mapped(mapped) => {
                mapped.username.is_not_told() || mapped.groups.iter().any(Template::is_not_told)
            }
            _ => false,
        }
    }

    /// Whether the identity mapping makes a user whose name is empty.
    pub fn has_no_username(&self) -> bool {
        matches!(&self.is, WhoIs::Mapped(mapped) if mapped.username.as_literal() == Some(""))
    }

    /// Whether only some sessions of the role that asks can log in: those that are named after an EC2 instance.
    pub fn only_instances(&self) -> bool {
        matches!(&self.is, WhoIs::Mapped(mapped) if mapped.sessions == Sessions::InstanceId)
    }

    /// Why there is no user.
    pub fn error(&self) -> Option<&IdentityError> {
        match &self.is {
            WhoIs::Error(error) => Some(error),
            _ => None,
        }
    }
}

/// Access policies apply to whoever logged in through an access entry, and to nobody else of that name or group.
fn certain(mapped: &Mapped) -> UserInfo {
    let user = UserInfo::authenticated(
        mapped.username.as_literal().unwrap_or(""),
        mapped.groups.iter().filter_map(|group| group.as_literal()),
    );
    match &mapped.access {
        Some(access) => user.logged_in_as(&access.principal),
        None => user,
    }
}

/// Rules that aggregated ClusterRoles have of their own and that the controller would replace.
fn replaced_rules(graph: &RbacGraph) -> Vec<Diagnostic> {
    let policy = graph.policy();
    let mut diagnostics = Vec::new();
    for role in policy.roles.iter().filter(|role| role.aggregation.is_some() && !role.rules.is_empty()) {
        let in_force: Vec<_> = graph.rules_in_force(role).map(|rule| rule.placed.rule).collect();
        let lost = policy.rules_of(role).iter().filter(|own| !in_force.contains(&own.rule)).count();
        if lost > 0 {
            let name = policy.names.text(role.name);
            diagnostics.push(Diagnostic::at(
                Code::AggregatedRulesReplaced,
                role.source,
                format!(
                    "ClusterRole `{name}` has an aggregationRule, so the controller replaces its own rules; \
                     {lost} of them come from no selected role and grant nothing"
                ),
            ));
        }
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.source);
    diagnostics
}

impl From<Loaded> for Cluster {
    fn from(mut loaded: Loaded) -> Self {
        let possible = loaded.possible.take().map(|policy| {
            let own = std::mem::take(&mut loaded.policy);
            let mut there = loaded.clone();
            there.policy = policy;
            loaded.policy = own;
            Box::new(Self::from(there))
        });
        let Loaded {
            policy,
            possible: _,
            identities,
            iam,
            pod_roles,
            catalogue,
            mut diagnostics,
            summary,
            completeness,
            version,
            version_from,
            platform,
            changes,
            ignores,
        } = loaded;
        let is_own = |source| !policy.is_builtin(source);
        let nothing_read = completeness == Completeness::Partial
            && possible.is_none()
            && !policy
                .bindings
                .iter()
                .any(|binding| binding.authorizer() == Authorizer::Rbac && is_own(binding.source))
            && !policy.roles.iter().any(|role| is_own(role.source));
        let graph = RbacGraph::build(policy);
        diagnostics.extend(replaced_rules(&graph));
        Self {
            graph,
            identities,
            iam,
            pod_roles,
            catalogue,
            diagnostics,
            summary,
            completeness,
            version,
            version_from,
            platform,
            changes,
            ignores,
            nothing_read,
            possible,
            by_prefix: OnceLock::new(),
            mentioned_types: OnceLock::new(),
        }
    }
}

impl Cluster {
    /// The RBAC graph.
    pub fn graph(&self) -> &RbacGraph {
        &self.graph
    }

    /// The identity mappings.
    pub fn identities(&self) -> &IdentityMappings {
        &self.identities
    }

    /// What exports of IAM say.
    pub fn iam(&self) -> &IamData {
        &self.iam
    }

    /// The service accounts whose pods are IAM roles.
    pub fn pod_roles(&self) -> &PodRoles {
        &self.pod_roles
    }

    /// The API resources.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What was wrong or odd in the inputs.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What was read, in numbers.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The input files.
    pub fn sources(&self) -> &Sources {
        &self.graph.policy().sources
    }

    /// Whether what is missing may exist.
    pub fn completeness(&self) -> Completeness {
        self.completeness
    }

    /// The Kubernetes version that answers are for.
    pub fn version(&self) -> KubernetesVersion {
        self.version
    }

    /// Where that version comes from.
    pub fn version_from(&self) -> VersionFrom {
        self.version_from
    }

    /// Whose cluster it is, as far as the inputs show.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// What was changed in the inputs before anything is asked: the answers are for them as changed.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The findings that annotations of objects ask to be ignored.
    pub fn ignores(&self) -> &[Ignore] {
        &self.ignores
    }

    /// Every namespace that the inputs know, by name: declared, or the home of a role, binding or service account.
    pub fn namespaces(&self) -> Vec<&str> {
        let policy = self.possible_graph().policy();
        let rbac = policy.bindings.iter().filter(|binding| binding.authorizer() == Authorizer::Rbac);
        let homes = policy.roles.iter().map(|role| role.scope);
        let homes = homes.chain(rbac.map(|binding| binding.scope));
        let named = policy.bindings.iter().flat_map(|binding| policy.subjects_of(binding));
        let named = named.filter_map(|placed| match placed.subject {
            Subject::ServiceAccount { namespace, .. } => Some(namespace),
            _ => None,
        });
        // The namespaces of access policies are patterns, or may not exist.
        let mut names: Vec<Name> = homes.map(Scope::namespace).chain(named).collect();
        names.extend(policy.namespaces.iter().map(|(name, _)| *name));
        names.extend(policy.service_accounts.iter().map(|(namespace, ..)| *namespace));
        names.retain(|name| *name != Name::EMPTY);
        names.sort_unstable();
        names.dedup();
        let mut texts: Vec<&str> = names.into_iter().map(|name| policy.names.text(name)).collect();
        texts.sort_unstable();
        texts
    }

    /// Whether the inputs have a service account, or a binding that names it.
    pub fn knows_service_account(&self, namespace: &str, name: &str) -> bool {
        let policy = self.graph.policy();
        let (namespace, name) = (policy.names.lookup(namespace), policy.names.lookup(name));
        let subject = Subject::ServiceAccount { namespace, name };
        policy.service_accounts.iter().any(|account| (account.0, account.1) == (namespace, name))
            || policy
                .bindings
                .iter()
                .flat_map(|binding| policy.subjects_of(binding))
                .any(|placed| placed.subject == subject)
    }

    /// How much of the cluster the inputs cover.
    pub fn coverage(&self) -> InputCoverage<'_> {
        InputCoverage {
            completeness: self.completeness,
            has_roles: self.summary.has_roles,
            unread: &self.summary.unread,
            nothing_read: self.nothing_read,
            catalogue: &self.catalogue,
            removed_roles: &self.graph.policy().removed_roles,
        }
    }

    /// Who an ARN is.
    pub fn identify(&self, arn: &str, session_name: Option<&str>) -> Who {
        match IamIdentity::from_arn(arn, session_name) {
            Err(error) => Who { identity: None, is: WhoIs::Error(Box::new(error.into())) },
            Ok(identity) => {
                let is = match self.identities.user_info(&identity) {
                    Ok(mapped) => WhoIs::Mapped(Box::new(mapped)),
                    Err(error) => WhoIs::Error(Box::new(error)),
                };
                Who { identity: Some(identity), is }
            }
        }
    }

    /// Answers for somebody about a type that may not be known: what rules say of what it may really be makes a
    /// "no" unknown, because a CRD outside the inputs may define it so.
    pub fn answer_for_type<'g>(&'g self, who: &Who, attributes: &Attributes<'_>) -> Answer<'g> {
        let mut answer = self.answer(who, attributes);
        let Attributes::Resource(asked) = attributes else { return answer };
        if answer.ternary == Ternary::Yes && self.scope_decides(who, asked) {
            answer.ternary = Ternary::Unknown;
            let grants = std::mem::take(&mut answer.grants);
            answer.doubts.extend(grants.into_iter().next().map(Doubt::UnknownScope));
            return answer;
        }
        if answer.ternary != Ternary::No || who.error().is_some() {
            return answer;
        }
        for (group, resource) in self.possible_types(asked.group, asked.resource) {
            let there = self.answer(who, &Attributes::Resource(self.as_type(asked, group, &resource)));
            if there.ternary != Ternary::No {
                answer.ternary = Ternary::Unknown;
                let name = format!("{resource}.{group}");
                answer.doubts.push(Doubt::OtherType(name, there.grants.first().copied()));
            }
        }
        answer
    }

    /// Answers for somebody, with every reason.
    pub fn answer<'g>(&'g self, who: &Who, attributes: &Attributes<'_>) -> Answer<'g> {
        let own = self.certain_answer(who, attributes);
        match self.possible() {
            Some(possible) if own.ternary != Ternary::Yes => {
                self.weigh(own, &possible.certain_answer(who, attributes))
            }
            _ => own,
        }
    }

    /// The answer of what is certain alone.
    fn certain_answer<'g>(&'g self, who: &Who, attributes: &Attributes<'_>) -> Answer<'g> {
        match &who.is {
            WhoIs::User(user) if self.refuses_as_anonymous(user, attributes) => {
                Answer { near: vec![NearMiss::ClosedToAnonymous], ..Answer::no() }
            }
            WhoIs::User(user) => self.graph.answer(user, attributes, self.coverage()),
            WhoIs::Error(error) => self.answer_without_user(who, error, attributes),
            WhoIs::Mapped(mapped) => {
                if let Some(group) = self.refused_by_aggregated(who, attributes) {
                    return aggregated::refused(group);
                }
                let shown = mapped.user_info();
                let mut answer = self.graph.answer_as(&certain(mapped), &shown, attributes, self.coverage());
                if answer.ternary != Ternary::Yes {
                    answer.doubts.extend(self.access_doubts(mapped, attributes));
                    if !answer.doubts.is_empty() {
                        answer.ternary = Ternary::Unknown;
                    }
                }
                if answer.ternary == Ternary::No {
                    answer.doubts.extend(self.unfilled_names(mapped, attributes));
                    if !answer.doubts.is_empty() {
                        answer.ternary = Ternary::Unknown;
                    }
                }
                if answer.ternary != Ternary::Yes && mapped.is_symbolic() {
                    answer.doubts.extend(self.session_doubts(who, mapped, attributes));
                    if !answer.doubts.is_empty() {
                        answer.ternary = Ternary::Unknown;
                    }
                }
                answer
            }
        }
    }

    /// Whether somebody is certainly allowed a request, whatever the scope of its type.
    pub(crate) fn is_allowed(&self, asker: &Asker, attributes: &Attributes<'_>) -> bool {
        if !self.graph.authorize(asker, attributes).is_allowed() {
            return false;
        }
        match attributes {
            Attributes::Resource(asked) if self.scope_is_open(asked) => {
                let outside = Attributes::Resource(ResourceAttributes { namespace: "", ..*asked });
                self.graph.authorize(asker, &outside).is_allowed()
            }
            _ => true,
        }
    }

    /// A request as one for another type: of a cluster-scoped one it carries no namespace.
    pub(crate) fn as_type<'a>(
        &self,
        asked: &ResourceAttributes<'a>,
        group: &'a str,
        resource: &'a str,
    ) -> ResourceAttributes<'a> {
        let in_cluster = self.catalogue.is_namespaced(group, resource) == Some(false);
        let namespace = if in_cluster { "" } else { asked.namespace };
        ResourceAttributes { group, resource, namespace, ..*asked }
    }

    /// Whether nothing tells the scope of a type, and the request carries a namespace: if the type is cluster-scoped,
    /// the request would carry none. Of inputs that are complete a CRD would be there: requests are taken as they are. The
    /// types of a group that Kubernetes serves are all known.
    pub(crate) fn scope_is_open(&self, asked: &ResourceAttributes<'_>) -> bool {
        let resource = asked.resource.split('/').next().unwrap_or_default();
        self.completeness == Completeness::Partial
            && !asked.namespace.is_empty()
            && resource != "*"
            && !self.catalogue.is_served(asked.group)
            && self.catalogue.is_namespaced(asked.group, resource).is_none()
    }

    /// Whether what is allowed in the namespace of a request would not be if the type were cluster-scoped.
    fn scope_decides(&self, who: &Who, asked: &ResourceAttributes<'_>) -> bool {
        let outside = ResourceAttributes { namespace: "", ..*asked };
        self.scope_is_open(asked) && self.ternary(who, &Attributes::Resource(outside)) != Ternary::Yes
    }

    /// Yes, no or unknown without the reasons; what [`Cluster::answer_for_type`] says.
    pub fn ternary_for_type(&self, who: &Who, attributes: &Attributes<'_>) -> Ternary {
        let ternary = self.ternary(who, attributes);
        let Attributes::Resource(asked) = attributes else { return ternary };
        if ternary == Ternary::Yes && self.scope_decides(who, asked) {
            return Ternary::Unknown;
        }
        if ternary != Ternary::No || who.error().is_some() {
            return ternary;
        }
        let is_refused = |(group, resource): &(&str, String)| {
            self.ternary(who, &Attributes::Resource(self.as_type(asked, group, resource))) == Ternary::No
        };
        if self.possible_types(asked.group, asked.resource).iter().all(is_refused) {
            ternary
        } else {
            Ternary::Unknown
        }
    }

    /// Yes, no or unknown without the reasons; what [`Cluster::answer`] says.
    ///
    /// What comes nearest to a "no" is looked for in every namespace in which somebody is bound: asked in each of
    /// thousands, that would be millions of looks.
    pub fn ternary(&self, who: &Who, attributes: &Attributes<'_>) -> Ternary {
        let own = self.certain_ternary(who, attributes);
        match self.possible() {
            Some(possible) if own != Ternary::Yes => {
                possible.certain_ternary(who, attributes).min(Ternary::Unknown)
            }
            _ => own,
        }
    }

    fn certain_ternary(&self, who: &Who, attributes: &Attributes<'_>) -> Ternary {
        match &who.is {
            WhoIs::User(user) if self.refuses_as_anonymous(user, attributes) => Ternary::No,
            WhoIs::User(user) => self.ternary_of(user, user, attributes),
            WhoIs::Mapped(mapped) => {
                if self.refused_by_aggregated(who, attributes).is_some() {
                    return Ternary::No;
                }
                let ternary = self.ternary_of(&certain(mapped), &mapped.user_info(), attributes);
                if ternary != Ternary::No {
                    return ternary;
                }
                let doubt = !self.access_doubts(mapped, attributes).is_empty()
                    || !self.unfilled_names(mapped, attributes).is_empty()
                    || (mapped.is_symbolic() && !self.session_doubts(who, mapped, attributes).is_empty());
                if doubt { Ternary::Unknown } else { ternary }
            }
            WhoIs::Error(error) => self.ternary_without_user(who, error, attributes),
        }
    }

    /// The answer of the graph for a user that is only partly known.
    fn ternary_of(&self, certain: &UserInfo, shown: &UserInfo, attributes: &Attributes<'_>) -> Ternary {
        self.graph.ternary(shown, &self.graph.asker(certain), attributes, self.coverage())
    }

    /// What [`Cluster::answer_without_user`] says, without the reasons.
    fn ternary_without_user(&self, who: &Who, error: &IdentityError, attributes: &Attributes<'_>) -> Ternary {
        let of = |mapped: &Mapped| {
            let is = WhoIs::Mapped(Box::new(mapped.clone()));
            self.ternary(&Who { identity: who.identity.clone(), is }, attributes)
        };
        match error {
            IdentityError::RandomMapping { candidates } => {
                let answers: Vec<Ternary> = candidates
                    .iter()
                    .map(|candidate| match candidate {
                        Ok(mapped) => of(mapped),
                        Err(error) => self.ternary_without_user(who, error, attributes),
                    })
                    .collect();
                let likeliest = answers.iter().copied().max().unwrap_or(Ternary::No);
                if Ternary::whichever(answers) == likeliest { likeliest } else { Ternary::Unknown }
            }
            IdentityError::NotMapped { unfilled, unrendered, elsewhere, .. } => {
                let is_open = !elsewhere.is_empty() || unrendered.is_some();
                let may = is_open || unfilled.iter().any(|mapped| of(mapped) != Ternary::No);
                if may { Ternary::Unknown } else { Ternary::No }
            }
            IdentityError::Unknown { .. } => self.answer_without_user(who, error, attributes).ternary,
            _ if error.is_refusal() => Ternary::No,
            _ => Ternary::Unknown,
        }
    }

    fn answer_without_user<'g>(
        &'g self,
        who: &Who,
        error: &IdentityError,
        attributes: &Attributes<'_>,
    ) -> Answer<'g> {
        if let IdentityError::RandomMapping { candidates } = error {
            let mut answers = Vec::new();
            for candidate in candidates {
                let is = match candidate {
                    Ok(mapped) => WhoIs::Mapped(Box::new(mapped.clone())),
                    Err(error) => WhoIs::Error(Box::new(error.clone())),
                };
                answers.push(self.answer(&Who { identity: who.identity.clone(), is }, attributes));
            }
            let ternary = Ternary::whichever(answers.iter().map(|answer| answer.ternary));
            let mut answer =
                answers.into_iter().max_by_key(|answer| answer.ternary).unwrap_or_else(Answer::no);
            if ternary != answer.ternary {
                answer.ternary = Ternary::Unknown;
                let grants = std::mem::take(&mut answer.grants);
                answer.doubts.push(Doubt::RandomMapping(grants.into_iter().next()));
            }
            return answer;
        }
        if let IdentityError::Unknown { doubts, could_be, is_exhaustive } = error {
            return self.answer_for_anybody(who, doubts, could_be, *is_exhaustive, attributes);
        }
        let mut answer = Answer::no();
        if let IdentityError::NotMapped { unfilled, unrendered, elsewhere, .. } = error {
            if !elsewhere.is_empty() {
                answer.ternary = Ternary::Unknown;
                answer.doubts.extend(elsewhere.iter().cloned().map(|doubt| Doubt::Identity(doubt, None)));
            }
            if let Some(source) = unrendered {
                answer.ternary = Ternary::Unknown;
                answer.doubts.push(Doubt::Unrendered(*source));
            }
            for mapped in unfilled {
                let is = WhoIs::Mapped(Box::new(mapped.clone()));
                let then = self.answer(&Who { identity: who.identity.clone(), is }, attributes);
                if then.ternary != Ternary::No {
                    answer.ternary = Ternary::Unknown;
                    let grant = then.grants.first().copied();
                    answer.doubts.push(Doubt::Unfilled(Box::new(mapped.provenance.clone()), grant));
                }
            }
            return answer;
        }
        if !error.is_refusal() {
            answer.ternary = Ternary::Unknown;
            answer.doubts.push(Doubt::NoIdentity);
        }
        answer
    }
}
