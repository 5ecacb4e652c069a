//! The access review: which capabilities every identity has, where, by which grants, and what is unknown of them.
//!
//! It is read off the access matrix: what a capability takes are columns of it. So a cell is what the authorizer says, and
//! what the matrix calls unknown is unknown here.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use crate::ask::matrix::holder::LeftOut;
use crate::ask::matrix::unknown::{Reason, Unknown, asked_as};
use crate::ask::matrix::{Crowd, Dense, Filter, Holder, Matrix, RowGrants, Scratch};
use crate::ask::who_can::GrantRef;
use crate::decide::cluster::Cluster;
use crate::knowledge::capabilities::{CAPABILITIES, Capability, Reach};
use crate::model::names::Name;
use crate::model::ternary::Ternary;

pub mod decisions;
mod digest;
mod need;
mod population;

pub use digest::{of_access, of_text};
pub use population::Population;

use need::{Compiled, Facts, Spot};

/// What is shown of a capability at a glance.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// Not at all.
    No,
    /// The inputs cannot tell.
    Unknown,
    /// Only for objects of certain names.
    Named,
    /// In some namespaces.
    Namespaces,
    /// Everywhere, in namespaces of the future too.
    Everywhere,
}

impl Mark {
    /// In one word, for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Named => "names",
            Self::Namespaces => "namespaces",
            Self::Everywhere => "everywhere",
        }
    }
}

/// Whether an identity has a capability, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// For the whole cluster, or in all namespaces at once.
    pub everywhere: Ternary,
    /// The namespaces in which it has it, where not everywhere.
    pub namespaces: Vec<String>,
    /// Where it has it for objects of certain names only: `*` or a namespace, and the names.
    pub named: Vec<(String, Vec<String>)>,
    /// The namespaces in which it is unknown, where not everywhere.
    pub unknown: Vec<String>,
}

impl Cell {
    /// What is shown at a glance: the strongest of it.
    pub fn mark(&self) -> Mark {
        if self.everywhere.is_yes() {
            Mark::Everywhere
        } else if !self.namespaces.is_empty() {
            Mark::Namespaces
        } else if !self.named.is_empty() {
            Mark::Named
        } else if self.is_open() {
            Mark::Unknown
        } else {
            Mark::No
        }
    }

    /// Whether something of it is unknown.
    pub fn is_open(&self) -> bool {
        self.everywhere == Ternary::Unknown || !self.unknown.is_empty()
    }
}

/// A grant behind a capability.
#[derive(Clone, Debug)]
pub struct Evidence<'c> {
    /// Where it counts: empty for the cluster, `*` for every namespace, or a namespace.
    pub heading: String,
    /// The grant.
    pub grant: GrantRef<'c>,
}

/// What is reviewed of one identity.
#[derive(Clone, Debug)]
pub struct Row<'c> {
    /// Who it is.
    pub holder: Holder,
    /// What names it in a file of decisions.
    pub key: String,
    /// Per capability, in the order of [`CAPABILITIES`].
    pub cells: Vec<Cell>,
    /// The grants behind each.
    pub evidence: Vec<Vec<Evidence<'c>>>,
    /// Why something is unknown.
    pub unknown: Vec<Unknown<'c>>,
    /// A hash of all that is granted to it, beyond the capabilities.
    pub access_sha256: String,
}

impl Row<'_> {
    /// The marks of all capabilities.
    pub fn marks(&self) -> Vec<Mark> {
        self.cells.iter().map(Cell::mark).collect()
    }

    /// The capabilities with their cells, the gravest first.
    pub fn capabilities(&self) -> impl Iterator<Item = (&'static Capability, &Cell)> {
        CAPABILITIES.iter().zip(&self.cells)
    }
}

/// An access review.
#[derive(Debug)]
pub struct AccessReview<'c> {
    /// The matrix that it is read off.
    pub matrix: Matrix<'c>,
    /// The identities, those that may do the gravest things first.
    pub rows: Vec<Row<'c>>,
    /// Subjects of bindings that have no row of their own, for an identity of the review acts as them.
    pub covered: Vec<String>,
    /// Who was left out.
    pub left_out: LeftOut,
    /// How many namespaces the inputs know.
    pub namespaces_known: usize,
}

