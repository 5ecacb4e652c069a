//! What is known of the value of a condition key.

use std::borrow::Cow;

/// What is known of the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known<'v> {
    /// The request does not carry it.
    Absent,
    /// It has this value.
    One(Cow<'v, str>),
    /// It has these values.
    Several(&'v [String]),
    /// Nobody knows.
    Unknown {
        /// With what the value begins.
        beginning: Cow<'v, str>,
        /// Whether the request may not carry it at all.
        optional: bool,
        /// Whether the name of the caller's own session would tell.
        of_session: bool,
    },
}

impl Known<'_> {
    /// There may be any value, or none.
    pub(super) const ANY: Self =
        Self::Unknown { beginning: Cow::Borrowed(""), optional: true, of_session: false };
    /// There is some value.
    pub(super) const SOME: Self =
        Self::Unknown { beginning: Cow::Borrowed(""), optional: false, of_session: false };
}
