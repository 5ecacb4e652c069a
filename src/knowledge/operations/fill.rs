//! Filling a question into the rows of the table.

use super::table::{
    AnyRow, BranchRow, CasesRow, PlanError, Row, Table, UseRow, split_group, split_subresource,
};
use super::{Branch, Need, Step, StepName, StepScope, Target};

/// The question that the rows are filled in with.
#[derive(Copy, Clone)]
pub(super) struct Question<'a> {
    pub(super) table: &'a Table,
    pub(super) target: &'a Target<'a>,
    pub(super) minor: u8,
    /// What stands for `THIS` in a template.
    pub(super) this: &'a str,
}

impl Question<'_> {
    pub(super) fn holds(&self, from: Option<u8>, until: Option<u8>) -> bool {
        from.is_none_or(|from| from <= self.minor) && until.is_none_or(|until| self.minor <= until)
    }

    pub(super) fn need(&self, row: &Row) -> Result<Need, PlanError> {
        match row {
            Row::Request(text) => self
                .step(&text.replace("THIS", self.this))
                .map(Need::Request)
                .ok_or_else(|| PlanError::BrokenTable(text.clone())),
            Row::All(rows) => {
                let needs = rows.iter().map(|row| self.need(row)).collect::<Result<Vec<_>, _>>()?;
                Ok(<[Need; 1]>::try_from(needs).map_or_else(Need::All, |[only]| only))
            }
            Row::Any(AnyRow { any }) => {
                let ways = <[Branch; 1]>::try_from(self.branches(any)?);
                Ok(ways.map_or_else(Need::Any, |[only]| only.need))
            }
            Row::Cases(CasesRow { cases }) => Ok(Need::Cases(self.branches(cases)?)),
            Row::Use(UseRow { template, of }) => {
                let rows = self.table.templates.get(template);
                let rows = rows.ok_or_else(|| PlanError::BrokenTable(template.clone()))?;
                Question { this: of, ..*self }.need(rows)
            }
        }
    }

    fn branches(&self, rows: &[BranchRow]) -> Result<Vec<Branch>, PlanError> {
        let rows = rows.iter().filter(|row| self.holds(row.from, row.until));
        rows.map(|row| Ok(Branch { label: row.label.clone(), need: self.need(&row.needs)? })).collect()
    }

    /// Reads `VERB TYPE[/SUBRESOURCE] [NAME|ANY] [@SCOPE] -- WHY`.
    fn step(&self, text: &str) -> Option<Step> {
        let (request, why) = text.split_once(" -- ")?;
        let mut words = request.split(' ');
        let (verb, of) = (words.next()?, words.next()?);
        let (of, subresource) = split_subresource(of);
        let subresource = match subresource {
            Some("SUB") => self.target.subresource?,
            other => other.unwrap_or_default(),
        };
        let (resource, group) =
            if of == "TYPE" { (self.target.resource, self.target.group) } else { split_group(of) };
        let mut name = StepName::Absent;
        let mut scope = if of == "TYPE" { self.own_scope(verb) } else { StepScope::Namespace };
        for word in words {
            match word {
                "NAME" => {
                    let given = self.target.name.map(ToOwned::to_owned);
                    name = given.map_or(StepName::NotGiven, StepName::Known);
                }
                "ANY" => name = StepName::Unknown,
                "@cluster" => scope = StepScope::Cluster,
                "@inside" => scope = StepScope::NamespaceObject,
                "@pods" => scope = StepScope::UnknownNamespaces,
                "@object" if self.target.namespaced => scope = StepScope::Namespace,
                "@all" | "@object" => scope = StepScope::AllNamespaces,
                word => scope = StepScope::Fixed(word.strip_prefix("@in:")?.to_owned()),
            }
        }
        Some(Step {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name,
            scope,
            why: why.to_owned(),
        })
    }

    /// Where a request for the target's own type is made; `NewRequestInfo` puts those for one Namespace into
    /// that namespace.
    fn own_scope(&self, verb: &str) -> StepScope {
        let one = !matches!(verb, "create" | "list" | "watch" | "deletecollection");
        match *self.target {
            Target { namespaced: true, .. } => StepScope::Namespace,
            Target { group: "", resource: "namespaces", .. } if one => StepScope::NamespaceObject,
            _ => StepScope::Cluster,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::TABLE;
    use super::*;

    const PODS: Target<'_> =
        Target { group: "", resource: "pods", name: Some("x"), subresource: None, namespaced: true };

    #[test]
    fn a_malformed_request_is_told() {
        let table = TABLE.as_ref().unwrap();
        let target = PODS;
        let question = Question { table, target: &target, minor: 36, this: "" };
        for bad in [
            "get pods NAME",
            "get -- why",
            "get pods NOBODY -- why",
            "get pods/SUB -- why",
            "get pods @moon -- why",
        ] {
            let told = question.need(&Row::Request(bad.to_owned()));
            assert_eq!(told, Err(PlanError::BrokenTable(bad.to_owned())));
        }
    }

    #[test]
    fn a_bound_on_versions_includes_itself() {
        let table = TABLE.as_ref().unwrap();
        let target = PODS;
        let question = Question { table, target: &target, minor: 35, this: "" };
        assert!(question.holds(Some(35), Some(35)) && question.holds(None, None));
        assert!(!question.holds(Some(36), None) && !question.holds(None, Some(34)));
    }
}
