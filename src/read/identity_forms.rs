//! Identity mappings in other forms than the ConfigMap `kube-system/aws-auth`.
//!
//! What eksctl writes into `aws-auth`, or prints of it, is read as that map. Everything else is named, with the ARNs in
//! it: whether it counts hangs on what runs in the cluster, which no file shows.

use std::fmt::Write as _;

use crate::document::{Node, Tree, yaml};
use crate::identity::OtherForm;
use crate::model::source::Source;

use super::aws_auth::{Found, Section};
use super::config_map::all_text;

/// What an object or a document says of identities.
pub(super) enum Form {
    /// All of `aws-auth`, or a part of it.
    Map(Found),
    /// Something that may count or not.
    Other(OtherForm),
}

/// The keys under which mappings stand, here and in the configuration of aws-iam-authenticator.
const SECTIONS: [&str; 3] = ["mapRoles", "mapUsers", "mapAccounts"];

/// Whether objects of a kind hold identity mappings in one of these forms.
pub(super) fn is_read(api_version: &str, kind: &str) -> bool {
    match api_version.split_once('/').map_or("", |(group, _)| group) {
        "iamauthenticator.k8s.aws" => kind == "IAMIdentityMapping",
        "eksctl.io" => kind == "ClusterConfig",
        "controlplane.cluster.x-k8s.io" => {
            matches!(kind, "AWSManagedControlPlane" | "AWSManagedControlPlaneTemplate")
        }
        _ => is_nearly_config_map(kind) && (kind != "ConfigMap" || api_version != "v1"),
    }
}

/// Whether a kind is a misspelt `ConfigMap`.
fn is_nearly_config_map(kind: &str) -> bool {
    // Every object of every input is asked.
    if !kind.starts_with(['c', 'C']) || !kind.ends_with(['p', 'P', 's', 'S', 't', 'T']) {
        return false;
    }
    let plain = kind.to_ascii_lowercase();
    let plain = plain.replace(['-', '_', ' '], "");
    matches!(plain.as_str(), "configmap" | "configmaps" | "configmaplist") && kind != "ConfigMapList"
}

/// What an object of such a kind says of identities.
pub(super) fn of_object(
    node: Node<'_>,
    api_version: &str,
    kind: &str,
    source: Source,
    line_of: &dyn Fn(u32) -> u32,
) -> Option<Form> {
    let metadata =
        |field: &str| node.get("metadata").and_then(|metadata| metadata.get(field)).map_or("", Node::text);
    let title = match (metadata("namespace"), metadata("name")) {
        ("", name) => format!("{kind} `{name}`"),
        (namespace, name) => format!("{kind} `{namespace}/{name}`"),
    };
    let spec = node.get("spec");
    match kind {
        "IAMIdentityMapping" => {
            let sentence = format!(
                "{title} is read only by a self-hosted aws-iam-authenticator or by a controller, not by EKS; the inputs do not show whether one runs"
            );
            Some(Form::Other(OtherForm::of_text(sentence, source, &all_text(spec?)).for_self_hosted()))
        }
        "ClusterConfig" => {
            let cluster = Some(metadata("name")).filter(|name| !name.is_empty()).map(str::to_owned);
            eksctl(node, source, line_of).map(|found| Form::Map(Found { cluster, ..found }))
        }
        "AWSManagedControlPlane" | "AWSManagedControlPlaneTemplate" => {
            let spec = spec.and_then(|spec| spec.get("template")).and_then(|one| one.get("spec")).or(spec)?;
            let config = spec.get("iamAuthenticatorConfig").filter(|config| !config.is_null())?;
            let name = spec.get("eksClusterName").map_or("", Node::text);
            let cluster = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
            cluster_api(config, source, line_of).map(|found| Form::Map(Found { cluster, ..found }))
        }
        _ if metadata("name") == "aws-auth" || has_sections(node) => {
            let sentence = if kind == "ConfigMap" {
                format!(
                    "{title} has apiVersion `{api_version}`, which does not exist, so kubectl rejects it; write `v1`"
                )
            } else {
                format!(
                    "{title} has the kind `{kind}`, which does not exist, so kubectl rejects it; write `ConfigMap`"
                )
            };
            Some(Form::Other(OtherForm::of_text(sentence, source, &all_text(node))))
        }
        _ => None,
    }
}

