//! A believable large EKS cluster, the same for the same size on every machine.
//!
//! Of 50,000 RBAC objects 5,000 are ClusterRoles, 20,000 Roles, 2,000 ClusterRoleBindings and 23,000 RoleBindings,
//! in 10,000 namespaces. The group `platform:observers` is bound in every namespace, `legacy-operator` has 400
//! rules, and [`GROUPS`] are the 200 groups of one user. As in an export, there is more than that: 2,000 Namespaces,
//! 4,000 Deployments, 100 CustomResourceDefinitions of 11 to 40 KB, and one `aws-auth`.

use serde_json::{Value, json};

use super::kubectl;
use super::random::Random;

/// The sizes at which everything is measured, in RBAC objects.
pub(crate) const SIZES: [usize; 3] = [500, 5_000, 50_000];

/// How many groups the user with many groups has.
pub(crate) const GROUPS: usize = 200;

/// The group that is bound in every namespace.
pub(crate) const OBSERVERS: &str = "platform:observers";

/// The group to which the role with 400 rules is granted.
pub(crate) const LEGACY: &str = "legacy:operators";

const RBAC: &str = "rbac.authorization.k8s.io";
const AREAS: &[&str] =
    &["payments", "checkout", "ledger", "search", "catalog", "identity", "fraud", "billing", "media", "edge"];
const STAGES: &[&str] = &["dev", "test", "staging", "prod"];
const PARTS: &[&str] =
    &["api", "worker", "gateway", "frontend", "scheduler", "importer", "exporter", "cache", "operator"];

/// What rules are made of: an API group and its resources.
pub(crate) const RESOURCES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "pods",
            "pods/log",
            "pods/exec",
            "services",
            "configmaps",
            "secrets",
            "events",
            "endpoints",
            "serviceaccounts",
            "persistentvolumeclaims",
        ],
    ),
    ("apps", &["deployments", "deployments/scale", "statefulsets", "daemonsets", "replicasets"]),
    ("batch", &["jobs", "cronjobs", "jobs/status"]),
    ("networking.k8s.io", &["ingresses", "networkpolicies"]),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("policy", &["poddisruptionbudgets"]),
    (RBAC, &["roles", "rolebindings"]),
    ("argoproj.io", &["applications", "rollouts", "workflows"]),
    ("cert-manager.io", &["certificates", "issuers", "certificaterequests"]),
    ("monitoring.coreos.com", &["servicemonitors", "prometheusrules"]),
];

/// Sets of verbs as people write them.
const VERBS: &[&[&str]] = &[
    &["get", "list", "watch"],
    &["get", "list"],
    &["get"],
    &["get", "list", "watch", "create", "update", "patch", "delete"],
    &["create", "delete"],
    &["get", "list", "watch", "update", "patch"],
    &["create"],
    &["*"],
];

/// How many of each there are, for a number of RBAC objects.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) namespaces: usize,
    declared: usize,
    cluster_roles: usize,
    roles: usize,
    cluster_bindings: usize,
    bindings: usize,
    deployments: usize,
    crds: usize,
}

impl Shape {
    pub(crate) fn of(size: usize) -> Self {
        let part = |of_50_000: usize| (size * of_50_000).div_ceil(50_000);
        let (cluster_roles, roles, cluster_bindings) = (part(5_000), part(20_000), part(2_000));
        Self {
            namespaces: part(10_000),
            declared: part(2_000),
            cluster_roles,
            roles,
            cluster_bindings,
            bindings: size - cluster_roles - roles - cluster_bindings,
            deployments: part(4_000),
            crds: part(100),
        }
    }
}

/// The name of a namespace by its number.
pub(crate) fn namespace(number: usize) -> String {
    let (area, stage) = (AREAS[number % AREAS.len()], STAGES[number / AREAS.len() % STAGES.len()]);
    format!("{area}-{stage}-{:04}", number / (AREAS.len() * STAGES.len()))
}

/// A group of a team by its number; the first [`GROUPS`] are those of the user with many groups.
pub(crate) fn team(number: usize) -> String {
    format!("team:{}-{:04}", AREAS[number % AREAS.len()], number)
}

