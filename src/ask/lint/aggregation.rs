//! Aggregation: selectors that select nothing, and labels that no selector asks for.

use super::{Linter, nearest};
use crate::decide::graph::selects;
use crate::model::diagnostic::{Code, Severity};
use crate::model::rbac::{Operator, Role, Scope};

/// What the labels begin with by which the default roles collect rules.
const PREFIX: &str = "rbac.authorization.k8s.io/aggregate-to-";

impl Linter<'_> {
    fn aggregated(&self) -> impl Iterator<Item = &Role> {
        self.policy.roles.iter().filter(|role| role.aggregation.is_some())
    }

    /// Whether some other ClusterRole takes in the rules of this one.
    pub(super) fn is_taken_in(&self, role: &Role) -> bool {
        self.aggregated()
            .filter(|taker| taker.name != role.name)
            .any(|taker| taker.aggregation.iter().flatten().any(|selector| selects(selector, &role.labels)))
    }

    pub(super) fn aggregation(&mut self) {
        let mut found = Vec::new();
        for role in self.aggregated().filter(|role| !self.is_default_role(role)) {
            let selectors = role.aggregation.iter().flatten();
            let others = || {
                self.policy
                    .roles
                    .iter()
                    .filter(|other| other.scope == Scope::Cluster && other.name != role.name)
            };
            let selects_some =
                selectors.clone().any(|selector| others().any(|other| selects(selector, &other.labels)));
            if selects_some {
                continue;
            }
            // A selector that asks for a label that some role has with another value, or spelled nearly so.
            let near = selectors.flatten().filter(|one| one.operator == Operator::In).find_map(|one| {
                let key = self.text(one.key);
                let keys = others().flat_map(|other| other.labels.iter()).map(|(key, _)| self.text(*key));
                let same = others().find_map(|other| {
                    let value = other.labels.iter().find(|(own, _)| *own == one.key)?.1;
                    Some(format!(
                        "; `{}` has the label `{key}` with the value `{}`",
                        self.text(other.name),
                        self.text(value)
                    ))
                });
                same.or_else(|| nearest(key, keys).map(|near| format!("; some role has the label `{near}`")))
            });
            let effect = if self.is_complete {
                "so it holds no rules"
            } else {
                "so it holds no rules unless the cluster has such roles"
            };
            let message = format!(
                "the aggregationRule of {} selects no ClusterRole in the inputs, {effect}{}",
                self.title_of_role(role),
                near.clone().unwrap_or_default()
            );
            found.push((
                Code::AggregatesNothing,
                self.unless_partial(near.is_some()),
                self.of_role(role, 0),
                message,
                "selectors".to_owned(),
            ));
        }
        for role in &self.policy.roles {
            if self.is_default_role(role) || self.is_taken_in(role) {
                continue;
            }
            for (key, value) in &role.labels {
                let (key, value) = (self.text(*key), self.text(*value));
                let Some(target) = key.strip_prefix(PREFIX) else { continue };
                let known = ["admin", "edit", "view"];
                let hint = if known.contains(&target) {
                    format!("; the value must be the text \"true\", and is \"{value}\"")
                } else {
                    match nearest(target, known.into_iter()) {
                        Some(near) => format!("; did you mean `{PREFIX}{near}`?"),
                        // Another add-on's own aggregated role.
                        None => String::new(),
                    }
                };
                // `aggregate-to-admin: "false"` is how people switch it off.
                let is_slip = !hint.is_empty() && value != "false";
                let message = format!(
                    "no ClusterRole in the inputs selects the label `{key}: \"{value}\"` of {}{hint}",
                    self.title_of_role(role)
                );
                let severity = if is_slip { Severity::Warning } else { Severity::Note };
                let place = self.of_role(role, 0);
                found.push((Code::AggregationLabelUnused, severity, place, message, key.to_owned()));
            }
        }
        for (code, severity, place, message, detail) in found {
            self.add(code, severity, &place, message, &detail);
        }
    }
}
