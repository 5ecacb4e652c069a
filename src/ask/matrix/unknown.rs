//! Unknown access: why it is unknown; listed separately from the rows, never dropped.

use std::rc::Rc;

use crate::decide::cluster::WhoIs;
use crate::decide::graph::{Applied, Principal, RbacGraph};
use crate::identity::{IdentityDoubt, IdentityError, Mapped, PlaceholderValues, Template};
use crate::knowledge::access_policies;
use crate::model::access::{AccessScope, is_documented_pattern, namespace_matches};
use crate::model::names::Name;
use crate::model::policy::SourceForm;
use crate::model::rbac::{Authorizer, Scope};
use crate::model::source::Source;
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_MASTERS, SYSTEM_NODES};

use super::Matrix;
use super::bits::{Dense, Sparse};
use super::holder::Holder;

mod cells;

pub use cells::{UnknownBlock, asked_as};

/// Why some access of a holder is unknown.
#[derive(Clone, Debug)]
pub enum Reason<'g> {
    /// A binding that applies grants a role that is not among the inputs, or one that takes its rules from roles, and
    /// none of those has any.
    MissingRole(Applied<'g>),
    /// A binding that applies grants a role that collects rules from add-ons, and the inputs may lack some.
    Aggregates(Applied<'g>),
    /// A RoleBinding grants types whose scope is not known: if they are cluster-scoped it does not count.
    UnknownScope(Applied<'g>),
    /// The binding applies if the session, or what else the ARN does not tell, is the right one.
    Session(PlaceholderValues, Applied<'g>),
    /// Everything is allowed if the session, or what else the ARN does not tell, is the right one.
    SessionOfMasters(PlaceholderValues),
    /// The Node authorizer decides from live objects.
    Node,
    /// Entries differ only in case, and each login picks one at random.
    RandomMapping,
    /// No identity mapping was loaded.
    NoMappings,
    /// No mapping matches, but this one would if the placeholder in its ARN were filled in so.
    Unfilled(String),
    /// The username or a group has an unfilled placeholder.
    UnfilledName(String),
    /// No mapping matches, but text at this place has unfilled placeholders.
    Unrendered(Source),
    /// Objects that are not applied as they stand may grant these columns once they are.
    SourceForm(&'g SourceForm, Rc<Dense>),
    /// A document at this place could not be read, and RBAC objects may be in it.
    Unread(Source),
    /// An access policy, of which the rules or the scope are not known.
    AccessPolicy(String, Source),
    /// An access policy of namespaces grants requests about Namespace objects, and whether it holds for those that are in
    /// its scope is not documented.
    NamespaceObject(Applied<'g>),
    /// The access policies of the entry at this place are not all in the inputs.
    PoliciesNotRead(Source),
    /// The inputs are partial and hold no Role and no binding.
    NothingRead,
    /// The inputs do not tell who the caller is.
    Identity(IdentityDoubt),
}

/// Some unknown access of a holder.
#[derive(Clone, Debug)]
pub struct Unknown<'g> {
    /// The namespace that it is about; `*` for all and for what has none.
    pub namespace: String,
    /// Why.
    pub reason: Reason<'g>,
}

/// What the inputs leave open of the access policies of a caller, by namespace.
fn access(mapped: &Mapped, found: &mut Vec<Unknown<'_>>) {
    let Some(access) = &mapped.access else { return };
    for association in &access.policies {
        let named = association.policy.as_deref().and_then(access_policies::find);
        let has_rules = named.is_some_and(|policy| !policy.rules.is_empty());
        let mut namespaces: Vec<&str> = Vec::new();
        for scope in &association.scopes {
            match scope {
                AccessScope::Namespaces(patterns) => {
                    namespaces.extend(patterns.iter().map(|pattern| pattern.as_deref().unwrap_or("*")));
                }
                AccessScope::Cluster | AccessScope::Unknown => namespaces.push("*"),
            }
        }
        let is_certain = association.is_certain && association.scopes.len() == 1;
        namespaces.retain(|namespace| !has_rules || !is_certain || !is_documented_pattern(namespace));
        if has_rules && is_certain && association.scopes.contains(&AccessScope::Cluster) {
            continue;
        }
        for namespace in namespaces {
            let reason = Reason::AccessPolicy(association.title().to_owned(), association.source);
            found.push(Unknown { namespace: namespace.to_owned(), reason });
        }
    }
    if !access.has_all_policies {
        found.push(Unknown { namespace: "*".to_owned(), reason: Reason::PoliciesNotRead(access.source) });
    }
}

impl<'c> Matrix<'c> {
    /// What is unknown of a holder, in a fixed order: what lies in the holder, then missing roles by
    /// namespace.
    pub fn unknown(&self, holder: &Holder) -> Vec<Unknown<'c>> {
        let mut found = Vec::new();
        if holder.is_master() {
            return found;
        }
        let everywhere = |reason| Unknown { namespace: "*".to_owned(), reason };
        match holder.who.as_deref().map(|who| &who.is) {
            Some(WhoIs::Error(error)) => match &**error {
                IdentityError::RandomMapping { .. } => found.push(everywhere(Reason::RandomMapping)),
                IdentityError::NoMappings => found.push(everywhere(Reason::NoMappings)),
                IdentityError::Unknown { doubts, .. } => {
                    found.extend(doubts.iter().map(|doubt| everywhere(Reason::Identity(doubt.clone()))));
                }
                IdentityError::NotMapped { unfilled, unrendered, elsewhere, .. } => {
                    found.extend(elsewhere.iter().map(|doubt| everywhere(Reason::Identity(doubt.clone()))));
                    let unfilled = unfilled.iter().map(|mapped| mapped.provenance.arn.clone());
                    found.extend(unfilled.map(|arn| everywhere(Reason::Unfilled(arn))));
                    found.extend(unrendered.map(|source| everywhere(Reason::Unrendered(source))));
                }
                _ => {}
            },
            Some(WhoIs::Mapped(mapped)) => {
                if mapped.is_symbolic() {
                    self.sessions(mapped, &mut found);
                }
                let unfilled = mapped.unfilled().map(|(_, text)| text.to_owned());
                found.extend(unfilled.map(|text| everywhere(Reason::UnfilledName(text))));
                let mut open = Vec::new();
                access(mapped, &mut open);
                for one in open {
                    found.extend(
                        self.where_shown(&one.namespace)
                            .into_iter()
                            .map(|namespace| Unknown { namespace, reason: one.reason.clone() }),
                    );
                }
            }
            _ => {}
        }
        // No object grants anything to a caller that cannot log in.
        let error = holder.who.as_deref().and_then(crate::decide::cluster::Who::error);
        if error.is_none_or(|error| !error.is_refusal()) {
            let coverage = self.cluster.coverage();
            // One of them leaves as much open as all; the statement of the matrix lists them.
            let unread = coverage.unread_for(&holder.user()).next();
            found.extend(unread.map(|unread| everywhere(Reason::Unread(unread.source))));
            found.extend(coverage.nothing_read.then(|| everywhere(Reason::NothingRead)));
        }
        let shown = holder.who.as_deref().and_then(crate::decide::cluster::Who::shown);
        let is_node = shown
            .is_some_and(|user| user.username.starts_with("system:node:") && user.in_group(SYSTEM_NODES));
        if is_node {
            found.push(everywhere(Reason::Node));
        }
        let missing = |scope: Scope, namespace: &str, found: &mut Vec<Unknown<'c>>| {
            for applied in self.bindings(holder, scope) {
                let reasons = [self.unfinished(&applied), self.open_scope(&applied, scope)];
                let namespace = || namespace.to_owned();
                let reasons = reasons.into_iter().flatten();
                found.extend(reasons.map(|reason| Unknown { namespace: namespace(), reason }));
            }
        };
        missing(Scope::Cluster, "*", &mut found);
        for (text, namespace) in self.namespaces_of(holder) {
            missing(Scope::Namespace(namespace), &text, &mut found);
            let policies = self.bindings_in(holder, namespace, &text).into_iter();
            let policies = policies.filter(|applied| self.grants_namespace_objects(applied));
            found.extend(policies.map(|applied| Unknown {
                namespace: text.clone(),
                reason: Reason::NamespaceObject(applied),
            }));
        }
        self.source_forms(holder, &mut found);
        found
    }

    /// The headings under which a namespace or pattern of an access policy is shown: its own, or where single namespaces
    /// are shown those among them that it may match.
    fn where_shown(&self, pattern: &str) -> Vec<String> {
        match &self.namespaces {
            Some(shown) if pattern != "*" => {
                let matches = |name: &&(String, Name)| namespace_matches(pattern, &name.0) != Ternary::No;
                shown.iter().filter(matches).map(|(name, _)| name.clone()).collect()
            }
            _ => vec![pattern.to_owned()],
        }
    }

    /// Whether an access policy has a rule about Namespace objects that are shown.
    fn grants_namespace_objects(&self, applied: &Applied<'_>) -> bool {
        let own = self.universe.own_namespace();
        applied.binding.authorizer() == Authorizer::AccessPolicy
            && !own.is_empty()
            && applied
                .role_number()
                .and_then(|number| self.role(number))
                .is_some_and(|columns| columns.any.shared_with(own).next().is_some())
    }

    /// Whether the role that a binding grants may hold more than the inputs show, in some column.
    fn unfinished(&self, applied: &Applied<'c>) -> Option<Reason<'c>> {
        let (graph, coverage) = (self.cluster.graph(), self.cluster.coverage());
        if applied.role.is_none() {
            let may = coverage.could_exist(applied) && !self.cluster.has_in_source_form(applied);
            return may.then_some(Reason::MissingRole(*applied));
        }
        if !RbacGraph::is_unfinished(applied, coverage) {
            return None;
        }
        if graph.rules_granted(applied).is_empty() {
            return Some(Reason::MissingRole(*applied));
        }
        if !graph.collects_from_add_ons(applied) {
            return Some(Reason::Aggregates(*applied));
        }
        (!self.may_be_added(applied).is_empty()).then_some(Reason::Aggregates(*applied))
    }

    /// The columns on which a default role may have rules that the inputs lack.
    fn may_be_added(&self, applied: &Applied<'_>) -> Rc<Dense> {
        let number = applied.role_number().unwrap_or_default();
        let mut additions = self.additions.borrow_mut();
        let found = additions.entry(number).or_insert_with(|| {
            let (graph, coverage) = (self.cluster.graph(), self.cluster.coverage());
            let mut columns = Dense::default();
            columns.reset(self.universe.columns().len());
            for column in self.universe.of_add_ons().iter() {
                let Some((cell, verb)) = self.universe.column(column) else { continue };
                if graph.may_hold_more(applied, &cell.attributes(verb, "", ""), coverage) {
                    columns.insert(column);
                }
            }
            Rc::new(columns)
        });
        Rc::clone(found)
    }

    /// Whether a RoleBinding grants a type that may be cluster-scoped.
    fn open_scope(&self, applied: &Applied<'c>, scope: Scope) -> Option<Reason<'c>> {
        let open = self.universe.of_open_scope();
        if scope == Scope::Cluster || open.is_empty() {
            return None;
        }
        let columns = applied.role_number().and_then(|number| self.role(number))?;
        let grants = |columns: &Sparse| columns.shared_with(open).next().is_some();
        let named = || columns.named.iter().any(|rule| grants(self.rule(*rule)));
        (grants(&columns.any) || named()).then_some(Reason::UnknownScope(*applied))
    }

    fn sessions(&self, mapped: &crate::identity::Mapped, found: &mut Vec<Unknown<'c>>) {
        let graph = self.cluster.graph();
        let names = &graph.policy().names;
        let symbolic_groups = mapped.groups.iter().any(Template::is_symbolic);
        let is_certain = |group: &str| mapped.groups.iter().any(|own| own.as_literal() == Some(group));
        if symbolic_groups && let Some(values) = mapped.could_be_in_group(SYSTEM_MASTERS) {
            let reason = Reason::SessionOfMasters(values);
            found.push(Unknown { namespace: "*".to_owned(), reason });
        }
        for principal in self.cluster.candidates(mapped) {
            let values = match principal {
                Principal::Username(name) if mapped.username.is_symbolic() => {
                    mapped.could_be_user(names.text(name))
                }
                // A group that is certain is among the rows.
                Principal::Group(name) if symbolic_groups && !is_certain(names.text(name)) => {
                    mapped.could_be_in_group(names.text(name))
                }
                _ => None,
            };
            let Some(values) = values else { continue };
            for scope in graph.scopes_of(principal) {
                let namespace = match scope {
                    Scope::Cluster => "*",
                    Scope::Namespace(namespace) => {
                        if !self.shows(namespace) {
                            continue;
                        }
                        names.text(namespace)
                    }
                };
                for applied in graph.bindings_of(principal, scope) {
                    let reason = Reason::Session(values.clone(), applied);
                    found.push(Unknown { namespace: namespace.to_owned(), reason });
                }
            }
        }
    }

    /// The columns that some unknown access may hold, where it is about.
    pub(crate) fn columns_of(&self, unknown: &Unknown<'_>) -> Dense {
        let Unknown { namespace, reason } = unknown;
        let width = self.universe.columns().len();
        let mut allowed = self.universe.inside_a_namespace();
        if namespace == "*" {
            allowed.fill(width);
        }
        let allowed = &allowed;
        let mut shown = Dense::default();
        if let Reason::Aggregates(applied) = reason
            && self.cluster.graph().collects_from_add_ons(applied)
        {
            shown.intersection_of(&self.may_be_added(applied), allowed);
            return shown;
        }
        if let Reason::SourceForm(_, columns) = reason {
            shown.intersection_of(columns, allowed);
            return shown;
        }
        let allowed =
            if matches!(reason, Reason::UnknownScope(_)) { self.universe.of_open_scope() } else { allowed };
        let allowed = if matches!(reason, Reason::NamespaceObject(_)) {
            self.universe.own_namespace()
        } else {
            allowed
        };
        let role = match reason {
            Reason::Session(_, applied)
            | Reason::UnknownScope(applied)
            | Reason::NamespaceObject(applied) => applied.role_number(),
            Reason::Node => {
                let policy = self.cluster.graph().policy();
                let name = policy.names.lookup("system:node");
                policy.roles.iter().position(|role| role.scope == Scope::Cluster && role.name == name)
            }
            _ => None,
        };
        let Some(columns) = role.and_then(|role| self.role(role)) else { return allowed.clone() };
        let mut one = Dense::default();
        one.reset(width);
        // The role that would apply may hold more than the inputs show.
        if let Reason::Session(_, applied) = reason
            && RbacGraph::is_unfinished(applied, self.cluster.coverage())
        {
            if !self.cluster.graph().collects_from_add_ons(applied) {
                return allowed.clone();
            }
            self.may_be_added(applied).to_sparse().add_to(&mut one);
        }
        columns.any.add_to(&mut one);
        for rule in &columns.named {
            self.rule(*rule).add_to(&mut one);
        }
        shown.intersection_of(&one, allowed);
        shown
    }
}
