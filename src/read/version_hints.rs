//! What the inputs tell of the cluster itself: its Kubernetes version, and that it is one of EKS.
//!
//! Nothing else is read here of a Node, an eksctl `ClusterConfig`, a Terraform state or plan, or of what
//! `aws eks describe-cluster` and `kubectl version -o json` print.

use crate::document::Node;
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::{Shift, Source, Sources};
use crate::model::version::{KubernetesVersion, minor_of};

/// What told the version; a later one is worth more.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionSource {
    /// The kubelet of a Node: it may be older than the API server, and is never newer.
    Kubelet,
    /// An eksctl `ClusterConfig`: what somebody wanted.
    Eksctl,
    /// An object of ACK, Crossplane or Cluster API that stands for the cluster.
    ClusterObject,
    /// A `CloudFormation` template.
    CloudFormation,
    /// An export of a Pulumi stack.
    Pulumi,
    /// A Terraform state or plan.
    Terraform,
    /// `aws eks describe-cluster`.
    DescribeCluster,
    /// The server in `kubectl version`.
    KubectlVersion,
}

impl VersionSource {
    /// What it is, in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubelet => "the newest kubelet among the Nodes of the inputs; the API server may be newer",
            Self::Eksctl => "as the eksctl ClusterConfig says",
            Self::ClusterObject => "as the object that stands for the cluster says",
            Self::CloudFormation => "as the CloudFormation template says",
            Self::Pulumi => "as the Pulumi stack says",
            Self::Terraform => "as the Terraform state or plan says",
            Self::DescribeCluster => "as `aws eks describe-cluster` said",
            Self::KubectlVersion => "as `kubectl version` said",
        }
    }
}

/// A version that an input tells.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Hint {
    minor: u8,
    source: Source,
}

/// The newest and the oldest version that one kind of source tells.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Told {
    newest: Hint,
    oldest: Hint,
}

/// What the inputs tell of the cluster.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    /// By the source, as it is ordered.
    told: [Option<Told>; 8],
    /// The first thing that shows a cluster of EKS.
    pub(crate) eks: Option<Source>,
}

impl Hints {
    /// Takes in what is no Kubernetes object; false if it tells nothing.
    pub(crate) fn document(&mut self, node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) -> bool {
        if node.is_sequence() {
            // What else is in a list is told elsewhere.
            let told = node.items().map(|item| !item.is_sequence() && self.document(item, place));
            return told.fold(true, |all, one| all & one);
        }
        self.describe_cluster(node, place) | self.kubectl_version(node, place) | self.terraform(node, place)
    }

    fn describe_cluster(&mut self, node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) -> bool {
        let Some(cluster) = node.get("cluster").filter(|cluster| cluster.get("name").is_some()) else {
            return false;
        };
        let Some(version) = cluster.get("version") else { return false };
        self.version(VersionSource::DescribeCluster, version, place) && {
            self.eks(place(cluster));
            true
        }
    }

    fn kubectl_version(&mut self, node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) -> bool {
        let version = node.get("serverVersion").and_then(|server| server.get("gitVersion"));
        let Some(version) = version else { return node.get("clientVersion").is_some() };
        if is_of_eks(version.text()) {
            self.eks(place(version));
        }
        self.version(VersionSource::KubectlVersion, version, place)
    }

    /// A raw state, or what `terraform show -json` prints of a state or plan.
    fn terraform(&mut self, node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) -> bool {
        if node.get("terraform_version").is_none() {
            return false;
        }
        // A plan has what will be, and before it what is.
        let before = node.get("prior_state").and_then(|state| state.get("values"));
        let shown = [node.get("values"), node.get("planned_values"), before];
        let modules = shown.into_iter().flatten().filter_map(|values| values.get("root_module"));
        let mut modules: Vec<Node<'_>> = modules.chain([node]).collect();
        let mut any = false;
        while let Some(module) = modules.pop() {
            modules.extend(module.get("child_modules").into_iter().flat_map(Node::items));
            for resource in module.get("resources").into_iter().flat_map(Node::items) {
                let kind = resource.get("type").map_or("", Node::text);
                if kind.starts_with("aws_eks_") {
                    self.eks(place(resource));
                }
                if kind != "aws_eks_cluster" {
                    continue;
                }
                let attributes = resource.get("instances").into_iter().flat_map(Node::items);
                let attributes = attributes.filter_map(|instance| instance.get("attributes"));
                for attributes in resource.get("values").into_iter().chain(attributes) {
                    if let Some(version) = attributes.get("version") {
                        any |= self.version(VersionSource::Terraform, version, place);
                    }
                }
            }
        }
        any
    }

    /// Takes in an eksctl `ClusterConfig`.
    pub(crate) fn eksctl(&mut self, node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) {
        self.eks(place(node));
        if let Some(version) = node.get("metadata").and_then(|metadata| metadata.get("version")) {
            self.version(VersionSource::Eksctl, version, place);
        }
    }

    /// Takes in the version that something tells which stands for the cluster. What is no version tells nothing.
    pub(crate) fn told_by(&mut self, from: VersionSource, text: &str, source: Source) {
        if let Some(minor) = minor_of(text) {
            let hint = Hint { minor, source };
            self.add(from, Told { newest: hint, oldest: hint });
        }
    }

