//! Where the readers of these forms put what they find.

use crate::document::Node;
use crate::identity::access_entries::{Facts, Told};
use crate::identity::pod_roles::PodRole;
use crate::model::diagnostic::Code;
use crate::model::source::Source;
use crate::read::aws_auth::Found;
use crate::read::origin::Origin;
use crate::read::version_hints::VersionSource;

/// Takes in what documents say.
pub(in crate::read) trait Sink {
    /// What they say of who may enter the cluster.
    fn facts(&mut self) -> &mut Facts;

    /// Takes in a value that stands inside a document of another form: an object, or a document of these forms.
    fn value(&mut self, node: Node<'_>, origin: Origin);

    /// Takes in what stands for the ConfigMap `aws-auth`.
    fn aws_auth(&mut self, found: Found);

    /// Takes in a service account whose pods get a role, as far as the file tells which.
    fn pod_role(&mut self, role: PodRole, told: Told);

    /// Takes in the Kubernetes version of the cluster, as some form tells it.
    fn version(&mut self, from: VersionSource, text: &str, source: Source);

    /// Says what is wrong or odd.
    fn report(&mut self, code: Code, source: Source, message: String);

    /// Says that something at a place may be RBAC objects, and is not told.
    fn unseen(&mut self, source: Source);
}
