//! SubjectAccessReviews in, the same with `status` out: a stream, one review at a time.

use std::borrow::Cow;
use std::io::Write;

use k8s_openapi::api::authorization::v1::{SubjectAccessReviewSpec, SubjectAccessReviewStatus};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::decide::answer::Doubt;
use crate::decide::cluster::{Cluster, Who};
use crate::document::{Kind, Node, ScalarType, Tree, yaml};
use crate::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};
use crate::model::ternary::Ternary;
use crate::model::user::UserInfo;

mod chunks;
mod lean;
mod stream;

pub use stream::stream;

#[derive(Serialize, Deserialize)]
struct Review<'a, S> {
    #[serde(rename = "apiVersion", borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    #[serde(default = "nothing")]
    spec: Option<S>,
    #[serde(skip_deserializing)]
    status: Status,
}

fn nothing<S>() -> Option<S> {
    None
}

/// How many reviews a stream held.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Streamed {
    /// All of them.
    pub reviews: usize,
    /// Those that are malformed, or that the API server would refuse.
    pub malformed: usize,
}

impl Streamed {
    fn one(is_well_formed: bool) -> Self {
        Self { reviews: 1, malformed: usize::from(!is_well_formed) }
    }

    fn add(&mut self, other: Self) {
        self.reviews += other.reviews;
        self.malformed += other.malformed;
    }
}

/// The status as the API server sends it, with `reason` always there.
#[derive(Default, Serialize)]
struct Status {
    allowed: bool,
    reason: String,
    #[serde(rename = "evaluationError", skip_serializing_if = "Option::is_none")]
    evaluation_error: Option<String>,
    /// Whether the review is one that the API server would answer.
    #[serde(skip)]
    is_refused: bool,
}

impl Status {
    /// A review that the API server would refuse.
    fn refused(error: String) -> Self {
        Self { is_refused: true, ..Self::failed(error) }
    }

    /// A review that cannot be answered from the inputs.
    fn failed(error: String) -> Self {
        Self { evaluation_error: Some(error), ..Self::default() }
    }
}

impl From<Status> for SubjectAccessReviewStatus {
    fn from(status: Status) -> Self {
        let Status { allowed, reason, evaluation_error, is_refused: _ } = status;
        let reason = (evaluation_error.is_none() || !reason.is_empty()).then_some(reason);
        Self { allowed, reason, evaluation_error, ..Self::default() }
    }
}

const API_VERSION: &str = "authorization.k8s.io/v1";
const KIND: &str = "SubjectAccessReview";

/// The keys of `extra` by which the authorizer of EKS knows a principal.
const PRINCIPAL_IDS: [&str; 2] = ["principalId", "sigs.k8s.io/aws-iam-authenticator/principalId"];
const OF_PRINCIPAL_ID: &str =
    "unknown: access policies of the principal with this ID may allow it, and the inputs hold no IDs";

/// Decides one SubjectAccessReview as the API server's `subjectaccessreviews` endpoint does.
///
/// User and groups are taken as given. A review without both, but with `extra.arn`, is resolved through the
/// identity mappings. What the API server would refuse gets an `evaluationError`.
pub fn review(cluster: &Cluster, spec: &SubjectAccessReviewSpec) -> SubjectAccessReviewStatus {
    spec.status(cluster).into()
}

/// The `spec` of a review, however it was read.
trait Spec: Serialize {
    fn status(&self, cluster: &Cluster) -> Status;
}

impl Spec for SubjectAccessReviewSpec {
    fn status(&self, cluster: &Cluster) -> Status {
        let attributes = match (&self.resource_attributes, &self.non_resource_attributes) {
            (Some(resource), None) => Some(Attributes::Resource(ResourceAttributes {
                verb: resource.verb.as_deref().unwrap_or_default(),
                group: resource.group.as_deref().unwrap_or_default(),
                resource: resource.resource.as_deref().unwrap_or_default(),
                subresource: resource.subresource.as_deref().unwrap_or_default(),
                name: resource.name.as_deref().unwrap_or_default(),
                namespace: resource.namespace.as_deref().unwrap_or_default(),
            })),
            (None, Some(url)) => Some(Attributes::NonResource(NonResourceAttributes {
                verb: url.verb.as_deref().unwrap_or_default(),
                path: url.path.as_deref().unwrap_or_default(),
            })),
            _ => None,
        };
        let extra = |key: &str| self.extra.as_ref().and_then(|extra| extra.get(key));
        let arns = extra("arn").map_or(&[][..], Vec::as_slice);
        let has_id = PRINCIPAL_IDS.iter().any(|key| extra(key).is_some());
        let groups = self.groups.as_deref().unwrap_or_default();
        status(cluster, attributes, self.user.as_deref().unwrap_or_default(), groups, arns, has_id)
    }
}

