//! IAM in words and as JSON: statements, conditions, and the hops of a way.

use std::rc::Rc;

use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use super::text;
use super::words::Hop as Line;
use crate::decide::cluster::Cluster;
use crate::identity::iam::{Hit, Hop, IamData, Key, KeyGroup, Leaf, Owner, PrincipalId, Verdict, Why};
use crate::model::ternary::Ternary;

/// What no export holds, said once beside every answer.
const NOT_IN_EXPORTS: &str = "this is what IAM's own policies say; service and resource control policies, session policies and VPC endpoint policies are not in an IAM export and can only take away";

/// What an answer about people rests on: what no export holds, and what these inputs lack.
pub fn basis(cluster: &Cluster) -> Vec<String> {
    let mut notes = vec![NOT_IN_EXPORTS.to_owned()];
    notes.extend(cluster.iam().incomplete_accounts().into_iter().map(|account| {
        format!("the IAM export of account {account} lacks its last pages; there may be more users and roles")
    }));
    let of_no_role = cluster.pod_roles().0.iter().filter(|pods| pods.role.is_empty());
    let names: Vec<String> =
        of_no_role.map(|pods| format!("{}/{}", pods.namespace, pods.service_account)).collect();
    if !names.is_empty() {
        notes.push(format!(
            "the inputs do not tell the role that EKS Pod Identity gives to pods of {}; add what `aws eks describe-pod-identity-association` prints",
            text::some_of(&names)
        ));
    }
    notes
}

/// A document's place; empty where it is not known.
pub(super) fn place(cluster: &Cluster, hit: Hit) -> String {
    cluster.iam().source(hit).map(|source| cluster.sources().show(source).to_string()).unwrap_or_default()
}

/// The part of an ARN behind the account: `role/team/dev`.
pub fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

/// The name of a managed policy, with its path.
fn name(arn: &str) -> &str {
    let resource = short(arn);
    resource.strip_prefix("policy/").unwrap_or(resource)
}

/// A policy in words: `the trust policy of role/oncall`, `policy assume-oncall of group/platform`.
pub(super) fn policy(data: &IamData, hit: Hit) -> String {
    let Some(doc) = data.get(hit.doc) else { return String::new() };
    let through = hit.group.and_then(|group| data.group(group));
    match (&doc.owner, through) {
        (Owner::Trust(arn), _) => format!("the trust policy of {}", short(arn)),
        (Owner::Inline(arn, name), _) => format!("policy `{name}` of {}", short(arn)),
        (Owner::Managed(arn), Some(group)) => format!("policy `{}` by group `{}`", name(arn), group.name),
        (Owner::Managed(arn), None) => format!("policy `{}`", name(arn)),
    }
}

/// A statement in words: its policy, its number, and its `Sid`.
pub fn statement(data: &IamData, hit: Hit) -> String {
    let Some(statement) = data.statement(hit) else { return String::new() };
    let sid = statement.sid.as_deref().filter(|sid| !sid.is_empty());
    let sid = sid.map(|sid| format!(" `{sid}`")).unwrap_or_default();
    format!("{} in {}, statement {}{sid}", statement.effect.as_str(), policy(data, hit), hit.statement + 1)
}

pub(super) fn statement_document(cluster: &Cluster, hit: Hit) -> Value {
    let data = cluster.iam();
    let statement = data.statement(hit);
    let owner = data.get(hit.doc).map(|doc| &doc.owner);
    let (kind, policy, of) = match owner {
        Some(Owner::Managed(arn)) => ("managed", Some(&**arn), None),
        Some(Owner::Inline(arn, name)) => ("inline", Some(&**name), Some(&**arn)),
        Some(Owner::Trust(arn)) => ("trust", None, Some(&**arn)),
        None => ("", None, None),
    };
    json!({
        "effect": statement.map(|statement| statement.effect.as_str()),
        "kind": kind,
        "policy": policy,
        "of": of,
        "group": hit.group.and_then(|group| data.group(group)).map(|group| &*group.arn.text),
        "statement": hit.statement + 1,
        "sid": statement.and_then(|statement| statement.sid.as_deref()),
        "source": place(cluster, hit),
    })
}

/// Texts with "or" between them.
pub(super) fn or(texts: &[Box<str>]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ")
}

/// A condition in words: `aws:SourceIp` must satisfy `IpAddress` `10.0.0.0/8`.
pub(super) fn condition(data: &IamData, hit: Hit, number: u32, holds: bool) -> String {
    let found = data.statement(hit).and_then(|statement| statement.conditions.get(number as usize));
    let Some(found) = found else { return String::new() };
    let must = if holds { "must" } else { "must not" };
    format!("`{}` {must} satisfy `{}` {}", found.key.as_str(), found.operator, or(&found.values))
}

