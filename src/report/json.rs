//! Answers for machines.

use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::io;

use rustc_hash::FxHashMap;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::decide::answer::{Answer, Doubt};
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::evaluate::Grant;
use crate::decide::graph::{AggregationStep, RbacGraph, RoleRule};
use crate::identity::{IdentityDoubt, IdentityError, Mapped, MappingKind, Template};
use crate::model::access::AccessScope;
use crate::model::attributes::Attributes;
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Binding, Role, Subject};
use crate::model::source::Source;
use crate::model::unread::Unread;

use super::{access, near, text, words};

/// The attributes of a request.
pub fn attributes(attributes: &Attributes<'_>) -> Value {
    match attributes {
        Attributes::Resource(resource) => json!({
            "verb": resource.verb, "group": resource.group, "resource": resource.resource,
            "subresource": resource.subresource, "name": resource.name, "namespace": resource.namespace,
        }),
        Attributes::NonResource(url) => json!({ "verb": url.verb, "path": url.path }),
    }
}

/// Who asks.
pub fn identity(cluster: &Cluster, who: &Who, arn: Option<&str>) -> Value {
    let shown = who.shown();
    let mut value = json!({
        "arn": arn,
        "canonicalArn": who.identity.as_ref().map(super::super::identity::IamIdentity::canonical_arn),
        "username": shown.as_ref().map(|user| &user.username),
        "groups": shown.as_ref().map(|user| &user.groups),
        "error": who.error().filter(|error| error.is_refusal()).map(ToString::to_string),
        "unknown": unknown_identity(cluster, who),
        "via": null,
        "accessPolicies": [],
        "source": null,
    });
    if let (WhoIs::Mapped(mapped), Some(object)) = (&who.is, value.as_object_mut()) {
        let provenance = &mapped.provenance;
        object.insert("via".into(), provenance.kind.as_str().into());
        if mapped.is_username_untold() {
            object.insert("username".into(), Value::Null);
        }
        if mapped.groups.iter().any(Template::is_not_told) {
            object.insert("groups".into(), Value::Null);
        }
        object.insert("accessPolicies".into(), access_policies(cluster, mapped).into());
        if provenance.kind != MappingKind::ClusterCreator {
            object.insert("source".into(), cluster.sources().show(provenance.source).to_string().into());
        }
        object.insert(
            "mapping".into(),
            json!({
                "kind": provenance.kind.as_str(),
                "arn": provenance.arn,
                "username": provenance.username.text,
                "groups": provenance.groups.iter().map(|group| &group.text).collect::<Vec<_>>(),
            }),
        );
        object.insert("symbolic".into(), mapped.is_symbolic().into());
        object.insert(
            "notes".into(),
            mapped.notes.iter().map(|note| note.text.clone()).collect::<Vec<_>>().into(),
        );
    }
    if let (Some(IdentityError::NotMapped { nearest: Some(nearest), .. }), Some(object)) =
        (who.error(), value.as_object_mut())
    {
        object.insert(
            "nearest".into(),
            json!({ "text": nearest.to_string(), "source": cluster.sources().show(nearest.source).to_string() }),
        );
    }
    value
}

/// The access policies of a caller.
fn access_policies(cluster: &Cluster, mapped: &Mapped) -> Vec<Value> {
    let policies = mapped.access.iter().flat_map(|access| &access.policies);
    policies
        .map(|association| {
            let named = association.policy.as_deref().and_then(crate::knowledge::access_policies::find);
            let published = named.is_some_and(|policy| !policy.rules.is_empty());
            let (scope, namespaces) = match association.scopes.as_slice() {
                [AccessScope::Cluster] => (Some("cluster"), Some(Vec::new())),
                [AccessScope::Namespaces(patterns)] => {
                    let known: Option<Vec<&String>> = patterns.iter().map(Option::as_ref).collect();
                    (Some("namespace"), known)
                }
                _ => (None, None),
            };
            json!({
                "policy": association.title(),
                "policyArn": association.policy_arn,
                "scope": scope,
                "namespaces": namespaces,
                "rulesPublished": published,
                "source": cluster.sources().show(association.source).to_string(),
            })
        })
        .collect()
}

