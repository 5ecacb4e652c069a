//! For inputs made at random, with everything that can leave an answer open: can-i, who-can, the rows of the matrix and
//! review say the same of everybody.

use proptest::prelude::*;
use rbacsim::ask::can_i;
use rbacsim::ask::matrix::{Filter, Holder, Matrix, holder};
use rbacsim::ask::question::{self, Question, Words};
use rbacsim::ask::who_can::{Named, WhoCan, who_can};
use rbacsim::decide::cluster::{Cluster, Who, WhoIs};
use rbacsim::decide::graph::Applied;
use rbacsim::identity::IdentityError;
use rbacsim::model::access::namespace_matches;
use rbacsim::model::rbac::Scope;
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;
use rbacsim::read::{Completeness, LoadOptions, load};
use rbacsim::report::matrix_evidence::{self, Columns};
use serde_json::json;

use crate::ask::{aggregated, bind, role, text};

/// What an input may hold: roles, bindings, mappings, and what nobody can read.
fn parts() -> Vec<String> {
    let rule = |group: &str, resource: &str, verb: &str| {
        format!("[{{apiGroups: ['{group}'], resources: [{resource}], verbs: [{verb}]}}]")
    };
    let map = |sections: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system}}\ndata:\n{sections}---\n"
        )
    };
    let arn = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let entry = |arn: &str, username: &str, groups: &str| {
        format!("  - {{rolearn: '{arn}', username: '{username}', groups: [{groups}]}}\n")
    };
    let roles = |entries: &[String]| map(&format!("  mapRoles: |\n  {}", entries.join("  ")));
    vec![
        role("pods", &rule("", "pods", "get")),
        role("secrets", "[{apiGroups: [''], resources: [secrets], resourceNames: [db], verbs: [get]}]"),
        role("exec", &rule("", "pods/exec", "create")),
        role("nodes", &rule("", "nodes, pods", "get, list")),
        role("things", &rule("example.com", "things", "get")),
        role("metrics", &rule("metrics.k8s.io", "pods", "get")),
        role("paths", "[{nonResourceURLs: [/metrics], verbs: [get]}]"),
        role("all", &rule("*", "'*'", "'*'")),
        aggregated("whole", "{}", "[]", "[{matchLabels: {part: x}}]"),
        aggregated("part", "{part: x}", &rule("", "pods, services", "get"), ""),
        bind("ns/pods", "ClusterRole pods", "User u"),
        bind("ns/groups", "ClusterRole nodes", "Group g"),
        bind("ns/secrets", "ClusterRole secrets", "User u"),
        bind("ns/app", "ClusterRole exec", "ServiceAccount ns/app"),
        bind("other/things", "ClusterRole things", "Group g"),
        bind("ns/whole", "ClusterRole whole", "User u"),
        bind("ns/gone", "ClusterRole gone", "User u"),
        bind("ns/view", "ClusterRole view", "Group g"),
        bind("everybody", "ClusterRole paths", "Group system:authenticated"),
        bind("things", "ClusterRole things", "User u"),
        bind("metrics", "ClusterRole metrics", "Group g"),
        bind("gone", "ClusterRole gone-too", "Group g"),
        bind("secrets", "ClusterRole secrets", "Group g"),
        bind("all", "ClusterRole all", "Group admins"),
        bind("other/named", "ClusterRole pods", "User dev-ann"),
        bind("ns/pods", "ClusterRole all", "User u"),
        bind("ns/template", "ClusterRole pods", "Group '${TEAM}'"),
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: [\n---\n".to_owned(),
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.example.com}, spec: {group: example.com, scope: Namespaced, names: {plural: things, kind: Thing}, versions: [{name: v1, served: true, storage: true}]}}\n---\n".to_owned(),
        roles(&[entry(&arn("dev"), "u", "g")]),
        roles(&[entry(&arn("dev"), "u", "admins, system:masters")]),
        roles(&[entry(&arn("dev"), "dev-{{SessionName}}", "")]),
        roles(&[entry(&arn("dev"), "u", "${TEAM}")]),
        roles(&[entry("arn:aws:iam::${ACCOUNT}:role/dev", "u", "g")]),
        roles(&[entry(&arn("node"), "system:node:{{EC2PrivateDNSName}}", "system:nodes, system:bootstrappers")]),
        map("  mapUsers: |\n    - {userarn: 'arn:aws:iam::111122223333:user/Ann', username: u}\n    - {userarn: 'arn:aws:iam::111122223333:user/ann', username: x, groups: [g]}\n"),
        map("  mapAccounts: |\n    - '111122223333'\n"),
        map("  mapRoles: |\n    {{ range .roles }}\n"),
    ]
}

