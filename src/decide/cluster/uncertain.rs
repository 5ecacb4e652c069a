//! What is not known for certain, and what it could be: sessions, placeholders, types.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::who::certain;
use super::{Cluster, Who};
use crate::decide::answer::Doubt;
use crate::decide::evaluate::Grant;
use crate::decide::graph::Principal;
use crate::identity::template::Template;
use crate::identity::{Field, Mapped, PlaceholderValues, could_become};
use crate::model::attributes::Attributes;
use crate::model::names::Name;
use crate::model::ternary::Ternary;
use crate::model::user::{SYSTEM_MASTERS, UserInfo};

/// How many bytes of a name tell where it is looked for.
const PREFIX: usize = 4;

/// The principals that bindings name, by their kind and the first bytes of their name: whom a template with
/// placeholders could be is looked for among those that begin like it.
pub(super) type ByPrefix = FxHashMap<(bool, [u8; PREFIX]), Vec<Principal>>;

/// The API groups and resources that rules name together.
pub(super) type MentionedTypes = BTreeSet<(Name, Name)>;

/// What English makes of a singular: kubectl takes a type in the singular too, and CRDs are called by the plural.
fn plurals(singular: &str) -> Vec<String> {
    let mut plurals = vec![format!("{singular}s"), format!("{singular}es")];
    plurals.extend(singular.strip_suffix('y').map(|stem| format!("{stem}ies")));
    plurals
}

impl Cluster {
    /// What a type that no catalogue knows may really be, as API group and resource: what rules name so, or in the
    /// plural of it, in any group that begins as was asked; and where they say `*`, the type in that group, if
    /// CRDs can be in it. The type as it was asked is not among them.
    pub fn possible_types(&self, asked_group: &str, asked: &str) -> Vec<(&str, String)> {
        let policy = self.graph.policy();
        // The star is asked literally, whatever is known.
        if asked == "*" || self.catalogue.find(asked_group, asked).is_some() {
            return Vec::new();
        }
        let lower = asked.to_lowercase();
        let plurals = plurals(&lower);
        let builtin = self.catalogue.iter().filter(|resource| resource.from_crd.is_none());
        let builtin: BTreeSet<&str> = builtin.map(|resource| &*resource.group).collect();
        // What rules speak of is gathered once: there may be tens of thousands, and few types in them.
        let mentioned_types = self.mentioned_types.get_or_init(|| {
            let rules = policy.rules.iter().map(|(_, rule)| rule);
            rules
                .flat_map(|rule| {
                    let groups = rule.api_groups.iter();
                    groups
                        .flat_map(move |group| rule.resources.iter().map(move |resource| (*group, *resource)))
                })
                .collect()
        });
        let mut found = BTreeSet::new();
        for (group, resource) in mentioned_types {
            let (group, resource) = (policy.names.text(*group), policy.names.text(*resource));
            if matches!(group, "" | "*") || !group.starts_with(asked_group) {
                continue;
            }
            match resource.split('/').next().unwrap_or_default() {
                "*" if builtin.contains(group) => {}
                "*" => {
                    found.insert((group, lower.clone()));
                }
                plain if plain == lower || plurals.iter().any(|plural| plural == plain) => {
                    found.insert((group, plain.to_owned()));
                }
                _ => {}
            }
        }
        found.retain(|(group, resource)| *group != asked_group || resource != asked);
        found.into_iter().collect()
    }

    /// Whether some rule names a subresource of a type that may be what was asked for: `TYPE/PART` or `*/PART`.
    pub fn rules_name_part(&self, asked_group: &str, asked: &str, part: &str) -> bool {
        let policy = self.graph.policy();
        let lower = asked.to_lowercase();
        let plurals = plurals(&lower);
        let is_asked = |resource: &str| {
            resource == "*" || resource == lower || plurals.iter().any(|plural| plural == resource)
        };
        policy.rules.iter().any(|(_, rule)| {
            let groups = || rule.api_groups.iter().map(|group| policy.names.text(*group));
            rule.resources.iter().any(|resource| {
                let named = policy.names.text(*resource).split_once('/');
                named.is_some_and(|(resource, own)| own == part && is_asked(resource))
            }) && groups().any(|group| group == "*" || (!group.is_empty() && group.starts_with(asked_group)))
        })
    }