/// Why the inputs do not tell who somebody is, each reason with its place; null where they do.
fn unknown_identity(cluster: &Cluster, who: &Who) -> Value {
    if let WhoIs::Mapped(mapped) = &who.is {
        return access::unknown(mapped).into();
    }
    let Some(error) = who.error().filter(|error| !error.is_refusal()) else { return Value::Null };
    match error {
        IdentityError::Unknown { doubts, .. } | IdentityError::NotMapped { elsewhere: doubts, .. }
            if !doubts.is_empty() =>
        {
            let lines = doubts.iter().map(|doubt| identity_doubt(cluster, doubt));
            lines.collect::<Vec<_>>().join("; ").into()
        }
        error => error.to_string().into(),
    }
}

pub(super) fn identity_doubt(cluster: &Cluster, doubt: &IdentityDoubt) -> String {
    match doubt.source {
        Some(source) => format!("{} ({})", doubt.text, cluster.sources().show(source)),
        None => doubt.text.clone(),
    }
}

/// A text that is made while it is written.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A list whose items are made while it is written.
pub(super) struct Each<I>(pub(super) I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// A grant as it is written; its keys are in order, as those of every object are.
struct Document<'a, 'g> {
    cluster: &'a Cluster,
    grant: Grant<'g>,
}

impl Serialize for Document<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let grant = &self.grant;
        let graph = self.cluster.graph();
        let policy = graph.policy();
        let aggregation =
            grant.applied.role.map(|role| graph.provenance(role, &grant.rule)).unwrap_or_default();
        let place = words::rule_place(policy, &grant.rule);
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry(
            "aggregation",
            &Each(aggregation.iter().map(|step| Aggregated { policy, step })),
        )?;
        map.serialize_entry("binding", &BindingDocument { policy, bound: grant.applied.binding })?;
        map.serialize_entry("reason", &Text(graph.allow_reason(grant)))?;
        map.serialize_entry("role", &grant.applied.role.map(|role| RoleDocument { policy, role }))?;
        map.serialize_entry("rule", &RuleDocument { policy, rule: &grant.rule })?;
        map.serialize_entry("source", &Text(place))?;
        let subject = words::granted_to(policy, grant).map(|named| SubjectDocument { graph, grant, named });
        map.serialize_entry("subject", &subject)?;
        map.end()
    }
}

struct Aggregated<'a, 'g> {
    policy: &'a Policy,
    step: &'a AggregationStep<'g>,
}

impl Serialize for Aggregated<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { policy, step } = self;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("from", policy.names.text(step.from.name))?;
        map.serialize_entry("into", policy.names.text(step.into.name))?;
        map.serialize_entry("source", &Text(words::place(policy, step.from.source)))?;
        map.serialize_entry("text", &words::aggregation(policy, step))?;
        map.end()
    }
}

struct BindingDocument<'a> {
    policy: &'a Policy,
    bound: &'a Binding,
}

impl Serialize for BindingDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { policy, bound } = self;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", bound.kind())?;
        map.serialize_entry("name", policy.names.text(bound.name))?;
        map.serialize_entry("namespace", policy.names.text(bound.scope.namespace()))?;
        map.serialize_entry("source", &Text(words::place(policy, bound.source)))?;
        map.end()
    }
}

struct RoleDocument<'a> {
    policy: &'a Policy,
    role: &'a Role,
}

impl Serialize for RoleDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { policy, role } = self;
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("builtin", &policy.is_builtin(role.source))?;
        let kind = if policy.is_access_policy(role) { "AccessPolicy" } else { role.kind().as_str() };
        map.serialize_entry("kind", kind)?;
        map.serialize_entry("name", policy.names.text(role.name))?;
        map.serialize_entry("namespace", policy.names.text(role.scope.namespace()))?;
        map.serialize_entry("source", &Text(words::place(policy, role.source)))?;
        map.end()
    }
}

struct RuleDocument<'a, 'g> {
    policy: &'a Policy,
    rule: &'a RoleRule<'g>,
}