/// Calls `each` for every object of the cluster, in the order of an export.
pub(crate) fn objects(size: usize, each: &mut dyn FnMut(&Value)) {
    let shape = Shape::of(size);
    let mut random = Random::new(0x5EED);
    let random = &mut random;
    for number in 0..shape.declared {
        let labels = json!({ "kubernetes.io/metadata.name": namespace(number), "team": team(number) });
        let metadata = metadata(random, None, &namespace(number), &labels);
        each(&json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": metadata,
            "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" },
        }));
    }
    each(&aws_auth(random, shape));
    for number in 0..shape.crds {
        each(&crd(random, number));
    }
    for number in 0..shape.cluster_roles {
        let name = cluster_role_name(number);
        let rules = if number == 0 { legacy_rules() } else { rules(random) };
        let mut labels = labels(random, "iam");
        if number % 50 == 1 {
            labels["rbac.authorization.k8s.io/aggregate-to-view"] = json!("true");
        }
        each(&json!({
            "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole",
            "metadata": metadata(random, None, &name, &labels), "rules": rules,
        }));
    }
    for number in 0..shape.roles {
        let space = namespace(number % shape.namespaces);
        let name = role_name(number / shape.namespaces);
        let labels = labels(random, &name);
        each(&json!({
            "apiVersion": format!("{RBAC}/v1"), "kind": "Role",
            "metadata": metadata(random, Some(&space), &name, &labels), "rules": rules(random),
        }));
    }
    for number in 0..shape.cluster_bindings {
        each(&cluster_binding(random, shape, number));
    }
    for number in 0..shape.bindings {
        each(&binding(random, shape, number));
    }
    for number in 0..shape.deployments {
        each(&deployment(random, shape, number));
    }
}

fn cluster_role_name(number: usize) -> String {
    if number == 0 {
        "legacy-operator".to_owned()
    } else {
        format!("{}-{}-{number}", AREAS[number % AREAS.len()], PARTS[number / 7 % PARTS.len()])
    }
}

fn role_name(number: usize) -> String {
    format!("{}-{}", PARTS[number % PARTS.len()], ["runner", "deployer", "reader"][number % 3])
}

fn labels(random: &mut Random, name: &str) -> Value {
    json!({
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/version": format!("1.{}.{}", random.below(30), random.below(10)),
        "helm.sh/chart": format!("{name}-{}.{}.0", random.below(9), random.below(40)),
    })
}

fn metadata(random: &mut Random, namespace: Option<&str>, name: &str, labels: &Value) -> Value {
    let bits = random.next();
    let mut metadata = json!({
        "creationTimestamp": format!("2025-{:02}-{:02}T{:02}:{:02}:07Z", 1 + random.below(12), 1 + random.below(28), random.below(24), random.below(60)),
        "labels": labels,
        "name": name,
        "resourceVersion": (100_000 + random.below(900_000_000)).to_string(),
        "uid": format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", bits >> 32, bits >> 16 & 0xffff, bits & 0xfff, bits >> 8 & 0xfff, random.next() >> 16),
    });
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    let annotations = match random.below(10) {
        0..4 => {
            json!({ "meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace.unwrap_or("default") })
        }
        // What `kubectl apply` leaves behind: one line of JSON with a line end.
        4..6 => {
            json!({ "kubectl.kubernetes.io/last-applied-configuration": format!("{}\n", json!({ "metadata": { "annotations": {}, "name": name } })) })
        }
        _ => return metadata,
    };
    metadata["annotations"] = annotations;
    metadata
}

fn rules(random: &mut Random) -> Value {
    let count = 1 + random.below(5);
    let mut rules = Vec::new();
    for _ in 0..count {
        let (group, resources) = *random.pick(RESOURCES);
        let from = random.below(resources.len());
        let to = from + 1 + random.below(resources.len() - from);
        let mut rule =
            json!({ "apiGroups": [group], "resources": resources[from..to], "verbs": random.pick(VERBS) });
        if random.percent(6) {
            let names = ["leader-election", "app-config", "tls"];
            rule["resourceNames"] = json!(names[..=random.below(3)]);
        }
        rules.push(rule);
    }
    json!(rules)
}

/// 400 rules that have the same verbs and group, so that only the resource tells them apart.
fn legacy_rules() -> Value {
    let rule = |number: usize| json!({ "apiGroups": ["legacy.example.com"], "resources": [format!("things{number}")], "verbs": ["get", "list", "watch", "update"] });
    json!((0..400).map(rule).collect::<Vec<_>>())
}

fn subject(random: &mut Random, shape: Shape, space: &str) -> Value {
    match random.below(10) {
        0..4 => {
            json!({ "kind": "ServiceAccount", "name": format!("{}-sa", random.pick(PARTS)), "namespace": space })
        }
        4..8 => {
            let teams = shape.namespaces / 2 + GROUPS;
            json!({ "apiGroup": RBAC, "kind": "Group", "name": team(random.below(teams)) })
        }
        _ => {
            json!({ "apiGroup": RBAC, "kind": "User", "name": format!("user{}@example.com", random.below(shape.namespaces * 2)) })
        }
    }
}

fn subjects(random: &mut Random, shape: Shape, space: &str) -> Vec<Value> {
    (0..=random.below(4)).map(|_| subject(random, shape, space)).collect()
}

fn cluster_binding(random: &mut Random, shape: Shape, number: usize) -> Value {
    let (role, subjects) = if number == 0 {
        (0, vec![json!({ "apiGroup": RBAC, "kind": "Group", "name": LEGACY })])
    } else {
        let role = 1 + random.below(shape.cluster_roles - 1);
        (role, subjects(random, shape, &namespace(number % shape.namespaces)))
    };
    let labels = labels(random, "iam");
    json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRoleBinding",
        "metadata": metadata(random, None, &format!("grant-{number:05}"), &labels),
        "roleRef": { "apiGroup": RBAC, "kind": "ClusterRole", "name": cluster_role_name(role) },
        "subjects": subjects,
    })
}

