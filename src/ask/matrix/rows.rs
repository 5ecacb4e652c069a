//! The rows of a subject in a namespace, and what grants each.

use super::{Dense, Sparse};
use crate::ask::who_can::GrantRef;
use crate::decide::graph::Applied;
use crate::model::names::Name;
use crate::model::rbac::PolicyRule;

/// Room for the sets of one subject, kept between subjects.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) cluster: Dense,
    pub(super) here: Dense,
    /// What RBAC alone grants in a namespace, where access policies grant something as well.
    pub(super) rbac: Dense,
    pub(super) shown: Dense,
    pub(super) cluster_named: Vec<(u32, Name)>,
    pub(super) named: Vec<(u32, Name)>,
}

/// What is granted to one subject under one namespace heading.
#[derive(Debug)]
pub struct Block<'b> {
    /// `""`, `"*"` or a namespace.
    pub namespace: &'b str,
    /// The columns granted for any name.
    pub any: &'b Dense,
    /// The columns granted for single names only, sorted by column and by the name's text.
    pub named: &'b [(u32, Name)],
}

/// What grants the rows of a block: per column the grants, as numbers among those of the block. Kept between blocks.
#[derive(Debug, Default)]
pub struct RowGrants<'c> {
    /// The bindings that apply.
    pub(super) applied: Vec<Applied<'c>>,
    /// Those of them that grant a row, in the order in which answers name them, each with the first subject that the
    /// holder matches.
    pub(super) bindings: Vec<(Applied<'c>, u32)>,
    /// Every rule of these bindings that grants a row: the number of the binding, and that of the rule in its role.
    pub(super) grants: Vec<(u32, u32)>,
    /// Columns and the grants that allow them, in the order of the grants.
    pub(super) found: Vec<(u32, u32)>,
    /// Where the grants of a column begin among the sorted ones.
    starts: Vec<u32>,
    sorted: Vec<u32>,
}

impl<'c> RowGrants<'c> {
    /// How many grants there are.
    pub fn len(&self) -> usize {
        self.grants.len()
    }

    /// Whether there is none, as for what `system:masters` may without a binding.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// The bindings that grant a row, in the order in which answers name them, each with the number of the first
    /// subject that the holder matches.
    pub fn bindings(&self) -> impl Iterator<Item = (Applied<'c>, u32)> {
        self.bindings.iter().copied()
    }

    /// A grant by its number, and the number of its binding among those of the block.
    pub fn grant(&self, number: u32) -> Option<(GrantRef<'c>, u32)> {
        let (binding, rule) = *self.grants.get(number as usize)?;
        let (applied, subject) = *self.bindings.get(binding as usize)?;
        Some((GrantRef { applied, subject, rule }, binding))
    }

    /// The numbers of the grants that allow a column, in the order of their bindings.
    pub fn of(&self, column: u32) -> &[u32] {
        let column = column as usize;
        match self.starts.get(column..column + 2) {
            Some([start, end]) => self.sorted.get(*start as usize..*end as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// Sorts what was found by column; within a column it stays in order.
    pub(super) fn sort(&mut self, width: usize) {
        let Self { found, starts, sorted, .. } = self;
        starts.clear();
        starts.resize(width + 2, 0);
        for (column, _) in &*found {
            if let Some(count) = starts.get_mut(*column as usize + 2) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut *starts {
            sum += *start;
            *start = sum;
        }
        sorted.clear();
        sorted.resize(found.len(), 0);
        // Each column has its place one too far along, and moves it while it is filled.
        for (column, grant) in &*found {
            if let Some(place) = starts.get_mut(*column as usize + 1) {
                if let Some(slot) = sorted.get_mut(*place as usize) {
                    *slot = *grant;
                }
                *place += 1;
            }
        }
    }
}

/// The names of a row, each with its column.
pub(crate) type Limited<'b> = &'b [(u32, Name)];

impl Block<'_> {
    /// Every row: the column, and the names that it is limited to, none for any.
    pub fn rows(&self, mut each: impl FnMut(u32, Limited<'_>)) {
        let mut rest = self.named;
        let mut named_before = |limit: u32, each: &mut dyn FnMut(u32, Limited<'_>)| {
            while let Some((column, _)) = rest.first().copied().filter(|(column, _)| *column < limit) {
                let end = rest.iter().position(|(other, _)| *other != column).unwrap_or(rest.len());
                let (names, after) = rest.split_at(end);
                each(column, names);
                rest = after;
            }
        };
        for column in self.any.iter() {
            named_before(column, &mut each);
            each(column, &[]);
        }
        named_before(u32::MAX, &mut each);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        let mut named = self.named.iter().map(|(column, _)| column);
        let mut distinct = 0;
        let mut last = None;
        for column in named.by_ref() {
            distinct += usize::from(last.replace(*column) != Some(*column));
        }
        self.any.count() + distinct
    }

    /// The columns of the rows to which a rule contributes that allows these columns.
    pub(super) fn columns_by(&self, rule: &PolicyRule<'_>, columns: &Sparse, mut each: impl FnMut(u32)) {
        columns.shared_with(self.any).for_each(&mut each);
        let names = rule.resource_names;
        let mut last = None;
        for (column, name) in self.named {
            if last != Some(*column)
                && columns.contains(*column)
                && (names.is_empty() || names.contains(name))
            {
                last = Some(*column);
                if !self.any.contains(*column) {
                    each(*column);
                }
            }
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.any.is_empty()
    }
}
