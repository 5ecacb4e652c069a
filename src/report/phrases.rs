//! The phrases that several reports share, so that text, JSON, the matrix and its page say the same thing alike.

/// Of members of `system:masters`.
pub(super) const BYPASSES_RBAC: &str = "group `system:masters` bypasses RBAC: every request is allowed";

/// The same, below a heading that names the group.
pub(super) const EVERY_REQUEST: &str = "bypasses RBAC: every request is allowed";

/// The heading above what the inputs leave open.
pub(super) const UNKNOWN: &str = "unknown";

/// Why a subject's answer is unknown where the question or the inputs leave something open.
pub(super) const QUESTION_LEAVES_OPEN: &str =
    "depends on a name, namespace or resource type that is not known";

/// What may allow more to an IAM identity than the inputs show.
pub(super) const NOT_IN_INPUTS: &str =
    "not in the inputs: EKS access entries and the cluster creator's admin access; either may allow more";

/// The same at the end of a line about the inputs.
pub(super) const NOT_IN_INPUTS_SHORT: &str = "; EKS access entries and the cluster creator may allow more";

/// Requests about Namespace objects in the scope of an access policy.
pub(super) const NAMESPACE_OBJECT: &str =
    "AWS does not document whether the policy also covers the Namespace objects of its namespaces";

/// Of a question who can, where the list of access entries is not whole.
pub(super) const ENTRIES_MAY_LACK: &str = "the inputs may not hold all access entries, and one that is missing may allow this; load what `rbacsim collect` gathers";

/// An access entry without all of its policies.
pub(super) const POLICIES_NOT_READ: &str = "the access policies of this access entry are not in the inputs";

/// There is neither an `aws-auth` nor another source of identity.
pub(super) const NO_MAPPINGS: &str = "no identity mapping in the inputs";

/// Text of `aws-auth` that could not be understood before its placeholders are filled in.
pub(super) const UNRENDERED: &str =
    "the identity mappings have unfilled placeholders or are encrypted, and may map anyone";

/// Of an ARN of which the inputs do not tell who it is.
pub(super) const UNKNOWN_USER: &str = "the user of this ARN is unknown";

/// Of a mapping with `{{EC2PrivateDNSName}}`.
pub(super) const ONLY_INSTANCES: &str =
    "the session name is an EC2 instance ID (`i-` and 8 or 17 letters or digits)";

/// A document that may hold RBAC objects.
pub(super) const UNREAD: &str = "a document could not be read, or still has placeholders";

/// Partial inputs without anything that could grant something.
pub(super) const NOTHING_READ: &str =
    "no Role or binding was read; add the files that hold them with -f, or use --complete if there are none";

/// Entries of `mapUsers` that differ only in case.
pub(super) const RANDOM_MAPPING: &str =
    "entries of `mapUsers` differ only in case, and each login uses a random one";

/// Why the ARN of a mapping may mean more than it says.
pub(super) fn unfilled_entry(arn: &str) -> String {
    format!("the entry `{arn}` has an unfilled placeholder")
}

/// Why a username or group may become another.
pub(super) fn unfilled_name(text: &str) -> String {
    format!("`{text}` has an unfilled placeholder")
}

/// How the inputs are treated.
pub(super) fn treated_as(complete: bool) -> &'static str {
    if complete { "inputs treated as complete" } else { "inputs treated as partial" }
}

/// Titles of the parts of the completeness statement, in text and on the page.
pub(super) mod titles {
    pub(in crate::report) const UNREAD: &str = "documents that could not be read and may allow more";
    pub(in crate::report) const MISSING_ROLES: &str = "bindings whose role is missing";
    pub(in crate::report) const BROKEN_MAPPINGS: &str = "identity mappings with errors";
    pub(in crate::report) const BOUND_NOWHERE: &str = "mapped identities that no binding names";
    pub(in crate::report) const UNMAPPED_GROUPS: &str = "bound groups that no mapping gives";
    pub(in crate::report) const MATCHES_NOTHING: &str = "named in rules but matching nothing";
    pub(in crate::report) const LEFT_OUT: &str = "left out as part of Kubernetes or EKS";
    pub(in crate::report) const NOT_MODELLED: &str = "not modelled";
}

/// Of a matrix of some namespaces.
pub(super) const ONLY_IN_NAMESPACES: &str = "left out because namespaces were chosen: cluster-scoped resources and URLs; name them with --resources to see them";

/// A number before a noun: ``1 file``, ``2 files``.
pub(super) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// [`counted`], for a noun whose plural is not the singular with an `s`.
pub(super) fn counted_as(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// An object is not applied as it stands; what makes something else of it follows.
pub(super) const SOURCE_FORM: &str = "an object that may allow this is in source form";
