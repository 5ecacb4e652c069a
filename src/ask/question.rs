//! A question: the requests that the API server would really see, and how their answers combine.
//!
//! A verb of the API is one request, a kubectl operation is several. Every command that asks for a verb takes this
//! value, so that they all ask for the same.

use crate::knowledge::operations::{Need, Plan, Step, StepName, StepScope, Way};
use crate::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use crate::model::ternary::Ternary;

mod api_path;
mod error;
mod remark;
mod target;
mod words;

pub use error::QuestionError;
pub use remark::Remark;
pub use target::Target;
pub(crate) use words::HTTP_METHODS;
pub use words::{Words, check_namespace, read, read_path, read_type};

/// A request, owning its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// For an API resource.
    Resource {
        /// The verb.
        verb: String,
        /// The API group.
        group: String,
        /// The resource.
        resource: String,
        /// The subresource; empty for none.
        subresource: String,
        /// The object's name; empty for none.
        name: String,
        /// The namespace; empty for none.
        namespace: String,
    },
    /// For a path that is no API resource.
    NonResource {
        /// The HTTP method in lower case.
        verb: String,
        /// The path.
        path: String,
    },
}

impl Request {
    /// The attributes to authorize.
    pub fn attributes(&self) -> Attributes<'_> {
        match self {
            Self::Resource { verb, group, resource, subresource, name, namespace } => {
                Attributes::Resource(ResourceAttributes {
                    verb,
                    group,
                    resource,
                    subresource,
                    name,
                    namespace,
                })
            }
            Self::NonResource { verb, path } => Attributes::NonResource(NonResourceAttributes { verb, path }),
        }
    }
}

impl From<Attributes<'_>> for Request {
    fn from(attributes: Attributes<'_>) -> Self {
        match attributes {
            Attributes::Resource(asked) => Self::Resource {
                verb: asked.verb.to_owned(),
                group: asked.group.to_owned(),
                resource: asked.resource.to_owned(),
                subresource: asked.subresource.to_owned(),
                name: asked.name.to_owned(),
                namespace: asked.namespace.to_owned(),
            },
            Attributes::NonResource(asked) => {
                Self::NonResource { verb: asked.verb.to_owned(), path: asked.path.to_owned() }
            }
        }
    }
}

/// What a question is about: an object, a type, or a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// The API group; empty for the core group, and for a path.
    pub group: String,
    /// The resource, or the path.
    pub resource: String,
    /// The subresource; empty for none.
    pub subresource: String,
    /// The name; empty for none.
    pub name: String,
}

/// In which namespace a question is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this one.
    Namespace(String),
    /// In all namespaces at once.
    AllNamespaces,
    /// Outside namespaces: a cluster-scoped type, or a path.
    Cluster,
}

impl Place {
    /// The namespace that requests carry; empty for none.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Namespace(namespace) => namespace,
            Self::AllNamespaces | Self::Cluster => "",
        }
    }
}

/// What kind of verb is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A verb of the API.
    Verb,
    /// A kubectl operation, by its name.
    Operation(&'static str),
}

/// How certain the name in a request is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The request is as it stands: it carries this name, or none.
    AsIs,
    /// The request names an object, and the question does not say which.
    NotGiven,
    /// The request names an object that follows from live objects, as of a pod behind a deployment.
    Unknown,
}

/// In which namespace a request of a question is made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// In that of the question, whichever that is.
    InQuestionsNamespace,
    /// As it stands, wherever the question is asked.
    AsIs,
    /// It is for a Namespace itself, and made in the namespace of that name.
    InsideObject,
    /// In namespaces that follow from live objects: those of the pods on a node.
    InUnknownNamespaces,
}

/// One request of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The request, in the namespace of the question.
    pub request: Request,
    /// In which namespace it is made.
    pub made: Made,
    /// How certain its name is.
    pub named: Named,
    /// What an operation needs it for; empty for a verb of the API.
    pub why: String,
    /// Whether it decides; otherwise only kubectl asks it, and other clients do without.
    pub decides: bool,
}

