//! One policy rule against one request: the decision core.
//!
//! Follows `pkg/apis/rbac/v1/evaluation_helpers.go` and `RuleAllows` of `rbac.go`, function by function. Upstream
//! compares text; here names are interned, so equal text is an equal number. Only a literal `*` is a wildcard.

use rustc_hash::FxHashMap;

use crate::model::attributes::Attributes;
use crate::model::names::{Name, Names};
use crate::model::policy::Policy;
use crate::model::rbac::{PolicyRule, RuleId};

/// A request with its texts looked up once.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) verb: Name,
    pub(crate) target: Target<'a>,
    /// The namespace in which RoleBindings are looked up; [`Name::EMPTY`] for none.
    pub(crate) namespace: Name,
    /// A rule can only match that has one of the bits in each of its masks.
    bits: [u64; 3],
}

/// What a request is about.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Target<'a> {
    Resource {
        group: Name,
        /// Resource and subresource, joined by a slash.
        combined: Name,
        /// How a rule spells this subresource of any resource: `*/scale`; [`Name::UNKNOWN`] if none does.
        any_with: Name,
        name: Name,
    },
    Url(&'a str),
}

impl Request<'_> {
    /// The same request by itself, where it is about a resource: it holds no text.
    pub(crate) fn of_resource(self) -> Option<Request<'static>> {
        let Target::Resource { group, combined, any_with, name } = self.target else { return None };
        let target = Target::Resource { group, combined, any_with, name };
        Some(Request { verb: self.verb, target, namespace: self.namespace, bits: self.bits })
    }

    /// The same request for an object of this name.
    pub(crate) fn named(self, name: Name) -> Self {
        match self.target {
            Target::Resource { group, combined, any_with, .. } => {
                Self { target: Target::Resource { group, combined, any_with, name }, ..self }
            }
            Target::Url(_) => self,
        }
    }
}

/// In what a rule and a request differ.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five independent questions, each answered")]
pub struct Mismatch {
    /// The rule is for resources and the request for a URL, or the other way round.
    pub kind: bool,
    /// The verb.
    pub verb: bool,
    /// The API group.
    pub api_group: bool,
    /// The resource or subresource.
    pub resource: bool,
    /// The rule is limited to other names.
    pub resource_name: bool,
    /// The URL.
    pub non_resource_url: bool,
}

impl Mismatch {
    /// Whether nothing differs: the rule allows the request.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// In how many ways they differ.
    pub fn count(self) -> u32 {
        [self.kind, self.verb, self.api_group, self.resource, self.resource_name, self.non_resource_url]
            .into_iter()
            .map(u32::from)
            .sum()
    }
}

/// Whether a namespace is one of a pattern, in which only `*` is special: any text, also none.
pub(crate) fn pattern_matches(pattern: &str, namespace: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| namespace.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

/// What rules say, prepared for comparing: masks that rule out most rules in one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lexicon {
    verb_bits: FxHashMap<Name, u32>,
    group_bits: FxHashMap<Name, u32>,
    /// Per rule the verbs, groups and resources that it may match, as bits.
    masks: Vec<[u64; 3]>,
}

/// The bit of names that have none of their own.
const OTHERS: u32 = 62;
/// The bit of names that no rule spells: only a wildcard has it.
const UNSPELT: u32 = 63;

fn bit_of(bits: &FxHashMap<Name, u32>, name: Name) -> u64 {
    1 << bits.get(&name).copied().unwrap_or(UNSPELT)
}

fn mask_of(bits: &mut FxHashMap<Name, u32>, list: &[Name]) -> u64 {
    let mut mask = 0;
    for name in list {
        if *name == Name::STAR {
            return u64::MAX;
        }
        let next = u32::try_from(bits.len()).unwrap_or(OTHERS).min(OTHERS);
        mask |= 1u64 << *bits.entry(*name).or_insert(next);
    }
    mask
}

/// The bit of a resource, which it shares with others: there may be many.
fn resource_bit(name: Name) -> u64 {
    // The upper bits of a product with an odd number spread neighbours.
    1 << (name.raw().wrapping_mul(0x9E37_79B1) >> 26)
}

