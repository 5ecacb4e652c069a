//! The table against what kubectl sent to a live API server, and the grants with which it succeeded.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rbacsim::knowledge::operations::{Branch, Need, Plan, Step, StepName, StepScope};
use rbacsim::model::ternary::Ternary::{self, Yes};
use serde::Deserialize;

use super::ask;

#[derive(Deserialize)]
struct Recorded {
    stream_matrix: Vec<StreamRow>,
    operations: Vec<Entry>,
}

#[derive(Deserialize)]
struct StreamRow {
    server: String,
    granted: Vec<String>,
    #[serde(rename = "raw_websocket_GET")]
    websocket: u16,
    #[serde(rename = "raw_spdy_POST")]
    spdy: u16,
    #[serde(rename = "raw_spdy_GET")]
    spdy_get: u16,
    kubectl_websocket_default: String,
    kubectl_spdy_only: String,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    client: Vec<String>,
    minimal: Option<Vec<Grant>>,
    #[serde(default)]
    minimal_alt: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    when: String,
    grants: Vec<Grant>,
}

#[derive(Clone, Deserialize)]
struct Grant {
    verb: String,
    group: String,
    resource: String,
    subresource: String,
    named: bool,
    scope: String,
}

impl Grant {
    /// Whether the grant is for a request: limited to a name where the request carries one, and in the same
    /// scope. The recorded cluster has one namespace of interest, and each name is the granted one.
    fn allows(&self, step: &Step) -> bool {
        let scope = match step.scope {
            StepScope::Namespace | StepScope::UnknownNamespaces | StepScope::Fixed(_) => {
                self.scope == "namespace"
            }
            StepScope::AllNamespaces => self.scope == "all-namespaces",
            StepScope::Cluster => self.scope == "cluster",
            StepScope::NamespaceObject => matches!(self.scope.as_str(), "namespace" | "namespace-object"),
        };
        let of = (&self.verb, &self.group, &self.resource, &self.subresource)
            == (&step.verb, &step.group, &step.resource, &step.subresource);
        of && scope && self.named == (step.name != StepName::Absent)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, subresource, named, scope } = self;
        write!(f, "{verb} {resource}.{group}/{subresource} named={named} {scope}")
    }
}

/// Whether the recorded command succeeds: the operation with kubectl, in the cases and with the flags chosen.
fn succeeds(plan: &Plan, chosen: &[&str], grants: &[Grant]) -> Ternary {
    let mut extras = plan.extras.iter().filter(|extra| chosen.contains(&extra.label.as_str()));
    // Another form of the command takes the place of the plain one.
    let way = plan.ways.iter().find(|way| chosen.contains(&way.label.as_str()));
    let form = way.map_or([&plan.needs, &plan.kubectl], |way| [&way.needs, &way.kubectl]);
    let needs = form.into_iter().chain(extras.by_ref().map(|extra| &extra.need));
    Ternary::all(needs.map(|need| answer(need, chosen, grants)))
}

/// As `Need::answer`, but the state of the cluster is known.
fn answer(need: &Need, chosen: &[&str], grants: &[Grant]) -> Ternary {
    match need {
        Need::Cases(cases) => {
            let holds = |case: &&Branch| chosen.contains(&case.label.as_str());
            cases.iter().find(holds).map_or_else(
                || need.answer(&mut |step| allowed(step, grants)),
                |case| answer(&case.need, chosen, grants),
            )
        }
        Need::All(needs) => Ternary::all(needs.iter().map(|need| answer(need, chosen, grants))),
        Need::Any(ways) => Ternary::any(ways.iter().map(|way| answer(&way.need, chosen, grants))),
        Need::Request(step) => allowed(step, grants),
    }
}

fn allowed(step: &Step, grants: &[Grant]) -> Ternary {
    Ternary::from(grants.iter().any(|grant| grant.allows(step)))
}

