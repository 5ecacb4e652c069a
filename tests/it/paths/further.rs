//! Possible steps by nodes, by rules for names, and by what is changed for others: one test a step.

use serde_json::{Value, json};

use super::beyond::{
    STRONG, aws_auth, crd, export, iam_role, is_not_possible, is_possible_by, loaded, role_arn, strong,
    trusts_own, way,
};
use super::{account, grant, object, pod, rule};
use rbacsim::ask::paths::{Condition, From, Search, Step};
use rbacsim::decide::cluster::Cluster;

const MAY: &str = "User may";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// The strong account with what else is there, and somebody with rules in the cluster.
fn with(objects: &[Value], rules: &[Value]) -> Cluster {
    let mut all = strong();
    all.extend_from_slice(objects);
    all.extend(grant("", "may", MAY, rules));
    loaded(&Value::Array(all), None, true)
}

/// A pod of the strong account on a node; what else the pod says.
fn on_node(more: Value) -> Value {
    let mut pod = pod("strong", "p", "root", "node-1", json!({ "name": "c" }));
    for (key, value) in more.as_object().into_iter().flatten() {
        pod["spec"][key] = value.clone();
    }
    pod
}

fn text(conditions: &[Condition]) -> Vec<&str> {
    conditions
        .iter()
        .map(|condition| match condition {
            Condition::Says(text) => text.as_str(),
            _ => "",
        })
        .collect()
}

#[test]
fn impersonate_node_takes_the_node_and_its_group_by_one() {
    let pods = [on_node(json!({}))];
    let user = |name: &str| rule(&["impersonate"], "", &["users"], &[name]);
    let group = |name: &str| rule(&["impersonate"], "", &["groups"], &[name]);
    let node = user("system:node:node-1");
    let cluster = with(&pods, &[node.clone(), group("system:nodes")]);
    is_possible_by(&cluster, MAY, STRONG, &["impersonate-node"]);
    assert_eq!(
        text(&way(&cluster, MAY, STRONG).1),
        ["the Node authorizer lets node node-1 ask for the tokens of its pods"]
    );
    is_not_possible(&with(&pods, &[node.clone(), group("others")]), MAY, STRONG);
    is_not_possible(&with(&pods, &[user("system:node:node-2"), group("system:nodes")]), MAY, STRONG);
    // Two halves in two hands are nothing.
    let other = grant("", "other", "ServiceAccount mine/web", &[group("system:nodes")]);
    let token = rule(&["create"], "", &["serviceaccounts/token"], &["web"]);
    let halves: Vec<Value> = pods.iter().chain(&other).cloned().collect();
    is_not_possible(&with(&halves, &[node, token]), MAY, STRONG);
}

#[test]
fn csr_node_takes_the_signer_for_kubelets() {
    let group = "certificates.k8s.io";
    let creates = rule(&["create"], group, &["certificatesigningrequests"], &[]);
    let approves = rule(&["update"], group, &["certificatesigningrequests/approval"], &[]);
    let signer = |name: &str| rule(&["approve"], group, &["signers"], &[name]);
    let pods = [on_node(json!({}))];
    let kubelet = signer("kubernetes.io/kube-apiserver-client-kubelet");
    let cluster = with(&pods, &[creates.clone(), approves.clone(), kubelet.clone()]);
    is_possible_by(&cluster, MAY, STRONG, &["csr-node"]);
    is_not_possible(&with(&[], &[creates.clone(), approves.clone(), kubelet.clone()]), MAY, STRONG);
    is_not_possible(&with(&pods, &[creates.clone(), kubelet]), MAY, STRONG);
    is_not_possible(&with(&pods, &[creates, approves, signer("kubernetes.io/kubelet-serving")]), MAY, STRONG);
}

