//! Who can let himself into the cluster through the API of EKS, for people and for machines.

use serde_json::{Value, json};

use super::iam::{arn, conditions, lines_of, short, statement_document, statements};
use super::people::{assumable_by_document, assumable_by_lines};
use super::words::Hop as Line;
use crate::ask::eks_doors::{Allowed, EksDoor};
use crate::decide::cluster::Cluster;
use crate::identity::access_entries::{AccessEntries, AuthenticationMode};
use crate::model::ternary::Ternary;

/// The heading above them.
pub const TITLE: &str = "through the EKS API, without being mapped";

/// What the inputs say of the authentication mode, on which it depends.
pub fn note(cluster: &Cluster) -> String {
    let access = cluster.identities().access();
    let Some(mode) = access.and_then(AccessEntries::mode) else {
        return "access entries count only with authentication mode API or API_AND_CONFIG_MAP, and no input tells the mode; give --authentication-mode".to_owned();
    };
    let source = access.and_then(AccessEntries::mode_source);
    let place = source.map(|source| format!(" ({})", cluster.sources().show(source))).unwrap_or_default();
    let then = if mode == AuthenticationMode::ConfigMap {
        ": EKS refuses access entries until `eks:UpdateClusterConfig` turns them on"
    } else {
        ": access entries count"
    };
    format!("the authentication mode is {}{place}{then}", mode.as_str())
}

/// On what it depends what access entries are worth, where no input tells the mode.
const IF_MODE: &str = "if the authentication mode is API or API_AND_CONFIG_MAP";

/// Who can, each in a line.
pub fn titles(cluster: &Cluster, doors: &[EksDoor]) -> Vec<String> {
    doors.iter().map(|door| title(cluster, door)).collect()
}

fn title(cluster: &Cluster, door: &EksDoor) -> String {
    let name = short(arn(cluster.iam(), door.id));
    match door.is_admin() {
        Ternary::Yes => format!("{name}: can make itself cluster administrator"),
        Ternary::Unknown => format!("{name}: can make itself cluster administrator, on conditions"),
        Ternary::No => {
            let actions: Vec<&str> = door.actions.iter().map(|allowed| allowed.action).collect();
            format!("{name}: may {}", actions.join(", "))
        }
    }
}

/// The lines about those who can, each with what it may do and why.
pub fn lines(cluster: &Cluster, doors: &[EksDoor], depth: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let line = |depth, text| Line { depth, text, place: String::new() };
    for door in doors {
        lines.push(line(depth, title(cluster, door)));
        if door.depends_on_mode() {
            lines.push(line(depth + 1, IF_MODE.to_owned()));
        }
        let mut rest: Vec<&Allowed> = door.actions.iter().collect();
        while let Some(first) = rest.first().copied() {
            // Actions that are allowed by the same words stand together.
            let alike: Vec<&Allowed> =
                rest.iter().copied().filter(|other| other.verdict == first.verdict).collect();
            rest.retain(|other| other.verdict != first.verdict);
            for allowed in &alike {
                lines.push(line(depth + 1, format!("`{}` {}", allowed.action, allowed.effect)));
            }
            lines_of(cluster, &first.verdict, depth + 2, &mut lines);
        }
        if !door.people.is_empty() {
            lines.push(line(depth + 1, "can be become by".to_owned()));
            lines.extend(assumable_by_lines(cluster, &door.people, depth + 2));
        }
    }
    lines
}

/// The same, for machines.
pub fn document(cluster: &Cluster, doors: &[EksDoor]) -> Value {
    let allowed = |allowed: &Allowed| {
        let verdict = &allowed.verdict;
        let is_open = verdict.value == Ternary::Unknown;
        let hits = statements(&verdict.why);
        json!({
            "action": allowed.action,
            "effect": allowed.effect,
            "answer": verdict.value.as_str(),
            "statements": hits.into_iter().map(|hit| statement_document(cluster, hit)).collect::<Vec<_>>(),
            "conditions": if is_open { conditions(cluster, &verdict.why) } else { Vec::new() },
        })
    };
    let door = |door: &EksDoor| {
        json!({
            "arn": arn(cluster.iam(), door.id),
            "clusterAdmin": door.is_admin().as_str(),
            "conditions": if door.depends_on_mode() { vec![IF_MODE] } else { Vec::new() },
            "actions": door.actions.iter().map(allowed).collect::<Vec<_>>(),
            "assumableBy": assumable_by_document(cluster, &door.people),
        })
    };
    doors.iter().map(door).collect()
}
