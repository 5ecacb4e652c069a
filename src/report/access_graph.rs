//! The picture of an answer, or of all access of somebody: ARN, mapping, user and groups, bindings, roles, rules.

use std::collections::BTreeSet;

use crate::ask::access_graph::{Bundle, is_everybodys, of_access, of_answer};
use crate::ask::can_i::Answered;
use crate::ask::matrix::holder::{self, Holder, HolderKind};
use crate::ask::matrix::unknown::{Unknown, asked_as};
use crate::ask::matrix::{Filter, Matrix};
use crate::ask::question::Question;
use crate::decide::cluster::{Cluster, Who, WhoIs};
use crate::decide::graph::{Applied, Principal};
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_AUTHENTICATED, SYSTEM_MASTERS};

use super::diagram::{Diagram, Look, Node};
use super::text::doubt_sentence;
use super::{matrix_statement, phrases, question, text, words};

/// The boxes of somebody, by which bindings find him.
struct Start {
    /// The ARN, or the user where none was given.
    first: usize,
    user: Option<usize>,
    groups: Vec<(String, usize)>,
}

impl Start {
    /// The box that a binding leads from.
    fn of(&self, cluster: &Cluster, principal: Principal) -> usize {
        let names = &cluster.graph().policy().names;
        match principal {
            Principal::Group(name) => {
                let own = self.groups.iter().find(|(group, _)| group == names.text(name));
                own.map_or(self.user.unwrap_or(self.first), |(_, number)| *number)
            }
            Principal::Username(_) => self.user.unwrap_or(self.first),
            Principal::Caller(_) => self.first,
        }
    }
}

fn node(look: Look, line: String, place: String) -> Node {
    let places = if place.is_empty() { Vec::new() } else { vec![place] };
    Node { look, lines: vec![line], places }
}

/// Who asks: ARN, user, groups.
fn start(
    diagram: &mut Diagram,
    cluster: &Cluster,
    who: &Who,
    arn: Option<&str>,
    shows: &dyn Fn(&str) -> bool,
) -> Start {
    let shown = who.shown();
    let arn = arn.map(|arn| diagram.node(node(Look::Arn, arn.to_owned(), String::new())));
    let Some(user) = shown else {
        let first =
            arn.unwrap_or_else(|| diagram.node(node(Look::User, text::asker(who, None), String::new())));
        return Start { first, user: None, groups: Vec::new() };
    };
    let name = match user.username.as_str() {
        "" => "User with an unknown name".to_owned(),
        name => format!("User {name}"),
    };
    let number = diagram.node(node(Look::User, name, String::new()));
    let how = match &who.is {
        WhoIs::Mapped(mapped) => {
            let source = cluster.sources().show(mapped.provenance.source).to_string();
            if let Some(own) = diagram.nodes.get_mut(number)
                && !own.places.contains(&source)
            {
                own.places.push(source);
            }
            mapped.provenance.kind.as_str()
        }
        _ => "",
    };
    if let Some(arn) = arn {
        diagram.edge(arn, number, how, true);
    }
    let groups: Vec<(String, usize)> = user
        .groups
        .iter()
        .filter(|group| shows(group))
        .map(|group| {
            let own = diagram.node(node(Look::Group, format!("Group {group}"), String::new()));
            diagram.edge(number, own, "", true);
            (group.clone(), own)
        })
        .collect();
    Start { first: arn.unwrap_or(number), user: Some(number), groups }
}

