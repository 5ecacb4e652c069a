//! What was wrong or odd in the inputs: a stable code, a place and a sentence that helps.

use crate::model::source::Source;

/// How much a diagnostic matters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something was not loaded, or grants nothing although it looks as if it did.
    Error,
    /// Loaded, but probably not what was meant.
    Warning,
    /// Something to know.
    Note,
}

impl Severity {
    /// The word that opens the line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $severity:ident;)*) => {
        /// The stable code of a diagnostic.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as printed: kebab-case, never changed once released.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it says, in a sentence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim_ascii(),)* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    // Reading files.
    /// A path given by `-f` cannot be read.
    UnreadableFile = "unreadable-file", Error;
    /// The text is neither UTF-8 nor UTF-16 with a byte order mark.
    InvalidEncoding = "invalid-encoding", Error;
    /// A YAML document does not parse.
    InvalidYaml = "invalid-yaml", Error;
    /// A JSON text does not parse.
    InvalidJson = "invalid-json", Error;
    /// Nesting is deeper than any Kubernetes object.
    NestingTooDeep = "nesting-too-deep", Error;
    /// Aliases expand beyond any Kubernetes object.
    AliasesTooLarge = "aliases-too-large", Error;
    /// A directory holds no file with a name that is looked for.
    EmptyDirectory = "empty-directory", Warning;
    /// What follows the end of a document without a `---` line is not read.
    TextNotRead = "text-not-read", Error;
    /// Something other than a comment follows the dashes of a `---` line.
    OddSeparator = "odd-separator", Warning;
    /// Several objects stand in one document, with no `---` line between them; the last one counts.
    ObjectsRunTogether = "objects-run-together", Error;
    /// A key stands twice in one mapping; the last one counts.
    DuplicateKey = "duplicate-key", Warning;

    // Objects.
    /// A document looks like a Kubernetes object but has no apiVersion.
    NotAnObject = "not-an-object", Error;
    /// Documents that are no Kubernetes objects were skipped.
    OtherDocuments = "other-documents", Note;
    /// What kustomize would make of other objects is not made of them here.
    KustomizationNotApplied = "kustomization-not-applied", Warning;
    /// A Helm chart, whose templates are not rendered.
    ChartNotRendered = "chart-not-rendered", Warning;
    /// The API server would refuse the object.
    InvalidObject = "invalid-object", Error;
    /// The apiVersion has not been served for years.
    VersionNotServed = "version-not-served", Error;
    /// A field that the API does not know is dropped.
    UnknownField = "unknown-field", Warning;
    /// An object stands twice and differs; the later one counts.
    ObjectReplaced = "object-replaced", Warning;
    /// A binding stands twice with different roleRefs; the API server refuses the second.
    RoleRefDiffers = "role-ref-differs", Warning;
    /// Objects without a namespace were taken to be in `default`.
    NamespaceDefaulted = "namespace-defaulted", Note;
    /// An export of a cluster without any object of a kind of which every cluster has some.
    ExportLacksKind = "export-lacks-kind", Warning;
    /// A ConfigMap `aws-auth` in a namespace that is not read.
    AwsAuthElsewhere = "aws-auth-elsewhere", Error;
    /// A ConfigMap `aws-auth` without namespace, taken for the one in `kube-system`.
    AwsAuthNamespaceAssumed = "aws-auth-namespace-assumed", Warning;
    /// Several `aws-auth` that differ: it is unknown which one is in force.
    AwsAuthDiffers = "aws-auth-differs", Warning;
    /// Identity mappings in another form than `aws-auth`, which may count or not.
    IdentityMappingElsewhere = "identity-mapping-elsewhere", Warning;
    /// Text that SOPS encrypted: what it says is not known.
    EncryptedText = "encrypted-text", Error;
    /// A placeholder that `--set` was to fill stands in no input.
    SettingNotUsed = "setting-not-used", Warning;
    /// A CustomResourceDefinition that defines nothing new.
    CrdWithoutEffect = "crd-without-effect", Warning;
    /// An object has a placeholder in a name that some tool was to fill in.
    UnfilledPlaceholder = "unfilled-placeholder", Warning;
    /// Inputs name different Kubernetes versions.
    VersionsDiffer = "versions-differ", Warning;
    /// The inputs name a Kubernetes version whose defaults are not known.
    VersionNotKnown = "version-not-known", Warning;
    /// What `--api-resources` names, or a part of it, says nothing of API resources.
    ApiResourcesNotRead = "api-resources-not-read", Error;
    /// An aggregated ClusterRole has rules of its own, which the controller replaces.
    AggregatedRulesReplaced = "aggregated-rules-replaced", Warning;

