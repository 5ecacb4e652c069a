//! The catalogue against recorded discovery, and TYPE arguments against what kubectl makes of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rbacsim::ask::question::Target;
use rbacsim::knowledge::catalogue::{Added, Catalogue, CustomResource, Resolution, Resource, Verbs};
use rbacsim::model::source::Source;
use serde_json::Value;

fn crd(group: &str, plural: &str, kind: &str, short_names: &[&str]) -> CustomResource {
    CustomResource {
        group: group.to_owned(),
        versions: vec!["v1".to_owned()],
        plural: plural.to_owned(),
        singular: String::new(),
        kind: kind.to_owned(),
        short_names: short_names.iter().map(|name| (*name).to_owned()).collect(),
        categories: Vec::new(),
        namespaced: true,
        has_status: false,
        has_scale: false,
        source: Source::default(),
    }
}

fn with(crds: impl IntoIterator<Item = CustomResource>) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for crd in crds {
        assert_eq!(catalogue.add_crd(crd), Added::New);
    }
    catalogue
}

/// The resource and group that a TYPE becomes, as `resource.group`; `?` before it when it is unknown.
fn read(catalogue: &Catalogue, type_arg: &str) -> String {
    let found = catalogue.resolve(type_arg);
    let mark = if matches!(found, Resolution::Unknown { .. }) { "?" } else { "" };
    format!("{mark}{}.{}", found.resource(), found.group())
}

#[track_caller]
fn reads(rows: &[(&str, &str)]) {
    let catalogue = Catalogue::default();
    for (type_arg, expected) in rows {
        assert_eq!(read(&catalogue, type_arg), *expected, "TYPE {type_arg}");
    }
}

fn also(catalogue: &Catalogue, type_arg: &str) -> Vec<String> {
    match catalogue.resolve(type_arg) {
        Resolution::Known { also, .. } => also.into_iter().map(Resource::full_name).collect(),
        other => panic!("{type_arg} is {other:?}"),
    }
}

fn suggested(type_arg: &str) -> Option<String> {
    Catalogue::default().suggest(type_arg, [])
}

// How a TYPE is read.

#[test]
fn plural_singular_kind_and_short_name() {
    reads(&[
        ("pods", "pods."),
        ("pod", "pods."),
        ("POD", "pods."),
        ("Pods", "pods."),
        ("po", "pods."),
        ("PO", "pods."),
        ("deploy", "deployments.apps"),
        ("Deployment", "deployments.apps"),
        ("crds", "customresourcedefinitions.apiextensions.k8s.io"),
        ("endpoints", "endpoints."),
        ("csistoragecapacity", "csistoragecapacities.storage.k8s.io"),
    ]);
}

#[test]
fn group_and_version() {
    reads(&[
        ("deployments.apps", "deployments.apps"),
        ("deploy.apps", "deployments.apps"),
        ("deployments.v1.apps", "deployments.apps"),
        ("Deployment.V1.Apps", "deployments.apps"),
        ("deployments..apps", "deployments.apps"),
        ("pods.v1.", "pods."),
        ("pods.", "pods."),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("events.v1.events.k8s.io", "events.events.k8s.io"),
        ("hpa.v1.autoscaling", "horizontalpodautoscalers.autoscaling"),
        // A version without a group is a version of any group.
        ("deployments.v1.", "deployments.apps"),
    ]);
}

#[test]
fn beginning_of_a_group() {
    reads(&[
        ("storageclass.storage", "storageclasses.storage.k8s.io"),
        ("ingresses.net", "ingresses.networking.k8s.io"),
        ("hpa.autoscal", "horizontalpodautoscalers.autoscaling"),
        ("hpa.v2.autoscal", "horizontalpodautoscalers.autoscaling"),
        ("ingresses.working", "?ingresses.working"),
    ]);
}

/// What a question about the type is warned of.
fn warning(catalogue: &Catalogue, type_arg: &str) -> Option<String> {
    let target = Target::read(type_arg, None, catalogue);
    let mut warnings = rbacsim::report::question::warnings(&target.remarks);
    assert!(warnings.len() <= 1);
    warnings.pop()
}