/// The bindings, roles and rules of bundles; gives the boxes of the rules with the requests that they allow.
fn bundles(
    diagram: &mut Diagram,
    cluster: &Cluster,
    start: &Start,
    bundles: &[Bundle<'_>],
) -> Vec<(usize, Vec<usize>)> {
    let graph = cluster.graph();
    let policy = graph.policy();
    let mut ends = Vec::new();
    for bundle in bundles {
        let each = |line: &dyn Fn(&Applied<'_>) -> String| -> Vec<String> {
            let mut seen = BTreeSet::new();
            bundle.applied.iter().map(line).filter(|line| seen.insert(line.clone())).collect()
        };
        let binding = diagram.node(Node {
            look: Look::Binding,
            lines: each(&|applied| words::binding(policy, applied.binding).to_string()),
            places: each(&|applied| words::place(policy, applied.binding.source).to_string()),
        });
        for principal in &bundle.principals {
            let from = start.of(cluster, *principal);
            diagram.edge(from, binding, "", true);
        }
        let is_missing = bundle.applied.iter().all(|applied| applied.role.is_none());
        let mut lines = each(&|applied| words::role_ref(policy, applied.binding).to_string());
        if is_missing {
            lines.push("not in the inputs: what it grants is unknown".to_owned());
        }
        let role = diagram.node(Node {
            look: if is_missing { Look::Missing } else { Look::Role },
            lines,
            places: each(&|applied| {
                applied.role.map_or(String::new(), |role| words::place(policy, role.source).to_string())
            })
            .into_iter()
            .filter(|place| !place.is_empty())
            .collect(),
        });
        diagram.edge(binding, role, "", !is_missing);
        if bundle.rules.is_empty() {
            continue;
        }
        let (mut lines, mut places) = (Vec::new(), Vec::new());
        for rule in &bundle.rules {
            let line = words::rule(policy, &rule.rule).to_string();
            let place = words::rule_place(policy, rule).to_string();
            if !lines.contains(&line) {
                lines.push(line);
            }
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let rules = diagram.node(Node { look: Look::Rules, lines, places });
        diagram.edge(role, rules, "", true);
        ends.push((rules, bundle.requests.clone()));
    }
    ends
}

/// The box of what bypasses RBAC, if somebody is in `system:masters`.
fn bypass(diagram: &mut Diagram, start: &Start) -> Option<usize> {
    let (_, group) = start.groups.iter().find(|(group, _)| group == SYSTEM_MASTERS)?;
    let group = *group;
    let own = diagram.node(node(Look::Bypass, phrases::BYPASSES_RBAC.to_owned(), String::new()));
    diagram.edge(group, own, "", true);
    Some(own)
}

/// Adds all that somebody may, in one namespace if one is given; with what is unknown of it.
pub fn add_access(
    diagram: &mut Diagram,
    cluster: &Cluster,
    who: &Who,
    arn: Option<&str>,
    namespace: Option<&str>,
) {
    let start = start(diagram, cluster, who, arn, &|_| true);
    let holder = match (&who.is, arn) {
        (WhoIs::User(user), None) => holder::of_user(cluster, user.clone()),
        _ => holder::of_identity(cluster, arn.unwrap_or_default(), who.clone()),
    };
    bypass(diagram, &start);
    bundles(diagram, cluster, &start, &of_access(cluster, &holder, namespace));
    unknown(diagram, &Matrix::new(cluster, &Filter::default()), &holder, &start, namespace);
    if let Some(error) = who.error() {
        let own = diagram.node(node(Look::Unknown, error.to_string(), String::new()));
        diagram.edge(start.first, own, "", false);
    }
}

/// Adds what a holder of a matrix may, without what every user may by the roles of Kubernetes itself.
pub fn add_holder(diagram: &mut Diagram, matrix: &Matrix<'_>, holder: &Holder) {
    let cluster = matrix.cluster();
    let mut own = of_access(cluster, holder, None);
    own.retain(|bundle| !is_everybodys(cluster.graph(), bundle));
    let start = match holder.kind {
        // Whoever is in it: the picture begins with the group.
        HolderKind::Group => {
            let number = diagram.node(node(Look::Group, format!("Group {}", holder.identity), String::new()));
            Start { first: number, user: None, groups: vec![(holder.identity.clone(), number)] }
        }
        kind => {
            let names = &cluster.graph().policy().names;
            let of_groups = |principal: &Principal| match principal {
                Principal::Group(name) => Some(names.text(*name)),
                _ => None,
            };
            let used: BTreeSet<&str> =
                own.iter().flat_map(|bundle| &bundle.principals).filter_map(of_groups).collect();
            let shows = |group: &str| group != SYSTEM_AUTHENTICATED || used.contains(group);
            let arn = (kind == HolderKind::Iam).then_some(holder.identity.as_str());
            start(diagram, cluster, &asked_as(holder), arn, &shows)
        }
    };
    bypass(diagram, &start);
    bundles(diagram, cluster, &start, &own);
    unknown(diagram, matrix, holder, &start, None);
}

/// What is unknown of somebody, in one box.
fn unknown(
    diagram: &mut Diagram,
    matrix: &Matrix<'_>,
    holder: &Holder,
    start: &Start,
    namespace: Option<&str>,
) {
    let counts = |one: &&Unknown<'_>| {
        namespace
            .is_none_or(|namespace| matches!(one.namespace.as_str(), "" | "*") || one.namespace == namespace)
    };
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    for one in matrix.unknown(holder).iter().filter(counts) {
        let place =
            if one.namespace == "*" { "anywhere".to_owned() } else { format!("in {}", one.namespace) };
        let line = format!("unknown {place}: {}", matrix_statement::reason(matrix, holder, one));
        if !lines.contains(&line) {
            lines.push(line);
        }
        let source = matrix_statement::place(matrix, one);
        if !source.is_empty() && !places.contains(&source) {
            places.push(source);
        }
    }
    if !lines.is_empty() {
        let own = diagram.node(Node { look: Look::Unknown, lines, places });
        diagram.edge(start.user.unwrap_or(start.first), own, "", false);
    }
}

/// Adds an answer: what leads to the rules that allow it, or what is unknown.
pub fn add_answer(
    diagram: &mut Diagram,
    cluster: &Cluster,
    (who, arn): (&Who, Option<&str>),
    asked: &Question,
    answered: &Answered<'_>,
) {
    let start = start(diagram, cluster, who, arn, &|_| true);
    let bypass =
        answered.answers.iter().any(|answer| answer.is_master).then(|| bypass(diagram, &start)).flatten();
    let ends = bundles(diagram, cluster, &start, &of_answer(cluster, answered));
    let mut questions = Vec::new();
    for ((answer, part), number) in answered.answers.iter().zip(&asked.parts).zip(0usize..) {
        let look = look(answer.ternary);
        let line = format!("{} - {}", answer.ternary, part.request.attributes());
        let own = diagram.node(node(look, line, String::new()));
        questions.push((own, answer.ternary));
        for (rules, _) in ends.iter().filter(|(_, requests)| requests.contains(&number)) {
            diagram.edge(*rules, own, "", true);
        }
        if let Some(bypass) = bypass.filter(|_| answer.is_master) {
            diagram.edge(bypass, own, "", true);
        }
        let from = start.user.unwrap_or(start.first);
        if answer.ternary == Ternary::No {
            let why = who.error().map_or_else(|| "no rule allows it".to_owned(), ToString::to_string);
            diagram.edge(from, own, &why, false);
        }
        if answer.ternary == Ternary::Unknown && !answer.doubts.is_empty() {
            let mut lines: Vec<String> =
                answer.doubts.iter().map(|doubt| doubt_sentence(cluster, doubt)).collect();
            lines.dedup();
            let doubts = diagram.node(Node { look: Look::Unknown, lines, places: Vec::new() });
            diagram.edge(from, doubts, "", false);
            diagram.edge(doubts, own, "", false);
        }
    }
    // An operation needs several requests: the answer to it stands behind theirs.
    if let [_, _, ..] = questions.as_slice() {
        let line = format!("{} - {}", answered.ternary, question::title(asked));
        let own = diagram.node(node(look(answered.ternary), line, String::new()));
        for (number, ternary) in questions {
            if number != own {
                diagram.edge(number, own, "", ternary == Ternary::Yes);
            }
        }
    }
}

fn look(ternary: Ternary) -> Look {
    match ternary {
        Ternary::Yes => Look::Yes,
        Ternary::No => Look::No,
        Ternary::Unknown => Look::Open,
    }
}

/// Adds the way from an ARN to a role that it may become.
pub fn add_way(diagram: &mut Diagram, arn: &str, role: &str, is_certain: bool) {
    let from = diagram.node(node(Look::Arn, arn.to_owned(), String::new()));
    let to = diagram.node(node(Look::Arn, role.to_owned(), String::new()));
    if let Some(own) = diagram.nodes.get_mut(to) {
        own.look = Look::Becomes;
    }
    diagram.edge(from, to, "may become", is_certain);
}
