//! The requests behind the steps of a kubectl operation, and their answers.

use crate::ask::question::Request;
use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::cluster::{Cluster, Who};
use crate::knowledge::operations::{Plan, Step, StepName, StepScope};
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::ternary::Ternary;

/// What a step asks, for a question about an object of this name in this namespace; empty for all namespaces.
pub fn attributes<'a>(step: &'a Step, namespace: &'a str, name: &'a str) -> Attributes<'a> {
    Attributes::Resource(ResourceAttributes {
        verb: &step.verb,
        group: &step.group,
        resource: &step.resource,
        subresource: &step.subresource,
        name: match &step.name {
            StepName::Known(name) => name,
            StepName::Absent | StepName::NotGiven | StepName::Unknown => "",
        },
        namespace: match &step.scope {
            StepScope::Namespace => namespace,
            StepScope::NamespaceObject => name,
            StepScope::Fixed(namespace) => namespace,
            StepScope::AllNamespaces | StepScope::Cluster | StepScope::UnknownNamespaces => "",
        },
    })
}

/// The request of a step, to be kept; what [`attributes`] says.
pub fn request(step: &Step, namespace: &str, name: &str) -> Request {
    Request::from(attributes(step, namespace, name))
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

/// Yes, no or unknown without the reasons; what [`answer`] says.
pub fn ternary(cluster: &Cluster, who: &Who, step: &Step, request: &Request) -> Ternary {
    let ternary = cluster.ternary_for_type(who, &request.attributes());
    let limited = step.name == StepName::Unknown || step.scope == StepScope::UnknownNamespaces;
    if ternary == Ternary::No && limited {
        return answer(cluster, who, step, request).ternary;
    }
    ternary
}

/// Whether an operation is allowed, without the reasons: the requests that decide first, each asked once.
pub fn operation(cluster: &Cluster, who: &Who, plan: &Plan, namespace: &str, name: &str) -> Ternary {
    let mut known: Vec<(Request, Ternary)> = Vec::new();
    let mut ask = |step: &Step| {
        let request = request(step, namespace, name);
        if let Some((_, ternary)) = known.iter().find(|(other, _)| *other == request) {
            return *ternary;
        }
        let ternary = ternary(cluster, who, step, &request);
        known.push((request, ternary));
        ternary
    };
    for step in plan.deciding_steps() {
        ask(step);
    }
    plan.answer(&mut ask)
}
