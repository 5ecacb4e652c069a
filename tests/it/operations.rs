//! kubectl operations: each rule of meaning by itself, then the recorded runs of kubectl.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

use rbacsim::knowledge::operations::{Need, Plan, PlanError, StepName, StepScope, Target};
use rbacsim::knowledge::operations::{canonical_name, is_operation, names, plan};
use rbacsim::model::ternary::Ternary::{self, No, Unknown, Yes};
use rbacsim::model::version::KubernetesVersion;

/// The recorded runs of kubectl.
mod recorded;

const NEWEST: u8 = 37;

fn version(minor: u8) -> KubernetesVersion {
    KubernetesVersion::from_minor(minor).unwrap()
}

fn versions() -> impl Iterator<Item = KubernetesVersion> {
    (0..=u8::MAX).filter_map(KubernetesVersion::from_minor)
}

/// `deployments.apps/scale web` as a target; nodes, namespaces and certificate signing requests are
/// cluster-scoped.
fn target(text: &str) -> Target<'_> {
    let (of, name) = text.split_once(' ').map_or((text, None), |(of, name)| (of, Some(name)));
    let (of, subresource) = of.split_once('/').map_or((of, None), |(of, sub)| (of, Some(sub)));
    let (resource, group) = of.split_once('.').unwrap_or((of, ""));
    let namespaced =
        !matches!(resource, "nodes" | "namespaces" | "certificatesigningrequests" | "clusterroles");
    Target { group, resource, name, subresource, namespaced }
}

fn ask(verb: &str, on: &str, minor: u8) -> Plan {
    plan(verb, &target(on), version(minor)).unwrap_or_else(|error| panic!("{verb} {on}: {error}"))
}

/// What the requests of a need are, in order: `create pods/exec web`, with `?` for a name that cannot be
/// told, `*` for one that was not given, and a mark for every scope but the namespace of the question.
fn requests(need: &Need) -> Vec<String> {
    let spell = |step: &&rbacsim::knowledge::operations::Step| {
        let name = match step.name {
            StepName::Absent | StepName::Known(_) => "",
            StepName::NotGiven => " *",
            StepName::Unknown => " ?",
        };
        let scope = match &step.scope {
            StepScope::Namespace => "",
            StepScope::AllNamespaces => " @all",
            StepScope::Cluster => " @cluster",
            StepScope::NamespaceObject => " @inside",
            StepScope::UnknownNamespaces => " @pods",
            StepScope::Fixed(namespace) => &format!(" @{namespace}"),
        };
        format!("{step}{name}{scope}")
    };
    need.steps().iter().map(spell).collect()
}

/// Answers with grants for any name in every scope: `get pods`, `create pods/exec`.
fn granted(grants: &[&str]) -> impl FnMut(&rbacsim::knowledge::operations::Step) -> Ternary {
    move |step| {
        let nameless = rbacsim::knowledge::operations::Step { name: StepName::Absent, ..step.clone() };
        Ternary::from(grants.contains(&nameless.to_string().as_str()))
    }
}

fn answer(verb: &str, on: &str, minor: u8, grants: &[&str]) -> Ternary {
    ask(verb, on, minor).answer(&mut granted(grants))
}

/// The answer for another form of the command, which never decides.
fn other_way(verb: &str, on: &str, label: &str, grants: &[&str]) -> Ternary {
    let plan = ask(verb, on, NEWEST);
    let way = plan.ways.iter().find(|way| way.label == label).unwrap_or_else(|| panic!("{verb} {label}"));
    way.needs.answer(&mut granted(grants)).and(way.kubectl.answer(&mut granted(grants)))
}

#[test]
fn exec_up_to_1_34_get_alone_gives_a_shell() {
    for verb in ["exec", "cp"] {
        for minor in [33, 34] {
            assert_eq!(answer(verb, "pods", minor, &["get pods/exec"]), Yes, "{verb} {minor}");
            assert_eq!(answer(verb, "pods", minor, &["create pods/exec"]), Yes, "{verb} {minor}");
        }
    }
    assert_eq!(answer("attach", "pods", 34, &["get pods/attach"]), Yes);
    assert_eq!(answer("port-forward", "pods", 34, &["get pods/portforward"]), Yes);
}