/// Recorded command, operation, type and name, and the cases and extras that its run stands for.
const COVERED: &[(&str, &str, &str, &[&str])] = &[
    ("describe-pod", "describe", "pods x", &[]),
    ("describe-pods", "describe", "pods x", &[SEVERAL]),
    ("describe-pod-prefix", "describe", "pods x", &[SEVERAL]),
    ("describe-deploy", "describe", "deployments.apps x", &[]),
    ("describe-node", "describe", "nodes x", &[]),
    ("describe-secret", "describe", "secrets x", &[]),
    ("describe-svc", "describe", "services x", &[]),
    ("describe-cm", "describe", "configmaps x", &[]),
    ("describe-sa", "describe", "serviceaccounts x", &[]),
    ("describe-rs", "describe", "replicasets.apps x", &[]),
    ("describe-job", "describe", "jobs.batch x", &[]),
    ("describe-cronjob", "describe", "cronjobs.batch x", &[]),
    ("describe-ds", "describe", "daemonsets.apps x", &[]),
    ("describe-sts", "describe", "statefulsets.apps x", &[]),
    ("describe-pvc", "describe", "persistentvolumeclaims x", &[]),
    ("describe-ns", "describe", "namespaces x", &[]),
    ("describe-cr", "describe", "widgets.example.com x", &[]),
    ("describe-ingress", "describe", "ingresses.networking.k8s.io x", &[]),
    ("run", "run", "pods x", &[]),
    ("run-expose", "run", "pods x", &["with --expose"]),
    ("run-it", "run", "pods x", &["with -i"]),
    ("run-rm", "run", "pods x", &["with -i"]),
    ("apply-new", "apply", "configmaps x", &[NEW]),
    ("apply-old", "apply", "configmaps x", &[EXISTS]),
    ("apply-dryrun-new", "apply", "configmaps x", &[NEW]),
    ("apply-dryrun-old", "apply", "configmaps x", &[EXISTS]),
    ("apply-prune", "apply", "configmaps x", &[EXISTS, "with --prune"]),
    ("apply-force", "apply", "configmaps x", &[EXISTS]),
    ("apply-ns", "apply", "namespaces x", &[NEW]),
    ("apply-ssa-new", "apply-server-side", "configmaps x", &[NEW]),
    ("apply-ssa-old", "apply-server-side", "configmaps x", &[EXISTS]),
    ("apply-ssa-old-managed", "apply-server-side", "configmaps x", &[EXISTS]),
    ("apply-ssa-migrate", "apply-server-side", "configmaps x", &[EXISTS]),
    ("apply-view", "apply-view-last-applied", "configmaps x", &[]),
    ("apply-setlast", "apply-set-last-applied", "configmaps x", &[]),
    ("replace", "replace", "configmaps x", &[]),
    ("replace-force", "replace", "configmaps x", &["with --force"]),
    ("edit", "edit", "configmaps x", &[]),
    ("edit-subresource", "edit", "deployments.apps/status x", &[]),
    ("set-image", "set-image", "deployments.apps x", &[]),
    ("set-image-all", "set-image", "deployments.apps x", &["by selector"]),
    ("set-env", "set-env", "deployments.apps x", &[]),
    ("set-env-from", "set-env", "deployments.apps x", &["with --from=secret/…"]),
    ("label", "label", "configmaps x", &[]),
    ("label-all", "label", "configmaps x", &["by selector"]),
    ("label-nochange@1.32", "label", "configmaps x", &[]),
    ("annotate", "annotate", "configmaps x", &[]),
    ("annotate-nochange", "annotate", "configmaps x", &[]),
    ("scale", "scale", "deployments.apps x", &[]),
    ("scale-current", "scale", "deployments.apps x", &["with --current-replicas"]),
    ("scale-timeout", "scale", "deployments.apps x", &["with --timeout"]),
    ("autoscale", "autoscale", "deployments.apps x", &[]),
    ("expose", "expose", "deployments.apps x", &[]),
    ("expose-pod", "expose", "pods x", &[]),
    ("rollout-status", "rollout-status", "deployments.apps x", &[]),
    ("rollout-status-nowatch", "rollout-status", "deployments.apps x", &[]),
    ("rollout-restart", "rollout-restart", "deployments.apps x", &[]),
    ("rollout-restart-ds", "rollout-restart", "daemonsets.apps x", &[]),
    ("rollout-undo", "rollout-undo", "deployments.apps x", &[]),
    ("rollout-history", "rollout-history", "deployments.apps x", &[]),
    ("rollout-history-ds", "rollout-history", "daemonsets.apps x", &[]),
    ("rollout-pause", "rollout-pause", "deployments.apps x", &[]),
    ("rollout-resume", "rollout-resume", "deployments.apps x", &[]),
    ("logs", "logs", "pods x", &[]),
    ("logs-deploy", "logs", "deployments.apps x", &[]),
    ("logs-svc", "logs", "services x", &[]),
    ("logs-deploy-allpods", "logs", "deployments.apps x", &[]),
    ("logs-l", "logs", "pods x", &["by selector"]),
    ("exec", "exec", "pods x", &[]),
    ("exec-deploy", "exec", "deployments.apps x", &[]),
    ("exec-svc", "exec", "services x", &[]),
    ("exec-spdy", "exec", "pods x", &[]),
    ("attach", "attach", "pods x", &[]),
    ("attach-spdy", "attach", "pods x", &[]),
    ("attach-deploy", "attach", "deployments.apps x", &[]),
    ("pf", "port-forward", "pods x", &[]),
    ("pf-spdy", "port-forward", "pods x", &[]),
    ("pf-svc", "port-forward", "services x", &[]),
    ("pf-deploy", "port-forward", "deployments.apps x", &[]),
    ("cp-up", "cp", "pods x", &[]),
    ("cp-down", "cp", "pods x", &[]),
    ("cp-up-spdy", "cp", "pods x", &[]),
    ("cp-down-spdy", "cp", "pods x", &[]),
    ("debug-pod", "debug", "pods x", &[]),
    ("debug-pod-i", "debug", "pods x", &["with -i"]),
    ("debug-copy", "debug", "pods x", &["in a copy, with --copy-to"]),
    ("debug-copy-i", "debug", "pods x", &["in a copy, with --copy-to", "with --copy-to and -i"]),
    ("debug-copy-replace", "debug", "pods x", &["in a copy, with --copy-to", "with --copy-to and --replace"]),
    ("debug-node", "debug", "nodes x", &[]),
    ("debug-node-i", "debug", "nodes x", &["with -i"]),
    ("top-pod", "top", "pods", &[]),
    ("top-pod-one", "top", "pods x", &[]),
    ("top-pod-l", "top", "pods", &[]),
    ("top-node", "top", "nodes", &[]),
    ("top-node-one", "top", "nodes x", &[]),
    ("cordon", "cordon", "nodes x", &[]),
    ("cordon-l", "cordon", "nodes x", &["by selector"]),
    ("uncordon", "uncordon", "nodes x", &[]),
    ("drain", "drain", "nodes x", &["none is"]),
    ("drain-ds", "drain", "nodes x", &["a pod of a DaemonSet is on the node"]),
    ("drain-disable-eviction", "drain", "nodes x", &["with --disable-eviction", "none is"]),
    ("drain-podselector", "drain", "nodes x", &["none is"]),
    ("drain-rs", "drain", "nodes x", &["none is"]),
    ("taint", "taint", "nodes x", &[]),
    ("taint-all", "taint", "nodes x", &["by selector"]),
    ("wait-cond", "wait", "pods x", &[]),
    ("wait-delete2", "wait", "pods x", &[]),
    ("wait-label", "wait", "pods x", &["by selector"]),
    ("token", "create-token", "serviceaccounts x", &[]),
    ("csr-approve", "certificate-approve", "certificatesigningrequests.certificates.k8s.io x", &[]),
    ("csr-deny", "certificate-deny", "certificatesigningrequests.certificates.k8s.io x", &[]),
    ("events", "events", "pods x", &[]),
    ("events-for", "events", "pods x", &[]),
    ("events-watch", "events", "pods x", &["with -w"]),
    ("diff-new", "diff", "configmaps x", &[NEW]),
    ("diff-old", "diff", "configmaps x", &[EXISTS]),
    ("diff-ssa", "diff", "configmaps x", &[EXISTS]),
];
const NEW: &str = "the object is new";
const EXISTS: &str = "the object exists";
const SEVERAL: &str = "several at once, or by the beginning of the name";

