//! The catalogue of API resources: what kubectl learns from discovery, built in, and the CRDs of the inputs.
//!
//! The built-in facts are those of one Kubernetes version with its default flags, and of EKS where that serves more.
//! Nothing is decided here: a type that a version has more or less changes how a name is read, which warning it gets
//! and what a wildcard expands to, never whether a rule matches.
//!
//! Beside what discovery lists there are types, subresources and verbs that RBAC authorises although no
//! such thing is served (`users` for `impersonate`, `nodes/metrics` for the kubelet, `escalate` on
//! `roles`); they are marked, for kubectl does not know them.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashSet};

pub use crate::knowledge::catalogue::resolve::Resolution;
pub use crate::knowledge::catalogue::suggest::NearSubresource;
pub use crate::knowledge::catalogue::verbs::{
    Verbs, is_known_resource_verb, is_known_url_verb, known_resource_verbs,
};
use crate::knowledge::scopes;
use crate::model::source::Source;
use crate::model::version::{KubernetesVersion, Platform};

mod builtin;
mod resolve;
mod suggest;
mod verbs;

/// The types that some version of Kubernetes serves, by group and plural.
static SERVED_SOMEWHERE: LazyLock<FxHashSet<(String, String)>> = LazyLock::new(|| {
    let catalogues = KubernetesVersion::all().map(|version| builtin::parse(version, Platform::Kubernetes).0);
    let served = catalogues.flatten().filter(|known| known.discovered);
    served.map(|known| (known.group.into_owned(), known.plural.into_owned())).collect()
});

/// A text that is built in, or came from an input.
pub type Text = Cow<'static, str>;

/// A type of object that the API server knows, or authorises as if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: Text,
    /// The versions in which it is served; of a built-in one the preferred version comes first.
    pub versions: Vec<Text>,
    /// The name that rules use: `deployments`.
    pub plural: Text,
    /// `deployment`; empty where there is none.
    pub singular: Text,
    /// `Deployment`; empty where there is none.
    pub kind: Text,
    /// Such as `deploy`.
    pub short_names: Vec<Text>,
    /// Such as `all`.
    pub categories: Vec<Text>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The verbs that the API server serves.
    pub verbs: Verbs,
    /// Verbs that are authorised on it without being served: `escalate`, `impersonate`, `approve`.
    pub special_verbs: Verbs,
    /// The subresources, in the order of discovery; those that it does not list come last.
    pub subresources: Vec<Subresource>,
    /// Whether discovery lists it, so that kubectl knows it. A plain cluster has no metrics server, so
    /// `metrics.k8s.io` counts as not listed.
    pub discovered: bool,
    /// Where the CRD stands that defines it, or what else tells of it; `None` for what is built in.
    pub from_crd: Option<Source>,
    /// Where its group stands in the order of discovery; the groups of CRDs come last, by name.
    rank: usize,
}

/// A subresource, such as `log` of `pods`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subresource {
    /// The name after the slash.
    pub name: Text,
    /// The verbs that are served, or, where it is not listed, those that are asked of the authorizer.
    pub verbs: Verbs,
    /// Whether discovery lists it.
    pub discovered: bool,
}

impl Resource {
    /// A subresource by its name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    /// Whether `TYPE/name` is rather a subresource than an object of that name.
    ///
    /// True for the known subresources, for `finalizers`, which any type has (no request goes there, but
    /// the admission plugin `OwnerReferencesPermissionEnforcement` asks for it), and for whatever follows
    /// `userextras/`, where the key of the extra field stands in place of a subresource.
    pub fn has_subresource(&self, name: &str) -> bool {
        self.subresource(name).is_some()
            || (name == "finalizers" && self.discovered)
            || (self.plural == "userextras" && !name.is_empty())
    }

    /// The name as people write it: `pods`, `deployments.apps`.
    pub fn full_name(&self) -> String {
        spell(&self.plural, &self.group)
    }

    /// Whether kubectl takes the type without a warning although discovery does not list it
    /// (`nonStandardResourceNames`).
    pub fn is_accepted_by_kubectl(&self) -> bool {
        self.group.is_empty() && (self.plural == "users" || self.plural == "groups")
    }

    /// What decides which of several resources kubectl takes: the order of groups in discovery.
    fn priority(&self) -> (usize, &str, &str) {
        (self.rank, &self.group, &self.plural)
    }
}

