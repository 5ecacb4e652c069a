//! kubectl operations as questions: the API requests that `exec`, `drain`, `apply` and the like need.
//!
//! The table `operations/table.yaml` holds what kubectl was seen to send to a live API server; it is read
//! only when an operation is asked. A [`Plan`] knows nothing of policies: the caller answers each
//! [`Step`], the plan combines the answers.
//!
//! *Versions.* The chosen Kubernetes version is the server's and the client's. Servers up to 1.34 open a
//! stream (`exec`, `attach`, `port-forward`, `cp`) for `get` alone, from 1.35 on `create` decides. Clients
//! were observed at 1.32, 1.33 and 1.36; where they differ, the versions between take either behaviour, so that no
//! version gets a "no" that its kubectl would not; those before 1.32 are taken to ask what 1.32 does.
//!
//! *Forms of a command.* The answer is for the plain form of the command, on the object that was asked about: `debug`
//! without `--copy-to`, `drain` without `--disable-eviction`. Other forms that do the same job stand in
//! [`Plan::ways`], what a flag adds to the job in [`Plan::extras`]; neither decides.

mod fill;
mod table;

use std::fmt;

use crate::model::ternary::Ternary;
use crate::model::version::KubernetesVersion;
pub use table::PlanError;

/// The verbs of the API itself (RBAC's own ones among them): never operations, so for them
/// the table is not even read.
const API_VERBS: [&str; 16] = [
    "*",
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
    "attest",
];

/// On what an operation is asked: a resolved resource type, and perhaps a name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The resource, plural: `pods`.
    pub resource: &'a str,
    /// The name of the object, if the question has one.
    pub name: Option<&'a str>,
    /// The subresource, if the question has one.
    pub subresource: Option<&'a str>,
    /// Whether the type is namespaced.
    pub namespaced: bool,
}

/// The name that a request carries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepName {
    /// None, as in a `list` or a `create` by POST: `resourceNames` never grants it.
    Absent,
    /// This name. Kept also on a `create`, where the API server asks with the name.
    Known(String),
    /// The name of the object asked about, and the question named none: to be asked without a name.
    NotGiven,
    /// A name that the question cannot tell, as of a pod behind a deployment. A grant for any name allows
    /// it; where there are only grants limited by `resourceNames`, the answer is unknown.
    Unknown,
}

/// Where a request is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepScope {
    /// In the namespace of the question, whatever the scope of the type asked about.
    Namespace,
    /// Across all namespaces: only cluster-wide bindings count.
    AllNamespaces,
    /// Outside namespaces: only cluster-wide bindings count.
    Cluster,
    /// In the namespace that the question's object is (`namespaces/NAME`): role bindings in it count. Without
    /// a name, as [`StepScope::Cluster`].
    NamespaceObject,
    /// In namespaces that the question cannot tell, those of the pods on a node. A grant for all namespaces
    /// allows it; where only role bindings in some namespaces do, the answer is unknown.
    UnknownNamespaces,
    /// In this namespace.
    Fixed(String),
}

/// One API request that an operation makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The verb that the API server authorises.
    pub verb: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource.
    pub resource: String,
    /// The subresource; empty for none.
    pub subresource: String,
    /// The name in the request.
    pub name: StepName,
    /// Where it is made.
    pub scope: StepScope,
    /// What the request is for, in a few words.
    pub why: String,
}

impl Step {
    /// Whether both are the same request, whatever they are for.
    fn same_request(&self, other: &Self) -> bool {
        let key = |step: &Self| {
            let Self { verb, group, resource, subresource, name, scope, why: _ } = step.clone();
            (verb, group, resource, subresource, name, scope)
        };
        key(self) == key(other)
    }
}

impl fmt::Display for Step {
    /// The request in kubectl's spelling, without its scope: `patch deployments.apps/scale web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        if let StepName::Known(name) = &self.name {
            write!(f, " {name}")?;
        }
        Ok(())
    }
}

/// What a question needs: requests and how they combine. `R` is a request, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need<R = Step> {
    /// One request.
    Request(R),
    /// All of these; nothing at all when empty.
    All(Vec<Need<R>>),
    /// Any one of these suffices.
    Any(Vec<Branch<R>>),
    /// The one whose case holds in the cluster, which the inputs do not tell: yes where all are yes, no where
    /// all are no, else unknown.
    Cases(Vec<Branch<R>>),
}

/// One of several ways or cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch<R = Step> {
    /// Which way or case, in a few words: `SPDY, by POST`, `the object is new`.
    pub label: String,
    /// What it needs.
    pub need: Need<R>,
}

