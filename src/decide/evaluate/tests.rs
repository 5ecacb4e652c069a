//! The seam for a second authorizer: access policies beside RBAC, in one graph, through one matcher.

use super::*;
use crate::model::attributes::ResourceAttributes;
use crate::model::policy::Policy;
use crate::model::rbac::{Binding, PlacedRule, PlacedSubject, PolicyRule, Role, RoleRef};
use crate::model::source::Source;

const ARN: &str = "arn:aws:iam::111122223333:role/dev";

/// A policy that lets read pods, associated with one principal in these scopes (`*`: the cluster).
fn graph(scopes: &[&str]) -> RbacGraph {
    let mut policy = Policy::default();
    let [verb, group, resource, arn, role] =
        ["get", "", "pods", ARN, "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"]
            .map(|text| policy.names.intern(text));
    let rule = PolicyRule {
        verbs: &[verb],
        api_groups: &[group],
        resources: &[resource],
        resource_names: &[],
        non_resource_urls: &[],
    };
    let rule = PlacedRule { rule: policy.rules.intern(&rule), line: 0 };
    let rules = policy.add_rules(&[rule]);
    let source = Source::default();
    policy.roles.push(Role {
        scope: Scope::Cluster,
        name: role,
        rules,
        source,
        labels: Box::default(),
        aggregation: None,
    });
    for (scope, number) in scopes.iter().zip(0..) {
        let subjects = policy.add_subjects(&[PlacedSubject { subject: Subject::Caller(arn), line: 0 }]);
        let namespace = policy.names.intern(scope);
        policy.bindings.push(Binding {
            scope: if *scope == "*" { Scope::Cluster } else { Scope::Namespace(namespace) },
            name: policy.names.intern(&format!("association {number}")),
            role_ref: RoleRef { kind: RoleKind::AccessPolicy, name: role },
            subjects,
            source,
            role_ref_line: 0,
        });
    }
    RbacGraph::build(policy)
}

fn allows(graph: &RbacGraph, user: &UserInfo, namespace: &str) -> bool {
    let asked =
        ResourceAttributes { verb: "get", group: "", resource: "pods", subresource: "", name: "", namespace };
    let (asker, asked) = (graph.asker(user), Attributes::Resource(asked));
    let decision = graph.authorize(&asker, &asked);
    let all = graph.grants(&asker, &asked);
    assert_eq!(decision.is_allowed(), !all.allowing.is_empty());
    if let Decision::Allow(grant) = decision {
        assert_eq!(grant.authorizer(), Authorizer::AccessPolicy);
    }
    !all.allowing.is_empty()
}

fn caller() -> UserInfo {
    UserInfo::authenticated("dev", ["devs"]).logged_in_as(ARN)
}

#[test]
fn an_access_policy_of_the_cluster_counts_everywhere() {
    let graph = graph(&["*"]);
    assert!(allows(&graph, &caller(), "") && allows(&graph, &caller(), "prod"));
}

#[test]
fn an_access_policy_of_namespaces_counts_there_alone() {
    let graph = graph(&["dev", "team-*", "*-x-*"]);
    for (namespace, expected) in [
        ("dev", true),
        ("team-", true),
        ("team-a", true),
        ("a-x-b", true),
        ("-x-", true),
        ("dev2", false),
        ("x-team-", false),
        ("a-x", false),
        ("", false),
    ] {
        assert_eq!(allows(&graph, &caller(), namespace), expected, "{namespace}");
    }
}

#[test]
fn access_policies_apply_to_who_logged_in_and_to_no_impersonated_user() {
    let graph = graph(&["*"]);
    assert!(allows(&graph, &caller(), "prod"));
    let impersonated = UserInfo::impersonated("dev", &["devs".to_owned()]);
    assert!(!allows(&graph, &impersonated, "prod"));
    let named_like_it = UserInfo::impersonated(ARN, &[ARN.to_owned()]);
    assert!(!allows(&graph, &named_like_it, "prod"));
    let other = UserInfo::authenticated("dev", ["devs"]).logged_in_as("arn:aws:iam::111122223333:role/ops");
    assert!(!allows(&graph, &other, "prod"));
}
