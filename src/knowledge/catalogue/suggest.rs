//! Suggestions for an unknown type.

use super::resolve::Asked;
use super::{Catalogue, Resource, spell};

/// URLs that are easily asked for without their slash.
const URLS: [&str; 8] = ["healthz", "livez", "readyz", "metrics", "version", "openapi", "apis", "api"];

/// What kubectl calls what the API calls otherwise.
const ALIASES: [(&str, &str); 6] = [
    ("evict", "eviction"),
    ("bind", "binding"),
    ("forward", "portforward"),
    ("ephemeralcontainer", "ephemeralcontainers"),
    ("debug", "ephemeralcontainers"),
    ("approve", "approval"),
];

/// A subresource that is spelled nearly as something that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearSubresource {
    /// The subresource.
    pub name: String,
    /// Whether it is another form of that very word (`logs`, `port-forward`), and not only near.
    pub is_certain: bool,
}

/// How far a resource is from what was written: in its name, in its group.
type Distance = (usize, usize);

impl Catalogue {
    /// What to write instead of a type that [`Catalogue::resolve`] does not know; `None` when nothing is near.
    ///
    /// `mentioned` are further types, as group and resource, that only rules name: they often belong to CRDs
    /// that are not in the inputs. In order of preference: a type of that very name in another group, a
    /// subresource (`pods/exec` for `exec`), a URL (`/healthz` for `healthz`), the nearest spelling.
    pub fn suggest<'a>(
        &'a self,
        type_arg: &str,
        mentioned: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Option<String> {
        let lower = type_arg.to_lowercase();
        let Asked { resource, group, .. } = Asked::as_written(&lower);
        let known = self
            .iter()
            .filter_map(|known| Some((distance_to(known, resource, group)?, &*known.plural, &*known.group)));
        let mentioned = mentioned.into_iter().filter_map(|(group_there, name)| {
            let plural = name.split('/').next().unwrap_or(name);
            let wildcard = plural.contains('*') || group_there.contains('*');
            let near = (!wildcard).then(|| distance([plural], resource, group_there, group)).flatten()?;
            Some((near, plural, group_there))
        });
        let mut nearest: Option<(Distance, &str, &str)> = None;
        for candidate in known.chain(mentioned) {
            if nearest.is_none_or(|(best, ..)| candidate.0 < best) {
                nearest = Some(candidate);
            }
        }
        let same_name = nearest.filter(|((name, _), ..)| *name == 0);
        let spelled = |(_, plural, group): (Distance, &str, &str)| spell(plural, group);
        same_name
            .map(spelled)
            .or_else(|| self.other_than_type(resource, group))
            .or_else(|| nearest.map(spelled))
    }

    /// The subresource of a type that was probably meant by what follows the slash.
    pub fn near_subresource(known: &Resource, written: &str) -> Option<NearSubresource> {
        let lower = written.to_lowercase();
        let plain = lower.replace(['-', '_'], "");
        let same = |name: &str| {
            plain == name || plain.strip_suffix('s') == Some(name) || name.strip_suffix('s') == Some(&*plain)
        };
        let alias = ALIASES.iter().find(|(alias, _)| *alias == plain).map(|(_, name)| *name);
        let mut names = known.subresources.iter().map(|part| &*part.name);
        if let Some(name) = names.clone().find(|name| same(name) || alias == Some(*name)) {
            return Some(NearSubresource { name: name.to_owned(), is_certain: true });
        }
        let near = |name: &&str| slips(name, &lower) <= allowed(name).min(allowed(&lower)).min(1);
        names.find(near).map(|name| NearSubresource { name: name.to_owned(), is_certain: false })
    }

    /// A subresource that only one type has, or a URL.
    fn other_than_type(&self, name: &str, group: &str) -> Option<String> {
        if !group.is_empty() {
            return None;
        }
        let has = |known: &&Resource| known.subresource(name).is_some_and(|sub| sub.discovered);
        let mut owners = self.iter().filter(has);
        match (owners.next(), owners.next()) {
            (Some(owner), None) => Some(format!("{}/{name}", owner.full_name())),
            _ => URLS.contains(&name).then(|| format!("/{name}")),
        }
    }
}

fn distance_to(known: &Resource, resource: &str, group: &str) -> Option<Distance> {
    let kind = known.kind.to_lowercase();
    if known.short_names.iter().any(|short| short == resource) {
        return distance([resource], resource, &known.group, group);
    }
    distance([&*known.plural, &*known.singular, &*kind], resource, &known.group, group)
}

/// The distance, if it is a likely slip: the same name in whatever group, or both parts nearly right.
fn distance<'a>(
    names: impl IntoIterator<Item = &'a str>,
    resource: &str,
    group: &str,
    written_group: &str,
) -> Option<Distance> {
    let name = names.into_iter().filter(|name| !name.is_empty()).map(|name| slips(name, resource)).min()?;
    if written_group.is_empty() {
        return (name <= allowed(resource)).then_some((name, 0));
    }
    let group = slips(group, written_group);
    (name == 0 || (name <= allowed(resource) && group <= allowed(written_group))).then_some((name, group))
}

fn slips(one: &str, other: &str) -> usize {
    strsim::osa_distance(one, other)
}

/// How many slips are likely in a text of that length.
fn allowed(text: &str) -> usize {
    match text.len() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    }
}
