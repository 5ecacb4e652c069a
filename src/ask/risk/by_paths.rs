//! Risks that the search for paths finds, and rights joined with workloads, namespaces and IAM roles.

use super::holders::Holders;
use super::{Held, of_somebody};
use crate::ask::paths::{From, Search, Step, Target, Traced};
use crate::decide::cluster::Cluster;
use crate::knowledge::risks;
use crate::model::finding::{Finding, Level};
use crate::model::names::Name;

/// The codes that are judged here.
pub(super) const CODES: [&str; 11] =
    ["I02", "I09", "I10", "I14", "L01", "L02", "L03", "L04", "L06", "P03", "P14"];

/// Steps by which an operator acts for somebody.
const BY_OPERATOR: [Step; 2] = [Step::RunByOperator, Step::ApplyByOperator];

/// The way that is looked for first.
const ADMIN: Target = Target::Sink("cluster-admin");

/// One step or several, in words.
fn in_steps(depth: u16) -> String {
    if depth == 1 { "1 step".to_owned() } else { format!("{depth} steps") }
}

/// Every finding of this kind about somebody, with what it holds by its roles.
pub(super) fn findings(
    cluster: &Cluster,
    search: &mut Search<'_>,
    holders: &Holders,
    (from, is_admin): (&From, bool),
    held: &[Held],
) -> Vec<Finding> {
    let is_iam = from.title.starts_with("IAM ");
    let workloads = holders.workloads(from);
    let title = &from.title;
    let mut found = Vec::new();
    let mut add =
        |code: &str, scope: &'static str, namespaces: Vec<String>, level: Option<Level>, text: String| {
            let own = risks::risk(code).and_then(|risk| risk.severity_in(scope));
            let level = level.or(own);
            let finding = level.and_then(|level| {
                of_somebody(cluster, holders, from, (code, level), (scope, namespaces), &text)
            });
            found.extend(finding);
        };
    if !workloads.is_empty() && holders.has_token(from) {
        if !held.is_empty() || is_admin {
            let text = format!("{title} holds roles, and its token is mounted in {}", workloads.join(", "));
            add("L06", "cluster", Vec::new(), None, text);
        }
        let everywhere = held.iter().filter(|own| own.severity >= Level::High).max_by_key(|own| own.severity);
        if let Some(strong) = everywhere.filter(|_| holders.is_on_every_node(from)) {
            let text = format!("{title} runs on every node and holds {}", strong.code);
            add("L03", strong.scope, names_of(cluster, &strong.namespaces), None, text);
        }
    }
    if is_admin {
        if !workloads.is_empty() {
            add("L01", "cluster", Vec::new(), None, format!("{title}: a pod runs with everything"));
        }
        return found;
    }
    if let Some(own) = held.iter().find(|own| own.code == "W02").filter(|_| !workloads.is_empty()) {
        let names = names_of(cluster, &own.namespaces);
        let text = format!("{title}: a pod runs with everything in {}", some_of(&names));
        add("L01", own.scope, names, None, text);
    }
    let runs = held.iter().filter(|own| matches!(own.code, "P01" | "P02") && own.scope != "named");
    let mut open: Vec<String> = Vec::new();
    for own in runs {
        let all = search.namespaces_for_privileged_pods();
        let here = names_of(cluster, &own.namespaces);
        open.extend(all.into_iter().filter(|name| own.scope == "cluster" || here.contains(name)));
    }
    open.sort_unstable();
    open.dedup();
    if !open.is_empty() {
        let text = format!("{title} runs pods where nothing refuses privileged ones: {}", some_of(&open));
        add("P03", "namespace", open, None, text);
    }
    let overview = search.overview(from, None);
    if overview.possible.contains(&"cluster-admin") {
        let traced = search.traced_to(from, &ADMIN, None);
        let own = traced.possible.iter().find(|own| own.reach.identity == "cluster-admin");
        if let Some(step) = own.and_then(|own| first_by_operator(&traced, own)) {
            let text = format!(
                "{title} may reach cluster-admin through an operator ({step}); `rbacsim paths --to cluster-admin` shows \
                 the steps and what must hold"
            );
            add("P14", "cluster", Vec::new(), Some(Level::Medium), text);
        }
    }
    let code = if is_iam { "I02" } else { "L02" };
    if (is_iam || !workloads.is_empty())
        && let Some(depth) = overview.depth("cluster-admin")
    {
        let steps = in_steps(depth);
        let text = format!(
            "{title} reaches cluster-admin in {steps}; `rbacsim paths --to cluster-admin` shows them"
        );
        add(code, "cluster", Vec::new(), None, text);
    }
    found
}