#[test]
fn star_is_a_literal() {
    reads(&[("*", "*."), ("*.apps", "*.apps"), ("*.*", "*.*"), ("*.v1.apps", "*.apps"), ("*.", "*.")]);
    let catalogue = Catalogue::default();
    assert_eq!(warning(&catalogue, "*"), None);
    assert_eq!(catalogue.resolve("*.apps"), Resolution::Every { group: "apps".to_owned() });
}

#[test]
fn unknown_is_asked_as_written() {
    reads(&[
        ("foos", "?foos."),
        ("Foos", "?Foos."),
        ("foos.example.com", "?foos.example.com"),
        ("Foos.Example.com", "?Foos.Example.com"),
        ("foos.v1.example.com", "?foos.example.com"),
        ("foos.v1alpha2.example.com", "?foos.example.com"),
        ("foos.vault.example.com", "?foos.vault.example.com"),
        ("foos.v1.", "?foos."),
        ("pods.apps", "?pods.apps"),
        ("pods.v1", "?pods.v1"),
        ("pods.*", "?pods.*"),
        ("deployments.extensions", "?deployments.extensions"),
        ("userextras", "?userextras."),
        ("healthz", "?healthz."),
        ("podlist", "?podlist."),
        ("", "?."),
        (".apps", "?.apps"),
    ]);
    let catalogue = Catalogue::default();
    assert_eq!(warning(&catalogue, "Foos").unwrap(), "unknown resource type `Foos`");
    assert_eq!(
        warning(&catalogue, "foos.example.com").unwrap(),
        "unknown resource type `foos` in group `example.com`"
    );
}

#[test]
fn authorised_only_types() {
    reads(&[
        ("users", "users."),
        ("groups", "groups."),
        ("signers.certificates.k8s.io", "signers.certificates.k8s.io"),
        ("userextras.authentication.k8s.io", "userextras.authentication.k8s.io"),
        ("nodes.metrics.k8s.io", "nodes.metrics.k8s.io"),
        // The beginning of a group is enough only for what discovery lists.
        ("signers", "?signers."),
        ("signers.certificates", "?signers.certificates"),
    ]);
    let catalogue = Catalogue::default();
    assert_eq!(warning(&catalogue, "users"), None);
    assert_eq!(warning(&catalogue, "groups"), None);
    assert_eq!(
        warning(&catalogue, "uids.authentication.k8s.io").unwrap(),
        "`uids.authentication.k8s.io` is not in discovery, so kubectl does not know it and would \
         ask for something else"
    );
}

#[test]
fn unserved_version_still_finds_the_type() {
    let catalogue = Catalogue::default();
    for (type_arg, name, version) in [
        ("cronjobs.v1beta1.batch", "cronjobs.batch", "v1beta1"),
        ("Deployment.v2.apps", "deployments.apps", "v2"),
        ("nodes.v9.", "nodes", "v9"),
    ] {
        let found = catalogue.resolve(type_arg);
        assert_eq!(found.known().unwrap().full_name(), name);
        let said = format!("`{name}` is not served in version `{version}`, as far as is known");
        assert_eq!(warning(&catalogue, type_arg).unwrap(), said);
    }
    // A short name drops the version before it is looked for, as in kubectl.
    assert_eq!(warning(&catalogue, "deploy.v2.apps"), None);
    assert_eq!(read(&catalogue, "pods.v2.apps"), "?pods.apps");
}

#[test]
fn core_group_wins_and_the_other_is_told() {
    let catalogue = Catalogue::default();
    for type_arg in ["events", "event", "ev", "Event"] {
        let found = catalogue.resolve(type_arg);
        assert_eq!((found.resource(), found.group()), ("events", ""), "{type_arg}");
        assert_eq!(also(&catalogue, type_arg), ["events.events.k8s.io"], "{type_arg}");
        assert_eq!(
            warning(&catalogue, type_arg).unwrap(),
            "read as `events` of the core group, not as `events.events.k8s.io`"
        );
    }
    assert_eq!(also(&catalogue, "events.events.k8s.io"), [""; 0]);
    // The metrics server is not in discovery by itself: no noise about `pods`.
    assert_eq!(also(&catalogue, "pods"), [""; 0]);
}

