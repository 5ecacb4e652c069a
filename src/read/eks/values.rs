//! Fields of these forms: a value, nothing, or something that the file does not hold.

use crate::document::{Node, ScalarType};
use crate::identity::access_entries::{Setting, Told, time};
use crate::model::access::AccessScope;
use crate::read::eks::sink::Sink;
use crate::read::origin::Origin;
use crate::read::version_hints::VersionSource;

/// A text, if it is one; numbers are taken as they are written, as accounts are.
pub(super) fn text(node: Option<Node<'_>>) -> Option<String> {
    let node = node?;
    match node.scalar() {
        None | Some(ScalarType::Null) => None,
        Some(_) => Some(node.text().to_owned()).filter(|text| !text.is_empty()),
    }
}

/// A field that EKS fills in where it is not given.
pub(super) fn setting(node: Option<Node<'_>>) -> Setting<String> {
    match node {
        None => Setting::Default,
        Some(node) if node.is_null() => Setting::Default,
        Some(node) if node.scalar().is_none() => Setting::Unknown,
        Some(node) => text(Some(node)).map_or(Setting::Default, Setting::Given),
    }
}

/// A list of texts.
pub(super) fn settings(node: Option<Node<'_>>) -> Setting<Vec<String>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Setting::Default };
    if !node.is_sequence() {
        return Setting::Unknown;
    }
    let items: Option<Vec<String>> = node.items().map(|item| text(Some(item))).collect();
    items.map_or(Setting::Unknown, Setting::Given)
}

/// What EKS reports leaves nothing to fill in: a list that is not there is empty.
pub(super) fn reported(groups: Setting<Vec<String>>) -> Setting<Vec<String>> {
    match groups {
        Setting::Default => Setting::Given(Vec::new()),
        other => other,
    }
}

/// A text of which what is not there, or is no text, is unknown.
pub(super) fn told(node: Option<Node<'_>>) -> Told {
    text(node).map_or_else(Told::nameless, Told::known)
}

/// Hands on the version of a cluster.
pub(super) fn version(found: &mut dyn Sink, from: VersionSource, node: Option<Node<'_>>, origin: Origin) {
    if let (Some(node), Some(text)) = (node, text(node)) {
        found.version(from, &text, origin.source(node));
    }
}

/// A point in time.
pub(super) fn moment(node: Option<Node<'_>>) -> Option<i64> {
    time::parse(&text(node)?)
}

/// The only block of a list of blocks, as Terraform writes them; or the mapping itself.
pub(super) fn block(node: Option<Node<'_>>) -> Option<Node<'_>> {
    let node = node?;
    if node.is_sequence() { node.items().next() } else { Some(node).filter(|node| node.is_mapping()) }
}

/// A scope, from the type and the namespaces.
pub(super) fn scope(kind: Option<Node<'_>>, namespaces: Option<Node<'_>>) -> AccessScope {
    match text(kind).map(|kind| kind.to_ascii_lowercase()).as_deref() {
        Some("cluster") => AccessScope::Cluster,
        Some("namespace") => match namespaces.filter(|node| !node.is_null()) {
            None => AccessScope::Namespaces(Vec::new()),
            Some(list) if list.is_sequence() => {
                AccessScope::Namespaces(list.items().map(|item| text(Some(item))).collect())
            }
            Some(_) => AccessScope::Namespaces(vec![None]),
        },
        _ => AccessScope::Unknown,
    }
}

/// Whether namespaces are given beside the scope of the whole cluster, where they count for nothing.
pub(super) fn has_idle_namespaces(kind: Option<Node<'_>>, namespaces: Option<Node<'_>>) -> bool {
    text(kind).is_some_and(|kind| kind.eq_ignore_ascii_case("cluster"))
        && namespaces.is_some_and(|list| list.items().next().is_some())
}

/// The account and partition in the ARN of a cluster.
pub(super) fn account(arn: Option<&str>) -> Option<(String, String)> {
    let mut sections = arn?.splitn(6, ':').skip(1);
    let (partition, _, _, account) = (sections.next()?, sections.next()?, sections.next()?, sections.next()?);
    (account.len() == 12).then(|| (account.to_owned(), partition.to_owned()))
}
