//! One question for one asker: the answer to each request, and what they come to.

use crate::ask::question::{Made, Named, Part, Question, Remark};
use crate::decide::answer::{Answer, Doubt, NearMiss};
use crate::decide::cluster::{Cluster, Who};
use crate::model::ternary::Ternary;

/// A question, answered.
#[derive(Clone, Debug)]
pub struct Answered<'g> {
    /// The answer.
    pub ternary: Ternary,
    /// The answer to each request, in the order of [`Question::parts`].
    pub answers: Vec<Answer<'g>>,
    /// What is worth knowing about the answer, beside the remarks of the question.
    pub remarks: Vec<Remark>,
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
    let only_plain = question.single().is_some();
    if ternary != Ternary::Yes
        && !only_plain
        && question.object.name.is_empty()
        && question.deciding().any(|part| part.named == Named::NotGiven)
    {
        remarks.push(Remark::NoNameGiven);
    }
    Answered { ternary, answers, remarks }
}

/// Yes, no or unknown without the reasons; what [`answer`] says.
pub fn ternary(cluster: &Cluster, who: &Who, question: &Question, moved: Option<&str>) -> Ternary {
    let ask = |part: &Part| {
        if !part.decides {
            return Ternary::Unknown;
        }
        let ternary = cluster.ternary_for_type(who, &part.attributes(moved));
        let limited = part.named == Named::Unknown || part.made == Made::InUnknownNamespaces;
        if ternary == Ternary::No && limited {
            return part_answer(cluster, who, part, moved).ternary;
        }
        ternary
    };
    let ternaries: Vec<Ternary> = question.parts.iter().map(ask).collect();
    question.combine(&ternaries)
}

/// The answer to one request: where the question cannot tell name or namespace, a limited grant makes it unknown.
fn part_answer<'g>(cluster: &'g Cluster, who: &Who, part: &Part, moved: Option<&str>) -> Answer<'g> {
    let mut answer = cluster.answer_for_type(who, &part.attributes(moved));
    if answer.ternary != Ternary::No {
        return answer;
    }
    for near in std::mem::take(&mut answer.near) {
        match near {
            NearMiss::OnlyNames(grant) if part.named == Named::Unknown => {
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