impl Spec for lean::Spec<'_> {
    fn status(&self, cluster: &Cluster) -> Status {
        let has_id = self.has_extra(&PRINCIPAL_IDS);
        status(cluster, self.attributes(), self.user(), self.groups(), self.arns(), has_id)
    }
}

fn status<T: AsRef<str>>(
    cluster: &Cluster,
    attributes: Option<Attributes<'_>>,
    user: &str,
    groups: &[T],
    arns: &[T],
    has_principal_id: bool,
) -> Status {
    let Some(attributes) = attributes else {
        return Status::refused(
            "spec: exactly one of nonResourceAttributes or resourceAttributes must be specified".into(),
        );
    };
    let graph = cluster.graph();
    let mut caller = None;
    let asker = if user.is_empty() && groups.is_empty() {
        let [arn] = arns else {
            return Status::refused("spec: at least one of user or groups must be specified".into());
        };
        let arn = arn.as_ref();
        let who = cluster.identify(arn, None);
        let Some(user) = who.certain() else {
            return of_no_certain_user(cluster, arn, &who, &attributes);
        };
        if let Some(group) = cluster.refused_by_aggregated(&who, &attributes) {
            let reason = format!("the username is empty, so the server of `{group}` answers 401");
            return Status { reason, ..Status::default() };
        }
        if who.only_instances() && cluster.ternary_for_type(&who, &attributes) != Ternary::No {
            return Status::failed(format!(
                "unknown: only sessions of `{arn}` whose name is an EC2 instance ID log in"
            ));
        }
        caller = Some(who);
        graph.asker(&user)
    } else {
        graph.asker_of(user, groups.iter().map(AsRef::as_ref))
    };
    let decision = graph.authorize(&asker, &attributes);
    let allowed = decision.is_allowed();
    // The API server has seen everything; here something may be missing that allows it.
    let evaluation_error = if allowed {
        None
    } else if has_principal_id && cluster.identities().access().is_some() {
        // Access policies are found by the ID of the principal, which no input holds.
        Some(OF_PRINCIPAL_ID.to_owned())
    } else {
        let who =
            caller.unwrap_or_else(|| Who::user(UserInfo::as_given(user, groups.iter().map(AsRef::as_ref))));
        why_unknown(cluster, &who, &attributes)
    };
    Status { allowed, reason: graph.reason(&decision), evaluation_error, is_refused: false }
}

/// What becomes of an ARN that has no user, or none that the inputs tell for certain.
fn of_no_certain_user(cluster: &Cluster, arn: &str, who: &Who, attributes: &Attributes<'_>) -> Status {
    let answer = cluster.answer_for_type(who, attributes);
    match (answer.ternary, answer.grants.first()) {
        // Whichever user it is, the request is allowed.
        (Ternary::Yes, grant) => Status {
            allowed: true,
            reason: grant.map(|grant| cluster.graph().allow_reason(grant).to_string()).unwrap_or_default(),
            ..Status::default()
        },
        (Ternary::Unknown, _) => match answer.doubts.first() {
            Some(doubt) => Status::failed(format!("unknown: {}", doubt.summary())),
            None => Status::failed("unknown: the user of this ARN is unknown".to_owned()),
        },
        (Ternary::No, _) => {
            let error = who.error().map(ToString::to_string).unwrap_or_default();
            Status::failed(format!("`{arn}` has no Kubernetes user: {error}"))
        }
    }
}

/// Why a denial is not certain, if so: what `can-i` answers with unknown.
fn why_unknown(cluster: &Cluster, who: &Who, attributes: &Attributes<'_>) -> Option<String> {
    if cluster.ternary_for_type(who, attributes) != Ternary::Unknown {
        return None;
    }
    let answer = cluster.answer_for_type(who, attributes);
    let doubt = answer.doubts.first()?;
    Some(match doubt {
        Doubt::Unread(source) => {
            format!("unknown: {} ({})", doubt.summary(), cluster.sources().show(*source))
        }
        Doubt::SourceForm(form, _) => format!("unknown: {}: {}", doubt.summary(), form.sentence),
        doubt => format!("unknown: {}", doubt.summary()),
    })
}

