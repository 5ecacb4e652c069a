//! Assertion files: YAML as a table of tests, every mistake in it with its place.

use crate::document::{Node, Position, Tree, encoding, read};
use crate::model::ternary::Ternary;

/// A file of assertions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Paths to read, relative to the file.
    pub inputs: Vec<String>,
    /// The tests, in order.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What it is called.
    pub name: String,
    /// The line on which it begins.
    pub line: u32,
    /// Where it is asked, each place by itself.
    pub places: Vec<Place>,
    /// Whether "unknown" will do.
    pub allow_unknown: bool,
    /// What must hold.
    pub asserts: Asserts,
}

/// Where something is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing was said: namespace `default`, or none for what has none.
    Default,
    /// In a namespace.
    Namespace(String),
    /// In all namespaces at once.
    All,
}

/// A text with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The text.
    pub text: String,
    /// The line.
    pub line: u32,
}

/// What a test asserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asserts {
    /// What somebody can, and cannot.
    Access {
        /// Who.
        asker: Asker,
        /// Each answer that is expected, and to what.
        expected: Vec<(Ternary, Named)>,
        /// The bindings that grant it, such as `RoleBinding prod/on-call-shell`; empty for whichever.
        by: Vec<Named>,
    },
    /// Who can do something.
    Who {
        /// What.
        asked: Named,
        /// Who.
        listed: Listed,
    },
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// An IAM identity.
    Arn {
        /// Its ARN.
        arn: String,
        /// The session, for the ARN of a role.
        session: Option<String>,
        /// The line.
        line: u32,
    },
    /// A Kubernetes user.
    User {
        /// Its name.
        name: String,
        /// Its groups.
        groups: Vec<String>,
        /// The line.
        line: u32,
    },
}

impl Asker {
    /// The line that it stands on.
    pub fn line(&self) -> u32 {
        match self {
            Self::Arn { line, .. } | Self::User { line, .. } => *line,
        }
    }
}

/// Lists of who can, each entry written as `group: on-call`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// These and nobody else; `None` where it is not said.
    pub only: Option<Vec<Named>>,
    /// At least these.
    pub includes: Vec<Named>,
    /// None of these.
    pub excludes: Vec<Named>,
}

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub position: Position,
    /// What, and what to write instead.
    pub message: String,
}

const TOP: [&str; 2] = ["inputs", "tests"];
const FIELDS: [&str; 17] = [
    "name",
    "arn",
    "as",
    "groups",
    "sessionName",
    "namespace",
    "namespaces",
    "allNamespaces",
    "can",
    "cannot",
    "unknown",
    "by",
    "whoCan",
    "only",
    "includes",
    "excludes",
    "allowUnknown",
];

fn mistake<T>(node: Node<'_>, message: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { position: node.position(), message: message.into() })
}

/// Reads a file.
///
/// # Errors
/// The first mistake.
pub fn parse(bytes: &[u8]) -> Result<File, Mistake> {
    let text = encoding::decode(bytes)
        .map_err(|error| Mistake { position: error.position, message: error.message })?;
    let mut tree = Tree::new(&text);
    read(&text, 1, &mut tree)
        .map_err(|error| Mistake { position: error.position, message: error.message })?;
    let nothing = Mistake {
        position: Position { line: 1, column: 1 },
        message: "the file is empty; write `tests:` with a list of tests".to_owned(),
    };
    let root = tree.root().filter(|root| !root.is_null()).ok_or(nothing)?;
    known(root, &TOP)?;
    let mut file = File::default();
    if let Some(inputs) = root.get("inputs") {
        file.inputs = texts(inputs)?.into_iter().map(|named| named.text).collect();
    }
    let Some(tests) = root.get("tests") else { return mistake(root, "`tests` is missing") };
    if !tests.is_sequence() {
        return mistake(tests, "`tests` must be a list; begin each test with `- `");
    }
    for (node, number) in tests.items().zip(1usize..) {
        file.tests.push(test(node, number)?);
    }
    Ok(file)
}

