//! From everything that the inputs say of identities to the mappings that may be in force.

use crate::identity::{AwsAuth, IdentityMappings, OtherForm};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::Sources;

use super::aws_auth::Found;

/// Joins them: maps that say the same are one, and beside a whole map a part of one may count or not.
pub(super) fn join(
    found: &[Found],
    refused: Vec<OtherForm>,
    others: Vec<OtherForm>,
    sources: &Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> IdentityMappings {
    let mut identities = IdentityMappings::default();
    let has_whole = !refused.is_empty() || found.iter().any(|found| !found.is_partial);
    let mut kept: Vec<(AwsAuth, Vec<Diagnostic>)> = Vec::new();
    let mut others = others;
    for found in found {
        if found.is_partial && has_whole {
            let sentence = "these mappings are written into `aws-auth` when eksctl runs; the inputs do not show whether it did";
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
    identities
}
