//! Resources of which only a part of the ARN is known: a cluster whose region and name nobody said.

use crate::model::ternary::Ternary;

use super::pattern::{ARN_PARTS, ArnGlob};

/// Resources of which only a part of the ARN is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SomeArn {
    /// The partition, such as `aws`.
    pub partition: Box<str>,
    /// The service, such as `eks`.
    pub service: Box<str>,
    /// The region, where it is known.
    pub region: Option<Box<str>>,
    /// The account.
    pub account: Box<str>,
    /// With what the part behind the account begins, such as `cluster/`.
    pub beginning: Box<str>,
    /// Whether more follows of which nothing is known.
    pub is_open: bool,
}

impl SomeArn {
    /// Whether a pattern matches all of them, none, or some.
    pub(super) fn matched_by(&self, pattern: &ArnGlob) -> Ternary {
        let whole: [Option<&str>; ARN_PARTS - 1] = [
            Some("arn"),
            Some(&self.partition),
            Some(&self.service),
            self.region.as_deref(),
            Some(&self.account),
        ];
        let parts = pattern.parts();
        let whole = whole.into_iter().zip(&*parts).map(|(text, part)| match text {
            Some(text) => part.matches(text).into(),
            None => part.matches_beginning(""),
        });
        let last = parts.get(ARN_PARTS - 1).map(|part| {
            if self.is_open {
                part.matches_beginning(&self.beginning)
            } else {
                part.matches(&self.beginning).into()
            }
        });
        Ternary::all(whole.chain(last))
    }
}
