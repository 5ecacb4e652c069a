//! The Kubernetes versions whose rules rbacsim knows.

use std::fmt;
use std::str::FromStr;

/// A Kubernetes minor version, 1.33 to 1.37.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    minor: u8,
}

impl KubernetesVersion {
    /// The oldest version known.
    pub const OLDEST: Self = Self { minor: 33 };
    /// The newest version known, and the default.
    pub const NEWEST: Self = Self { minor: 37 };

    /// The version 1.`minor`, if it is known.
    pub fn from_minor(minor: u8) -> Option<Self> {
        (Self::OLDEST.minor..=Self::NEWEST.minor).contains(&minor).then_some(Self { minor })
    }

    /// The minor number: 36 for 1.36.
    pub fn minor(self) -> u8 {
        self.minor
    }
}

impl Default for KubernetesVersion {
    fn default() -> Self {
        Self::NEWEST
    }
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
        let mut parts = text.strip_prefix('v').unwrap_or(text).split(['.', '-', '+']);
        let major = parts.next();
        let minor = parts.next().and_then(|minor| minor.parse().ok());
        match (major, minor.and_then(Self::from_minor)) {
            (Some("1"), Some(version)) => Ok(version),
            _ => Err(UnknownVersion(text.to_owned())),
        }
    }
}
