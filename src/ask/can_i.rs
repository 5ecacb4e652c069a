//! One question for one asker: the answer to each request, and what they come to.

use crate::ask::question::{Asks, Made, Named, OtherWay, Part, Question, Remark, Request};
use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::cluster::{Cluster, Who};
use crate::decide::evaluate::Grant;
use crate::decide::near::NearSubject;
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::ternary::Ternary;

/// The API group of roles and bindings.
const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// A question, answered.
#[derive(Clone, Debug)]
pub struct Answered<'g> {
    /// The answer.
    pub ternary: Ternary,
    /// The answer to each request, in the order of [`Question::parts`].
    pub answers: Vec<Answer<'g>>,
    /// What is worth knowing about the answer, beside the remarks of the question.
    pub remarks: Vec<Remark>,
    /// What nearly names the asker; only of [`explain`], and only where the answer is no yes.
    pub subjects: Vec<NearSubject<'g>>,
}

/// [`answer`] for somebody who reads it: every binding is looked at for one that nearly names the asker.
pub fn explain<'g>(
    cluster: &'g Cluster,
    who: &Who,
    question: &Question,
    moved: Option<&str>,
) -> Answered<'g> {
    let mut answered = answer(cluster, who, question, moved);
    if answered.ternary != Ternary::Yes
        && let Some(user) = who.certain()
    {
        let refused = question.parts.iter().zip(&answered.answers);
        let refused = refused.filter(|(_, answer)| answer.ternary != Ternary::Yes);
        let asked: Vec<Attributes<'_>> = refused.map(|(part, _)| part.attributes(moved)).collect();
        answered.subjects = cluster.graph().near_subjects(&user, &asked);
    }
    answered
}

/// Answers a question, with every reason; in another namespace if one is given.
pub fn answer<'g>(cluster: &'g Cluster, who: &Who, question: &Question, moved: Option<&str>) -> Answered<'g> {
    let answers: Vec<Answer<'g>> =
        question.parts.iter().map(|part| part_answer(cluster, who, part, moved)).collect();
    let ternaries: Vec<Ternary> = answers.iter().map(|answer| answer.ternary).collect();
    let ternary = question.combine(&ternaries);
    let mut remarks = Vec::new();
    let kubectl = question.combine_for_kubectl(&ternaries);
    if kubectl != ternary {
        let requests = question.kubectl.requests().into_iter();
        let parts = requests.filter_map(|number| question.parts.get(*number));
        remarks.push(Remark::KubectlAsksMore {
            requests: parts.map(|part| part.attributes(moved).to_string()).collect(),
            answer: kubectl,
        });
    }
    if ternary != Ternary::Yes {
        remarks.extend(question.ways.iter().map(|way| other_way(cluster, who, way, moved)));
    }
    if ternary != Ternary::No && question.asks == Asks::Verb {
        for part in &question.parts {
            let Some(remark) = escalation_check(cluster, who, part, moved) else { continue };
            if !remarks.contains(&remark) {
                remarks.push(remark);
            }
        }
    }
    let only_plain = question.single().is_some();
    if ternary != Ternary::Yes
        && !only_plain
        && question.object.name.is_empty()
        && question.deciding().any(|part| part.named == Named::NotGiven)
    {
        remarks.push(Remark::NoNameGiven);
    }
    Answered { ternary, answers, remarks, subjects: Vec::new() }
}

/// Yes, no or unknown without the reasons; what [`answer`] says.
pub fn ternary(cluster: &Cluster, who: &Who, question: &Question, moved: Option<&str>) -> Ternary {
    let ask = |part: &Part| {
        if part.decides { part_ternary(cluster, who, part, moved) } else { Ternary::Unknown }
    };
    let ternaries: Vec<Ternary> = question.parts.iter().map(ask).collect();
    question.combine(&ternaries)
}

