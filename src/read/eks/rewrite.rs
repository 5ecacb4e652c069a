//! Resources of Terraform's Kubernetes provider as the Kubernetes objects that they stand for.
//!
//! Every node keeps the place of what it came from, so that answers name lines of the state.

use crate::document::{Kind, Node, Tree};

use super::values;

/// Writes the tree of an object.
#[derive(Default)]
struct Writer {
    tree: Tree<'static>,
}

impl Writer {
    fn text(&mut self, text: &str, at: Node<'_>) {
        self.tree.push_owned(Kind::Text, text, at.position());
    }

    fn field(&mut self, key: &str, text: &str, at: Node<'_>) {
        self.text(key, at);
        self.text(text, at);
    }

    fn within(&mut self, kind: Kind, at: Node<'_>, inside: impl FnOnce(&mut Self)) {
        let open = self.tree.open(kind, at.position());
        inside(self);
        self.tree.close(open);
    }

    /// A list of texts; `null` among them is the empty text.
    fn texts(&mut self, key: &str, list: Option<Node<'_>>) {
        let Some(list) = list.filter(|list| list.is_sequence() && list.items().next().is_some()) else {
            return;
        };
        self.text(key, list);
        self.within(Kind::Sequence, list, |writer| {
            for item in list.items() {
                writer.text(if item.is_null() { "" } else { item.text() }, item);
            }
        });
    }

    /// A mapping of texts.
    fn map(&mut self, key: &str, map: Option<Node<'_>>) {
        let Some(map) = map.filter(|map| map.is_mapping()) else { return };
        self.text(key, map);
        self.within(Kind::Mapping, map, |writer| {
            for (key, value) in map.pairs().filter(|(_, value)| !value.is_null()) {
                writer.text(key.text(), key);
                writer.text(value.text(), value);
            }
        });
    }

    fn metadata(&mut self, values: Node<'_>) {
        let Some(metadata) = values::block(values.get("metadata")) else { return };
        self.text("metadata", metadata);
        self.within(Kind::Mapping, metadata, |writer| {
            for (from, to) in
                [("name", "name"), ("namespace", "namespace"), ("generate_name", "generateName")]
            {
                let value = metadata.get(from);
                if let (Some(node), Some(text)) = (value, values::text(value)) {
                    writer.field(to, &text, node);
                }
            }
            writer.map("labels", metadata.get("labels"));
        });
    }

    fn rules(&mut self, values: Node<'_>) {
        let Some(rules) = values.get("rule").filter(|rules| rules.is_sequence()) else { return };
        self.text("rules", rules);
        self.within(Kind::Sequence, rules, |writer| {
            for rule in rules.items() {
                writer.within(Kind::Mapping, rule, |writer| {
                    writer.texts("apiGroups", rule.get("api_groups"));
                    writer.texts("resources", rule.get("resources"));
                    writer.texts("resourceNames", rule.get("resource_names"));
                    writer.texts("verbs", rule.get("verbs"));
                    writer.texts("nonResourceURLs", rule.get("non_resource_urls"));
                });
            }
        });
    }

    fn aggregation(&mut self, values: Node<'_>) {
        let Some(rule) = values::block(values.get("aggregation_rule")) else { return };
        let Some(selectors) = rule.get("cluster_role_selectors").filter(|list| list.is_sequence()) else {
            return;
        };
        self.text("aggregationRule", rule);
        self.within(Kind::Mapping, rule, |writer| {
            writer.text("clusterRoleSelectors", selectors);
            writer.within(Kind::Sequence, selectors, |writer| {
                for selector in selectors.items() {
                    writer.within(Kind::Mapping, selector, |writer| {
                        writer.map("matchLabels", selector.get("match_labels"));
                        writer.expressions(selector.get("match_expressions"));
                    });
                }
            });
        });
    }

    fn expressions(&mut self, list: Option<Node<'_>>) {
        let Some(list) = list.filter(|list| list.items().next().is_some()) else { return };
        self.text("matchExpressions", list);
        self.within(Kind::Sequence, list, |writer| {
            for one in list.items() {
                writer.within(Kind::Mapping, one, |writer| {
                    for key in ["key", "operator"] {
                        if let Some(node) = one.get(key) {
                            writer.field(key, node.text(), node);
                        }
                    }
                    writer.texts("values", one.get("values"));
                });
            }
        });
    }

    fn role_ref(&mut self, values: Node<'_>) {
        let Some(role_ref) = values::block(values.get("role_ref")) else { return };
        self.text("roleRef", role_ref);
        self.within(Kind::Mapping, role_ref, |writer| {
            for (from, to) in [("api_group", "apiGroup"), ("kind", "kind"), ("name", "name")] {
                if let Some(node) = role_ref.get(from).filter(|node| !node.is_null()) {
                    writer.field(to, node.text(), node);
                }
            }
        });
    }

    fn subjects(&mut self, values: Node<'_>) {
        let Some(subjects) = values.get("subject").filter(|subjects| subjects.is_sequence()) else { return };
        self.text("subjects", subjects);
        self.within(Kind::Sequence, subjects, |writer| {
            for subject in subjects.items() {
                writer.within(Kind::Mapping, subject, |writer| {
                    let of = |key: &str| values::text(subject.get(key)).unwrap_or_default();
                    let is_account = of("kind") == "ServiceAccount";
                    for (from, to) in [
                        ("api_group", "apiGroup"),
                        ("kind", "kind"),
                        ("name", "name"),
                        ("namespace", "namespace"),
                    ] {
                        // The provider writes `default` on users and groups, which the API server drops.
                        if from == "namespace" && !is_account {
                            continue;
                        }
                        if let Some(node) = subject.get(from).filter(|node| !node.is_null()) {
                            writer.field(to, node.text(), node);
                        }
                    }
                });
            }
        });
    }
}

/// The kind of object that a type of resource stands for, and its apiVersion.
pub(super) fn kind_of(resource: &str) -> Option<(&'static str, &'static str)> {
    const RBAC: &str = "rbac.authorization.k8s.io/v1";
    Some(match resource.strip_suffix("_v1").unwrap_or(resource) {
        "kubernetes_role" => (RBAC, "Role"),
        "kubernetes_cluster_role" => (RBAC, "ClusterRole"),
        "kubernetes_role_binding" => (RBAC, "RoleBinding"),
        "kubernetes_cluster_role_binding" => (RBAC, "ClusterRoleBinding"),
        "kubernetes_service_account" => ("v1", "ServiceAccount"),
        "kubernetes_namespace" => ("v1", "Namespace"),
        "kubernetes_config_map" => ("v1", "ConfigMap"),
        _ => return None,
    })
}

/// The object that the values of a resource stand for.
pub(super) fn object(values: Node<'_>, api_version: &str, kind: &str) -> Tree<'static> {
    let mut writer = Writer::default();
    writer.within(Kind::Mapping, values, |writer| {
        writer.field("apiVersion", api_version, values);
        writer.field("kind", kind, values);
        writer.metadata(values);
        match kind {
            "Role" => writer.rules(values),
            "ClusterRole" => {
                writer.rules(values);
                writer.aggregation(values);
            }
            "RoleBinding" | "ClusterRoleBinding" => {
                writer.role_ref(values);
                writer.subjects(values);
            }
            "ConfigMap" => writer.map("data", values.get("data")),
            _ => {}
        }
    });
    writer.tree
}