#[test]
fn crd_groups_come_last_and_by_name() {
    let catalogue = with([
        crd("zeta.io", "gateways", "Gateway", &["gw"]),
        crd("alpha.io", "gateways", "Gateway", &["gw"]),
        crd("alpha.io", "gatewayclasses", "GatewayClass", &["gw"]),
        crd("knative.dev", "services", "Service", &["ksvc"]),
    ]);
    assert_eq!(read(&catalogue, "gateway"), "gateways.alpha.io");
    assert_eq!(also(&catalogue, "gateway"), ["gateways.zeta.io"]);
    assert_eq!(
        warning(&catalogue, "gateway").unwrap(),
        "read as `gateways.alpha.io`, not as `gateways.zeta.io`"
    );
    assert_eq!(read(&catalogue, "gw"), "gatewayclasses.alpha.io");
    assert_eq!(also(&catalogue, "gw"), ["gateways.alpha.io", "gateways.zeta.io"]);
    assert_eq!(read(&catalogue, "services"), "services.");
    assert_eq!(also(&catalogue, "services"), ["services.knative.dev"]);
    assert_eq!(read(&catalogue, "services.knative"), "services.knative.dev");
    assert_eq!(read(&catalogue, "ksvc"), "services.knative.dev");
}

#[test]
fn built_in_groups_before_crds() {
    let catalogue = with([
        crd("a.io", "jobs", "Job", &[]),
        crd("a.io", "pods", "Pod", &[]),
        crd("apps.a.io", "deployments", "Deployment", &["deploy"]),
        crd("storage.k8s.io", "jobs", "Job", &[]),
    ]);
    assert_eq!(read(&catalogue, "jobs"), "jobs.batch");
    // A CRD in a group of Kubernetes has the place of that group.
    assert_eq!(also(&catalogue, "jobs"), ["jobs.storage.k8s.io", "jobs.a.io"]);
    assert_eq!(read(&catalogue, "pods"), "pods.");
    assert_eq!(read(&catalogue, "deploy"), "deployments.apps");
    // `apps` is also the beginning of the other group, but written in full it is no question.
    assert_eq!(read(&catalogue, "deployments.apps"), "deployments.apps");
    assert_eq!(also(&catalogue, "deployments.apps"), [""; 0]);
    assert_eq!(also(&catalogue, "deployments.ap"), ["deployments.apps.a.io"]);
    assert_eq!(read(&catalogue, "deployments.apps.a"), "deployments.apps.a.io");
}

#[test]
fn name_before_short_name() {
    // A type called `po` or of the singular `po` keeps the short name of pods from being looked for.
    let mut singular = crd("example.com", "parcelpos", "ParcelPo", &[]);
    singular.singular = "po".to_owned();
    assert_eq!(read(&with([singular]), "po"), "parcelpos.example.com");
    assert_eq!(read(&with([crd("example.com", "po", "Po", &[])]), "po"), "po.example.com");
    // A short name of a CRD does not take it from the built-in type.
    let shorter = with([crd("example.com", "parcels", "Parcel", &["po"])]);
    assert_eq!(read(&shorter, "po"), "pods.");
    assert_eq!(also(&shorter, "po"), ["parcels.example.com"]);
    assert_eq!(read(&shorter, "po.example.com"), "parcels.example.com");
}

#[test]
fn kind_that_is_not_the_singular() {
    let mut odd = crd("example.com", "oddities", "StrangeThing", &[]);
    odd.singular = "oddity".to_owned();
    let catalogue = with([odd]);
    for type_arg in ["oddity", "StrangeThing", "strangething.example.com", "StrangeThing.v1.example.com"] {
        assert_eq!(read(&catalogue, type_arg), "oddities.example.com", "{type_arg}");
    }
}

// What CRDs serve.

#[test]
fn crd_serves_eight_verbs_and_its_subresources() {
    let mut widgets = crd("example.com", "widgets", "Widget", &["wd"]);
    (widgets.has_status, widgets.namespaced) = (true, false);
    widgets.source.line = 7;
    let mut catalogue = with([widgets.clone()]);
    let known = catalogue.find("example.com", "widgets").unwrap();
    assert_eq!((known.verbs, known.special_verbs), (Verbs::STORED, Verbs::NONE));
    assert_eq!((&*known.singular, known.namespaced), ("widget", false));
    assert!(known.has_subresource("status") && known.has_subresource("finalizers"));
    assert!(!known.has_subresource("scale") && !known.has_subresource("log"));
    assert_eq!(known.subresource("status").unwrap().verbs, Verbs::PART);

    let before = catalogue.len();
    widgets.has_scale = true;
    let first = widgets.source;
    widgets.source.line = 70;
    assert_eq!(catalogue.add_crd(widgets), Added::Replaced(first));
    assert_eq!(catalogue.len(), before);
    let known = catalogue.find("example.com", "widgets").unwrap();
    assert!(known.has_subresource("scale"));
    assert_eq!(known.from_crd.unwrap().line, 70);
}