/// Whether a rule that is limited to names has one that an object of the type may have. Of a signer it is a domain and
/// a path, or `DOMAIN/*`; of most objects a DNS name, which never holds a `*`.
fn names_an_object(cluster: &Cluster, part: &Part, grant: &Grant<'_>) -> bool {
    let Request::Resource { group, resource, .. } = &part.request else { return true };
    let is_possible = |name: &str| match (group.as_str(), resource.as_str()) {
        ("certificates.k8s.io", "signers") => name.split_once('/').is_some_and(|(domain, path)| {
            !domain.is_empty()
                && !domain.contains('*')
                && !path.is_empty()
                && (path == "*" || !path.contains('*'))
        }),
        (RBAC_GROUP | "authentication.k8s.io", _) | ("", "users" | "groups") => true,
        _ => !name.contains('*'),
    };
    let names = &cluster.graph().policy().names;
    grant.rule.rule.resource_names.iter().any(|name| is_possible(names.text(*name)))
}

/// What [`part_answer`] says, without the reasons.
fn part_ternary(cluster: &Cluster, who: &Who, part: &Part, moved: Option<&str>) -> Ternary {
    let ternary = cluster.ternary_for_type(who, &part.attributes(moved));
    let limited = part.named == Named::Unknown || part.made == Made::InUnknownNamespaces;
    if ternary == Ternary::No && limited {
        return part_answer(cluster, who, part, moved).ternary;
    }
    ternary
}

/// What the API server checks beside the request to write a role or binding (`rbac/escalation_check.go`).
fn escalation_check(cluster: &Cluster, who: &Who, part: &Part, moved: Option<&str>) -> Option<Remark> {
    let Attributes::Resource(asked) = part.attributes(moved) else { return None };
    if asked.group != RBAC_GROUP
        || !asked.subresource.is_empty()
        || !matches!(asked.verb, "create" | "update" | "patch")
    {
        return None;
    }
    let (verb, of): (_, &[&str]) = match asked.resource {
        "roles" => ("escalate", &["roles"]),
        "clusterroles" => ("escalate", &["clusterroles"]),
        "rolebindings" => ("bind", &["roles", "clusterroles"]),
        "clusterrolebindings" => ("bind", &["clusterroles"]),
        _ => return None,
    };
    // A `create` of a role carries no name, and to which role a binding will point the question does not tell.
    let name = if verb == "escalate" && asked.verb != "create" { asked.name } else { "" };
    let holds = of.iter().map(|resource| {
        cluster.ternary(who, &Attributes::Resource(ResourceAttributes { verb, resource, name, ..asked }))
    });
    Some(Remark::EscalationCheck { verb, holds: Ternary::all(holds) })
}

/// Another form of an operation, answered.
fn other_way(cluster: &Cluster, who: &Who, way: &OtherWay, moved: Option<&str>) -> Remark {
    let part = |number: &usize| way.parts.get(*number);
    let answer = way.needs.answer(&mut |number| {
        part(number).map_or(Ternary::Unknown, |part| part_ternary(cluster, who, part, moved))
    });
    let needs = way.needs.map(&mut |number| {
        part(number).map_or_else(String::new, |part| match part.request.attributes() {
            Attributes::Resource(asked) => {
                Attributes::Resource(ResourceAttributes { namespace: "", ..asked }).to_string()
            }
            url @ Attributes::NonResource(_) => url.to_string(),
        })
    });
    Remark::OtherWay { label: way.label.clone(), needs, answer }
}

/// The answer to one request: where the question cannot tell name or namespace, a limited grant makes it unknown.
fn part_answer<'g>(cluster: &'g Cluster, who: &Who, part: &Part, moved: Option<&str>) -> Answer<'g> {
    let mut answer = cluster.answer_for_type(who, &part.attributes(moved));
    if answer.ternary != Ternary::No {
        return answer;
    }
    for near in std::mem::take(&mut answer.near) {
        match near {
            NearMiss::OnlyNames(grant)
                if part.named == Named::Unknown && names_an_object(cluster, part, &grant) =>
            {
                answer.doubts.push(Doubt::SomeNames(grant));
            }
            NearMiss::OnlyInNamespaces { namespace, grant, count }
                if part.made == Made::InUnknownNamespaces =>
            {
                answer.doubts.push(Doubt::SomeNamespaces { namespace, grant, count });
            }
            near => answer.near.push(near),
        }
    }
    if !answer.doubts.is_empty() {
        answer.ternary = Ternary::Unknown;
    }
    answer
}
