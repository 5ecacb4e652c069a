//! Risks on effective access: what each identity may do by all its roles together, where, and what it leads to.
//!
//! The questions of the catalogue are taken apart into single requests. What each rule answers to each of them is found
//! once, by the one matcher; a role answers what its rules do, an identity what its roles do.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ask::paths::{From, Search, starts};
use crate::ask::system::System;
use crate::decide::cluster::Cluster;
use crate::decide::evaluate::matches::{Request, Target};
use crate::decide::graph::{Principal, RbacGraph};
use crate::knowledge::risks::{self, All, Ask, At, Names, Risk, Verdict};
use crate::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use crate::model::finding::{Finding, Level};
use crate::model::names::Name;
use crate::model::rbac::{RuleId, Scope, Subject};
use crate::model::source::Source;

mod by_paths;
mod holders;
mod shape;

use holders::Holders;

/// Single requests that some risk asks, as bits.
type Bits = Vec<u64>;

/// What roles together answer.
#[derive(Clone, Debug, Default)]
struct Answers {
    any: Bits,
    /// Requests that are allowed for some names.
    some: Bits,
    named: Vec<(u32, Name)>,
}

impl Answers {
    fn has(bits: &Bits, atom: u32) -> bool {
        bits.get(atom as usize / 64).is_some_and(|word| word >> (atom % 64) & 1 == 1)
    }

    fn set(bits: &mut Bits, atom: u32) {
        let at = atom as usize / 64;
        if bits.len() <= at {
            bits.resize(at + 1, 0);
        }
        if let Some(word) = bits.get_mut(at) {
            *word |= 1 << (atom % 64);
        }
    }

    fn add(&mut self, other: &Self) {
        for (own, more) in [(&mut self.any, &other.any), (&mut self.some, &other.some)] {
            if own.len() < more.len() {
                own.resize(more.len(), 0);
            }
            for (word, more) in own.iter_mut().zip(more) {
                *word |= more;
            }
        }
        self.named.extend_from_slice(&other.named);
    }
}

/// A question of the catalogue with its requests numbered.
#[derive(Clone, Debug)]
struct Asked {
    atoms: Vec<u32>,
    names: Names,
    at: At,
}

type Needs = Vec<Vec<Asked>>;

/// A risk, ready to be asked.
struct Ready {
    risk: &'static Risk,
    needs: Vec<Needs>,
    not: Needs,
    urls: Vec<u32>,
}

/// How a need is met.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Met {
    No,
    /// Only with names that a rule says.
    Named,
    Yes,
}

/// The questions of all risks.
struct Table {
    ready: Vec<Ready>,
    answers: Vec<Answers>,
}