impl<'c> AccessReview<'c> {
    /// Reviews a population.
    pub fn of(cluster: &'c Cluster, population: Population) -> Self {
        let Population { holders, covered, left_out } = population;
        let mut matrix = Matrix::new(cluster, &filter(cluster));
        if !cluster.iam().is_empty() {
            matrix = matrix.with_people(Crowd::of(cluster, &holders));
        }
        let compiled: Vec<Compiled> = CAPABILITIES
            .iter()
            .map(|capability| Compiled::of(&capability.needs, cluster, matrix.universe()))
            .collect();
        let everything = Matrix::new(cluster, &Filter::default());
        let (mut scratch, mut keys) = (Scratch::default(), BTreeSet::new());
        let mut rows = Vec::new();
        for holder in holders {
            let mut row = row(&matrix, &compiled, holder, &mut scratch);
            row.access_sha256 = of_access(&everything, &row.holder, &mut scratch);
            while !keys.insert(row.key.clone()) {
                row.key.push('+');
            }
            rows.push(row);
        }
        rows.sort_by(|a, b| b.marks().cmp(&a.marks()).then_with(|| a.key.cmp(&b.key)));
        Self { matrix, rows, covered, left_out, namespaces_known: cluster.namespaces().len() }
    }

    /// The identities whose access is wholly equal, as numbers of rows, in the order of the rows; nobody is judged for
    /// another, they are only looked at together.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<(usize, &[Cell]), Vec<usize>> = BTreeMap::new();
        let mut first: BTreeMap<&[Cell], usize> = BTreeMap::new();
        for (row, number) in self.rows.iter().zip(0usize..) {
            let first = *first.entry(&row.cells).or_insert(number);
            groups.entry((first, &row.cells)).or_default().push(number);
        }
        groups.into_values().collect()
    }
}

/// The columns that the capabilities take.
fn filter(cluster: &Cluster) -> Filter {
    let mut columns = BTreeSet::new();
    for ask in CAPABILITIES.iter().flat_map(|capability| capability.needs.asks()) {
        if need::counts(ask, cluster) {
            let column = |verb: &&str| (ask.group.to_owned(), ask.resource.to_owned(), (*verb).to_owned());
            columns.extend(ask.verbs.iter().map(column));
        }
    }
    Filter { columns: Some(columns.into_iter().collect()), ..Filter::default() }
}

fn row<'c>(matrix: &Matrix<'c>, compiled: &[Compiled], holder: Holder, scratch: &mut Scratch) -> Row<'c> {
    let unknown = matrix.unknown(&holder);
    let mut facts = Facts { who: asked_as(&holder), is_open: !unknown.is_empty(), ..Facts::default() };
    let gathered: Result<(), std::convert::Infallible> = matrix.blocks(&holder, scratch, |block| {
        facts.any.insert(block.namespace.to_owned(), block.any.clone());
        facts.named.insert(block.namespace.to_owned(), block.named.to_vec());
        Ok(())
    });
    let Ok(()) = gathered;
    for block in matrix.unknown_blocks(&holder, &unknown, scratch) {
        facts.open.insert(block.namespace, block.columns);
    }
    facts.in_doubt = names_in_doubt(matrix, &unknown);
    let spots = spots(matrix, &facts, &unknown);
    let mut cells = Vec::new();
    let mut wanted: BTreeMap<String, Vec<(usize, u32)>> = BTreeMap::new();
    for ((capability, compiled), number) in CAPABILITIES.iter().zip(compiled).zip(0usize..) {
        let look = Look { matrix, capability, compiled, facts: &facts };
        let mut support = Vec::new();
        cells.push(look.cell(&spots, &mut support));
        for (heading, column) in support {
            wanted.entry(heading).or_default().push((number, column));
        }
    }
    let evidence = evidence(matrix, &holder, scratch, &wanted);
    let key = format!("{} {}", holder.kind.as_str(), holder.identity);
    Row { holder, key, cells, evidence, unknown, access_sha256: String::new() }
}