#[test]
fn exec_from_1_35_create_decides() {
    for verb in ["exec", "cp"] {
        for minor in 35..=NEWEST {
            assert_eq!(answer(verb, "pods", minor, &["get pods/exec", "get pods"]), No, "{verb} {minor}");
            assert_eq!(answer(verb, "pods", minor, &["create pods/exec"]), Yes, "{verb} {minor}");
        }
    }
    assert_eq!(requests(&ask("exec", "pods web", 35).needs), ["create pods/exec web"]);
    assert_eq!(answer("attach", "pods", 35, &["get pods/attach"]), No);
    assert_eq!(answer("port-forward", "pods", 35, &["get pods/portforward"]), No);
}

#[test]
fn streams_of_the_measured_matrix() {
    // granted, any client up to 1.34, any client from 1.35; the same for every streaming subresource
    let rows: [(&[&str], Ternary, Ternary); 4] =
        [(&[], No, No), (&["get"], Yes, No), (&["create"], Yes, Yes), (&["get", "create"], Yes, Yes)];
    for (verb, subresource) in
        [("exec", "exec"), ("cp", "exec"), ("attach", "attach"), ("port-forward", "portforward")]
    {
        for (granted, old, new) in rows {
            let grants: Vec<String> = granted.iter().map(|own| format!("{own} pods/{subresource}")).collect();
            let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
            for version in versions() {
                let expected = if version.minor() <= 34 { old } else { new };
                assert_eq!(answer(verb, "pods", version.minor(), &grants), expected, "{verb} {granted:?}");
            }
        }
    }
}

#[test]
fn exec_is_about_any_client_and_kubectl_stumbles_over_the_pod() {
    let plan = ask("exec", "pods web", NEWEST);
    let mut ask = granted(&["create pods/exec"]);
    assert_eq!((plan.answer(&mut ask), plan.answer_for_kubectl(&mut ask)), (Yes, No));
    assert_eq!(requests(&plan.kubectl), ["get pods web"]);
    assert!(plan.any_client);
    assert_eq!(plan.needs.steps().len(), 1);
}

#[test]
fn exec_on_a_deployment_cannot_tell_the_pod() {
    let plan = ask("exec", "deployments.apps web", NEWEST);
    assert_eq!(requests(&plan.needs), ["create pods/exec ?"]);
    assert_eq!(requests(&plan.kubectl), ["get deployments.apps web", "list pods"]);
}

#[test]
fn port_forward_to_a_service_lists_and_gets_pods() {
    let plan = ask("port-forward", "services web", NEWEST);
    assert_eq!(requests(&plan.kubectl), ["get services web", "list pods", "get pods ?"]);
}

#[test]
fn the_own_subresource_is_another_spelling() {
    let spellings = [
        ("exec", "pods", "exec"),
        ("attach", "pods", "attach"),
        ("port-forward", "pods", "portforward"),
        ("logs", "pods", "log"),
        ("scale", "deployments.apps", "scale"),
        ("create-token", "serviceaccounts", "token"),
        ("evict", "pods", "eviction"),
    ];
    for (verb, of, subresource) in spellings {
        assert_eq!(ask(verb, of, NEWEST), ask(verb, &format!("{of}/{subresource}"), NEWEST), "{verb}");
    }
}

#[test]
fn logs_needs_the_pod_too_but_another_client_does_not() {
    assert_eq!(answer("logs", "pods", NEWEST, &["get pods", "get pods/log"]), Yes);
    assert_eq!(answer("logs", "pods", NEWEST, &["list pods", "get pods/log"]), No);
    assert_eq!(other_way("logs", "pods", "by selector", &["list pods", "get pods/log"]), Yes);
    assert_eq!(answer("logs", "pods", NEWEST, &["get pods"]), No);
    assert_eq!(answer("logs", "pods", NEWEST, &["get pods/log"]), No);
    assert_eq!(ask("logs", "pods", NEWEST).needs.answer(&mut granted(&["get pods/log"])), Yes);
    let job = ask("logs", "jobs.batch once", NEWEST);
    assert_eq!(requests(&job.needs), ["get pods/log ?"]);
    assert_eq!(requests(&job.kubectl), ["get jobs.batch once", "list pods"]);
}