/// Recorded commands that are no operation of the table: the beginning of the id, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("get-", "`get` is a verb of the API"),
    ("create-", "`create` is a verb of the API"),
    ("delete-", "`delete` is a verb of the API"),
    ("patch", "`patch` is a verb of the API"),
    ("apply-same", "changes nothing"),
    ("apply-dryrun-client-new", "changes nothing"),
    ("edit-nochange", "changes nothing"),
    ("label-nochange@1.36", "changes nothing"),
    ("cordon-already", "changes nothing"),
    ("drain-dryrun", "evicts nothing, so waits for nothing"),
    ("wait-delete", "there was nothing to wait for"),
    ("wait-create", "there was nothing to wait for"),
    ("reconcile-", "`auth reconcile` is about several types at once"),
    ("cluster-info", "about no type"),
    ("can-i", "about no type"),
    ("whoami", "about no type"),
    ("api-", "about no type"),
    ("explain", "reads documentation only"),
    ("version", "about no type"),
    ("proxy", "sends nothing of its own"),
    ("config-view", "sends nothing"),
];

fn load() -> Option<Recorded> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/kubectl-operations.yaml");
    let Ok(text) = std::fs::read_to_string(path) else {
        say("skipped: the recorded runs of kubectl are not here");
        return None;
    };
    Some(serde_yaml::from_str(&text).unwrap())
}

