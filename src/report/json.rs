//! Answers for machines.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::attributes::Attributes;
use crate::cluster::{Cluster, Who, WhoIs};
use crate::evaluate::Grant;
use crate::identity::IdentityError;
use crate::names::Name;
use crate::rbac::{Scope, Subject};

use super::{text, words};

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
        "error": who.error().map(ToString::to_string),
        "source": null,
    });
    if let (WhoIs::Mapped(mapped), Some(object)) = (&who.is, value.as_object_mut()) {
        let provenance = &mapped.provenance;
        object.insert("source".into(), cluster.sources().show(provenance.source).to_string().into());
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

/// A grant: binding, subject, role, rule, each with its place.
pub fn grant(cluster: &Cluster, grant: &Grant<'_>) -> Value {
    let graph = cluster.graph();
    let policy = graph.policy();
    let text = |name: Name| policy.names.text(name);
    let texts = |names: &[Name]| names.iter().map(|name| text(*name)).collect::<Vec<_>>();
    let namespace = |scope: Scope| match scope {
        Scope::Cluster => "",
        Scope::Namespace(name) => text(name),
    };
    let bound = grant.applied.binding;
    let subject = words::granted_to(policy, grant).map(|named| {
        let (kind, namespace, name) = subject_parts(named);
        json!({ "kind": kind, "namespace": text(namespace), "name": text(name), "source": words::subject_place(graph, grant) })
    });
    let role = grant.applied.role.map(|role| {
        json!({
            "kind": role.kind().as_str(), "namespace": namespace(role.scope), "name": text(role.name),
            "source": words::place(policy, role.source), "builtin": policy.is_builtin(role.source),
        })
    });
    let aggregated: Vec<Value> = grant
        .applied
        .role
        .map(|role| graph.provenance(role, &grant.rule))
        .unwrap_or_default()
        .iter()
        .map(|step| {
            json!({ "from": text(step.from.name), "into": text(step.into.name), "source": words::place(policy, step.from.source), "text": words::aggregation(policy, step) })
        })
        .collect();
    let rule = &grant.rule.rule;
    json!({
        "source": words::rule_place(policy, &grant.rule),
        "reason": graph.allow_reason(grant).to_string(),
        "binding": {
            "kind": bound.kind(), "namespace": namespace(bound.scope), "name": text(bound.name),
            "source": words::place(policy, bound.source),
        },
        "subject": subject,
        "role": role,
        "aggregation": aggregated,
        "rule": {
            "index": grant.rule.position,
            "verbs": texts(rule.verbs), "apiGroups": texts(rule.api_groups), "resources": texts(rule.resources),
            "resourceNames": texts(rule.resource_names), "nonResourceURLs": texts(rule.non_resource_urls),
            "source": words::rule_place(policy, &grant.rule),
        },
    })
}

/// Kind, namespace and name of a subject.
pub fn subject_parts(subject: Subject) -> (&'static str, Name, Name) {
    match subject {
        Subject::User(name) => ("User", Name::EMPTY, name),
        Subject::Group(name) => ("Group", Name::EMPTY, name),
        Subject::ServiceAccount { namespace, name } => ("ServiceAccount", namespace, name),
    }
}

/// What stands beside the answer's word: grants, doubts, near misses.
pub fn reasons(cluster: &Cluster, answer: &Answer<'_>) -> Value {
    json!({
        "answer": answer.ternary.as_str(),
        "systemMasters": answer.is_master,
        "grants": answer.grants.iter().map(|one| grant(cluster, one)).collect::<Vec<_>>(),
        "unknown": answer.doubts.iter().map(|doubt| text::doubt_sentence(cluster, doubt)).collect::<Vec<_>>(),
        "nearest": answer.near.iter().map(|near| {
            let (sentence, source) = text::near_sentence(cluster, near);
            json!({ "text": sentence, "source": source })
        }).collect::<Vec<_>>(),
    })
}
