//! The people behind the identities of a matrix: columns of the long form, lines below a table, and JSON.

use serde_json::{Value, json};

use crate::ask::matrix::{Holder, Matrix};
use crate::model::ternary::Ternary;

use super::people::{assumable_by_document, naming_document, naming_sentences, phrase};
use super::{eks_doors, iam};

/// The columns that people add to the long form.
pub const COLUMNS: [&str; 2] = ["people", "people_on_conditions"];

/// The title above the people.
pub const TITLE: &str = "people";

/// The names of those who can become a holder, and of those who can on conditions, for a row.
pub fn names(matrix: &Matrix<'_>, holder: &Holder) -> Option<[Vec<String>; 2]> {
    let people = matrix.people()?.behind(holder);
    Some(
        [Ternary::Yes, Ternary::Unknown]
            .map(|value| people.iter().filter(|one| one.value == value).map(|one| one.who.name()).collect()),
    )
}

/// The same as the beginning of a row in JSON.
pub(super) fn json_fields(matrix: &Matrix<'_>, holder: &Holder) -> String {
    let Some([certain, open]) = names(matrix, holder) else { return String::new() };
    format!("\"people\":{},\"peopleOnConditions\":{},", json!(certain), json!(open))
}

/// The people behind one identity, each in a line, and what the session name is worth.
pub fn of_holder(matrix: &Matrix<'_>, holder: &Holder) -> Vec<String> {
    let Some(crowd) = matrix.people() else { return Vec::new() };
    let mut lines: Vec<String> =
        crowd.behind(holder).iter().map(|one| phrase(matrix.cluster(), one)).collect();
    lines.extend(crowd.naming(holder).map(naming_sentences).into_iter().flatten());
    lines
}

/// Who needs no mapping, each in a line.
pub fn through_eks(matrix: &Matrix<'_>) -> Vec<String> {
    let doors = matrix.people().map_or(&[][..], |crowd| &crowd.eks_doors);
    eks_doors::titles(matrix.cluster(), doors)
}

/// The people behind every identity, identity by identity, for people; empty where they are not asked for.
pub fn lines(matrix: &Matrix<'_>, holders: &[Holder]) -> Vec<String> {
    if matrix.people().is_none() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for holder in holders {
        let here = of_holder(matrix, holder);
        if !here.is_empty() {
            lines.push(format!("{} {}", holder.kind.as_str(), holder.identity));
            lines.extend(here.into_iter().map(|line| format!("  {line}")));
        }
    }
    let doors = through_eks(matrix);
    if !doors.is_empty() {
        lines.push(format!("{}:", eks_doors::TITLE));
        lines.extend(doors.into_iter().map(|line| format!("  {line}")));
    }
    if lines.is_empty() {
        lines.push(NOBODY.to_owned());
    } else {
        lines.extend(iam::basis(matrix.cluster()));
    }
    lines
}

/// Where there is nobody to name.
pub const NOBODY: &str = "no IAM export in the inputs holds the mapped roles, so nobody can be named; add what `aws iam get-account-authorization-details` prints";

/// The people behind every identity, for machines.
pub fn document(matrix: &Matrix<'_>, holders: &[Holder]) -> Value {
    let Some(crowd) = matrix.people() else { return Value::Null };
    let cluster = matrix.cluster();
    let of = |holder: &Holder| {
        json!({
            "identityKind": holder.kind.as_str(),
            "identity": holder.identity,
            "assumableBy": assumable_by_document(cluster, crowd.behind(holder)),
            "sessionNames": naming_document(crowd.naming(holder)),
        })
    };
    let some = holders.iter().filter(|holder| !crowd.behind(holder).is_empty());
    json!({
        "identities": some.map(of).collect::<Vec<_>>(),
        "eksDoors": eks_doors::document(cluster, &crowd.eks_doors),
        "notes": iam::basis(cluster),
    })
}