#[expect(clippy::print_stderr, reason = "a test says what it covered or skipped")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// The minor versions whose table must give just these grants: the server was 1.36, clients 1.32 to 1.33 and
/// 1.36 were observed.
fn exact_versions(entry: &Entry, when: &str) -> Vec<u8> {
    let observed: Vec<u8> =
        entry.client.iter().map(|client| if client == "1.32" { 33 } else { 36 }).collect();
    if when.starts_with("server <= 1.34") {
        return vec![if observed.contains(&33) { 33 } else { 34 }];
    }
    observed
}

/// The versions between, in which no recorded success may be a "no".
fn tolerant_versions(when: &str) -> std::ops::RangeInclusive<u8> {
    if when.starts_with("server <= 1.34") { 34..=34 } else { 34..=36 }
}

#[test]
fn recorded_minimal_grants_suffice_and_each_is_needed() {
    let Some(recorded) = load() else { return };
    let mut covered = BTreeMap::new();
    let (mut suffice, mut needed, mut logs_instead) = (0, 0, 0);
    for entry in &recorded.operations {
        let base = entry.id.split('@').next().unwrap();
        let row = COVERED.iter().find(|row| row.0 == entry.id || row.0 == base);
        let Some(&(id, operation, on, chosen)) = row else { continue };
        covered.insert(entry.id.as_str(), id);
        let minimal = entry.minimal.as_ref().unwrap_or_else(|| panic!("{}: no grants recorded", entry.id));
        let alternatives = entry.minimal_alt.iter().map(|own| (own.when.as_str(), &own.grants));
        for (when, grants) in std::iter::once(("", minimal)).chain(alternatives) {
            if when.starts_with("attach refused: kubectl streams the logs") {
                // Printing logs is not what -i is for.
                logs_instead += 1;
                continue;
            }
            let id = format!("{} {when}", entry.id);
            for minor in tolerant_versions(when) {
                assert_eq!(succeeds(&ask(operation, on, minor), chosen, grants), Yes, "{id} in {minor}");
            }
            for minor in exact_versions(entry, when) {
                let plan = ask(operation, on, minor);
                assert_eq!(succeeds(&plan, chosen, grants), Yes, "{id} in {minor}");
                suffice += 1;
                for (index, taken) in grants.iter().enumerate() {
                    let mut fewer = grants.clone();
                    fewer.remove(index);
                    assert_ne!(succeeds(&plan, chosen, &fewer), Yes, "{id} in {minor} without {taken}");
                    needed += 1;
                }
            }
        }
    }
    let mut reasons = BTreeMap::<_, Vec<_>>::new();
    for entry in recorded.operations.iter().filter(|entry| !covered.contains_key(entry.id.as_str())) {
        let left_out = LEFT_OUT.iter().find(|left| entry.id.starts_with(left.0));
        let (_, why) = left_out.unwrap_or_else(|| panic!("{}: neither covered nor left out", entry.id));
        reasons.entry(*why).or_default().push(entry.id.as_str());
    }
    for row in COVERED {
        assert!(covered.values().any(|id| *id == row.0), "{} is not recorded", row.0);
    }
    let total = recorded.operations.len();
    say(&format!(
        "{} of {total} recorded commands; {suffice} sets of grants suffice, {needed} grants are needed; \
         {logs_instead} alternatives that only print logs left out",
        covered.len()
    ));
    for (why, ids) in reasons {
        say(&format!("left out, {why}: {}", ids.join(" ")));
    }
    assert!(covered.len() > 100 && needed > 300, "{} {needed}", covered.len());
}

#[test]
fn recorded_streams_open_as_the_table_says() {
    let Some(recorded) = load() else { return };
    assert_eq!(recorded.stream_matrix.len(), 8);
    for row in &recorded.stream_matrix {
        let minors = if row.server.starts_with("<=1.34") { 33..=34 } else { 35..=37 };
        let any_client = [row.websocket, row.spdy, row.spdy_get].contains(&101);
        let any_kubectl = [&row.kubectl_websocket_default, &row.kubectl_spdy_only];
        assert_eq!(any_client, any_kubectl.iter().any(|said| said.starts_with("ok")));
        for minor in minors {
            for (verb, subresource) in
                [("exec", "exec"), ("attach", "attach"), ("port-forward", "portforward"), ("cp", "exec")]
            {
                let mut ask_step = |step: &Step| {
                    assert_eq!((step.resource.as_str(), step.subresource.as_str()), ("pods", subresource));
                    Ternary::from(row.granted.contains(&step.verb))
                };
                let answer = ask(verb, "pods x", minor).answer(&mut ask_step);
                assert_eq!(answer, Ternary::from(any_client), "{verb} {} {:?}", row.server, row.granted);
            }
        }
    }
}