/// The namespaces in which something is granted or unknown.
fn spots(matrix: &Matrix<'_>, facts: &Facts, unknown: &[Unknown<'_>]) -> BTreeSet<String> {
    let names = &matrix.cluster().graph().policy().names;
    let headings = facts.any.keys().chain(facts.open.keys()).cloned();
    let mut spots: BTreeSet<String> =
        headings.chain(unknown.iter().map(|one| one.namespace.clone())).collect();
    spots.retain(|spot| !spot.is_empty() && spot != "*");
    // A rule of a ClusterRole that names Namespace objects counts in each of these.
    let own = matrix.universe().own_namespace();
    let of_cluster = facts.named.get("").into_iter().flatten().filter(|(column, _)| own.contains(*column));
    spots.extend(of_cluster.map(|(_, name)| names.text(*name).to_owned()));
    spots
}

/// The names that rules spell which may turn out to apply: by heading.
fn names_in_doubt(matrix: &Matrix<'_>, unknown: &[Unknown<'_>]) -> BTreeMap<String, BTreeSet<String>> {
    let graph = matrix.cluster().graph();
    let policy = graph.policy();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in unknown {
        let applied: Vec<_> = match &one.reason {
            Reason::Session(_, applied) | Reason::UnknownScope(applied) => vec![*applied],
            // Whoever the placeholder makes of it may be named by any binding.
            Reason::Unfilled(_) | Reason::UnfilledName(_) | Reason::RandomMapping => {
                graph.bindings().collect()
            }
            _ => Vec::new(),
        };
        for applied in applied {
            let heading = match applied.binding.scope.namespace() {
                Name::EMPTY => "*",
                namespace => policy.names.text(namespace),
            };
            for rule in graph.granted_rules(&applied) {
                let names = rule.rule.resource_names.iter().map(|name| policy.names.text(*name).to_owned());
                found.entry(heading.to_owned()).or_default().extend(names);
            }
        }
    }
    found.retain(|_, names| !names.is_empty());
    found
}

/// One capability of one holder.
struct Look<'l, 'c> {
    matrix: &'l Matrix<'c>,
    capability: &'l Capability,
    compiled: &'l Compiled,
    facts: &'l Facts,
}

impl Look<'_, '_> {
    /// The cell, and the columns that stand behind it by heading.
    fn cell(&self, spots: &BTreeSet<String>, support: &mut Vec<(String, u32)>) -> Cell {
        let names = &self.matrix.cluster().graph().policy().names;
        let Self { compiled, facts, matrix, .. } = self;
        let mut cell = Cell {
            everywhere: compiled.answer(matrix, facts, Spot::Everywhere),
            namespaces: Vec::new(),
            named: Vec::new(),
            unknown: Vec::new(),
        };
        let mut behind = |spot: Spot<'_>, by_name: bool| {
            let mut columns = Vec::new();
            compiled.support(matrix, facts, spot, by_name, &mut columns);
            for heading in spot.headings() {
                support.extend(columns.iter().map(|column| (heading.to_owned(), *column)));
            }
        };
        if cell.everywhere.is_yes() {
            behind(Spot::Everywhere, false);
            return cell;
        }
        let texts = |found: BTreeSet<Name>| {
            let mut texts: Vec<String> = found.iter().map(|name| names.text(*name).to_owned()).collect();
            texts.sort();
            texts
        };
        let by_name = |spot| {
            let found = self.capability.by_name.then(|| compiled.names(matrix, facts, spot)).flatten();
            found.filter(|found| !found.is_empty()).map(texts)
        };
        let anywhere = by_name(Spot::Everywhere);
        if let Some(found) = &anywhere {
            behind(Spot::Everywhere, true);
            cell.named.push(("*".to_owned(), found.clone()));
        }
        if self.capability.reach == Reach::Namespaces {
            for namespace in spots {
                let spot = Spot::In(namespace);
                match compiled.answer(matrix, facts, spot) {
                    Ternary::Yes => {
                        behind(spot, false);
                        cell.namespaces.push(namespace.clone());
                        continue;
                    }
                    Ternary::Unknown if cell.everywhere != Ternary::Unknown => {
                        cell.unknown.push(namespace.clone());
                    }
                    _ => {}
                }
                if let Some(found) = by_name(spot)
                    && anywhere.as_ref() != Some(&found)
                {
                    behind(spot, true);
                    cell.named.push((namespace.clone(), found));
                }
            }
        }
        if self.capability.by_name {
            self.doubt_names(&mut cell);
        }
        cell
    }

    /// Finds out whether it is unknown for objects of some names, where it is certainly not had for any.
    fn doubt_names(&self, cell: &mut Cell) {
        for (heading, names) in &self.facts.in_doubt {
            let namespace = if heading == "*" { "" } else { heading.as_str() };
            let reaches = namespace.is_empty() || self.capability.reach == Reach::Namespaces;
            let is_said = cell.everywhere == Ternary::Unknown
                || cell.unknown.iter().chain(&cell.namespaces).any(|known| known == namespace);
            if !reaches || is_said {
                continue;
            }
            let cluster = self.matrix.cluster();
            let is_open = |name: &String| {
                self.compiled.asked(cluster, &self.facts.who, namespace, name) == Ternary::Unknown
            };
            if !names.iter().any(is_open) {
                continue;
            }
            if namespace.is_empty() {
                cell.everywhere = Ternary::Unknown;
                cell.unknown.clear();
            } else {
                cell.unknown.push(namespace.to_owned());
                cell.unknown.sort();
            }
        }
    }
}

