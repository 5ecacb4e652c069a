//! The laws of access entries, on clusters made at random: entries and policies concern nobody but their principal, more
//! of them never takes anything away, and a mode that does not read a source does not read it at all.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rbacsim::decide::cluster::{Cluster, Who};
use rbacsim::model::ternary::Ternary;
use rbacsim::model::user::UserInfo;

use crate::access_entries::{cluster, entry, list, may, mode, policies};
use crate::ask::{bind, role};

/// The principals that may have entries.
const NAMES: [&str; 4] = ["role/team/dev", "role/ops", "user/ann", "role/ci"];
const GROUPS: [&str; 3] = ["developers", "operators", "nobody"];
const POLICIES: [&str; 7] = [
    "AmazonEKSViewPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSSecretReaderPolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSArgoCDPolicy",
    "AmazonEKSFuturePolicy",
];
/// Namespaces of an association; none for the whole cluster.
const SCOPES: [&[&str]; 5] = [&[], &["dev-*"], &["prod"], &["*-a"], &["dev-a", "prod"]];
/// Verb, resource and namespace.
const QUESTIONS: [(&str, &str, &str); 8] = [
    ("list", "pods", "dev-a"),
    ("list", "pods", "prod"),
    ("list", "pods", ""),
    ("get", "secrets", "dev-a"),
    ("delete", "secrets", "prod"),
    ("get", "namespaces", "dev-a"),
    ("create", "nodes", ""),
    ("create", "rolebindings", "prod"),
];

/// Which policy, and with which scope.
type Association = (usize, usize);

/// An entry: which groups, and which associations.
#[derive(Clone, Debug)]
struct Entry {
    groups: Vec<usize>,
    policies: Vec<Association>,
}

/// A cluster: the entry of each principal, which bindings there are, and whether `aws-auth` is among the inputs.
#[derive(Clone, Debug)]
struct Shop {
    mode: &'static str,
    entries: Vec<Option<Entry>>,
    bindings: Vec<usize>,
    has_aws_auth: bool,
}

fn entries() -> impl Strategy<Value = Option<Entry>> {
    let groups = prop::collection::btree_set(0..GROUPS.len(), 0..3);
    // EKS keeps one association for each policy.
    let policies = prop::collection::btree_map(0..POLICIES.len(), 0..SCOPES.len(), 0..4);
    let one = (groups, policies).prop_map(|(groups, policies)| Entry {
        groups: groups.into_iter().collect(),
        policies: policies.into_iter().collect(),
    });
    prop::option::weighted(0.7, one)
}

fn shops() -> impl Strategy<Value = Shop> {
    let mode = prop::sample::select(vec!["API", "API_AND_CONFIG_MAP"]);
    let entries = prop::collection::vec(entries(), NAMES.len());
    let bindings = prop::collection::btree_set(0..bindings().len(), 0..4);
    (mode, entries, bindings, any::<bool>()).prop_map(|(mode, entries, bindings, has_aws_auth)| Shop {
        mode,
        entries,
        bindings: bindings.into_iter().collect(),
        has_aws_auth,
    })
}

fn bindings() -> Vec<String> {
    vec![
        bind("dev-a/developers", "ClusterRole pods", "Group developers"),
        bind("operators", "ClusterRole pods", "Group operators"),
        bind("prod/named", "ClusterRole all", "User name-of-role/ops"),
        bind("legacy", "ClusterRole pods", "Group legacy"),
    ]
}

const AWS_AUTH: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - {rolearn: 'arn:aws:iam::111122223333:role/dev', username: legacy, groups: ['system:masters']}
    - {rolearn: 'arn:aws:iam::111122223333:role/ci', username: ci, groups: [legacy, developers]}
";

