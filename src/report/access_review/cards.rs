//! The cards of a review: identities of which everything is equal stand on one, and what they may in the same places by the
//! same grants is one statement.

use std::collections::{BTreeMap, BTreeSet};

use crate::ask::access_review::{AccessReview, Cell, Evidence, Mark, Row};
use crate::model::finding::{Finding, Level};
use crate::model::ternary::Ternary;
use crate::report::{matrix_statement, words};

use super::{Document, places, shown, title};

/// What stands on a card, for one identity or for several of which all of it is equal.
#[derive(Clone, Debug)]
pub struct Card {
    /// The identities, as numbers of rows.
    pub rows: Vec<usize>,
    /// What they may, the gravest first, then what is unknown.
    pub statements: Vec<Statement>,
    /// Why something is unknown.
    pub unknown: Vec<Reason>,
    /// What their access leads to, the gravest first: the code, how grave, and who does what where.
    pub leads_to: Vec<[String; 3]>,
}

/// Capabilities in the same places by the same grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The capabilities, as numbers, the gravest first.
    pub capabilities: Vec<usize>,
    /// Where they are had.
    pub place: String,
    /// Whether they are unknown, and not had otherwise.
    pub is_unknown: bool,
    /// The grants behind them; none for what bypasses RBAC or is unknown.
    pub grants: Vec<Granted>,
}

/// Equal rules for a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// To whom.
    pub to: String,
    /// What the rules say.
    pub rules: Vec<String>,
    /// The roles that hold them.
    pub roles: Vec<Through>,
}

/// A role with what it takes to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    /// The role.
    pub role: String,
    /// Its rules by their numbers, each with its place.
    pub rules: Vec<String>,
    /// The bindings that give it, each with its place.
    pub bindings: Vec<[String; 2]>,
}

/// Why something is unknown: where, why, and the place in the inputs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Where, in the words of the cells.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Where that stands in the inputs; empty where it stands nowhere.
    pub source: String,
}

/// What a grant is told from others by.
type GrantKey = (u32, u32, u32);

fn key_of(evidence: &Evidence<'_>) -> GrantKey {
    (evidence.grant.applied.order(), evidence.grant.subject, evidence.grant.rule)
}

/// What risk findings there are of whom.
#[derive(Debug)]
pub struct Leads<'r> {
    by: BTreeMap<&'r str, Vec<&'r Finding>>,
}

impl<'r> Leads<'r> {
    /// Those that are grave enough, by whoever holds what they are about.
    pub fn of(findings: &'r [Finding]) -> Self {
        let mut by: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| finding.severity >= Level::High) {
            let holders = finding.holders.iter().map(String::as_str);
            let all: BTreeSet<&str> = holders.chain([finding.subject.as_str()]).collect();
            for holder in all {
                by.entry(holder).or_default().push(finding);
            }
        }
        Self { by }
    }

    /// What the access of an identity leads to, the gravest first.
    pub fn to(&self, row: &Row<'_>) -> Vec<&'r Finding> {
        let of_iam = format!("IAM {}", row.holder.identity);
        let mut found: Vec<&Finding> = Vec::new();
        for name in [row.holder.identity.as_str(), of_iam.as_str(), row.key.as_str()] {
            found.extend(self.by.get(name).into_iter().flatten());
        }
        found.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then_with(|| (a.code, &a.message).cmp(&(b.code, &b.message)))
        });
        found.dedup_by(|a, b| a.code == b.code && a.message == b.message);
        found
    }
}

/// What a finding says of somebody: without why it matters, which is the same for all of its code, and without the name of
/// who it is about where that is the card's own.
pub fn said<'f>(finding: &'f Finding, row: &Row<'_>) -> &'f str {
    let why = why(finding.code);
    let text = finding.message.strip_suffix(why).filter(|_| !why.is_empty()).unwrap_or(&finding.message);
    let text = text.trim_end_matches(['.', ' ']);
    let is_own =
        finding.subject == row.key || finding.subject.strip_prefix("IAM ") == Some(&row.holder.identity);
    let own = text.strip_prefix(finding.subject.as_str()).and_then(|rest| rest.strip_prefix(": "));
    own.filter(|_| is_own).unwrap_or(text)
}

/// Why findings of a code matter.
pub fn why(code: &str) -> &'static str {
    crate::knowledge::risks::risk(code).map_or("", |risk| risk.why)
}

