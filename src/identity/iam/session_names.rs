//! Names of sessions that open conditions would be content with: of the one that a caller begins, and of its own.

use super::caller::Caller;
use super::context::{Asking, Context, Target};
use super::evaluate::Lens;
use super::ids::PrincipalId;
use super::key::Key;
use super::logic::{Leaf, OpenKey, Verdict};

impl Lens<'_> {
    /// Session names that the conditions in question would be content with: a caller chooses its own.
    pub fn session_names(
        &self,
        caller: &Caller<'_>,
        role: PrincipalId,
        context: &Context,
        why: &Verdict,
    ) -> Vec<String> {
        let mut names = self.wanted((caller, role, context), why, is_chosen_name);
        if !names.is_empty() {
            names.push("any-session".to_owned());
        }
        accepted(names)
    }

    /// Names of a role's own session that the open conditions would be content with.
    pub(super) fn own_session_names(
        &self,
        caller: &Caller<'_>,
        role: PrincipalId,
        context: &Context,
        why: &Verdict,
    ) -> Vec<String> {
        let ids = self.wanted((caller, role, context), why, |open| open.of_session);
        let of_ids = ids.iter().filter_map(|id| id.split_once(':').map(|(_, name)| name.to_owned()));
        let mut open = Vec::new();
        why.why.open(&mut open);
        let of_arns = open.into_iter().filter_map(|leaf| match leaf {
            Leaf::Session { arn, .. } => arn.rsplit_once('/').map(|(_, name)| name.to_owned()),
            _ => None,
        });
        accepted(of_ids.chain(of_arns).collect())
    }

    /// Values that open conditions on certain keys would be content with.
    fn wanted(
        &self,
        (caller, role, context): (&Caller<'_>, PrincipalId, &Context),
        why: &Verdict,
        is_meant: impl Fn(&OpenKey) -> bool,
    ) -> Vec<String> {
        let mut open = Vec::new();
        why.why.open(&mut open);
        let Some(target) = self.data.principal_of(role) else { return Vec::new() };
        let asking = Asking { caller, target: Target::Role(target), context };
        let conditions = open.into_iter().filter_map(|leaf| match leaf {
            Leaf::Condition { hit, condition, keys } if keys.iter().any(&is_meant) => {
                self.data.statement(*hit)?.conditions.get(*condition as usize)
            }
            _ => None,
        });
        conditions.flat_map(|condition| condition.candidates(&asking)).collect()
    }
}

/// Those of some names that STS accepts, each once.
fn accepted(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| is_session_name(name));
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether a key is the name that the caller chooses for its session.
fn is_chosen_name(open: &OpenKey) -> bool {
    Key::new(&open.key).is_session_name()
}

/// Whether STS accepts a name for a session.
fn is_session_name(name: &str) -> bool {
    (2..=64).contains(&name.len())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || "_+=,.@-".contains(char))
}