    // The aws-auth ConfigMap.
    /// A section of `aws-auth` does not parse; all of its entries are lost.
    AwsAuthSyntax = "aws-auth-syntax", Error;
    /// A section of `aws-auth` is not a list; nothing of it is loaded.
    AwsAuthNotAList = "aws-auth-not-a-list", Error;
    /// A section of `aws-auth` has more than one YAML document; only the first is read.
    AwsAuthUnreadText = "aws-auth-unread-text", Error;
    /// A field or item of `aws-auth` has the wrong type and counts as empty.
    AwsAuthWrongType = "aws-auth-wrong-type", Error;
    /// An entry of `aws-auth` is dropped: it names no identity.
    AwsAuthDroppedEntry = "aws-auth-dropped-entry", Error;
    /// A field of an entry of `aws-auth` that is not read.
    AwsAuthUnknownField = "aws-auth-unknown-field", Warning;
    /// A key of `aws-auth` that is not read, and nearly is one that is.
    AwsAuthMisspeltKey = "aws-auth-misspelt-key", Error;
    /// A key of `aws-auth` that is not read.
    AwsAuthIgnoredKey = "aws-auth-ignored-key", Note;
    /// `aws-auth` has no entry that counts.
    AwsAuthMapsNobody = "aws-auth-maps-nobody", Warning;
    /// An ARN stands twice in `mapRoles`; the last entry counts, alone.
    DuplicateRoleMapping = "duplicate-role-mapping", Error;
    /// An ARN stands twice in `mapUsers`; the last entry counts, alone.
    DuplicateUserMapping = "duplicate-user-mapping", Error;
    /// Entries of `mapUsers` differ only in case; each login picks one at random.
    RandomUserMapping = "random-user-mapping", Error;
    /// An ARN stands in `mapRoles` and in `mapUsers`; the one in `mapRoles` counts.
    ArnInBothSections = "arn-in-both-sections", Warning;
    /// A mapping has an ARN that no caller has.
    InvalidMappingArn = "invalid-mapping-arn", Error;
    /// A mapping has a role ARN with a path, which no caller has.
    RoleArnHasPath = "role-arn-has-path", Error;
    /// A mapping has the ARN of a session instead of its role, which never matches.
    AssumedRoleMapped = "assumed-role-mapped", Error;
    /// A mapping has an ARN with a wildcard, which is compared as text.
    WildcardInArn = "wildcard-in-arn", Error;
    /// An `sso` entry, which never matches unless a feature gate is on.
    SsoMapping = "sso-mapping", Error;
    /// The ARN of an SSO role whose end is not the sixteen hex digits that AWS gives it.
    SsoRoleSuffix = "sso-role-suffix", Warning;
    /// A role in `mapUsers`, or a user in `mapRoles`: it works.
    WrongSection = "wrong-section", Note;
    /// A mapping without a username; the empty one is sent.
    EmptyUsername = "empty-username", Error;
    /// A group that is empty or holds spaces.
    OddGroup = "odd-group", Warning;
    /// A node role whose username does not come from the private DNS name of the instance.
    NodeUsername = "node-username", Warning;
    /// A placeholder that nothing fills in.
    UnknownPlaceholder = "unknown-placeholder", Warning;
    /// `{{EC2PrivateDNSName}}` for an identity that has no session: every login is refused.
    TemplateRefusesLogin = "template-refuses-login", Error;
    /// The session name of an identity that has no session: it is empty.
    NoSessionName = "no-session-name", Warning;
    /// An account of `mapAccounts` is not twelve digits.
    InvalidAccount = "invalid-account", Error;
    /// A part of an IAM export that cannot be read.
    IamPolicy = "iam-policy", Error;
    /// A user, group, role or policy stands in the IAM exports twice and differs; the later one counts.
    IamEntityReplaced = "iam-entity-replaced", Error;
    /// An IAM export ends in the middle.
    IamExportTruncated = "iam-export-truncated", Warning;
    /// `mapAccounts` lets in everybody of an account.
    AccountMapping = "account-mapping", Note;