/// What an input may hold of access entries, with everything that can leave them open.
fn entries() -> Vec<String> {
    let mode =
        |mode: &str| format!("cluster: {{name: shop, accessConfig: {{authenticationMode: {mode}}}}}\n---\n");
    let arn = |name: &str| format!("arn:aws:iam::111122223333:{name}");
    let entry = |name: &str, username: &str, groups: &str| {
        format!(
            "accessEntry: {{clusterName: shop, principalArn: '{}', type: STANDARD, username: '{username}', kubernetesGroups: [{groups}]}}\n---\n",
            arn(name)
        )
    };
    let policies = |name: &str, policies: &[(&str, &str)]| {
        let list: Vec<String> = policies
            .iter()
            .map(|(policy, namespaces)| {
                let kind = if namespaces.is_empty() { "cluster" } else { "namespace" };
                format!(
                    "{{policyArn: 'arn:aws:eks::aws:cluster-access-policy/{policy}', accessScope: {{type: {kind}, namespaces: [{namespaces}]}}}}"
                )
            })
            .collect();
        format!(
            "clusterName: shop\nprincipalArn: '{}'\nassociatedAccessPolicies: [{}]\n---\n",
            arn(name),
            list.join(", ")
        )
    };
    let template = |principal: &str, more: &str| {
        format!(
            "Resources:\n  E:\n    Type: AWS::EKS::AccessEntry\n{more}    Properties:\n      ClusterName: shop\n      PrincipalArn: {principal}\n      KubernetesGroups: [g]\n      AccessPolicies: [{{PolicyArn: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy', AccessScope: {{Type: namespace, Namespaces: [ns]}}}}]\n---\n"
        )
    };
    let ack = |kind: &str, name: &str| {
        format!(
            "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: AccessEntry\nmetadata: {{name: e}}\nspec: {{clusterName: shop, principalARN: '{}', type: {kind}}}\n---\n",
            arn(name)
        )
    };
    vec![
        mode("API"),
        mode("API"),
        mode("API_AND_CONFIG_MAP"),
        mode("API_AND_CONFIG_MAP"),
        mode("CONFIG_MAP"),
        format!("accessEntries: ['{}', '{}']\n---\n", arn("role/dev"), arn("role/team/ops")),
        format!("accessEntries: ['{}']\nnextToken: x\n---\n", arn("role/team/ops")),
        entry("role/dev", "u", "g"),
        entry("role/dev", "x:{{SessionName}}", ""),
        entry("role/dev", "w", "admins"),
        entry("role/team/ops", "ops", "g"),
        entry("user/Ann", "ann", ""),
        policies("role/dev", &[("AmazonEKSViewPolicy", "ns")]),
        policies("role/dev", &[("AmazonEKSEditPolicy", ""), ("AmazonEKSClusterAdminPolicy", "'o*'")]),
        policies("role/dev", &[("AmazonEKSArgoCDPolicy", "ns")]),
        policies("role/dev", &[]),
        policies("role/team/ops", &[("AmazonEKSAdminPolicy", "'*s', other")]),
        policies("role/team/ops", &[("AmazonEKSFuturePolicy", "")]),
        policies("role/team/ops", &[("AmazonEKSClusterAdminPolicy", "")]),
        policies("user/Ann", &[("AmazonEKSAdminViewPolicy", "'n*', ns")]),
        template("{Ref: Open}", ""),
        template("{'Fn::If': [C, a, b]}", ""),
        template("!Sub 'arn:aws:iam::${AWS::AccountId}:role/dev'", ""),
        template("arn:aws:iam::111122223333:role/dev", "    Condition: C\n"),
        template("arn:aws:iam::111122223333:role/dev", ""),
        ack("EC2_LINUX", "role/node"),
        ack("HYPERPOD_LINUX", "role/dev"),
        ack("FARGATE_LINUX", "role/node"),
        format!("- {{principalARN: '{}', kubernetesGroups: [g]}}\n---\n", arn("role/dev")),
    ]
}