#[test]
fn node_credential_gives_what_nodes_are_bound_to_and_tokens_that_are_not_mounted() {
    let privileged = json!({ "name": "c", "securityContext": { "privileged": true } });
    let agent = pod("mine", "agent", "web", "node-1", privileged);
    let exec = rule(&["create"], "", &["pods/exec"], &["agent"]);
    let bare = on_node(json!({ "automountServiceAccountToken": false }));
    let cluster = with(&[agent.clone(), bare], std::slice::from_ref(&exec));
    is_possible_by(&cluster, MAY, STRONG, &["exec", "node-credential"]);
    let everything = rule(&["*"], "*", &["*"], &[]);
    let bound = |who: &str| {
        let mut objects = grant("", "nodes", who, std::slice::from_ref(&everything)).to_vec();
        objects.push(agent.clone());
        with(&objects, std::slice::from_ref(&exec))
    };
    for who in ["Group system:nodes", "User system:node:node-1"] {
        is_possible_by(&bound(who), MAY, "cluster-admin", &["exec", "node-credential"]);
    }
    is_not_possible(&bound("User system:node:node-2"), MAY, "cluster-admin");
    is_not_possible(&bound("Group others"), MAY, "cluster-admin");
}

#[test]
fn node_labels_bring_new_pods_to_a_node_that_is_held() {
    let privileged = json!({ "name": "c", "securityContext": { "privileged": true } });
    let agent = pod("mine", "agent", "web", "node-1", privileged);
    let other = pod("strong", "p", "root", "node-2", json!({ "name": "c" }));
    let exec = rule(&["create"], "", &["pods/exec"], &["agent"]);
    let steers = |name: &str| rule(&["patch"], "", &["nodes"], &[name]);
    let objects = [agent, other];
    let cluster = with(&objects, &[exec.clone(), steers("node-1")]);
    is_possible_by(&cluster, MAY, "cluster-admin", &["exec", "node-labels"]);
    is_not_possible(&with(&objects, &[steers("node-1")]), MAY, "cluster-admin");
    is_not_possible(&with(&objects, &[exec]), MAY, "cluster-admin");
}

#[test]
fn see_by_webhook_gives_the_accounts_whose_tokens_are_secrets() {
    let writes = rule(&["create"], ADMISSION, &["validatingwebhookconfigurations"], &[]);
    let cluster = with(&[], std::slice::from_ref(&writes));
    is_possible_by(&cluster, MAY, "cluster-admin", &["see-by-webhook"]);
    // Where Secrets are loaded, only those of them that hold tokens.
    let secret = |account: &str| {
        object(
            "v1",
            "Secret",
            "strong",
            "t",
            json!({
                "type": "kubernetes.io/service-account-token",
                "metadata": { "annotations": { "kubernetes.io/service-account.name": account } },
            }),
        )
    };
    let cluster = with(&[secret("root")], std::slice::from_ref(&writes));
    is_possible_by(&cluster, MAY, "cluster-admin", &["see-by-webhook"]);
    is_not_possible(&with(&[secret("default")], &[writes]), MAY, "cluster-admin");
    let reads = rule(&["get"], ADMISSION, &["validatingwebhookconfigurations"], &[]);
    is_not_possible(&with(&[], &[reads]), MAY, "cluster-admin");
}

#[test]
fn convert_crd_acts_as_the_controller_of_what_is_there() {
    let everything = rule(&["*"], "*", &["*"], &[]);
    let mut flux =
        grant("", "reconciler", "ServiceAccount flux-system/kustomize-controller", &[everything]).to_vec();
    flux.push(account("flux-system", "kustomize-controller"));
    flux.push(crd("kustomize.toolkit.fluxcd.io", "kustomizations", "Kustomization"));
    let definitions =
        |name: &[&str]| rule(&["patch"], "apiextensions.k8s.io", &["customresourcedefinitions"], name);
    let kustomizations = definitions(&["kustomizations.kustomize.toolkit.fluxcd.io"]);
    for rules in [definitions(&[]), kustomizations.clone()] {
        let cluster = with(&flux, &[rules]);
        is_possible_by(&cluster, MAY, "cluster-admin", &["convert-crd"]);
        assert_eq!(way(&cluster, MAY, "cluster-admin").1.len(), 2);
    }
    is_not_possible(&with(&flux, &[definitions(&["things.example.com"])]), MAY, "cluster-admin");
    // Without the definition there is nothing to change.
    flux.pop();
    is_not_possible(&with(&flux, &[kustomizations]), MAY, "cluster-admin");
}

