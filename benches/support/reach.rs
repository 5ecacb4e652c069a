//! What somebody can become, found in the plainest way: in each round everybody reached is asked about everything, as if by
//! SubjectAccessReviews, and what was gained is written into the objects. No classes, no index, no order; it shares no line
//! with the search of the library. Only what is reached is found, in how many rounds, not by which way.
//!
//! It follows the table of certain steps: an act takes one request or several, each by anybody reached; a request takes one
//! check or several, all by one identity.

use std::collections::{BTreeMap, BTreeSet};

use rbacsim::decide::cluster::Cluster;
use rbacsim::model::attributes::{Attributes, ResourceAttributes};
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, Defaults, Input, LoadOptions, load};
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";
const AUTHENTICATED: &str = "system:authenticated";
const MASTERS: &str = "system:masters";
/// Names that occur nowhere.
const FRESH: &str = "fresh-7f3a";
/// The group of everybody reached, to which gained roles are bound.
const REACHED: &str = "reached-7f3a";
const READ: &[&str] = &["get", "list", "watch", "patch", "deletecollection"];
const CHANGE: &[&str] = &["update", "patch"];
const CREATE: &[&str] = &["create"];
const IMPERSONATE: &[&str] = &["impersonate"];
const WORKLOADS: &[(&str, &str, &str)] = &[
    ("DaemonSet", "apps", "daemonsets"),
    ("Deployment", "apps", "deployments"),
    ("ReplicaSet", "apps", "replicasets"),
    ("StatefulSet", "apps", "statefulsets"),
    ("Job", "batch", "jobs"),
    ("CronJob", "batch", "cronjobs"),
    ("ReplicationController", "", "replicationcontrollers"),
];

/// What is reached from one start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Identities, nodes and powers, each with its round.
    pub(crate) reached: BTreeMap<String, u16>,
    /// The sinks, each with its round.
    pub(crate) sinks: BTreeMap<&'static str, Option<u16>>,
}

/// A role by its namespace, empty for a ClusterRole, and its name.
type Role = (String, String);
type Account = (String, String);

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Pod {
    namespace: String,
    /// Fresh for a pod of a workload.
    name: String,
    account: String,
    has_token: bool,
    /// Its node, if it is known.
    node: Option<String>,
    is_on_fargate: bool,
    is_on_every_node: bool,
    is_loaded: bool,
    opens: bool,
}

#[derive(Clone, Debug)]
struct Binding {
    namespace: String,
    name: String,
    role: Role,
    subjects: Vec<Value>,
}

/// The objects, and what there is to reach in them.
#[derive(Debug)]
pub(crate) struct Reference {
    objects: Vec<Value>,
    version: String,
    base: Cluster,
    /// Namespaces that exist; of those loaded the level that they enforce, empty for none.
    namespaces: BTreeMap<String, Option<String>>,
    accounts: BTreeSet<Account>,
    named_accounts: BTreeSet<Account>,
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    pods: Vec<Pod>,
    /// Namespace, group, resource and name of what runs pods anew when it is changed.
    workloads: Vec<[String; 4]>,
    /// Namespace and name of Secrets with a token, and whose.
    tokens: Vec<[String; 3]>,
    roles: BTreeMap<Role, Value>,
    bindings: Vec<Binding>,
    /// Names under which an apply could create.
    tried: BTreeSet<String>,
    has_aws_auth: bool,
}

/// Everything reached up to a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    users: Vec<UserInfo>,
    nodes: BTreeSet<String>,
    made: BTreeSet<Account>,
    grants: BTreeSet<(Role, String)>,
    changed: BTreeSet<Role>,
    is_admin: bool,
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or("")
}

fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn has(value: &Value, path: &str, one: &str) -> bool {
    list(value, path).iter().any(|own| own == one || own == "*")
}

fn account_of(username: &str) -> Option<Account> {
    let (namespace, name) = username.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some((namespace.to_owned(), name.to_owned()))
}

fn username_of((namespace, name): &Account) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