#[test]
fn drain_lists_pods_cluster_wide() {
    let plan = ask("drain", "nodes n1", NEWEST);
    let needs = ["patch nodes n1 @cluster", "list pods @all", "create pods/eviction ? @pods"];
    assert_eq!(requests(&plan.needs), needs);
    let reads = ["get nodes n1 @cluster", "get pods ? @pods", "get daemonsets.apps ? @pods"];
    assert_eq!(requests(&plan.kubectl), reads);
}

#[test]
fn drain_needs_the_daemonset_only_where_one_has_a_pod() {
    let mut grants = vec!["get nodes", "patch nodes", "list pods", "get pods", "create pods/eviction"];
    assert_eq!(answer("drain", "nodes", NEWEST, &grants), Unknown);
    grants.push("get daemonsets.apps");
    assert_eq!(answer("drain", "nodes", NEWEST, &grants), Yes);
    grants.retain(|grant| *grant != "create pods/eviction");
    assert_eq!(answer("drain", "nodes", NEWEST, &grants), No);
    grants.push("delete pods");
    assert_eq!(answer("drain", "nodes", NEWEST, &grants), No, "plain drain evicts");
    assert_eq!(other_way("drain", "nodes", "with --disable-eviction", &grants), Yes);
}

#[test]
fn cordon_and_taint_read_by_name_or_by_selector() {
    for verb in ["cordon", "uncordon", "taint"] {
        assert_eq!(answer(verb, "nodes", NEWEST, &["get nodes", "patch nodes"]), Yes);
        assert_eq!(answer(verb, "nodes", NEWEST, &["list nodes", "patch nodes"]), No);
        assert_eq!(other_way(verb, "nodes", "by selector", &["list nodes", "patch nodes"]), Yes);
        assert_eq!(answer(verb, "nodes", NEWEST, &["get nodes", "update nodes"]), No);
    }
}

#[test]
fn scale_needs_patch_on_the_scale_subresource_only() {
    let answer = |grants| answer("scale", "deployments.apps web", NEWEST, grants);
    assert_eq!(answer(&["get deployments.apps", "patch deployments.apps/scale"]), Yes);
    assert_eq!(answer(&["get deployments.apps", "patch deployments.apps"]), No);
    assert_eq!(answer(&["get deployments.apps", "update deployments.apps/scale"]), No);
    let current = ["get deployments.apps", "get deployments.apps/scale", "update deployments.apps/scale"];
    assert_eq!(answer(&current), No);
    assert_eq!(other_way("scale", "deployments.apps web", "with --current-replicas", &current), Yes);
}

#[test]
fn scale_works_on_custom_resources() {
    let rollouts = ask("scale", "rollouts.argoproj.io web", NEWEST);
    assert_eq!(requests(&rollouts.needs).first().unwrap(), "patch rollouts.argoproj.io/scale web");
    for on in ["daemonsets.apps", "pods", "ingresses.networking.k8s.io", "cronjobs.batch"] {
        assert!(plan("scale", &target(on), version(NEWEST)).is_err(), "{on}");
    }
}

#[test]
fn apply_cannot_tell_whether_the_object_is_new() {
    let answer = |grants| answer("apply", "configmaps c", NEWEST, grants);
    assert_eq!(answer(&["get configmaps", "create configmaps", "patch configmaps"]), Yes);
    assert_eq!(answer(&["get configmaps", "patch configmaps"]), Unknown);
    assert_eq!(answer(&["get configmaps", "create configmaps"]), Unknown);
    assert_eq!(answer(&["get configmaps"]), No);
    assert_eq!(answer(&["create configmaps", "patch configmaps"]), No);
    assert_eq!(answer(&["get configmaps", "update configmaps"]), No);
}

#[test]
fn apply_creates_without_a_name() {
    let plan = ask("apply", "configmaps c", NEWEST);
    assert_eq!(requests(&plan.needs), ["create configmaps", "patch configmaps c"]);
}