    /// The names that a username or group with an unfilled placeholder could become, and with which the request is
    /// not refused.
    pub(super) fn unfilled_names<'g>(
        &'g self,
        mapped: &Mapped,
        attributes: &Attributes<'_>,
    ) -> Vec<Doubt<'g>> {
        let names = &self.graph.policy().names;
        let mut doubts = Vec::new();
        for (field, written) in mapped.unfilled() {
            let mut consider = |name: &str| {
                if !could_become(written, name) {
                    return;
                }
                let mut user = certain(mapped);
                match field {
                    Field::Username => name.clone_into(&mut user.username),
                    Field::Group(_) => user.groups.insert(0, name.to_owned()),
                }
                if self.ternary_of(&user, &user, attributes) != Ternary::No {
                    let answer = self.graph.answer(&user, attributes, self.coverage());
                    let grant = answer.grants.first().copied();
                    doubts.push(Doubt::UnfilledName(written.to_owned(), name.to_owned(), grant));
                }
            };
            if field != Field::Username {
                consider(SYSTEM_MASTERS);
            }
            for principal in self.graph.principals() {
                match (field, principal) {
                    (Field::Username, Principal::Username(name)) => consider(names.text(name)),
                    (Field::Group(_), Principal::Group(name)) if names.text(name) != SYSTEM_MASTERS => {
                        consider(names.text(name));
                    }
                    _ => {}
                }
            }
        }
        doubts
    }

    /// The users that somebody could be, were the session's name (or what else is not known) the right one, and
    /// to whom the request is then allowed.
    pub(super) fn session_doubts<'g>(
        &'g self,
        who: &Who,
        mapped: &Mapped,
        attributes: &Attributes<'_>,
    ) -> Vec<Doubt<'g>> {
        let names = &self.graph.policy().names;
        let symbolic_groups = mapped.groups.iter().any(Template::is_symbolic);
        let mut doubts = Vec::new();
        let mut consider = |principal: Option<Principal>, text: &str, values: PlaceholderValues| {
            let user = self.with_values(who, mapped, principal, text, &values);
            if self.ternary_of(&user, &user, attributes) != Ternary::No {
                let answer = self.graph.answer(&user, attributes, self.coverage());
                let grant: Option<Grant<'g>> = answer.grants.first().copied();
                doubts.push(Doubt::Session { user, values, grant });
            }
        };
        if symbolic_groups && let Some(values) = mapped.could_be_in_group(SYSTEM_MASTERS) {
            consider(None, SYSTEM_MASTERS, values);
        }
        for principal in self.candidates(mapped) {
            let (text, values) = match principal {
                Principal::Username(name) if mapped.username.is_symbolic() => {
                    (names.text(name), mapped.could_be_user(names.text(name)))
                }
                Principal::Group(name) if symbolic_groups => {
                    (names.text(name), mapped.could_be_in_group(names.text(name)))
                }
                _ => continue,
            };
            if let Some(values) = values {
                consider(Some(principal), text, values);
            }
        }
        doubts
    }

    /// The principals among which are all that the user could be, or be in, were what is not known the right thing;
    /// in the order of [`RbacGraph::principals`](crate::decide::graph::RbacGraph::principals).
    pub(crate) fn candidates(&self, mapped: &Mapped) -> Vec<Principal> {
        let names = &self.graph.policy().names;
        let by_prefix = self.by_prefix.get_or_init(|| {
            let mut by_prefix = ByPrefix::default();
            for principal in self.graph.principals() {
                let (is_group, name) = match principal {
                    Principal::Username(name) => (false, name),
                    Principal::Group(name) => (true, name),
                    Principal::Caller(_) => continue,
                };
                if let Some(first) = names.text(name).as_bytes().first_chunk() {
                    by_prefix.entry((is_group, *first)).or_default().push(principal);
                }
            }
            by_prefix
        });
        let templates = mapped.groups.iter().map(|group| (true, group));
        let mut found = Vec::new();
        for (is_group, template) in std::iter::once((false, &mapped.username)).chain(templates) {
            let own = if is_group { Principal::Group } else { Principal::Username };
            if let Some(text) = template.as_literal() {
                let own = own(names.lookup(text));
                found.extend(self.graph.is_bound(own).then_some(own));
                continue;
            }
            let Some(first) = template.prefix().as_bytes().first_chunk() else {
                return self.graph.principals().collect();
            };
            found.extend(by_prefix.get(&(is_group, *first)).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn with_values(
        &self,
        who: &Who,
        mapped: &Mapped,
        principal: Option<Principal>,
        text: &str,
        values: &PlaceholderValues,
    ) -> UserInfo {
        let again = who.identity.clone().and_then(|mut identity| {
            if let Some(session) = &values.session_name {
                identity = identity.with_session(session);
            }
            if let Some(key) = &values.access_key_id {
                identity = identity.with_access_key_id(key);
            }
            self.identities.user_info(&identity).ok()
        });
        let mut user = certain(again.as_ref().unwrap_or(mapped));
        match principal {
            Some(Principal::Username(_)) => text.clone_into(&mut user.username),
            _ => {
                if !user.in_group(text) {
                    user.groups.insert(0, text.to_owned());
                }
            }
        }
        user
    }
}