fn service_account((namespace, name): &Account) -> UserInfo {
    UserInfo::service_account(namespace, name)
}

fn sorted(user: &UserInfo) -> (String, BTreeSet<&str>) {
    (user.username.clone(), user.groups.iter().map(String::as_str).collect())
}

/// An identity as it is printed.
fn shown(user: &UserInfo) -> String {
    if let Some(account) = account_of(&user.username)
        && sorted(user) == sorted(&service_account(&account))
    {
        return format!("ServiceAccount {}/{}", account.0, account.1);
    }
    let groups: BTreeSet<&str> = user.groups.iter().map(String::as_str).collect();
    let groups = groups.into_iter().filter(|group| *group != AUTHENTICATED);
    groups.fold(format!("User {}", user.username), |all, group| format!("{all} + {group}"))
}

/// The pod that an object is or keeps running.
fn pod(object: &Value, accounts: &BTreeMap<Account, Value>) -> Option<Pod> {
    let kind = text(object, "/kind");
    let is_pod = kind == "Pod";
    let keeps =
        matches!(kind, "DaemonSet" | "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController");
    let spec = object.pointer(if is_pod { "/spec" } else { "/spec/template/spec" })?;
    let is_running = if is_pod {
        matches!(text(object, "/status/phase"), "" | "Running")
    } else {
        keeps && object.pointer("/spec/replicas") != Some(&json!(0))
    };
    if !is_running {
        return None;
    }
    let namespace = text(object, "/metadata/namespace").to_owned();
    let account = account_name(spec);
    let loaded = accounts.get(&(namespace.clone(), account.clone()));
    let is_plain_token = |source: &Value| {
        source.get("serviceAccountToken").is_some_and(|token| text(token, "/audience").is_empty())
    };
    let has_volume = list(spec, "/volumes")
        .iter()
        .any(|volume| list(volume, "/projected/sources").iter().any(is_plain_token));
    let automount = |value: &Value| value.get("automountServiceAccountToken").and_then(Value::as_bool);
    let has_token = has_volume || automount(spec).or_else(|| loaded.and_then(automount)).unwrap_or(true);
    let node = text(spec, "/nodeName");
    let is_on_fargate = is_pod && node.starts_with("fargate-");
    let opening = |path: &str| {
        matches!(
            path.trim_end_matches('/'),
            "" | "/var" | "/var/lib" | "/var/lib/kubelet" | "/var/lib/kubelet/pods"
        )
    };
    let host: Vec<&str> = list(spec, "/volumes")
        .iter()
        .filter(|volume| volume.pointer("/hostPath/path").and_then(Value::as_str).is_some_and(opening))
        .map(|volume| text(volume, "/name"))
        .collect();
    let of_pod = spec.pointer("/securityContext/runAsUser").and_then(Value::as_i64);
    let opens = list(spec, "/containers").iter().any(|container| {
        let user = container.pointer("/securityContext/runAsUser").and_then(Value::as_i64).or(of_pod);
        let is_privileged = container.pointer("/securityContext/privileged") == Some(&json!(true));
        let mounts = list(container, "/volumeMounts").iter().any(|own| host.contains(&text(own, "/name")));
        user.unwrap_or(0) == 0 && (is_privileged || mounts)
    });
    Some(Pod {
        name: if is_pod { text(object, "/metadata/name").to_owned() } else { FRESH.to_owned() },
        namespace,
        account,
        has_token,
        node: (is_pod && !node.is_empty()).then(|| node.to_owned()),
        is_on_fargate,
        is_on_every_node: kind == "DaemonSet",
        is_loaded: is_pod,
        opens: opens && !is_on_fargate,
    })
}

fn account_name(spec: &Value) -> String {
    let names = [text(spec, "/serviceAccountName"), text(spec, "/serviceAccount"), "default"];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned()
}

