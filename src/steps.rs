//! The requests behind the steps of a kubectl operation, and their answers.

use crate::answer::{Answer, Doubt, NearMiss};
use crate::cluster::{Cluster, Who};
use crate::operations::{Step, StepName, StepScope};
use crate::question::Request;
use crate::ternary::Ternary;

/// The request of a step, for a question about an object of this name in this namespace; empty for all
/// namespaces.
pub fn request(step: &Step, namespace: &str, name: &str) -> Request {
    let namespace = match &step.scope {
        StepScope::Namespace => namespace,
        StepScope::NamespaceObject => name,
        StepScope::Fixed(namespace) => namespace,
        StepScope::AllNamespaces | StepScope::Cluster | StepScope::UnknownNamespaces => "",
    };
    Request::Resource {
        verb: step.verb.clone(),
        group: step.group.clone(),
        resource: step.resource.clone(),
        subresource: step.subresource.clone(),
        name: match &step.name {
            StepName::Known(name) => name.clone(),
            StepName::Absent | StepName::NotGiven | StepName::Unknown => String::new(),
        },
        namespace: namespace.to_owned(),
    }
}

/// The answer to a step: where the question cannot tell name or namespace, a limited grant makes it unknown.
pub fn answer<'g>(cluster: &'g Cluster, who: &Who, step: &Step, request: &Request) -> Answer<'g> {
    let mut answer = cluster.answer_for_type(who, &request.attributes());
    if answer.ternary == Ternary::No {
        let near = std::mem::take(&mut answer.near);
        for near in near {
            match near {
                NearMiss::OnlyNames(grant) if step.name == StepName::Unknown => {
                    answer.doubts.push(Doubt::SomeNames(grant));
                }
                NearMiss::OnlyInNamespaces { namespace, grant, count }
                    if step.scope == StepScope::UnknownNamespaces =>
                {
                    answer.doubts.push(Doubt::SomeNamespaces { namespace, grant, count });
                }
                near => answer.near.push(near),
            }
        }
        if !answer.doubts.is_empty() {
            answer.ternary = Ternary::Unknown;
        }
    }
    answer
}