/// Something that is not known, in words, with the statement that asks for it.
fn leaf(cluster: &Cluster, found: &Leaf, holds: bool) -> (String, Option<Hit>) {
    let data = cluster.iam();
    let not = if holds { "" } else { " not" };
    match found {
        Leaf::Condition { hit, condition: number, keys } => {
            let group = keys.first().map_or(KeyGroup::Circumstance, |open| Key::new(&open.key).group());
            let by = if found.keys().contains(&"session name") {
                "the name of the caller's own session"
            } else {
                group.as_str()
            };
            let needs = match keys.first().map(|open| open.key.to_ascii_lowercase()) {
                Some(key) if key == "sts:sourceidentity" => "; both sides must allow `sts:SetSourceIdentity`",
                Some(key) if key.starts_with("aws:requesttag/") || key == "aws:tagkeys" => {
                    "; both sides must allow `sts:TagSession`"
                }
                _ => "",
            };
            (format!("{} ({by}{needs})", condition(data, *hit, *number, holds)), Some(*hit))
        }
        Leaf::Resource { hit, keys } if keys.is_empty() => {
            let written = data.statement(*hit).map(|found| or(&found.resource.written)).unwrap_or_default();
            (format!("the cluster must{not} be one of {written}"), Some(*hit))
        }
        Leaf::Resource { hit, keys } => {
            let keys: Vec<String> = keys.iter().map(|open| format!("`{}`", open.key)).collect();
            (format!("the role must{not} be what {} makes of the resource", keys.join(" and ")), Some(*hit))
        }
        Leaf::Session { hit, arn } => {
            let session = arn.rsplit('/').next().unwrap_or("");
            (format!("the name of the caller's own session must{not} be `{session}`"), Some(*hit))
        }
        Leaf::NotPrincipal(hit) => (
            "`NotPrincipal`, which IAM does not accept in a trust policy, cannot be judged".to_owned(),
            Some(*hit),
        ),
        Leaf::Operator(hit, _) => {
            ("a condition operator that IAM does not know cannot be judged".to_owned(), Some(*hit))
        }
        other => (missing(data, other), None),
    }
}

/// The same in one sentence.
fn leaf_sentence(cluster: &Cluster, found: &Leaf, holds: bool) -> String {
    let (text, hit) = leaf(cluster, found, holds);
    let Some(hit) = hit else { return text };
    let place = place(cluster, hit);
    let place = if place.is_empty() { place } else { format!(", {place}") };
    format!("{text}, says {}{place}", statement(cluster.iam(), hit))
}

/// A fact that the inputs do not hold.
fn missing(data: &IamData, found: &Leaf) -> String {
    match found {
        Leaf::Policy(arn) => {
            format!("policy `{arn}` is attached and not in the export; it may allow and may deny")
        }
        Leaf::Boundary(arn) => format!("the boundary `{arn}` is not in the export"),
        Leaf::Group(name) => {
            format!("group `{name}` is not in the export; its policies may allow and may deny")
        }
        Leaf::Account(account) => {
            format!("there is no export of account {account}; its policies may allow and may deny")
        }
        Leaf::Principal(arn) => format!("`{arn}` is not in the export of its account"),
        Leaf::Role(arn) => format!("the trust policy of `{arn}` is not in the inputs"),
        Leaf::Unread(doc) => {
            let hit = Hit { doc: *doc, statement: 0, group: None };
            format!("{} could not be read as a whole", policy(data, hit))
        }
        _ => String::new(),
    }
}

