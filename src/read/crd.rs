//! CustomResourceDefinitions, read as far as the catalogue needs: names, scope, served versions, subresources.

use crate::document::{Node, ScalarType};
use crate::knowledge::catalogue::CustomResource;
use crate::model::source::Source;

use super::fields::{FieldError, list, mapping, text};

/// Decodes a CustomResourceDefinition, or says what keeps the API server from accepting it.
pub(crate) fn decode(node: Node<'_>, source: Source) -> Result<CustomResource, FieldError> {
    let mut crd = CustomResource {
        group: String::new(),
        versions: Vec::new(),
        plural: String::new(),
        singular: String::new(),
        kind: String::new(),
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced: false,
        has_status: false,
        has_scale: false,
        source,
    };
    let mut scope = "";
    let spec = node.get("spec").ok_or("spec: Required value")?;
    for (key, value) in mapping(spec, &|| "spec".into())? {
        match key.text() {
            "group" => text(value, &|| "spec.group".into())?.clone_into(&mut crd.group),
            "scope" => scope = text(value, &|| "spec.scope".into())?,
            "names" => names(value, &mut crd)?,
            "versions" => {
                for (version, index) in list(value, &|| "spec.versions".into())?.zip(0usize..) {
                    read_version(version, index, &mut crd)?;
                }
            }
            _ => {}
        }
    }
    crd.namespaced = match scope {
        "Namespaced" => true,
        "Cluster" => false,
        "" => return Err("spec.scope: Required value".to_owned()),
        other => {
            return Err(format!(
                "spec.scope: Unsupported value: \"{other}\": supported values: \"Cluster\", \"Namespaced\""
            ));
        }
    };
    for (field, value) in
        [("spec.group", &crd.group), ("spec.names.plural", &crd.plural), ("spec.names.kind", &crd.kind)]
    {
        if value.is_empty() {
            return Err(format!("{field}: Required value"));
        }
    }
    let expected = format!("{}.{}", crd.plural, crd.group);
    let name = super::rbac::metadata_of(node, &mut super::validate::ValidKeys::default())?.name;
    if name != expected {
        return Err(format!(
            "metadata.name: Invalid value: \"{name}\": must be spec.names.plural+\".\"+spec.group"
        ));
    }
    Ok(crd)
}

fn names(node: Node<'_>, crd: &mut CustomResource) -> Result<(), FieldError> {
    for (key, value) in mapping(node, &|| "spec.names".into())? {
        let path = || format!("spec.names.{}", key.text());
        match key.text() {
            "plural" => text(value, &path)?.clone_into(&mut crd.plural),
            "singular" => text(value, &path)?.clone_into(&mut crd.singular),
            "kind" => text(value, &path)?.clone_into(&mut crd.kind),
            "shortNames" => crd.short_names = texts(value, &path)?,
            "categories" => crd.categories = texts(value, &path)?,
            _ => {}
        }
    }
    Ok(())
}

fn texts(node: Node<'_>, path: &dyn Fn() -> String) -> Result<Vec<String>, FieldError> {
    list(node, path)?.map(|item| text(item, path).map(str::to_owned)).collect()
}

fn read_version(node: Node<'_>, index: usize, crd: &mut CustomResource) -> Result<(), FieldError> {
    let path = || format!("spec.versions[{index}]");
    let (mut name, mut served, mut status, mut scale) = ("", false, false, false);
    for (key, value) in mapping(node, &path)? {
        match key.text() {
            "name" => name = text(value, &|| format!("{}.name", path()))?,
            "served" => served = is_true(value),
            "subresources" => {
                for (key, _) in mapping(value, &|| format!("{}.subresources", path()))? {
                    status |= key.text() == "status";
                    scale |= key.text() == "scale";
                }
            }
            _ => {}
        }
    }
    if served {
        crd.versions.push(name.to_owned());
        crd.has_status |= status;
        crd.has_scale |= scale;
    }
    Ok(())
}

/// Whether a scalar means true.
pub(super) fn is_true(node: Node<'_>) -> bool {
    node.scalar() == Some(ScalarType::Bool)
        && matches!(
            node.text(),
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y"
        )
}
