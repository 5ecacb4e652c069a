//! Everyone who can do something, as a table: who, where, through what, and the IAM identities behind it.

use std::io::{self, Write};

use crate::ask::who_can::{GrantRef, IdentityAccess, Named, WhoCan, grants_of};
use crate::decide::cluster::{Cluster, WhoIs};
use crate::model::rbac::{Authorizer, Scope};

use super::iam::short;
use super::visible::visible;
use super::{who_can, words};

/// How wide a list of namespaces or IAM identities grows before the rest of it is counted.
const WIDE: usize = 48;

/// A row: who, where, through what, the IAM identities.
type Row = [String; 4];

/// Writes everyone who can.
///
/// # Errors
/// If writing fails.
pub fn text(out: &mut dyn Write, cluster: &Cluster, asked: &str, found: &WhoCan<'_>) -> io::Result<()> {
    who_can::headline(out, asked, found)?;
    let rows = rows(cluster, found);
    if !rows.is_empty() {
        writeln!(out)?;
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
        let has_identities = rows.iter().any(|[.., identities]| !identities.is_empty());
        let columns = if has_identities { 4 } else { 3 };
        table.set_header(["WHO", "WHERE", "THROUGH", "IAM IDENTITIES"].into_iter().take(columns));
        for row in rows {
            table.add_row(row.iter().take(columns).map(|cell| visible(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    who_can::rest(out, cluster, found)
}

fn rows(cluster: &Cluster, found: &WhoCan<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut behind: Vec<Vec<&IdentityAccess<'_>>> = vec![Vec::new(); found.subjects.len()];
    for identity in &found.identities {
        for index in &identity.through {
            behind.get_mut(*index).into_iter().for_each(|behind| behind.push(identity));
        }
    }
    for (can, behind) in found.subjects.iter().zip(&behind) {
        let (place, through) = if can.subject.is_masters() {
            ("everywhere".to_owned(), "bypasses RBAC".to_owned())
        } else {
            (place(cluster, &can.grants), through(cluster, &can.grants))
        };
        let identities: Vec<String> = behind.iter().map(|identity| identity_name(identity)).collect();
        rows.push([who(&can.subject, can.names.as_deref()), place, through, some_of(&identities)]);
    }
    for can in &found.in_namespaces {
        let places = some_of(&owned(&can.namespaces));
        let who = who(&can.subject, can.names.as_deref());
        rows.push([who, places, through(cluster, &can.grants), String::new()]);
    }
    for identity in found.identities.iter().filter(|identity| identity.through.is_empty()) {
        let grants = grants_of(identity);
        let through = grants.first().map_or_else(
            || "several subjects together".to_owned(),
            |first| more(binding(cluster, first.applied.binding), grants.len()),
        );
        let is_everywhere = grants.iter().any(|grant| grant.applied.binding.scope == Scope::Cluster);
        let place = if is_everywhere { "everywhere" } else { "" };
        rows.push([iam(identity), place.to_owned(), through, identity_name(identity)]);
    }
    for (identity, namespaces) in &found.identities_in {
        let places = some_of(&owned(namespaces));
        rows.push([iam(identity), places, String::new(), identity_name(identity)]);
    }
    for account in &found.accounts {
        let who = format!("every IAM principal of account {account}");
        rows.push([who, String::new(), "mapAccounts".to_owned(), String::new()]);
    }
    rows
}

fn who(subject: &Named, names: Option<&[String]>) -> String {
    let namespace =
        if subject.namespace.is_empty() { String::new() } else { format!("{}/", subject.namespace) };
    format!("{} {namespace}{}{}", subject.kind, subject.name, limit(names))
}

fn iam(identity: &IdentityAccess<'_>) -> String {
    let user = match &identity.who.is {
        WhoIs::Mapped(mapped) => format!("User {}", mapped.username),
        _ => "IAM identity".to_owned(),
    };
    format!("{user}{}", limit(identity.names.as_deref()))
}

fn limit(names: Option<&[String]>) -> String {
    names.map_or_else(String::new, |names| format!(", only named {}", some_of(names)))
}

fn identity_name(identity: &IdentityAccess<'_>) -> String {
    let only = if identity.who.only_instances() { " (only sessions of instances)" } else { "" };
    format!("{}{only}", short(&identity.arn))
}

/// Where grants hold.
fn place(cluster: &Cluster, grants: &[GrantRef<'_>]) -> String {
    let names = &cluster.graph().policy().names;
    let mut namespaces: Vec<&str> = Vec::new();
    for grant in grants {
        match grant.applied.binding.scope {
            Scope::Cluster => return "everywhere".to_owned(),
            Scope::Namespace(namespace) => namespaces.push(names.text(namespace)),
        }
    }
    namespaces.dedup();
    some_of(&owned(&namespaces))
}

/// The binding of the first grant with its role, and how many more bindings there are.
fn through(cluster: &Cluster, grants: &[GrantRef<'_>]) -> String {
    let Some(first) = grants.first() else { return String::new() };
    let mut bindings: Vec<u32> = grants.iter().map(|grant| grant.applied.order()).collect();
    bindings.dedup();
    more(binding(cluster, first.applied.binding), bindings.len())
}

fn more(first: String, count: usize) -> String {
    if count > 1 { format!("{first} +{}", count - 1) } else { first }
}

/// A binding with its role, and where it comes from if from no input: `RoleBinding prod/shell (ClusterRole exec)`.
fn binding(cluster: &Cluster, binding: &crate::model::rbac::Binding) -> String {
    let policy = cluster.graph().policy();
    let plain = |text: String| text.replace('`', "");
    let bound = plain(words::binding(policy, binding).to_string());
    if binding.authorizer() == Authorizer::AccessPolicy {
        return bound;
    }
    let role = plain(words::role_ref(policy, binding).to_string());
    let place = words::place(policy, binding.source).to_string();
    let built_in = if place.starts_with("built in") { format!(", {place}") } else { String::new() };
    format!("{bound} ({role}){built_in}")
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn some_of(texts: &[String]) -> String {
    let mut shown = String::new();
    for (text, index) in texts.iter().zip(0usize..) {
        let comma = if index > 0 { ", " } else { "" };
        if index > 0 && shown.len() + comma.len() + text.len() > WIDE {
            return format!("{shown} +{}", texts.len() - index);
        }
        shown = format!("{shown}{comma}{text}");
    }
    shown
}
