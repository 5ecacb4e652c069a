//! What the API server refuses, in its own words: `pkg/apis/rbac/validation/validation.go`.

use rustc_hash::FxHashSet;

use crate::identity::is_template;
use crate::model::names::{Names, is_dns_label, is_dns_subdomain};
use crate::model::rbac::{PolicyRule, RoleKind};

/// The API group of RBAC.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// `path.ValidatePathSegmentName` behind `ValidateObjectMeta`.
pub(crate) fn object_name(name: &str, errors: &mut Vec<String>) {
    if name.is_empty() {
        errors.push("metadata.name: Required value: name or generateName is required".to_owned());
        return;
    }
    for problem in path_segment_problems(name) {
        errors.push(format!("metadata.name: Invalid value: \"{name}\": {problem}"));
    }
}

fn path_segment_problems(name: &str) -> impl Iterator<Item = String> {
    // Nearly every name has neither; then there is nothing to go through.
    let odd = name.starts_with('.') || name.bytes().any(|byte| matches!(byte, b'/' | b'%'));
    let name = if odd { name } else { "" };
    let dots = matches!(name, "." | "..").then(|| format!("may not be '{name}'"));
    let signs = ['/', '%']
        .into_iter()
        .filter(|sign| name.contains(*sign))
        .map(|sign| format!("may not contain '{sign}'"));
    dots.into_iter().chain(signs)
}

/// A namespace is a DNS label.
pub(crate) fn namespace(namespace: &str, errors: &mut Vec<String>) {
    if !is_dns_label(namespace) {
        errors.push(format!(
            "metadata.namespace: Invalid value: \"{namespace}\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
        ));
    }
}

/// `IsQualifiedName`: what is wrong with the key of a label, if anything.
fn qualified_name_problem(key: &str) -> Option<&'static str> {
    // An ASCII sign is found faster as a byte than as text.
    let slash = key.bytes().rposition(|byte| byte == b'/');
    let split = slash.and_then(|at| Some((key.get(..at)?, key.get(at + 1..)?)));
    let (prefix, name) = split.map_or((None, key), |(prefix, name)| (Some(prefix), name));
    match prefix {
        Some("") => return Some("prefix part must be non-empty"),
        Some(prefix) if prefix.contains('/') => {
            return Some(
                "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character with an optional DNS subdomain prefix and '/'",
            );
        }
        Some(prefix) if !is_dns_subdomain(prefix) => {
            return Some(
                "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            );
        }
        _ => {}
    }
    if name.is_empty() {
        return Some("name part must be non-empty");
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 bytes");
    }
    (!is_label_text(name)).then_some("name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character")
}

