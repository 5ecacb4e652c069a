//! Whether rules cover a rule: what the API server asks before it lets somebody write a role or a binding.
//!
//! Follows `validation.Covers`, `BreakdownRule` and `ruleCovers`: a rule is taken apart into one verb, one group, one
//! resource and at most one name, and one rule of the owner must cover each part as it is written. Two rules together
//! cover no part, and only a literal `*` covers what a `*` asks.

use std::fmt;

use crate::model::names::{Name, Names};
use crate::model::rbac::PolicyRule;

/// A word of a rule: its text, and its name among those of the owner's rules.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Word<'p> {
    text: &'p str,
    name: Name,
}

/// One part of a rule.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Part<'p> {
    /// A verb on a resource, perhaps of one name.
    Resource {
        /// The verb.
        verb: Word<'p>,
        /// The API group.
        group: Word<'p>,
        /// The resource as written.
        resource: Word<'p>,
        /// The name that it is limited to.
        name: Option<Word<'p>>,
    },
    /// A verb on a URL.
    Url {
        /// The verb.
        verb: Word<'p>,
        /// The URL as written.
        url: Word<'p>,
    },
}

impl<'p> Part<'p> {
    /// The resource as written, if it is about one.
    pub fn resource(&self) -> Option<&'p str> {
        match self {
            Self::Resource { resource, .. } => Some(resource.text),
            Self::Url { .. } => None,
        }
    }
}

/// `get secrets named db`, `create pods.apps`, `get /metrics`.
impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { verb, url } => write!(f, "{} {}", verb.text, url.text),
            Self::Resource { verb, group, resource, name } => {
                write!(f, "{} {}", verb.text, resource.text)?;
                if !group.text.is_empty() {
                    write!(f, ".{}", group.text)?;
                }
                name.map_or(Ok(()), |name| write!(f, " named {}", name.text))
            }
        }
    }
}

/// The parts of a rule, as `BreakdownRule` makes them; the rule is spelt in `theirs` and to be compared in `ours`.
pub fn parts<'p>(
    rule: PolicyRule<'p>,
    theirs: &'p Names,
    ours: &'p Names,
) -> impl Iterator<Item = Part<'p>> + 'p {
    let same = std::ptr::eq(theirs, ours);
    let word = move |name: &Name| {
        let text = theirs.text(*name);
        Word { text, name: if same { *name } else { ours.lookup(text) } }
    };
    let resources = rule.api_groups.iter().flat_map(move |group| {
        rule.resources.iter().flat_map(move |resource| {
            rule.verbs.iter().flat_map(move |verb| {
                let unlimited = rule.resource_names.is_empty().then_some(None);
                let names = rule.resource_names.iter().map(move |name| Some(word(name)));
                unlimited.into_iter().chain(names).map(move |name| Part::Resource {
                    verb: word(verb),
                    group: word(group),
                    resource: word(resource),
                    name,
                })
            })
        })
    });
    let urls = rule.non_resource_urls.iter().flat_map(move |url| {
        rule.verbs.iter().map(move |verb| Part::Url { verb: word(verb), url: word(url) })
    });
    resources.chain(urls)
}

/// Whether a rule covers a part.
pub fn covers(names: &Names, rule: &PolicyRule<'_>, part: &Part<'_>) -> bool {
    let has = |list: &[Name], word: Word<'_>| list.contains(&Name::STAR) || list.contains(&word.name);
    match *part {
        Part::Resource { verb, group, resource, name } => {
            has(rule.verbs, verb)
                && has(rule.api_groups, group)
                && (has(rule.resources, resource) || any_with(names, rule, resource))
                && (rule.resource_names.is_empty()
                    || name.is_some_and(|name| rule.resource_names.contains(&name.name)))
        }
        Part::Url { verb, url } => {
            has(rule.verbs, verb)
                && rule.non_resource_urls.iter().any(|own| {
                    let own = names.text(*own);
                    own == url.text || own.ends_with('*') && url.text.starts_with(own.trim_end_matches('*'))
                })
        }
    }
}

/// Whether a rule has `*/x` for the resource `y/x`.
fn any_with(names: &Names, rule: &PolicyRule<'_>, resource: Word<'_>) -> bool {
    let Some((_, subresource)) = resource.text.split_once('/') else { return false };
    let any = names.lookup_joined("*", subresource);
    any != Name::UNKNOWN && rule.resources.contains(&any)
}

/// The parts of rules that none of the owner's rules covers.
pub fn uncovered<'p>(
    names: &'p Names,
    owner: &'p [PolicyRule<'p>],
    rules: impl Iterator<Item = PolicyRule<'p>> + 'p,
    theirs: &'p Names,
) -> impl Iterator<Item = Part<'p>> + 'p {
    rules
        .flat_map(move |rule| parts(rule, theirs, names))
        .filter(move |part| !owner.iter().any(|own| covers(names, own, part)))
}
