//! Reading the built-in catalogue out of its table; the table explains its own form.

use std::borrow::Cow;

use super::{Resource, Subresource, Text, Verbs};
use crate::knowledge::tables::{self, Line, Section};
use crate::model::version::{KubernetesVersion, Platform};

/// The built-in resources of a version and the groups in the order of discovery.
///
/// A line that does not read is left out; the tests hold that there is none.
pub(super) fn parse(version: KubernetesVersion, platform: Platform) -> (Vec<Resource>, Vec<&'static str>) {
    let mut resources = Vec::with_capacity(100);
    let mut groups = Vec::with_capacity(24);
    read(tables::lines(Section::Resources, version).into_iter(), &mut resources, &mut groups);
    if platform == Platform::Eks {
        read(tables::eks(Section::Resources, version), &mut resources, &mut groups);
    }
    (resources, groups)
}

/// The verbs that the API server asks for in a version beside those of requests; one may end in `*`.
pub(super) fn asked_verbs(version: KubernetesVersion) -> Vec<Line> {
    tables::lines(Section::Verbs, version)
}

fn read(lines: impl Iterator<Item = Line>, resources: &mut Vec<Resource>, groups: &mut Vec<&'static str>) {
    let (mut group, mut versions, mut rank) = ("", "", 0);
    for line in lines {
        if let Some(header) = line.strip_prefix("group ") {
            (group, versions) = header.split_once(' ').unwrap_or((header, ""));
            group = if group == "\"\"" { "" } else { group };
            rank = groups.iter().position(|known| *known == group).unwrap_or_else(|| {
                groups.push(group);
                groups.len() - 1
            });
        } else if let Some(resource) = resource(line.trim_start(), group, versions, rank) {
            resources.push(resource);
        }
    }
}

fn resource(
    line: &'static str,
    group: &'static str,
    versions: &'static str,
    rank: usize,
) -> Option<Resource> {
    let mut words = tables::parts(line, b' ');
    let (plural, discovered) = marked(words.next()?);
    let (singular, kind) = (word(words.next()?), word(words.next()?));
    let namespaced = match words.next()? {
        "namespaced" => true,
        "cluster" => false,
        _ => return None,
    };
    let (short_names, categories) = (list(words.next()?), list(words.next()?));
    let all_verbs = verbs(words.next()?)?;
    let subresources = words.map(subresource).collect::<Option<_>>()?;
    Some(Resource {
        group: Cow::Borrowed(group),
        versions: list(versions),
        plural: Cow::Borrowed(plural),
        singular,
        kind,
        short_names,
        categories,
        namespaced,
        verbs: all_verbs.intersection(Verbs::STORED),
        special_verbs: all_verbs.without(Verbs::STORED),
        subresources,
        discovered,
        from_crd: None,
        rank,
    })
}

fn subresource(word: &'static str) -> Option<Subresource> {
    let (name, verbs_there) = tables::cut(word, b'=');
    let verbs_there = verbs_there?;
    let (name, discovered) = marked(name);
    Some(Subresource { name: Cow::Borrowed(name), verbs: verbs(verbs_there)?, discovered })
}

/// A name without its mark, and whether discovery lists it.
fn marked(name: &'static str) -> (&'static str, bool) {
    name.strip_prefix('~').map_or((name, true), |rest| (rest, false))
}

fn word(text: &'static str) -> Text {
    Cow::Borrowed(if text == "-" { "" } else { text })
}

fn list(text: &'static str) -> Vec<Text> {
    if text == "-" { Vec::new() } else { tables::parts(text, b',').map(Cow::Borrowed).collect() }
}

fn verbs(text: &'static str) -> Option<Verbs> {
    tables::parts(text, b',').try_fold(Verbs::NONE, |set, verb| {
        Some(set.union(if verb == "*" { Verbs::STORED } else { Verbs::of(verb)? }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_reads() {
        for version in KubernetesVersion::all() {
            let lines = tables::lines(Section::Resources, version);
            let (resources, groups) = parse(version, Platform::Kubernetes);
            assert_eq!(resources.len() + groups.len(), lines.len(), "{version}");
            let (with_eks, groups) = parse(version, Platform::Eks);
            let eks: Vec<_> = tables::eks(Section::Resources, version).collect();
            let headers = eks.iter().filter(|line| line.starts_with("group ")).count();
            assert_eq!(with_eks.len(), resources.len() + eks.len() - headers, "{version}");
            assert_eq!(groups.iter().collect::<std::collections::BTreeSet<_>>().len(), groups.len());
        }
        let (resources, groups) = parse(KubernetesVersion::default(), Platform::Kubernetes);
        assert_eq!((resources.len(), groups.len()), (78, 22));
    }
}
