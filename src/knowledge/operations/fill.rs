//! Filling a question into the rows of the table: an operation on a target becomes a plan.

use super::table::{
    AnyRow, BranchRow, CasesRow, Form, Operation, PlanError, Row, TABLE, Table, UseRow, split_group,
    split_subresource,
};
use super::{Branch, Extra, Need, Plan, Step, StepName, StepScope, Target, Way};
use crate::model::version::KubernetesVersion;

impl Operation {
    pub(super) fn plan(
        &'static self,
        target: &Target<'_>,
        version: KubernetesVersion,
    ) -> Result<Plan, PlanError> {
        let table = TABLE.as_ref().map_err(|error| PlanError::BrokenTable(error.clone()))?;
        if self.from.is_some_and(|from| version.minor() < from) {
            return Err(PlanError::NotInVersion(&self.name, version));
        }
        let is_named = target.name.is_some();
        let fits =
            |form: &&Form| table.fits(&form.on, target) && form.named.is_none_or(|named| named == is_named);
        let form = self.forms.iter().find(fits);
        let form = form.ok_or_else(|| self.wrong_type(table, target))?;
        let question = Question { table, target, minor: version.minor(), this: "" };
        let extras = form.extras.iter().filter(|extra| question.holds(extra.from, extra.until));
        let own = self.notes.iter().chain(&form.notes);
        let writing = table.write_notes.iter().filter(|_| self.writes);
        Ok(Plan {
            operation: &self.name,
            summary: &self.summary,
            needs: question.need(&form.needs)?,
            kubectl: question.need(&form.kubectl)?,
            any_client: self.any_client,
            ways: form
                .ways
                .iter()
                .map(|way| {
                    Ok(Way {
                        label: way.label.clone(),
                        needs: question.need(way.needs.as_ref().unwrap_or(&form.needs))?,
                        kubectl: question.need(way.kubectl.as_ref().unwrap_or(&form.kubectl))?,
                    })
                })
                .collect::<Result<_, PlanError>>()?,
            extras: extras
                .map(|extra| Ok(Extra { label: extra.label.clone(), need: question.need(&extra.needs)? }))
                .collect::<Result<_, PlanError>>()?,
            notes: own
                .chain(writing)
                .filter(|note| question.holds(note.from, note.until))
                .filter(|note| note.on.as_ref().is_none_or(|on| table.fits(on, target)))
                .map(|note| note.note.clone())
                .collect(),
        })
    }

    fn wrong_type(&'static self, table: &Table, target: &Target<'_>) -> PlanError {
        let mut takes = Vec::new();
        for pattern in self.forms.iter().flat_map(|form| &form.on) {
            for one in table.types.get(pattern).unwrap_or(&vec![pattern.clone()]) {
                let words = match one.as_str() {
                    "any" => "every type",
                    "custom" => "custom resources",
                    "any/any" => "their subresources",
                    one => one,
                };
                // `pods/exec` beside `pods` is only another spelling.
                if !takes.iter().any(|known| known == words) && !words.contains('/') {
                    takes.push(words.to_owned());
                }
            }
        }
        let Target { group, resource, subresource, .. } = *target;
        let mut asked = resource.to_owned();
        for (mark, part) in [(".", group), ("/", subresource.unwrap_or_default())] {
            if !part.is_empty() {
                asked.push_str(mark);
                asked.push_str(part);
            }
        }
        PlanError::WrongType { operation: &self.name, asked, takes }
    }
}

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
                let mut needs = rows.iter().map(|row| self.need(row)).collect::<Result<Vec<_>, _>>()?;
                needs.retain(|need| !need.is_nothing());
                Ok(<[Need; 1]>::try_from(needs).map_or_else(Need::All, |[only]| only))
            }
            Row::Any(AnyRow { any }) => {
                let ways = <[Branch; 1]>::try_from(self.branches(any)?);
                Ok(ways.map_or_else(Need::Any, |[only]| only.need))
            }
            Row::Cases(CasesRow { cases }) => {
                let cases = <[Branch; 1]>::try_from(self.branches(cases)?);
                Ok(cases.map_or_else(Need::Cases, |[only]| only.need))
            }
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
