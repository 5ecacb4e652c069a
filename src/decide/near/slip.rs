//! Why a word of a rule, which looks as if it meant what was asked for, does not match it.
//!
//! Rules are compared as text, and `*` alone is a wildcard: whoever writes a singular, a kind or a pattern means
//! something that no request ever is.

use crate::decide::evaluate::Mismatch;
use crate::decide::evaluate::matches::pattern_matches;
use crate::knowledge::catalogue::{Catalogue, Resource, is_known_resource_verb};
use crate::model::attributes::{Attributes, ResourceAttributes};
use crate::model::names::{Name, Names};
use crate::model::rbac::PolicyRule;

/// A word of a rule that nearly is what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// In which list of the rule it stands.
    pub field: Field,
    /// The word.
    pub written: Name,
    /// What would match.
    pub meant: String,
    /// Why it does not match.
    pub why: Why,
}

/// A list of a rule.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `verbs`.
    Verb,
    /// `apiGroups`.
    ApiGroup,
    /// `resources`.
    Resource,
    /// `resourceNames`.
    ResourceName,
    /// `nonResourceURLs`.
    Url,
}

/// Why a word does not match.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It differs in capitals.
    Capitals,
    /// It is the singular of a resource.
    Singular,
    /// It is the kind of a resource.
    Kind,
    /// It is a short name of a resource.
    ShortName,
    /// It is empty, and no resource is called so.
    Empty,
    /// It holds a `*` that is no wildcard.
    LiteralStar,
    /// It is a resource with its API group, which has a list of its own.
    WithGroup,
    /// It is a group with its version, or a version alone.
    WithVersion,
    /// It is a word for the core group, which is called `""`.
    CoreGroup,
    /// It is a group that served the type long ago.
    FormerGroup,
    /// It is only the beginning of the group.
    Beginning,
    /// It is a word that kubectl or people have, and the API has not.
    NoApiVerb,
    /// It has a slash too many or too few.
    Slashes,
    /// It is a URL with its scheme and host.
    WholeUrl,
    /// It covers what is below the path, and not the path.
    Below,
    /// It covers the path, and not what is below.
    OnlyItself,
    /// It is spelled nearly so.
    Similar,
}