impl Serialize for RuleDocument<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { policy, rule } = self;
        let texts = |names| Each(texts(policy, names));
        let lists = rule.rule;
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry("apiGroups", &texts(lists.api_groups))?;

        map.serialize_entry("nonResourceURLs", &texts(lists.non_resource_urls))?;
        map.serialize_entry("number", &(rule.position + 1))?;
        map.serialize_entry("resourceNames", &texts(lists.resource_names))?;
        map.serialize_entry("resources", &texts(lists.resources))?;
        map.serialize_entry("source", &Text(words::rule_place(policy, rule)))?;
        map.serialize_entry("verbs", &texts(lists.verbs))?;
        map.end()
    }
}

fn texts<'a>(policy: &'a Policy, names: &'a [Name]) -> impl Iterator<Item = &'a str> + Clone {
    names.iter().map(|name| policy.names.text(*name))
}

struct SubjectDocument<'a, 'g> {
    graph: &'a RbacGraph,
    grant: &'a Grant<'g>,
    named: Subject,
}

impl Serialize for SubjectDocument<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = &self.graph.policy().names;
        let (kind, namespace, name) = subject_parts(self.named);
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", kind)?;
        map.serialize_entry("name", names.text(name))?;
        map.serialize_entry("namespace", names.text(namespace))?;
        map.serialize_entry("source", &Text(words::subject_place(self.graph, self.grant)))?;
        map.end()
    }
}

/// A grant as it is written: binding, subject, role, rule, each with its place.
pub fn grant_document<'a>(cluster: &'a Cluster, grant: Grant<'a>) -> impl Serialize + 'a {
    Document { cluster, grant }
}

/// A grant: binding, subject, role, rule, each with its place.
pub fn grant(cluster: &Cluster, grant: &Grant<'_>) -> Value {
    // Nothing in it can fail: keys are texts, and so is nearly everything else.
    serde_json::to_value(grant_document(cluster, *grant)).unwrap_or_default()
}

/// How many rules [`GrantLines`] keeps in mind: a few megabytes of text.
const KEPT: usize = 8192;

/// A role, the role in which one of its rules stands, and the position there.
type RuleKey = (usize, usize, u32);

/// Grants as JSON without spaces, one after the other: what every grant of a rule of a role has is made once, and so is
/// what every grant by a binding has as long as they come together. What it writes is [`grant_document`].
#[derive(Default)]
pub(super) struct GrantLines {
    /// What comes before the binding, and after the reason.
    rules: FxHashMap<RuleKey, [Box<[u8]>; 2]>,
    /// The last binding and subject, and what is theirs: binding with reason, and subject.
    last: Option<(u32, usize)>,
    binding: Vec<u8>,
    subject: Vec<u8>,
}

impl GrantLines {
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        cluster: &Cluster,
        grant: &Grant<'_>,
    ) -> io::Result<()> {
        let graph = cluster.graph();
        let policy = graph.policy();
        let bound = grant.applied.binding;
        if self.last != Some((grant.applied.order(), grant.subject)) {
            self.last = Some((grant.applied.order(), grant.subject));
            let named = words::granted_to(policy, grant);
            self.binding.clear();
            entry(&mut self.binding, ",\"binding\":", &BindingDocument { policy, bound })?;
            entry(&mut self.binding, ",\"reason\":", &Text(graph.allow_reason(grant)))?;
            self.subject.clear();
            let named = named.map(|named| SubjectDocument { graph, grant, named });
            entry(&mut self.subject, ",\"subject\":", &named)?;
        }
        let role = grant.applied.role;
        let address = |role: &Role| std::ptr::from_ref(role) as usize;
        let key = (role.map_or(0, address), address(grant.rule.owner), grant.rule.position);
        if self.rules.len() >= KEPT && !self.rules.contains_key(&key) {
            self.rules.clear();
        }
        let [before, after] = match self.rules.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let (mut before, mut after) = (Vec::new(), Vec::new());
                let steps = role.map(|role| graph.provenance(role, &grant.rule)).unwrap_or_default();
                let steps = Each(steps.iter().map(|step| Aggregated { policy, step }));
                entry(&mut before, "{\"aggregation\":", &steps)?;
                entry(&mut after, ",\"role\":", &role.map(|role| RoleDocument { policy, role }))?;
                entry(&mut after, ",\"rule\":", &RuleDocument { policy, rule: &grant.rule })?;
                entry(&mut after, ",\"source\":", &Text(words::rule_place(policy, &grant.rule)))?;
                new.insert([before.into(), after.into()])
            }
        };
        for part in [&**before, &self.binding, after, &self.subject, b"}"] {
            out.extend_from_slice(part);
        }
        Ok(())
    }
}

