//! Real manifests, when they are there: every subject asks everything that some rule spells, in every namespace, of the
//! graph and of the model, which reads the files with `serde_yaml`.

use std::collections::BTreeSet;
use std::path::Path;

use rbacsim::decide::cluster::Cluster;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde::Deserialize;
use serde_json::Value;

use crate::ask::Request;
use crate::model::Model;
use crate::trees::{recorded, yaml_files};

const KINDS: [&str; 4] = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];

/// The objects of a folder that `serde_yaml` can read, in the order of the files.
fn objects(folder: &Path) -> Vec<Value> {
    fn collect(value: Value, into: &mut Vec<Value>) {
        let ours = value["apiVersion"] == "rbac.authorization.k8s.io/v1";
        if ours && KINDS.iter().any(|kind| value["kind"] == *kind) {
            into.push(value);
        } else if let Some(items) = value["items"].as_array() {
            for item in items {
                collect(item.clone(), into);
            }
        }
    }
    let mut objects = Vec::new();
    for (_, text) in yaml_files(folder) {
        for document in serde_yaml::Deserializer::from_str(&text) {
            // What cannot be read here ends the file; nothing is compared then that is not equal anyway.
            let Ok(value) = serde_yaml::Value::deserialize(document) else { break };
            collect(serde_json::to_value(value).unwrap_or(Value::Null), &mut objects);
        }
    }
    objects
}

fn texts<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v str> {
    value[field].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Everybody whom a binding names, with the binding's namespace.
fn users(objects: &[Value]) -> Vec<(UserInfo, String)> {
    let mut users = BTreeSet::new();
    for binding in objects {
        for subject in binding["subjects"].as_array().into_iter().flatten() {
            let field = |name: &str| subject[name].as_str().unwrap_or("").to_owned();
            let namespace = binding["metadata"]["namespace"].as_str().unwrap_or("default");
            let user = match subject["kind"].as_str() {
                Some("Group") => ("member".to_owned(), vec![field("name")]),
                Some("ServiceAccount") => {
                    let own = Some(field("namespace")).filter(|own| !own.is_empty());
                    let user = UserInfo::service_account(own.as_deref().unwrap_or(namespace), &field("name"));
                    (user.username, user.groups)
                }
                _ => (field("name"), Vec::new()),
            };
            users.insert((user, namespace.to_owned()));
        }
    }
    let user = |((name, groups), home): ((String, Vec<String>), String)| {
        (UserInfo::authenticated(&name, groups), home)
    };
    users.into_iter().map(user).collect()
}

/// Everything that some rule spells, stars as something else, and a few things that none does.
fn requests(objects: &[Value]) -> Vec<Request> {
    let mut requests = BTreeSet::new();
    for rule in objects.iter().filter_map(|object| object["rules"].as_array()).flatten() {
        let names: Vec<&str> = texts(rule, "resourceNames").chain([""]).collect();
        for verb in texts(rule, "verbs").chain(["impersonate"]) {
            for url in texts(rule, "nonResourceURLs") {
                requests.insert((verb, "", url, "", true));
            }
            for group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    for name in &names {
                        requests.insert((verb, group, resource, *name, false));
                    }
                }
            }
        }
    }
    let request = |(verb, group, resource, name, is_url): (&str, &str, &str, &str, bool)| {
        let plain = |text: &str| text.replace('*', "zzz");
        if is_url {
            return Request { verb: plain(verb), path: Some(plain(resource)), ..Request::default() };
        }
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Request {
            verb: plain(verb),
            group: plain(group),
            resource: plain(resource),
            subresource: plain(subresource),
            name: name.to_owned(),
            ..Request::default()
        }
    };
    requests.into_iter().map(request).collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn real_manifests_decide_as_the_model_does() {
    for (folder, least) in [("argo-cd", 20), ("kube-prometheus", 20), ("eks-gitops", 20), ("eks-tenants", 20)]
    {
        let Some(path) = recorded(&format!("manifests/{folder}")) else { return };
        let options = LoadOptions {
            defaults: Defaults::Never,
            completeness: Some(Completeness::Complete),
            ..LoadOptions::default()
        };
        let cluster: Cluster = load(&[Input::Path(path.clone())], &options).unwrap().into();
        assert_eq!((cluster.summary().refused, cluster.summary().unreadable), (0, 0), "{folder}");
        let objects = objects(&path);
        let model = Model::of(objects.iter().cloned());
        let namespaces: BTreeSet<&str> =
            objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str()).collect();
        // Enough of each: a large tree repeats itself.
        let every = |count: usize, most: usize| count.div_ceil(most).max(1);
        let (users, requests) = (users(&objects), requests(&objects));
        let (mut yes, mut no) = (0u32, 0u32);
        for (user, home) in users.iter().step_by(every(users.len(), 25)) {
            let asker = cluster.graph().asker(user);
            for request in requests.iter().step_by(every(requests.len(), 60)) {
                let some = namespaces.iter().step_by(every(namespaces.len(), 6)).copied();
                for namespace in some.chain(["", home]) {
                    let request = Request { namespace: namespace.to_owned(), ..request.clone() };
                    let expected = model.decide(user, &request).allowed;
                    let allowed = cluster.graph().authorize(&asker, &request.attributes()).is_allowed();
                    assert_eq!(allowed, expected, "{folder}: {user:?} {request:?}");
                    if allowed { yes += 1 } else { no += 1 }
                }
            }
        }
        eprintln!("manifests/{folder}: {} objects, {yes} allowed and {no} denied agree", objects.len());
        assert!(yes >= least && no >= least, "{folder}: {yes} yes, {no} no");
    }
}