fn cluster(objects: &[Value], version: &str) -> Cluster {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let input = Input::Text { name: "objects.json".into(), bytes: list.to_string().into_bytes() };
    let options = LoadOptions {
        defaults: Defaults::Never,
        completeness: Some(Completeness::Complete),
        version: Some(version.parse().unwrap()),
        ..LoadOptions::default()
    };
    load(&[input], &options).unwrap().into()
}

impl Reference {
    pub(crate) fn new(objects: &[Value], version: &str) -> Self {
        let mut own = Self {
            objects: objects.to_vec(),
            version: version.to_owned(),
            base: cluster(objects, version),
            namespaces: BTreeMap::new(),
            accounts: BTreeSet::new(),
            named_accounts: BTreeSet::new(),
            users: BTreeSet::new(),
            groups: BTreeSet::from([MASTERS.to_owned()]),
            pods: Vec::new(),
            workloads: Vec::new(),
            tokens: Vec::new(),
            roles: BTreeMap::new(),
            bindings: Vec::new(),
            tried: BTreeSet::new(),
            has_aws_auth: false,
        };
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            own.namespaces.insert(name.to_owned(), None);
        }
        let mut loaded: BTreeMap<Account, Value> = BTreeMap::new();
        for object in objects {
            own.look_at(object, &mut loaded);
        }
        for object in objects.iter().filter(|object| object["kind"] == "Pod") {
            let namespace = text(object, "/metadata/namespace").to_owned();
            own.accounts.insert((namespace, account_name(&object["spec"])));
        }
        own.accounts.extend(loaded.keys().cloned());
        own.accounts.extend(own.namespaces.keys().map(|name| (name.clone(), "default".to_owned())));
        own.named_accounts.extend(own.accounts.iter().cloned());
        let pods = objects.iter().filter_map(|object| pod(object, &loaded));
        own.pods = pods
            .filter(|pod| {
                pod.is_loaded || own.accounts.contains(&(pod.namespace.clone(), pod.account.clone()))
            })
            .collect();
        own.groups.retain(|group| group != AUTHENTICATED && group != "system:unauthenticated");
        own.users.retain(|user| !user.is_empty() && user != "system:anonymous");
        own
    }

    fn look_at(&mut self, object: &Value, loaded: &mut BTreeMap<Account, Value>) {
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name").to_owned());
        let namespace = text(object, "/metadata/namespace").to_owned();
        if !namespace.is_empty() {
            self.namespaces.entry(namespace.clone()).or_default();
        }
        match kind {
            "Namespace" => {
                let level = text(object, "/metadata/labels/pod-security.kubernetes.io~1enforce");
                self.namespaces.insert(name, Some(level.to_owned()));
            }
            "ServiceAccount" => {
                loaded.insert((namespace, name), object.clone());
            }
            "Secret" => {
                let of = text(object, "/metadata/annotations/kubernetes.io~1service-account.name");
                if object["type"] == "kubernetes.io/service-account-token" && !of.is_empty() {
                    self.tokens.push([namespace, name, of.to_owned()]);
                }
            }
            "ConfigMap" => self.has_aws_auth |= name == "aws-auth" && namespace == "kube-system",
            "Role" | "ClusterRole" => {
                for rule in list(object, "/rules") {
                    let names = list(rule, "/resourceNames").iter().filter_map(Value::as_str);
                    if has(rule, "/apiGroups", RBAC) {
                        self.tried.extend(names.clone().map(str::to_owned));
                    }
                    let users = has(rule, "/apiGroups", "") && has(rule, "/resources", "users");
                    if users && has(rule, "/verbs", "impersonate") {
                        self.users.extend(names.map(str::to_owned));
                    }
                }
                self.roles.insert((namespace, name), object.clone());
            }
            "RoleBinding" | "ClusterRoleBinding" => {
                for subject in list(object, "/subjects") {
                    let name = text(subject, "/name").to_owned();
                    match text(subject, "/kind") {
                        "Group" => {
                            self.groups.insert(name);
                        }
                        "User" => match account_of(&name) {
                            Some(account) => {
                                self.named_accounts.insert(account);
                            }
                            None => {
                                self.users.insert(name);
                            }
                        },
                        _ => {
                            let namespace = text(subject, "/namespace").to_owned();
                            if !namespace.is_empty() {
                                self.named_accounts.insert((namespace, name));
                            }
                        }
                    }
                }
                let is_role = text(object, "/roleRef/kind") == "Role";
                let home = if is_role { namespace.clone() } else { String::new() };
                let role = (home, text(object, "/roleRef/name").to_owned());
                let subjects = list(object, "/subjects").to_vec();
                self.bindings.push(Binding { namespace, name, role, subjects });
            }
            _ => {
                let known = WORKLOADS.iter().find(|(own, ..)| *own == kind && kind != "Job");
                if let Some((_, group, resource)) = known {
                    self.workloads.push([namespace, (*group).to_owned(), (*resource).to_owned(), name]);
                }
            }
        }
    }

    /// The cluster that the objects are, with nothing added.
    pub(crate) fn cluster(&self) -> &Cluster {
        &self.base
    }

    /// Everything that somebody reaches.
    pub(crate) fn reach(&self, start: &UserInfo) -> Found {
        let mut state = State { users: vec![start.clone()], ..State::default() };
        let mut found = Found::default();
        for sink in ["cluster-admin", "edit-aws-auth", "exec-everywhere", "node", "read-all-secrets"] {
            found.sinks.insert(sink, None);
        }
        let mut round = 0u16;
        loop {
            let written;
            let cluster = if state.grants.is_empty() && state.changed.is_empty() {
                &self.base
            } else {
                written = cluster(&self.written(&state), &self.version);
                &written
            };
            let ask = Ask { reference: self, cluster, state: &state };
            ask.tell(&mut found, round, start);
            if found.reached.contains_key("cluster-admin") {
                return found;
            }
            let next = ask.next();
            if next == state {
                return found;
            }
            state = next;
            round += 1;
        }
    }

    /// The objects with what was gained: roles that say everything, and bindings to everybody reached.
    fn written(&self, state: &State) -> Vec<Value> {
        let is_changed = |object: &Value| {
            let key =
                (text(object, "/metadata/namespace").to_owned(), text(object, "/metadata/name").to_owned());
            matches!(text(object, "/kind"), "Role" | "ClusterRole") && state.changed.contains(&key)
        };
        let mut objects: Vec<Value> =
            self.objects.iter().filter(|object| !is_changed(object)).cloned().collect();
        let version = format!("{RBAC}/v1");
        for (namespace, name) in &state.changed {
            let (kind, metadata) = match namespace.as_str() {
                "" => ("ClusterRole", json!({ "name": name })),
                _ => ("Role", json!({ "name": name, "namespace": namespace })),
            };
            let rules = json!([{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }]);
            objects
                .push(json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "rules": rules }));
        }
        for (number, ((home, role), scope)) in state.grants.iter().enumerate() {
            let name = format!("{REACHED}-{number}");
            let (kind, metadata) = match scope.as_str() {
                "" => ("ClusterRoleBinding", json!({ "name": name })),
                _ => ("RoleBinding", json!({ "name": name, "namespace": scope })),
            };
            let of = if home.is_empty() { "ClusterRole" } else { "Role" };
            objects.push(json!({
                "apiVersion": version, "kind": kind, "metadata": metadata,
                "roleRef": { "apiGroup": RBAC, "kind": of, "name": role },
                "subjects": [{ "apiGroup": RBAC, "kind": "Group", "name": REACHED }],
            }));
        }
        objects
    }
}

