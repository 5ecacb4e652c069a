//! What a cluster itself says of its types: the table of `kubectl api-resources -o wide`, or discovery as JSON.

use serde_json::Value;

use crate::document::encoding;
use crate::knowledge::catalogue::{Catalogue, Served, Verbs};
use crate::model::diagnostic::{Code, Diagnostic};
use crate::model::source::{FileId, Source};

/// Adds the types of a file to the catalogue; gives what of it says nothing.
pub(super) fn add(catalogue: &mut Catalogue, file: FileId, bytes: &[u8]) -> Vec<Diagnostic> {
    let at = |line: usize| Source { file, line: u32::try_from(line).unwrap_or(0), ..Source::default() };
    let mut said = Vec::new();
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            said.push(Diagnostic::at(Code::ApiResourcesNotRead, at(0), error.message));
            return said;
        }
    };
    let found = if text.trim_start().starts_with(['{', '[']) {
        json(&text, &at, &mut said)
    } else {
        table(&text, &at, &mut said)
    };
    if found.is_empty() && said.is_empty() {
        said.push(Diagnostic::at(
            Code::ApiResourcesNotRead,
            at(0),
            "names no API resource; give what `kubectl api-resources -o wide` prints",
        ));
    }
    for served in found {
        catalogue.add_served(served);
    }
    said
}

/// The rows of the table: NAME, SHORTNAMES where there are any, APIVERSION, NAMESPACED, KIND, VERBS, CATEGORIES.
fn table(text: &str, at: &dyn Fn(usize) -> Source, said: &mut Vec<Diagnostic>) -> Vec<Served> {
    let mut found = Vec::new();
    let mut bad: Option<(usize, usize)> = None;
    for (line, number) in text.lines().zip(1usize..) {
        if line.trim().is_empty() || line.starts_with("NAME ") || line.starts_with('#') {
            continue;
        }
        match row(line, at(number)) {
            Some(served) => found.push(served),
            None => bad = Some(bad.map_or((number, 1), |(first, count)| (first, count + 1))),
        }
    }
    if let Some((first, count)) = bad {
        let lines = if count == 1 {
            "this line is".to_owned()
        } else {
            format!("{count} lines, this is the first, are")
        };
        said.push(Diagnostic::at(
            Code::ApiResourcesNotRead,
            at(first),
            format!("{lines} no row of `kubectl api-resources -o wide`, and left out"),
        ));
    }
    found
}

fn row(line: &str, source: Source) -> Option<Served> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let scope =
        words.iter().position(|word| matches!(*word, "true" | "false")).filter(|at| (2..=3).contains(at))?;
    let (group, version) = split_version(words.get(scope - 1)?)?;
    let short = if scope == 3 { *words.get(1)? } else { "" };
    let kind = *words.get(scope + 1)?;
    let rest = words.get(scope + 2..).unwrap_or_default();
    // Before 1.28 the verbs stand in brackets, with spaces between them.
    let verbs = rest.iter().position(|word| word.ends_with(']')).map_or(1, |last| last + 1);
    let (verbs, categories) = rest.split_at_checked(verbs).unwrap_or((rest, &[]));
    Some(Served {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: (*words.first()?).to_owned(),
        singular: kind.to_lowercase(),
        kind: kind.to_owned(),
        short_names: list(short),
        categories: categories.iter().flat_map(|word| list(word)).collect(),
        namespaced: words.get(scope) == Some(&"true"),
        // Without `-o wide` the table has no verbs.
        verbs: if verbs.is_empty() {
            Verbs::STORED
        } else {
            verbs_of(verbs.iter().flat_map(|word| word.trim_matches(['[', ']']).split(',')))
        },
        subresources: None,
        source,
    })
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect()
}

/// Group and version of an apiVersion.
fn split_version(text: &str) -> Option<(&str, &str)> {
    let (group, version) = text.split_once('/').unwrap_or(("", text));
    let number = version.strip_prefix('v')?;
    number.starts_with(|first: char| first.is_ascii_digit()).then_some((group, version))
}

