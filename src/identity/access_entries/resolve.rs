//! From a caller to the user that its access entry makes of it.

use super::super::arn::{Sections, Unreachable, fold};
use super::super::caller::{
    Field, IamIdentity, IdentityError, IdentitySource, Mapped, MappedIdentity, MappingKind, Note, Provenance,
    Reach, Session, Written,
};
use super::super::nearest::{NearMiss, compare};
use super::super::template::{PlaceholderKind, Sessions, Template, render};
use super::entry::{Entry, key_of, not_told};
use super::{AccessEntries, EntryList};
use rustc_hash::FxHashMap;

use crate::identity::PrincipalType;
use crate::model::source::Source;

/// What the entries say of a caller.
pub(super) enum Found<'a> {
    /// The entry of the caller.
    Certain(&'a Entry),
    /// Entries that may be the caller's.
    Possible(Vec<&'a Entry>),
    /// The caller has none that the inputs show; whether it certainly has none.
    None { is_certain: bool },
}

impl AccessEntries {
    /// What the entries say of a caller. A federated user can have none.
    pub(super) fn find(&self, identity: &IamIdentity) -> Found<'_> {
        if identity.principal() == PrincipalType::FederatedUser {
            return Found::None { is_certain: true };
        }
        let key = key_of(identity.canonical_arn());
        if self.recreated.contains(&key) || self.without.contains(&key) {
            return Found::None { is_certain: true };
        }
        let own = self.by_key.get(&key).and_then(|number| self.entries.get(*number));
        if let Some(entry) = own {
            return if entry.is_conditional { Found::Possible(vec![entry]) } else { Found::Certain(entry) };
        }
        // Whoever is not in the list of all entries has none, whatever the principal is that some file does not tell.
        if matches!(self.list, EntryList::Complete(Some(_))) {
            return Found::None { is_certain: true };
        }
        let fits = |entry: &&Entry| entry.principal.could_be_principal(identity.canonical_arn());
        let patterns = self.patterns.iter().filter_map(|number| self.entries.get(*number)).filter(fits);
        let possible: Vec<&Entry> = patterns.collect();
        // The account in which a template is deployed is taken to be the caller's; no principal has two entries.
        let mut told = possible.iter().filter(|entry| !entry.principal.is_open() && !entry.is_conditional);
        match (told.next(), told.next(), possible.is_empty()) {
            (Some(only), None, _) => Found::Certain(only),
            (_, _, true) => Found::None { is_certain: matches!(self.list, EntryList::Complete(_)) },
            _ => Found::Possible(possible),
        }
    }

    /// The user that an entry makes of a caller.
    ///
    /// # Errors
    /// Where the login is refused.
    pub(super) fn user_of(entry: &Entry, identity: &IamIdentity) -> Result<Mapped, IdentityError> {
        let source = entry.source();
        let written = |text: String| Written { text, source };
        let username = entry.username();
        let (groups, has_all_groups) = entry.groups();
        let provenance = Provenance {
            kind: MappingKind::AccessEntry,
            source,
            arn: entry.principal.to_string(),
            username: written(username.clone().unwrap_or_default()),
            groups: groups.iter().cloned().map(written).collect(),
        };
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(Note { source: Some(source), text: text.to_owned() });
        let username = match &username {
            None => not_told(PlaceholderKind::Username),
            Some(text) => render(text, identity).map_err(|_| IdentityError::NoInstanceId {
                field: Field::Username,
                provenance: Box::new(provenance.clone()),
            })?,
        };
        let mut templates: Vec<Template> = groups.iter().map(|group| Template::literal(group)).collect();
        if !has_all_groups {
            templates.push(not_told(PlaceholderKind::Group));
        }
        let asks_dns = username.placeholders().any(|hole| hole == PlaceholderKind::Ec2PrivateDnsName);
        let mut sessions = Sessions::Any;
        if asks_dns && *identity.session() == Session::Symbolic {
            sessions = Sessions::InstanceId;
            note("only sessions named after an EC2 instance get in; others are refused");
        }
        if entry.principal.text().is_none() && !entry.principal.is_open() {
            note("the account or partition of the entry is that of the deployment, and taken to be this one");
        }
        Ok(Mapped { username, groups: templates, sessions, provenance, notes, access: Some(entry.access()) })
    }

    /// The entries whose principal is not wholly told, each as [`IdentityMappings::untold_entries`] gives it.
    ///
    /// [`IdentityMappings::untold_entries`]: super::super::IdentityMappings::untold_entries
    pub(in super::super) fn untold(&self) -> Vec<(String, Mapped, bool)> {
        // Whoever is not in the list of all entries has none.
        if matches!(self.list, EntryList::Complete(Some(_))) {
            return Vec::new();
        }
        let mut seen: FxHashMap<String, usize> = FxHashMap::default();
        let entries = self.patterns.iter().filter_map(|number| self.entries.get(*number));
        let found = entries.filter_map(|entry| {
            let mut title = entry.principal.to_string();
            // Of the caller only the kind of principal counts: nothing else of it is written into a user.
            let kind = if title.contains(":user/") { "user/any" } else { "role/any" };
            let anybody = IamIdentity::from_arn(&format!("arn:aws:iam::000000000000:{kind}"), None).ok()?;
            let mapped = Self::user_of(entry, &anybody).ok()?;
            let is_certain = !entry.principal.is_open() && !entry.is_conditional;
            // Two that read alike need not be the same.
            let count = seen.entry(title.clone()).or_default();
            *count += 1;
            if *count > 1 {
                title = format!("{title} ({count})");
            }
            Some((title, mapped, is_certain))
        });
        found.collect()
    }

    /// The user of whoever created a cluster in the mode `CONFIG_MAP`: allowed everything, under a name that no API
    /// tells.
    pub(super) fn creator_user(identity: &IamIdentity) -> Mapped {
        let provenance = Provenance {
            kind: MappingKind::ClusterCreator,
            source: Source::default(),
            arn: identity.canonical_arn().to_owned(),
            username: Written::default(),
            groups: Vec::new(),
        };
        Mapped {
            username: not_told(PlaceholderKind::Username),
            groups: vec![Template::literal(crate::model::user::SYSTEM_MASTERS)],
            sessions: Sessions::Any,
            provenance,
            notes: vec![Note {
                source: None,
                text: "whoever created the cluster is allowed everything, inside the control plane, where no file shows it"
                    .to_owned(),
            }],
            access: None,
        }
    }

    /// Where the entry of a caller stands, if it certainly has one.
    pub(in super::super) fn entry_source(&self, identity: &IamIdentity) -> Option<Source> {
        match self.find(identity) {
            Found::Certain(entry) => Some(entry.source()),
            _ => None,
        }
    }

    /// Whether a caller created the cluster, as was said.
    pub(super) fn is_creator(&self, identity: &IamIdentity) -> bool {
        self.creator.as_ref().is_some_and(|creator| *creator == key_of(identity.canonical_arn()))
    }
}