#[test]
fn server_side_apply_checks_create_with_the_name() {
    let plan = ask("apply-server-side", "configmaps c", NEWEST);
    assert_eq!(requests(&plan.needs), ["patch configmaps c", "create configmaps c"]);
    assert!(plan.kubectl.is_nothing());
    let answer = |grants| answer("apply-server-side", "configmaps c", NEWEST, grants);
    assert_eq!(answer(&["patch configmaps", "create configmaps"]), Yes);
    assert_eq!(answer(&["patch configmaps"]), Unknown);
    assert_eq!(answer(&["create configmaps"]), No);
}

#[test]
fn one_namespace_is_asked_inside_it() {
    let plan = ask("apply", "namespaces dev", NEWEST);
    assert_eq!(requests(&plan.needs), ["create namespaces @cluster", "patch namespaces dev @inside"]);
    let plan = ask("describe", "namespaces dev", NEWEST);
    assert_eq!(requests(&plan.needs), ["get namespaces dev @inside"]);
    assert_eq!(requests(&plan.kubectl), ["list resourcequotas @inside", "list limitranges @inside"]);
    let plan = ask("label", "namespaces dev", NEWEST);
    assert_eq!(requests(&plan.kubectl), ["get namespaces dev @inside"]);
    assert_eq!(requests(&plan.ways[0].kubectl), ["list namespaces @cluster"]);
}

#[test]
fn edit_patches_and_never_updates() {
    assert_eq!(answer("edit", "configmaps", NEWEST, &["get configmaps", "patch configmaps"]), Yes);
    assert_eq!(answer("edit", "configmaps", NEWEST, &["get configmaps", "update configmaps"]), No);
    let status = ask("edit", "deployments.apps/status web", NEWEST);
    assert_eq!(requests(&status.needs), ["patch deployments.apps/status web"]);
    assert_eq!(requests(&status.kubectl), ["get deployments.apps/status web"]);
}

#[test]
fn replace_updates_or_with_force_deletes_and_creates() {
    assert_eq!(answer("replace", "configmaps", NEWEST, &["update configmaps"]), Yes);
    let force = ["delete configmaps", "get configmaps", "create configmaps"];
    assert_eq!(answer("replace", "configmaps", NEWEST, &force), No);
    assert_eq!(other_way("replace", "configmaps", "with --force", &force), Yes);
    assert_eq!(answer("replace", "configmaps", NEWEST, &["patch configmaps", "get configmaps"]), No);
    assert_eq!(requests(&ask("replace", "pods/status web", NEWEST).needs), ["update pods/status web"]);
}

#[test]
fn writing_roles_and_bindings_has_a_note() {
    let mentions = |verb, on, word: &str| ask(verb, on, NEWEST).notes.iter().any(|note| note.contains(word));
    assert!(mentions("edit", "clusterroles.rbac.authorization.k8s.io", "`escalate`"));
    assert!(mentions("apply", "rolebindings.rbac.authorization.k8s.io", "`bind`"));
    assert!(!mentions("apply", "configmaps", "`bind`"));
    assert!(!mentions("label", "rolebindings.rbac.authorization.k8s.io", "`bind`"));
}

#[test]
fn describe_fails_without_what_its_describer_insists_on() {
    assert_eq!(answer("describe", "configmaps", NEWEST, &["get configmaps"]), No);
    assert_eq!(answer("describe", "configmaps", NEWEST, &["get configmaps", "list events"]), Yes);
    assert_eq!(answer("describe", "daemonsets.apps", NEWEST, &["get daemonsets.apps"]), No);
    assert_eq!(answer("describe", "daemonsets.apps", NEWEST, &["get daemonsets.apps", "list pods"]), Yes);
    for on in ["pods", "secrets", "nodes", "replicasets.apps", "widgets.example.com"] {
        assert_eq!(answer("describe", on, NEWEST, &[format!("get {on}").as_str()]), Yes, "{on}");
    }
}

#[test]
fn describe_reads_events_where_the_object_is() {
    let events = |on| requests(&ask("describe", on, NEWEST).extras.last().unwrap().need);
    assert_eq!(events("pods web"), ["list events"]);
    assert_eq!(events("nodes n1"), ["list events @all"]);
}

