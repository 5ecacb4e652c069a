//! Terraform and `OpenTofu`: a state, a plan, or the raw state file, with EKS's resources and those of the Kubernetes
//! provider.

mod plan;
mod resource;

use crate::document::Node;
use crate::identity::access_entries::{Form, Standing};
use crate::model::diagnostic::Code;
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;

use super::values;
use resource::Resource;

/// Whether a document is of Terraform.
pub(super) fn is_one(node: Node<'_>) -> bool {
    is_shown(node) || is_raw(node) || is_old(node)
}

/// What `terraform show -json` prints.
fn is_shown(node: Node<'_>) -> bool {
    node.get("format_version").is_some()
        && (node.get("terraform_version").is_some()
            || node.get("values").is_some_and(|values| values.get("root_module").is_some())
            || node.get("planned_values").is_some())
}

/// A state file.
fn is_raw(node: Node<'_>) -> bool {
    let has = |key: &str| node.get(key).is_some();
    has("version")
        && node.get("resources").is_some_and(Node::is_sequence)
        && (has("terraform_version") || (has("lineage") && has("serial")))
}

/// A state file from before Terraform 0.12.
fn is_old(node: Node<'_>) -> bool {
    node.get("version").is_some_and(|version| version.text() == "3")
        && node.get("modules").is_some_and(Node::is_sequence)
}

/// Takes in a state or a plan. `false` if it is neither.
pub(super) fn read(found: &mut dyn Sink, node: Node<'_>, origin: Origin) -> bool {
    if is_old(node) {
        found.report(Code::AccessInputNotRead,
            origin.source(node),
            "this state is of Terraform before 0.12 and is not read; `terraform show -json` of a newer version writes one that is".to_owned(),
        );
        return true;
    }
    if is_raw(node) {
        raw(found, node, origin);
        return true;
    }
    if !is_shown(node) {
        return false;
    }
    let root = |key: &str| node.get(key).and_then(|values| values.get("root_module"));
    if let Some(module) = root("planned_values") {
        let plan = plan::Plan::of(node);
        walk(module, &mut |resource| {
            let address = values::text(resource.get("address")).unwrap_or_default();
            let is_data = resource.get("mode").is_some_and(|mode| mode.text() == "data");
            let kind = values::text(resource.get("type")).unwrap_or_default();
            let Some(values) = resource.get("values").filter(|values| values.is_mapping()) else { return };
            let resource = Resource {
                kind: &kind,
                values,
                standing: if is_data { Standing::Observed } else { Standing::Declared },
                form: Form::TerraformPlan,
                plan: Some((&plan, &address)),
            };
            resource.read(found, origin);
        });
    } else if let Some(module) = root("values") {
        walk(module, &mut |resource| {
            let kind = values::text(resource.get("type")).unwrap_or_default();
            let Some(values) = resource.get("values").filter(|values| values.is_mapping()) else { return };
            let (standing, form) = (Standing::Observed, Form::TerraformState);
            Resource { kind: &kind, values, standing, form, plan: None }.read(found, origin);
        });
    }
    true
}

/// Every resource of a module and of those in it.
fn walk<'t>(module: Node<'t>, each: &mut dyn FnMut(Node<'t>)) {
    for resource in module.get("resources").into_iter().flat_map(Node::items) {
        each(resource);
    }
    for child in module.get("child_modules").into_iter().flat_map(Node::items) {
        walk(child, each);
    }
}

/// A state file: its resources, one after the other.
fn raw(found: &mut dyn Sink, node: Node<'_>, origin: Origin) {
    for resource in node.get("resources").into_iter().flat_map(Node::items) {
        raw_resource(found, resource, origin);
    }
}

/// One resource of a state file, with all its instances.
pub(super) fn raw_resource(found: &mut dyn Sink, resource: Node<'_>, origin: Origin) {
    let kind = values::text(resource.get("type")).unwrap_or_default();
    if !resource::is_read(&kind) {
        return;
    }
    let instances = resource.get("instances").into_iter().flat_map(Node::items);
    // What was deposed is on its way out.
    for instance in instances.filter(|instance| instance.get("deposed").is_none()) {
        let Some(values) = instance.get("attributes").filter(|values| values.is_mapping()) else { continue };
        let (standing, form) = (Standing::Observed, Form::TerraformState);
        Resource { kind: &kind, values, standing, form, plan: None }.read(found, origin);
    }
}