/// Whether the object has a key under which mappings stand.
fn has_sections(node: Node<'_>) -> bool {
    let Some(data) = node.get("data") else { return false };
    SECTIONS.iter().any(|key| data.get(key).is_some())
}

/// A ConfigMap that is not `kube-system/aws-auth`, where it holds mappings.
pub(super) fn of_config_map(
    node: Node<'_>,
    namespace: &str,
    name: &str,
    source: Source,
) -> Option<OtherForm> {
    let data = node.get("data")?;
    let title = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    let marks = node.get("metadata").into_iter().flat_map(|metadata| {
        ["labels", "annotations"].into_iter().filter_map(move |field| metadata.get(field))
    });
    let mut marks = marks.flat_map(Node::pairs);
    if name == "aws-auth" {
        let sentence = format!(
            "ConfigMap `{title}` has no effect there; if it is applied to namespace `kube-system`, it counts"
        );
        return Some(OtherForm::of_text(sentence, source, &all_text(data)));
    }
    if has_sections(node) {
        let mark =
            marks.find(|(key, value)| key.text().contains("aws-auth") || value.text().contains("aws-auth"));
        let reason = if let Some((key, value)) = mark {
            format!(
                "its label `{}: {}` suggests that a controller merges it into that one",
                key.text(),
                value.text()
            )
        } else if is_nearly_aws_auth(name) {
            "write `name: aws-auth`".to_owned()
        } else {
            "a controller may merge it into that one".to_owned()
        };
        let sentence = format!(
            "ConfigMap `{title}` has identity mappings, but aws-iam-authenticator reads only `kube-system/aws-auth`; {reason}"
        );
        return Some(OtherForm::of_text(sentence, source, &all_text(data)));
    }
    let config = data.pairs().map(|(_, value)| value).find(|value| is_server_config_text(value.text()))?;
    let sentence = format!(
        "ConfigMap `{title}` is the configuration of a self-hosted aws-iam-authenticator; the inputs do not show whether one runs"
    );
    Some(OtherForm::of_text(sentence, source, config.text()).for_self_hosted())
}

fn is_nearly_aws_auth(name: &str) -> bool {
    let plain = name.to_lowercase().replace(['_', '.'], "-");
    plain.starts_with("aws-auth")
        || plain.ends_with("aws-auth")
        || strsim::levenshtein(&plain, "aws-auth") <= 2
}

/// Whether a text is the configuration of aws-iam-authenticator with mappings in it.
fn is_server_config_text(text: &str) -> bool {
    if !text.contains("server") || !SECTIONS.iter().any(|key| text.contains(key)) {
        return false;
    }
    let mut tree = Tree::default();
    yaml::read(text, &mut tree).is_ok() && tree.root().is_some_and(is_server_config)
}

fn is_server_config(node: Node<'_>) -> bool {
    node.get("server").is_some_and(|server| SECTIONS.iter().any(|key| server.get(key).is_some()))
}

/// A document that is no Kubernetes object, where it holds mappings.
pub(super) fn of_document(node: Node<'_>, source: Source, line_of: &dyn Fn(u32) -> u32) -> Option<Form> {
    if node.is_sequence() {
        return printed_by_eksctl(node, source, line_of).map(Form::Map);
    }
    if is_server_config(node) {
        let sentence = "this is the configuration of a self-hosted aws-iam-authenticator; the inputs do not show whether one runs";
        let form = OtherForm::of_text(sentence, source, &all_text(node));
        return Some(Form::Other(form.for_self_hosted()));
    }
    let name = node.get("metadata").and_then(|metadata| metadata.get("name")).map_or("", Node::text);
    if has_sections(node) || (name == "aws-auth" && node.get("data").is_some()) {
        let missing = if node.get("kind").is_none() { "kind: ConfigMap" } else { "apiVersion: v1" };
        let sentence = format!("this looks like `aws-auth`, but kubectl rejects it; add `{missing}`");
        return Some(Form::Other(OtherForm::of_text(sentence, source, &all_text(node))));
    }
    None
}

