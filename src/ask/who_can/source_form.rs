//! Who may once objects in source form are applied.

use rustc_hash::FxHashSet;

use super::{Named, WhoCan};
use crate::ask::question::Question;
use crate::decide::cluster::Cluster;
use crate::model::policy::SourceForm;
use crate::model::source::Source;

/// Adds whoever can in the cluster as it may be, and not in the certain one.
pub(super) fn add<'g>(cluster: &'g Cluster, question: &Question, who_can: &mut WhoCan<'g>) {
    let Some(possible) = cluster.possible() else { return };
    // A role that is there in source form is not missing.
    who_can.unresolved.retain(|unresolved| !cluster.has_in_source_form(&unresolved.binding));
    let there = super::certain(possible, question);
    let is_certain: FxHashSet<Named> = {
        let all = who_can.subjects.iter().map(|can| &can.subject);
        let all = all.chain(who_can.in_namespaces.iter().map(|can| &can.subject));
        let all = all.chain(who_can.unknown_subjects.iter().map(|can| &can.subject));
        let unresolved = who_can.unresolved.iter().flat_map(|unresolved| &unresolved.subjects);
        all.chain(unresolved).cloned().collect()
    };
    let policy = possible.graph().policy();
    let first = policy.forms.first();
    let mut told: FxHashSet<Named> = FxHashSet::default();
    let mut add = |named: &Named, form: Option<&'g SourceForm>| {
        if let Some(form) = form.or(first)
            && !named.is_masters()
            && !is_certain.contains(named)
            && told.insert(named.clone())
        {
            who_can.in_source_form.push((named.clone(), form));
        }
    };
    let form_of = |sources: &[Source]| sources.iter().find_map(|source| policy.form_of(*source));
    let of_subjects =
        there.subjects.iter().chain(&there.unknown_subjects).map(|can| (&can.subject, &can.grants));
    let of_namespaces = there.in_namespaces.iter().map(|can| (&can.subject, &can.grants));
    for (named, grants) in of_subjects.chain(of_namespaces) {
        let form = grants.iter().find_map(|grant| {
            let grant = grant.grant(possible)?;
            cluster.form_of_grant(&grant)
        });
        add(named, form);
    }
    for unresolved in &there.unresolved {
        let form = form_of(&[unresolved.binding.binding.source]);
        unresolved.subjects.iter().for_each(|named| add(named, form));
    }
}