/// Verb, target and namespace; none for all namespaces at once.
const QUESTIONS: [(&str, &str, Option<&str>); 15] = [
    ("delete", "pods", Some("ns")),
    ("get", "namespaces/ns", Some("ns")),
    ("delete", "nodes", None),
    ("get", "pods", Some("ns")),
    ("get", "pods", Some("other")),
    ("get", "pods", None),
    ("list", "secrets", Some("ns")),
    ("get", "secrets", Some("ns")),
    ("create", "pods/exec", Some("ns")),
    ("get", "nodes", Some("ns")),
    ("get", "things.example.com", Some("ns")),
    ("get", "things.example.com", None),
    ("get", "pods.metrics.k8s.io", Some("ns")),
    ("get", "/metrics", Some("ns")),
    ("get", "/healthz", Some("ns")),
];

/// What a surface says of somebody; access to some names is neither yes nor no.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Said {
    Yes,
    Names,
    Unknown,
    No,
}

impl From<Ternary> for Said {
    fn from(ternary: Ternary) -> Self {
        match ternary {
            Ternary::Yes => Self::Yes,
            Ternary::Unknown => Self::Unknown,
            Ternary::No => Self::No,
        }
    }
}

fn read(cluster: &Cluster, (verb, target, namespace): (&str, &str, Option<&str>)) -> Question {
    let all_namespaces = namespace.is_none();
    let words = Words { verb: verb.into(), target, namespace, all_namespaces, ..Words::default() };
    question::read(&words, cluster).unwrap()
}

/// Whom can-i asks about for a holder of the matrix.
fn asker(holder: &Holder) -> Who {
    if let Some(who) = holder.who.as_deref() {
        return who.clone();
    }
    Who::user(match (holder.kind.as_str(), holder.identity.split_once('/')) {
        ("Group", _) => UserInfo::authenticated("", [holder.identity.as_str()]),
        ("ServiceAccount", Some((namespace, name))) => UserInfo::service_account(namespace, name),
        _ => UserInfo::authenticated(&holder.identity, [""; 0]),
    })
}

/// What who-can says of an IAM identity, or of a user through every subject that it is.
fn in_who_can(found: &WhoCan<'_>, holder: &Holder, who: &Who, at_once: bool) -> Said {
    let open = |is_open: bool| if is_open { Said::Unknown } else { Said::No };
    let everything = !found.unread.is_empty() || found.nothing_read;
    if holder.kind.as_str() == "iam" {
        let yes = found.identities.iter().find(|can| can.arn == holder.identity);
        return match yes {
            Some(can) if can.names.is_some() => Said::Names,
            Some(_) => Said::Yes,
            None => {
                let refused = who.error().is_some_and(IdentityError::is_refusal);
                let listed = found.unknown_identities.iter().any(|can| can.arn == holder.identity);
                open(listed || (everything && !refused))
            }
        };
    }
    let user = who.shown().unwrap();
    let is = |named: &Named| match named.username() {
        Some(username) => username == user.username,
        None => user.in_group(&named.name),
    };
    if found.subjects.iter().any(|can| can.names.is_none() && is(&can.subject)) {
        return Said::Yes;
    }
    // Of all namespaces at once what is unknown in single ones is listed too.
    let counts = |applied: &Applied<'_>| !at_once || applied.binding.scope == Scope::Cluster;
    let doubtful = found.unknown_subjects.iter();
    let doubtful = doubtful
        .filter(|can| can.grants.is_empty() || can.grants.iter().any(|grant| counts(&grant.applied)))
        .map(|can| &can.subject);
    let unresolved = found.unresolved.iter().filter(|unresolved| counts(&unresolved.binding));
    let unresolved = unresolved.flat_map(|unresolved| &unresolved.subjects);
    if found.subjects.iter().any(|can| is(&can.subject)) {
        return Said::Names;
    }
    open(everything || doubtful.chain(unresolved).any(is))
}

