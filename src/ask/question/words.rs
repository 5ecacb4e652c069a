//! From the words of a question to the requests that the API server would really see.
//!
//! Where `kubectl auth can-i` asks for something else than the request would be (a namespace on a cluster-scoped
//! type, the name of a pod `exec`, a `create` with a name), the request decides, and a remark says so.

use std::borrow::Cow;

use super::{Asks, Object, Place, Question, QuestionError, Remark, Request, Target, api_path};
use crate::decide::cluster::Cluster;
use crate::knowledge::catalogue::{
    Resource, is_known_resource_verb, is_known_url_verb, known_resource_verbs,
};
use crate::knowledge::operations::{self, Need};
use crate::model::policy::Completeness;

/// The words of a question.
#[derive(Clone, Debug, Default)]
pub struct Words<'a> {
    /// The verb, or a kubectl operation.
    pub verb: Cow<'a, str>,
    /// `TYPE`, `TYPE/NAME`, `TYPE/SUBRESOURCE`, `TYPE/NAME/SUBRESOURCE`, several types with commas between them, or a
    /// path that begins with a slash.
    pub target: &'a str,
    /// The name, as kubectl takes it behind the type: `get secret db`.
    pub name: Option<&'a str>,
    /// `--subresource`; then what follows the slash is a name.
    pub subresource: Option<&'a str>,
    /// `-n`; `None` for the default namespace.
    pub namespace: Option<&'a str>,
    /// `-A`.
    pub all_namespaces: bool,
    /// Whether the verb is one of the API even where an operation has its name.
    pub api_verb: bool,
}

impl<'a> Words<'a> {
    /// Takes the words of a command line apart: `VERB TYPE`, `VERB TYPE NAME`, or an operation of two words before
    /// them, such as `rollout restart`.
    ///
    /// # Errors
    /// If there are too few or too many.
    pub fn of(words: &[&'a str], api_verb: bool) -> Result<Self, QuestionError> {
        let two = |first: &str, second: &str| {
            let joined = format!("{first} {second}");
            (!api_verb && operations::is_operation(&joined)).then_some(joined)
        };
        let (verb, target, name) = match *words {
            [verb, target] => (Cow::Borrowed(verb), target, None),
            [first, second, target] => match two(first, second) {
                Some(verb) => (Cow::Owned(verb), target, None),
                None => (Cow::Borrowed(first), second, Some(target)),
            },
            [first, second, target, name] => match two(first, second) {
                Some(verb) => (Cow::Owned(verb), target, Some(name)),
                None => return Err(QuestionError::NoOperation(format!("{first} {second}"))),
            },
            _ => return Err(QuestionError::Words),
        };
        Ok(Self { verb, target, name, api_verb, ..Self::default() })
    }

    fn place(&self) -> Place {
        if self.all_namespaces {
            Place::AllNamespaces
        } else {
            Place::Namespace(self.namespace.unwrap_or("default").to_owned())
        }
    }
}

/// Reads a question.
///
/// # Errors
/// If it makes no sense: a subresource of a path, no type, an operation on a type that it does not take.
pub fn read(words: &Words<'_>, cluster: &Cluster) -> Result<Question, QuestionError> {
    let operation = if words.api_verb { None } else { operations::canonical_name(&words.verb) };
    if words.target.starts_with('/') {
        return match operation {
            Some(name) => Err(QuestionError::OperationOnUrl(name)),
            None => read_url(words, cluster),
        };
    }
    if words.name.is_some() && words.target.contains('/') {
        let (target, name) = (words.target.to_owned(), words.name.unwrap_or_default().to_owned());
        return Err(QuestionError::NameTwice { target, name });
    }
    let types: Vec<&str> = words.target.split(',').filter(|one| !one.is_empty()).collect();
    match (operation, types.as_slice()) {
        (_, []) => Err(QuestionError::NoType),
        (Some(name), [only]) => read_operation(words, name, only, cluster),
        (Some(_), _) => Err(QuestionError::SeveralTypes(words.target.to_owned())),
        (None, [only]) => read_verb(words, only, cluster),
        (None, several) => {
            let each = several.iter().map(|one| read_verb(words, one, cluster));
            Ok(all_of(each.collect::<Result<_, _>>()?))
        }
    }
}

/// Reads a type by itself, as a selection of the matrix names it.
pub fn read_type<'c>(target: &str, cluster: &'c Cluster) -> Target<'c> {
    Target::read_in(target, None, "", cluster)
}

/// Reads a path as a selection of the matrix names it: the request that it is, if it is one for a resource.
pub fn read_path(path: &str) -> Option<Question> {
    api_path::request("get", path).map(Question::of_request)
}