/// The cards of a review, those of the gravest access first.
pub fn cards(document: &Document<'_, '_>) -> Vec<Card> {
    let review = document.review;
    let leads = Leads::of(document.findings);
    let mut texts = Texts::default();
    let mut cards: Vec<Card> = Vec::new();
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for group in review.groups() {
        for number in group {
            let Some(row) = review.rows.get(number) else { continue };
            let unknown = reasons(review, row);
            let leads_to: Vec<[String; 3]> = leads
                .to(row)
                .into_iter()
                .map(|one| [one.code.to_owned(), one.severity.to_string(), said(one, row).to_owned()])
                .collect();
            let behind: Vec<Vec<GrantKey>> =
                row.evidence.iter().map(|list| list.iter().map(key_of).collect()).collect();
            let key = (&row.cells, behind, row.holder.is_master(), unknown.clone(), leads_to.clone());
            if let Some(card) = known.get(&key).and_then(|card| cards.get_mut(*card)) {
                card.rows.push(number);
                continue;
            }
            known.insert(key, cards.len());
            let statements = statements(review, row, &mut texts);
            cards.push(Card { rows: vec![number], statements, unknown, leads_to });
        }
    }
    cards
}

/// What a rule of a role says, by role and number, so that none is written twice.
#[derive(Debug, Default)]
struct Texts {
    rules: BTreeMap<(u32, u32), (String, String)>,
}

/// What an identity may, in as few statements as are true.
fn statements(review: &AccessReview<'_>, row: &Row<'_>, texts: &mut Texts) -> Vec<Statement> {
    let mut found: Vec<Found<'_, '_>> = Vec::new();
    for (capability, cell, number) in shown(row) {
        let place = places(review, capability, cell);
        let evidence = row.evidence.get(number).map_or(&[][..], Vec::as_slice);
        let bindings: BTreeSet<(u32, u32)> =
            evidence.iter().map(|one| (one.grant.applied.order(), one.grant.subject)).collect();
        let is_unknown = cell.mark() == Mark::Unknown;
        let equal = found.iter_mut().find(|known| {
            known.place == place && known.is_unknown == is_unknown && known.bindings == bindings
        });
        if let Some(known) = equal {
            known.capabilities.push(number);
            known.evidence.extend(evidence);
        } else {
            let evidence = evidence.iter().collect();
            found.push(Found { capabilities: vec![number], place, is_unknown, evidence, bindings });
        }
    }
    found.sort_by_key(|one| one.is_unknown);
    let statements = found.into_iter().map(|Found { capabilities, place, is_unknown, evidence, .. }| {
        Statement { capabilities, place, is_unknown, grants: granted(review, evidence, texts) }
    });
    statements.collect()
}

/// A statement while its capabilities are gathered.
struct Found<'r, 'c> {
    capabilities: Vec<usize>,
    place: String,
    is_unknown: bool,
    evidence: Vec<&'r Evidence<'c>>,
    bindings: BTreeSet<(u32, u32)>,
}

/// The grants of a statement, each once: equal rules for a subject together, and the bindings of a role together.
fn granted(review: &AccessReview<'_>, mut evidence: Vec<&Evidence<'_>>, texts: &mut Texts) -> Vec<Granted> {
    evidence.sort_by_key(|one| key_of(one));
    evidence.dedup_by_key(|one| key_of(one));
    let cluster = review.matrix.cluster();
    let (graph, policy) = (cluster.graph(), cluster.graph().policy());
    let mut found: Vec<Granted> = Vec::new();
    // The rules of one binding for one subject stand beside each other.
    for of_binding in evidence.chunk_by(|a, b| {
        (a.grant.applied.order(), a.grant.subject) == (b.grant.applied.order(), b.grant.subject)
    }) {
        let (mut rules, mut numbers) = (Vec::new(), Vec::new());
        let mut first = None;
        for one in of_binding {
            let Some(grant) = one.grant.grant(cluster) else { continue };
            let role = grant.applied.role_number().and_then(|number| u32::try_from(number).ok());
            let known = role.and_then(|role| texts.rules.get(&(role, one.grant.rule))).cloned();
            let (text, number) = known.unwrap_or_else(|| {
                let via = match grant.applied.role {
                    Some(role) if !graph.provenance(role, &grant.rule).is_empty() => {
                        format!(" from {}", words::role(policy, grant.rule.owner))
                    }
                    _ => String::new(),
                };
                let place = words::rule_place(policy, &grant.rule);
                let text = words::rule(policy, &grant.rule.rule).to_string();
                let pair = (text, format!("rule {}{via} ({place})", grant.rule.position + 1));
                if let Some(role) = role {
                    texts.rules.insert((role, one.grant.rule), pair.clone());
                }
                pair
            });
            if !rules.contains(&text) {
                rules.push(text);
            }
            numbers.push(number);
            first = first.or(Some(grant));
        }
        let Some(grant) = first else { continue };
        let bound = grant.applied.binding;
        let to = words::granted_to(policy, &grant).map(|named| words::subject(policy, named).to_string());
        let to = to.unwrap_or_default();
        let binding =
            [words::binding(policy, bound).to_string(), words::place(policy, bound.source).to_string()];
        let role = words::role_ref(policy, bound).to_string();
        let known = found.iter().position(|own| own.to == to && own.rules == rules);
        let known = known.unwrap_or_else(|| {
            found.push(Granted { to, rules, roles: Vec::new() });
            found.len() - 1
        });
        let Some(granted) = found.get_mut(known) else { continue };
        match granted.roles.iter_mut().find(|own| own.role == role && own.rules == numbers) {
            Some(own) => own.bindings.push(binding),
            None => granted.roles.push(Through { role, rules: numbers, bindings: vec![binding] }),
        }
    }
    found
}

