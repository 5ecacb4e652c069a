//! From a TYPE argument to a resource, as `kubectl auth can-i` finds it.
//!
//! Follows `resourceFor` of kubectl's `cani.go`, the short names of client-go's `shortcutExpander` and the
//! matching and order of its discovery `RESTMapper`. Two differences, both for people's sake: where
//! kubectl finds nothing, a kind whose singular is another word is still found; and the names that the
//! mapper guesses for lists (`podlist`, `list`) are not types.

use super::{Catalogue, Resource};

/// What a TYPE argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution<'c> {
    /// A resource of the catalogue.
    Known {
        /// The one that kubectl takes.
        resource: &'c Resource,
        /// What the same text could also have meant, in the order in which kubectl would have taken it.
        also: Vec<&'c Resource>,
        /// The version that was written, if the resource is not served in it: kubectl then does not know it.
        unserved: Option<String>,
    },
    /// `*`: the literal star, which only a rule with `*` matches.
    Every {
        /// The group: empty for `*` alone (the core group, as kubectl asks), `apps` for `*.apps`, `*` for `*.*`.
        group: String,
    },
    /// No known type: it is asked as written.
    Unknown {
        /// The part before the first dot, as written.
        resource: String,
        /// The part after it, without a version; empty where there is none.
        group: String,
    },
}

impl<'c> Resolution<'c> {
    fn of(resource: &'c Resource) -> Self {
        Self::Known { resource, also: Vec::new(), unserved: None }
    }

    /// The resource to ask for.
    pub fn resource(&self) -> &str {
        match self {
            Self::Known { resource, .. } => &resource.plural,
            Self::Every { .. } => "*",
            Self::Unknown { resource, .. } => resource,
        }
    }

    /// The API group to ask for.
    pub fn group(&self) -> &str {
        match self {
            Self::Known { resource, .. } => &resource.group,
            Self::Every { group } | Self::Unknown { group, .. } => group,
        }
    }

    /// What the catalogue says of it; `None` for the star and for what is unknown.
    pub fn known(&self) -> Option<&'c Resource> {
        match self {
            Self::Known { resource, .. } => Some(resource),
            Self::Every { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// A TYPE taken apart: `deployments.v1.apps`. Empty is "not given".
#[derive(Copy, Clone)]
pub(super) struct Asked<'a> {
    pub(super) resource: &'a str,
    pub(super) version: &'a str,
    pub(super) group: &'a str,
}

impl<'a> Asked<'a> {
    /// What a text asks for when nothing is called so: everything after the first dot is the group, but for
    /// a version as in `foos.v1.example.com`.
    pub(super) fn as_written(text: &'a str) -> Self {
        let (resource, rest) = text.split_once('.').unwrap_or((text, ""));
        match rest.split_once('.') {
            Some((version, group)) if is_version(version) => Self { resource, version, group },
            _ => Self { resource, version: "", group: rest },
        }
    }
}

/// Whether a text looks like an API version: `v1`, `v2beta1`, `v1alpha3`.
fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let stage = rest.split_once("alpha").or_else(|| rest.split_once("beta"));
    stage.map_or_else(|| number(rest), |(major, minor)| number(major) && number(minor))
}

/// Whether a resource has the name that is looked for.
type Named = fn(&Resource, &str) -> bool;

fn by_name(resource: &Resource, name: &str) -> bool {
    resource.plural == name || resource.singular == name
}

fn by_kind(resource: &Resource, name: &str) -> bool {
    resource.kind.to_lowercase() == name
}

impl Catalogue {
    /// What a TYPE argument means: plural, singular, kind or short name in any case, alone, with a group
    /// (or the beginning of one), or with version and group; `*` in place of the name.
    ///
    /// Several groups may have the name: the first in the order of discovery is meant, the core group
    /// before all, those of CRDs after all and by name. What is unknown is asked as it is written, in the
    /// group that is written; kubectl would send the whole text as a resource of the core group.
    pub fn resolve(&self, type_arg: &str) -> Resolution<'_> {
        let lower = type_arg.to_lowercase();
        let asked = Asked::as_written(&lower);
        if asked.resource == "*" {
            return Resolution::Every { group: Asked::as_written(type_arg).group.to_owned() };
        }
        let mapped = [by_name as Named, by_kind].into_iter().find_map(|named| self.map(&lower, named));
        if let Some(found) = mapped.or_else(|| self.in_other_version(asked)) {
            return found;
        }
        if let Some(resource) = self.find(asked.group, asked.resource) {
            return Resolution::of(resource);
        }
        let Asked { resource, group, .. } = Asked::as_written(type_arg);
        Resolution::Unknown { resource: resource.to_owned(), group: group.to_owned() }
    }