impl Table {
    fn new(cluster: &Cluster) -> Self {
        let graph = cluster.graph();
        let names = &graph.policy().names;
        let mut numbers: FxHashMap<(&str, &str, &str), u32> = FxHashMap::default();
        let mut requests: Vec<Request<'static>> = Vec::new();
        // Of types that nobody is known to have installed only rules count that name their group.
        let mut custom: Vec<bool> = Vec::new();
        let catalogue = cluster.catalogue();
        let mut atom = |verb: &'static str, group: &'static str, resource: &'static str| {
            *numbers.entry((verb, group, resource)).or_insert_with(|| {
                let attributes = if resource.starts_with('/') {
                    Attributes::NonResource(NonResourceAttributes { verb, path: resource })
                } else {
                    Attributes::Resource(ResourceAttributes::of(verb, group, resource))
                };
                requests.push(graph.lexicon.request(names, &attributes));
                let plural = resource.split('/').next().unwrap_or(resource);
                custom.push(
                    group.contains('.')
                        && !catalogue.is_built_in(group, plural)
                        && catalogue.find(group, plural).is_none(),
                );
                u32::try_from(requests.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let version = cluster.version();
        let mut ready = Vec::new();
        for risk in risks::all().iter().filter(|risk| risk.applies_to(version)) {
            let mut asked = |ask: &Ask, verbs: Option<&[&'static str]>| {
                let verbs = verbs.unwrap_or(&ask.verbs);
                let pairs =
                    verbs.iter().flat_map(|verb| ask.resources.iter().map(move |kind| (*verb, *kind)));
                let atoms = pairs.map(|(verb, kind)| atom(verb, ask.group, kind)).collect();
                Asked { atoms, names: ask.names.clone(), at: ask.at }
            };
            let mut needs = |all: &All, verbs: Option<&[&'static str]>| -> Needs {
                all.iter().map(|asks| asks.iter().map(|ask| asked(ask, verbs)).collect()).collect()
            };
            let verbs = risk.verbs_in(version);
            let own = risk.needs.iter().map(|all| needs(all, verbs)).collect();
            let not = needs(&risk.not, None);
            let urls = risk.urls.iter().map(|url| atom("get", "", url)).collect();
            if !risk.needs.is_empty() || !risk.urls.is_empty() {
                ready.push(Ready { risk, needs: own, not, urls });
            }
        }
        let answers = answers_of_roles(cluster, &requests, &custom);
        Self { ready, answers }
    }
}

/// What every loaded role answers.
fn answers_of_roles(cluster: &Cluster, requests: &[Request<'static>], custom: &[bool]) -> Vec<Answers> {
    let graph = cluster.graph();
    let policy = graph.policy();
    let mut known: FxHashMap<RuleId, Vec<u32>> = FxHashMap::default();
    let mut matched = |rule: RuleId| {
        known
            .entry(rule)
            .or_insert_with(|| {
                let limited = policy.rules.get(rule).resource_names.first().copied();
                let allows = |request: &Request<'static>| {
                    let mut request = *request;
                    if let Target::Resource { name, .. } = &mut request.target {
                        *name = limited.unwrap_or(Name::UNKNOWN);
                    }
                    graph.lexicon.allows(policy, rule, &request)
                };
                let has_star = policy.rules.get(rule).api_groups.contains(&Name::STAR);
                (0u32..)
                    .zip(requests.iter().zip(custom))
                    .filter(|(_, (request, is_custom))| !(**is_custom && has_star) && allows(request))
                    .map(|(atom, _)| atom)
                    .collect()
            })
            .clone()
    };
    let mut all = Vec::with_capacity(policy.roles.len());
    for role in &policy.roles {
        let mut answers = Answers::default();
        for rule in graph.rules_in_force(role) {
            let names = rule.rule.resource_names;
            for atom in matched(rule.placed.rule) {
                if names.is_empty() {
                    Answers::set(&mut answers.any, atom);
                } else {
                    Answers::set(&mut answers.some, atom);
                    answers.named.extend(names.iter().map(|name| (atom, *name)));
                }
            }
        }
        all.push(answers);
    }
    all
}

/// An identity with what its roles answer.
struct Effective {
    cluster: Answers,
    /// Per namespace what is allowed there besides.
    namespaces: Vec<(Name, Answers)>,
}

impl Effective {
    fn of(graph: &RbacGraph, table: &Table, principals: &[Principal]) -> Self {
        let mut cluster = Answers::default();
        let mut namespaces: FxHashMap<Name, Answers> = FxHashMap::default();
        for principal in principals {
            for scope in graph.scopes_of(*principal) {
                for applied in graph.bindings_of(*principal, scope) {
                    let Some(answers) = applied.role_number().and_then(|role| table.answers.get(role)) else {
                        continue;
                    };
                    match scope {
                        Scope::Cluster => cluster.add(answers),
                        Scope::Namespace(namespace) => namespaces.entry(namespace).or_default().add(answers),
                    }
                }
            }
        }
        let names = &graph.policy().names;
        let mut namespaces: Vec<(Name, Answers)> = namespaces.into_iter().collect();
        namespaces.sort_by_key(|(namespace, _)| names.text(*namespace));
        Self { cluster, namespaces }
    }

    fn at(&self, namespace: Name) -> Option<&Answers> {
        self.namespaces.iter().find(|(own, _)| *own == namespace).map(|(_, answers)| answers)
    }
}

/// Where a question is asked: the cluster, or a namespace in it.
#[derive(Copy, Clone)]
struct Asking<'a> {
    graph: &'a RbacGraph,
    own: &'a Effective,
    /// `None` for the cluster.
    namespace: Option<Name>,
}

impl Asking<'_> {
    fn meets(&self, asked: &Asked) -> Met {
        let names = &self.graph.policy().names;
        let here = match asked.at {
            At::Cluster => None,
            At::Scope | At::Own => self.namespace,
            At::KubeSystem => Some(names.lookup("kube-system")),
        };
        let parts = [Some(&self.own.cluster), here.and_then(|namespace| self.own.at(namespace))];
        let mut best = Met::No;
        for answers in parts.into_iter().flatten() {
            for atom in &asked.atoms {
                if Answers::has(&answers.any, *atom) {
                    return Met::Yes;
                }
                if !Answers::has(&answers.some, *atom) {
                    continue;
                }
                let has = |name: Name| answers.named.contains(&(*atom, name));
                match &asked.names {
                    Names::Some => best = Met::Named,
                    Names::These(these) if these.iter().any(|name| has(names.lookup(name))) => {
                        return Met::Yes;
                    }
                    _ if asked.at == At::Own && self.namespace.is_some_and(has) => return Met::Yes,
                    _ => {}
                }
            }
        }
        best
    }

    fn all(&self, needs: &Needs) -> Met {
        let of = |asks: &Vec<Asked>| asks.iter().map(|asked| self.meets(asked)).max().unwrap_or(Met::No);
        needs.iter().map(of).min().unwrap_or(Met::No)
    }

    fn holds(&self, ready: &Ready) -> Met {
        if !ready.urls.is_empty() {
            let any = ready.urls.iter().any(|url| Answers::has(&self.own.cluster.any, *url));
            return if any && self.namespace.is_none() { Met::Yes } else { Met::No };
        }
        if !ready.not.is_empty() && self.all(&ready.not) != Met::No {
            return Met::No;
        }
        ready.needs.iter().map(|needs| self.all(needs)).max().unwrap_or(Met::No)
    }
}

/// A risk that an identity has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    code: &'static str,
    severity: Level,
    scope: &'static str,
    namespaces: Vec<Name>,
}