#[test]
fn top_reads_metrics_and_for_nodes_the_nodes_too() {
    assert_eq!(answer("top", "pods", NEWEST, &["get pods", "list pods"]), No);
    // Without a name kubectl lists, with one it gets; the other form is said and does not decide.
    let (list, get) = (["list pods.metrics.k8s.io"], ["get pods.metrics.k8s.io"]);
    assert_eq!((answer("top", "pods", NEWEST, &list), answer("top", "pods web", NEWEST, &list)), (Yes, No));
    assert_eq!((answer("top", "pods", NEWEST, &get), answer("top", "pods web", NEWEST, &get)), (No, Yes));
    assert_eq!(other_way("top", "pods", "by name", &get), Yes);
    assert_eq!(other_way("top", "pods web", "all, or by selector", &list), Yes);
    let plan = ask("top", "nodes n1", NEWEST);
    let both = ["get nodes.metrics.k8s.io n1 @cluster", "get nodes n1 @cluster"];
    assert_eq!(requests(&plan.needs).get(..2).unwrap(), both);
    assert_eq!(answer("top", "nodes", NEWEST, &["list nodes.metrics.k8s.io"]), No);
    assert_eq!(answer("top", "nodes", NEWEST, &["list nodes.metrics.k8s.io", "get nodes"]), No);
    assert_eq!(answer("top", "nodes", NEWEST, &["list nodes.metrics.k8s.io", "list nodes"]), Yes);
}

#[test]
fn waiting_needs_list_with_old_clients_and_list_or_watch_with_new_ones() {
    for (verb, on) in [("wait", "pods web"), ("rollout-status", "deployments.apps web")] {
        let of = target(on);
        let dot = if of.group.is_empty() { String::new() } else { format!(".{}", of.group) };
        let grant = |verb: &str| format!("{verb} {}{dot}", of.resource);
        let [get, list, watch] = ["get", "list", "watch"].map(grant);
        for version in versions() {
            let minor = version.minor();
            assert_eq!(answer(verb, on, minor, &[&get, &list]), Yes, "{verb} {minor}");
            assert_eq!(answer(verb, on, minor, &[&get, &watch]), Ternary::from(minor > 33), "{verb} {minor}");
            assert_eq!(answer(verb, on, minor, &[&get]), No, "{verb} {minor}");
            let observed = ask(verb, on, minor).notes.is_empty();
            assert_eq!(observed, !(34..=35).contains(&minor), "{verb} {minor}: a note where it is a guess");
        }
    }
}

#[test]
fn debug_adds_a_container_or_makes_a_copy() {
    assert_eq!(answer("debug", "pods", NEWEST, &["get pods", "patch pods/ephemeralcontainers"]), Yes);
    assert_eq!(answer("debug", "pods", NEWEST, &["get pods", "create pods"]), No);
    let copy = "in a copy, with --copy-to";
    assert_eq!(other_way("debug", "pods", copy, &["get pods", "create pods"]), Yes);
    assert_eq!(answer("debug", "pods", NEWEST, &["get pods", "update pods/ephemeralcontainers"]), No);
    let node = ask("debug", "nodes n1", NEWEST);
    assert_eq!(requests(&node.needs), ["create pods"]);
    assert_eq!(requests(&node.kubectl), ["get nodes n1 @cluster"]);
}

#[test]
fn run_and_expose_create_without_a_name() {
    assert_eq!(requests(&ask("run", "pods web", NEWEST).needs), ["create pods"]);
    let expose = ask("expose", "deployments.apps web", NEWEST);
    assert_eq!(requests(&expose.needs), ["create services"]);
    assert_eq!(requests(&expose.kubectl), ["get deployments.apps web"]);
}

#[test]
fn autoscale_creates_an_autoscaler() {
    let plan = ask("autoscale", "deployments.apps web", NEWEST);
    assert_eq!(requests(&plan.needs), ["create horizontalpodautoscalers.autoscaling"]);
}

#[test]
fn create_token_names_the_service_account() {
    let plan = ask("create-token", "serviceaccounts ci", NEWEST);
    assert_eq!(requests(&plan.needs), ["create serviceaccounts/token ci"]);
    assert!(plan.kubectl.is_nothing());
}

