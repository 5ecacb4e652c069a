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
        let whole = whole.into_iter().zip(pattern.parts()).map(|(text, part)| match text {
            Some(text) => part.matches(text).into(),
            None => part.matches_beginning(""),
        });
        let last = pattern.parts().nth(ARN_PARTS - 1).map(|part| part.matches_beginning(&self.beginning));
        Ternary::all(whole.chain(last))
    }
}