/// `IsValidLabelValue`.
fn label_value_problem(value: &str) -> Option<&'static str> {
    if value.len() > 63 {
        return Some("must be no more than 63 bytes");
    }
    (!value.is_empty() && !is_label_text(value)).then_some("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character")
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`.
fn is_label_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Keys of labels and annotations in which nothing is wrong: the objects of a cluster share a few.
#[derive(Debug, Default)]
pub(crate) struct ValidKeys(FxHashSet<Box<str>>);

impl ValidKeys {
    /// Whether nothing is wrong with a key.
    fn has(&mut self, key: &str) -> bool {
        let is_good = self.0.contains(key) || qualified_name_problem(key).is_none();
        // Beyond a thousand distinct keys, each is checked every time.
        if is_good && self.0.len() < 1_000 && !self.0.contains(key) {
            self.0.insert(key.into());
        }
        is_good
    }
}

/// A label, as `ValidateLabels` has it. One that some tool is still to fill in is nothing to refuse an object for.
pub(crate) fn label(
    key: &str,
    value: &str,
    path: &dyn Fn() -> String,
    valid: &mut ValidKeys,
    errors: &mut Vec<String>,
) {
    if !valid.has(key) {
        label_key(key, path, errors);
    }
    label_value(value, path, errors);
}

/// The key of a label or of a requirement, as `ValidateLabelName` has it.
pub(crate) fn label_key(key: &str, path: &dyn Fn() -> String, errors: &mut Vec<String>) {
    if let Some(problem) = qualified_name_problem(key).filter(|_| !is_template(key)) {
        errors.push(format!("{}: Invalid value: \"{key}\": {problem}", path()));
    }
}

/// The value of a label or of a requirement.
pub(crate) fn label_value(value: &str, path: &dyn Fn() -> String, errors: &mut Vec<String>) {
    if let Some(problem) = label_value_problem(value).filter(|_| !is_template(value)) {
        errors.push(format!("{}: Invalid value: \"{value}\": {problem}", path()));
    }
}

/// The key of an annotation, in which case does not matter: `ValidateAnnotations`.
pub(crate) fn annotation(key: &str, valid: &mut ValidKeys, errors: &mut Vec<String>) {
    if !valid.has(key) {
        label_key(&key.to_lowercase(), &|| "metadata.annotations".into(), errors);
    }
}

/// `ValidatePolicyRule`.
pub(crate) fn rule(
    rule: &PolicyRule<'_>,
    index: usize,
    namespaced: bool,
    names: &Names,
    errors: &mut Vec<String>,
) {
    let at = |field: &str| format!("rules[{index}].{field}");
    if rule.verbs.is_empty() {
        errors.push(format!("{}: Required value: verbs must contain at least one value", at("verbs")));
    }
    if !rule.non_resource_urls.is_empty() {
        let quoted: Vec<String> =
            rule.non_resource_urls.iter().map(|url| format!("{:?}", names.text(*url))).collect();
        let urls = format!("[{}]", quoted.join(","));
        if namespaced {
            errors.push(format!(
                "{}: Invalid value: {urls}: namespaced rules cannot apply to non-resource URLs",
                at("nonResourceURLs")
            ));
        }
        if !rule.api_groups.is_empty() || !rule.resources.is_empty() || !rule.resource_names.is_empty() {
            errors.push(format!(
                "{}: Invalid value: {urls}: rules cannot apply to both regular resources and non-resource URLs",
                at("nonResourceURLs")
            ));
        }
        return;
    }
    if rule.api_groups.is_empty() {
        errors.push(format!(
            "{}: Required value: resource rules must supply at least one api group",
            at("apiGroups")
        ));
    }
    if rule.resources.is_empty() {
        errors.push(format!(
            "{}: Required value: resource rules must supply at least one resource",
            at("resources")
        ));
    }
}

/// The roleRef part of `ValidateRoleBinding` and `ValidateClusterRoleBinding`; gives the kind if it is a known one.
pub(crate) fn role_ref(
    api_group: &str,
    kind: &str,
    name: &str,
    cluster: bool,
    errors: &mut Vec<String>,
) -> Option<RoleKind> {
    if api_group != GROUP {
        errors.push(format!(
            "roleRef.apiGroup: Unsupported value: \"{api_group}\": supported values: \"{GROUP}\""
        ));
    }
    let known = match kind {
        "ClusterRole" => Some(RoleKind::ClusterRole),
        "Role" if !cluster => Some(RoleKind::Role),
        _ => None,
    };
    if known.is_none() {
        let supported = if cluster { "\"ClusterRole\"" } else { "\"ClusterRole\", \"Role\"" };
        errors.push(format!("roleRef.kind: Unsupported value: \"{kind}\": supported values: {supported}"));
    }
    if name.is_empty() {
        errors.push("roleRef.name: Required value".to_owned());
    } else {
        for problem in path_segment_problems(name) {
            errors.push(format!("roleRef.name: Invalid value: \"{name}\": {problem}"));
        }
    }
    known
}

/// The kinds of subject that there are.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    User,
    Group,
    ServiceAccount,
}

/// `ValidateRoleBindingSubject`, after defaulting; gives the kind if it is a known one.
pub(crate) fn subject(
    index: usize,
    kind: &str,
    name: &str,
    namespace: &str,
    api_group: &str,
    cluster: bool,
    errors: &mut Vec<String>,
) -> Option<SubjectKind> {
    let at = |field: &str| format!("subjects[{index}].{field}");
    if name.is_empty() {
        errors.push(format!("{}: Required value", at("name")));
    }
    let known = match kind {
        "User" => SubjectKind::User,
        "Group" => SubjectKind::Group,
        "ServiceAccount" => SubjectKind::ServiceAccount,
        _ => {
            errors.push(format!(
                "{}: Unsupported value: \"{kind}\": supported values: \"Group\", \"ServiceAccount\", \"User\"",
                at("kind")
            ));
            return None;
        }
    };
    if known == SubjectKind::ServiceAccount {
        if !name.is_empty() && !is_dns_subdomain(name) {
            errors.push(format!(
                "{}: Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
                at("name")
            ));
        }
        if !api_group.is_empty() {
            errors.push(format!(
                "{}: Unsupported value: \"{api_group}\": supported values: \"\"",
                at("apiGroup")
            ));
        }
        if cluster && namespace.is_empty() {
            errors.push(format!("{}: Required value", at("namespace")));
        }
    } else if !api_group.is_empty() && api_group != GROUP {
        errors.push(format!(
            "{}: Unsupported value: \"{api_group}\": supported values: \"{GROUP}\"",
            at("apiGroup")
        ));
    }
    Some(known)
}