/// One round: the state, and the cluster as it is in it.
struct Ask<'a> {
    reference: &'a Reference,
    cluster: &'a Cluster,
    state: &'a State,
}

impl Ask<'_> {
    /// Whether somebody reached may do one of some verbs.
    fn can(
        &self,
        who: &UserInfo,
        verbs: &[&str],
        (group, resource): (&str, &str),
        namespace: &str,
        name: &str,
    ) -> bool {
        let graph = self.cluster.graph();
        let groups = who.groups.iter().map(String::as_str).chain([REACHED]);
        let asker = graph.asker_of(&who.username, groups);
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        verbs.iter().any(|verb| {
            let attributes = ResourceAttributes { verb, group, resource, subresource, name, namespace };
            graph.authorize(&asker, &Attributes::Resource(attributes)).is_allowed()
        })
    }

    fn any(&self, verbs: &[&str], kind: (&str, &str), namespace: &str, name: &str) -> bool {
        self.state.users.iter().any(|who| self.can(who, verbs, kind, namespace, name))
    }

    fn has_everything(&self, namespace: &str) -> bool {
        self.any(&["*"], ("*", "*"), namespace, "")
    }

    /// The verbs of exec: a WebSocket's GET was asked as `get` alone up to 1.34.
    fn exec(&self) -> &'static [&'static str] {
        if self.cluster.version().minor() <= 34 { &["create", "get"] } else { CREATE }
    }

    fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.reference.namespaces.keys().map(String::as_str)
    }

    fn exists(&self, account: &Account) -> bool {
        self.reference.accounts.contains(account) || self.state.made.contains(account)
    }

    fn accounts_of<'s>(&'s self, namespace: &'s str) -> impl Iterator<Item = &'s Account> {
        let all = self.reference.accounts.iter().chain(&self.state.made);
        all.filter(move |account| account.0 == namespace)
    }

    /// Writes down what first holds after this round.
    fn tell(&self, found: &mut Found, round: u16, start: &UserInfo) {
        let state = self.state;
        let own = sorted(start);
        let users = state.users.iter().filter(|user| sorted(user) != own).map(shown);
        for name in users.chain(state.nodes.iter().cloned()) {
            found.reached.entry(name).or_insert(round);
        }
        let is_master = |user: &UserInfo| user.groups.iter().any(|group| group == MASTERS);
        let is_admin = state.is_admin || state.users.iter().any(is_master) || self.has_everything("");
        if is_admin {
            found.reached.entry("cluster-admin".to_owned()).or_insert(round);
        } else {
            for namespace in self.namespaces().filter(|namespace| self.has_everything(namespace)) {
                found.reached.entry(format!("namespace-admin {namespace}")).or_insert(round);
            }
        }
        let aws_auth = || self.any(CHANGE, ("", "configmaps"), "kube-system", "aws-auth");
        let kubelet = || self.any(&["get", "create"], ("", "nodes/proxy"), "", FRESH);
        let all = [
            ("cluster-admin", is_admin),
            ("edit-aws-auth", is_admin || self.reference.has_aws_auth && aws_auth()),
            (
                "exec-everywhere",
                is_admin || self.any(self.exec(), ("", "pods/exec"), FRESH, FRESH) || kubelet(),
            ),
            ("node", is_admin || !state.nodes.is_empty()),
            ("read-all-secrets", is_admin || self.any(READ, ("", "secrets"), FRESH, FRESH)),
        ];
        for (sink, holds) in all {
            let known = found.sinks.entry(sink).or_default();
            if known.is_none() && holds {
                *known = Some(round);
            }
        }
    }

    /// The state with the result of every step that passes.
    fn next(&self) -> State {
        let mut next = self.state.clone();
        let mut users: Vec<UserInfo> = Vec::new();
        self.impersonate(&mut users, &mut next);
        self.through_accounts(&mut users);
        self.through_pods(&mut users, &mut next);
        self.onto_nodes(&mut users, &mut next);
        self.make_accounts(&mut next);
        self.roles(&mut next);
        next.is_admin |= self.edits_aws_auth();
        let mut known: BTreeSet<(String, Vec<String>)> = BTreeSet::new();
        let key = |user: &UserInfo| {
            let groups: BTreeSet<&String> = user.groups.iter().collect();
            (user.username.clone(), groups.into_iter().cloned().collect::<Vec<String>>())
        };
        known.extend(next.users.iter().map(key));
        for user in users {
            if known.insert(key(&user)) {
                next.users.push(user);
            }
        }
        next
    }

    fn impersonate(&self, users: &mut Vec<UserInfo>, next: &mut State) {
        for who in &self.state.users {
            let named = self.reference.groups.iter();
            let groups: Vec<&str> = named
                .map(String::as_str)
                .filter(|group| self.can(who, IMPERSONATE, ("", "groups"), "", group))
                .collect();
            let mut names: Vec<String> = Vec::new();
            for user in &self.reference.users {
                if self.can(who, IMPERSONATE, ("", "users"), "", user) {
                    names.push(user.clone());
                    if groups.is_empty() {
                        users.push(UserInfo::authenticated(user, std::iter::empty::<String>()));
                    }
                }
            }
            for account in self.reference.named_accounts.iter().chain(&self.state.made) {
                if self.can(who, IMPERSONATE, ("", "serviceaccounts"), &account.0, &account.1) {
                    names.push(username_of(account));
                    users.push(service_account(account));
                }
            }
            if groups.is_empty() || names.is_empty() {
                continue;
            }
            if groups.contains(&MASTERS) {
                next.is_admin = true;
            } else {
                users.extend(names.iter().map(|name| UserInfo::authenticated(name, groups.iter().copied())));
            }
        }
    }

    fn through_accounts(&self, users: &mut Vec<UserInfo>) {
        for account in self.reference.accounts.iter().chain(&self.state.made) {
            if self.any(CREATE, ("", "serviceaccounts/token"), &account.0, &account.1) {
                users.push(service_account(account));
            }
        }
        for [namespace, secret, of] in &self.reference.tokens {
            let account = (namespace.clone(), of.clone());
            if self.exists(&account) && self.any(READ, ("", "secrets"), namespace, secret) {
                users.push(service_account(&account));
            }
        }
        for namespace in self.namespaces() {
            let mints = || {
                self.any(CREATE, ("", "secrets"), namespace, "")
                    && self.any(READ, ("", "secrets"), namespace, FRESH)
            };
            if self.runs_pods(namespace) || mints() {
                users.extend(self.accounts_of(namespace).map(service_account));
            }
        }
    }

    /// Whether somebody may run a pod in a namespace.
    fn runs_pods(&self, namespace: &str) -> bool {
        let change = |[home, group, resource, name]: &[String; 4]| {
            home == namespace && self.any(CHANGE, (group, resource), namespace, name)
        };
        self.any(CREATE, ("", "pods"), namespace, "")
            || WORKLOADS.iter().any(|(_, group, resource)| self.any(CREATE, (group, resource), namespace, ""))
            || self.reference.workloads.iter().any(change)
    }

    fn through_pods(&self, users: &mut Vec<UserInfo>, next: &mut State) {
        for pod in &self.reference.pods {
            let at =
                |verbs: &[&str], resource: &str| self.any(verbs, ("", resource), &pod.namespace, &pod.name);
            let node = pod.node.as_deref().unwrap_or(FRESH);
            let by_kubelet =
                || !pod.is_on_fargate && self.any(&["get", "create"], ("", "nodes/proxy"), "", node);
            let runs = at(CHANGE, "pods") || at(self.exec(), "pods/exec") || by_kubelet();
            let adds = at(CHANGE, "pods/ephemeralcontainers");
            if (runs || adds) && pod.has_token {
                users.push(service_account(&(pod.namespace.clone(), pod.account.clone())));
            }
            let privileged = || adds && !pod.is_on_fargate && self.lets_privileged(&pod.namespace);
            if runs && pod.opens || privileged() {
                next.nodes.insert(format!("node {}", pod.node.as_deref().unwrap_or("?")));
            }
        }
    }

    /// Whether a namespace lets privileged pods in, or somebody may make it.
    fn lets_privileged(&self, namespace: &str) -> bool {
        let level = self.reference.namespaces.get(namespace).and_then(Option::as_deref);
        matches!(level, Some("" | "privileged")) || self.any(CHANGE, ("", "namespaces"), namespace, namespace)
    }

    fn onto_nodes(&self, users: &mut Vec<UserInfo>, next: &mut State) {
        for namespace in self.namespaces().filter(|namespace| self.runs_pods(namespace)) {
            let level = self.reference.namespaces.get(namespace).and_then(Option::as_deref);
            let by_volume = || {
                matches!(level, Some("" | "privileged" | "baseline"))
                    && self.any(CREATE, ("", "persistentvolumes"), "", "")
                    && self.any(CREATE, ("", "persistentvolumeclaims"), namespace, "")
            };
            if self.lets_privileged(namespace) || by_volume() {
                next.nodes.insert("node *".to_owned());
            }
        }
        for pod in self.reference.pods.iter().filter(|pod| pod.has_token) {
            let is_there = |node: &String| match (node.as_str(), &pod.node) {
                ("node ?", _) => false,
                _ if pod.is_on_every_node => true,
                ("node *", Some(_)) => !pod.is_on_fargate,
                (node, Some(own)) => node.strip_prefix("node ") == Some(own),
                (_, None) => false,
            };
            if self.state.nodes.iter().any(is_there) {
                users.push(service_account(&(pod.namespace.clone(), pod.account.clone())));
            }
        }
    }

    fn make_accounts(&self, next: &mut State) {
        for account in &self.reference.named_accounts {
            if !self.exists(account)
                && self.reference.namespaces.contains_key(&account.0)
                && self.any(CREATE, ("", "serviceaccounts"), &account.0, "")
            {
                next.made.insert(account.clone());
            }
        }
    }

    fn edits_aws_auth(&self) -> bool {
        let at = |verbs: &[&str], name: &str| self.any(verbs, ("", "configmaps"), "kube-system", name);
        self.reference.has_aws_auth
            && (at(CHANGE, "aws-auth") || at(&["delete", "deletecollection"], "aws-auth") && at(CREATE, ""))
    }

    /// Whether a role is there.
    fn is_there(&self, role: &Role) -> bool {
        self.reference.roles.contains_key(role) || self.state.changed.contains(role)
    }

    /// The rules of a role, as they are by now.
    fn rules(&self, role: &Role) -> Vec<Value> {
        if self.state.changed.contains(role) {
            return vec![json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] })];
        }
        self.reference.roles.get(role).map(|own| list(own, "/rules").to_vec()).unwrap_or_default()
    }

    /// Whether somebody may write an object of a kind: by a POST, or by an apply under a name that is free.
    fn creates(&self, who: &UserInfo, resource: &str, scope: &str, is_free: &dyn Fn(&str) -> bool) -> bool {
        let can = |verbs: &[&str], name: &str| self.can(who, verbs, (RBAC, resource), scope, name);
        let applies = |name: &String| is_free(name) && can(CREATE, name) && can(CHANGE, name);
        can(CREATE, "") || self.reference.tried.iter().any(applies)
    }

    /// Whether the rules of somebody cover those of a role.
    fn covers(&self, who: &UserInfo, role: &Role, scope: &str) -> bool {
        let each = |rule: &Value, path: &str| -> Vec<String> {
            list(rule, path).iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        self.rules(role).iter().all(|rule| {
            let names = each(rule, "/resourceNames");
            let names = if names.is_empty() { vec![String::new()] } else { names };
            let resources = each(rule, "/resources");
            let groups = each(rule, "/apiGroups");
            // Paths are not among what steps ask for: whoever would have to hold them does not count as covering.
            list(rule, "/nonResourceURLs").is_empty()
                && each(rule, "/verbs").iter().all(|verb| {
                    groups.iter().all(|group| {
                        resources.iter().all(|resource| {
                            names.iter().all(|name| self.can(who, &[verb], (group, resource), scope, name))
                        })
                    })
                })
        })
    }

    /// Whether a subject of a binding is somebody.
    fn is(who: &UserInfo, subject: &Value) -> bool {
        let name = text(subject, "/name");
        match text(subject, "/kind") {
            "User" => !who.username.is_empty() && who.username == name,
            "Group" => who.groups.iter().any(|group| group == name),
            _ => who.username == username_of(&(text(subject, "/namespace").to_owned(), name.to_owned())),
        }
    }

    /// Roles bound, handed on and rewritten.
    fn roles(&self, next: &mut State) {
        let scopes: Vec<&str> = std::iter::once("").chain(self.namespaces()).collect();
        for who in &self.state.users {
            for scope in &scopes {
                self.bind(who, scope, next);
                self.rewrite(who, scope, next);
            }
        }
        // Who writes a ClusterRole can set the labels that others select.
        if next.changed.iter().any(|(home, _)| home.is_empty()) {
            let is_aggregated =
                |object: &Value| object.get("aggregationRule").is_some_and(|own| !own.is_null());
            let all = self.reference.roles.iter().filter(|(_, object)| is_aggregated(object));
            next.changed.extend(all.map(|(role, _)| role.clone()));
        }
    }

    fn bind(&self, who: &UserInfo, scope: &str, next: &mut State) {
        let resource = if scope.is_empty() { "clusterrolebindings" } else { "rolebindings" };
        let kind_of = |role: &Role| if role.0.is_empty() { "clusterroles" } else { "roles" };
        let may_bind = |role: &Role| self.can(who, &["bind"], (RBAC, kind_of(role)), scope, &role.1);
        let fits = |role: &Role| role.0.is_empty() || role.0 == scope;
        let here = || self.reference.bindings.iter().filter(|binding| binding.namespace == scope);
        let is_free = |name: &str| here().all(|binding| binding.name != name);
        let mut gained: Vec<Role> = Vec::new();
        if self.creates(who, resource, scope, &is_free) {
            for role in self.reference.roles.keys().chain(&self.state.changed).filter(|role| fits(role)) {
                if !self.rules(role).is_empty() && may_bind(role) {
                    gained.push(role.clone());
                }
            }
            // Handing on what one holds.
            let all = self.reference.bindings.iter();
            let held = all.filter(|own| own.namespace.is_empty() || own.namespace == scope);
            for binding in
                held.filter(|binding| binding.subjects.iter().any(|subject| Self::is(who, subject)))
            {
                if fits(&binding.role) && self.is_there(&binding.role) {
                    gained.push(binding.role.clone());
                }
            }
        }
        for binding in here() {
            let changes = || self.can(who, CHANGE, (RBAC, resource), scope, &binding.name);
            if self.is_there(&binding.role)
                && changes()
                && (may_bind(&binding.role) || self.covers(who, &binding.role, scope))
            {
                gained.push(binding.role.clone());
            }
        }
        next.grants.extend(gained.into_iter().map(|role| (role, scope.to_owned())));
    }

    fn rewrite(&self, who: &UserInfo, scope: &str, next: &mut State) {
        let resource = if scope.is_empty() { "clusterroles" } else { "roles" };
        let can = |verbs: &[&str], name: &str| self.can(who, verbs, (RBAC, resource), scope, name);
        let escalates = |name: &str| can(&["escalate"], name);
        for (home, name) in self.reference.roles.keys().filter(|role| role.0 == scope) {
            if can(CHANGE, name) && escalates(name) {
                next.changed.insert((home.clone(), name.clone()));
            }
        }
        let is_new = |name: &str| !self.is_there(&(scope.to_owned(), name.to_owned()));
        if can(CREATE, "") && escalates("") {
            let bound = self.reference.bindings.iter().map(|binding| &binding.role);
            let missing = bound.filter(|role| role.0 == scope && is_new(&role.1)).cloned();
            next.changed.extend(missing.chain([(scope.to_owned(), FRESH.to_owned())]));
        }
        for name in self.reference.tried.iter().filter(|name| is_new(name)) {
            if can(CREATE, name) && can(CHANGE, name) && escalates(name) {
                next.changed.insert((scope.to_owned(), name.clone()));
            }
        }
    }
}
