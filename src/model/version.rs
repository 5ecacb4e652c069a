//! The Kubernetes versions whose rules rbacsim knows.

use std::fmt;
use std::str::FromStr;

/// A Kubernetes minor version, 1.29 to 1.37.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    minor: u8,
}

impl KubernetesVersion {
    /// The oldest version known.
    pub const OLDEST: Self = Self { minor: 29 };
    /// The newest version known.
    pub const NEWEST: Self = Self { minor: 37 };
    /// The newest version that EKS offers, and the default.
    pub const NEWEST_OF_EKS: Self = Self { minor: 36 };

    /// Every version known, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (Self::OLDEST.minor..=Self::NEWEST.minor).map(|minor| Self { minor })
    }

    /// The version 1.`minor`, if it is known.
    pub fn from_minor(minor: u8) -> Option<Self> {
        (Self::OLDEST.minor..=Self::NEWEST.minor).contains(&minor).then_some(Self { minor })
    }

    /// The minor number: 36 for 1.36.
    pub const fn minor(self) -> u8 {
        self.minor
    }
}

impl Default for KubernetesVersion {
    fn default() -> Self {
        Self::NEWEST_OF_EKS
    }
}

/// Whose cluster it is: what is built in differs.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    /// Kubernetes as it comes.
    #[default]
    Kubernetes,
    /// Amazon EKS.
    Eks,
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

/// A text that names no version that rbacsim knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVersion(String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        let (oldest, newest) = (KubernetesVersion::OLDEST, KubernetesVersion::NEWEST);
        write!(f, "`{text}` is not a Kubernetes version known here; give one from {oldest} to {newest}")
    }
}

impl std::error::Error for UnknownVersion {}

impl FromStr for KubernetesVersion {
    type Err = UnknownVersion;

    /// Reads `1.36`, also as `v1.36` or with a patch part, as `kubectl version` and EKS print it.
    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        minor_of(text).and_then(Self::from_minor).ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

/// The minor number of a version of Kubernetes 1, known or not: 36 for `1.36` and `v1.36.2-eks-0123abc`.
pub fn minor_of(text: &str) -> Option<u8> {
    let mut parts = text.strip_prefix('v').unwrap_or(text).split(['.', '-', '+']);
    let major = parts.next();
    let minor = parts.next().and_then(|minor| minor.parse().ok());
    minor.filter(|_| major == Some("1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_kubectl_and_eks_print_them() {
        for (text, minor) in [
            ("1.29", Some(29)),
            ("v1.36.2", Some(36)),
            ("1.31.5-eks-7f9249a", Some(31)),
            ("1.37", Some(37)),
            ("1.28", None),
            ("1.38", None),
            ("2.30", None),
            ("1", None),
            ("latest", None),
        ] {
            assert_eq!(text.parse().ok().map(KubernetesVersion::minor), minor, "{text}");
        }
        assert_eq!(minor_of("v1.28.15-eks-1"), Some(28));
        assert_eq!(KubernetesVersion::all().count(), 9);
    }
}
