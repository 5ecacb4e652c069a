//! Identity mappings that stand in another form than the ConfigMap `kube-system/aws-auth`: whom they may map, and why
//! the inputs do not tell whether they count.

use super::arn::{canonicalize, fold};
use super::caller::{IamIdentity, IdentityDoubt, MappedIdentity, MappingKind, Reach};
use super::placeholder::could_become;
use crate::model::source::{Shift, Source};

/// Mappings that may count or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherForm {
    /// What it is and why that may count: a sentence in lower case without a full stop.
    pub text: String,
    /// Where it stands.
    pub source: Source,
    /// The ARNs that it maps, as written, each with its place.
    pub arns: Vec<(String, Source)>,
    /// The accounts of which it maps everybody.
    pub accounts: Vec<String>,
    /// Whether it may map anybody, for it cannot be read, or not yet.
    pub maps_anybody: bool,
    /// Whether only a self-hosted aws-iam-authenticator reads it, and the one of EKS does not.
    pub is_self_hosted: bool,
}

impl OtherForm {
    /// Something that may hold mappings, with every ARN that its text holds.
    pub fn of_text(sentence: impl Into<String>, source: Source, text: &str) -> Self {
        Self {
            text: sentence.into(),
            source,
            arns: arns_in(text).into_iter().map(|arn| (arn, source)).collect(),
            accounts: if text.contains("mapAccounts") { accounts_in(text) } else { Vec::new() },
            maps_anybody: false,
            is_self_hosted: false,
        }
    }

    /// The same, where only a self-hosted aws-iam-authenticator reads it.
    #[must_use]
    pub fn for_self_hosted(self) -> Self {
        Self { is_self_hosted: true, ..self }
    }

    /// Moves it to where it really stands.
    pub(crate) fn shift(&mut self, shift: &Shift) {
        self.source = shift.source(self.source);
        for (_, source) in &mut self.arns {
            *source = shift.source(*source);
        }
    }

    /// Why a caller may be mapped by it, if so.
    pub(super) fn doubt(&self, identity: &IamIdentity) -> Option<IdentityDoubt> {
        let ours = fold(identity.canonical_arn());
        let is_ours = |arn: &str| {
            let written = fold(arn);
            written == ours
                || canonicalize(&written).is_ok_and(|canonical| canonical.text == ours)
                || could_become(&written, &ours)
        };
        let arn = self.arns.iter().find(|(arn, _)| is_ours(arn));
        let account = self.accounts.iter().any(|account| account == identity.account());
        if arn.is_none() && !account && !self.maps_anybody {
            return None;
        }
        Some(IdentityDoubt {
            text: self.text.clone(),
            source: Some(arn.map_or(self.source, |(_, source)| *source)),
        })
    }

    /// The doubt for everybody.
    pub(super) fn general_doubt(&self) -> IdentityDoubt {
        IdentityDoubt { text: self.text.clone(), source: Some(self.source) }
    }

    /// Everybody whom it names, of whom nobody knows whether they can log in.
    pub(super) fn identities(&self) -> impl Iterator<Item = MappedIdentity<'_>> {
        self.arns.iter().filter_map(|(arn, source)| {
            let identity = IamIdentity::from_arn(arn, None).ok()?;
            let is_user = arn.contains(":user/");
            let kind = if is_user { MappingKind::MapUsers } else { MappingKind::MapRoles };
            Some(MappedIdentity { arn, kind, source: *source, reach: Reach::Callers(identity) })
        })
    }
}

/// The ARNs that a text holds, in order.
fn arns_in(text: &str) -> Vec<String> {
    let ends = |sign: char| sign.is_whitespace() || matches!(sign, '"' | '\'' | '`' | ',' | '\\');
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<String> = Vec::new();
    for (at, _) in lower.match_indices("arn:") {
        let is_inside = text.get(..at).and_then(|before| before.chars().last());
        if is_inside.is_some_and(|sign| sign.is_alphanumeric() || sign == '-') {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let arn = rest.split(ends).next().unwrap_or_default().trim_end_matches([']', '}', ')']);
        if !found.iter().any(|other| other == arn) {
            found.push(arn.to_owned());
        }
    }
    found
}

/// The numbers of twelve digits in a text that stand in no ARN.
fn accounts_in(text: &str) -> Vec<String> {
    text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != ':')
        .filter(|word| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_in_a_text_end_where_no_arn_goes_on() {
        let text = "- rolearn: arn:aws:iam::111122223333:role/dev\n  x: \"arn:aws:iam::111122223333:user/kim\", \
                    [arn:aws:iam::111122223333:root] learn: warn:nothing";
        let expected = [
            "arn:aws:iam::111122223333:role/dev",
            "arn:aws:iam::111122223333:user/kim",
            "arn:aws:iam::111122223333:root",
        ];
        assert_eq!(arns_in(text), expected);
    }

    #[test]
    fn accounts_in_a_text_stand_alone() {
        let text =
            "mapAccounts: |\n- \"111122223333\"\n- 444455556666\nx: arn:aws:iam::777788889999:root, 1234";
        assert_eq!(accounts_in(text), ["111122223333", "444455556666"]);
    }
}
