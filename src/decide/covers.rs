//! Whether rules cover a rule: what the API server asks before it lets somebody write a role or a binding.
//!
//! Follows `validation.Covers`, `BreakdownRule` and `ruleCovers`: a rule is taken apart into one verb, one group, one
//! resource and at most one name, and one rule of the owner must cover each part as it is written. Two rules together
//! cover no part, and only a literal `*` covers what a `*` asks.

use crate::model::names::{Name, Names};
use crate::model::rbac::PolicyRule;

/// One part of a rule.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A verb on a resource, perhaps of one name.
    Resource {
        /// The verb.
        verb: Name,
        /// The API group.
        group: Name,
        /// The resource as written.
        resource: Name,
        /// The name that it is limited to.
        name: Option<Name>,
    },
    /// A verb on a URL.
    Url {
        /// The verb.
        verb: Name,
        /// The URL as written.
        url: Name,
    },
}

/// The parts of a rule, as `BreakdownRule` makes them.
pub fn parts(rule: PolicyRule<'_>) -> impl Iterator<Item = Part> + '_ {
    let resources = rule.api_groups.iter().flat_map(move |group| {
        rule.resources.iter().flat_map(move |resource| {
            rule.verbs.iter().flat_map(move |verb| {
                let unlimited = rule.resource_names.is_empty().then_some(None);
                let names = rule.resource_names.iter().map(|name| Some(*name));
                unlimited.into_iter().chain(names).map(move |name| Part::Resource {
                    verb: *verb,
                    group: *group,
                    resource: *resource,
                    name,
                })
            })
        })
    });
    let urls = rule
        .non_resource_urls
        .iter()
        .flat_map(move |url| rule.verbs.iter().map(move |verb| Part::Url { verb: *verb, url: *url }));
    resources.chain(urls)
}

/// Whether a rule covers a part.
pub fn covers(names: &Names, rule: &PolicyRule<'_>, part: &Part) -> bool {
    let has = |list: &[Name], name: Name| list.contains(&Name::STAR) || list.contains(&name);
    match *part {
        Part::Resource { verb, group, resource, name } => {
            has(rule.verbs, verb)
                && has(rule.api_groups, group)
                && (has(rule.resources, resource) || any_with(names, rule, resource))
                && (rule.resource_names.is_empty()
                    || name.is_some_and(|name| rule.resource_names.contains(&name)))
        }
        Part::Url { verb, url } => {
            let text = names.text(url);
            has(rule.verbs, verb)
                && rule.non_resource_urls.iter().any(|own| {
                    let own = names.text(*own);
                    own == text || own.ends_with('*') && text.starts_with(own.trim_end_matches('*'))
                })
        }
    }
}

/// Whether a rule has `*/x` for the resource `y/x`.
fn any_with(names: &Names, rule: &PolicyRule<'_>, resource: Name) -> bool {
    let Some((_, subresource)) = names.text(resource).split_once('/') else { return false };
    let any = names.lookup_joined("*", subresource);
    any != Name::UNKNOWN && rule.resources.contains(&any)
}

/// The parts of rules that none of the owner's rules covers.
pub fn uncovered<'p>(
    names: &'p Names,
    owner: &'p [PolicyRule<'p>],
    rules: impl Iterator<Item = PolicyRule<'p>> + 'p,
) -> impl Iterator<Item = Part> + 'p {
    rules.flat_map(parts).filter(move |part| !owner.iter().any(|own| covers(names, own, part)))
}