fn entry(out: &mut Vec<u8>, key: &str, value: &impl Serialize) -> io::Result<()> {
    out.extend_from_slice(key.as_bytes());
    Ok(serde_json::to_writer(out, value)?)
}

/// Kind, namespace and name of a subject.
pub fn subject_parts(subject: Subject) -> (&'static str, Name, Name) {
    match subject {
        Subject::User(name) => ("User", Name::EMPTY, name),
        Subject::Group(name) => ("Group", Name::EMPTY, name),
        Subject::ServiceAccount { namespace, name } => ("ServiceAccount", namespace, name),
        Subject::Caller(arn) => ("IAM principal", Name::EMPTY, arn),
    }
}

/// What could not be read and may allow something, with every place.
fn unread(cluster: &Cluster, source: Source) -> String {
    let sentence = text::doubt_sentence(cluster, &Doubt::Unread(source));
    format!("{sentence} ({})", unread_places(cluster, source).join(", "))
}

/// Where everything stands that one reason of what could not be read is about.
pub(super) fn unread_places(cluster: &Cluster, source: Source) -> Vec<String> {
    let told = cluster.summary().unread.iter().find(|unread| unread.source == source);
    let sources = told.into_iter().flat_map(Unread::sources);
    sources.map(|source| cluster.sources().show(source).to_string()).collect()
}

/// What stands beside the answer's word: grants, doubts, near misses.
pub fn reasons(cluster: &Cluster, answer: &Answer<'_>) -> Value {
    json!({
        "answer": answer.ternary.as_str(),
        "systemMasters": answer.is_master,
        "grants": answer.grants.iter().map(|one| grant(cluster, one)).collect::<Vec<_>>(),
        "unknown": answer.doubts.iter().map(|doubt| match doubt {
            Doubt::Unread(source) => unread(cluster, *source),
            Doubt::Identity(doubt, _) => identity_doubt(cluster, doubt),
            Doubt::AccessPolicy(open) => {
                format!("{} ({})", text::doubt_sentence(cluster, doubt), cluster.sources().show(open.source))
            }
            doubt => text::doubt_sentence(cluster, doubt),
        }).collect::<Vec<_>>(),
        "nearest": answer.near.iter().map(|one| {
            let (sentence, source) = near::near_sentence(cluster, one);
            json!({ "text": sentence, "source": source })
        }).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rbac::Scope;
    use crate::read::{Input, LoadOptions, load};

    #[test]
    fn grants_in_lines_are_the_grants_as_documents() {
        let input = Input::Path("testdata/quickstart".into());
        let cluster = Cluster::from(load(&[input], &LoadOptions::default()).unwrap());
        let graph = cluster.graph();
        let mut lines = GrantLines::default();
        let (mut count, mut scoped) = (0, 0);
        // Bindings in turn, so that none but the last is known.
        for rule in 0..4 {
            for applied in graph.bindings() {
                let Some(rule) = graph.granted_rule(&applied, rule) else { continue };
                for subject in 0..graph.policy().subjects_of(applied.binding).len() {
                    let grant = Grant { applied, subject, rule };
                    let mut line = Vec::new();
                    lines.write(&mut line, &cluster, &grant).unwrap();
                    let expected = serde_json::to_string(&grant_document(&cluster, grant)).unwrap();
                    assert_eq!(String::from_utf8(line).unwrap(), expected);
                    assert_eq!(super::grant(&cluster, &grant).to_string(), expected);
                    count += 1;
                    scoped += usize::from(applied.binding.scope != Scope::Cluster);
                }
            }
        }
        assert!(count > 100 && scoped > 5, "{count} and {scoped}");
    }
}
