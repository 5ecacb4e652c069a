//! `--api-resources`: what discovery of the real cluster says of its types.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use rbacsim::knowledge::catalogue::{Resolution, Verbs};
use rbacsim::read::{LoadOptions, Loaded, load};
use tempfile::TempDir;

use crate::ask::{role, text};

const TABLE: &str = "\
NAME                SHORTNAMES   APIVERSION                     NAMESPACED   KIND                VERBS                                                        CATEGORIES
pods                po           v1                             true         Pod                 create,delete,deletecollection,get,list,patch,update,watch   all
applications        app,apps     argoproj.io/v1alpha1           true         Application         create,delete,deletecollection,get,list,patch,update,watch
clustersecrets                   kubernetes.io/v1               false        ClusterSecret       get,list,watch                                               secrets,all
nodes                            metrics.k8s.io/v1beta1         false        NodeMetrics         get,list
pods                             metrics.k8s.io/v1beta1         true         PodMetrics          get,list
";

fn loaded(contents: &[&str]) -> Loaded {
    let folder = TempDir::new().unwrap();
    let mut api_resources = Vec::new();
    for (content, number) in contents.iter().zip(0usize..) {
        let path = folder.path().join(format!("types-{number}"));
        std::fs::write(&path, content).unwrap();
        api_resources.push(path);
    }
    let options = LoadOptions { api_resources, ..LoadOptions::default() };
    load(&[text("a.yaml", &role("r", "[]"))], &options).unwrap()
}

fn told(loaded: &Loaded) -> Vec<String> {
    let line = |source: rbacsim::model::source::Source| source.line;
    loaded
        .diagnostics
        .iter()
        .map(|told| format!("{}:{}", told.code.as_str(), told.source.map_or(0, line)))
        .collect()
}

fn read(loaded: &Loaded, type_arg: &str) -> String {
    match loaded.catalogue.resolve(type_arg) {
        Resolution::Known { resource, .. } => resource.full_name(),
        _ => format!("?{type_arg}"),
    }
}

#[test]
fn the_table_of_kubectl_makes_types_known() {
    let before = load(&[text("a.yaml", &role("r", "[]"))], &LoadOptions::default()).unwrap();
    assert_eq!(read(&before, "application"), "?application");
    assert!(!before.catalogue.find("metrics.k8s.io", "pods").unwrap().discovered);
    let loaded = loaded(&[TABLE]);
    assert_eq!(told(&loaded), [""; 0]);
    for (type_arg, name) in [
        ("application", "applications.argoproj.io"),
        ("app", "applications.argoproj.io"),
        ("ClusterSecret", "clustersecrets.kubernetes.io"),
        ("pods", "pods"),
        ("nodes.metrics.k8s.io", "nodes.metrics.k8s.io"),
    ] {
        assert_eq!(read(&loaded, type_arg), name);
    }
    let known = loaded.catalogue.find("argoproj.io", "applications").unwrap();
    assert_eq!((known.verbs, known.namespaced, &*known.kind), (Verbs::STORED, true, "Application"));
    assert_eq!(known.from_crd.unwrap().line, 3);
    // The table does not tell subresources: those that any type may have are not taken for names.
    assert!(known.has_subresource("status") && !known.has_subresource("log"));
    let cluster = loaded.catalogue.find("kubernetes.io", "clustersecrets").unwrap();
    assert_eq!((cluster.namespaced, cluster.categories.len(), cluster.verbs.len()), (false, 2, 3));
    let metrics = loaded.catalogue.find("metrics.k8s.io", "pods").unwrap();
    assert!(metrics.discovered && metrics.verbs.len() == 2);
    // What is built in keeps what is known of it.
    assert!(loaded.catalogue.find("", "pods").unwrap().has_subresource("exec"));
}

#[test]
fn older_and_shorter_tables_are_read_too() {
    let older = "applications   app   argoproj.io/v1alpha1   true   Application   [create delete get]\n";
    let loaded = loaded(&[older, "widgets   shop.io/v1   false   Widget\n"]);
    assert_eq!(told(&loaded), [""; 0]);
    let known = loaded.catalogue.find("argoproj.io", "applications").unwrap();
    assert_eq!((known.verbs.len(), known.categories.len()), (3, 0));
    assert_eq!(loaded.catalogue.find("shop.io", "widgets").unwrap().verbs, Verbs::STORED);
}