impl Part {
    /// A request by itself.
    pub fn of(request: Request) -> Self {
        let named = match &request {
            Request::Resource { verb, subresource, name, .. } if name.is_empty() => {
                if always_names(verb, subresource) { Named::NotGiven } else { Named::AsIs }
            }
            _ => Named::AsIs,
        };
        let inside_object = named == Named::NotGiven
            && matches!(&request, Request::Resource { group, resource, .. } if group.is_empty() && resource == "namespaces");
        Self {
            made: match &request {
                _ if inside_object => Made::InsideObject,
                Request::Resource { .. } => Made::InQuestionsNamespace,
                Request::NonResource { .. } => Made::AsIs,
            },
            request,
            named,
            why: String::new(),
            decides: true,
        }
    }

    fn of_step(step: &Step, namespace: &str, name: &str, decides: bool) -> Self {
        let request = Request::Resource {
            verb: step.verb.clone(),
            group: step.group.clone(),
            resource: step.resource.clone(),
            subresource: step.subresource.clone(),
            name: match &step.name {
                StepName::Known(name) => name.clone(),
                StepName::Absent | StepName::NotGiven | StepName::Unknown => String::new(),
            },
            namespace: match &step.scope {
                StepScope::Namespace => namespace.to_owned(),
                StepScope::NamespaceObject => name.to_owned(),
                StepScope::Fixed(namespace) => namespace.clone(),
                StepScope::AllNamespaces | StepScope::Cluster | StepScope::UnknownNamespaces => String::new(),
            },
        };
        Self {
            request,
            made: match step.scope {
                StepScope::Namespace => Made::InQuestionsNamespace,
                StepScope::NamespaceObject => Made::InsideObject,
                StepScope::UnknownNamespaces => Made::InUnknownNamespaces,
                StepScope::AllNamespaces | StepScope::Cluster | StepScope::Fixed(_) => Made::AsIs,
            },
            named: match step.name {
                StepName::Known(_) | StepName::Absent => Named::AsIs,
                StepName::NotGiven => Named::NotGiven,
                StepName::Unknown => Named::Unknown,
            },
            why: step.why.clone(),
            decides,
        }
    }

    /// Whether it is the same request, whatever it is for.
    fn is_same(&self, other: &Self) -> bool {
        self.request == other.request && self.named == other.named && self.made == other.made
    }

    /// The attributes of the request, as it is made if the question is asked in another namespace.
    pub fn attributes<'a>(&'a self, moved: Option<&'a str>) -> Attributes<'a> {
        match (self.request.attributes(), moved) {
            (Attributes::Resource(resource), Some(namespace)) if self.made == Made::InQuestionsNamespace => {
                Attributes::Resource(ResourceAttributes { namespace, ..resource })
            }
            (attributes, _) => attributes,
        }
    }
}

/// Whether every request with this verb names its object, as `NewRequestInfo` makes it of the URL.
fn always_names(verb: &str, subresource: &str) -> bool {
    match verb {
        "get" | "update" | "patch" | "delete" | "impersonate" | "bind" | "escalate" | "use" => true,
        "create" => !subresource.is_empty(),
        _ => false,
    }
}

/// Another form of an operation that does the same job; it never decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherWay {
    /// The form: `with --copy-to`.
    pub label: String,
    /// Its requests, each once.
    pub parts: Vec<Part>,
    /// How they combine, by their number in `parts`.
    pub needs: Need<usize>,
}

impl OtherWay {
    fn of(way: &Way, any_client: bool, mut part: impl FnMut(&Step) -> Part) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut number = |step: &Step| {
            let part = part(step);
            let known = parts.iter().position(|known| known.is_same(&part));
            known.unwrap_or_else(|| {
                parts.push(part);
                parts.len() - 1
            })
        };
        let mut needs = vec![way.needs.map(&mut number)];
        if !any_client && !way.kubectl.is_nothing() {
            needs.push(way.kubectl.map(&mut number));
        }
        let needs = <[Need<usize>; 1]>::try_from(needs).map_or_else(Need::All, |[only]| only);
        Self { label: way.label.clone(), parts, needs }
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What kind of verb is asked.
    pub asks: Asks,
    /// What it is about.
    pub object: Object,
    /// Where it is asked.
    pub place: Place,
    /// The scope of its type: whether objects live in namespaces; `None` if the type is not known.
    pub namespaced: Option<bool>,
    /// The requests, each once: those that decide first.
    pub parts: Vec<Part>,
    /// How the requests combine, by their number in `parts`.
    pub needs: Need<usize>,
    /// What kubectl asks besides.
    pub kubectl: Need<usize>,
    /// Whether the answer is whether any client gets through: then `kubectl` does not decide.
    pub any_client: bool,
    /// Other forms of the operation, none of which decides.
    pub ways: Vec<OtherWay>,
    /// How the question was read, where that is not obvious, and what looks like a mistake.
    pub remarks: Vec<Remark>,
}

