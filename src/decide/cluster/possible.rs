//! What is in source form: beside the cluster as it certainly is stands the one that it may be once kustomize or an
//! operator has made of the objects what is applied.
//!
//! A "yes" rests on the certain one alone. A "no" needs the "no" of both: what nothing in the inputs could become
//! stays refused.

use crate::decide::answer::{Answer, Doubt};
use crate::decide::cluster::Cluster;
use crate::decide::evaluate::Grant;
use crate::decide::graph::{Applied, RbacGraph};
use crate::model::policy::SourceForm;
use crate::model::ternary::Ternary;

/// Of how many kustomizations an answer tells.
const TOLD: usize = 3;

impl Cluster {
    /// The cluster as it may be, where objects of the inputs are in source form.
    pub fn possible(&self) -> Option<&Self> {
        self.possible.as_deref()
    }

    /// The graph that a grant of a doubt about source forms belongs to.
    pub fn possible_graph(&self) -> &RbacGraph {
        self.possible().unwrap_or(self).graph()
    }

    /// What an answer of the certain cluster is worth beside that of the possible one.
    pub(super) fn weigh<'g>(&'g self, mut own: Answer<'g>, there: &Answer<'g>) -> Answer<'g> {
        match there.ternary {
            _ if own.ternary == Ternary::Yes => {}
            // What is missing is there, in source form, and allows nothing.
            Ternary::No => {
                own.ternary = Ternary::No;
                own.doubts.clear();
            }
            Ternary::Yes | Ternary::Unknown => {
                own.doubts.retain(|doubt| !self.is_in_source_form(doubt));
                let mut doubts = self.source_forms(there);
                if doubts.is_empty() && own.doubts.is_empty() {
                    doubts.extend(
                        self.possible_graph()
                            .policy()
                            .forms
                            .first()
                            .map(|form| Doubt::SourceForm(form, None)),
                    );
                }
                // What a command can tell comes first.
                doubts.append(&mut own.doubts);
                own.doubts = doubts;
                own.ternary = Ternary::Unknown;
            }
        }
        own
    }

    /// Whether a role that is missing is there in source form.
    fn is_in_source_form(&self, doubt: &Doubt<'_>) -> bool {
        let Doubt::MissingRole(applied) = doubt else { return false };
        self.has_in_source_form(applied)
    }

    /// Whether the role that a binding of the certain cluster grants is there in source form.
    pub(crate) fn has_in_source_form(&self, applied: &Applied<'_>) -> bool {
        let Some(possible) = self.possible() else { return false };
        // Both have the same names for what was read.
        let role = possible.graph.role(applied.binding.role_scope(), applied.binding.role_ref.name);
        applied.role.is_none() && role.is_some()
    }

    /// Why what an answer of the possible cluster rests on is not certain.
    fn source_forms<'g>(&'g self, there: &Answer<'g>) -> Vec<Doubt<'g>> {
        let mut doubts: Vec<Doubt<'g>> = Vec::new();
        let policy = self.possible_graph().policy();
        let mut tell = |form: Option<&'g SourceForm>, grant: Option<Grant<'g>>| {
            let is_told =
                |doubt: &Doubt<'g>| matches!(doubt, Doubt::SourceForm(known, _) if Some(*known) == form);
            if let Some(form) = form.filter(|_| doubts.len() < TOLD)
                && !doubts.iter().any(is_told)
            {
                doubts.push(Doubt::SourceForm(form, grant));
            }
        };
        for grant in &there.grants {
            tell(self.form_of_grant(grant), Some(*grant));
        }
        for doubt in &there.doubts {
            match doubt {
                Doubt::MissingRole(applied) | Doubt::Aggregates(applied) | Doubt::Contested(applied) => {
                    tell(policy.form_of(applied.binding.source), None);
                }
                Doubt::UnknownScope(grant) | Doubt::OtherType(_, Some(grant)) => {
                    tell(self.form_of_grant(grant), Some(*grant));
                }
                Doubt::Session { grant: Some(grant), .. } => tell(self.form_of_grant(grant), Some(*grant)),
                _ => {}
            }
        }
        doubts
    }

    /// Why a grant of the possible cluster is not certain: the form of its binding, its role, or the role in which the
    /// rule stands.
    pub(crate) fn form_of_grant(&self, grant: &Grant<'_>) -> Option<&SourceForm> {
        let policy = self.possible_graph().policy();
        let role = grant.applied.role.map(|role| role.source);
        [Some(grant.applied.binding.source), role, Some(grant.rule.owner.source)]
            .into_iter()
            .flatten()
            .find_map(|source| policy.form_of(source))
    }
}