    /// Takes in a Node.
    pub(crate) fn node(&mut self, node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) {
        self.metadata(node, place);
        let info = node.get("status").and_then(|status| status.get("nodeInfo"));
        if let Some(version) = info.and_then(|info| info.get("kubeletVersion")) {
            if is_of_eks(version.text()) {
                self.eks(place(node));
            }
            self.version(VersionSource::Kubelet, version, place);
        }
    }

    /// Looks for labels and annotations of EKS.
    pub(crate) fn metadata(&mut self, node: Node<'_>, place: &dyn Fn(Node<'_>) -> Source) {
        if self.eks.is_some() {
            return;
        }
        let Some(metadata) = node.get("metadata") else { return };
        let fields = [metadata.get("labels"), metadata.get("annotations")];
        let mut keys = fields.into_iter().flatten().flat_map(Node::pairs).map(|(key, _)| key.text());
        if keys.any(is_name_of_eks) {
            self.eks(place(node));
        }
    }

    /// Takes down that the cluster is one of EKS.
    pub(crate) fn eks(&mut self, source: Source) {
        self.eks.get_or_insert(source);
    }

    fn version(
        &mut self,
        from: VersionSource,
        version: Node<'_>,
        place: &dyn Fn(Node<'_>) -> Source,
    ) -> bool {
        let Some(minor) = minor_of(version.text()) else { return false };
        let hint = Hint { minor, source: place(version) };
        self.add(from, Told { newest: hint, oldest: hint });
        true
    }

    fn add(&mut self, from: VersionSource, more: Told) {
        let Some(told) = self.told.get_mut(from as usize) else { return };
        let all = told.get_or_insert(more);
        if more.newest.minor > all.newest.minor {
            all.newest = more.newest;
        }
        if more.oldest.minor < all.oldest.minor {
            all.oldest = more.oldest;
        }
    }

    /// Adds what was told elsewhere.
    pub(crate) fn join(&mut self, other: Self, shift: &Shift) {
        self.eks = self.eks.or(other.eks.map(|source| shift.source(source)));
        let moved = |hint: Hint| Hint { source: shift.source(hint.source), ..hint };
        for (from, told) in ALL.into_iter().zip(other.told) {
            if let Some(Told { newest, oldest }) = told {
                self.add(from, Told { newest: moved(newest), oldest: moved(oldest) });
            }
        }
    }

    /// The version that the inputs tell, by what and where; `None` if they do not. What contradicts it is said.
    pub(crate) fn conclude(
        &self,
        sources: &Sources,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<(KubernetesVersion, VersionSource, Source)> {
        let told = ALL.into_iter().zip(self.told).rev().filter_map(|(from, told)| Some((from, told?)));
        let (from, Told { newest: chosen, .. }) = told.clone().next()?;
        let version = nearest(chosen, diagnostics);
        for (other_from, Told { newest, oldest }) in told {
            // A kubelet may be older than the API server, three versions at most.
            let fine = |minor: u8| {
                minor == chosen.minor || (other_from == VersionSource::Kubelet && minor < chosen.minor)
            };
            let Some(other) = [newest, oldest].into_iter().find(|hint| !fine(hint.minor)) else { continue };
            diagnostics.push(Diagnostic::at(
                Code::VersionsDiffer,
                other.source,
                format!(
                    "this says Kubernetes 1.{}, and {} says 1.{}, which counts; if that is not so, give --kubernetes-version",
                    other.minor,
                    sources.show(chosen.source),
                    chosen.minor
                ),
            ));
            break;
        }
        Some((version, from, chosen.source))
    }
}

const ALL: [VersionSource; 8] = [
    VersionSource::Kubelet,
    VersionSource::Eksctl,
    VersionSource::ClusterObject,
    VersionSource::CloudFormation,
    VersionSource::Pulumi,
    VersionSource::Terraform,
    VersionSource::DescribeCluster,
    VersionSource::KubectlVersion,
];

/// The version of a hint, or the nearest one that is known.
fn nearest(hint: Hint, diagnostics: &mut Vec<Diagnostic>) -> KubernetesVersion {
    let (oldest, newest) = (KubernetesVersion::OLDEST, KubernetesVersion::NEWEST);
    KubernetesVersion::from_minor(hint.minor).unwrap_or_else(|| {
        let nearest = if hint.minor < oldest.minor() { oldest } else { newest };
        diagnostics.push(Diagnostic::at(
            Code::VersionNotKnown,
            hint.source,
            format!(
                "Kubernetes 1.{} is not known here, only {oldest} to {newest}; answers are for {nearest}",
                hint.minor
            ),
        ));
        nearest
    })
}

/// Whether a label, annotation or API group is one of EKS.
pub(crate) fn is_name_of_eks(name: &str) -> bool {
    const EKS: &str = "eks.amazonaws.com";
    if name.len() < EKS.len() {
        return false;
    }
    let group = name.split('/').next().unwrap_or_default();
    group == EKS || group.strip_suffix(EKS).is_some_and(|before| before.ends_with('.'))
}

/// Whether a version was built by EKS: `v1.31.5-eks-7f9249a`.
fn is_of_eks(version: &str) -> bool {
    version.contains("-eks-")
}
