//! What if: the inputs as they would be with objects and mappings more or less.

use std::fmt;
use std::str::FromStr;

use rustc_hash::FxHashSet;

use crate::identity::aws_auth::NewMapping;
use crate::model::names::Name;
use crate::model::policy::Policy;
use crate::model::rbac::{Authorizer, Scope};
use crate::model::source::Source;

use super::Input;

/// What to change in the inputs before anything is asked.
#[derive(Clone, Debug, Default)]
pub struct WhatIf {
    /// Objects that are not there.
    pub without: Vec<ObjectName>,
    /// Entries and accounts of the identity mappings that are not there, by ARN or account number.
    pub without_mapping: Vec<String>,
    /// What is there besides, in place of objects of the same name.
    pub with: Vec<Input>,
    /// Identity mappings that are there besides, in place of those of the same ARN.
    pub with_mapping: Vec<NewMapping>,
}

impl WhatIf {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        self.without.is_empty()
            && self.without_mapping.is_empty()
            && self.with.is_empty()
            && self.with_mapping.is_empty()
    }
}

/// A change that was made to the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What, such as ``without RoleBinding `prod/oncall` ``.
    pub text: String,
    /// Where what is gone stands.
    pub source: Option<Source>,
}

/// The kinds of objects that can be left out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A Role.
    Role,
    /// A ClusterRole.
    ClusterRole,
    /// A RoleBinding.
    RoleBinding,
    /// A ClusterRoleBinding.
    ClusterRoleBinding,
    /// The ConfigMap `kube-system/aws-auth`.
    AwsAuth,
}

impl ObjectKind {
    const BY_NAME: [(&str, Self); 4] = [
        ("Role", Self::Role),
        ("ClusterRole", Self::ClusterRole),
        ("RoleBinding", Self::RoleBinding),
        ("ClusterRoleBinding", Self::ClusterRoleBinding),
    ];

    fn as_str(self) -> &'static str {
        let known = Self::BY_NAME.iter().find(|(_, kind)| *kind == self);
        known.map_or("ConfigMap", |(name, _)| name)
    }

    fn is_namespaced(self) -> bool {
        matches!(self, Self::Role | Self::RoleBinding | Self::AwsAuth)
    }
}

/// An object by kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace; `None` where it has none, or where the name alone tells the object.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `", self.kind.as_str())?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        write!(f, "{}`", self.name)
    }
}

impl FromStr for ObjectName {
    type Err = String;

    /// `KIND/NAME`, or `KIND/NAMESPACE/NAME`; the kind in any case, also in the plural.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write KIND/NAME or KIND/NAMESPACE/NAME, such as RoleBinding/prod/oncall";
        let (kind, rest) = text.split_once('/').ok_or(FORM)?;
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, rest),
        };
        if name.is_empty() || name.contains('/') || namespace.as_deref() == Some("") {
            return Err(FORM.to_owned());
        }
        let lower = kind.to_ascii_lowercase();
        let known = ObjectKind::BY_NAME.iter().find(|(word, _)| {
            let word = word.to_ascii_lowercase();
            lower == word || lower.strip_suffix('s') == Some(&word)
        });
        let kind = match known {
            Some((_, kind)) => *kind,
            None if lower == "configmap" && name == "aws-auth" => ObjectKind::AwsAuth,
            None => {
                return Err(format!(
                    "`{kind}` decides nothing about access; leave out a Role, ClusterRole, RoleBinding, ClusterRoleBinding, or the ConfigMap kube-system/aws-auth"
                ));
            }
        };
        if namespace.is_some() && !kind.is_namespaced() {
            return Err(format!("a {} has no namespace; write {}/{name}", kind.as_str(), kind.as_str()));
        }
        Ok(Self { kind, namespace, name: name.to_owned() })
    }
}

/// Reads `ARN=USERNAME[,GROUP...]`.
///
/// # Errors
/// What to write instead.
pub fn new_mapping(text: &str) -> Result<NewMapping, String> {
    const FORM: &str = "write ARN=USERNAME or ARN=USERNAME,GROUP,GROUP";
    let (arn, user) = text.split_once('=').ok_or(FORM)?;
    if let Err(why) = crate::identity::arn::caller(arn) {
        return Err(format!("`{arn}` would match no caller: {why}"));
    }
    let mut names = user.split(',').map(str::trim);
    let username = names.next().unwrap_or_default().to_owned();
    let groups: Vec<String> = names.map(str::to_owned).collect();
    if username.is_empty() || groups.iter().any(String::is_empty) {
        return Err(FORM.to_owned());
    }
    Ok(NewMapping { arn: arn.to_owned(), username, groups })
}