impl<R> Need<R> {
    /// Whether nothing is needed.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::All(needs) if needs.is_empty())
    }

    /// The answer, when `ask` answers each request. A request may be asked more than once.
    pub fn answer(&self, ask: &mut dyn FnMut(&R) -> Ternary) -> Ternary {
        match self {
            Self::Request(request) => ask(request),
            Self::All(needs) => Ternary::all(needs.iter().map(|need| need.answer(ask))),
            Self::Any(ways) => Ternary::any(ways.iter().map(|way| way.need.answer(ask))),
            Self::Cases(cases) => Ternary::whichever(cases.iter().map(|case| case.need.answer(ask))),
        }
    }

    /// The same combination of what stands for the requests.
    pub fn map<S>(&self, of: &mut dyn FnMut(&R) -> S) -> Need<S> {
        let mut branches = |branches: &[Branch<R>]| -> Vec<Branch<S>> {
            let branch =
                |branch: &Branch<R>| Branch { label: branch.label.clone(), need: branch.need.map(of) };
            branches.iter().map(branch).collect()
        };
        match self {
            Self::Any(ways) => Need::Any(branches(ways)),
            Self::Cases(cases) => Need::Cases(branches(cases)),
            Self::Request(request) => Need::Request(of(request)),
            Self::All(needs) => Need::All(needs.iter().map(|need| need.map(of)).collect()),
        }
    }

    /// The requests in the order in which they stand.
    pub fn requests(&self) -> Vec<&R> {
        match self {
            Self::Request(request) => vec![request],
            Self::All(needs) => needs.iter().flat_map(Self::requests).collect(),
            Self::Any(branches) | Self::Cases(branches) => {
                branches.iter().flat_map(|branch| branch.need.requests()).collect()
            }
        }
    }
}

impl Need {
    /// The requests in order, each once.
    pub fn steps(&self) -> Vec<&Step> {
        let mut steps: Vec<&Step> = Vec::new();
        for step in self.requests() {
            if !steps.iter().any(|known| known.same_request(step)) {
                steps.push(step);
            }
        }
        steps
    }
}

/// Another form of the command that does the same job: `--copy-to`, `--disable-eviction`, by selector. It never
/// decides: whoever asks for `drain` types `kubectl drain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The form: `with --copy-to`, `by selector`.
    pub label: String,
    /// What the API asks of every client then.
    pub needs: Need,
    /// What kubectl asks besides then.
    pub kubectl: Need,
}

/// What goes beyond the operation's job: a flag's own requests, or a part of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// What it is: `with -i`, `events in the output`.
    pub label: String,
    /// What it needs.
    pub need: Need,
}

/// The requests of one operation on one target in one Kubernetes version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name of the operation, as [`names`] lists it.
    pub operation: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What the API asks of every client.
    pub needs: Need,
    /// What kubectl asks besides: mostly it reads the object first. Other clients do without.
    pub kubectl: Need,
    /// Whether the answer is whether any client gets through: then [`Plan::kubectl`] does not decide, and a
    /// refusal there is a note. Otherwise the answer is whether kubectl's command does its job.
    pub any_client: bool,
    /// Other forms of the command.
    pub ways: Vec<Way>,
    /// What goes beyond the job; never decides.
    pub extras: Vec<Extra>,
    /// Sentences without a full stop that belong to the answer.
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether the operation is possible, when `ask` answers each request.
    pub fn answer(&self, ask: &mut dyn FnMut(&Step) -> Ternary) -> Ternary {
        if self.any_client { self.needs.answer(ask) } else { self.answer_for_kubectl(ask) }
    }

    /// Whether kubectl itself gets through.
    ///
    /// Beside [`Plan::answer`] this tells when kubectl stumbles where another client does not; beside
    /// `needs.answer`, when another client does what kubectl cannot.
    pub fn answer_for_kubectl(&self, ask: &mut dyn FnMut(&Step) -> Ternary) -> Ternary {
        self.needs.answer(ask).and(self.kubectl.answer(ask))
    }
}

/// Whether `verb` names an operation, by its name or an alias. A verb of the API never does.
pub fn is_operation(verb: &str) -> bool {
    canonical_name(verb).is_some()
}

/// The name of the operation that `text` spells, also with spaces or as kubectl's flag: `rollout restart`,
/// `apply --server-side`, `log`.
pub fn canonical_name(text: &str) -> Option<&'static str> {
    if API_VERBS.contains(&text) {
        return None;
    }
    table::find(text).map(|operation| operation.name.as_str())
}

/// Every operation with what it does, in the order of the table.
pub fn names() -> Vec<(&'static str, &'static str)> {
    table::operations()
        .iter()
        .map(|operation| (operation.name.as_str(), operation.summary.as_str()))
        .collect()
}

/// The requests that the operation `verb` on `target` needs in a Kubernetes version.
///
/// # Errors
/// When `verb` is no operation, or not one on this type of resource.
pub fn plan(verb: &str, target: &Target<'_>, version: KubernetesVersion) -> Result<Plan, PlanError> {
    let known = canonical_name(verb).and_then(table::find);
    known.ok_or_else(|| PlanError::UnknownOperation(verb.to_owned()))?.plan(target, version)
}