#[test]
fn approving_a_certificate_asks_for_the_signer() {
    let plan = ask("certificate-approve", "certificatesigningrequests.certificates.k8s.io c", NEWEST);
    let requests = requests(&plan.needs);
    let update = "update certificatesigningrequests.certificates.k8s.io/approval c @cluster";
    assert_eq!(requests, [update, "approve signers.certificates.k8s.io ? @cluster"]);
}

#[test]
fn history_and_undo_read_the_revisions() {
    let revisions = |on| requests(&ask("rollout-history", on, NEWEST).needs).pop().unwrap();
    assert_eq!(revisions("deployments.apps"), "list replicasets.apps");
    assert_eq!(revisions("daemonsets.apps"), "list controllerrevisions.apps");
    let undo = ["get deployments.apps", "list replicasets.apps", "patch deployments.apps"];
    assert_eq!(answer("rollout-undo", "deployments.apps", NEWEST, &undo), Yes);
    assert_eq!(answer("rollout-undo", "deployments.apps", NEWEST, &undo[..2]), No);
    assert_eq!(
        answer(
            "rollout-restart",
            "daemonsets.apps",
            NEWEST,
            &["get daemonsets.apps", "patch daemonsets.apps"]
        ),
        Yes
    );
}

#[test]
fn without_a_name_requests_are_asked_without_one() {
    assert_eq!(requests(&ask("exec", "pods", NEWEST).needs), ["create pods/exec *"]);
    assert_eq!(requests(&ask("edit", "nodes", NEWEST).needs), ["patch nodes * @cluster"]);
}

#[test]
fn verbs_of_the_api_are_never_operations() {
    let verbs = "* get list watch create update patch delete deletecollection use bind escalate impersonate approve sign attest";
    for verb in verbs.split(' ').chain(["head", "post", "impersonate:user-info", "", "-"]) {
        assert!(!is_operation(verb), "{verb}");
        let error = plan(verb, &target("pods"), version(NEWEST)).unwrap_err();
        assert_eq!(error, PlanError::UnknownOperation(verb.to_owned()));
    }
    for verb in ["exec", "drain", "top"] {
        assert!(is_operation(verb), "{verb}");
    }
}

#[test]
fn operations_are_spelled_in_several_ways() {
    let spellings = [
        ("rollout restart", "rollout-restart"),
        ("rollout-restart", "rollout-restart"),
        ("apply --server-side", "apply-server-side"),
        ("create token", "create-token"),
        ("portforward", "port-forward"),
        ("log", "logs"),
    ];
    for (text, name) in spellings {
        assert_eq!(canonical_name(text), Some(name));
        assert_eq!(
            plan(text, &target("pods"), version(NEWEST)).ok(),
            plan(name, &target("pods"), version(NEWEST)).ok()
        );
    }
    assert_eq!(canonical_name("Exec"), None, "verbs are case-sensitive");
}

#[test]
fn a_wrong_type_says_which_are_right() {
    let error = plan("exec", &target("nodes"), version(NEWEST)).unwrap_err();
    let text = "`exec` does not work on `nodes`; it works on pods, services, replicationcontrollers, \
        replicasets.apps, deployments.apps, statefulsets.apps, daemonsets.apps, jobs.batch";
    assert_eq!(error.to_string(), text);
    let error = plan("scale", &target("pods/log"), version(NEWEST)).unwrap_err();
    assert!(
        error.to_string().starts_with("`scale` does not work on `pods/log`; it works on deployments.apps, ")
    );
    assert!(error.to_string().ends_with("custom resources"), "{error}");
    let error = plan("label", &target("pods/status"), version(NEWEST)).unwrap_err();
    assert_eq!(error.to_string(), "`label` does not work on `pods/status`; it works on every type");
}

#[test]
fn names_are_unique_and_have_a_summary() {
    let mut seen = std::collections::BTreeSet::new();
    for (name, summary) in names() {
        assert!(seen.insert(name), "{name} stands twice");
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{name}");
        assert_eq!(canonical_name(name), Some(name), "an alias hides {name}");
    }
    assert!(seen.len() > 35, "{}", seen.len());
}