fn parse<'a, S: Deserialize<'a>>(text: &'a str) -> serde_json::Result<Review<'a, S>> {
    serde_json::from_str(text)
}

fn answer<S: Spec>(
    cluster: &Cluster,
    mut review: Review<'_, S>,
    output: &mut (impl Write + ?Sized),
) -> std::io::Result<Streamed> {
    let group = review.api_version.split('/').next().unwrap_or_default();
    let wrong_kind = !matches!(&*review.kind, "" | KIND | "LocalSubjectAccessReview");
    review.status = match &review.spec {
        _ if wrong_kind || (!group.is_empty() && group != "authorization.k8s.io") => {
            Status::refused(format!(
                "`{} {}` is not a SubjectAccessReview of `{API_VERSION}`",
                review.api_version, review.kind
            ))
        }
        Some(spec) => spec.status(cluster),
        None => Status::refused("spec: Required value".into()),
    };
    if review.api_version.is_empty() {
        review.api_version = API_VERSION.into();
    }
    if review.kind.is_empty() {
        review.kind = KIND.into();
    }
    serde_json::to_writer(&mut *output, &review)?;
    output.write_all(b"\n")?;
    Ok(Streamed::one(!review.status.is_refused))
}

fn malformed(error: &str, output: &mut dyn Write) -> std::io::Result<Streamed> {
    let review = Review {
        api_version: API_VERSION.into(),
        kind: KIND.into(),
        metadata: None,
        spec: None::<SubjectAccessReviewSpec>,
        status: Status::refused(format!("malformed review: {error}")),
    };
    serde_json::to_writer(&mut *output, &review)?;
    output.write_all(b"\n")?;
    Ok(Streamed::one(false))
}

/// Answers the reviews of a chunk: one JSON value, several on a line, or one YAML document.
fn chunk_of(cluster: &Cluster, chunk: &[u8], output: &mut Vec<u8>) -> std::io::Result<Streamed> {
    let Ok(text) = std::str::from_utf8(chunk) else {
        return malformed("not UTF-8", output);
    };
    // One line, one review: the common case needs no copy. What does not parse goes the long way.
    if let Ok(review) = parse::<lean::Spec<'_>>(text) {
        return answer(cluster, review, output);
    }
    if text.trim_start().starts_with('{') {
        let mut count = Streamed::default();
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let mut trouble = None;
        for value in &mut values {
            match value {
                Ok(value) => count.add(match parse::<SubjectAccessReviewSpec>(value.get()) {
                    Ok(review) => answer(cluster, review, output)?,
                    Err(error) => malformed(&error.to_string(), output)?,
                }),
                Err(error) => {
                    trouble = Some(error.to_string());
                    break;
                }
            }
        }
        let Some(trouble) = trouble else { return Ok(count) };
        if count.reviews == 0 {
            // A flow mapping is YAML, though not JSON.
            if let Some(json) = json_of_yaml(text) {
                return yaml_review(cluster, &json, output);
            }
        }
        count.add(malformed(&trouble, output)?);
        return Ok(count);
    }
    let mut tree = Tree::default();
    match yaml::read(text, &mut tree) {
        Ok(()) => match tree.root() {
            None => Ok(Streamed::default()),
            Some(root) if root.is_null() => Ok(Streamed::default()),
            Some(root) => yaml_review(cluster, &json_of(root).to_string(), output),
        },
        Err(error) => malformed(&error.message, output),
    }
}

fn yaml_review(cluster: &Cluster, json: &str, output: &mut dyn Write) -> std::io::Result<Streamed> {
    match parse::<SubjectAccessReviewSpec>(json) {
        Ok(review) => answer(cluster, review, output),
        Err(error) => malformed(&error.to_string(), output),
    }
}

fn json_of_yaml(text: &str) -> Option<String> {
    let mut tree = Tree::default();
    yaml::read(text, &mut tree).ok()?;
    tree.root().map(|root| json_of(root).to_string())
}