/// What must hold for a "yes": each on its own, alternatives in one.
pub fn conditions(cluster: &Cluster, why: &Why) -> Vec<String> {
    let parts: Vec<&Why> = match why {
        Why::All(parts) => parts.iter().collect(),
        other => vec![other],
    };
    let mut found: Vec<String> = Vec::new();
    for part in parts {
        let text = match part {
            Why::Nothing | Why::Statement(_) => continue,
            Why::Open(open, holds) => leaf_sentence(cluster, open, *holds),
            Why::All(_) => conditions(cluster, part).join("; and "),
            Why::Any(ways) => {
                let mut ways: Vec<String> =
                    ways.iter().map(|way| conditions(cluster, way).join(" and ")).collect();
                ways.retain(|way| !way.is_empty());
                ways.dedup();
                match ways.as_slice() {
                    [] => continue,
                    [only] => only.clone(),
                    several => format!("one of: {}", several.join("; or ")),
                }
            }
        };
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// Facts that the inputs lack.
pub(super) fn lacking(cluster: &Cluster, why: &Why) -> Vec<String> {
    let mut open = Vec::new();
    why.open(&mut open);
    let mut texts: Vec<String> = open
        .into_iter()
        .filter(|leaf| leaf.keys().is_empty())
        .map(|found| leaf_sentence(cluster, found, true))
        .collect();
    texts.dedup();
    texts
}

/// The statements that a verdict rests on.
pub(super) fn statements(why: &Why) -> Vec<Hit> {
    let mut hits = Vec::new();
    why.statements(&mut hits);
    hits
}

pub(super) fn lines_of(cluster: &Cluster, verdict: &Verdict, depth: usize, lines: &mut Vec<Line>) {
    for hit in statements(&verdict.why) {
        lines.push(Line { depth, text: statement(cluster.iam(), hit), place: place(cluster, hit) });
    }
    if verdict.value == Ternary::Unknown {
        lines.extend(condition_lines(cluster, &verdict.why, depth + 1));
    }
}

/// What must hold for a "yes", each with its place.
fn condition_lines(cluster: &Cluster, why: &Why, depth: usize) -> Vec<Line> {
    let parts: &[Why] = match why {
        Why::All(parts) => parts,
        other => std::slice::from_ref(other),
    };
    let mut lines: Vec<Line> = Vec::new();
    for part in parts {
        let all = match part {
            Why::Open(open, holds) => {
                let (text, hit) = leaf(cluster, open, *holds);
                vec![(text, hit.map(|hit| place(cluster, hit)).unwrap_or_default())]
            }
            other => conditions(cluster, other).into_iter().map(|text| (text, String::new())).collect(),
        };
        for (text, place) in all {
            let text = format!("condition: {text}");
            if !lines.iter().any(|line| line.text == text && line.place == place) {
                lines.push(Line { depth, text, place });
            }
        }
    }
    lines
}

pub(super) fn arn(data: &IamData, id: PrincipalId) -> &str {
    data.principal_of(id).map_or("", |principal| &principal.arn.text)
}

/// The hops of a way, for people.
pub fn hop_lines(cluster: &Cluster, hops: &[Rc<Hop>], depth: usize) -> Vec<Line> {
    Hops::default().lines(cluster, hops, depth)
}

/// The hops of several ways to one role: what they rest on is said of each hop once.
#[derive(Default)]
pub(super) struct Hops(FxHashSet<*const Hop>);

impl Hops {
    /// Takes note that it was said what a hop rests on.
    pub(super) fn said(&mut self, hop: &Rc<Hop>) {
        self.0.insert(Rc::as_ptr(hop));
    }

    /// The hops of a way, for people.
    pub(super) fn lines(&mut self, cluster: &Cluster, hops: &[Rc<Hop>], depth: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        for hop in hops {
            let session =
                hop.session_name.as_ref().map(|name| format!(" in session `{name}`")).unwrap_or_default();
            let text = format!("{} becomes {}{session}", short(&hop.from), short(&hop.to));
            if self.0.insert(Rc::as_ptr(hop)) {
                lines.push(Line { depth, text, place: String::new() });
                lines_of(cluster, &hop.verdict, depth + 1, &mut lines);
                continue;
            }
            let first = statements(&hop.verdict.why).first().map(|hit| place(cluster, *hit));
            lines.push(Line { depth, text: format!("{text}, as above"), place: first.unwrap_or_default() });
        }
        lines
    }
}

/// A hop, for machines.
fn hop_document(cluster: &Cluster, hop: &Hop) -> Value {
    json!({
        "from": hop.from,
        "to": hop.to,
        "statements": statements(&hop.verdict.why).into_iter()
            .map(|hit| statement_document(cluster, hit)).collect::<Vec<_>>(),
        "conditions": hop_conditions(cluster, hop),
        "sessionName": hop.session_name,
    })
}

fn hop_conditions(cluster: &Cluster, hop: &Hop) -> Vec<String> {
    if hop.verdict.value == Ternary::Unknown { conditions(cluster, &hop.verdict.why) } else { Vec::new() }
}

/// What the hops of a way depend on, all together.
pub fn way_conditions(cluster: &Cluster, hops: &[Rc<Hop>]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for condition in hops.iter().flat_map(|hop| hop_conditions(cluster, hop)) {
        if !all.contains(&condition) {
            all.push(condition);
        }
    }
    all
}

/// The hops of a way, for machines.
pub fn way_documents(cluster: &Cluster, hops: &[Rc<Hop>]) -> Vec<Value> {
    hops.iter().map(|hop| hop_document(cluster, hop)).collect()
}
