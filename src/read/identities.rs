//! From everything that the inputs say of identities to the mappings that may be in force.

use crate::identity::access_entries::Facts;
use crate::identity::aws_auth::NewMapping;
use crate::identity::{AwsAuth, IdentityMappings, OtherForm};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::{Source, Sources};

use super::aws_auth::Found;
use super::load::LoadOptions;
use super::what_if::{Change, ObjectKind, WhatIf, nearest};

/// Joins them: maps that say the same are one, and beside a whole map a part of one may count or not.
pub(super) fn join(
    found: &[Found],
    mut refused: Vec<OtherForm>,
    others: Vec<OtherForm>,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
    (what_if, gone_entries, changes): (&WhatIf, &ChangedEntries, &mut Vec<Change>),
) -> Result<IdentityMappings, String> {
    let mut identities = IdentityMappings::default();
    let has_whole = !refused.is_empty() || found.iter().any(|found| !found.is_partial);
    let mut kept: Vec<(AwsAuth, Vec<Diagnostic>)> = Vec::new();
    let mut others = others;
    let is_without = what_if.without.iter().any(|object| object.kind == ObjectKind::AwsAuth);
    let mut gone = None;
    for found in found {
        if is_without && !found.is_partial {
            gone = Some(found.source);
            continue;
        }
        if found.is_partial && has_whole {
            let sentence = "these mappings are only a part of `aws-auth`, which a tool writes; the inputs do not show whether it did";
            others.push(OtherForm::of_text(sentence, found.source, &found.text()));
            continue;
        }
        let (mut map, mut own) = AwsAuth::read(found.source, &found.data());
        for section in &found.binary {
            own.extend(map.ignore_binary(&section.key, &section.text()));
        }
        if kept.iter().any(|(before, _)| before.maps_as(&map)) {
            continue;
        }
        if found.is_partial {
            identities.set_partial_aws_auth(found.source);
            own.retain(|diagnostic| diagnostic.code != Code::AwsAuthMapsNobody);
        }
        kept.push((map, own));
    }
    if is_without {
        gone = gone.or_else(|| refused.first().map(|refused| refused.source));
        refused.clear();
        let Some(source) = gone else {
            return Err(
                "--without ConfigMap/kube-system/aws-auth: the inputs have no such ConfigMap".to_owned()
            );
        };
        changes.push(Change {
            text: "without ConfigMap `kube-system/aws-auth`".to_owned(),
            source: Some(source),
        });
        kept.push((AwsAuth::empty(source), Vec::new()));
    }
    remove_mappings(&mut kept, &what_if.without_mapping, gone_entries, changes)?;
    if !what_if.with_mapping.is_empty() && !gone_entries.took_mappings {
        let file = sources.add_file("--with-mapping");
        let source = Source { file, ..Source::default() };
        if kept.is_empty() && refused.is_empty() {
            // The cluster has a map, and the inputs show nothing of it but this.
            identities.set_partial_aws_auth(source);
            kept.push((AwsAuth::empty(source), Vec::new()));
        }
        for mapping in &what_if.with_mapping {
            for (map, _) in &mut kept {
                map.add_mapping(mapping, source);
            }
            changes.push(Change { text: added(mapping, "a mapping"), source: None });
        }
    }
    let first = kept.first().map(|(map, _)| map.source());
    for (map, own) in kept {
        diagnostics.extend(own);
        if let Some(first) = first.filter(|first| *first != map.source()) {
            let place = sources.show(first);
            diagnostics.push(Diagnostic::at(
                Code::AwsAuthDiffers,
                map.source(),
                format!("ConfigMap `kube-system/aws-auth` is also defined, differently, at {place}; which one is in force is unknown, so load the files of one cluster"),
            ));
        }
        identities.add_aws_auth(map);
    }
    for refused in refused {
        identities.add_refused_config_map(refused);
    }
    for other in others {
        let is_told = diagnostics.iter().any(|diagnostic| diagnostic.source == Some(other.source));
        let message = format!("{}; whom it maps may have access that the answers do not show", other.text);
        if !is_told {
            diagnostics.push(Diagnostic::at(Code::IdentityMappingElsewhere, other.source, message));
        }
        identities.add_other_form(other);
    }
    Ok(identities)
}

/// What became of access entries, before mappings of `aws-auth` are looked at.
pub(super) struct ChangedEntries {
    /// The ARNs whose entry is gone.
    gone: Vec<String>,
    /// The principals that had entries.
    there: Vec<String>,
    /// Whether new mappings are access entries.
    took_mappings: bool,
}

/// Takes the access entries of ARNs out, and adds new mappings as entries where the cluster looks for them there.
pub(super) fn change_entries(
    facts: &mut Facts,
    has_aws_auth: bool,
    sources: &mut Sources,
    options: &LoadOptions,
    changes: &mut Vec<Change>,
) -> ChangedEntries {
    let WhatIf { without_mapping, with_mapping, .. } = &options.what_if;
    let cluster = options.cluster.as_deref();
    let is_asked = !without_mapping.is_empty();
    let there = facts.principals_of_entries().filter(|_| is_asked).map(str::to_owned).collect();
    let took_mappings =
        !with_mapping.is_empty() && facts.maps_by_entries(options.authentication_mode, has_aws_auth);
    let mut gone = Vec::new();
    for arn in without_mapping {
        if let Some(source) = facts.remove_principal(arn, cluster) {
            changes
                .push(Change { text: format!("without the access entry of `{arn}`"), source: Some(source) });
            gone.push(arn.clone());
        }
    }
    if took_mappings {
        let file = sources.add_file("--with-mapping");
        for mapping in with_mapping {
            facts.add_mapping(mapping, Source { file, ..Source::default() }, cluster);
            changes.push(Change { text: added(mapping, "an access entry"), source: None });
        }
    }
    ChangedEntries { gone, there, took_mappings }
}

/// Takes the mappings of ARNs out of every map.
fn remove_mappings(
    kept: &mut [(AwsAuth, Vec<Diagnostic>)],
    without: &[String],
    entries: &ChangedEntries,
    changes: &mut Vec<Change>,
) -> Result<(), String> {
    for arn in without {
        let there = kept.iter().flat_map(|(map, _)| map.mapped_arns()).map(str::to_owned);
        let there: Vec<String> = there.chain(entries.there.iter().cloned()).collect();
        let removed: Vec<Source> = kept.iter_mut().flat_map(|(map, _)| map.remove_mapping(arn)).collect();
        let had_entry = entries.gone.iter().any(|gone| gone == arn);
        let Some(source) = removed.first() else {
            if had_entry {
                continue;
            }
            let near = nearest(arn, there.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(format!("--without-mapping {arn}: the inputs have no mapping of it{near}"));
        };
        changes.push(Change { text: format!("without the mapping of `{arn}`"), source: Some(*source) });
    }
    Ok(())
}

/// A new mapping in words.
fn added(mapping: &NewMapping, what: &str) -> String {
    let NewMapping { arn, username, groups } = mapping;
    let groups: Vec<String> = groups.iter().map(|group| format!("`{group}`")).collect();
    let groups =
        if groups.is_empty() { "no groups".to_owned() } else { format!("groups {}", groups.join(", ")) };
    format!("with {what} of `{arn}` to user `{username}`, {groups}")
}