fn spell(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

/// What a `CustomResourceDefinition` says, as far as it matters here.
#[derive(Clone, Debug)]
pub struct CustomResource {
    /// `spec.group`.
    pub group: String,
    /// The names of `spec.versions` with `served: true`, in any order.
    pub versions: Vec<String>,
    /// `spec.names.plural`.
    pub plural: String,
    /// `spec.names.singular`; when empty, the kind in lower case, as the API server sets it.
    pub singular: String,
    /// `spec.names.kind`.
    pub kind: String,
    /// `spec.names.shortNames`.
    pub short_names: Vec<String>,
    /// `spec.names.categories`.
    pub categories: Vec<String>,
    /// Whether `spec.scope` is `Namespaced`.
    pub namespaced: bool,
    /// Whether any served version has the subresource `status`.
    pub has_status: bool,
    /// Whether any served version has the subresource `scale`.
    pub has_scale: bool,
    /// Where it stands.
    pub source: Source,
}

/// A resource as discovery of a cluster tells it, in one version.
#[derive(Clone, Debug)]
pub struct Served {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The name that rules use.
    pub plural: String,
    /// The singular.
    pub singular: String,
    /// The kind.
    pub kind: String,
    /// Such as `deploy`.
    pub short_names: Vec<String>,
    /// Such as `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The verbs that are served.
    pub verbs: Verbs,
    /// The subresources with their verbs; `None` where the source does not tell them.
    pub subresources: Option<Vec<(String, Verbs)>>,
    /// Where it stands.
    pub source: Source,
}

/// What became of a CRD.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It defines a new resource.
    New,
    /// It took the place of one of the same name that stands at this place.
    Replaced(Source),
    /// Nothing: the API server serves a resource of its own under this name.
    BuiltIn,
    /// Nothing: no version of it is served.
    NotServed,
}

/// All resources that are known.
#[derive(Clone, Debug)]
pub struct Catalogue {
    resources: Vec<Resource>,
    /// The groups of the built-in resources, in the order of discovery.
    groups: Vec<&'static str>,
    /// The number of a resource, by its group and plural.
    index: HashTable<usize>,
    /// Verbs that the API server asks for beside those of requests; one may end in `*`.
    asked_verbs: Vec<&'static str>,
    /// The groups that an `APIService` hands on to the server of an add-on.
    api_services: Vec<String>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::of(KubernetesVersion::default(), Platform::Kubernetes)
    }
}

fn hash(group: &str, plural: &str) -> u64 {
    FxBuildHasher.hash_one((group, plural))
}

impl Catalogue {
    /// The resources of Kubernetes itself.
    pub fn of(version: KubernetesVersion, platform: Platform) -> Self {
        let (resources, groups) = builtin::parse(version, platform);
        let mut catalogue = Self {
            resources: Vec::with_capacity(resources.len()),
            groups,
            index: HashTable::new(),
            asked_verbs: builtin::asked_verbs(version),
            api_services: Vec::new(),
        };
        for resource in resources {
            catalogue.push(resource);
        }
        catalogue
    }

    fn push(&mut self, resource: Resource) {
        let number = self.resources.len();
        let hash_now = hash(&resource.group, &resource.plural);
        self.resources.push(resource);
        let resources = &self.resources;
        self.index.insert_unique(hash_now, number, |number| {
            resources.get(*number).map_or(0, |resource| hash(&resource.group, &resource.plural))
        });
    }

    fn number(&self, group: &str, plural: &str) -> Option<usize> {
        let same = |number: &usize| {
            self.resources.get(*number).is_some_and(|known| known.group == group && known.plural == plural)
        };
        self.index.find(hash(group, plural), same).copied()
    }

    /// Adds the resource that a CRD defines, with the verbs and subresources that every CRD serves.
    pub fn add_crd(&mut self, crd: CustomResource) -> Added {
        if crd.versions.is_empty() {
            return Added::NotServed;
        }
        let known = self.number(&crd.group, &crd.plural);
        let rank = self.groups.iter().position(|group| *group == crd.group).unwrap_or(usize::MAX);
        let resource = crd.into_resource(rank);
        let Some(place) = known.and_then(|number| self.resources.get_mut(number)) else {
            self.push(resource);
            return Added::New;
        };
        match place.from_crd {
            None if place.discovered => Added::BuiltIn,
            before => {
                *place = resource;
                before.map_or(Added::New, Added::Replaced)
            }
        }
    }

    /// Whether the API server asks for a verb that is none of a request, such as `impersonate-on:user-info:get`.
    pub fn asks_for(&self, verb: &str) -> bool {
        self.asked_verbs.iter().any(|asked| match asked.strip_suffix('*') {
            Some(beginning) => verb.len() > beginning.len() && verb.starts_with(beginning),
            None => *asked == verb,
        })
    }