impl Lexicon {
    /// Prepares the rules of a policy.
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut lexicon = Self::default();
        lexicon.masks.reserve_exact(policy.rules.len());
        for (_, rule) in policy.rules.iter() {
            let verbs = mask_of(&mut lexicon.verb_bits, rule.verbs);
            lexicon.masks.push(if rule.non_resource_urls.is_empty() {
                let groups = mask_of(&mut lexicon.group_bits, rule.api_groups);
                let resources = if rule.resources.contains(&Name::STAR) {
                    u64::MAX
                } else {
                    rule.resources.iter().fold(0, |mask, name| mask | resource_bit(*name))
                };
                [verbs, groups, resources]
            } else {
                [verbs, u64::MAX, u64::MAX]
            });
        }
        lexicon
    }

    /// Looks up the texts of a request.
    pub(crate) fn request<'a>(&self, names: &Names, attributes: &Attributes<'a>) -> Request<'a> {
        let verb = names.lookup(attributes.verb());
        let namespace = names.lookup(attributes.namespace());
        let verb_bit = bit_of(&self.verb_bits, verb);
        match attributes {
            Attributes::NonResource(url) => Request {
                verb,
                target: Target::Url(url.path),
                namespace,
                bits: [verb_bit, u64::MAX, u64::MAX],
            },
            Attributes::Resource(resource) => {
                let group = names.lookup(resource.group);
                let (combined, any_with) = if resource.subresource.is_empty() {
                    (names.lookup(resource.resource), Name::UNKNOWN)
                } else {
                    let joined = |left| names.lookup_joined(left, resource.subresource);
                    (joined(resource.resource), joined("*"))
                };
                let target =
                    Target::Resource { group, combined, any_with, name: names.lookup(resource.name) };
                let resource_bits = resource_bit(combined) | resource_bit(any_with);
                let bits = [verb_bit, bit_of(&self.group_bits, group), resource_bits];
                Request { verb, target, namespace, bits }
            }
        }
    }

    /// Whether a rule allows a request: first the masks, which rule out most; then the rule itself. Only the masks are
    /// part of a walk's loop.
    #[inline]
    pub(crate) fn allows(&self, policy: &Policy, rule: RuleId, request: &Request<'_>) -> bool {
        let [verb, group, resource] = request.bits;
        let may = self.masks.get(rule.index()).is_none_or(|[verbs, groups, resources]| {
            verbs & verb != 0 && groups & group != 0 && resources & resource != 0
        });
        may && Self::rule_of_policy_allows(policy, rule, request)
    }

    /// Whether a rule allows a request, or would allow it for some name of an object that the rule spells.
    pub(crate) fn allows_some(&self, policy: &Policy, rule: RuleId, request: &Request<'_>) -> bool {
        self.allows(policy, rule, request)
            || policy
                .rules
                .get(rule)
                .resource_names
                .first()
                .is_some_and(|name| self.allows(policy, rule, &request.named(*name)))
    }

    #[inline(never)]
    fn rule_of_policy_allows(policy: &Policy, rule: RuleId, request: &Request<'_>) -> bool {
        Self::rule_allows(&policy.names, &policy.rules.get(rule), request)
    }

    /// `RuleAllows`: whether a rule allows a request.
    pub(crate) fn rule_allows(names: &Names, rule: &PolicyRule<'_>, request: &Request<'_>) -> bool {
        match request.target {
            Target::Resource { group, combined, any_with, name } => {
                verb_matches(rule, request.verb)
                    && api_group_matches(rule, group)
                    && resource_matches(rule, combined, any_with)
                    && resource_name_matches(rule, name)
            }
            Target::Url(url) => {
                verb_matches(rule, request.verb) && non_resource_url_matches(names, rule, url)
            }
        }
    }

    /// The same questions as [`Lexicon::rule_allows`], all of them answered.
    pub(crate) fn mismatch(names: &Names, rule: &PolicyRule<'_>, request: &Request<'_>) -> Mismatch {
        let verb = !verb_matches(rule, request.verb);
        match request.target {
            Target::Resource { group, combined, any_with, name } => Mismatch {
                kind: rule.resources.is_empty() && !rule.non_resource_urls.is_empty(),
                verb,
                api_group: !api_group_matches(rule, group),
                resource: !resource_matches(rule, combined, any_with),
                resource_name: !resource_name_matches(rule, name),
                non_resource_url: false,
            },
            Target::Url(url) => Mismatch {
                kind: rule.non_resource_urls.is_empty(),
                verb,
                non_resource_url: !non_resource_url_matches(names, rule, url),
                ..Mismatch::default()
            },
        }
    }
}