/// The risks of an identity, each in the widest scope in which it holds.
fn held(graph: &RbacGraph, table: &Table, own: &Effective) -> Vec<Held> {
    let mut found: Vec<Held> = Vec::new();
    let kube_system = graph.policy().names.lookup("kube-system");
    for ready in &table.ready {
        let risk = ready.risk;
        let mut levels: Vec<(&'static str, Level)> = Vec::new();
        let mut namespaces: Vec<Name> = Vec::new();
        let level = |scope: &'static str, met: Met| match met {
            Met::No => None,
            Met::Named => risk.severity_in("named").map(|level| ("named", level)),
            Met::Yes => risk.severity_in(scope).map(|level| (scope, level)),
        };
        let in_cluster = Asking { graph, own, namespace: None }.holds(ready);
        if let Some(level) = level("cluster", in_cluster) {
            levels.push(level);
        } else {
            let spaces = own.namespaces.iter().map(|(namespace, _)| *namespace);
            // Rights in the whole cluster count in kube-system as well.
            let extra = (!spaces.clone().any(|own| own == kube_system) && in_cluster != Met::No)
                .then_some(kube_system);
            for namespace in spaces.chain(extra) {
                let met = Asking { graph, own, namespace: Some(namespace) }.holds(ready);
                let scope = if namespace == kube_system { "kube-system" } else { "namespace" };
                if let Some(level) = level(scope, met) {
                    levels.push(level);
                    namespaces.push(namespace);
                }
            }
        }
        let Some((scope, severity)) = levels.into_iter().max_by_key(|(_, level)| *level) else { continue };
        found.push(Held { code: risk.code, severity, scope, namespaces });
    }
    // Nothing else matters of somebody who may do everything.
    if found.iter().any(|held| held.code == "W01") {
        found.retain(|held| held.code == "W01");
    }
    found
}

