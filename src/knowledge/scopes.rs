//! The scope of well-known types that neither Kubernetes nor the inputs define.
//!
//! A RoleBinding grants nothing on a cluster-scoped type, whatever its role says, so whether a type is one decides; and
//! a Git tree seldom holds the CRDs of the add-ons that its roles speak of.

use std::sync::LazyLock;

const TEXT: &str = include_str!("scopes.txt");

/// The lines, sorted by group as the table is.
static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| lines().collect());

/// Group, cluster-scoped types, namespaced types.
type Line = (&'static str, &'static str, &'static str);

/// Whether objects of a type live in namespaces; `None` where the table does not have it.
pub fn is_namespaced(group: &str, resource: &str) -> Option<bool> {
    if group.is_empty() {
        return None;
    }
    let at = LINES.binary_search_by(|(own, ..)| (*own).cmp(group)).ok()?;
    let (_, cluster, namespaced) = LINES.get(at)?;
    let has = |list: &str| list == "*" || list.split(',').any(|own| own == resource && own != "-");
    if has(cluster) {
        return Some(false);
    }
    has(namespaced).then_some(true)
}

fn lines() -> impl Iterator<Item = Line> {
    TEXT.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_reads_and_no_type_has_two_scopes() {
        let said = TEXT.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines().count(), said);
        let mut groups = Vec::new();
        for (group, cluster, namespaced) in lines() {
            groups.push(group);
            let types = cluster.split(',').chain(namespaced.split(',')).filter(|own| *own != "-");
            let mut seen = BTreeSet::new();
            for own in types {
                assert!(seen.insert(own), "{group} has {own} twice");
                let lower =
                    own == "*" || own.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
                assert!(lower, "{group} has {own}");
            }
            assert!(!seen.is_empty(), "{group}");
        }
        assert!(groups.is_sorted() && groups.len() > 80, "{}", groups.len());
    }

    #[test]
    fn a_type_has_the_scope_of_the_table_or_none() {
        for (group, resource, expected) in [
            ("cert-manager.io", "clusterissuers", Some(false)),
            ("cert-manager.io", "issuers", Some(true)),
            ("karpenter.sh", "nodepools", Some(false)),
            ("karpenter.k8s.aws", "ec2nodeclasses", Some(false)),
            ("constraints.gatekeeper.sh", "k8srequiredlabels", Some(false)),
            ("cert-manager.io", "widgets", None),
            ("cert-manager.io", "-", None),
            ("example.com", "widgets", None),
            ("", "pods", None),
        ] {
            assert_eq!(is_namespaced(group, resource), expected, "{resource}.{group}");
        }
    }
}
