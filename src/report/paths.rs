//! What access leads to, for people and machines.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::aligned::Aligned;
use super::phrases::counted;
use super::{json as documents, words};
use crate::ask::paths::{From, Ground, Hop, Overview, Possible, Reach, Step, Traced};
use crate::decide::cluster::Cluster;

/// How many reaches are listed for people before the rest is counted.
const SHOWN: usize = 12;

/// What a step does, for people.
fn does(step: Step) -> &'static str {
    match step {
        Step::ImpersonateUser | Step::ImpersonateGroup | Step::ImpersonateServiceAccount => "impersonates",
        Step::CreateToken => "asks for a token of",
        Step::ReadTokenSecret => "reads a token of",
        Step::MintTokenSecret => "makes a Secret that is filled with a token of, and reads it:",
        Step::CreatePod => "creates a pod as",
        Step::CreateWorkload => "creates a workload as",
        Step::ChangeWorkload => "changes a workload to run as",
        Step::ChangePod => "changes the image of a running pod of",
        Step::Exec => "executes in a running pod of",
        Step::EphemeralContainer => "adds a container to a running pod of",
        Step::NodeProxy => "executes through the kubelet in a running pod of",
        Step::PrivilegedPod => "runs a privileged pod on",
        Step::PrivilegedEphemeralContainer => "adds a privileged container to a pod on",
        Step::HostPathVolume => "mounts a directory of the node through a volume claim on",
        Step::TokenFromNode => "leads to the token of",
        Step::CreateServiceAccount => "creates",
        Step::BindRole => "binds",
        Step::ChangeBinding => "adds a subject to a binding of",
        Step::ShareRole => "hands on",
        Step::EscalateRole => "writes any rule into",
        Step::EditAwsAuth => "maps any IAM principal to system:masters in aws-auth:",
    }
}

/// The lines below a step: what allows it, and where that stands.
fn ground_lines(cluster: &Cluster, ground: &Ground<'_>) -> (String, String) {
    let graph = cluster.graph();
    let policy = graph.policy();
    if let Some(grant) = &ground.grant {
        let (text, _) = words::grant_line(graph, grant);
        return (text, words::rule_place(policy, &grant.rule).to_string());
    }
    match ground.role {
        Some(role) if ground.is_changed => {
            (format!("{}, changed in a step above", words::role(policy, role)), String::new())
        }
        Some(role) => (
            format!("{}, bound in a step above", words::role(policy, role)),
            words::place(policy, role.source).to_string(),
        ),
        None => ("a role written in a step above".to_owned(), String::new()),
    }
}

fn hop_lines(lines: &mut Aligned<'_>, cluster: &Cluster, number: usize, hop: &Hop<'_>) -> io::Result<()> {
    let object = if hop.object.is_empty() || hop.becomes.starts_with(&hop.object) {
        String::new()
    } else {
        format!(" ({})", hop.object)
    };
    lines.bare(1, format_args!("{number}  {}", hop.step))?;
    let does = match hop.step {
        Step::ImpersonateGroup if hop.becomes == "cluster-admin" => {
            "impersonates anyone in Group system:masters:"
        }
        step => does(step),
    };
    lines.bare(3, format_args!("{} {does} {}{object}", hop.by, hop.becomes))?;
    for ground in &hop.grounds {
        let (text, place) = ground_lines(cluster, ground);
        lines.bare(4, &ground.asked)?;
        lines.line(5, text, place)?;
    }
    Ok(())
}

/// How many rounds, in words.
fn in_steps(depth: u16) -> String {
    if depth == 0 { "by its own rights".to_owned() } else { format!("in {}", counted(depth.into(), "step")) }
}

/// One way, step by step.
///
/// # Errors
/// If writing fails.
pub fn way(out: &mut dyn Write, cluster: &Cluster, traced: &Traced<'_, '_>, reach: &Reach) -> io::Result<()> {
    let hops = traced.hops(reach);
    let power = traced.power(reach);
    Aligned::write(out, 0, |lines| {
        lines.bare(
            0,
            format_args!("{} reaches {} {}", traced.from().title, reach.identity, in_steps(reach.depth)),
        )?;
        for (hop, number) in hops.iter().zip(1usize..) {
            hop_lines(lines, cluster, number, hop)?;
        }
        if let Some((who, ground)) = &power {
            let (text, place) = ground_lines(cluster, ground);
            lines.bare(1, format_args!("then {who} has {}", reach.identity))?;
            lines.bare(4, &ground.asked)?;
            lines.line(5, text, place)?;
        }
        Ok(())
    })
}

/// Everything that one start reaches.
///
/// # Errors
/// If writing fails.
pub fn one(out: &mut dyn Write, cluster: &Cluster, traced: &Traced<'_, '_>) -> io::Result<()> {
    let paths = &traced.paths;
    let title = &traced.from().title;
    if paths.reached.is_empty() && paths.roles.is_empty() {
        return Aligned::write(out, 0, |lines| {
            lines.bare(0, format_args!("{title} reaches nothing beyond its own rights for certain"))
        });
    }
    // Whoever is cluster-admin has every other sink at once: only what comes earlier is told besides.
    let admin = paths.sinks.iter().find(|(sink, _)| *sink == "cluster-admin").and_then(|(_, depth)| *depth);
    let sinks: Vec<Reach> = paths
        .sinks
        .iter()
        .filter(|(sink, depth)| {
            depth.is_some_and(|depth| *sink == "cluster-admin" || admin.is_none_or(|admin| depth < admin))
        })
        .filter_map(|(sink, _)| traced.to(&crate::ask::paths::Target::Sink(sink)))
        .collect();
    let mut told: Vec<&str> = Vec::new();
    for reach in &sinks {
        if told.contains(&reach.identity.as_str()) {
            continue;
        }
        told.push(&reach.identity);
        way(out, cluster, traced, reach)?;
        writeln!(out)?;
    }
    list(out, "reached", &paths.reached)?;
    list(out, "roles gained", &paths.roles)
}