fn binding(random: &mut Random, shape: Shape, number: usize) -> Value {
    let space = namespace(number % shape.namespaces);
    let labels = labels(random, "tenant");
    let (name, role, subjects) = if number < shape.namespaces {
        let role = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": "view" });
        let group = json!({ "apiGroup": RBAC, "kind": "Group", "name": OBSERVERS });
        ("observers".to_owned(), role, vec![group])
    } else {
        let role = match random.below(50) {
            // A few bindings outlive their role.
            0 => json!({ "apiGroup": RBAC, "kind": "Role", "name": "gone" }),
            1..15 => {
                json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": cluster_role_name(1 + random.below(shape.cluster_roles - 1)) })
            }
            _ => {
                json!({ "apiGroup": RBAC, "kind": "Role", "name": role_name(random.below(shape.roles / shape.namespaces)) })
            }
        };
        (format!("grant-{number:05}"), role, subjects(random, shape, &space))
    };
    json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": "RoleBinding",
        "metadata": metadata(random, Some(&space), &name, &labels),
        "roleRef": role, "subjects": subjects,
    })
}

fn aws_auth(random: &mut Random, shape: Shape) -> Value {
    let mut roles = String::new();
    for number in 0..shape.namespaces.min(300) {
        roles.push_str(&format!(
            "- rolearn: arn:aws:iam::111122223333:role/{}\n  username: {}:{{{{SessionName}}}}\n  groups:\n  - {}\n",
            AREAS[number % AREAS.len()].to_owned() + &number.to_string(),
            AREAS[number % AREAS.len()],
            team(number),
        ));
    }
    let metadata = metadata(random, Some("kube-system"), "aws-auth", &json!({}));
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "mapRoles": roles, "mapUsers": "[]\n" }, "metadata": metadata })
}

const SENTENCE: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values.";

/// A definition with a schema of 11 to 40 KB, in nested properties with folded descriptions.
fn crd(random: &mut Random, number: usize) -> Value {
    let mut properties = json!({});
    for field in 0..18 + random.below(60) {
        let description =
            if random.percent(50) { format!("More info: {SENTENCE}") } else { SENTENCE.to_owned() };
        properties[format!("field{field}")] = json!({
            "description": description,
            "properties": {
                "name": { "description": "The name of it.", "type": "string" },
                "value": { "default": random.below(100), "format": "int32", "minimum": 0, "type": "integer" },
            },
            "required": ["name"],
            "type": "object",
        });
    }
    let plural = format!("widgets{number}");
    let labels = json!({ "app.kubernetes.io/name": "widgets" });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": metadata(random, None, &format!("{plural}.example.com"), &labels),
        "spec": {
            "conversion": { "strategy": "None" },
            "group": "example.com",
            "names": { "kind": format!("Widget{number}"), "listKind": format!("Widget{number}List"), "plural": plural, "shortNames": [format!("w{number}")], "singular": format!("widget{number}") },
            "scope": "Namespaced",
            "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": { "description": SENTENCE, "properties": properties, "type": "object" } }, "served": true, "storage": true, "subresources": { "status": {} } }],
        },
    })
}

