//! Everyone who can do something, as a table: who, where, through what, and the IAM identities behind it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use rustc_hash::FxHashMap;

use crate::ask::who_can::{GrantRef, IdentityAccess, Named, WhoCan, grants_of};
use crate::decide::cluster::{Cluster, WhoIs};
use crate::model::rbac::{Authorizer, Binding, Scope};

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
            (place(cluster, &bindings_of(&can.grants)), through(cluster, &can.grants))
        };
        let identities: Vec<String> = behind.iter().map(|identity| identity_name(identity)).collect();
        rows.push([who(&can.subject, can.names.as_deref()), place, through, some_of(&identities)]);
    }
    // Who has access in single namespaces by a grant of a subject stands beside that subject.
    let mut holders: FxHashMap<(u32, usize), usize> = FxHashMap::default();
    for (can, row) in found.in_namespaces.iter().zip(0usize..) {
        let grants = can.grants.iter();
        holders.extend(grants.map(|grant| ((grant.applied.order(), grant.subject as usize), row)));
    }
    let mut beside: Vec<Vec<String>> = vec![Vec::new(); found.in_namespaces.len()];
    let mut alone: Vec<(&IdentityAccess<'_>, String, Vec<&Binding>)> = Vec::new();
    for (identity, namespaces) in &found.identities_in {
        let (mut held, mut own) = (BTreeSet::new(), Vec::new());
        for grant in grants_of(identity) {
            match holders.get(&(grant.applied.order(), grant.subject)) {
                Some(row) => {
                    held.insert(*row);
                }
                None => own.push(grant.applied.binding),
            }
        }
        for row in &held {
            beside.get_mut(*row).into_iter().for_each(|names| names.push(identity_name(identity)));
        }
        let places = if held.is_empty() { some_of(&owned(namespaces)) } else { place(cluster, &own) };
        if held.is_empty() || !own.is_empty() {
            alone.push((identity, places, own));
        }
    }
    for (can, identities) in found.in_namespaces.iter().zip(&beside) {
        rows.push([
            who(&can.subject, can.names.as_deref()),
            some_of(&owned(&can.namespaces)),
            through(cluster, &can.grants),
            some_of(identities),
        ]);
    }
    for identity in found.identities.iter().filter(|identity| identity.through.is_empty()) {
        let bindings: Vec<&Binding> = grants_of(identity).iter().map(|grant| grant.applied.binding).collect();
        let through = if bindings.is_empty() {
            "several subjects together".to_owned()
        } else {
            bindings_shown(cluster, &bindings)
        };
        rows.push([iam(identity), place(cluster, &bindings), through, identity_name(identity)]);
    }
    for (identity, places, bindings) in alone {
        let through = bindings_shown(cluster, &bindings);
        rows.push([iam(identity), places, through, identity_name(identity)]);
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

fn bindings_of<'g>(grants: &[GrantRef<'g>]) -> Vec<&'g Binding> {
    grants.iter().map(|grant| grant.applied.binding).collect()
}

/// Where bindings grant.
fn place(cluster: &Cluster, bindings: &[&Binding]) -> String {
    let names = &cluster.graph().policy().names;
    let mut namespaces: Vec<String> = Vec::new();
    for binding in bindings {
        match binding.scope {
            Scope::Cluster => return "everywhere".to_owned(),
            Scope::Namespace(namespace) => namespaces.push(names.text(namespace).to_owned()),
        }
    }
    namespaces.dedup();
    some_of(&namespaces)
}

fn through(cluster: &Cluster, grants: &[GrantRef<'_>]) -> String {
    bindings_shown(cluster, &bindings_of(grants))
}

/// The first binding with its role, and how many more there are.
fn bindings_shown(cluster: &Cluster, bindings: &[&Binding]) -> String {
    let Some(first) = bindings.first() else { return String::new() };
    let mut distinct: Vec<*const Binding> =
        bindings.iter().map(|binding| std::ptr::from_ref(*binding)).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let first = binding(cluster, first);
    if distinct.len() > 1 { format!("{first} +{}", distinct.len() - 1) } else { first }
}

/// A binding with its role, and where it comes from if from no input: `RoleBinding prod/shell (ClusterRole exec)`.
fn binding(cluster: &Cluster, binding: &Binding) -> String {
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