    /// As `resourceFor`: with a version first, then everything after the first dot as the group.
    fn map(&self, lower: &str, named: Named) -> Option<Resolution<'_>> {
        let (resource, rest) = lower.split_once('.').unwrap_or((lower, ""));
        if resource.is_empty() {
            return None;
        }
        let full = rest
            .split_once('.')
            .and_then(|(version, group)| self.first(Asked { resource, version, group }, named));
        full.or_else(|| self.first(Asked { resource, version: "", group: rest }, named))
    }

    /// The resource itself where only the version is wrong: rules know no versions.
    fn in_other_version(&self, asked: Asked<'_>) -> Option<Resolution<'_>> {
        if asked.version.is_empty() || asked.resource.is_empty() {
            return None;
        }
        let any = Asked { version: "", ..asked };
        let found = [by_name as Named, by_kind].into_iter().find_map(|named| self.first(any, named))?;
        let Resolution::Known { resource, also, .. } = found else { return None };
        Some(Resolution::Known { resource, also, unserved: Some(asked.version.to_owned()) })
    }

    /// As `PriorityRESTMapper.ResourceFor`, behind a `shortcutExpander`.
    fn first(&self, asked: Asked<'_>, named: Named) -> Option<Resolution<'_>> {
        let mut found: Vec<&Resource> = Vec::new();
        let written_group = asked.group;
        let asked = self.shortcut(asked, &mut found).unwrap_or(asked);
        let same_group = |resource: &Resource| match (asked.group, asked.version) {
            ("", _) => true,
            (group, "") => resource.group.starts_with(group),
            (group, _) => resource.group == group,
        };
        let same_version = |resource: &Resource| {
            asked.version.is_empty() || resource.versions.iter().any(|own| own == asked.version)
        };
        let fits = |resource: &&Resource| {
            resource.discovered
                && same_group(resource)
                && same_version(resource)
                && named(resource, asked.resource)
        };
        let resource = self.iter().filter(fits).min_by_key(|resource| resource.priority())?;
        found.extend(self.iter().filter(fits));
        found.sort_unstable_by_key(|resource| resource.priority());
        found.dedup_by_key(|resource| resource.priority());
        // A group that is written in full does not mean another that begins like it.
        let in_full = written_group == resource.group && !written_group.is_empty();
        found.retain(|other| {
            other.priority() != resource.priority() && (!in_full || other.group == resource.group)
        });
        Some(Resolution::Known { resource, also: found, unserved: None })
    }

    /// As `expandResourceShortcut`: the long form of a short name, unless some resource is called so.
    /// What else has the short name goes into `also`.
    fn shortcut<'a, 'c: 'a>(&'c self, asked: Asked<'a>, also: &mut Vec<&'c Resource>) -> Option<Asked<'a>> {
        let in_group = |resource: &&Resource| {
            resource.discovered && (asked.group.is_empty() || resource.group == asked.group)
        };
        if self.iter().filter(in_group).any(|resource| by_name(resource, asked.resource)) {
            return None;
        }
        let short = |resource: &&Resource| resource.short_names.iter().any(|short| short == asked.resource);
        also.extend(self.iter().filter(in_group).filter(short));
        if let Some(long) = also.iter().min_by_key(|resource| resource.priority()) {
            return Some(Asked { resource: &long.plural, version: "", group: &long.group });
        }
        // `hpa.autoscal` is `hpa.autoscaling`.
        let begins = |resource: &&Resource| resource.discovered && resource.group.starts_with(asked.group);
        let long = self.iter().filter(begins).filter(short).min_by_key(|resource| resource.priority())?;
        Some(Asked { resource: &long.plural, group: &long.group, ..asked })
    }
}