impl Question {
    /// One request, asked by itself.
    pub fn of_request(request: Request) -> Self {
        let (object, place) = match &request {
            Request::Resource { group, resource, subresource, name, namespace, .. } => (
                Object {
                    group: group.clone(),
                    resource: resource.clone(),
                    subresource: subresource.clone(),
                    name: name.clone(),
                },
                if namespace.is_empty() { Place::Cluster } else { Place::Namespace(namespace.clone()) },
            ),
            Request::NonResource { path, .. } => {
                (Object { resource: path.clone(), ..Object::default() }, Place::Cluster)
            }
        };
        Self {
            asks: Asks::Verb,
            object,
            place,
            namespaced: None,
            parts: vec![Part::of(request)],
            needs: Need::Request(0),
            kubectl: Need::All(Vec::new()),
            any_client: true,
            ways: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The requests of a kubectl operation on an object.
    pub fn of_plan(plan: &Plan, object: Object, place: Place, namespaced: Option<bool>) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut number = |step: &Step, decides: bool| {
            let part = Part::of_step(step, place.namespace(), &object.name, decides);
            // The same request for another reason is asked once.
            let known = parts.iter().position(|known| known.is_same(&part));
            known.unwrap_or_else(|| {
                parts.push(part);
                parts.len() - 1
            })
        };
        let needs = plan.needs.map(&mut |step| number(step, true));
        let kubectl = plan.kubectl.map(&mut |step| number(step, !plan.any_client));
        let ways = plan.ways.iter().map(|way| {
            let part = |step: &Step| Part::of_step(step, place.namespace(), &object.name, true);
            OtherWay::of(way, plan.any_client, part)
        });
        let ways = ways.collect();
        let remarks = plan.notes.iter().map(|note| Remark::OfOperation(note.clone())).collect();
        Self {
            asks: Asks::Operation(plan.operation),
            object,
            place,
            namespaced,
            parts,
            needs,
            kubectl,
            any_client: plan.any_client,
            ways,
            remarks,
        }
    }

    /// Whether some request that decides names an object, and the question does not say which.
    pub fn lacks_name(&self) -> bool {
        self.deciding().any(|part| part.named == Named::NotGiven)
    }

    /// The same question about the object of this name, where it named none.
    #[must_use]
    pub fn named(&self, object: &str) -> Self {
        let mut question = self.clone();
        for part in &mut question.parts {
            if part.named != Named::NotGiven {
                continue;
            }
            if let Request::Resource { name, namespace, .. } = &mut part.request {
                object.clone_into(name);
                if part.made == Made::InsideObject {
                    object.clone_into(namespace);
                }
            }
            part.named = Named::AsIs;
        }
        object.clone_into(&mut question.object.name);
        question
    }

    /// The one request of a question that has no other.
    pub fn single(&self) -> Option<&Part> {
        match (&self.asks, self.parts.as_slice()) {
            (Asks::Verb, [only]) => Some(only),
            _ => None,
        }
    }

    /// The requests that decide.
    pub fn deciding(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.decides)
    }

    /// The answer, where those to its requests are these.
    pub fn combine(&self, answers: &[Ternary]) -> Ternary {
        let of = |number: &usize| answers.get(*number).copied().unwrap_or(Ternary::Unknown);
        let needs = self.needs.answer(&mut |number| of(number));
        if self.any_client { needs } else { needs.and(self.kubectl.answer(&mut |number| of(number))) }
    }

    /// Whether kubectl itself gets through, where the answers to the requests are these.
    pub fn combine_for_kubectl(&self, answers: &[Ternary]) -> Ternary {
        let of = |number: &usize| answers.get(*number).copied().unwrap_or(Ternary::Unknown);
        self.needs.answer(&mut |number| of(number)).and(self.kubectl.answer(&mut |number| of(number)))
    }
}
