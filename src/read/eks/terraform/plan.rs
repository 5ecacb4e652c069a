//! What a plan tells beside its values: which of them are known only after apply, and where they come from.

use rustc_hash::FxHashMap;

use crate::document::Node;
use crate::identity::access_entries::{HoleOf, Told};

use super::super::values;

/// A plan, looked up by the addresses of its resources.
pub(super) struct Plan<'t> {
    unknown: FxHashMap<String, Node<'t>>,
    planned: FxHashMap<String, Node<'t>>,
    root: Option<Node<'t>>,
}

impl<'t> Plan<'t> {
    /// The plan in a document.
    pub(super) fn of(node: Node<'t>) -> Self {
        let mut plan = Self {
            unknown: FxHashMap::default(),
            planned: FxHashMap::default(),
            root: node.get("configuration").and_then(|configuration| configuration.get("root_module")),
        };
        for change in node.get("resource_changes").into_iter().flat_map(Node::items) {
            let unknown = change.get("change").and_then(|change| change.get("after_unknown"));
            if let (Some(address), Some(unknown)) = (values::text(change.get("address")), unknown) {
                plan.unknown.insert(address, unknown);
            }
        }
        let module = node.get("planned_values").and_then(|values| values.get("root_module"));
        if let Some(module) = module {
            super::walk(module, &mut |resource| {
                if let (Some(address), Some(values)) =
                    (values::text(resource.get("address")), resource.get("values"))
                {
                    plan.planned.insert(address, values);
                }
            });
        }
        plan
    }

    /// Whether a value of a resource, or a part of it, is known only after apply.
    pub(super) fn is_unknown(&self, address: &str, key: &str) -> bool {
        fn holds_true(node: Node<'_>) -> bool {
            node.text() == "true"
                || node.items().any(holds_true)
                || node.pairs().any(|(_, value)| holds_true(value))
        }
        self.unknown.get(address).and_then(|unknown| unknown.get(key)).is_some_and(holds_true)
    }

    /// The principal that a resource takes from a role or user of the same module, as far as that one's name tells it.
    pub(super) fn principal(&self, address: &str) -> Option<Told> {
        self.arn_of(address, "principal_arn")
    }

    /// The ARN that a resource takes from a role or user of the same module, under a key.
    pub(super) fn arn_of(&self, address: &str, key: &str) -> Option<Told> {
        let (module, own) = match address.rfind(".aws_eks_") {
            Some(at) => (address.get(..at)?, address.get(at + 1..)?),
            None => ("", address),
        };
        let mut configuration = self.root?;
        for name in module.split('.').filter(|part| !matches!(*part, "" | "module")) {
            let name = name.split('[').next()?;
            configuration = configuration.get("module_calls")?.get(name)?.get("module")?;
        }
        let own = own.split('[').next()?;
        let resources = configuration.get("resources")?.items();
        let resource =
            resources.into_iter().find(|one| one.get("address").is_some_and(|at| at.text() == own))?;
        let references = resource.get("expressions")?.get(key)?.get("references")?;
        let reference = references.items().next()?.text().strip_suffix(".arn")?;
        let kind = reference.split('.').next()?;
        let target = if module.is_empty() { reference.to_owned() } else { format!("{module}.{reference}") };
        let Some(planned) = self.planned.get(&target).or_else(|| self.planned.get(&format!("{target}[0]")))
        else {
            return Some(Told::unknown(target));
        };
        if let Some(arn) = values::text(planned.get("arn")) {
            return Some(Told::known(arn));
        }
        let Some(name) = values::text(planned.get("name")) else { return Some(Told::unknown(target)) };
        let path = values::text(planned.get("path")).unwrap_or_else(|| "/".to_owned());
        let kind = match kind {
            "aws_iam_role" => "role",
            "aws_iam_user" => "user",
            _ => return Some(Told::unknown(target)),
        };
        let mut told = Told::known("arn:");
        told.push(Told::hole(HoleOf::Partition, "partition"));
        told.push(Told::known(":iam::"));
        told.push(Told::hole(HoleOf::Account, "account"));
        told.push(Told::known(format!(":{kind}{path}{name}")));
        Some(told)
    }
}
