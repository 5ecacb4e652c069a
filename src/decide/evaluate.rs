//! Deciding, and deciding without stopping.
//!
//! `RbacGraph::visit` walks user, bindings and rules once, in a fixed order; [`RbacGraph::authorize`] stops it
//! at the first rule that allows, [`RbacGraph::grants`] does not. Neither can fail: RBAC only ever allows, so a
//! role that is missing is reported beside the answer. Follows `VisitRulesFor` and `RBACAuthorizer.Authorize`.

use std::fmt;
use std::ops::ControlFlow;

use crate::decide::graph::{Applied, Granted, Principal, RbacGraph, RoleRule, is_pattern};
use crate::model::attributes::Attributes;
use crate::model::names::Name;
use crate::model::rbac::{Authorizer, RoleKind, RuleId, Scope, Subject};
use crate::model::user::{SYSTEM_MASTERS, UserInfo};

pub(crate) mod matches;
#[cfg(test)]
mod tests;

use matches::Lexicon;
pub use matches::Mismatch;

/// A user looked up in a graph, ready to be asked about many times.
#[derive(Clone, Debug)]
pub struct Asker {
    principals: Vec<Principal>,
    /// The namespace patterns of the access policies of the caller.
    patterns: Vec<Name>,
    /// Whether the user is in `system:masters`, which bypasses RBAC.
    pub is_master: bool,
}

impl Asker {
    /// The username, groups and caller that some input spells.
    pub fn principals(&self) -> &[Principal] {
        &self.principals
    }

    /// The username and the groups. The caller stands last, where access policies name it.
    fn without_caller(&self) -> &[Principal] {
        match self.principals.split_last() {
            Some((Principal::Caller(_), others)) => others,
            _ => &self.principals,
        }
    }
}

/// Where a request is made.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Place<'a> {
    /// The namespace; [`Name::EMPTY`] for none.
    name: Name,
    /// Its text, which need not occur in the inputs.
    text: &'a str,
    /// Whether it is about the Namespace object itself.
    is_of_namespace: bool,
}

impl<'a> Place<'a> {
    fn of(name: Name, attributes: &Attributes<'a>) -> Self {
        let is_of_namespace = matches!(
            attributes,
            Attributes::Resource(asked) if asked.resource == "namespaces" && asked.group.is_empty()
        );
        Self { name, text: attributes.namespace(), is_of_namespace }
    }

    /// Whether it is in the namespaces of a pattern.
    fn is_in(&self, pattern: &str) -> bool {
        !self.text.is_empty() && matches::pattern_matches(pattern, self.text)
    }
}

/// A rule that applies to a user, with the binding and the subject through which it does.
#[derive(Copy, Clone, Debug)]
pub struct Grant<'g> {
    /// The binding, with its role.
    pub applied: Applied<'g>,
    /// The number of the first subject of the binding that the user matches.
    pub subject: usize,
    /// The rule.
    pub rule: RoleRule<'g>,
}

impl Grant<'_> {
    /// The authorizer that allows it.
    pub fn authorizer(&self) -> Authorizer {
        self.applied.binding.authorizer()
    }
}

/// What the authorizers say. RBAC never denies: an authorizer that rbacsim does not know may still allow.
#[derive(Clone, Debug)]
pub enum Decision<'g> {
    /// Allowed, because the user is in `system:masters`.
    Masters,
    /// Allowed by a rule.
    Allow(Grant<'g>),
    /// No rule allows it; the bindings that apply and whose role is missing.
    NoOpinion(Vec<Applied<'g>>),
}

impl Decision<'_> {
    /// Whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        !matches!(self, Self::NoOpinion(_))
    }
}

/// Every rule that allows a request, and what was in the way of knowing more.
#[derive(Clone, Debug, Default)]
pub struct Grants<'g> {
    /// Whether the user is in `system:masters`.
    pub is_master: bool,
    /// The rules that allow it, in the order of the visit.
    pub allowing: Vec<Grant<'g>>,
    /// The rules that apply to the user in this scope and do not allow it, with what differs.
    pub refusing: Vec<(Grant<'g>, Mismatch)>,
    /// The bindings that apply and whose role is missing.
    pub missing: Vec<Applied<'g>>,
}

impl RbacGraph {
    /// Looks a user up. What no input spells can match nothing and is left out.
    pub fn asker(&self, user: &UserInfo) -> Asker {
        let mut asker = self.asker_of(&user.username, user.groups.iter().map(String::as_str));
        if let Some(caller) = &user.caller {
            self.add_caller(&mut asker, caller);
        }
        asker
    }

    /// Adds whom access policies name: the principal that logged in, and the patterns among its namespaces.
    fn add_caller(&self, asker: &mut Asker, canonical_arn: &str) {
        let names = &self.policy().names;
        let caller = Principal::Caller(names.lookup(canonical_arn));
        if !self.is_bound(caller) {
            return;
        }
        asker.principals.push(caller);
        let namespaces = self.scopes_of(caller).map(Scope::namespace);
        asker.patterns.extend(namespaces.filter(|namespace| is_pattern(names.text(*namespace))));
    }