const LISTS: &str = r#"{"kind": "APIResourceList", "groupVersion": "shop.io/v1", "resources": [
  {"name": "widgets", "singularName": "widget", "namespaced": true, "kind": "Widget", "verbs": ["get", "list"],
   "shortNames": ["wd"], "categories": ["all"]},
  {"name": "widgets/log", "singularName": "", "namespaced": true, "kind": "Log", "verbs": ["get"]}]}
{"kind": "APIResourceList", "groupVersion": "shop.io/v2", "resources": [
  {"name": "widgets", "singularName": "widget", "namespaced": true, "kind": "Widget", "verbs": ["get", "list"]}]}"#;

const AGGREGATED: &str = r#"{"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": [
  {"metadata": {"name": "shop.io"}, "versions": [{"version": "v1", "resources": [
    {"resource": "widgets", "responseKind": {"group": "shop.io", "version": "v1", "kind": "Widget"},
     "scope": "Namespaced", "singularResource": "widget", "verbs": ["get", "list"], "shortNames": ["wd"],
     "subresources": [{"subresource": "log", "verbs": ["get"]}]}]}]}]}"#;

#[test]
fn discovery_makes_types_and_subresources_known() {
    for content in [LISTS, AGGREGATED, &format!("[{AGGREGATED}]")] {
        let loaded = loaded(&[content]);
        assert_eq!(told(&loaded), [""; 0], "{content}");
        assert_eq!(read(&loaded, "wd"), "widgets.shop.io", "{content}");
        let known = loaded.catalogue.find("shop.io", "widgets").unwrap();
        assert_eq!((&*known.singular, known.namespaced, known.verbs.len()), ("widget", true, 2));
        assert!(known.has_subresource("log") && !known.has_subresource("status"), "{content}");
        assert_eq!(known.versions.len(), if content == LISTS { 2 } else { 1 });
    }
    let all_groups = r#"{"kind": "APIResourceList", "groupVersion": "", "resources": [{"name": "widgets",
      "singularName": "widget", "group": "shop.io", "version": "v1", "namespaced": false, "kind": "Widget", "verbs": ["get"]}]}"#;
    assert!(!loaded(&[all_groups]).catalogue.find("shop.io", "widgets").unwrap().namespaced);
}

#[test]
fn what_is_no_list_of_types_is_told_and_the_rest_read() {
    for (content, expected) in [
        ("", vec!["api-resources-not-read:0"]),
        ("pods\ndeployments.apps\n", vec!["api-resources-not-read:1"]),
        (
            "NAME  APIVERSION  NAMESPACED  KIND\nwidgets  shop.io/v1  maybe  Widget\n",
            vec!["api-resources-not-read:2"],
        ),
        ("{\"kind\": \"APIGroupList\", \"groups\": []}", vec!["api-resources-not-read:1"]),
        ("{\"kind\": ", vec!["api-resources-not-read:1"]),
        ("\u{0}", vec!["api-resources-not-read:1"]),
    ] {
        assert_eq!(told(&loaded(&[content])), expected, "{content}");
    }
    let mixed = loaded(&["rubbish here\nwidgets  shop.io/v1  false  Widget\nmore rubbish\n"]);
    assert_eq!(told(&mixed), ["api-resources-not-read:1"]);
    assert!(mixed.catalogue.find("shop.io", "widgets").is_some());
    let cut = loaded(&[&LISTS[..LISTS.len() - 5]]);
    assert_eq!(told(&cut), ["api-resources-not-read:6"]);
    assert!(cut.catalogue.find("shop.io", "widgets").is_some());
    let absent = LoadOptions { api_resources: vec!["no/such/file".into()], ..LoadOptions::default() };
    let error = load(&[text("a.yaml", "")], &absent).unwrap_err();
    assert!(error.to_string().starts_with("cannot read `no/such/file`"), "{error}");
}