fn deployment(random: &mut Random, shape: Shape, number: usize) -> Value {
    let space = namespace(number % shape.namespaces);
    let name = PARTS[number / shape.namespaces % PARTS.len()];
    let labels = labels(random, name);
    let variable = |key: usize| json!({ "name": format!("SETTING_{key}"), "value": format!("value-{key}") });
    let container = json!({
        "env": (0..random.below(12)).map(variable).collect::<Vec<_>>(),
        "image": format!("111122223333.dkr.ecr.eu-central-1.amazonaws.com/{name}:1.{}", random.below(500)),
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": { "failureThreshold": 3, "httpGet": { "path": "/healthz", "port": 8080, "scheme": "HTTP" }, "periodSeconds": 10 },
        "name": name,
        "ports": [{ "containerPort": 8080, "name": "http", "protocol": "TCP" }],
        "resources": { "limits": { "memory": "512Mi" }, "requests": { "cpu": "100m", "memory": "256Mi" } },
        "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": metadata(random, Some(&space), name, &labels),
        "spec": {
            "progressDeadlineSeconds": 600, "replicas": 1 + random.below(5), "revisionHistoryLimit": 10,
            "selector": { "matchLabels": { "app.kubernetes.io/name": name } },
            "strategy": { "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" }, "type": "RollingUpdate" },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                    "schedulerName": "default-scheduler", "serviceAccount": format!("{name}-sa"),
                    "serviceAccountName": format!("{name}-sa"), "terminationGracePeriodSeconds": 30,
                },
            },
        },
        "status": { "availableReplicas": 1, "observedGeneration": 4, "readyReplicas": 1, "replicas": 1 },
    })
}

/// How the cluster is written down.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// YAML, a document for each object.
    Yaml,
    /// YAML, one List as `kubectl get -o yaml` prints it.
    YamlList,
    /// JSON, one List in one line.
    Json,
    /// JSON, one List as `kubectl get -o json` prints it.
    JsonIndented,
}

impl Form {
    pub(crate) const ALL: [Self; 4] = [Self::Yaml, Self::YamlList, Self::Json, Self::JsonIndented];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::YamlList => "yaml-list",
            Self::Json => "json",
            Self::JsonIndented => "json-indented",
        }
    }
}

/// The cluster as one text.
pub(crate) fn text(size: usize, form: Form) -> String {
    let mut out = String::with_capacity(size * 1_100);
    match form {
        Form::Yaml => objects(size, &mut |object| {
            if !out.is_empty() {
                out.push_str("---\n");
            }
            kubectl::yaml(object, &mut out);
        }),
        Form::YamlList => {
            out.push_str("apiVersion: v1\nitems:\n");
            objects(size, &mut |object| kubectl::yaml_item(object, &mut out));
            out.push_str("kind: List\nmetadata:\n  resourceVersion: \"\"\n");
        }
        Form::Json => {
            out.push_str("{\"apiVersion\":\"v1\",\"items\":[");
            let mut first = true;
            objects(size, &mut |object| {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                out.push_str(&object.to_string());
            });
            out.push_str("],\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"\"}}\n");
        }
        Form::JsonIndented => {
            out.push_str("{\n    \"apiVersion\": \"v1\",\n    \"items\": [");
            let mut first = true;
            objects(size, &mut |object| {
                out.push_str(if std::mem::take(&mut first) { "\n        " } else { ",\n        " });
                let mut bytes = Vec::new();
                let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
                let mut writer = serde_json::Serializer::with_formatter(&mut bytes, format);
                serde::Serialize::serialize(object, &mut writer).unwrap();
                out.push_str(&String::from_utf8(bytes).unwrap().replace('\n', "\n        "));
            });
            out.push_str("\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n");
        }
    }
    out
}

/// The cluster as a directory: a folder for each namespace, a file for each object.
pub(crate) fn directory(size: usize, at: &std::path::Path) {
    let mut text = String::new();
    let mut made = std::collections::HashSet::new();
    objects(size, &mut |object| {
        let part = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("cluster");
        let folder = at.join(part("/metadata/namespace"));
        if made.insert(folder.clone()) {
            std::fs::create_dir_all(&folder).unwrap();
        }
        text.clear();
        kubectl::yaml(object, &mut text);
        let name = format!("{}-{}.yaml", part("/kind").to_lowercase(), part("/metadata/name"));
        std::fs::write(folder.join(name), &text).unwrap();
    });
}
