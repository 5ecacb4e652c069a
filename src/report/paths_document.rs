//! Ways as JSON.

use serde_json::{Value, json};

use super::paths::condition_texts;
use super::{json as documents, words};
use crate::ask::paths::{Ground, Possible, Reach, Step, Traced};
use crate::decide::cluster::Cluster;

fn ground_document(cluster: &Cluster, ground: &Ground<'_>) -> Value {
    let policy = cluster.graph().policy();
    let mut value = match (&ground.grant, ground.role) {
        (Some(grant), _) => documents::grant(cluster, grant),
        (None, Some(role)) => json!({
            "binding": null,
            "role": {
                "kind": role.kind().as_str(),
                "name": policy.names.text(role.name),
                "namespace": policy.names.text(role.scope.namespace()),
            },
            "source": words::place(policy, role.source).to_string(),
        }),
        (None, None) => json!({ "binding": null, "role": null, "source": null }),
    };
    if let Some(object) = value.as_object_mut() {
        object.insert("asked".to_owned(), ground.asked.clone().into());
        object.insert("changed".to_owned(), ground.is_changed.into());
    }
    value
}

fn reach_document(cluster: &Cluster, traced: &Traced<'_, '_>, key: &str, reach: &Reach) -> Value {
    let hops = traced.hops(reach);
    let mut path: Vec<Value> = hops
        .iter()
        .map(|hop| {
            json!({
                "id": hop.step.id(),
                "by": hop.by,
                "becomes": hop.becomes,
                "object": if hop.object.is_empty() { Value::Null } else { hop.object.clone().into() },
                "grants": hop.grounds.iter().map(|ground| ground_document(cluster, ground)).collect::<Vec<_>>(),
                "conditions": condition_texts(cluster, &hop.conditions),
            })
        })
        .collect();
    let power = traced
        .power(reach)
        .map(|(by, ground)| json!({ "by": by, "grants": [ground_document(cluster, &ground)] }));
    let steps: Vec<&str> = hops.iter().map(|hop| hop.step.id()).collect();
    json!({
        key: reach.identity,
        "depth": reach.depth,
        "steps": steps,
        "last": reach.last.iter().map(Step::id).collect::<Vec<_>>(),
        "path": std::mem::take(&mut path),
        "power": power,
    })
}

/// One start as JSON; only the way to one thing, if that is asked for.
pub fn document(
    cluster: &Cluster,
    traced: &Traced<'_, '_>,
    only: Option<&Reach>,
    only_possible: Option<&Possible>,
) -> Value {
    let paths = &traced.paths;
    let is_all = only.is_none() && only_possible.is_none();
    let reached: Vec<Value> = match only {
        Some(reach) => vec![reach_document(cluster, traced, "identity", reach)],
        None if !is_all => Vec::new(),
        None => {
            paths.reached.iter().map(|reach| reach_document(cluster, traced, "identity", reach)).collect()
        }
    };
    let roles: Vec<Value> = if is_all {
        paths.roles.iter().map(|reach| reach_document(cluster, traced, "role", reach)).collect()
    } else {
        Vec::new()
    };
    let sinks: serde_json::Map<String, Value> =
        paths.sinks.iter().map(|(name, depth)| ((*name).to_owned(), json!(depth))).collect();
    let possible: Vec<Value> = traced
        .possible
        .iter()
        .filter(|own| is_all || only_possible.is_some_and(|only| only.reach == own.reach))
        .map(|own| {
            let mut document = reach_document(cluster, traced, "identity", &own.reach);
            if let Some(object) = document.as_object_mut() {
                object.insert("conditions".to_owned(), condition_texts(cluster, &own.conditions).into());
            }
            document
        })
        .collect();
    json!({
        "from": traced.from().title,
        "reached": reached,
        "roles": roles,
        "admin": paths.admin,
        "sinks": sinks,
        "possible": possible,
    })
}
