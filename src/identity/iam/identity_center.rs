//! Identity Center: who gets which permission set in which account, from `aws sso-admin` and `aws identitystore` lists.

use rustc_hash::FxHashMap;

use crate::document::Node;
use crate::model::source::{Shift, Source};

use super::place::place;

/// What documents of Identity Center say.
#[derive(Clone, Debug, Default)]
pub struct IdentityCenter {
    assignments: Vec<Assignment>,
    /// Names of permission sets by ARN, of users and groups by id.
    names: FxHashMap<Box<str>, Box<str>>,
    /// Users by the group that they are in.
    members: FxHashMap<Box<str>, Vec<Box<str>>>,
}

/// A permission set that is given to somebody in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Assignment {
    account: Box<str>,
    permission_set: Box<str>,
    is_group: bool,
    principal: Box<str>,
    source: Source,
}

/// A person, or a group of which the members are not known, who gets a permission set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The user name, which is also the name of the session; the id where the lists do not name it. `None` where only
    /// the group is known.
    pub user: Option<Box<str>>,
    /// The group through which.
    pub group: Option<Box<str>>,
    /// The assignment.
    pub source: Source,
}

/// Whether a document is a list of Identity Center.
pub(super) fn is_list(node: Node<'_>) -> bool {
    node.pairs().any(|(key, value)| match key.text() {
        "AccountAssignments" => value.items().all(|item| item.get("PermissionSetArn").is_some()),
        "PermissionSet" => value.get("PermissionSetArn").is_some(),
        "GroupMemberships" => value.items().all(|item| item.get("MemberId").is_some()),
        "Users" | "Groups" => {
            let of_store = |item: Node<'_>| {
                item.get("Arn").is_none() && (item.get("UserName").or(item.get("DisplayName"))).is_some()
            };
            value.items().next().is_some() && value.items().all(of_store)
        }
        _ => false,
    })
}

fn text(node: Node<'_>, key: &str) -> Box<str> {
    node.get(key).map_or("", Node::text).into()
}

impl IdentityCenter {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.assignments.is_empty()
    }

    /// Takes in a document that [`is_list`].
    pub(super) fn add(&mut self, node: Node<'_>, origin: Source) {
        for (key, value) in node.pairs() {
            match key.text() {
                "AccountAssignments" => {
                    self.assignments.extend(value.items().map(|item| Assignment {
                        account: text(item, "AccountId"),
                        permission_set: text(item, "PermissionSetArn"),
                        is_group: item.get("PrincipalType").is_some_and(|kind| kind.text() == "GROUP"),
                        principal: text(item, "PrincipalId"),
                        source: place(origin, item.position()),
                    }));
                }
                "PermissionSet" => {
                    self.names.insert(text(value, "PermissionSetArn"), text(value, "Name"));
                }
                "Users" => {
                    self.names
                        .extend(value.items().map(|user| (text(user, "UserId"), text(user, "UserName"))));
                }
                "Groups" => {
                    self.names.extend(
                        value.items().map(|group| (text(group, "GroupId"), text(group, "DisplayName"))),
                    );
                }
                "GroupMemberships" => {
                    for item in value.items() {
                        let user = item.get("MemberId").map(|member| text(member, "UserId"));
                        self.members.entry(text(item, "GroupId")).or_default().extend(user);
                    }
                }
                _ => {}
            }
        }
    }

    /// Moves it to where it really stands.
    pub(super) fn shift(&mut self, shift: &Shift) {
        for assignment in &mut self.assignments {
            assignment.source = shift.source(assignment.source);
        }
    }

    /// Takes in what another document says.
    pub(super) fn append(&mut self, other: Self) {
        for assignment in other.assignments {
            let is_known =
                |known: &Assignment| Assignment { source: assignment.source, ..known.clone() } == assignment;
            if !self.assignments.iter().any(is_known) {
                self.assignments.push(assignment);
            }
        }
        self.names.extend(other.names);
        for (group, users) in other.members {
            self.members.entry(group).or_default().extend(users);
        }
    }

    /// Everybody who gets a permission set, by its name, in an account.
    pub fn people(&self, account: &str, permission_set: &str) -> Vec<Person> {
        let mut people = Vec::new();
        let name = |id: &str| self.names.get(id).map_or_else(|| id.into(), Clone::clone);
        for assignment in self.assignments.iter().filter(|assignment| *assignment.account == *account) {
            let set = self.names.get(&assignment.permission_set);
            if set.is_none_or(|set| **set != *permission_set) {
                continue;
            }
            let source = assignment.source;
            if !assignment.is_group {
                people.push(Person { user: Some(name(&assignment.principal)), group: None, source });
                continue;
            }
            let group = Some(name(&assignment.principal));
            let Some(members) = self.members.get(&assignment.principal) else {
                people.push(Person { user: None, group, source });
                continue;
            };
            people.extend(members.iter().map(|user| Person {
                user: Some(name(user)),
                group: group.clone(),
                source,
            }));
        }
        people.sort();
        people.dedup_by(|later, kept| (&later.user, &later.group) == (&kept.user, &kept.group));
        people
    }

    /// Assignments to permission sets of which no document gives the name.
    pub fn unnamed_sets(&self) -> usize {
        self.assignments.iter().filter(|one| !self.names.contains_key(&one.permission_set)).count()
    }
}