/// What a node says as JSON, scalars meaning what kubectl makes of them.
fn json_of(node: Node<'_>) -> serde_json::Value {
    use serde_json::Value;
    match node.kind() {
        Kind::Sequence => Value::Array(node.items().map(json_of).collect()),
        Kind::Mapping => {
            Value::Object(node.pairs().map(|(key, value)| (key.text().to_owned(), json_of(value))).collect())
        }
        Kind::Text | Kind::Plain => match node.scalar() {
            Some(ScalarType::Null) => Value::Null,
            Some(ScalarType::Bool) => {
                Value::Bool(crate::document::scalar::boolean(node.text()).unwrap_or_default())
            }
            Some(ScalarType::Int | ScalarType::Float) => {
                serde_json::from_str(node.text()).unwrap_or_else(|_| Value::from(0))
            }
            _ => Value::from(node.text()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Input, LoadOptions, load};

    fn cluster() -> Cluster {
        let text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n\
            roleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: User, name: \"b\\\"b\"}]\n";
        let input = Input::Text { name: "b.yaml".into(), bytes: text.as_bytes().to_vec() };
        load(&[input], &LoadOptions::default()).unwrap().into()
    }

    fn answered<'a, S: Spec + Deserialize<'a>>(cluster: &Cluster, text: &'a str) -> Option<String> {
        let mut out = Vec::new();
        answer(cluster, parse::<S>(text).ok()?, &mut out).unwrap();
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_denial_beside_what_was_not_understood_says_so() {
        let bound = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n\
            roleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: User, name: bob}]\n";
        let broken = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: [\n";
        for (text, error) in [
            (bound.to_owned(), None),
            (
                format!("{bound}{broken}"),
                Some("unknown: a document could not be read, or has unfilled placeholders (b.yaml:9)"),
            ),
        ] {
            let input = Input::Text { name: "b.yaml".into(), bytes: text.into_bytes() };
            let cluster: Cluster = load(&[input], &LoadOptions::default()).unwrap().into();
            let status = |verb: &str| {
                let spec =
                    format!(r#"{{"user":"bob","resourceAttributes":{{"verb":"{verb}","resource":"pods"}}}}"#);
                review(&cluster, &serde_json::from_str(&spec).unwrap())
            };
            let (yes, no) = (status("get"), status("delete"));
            assert_eq!((yes.allowed, yes.evaluation_error.as_deref()), (true, None));
            assert_eq!((no.allowed, no.evaluation_error.as_deref()), (false, error));
        }
    }

    #[test]
    fn a_review_says_the_same_however_it_is_read() {
        let get = r#""resourceAttributes":{"verb":"get","resource":"pods","namespace":"n"}"#;
        let all = r#""resourceAttributes":{"version":"v1","verb":"get","subresource":"log","resource":"pods","namespace":"n","name":"p","group":"g"}"#;
        let rows: &[(&str, String, bool)] = &[
            ("plain", format!(r#"{{"user":"a",{get}}}"#), true),
            (
                "every_field",
                format!(r#"{{"user":"a","uid":"u","groups":["g","h"],{all},"extra":{{"b":[],"a":["x"]}}}}"#),
                true,
            ),
            ("escapes", format!(r#"{{"user":"b\"b\u0041","groups":["\n"],{get}}}"#), true),
            ("allowed", format!(r#"{{"user":"b\"b",{get}}}"#), true),
            ("null_fields", format!(r#"{{"user":"a","groups":null,"extra":null,{get}}}"#), true),
            ("unknown_field", format!(r#"{{"user":"a","colour":[1,{{}}],{get}}}"#), true),
            ("url", r#"{"user":"a","nonResourceAttributes":{"verb":"get","path":"/healthz"}}"#.into(), true),
            ("both", format!(r#"{{"user":"a",{get},"nonResourceAttributes":{{}}}}"#), true),
            ("neither", r#"{"user":"a"}"#.into(), true),
            ("nobody", format!("{{{get}}}"), true),
            ("arn", format!(r#"{{{get},"extra":{{"arn":["arn:aws:iam::111122223333:user/a"]}}}}"#), true),
            ("null_spec", "null".into(), true),
            (
                "selector",
                r#"{"user":"a","resourceAttributes":{"labelSelector":{"rawSelector":"a=b"}}}"#.into(),
                false,
            ),
            ("field_twice", format!(r#"{{"user":"a","user":"b",{get}}}"#), false),
        ];
        let cluster = cluster();
        for (name, spec, lean) in rows {
            let review =
                format!(r#"{{"kind":"SubjectAccessReview","metadata":{{"name":"x"}},"spec":{spec}}}"#);
            let typed = answered::<SubjectAccessReviewSpec>(&cluster, &review);
            assert!(typed.is_some(), "{name}");
            let borrowed = answered::<lean::Spec<'_>>(&cluster, &review);
            assert_eq!(borrowed.is_some(), *lean, "{name}");
            if *lean {
                assert_eq!(borrowed, typed, "{name}");
            }
        }
        let allowed = answered::<lean::Spec<'_>>(&cluster, &format!(r#"{{"spec":{}}}"#, rows[3].1)).unwrap();
        assert!(
            allowed.contains(r#""allowed":true,"reason":"RBAC: allowed by ClusterRoleBinding \"b\""#),
            "{allowed}"
        );
    }
}
