//! Questions in words: what is asked, what it needs, and how it was read.

use serde_json::{Value, json};

use super::json;

use crate::ask::question::{Asks, Object, Place, Question, Remark};
use crate::knowledge::operations::Need;
use crate::model::ternary::Ternary;

/// What is asked, as the first line of an answer says it: `create pods/exec in namespace prod`.
pub fn title(question: &Question) -> String {
    match (&question.asks, question.parts.as_slice()) {
        (Asks::Verb, [only]) => only.request.attributes().to_string(),
        (Asks::Verb, several) => {
            let asked: Vec<String> =
                several.iter().map(|part| part.request.attributes().to_string()).collect();
            asked.join(" and ")
        }
        (Asks::Operation(name), _) => format!("{}{}", without_place(name, &question.object), place(question)),
    }
}

/// What is asked, without where.
pub fn title_without_place(question: &Question) -> String {
    match &question.asks {
        Asks::Verb => title(question),
        Asks::Operation(name) => without_place(name, &question.object),
    }
}

fn without_place(operation: &str, object: &Object) -> String {
    let dot = if object.group.is_empty() { String::new() } else { format!(".{}", object.group) };
    let part = if object.subresource.is_empty() { String::new() } else { format!("/{}", object.subresource) };
    let named = if object.name.is_empty() { String::new() } else { format!(" named {}", object.name) };
    format!("{operation} {}{dot}{part}{named}", object.resource)
}

fn place(question: &Question) -> String {
    match &question.place {
        Place::Namespace(namespace) => format!(" in namespace {namespace}"),
        Place::AllNamespaces => " in all namespaces".to_owned(),
        Place::Cluster => String::new(),
    }
}

/// A request of a question without its scope: `create pods/exec`.
fn part_name(question: &Question, number: usize) -> String {
    use crate::model::attributes::{Attributes, ResourceAttributes};
    let Some(part) = question.parts.get(number) else { return String::new() };
    match part.request.attributes() {
        Attributes::Resource(asked) => {
            Attributes::Resource(ResourceAttributes { namespace: "", ..asked }).to_string()
        }
        url @ Attributes::NonResource(_) => url.to_string(),
    }
}

/// How the requests of a question combine, in words.
pub fn needs(question: &Question, need: &Need<usize>) -> String {
    combined(&need.map(&mut |number| part_name(question, *number)))
}

/// How requests combine, in words.
fn combined(need: &Need<String>) -> String {
    match need {
        Need::Request(request) => request.clone(),
        Need::All(needs) if needs.is_empty() => "nothing".to_owned(),
        Need::All(needs) => needs.iter().map(inner).collect::<Vec<_>>().join(" and "),
        Need::Any(ways) => {
            let ways: Vec<String> =
                ways.iter().map(|way| format!("{} ({})", inner(&way.need), way.label)).collect();
            ways.join(" or ")
        }
        Need::Cases(cases) => {
            let cases: Vec<String> =
                cases.iter().map(|case| format!("{}: {}", case.label, inner(&case.need))).collect();
            cases.join("; ")
        }
    }
}

fn inner(need: &Need<String>) -> String {
    match need {
        Need::Any(ways) if ways.len() > 1 => format!("({})", combined(need)),
        Need::Cases(cases) if cases.len() > 1 => format!("({})", combined(need)),
        _ => combined(need),
    }
}

/// A question for machines: the attributes of its one request, or what an operation is asked on.
pub fn document(question: &Question) -> Value {
    if let Some(only) = question.single() {
        return json::attributes(&only.request.attributes());
    }
    let Object { group, resource, subresource, name } = &question.object;
    let mut value = json!({
        "group": group, "resource": resource, "subresource": subresource, "name": name,
        "namespace": question.place.namespace(), "needs": needs(question, &question.needs),
    });
    if let (Asks::Operation(operation), Some(fields)) = (&question.asks, value.as_object_mut()) {
        fields.insert("operation".into(), (*operation).into());
    }
    value
}

/// Remarks that only say how the question was read, as sentences.
pub fn notes<'r>(remarks: impl IntoIterator<Item = &'r Remark>) -> Vec<String> {
    remarks.into_iter().filter(|remark| !remark.is_warning()).map(remark).collect()
}

/// Remarks on what looks like a mistake, as sentences.
pub fn warnings<'r>(remarks: impl IntoIterator<Item = &'r Remark>) -> Vec<String> {
    remarks.into_iter().filter(|remark| remark.is_warning()).map(remark).collect()
}

