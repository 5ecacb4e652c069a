//! What a session name in a username is worth: whether it names the person, or is whatever the caller likes.

use crate::ask::behind::{Assumer, SessionName};
use crate::decide::cluster::{Who, WhoIs};
use crate::identity::PlaceholderKind;
use crate::model::ternary::Ternary;

/// What the session name in the username or the groups of a mapped role is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// Who chooses the session name as he likes, so that it proves nobody.
    pub chosen_by: Vec<String>,
    /// Whose session name is certain, with that name.
    pub pinned: Vec<(String, String)>,
    /// Who may choose the ID of an instance, and is that node then.
    pub as_node: Vec<(String, Ternary)>,
}

/// What the session name is worth for those who can become an identity; `None` where its user does not depend on it.
pub fn naming(who: &Who, people: &[Assumer]) -> Option<Naming> {
    let WhoIs::Mapped(mapped) = &who.is else { return None };
    let has = |wanted: &[PlaceholderKind]| mapped.symbolic().any(|(_, kind)| wanted.contains(&kind));
    let of_node = has(&[PlaceholderKind::Ec2PrivateDnsName]);
    let of_session = has(&[PlaceholderKind::SessionName, PlaceholderKind::SessionNameRaw]);
    let mut naming = Naming::default();
    for assumer in people {
        let name = assumer.who.name();
        if of_node && assumer.as_instance != Ternary::No {
            naming.as_node.push((name.clone(), assumer.as_instance.and(assumer.value)));
        }
        match &assumer.session {
            SessionName::Chosen if of_session && !of_node => naming.chosen_by.push(name),
            SessionName::Pinned(session) | SessionName::OfPerson(session) if of_session => {
                naming.pinned.push((name, session.clone()));
            }
            _ => {}
        }
    }
    (of_node || of_session).then_some(naming)
}
