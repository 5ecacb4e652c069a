//! The roles and bindings that every Kubernetes cluster starts with (`bootstrappolicy`), and those that EKS adds.
//!
//! They are what a new cluster of a version has with its default feature gates, except that the aggregated roles
//! `admin`, `edit` and `view` come as the API server writes them, without rules, for the aggregation to fill. A
//! cluster that was upgraded keeps rules that its former versions had; [`changes`] tells where that may matter.

use super::tables::{self, Line, Section, Step};
use crate::model::version::{KubernetesVersion, Platform};

/// The label by which the default roles and bindings are known, also in an export of a cluster.
pub const BOOTSTRAPPING: (&str, &str) = ("kubernetes.io/bootstrapping", "rbac-defaults");

/// The ClusterRole whose default binding has no subjects: nodes get their rights from the Node authorizer.
pub const NODE_ROLE: &str = "system:node";

/// A default Role or ClusterRole, before aggregation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRole {
    /// The namespace of a Role; `None` for a ClusterRole.
    pub namespace: Option<&'static str>,
    /// The name.
    pub name: &'static str,
    /// Every label; of a role of Kubernetes itself [`BOOTSTRAPPING`] first.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The `matchLabels` of each selector of the aggregation rule; empty where there is none.
    pub aggregation: Vec<Vec<(&'static str, &'static str)>>,
    /// The rules, in upstream's order; none where the role is aggregated.
    pub rules: Vec<DefaultRule>,
}

/// A rule of a default role, its lists in upstream's order.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultRule {
    /// `verbs`.
    pub verbs: Words,
    /// `apiGroups`; the core group is empty text.
    pub api_groups: Words,
    /// `resources`.
    pub resources: Words,
    /// `resourceNames`.
    pub resource_names: Words,
    /// `nonResourceURLs`.
    pub non_resource_urls: Words,
    /// The line that says all this.
    pub line: &'static str,
}

/// A list of words, as a table has it: with commas between them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(&'static str);

impl Words {
    /// The words.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        let words = (!self.0.is_empty()).then(|| tables::parts(self.0, b','));
        words.into_iter().flatten().map(|word| if word == "\"\"" { "" } else { word })
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Whether a word is among them.
    pub fn contains(self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }
}

/// The words of a line, with single spaces between them.
fn words(line: &'static str) -> impl Iterator<Item = &'static str> {
    tables::parts(line, b' ')
}

/// A default RoleBinding or ClusterRoleBinding; the one label of those of Kubernetes is [`BOOTSTRAPPING`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultBinding {
    /// The namespace of a RoleBinding; `None` for a ClusterRoleBinding.
    pub namespace: Option<&'static str>,
    /// The name.
    pub name: &'static str,
    /// `Role` or `ClusterRole`.
    pub role_kind: &'static str,
    /// The name of the role.
    pub role_name: &'static str,
    /// Its subjects; none in the binding of [`NODE_ROLE`].
    pub subjects: Vec<DefaultSubject>,
}

/// A subject of a default binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultSubject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: &'static str,
    /// The namespace of a ServiceAccount, else `None`.
    pub namespace: Option<&'static str>,
    /// The name.
    pub name: &'static str,
}

/// The default roles of Kubernetes on a platform.
pub fn roles(version: KubernetesVersion, platform: Platform) -> impl Iterator<Item = DefaultRole> {
    let lines = match platform {
        Platform::Kubernetes => tables::lines(Section::Roles, version),
        Platform::Eks => tables::changed_by_eks(Section::Roles, version),
    };
    roles_of(lines.into_iter(), &[BOOTSTRAPPING])
}

/// The default bindings of Kubernetes.
pub fn bindings(version: KubernetesVersion) -> impl Iterator<Item = DefaultBinding> {
    tables::lines(Section::Bindings, version).into_iter().filter_map(binding)
}

/// The roles that EKS adds.
pub fn eks_roles(version: KubernetesVersion) -> impl Iterator<Item = DefaultRole> {
    roles_of(tables::eks(Section::Roles, version), &[])
}