/// Takes objects of these names out of a policy, as often as it is called; what was never there is an error.
#[derive(Debug, Default)]
pub(super) struct Removal<'w> {
    without: &'w [ObjectName],
    /// Per name the place of each object that went.
    gone: Vec<Vec<(String, Source)>>,
}

impl<'w> Removal<'w> {
    pub(super) fn new(without: &'w [ObjectName]) -> Self {
        Self { without, gone: without.iter().map(|_| Vec::new()).collect() }
    }

    /// Takes out what is there now; gives how many default objects were among it.
    pub(super) fn apply(&mut self, policy: &mut Policy) -> usize {
        let mut defaults = 0;
        for (object, gone) in self.without.iter().zip(&mut self.gone) {
            let builtin = [policy.builtin, policy.builtin_of_eks];
            let is_default = |source: Source| builtin.contains(&Some(source.file));
            let Policy { names, roles, bindings, removed_roles, .. } = policy;
            let name = names.lookup(&object.name);
            let namespace = object.namespace.as_deref().map(|namespace| names.lookup(namespace));
            let is_it = |kind: &str, scope: Scope, own: Name| {
                own == name
                    && kind == object.kind.as_str()
                    && namespace.is_none_or(|namespace| scope.namespace() == namespace)
            };
            let title = |scope: Scope| match scope {
                Scope::Cluster => object.name.clone(),
                Scope::Namespace(namespace) => format!("{}/{}", names.text(namespace), object.name),
            };
            roles.retain(|role| {
                let goes = is_it(role.kind().as_str(), role.scope, role.name);
                if goes {
                    gone.push((title(role.scope), role.source));
                    removed_roles.insert((role.scope, role.name));
                    defaults += usize::from(is_default(role.source));
                }
                !goes
            });
            bindings.retain(|binding| {
                let goes = binding.authorizer() == Authorizer::Rbac
                    && is_it(binding.kind(), binding.scope, binding.name);
                if goes {
                    gone.push((title(binding.scope), binding.source));
                    defaults += usize::from(is_default(binding.source));
                }
                !goes
            });
        }
        defaults
    }

    /// What went, or the first that was never there, or of which there are several.
    pub(super) fn finish(self, policy: &Policy) -> Result<Vec<Change>, String> {
        let mut changes = Vec::new();
        for (object, gone) in self.without.iter().zip(self.gone) {
            if object.kind == ObjectKind::AwsAuth {
                continue;
            }
            let kind = object.kind.as_str();
            let mut titles: Vec<&str> = gone.iter().map(|(title, _)| title.as_str()).collect();
            titles.sort_unstable();
            titles.dedup();
            match titles.as_slice() {
                [] => return Err(missing(object, policy)),
                [title] => changes.push(Change {
                    text: format!("without {kind} `{title}`"),
                    source: gone.first().map(|(_, source)| *source),
                }),
                several => {
                    return Err(format!(
                        "--without {kind}/{}: there are several; write one of {}",
                        object.name,
                        several.iter().map(|title| format!("{kind}/{title}")).collect::<Vec<_>>().join(", ")
                    ));
                }
            }
        }
        Ok(changes)
    }
}

/// Why an object cannot be left out: it is not there; with the nearest that is.
fn missing(object: &ObjectName, policy: &Policy) -> String {
    let names = &policy.names;
    let kind = object.kind.as_str();
    let title = |scope: Scope, name: Name| match scope {
        Scope::Cluster => names.text(name).to_owned(),
        Scope::Namespace(namespace) => format!("{}/{}", names.text(namespace), names.text(name)),
    };
    let roles = policy.roles.iter().filter(|role| role.kind().as_str() == kind);
    let roles = roles.map(|role| title(role.scope, role.name));
    let bindings = policy
        .bindings
        .iter()
        .filter(|binding| binding.authorizer() == Authorizer::Rbac && binding.kind() == kind);
    let there: FxHashSet<String> =
        roles.chain(bindings.map(|binding| title(binding.scope, binding.name))).collect();
    let written = match &object.namespace {
        Some(namespace) => format!("{namespace}/{}", object.name),
        None => object.name.clone(),
    };
    let near = nearest(&written, there.iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| format!("; did you mean {kind}/{near}?"));
    format!("--without {kind}/{written}: the inputs have no {object}{near}")
}

/// The text that is nearest to one, by itself or by what follows its last slash.
pub(super) fn nearest<'t>(written: &str, there: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let last = |text: &'t str| text.rsplit('/').next().unwrap_or(text);
    let own_last = written.rsplit('/').next().unwrap_or(written);
    there
        .map(|text| {
            let whole = strsim::osa_distance(written, text);
            let part = strsim::osa_distance(own_last, last(text)) + 1;
            (whole.min(part), text)
        })
        .filter(|(distance, text)| *distance <= 3.max(text.len() / 3))
        .min()
        .map(|(_, text)| text)
}
