//! The access policies of EKS: what AWS publishes of their rules, and the names of those of which it publishes none.
//!
//! A policy that is not here may exist all the same: AWS adds them as services need them.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

const TABLE: &str = include_str!("access_policies/policies.txt");

/// The ARN of a policy up to its name, as commercial regions have it; in others the partition differs.
pub const ARN_PREFIX: &str = "arn:aws:eks::aws:cluster-access-policy/";

/// How much is known of a policy.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Its rules.
    Rules,
    /// In words what it is for, which is not enough to decide by.
    Words,
    /// Its name.
    Name,
}

/// An access policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// The name, the last part of its ARN.
    pub name: &'static str,
    /// How much is known of it.
    pub told: Told,
    /// Where the rules are published, and when.
    pub published: &'static str,
    /// Whether EKS associates it with service-linked roles only.
    pub is_service_linked_only: bool,
    /// The rules; none where they are not published.
    pub rules: Vec<PublishedRule>,
}

/// A rule of an access policy. None of them is limited to names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishedRule {
    /// `verbs`.
    pub verbs: Vec<&'static str>,
    /// `apiGroups`; the core group is empty text.
    pub api_groups: Vec<&'static str>,
    /// `resources`.
    pub resources: Vec<&'static str>,
    /// `nonResourceURLs`.
    pub non_resource_urls: Vec<&'static str>,
}

static POLICIES: LazyLock<Vec<AccessPolicy>> = LazyLock::new(|| {
    let mut policies: Vec<AccessPolicy> = Vec::new();
    // What does not read is left out; a test holds that there is none.
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            None => policies.extend(policy(line)),
            Some(line) => {
                if let (Some(policy), Some(rule)) = (policies.last_mut(), rule(line)) {
                    policy.rules.push(rule);
                }
            }
        }
    }
    policies
});

static BY_NAME: LazyLock<FxHashMap<&'static str, &'static AccessPolicy>> =
    LazyLock::new(|| POLICIES.iter().map(|policy| (policy.name, policy)).collect());

/// Every policy that is known, at least by name.
pub fn all() -> &'static [AccessPolicy] {
    &POLICIES
}

/// The policy of a name; case matters.
pub fn find(name: &str) -> Option<&'static AccessPolicy> {
    BY_NAME.get(name).copied()
}

fn policy(line: &'static str) -> Option<AccessPolicy> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let told = match words.next()? {
        "told:rules" => Told::Rules,
        "told:words" => Told::Words,
        "told:name" => Told::Name,
        _ => return None,
    };
    let mut policy =
        AccessPolicy { name, told, published: "", is_service_linked_only: false, rules: Vec::new() };
    for word in words {
        match word {
            "from:guide" => policy.published = "EKS user guide, 2024-12-18",
            "from:guide-2025" => policy.published = "EKS user guide, 2025-11-06",
            "from:cloudwatch" => policy.published = "CloudWatch user guide, 2025-08-09",
            "from:third-party" => policy.published = "a third party, 2026",
            "service-linked-only" => policy.is_service_linked_only = true,
            _ => return None,
        }
    }
    Some(policy)
}

fn rule(line: &'static str) -> Option<PublishedRule> {
    let mut words = line.split(' ').map(list);
    let (verbs, second) = (words.next()?, words.next()?);
    Some(match words.next() {
        Some(resources) => PublishedRule { verbs, api_groups: second, resources, ..PublishedRule::default() },
        None => PublishedRule { verbs, non_resource_urls: second, ..PublishedRule::default() },
    })
}

fn list(word: &'static str) -> Vec<&'static str> {
    word.split(',').map(|item| if item == "\"\"" { "" } else { item }).collect()
}
