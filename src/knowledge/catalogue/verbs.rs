//! Sets of the verbs that the catalogue knows.

/// The verbs in the order in which they are shown; the first eight are those of a stored resource.
const NAMES: [&str; 23] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
    "attest",
    "impersonate:user-info",
    "impersonate:serviceaccount",
    "impersonate:associated-node",
    "impersonate:arbitrary-node",
    "associated-node:update",
    "associated-node:patch",
    "arbitrary-node:update",
    "arbitrary-node:patch",
];

/// A set of verbs, iterated in the order `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`,
/// `deletecollection`, then the verbs that are authorised without being requests of their own.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Verbs(u32);

impl Verbs {
    /// No verb.
    pub const NONE: Self = Self(0);
    /// The eight verbs of a stored resource.
    pub const STORED: Self = Self(0xff);
    /// `get`, `update` and `patch`: the verbs of `status` and `scale`.
    pub const PART: Self = Self(0b0011_0001);

    /// The set of one verb; `None` for a verb that the catalogue does not know.
    pub fn of(verb: &str) -> Option<Self> {
        NAMES.iter().position(|name| *name == verb).map(|bit| Self(1 << bit))
    }

    /// The verbs in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The verbs in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The verbs of this set that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the verb is in the set; always `false` for `*`, which is no verb.
    pub fn contains(self, verb: &str) -> bool {
        Self::of(verb).is_some_and(|one| self.0 & one.0 != 0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The verbs, in the order of the type's description.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name)
    }
}

/// Whether `kubectl auth can-i` takes the verb of a resource without a warning (`isKnownResourceVerb`).
pub fn is_known_resource_verb(verb: &str) -> bool {
    verb == "*" || (Verbs::of(verb).is_some() && !verb.contains(':'))
}

/// The verbs of resources that `kubectl auth can-i` takes without a warning.
pub fn known_resource_verbs() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(|verb| is_known_resource_verb(verb))
}

/// Whether `kubectl auth can-i` takes the verb of a non-resource URL without a warning
/// (`isKnownNonResourceVerb`).
pub fn is_known_url_verb(verb: &str) -> bool {
    matches!(verb, "get" | "put" | "post" | "head" | "options" | "delete" | "patch" | "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_iterate_in_the_stated_order() {
        let set = ["bind", "patch", "get", "impersonate:user-info"]
            .iter()
            .fold(Verbs::NONE, |set, verb| set.union(Verbs::of(verb).unwrap()));
        assert_eq!(set.iter().collect::<Vec<_>>(), ["get", "patch", "bind", "impersonate:user-info"]);
        assert_eq!(set.len(), 4);
        assert!(set.contains("bind") && !set.contains("list") && !set.contains("*"));
        assert_eq!(set.intersection(Verbs::STORED).iter().collect::<Vec<_>>(), ["get", "patch"]);
        assert_eq!(set.without(Verbs::STORED).iter().collect::<Vec<_>>(), ["bind", "impersonate:user-info"]);
    }

    #[test]
    fn parts_are_read_and_changed() {
        assert_eq!(Verbs::PART.iter().collect::<Vec<_>>(), ["get", "update", "patch"]);
        assert_eq!(Verbs::STORED.iter().collect::<Vec<_>>(), NAMES[..8]);
    }

    #[test]
    fn known_verbs_are_kubectls() {
        for verb in ["get", "deletecollection", "use", "bind", "escalate", "impersonate", "attest", "*"] {
            assert!(is_known_resource_verb(verb), "{verb}");
        }
        for verb in ["frobnicate", "GET", "post", "impersonate:user-info", ""] {
            assert!(!is_known_resource_verb(verb), "{verb}");
        }
        for verb in ["get", "post", "head", "*"] {
            assert!(is_known_url_verb(verb), "{verb}");
        }
        for verb in ["frob", "list", "create"] {
            assert!(!is_known_url_verb(verb), "{verb}");
        }
    }
}
