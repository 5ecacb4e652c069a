//! An object on its way through kustomizations: what it is now, and what it was called before.

use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

use super::patch::{self, Patched};
use super::value::{mapping, text};

/// An object on its way through kustomizations.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    /// Where it stands as it was written; `None` for what a generator makes.
    pub(super) origin: Option<Origin>,
    /// The namespaces and names that it had before, and has.
    pub(super) known_as: Vec<(String, String)>,
    /// Whether something changes it of which nobody knows here what it does.
    pub(super) is_loose: bool,
    /// Whether a hash is put behind its name.
    pub(super) is_hashed: bool,
}

/// Where an object stands: its file, line and column.
pub(super) type Origin = (Rc<Path>, u32, u32);

impl Item {
    pub(super) fn new(value: Value, origin: Option<Origin>) -> Self {
        let mut item = Self { value, origin, known_as: Vec::new(), is_loose: false, is_hashed: false };
        item.remember();
        item
    }

    pub(super) fn kind(&self) -> &str {
        text(&self.value, "kind")
    }

    pub(super) fn name(&self) -> &str {
        self.value.get("metadata").map_or("", |metadata| text(metadata, "name"))
    }

    pub(super) fn namespace(&self) -> &str {
        self.value.get("metadata").map_or("", |metadata| text(metadata, "namespace"))
    }

    /// Notes the namespace and the name that it has now.
    pub(super) fn remember(&mut self) {
        let now = (self.namespace().to_owned(), self.name().to_owned());
        if self.known_as.last() != Some(&now) {
            self.known_as.push(now);
        }
    }

    pub(super) fn set(&mut self, key: &str, text: String) {
        if let Some(metadata) = mapping(&mut self.value, &["metadata"]) {
            metadata.insert(key.to_owned(), Value::String(text));
        }
    }

    /// Merges a patch into it; it keeps its kind, name and namespace. False if the patch takes it out.
    pub(super) fn merge(&mut self, patch: &Value) -> bool {
        let (name, namespace) = (self.name().to_owned(), self.namespace().to_owned());
        let (kind, version) = (self.value.get("kind").cloned(), self.value.get("apiVersion").cloned());
        if patch::merge(&mut self.value, patch) == Patched::Deleted {
            return false;
        }
        self.set("name", name);
        if namespace.is_empty() {
            mapping(&mut self.value, &["metadata"]).and_then(|metadata| metadata.remove("namespace"));
        } else {
            self.set("namespace", namespace);
        }
        if let Some(own) = self.value.as_object_mut() {
            own.extend(kind.map(|kind| ("kind".to_owned(), kind)));
            own.extend(version.map(|version| ("apiVersion".to_owned(), version)));
        }
        true
    }
}