/// Every finding, the most serious first.
pub fn findings(cluster: &Cluster) -> Vec<Finding> {
    let graph = cluster.graph();
    let table = Table::new(cluster);
    let mut search = Search::new(cluster);
    let holders = Holders::new(cluster);
    let system = System::of(cluster);
    let mut found: Vec<Finding> = Vec::new();
    let mut of_subjects: FxHashMap<String, FxHashSet<&'static str>> = FxHashMap::default();
    let (iam, subjects): (Vec<From>, Vec<From>) =
        starts(cluster).into_iter().partition(|from| from.title.starts_with("IAM "));
    for from in subjects.iter().chain(&iam) {
        let Some(user) = &from.user else { continue };
        let asker = graph.asker(user);
        let own = Effective::of(graph, &table, asker.principals());
        let mut held = held(graph, &table, &own);
        let known: FxHashSet<&'static str> = held.iter().map(|held| held.code).collect();
        if from.title.starts_with("IAM ") {
            // What a group of it has alone is told of the group.
            let parts = user.groups.iter().map(|group| format!("Group {group}"));
            let parts: Vec<String> = parts.chain([format!("User {}", user.username)]).collect();
            let told = |code: &str| {
                parts.iter().any(|part| of_subjects.get(part).is_some_and(|codes| codes.contains(code)))
            };
            held.retain(|held| !told(held.code));
        }
        if Holders::is_system(cluster, &system, from) {
            of_subjects.insert(from.title.clone(), known);
            continue;
        }
        let raise = holders.raise(from);
        let all = held.clone();
        for held in held {
            found.extend(finding(cluster, &holders, from, &held, raise));
        }
        let is_admin = asker.is_master || known.contains("W01");
        found.extend(by_paths::findings(cluster, &mut search, &holders, (from, is_admin), &all));
        of_subjects.insert(from.title.clone(), known);
    }
    found.extend(by_paths::through_iam(cluster, &mut search, &holders));
    found.extend(by_paths::of_nodes(cluster, &mut search, &holders));
    found.extend(shape::findings(cluster));
    found.sort_by(|a, b| {
        let key = |finding: &Finding| {
            (std::cmp::Reverse(finding.severity), finding.code, finding.subject.clone(), finding.source)
        };
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    found
}

/// Where a subject is named first.
fn source_of(cluster: &Cluster, from: &From) -> Option<Source> {
    let graph = cluster.graph();
    let asker = graph.asker(from.user.as_ref()?);
    let mut sources: Vec<Source> = asker
        .principals()
        .iter()
        .take(1)
        .flat_map(|principal| graph.scopes_of(*principal).map(move |scope| (*principal, scope)))
        .flat_map(|(principal, scope)| graph.bindings_of(principal, scope))
        .map(|applied| applied.binding.source)
        .collect();
    sources.sort_unstable();
    sources.first().copied()
}

fn finding(cluster: &Cluster, holders: &Holders, from: &From, held: &Held, raise: usize) -> Option<Finding> {
    let risk = risks::risk(held.code)?;
    let names = &cluster.graph().policy().names;
    let namespaces: Vec<String> = held.namespaces.iter().map(|name| names.text(*name).to_owned()).collect();
    let place = match (held.scope, namespaces.as_slice()) {
        ("cluster", _) => "in the whole cluster".to_owned(),
        ("named", []) => "for some names, in the whole cluster".to_owned(),
        (_, []) => "in kube-system".to_owned(),
        (scope, [one]) => {
            format!("{}in namespace {one}", if scope == "named" { "for some names, " } else { "" })
        }
        (scope, several) => {
            let named = if scope == "named" { "for some names, " } else { "" };
            format!("{named}in {} namespaces", several.len())
        }
    };
    let message = format!("{}: {}, {place}", from.title, risk.title);
    let level = held.severity.raised(raise);
    of_somebody(cluster, holders, from, (held.code, level), (held.scope, namespaces), &message)
}

/// A finding about somebody.
fn of_somebody(
    cluster: &Cluster,
    holders: &Holders,
    from: &From,
    (code, severity): (&str, Level),
    (scope, namespaces): (&'static str, Vec<String>),
    message: &str,
) -> Option<Finding> {
    let risk = risks::risk(code)?;
    Some(Finding {
        source: source_of(cluster, from),
        subject: from.title.clone(),
        scope,
        namespaces,
        holders: holders.behind(from),
        ..Finding::new(risk.code, severity, format!("{message}. {}", risk.why), risk.fix)
    })
}

/// Whether anything of a risk is judged here: what needs an audit log is not.
pub fn is_judged(risk: &Risk) -> bool {
    match risk.verdict {
        Verdict::Effective => true,
        Verdict::Path | Verdict::Objects | Verdict::Shape | Verdict::Mapping => {
            by_paths::CODES.contains(&risk.code) || shape::CODES.contains(&risk.code)
        }
        Verdict::Usage | Verdict::Drop => false,
    }
}

/// The subject of a start, as bindings name it.
fn subject_title(names: &crate::model::names::Names, subject: Subject) -> Option<String> {
    Some(match subject {
        Subject::User(name) => format!("User {}", names.text(name)),
        Subject::Group(name) => format!("Group {}", names.text(name)),
        Subject::ServiceAccount { namespace, name } => {
            format!("ServiceAccount {}/{}", names.text(namespace), names.text(name))
        }
        Subject::Caller(_) => return None,
    })
}
