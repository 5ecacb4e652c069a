//! The columns that objects in source form may grant a holder once they are applied.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Matrix;
use super::bits::Dense;
use super::holder::{Holder, HolderKind};
use super::unknown::{Reason, Unknown};
use crate::decide::graph::{Applied, Principal, RbacGraph};
use crate::model::policy::SourceForm;
use crate::model::rbac::Scope;

impl<'c> Matrix<'c> {
    /// Adds what bindings and roles in source form may grant, by namespace.
    pub(super) fn source_forms(&self, holder: &Holder, found: &mut Vec<Unknown<'c>>) {
        let Some(possible) = self.cluster.possible() else { return };
        let graph = possible.graph();
        let policy = graph.policy();
        // The numbers of names may differ in the two graphs, their texts do not.
        let own = &self.cluster.graph().policy().names;
        let mut principals: Vec<Principal> = holder
            .principals()
            .iter()
            .map(|principal| match principal {
                Principal::Username(name) => Principal::Username(policy.names.lookup(own.text(*name))),
                Principal::Group(name) => Principal::Group(policy.names.lookup(own.text(*name))),
                Principal::Caller(name) => Principal::Caller(policy.names.lookup(own.text(*name))),
            })
            .collect();
        if holder.kind == HolderKind::Group {
            principals.push(Principal::Group(policy.names.lookup(&holder.identity)));
        } else {
            principals.push(Principal::Username(policy.names.lookup(&holder.username)));
        }
        principals.sort_unstable();
        principals.dedup();
        let may_hold_more = |applied: &Applied<'_>| {
            RbacGraph::is_unfinished(applied, possible.coverage())
                && (graph.rules_granted(applied).is_empty() || !graph.collects_from_add_ons(applied))
        };
        let width = self.universe.columns().len();
        let mut by_place: BTreeMap<(String, u32), (&'c SourceForm, Dense)> = BTreeMap::new();
        for principal in &principals {
            for scope in graph.scopes_of(*principal) {
                let namespace = match scope {
                    Scope::Cluster => "*",
                    Scope::Namespace(namespace) => policy.names.text(namespace),
                };
                if scope != Scope::Cluster
                    && let Some(shown) = &self.namespaces
                    && !shown.iter().any(|(shown, _)| shown == namespace)
                {
                    continue;
                }
                for applied in graph.bindings_of(*principal, scope) {
                    let open = policy.form_of(applied.binding.source);
                    let mut columns = Dense::default();
                    columns.reset(width);
                    let of_role = applied.role.and_then(|role| policy.form_of(role.source));
                    let mut form = open.or(of_role.filter(|_| may_hold_more(&applied)));
                    if form.is_some() && (applied.role.is_none() || may_hold_more(&applied)) {
                        columns.fill(width);
                    }
                    for (rule, number) in graph.rules_granted(&applied).iter().zip(0..) {
                        let owner = graph.granted_rule(&applied, number).map(|rule| rule.owner.source);
                        let role = applied.role.map(|role| role.source);
                        let why = open.or_else(|| {
                            owner.into_iter().chain(role).find_map(|source| policy.form_of(source))
                        });
                        if let Some(why) = why {
                            self.rule(*rule).add_to(&mut columns);
                            form = form.or(Some(why));
                        }
                    }
                    let Some(form) = form else { continue };
                    let place = (namespace.to_owned(), applied.order());
                    by_place.insert(place, (form, columns));
                }
            }
        }
        found.extend(by_place.into_iter().map(|((namespace, _), (form, columns))| Unknown {
            namespace,
            reason: Reason::SourceForm(form, Rc::new(columns)),
        }));
    }
}
