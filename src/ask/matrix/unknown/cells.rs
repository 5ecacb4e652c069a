//! The cells that are unknown: those that a reason may concern, each asked as can-i would ask it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Reason, Unknown};
use crate::ask::matrix::bits::Dense;
use crate::ask::matrix::holder::{self, Holder, HolderKind};
use crate::ask::matrix::{Matrix, Scratch};
use crate::decide::cluster::{Who, WhoIs};
use crate::decide::graph::Principal;
use crate::identity::{Field, IdentityError, Mapped, could_become};
use crate::model::rbac::Scope;
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_ANONYMOUS, SYSTEM_UNAUTHENTICATED, UserInfo, split_service_account};

/// What is unknown of a holder under one namespace heading.
#[derive(Clone, Debug)]
pub struct UnknownBlock {
    /// `""`, `"*"` or a namespace.
    pub namespace: String,
    /// The columns. What is unknown in every namespace is not repeated for each.
    pub columns: Dense,
    /// Whether it is every column that can stand under the heading and is not granted.
    pub all: bool,
}

impl Reason<'_> {
    /// Whether it leaves everything open that is not granted.
    fn is_blanket(&self) -> bool {
        matches!(
            self,
            Self::NoMappings
                | Self::Unrendered(_)
                | Self::Unread(_)
                | Self::NothingRead
                | Self::Identity(_)
                | Self::SessionOfMasters(_)
        )
    }

    /// Whether it leaves every one of its columns open that is not granted, so that none of them need be asked.
    fn is_exact(&self) -> bool {
        self.is_blanket() || matches!(self, Self::MissingRole(_) | Self::Aggregates(_))
    }
}

/// Whether what the bindings of a holder leave open is open for it: it can log in, and whom it is, is told.
fn is_told(holder: &Holder) -> bool {
    let is_known = |who: &Who| matches!(&who.is, WhoIs::User(_) | WhoIs::Mapped(_));
    holder.who.as_deref().is_none_or(is_known)
        && ![SYSTEM_ANONYMOUS, SYSTEM_UNAUTHENTICATED].contains(&holder.identity.as_str())
}