/// `ResourceMatches`: `*`, the combined resource as text, or `*/x` for subresource `x`.
pub(crate) fn resource_matches(rule: &PolicyRule<'_>, combined: Name, any_with: Name) -> bool {
    rule.resources.iter().any(|own| *own == Name::STAR || *own == combined || *own == any_with)
}

/// `VerbMatches`: the verb, or `*`.
pub(crate) fn verb_matches(rule: &PolicyRule<'_>, verb: Name) -> bool {
    rule.verbs.iter().any(|own| *own == Name::STAR || *own == verb)
}

/// `APIGroupMatches`: the group, or `*`.
pub(crate) fn api_group_matches(rule: &PolicyRule<'_>, group: Name) -> bool {
    rule.api_groups.iter().any(|own| *own == Name::STAR || *own == group)
}

/// `ResourceNameMatches`: no names at all, or the very name. `*` is a name like any other.
pub(crate) fn resource_name_matches(rule: &PolicyRule<'_>, name: Name) -> bool {
    rule.resource_names.is_empty() || rule.resource_names.contains(&name)
}

/// `NonResourceURLMatches`: `*`, the very path, or a path that begins with a rule's text before its last stars.
pub(crate) fn non_resource_url_matches(names: &Names, rule: &PolicyRule<'_>, url: &str) -> bool {
    rule.non_resource_urls.iter().any(|own| url_pattern_matches(names.text(*own), url))
}

/// One non-resource URL of a rule against a path.
pub(crate) fn url_pattern_matches(pattern: &str, url: &str) -> bool {
    pattern == "*"
        || pattern == url
        || (pattern.ends_with('*') && url.starts_with(pattern.trim_end_matches('*')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attributes::{NonResourceAttributes, ResourceAttributes};

    /// A rule for resources and URLs at once cannot be stored, but upstream's function would take it for both.
    #[test]
    fn a_rule_of_both_kinds_works_for_both() {
        let mut policy = Policy::default();
        let mut one = |text: &str| [policy.names.intern(text)];
        let (verbs, api_groups, resources, urls) = (one("get"), one(""), one("pods"), one("/x"));
        let rule = PolicyRule {
            verbs: &verbs,
            api_groups: &api_groups,
            resources: &resources,
            resource_names: &[],
            non_resource_urls: &urls,
        };
        let rule = policy.rules.intern(&rule);
        let lexicon = Lexicon::of(&policy);
        let pods = ResourceAttributes {
            verb: "get",
            group: "",
            resource: "pods",
            subresource: "",
            name: "",
            namespace: "",
        };
        let asked = [
            (Attributes::Resource(pods), true),
            (Attributes::Resource(ResourceAttributes { group: "apps", ..pods }), false),
            (Attributes::NonResource(NonResourceAttributes { verb: "get", path: "/x" }), true),
            (Attributes::NonResource(NonResourceAttributes { verb: "get", path: "/y" }), false),
        ];
        for (attributes, allowed) in asked {
            let request = lexicon.request(&policy.names, &attributes);
            assert_eq!(lexicon.allows(&policy, rule, &request), allowed, "{attributes}");
            let mismatch = Lexicon::mismatch(&policy.names, &policy.rules.get(rule), &request);
            assert_eq!(mismatch.is_none(), allowed, "{attributes}");
        }
    }

    /// The masks have 64 bits; verbs and groups beyond share one and must still be told apart.
    #[test]
    fn more_verbs_than_bits() {
        let mut policy = Policy::default();
        let texts: Vec<String> = (0..200).map(|number| format!("v{number}")).collect();
        let group = [policy.names.intern("g")];
        let resources = [policy.names.intern("pods")];
        let rules: Vec<RuleId> = texts
            .iter()
            .map(|text| {
                let verbs = [policy.names.intern(text)];
                policy.rules.intern(&PolicyRule {
                    verbs: &verbs,
                    api_groups: &group,
                    resources: &resources,
                    resource_names: &[],
                    non_resource_urls: &[],
                })
            })
            .collect();
        let lexicon = Lexicon::of(&policy);
        for (verb, own) in texts.iter().zip(&rules) {
            let attributes = Attributes::Resource(ResourceAttributes {
                verb,
                group: "g",
                resource: "pods",
                subresource: "",
                name: "",
                namespace: "",
            });
            let request = lexicon.request(&policy.names, &attributes);
            for rule in &rules {
                assert_eq!(lexicon.allows(&policy, *rule, &request), rule == own, "{verb}");
            }
        }
    }
}