/// The rows of the matrix, by identity, namespace heading, resource, verb, names and answer.
fn rows(matrix: &Matrix<'_>, holders: &[Holder]) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let columns = Columns { grants: false, unknown: true };
    matrix_evidence::csv(&mut out, matrix, holders, columns, &mut |_, _| {}).unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn in_matrix(rows: &[Vec<String>], holder: &Holder, question: &Question) -> Said {
    let object = &question.object;
    // A Namespace object is asked about inside the namespace that it is.
    let asked = question.parts[0].request.attributes();
    let namespace = asked.namespace();
    let part = if object.subresource.is_empty() { String::new() } else { format!("/{}", object.subresource) };
    let resource = format!("{}{part}", object.resource);
    let verb = question.parts[0].request.attributes().verb();
    let mut said = Said::No;
    for row in rows {
        let [kind, identity, _, heading, group, of, own_verb, names, answer] = row.as_slice() else {
            panic!("{row:?}")
        };
        let here = match heading.as_str() {
            "" | "*" => Ternary::Yes,
            // Access policies hold in the namespaces of a pattern.
            pattern => namespace_matches(pattern, namespace),
        };
        let is_here = here == Ternary::Yes || (here == Ternary::Unknown && answer == "unknown");
        if kind != holder.kind.as_str()
            || identity != &holder.identity
            || !is_here
            || (group, of, own_verb.as_str()) != (&object.group, &resource, verb)
        {
            continue;
        }
        let is_named = !names.is_empty() && object.name == *names;
        match (answer.as_str(), names.is_empty() || is_named) {
            ("yes", true) => return Said::Yes,
            ("yes", false) => said = Said::Names,
            _ if said == Said::No => said = Said::Unknown,
            _ => {}
        }
    }
    said
}

fn in_review(cluster: &Cluster, question: &Question, holder: &Holder, who: &Who) -> Option<Said> {
    let attributes = question.parts[0].request.attributes();
    let mut spec = match attributes {
        rbacsim::model::attributes::Attributes::Resource(asked) => json!({ "resourceAttributes": {
            "verb": asked.verb, "group": asked.group, "resource": asked.resource,
            "subresource": asked.subresource, "namespace": asked.namespace, "name": asked.name,
        }}),
        rbacsim::model::attributes::Attributes::NonResource(asked) => {
            json!({ "nonResourceAttributes": { "verb": asked.verb, "path": asked.path }})
        }
    };
    match (&who.is, holder.kind.as_str()) {
        (_, "iam") => spec["extra"] = json!({ "arn": [holder.identity] }),
        (WhoIs::User(user), _) => {
            spec["user"] = json!(user.username);
            spec["groups"] = json!(user.groups);
        }
        _ => return None,
    }
    let status = &super::recorded::review(cluster, &[&spec])[0]["status"];
    Some(match (status["allowed"] == true, status["evaluationError"].as_str()) {
        (true, _) => Said::Yes,
        (false, Some(error)) if error.starts_with("unknown: ") => Said::Unknown,
        (false, _) => Said::No,
    })
}

/// Whether two surfaces agree, where only one of them knows of names.
fn agree(with_names: Said, without: Said) -> bool {
    with_names == without || (with_names == Said::Names && without != Said::Yes)
}

fn check(yaml: &str, completeness: Completeness) -> Result<(), TestCaseError> {
    let options = LoadOptions { completeness: Some(completeness), ..LoadOptions::default() };
    let cluster: Cluster = load(&[text("0.yaml", yaml)], &options).unwrap().into();
    let questions: Vec<Question> = QUESTIONS.iter().map(|asked| read(&cluster, *asked)).collect();
    let mut holders = holder::mapped(&cluster);
    holders.extend(
        holder::bound(&cluster).into_iter().filter(|holder| {
            !holder.identity.contains("kube-system/") && !holder.identity.starts_with("eks:")
        }),
    );
    // An account of mapAccounts stands for everybody in it, of whom can-i knows no ARN; and whoever has no
    // credentials is no member of a group.
    holders.retain(|holder| {
        !holder.is_anonymous() && !holder.identity.bytes().all(|byte| byte.is_ascii_digit())
    });
    let columns = questions.iter().map(|question| {
        let object = &question.object;
        let part =
            if object.subresource.is_empty() { String::new() } else { format!("/{}", object.subresource) };
        (
            object.group.clone(),
            format!("{}{part}", object.resource),
            question.parts[0].request.attributes().verb().to_owned(),
        )
    });
    let matrix = Matrix::new(&cluster, &Filter { columns: Some(columns.collect()), ..Filter::default() });
    let rows = rows(&matrix, &holders);
    for (question, asked) in questions.iter().zip(QUESTIONS) {
        let found = who_can(&cluster, question);
        for holder in &holders {
            let who = asker(holder);
            let by_can_i = Said::from(can_i::ternary(&cluster, &who, question, None));
            let by_who_can = in_who_can(&found, holder, &who, asked.2.is_none());
            let by_matrix = in_matrix(&rows, holder, question);
            let all = (by_can_i, by_who_can, by_matrix);
            let title = format!("{asked:?} of {} {}: {all:?}", holder.kind.as_str(), holder.identity);
            prop_assert!(agree(by_who_can, by_can_i), "who-can and can-i differ, {}\n{}", title, yaml);
            // Rows show what all users share that a caller could be; what each of them may by another grant is unknown.
            let is_random = matches!(
                who.error(),
                Some(
                    IdentityError::RandomMapping { .. } | IdentityError::Unknown { is_exhaustive: true, .. }
                )
            );
            let by_chance = is_random && (by_matrix, by_can_i) == (Said::Unknown, Said::Yes);
            prop_assert!(
                by_chance || agree(by_matrix, by_can_i),
                "matrix and can-i differ, {}\n{}",
                title,
                yaml
            );
            // A review has no place for the condition that only the sessions of instances get in.
            let by_can_i =
                if who.only_instances() && by_can_i == Said::Yes { Said::Unknown } else { by_can_i };
            // It names its namespace, and the API server takes that as it is, whatever the scope of the type.
            let as_it_is = cluster.ternary(&who, &question.parts[0].request.attributes());
            let by_can_i =
                if as_it_is == Ternary::Yes && !who.only_instances() { Said::Yes } else { by_can_i };
            let is_arn = holder.kind.as_str() != "iam" || !holder.identity.contains('$');
            if let Some(by_review) = in_review(&cluster, question, holder, &who).filter(|_| is_arn) {
                prop_assert_eq!(by_review, by_can_i, "review and can-i, {}\n{}", title, yaml);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_surface_says_the_same_of_whoever_has_an_access_entry(
        chosen in prop::collection::vec(prop::sample::select(parts()), 0..6),
        access in prop::collection::vec(prop::sample::select(entries()), 1..8),
        complete in any::<bool>(),
    ) {
        let yaml = [chosen.concat(), access.concat()].concat();
        check(&yaml, if complete { Completeness::Complete } else { Completeness::Partial })?;
    }

    #[test]
    fn every_surface_says_the_same_of_everybody(
        chosen in prop::collection::vec(prop::sample::select(parts()), 0..9),
        complete in any::<bool>(),
    ) {
        check(&chosen.concat(), if complete { Completeness::Complete } else { Completeness::Partial })?;
    }
}