/// The type and name of one word.
fn read_target<'c>(words: &Words<'_>, text: &str, cluster: &'c Cluster) -> Target<'c> {
    let mut target = Target::read_in(text, words.subresource, &words.verb, cluster);
    if let Some(name) = words.name {
        name.clone_into(&mut target.name);
    }
    target
}

fn read_verb(words: &Words<'_>, text: &str, cluster: &Cluster) -> Result<Question, QuestionError> {
    let target = read_target(words, text, cluster);
    let namespaced = target.namespaced();
    let mut object = target.object();
    let known = target.known();
    let mut remarks = target.remarks;
    let verb = words.verb.as_ref();
    let remark = remark_on_verb(verb, known, &object.subresource);
    if let Some(remark) = remark.filter(|_| !cluster.catalogue().asks_for(verb)) {
        if !words.api_verb {
            return Err(unknown_verb(verb, cluster));
        }
        remarks.push(remark);
    }
    let mut place = words.place();
    let mut carried = place.namespace().to_owned();
    if let Some(known) = known.filter(|known| !known.namespaced) {
        carried = cluster_scoped(words, known, &object.name, &mut remarks);
        place = Place::Cluster;
    } else if namespaced == Some(false) {
        // Not defined in the inputs, and well known.
        if let Some(namespace) = words.namespace.filter(|_| !words.all_namespaces) {
            let of = format!("{}.{}", object.resource, object.group);
            remarks.push(Remark::ClusterScoped { of, namespace: namespace.to_owned() });
        }
        carried = String::new();
        place = Place::Cluster;
    }
    if verb == "create" && !object.name.is_empty() && object.subresource.is_empty() {
        remarks.push(Remark::CreateCarriesNoName(std::mem::take(&mut object.name)));
    } else if matches!(verb, "list" | "watch" | "deletecollection") && !object.name.is_empty() {
        remarks.push(Remark::NameBySelector { verb: verb.to_owned(), name: object.name.clone() });
    }
    let Object { group, resource, subresource, name } = object.clone();
    let request =
        Request::Resource { verb: verb.to_owned(), group, resource, subresource, name, namespace: carried };
    remarks.extend(check_place(&place, words, cluster)?);
    Ok(Question { object, place, namespaced, remarks, ..Question::of_request(request) })
}

/// Several questions as one: yes where each is.
fn all_of(questions: Vec<Question>) -> Question {
    let (mut parts, mut remarks, mut place) = (Vec::new(), Vec::new(), Place::Cluster);
    let mut resources: Vec<String> = Vec::new();
    for question in questions {
        if place == Place::Cluster {
            place = question.place;
        }
        parts.extend(question.parts);
        for remark in question.remarks {
            if !remarks.contains(&remark) {
                remarks.push(remark);
            }
        }
        resources.push(question.object.resource);
    }
    Question {
        asks: Asks::Verb,
        object: Object { resource: resources.join(","), ..Object::default() },
        namespaced: Some(place != Place::Cluster),
        place,
        needs: Need::All((0..parts.len()).map(Need::Request).collect()),
        kubectl: Need::All(Vec::new()),
        any_client: true,
        ways: Vec::new(),
        parts,
        remarks,
    }
}

fn read_operation(
    words: &Words<'_>,
    operation: &str,
    text: &str,
    cluster: &Cluster,
) -> Result<Question, QuestionError> {
    let target = read_target(words, text, cluster);
    let object = target.object();
    let namespaced = target.namespaced().unwrap_or(true);
    // `exec pods/exec` and the like: the operation has its subresource already.
    let on = operations::Target {
        group: &object.group,
        resource: &object.resource,
        name: Some(object.name.as_str()).filter(|name| !name.is_empty()),
        subresource: Some(object.subresource.as_str()).filter(|subresource| !subresource.is_empty()),
        namespaced,
    };
    let plan = operations::plan(operation, &on, cluster.version())?;
    // What an operation asks inside namespaces it asks there, whatever the scope of the type.
    let mut question = Question::of_plan(&plan, object, words.place(), Some(namespaced));
    if !namespaced {
        question.place = Place::Cluster;
    }
    question.remarks.splice(0..0, target.remarks);
    let remark = check_place(&question.place, words, cluster)?;
    question.remarks.extend(remark);
    Ok(question)
}

/// The namespace that a request for a cluster-scoped type carries: mostly none.
fn cluster_scoped(words: &Words<'_>, known: &Resource, name: &str, remarks: &mut Vec<Remark>) -> String {
    let verb = words.verb.as_ref();
    if known.plural == "namespaces" && known.group.is_empty() {
        if name.is_empty() || matches!(verb, "create" | "list" | "watch" | "deletecollection") {
            return String::new();
        }
        remarks.push(Remark::InsideNamespace(name.to_owned()));
        return name.to_owned();
    }
    let Some(namespace) = words.namespace.filter(|_| !words.all_namespaces) else { return String::new() };
    if (verb, &*known.plural) == ("bind", "clusterroles") {
        remarks.push(Remark::BindInNamespace(namespace.to_owned()));
        return namespace.to_owned();
    }
    remarks.push(Remark::ClusterScoped { of: known.full_name(), namespace: namespace.to_owned() });
    String::new()
}

