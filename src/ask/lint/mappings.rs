//! What is odd or dangerous in whom the identity mappings make of callers.

use super::{Linter, Place, did_you_mean, nearest, quoted};
use crate::ask::matrix::holder;
use crate::decide::cluster::WhoIs;
use crate::decide::graph::Principal;
use crate::identity::{AwsAuth, MappingKind, Provenance, is_template};
use crate::model::diagnostic::{Code, Severity};
use crate::model::finding::About;
use crate::model::rbac::Subject;
use crate::model::source::Source;
use crate::model::user::{SYSTEM_MASTERS, SYSTEM_NODES};

const BOOTSTRAPPERS: &str = "system:bootstrappers";
const WINDOWS: &str = "eks:kube-proxy-windows";

impl<'c> Linter<'c> {
    /// The entries of the mappings: those of `aws-auth` as written, for a placeholder in an ARN is filled in later.
    pub(super) fn entries(&self) -> Vec<Provenance> {
        let maps = self.cluster.identities().aws_auth();
        let mut found: Vec<Provenance> = maps.into_iter().flat_map(AwsAuth::written).collect();
        for holder in holder::mapped(self.cluster) {
            if let Some(WhoIs::Mapped(mapped)) = holder.who.map(|who| who.is)
                && !found.contains(&mapped.provenance)
            {
                found.push(mapped.provenance);
            }
        }
        found
    }

    fn of_mapping(&self, source: Source) -> Place {
        let about = About {
            kind: "ConfigMap".to_owned(),
            namespace: "kube-system".to_owned(),
            name: "aws-auth".to_owned(),
        };
        let map = self.cluster.identities().aws_auth().map(AwsAuth::source);
        Place { about: Some(about), source, within: map.filter(|map| map.file == source.file) }
    }

    pub(super) fn mappings(&mut self) {
        let bound = self.bound_groups();
        let mut nodes = false;
        for one in &self.entries() {
            let arn = one.arn.clone();
            // What is odd in access entries is told where they are joined.
            if matches!(one.kind, MappingKind::AccessEntry | MappingKind::ClusterCreator) {
                nodes |= one.username.text.starts_with("system:node:");
                continue;
            }
            for written in &one.groups {
                let group = written.text.as_str();
                let place = self.of_mapping(written.source);
                if group == SYSTEM_MASTERS {
                    let message = format!(
                        "`{arn}` is mapped to group `{SYSTEM_MASTERS}`, which bypasses RBAC: everything is allowed, and no binding can take it away"
                    );
                    self.add(Code::MappedToMasters, Severity::Warning, &place, message, &arn);
                    continue;
                }
                let is_own = group.starts_with("system:")
                    || group.starts_with("eks:")
                    || group.contains("{{")
                    || is_template(group);
                if is_own || group.is_empty() || self.is_bound(group) {
                    continue;
                }
                let near = nearest(group, bound.iter().copied());
                let message = format!(
                    "`{arn}` is mapped to group `{group}`, which no binding in the inputs names{}",
                    did_you_mean(near)
                );
                let severity = self.unless_partial(near.is_some());
                self.add(Code::GroupNeverBound, severity, &place, message, &format!("{arn} {group}"));
            }
            nodes |= self.node(one);
        }
        let Some(map) = self.cluster.identities().aws_auth() else { return };
        if !nodes && !map.is_empty() {
            let place = self.of_mapping(map.source());
            let message = "no entry of `aws-auth` is for nodes (`system:node:{{EC2PrivateDNSName}}`); unless nodes have access entries, they cannot join".to_owned();
            self.add(Code::NoNodeMapping, Severity::Note, &place, message, "nodes");
        }
    }

    /// Looks at a mapping for nodes; whether it is one.
    fn node(&mut self, one: &Provenance) -> bool {
        let is_node = one.username.text.starts_with("system:node:");
        let has = |group: &str| one.groups.iter().any(|own| own.text == group);
        if !is_node && !has(SYSTEM_NODES) {
            return false;
        }
        let arn = &one.arn;
        let place = self.of_mapping(one.source);
        let missing: Vec<&str> =
            [BOOTSTRAPPERS, SYSTEM_NODES].into_iter().filter(|group| !has(group)).collect();
        if is_node && one.kind != MappingKind::MapAccounts && !missing.is_empty() {
            let message = format!(
                "the mapping of node role `{arn}` lacks {}, so its nodes cannot join or run pods",
                quoted(missing.iter().copied())
            );
            self.add(Code::NodeGroups, Severity::Error, &place, message, arn);
        }
        if is_node && arn.to_lowercase().contains("windows") && !has(WINDOWS) {
            let message = format!(
                "the mapping of `{arn}`, which seems to be for Windows nodes, lacks `{WINDOWS}`, so kube-proxy fails there"
            );
            self.add(Code::WindowsNodeGroup, Severity::Warning, &place, message, arn);
        }
        true
    }

    fn is_bound(&self, group: &str) -> bool {
        self.cluster.graph().is_bound(Principal::Group(self.policy.names.lookup(group)))
    }

    /// The groups that bindings of the inputs name.
    fn bound_groups(&self) -> Vec<&'c str> {
        let bindings = self.policy.bindings.iter().filter(|binding| !self.is_default_binding(binding));
        let subjects = bindings.flat_map(|binding| self.policy.subjects_of(binding));
        let mut groups: Vec<&'c str> = subjects
            .filter_map(|placed| match placed.subject {
                Subject::Group(name) => Some(self.text(name)),
                _ => None,
            })
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }
}

/// Whether a template of aws-iam-authenticator could become a name: what its placeholders become is not looked at.
pub(super) fn could_be(template: &str, name: &str) -> bool {
    let Some((before, rest)) = template.split_once("{{") else { return template == name };
    let Some(name) = name.strip_prefix(before) else { return false };
    let Some((_, after)) = rest.split_once("}}") else { return false };
    (0..=name.len()).filter_map(|at| name.get(at..)).any(|rest| could_be(after, rest))
}

#[cfg(test)]
mod tests {
    use super::could_be;

    #[test]
    fn placeholders_become_anything() {
        for (template, name) in
            [("a", "a"), ("dev:{{SessionName}}", "dev:alice"), ("{{A}}-{{B}}", "x-y-z"), ("{{A}}", "")]
        {
            assert!(could_be(template, name), "{template} {name}");
        }
        for (template, name) in
            [("a", "b"), ("dev:{{SessionName}}", "ops:alice"), ("{{A}}x", "y"), ("{{A", "y")]
        {
            assert!(!could_be(template, name), "{template} {name}");
        }
    }
}