#[test]
fn crd_does_not_take_a_built_in_name() {
    let mut catalogue = Catalogue::default();
    assert_eq!(catalogue.add_crd(crd("apps", "deployments", "Fake", &[])), Added::BuiltIn);
    assert_eq!(catalogue.find("apps", "deployments").unwrap().kind, "Deployment");
    // But it does take one that discovery does not list of itself.
    assert_eq!(catalogue.add_crd(crd("metrics.k8s.io", "pods", "PodMetrics", &[])), Added::New);
    assert!(catalogue.find("metrics.k8s.io", "pods").unwrap().discovered);
    assert_eq!(read(&catalogue, "pods"), "pods.");
}

#[test]
fn crd_without_a_served_version_is_nothing() {
    let mut catalogue = Catalogue::default();
    let mut gone = crd("example.com", "relics", "Relic", &[]);
    gone.versions.clear();
    assert_eq!(catalogue.add_crd(gone), Added::NotServed);
    assert_eq!(read(&catalogue, "relics"), "?relics.");
}

// What is said of the built-in types.

#[test]
fn subresources_of_built_in_types() {
    let catalogue = Catalogue::default();
    let has =
        |group: &str, plural: &str, sub: &str| catalogue.find(group, plural).unwrap().has_subresource(sub);
    assert!(has("", "pods", "exec") && has("", "pods", "log") && has("", "nodes", "metrics"));
    assert!(has("apps", "deployments", "scale") && has("apps", "deployments", "finalizers"));
    assert!(has("authentication.k8s.io", "userextras", "scopes"));
    assert!(!has("authentication.k8s.io", "userextras", ""));
    assert!(!has("", "pods", "scale") && !has("", "secrets", "status") && !has("", "users", "finalizers"));
    let exec = catalogue.find("", "pods").unwrap().subresource("exec").unwrap();
    assert_eq!(exec.verbs.iter().collect::<Vec<_>>(), ["get", "create"]);
}

#[test]
fn special_verbs() {
    let catalogue = Catalogue::default();
    let special = |group: &str, plural: &str| {
        catalogue.find(group, plural).unwrap().special_verbs.iter().collect::<Vec<_>>().join(",")
    };
    assert_eq!(special("rbac.authorization.k8s.io", "roles"), "bind,escalate");
    assert_eq!(special("rbac.authorization.k8s.io", "clusterroles"), "bind,escalate");
    assert_eq!(special("rbac.authorization.k8s.io", "rolebindings"), "");
    assert_eq!(special("", "serviceaccounts"), "impersonate");
    assert_eq!(special("", "users"), "impersonate");
    assert_eq!(special("certificates.k8s.io", "signers"), "approve,sign,attest");
    assert_eq!(catalogue.find("", "users").unwrap().verbs, Verbs::NONE);
}

// What is suggested.

#[test]
fn suggestions() {
    for (written, expected) in [
        ("pdos", "pods"),
        ("pood", "pods"),
        ("deployment.ap", "deployments.apps"),
        ("Deploymnet", "deployments.apps"),
        ("deployments.extensions", "deployments.apps"),
        ("deploy.extensions", "deployments.apps"),
        ("pods.apps", "pods"),
        ("secrest", "secrets"),
        ("user", "users"),
        ("userextras", "userextras.authentication.k8s.io"),
        ("signers", "signers.certificates.k8s.io"),
        ("rolebinding.rbac.authorisation.k8s.io", "rolebindings.rbac.authorization.k8s.io"),
        ("exec", "pods/exec"),
        ("log", "pods/log"),
        ("approval", "certificatesigningrequests.certificates.k8s.io/approval"),
        ("healthz", "/healthz"),
        ("metrics", "/metrics"),
    ] {
        assert_eq!(suggested(written).as_deref(), Some(expected), "{written}");
    }
    for written in ["foos", "foos.example.com", "xy", "widgets", "status", ""] {
        assert_eq!(suggested(written), None, "{written}");
    }
}