fn read_url(words: &Words<'_>, cluster: &Cluster) -> Result<Question, QuestionError> {
    if words.subresource.is_some() {
        return Err(QuestionError::SubresourceOfUrl);
    }
    let verb = words.verb.as_ref();
    if let Some(request) = api_path::request(verb, words.target) {
        let mut remarks = vec![Remark::ApiPath {
            path: words.target.to_owned(),
            request: request.attributes().to_string(),
        }];
        remarks.extend(words.namespace.map(|namespace| Remark::PathHasNamespace(namespace.to_owned())));
        let question = Question::of_request(request);
        let known = cluster.catalogue().find(&question.object.group, &question.object.resource);
        return Ok(Question { namespaced: known.map(|known| known.namespaced), remarks, ..question });
    }
    let mut remarks = Vec::new();
    if !is_known_url_verb(verb) {
        if !words.api_verb {
            let nearest = if verb == "list" || verb == "watch" {
                Some("get".to_owned())
            } else {
                nearest(verb, HTTP_METHODS.into_iter())
            };
            return Err(QuestionError::NoHttpMethod { verb: verb.to_owned(), nearest });
        }
        remarks.push(Remark::NoHttpMethod(verb.to_owned()));
    }
    if words.target.contains('?') {
        remarks.push(Remark::QueryString);
    }
    let request = Request::NonResource { verb: verb.to_owned(), path: words.target.to_owned() };
    Ok(Question { namespaced: Some(false), remarks, ..Question::of_request(request) })
}

pub(crate) const HTTP_METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

/// The name that a text probably means: a few slips away, or the same in other letters.
fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = text.to_lowercase();
    let allowed = if lower.len() <= 3 { 1 } else { 2 };
    names
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(slips, _)| *slips <= allowed)
        .min()
        .map(|(_, name)| name.to_owned())
}

fn unknown_verb(verb: &str, cluster: &Cluster) -> QuestionError {
    let policy = cluster.graph().policy();
    let name = policy.names.lookup(verb);
    QuestionError::UnknownVerb {
        verb: verb.to_owned(),
        nearest: nearest(
            verb,
            known_resource_verbs().chain(operations::names().into_iter().map(|(name, _)| name)),
        ),
        in_rules: policy.rules.iter().any(|(_, rule)| rule.verbs.contains(&name)),
    }
}

/// Whether the namespace that was given is known, where the question is asked in it.
fn check_place(place: &Place, words: &Words<'_>, cluster: &Cluster) -> Result<Option<Remark>, QuestionError> {
    match (place, words.namespace) {
        (Place::Namespace(namespace), Some(_)) => check_namespace(namespace, cluster),
        _ => Ok(None),
    }
}

/// Namespaces that every cluster has.
const ALWAYS: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Whether a namespace is one that the inputs know. Inputs that are complete and declare namespaces know all of them.
///
/// # Errors
/// If there is no such namespace.
pub fn check_namespace(namespace: &str, cluster: &Cluster) -> Result<Option<Remark>, QuestionError> {
    let known = cluster.namespaces();
    if ALWAYS.contains(&namespace) || known.contains(&namespace) {
        return Ok(None);
    }
    let nearest = nearest(namespace, known.iter().copied().chain(ALWAYS));
    let namespace = namespace.to_owned();
    let is_complete = cluster.completeness() == Completeness::Complete;
    if is_complete && !cluster.graph().policy().namespaces.is_empty() {
        return Err(QuestionError::UnknownNamespace { namespace, nearest });
    }
    Ok(Some(Remark::UnknownNamespace { namespace, nearest }))
}

fn remark_on_verb(verb: &str, known: Option<&Resource>, subresource: &str) -> Option<Remark> {
    let lower = verb.to_lowercase();
    if is_known_resource_verb(verb) {
        return None;
    }
    if lower != verb && is_known_resource_verb(&lower) {
        return Some(Remark::CapitalVerb(lower));
    }
    let served = known.is_some_and(|known| {
        let verbs = if subresource.is_empty() {
            Some(&known.special_verbs)
        } else {
            known.subresource(subresource).map(|part| &part.verbs)
        };
        verbs.is_some_and(|verbs| verbs.contains(verb))
    });
    (!served).then(|| Remark::UnknownVerb(verb.to_owned()))
}
