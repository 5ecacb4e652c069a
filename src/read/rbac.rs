//! Roles and bindings: from the document tree to RBAC objects, decoded, defaulted and validated as the API server
//! does it (`pkg/apis/rbac/v1/defaults.go`, `pkg/apis/rbac/validation/validation.go`).

use crate::document::Node;
use crate::model::names::{Name, Names};
use crate::model::policy::{Policy, generated_name};
use crate::model::rbac::{
    Binding, Operator, PlacedRule, PlacedSubject, PolicyRule, Requirement, Role, RoleKind, RoleRef, Rules,
    Scope, Selector, Subject,
};
use crate::model::source::Source;

use super::fields::{FieldError, list, mapping, text};
use super::validate::{self, ValidKeys};

pub(crate) use validate::GROUP;

/// One of the four kinds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RbacKind {
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
}

impl RbacKind {
    pub(crate) fn of(kind: &str) -> Option<Self> {
        match kind {
            "Role" => Some(Self::Role),
            "ClusterRole" => Some(Self::ClusterRole),
            "RoleBinding" => Some(Self::RoleBinding),
            "ClusterRoleBinding" => Some(Self::ClusterRoleBinding),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
        }
    }

    fn is_namespaced(self) -> bool {
        matches!(self, Self::Role | Self::RoleBinding)
    }
}

/// What the metadata of an object says, as far as anybody here asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata<'t> {
    pub(crate) name: &'t str,
    pub(crate) generate_name: &'t str,
    pub(crate) namespace: &'t str,
    pub(crate) labels: Vec<(&'t str, &'t str)>,
    /// Whether an annotation ignores findings.
    pub(crate) is_ignored: bool,
    /// What the API server would not accept of labels and annotations.
    pub(crate) problems: Vec<String>,
}

/// Reads the metadata of an object.
pub(crate) fn metadata_of<'t>(node: Node<'t>, keys: &mut ValidKeys) -> Result<Metadata<'t>, FieldError> {
    node.get("metadata").map_or_else(|| Ok(Metadata::default()), |node| metadata(node, keys))
}

/// Reads `metadata`, checking the types of labels and annotations as well.
pub(crate) fn metadata<'t>(node: Node<'t>, keys: &mut ValidKeys) -> Result<Metadata<'t>, FieldError> {
    let mut metadata = Metadata::default();
    for (key, value) in mapping(node, &|| "metadata".into())? {
        match key.text() {
            "name" => metadata.name = text(value, &|| "metadata.name".into())?,
            "generateName" => metadata.generate_name = text(value, &|| "metadata.generateName".into())?,
            "namespace" => metadata.namespace = text(value, &|| "metadata.namespace".into())?,
            "labels" => {
                metadata.labels.clear();
                for (key, value) in mapping(value, &|| "metadata.labels".into())? {
                    let path = || format!("metadata.labels[{}]", key.text());
                    let (key, value) = (key.text(), text(value, &path)?);
                    // Of one key the last counts.
                    metadata.labels.retain(|(other, _)| *other != key);
                    metadata.labels.push((key, value));
                }
            }
            "annotations" => {
                for (key, value) in mapping(value, &|| "metadata.annotations".into())? {
                    text(value, &|| format!("metadata.annotations[{}]", key.text()))?;
                    metadata.is_ignored |= key.text() == super::ANNOTATION;
                    validate::annotation(key.text(), keys, &mut metadata.problems);
                }
            }
            _ => {}
        }
    }
    for (key, value) in &metadata.labels {
        validate::label(key, value, &|| "metadata.labels".into(), keys, &mut metadata.problems);
    }
    Ok(metadata)
}

/// Space that decoding reuses from object to object.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    lists: [Vec<Name>; 5],
    rules: Vec<PlacedRule>,
    subjects: Vec<PlacedSubject>,
    pub(crate) keys: ValidKeys,
}

/// What came of an object.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// Fields that the API server does not know and would drop.
    pub(crate) unknown_fields: Vec<String>,
    /// Keys that stand twice in a mapping, with their lines.
    pub(crate) duplicate_keys: Vec<(String, u32)>,
    /// Whether `metadata.namespace` was missing and `default` was taken.
    pub(crate) in_default_namespace: bool,
    /// Whether the object carries the label of Kubernetes' default objects.
    pub(crate) is_default: bool,
    /// Whether an annotation of the object ignores findings.
    pub(crate) is_ignored: bool,
}