/// The grants behind what stands under the headings, per capability, each once.
fn evidence<'c>(
    matrix: &Matrix<'c>,
    holder: &Holder,
    scratch: &mut Scratch,
    wanted: &BTreeMap<String, Vec<(usize, u32)>>,
) -> Vec<Vec<Evidence<'c>>> {
    let mut found: Vec<Vec<Evidence<'c>>> = CAPABILITIES.iter().map(|_| Vec::new()).collect();
    let mut grants = RowGrants::default();
    let mut seen: FxHashSet<(usize, u32, u32)> = FxHashSet::default();
    let gathered: Result<(), std::convert::Infallible> = matrix.blocks(holder, scratch, |block| {
        let Some(wanted) = wanted.get(block.namespace) else { return Ok(()) };
        matrix.grants(holder, block, &mut grants);
        for (capability, column) in wanted {
            for (grant, _) in grants.of(*column).iter().filter_map(|number| grants.grant(*number)) {
                if seen.insert((*capability, grant.applied.order(), grant.rule))
                    && let Some(list) = found.get_mut(*capability)
                {
                    list.push(Evidence { heading: block.namespace.to_owned(), grant });
                }
            }
        }
        Ok(())
    });
    let Ok(()) = gathered;
    found
}

/// How many cells of a review show what.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Had everywhere.
    pub everywhere: usize,
    /// Had in some namespaces.
    pub namespaces: usize,
    /// Had for some names only.
    pub named: usize,
    /// Unknown, and not had otherwise.
    pub unknown: usize,
    /// Not had.
    pub no: usize,
    /// Had, and more of it unknown.
    pub open_besides: usize,
}

impl Counts {
    /// Counts the cells of rows.
    pub fn of(rows: &[Row<'_>]) -> Self {
        let mut counts = Self::default();
        for cell in rows.iter().flat_map(|row| &row.cells) {
            let mark = cell.mark();
            match mark {
                Mark::Everywhere => counts.everywhere += 1,
                Mark::Namespaces => counts.namespaces += 1,
                Mark::Named => counts.named += 1,
                Mark::Unknown => counts.unknown += 1,
                Mark::No => counts.no += 1,
            }
            counts.open_besides += usize::from(cell.is_open() && mark != Mark::Unknown);
        }
        counts
    }
}

/// A set of columns under a heading, empty where there is none.
pub(crate) fn has(sets: &BTreeMap<String, Dense>, heading: &str, column: u32) -> bool {
    sets.get(heading).is_some_and(|set| set.contains(column))
}