impl Shop {
    fn cluster(&self) -> Cluster {
        let mut texts = vec![("mode", mode(self.mode))];
        let own = |index: usize| self.entries[index].as_ref().map(|entry| (NAMES[index], entry));
        let there: Vec<(&str, &Entry)> = (0..NAMES.len()).filter_map(own).collect();
        texts.push(("list", list(&there.iter().map(|(name, _)| *name).collect::<Vec<_>>())));
        for (name, one) in there {
            let groups: Vec<&str> = one.groups.iter().map(|group| GROUPS[*group]).collect();
            texts.push(("entry", entry(name, &format!("name-of-{name}"), &groups)));
            let associated: Vec<(&str, &[&str])> =
                one.policies.iter().map(|(policy, scope)| (POLICIES[*policy], SCOPES[*scope])).collect();
            texts.push(("policies", policies(name, &associated)));
        }
        let mut rbac = role("pods", "[{apiGroups: [''], resources: [pods], verbs: [list]}]");
        rbac.push_str(&role("all", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]"));
        self.bindings.iter().for_each(|binding| rbac.push_str(&bindings()[*binding]));
        texts.push(("rbac.yaml", rbac));
        if self.has_aws_auth {
            texts.push(("aws-auth.yaml", AWS_AUTH.to_owned()));
        }
        let inputs: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        cluster(&inputs)
    }

    fn without_policies(&self) -> Self {
        let mut without = self.clone();
        without.entries.iter_mut().flatten().for_each(|entry| entry.policies.clear());
        without
    }
}

/// The ARN with which a principal calls.
fn caller(name: &str) -> String {
    match name.rsplit_once("role/") {
        Some(_) => {
            let own = name.rsplit('/').next().unwrap();
            format!("arn:aws:sts::111122223333:assumed-role/{own}/run-1")
        }
        None => format!("arn:aws:iam::111122223333:{name}"),
    }
}

fn answers_of(cluster: &Cluster, who: &Who) -> Vec<Ternary> {
    let asked = QUESTIONS.iter();
    asked.map(|(verb, resource, namespace)| may(cluster, who, verb, resource, namespace)).collect()
}

fn answers(cluster: &Cluster, name: &str) -> Vec<Ternary> {
    answers_of(cluster, &cluster.identify(&caller(name), None))
}

/// Puts a law to clusters made at random. It gives the answers that it compared; if one kind of them is rare, the law was
/// hardly tried.
fn law<T: std::fmt::Debug>(
    strategy: impl Strategy<Value = T>,
    law: impl Fn(T) -> Result<Vec<Ternary>, TestCaseError>,
) {
    let seen = RefCell::new([0_usize; 3]);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let tried = TestRunner::new(config).run(&strategy, |made| {
        let compared = law(made)?;
        for answer in compared {
            seen.borrow_mut()[answer as usize] += 1;
        }
        Ok(())
    });
    if let Err(why) = tried {
        panic!("{why}");
    }
    let seen = seen.into_inner();
    assert!(seen.iter().all(|count| *count > 10), "no, unknown and yes: {seen:?}");
}

#[test]
fn an_entry_never_changes_the_answer_for_another_principal() {
    law((shops(), 0..NAMES.len(), entries()), |(shop, index, other)| {
        let mut changed = shop.clone();
        changed.entries[index] = other;
        let (before, after) = (shop.cluster(), changed.cluster());
        let mut compared = Vec::new();
        for name in NAMES.iter().filter(|name| **name != NAMES[index]) {
            let expected = answers(&before, name);
            prop_assert_eq!(&answers(&after, name), &expected, "{}", name);
            compared.extend(expected);
        }
        Ok(compared)
    });
}

#[test]
fn policies_never_help_an_impersonated_user() {
    law(shops(), |shop| {
        let (with, without) = (shop.cluster(), shop.without_policies().cluster());
        let mut real = Vec::new();
        for (name, entry) in NAMES.iter().zip(&shop.entries) {
            let groups: Vec<String> =
                entry.iter().flat_map(|entry| &entry.groups).map(|group| GROUPS[*group].to_owned()).collect();
            for username in
                [format!("name-of-{name}"), format!("arn:aws:iam::111122223333:{name}"), caller(name)]
            {
                let who = Who::user(UserInfo::impersonated(&username, &groups));
                prop_assert_eq!(answers_of(&with, &who), answers_of(&without, &who), "{}", username);
            }
            real.extend(answers(&with, name));
        }
        Ok(real)
    });
}

#[test]
fn adding_an_association_never_takes_a_yes_away() {
    let added = (0..POLICIES.len(), 0..SCOPES.len());
    law((shops(), 0..NAMES.len(), added), |(shop, index, (policy, scope))| {
        let mut more = shop.clone();
        let Some(entry) = &mut more.entries[index] else { return Ok(Vec::new()) };
        // A second association of one policy would replace its scope.
        if entry.policies.iter().any(|(own, _)| *own == policy) {
            return Ok(Vec::new());
        }
        entry.policies.push((policy, scope));
        let (before, after) =
            (answers(&shop.cluster(), NAMES[index]), answers(&more.cluster(), NAMES[index]));
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(after >= before, "{:?} and {:?}", before, after);
        }
        Ok(after)
    });
}

#[test]
fn the_mode_api_ignores_aws_auth_wholly() {
    law(shops(), |shop| {
        let with = Shop { mode: "API", has_aws_auth: true, ..shop.clone() }.cluster();
        let without = Shop { mode: "API", has_aws_auth: false, ..shop }.cluster();
        let mut compared = Vec::new();
        for name in NAMES {
            let expected = answers(&without, name);
            prop_assert_eq!(&answers(&with, name), &expected, "{}", name);
            compared.extend(expected);
        }
        let named = |cluster: &Cluster| -> Vec<String> {
            cluster.identities().identities().map(|one| one.arn.to_owned()).collect()
        };
        prop_assert_eq!(named(&with), named(&without));
        Ok(compared)
    });
}