    /// Looks up a user given as username and groups.
    pub fn asker_of<'a>(&self, username: &str, groups: impl Iterator<Item = &'a str>) -> Asker {
        let names = &self.policy().names;
        let mut is_master = false;
        let mut principals = Vec::with_capacity(8);
        let name = names.lookup(username);
        if name != Name::UNKNOWN {
            principals.push(Principal::Username(name));
        }
        for group in groups {
            is_master |= group == SYSTEM_MASTERS;
            let name = names.lookup(group);
            if name != Name::UNKNOWN {
                principals.push(Principal::Group(name));
            }
        }
        Asker { principals, patterns: Vec::new(), is_master }
    }

    /// Walks everything that applies to a user in a namespace ([`Name::EMPTY`]: at cluster scope): bindings of
    /// the cluster first, then those of the namespace; the username's first, then those of each group, then the access
    /// policies of the caller, by patterns of namespaces last. The visitor is given each binding with the rules in force
    /// of its role, `None` where nothing defines the role; it goes through the rules itself, in a loop of its own.
    fn visit<'g, B>(
        &'g self,
        asker: &Asker,
        place: Place<'_>,
        mut visitor: impl FnMut(Granted, Option<&'g [RuleId]>) -> ControlFlow<B>,
    ) -> Option<B> {
        let mut scope = Scope::Cluster;
        let mut principals = &asker.principals[..];
        let mut own = (place.name != Name::EMPTY).then_some(Scope::Namespace(place.name));
        let mut patterns = asker.patterns.iter();
        let names = &self.policy().names;
        loop {
            for principal in principals {
                for granted in self.granted_to(*principal, scope) {
                    let visited = visitor(*granted, self.rules_of_granted(*granted));
                    if let ControlFlow::Break(value) = visited {
                        return Some(value);
                    }
                }
            }
            scope = if let Some(own) = own.take() {
                own
            } else {
                Scope::Namespace(*patterns.find(|pattern| place.is_in(names.text(**pattern)))?)
            };
            // Whether a Namespace object belongs to the scope of its own name is not documented: never certain.
            if place.is_of_namespace {
                principals = asker.without_caller();
            }
        }
    }

    /// Decides a request, stopping at the first rule that allows it.
    pub fn authorize<'g>(&'g self, asker: &Asker, attributes: &Attributes<'_>) -> Decision<'g> {
        if asker.is_master {
            return Decision::Masters;
        }
        let policy = self.policy();
        let request = self.lexicon.request(&policy.names, attributes);
        let mut missing = Vec::new();
        let found = self.visit(asker, Place::of(request.namespace, attributes), |granted, rules| {
            let Some(rules) = rules else {
                missing.extend(self.applied(granted));
                return ControlFlow::Continue(());
            };
            match rules.iter().position(|rule| self.lexicon.allows(policy, *rule, &request)) {
                Some(number) => ControlFlow::Break((granted, number)),
                None => ControlFlow::Continue(()),
            }
        });
        match found.and_then(|(granted, number)| self.grant(asker, granted, number)) {
            Some(grant) => Decision::Allow(grant),
            None => Decision::NoOpinion(in_order(missing)),
        }
    }

    /// Decides a request without stopping: every rule that allows it, every one that applies and does not.
    pub fn grants<'g>(&'g self, asker: &Asker, attributes: &Attributes<'_>) -> Grants<'g> {
        let policy = self.policy();
        let request = self.lexicon.request(&policy.names, attributes);
        let mut grants = Grants { is_master: asker.is_master, ..Grants::default() };
        let mut seen = rustc_hash::FxHashSet::default();
        self.visit(asker, Place::of(request.namespace, attributes), |granted, rules| {
            if rules.is_none() {
                grants.missing.extend(self.applied(granted));
            }
            for (rule, number) in rules.unwrap_or_default().iter().zip(0..) {
                if seen.insert((granted.binding, number))
                    && let Some(grant) = self.grant(asker, granted, number)
                {
                    // The same question as in `authorize`; the answer here says also what differs.
                    if self.lexicon.allows(policy, *rule, &request) {
                        grants.allowing.push(grant);
                    } else {
                        let mismatch = Lexicon::mismatch(&policy.names, &grant.rule.rule, &request);
                        grants.refusing.push((grant, mismatch));
                    }
                }
            }
            ControlFlow::<()>::Continue(())
        });
        grants.missing = in_order(grants.missing);
        grants
    }

    /// Every rule that applies to a user in a namespace, whatever it allows.
    pub fn rules_for<'g>(&'g self, asker: &Asker, namespace: &str) -> (Vec<Grant<'g>>, Vec<Applied<'g>>) {
        let (mut rules, mut missing) = (Vec::new(), Vec::new());
        let mut seen = rustc_hash::FxHashSet::default();
        let name = self.policy().names.lookup(namespace);
        let place = Place { name, text: namespace, is_of_namespace: false };
        self.visit(asker, place, |granted, in_force| {
            if in_force.is_none() {
                missing.extend(self.applied(granted));
            }
            for number in 0..in_force.unwrap_or_default().len() {
                if seen.insert((granted.binding, number)) {
                    rules.extend(self.grant(asker, granted, number));
                }
            }
            ControlFlow::<()>::Continue(())
        });
        (rules, in_order(missing))
    }

    fn grant(&self, asker: &Asker, granted: Granted, number: usize) -> Option<Grant<'_>> {
        let applied = self.applied(granted)?;
        let rule = self.granted_rule(&applied, number)?;
        Some(Grant { applied, subject: self.first_subject(asker, &applied), rule })
    }

    /// The first subject of a binding that a user matches: the one that upstream's reason names.
    pub(crate) fn first_subject(&self, asker: &Asker, applied: &Applied<'_>) -> usize {
        // Text against text, whatever kind the user really is: a service account is compared as its username.
        let subjects = self.principals_of(applied.binding);
        subjects.iter().position(|subject| asker.principals.contains(subject)).unwrap_or(0)
    }

    /// The reason of a decision in the API server's own words.
    pub fn reason(&self, decision: &Decision<'_>) -> String {
        match decision {
            Decision::Masters => String::new(),
            Decision::Allow(grant) => self.allow_reason(grant).to_string(),
            Decision::NoOpinion(missing) => {
                let mut messages: Vec<String> = Vec::new();
                // Of a contested binding the API server knows the role.
                for applied in missing.iter().filter(|applied| !applied.is_contested) {
                    let message = self.not_found(applied);
                    if !messages.contains(&message) {
                        messages.push(message);
                    }
                }
                match messages.as_slice() {
                    [] => String::new(),
                    [one] => format!("RBAC: {one}"),
                    several => format!("RBAC: [{}]", several.join(", ")),
                }
            }
        }
    }

    /// What upstream says of a role that a binding names and nothing defines.
    pub fn not_found(&self, applied: &Applied<'_>) -> String {
        let kind = match applied.binding.role_ref.kind {
            RoleKind::Role => "role",
            RoleKind::ClusterRole => "clusterrole",
            // Not RBAC's to say, and never shown as its words.
            RoleKind::AccessPolicy => "accesspolicy",
        };
        format!(
            "{kind}.rbac.authorization.k8s.io \"{}\" not found",
            self.policy().names.text(applied.binding.role_ref.name)
        )
    }

    /// The reason of an allow in the API server's own words.
    pub fn allow_reason<'a>(&'a self, grant: &'a Grant<'a>) -> impl fmt::Display + 'a {
        AllowReason { graph: self, grant }
    }
}

