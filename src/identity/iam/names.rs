//! Whether a statement of a trust policy names a caller, and how.

use super::caller::Caller;
use super::logic::{Hit, Leaf, Logic};
use super::pattern::ARN_PARTS;
use super::policy::{AccountPrincipal, Principals, Statement};
use super::principal::role_name;

/// How a statement of a trust policy names a caller.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The user, or the session.
    Exact,
    /// The role of the session.
    Role,
    /// Its account.
    Account,
    /// Everybody.
    Anyone,
}

/// Every way.
pub(super) const ALL: [Kind; 4] = [Kind::Exact, Kind::Role, Kind::Account, Kind::Anyone];

/// Whether a statement of a trust policy names a caller in one of these ways.
pub(super) fn names<L: Logic>(hit: Hit, statement: &Statement, kinds: &[Kind], caller: &Caller<'_>) -> L {
    let principals = &statement.principal;
    if principals.not {
        // Where it counts, it counts as naming the caller outright.
        let counts = kinds.contains(&Kind::Exact);
        return if counts { L::open(|| Leaf::NotPrincipal(hit)) } else { L::certain(false) };
    }
    if kinds.contains(&Kind::Anyone) && principals.anyone {
        return L::certain(true);
    }
    let of_account = |(partition, account): &AccountPrincipal| {
        **account == *caller.account()
            && partition.as_ref().is_none_or(|partition| **partition == *caller.partition())
    };
    if kinds.contains(&Kind::Account) && principals.accounts.iter().any(of_account) {
        return L::certain(true);
    }
    let mut found = L::certain(false);
    for principal in &principals.principals {
        found = found.or(|| is_entry(principal, hit, kinds, caller));
    }
    found
}

/// A deny for everybody hits those, too, whom a provider vouches for.
pub(super) fn names_or_anyone(names: &dyn Fn(&Principals) -> bool) -> impl Fn(&Principals) -> bool + '_ {
    move |principals| principals.anyone || names(principals)
}

/// Whether an entry of a `Principal` is the caller.
fn is_entry<L: Logic>(principal: &str, hit: Hit, kinds: &[Kind], caller: &Caller<'_>) -> L {
    let own = if caller.is_user() { Kind::Exact } else { Kind::Role };
    if kinds.contains(&own) {
        let is_own = match caller {
            Caller::Known { principal: known, .. } => *known.arn.text == *principal,
            // Of a session the path of the role is not known; names are unique whatever the path.
            Caller::Stranger(_) => match caller.principal_arn() {
                Some(arn) => arn == principal,
                None => is_role_of(principal, caller),
            },
            Caller::Service(_) | Caller::Provider(_) | Caller::Anybody(_) => false,
        };
        if is_own || caller.id() == Some(principal) {
            return L::certain(true);
        }
    }
    if !caller.is_user() && kinds.contains(&Kind::Exact) && principal.contains(":assumed-role/") {
        let session = principal.rsplit_once('/').map_or("", |(_, session)| session);
        if is_role_of(principal, caller) {
            return match caller.session() {
                Some(own) => L::certain(own == session),
                None => L::open(|| Leaf::Session { hit, arn: principal.into() }),
            };
        }
    }
    L::certain(false)
}

/// Whether an ARN of a role or session is about the caller's role, as far as account and name say.
fn is_role_of(arn: &str, caller: &Caller<'_>) -> bool {
    let mut parts = arn.splitn(ARN_PARTS, ':');
    parts.nth(1) == Some(caller.partition())
        && parts.nth(2) == Some(caller.account())
        && role_name(arn) == Some(caller.name())
}