/// How many slips are likely in words of that length.
fn allowed(length: usize) -> usize {
    match length {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// Whether two different words are likely one, mistyped.
pub(super) fn is_similar(one: &str, other: &str) -> bool {
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    one != other && long - short <= 2 && strsim::osa_distance(one, other) <= allowed(short)
}

/// The slips of a rule in what a request and the rule differ in; and in how many ways they differ without one.
pub(super) fn slips(
    names: &Names,
    catalogue: &Catalogue,
    rule: &PolicyRule<'_>,
    asked: &Attributes<'_>,
    mismatch: Mismatch,
) -> (Vec<Slip>, usize) {
    let mut found = Vec::new();
    let mut unexplained = usize::from(mismatch.kind);
    let mut look =
        |differs: bool, list: &[Name], field: Field, of: &dyn Fn(&str) -> Option<(String, Why)>| {
            if !differs {
                return;
            }
            let slip = |written: &Name| {
                let (meant, why) = of(names.text(*written))?;
                Some(Slip { field, written: *written, meant, why })
            };
            match list.iter().filter_map(slip).min_by_key(|slip| slip.why) {
                Some(slip) => found.push(slip),
                None => unexplained += 1,
            }
        };
    look(mismatch.verb, rule.verbs, Field::Verb, &|written| verb(asked.verb(), written));
    match asked {
        Attributes::NonResource(url) => {
            look(mismatch.non_resource_url, rule.non_resource_urls, Field::Url, &|written| {
                self::url(url.path, written)
            });
        }
        Attributes::Resource(asked) => {
            let known = catalogue.find(asked.group, asked.resource);
            look(mismatch.api_group, rule.api_groups, Field::ApiGroup, &|written| group(asked, written));
            look(mismatch.resource, rule.resources, Field::Resource, &|written| {
                resource(catalogue, known, asked, written)
            });
            look(mismatch.resource_name, rule.resource_names, Field::ResourceName, &|written| {
                name(asked.name, written)
            });
        }
    }
    (found, unexplained)
}

/// What people write for verbs of the API.
const WORDS: [(&str, &[&str]); 25] = [
    ("read", &["get", "list", "watch"]),
    ("view", &["get", "list", "watch"]),
    ("show", &["get", "list", "watch"]),
    ("describe", &["get", "list"]),
    ("fetch", &["get", "list"]),
    ("log", &["get"]),
    ("logs", &["get"]),
    ("top", &["get", "list"]),
    ("write", &["create", "update", "patch"]),
    ("modify", &["update", "patch"]),
    ("change", &["update", "patch"]),
    ("edit", &["get", "update", "patch"]),
    ("put", &["update"]),
    ("post", &["create"]),
    ("add", &["create"]),
    ("apply", &["get", "create", "patch"]),
    ("scale", &["get", "update", "patch"]),
    ("restart", &["patch"]),
    ("label", &["patch"]),
    ("remove", &["delete", "deletecollection"]),
    ("destroy", &["delete", "deletecollection"]),
    ("exec", &["create", "get"]),
    ("attach", &["create", "get"]),
    ("port-forward", &["create", "get"]),
    ("portforward", &["create", "get"]),
];

/// What people write for every verb.
const EVERYTHING: [&str; 5] = ["all", "any", "admin", "manage", "everything"];

fn verb(asked: &str, written: &str) -> Option<(String, Why)> {
    let lower = written.to_lowercase();
    let said = |why| Some((asked.to_owned(), why));
    if lower == asked {
        return said(Why::Capitals);
    }
    if written.contains('*') && pattern_matches(written, asked) {
        return said(Why::LiteralStar);
    }
    if EVERYTHING.contains(&&*lower) {
        return Some(("*".to_owned(), Why::NoApiVerb));
    }
    if WORDS.iter().any(|(word, verbs)| *word == lower && verbs.contains(&asked)) {
        return said(Why::NoApiVerb);
    }
    (!is_known_resource_verb(written) && is_similar(&lower, asked)).then(|| (asked.to_owned(), Why::Similar))
}

/// Groups whose types moved elsewhere and are served there alone.
const FORMER: [&str; 1] = ["extensions"];

fn group(asked: &ResourceAttributes<'_>, written: &str) -> Option<(String, Why)> {
    let own = asked.group;
    let said = |why| Some((own.to_owned(), why));
    let lower = written.to_lowercase();
    let is_version = |text: &str| {
        text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    if own.is_empty() {
        return match lower.as_str() {
            "core" | "core/v1" | "\"\"" | "''" | " " => said(Why::CoreGroup),
            _ if is_version(&lower) => said(Why::WithVersion),
            _ => None,
        };
    }
    let without_version = lower.rsplit_once('/').filter(|(_, version)| is_version(version));
    if without_version.is_some_and(|(group, _)| group == own) {
        return said(Why::WithVersion);
    }
    if lower == own {
        return said(Why::Capitals);
    }
    if written.contains('*') && pattern_matches(written, own) {
        return said(Why::LiteralStar);
    }
    if !written.is_empty() && own.strip_prefix(&*lower).is_some_and(|rest| rest.starts_with('.')) {
        return said(Why::Beginning);
    }
    if FORMER.contains(&written) {
        return said(Why::FormerGroup);
    }
    // `apps` is short, and nothing else is near it.
    let near = is_similar(&lower, own) || (own.len() > 3 && strsim::osa_distance(&lower, own) == 1);
    near.then(|| (own.to_owned(), Why::Similar))
}

fn resource(
    catalogue: &Catalogue,
    known: Option<&Resource>,
    asked: &ResourceAttributes<'_>,
    written: &str,
) -> Option<(String, Why)> {
    let combined = if asked.subresource.is_empty() {
        asked.resource.to_owned()
    } else {
        format!("{}/{}", asked.resource, asked.subresource)
    };
    let said = |why| Some((combined.clone(), why));
    if written.trim().is_empty() {
        return said(Why::Empty);
    }
    if written.contains('*') {
        let parent = written.split('/').next().unwrap_or_default();
        let covers = written == "*/*"
            || pattern_matches(written, &combined)
            || (written.ends_with("/*") && form(catalogue, known, asked, parent).is_some());
        return if covers { said(Why::LiteralStar) } else { None };
    }
    if written.trim_matches('/') == combined {
        return said(Why::Slashes);
    }
    let (parent, part) = written.split_once('/').unwrap_or((written, ""));
    if let Some((parent, group)) = parent.split_once('.')
        && parent == asked.resource
        && part == asked.subresource
        && (group == asked.group || asked.group.is_empty())
    {
        return said(Why::WithGroup);
    }
    let of_parent = match form(catalogue, known, asked, parent)? {
        Form::AsItIs => None,
        Form::Otherwise(why) => Some(why),
    };
    if part == asked.subresource {
        return of_parent.and_then(said);
    }
    if part.is_empty() || asked.subresource.is_empty() {
        return None;
    }
    // The subresource is another form of its word.
    let lower = part.to_lowercase();
    if lower == asked.subresource {
        return said(of_parent.unwrap_or(Why::Capitals));
    }
    let plain = lower.replace(['-', '_'], "");
    let same = plain.trim_end_matches('s') == asked.subresource.trim_end_matches('s');
    let is_other = known.is_some_and(|known| known.has_subresource(part));
    ((same || is_similar(&lower, asked.subresource)) && !is_other)
        .then(|| (combined.clone(), of_parent.unwrap_or(Why::Similar)))
}

/// In what form a word names a type.
enum Form {
    AsItIs,
    Otherwise(Why),
}

/// In what form a word names a type; nothing if it does not.
fn form(
    catalogue: &Catalogue,
    known: Option<&Resource>,
    asked: &ResourceAttributes<'_>,
    written: &str,
) -> Option<Form> {
    if written == asked.resource {
        return Some(Form::AsItIs);
    }
    let lower = written.to_lowercase();
    if lower == asked.resource {
        return Some(Form::Otherwise(Why::Capitals));
    }
    let is_kind = written.starts_with(|first: char| first.is_ascii_uppercase());
    let singular = |singular: &str| lower == singular;
    if let Some(known) = known {
        if known.kind.to_lowercase() == lower && (is_kind || !singular(&known.singular)) {
            return Some(Form::Otherwise(Why::Kind));
        }
        if singular(&known.singular) {
            return Some(Form::Otherwise(Why::Singular));
        }
        if known.short_names.iter().any(|short| *short == lower) {
            return Some(Form::Otherwise(Why::ShortName));
        }
    } else {
        let plurals = [format!("{lower}s"), format!("{lower}es")];
        let of_y = lower.strip_suffix('y').map(|stem| format!("{stem}ies"));
        if plurals.iter().chain(&of_y).any(|plural| plural == asked.resource) {
            return Some(Form::Otherwise(if is_kind { Why::Kind } else { Why::Singular }));
        }
    }
    let is_other = catalogue.find(asked.group, written).is_some();
    (!is_other && is_similar(&lower, asked.resource)).then_some(Form::Otherwise(Why::Similar))
}

fn name(asked: &str, written: &str) -> Option<(String, Why)> {
    let said = |why| Some((asked.to_owned(), why));
    if written.contains('*') && (asked.is_empty() || pattern_matches(written, asked)) {
        return said(Why::LiteralStar);
    }
    if asked.is_empty() {
        return None;
    }
    if written.eq_ignore_ascii_case(asked) {
        return said(Why::Capitals);
    }
    if written.trim_matches('/').rsplit('/').next() == Some(asked) {
        return said(Why::Slashes);
    }
    // `web-1` and `web-2` are two, and meant so.
    let digits = |text: &str| text.chars().filter(|sign| !sign.is_ascii_digit()).collect::<String>();
    (digits(written) != digits(asked) && is_similar(written, asked)).then(|| (asked.to_owned(), Why::Similar))
}

fn url(asked: &str, written: &str) -> Option<(String, Why)> {
    let said = |why| Some((asked.to_owned(), why));
    let path = written
        .split_once("://")
        .map(|(_, rest)| rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/")));
    if path.is_some_and(|path| path == asked || path.trim_end_matches('/') == asked) {
        return said(Why::WholeUrl);
    }
    let squeezed = |text: &str| text.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    if squeezed(written) == squeezed(asked) {
        return said(Why::Slashes);
    }
    if written.eq_ignore_ascii_case(asked) {
        return said(Why::Capitals);
    }
    if let Some(start) = written.strip_suffix("/*")
        && start == asked.trim_end_matches('/')
    {
        return said(Why::Below);
    }
    if written.contains('*') {
        return if pattern_matches(written, asked) { said(Why::LiteralStar) } else { None };
    }
    if asked.strip_prefix(written).is_some_and(|rest| rest.starts_with('/')) {
        return said(Why::OnlyItself);
    }
    is_similar(written, asked).then(|| (asked.to_owned(), Why::Similar))
}