#[test]
fn a_rule_for_a_name_changes_what_is_there_and_creates_nothing() {
    for (group, resource, step) in [
        (ADMISSION, "mutatingwebhookconfigurations", "mutate-by-webhook"),
        (ADMISSION, "validatingwebhookconfigurations", "see-by-webhook"),
        ("argoproj.io", "workflows", "run-by-operator"),
    ] {
        let may = |verb: &str| with(&[], &[rule(&[verb], group, &[resource], &["x"])]);
        is_possible_by(&may("patch"), MAY, "cluster-admin", &[step]);
        let conditions = way(&may("update"), MAY, "cluster-admin").1;
        assert!(text(&conditions).contains(&"an object named x is there to change"), "{conditions:?}");
        is_not_possible(&may("create"), MAY, "cluster-admin");
    }
    let attach = |name: &str| {
        let rules = [rule(&["create"], "", &["pods/attach"], &[name])];
        with(&[pod("strong", "p", "root", "", json!({ "name": "c" }))], &rules)
    };
    is_possible_by(&attach("p"), MAY, "cluster-admin", &["attach"]);
    is_not_possible(&attach("q"), MAY, "cluster-admin");
}

#[test]
fn secrets_and_workloads_that_the_inputs_do_not_hold() {
    let reads = |name: &[&str]| rule(&["get"], "", &["secrets"], name);
    let cluster = with(&[], &[reads(&[])]);
    is_possible_by(&cluster, MAY, "cluster-admin", &["read-token-secret"]);
    assert_eq!(
        text(&way(&cluster, MAY, "cluster-admin").1),
        ["a Secret holds a token of ServiceAccount strong/root"]
    );
    let named = with(&[], &[reads(&["x"])]);
    assert_eq!(
        text(&way(&named, MAY, "cluster-admin").1),
        ["the Secret x holds a token of ServiceAccount strong/root"]
    );
    // Where Secrets are loaded, those are all.
    let opaque = object("v1", "Secret", "strong", "x", json!({ "type": "Opaque" }));
    is_not_possible(&with(&[opaque], &[reads(&[])]), MAY, "cluster-admin");
    for (group, resource) in [("apps", "replicasets"), ("", "replicationcontrollers")] {
        let changes = rule(&["update"], group, &[resource], &["x"]);
        is_possible_by(&with(&[], &[changes]), MAY, "cluster-admin", &["change-workload"]);
    }
}

#[test]
fn of_several_possible_steps_of_a_round_the_first_is_told_with_its_conditions() {
    let group = "certificates.k8s.io";
    let rules = [
        rule(&["create"], group, &["certificatesigningrequests"], &[]),
        rule(&["update"], group, &["certificatesigningrequests/approval"], &[]),
        rule(&["approve"], group, &["signers"], &[]),
    ];
    let row =
        format!("- rolearn: {}\n  username: \"{{{{SessionName}}}}\"\n  groups: [devs]\n", role_arn("dev"));
    let everything = rule(&["*"], "*", &["*"], &[]);
    let mut objects = vec![aws_auth(&row)];
    objects.extend(grant("", "boss", "User boss", &[everything]));
    objects.extend(grant("", "devs", "Group devs", &rules));
    let roles = export(&[iam_role("dev", &trusts_own(), &[])]);
    let cluster = loaded(&Value::Array(objects), Some(&roles), true);
    let mut search = Search::new(&cluster);
    let arn = role_arn("dev");
    let traced = search.traced_with_possible(&From::iam(&arn, &cluster.identify(&arn, None)), None);
    // The groups of the session and those that a certificate names are the same: one identity by two steps.
    let boss = traced.possible.iter().find(|own| own.reach.identity == "User boss + devs").unwrap();
    assert_eq!(boss.reach.last.iter().map(Step::id).collect::<Vec<_>>(), ["csr", "session-name"]);
    assert_eq!(traced.steps(&boss.reach).iter().map(|step| step.id()).collect::<Vec<_>>(), ["csr"]);
    assert!(text(&boss.conditions)[0].starts_with("the signer "), "{:?}", boss.conditions);
}