impl Matrix<'_> {
    /// The cells of a holder that are unknown, in the order of the namespace heading.
    pub fn unknown_blocks(
        &self,
        holder: &Holder,
        unknown: &[Unknown<'_>],
        scratch: &mut Scratch,
    ) -> Vec<UnknownBlock> {
        if unknown.is_empty() {
            return Vec::new();
        }
        let width = self.universe.columns().len();
        let mut granted: BTreeMap<String, Dense> = BTreeMap::new();
        let gathered: Result<(), std::convert::Infallible> = self.blocks(holder, scratch, |block| {
            granted.insert(block.namespace.to_owned(), block.any.clone());
            Ok(())
        });
        let Ok(()) = gathered;
        let mut by_namespace: BTreeMap<&str, Vec<&Unknown<'_>>> = BTreeMap::new();
        for one in unknown {
            by_namespace.entry(&one.namespace).or_default().push(one);
        }
        let named = by_namespace.keys().filter(|namespace| **namespace != "*");
        let mut namespaces: BTreeSet<String> = named.map(|namespace| (*namespace).to_owned()).collect();
        let possible = self.namespaces_of_possible_users(holder);
        namespaces.extend(possible.iter().cloned());
        let (who, is_told) = (asked_as(holder), is_told(holder));
        // Where it is told whom all a caller could be, what none of them may is a "no".
        let is_one_of = matches!(who.error(), Some(IdentityError::Unknown { is_exhaustive: true, .. }));
        let leaves_all_open = |reason: &Reason<'_>| {
            reason.is_blanket() && !(is_one_of && matches!(reason, Reason::Identity(_)))
        };
        let is_blanket = unknown.iter().any(|one| one.namespace == "*" && leaves_all_open(&one.reason));
        let inside = self.universe.inside_a_namespace();
        let mut found: Vec<UnknownBlock> = Vec::new();
        let headings = ["", "*"].into_iter().map(str::to_owned).chain(namespaces);
        for heading in headings {
            if heading.is_empty() && !self.shows_without_namespace() {
                continue;
            }
            let place = match heading.as_str() {
                "" => self.universe.without_namespace(),
                "*" => self.universe.in_every_namespace(),
                _ => &inside,
            };
            let here = if heading.is_empty() { "*" } else { heading.as_str() };
            let anywhere = (here != "*" && possible.contains(&heading)).then_some("*");
            let concerns = [Some(here), anywhere].into_iter().flatten();
            let concerns = concerns.filter_map(|namespace| by_namespace.get(namespace)).flatten();
            let (mut open, mut to_ask) = (Dense::default(), Dense::default());
            open.reset(width);
            to_ask.reset(width);
            for one in concerns {
                let mut columns = Dense::default();
                columns.intersection_of(&self.columns_of(one), place);
                let is_asked = !(is_blanket || is_told && one.reason.is_exact());
                columns.to_sparse().add_to(if is_asked { &mut to_ask } else { &mut open });
            }
            // What is open outside namespaces is open about every Namespace object, too.
            let everywhere = found.iter().filter(|block| matches!(block.namespace.as_str(), "" | "*"));
            let everywhere = everywhere.map(|block| &block.columns);
            let besides = granted.get("*").into_iter().chain(granted.get(&heading)).chain(everywhere);
            besides.for_each(|columns| {
                open.subtract(columns);
                to_ask.subtract(columns);
            });
            to_ask.subtract(&open);
            if !to_ask.is_empty() {
                self.really_unknown(&who, &heading, &to_ask).to_sparse().add_to(&mut open);
            }
            self.keep_to_objects(&heading, &mut open, &mut Vec::new());
            if open.is_empty() {
                continue;
            }
            let granted = granted.get(&heading).map_or(0, Dense::count);
            let all = is_blanket && open.count() + granted == place.count();
            found.push(UnknownBlock { namespace: heading, columns: open, all });
        }
        found
    }

    /// Those of some columns, none of them granted by a row, whose answer is no "no".
    fn really_unknown(&self, who: &Who, heading: &str, columns: &Dense) -> Dense {
        // What may hold in every namespace is asked about in all at once, and in one that nobody names.
        let asked_in: &[&str] = if heading == "*" { &["", "*"] } else { &[heading] };
        let mut kept = Dense::default();
        kept.reset(self.universe.columns().len());
        for column in columns.iter() {
            let Some((cell, verb)) = self.universe.column(column) else { continue };
            // What every user of a random mapping may, each by another grant, has no row either.
            let is_open = |namespace: &&str| {
                let attributes = cell.attributes(verb, "", namespace);
                self.cluster.ternary_for_type(who, &attributes) != Ternary::No
            };
            if asked_in.iter().any(is_open) {
                kept.insert(column);
            }
        }
        kept
    }

    /// The namespaces in which bindings name a user that the holder may turn out to be.
    fn namespaces_of_possible_users(&self, holder: &Holder) -> BTreeSet<String> {
        let mut namespaces = BTreeSet::new();
        match holder.who.as_deref().map(|who| &who.is) {
            Some(WhoIs::Error(error)) => self.add_namespaces_of_error(error, &mut namespaces),
            Some(WhoIs::Mapped(mapped)) => self.add_namespaces_of_unfilled(mapped, &mut namespaces),
            Some(WhoIs::User(_)) | None => {}
        }
        namespaces
    }

    /// The namespaces of everybody whom somebody could be who is not certainly anyone.
    fn add_namespaces_of_error(&self, error: &IdentityError, namespaces: &mut BTreeSet<String>) {
        let outcomes = match error {
            IdentityError::NotMapped { unfilled, .. } => {
                for mapped in unfilled {
                    self.add_namespaces_of(mapped, namespaces);
                }
                return;
            }
            IdentityError::Unknown { could_be, .. } => could_be,
            IdentityError::RandomMapping { candidates } => candidates,
            _ => return,
        };
        for outcome in outcomes {
            match outcome {
                Ok(mapped) => self.add_namespaces_of(mapped, namespaces),
                Err(error) => self.add_namespaces_of_error(error, namespaces),
            }
        }
    }

    /// The namespaces in which bindings name a user, also where that hangs on what is not told of it.
    fn add_namespaces_of(&self, mapped: &Mapped, namespaces: &mut BTreeSet<String>) {
        let is = WhoIs::Mapped(Box::new(mapped.clone()));
        let user = holder::of_identity(self.cluster, "", Who { identity: None, is });
        namespaces.extend(self.namespaces_of(&user).into_keys());
        let mut open = Vec::new();
        super::access(mapped, &mut open);
        if mapped.is_symbolic() {
            self.sessions(mapped, &mut open);
        }
        let open = open.into_iter().flat_map(|one| self.where_shown(&one.namespace));
        namespaces.extend(open.filter(|namespace| namespace != "*"));
        self.add_namespaces_of_unfilled(mapped, namespaces);
    }

    /// The namespaces in which bindings name what the placeholders of a user may become.
    fn add_namespaces_of_unfilled(&self, mapped: &Mapped, namespaces: &mut BTreeSet<String>) {
        let graph = self.cluster.graph();
        let names = &graph.policy().names;
        let unfilled: Vec<(Field, &str)> = mapped.unfilled().collect();
        let could_be = |principal: &Principal| match principal {
            Principal::Username(name) => unfilled
                .iter()
                .any(|(field, text)| *field == Field::Username && could_become(text, names.text(*name))),
            Principal::Group(name) => unfilled
                .iter()
                .any(|(field, text)| *field != Field::Username && could_become(text, names.text(*name))),
            Principal::Caller(_) => false,
        };
        let principals = graph.principals().filter(|one| !unfilled.is_empty() && could_be(one));
        for scope in principals.flat_map(|principal| graph.scopes_of(principal)) {
            if let Scope::Namespace(namespace) = scope
                && self.shows(namespace)
            {
                namespaces.insert(names.text(namespace).to_owned());
            }
        }
    }
}

/// Who can-i would be asked about.
pub fn asked_as(holder: &Holder) -> Who {
    if let Some(who) = holder.who.as_deref() {
        return who.clone();
    }
    let none = std::iter::empty::<String>;
    Who::user(match holder.kind {
        HolderKind::Group => UserInfo::authenticated("", [holder.identity.as_str()]),
        HolderKind::User if holder.identity == SYSTEM_ANONYMOUS => {
            UserInfo::as_given(SYSTEM_ANONYMOUS, [SYSTEM_UNAUTHENTICATED])
        }
        _ => match split_service_account(&holder.username) {
            Some((namespace, name)) => UserInfo::service_account(namespace, name),
            None => UserInfo::authenticated(&holder.username, none()),
        },
    })
}