/// The bindings that EKS adds.
pub fn eks_bindings(version: KubernetesVersion) -> impl Iterator<Item = DefaultBinding> {
    tables::eks(Section::Bindings, version).filter_map(binding)
}

/// What does not read is left out; the tests hold that there is none.
fn roles_of(
    lines: impl Iterator<Item = Line>,
    labels: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = DefaultRole> {
    let mut lines = lines.peekable();
    std::iter::from_fn(move || {
        let header = lines.next()?;
        let rules = std::iter::from_fn(|| lines.next_if(|line| line.starts_with(' ')));
        Some(role(header, labels, rules.filter_map(rule).collect()))
    })
    .flatten()
}

/// A line of a default role that a version has more or less than the one before.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The version.
    pub version: KubernetesVersion,
    /// The namespace of the role.
    pub namespace: Option<&'static str>,
    /// The name of the role.
    pub name: &'static str,
    /// The line: that of a rule, or of the role itself.
    pub line: &'static str,
    /// Whether it is new; otherwise it is gone.
    pub is_new: bool,
}

/// What changed in the default roles from version to version.
pub fn changes() -> impl Iterator<Item = Change> {
    KubernetesVersion::all().flat_map(|version| {
        let mut within = None;
        tables::differences(Section::Roles, version).filter_map(move |step| {
            let (Step::Keep(line) | Step::Drop(line) | Step::Add(line)) = step;
            if !line.starts_with(' ') {
                let mut words = words(line);
                within = words.next().zip(words.next()).and_then(|(kind, name)| object(kind, name));
            }
            let (namespace, name) = within?;
            let is_new = match step {
                Step::Keep(_) => return None,
                Step::Drop(_) => false,
                Step::Add(_) => true,
            };
            Some(Change { version, namespace, name, line, is_new })
        })
    })
}

fn role(
    header: &'static str,
    labels: &[(&'static str, &'static str)],
    rules: Vec<DefaultRule>,
) -> Option<DefaultRole> {
    let mut words = words(header);
    let (namespace, name) = object(words.next()?, words.next()?)?;
    let (mut labels, mut aggregation) = (labels.to_vec(), Vec::new());
    for word in words {
        match word.split_once(':')? {
            ("label", pair) => labels.push(pair.split_once('=')?),
            ("selects", pair) => aggregation.push(vec![pair.split_once('=')?]),
            _ => return None,
        }
    }
    Some(DefaultRole { namespace, name, labels, aggregation, rules })
}

fn rule(line: &'static str) -> Option<DefaultRule> {
    let mut words = words(line.trim_start());
    let (verbs, second) = (Words(words.next()?), Words(words.next()?));
    let Some(resources) = words.next() else {
        return Some(DefaultRule { verbs, non_resource_urls: second, line, ..DefaultRule::default() });
    };
    Some(DefaultRule {
        verbs,
        api_groups: second,
        resources: Words(resources),
        resource_names: Words(words.next().unwrap_or_default()),
        non_resource_urls: Words::default(),
        line,
    })
}

fn binding(line: &'static str) -> Option<DefaultBinding> {
    let mut words = words(line);
    let (namespace, name) = object(words.next()?, words.next()?)?;
    let (role_kind, role_name) = words.next()?.split_once('/')?;
    let subjects = words.map(subject).collect::<Option<_>>()?;
    Some(DefaultBinding { namespace, name, role_kind, role_name, subjects })
}

fn subject(word: &'static str) -> Option<DefaultSubject> {
    let (kind, name) = word.split_once('=')?;
    let (namespace, name) = match kind {
        "ServiceAccount" => name.split_once('/').map(|(namespace, name)| (Some(namespace), name))?,
        _ => (None, name),
    };
    Some(DefaultSubject { kind, namespace, name })
}

/// Namespace and name of an object, as its kind has them.
fn object(kind: &str, name: &'static str) -> Option<(Option<&'static str>, &'static str)> {
    if kind.starts_with("Cluster") {
        return Some((None, name));
    }
    name.split_once('/').map(|(namespace, name)| (Some(namespace), name))
}
