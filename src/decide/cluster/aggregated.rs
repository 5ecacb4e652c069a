//! Requests that the API server hands on to the server of an add-on, which authenticates the caller again.

use super::{Cluster, Who};
use crate::decide::answer::{Answer, NearMiss};
use crate::knowledge::aggregated;
use crate::model::attributes::Attributes;

impl Cluster {
    /// The API group of a request that an add-on's server answers behind the proxy; `None` for any other.
    ///
    /// A group of which an `APIService` of the inputs tells; else one of a well-known add-on, unless a CRD of the inputs
    /// defines types in it.
    fn aggregated_group<'a>(&self, attributes: &Attributes<'a>) -> Option<&'a str> {
        let group = match attributes {
            Attributes::Resource(resource) => resource.group,
            // `/apis/GROUP` itself is answered by the proxy.
            Attributes::NonResource(url) => {
                let (group, rest) = url.path.strip_prefix("/apis/")?.split_once('/')?;
                Some(group).filter(|_| !rest.is_empty())?
            }
        };
        self.is_aggregated(group).then_some(group)
    }

    /// Whether an add-on's server answers what is asked of a group.
    pub(crate) fn is_aggregated(&self, group: &str) -> bool {
        let is_crd = || self.catalogue.iter().any(|one| one.group == group && one.from_crd.is_some());
        self.catalogue.has_api_service(group) || (aggregated::is_known(group) && !is_crd())
    }

    /// The group whose server does not take this caller for a login: the username is empty, so the proxy has nothing to
    /// name it by, and the answer is 401, whatever its groups are.
    pub fn refused_by_aggregated<'a>(&self, who: &Who, attributes: &Attributes<'a>) -> Option<&'a str> {
        if who.has_no_username() { self.aggregated_group(attributes) } else { None }
    }
}

/// The answer to such a request.
pub(super) fn refused<'g>(group: &str) -> Answer<'g> {
    Answer { near: vec![NearMiss::NoUsername(group.to_owned())], ..Answer::no() }
}
