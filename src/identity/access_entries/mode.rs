//! Who is asked in which authentication mode, and what stays unknown where the inputs leave a gap.

use super::super::IdentityMappings;
use super::super::caller::{IamIdentity, IdentityDoubt, IdentityError, IdentitySource, Mapped, Note};
use super::super::nearest::NearMiss;
use super::gap::Gap;
use super::resolve::Found;
use super::{AccessEntries, AuthenticationMode, EntryList};

type Outcome = Result<Mapped, IdentityError>;

/// Everything that an outcome could be, and whether that is all.
fn alternatives(outcome: Outcome) -> (Vec<Outcome>, bool) {
    match outcome {
        Err(IdentityError::Unknown { could_be, is_exhaustive, .. }) => (could_be, is_exhaustive),
        other => (vec![other], true),
    }
}

impl AccessEntries {
    /// The user that the API server sees for a caller, entries and `aws-auth` asked as the mode has it.
    pub(in super::super) fn user_info(&self, identity: &IamIdentity, mappings: &IdentityMappings) -> Outcome {
        if !self.several.is_empty() {
            return Gap::SeveralClusters(self.several.clone()).outcome(Vec::new(), false);
        }
        let asked = match self.mode {
            Some(AuthenticationMode::ConfigMap) if self.is_creator(identity) => {
                return Ok(Self::creator_user(identity));
            }
            Some(AuthenticationMode::ConfigMap) => return mappings.by_aws_auth(identity),
            _ => self.find(identity),
        };
        match asked {
            Found::Certain(entry) => Self::user_of(entry, identity),
            Found::None { is_certain } => self.after_entries(identity, mappings, is_certain),
            Found::Possible(entries) => {
                let (mut could_be, is_exhaustive) =
                    alternatives(self.after_entries(identity, mappings, false));
                could_be.splice(0..0, entries.iter().map(|entry| Self::user_of(entry, identity)));
                let places = entries.iter().map(|entry| entry.source()).collect();
                Gap::PossibleEntry(places).outcome(could_be, is_exhaustive)
            }
        }
    }

    /// Why the inputs do not tell who anybody is; empty where they do, or where it differs from caller to caller.
    pub(in super::super) fn doubts(&self) -> Vec<IdentityDoubt> {
        if self.several.is_empty() {
            return Vec::new();
        }
        Gap::SeveralClusters(self.several.clone()).doubts()
    }

    /// Who a caller is without an entry that the inputs show.
    fn after_entries(&self, identity: &IamIdentity, mappings: &IdentityMappings, has_none: bool) -> Outcome {
        match self.mode {
            Some(AuthenticationMode::Api) if has_none => Err(self.not_mapped(identity)),
            Some(AuthenticationMode::Api) => Gap::EntryListNotComplete.outcome(Vec::new(), false),
            Some(AuthenticationMode::ApiAndConfigMap) => self.then_aws_auth(identity, mappings, has_none),
            Some(AuthenticationMode::ConfigMap) => mappings.by_aws_auth(identity),
            None if self.list == EntryList::Absent => {
                let today = mappings.by_aws_auth(identity);
                if self.is_creator(identity) {
                    let (mut could_be, is_exhaustive) = alternatives(today);
                    could_be.insert(0, Ok(Self::creator_user(identity)));
                    return Gap::CreatorOfUnknownMode.outcome(could_be, is_exhaustive);
                }
                today
            }
            None => {
                let outcome = self.then_aws_auth(identity, mappings, has_none);
                match outcome {
                    // In the mode API nobody would ask `aws-auth`.
                    Ok(_) | Err(IdentityError::RandomMapping { .. }) => {
                        let refused = Err(self.not_mapped(identity));
                        Gap::ModeUnknown.outcome(vec![outcome, refused], has_none)
                    }
                    Err(IdentityError::NoInstanceId { .. }) if !has_none => {
                        Gap::EntryListNotComplete.outcome(Vec::new(), false)
                    }
                    Err(_) => outcome,
                }
            }
        }
    }

    /// Who `aws-auth` says that a caller without an entry is.
    fn then_aws_auth(&self, identity: &IamIdentity, mappings: &IdentityMappings, has_none: bool) -> Outcome {
        match mappings.by_aws_auth(identity) {
            Err(IdentityError::NoMappings) if has_none => Gap::AwsAuthNotLoaded.outcome(Vec::new(), false),
            Err(IdentityError::NoMappings) => Gap::EntryListNotComplete.outcome(Vec::new(), false),
            Err(IdentityError::NotMapped { nearest, unfilled, unrendered, mut elsewhere }) => {
                if !has_none {
                    if unfilled.is_empty() && unrendered.is_none() && elsewhere.is_empty() {
                        return Gap::EntryListNotComplete.outcome(Vec::new(), false);
                    }
                    elsewhere.extend(Gap::EntryListNotComplete.doubts());
                }
                let entries = self.nearest(identity).map(Box::new);
                let nearest = entries.into_iter().chain(nearest).min_by_key(|near| near.rank());
                Err(IdentityError::NotMapped { nearest, unfilled, unrendered, elsewhere })
            }
            Ok(mut mapped) if !has_none => {
                let text = "the inputs do not hold all access entries; an access entry for this ARN would replace this mapping";
                mapped.notes.push(Note { source: None, text: text.to_owned() });
                Ok(mapped)
            }
            other => other,
        }
    }

    /// That nothing maps a caller, and which entry comes nearest.
    fn not_mapped(&self, identity: &IamIdentity) -> IdentityError {
        let nearest: Option<NearMiss> = self.nearest(identity);
        IdentityError::NotMapped {
            nearest: nearest.map(Box::new),
            unfilled: Vec::new(),
            unrendered: None,
            elsewhere: Vec::new(),
        }
    }
}