/// Decodes and validates an object and adds it to the policy, or says why the API server would refuse it.
///
/// `line_of` turns a line of the document into one of the file.
pub(crate) fn add(
    policy: &mut Policy,
    scratch: &mut Scratch,
    kind: RbacKind,
    node: Node<'_>,
    source: Source,
    line_of: &dyn Fn(u32) -> u32,
) -> Result<Decoded, Vec<FieldError>> {
    let mut unknown_fields = Vec::new();
    let mut errors = Vec::new();
    let mut meta = Metadata::default();
    let mut rules = None;
    let mut subjects = None;
    let mut role_ref = None;
    let mut aggregation = None;
    for (key, value) in node.pairs() {
        match (key.text(), kind) {
            ("apiVersion" | "kind", _) => {}
            ("metadata", _) => meta = metadata(value, &mut scratch.keys).map_err(|error| vec![error])?,
            ("rules", RbacKind::Role | RbacKind::ClusterRole) => rules = Some(value),
            ("aggregationRule", RbacKind::ClusterRole) => aggregation = Some(value),
            ("subjects", RbacKind::RoleBinding | RbacKind::ClusterRoleBinding) => subjects = Some(value),
            ("roleRef", RbacKind::RoleBinding | RbacKind::ClusterRoleBinding) => role_ref = Some(value),
            (other, _) => unknown_fields.push(other.to_owned()),
        }
    }
    let in_default_namespace = kind.is_namespaced() && meta.namespace.is_empty();
    let namespace = if in_default_namespace { "default" } else { meta.namespace };
    let is_generated = meta.name.is_empty() && !meta.generate_name.is_empty();
    let name = if is_generated { meta.generate_name } else { meta.name };
    if is_generated {
        validate::object_name(&generated_name(name, 0), &mut errors);
    } else {
        validate::object_name(name, &mut errors);
    }
    if kind.is_namespaced() {
        validate::namespace(namespace, &mut errors);
    }
    errors.append(&mut meta.problems);
    let scope =
        if kind.is_namespaced() { Scope::Namespace(policy.names.intern(namespace)) } else { Scope::Cluster };
    let is_default = meta.labels.contains(&("kubernetes.io/bootstrapping", "rbac-defaults"));

    match kind {
        RbacKind::Role | RbacKind::ClusterRole => {
            let (names, pool) = (&mut policy.names, &mut policy.rules);
            read_rules(rules, kind, names, pool, scratch, line_of, &mut unknown_fields, &mut errors)
                .map_err(|error| vec![error])?;
            let selectors = match aggregation {
                Some(node) if !node.is_null() => Some(
                    read_aggregation(node, names, &mut unknown_fields, &mut errors)
                        .map_err(|error| vec![error])?,
                ),
                _ => None,
            };
            if !errors.is_empty() {
                return Err(errors);
            }
            let labels = match kind {
                RbacKind::ClusterRole => {
                    meta.labels.iter().map(|(key, value)| (names.intern(key), names.intern(value))).collect()
                }
                _ => Box::default(),
            };
            let name = names.intern(name);
            if is_generated {
                policy.next_is_generated(false);
            }
            let rules = policy.add_rules(&scratch.rules);
            policy.roles.push(Role { scope, name, rules, source, labels, aggregation: selectors });
        }
        RbacKind::RoleBinding | RbacKind::ClusterRoleBinding => {
            let read = read_role_ref(role_ref, kind, &mut policy.names, &mut unknown_fields, &mut errors)
                .map_err(|error| vec![error])?;
            read_subjects(
                subjects,
                scope,
                &mut policy.names,
                scratch,
                line_of,
                &mut unknown_fields,
                &mut errors,
            )
            .map_err(|error| vec![error])?;
            if !errors.is_empty() {
                return Err(errors);
            }
            let name = policy.names.intern(name);
            if is_generated {
                policy.next_is_generated(true);
            }
            let subjects = policy.add_subjects(&scratch.subjects);
            let role_ref_line = role_ref.map_or(source.line, |node| line_of(node.position().line));
            policy.bindings.push(Binding { scope, name, role_ref: read, subjects, source, role_ref_line });
        }
    }
    let mut duplicates = Vec::new();
    duplicate_keys(node, &mut duplicates);
    for (_, line) in &mut duplicates {
        *line = line_of(*line);
    }
    Ok(Decoded {
        unknown_fields,
        duplicate_keys: duplicates,
        in_default_namespace,
        is_default,
        is_ignored: meta.is_ignored,
    })
}