    /// Adds a resource that a cluster serves. What is known already, built in or from a CRD, is served in one more
    /// version; nothing is taken away.
    pub fn add_served(&mut self, served: Served) {
        let known = self.number(&served.group, &served.plural);
        let rank = self.groups.iter().position(|group| *group == served.group).unwrap_or(usize::MAX);
        let Some(place) = known.and_then(|number| self.resources.get_mut(number)) else {
            self.push(served.into_resource(rank));
            return;
        };
        if place.discovered {
            if !place.versions.iter().any(|version| *version == served.version) {
                place.versions.push(Cow::Owned(served.version));
            }
            for (name, verbs) in served.subresources.into_iter().flatten() {
                if place.subresource(&name).is_none() {
                    place.subresources.push(Subresource { name: Cow::Owned(name), verbs, discovered: true });
                }
            }
        } else {
            let special_verbs = place.special_verbs;
            *place = Resource { special_verbs, ..served.into_resource(rank) };
        }
    }

    /// The resource of that group and plural, exactly.
    pub fn find(&self, group: &str, plural: &str) -> Option<&Resource> {
        self.number(group, plural).and_then(|number| self.resources.get(number))
    }

    /// Says that an `APIService` hands a group on to the server of an add-on.
    pub fn add_api_service(&mut self, group: &str) {
        if !self.has_api_service(group) {
            self.api_services.push(group.to_owned());
        }
    }

    /// Whether an `APIService` hands a group on.
    pub fn has_api_service(&self, group: &str) -> bool {
        self.api_services.iter().any(|own| own == group)
    }

    /// Whether objects of a type live in namespaces, as its definition says, or else the table of well-known types;
    /// `None` where neither tells.
    pub fn is_namespaced(&self, group: &str, plural: &str) -> Option<bool> {
        let known = self.find(group, plural).map(|known| known.namespaced);
        known.or_else(|| scopes::is_namespaced(group, plural))
    }

    /// Whether Kubernetes itself serves a type, in this version or another: no add-on brings it, or rules on it.
    pub fn is_built_in(&self, group: &str, plural: &str) -> bool {
        if plural == "*" {
            return group == "*" || self.is_served(group);
        }
        if SERVED_SOMEWHERE.contains(&(group.to_owned(), plural.to_owned())) {
            return true;
        }
        self.find(group, plural)
            .is_some_and(|known| known.from_crd.is_none() && (known.discovered || self.is_served(group)))
    }

    /// Whether a cluster without add-ons serves an API group: then all of its types are known.
    pub fn is_served(&self, group: &str) -> bool {
        let mut served = self.resources.iter().filter(|known| known.discovered && known.from_crd.is_none());
        served.any(|known| known.group == group)
    }

    /// Every resource: the built-in ones in the order of discovery, then those of CRDs as they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter()
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Whether there is none; never so.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }
}

impl Served {
    fn into_resource(self, rank: usize) -> Resource {
        let owned = |texts: Vec<String>| texts.into_iter().map(Cow::Owned).collect();
        let part = |(name, verbs): (String, Verbs), discovered| Subresource {
            name: Cow::Owned(name),
            verbs,
            discovered,
        };
        let subresources = match self.subresources {
            Some(parts) => parts.into_iter().map(|own| part(own, true)).collect(),
            // What any type may have.
            None => ["status", "scale"].map(|name| part((name.to_owned(), Verbs::PART), false)).into(),
        };
        Resource {
            group: Cow::Owned(self.group),
            versions: vec![Cow::Owned(self.version)],
            plural: Cow::Owned(self.plural),
            singular: Cow::Owned(self.singular),
            kind: Cow::Owned(self.kind),
            short_names: owned(self.short_names),
            categories: owned(self.categories),
            namespaced: self.namespaced,
            verbs: self.verbs,
            special_verbs: Verbs::NONE,
            subresources,
            discovered: true,
            from_crd: Some(self.source),
            rank,
        }
    }
}

impl CustomResource {
    fn into_resource(self, rank: usize) -> Resource {
        let part = |there: bool, name: &'static str| {
            there.then_some(Subresource { name: Cow::Borrowed(name), verbs: Verbs::PART, discovered: true })
        };
        let subresources =
            [part(self.has_status, "status"), part(self.has_scale, "scale")].into_iter().flatten().collect();
        let singular = if self.singular.is_empty() { self.kind.to_lowercase() } else { self.singular };
        let owned = |texts: Vec<String>| texts.into_iter().map(Cow::Owned).collect();
        Resource {
            group: Cow::Owned(self.group),
            versions: owned(self.versions),
            plural: Cow::Owned(self.plural),
            singular: Cow::Owned(singular),
            kind: Cow::Owned(self.kind),
            short_names: owned(self.short_names),
            categories: owned(self.categories),
            namespaced: self.namespaced,
            verbs: Verbs::STORED,
            special_verbs: Verbs::NONE,
            subresources,
            discovered: true,
            from_crd: Some(self.source),
            rank,
        }
    }
}
