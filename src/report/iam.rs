//! Answers about IAM, for people and for machines: statements, conditions, ways and doors.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::text;
use super::words::Hop as Line;
use crate::ask::assume_role::{Action, Assumes, WhoAssumes};
use crate::ask::people::{Assumer, Becoming, Who};
use crate::ask::question::Question;
use crate::ask::through::Through;
use crate::decide::cluster::Cluster;
use crate::identity::iam::{
    Difference, Door, DoorKind, Hit, Hop, IamData, Key, KeyGroup, Leaf, Near, NotACaller, Owner, PrincipalId,
    Verdict, Why,
};
use crate::model::ternary::Ternary;

/// What no export holds, said once beside every answer.
pub const NOT_IN_EXPORTS: &str = "this is what IAM's own policies say; service and resource control policies, session policies and VPC endpoint policies are not in an IAM export and can only take away";

/// A document's place; empty where it is not known.
fn place(cluster: &Cluster, hit: Hit) -> String {
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
fn policy(data: &IamData, hit: Hit) -> String {
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

fn statement_document(cluster: &Cluster, hit: Hit) -> Value {
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
fn or(texts: &[Box<str>]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ")
}

/// A condition in words: `aws:SourceIp` must satisfy `IpAddress` `10.0.0.0/8`.
fn condition(data: &IamData, hit: Hit, number: u32, holds: bool) -> String {
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
            (format!("{} ({by})", condition(data, *hit, *number, holds)), Some(*hit))
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
fn lacking(cluster: &Cluster, why: &Why) -> Vec<String> {
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
fn statements(why: &Why) -> Vec<Hit> {
    let mut hits = Vec::new();
    why.statements(&mut hits);
    hits
}

fn lines_of(cluster: &Cluster, verdict: &Verdict, depth: usize, lines: &mut Vec<Line>) {
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
            let text = format!("if {text}");
            if !lines.iter().any(|line| line.text == text && line.place == place) {
                lines.push(Line { depth, text, place });
            }
        }
    }
    lines
}

fn arn(data: &IamData, id: PrincipalId) -> &str {
    data.principal_of(id).map_or("", |principal| &principal.arn.text)
}

/// The hops of a way, for people.
pub fn hop_lines(cluster: &Cluster, hops: &[Hop], depth: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for hop in hops {
        let session =
            hop.session_name.as_ref().map(|name| format!(" in session `{name}`")).unwrap_or_default();
        let text = format!("{} becomes {}{session}", short(&hop.from), short(&hop.to));
        lines.push(Line { depth, text, place: String::new() });
        lines_of(cluster, &hop.verdict, depth + 1, &mut lines);
    }
    lines
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
pub fn way_conditions(cluster: &Cluster, hops: &[Hop]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for condition in hops.iter().flat_map(|hop| hop_conditions(cluster, hop)) {
        if !all.contains(&condition) {
            all.push(condition);
        }
    }
    all
}

/// The hops of a way, for machines.
pub fn way_documents(cluster: &Cluster, hops: &[Hop]) -> Vec<Value> {
    hops.iter().map(|hop| hop_document(cluster, hop)).collect()
}

/// Why nobody can be called so.
pub fn not_a_caller(principal: &str, why: NotACaller) -> String {
    match why {
        NotACaller::NotAnArn => format!(
            "`{principal}` is no principal; give the ARN of a user, role, session or provider, or a service such as `ec2.amazonaws.com`"
        ),
        NotACaller::Group => {
            format!("`{principal}` is a group, and groups are never principals; ask for a member")
        }
        NotACaller::Root => format!("`{principal}` is a root user, and root users cannot assume roles"),
        NotACaller::FederatedUser => {
            format!("`{principal}` is a federated user, and STS lets none of them assume roles")
        }
        NotACaller::Resource => format!("`{principal}` is no principal of IAM"),
    }
}

/// What comes nearest to a "yes".
fn near_line(cluster: &Cluster, near: &Near) -> Line {
    let data = cluster.iam();
    let differs = |difference: &Difference| match difference {
        Difference::Path => "with another path, or none",
        Difference::Case => "in another case, and case matters",
        Difference::Kind => "which is of another kind",
        Difference::Account => "in another account",
    };
    let (text, hit) = match near {
        Near::Denied(hit) => (format!("denied: {}", statement(data, *hit)), Some(*hit)),
        Near::TrustCondition(hit, number) | Near::Condition(hit, number) => (
            format!("{}: {}, and does not", statement(data, *hit), condition(data, *hit, *number, true)),
            Some(*hit),
        ),
        Near::TrustAction(hit) => {
            let actions = data.statement(*hit).map(|found| or(&found.action.written)).unwrap_or_default();
            (format!("{} names the caller, but for {actions}", statement(data, *hit)), Some(*hit))
        }
        Near::TrustOther(hit, written, difference) => {
            (format!("{} names `{written}`, {}", statement(data, *hit), differs(difference)), Some(*hit))
        }
        Near::NotTrusted(doc) => {
            let hit = Hit { doc: *doc, statement: 0, group: None };
            (format!("{} names neither the caller nor its account", policy(data, hit)), Some(hit))
        }
        Near::OtherResource(hit, written, difference) => {
            (format!("{} is for `{written}`, {}", statement(data, *hit), differs(difference)), Some(*hit))
        }
        Near::OtherGroup(hit, group) => {
            let group = data.group(*group).map_or("", |group| &group.name);
            (
                format!("{} would allow it, but only to members of group `{group}`", statement(data, *hit)),
                Some(*hit),
            )
        }
        Near::NotAllowed => ("no policy of the caller, nor of its groups, allows it".to_owned(), None),
        Near::Boundary(doc) => {
            let hit = Hit { doc: *doc, statement: 0, group: None };
            (format!("the boundary, {}, does not allow it", policy(data, hit)), Some(hit))
        }
    };
    Line { depth: 0, text, place: hit.map(|hit| place(cluster, hit)).unwrap_or_default() }
}

/// Who asks for what.
#[derive(Copy, Clone, Debug)]
pub struct Asked<'a> {
    /// The action.
    pub action: Action,
    /// The role.
    pub role: &'a str,
    /// Who asks; nobody in particular for `who-can`.
    pub principal: &'a str,
}

/// Writes whether somebody may become a role.
///
/// # Errors
/// If writing fails.
pub fn can_i(out: &mut dyn Write, cluster: &Cluster, asked: Asked<'_>, answer: &Assumes) -> io::Result<()> {
    let title = format!("{} {}", asked.action.as_str(), asked.role);
    text::headline(out, answer.verdict.value, &title, asked.principal)?;
    writeln!(out)?;
    let mut lines = Vec::new();
    if answer.verdict.value != Ternary::No {
        lines_of(cluster, &answer.verdict, 0, &mut lines);
    }
    lines.extend(answer.near.iter().map(|near| near_line(cluster, near)));
    text::hops(out, &lines, 2)?;
    writeln!(out)?;
    if !answer.chain.is_empty() {
        writeln!(out, "  over other roles:")?;
        text::hops(out, &hop_lines(cluster, &answer.chain, 0), 4)?;
        writeln!(out)?;
    }
    text::notes(out, &[NOT_IN_EXPORTS.to_owned()])
}

/// Whether somebody may become a role, for machines.
pub fn can_i_document(cluster: &Cluster, asked: Asked<'_>, answer: &Assumes) -> Value {
    let verdict = &answer.verdict;
    let is_open = verdict.value == Ternary::Unknown;
    let grants = if verdict.value == Ternary::No { Vec::new() } else { statements(&verdict.why) };
    let near = answer.near.iter().map(|near| {
        let line = near_line(cluster, near);
        json!({ "text": line.text, "source": line.place })
    });
    json!({
        "answer": verdict.value.as_str(),
        "question": { "action": asked.action.as_str(), "role": asked.role, "principal": asked.principal },
        "identity": { "arn": asked.principal },
        "grants": grants.into_iter().map(|hit| statement_document(cluster, hit)).collect::<Vec<_>>(),
        "conditions": if is_open { conditions(cluster, &verdict.why) } else { Vec::new() },
        "unknown": if is_open { lacking(cluster, &verdict.why) } else { Vec::new() },
        "nearest": near.collect::<Vec<_>>(),
        "via": way_documents(cluster, &answer.chain),
        "notes": [NOT_IN_EXPORTS],
    })
}

fn door_title(door: &Door) -> String {
    match door.kind {
        DoorKind::Anyone => "anyone in AWS".to_owned(),
        DoorKind::Account => format!("whoever account {} lets", door.name),
        DoorKind::Stranger => door.name.to_string(),
        DoorKind::Service => format!("service {}", door.name),
        DoorKind::WebIdentity => format!("web identity of {}", door.name),
        DoorKind::Saml => format!("SAML identity of {}", door.name),
    }
}

/// What going through a door and on depends on.
fn door_conditions(cluster: &Cluster, door: &Door, hops: &[Hop]) -> Vec<String> {
    let mut all = Vec::new();
    if door.kind == DoorKind::Account {
        all.push(format!("account {} must allow it to its principals", door.name));
    }
    if door.verdict.value == Ternary::Unknown {
        all.extend(conditions(cluster, &door.verdict.why));
    }
    all.extend(way_conditions(cluster, hops));
    all
}

/// Writes who can become a role.
///
/// # Errors
/// If writing fails.
pub fn who_can(
    out: &mut dyn Write,
    cluster: &Cluster,
    asked: Asked<'_>,
    found: &WhoAssumes,
) -> io::Result<()> {
    let data = cluster.iam();
    let style = text::style(found.ternary());
    let count = found.principals.len();
    writeln!(
        out,
        "{style}{}{style:#} - who can {} {}: {count} {}, {} {}",
        found.ternary(),
        asked.action.as_str(),
        super::visible::visible(asked.role),
        if count == 1 { "principal" } else { "principals" },
        found.doors.len(),
        if found.doors.len() == 1 { "door" } else { "doors" },
    )?;
    let mut lines: Vec<Line> = Vec::new();
    let doors = |kinds: &[DoorKind], lines: &mut Vec<Line>| {
        for (door, hops) in found.doors.iter().filter(|(door, _)| kinds.contains(&door.kind)) {
            lines.push(Line { depth: 0, text: door_title(door), place: place(cluster, door.hit) });
            lines_of(cluster, &door.verdict, 1, lines);
            lines.extend(hop_lines(cluster, hops, 1));
        }
    };
    doors(&[DoorKind::Anyone], &mut lines);
    for (source, hops) in &found.principals {
        let when = if source.value.is_yes() { "" } else { ", on conditions" };
        lines.push(Line { depth: 0, text: format!("{}{when}", arn(data, source.id)), place: String::new() });
        match hops.as_slice() {
            [only] => lines_of(cluster, &only.verdict, 1, &mut lines),
            several => lines.extend(hop_lines(cluster, several, 1)),
        }
    }
    doors(
        &[DoorKind::Service, DoorKind::WebIdentity, DoorKind::Saml, DoorKind::Account, DoorKind::Stranger],
        &mut lines,
    );
    writeln!(out)?;
    text::hops(out, &lines, 2)?;
    writeln!(out)?;
    text::notes(out, &[NOT_IN_EXPORTS.to_owned()])
}

/// Who can become a role, for machines.
pub fn who_can_document(cluster: &Cluster, asked: Asked<'_>, found: &WhoAssumes) -> Value {
    let data = cluster.iam();
    let principals = found.principals.iter().map(|(source, hops)| {
        json!({
            "arn": arn(data, source.id),
            "via": way_documents(cluster, hops),
            "conditions": way_conditions(cluster, hops),
        })
    });
    let doors = found.doors.iter().map(|(door, hops)| {
        json!({
            "kind": door.kind.as_str(),
            "name": door.name,
            "role": arn(data, door.role),
            "via": way_documents(cluster, hops),
            "conditions": door_conditions(cluster, door, hops),
            "source": place(cluster, door.hit),
        })
    });
    json!({
        "answer": found.ternary().as_str(),
        "question": { "action": asked.action.as_str(), "role": asked.role },
        "principals": principals.collect::<Vec<_>>(),
        "doors": doors.collect::<Vec<_>>(),
        "notes": [NOT_IN_EXPORTS],
    })
}

/// The mapped roles that somebody may become, for machines.
pub fn may_become_document(cluster: &Cluster, ways: &[Becoming]) -> Value {
    let document = |way: &Becoming| {
        json!({
            "arn": way.arn,
            "via": way_documents(cluster, &way.hops),
            "conditions": way_conditions(cluster, &way.hops),
        })
    };
    ways.iter().map(document).collect()
}

/// The mapped roles that somebody may become, for people.
pub fn may_become_lines(cluster: &Cluster, ways: &[Becoming], depth: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for way in ways {
        let when = if way.value.is_yes() { "" } else { ", on conditions" };
        lines.push(Line { depth, text: format!("may become `{}`{when}", way.arn), place: String::new() });
        lines.extend(hop_lines(cluster, &way.hops, depth + 1));
    }
    lines
}

/// What somebody's becoming a mapped role depends on.
fn assumer_conditions(cluster: &Cluster, assumer: &Assumer) -> Vec<String> {
    match &assumer.who {
        Who::Door(door) => door_conditions(cluster, door, &assumer.hops),
        _ => way_conditions(cluster, &assumer.hops),
    }
}

/// Who can become a mapped role, for machines.
pub fn assumable_by_document(cluster: &Cluster, people: &[Assumer]) -> Value {
    let document = |assumer: &Assumer| {
        json!({
            "arn": assumer.who.name(),
            "kind": assumer.who.kind(),
            "via": way_documents(cluster, &assumer.hops),
            "conditions": assumer_conditions(cluster, assumer),
        })
    };
    people.iter().map(document).collect()
}

/// Who can become a mapped role, for people.
pub fn assumable_by_lines(cluster: &Cluster, people: &[Assumer], depth: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for assumer in people {
        let show = |source| cluster.sources().show(source).to_string();
        let (name, place) = match &assumer.who {
            Who::Principal(arn) => (short(arn).to_owned(), String::new()),
            Who::Door(door) => (door_title(door), place(cluster, door.hit)),
            Who::Person(person) => {
                let group = person.user.as_ref().and(person.group.as_ref());
                let group = group.map(|group| format!(" by group `{group}`")).unwrap_or_default();
                (format!("{}{group} (Identity Center)", assumer.who.name()), show(person.source))
            }
            Who::Pods(pods) => (
                format!("pods of service account `{}/{}`", pods.namespace, pods.service_account),
                show(pods.source),
            ),
        };
        let when = if assumer.value.is_yes() { "" } else { ", on conditions" };
        lines.push(Line { depth, text: format!("{name}{when}"), place });
        match (&assumer.who, assumer.hops.as_slice()) {
            (Who::Principal(_), [only]) => lines_of(cluster, &only.verdict, depth + 1, &mut lines),
            (who, hops) => {
                if let Who::Door(door) = who {
                    lines_of(cluster, &door.verdict, depth + 1, &mut lines);
                }
                lines.extend(hop_lines(cluster, hops, depth + 1));
            }
        }
    }
    lines
}

/// Writes that an answer holds through a mapped role, before that role's own answer.
///
/// # Errors
/// If writing fails.
pub fn through(
    out: &mut dyn Write,
    cluster: &Cluster,
    own: &str,
    question: &Question,
    found: &Through<'_>,
) -> io::Result<()> {
    let title = super::question::title(question);
    text::headline(out, found.ternary, &title, own)?;
    writeln!(out)?;
    let mut lines = vec![Line {
        depth: 0,
        text: format!("through `{}`, which it may become", found.way.arn),
        place: String::new(),
    }];
    lines.extend(hop_lines(cluster, &found.way.hops, 1));
    text::hops(out, &lines, 2)?;
    writeln!(out)?;
    text::notes(out, &[NOT_IN_EXPORTS.to_owned()])?;
    writeln!(out)
}

/// An answer through a mapped role, for machines: that role's own answer, with the way to it.
pub fn through_document(cluster: &Cluster, own: &str, found: &Through<'_>, mut document: Value) -> Value {
    let conditions = way_conditions(cluster, &found.way.hops);
    if let Some(object) = document.as_object_mut() {
        object.insert("answer".into(), found.ternary.as_str().into());
        if let Some(identity) = object.get_mut("identity").and_then(Value::as_object_mut) {
            identity.insert("arn".into(), own.into());
            identity.insert("through".into(), found.way.arn.clone().into());
        }
        object.insert("via".into(), way_documents(cluster, &found.way.hops).into());
        object.insert("conditions".into(), conditions.into());
        if let Some(notes) = object.get_mut("notes").and_then(Value::as_array_mut) {
            notes.push(NOT_IN_EXPORTS.into());
        }
    }
    document
}
