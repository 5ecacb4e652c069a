//! The objects that a patch or a replacement is for.

use regex_lite::Regex;
use serde_json::{Value, json};

use super::item::Item;
use super::value::text;

/// What a target says; a part that is not there fits all.
#[derive(Debug)]
pub(super) struct Target {
    group: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: Vec<(String, Option<String>)>,
    /// Whether it is written as a regular expression, or as the name of one object.
    written: Value,
}

#[derive(Debug)]
enum Pattern {
    Any,
    Exactly(String),
    Matches(Regex),
}

impl Pattern {
    /// A regular expression that must match as a whole.
    fn of(written: &str) -> Self {
        if written.is_empty() {
            return Self::Any;
        }
        let is_plain =
            written.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'));
        if is_plain {
            return Self::Exactly(written.to_owned());
        }
        // Kustomize fails on what is no expression; then nothing is rendered, and nothing is missed.
        Regex::new(&format!("^(?:{written})$")).map_or(Self::Any, Self::Matches)
    }

    fn exactly(written: &str) -> Self {
        if written.is_empty() { Self::Any } else { Self::Exactly(written.to_owned()) }
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(wanted) => wanted == text,
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

impl Target {
    /// The target of a patch.
    pub(super) fn of(written: &Value) -> Self {
        let labels = text(written, "labelSelector").split(',').filter(|part| !part.trim().is_empty());
        let labels = labels.map(|part| match part.split_once('=') {
            Some((key, value)) if !key.ends_with('!') => {
                (key.trim().to_owned(), Some(value.trim_start_matches('=').trim().to_owned()))
            }
            // Other selectors may fit.
            _ => (String::new(), None),
        });
        Self {
            group: Pattern::of(text(written, "group")),
            kind: Pattern::of(text(written, "kind")),
            name: Pattern::of(text(written, "name")),
            namespace: Pattern::of(text(written, "namespace")),
            labels: labels.collect(),
            written: written.clone(),
        }
    }

    /// The object that a patch names itself.
    pub(super) fn of_patch(patch: &Value) -> Self {
        let metadata = patch.get("metadata").unwrap_or(&Value::Null);
        Self {
            group: Pattern::exactly(group(text(patch, "apiVersion"))),
            kind: Pattern::exactly(text(patch, "kind")),
            name: Pattern::exactly(text(metadata, "name")),
            namespace: Pattern::exactly(text(metadata, "namespace")),
            labels: Vec::new(),
            written: patch.clone(),
        }
    }

    pub(super) fn matches(&self, item: &Item) -> bool {
        let labels = item.value.get("metadata").and_then(|metadata| metadata.get("labels"));
        let has = |(key, value): &(String, Option<String>)| match value {
            None => true,
            Some(value) => labels.is_some_and(|labels| text(labels, key) == value),
        };
        self.group.fits(group(text(&item.value, "apiVersion")))
            && self.kind.fits(item.kind())
            && item.known_as.iter().any(|(namespace, name)| {
                let space = if namespace.is_empty() { "default" } else { namespace };
                self.name.fits(name) && (self.namespace.fits(namespace) || self.namespace.fits(space))
            })
            && self.labels.iter().all(has)
    }

    /// Whether it is for an object that bears on access by kind and, for a ConfigMap, by name.
    pub(super) fn may_bear_on_access(&self) -> bool {
        super::bears_on_access(&self.as_object(&Value::Null))
    }

    /// A patch as the object that it is for.
    pub(super) fn as_object(&self, patch: &Value) -> Value {
        let mut object = if patch.is_object() { patch.clone() } else { json!({}) };
        let kind = text(&self.written, "kind");
        let group = match kind {
            "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => "rbac.authorization.k8s.io/v1",
            _ => "v1",
        };
        if let Some(own) = object.as_object_mut() {
            own.insert("apiVersion".to_owned(), group.into());
            own.insert("kind".to_owned(), kind.into());
            let name = text(&self.written, "name");
            own.insert(
                "metadata".to_owned(),
                json!({"name": name, "namespace": text(&self.written, "namespace")}),
            );
        }
        object
    }
}
