//! The second word of a question taken apart: type, name and subresource.

use super::{Object, Remark};
use crate::decide::cluster::Cluster;
use crate::knowledge::catalogue::{Catalogue, Resolution, Resource};
use crate::knowledge::scopes;

/// What helps to tell a subresource from a name.
#[derive(Copy, Clone)]
struct Evidence<'a> {
    /// The verb that is asked.
    verb: &'a str,
    /// Whether rules name this subresource of a type.
    in_rules: &'a dyn Fn(&str, &str, &str) -> bool,
}

/// A target taken apart.
#[derive(Clone, Debug)]
pub struct Target<'c> {
    /// What the type means.
    pub resolution: Resolution<'c>,
    /// The name of the object; empty if none was given.
    pub name: String,
    /// The subresource; empty if none was given.
    pub subresource: String,
    /// How the target was read.
    pub remarks: Vec<Remark>,
}

impl<'c> Target<'c> {
    /// Reads `TYPE`, `TYPE/NAME`, `TYPE/SUBRESOURCE` or `TYPE/NAME/SUBRESOURCE`; with a subresource given apart, what
    /// follows the slash is a name.
    pub fn read(text: &str, subresource: Option<&str>, catalogue: &'c Catalogue) -> Self {
        Self::read_with(text, subresource, catalogue, Evidence { verb: "", in_rules: &|_, _, _| false })
    }

    /// [`Target::read`], where the verb and the rules of the inputs help to tell a subresource from a name.
    pub(super) fn read_in(text: &str, subresource: Option<&str>, verb: &str, cluster: &'c Cluster) -> Self {
        let in_rules =
            |group: &str, resource: &str, part: &str| cluster.rules_name_part(group, resource, part);
        Self::read_with(text, subresource, cluster.catalogue(), Evidence { verb, in_rules: &in_rules })
    }

    fn read_with(
        text: &str,
        subresource: Option<&str>,
        catalogue: &'c Catalogue,
        evidence: Evidence<'_>,
    ) -> Self {
        let (kind, rest) = text.split_once('/').unwrap_or((text, ""));
        let resolution = catalogue.resolve(kind);
        let mut target =
            Self { remarks: Vec::new(), name: String::new(), subresource: String::new(), resolution };
        target.remarks.extend(remark_on_type(&target.resolution, kind, catalogue));
        if let Some(subresource) = subresource {
            rest.clone_into(&mut target.name);
            subresource.clone_into(&mut target.subresource);
            let is_missing =
                |known: &Resource| !subresource.is_empty() && !known.has_subresource(subresource);
            if target.known().is_some_and(is_missing) {
                target.remarks.push(Remark::NoSuchSubresource {
                    resource: target.resolution.resource().to_owned(),
                    subresource: subresource.to_owned(),
                });
            }
        } else if !rest.is_empty() {
            target.read_rest(text, rest, catalogue, evidence);
        }
        target
    }

    /// Reads what follows the first slash.
    fn read_rest(&mut self, text: &str, rest: &str, catalogue: &Catalogue, evidence: Evidence<'_>) {
        let (name, last) = rest.rsplit_once('/').unwrap_or(("", rest));
        let resource = self.resolution.resource().to_owned();
        let near = self
            .known()
            .filter(|known| !known.has_subresource(last))
            .and_then(|known| Catalogue::near_subresource(known, last));
        // A `create` carries no name, so that what nearly is a subresource is meant for one.
        let creates = evidence.verb == "create" && name.is_empty();
        if let Some(near) = near.as_ref().filter(|near| near.is_certain || creates) {
            name.clone_into(&mut self.name);
            self.subresource.clone_from(&near.name);
            self.remarks.push(Remark::MisspeltSubresource {
                target: text.to_owned(),
                resource,
                subresource: near.name.clone(),
                written: last.to_owned(),
            });
        } else if self.is_subresource(last, catalogue) || self.must_be_subresource(name, last, evidence) {
            name.clone_into(&mut self.name);
            last.clone_into(&mut self.subresource);
            if name.is_empty() {
                self.remarks.push(Remark::ReadAsSubresource {
                    target: text.to_owned(),
                    resource,
                    subresource: last.to_owned(),
                });
            }
        } else {
            rest.clone_into(&mut self.name);
            if rest.contains('/') {
                let (name, last) = (rest.to_owned(), last.to_owned());
                self.remarks.push(Remark::ReadAsName { name, last, resource });
            } else if let Some(near) = near {
                let (target, name) = (text.to_owned(), rest.to_owned());
                let subresource = near.name;
                self.remarks.push(Remark::NearSubresource { target, resource, subresource, name });
            } else if matches!(self.resolution, Resolution::Unknown { .. }) {
                let (target, name) = (text.to_owned(), rest.to_owned());
                self.remarks.push(Remark::NameOrSubresource { target, name });
            }
        }
    }

    fn is_subresource(&self, name: &str, catalogue: &Catalogue) -> bool {
        match &self.resolution {
            Resolution::Known { resource, .. } => resource.has_subresource(name),
            Resolution::Every { .. } => {
                name == "*" || catalogue.iter().any(|resource| resource.subresource(name).is_some())
            }
            // Of a type that is not known, only what every type may have.
            Resolution::Unknown { .. } => matches!(name, "status" | "scale" | "finalizers"),
        }
    }

    /// Whether the last part after the slash of a type that is not known can only be a subresource, or rules name it
    /// as one.
    fn must_be_subresource(&self, name: &str, last: &str, evidence: Evidence<'_>) -> bool {
        let Resolution::Unknown { resource, group } = &self.resolution else { return false };
        (evidence.verb == "create" && name.is_empty()) || (evidence.in_rules)(group, resource, last)
    }

    /// What the catalogue says of the type.
    pub fn known(&self) -> Option<&'c Resource> {
        self.resolution.known()
    }

    /// The type's scope; `None` if neither its definition nor the table of well-known types tells.
    pub fn namespaced(&self) -> Option<bool> {
        match &self.resolution {
            Resolution::Known { resource, .. } => Some(resource.namespaced),
            Resolution::Unknown { resource, group } => scopes::is_namespaced(group, resource),
            Resolution::Every { .. } => None,
        }
    }

    /// What the question is about.
    pub fn object(&self) -> Object {
        Object {
            group: self.resolution.group().to_owned(),
            resource: self.resolution.resource().to_owned(),
            subresource: self.subresource.clone(),
            name: self.name.clone(),
        }
    }
}

fn remark_on_type(resolution: &Resolution<'_>, kind: &str, catalogue: &Catalogue) -> Option<Remark> {
    match resolution {
        Resolution::Every { .. } => None,
        Resolution::Unknown { resource, group } => Some(Remark::UnknownType {
            resource: resource.clone(),
            group: group.clone(),
            nearest: catalogue.suggest(kind, []),
        }),
        Resolution::Known { resource, unserved: Some(version), .. } => {
            Some(Remark::UnservedVersion { of: resource.full_name(), version: version.clone() })
        }
        Resolution::Known { resource, .. } if !resource.discovered => {
            (!resource.is_accepted_by_kubectl()).then(|| Remark::NotInDiscovery(resource.full_name()))
        }
        Resolution::Known { also, .. } if also.is_empty() => None,
        Resolution::Known { resource, also, .. } => Some(Remark::AlsoMeans {
            of: resource.full_name(),
            core: resource.group.is_empty(),
            others: also.iter().map(|other| other.full_name()).collect(),
        }),
    }
}