    // What `lint` finds in the policy.
    /// A binding grants a role that is not in the inputs.
    DanglingRoleRef = "dangling-role-ref", Warning;
    /// A binding names a service account that is not in the inputs.
    UnknownServiceAccount = "unknown-service-account", Warning;
    /// A subject has the wrong kind for its name, so it names nobody.
    WrongSubjectKind = "wrong-subject-kind", Error;
    /// No binding names a group that a mapping gives.
    GroupNeverBound = "group-never-bound", Note;
    /// A binding names a group or user that no mapping gives.
    SubjectNotMapped = "subject-not-mapped", Note;
    /// A binding names a user with an `@`, which a session name does not keep.
    AtSignInUser = "at-sign-in-user", Warning;
    /// A mapping gives the group `system:masters`.
    MappedToMasters = "mapped-to-masters", Warning;
    /// A mapping for nodes lacks one of the two groups that nodes need.
    NodeGroups = "node-groups", Error;
    /// `aws-auth` maps no role for nodes.
    NoNodeMapping = "no-node-mapping", Note;
    /// A mapping for Windows nodes lacks the group that they need.
    WindowsNodeGroup = "windows-node-group", Warning;
    /// A rule has a verb that Kubernetes does not have.
    UnknownVerb = "unknown-verb", Warning;
    /// The API serves none of the verbs of a rule on its resource.
    VerbNotServed = "verb-not-served", Warning;
    /// A rule names a resource in an API group that does not have it.
    WrongApiGroup = "wrong-api-group", Warning;
    /// A rule names a resource that Kubernetes does not have.
    UnknownResource = "unknown-resource", Warning;
    /// A rule names a subresource that its resource does not have.
    UnknownSubresource = "unknown-subresource", Warning;
    /// A `*` in a rule is not a wildcard where it stands.
    LiteralStar = "literal-star", Warning;
    /// A rule with `resourceNames` has `create` or `deletecollection`, which carry no name.
    NamesWithCreate = "names-with-create", Warning;
    /// A rule with `resourceNames` has `list` or `watch`.
    NamesWithList = "names-with-list", Note;
    /// A Role names a cluster-scoped resource.
    ClusterScopedInRole = "cluster-scoped-in-role", Warning;
    /// A RoleBinding grants a ClusterRole of which nothing counts in a namespace.
    NothingByRoleBinding = "nothing-by-role-binding", Warning;
    /// An aggregationRule selects no ClusterRole.
    AggregatesNothing = "aggregates-nothing", Note;
    /// A label looks like one for aggregation, and no ClusterRole selects it.
    AggregationLabelUnused = "aggregation-label-unused", Warning;
    /// No binding grants a role.
    RoleNeverBound = "role-never-bound", Note;
    /// A binding has no subjects.
    NoSubjects = "no-subjects", Note;

    // What `lint` finds to be dangerous.
    /// A binding names everyone who sends no credentials.
    AnonymousAccess = "anonymous-access", Error;
    /// A binding names everyone who can log in.
    EveryoneHasAccess = "everyone-has-access", Warning;
    /// A binding names all service accounts.
    AllServiceAccounts = "all-service-accounts", Warning;
    /// A binding grants everything.
    EverythingGranted = "everything-granted", Warning;
    /// A binding grants every verb on Secrets.
    EveryVerbOnSecrets = "every-verb-on-secrets", Warning;
    /// A binding grants `bind` on roles.
    MayBind = "may-bind", Warning;
    /// A binding grants `escalate` on roles.
    MayEscalate = "may-escalate", Warning;
    /// A binding grants `impersonate`.
    MayImpersonate = "may-impersonate", Warning;

