//! Reading the built-in catalogue out of its text; the text explains its own form.

use std::borrow::Cow;

use super::{Resource, Subresource, Text, Verbs};

const TEXT: &str = include_str!("builtin.txt");

/// The built-in resources and the groups in the order of discovery.
///
/// A line that does not read is left out; the tests hold that there is none.
pub(super) fn parse() -> (Vec<Resource>, Vec<&'static str>) {
    let mut resources = Vec::with_capacity(100);
    let mut groups = Vec::with_capacity(24);
    let (mut group, mut versions) = ("", "");
    for line in lines() {
        if let Some(header) = line.strip_prefix("group ") {
            (group, versions) = header.split_once(' ').unwrap_or((header, ""));
            group = if group == "\"\"" { "" } else { group };
            groups.push(group);
        } else if let Some(resource) = resource(line, group, versions, groups.len() - 1) {
            resources.push(resource);
        }
    }
    (resources, groups)
}

/// The lines that say something.
fn lines() -> impl Iterator<Item = &'static str> {
    TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn resource(
    line: &'static str,
    group: &'static str,
    versions: &'static str,
    rank: usize,
) -> Option<Resource> {
    let mut words = line.split(' ');
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
    let (name, verbs_there) = word.split_once('=')?;
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
    if text == "-" { Vec::new() } else { text.split(',').map(Cow::Borrowed).collect() }
}

fn verbs(text: &str) -> Option<Verbs> {
    text.split(',').try_fold(Verbs::NONE, |set, verb| {
        Some(set.union(if verb == "*" { Verbs::STORED } else { Verbs::of(verb)? }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_reads() {
        let (resources, groups) = parse();
        assert_eq!(resources.len() + groups.len(), lines().count());
        assert_eq!((resources.len(), groups.len()), (78, 22));
    }
}