fn first_by_operator(traced: &Traced<'_, '_>, own: &crate::ask::paths::Possible) -> Option<Step> {
    traced.hops(&own.reach).iter().map(|hop| hop.step).find(|step| BY_OPERATOR.contains(step))
}

fn names_of(cluster: &Cluster, namespaces: &[Name]) -> Vec<String> {
    let names = &cluster.graph().policy().names;
    namespaces.iter().map(|name| names.text(*name).to_owned()).collect()
}

/// The first few of a list.
fn some_of(names: &[String]) -> String {
    match names {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}

/// Findings about service accounts that are IAM roles, and IAM identities that let themselves in.
pub(super) fn through_iam(cluster: &Cluster, search: &mut Search<'_>, holders: &Holders) -> Vec<Finding> {
    let mut found = Vec::new();
    for (account, arns) in search.accounts_with_roles() {
        let title = &account.title;
        let scope =
            if title.starts_with("ServiceAccount kube-system/") { "kube-system" } else { "namespace" };
        let level = |code: &str, scope: &str| risks::risk(code).and_then(|risk| risk.severity_in(scope));
        if let Some(info) = level("I09", scope) {
            let text = format!("{title} has the IAM role {}", arns.join(", "));
            found.extend(of_somebody(cluster, holders, &account, ("I09", info), (scope, Vec::new()), &text));
        }
        let traced = search.traced_with_possible(&account, None);
        let is_back = |reach: &&crate::ask::paths::Reach| {
            traced.hops(reach).iter().any(|hop| hop.step == Step::MapBack)
        };
        let certain = traced.paths.reached.iter().filter(is_back);
        let possible = traced.possible.iter().map(|own| &own.reach).filter(is_back);
        let (is_certain, back) = match certain.max_by_key(|own| own.identity == "cluster-admin") {
            Some(own) => (true, own.identity.clone()),
            None => match possible.max_by_key(|own| own.identity == "cluster-admin") {
                Some(own) => (false, own.identity.clone()),
                None => continue,
            },
        };
        let scope = if back == "cluster-admin" { "cluster" } else { "namespace" };
        let Some(level) = level("I10", scope) else { continue };
        // What depends on a trust policy that is not in the inputs counts two levels less.
        let level = if is_certain { level } else { level.lowered(2) };
        let verb = if is_certain { "becomes" } else { "may become" };
        let text = format!("{title} {verb} {back} by way of the IAM role {}", arns.join(", "));
        found.extend(of_somebody(cluster, holders, &account, ("I10", level), (scope, Vec::new()), &text));
    }
    let mapped = crate::ask::paths::starts(cluster).into_iter();
    let mapped = mapped.filter(|from| from.title.starts_with("IAM "));
    let froms: Vec<From> = mapped.chain(search.iam_starts()).collect();
    for from in froms {
        if !search.overview(&from, None).may_reach("cluster-admin") {
            continue;
        }
        let traced = search.traced_to(&from, &ADMIN, None);
        let is_door =
            |reach: &crate::ask::paths::Reach| traced.hops(reach).iter().any(|hop| hop.step == Step::EksApi);
        let named = |reach: &crate::ask::paths::Reach| reach.identity == "cluster-admin" && is_door(reach);
        let level = if traced.paths.reached.iter().any(named) {
            Level::Critical
        } else if traced.possible.iter().any(|own| named(&own.reach)) {
            Level::Critical.lowered(2)
        } else {
            continue;
        };
        let text = format!("{} may let itself into the cluster as administrator", from.title);
        found.extend(of_somebody(cluster, holders, &from, ("I14", level), ("cluster", Vec::new()), &text));
    }
    found
}

/// Nodes whose pods together reach cluster-admin, though none of them does alone.
pub(super) fn of_nodes(cluster: &Cluster, search: &mut Search<'_>, holders: &Holders) -> Vec<Finding> {
    let mut found = Vec::new();
    for (node, accounts) in search.nodes() {
        let alone = |search: &mut Search<'_>, account: &From| {
            search.overview(account, None).depth("cluster-admin").is_some()
        };
        if accounts.len() < 2 || accounts.iter().any(|account| alone(search, account)) {
            continue;
        }
        let from = From { title: format!("node {node}"), user: None };
        let Some(depth) = search.overview_of_node(&node).depth("cluster-admin") else { continue };
        let titles: Vec<String> = accounts.iter().map(|own| own.title.clone()).collect();
        let text = format!(
            "the pods on node {node} together reach cluster-admin in {}: {}",
            in_steps(depth),
            some_of(&titles)
        );
        let level = risks::risk("L04").and_then(|risk| risk.severity_in("cluster"));
        let finding = level.and_then(|level| {
            of_somebody(cluster, holders, &from, ("L04", level), ("cluster", Vec::new()), &text)
        });
        found.extend(finding);
    }
    found
}
