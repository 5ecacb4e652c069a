//! The `spec` of a review, borrowed from its line: the same fields in the same order as [`SubjectAccessReviewSpec`],
//! without a copy of any text.
//!
//! What is rarely there (selectors, fields that stand twice, values of another type) does not read here; then the
//! type of the API reads the review instead, and says what it says.
//!
//! [`SubjectAccessReviewSpec`]: k8s_openapi::api::authorization::v1::SubjectAccessReviewSpec

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::attributes::{Attributes, NonResourceAttributes, ResourceAttributes};

/// A text, borrowed unless it has escapes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Anything that this form does not read.
#[derive(Debug, Serialize, Deserialize)]
enum Rare {}

/// [`SubjectAccessReviewSpec`](k8s_openapi::api::authorization::v1::SubjectAccessReviewSpec).
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    extra: Option<BTreeMap<Text<'a>, Vec<Text<'a>>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Text<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    non_resource_attributes: Option<NonResource<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    resource_attributes: Option<Resource<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    uid: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user: Option<Text<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the API's own name")]
struct Resource<'a> {
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "it is there so that a review with one does not read")]
    field_selector: Option<Rare>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    group: Option<Text<'a>>,
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "it is there so that a review with one does not read")]
    label_selector: Option<Rare>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    namespace: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    resource: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    subresource: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    verb: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    version: Option<Text<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct NonResource<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    path: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    verb: Option<Text<'a>>,
}

fn text<'t>(text: Option<&'t Text<'_>>) -> &'t str {
    text.map_or("", AsRef::as_ref)
}

impl<'a> Spec<'a> {
    /// The request, if exactly one is described.
    pub(super) fn attributes(&self) -> Option<Attributes<'_>> {
        match (&self.resource_attributes, &self.non_resource_attributes) {
            (Some(resource), None) => Some(Attributes::Resource(ResourceAttributes {
                verb: text(resource.verb.as_ref()),
                group: text(resource.group.as_ref()),
                resource: text(resource.resource.as_ref()),
                subresource: text(resource.subresource.as_ref()),
                name: text(resource.name.as_ref()),
                namespace: text(resource.namespace.as_ref()),
            })),
            (None, Some(url)) => Some(Attributes::NonResource(NonResourceAttributes {
                verb: text(url.verb.as_ref()),
                path: text(url.path.as_ref()),
            })),
            _ => None,
        }
    }

    pub(super) fn user(&self) -> &str {
        text(self.user.as_ref())
    }

    pub(super) fn groups(&self) -> &[Text<'a>] {
        self.groups.as_deref().unwrap_or_default()
    }

    /// Whether `extra` says anything under one of these keys.
    pub(super) fn has_extra(&self, keys: &[&str]) -> bool {
        self.extra.iter().flatten().any(|(key, _)| keys.contains(&key.as_ref()))
    }

    /// What `extra` says of ARNs.
    pub(super) fn arns(&self) -> &[Text<'a>] {
        let found = self.extra.iter().flatten().find(|(key, _)| key.as_ref() == "arn");
        found.map_or(&[], |(_, arns)| arns)
    }
}