    // Suppressions.
    /// A suppression suppresses nothing.
    UnusedSuppression = "unused-suppression", Warning;

    // Access entries of EKS.
    /// EKS would refuse the access entry or the association.
    AccessEntryRefused = "access-entry-refused", Error;
    /// One source declares two access entries for a principal; EKS refuses the second.
    DuplicateAccessEntry = "duplicate-access-entry", Error;
    /// What is declared of an access entry is not what EKS reports.
    AccessEntryDrift = "access-entry-drift", Warning;
    /// Two inputs say different things of an access entry, and neither is known to be later.
    AccessEntryConflict = "access-entry-conflict", Warning;
    /// A field of an access entry has a value of which nobody knows what EKS makes.
    AccessEntryOddValue = "access-entry-odd-value", Warning;
    /// The ARN of the principal of an access entry or association is not in the inputs.
    UnknownPrincipal = "unknown-principal", Warning;
    /// The role or user was made after its access entry, which is dead.
    PrincipalRecreated = "principal-recreated", Warning;
    /// The ARN of an SSO role without its path.
    SsoRoleWithoutPath = "sso-role-without-path", Warning;
    /// An access entry for a node role has the type STANDARD.
    StandardNodeRole = "standard-node-role", Error;
    /// An access entry decides for a principal that `aws-auth` maps as well.
    EntryShadowsAwsAuth = "entry-shadows-aws-auth", Warning;
    /// Something odd in the scope or number of associations.
    OddAssociation = "odd-association", Warning;
    /// A namespace pattern of an association matches no namespace of the inputs.
    NamespacePatternUnused = "namespace-pattern-unused", Warning;
    /// A principal may write role bindings by an access policy, which the escalation check does not see.
    EscalationCheckSeesRbacOnly = "escalation-check-sees-rbac-only", Note;
    /// The authentication mode makes the access entries count for nothing.
    AccessEntriesIgnored = "access-entries-ignored", Warning;
    /// The authentication mode makes `aws-auth` count for nothing.
    AwsAuthIgnored = "aws-auth-ignored", Warning;
    /// Inputs differ in the authentication mode.
    AuthenticationModeConflict = "authentication-mode-conflict", Warning;
    /// The inputs speak of several clusters, and none was chosen.
    SeveralClusters = "several-clusters", Error;
    /// What does not say to which of several clusters it belongs.
    ClusterNotTold = "cluster-not-told", Warning;
    /// What cannot be read of a form of input that holds access entries.
    AccessInputNotRead = "access-input-not-read", Warning;
    /// Identity mappings of a self-managed authenticator, which EKS does not read.
    IdentityMappingIgnored = "identity-mapping-ignored", Warning;

    // What `diff` finds.
    /// A change opens a certain path to a sink, such as cluster-admin.
    PathOpened = "path-opened", Warning;
    /// A change gives somebody more access.
    AccessGained = "access-gained", Note;
    /// A change takes access from somebody.
    AccessLost = "access-lost", Note;
}

/// One thing that was wrong or odd in the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// Where it stands; `None` when it concerns the inputs as a whole.
    pub source: Option<Source>,
    /// A sentence in lower case without a full stop; what the user wrote stands in backticks.
    pub message: String,
    /// The subjects of the binding that it is about: whoever is asked about wants to know first.
    pub names: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic at a place.
    pub fn at(code: Code, source: Source, message: impl Into<String>) -> Self {
        Self { code, source: Some(source), message: message.into(), names: Vec::new() }
    }

    /// A diagnostic about the inputs as a whole.
    pub fn general(code: Code, message: impl Into<String>) -> Self {
        Self { code, source: None, message: message.into(), names: Vec::new() }
    }

    /// The same, about a binding with these subjects.
    #[must_use]
    pub(crate) fn naming(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}
