//! Answers of three values: yes, no, unknown.

use std::fmt;

/// An answer: `Yes`, `No`, or `Unknown` where the inputs cannot tell.
///
/// The values combine by Kleene's strong logic: an unknown part matters only where the other parts leave
/// the answer open. They are ordered `No < Unknown < Yes`, so "and" is the minimum and "or" the maximum.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ternary {
    /// Not allowed, whatever the inputs leave out.
    No,
    /// The inputs do not tell.
    Unknown,
    /// Allowed, whatever the inputs leave out.
    Yes,
}

impl Ternary {
    /// Yes where both are yes, no where either is no.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Yes where either is yes, no where both are no.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// "And" over all of them; yes for none.
    #[must_use]
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        answers.into_iter().fold(Self::Yes, Self::and)
    }

    /// "Or" over all of them; no for none.
    #[must_use]
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        answers.into_iter().fold(Self::No, Self::or)
    }

    /// The answer when one of several cases holds and it is not known which: the common one, else unknown.
    ///
    /// Unknown for no case at all.
    #[must_use]
    pub fn whichever(cases: impl IntoIterator<Item = Self>) -> Self {
        let mut cases = cases.into_iter();
        let Some(first) = cases.next() else { return Self::Unknown };
        if cases.all(|case| case == first) { first } else { Self::Unknown }
    }

    /// Whether it is yes.
    pub fn is_yes(self) -> bool {
        self == Self::Yes
    }

    /// `yes`, `no` or `unknown`, as the command line prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

impl From<bool> for Ternary {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl fmt::Display for Ternary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Ternary::{self, No, Unknown, Yes};

    #[test]
    fn kleene_tables() {
        let rows = [
            // left, right, and, or
            (Yes, Yes, Yes, Yes),
            (Yes, No, No, Yes),
            (Yes, Unknown, Unknown, Yes),
            (No, No, No, No),
            (No, Unknown, No, Unknown),
            (Unknown, Unknown, Unknown, Unknown),
        ];
        for (left, right, and, or) in rows {
            assert_eq!((left.and(right), right.and(left)), (and, and), "{left} and {right}");
            assert_eq!((left.or(right), right.or(left)), (or, or), "{left} or {right}");
        }
    }

    #[test]
    fn nothing_asked_is_yes_and_no_way_is_no() {
        assert_eq!((Ternary::all([]), Ternary::any([])), (Yes, No));
    }

    #[test]
    fn cases_that_differ_are_unknown() {
        assert_eq!(Ternary::whichever([Yes, Yes]), Yes);
        assert_eq!(Ternary::whichever([No, No]), No);
        assert_eq!(Ternary::whichever([Yes, No]), Unknown);
        assert_eq!(Ternary::whichever([Unknown, Yes]), Unknown);
        assert_eq!(Ternary::whichever([]), Unknown);
    }

    #[test]
    fn printed_as_the_command_line_does() {
        assert_eq!(format!("{Yes} {No} {Unknown} {No:>4}"), "yes no unknown   no");
    }
}