/// A remark as a sentence, in lower case without a full stop.
pub fn remark(remark: &Remark) -> String {
    match remark {
        Remark::UnknownType { resource, group, nearest } => {
            let place = if group.is_empty() { String::new() } else { format!(" in group `{group}`") };
            let meant =
                nearest.as_ref().map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
            format!("unknown resource type `{resource}`{place}{meant}")
        }
        Remark::UnservedVersion { of, version } => {
            format!("`{of}` is not served in version `{version}`, as far as is known")
        }
        Remark::NotInDiscovery(of) => {
            format!(
                "`{of}` is not in discovery, so kubectl does not know it and would ask for something else"
            )
        }
        Remark::AlsoMeans { of, core, others } => {
            let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
            let core = if *core { " of the core group" } else { "" };
            format!("read as `{of}`{core}, not as {}", others.join(", "))
        }
        Remark::NoSuchSubresource { resource, subresource } => {
            format!("`{resource}` has no known subresource `{subresource}`")
        }
        Remark::ReadAsSubresource { target, resource, subresource } => format!(
            "`{target}` means the subresource `{subresource}` of `{resource}`; for an object named `{subresource}` give `--subresource ''`"
        ),
        Remark::MisspeltSubresource { target, resource, subresource, written } => format!(
            "`{target}` is read as the subresource `{resource}/{subresource}`; for an object named `{written}` give `--subresource ''`"
        ),
        Remark::NearSubresource { target, resource, subresource, name } => format!(
            "`{target}` is read as an object named `{name}`; did you mean the subresource `{resource}/{subresource}`?"
        ),
        Remark::NameOrSubresource { target, name } => format!(
            "`{target}` is read as an object named `{name}`, as the type is unknown and no rule names such a subresource; for the subresource give `--subresource {name}`"
        ),
        Remark::ReadAsName { name, last, resource } => {
            format!("`{name}` is read as a name, because `{resource}` has no known subresource `{last}`")
        }
        Remark::CreateCarriesNoName(name) => format!(
            "a `create` request carries no name: `{name}` is left out, and rules with resourceNames do not count (only server-side apply and PUT of a new object are checked with the name)"
        ),
        Remark::NameBySelector { verb, name } => format!(
            "a `{verb}` request carries a name only with the field selector `metadata.name={name}`; that request is asked"
        ),
        Remark::InsideNamespace(name) => format!(
            "a request for namespace `{name}` itself is authorized inside that namespace, so its RoleBindings apply"
        ),
        Remark::BindInNamespace(namespace) => format!(
            "`bind` on a ClusterRole is checked in the namespace of the new RoleBinding, here `{namespace}`; for a ClusterRoleBinding leave out `-n`"
        ),
        Remark::ClusterScoped { of, namespace } => format!(
            "`{of}` is cluster-scoped: the request carries no namespace, so `-n {namespace}` is ignored and RoleBindings do not apply"
        ),
        Remark::NoHttpMethod(verb) => {
            format!("`{verb}` is not an HTTP method in lower case; only a rule with verb `*` could match it")
        }
        Remark::QueryString => "the path that is authorized has no query string; leave it out".to_owned(),
        Remark::ApiPath { path, request } => {
            format!("the API server takes `{path}` for a resource request, {request}; that is asked")
        }
        Remark::PathHasNamespace(namespace) => {
            format!("the path says in which namespace the request is made, so `-n {namespace}` is ignored")
        }
        Remark::CapitalVerb(lower) => {
            format!("verbs are compared exactly, and the API server asks in lower case: `{lower}`")
        }
        Remark::UnknownNamespace { namespace, nearest } => {
            let meant =
                nearest.as_ref().map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
            format!("no input mentions namespace `{namespace}`{meant}")
        }
        Remark::UnknownVerb(verb) => format!("Kubernetes never asks for the verb `{verb}`"),
        Remark::OfOperation(sentence) => sentence.clone(),
        Remark::KubectlAsksMore { requests, answer } => {
            format!("kubectl itself asks more first ({}); its answer is {answer}", requests.join(", "))
        }
        Remark::OtherWay { label, needs, answer } => {
            let works = match answer {
                Ternary::Yes => "it works",
                Ternary::No => "it does not work either",
                Ternary::Unknown => "it may work",
            };
            format!("this is the plain command; {label} {works}, and needs {}", combined(needs))
        }
        Remark::EscalationCheck { verb, holds: Ternary::Yes } => format!(
            "the API server also checks what is granted (escalation check); that passes, for this user may `{verb}`"
        ),
        Remark::EscalationCheck { verb: verb @ "bind", .. } => format!(
            "the API server also refuses a binding whose role grants more than the user holds, unless the user may `{verb}` that role (escalation check)"
        ),
        Remark::EscalationCheck { verb, .. } => format!(
            "the API server also refuses rules that grant more than the user holds, unless the user may `{verb}` the role (escalation check)"
        ),
        Remark::NoNameGiven => {
            "no name was given, so rules with resourceNames do not count; ask for TYPE/NAME to count them"
                .to_owned()
        }
    }
}