/// The reasons why something is unknown of an identity, each once; where, as its cells say it.
pub fn reasons(review: &AccessReview<'_>, row: &Row<'_>) -> Vec<Reason> {
    let matrix = &review.matrix;
    let mut found: Vec<Reason> = Vec::new();
    for one in &row.unknown {
        let entry = Reason {
            scope: scope(&row.cells, &one.namespace),
            reason: matrix_statement::reason(matrix, &row.holder, one),
            source: matrix_statement::place(matrix, one),
        };
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}

/// Where a reason counts, in the words of the cells: those that it leaves unknown name their namespaces, and a reason that
/// touches none of them is about what no capability shows.
fn scope(cells: &[Cell], namespace: &str) -> String {
    let anywhere = cells.iter().any(|cell| cell.everywhere == Ternary::Unknown);
    let open: BTreeSet<&str> = cells.iter().flat_map(|cell| &cell.unknown).map(String::as_str).collect();
    match namespace {
        "*" if anywhere => "anywhere".to_owned(),
        "*" if !open.is_empty() => format!("in {}", open.into_iter().collect::<Vec<_>>().join(", ")),
        "*" => super::BEYOND.to_owned(),
        own if anywhere || open.contains(own) => format!("in {own}"),
        own => format!("in {own}, {}", super::BEYOND),
    }
}

/// From how many rules on a list of them is long.
const LONG: usize = 4;

/// Rules, and the roles that hold them with their numbers there.
type Set<'g> = (&'g [String], Vec<(&'g str, &'g [String])>);

/// Long lists of rules that several statements have: they are written once, and named by number elsewhere.
#[derive(Debug, Default)]
pub struct RuleSets<'g> {
    /// The first grant with each.
    pub sets: Vec<&'g Granted>,
}

impl<'g> RuleSets<'g> {
    /// Those of cards, in order.
    pub fn of(cards: &'g [Card]) -> Self {
        let mut seen: Vec<(&Granted, usize)> = Vec::new();
        let mut numbers: BTreeMap<Set<'_>, usize> = BTreeMap::new();
        let statements = cards.iter().flat_map(|card| &card.statements);
        for granted in statements.flat_map(|statement| &statement.grants) {
            let number = *numbers.entry(granted.set()).or_insert_with(|| {
                seen.push((granted, 0));
                seen.len() - 1
            });
            if let Some((_, uses)) = seen.get_mut(number) {
                *uses += 1;
            }
        }
        let is_shared = |(granted, uses): &(&Granted, usize)| *uses > 1 && granted.rules.len() >= LONG;
        Self { sets: seen.into_iter().filter(is_shared).map(|(granted, _)| granted).collect() }
    }

    /// The number of the list of a grant, from 1 on.
    pub fn number(&self, granted: &Granted) -> Option<usize> {
        let found = self.sets.iter().position(|own| own.set() == granted.set());
        found.map(|number| number + 1)
    }
}

impl Granted {
    /// The rules with the roles that hold them.
    fn set(&self) -> Set<'_> {
        let roles = self.roles.iter().map(|through| (through.role.as_str(), through.rules.as_slice()));
        (&self.rules, roles.collect())
    }
}

/// The names of the identities on a card, the first of many, and how many more there are.
pub fn titles<'r>(review: &'r AccessReview<'_>, rows: &[usize], most: usize) -> (Vec<&'r str>, usize) {
    let most = if rows.len() == most + 1 { rows.len() } else { most };
    let named: Vec<&str> =
        rows.iter().take(most).filter_map(|number| review.rows.get(*number)).map(title).collect();
    let more = rows.len() - named.len();
    (named, more)
}