#[test]
fn suggestions_from_rules() {
    let catalogue = Catalogue::default();
    let mentioned =
        [("*", "*"), ("argoproj.io", "*"), ("argoproj.io", "applications/status"), ("apps", "deployments")];
    assert_eq!(catalogue.suggest("applications", mentioned).as_deref(), Some("applications.argoproj.io"));
    assert_eq!(catalogue.suggest("aplications", mentioned).as_deref(), Some("applications.argoproj.io"));
    assert_eq!(catalogue.suggest("gadgets", mentioned), None);
}

// Against what a live API server served.

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    skipped(&path);
    None
}

#[expect(clippy::print_stderr, reason = "says in the test's output what was not compared")]
fn skipped(path: &Path) {
    eprintln!("skipped: no {}", path.display());
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|items| items.iter().map(|item| item.as_str().unwrap()).collect())
        .unwrap_or_default()
}

#[test]
fn every_fact_of_discovery() {
    let Some(folder) = shared("api-discovery-v1.36.2") else { return };
    let catalogue = Catalogue::default();
    let groups = json(&folder.join("apis.json"));
    let mut expected: Vec<(String, Vec<String>)> = vec![(String::new(), vec!["v1".to_owned()])];
    for group in groups["groups"].as_array().unwrap() {
        let preferred = group["preferredVersion"]["version"].as_str().unwrap();
        let mut versions = vec![preferred.to_owned()];
        for version in group["versions"].as_array().unwrap() {
            let version = version["version"].as_str().unwrap();
            if version != preferred {
                versions.push(version.to_owned());
            }
        }
        expected.push((group["name"].as_str().unwrap().to_owned(), versions));
    }
    let (mut resources, mut subresources) = (Vec::new(), 0);
    for (group, versions) in &expected {
        for version in versions {
            let name = if group.is_empty() {
                "api_v1.json".to_owned()
            } else {
                format!("apis_{group}_{version}.json")
            };
            for fact in json(&folder.join(name))["resources"].as_array().unwrap() {
                let name = fact["name"].as_str().unwrap();
                let verbs: BTreeSet<_> = texts(&fact["verbs"]).into_iter().collect();
                let (plural, part) = name.split_once('/').unwrap_or((name, ""));
                let known = catalogue.find(group, plural).unwrap_or_else(|| panic!("{name}.{group}"));
                assert!(known.discovered, "{name}");
                assert_eq!(fact["namespaced"], known.namespaced, "{name}");
                assert!(known.versions == *versions, "{name}");
                if part.is_empty() {
                    assert_eq!(verbs, known.verbs.iter().collect(), "{name}");
                    assert_eq!(fact["kind"], *known.kind, "{name}");
                    assert_eq!(fact["singularName"], *known.singular, "{name}");
                    assert_eq!(texts(&fact["shortNames"]), known.short_names, "{name}");
                    assert_eq!(texts(&fact["categories"]), known.categories, "{name}");
                    if *version == versions[0] {
                        resources.push((group.clone(), plural.to_owned()));
                    }
                } else {
                    let sub = known.subresource(part).unwrap_or_else(|| panic!("{name}"));
                    assert!(sub.discovered, "{name}");
                    assert_eq!(verbs, sub.verbs.iter().collect(), "{name}");
                    subresources += usize::from(*version == versions[0]);
                }
            }
        }
    }
    // Nothing more, and in the same order.
    let discovered = || catalogue.iter().filter(|known| known.discovered);
    let ours: Vec<_> =
        discovered().map(|known| (known.group.to_string(), known.plural.to_string())).collect();
    assert_eq!(ours, resources);
    assert_eq!(ours.len(), 67);
    let parts = discovered().flat_map(|known| &known.subresources).filter(|sub| sub.discovered).count();
    assert_eq!((parts, subresources), (44, 44));
}

#[test]
fn scope_follows_the_transcripts() {
    let catalogue = Catalogue::default();
    for (type_arg, namespaced) in [("nodes", false), ("namespaces", false), ("po", true), ("sc", false)] {
        assert_eq!(catalogue.resolve(type_arg).known().unwrap().namespaced, namespaced, "{type_arg}");
    }
}