fn in_order(mut bindings: Vec<Applied<'_>>) -> Vec<Applied<'_>> {
    bindings.sort_by_key(Applied::order);
    bindings.dedup_by_key(|applied| applied.order());
    bindings
}

struct AllowReason<'a> {
    graph: &'a RbacGraph,
    grant: &'a Grant<'a>,
}

impl fmt::Display for AllowReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = self.graph.policy();
        let names = &policy.names;
        let binding = self.grant.applied.binding;
        if self.grant.authorizer() == Authorizer::AccessPolicy {
            // As the audit log of EKS has it, without the unique id of the caller, which no input holds.
            let kind = if binding.scope == Scope::Cluster { "ClusterRoleBinding" } else { "RoleBinding" };
            return write!(
                f,
                "EKS Access Policy: allowed by {kind} \"{}\" of ClusterRole \"{}\"",
                names.text(binding.name),
                names.text(binding.role_ref.name)
            );
        }
        write!(f, "RBAC: allowed by {} \"{}", binding.kind(), names.text(binding.name))?;
        if let Scope::Namespace(namespace) = binding.scope {
            write!(f, "/{}", names.text(namespace))?;
        }
        write!(f, "\" of {} \"{}\" to ", binding.role_ref.kind.as_str(), names.text(binding.role_ref.name))?;
        match policy.subjects_of(binding).get(self.grant.subject).map(|placed| placed.subject) {
            Some(Subject::User(name)) => write!(f, "User \"{}\"", names.text(name)),
            Some(Subject::Group(name)) => write!(f, "Group \"{}\"", names.text(name)),
            Some(Subject::Caller(arn)) => write!(f, "IAM principal \"{}\"", names.text(arn)),
            Some(Subject::ServiceAccount { namespace, name }) => {
                write!(f, "ServiceAccount \"{}/{}\"", names.text(name), names.text(namespace))
            }
            None => Ok(()),
        }
    }
}