fn list(out: &mut dyn Write, heading: &str, reaches: &[Reach]) -> io::Result<()> {
    if reaches.is_empty() {
        return Ok(());
    }
    Aligned::write(out, 0, |lines| {
        lines.bare(0, format_args!("{heading}: {}", reaches.len()))?;
        for reach in reaches.iter().take(SHOWN) {
            let last: Vec<&str> = reach.last.iter().map(Step::id).collect();
            lines.line(1, format_args!("{:>2}  {}", reach.depth, reach.identity), last.join(", "))?;
        }
        if reaches.len() > SHOWN {
            lines.bare(1, format_args!("and {} more; -o json lists them", reaches.len() - SHOWN))?;
        }
        Ok(())
    })
}

/// What uncertain steps add.
///
/// # Errors
/// If writing fails.
pub fn possible(out: &mut dyn Write, possible: &[Possible]) -> io::Result<()> {
    if possible.is_empty() {
        return Ok(());
    }
    Aligned::write(out, 0, |lines| {
        lines.bare(0, format_args!("possible: {}", possible.len()))?;
        for one in possible {
            lines.bare(1, format_args!("{}  {}", one.step, one.gives))?;
            for condition in &one.conditions {
                lines.bare(3, condition)?;
            }
        }
        Ok(())
    })
}

/// One line a start: the sinks that it reaches.
///
/// # Errors
/// If writing fails.
pub fn table(out: &mut dyn Write, rows: &[(From, Overview)]) -> io::Result<()> {
    let width = rows.iter().map(|(from, _)| from.title.chars().count()).max().unwrap_or(0).clamp(5, 90);
    let heads: Vec<&str> = crate::ask::paths::SINKS.to_vec();
    Aligned::write(out, 0, |lines| {
        let head: Vec<String> = heads.iter().map(|head| format!("{head:>18}")).collect();
        lines.bare(0, format_args!("{:width$}{}{:>9}", "start", head.concat(), "reached"))?;
        for (from, overview) in rows {
            let depths: Vec<String> = overview
                .sinks
                .iter()
                .map(|(_, depth)| depth.map_or_else(|| "-".to_owned(), |depth| depth.to_string()))
                .map(|depth| format!("{depth:>18}"))
                .collect();
            let title = &from.title;
            let reached = overview.reached.map_or_else(|| "all".to_owned(), |count| count.to_string());
            lines.bare(0, format_args!("{title:width$}{}{:>9}", depths.concat(), reached))?;
        }
        Ok(())
    })
}

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
                "conditions": [],
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
    possible: &[Possible],
) -> Value {
    let paths = &traced.paths;
    let reached: Vec<Value> = match only {
        Some(reach) => vec![reach_document(cluster, traced, "identity", reach)],
        None => {
            paths.reached.iter().map(|reach| reach_document(cluster, traced, "identity", reach)).collect()
        }
    };
    let roles: Vec<Value> = match only {
        Some(_) => Vec::new(),
        None => paths.roles.iter().map(|reach| reach_document(cluster, traced, "role", reach)).collect(),
    };
    let sinks: serde_json::Map<String, Value> =
        paths.sinks.iter().map(|(name, depth)| ((*name).to_owned(), json!(depth))).collect();
    json!({
        "from": traced.from().title,
        "reached": reached,
        "roles": roles,
        "admin": paths.admin,
        "sinks": sinks,
        "possible": possible.iter().map(|one| json!({
            "id": one.step, "gives": one.gives, "conditions": one.conditions,
        })).collect::<Vec<_>>(),
    })
}

/// What the answer rests on, in the last lines.
pub fn assumptions(cluster: &Cluster) -> Vec<String> {
    let mut lines = vec![
        super::text::inputs(cluster),
        "assumes that containers can be scheduled, images pulled, that there is an EC2 node, and that whoever edits \
         aws-auth has some IAM principal"
            .to_owned(),
    ];
    let policy = cluster.graph().policy();
    if policy.inventory.workloads.is_empty() {
        lines.push(
            "no pods and workloads in the inputs: ways through running pods, their tokens and nodes are missing; export them as well"
                .to_owned(),
        );
    }
    if policy.namespaces.is_empty() {
        lines.push(
            "no Namespaces in the inputs: whether one lets privileged pods in is unknown; export them as well"
                .to_owned(),
        );
    }
    lines.push(
        "not followed: ways through IAM, by roles of service accounts and by the EKS API, and uncertain steps"
            .to_owned(),
    );
    if cluster.completeness() == crate::model::policy::Completeness::Partial {
        lines.push(
            "inputs treated as partial: RBAC objects that are not in them may open more ways".to_owned(),
        );
    }
    lines
}