/// The `iamIdentityMappings` of an eksctl file: a part of `aws-auth`, for node groups write into it too.
fn eksctl(node: Node<'_>, source: Source, line_of: &dyn Fn(u32) -> u32) -> Option<Found> {
    let list = node.get("iamIdentityMappings").filter(|list| list.is_sequence())?;
    let mappings = list.items().filter_map(|item| {
        if let Some(account) = item.get("account").filter(|account| !account.is_null()) {
            return Some(Mapping { item, key: "account", arn: account });
        }
        let arn = item.get("arn")?;
        let key = if arn.text().contains(":user/") { "userarn" } else { "rolearn" };
        Some(Mapping { item, key, arn })
    });
    found(&mappings.collect::<Vec<_>>(), source.at_line(line_of(list.position().line)), true, line_of)
}

/// The `iamAuthenticatorConfig` of Cluster API: a part of `aws-auth`, for it adds the roles of its own nodes.
fn cluster_api(config: Node<'_>, source: Source, line_of: &dyn Fn(u32) -> u32) -> Option<Found> {
    let list = |key| config.get(key).into_iter().flat_map(Node::items);
    let roles = list("mapRoles").map(|item| (item, "rolearn"));
    let users = list("mapUsers").map(|item| (item, "userarn"));
    let mappings = roles.chain(users).filter_map(|(item, key)| {
        let arn = item.get(key)?;
        Some(Mapping { item, key, arn })
    });
    found(&mappings.collect::<Vec<_>>(), source.at_line(line_of(config.position().line)), true, line_of)
}

/// What `eksctl get iamidentitymapping` prints: all of `aws-auth`. `None` if it is something else.
fn printed_by_eksctl(node: Node<'_>, source: Source, line_of: &dyn Fn(u32) -> u32) -> Option<Found> {
    let mut mappings = Vec::new();
    for item in node.items() {
        let known = ["rolearn", "userarn", "account", "username", "groups", "sso"];
        if !item.is_mapping() || !item.pairs().all(|(key, _)| known.contains(&key.text())) {
            return None;
        }
        let (key, arn) = ["rolearn", "userarn", "account"]
            .into_iter()
            .find_map(|key| item.get(key).filter(|arn| !arn.is_null()).map(|arn| (key, arn)))?;
        mappings.push(Mapping { item, key, arn });
    }
    found(&mappings, source, false, line_of)
}

/// An entry of a list that stands for `aws-auth`.
struct Mapping<'t> {
    item: Node<'t>,
    /// `rolearn`, `userarn` or `account`.
    key: &'static str,
    arn: Node<'t>,
}

impl Mapping<'_> {
    /// The entry as JSON in one line.
    fn json(&self) -> String {
        let arn = serde_json::Value::from(self.arn.text());
        if self.key == "account" {
            return arn.to_string();
        }
        let mut fields = serde_json::Map::new();
        fields.insert(self.key.to_owned(), arn);
        if let Some(username) = self.item.get("username").and_then(Node::as_str) {
            fields.insert("username".to_owned(), username.into());
        }
        if let Some(groups) = self.item.get("groups").filter(|groups| groups.is_sequence()) {
            let groups: Vec<&str> = groups.items().map(Node::text).collect();
            fields.insert("groups".to_owned(), groups.into());
        }
        serde_json::Value::from(fields).to_string()
    }
}

/// Such a list as the ConfigMap that it stands for. `None` if it is empty.
fn found(
    mappings: &[Mapping<'_>],
    source: Source,
    is_partial: bool,
    line_of: &dyn Fn(u32) -> u32,
) -> Option<Found> {
    if mappings.is_empty() {
        return None;
    }
    let keys = [("mapRoles", "rolearn"), ("mapUsers", "userarn"), ("mapAccounts", "account")];
    let section = |(key, wanted): (&str, &str)| {
        let own: Vec<&Mapping<'_>> = mappings.iter().filter(|mapping| mapping.key == wanted).collect();
        let first = line_of(own.first()?.item.position().line);
        let mut text = String::new();
        let mut line = first;
        let mut one_a_line = true;
        for mapping in own {
            // Each entry stands in the line of the section that it has in the file.
            let own_line = line_of(mapping.item.position().line);
            one_a_line &= line <= own_line;
            while line < own_line {
                text.push('\n');
                line += 1;
            }
            let _ = writeln!(text, "- {}", mapping.json());
            line += 1;
        }
        let first_line = one_a_line.then_some(first);
        Some(Section { key: key.to_owned(), text, source: source.at_line(first), first_line })
    };
    let sections = keys.into_iter().filter_map(section).collect();
    Some(Found { source, is_partial, sections, ..Found::default() })
}
