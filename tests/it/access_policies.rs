//! The access policies that are built in.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rbacsim::knowledge::access_policies::{self, Told};
use serde_yaml::Value;

use crate::recorded::skipped;

#[test]
fn names_are_unique_and_those_with_rules_say_where_they_are_published() {
    let all = access_policies::all();
    let names: BTreeSet<&str> = all.iter().map(|policy| policy.name).collect();
    assert_eq!((all.len(), names.len()), (38, 38));
    let with_rules: Vec<_> = all.iter().filter(|policy| policy.told == Told::Rules).collect();
    assert_eq!(with_rules.len(), 10);
    for policy in all {
        assert_eq!(policy.rules.is_empty(), policy.told != Told::Rules, "{}", policy.name);
        assert_eq!(policy.published.is_empty(), policy.told != Told::Rules, "{}", policy.name);
    }
    assert_eq!(access_policies::find("amazoneksviewpolicy"), None, "case counts");
    assert!(access_policies::find("AmazonEKSHybridPolicy").unwrap().is_service_linked_only);
}

#[test]
#[expect(clippy::print_stderr, reason = "the counts are what the reader wants to see")]
fn the_table_agrees_with_the_reference() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/access-policies.yaml");
    let Ok(text) = std::fs::read_to_string(path) else {
        skipped("../shared/reference/access-policies.yaml");
        return;
    };
    let reference: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(reference["arnPrefix"].as_str(), Some(access_policies::ARN_PREFIX));
    let expected = reference["policies"].as_sequence().unwrap();
    assert_eq!(expected.len(), access_policies::all().len());
    let texts = |value: &Value| -> Vec<String> {
        value.as_sequence().into_iter().flatten().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let mut rules = 0;
    for (own, theirs) in access_policies::all().iter().zip(expected) {
        assert_eq!(Some(own.name), theirs["name"].as_str());
        assert_eq!(
            Some(own.is_service_linked_only),
            theirs["serviceLinkedRoleOnly"].as_bool(),
            "{}",
            own.name
        );
        let told = match theirs["confidence"].as_str().unwrap() {
            "documented-table" | "secondary" => Told::Rules,
            "documented-prose" => Told::Words,
            _ => Told::Name,
        };
        assert_eq!(own.told, told, "{}", own.name);
        let wanted: Vec<[Vec<String>; 4]> = theirs["rules"]
            .as_sequence()
            .into_iter()
            .flatten()
            .map(|rule| ["verbs", "apiGroups", "resources", "nonResourceURLs"].map(|key| texts(&rule[key])))
            .collect();
        let have: Vec<[Vec<String>; 4]> = own
            .rules
            .iter()
            .map(|rule| {
                [&rule.verbs, &rule.api_groups, &rule.resources, &rule.non_resource_urls]
                    .map(|list| list.iter().map(|one| (*one).to_owned()).collect())
            })
            .collect();
        assert_eq!(have, wanted, "{}", own.name);
        rules += have.len();
    }
    eprintln!("access policies: {} agree, with {rules} rules", expected.len());
}
