//! A path below `/api` or `/apis` as the request that the API server takes it for, as `NewRequestInfo` does.

use super::Request;

/// What may follow the name of a Namespace without being a type in it.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

/// The request for a resource that a method on a path is, if it is one.
///
/// The method may also be given as the verb of the API that it becomes.
pub(super) fn request(method: &str, path: &str) -> Option<Request> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts = path.trim_matches('/').split('/').filter(|part| !part.is_empty()).peekable();
    let count = parts.clone().count();
    let group = match parts.next()? {
        "api" if count >= 3 => "",
        "apis" if count >= 4 => parts.next()?,
        _ => return None,
    };
    // The version: rules know none.
    parts.next()?;
    let mut verb = match method {
        "post" => "create",
        "put" => "update",
        "head" => "get",
        method => method,
    };
    if let Some(special @ ("watch" | "proxy")) = parts.peek().copied() {
        parts.next();
        verb = special;
    }
    let mut rest: Vec<&str> = parts.collect();
    let mut namespace = "";
    if let ["namespaces", name, ..] = rest.as_slice() {
        namespace = name;
        if rest.get(2).is_some_and(|next| !NAMESPACE_SUBRESOURCES.contains(next)) {
            rest.drain(..2);
        }
    }
    let resource = rest.first().copied()?;
    let mut name = rest.get(1).copied().unwrap_or_default();
    let subresource = rest.get(2).copied().filter(|_| verb != "proxy").unwrap_or_default();
    let parameters = || query.split('&').filter_map(|pair| pair.split_once('='));
    if name.is_empty() && verb == "get" {
        let watches = parameters().any(|(key, value)| key == "watch" && matches!(value, "true" | "1"));
        verb = if watches { "watch" } else { "list" };
    }
    if name.is_empty() && verb == "delete" {
        verb = "deletecollection";
    }
    if name.is_empty() && matches!(verb, "list" | "watch" | "deletecollection") {
        let selected = parameters().find(|(key, _)| *key == "fieldSelector");
        name = selected.and_then(|(_, value)| value.strip_prefix("metadata.name=")).unwrap_or_default();
    }
    Some(Request::Resource {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, path: &str) -> String {
        request(method, path).map_or_else(|| "-".to_owned(), |request| request.attributes().to_string())
    }

    #[test]
    fn paths_of_resources_are_their_requests() {
        for (method, path, expected) in [
            ("get", "/api/v1/namespaces/kube-system/secrets", "list secrets in namespace kube-system"),
            ("get", "/api/v1/namespaces/a/secrets/db", "get secrets named db in namespace a"),
            ("get", "/apis/metrics.k8s.io/v1beta1/nodes", "list nodes.metrics.k8s.io"),
            ("post", "/api/v1/namespaces/a/pods/web/exec", "create pods/exec named web in namespace a"),
            (
                "put",
                "/apis/apps/v1/namespaces/a/deployments/web/scale",
                "update deployments.apps/scale named web in namespace a",
            ),
            ("delete", "/api/v1/namespaces/a/pods", "deletecollection pods in namespace a"),
            ("head", "/api/v1/nodes/n", "get nodes named n"),
            ("patch", "/api/v1/nodes/n/status", "patch nodes/status named n"),
            ("get", "/api/v1/watch/namespaces/a/pods", "watch pods in namespace a"),
            ("get", "/api/v1/pods?watch=true", "watch pods"),
            (
                "get",
                "/api/v1/namespaces/a/pods?fieldSelector=metadata.name=x",
                "list pods named x in namespace a",
            ),
            ("get", "/api/v1/proxy/nodes/n/metrics", "proxy nodes named n"),
            ("get", "/api/v1/nodes/n/proxy/metrics", "get nodes/proxy named n"),
            ("list", "/api/v1/pods", "list pods"),
        ] {
            assert_eq!(read(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_namespace_itself_is_asked_inside_it() {
        assert_eq!(read("get", "/api/v1/namespaces/a"), "get namespaces named a in namespace a");
        assert_eq!(
            read("put", "/api/v1/namespaces/a/finalize"),
            "update namespaces/finalize named a in namespace a"
        );
        assert_eq!(read("get", "/api/v1/namespaces"), "list namespaces");
    }

    #[test]
    fn discovery_and_other_paths_are_no_resources() {
        for path in ["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/version/", "/"]
        {
            assert_eq!(read("get", path), "-", "{path}");
        }
    }
}
