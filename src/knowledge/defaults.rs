//! The roles and bindings that every Kubernetes cluster starts with (`bootstrappolicy`).
//!
//! They are those of Kubernetes 1.36.2 with its default feature gates, for whatever version is asked: what a
//! live API server of that version holds, except that the aggregated roles `admin`, `edit` and `view` come as
//! the API server writes them, without rules, for the aggregation to fill. Another version has a few rules
//! more or less, mostly for controllers; an export of the cluster itself says what it has. What EKS adds
//! (`eks:*`, `aws-node`) is not here.

use crate::model::version::KubernetesVersion;

/// The label by which the default roles and bindings are known, also in an export of a cluster.
pub const BOOTSTRAPPING: (&str, &str) = ("kubernetes.io/bootstrapping", "rbac-defaults");

/// The release whose facts these are.
pub const DATA_VERSION: &str = "1.36";

/// The ClusterRole whose default binding has no subjects: nodes get their rights from the Node authorizer.
pub const NODE_ROLE: &str = "system:node";

const ROLES: &str = include_str!("defaults/roles.txt");
const BINDINGS: &str = include_str!("defaults/bindings.txt");

/// A default Role or ClusterRole, before aggregation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRole {
    /// The namespace of a Role; `None` for a ClusterRole.
    pub namespace: Option<&'static str>,
    /// The name.
    pub name: &'static str,
    /// Every label, [`BOOTSTRAPPING`] first.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The `matchLabels` of each selector of the aggregation rule; empty where there is none.
    pub aggregation: Vec<Vec<(&'static str, &'static str)>>,
    /// The rules, in upstream's order; none where the role is aggregated.
    pub rules: Vec<DefaultRule>,
}

/// A rule of a default role, its lists in upstream's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultRule {
    /// `verbs`.
    pub verbs: Vec<&'static str>,
    /// `apiGroups`; the core group is empty text.
    pub api_groups: Vec<&'static str>,
    /// `resources`.
    pub resources: Vec<&'static str>,
    /// `resourceNames`.
    pub resource_names: Vec<&'static str>,
    /// `nonResourceURLs`.
    pub non_resource_urls: Vec<&'static str>,
}

/// A default RoleBinding or ClusterRoleBinding; its one label is [`BOOTSTRAPPING`].
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

/// The default roles: cluster-wide ones, those of controllers, those of namespaces.
///
/// The version makes no difference so far; see the module's description.
pub fn roles(_version: KubernetesVersion) -> impl Iterator<Item = DefaultRole> {
    // What does not read is left out; the tests hold that there is none.
    let mut lines = lines(ROLES).peekable();
    std::iter::from_fn(move || {
        let header = lines.next()?;
        let rules = std::iter::from_fn(|| lines.next_if(|line| line.starts_with(' ')));
        Some(role(header, rules.filter_map(rule).collect()))
    })
    .flatten()
}

/// The default bindings: cluster-wide ones, those of controllers, those of namespaces.
///
/// The version makes no difference so far; see the module's description.
pub fn bindings(_version: KubernetesVersion) -> impl Iterator<Item = DefaultBinding> {
    lines(BINDINGS).filter_map(binding)
}

/// The lines that say something.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn role(header: &'static str, rules: Vec<DefaultRule>) -> Option<DefaultRole> {
    let mut words = header.split(' ');
    let (namespace, name) = object(words.next()?, words.next()?)?;
    let (mut labels, mut aggregation) = (vec![BOOTSTRAPPING], Vec::new());
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
    let mut words = line.trim_start().split(' ');
    let (verbs, second) = (list(words.next()?), list(words.next()?));
    let Some(resources) = words.next() else {
        return Some(DefaultRule { verbs, non_resource_urls: second, ..DefaultRule::default() });
    };
    Some(DefaultRule {
        verbs,
        api_groups: second,
        resources: list(resources),
        resource_names: words.next().map(list).unwrap_or_default(),
        non_resource_urls: Vec::new(),
    })
}

fn binding(line: &'static str) -> Option<DefaultBinding> {
    let mut words = line.split(' ');
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

fn list(word: &'static str) -> Vec<&'static str> {
    word.split(',').map(|item| if item == "\"\"" { "" } else { item }).collect()
}