/// The ARN of an entry as callers are compared with it: the path of a role plays no part.
fn comparable(arn: &str) -> String {
    let Some(sections) = Sections::split(arn) else { return arn.to_owned() };
    if !sections.resource.starts_with("role/") {
        return arn.to_owned();
    }
    let Sections { partition, service, region, account, .. } = sections;
    format!("arn:{partition}:{service}:{region}:{account}:role/{}", sections.resource_name())
}

impl IdentitySource for AccessEntries {
    fn resolve(&self, identity: &IamIdentity) -> Option<Result<Mapped, IdentityError>> {
        match self.find(identity) {
            Found::Certain(entry) => Some(Self::user_of(entry, identity)),
            _ => None,
        }
    }

    fn nearest(&self, identity: &IamIdentity) -> Option<NearMiss> {
        let entries = self.entries.iter().filter_map(|entry| {
            let arn = entry.principal.text()?;
            let reason = compare(identity, &comparable(arn))?;
            Some(NearMiss { reason, arn: arn.to_owned(), source: entry.source() })
        });
        entries.min_by_key(NearMiss::rank)
    }

    fn unfilled(&self, _: &IamIdentity) -> Vec<Mapped> {
        Vec::new()
    }

    fn unrendered(&self) -> Option<Source> {
        None
    }

    fn identities(&self) -> Vec<MappedIdentity<'_>> {
        let entries = self.entries.iter().filter_map(|entry| {
            let arn = entry.principal.text()?;
            let caller = IamIdentity::from_arn(arn, None);
            let reach = match caller {
                _ if self.recreated.contains(&entry.key) => Reach::Nobody(Unreachable::Recreated),
                Ok(caller) if key_of(caller.canonical_arn()) == entry.key => Reach::Callers(caller),
                _ => Reach::Nobody(Unreachable::NotAnArn),
            };
            Some(MappedIdentity { arn, kind: MappingKind::AccessEntry, source: entry.source(), reach })
        });
        entries.collect()
    }
}

/// Whether an ARN of `aws-auth` names the principal of an entry: then the entry decides.
pub(super) fn shadows<'a>(access: &'a AccessEntries, arn: &str) -> Option<&'a Entry> {
    let number = access.by_key.get(&fold(arn))?;
    access.entries.get(*number).filter(|entry| !access.recreated.contains(&entry.key))
}