/// Whether a mapping has only these keys, each once.
fn known(node: Node<'_>, fields: &[&str]) -> Result<(), Mistake> {
    if !node.is_mapping() {
        return mistake(node, format!("expected a mapping with {}", quoted(fields)));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (key, _) in node.pairs() {
        let name = key.text();
        if seen.contains(&name) {
            return mistake(key, format!("`{name}` stands here twice"));
        }
        seen.push(name);
        if !fields.contains(&name) {
            let near = fields
                .iter()
                .map(|field| (strsim::osa_distance(&field.to_lowercase(), &name.to_lowercase()), field));
            let near = near.min().filter(|(distance, field)| *distance <= 2.max(field.len() / 3));
            let hint = match near {
                Some((_, near)) => format!("; did you mean `{near}`?"),
                None => format!("; known are {}", quoted(fields)),
            };
            return mistake(key, format!("unknown field `{name}`{hint}"));
        }
    }
    Ok(())
}

fn quoted(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

fn text(node: Node<'_>) -> Result<Named, Mistake> {
    if node.is_mapping() || node.is_sequence() || node.is_null() {
        return mistake(node, "expected a text");
    }
    Ok(Named { text: node.text().trim().to_owned(), line: node.position().line })
}

/// A text, or a list of texts.
fn texts(node: Node<'_>) -> Result<Vec<Named>, Mistake> {
    if node.is_sequence() { node.items().map(text).collect() } else { Ok(vec![text(node)?]) }
}

fn flag(node: Node<'_>) -> Result<bool, Mistake> {
    match node.text() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => mistake(node, format!("expected `true` or `false`, not `{other}`")),
    }
}

fn test(node: Node<'_>, number: usize) -> Result<Test, Mistake> {
    known(node, &FIELDS)?;
    let get = |name: &str| node.get(name);
    let name = match get("name") {
        Some(name) => text(name)?.text,
        None => format!("test {number}"),
    };
    let allow_unknown = get("allowUnknown").map(flag).transpose()?.unwrap_or(false);
    let places = places(node)?;
    let line = node.position().line;
    let asserts = match (get("whoCan"), get("arn"), get("as")) {
        (Some(asked), None, None) => Asserts::Who { asked: text(asked)?, listed: listed(node)? },
        (None, Some(arn), None) => {
            let session = get("sessionName").map(text).transpose()?.map(|named| named.text);
            let Named { text: arn, line } = text(arn)?;
            access(node, Asker::Arn { arn, session, line })?
        }
        (None, None, Some(user)) => {
            let groups = get("groups").map(texts).transpose()?.unwrap_or_default();
            let groups = groups.into_iter().map(|named| named.text).collect();
            let Named { text: name, line } = text(user)?;
            access(node, Asker::User { name, groups, line })?
        }
        (None, None, None) => return mistake(node, "a test needs one of `arn`, `as` and `whoCan`"),
        _ => return mistake(node, "a test takes only one of `arn`, `as` and `whoCan`"),
    };
    let foreign: &[&str] = match &asserts {
        Asserts::Who { .. } => &["can", "cannot", "unknown", "by", "groups", "sessionName"],
        Asserts::Access { asker: Asker::Arn { .. }, .. } => &["only", "includes", "excludes", "groups"],
        Asserts::Access { .. } => &["only", "includes", "excludes", "sessionName"],
    };
    for (key, _) in node.pairs() {
        if foreign.contains(&key.text()) {
            let with = match &asserts {
                Asserts::Who { .. } => "`whoCan`, which takes `only`, `includes` and `excludes`",
                Asserts::Access { asker: Asker::Arn { .. }, .. } => {
                    "`arn`, which takes `can`, `cannot`, `unknown`, `by` and `sessionName`"
                }
                Asserts::Access { .. } => "`as`, which takes `can`, `cannot`, `unknown`, `by` and `groups`",
            };
            return mistake(key, format!("`{}` does not go with {with}", key.text()));
        }
    }
    Ok(Test { name, line, places, allow_unknown, asserts })
}

fn places(node: Node<'_>) -> Result<Vec<Place>, Mistake> {
    let all = node.get("allNamespaces").map(flag).transpose()?.unwrap_or(false);
    match (node.get("namespace"), node.get("namespaces"), all) {
        (None, None, false) => Ok(vec![Place::Default]),
        (None, None, true) => Ok(vec![Place::All]),
        (Some(one), None, false) => Ok(vec![Place::Namespace(text(one)?.text)]),
        (None, Some(several), false) => {
            let places = texts(several)?;
            if places.is_empty() {
                return mistake(several, "`namespaces` is empty, so nothing would be checked");
            }
            Ok(places.into_iter().map(|named| Place::Namespace(named.text)).collect())
        }
        _ => mistake(node, "a test takes only one of `namespace`, `namespaces` and `allNamespaces`"),
    }
}

fn access(node: Node<'_>, asker: Asker) -> Result<Asserts, Mistake> {
    let mut expected = Vec::new();
    for (field, ternary) in [("can", Ternary::Yes), ("cannot", Ternary::No), ("unknown", Ternary::Unknown)] {
        let asked = node.get(field).map(texts).transpose()?.unwrap_or_default();
        for one in &asked {
            if one.text.split_whitespace().count() < 2 {
                let position = Position { line: one.line, column: 1 };
                let message =
                    format!("`{}` is no question; write a verb and a type, such as `get pods`", one.text);
                return Err(Mistake { position, message });
            }
        }
        expected.extend(asked.into_iter().map(|asked| (ternary, asked)));
    }
    if expected.is_empty() {
        return mistake(node, "a test needs `can`, `cannot` or `unknown`, else nothing would be checked");
    }
    let by = match node.get("by") {
        None => Vec::new(),
        Some(by) => texts(by)?
            .into_iter()
            .map(|mut named| {
                // `RoleBinding/prod/x` reads as well.
                if !named.text.contains(' ')
                    && let Some((kind, rest)) = named.text.split_once('/')
                {
                    named.text = format!("{kind} {rest}");
                }
                named
            })
            .collect(),
    };
    Ok(Asserts::Access { asker, expected, by })
}

fn listed(node: Node<'_>) -> Result<Listed, Mistake> {
    let list = |name: &str| node.get(name).map(holders).transpose();
    let listed = Listed {
        only: list("only")?,
        includes: list("includes")?.unwrap_or_default(),
        excludes: list("excludes")?.unwrap_or_default(),
    };
    Ok(listed)
}

fn holders(node: Node<'_>) -> Result<Vec<Named>, Mistake> {
    if !node.is_sequence() {
        return mistake(node, "expected a list, such as [{group: on-call}, {arn: ...}]");
    }
    node.items()
        .map(|item| {
            known(item, &["group", "user", "serviceAccount", "arn", "account"])?;
            let mut pairs = item.pairs();
            let (Some((key, value)), None) = (pairs.next(), pairs.next()) else {
                return mistake(item, "expected one of `group`, `user`, `serviceAccount` and `arn`");
            };
            let Named { text: name, line } = text(value)?;
            if key.text() == "serviceAccount" && !name.contains('/') {
                return mistake(value, "write a service account as NAMESPACE/NAME");
            }
            Ok(Named { text: format!("{}: {name}", key.text()), line })
        })
        .collect()
}
