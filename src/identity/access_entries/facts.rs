//! What the inputs say of who may enter a cluster, before it is joined: one fact for each thing that a file says.

use super::told::{Setting, Told};
use crate::model::access::AccessScope;
use crate::model::source::{Shift, Source};

/// Where a cluster looks for who a caller is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthenticationMode {
    /// Only in `aws-auth`.
    ConfigMap,
    /// In the access entries, and for whom there is none in `aws-auth`.
    ApiAndConfigMap,
    /// Only in the access entries.
    Api,
}

impl AuthenticationMode {
    /// The mode as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "CONFIG_MAP",
            Self::ApiAndConfigMap => "API_AND_CONFIG_MAP",
            Self::Api => "API",
        }
    }

    /// The mode of this name, in any case: `API_AND_CONFIG_MAP`, `api_and_config_map`, `api-and-config-map`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.to_ascii_uppercase().replace('-', "_");
        [Self::ConfigMap, Self::ApiAndConfigMap, Self::Api].into_iter().find(|mode| mode.as_str() == plain)
    }
}

/// Which form of input a fact comes from.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Answers of the AWS CLI.
    AwsCli,
    /// `eksctl get accessentry`.
    EksctlGet,
    /// An eksctl `ClusterConfig`.
    EksctlConfig,
    /// A Terraform state.
    TerraformState,
    /// A Terraform plan.
    TerraformPlan,
    /// A `CloudFormation` template.
    CloudFormation,
    /// Objects of ACK.
    Ack,
    /// Objects of Crossplane.
    Crossplane,
    /// Objects of Cluster API.
    ClusterApi,
    /// An export of a Pulumi stack.
    Pulumi,
}

impl Form {
    /// How people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwsCli => "the AWS CLI",
            Self::EksctlGet => "eksctl get",
            Self::EksctlConfig => "an eksctl ClusterConfig",
            Self::TerraformState => "a Terraform state",
            Self::TerraformPlan => "a Terraform plan",
            Self::CloudFormation => "a CloudFormation template",
            Self::Ack => "ACK",
            Self::Crossplane => "Crossplane",
            Self::ClusterApi => "Cluster API",
            Self::Pulumi => "a Pulumi stack",
        }
    }

    /// Whether the form keeps associations apart from entries, in resources of their own.
    pub(super) fn has_separate_associations(self) -> bool {
        matches!(self, Self::TerraformState | Self::TerraformPlan | Self::Crossplane | Self::Pulumi)
    }
}

/// Whether EKS itself reported something, or somebody only wrote it down.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Somebody wrote it down for EKS to make it so.
    Declared,
    /// EKS reported it.
    Observed,
}

/// What a file says of a cluster.
#[derive(Clone, Debug)]
pub struct ClusterFact {
    /// Its name, if the file tells it.
    pub name: Option<String>,
    /// What entries of the same form refer to it by: the name of an object, the logical ID of a template.
    pub object: Option<String>,
    /// Its account and partition, if its ARN is told.
    pub account: Option<(String, String)>,
    /// Its authentication mode; `Default` where the file says nothing of it.
    pub mode: Setting<AuthenticationMode>,
    /// Observed or declared.
    pub standing: Standing,
    /// Where the mode stands.
    pub source: Source,
}

/// What a file says of the access entry of a principal.
#[derive(Clone, Debug)]
pub struct EntryFact {
    /// The name of the cluster, if the file tells it.
    pub cluster: Option<String>,
    /// What refers to the cluster in place of its name.
    pub cluster_object: Option<String>,
    /// The ARN of the principal.
    pub principal: Told,
    /// The type: `STANDARD`, `EC2_LINUX` and so on.
    pub kind: Setting<String>,
    /// The username.
    pub username: Setting<String>,
    /// The groups.
    pub groups: Setting<Vec<String>>,
    /// All associations, where the file holds them with the entry.
    pub policies: Option<Vec<AssociationFact>>,
    /// When it was made, in microseconds since 1970.
    pub created_at: Option<i64>,
    /// When it was last changed.
    pub modified_at: Option<i64>,
    /// Observed or declared.
    pub standing: Standing,
    /// The form of the input.
    pub form: Form,
    /// Whether the file tells only that it exists, and nothing of type, username and groups.
    pub is_listed_only: bool,
    /// Whether it exists only under a condition that the file leaves open.
    pub is_conditional: bool,
    /// Where it stands.
    pub source: Source,
}