/// The verbs that are known; of others no question is asked that would need them.
fn verbs_of<'a>(verbs: impl Iterator<Item = &'a str>) -> Verbs {
    verbs.filter_map(Verbs::of).fold(Verbs::NONE, Verbs::union)
}

/// Discovery documents, one after the other or in lists.
fn json(text: &str, at: &dyn Fn(usize) -> Source, said: &mut Vec<Diagnostic>) -> Vec<Served> {
    let mut found = Vec::new();
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    loop {
        let line = text.get(..documents.byte_offset()).map_or(0, |before| before.lines().count()) + 1;
        match documents.next() {
            None => return found,
            Some(Ok(value)) => {
                let before = found.len();
                document(&value, at(line), &mut found);
                if found.len() == before {
                    said.push(Diagnostic::at(
                        Code::ApiResourcesNotRead,
                        at(line),
                        "no list of API resources; give what `kubectl api-resources -o wide` prints, or an APIResourceList or APIGroupDiscoveryList",
                    ));
                }
            }
            Some(Err(error)) => {
                said.push(Diagnostic::at(Code::ApiResourcesNotRead, at(error.line()), error.to_string()));
                return found;
            }
        }
    }
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    items(value, key).filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn verbs_in(value: &Value) -> Verbs {
    verbs_of(items(value, "verbs").filter_map(Value::as_str))
}

fn document(value: &Value, source: Source, found: &mut Vec<Served>) {
    if let Some(list) = value.as_array() {
        for item in list {
            document(item, source, found);
        }
    } else if value.get("resources").is_some() {
        resource_list(value, source, found);
    } else if value.get("versions").is_some() {
        group_discovery(value, source, found);
    } else {
        for item in items(value, "items") {
            document(item, source, found);
        }
    }
}

/// `APIResourceList`: one group and version, subresources with a slash in their name.
fn resource_list(value: &Value, source: Source, found: &mut Vec<Served>) {
    let (group, version) = split_version(text_of(value, "groupVersion")).unwrap_or_default();
    let first = found.len();
    for resource in items(value, "resources") {
        let name = text_of(resource, "name");
        let (plural, part) = name.split_once('/').unwrap_or((name, ""));
        if plural.is_empty() {
            continue;
        }
        if !part.is_empty() {
            let mut of = found.iter_mut().skip(first);
            if let Some(of) = of.find(|of| of.plural == plural) {
                of.subresources.get_or_insert_default().push((part.to_owned(), verbs_in(resource)));
            }
            continue;
        }
        // `kubectl api-resources -o json` lists all groups together.
        let own = |key: &str, of_list: &str| match text_of(resource, key) {
            "" => of_list.to_owned(),
            own => own.to_owned(),
        };
        found.push(Served {
            group: own("group", group),
            version: own("version", version),
            plural: plural.to_owned(),
            singular: text_of(resource, "singularName").to_owned(),
            kind: text_of(resource, "kind").to_owned(),
            short_names: texts(resource, "shortNames"),
            categories: texts(resource, "categories"),
            namespaced: resource.get("namespaced").and_then(Value::as_bool).unwrap_or(false),
            verbs: verbs_in(resource),
            subresources: Some(Vec::new()),
            source,
        });
    }
}

/// `APIGroupDiscovery`, an item of what aggregated discovery gives.
fn group_discovery(value: &Value, source: Source, found: &mut Vec<Served>) {
    let group = value.get("metadata").map_or("", |metadata| text_of(metadata, "name"));
    for version in items(value, "versions") {
        for resource in items(version, "resources") {
            let parts = items(resource, "subresources");
            let part = |part: &Value| (text_of(part, "subresource").to_owned(), verbs_in(part));
            found.push(Served {
                group: group.to_owned(),
                version: text_of(version, "version").to_owned(),
                plural: text_of(resource, "resource").to_owned(),
                singular: text_of(resource, "singularResource").to_owned(),
                kind: resource.get("responseKind").map_or("", |kind| text_of(kind, "kind")).to_owned(),
                short_names: texts(resource, "shortNames"),
                categories: texts(resource, "categories"),
                namespaced: text_of(resource, "scope") == "Namespaced",
                verbs: verbs_in(resource),
                subresources: Some(parts.map(part).collect()),
                source,
            });
        }
    }
}