/// The keys that stand twice in a mapping of an object, each with the line of its last standing.
fn duplicate_keys(node: Node<'_>, found: &mut Vec<(String, u32)>) {
    let mut greatest: Option<&str> = None;
    for (key, value) in node.pairs() {
        let name = key.text();
        // Printed objects have their keys sorted; only where they are not is it worth looking back.
        let ascending = greatest.is_none_or(|greatest| greatest < name);
        if ascending {
            greatest = Some(name);
        } else if node
            .pairs()
            .take_while(|(other, _)| other.position() != key.position())
            .any(|(other, _)| other.text() == name)
        {
            found.push((name.to_owned(), key.position().line));
        }
        if value.is_mapping() || value.is_sequence() {
            duplicate_keys(value, found);
        }
    }
    for item in node.items() {
        if item.is_mapping() || item.is_sequence() {
            duplicate_keys(item, found);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the pools and lists that one object fills")]
fn read_rules(
    node: Option<Node<'_>>,
    kind: RbacKind,
    names: &mut Names,
    pool: &mut Rules,
    scratch: &mut Scratch,
    line_of: &dyn Fn(u32) -> u32,
    unknown: &mut Vec<String>,
    errors: &mut Vec<FieldError>,
) -> Result<(), FieldError> {
    scratch.rules.clear();
    let Some(node) = node else { return Ok(()) };
    for (item, index) in list(node, &|| "rules".into())?.zip(0usize..) {
        for list in &mut scratch.lists {
            list.clear();
        }
        let [verbs, api_groups, resources, resource_names, urls] = &mut scratch.lists;
        for (key, value) in mapping(item, &|| format!("rules[{index}]"))? {
            let into = match key.text() {
                "verbs" => &mut *verbs,
                "apiGroups" => &mut *api_groups,
                "resources" => &mut *resources,
                "resourceNames" => &mut *resource_names,
                "nonResourceURLs" => &mut *urls,
                other => {
                    unknown.push(format!("rules[{index}].{other}"));
                    continue;
                }
            };
            into.clear();
            for (entry, number) in list(value, &|| format!("rules[{index}].{}", key.text()))?.zip(0usize..) {
                let text = text(entry, &|| format!("rules[{index}].{}[{number}]", key.text()))?;
                into.push(names.intern(text));
            }
        }
        let rule = PolicyRule { verbs, api_groups, resources, resource_names, non_resource_urls: urls };
        validate::rule(&rule, index, kind == RbacKind::Role, names, errors);
        scratch.rules.push(PlacedRule { rule: pool.intern(&rule), line: line_of(item.position().line) });
    }
    Ok(())
}

fn read_aggregation(
    node: Node<'_>,
    names: &mut Names,
    unknown: &mut Vec<String>,
    errors: &mut Vec<FieldError>,
) -> Result<Box<[Selector]>, FieldError> {
    let path = "aggregationRule";
    let mut selectors = Vec::new();
    for (key, value) in mapping(node, &|| path.into())? {
        if key.text() != "clusterRoleSelectors" {
            unknown.push(format!("{path}.{}", key.text()));
            continue;
        }
        selectors.clear();
        for (item, index) in list(value, &|| format!("{path}.clusterRoleSelectors"))?.zip(0usize..) {
            let at = format!("{path}.clusterRoleSelectors[{index}]");
            selectors.push(read_selector(item, &at, names, unknown, errors)?);
        }
    }
    if selectors.is_empty() {
        errors.push(format!("{path}.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"));
    }
    Ok(selectors.into())
}

fn read_selector(
    node: Node<'_>,
    path: &str,
    names: &mut Names,
    unknown: &mut Vec<String>,
    errors: &mut Vec<FieldError>,
) -> Result<Selector, FieldError> {
    let mut labels: Vec<(&str, &str)> = Vec::new();
    let mut requirements = Vec::new();
    for (key, value) in mapping(node, &|| path.to_owned())? {
        match key.text() {
            "matchLabels" => {
                labels.clear();
                for (label, value) in mapping(value, &|| format!("{path}.matchLabels"))? {
                    let value = text(value, &|| format!("{path}.matchLabels[{}]", label.text()))?;
                    // Of one key the last counts.
                    labels.retain(|(other, _)| *other != label.text());
                    labels.push((label.text(), value));
                }
            }
            "matchExpressions" => {
                requirements.clear();
                for (item, index) in list(value, &|| format!("{path}.matchExpressions"))?.zip(0usize..) {
                    let at = format!("{path}.matchExpressions[{index}]");
                    let (mut label, mut operator, mut values) = ("", "", Vec::new());
                    for (key, value) in mapping(item, &|| at.clone())? {
                        match key.text() {
                            "key" => label = text(value, &|| format!("{at}.key"))?,
                            "operator" => operator = text(value, &|| format!("{at}.operator"))?,
                            "values" => {
                                values.clear();
                                for (entry, number) in list(value, &|| format!("{at}.values"))?.zip(0usize..)
                                {
                                    let value = text(entry, &|| format!("{at}.values[{number}]"))?;
                                    validate::label_value(
                                        value,
                                        &|| format!("{at}.values[{number}]"),
                                        errors,
                                    );
                                    values.push(names.intern(value));
                                }
                            }
                            other => unknown.push(format!("{at}.{other}")),
                        }
                    }
                    validate::label_key(label, &|| format!("{at}.key"), errors);
                    let (operator, wants_values) = match operator {
                        "In" => (Operator::In, true),
                        "NotIn" => (Operator::NotIn, true),
                        "Exists" => (Operator::Exists, false),
                        "DoesNotExist" => (Operator::DoesNotExist, false),
                        other => {
                            errors.push(format!(
                                "{at}.operator: Invalid value: \"{other}\": not a valid selector operator"
                            ));
                            continue;
                        }
                    };
                    if wants_values && values.is_empty() {
                        errors.push(format!("{at}.values: Required value: must be specified when `operator` is 'In' or 'NotIn'"));
                    }
                    if !wants_values && !values.is_empty() {
                        errors.push(format!("{at}.values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
                    }
                    requirements.push(Requirement {
                        key: names.intern(label),
                        operator,
                        values: values.into(),
                    });
                }
            }
            other => unknown.push(format!("{path}.{other}")),
        }
    }
    let mut all: Vec<Requirement> = Vec::with_capacity(labels.len() + requirements.len());
    for (key, value) in labels {
        validate::label(key, value, &|| format!("{path}.matchLabels"), &mut ValidKeys::default(), errors);
        let values = Box::new([names.intern(value)]);
        all.push(Requirement { key: names.intern(key), operator: Operator::In, values });
    }
    all.append(&mut requirements);
    Ok(all.into())
}

fn read_role_ref(
    node: Option<Node<'_>>,
    kind: RbacKind,
    names: &mut Names,
    unknown: &mut Vec<String>,
    errors: &mut Vec<FieldError>,
) -> Result<RoleRef, FieldError> {
    let (mut api_group, mut role_kind, mut name) = ("", "", "");
    if let Some(node) = node {
        for (key, value) in mapping(node, &|| "roleRef".into())? {
            match key.text() {
                "apiGroup" => api_group = text(value, &|| "roleRef.apiGroup".into())?,
                "kind" => role_kind = text(value, &|| "roleRef.kind".into())?,
                "name" => name = text(value, &|| "roleRef.name".into())?,
                other => unknown.push(format!("roleRef.{other}")),
            }
        }
    }
    if api_group.is_empty() {
        api_group = GROUP;
    }
    let role_kind =
        validate::role_ref(api_group, role_kind, name, kind == RbacKind::ClusterRoleBinding, errors)
            .unwrap_or(RoleKind::ClusterRole);
    Ok(RoleRef { kind: role_kind, name: names.intern(name) })
}

fn read_subjects(
    node: Option<Node<'_>>,
    scope: Scope,
    names: &mut Names,
    scratch: &mut Scratch,
    line_of: &dyn Fn(u32) -> u32,
    unknown: &mut Vec<String>,
    errors: &mut Vec<FieldError>,
) -> Result<(), FieldError> {
    scratch.subjects.clear();
    let Some(node) = node else { return Ok(()) };
    for (item, index) in list(node, &|| "subjects".into())?.zip(0usize..) {
        let (mut kind, mut name, mut namespace, mut api_group) = ("", "", "", "");
        for (key, value) in mapping(item, &|| format!("subjects[{index}]"))? {
            let into = match key.text() {
                "kind" => &mut kind,
                "name" => &mut name,
                "namespace" => &mut namespace,
                "apiGroup" => &mut api_group,
                other => {
                    unknown.push(format!("subjects[{index}].{other}"));
                    continue;
                }
            };
            *into = text(value, &|| format!("subjects[{index}].{}", key.text()))?;
        }
        let Some(kind) =
            validate::subject(index, kind, name, namespace, api_group, scope == Scope::Cluster, errors)
        else {
            continue;
        };
        let subject = match kind {
            validate::SubjectKind::User => Subject::User(names.intern(name)),
            validate::SubjectKind::Group => Subject::Group(names.intern(name)),
            validate::SubjectKind::ServiceAccount => {
                // A RoleBinding's service account without namespace is one of the binding's own.
                let namespace =
                    if namespace.is_empty() { scope.namespace() } else { names.intern(namespace) };
                Subject::ServiceAccount { namespace, name: names.intern(name) }
            }
        };
        scratch.subjects.push(PlacedSubject { subject, line: line_of(item.position().line) });
    }
    Ok(())
}