impl EntryFact {
    /// That a principal has an entry, and nothing else of it.
    pub fn listed(principal: Told, standing: Standing, form: Form, source: Source) -> Self {
        Self {
            cluster: None,
            cluster_object: None,
            principal,
            kind: Setting::Unknown,
            username: Setting::Unknown,
            groups: Setting::Unknown,
            policies: None,
            created_at: None,
            modified_at: None,
            standing,
            form,
            is_listed_only: true,
            is_conditional: false,
            source,
        }
    }
}

/// What a file says of an access policy that is associated with a principal.
#[derive(Clone, Debug)]
pub struct AssociationFact {
    /// The name of the cluster, if the file tells it.
    pub cluster: Option<String>,
    /// What refers to the cluster in place of its name.
    pub cluster_object: Option<String>,
    /// The ARN of the principal.
    pub principal: Told,
    /// The ARN of the policy.
    pub policy: Told,
    /// The scope.
    pub scope: AccessScope,
    /// Whether namespaces are given beside the scope of the whole cluster.
    pub has_idle_namespaces: bool,
    /// When it was last changed.
    pub modified_at: Option<i64>,
    /// Observed or declared.
    pub standing: Standing,
    /// The form of the input.
    pub form: Form,
    /// Whether others may be associated of which the file says nothing.
    pub is_one_of_several: bool,
    /// Where it stands.
    pub source: Source,
}

/// A list of the principals that have entries.
#[derive(Clone, Debug)]
pub struct ListFact {
    /// The name of the cluster, if the file tells it.
    pub cluster: Option<String>,
    /// Whether it holds them all.
    pub is_complete: bool,
    /// Where it stands.
    pub source: Source,
}

/// When a role or user was made.
#[derive(Clone, Debug)]
pub struct PrincipalFact {
    /// Its ARN.
    pub arn: String,
    /// When it was made, in microseconds since 1970.
    pub created_at: i64,
    /// Where that stands.
    pub source: Source,
}

/// Everything that inputs say of who may enter a cluster.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Of clusters.
    pub clusters: Vec<ClusterFact>,
    /// Of entries.
    pub entries: Vec<EntryFact>,
    /// Of associations that stand apart from entries.
    pub associations: Vec<AssociationFact>,
    /// Lists of entries.
    pub lists: Vec<ListFact>,
    /// Of the principals themselves.
    pub principals: Vec<PrincipalFact>,
    /// ARNs of clusters and of what belongs to them.
    pub arns: Vec<String>,
}

/// How many facts there are, to go back to.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct FactsMark(pub(super) [usize; 6]);

impl Facts {
    /// Whether the inputs say nothing at all.
    pub fn is_empty(&self) -> bool {
        self.mark().0 == [0; 6]
    }

    pub(crate) fn clear(&mut self) {
        self.go_back(FactsMark::default());
    }

    pub(crate) fn mark(&self) -> FactsMark {
        FactsMark([
            self.clusters.len(),
            self.entries.len(),
            self.associations.len(),
            self.lists.len(),
            self.principals.len(),
            self.arns.len(),
        ])
    }

    /// Forgets what came after the mark.
    pub(crate) fn go_back(&mut self, FactsMark(counts): FactsMark) {
        let [clusters, entries, associations, lists, principals, arns] = counts;
        self.clusters.truncate(clusters);
        self.entries.truncate(entries);
        self.associations.truncate(associations);
        self.lists.truncate(lists);
        self.principals.truncate(principals);
        self.arns.truncate(arns);
    }

    /// Takes in the facts of what was read apart.
    pub(crate) fn absorb(&mut self, other: &mut Self, shift: &Shift) {
        let moved = |source: &mut Source| *source = shift.source(*source);
        for cluster in &mut other.clusters {
            moved(&mut cluster.source);
        }
        for entry in &mut other.entries {
            moved(&mut entry.source);
            for association in entry.policies.iter_mut().flatten() {
                moved(&mut association.source);
            }
        }
        for association in &mut other.associations {
            moved(&mut association.source);
        }
        for list in &mut other.lists {
            moved(&mut list.source);
        }
        for principal in &mut other.principals {
            moved(&mut principal.source);
        }
        self.clusters.append(&mut other.clusters);
        self.entries.append(&mut other.entries);
        self.associations.append(&mut other.associations);
        self.lists.append(&mut other.lists);
        self.principals.append(&mut other.principals);
        self.arns.append(&mut other.arns);
    }
}
